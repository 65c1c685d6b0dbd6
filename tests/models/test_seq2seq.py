"""The decoder made fast is the textbook's; Seq2Seq's gradients are right, its answers are those of its best steps."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm import textbook
from npbilstm.models import AttentionDecoder, attention_decoder
from npbilstm.models.hollow import hollow_seq2seq
from tests.cases import assert_all_close, assert_close
from tests.planting import planted

KINDS = ("additive", "dot", None)


def textbook_params(decoder):
    p = decoder.params
    score = textbook.AdditiveAttentionParams(p["Wq"], p["Wk"], p["v"]) if decoder.attention == "additive" else None
    return textbook.DecoderParams(textbook.LSTMParams(p["Wx"], p["Wh"], p["b"]), score)


@st.composite
def decoders(draw):
    """A decoder with attention of either kind, all it is given, and upstream gradients; some rows are empty."""
    kind = draw(st.sampled_from(["additive", "dot"]))
    N, T, S, D, H = (draw(st.integers(1, 4)) for _ in range(5))
    E = H if kind == "dot" else draw(st.integers(1, 4))
    lengths = np.array(draw(st.lists(st.integers(0, T), min_size=N, max_size=N)))
    source_lengths = np.array(draw(st.lists(st.integers(0, S), min_size=N, max_size=N)))
    rng = np.random.default_rng(draw(st.integers(0, 999)))
    fresh = AttentionDecoder(D, H, E, kind, dtype=np.float64, rng=rng)
    decoder = fresh.with_params({name: 0.5 * rng.standard_normal(p.shape) for name, p in fresh.params.items()})
    given_ = [0.5 * rng.standard_normal(shape) for shape in [(N, T, D), (N, H), (N, H), (N, S, E)]]
    upstream = [rng.standard_normal((N, T, size)) for size in (H, E, S)]
    return decoder, given_, lengths, source_lengths, upstream


def by_fast(decoder, x, h0, c0, keys, lengths, source_lengths, upstream):
    N, T, S = len(x), x.shape[1], keys.shape[1]
    memory = decoder.read(keys, np.arange(S) < source_lengths[:, None])
    state = (h0, c0, np.zeros((N, decoder.key_size)))
    y, alpha, cache = decoder.forward(x, state, memory, np.arange(T) < lengths[:, None])
    dx, dstate, dkeys, grads = decoder.backward(np.concatenate(upstream[:2], axis=2), cache, upstream[2])
    H = decoder.hidden_size
    return (y[:, :, :H], y[:, :, H:], alpha), (dx, *dstate[:2], dkeys), grads


def by_textbook(decoder, x, h0, c0, keys, lengths, source_lengths, upstream):
    *outputs, cache = textbook.decoder_forward(x, h0, c0, keys, textbook_params(decoder), lengths, source_lengths)
    *d_inputs, grads = textbook.decoder_backward(*upstream, cache)
    named = {**grads.cell._asdict(), **(grads.attention._asdict() if grads.attention else {})}
    return tuple(outputs), tuple(d_inputs), named


def assert_equal_to_the_textbook(case):
    decoder, given_, lengths, source_lengths, upstream = case
    everything = decoder, *given_, lengths, source_lengths, upstream
    assert_all_close(by_fast(*everything), by_textbook(*everything))


@given(decoders())
def test_the_fast_decoder_is_the_textbook_s_forward_and_in_every_gradient(case):
    assert_equal_to_the_textbook(case)


@given(decoders())
def test_what_stands_in_the_fast_decoder_s_padding_never_matters(case):
    decoder, (x, h0, c0, keys), lengths, source_lengths, upstream = case
    right = by_fast(decoder, x, h0, c0, keys, lengths, source_lengths, upstream)
    x[np.arange(x.shape[1]) >= lengths[:, None]] = np.nan
    keys[np.arange(keys.shape[1]) >= source_lengths[:, None]] = np.nan
    for d in upstream:
        d[np.arange(d.shape[1]) >= lengths[:, None]] = np.nan
    assert_all_close(by_fast(decoder, x, h0, c0, keys, lengths, source_lengths, upstream), right, 0)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dh += dqueries[t] @", "dh += 0 * dqueries[t] @"),
        ("np.add(dy[t, :, H:], dcontext, out", "np.add(dy[t, :, H:], 0 * dcontext, out"),
        ("slope *= params", "slope *= 2 * params"),
        ("dc = dc * f\n", "dc = dc * i\n"),
    ],
)
def test_a_slip_in_the_fast_decoder_is_seen(old, new):
    changed = planted(attention_decoder, old, new)
    rng = np.random.default_rng(0)
    decoder = changed.AttentionDecoder(2, 3, 4, "additive", dtype=np.float64, rng=0)
    given_ = [rng.standard_normal(shape) for shape in [(2, 4, 2), (2, 3), (2, 3), (2, 5, 4)]]
    upstream = [rng.standard_normal((2, 4, size)) for size in (3, 4, 5)]
    with pytest.raises(AssertionError):
        assert_equal_to_the_textbook((decoder, given_, np.array([4, 2]), np.array([5, 3]), upstream))


def small(kind, hidden_size=3, embedding_size=3):
    """A model and a ragged batch; one source is empty, one answer is."""
    rng = np.random.default_rng(0)
    sizes = {"hidden_size": hidden_size, "embedding_size": embedding_size}
    model = nb.Seq2Seq(6, 4, attention=kind, **sizes, dtype=np.float64, rng=1)
    pairs = [(rng.integers(0, 6, s), rng.integers(0, 4, t)) for s, t in [(4, 3), (1, 0), (5, 4), (0, 2)]]
    return model, model.collate(pairs)


@pytest.mark.parametrize("kind", KINDS)
def test_the_gradient_along_a_direction_is_that_of_the_complex_step(kind):
    model, batch = small(kind)
    _, cache = model.loss_forward(*batch, training=True)
    grads = model.loss_backward(1.0, cache)
    rng = np.random.default_rng(5)
    along = {name: rng.standard_normal(p.shape) for name, p in model.params.items()}
    moved = {name: p + 1e-30j * along[name] for name, p in model.params.items()}
    slope = model.with_params(moved).loss_forward(*batch, training=True)[0].imag / 1e-30
    assert_close(sum((grads[name] * v).sum() for name, v in along.items()), slope)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_gradient_of_the_model_agrees_with_the_complex_step(kind):
    model, batch = small(kind, hidden_size=1, embedding_size=2)
    _, cache = model.loss_forward(*batch, training=True)
    report = nb.check_gradients(
        lambda p: 1.5 * model.with_params(p).loss_forward(*batch, training=True)[0],
        dict(model.params),
        model.loss_backward(1.5, cache),
        method="complex",
    )
    assert report.ok, report


@pytest.mark.parametrize("kind", KINDS)
def test_a_batch_s_loss_is_the_mean_over_the_symbols_of_its_rows_alone(kind):
    model, (ids, targets, lengths, target_lengths) = small(kind)
    ids[np.arange(5) >= lengths[:, None]], targets[np.arange(4) >= target_lengths[:, None]] = -7, 99
    whole, _ = model.loss_forward(ids, targets, lengths, target_lengths)
    rows = [
        model.loss_forward(ids[n : n + 1, :s], targets[n : n + 1, :t])[0] * (t + 1)
        for n, (s, t) in enumerate(zip(lengths, target_lengths))
    ]
    assert_close(whole, sum(rows) / (target_lengths + 1).sum())


@pytest.mark.parametrize("kind", KINDS)
def test_a_beam_of_one_is_greedy(kind):
    model, (ids, _, lengths, _) = small(kind)
    greedy = model.predict(ids, lengths)
    beam = model.beam(ids, lengths, width=1)
    assert [row.tolist() for row in greedy] == [answers[0].symbols.tolist() for answers in beam]


def every_answer(model, source, most):
    """Every answer of up to so many symbols, with its log-probability, by the loss; the likeliest first."""
    found = []
    for T in range(most + 1):
        for answer in itertools.product(range(model.boundary), repeat=T):
            loss, _ = model.loss_forward(source[None], np.array([answer], np.int64).reshape(1, T))
            found.append((-float(loss) * (T + 1), list(answer)))
    return found


@pytest.mark.parametrize(("kind", "penalty"), [("additive", 0.0), ("dot", 1.0), (None, 0.7)])
def test_a_wide_beam_finds_the_best_of_all_answers(kind, penalty):
    model = nb.Seq2Seq(5, 2, attention=kind, hidden_size=3, embedding_size=3, dtype=np.float64, rng=3)
    model.linear.params["b"][model.boundary] = 1.0  # answers end soon
    source, most = np.array([1, 4, 2]), 3
    scores = [(log_p / (len(answer) + 1) ** penalty, answer) for log_p, answer in every_answer(model, source, most)]
    best = max(scores)
    found = model.beam(source[None], width=40, length_penalty=penalty, most_steps=most + 1)[0]
    ended = [one for one in found if len(one.symbols) <= most]
    assert ended[0].symbols.tolist() == best[1]
    assert_close(ended[0].score, best[0])


@pytest.mark.parametrize("never", [False, True])
def test_each_row_of_a_batch_is_decoded_as_alone(never):
    """never: answers that have no end, which are cut by their own source's length."""
    model, (ids, _, lengths, _) = small("additive")
    model.linear.params["b"][model.boundary] -= 50 * never
    together, greedy = model.beam(ids, lengths, width=3), model.predict(ids, lengths)
    for n, length in enumerate(lengths):
        alone = model.beam(ids[n : n + 1, :length], width=3)[0]
        assert [a.symbols.tolist() for a in alone] == [a.symbols.tolist() for a in together[n]]
        assert model.predict(ids[n : n + 1, :length])[0].tolist() == greedy[n].tolist()
        assert not never or len(greedy[n]) == len(alone[0].symbols) == 2 * length + 10


