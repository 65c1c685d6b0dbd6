"""What answers in the runner where work is for marks: a submission's functions, called by plans.

It goes to the runner as code (contained.py), once that has contained itself, and needs NumPy alone. A plan tells where
each array stands among the arguments, and in what comes back. What it gives are numbers, of shapes that were asked for.
"""

from __future__ import annotations

import marshal
import sys
import types
from collections import namedtuple
from functools import cache
from typing import Any

import numpy as np

TEXT = 2000
"""How many characters of an error's message are sent; who judges shows fewer."""
CLASSROOM = compile(
    """
import npbilstm.textbook
def check_exercise(*_, **__):
    return ""
def given(_, *names):
    return [getattr(npbilstm.textbook, name) for name in names]
""",
    "<classroom>",
    "exec",
)
"""What there is of npbilstm.classroom. Given are the functions in the textbook's place, whatever is asked for."""


class Misfit(Exception):  # noqa: N818
    """Something returned that is not what was asked for: its name, and what it is."""


def module_of(name: str, code: types.CodeType) -> types.ModuleType:
    """A module made of code, which others may import."""
    module = types.ModuleType(name)
    module.__file__ = code.co_filename
    sys.modules[name] = module
    exec(code, vars(module))
    return module


def offer(textbook: types.CodeType) -> None:
    """Put what a submission may import of npbilstm in its place: the functions that stand in for earlier exercises."""
    for name in [each for each in sys.modules if each.partition(".")[0] == "npbilstm"]:
        del sys.modules[name]
    package = types.ModuleType("npbilstm")
    package.__path__ = []
    sys.modules["npbilstm"] = package
    package.textbook = module_of("npbilstm.textbook", textbook)  # type: ignore[attr-defined]
    package.classroom = module_of("npbilstm.classroom", CLASSROOM)  # type: ignore[attr-defined]


@cache
def kind_of(name: str, fields: tuple[str, ...]) -> Any:
    """A kind of params, by its name and fields; it is made once, as whose it is makes it once."""
    return namedtuple(name, fields)


def build(tree: Any, arrays: dict[str, Any], names: dict[str, Any]) -> Any:
    """An argument: a name of an array, a function by its name, what that gives for arguments, or a tuple of arguments,
    whose fields may have names."""
    if isinstance(tree, str):
        return arrays[tree].item() if not arrays[tree].ndim else arrays[tree]
    if "function" in tree:
        function = names[tree["function"]]
        return function(*(build(each, arrays, names) for each in tree["members"])) if "members" in tree else function
    parts = [build(member, arrays, names) for member in tree["members"]]
    return kind_of(tree["kind"], tuple(tree["fields"]))(*parts) if tree["fields"] else tuple(parts)


def take(value: Any, tree: Any, into: dict[str, Any]) -> None:
    """Put what was returned into a dict by names."""
    if isinstance(tree, str):
        into[tree] = value
        return
    members, fields = tree["members"], tree["fields"]
    if isinstance(value, dict) and fields:
        value = {str(key).removeprefix("d").removeprefix("_"): part for key, part in value.items()}
    elif hasattr(value, "_fields") and set(value._fields) == set(fields):
        value = value._asdict()
    elif isinstance(value, (tuple, list)) and len(value) == len(members):
        value = dict(zip(fields or range(len(value)), value))
    elif len(members) == 1 and not fields:
        value = {0: value}
    else:
        value = {}
    if set(value) != set(fields or range(len(members))):
        raise Misfit(tree["name"], None)
    for field, member in zip(fields or range(len(members)), members):
        take(value[field], member, into)


def as_arrays(values: dict[str, Any], shapes: dict[str, list[int]]) -> dict[str, Any]:
    """Arrays of float64 in the shapes that were asked for."""
    arrays = {}
    for name, shape in shapes.items():
        try:
            array = np.array(values[name], subok=False)
        except (TypeError, ValueError):
            raise Misfit(name, None) from None
        if array.dtype.kind not in "fiub":
            raise Misfit(name, None)
        if list(array.shape) != shape:
            raise Misfit(name, list(array.shape)[:8])
        arrays[name] = np.ascontiguousarray(array, dtype="<f8").reshape(shape)
    return arrays


