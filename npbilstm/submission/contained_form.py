"""Work for marks in a course's form: its lines run in the sandbox, and its functions as pairs.

The lines of a form (form.py) become two functions that stand in the textbook's place in the runner, and are called as
the textbook's are: arrays in, as the course has them, arrays out. What they are made of and how they are laid out is
known here alone.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from npbilstm.submission.contained import ContainedSubmission
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.form import CallsRead, Form
from npbilstm.submission.form_weights import reference_gradients, submitted_weights
from npbilstm.submission.forms import FORMS
from npbilstm.submission.function_spec import Arrays, FunctionSpec, shape_of, sizes_in
from npbilstm.submission.layouts import layout_of, submitted_axes, to_submitted
from npbilstm.submission.returns import reference_array
from npbilstm.submission.submitted_pair import SubmittedPair

OFFERED = ("cs231n", "coursera", "cmu11785", "saito", "holberton")
"""The forms with names of their own for what they ask."""
LETTERS = str.maketrans("NTDHV", "ABCEF")
"""Letters of axes that no layout moves: arrays are the course's already."""
SIZES = ("N", "T", "D", "H", "V")
"""What the lines may ask for; each goes there as the length of an array."""

SHIM = """
def {name}_forward({taken}):
    names = {{**vars(sys.modules["submission"]), "np": np}}
    names.update({given})
    names["weights"] = {{name: names[name] for name in {weights!r}}}
    exec({forward!r}, names)
    return ({outputs}names)


def {name}_backward({upstream}cache):
    names = {{**cache, {named}}}
    exec({backward!r}, names)
    grads = names.get("grads", {{}})
    grads = grads if isinstance(grads, dict) else vars(grads)
    names = {{**{{key: value for key, value in grads.items() if key not in names}}, **names}}
    return ({gradients})
"""
"""The functions of a subject, as source."""


def form_named(name: str) -> Form:
    """The form of this name. Raises ValueError where exercises are not in it."""
    if name not in OFFERED:
        raise ValueError(f"form is {name}; it needs one of textbook, {', '.join(OFFERED)}")
    return FORMS[name]