@pytest.mark.parametrize("penalty", [-1, 11, 1e6, float("nan"), "1", None, True])
def test_a_length_penalty_that_leaves_no_score_is_refused(penalty):
    with pytest.raises(ValueError, match="length_penalty is .*; it needs to be from 0 to 10"):
        small("dot")[0].beam([[1]], length_penalty=penalty)


def test_the_alignment_is_a_distribution_at_every_step_of_the_answer():
    model, _ = small("dot")
    alpha = model.alignment([1, 2, 3, 4], [0, 1])
    assert alpha.shape == (3, 4)
    assert_close(alpha.sum(axis=1), np.ones(3))
    with pytest.raises(ValueError, match="attention=None; it looks at nothing"):
        small(None)[0].alignment([1], [1])


@pytest.mark.parametrize("kind", KINDS)
def test_a_hollow_model_has_the_shapes_of_the_real_one(kind):
    model, _ = small(kind)
    hollow = hollow_seq2seq(nb.Seq2Seq, **model.config)
    assert hollow.param_shapes == model.param_shapes
    assert hollow.config == model.config


def test_what_is_no_pair_of_sequences_is_named():
    model, _ = small("dot")
    with pytest.raises(ValueError, match=r"train\[0\]'s targets holds 4; this layer has rows 0 to 3"):
        nb.Trainer(model).train([([1, 2], [4])])
    with pytest.raises(ValueError, match=r"targets has shape \(2, 1\); it needs \(N, T\), with N = 1"):
        model.loss_forward([[1, 2]], [[1], [2]])
    with pytest.raises(ValueError, match="attention is 'cosine'; it needs one of 'additive', 'dot', None"):
        nb.Seq2Seq(3, 3, attention="cosine")
    with pytest.raises(ValueError, match="width is 0; it needs to be at least 1"):
        model.beam([[1]], width=0)
