import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from tests.cases import assert_close

OPTIONS = {"embedding_size": 3, "hidden_size": 4, "dtype": np.float64, "rng": 0}


@st.composite
def batches(draw, least_length=0):
    N, T = draw(st.integers(1, 4)), draw(st.integers(1, 6))
    lengths = np.array(draw(st.lists(st.integers(least_length, T), min_size=N, max_size=N)))
    return np.random.default_rng(draw(st.integers(0, 99))).integers(0, 7, (N, T)), lengths


cells = st.sampled_from(["lstm", "gru", "rnn"])
poolings = st.sampled_from(["final", "mean", "max"])


@given(batches(), st.booleans(), st.integers(1, 2), cells)
def test_what_stands_in_the_padding_of_a_tagger_never_matters(batch, bidirectional, num_layers, cell):
    ids, lengths = batch
    model = nb.SequenceTagger(7, 5, cell=cell, bidirectional=bidirectional, num_layers=num_layers, **OPTIONS)
    padding = np.arange(ids.shape[1]) >= lengths[:, None]
    junk = np.where(padding, -99, ids)  # not even a symbol
    logits, cache = model.forward(ids, lengths, training=True)
    again, junk_cache = model.forward(junk, lengths, training=True)
    assert np.array_equal(logits, again)
    assert not logits[padding].any()
    dlogits = np.random.default_rng(0).standard_normal(logits.shape)
    wild = np.where(padding[..., None], np.nan, dlogits)
    for one, other in zip(model.backward(dlogits, cache)[1].values(), model.backward(wild, junk_cache)[1].values()):
        assert np.array_equal(one, other)


@given(batches(), cells, poolings)
def test_a_padded_row_gets_the_class_that_it_gets_alone(batch, cell, pooling):
    ids, lengths = batch
    model = nb.SequenceClassifier(7, 5, cell=cell, pooling=pooling, **OPTIONS)
    logits, _ = model.forward(ids, lengths)
    for n, length in enumerate(lengths):
        assert_close(logits[n : n + 1], model.forward(ids[n : n + 1, :length])[0])


def test_the_classifier_reads_the_last_valid_state_and_the_reverse_state_at_step_0():
    model = nb.SequenceClassifier(7, 5, num_layers=2, **OPTIONS)
    ids, lengths = np.array([[1, 2, 3, 0], [4, 5, 0, 0]]), np.array([3, 2])
    y, _, _ = model.recurrent.forward(model.embedding.forward(ids)[0], lengths)
    last = np.concatenate([y[[0, 1], lengths - 1, :4], y[:, 0, 4:]], axis=1)
    assert_close(model.forward(ids, lengths)[0], model.linear.forward(last)[0])
    trap = model.linear.forward(y[:, -1])[0]
    assert not np.allclose(model.forward(ids, lengths)[0], trap)


@pytest.mark.parametrize(("pooling", "by_hand"), [("mean", np.mean), ("max", np.max)])
def test_the_classifier_pools_over_valid_steps(pooling, by_hand):
    model = nb.SequenceClassifier(7, 5, cell="gru", pooling=pooling, **OPTIONS)
    ids, lengths = np.array([[1, 2, 3, 0], [4, 5, 0, 0]]), np.array([3, 2])
    y, _, _ = model.recurrent.forward(model.embedding.forward(ids)[0], lengths)
    pooled = np.stack([by_hand(row[:length], axis=0) for row, length in zip(y, lengths)])
    assert_close(model.forward(ids, lengths)[0], model.linear.forward(pooled)[0])


@pytest.mark.parametrize(("cell", "kind"), [("lstm", nb.LSTM), ("gru", nb.GRU), ("rnn", nb.RNN)])
def test_a_model_has_the_layer_that_its_cell_names(cell, kind):
    model = nb.SequenceTagger(7, 5, cell=cell, **OPTIONS)
    assert type(model.recurrent) is kind
    assert model.params[f"{cell}.0.reverse.Wh"] is model.recurrent.params["0.reverse.Wh"]


def test_params_are_the_layers_own_arrays_under_flat_names():
    model = nb.SequenceTagger(7, 5, **OPTIONS)
    assert model.params["lstm.0.reverse.Wh"] is model.recurrent.params["0.reverse.Wh"]
    assert set(model.params) == {
        "embedding.W",
        *(f"lstm.0.{way}.{name}" for way in ("forward", "reverse") for name in ("Wx", "Wh", "b")),
        "linear.W",
        "linear.b",
    }
    assert model.num_parameters == sum(p.size for p in model.params.values())
    with pytest.raises(TypeError):
        model.params["linear.b"] = np.zeros(5)  # would be lost: change the array in place


def test_config_makes_a_model_of_the_same_shape():
    for kind, own in [(nb.SequenceTagger, {}), (nb.SequenceClassifier, {"pooling": "max"})]:
        model = kind(7, 5, cell="gru", num_layers=2, bidirectional=False, dropout=0.2, **own, **OPTIONS)
        twin = kind(**model.config)
        assert {n: p.shape for n, p in twin.params.items()} == {n: p.shape for n, p in model.params.items()}
        assert twin.config == model.config
        assert repr(twin) == repr(model)


