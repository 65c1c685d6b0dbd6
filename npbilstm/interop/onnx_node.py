"""One recurrent node of ONNX: its weights, and what its attributes ask of a layer here."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from npbilstm.interop.onnx_directions import SLOPES, USUAL
from npbilstm.interop.onnx_graph import require_onnx
from npbilstm.interop.onnx_scopes import Site
from npbilstm.interop.onnx_values import CannotRunError, Values
from npbilstm.interop.parts import Arrays, as_arrays

KNOWN = ("hidden_size", "direction", "layout", "input_forget", "linear_before_reset", "clip")
ACTIVATIONS = ("activations", "activation_alpha", "activation_beta")
"""The attributes that a node may have here."""

GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}

CANNOT_BIND = 1000.0
"""Of what passes this, up or down, a sigmoid or tanh makes the same as of this, in float64 too."""


class Node(NamedTuple):
    """A node as a layer here: its weights W (S, GH, D), R (S, GH, H), B, P; the layer's options; batch_first: x has its
    rows first (layout=1); lengths: the name of its lengths, None where all rows have T steps."""

    site: Site
    weights: Arrays
    options: dict[str, Any]
    batch_first: bool
    lengths: str | None = None

    @property
    def directions(self) -> int:
        """S."""
        return len(self.weights["W"])

    @property
    def sizes(self) -> tuple[int, int]:
        """What it reads and what each direction puts out at a step: D, H."""
        return self.weights["W"].shape[2], self.weights["R"].shape[2]


def read_node(site: Site, values: Values) -> Node:
    """A node read. Raises ValueError, naming it, for what a layer here has not."""
    onnx = require_onnx()
    kind = site.node.op_type
    for attribute in site.node.attribute:
        if attribute.ref_attr_name or attribute.name not in (*KNOWN, *ACTIVATIONS):
            raise ValueError(f"{site} has the attribute {attribute.name}, which no layer here has")
    given = {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in site.node.attribute}
    weights = weights_of(site, values)
    direction = as_text(given.get("direction", b"forward"))
    if direction not in ("forward", "reverse", "bidirectional"):
        raise ValueError(
            f'the direction of {site} is "{direction}"; it needs to be "forward", "reverse" or "bidirectional"'
        )
    S = 2 if direction == "bidirectional" else 1
    require_sizes(site, weights, S, given.get("hidden_size"))
    activations = activations_of(site, S, given)
    require_no_clip(site, given.get("clip"), activations)
    options: dict[str, Any] = {"bidirectional": S == 2, "reverse": direction == "reverse", "bias": "B" in weights}
    if kind == "GRU":
        options["reset_after"] = bool(given.get("linear_before_reset", 0))
    if kind == "LSTM":
        options |= {"coupled": bool(given.get("input_forget", 0)), "peepholes": "P" in weights}
    options |= layer_activations(site, activations)
    return Node(site, weights, options, bool(given.get("layout", 0)))


def as_text(raw: Any) -> str:
    """A text as an attribute holds it."""
    return raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)


def weights_of(site: Site, values: Values) -> Arrays:
    """A node's W, R, B, P as arrays. Raises ValueError where one is neither in the file nor given."""
    weights: Arrays = {}
    for role in ("X", "W", "R"):
        if role not in site.roles:
            raise ValueError(f"{site} has no {role}")
    for role in ("W", "R", "B", "P"):
        if role in site.roles:
            weights[role] = weight_of(site, role, site.roles[role], values)
    return as_arrays(f"the weights of {site}", weights)


def weight_of(site: Site, role: str, name: str, values: Values) -> np.ndarray:
    """One of a node's weights: a constant, moved perhaps; or given for an input of the graph."""
    home = site.scope.home(name)
    if home is not None and name in home.given:
        return np.asarray(home.given[name])
    if site.scope.is_constant(name):
        try:
            return site.scope.constant(name)
        except ValueError as error:
            raise ValueError(f"the {role} of {site}, {error}") from error
    if home is not None and name in home.inputs:
        how = f"; in Python, from_onnx(path, inputs={{{name!r}: array}}) does"
        of = f"of {home.where}" if home.where else "of the graph"
        raise ValueError(
            f"the {role} of {site} is {name!r}, an input {of} that has no value in the file"
            f"{'; it needs to be a constant' if home.where else '. Give it one' + how}"
        )
    try:
        values.budget.make(values[name].size)
        return values[name]
    except CannotRunError as error:
        raise ValueError(f"the {role} of {site} is computed ({error}); it needs to be a constant") from error


