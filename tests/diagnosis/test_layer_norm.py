"""Layer normalisation as people write it: right, and with a mistake, which is named."""

from types import ModuleType

import pytest

import npbilstm as nb
from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.diagnosis.matching import candidates
from npbilstm.mistakes import plant
from npbilstm.mistakes.catalogue import layer_norm, layer_norm_lstm
from npbilstm.submission.specs import SPECS

WRITTEN = """
import numpy as np

def sigmoid(x):
    return 1 / (1 + np.exp(-x))

def layer_norm_forward(x, gamma, beta, eps=1e-5):
    mu = x.mean(1, keepdims=True)
    var = x.var(1, keepdims=True)
    inv_std = 1 / np.sqrt(var + eps)
    x_hat = (x - mu) * inv_std
    return gamma * x_hat + beta, (x, mu, inv_std, x_hat, gamma)

def layer_norm_backward(dout, cache):
    x, mu, inv_std, x_hat, gamma = cache
    D = x.shape[1]
    dxhat = dout * gamma
    dvar = (dxhat * (x - mu)).sum(1, keepdims=True) * -0.5 * inv_std**3
    dmu = -(dxhat * inv_std).sum(1, keepdims=True) - 2 * dvar * (x - mu).mean(1, keepdims=True)
    dx = dxhat * inv_std + dvar * 2 * (x - mu) / D + dmu / D
    return dx, (dout * x_hat).sum(0), dout.sum(0)

def layer_norm_lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b, gamma_x, gamma_h, gamma_c, beta_c):
    zx, ln_x = layer_norm_forward(x @ Wx, gamma_x, 0)
    zh, ln_h = layer_norm_forward(h_prev @ Wh, gamma_h, 0)
    i, f, g, o = np.split(zx + zh + b, 4, axis=1)
    i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
    c = f * c_prev + i * g
    ch, ln_c = layer_norm_forward(c, gamma_c, beta_c)
    h = o * np.tanh(ch)
    return h, c, (x, h_prev, c_prev, Wx, Wh, i, f, g, o, ch, ln_x, ln_h, ln_c)

def layer_norm_lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, Wx, Wh, i, f, g, o, ch, ln_x, ln_h, ln_c = cache
    dch = dh * o * (1 - np.tanh(ch) ** 2)
    dc_h, dgamma_c, dbeta_c = layer_norm_backward(dch, ln_c)
    dc = dc + dc_h
    da = np.hstack([
        dc * g * i * (1 - i), dc * c_prev * f * (1 - f), dc * i * (1 - g**2), dh * np.tanh(ch) * o * (1 - o)
    ])
    dzx, dgamma_x, _ = layer_norm_backward(da, ln_x)
    dzh, dgamma_h, _ = layer_norm_backward(da, ln_h)
    return (dzx @ Wx.T, dzh @ Wh.T, dc * f, x.T @ dzx, h_prev.T @ dzh, da.sum(0), dgamma_x, dgamma_h, dgamma_c,
            dbeta_c)
"""

SLIPS = {
    "layer-norm-way-by-mean-forgotten": (" + dmu / D", ""),
    "layer-norm-way-by-variance-forgotten": (" + dvar * 2 * (x - mu) / D", ""),
    "layer-norm-variance-unbiased": ("x.var(1, keepdims=True)", "x.var(1, ddof=1, keepdims=True)"),
    "layer-norm-epsilon-outside-the-root": ("1 / np.sqrt(var + eps)", "1 / (np.sqrt(var) + eps)"),
    "layer-norm-dgain-lacks-n": ("(dout * x_hat).sum(0), dout.sum(0)", "dout.sum(0), dout.sum(0)"),
}
IN_A_STEP = {
    "layer-norm-lstm-sum-by-one-gain": (
        "np.split(zx + zh + b, 4, axis=1)",
        "np.split(layer_norm_forward(x @ Wx + h_prev @ Wh, gamma_x, b)[0], 4, axis=1)",
    ),
    "layer-norm-lstm-normalised-cell-kept": ("return h, c, (x", "return h, ch, (x"),
    "layer-norm-lstm-dc-not-through-the-norm": ("dc = dc + dc_h", "dc = dc + dch"),
    "layer-norm-lstm-dh-prev-of-da": ("dzh @ Wh.T", "da @ Wh.T"),
}


def judged(old="", new=""):
    """The verdicts and the names of what is wrong in a student's module with one change."""
    assert not old or WRITTEN.count(old) == 1
    module = ModuleType("written")
    exec(WRITTEN.replace(old, new), module.__dict__)
    found = nb.diagnose(module).diagnoses
    return [one.verdict for one in found], [[bug.id for bug in bugs] for one in found for bugs in one.named]


def test_layer_normalisation_in_somebodys_own_words_is_right():
    assert judged() == (["right"] * 3, [])


@pytest.mark.few(4)
@pytest.mark.parametrize("mistake", [*SLIPS, *IN_A_STEP])
def test_a_slip_in_somebodys_own_is_named(mistake):
    verdicts, named = judged(*{**SLIPS, **IN_A_STEP}[mistake])
    assert verdicts == ["right", "right" if mistake in IN_A_STEP else "wrong", "wrong"]
    assert named == [[mistake]]


def test_a_step_in_another_order_of_gates_is_right_once_the_order_is_said():
    swapped = WRITTEN.replace("i, f, g, o = np.split", "i, f, o, g = np.split")
    swapped = swapped.replace(
        "dc * i * (1 - g**2), dh * np.tanh(ch) * o * (1 - o)", "dh * np.tanh(ch) * o * (1 - o), dc * i * (1 - g**2)"
    )
    module = ModuleType("written")
    exec("# npbilstm: gates=ifog\n" + swapped, module.__dict__)
    found = nb.diagnose(module)
    assert found.verdict == "right", found


@pytest.mark.few(4)
@pytest.mark.parametrize("bug", [*layer_norm.BUGS, *layer_norm_lstm.BUGS], ids=lambda bug: bug.id)
def test_every_catalogued_mistake_of_layer_normalisation_is_named_and_nothing_else(bug):
    spec = next(spec for spec in SPECS.values() if bug in candidates(spec))
    found = diagnose_pair(spec, spec.in_textbook_form(plant([bug])))
    assert [[one.id for one in bugs] for bugs in found.named] == [[bug.id]]


def test_there_are_more_than_a_dozen_of_each():
    assert min(len(layer_norm.BUGS), len(layer_norm_lstm.BUGS)) >= 40
