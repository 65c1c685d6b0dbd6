"""A state_dict in the forms that people hold: read, or a sentence that says what lacks and what to do.

tests/oracles/test_interop.py asks PyTorch itself for the same.
"""

import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import from_keras, from_pytorch, linear_from_pytorch, model_from_pytorch, to_keras, to_pytorch
from npbilstm.interop.files import read_weights
from npbilstm.layers.layer import parts_in
from tests.interop.drawing import assert_same, with_random_weights


def state_of(layer, prefix=""):
    """The layer's state, two biases of which none is zero."""
    state = to_pytorch(with_random_weights(layer, 0))
    return {f"{prefix}{name}": w + (0.25 if "bias" in name else 0) for name, w in state.items()}


TAGGER = state_of(nb.SequenceTagger(7, 2, embedding_size=3, hidden_size=4, rng=0))
LSTM, GRU = state_of(nb.BiLSTM(3, 4, 2, rng=0)), state_of(nb.GRU(3, 4, rng=0))


@pytest.mark.parametrize("layer", [nb.LSTM(3, 4), nb.GRU(3, 4), nb.RNN(3, 4), nb.LSTM(3, 4, bias=False)], ids=repr)
@pytest.mark.parametrize("prefix", ["", "decoder.cell."])
def test_a_cell_is_read_as_a_layer_of_its_own(layer, prefix, tmp_path):
    state = state_of(layer, prefix)
    cell = {name.removesuffix("_l0"): w for name, w in state.items()}
    assert set(cell) <= {prefix + name for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    assert_same(from_pytorch(cell, prefix), from_pytorch(state, prefix))
    np.savez(tmp_path / "cell.npz", **cell)
    assert_same(read_weights(tmp_path / "cell.npz")[0], from_pytorch(state, prefix))


def test_a_cell_without_a_weight_is_told_by_its_own_names():
    with pytest.raises(ValueError, match="state lacks 'weight_hh'$"):
        from_pytorch({"weight_ih": np.zeros((16, 3), np.float32)})


def bfloat16(w):
    """The array in bfloat16, as NumPy has it with ml_dtypes; skipped where that is not installed."""
    return w.astype(pytest.importorskip("ml_dtypes").bfloat16)


def float16(w):
    return w.astype(np.float16)


@pytest.mark.parametrize("half", [float16, bfloat16])
def test_halves_are_read_as_float32_to_the_bit(half):
    state = {name: half(w) for name, w in LSTM.items()}
    assert_same(from_pytorch(state), from_pytorch({name: w.astype(np.float32) for name, w in state.items()}))
    mixed = {**LSTM, "weight_hh_l1": state["weight_hh_l1"], "bias_ih_l0": state["bias_ih_l0"]}
    assert_same(from_pytorch(mixed), from_pytorch({name: w.astype(np.float32) for name, w in mixed.items()}))
    weights = to_keras(nb.GRU(3, 4, rng=0))
    expected = from_keras([half(w).astype(np.float32) for w in weights], "gru")
    assert_same(from_keras([half(w) for w in weights], "gru"), expected)


def test_numbers_of_the_other_byte_order_are_read():
    assert_same(from_pytorch({name: w.astype(">f4") for name, w in LSTM.items()}), from_pytorch(LSTM))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.complex64, np.longdouble, bool])
def test_other_numbers_are_a_sentence(dtype):
    with pytest.raises(TypeError, match=r"state\['weight_hh_l0'\] has dtype \S+; it needs float32 or float64, float16"):
        from_pytorch({**LSTM, "weight_hh_l0": LSTM["weight_hh_l0"].astype(dtype)})


class Tensor:
    """What a tensor of PyTorch looks like that has a gradient, or numbers that NumPy has not."""

    def __init__(self, w, dtype="torch.float32", error=None):
        self.w, self.dtype, self.error, self.free = w, dtype, error, False

    def detach(self):
        free = Tensor(self.w, self.dtype, self.error)
        free.free = True
        return free

    def cpu(self):
        return self

    def float(self):
        return self.w.astype(np.float32)

    def __array__(self, dtype=None, copy=None):
        if self.error or self.dtype == "torch.bfloat16":
            raise self.error or TypeError("Got unsupported ScalarType BFloat16")
        if not self.free:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return self.w


