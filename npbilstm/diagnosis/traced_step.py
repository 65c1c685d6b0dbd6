"""A traced step: the textbook's forward pass, which tells what its step computes, and takes other numbers for it."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np

from npbilstm.diagnosis.slips import equations_of
from npbilstm.diagnosis.tracing import traced_code
from npbilstm.mistakes.planting import plant, textbook_functions
from npbilstm.submission.call_graph import reached
from npbilstm.submission.function_spec import Arrays, FunctionSpec


class TracedStep:
    """The textbook's forward pass of a spec, with its step watched: what it computes at the last step, and what comes
    of it where some of that is replaced."""

    def __init__(self, spec: FunctionSpec, function: str) -> None:
        self.spec, self.function = spec, function
        self.equations = equations_of(function)
        names = {name for equation in self.equations for name in equation.name.split(", ")}
        functions = plant(())
        self.globals = getattr(functions, spec.forward).__globals__
        exec(traced_code(function, names, ()), self.globals)
        self.globals["seen_on_the_way"] = self.seen
        step = self.globals[function]
        self.count, self.last = 0, 0
        self.arguments: dict[str, Any] = {}
        self.values: dict[str, Any] = {}
        self.replaced: Mapping[str, np.ndarray] = {}

        def called(*arguments: Any, **named: Any) -> Any:
            self.count += 1
            self.arguments = dict(zip(step.__code__.co_varnames, arguments)) | named
            return step(*arguments, **named)

        self.globals[function] = called
        self.pair = spec.in_textbook_form(SimpleNamespace(**{name: self.globals[name] for name in vars(functions)}))

    def seen(self, function: str, name: str, value: Any) -> Any:
        """A quantity as it is, or at the last step another in its place."""
        if self.count == self.last:
            value = self.replaced.get(name, value)
            self.values[name] = value
        return value

    def run(self, inputs: Arrays, last: int, replaced: Mapping[str, np.ndarray] | None = None) -> Arrays:
        """The outputs, with these quantities of the last step replaced. last: how many steps there are."""
        self.count, self.last, self.values, self.replaced = 0, last, {}, replaced or {}
        return self.pair.forward({name: np.array(value) for name, value in inputs.items()})[0]

    def environment(self) -> dict[str, Any]:
        """All names at the last step."""
        return {**self.globals, **self.arguments, "m": 1.0, **self.values}


def step_of(spec: FunctionSpec) -> str:
    """The textbook's function that has the equations of a spec's step; "" where there is none, or several directions or
    layers take it."""
    if "y" in spec.outputs or any("." in name for name in spec.inputs):
        return ""
    own = [name for name in (spec.forward, *(spec.steps or ()), *spec.made_of) if name]
    functions = textbook_functions()
    steps = {name for top in own for name in reached(top, functions) if name.endswith("step_forward")}
    inner = [name for name in steps if reached(name, functions) & steps == {name}]
    return inner[0] if len(inner) == 1 else ""
