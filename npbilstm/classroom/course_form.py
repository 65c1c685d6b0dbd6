"""The exercises as a course has them: its functions or classes, called as its own lines call them.

A form (npbilstm/submission/forms) has lines for each subject; an exercise in a form asks for what they call. An
exercise about what a course has no function for is not among them, nor is one that asks for nothing new there.
"""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Collection, Iterable

import numpy as np

from npbilstm.classroom.exercise import Exercise
from npbilstm.classroom.exercises import ALL
from npbilstm.classroom.rewording import reworded
from npbilstm.classroom.stubs import docstring
from npbilstm.submission.contained import ContainedSubmission
from npbilstm.submission.contained_form import ContainedForm, form_named
from npbilstm.submission.conventions import Conventions
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.definitions import Definition
from npbilstm.submission.form import CallsRead, Form, read_calls
from npbilstm.submission.form_weights import submitted_weights
from npbilstm.submission.function_spec import shape_of
from npbilstm.submission.layouts import Layout, layout_of, to_submitted
from npbilstm.submission.submitted_pair import SubmittedPair

AS_COURSES_ASK = {"recurrent": "rnn"}
"""What courses ask for in the place of a subject: one cell through time for any."""
SIZES = {"N": 5, "T": 7, "D": 11, "H": 13, "V": 17}
LETTERS = {size: letter for letter, size in SIZES.items()} | {2: "2", 3: "3", 4: "4", 1: "1", 24: "H+D"}
LETTERS |= {count * SIZES["H"]: f"{count}H" for count in (2, 3, 4)}
WIDTH = 110
RECORD = re.compile(r"^# exercise: form=(\w{1,40})$", re.MULTILINE)


def calls_for(exercise: Exercise, form: Form) -> list[tuple[CallsRead, bool]]:
    """The lines by which a form calls what an exercise asks for, each with whether the backward pass is asked."""
    found = []
    for spec in exercise.specs:
        backward = spec.backward in exercise.functions
        name = AS_COURSES_ASK.get(spec.name, spec.name)
        calls = next((each for each in form.calls if each.subject == name), None)
        read = read_calls(form, calls) if calls is not None else None
        if read is not None and (read.gradients or not backward):
            found.append((read, backward))
    return found


def in_form(exercise: Exercise, name: str) -> Exercise | None:
    """An exercise as a course has it; None where the course has no such function."""
    if name == "textbook":
        return exercise
    asks = []
    for calls, backward in calls_for(exercise, form_named(name)):
        asks.append((calls.spec.name, calls.functions if backward else calls.functions[:1]))
    if not asks:
        return None
    functions = tuple(dict.fromkeys(each for _, names in asks for each in names))
    return exercise._replace(functions=functions, form=name, asks=tuple(asks))


def required_in_form(exercise: Exercise, name: str) -> Exercise:
    """An exercise in a form. Raises ValueError where it is not in it."""
    made = in_form(exercise, name)
    if made is None:
        raise ValueError(f"{exercise.name} is not in the form {name}, which has no such function")
    return made


def record_of(exercise: Exercise) -> str:
    """The line by which a file tells its form; "" for the textbook's."""
    return f"# exercise: form={exercise.form}" if exercise.asks else ""


def form_in(source: str) -> str:
    """The form that a source says it is of."""
    found = RECORD.search(source)
    return found[1] if found else "textbook"


def exercises_in_form(exercises: list[Exercise], name: str) -> list[Exercise]:
    """Those of some exercises that there are in a form."""
    every = [(exercise, in_form(exercise, name)) for exercise in ALL]
    first: dict[object, str] = {}
    for exercise, made in every:
        if made is not None and name != "textbook":
            first.setdefault(made.asks, exercise.name)
    return [
        made
        for exercise, made in every
        if made is not None and exercise in exercises and first.get(made.asks, exercise.name) == exercise.name
    ]


def calls_of(exercise: Exercise, subject: str) -> CallsRead:
    """The lines by which the form of an exercise calls one of its subjects."""
    form = form_named(exercise.form)
    return next(read_calls(form, calls) for calls in form.calls if calls.subject == subject)


def pair_in_form(
    submission: ContainedSubmission,
    exercise: Exercise,
    subject: str,
    own: Collection[str],
    definitions: Iterable[Definition],
) -> SubmittedPair | None:
    """The pair of a subject in an exercise's form, in the sandbox; None where its forward pass is not there. own: the
    names that are there."""
    names = dict(exercise.asks)[subject]
    if names[0] not in own:
        return None
    calls = calls_of(exercise, subject)
    spec = calls.spec
    used = {name for each in definitions for name in each.uses}
    uses = {spec.forward, spec.backward, *(spec.steps or ())}
    for other in form_named(exercise.form).calls:
        read = read_calls(form_named(exercise.form), other)
        if {name.partition(".")[0] for name in read.functions} <= used:
            uses |= {read.spec.forward, read.spec.backward}
    there = [name for name in names if name in own]
    return ContainedForm(calls).pair(submission, there, uses, len(there) == len(names))


def layout_in(calls: CallsRead) -> Layout:
    """The layout of a subject in its form."""
    return calls.layout_in(layout_of(calls.form.settings))


