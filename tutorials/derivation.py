"""The derivation page judged line by line: tutorials/guides/derivation.md.

    python -m tutorials.derivation             judge the page
    python -m tutorials.derivation FILE        another page of this form

What is judged:

    forward    a line's value is that of the textbook's line beside it
    backward   both sides agree, every gradient in them taken from the complex step: so a wrong line alone is named
               a gradient on the right side is given, or has a line above; with [t+1] it may be one of the step after
               every name of the forward lines has its gradient somewhere on the page
    code       the line stands in the function that the section names; run, it gives the same numbers, unless the page
               says "in", when the equation is a part of the line

The form: a section begins with ##. "Given" lists arrays and shapes, "Code" the functions and how they are called.
A table's first column has the equation in backticks and, of a line for several steps, "for t = A .. B"; its last column
has the code. ^2 is a square, sum_n a sum over rows, sum_t one over steps.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import re
import sys
from collections.abc import Callable, Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm import textbook

PAGE = Path(__file__).parent / "guides" / "derivation.md"
SIZES = {"N": 3, "T": 3, "D": 2, "H": 2}
STEP, TOLERANCE = 1e-20, 1e-12


def step(x: Any, h_prev: Any, c_prev: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, Any]:
    """The h and c of one step."""
    return textbook.lstm_step_forward(x, h_prev, c_prev, textbook.LSTMParams(Wx, Wh, b))[:2]


def lstm(x: Any, h0: Any, c0: Any, lengths: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, Any, Any]:
    """The outputs (N, T, H) and the last h and c of a sequence."""
    return textbook.lstm_forward(x, h0, c0, textbook.LSTMParams(Wx, Wh, b), lengths)[:3]


def step_backward(dh: Any, dc: Any, x: Any, h_prev: Any, c_prev: Any, Wx: Any, Wh: Any, b: Any) -> tuple[Any, ...]:
    """dx, dh_prev, dc_prev, dWx, dWh, db of one step."""
    cache = textbook.lstm_step_forward(x, h_prev, c_prev, textbook.LSTMParams(Wx, Wh, b))[2]
    *found, grads = textbook.lstm_step_backward(dh, dc, cache)
    return (*found, *grads)


def bptt(dh: Any, dh_T: Any, dc_T: Any, x: Any, h0: Any, c0: Any, lengths: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """dx, dh0, dc0, dWx, dWh, db of a sequence."""
    cache = textbook.lstm_forward(x, h0, c0, textbook.LSTMParams(Wx, Wh, b), lengths)[3]
    *found, grads = textbook.lstm_backward(dh, dh_T, dc_T, cache)
    return (*found, *grads)


MEANING: dict[str, Any] = {
    **SIZES,
    **{name: getattr(textbook, name) for name in ("sigmoid", "tanh", "flip")},
    "step": step,
    "lstm": lstm,
    "step_backward": step_backward,
    "bptt": bptt,
    "where": np.where,
    "sum": np.sum,
    "sum_n": lambda array: array.sum(axis=0),
    "add_up": builtins.sum,
    "range": range,
    "split": lambda array, parts: np.split(array, parts, axis=-1),
    "join": lambda *parts: np.concatenate(parts, axis=-1),
    "pair": lambda one, other: np.stack([one, other]),
    "stack": lambda steps: np.stack([steps[t] for t in range(SIZES["T"])], axis=1),
}
"""What the page's names mean that are no arrays of its own."""


@cache
def steps_of(first: str, last: str) -> range:
    """From the first to the last, forward or back."""
    start, end = (eval(one, dict(SIZES)) for one in (first, last))
    return range(start, end + 1) if start <= end else range(start, end - 1, -1)


class Line(NamedTuple):
    """An equation for steps first .. last, one step where it has no t; the code beside it; is it all of that code?"""

    left: str
    right: str
    first: str
    last: str
    code: str
    whole: bool
    text: str

    def steps(self) -> range:
        """The values of t."""
        return steps_of(self.first, self.last)


