"""What people of one form write of their own: whole answers, and edits of the right one that hold together."""

import re
from pathlib import Path

from tests.submission.variants.layer_classes import classes

FORMS = ("cs231n", "coursera", "cmu11785", "saito", "holberton", "min_char_rnn", "edinburgh", "layers")
ANSWERS = {path.stem: path.read_text() for path in sorted((Path(__file__).parents[1] / "forms").glob("[a-z]*.py"))}
"""The right answers of tests/submission/forms."""
WRITTEN_ANEW = {path.stem: path.read_text() for path in sorted(Path(__file__).with_name("answers").glob("[a-z]*.py"))}


def edited(answer, *edits):
    """A right answer with edits, each an old text and a new one."""

    def make():
        source = ANSWERS[answer]
        for old, new in edits:
            assert old in source, f"{answer} has no {old!r}"
            source = source.replace(old, new)
        return source

    return make


def in_other_gates(order):
    """CS231n's LSTM with its gates in another order, forward and backward."""
    slopes = {"i": "di * i * (1 - i)", "f": "df * f * (1 - f)", "o": "do * o * (1 - o)", "g": "dg * (1 - g**2)"}
    names = ", ".join(order)
    return edited(
        "cs231n",
        (
            "i, f, o, g = sigmoid(a[:, :H]), sigmoid(a[:, H : 2 * H]), sigmoid(a[:, 2 * H : 3 * H]), "
            "np.tanh(a[:, 3 * H :])",
            f"{names} = (a[:, k * H : (k + 1) * H] for k in range(4))\n"
            "    i, f, o, g = sigmoid(i), sigmoid(f), sigmoid(o), np.tanh(g)",
        ),
        (
            "[di * i * (1 - i), df * f * (1 - f), do * o * (1 - o), dg * (1 - g**2)]",
            f"[{', '.join(slopes[gate] for gate in order)}]",
        ),
    )


TURNED = (
    ("dot(Wx)", "dot(Wx.X)"),
    ("dot(Wh)", "dot(Wh.X)"),
    ("dot(Wx.T)", "dot(Wx)"),
    ("dot(Wh.T)", "dot(Wh)"),
    (".X)", ".T)"),
    ("x.T.dot(dz), prev_h.T.dot(dz)", "dz.T.dot(x), dz.T.dot(prev_h)"),
    ("x.T.dot(da), prev_h.T.dot(da)", "da.T.dot(x), da.T.dot(prev_h)"),
    ("np.zeros(Wh.shape[1])", "np.zeros(Wh.shape[0])"),
    ("*dh.shape[:2], Wx.shape[0]", "*dh.shape[:2], Wx.shape[1]"),
)
"""CS231n's weights with the units first."""
TIME_FIRST = (
    ("x[:, t]", "x[t]"),
    ("dh[:, t]", "dh[t]"),
    ("h[:, t]", "h[t]"),
    ("dh[:, 0]", "dh[0]"),
    ("range(x.shape[1])", "range(len(x))"),
    ("range(dh.shape[1] - 1, -1, -1)", "reversed(range(len(dh)))"),
    ("N, T, D = x.shape\n    return", "T, N, D = x.shape\n    return"),
    ("reshape(N, T, -1)", "reshape(T, N, -1)"),
)
"""CS231n's arrays with time first, in what has a state."""


def time_first():
    """CS231n with time first, where there is a state: what has none, and its loss with its mask, stays out."""
    source = edited("cs231n", *TIME_FIRST[:-2])()
    return source.partition("def word_embedding_forward")[0]


def bias_of_each_gate():
    """CS231n's bias taken apart, and put together again."""
    return edited(
        "cs231n",
        (
            "a = x.dot(Wx) + prev_h.dot(Wh) + b\n    i",
            "a = x.dot(Wx) + prev_h.dot(Wh)\n    a = a + np.concatenate(np.split(b, 4))\n    i",
        ),
        (
            "x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)",
            "x.T.dot(da), prev_h.T.dot(da), np.hstack([p.sum(0) for p in np.split(da, 4, axis=1)])",
        ),
    )()


def written_anew(form):
    """The answers of a form that were written anew."""
    return {
        f"written anew: {name}": lambda source=source: source
        for name, source in WRITTEN_ANEW.items()
        if name.startswith(form)
    }


