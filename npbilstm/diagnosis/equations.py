"""Equations: which of the textbook's, were it wrong in any way at all, would give just the gradients that came?

A backward pass is linear in each quantity on its way: whatever is added to df, at any step, comes out as so much more
of dWx, dWh, db and of all that is computed from them. So what somebody's gradients are away from the textbook's is
either what some number added to df would make of them, or it is not; least squares tell, exactly. Where it is, in every
probe, all the other equations hold with the numbers that the code has, and df is where to look; no catalogue is needed,
and no output: without an initial cell state, df shows in the weights from the second step on.

A gradient that goes out and nowhere else, dWx say, is a place where all the other gradients are right without it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import NamedTuple

import numpy as np

from npbilstm.diagnosis.cases import Case
from npbilstm.diagnosis.comparison import SAME
from npbilstm.diagnosis.tracing import Quantity, TracedFunctions, part_of
from npbilstm.submission.function_spec import Arrays, sizes_in

EXACT = 1e-7
"""How much of a difference may be left, relative to its largest number, where an equation explains it."""
MOST_AT_ONCE = 3
"""How many equations are tried together."""


class Explanation(NamedTuple):
    """Quantities which, were they others, would give exactly the gradients that came; how many numbers there are to
    choose, the fewer the more it says; and at which steps they are others, 0 being the last."""

    quantities: tuple[Quantity, ...]
    freedom: int
    steps: frozenset[int] = frozenset()


class Response(NamedTuple):
    """How gradients answer to a quantity in one case: a column for each of its numbers, with the step at which it is
    computed, counted as the pass goes."""

    columns: np.ndarray
    times: np.ndarray


def explanations(
    functions: TracedFunctions, cases: list[Case], submitted: list[Arrays], skipped: Callable[[Quantity], bool]
) -> list[Explanation]:
    """The explanations of fewest equations, for all of these cases at once, the simplest first; [] for none.

    submitted: the gradients that came, a dict for each case. skipped: quantities that are known to be right.
    """
    probes = [Probe(functions, case, gradients, skipped) for case, gradients in zip(cases, submitted)]
    probes = [probe for probe in probes if probe.wrong]
    if not probes:
        return []
    names = list(dict.fromkeys(quantity for probe in probes for quantity in probe.quantities))
    found: list[Explanation] = []
    for count in range(1, MOST_AT_ONCE + 1):
        found += [
            Explanation(some, sum(probe.freedom(some) for probe in probes))
            for some in combinations_of_cost(names, functions, count)
            if all(probe.explained_by(some) for probe in probes)
        ]
        if any(len(one.quantities) == count for one in found):
            break
    found = [with_steps(one, probes) for one in sorted(found, key=simplicity)]
    if any(len(one.quantities) == 1 and not functions.is_whole(one.quantities[0]) for one in found):
        return found  # half of what comes from above is half of da too
    return exchanged(functions, probes, names) or found


def simplicity(found: Explanation) -> tuple[bool, int, int]:
    """What explanations are sorted by: those first that are of one kind, leave little to choose, are of few."""
    kinds = {kind_of(name) == "out" for name in found.quantities}
    return len(kinds) > 1 and not is_carried(found.quantities), found.freedom, len(found.quantities)


def with_steps(found: Explanation, probes: list[Probe]) -> Explanation:
    """An explanation with the steps at which its quantities are others; () where one goes out."""
    if not all(name.function for name in found.quantities):
        return found
    return found._replace(steps=frozenset().union(*(probe.steps_changed(found.quantities) for probe in probes)))


def combinations_of_cost(
    names: list[Quantity], functions: TracedFunctions, count: int
) -> Iterator[tuple[Quantity, ...]]:
    """So many quantities together: three where all go out, or all are carried from step to step, or none of either. One
    that holds all gates counts as two."""
    whole = [name for name in names if functions.is_whole(name)]
    for some in combinations([name for name in names if name not in whole], count):
        if count < MOST_AT_ONCE or len({kind_of(name) for name in some}) == 1 or is_carried(some):
            yield some
    if count == 2:
        yield from ((name,) for name in whole)
    if count == MOST_AT_ONCE:
        initial = tuple(name for name in names if not name.function and name.name in INITIAL)
        if len(initial) > 1:
            for some in combinations([name for name in names if name.name in ("dh_t", "dc_t")], 2):
                yield (*initial, *some)


CARRIED = {"dh_t", "dc_t", "dh_next", "dc_next", "dh_prev", "dc_prev"}
"""What is handed from step to step."""
INITIAL = {"h0", "c0"}


def kind_of(name: Quantity) -> str:
    """Whether a quantity goes out, is carried from step to step, or neither."""
    return "out" if not name.function else "carried" if name.name in CARRIED else "inside"


def is_carried(some: tuple[Quantity, ...]) -> bool:
    """Whether all of these are carried from step to step, or come out of the first one."""
    return all(name.name in CARRIED or (not name.function and name.name in INITIAL) for name in some)


def exchanged(functions: TracedFunctions, probes: list[Probe], names: list[Quantity]) -> list[Explanation]:
    """da, where its blocks at the step that is walked first are each another's, or all are one multiple."""
    count = len(functions.spec.gates)
    for name in filter(functions.is_whole, names):
        if all(probe.explained_by((name,)) and probe.blocks_moved(name, count) for probe in probes):
            return [Explanation((name,), 0)]
    return []


