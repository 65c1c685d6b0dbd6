"""Every mistake planted in the textbook's backward passes is rejected: a check that cannot fail is no check.

That the passes as they are pass is in test_gradients.py.
"""

from types import SimpleNamespace

import pytest

from npbilstm import textbook
from npbilstm.commands.checks import textbook_lstm as check
from npbilstm.textbook import bidirectional, losses, lstm
from tests.planting import planted

BUGS = {
    "o's gradient uses c, not tanh c": (lstm, "do = dh * tanh_c", "do = dh * np.arctanh(tanh_c)"),
    "dc set, not added to: the carry is lost": (lstm, "dc = dc + dh * o *", "dc = dh * o *"),
    "tanh' missing on the cell": (lstm, "dc + dh * o * tanh_derivative(tanh_c)", "dc + dh * o"),
    "o missing on the cell": (lstm, "dc + dh * o * tanh", "dc + dh * tanh"),
    "tanh' of tanh c": (lstm, "o * tanh_derivative(tanh_c)", "o * tanh_derivative(tanh(tanh_c))"),
    "i's gradient uses c_prev": (lstm, "di = dc * g", "di = dc * c_prev"),
    "f's gradient uses the new c": (lstm, "df = dc * c_prev", "df = dc * (f * c_prev + i * g)"),
    "g's gradient lacks i": (lstm, "dg = dc * i", "dg = dc"),
    "dc_prev uses i": (lstm, "    dc_prev = dc * f\n", "    dc_prev = dc * i\n"),
    "dc_prev lacks f": (lstm, "    dc_prev = dc * f\n", "    dc_prev = dc\n"),
    "sigmoid' missing on i": (lstm, "da_i = di * sigmoid_derivative(i)", "da_i = di"),
    "sigmoid' missing on f": (lstm, "da_f = df * sigmoid_derivative(f)", "da_f = df"),
    "sigmoid' where tanh' belongs": (lstm, "da_g = dg * tanh_derivative(g)", "da_g = dg * sigmoid_derivative(g)"),
    "1 - g for tanh'": (lstm, "da_g = dg * tanh_derivative(g)", "da_g = dg * (1 - g)"),
    "sigmoid' missing on o": (lstm, "da_o = do * sigmoid_derivative(o)", "da_o = do"),
    "two gates swapped": (lstm, "[da_i, da_f, da_g, da_o]", "[da_i, da_f, da_o, da_g]"),
    "a gate missing in dh_prev": (
        lstm,
        "dh_prev = da @ params.Wh.T",
        "dh_prev = (da @ params.Wh.T) - da_o @ params.Wh.T[-o.shape[1] :]",
    ),
    "dWh uses the new h": (lstm, "dWh = h_prev.T @ da", "dWh = (o * tanh_c).T @ da"),
    "dWx is a mean over the batch": (lstm, "dWx = x.T @ da", "dWx = x.T @ da / len(x)"),
    "db is a mean over the batch": (lstm, "db = da.sum(axis=0)", "db = da.mean(axis=0)"),
    "db from the first row only": (lstm, "db = da.sum(axis=0)", "db = da[0]"),
    "dx has the wrong sign": (lstm, "dx = da @ params.Wx.T", "dx = -da @ params.Wx.T"),
    "the carry of h is missing": (lstm, "np.where(v, dh[:, t] + dh_next, 0)", "np.where(v, dh[:, t], 0)"),
    "weight gradients overwritten over time": (lstm, "total + here for", "here for"),
    "the backward loop runs forward": (
        lstm,
        "for t in reversed(range(T)):\n        v",
        "for t in range(T):\n        v",
    ),
    "truncated after two steps": (
        lstm,
        "in reversed(range(T)):\n        v",
        "in reversed(range(T - 2, T)):\n        v",
    ),
    "the gradient of h_T ignored": (lstm, "dh_next, dc_next = dh_T, dc_T", "dh_next, dc_next = 0 * dh_T, dc_T"),
    "the gradient of c_T ignored": (lstm, "dh_next, dc_next = dh_T, dc_T", "dh_next, dc_next = dh_T, 0 * dc_T"),
    "padding not masked": (lstm, "dh_t = np.where(v, dh[:, t] + dh_next, 0)", "dh_t = dh[:, t] + dh_next"),
    "the carry dropped over padding": (lstm, "np.where(v, dc_prev, dc_next)", "np.where(v, dc_prev, 0)"),
    "clipping inside backward": (
        lstm,
        "np.where(v, dh_prev, dh_next)",
        "np.where(v, dh_prev.clip(-0.1, 0.1), dh_next)",
    ),
    "dh0 not returned": (lstm, "return dx, dh_next, dc_next, grads", "return dx, 0 * dh_next, dc_next, grads"),
    "dc0 not returned": (lstm, "return dx, dh_next, dc_next, grads", "return dx, dh_next, 0 * dc_next, grads"),
    "the reverse upstream not flipped": (
        bidirectional,
        "lstm_backward(flip(dh_rev, lengths),",
        "lstm_backward(dh_rev,",
    ),
    "the reverse dx not flipped back": (bidirectional, "dx_fwd + flip(dx_rev, lengths)", "dx_fwd + dx_rev"),
    "dx from one direction only": (bidirectional, "dx = dx_fwd + flip(dx_rev, lengths)", "dx = dx_fwd"),
    "a flip that ignores lengths": (bidirectional, "dx_fwd + flip(dx_rev, lengths)", "dx_fwd + flip(dx_rev)"),
    "the halves of dy swapped": (bidirectional, "dh_fwd, dh_rev = np.split", "dh_rev, dh_fwd = np.split"),
    "the directions' gradients swapped": (
        bidirectional,
        "BiLSTMParams(grads_fwd, grads_rev)",
        "BiLSTMParams(grads_rev, grads_fwd)",
    ),
    "the final state's directions swapped": (
        bidirectional,
        "lstm_backward(dh_fwd, dh_T[0], dc_T[0]",
        "lstm_backward(dh_fwd, dh_T[1], dc_T[1]",
    ),
    "1/M missing in the loss": (losses, "(p - onehot) * (dloss / M)", "(p - onehot) * dloss"),
    "the loss's sign": (losses, "(p - onehot)", "(onehot - p)"),
    "padding counted in the loss's mean": (
        losses,
        "(p - onehot) * (dloss / M)",
        "(p - onehot) * (dloss / targets.size)",
    ),
    "the loss's mask missing in backward": (
        losses,
        "np.where(valid[..., None], (p - onehot) * (dloss / M), 0)",
        "(p - onehot) * (dloss / M)",
    ),
}


