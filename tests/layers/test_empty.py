"""No rows, no steps, or neither: every pass has its natural answer, and no number comes from nowhere."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm import textbook
from tests.cases import assert_all_close
from tests.layers.recurrent_cases import KINDS, as_list, make_inputs, make_layer, of_each, parts_of

EMPTY = [(0, 5), (2, 0), (0, 0), (7, 0)]


@st.composite
def recurrent_layers(draw):
    """Any kind of layer with any options, dropout and stored states among them."""
    kind = draw(st.sampled_from(sorted(KINDS)))
    options = {}
    if kind == "LSTM":
        options = {"peepholes": draw(st.booleans()), "coupled": draw(st.booleans())}
        options["projection_size"] = draw(st.sampled_from([None, 2]))
    return make_layer(
        draw(st.integers(1, 3)),
        seed=draw(st.integers(0, 9)),
        kind=kind,
        bidirectional=draw(st.booleans()),
        merge=draw(st.sampled_from(["concat", "sum", "mul", "ave", None])),
        bias=draw(st.booleans()),
        dropout=draw(st.sampled_from([0, 0.5])),
        input_dropout=draw(st.sampled_from([0, 0.5])),
        recurrent_dropout=draw(st.sampled_from([0, 0.5])),
        store_every=draw(st.sampled_from([None, 1, 3])),
        **options,
    )


def assert_passed_straight_through(layer, x, lengths, state, training, check_finite):
    N, T = x.shape[:2]
    y, final, cache = layer.forward(x, lengths, state, training, check_finite=check_finite)
    pair = layer.merge is None and len(layer.directions) == 2
    assert [part.shape for part in as_list(y)] == [(N, T, layer.features(layer.num_layers - 1))] * (1 + pair)
    initial = [np.zeros(shape) for shape in layer.state_shapes(N)] if state is None else parts_of(state)
    assert_all_close(parts_of(final), initial, 0)
    if training:
        dx, grads, dstate_0 = layer.backward(y, cache, state)
        assert dx.shape == x.shape
        assert_all_close(grads, {name: np.zeros(p.shape) for name, p in layer.params.items()}, 0)
        assert_all_close(parts_of(dstate_0), initial, 0)
        assert_all_close(parts_of(layer.backward(y, cache)[2]), [0 * part for part in initial], 0)


@given(recurrent_layers(), st.sampled_from(EMPTY), st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_where_there_is_no_step_the_state_and_its_gradient_pass_straight_through(
    layer, shape, with_lengths, with_state, training, check_finite
):
    N, T = shape
    lengths = np.zeros(N, int) if with_lengths else None
    state = make_inputs(layer, (0,) * N)[2] if with_state else None
    assert_passed_straight_through(layer, np.zeros((N, T, 3)), lengths, state, training, check_finite)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_layers_whose_directions_go_in_threads_have_the_same_answers(kind):
    make, own = KINDS[kind]
    layer = make(64, 64, bidirectional=True, dtype=np.float64, rng=0, **own)
    for N, T in [(300, 0), (0, 300)]:
        assert_passed_straight_through(layer, np.zeros((N, T, 64)), None, None, True, True)


@given(recurrent_layers(), st.booleans(), st.booleans())
def test_one_sequence_of_no_steps_passes_its_state_straight_through(layer, training, check_finite):
    state = of_each(make_inputs(layer, (0,))[2], lambda part: part[:, 0])
    y, final, cache = layer.forward(np.zeros((0, 3)), None, state, training, check_finite=check_finite)
    assert all(len(part) == 0 and part.ndim == 2 for part in as_list(y))
    assert_all_close(parts_of(final), parts_of(state), 0)
    if training:
        dx, _, dstate_0 = layer.backward(y, cache, state)
        assert dx.shape == (0, 3)
        assert_all_close(parts_of(dstate_0), parts_of(state), 0)


@pytest.mark.parametrize("part", ["h", "c"])
@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_state_that_is_not_finite_is_seen_without_any_step(part, number):
    layer = make_layer()
    h, c = (np.zeros((1, 2, 4)) for _ in range(2))
    {"h": h, "c": c}[part][0, 0, 0] = number
    with pytest.raises(ValueError, match="state holds NaN or infinity; it needs finite numbers"):
        layer.forward(np.zeros((2, 0, 3)), state=(h, c), check_finite=True)


def test_rows_of_length_0_are_checked_no_more_than_padding_is():
    layer = make_layer()
    layer.forward(np.full((2, 5, 3), np.nan), [0, 0], check_finite=True)


@pytest.mark.parametrize("shape", EMPTY)
@pytest.mark.parametrize("pooling", [None, "final", "mean", "max"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
def test_models_answer_for_no_rows_and_no_steps(shape, pooling, cell):
    N, T = shape
    make, own = (nb.SequenceClassifier, {"pooling": pooling}) if pooling else (nb.SequenceTagger, {})
    model = make(5, 3, cell=cell, num_layers=2, hidden_size=4, dropout=0.5, rng=0, **own)
    model.params["linear.b"][...] = [1, 2, 3]
    for lengths in (None, np.zeros(N, int)):
        for training in (False, True):
            logits, cache = model.forward(np.zeros(shape, int), lengths, training)
            assert np.array_equal(logits, np.full((N, 3) if pooling else (N, T, 3), [1, 2, 3]))
        assert np.array_equal(model.predict(np.zeros(shape, int), lengths), np.full(logits.shape[:-1], 2))
        _, grads = model.backward(np.ones_like(logits), cache)
        db = np.full(3, N if pooling else 0)
        expected = {name: np.zeros(p.shape) for name, p in model.params.items()} | {"linear.b": db}
        assert_all_close(grads, expected, 0)


def test_empty_lists_hold_no_wrong_ids():
    model = nb.SequenceTagger(5, 3, rng=0)
    assert model.predict([[], []]).shape == (2, 0)
    assert nb.Embedding(5, 3).forward([])[0].shape == (0, 3)
    assert [row.shape for row in nb.training.predict_sequences(model, [[], np.array([1]), []])] == [(0,), (1,), (0,)]


@pytest.mark.parametrize("shape", [(0, 3), (2, 0, 3), (0, 5, 3), (0, 0, 3)])
def test_the_other_layers_answer_with_nothing(shape):
    x = np.zeros(shape)
    linear, dropout, embedding = nb.Linear(3, 4, dtype=np.float64), nb.Dropout(0.5), nb.Embedding(5, 3)
    y, cache = linear.forward(x)
    assert y.shape == (*shape[:-1], 4)
    dx, grads = linear.backward(y, cache)
    assert dx.shape == shape
    assert not any(g.any() for g in grads.values())
    for training in (False, True):
        y, cache = dropout.forward(x, training)
        assert y.shape == dropout.backward(y, cache)[0].shape == shape
    y, cache = embedding.forward(np.zeros(shape[:-1], int))
    assert y.shape == shape
    assert not embedding.backward(y, cache)[1]["W"].any()


@pytest.mark.parametrize("shape", EMPTY)
def test_losses_over_nothing_are_0_and_so_are_their_gradients(shape):
    logits, targets = np.zeros((*shape, 3)), np.zeros(shape, int)
    passes = [
        (textbook.softmax_cross_entropy_forward, textbook.softmax_cross_entropy_backward, targets),
        (textbook.binary_cross_entropy_forward, textbook.binary_cross_entropy_backward, logits),
        (textbook.mean_squared_error_forward, textbook.mean_squared_error_backward, logits),
    ]
    for forward, backward, target in passes:
        for lengths in (None, np.zeros(shape[0], int)):
            loss, cache = forward(logits, target, lengths)
            assert loss == 0
            assert backward(1.0, cache).shape == logits.shape


@pytest.mark.parametrize("shape", EMPTY)
def test_pooling_over_nothing_is_0_and_so_is_its_gradient(shape):
    y = np.zeros((*shape, 3))
    passes = [
        (textbook.mean_over_steps_forward, textbook.mean_over_steps_backward),
        (textbook.max_over_steps_forward, textbook.max_over_steps_backward),
    ]
    for forward, backward in passes:
        for lengths in (None, np.zeros(shape[0], int)):
            pooled, cache = forward(y, lengths)
            assert np.array_equal(pooled, np.zeros((shape[0], 3)))
            assert np.array_equal(backward(np.ones_like(pooled), cache), y)