def arrays_of(calls: CallsRead) -> dict[str, np.ndarray]:
    """Arrays as a form has them: what the lines take, give and get, all 0, of sizes that are told apart."""
    spec, layout = calls.spec, layout_in(calls)
    sizes = SIZES if layout.has_batch else {**SIZES, "N": 1}
    inputs = {name: np.zeros(shape_of(axes, sizes)) for name, axes in spec.inputs.items()}
    plain = {name: axes for name, axes in {**spec.outputs, **spec.inputs}.items() if name not in calls.sources and axes}
    arrays = {name: to_submitted(name, np.zeros(shape_of(axes, sizes)), axes, layout) for name, axes in plain.items()}
    return arrays | submitted_weights(calls.weights, inputs, spec, layout)


def with_shape(name: str, calls: CallsRead) -> str:
    """An array's name with its shape, or the name alone."""
    known = arrays_of(calls).get(name, arrays_of(calls).get(name.removeprefix("d")))
    if known is None or not known.shape:
        return name
    axes = [LETTERS[size] for size in known.shape]
    return f"{name} ({', '.join(axes)}{',' * (len(axes) == 1)})"


def equations(calls: CallsRead, k: int) -> list[str]:
    """Title and equations of the textbook's docstrings, in a form's layout: of the pass, and of the step that it takes
    through time."""
    spec = calls.spec
    conventions = Conventions(layout_in(calls))
    parts = []
    for function in [(spec.forward, spec.backward)[k], *((spec.steps or ("", ""))[k : k + 1])]:
        if function:
            text = reworded(docstring(function), conventions)
            if function == "rnn_step_backward":
                text += "\n\n" + textwrap.indent(reworded(docstring("step_backward"), conventions), "    ")
            first, *rest = text.split("\n\n")
            title = re.sub(r", given [^.]*\.", ".", first)
            parts += [title, *(part for part in rest if part.startswith("    ") and "=" in part)]
    return [re.sub(r"\((h_prev)\)", r"\1", part.replace("mask * ", "")) for part in parts]


def weights_said(calls: CallsRead) -> list[str]:
    """What a form's weights are, where they are not the textbook's three."""
    said = []
    for name, part in calls.weights.items():
        if name != part.name or part.gate:
            block = f"the block of {part.gate} in " if part.gate else ""
            whole = " and ".join(calls.sources_of(name))
            added = sum(other == part for other in calls.weights.values()) > 1
            said.append(f"{with_shape(name, calls)} is {block}{whole}{', one of two that are added' * added}")
    return said


def said_of(calls: CallsRead, k: int) -> str:
    """The docstring of a form's forward or backward pass."""
    lines = calls.lines[k]
    taken, given = sorted(calls.loaded[k]), sorted(calls.stored[k])
    named = {*calls.spec.inputs, *calls.spec.outputs, *calls.weights}
    shapes = [with_shape(name, calls) for name in (*taken, *given) if name.removeprefix("d") in named or name in named]
    parts = [*equations(calls, k), "It is called so:", textwrap.indent(lines, "    ")]
    parts.append(textwrap.fill(f"{', '.join(dict.fromkeys(shapes))}.", WIDTH))
    if k == 0 and weights_said(calls):
        parts.append(textwrap.fill(f"In the textbook's names, {'; '.join(weights_said(calls))}.", WIDTH))
    layout, one_matrix = layout_in(calls), all(not part.gate for part in calls.weights.values())
    gates = {4: layout.gates, 3: layout.gru_gates}.get(len(calls.spec.gates))
    if k == 0 and gates and one_matrix:
        parts.append(f"The gates' blocks stand in the order {', '.join(gates)}.")
    if k == 0 and calls.also:
        parts.append(f"Besides, {', '.join(f'{name} = {right}' for name, right in calls.also.items())}.")
    if "grads" in calls.stored[k]:
        parts.append(textwrap.fill(f"Of weights, grads has {', '.join(f'd{name}' for name in calls.weights)}.", WIDTH))
    if k and calls.adds:
        parts.append("They are added up from call to call.")
    return "\n\n".join(parts)


def stubs_in_form(exercise: Exercise) -> list[str]:
    """What is to be written, functions and classes, with docstrings."""
    parts: dict[str, list[str]] = {}
    for subject, names in exercise.asks:
        calls = calls_of(exercise, subject)
        for k in range(len(names)):
            for name, call in calls.calls(k):
                whole, _, method = name.partition(".")
                said = said_of(calls, k) if name == calls.function(k) else "As it is called below."
                parts.setdefault(whole, []).append(stub_of(method or whole, call, said, whole[0].isupper()))
    titles = {whole: ALL_SPECS[subject].title for subject, names in exercise.asks for whole in [names[0].split(".")[0]]}
    return [
        "\n\n".join([f'class {whole}:\n    """{titles[whole][0].upper()}{titles[whole][1:]}."""', *stubs])
        if whole[0].isupper()
        else stubs[0]
        for whole, stubs in parts.items()
    ]


def stub_of(name: str, call: ast.Call, said: str, inside: bool) -> str:
    """A function that is not written yet. inside: of a class, which is made by the function of its own name."""
    arguments = ["self"] * inside
    arguments += [each.id if isinstance(each, ast.Name) else f"argument_{k}" for k, each in enumerate(call.args, 1)]
    makes = inside and name[0].isupper()
    end = "\n    " if "\n" in said else ""
    body = "" if makes else f'\n    raise NotImplementedError("{name} is not written yet")'
    quoted = textwrap.indent(said, "    ").strip()
    text = f'def {"__init__" if makes else name}({", ".join(arguments)}):\n    """{quoted}{end}"""{body}'
    return textwrap.indent(text, "    ") if inside else text
