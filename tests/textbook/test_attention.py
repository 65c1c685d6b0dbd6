"""Attention and the decoder: a loop over rows and steps says the same, and nobody looks at the padding."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm import textbook
from npbilstm.commands.checks import textbook_attention as checks
from npbilstm.textbook import attention
from tests.cases import assert_all_close, assert_close
from tests.textbook.plants import planted_in

KINDS = ("additive", "dot")


def params_of(kind, rng, H, E, A=3):
    if kind == "dot":
        return None
    return textbook.AdditiveAttentionParams(*(rng.standard_normal(s) for s in [(H, A), (E, A), (A,)]))


def attend(kind, query, keys, params, lengths):
    more = () if params is None else (params,)
    return getattr(textbook, f"{kind}_attention_forward")(query, keys, *more, lengths)


def attend_back(kind, *given):
    return getattr(textbook, f"{kind}_attention_backward")(*given)


def by_loop(query, keys, params, lengths):
    """Row by row, step by step, over the valid steps alone."""
    context, alpha = np.zeros((len(keys), keys.shape[2])), np.zeros(keys.shape[:2])
    for n, length in enumerate(lengths):
        if params is None:
            scores = [sum(query[n, k] * keys[n, s, k] for k in range(query.shape[1])) for s in range(length)]
        else:
            scores = [params.v @ np.tanh(query[n] @ params.Wq + keys[n, s] @ params.Wk) for s in range(length)]
        for s in range(length):
            alpha[n, s] = np.exp(scores[s]) / sum(np.exp(scores))
            context[n] += alpha[n, s] * keys[n, s]
    return context, alpha


@st.composite
def looks(draw):
    """A kind, a query, keys, params, lengths with 0 among them; S = 0 too."""
    kind = draw(st.sampled_from(KINDS))
    N, S, H = draw(st.integers(1, 4)), draw(st.integers(0, 5)), draw(st.integers(1, 4))
    E = H if kind == "dot" else draw(st.integers(1, 4))
    lengths = np.array(draw(st.lists(st.integers(0, S), min_size=N, max_size=N)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    return kind, rng.standard_normal((N, H)), rng.standard_normal((N, S, E)), params_of(kind, rng, H, E), lengths


@given(looks())
def test_every_row_looks_at_its_own_valid_steps(look):
    context, alpha, _ = attend(*look)
    assert_all_close((context, alpha), by_loop(*look[1:]))
    assert_close(alpha.sum(axis=1), np.minimum(look[-1], 1.0))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("junk", [np.nan, np.inf, 1e30])
def test_the_padding_of_the_keys_never_matters_and_gets_no_gradient(kind, junk):
    rng = np.random.default_rng(0)
    query, keys, lengths = rng.standard_normal((3, 4)), rng.standard_normal((3, 5, 4)), np.array([5, 2, 0])
    params, padding = params_of(kind, rng, 4, 4), np.arange(5) >= lengths[:, None]
    dcontext, dalpha = rng.standard_normal((3, 4)), rng.standard_normal((3, 5))
    context, alpha, cache = attend(kind, query, keys, params, lengths)
    right = attend_back(kind, dcontext, dalpha, cache)
    assert not alpha[padding].any()
    assert not right[1][padding].any()
    keys[padding], dalpha[padding] = junk, junk
    again = attend(kind, query, keys, params, lengths)
    assert np.array_equal(again[0], context)
    assert np.array_equal(again[1], alpha)
    assert_all_close(attend_back(kind, dcontext, dalpha, again[2]), right, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_scores_beyond_exp_s_reach_give_weights(kind):
    query, keys = np.full((1, 2), 40.0), np.array([[[40.0, 40.0], [39.0, 40.0], [-40.0, -40.0]]])
    params = textbook.AdditiveAttentionParams(0 * np.eye(2), np.eye(2), np.full(2, 1e4)) if kind == "additive" else None
    _, alpha, _ = attend(kind, query, keys, params, None)
    assert np.isfinite(alpha).all()
    assert_close(alpha.sum(axis=1), [1.0])


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("softmax_over_steps", "np.where(valid, np.exp(shifted), 0)", "np.exp(shifted)"),
        ("dot_attention_forward", "softmax_over_steps(scores, valid)", "softmax_over_steps(scores.T, valid.T).T"),
        ("additive_attention_forward", "tanh((query", "np.sin((query"),
    ],
)
def test_attention_that_is_wrong_is_seen(kind, old, new):
    changed = planted_in(attention, kind, old, new)
    rng = np.random.default_rng(1)
    query, keys, params = rng.standard_normal((3, 4)), rng.standard_normal((3, 5, 4)), params_of("additive", rng, 4, 4)
    lengths = np.array([5, 3, 1])
    wrong = [
        changed.dot_attention_forward(query, keys, lengths)[1],
        changed.additive_attention_forward(query, keys, params, lengths)[1],
    ]
    right = [by_loop(query, keys, one, lengths)[1] for one in (None, params)]
    assert any(np.abs(one - other).max() > 1e-6 for one, other in zip(wrong, right))


def drawn_decoder(kind, dtype=np.float64):
    rng = np.random.default_rng(3)
    N, T, D, H, S, E = 3, 5, 2, 4, 6, 4

    def draw(*shape):
        return (0.5 * rng.standard_normal(shape)).astype(dtype)

    cell = textbook.LSTMParams(draw(D + E, 4 * H), draw(H, 4 * H), draw(4 * H))
    score = textbook.AdditiveAttentionParams(draw(H, 3), draw(E, 3), draw(3)) if kind == "additive" else None
    given = draw(N, T, D), draw(N, H), draw(N, H), draw(N, S, E)
    return given, textbook.DecoderParams(cell, score), np.array([5, 2, 0]), np.array([3, 6, 2])


@pytest.mark.parametrize("kind", KINDS)
def test_a_row_decodes_alone_as_in_its_batch(kind):
    (x, h0, c0, keys), params, lengths, source_lengths = drawn_decoder(kind)
    outputs = textbook.decoder_forward(x, h0, c0, keys, params, lengths, source_lengths)[:3]
    for n, (length, source) in enumerate(zip(lengths, source_lengths)):
        row = slice(n, n + 1)
        alone = textbook.decoder_forward(x[row, :length], h0[row], c0[row], keys[row, :source], params)[:3]
        for whole, one in zip(outputs, alone):
            assert_close(whole[n, :length, : one.shape[2]], one[0])
            assert not whole[n, length:].any()
            assert not whole[n, :, one.shape[2] :].any()


@pytest.mark.parametrize("kind", KINDS)
def test_what_stands_in_any_padding_of_a_decoder_never_matters(kind):
    (x, h0, c0, keys), params, lengths, source_lengths = drawn_decoder(kind)

    def run():
        *outputs, cache = textbook.decoder_forward(x, h0, c0, keys, params, lengths, source_lengths)
        return outputs, textbook.decoder_backward(*upstream, cache)

    rng = np.random.default_rng(4)
    upstream = [rng.standard_normal((3, 5, size)) for size in (4, 4, 6)]
    padding, source_padding = np.arange(5) >= lengths[:, None], np.arange(6) >= source_lengths[:, None]
    outputs, (dx, *_, dkeys, grads) = run()
    assert not dx[padding].any()
    assert not dkeys[source_padding].any()
    x[padding], keys[source_padding] = np.nan, np.nan
    for d in upstream:
        d[padding] = np.nan
    again, (dx_again, *_, dkeys_again, grads_again) = run()
    assert_all_close(again, outputs, 0)
    assert_all_close((dx_again, dkeys_again, grads_again.cell), (dx, dkeys, grads.cell), 0)


@pytest.mark.parametrize("kind", KINDS)
def test_a_decoder_keeps_the_dtype_and_its_inputs(kind):
    given, params, lengths, source_lengths = drawn_decoder(kind, np.float32)
    before = [array.copy() for array in given]
    *outputs, cache = textbook.decoder_forward(*given, params, lengths, source_lengths)
    *d_inputs, grads = textbook.decoder_backward(*outputs, cache)
    found = (*outputs, *d_inputs, *grads.cell, *(grads.attention or ()))
    assert {array.dtype for array in found} == {np.dtype(np.float32)}
    assert_all_close(given, before, 0)


def test_a_shape_that_does_not_fit_is_named():
    (x, h0, c0, keys), params, *_ = drawn_decoder("dot")
    with pytest.raises(ValueError, match=r"keys has shape \(3, 6\); it needs three axes \(N, S, E\), with N = 3"):
        textbook.dot_attention_forward(h0, keys[:, :, 0])
    with pytest.raises(ValueError, match=r"query has shape \(4,\); it needs two axes"):
        textbook.dot_attention_forward(h0[0], keys)
    with pytest.raises(ValueError, match=r"keys has shape \(3, 6, 3\); it needs \(3, 6, 4\)"):
        textbook.dot_attention_forward(h0, keys[:, :, :3])
    with pytest.raises(ValueError, match=r"Wx has shape \(6, 16\); it needs \(5, 16\)"):
        textbook.decoder_forward(x, h0, c0, keys[:, :, :3], params)
    with pytest.raises(ValueError, match=r"lengths\[0\] is 9; it needs to be between 0 and T = 6"):
        textbook.dot_attention_forward(h0, keys, np.array([9, 1, 1]))


@pytest.mark.parametrize("name", list(checks.CHECKS))
def test_every_gradient_of_attention_and_of_the_decoder_agrees_with_the_complex_step(name):
    report = checks.CHECKS[name](method="complex")
    assert report.ok, report
    assert report.tolerance <= 1e-12
