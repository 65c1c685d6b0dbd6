"""A form: how the people of one course or book write their functions and classes, as data.

For each subject that they write, a form has the lines in which their code is called, in Python, and by the textbook's
names for the arrays:

    Calls(
        "rnn_step",
        "h, cache = rnn_step_forward(x, h_prev, Wx, Wh, b)",
        "dx, dh_prev, dWx, dWh, db = rnn_step_backward(dh, cache)",
    )

Names of the subject's arrays are arrays in the form's layout; `weights` is a dict of all weights; N, T, D, H and V are
sizes; np is NumPy; what is left are names of theirs. What the forward lines set is compared with the textbook's
outputs, what the backward lines set with its gradients: dx, and for weights either dWx or the key "dWx" of `grads`,
which is a dict or an object. What is not named is not judged, and is not asked for: no c0, no dh_T.

Where their weights are not the textbook's three, `weights` says what each is: "Wf=W[f] bf=b[f]" is a matrix for each
gate, on h and x together, "bih=b bhh=b" two biases that are added. A line `file.Wxh = Wxh` sets a global of theirs.
"""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from collections.abc import Iterable
from functools import cache, cached_property
from typing import NamedTuple

from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.function_spec import FunctionSpec
from npbilstm.submission.layouts import Layout, layout_of, settings_in

HELPERS = ("set_weights", "gradients_of", "given_by")
GIVEN = {"N", "T", "D", "H", "V", "np", "weights", "file", "grads", *HELPERS}
"""What the lines may use besides the subject's arrays. set_weights(layer) fills the attributes that are weights,
gradients_of(layer) has their gradients, given_by(returned, layer, name) is what was returned, or the attribute."""
LAYER = "Layer"
"""What the lines call a class whose name is anybody's."""
WEIGHTS = {"Wx", "Wh", "b", "b_hn", "Wy", "by", "W", "table", "p", "Wp"}
"""The textbook's names of weights, without directions."""


class Calls(NamedTuple):
    """How a form calls what is written for one subject.

    backward: "" where the gradients come with the loss, from the forward lines. weights: what each of their weights is,
    by the textbook's names where it is "". adds: a pattern of the weights whose gradients are added up from call to
    call, as the course has it. also: what else they give, as name=expression, which is compared;
    softmax(a, axis) is there. layout: what x and b
    are where they are not the form's own: "x=(T,D)" has no batch. named: a pattern of class names, where the lines call
    the class Layer. uses: names that must stand in their code, attributes say, where the calls alone do not tell the
    form. once: whether the course's own backward pass uses up what the forward pass kept: a second call says nothing.
    """

    subject: str
    forward: str
    backward: str = ""
    weights: str = ""
    adds: str = ""
    also: str = ""
    layout: str = ""
    named: str = ""
    uses: str = ""
    once: bool = False


class Form(NamedTuple):
    """A form. title: the course or book. layout: as a header tells it, "gates=ifog x=(T,N,D)". words: names of
    arguments by which it is told from another with the same functions. rounds: whether the course's own buffers are of
    float32, so that the last digits say nothing."""

    name: str
    title: str
    calls: tuple[Calls, ...]
    layout: str = ""
    words: str = ""
    rounds: bool = False

    @property
    def settings(self) -> dict[str, str]:
        """The settings of its layout."""
        return settings_in(self.layout)


class Part(NamedTuple):
    """What one of their weights is: the textbook's array of this name, the block of one gate of it, or "" for all."""

    name: str
    gate: str


@cache
def read_calls(form: Form, calls: Calls, layer: str = "") -> CallsRead:
    """Calls, read once."""
    return CallsRead(form, calls, layer)