def test_tensors_are_read_with_their_gradients_and_in_bfloat16():
    assert_same(from_pytorch({name: Tensor(w) for name, w in LSTM.items()}), from_pytorch(LSTM))
    halves = {name: Tensor(w.astype(np.float16).astype(np.float32), "torch.bfloat16") for name, w in LSTM.items()}
    assert_same(from_pytorch(halves), from_pytorch({name: w.float() for name, w in halves.items()}))


@pytest.mark.parametrize(
    ("dtype", "error", "sentence"),
    [
        ("torch.qint8", TypeError("unsupported ScalarType QInt8"), "has dtype qint8; it needs float32 or float64"),
        ("torch.float8_e4m3fn", TypeError("unsupported ScalarType"), "has dtype float8_e4m3fn; it needs float32"),
        ("torch.float32", RuntimeError("no data on meta"), "cannot be read as an array: no data on meta"),
    ],
)
def test_a_tensor_that_is_no_array_is_a_sentence(dtype, error, sentence):
    with pytest.raises(TypeError, match=re.escape(f"state['weight_hh_l0'] {sentence}")):
        from_pytorch({**LSTM, "weight_hh_l0": Tensor(LSTM["weight_hh_l0"], dtype, error)})


@pytest.mark.parametrize("counter", [np.array(7), np.array([1, 2]), np.array(True), np.array(["a", "b"]), 3, "name"])
def test_what_is_no_weight_does_not_refuse_a_state(counter, tmp_path):
    assert_same(from_pytorch({**GRU, "num_batches_tracked": counter}), from_pytorch(GRU))
    beside = {**TAGGER, "norm.num_batches_tracked": counter, "steps": counter}
    expected = model_from_pytorch(TAGGER, nb.SequenceTagger)
    assert model_from_pytorch(beside, nb.SequenceTagger).config == expected.config
    np.savez(tmp_path / "m.npz", **beside)
    assert read_weights(tmp_path / "m.npz", "tagger")[0].config == expected.config
    ours = dict(nb.GRU(3, 4, rng=0).params)
    np.savez(tmp_path / "ours.npz", **ours, steps=counter)
    assert read_weights(tmp_path / "ours.npz")[0].num_parameters == sum(p.size for p in ours.values())


def without(state, *names):
    return {name: w for name, w in state.items() if name not in names}


