"""Forward equations: which of them holds with the numbers that somebody's own code has?

    1. what their functions compute on the way, by the names that they give it, for one step, two, three: the first
       number of steps at which an output is wrong, in several shapes
    2. what each is: a quantity of the textbook, where it is that in every shape, number by number
    3. the textbook's pass once more, with their f in the place of its own: where it then gives their outputs, all that
       is made of f holds with the numbers that their code has, and f is where to look

A quantity that is not the textbook's by its numbers is only spoken of where 3 says that it is to blame. What cannot be
told is not said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import combinations, islice, product
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.cases import Case, draw_cases
from npbilstm.diagnosis.comparison import RIGHT, SAME, agree
from npbilstm.diagnosis.expected import Run
from npbilstm.diagnosis.localization import over_time
from npbilstm.diagnosis.matching import Matcher
from npbilstm.diagnosis.observations import IMPRECISE, Observations
from npbilstm.diagnosis.quantity_names import meaning_of
from npbilstm.diagnosis.results import OwnQuantity
from npbilstm.diagnosis.slips import Equation, Slip, slips_in
from npbilstm.diagnosis.stages import Stage
from npbilstm.diagnosis.traced_step import TracedStep, step_of
from npbilstm.mistakes.planting import plant
from npbilstm.submission.errors import FINAL
from npbilstm.submission.function_spec import Arrays

SHAPES = (
    {"N": 4, "T": 1, "D": 5, "H": 6, "R": 3, "V": 8, "U": 2, "S": 11, "E": 12, "A": 13},
    {"N": 5, "T": 1, "D": 4, "H": 7, "R": 6, "V": 9, "U": 3, "S": 10, "E": 11, "A": 12},
    {"N": 7, "T": 1, "D": 6, "H": 5, "R": 4, "V": 8, "U": 2, "S": 10, "E": 13, "A": 11},
)
"""In which a quantity has to be what it is said to be; no two sizes are alike, nor like a number of steps."""
STEPS = (1, 2, 3)
SEVERAL = 3
"""As many gates wrong at once are wrong for one reason, which is in what goes into all of them."""
BEFORE_A_GATE = ("a", "u", "m", "h_in", "Wh")
"""What is only there for a gate, and is one place with it."""


MOST_TRIED = 12
"""How many small changes that fit at one step are tried at all stages."""

Some = tuple[tuple[str, str, list[np.ndarray]], ...]
"""Quantities, each with their name for it and its numbers in every case."""
Candidates = Mapping[str, list[tuple[str, list[np.ndarray]]]]
"""What may be wrong: quantities, each with what of theirs may be it, by name and numbers."""


class Wrong(NamedTuple):
    """What is wrong in a forward pass: quantities of theirs, the equations to blame, the likeliest first, and whether
    it is one of these for certain."""

    quantities: tuple[OwnQuantity, ...] = ()
    equations: tuple[str, ...] = ()
    certain: bool = False


class Seen(NamedTuple):
    """One case: the outputs that came, and what was computed on the way, by their names."""

    case: Case
    outputs: Arrays
    own: Arrays


def wrong_equations(observations: Observations, pair: Any, known: Collection[str]) -> Wrong:
    """What is wrong in the forward pass of a pair whose outputs are wrong. known: functions of which it is known
    already whether they are right."""
    function = step_of(observations.spec)
    if (
        not function
        or {function, *(observations.spec.steps or ())} & set(known)
        or getattr(pair, "intermediates", None) is None
    ):
        return Wrong()
    try:
        return Search(observations, pair, function).wrong()
    except FINAL:
        raise
    except Exception:  # it stops in one of these shapes, or gives something else there
        return Wrong()


def places_in_forward(equations: Iterable[str], observations: Observations, pair: Any) -> tuple[str, ...]:
    """Equations of a step as places: each with its function, or with that in which the step is written."""
    spec, uses = observations.spec, getattr(pair, "uses", None)
    forward = getattr(pair, "functions", spec.names)[0]
    step = {"lstm": "lstm_step_forward"}.get(spec.name, spec.forward)
    inside = step if step in (uses or ()) and not spec.steps else f"the step inside {forward}"
    inside = inside if over_time(observations) else forward
    return tuple(f"{each} in {forward if '_t' in each else inside}" for each in equations)


def slips_that_fit(observations: Observations, known: Collection[str]) -> list[Slip]:
    """The small changes of a step's equations that give the outputs, all of them at every stage."""
    function = step_of(observations.spec)
    if not function or {function, *(observations.spec.steps or ())} & set(known):
        return []
    matcher = Matcher(observations)
    slips = slips_in(function, observations.spec.gates)
    return [slip for slip in slips if matcher.matches((slip.bug,), ("outputs",))]


