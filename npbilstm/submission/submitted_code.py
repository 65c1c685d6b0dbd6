"""Submitted code, recognised: in which form it is written, which subjects it has, and the pair of each.

A form is recognised by the functions and classes of its lines: they are there, and they take as many arguments. The
form with the most of them is taken, and of two with as many that whose words are there. What belongs to no form is
called as the textbook's functions are.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple, Protocol

import numpy as np

from npbilstm.submission.arguments import find_argument
from npbilstm.submission.call_graph import names_used, reached
from npbilstm.submission.course_specs import ALL_SPECS, PASSES, RESET_BEFORE, subjects_in, textbook_names
from npbilstm.submission.errors import FINAL, SubmissionError
from npbilstm.submission.form import CallsRead, Form, read_calls
from npbilstm.submission.form_passes import FormPasses
from npbilstm.submission.forms import FORMS, TEXTBOOK, form_called
from npbilstm.submission.function_spec import Arrays, shape_of
from npbilstm.submission.intermediates import intermediates
from npbilstm.submission.layouts import Layout
from npbilstm.submission.pairs import submitted_pair
from npbilstm.submission.submitted_pair import SubmittedPair


class FormSubject(NamedTuple):
    """What a form has for a subject, whether the backward pass is there, and which of the form's ways to call it this
    is."""

    calls: CallsRead
    backward: bool
    way: int = 0

    @property
    def functions(self) -> tuple[str, ...]:
        """The names of the submitted functions."""
        return self.calls.functions if self.backward else self.calls.functions[:1]

    @property
    def absent(self) -> frozenset[str]:
        """What the form lacks; see CallsRead."""
        if self.backward:
            return self.calls.absent
        return self.calls.absent - set(self.calls.outputs)


class SubmittedCode:
    """The names of a submission, read in a form.

    names: what is submitted, functions and classes by their names. form: the form that it is to be read in; "" for the
    one that fits the best. renamed: names of arguments -> the textbook's.

    Raises SubmissionError where there is no such form.
    """

    def __init__(
        self,
        names: Mapping[str, Any],
        form: str = "",
        renamed: Mapping[str, str] | None = None,
    ) -> None:
        self.names, self.renamed = dict(names), renamed or {}
        functions = {name: value for name, value in names.items() if name in PASSES and callable(value)}
        self.form = form_called(form) if form else best_form(self.names, functions)
        self.ways = subjects_of_form(self.form, self.names)
        used = {name for ways in self.ways.values() for way in ways for name in way.functions}
        self.functions: dict[str, Callable[..., Any]] = {n: f for n, f in functions.items() if n not in used}

    @property
    def of_form(self) -> dict[str, FormSubject]:
        """The subjects that are called as the form has it, each in the way that is chosen."""
        return {name: ways[0] for name, ways in self.ways.items()}

    @property
    def judged(self) -> list[str]:
        """The names of the functions that can be judged."""
        own = [name for subject in self.of_form.values() for name in subject.functions]
        return list(dict.fromkeys([*own, *self.functions]))

    def subjects(self, layout: Layout) -> dict[str, tuple[str, ...]]:
        """The subjects that are there, by name, and the functions that are theirs."""
        return subjects_of(self.of_form, self.functions, layout)

    def pair(self, name: str, layout: Layout) -> SubmittedPair | None:
        """The pair of a subject in a layout; None where there is none. Raises SubmissionError."""
        subject = subject_called(name, self.of_form, layout)
        if subject is None:
            return submitted_pair(ALL_SPECS[name], self.functions, layout, self.renamed)
        layout = subject.calls.layout_in(layout)
        passes = FormPasses(subject.calls, self.names, layout)
        return SubmittedPair(
            passes.run_forward,
            passes.run_backward if subject.backward and subject.calls.gradients else None,
            subject.functions,
            self.uses(subject),
            subject.absent | (frozenset() if layout.has_batch else {"rows"}),
            passes.findings,
            passes.changed,
            partial(intermediates, passes.run_forward, self.names, subject.calls.spec, layout),
        )

    def uses(self, subject: FormSubject) -> frozenset[str]:
        """The textbook's functions that a subject's functions stand for or call."""
        top = {name.partition(".")[0] for name in subject.functions}
        own = frozenset().union(*(reached(name, self.names) for name in top))
        found = set(textbook_names(own & self.functions.keys(), Layout()))
        for other in self.of_form.values():
            if {name.partition(".")[0] for name in other.functions} <= own:
                found |= {other.calls.spec.forward, other.calls.spec.backward, *(other.calls.spec.steps or ())}
        return frozenset(found - {""})


def subjects_of(
    of_form: Mapping[str, FormSubject], functions: Iterable[str], layout: Layout
) -> dict[str, tuple[str, ...]]:
    """The subjects of a form and those of the textbook's functions, in the order in which they are judged."""
    found = subjects_in(set(functions), layout)
    for name, subject in of_form.items():
        found[moved_reset(name, of_form, layout)] = subject.functions
    return {name: found[name] for name in ALL_SPECS if name in found}


