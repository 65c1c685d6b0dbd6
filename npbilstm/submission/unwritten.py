"""What is not written yet: a function that looks at none of its arguments, as courses hand them out to be filled in."""

from __future__ import annotations

import dis
import inspect
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType
from typing import Any

from npbilstm.gradcheck.pair_faults import code_of
from npbilstm.submission.call_graph import names_used
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.returns import NOT_WRITTEN


def require_all_written(name: str, names: Mapping[str, Any]) -> None:
    """Raise SubmissionError where a function, lstm_forward or LSTM.forward, is not written yet, or one that it calls is
    not. names: what is submitted."""
    first, _, method = name.partition(".")
    if is_unwritten(function_called(name, names), bool(method)):
        raise SubmissionError(f"{name} {NOT_WRITTEN}")
    for other in below(first, names):
        called = f"{other}.{method}" if inspect.isclass(names[other]) else other
        if is_unwritten(function_called(called, names), "." in called):
            raise SubmissionError(f"{called}, which {name} calls, is still to be written")


def function_called(name: str, names: Mapping[str, Any]) -> Any:
    """The function or method of this name, a class's own; None where there is none."""
    first, _, method = name.partition(".")
    value = names.get(first)
    return value if not method else getattr(value, method, None) if inspect.isclass(value) else None


def below(name: str, names: Mapping[str, Any]) -> Iterator[str]:
    """The names of what a function or class uses, and what that uses."""
    seen, waiting = {name}, [name]
    while waiting:
        for used in used_by(names[waiting.pop()]):
            if used in names and used not in seen:
                seen.add(used)
                waiting.append(used)
                yield used


def used_by(value: Any) -> list[str]:
    """The names that a function uses, or the methods of a class."""
    parts = vars(value).values() if inspect.isclass(value) else [value]
    return [name for part in parts if isinstance(part, FunctionType) for name in names_used(part)]


def is_unwritten(function: Any, method: bool = False) -> bool:
    """Whether a function takes arguments and looks at none, nor loops. method: whether the first is the object."""
    code = code_of(function) if inspect.isroutine(function) else None
    if code is None:
        return False
    bound = method and not isinstance(function, (staticmethod, classmethod))
    arguments = set(code.co_varnames[int(bound) : code.co_argcount + code.co_kwonlyargcount])
    more = code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS | inspect.CO_GENERATOR)
    loops = any("JUMP" in step.opname for step in dis.get_instructions(code))
    return bool(arguments) and not more and not loops and not arguments & variables_read(code)


def variables_read(code: CodeType) -> set[str]:
    """The variables that code looks at, or keeps for what is defined in it."""
    found = set(code.co_cellvars)
    for step in dis.get_instructions(code):
        if step.opname.startswith(("LOAD_FAST", "STORE_FAST_LOAD_FAST")):
            found |= {step.argval} if isinstance(step.argval, str) else set(step.argval)
    return found
