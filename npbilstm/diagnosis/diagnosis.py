"""Diagnosis: somebody's two passes of a spec, judged on staged probes against the textbook, and the reason named.

    1. run both passes on every stage, and the textbook's beside them
    2. the forward pass wrong: which catalogued mistake gives these outputs? else: which invariance is broken?
    3. the gradients wrong: which catalogued mistake, or which two, give exactly these gradients?
    4. none: where is it? which equation does not hold?

Where the forward pass is not the textbook's, its gradients are judged against numerical derivatives of what it is.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.diagnosis.invariances import broken
from npbilstm.diagnosis.localization import located
from npbilstm.diagnosis.matching import Bugs, Search
from npbilstm.diagnosis.observations import IMPRECISE, Evidence, StoppedError, gather
from npbilstm.diagnosis.stages import SIZES
from npbilstm.diagnosis.symptoms import StageResult, reading
from npbilstm.submission.errors import FINAL, OwnError
from npbilstm.submission.function_spec import FunctionSpec
from npbilstm.submission.pairs import Refused
from npbilstm.submission.specs import SPECS

ROUNDED = (
    "The outputs are right to a few digits and no further: the numbers are rounded. Is something "
    "float32 inside, or an epsilon added for safety?"
)
CONSISTENT = ("The backward pass is the derivative of this forward pass, so no gradient check can see the mistake.",)


MAYBE_KNOWN = "This may be nothing but what was found above, in another form: mend that first."


@dataclass(frozen=True)
class Diagnosis:
    """What was found out about one spec.

    named: the catalogued mistakes that explain all of it exactly, usually one; each alternative is a bug or a pair.
    by_outputs: whether they were compared by the outputs alone. known: mistakes of a spec that this one builds on,
    and which show here too. located: the equations, where no
    catalogued mistake fits. sentences: what the stages and the invariances say. findings: how the functions behaved
    besides. stopped: what the code raised, where it raised at every stage and could not be judged, or why it could not
    be called; with stages, of the backward pass alone.
    """

    subject: str
    functions: tuple[str, ...]
    stages: tuple[StageResult, ...]
    named: tuple[Bugs, ...] = ()
    known: Bugs = ()
    located: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    stopped: str = ""
    by_outputs: bool = False

    @property
    def verdict(self) -> str:
        """ "right" where every output and gradient is right and nothing else was found, "wrong" where something is not,
        "not judged" where nothing is wrong so far as the functions run."""
        if self.findings or not all(stage.ok for stage in self.stages):
            return "wrong"
        return "right" if self.stages and not self.stopped else "not judged"

    @property
    def ok(self) -> bool:
        """True where the verdict is "right"."""
        return self.verdict == "right"

    @property
    def not_judged(self) -> tuple[str, ...]:
        """The functions about which nothing is said, since they stop."""
        return () if not self.stopped else self.functions[-1:] if self.stages else self.functions

    @property
    def judged(self) -> tuple[str, ...]:
        """The functions about which the verdict is."""
        return self.functions[: len(self.functions) - len(self.not_judged)]


def diagnose_pairs(
    pairs: Mapping[str, Any],
    seed: int = 0,
    sizes: dict[str, int] = SIZES,
    begin: Callable[[FunctionSpec], None] | None = None,
) -> Iterator[Diagnosis]:
    """The diagnosis of each of a person's pairs, in the order in which specs build on one another.

    pairs: the spec's name -> its pair, which may say in `absent` which inputs its form lacks, or Refused. A mistake
    that is named in one spec is known to those built on it, and need not be found again. begin: called with each
    spec before it is judged.
    """
    known: Bugs = ()
    cleared: frozenset[str] = frozenset()
    deep = True
    for name, spec in SPECS.items():
        if name in pairs:
            if begin is not None:
                begin(spec)
            found = diagnose_what_runs(spec, pairs[name], seed, sizes, known, cleared, deep)
            yield found
            if found.ok:
                cleared |= set(found.functions)
            if len(found.named) == 1:
                known = (*known, *found.named[0])
            wrong = any(stage.wrong or stage.wrong_outputs for stage in found.stages)
            deep = deep and not (wrong and not found.named and not found.known)


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
        stopped = described(error.__cause__)
    try:
        forward = diagnose_pair(spec, ForwardOnly(pair), *options)
    except (StoppedError, *FINAL):
        return Diagnosis(spec.name, functions, (), stopped=stopped)
    return replace(forward, functions=functions, stopped=stopped)


def described(error: BaseException | None) -> str:
    """What a person should read of what their code raised."""
    if error is None or isinstance(error, OwnError):
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
) -> Diagnosis:
    """The diagnosis of one pair. known, cleared: mistakes in what it may be built on, and functions that were judged
    right; in those that it calls no mistake is looked for. deep: whether two mistakes at once are tried.

    Raises StoppedError, from what the person's code raises, where it does so at every stage.
    """
    with np.errstate(all="ignore"):  # the logarithms that somebody takes are theirs to warn of
        return judged(spec, pair, gather(spec, pair, seed, sizes), seed, known, cleared, deep)


def judged(
    spec: FunctionSpec, pair: Any, evidence: Evidence, seed: int, known: Bugs, cleared: frozenset[str], deep: bool
) -> Diagnosis:
    """The diagnosis from the evidence; see diagnose_pair."""
    findings = tuple(getattr(pair, "findings", ()))
    result = Diagnosis(spec.name, functions_of(spec, pair), evidence.stages(), findings=findings)
    if evidence.rounded:
        result = replace(result, findings=(*findings, ROUNDED))
    if all(stage.ok for stage in result.stages):
        return result
    if 0 < evidence.worst < IMPRECISE:
        return replace(result, sentences=(imprecise(int(-np.log10(evidence.worst))),))
    if evidence.forward_wrong:
        result = replace(result, sentences=invariances(spec, pair, evidence, seed))
    else:
        result = replace(result, sentences=tuple(filter(None, [reading(result.stages, spec)])))
    # what is known of the specs below shows here only where this one is built on them
    for assumed in dict.fromkeys([known, ()]):
        search = Search(evidence, assumed, cleared & getattr(pair, "uses", frozenset()))
        found = of_forward(result, search) if evidence.forward_wrong else of_backward(result, search)
        if found.named or found.known:
            return found
    if known or not deep:
        found = replace(found, sentences=(*found.sentences, MAYBE_KNOWN))
    if not evidence.forward_wrong:
        return of_two(found, search, deep)
    return of_two_forward(found, search) if deep and not known else found


def invariances(spec: FunctionSpec, pair: Any, evidence: Evidence, seed: int) -> tuple[str, ...]:
    """The sentences on broken invariances; none where the code stops at what they need."""
    try:
        return tuple(broken(spec, pair, evidence.absent, seed))
    except FINAL:
        raise
    except Exception:
        return ()


def of_forward(result: Diagnosis, search: Search) -> Diagnosis:
    """The reason of wrong outputs, and whether the gradients are at least theirs."""
    consistent = not any(stage.wrong for stage in result.stages)
    already = bool(search.known) and search.matches(parts=("outputs",))
    if already and (consistent or search.matches()):
        return replace(result, known=search.known)
    named = search.singles()
    if named:
        return replace(result, named=tuple(named), known=search.known)
    alone = [()] if already else search.singles(("outputs",))
    if consistent:
        note = CONSISTENT if len(search.evidence.parts) == 2 else ()
        sentences = (*result.sentences, *note, *layouts_meant(alone))
        return replace(result, named=tuple(alone), by_outputs=True, sentences=sentences)
    both = [(*first, bug) for first in alone for bug in search.bugs if search.matches((*first, bug))]
    if both:
        return replace(result, named=tuple(both))
    sentence = "The gradients are not those of these outputs either: mend the forward pass first, then run again."
    return replace(result, named=tuple(filter(None, alone)), by_outputs=True, sentences=(*result.sentences, sentence))


def layouts_meant(named: Iterable[Bugs]) -> tuple[str, ...]:
    """A sentence where the mistake may be none: gates in an order of one's own."""
    orders = [bug.id.split("-")[-1] for bugs in named for bug in bugs if bug.id.startswith("gate-order-")]
    return tuple(
        f"If {', '.join(order)} is the order that you mean, say so in the file's first line: # npbilstm: gates={order}"
        for order in orders[:1]
    )


