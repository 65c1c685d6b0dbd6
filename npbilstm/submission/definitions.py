"""Definitions: what a submitted source or namespace defines, function by function, and what each of them uses.

Two readers. `definitions_in_source` reads a source without running it, so it also sees what is not there when the file
has run, what is defined twice, and the lines outside of functions. `definitions_in_names` reads a namespace: what a
notebook holds, what comes from another submitted file, what was made by a program.
"""

from __future__ import annotations

import ast
import dis
import functools
import inspect
import os
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any, NamedTuple

from npbilstm.submission.signs import Definer, Function, nested_codes, signs_of_code, signs_of_tree

PACKAGE = Path(__file__).parents[1]
"""Where npbilstm is: what is defined there is not submitted."""
INSIDE = "<locals>"
"""What parts the name of a function and that of one defined inside it, as in Python's own qualified names."""


NO_SIGNS = frozenset[str]()


class Definition(NamedTuple):
    """Something with a name of its own. kind: "function", with a name such as lstm, LSTM.forward for a method,
    make.<locals>.step for one inside another; "class", "module"; "name" for what a name is set to, "lambda" where one
    stands in that; "lines" for a file's lines outside of all of these.

    line: where it stands. signs: of a pass, see signs.py. uses, attributes: the names from outside that it looks up,
    and those that it looks up in something, forward in cell.forward, or in itself: a function that it defines. stub:
    whether it is not written yet.
    """

    name: str
    kind: str
    line: int
    signs: frozenset[str]
    uses: frozenset[str]
    attributes: frozenset[str]
    stub: bool = False


def definitions_in_source(source: str) -> list[Definition]:
    """What a source defines, in order. Raises SyntaxError where it is none."""
    return list(definitions_in_body(ast.parse(source).body, ""))


def definitions_in_body(body: list[ast.stmt], prefix: str) -> Iterator[Definition]:
    """What the body of a file, class or function defines, in its branches too."""
    rest: list[ast.stmt] = []
    for statement in in_branches(body):
        if isinstance(statement, Function):
            yield from definitions_in_function(statement, prefix)
        elif isinstance(statement, ast.ClassDef):
            name = prefix + statement.name
            yield of_tree(name, "class", statement, [*statement.bases, *statement.decorator_list])
            yield from definitions_in_body(statement.body, f"{name}.")
        elif not prefix.endswith(f"{INSIDE}."):
            names = list(names_set_in(statement, prefix))
            yield from names
            if not any(each.kind == "lambda" for each in names):
                rest.append(statement)
    if not prefix:
        lines = [statement for statement in rest if not isinstance(statement, (ast.Import, ast.ImportFrom))]
        telling = [statement for statement in lines if signs_of_tree([statement])]
        if telling:
            yield of_tree("", "lines", telling[0], lines, signs_of_tree(lines))


