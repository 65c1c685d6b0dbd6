"""Attention and the decoder in float64 against PyTorch: its operations forward, autograd the way back."""

import numpy as np
import pytest

from npbilstm import textbook
from tests.cases import assert_all_close

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")

N, T, D, H, S = 4, 6, 3, 5, 7
LENGTHS, SOURCE_LENGTHS = np.array([6, 1, 0, 4]), np.array([7, 3, 5, 1])


def drawn(kind, seed):
    """Inputs by name, the weights of the cell, those of the score ({} for dot), and upstream gradients."""
    rng = np.random.default_rng(seed)
    E = H if kind == "dot" else 4

    def draw(**shapes):
        return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}

    inputs = draw(x=(N, T, D), h0=(N, H), c0=(N, H), keys=(N, S, E))
    cell = draw(Wx=(D + E, 4 * H), Wh=(H, 4 * H), b=(4 * H,))
    score = {} if kind == "dot" else draw(Wq=(H, 3), Wk=(E, 3), v=(3,))
    return inputs, cell, score, list(draw(h=(N, T, H), context=(N, T, E), alpha=(N, T, S)).values())


def looked(query, keys, score):
    """One look, by PyTorch -> context, alpha."""
    if score:
        scores = torch.tanh((query @ score["Wq"])[:, None] + keys @ score["Wk"]) @ score["v"]
    else:
        scores = torch.bmm(keys, query[:, :, None])[:, :, 0]
    padding = torch.arange(S) >= torch.tensor(SOURCE_LENGTHS)[:, None]
    alpha = torch.softmax(scores.masked_fill(padding, -torch.inf), dim=1)
    return torch.bmm(alpha[:, None], keys)[:, 0], alpha


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("kind", ["additive", "dot"])
def test_the_decoder_agrees_with_pytorch_forward_and_in_every_gradient(kind, seed):
    inputs, cell, score, upstream = drawn(kind, seed)
    leaves = {n: torch.tensor(a, requires_grad=True) for n, a in {**inputs, **cell, **score}.items()}
    peer = torch.nn.LSTMCell(leaves["Wx"].shape[0], H, dtype=torch.float64)
    weights = {"weight_ih": leaves["Wx"].T, "weight_hh": leaves["Wh"].T, "bias_ih": leaves["b"]}
    weights["bias_hh"] = torch.zeros_like(leaves["b"])
    h, c, context = leaves["h0"], leaves["c0"], torch.zeros(N, leaves["keys"].shape[2], dtype=torch.float64)
    found = []
    for t in range(T):
        read = torch.cat([leaves["x"][:, t], context], dim=1)
        h, c = torch.func.functional_call(peer, weights, (read, (h, c)))
        context, alpha = looked(h, leaves["keys"], {name: leaves[name] for name in score})
        found.append((h, context, alpha))
    valid = torch.arange(T) < torch.tensor(LENGTHS)[:, None]
    expected = [torch.stack(steps, dim=1) * valid[:, :, None] for steps in zip(*found)]
    sum((out * torch.tensor(d)).sum() for out, d in zip(expected, upstream)).backward()
    params = textbook.DecoderParams(
        textbook.LSTMParams(**cell), textbook.AdditiveAttentionParams(**score) if score else None
    )
    *ours, cache = textbook.decoder_forward(*inputs.values(), params, LENGTHS, SOURCE_LENGTHS)
    *d_inputs, grads = textbook.decoder_backward(*upstream, cache)
    assert_all_close(ours, [out.detach().numpy() for out in expected], 1e-12)
    named = {**dict(zip(inputs, d_inputs)), **grads.cell._asdict(), **(grads.attention._asdict() if score else {})}
    assert_all_close(named, {name: leaf.grad.numpy() for name, leaf in leaves.items()}, 1e-10)


@pytest.mark.parametrize("kind", ["additive", "dot"])
def test_one_look_agrees_with_pytorch_forward_and_in_every_gradient(kind):
    inputs, _, score, upstream = drawn(kind, 5)
    leaves = {n: torch.tensor(a, requires_grad=True) for n, a in {**inputs, **score}.items() if n in ("keys", *score)}
    query = torch.tensor(inputs["h0"], requires_grad=True)
    expected = looked(query, leaves["keys"], {name: leaves[name] for name in score})
    dcontext, dalpha = upstream[1][:, 0], upstream[2][:, 0]
    ((expected[0] * torch.tensor(dcontext)).sum() + (expected[1] * torch.tensor(dalpha)).sum()).backward()
    more = [textbook.AdditiveAttentionParams(**score)] if score else []
    forward, backward = (getattr(textbook, f"{kind}_attention_{way}") for way in ("forward", "backward"))
    *ours, cache = forward(inputs["h0"], inputs["keys"], *more, SOURCE_LENGTHS)
    assert_all_close(ours, [out.detach().numpy() for out in expected], 1e-12)
    dquery, dkeys, *grads = backward(dcontext, dalpha, cache)
    named = {"keys": dkeys, **(grads[0]._asdict() if grads else {})}
    assert_all_close(dquery, query.grad.numpy(), 1e-10)
    assert_all_close(named, {name: leaf.grad.numpy() for name, leaf in leaves.items()}, 1e-10)
