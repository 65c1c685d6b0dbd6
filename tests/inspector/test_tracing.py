"""A trace holds the numbers of the run, all of them, and nothing else."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.inspector import recording
from npbilstm.inspector.cell_equations import Equations, equations_of
from npbilstm.layers import steps
from npbilstm.models import SequenceClassifier, SequenceTagger
from npbilstm.textbook import softmax_cross_entropy_backward, softmax_cross_entropy_forward
from tests.cases import assert_close
from tests.inspector.traced import gradients_by_nudging, numbers_by_textbook
from tests.layers.recurrent_cases import KINDS, make_inputs, make_layer
from tests.planting import planted

VARIANTS = {
    "LSTM": ("LSTM", {}),
    "LSTM with peepholes": ("LSTM", {"peepholes": True}),
    "LSTM, coupled, with peepholes": ("LSTM", {"peepholes": True, "coupled": True}),
    "LSTM with a projection": ("LSTM", {"projection_size": 2}),
    "LSTM from the end": ("LSTM", {"reverse": True}),
    "GRU from the end": ("GRU", {"reverse": True}),
    "LSTM, relu, hard_sigmoid": ("LSTM", {"activation": "relu", "recurrent_activation": "hard_sigmoid"}),
    "LSTM, sigmoid, tanh": ("LSTM", {"activation": "sigmoid", "recurrent_activation": "tanh", "peepholes": True}),
    "GRU, relu, hard_sigmoid_sixth": ("GRU", {"activation": "relu", "recurrent_activation": "hard_sigmoid_sixth"}),
    **{kind: (kind, {}) for kind in KINDS if kind != "LSTM"},
}
every_variant = pytest.mark.parametrize("variant", VARIANTS)


def traced(variant="LSTM", num_layers=1, lengths=(5, 2, 0), seed=0, **options):
    """-> layer, kind, inputs, trace."""
    kind, own = VARIANTS[variant]
    options = {"bidirectional": True, **own, **options}
    if "reverse" in own:
        options["bidirectional"] = False
    layer = make_layer(num_layers, seed, kind, **options)
    x, lengths, state, dy, dstate = inputs = make_inputs(layer, lengths, seed)
    return layer, kind, inputs, nb.trace(layer, x, lengths, dy, state=state, dstate=dstate)


def require_textbooks_numbers(layer, kind, inputs, trace):
    for k, expected in enumerate(numbers_by_textbook(layer, kind, inputs)):
        for name, array in expected.items():
            assert_close(trace[name][k], array)


def require_gradients(layer, inputs, trace):
    """Of everything that the forward equations compute."""
    names = [text.split(" = ")[0] for text in trace.equations.forward]
    names = [name for name in names if "d" + name in trace.names]
    for s in range(len(layer.directions)):
        for name, expected in gradients_by_nudging(layer, trace, inputs, s, names).items():
            assert_close(trace["d" + name][0, s, 0, : len(expected)], expected)


@given(
    st.sampled_from(sorted(VARIANTS)),
    st.integers(1, 3),
    st.booleans(),
    st.lists(st.integers(0, 5), min_size=1, max_size=3),
    st.integers(0, 2**32 - 1),
)
def test_a_trace_holds_the_textbooks_numbers(variant, num_layers, bidirectional, lengths, seed):
    require_textbooks_numbers(*traced(variant, num_layers, lengths, seed, bidirectional=bidirectional))


@every_variant
@pytest.mark.parametrize("bias", [True, False])
def test_every_gradient_agrees_with_the_complex_step(variant, bias):
    layer, _, inputs, trace = traced(variant, lengths=(4,), bias=bias)
    require_gradients(layer, inputs, trace)


PLANTED_EQUATIONS = [
    ("LSTM", "di = dc * g", "di = dc * c_prev"),
    ("LSTM", "dc = dc_next + dh * o * (1 - tanh(c)^2)", "dc = dc_next + dh * o"),
    ("LSTM", "da_g = dg * (1 - g^2)", "da_g = dg * g * (1 - g)"),
    ("LSTM", "dh = dy + dh_next", "dh = dy"),
    ("LSTM, coupled, with peepholes", "di = dc * g - df", "di = dc * g"),
    (
        "LSTM with peepholes",
        "dc = dc_next + dh * o * (1 - tanh(c)^2) + da_o * p_o",
        "dc = dc_next + dh * o * (1 - tanh(c)^2)",
    ),
    ("GRU", "dr = da_n * q", "dr = da_n * h_prev"),
    ("GRU reset before", "dr = ds * h_prev", "dr = ds * n"),
    ("RNN tanh", "da = dh * (1 - h^2)", "da = dh * (1 - h)"),
]


@pytest.mark.parametrize(("variant", "right", "wrong"), PLANTED_EQUATIONS)
def test_the_complex_step_rejects_a_wrong_equation(monkeypatch, variant, right, wrong):
    def with_a_slip(layer):
        forward, backward = equations_of(layer)
        assert right in backward
        return Equations(forward, tuple(wrong if text == right else text for text in backward))

    monkeypatch.setattr(recording, "equations_of", with_a_slip)
    layer, _, inputs, trace = traced(variant, lengths=(4,))
    with pytest.raises(AssertionError):
        require_gradients(layer, inputs, trace)


PLANTED_STEPS = [
    ("kept(cache, k)[:-1]", "kept(cache, k)[np.arange(len(cache.layer.x)) // 2]"),
    ("part[last[rows], :, rows] = d_T[:, rows].swapaxes(0, 1)", "pass"),
    ("part[step - 1, own] = d", "part[step, own] = d"),
    ('"h_prev": np.concatenate([cache.stored[0], h])[:-1]', '"h_prev": h'),
    (
        "flip(own, cache.layer.lengths) if way else own for own",
        "own for own",
    ),
]


@pytest.mark.parametrize(("right", "wrong"), PLANTED_STEPS)
def test_the_textbook_rejects_steps_read_wrongly(monkeypatch, right, wrong):
    mutant = planted(steps, right, wrong)
    monkeypatch.setattr(recording, "forward_by_steps", mutant.forward_by_steps)
    monkeypatch.setattr(recording, "backward_by_steps", mutant.backward_by_steps)
    wrong_trace = traced(num_layers=2)
    with pytest.raises(AssertionError):
        require_textbooks_numbers(*wrong_trace)


@every_variant
def test_pre_activation_gradients_make_the_layers_own_gradients(variant):
    layer, _, inputs, trace = traced(variant, num_layers=2)
    x, lengths, state, dy, dstate = inputs
    _, _, cache = layer.forward(x, lengths, state, training=True)
    dx, grads, _ = layer.backward(dy, cache, dstate)
    assert_close(trace.dx, dx, 0)
    gates = layer.gates
    for k in range(2):
        for s, direction in enumerate(layer.directions):
            da = np.concatenate([trace["da_" + g if g else "da"][k, s] for g in (gates or [""])], axis=-1)
            assert_close(np.einsum("ntd,ntk->dk", trace.inputs[k], da), grads[f"{k}.{direction}.Wx"])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_outputs_are_the_layers_own_to_the_bit(dtype):
    layer = nb.BiLSTM(7, 5, 2, dtype=dtype, rng=0)
    x = np.random.default_rng(0).standard_normal((3, 6, 7)).astype(dtype)
    lengths = np.array([6, 4, 1])
    y, _, _ = layer.forward(x, lengths)
    trace = nb.trace(layer, x, lengths)
    assert trace["h"].dtype == dtype
    assert_close(np.concatenate(list(trace["h"][-1]), axis=-1), y, 0)
    assert_close(trace.inputs[1], np.concatenate(list(trace["h"][0]), axis=-1), 0)


def test_each_direction_keeps_its_order_of_reading():
    _, _, _, trace = traced(lengths=(5, 2, 0))
    assert trace.order.tolist() == [
        [[0, 1, 2, 3, 4], [0, 1, -1, -1, -1], [-1] * 5],
        [[4, 3, 2, 1, 0], [1, 0, -1, -1, -1], [-1] * 5],
    ]


def test_padding_is_zero_whatever_stands_in_it():
    layer = make_layer(bidirectional=True)
    x, lengths, state, dy, _ = make_inputs(layer)
    clean = nb.trace(layer, x, lengths, dy, state=state)
    padding = np.arange(x.shape[1]) >= lengths[:, None]
    x, dy = np.where(padding[..., None], np.nan, x), np.where(padding[..., None], np.nan, dy)
    trace = nb.trace(layer, x, lengths, dy, state=state)
    for name in trace.names:
        assert_close(trace[name], clean[name], 0)
        assert not trace[name][:, :, padding].any()


@pytest.mark.parametrize("cell", ["lstm", "gru", "rnn"])
@pytest.mark.parametrize("pooling", [None, "final", "mean", "max"])
def test_a_models_trace_has_the_gradients_of_its_loss(cell, pooling):
    options = {"cell": cell, "num_layers": 2, "embedding_size": 3, "hidden_size": 4, "dtype": np.float64, "rng": 0}
    model = SequenceTagger(9, 4, **options) if pooling is None else SequenceClassifier(9, 4, pooling=pooling, **options)
    rng = np.random.default_rng(0)
    ids, lengths = rng.integers(0, 9, (3, 5)), np.array([5, 1, 3])
    target = rng.integers(0, 4, (3, 5) if pooling is None else 3)
    trace = nb.trace(model, ids, lengths, target=target)
    logits, cache = model.forward(ids, lengths, training=True)
    loss, loss_cache = softmax_cross_entropy_forward(logits, target, lengths if pooling is None else None)
    _, grads = model.backward(softmax_cross_entropy_backward(1.0, loss_cache), cache)
    assert_close(trace.logits, logits, 0)
    assert trace.loss == float(loss)
    name = "da" if cell == "rnn" else f"da_{model.recurrent.gates[0]}"
    for k, s in [(0, 0), (1, 1)]:
        block = grads[f"{cell}.{k}.{model.recurrent.directions[s]}.b"][:4]
        assert_close(trace[name][k, s].sum(axis=(0, 1)), block)


def test_the_loss_of_a_model_with_class_weights_is_its_own():
    model = nb.SequenceTagger(4, 3, hidden_size=2, class_weights=[1, 5, 0.5], dtype=np.float64, rng=0)
    ids, target, lengths = np.array([[1, 2, 3], [3, 0, 0]]), np.array([[0, 1, 2], [1, -100, 7]]), [3, 1]
    trace = nb.trace(model, ids, lengths, target=target)
    loss, cache = model.loss_forward(ids, target, lengths, training=True)
    assert_close(trace.loss, loss)
    dy = model.head.loss_backward(1.0, cache.loss)[0] @ model.linear.params["W"].T
    assert_close(trace.upstream, dy)
    with pytest.raises(ValueError, match="target holds -100 at a valid step"):
        nb.trace(model, ids, target=target)
    with pytest.raises(ValueError, match="target is classes, and the model answers with values"):
        nb.trace(nb.SequenceTagger(4, num_values=3, rng=0), ids, target=target)


@pytest.mark.parametrize("kind", [SequenceTagger, SequenceClassifier])
def test_a_model_of_features_and_values_shows_no_embedding_and_no_class(kind):
    trace = nb.trace(
        kind(input_size=2, num_values=3, hidden_size=2, rng=0),
        np.ones((3, 2)),
        upstream=np.ones((3, 3) if kind is SequenceTagger else 3),
    )
    assert trace.predicted is None
    said = str(trace.explain(step=1, unit=0))
    assert "x is the input" in said
    assert "dy is from the model's output" in said
    assert "predicted" not in said


def test_dropout_is_off_in_a_trace():
    model = SequenceTagger(9, 4, dropout=0.5, rng=0)
    ids = np.arange(8)[None]
    assert_close(nb.trace(model, ids).logits, model.forward(ids)[0], 0)
    assert model.dropout.p == 0.5
    assert model.recurrent.dropout == 0.5


def test_a_layer_that_stores_few_states_is_traced_all_the_same():
    layer = make_layer(bidirectional=True)
    sparse = make_layer(bidirectional=True, store_every=2)
    x, lengths, _, dy, _ = make_inputs(layer)
    assert_close(nb.trace(sparse, x, lengths, dy)["dc"], nb.trace(layer, x, lengths, dy)["dc"], 0)


def test_one_sequence_comes_without_its_batch():
    layer = make_layer(bidirectional=True)
    x, _, _, dy, _ = make_inputs(layer, (5,))
    alone = nb.trace(layer, x[0], upstream=dy[0], tokens="abcde")
    assert alone.tokens == [list("abcde")]
    assert_close(alone["dc"], nb.trace(layer, x, upstream=dy)["dc"], 0)
    model = SequenceTagger(9, 4, rng=0)
    assert nb.trace(model, np.arange(3), target=np.arange(3)).predicted.shape == (1, 3)


def test_the_final_state_alone_may_have_a_gradient():
    layer = make_layer(bidirectional=True)
    x, lengths, _, dy, dstate = make_inputs(layer)
    assert_close(
        nb.trace(layer, x, lengths, dstate=dstate)["dc"], nb.trace(layer, x, lengths, 0 * dy, dstate=dstate)["dc"], 0
    )


def test_without_a_gradient_the_trace_says_what_it_needs():
    layer = make_layer()
    trace = nb.trace(layer, make_inputs(layer)[0])
    assert not trace.has_gradients
    with pytest.raises(KeyError, match=r"has no 'dh'; it has .*; gradients need an upstream gradient or a target"):
        trace["dh"]


def test_tokens_are_kept_for_valid_steps():
    layer = make_layer()
    x = make_inputs(layer)[0]
    assert nb.trace(layer, x, [2, 1, 0], tokens=["ab?", ["long", "?"], ""]).tokens == [["a", "b"], ["long"], []]
    assert nb.trace(layer, x, [2, 1, 0]).tokens == [["0", "1"], ["0"], []]


layer_and_x = (make_layer(bidirectional=True), np.zeros((2, 3, 3)))
tagger = SequenceTagger(9, 4, rng=0)


@pytest.mark.parametrize(
    ("arguments", "options", "sentence"),
    [
        ((3, [[1.0]]), {}, "model_or_layer is a int; it needs an LSTM, GRU or RNN layer, or a model"),
        (
            layer_and_x,
            {"target": [1]},
            "target and classes go with a model; the gradient of a layer's outputs is upstream",
        ),
        (layer_and_x, {"tokens": ["ab", "abc"]}, r"tokens has 2 names for row 0; the row has 3 steps"),
        (layer_and_x, {"tokens": ["abc"]}, r"tokens has 1 row; x has 2"),
        (layer_and_x, {"upstream": np.zeros((2, 3, 3))}, r"upstream has shape \(2, 3, 3\); it needs \(2, 3, 8\)"),
        (
            (layer_and_x[0], np.zeros((2, 0, 3))),
            {},
            r"x has shape \(2, 0\); a trace needs at least one row and one step",
        ),
        ((tagger, [1, 2]), {"state": 0}, "state and dstate go with a layer; a model starts from 0"),
        ((tagger, [1, 2]), {"target": [1]}, r"target has shape \(1,\); it needs \(2,\)"),
        ((tagger, [1, 2]), {"target": [1, 7]}, "targets holds 7 at a valid step; logits has 4 classes, 0 to 3"),
        ((tagger, [1, 2]), {"target": [1, 1], "upstream": 0}, "target and upstream are both given"),
        ((tagger, [1, 2]), {"classes": ["a"]}, "classes has 1 name; the model has 4 classes"),
        ((tagger, [1, 20]), {}, "ids"),
    ],
)
def test_wrong_input_is_a_sentence(arguments, options, sentence):
    with pytest.raises((TypeError, ValueError, IndexError), match=sentence):
        nb.trace(*arguments, **options)


def test_a_model_of_features_is_traced_as_its_layer_is_with_what_its_loss_says():
    model = nb.SequenceTagger(input_size=3, num_classes=2, hidden_size=2, dtype=np.float64, rng=0)
    x = np.random.default_rng(0).standard_normal((2, 4, 3))
    x[1, 2:] = np.nan  # padding
    target = np.array([[0, 1, 1, 0], [1, 0, 0, 0]])
    seen = nb.trace(model, x, [4, 2], target=target)
    logits, cache = model.forward(x, [4, 2], training=True)
    loss, loss_cache = model.head.loss_forward(logits, target, np.array([4, 2]))
    dx, _ = model.backward(model.head.loss_backward(1.0, loss_cache)[0], cache)
    np.testing.assert_allclose(seen.loss, loss)
    np.testing.assert_allclose(seen.dx, dx, atol=1e-15)
    assert np.array_equal(seen.output, logits)
    assert [len(row) for row in seen.tokens] == [4, 2]
    alone = nb.trace(model, x[1, :2])
    assert np.array_equal(alone.output, logits[1:, :2])
    assert "h" in seen.to_html()
    assert seen.influence(1).shape == nb.trace(model.recurrent, x, [4, 2]).influence(1).shape
