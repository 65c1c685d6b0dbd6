"""The engines that race: for each, one training step and one inference of a bidirectional LSTM, or GRU, as its own
users write it.

Each maker takes a Shape, and options where it has some (settings.py), and gives a pair of functions without arguments,
(train, infer), float32 throughout. Training is forward and backward with gradients for x and all weights, no
optimizer. Packages are imported where they are used: a worker process has one engine in it and no other.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from tests.benchmarks.floor import products, tanh_passes
from tests.benchmarks.shapes import Pair, Shape, arrays


def npbilstm(shape: Shape) -> Pair:
    """This engine, through its layers."""
    import npbilstm as nb

    x, dy = arrays(shape)
    layer = getattr(nb, shape.cell)(shape.D, shape.H, shape.layers, bidirectional=True, rng=0)
    linear = nb.Linear(2 * shape.H, shape.outputs, rng=0) if shape.outputs else None

    def train() -> None:
        y, _, cache = layer.forward(x, training=True)
        d = dy
        if linear:
            _, above = linear.forward(y)
            d, _ = linear.backward(dy, above)
        layer.backward(d, cache)

    def infer() -> None:
        y = layer.forward(x)[0]
        if linear:
            linear.forward(y)

    return train, infer


def per_gate_loop(shape: Shape) -> Pair:
    """The plain loop: one row at a time, one step at a time, one gate at a time (textbook/one_sequence.py)."""
    from npbilstm import textbook

    x, dy = arrays(shape)
    rng = np.random.default_rng(0)
    H, D = shape.H, shape.D

    def direction() -> Any:
        Wx, Wh, b = (0.1 * rng.standard_normal(s, dtype=np.float32) for s in [(4, H, D), (4, H, H), (4, H)])
        return textbook.GateParams(Wx, Wh, b)

    forward, reverse = direction(), direction()

    def infer() -> list[Any]:
        return [textbook.sequence_bilstm_forward(list(row), forward, reverse) for row in x]

    def train() -> None:
        for row, drow in zip(x, dy):
            _, caches = textbook.sequence_bilstm_forward(list(row), forward, reverse)
            textbook.sequence_bilstm_backward(list(drow), caches, forward, reverse)

    return train, infer


def pytorch(shape: Shape, batch_first: bool = True) -> Pair:
    """torch.nn, rows first as everywhere here, or time first, which is its own default."""
    import torch

    x, dy = map(torch.from_numpy, arrays(shape))
    if not batch_first:
        x, dy = (array.transpose(0, 1).contiguous() for array in (x, dy))
    make = getattr(torch.nn, shape.cell)
    parts: list[Any] = [make(shape.D, shape.H, shape.layers, batch_first=batch_first, bidirectional=True)]
    if shape.outputs:
        parts.append(torch.nn.Linear(2 * shape.H, shape.outputs))
    weights = [weight for part in parts for weight in part.parameters()]
    wanted = x.clone().requires_grad_()

    def run(x: Any) -> Any:
        y = parts[0](x)[0]
        return parts[1](y) if shape.outputs else y

    def train() -> None:
        torch.autograd.grad(run(wanted), [wanted, *weights], dy)

    def infer() -> None:
        with torch.inference_mode():
            run(x)

    return train, infer


def jax(shape: Shape, before: bool = False) -> Pair:
    """lax.scan under jit; the input's product inside the scan, or `before` it for all steps at once."""
    import jax
    import jax.numpy as jnp

    x, dy = map(jnp.asarray, arrays(shape))
    rng = np.random.default_rng(0)

    def draw(*dimensions: int) -> Any:
        return jnp.asarray(0.1 * rng.standard_normal(dimensions, dtype=np.float32))

    H = shape.H
    sizes = [shape.D] + [2 * H] * (shape.layers - 1)
    layers = [[(draw(D, 4 * H), draw(H, 4 * H), draw(4 * H)) for _ in range(2)] for D in sizes]
    linear = (draw(2 * H, shape.outputs), draw(shape.outputs)) if shape.outputs else None

    def direction(x: Any, weights: Any, reverse: bool) -> Any:
        Wx, Wh, b = weights

        def step(state: Any, x_t: Any) -> Any:
            h, c = state
            share = x_t if before else x_t @ Wx + b
            i, f, g, o = jnp.split(share + h @ Wh, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        zeros = jnp.zeros((x.shape[1], H), x.dtype)
        return jax.lax.scan(step, (zeros, zeros), x @ Wx + b if before else x, reverse=reverse)[1]

    def run(x: Any, layers: Any, linear: Any) -> Any:
        y = x.swapaxes(0, 1)
        for forward, reverse in layers:
            y = jnp.concatenate([direction(y, forward, False), direction(y, reverse, True)], axis=-1)
        y = y.swapaxes(0, 1)
        return y @ linear[0] + linear[1] if linear else y

    @jax.jit
    def gradients(x: Any, layers: Any, linear: Any, dy: Any) -> Any:
        y, pull = jax.vjp(run, x, layers, linear)
        return y, pull(dy)

    outputs = jax.jit(run)
    return (
        lambda: jax.block_until_ready(gradients(x, layers, linear, dy)),
        lambda: jax.block_until_ready(outputs(x, layers, linear)),
    )


def keras_model(shape: Shape) -> Any:
    import keras

    parts: list[Any] = [keras.Input((shape.T, shape.D), batch_size=shape.N)]
    for _ in range(shape.layers):
        parts.append(keras.layers.Bidirectional(keras.layers.LSTM(shape.H, return_sequences=True)))
    if shape.outputs:
        parts.append(keras.layers.Dense(shape.outputs))
    return keras.Sequential(parts)


def keras_torch(shape: Shape) -> Pair:
    os.environ["KERAS_BACKEND"] = "torch"
    model = keras_model(shape)
    import torch

    x, dy = map(torch.from_numpy, arrays(shape))
    wanted = x.clone().requires_grad_()
    weights = [variable.value for variable in model.trainable_variables]

    def train() -> None:
        torch.autograd.grad(model(wanted), [wanted, *weights], dy)

    def infer() -> None:
        with torch.inference_mode():
            model(x)

    return train, infer


def keras_jax(shape: Shape) -> Pair:
    os.environ["KERAS_BACKEND"] = "jax"
    model = keras_model(shape)
    import jax
    import jax.numpy as jnp

    x, dy = map(jnp.asarray, arrays(shape))
    trainable = [variable.value for variable in model.trainable_variables]
    rest = [variable.value for variable in model.non_trainable_variables]

    def run(x: Any, trainable: Any) -> Any:
        return model.stateless_call(trainable, rest, x)[0]

    @jax.jit
    def gradients(x: Any, trainable: Any, dy: Any) -> Any:
        y, pull = jax.vjp(run, x, trainable)
        return y, pull(dy)

    outputs = jax.jit(run)
    return (
        lambda: jax.block_until_ready(gradients(x, trainable, dy)),
        lambda: jax.block_until_ready(outputs(x, trainable)),
    )


ENGINES: dict[str, Callable[..., Pair]] = {
    "npbilstm": npbilstm,
    "products": products,
    "tanh": tanh_passes,
    "loop": per_gate_loop,
    "pytorch": pytorch,
    "jax": jax,
    "keras-torch": keras_torch,
    "keras-jax": keras_jax,
}

NEEDS = {
    "pytorch": ["torch"],
    "jax": ["jax"],
    "keras-torch": ["keras", "torch"],
    "keras-jax": ["keras", "jax"],
}
"""The packages without which an engine cannot start."""
