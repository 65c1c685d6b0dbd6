"""A submitted pair: what the judge runs, whatever the form in which somebody wrote it; and one that cannot be run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.function_spec import Arrays


class SubmittedPair(NamedTuple):
    """Two submitted passes, as `Pair`. forward(inputs) leaves out the outputs that the submitted function does not
    return, backward(upstream, cache) the gradients of the inputs that it does not take; backward is None where there is
    none.

    functions: the names of the submitted functions. uses: the textbook's functions that these call, themselves among
    them. absent: the inputs that they do not take, and "rows" where they take one sequence and no batch; of a form also
    the outputs of which they take no gradient, and "digits" where the last ones of float64 are lacking. Without inputs
    a function starts at 0, reads all steps, has no bias: it can only be judged with inputs for which that is right.
    findings: sentences on how the functions behaved, growing with every call, each there once. changed: the arrays
    that they changed in place, x or dh say, in the same way. intermediates: gives what a forward pass
    computes on its way, by the names of theirs; None where that cannot be seen.
    """

    forward: Callable[[Arrays], tuple[Arrays, Any]]
    backward: Callable[[Arrays, Any], Arrays] | None
    functions: tuple[str, ...]
    uses: frozenset[str]
    absent: frozenset[str]
    findings: list[str]
    changed: list[str]
    intermediates: Callable[[Arrays], Arrays] | None = None


class Refused(NamedTuple):
    """Submitted functions, by their names, of which no pair can be made, and the reason."""

    functions: tuple[str, ...]
    reason: str


def submitted_pairs(
    subjects: Mapping[str, tuple[str, ...]], make: Callable[[str], SubmittedPair | None]
) -> dict[str, SubmittedPair | Refused]:
    """The pair of every spec of which there are functions; Refused where `make`, which is given the spec's name, raises
    SubmissionError. subjects: the spec's name -> the names of the submitted functions."""
    pairs: dict[str, SubmittedPair | Refused] = {}
    for name, functions in subjects.items():
        try:
            pairs[name] = make(name) or Refused(functions, "it could not be found again")
        except SubmissionError as error:
            pairs[name] = Refused(functions, str(error))
    return pairs
