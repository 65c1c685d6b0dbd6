"""`npbilstm inspect` of a model that makes strings of strings: its answer to a text, and where it looks for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.commands.inspect_unit import unit_texts
from npbilstm.commands.tasks import string_pairs
from npbilstm.datasets.string_pairs import text_of
from npbilstm.files import write_atomically
from npbilstm.inspector import attention_text, printable, trace
from npbilstm.inspector.indices import position
from npbilstm.models import Seq2Seq

OF_ITS_OWN = "nobody says what is true here, so the gradients are those of the model's own answer"


def is_of_pairs(said: dict[str, Any]) -> bool:
    """Whether what a model's file says of its data are pairs of strings."""
    described = said.get("data")
    return isinstance(described, dict) and described.get("kind") in string_pairs.KINDS


def show_attention(model: Seq2Seq, said: dict[str, Any], options: Any, colour: bool) -> int:
    """Print the answer and where the model looks for it, or with --out write the page. -> the exit code.

    Raises ValueError for options that have no meaning here, for characters that the model does not know, and where the
    file's own are not those of its model.
    """
    if options.file is not None or options.text is None:
        what = "FILE given" if options.text is None else "no --text given"
        raise ValueError(f"{what}; of a model of pairs what it makes of --text TEXT can be looked at")
    sources, targets = (characters_in(options.model, said, name) for name in ("sources", "targets"))
    if (len(sources), len(targets)) != (model.embedding.num_embeddings, model.boundary):
        raise ValueError(f"{options.model} is damaged: its characters are not those of its model")
    text = options.text
    unknown = sorted(set(text) - set(sources))
    if unknown or not text:
        what = f"holds {', '.join(map(repr, unknown))}, which the model has not seen" if text else "is empty"
        raise ValueError(f"--text {what}; it needs characters of {sources!r}")
    if len(text) > options.steps:
        raise ValueError(
            f"--text has {len(text):,} characters, and --steps lets {options.steps} be read; a part has another answer"
        )
    ids = np.array([sources.index(c) for c in text])
    if options.unit is not None:
        position("--unit", options.unit, model.encoder.hidden_size, "the encoder", "units")
    if options.step is not None:
        position("--step", options.step, len(text), "what is read", "steps")
    layer = position("--layer", options.layer, 1, "the encoder", "layers")
    (answer,) = model.predict(ids[None])
    seen = trace(model, ids[None], tokens=[text], target=[answer], classes=list(targets))
    seen = replace(seen, loss=None)  # what it says is not the truth
    written = text_of(answer, targets)
    shown = [printable(f"{text} -> {written}")]
    if model.attention is not None:
        shown.append(attention_text(model.alignment(ids, answer), text, written))
    if options.unit is not None or options.step is not None or options.gradients:
        shown.append(f"{OF_ITS_OWN.capitalize()}.")
        shown += unit_texts(options, seen, layer, colour)
    if options.out is not None:
        page = seen.to_html(notes=[OF_ITS_OWN]).encode()
        write_atomically(options.out, lambda file: file.write(page))
        shown.append(f"Open in a browser: {Path(options.out).resolve().as_uri()}")
    print("\n\n".join(shown))
    return 0


def characters_in(path: str, said: dict[str, Any], name: str) -> str:
    """The characters that a file says its model reads, or writes. Raises ValueError where it does not say."""
    found = said.get(name)
    if not isinstance(found, str):
        raise ValueError(f"{path} is damaged: its {name} need to be a text, a character for each symbol")
    return found