def moved_reset(name: str, of_form: Mapping[str, FormSubject], layout: Layout) -> str:
    """The subject that one of a form's is in a layout: of a GRU, that in which the reset stands there."""
    moved = name.replace("gru", f"gru{RESET_BEFORE}") if name in ("gru", "gru_step") else name
    return moved if layout.reset == "before" and moved not in of_form else name


def subject_called(name: str, of_form: Mapping[str, FormSubject], layout: Layout) -> FormSubject | None:
    """What a form has for the subject of this name in a layout; None where it has nothing."""
    for own, subject in of_form.items():
        if moved_reset(own, of_form, layout) == name:
            return subject if own == name else subject._replace(calls=subject.calls.of_subject(name))
    return None


def subjects_of_form(form: Form, names: Mapping[str, Any]) -> dict[str, list[FormSubject]]:
    """The subjects of a form that are among these names, each with the ways to call it that fit."""
    found: dict[str, list[FormSubject]] = {}
    taken: dict[tuple[str, ...], str] = {}
    for k, calls in enumerate(form.calls):
        own = [name for name, value in names.items() if callable(value)]
        for layer in [name for name in own if re.fullmatch(calls.named, name)] if calls.named else [""]:
            if layer and not set(calls.uses.split()) <= names_in_code(names[layer]):
                continue
            read = read_calls(form, calls, layer)
            if taken.get(read.functions, calls.subject) != calls.subject:
                continue  # it is a sequence's already
            backward = all(there(name, names) for name, _ in read.calls(1))
            others = (ways[0].functions[:1] for subject, ways in found.items() if subject != calls.subject)
            if not backward and read.functions[:1] in others:
                continue
            if fits(read, 0, names):
                found.setdefault(calls.subject, []).append(FormSubject(read, backward, k))
                taken[read.functions] = calls.subject
    return found


class Recognised(Protocol):
    """Submitted code in this process or in another."""

    ways: dict[str, list[FormSubject]]

    def pair(self, name: str, layout: Layout) -> SubmittedPair | None:
        """The pair of a subject in a layout."""


def choose_ways(code: Recognised, layout: Layout) -> None:
    """Leave to every subject of the form that way to call it which runs; the first where none does."""
    for name, ways in code.ways.items():
        first = ways[0]
        while len(ways) > 1 and not runs(code, name, layout):
            ways.pop(0)
        if len(ways) == 1 and ways[0] is not first and not runs(code, name, layout):
            ways.insert(0, first)


