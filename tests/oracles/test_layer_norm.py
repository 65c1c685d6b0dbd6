"""Layer normalisation and the LSTM with it in float64 against PyTorch: layer_norm forward, autograd the way back."""

import numpy as np
import pytest

from npbilstm import textbook
from tests.cases import assert_all_close

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
from torch.nn.functional import layer_norm  # noqa: E402

N, T, D, H = 4, 6, 3, 5
LENGTHS = [6, 1, 0, 4]
TOLERANCE = 1e-10


def tensors(arrays):
    return {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}


@pytest.mark.parametrize("shape", [(H,), (N, H), (N, T, H)])
@pytest.mark.parametrize("epsilon", [1e-5, 1e-12, 0.1])
def test_layer_normalisation_is_pytorchs_with_every_gradient(shape, epsilon):
    rng = np.random.default_rng(0)
    arrays = {"z": 3 + rng.standard_normal(shape), "gain": rng.standard_normal(H), "bias": rng.standard_normal(H)}
    dnormed, theirs = rng.standard_normal(shape), tensors(arrays)
    normed, cache = textbook.layer_norm_forward(*arrays.values(), epsilon)
    expected = layer_norm(theirs["z"], (H,), theirs["gain"], theirs["bias"], epsilon)
    (expected * torch.tensor(dnormed)).sum().backward()
    grads = [one.grad.numpy() for one in theirs.values()]
    assert_all_close([normed, *textbook.layer_norm_backward(dnormed, cache)], [expected.detach(), *grads], TOLERANCE)


def step(x, h, c, w, mask):
    """One step (Ba et al. 2016, supplement, equations 20 to 22) of one row."""
    a = layer_norm(x @ w["Wx"], (4 * H,), w["gain_x"]) + layer_norm((mask * h) @ w["Wh"], (4 * H,), w["gain_h"])
    i, f, g, o = torch.split(a + w["b"], H)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(layer_norm(c, (H,), w["gain_c"], w["bias_c"])), c


@pytest.mark.parametrize("seed", [0, 1, 2])
@pytest.mark.parametrize("masked", [False, True])
def test_the_lstm_over_ragged_rows_is_pytorchs_with_every_gradient(seed, masked):
    rng = np.random.default_rng(seed)

    def draw(**shapes):
        return {name: 0.5 * rng.standard_normal(shape) for name, shape in shapes.items()}

    norms = {"gain_x": (4 * H,), "gain_h": (4 * H,), "gain_c": (H,), "bias_c": (H,)}
    weights = draw(Wx=(D, 4 * H), Wh=(H, 4 * H), b=(4 * H,), **norms)
    inputs, upstream = draw(x=(N, T, D), h0=(N, H), c0=(N, H)), draw(h=(N, T, H), h_T=(N, H), c_T=(N, H))
    mask = (rng.random((N, H)) >= 0.4) / 0.6 if masked else None
    x = inputs["x"].copy()
    for n, length in enumerate(LENGTHS):
        x[n, length:] = np.nan  # which nobody sees
    state, params = (inputs["h0"], inputs["c0"]), textbook.LayerNormLSTMParams(**weights)
    lengths = np.array(LENGTHS)
    h, state_T, cache = textbook.recurrent_forward(
        textbook.layer_norm_lstm_step_forward, x, state, params, lengths, mask
    )
    dstate_T = (upstream["h_T"], upstream["c_T"])
    dx, dstate, grads = textbook.recurrent_backward(
        textbook.layer_norm_lstm_step_backward, upstream["h"], dstate_T, cache
    )
    given, w = tensors(inputs), tensors(weights)
    masks = torch.ones(N, H, dtype=torch.float64) if mask is None else torch.tensor(mask)
    outputs, last = [], []
    for n, length in enumerate(LENGTHS):
        one, c = given["h0"][n], given["c0"][n]
        steps = []
        for t in range(length):
            one, c = step(given["x"][n, t], one, c, w, masks[n])
            steps.append(one)
        outputs.append(torch.stack([*steps, *[torch.zeros(H, dtype=torch.float64)] * (T - length)]))
        last.append(torch.stack([one, c]))
    found = {"h": torch.stack(outputs), **dict(zip(("h_T", "c_T"), torch.stack(last, 1)))}
    sum((found[name] * torch.tensor(d)).sum() for name, d in upstream.items()).backward()
    expected = [*(array.detach().numpy() for array in found.values())]
    expected += [one.grad.numpy() for one in [*given.values(), *w.values()]]
    assert_all_close([h, *state_T, dx, *dstate, *grads], expected, TOLERANCE)
    assert all(not dx[n, length:].any() for n, length in enumerate(LENGTHS))
