"""Keras on PyTorch as the judge: outputs, final states and every gradient, for all options that Keras has too.

Keras multiplies most matrices in float32 there, those of float64 too.
"""

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.interop import keras as layout
from npbilstm.interop import to_keras
from npbilstm.layers import merge
from tests.cases import assert_all_close, assert_close
from tests.interop.drawing import recurrent_layers, with_random_weights
from tests.oracles.peers import arrays, keras_of, keras_stack, valid
from tests.planting import planted

torch = pytest.importorskip("torch", reason="torch is not installed (group oracles)")
keras = pytest.importorskip("keras", reason="keras is not installed (group oracles)")

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation")  # how Keras reads PyTorch's tensors

TOLERANCE = 1e-5


def as_list(parts):
    return list(parts) if isinstance(parts, (tuple, list)) else [parts]


def by_directions(state, k, S):
    """Layer k's part of a state of ours as Keras has it: [h, c] of the forward direction, then of the reverse one."""
    return [part[k * S + s] for s in range(S) for part in as_list(state)]


def as_keras_gradients(layer, grads, to_keras=to_keras):
    """Our gradients in Keras's layout. Where a GRU has two biases, z and r take the gradient through each of them."""
    arrays = to_keras(layer.with_params(grads))
    if any(name.endswith("b_hn") for name in grads):
        for bias in arrays[2::3]:
            bias[1, : 2 * layer.hidden_size] = bias[0, : 2 * layer.hidden_size]
    return arrays


def drawn(layer, N, T, with_state, seed):
    """x, a state or None, and upstream gradients for the output and the final state, as flat lists."""
    rng = np.random.default_rng(seed)
    S = layer.num_layers * len(layer.directions)
    features = layer.features(layer.num_layers - 1)
    state = [rng.standard_normal((S, N, layer.hidden_size)) for _ in layer.state_parts]
    dy = [rng.standard_normal((N, T, features)) for _ in range(1 if layer.merge else len(layer.directions))]
    dfinal = [rng.standard_normal(part.shape) for part in state]
    return rng.standard_normal((N, T, layer.input_size)), state if with_state else None, dy, dfinal


def ours(layer, x, lengths, state, dy, dfinal, to_keras=to_keras, rng=None):
    """Outputs, final states, dx, dstate and the gradients of all weights, in Keras's order."""
    one = len(layer.state_parts) == 1
    given = None if state is None else state[0] if one else state
    y, final, cache = layer.forward(x, lengths, given, training=True, rng=rng)
    dx, grads, dinitial = layer.backward(dy[0] if len(dy) == 1 else dy, cache, dfinal[0] if one else dfinal)
    S, levels = len(layer.directions), range(layer.num_layers)
    states = [[part for k in levels for part in by_directions(s, k, S)] for s in (final, dinitial)]
    return as_list(y), states[0], dx, states[1] if state else [], as_keras_gradients(layer, grads, to_keras)


def drops(one, input_mask):
    """Let the cells of a layer of Keras take this mask (N, D) in the place of one that they draw."""
    for each in [one] if hasattr(one, "cell") else [one.forward_layer, one.backward_layer]:
        each.cell.dropout = 0.5  # any: that there is dropout
        each.cell.get_dropout_mask = lambda inputs: torch.tensor(input_mask)


def by_keras(layer, x, lengths, state, dy, dfinal, to_keras=to_keras, input_masks=()):
    stack = keras_stack(layer, to_keras(layer))
    for one, input_mask in zip(stack, input_masks):
        drops(one, input_mask)
    mask = valid(lengths, x.shape[1])
    x = torch.tensor(x, requires_grad=True)
    S = len(layer.directions)
    y, finals, initials, loss = [x], [], [], 0
    for k, one in enumerate(stack):
        initial = None
        if state is not None:
            initial = [torch.tensor(part, requires_grad=True) for part in by_directions(state, k, S)]
            initials += initial
        out = one(y[0], mask=mask, initial_state=initial, training=bool(input_masks))
        count = S * len(layer.state_parts)
        y, final = out[:-count], list(out[-count:])
        finals += final
        loss += sum((h * torch.tensor(dh)).sum() for h, dh in zip(final, by_directions(dfinal, k, S)))
    (loss + sum((part * torch.tensor(d)).sum() for part, d in zip(y, dy))).backward()
    dweights = [w.value.grad.numpy() for one in stack for w in one.weights]
    return (*arrays([list(y), finals]), x.grad.numpy(), [part.grad.numpy() for part in initials], dweights)


@st.composite
def batches(draw):
    """N, T; lengths absent or ragged, zero included; whether there is an initial state; a seed."""
    N, T = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=N, max_size=N).map(np.array))
    return N, T, lengths, draw(st.booleans()), draw(st.integers(0, 2**32 - 1))


@settings(max_examples=200)
@given(recurrent_layers(variants=False, dtypes=["f8"], deep=2), batches())
def test_layers_agree_with_keras_forward_and_in_every_gradient(layer, batch):
    N, T, lengths, with_state, seed = batch
    x, *rest = drawn(layer, N, T, with_state, seed)
    assert_all_close(ours(layer, x, lengths, *rest), by_keras(layer, x, lengths, *rest), TOLERANCE)


