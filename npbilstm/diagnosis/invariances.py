"""What every recurrent layer's forward pass owes, whatever its weights: no reference is needed to see it broken.

padding      what stands behind a row's length never matters
batch        a row gives the same alone as among others
memory       two calls with the same numbers give the same
causality    a forward direction knows nothing of later steps, a reverse one nothing of earlier ones
symmetry     with the weights of both directions alike, a sequence turned round gives the halves exchanged, turned round
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from npbilstm.diagnosis.comparison import RIGHT, agree
from npbilstm.diagnosis.stages import SIZES, Stage, draw_inputs, without
from npbilstm.submission.function_spec import Arrays, FunctionSpec, Pair


def broken_invariances(spec: FunctionSpec, pair: Pair, absent: set[str], seed: int = 0) -> list[str]:
    """A sentence for each invariance that a forward pass over a batch of sequences breaks."""
    if "rows" in absent or not {"x", "lengths"} <= set(spec.inputs) or not {"h", "y"} & set(spec.outputs):
        return []
    rng = np.random.default_rng([seed, 99])
    stage = Stage("invariances", lengths="equal" if "lengths" in absent else "ragged")
    inputs = without(draw_inputs(spec, stage, rng, SIZES), absent)

    def outputs(**changes: np.ndarray) -> Arrays:
        return pair.forward({name: np.array(value) for name, value in {**inputs, **changes}.items()})[0]

    first = outputs()
    sentences = []
    if not agree(first, outputs(), RIGHT):
        sentences.append("Two calls with the same numbers give different outputs: something is kept from call to call.")
        return sentences
    sequence = next(name for name in ("h", "y") if name in first)
    T = inputs["x"].shape[1]
    padding = np.arange(T) >= inputs["lengths"][:, None]
    if padding.any():
        changed = np.where(padding[:, :, None], 7.0, inputs["x"])
        if not agree(first, outputs(x=changed), RIGHT):
            sentences.append("What stands in the padding changes the outputs: a row ends at its length.")
        if np.abs(first[sequence][padding]).max() > RIGHT:
            sentences.append("The outputs in the padding are not 0.")
    row = outputs(**{name: first_row(inputs[name], axes) for name, axes in spec.inputs.items()})
    if not agree({sequence: row[sequence]}, {sequence: first[sequence][:1]}, RIGHT):
        sentences.append("A row gives something else alone than in its batch: rows must not see one another.")
    return sentences + broken_over_time(outputs, inputs, sequence)


def first_row(array: np.ndarray, axes: str) -> np.ndarray:
    """The first row of the batch, where the array has rows."""
    letters = axes.split()
    return array[(slice(None),) * letters.index("N") + (slice(1),)] if "N" in letters else array


def broken_over_time(outputs: Callable[..., Arrays], inputs: Arrays, sequence: str) -> list[str]:
    """Causality and symmetry, on rows of full length."""
    N, T, _ = inputs["x"].shape
    H, middle = SIZES["H"], T // 2
    inputs = {**inputs, "lengths": np.full(N, T)}

    def run(**changes: np.ndarray) -> np.ndarray:
        return outputs(**{**inputs, **changes})[sequence]

    y = run()
    later, earlier = inputs["x"].copy(), inputs["x"].copy()
    later[:, middle:] += 1.0
    earlier[:, : middle + 1] += 1.0
    sentences = []
    if np.abs(run(x=later) - y)[:, :middle, :H].max() > RIGHT:
        sentences.append("The forward direction's outputs change with a later step: it must know the past alone.")
    if sequence == "y":
        if np.abs(run(x=earlier) - y)[:, middle + 1 :, H:].max() > RIGHT:
            sentences.append(
                "The reverse direction's outputs change with an earlier step: step t must hold what it knows of t and "
                "after (is its output put back in input order?)."
            )
        tied = {name.replace("forward", "reverse"): inputs[name] for name in inputs if name.startswith("forward.")}
        tied |= {name: np.stack([inputs[name][0]] * 2) for name in ("h0", "c0") if name in inputs}
        turned = run(x=inputs["x"][:, ::-1].copy(), **tied)
        one = run(**tied)
        if not agree({"y": turned}, {"y": np.concatenate([one[:, ::-1, H:], one[:, ::-1, :H]], axis=2)}, RIGHT):
            sentences.append(
                "With the same weights in both directions a sequence turned round does not give the halves exchanged: "
                "the two directions do not do the same to what they read."
            )
    return sentences
