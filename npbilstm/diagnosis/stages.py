"""Stages: small cases that tell mistakes apart, from one time step with one loss to a ragged batch.

One check on a whole batch answers "everything is wrong" for half of all mistakes. A few stages, each with one thing
more than the one before, split them: what passes with one step and fails with two is lost on its way back through time.

All numbers are random and none of them convenient: weights of about 0.5, biases, initial states and padding that are
not 0, upstream gradients that are not 1, as many as needed for the stage's loss. Easier points hide mistakes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from npbilstm.diagnosis.drawn_labels import draw_targets, with_runs
from npbilstm.submission.function_spec import Arrays, FunctionSpec, shape_of, steps_counted

SIZES = {"N": 3, "T": 5, "D": 2, "H": 4, "R": 3, "V": 6, "U": 3, "S": 6, "E": 7, "A": 5}
"""Rows, steps, features, units, projected units, classes, labels of a row; of attention the source's steps and
features, units between: few are alike, so that a mix-up shows where it can."""


WHERE_ABSENT = {"mask": 1.0, "epsilon": 1e-5}
"""What an input comes to that a submitted form lacks: 0 but for these."""


class Stage(NamedTuple):
    """A small case. sizes: instead of SIZES. lengths: how long the rows are, "equal" (no lengths are given), "ragged",
    "with an empty row". loss: which outputs the loss sees, "all", "h", "c", "last step" (of h), "final state",
    "forward" or "reverse" (that direction's half). zero_state: whether the initial state is 0. factor: of the upstream
    gradients; a backward pass is linear in them, unless it clips."""

    name: str
    sizes: Mapping[str, int] = MappingProxyType({})
    lengths: str = "equal"
    loss: str = "all"
    zero_state: bool = False
    factor: float = 1.0


LARGE_UPSTREAM = Stage("a large gradient from above", factor=1000.0)
STEP_STAGES = (Stage("all rows"), Stage("one row", {"N": 1}), Stage("zero state", zero_state=True), LARGE_UPSTREAM)
CELL_STAGES = (
    Stage("loss on h", loss="h"),
    Stage("loss on c", loss="c"),
    Stage("loss on h and c"),
    *STEP_STAGES[1:],
)
SEQUENCE_STAGES = (
    Stage("T=1, loss on h", {"T": 1}, loss="h"),
    Stage("T=1, loss on c", {"T": 1}, loss="c"),
    Stage("T=1, one row", {"T": 1, "N": 1}),
    Stage("T=2, loss on the last step", {"T": 2}, loss="last step"),
    Stage("T=3", {"T": 3}),
    Stage("one row", {"N": 1}),
    Stage("zero state", zero_state=True),
    Stage("equal lengths"),
    Stage("loss on the final state", loss="final state"),
    Stage("ragged lengths", lengths="ragged"),
    Stage("an empty row", lengths="with an empty row"),
    LARGE_UPSTREAM,
)
DIRECTION_STAGES = (
    *SEQUENCE_STAGES[:4],
    Stage("forward direction, T=3", {"T": 3}, loss="forward"),
    Stage("reverse direction, T=3", {"T": 3}, loss="reverse"),
    *SEQUENCE_STAGES[4:],
)
ONE_SEQUENCE_STAGES = tuple(stage for stage in SEQUENCE_STAGES if stage.lengths == "equal" and "N" not in stage.sizes)
RAGGED_STAGES = (Stage("ragged lengths", lengths="ragged"), Stage("an empty row", lengths="with an empty row"))
BATCH_STAGES = (
    Stage("equal lengths"),
    Stage("one row", {"N": 1}),
    Stage("one step", {"T": 1, "S": 1}),
    *RAGGED_STAGES,
)
LABEL_STAGES = (
    Stage("one step", {"T": 1, "U": 1}),
    Stage("one label", {"U": 1}),
    Stage("two steps, two labels", {"N": 1, "T": 2, "U": 2}),
    Stage("one row", {"N": 1}),
    Stage("equal neighbours"),
    *BATCH_STAGES[3:],
)
RIGHT_PROBES = {
    "a right square": True,
    "a right product": True,
    "a square, the sign flipped": False,
    "a square, the factor 2 missing": False,
    "a square, twice as large": False,
    "a square, wrong in its first entry": False,
    "a square, wrong in its last entry": False,
    "a square, wrong by one in a thousand": False,
    "a product, not transposed": False,
    "float32, a right square": True,
    "float32, wrong by one in a thousand": False,
    "a view of x, right": True,
    "a view of x, a gradient of zeros": False,
    "x not in one piece, right": True,
    "x not in one piece, a gradient of zeros": False,
    "right for an upstream gradient of ones: rows": False,
    "right for an upstream gradient of ones: mean": False,
}
"""What is told of each of the probes of a gradient checker (probes.py), in order, and whether it should be accepted."""
CHECKER_STAGES = tuple(Stage(name, MappingProxyType({"probe": k})) for k, name in enumerate(RIGHT_PROBES))


def stages_of(spec: FunctionSpec) -> tuple[Stage, ...]:
    """The stages of a spec, in the order in which they add difficulties."""
    if "x_probe" in spec.inputs:
        return CHECKER_STAGES
    if "target_lengths" in spec.inputs:
        return LABEL_STAGES
    if spec.name.endswith("_step"):
        stages = CELL_STAGES if "c" in spec.outputs else STEP_STAGES
        return (*stages, *RAGGED_STAGES) if "lengths" in spec.inputs else stages
    if "y" in spec.outputs:
        return DIRECTION_STAGES if "h0" in spec.inputs else ONE_SEQUENCE_STAGES
    if "h" in spec.outputs:
        return SEQUENCE_STAGES if "lengths" in spec.inputs else ONE_SEQUENCE_STAGES
    return BATCH_STAGES


def draw_inputs(spec: FunctionSpec, stage: Stage, rng: np.random.Generator, sizes: dict[str, int] = SIZES) -> Arrays:
    """Random inputs of a spec for a stage."""
    sizes = {**sizes, **stage.sizes}
    N, T = sizes["N"], sizes["T"]
    inputs: Arrays = {}
    for name, axes in spec.inputs.items():
        shape = shape_of(axes, sizes)
        if name in ("lengths", "source_lengths"):
            inputs[name] = draw_lengths(stage, N, sizes[steps_counted(spec, name)], rng)
        elif name in ("N", "T"):
            inputs[name] = np.array(sizes[name])
        elif name.endswith("_probe"):
            inputs[name] = np.array(sizes["probe"])
        elif name == "width":
            inputs[name] = np.array(3)
        elif name == "window":
            inputs[name] = np.array(2)
        elif name == "epsilon":  # large enough to show where it stands
            inputs[name] = np.array(0.1)
        elif name == "rate":
            inputs[name] = np.array(0.3)
        elif name == "u":
            inputs[name] = rng.random(shape)
        elif name in ("norm", "max_norm"):  # above some norms, below others
            inputs[name] = np.array(rng.uniform(0.5, 1.0) * (20.0 if stage.sizes and name == "max_norm" else 1.0))
        elif name == "steps":  # how far backpropagation through time goes back
            inputs[name] = np.array(2 if stage.lengths == "equal" else T)
        elif name == "ids":
            inputs[name] = rng.integers(0, sizes["V"], shape)
        elif name == "targets":
            classes = axes == "N T"
            inputs[name] = rng.integers(0, sizes["V"], shape) if classes else rng.random(shape)
        elif name == "class_weights":
            inputs[name] = rng.uniform(0.2, 3.0, shape)
        elif name == "mask" and "logits" in spec.inputs:  # which steps count
            inputs[name] = draw_mask(stage, shape, rng)
        elif name == "mask":  # of dropout, p = 0.4
            inputs[name] = (rng.random(shape) >= 0.4) / 0.6
        elif name == "value":  # what a squashing function has put out
            inputs[name] = rng.uniform(0.1, 0.9, shape)
        elif stage.zero_state and name in ("h0", "c0", "h_prev", "c_prev"):
            inputs[name] = np.zeros(shape)
        else:
            inputs[name] = rng.standard_normal(shape) * (1.0 if name == "x" else 0.5)
    if "predictions" in inputs:
        inputs["targets"][0, 0, 0] = inputs["predictions"][0, 0, 0]  # no error, and yet it counts in a mean
    if "y" in inputs:
        inputs["y"][0, 0, 0] = 0.0  # and so does this
    if "target_lengths" in inputs:
        draw_targets(inputs, sizes["V"], rng)
    if spec.name.startswith("ctc_"):
        inputs["logits"] = with_runs(inputs["logits"], rng)
    if "lengths" in inputs and spec.inputs.get("targets") == "N T":  # in the padding what an index of -1 finds
        padding = np.arange(T) >= inputs["lengths"][:, None]
        inputs["targets"] = np.where(padding, sizes["V"] - 1, inputs["targets"])
    if "mask" in inputs and "targets" in inputs:  # likewise where a step does not count
        inputs["targets"] = np.where(inputs["mask"], inputs["targets"], sizes["V"] - 1)
    return inputs


def without(inputs: Arrays, absent: Iterable[str]) -> Arrays:
    """The inputs where a submitted form lacks some of them, lengths apart, which it may lack where they are equal."""
    kept = {"lengths", *inputs.keys() - set(absent)}
    return {n: a if n in kept else np.full_like(a, WHERE_ABSENT.get(n, 0.0)) for n, a in inputs.items()}


def draw_mask(stage: Stage, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """Which steps (N, T) count: some in the middle do not, and of an empty row none does."""
    mask = rng.random(shape) >= 0.4
    mask[0, 0], mask[-1, -1] = True, mask.size == 1
    if stage.lengths == "with an empty row":
        mask[1:2] = False  # where there is a second one
    return mask


def draw_lengths(stage: Stage, N: int, T: int, rng: np.random.Generator) -> np.ndarray:
    """The lengths of a stage's rows: one of them T, and where they are ragged one of them short and maybe one 0."""
    if stage.lengths == "equal":
        return np.full(N, T)
    lengths = rng.integers(1, T + 1, N)
    lengths[rng.permutation(N)[:2]] = [T, max(T // 2, 1)][:N]
    if stage.lengths == "with an empty row":
        lengths[int(np.argmin(lengths))] = 0
    return lengths


def draw_upstream(spec: FunctionSpec, stage: Stage, outputs: Arrays, rng: np.random.Generator) -> Arrays:
    """Random upstream gradients, 0 where the stage's loss does not look. Empty where it sees none of these outputs."""
    upstream = {name: stage.factor * rng.standard_normal(np.shape(out)) for name, out in outputs.items()}
    if spec.compose is not None and "loss" in upstream:  # they begin with the loss: what is clipped is clipped at that
        upstream["loss"] = np.ones(())
    seen = {name: looked_at(name, axes, stage.loss, upstream) for name, axes in spec.outputs.items() if name in outputs}
    if not any(mask.any() for mask in seen.values()):
        return {}
    return {name: np.where(seen[name], d, 0.0) for name, d in upstream.items()}


def looked_at(name: str, axes: str, loss: str, outputs: Any) -> np.ndarray:
    """Which entries of an output a stage's loss sees, as an array of bool."""
    mask = np.zeros(np.shape(outputs[name]), bool)
    letters = axes.split()
    steps = "T" in letters
    if loss == "all":
        mask[...] = True
    elif loss == "h":
        mask[...] = name in ("h", "y")
    elif loss == "c":
        mask[...] = name in ("c", "c_T")
    elif loss == "last step" and steps:
        mask[(slice(None),) * letters.index("T") + (-1,)] = True
    elif loss == "final state":
        mask[...] = name in ("h_T", "c_T")
    elif loss in ("forward", "reverse"):
        half = 0 if loss == "forward" else 1
        if letters[0] == "2":
            mask[half] = True
        else:
            np.moveaxis(mask, -1, 0)[half * mask.shape[-1] // 2 : (half + 1) * mask.shape[-1] // 2] = True
    return mask
