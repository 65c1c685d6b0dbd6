"""What answers in the runner for `check`: a file, imported there, whose functions are called in whatever form they are.

It is the other end of process.py. The runner imports it once it has contained itself (offered.py). It shares nothing
with the process that judges: whatever the file does to NumPy, to this package or to itself, it does it there. What the
file is compared with is not there: of the textbook there is what withheld.py leaves of it.
"""

from __future__ import annotations

import linecache
import os
import symtable
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from npbilstm.submission.arguments import renamed_arguments
from npbilstm.submission.conventions import conventions_of
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.function_spec import Arrays
from npbilstm.submission.given import given_function
from npbilstm.submission.layouts import SETTINGS, Layout, layout_of, read_header
from npbilstm.submission.notebook import read_source
from npbilstm.submission.pairs import pair_in_conventions
from npbilstm.submission.raised import WIDTH, describe_error
from npbilstm.submission.submitted_code import SubmittedCode
from npbilstm.submission.submitted_pair import SubmittedPair
from npbilstm.submission.unread import unread_names


class SubmittedFile:
    """A submitted file: the module it makes, the textbook's functions that it defines, and their layout."""

    def __init__(self, path: str, flags: Mapping[str, str], form: str, variant: int | None = None) -> None:
        self.path, self.variant = path, variant
        try:
            source = read_source(path)
            linecache.cache[path] = len(source), None, source.splitlines(True), path
            self.settings = {**read_header(source), **flags}
            renamed = renamed_arguments(self.settings)
            layout_of(self.settings)
        except ValueError as error:
            raise SubmissionError(f"{Path(path).name}: {error}") from None
        module = import_file(path, source)
        self.code = SubmittedCode(functions_defined(module, source), form, renamed)
        self.layout = layout_of({**self.code.form.settings, **self.settings})
        self.others = unread_names(vars(module), self.code.judged)
        self.pairs: dict[Any, SubmittedPair | None] = {}
        self.runs: dict[int, Any] = {}

    def facts(self) -> dict[str, Any]:
        """What the other end should know of it."""
        pinned = [name for name in self.settings if name in SETTINGS]
        return {
            "functions": sorted(self.code.functions),
            "form": self.code.form.name,
            "subjects": [
                [name, way.way, way.backward, way.calls.layer] for name, ways in self.code.ways.items() for way in ways
            ],
            "others": self.others,
            "layout": self.layout,
            "pinned": pinned,
        }

    def pair(self, name: str, layout: Layout, chosen: tuple[str, int, str] | None = None) -> SubmittedPair | None:
        """The pair of a spec, by its name, in a layout. chosen: the form's subject and its way to call it, by its
        number and the name of a class."""
        key = name, layout, chosen
        if chosen is not None:
            own, number, layer = chosen
            self.code.ways[own].sort(key=lambda way: (way.way, way.calls.layer) != (number, layer))
        if key not in self.pairs and self.variant is not None:
            conventions = conventions_of(self.variant)
            self.pairs[key] = pair_in_conventions(ALL_SPECS[name], self.code.functions, conventions)
        elif key not in self.pairs:
            self.pairs[key] = self.code.pair(name, layout)
        return self.pairs[key]

    def answer(self, request: Mapping[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Do what is asked for: "pair", "forward", "intermediates" or "backward" of a spec."""
        for number in request["free"]:
            self.runs.pop(number, None)
        pair = self.pair(request["subject"], Layout(*request["layout"]), request["chosen"] and tuple(request["chosen"]))
        if pair is None:
            return {"pair": None}, {}
        if request["do"] == "forward":
            arrays, self.runs[request["run"]] = pair.forward(arrays)
        elif request["do"] == "backward":
            if request["run"] not in self.runs:
                raise SubmissionError("the process that ran this forward pass has ended, and its cache with it")
            arrays = pair.backward(arrays, self.runs[request["run"]])  # type: ignore[misc]
        elif request["do"] == "intermediates":
            seen = pair.intermediates(arrays) if pair.intermediates else {}
            return {"values": list(seen)}, {str(k): value for k, value in enumerate(seen.values())}
        facts = {
            "functions": pair.functions,
            "uses": sorted(pair.uses),
            "absent": sorted(pair.absent),
            "backward": pair.backward is not None,
        }
        return {"pair": facts, "findings": pair.findings, "changed": pair.changed}, arrays


def import_file(path: str, source: str) -> ModuleType:
    """The module that a file makes, run as if it was imported from its own folder."""
    name = Path(path).stem
    module = ModuleType(f"{name}_" if name in sys.modules or name in sys.stdlib_module_names else name)
    module.__file__ = path
    sys.modules[module.__name__] = module
    sys.path.insert(behind_the_library(), str(Path(path).resolve().parent))
    exec(compile(source, path, "exec", dont_inherit=True), vars(module))
    return module


def behind_the_library() -> int:
    """The place in sys.path before all but Python's own modules: a submitted random.py must not be NumPy's."""
    library = str(Path(os.__file__).parent)
    own = [path.startswith(library) and not path.endswith("-packages") for path in sys.path]
    return len(own) - own[::-1].index(True) if any(own) else 0


def functions_defined(module: ModuleType, source: str) -> dict[str, Callable[..., Any]]:
    """The functions that a module itself defines; one that it has imported, or was given, is not its own."""
    symbols = {
        symbol.get_name(): symbol for symbol in symtable.symtable(source, str(module.__file__), "exec").get_symbols()
    }
    return {
        name: value
        for name, value in vars(module).items()
        if callable(value)
        and name in symbols
        and getattr(value, "__module__", None) != given_function.__module__
        and symbols[name].is_assigned()
        and (not symbols[name].is_imported() or getattr(value, "__module__", None) == module.__name__)
    }


def line_of(path: str, thread: int) -> str:
    """The line of a submitted file at which a thread is; "" where it is in none."""
    frame = sys._current_frames().get(thread)
    while frame is not None and frame.f_code.co_filename != path:
        frame = frame.f_back
    return "" if frame is None else f"line {frame.f_lineno}, {linecache.getline(path, frame.f_lineno).strip()[:WIDTH]}"


class CheckedFile:
    """A file, once it is opened, and what is asked of it. contained: whether it has limits, which errors then name."""

    def __init__(self, contained: bool = True) -> None:
        self.path, self.contained = "", contained
        self.file: SubmittedFile | None = None

    def answer(self, request: dict[str, Any], arrays: Arrays) -> tuple[dict[str, Any], Arrays]:
        """Open the file, or do what it is asked for."""
        if request["do"] == "open":
            self.path = request["path"]
            sys.argv = [self.path]
            self.file = SubmittedFile(self.path, request["flags"], request["form"], request["variant"])
            return self.file.facts(), {}
        facts, found = self.file.answer(request, arrays)  # type: ignore[union-attr]
        return facts, {name: np.asarray(array) for name, array in found.items()}

    def told(self, error: BaseException, request: dict[str, Any]) -> dict[str, Any]:
        """What is told of an error, in the place of an answer."""
        return {"error": describe_error(error, self.path, request["doing"], self.contained)}

    def where(self, thread: int) -> str:
        """The file's line at which a thread is."""
        return line_of(self.path, thread)
