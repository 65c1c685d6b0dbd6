"""Layer normalisation, alone and in an LSTM's step: what it is, and what it makes no difference to.

Its gradients, and the step through time with lengths and masks, are held to the complex step and to the paper with all
other cells, in test_gradients.py, test_cells.py and test_recurrence.py.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.textbook import (
    LayerNormLSTMParams,
    layer_norm_backward,
    layer_norm_forward,
    layer_norm_lstm_step_backward,
    layer_norm_lstm_step_forward,
    lstm_step_forward,
)
from npbilstm.textbook.lstm import LSTMParams
from tests.cases import assert_all_close, assert_close


def drawn(*shapes, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(shape) for shape in shapes]


def step_params(D=3, H=4, seed=0, scale=1.0):
    shapes = [(D, 4 * H), (H, 4 * H), (4 * H,), (4 * H,), (4 * H,), (H,), (H,)]
    return LayerNormLSTMParams(*(scale * p for p in drawn(*shapes, seed=seed)))


@given(st.lists(st.integers(1, 3), max_size=3), st.integers(2, 5), st.integers(0, 99))
def test_every_row_is_normalised_by_itself_whatever_axes_stand_before(axes, K, seed):
    z, gain, bias, dnormed = drawn((*axes, K), K, K, (*axes, K), seed=seed)
    normed, cache = layer_norm_forward(z, gain, bias)
    dz, dgain, dbias = layer_norm_backward(dnormed, cache)
    grads = [np.zeros(K), np.zeros(K)]
    for place in np.ndindex(*axes):
        assert_close(normed[place], gain * (z[place] - z[place].mean()) / np.sqrt(z[place].var() + 1e-5) + bias)
        alone, of_row = layer_norm_forward(z[place], gain, bias)
        assert_close(alone, normed[place])
        dz_row, *grads_row = layer_norm_backward(dnormed[place], of_row)
        assert_close(dz_row, dz[place])
        grads = [total + here for total, here in zip(grads, grads_row)]
    assert_all_close([dgain, dbias], grads)


def test_to_shift_or_to_scale_a_row_changes_nothing_and_its_gradient_says_so():
    z, gain, bias, dnormed = drawn((3, 5), 5, 5, (3, 5))
    normed, cache = layer_norm_forward(z, gain, bias, 0.0)
    assert_close(layer_norm_forward(7 * z + 3, gain, bias, 0.0)[0], normed)
    dz, _, _ = layer_norm_backward(dnormed, cache)
    assert_close(dz.sum(axis=1), np.zeros(3))
    assert_close((dz * cache.n).sum(axis=1), np.zeros(3))


def test_a_row_of_equal_numbers_and_one_of_one_number_become_the_bias():
    for z in (np.full((2, 3), 5.0), np.array([[5.0], [-2.0]])):
        gain, bias, dnormed = drawn(z.shape[1], z.shape[1], z.shape)
        normed, cache = layer_norm_forward(z, gain, bias)
        assert_close(normed, np.broadcast_to(bias, z.shape))
        dz, dgain, dbias = layer_norm_backward(dnormed, cache)
        assert np.isfinite(dz).all()
        assert_close(dz.sum(axis=1), np.zeros(2), 1e-9)
        assert_all_close([dgain, dbias], [np.zeros(z.shape[1]), dnormed.sum(axis=0)])


def test_the_precision_of_what_comes_in_stays_and_nothing_is_changed():
    z, gain, bias, dnormed = (array.astype(np.float32) for array in drawn((3, 5), 5, 5, (3, 5)))
    kept = z.copy()
    normed, cache = layer_norm_forward(z, gain, bias)
    assert {array.dtype for array in (normed, *layer_norm_backward(dnormed, cache))} == {np.dtype(np.float32)}
    assert (z == kept).all()
    assert_all_close(layer_norm_backward(dnormed, cache), layer_norm_backward(dnormed, cache), 0)


@pytest.mark.parametrize(
    ("z", "gain", "bias", "sentence"),
    [
        ((2, 3), 4, 3, r"gain has shape \(4,\); it needs \(3,\)"),
        ((2, 3), 1, 3, r"gain has shape \(1,\); it needs \(3,\)"),
        ((2, 3), 3, 2, r"bias has shape \(2,\); it needs \(3,\)"),
    ],
)
def test_a_shape_that_would_only_broadcast_is_refused(z, gain, bias, sentence):
    with pytest.raises(ValueError, match=sentence):
        layer_norm_forward(np.ones(z), np.ones(gain), np.ones(bias))


def test_a_gradient_of_another_shape_is_refused():
    _, cache = layer_norm_forward(np.ones((2, 3)), np.ones(3))
    with pytest.raises(ValueError, match=r"dnormed has shape \(3,\); it needs \(2, 3\)"):
        layer_norm_backward(np.ones(3), cache)


def test_how_large_weights_and_inputs_are_makes_no_difference_to_a_step():
    x, h, c = drawn((2, 3), (2, 4), (2, 4))
    params = step_params()
    expected = layer_norm_lstm_step_forward(x, h, c, params, epsilon=0.0)[:2]
    larger = params._replace(Wx=9 * params.Wx, Wh=5 * params.Wh)
    assert_all_close(layer_norm_lstm_step_forward(3 * x, h / 2, c, larger, epsilon=0.0)[:2], expected)


def test_the_cell_that_is_kept_is_not_normalised():
    """With normalised products given to it, a plain LSTM has the same c."""
    x, h, c = drawn((2, 3), (2, 4), (2, 4))
    params = step_params()
    a = sum(layer_norm_forward(z, g)[0] for z, g in ((x @ params.Wx, params.gain_x), (h @ params.Wh, params.gain_h)))
    plain = LSTMParams(np.eye(16), np.zeros((4, 16)), params.b)
    h_plain, c_plain, _ = lstm_step_forward(a, h, c, plain)
    h_new, c_new, _ = layer_norm_lstm_step_forward(x, h, c, params)
    assert_close(c_new, c_plain)
    assert not np.allclose(h_new, h_plain)


def test_the_carry_of_the_cell_passes_no_normalisation():
    x, h, c, dc = drawn((2, 3), (2, 4), (2, 4), (2, 4))
    _, _, cache = layer_norm_lstm_step_forward(x, h, c, step_params())
    _, _, dc_prev, grads = layer_norm_lstm_step_backward(np.zeros((2, 4)), dc, cache)
    assert_close(dc_prev, dc * cache.f)
    assert not grads.gain_c.any()
    assert not grads.bias_c.any()