class Section(NamedTuple):
    """What is given, name and shape; the functions that are quoted; how they are called; the lines."""

    title: str
    given: tuple[tuple[str, str], ...]
    functions: tuple[str, ...]
    call: str
    forward: tuple[Line, ...]
    backward: tuple[Line, ...]


def python(equation: str) -> str:
    """An equation's side in Python's notation."""
    equation = equation.replace("^2", "**2")
    return re.sub(r"^sum_t\((.+)\)$", r"add_up(\1 for t in range(T))", equation)


def line_of(row: str) -> Line:
    """A table's row. Raises ValueError where it holds no equation."""
    cells = [cell.strip() for cell in row.strip().strip("|").split(" | ")]
    found = re.fullmatch(r"`(.+?) = (.+?)`(?: for t = (.+) \.\. (.+))?", cells[0])
    if found is None:
        raise ValueError(f"{cells[0]!r} needs the form `NAME = SUM`, and perhaps: for t = A .. B")
    left, right, first, last = found.groups()
    code = re.fullmatch(r"(in )?`(.+)`", cells[-1])
    return Line(
        *(python(left), python(right), first or "0", last or "0"),
        *(code[2] if code else "", bool(code and not code[1]), found[0]),
    )


def sections_of(page: str) -> list[Section]:
    """The page's sections that have equations."""
    sections = []
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        tables = {
            head: tuple(map(line_of, rows.strip().split("\n")))
            for head, rows in re.findall(r"^\| (forward|backward) \|.*\n\|[-|]+\|\n((?:\|.*\n)+)", part, re.MULTILINE)
        }
        if tables:
            given = re.search(r"^Given: (.+)$", part, re.MULTILINE)
            code = re.search(r"^Code: (.+?); call: `(.+)`$", part, re.MULTILINE)
            if given is None or code is None:
                raise ValueError(
                    f"the section {part.splitlines()[0]!r} needs a line Given: and a line Code: ...; call:"
                )
            names = tuple(re.findall(r"`(\w+)`", code[1]))
            shapes = tuple(re.findall(r"`(\w+) (\(.*?\))`", given[1]))
            sections.append(
                Section(part.splitlines()[0], shapes, names, code[2], tables["forward"], tables["backward"])
            )
    return sections


