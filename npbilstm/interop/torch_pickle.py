"""What torch.save pickles beside its numbers, read without running anything of it.

A pickle is a program that makes objects by calling what it names, whatever that is. Here its instructions are read one
by one, by the standard library's table of them, and nothing is ever called or imported: a name of PyTorch's that makes
a tensor makes an array over its storage, an OrderedDict is a dict, and any other object is one that is not read.

(https://docs.python.org/3/library/pickletools.html; torch/_weights_only_unpickler.py is of the same mind.)
"""

from __future__ import annotations

import math
import pickletools
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from npbilstm.interop.parts import Unread


class Named(NamedTuple):
    """Something that is imported by its name, "module name"."""

    name: str


STORAGES = {
    "torch DoubleStorage": "f8",
    "torch FloatStorage": "f4",
    "torch HalfStorage": "f2",
    "torch BFloat16Storage": "bf16",
    "torch LongStorage": "i8",
    "torch IntStorage": "i4",
    "torch ShortStorage": "i2",
    "torch CharStorage": "i1",
    "torch ByteStorage": "u1",
    "torch BoolStorage": "?",
}
"""The numbers of PyTorch's storages, as NumPy writes them, but for bf16."""

TENSOR = "torch._utils _rebuild_tensor_v2"
PARAMETERS = ("torch._utils _rebuild_parameter", "torch._utils _rebuild_parameter_with_state")

CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False, "EMPTY_TUPLE": ()}
VALUES = {
    *("BININT", "BININT1", "BININT2", "LONG1", "LONG4", "BINFLOAT", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
    *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "INT", "LONG", "FLOAT", "UNICODE", "BINSTRING", "SHORT_BINSTRING"),
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
IGNORED = ("PROTO", "FRAME")
MARK: Any = object()

Load = Callable[[str, str, int], np.ndarray]
"""(key, numbers, count) -> a storage's numbers."""


def read_pickle(content: bytes, load: Load) -> Any:
    """The object of a pickle, its tensors arrays. Raises ValueError, or what bytes at random bring about."""
    stack: list[Any] = []
    memo: dict[int, Any] = {}

    def to_mark() -> list[Any]:
        at = next(k for k in range(len(stack) - 1, -1, -1) if stack[k] is MARK)
        found = stack[at + 1 :]
        del stack[at:]
        return found

    opcode: pickletools.OpcodeInfo
    argument: Any
    for opcode, argument, _ in pickletools.genops(content):
        name = opcode.name
        if name == "STOP":
            return stack.pop()
        if name in IGNORED:
            continue
        if name in VALUES:
            stack.append(argument)
        elif name in CONSTANTS:
            stack.append(CONSTANTS[name])
        elif name == "MARK":
            stack.append(MARK)
        elif name in ("EMPTY_DICT", "EMPTY_LIST", "EMPTY_SET"):
            stack.append({} if name == "EMPTY_DICT" else [])
        elif name in ("BINPUT", "LONG_BINPUT", "PUT"):
            memo[argument] = stack[-1]
        elif name == "MEMOIZE":
            memo[len(memo)] = stack[-1]
        elif name in ("BINGET", "LONG_BINGET", "GET"):
            stack.append(memo[argument])
        elif name in TUPLES:
            parts = stack[-TUPLES[name] :]
            del stack[-TUPLES[name] :]
            stack.append(tuple(parts))
        elif name in ("TUPLE", "LIST", "DICT", "FROZENSET"):
            parts = to_mark()
            stack.append(items_in({}, parts) if name == "DICT" else tuple(parts) if name == "TUPLE" else parts)
        elif name in ("SETITEM", "SETITEMS"):
            parts = to_mark() if name == "SETITEMS" else [stack.pop(), stack.pop()][::-1]
            items_in(stack[-1], parts)
        elif name in ("APPEND", "APPENDS", "ADDITEMS"):
            parts = [stack.pop()] if name == "APPEND" else to_mark()
            if isinstance(stack[-1], list):
                stack[-1].extend(parts)
        elif name == "GLOBAL":
            stack.append(Named(argument))
        elif name == "STACK_GLOBAL":
            module, last = stack[-2:]
            if not isinstance(module, str) or not isinstance(last, str):
                raise ValueError("it has a name that is no text")
            stack[-2:] = [Named(f"{module} {last}")]
        elif name == "BINPERSID":
            stack.append(storage(stack.pop(), load))
        elif name in ("REDUCE", "NEWOBJ", "NEWOBJ_EX"):
            if name == "NEWOBJ_EX":
                stack.pop()
            arguments, called = stack.pop(), stack.pop()
            stack.append(made(called, arguments))
        elif name == "BUILD" or name == "POP":  # what is set of an object: of a state_dict its _metadata
            stack.pop()
        else:
            raise ValueError(f"it has the instruction {name}, which torch.save does not write")
    raise ValueError("it has no end")


def items_in(found: Any, parts: list[Any]) -> Any:
    """found with keys and values, one after the other, if it is a dict. Raises ValueError for keys of many parts."""
    for key, value in zip(parts[::2], parts[1::2], strict=True):
        if not isinstance(key, (str, int, float, bytes, type(None))):
            raise ValueError("it has a name that is no text")
        if isinstance(found, dict):
            found[key] = value
    return found


def storage(said: Any, load: Load) -> Any:
    """The numbers that a tensor stands in: ("storage", their type, key, device, count)."""
    _, kind, key, _, count = said
    if not isinstance(kind, Named) or kind.name not in STORAGES:
        return unread(getattr(kind, "name", "something"))
    if not isinstance(key, str) or not isinstance(count, int):
        raise ValueError("it has a storage without a name or a size")
    return load(key, STORAGES[kind.name], count)


def made(called: Any, arguments: Any) -> Any:
    """What a call would have made: a tensor as an array, a parameter's tensor, a dict; else what is not read."""
    if not isinstance(called, Named):
        return called if isinstance(called, Unread) else unread("something")
    if called.name == "collections OrderedDict" and arguments == ():
        return {}
    if called.name in PARAMETERS:
        return arguments[0]
    if called.name == TENSOR and isinstance(arguments[0], np.ndarray):
        return tensor(*arguments[:4])
    return unread(called.name.replace(" ", "."))


def unread(name: str) -> Unread:
    """What the pickle would have made by calling that."""
    return Unread(name, "quantized" if "qtensor" in name else f"object, of {name}")


def tensor(numbers: np.ndarray, offset: Any, shape: Any, strides: Any) -> np.ndarray:
    """The tensor that stands in a storage from offset on, a view. Raises ValueError where it does not."""
    sizes = [offset, *shape, *strides]
    if not all(type(n) is int and n >= 0 for n in sizes) or len(shape) != len(strides):
        raise ValueError("it has a tensor whose shape makes no sense")
    count = math.prod(shape)
    last = offset + sum((n - 1) * step for n, step in zip(shape, strides))
    if count > numbers.size or (count and last >= numbers.size):
        raise ValueError(f"it has a tensor of shape {shape} in a storage of {numbers.size:,} numbers")
    if not count:
        return np.zeros(shape, numbers.dtype)
    steps = [step * numbers.itemsize for step in strides]
    return np.lib.stride_tricks.as_strided(numbers[offset:], shape, steps, writeable=False)
