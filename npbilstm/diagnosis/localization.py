"""Localization: where a mistake is that no catalogued bug fits. The equation, as nearly as the stages can tell.

Ways to it; the first that says anything is taken, but for the last two, which are taken together:

    0. two directions        only dx, only the initial state, only one direction: what joins and parts them
    1. one row, one step     each equation of the LSTM's step by itself (lstm_step_equations.py), without the catalogue
    2. several rows          right for one row and wrong for three: the sums over the rows
    3. several steps         only dx, only the weights, only the initial state, only ragged rows: each has its equation
    4. all else              the catalogued mistakes that make the same blocks fail at the same stages tell the
                             equation, though not the mistake
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations

import numpy as np

from npbilstm.diagnosis.cases import Case
from npbilstm.diagnosis.lstm_step_equations import wrong_equations
from npbilstm.diagnosis.observations import Observations, Pattern
from npbilstm.mistakes import Bug
from npbilstm.submission.function_spec import Arrays, FunctionSpec

ONE_STEP = ("T=1, loss on h", "T=1, loss on c", "loss on h", "loss on h and c", "all rows")
STEP, LOOP, BOTH = "lstm_step_backward", "lstm_backward", "bilstm_backward"


def localize(observations: Observations, patterns: dict[Bug, Pattern]) -> tuple[str, ...]:
    """The equations, most likely first, each with its function; () where nothing can be said.

    patterns: of the catalogued bugs.
    """
    spec, pattern = observations.spec, observations.pattern
    if not pattern:
        return ()
    if spec.name not in ("lstm_step", "lstm", "bilstm"):
        return nearest(pattern, patterns) or only_array(spec, pattern)
    if spec.name == "bilstm":
        between = between_directions(pattern)
        if between:
            return between
    if spec.name != "lstm_step" and no_step_taken(observations):
        return (f"order in {LOOP}",)
    equations = step_equations(observations)
    if spec.name == "lstm_step":
        return tuple(f"{equation} in {STEP}" for equation in equations or row_sums(observations))
    if equations:
        between = (f"dh_fwd, dh_rev in {BOTH}",) if spec.name == "bilstm" and "dh" in equations else ()
        return (*between, *in_loop(equations, {block for _, block in pattern}, {stage for stage, _ in pattern}))
    sums = row_sums(observations)
    if sums:
        return tuple(f"{equation} in {STEP}" for equation in sums)
    own = {bug: where for bug, where in patterns.items() if bug.function in (LOOP, spec.backward)}
    return tuple(dict.fromkeys((*between_steps(spec, pattern), *nearest(pattern, own))))


def in_loop(equations: list[str], blocks: set[str], stages: set[str]) -> tuple[str, ...]:
    """The same equations, where the step stands in a loop over time: what enters and leaves it may be the loop's."""
    found = []
    for equation in equations:
        part = {"dh_prev": "h0", "dc_prev": "c0"}.get(equation)
        if part and blocks <= {"h0", "c0"}:
            found.append(f"dh0, dc0 in {LOOP}")
        elif part:
            found += [f"{equation} in {STEP}", f"d{part[0]}_next in {LOOP}"]
        elif equation == "dc" and "T=1, loss on h" not in stages:
            found += [f"dc in {STEP}", f"dh_next, dc_next in {LOOP}", f"dc_t in {LOOP}"]
        elif equation == "dh":
            found += [f"dh_t in {LOOP}", f"dh_next, dc_next in {LOOP}"]
        else:
            found.append(f"{equation} in {STEP}")
    if {"dh_prev", "dc_prev"} <= set(equations):
        found.append(f"dh_next, dc_next in {LOOP}")
    if {"dWx", "dWh", "db"} <= set(equations):
        found.append(f"grads in {LOOP}")
    return tuple(dict.fromkeys(found))


def no_step_taken(observations: Observations) -> bool:
    """Whether a single step leaves nothing in x and in the weights: a loop that does not come to it."""
    return any(
        case.stage.name == "T=1, one row"
        and not any(grad.any() for name, grad in one.gradients.items() if name not in ("h0", "c0"))
        for case, one in zip(observations.cases, observations.submitted)
    )


def between_directions(pattern: Pattern) -> tuple[str, ...]:
    """What the blocks that are wrong say of the two directions, which share their step and their loop."""
    blocks = {block.split("[")[0] for _, block in pattern}
    stages = {stage for stage, _ in pattern}
    weights = {block.split(".")[0] for block in blocks if "." in block}
    if blocks == {"x"}:
        return (f"dx in {BOTH}", f"dx_rev in {BOTH}", f"dx in {STEP if 'T=1, one row' in stages else LOOP}")
    if blocks <= {"h0", "c0"}:
        return (*(f"d{block} in {BOTH}" for block in sorted(blocks, reverse=True)), f"dh0, dc0 in {LOOP}")
    if weights and not blocks & {"x", "h0", "c0"} and (len(weights) == 1 or len(blocks) == 6):
        return (f"grads in {BOTH}", f"grads in {LOOP}")
    if not weights & {"forward"} and weights:
        return (f"dx_rev in {BOTH}", f"dh_fwd, dh_rev in {BOTH}")
    if not weights & {"reverse"} and weights:
        return (f"dx_fwd in {BOTH}", f"dh_fwd, dh_rev in {BOTH}")
    return ()


