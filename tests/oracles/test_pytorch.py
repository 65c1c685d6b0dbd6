"""PyTorch in float64 as the judge: the same numbers forward, and for every gradient."""

from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm import textbook
from npbilstm.layers.layer import part_of
from tests.cases import assert_all_close
from tests.oracles.peers import torch_peer

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence  # noqa: E402


class Configuration(NamedTuple):
    """A layer, how it is fed, and upstream gradients for all that it puts out."""

    cell: str
    layer: nb.layers.Recurrent
    x: np.ndarray
    lengths: np.ndarray | None
    state: list[np.ndarray] | None
    dy: np.ndarray
    dstate: list[np.ndarray]


@st.composite
def configurations(draw, plain=False) -> Configuration:
    """Any cell with any options that PyTorch has; ragged or not, states given or not, in a batch or without.

    plain: one layer of two directions with biases, a batch, states given.
    """
    cell = draw(st.sampled_from(["GRU", "LSTM", "RNN"]))
    own = {}
    H = draw(st.integers(1, 5))
    if cell == "RNN":
        own["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    if cell == "LSTM" and H > 1:  # PyTorch needs proj_size < hidden_size
        own["projection_size"] = draw(st.none() | st.integers(1, H - 1))
    layer = getattr(nb, cell)(
        draw(st.integers(1, 4)),
        H,
        1 if plain else draw(st.integers(1, 3)),
        bidirectional=plain or draw(st.booleans()),
        bias=plain or draw(st.booleans()),
        store_every=draw(st.none() | st.integers(1, 4)),
        dtype=np.float64,
        rng=0,
        **own,
    )
    N, T, batched = draw(st.integers(1, 4)), draw(st.integers(1, 7)), plain or draw(st.integers(0, 3)) > 0
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    lengths = None
    if batched and draw(st.booleans()):  # PyTorch refuses length 0
        lengths = np.array(draw(st.lists(st.integers(1, T), min_size=N, max_size=N)))

    def drawn(scale, shape):
        return scale * rng.standard_normal([size for size in shape if batched or size is not None])

    rows = N if batched else None
    state_shapes = [(shape[0], rows, shape[2]) for shape in layer.state_shapes(N)]
    return Configuration(
        cell,
        layer.with_params({name: 0.5 * rng.standard_normal(p.shape) for name, p in layer.params.items()}),
        drawn(0.5, (rows, T, layer.input_size)),
        lengths,
        [drawn(0.5, shape) for shape in state_shapes] if plain or draw(st.booleans()) else None,
        drawn(1, (rows, T, layer.features(layer.num_layers - 1))),
        [drawn(1, shape) for shape in state_shapes],
    )


def as_state(parts):
    return parts[0] if len(parts) == 1 else tuple(parts)


def as_parts(state):
    return tuple(state) if isinstance(state, tuple) else (state,)


def by_pytorch(c):
    """Outputs, gradients of the inputs, and gradients of the weights under PyTorch's names."""
    peer = torch_peer(c.layer)
    x = torch.tensor(c.x, requires_grad=True)
    state = None if c.state is None else [torch.tensor(part, requires_grad=True) for part in c.state]
    given = None if state is None else as_state(state)
    if c.lengths is None:
        y, final = peer(x, given)
    else:
        packed = pack_padded_sequence(x, torch.tensor(c.lengths), batch_first=True, enforce_sorted=False)
        packed, final = peer(packed, given)
        y, _ = pad_packed_sequence(packed, batch_first=True, total_length=x.shape[1])
    outputs = (y, *as_parts(final))
    sum((out * torch.tensor(d)).sum() for out, d in zip(outputs, (c.dy, *c.dstate))).backward()
    grads = {name: p.grad.numpy() for name, p in peer.named_parameters()}
    dstate = () if state is None else tuple(part.grad.numpy() for part in state)
    return tuple(out.detach().numpy() for out in outputs), (x.grad.numpy(), *dstate), grads


def by_layer(c):
    """Outputs, gradients of the inputs, and gradients of the weights under our names."""
    state = None if c.state is None else as_state(c.state)
    y, final, cache = c.layer.forward(c.x, c.lengths, state, training=True)
    dx, grads, dstate = c.layer.backward(c.dy, cache, as_state(c.dstate))
    return (y, *as_parts(final)), (dx, *(as_parts(dstate) if c.state else ())), grads


def named_as_ours(c, theirs):
    """PyTorch's gradients under our names. Ours has one bias where PyTorch adds two, whose gradients are equal."""
    named, H = {}, c.layer.hidden_size
    kinds = {"Wx": "weight_ih", "Wh": "weight_hh", "b": "bias_ih", "b_hn": "bias_hh", "Wp": "weight_hr"}
    for name in c.layer.params:
        k, direction, kind = name.split(".")
        own = theirs[f"{kinds[kind]}_l{k}{'_reverse' if direction == 'reverse' else ''}"].T
        named[name] = own[2 * H :] if kind == "b_hn" else own
    return named


def assert_agrees(c, ours):
    """1e-12 forward, 1e-10 for the gradients (of which most are far nearer)."""
    outputs, d_inputs, grads = by_pytorch(c)
    assert_all_close(ours[0], outputs, 1e-12)
    assert_all_close(ours[1], d_inputs, 1e-10)
    assert_all_close(ours[2], named_as_ours(c, grads), 1e-10)


@settings(max_examples=1000)
@given(configurations())
def test_layers_agree_with_pytorch_forward_and_in_every_gradient(c):
    assert_agrees(c, by_layer(c))


STEPS = {
    "LSTM": ("lstm_variant_step", textbook.LSTMVariantParams),
    "GRU": ("gru_step", textbook.GRUParams),
    "RNN": ("rnn_step", textbook.RNNParams),
}


@settings(max_examples=150)
@given(configurations(plain=True))
def test_the_textbook_agrees_with_pytorch_forward_and_in_every_gradient(c):
    step, kind = STEPS[c.cell]
    if getattr(c.layer, "nonlinearity", "tanh") == "relu":
        step = "rnn_relu_step"
    params = [kind(**part_of(c.layer.params, f"0.{way}")) for way in c.layer.directions]
    y, final, cache = textbook.bidirectional_recurrent_forward(
        getattr(textbook, f"{step}_forward"), c.x, tuple(c.state), params, c.lengths
    )
    dx, dstate, both = textbook.bidirectional_recurrent_backward(
        getattr(textbook, f"{step}_backward"), c.dy, tuple(c.dstate), cache
    )
    named = {f"0.{way}.{n}": g for way, grads in zip(c.layer.directions, both) for n, g in grads._asdict().items()}
    assert_agrees(c, ((y, *final), (dx, *dstate), {name: g for name, g in named.items() if g is not None}))


@settings(max_examples=60)
@given(configurations())
def test_a_weight_carried_to_the_wrong_place_is_seen(c):
    """What the comparison rests on: no two blocks of a drawn layer can change places unseen."""
    H = c.layer.hidden_size
    assume(not isinstance(c.layer, nb.RNN) and c.state is not None)
    swapped = {name: np.roll(p, H, axis=-1) if name.endswith("Wh") else p for name, p in c.layer.params.items()}
    with pytest.raises(AssertionError):
        assert_agrees(c, by_layer(c._replace(layer=c.layer.with_params(swapped))))


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
def test_optimizers_walk_as_pytorch_s_do(ours, theirs):
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
