"""The text of a report: what is wrong first, then how it was found, then as much of a hint as was asked for."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable
from typing import Any

from npbilstm.diagnosis.results import Diagnosis, OwnQuantity
from npbilstm.diagnosis.symptoms import joined_blocks
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.returns import NOT_WRITTEN

HINTS = (1, 2, 3)
MOST_OTHERS = 3
"""How many mistakes are named that give the same numbers."""
WIDTH = 100
ON_THE_COMMAND_LINE, IN_PYTHON = "--hint {}", "nb.diagnose(..., hint={})"
"""How a hint is asked for."""


def require_hint(hint: int) -> None:
    """Raise ValueError unless there is a hint of this level."""
    if hint not in HINTS:
        raise ValueError(f"hint is {hint!r}; it needs 1 (vague), 2 or 3 (exact)")


def not_judged_lines(name: str, reason: str) -> list[str]:
    """What was not judged, and why."""
    return wrapped(f"not judged  {name}: {reason}.", 0)


def why_stopped(diagnosis: Diagnosis) -> str:
    """Why functions were not judged: what they raise at every stage, or that they are not written yet."""
    last = diagnosis.stopped.splitlines()[-1]
    if NOT_WRITTEN in last:
        return f"it {last[last.index(NOT_WRITTEN) :]}"
    return f"it {NOT_WRITTEN}" if last.startswith("NotImplementedError") else last.rstrip(".")


def headline(diagnosis: Diagnosis) -> str:
    """One line on what was judged: the verdict, the functions at fault, and why, in less than WIDTH characters."""
    if diagnosis.verdict != "wrong":
        digits = " (float32: to four digits)" if diagnosis.single else ""
        lines = [f"ok     {', '.join(diagnosis.judged)}{digits}"]
    else:
        first, *others = at_fault(diagnosis)
        called = [", ".join([first, *others]), *([f"{first}, ..."] if others else [])]
        whys = [[why.replace(f" in {functions}", "") for functions in called] for why in causes(diagnosis)]
        lines = [f"WRONG  {functions}: {why}" for both in whys for functions, why in zip(called, both)]
    line = next((line for line in lines if len(line) < WIDTH), lines[-1])
    return line if len(line) < WIDTH else f"{line[: WIDTH - 4]}..."


def at_fault(diagnosis: Diagnosis) -> tuple[str, ...]:
    """Of the two functions, the backward pass where its gradients are wrong and the outputs right, the forward pass
    where its outputs are wrong and the gradients are theirs, and what misbehaves."""
    if len(diagnosis.judged) < 2 or any(stage.raised for stage in diagnosis.stages):
        return diagnosis.judged
    told = [[name for name in diagnosis.judged if finding.startswith(f"{name} ")] for finding in diagnosis.findings]
    if not all(told):
        return diagnosis.judged
    forward = any(stage.wrong_outputs for stage in diagnosis.stages)
    backward = any(stage.wrong for stage in diagnosis.stages)
    wrong = (forward, backward)
    return tuple(name for k, name in enumerate(diagnosis.judged) if wrong[k] or [name] in told) or diagnosis.judged


def cause(diagnosis: Diagnosis) -> str:
    """What is wrong, in a few words."""
    return causes(diagnosis)[0]


def causes(diagnosis: Diagnosis) -> list[str]:
    """What is wrong, in a few words, and in fewer."""
    if diagnosis.nothing_new:
        above = "nothing but what was found above"
        return [f"{above} ({', '.join([bug.id for bug in diagnosis.known] or diagnosis.built_on)})", above]
    if diagnosis.named:
        besides = ", besides what was found above" if diagnosis.known else ""
        first = diagnosis.named[0]
        return [" and ".join(bug.id for bug in first) + besides, f"{COUNTED[len(first)]}{besides}"]
    if diagnosis.located:
        return [f"not in the catalogue, located at {said}" for said in in_fewer(diagnosis.located)]
    if diagnosis.perhaps:
        return [f"not in the catalogue, perhaps at {said}" for said in in_fewer(diagnosis.perhaps)]
    if diagnosis.known:
        return ["what was found above, and more"]
    if any(stage.wrong_outputs for stage in diagnosis.stages):
        return ["the outputs are not the textbook's, and no known mistake gives them", "the outputs are wrong"]
    if any(stage.wrong for stage in diagnosis.stages):
        return ["the gradients are wrong, and no known mistake fits", "the gradients are wrong"]
    changed = dict.fromkeys(match[1] for match in map(IN_PLACE.search, diagnosis.findings) if match)
    changed = changed or dict.fromkeys(name for stage in diagnosis.stages for name in stage.changed)
    if changed:
        return [f"right numbers, but it changes its {', '.join(changed)} in place"]
    said = re.split("[:;]", next(iter(diagnosis.findings), "it stops at some stages"))[0]
    return [said, "its numbers are right, and it behaves as it must not"]


IN_PLACE = re.compile(r" changes its (\w+) in place")
"""A finding that says so."""
COUNTED = ["", "a known mistake", "two known mistakes together"]


def in_fewer(places: tuple[str, ...]) -> list[str]:
    """Places, all of them and then the first, with how many there are besides."""
    more = f" or at {len(places) - 1} more" if len(places) > 1 else ""
    return [where(places), where(places[:1]) + more, f"{len(places)} place{'s'[: len(places) > 1]}"]


def where(places: Iterable[str]) -> str:
    """Places, those of one function together. A gate's gradient and that of its pre-activation cannot be told apart."""
    by_function: dict[str, list[str]] = {}
    for place in places:
        equation, _, function = place.partition(" in ")
        by_function.setdefault(function, []).append(re.sub(r"^(d?)([ifgorzn])$", r"\1\2 (or \1a_\2)", equation))
    return " or ".join(f"{' or '.join(some)} in {function}" for function, some in by_function.items())