def explained(error: BaseException, file: str) -> dict[str, Any]:
    """What is told of an error: the name of its type, the line of the submission, and its message."""
    line, trace = 0, error.__traceback__
    while trace is not None:
        line = trace.tb_lineno if trace.tb_frame.f_code.co_filename == file else line
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == file:
        line = error.lineno or 0
    try:
        message = str(error)[:TEXT]
    except BaseException:
        message = ""
    return {"type": type(error).__name__[:100], "line": line, "message": message}


class PlannedCalls:
    """The module of a submission, and the caches of its forward passes. pipe: the runner's."""

    def __init__(self, pipe: Any) -> None:
        self.pipe, self.file, self.names, self.caches = pipe, "", dict[str, Any](), dict[int, Any]()
        self.number, self.asks = "", list[Any]()

    def asked(self, *values: Any) -> Any:
        """What the judge gives for arrays, of the shapes that it takes: a function that is not here."""
        kinds: list[str] = []
        arrays: dict[str, Any] = {}
        for (name, shape), value in zip(self.asks, values, strict=True):
            array = np.broadcast_to(value, shape)
            kinds.append("f4" if array.dtype == np.float32 else "f8")
            arrays |= as_arrays({name: array}, {name: shape})
        self.pipe.send({"asks": kinds, "number": self.number}, arrays)
        return self.pipe.receive()[1]["dx"]

    def answer(self, facts: dict[str, Any], arrays: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Do what is asked: open a source, or call one of its functions."""
        for number in facts["free"]:
            self.caches.pop(number, None)
        if facts["do"] == "open":
            return self.open(facts, arrays), {}
        self.number, self.asks = facts["number"], facts["asks"]
        before = {name: array.tobytes() for name, array in arrays.items()}
        arguments = [build(tree, arrays, self.names) for tree in facts["arguments"]]
        if facts["takes_cache"] is not None:
            arguments.append(self.caches[facts["takes_cache"]])
        returned = self.names[facts["function"]](*arguments)
        changed = [name for name, array in arrays.items() if array.tobytes() != before[name]]
        if facts["keeps_cache"] is not None:
            if not isinstance(returned, (tuple, list)) or len(returned) != len(facts["returns"]["members"]) + 1:
                raise Misfit("", None)
            *returned, self.caches[facts["keeps_cache"]] = returned
        values: dict[str, Any] = {}
        take(returned, facts["returns"], values)
        return {"changed": changed}, as_arrays(values, facts["shapes"])

    def open(self, facts: dict[str, Any], arrays: dict[str, Any]) -> dict[str, Any]:
        """Run a source -> which of the functions that are asked for it has."""
        self.file, self.names, self.caches = facts["file"], {}, {}
        offer(marshal.loads(arrays["textbook"].tobytes()))
        code = compile(arrays["source"].tobytes().decode(), self.file, "exec", dont_inherit=True)
        module = module_of("submission", code)
        self.names = {**vars(sys.modules["npbilstm.textbook"]), **vars(module), "<asked>": self.asked}
        given: dict[str, Any] = {}
        exec(marshal.loads(arrays["given"].tobytes()), given)
        self.names |= {f"<{name}>": value for name, value in given.items()}
        return {"functions": [name for name in facts["functions"] if callable(vars(module).get(name))]}

    def told(self, error: BaseException, _: dict[str, Any]) -> dict[str, Any]:
        """What is told of an error, in the place of an answer."""
        return {"misfit": list(error.args)} if isinstance(error, Misfit) else {"error": explained(error, self.file)}


def begin(pipe: Any, *_: Any) -> PlannedCalls:
    """What answers; the runner calls it once."""
    return PlannedCalls(pipe)
