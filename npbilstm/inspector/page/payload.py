"""What the page knows: one sequence of a trace as a JSON object, small enough for a document.

Stored is only what the equations cannot derive: gates, states and the gradients that arrive at a step. All else the
page computes from the text of the equations.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from npbilstm.inspector.descriptions import QUANTITIES, description_of, gates_of
from npbilstm.inspector.indices import most_varying
from npbilstm.inspector.page.encoding import PRECISIONS, encode, encoded_size
from npbilstm.inspector.page.over_time import Picture
from npbilstm.inspector.page.what_if import head_arrays, what_if, why_not
from npbilstm.inspector.step_map import StepMap
from npbilstm.inspector.trace_data import TraceData
from npbilstm.inspector.transitions import transitions_of
from npbilstm.printable import printable

ARRIVING = ("dy", "dh_next", "dc_next")
"""The gradients that arrive at a step: from its output and from the step that is read next."""

MATRICES = ("Wx", "Wh", "Wp")
"""The weights that take room."""

LARGEST_DOCUMENT = 4_900_000
"""Characters, all of them ASCII, so that a document stays under 5 MB."""

MOST_TAGS = 60
"""Of a table that is shown; a larger one nobody reads."""

LEFT_OUT = {
    "beside": "the gradients over time of the model beside it are left out",
    "flow": "the gradients over time are left out",
    "influence": "the influence of the inputs is left out",
    "weights": "the weights are left out, so products with them are shown as totals only",
    "gradients": "the gradients are left out",
}
"""What a page that would be too large goes without, in this order."""

Parts = dict[str, dict[str, np.ndarray]]
"""The arrays of a page: arrays, weights, inputs, head, map_arrays, set; where there are, flow, beside and influence."""


def payload(trace: TraceData, row: int, pictures: Mapping[str, Picture], room: int) -> dict[str, Any]:
    """All that the page shows of one row, in at most LARGEST_DOCUMENT - room characters.

    pictures: of this row, each left out where it is not known
        flow, beside: {"dh", "dc"} (L, S, T, T), or (L, S, 1, T) of a classifier: |dL_t / dh_u| at [l, s, t, u]
        influence: {"x"} (T, T) or (1, T): the norm of d output_t / dx_u

    What does not fit is rounded, first to float32, then to 16 bits, then left out before it is made; the notes say so.
    Raises ValueError where nothing helps.
    """
    steps = int(trace.lengths[row])
    head = description(trace, row)
    room += len(json.dumps(head)) + 1000
    there = {"weights", *pictures, *(["gradients"] if trace.has_gradients else [])}
    gone: list[str] = []
    for plan in (*PRECISIONS, *LEFT_OUT):
        if plan in LEFT_OUT:
            if plan not in there:
                continue
            gone.append(plan)
        parts = row_arrays(trace, row, "weights" not in gone, "gradients" not in gone)
        kept = {name: picture for name, picture in pictures.items() if name not in gone}
        empty = {name: {k: np.broadcast_to(0.0, shape) for k, shape in p.shapes.items()} for name, p in kept.items()}
        precision = PRECISIONS[-1] if plan in LEFT_OUT else plan
        if room + characters_of(parts | empty, precision) <= LARGEST_DOCUMENT:
            parts |= {name: picture.make() for name, picture in kept.items()}
            head["what_if"] = what_if(trace, row, precision, "weights" not in gone)
            head["notes"] = ["numbers are rounded to 16 bits, about four digits"] if precision == "int16" else []
            head["notes"] += [LEFT_OUT[name] for name in gone]
            if not all(
                np.isfinite(array).all()
                for name, part in parts.items()
                if name != "map_arrays"
                for array in part.values()
            ):
                head["notes"].append("there are NaN or infinite numbers")
            if "gradients" in gone:
                head |= {"gradients": False, "equations": {"forward": trace.equations.forward, "backward": ()}}
            return head | {k: {name: encode(array, precision) for name, array in v.items()} for k, v in parts.items()}
    H, L = trace.layer.hidden_size, trace.layer.num_layers
    raise ValueError(
        f"row {row} has {steps} steps of {H} units in {L} layers, too much for a page under 5 MB; take fewer steps"
    )


def characters_of(parts: Parts, precision: str) -> int:
    """How many characters the arrays take, with their names."""
    return sum(encoded_size(array, precision) + 50 for part in parts.values() for array in part.values())


def description(trace: TraceData, row: int) -> dict[str, Any]:
    """The words and sizes of a page: everything but its arrays."""
    layer = trace.layer
    names = [name for name in QUANTITIES if name in trace.names]
    tokens = [printable(token) for token in trace.tokens[row]]
    blocks = {name.split(".")[-1]: "".join(letters) for name, letters in layer.blocks.items()}
    whole = "".join(tokens) if all(len(token) == 1 for token in tokens) else " ".join(tokens)
    numbered = tokens == [str(t) for t in range(len(tokens))]
    title = repr(layer) if numbered else " ".join(whole.split())
    return {
        "title": shortened(title),
        "cell": type(layer).__name__,
        "directions": list(trace.directions),
        "layers": layer.num_layers,
        "units": layer.hidden_size,
        "outputs": layer.output_size,
        "steps": len(tokens),
        "row": row,
        "rows": len(trace.lengths),
        "start": most_varying(trace, row=row),
        "embedded": trace.reads_symbols,
        "of_model": trace.is_of_model,
        "encoder": trace.seq2seq is not None,
        "map": None if trace.step_maps is None else map_description(trace.step_maps[row]),
        "tokens": tokens,
        "predicted": classes_shown(trace, trace.predicted, row),
        "true": classes_shown(trace, trace.target, row),
        "by_step": trace.output_is_by_step,
        **transitions_shown(trace),
        "classes": [printable(name) for name in trace.classes] if trace.model and trace.classes else None,
        "loss": trace.loss if trace.loss is not None and np.isfinite(trace.loss) else None,
        "gradients": trace.has_gradients,
        "equations": trace.equations._asdict(),
        "words": {name: description_of(layer, name) for name in trace.names},
        "widths": {name: trace[name].shape[-1] for name in trace.names},
        "maps": names,
        "gates": [name for name in names if name in gates_of(layer)],
        "blocks": blocks,
        "notes": [],
    }


def map_description(found: StepMap) -> dict[str, Any]:
    """The words of a map over the steps; its numbers are in the part map_arrays."""
    words = {name: getattr(found, name) for name in ("name", "title", "about", "down", "by", "equations")}
    return {
        **words,
        "fact": shortened(printable(found.fact)),
        "lines": [printable(line) for line in found.lines],
        "words": dict(found.words),
        "axes": {name: axes for name, (axes, _) in found.arrays.items()},
    }


def transitions_shown(trace: TraceData) -> dict[str, Any]:
    """The table of a CRF of at most MOST_TAGS, as numbers or, where they are not finite, as words; None for what is no
    pair, the end after the beginning. Its tags."""
    found = transitions_of(trace.model)
    if found is None or len(found) > MOST_TAGS + 1:
        return {"transitions": None}
    rows: list[list[Any]] = [
        [round(v, 4) if np.isfinite(v) else str(v) for v in row] for row in found.astype(float).tolist()
    ]
    rows[0][-1] = None
    return {"transitions": rows, "tags": [printable(name) for name in trace.class_names]}


def shortened(text: str) -> str:
    """At most 60 signs of it."""
    return text if len(text) <= 60 else f"{text[:59]}…"


def classes_shown(trace: TraceData, labels: np.ndarray | None, row: int) -> list[str] | str | None:
    """A class's name for each step of the row, or one for the whole row; None where nobody knows."""
    if labels is None:
        return None
    names = [printable(name) for name in trace.class_names]
    if labels.ndim == 1:
        return names[labels[row]]
    return [names[k] for k in labels[row, : trace.lengths[row]]]


