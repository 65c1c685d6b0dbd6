"""Moving: functions that take and give arrays as the textbook has them, made to take and give them in a layout.

It needs NumPy and layouts.py, so that the source of both can be handed to a process that has nothing else.

What goes in and out is told by kinds, as data:

    "N T D"             an array with these axes, in the textbook's layout
    "LSTMParams"        a NamedTuple of this class of the textbook's, its fields' kinds in `classes`
    ("N H",)            a tuple, part by part
    ["LSTMParams"]      any number of these, in a list or a tuple
    {"takes": ...}      a function, as the arguments of `Moving.function` tell it
    None                what is left as it is
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from npbilstm.submission.layouts import BIASES, MATRICES, Layout, submitted_axes, to_reference, to_submitted, weight_in

Kind = Any


class Moving:
    """Moving to a layout whose weights are (4H, D) and whose vectors are columns, and back.

    classes: the textbook's NamedTuples by name, each with the kinds of its fields; own: the classes in which the same
    parts go, fields in the same order. In the place of params any sequence of as many parts will do.
    """

    def __init__(self, layout: Layout, classes: Mapping[str, Any], own: Mapping[str, Any]) -> None:
        self.layout, self.classes, self.own = layout, classes, own

    def there(self, value: Any, kind: Kind, name: str = "") -> Any:
        """Something of the textbook's, in the layout."""
        return self.moved(value, kind, name, True)

    def back(self, value: Any, kind: Kind, name: str = "") -> Any:
        """Something in the layout, as the textbook has it."""
        return self.moved(value, kind, name, False)

    def moved(self, value: Any, kind: Kind, name: str, there: bool) -> Any:
        """Something in the layout, or back."""
        if kind is None or value is None:
            return value
        if isinstance(kind, dict):
            return self.step(value, kind) if not there else value
        if isinstance(kind, tuple):
            return tuple(self.moved(part, each, "", there) for part, each in zip(value, kind, strict=True))
        if isinstance(kind, list):
            return type(value)(self.moved(part, kind[0], "", there) for part in value)
        if kind in self.classes:
            return self.moved_parts(value, kind, there)
        value = np.asarray(value)
        if there:
            return to_submitted(name, value, kind, self.layout)
        return to_reference(name, value, kind, self.layout, self.reference_shape(name, value.shape, kind))

    def moved_parts(self, value: Any, kind: str, there: bool) -> Any:
        """A NamedTuple, as the other class. A cache of other fields is somebody's own, and left as it is."""
        textbooks, kinds = self.classes[kind]
        known, wanted = (textbooks, self.own[kind]) if there else (self.own[kind], textbooks)
        if "Cache" in kind and getattr(value, "_fields", None) != known._fields:
            return value
        return wanted(
            *(self.moved(part, kinds[name], name, there) for part, name in zip(value, textbooks._fields, strict=True))
        )

    def reference_shape(self, name: str, shape: tuple[int, ...], axes: str) -> tuple[int, ...]:
        """The shape that an array in the layout has in the textbook's."""
        if weight_in(name) in (*MATRICES, *BIASES):
            return shape[::-1] if len(axes.split()) == 2 else shape[:1]
        order = submitted_axes(axes.split(), self.layout)
        if len(order) != len(shape):
            raise ValueError(f"{name or 'an array'} has shape {shape}; it needs axes ({', '.join(order)})")
        return tuple(shape[order.index(axis)] for axis in axes.split())

    def function(
        self,
        function: Callable[..., Any],
        takes: Mapping[str, Sequence[Any]],
        order: list[str],
        gives: list[tuple[str, Kind]],
    ) -> Callable[..., Any]:
        """A function of the textbook's, in the layout. takes: its arguments in order, each with what the other one
        calls it, what the array is called in specs, and its kind. order: that in which the other one takes them. gives:
        names and kinds of what it gives."""
        called = {own: name for name, (own, _, _) in takes.items()}

        def moved(*values: Any, **named: Any) -> Any:
            given = dict(zip(order, values)) | {called.get(own, own): value for own, value in named.items()}
            unknown = [name for name in given if name not in takes]
            if unknown or len(values) > len(order):
                raise TypeError(f"it takes {', '.join(takes[name][0] for name in order)}")
            parts = {name: self.back(value, takes[name][2], takes[name][1]) for name, value in given.items()}
            result = function(**parts)
            if len(gives) == 1:
                return self.there(result, gives[0][1], gives[0][0])
            return tuple(self.there(part, kind, name) for part, (name, kind) in zip(result, gives, strict=True))

        moved.textbooks = function  # type: ignore[attr-defined]
        return moved

    def step(self, step: Callable[..., Any], kind: Mapping[str, Any]) -> Callable[..., Any]:
        """A step in the layout, as the textbook's loops call it."""
        if hasattr(step, "textbooks"):
            return step.textbooks  # type: ignore[no-any-return]

        def textbooks(*values: Any) -> Any:
            given = dict(zip(kind["takes"], values))
            takes = kind["takes"]
            own = [self.there(given[name], takes[name][2], takes[name][1]) for name in kind["order"] if name in given]
            parts = zip(step(*own), kind["gives"], strict=True)
            return tuple(self.back(part, each, name) for part, (name, each) in parts)

        return textbooks
