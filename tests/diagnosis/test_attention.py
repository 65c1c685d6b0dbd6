"""Attention and decoders as people write them: right, and with a mistake, which is named."""

import re
from types import ModuleType

import pytest

import npbilstm as nb
from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.diagnosis.matching import candidates
from npbilstm.mistakes import plant
from npbilstm.mistakes.catalogue import additive_attention, attention, decoder
from npbilstm.submission.specs import SPECS

WRITTEN = """
import numpy as np

def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()

def dot_attention_forward(hidden, encoder_outputs, lengths=None):
    N, S, H = encoder_outputs.shape
    context, alpha = np.zeros((N, H)), np.zeros((N, S))
    for n in range(N):
        L = S if lengths is None else lengths[n]
        if L:
            alpha[n, :L] = softmax(encoder_outputs[n, :L] @ hidden[n])
            context[n] = alpha[n, :L] @ encoder_outputs[n, :L]
    return context, alpha, (hidden, encoder_outputs, lengths, alpha)

def dot_attention_backward(dcontext, dalpha, cache):
    hidden, encoder_outputs, lengths, alpha = cache
    dhidden, dkeys = np.zeros_like(hidden), np.zeros_like(encoder_outputs)
    for n in range(len(hidden)):
        L = alpha.shape[1] if lengths is None else lengths[n]
        a, k = alpha[n, :L], encoder_outputs[n, :L]
        da = dalpha[n, :L] + k @ dcontext[n]
        ds = a * (da - a @ da)
        dhidden[n] = ds @ k
        dkeys[n, :L] = np.outer(a, dcontext[n]) + np.outer(ds, hidden[n])
    return dhidden, dkeys

def additive_attention_forward(s, enc, W_a, U_a, v_a, lengths):
    energy = np.tanh((s @ W_a)[:, None] + enc @ U_a)
    mask = np.arange(enc.shape[1]) < lengths[:, None]
    e = np.where(mask, energy @ v_a, -1e9)
    w = np.exp(e - e.max(axis=1, keepdims=True)) * mask
    w = w / np.maximum(w.sum(axis=1, keepdims=True), 1e-30)
    return np.einsum("ns,nse->ne", w, enc), w, (s, enc, W_a, U_a, v_a, energy, w)

def additive_attention_backward(dcontext, dw, cache):
    s, enc, W_a, U_a, v_a, energy, w = cache
    dw = dw + np.einsum("ne,nse->ns", dcontext, enc)
    de = w * (dw - (w * dw).sum(axis=1, keepdims=True))
    da = de[:, :, None] * v_a * (1 - energy**2)
    dU = np.einsum("nse,nsa->ea", enc, da)
    ds, dW, dv = da.sum(axis=1) @ W_a.T, s.T @ da.sum(axis=1), np.einsum("ns,nsa->a", de, energy)
    return ds, w[:, :, None] * dcontext[:, None] + da @ U_a.T, dW, dU, dv
"""

SLIPS = {
    "dot-attention-dkeys-lacks-context": ("np.outer(a, dcontext[n]) + ", ""),
    "attention-softmax-mean-missing": ("a * (da - a @ da)", "a * da"),
    "dot-attention-scaled": ("encoder_outputs[n, :L] @ hidden[n])", "encoder_outputs[n, :L] @ hidden[n] / H**0.5)"),
    "additive-attention-tanh-slope-missing": (" * (1 - energy**2)", ""),
    "additive-attention-padding-scores-zero": ("-1e9)\n", "0)\n    mask = 1\n"),
}


def written(old="", new=""):
    """A student's module, with one change."""
    assert not old or WRITTEN.count(old) == 1
    module = ModuleType("written")
    exec(WRITTEN.replace(old, new), module.__dict__)
    return module


def test_attention_in_somebody_s_own_words_is_right():
    assert [found.verdict for found in nb.diagnose(written()).diagnoses] == ["right", "right"]


@pytest.mark.parametrize("mistake", SLIPS)
def test_a_slip_in_somebody_s_own_attention_is_named(mistake):
    wrong = [found for found in nb.diagnose(written(*SLIPS[mistake])).diagnoses if not found.ok]
    assert [[bug.id for bug in bugs] for found in wrong for bugs in found.named] == [[mistake]]


def test_a_mistake_in_one_kind_is_not_spoken_of_in_the_other():
    old, new = SLIPS["dot-attention-dkeys-lacks-context"]
    module = written(old, new)
    source = WRITTEN.replace(old, new).replace(" * (1 - energy**2)", "")
    exec(source, module.__dict__)
    second = nb.diagnose(module).diagnoses[1]
    assert [[bug.id for bug in bugs] for bugs in second.named] == [["additive-attention-tanh-slope-missing"]]
    assert not second.known


def test_each_concept_has_more_than_a_dozen_mistakes_catalogued():
    for spec in ("dot_attention", "additive_attention"):
        own = [bug for bug in candidates(SPECS[spec]) if re.search("attention", bug.id)]
        assert len(own) >= 20
    assert len(decoder.BUGS) >= 12


@pytest.mark.slow
@pytest.mark.parametrize("bug", [*attention.BUGS, *additive_attention.BUGS, *decoder.BUGS], ids=lambda bug: bug.id)
def test_every_catalogued_mistake_of_attention_and_of_the_decoder_is_named_and_nothing_else(bug):
    spec = next(spec for spec in SPECS.values() if bug in candidates(spec))
    found = diagnose_pair(spec, spec.in_textbook_form(plant([bug])))
    assert [[one.id for one in bugs] for bugs in found.named] == [[bug.id]]