class CallsRead:
    """Calls, read: what they take, what they give, and which names of the submitted file they need."""

    def __init__(self, form: Form, calls: Calls, layer: str = "") -> None:
        self.form, self.own_layout, self.layer = form, calls.layout, layer
        self.spec: FunctionSpec = ALL_SPECS[calls.subject]
        self.written = calls
        self.lines = tuple(textwrap.dedent(lines).strip() for lines in (calls.forward, calls.backward))
        if layer:
            self.lines = tuple(re.sub(rf"\b{LAYER}\b", layer, lines) for lines in self.lines)
        self.trees = [ast.parse(lines) for lines in self.lines]
        pairs = (line.partition("=") for line in re.split(r"[\n;]", calls.also) if line.strip())
        self.also = {name.strip(): expression.strip() for name, _, expression in pairs}
        written = re.findall(r"(\w+)=([\w.]+)(?:\[(\w)\])?", calls.weights)
        self.weights = {own: Part(name, gate) for own, name, gate in written}
        if not written:
            self.weights = {name: Part(name, "") for name in self.spec.inputs if name.rpartition(".")[2] in WEIGHTS}
        self.loaded, self.stored = (
            [{node.id for node in variables(tree) if isinstance(node.ctx, kind)} for tree in self.trees]
            for kind in (ast.Load, ast.Store)
        )
        nodes = [node for tree in self.trees for node in ast.walk(tree)]
        inner = {node.arg for node in nodes if isinstance(node, ast.arg)}
        inner |= {node.name for node in nodes if isinstance(node, (ast.ClassDef, ast.FunctionDef))}
        upstream = {f"d{name}" for name in self.spec.outputs}
        own = {*self.spec.inputs, *self.weights, *inner, *upstream, *self.stored[0], *self.stored[1]}
        self.known = own | GIVEN | set(dir(builtins))

    def of_subject(self, name: str) -> CallsRead:
        """The same lines for another subject."""
        return read_calls(self.form, self.written._replace(subject=name), self.layer)

    def layout_in(self, layout: Layout) -> Layout:
        """The layout of this subject in a file of this layout."""
        own = layout_of(settings_in(self.own_layout))
        return layout._replace(x=own.x, b=own.b) if self.own_layout else layout

    @cached_property
    def sources(self) -> set[str]:
        """The textbook's arrays that their weights are made of."""
        return self.sources_in(self.weights)

    def sources_of(self, own: str) -> tuple[str, ...]:
        """The textbook's arrays that one of their weights is made of."""
        return sources_of(self.weights[own], self.spec)

    def sources_in(self, own: Iterable[str]) -> set[str]:
        """The textbook's arrays that some of their weights are made of."""
        return {source for name in own for source in self.sources_of(name)}

    @cached_property
    def inputs(self) -> set[str]:
        """The subject's inputs that they take."""
        loaded = self.loaded[0] | self.loaded[1]
        own = self.weights if loaded & {"weights", "set_weights"} else loaded & self.weights.keys()
        return (loaded & set(self.spec.inputs) - self.sources) | self.sources_in(own)

    @cached_property
    def outputs(self) -> list[str]:
        """The subject's outputs that they give."""
        return [name for name in self.spec.outputs if name in self.stored[0]]

    @cached_property
    def adds(self) -> set[str]:
        """The textbook's arrays whose gradients are added up from call to call."""
        return self.sources_in(own for own in self.weights if re.fullmatch(self.written.adds, own))

    @cached_property
    def own_gradients(self) -> list[str]:
        """Their weights of which they give gradients."""
        stored = self.stored[0] | self.stored[1]
        return [name for name in self.weights if "grads" in stored or f"d{name}" in stored]

    @cached_property
    def gradients(self) -> list[str]:
        """The subject's inputs of which they give gradients."""
        stored = self.stored[0] | self.stored[1]
        found = self.sources_in(self.own_gradients)
        found |= {name for name in self.inputs - self.sources if f"d{name}" in stored}
        return [name for name in self.spec.floats if name in found]

    @cached_property
    def absent(self) -> frozenset[str]:
        """The inputs that they do not take, the outputs that they do not give or take no gradient of, and "digits"
        where the last digits are lacking."""
        seen = {name for name in self.outputs if f"d{name}" in self.loaded[1]}
        if not self.lines[1]:
            seen = {"loss"} if self.gradients else set(self.outputs)
        digits = {"digits"} if self.form.rounds else set()
        return frozenset({*self.spec.inputs, *self.spec.outputs} - self.inputs - seen | digits)

    @cached_property
    def objects(self) -> dict[str, str]:
        """The variables that hold objects of their classes, with the classes' names."""
        found = {}
        for node in (each for tree in self.trees for each in ast.walk(tree) if isinstance(each, ast.Assign)):
            if isinstance(node.value, ast.Call) and isinstance(node.targets[0], ast.Name):
                kind = node.value.func
                if isinstance(kind, ast.Name) and kind.id not in self.known:
                    found[node.targets[0].id] = kind.id
        return found

    def calls(self, k: int) -> list[tuple[str, ast.Call]]:
        """What of theirs is called in the forward or in the backward lines, LSTM, LSTM.forward, lstm_forward, in
        order."""
        return self.all_calls[k]

    @cached_property
    def all_calls(self) -> list[list[tuple[str, ast.Call]]]:
        """The calls in the forward and in the backward lines."""
        found = []
        for tree in self.trees:
            calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
            calls.sort(key=lambda call: (call.end_lineno or 0, call.end_col_offset or 0))
            found.append([(name, call) for call in calls if (name := self.called(call))])
        return found

    def called(self, call: ast.Call) -> str:
        """What of theirs is called; "" for what is not theirs."""
        target = call.func
        if isinstance(target, ast.Name):
            return "" if target.id in self.known else target.id
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
            owner = self.objects.get(target.value.id, "")
            return f"{owner}.{target.attr}" if owner else ""
        return ""

    def function(self, k: int) -> str:
        """The function that the forward or the backward lines are about: the last that they call; "" for none."""
        calls = self.calls(k)
        return calls[-1][0] if calls else ""

    @property
    def functions(self) -> tuple[str, ...]:
        """The functions that the lines are about."""
        return tuple(dict.fromkeys(name for name in (self.function(0), self.function(1)) if name))


def variables(tree: ast.AST) -> list[ast.Name]:
    """The variables in some lines."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.Name)]


def sources_of(part: Part, spec: FunctionSpec) -> tuple[str, ...]:
    """The textbook's arrays that a part is made of: W of two, h's first."""
    if part.name.endswith("W") and part.name not in spec.inputs:
        return part.name[:-1] + "Wh", part.name[:-1] + "Wx"
    return (part.name,)