HH = LSTM["weight_hh_l0"]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (
            {f"module.{n}": w for n, w in without(LSTM, "weight_hh_l0").items()} | {"weight_hh_l0_raw": HH},
            "state lacks 'weight_hh_l0': a WeightDrop keeps it as weight_hh_l0_raw, and drops some of it in training; "
            "state['module.weight_hh_l0'] = state.pop('weight_hh_l0_raw') puts it in its place",
        ),
        (
            without(LSTM, "weight_hh_l0") | {"weight_hh_l0_g": HH[:, :1], "weight_hh_l0_v": HH},
            "state lacks 'weight_hh_l0': weight_norm keeps it as weight_hh_l0_g and weight_hh_l0_v; "
            "torch.nn.utils.remove_weight_norm(layer, 'weight_hh_l0') before layer.state_dict()",
        ),
        (
            without(LSTM, "weight_hh_l0") | {"weight_hh_l0_orig": HH, "weight_hh_l0_mask": HH},
            "state lacks 'weight_hh_l0': it is pruned, and kept as weight_hh_l0_orig and weight_hh_l0_mask; "
            "torch.nn.utils.prune.remove(layer, 'weight_hh_l0') before layer.state_dict()",
        ),
        (
            without(LSTM, "weight_hh_l0") | {"weight_hh_l0_orig": HH, "weight_hh_l0_u": HH},
            "torch.nn.utils.remove_spectral_norm(layer, 'weight_hh_l0') before layer.state_dict()",
        ),
        (
            without(LSTM, "weight_hh_l0") | {f"parametrizations.weight_hh_l0.original{n}": HH for n in (0, 1)},
            "state lacks 'weight_hh_l0': a parametrization keeps it as parametrizations.weight_hh_l0.original0; "
            "torch.nn.utils.parametrize.remove_parametrizations(layer, 'weight_hh_l0') before layer.state_dict()",
        ),
        (
            without(LSTM, *LSTM) | {"_packed_params._packed_params": object()},
            "state has '_packed_params._packed_params', of a quantized module, whose weights are packed; take the ",
        ),
    ],
)
@pytest.mark.parametrize("prefix", ["", "encoder.rnn."])
def test_a_weight_that_is_kept_as_something_else_is_a_sentence_that_says_what_to_do(given, sentence, prefix, tmp_path):
    state = {f"{prefix}{name}": w for name, w in given.items()}
    for name in ("weight_hh_l0", "_packed_params._packed_params", "parametrizations", "module.weight"):
        sentence = re.sub(rf"(?<![\w.]){re.escape(name)}", prefix + name, sentence)
    sentence = sentence.replace(f"(layer, '{prefix}", "(layer, '")
    inner = "module." if "module.weight_ih_l0" in given else ""
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_pytorch(state, prefix + inner)
    if "packed" not in sentence:
        np.savez(tmp_path / "m.npz", **state)
        with pytest.raises(ValueError, match=re.escape(sentence)):
            read_weights(tmp_path / "m.npz")


def test_what_to_do_about_a_weight_drop_does_it():
    dropped = {f"rnns.0.module.{name}": w for name, w in without(LSTM, "weight_hh_l0").items()}
    state = {**dropped, "rnns.0.weight_hh_l0_raw": HH}
    # the weights as they were dropped last may stand beside it: they are not those that were learned
    for beside in ({}, {"rnns.0.module.weight_hh_l0": 0 * HH}):
        with pytest.raises(ValueError, match="a WeightDrop keeps it") as caught:
            from_pytorch({**state, **beside}, "rnns.0.module.")
    exec(re.search(r"state\[.*?\)", str(caught.value)).group(), {"state": state})
    assert_same(from_pytorch(state, "rnns.0.module."), from_pytorch(LSTM))


class Module:
    """What a module of PyTorch looks like."""

    def state_dict(self):
        return LSTM


@pytest.mark.parametrize(
    ("state", "error", "sentence"),
    [
        (Module(), TypeError, "state is a Module; it needs names and arrays, as its state_dict() has them"),
        (
            list(LSTM.values()),
            TypeError,
            "state is a list; it needs a dict of names and arrays: of a module its state_",
        ),
        (None, TypeError, "state is a NoneType; it needs a dict of names and arrays"),
        (dict(enumerate(LSTM.values())), TypeError, "state has the name 0; names need to be strings"),
        (
            {"epoch": 3, "model_state_dict": {f"lstm.{n}": w for n, w in LSTM.items()}},
            ValueError,
            "state is a checkpoint, in which the state_dict stands under 'model_state_dict': state['model_state_dict']",
        ),
        (
            {f"module.{name}": w for name, w in LSTM.items()},
            ValueError,
            "state lacks 'weight_ih_l0'; it has a recurrent layer under the prefix 'module.'",
        ),
        (
            {**{f"a.{name}": w for name, w in LSTM.items()}, **{f"b.{name}": w for name, w in GRU.items()}},
            ValueError,
            "state lacks 'weight_ih_l0'; it has a recurrent layer under the prefix 'a.' and one under 'b.'",
        ),
    ],
)
def test_what_is_no_state_is_a_sentence_that_says_where_one_is(state, error, sentence):
    for read in (from_pytorch, lambda state: model_from_pytorch(state, nb.SequenceTagger)):
        if error is TypeError or "checkpoint" in sentence or read is from_pytorch:
            with pytest.raises(error, match=re.escape(sentence)):
                read(state)