OWN = {form: written_anew(form) for form in FORMS}
OWN["layers"] |= classes()
OWN["cs231n"] |= {f"gates {order}": in_other_gates(order) for order in ("ifgo", "figo", "ogif", "gofi", "fiog", "ofgi")}
OWN["cs231n"] |= {
    "units first": lambda: edited("cs231n", *TURNED)().partition("def word_embedding_forward")[0],
    "time first": time_first,
    "a bias of each gate": bias_of_each_gate,
    "more is returned than is asked for": edited(
        "cs231n", ("verbose=False", "verbose=False, scale=1.0"), ("return h, cache", "out = h\n    return out, cache")
    ),
}
OWN["coursera"] |= {
    "no predictions at all": edited(
        "coursera",
        ("return a_next, yt_pred, (", "return a_next, ("),
        ("return a_next, c_next, yt_pred, (", "return a_next, c_next, ("),
        ("a_next, yt_pred, cache = rnn", "a_next, cache = rnn"),
        ("a_next, c_next, yt, cache = lstm", "a_next, c_next, cache = lstm"),
        ("a[:, :, t], y_pred[:, :, t] = a_next, yt_pred", "a[:, :, t] = a_next"),
        ("a[:, :, t], c[:, :, t], y[:, :, t] = a_next, c_next, yt", "a[:, :, t], c[:, :, t] = a_next, c_next"),
        ("return a, y_pred, (caches, x)", "return a, (caches, x)"),
        ("return a, y, c, (caches, x)", "return a, c, (caches, x)"),
    ),
    "x before a": edited(
        "coursera",
        ("np.concatenate((a_prev, xt), axis=0)", "np.vstack((xt, a_prev))"),
        (
            '"dxt": dconcat[len(a_prev) :], "da_prev": dconcat[: len(a_prev)]',
            '"dxt": dconcat[: len(xt)], "da_prev": dconcat[len(xt) :]',
        ),
    ),
    "gradients in a dict that is filled": edited(
        "coursera", ('return {"dx": dx, "da0": carry, **sums}', "sums.update(dx=dx, da0=carry)\n    return sums")
    ),
}
OWN["cmu11785"] |= {
    "gradients as they are": edited(
        "cmu11785",
        (
            "self.dW_ih += dz.T @ h_prev_l / batch_size",
            "self.dW_ih = self.dW_ih + (1 / batch_size) * np.einsum('nh,nd->hd', dz, h_prev_l)",
        ),
        ("self.db_hh += dz.mean(axis=0)", "self.db_hh += np.average(dz, axis=0)"),
    ),
    "three biases by name": edited("cmu11785", ("self.dbrx += dr\n", "self.dbrx += dr.reshape(-1)\n")),
}
OWN["saito"] |= {
    "gradients replaced, not written into": lambda: re.sub(
        r"class TimeBiLSTM.*?(?=class TimeEmbedding)",
        "",
        ANSWERS["saito"].replace("self.grads[i][...] = grad", "self.grads[i] = np.array(grad)"),
        flags=re.DOTALL,
    ),
    "the state kept": edited("saito", ("self.h = None", "self.h = None  # until it is set")),
}
OWN["min_char_rnn"] |= {
    "without a clip": edited(
        "min_char_rnn",
        ("    for gradient in (dWxh, dWhh, dWhy, dbh, dby):\n        np.clip(gradient, -5, 5, out=gradient)\n", ""),
    ),
    "by another name": edited("min_char_rnn", ("def lossFun(", "def loss_function(")),
    "lists for dicts": edited(
        "min_char_rnn",
        (
            "xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0",
            "T = len(inputs)\n    xs, hs, ps, loss = [None] * T, [None] * T + [np.copy(hprev)], [None] * T, 0.0",
        ),
    ),
}
OWN["edinburgh"] |= {
    "one loop of steps": edited(
        "edinburgh",
        ("for k in range(t, max(t - steps, 0) - 1, -1):", "for k in [t - j for j in range(steps + 1) if t - j >= 0]:"),
    ),
    "globals": lambda: GLOBALS,
}
OWN["holberton"] |= {
    "the output by steps": edited(
        "holberton",
        (
            "e = np.exp(np.matmul(H, self.Wy) + self.by)\n        return e / e.sum(axis=-1, keepdims=True)",
            "y = np.array([h @ self.Wy + self.by for h in H])\n        e = np.exp(y - y.max(axis=-1, keepdims=True))\n"
            "        return e / np.sum(e, axis=-1)[..., np.newaxis]",
        ),
    ),
}
GLOBALS = """
import numpy as np

U, V, W = np.random.randn(5, 4), np.random.randn(4, 5), np.random.randn(4, 4)
deltaU, deltaV, deltaW = np.zeros_like(U), np.zeros_like(V), np.zeros_like(W)


def acc_deltas_bptt(x, d, y, s, steps):
    global deltaU, deltaV, deltaW
    for t in reversed(range(len(x))):
        out = -y[t]
        out[d[t]] += 1
        deltaU += np.outer(out, s[t])
        back = U.T @ out * s[t] * (1 - s[t])
        for k in range(t, max(-1, t - steps - 1), -1):
            if k != t:
                back = W.T @ back * s[k] * (1 - s[k])
            deltaV[:, x[k]] += back
            deltaW += np.outer(back, s[k - 1])
"""
