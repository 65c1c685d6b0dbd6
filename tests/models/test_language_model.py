"""The language model: its windows' gradients are the textbook's truncated ones; it draws what it says is likely."""

import itertools

import numpy as np
import pytest

import npbilstm as nb
from npbilstm import textbook
from npbilstm.models import language_model
from npbilstm.models.hollow import count_of_numbers, hollow_language_model
from npbilstm.models.sampling import drawn
from tests.cases import assert_close
from tests.planting import planted

STEPS = {
    "lstm": (textbook.lstm_step_forward, textbook.lstm_step_backward, textbook.LSTMParams),
    "gru": (textbook.gru_step_forward, textbook.gru_step_backward, textbook.GRUParams),
    "rnn": (textbook.rnn_step_forward, textbook.rnn_step_backward, textbook.RNNParams),
}


def small(cell="lstm", module=language_model, **options):
    options = {"embedding_size": 3, "hidden_size": 4, "window": 4, **options}
    return module.LanguageModel(6, cell=cell, dtype=np.float64, rng=1, **options)


def text(T, N=3):
    """What is read and put out, of N streams that are in the midst of a text."""
    rng = np.random.default_rng(0)
    return rng.integers(0, 7, (N, T)), rng.integers(0, 6, (N, T))


def by_windows(model, read, put_out, window):
    """The sum of the windows' losses and of their gradients, the state carried, the gradient not."""
    state, losses, grads = None, 0.0, dict.fromkeys(model.params, 0.0)
    for steps, _ in nb.windows(read.shape[1], window):
        loss, cache = model.loss_forward(read[:, steps], put_out[:, steps], state=state, training=True)
        losses, state = losses + loss, cache.state
        grads = {name: grads[name] + g for name, g in model.loss_backward(1.0, cache).items()}
    return losses, grads


def by_textbook(model, read, put_out, window):
    """The same, by textbook/truncated.py."""
    cell, (forward, backward, params) = model.cell, STEPS[model.cell]
    p = model.params
    weights = params(*(p[f"{cell}.0.forward.{name}"] for name in params._fields))
    x, embedding = textbook.embedding_forward(read, p["embedding.W"])
    zeros = tuple(np.zeros((len(read), model.recurrent.hidden_size)) for _ in model.recurrent.state_parts)
    y, _, cache = textbook.truncated_forward(forward, x, zeros, weights, window)
    logits, affine = textbook.affine_forward(y, p["linear.W"], p["linear.b"])
    losses, dlogits = 0.0, []
    for steps, _ in nb.windows(read.shape[1], window):
        loss, loss_cache = textbook.softmax_cross_entropy_forward(logits[:, steps], put_out[:, steps])
        losses += loss
        dlogits.append(textbook.softmax_cross_entropy_backward(1.0, loss_cache))
    dy, dW, db = textbook.affine_backward(np.concatenate(dlogits, axis=1), affine)
    dx, _, grads = textbook.truncated_backward(backward, dy, zeros, cache)
    named = {f"{cell}.0.forward.{name}": g for name, g in grads._asdict().items()}
    return losses, named | {
        "embedding.W": textbook.embedding_backward(dx, embedding),
        "linear.W": dW,
        "linear.b": db,
    }


def assert_equal_to_the_textbook(model, window):
    read, put_out = text(10)
    loss, grads = by_windows(model, read, put_out, window)
    expected_loss, expected = by_textbook(model, read, put_out, window)
    assert_close(loss, expected_loss)
    assert set(grads) == set(expected)
    for name, g in expected.items():
        assert_close(grads[name], g)


@pytest.mark.parametrize("cell", STEPS)
@pytest.mark.parametrize("window", [1, 4, 10])
def test_windows_with_carried_state_have_the_textbook_s_truncated_gradients(cell, window):
    assert_equal_to_the_textbook(small(cell), window)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lengths, state, training, rng=rng)", "lengths, None, training, rng=rng)"),
        ("(self, training, ended, embedding", "(self, training, state, embedding"),
        ("embedding.backward(dx, cache.embedding)", "embedding.backward(2 * dx, cache.embedding)"),
    ],
)
def test_a_slip_in_the_language_model_is_seen(old, new):
    with pytest.raises((AssertionError, TypeError)):
        assert_equal_to_the_textbook(small(module=planted(language_model, old, new)), 4)


@pytest.mark.parametrize("cell", STEPS)
def test_a_window_s_gradient_is_that_of_the_complex_step_with_the_state_given(cell):
    model = small(cell, num_layers=2)
    read, put_out = text(9)
    _, before = model.loss_forward(read[:, :4], put_out[:, :4])
    batch = (read[:, 4:], put_out[:, 4:], np.array([5, 0, 3]), before.state)
    _, cache = model.loss_forward(*batch, training=True)
    grads = model.loss_backward(1.0, cache)
    rng = np.random.default_rng(5)
    along = {name: rng.standard_normal(p.shape) for name, p in model.params.items()}
    moved = {name: p + 1e-30j * along[name] for name, p in model.params.items()}
    slope = model.with_params(moved).loss_forward(*batch, training=True)[0].imag / 1e-30
    assert_close(sum((grads[name] * v).sum() for name, v in along.items()), slope)


