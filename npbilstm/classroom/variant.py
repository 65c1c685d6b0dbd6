"""A variant of the exercises: the same in other conventions, by a seed; what its files say of themselves, and what they
are given.

The seed that a file tells is for who works on it. Who grades says which variant was handed out: nothing is gained by
another number in the file.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from typing import Any

from npbilstm.classroom.course_form import form_in
from npbilstm.submission.conventions import Conventions, conventions_of
from npbilstm.submission.given import given_function

RECORD = re.compile(r"^# exercise: variant=(\d{1,9})$", re.MULTILINE)
WIDTH = 100
COLUMNS = (
    "This is a variant: the textbook's equations in other conventions, all of which the docstrings follow. A vector is "
    "a column: x of one step is {step}, a sequence {sequence}, and what is called a row of the batch, one sequence of "
    "it, is a column here. Weights are {weights}, a bias {bias}; the blocks of an LSTM's gates stand in the order "
    "{gates}, a GRU's {gru_gates}. Arguments are handed over by place, in the signature's order. "
    "What the textbook calls {textbooks} is called {own} here."
)


def given(variant: int, *names: str) -> list[Callable[..., Any]]:
    """Functions of the textbook in a variant's conventions, to stand in for earlier exercises.

    Raises ValueError for a variant below 0, KeyError for a name that there is not.
    """
    conventions = conventions_of(variant)
    return [given_function(name, conventions) for name in names]


def record_of(variant: int | None) -> str:
    """The line by which a file tells its variant; "" for none."""
    return "" if variant is None else f"# exercise: variant={variant}"


def variant_in(source: str) -> int | None:
    """The variant that a source says it is of; None for none."""
    found = RECORD.search(source)
    return int(found[1]) if found else None


def told_otherwise(sources: Iterable[tuple[str, str]], variant: int | None, form: str = "textbook") -> list[str]:
    """Sentences on sources, of files by name, that say they are of another variant, or in another form, than what was
    handed out."""
    asked = in_words(variant, form)
    return [
        f"{file} says that it is of {told}; it is graded as of {asked}"
        for file, source in sources
        if (told := in_words(variant_in(source), form_in(source))) != asked
    ]


def in_words(variant: int | None, form: str) -> str:
    """A variant and a form, for a sentence."""
    return f"the form {form}" if form != "textbook" else "no variant" if variant is None else f"variant {variant}"


def described(conventions: Conventions) -> str:
    """The conventions, in words; "" for the textbook's."""
    if not conventions.names:
        return ""
    layout, names = conventions.layout, dict(conventions.names)
    step = ", ".join(letter for letter in layout.x if letter != "T")
    said = COLUMNS.format(
        step=f"({step})",
        sequence=f"({', '.join(layout.x)})",
        weights="(4H, D) and (4H, H)",
        bias="(4H, 1)",
        gates=", ".join(layout.gates),
        gru_gates=", ".join(layout.gru_gates),
        textbooks=", ".join(names),
        own=", ".join(names.values()),
    )
    together = re.sub(r"\([^()]*\)", lambda shape: shape[0].replace(" ", "~"), said)
    return textwrap.fill(together, WIDTH).replace("~", " ")
