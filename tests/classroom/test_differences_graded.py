"""A backward pass that is none gains nothing: complex steps and differences of the forward pass, however exact."""

import os

import pytest

from npbilstm.classroom import grading
from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.graded import feedback
from npbilstm.classroom.grading import DIFFERENCES, LARGE_SECONDS, grade_sources, large_case
from npbilstm.classroom.stubs import solution
from npbilstm.submission.fork_server import ForkServer
from npbilstm.submission.function_spec import names_in
from npbilstm.submission.sandbox import Layers
from tests.classroom.written import written

pytestmark = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")

GENERIC = """
def leaves(tree):
    return [each for part in tree for each in leaves(part)] if isinstance(tree, tuple) else [tree]


def rebuilt(tree, values):
    if not isinstance(tree, tuple):
        return next(values)
    parts = [rebuilt(part, values) for part in tree]
    return type(tree)(*parts) if hasattr(tree, "_fields") else tuple(parts)


def remembering(forward):
    def remembers(*arguments):
        return (*forward(*arguments)[:-1], (forward, arguments))

    return remembers


def made_of_steps(wanted):
    def backward(*given):
        *upstream, (forward, arguments) = [each for each in given if not callable(each)]
        found = []
        for k in wanted:
            grads = [np.zeros(np.shape(leaf)) for leaf in leaves(arguments[k])]

            def loss(step, place, at):
                parts = [np.array(each, type(step)) for each in leaves(arguments[k])]
                parts[place][at] += step
                moved = (*arguments[:k], rebuilt(arguments[k], iter(parts)), *arguments[k + 1:])
                outputs = leaves(tuple(forward(*moved)[:-1]))
                return sum((out * d).sum() for out, d in zip(outputs, leaves(tuple(upstream))))

            for place, grad in enumerate(grads):
                for at in np.ndindex(grad.shape):
                    grad[at] = DERIVATIVE
            found.append(rebuilt(arguments[k], iter(grads)))
        return tuple(found) if len(found) > 1 else found[0]

    return backward
"""
COMPLEX = GENERIC.replace("DERIVATIVE", "loss(1e-30j, place, at).imag / 1e-30")
CENTRAL = GENERIC.replace("DERIVATIVE", "(loss(1e-6, place, at) - loss(-1e-6, place, at)) / 2e-6")
WITH_BACKWARD = [each for each in ALL if any(spec.backward and spec.backward in each.functions for spec in each.specs)]


@pytest.fixture(scope="module")
def server():
    with ForkServer(Layers()) as server:
        yield server


def of_differences(exercise, generic):
    """An exercise whose forward passes are right, and whose backward passes are made of them."""
    source, lines = written(exercise), []
    for spec in exercise.specs:
        if spec.backward and spec.backward in exercise.functions:
            source = source.replace(solution(spec.backward), "")
            wanted = [k for k, each in enumerate(spec.arguments) if set(names_in(each)) & set(spec.floats)]
            wanted = [k + (spec.steps is not None) for k in wanted]
            if spec.forward not in exercise.functions:
                lines.append(f"from npbilstm.textbook import {spec.forward}")
            lines += [f"{spec.forward} = remembering({spec.forward})", f"{spec.backward} = made_of_steps({wanted})"]
    return with_lines(source, generic, *lines)


def with_lines(source, *lines):
    """A source with more lines, before it says how it stands."""
    head, mark, tail = source.partition("\n\n\nif __name__")
    return "\n".join([head, *lines]) + mark + tail


def graded(exercise, source, server, large_seconds=0.5):
    """How an exercise stands that is given all the time that it takes, but on large arrays."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(grading, "LARGE_SECONDS", large_seconds)
        (part,) = grade_sources({exercise: ("work.py", source)}, [exercise], server, 3, seconds=1000.0)
    return part


def without_backward(exercise):
    """The points of an exercise without those of its backward passes."""
    left = set(exercise.functions) - {spec.backward for spec in exercise.specs}
    return round(exercise.points / len(exercise.functions) * len(left), 2)


@pytest.mark.few(1)
@pytest.mark.parametrize("exercise", WITH_BACKWARD, ids=lambda each: each.name)
def test_a_backward_pass_of_complex_steps_gains_no_point_and_a_right_one_all(exercise, server):
    part = graded(exercise, of_differences(exercise, COMPLEX), server)
    if exercise.name != "truncated_bptt":  # whose gradient is no derivative
        assert DIFFERENCES in " ".join(feedback(part, 1).split())
    assert part.points == without_backward(exercise)
    assert graded(exercise, written(exercise), server).points == exercise.points


@pytest.mark.slow
@pytest.mark.parametrize("exercise", WITH_BACKWARD, ids=lambda each: each.name)
def test_nor_does_one_that_is_given_all_the_time_that_there_is(exercise, server):
    part = graded(exercise, of_differences(exercise, COMPLEX), server, LARGE_SECONDS)
    assert part.points == without_backward(exercise)


@pytest.mark.slow
@pytest.mark.parametrize("exercise", WITH_BACKWARD, ids=lambda each: each.name)
def test_a_backward_pass_of_central_differences_gains_no_point(exercise, server):
    part = graded(exercise, of_differences(exercise, CENTRAL), server)
    assert part.points == without_backward(exercise)


@pytest.mark.few(1)
@pytest.mark.parametrize(("name", "rows"), [("gru_step", "rows"), ("gru_step", ""), ("lstm", "rows"), ("lstm", "")])
def test_where_there_is_one_row_there_are_more_numbers(name, rows):
    case, gradients = large_case(name, 3, frozenset({rows} - {""}))
    work = len(case.inputs["x"]) * sum(gradient.size for gradient in gradients.values()) ** 2
    assert work > 10**10  # a product for each number, of so many numbers, is half a minute at least


@pytest.mark.slow
def test_what_is_right_beside_it_keeps_its_points_and_an_unwritten_one_hides_nothing(server):
    gru, both = EXERCISES["gru"], ("gru_step_forward", "gru_step_backward")
    source = of_differences(gru, COMPLEX)
    assert graded(gru, with_lines(source, *map(solution, both)), server).points == 3 * gru.points / 4
    assert graded(gru, with_lines(source, f"del {', '.join(both)}"), server).points == gru.points / 4
