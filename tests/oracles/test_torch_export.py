"""What torch.onnx.export writes is read: by its exporter of today (dynamo) and by the one before it, for sizes that are
fixed and that are free.
"""

import contextlib
import io
import logging
import warnings

import numpy as np
import pytest

from npbilstm.interop import from_onnx, read_weights
from tests.cases import assert_close

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
pytest.importorskip("onnx", reason="onnx is not installed (group oracles)")

N, T = 3, 5


def make_net(cell, num_layers, bidirectional, batch_first=True, whole=False, **options):
    """Embedding, recurrent layers, Linear; or the layers alone, which read x."""

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = torch.nn.Embedding(6, 3) if whole else None
            both = {"bidirectional": bidirectional, "batch_first": batch_first}
            self.rnn = getattr(torch.nn, cell)(3, 4, num_layers, **both, **options)
            self.fc = torch.nn.Linear(8 if bidirectional else 4, 2) if whole else None

        def forward(self, x):
            y = self.rnn(x if self.embedding is None else self.embedding(x))[0]
            return y if self.fc is None else self.fc(y)

    torch.manual_seed(0)
    return Net().eval()


def exported(net, x, path, dynamo, free):
    """A file of the net, with sizes of x that are free or not. What the exporter says of itself is left out."""
    options = {}
    if dynamo:
        pytest.importorskip("onnxscript", reason="onnxscript is not installed (group oracles)")
        dims = {n: torch.export.Dim(f"size_{n}") for n in (0, 1)}
        options = {"dynamic_shapes": (dims,)} if free else {}
    elif free:
        options = {"input_names": ["x"], "dynamic_axes": {"x": {0: "size_0", 1: "size_1"}}}
    logging.disable(logging.CRITICAL)
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            torch.onnx.export(net, (x,), str(path), dynamo=dynamo, **options)
    finally:
        logging.disable(logging.NOTSET)
    return path


CASES = [
    ("LSTM", 1, False, True, {}),
    ("LSTM", 2, True, False, {}),
    ("LSTM", 3, False, True, {"batch_first": False, "bias": False}),
    ("GRU", 1, True, True, {}),
    ("GRU", 2, False, False, {"batch_first": False}),
    ("GRU", 3, True, False, {}),
    ("RNN", 1, True, True, {"bias": False}),
    ("RNN", 2, False, False, {"nonlinearity": "relu"}),
    ("RNN", 3, True, False, {"batch_first": False}),
]


@pytest.mark.parametrize("dynamo", [True, False])
@pytest.mark.parametrize(("cell", "num_layers", "bidirectional", "free", "options"), CASES)
def test_layers_are_read(tmp_path, dynamo, cell, num_layers, bidirectional, free, options):
    net = make_net(cell, num_layers, bidirectional, **options)
    rows_first = options.get("batch_first", True)
    x = torch.randn(N, T, 3) if rows_first else torch.randn(T, N, 3)
    layer = from_onnx(exported(net, x, tmp_path / "net.onnx", dynamo, free))
    assert (layer.input_size, layer.hidden_size, layer.num_layers) == (3, 4, num_layers)
    y = layer.forward(x.numpy() if rows_first else x.numpy().swapaxes(0, 1))[0]
    assert_close(y if rows_first else y.swapaxes(0, 1), net(x).detach().numpy(), 1e-5)


@pytest.mark.parametrize(("dynamo", "cell"), [(True, "LSTM"), (True, "RNN"), (False, "GRU")])
def test_what_stands_around_the_layers_is_named(tmp_path, dynamo, cell):
    net = make_net(cell, 2, True, whole=True)
    ids = torch.randint(0, 6, (N, T))
    layer, about = read_weights(exported(net, ids, tmp_path / "net.onnx", dynamo, False))
    assert about == {"left_out": ["Gather", "MatMul", "Add"]}
    x = net.embedding(ids)
    assert_close(layer.forward(x.detach().numpy())[0], net.rnn(x)[0].detach().numpy(), 1e-5)


def test_a_projection_is_refused(tmp_path):
    net = make_net("LSTM", 1, False, proj_size=2)
    exported(net, torch.randn(N, T, 3), tmp_path / "net.onnx", True, False)
    with pytest.raises(ValueError, match="has 4 numbers per row; the node has 2 units, and needs as many"):
        from_onnx(tmp_path / "net.onnx")


def test_lengths_of_a_packed_sequence_come_from_outside(tmp_path):
    class Packed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.LSTM(3, 4, 2, batch_first=True, bidirectional=True)

        def forward(self, x, lengths):
            packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True)
            return torch.nn.utils.rnn.pad_packed_sequence(self.rnn(packed)[0], batch_first=True)[0]

    torch.manual_seed(0)
    net, x, lengths = Packed().eval(), torch.randn(N, T, 3), torch.tensor([5, 4, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x, lengths), str(tmp_path / "net.onnx"), dynamo=False)
    y = from_onnx(tmp_path / "net.onnx").forward(x.numpy(), lengths.numpy())[0]
    assert_close(y, net(x, lengths).detach().numpy(), 1e-5)


def test_a_flip_before_and_after_is_reading_from_the_end(tmp_path):
    class Flipped(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.GRU(3, 4, batch_first=True)

        def forward(self, x):
            return self.rnn(x.flip(1))[0].flip(1)

    torch.manual_seed(0)
    net, x = Flipped().eval(), torch.randn(N, T, 3)
    for dynamo in (True, False):
        layer = from_onnx(exported(net, x, tmp_path / "net.onnx", dynamo, False))
        assert layer.reverse
        assert_close(layer.forward(x.numpy())[0], net(x).detach().numpy(), 1e-5)


def test_a_file_of_many_weights_beside_it_is_read(tmp_path):
    net, x = make_net("LSTM", 1, True), torch.randn(N, T, 3)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("onnxscript", reason="onnxscript is not installed (group oracles)")
        torch.onnx.export(net, (x,), str(tmp_path / "net.onnx"), external_data=True)
    assert_close(from_onnx(tmp_path / "net.onnx").forward(x.numpy())[0], net(x).detach().numpy(), 1e-5)
    assert np.isfinite(from_onnx(tmp_path / "net.onnx").params["0.forward.Wx"]).all()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("given", [False, True])
def test_a_plain_rnn_that_is_asked_for_its_last_state_or_given_its_first_is_read_whole(tmp_path, bidirectional, given):
    class Final(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = torch.nn.RNN(3, 4, 2, batch_first=True, bidirectional=bidirectional)

        def forward(self, x, h_0=None):
            return self.rnn(x, h_0)[1]

    torch.manual_seed(0)
    net, x = Final().eval(), torch.randn(N, T, 3)
    h_0 = torch.randn(4 if bidirectional else 2, N, 4) if given else None
    pytest.importorskip("onnxscript", reason="onnxscript is not installed (extra oracles)")
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (x, h_0) if given else (x,), str(tmp_path / "net.onnx"), dynamo=True)
    state = None if h_0 is None else h_0.numpy()
    _, h_n, _ = from_onnx(tmp_path / "net.onnx").forward(x.numpy(), state=state)
    assert_close(h_n, net(x, h_0).detach().numpy(), 1e-5)
