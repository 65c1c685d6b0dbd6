"""Symptoms: what passing and failing stages mean, in a sentence.

The stages add one difficulty at a time, so the first that fails says what is wrong, and those that pass what is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from npbilstm.diagnosis.results import StageResult
from npbilstm.diagnosis.stages import LARGE_UPSTREAM
from npbilstm.submission.function_spec import FunctionSpec

RAGGED = ("ragged lengths", "an empty row")
ONE_STEP = ("T=1, loss on h", "T=1, loss on c")
WEIGHTS = {"Wx", "Wh", "b", "b_hn"}
FROM_ZERO = " From a zero state it is right: look at what meets the old state."


class Seen(NamedTuple):
    """What was seen: the stages at which gradients fail, with the blocks that do, and the stages that are right."""

    spec: FunctionSpec
    failing: dict[str, tuple[str, ...]]
    passing: set[str]

    def blocks(self, *stages: str) -> str:
        """The blocks that fail at some of these stages, at all of them where none is named, in words."""
        some = [wrong for stage, wrong in self.failing.items() if stage in stages or not stages]
        return joined_blocks(dict.fromkeys(name for wrong in some for name in wrong), self.spec.gates)

    @property
    def arrays(self) -> set[str]:
        """The arrays that fail anywhere, without gates and directions."""
        return {name.split("[")[0].split(".")[-1] for wrong in self.failing.values() for name in wrong}


def symptoms(stages: Sequence[StageResult], spec: FunctionSpec) -> str:
    """The sentence for the gradients' failing stages; "" where none fails."""
    failing = {stage.name: stage.wrong for stage in stages if stage.wrong}
    if not failing:
        return ""
    seen = Seen(spec, failing, {stage.name for stage in stages if stage.ok})
    for symptom in (symptom_in_batch, symptom_in_one_direction, symptom_in_one_step, symptom_over_time):
        sentence = symptom(seen)
        if sentence:
            return sentence + (FROM_ZERO if "zero state" in seen.passing and "one row" in failing else "")
    first = next(iter(failing))
    right = ", ".join(stage.name for stage in stages if stage.ok)
    if right:
        return f"Right at {right}; wrong first at {first!r}, in {seen.blocks(first)}."
    return f"Wrong wherever it runs, first in {seen.blocks(first)}."


def symptom_in_batch(seen: Seen) -> str:
    """What the rows of the batch, their lengths, and the size of what comes from above tell."""
    through_time = "h0" in seen.spec.inputs
    if set(seen.failing) == {LARGE_UPSTREAM.name}:
        return (
            f"Right unless the gradient from above is large, then wrong in {seen.blocks()}: look for a clip; "
            "it belongs where the weights are updated."
        )
    if set(seen.failing) <= {"an empty row"} and through_time:
        return "Right unless a row is empty: with a length of 0 the gradient passes straight to the initial state."
    if set(seen.failing) <= set(RAGGED):
        look = "the mask in the backward pass, and what happens to the carry over the padding"
        if "y" in seen.spec.outputs:
            look += ", and whether rows are turned round by their own lengths"
        return (
            "Right for rows of equal length, wrong for ragged ones: look at the padding: "
            f"{look if through_time else 'what is masked, and what is counted'}."
        )
    several = {name for name in ("equal lengths", "one step", "all rows", *ONE_STEP) if name in seen.failing}
    if "one row" in seen.passing and several:
        return (
            f"Right for a single row, wrong for several, in {seen.blocks()}: look at how the rows of the batch are "
            "summed, a mean, a wrong axis, the first row alone."
        )
    return ""


def symptom_in_one_step(seen: Seen) -> str:
    """What one step, with the loss on h and on c, tells."""
    both = ONE_STEP if "h0" in seen.spec.inputs else ("loss on h", "loss on c")
    wrong = [stage for stage in both if stage in seen.failing]
    if not wrong:
        return ""
    blocks = dict.fromkeys(name for stage in wrong for name in seen.failing[stage])
    gates = list(dict.fromkeys(name[name.index("[") + 1 : -1] for name in blocks if "[" in name))
    whole = {name for name in blocks if "[" not in name} - {"x", "h0", "h_prev"}
    where = f"in {seen.blocks(*wrong)}"
    if gates and len(gates) <= 2 and not whole:
        arrays = {name.split("[")[0] for name in blocks}
        one = "that gate and of its pre-activation" if len(gates) == 1 else "these gates; are their blocks exchanged?"
        look = f"the gradient of {one}" if len(arrays) > 1 else f"the gradient of {seen.blocks(*wrong)} alone"
        return (
            f"Already wrong with one time step, and only at the gate{'s'[: len(gates) != 1]} {', '.join(gates)}: "
            f"look at {look}."
        ).replace("?.", "?")
    of_cell = {"i", "f", "g"} <= set(gates) and "o" not in gates and whole
    if wrong == [both[0]] and both[1] in seen.passing:
        look = ": look at the way from h to c" if of_cell else ""
        return f"With one step and the loss on c right, with the loss on h wrong, {where}{look}."
    if wrong == [both[1]] and both[0] in seen.passing:
        look = ": look at where dc comes in" if of_cell else ""
        return f"With one step and the loss on h right, with the loss on c wrong, {where}{look}."
    return f"Already wrong with one time step, {where}: it takes no second one to see it."


def symptom_over_time(seen: Seen) -> str:
    """What a second step tells."""
    if not seen.passing & set(ONE_STEP) or set(seen.failing) & set(ONE_STEP):
        return ""
    if seen.arrays == {"x"}:
        return "Correct for one step, wrong from two, and only in x: look at which step each part of dx is put to."
    if seen.arrays <= WEIGHTS:
        return (
            f"Correct for one step, wrong with more, and only in {seen.blocks()}: look at how the gradients of the "
            "weights are added up over time."
        )
    if "T=2, loss on the last step" not in seen.failing:
        return ""
    back = "dh_prev and dc_prev and at how they join" if "c0" in seen.spec.inputs else "dh_prev and at how it joins"
    return (
        "Correct for one step, wrong from two: what flows back through time is lost, doubled or misplaced; look at "
        f"{back} the step before."
    )


def symptom_in_one_direction(seen: Seen) -> str:
    """What each direction alone tells."""
    for direction, other in [("forward", "reverse"), ("reverse", "forward")]:
        if f"{direction} direction, T=3" in seen.failing and f"{other} direction, T=3" in seen.passing:
            return (
                f"The {other} direction is right, the {direction} one is wrong: "
                "look at how it is turned round and back."
            )
    return ""


def joined_blocks(names: Iterable[str], gates: str) -> str:
    """Names of blocks, the gates of a parameter together: Wx[i,f], b[g]; alone where all its gates are."""
    found: dict[str, list[str]] = {}
    for name in names:
        whole, _, gate = name.partition("[")
        found.setdefault(whole, []).extend([gate[:-1]] if gate else [])
    return ", ".join(
        f"{whole}[{','.join(sorted(some, key=gates.index))}]" if some and len(some) != len(gates) else whole
        for whole, some in found.items()
    )