def require_sizes(site: Site, weights: Arrays, S: int, hidden_size: int | None) -> None:
    """Raise ValueError unless the weights have the shapes of a node with S directions and this hidden size."""
    G = GATES[site.node.op_type]
    for role in ("W", "R"):
        if weights[role].ndim != 3:
            raise ValueError(f"the {role} of {site} has shape {weights[role].shape}; it needs three axes")
    D, H = weights["W"].shape[2], weights["R"].shape[2]
    if hidden_size is not None and hidden_size != H:
        raise ValueError(f"{site} has hidden_size={hidden_size}, and R for {H} units")
    needed = {"W": (S, G * H, D), "R": (S, G * H, H), "B": (S, 2 * G * H), "P": (S, 3 * H)}
    for role, w in weights.items():
        if w.shape != needed[role] or not w.size:
            shape = needed[role] if w.shape != needed[role] else "no axis of size 0"
            raise ValueError(f"the {role} of {site} has shape {w.shape}; it needs {shape}")


Activation = tuple[str, float | None, float | None]
"""Its name in small letters, its alpha and beta, where it has them."""

PARAMETERS = {"hardsigmoid": (0.2, 0.5), "leakyrelu": (0.01, None), "elu": (1.0, None), "thresholdedrelu": (1.0, None)}
PARAMETERS |= {"affine": (1.0, 0.0), "scaledtanh": (1.0, 1.0)}
"""The alpha and beta of those activations that have them, where a node gives none."""


def activations_of(site: Site, S: int, given: dict[str, Any]) -> list[Activation]:
    """What each direction computes with. Raises ValueError where the directions differ."""
    usual = USUAL[site.node.op_type.lower()]
    names = [as_text(name).lower() for name in given.get("activations", [])] or usual * S
    alphas, betas = iter(given.get("activation_alpha", [])), iter(given.get("activation_beta", []))
    found: list[Activation] = []
    for name in names:  # which take their alpha and beta in this order, those that have them
        alpha, beta = PARAMETERS.get(name, (None, None))
        alpha = alpha if alpha is None else next(alphas, alpha)
        found.append((name, alpha, beta if beta is None else next(betas, beta)))
    each = len(usual)
    if len(found) != each * S:
        raise ValueError(f"{site} has {len(found)} activations; it needs {each * S}")
    if found[:each] * S != found:
        raise ValueError(
            f"the directions of {site} have other activations, {activations_in_words(found)}; all need to have the same"
        )
    return found[:each]


def activations_in_words(activations: list[Activation]) -> str:
    """Activations as a sentence names them."""
    own = {name.lower(): name for name in ("Sigmoid", "Tanh", "Relu", "HardSigmoid")}
    texts = []
    for name, alpha, beta in activations:
        numbers = [f"{what}={value:g}" for what, value in (("alpha", alpha), ("beta", beta)) if value is not None]
        texts.append(own.get(name, name) + (f" ({', '.join(numbers)})" if numbers else ""))
    return ", ".join(texts)


def require_no_clip(site: Site, clip: float | None, activations: list[Activation]) -> None:
    """Raise ValueError for a clip that may change what comes out: what an activation reads stays within -clip..clip."""
    if clip is None:
        return
    bounded = all(name in ("sigmoid", "tanh", "hardsigmoid") for name, *_ in activations)
    least = CANNOT_BIND if bounded else float(np.finfo(np.float32).max)
    if not clip >= least:
        raise ValueError(f"{site} has clip={clip:g}, which no layer here has; from {least:g} on it changes nothing")


def layer_activations(site: Site, activations: list[Activation]) -> dict[str, Any]:
    """The layer's options for the activations. Raises ValueError, naming them, for those that no layer here has."""
    ours = [our_name(*activation) for activation in activations]
    if None in ours or len(set(ours[1:])) > 1:
        why = f"of those a layer here has {', '.join(OURS)}, and one for all but the gates"
        raise ValueError(f"the activations of {site} are {activations_in_words(activations)}; {why}")
    if site.node.op_type == "RNN":
        return {"nonlinearity": ours[0]}
    return {"recurrent_activation": ours[0], "activation": ours[1]}


OURS = {
    "Sigmoid": "sigmoid",
    "Tanh": "tanh",
    "Relu": "relu",
    "HardSigmoid (alpha=0.2, beta=0.5)": "hard_sigmoid",
    "HardSigmoid (alpha=1/6, beta=0.5)": "hard_sigmoid_sixth",
}
"""ONNX's activations and their names here."""


def our_name(name: str, alpha: float | None, beta: float | None) -> str | None:
    """The name that an activation has here; None for one that is not here."""
    if name != "hardsigmoid":
        return name if name in ("sigmoid", "tanh", "relu") else None
    numbers = np.array([alpha, beta], float)
    return next((own for own, slope in SLOPES.items() if np.allclose(numbers, [slope, 0.5], atol=1e-6)), None)
