"""One line of the textbook and the mistakes that people make in it: what it is about is said once for all of them."""

from __future__ import annotations

import re

from npbilstm.mistakes.planting import Bug


def mistakes_in(
    function: str, equation: str, line: str, concept: str, where: str, demand: str, mistakes: dict[str, tuple[str, str]]
) -> tuple[Bug, ...]:
    """The bugs of one line, or of part of one.

    where: the vague hint, what to look at and to think about. demand: what the equation must be. mistakes: id -> what
    stands in the line's place, and what is wrong with that, in a sentence.
    """
    right = without_classes(line)
    return tuple(
        Bug(
            name,
            function,
            line,
            wrong,
            equation,
            concept,
            (where, f"{equation}: {demand}", f"{said} Right is: {right}"),
        )
        for name, (wrong, said) in mistakes.items()
    )


def without_classes(line: str) -> str:
    """A line as those write it who have not the textbook's classes: a tuple in place of LSTMParams(dWx, dWh, db)."""
    line = re.sub(r"\w+Params\(\*\((.*)\)\)", r"tuple(\1)", line)
    return re.sub(r"\w+(?:Params|Cache)\(", "(", re.sub(r"\w+Cache$", "cache", line))