def text_of(diagnosis: Diagnosis, hint: int = 1, more: str = ON_THE_COMMAND_LINE) -> str:
    """The whole of it, over several lines; hint is 1 (vague), 2 or 3 (the right line). more: how a further hint is
    asked for, with {} for its number."""
    require_hint(hint)
    said = [not_judged_text(diagnosis)] if diagnosis.stopped else []
    return "\n".join([*said, *judged_text(diagnosis, hint, more)])


def not_judged_text(diagnosis: Diagnosis) -> str:
    """On the functions that stop, with the lines at which they do."""
    lines = not_judged_lines(", ".join(diagnosis.not_judged), why_stopped(diagnosis))
    return "\n".join([*lines, *(f"  {line}" for line in diagnosis.stopped.splitlines()[:-1])])


def judged_text(diagnosis: Diagnosis, hint: int, more: str = ON_THE_COMMAND_LINE) -> list[str]:
    """On the functions that were judged; [] where none was."""
    if not diagnosis.judged:
        return []
    lines = [headline(diagnosis)]
    if diagnosis.verdict != "wrong" or diagnosis.nothing_new:
        return lines
    lines += [f"  {line}" for line in stage_table(diagnosis)]
    findings = (each for each in diagnosis.findings if not is_in_headline(each, diagnosis))
    for sentence in (*diagnosis.sentences, *findings, *quantity_sentences(diagnosis, hint)):
        lines += wrapped(sentence if sentence.endswith((".", "?", "!")) else f"{sentence}.")
    if diagnosis.named:
        lines += mistake_lines(diagnosis, hint, more)
    elif diagnosis.located:
        said = "All equations hold with the numbers that your code has, but for"
        lines += wrapped(f"No known mistake gives these numbers. {said} {where(diagnosis.located)}.")
    elif diagnosis.perhaps:
        lines += wrapped(f"No known mistake gives these numbers. Perhaps it is in {where(diagnosis.perhaps)}.")
    if not diagnosis.named and quantity_sentences(diagnosis, hint) != quantity_sentences(diagnosis, HINTS[-1]):
        lines += wrapped(f"({more.format(hint + 1)} says more.)")
    return lines


def is_in_headline(finding: str, diagnosis: Diagnosis) -> bool:
    """Whether a finding is that an array is changed in place, and the headline says so."""
    if not IN_PLACE.search(finding):
        return False
    found = sum(bool(IN_PLACE.search(each)) for each in diagnosis.findings)
    return "in place" in cause(diagnosis) or ("in-place" in cause(diagnosis) and found == 1)


def wrapped(text: str, indent: int = 2, first: str = "") -> list[str]:
    """A sentence over as many lines as it needs; `first` stands before it."""
    margin = " " * indent
    return textwrap.wrap(first + text, WIDTH, initial_indent=margin, subsequent_indent=margin + " " * len(first))


def stage_table(diagnosis: Diagnosis) -> list[str]:
    """A line for each stage."""
    width = max((len(stage.name) for stage in diagnosis.stages), default=0)
    gates = ALL_SPECS[diagnosis.subject].gates
    lines = []
    for stage in diagnosis.stages:
        what = []
        if stage.raised:
            what.append(f"stopped: {stage.raised.splitlines()[-1]}")
        if stage.wrong_outputs:
            what.append(f"outputs {', '.join(stage.wrong_outputs)}")
        if stage.wrong:
            what.append(f"gradients of {joined_blocks(stage.wrong, gates)}")
        lines.append(f"{'ok   ' if stage.ok else 'WRONG'}  {stage.name:{width}}  {'; '.join(what)}".rstrip())
    return lines


