"""What stands around training: layers upon one another, long sequences cut, dropout, clipping, the gradient check."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.diagnosis.stages import RIGHT_PROBES
from npbilstm.submission.probes import PROBES
from npbilstm.textbook import (
    GRUParams,
    LSTMParams,
    backward_is_right,
    clipped_gradients,
    clipping_factor,
    dropout_over_time_backward,
    dropout_over_time_forward,
    gru_step_backward,
    gru_step_forward,
    mask_from_uniform,
    recurrent_backward,
    recurrent_forward,
    stacked_lstm_backward,
    stacked_lstm_forward,
    truncated_backward,
    truncated_forward,
)
from tests.cases import assert_close

N, T, D, H = 3, 5, 2, 4
LENGTHS = np.array([5, 2, 0])


def drawn(seed, *shape):
    return 0.5 * np.random.default_rng(seed).standard_normal(shape)


def gru():
    params = GRUParams(drawn(1, D, 3 * H), drawn(2, H, 3 * H), drawn(3, 3 * H), drawn(4, H))
    return drawn(5, N, T, D), (drawn(6, N, H),), params


def test_windows_change_no_output_and_one_that_holds_all_steps_no_gradient():
    x, state, params = gru()
    whole, (last,), cache = recurrent_forward(gru_step_forward, x, state, params)
    dy, dstate = drawn(7, N, T, H), (drawn(8, N, H),)
    dx, (dh0,), grads = recurrent_backward(gru_step_backward, dy, dstate, cache)
    for window in (1, 2, 5, 9):
        y, (h_T,), cut = truncated_forward(gru_step_forward, x, state, params, window)
        assert_close(y, whole)
        assert_close(h_T, last)
        got = truncated_backward(gru_step_backward, dy, dstate, cut)
        same = np.allclose(got[0], dx)
        assert same == (window >= T)
    for one, other in zip((got[0], got[1][0], *got[2]), (dx, dh0, *grads)):
        assert_close(one, other)


def test_what_a_window_gives_is_what_it_gives_alone():
    x, state, params = gru()
    dy, zero = drawn(7, N, T, H), (np.zeros((N, H)),)
    _, _, cut = truncated_forward(gru_step_forward, x, state, params, 3)
    dx, _, grads = truncated_backward(gru_step_backward, dy, zero, cut)
    _, middle, first = recurrent_forward(gru_step_forward, x[:, :3], state, params)
    _, _, second = recurrent_forward(gru_step_forward, x[:, 3:], middle, params)
    parts = [recurrent_backward(gru_step_backward, dy[:, :3], zero, first)]
    parts.append(recurrent_backward(gru_step_backward, dy[:, 3:], zero, second))
    assert_close(dx, np.concatenate([parts[0][0], parts[1][0]], axis=1))
    for total, one, other in zip(grads, parts[0][2], parts[1][2]):
        assert_close(total, one + other)


def test_a_window_of_no_steps_gets_a_sentence():
    with pytest.raises(ValueError, match="window is 0; it needs to be at least 1"):
        truncated_forward(gru_step_forward, *gru(), 0)


def test_stacked_layers_are_those_of_the_engine_and_their_gradients_are_right():
    layer = nb.LSTM(D, H, num_layers=2, dtype=np.float64, rng=0)
    params = tuple(LSTMParams(*(layer.params[f"{k}.forward.{name}"] for name in LSTMParams._fields)) for k in (0, 1))
    x, h0, c0 = drawn(1, N, T, D), drawn(2, 2, N, H), drawn(3, 2, N, H)
    h, h_T, c_T, cache = stacked_lstm_forward(x, h0, c0, params, LENGTHS)
    y, (h_n, c_n), of_layer = layer.forward(x, LENGTHS, (h0, c0), training=True)
    for one, other in [(h, y), (h_T, h_n), (c_T, c_n)]:
        assert_close(one, other)
    dh, dh_T, dc_T = drawn(4, N, T, H), drawn(5, 2, N, H), drawn(6, 2, N, H)
    dx, dh0, dc0, grads = stacked_lstm_backward(dh, dh_T, dc_T, cache)
    d_input, of_params, (dh_0, dc_0) = layer.backward(dh, of_layer, (dh_T, dc_T))
    for one, other in [(dx, d_input), (dh0, dh_0), (dc0, dc_0)]:
        assert_close(one, other)
    for k, here in enumerate(grads):
        for name, grad in here._asdict().items():
            assert_close(grad, of_params[f"{k}.forward.{name}"])
    inputs = {"x": x, "h0": h0, "c0": c0, "params": params, "lengths": LENGTHS}
    assert nb.check_pair(stacked_lstm_forward, stacked_lstm_backward, inputs, method="complex", entries=5).ok


def test_dropout_keeps_the_mean_and_its_gradient_is_right():
    mask = mask_from_uniform(np.random.default_rng(0).random((200, 200)), 0.3)
    assert abs(mask.mean() - 1) < 0.01
    assert abs((mask == 0).mean() - 0.3) < 0.01
    inputs = {"x": drawn(1, N, T, D), "mask": mask_from_uniform(np.random.default_rng(1).random((N, D)), 0.5)}
    assert nb.check_pair(dropout_over_time_forward, dropout_over_time_backward, inputs, gradients=["x"]).ok
    dropped, _ = dropout_over_time_forward(**inputs)
    assert_close(dropped[:, 3], inputs["mask"] * inputs["x"][:, 3])


@pytest.mark.parametrize("max_norm", [0.5, 50.0])
def test_clipping_is_that_of_training(max_norm):
    grads = {"table": drawn(1, 5, D), "W": drawn(2, D, 5), "b": drawn(3, 5)}
    *clipped, norm = clipped_gradients(*grads.values(), max_norm)
    expected, before = nb.clip_by_global_norm(grads, max_norm)
    assert_close(norm, before)
    for one, other in zip(clipped, expected.values()):
        assert_close(one, other)
    assert clipping_factor(0.0, max_norm) == 1


def test_a_gradient_check_of_a_clipped_gradient_finds_the_factor():
    x = drawn(1, 3, 4)
    factor = clipping_factor(float(np.sqrt((4 * x * x).sum())), 0.5)
    report = nb.check_gradients(lambda p: (p["x"] ** 2).sum(), {"x": x}, {"x": factor * 2 * x})
    assert not report.ok
    assert any(f"constant ratio {factor:.3f}"[:18] in flag for flag in report.rows[0].flags)


@pytest.mark.parametrize(("probe", "name"), [*zip(PROBES, RIGHT_PROBES, strict=True)], ids=list(RIGHT_PROBES))
def test_the_gradient_check_accepts_what_is_right_and_nothing_else(probe, name):
    x = probe.given(drawn(1, 3, 2))
    before = x.copy()
    assert backward_is_right(probe.forward, probe.backward, x) is RIGHT_PROBES[name]
    assert (x == before).all()
    if probe.given(x).dtype == np.float64 and "view" not in name:
        report = nb.check_pair(probe.forward, probe.backward, {"x": np.array(x)})
        assert report.ok is RIGHT_PROBES[name]
