"""The convergence study: derivatives, kinks and noise, read off a row of steps."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.gradcheck.convergence import STEPS, order_of, study, study_line

EPS = np.finfo(float).eps


def tanh_derivative(z):
    return 1 - np.tanh(z) ** 2


@given(
    st.sampled_from([(np.sin, np.cos), (np.tanh, tanh_derivative), (np.exp, np.exp)]),
    st.floats(0.05, 20),
    st.floats(-3, 3),
)
def test_the_error_estimate_holds(functions, rate, at):
    function, slope = functions
    here = float(function(rate * at))
    truth = rate * float(slope(rate * at))
    noise = 4 * EPS * (abs(here) + abs(truth * at))
    found = study(lambda t: function(rate * (at + t)), here, noise)
    assert abs(found.derivative - truth) <= 3 * found.error
    assert found.error < 1e-6 * max(abs(truth), abs(here), rate)
    assert found.kink is None
    assert not found.contradicts(truth)
    assert found.contradicts(truth + 0.01 * max(abs(truth), abs(here), rate))


def test_the_order_of_a_right_gradient_is_two_and_of_a_wrong_one_none():
    line = study_line(lambda t: np.exp(np.real(t)), 1.0, False)
    right = order_of(line.study.steps, np.abs(line.study.differences - 1), line.noise)
    wrong = order_of(line.study.steps, np.abs(line.study.differences - 1.1), line.noise)
    assert abs(right - 2) < 0.05
    assert abs(wrong) < 0.05
    assert order_of(line.study.steps, np.zeros(len(STEPS)), line.noise) is None


@given(st.floats(-2, 2), st.floats(1e-3, 5), st.floats(-3, 3))
def test_a_kink_is_found_with_both_its_sides(slope, jump, curve):
    found = study(lambda t: 1 + slope * t + jump * max(t, 0) + curve * t**2, 1.0, EPS)
    assert found.kink is not None
    assert abs(found.kink.low - slope) <= found.kink.error + 1e-6
    assert abs(found.kink.high - slope - jump) <= found.kink.error + 1e-6
    assert found.kink.error < 0.01


@given(st.floats(-6.9, -1.1), st.floats(0, 100))
def test_a_bend_beside_the_point_is_no_kink_at_it(exponent, sharpness):
    distance = 10.0**exponent
    assert study(lambda t: abs(t - distance), distance, 4 * EPS * distance).kink is None
    assert study(lambda t: np.logaddexp(0, sharpness * t), np.log(2), 4 * EPS).kink is None


@given(st.floats(-15, -4))
def test_noise_is_measured(exponent):
    noise = 10.0**exponent
    rng = np.random.default_rng(0)
    line = study_line(lambda t: np.sin(1 + t) + noise * rng.standard_normal(), np.sin(1.0), False)
    assert noise / 30 < line.noise < 30 * noise
    assert line.blurred == (line.noise > 1e-11 * np.sin(1.0))


def test_steps_beyond_the_losss_domain_are_left_out():
    found = study(lambda t: np.log(0.01 + t), np.log(0.01), 4 * EPS)
    assert found.steps[0] < 0.01
    assert abs(found.derivative - 100) < 1e-6

    def refusing(t):
        if abs(t) > 1e-3:
            raise ValueError("too far")
        return t**2 + t

    assert abs(study(refusing, 0.0, EPS).derivative - 1) < 1e-8


def test_sides_that_change_places_from_step_to_step_are_no_kink():
    def turning(t):
        return abs(t) * np.cos(2 * np.pi * np.log10(abs(t)))

    assert study(turning, 0.0, EPS * 1e-9).kink is None
    assert study(lambda t: abs(t), 0.0, EPS * 1e-9).kink is not None


def test_what_never_settles_has_no_error_estimate():
    found = study(lambda t: np.sign(t), 0.0, EPS)
    assert found.error > 0.1 * abs(found.derivative)
    assert found.kink is None


def test_a_function_that_is_flat_from_afar_is_not_flat():
    found = study(lambda t: np.tanh(1e4 * t), 0.0, EPS)
    assert found.derivative == pytest.approx(1e4, rel=1e-6)
