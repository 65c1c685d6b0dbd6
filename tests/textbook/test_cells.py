"""What each cell computes: as in the papers, by hand, and equal to other cells where options make no difference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm import textbook
from npbilstm.commands.checks.textbook_cells import cells, draw_mask
from npbilstm.textbook import (
    GRUParams,
    GRUResetBeforeParams,
    LSTMParams,
    LSTMVariantParams,
    RNNParams,
    gru_reset_before_step_backward,
    gru_reset_before_step_forward,
    gru_step_backward,
    gru_step_forward,
    lstm_step_backward,
    lstm_step_forward,
    lstm_variant_step_backward,
    lstm_variant_step_forward,
    rnn_relu_step_forward,
    rnn_step_forward,
)
from tests.cases import assert_all_close, assert_close
from tests.textbook.papers import assert_as_in_the_papers

NAMES = list(cells(1, 1, 1))


@pytest.mark.few(4)
@pytest.mark.parametrize("name", NAMES)
@given(data=st.data())
def test_every_cell_is_as_in_the_papers(name, data):
    """Any small shape, ragged lengths with 0 among them, with and without dropout masks, both directions."""
    N, T, D, H, R = (data.draw(st.integers(1, most)) for most in (4, 5, 4, 4, 4))
    lengths = data.draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N))
    masked, seed = data.draw(st.booleans()), data.draw(st.integers(0, 999))
    assert_as_in_the_papers(textbook, cells(D, H, R)[name], D, N, T, lengths, masked, seed)


def test_an_rnn_step_by_hand():
    params = RNNParams(np.array([[2.0]]), np.array([[-3.0]]), np.array([0.25]))
    x, h_prev = np.array([[0.5]]), np.array([[0.75]])
    assert_close(rnn_step_forward(x, h_prev, params)[0], [[np.tanh(1 - 2.25 + 0.25)]])
    assert rnn_relu_step_forward(x, h_prev, params)[0] == 0
    assert rnn_relu_step_forward(x, -h_prev, params)[0] == 3.5


def test_a_gru_step_by_hand():
    """Gates at a half and three quarters: sigmoid(0) = 1/2, sigmoid(log 3) = 3/4. The rest is done with a pencil."""
    log3 = np.log(3.0)
    Wx, Wh = np.array([[log3, 0.0, 1.0]]), np.array([[-log3, log3 / 2, 0.5]])
    x, h_prev = np.array([[1.0]]), np.array([[2.0]])
    # a_r = log 3 - 2 log 3 + log 3 = 0, so r = 1/2; a_z = log 3, so z = 3/4
    b = np.array([log3, 0.0, 0.25])
    # after: n = tanh(1 + 1/4 + 1/2 (2/2 + 1/2)) = tanh(2)
    h, _ = gru_step_forward(x, h_prev, GRUParams(Wx, Wh, b, np.array([0.5])))
    assert_close(h, [[np.tanh(2.0) / 4 + 1.5]])
    # before: n = tanh(1 + 1/4 + (1/2 2) / 2) = tanh(7/4)
    h, _ = gru_reset_before_step_forward(x, h_prev, GRUResetBeforeParams(Wx, Wh, b))
    assert_close(h, [[np.tanh(1.75) / 4 + 1.5]])


def test_a_step_with_peepholes_by_hand():
    """Only the peepholes open or close the gates: sigmoid(log 3) = 3/4, sigmoid(-log 3) = 1/4."""
    log3 = np.log(3.0)
    c_prev = np.array([[2.0]])
    zero = LSTMVariantParams(np.zeros((1, 4)), np.zeros((1, 4)), np.array([0.0, 0.0, np.arctanh(0.5), 0.0]))
    # i = sigmoid(log 3) = 3/4, f = sigmoid(-log 3) = 1/4, g = 1/2: c = 1/4 2 + 3/4 1/2 = 7/8
    # o = sigmoid(8/7 log 3 * 7/8) = 3/4, since it sees the new c
    params = zero._replace(p=np.array([log3 / 2, -log3 / 2, log3 * 8 / 7]))
    h, c, _ = lstm_variant_step_forward(np.ones((1, 1)), np.ones((1, 1)), c_prev, params)
    assert_close(c, [[0.875]])
    assert_close(h, [[0.75 * np.tanh(0.875)]])


def drawn(seed, *shapes):
    rng = np.random.default_rng(seed)
    return [0.5 * rng.standard_normal(shape) for shape in shapes]


def both_passes(forward, backward, x, state, upstream, params, mask=None):
    *new, cache = forward(x, *state, params) if mask is None else forward(x, *state, params, mask)
    return new, backward(*upstream, cache)


sizes = st.tuples(st.integers(1, 4), st.integers(1, 4), st.integers(1, 4), st.integers(0, 999))


@given(sizes)
def test_a_variant_of_no_kind_is_the_lstm_exactly(drawn_sizes):
    N, D, H, seed = drawn_sizes
    x, h, c, dh, dc, *weights = drawn(seed, (N, D), *[(N, H)] * 4, (D, 4 * H), (H, 4 * H), (4 * H,))
    state, upstream = (h, c), (dh, dc)
    plain = both_passes(lstm_step_forward, lstm_step_backward, x, state, upstream, LSTMParams(*weights))
    variant = both_passes(
        lstm_variant_step_forward, lstm_variant_step_backward, x, state, upstream, LSTMVariantParams(*weights)
    )
    for one, other in zip([*variant[0], *variant[1][:3], *variant[1][3]], [*plain[0], *plain[1][:3], *plain[1][3]]):
        assert np.array_equal(one, other)
    assert variant[1][3].p is None
    assert variant[1][3].Wp is None


def variant_passes(x, h, c, dh, dc, *params, mask=None):
    new, (*back, grads) = both_passes(
        lstm_variant_step_forward, lstm_variant_step_backward, x, (h, c), (dh, dc), LSTMVariantParams(*params), mask
    )
    return [*new, *back], grads


@given(sizes)
def test_coupled_gates_are_an_lstm_whose_forget_gate_has_the_input_gates_weights_negated(drawn_sizes):
    """sigmoid(-a) = 1 - sigmoid(a). The gradient of a weight that is used twice is the sum of both uses'."""
    N, D, H, seed = drawn_sizes
    x, h, c, dh, dc, *weights, p = drawn(seed, (N, D), *[(N, H)] * 4, (D, 3 * H), (H, 3 * H), (3 * H,), (2 * H,))

    def uncoupled(w):
        i, *rest = np.split(w, w.shape[-1] // H, axis=-1)
        return np.concatenate([i, -i, *rest], axis=-1)

    def coupled_again(dw):
        di, df, *rest = np.split(dw, dw.shape[-1] // H, axis=-1)
        return np.concatenate([di - df, *rest], axis=-1)

    got, grads = variant_passes(x, h, c, dh, dc, *weights, p)
    expected, four = variant_passes(x, h, c, dh, dc, *map(uncoupled, [*weights, p]))
    assert_all_close(got, expected)
    assert_all_close(list(grads[:4]), [coupled_again(g) for g in four[:4]])


@pytest.mark.parametrize("blocks", [3, 4])
@given(sizes)
def test_zero_peepholes_are_none_and_an_identity_is_no_projection(blocks, drawn_sizes):
    N, D, H, seed = drawn_sizes
    shapes = [(N, D), *[(N, H)] * 4, (D, blocks * H), (H, blocks * H), (blocks * H,)]
    x, h, c, dh, dc, *weights = drawn(seed, *shapes)
    mask = draw_mask(seed, N, H)
    plain, grads = variant_passes(x, h, c, dh, dc, *weights, mask=mask)
    both, more = variant_passes(x, h, c, dh, dc, *weights, np.zeros((blocks - 1) * H), np.eye(H), mask=mask)
    assert_all_close(both, plain)
    assert_all_close(more[:3], grads[:3])


@given(sizes)
def test_the_two_grus_agree_where_the_reset_gate_is_fully_open(drawn_sizes):
    """With r = 1 and b_hn = 0 there is nothing left to differ in, forward or backward."""
    N, D, H, seed = drawn_sizes
    x, h, dh, Wx, Wh, b = drawn(seed, (N, D), (N, H), (N, H), (D, 3 * H), (H, 3 * H), (3 * H,))
    b[:H] = 50
    after = both_passes(gru_step_forward, gru_step_backward, x, (h,), (dh,), GRUParams(Wx, Wh, b, np.zeros(H)))
    before = both_passes(
        gru_reset_before_step_forward,
        gru_reset_before_step_backward,
        x,
        (h,),
        (dh,),
        GRUResetBeforeParams(Wx, Wh, b),
    )
    assert_all_close([after[0], *after[1][:2], *after[1][2][:3]], [before[0], *before[1][:2], *before[1][2]])


@pytest.mark.parametrize("forward", [rnn_step_forward, rnn_relu_step_forward])
def test_nan_is_not_hidden(forward):
    params = RNNParams(np.ones((1, 1)), np.ones((1, 1)), np.zeros(1))
    assert np.isnan(forward(np.array([[np.nan]]), np.zeros((1, 1)), params)[0])


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"Wx": np.zeros((3, 20))}, r"Wx has shape \(3, 20\); it needs \(3, 16\), or \(3, 12\) for coupled gates"),
        ({"p": np.zeros(8)}, r"p has shape \(8,\); it needs \(12,\)"),
        ({"p": np.zeros(1)}, r"p has shape \(1,\); it needs \(12,\)"),
        ({"Wp": np.zeros((4, 3))}, r"Wp has shape \(4, 3\); it needs \(4, 4\)"),
    ],
)
def test_a_variants_weight_that_does_not_fit_is_named(change, sentence):
    params = LSTMVariantParams(np.zeros((3, 16)), np.zeros((4, 16)), np.zeros(16))._replace(**change)
    with pytest.raises(ValueError, match=sentence):
        lstm_variant_step_forward(np.zeros((2, 3)), np.zeros((2, 4)), np.zeros((2, 4)), params)


def test_coupled_peepholes_are_two_blocks():
    params = LSTMVariantParams(np.zeros((3, 12)), np.zeros((4, 12)), np.zeros(12), np.zeros(12))
    with pytest.raises(ValueError, match=r"p has shape \(12,\); it needs \(8,\)"):
        lstm_variant_step_forward(np.zeros((2, 3)), np.zeros((2, 4)), np.zeros((2, 4)), params)


def test_a_gru_needs_a_second_bias_for_each_unit():
    params = GRUParams(np.zeros((3, 12)), np.zeros((4, 12)), np.zeros(12), np.zeros(1))
    with pytest.raises(ValueError, match=r"b_hn has shape \(1,\); it needs \(4,\)"):
        gru_step_forward(np.zeros((2, 3)), np.zeros((2, 4)), params)