def test_a_prefix_without_its_dot_is_told_the_whole_one():
    with pytest.raises(ValueError, match="it has a recurrent layer under the prefix 'lstm.'$"):
        from_pytorch(TAGGER, "lstm")


@pytest.mark.parametrize("before", ["module.", "_orig_mod.", "model.", "module.model.net."])
def test_a_model_is_read_under_any_prefix(before):
    state = {before + name: w for name, w in TAGGER.items()}
    model, expected = (model_from_pytorch(each, nb.SequenceTagger) for each in (state, TAGGER))
    assert all(np.array_equal(model.params[name], p) for name, p in expected.params.items())


def test_a_linear_layer_without_a_bias_gets_one_of_zero():
    state = without(TAGGER, "linear.bias")
    model, whole = (model_from_pytorch(each, nb.SequenceTagger) for each in (state, TAGGER))
    assert not model.linear.params["b"].any()
    ids = np.arange(6).reshape(2, 3)
    assert np.allclose(model.forward(ids)[0] + whole.linear.params["b"], whole.forward(ids)[0], atol=1e-6)
    backwards = dict(reversed(state.items()))  # the order of the names does not tell which is which
    assert model_from_pytorch(backwards, nb.SequenceTagger).config == model.config
    layer = linear_from_pytorch({"weight": np.ones((2, 3), np.float32)})
    assert (layer.params["W"].shape, layer.params["b"].tolist()) == ((3, 2), [0, 0])


def test_of_two_matrices_that_could_be_either_the_name_tells_and_else_a_sentence():
    state = state_of(nb.SequenceTagger(7, 8, embedding_size=8, hidden_size=4, rng=0))
    bare = without(state, "linear.bias")
    assert model_from_pytorch(bare, nb.SequenceTagger).config["num_symbols"] == 7
    anonymous = {name.replace("embedding", "words"): w for name, w in bare.items()}
    with pytest.raises(ValueError, match=r"words \(Embedding, or Linear without bias\).*; it lacks a Linear; too many"):
        model_from_pytorch(anonymous, nb.SequenceTagger)


def zeros(*shape):
    return np.zeros(shape, np.float32)


EXTRA = {
    "norm (LayerNorm or the like)": {"norm.weight": zeros(8), "norm.bias": zeros(8)},
    "bn (BatchNorm)": {f"bn.{name}": zeros(8) for name in ("weight", "bias", "running_mean", "running_var")},
    "char (Conv1d)": {"char.weight": zeros(3, 3, 3), "char.bias": zeros(3)},
    "linear (Linear) or fc2 (Linear)": {"fc2.weight": zeros(2, 2), "fc2.bias": zeros(2)},
    "crf (CRF)": {f"crf.{name}": zeros(2) for name in ("transitions", "start_transitions", "end_transitions")},
    "lstm (recurrent) or decoder (recurrent)": state_of(nb.LSTM(8, 4, rng=0), "decoder."),
    "embedding (Embedding, or Linear without bias) or pos (Embedding, or Linear without bias)": {
        "pos.weight": zeros(9, 3)
    },
}


@pytest.mark.parametrize("part", EXTRA)
def test_the_part_that_is_too_many_is_named_and_how_to_read_the_layer_alone(part, tmp_path):
    state = {**TAGGER, **EXTRA[part]}
    with pytest.raises(
        ValueError, match=re.escape(f"; too many: {part}. To read the recurrent layer alone: ")
    ) as caught:
        model_from_pytorch(state, nb.SequenceTagger)
    assert "npbilstm.from_pytorch(state, 'lstm.'), on the command line --prefix lstm." in str(caught.value)
    assert "it lacks" not in str(caught.value)
    assert_same(from_pytorch(state, "lstm."), from_pytorch(TAGGER, "lstm."))
    np.savez(tmp_path / "m.npz", **state)
    with pytest.raises(ValueError, match=re.escape(f"too many: {part}")):
        read_weights(tmp_path / "m.npz", "tagger")