class Probe:
    """One case: how far the submitted gradients are from the textbook's, and how these answer to each quantity."""

    def __init__(
        self,
        functions: TracedFunctions,
        case: Case,
        submitted: Arrays,
        skipped: Callable[[Quantity], bool],
    ) -> None:
        self.submitted, self.count = submitted, sizes_in(functions.spec, case.inputs).get("T", 1)
        self.run = functions.run(case)
        right = self.run(case.upstream)
        self.values = dict(functions.values)
        self.scales = {name: max(np.abs(right[name]).max(initial=0.0), 1e-300) for name in submitted}
        self.difference = self.flat({name: submitted[name] - right[name] for name in submitted})
        sizes = [(name, submitted[name].size) for name in submitted]
        self.rows = np.repeat([part_of(name) for name, _ in sizes], [size for _, size in sizes])
        largest = np.abs(self.difference).max(initial=0.0)
        self.wrong = bool(largest > SAME / 1000)
        self.tolerance = max(EXACT * largest, 1e-12)
        outgoing = [Quantity("", part) for part in dict.fromkeys(self.rows)]
        self.quantities = [*outgoing, *(name for name in functions.quantities(self.values) if not skipped(name))]
        self.functions, self.case = functions, case
        self.responses: dict[Quantity, Response] = {}

    def flat(self, gradients: Arrays) -> np.ndarray:
        """Gradients as one vector, each array by its scale."""
        return np.concatenate([np.ravel(gradients[name]) / self.scales[name] for name in self.submitted])

    def response(self, name: Quantity) -> Response:
        """How the gradients answer to a quantity."""
        if name not in self.responses:
            nothing = {out: np.zeros_like(d) for out, d in self.case.upstream.items()}
            columns, times = [], []
            for time, value in enumerate(self.values[name]):
                for place in range(value.size):
                    self.functions.added = name, time, place
                    columns.append(self.flat(self.run(nothing)))
                    times.append(time)
            self.functions.added = None
            self.responses[name] = Response(np.array(columns).T, np.array(times))
        return self.responses[name]

    def system(self, some: tuple[Quantity, ...]) -> tuple[np.ndarray, np.ndarray]:
        """The columns of some quantities, and the difference, in the rows that none of them leaves open."""
        free = {name.name for name in some if not name.function}
        kept = np.array([part not in free for part in self.rows])
        columns = [self.response(name).columns for name in some if name.function]
        matrix = np.concatenate(columns, axis=1) if columns else np.zeros((len(self.rows), 0))
        return matrix[kept], self.difference[kept]

    def explained_by(self, some: tuple[Quantity, ...]) -> bool:
        """Whether other values of these quantities, and of nothing else, give what came."""
        if any(name not in self.quantities for name in some):
            return False
        matrix, difference = self.system(some)
        if not np.abs(difference).max(initial=0.0) > self.tolerance:
            return True
        touched = np.abs(matrix).max(axis=1, initial=0.0) > 0
        if np.abs(difference[~touched]).max(initial=0.0) > self.tolerance:
            return False
        left = difference - matrix @ np.linalg.lstsq(matrix, difference, rcond=1e-11)[0]
        return bool(np.abs(left).max(initial=0.0) <= self.tolerance)

    def freedom(self, some: tuple[Quantity, ...]) -> int:
        """How many numbers there are to choose."""
        rows = sum(int((self.rows == name.name).sum()) for name in some if not name.function)
        return rows + sum(int(np.linalg.matrix_rank(self.response(name).columns)) for name in some if name.function)

    def steps_changed(self, some: tuple[Quantity, ...]) -> set[int]:
        """The steps at which quantities that explain it all are others, counted as the pass goes."""
        matrix, difference = self.system(some)
        found = np.linalg.lstsq(matrix, difference, rcond=1e-11)[0]
        steps = np.concatenate([self.response(name).times for name in some]) % self.count
        scale = np.abs(found).max(initial=0.0)
        return {int(step) for step in set(steps) if np.abs(found[steps == step]).max() > SAME * scale}

    def blocks_moved(self, name: Quantity, count: int) -> bool:
        """Whether the wrong blocks of a quantity, at the step that is walked first, are each another's of them, or the
        whole is a multiple of what it should be."""
        matrix, difference = self.system((name,))
        found = np.linalg.lstsq(matrix, difference, rcond=1e-11)[0]
        right = self.values[name][0]
        came = right + found[self.response(name).times == 0].reshape(right.shape)
        true, parts = (np.split(array, count, axis=-1) for array in (right, came))
        scale = np.abs(right).max()
        moved = [k for k in range(count) if not near(parts[k], true[k], scale)]
        among = all(any(near(parts[k], true[other], scale) for other in moved if other != k) for k in moved)
        largest = np.abs(right).argmax()
        scaled = near(came, right * came.flat[largest] / right.flat[largest], scale)
        return bool(moved) and bool(came.any()) and (scaled or (among and len(moved) > 1))


def near(got: np.ndarray, expected: np.ndarray, scale: float) -> bool:
    """Whether two arrays are the same but for round-off."""
    return bool(np.abs(got - expected).max(initial=0.0) <= SAME * scale)
