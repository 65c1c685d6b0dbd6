"""What is expected: a spec's cases, what the textbook gives for each, and what it gives with a mistake in it.

All of it is the same for whoever is judged, so it is made once: a class, graded, waits for the first of it alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.cases import Case, draw_cases
from npbilstm.mistakes import Bug, plant
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.function_spec import Arrays, FunctionSpec, Pair


class Observation(NamedTuple):
    """What a pair gave for a case: outputs and gradients by name, and which arrays it was given and changed in place, x
    or dh say; what it raised instead, or None."""

    outputs: Arrays
    gradients: Arrays
    changed: frozenset[str] = frozenset()
    error: Exception | None = None


def observe(pair: Any, case: Case) -> Observation:
    """Run both passes on one case. The pair gets copies, so that it may do to them what it likes."""
    inputs = {name: np.array(value) for name, value in case.inputs.items()}
    with np.errstate(all="ignore"):  # mistakes take logarithms of what they should not
        outputs, cache = pair.forward(inputs)
        outputs = {name: np.array(value) for name, value in outputs.items()}
        gradients: Arrays = {}
        upstream = {name: case.upstream.get(name, np.zeros_like(out)) for name, out in outputs.items()}
        given = {name: d.copy() for name, d in upstream.items()}
        if pair.backward is not None:
            gradients = {name: np.array(grad) for name, grad in pair.backward(given, cache).items()}
    changed = {name for name, value in inputs.items() if not np.array_equal(value, case.inputs[name])}
    changed |= {f"d{name}" for name, value in given.items() if not np.array_equal(value, upstream[name])}
    return Observation(outputs, gradients, frozenset(changed | set(getattr(pair, "changed", ()))))


class Run:
    """What a pair gives for each of some cases, run when it is first asked for."""

    def __init__(self, pair: Pair, cases: list[Case]) -> None:
        self.pair, self.cases = pair, cases
        self.seen: dict[int, Observation] = {}

    def at(self, k: int) -> Observation:
        """What it gives for the case of this number. Raises what the pair raises."""
        if k not in self.seen:
            self.seen[k] = observe(self.pair, self.cases[k])
        return self.seen[k]


class Expected:
    """Cases, what the textbook gives for each, and, as it is asked for, what it gives with a mistake."""

    def __init__(self, spec: FunctionSpec, cases: list[Case]) -> None:
        self.spec, self.cases = spec, cases
        pair = spec.in_textbook_form(textbook)
        self.reference = [observe(pair, case) for case in cases]
        self.runs: dict[Bug, Run] = {}

    def with_bug(self, bug: Bug) -> Run:
        """What the textbook gives with this bug."""
        if bug not in self.runs:
            self.runs[bug] = Run(self.spec.in_textbook_form(plant((bug,))), self.cases)
        return self.runs[bug]


def expected_of(spec: FunctionSpec, seed: int, sizes: dict[str, int], absent: Iterable[str]) -> Expected:
    """What is expected where these cases are drawn; see draw_cases."""
    if ALL_SPECS.get(spec.name) is spec:
        return expected_by_name(spec.name, seed, tuple(sizes.items()), frozenset(absent))
    return Expected(spec, draw_cases(spec, spec.in_textbook_form(textbook), seed, sizes, absent))


@lru_cache(maxsize=64)
def expected_by_name(name: str, seed: int, sizes: tuple[tuple[str, int], ...], absent: frozenset[str]) -> Expected:
    """As expected_of; nobody can change what others are given too."""
    spec = ALL_SPECS[name]
    found = Expected(spec, draw_cases(spec, spec.in_textbook_form(textbook), seed, dict(sizes), absent))
    for array in (array for case in found.cases for each in (case.inputs, case.upstream) for array in each.values()):
        array.setflags(write=False)
    return found
