"""`npbilstm tag`: a trained tagger on a file of one's own, in colour or in columns."""

from __future__ import annotations

import argparse
from typing import NamedTuple

import numpy as np

from npbilstm.commands.data import About, read_about
from npbilstm.commands.options import Subparsers, add_colour, add_command, wants_colour
from npbilstm.commands.stretches import characters, read_input, sentences
from npbilstm.commands.terminal import require_free
from npbilstm.files import write_atomically
from npbilstm.inspector import html_legend, html_page, html_text, printable, terminal_legend, terminal_text
from npbilstm.layers import SequenceTagger
from npbilstm.training import load_model, predict_long, predict_sequences
from npbilstm.training.progress import tell


class Tagged(NamedTuple):
    """One stretch of symbols with their predicted classes, and their true ones where they are known."""

    symbols: list[str]
    predicted: np.ndarray
    true: np.ndarray | None

    @property
    def wrong(self) -> np.ndarray | None:
        """Which predictions are mistakes, where the truth is known."""
        return None if self.true is None else self.predicted != self.true


def load_tagger(path: str) -> tuple[SequenceTagger, About]:
    """A tagger and what is said about it. Raises ValueError where the file holds anything else."""
    model, said = load_model(path)
    if not isinstance(model, SequenceTagger):
        raise ValueError(f"{path} holds a {type(model).__name__}; npbilstm tag needs a SequenceTagger")
    return model, read_about(path, said, model)


def tag_stretches(model: SequenceTagger, about: About, name: str, text: str) -> list[Tagged]:
    """A text with its predicted classes; a text of characters is one stretch, which may be longer than any window."""
    if about.words:
        found = sentences(about, text, name)
        predicted = predict_sequences(model, [stretch.ids for stretch in found])
    else:
        found = [characters(about, text)]
        predicted = predict_long(model, [found[0].ids], about.description["window"])
    return [Tagged(stretch.symbols, row, stretch.true) for stretch, row in zip(found, predicted)]


def as_columns(stretches: list[Tagged], classes: list[str]) -> str:
    """symbol <tab> class, a line each, an empty line after a sentence; line ends, tabs and backslashes escaped."""
    escape = str.maketrans({"\n": "\\n", "\t": "\\t", "\\": "\\\\"})
    lines = []
    for stretch in stretches:
        pairs = zip(stretch.symbols, stretch.predicted)
        lines += [f"{printable(symbol.translate(escape))}\t{printable(classes[k])}" for symbol, k in pairs]
        lines.append("")
    return "\n".join(lines)


def spaced(stretch: Tagged, words: bool) -> tuple[list[str], np.ndarray, np.ndarray | None]:
    """Symbols, labels and mistakes as they are shown: words get a space after each, a line end after the last."""
    symbols = stretch.symbols
    if words:
        symbols = [f"{word} " for word in symbols[:-1]] + [f"{symbols[-1]}\n"]
    return symbols, stretch.predicted, stretch.wrong


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "tag",
        "run a trained tagger on a file, in colour or in columns",
        "  npbilstm tag npbilstm-demo/model.npz setup.py\n"
        "  npbilstm tag words.npz sentences.txt --columns > tagged.txt\n"
        "  cat code.py | npbilstm tag model.npz - --html page.html",
    )
    command.add_argument("model", help="a file of npbilstm train or npbilstm demo")
    command.add_argument("file", help="text to tag, - for standard input; mistakes are marked where the truth is known")
    command.add_argument("--columns", action="store_true", help="symbol, tab, class: a line each")
    command.add_argument("--html", metavar="PAGE", help="write a page as well")
    command.add_argument("--overwrite", action="store_true", help="let --html replace a file that exists")
    add_colour(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Tag a file and print it. -> the exit code."""
    colour = wants_colour(options.color)
    if options.html is not None:
        require_free("--html", options.html, options.overwrite, [options.model, options.file])
    model, about = load_tagger(options.model)
    classes, words = about.classes, about.words
    text = read_input(options.file)
    stretches = tag_stretches(model, about, options.file, text)
    if options.html is not None:
        code = "".join(html_text(*spaced(stretch, words)) for stretch in stretches)
        body = f"<h1>{html_text([options.file], [0])}</h1>\n{html_legend(classes)}\n<pre>{code}</pre>"
        page = html_page(options.file, body).encode()
        write_atomically(options.html, lambda file: file.write(page))
    if options.columns:
        print(as_columns(stretches, classes))
    else:
        print("".join(terminal_text(*spaced(stretch, words), colour=colour) for stretch in stretches).rstrip("\n"))
        if colour:
            print(f"\n{terminal_legend(classes)}")
    right = sum(int((s.predicted == s.true).sum()) for s in stretches if s.true is not None)
    total = sum(len(s.symbols) for s in stretches if s.true is not None)
    if total:
        judge = "the file has them" if words else "Python's tokenize has them"
        unit = "words" if words else "characters"
        tell(f"{right:,} of {total:,} {unit} ({right / total:.1%}) as {judge}\n")
    return 0
