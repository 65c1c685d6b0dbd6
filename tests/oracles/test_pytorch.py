"""PyTorch in float64 as the judge: the same numbers forward, and for every gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.textbook import BiLSTMParams, LSTMParams, bilstm_backward, bilstm_forward
from tests.cases import assert_all_close

torch = pytest.importorskip("torch", reason="torch is not installed (extra oracles)")
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402


@st.composite
def configurations(draw):
    N, T = draw(st.integers(1, 4)), draw(st.integers(1, 7))
    ragged = draw(st.booleans())
    lengths = draw(st.lists(st.integers(1, T), min_size=N, max_size=N)) if ragged else [T] * N
    return {
        "N": N,
        "T": T,
        "D": draw(st.integers(1, 4)),
        "H": draw(st.integers(1, 5)),
        "num_layers": draw(st.integers(1, 3)),
        "bidirectional": draw(st.booleans()),
        "bias": draw(st.booleans()),
        "lengths": np.array(lengths),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def drawn(c):
    """A layer with distinct weights of about 0.5, its inputs, and upstream gradients for all that it puts out."""
    layer = nb.LSTM(
        c["D"], c["H"], c["num_layers"], bidirectional=c["bidirectional"], bias=c["bias"], dtype=np.float64, rng=0
    )
    rng = np.random.default_rng(c["seed"])
    layer = layer.with_params({name: 0.5 * rng.standard_normal(p.shape) for name, p in layer.params.items()})
    S = layer.num_layers * len(layer.directions)
    shapes = [(c["N"], c["T"], c["D"]), *[(S, c["N"], c["H"])] * 2]
    inputs = [0.5 * rng.standard_normal(s) for s in shapes]
    upstream = [rng.standard_normal(s) for s in [(c["N"], c["T"], layer.features(c["num_layers"] - 1)), *shapes[1:]]]
    return layer, inputs, upstream


def by_pytorch(layer, inputs, upstream, lengths):
    """nn.LSTM with our weights; our one bias is its bias_ih, its bias_hh is zero."""
    peer = torch.nn.LSTM(
        layer.input_size,
        layer.hidden_size,
        layer.num_layers,
        bias=layer.bias,
        bidirectional=len(layer.directions) == 2,
        batch_first=True,
        dtype=torch.float64,
    )
    names = {"Wx": "weight_ih", "Wh": "weight_hh", "b": "bias_ih"}
    theirs = {}
    for name in layer.params:
        k, direction, kind = name.split(".")
        theirs[name] = getattr(peer, f"{names[kind]}_l{k}{'_reverse' if direction == 'reverse' else ''}")
    with torch.no_grad():
        for p in peer.parameters():
            p.zero_()
        for name, p in theirs.items():
            p.copy_(torch.tensor(layer.params[name].T))
    x, h_0, c_0 = (torch.tensor(array, requires_grad=True) for array in inputs)
    packed = pack_padded_sequence(x, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    y, (h_n, c_n) = peer(packed, (h_0, c_0))
    y, _ = pad_packed_sequence(y, batch_first=True, total_length=x.shape[1])
    sum((out * torch.tensor(d)).sum() for out, d in zip((y, h_n, c_n), upstream)).backward()
    outputs = tuple(out.detach().numpy() for out in (y, h_n, c_n))
    gradients = tuple(given.grad.numpy() for given in (x, h_0, c_0))
    return outputs, gradients, {name: p.grad.numpy().T for name, p in theirs.items()}


@settings(max_examples=300)
@given(configurations())
def test_layers_agree_with_pytorch_forward_and_in_every_gradient(c):
    layer, (x, h_0, c_0), (dy, dh, dc) = drawn(c)
    y, (h_n, c_n), cache = layer.forward(x, c["lengths"], (h_0, c_0), training=True)
    dx, grads, (dh_0, dc_0) = layer.backward(dy, cache, (dh, dc))
    ours = (y, h_n, c_n), (dx, dh_0, dc_0), grads
    assert_all_close(ours, by_pytorch(layer, (x, h_0, c_0), (dy, dh, dc), c["lengths"]), 1e-12)


@settings(max_examples=100)
@given(configurations())
def test_the_textbook_agrees_with_pytorch_forward_and_in_every_gradient(c):
    layer, (x, h_0, c_0), (dy, dh, dc) = drawn({**c, "num_layers": 1, "bidirectional": True, "bias": True})
    weights = [[layer.params[f"0.{way}.{name}"] for name in ("Wx", "Wh", "b")] for way in layer.directions]
    params = BiLSTMParams(*(LSTMParams(*each) for each in weights))
    y, h_n, c_n, cache = bilstm_forward(x, h_0, c_0, params, c["lengths"])
    dx, dh_0, dc_0, grads = bilstm_backward(dy, dh, dc, cache)
    named = {f"0.{way}.{n}": g for way, both in grads._asdict().items() for n, g in both._asdict().items()}
    ours = (y, h_n, c_n), (dx, dh_0, dc_0), named
    assert_all_close(ours, by_pytorch(layer, (x, h_0, c_0), (dy, dh, dc), c["lengths"]), 1e-12)


def test_the_masked_loss_agrees_with_pytorch():
    rng = np.random.default_rng(0)
    logits, targets, lengths = rng.standard_normal((4, 6, 5)), rng.integers(0, 5, (4, 6)), np.array([6, 3, 0, 1])
    loss, cache = nb.softmax_cross_entropy_forward(logits, targets, lengths)
    dlogits = nb.textbook.softmax_cross_entropy_backward(1.0, cache)
    theirs = torch.tensor(logits, requires_grad=True)
    ignored = np.where(np.arange(6) < lengths[:, None], targets, -100)
    expected = torch.nn.functional.cross_entropy(theirs.reshape(-1, 5), torch.tensor(ignored).reshape(-1))
    expected.backward()
    assert_all_close((loss, dlogits), (expected.item(), theirs.grad.numpy()), 1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (nb.Adam(0.1), (torch.optim.Adam, {"lr": 0.1})),
        (nb.Adam(0.1, 0.5, 0.9, 0.01), (torch.optim.Adam, {"lr": 0.1, "betas": (0.5, 0.9), "eps": 0.01})),
        (nb.SGD(0.1), (torch.optim.SGD, {"lr": 0.1, "momentum": 0.9})),
        (nb.SGD(0.1, 0.0), (torch.optim.SGD, {"lr": 0.1})),
    ],
)
def test_optimisers_walk_as_pytorch_s_do(ours, theirs):
    rng = np.random.default_rng(0)
    start, gradients = rng.standard_normal(5), rng.standard_normal((20, 5))
    params = {"p": start.copy()}
    p = torch.tensor(start, requires_grad=True)
    make, options = theirs
    peer = make([p], **options)
    for g in gradients:
        ours.step(params, {"p": g})
        p.grad = torch.tensor(g)
        peer.step()
    assert_all_close(params["p"], p.detach().numpy(), 1e-12)


def test_embedding_linear_and_clipping_agree_with_pytorch():
    rng = np.random.default_rng(0)
    ids, dy = rng.integers(0, 6, (3, 4)), rng.standard_normal((3, 4, 5))
    embedding, linear = nb.Embedding(6, 2, dtype=np.float64, rng=0), nb.Linear(2, 5, dtype=np.float64, rng=0)
    x, cache_1 = embedding.forward(ids)
    y, cache_2 = linear.forward(x)
    dx, d_linear = linear.backward(dy, cache_2)
    _, d_embedding = embedding.backward(dx, cache_1)
    clipped, norm = nb.clip_by_global_norm({**d_linear, "E": d_embedding["W"]}, 0.5)

    E, W, b = (torch.tensor(p, requires_grad=True) for p in (embedding.params["W"], *linear.params.values()))
    out = torch.nn.functional.embedding(torch.tensor(ids), E) @ W + b
    (out * torch.tensor(dy)).sum().backward()
    assert_all_close(y, out.detach().numpy())
    assert_all_close(d_embedding["W"], E.grad.numpy())
    total = torch.nn.utils.clip_grad_norm_([W, b, E], 0.5)
    assert_all_close(norm, total.item())
    # PyTorch divides by the norm plus 1e-6
    assert_all_close(clipped, {"W": W.grad.numpy(), "b": b.grad.numpy(), "E": E.grad.numpy()}, 1e-5)
