"""Files as people write them, all right, and what shows that they are."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import numpy as np

from npbilstm import textbook
from npbilstm.diagnosis.stages import draw_inputs, stages_of
from npbilstm.submission.arguments import renamed_arguments
from npbilstm.submission.layouts import layout_of, read_header
from npbilstm.submission.pairs import submitted_pair
from npbilstm.submission.specs import SPECS
from tests.cases import assert_close

CS231N = """
# npbilstm: gates=ifog
import numpy as np

def sigmoid(a):
    return 1 / (1 + np.exp(-a))

def rnn_step_forward(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x @ Wx + prev_h @ Wh + b)
    return next_h, (x, prev_h, Wx, Wh, next_h)

def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    da = dnext_h * (1 - next_h**2)
    return da @ Wx.T, da @ Wh.T, x.T @ da, prev_h.T @ da, da.sum(axis=0)

def lstm_step_forward(x, prev_h, prev_c, Wx, Wh, b):
    ai, af, ao, ag = np.split(x @ Wx + prev_h @ Wh + b, 4, axis=1)
    i, f, o, g = sigmoid(ai), sigmoid(af), sigmoid(ao), np.tanh(ag)
    next_c = f * prev_c + i * g
    next_h = o * np.tanh(next_c)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)

def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    do = dnext_h * np.tanh(next_c) * o * (1 - o)
    dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
    da = np.hstack([dc * g * i * (1 - i), dc * prev_c * f * (1 - f), do, dc * i * (1 - g**2)])
    return da @ Wx.T, da @ Wh.T, dc * f, x.T @ da, prev_h.T @ da, da.sum(axis=0)

def lstm_forward(x, h0, Wx, Wh, b):
    h, c, hs, cache = h0, np.zeros_like(h0), [], []
    for t in range(x.shape[1]):
        h, c, step = lstm_step_forward(x[:, t], h, c, Wx, Wh, b)
        hs.append(h)
        cache.append(step)
    return np.stack(hs, axis=1), cache

def lstm_backward(dh, cache):
    dx, dprev_h, dprev_c, total = [], 0, 0, [0, 0, 0]
    for t in reversed(range(dh.shape[1])):
        dxt, dprev_h, dprev_c, *grads = lstm_step_backward(dh[:, t] + dprev_h, dprev_c, cache[t])
        dx.insert(0, dxt)
        total = [a + b for a, b in zip(total, grads)]
    return np.stack(dx, axis=1), dprev_h, *total
"""

TRANSPOSED = """
# npbilstm: gates=ofgi/znr weights=(4H,D)
# npbilstm: x=(T, D, N) memory=h_prev
import numpy as np

sigmoid = lambda a: 1 / (1 + np.exp(-a))

def rnn_step_forward(xt, a_prev, W, U, bias):
    h = np.tanh(W @ xt + U @ a_prev + bias)
    return h, (xt, a_prev, W, U, h)

def rnn_step_backward(dh, cache):
    xt, a_prev, W, U, h = cache
    da = dh * (1 - h**2)
    return {"dW": da @ xt.T, "dU": da @ a_prev.T, "dbias": da.sum(axis=1, keepdims=True), "dxt": W.T @ da,
            "da_prev": U.T @ da}

def gru_step_forward(xt, memory, parameters):
    W, U, b, q = (parameters[name] for name in ("Wx", "W_h", "bias", "b_hn"))
    az, an, ar = np.split(W @ xt + b, 3)
    uz, un, ur = np.split(U @ memory, 3)
    z, r, q = sigmoid(az + uz), sigmoid(ar + ur), un + q
    n = np.tanh(an + r * q)
    return (1 - z) * n + z * memory, [xt, memory, z, r, q, n, W, U]

def gru_step_backward(dh, cache):
    xt, memory, z, r, q, n, W, U = cache
    dan = dh * (1 - z) * (1 - n**2)
    dar = dan * q * r * (1 - r)
    daz = dh * (memory - n) * z * (1 - z)
    da, du = np.vstack([daz, dan, dar]), np.vstack([daz, dan * r, dar])
    grads = {"Wx": da @ xt.T, "Wh": du @ memory.T, "b": da.sum(1)[:, None], "b_hn": (dan * r).sum(1)[:, None]}
    return W.T @ da, dh * z + U.T @ du, grads
"""

ONE_SEQUENCE = """
# npbilstm: weights=(4,H,D) x=(T,D)
from __future__ import annotations
import numpy as np
from npbilstm.textbook import GateParams, sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook.sequences import require_shape

