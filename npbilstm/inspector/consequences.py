"""What follows from the states of a changed run: the output, labels or answers, and the loss with its gradients."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from npbilstm.inspector.backpropagation import backward_of_row
from npbilstm.inspector.equations import parse
from npbilstm.inspector.head_maps import head_step_maps
from npbilstm.inspector.losses import loss_of_classes
from npbilstm.inspector.recording_seq2seq import answers_forward, attention_step_maps
from npbilstm.inspector.trace_data import TraceData
from npbilstm.layers.merge import merge_forward
from npbilstm.layers.padding import pad
from npbilstm.layers.recurrent import merge_at
from npbilstm.models import SequenceModel, backward_to_recurrent, forward_from_recurrent
from npbilstm.models.attention_decoder import Memory, State
from npbilstm.models.ctc_head import CTCHead
from npbilstm.models.seq2seq import EncoderCache
from npbilstm.textbook.sequences import valid_steps


def scores_of(
    trace: TraceData, model: SequenceModel, h: np.ndarray, lengths: np.ndarray
) -> tuple[np.ndarray, dict[str, Any]]:
    """The model's scores of the states h (L, S, N, T, R), and what its cache holds of them."""
    h_n = where_read_last(h, trace.directions, lengths)
    return forward_from_recurrent(model, output_of(trace, h), h_n, valid_steps(lengths, h.shape[3]))


def output_of(trace: TraceData, h: np.ndarray) -> Any:
    """The layer's output of its states h (L, S, N, T, R)."""
    return merge_forward(h[-1].transpose(1, 2, 0, 3), merge_at(trace.layer, trace.layer.num_layers - 1))


def where_read_last(array: np.ndarray, directions: Sequence[str], lengths: np.ndarray) -> np.ndarray:
    """Of an array (L, S, N, T, .) what stands where each direction reads last, (L * S, N, .); 0 of rows of no steps."""
    rows, last = np.arange(len(lengths)), np.maximum(lengths - 1, 0)
    both = [array[:, s, rows, last if way == "forward" else 0 * last] for s, way in enumerate(directions)]
    return np.stack(both, axis=1).reshape(-1, len(rows), array.shape[-1])


def with_output(changed: TraceData) -> TraceData:
    """The changed trace with the output of its states."""
    model = changed.model
    if model is None:
        changed = replace(changed, output=output_of(changed, changed["h"]))
        return changed if changed.seq2seq is None else with_answers(changed)
    scores, _ = scores_of(changed, model, changed["h"].astype(np.float64), changed.lengths)
    scores = scores.astype(changed["h"].dtype)
    answers = changed.answers
    if isinstance(model.head, CTCHead) and changed.loss is None:
        answers = model.head.predict(scores, changed.lengths)
    names = changed.classes or [str(k) for k in range(scores.shape[-1])]
    maps = head_step_maps(model, scores, changed.lengths, answers, names)
    return replace(changed, output=scores, answers=answers, step_maps=maps)


def with_answers(changed: TraceData) -> TraceData:
    """The changed trace of a Seq2Seq with the answers that it gives now, or those it was given, and where it looks."""
    model, answers = changed.seq2seq, changed.answers
    assert model is not None
    assert answers is not None
    assert changed.classes is not None
    memory, state, encoder = handed_over(changed)
    if changed.loss is None:
        try:
            answers = model.decode(memory, state)
        except FloatingPointError:
            raise ValueError(
                "to leaves the decoder with scores that are NaN or infinite, so it has no answer; it needs a smaller "
                "number, or a trace of given answers, which is asked for none"
            ) from None
    _, cache = answers_forward(model, memory, state, encoder, answers)
    maps = attention_step_maps(model, cache, changed.lengths, answers, changed.classes)
    return replace(changed, answers=answers, step_maps=maps)


def handed_over(changed: TraceData) -> tuple[Memory, State, EncoderCache]:
    """What the decoder is given of the changed states, as Seq2Seq.encode has it."""
    model, lengths = changed.seq2seq, changed.lengths
    assert model is not None
    assert changed.ids is not None
    _, _, encoder = model.encode(changed.ids, lengths, training=True)
    h_n, c_n = (where_read_last(changed[part], changed.directions, lengths) for part in changed.layer.state_parts)
    memory, state, bridge = model.hand_over(changed.output, (h_n, c_n), valid_steps(lengths, changed.ids.shape[1]))
    return memory, state, encoder._replace(bridge=bridge, bridged=state[0])


def with_gradients(trace: TraceData, changed: TraceData) -> dict[str, Any]:
    """The changed trace's fields, with the loss and its gradients where they can be known: of a layer by the upstream
    gradient that was given, of a model by its target. Nothing passes back through what is set: its gradient is 0."""
    fields = {**vars(changed), "loss": None, "dx": None, "upstream": None}
    fields.pop("predicted", None)  # that of the run before
    model = changed.model
    if not trace.has_gradients or (model is not None and trace.loss is None):
        return fields
    dy: Any
    dstate: Any
    if changed.seq2seq is not None:
        assert changed.answers is not None
        loss, cache = answers_forward(changed.seq2seq, *handed_over(changed), changed.answers)
        fields["loss"] = float(loss)
        dy, dstate, _ = changed.seq2seq.backward_to_encoder(1.0, cache)
    elif model is None:
        dy, dstate = trace.upstream, final_gradients(trace)
        if dy is None:  # the loss sees the final state alone
            y = changed.output
            dy = tuple(map(np.zeros_like, y)) if isinstance(y, tuple) else np.zeros_like(y)
    else:
        assert changed.ids is not None
        target = trace.target if changed.answers is None else pad(changed.answers)
        loss, dlogits = loss_of_classes(model, changed.output, target, trace.lengths)
        fields["loss"] = float(loss)
        _, before = model.forward(changed.ids, trace.lengths, training=True)
        _, own = scores_of(changed, model, changed["h"], changed.lengths)
        dy, dstate, _ = backward_to_recurrent(model, dlogits, before._replace(**own))
        dstate = (dstate,) if isinstance(dstate, np.ndarray) else dstate
    fields["upstream"] = dy if trace.upstream is not None else None
    names = ["dy", *(parse(text).name for text in trace.equations.backward)]
    gradients = {name: np.zeros_like(trace[name]) for name in names}
    dx = np.zeros_like(trace.inputs[0])
    for row in np.flatnonzero(trace.lengths):
        T = trace.lengths[row]
        own_dy = tuple(d[row : row + 1, :T] for d in dy) if isinstance(dy, tuple) else dy[row : row + 1, :T]
        own_dstate = None if dstate is None else tuple(d[:, row : row + 1] for d in dstate)
        dx_row, found = backward_of_row(changed, int(row), own_dy, own_dstate, keep=names)
        dx[row, :T] = dx_row[0]
        for name in names:
            gradients[name][:, :, row, :T] = np.stack([each[name][:, 0] for each in found])
    return {**fields, "arrays": {**changed.arrays, **gradients}, "dx": dx}


def final_gradients(trace: TraceData) -> tuple[np.ndarray, ...]:
    """The gradient of the final state, each part (L * S, N, .), as it stands where each direction reads last."""
    parts = (trace[f"d{part}_next"] for part in trace.layer.state_parts)
    return tuple(where_read_last(d, trace.directions, trace.lengths) for d in parts)
