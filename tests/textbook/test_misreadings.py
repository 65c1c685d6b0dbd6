"""A forward pass that computes something else than the papers say is seen, whatever its backward pass does."""

import pytest

from npbilstm.commands.checks.textbook_cells import cells
from npbilstm.textbook import gru, lstm_variants, recurrence, rnn
from tests.textbook.papers import assert_as_in_the_papers
from tests.textbook.plants import planted_in, textbook_with

RNN, AFTER, BEFORE = "step_forward", "gru_step_forward", "gru_reset_before_step_forward"
VARIANT, HOLES = "lstm_variant_step_forward", "peepholes"
BPTT, BOTH = "recurrent_forward", "bidirectional_recurrent_forward"

MISREADINGS = {
    (rnn, "RNN"): {
        "the mask ignored": (RNN, "m = 1.0 if mask is None else mask", "m = 1.0"),
        "the mask on everything": (RNN, "activation(a)", "activation(m * a)"),
        "relu for tanh": ("rnn_step_forward", "(tanh,", "(relu,"),
        "h_prev not used": (RNN, " + h_in @ params.Wh", ""),
    },
    (rnn, "RNN, relu"): {
        "tanh for relu": ("rnn_relu_step_forward", "(relu,", "(tanh,"),
    },
    (gru, "GRU"): {
        "r and z swapped": (AFTER, "u_r, u_z, u_n = ", "u_z, u_r, u_n = "),
        "b_hn outside the reset": (AFTER, "tanh(a_n + r * q)", "tanh(a_n + r * u_n + params.b_hn)"),
        "b_n inside the reset": (AFTER, "tanh(a_n + r * q)", "tanh(r * (a_n + q))"),
        "the mask where z carries the state on": (AFTER, "z * h_prev", "z * m * h_prev"),
        "the mask ignored": (AFTER, "m = 1.0 if mask is None else mask", "m = 1.0"),
        "z and 1 - z swapped": (AFTER, "(1 - z) * n + z * h_prev", "z * n + (1 - z) * h_prev"),
        "reset before where after is meant": (AFTER, "r * q)", "(r * m * h_prev) @ params.Wh[:, 8:] + q - u_n)"),
    },
    (gru, "GRU, reset before"): {
        "reset after where before is meant": (BEFORE, "(r * h_in) @ Wh_n", "r * (h_in @ Wh_n)"),
        "not reset": (BEFORE, "(r * h_in) @ Wh_n", "h_in @ Wh_n"),
        "the candidate not masked": (BEFORE, "(r * h_in) @ Wh_n", "(r * h_prev) @ Wh_n"),
        "the mask where z carries the state on": (BEFORE, "z * h_prev", "z * h_in"),
        "r and z swapped": (BEFORE, "a_r, a_z, a_n =", "a_z, a_r, a_n ="),
    },
    (lstm_variants, "LSTM, peepholes"): {
        "p's blocks i and o swapped": (HOLES, "p_i, p_f, p_o = ", "p_o, p_f, p_i = "),
        "p's blocks i and f swapped": (HOLES, "p_i, p_f, p_o = ", "p_f, p_i, p_o = "),
        "o sees the old c": (VARIANT, "p_o * c)", "p_o * c_prev)"),
        "the peepholes see tanh c": (VARIANT, "p_o * c)", "p_o * tanh(c))"),
        "g from f's block": (VARIANT, "tanh(a_g)", "tanh(a_f[0])"),
    },
    (lstm_variants, "LSTM, coupled, peepholes"): {
        "no peepholes when coupled": (HOLES, "return p_i, 0.0, p_o", "return 0.0, 0.0, 0.0"),
        "p's blocks swapped": (HOLES, "p_i, p_o = ", "p_o, p_i = "),
        "f = i": (VARIANT, "1 - i if coupled", "i if coupled"),
        "blocks i and g swapped": (VARIANT, "a_i, *a_f, a_g, a_o = ", "a_g, *a_f, a_i, a_o = "),
    },
    (lstm_variants, "LSTM, projection"): {
        "the mask ignored": (VARIANT, "m = 1.0 if mask is None else mask", "m = 1.0"),
        "the projection squashed": (VARIANT, "h @ params.Wp", "tanh(h @ params.Wp)"),
        "the cell projected": (VARIANT, "h @ params.Wp", "c @ params.Wp"),
    },
    (recurrence, "GRU"): {
        "the mask not handed on": (BPTT, "masks = () if mask is None else (mask,)", "masks = ()"),
        "the state not held in the padding": (BPTT, "np.where(v, new, held)", "new"),
        "the output not 0 in the padding": (BPTT, "np.where(v, state_new[0], 0)", "state_t[0]"),
        "the directions' masks swapped": (BOTH, "mask_fwd, mask_rev = ", "mask_rev, mask_fwd = "),
        "the directions' states swapped": (BOTH, "state_fwd, state_rev = ", "state_rev, state_fwd = "),
        "the final states swapped": (BOTH, "zip(fwd_T, rev_T)", "zip(rev_T, fwd_T)"),
        "the reverse output not flipped back": (BOTH, "flip(y_rev, lengths)", "y_rev"),
        "the reverse direction reads the padding first": (BOTH, "flip(x, lengths)", "flip(x)"),
        "both directions with the same weights": (BOTH, "params[1]", "params[0]"),
    },
    (recurrence, "LSTM, variant of no kind"): {
        "the last part of the state put out": (BPTT, "np.where(v, state_new[0], 0)", "np.where(v, state_new[-1], 0)"),
    },
}  # fmt: skip

CASES = [(module, name, misreading) for (module, name), all_of_it in MISREADINGS.items() for misreading in all_of_it]


@pytest.mark.parametrize(("module", "name", "misreading"), CASES, ids=[f"{name}: {what}" for _, name, what in CASES])
def test_a_misreading_is_seen(module, name, misreading):
    book = textbook_with(planted_in(module, *MISREADINGS[module, name][misreading]))
    cell = cells(3, 4, 2)[name]
    with pytest.raises(AssertionError):
        assert_as_in_the_papers(book, cell, 3, N=3, T=5, lengths=[5, 2, 0], masked=True, seed=0)