def row_arrays(trace: TraceData, row: int, weights: bool, gradients: bool) -> Parts:
    """The row's arrays without its padding, (L, S, T, H), and what they are computed from.

    arrays: what the equations cannot derive, and without weights the products too. h_0 and c_0 (L, S, H): the state
    before the first step. inputs: of layer k, unless it is the outputs of the layer below side by side.
    """
    T = int(trace.lengths[row])
    texts = trace.equations.forward + (trace.equations.backward if gradients and trace.has_gradients else ())
    products = [text.split(" = ")[0] for text in texts if "@" in text]
    # what is computed again begins with the run's own h; one of float32, derived from o and c, is a rounding beside it
    needs_h = trace["h"].dtype != np.float64 and not why_not(trace, row, "own", weights)
    has_product = any(text.startswith("h = o * ") for text in texts)
    derived = {"h"} if has_product and not needs_h and "h" not in trace.settings else set()
    stored = [
        name
        for name in (*QUANTITIES, "q", *(ARRIVING if gradients else []), *([] if weights else products))
        if name in trace.names
    ]
    arrays = {name: trace[name][:, :, row, :T] for name in dict.fromkeys(stored) if name not in derived}
    for state in ("h", "c"):
        if f"{state}_prev" in trace.names:
            before = trace[f"{state}_prev"][:, :, row]
            first = [0 if direction == "forward" else T - 1 for direction in trace.directions]  # the step read first
            arrays[f"{state}_0"] = before[:, range(len(first)), first]
    inputs = {}
    for k, x in enumerate(trace.inputs):
        own = x[row, :T]
        if k == 0 or not np.array_equal(own, np.concatenate(list(trace["h"][k - 1, :, row, :T]), axis=-1)):
            inputs[str(k)] = own
    kept = {name: p for name, p in trace.layer.params.items() if weights or name.split(".")[-1] not in MATRICES}
    maps = {} if trace.step_maps is None else trace.step_maps[row].arrays
    parts = {"arrays": arrays, "weights": kept, "inputs": inputs if weights else {}}
    parts["head"] = head_arrays(trace) if weights else {}
    parts["set"] = {name: one.where[:, :, row, :T].astype(np.float32) for name, one in trace.settings.items()}
    return parts | {"map_arrays": {name: np.atleast_1d(array) for name, (_, array) in maps.items()}}
