"""What the process that runs submitted code may answer, and nothing else.

Whoever runs there may answer in its place. So everything is looked at here before it is used: its type, and whether a
right answer could say it. What could not is a ValueError, with the second half of a sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.printable import cut, in_lines, one_line
from npbilstm.submission.arguments import may_lack
from npbilstm.submission.course_specs import PASSES
from npbilstm.submission.form import Form, read_calls
from npbilstm.submission.forms import FORMS, TEXTBOOK, form_called
from npbilstm.submission.function_spec import Arrays, FunctionSpec, shape_of, sizes_in
from npbilstm.submission.intermediates import LONGEST
from npbilstm.submission.layouts import SETTINGS, Layout, layout_of, settings_of
from npbilstm.submission.messages import Shapes
from npbilstm.submission.returns import gradient_name
from npbilstm.submission.submitted_code import FormSubject

Facts = Mapping[str, Any]

IMPOSSIBLE = "it says what cannot be so"
ERROR, SENTENCE, FINDINGS = 3000, 500, 20
"""How many characters of an error and of a sentence are shown, and how many sentences there may be."""


def text_in(facts: Facts, key: str) -> str:
    """A string."""
    if not isinstance(facts.get(key), str):
        raise ValueError(IMPOSSIBLE)
    return str(facts[key])


def texts_in(facts: Facts, key: str, among: Collection[str] | None = None) -> list[str]:
    """A list of strings, each among these."""
    texts = facts.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise ValueError(IMPOSSIBLE)
    if among is not None and not set(texts) <= set(among):
        raise ValueError(IMPOSSIBLE)
    return list(dict.fromkeys(texts))


def error_in(facts: Facts) -> str:
    """What the submitted code raised, over several lines. It is never nothing: that would look as if all was well."""
    error = text_in(facts, "error")
    if not error.strip():
        raise ValueError(IMPOSSIBLE)
    return in_lines(cut(error, ERROR))


def place_in(facts: Facts) -> str:
    """The line at which the submitted code is."""
    return one_line(text_in(facts, "where"), SENTENCE)


def functions_in(facts: Facts) -> frozenset[str]:
    """The functions that a file defines and that can be judged."""
    return frozenset(texts_in(facts, "functions", PASSES))


def pinned_in(facts: Facts) -> frozenset[str]:
    """The settings of the layout that the file itself tells, or that it was given."""
    return frozenset(texts_in(facts, "pinned", SETTINGS))


def unread_passes(facts: Facts) -> tuple[str, ...]:
    """The names of what looks like a pass and is none of the textbook's."""
    others = texts_in(facts, "others")
    if not all(name.isidentifier() for name in others):
        raise ValueError(IMPOSSIBLE)
    return tuple(map(in_lines, others))


def layout_in(facts: Facts) -> Layout:
    """A file's layout: one that a header could have described."""
    parts = facts.get("layout")
    if not isinstance(parts, list) or [type(part) for part in parts] != [str] * len(Layout()):
        raise ValueError(IMPOSSIBLE)
    layout = Layout(*parts)
    try:
        possible = layout_of(settings_of(layout)) == layout
    except ValueError:
        possible = False
    if not possible:
        raise ValueError(IMPOSSIBLE)
    return layout


def form_in(facts: Facts, asked: str) -> tuple[Form, dict[str, list[FormSubject]]]:
    """The form in which a file was read, and the subjects that it has in that form, with the ways to call each. asked:
    the form that was asked for, or ""."""
    name = text_in(facts, "form")
    if not asked and name not in {TEXTBOOK.name, *FORMS}:
        raise ValueError(IMPOSSIBLE)
    form = form_called(asked or name)
    there = facts.get("subjects")
    if not isinstance(there, list) or not all(isinstance(each, list) and len(each) == 4 for each in there):
        raise ValueError(IMPOSSIBLE)
    subjects: dict[str, list[FormSubject]] = {}
    for subject, way, backward, layer in there:
        if [type(part) for part in (subject, way, backward, layer)] != [str, int, bool, str]:
            raise ValueError(IMPOSSIBLE)
        if layer and not layer.isidentifier():
            raise ValueError(IMPOSSIBLE)
        if not 0 <= way < len(form.calls) or form.calls[way].subject != subject:
            raise ValueError(IMPOSSIBLE)
        read = read_calls(form, form.calls[way], layer)
        subjects.setdefault(subject, []).append(FormSubject(read, backward, way))
    return form, subjects


def pair_in(facts: Facts) -> Facts:
    """What is told of a pair."""
    if not isinstance(facts.get("pair"), dict):
        raise ValueError(IMPOSSIBLE)
    return dict(facts["pair"])


def uses_in(facts: Facts) -> frozenset[str]:
    """The textbook's functions that the submitted functions call."""
    return frozenset(texts_in(facts, "uses", textbook.__all__))


def absent_in(facts: Facts, spec: FunctionSpec, layout: Layout, of_form: FormSubject | None = None) -> frozenset[str]:
    """The inputs that the submitted functions do without, and "rows" where the layout has no batch. of_form: what their
    form says of that, which they have no say in."""
    if of_form is not None:
        return of_form.absent | (frozenset() if layout.has_batch else {"rows"})
    absent = frozenset(texts_in(facts, "absent", {*(name for name in spec.inputs if may_lack(spec, name)), "rows"}))
    if ("rows" in absent) == layout.has_batch:
        raise ValueError(IMPOSSIBLE)
    return absent


def findings_in(facts: Facts) -> list[str]:
    """Sentences on how the submitted functions behaved."""
    findings = texts_in(facts, "findings")
    if len(findings) > FINDINGS:
        raise ValueError(IMPOSSIBLE)
    return [one_line(finding, SENTENCE) for finding in findings]


def values_in(facts: Facts, arrays: Arrays) -> Arrays:
    """What was computed on the way, by the submitted functions' names for it."""
    names = texts_in(facts, "values")
    if list(arrays) != [str(k) for k in range(len(names))]:
        raise ValueError(IMPOSSIBLE)
    if not all(name.isidentifier() and len(name) <= LONGEST for name in names):
        raise ValueError(IMPOSSIBLE)
    return dict(zip(map(in_lines, names), complete_arrays(arrays, dict.fromkeys(arrays, ())).values()))


def changed_arrays(facts: Facts, spec: FunctionSpec) -> list[str]:
    """The arrays that the submitted functions changed in place."""
    return texts_in(facts, "changed", {*spec.inputs, *map(gradient_name, spec.outputs)})


def output_shapes(spec: FunctionSpec, inputs: Arrays) -> Shapes:
    """The outputs that a forward pass may give for these inputs."""
    sizes = sizes_in(spec, inputs)
    return {name: shape_of(axes, sizes) for name, axes in spec.outputs.items()}


def may_end_early(spec: FunctionSpec) -> bool:
    """Whether a forward pass may give its first output alone: what it has at every step, and no final state."""
    return "T" in next(iter(spec.outputs.values())).split()


def complete_arrays(arrays: Arrays, shapes: Shapes, first_will_do: bool = False) -> Arrays:
    """The arrays in the order in which they were asked for, none of them lacking, all of finite numbers."""
    names = list(shapes)
    if first_will_do and set(arrays) == set(names[:1]):
        names = names[:1]
    lacking = [name for name in names if name not in arrays]
    if lacking:
        raise ValueError(f"it gives no {', '.join(lacking)}")
    for name in names:
        if not np.isfinite(arrays[name]).all():
            raise ValueError(f"it gives {name} numbers that are not finite")
    return {name: arrays[name] for name in names}