@settings(max_examples=50)
@given(recurrent_layers(variants=False, dtypes=["f8"], deep=2), batches())
def test_input_dropout_is_keras_dropout_where_the_masks_are_the_same(layer, batch):
    N, T, lengths, with_state, seed = batch
    layer.input_dropout = 0.5
    x, *rest = drawn(layer, N, T, with_state, seed)
    _, _, cache = layer.forward(x, lengths, training=True, rng=seed)
    masks = [one.scaled_mask[:, 0] for one in cache.stack]
    mine, theirs = ours(layer, x, lengths, *rest, rng=seed), by_keras(layer, x, lengths, *rest, input_masks=masks)
    assert_all_close(mine, theirs, TOLERANCE)


@settings(max_examples=150)
@given(recurrent_layers(variants=False, dtypes=["f8"], deep=1, merges=["concat"]), batches())
def test_go_backwards_is_our_flip_going_in_and_not_put_back(layer, batch):
    N, T, lengths, _, seed = batch
    assume(len(layer.directions) == 1)
    x = np.random.default_rng(seed).standard_normal((N, T, layer.input_size))
    peer = keras_of(layer, go_backwards=True, zero_output_for_mask=True, dtype="float64")
    out, *final = arrays(peer(torch.tensor(x), mask=valid(lengths, T)))
    y, state, _ = layer.forward(nb.flip(x, lengths), lengths)
    assert_close(out, nb.flip(y, lengths)[:, ::-1], TOLERANCE)  # the last step first, padding before it
    assert_all_close(final, by_directions(state, 0, 1), TOLERANCE)


@settings(max_examples=150)
@given(recurrent_layers(variants=False, dtypes=["f8"], deep=1), batches())
def test_without_return_sequences_keras_gives_our_final_h_merged(layer, batch):
    N, T, lengths, _, seed = batch
    x = np.random.default_rng(seed).standard_normal((N, T, layer.input_size))
    peer = keras_of(layer, return_sequences=False, return_state=False, dtype="float64")
    last = peer(torch.tensor(x), mask=valid(lengths, T))
    _, state, _ = layer.forward(x, lengths)
    h_n = as_list(state)[0].transpose(1, 0, 2)[:, None]  # (N, 1, S, H)
    expected = as_list(merge.merge_forward(h_n, layer.merge))
    assert_all_close(as_list(arrays(last)), [part[:, 0] for part in expected], TOLERANCE)


LAYERS = [
    nb.BiLSTM(3, 2, 2, dtype=np.float64, rng=0),
    nb.BiLSTM(3, 2, merge="ave", dtype=np.float64, rng=0),
    nb.BiLSTM(3, 2, merge="mul", dtype=np.float64, rng=0),
    nb.GRU(3, 2, bidirectional=True, dtype=np.float64, rng=0),
    nb.GRU(3, 2, reset_after=False, dtype=np.float64, rng=0),
]

BUGS = {
    "ave is a sum": (merge, "return (h_fwd + h_rev) / 2", "return h_fwd + h_rev"),
    "ave's gradient is the sum's": (merge, 'both / 2 if merge == "ave" else both', "both"),
    "mul's factors are not swapped": (merge, "both *= y[:, :, ::-1]", "both *= y"),
    "mul is a sum": (merge, "return h_fwd * h_rev", "return h_fwd + h_rev"),
    "forward and reverse swapped": (
        merge,
        "return y.reshape(N, T, S * H)",
        "return y[:, :, ::-1].reshape(N, T, S * H)",
    ),
    "their z is our r": (layout, '"gru": (1, 0, 2)', '"gru": (0, 1, 2)'),
    "their c is our o": (layout, '"lstm": (0, 1, 2, 3)', '"lstm": (0, 1, 3, 2)'),
    "b_hn beside r": (layout, 'recurrent[2 * layer.hidden_size :] = own["b_hn"]', 'recurrent[-1:] = own["b_hn"][:1]'),
    "one direction for both": (layout, 'f"{k}.{direction}"', 'f"{k}.forward"'),
}


def agrees(layer, to_keras):
    layer = with_random_weights(layer, 1)
    x, *rest = drawn(layer, 3, 4, True, 2)
    lengths = np.array([4, 2, 0])
    try:
        mine, theirs = (each(layer, x, lengths, *rest, to_keras) for each in (ours, by_keras))
        assert_all_close(mine, theirs, TOLERANCE)
    except (AssertionError, ValueError):
        return False
    return True


def test_the_layers_of_the_plants_agree_without_one():
    assert all(agrees(layer, to_keras) for layer in LAYERS)


@pytest.mark.parametrize("bug", BUGS)
def test_keras_sees_every_planted_bug(bug, monkeypatch):
    module, old, new = BUGS[bug]
    changed = planted(module, old, new)
    if module is merge:
        for name in ("merge_forward", "merge_backward"):
            monkeypatch.setattr(f"npbilstm.layers.stack.{name}", getattr(changed, name))
    assert not all(agrees(layer, changed.to_keras if module is layout else to_keras) for layer in LAYERS)
