"""State_dicts as PyTorch makes them, opened in one call of `trace`: what each layer puts out is what PyTorch does."""

import warnings

import numpy as np
import pytest

import npbilstm as nb
from tests.cases import assert_close

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
nn = torch.nn


def drawn(kind, seed, **options):
    """A module with weights of about 0.5, float64."""
    torch.manual_seed(seed)
    module = getattr(nn, kind)(3, 4, batch_first=True, dtype=torch.float64, **options)
    for w in module.parameters():
        nn.init.normal_(w, std=0.5)
    return module


def outputs(module, x):
    with torch.no_grad():
        return module(torch.tensor(x))[0].numpy()


OPTIONS = [
    {},
    {"bidirectional": True, "num_layers": 2},
    {"bias": False, "num_layers": 2},
    {"bidirectional": True, "bias": False},
]


@pytest.mark.parametrize(
    ("kind", "options"),
    [(kind, options) for kind in ("LSTM", "GRU", "RNN") for options in OPTIONS]
    + [("RNN", {"nonlinearity": "relu"}), ("LSTM", {"proj_size": 2, "bidirectional": True, "num_layers": 2})],
)
@pytest.mark.parametrize("prefix", ["", "encoder.lstm.", "module.", "_orig_mod.net.rnn."])
def test_a_state_among_other_weights_opens_as_what_pytorch_computes(kind, options, prefix):
    module = drawn(kind, 0, **options)
    beside = {f"{name}.{w}": p for name, net in [("fc", nn.Linear(4, 2)), ("bn", nn.BatchNorm1d(4))]
              for w, p in net.state_dict().items()}  # fmt: skip
    state = {**{f"{prefix}{name}": w for name, w in module.state_dict().items()}, **beside}
    x = np.random.default_rng(1).standard_normal((2, 6, 3))
    told = {name: value for name, value in options.items() if name == "nonlinearity"}
    seen = nb.trace(state, x, **told)
    assert_close(seen.output, outputs(module, x))
    top = seen["h"][-1]  # of the last layer (S, N, T, H), directions side by side
    assert_close(np.concatenate(list(top), axis=-1), outputs(module, x))
    assert seen.notes[0] == "what stands beside this layer is not read: fc, bn"


def test_of_several_layers_the_one_of_the_prefix_is_opened():
    nets = {"encoder": drawn("LSTM", 1, bidirectional=True), "decoder": drawn("GRU", 2), "cell": nn.LSTMCell(3, 4)}
    state = nn.ModuleDict(nets).state_dict()
    x = np.random.default_rng(1).standard_normal((2, 6, 3))
    for name in ("encoder", "decoder"):
        assert_close(nb.trace(state, x, prefix=f"{name}.").output, outputs(nets[name], x))
    with pytest.raises(
        ValueError, match=r"3 recurrent layers, .*'encoder.' \(LSTM.*'decoder.' \(GRU.*'cell.' \(LSTM\(3"
    ):
        nb.trace(state, x)


def test_views_that_are_not_contiguous_and_wrapped_modules_open_as_they_compute():
    module = drawn("LSTM", 3, bidirectional=True)
    x = np.random.default_rng(1).standard_normal((2, 6, 3))
    turned = {name: w.T.contiguous().T if w.ndim == 2 else w.repeat(2)[::2] for name, w in module.state_dict().items()}
    bias = {name: torch.stack([w, w], dim=1)[:, 0] for name, w in module.state_dict().items() if w.ndim == 1}
    assert not any(w.is_contiguous() for w in bias.values())
    assert_close(nb.trace({**turned, **bias}, x).output, outputs(module, x))
    assert_close(nb.trace(nn.DataParallel(module).state_dict(), x).output, outputs(module, x))
    assert_close(nb.trace(dict(module.named_parameters()), torch.tensor(x)).output, outputs(module, x))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_halves_open_as_the_float32_they_are(dtype):
    module = nn.GRU(3, 4, batch_first=True, bidirectional=True)
    state = {name: w.to(getattr(torch, dtype)) for name, w in module.state_dict().items()}
    module.load_state_dict({name: w.float() for name, w in state.items()})
    x = np.random.default_rng(1).standard_normal((2, 6, 3)).astype(np.float32)
    assert np.allclose(nb.trace(state, x).output, outputs(module, x), atol=1e-6)


def test_a_quantized_linear_beside_is_left_out_and_a_quantized_lstm_is_a_sentence():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.lstm, self.fc = nn.LSTM(3, 4), nn.Linear(4, 2)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        linear, both = (
            torch.ao.quantization.quantize_dynamic(Net(), {kind}, dtype=torch.qint8).state_dict()
            for kind in (nn.Linear, nn.LSTM)
        )
    assert "not read: fc" in repr(nb.trace(linear))
    with pytest.raises(ValueError, match="of a quantized module, whose weights are packed"):
        nb.trace(both)


@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "bfloat16"])
@pytest.mark.parametrize("protocol", [2, 4])
def test_a_file_of_torch_save_opens_without_pytorch(dtype, protocol, tmp_path):
    net = nn.ModuleDict({"encoder": drawn("LSTM", 1, bidirectional=True, num_layers=2), "fc": nn.Linear(8, 2)})
    net = net.to(getattr(torch, dtype))
    x = np.random.default_rng(1).standard_normal((2, 6, 3))
    optimizer = torch.optim.Adam(net.parameters())
    sum(p.float().sum() for p in net.parameters()).backward()
    optimizer.step()
    turned = {name: w.T.contiguous().T if w.ndim == 2 else w for name, w in net.state_dict().items()}
    expected = nb.trace(net.state_dict(), x, prefix="encoder.").output
    for saved in (
        net.state_dict(),
        turned,
        dict(net.named_parameters()),
        {"state_dict": net.state_dict(), "optimizer": optimizer.state_dict(), "scores": np.ones(3), "epoch": 3},
    ):
        torch.save(saved, tmp_path / "net.pt", pickle_protocol=protocol)
        seen = nb.trace(tmp_path / "net.pt", x)
        assert np.array_equal(seen.output, expected)
        assert seen.notes == ["what stands beside this layer is not read: fc"]


def test_a_list_of_tensors_is_not_taken_for_that_of_keras():
    square = nn.RNN(4, 4, bias=False)  # whose transposed weights would fit
    with pytest.raises(
        TypeError, match=r"a list of PyTorch's tensors does not say which is which; it needs .*state_dict"
    ):
        nb.trace(list(square.parameters()))


def test_other_files_of_pytorch_are_sentences(tmp_path):
    module, path = nn.LSTM(3, 4), tmp_path / "net.pt"
    torch.save(module, path)
    with pytest.raises(ValueError, match=r"holds an object, torch.nn.modules.rnn.LSTM, of which nothing is run; torch"):
        nb.trace(path)
    torch.save(module.state_dict(), path, _use_new_zipfile_serialization=False)
    with pytest.raises(ValueError, match="is of a PyTorch before 1.6"):
        nb.trace(path)
    torch.save(torch.ones(3), path)
    with pytest.raises(ValueError, match="holds a tensor alone"):
        nb.trace(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save({"weight_ih_l0": torch.quantize_per_tensor(torch.ones(16, 3), 0.1, 0, torch.qint8)}, path)
    with pytest.raises(ValueError, match="'weight_ih_l0'.* has dtype quantized; it needs float32"):
        nb.trace(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.script(module).save(path)
    with pytest.raises(ValueError, match="holds a compiled module of TorchScript"):
        nb.trace(path)
