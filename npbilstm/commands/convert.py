"""`npbilstm convert`: weights from one format to another."""

from __future__ import annotations

from typing import Any

from npbilstm.commands.terminal import require_free, say
from npbilstm.interop.files import READERS, WRITERS, by_suffix, read_weights, write_weights
from npbilstm.layers import SequenceTagger
from npbilstm.layers.models import SequenceModel


def run_convert(options: Any) -> int:
    """Read, write, say what. -> the exit code."""
    by_suffix(READERS, options.source)
    by_suffix(WRITERS, options.destination)
    require_free("DESTINATION", options.destination, options.overwrite, [options.source])
    given = {"nonlinearity": options.nonlinearity, "pooling": options.pooling}
    given = {name: value for name, value in given.items() if value is not None}
    layer, about = read_weights(options.source, options.model, **given)
    write_weights(options.destination, layer, about)
    say(f"{options.source}: {layer!r}, {layer.num_parameters:,} parameters")
    say(f"Wrote {options.destination}.")
    if options.destination.lower().endswith(".npz") and not isinstance(layer, SequenceModel):
        say("A layer alone; npbilstm.read_weights reads it.")
    if isinstance(layer, SequenceTagger) and not about:
        say("Its symbols and classes have no names, which npbilstm tag needs; nb.load_model reads it.")
    return 0