def runs(code: Recognised, name: str, layout: Layout) -> bool:
    """Whether a subject's forward pass runs as it is called now. What has not ended in time is told later."""
    spec, rng = ALL_SPECS[name], np.random.default_rng(0)
    try:
        pair = code.pair(name, layout)
        assert pair is not None
        sizes = {"N": 1 if "rows" in pair.absent else 2, "T": 4, "D": 2, "H": 3, "V": 5, "R": 2}
        shapes = {each: shape_of(axes, sizes) for each, axes in spec.inputs.items()}
        inputs: Arrays = {each: rng.standard_normal(shape) for each, shape in shapes.items()}
        whole = {"ids": 5, "targets": 5, "lengths": 5, "steps": 3}
        inputs |= {
            each: np.asarray(rng.integers(1, whole[each], shapes[each])) for each in whole.keys() & shapes.keys()
        }
        pair.forward({each: np.asarray(array) for each, array in inputs.items()})
    except FINAL:
        return True
    except Exception:  # that is what the other way does
        return False
    return True


def best_form(names: Mapping[str, Any], functions: Mapping[str, Any]) -> Form:
    """The form that fits the most."""
    words = {word for value in names.values() for word in words_of(value)}
    best, most = TEXTBOOK, (textbook_count(functions), 0)
    for form in FORMS.values():
        subjects = subjects_of_form(form, names)
        own = {
            name
            for ways in subjects.values()
            for k in (0, 1)
            for name, _ in ways[0].calls.calls(k)
            if k == 0 or fits(ways[0].calls, 1, names)
        }
        count = len(own), len(words & set(form.words.split()))
        if subjects and count > most:
            best, most = form, count
    return best


def textbook_count(functions: Mapping[str, Any]) -> int:
    """How many functions can be called as the textbook's are."""
    count = 0
    for name, own in subjects_in(functions, Layout()).items():
        try:
            submitted_pair(ALL_SPECS[name], functions, Layout())
        except SubmissionError:
            continue
        count += len(own)
    return count


def fits(calls: CallsRead, k: int, names: Mapping[str, Any]) -> bool:
    """Whether what the forward or the backward lines call is there, and can be called so."""
    needed = calls.calls(k)
    if k == 0 and calls.written.uses:
        top = {name.partition(".")[0] for name, _ in needed}
        if not set(calls.written.uses.split()) <= {word for name in top for word in names_in_code(names.get(name))}:
            return False
    if not needed:
        return calls.lines[k] == "" or (k == 0 and fits(calls, 1, names))
    return all(there(name, names) and can_be_called(name, call, names, calls) for name, call in needed)


def there(name: str, names: Mapping[str, Any]) -> bool:
    """Whether a function, class or method is there."""
    return callable(found_in(name, names))


def found_in(name: str, names: Mapping[str, Any]) -> Any:
    """A function, class or method by its name, LSTM.forward; None where there is none."""
    first, _, rest = name.partition(".")
    value = names.get(first)
    return inspect.getattr_static(value, rest, None) if rest and isinstance(value, type) else None if rest else value


def can_be_called(name: str, call: ast.Call, names: Mapping[str, Any], calls: CallsRead) -> bool:
    """Whether something takes as many arguments, and none of them by the name of another."""
    function = found_in(name, names)
    try:
        signature = inspect.signature(function)
        given = [None] * (len(call.args) + ("." in name and not isinstance(function, staticmethod)))
        signature.bind(*given, **{word.arg: None for word in call.keywords if word.arg})
    except (TypeError, ValueError):
        return False
    parameters = [each.name for each in signature.parameters.values()][len(given) - len(call.args) :]
    for argument, parameter in zip(call.args, parameters):
        meant = find_argument(parameter, calls.spec.inputs)
        if isinstance(argument, ast.Name) and argument.id in calls.spec.inputs and meant not in (None, argument.id):
            return False
    return True


def names_in_code(value: Any) -> set[str]:
    """The names that a function's code looks up, a class's methods' too."""
    parts = [each for kind in value.__mro__ for each in vars(kind).values()] if isinstance(value, type) else [value]
    return {name for part in parts if inspect.isfunction(part) for name in names_used(part)}


def words_of(value: Any) -> list[str]:
    """The names of a function's arguments, of a class's methods' too."""
    functions = [value] if inspect.isfunction(value) else []
    functions += [each for each in vars(value).values() if inspect.isfunction(each)] if isinstance(value, type) else []
    return [name for function in functions for name in function.__code__.co_varnames[: function.__code__.co_argcount]]