def test_names_by_the_thousand_and_of_any_length_are_a_sentence_that_can_be_read():
    layers = {f"a{n}.weight_ih_l0": zeros(0, 0) for n in range(3000)}
    odd = {"weight_" * 9000 + "g": zeros(1), "parametrizations." * 3000 + "w": zeros(1)}
    for state in (layers, {**TAGGER, **odd, **{f"a{n}.weight_g": zeros(0) for n in range(3000)}}):
        for read in (lambda state: model_from_pytorch(state, nb.SequenceTagger), from_pytorch):
            with pytest.raises(ValueError, match="state (lacks|has the parts)") as caught:
                read(state)
            assert re.search(r"[\d,]+ more", str(caught.value)) or read is from_pytorch


@pytest.mark.parametrize(
    ("gone", "lacking"),
    [("embedding.", "an Embedding"), ("lstm.", "an LSTM, GRU or RNN"), ("linear.", "a Linear")],
)
def test_the_part_that_lacks_is_named(gone, lacking):
    state = {name: w for name, w in TAGGER.items() if not name.startswith(gone)}
    with pytest.raises(ValueError, match=f"; it lacks {lacking}(\\.|$)"):
        model_from_pytorch(state, nb.SequenceTagger)


def test_shapes_without_numbers_make_no_layer_of_gigabytes(tmp_path):
    hollow = {**state_of(nb.LSTM(3, 4)), "weight_ih_l0": zeros(0, 10**8)}
    many = state_of(nb.LSTM(3, 300)) | {f"weight_ih_l{k}": zeros(0, 0) for k in range(1, 30)}
    for state in (hollow, many):
        with pytest.raises(ValueError, match=r"LSTM\(.*\) has [\d,]+ numbers; what is given holds [\d,]+$"):
            from_pytorch(state)
        np.savez(tmp_path / "m.npz", **state)
        with pytest.raises(ValueError, match="what is given holds"):
            read_weights(tmp_path / "m.npz")
    with pytest.raises(ValueError, match=re.escape("has shape (100000000, 0); it needs (100000000, 16)")):
        from_keras([zeros(10**8, 0), zeros(4, 16), zeros(16)], "lstm")
    wide = {**TAGGER, "embedding.weight": zeros(1, 10**6), **state_of(nb.LSTM(3, 500), "lstm.")}
    with pytest.raises(ValueError, match=re.escape("has shape (3, 2000); it needs (1000000, 2000)")):
        model_from_pytorch(without(wide, *(n for n in TAGGER if "reverse" in n)), nb.SequenceTagger)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("net.pth.tar", "of a checkpoint: state = torch.load(path, map_location='cpu')"),
        ("net.pkl", "safetensors.torch.save_file(net.state_dict(), 'net.safetensors')"),
        ("net.pickle", "in which the state_dict may stand under 'state_dict' or 'model_state_dict'"),
        ("model.weights.h5", "npbilstm.from_keras(layer.get_weights(), ...)"),
        ("model.safetensors.index.json", "It says which .safetensors files hold which weights: read the one that"),
    ],
)
def test_other_programs_files_are_told_the_way_out(name, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        read_weights(name)


def test_many_layers_are_read_in_one_pass(monkeypatch):
    """A search of all names for each layer would take minutes for some thousand layers, which are a small file."""
    passes = []
    monkeypatch.setattr("npbilstm.interop.pytorch.parts_in", lambda params: passes.append(1) or parts_in(params))
    layer = nb.LSTM(2, 2, 9, rng=0)
    assert (nb.from_pytorch(nb.to_pytorch(layer)).params["8.forward.Wx"] == layer.params["8.forward.Wx"]).all()
    assert len(passes) == 2  # one of each
