"""Running a spec's two passes on its staged probes, and comparing what two implementations give."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.stages import SIZES, Stage, draw_inputs, draw_upstream, stages_of
from npbilstm.gradcheck.flags import flags_of
from npbilstm.submission.errors import FINAL
from npbilstm.submission.function_spec import Arrays, FunctionSpec, Pair

RIGHT = 1e-9
"""How far from the truth, relative to a block's scale, is still right: round-off and no more."""

SAME = 1e-6
"""How near two wrong gradients must be, entry by entry, to be the same mistake."""


class Case(NamedTuple):
    """A stage with its numbers: the inputs and the upstream gradients, {} where the loss sees none of the outputs."""

    stage: Stage
    inputs: Arrays
    upstream: Arrays


class Run(NamedTuple):
    """What a pair gave for a case: outputs and gradients by name, and which arrays it was given and changed in place, x
    or dh say; what it raised instead, or None."""

    outputs: Arrays
    gradients: Arrays
    changed: frozenset[str] = frozenset()
    error: Exception | None = None


def draw_cases(
    spec: FunctionSpec,
    reference: Pair,
    seed: int = 0,
    sizes: dict[str, int] = SIZES,
    absent: Iterable[str] = (),
) -> list[Case]:
    """A case for each of the spec's stages, seeded.

    absent: what a person's own form lacks: inputs, which then are 0, lengths, which then are equal, outputs, which the
    loss then does not see, and "rows", where it takes one sequence alone.
    """
    absent = set(absent)
    if "rows" in absent:
        absent |= {"lengths"}
        sizes = {**sizes, "N": 1}
    cases = []
    for k, stage in enumerate(stages_of(spec)):
        if ("lengths" in absent and stage.lengths != "equal") or (stage.name == "one row" and "rows" in absent):
            continue
        rng = np.random.default_rng([seed, k])
        inputs = draw_inputs(spec, stage, rng, sizes)
        for name in absent & set(inputs) - {"lengths"}:
            inputs[name] = np.full_like(inputs[name], name == "mask")
        outputs = {name: out for name, out in reference.forward(inputs)[0].items() if name not in absent}
        upstream = draw_upstream(spec, stage, outputs, rng) if reference.backward else {}
        if upstream or not reference.backward:
            cases.append(Case(stage, inputs, upstream))
    return cases


def outputs_of(
    spec: FunctionSpec, pair: Any, seed: int, sizes: dict[str, int], absent: Iterable[str]
) -> tuple[set[str], dict[str, Exception]]:
    """The outputs that a person's forward pass gives at the first stage at which it runs, and what it raised at those
    before, by their names. Raises the first of it where it runs at none."""
    errors: dict[str, Exception] = {}
    for case in draw_cases(spec, spec.in_textbook_form(textbook), seed, sizes, absent):
        try:
            return set(pair.forward(case.inputs)[0]), errors
        except FINAL:
            raise
        except Exception as error:
            errors[case.stage.name] = error
    raise next(iter(errors.values()))


def run(pair: Any, case: Case) -> Run:
    """Both passes on one case. The pair gets copies, so that it may do to them what it likes."""
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
    return Run(outputs, gradients, frozenset(changed | set(getattr(pair, "changed", ()))))


def pieces(array: np.ndarray, blocks: tuple[str, ...]) -> dict[str, np.ndarray]:
    """An array's blocks along its last axis, by name; "" for the whole of one without blocks."""
    return dict(zip(blocks, np.split(array, len(blocks), axis=-1))) if blocks else {"": array}


def block_errors(got: np.ndarray, expected: np.ndarray, blocks: tuple[str, ...]) -> dict[str, float]:
    """The largest difference in each block along the last axis, relative to the block's scale ("" for no blocks).

    A block much smaller than its array counts as a thousandth of it, so that round-off in it is no error. NaN and
    infinity are errors of infinite size.
    """
    if got.shape != expected.shape:
        return {"": np.inf}
    got, expected = got.astype(float), expected.astype(float)
    with np.errstate(invalid="ignore"):
        difference = np.abs(got - expected)
    difference = np.where(np.isnan(difference), np.inf, difference)
    least = max(1e-3 * np.abs(expected).max(initial=0.0), np.finfo(float).tiny)
    right = pieces(expected, blocks)
    with np.errstate(over="ignore"):  # where all that is expected is 0
        return {
            name: float(wrong.max(initial=0.0) / max(np.abs(right[name]).max(initial=0.0), least))
            for name, wrong in pieces(difference, blocks).items()
        }


def label(name: str, block: str) -> str:
    """How a block is called: Wx[f]; an array without blocks by its own name."""
    return f"{name}[{block}]" if block else name


def wrong_blocks(spec: FunctionSpec, got: Arrays, expected: Arrays, tolerance: float = RIGHT) -> dict[str, float]:
    """The blocks of gradients in which got is not as expected, with their errors; in the order of the inputs."""
    wrong = {}
    for name in got:
        for block, error in block_errors(got[name], expected[name], spec.blocks(name)).items():
            if error > tolerance:
                wrong[label(name, block)] = error
    return wrong


def noticed(spec: FunctionSpec, got: Arrays, expected: Arrays) -> list[str]:
    """What strikes one about the wrong blocks: exactly zero, a constant ratio, the sign flipped."""
    notes = []
    for name in got:
        right = pieces(expected[name], spec.blocks(name))
        for block, piece in pieces(got[name], spec.blocks(name)).items():
            ok = block_errors(piece, right[block], ())[""] <= RIGHT
            notes += [f"{label(name, block)}: {flag}" for flag in flags_of(piece, right[block], ok, False, SAME)]
    return notes


def wrong_outputs(got: Arrays, expected: Arrays) -> dict[str, float]:
    """The outputs that are not as expected, with their errors."""
    errors = {name: block_errors(got[name], expected[name], ())[""] for name in got}
    return {name: error for name, error in errors.items() if error > RIGHT}


def same(one: Arrays, other: Arrays, tolerance: float) -> bool:
    """Whether all of one's arrays agree with the other's of that name, entry by entry, against the array's scale."""
    return all(block_errors(array, np.asarray(other[name]), ())[""] <= tolerance for name, array in one.items())


def all_same(
    theirs: list[Run], cases: list[Case], pair: Pair, parts: tuple[str, ...], exactness: float, numbers_wrong: bool
) -> bool:
    """Whether a pair gives in every case what theirs gave, in these parts of a Run, and changes no other
    arrays in place; all of those, where theirs has no wrong numbers to be explained. Stops at the first difference."""
    changed: frozenset[str] = frozenset()
    for mine, case in zip(theirs, cases):
        if mine.error is not None:
            continue
        try:
            other: Any = run(pair, case)
        except Exception:  # two mistakes together may not run at all
            return False
        if not all(same(getattr(mine, part), getattr(other, part), exactness) for part in parts):
            return False
        changed |= other.changed
    seen = frozenset().union(*(mine.changed for mine in theirs))
    return changed <= seen if numbers_wrong else changed == seen
