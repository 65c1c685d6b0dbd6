"""States as PyTorch itself makes them: cells, halves, counters, modules wrapped or quantized; and files of them."""

import re
import warnings

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import from_pytorch, model_from_pytorch, read_weights
from tests.cases import assert_close
from tests.interop.drawing import assert_same

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
nn = torch.nn


def Net(**more):
    """A tagger of PyTorch's, with other parts or more of them."""
    parts = {"embedding": nn.Embedding(11, 3), "lstm": nn.LSTM(3, 4, batch_first=True, bidirectional=True)}
    net = nn.Module()
    for name, module in {**parts, "fc": nn.Linear(8, 5), **more}.items():
        net.add_module(name, module)
    return net


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "RNN"])
@pytest.mark.parametrize("bias", [True, False])
def test_a_cell_steps_as_the_layer_that_is_read_from_it(kind, bias):
    torch.manual_seed(0)
    cell = getattr(nn, f"{kind}Cell")(3, 4, bias=bias, dtype=torch.float64)
    layer = from_pytorch(cell.state_dict())
    x = np.random.default_rng(0).standard_normal((2, 5, 3))
    state = None
    for t in range(5):
        state = cell(torch.tensor(x[:, t]), state)
    h = state[0] if kind == "LSTM" else state
    assert_close(layer.forward(x)[0][:, -1], h.detach().numpy())


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_are_read_from_tensors_and_from_their_file(dtype, tmp_path):
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed (group oracles)")
    state = {name: w.to(getattr(torch, dtype)) for name, w in Net().state_dict().items()}
    expected = model_from_pytorch({name: w.float() for name, w in state.items()}, nb.SequenceTagger)
    mixed = {name: w.float() if name == "fc.bias" else w for name, w in state.items()}
    for given in (state, mixed):
        files.save_file(given, tmp_path / "net.safetensors")
        for model in (
            model_from_pytorch(given, nb.SequenceTagger),
            read_weights(tmp_path / "net.safetensors", "tagger")[0],
        ):
            assert all(np.array_equal(model.params[name], p) for name, p in expected.params.items())
            assert model.config["dtype"] == "float32"


def test_a_counter_beside_does_not_refuse_a_file(tmp_path):
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed (group oracles)")
    state = {**Net().state_dict(), "lstm.num_batches_tracked": torch.tensor(3), "steps": torch.tensor([1])}
    files.save_file(state, tmp_path / "net.safetensors")
    assert read_weights(tmp_path / "net.safetensors", "tagger")[0].config["num_symbols"] == 11
    assert from_pytorch(state, "lstm.").num_parameters == 2 * (3 * 16 + 4 * 16 + 16)
    bn = Net(bn=nn.BatchNorm1d(8)).state_dict()
    with pytest.raises(ValueError, match=re.escape("too many: bn (BatchNorm). To read the recurrent layer alone")):
        model_from_pytorch(bn, nb.SequenceTagger)


def test_parameters_with_gradients_are_read_and_a_module_or_a_list_is_a_sentence():
    lstm = nn.LSTM(3, 4)
    assert_same(from_pytorch(dict(lstm.named_parameters())), from_pytorch(lstm.state_dict()))
    for given in (lstm, list(lstm.parameters())):
        with pytest.raises(TypeError, match=r"state is a (LSTM|list); it needs .*state_dict\(\)"):
            from_pytorch(given)


def weight_norm():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return nn.utils.weight_norm(nn.LSTM(3, 4), "weight_hh_l0")


def pruned():
    import torch.nn.utils.prune as prune

    layer = nn.LSTM(3, 4)
    prune.random_unstructured(layer, "weight_hh_l0", 0.5)
    return layer


@pytest.mark.parametrize(
    ("make", "undo"),
    [
        (weight_norm, lambda layer: nn.utils.remove_weight_norm(layer, "weight_hh_l0")),
        (
            lambda: nn.utils.parametrizations.weight_norm(nn.LSTM(3, 4), "weight_hh_l0"),
            lambda layer: nn.utils.parametrize.remove_parametrizations(layer, "weight_hh_l0"),
        ),
        (pruned, lambda layer: nn.utils.prune.remove(layer, "weight_hh_l0")),
    ],
)
def test_what_the_sentence_says_makes_the_weight_readable(make, undo):
    layer = make()
    with pytest.raises(ValueError, match="state lacks 'weight_hh_l0': .* before layer.state_dict") as caught:
        from_pytorch(layer.state_dict())
    assert undo.__code__.co_names[-1] in str(caught.value)
    undo(layer)
    expected = layer.weight_hh_l0.detach().numpy()
    assert np.array_equal(from_pytorch(layer.state_dict()).params["0.forward.Wh"], expected.T)


def test_a_quantized_network_is_a_sentence():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        small = torch.ao.quantization.quantize_dynamic(Net(), {nn.LSTM, nn.Linear}, dtype=torch.qint8)
    for read in (
        lambda: from_pytorch(small.state_dict(), "lstm."),
        lambda: model_from_pytorch(small.state_dict(), nb.SequenceTagger),
    ):
        with pytest.raises(ValueError, match="of a quantized module, whose weights are packed; take the state_dict"):
            read()
    tensor = torch.quantize_per_tensor(torch.ones(16, 4), 0.1, 0, torch.qint8)
    with pytest.raises(TypeError, match=r"state\['weight_hh_l0'\] has dtype qint8; it needs float32"):
        from_pytorch({**nn.LSTM(3, 4).state_dict(), "weight_hh_l0": tensor})


@pytest.mark.parametrize("dtype", ["float8_e4m3fn", "int8"])
def test_a_file_of_other_numbers_is_a_sentence(dtype, tmp_path):
    files = pytest.importorskip("safetensors.torch", reason="safetensors is not installed (group oracles)")
    state = {name: w.to(getattr(torch, dtype)) for name, w in nn.LSTM(3, 4).state_dict().items()}
    files.save_file(state, tmp_path / "net.safetensors")
    with pytest.raises(ValueError, match=r"net.safetensors: .* has dtype \S+; it needs float32 or float64, float16"):
        read_weights(tmp_path / "net.safetensors")


def test_a_linear_layer_without_bias_computes_the_same_here():
    torch.manual_seed(0)
    net = Net(fc=nn.Linear(8, 5, bias=False))
    model = model_from_pytorch(net.state_dict(), nb.SequenceTagger)
    ids = np.arange(10).reshape(2, 5)
    with torch.no_grad():
        theirs = net.fc(net.lstm(net.embedding(torch.tensor(ids)))[0])
    assert np.allclose(model.forward(ids)[0], theirs.numpy(), atol=1e-6)