def between_steps(spec: FunctionSpec, pattern: Pattern) -> list[str]:
    """What the blocks that are wrong from two steps on say by themselves."""
    blocks, stages = {block for _, block in pattern}, {stage for stage, _ in pattern}
    arrays = {block.split("[")[0].split(".")[-1] for block in blocks}
    if stages <= {"ragged lengths", "an empty row"}:
        return [f"{part} in {LOOP}" for part in ("mask", "dh_t", "dc_t", "dh_next", "dc_next")]
    if arrays == {"x"}:
        return [f"dx in {spec.backward}"]
    if arrays <= {"Wx", "Wh", "b"}:
        return [f"grads in {LOOP}"]
    if arrays <= {"h0", "c0"}:
        return [f"dh0, dc0 in {LOOP}"]
    if "T=2, loss on the last step" not in stages:  # the carry is right, but does not come far
        return [f"{part} in {LOOP}" for part in ("order", "dh_next", "dc_next")]
    return []


def step_equations(observations: Observations) -> list[str]:
    """The equations of the LSTM's step that do not hold for one row at one step, in either direction."""
    found: dict[str, None] = {}
    for case, one in zip(observations.cases, observations.submitted):
        if one.gradients and case.inputs["x"].size == case.inputs["x"].shape[-1] and case.stage.loss == "all":
            for k, prefix in enumerate(("forward.", "reverse.") if observations.spec.name == "bilstm" else ("",)):
                inputs, dh, dc, grads = single_step(case, one.gradients, k, prefix)
                found.update(dict.fromkeys(wrong_equations(inputs, dh, dc, grads)))
    return list(found)


def single_step(case: Case, gradients: Arrays, k: int, prefix: str) -> tuple[Arrays, np.ndarray, np.ndarray, Arrays]:
    """The one step of a case as a step by itself -> inputs, dh, dc, gradients, as `wrong_equations` takes them.

    k: the direction. prefix: what its weights' names begin with, "" where there is but one direction.
    """

    def parts(arrays: Arrays) -> Arrays:
        own = {name: arrays[f"{prefix}{name}"] for name in ("Wx", "Wh", "b") if f"{prefix}{name}" in arrays}
        for name, called in [("h_prev", "h0"), ("c_prev", "c0"), ("h_prev", "h_prev"), ("c_prev", "c_prev")]:
            if called in arrays:
                own[name] = arrays[called][k] if prefix else arrays[called]
        return own

    inputs, grads = parts(case.inputs), parts(gradients)
    inputs["x"] = case.inputs["x"].reshape(1, -1)
    if not prefix:  # else x's gradient is of both directions together
        grads["x"] = gradients["x"].reshape(1, -1)
    H = inputs["h_prev"].shape[-1]
    upstream = {name: d[k] if prefix and name != "y" else d.reshape(1, -1) for name, d in case.upstream.items()}
    if "y" in upstream:
        upstream["y"] = upstream["y"][:, k * H : (k + 1) * H]
    dh, dc = (
        sum((upstream[name] for name in names if name in upstream), np.zeros((1, H)))
        for names in (("h", "y", "h_T"), ("c", "c_T"))
    )
    return inputs, dh, dc, grads


def row_sums(observations: Observations) -> list[str]:
    """The gradients that one step gives right for one row and wrong for several."""
    if "rows" in observations.absent:
        return []
    wrong = {
        block.split("[")[0].split(".")[-1]
        for case, blocks in zip(observations.cases, observations.wrong_gradients)
        if case.stage.name in ONE_STEP
        for block in blocks
    }
    return [f"d{name}" for name in ("Wx", "Wh", "b", "x", "h_prev", "c_prev") if name in wrong]


def nearest(pattern: Pattern, patterns: dict[Bug, Pattern]) -> tuple[str, ...]:
    """The equations whose mistakes make the same blocks fail at the same stages, or nearly the same.

    Where no single bug has this pattern, two whose patterns together are it; and where there are none, the nearest.
    """
    exact = [bug for bug, own in patterns.items() if own == pattern]
    if exact:
        return equations_of_bugs(exact)
    inside = [bug for bug, own in patterns.items() if own <= pattern]
    joined = [pair for pair in combinations(inside, 2) if patterns[pair[0]] | patterns[pair[1]] == pattern]
    if joined:
        return equations_of_bugs(bug for pair in joined for bug in pair)
    likeness = {bug: len(own & pattern) / len(own | pattern) for bug, own in patterns.items()}
    best = max(likeness.values(), default=0.0)
    return equations_of_bugs(bug for bug, value in likeness.items() if value == best and best > 0.5)


def only_array(spec: FunctionSpec, pattern: Pattern) -> tuple[str, ...]:
    """The gradient of the one array that is wrong, where it is but one."""
    arrays = {block.split("[")[0] for _, block in pattern}
    return tuple(f"d{name} in {spec.backward}" for name in arrays) if len(arrays) == 1 else ()


def equations_of_bugs(bugs: Iterable[Bug]) -> tuple[str, ...]:
    """The equations of these bugs, each once, with the function they stand in."""
    return tuple(dict.fromkeys(f"{bug.equation} in {bug.function}" for bug in bugs))