def test_what_stands_in_the_padding_never_matters():
    model, (read, put_out) = small(), text(5)
    lengths = np.array([5, 0, 3])
    right = model.loss_forward(read, put_out, lengths, training=True)
    padding = np.arange(5) >= lengths[:, None]
    read[padding], put_out[padding] = -7, 99
    loss, cache = model.loss_forward(read, put_out, lengths, training=True)
    assert loss == right[0]
    for name, g in model.loss_backward(1.0, cache).items():
        assert (g == model.loss_backward(1.0, right[1])[name]).all()


def test_every_symbol_of_a_text_is_put_out_after_those_before_it():
    read, put_out = small().shifted([3, 1, 2])
    assert (read.tolist(), put_out.tolist()) == ([6, 3, 1], [3, 1, 2])
    assert [row.tolist() for row in small().shifted([])] == [[], []]


def test_what_is_drawn_is_as_frequent_as_it_is_likely():
    rng, scores = np.random.default_rng(0), np.log([0.1, 0.6, 0.3, 1e-300])
    scores[3] = -np.inf
    for temperature, top_k, p in [
        (1.0, None, [0.1, 0.6, 0.3, 0]),
        (1.0, 2, [0, 2 / 3, 1 / 3, 0]),
        (0.5, 99, np.array([0.01, 0.36, 0.09, 0]) / 0.46),
        (0, None, [0, 1, 0, 0]),
        (1e-310, 3, [0, 1, 0, 0]),
    ]:
        counts = np.bincount([drawn(scores, rng, temperature, top_k) for _ in range(500)], minlength=4)
        assert np.abs(counts / 500 - p).max() < 0.06, (temperature, top_k)
    assert drawn(np.zeros(5), rng, 0) == 0


def test_the_share_that_is_drawn_last_is_still_a_symbol_that_may_be():
    class Highest:
        @staticmethod
        def random():
            return 1.0

    assert drawn(np.array([0.0, 0.0, -np.inf, -np.inf]), Highest) == 1


def test_a_sample_goes_on_as_the_model_would_with_all_that_is_before_it():
    model = small()
    prompt = [2, 0, 5]
    found = list(model.sample(6, prompt=prompt, temperature=0))
    for n, symbol in enumerate(found):
        read = np.concatenate([[model.boundary], prompt, found[:n]]).astype(int)
        assert model.predict(read[None])[0, -1] == symbol
    assert list(model.sample(6, prompt=prompt, top_k=1, rng=3)) == found


def test_the_same_seed_draws_the_same_and_what_is_left_out_is_never_drawn():
    model = small()
    one, other, again = (list(model.sample(40, rng=seed, without=[0, 2, 5])) for seed in (0, 1, 0))
    assert one == again != other
    assert set(one + other) == {1, 3, 4}
    drawn_so_far = itertools.islice(model.sample(10**15), 3)  # they are drawn while one asks for them
    assert len(list(drawn_so_far)) == 3


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"length": 0}, "length is 0; it needs to be at least 1"),
        ({"temperature": -0.1}, "temperature is -0.1; it needs to be at least 0 and finite"),
        ({"temperature": float("nan")}, "temperature is nan; it needs to be at least 0 and finite"),
        ({"top_k": 0}, "top_k is 0; it needs to be at least 1"),
        ({"prompt": [6]}, "prompt holds 6; this layer has rows 0 to 5"),
        ({"prompt": [[1]]}, r"prompt has shape \(1, 1\); a text has one axis"),
        ({"without": range(6)}, "without leaves no symbol to be drawn"),
    ],
)
def test_what_cannot_be_sampled_is_said_before_anything_is_drawn(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        small().sample(**{"length": 3, **options})


def test_sequences_that_are_none_are_named():
    model = small()
    for read, put_out, sentence in [
        ([7], [0], r"train\[0\]: what is read holds 7"),
        ([0], [6], r"train\[0\]: what is put out holds 6"),
        ([0, 1], [0], r"train\[0\] has shapes \(2,\) and \(1,\); it needs \(T,\) twice, as shifted makes them"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            nb.Trainer(model).train([(np.array(read), np.array(put_out))], show=False)
    with pytest.raises(ValueError, match="window is 0; it needs to be at least 1"):
        nb.LanguageModel(3, window=0)
    model.linear.params["b"][0] = np.nan
    with pytest.raises(FloatingPointError, match="the model's outputs are not finite"):
        list(model.sample(1))


def test_a_hollow_language_model_has_the_shapes_of_a_whole_one():
    whole = small(num_layers=2)
    hollow = hollow_language_model(nb.LanguageModel, **whole.config)
    assert dict(hollow.param_shapes) == dict(whole.param_shapes)
    assert hollow.config == whole.config
    assert count_of_numbers(hollow) == whole.num_parameters
