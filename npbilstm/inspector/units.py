"""Which units follow what, by correlation; and which one matters most for a label, by ablation."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.inspector.backpropagation import ROOM
from npbilstm.inspector.consequences import scores_of
from npbilstm.inspector.indices import layer_of, position, row_of, step_of
from npbilstm.inspector.rerun import rerun
from npbilstm.inspector.rounding import number
from npbilstm.inspector.trace_data import Setting, TraceData
from npbilstm.models.classes_head import ClassesHead
from npbilstm.printable import printable
from npbilstm.textbook.log_space import log_sum_exp
from npbilstm.textbook.sequences import valid_steps

MOST_MULTIPLICATIONS = 10**10
"""That the runs for a sentence at every step may take, on a page or in a terminal: a few seconds."""


class FollowingUnit(NamedTuple):
    """A unit of a layer, and how its h goes with something over the steps: Pearson's correlation, -1 to 1."""

    direction: str
    unit: int
    correlation: float


class MatteringUnit(NamedTuple):
    """The unit without which, its h 0 at all steps, a label is least likely; str() says it in a sentence."""

    layer: int
    direction: str
    unit: int
    label: str
    where: str
    before: float
    after: float
    predicted: str
    instead: str

    @property
    def matters(self) -> bool:
        """Whether the label is less likely without it at all."""
        return self.after < self.before

    def __str__(self) -> str:
        if not self.matters:
            return f"No unit alone matters for {self.label}{self.where}: without any of them it is no less likely."
        stays = self.instead == self.predicted
        then = f"{self.instead} is {'still predicted' if stays else f'predicted in place of {self.predicted}'}"
        return (
            f"Unit {self.unit} of layer {self.layer}, {self.direction} direction, matters most for {self.label}"
            f"{self.where}: without it the probability of {self.label} falls from {number(self.before)} to "
            f"{number(self.after)}, and {then}."
        )


def units_by(trace: TraceData, what: str | int, layer: int = 0) -> list[FollowingUnit]:
    """The units of a layer, those first whose h goes most with `what`, up or down, over all steps of all rows.

    what: "position", the step's number; "brackets", how many of ( [ { are open after the step's token; or a class, by
    its name or number: 1 where the step has it, 0 elsewhere; the true class, where nobody knows that the predicted one.

    Raises ValueError where there is no such class or layer, or what is the same at all steps.
    """
    layer = layer_of(trace, layer)
    valid = valid_steps(trace.lengths, trace.order.shape[2])
    followed = numbers_followed(trace, what)[valid]
    if not followed.size or (followed == followed[0]).all():
        raise ValueError(f"what is {what!r}, which is the same at all steps, so nothing goes with it")
    followed = followed - followed.mean()
    found = []
    for s, direction in enumerate(trace.directions):
        h = trace["h"][layer, s][valid].astype(np.float64)  # (steps, R)
        h = h - h.mean(axis=0)
        sizes = np.linalg.norm(h, axis=0) * np.linalg.norm(followed)
        with np.errstate(all="ignore"):
            correlations = np.where(sizes > 0, followed @ h / np.where(sizes > 0, sizes, 1), 0.0)
        found += [FollowingUnit(direction, unit, float(r)) for unit, r in enumerate(correlations)]
    return sorted(found, key=lambda one: -abs(one.correlation))


def numbers_followed(trace: TraceData, what: str | int) -> np.ndarray:
    """What is followed, a number for each step (N, T); in the padding anything."""
    N, T = trace.order.shape[1:]
    word = what if isinstance(what, str) else None
    if word == "position":
        return np.broadcast_to(np.arange(T, dtype=float), (N, T))
    if word == "brackets":
        found = np.zeros((N, T))
        for n, tokens in enumerate(trace.tokens):
            found[n, : len(tokens)] = open_brackets(tokens)
        return found
    labels = trace.predicted if trace.target is None else trace.target
    if labels is None or labels.ndim == 1:
        raise ValueError(f"what is {what!r}; without a class at each step it needs 'position' or 'brackets'")
    return np.asarray(labels == class_of(trace, "what", what), float)


def open_brackets(tokens: list[str]) -> list[int]:
    """How many are open after each token; what closes more than is open closes nothing."""
    found, depth = [], 0
    for token in tokens:
        for sign in token:
            depth = max(0, depth + (sign in "([{") - (sign in ")]}"))
        found.append(depth)
    return found


def class_of(trace: TraceData, argument: str, given: Any) -> int:
    """A class's number, by its name or its number."""
    names = trace.class_names
    if isinstance(given, str):
        if given not in names:
            raise ValueError(f"{argument} is {given!r}; the classes are {', '.join(map(repr, names))}")
        return names.index(given)
    return position(argument, given, len(names), "the model", "classes")


