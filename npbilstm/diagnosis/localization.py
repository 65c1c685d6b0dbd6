"""Localization: where a mistake is that no catalogued one fits.

Ways to it; the first that says anything is taken:

    1. one multiple          all gradients are the same multiple of the right ones
    2. two directions        parameters or initial states exchanged, summed or scaled
    3. weights alone         x and the states are right: how the weights' gradients are made and added up
    4. equations             which of them, were it wrong in any way, would give just these numbers (equations.py)?
    5. likeness              catalogued mistakes that make the same blocks fail at the same stages

What the first four say holds for certain: no other place gives these numbers by itself. The last is a guess, and is
said to be one. So is what is wrong for ragged rows alone.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.cases import Case, draw_cases
from npbilstm.diagnosis.comparison import SAME
from npbilstm.diagnosis.equations import Explanation, explanations, is_carried, simplicity
from npbilstm.diagnosis.expected import observe
from npbilstm.diagnosis.observations import Observations, Pattern
from npbilstm.diagnosis.results import Bugs
from npbilstm.diagnosis.stages import SIZES, Stage
from npbilstm.diagnosis.tracing import Quantity, TracedFunctions, part_of
from npbilstm.mistakes import Bug
from npbilstm.submission.errors import FINAL
from npbilstm.submission.function_spec import Arrays

MOST = 3
"""How many places are offered at most."""

IN_STEP = {"dc_next": "dc_prev", "dh_next": "dh_prev", "dc_t": "dc"}
"""What a loop calls what its step gives and takes, and what the step does."""

HANDS_DOWN = {"bilstm": "dh_fwd, dh_rev", "stacked_lstm": "dh"}
"""What is built of several LSTMs, and what it calls the gradient that it hands each of them."""

DIRECTIONS = ("forward", "reverse")
LATER = {"dc_prev": "dc_next", "dh_prev": "dh_next"}

STEP_PROBES = (Stage("one row", {"N": 1}), Stage("two rows", {"N": 2}))
PROBES = (
    Stage("one step", {"N": 1, "T": 1}),
    Stage("two steps", {"N": 1, "T": 2}),
    Stage("three steps", {"N": 1, "T": 3}),
    Stage("two rows", {"N": 2, "T": 2}),
    Stage("five steps", {"N": 1, "T": 5}),
)
"""Small cases, with steps that are unlike: without an initial cell state df and dc_prev show from the second on."""


class Places(NamedTuple):
    """Where a mistake is: equations, each with its function, as "df in lstm_step_backward". certain: whether it is in
    one of these; else there are more. equations: all that may be wrong, by their names."""

    places: tuple[str, ...] = ()
    certain: bool = False
    equations: frozenset[str] = frozenset()


class Context(NamedTuple):
    """What is known beside the observations. pair: the submitted one. known: mistakes that are in it for certain. own:
    submitted functions in the place of the textbook's. cleared: the textbook's functions whose submitted ones are
    right."""

    pair: Any
    known: Bugs = ()
    own: dict[str, Any] = {}  # noqa: RUF012
    cleared: frozenset[str] = frozenset()


def localize(observations: Observations, context: Context) -> Places:
    """The equations that give these numbers, most likely first; none where that is not for certain."""
    names = Names(observations, context)
    if not observations.pattern or only_ragged(observations):
        return Places()
    for way in (one_multiple, between_directions, weights_alone, by_equations):
        found, equations = way(observations, context, names)
        places = tuple(dict.fromkeys(filter(None, found)))
        if places:
            all_equations = frozenset(part for each in equations for part in each.split(", "))
            return Places(places[:MOST], len(places) <= MOST, all_equations)
    return Places()


def guess(observations: Observations, context: Context, patterns: dict[Bug, Pattern]) -> tuple[str, ...]:
    """The equations of catalogued mistakes that are like it. patterns: of the catalogued bugs."""
    return Names(observations, context).all(nearest(observations.pattern, patterns))


def only_ragged(observations: Observations) -> bool:
    """Whether it is right but where rows end early."""
    return dict(observations.pattern).keys() <= {"ragged lengths", "an empty row"}


Found = tuple[list[str], list[str]]
"""Places, "" for one that was cleared, and the names of all equations that may be wrong."""


class Names:
    """How places are called: by the submitted functions; a step that is written inside a loop is called that."""

    def __init__(self, observations: Observations, context: Context) -> None:
        self.spec, self.cleared = observations.spec, context.cleared
        self.uses = getattr(context.pair, "uses", None)
        self.backward = getattr(context.pair, "functions", self.spec.names)[-1]
        steps = [name for name in self.textbook_functions() if name.endswith("step_backward")]
        self.step = self.spec.steps[1] if self.spec.steps else (steps[0] if steps else self.spec.backward)
        self.loop = "lstm_backward" if self.spec.name in HANDS_DOWN else self.spec.backward
        self.state = {"lstm_backward": "dh_next, dc_next", "sequence_lstm_backward": "dh, dc"}.get(self.loop, "dh_next")
        self.has_step = self.uses is None or self.step in self.uses

    def textbook_functions(self) -> list[str]:
        """The backward functions of the textbook that this spec is built of."""
        return {
            "lstm": ["lstm_step_backward", "lstm_backward"],
            **{name: ["lstm_step_backward", "lstm_backward", f"{name}_backward"] for name in HANDS_DOWN},
        }.get(self.spec.name, [self.spec.backward])

    def of(self, equation: str, function: str) -> str:
        """A place; "" where it is in a function that was cleared."""
        function = self.step if function == "step_backward" else function
        if function in self.cleared:
            return ""
        if function == self.spec.backward:
            return f"{equation} in {self.backward}"
        if self.uses is None or function in self.uses or not function.endswith("backward"):
            return f"{equation} in {function}"
        return f"{equation} in the {'step' if 'step' in function else 'loop'} inside {self.backward}"

    def handed_down(self) -> list[str]:
        """The place of what is handed to each of several LSTMs, which each of them may have got wrong itself."""
        given = HANDS_DOWN.get(self.spec.name)
        return [self.of(given, self.spec.backward)] if given else []

    def all(self, places: Iterable[tuple[str, str]]) -> tuple[str, ...]:
        """Places, each once, as many as are offered."""
        return tuple(dict.fromkeys(filter(None, (self.of(*place) for place in places))))[:MOST]


def one_multiple(observations: Observations, context: Context, names: Names) -> Found:
    """Whether all gradients at all stages are one multiple of the right ones."""
    pairs = zip(observations.submitted, observations.reference)
    some = [(one.gradients[name], right.gradients[name]) for one, right in pairs for name in one.gradients]
    got, right = (np.concatenate([np.ravel(array) for array in arrays]) for arrays in zip(*some))
    ratio = (got @ right) / (right @ right)
    if not got.any() or np.abs(got - ratio * right).max() > SAME * np.abs(right).max():
        return [], []
    places = [names.of("a factor of all gradients", observations.spec.backward)]
    if over_time(observations) and {"h_T", "c_T"} & set(observations.spec.outputs) <= observations.absent:
        places += names.handed_down()
        places += [names.of("dh_t", names.loop)]  # by which all that comes from above passes
    return places, ["grads", "dx", "dh_t", "dc_t"]


def between_directions(observations: Observations, context: Context, names: Names) -> Found:
    """Whether the gradients of the two directions are each other's, or sums or multiples of the right ones."""
    spec = observations.spec
    pairs = [(one.gradients, right.gradients) for one, right in zip(observations.submitted, observations.reference)]
    two = {part: [f"{way}.{part}" for way in DIRECTIONS] for part in sorted({part_of(name) for name in spec.floats})}
    found, mixed = [], set()
    for part, (forward, reverse) in two.items():
        some = [both for both in pairs if {forward, reverse} <= both[0].keys()]
        if some and is_mixed(*([[both[k][name] for both in some] for name in (forward, reverse)] for k in (0, 1))):
            found.append(names.of("grads", spec.backward))
            mixed |= {forward, reverse}
        some = [both for both in pairs if part in both[0] and spec.inputs[part].startswith("2 ")]
        if some and is_mixed(*([[both[k][part][way] for both in some] for way in (0, 1)] for k in (0, 1))):
            found.append(names.of(f"d{part}", spec.backward))
            mixed.add(part)
    if not blocks_wrong(observations) <= mixed or not any("x" in got for got, _ in pairs):
        return [], []  # what is wrong besides says that it was wrong before: less came to one direction, say
    return found, [place.split(" in ")[0] for place in found]