def textbook_with(module, old, new):
    """The textbook's functions, with one change in one module and in all that stands on it."""
    changed = planted(module, old, new)
    functions = {**vars(textbook), **{name: value for name, value in vars(changed).items() if callable(value)}}
    if module is lstm:  # bidirectional.py imported the unchanged one
        above = planted(bidirectional, "import numpy as np", "import numpy as np")
        above.__dict__.update(lstm_forward=changed.lstm_forward, lstm_backward=changed.lstm_backward)
        functions.update(bilstm_forward=above.bilstm_forward, bilstm_backward=above.bilstm_backward)
    return SimpleNamespace(**functions)


@pytest.mark.few(4)
@pytest.mark.parametrize("method", ["complex", pytest.param("central", marks=pytest.mark.slow)])
@pytest.mark.parametrize("bug", BUGS)
def test_a_planted_bug_is_rejected(bug, method, monkeypatch):
    module, old, new = BUGS[bug]
    monkeypatch.setattr(check, "textbook", textbook_with(module, old, new))
    run = check.check_cross_entropy if module is losses else check.check_bidirectional
    assert not run(method=method, entries=5).ok


@pytest.mark.slow
def test_the_whole_gradient_along_one_random_direction_rejects_each_too(monkeypatch):
    for module, old, new in BUGS.values():
        monkeypatch.setattr(check, "textbook", textbook_with(module, old, new))
        run = check.check_cross_entropy if module is losses else check.check_bidirectional
        assert not run(entries=0).direction.ok
