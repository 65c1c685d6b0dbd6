"""Diagnosis: two submitted passes, judged on stages against the textbook, and the reason named.

    1. run both passes on every stage, and the textbook's beside them
    2. the forward pass wrong: which catalogued mistake gives these outputs? else: which invariance is broken?
    3. the gradients wrong: which catalogued mistake, or which two, give exactly these gradients?
    4. none: where is it? which equation does not hold?

Where the forward pass is not the textbook's, its gradients are judged against numerical derivatives of what it is.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from npbilstm.diagnosis.forward_equations import places_in_forward, slips_that_fit, wrong_equations
from npbilstm.diagnosis.invariances import broken_invariances
from npbilstm.diagnosis.localization import MOST, Context, guess, localize
from npbilstm.diagnosis.matching import Matcher
from npbilstm.diagnosis.matching import functions_of as spoils
from npbilstm.diagnosis.observations import IMPRECISE, Observations, StoppedError, observe_all
from npbilstm.diagnosis.own_functions import Functions, called_as_the_textbooks
from npbilstm.diagnosis.results import Bugs, Diagnosis, OwnQuantity
from npbilstm.diagnosis.stages import SIZES
from npbilstm.diagnosis.symptoms import symptoms
from npbilstm.mistakes.planting import textbook_functions
from npbilstm.submission.call_graph import reached
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.errors import FINAL, SubmissionError
from npbilstm.submission.function_spec import FunctionSpec
from npbilstm.submission.submitted_pair import Refused

ROUNDED = (
    "The outputs are right to a few digits and no further: the numbers are rounded. Is something "
    "float32 inside, or an epsilon added for safety?"
)
CONSISTENT = ("The backward pass is the derivative of this forward pass, so no gradient check can see the mistake.",)
NONE: Functions = MappingProxyType({})
MAYBE_KNOWN = "This may be nothing but what was found above, in another form: mend that first."


def diagnose_pairs(
    pairs: Mapping[str, Any],
    seed: int = 0,
    sizes: dict[str, int] = SIZES,
    begin: Callable[[FunctionSpec], None] | None = None,
    known: Bugs = (),
) -> Iterator[Diagnosis]:
    """The diagnosis of each submitted pair, in the order in which the functions build on one another.

    pairs: the name of a spec -> its pair, which may say in `absent` which inputs its form lacks, or Refused. A mistake
    that is named in one pair is known to those built on it, and need not be found again. begin: called with each spec
    before its pair is judged. known: mistakes that were named before, in what these pairs may be built on.
    """
    cleared: frozenset[str] = frozenset()
    own: dict[str, Callable[..., Any]] = {}
    called: dict[str, str] = {}
    deep = True
    for name, spec in ALL_SPECS.items():
        if name in pairs:
            if begin is not None:
                begin(spec)
            found = diagnose_what_runs(spec, pairs[name], seed, sizes, known, cleared, deep, own)
            if len(found.functions) == 2 or spec.compose is not None:
                called |= dict(zip((spec.forward, spec.backward), 2 * found.functions))
            located, perhaps = (
                tuple(in_own_names(place, called) for place in some) for some in (found.located, found.perhaps)
            )
            yield replace(found, located=located, perhaps=perhaps)
            if found.ok:
                cleared |= {spec.forward, *([spec.backward] if len(found.functions) > 1 else [])}
            if len(found.named) == 1:
                known = (*known, *found.named[0])
            wrong = any(stage.wrong or stage.wrong_outputs for stage in found.stages)
            if wrong and len(found.named) != 1 and not found.nothing_new:
                own = {**own, **called_as_the_textbooks(spec, pairs[name])}
            deep = deep and not (wrong and not found.named and not found.known)


def in_own_names(place: str, own: Mapping[str, str]) -> str:
    """A place, dc in lstm_step_backward, with the name that the function has in what was submitted."""
    equation, _, function = place.rpartition(" in ")
    return f"{equation} in {own.get(function, function)}"


def diagnose_what_runs(spec: FunctionSpec, pair: Any, *options: Any) -> Diagnosis:
    """As diagnose_pair; where the backward pass stops at every stage, of the forward pass alone."""
    functions = functions_of(spec, pair)
    if isinstance(pair, Refused):
        return Diagnosis(spec.name, functions, (), stopped=pair.reason)
    try:
        return diagnose_pair(spec, pair, *options)
    except FINAL as error:
        return Diagnosis(spec.name, functions, (), stopped=str(error))
    except StoppedError as error:
        stopped = describe_stop(error.__cause__)
    try:
        forward = diagnose_pair(spec, ForwardOnly(pair), *options)
    except (StoppedError, *FINAL):
        return Diagnosis(spec.name, functions, (), stopped=stopped)
    return replace(forward, functions=functions, stopped=stopped)


def describe_stop(error: BaseException | None) -> str:
    """What is told of what the submitted code raised."""
    if error is None or isinstance(error, SubmissionError):
        return str(error) or "it stops, and does not say why"
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} (line {frame.lineno} of {Path(frame.filename).name}, in {frame.name})"


class ForwardOnly:
    """A pair without its backward pass."""

    backward = None

    def __init__(self, pair: Any) -> None:
        self.forward = pair.forward
        self.absent = getattr(pair, "absent", ())
        self.findings = getattr(pair, "findings", ())


def functions_of(spec: FunctionSpec, pair: Any) -> tuple[str, ...]:
    """The names of the functions that are judged."""
    both = tuple(filter(None, (spec.forward, spec.backward)))
    return tuple(getattr(pair, "functions", both))


def diagnose_pair(
    spec: FunctionSpec,
    pair: Any,
    seed: int = 0,
    sizes: dict[str, int] = SIZES,
    known: Bugs = (),
    cleared: frozenset[str] = frozenset(),
    deep: bool = True,
    own: Functions = NONE,
) -> Diagnosis:
    """The diagnosis of one pair. known, cleared: mistakes in what it may be built on, and functions that were judged
    right; in those that it calls no mistake is looked for. deep: whether two mistakes at once are tried. own: functions
    that it may be built on and that are wrong in a way that is not known, called as the textbook's.

    Raises StoppedError, from what the submitted code raises, where it does so at every stage.
    """
    with np.errstate(all="ignore"):  # it is not for the diagnosis to warn of logarithms that the code takes
        observations = observe_all(spec, pair, seed, sizes)
        found = diagnose_observations(observations, pair, seed, known, cleared, deep, own)
        if not observations.forward_wrong or found.nothing_new:
            return found
        uses: frozenset[str] = getattr(pair, "uses", frozenset())
        judged = with_what_they_call(cleared & uses) | {name for name in own if name in uses}
        return with_forward_equations(found, observations, pair, judged)


def diagnose_observations(
    observations: Observations,
    pair: Any,
    seed: int,
    known: Bugs,
    cleared: frozenset[str],
    deep: bool,
    own: Functions,
) -> Diagnosis:
    """The diagnosis from the observations of a pair; see diagnose_pair."""
    spec = observations.spec
    known = tuple(bug for bug in known if bug.function in spoils(spec))
    findings = tuple(getattr(pair, "findings", ()))
    result = Diagnosis(
        spec.name, functions_of(spec, pair), observations.stages(), findings=findings, single=observations.single
    )
    if observations.rounded and "digits" not in observations.absent:
        result = replace(result, findings=(*findings, ROUNDED))
    if all(stage.ok for stage in result.stages):
        return result
    if 0 < observations.worst < IMPRECISE:
        return replace(result, sentences=(imprecise(int(-np.log10(observations.worst))),))
    if observations.forward_wrong:
        result = replace(result, sentences=what_breaks(observations, pair, seed))
    else:
        result = replace(result, sentences=tuple(filter(None, [symptoms(result.stages, spec)])))
    # what is known of other pairs shows here only where this one is built on them
    uses: frozenset[str] = getattr(pair, "uses", frozenset())
    own = {name: function for name, function in own.items() if name in uses - {spec.forward, spec.backward}}
    cleared = with_what_they_call(cleared & uses)
    if own and not observations.empty and Matcher(observations, known, cleared, own).matches():
        return replace(result, built_on=tuple(own), sentences=())
    for assumed in dict.fromkeys([known, ()]):
        matcher = Matcher(observations, assumed, cleared, own)
        explain = explain_outputs if observations.forward_wrong else explain_gradients
        found = explain(result, matcher)
        if found.named or found.known:
            return found
    if known or not deep:
        found = replace(found, sentences=(*found.sentences, MAYBE_KNOWN))
    if not observations.forward_wrong:
        context = Context(pair, tuple(bug for bug in known if bug.function in uses), own, cleared)
        return explain_by_two_or_localize(found, matcher, deep, context)
    return explain_outputs_by_two(found, matcher) if deep and not known else found


def with_what_they_call(functions: Iterable[str]) -> frozenset[str]:
    """These functions of the textbook, and those that they call."""
    every = textbook_functions()
    return frozenset().union(*(reached(name, every) for name in functions))


def what_breaks(observations: Observations, pair: Any, seed: int) -> tuple[str, ...]:
    """The sentences on broken invariances; none where the code stops at what they need."""
    try:
        return tuple(broken_invariances(observations.spec, pair, observations.absent, seed))
    except FINAL:
        raise
    except Exception:
        return ()


def explain_outputs(result: Diagnosis, matcher: Matcher) -> Diagnosis:
    """The reason of wrong outputs, and whether the gradients are at least theirs."""
    consistent = not any(stage.wrong for stage in result.stages)
    already = bool(matcher.known) and matcher.matches(parts=("outputs",))
    if already and (consistent or matcher.matches()):
        return replace(result, known=matcher.known)
    named = matcher.singles()
    if named:
        return replace(result, named=tuple(named), known=matcher.known)
    alone = [()] if already else matcher.singles(("outputs",))
    if consistent:
        note = CONSISTENT if len(matcher.observations.parts) == 2 else ()
        sentences = (*result.sentences, *note, *layouts_meant(alone))
        return replace(result, named=tuple(alone), by_outputs=True, sentences=sentences)
    both = [(*first, bug) for first in alone for bug in matcher.bugs if matcher.matches((*first, bug))]
    if both:
        return replace(result, named=tuple(both))
    sentence = "The gradients are not those of these outputs either: mend the forward pass first, then run again."
    return replace(result, named=tuple(filter(None, alone)), by_outputs=True, sentences=(*result.sentences, sentence))


def with_forward_equations(
    result: Diagnosis, observations: Observations, pair: Any, judged: frozenset[str]
) -> Diagnosis:
    """A wrong forward pass, with what it computes on its way, and where it is wrong if no known mistake says so.
    judged: functions that it is built on and that were judged before."""
    wrong = wrong_equations(observations, pair, judged)
    result = replace(result, quantities=wrong.quantities)
    if result.named or result.known:
        return result
    places = places_in_forward(wrong.equations, observations, pair)
    if wrong.certain:
        return replace(result, located=places)
    slips = [] if any(not each.right for each in wrong.quantities) else slips_that_fit(observations, judged)
    told = {slip.equation: OwnQuantity("", slip.equation, False, None, "", slip.formula, slip.right) for slip in slips}
    if not 0 < len(told) <= MOST:
        return replace(result, perhaps=places)
    places = places_in_forward(told, observations, pair)
    return replace(result, perhaps=places, quantities=(*wrong.quantities, *told.values()))


def layouts_meant(named: Iterable[Bugs]) -> tuple[str, ...]:
    """A sentence where the mistake may be none: gates in an order of one's own."""
    orders = [bug.id.split("-")[-1] for bugs in named for bug in bugs if bug.id.startswith("gate-order-")]
    return tuple(
        f"If {', '.join(order)} is the order that you mean, say so in the file's first line: # npbilstm: gates={order}"
        for order in orders[:1]
    )