def matters_most(
    trace: TraceData, step: int | None = None, row: int = 0, label: str | int | None = None
) -> MatteringUnit:
    """Of all units of all layers the one without which the label is least likely: h is 0 at all steps of the row.

    step: of which output; of a classifier None. label: a class, by its name or number; None: the predicted one.
    Each unit takes a run of its own. Raises ValueError where the trace is of no model of classes, for a row, step or
    class that there is not, and where a score is NaN or infinite.
    """
    model = trace.model
    if model is None or type(model.head) is not ClassesHead:
        raise ValueError(
            "the trace has no scores of classes; matters_most needs that of a model with the head 'classes'"
        )
    row, _ = row_of(trace, row)
    if model.label_per_step == (step is None):
        needs = "the number of a step" if step is None else "to be None: a classifier has one label a sequence"
        raise ValueError(f"step is {step}; it needs {needs}")
    step = None if step is None else step_of(trace, step, row)
    if not np.isfinite(trace.output[row]).all():
        raise ValueError(f"row {row} has scores that are NaN or infinite, so no unit can be told to matter more")
    return least_likely_run(trace, row, step, label, runs_without(trace, row))


def matters_most_everywhere(trace: TraceData, row: int) -> list[MatteringUnit]:
    """matters_most of the predicted label at each step, of a classifier of its one label. Empty where that cannot be
    asked, where a score is not finite, and where it takes too long."""
    model, T = trace.model, int(trace.lengths[row])
    if model is None or type(model.head) is not ClassesHead or not np.isfinite(trace.output[row]).all():
        return []
    L, S, _, _, R = trace["h"].shape
    if L * S * R * T * trace.layer.num_parameters > MOST_MULTIPLICATIONS:
        return []
    runs = runs_without(trace, row)
    return [least_likely_run(trace, row, step, None, runs) for step in (range(T) if model.label_per_step else [None])]


def least_likely_run(
    trace: TraceData, row: int, step: int | None, label: str | int | None, runs: list[RunWithout]
) -> MatteringUnit:
    """Of these runs the one in which a label is least likely."""
    at = () if step is None else (step,)
    own = trace.output[row][at]
    k = int(own.argmax()) if label is None else class_of(trace, "label", label)
    least = min(runs, key=lambda run: log_share(run.scores[at], k))
    names = [printable(name) for name in trace.class_names]
    where = "" if step is None else f" at step {step} {trace.tokens[row][step]!r}"
    before, after = (float(np.exp(log_share(scores, k))) for scores in (own, least.scores[at]))
    predicted, instead = (names[int(scores.argmax())] for scores in (own, least.scores[at]))
    return MatteringUnit(least.layer, least.direction, least.unit, names[k], where, before, after, predicted, instead)


def log_share(scores: np.ndarray, k: int) -> float:
    """The logarithm of the softmax."""
    scores = scores.astype(np.float64)
    return float(scores[k] - log_sum_exp(scores, axis=0))


class RunWithout(NamedTuple):
    """The scores (T, V), or of a classifier (V,), of a run in which a unit's h is 0."""

    layer: int
    direction: str
    unit: int
    scores: np.ndarray


def runs_without(trace: TraceData, row: int) -> list[RunWithout]:
    """A run of the row for each unit of each layer."""
    places = [(layer, s) for layer in range(trace.layer.num_layers) for s in range(len(trace.directions))]
    with np.errstate(all="ignore"):
        return [
            RunWithout(layer, trace.directions[s], unit, scores)
            for layer, s in places
            for unit, scores in scores_without(trace, row, layer, s)
        ]


def scores_without(trace: TraceData, row: int, layer: int, s: int) -> list[tuple[int, np.ndarray]]:
    """For each unit of one layer and direction, the scores of the row's run in which its h is 0."""
    assert trace.model is not None
    L, S, _, T, R = trace["h"].shape
    few = max(1, ROOM // (L * S * T * sum(trace[name].shape[-1] for name in trace.names)))
    found = []
    for start in range(0, R, few):
        units = np.arange(start, min(R, start + few))
        rows = np.full(len(units), row)
        settings = {name: Setting(one.where[:, :, rows], one.to[:, :, rows]) for name, one in trace.settings.items()}
        shape = (L, S, len(rows), T, R)
        before = settings.get("h", Setting(np.zeros(shape, bool), np.zeros(shape, trace["h"].dtype)))
        before.where[layer, s, range(len(units)), :, units] = True
        before.to[layer, s, range(len(units)), :, units] = 0
        h = rerun(trace, {**settings, "h": before}, rows).arrays["h"].astype(np.float64)
        scores, _ = scores_of(trace, trace.model, h, trace.lengths[rows])
        found += list(zip(units.tolist(), scores))
    return found
