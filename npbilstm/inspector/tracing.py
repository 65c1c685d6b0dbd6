"""The trace of a run as its user holds it: its numbers, and what can be seen in them."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from npbilstm.files import write_atomically
from npbilstm.inspector.arguments import require_real
from npbilstm.inspector.explain import Explanation, explain
from npbilstm.inspector.flow import Flow, flow
from npbilstm.inspector.given_weights import resolved
from npbilstm.inspector.influence import influence
from npbilstm.inspector.intervention import intervene
from npbilstm.inspector.page import iframe_html, page_html
from npbilstm.inspector.recording import layer_run, model_run
from npbilstm.inspector.recording_seq2seq import seq2seq_run
from npbilstm.inspector.sparkline import sparkline
from npbilstm.inspector.trace_data import TraceData
from npbilstm.inspector.units import FollowingUnit, MatteringUnit, matters_most, units_by
from npbilstm.layers import Recurrent
from npbilstm.layers.options import Direction
from npbilstm.models import Seq2Seq, SequenceModel


@dataclass(frozen=True, eq=False, repr=False)
class Trace(TraceData):
    """What a model or a layer did to a batch of sequences, made by `trace`. Its fields are those of TraceData.

    >>> trace = nb.trace(nb.LSTM(1, 2, rng=0), np.ones((1, 3, 1)))
    >>> isinstance(trace, nb.Trace), trace["h"].shape
    (True, (1, 1, 1, 3, 2))
    >>> print(str(trace.explain(step=1, unit=0)).splitlines()[0])
    layer 0, forward direction, step 1 '1', unit 0: read 2nd of 3, after step 0 '0'
    """

    def __repr__(self) -> str:
        N, T = self.order.shape[1:]
        what = repr(self.model or self.seq2seq or self.layer)
        notes = "".join(f"; {note}" for note in self.notes)
        return f"<Trace of {what}: {N} rows of up to {T} steps, {len(self.names)} arrays{notes}>"

    def explain(
        self, layer: int = 0, direction: Direction | None = None, step: int = 0, unit: int = 0, row: int = 0
    ) -> Explanation:
        """One unit's equations at one step with their numbers, forward and backward: see inspector/explain.py."""
        return explain(self, layer, direction, step, unit, row)

    def flow(self, step: int | None = None, row: int = 0) -> Flow:
        """How large the gradient is over time, and what the forget gates let through: see inspector/flow.py."""
        return flow(self, step, row)

    def influence(self, step: int | None = None, row: int = 0) -> np.ndarray:
        """How much each input matters to the output at a step, or at all of them, which of a large layer takes minutes:
        see inspector/influence.py."""
        return influence(self, step, row)

    def intervene(
        self,
        name: str,
        to: float | Literal["mean"] = 0,
        *,
        unit: int | Iterable[int] | None = None,
        layer: int = 0,
        direction: Direction | None = None,
        steps: int | Iterable[int] | None = None,
        row: int | None = None,
    ) -> Trace:
        """What if: the run in which numbers of one name, a gate, the candidate, the cell or the hidden state, are set;
        all that follows from them is computed again, labels or answers, loss and gradients too.

        to: a number, 0 ablates; "mean": each unit's own mean over the steps of its row. unit: one, several, None for
            all. direction: None for the first that the layer has. steps: one, several, None for all. row: None for all.

        A changed run can be changed again. Nothing passes back through what is set. Raises TypeError or ValueError,
        naming the argument.

        >>> trace = nb.trace(nb.LSTM(1, 2, rng=0), np.ones((1, 3, 1)))
        >>> changed = trace.intervene("f", 0, unit=1, steps=[1])
        >>> changed["f"][0, 0, 0, :, 1] == trace["f"][0, 0, 0, :, 1]
        array([ True, False, False])
        """
        return Trace(**intervene(self, name, to, unit, layer, direction, steps, row))

    def units_by(self, what: str | int, layer: int = 0) -> list[FollowingUnit]:
        """A layer's units, those first that go most with "position", "brackets" or a class: see inspector/units.py."""
        return units_by(self, what, layer)

    def matters_most(self, step: int | None = None, row: int = 0, label: str | int | None = None) -> MatteringUnit:
        """The unit without which a label is least likely; printed, a sentence: see inspector/units.py."""
        return matters_most(self, step, row, label)

    def sparkline(
        self, unit: int, layer: int = 0, row: int = 0, *, colour: bool = False, gradients: bool = False
    ) -> str:
        """One unit's gates and states over the tokens as bars of text: see inspector/sparkline.py."""
        return sparkline(self, unit, layer, row, colour=colour, gradients=gradients)

    strip = sparkline
    """The name that it had until version 0.6."""

    def to_html(self, row: int = 0, beside: Trace | None = None, notes: Sequence[str] = ()) -> str:
        """The page to explore a row on: one document that fetches nothing.

        beside: a trace of the same input by another model, a fresh one say; how its gradients fade is drawn dashed.
        notes: sentences to stand above, each without its full stop.
        """
        return page_html(self, row, beside, [*self.notes, *notes])

    def save_html(self, path: str | Path, row: int = 0, beside: Trace | None = None, notes: Sequence[str] = ()) -> None:
        """Write the page, see to_html, whole or not at all. Raises OSError naming path."""
        document = self.to_html(row, beside, notes).encode()
        write_atomically(path, lambda file: file.write(document))

    def _repr_html_(self) -> str:
        try:
            return iframe_html(self.to_html(int(np.flatnonzero(self.lengths)[0])))  # the first row that has steps
        except (IndexError, ValueError) as error:  # none has, or it is too large for a page
            return f"<p>{html.escape(repr(self))}: {html.escape(str(error))}</p>"