def blocks_wrong(observations: Observations) -> set[str]:
    """The arrays whose gradients are wrong at some stage."""
    return {block.split("[")[0] for _, block in observations.pattern}


def is_mixed(got: list[list[np.ndarray]], true: list[list[np.ndarray]]) -> bool:
    """Whether the arrays of two directions are always the same sums of multiples of the right ones, and not the right
    ones, nor all one multiple of them."""
    matrix = np.stack([np.concatenate([np.ravel(array) for array in each]) for each in true], axis=1)
    mixture = []
    for each in got:
        vector = np.concatenate([np.ravel(array) for array in each])
        shares = np.linalg.lstsq(matrix, vector, rcond=None)[0]
        if np.abs(matrix @ shares - vector).max() > 1e-7 * np.abs(matrix).max():
            return False
        mixture.append(shares)
    shares = np.array(mixture)
    return bool(np.abs(shares - shares[0, 0] * np.eye(2)).max() > 1e-6)


def weights_alone(observations: Observations, context: Context, names: Names) -> Found:
    """Where x and the states are right, how the gradients of the weights are made, or are added up over time."""
    spec = observations.spec
    blocks = blocks_wrong(observations)
    given = {name for one in observations.submitted for name in one.gradients}
    of_data = {name for name in given if "N" in spec.inputs[name].split()}
    if blocks & of_data or not of_data:  # without a gradient of data nothing tells that what reaches them is right
        return [], []
    wrong = list(dict.fromkeys(part_of(name) for name in spec.floats if name in blocks))
    equations = ["grads", *(f"d{part}" for part in wrong)]
    if len(blocks) < 2 * len(wrong) and "." in next(iter(blocks)):  # in one direction alone
        return [names.of("grads", spec.backward)], equations
    if not over_time(observations) or (not adds_up(spec) and len(wrong) <= MOST):
        return [names.of(f"d{part}", spec.backward) for part in wrong], equations
    made = [names.of(f"d{part}", names.step) for part in wrong] if one_step_wrong(observations) else []
    if any(made) and len(made) > 2:
        return [names.of(", ".join(f"d{part}" for part in wrong), names.step), names.of("grads", names.loop)], equations
    if any(made):
        return made, equations
    return [names.of("grads", names.loop) or names.of("grads", spec.backward)], equations