@cache
def drawn(given: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """Random arrays of the given shapes; lengths are T, T - 1 ..."""
    rng, values = np.random.default_rng(0), {}
    for name, shape in given:
        size = eval(re.sub(r"(\d)([A-Z])", r"\1*\2", shape), dict(SIZES))
        values[name] = SIZES["T"] - np.arange(*size) if name == "lengths" else rng.standard_normal(size)
    return values


class Bump(NamedTuple):
    """One entry of the array `name`, or of its step t, moved into the complex plane."""

    name: str
    t: int | None
    entry: tuple[int, ...]

    def applied(self, name: str, t: int | None, array: Any) -> Any:
        """The array, moved where it is meant."""
        if (name, t) != (self.name, self.t):
            return array
        moved = np.array(array, complex)
        moved[self.entry] += 1j * STEP
        return moved


NOWHERE = Bump("", None, ())


@cache
def compiled(text: str) -> Any:
    """An expression, compiled."""
    return compile(text, "derivation.md", "eval")


@cache
def targets_of(left: str) -> list[tuple[str, Any]]:
    """The names left of an equation, each with its compiled index or None."""
    node = ast.parse(left, mode="eval").body
    found: list[tuple[str, Any]] = []
    for one in node.elts if isinstance(node, ast.Tuple) else [node]:
        if isinstance(one, ast.Subscript):
            found.append((ast.unparse(one.value), compiled(ast.unparse(one.slice))))
        else:
            found.append((ast.unparse(one), None))
    return found


def run(section: Section, bump: Bump = NOWHERE) -> dict[str, Any]:
    """Every array that the forward lines make; of a name with [t] a dict of its steps."""
    values = {**MEANING, **{name: bump.applied(name, None, array) for name, array in drawn(section.given).items()}}
    lines = list(section.forward)
    while lines:
        ends = lines[0].first, lines[0].last
        block = list(takewhile(lambda line: ends == (line.first, line.last), lines))  # noqa: B023
        lines = lines[len(block) :]
        for t in block[0].steps():
            values["t"] = t
            for line in block:
                result, names = eval(compiled(line.right), values), targets_of(line.left)
                for (name, index), array in zip(names, result if len(names) > 1 else [result], strict=True):
                    if index is None:
                        values[name] = bump.applied(name, None, array)
                    else:
                        k = eval(index, values)
                        values.setdefault(name, {})[k] = bump.applied(name, k, array)
    return values


@cache
def gradient(section: Section, name: str) -> Any:
    """dL/d name by the complex step; of a name with steps a dict. Cached for sections that differ in backward lines."""

    def of(array: Any, t: int | None) -> np.ndarray:
        entries = np.ndindex(np.shape(array))
        found = [np.imag(run(section, Bump(name, t, entry))["L"]) / STEP for entry in entries]
        return np.reshape(found, np.shape(array))

    value = run(section)[name]
    return {t: of(array, t) for t, array in value.items()} if isinstance(value, dict) else of(value, None)


@cache
def names_in(expression: str) -> set[str]:
    """Every name in an expression."""
    return {node.id for node in ast.walk(ast.parse(expression, mode="eval")) if isinstance(node, ast.Name)}


def flat(value: Any) -> Iterator[np.ndarray]:
    """Every array in a value."""
    if isinstance(value, tuple | list):
        for part in value:
            yield from flat(part)
    elif isinstance(value, np.ndarray | np.generic):
        yield np.array(value)


@cache
def source_of(function: str) -> list[str]:
    """A textbook function's lines, without remarks and indents."""
    return [line.split("  #")[0].strip() for line in inspect.getsource(getattr(textbook, function)).splitlines()]


@cache
def code_values(section: Section) -> dict[str, list[np.ndarray]]:
    """What each line of the quoted functions has given, whenever it ran, in the section's call."""
    watched = {
        getattr(textbook, name).__code__: inspect.getsourcelines(getattr(textbook, name)) for name in section.functions
    }
    found: dict[str, list[np.ndarray]] = {}
    before: dict[int, int] = {}

    def watch(frame: Any, event: str, arg: Any) -> Any:
        if frame.f_code not in watched:
            return None
        lines, start = watched[frame.f_code]
        last, before[id(frame)] = before.get(id(frame)), frame.f_lineno
        if event in ("line", "return") and last is not None and last > start:
            text = lines[last - start].split("  #")[0].strip()
            node = parsed(text)
            if isinstance(node, ast.Assign):
                for target in node.targets:
                    value = eval(ast.unparse(target), frame.f_globals, frame.f_locals)
                    found.setdefault(text, []).extend(flat(value))
        if event == "return":
            del before[id(frame)]
        return watch

    values, old = {**run(section), **vars(textbook)}, sys.gettrace()
    for name in names_in(section.call) - set(values):
        values[name] = gradient(section, name[1:])
    sys.settrace(watch)
    try:
        exec(section.call, values)
    finally:
        sys.settrace(old)
    return found


def parsed(text: str) -> ast.stmt | None:
    """A line's statement; None where the line is a part of one."""
    try:
        return ast.parse(text).body[0]
    except (SyntaxError, IndexError):
        return None


def same(one: Any, other: Any) -> bool:
    """Equal shapes, and numbers within the tolerance."""
    one, other = np.asarray(one), np.asarray(other)
    return one.shape == other.shape and bool(
        np.allclose(one, other, rtol=0, atol=TOLERANCE * max(1, np.abs(other).max()))
    )


def judge_code(section: Section, line: Line, values: list[Any]) -> Iterator[str]:
    """What is wrong with the code beside a line whose values these are."""
    if not line.code:
        return
    if not any(line.code in source_of(name) for name in section.functions):
        yield f"`{line.code}` stands in none of {', '.join(section.functions)}"
    elif line.whole:
        made = code_values(section._replace(backward=())).get(line.code, [])
        if not all(any(same(value, other) for other in made) for value in flat(values)):
            yield f"`{line.code}` gives other numbers"


def judge_line(section: Section, line: Line, known: set[str], plain: dict[str, Any]) -> Iterator[str]:
    """What is wrong with a backward line, given the gradients that are known above it."""
    bare = section._replace(backward=())
    values = dict(plain)
    for name in names_in(line.left) | names_in(line.right):
        if name.startswith("d") and name[1:] in plain:
            values[name] = gradient(bare, name[1:])
    for name in sorted(names_in(re.sub(r"\w+\[t ?\+ ?1\]", "0", line.right))):
        if name.startswith("d") and name[1:] in plain and name not in known:
            yield f"{name} has no line above"
    lefts = []
    for t in line.steps():
        values["t"] = t
        left, right = (eval(compiled(side), values) for side in (line.left, line.right))
        right = tuple(right) if isinstance(left, tuple) else right
        lefts.append(left)
        if not all(same(a, b) for a, b in zip(flat(left), flat(right), strict=True)):
            off = max(np.abs(a - b).max() if a.shape == b.shape else np.inf for a, b in zip(flat(left), flat(right)))
            yield f"differs from the complex step by {off:.2g}"
            return
    yield from judge_code(section, line, lefts)


def made_by(line: Line, value: Any, index: Any) -> list[Any]:
    """What a line has made of a name: an array for each of its steps, or the one array."""
    return [value if index is None else value[eval(index, {**SIZES, "t": t})] for t in line.steps()]


def judge(page: str) -> tuple[int, list[str]]:
    """How many lines a page has, and a sentence for each fault: section, line, what is wrong."""
    count, faults, derived = 0, [], set()
    wanted: dict[str, tuple[str, str]] = {}
    for section in sections_of(page):
        plain = run(section)
        upstream = {name for name, _ in section.given if name[0] == "d" and name[1:] in plain}
        for line in section.forward:
            count += 1
            names = [(name, index) for name, index in targets_of(line.left) if name != "L"]
            values = [value for name, index in names for value in made_by(line, plain[name], index)]
            smooth = all(np.asarray(value).dtype.kind == "f" for value in values)
            wanted |= {name: (section.title, line.text) for name, _ in names if smooth}
            faults += [f"{section.title}: {line.text}: {why}" for why in judge_code(section, line, values)]
        known = set(upstream)
        for line in section.backward:
            count += 1
            faults += [
                f"{section.title}: {line.text}: {why}" for why in guarded(judge_line, section, line, known, plain)
            ]
            known |= {name for name in names_in(line.left) if name[0] == "d"}
        derived |= known
        for name, _ in section.given:
            wanted |= {name: (section.title, "Given")} if name not in upstream | {"lengths"} else {}
    faults += [
        f"{title}: {text}: no line has d{name}" for name, (title, text) in wanted.items() if f"d{name}" not in derived
    ]
    return count, faults


def guarded(judging: Callable[..., Iterator[str]], *arguments: Any) -> list[str]:
    """What a judge says; what stops it is a fault too."""
    try:
        return list(judging(*arguments))
    except (ValueError, NameError, SyntaxError, TypeError, KeyError, IndexError) as error:
        return [f"cannot be computed: {error}"]


def main(arguments: list[str] | None = None) -> int:
    """The command -> its exit code: 0 where all holds, 1 where a line does not, 2 where there is no page."""
    given = sys.argv[1:] if arguments is None else arguments
    path = Path(given[0]) if given else PAGE
    try:
        count, faults = judge(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        print(f"{path.name}: {error}", file=sys.stderr)
        return 2
    for fault in faults:
        print(f"WRONG  {fault}")
    print(f"{path.name}: {count} lines, {len(faults)} wrong")
    return 1 if faults or not count else 0


if __name__ == "__main__":
    sys.exit(main())