class ContainedForm:
    """The lines of one subject in the sandbox."""

    def __init__(self, calls: CallsRead) -> None:
        self.calls = calls
        self.layout = calls.layout_in(layout_of(calls.form.settings))
        self.data = [name for name in calls.spec.inputs if name in calls.inputs and name not in calls.sources]
        self.gradients = [name for name in self.data if name in calls.gradients] + [
            name for name, part in calls.weights.items() if part.name in calls.gradients or name in calls.own_gradients
        ]
        self.name = f"form_{calls.spec.name}"

    @property
    def spec(self) -> FunctionSpec:
        """The spec of the functions in SHIM: arrays as the course has them, and sizes."""
        spec, calls = self.calls.spec, self.calls
        axes = {name: self.axes(spec.inputs[name]) for name in self.data}
        sizes = dict(zip(SIZES, (3, 4, 2, 5, 6)))
        inputs = {name: np.zeros(shape_of(each, sizes | self.rows())) for name, each in spec.inputs.items()}
        for name, array in submitted_weights(calls.weights, inputs, spec, self.layout).items():
            axes[name] = " ".join("PQRS"[: array.ndim])
        arguments = (*axes, *SIZES)
        outputs = {name: self.axes(spec.outputs[name]) for name in calls.outputs}
        return spec._replace(
            forward=f"{self.name}_forward",
            backward=f"{self.name}_backward",
            arguments=tuple(f"_{name}" for name in arguments),
            inputs={f"_{name}": axes[name] if name in axes else name.translate(LETTERS) for name in arguments},
            outputs={f"_{name}": each for name, each in outputs.items()},
            floats=tuple(f"_{name}" for name in self.gradients),
            gates="",
            steps=None,
            own=None,
        )

    def axes(self, axes: str) -> str:
        """The axes of data as the course has them, in letters that no layout moves."""
        letters = submitted_axes(axes.split(), self.layout)
        letters = [letter for letter in letters if letter != "N" or self.layout.has_batch]
        return " ".join(letters).translate(LETTERS)

    def rows(self) -> dict[str, int]:
        """The number of rows, where there can be but one."""
        return {} if self.layout.has_batch else {"N": 1}

    def source(self) -> str:
        """The functions in SHIM."""
        calls, arguments = self.calls, [str(each)[1:] for each in self.spec.arguments]
        upstream = [f"d{name}" for name in calls.outputs]
        lines = calls.lines[1] or "\n".join(f"d{name} = d{name} * dloss" for name in self.gradients)
        return SHIM.format(
            name=self.name,
            taken=", ".join(arguments),
            given=", ".join(f"{name}=len({name})" if name in SIZES else f"{name}={name}" for name in arguments),
            weights=list(calls.weights),
            forward=calls.lines[0],
            outputs="".join(f'names["{name}"], ' for name in calls.outputs),
            upstream="".join(f"{name}, " for name in upstream),
            named=", ".join(f'"{name}": {name}' for name in upstream),
            backward=lines,
            gradients=", ".join(f'names["d{name}"]' for name in self.gradients),
        )

    def cleaned(self, text: str) -> str:
        """A sentence with the course's names in the place of those in SHIM."""
        for k, function in enumerate((f"{self.name}_forward", f"{self.name}_backward")):
            text = text.replace(function, self.calls.function(k) or self.calls.function(0))
        return re.sub(r"(?<!\w)(d?)_(?=[A-Za-z])", r"\1", text)

    def known(self, name: str) -> str:
        """The textbook's name of an array that was changed in place."""
        own = self.cleaned(name)
        return self.calls.sources_of(own)[-1] if own in self.calls.weights else own

    def pair(
        self, submission: ContainedSubmission, own: Collection[str], uses: Iterable[str], backward: bool
    ) -> SubmittedPair:
        """The pair of the subject, as the textbook's spec has it."""
        calls, layout, spec = self.calls, self.layout, self.spec
        there = {spec.forward, spec.backward} if backward and self.gradients else {spec.forward}
        pair = submission.pair(spec, there)

        @contextmanager
        def in_own_words() -> Iterator[None]:
            """What is said of the functions in SHIM is about the course's."""
            try:
                yield
            except SubmissionError as error:
                error.args = (self.cleaned(str(error)),)
                raise
            finally:
                pair.findings[:] = map(self.cleaned, pair.findings)
                pair.changed[:] = [self.known(name) for name in pair.changed]

        def forward(inputs: Arrays) -> tuple[Arrays, Any]:
            given = {
                name: to_submitted(name, inputs[name], calls.spec.inputs[name], layout)
                if calls.spec.inputs[name]
                else inputs[name]
                for name in self.data
            }
            given |= submitted_weights(calls.weights, inputs, calls.spec, layout)
            sizes = sizes_in(calls.spec, inputs)
            given |= {name: np.zeros(sizes.get(name, 0)) for name in SIZES}
            with in_own_words():
                outputs, cache = pair.forward({f"_{name}": array for name, array in given.items()})
            found = {}
            for name in calls.outputs:
                axes = calls.spec.outputs[name]
                called = f"{calls.function(0)}'s {name}"
                found[name] = reference_array(called, name, outputs[f"_{name}"], axes, layout, shape_of(axes, sizes))
            return found, (cache, inputs, found)

        def run_backward(upstream: Arrays, call: Any) -> Arrays:
            cache, inputs, outputs = call
            every = {name: upstream.get(name, np.zeros_like(array)) for name, array in outputs.items()}
            moved = {
                f"_{name}": to_submitted(name, array, calls.spec.outputs[name], layout) for name, array in every.items()
            }
            assert pair.backward is not None
            with in_own_words():
                grads = {name[1:]: array for name, array in pair.backward(moved, cache).items()}
            by = calls.function(1) or calls.function(0)
            of_weights = {name: array for name, array in grads.items() if name in calls.weights}
            found, sentences = reference_gradients(calls.weights, of_weights, inputs, calls.spec, layout, by)
            pair.findings.extend(sentence for sentence in sentences if sentence not in pair.findings)
            for name in self.gradients:
                if name not in calls.weights:
                    axes, shape = calls.spec.inputs[name], np.shape(inputs[name])
                    found[name] = reference_array(f"{by}'s d{name}", name, grads[name], axes, layout, shape)
            return {name: found[name] for name in calls.gradients}

        absent = calls.absent if pair.backward is not None else calls.absent - set(calls.outputs)
        return pair._replace(
            forward=forward,
            backward=None if pair.backward is None else run_backward,
            functions=tuple(own),
            uses=frozenset(uses),
            absent=absent | (frozenset() if layout.has_batch else {"rows"}),
        )


def forms_source(calls: Iterable[CallsRead]) -> str:
    """The source of what runs the lines of some subjects."""
    head = "from __future__ import annotations\nimport sys\nimport numpy as np"
    return head + "".join(ContainedForm(each).source() for each in calls)
