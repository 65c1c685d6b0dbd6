"""What is built on a function that is wrong in a way of its own is judged by what that function gives."""

import os

import pytest

from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.grading import grade_sources
from npbilstm.submission.fork_server import ForkServer
from npbilstm.submission.sandbox import Layers
from tests.classroom.written import written

pytestmark = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")


@pytest.fixture(scope="module")
def server():
    with ForkServer(Layers()) as server:
        yield server


def graded(name, source, server):
    (part,) = grade_sources({EXERCISES[name]: ("work.py", source)}, [EXERCISES[name]], server, 7)
    return part


WRONG = [
    ("crf", "return log_alpha, np.where", "return 1.01 * log_alpha + 0.02, np.where", 18),
    ("crf", "    return log_beta\n", "    return log_beta * 1.01\n", 18),
    ("clipping", "return ", "return 1.01 * ", 3),
]


@pytest.mark.parametrize(("name", "line", "instead", "points"), WRONG)
def test_a_function_without_backward_pass_that_is_wrong_costs_its_own_points_alone(name, line, instead, points, server):
    source = written(EXERCISES[name])
    assert line in source
    assert graded(name, source.replace(line, instead, 1), server).points == points


ZEROS = """import numpy as np
def crf_log_alpha(scores, params, lengths=None):
    return 0 * scores, np.full(len(scores), 1e6)
def crf_log_beta(scores, params, lengths=None):
    return 0 * scores
def crf_marginals(scores, params, lengths=None):
    crf_log_alpha(scores, params, lengths), crf_log_beta(scores, params, lengths)
    return 0 * scores, np.zeros((*scores.shape, scores.shape[2]))
"""


def test_zeros_that_follow_from_a_function_made_wrong_for_it_have_no_points(server):
    assert graded("crf", ZEROS, server).points == 0