def over_time(observations: Observations) -> bool:
    """Whether the functions take sequences."""
    return any("T" in axes.split() for axes in observations.spec.inputs.values())


def one_step_wrong(observations: Observations) -> bool:
    """Whether one step alone, with its sums over the rows, is wrong already."""
    return any(wrong and case.stage.sizes.get("T") == 1 for case, wrong in both(observations))


def both(observations: Observations) -> list[tuple[Case, dict[str, float]]]:
    """The cases, each with its wrong gradients."""
    return list(zip(observations.cases, observations.wrong_gradients))


def by_equations(observations: Observations, context: Context, names: Names) -> Found:
    """The equations which, wrong in any way, give just these numbers."""
    spec = observations.spec
    every = explained(observations, context)
    if not every:
        return [], []
    found = [each for each in every if simplicity(each) == simplicity(every[0])]
    at_once = one_step_wrong(observations) or not over_time(observations)
    equations = [name.name if name.function else f"d{name.name}" for each in every for name in each.quantities]
    carried = [each for each in found if len(each.quantities) > 1 and is_carried(each.quantities)]
    if carried and (not at_once or len(found[0].quantities) > 2 or carried[0].steps == {0}):
        places = [names.of(names.state, names.loop), names.of("order", names.loop)]
        return places, [*equations, *IN_STEP, *IN_STEP.values(), "dh_t", "order"]
    quantities = list(dict.fromkeys(name for each in found for name in each.quantities))
    singles = {name.name for name in quantities if len(found[0].quantities) == 1}
    carries = [name for name in quantities if is_carried((name,))]
    at_last = over_time(observations) and found[0].steps == {0}
    each_step = "backward_from_each_step" in spec.made_of  # one step then is the way back's beginning alone
    if singles and carries and (at_last or not at_once) and not each_step:  # one of the step's is wrong at every step
        quantities = carries
    if singles & {"dc_prev", "dc_next"} and {"c0", "c_T"} <= observations.absent:  # nor are the first and the last seen
        quantities += [Quantity(names.step, "dc"), Quantity(names.loop, "dc_t")]
    if not at_once:  # a step that gives one step's right has not lost it
        right = {"dh_prev"} if "c0" in observations.absent else {"dh_prev", "dc_prev"}
        later = [Quantity(names.loop, LATER[name.name]) if name.name in right else name for name in quantities]
        quantities = list(dict.fromkeys(later))
    if not names.has_step:  # the loop's names are others for what its own step takes and leaves
        same = {name.name for name in quantities}
        quantities = [name for name in quantities if IN_STEP.get(name.name, "") not in same]
    places = [place for name in quantities for place in places_of(name, at_once, observations.spec, names)]
    if singles & {"dh_t", "dc_t", "dc"} and at_last:
        final = {"h_T", "c_T"} - observations.absent
        places += [names.of(names.state, names.loop)] if final else []
        places += [names.of("order", names.loop)]
        equations += ["dh_next", "dc_next", "order"]
    if "dh_t" in singles:
        places += names.handed_down()
    if {"dWx", "dWh", "db"} & set(equations):  # the loop's own name for them
        equations += ["grads"]
    return places, [*equations, *(name.name for name in quantities), "dh0", "dc0"]