def in_branches(body: Iterable[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements of a body, and those under its if, try, with, for."""
    for statement in body:
        yield statement
        if not isinstance(statement, (Function, ast.ClassDef)):
            for field in ("body", "orelse", "handlers", "finalbody", "cases"):
                for part in getattr(statement, field, []):
                    yield from in_branches(getattr(part, "body", []) if not isinstance(part, ast.stmt) else [part])


def definitions_in_function(function: ast.FunctionDef | ast.AsyncFunctionDef, prefix: str) -> Iterator[Definition]:
    """A function and those inside it."""
    arguments = [each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)]
    signs = signs_of_tree(function.body, arguments)
    whole = of_tree(prefix + function.name, "function", function, [function], signs)
    yield whole._replace(stub=is_stub(function.body))
    yield from definitions_in_body(function.body, f"{prefix}{function.name}.{INSIDE}.")


def names_set_in(statement: ast.stmt, prefix: str) -> Iterator[Definition]:
    """The names that a statement sets."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return
    value = statement.value
    inside = [node for node in ast.walk(value) if isinstance(node, ast.Lambda)]
    arguments = [each.arg for node in inside for each in ast.walk(node.args) if isinstance(each, ast.arg)]
    returned = [ast.Return(node.body) for node in inside]
    for target in statement.targets if isinstance(statement, ast.Assign) else [statement.target]:
        if isinstance(target, ast.Name):
            kind, signs = ("lambda", signs_of_tree(returned, arguments)) if inside else ("name", NO_SIGNS)
            yield of_tree(prefix + target.id, kind, statement, [value], signs)


def of_tree(
    name: str, kind: str, place: ast.AST, nodes: Iterable[ast.AST], signs: frozenset[str] = NO_SIGNS
) -> Definition:
    """A definition made of some nodes; `place` has its line."""
    inside = [each for node in nodes for each in ast.walk(node)]
    loaded = {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Load)}
    bound = {each.id for each in inside if isinstance(each, ast.Name) and not isinstance(each.ctx, ast.Load)}
    bound |= {each.arg for each in inside if isinstance(each, ast.arg)}
    bound |= {each.name for each in inside if isinstance(each, Definer) and each is not place}
    bound |= {each.asname or each.name for each in inside if isinstance(each, ast.alias)}
    bound -= {name for each in inside if isinstance(each, ast.Global) for name in each.names}
    attributes = {each.attr for each in inside if isinstance(each, ast.Attribute)}
    attributes |= loaded & {each.name for each in inside if isinstance(each, Definer)}
    line: int = place.lineno  # type: ignore[attr-defined]
    return Definition(name, kind, line, signs, frozenset(loaded - bound), frozenset(attributes))


def is_stub(body: list[ast.stmt]) -> bool:
    """Whether a function's body is not written yet: nothing, or NotImplementedError."""

    def is_nothing(statement: ast.stmt) -> bool:
        if isinstance(statement, ast.Raise):
            return "NotImplemented" in ast.dump(statement)
        if isinstance(statement, (ast.Expr, ast.Return)):
            return statement.value is None or isinstance(statement.value, ast.Constant)
        return isinstance(statement, ast.Pass)

    return all(map(is_nothing, body))


def definitions_in_names(names: Mapping[str, Any]) -> list[Definition]:
    """What a namespace holds that is submitted: functions, methods of classes and of objects, and what stands in
    submitted modules, "layers.lstm_forward". What has two names has its signs under the first alone.

    In a dict that is nobody's namespace every function counts, whoever made it, and None too: it was put there.
    """
    submitted = {name: value for name, value in names.items() if not is_for_python(name) and is_submitted(value)}
    seen: dict[int, str] = {}
    found: list[Definition] = []
    if not is_namespace(names):
        put = [name for name, value in names.items() if name not in submitted and (callable(value) or value is None)]
        put = [name for name in put if not is_of_npbilstm(names[name])]
        found += [Definition(name, "function", 0, NO_SIGNS, NO_SIGNS, NO_SIGNS) for name in put]
    for objects in (False, True):  # an object of a class that has a name says no more than the class
        for name, value in submitted.items():
            if is_object(value) is objects:
                if isinstance(value, ModuleType):
                    found.append(Definition(name, "module", 0, NO_SIGNS, NO_SIGNS, NO_SIGNS))
                for called, part in members_by_name(name, value).items():
                    found += definitions_of(called, part, seen)
    return found


def is_namespace(names: Mapping[str, Any]) -> bool:
    """Whether a dict is what a module holds, globals() for one, in which much is not submitted."""
    return "__name__" in names


def is_of_npbilstm(value: Any) -> bool:
    """Whether something is this package's."""
    return str(getattr(value, "__module__", "")).partition(".")[0] == "npbilstm"


def is_for_python(name: str) -> bool:
    """Whether a name is Python's or the notebook's: __name__, _, _12."""
    return name.startswith("__") or not name.strip("_0123456789")


def is_object(value: Any) -> bool:
    """Whether a value is no function, class or module, but an object of some class."""
    return not (isinstance(value, (type, ModuleType)) or functions_behind(value))


def members_by_name(name: str, value: Any) -> dict[str, Any]:
    """A value by its name; what is defined in it, by "layers.lstm_forward", where it is a module."""
    if not isinstance(value, ModuleType):
        return {name: value}
    members = {part: each for part, each in vars(value).items() if isinstance(each, type) or functions_behind(each)}
    homes = {part: (functions_behind(each) or [each])[0].__module__ for part, each in members.items()}
    return {f"{name}.{part}": each for part, each in members.items() if homes[part] == value.__name__}


def is_submitted(value: Any) -> bool:
    """Whether something comes from whoever submits it: not from Python, this package, or one that is installed."""
    functions = functions_behind(value)
    if functions:
        return any(is_submitted_module(function.__module__) for function in functions)
    if isinstance(value, ModuleType):
        return is_submitted_module(value.__name__)
    return is_submitted_module((value if isinstance(value, type) else type(value)).__module__)


def is_submitted_module(module: Any) -> bool:
    """Whether a module, by its name, comes from whoever submits it; so does one without a file that nobody knows."""
    name = str(module)
    file = getattr(sys.modules.get(name), "__file__", None)
    if name == "__main__" or not isinstance(file, str):
        return name.partition(".")[0] not in {*sys.stdlib_module_names, "numpy", "npbilstm"}
    path = Path(file).absolute()
    libraries = [str(PACKAGE), os.path.dirname(os.__file__), *map(sysconfig.get_path, ("stdlib", "platstdlib"))]
    installed = {"site-packages", "dist-packages"} & set(path.parts)
    return not installed and not any(path.is_relative_to(library) for library in libraries)


def definitions_of(name: str, value: Any, seen: dict[int, str]) -> Iterator[Definition]:
    """The definitions under one name. seen: the name of each code that was met."""
    functions = functions_behind(value)
    if functions:
        yield from definitions_of_functions(name, functions, seen)
        return
    kind = value if isinstance(value, type) else type(value)
    if id(kind) in seen:
        yield Definition(name, "name", 0, NO_SIGNS, *uses_of([seen[id(kind)]]))
        return
    seen.setdefault(id(kind), name)
    bases = [base for base in kind.__mro__ if is_submitted(base)]
    yield Definition(name, "class", 0, NO_SIGNS, frozenset(base.__name__ for base in bases), NO_SIGNS)
    methods = {part: method for base in reversed(bases) for part, method in vars(base).items()}
    for part, method in methods.items():
        if isinstance(method, type):
            yield from definitions_of(f"{name}.{part}", method, seen)
        else:
            functions = [each for each in functions_behind(method) if is_submitted(each)]
            yield from definitions_of_functions(f"{name}.{part}", functions, seen)


def definitions_of_functions(name: str, functions: list[FunctionType], seen: dict[int, str]) -> Iterator[Definition]:
    """A definition for the functions that stand behind one name."""
    codes = [function.__code__ for function in functions]
    if codes:
        known = [seen[id(code)] for code in codes if id(code) in seen]
        for code in codes:
            seen.setdefault(id(code), name)
        uses, attributes = uses_of(known)
        more, in_something = names_of(codes)
        kind, signs = ("name", NO_SIGNS) if known else ("function", signs_of_code(codes))
        stub = not any(map(reads_anything, codes))
        yield Definition(name, kind, codes[0].co_firstlineno, signs, uses | more, attributes | in_something, stub)


def reads_anything(code: CodeType) -> bool:
    """Whether code looks at any of its arguments or variables."""
    return any(step.opname.startswith(("LOAD_FAST", "LOAD_DEREF")) for step in dis.get_instructions(code))


def uses_of(names: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
    """Dotted names, LSTM.forward, as what is used and what is looked up in it."""
    parts = [name.split(".") for name in names]
    return frozenset(first for first, *_ in parts), frozenset(part for _, *rest in parts for part in rest)


def functions_behind(value: Any) -> list[FunctionType]:
    """The functions behind a value, the outermost first: itself, and what it wraps, binds or encloses."""
    found: list[FunctionType] = []
    seen: set[int] = set()
    waiting = [value]
    while waiting:
        value = waiting.pop(0)
        if id(value) in seen:
            continue
        seen.add(id(value))
        if isinstance(value, FunctionType):
            found.append(value)
            cells = [cell.cell_contents for cell in value.__closure__ or () if holds(cell)]
            waiting += [each for each in cells if isinstance(each, (FunctionType, MethodType, functools.partial))]
        if isinstance(value, (MethodType, staticmethod, classmethod)):
            waiting.append(value.__func__)
        elif isinstance(value, (functools.partial, functools.cached_property)):
            waiting.append(value.func)
        elif isinstance(value, property):
            waiting.append(value.fget)
        elif isinstance(inspect.getattr_static(value, "__wrapped__", None), FunctionType):
            waiting.append(value.__wrapped__)
    return found


def holds(cell: Any) -> bool:
    """Whether a cell of a closure holds something by now."""
    try:
        return cell.cell_contents is not None
    except ValueError:
        return False


def names_of(codes: Iterable[CodeType]) -> tuple[set[str], set[str]]:
    """The names that code looks up outside of itself, and those that it looks up in something."""
    uses: set[str] = set()
    attributes: set[str] = set()
    for code in nested_codes(codes):
        loads = [step for step in dis.get_instructions(code) if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")]
        uses |= {str(step.argval) for step in loads}
        attributes |= set(code.co_names)
    return uses, attributes
