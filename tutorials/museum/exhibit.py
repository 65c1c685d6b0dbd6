"""An exhibit: a mistake that somebody made in public, rebuilt small, and what the checker says of it.

Each file of `exhibits/` is one: a docstring with its name and what it looked like, SOURCE, the code with the mistake in
it, and then, for the museum, MENDED, what must be put in place of what, and NAMED, what the catalogue calls it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import npbilstm as nb
from npbilstm.diagnosis.report_text import headline
from npbilstm.mistakes import BUGS

FOLDER = Path(__file__).with_name("exhibits")
BEHIND_DOCSTRING, CUT = '"""\n\n', "\n\nMENDED = "
"""Before the code, and between it and what the museum knows of it."""


@dataclass(frozen=True)
class Exhibit:
    """A mistake, as its file has it. name: the file's. title, looked_like: of its docstring. code: with the mistake.
    mended: the same without it. bug: the catalogue's id, or "". said: of a mistake that is none of an equation, words
    in what the checker says. settings: the layout that is asked for, where another would be right as well."""

    name: str
    title: str
    looked_like: str
    source: str
    code: str
    mended: str
    bug: str
    said: str = ""
    settings: tuple[tuple[str, str], ...] = ()

    @property
    def path(self) -> Path:
        """Its file."""
        return FOLDER / f"{self.name}.py"

    @property
    def concept(self) -> str:
        """What it is about: the catalogue's sentence, where it has this mistake."""
        return BUGS[self.bug].concept if self.bug else "An array that is handed over is shared by all who hold it."


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
    return Exhibit(
        path.stem, title, looked_like, facts["SOURCE"], code, mended, facts["NAMED"], facts.get("SAID", ""), settings
    )


def run(source: str, name: str) -> dict[str, Any]:
    """What a source defines."""
    module = ModuleType(name)
    exec(compile(source, f"{name}.py", "exec"), vars(module))
    return vars(module)


def judge(code: str, name: str, settings: dict[str, Any]) -> nb.DiagnosisReport:
    """What `nb.diagnose` says of code."""
    module = ModuleType(name)
    exec(compile(code, f"{name}.py", "exec"), vars(module))
    return nb.diagnose(module, **settings)


def find(exhibit: Exhibit) -> Finding:
    """What the checker says of an exhibit as it is."""
    report = judge(exhibit.code, exhibit.name, dict(exhibit.settings))
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