class Search:
    """The search for the equations that do not hold."""

    def __init__(self, observations: Observations, pair: Any, function: str) -> None:
        self.observations, self.pair = observations, pair
        self.spec, self.absent = observations.spec, observations.absent
        self.trace = TracedStep(self.spec, function)
        self.over_time = over_time(observations)
        blurred = observations.rounded or observations.single or "digits" in self.absent
        self.exact = IMPRECISE if blurred else SAME
        self.order = [name for equation in self.trace.equations for name in equation.name.split(", ")]
        self.T, self.seen = self.first_wrong()
        self.right = [self.values(one) for one in self.seen]
        self.own = self.in_all(one.own for one in self.seen)

    def first_wrong(self) -> tuple[int, list[Seen]]:
        """The first number of steps at which an output is wrong, and what was seen there."""
        for T in STEPS if self.over_time else STEPS[:1]:
            seen = []
            for shape in SHAPES:
                sizes = {**shape, "T": T, "N": 1 if "rows" in self.absent else shape["N"]}
                stages = [Stage("a probe", sizes)]
                (case,) = draw_cases(self.spec, self.spec.in_textbook_form(textbook), 11, sizes, self.absent, stages)
                outputs, _ = self.pair.forward({name: np.array(value) for name, value in case.inputs.items()})
                seen.append(Seen(case, outputs, self.pair.intermediates(case.inputs)))
            if any(not agree(one.outputs, self.trace.run(one.case.inputs, T), self.exact) for one in seen):
                return T, seen
        return 0, []

    def values(self, one: Seen) -> Arrays:
        """The textbook's quantities at the last step."""
        self.trace.run(one.case.inputs, self.T)
        shape = (one.case.inputs["Wh"].shape[0],)
        values = {k: v for k, v in self.trace.values.items() if isinstance(v, np.ndarray) and v.shape[1:] == shape}
        return values if self.trace.count == self.T else {}

    def in_all(self, found: Iterable[Arrays]) -> dict[str, list[np.ndarray]]:
        """What is there in every case, by name."""
        every = list(found)
        return {name: [one[name] for one in every] for name in (every or [{}])[0] if all(name in one for one in every)}

    def same(self, some: list[np.ndarray], others: list[np.ndarray]) -> bool:
        """Whether two quantities are the same in all cases."""
        tolerance = max(RIGHT, self.exact / 100)
        same_number = len(some) == len(others)
        return same_number and all(agree({"": one}, {"": other}, tolerance) for one, other in zip(some, others))

    def wrong(self) -> Wrong:
        """What is wrong."""
        right = self.in_all(self.right)
        if not right:
            return Wrong()
        there = [name for name in self.own if any(self.same(self.own[name], value) for value in right.values())]
        told, candidates, known = [], dict[str, list[tuple[str, list[np.ndarray]]]](), set[str]()
        for quantity, value in right.items():
            named = [name for name in self.own if meaning_of(name, self.trace.function) == quantity]
            alike = [name for name in named if any(self.same(own, value) for own in self.ways(quantity, name))]
            if alike or any(self.same(self.own[name], value) for name in there):
                known.add(quantity)
            if alike:
                told.append(OwnQuantity(alike[0], quantity, True, self.step))
            else:
                candidates[quantity] = [(name, own) for name in named for own in self.ways(quantity, name)]
        outputs = self.wrong_outputs(right)
        for quantity, own in outputs.items():
            known.discard(quantity)
            told = [each for each in told if each.meant != quantity]
            candidates.setdefault(quantity, []).insert(0, (quantity, own))
        return self.explained(candidates, told, known, set(outputs))

    @property
    def step(self) -> int | None:
        """The step that is looked at, counted from 0; None where there are no steps."""
        return self.T - 1 if self.over_time else None

    def ways(self, quantity: str, name: str) -> list[list[np.ndarray]]:
        """What a value of theirs may be: an update gate that writes is 1 minus one that keeps."""
        own = self.own[name]
        return [own, [1 - each for each in own]] if quantity == "z" else [own]

    def wrong_outputs(self, right: Mapping[str, list[np.ndarray]]) -> dict[str, list[np.ndarray]]:
        """The states after the step, where they come out wrong."""
        found = {}
        for quantity in ("c", "h"):
            for name in (quantity, f"{quantity}_T"):
                if quantity in right and all(name in one.outputs for one in self.seen):
                    arrays = [one.outputs[name] for one in self.seen]
                    own = [array[:, -1] if array.ndim == 3 else array for array in arrays]
                    if not self.same(own, right[quantity]):
                        found[quantity] = own
        return found

    def explained(
        self,
        candidates: Candidates,
        told: list[OwnQuantity],
        known: set[str],
        outputs: set[str],
    ) -> Wrong:
        """The fewest quantities, of these the first computed, with which the rest of the textbook gives the outputs."""
        single = [(quantity, *own) for quantity in self.order for own in candidates.get(quantity, [])]
        gates = [each for each in single if each[0] not in outputs]
        groups: list[Some] = [*((each,) for each in single), *combinations(single, 2)]
        if len({quantity for quantity, *_ in gates}) >= SEVERAL:
            groups.append(tuple({each[0]: each for each in reversed(gates)}.values())[::-1])
        # what comes out may be right for what it is made of: it is to blame where nothing before it is
        groups.sort(key=lambda some: any(quantity in outputs for quantity, *_ in some))
        groups = [some for some in groups if len(some) == 1 or ({q for q, *_ in some} - outputs and differ(some))]
        for some in groups:
            if self.reproduced({quantity: own for quantity, _, own in some}):
                break
        else:
            return Wrong(tuple(told))
        blamed = [quantity for quantity, *_ in some]
        known = known | self.that_hold(candidates, some)
        unseen = list(dict.fromkeys(part for each in blamed for part in self.unseen(each, known, set(blamed))))
        trivial = outputs <= set(blamed)
        before = self.over_time and self.reads_state(blamed, known)
        if len(blamed) >= SEVERAL or self.all_gates_fail(candidates, known):
            places, certain = ["a", *(name for name in blamed if name not in outputs)], False
        else:
            places = [*blamed, *unseen, *(["h_t, c_t" if "c" in self.order else "state_t"] if before else [])]
            certain = len(places) <= SEVERAL and not (trivial and before)
        if not certain and trivial and (unseen or before):
            return Wrong(tuple(told))
        return Wrong((*told, *self.described(some)), tuple(places[:SEVERAL]), certain)

    def all_gates_fail(self, candidates: Candidates, known: set[str]) -> bool:
        """Whether no gate's equation holds with the numbers of the others: then what goes into all of them may be
        wrong."""
        seen = [gate for gate in self.spec.gates if gate in known or candidates.get(gate)]
        wrong = {gate: (gate, *candidates[gate][0]) for gate in seen if candidates.get(gate)}
        others = {gate: tuple(each for name, each in wrong.items() if name != gate) for gate in wrong}
        fail = [gate for gate in wrong if gate not in self.that_hold({gate: candidates[gate]}, others[gate])]
        return len(fail) == len(seen) > 1

    def that_hold(self, candidates: Candidates, some: Some) -> set[str]:
        """The quantities whose equations hold with the numbers that some have: theirs are what then comes of them."""
        values = []
        for k, one in enumerate(self.seen):
            self.trace.run(one.case.inputs, self.T, {quantity: own[k] for quantity, _, own in some})
            values.append(dict(self.trace.values))
        then = self.in_all(values)
        return {q for q, every in candidates.items() if any(self.same(own, then[q]) for _, own in every)}

    def reproduced(self, replaced: Mapping[str, list[np.ndarray]]) -> bool:
        """Whether the textbook with these quantities gives the outputs that came."""
        return all(
            agree(
                one.outputs,
                self.trace.run(one.case.inputs, self.T, {q: own[k] for q, own in replaced.items()}),
                self.exact,
            )
            for k, one in enumerate(self.seen)
        )

    def equation(self, quantity: str) -> Equation | None:
        """The equation of a quantity."""
        return next((each for each in self.trace.equations if quantity in each.name.split(", ")), None)

    def unseen(self, quantity: str, known: set[str], blamed: set[str]) -> Iterator[str]:
        """What a quantity is made of and is not known to be right."""
        equation = self.equation(quantity)
        for operand in equation.operands if equation else ():
            folded = self.spec.gates and operand.split("_")[0] in BEFORE_A_GATE
            if operand in self.order and not folded and operand not in (known | blamed | {"m", "h_in"}):
                yield operand
                yield from self.unseen(operand, known, blamed)

    def reads_state(self, blamed: Iterable[str], known: set[str]) -> bool:
        """Whether what is to blame reads a state before the step that nothing shows to be right; what loops hand on."""
        gates = [name for name in self.order if len(name) == 1 and name not in ("c", "h", "a", "u", "m")]
        shown = {"h_prev"} if known & {*gates, "a"} else set()
        operands = {operand for name in blamed for operand in getattr(self.equation(name), "operands", ())}
        if self.T == 1 and "c0" in self.absent:
            shown.add("c_prev")
        return bool(operands & {"h_prev", "c_prev"} - shown)

    def described(self, some: Some) -> list[OwnQuantity]:
        """Quantities that are not the textbook's, with what they are instead, where that can be told."""
        right = self.in_all(self.right)
        slips = self.slips_of(some)
        found = []
        for quantity, name, own in some:
            is_now = next((each for each in right if each != quantity and self.same(own, right[each])), "")
            slip = slips.get(quantity)
            found.append(
                OwnQuantity(name, quantity, False, self.step, is_now, *([slip.formula, slip.right] if slip else []))
            )
        return found

    def slips_of(self, some: Some) -> dict[str, Slip]:
        """How quantities are computed instead: the small changes of their equations that give their numbers, and all
        outputs at every stage; {} where there are none."""
        every = []
        for quantity, _, own in some:
            environments = []
            for k, one in enumerate(self.seen):
                self.trace.run(
                    one.case.inputs, self.T, {name: values[k] for name, _, values in some if name != quantity}
                )
                environments.append(self.trace.environment())
            equation = self.equation(quantity)
            unseen = [operand for operand in equation.operands if operand in ("a", "tanh_c")] if equation else []
            slips = [
                slip for slip in slips_in(self.trace.function, self.spec.gates) if slip.equation in (quantity, *unseen)
            ]
            every.append([slip for slip in slips if self.same(own, computed(slip, equation, environments))])
        for together in islice(product(*every), MOST_TRIED):
            planted = self.spec.in_textbook_form(plant([slip.bug for slip in together]))
            if self.observations.reproduced_by(Run(planted, self.observations.cases), ("outputs",)):
                return {quantity: slip for (quantity, *_), slip in zip(some, together)}
        return {}


def differ(some: Some) -> bool:
    """Whether these are as many quantities, and not one by two of their names."""
    return len({quantity for quantity, *_ in some}) == len(some)


def computed(slip: Slip, equation: Equation | None, environments: Iterable[dict[str, Any]]) -> list[np.ndarray]:
    """What an equation gives where it, or one that it is made of, is changed; [] where that does not run."""
    code = compile(slip.new.partition(" = ")[2], "<slip>", "eval")
    try:
        with np.errstate(all="ignore"):
            values = [eval(code, environment) for environment in environments]
            if equation is not None and slip.equation != equation.name:
                own = compile(equation.line.partition(" = ")[2], "<equation>", "eval")
                pairs = zip(values, environments)
                values = [eval(own, {**environment, slip.equation: value}) for value, environment in pairs]
            return [np.asarray(value) for value in values]
    except Exception:  # shapes that do not fit, names that are not there yet
        return []