def trace(
    model_or_layer: Any,
    x: Any = None,
    lengths: Any = None,
    upstream: Any = None,
    tokens: Any = None,
    *,
    target: Any = None,
    state: Any = None,
    dstate: Any = None,
    classes: Sequence[str] | None = None,
    **options: Any,
) -> Trace:
    """Run a model or a layer and keep every number: gates, candidate, states, pre-activations and, with an upstream
    gradient or a target, the gradients of all these.

    Gates, states and what passes from step to step, dh_next and dc_next, are the engine's own numbers; the rest is
    computed from them by trace.equations. Dropout is off.

    model_or_layer: an LSTM, GRU or RNN, a SequenceModel or a Seq2Seq; or weights of one, as interop.open_weights takes
        them: the path of a file, a state_dict of PyTorch, what Keras' get_weights() returns.
    options: of weights alone, what tells how they are read: prefix where they are several layers', nonlinearity, ...
    x: for a model ids (N, T), or features (N, T, D), if it reads those; for a layer floating numbers (N, T, D). One
        sequence may come without its N. None: a small input is drawn, always the same, and trace.notes says so.
    lengths: (N,), None for all T. tokens: a name for every step, to be shown: a list of rows, or for a batch of one a
        row; a string gives its characters. None for a model's ids, a layer's step numbers.
    upstream: the gradient of the loss with respect to the logits or to y. target: in its place, of a model: classes as
        integers (N, T) or (N,); the loss is then the mean cross-entropy, with the model's class_weights if it has any.
        classes: the names of the classes.
    state, dstate: of a layer, the initial state and the gradient of the final one, as forward and backward take them.

    Of a Seq2Seq its encoder is traced, as a layer is; trace.answers are what its decoder says, trace.step_maps where it
        looks. target: the answers, a list with the ids of each row, or those of a lone sequence; None: its own, without
        gradients.
        classes: the names of the answers' symbols.
    A model with the head "crf" or "ctc" has such maps too, and its loss is its head's. The target of "ctc" are labels,
        given as answers are; trace.answers are those given, or those that it reads.

    Infinity and NaN are kept as they come. Raises TypeError or ValueError, naming the argument; FloatingPointError
    where a Seq2Seq whose answers are not given has none, as its scores are not finite.

    >>> layer, x = nb.BiLSTM(3, 4, rng=0), np.ones((1, 5, 3))
    >>> trace = nb.trace(layer, x, upstream=np.ones((1, 5, 8)))
    >>> trace["f"].shape, trace["dc"].shape  # layer, direction, row, step, unit
    ((1, 2, 1, 5, 4), (1, 2, 1, 5, 4))
    >>> nb.trace(nb.to_pytorch(layer), x)["f"].shape  # or lstm.state_dict(), or "net.pt"
    (1, 2, 1, 5, 4)
    """
    beside = {"lengths": lengths, "upstream": upstream, "tokens": tokens, "target": target}
    model_or_layer, x, notes = resolved(model_or_layer, x, options, {**beside, "state": state, "dstate": dstate})
    params = getattr(model_or_layer, "params", None)
    for name, p in params.items() if isinstance(params, Mapping) else ():  # what else is wrong, forward says
        require_real(f"params[{name!r}]", p)
    if isinstance(model_or_layer, (SequenceModel, Seq2Seq)):
        if state is not None or dstate is not None:
            raise ValueError("state and dstate go with a layer; a model starts from 0")
        if isinstance(model_or_layer, Seq2Seq):
            if upstream is not None:
                raise ValueError("upstream goes with a layer or a model of one output a step; a Seq2Seq takes a target")
            seen = seq2seq_run(model_or_layer, x, lengths, tokens, target, classes)
        else:
            seen = model_run(model_or_layer, x, lengths, upstream, tokens, target, classes)
        return Trace(**{**vars(seen), "notes": notes})
    if not isinstance(model_or_layer, Recurrent):
        raise TypeError(
            f"model_or_layer is a {type(model_or_layer).__name__}; it needs an LSTM, GRU or RNN layer, or a model, or "
            "their weights: a state_dict, Keras' list, the path of a file"
        )
    if target is not None or classes is not None:
        raise ValueError("target and classes go with a model; the gradient of a layer's outputs is upstream")
    seen = layer_run(model_or_layer, x, lengths, upstream, tokens, state, dstate)
    return Trace(**{**vars(seen), "notes": notes})
