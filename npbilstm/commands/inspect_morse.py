"""`npbilstm inspect` of a model that reads Morse: a text, sent by hand, and its alignment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from npbilstm.commands.tasks import morse
from npbilstm.files import write_atomically
from npbilstm.models import SequenceModel


def is_of_morse(said: dict[str, Any]) -> bool:
    """Whether what a model's file says of its data is Morse."""
    described = said.get("data")
    return isinstance(described, dict) and described.get("kind") in morse.KINDS


def show_alignment(model: SequenceModel, options: Any) -> int:
    """Print the alignment, or with --out write it as a page. -> the exit code.

    Raises ValueError for options that have no meaning here, text that has no code, a model that does not read Morse.
    """
    others = {"FILE": options.file, "--unit": options.unit, "--step": options.step, "--gradients": options.gradients}
    given = [name for name, value in others.items() if value not in (None, False)]
    if given or options.text is None:
        what = f"{', '.join(given)} given" if given else "no --text given"
        raise ValueError(f"{what}; of a model that reads Morse the alignment of --text TEXT can be looked at")
    if not morse.reads_morse(model):
        raise ValueError(f"{options.model} is damaged: it says that it reads Morse, and its model does not")
    text = " ".join(options.text.lower().split())
    if not text:
        raise ValueError("--text is empty; it needs letters a to z")
    seen = morse.aligned(model, morse.by_hand(text))
    if options.out is None:
        print(f"sent  {text}\n{seen.text()}")
        return 0
    page = seen.to_html(f"Morse, sent by hand: {text}").encode()
    write_atomically(options.out, lambda file: file.write(page))
    print(f"Open in a browser: {Path(options.out).resolve().as_uri()}")
    return 0
