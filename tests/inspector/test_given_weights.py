"""Weights open in a trace in one call: a state_dict, Keras' list, a file; and an input is drawn where none is given."""

import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector.given_weights import STEPS
from npbilstm.interop import to_keras, to_pytorch, write_weights

LSTM = nb.BiLSTM(3, 4, 2, dtype=np.float64, rng=0)
GRU = nb.GRU(3, 2, dtype=np.float64, rng=1)
X = np.random.default_rng(0).standard_normal((2, 5, 3))
TWO = {
    **{f"encoder.lstm.{name}": w for name, w in to_pytorch(LSTM).items()},
    **{f"decoder.{name}": w for name, w in to_pytorch(GRU).items()},
    "embedding.weight": np.zeros((7, 3)),
}


def assert_traces(seen, layer):
    """That a trace is that of a layer on X."""
    expected = nb.trace(layer, X)
    assert seen.names == expected.names
    assert all(np.array_equal(seen[name], expected[name]) for name in seen.names)


@pytest.mark.parametrize(
    ("weights", "layer", "options"),
    [
        (to_pytorch(LSTM), LSTM, {}),
        (TWO, LSTM, {"prefix": "encoder.lstm."}),
        (TWO, GRU, {"prefix": "decoder."}),
        ({f"module._orig_mod.{name}": w for name, w in to_pytorch(GRU).items()}, GRU, {}),
        ({**to_pytorch(GRU), "fc.weight": np.zeros((2, 2)), "fc.steps": np.array(3)}, GRU, {}),
        (LSTM.params, LSTM, {}),
        ({f"gru.{name}": p for name, p in GRU.params.items()}, GRU, {}),
        (to_keras(LSTM), LSTM, {}),
        (to_keras(GRU), GRU, {}),
        (dict(zip(["a/kernel", "a/recurrent_kernel", "a/bias"], to_keras(GRU))), GRU, {}),
    ],
)
def test_weights_open_as_the_layer_they_are_of(weights, layer, options):
    assert_traces(nb.trace(weights, X, **options), layer)


def test_the_path_of_a_file_opens_and_a_model_file_opens_as_its_model(tmp_path):
    np.savez(tmp_path / "net.npz", **TWO)
    assert_traces(nb.trace(tmp_path / "net.npz", X, prefix="decoder."), GRU)
    write_weights(tmp_path / "layer.npz", LSTM)
    assert_traces(nb.trace(str(tmp_path / "layer.npz"), X), LSTM)
    model = nb.SequenceTagger(7, 2, embedding_size=3, hidden_size=2, rng=0)
    nb.save_model(tmp_path / "model.npz", model)
    assert np.array_equal(nb.trace(tmp_path / "model.npz", [[1, 2]]).logits, model.forward(np.array([[1, 2]]))[0])
    np.savez(tmp_path / "params.npz", **model.params)  # which does not say what it is
    assert "not read: embedding, linear" in repr(nb.trace(tmp_path / "params.npz"))


def test_what_is_left_out_and_what_is_taken_is_said_on_the_page():
    state = {f"rnn.{name}": w for name, w in to_pytorch(nb.RNN(3, 2, rng=0)).items()}
    seen = nb.trace({**state, "fc.weight": np.zeros((2, 2)), "bn.running_mean": np.zeros(2)}, X)
    assert seen.notes == [
        "what stands beside this layer is not read: fc, bn",
        "the weights do not tell the RNN's nonlinearity; tanh is taken",
    ]
    assert all(note in seen.to_html() and note in repr(seen) for note in ("not read: fc, bn", "tanh is taken"))
    assert nb.trace(state, X, nonlinearity="relu").notes == []
    assert len(nb.trace(to_keras(nb.RNN(3, 2)), X).notes) == 1
    assert nb.trace(to_keras(nb.RNN(3, 2)), X, activation="relu").notes == []


@pytest.mark.parametrize(
    "given",
    [
        LSTM,
        to_pytorch(LSTM),
        nb.SequenceTagger(7, 2, embedding_size=3, hidden_size=2, rng=0),
        nb.SequenceTagger(input_size=3, num_classes=2, hidden_size=2, rng=0),
        nb.Seq2Seq(5, 4, embedding_size=3, hidden_size=2, rng=0),
    ],
    ids=lambda given: type(given).__name__,
)
def test_without_an_input_the_same_one_is_drawn_and_the_trace_says_so(given):
    seen, again = nb.trace(given), nb.trace(given)
    assert seen.order.shape[2] == STEPS
    assert np.array_equal(seen.inputs[0], again.inputs[0])
    assert np.std(seen.inputs[0]) > 0.01
    assert re.search(r"drawn: 12 (steps of standard normal numbers|symbols), .*seed 0", repr(seen))
    assert "so it is drawn" in seen.to_html()
    assert "drawn" not in repr(nb.trace(LSTM, X))


