"""An exhibit: a mistake that somebody made in public, rebuilt small, and what the checker says of it.

Each file of `exhibits/` is one: a docstring with its name and what it looked like, SOURCE, the code with the mistake
in it, and then, for the museum, MENDED, what must be put in place of what, and NAMED, what the catalogue calls it. What
the textbook has no function for is a pair, `forward` and `backward`, with INPUTS to check it at, and SAID, the words of
the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any
from unittest.mock import patch

import numpy as np

import npbilstm as nb
from npbilstm.diagnosis import matching
from npbilstm.diagnosis.report_text import headline
from npbilstm.mistakes import BUGS

FOLDER = Path(__file__).with_name("exhibits")
BEHIND_DOCSTRING, CUT = '"""\n\n', "\n\nMENDED = "
"""Before the code, and between it and what the museum knows of it."""
CONCEPTS = {
    "cs231n_upstream_changed": "An array that is handed over is shared by all who hold it.",
    "haste_first_mask": "What was drawn at a step of the way out belongs to the same step on the way back.",
    "mxnet_overwritten": "A place may be written when nobody will read what stood there.",
    "pytorch_dropout_forgotten": "What was multiplied by a mask on the way out is multiplied by it on the way back.",
}
"""What those are about that the catalogue has not."""


@dataclass(frozen=True)
class Exhibit:
    """A mistake, as its file has it. name: the file's. title, looked_like: of its docstring. code: with the mistake.
    mended: the same without it. bug: the catalogue's id, or "". said: of a mistake that is none of an equation, words
    in what the checker says. settings: the layout that is asked for, where another would be right as well. pair:
    whether it is one that nb.check_pair judges."""

    name: str
    title: str
    looked_like: str
    source: str
    code: str
    mended: str
    bug: str
    said: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    pair: bool = False

    @property
    def path(self) -> Path:
        """Its file."""
        return FOLDER / f"{self.name}.py"

    @property
    def concept(self) -> str:
        """What it is about: the catalogue's sentence, where it has this mistake, else the last of its story's."""
        return BUGS[self.bug].concept if self.bug else CONCEPTS[self.name]


@dataclass(frozen=True)
class Finding:
    """What the checker says of an exhibit. verdict: "named" where it names this mistake and no other, "said" where it
    says what is wrong and that is no equation, "other" where it names another, "unnamed" where it says that something
    is wrong and no more, "missed". headline: its first line on it."""

    verdict: str
    headline: str

    @property
    def found(self) -> bool:
        """Whether that is what is wrong."""
        return self.verdict in ("named", "said")


def exhibits() -> list[Exhibit]:
    """All of them, by name."""
    return [read_exhibit(path) for path in sorted(FOLDER.glob("*.py"))]


def read_exhibit(path: Path) -> Exhibit:
    """The exhibit in a file. Raises ValueError where what is to be mended does not stand in its code once."""
    source = path.read_text(encoding="utf-8")
    facts = run(source, path.stem)
    code, cut, _ = source.partition(BEHIND_DOCSTRING)[2].partition(CUT)
    mended = code
    for wrong, right in facts["MENDED"].items():
        if not cut or code.count(wrong) != 1:
            raise ValueError(f"{path.name}: {wrong!r} stands {code.count(wrong)} times in its code; it needs to once")
        mended = mended.replace(wrong, right)
    title, _, looked_like = facts["__doc__"].strip().partition("\n\n")
    settings = tuple(facts.get("SETTINGS", {}).items())
    looked_like = " ".join(looked_like.split())
    told = facts["SOURCE"], code, mended, facts.get("NAMED", ""), facts.get("SAID", "")
    return Exhibit(path.stem, title, looked_like, *told, settings, "INPUTS" in facts)


def run(source: str, name: str) -> dict[str, Any]:
    """What a source defines."""
    module = ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), vars(module))
    return vars(module)


def judge(exhibit: Exhibit, code: str = "") -> Any:
    """The report on an exhibit, or on other code in its place: nb.diagnose's, or of a pair nb.check_pair's."""
    facts = run(code or exhibit.code, exhibit.name)
    if not exhibit.pair:
        settings: dict[str, Any] = dict(exhibit.settings)
        return nb.diagnose(facts, **settings)
    rng = np.random.default_rng(0)
    given = run(exhibit.path.read_text(encoding="utf-8"), exhibit.name)["INPUTS"]
    inputs = {n: 0.5 * rng.standard_normal(each) if isinstance(each, tuple) else each for n, each in given.items()}
    return nb.check_pair(facts["forward"], facts["backward"], inputs)


def find_unknown(exhibit: Exhibit) -> Finding:
    """What the checker says of a catalogued mistake when the catalogue does not have it."""
    with patch.object(matching, "BUGS", {name: bug for name, bug in BUGS.items() if name != exhibit.bug}):
        return find(exhibit)


def find(exhibit: Exhibit) -> Finding:
    """What the checker says of an exhibit as it is."""
    report = judge(exhibit)
    if exhibit.pair:
        line = str(report).partition(" (")[0]
        return Finding("missed" if report.ok else "said" if line == exhibit.said else "unnamed", line)
    wrong = [diagnosis for diagnosis in report.diagnoses if diagnosis.verdict == "wrong"]
    if not wrong:
        return Finding("missed", str(report).splitlines()[-1])
    line = headline(wrong[0]).removeprefix("WRONG").strip()
    named = {" and ".join(bug.id for bug in bugs) for bugs in wrong[0].named}
    if exhibit.said:
        said = " ".join([line, *wrong[0].findings])
        return Finding("said" if exhibit.said in said else "unnamed", line)
    if named == {exhibit.bug}:
        return Finding("named", line)
    return Finding("other" if named else "unnamed", line)
