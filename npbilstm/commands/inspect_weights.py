"""`npbilstm inspect` of weights: a recurrent layer out of any file of them, on numbers from a file or on drawn ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.commands.inspect_unit import OF_THE_PREDICTED, amounts, unit_texts
from npbilstm.datasets.number_files import read_numbers
from npbilstm.files import naming, write_atomically
from npbilstm.inspector import Trace, printable, trace
from npbilstm.inspector.given_weights import drawn_input, opened
from npbilstm.inspector.indices import position
from npbilstm.layers import Recurrent
from npbilstm.models import SequenceModel
from npbilstm.training.progress import tell

OF_THE_SUM = "no loss is known here, so the gradients are those of the sum of all outputs"


MOST_LAYERS = 100
"""Of a stack: each has numbers of its own to be computed and kept."""


def show_weights(options: Any, colour: bool) -> int:
    """Print a unit of the layer, or with --out write its page. -> the exit code.

    Raises OSError, or ValueError for options that have no meaning here, weights that make no layer, numbers that it
    cannot read.
    """
    if options.text is not None:
        raise ValueError(
            f"{options.model} holds weights, which read numbers, and --text is given; they need a FILE of numbers, or "
            "none, and they are drawn"
        )
    reading = {"prefix": options.prefix, "node": options.node, "nonlinearity": options.nonlinearity}
    reading = {name: value for name, value in reading.items() if value is not None}
    model, notes = opened(options.model, {**reading, "max_bytes": options.max_bytes})
    if not isinstance(model, (Recurrent, SequenceModel)):
        raise ValueError(f"{options.model} holds a {type(model).__name__}; npbilstm inspect needs a recurrent layer")
    recurrent = model if isinstance(model, Recurrent) else model.recurrent
    if recurrent.num_layers > MOST_LAYERS:
        raise ValueError(
            f"{options.model} holds {recurrent.num_layers:,} stacked layers; {MOST_LAYERS} can be looked into"
        )
    layer = position("--layer", options.layer, recurrent.num_layers, "the layer", "layers")
    if options.unit is not None:
        position("--unit", options.unit, recurrent.hidden_size, "the layer", "units")
    if options.file is None:
        drawn, note = drawn_input(model)
        rows, source = list(drawn), "the drawn input"
        notes.append(note)
    else:
        with naming(options.file):
            rows = read_numbers(options.file, model is not recurrent, options.max_bytes)
        source = options.file
    x, left_out = chosen_row(rows, source, options)
    notes += [f"left out of {Path(source).name}: {left_out}"] if left_out else []
    if options.step is not None:
        position("--step", options.step, x.shape[1], "what is read", "steps")
    try:
        seen = with_gradients(model, x)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{options.file or options.model}: {error}") from error
    gradients = OF_THE_SUM if model is recurrent else OF_THE_PREDICTED
    shown = [printable(f"{options.model}: {model!r}"), *unit_texts(options, seen, layer, colour)]
    if options.out is not None:
        read = "" if options.file is None else f", on numbers from {Path(options.file).name}"
        origin = f"weights from {Path(options.model).name}{read}"
        page = seen.to_html(notes=[*map(printable, [origin, *notes]), gradients]).encode()
        write_atomically(options.out, lambda file: file.write(page))
        shown.append(f"Open in a browser: {Path(options.out).resolve().as_uri()}")
    if options.step is not None or options.gradients:
        notes.append(gradients)
    for note in notes:
        tell(printable(f"{note[0].upper()}{note[1:]}.\n"))
    print("\n\n".join(shown))
    return 0


def chosen_row(rows: list[np.ndarray], source: str, options: Any) -> tuple[np.ndarray, str]:
    """The series of a source, or the part of its one series, that --line and --steps choose, as a batch of one; and a
    sentence on what is left out, "" for nothing. Raises ValueError where there is no such line, or no step."""
    several = len(rows) > 1
    count, what = (len(rows), "series") if several else (len(rows[0]) if rows else 0, "steps")
    if not 1 <= options.line <= count:
        raise ValueError(f"{source} has {count:,} {what}; --line is {options.line}")
    row, begin = (rows[options.line - 1], 0) if several else (rows[0], options.line - 1)
    x = row[begin : begin + options.steps]
    if not len(x):
        raise ValueError(f"{source}: series {options.line} holds no step")
    after = len(row) - begin - len(x)
    things = [(len(rows) - 1, "other series", ""), (begin, "step", " before"), (after, "step", " after")]
    return x[None], amounts(*things)


def with_gradients(model: Recurrent | SequenceModel, x: np.ndarray) -> Trace:
    """The trace, its loss the sum of all outputs; of a model that of the predicted classes."""
    seen = trace(model, x)
    if isinstance(model, SequenceModel):
        return trace(model, x, target=seen.predicted)
    y = seen.output
    return trace(model, x, upstream=tuple(map(np.ones_like, y)) if isinstance(y, tuple) else np.ones_like(y))