def explained(observations: Observations, context: Context) -> list[Explanation]:
    """The explanations in the probes; none where the submitted code stops at them."""
    spec, pair = observations.spec, context.pair
    stages: tuple[Stage, ...] = PROBES if over_time(observations) else STEP_PROBES
    if "rows" in observations.absent:
        one_row = [stage._replace(sizes={**stage.sizes, "N": 1}) for stage in stages]
        stages = tuple(stage for k, stage in enumerate(one_row) if stage.sizes not in [s.sizes for s in one_row[:k]])
    cases = draw_cases(spec, spec.in_textbook_form(textbook), 5, SIZES, observations.absent, stages)
    gradients: list[Arrays] = []
    try:
        gradients = [observe(pair, case).gradients for case in cases]
    except FINAL:
        raise
    except Exception:
        return []
    functions = TracedFunctions(spec, context.known, context.own)

    def skipped(name: Quantity) -> bool:
        return name.function in context.cleared or name.function in context.own

    return explanations(functions, cases, gradients, skipped)


def places_of(name: Quantity, at_once: bool, spec: Any, names: Names) -> list[str]:
    """The places of a quantity, which may be another's by its numbers: what leaves a step is what its loop hands on.

    at_once: whether one step is wrong already.
    """
    if name.function:
        return [names.of(name.name, name.function)]
    equation = f"d{name.name}"
    if name.name in ("h0", "c0"):
        return [names.of("dh0, dc0" if spec.name == "lstm" else equation, spec.backward)]
    if spec.name in HANDS_DOWN and name.name == "x":
        made = [names.of("dx", names.step if at_once else names.loop)]
        own = ["dx", "dx_rev"] if spec.name == "bilstm" else ["dx"]
        return [*(names.of(each, spec.backward) for each in own), *made]
    in_step = names.of(equation, names.step) if at_once else ""
    return [in_step or names.of(equation if name.name == "x" or not adds_up(spec) else "grads", spec.backward)]


def adds_up(spec: Any) -> bool:
    """Whether a spec's backward pass is a loop that adds up the weights' gradients together, as grads."""
    return "h0" in spec.inputs and spec.compose is None


def nearest(pattern: Pattern, patterns: dict[Bug, Pattern]) -> list[tuple[str, str]]:
    """The equations, with their functions, whose mistakes make the same blocks fail at the same stages, or nearly so.

    Where no single bug has this pattern, two whose patterns together are it; and where there are none, the nearest of
    those that show at no stage where all is right.
    """
    exact = [bug for bug, own in patterns.items() if own == pattern]
    if exact:
        return equations_of_bugs(exact)
    inside = [bug for bug, own in patterns.items() if own <= pattern]
    joined = [pair for pair in combinations(inside, 2) if patterns[pair[0]] | patterns[pair[1]] == pattern]
    if joined:
        return equations_of_bugs(bug for pair in joined for bug in pair)
    possible = [(bug, own) for bug, own in patterns.items() if dict(own).keys() <= dict(pattern).keys()]
    likeness = {bug: len(own & pattern) / len(own | pattern) for bug, own in possible}
    best = max(likeness.values(), default=0.0)
    return equations_of_bugs(bug for bug, value in likeness.items() if value == best and best > 0.5)


def equations_of_bugs(bugs: Iterable[Bug]) -> list[tuple[str, str]]:
    """The equations of these bugs, each once, with the function they stand in."""
    return list(dict.fromkeys((bug.equation, bug.function) for bug in bugs))