def quantity_sentences(diagnosis: Diagnosis, hint: int) -> list[str]:
    """What a wrong forward pass computes on its way: which of it is right; from hint 2 on what it is instead; at hint 3
    how it is computed."""
    own = [each for each in diagnosis.quantities if each.yours]
    if not any(each.right for each in own) and all(each.yours == each.meant for each in own if not each.right):
        own = [each for each in own if each.yours not in ("h", "c")]  # outputs, of which the stages have told
    right, wrong = ([called(each) for each in own if each.right == kind] for kind in (True, False))
    said = [f"{in_words(right)} {'are' if len(right) > 1 else 'is'} right"] if right else []
    said += [f"{in_words(wrong)} {'are' if len(wrong) > 1 else 'is'} not"] if wrong else []
    at = next((f" at step {each.step}" for each in own if each.step is not None), "")
    sentences = [f"Your own values{at}: {', '.join(said)}."] if said else []
    for each in own if hint > 1 else []:
        if each.is_now:
            sentences.append(f"Your {each.yours} is the textbook's {each.is_now}.")
    for each in diagnosis.quantities if hint > HINTS[1] else []:
        if each.formula:
            yours = f"Your {each.yours} has" if each.yours else "The outputs are"
            sentences.append(f"{yours} exactly the numbers of {each.formula}; the textbook has {each.textbook}.")
    return sentences


def called(own: OwnQuantity) -> str:
    """A quantity by their name, with the textbook's where that is another."""
    return own.yours if own.yours == own.meant else f"{own.yours} ({own.meant})"


def in_words(names: list[str]) -> str:
    """Names, the last after "and"."""
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def mistake_lines(diagnosis: Diagnosis, hint: int, more: str) -> list[str]:
    """What is said of the mistakes that fit: of the likeliest all, of others that give the same numbers their names."""
    first, *others = diagnosis.named
    lines = wrapped(fit_sentence(diagnosis, len(first)))
    for bug in first:
        lines += wrapped(bug.id, 4)
        lines += wrapped(bug.concept, 6)
        for level in HINTS[:hint]:
            lines += wrapped(bug.hints[level - 1], 6, f"hint {level}: ")
    if others:
        names = [" and ".join(bug.id for bug in bugs) for bugs in others]
        shown = "; ".join([*names[:MOST_OTHERS], *(["others"] if len(names) > MOST_OTHERS else [])])
        lines += wrapped(f"The same numbers are given by: {shown}.", 4)
    return lines + (wrapped(f"({more.format(hint + 1)} says more.)") if hint < len(HINTS) else [])


def fit_sentence(diagnosis: Diagnosis, count: int) -> str:
    """How well mistakes fit: what was compared, and where."""
    fits = "A known mistake fits" if count == 1 else "Two known mistakes together fit"
    beside = " together with what was found above," if diagnosis.known else ""
    what = " in its outputs," if diagnosis.by_outputs else ""
    stopped = any(stage.raised for stage in diagnosis.stages)
    return f"{fits} exactly,{beside}{what} number by number, at every stage{' that runs' if stopped else ''}:"


def as_dict(diagnosis: Diagnosis, hint: int = 1) -> dict[str, Any]:
    """The diagnosis for a program: plain dicts, lists and strings, as json writes them."""
    return {
        "subject": diagnosis.subject,
        "functions": list(diagnosis.functions),
        "verdict": diagnosis.verdict,
        "ok": diagnosis.ok,
        "cause": cause(diagnosis) if diagnosis.verdict == "wrong" else "",
        "stopped": diagnosis.stopped,
        "stages": [stage._asdict() for stage in diagnosis.stages],
        "named": [
            [
                {"id": bug.id, "equation": bug.equation, "concept": bug.concept, "hints": bug.hints[:hint]}
                for bug in bugs
            ]
            for bugs in diagnosis.named
        ],
        "known": [bug.id for bug in diagnosis.known],
        "built on": list(diagnosis.built_on),
        "located": list(diagnosis.located),
        "perhaps": list(diagnosis.perhaps),
        "quantities": [quantity_as_dict(each, hint) for each in diagnosis.quantities],
        "sentences": list(diagnosis.sentences),
        "findings": list(diagnosis.findings),
    }


def quantity_as_dict(own: OwnQuantity, hint: int) -> dict[str, Any]:
    """A quantity for a program, with as much as the hint tells."""
    told: dict[str, Any] = {"yours": own.yours, "textbook": own.meant, "right": own.right, "step": own.step}
    if hint > 1:
        told["is"] = own.is_now
    if hint > HINTS[1]:
        told |= {"computed as": own.formula, "equation": own.textbook}
    return told
