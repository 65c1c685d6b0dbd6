"""PyTorch and Keras with our weights, and ours with theirs: the same outputs.

Keras runs on PyTorch, where it multiplies matrices of float64 in float32.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.interop import (
    from_keras,
    from_pytorch,
    linear_from_keras,
    linear_from_pytorch,
    model_from_pytorch,
    read_weights,
    to_keras,
    to_pytorch,
    write_weights,
)
from npbilstm.interop.parts import cell_of
from tests.cases import assert_close
from tests.interop.drawing import assert_same, not_told, recurrent_layers, with_random_weights
from tests.oracles.peers import arrays, keras_stack, torch_peer

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")


def tensors(arrays):
    return {name: torch.tensor(w) for name, w in arrays.items()}


@settings(max_examples=150)
@given(
    recurrent_layers(variants=False, projection=True, reset_before=False, merges=["concat"], dtypes=["f8"]),
    st.integers(0, 2**32 - 1),
)
def test_pytorch_takes_our_state_dict_and_we_take_its(layer, seed):
    x = np.random.default_rng(seed).standard_normal((2, 4, layer.input_size))
    peer = torch_peer(layer)
    with torch.no_grad():
        for p in peer.parameters():  # both of its biases are now other than 0
            p.copy_(torch.tensor(0.5 * np.random.default_rng(seed).standard_normal(p.shape)))
        read = from_pytorch(peer.state_dict(), **not_told(layer))
        assert_close(read.forward(x)[0], peer(torch.tensor(x))[0].numpy())
        assert list(to_pytorch(layer)) == list(peer.state_dict())
        peer.load_state_dict(tensors(to_pytorch(layer)))  # strict: all names and shapes, and no others
        assert_close(peer(torch.tensor(x))[0].numpy(), layer.forward(x)[0])


def test_pytorch_models_through_their_own_files(tmp_path):
    safetensors = pytest.importorskip("safetensors.torch", reason="safetensors is not installed (group oracles)")

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.emb = torch.nn.Embedding(6, 3)
            self.rnn = torch.nn.GRU(3, 4, 2, bidirectional=True, batch_first=True)
            self.fc = torch.nn.Linear(8, 5)

        def forward(self, ids):
            return self.fc(self.rnn(self.emb(ids))[0])

    torch.manual_seed(0)
    net, ids = Net(), np.random.default_rng(0).integers(0, 6, (2, 7))
    expected = net(torch.tensor(ids)).detach().numpy()
    safetensors.save_file(net.state_dict(), tmp_path / "net.safetensors")
    read, _ = read_weights(tmp_path / "net.safetensors", "tagger")
    assert_close(read.forward(ids)[0], expected, 1e-6)
    assert_close(model_from_pytorch(net.state_dict(), nb.SequenceTagger).forward(ids)[0], expected, 1e-6)
    write_weights(tmp_path / "ours.safetensors", read)
    ours = safetensors.load_file(tmp_path / "ours.safetensors")
    names = {"embedding": "emb", "gru": "rnn", "linear": "fc"}
    other = Net()
    other.load_state_dict({names[n.split(".")[0]] + n[n.index(".") :]: w for n, w in ours.items()})
    assert_close(other(torch.tensor(ids)).detach().numpy(), expected, 1e-6)


def test_a_pytorch_linear_layer_is_ours():
    peer, x = torch.nn.Linear(3, 4, dtype=torch.float64), np.random.default_rng(0).standard_normal((2, 3))
    linear = linear_from_pytorch(peer.state_dict())
    assert_close(linear.forward(x)[0], peer(torch.tensor(x)).detach().numpy())
    peer.load_state_dict(tensors(to_pytorch(linear)))


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # how Keras reads PyTorch's tensors
@settings(max_examples=60)
@given(recurrent_layers(variants=False, merges=["concat", "sum", "mul", "ave"], dtypes=["f8"], deep=2))
def test_keras_takes_our_weights_and_we_take_its(layer):
    pytest.importorskip("keras", reason="keras is not installed (group oracles)")
    x = np.random.default_rng(0).standard_normal((2, 4, layer.input_size))
    ours = to_keras(layer)
    options = {**not_told(layer), "bidirectional": len(layer.directions) == 2, "bias": layer.bias}
    options |= {"reset_after": layer.reset_after} if isinstance(layer, nb.GRU) else {}
    rng = np.random.default_rng(1)  # both of a GRU's biases other than 0
    theirs = [0.5 * rng.standard_normal(w.shape) for w in ours]
    for weights, own in [(ours, layer), (theirs, from_keras(theirs, cell_of(layer), **options))]:
        stack = keras_stack(layer, weights)
        y = torch.tensor(x)
        for one in stack:
            y, *_ = one(y)
        assert_close(arrays(y), own.forward(x)[0], 1e-5)
        assert_same(own, from_keras([w for one in stack for w in one.get_weights()], cell_of(layer), **options))


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_a_keras_dense_layer_is_ours():
    keras = pytest.importorskip("keras", reason="keras is not installed (group oracles)")
    linear = with_random_weights(nb.Linear(3, 4, dtype=np.float64, rng=0), 0)
    x = np.random.default_rng(0).standard_normal((2, 3))
    peer = keras.layers.Dense(4, dtype="float64")
    peer.build(x.shape)
    peer.set_weights(to_keras(linear))
    assert_close(arrays(peer(torch.tensor(x))), linear.forward(x)[0], 1e-5)
    assert_same(linear, linear_from_keras(peer.get_weights()))
