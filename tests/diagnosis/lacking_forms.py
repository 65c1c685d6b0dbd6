"""Forms that lack something: no initial cell state, no final state, no function for the step.

The textbook's passes with mistakes in them, called as people who write in that form would have theirs called."""

from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.mistakes.planting import plant
from npbilstm.submission.course_specs import ALL_SPECS
from npbilstm.submission.layouts import Layout
from npbilstm.submission.pairs import submitted_pair

STEP = """
def lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b):
    return t.lstm_step_forward(x, h_prev, c_prev, t.LSTMParams(Wx, Wh, b))

def lstm_step_backward(dh, dc, cache):
    dx, dh_prev, dc_prev, grads = t.lstm_step_backward(dh, dc, cache)
    return dx, dh_prev, dc_prev, *grads
"""
LOOP = """
def lstm_forward(x, h0, c0, Wx, Wh, b):
    called = t.lstm_step_forward
    return t.lstm_forward(x, h0, c0, t.LSTMParams(Wx, Wh, b))

def lstm_backward(dh, dh_T, dc_T, cache):
    called = t.lstm_step_backward
    dx, dh0, dc0, grads = t.lstm_backward(dh, dh_T, dc_T, cache)
    return dx, dh0, dc0, *grads
"""
LOOP_OF_H = """
def lstm_forward(x, h0, Wx, Wh, b):
    called = t.lstm_step_forward
    h, _, _, cache = t.lstm_forward(x, h0, 0 * h0, t.LSTMParams(Wx, Wh, b))
    return h, cache

def lstm_backward(dh, cache):
    called = t.lstm_step_backward
    dx, dh0, _, grads = t.lstm_backward(dh, 0 * dh[:, 0], 0 * dh[:, 0], cache)
    return dx, dh0, *grads
"""
BOTH = """
def bilstm_forward(x, h0, params):
    called = t.lstm_forward
    y, _, _, cache = t.bilstm_forward(x, h0, 0 * h0, t.BiLSTMParams(*params))
    return y, cache

def bilstm_backward(dy, cache):
    called = t.lstm_backward
    zero = 0 * dy[None, :, 0, : dy.shape[2] // 2].repeat(2, axis=0)
    dx, dh0, _, grads = t.bilstm_backward(dy, zero, 0 * zero, cache)
    return dx, dh0, grads
"""
LAYERS = """
def stacked_lstm_forward(x, h0, params):
    called = t.lstm_forward
    h, _, _, cache = t.stacked_lstm_forward(x, h0, 0 * h0, tuple(t.LSTMParams(*each) for each in params))
    return h, cache

def stacked_lstm_backward(dh, cache):
    called = t.lstm_backward
    zero = 0 * dh[None, :, 0].repeat(2, axis=0)
    dx, dh0, _, grads = t.stacked_lstm_backward(dh, zero, zero, cache)
    return dx, dh0, grads
"""
GRU_LOOP = """
def gru_forward(x, h0, params):
    h, _, cache = t.recurrent_forward(t.gru_step_forward, x, (h0,), t.GRUParams(*params))
    return h, cache

def gru_backward(dh, cache):
    dx, (dh0,), grads = t.recurrent_backward(t.gru_step_backward, dh, (0 * dh[:, 0],), cache)
    return dx, dh0, grads
"""
FORMS = {
    "all of it": STEP + LOOP,
    "no c0, no final state": STEP + LOOP_OF_H,
    "no step function": LOOP,
    "none of these": LOOP_OF_H,
    "both directions": STEP + LOOP_OF_H + BOTH,
    "both directions, nothing else": BOTH,
}
SHARED = {
    "both directions, no step": LOOP_OF_H + BOTH,
    "two layers": LOOP_OF_H + LAYERS,
    "two layers, nothing else": LAYERS,
    "a GRU, no step": GRU_LOOP,
}
"""The source of each form; t is the textbook, with mistakes. The name that stands for nothing is what a call looks like
to whoever reads the code."""


SUBJECTS = ("lstm_step", "lstm", "bilstm", "gru", "stacked_lstm")


def pairs_of(form, bugs):
    """The submitted pairs of a form with these mistakes in it, by spec."""
    names = {"t": plant(bugs)}
    exec({**FORMS, **SHARED}[form], names)
    functions = {name: value for name, value in names.items() if name.endswith("ward")}
    pairs = {name: submitted_pair(ALL_SPECS[name], functions, Layout()) for name in SUBJECTS}
    return {name: pair for name, pair in pairs.items() if pair is not None}


def judged(form, *bugs):
    """The diagnoses of a form with these mistakes."""
    return list(diagnose_pairs(pairs_of(form, bugs)))
