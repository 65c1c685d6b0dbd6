"""What each layout must do, as checks that raise AssertionError or ValueError: shared by tests and planted bugs.

Each takes the module under test, so that a planted one can stand in its place.
"""

from __future__ import annotations

import numpy as np

from tests.cases import assert_close
from tests.interop.drawing import LAYERS, assert_same, not_told
from tests.interop.peers import keras_step, onnx_step, own_step, pytorch_step, random_state


def cell_name(layer):
    return next(name for name, make in LAYERS.items() if isinstance(layer, make))


def random_like(arrays, seed=3):
    """Other numbers in the same shapes: two biases of which none is zero."""
    rng = np.random.default_rng(seed)
    return [(0.5 * rng.standard_normal(a.shape)).astype(a.dtype) for a in arrays]


def agree(layer, step):
    """step(s, x, h, c) -> h, c is the peer's step in direction s; layer is ours, of one layer and in float64."""
    x, (h, c) = random_state(layer)
    got = own_step(layer, x, (h, c))
    for s in range(len(layer.directions)):
        for ours, theirs in zip(got, step(s, x, h[s], c[s])):
            assert_close(ours[s], theirs)


def check_pytorch(pytorch, layer):
    """Round trip; and one step by PyTorch's equations, of our weights there and of theirs here."""
    options = {name: value for name, value in not_told(layer).items() if name != "reset_after"}
    assert_same(layer, pytorch.from_pytorch(pytorch.to_pytorch(layer), **options))
    if layer.num_layers > 1 or next(iter(layer.params.values())).dtype != np.float64:
        return
    cell, nonlinearity = cell_name(layer), getattr(layer, "nonlinearity", None)

    def step_of(state):
        ends = ["_l0", "_l0_reverse"]
        return lambda s, x, h, c: pytorch_step(state, ends[s], cell, nonlinearity, x, h, c)

    ours = pytorch.to_pytorch(layer)
    agree(layer, step_of(ours))
    theirs = dict(zip(ours, random_like(ours.values())))
    agree(pytorch.from_pytorch(theirs, **options), step_of(theirs))


def check_keras(keras, layer):
    """Round trip; and one step by Keras's equations, of our weights there and of theirs here."""
    cell, nonlinearity = cell_name(layer), getattr(layer, "nonlinearity", None)
    reset_after = getattr(layer, "reset_after", None)
    options = {**not_told(layer), "bidirectional": len(layer.directions) == 2, "bias": layer.bias}
    if cell == "gru":
        options["reset_after"] = reset_after
    assert_same(layer, keras.from_keras(keras.to_keras(layer), cell, **options))
    if layer.num_layers > 1 or next(iter(layer.params.values())).dtype != np.float64:
        return

    def step_of(weights):
        each = len(weights) // len(layer.directions)
        return lambda s, x, h, c: keras_step(
            weights[s * each : (s + 1) * each], cell, reset_after, nonlinearity, x, h, c
        )

    ours = keras.to_keras(layer)
    agree(layer, step_of(ours))
    theirs = random_like(ours)
    agree(keras.from_keras(theirs, cell, **options), step_of(theirs))


def check_onnx(onnx_weights, layer):
    """Round trip; and one step by ONNX's equations, of our weights there and of theirs here."""
    params = {}
    for k in range(layer.num_layers):
        params.update(onnx_weights.from_node(layer, k, onnx_weights.to_node(layer, k)))
    assert_same(layer, layer.with_params({name: params[name] for name in layer.params}))
    if layer.num_layers > 1 or next(iter(layer.params.values())).dtype != np.float64:
        return
    attributes = [getattr(layer, name, None) for name in ("coupled", "reset_after", "nonlinearity")]

    def step_of(node):
        return lambda s, x, h, c: onnx_step(node, s, cell_name(layer), *attributes, x, h, c)

    ours = onnx_weights.to_node(layer, 0)
    agree(layer, step_of(ours))
    theirs = dict(zip(ours, random_like(ours.values())))
    agree(layer.with_params(onnx_weights.from_node(layer, 0, theirs)), step_of(theirs))
