"""Right variants of the forms: each right answer as others write it, by name."""

from __future__ import annotations

import ast
import contextlib
import io
import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import npbilstm as nb
from npbilstm.cli import main
from tests.submission.variants.by_form import ANSWERS, FORMS, OWN
from tests.submission.variants.by_taste import TASTES
from tests.submission.variants.checks import at_the_bottom, in_a_function, under_main

ENDS = {"a check at the bottom": at_the_bottom, "a check under main": under_main, "a check in main": in_a_function}


class Variant(NamedTuple):
    """A right file of a form. name: what is otherwise in it."""

    form: str
    answer: str
    name: str
    source: str

    @property
    def called(self) -> str:
        """Its name among all."""
        return f"{self.answer}: {self.name}"


@cache
def variant(form: str, name: str) -> Variant | None:
    """A form's right answer, the first of several to which this applies, with this in it; None where it is in none."""
    answers = [each for each in ANSWERS if each.startswith(form)]
    if name in ENDS:
        return Variant(form, form, name, ANSWERS[form] + ENDS[name](form))
    if name in OWN[form]:
        return Variant(form, form, name, OWN[form][name]())
    k = list(TASTES).index(name) % len(answers)
    for answer in answers[k:] + answers[:k]:
        source = TASTES[name](ANSWERS[answer])
        if differs(source, ANSWERS[answer]):
            return Variant(form, answer, name, source)
    return None


NAMES = [(form, name) for form in FORMS for name in (*TASTES, *ENDS, *OWN[form])]
"""Every form, with what may be otherwise in it."""


def variants() -> Iterator[Variant]:
    """All that there are, each source once."""
    made = [each for form, name in NAMES if (each := variant(form, name)) is not None]
    return iter({each.source: each for each in made}.values())


def differs(source: str, other: str) -> bool:
    """Whether a source is another to Python, or holds other text besides."""
    if source == other:
        return False
    trees = [ast.dump(ast.parse(each.removeprefix("\ufeff"))) for each in (source, other)]
    return trees[0] != trees[1] or any(mark in source for mark in ("#", "\ufeff", "\r", "\t"))


def judged(variant: Variant, in_process: bool = False) -> str:
    """What is said of a variant that is not said to be right; "" of one that is."""
    if not in_process:
        names = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()):
            try:
                exec(compile(variant.source.removeprefix("\ufeff"), "<submitted>", "exec"), names)
            except Exception as error:
                return f"the variant itself stops: {error!r}"
            report = nb.diagnose(names)
        return "" if report.ok else str(report)
    said = io.StringIO()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(said):
        path = Path(folder) / "own.py"
        path.write_bytes(variant.source.encode())
        try:
            code = main(["check", str(path)])
        except SystemExit as error:
            code = int(error.code or 0)
    return "" if code == 0 else said.getvalue() or f"exit {code}"