def test_with_params_leaves_the_first_model_alone():
    model = nb.SequenceTagger(7, 5, **OPTIONS)
    before = {name: p.copy() for name, p in model.params.items()}
    other = model.with_params({name: p + 1 for name, p in model.params.items()})
    assert all(np.array_equal(model.params[name], before[name]) for name in before)
    assert all(np.array_equal(other.params[name], before[name] + 1) for name in before)


def test_predict_takes_the_likeliest_class():
    model = nb.SequenceTagger(7, 5, **OPTIONS)
    ids = np.array([[1, 2, 3]])
    assert np.array_equal(model.predict(ids), model.forward(ids)[0].argmax(-1))


@pytest.mark.parametrize("num_layers", [1, 2])
def test_dropout_acts_before_between_and_after_the_layers(num_layers):
    model = nb.SequenceTagger(7, 5, dropout=0.5, num_layers=num_layers, **OPTIONS)
    _, cache = model.forward(np.array([[1, 2, 3]]), training=True, rng=np.random.default_rng(0))
    masks = [
        cache.below.scaled_mask,
        *(stack_layer.scaled_mask for stack_layer in cache.recurrent.stack[1:]),
        cache.above.scaled_mask,
    ]
    assert len(masks) == num_layers + 1
    assert all(set(np.unique(mask)) == {0.0, 2.0} for mask in masks)
    assert cache.recurrent.stack[0].scaled_mask is None


def test_the_initialisation_asked_for_is_the_lstms():
    H = 64
    model = nb.SequenceTagger(7, 5, embedding_size=3, hidden_size=H, init="torch", rng=0)
    assert all(0.9 / 8 < np.abs(p).max() <= 1 / 8 for name, p in model.params.items() if name.startswith("lstm"))


def test_dropout_masks_come_from_the_generator_given():
    model = nb.SequenceTagger(7, 5, dropout=0.5, **OPTIONS)
    ids = np.array([[1, 2, 3]])
    one, same, other = (model.forward(ids, training=True, rng=np.random.default_rng(s))[0] for s in (1, 1, 2))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)
    assert np.array_equal(model.forward(ids)[0], model.forward(ids)[0])


def test_a_cache_of_inference_says_so_when_asked_for_a_gradient():
    for kind in (nb.SequenceTagger, nb.SequenceClassifier):
        model = kind(7, 5, **OPTIONS)
        logits, cache = model.forward(np.array([[1, 2, 3]]))
        with pytest.raises(ValueError, match="keeps nothing for backward"):
            model.backward(logits, cache)


def test_a_gradient_that_would_broadcast_is_refused():
    ids = np.array([[1, 2, 3], [4, 5, 6]])
    for kind, thin in [(nb.SequenceTagger, (2, 1, 5)), (nb.SequenceClassifier, (1, 5))]:
        model = kind(7, 5, **OPTIONS)
        _, cache = model.forward(ids, training=True)
        with pytest.raises(ValueError, match="dlogits has shape"):
            model.backward(np.zeros(thin), cache)


def test_truth_values_are_no_symbols():
    with pytest.raises(TypeError, match="ids has dtype bool; it needs integers"):
        nb.SequenceTagger(7, 5, **OPTIONS).forward(np.array([[True, False]]))


def test_weights_changed_between_forward_and_backward_do_not_mix_in():
    model = nb.SequenceTagger(7, 5, **OPTIONS)
    logits, cache = model.forward(np.array([[1, 2, 3]]), training=True)
    _, before = model.backward(logits, cache)
    for p in model.params.values():
        p += 1
    _, after = model.backward(logits, cache)
    assert all(np.array_equal(before[name], after[name]) for name in before)


def test_an_empty_batch_and_empty_sequences_are_answered():
    for shape in [(0, 3), (2, 0)]:
        for kind in (nb.SequenceTagger, nb.SequenceClassifier):
            model = kind(7, 5, **OPTIONS)
            logits, cache = model.forward(np.zeros(shape, int), training=True)
            _, grads = model.backward(logits, cache)
            assert all(np.isfinite(g).all() for g in grads.values())


def test_complex_gradients_keep_their_imaginary_part():
    linear, embedding = nb.Linear(3, 2, dtype=np.float64, rng=0), nb.Embedding(4, 2, dtype=np.float64, rng=0)
    dy = np.array([[1j, 2.0]])
    dx, grads = linear.backward(dy, linear.forward(np.ones((1, 3)))[1])
    assert dx.imag.any()
    assert grads["W"].imag.any()
    assert embedding.backward(dy, embedding.forward(np.array([1]))[1])[1]["W"][1, 0] == 1j


def test_embedding_adds_up_the_gradients_of_a_symbol_that_occurs_often():
    layer = nb.Embedding(4, 2, dtype=np.float64, rng=0)
    _, cache = layer.forward(np.array([[1, 3], [1, 1]]))
    nothing, grads = layer.backward(np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]]), cache)
    assert nothing is None
    assert grads["W"].tolist() == [[0, 0], [13, 16], [0, 0], [3, 4]]
