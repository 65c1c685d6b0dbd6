"""What the page needs to compute a changed run itself, or why it cannot: see rerun.py for the same in Python.

Both compute a step in float64 from what is kept of the step before, in the trace's dtype, so that they agree in either.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.inspector.trace_data import TraceData
from npbilstm.inspector.units import matters_most_everywhere
from npbilstm.layers.recurrent import merge_at
from npbilstm.models.classes_head import ClassesHead
from npbilstm.printable import printable

MOST_LAYERS, MOST_UNITS = 2, 64
"""What a page computes again at once."""

MOST_STEPS = 1000


def what_if(trace: TraceData, row: int, precision: str, has_weights: bool) -> dict[str, Any]:
    """why_not: a sentence, "" where the page can. merges: how each layer's directions become one. classes: names of the
    scores, None where no label follows from them alone. pooling: from states to scores, "step" at each.
    """
    layer, model = trace.layer, trace.model
    scored = model is not None and type(model.head) is ClassesHead
    return {
        "why_not": why_not(trace, row, precision, has_weights),
        "merges": [merge_at(layer, k) for k in range(layer.num_layers)],
        "classes": [printable(name) for name in trace.class_names] if scored else None,
        "pooling": "step" if trace.output_is_by_step else getattr(model, "pooling", "final"),
    }


def why_not(trace: TraceData, row: int, precision: str, has_weights: bool) -> str:
    """Why the page cannot compute the run again, "" where it can."""
    is_rounded = precision == "int16" or (precision == "float32" and trace["h"].dtype == np.float64)
    if trace.seq2seq is not None:
        return "of an encoder and a decoder, what follows in the decoder is not computed again"
    L, H, T = trace.layer.num_layers, trace.layer.hidden_size, int(trace.lengths[row])
    if L > MOST_LAYERS or H > MOST_UNITS:
        return f"{L} x {H} units are more than the {MOST_LAYERS} x {MOST_UNITS} that a page computes again"
    if T > MOST_STEPS:
        return f"{T} steps are more than the {MOST_STEPS} that a page computes again"
    if is_rounded or not has_weights:
        return "the numbers of this page are rounded, so that nothing exact can be computed from them"
    return ""


def settings_in_words(trace: TraceData, row: int) -> list[str]:
    """Of a changed run how many numbers of the row are set."""
    counts = {name: int(setting.where[:, :, row].sum()) for name, setting in trace.settings.items()}
    found = ", ".join(f"{count:,} of {name}" for name, count in counts.items() if count)
    return [f"a changed run, in which trace.intervene has set numbers: {found}"] if found else []


def matters(trace: TraceData, row: int) -> list[dict[str, Any]]:
    """Which unit matters most for each label, and the sentence that says so; see units.py."""
    return [
        {"layer": one.layer, "direction": trace.directions.index(one.direction), "unit": one.unit}
        | {"matters": one.matters, "words": str(one)}
        for one in matters_most_everywhere(trace, row)
    ]


def head_arrays(trace: TraceData) -> dict[str, np.ndarray]:
    """W and b of the model's scores."""
    model = trace.model
    if model is None or type(model.head) is not ClassesHead:
        return {}
    return dict(model.linear.params)
