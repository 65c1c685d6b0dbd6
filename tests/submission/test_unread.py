"""What looks like a pass and is not judged is named; what is none, or is judged through another, is not."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from npbilstm import textbook
from npbilstm.submission import definitions, looks, signs, unread
from npbilstm.submission.course_specs import PASSES
from npbilstm.submission.unread import unread_in_names, unread_in_source, unread_names
from tests.planting import planted_below
from tests.submission.innocent_files import ALL_JUDGED, INNOCENT
from tests.submission.submitted_files import FILES
from tests.submission.unread_files import UNREAD
from tests.submission.unread_forms import MADE, START

NOT_LIVING = {"a branch that was not taken", "a try that failed", "one that is deleted", "one in place of another"}
NOT_LIVING |= {"lines outside of functions", "a function inside a function", "a step of another kind"}
NOT_LIVING |= {"one inside a judged function that nobody calls"}
"""Where the source alone tells, or by another name."""
BY_ITS_ARGUMENTS = "Coursera: a sequence by one of the textbook's names"
"""What looks as if it could be judged, until it is called."""


def module_of(source):
    module = ModuleType("mine")
    exec(compile(source, "mine.py", "exec"), vars(module))
    return module


def judged_in(module):
    return [
        name for name in PASSES if callable(vars(module).get(name)) and definitions.is_submitted(vars(module)[name])
    ]


def from_source(source, unread=unread, others=True):
    """The names of what stands unread in a file, as `npbilstm check` finds them; without others, by its text alone."""
    module = module_of(source)
    judged = judged_in(module)
    told = unread.unread_names(vars(module), judged) if others else ()
    return [each.name for each in unread.unread_in_source(source, judged, told)]


def from_names(source, unread=unread):
    """The same in a namespace, as nb.diagnose finds them."""
    module = module_of(source)
    return [each.name for each in unread.unread_in_names(vars(module), judged_in(module))]


@pytest.mark.parametrize("form", sorted(UNREAD.keys() - {BY_ITS_ARGUMENTS}))
def test_a_pass_that_nobody_judges_is_named_and_nothing_else(form):
    source, names = UNREAD[form]
    assert sorted(from_source(START + source)) == sorted(names)


@pytest.mark.parametrize("form", sorted(UNREAD.keys() - {BY_ITS_ARGUMENTS} - NOT_LIVING))
def test_it_is_named_in_a_namespace_too(form):
    source, names = UNREAD[form]
    assert sorted(from_names(START + source)) == sorted(names)


@pytest.mark.parametrize("form", [*ALL_JUDGED, *INNOCENT])
def test_nothing_is_named_that_is_judged_through_another_or_is_no_pass(form):
    source = START + {**ALL_JUDGED, **INNOCENT}[form]
    assert from_source(source) == []
    assert form in NOT_LIVING or from_names(source) == []


@pytest.mark.parametrize("form", FILES)
def test_nothing_is_named_in_files_of_the_textbooks_functions(form):
    source, _ = FILES[form]
    unread = [each.name for each in unread_in_source(source, judged_in(module_of(source)))]
    # of forms, which are made of it, of the minLSTM, which has no spec, and of what is legal
    helpers = ["backward_from_each_step", "log_sigmoid", "crf_constrained"]
    assert unread == (helpers if form == "textbook" else [])


@pytest.mark.few(10)
@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (signs, '"product": any(map(is_product, nodes))', '"product": False'),
        (signs, '"weighted sum": not passes and any(map(is_weighted_sum, nodes))', '"weighted sum": False'),
        (signs, "bool(called & SQUASHINGS) or any(", "any("),
        (signs, '"gradient": any(computes_gradient(node, set(arguments)) for node in nodes)', '"gradient": False'),
        (signs, '"slope": any(map(is_slope, nodes))', '"slope": False'),
        (signs, "passes and (any(map(carries, nodes)) or any(map(turns, nodes)))", "False"),
        (signs, "(any(map(carries, nodes)) or any(map(turns, nodes)))", "any(map(carries, nodes))"),
        (signs, "(any(map(carries, nodes)) or any(map(turns, nodes)))", "any(map(turns, nodes))"),
        (signs, "return bool(complements) and any(", "return False and any("),
        (signs, "any(map(is_rectifier, nodes)) or any(map(is_logistic, nodes))", "any(map(is_logistic, nodes))"),
        (signs, "any(map(is_rectifier, nodes)) or any(map(is_logistic, nodes))", "any(map(is_rectifier, nodes))"),
        (signs, '"exponential": "exp" in called and divides', '"exponential": False'),
        (signs, '"squares": not passes and any(map(is_square, nodes))', '"squares": False'),
        (
            signs,
            '"logarithm": bool(called & {"log", "log2", "log1p"}) and any(map(multiplies, nodes))',
            '"logarithm": False',
        ),
        (looks, "if has(DIRECTION, whole) or has(CELL, whole)", "if has(CELL, whole)"),
        (looks, "if has(DIRECTION, whole) or has(CELL, whole)", "if has(DIRECTION, whole)"),
        (looks, " or has(THING, whole)", ""),
        (looks, "if PERHAPS.fullmatch(word) or is_gradient_name(word)", "if is_gradient_name(word)"),
        (looks, "if PERHAPS.fullmatch(word) or is_gradient_name(word)", "if PERHAPS.fullmatch(word)"),
        (looks, "return len(signs & CERTAIN) >= ENOUGH", "return False"),
        (looks, 'f"{of_class}_{name}" if of_its_class else name', "name"),
        (looks, "(given or has(ABOUT, words)) and not has(DIRECTION, words)", "given or has(ABOUT, words)"),
        (looks, "(has(DATA, words) and not has(DIRECTION, words))", "has(DATA, words)"),
        (definitions, 'yield from definitions_in_body(statement.body, f"{name}.")', "pass"),
        (definitions, 'yield from definitions_in_body(function.body, f"{prefix}{function.name}.{INSIDE}.")', "pass"),
        (definitions, 'for field in ("body", "orelse", "handlers", "finalbody", "cases"):', "for field in ():"),
        (definitions, '("lambda", signs_of_tree(returned, arguments)) if inside', '("name", NO_SIGNS) if inside'),
        (definitions, "        if telling:\n", "        if False:\n"),
        (unread, "first in names and all(part in attributes", "first in names and all(True or part in attributes"),
        (definitions, "frozenset(loaded - bound)", "frozenset(loaded)"),
        (unread, "if any(is_pass(each, kinds) for each in same[:-1]):", "if False:"),
        (unread, "if name not in known:", "if False:"),
    ],
)
def test_without_any_part_of_the_detection_a_pass_stands_unread(module, old, new):
    others = "known" in old
    *_, blind = planted_below([looks, signs, definitions, unread], module, old, new)
    forms = UNREAD.keys() - {BY_ITS_ARGUMENTS} - (set() if others else MADE)
    assert any(set(UNREAD[form][1]) - set(from_source(START + UNREAD[form][0], blind, others)) for form in forms)


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (signs, '"product": product', '"product": False'),
        (signs, '"@" in done or bool(called & PRODUCTS)', "bool(called & PRODUCTS)"),
        (signs, '"@" in done or bool(called & PRODUCTS)', '"@" in done'),
        (signs, '"squares": not passes and {"**", "2"} <= done', '"squares": False'),
        (signs, '"logarithm": "log" in called and "*" in done', '"logarithm": False'),
        (signs, '"weighted sum": not passes and {"*", "+"} <= done', '"weighted sum": False'),
        (signs, "bool(called & SQUASHINGS) or written_out", "written_out"),
        (signs, 'or ("maximum" in called and "0" in done)', ""),
        (signs, '("exp" in called and {"1", "+", "/"} <= done) or', ""),
        (signs, '"exponential": "exp" in called and "/" in done', '"exponential": False'),
        (
            signs,
            '"gradient": any(map(is_gradient_name, called | held)) and bool(done & {"*", "@"})',
            '"gradient": False',
        ),
        (signs, '"slope": len(called | held) == 1 and', '"slope": False and'),
        (signs, '"passes": passes and "FOR_ITER" in done', '"passes": False'),
        (signs, "        yield from nested_codes(each for each in code.co_consts if isinstance(each, CodeType))", ""),
        (definitions, "    for part, method in methods.items():\n", "    for part, method in ():\n"),
        (definitions, "        if isinstance(method, type):\n", "        if False:\n"),
    ],
)
def test_without_any_part_of_it_a_pass_stands_unread_in_a_namespace(module, old, new):
    *_, blind = planted_below([looks, signs, definitions, unread], module, old, new)
    forms = UNREAD.keys() - {BY_ITS_ARGUMENTS} - NOT_LIVING
    assert any(set(UNREAD[form][1]) - set(from_names(START + UNREAD[form][0], blind)) for form in forms)


@pytest.mark.few(6)
@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (looks, "if has(TEST, words) or (", "if ("),
        (looks, "has(DATA, words) and not has(DIRECTION, words)", "False"),
        (looks, "has(ELSE, words) or ((", "(("),
        (looks, "(given or has(ABOUT, words)) and", "given and"),
        (looks, "(given or has(ABOUT, words)) and", "has(ABOUT, words) and"),
        (looks, "return len(signs & CERTAIN) >= ENOUGH", "return sum(SIGNS[sign] for sign in signs) >= ENOUGH"),
        (looks, " and not is_innocent(words)", ""),
        (signs, "not any(isinstance(part, (ast.Constant, ast.UnaryOp)) for part in (node.left, node.right))", "True"),
        (looks, "*words_in(of_class)]", "]"),
        (unread, "if each.name in reached or not is_pass(each, kinds):", "if not is_pass(each, kinds):"),
        (unread, "names |= each.uses", "pass"),
        (unread, "attributes |= each.attributes", "pass"),
        (unread, 'or part.startswith("__")', ""),
        (unread, 'while len(same) > 1 and same[-1].kind == "name" and name in same[-1].uses:', "while False:"),
        (definitions, "[*statement.bases, *statement.decorator_list]", "statement.decorator_list"),
        (definitions, "attributes |= loaded & {each.name for", "attributes |= set() & {each.name for"),
    ],
)
def test_without_any_part_of_the_care_something_innocent_is_named(module, old, new):
    *_, careless = planted_below([looks, signs, definitions, unread], module, old, new)
    assert any(from_source(START + source, careless) for source in {**ALL_JUDGED, **INNOCENT}.values())


NUMPY = "from numpy import matmul as forward\nfrom contextlib import contextmanager as backward\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return any(is_submitted_module(function.__module__) for function in functions)", "return True"),
        ("        uses, attributes = uses_of(known)\n", "        uses, attributes = uses_of([])\n"),
        ("*uses_of([seen[id(kind)]])", "*uses_of([])"),
        ("cells = [cell.cell_contents for cell in value.__closure__ or () if holds(cell)]", "cells = []"),
        ('if step.opname in ("LOAD_GLOBAL", "LOAD_NAME")', "if False"),
    ],
)
def test_without_any_part_of_the_care_something_innocent_is_named_in_a_namespace(old, new):
    *_, careless = planted_below([looks, signs, definitions, unread], definitions, old, new)
    assert any(from_names(START + source, careless) for source in [NUMPY, *ALL_JUDGED.values(), *INNOCENT.values()])


def test_what_is_numpys_or_pythons_is_not_named():
    assert from_names(START + NUMPY) == []


SIBLING = """
import numpy as np
def lstm_cell_forward(x, W): return np.tanh(x @ W)
def helper(x): return x
class Cell:
    def backward(self, dy): return dy
