"""What passing and failing stages mean, in a sentence: the stages add one difficulty at a time, so the first that fails
says what is wrong, and those that pass what is not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple


class StageResult(NamedTuple):
    """One stage: its name, the blocks of the gradients that are wrong, the outputs that are, the arrays that were
    changed in place, and what the code raised."""

    name: str
    wrong: tuple[str, ...]
    wrong_outputs: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    raised: str = ""

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not (self.wrong or self.wrong_outputs or self.changed or self.raised)


RAGGED = ("ragged lengths", "an empty row")
ONE_STEP = ("T=1, loss on h", "T=1, loss on c")


def reading(stages: Sequence[StageResult]) -> str:
    """The sentence for the gradients' failing stages; "" where none fails."""
    failing = {stage.name: stage.wrong for stage in stages if stage.wrong}
    passing = [stage.name for stage in stages if stage.ok]
    if not failing:
        return ""
    blocks = list(dict.fromkeys(name.split("[")[0] for wrong in failing.values() for name in wrong))
    for sentence in (
        of_batch(failing, passing, blocks),
        of_one_step(failing, passing, blocks),
        of_time(failing, passing, blocks),
        of_one_direction(failing, passing),
    ):
        if sentence:
            return sentence
    first = next(iter(failing))
    if passing:
        return f"Right at {shortened(passing)}; wrong from {first!r} on, in {shortened(failing[first])}."
    return f"Wrong at every stage, first in {shortened(failing[first])}."


def of_batch(failing: dict[str, tuple[str, ...]], passing: list[str], blocks: list[str]) -> str:
    """What the rows of the batch and their lengths tell."""
    if set(failing) <= {"an empty row"}:
        return "Right unless a row is empty: with a length of 0 the gradient passes straight to the initial state."
    if set(failing) <= set(RAGGED):
        return (
            "Right for rows of equal length, wrong for ragged ones: look at the padding, its mask in the backward "
            "pass, what happens to the carry there, and whether rows are turned round by their own lengths."
        )
    if "one row" in passing and set(failing) >= {"equal lengths"} | {name for name in ONE_STEP if name in failing}:
        return (
            f"Right for a single row, wrong for several, in {shortened(blocks)}: look at how the rows of the batch are "
            "summed, a mean, a wrong axis, the first row alone."
        )
    return ""


def of_one_step(failing: dict[str, tuple[str, ...]], passing: list[str], blocks: list[str]) -> str:
    """What one step, with the loss on h and on c, tells."""
    on_h, on_c = (
        next((stage for stage in (short, f"T=1, {short}") if stage in failing or stage in passing), None)
        for short in ("loss on h", "loss on c")
    )
    if on_h is None or not {on_h, on_c} & set(failing):
        return ""
    wrong = dict.fromkeys(name for stage in (on_h, on_c) if stage in failing for name in failing[stage])
    where = f"in {shortened(wrong)}"
    gates = list(dict.fromkeys(name[name.index("[") + 1 : -1] for name in wrong if "[" in name))
    whole = {name for name in wrong if "[" not in name and name not in ("x", "h0", "h_prev")}
    if gates and len(gates) <= 2 and not whole:
        return (
            f"Already wrong with one time step, and only at the gate{'s'[: len(gates) != 1]} {', '.join(gates)}: "
            "look at the gradient of that gate and of its pre-activation."
        )
    if on_h in failing and on_c in passing:
        return f"With one step and the loss on c right, with the loss on h wrong, {where}: look at the way from h to c."
    if on_c in failing and on_h in passing:
        return f"With one step and the loss on h right, with the loss on c wrong, {where}: look at where dc comes in."
    return f"Already wrong with one time step, {where}: the way back through time has no part in it."


def of_time(failing: dict[str, tuple[str, ...]], passing: list[str], blocks: list[str]) -> str:
    """What a second step tells."""
    if not (set(passing) & set(ONE_STEP)) or set(failing) & set(ONE_STEP):
        return ""
    if "zero state" in passing and "equal lengths" in failing:
        return "Right from a zero state, wrong from another: look at what meets the initial state."
    if set(failing) <= {"loss on the final state", "T=3", "one row", "zero state", "equal lengths", *RAGGED} and (
        "T=2, loss on the last step" in passing
    ):
        weights = [name for name in blocks if name.split(".")[-1] in ("Wx", "Wh", "b")]
        if weights == blocks:
            return (
                f"Right while the loss sees the last step alone, wrong after, and only in {shortened(weights)}: look "
                "at how the steps' gradients are added up over time."
            )
        return ""
    weights = [name for name in blocks if name.split(".")[-1] in ("Wx", "Wh", "b")]
    if weights == blocks:
        return (
            f"Correct for one step, wrong from two, and only in {shortened(weights)}: look at how the gradients of the "
            "weights are added up over time."
        )
    return (
        "Correct for one step, wrong from two: what flows back through time is lost or doubled; look at dh_prev and "
        "dc_prev and at how they join the step before."
    )


def of_one_direction(failing: dict[str, tuple[str, ...]], passing: list[str]) -> str:
    """What each direction alone tells."""
    for way, other in [("forward", "reverse"), ("reverse", "forward")]:
        if any(stage.startswith(f"{way} direction") for stage in failing) and any(
            stage.startswith(f"{other} direction") for stage in passing
        ):
            return f"The {other} direction is right, the {way} one is wrong: look at how it is turned round and back."
    return ""


def shortened(names: Iterable[str], gates: int = 0) -> str:
    """Names of blocks, the gates of a parameter together: Wx[i,f], b[g]; alone where all its gates are."""
    found: dict[str, list[str]] = {}
    for name in names:
        whole, _, gate = name.partition("[")
        found.setdefault(whole, []).extend([gate[:-1]] if gate else [])
    parts = (f"{whole}[{','.join(some)}]" if some and len(some) != gates else whole for whole, some in found.items())
    return ", ".join(parts)
