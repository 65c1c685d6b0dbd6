"""What a checked file may see of this package: the textbook without the answers that the file is compared with.

The process that judges makes it, and it goes to the file's process as code (offered.py). Of the textbook that has every
name, signature and docstring, and these bodies: activations, lengths and the flip; what right bodies of the file's own
functions call; the forward pass and the steps that stand in where the file has a backward pass or a loop alone. None of
them is one that the file has itself, or calls one, but for what such a stand-in needs. All others raise ImportError.
"""

from __future__ import annotations

import importlib
import inspect
import marshal
import symtable
from collections.abc import Iterable
from functools import cache, lru_cache
from importlib.machinery import SourceFileLoader
from pkgutil import iter_modules
from types import CodeType
from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.submission.call_graph import reached
from npbilstm.submission.course_specs import ALL_SPECS

ELEMENTARY = ("activations", "sequences")
"""The textbook's modules whose functions everything is made of."""
NOTHING_SAID = {
    "npbilstm.classroom": """
from npbilstm.submission.conventions import conventions_of
from npbilstm.submission.given import given_function

def check_exercise(*_, **__):
    return ""

def given(variant, *names):
    return [given_function(name, conventions_of(variant)) for name in names]
""",
    "npbilstm.diagnosis": """
def diagnose(*_, **__):
    return ""
""",
}
"""What a file may call of the rooms that judge, where it is judged already."""


def assigned_in(source: str) -> frozenset[str]:
    """The names that a source sets at its top, by `def` or otherwise, imports left out; none where it is no source."""
    try:
        symbols = symtable.symtable(source, "<source>", "exec").get_symbols()
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    return frozenset(symbol.get_name() for symbol in symbols if symbol.is_assigned())


def modules() -> list[Any]:
    """The textbook's modules."""
    return [importlib.import_module(f"{textbook.__name__}.{each.name}") for each in iter_modules(textbook.__path__)]


@cache
def textbook_functions() -> dict[str, Any]:
    """Every function of the textbook, private ones too."""
    named = [(name, value, module.__name__) for module in modules() for name, value in vars(module).items()]
    return {name: value for name, value, home in named if inspect.isfunction(value) and value.__module__ == home}


@lru_cache(maxsize=64)
def offered_to(own: frozenset[str]) -> frozenset[str]:
    """The textbook's functions that a file with these functions of its own is offered with their bodies."""
    functions = textbook_functions()

    def needed_by(names: Iterable[str]) -> frozenset[str]:
        return frozenset().union(*(reached(name, functions) for name in names))

    elementary = {name for name, each in functions.items() if each.__module__.rpartition(".")[2] in ELEMENTARY}
    called, stand_ins = needed_by(own), set[str]()
    for spec in ALL_SPECS.values():
        if own & set(spec.names):
            steps = set(spec.steps or ())
            called |= needed_by(steps)
            stand_ins |= set() if spec.own else ({spec.forward} - own) | (set() if steps <= own else steps)
    public = set(textbook.__all__)
    free = (elementary | called & public) - own  # a private one may be all of an answer
    asked = own & public  # and one that is in the file beside them, as in a solution, withholds nothing
    return needed_by({*stand_ins, *(name for name in free if not reached(name, functions) & asked)})


def emptied(function: CodeType) -> CodeType:
    """The code of a function that has its arguments and docstring, and raises ImportError."""
    name = function.co_name
    said = f"{name} is not to be had here: it may be what the file is compared with"
    lines = f"def {name}():\n    {textbook_functions()[name].__doc__!r}\n    raise ImportError({said!r})\n"
    made = functions_in(compile(lines, function.co_filename, "exec", dont_inherit=True))[name]
    more = function.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    count = function.co_argcount + function.co_kwonlyargcount + more.bit_count()
    return made.replace(
        co_argcount=function.co_argcount,
        co_posonlyargcount=function.co_posonlyargcount,
        co_kwonlyargcount=function.co_kwonlyargcount,
        co_varnames=function.co_varnames[:count],
        co_nlocals=count,
        co_flags=made.co_flags | more,
    )


def functions_in(module: CodeType) -> dict[str, CodeType]:
    """The code of the functions, and of the classes, at the top of a module's."""
    return {each.co_name: each for each in module.co_consts if isinstance(each, CodeType)}


@lru_cache(maxsize=8)
def textbook_with(offered: frozenset[str]) -> dict[str, CodeType]:
    """The code of the textbook's modules by name, in which these functions alone have a body."""
    withheld, found = textbook_functions().keys() - offered, {}
    for module in (textbook, *modules()):
        code = SourceFileLoader(module.__name__, module.__file__).get_code(module.__name__)
        assert code is not None
        parts = (
            emptied(each) if isinstance(each, CodeType) and each.co_name in withheld else each
            for each in code.co_consts
        )
        found[module.__name__] = code.replace(co_consts=tuple(parts))
    return found


def offer_for(source: str) -> np.ndarray:
    """What is sent to the process in which a source runs, before all else: the code of modules by name,
    as bytes."""
    modules = dict(textbook_with(offered_to(assigned_in(source))))
    for name, text in NOTHING_SAID.items():
        modules[name] = compile(text, f"<{name}>", "exec", dont_inherit=True)
    return np.frombuffer(marshal.dumps(modules), np.uint8)
