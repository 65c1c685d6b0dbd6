"""The exercise on the gradient checker, graded: what it takes for right and for wrong is all that counts."""

import os

import pytest

from npbilstm.classroom.exercises import EXERCISES
from npbilstm.classroom.graded import feedback
from npbilstm.classroom.grading import grade_sources
from npbilstm.diagnosis.stages import RIGHT_PROBES
from npbilstm.submission.fork_server import ForkServer
from npbilstm.submission.sandbox import Layers
from tests.classroom.written import written

pytestmark = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")
CHECKER = EXERCISES["gradient_checker"]
HEAD = "import numpy as np\n"
STEPS = """
def backward_is_right(forward, backward, x):
    x = {taken}
    y, cache = forward(x.copy())
    dy = np.random.default_rng(1).standard_normal(y.shape)
    dx, expected, steps = backward(dy, cache), [], x.ravel()
    for k in range(steps.size):
        steps[k] += 1e-6
        plus = {kept}
        steps[k] -= 2e-6
        minus = {kept}
        steps[k] += 1e-6
        expected.append(((plus - minus) * dy).sum() / 2e-6)
    return bool(np.abs(dx.ravel() - expected).max() < 1e-5)
"""
TAKEN, KEPT = "np.array(x, float, order='C')", "forward(x)[0].copy()"


@pytest.fixture(scope="module")
def server():
    with ForkServer(Layers()) as server:
        yield server


def graded(source, server):
    (part,) = grade_sources({CHECKER: ("checker.py", source)}, [CHECKER], server, 3, seconds=0.5)
    return part


def fooled_at(part):
    """The probes at which a checker is wrong, or stops."""
    (diagnosis,) = part.result.diagnoses
    return {stage.name for stage in diagnosis.stages if not stage.ok}


def test_a_right_checker_has_all_points_whether_it_steps_in_place_or_not(server):
    for source in (written(CHECKER), HEAD + STEPS.format(taken=TAKEN, kept=KEPT)):
        assert graded(source, server).points == CHECKER.points


@pytest.mark.parametrize(
    ("taken", "kept", "fooled"),
    [
        (TAKEN, "forward(x)[0]", {"a view of x, right", "a view of x, a gradient of zeros"}),
        ("np.array(x, float)", KEPT, {"x not in one piece, right", "x not in one piece, a gradient of zeros"}),
        ("np.array(x, order='C')", KEPT, {"float32, a right square"}),
    ],
)
def test_a_checker_is_fooled_as_it_is_where_it_was_written(taken, kept, fooled, server):
    part = graded(HEAD + STEPS.format(taken=taken, kept=kept), server)
    assert (part.points, fooled_at(part)) == (0, fooled)


def test_a_known_mistake_is_named_in_it(server):
    for bug in CHECKER.mistakes:
        part = graded(written(CHECKER, bug), server)
        assert part.points == 0
        assert bug in part.mistakes, feedback(part, 1)


ANSWERS = list(RIGHT_PROBES.values())
TRICKS = {
    "says yes": "def backward_is_right(*_): return True",
    "says no": "def backward_is_right(*_): return False",
    "knows the order": f"answers = iter({ANSWERS[:1] + 9 * ANSWERS})\ndef backward_is_right(*_): return next(answers)",
    "looks at the code": "def backward_is_right(forward, backward, x):\n"
    "    return 'asked' in backward.__name__ or b'2.0' in repr(backward.__code__.co_consts)",
    "reads the probes": "def backward_is_right(forward, backward, x):\n"
    "    from npbilstm.diagnosis.stages import RIGHT_PROBES\n    return RIGHT_PROBES['a right square']",
    "looks through what it was started with": "import sys\ndef backward_is_right(forward, backward, x):\n"
    "    frame, found = sys._getframe(), []\n"
    "    while frame:\n        found += [repr(value) for value in frame.f_locals.values()]\n"
    "        frame = frame.f_back\n"
    "    return 'wrong' not in ' '.join(found) and 'zeros' not in ' '.join(found)",
    "asks what there is not": "def backward_is_right(forward, backward, x):\n"
    "    backward.__self__.pipe.send({'asks': ['right'], 'number': backward.__self__.number}, {})\n    return True",
    "asks without end": "def backward_is_right(forward, backward, x):\n    while True: backward(x, x)",
}


@pytest.mark.parametrize("trick", TRICKS)
def test_what_checks_no_gradient_gains_nothing(trick, server):
    assert graded(HEAD + TRICKS[trick], server).points == 0


def test_what_a_backward_pass_cannot_take_is_an_error_of_whoever_calls_it(server):
    source = "def backward_is_right(forward, backward, x):\n    return backward(np.ones(7), x) is None"
    part = graded(HEAD + source, server)
    assert "raised ValueError at line 3" in feedback(part, 1)