@pytest.mark.parametrize(
    ("given", "options", "sentence"),
    [
        (
            TWO,
            {},
            r"2 recurrent layers, under the prefixes 'encoder.lstm.' \(LSTM\(3, 4, 2, .*'decoder.' \(GRU\(3, 2, 1",
        ),
        (
            TWO,
            {"prefix": "lstm."},
            "state lacks 'lstm.weight_ih_l0'; it has a recurrent layer under the prefix 'encoder",
        ),
        ({"fc.weight": np.zeros((2, 2))}, {}, "holds no recurrent layer under a known name: .*; it holds 'fc'$"),
        ({"0.forward.Wx": np.ones((3, 12)), "0.forward.Wh": np.ones((4, 12))}, {}, "does not tell the cell"),
        (
            {"weight_ih_l0": np.ones((9, 3)), "weight_hh_l0": np.ones((9, 4))},
            {},
            "16 rows for an LSTM, 12 for a GRU or 4",
        ),
        (to_pytorch(GRU), {"cell": "lstm"}, "cell is 'lstm'; the weights are those of GRU"),
        (to_pytorch(GRU), {"cell": "LSTM"}, 'cell is .LSTM.; it needs "lstm", "gru" or "rnn"'),
        (to_pytorch(GRU), {"node": 0}, "node is 0, which chooses among the layers of an .onnx file"),
        (to_keras(GRU), {"prefix": "a."}, "prefix is 'a.'; weights of Keras have none"),
        (to_keras(GRU)[:2], {}, "reset_after is needed"),
        (to_pytorch(GRU), {"colour": 1}, "GRU has no option 'colour'"),
        ({"state_dict": to_pytorch(GRU)}, {}, "a checkpoint, in which the state_dict stands under 'state_dict'"),
        (TWO, {"prefix": 3}, "prefix is 3; it needs to be a string"),
        (GRU, {"prefix": "a."}, "prefix is given, which goes with weights; this is a GRU"),
        (GRU, {"lengths": [3]}, "lengths is given and x is not"),
        ("net.txt", {}, "net.txt ends in '.txt'; it needs to end in .npz"),
    ],
)
def test_what_cannot_be_opened_is_a_sentence(given, options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        nb.trace(given, **options)


def test_a_wrong_input_and_a_module_in_place_of_its_state_are_sentences():
    with pytest.raises(ValueError, match="x has 5 features at its last axis; this layer was made with input_size=3"):
        nb.trace(to_pytorch(GRU), np.ones((1, 4, 5)))

    class Module:
        def state_dict(self):
            return to_pytorch(GRU)

    with pytest.raises(
        TypeError, match=r"state is a Module; it needs names and arrays, as its state_dict\(\) has them"
    ):
        nb.trace(Module(), X)


def test_a_weight_of_a_deep_stack_is_found_without_a_look_at_all_others(monkeypatch):
    monkeypatch.setattr(nb.GRU, "blocks", property(lambda self: pytest.fail("all params are looked at")))
    nb.trace(nb.GRU(1, 1, 3), np.ones((1, 2, 1)))


def test_a_weight_that_is_computed_is_a_sentence_though_another_layer_could_be_read():
    state = {**TWO, "other.weight_hh_l0_g": np.ones(3), "other.weight_hh_l0_v": np.ones((3, 2))}
    state = {name: w for name, w in state.items() if not name.startswith("decoder.")}
    with pytest.raises(ValueError, match="weight_norm keeps it as other.weight_hh_l0_g"):
        nb.trace(state)
    assert_traces(nb.trace(state, X, prefix="encoder.lstm."), LSTM)
    linear = {**to_pytorch(GRU), "fc.weight_g": np.ones((3, 1)), "fc.weight_v": np.ones((3, 2))}
    assert_traces(nb.trace(linear, X), GRU)  # that of a Linear is no matter


def keras_like(name, layers=None, weights=(), **config):
    """Something that answers as a layer of Keras' of this class does, or as a model of layers."""
    methods = {"get_config": lambda self: config, "get_weights": lambda self: list(weights), "name": name.lower()}
    return type(name, (), {**methods, **({} if layers is None else {"layers": layers})})()


def test_of_a_model_of_keras_the_recurrent_layers_are_opened_alone():
    stack = [
        keras_like("GRU", weights=to_keras(layer), reset_after=True, return_sequences=True)
        for layer in (GRU, nb.GRU(2, 2, dtype=np.float64, rng=2))
    ]
    norm, dense = keras_like("LayerNormalization"), keras_like("Dense")
    seen = nb.trace(keras_like("Sequential", [norm, stack[0], keras_like("Dropout"), stack[1], dense]), X)
    assert seen.notes == ["what stands beside this layer is not read: layernormalization, dense"]
    assert np.array_equal(seen["h"][0], nb.trace(GRU, X)["h"][0])
    assert seen["h"].shape[0] == 2
    for kind, layers in [("Sequential", [stack[0], dense, stack[1]]), ("Functional", [*stack, dense])]:
        with pytest.raises(
            ValueError, match=r"2 recurrent layers that are no one stack; give one of them, model.layers"
        ):
            nb.trace(keras_like(kind, layers), X)