def of_backward(result: Diagnosis, search: Search) -> Diagnosis:
    """The one mistake behind wrong gradients of right outputs, or the mistakes known already."""
    if search.known and search.matches():
        return replace(result, known=search.known, sentences=())
    named = tuple(search.singles())
    return replace(result, named=named, known=search.known if named else ())


def of_two_forward(result: Diagnosis, search: Search) -> Diagnosis:
    """The two mistakes behind wrong outputs that no single one explains."""
    pairs = search.forward_pairs()
    return replace(result, named=tuple(pairs), by_outputs=not any(map(search.matches, pairs)))


def of_two(result: Diagnosis, search: Search, deep: bool) -> Diagnosis:
    """The two mistakes behind wrong gradients that no single one explains, or where they are."""
    evidence, patterns = search.evidence, search.patterns()
    named = tuple(search.pairs(patterns)) if deep else ()
    if named:
        return replace(result, named=named)
    sentences = tuple(filter(None, [*result.sentences, evidence.noticed()]))
    places = located(evidence, patterns)
    open_places = tuple(place for place in places if place.split(" in ")[-1] not in search.cleared)
    return replace(result, located=open_places or places, sentences=sentences)


def imprecise(digits: int) -> str:
    """The sentence for numbers that are right but for their last digits."""
    return (
        f"Right to {digits} digits and no further: no equation is wrong, but the numbers are rounded. "
        "Is something float32 inside, a derivative made of differences, or an epsilon added for safety?"
    )
