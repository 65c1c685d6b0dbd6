"""Real-time recurrent learning gives the gradients of backpropagation through time, at every step."""

import numpy as np
import pytest

from npbilstm.textbook import LSTMParams, lstm_backward, lstm_forward, lstm_rtrl, rtrl_gradient, rtrl_start, rtrl_step
from npbilstm.textbook import rtrl as rtrl_module
from tests.cases import assert_close
from tests.planting import planted

N, T, D, H = 3, 5, 2, 3


def case():
    rng = np.random.default_rng(0)
    params = LSTMParams(rng.normal(size=(D, 4 * H)), rng.normal(size=(H, 4 * H)), rng.normal(size=4 * H))
    x, h0, c0 = rng.normal(size=(N, T, D)), rng.normal(size=(N, H)), rng.normal(size=(N, H))
    return x, h0, c0, params, rng.normal(size=(N, T, H)), rng.normal(size=(N, H))


def test_it_gives_the_gradients_of_bptt():
    x, h0, c0, params, dh, _ = case()
    expected, _, _, cache = lstm_forward(x, h0, c0, params)
    h, grads = lstm_rtrl(x, h0, c0, params, dh)
    assert_close(h, expected)
    zero = np.zeros_like(h0)
    for got, wanted in zip(grads, lstm_backward(dh, zero, zero, cache)[3]):
        assert_close(got, wanted)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("h_prev_W @ params.Wh + row", "row"),
        ("f * c_prev_W + c_prev[", "c_prev["),
        ("c_prev[:, None, None] * f_W + g", "g"),
        ("tanh(c) * o_W + o * tanh_d", "o * tanh_d"),
        ("o * tanh_derivative(tanh(c)) * c_W", "o * c_W"),
        ("total + share", "share"),
    ],
)
def test_a_mistake_shows(old, new):
    x, h0, c0, params, dh, _ = case()
    grads = planted(rtrl_module, old, new).lstm_rtrl(x, h0, c0, params, dh)[1]
    assert not np.allclose(grads.Wh, lstm_rtrl(x, h0, c0, params, dh)[1].Wh, rtol=1e-3)


def test_at_every_step_the_gradient_of_a_loss_that_reads_the_state_is_there():
    x, h0, c0, params, dh, dc = case()
    state = rtrl_start(h0, c0, params)
    for t in range(T):
        state = rtrl_step(x[:, t], state, params)
        cache = lstm_forward(x[:, : t + 1], h0, c0, params)[3]
        wanted = lstm_backward(np.zeros((N, t + 1, H)), dh[:, t], dc, cache)[3]
        for got, share in zip(rtrl_gradient(dh[:, t], dc, state), wanted):
            assert_close(got, share)


def test_shapes_that_do_not_fit_are_named():
    x, h0, c0, params, dh, _ = case()
    with pytest.raises(ValueError, match="dh has shape"):
        lstm_rtrl(x, h0, c0, params, dh[:, 1:])