{loops}
def lstm_forward(x, state, Wx, Wh, b):
    params = GateParams(Wx, Wh, b)
    h, c_T, caches = one_lstm_forward(list(x), *state, params)
    return h, (h[-1], c_T), (caches, params)

def lstm_backward(dh, dstate, cache):
    dh = [*dh[:-1], dh[-1] + dstate[0]]
    dx, dh0, dc0, grads = one_lstm_backward(dh, dstate[1], *cache)
    return dx, (dh0, dc0), *grads
"""
LOOPS = [inspect.getsource(each) for each in (textbook.sequence_lstm_forward, textbook.sequence_lstm_backward)]
ONE_SEQUENCE = ONE_SEQUENCE.replace("{loops}", "\n".join(LOOPS).replace("def sequence_", "def one_"))

SIZES = {"N": 3, "T": 5, "D": 3, "H": 4, "R": 2, "V": 5, "S": 4, "E": 5, "A": 2, "U": 3}

COLUMNS = Path(__file__).with_name("columns.py").read_text()


def textbook_file():
    """The textbook in one file."""
    names = ("activations", "sequences", "lstm", "one_sequence", "bidirectional", "gru", "rnn", "lstm_variants")
    names += ("recurrence", "embedding", "affine", "losses", "pooling")
    names += ("stacked", "truncated", "dropout", "clipping", "gradient_check", "attention", "decoder")
    names += ("log_space", "ctc", "ctc_decoding", "crf", "weighted_losses", "layer_norm", "layer_norm_lstm")
    imports = r"^from npbilstm\S* import (\([^)]*\)|.*)\n"
    sources = [re.sub(imports, "", inspect.getsource(getattr(textbook, name)), flags=re.MULTILINE) for name in names]
    lines = [line for source in sources for line in source.splitlines()]
    return "\n".join(["from __future__ import annotations", *(line for line in lines if "__future__" not in line)])


FILES = {
    "textbook": (textbook_file(), list(SPECS)),
    "cs231n": (CS231N, ["sigmoid", "lstm_step", "lstm", "rnn_step"]),
    "columns": (COLUMNS, ["lstm_step", "lstm", "bilstm"]),
    "transposed": (TRANSPOSED, ["sigmoid", "gru_step", "rnn_step"]),
    "one sequence": (ONE_SEQUENCE, ["lstm"]),
}
"""Source, and the specs that it defines."""


def functions_of(source):
    """What a source defines."""
    names = {"__name__": "own"}
    exec(compile(source, "<own>", "exec"), names)
    return {name: value for name, value in names.items() if getattr(value, "__module__", None) == "own"}


def pair_from(source, spec, make=submitted_pair):
    """The pair of a spec, made of a source's functions."""
    settings = read_header(source)
    return make(SPECS[spec], functions_of(source), layout_of(settings), renamed_arguments(settings))


def drawn(name, submitted, seed=0, sizes=SIZES, stage=None):
    """The textbook's pair, inputs such as this pair takes, and upstream gradients, 0 for the outputs that it lacks.

    stage: which of the spec's, by default the last and hardest whose loss is of the usual size."""
    spec, rng = SPECS[name], np.random.default_rng(seed)
    stages = stages_of(spec)
    stage = [each for each in stages if each.factor == 1][-1] if stage is None else stages[stage]
    if "lengths" in submitted.absent:
        stage = stage._replace(lengths="equal")
    inputs = draw_inputs(spec, stage, rng, sizes)
    for lacking in submitted.absent - {"lengths", "rows"}:
        inputs[lacking] = np.zeros_like(inputs[lacking])
    reference = spec.in_textbook_form(textbook)
    outputs, _ = reference.forward(inputs)
    given, _ = submitted.forward(inputs)
    upstream = {name: rng.standard_normal(np.shape(out)) * (name in given) for name, out in outputs.items()}
    return reference, inputs, upstream


def assert_agrees(name, submitted, seed=0, sizes=SIZES, stage=None):
    """The pair's outputs and gradients are the textbook's."""
    reference, inputs, upstream = drawn(name, submitted, seed, sizes, stage)
    expected, cache = reference.forward(inputs)
    got, run = submitted.forward(inputs)
    for output in got:
        assert_close(got[output], expected[output])
    if submitted.backward is not None:
        expected, got = reference.backward(upstream, cache), submitted.backward(upstream, run)
        assert set(got) == set(expected) - submitted.absent
        for gradient in got:
            assert_close(got[gradient], expected[gradient])
