"""An exhibit: a mistake that somebody made in public, rebuilt small, with what it looked like.

Each file of `exhibits/` is one, and data: a docstring with its name and what it looked like, SOURCE, the code with the
mistake in it, and then, for who shows it, MENDED, what must be put in place of what, and NAMED, what the catalogue
calls it. What the textbook has no function for is a pair, `forward` and `backward`, with INPUTS to check it at, and
SAID, the words of the report.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from npbilstm.mistakes.catalogue import BUGS

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
