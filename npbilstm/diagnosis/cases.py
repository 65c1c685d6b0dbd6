"""Cases: a spec's stages with numbers, the same for whoever is judged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from npbilstm.diagnosis.stages import SIZES, Stage, draw_inputs, draw_upstream, stages_of, without
from npbilstm.submission.function_spec import Arrays, FunctionSpec, Pair


class Case(NamedTuple):
    """A stage with its numbers: the inputs and the upstream gradients, {} where the loss sees none of the outputs."""

    stage: Stage
    inputs: Arrays
    upstream: Arrays


def draw_cases(
    spec: FunctionSpec,
    reference: Pair,
    seed: int = 0,
    sizes: dict[str, int] = SIZES,
    absent: Iterable[str] = (),
    stages: Iterable[Stage] | None = None,
) -> list[Case]:
    """A case for each of the spec's stages, or of others, seeded.

    absent: what the submitted form lacks: inputs, which then are 0, lengths, which then are equal, outputs, which the
    loss then does not see, and "rows", where it takes one sequence alone.
    """
    absent = set(absent)
    if "rows" in absent:
        absent |= {"lengths"}
        sizes = {**sizes, "N": 1}
    cases = []
    for k, stage in enumerate(stages or stages_of(spec)):
        if ({"lengths", "target_lengths"} & absent and stage.lengths != "equal") or (
            stage.name == "one row" and "rows" in absent
        ):
            continue
        rng = np.random.default_rng([seed, k])
        inputs = without(draw_inputs(spec, stage, rng, sizes), absent)
        outputs = {name: out for name, out in reference.forward(inputs)[0].items() if name not in absent}
        upstream = draw_upstream(spec, stage, outputs, rng) if reference.backward else {}
        if upstream or not reference.backward:
            cases.append(Case(stage, inputs, upstream))
    return cases
