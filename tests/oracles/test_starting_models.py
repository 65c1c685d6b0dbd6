"""The two models that everyone starts from, in PyTorch and in Keras, and ours: the same outputs and gradients, with
weights carried there and back.
"""

import contextlib
import io
import os
import re
from pathlib import Path

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.interop import from_keras, from_pytorch, linear_from_keras, linear_from_pytorch, to_keras, to_pytorch
from npbilstm.layers.layer import join
from tests.cases import assert_all_close
from tests.interop.drawing import with_random_weights

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
os.environ["KERAS_BACKEND"] = "torch"

PAGE = Path(__file__).parents[2] / "tutorials" / "guides" / "peers.md"

each_dtype = pytest.mark.parametrize(("dtype", "forward", "gradients"), [("f4", 1e-6, 1e-5), ("f8", 1e-12, 1e-10)])


def pytorch_class(dtype):
    """The first PyTorch model: a bidirectional LSTM that starts from zeros, and a linear layer on every step."""

    class Net(torch.nn.Module):
        def __init__(self, input_size, hidden_size, num_layers, num_classes):
            super().__init__()
            self.hidden_size, self.num_layers = hidden_size, num_layers
            self.lstm = torch.nn.LSTM(input_size, hidden_size, num_layers, batch_first=True, bidirectional=True)
            self.fc = torch.nn.Linear(2 * hidden_size, num_classes)

        def forward(self, x):
            h0 = torch.zeros(2 * self.num_layers, len(x), self.hidden_size, dtype=x.dtype)
            c0 = torch.zeros(2 * self.num_layers, len(x), self.hidden_size, dtype=x.dtype)
            out, _ = self.lstm(x, (h0, c0))
            return self.fc(out)

    torch.manual_seed(0)
    return Net(10, 20, 2, 5).to(torch.float32 if dtype == "f4" else torch.float64)


def keras_function():
    """The first Keras model: the same, by the functional API, for sequences of any length."""
    keras = pytest.importorskip("keras", reason="keras is not installed (group oracles)")
    x = inputs = keras.Input((None, 10))
    for _ in range(2):
        x = keras.layers.Bidirectional(keras.layers.LSTM(20, return_sequences=True))(x)
    return keras.Model(inputs, keras.layers.Dense(5)(x))


def our_pair(seed, dtype):
    """nb.BiLSTM(10, 20, 2) and nb.Linear(40, 5), with distinct weights of about 0.5 and biases other than 0."""
    layer, linear = nb.BiLSTM(10, 20, 2, dtype=dtype, rng=0), nb.Linear(40, 5, dtype=dtype, rng=0)
    return with_random_weights(layer, seed), with_random_weights(linear, seed + 1)


def drawn(N, T, dtype):
    rng = np.random.default_rng(3)
    return rng.standard_normal((N, T, 10)).astype(dtype), rng.standard_normal((N, T, 5)).astype(dtype)


def ours(layer, linear, x, dlogits):
    """Logits; dx; the gradients of both layers."""
    y, _, cache = layer.forward(x, training=True)
    logits, linear_cache = linear.forward(y)
    dy, dlinear = linear.backward(dlogits, linear_cache)
    dx, dlayer, _ = layer.backward(dy, cache)
    return logits, dx, dlayer, dlinear


def by_framework(net, x, dlogits):
    """Logits and dx; each parameter of the net then has its gradient."""
    x = torch.tensor(x, requires_grad=True)
    logits = net(x)
    (logits * torch.tensor(dlogits)).sum().backward()
    return logits.detach().numpy(), x.grad.numpy()


def as_state_dict(layer, linear):
    return {name: torch.tensor(w) for name, w in join({"lstm": to_pytorch(layer), "fc": to_pytorch(linear)}).items()}


@each_dtype
def test_the_pytorch_class_with_its_own_fresh_weights_is_ours(dtype, forward, gradients):
    net = pytorch_class(dtype)
    pair = from_pytorch(net.state_dict(), "lstm."), linear_from_pytorch(net.state_dict(), "fc.")
    said = [repr(each).replace(", dtype=float64", "") for each in pair]
    assert said == ["LSTM(10, 20, 2, bidirectional=True)", "Linear(40, 5)"]
    assert_same_as_the_pytorch_class(net, *pair, dtype, forward, gradients)


@each_dtype
def test_the_pytorch_class_takes_our_weights(dtype, forward, gradients):
    net = pytorch_class(dtype)
    pair = our_pair(0, dtype)
    net.load_state_dict(as_state_dict(*pair))
    assert_same_as_the_pytorch_class(net, *pair, dtype, forward, gradients)


def assert_same_as_the_pytorch_class(net, layer, linear, dtype, forward, gradients):
    x, dlogits = drawn(32, 40, dtype)
    logits, dx, dlayer, dlinear = ours(layer, linear, x, dlogits)
    their_logits, their_dx = by_framework(net, x, dlogits)
    assert logits.shape == (32, 40, 5)
    assert logits.dtype == their_logits.dtype == np.dtype(dtype)
    assert_all_close(logits, their_logits, forward)
    grads = {name: p.grad.numpy() for name, p in net.named_parameters()}
    expected = to_pytorch(layer.with_params(dlayer))
    for name in expected:
        if name.startswith("bias_hh"):  # beside bias_ih in the same sum, and so with the same gradient
            expected[name] = expected[name.replace("hh", "ih")]
    expected = join({"lstm": expected, "fc": to_pytorch(linear.with_params(dlinear))})
    assert_all_close((their_dx, grads), (dx, expected), gradients)


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # how Keras reads PyTorch's tensors
@pytest.mark.parametrize("T", [1, 7, 40])
def test_the_keras_function_is_ours_at_any_length_and_takes_our_weights(T):
    net = keras_function()
    *recurrent, kernel, bias = net.get_weights()
    own = from_keras(recurrent, "lstm", bidirectional=True), linear_from_keras([kernel, bias])
    for layer, linear in (own, our_pair(0, "f4")):
        net.set_weights([*to_keras(layer), *to_keras(linear)])
        for w in net.weights:
            w.value.grad = None
        x, dlogits = drawn(32, T, "f4")
        logits, dx, dlayer, dlinear = ours(layer, linear, x, dlogits)
        their_logits, their_dx = by_framework(net, x, dlogits)
        assert_all_close(logits, their_logits, 1e-6)
        expected = [*to_keras(layer.with_params(dlayer)), *to_keras(linear.with_params(dlinear))]
        assert_all_close((their_dx, [w.value.grad.numpy() for w in net.weights]), (dx, expected), 1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation")
def test_the_code_on_the_page_prints_what_stands_below_it():
    pytest.importorskip("keras", reason="keras is not installed (group oracles)")
    names = {}
    blocks = re.findall(r"```python\n(.*?)```(?:\n\n```text\n(.*?)```)?", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    models = [block for block in blocks if "dates.{part}" not in block[0]]  # test_onnx_seq2seq.py has files for that
    assert len(blocks) > len(models) > 5
    for code, expected in models:
        with contextlib.redirect_stdout(io.StringIO()) as printed:
            exec(compile(code, "peers.md", "exec"), names)
        assert printed.getvalue() == expected, code
