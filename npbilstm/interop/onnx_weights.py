"""How ONNX's nodes LSTM, GRU and RNN hold one layer's weights: S directions above each other, G blocks of gates.

    ours, x W + h W + b             ONNX's, x W^T + h R^T + Wb + Rb
    Wx  (D, GH)                     W  (S, GH, D)
    Wh  (H, GH)                     R  (S, GH, H)
    b   (GH,)                       B  (S, 2GH) = [Wb, Rb]
    p   (3H,), blocks i, f, o       P  (S, 3H), blocks i, o, f

    LSTM   i, o, f, c      ours are i, f, g, o
    GRU    z, r, h         ours are r, z, n
    RNN    one

Ours go out as Wb = b and Rb = 0, but for n of the GRU with linear_before_reset=1 (reset after the product): b_hn is its
Rb. An LSTM with coupled gates (input_forget=1, f = 1 - i) has four blocks all the same. f is written as minus i: a
sigmoid of -a is 1 minus that of a, so that a runtime that does not look at input_forget computes the same.

(https://onnx.ai/onnx/operators/onnx__LSTM.html, onnx__GRU.html, onnx__RNN.html.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.interop.parts import Arrays, cell_of, reordered, transposed_copy

ORDER = {"lstm": (0, 3, 1, 2), "gru": (1, 0, 2), "rnn": (0,)}
"""Where ONNX's blocks stand in ours."""

BACK = {cell: tuple(int(k) for k in np.argsort(order)) for cell, order in ORDER.items()}
"""Where ours stand in ONNX's."""


def with_forget(w: np.ndarray, blocks: int) -> np.ndarray:
    """A block for the forget gate after the first of `blocks`, i, which is minus it."""
    i, *others = np.split(w, blocks, axis=-1)
    return np.concatenate([i, -i, *others], axis=-1)


def without_forget(w: np.ndarray, blocks: int) -> np.ndarray:
    """The second of `blocks` taken out: with_forget's inverse."""
    i, _, *others = np.split(w, blocks, axis=-1)
    return np.concatenate([i, *others], axis=-1)


def to_node(layer: Any, k: int) -> Arrays:
    """Layer k's weights as a node's inputs: W, R, B unless bias=False, P with peepholes."""
    cell, coupled = cell_of(layer), getattr(layer, "coupled", False)

    def theirs(w: np.ndarray) -> np.ndarray:
        return reordered(with_forget(w, 3) if coupled else w, ORDER[cell])

    directions = []
    for direction in layer.directions:
        ours = {name: f"{k}.{direction}.{name}" for name in ("Wx", "Wh", "b", "b_hn", "p")}
        own = {name: layer.params[key] for name, key in ours.items() if key in layer.params}
        node = {"W": transposed_copy(theirs(own["Wx"])), "R": transposed_copy(theirs(own["Wh"]))}
        if layer.bias:
            b = theirs(own["b"])
            b_hh = np.zeros_like(b)
            if "b_hn" in own:
                b_hh[-layer.hidden_size :] = own["b_hn"]
            node["B"] = np.concatenate([b, b_hh])
        if "p" in own:
            node["P"] = reordered(with_forget(own["p"], 2) if coupled else own["p"], (0, 2, 1))
        directions.append(node)
    return {name: np.stack([node[name] for node in directions]) for name in directions[0]}


def from_node(layer: Any, k: int, node: Arrays) -> Arrays:
    """Layer k's part of layer.params, given a node's inputs with the shapes that to_node has: to_node's inverse."""
    cell, coupled, H = cell_of(layer), getattr(layer, "coupled", False), layer.hidden_size

    def ours(w: np.ndarray) -> np.ndarray:
        w = reordered(w, BACK[cell])
        return without_forget(w, 4) if coupled else w

    params: Arrays = {}
    for s, direction in enumerate(layer.directions):
        own = {"Wx": ours(node["W"][s].T), "Wh": ours(node["R"][s].T)}
        if layer.bias:
            b_ih, b_hh = np.split(node["B"][s], 2)
            b = b_ih + b_hh
            if getattr(layer, "reset_after", False):
                b[-H:] = b_ih[-H:]
                own["b_hn"] = b_hh[-H:].copy()
            own["b"] = ours(b)
        if "P" in node:
            p = reordered(node["P"][s], (0, 2, 1))
            own["p"] = without_forget(p, 3) if coupled else p
        params.update({f"{k}.{direction}.{name}": np.array(w, order="C") for name, w in own.items()})
    return params