"""


@pytest.fixture
def sibling(tmp_path, monkeypatch):
    """A submitted file beside the one that is judged."""
    (tmp_path / "their_layers.py").write_text(SIBLING)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("their_layers", None)


@pytest.mark.usefixtures("sibling")
@pytest.mark.parametrize(
    ("line", "names"),
    [
        ("from their_layers import lstm_cell_forward, helper, Cell", ["lstm_cell_forward", "Cell"]),
        ("from their_layers import *", ["lstm_cell_forward", "Cell"]),
        ("from their_layers import lstm_cell_forward as cell", ["cell"]),
        ("import their_layers", ["their_layers"]),
        ("import their_layers as layers\ncell = layers.Cell()", ["layers"]),
        ("from their_layers import lstm_cell_forward as step\ndef tanh(a): return step(a, 1)", []),
        ("import their_layers as layers\ndef tanh(a): return layers.lstm_cell_forward(a, 1)", ["layers"]),
    ],
)
def test_passes_that_come_from_another_submitted_file_are_named(line, names):
    assert from_source(START + line) == names
    assert from_names(START + line) == names


@pytest.mark.usefixtures("sibling")
def test_where_they_come_from_is_told():
    source = START + "from their_layers import Cell"
    (found,) = unread_in_source(source, ["sigmoid"], ["Cell"])
    assert found.reason == "it comes from their_layers.py; a file is judged by what is defined in it"
    (found,) = unread_in_names(vars(module_of(START + "import their_layers")), ["sigmoid"])
    assert found.reason == "it is a module (lstm_cell_forward, Cell.backward), and is judged by itself"


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (
            "def lstm_cell_backward(x): return x",
            "no function of the textbook has this name; the closest is lstm_backward",
        ),
        ("def feedforward(x): return x", "no function of the textbook has this name"),
        (
            "class A:\n    def forward(x): 1\n    def size(x): 2\n    def backward(x): 3",
            "it is a class (forward, backward) of no form that is known",
        ),
        ("def bptt(x):\n    'Later.'\n    raise NotImplementedError('later')", "it is not written yet"),
        ("def bptt(x): pass", "it is not written yet"),
        ("def f():\n    def bptt(x): return x", "it stands inside another function, where nobody else can call it"),
        ("def flip(x, n): return x @ n @ n", "there is no such function when the code has run"),
        ("y = 1\nz = np.tanh(y @ y)", "they look like a pass from line 2 on, and only functions are judged"),
        (
            "def relu(x): 1\n\ndef relu(x): 2",
            "it is defined at lines 1 and 3, and only one of them is judged",
        ),
    ],
)
def test_the_reason_is_told(source, reason):
    (found,) = unread_in_source(source, ["relu"])
    assert found.reason == reason


def test_a_long_chain_of_factors_is_read():
    chain = f"y = {' * '.join('x' * 900)}\nz = 1 - ({' + '.join('x' * 900)})\ndef f(x): return np.tanh(x @ x)\n"
    assert [each.name for each in unread_in_source(START + chain, ["sigmoid"])] == ["f"]


def test_what_is_nested_too_deeply_is_not_taken_for_read(monkeypatch):
    def too_deep(source):
        raise RecursionError

    monkeypatch.setattr(unread, "definitions_in_source", too_deep)
    assert unread_in_source(START, ["sigmoid"]) == [("the file", "it is nested too deeply to be looked through")]


def test_what_is_made_to_be_long_takes_no_time():
    name = "d" * 100_000
    long = f"def {name}(x): return x\ndef f(x):\n    {name} = x * x\n    return {name}\n"
    assert unread_in_source(START + long, ["sigmoid"]) == []
    many = "\n".join(f"a{k} = {k}" for k in range(unread.MOST + 1))
    (found,) = unread_in_source(many, [])
    assert found == ("the file", f"it defines {unread.MOST + 1} things; {unread.MOST} are looked through at most")


def test_a_function_that_wraps_itself_is_read_once():
    module = module_of(START + "def lstm(x): return x\nlstm.__wrapped__ = lstm\n")
    assert [each.name for each in unread_in_names(vars(module), ["sigmoid"])] == ["lstm"]


def test_a_function_put_into_a_dict_counts_whoever_made_it():
    put = {"rnn_forward": len, "bptt": None, "helper": len, "lstm_forward": textbook.lstm_forward}
    assert [each.name for each in unread_in_names(put, [])] == ["rnn_forward", "bptt"]
    assert unread_in_names({"rnn_forward": len, "__name__": "mine"}, []) == []


@pytest.mark.slow
def test_no_more_is_told_than_people_read():
    names = {f"lstm_cell_{k}": len for k in range(1000)}
    assert unread_names(names, []) == list(names)[: unread.SHOWN]
    assert unread_names({"a forward pass": len}, []) == ["_a_forward_pass"]
    source = "\n".join(f"def {name}(x): return x" for name in names)
    for found in (unread_in_names(names, []), unread_in_source(source, [])):
        assert [each.name for each in found] == [*list(names)[: unread.SHOWN], "900 more"]
    (found,) = unread_in_source(f"def lstm_{'x' * 10_000}(x): return x", [])
    assert found.name == f"lstm_{'x' * 55}..."
    methods = "".join(f"    def forward_{k}(self): return 1\n" for k in range(9))
    (found,) = unread_in_source(f"class A:\n{methods}", [])
    assert found.reason.startswith("it is a class (forward_0, forward_1, forward_2, forward_3, forward_4 ...) of")


def test_a_base_class_whose_methods_others_write_is_no_pass_of_its_own():
    source = """
class Layer:
    def __call__(self, x): return self.forward(x)
    def forward(self, x): raise NotImplementedError
    def backward(self, d): raise NotImplementedError

class Tanh(Layer):
    def forward(self, x): return np.tanh(x)

def tanh(a): return Tanh().forward(a)
"""
    assert from_source(START + source) == []
    assert from_names(START + source) == []
