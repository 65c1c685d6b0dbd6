"""Who is named as alike: who handed in another's work under other names, and nobody for what there is to write."""

import ast
import itertools

import pytest

from npbilstm.classroom.assignment import preamble, python_file
from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.judging import check_exercise
from npbilstm.classroom.likeness import FEWEST, alike, fingerprints
from tests.classroom.own_ways import BY_GATES, BY_SLICES, BY_SLICES_TOO
from tests.classroom.written import namespace, written


def taken(submissions):
    """The fingerprints of submissions: names -> exercises -> sources."""
    return {
        name: {exercise: fingerprints(source) for exercise, source in sources.items()}
        for name, sources in submissions.items()
    }


def named(submissions):
    return [pair.names for pair in alike(taken(submissions))]


class Renamed(ast.NodeTransformer):
    """Other names for whatever a function names itself."""

    def __init__(self, own):
        self.own = own

    def visit_Name(self, node):
        return ast.Name(self.own.get(node.id, node.id), node.ctx)

    def visit_arg(self, node):
        return ast.arg(self.own.get(node.arg, node.arg), ast.Constant("a hint"))


def disguised(source):
    """The same statements with other names, hints, comments and layout."""
    tree = ast.parse(source)
    bound = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    bound |= {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
    own = {name: f"my_{k}" for k, name in enumerate(sorted(bound, reverse=True))}
    text = ast.unparse(ast.fix_missing_locations(Renamed(own).visit(tree)))
    text = text.replace(":\n", ':\n    """My own."""\n', 1).replace("\n", "  # mine\n\n")
    return text.replace("np.dot(my_0, ", "np.matmul(my_0, ")


@pytest.mark.parametrize("way", [BY_SLICES, BY_GATES, BY_SLICES_TOO])
def test_the_ways_are_right(way):
    for exercise in way:
        forward = "" if exercise == "flip" else way["lstm_step_forward"]
        given = preamble(EXERCISES["lstm_step_forward"]) + preamble(EXERCISES[exercise]).replace(
            "from __future__", "# "
        )
        assert check_exercise(exercise, namespace(f"{given}\n{forward}\n{way[exercise]}")).state == "right"


def test_who_hands_in_anothers_work_under_other_names_is_named_with_the_functions():
    copied = {exercise: disguised(source) for exercise, source in BY_SLICES.items()}
    others = {"ann": BY_SLICES, "bob": BY_GATES, "cyd": BY_SLICES_TOO, "dan": copied}
    (pair,) = alike(taken(others))
    assert pair.names == ("ann", "dan")
    assert pair.exercises == {name: (1.0, (name,)) for name in BY_SLICES}
    assert pair.statements >= FEWEST


def test_who_changes_a_line_here_and_there_is_still_named():
    copied = {exercise: disguised(source) for exercise, source in BY_SLICES.items()}
    copied["lstm_step_backward"] = copied["lstm_step_backward"].replace("** 2", "** 2.0", 1)
    assert named({"ann": BY_SLICES, "dan": copied}) == [("ann", "dan")]


def test_three_people_who_write_by_themselves_are_not_named():
    assert named({"ann": BY_SLICES, "bob": BY_GATES, "cyd": BY_SLICES_TOO}) == []


def test_nobody_is_named_for_stubs_or_for_what_the_textbook_and_its_equations_say():
    stubs = {exercise.name: python_file(exercise) for exercise in ALL}
    answers = {exercise.name: written(exercise) for exercise in ALL}
    assert named({"ann": stubs, "bob": stubs, "cyd": answers, "dan": answers}) == []


def test_nobody_is_named_for_the_only_sensible_lines():
    lines = "def sigmoid(a):\n    return 1.0 / (1.0 + np.exp(-a))\n\n\ndef tanh(a):\n    return np.tanh(a)\n"
    assert named({"ann": {"activations": lines}, "bob": {"activations": disguised(lines)}}) == []


IN_COLUMNS = """
def lstm_step_backward(dact, dmem, cache):
    feat, act_prev, mem_prev, i, f, g, o, tanh_c, params = cache
    do = dact * tanh_c
    dmem = dmem + dact * o * tanh_derivative(tanh_c)
    di = dmem * g
    df = dmem * mem_prev
    dg = dmem * i
    dmem_prev = dmem * f
    da_f = df * sigmoid_derivative(f)
    da_i = di * sigmoid_derivative(i)
    da_g = dg * tanh_derivative(g)
    da_o = do * sigmoid_derivative(o)
    da = np.concatenate([da_f, da_i, da_g, da_o], axis=0)
    dfeat = params.Wi.T @ da
    dact_prev = params.Wr.T @ da
    dWi = da @ feat.T
    dWr = da @ act_prev.T
    dbeta = da.sum(axis=1, keepdims=True)
    return dfeat, dact_prev, dmem_prev, LSTMParams(dWi, dWr, dbeta)
"""


def test_nobody_is_named_for_what_a_variants_equations_say():
    for source in (IN_COLUMNS, disguised(IN_COLUMNS)):
        assert sum(map(len, fingerprints(source).values())) <= 2  # of 18 statements


def test_nobody_is_named_for_what_many_have():
    everybody = {f"student{k}": BY_SLICES for k in range(6)}
    assert named(everybody) == []
    assert len(named(dict(itertools.islice(everybody.items(), 5)))) == 10


def test_two_hundred_are_compared_pair_by_pair():
    prints = taken({"0": BY_SLICES})

    def somebody(k):  # the first four in pairs
        mark = k if k >= 4 else k // 2
        return {
            exercise: {name: [f"{mark} {each}" for each in listed] for name, listed in functions.items()}
            for exercise, functions in prints["0"].items()
        }

    class_ = {f"student{k:03}": somebody(k) for k in range(200)}
    assert [pair.names for pair in alike(class_)] == [("student000", "student001"), ("student002", "student003")]


def test_what_is_no_python_or_nested_too_deeply_has_no_fingerprints():
    for source in ("def flip(x:\n", "def f():\n    return " + "(" * 3000 + ")" * 3000, "def f():\n    x = '\0'\n"):
        assert fingerprints(source) == {}
