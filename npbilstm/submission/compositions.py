"""Compositions: what courses ask for in one function, made of the textbook's.

A plain RNN over symbols with an output layer and its loss, as a character model has it; and parts of that. Each gives
the pair by names for `functions` that are called as the textbook's are, so that a mistake planted in one of them shows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.submission.function_spec import Arrays, Pair
from npbilstm.textbook import rnn, truncated

BOTH = ("recurrent_forward", "recurrent_backward")
MADE_OF = (
    *("rnn_step_forward", "rnn_step_backward", "affine_forward", "affine_backward"),
    *("softmax_cross_entropy_forward", "softmax_cross_entropy_backward"),
)
"""The textbook's functions that these are made of, besides BOTH."""
OF_TRUNCATED = (
    *("step_forward", "step_backward", "sigmoid", "sigmoid_derivative", "backward_from_each_step"),
    *MADE_OF[2:],
)
"""Those that the truncated one is made of."""


def own(functions: Any, module: Any, name: str) -> Any:
    """A function that the textbook does not export, from what holds them all, or from its module."""
    return getattr(functions, name, getattr(module, name))


def char_rnn(functions: Any) -> Pair:
    """Symbols as one-hot vectors, a plain RNN, an output layer, and the cross-entropy summed over rows and steps."""

    def forward(inputs: Arrays) -> tuple[Arrays, Any]:
        x = np.eye(inputs["Wx"].shape[0])[inputs["ids"]]  # (N, T, V)
        params = textbook.RNNParams(inputs["Wx"], inputs["Wh"], inputs["b"])
        h, (h_T,), cache = functions.recurrent_forward(functions.rnn_step_forward, x, (inputs["h0"],), params)
        logits, output = functions.affine_forward(h, inputs["Wy"], inputs["by"])
        mean, entropy = functions.softmax_cross_entropy_forward(logits, inputs["targets"])
        M = inputs["targets"].size
        return {"loss": np.asarray(M * mean), "h_T": h_T}, (cache, output, entropy, M)

    def backward(upstream: Arrays, caches: Any) -> Arrays:
        cache, output, entropy, M = caches
        dlogits = functions.softmax_cross_entropy_backward(M * upstream["loss"], entropy)
        dh, dWy, dby = functions.affine_backward(dlogits, output)
        _, (dh0,), grads = functions.recurrent_backward(functions.rnn_step_backward, dh, (upstream["h_T"],), cache)
        return {"h0": dh0, "Wx": grads.Wx, "Wh": grads.Wh, "b": grads.b, "Wy": dWy, "by": dby}

    return Pair(forward, backward)


def rnn_classifier(functions: Any) -> Pair:
    """Two layers of a plain RNN, the second on the first's outputs, and an affine map of the last step."""

    def forward(inputs: Arrays) -> tuple[Arrays, Any]:
        h, caches = inputs["x"], []
        for layer, h0 in zip(("first", "second"), inputs["h0"]):
            params = textbook.RNNParams(*(inputs[f"{layer}.{name}"] for name in textbook.RNNParams._fields))
            h, _, cache = functions.recurrent_forward(functions.rnn_step_forward, h, (h0,), params)
            caches.append(cache)
        logits, output = functions.affine_forward(h[:, -1], inputs["Wy"], inputs["by"])
        return {"logits": logits}, (caches, output, h.shape)

    def backward(upstream: Arrays, held: Any) -> Arrays:
        caches, output, shape = held
        dh_T, dWy, dby = functions.affine_backward(upstream["logits"], output)
        dh = np.zeros(shape)
        found, states = {"Wy": dWy, "by": dby}, []
        for layer, cache in zip(("second", "first"), reversed(caches)):
            dh, (dh0,), grads = functions.recurrent_backward(functions.rnn_step_backward, dh, (dh_T,), cache)
            dh_T = np.zeros_like(dh_T)
            found |= {f"{layer}.{name}": grad for name, grad in grads._asdict().items()}
            states.append(dh0)
        return {"x": dh, "h0": np.stack(states[::-1]), **found}

    return Pair(forward, backward)


def truncated_rnn(functions: Any) -> Pair:
    """The same with the logistic function, without biases, from a state of 0; each step's loss goes back
    so many steps and no further."""
    step_forward, step_backward = (own(functions, rnn, name) for name in ("step_forward", "step_backward"))
    from_each_step = own(functions, truncated, "backward_from_each_step")

    def forward(inputs: Arrays) -> tuple[Arrays, Any]:
        x = np.eye(inputs["Wx"].shape[0])[inputs["ids"]]
        N, T, _ = x.shape
        H, V = inputs["Wy"].shape
        params = rnn.RNNParams(inputs["Wx"], inputs["Wh"], np.zeros(H))
        h, caches = np.zeros((N, H)), []
        for t in range(T):
            h, cache = step_forward(functions.sigmoid, x[:, t], h, params, None)
            caches.append(cache)
        states = np.stack([cache.h for cache in caches], axis=1)
        logits, output = functions.affine_forward(states, inputs["Wy"], np.zeros(V))
        mean, entropy = functions.softmax_cross_entropy_forward(logits, inputs["targets"])
        M, steps = inputs["targets"].size, int(inputs.get("steps", np.zeros(())))
        return {"loss": np.asarray(M * mean)}, (caches, output, entropy, M, steps)

    def backward(upstream: Arrays, held: Any) -> Arrays:
        caches, output, entropy, M, steps = held
        dlogits = functions.softmax_cross_entropy_backward(M * upstream["loss"], entropy)
        dh, dWy, _ = functions.affine_backward(dlogits, output)
        grads = from_each_step(lambda *given: step_backward(functions.sigmoid_derivative, *given), dh, caches, steps)
        return {"Wx": grads.Wx, "Wh": grads.Wh, "Wy": dWy}

    return Pair(forward, backward)


def softmax_output(functions: Any) -> Pair:
    """The softmax of an affine map, forward alone."""

    def forward(inputs: Arrays) -> tuple[Arrays, Any]:
        logits, _ = functions.affine_forward(inputs["x"], inputs["Wy"], inputs["by"])
        e = np.exp(logits - logits.max(axis=-1, keepdims=True))
        return {"probabilities": e / e.sum(axis=-1, keepdims=True)}, None

    return Pair(forward, None)