def explain_gradients(result: Diagnosis, matcher: Matcher) -> Diagnosis:
    """The one mistake behind wrong gradients of right outputs, or the mistakes known already."""
    if matcher.known and matcher.matches():
        return replace(result, known=matcher.known, sentences=())
    named = tuple(matcher.singles())
    return replace(result, named=named, known=matcher.known if named else ())


def explain_outputs_by_two(result: Diagnosis, matcher: Matcher) -> Diagnosis:
    """The two mistakes behind wrong outputs that no single one explains."""
    pairs = matcher.forward_pairs()
    return replace(result, named=tuple(pairs), by_outputs=not any(map(matcher.matches, pairs)))


def explain_by_two_or_localize(result: Diagnosis, matcher: Matcher, deep: bool, context: Context) -> Diagnosis:
    """The two mistakes behind wrong gradients that no single one explains, or where they are."""
    observations = matcher.observations
    located = localize(observations, context)
    patterns = matcher.patterns(located.equations) if deep or not located.places else {}
    named = tuple(matcher.pairs(patterns)) if deep else ()
    if named:
        return replace(result, named=named)
    sentences = tuple(filter(None, [*result.sentences, observations.first_oddities()]))
    if located.certain:
        return replace(result, located=located.places, sentences=sentences)
    perhaps = located.places or guess(observations, context, patterns)
    return replace(result, perhaps=perhaps, sentences=sentences)


def imprecise(digits: int) -> str:
    """The sentence for numbers that are right but for their last digits."""
    return (
        f"Right to {digits} digits and no further: no equation is wrong, but the numbers are rounded. "
        "Is something float32 inside, a derivative made of differences, or an epsilon added for safety?"
    )
