"""`npbilstm tag`: a trained tagger on a file of one's own, in colour or in columns."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np

from npbilstm.commands.data import About, parse_columns, read_about
from npbilstm.commands.options import Subparsers, add_colour, add_command, add_max_bytes, wants_colour
from npbilstm.commands.terminal import require_free
from npbilstm.commands.text_inputs import TextInput, TextReading, characters, read_input, sentences
from npbilstm.datasets.columns import write_back
from npbilstm.files import naming, write_atomically
from npbilstm.inspector import html_legend, html_page, html_text, printable, terminal_legend, terminal_text
from npbilstm.models import Model, SequenceTagger, WordTagger
from npbilstm.training import load_model, predict_long
from npbilstm.training.progress import tell

SENTENCE = 4096
"""Words that are read together; a longer sentence is read in pieces."""


class Tagged(NamedTuple):
    """One sequence of symbols with their predicted classes, and their true ones where they are known."""

    symbols: list[str]
    predicted: np.ndarray
    true: np.ndarray | None

    @property
    def wrong(self) -> np.ndarray | None:
        """Which predictions are mistakes, where the truth is known."""
        return None if self.true is None else (self.predicted != self.true) & (self.true >= 0)


def load_tagger(path: str, max_bytes: int | None = None) -> tuple[SequenceTagger | WordTagger, About]:
    """A tagger and what is said about it. Raises ValueError where the file holds anything else."""
    model, said = load_model(path, max_bytes, kind=Model)
    if not isinstance(model, SequenceTagger | WordTagger):
        raise ValueError(f"{path} holds a {type(model).__name__}; npbilstm tag needs a SequenceTagger or a WordTagger")
    return model, read_about(path, said, model)


def tag_inputs(model: SequenceTagger | WordTagger, about: About, found: list[TextInput]) -> list[Tagged]:
    """Inputs with their predicted classes; one that is longer than a window is read in overlapping pieces."""
    window = SENTENCE if about.words else about.description["window"]
    predicted = predict_long(model, [each.ids for each in found], window)
    return [Tagged(each.symbols, row, each.true) for each, row in zip(found, predicted)]


def as_columns(tagged: list[Tagged], classes: list[str]) -> str:
    """symbol <tab> class, a line each, an empty line after a sentence; line ends, tabs and backslashes escaped."""
    escape = str.maketrans({"\n": "\\n", "\t": "\\t", "\\": "\\\\"})
    names = [printable(name) for name in classes]
    lines = []
    for each in tagged:
        pairs = zip(each.symbols, each.predicted)
        lines += [f"{printable(symbol.translate(escape))}\t{names[k]}" for symbol, k in pairs]
        lines.append("")
    return "\n".join(lines)


def as_it_was(text: str, reading: TextReading, tagged: list[Tagged], classes: list[str]) -> str:
    """A text in columns with the predicted classes in that of the tag. On a terminal nothing in it steers that."""
    assert reading.form is not None
    predicted = [classes[k] for each in tagged for k in each.predicted]
    written = write_back(text, reading.form, {word.line: tag for word, tag in zip(reading.words, predicted)})
    return (printable(written) if sys.stdout.isatty() else written) + ("" if written.endswith("\n") else "\n")


def spaced(each: Tagged, words: bool) -> tuple[list[str], np.ndarray, np.ndarray | None]:
    """Symbols, labels and mistakes as they are shown: words get a space after each, a line end after the last."""
    symbols = each.symbols
    if words:
        symbols = [f"{word} " for word in symbols[:-1]] + [f"{symbols[-1]}\n"]
    return symbols, each.predicted, each.wrong


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "tag",
        "run a trained tagger on a file, in colour or in columns",
        "  npbilstm tag npbilstm-demo/model.npz setup.py\n"
        "  npbilstm tag words.npz sentences.txt --columns > tagged.txt\n"
        "  npbilstm tag words.npz test.conllu --columns > tagged.conllu\n"
        "  npbilstm tag words.npz conll2003.txt --columns 1,4 > tagged.txt\n"
        "  cat code.py | npbilstm tag model.npz - --html page.html\n\n"
        "FILE, for a model of words: plain text, one sentence per line; columns, as npbilstm train reads them, with\n"
        "true tags, tags of another kind, or none (_); or a word on every line, an empty line after a sentence.\n"
        "--columns writes columns back as they were, comments too, with the tags replaced.",
    )
    command.add_argument("model", help="a file of npbilstm train or npbilstm demo")
    command.add_argument(
        "file", nargs="?", help="text to tag, - for standard input; mistakes are marked where the truth is known"
    )
    command.add_argument(
        "--columns",
        nargs="?",
        const="",
        metavar="WORD,TAG",
        help="print columns, those of FILE or symbol, tab, class; WORD,TAG: FILE's columns to read, as for train",
    )
    command.add_argument("--html", metavar="PAGE", help="write a page as well")
    command.add_argument("--overwrite", action="store_true", help="let --html replace a file that exists")
    add_max_bytes(command)
    add_colour(command)
    command.set_defaults(run=run)


def input_and_columns(options: argparse.Namespace) -> tuple[str, list[int | str] | None]:
    """The file to tag, and the columns that were said, if any: "--columns FILE" is a file behind an option that needs
    nothing. Raises ValueError where there is no file."""
    file, columns = options.file, options.columns
    if file is None and columns and ("," not in columns or Path(columns).exists()):
        file, columns = columns, ""
    if file is None:
        raise ValueError("npbilstm tag needs a FILE to tag, or - for standard input")
    return file, parse_columns(columns) if columns else None


def run(options: argparse.Namespace) -> int:
    """Tag a file and print it. -> the exit code."""
    colour = wants_colour(options.color)
    name, columns = input_and_columns(options)
    if options.html is not None:
        require_free("--html", options.html, options.overwrite, [options.model, name])
    model, about = load_tagger(options.model, options.max_bytes)
    classes, words = about.classes, about.words
    if columns is not None and not words:
        raise ValueError(f"--columns WORD,TAG is for words; {options.model} is a model of characters")
    with naming(name):
        text = read_input(name, about)
        reading = (
            sentences(about, text, name, columns) if words else TextReading([characters(about, text)], None, [], [])
        )
        tagged = tag_inputs(model, about, reading.inputs)
    shown = None
    if options.columns is not None:
        in_columns = reading.form is not None
        shown = as_it_was(text, reading, tagged, classes) if in_columns else as_columns(tagged, classes) + "\n"
    if options.html is not None:
        code = "".join(html_text(*spaced(each, words)) for each in tagged)
        body = f"<h1>{html_text([name], [0])}</h1>\n{html_legend(classes)}\n<pre>{code}</pre>"
        page = html_page(name, body).encode()
        write_atomically(options.html, lambda file: file.write(page))
    if shown is not None:
        print(shown, end="")
    else:
        print("".join(terminal_text(*spaced(each, words), colour=colour) for each in tagged).rstrip("\n"))
        if colour:
            print(f"\n{terminal_legend(classes)}")
    compared = [(s.predicted, s.true) for s in tagged if s.true is not None]
    right = sum(int((predicted == true).sum()) for predicted, true in compared)
    total = sum(int((true >= 0).sum()) for _, true in compared)
    if total:
        judge = "the file has them" if words else "Python's tokenize has them"
        unit = "words" if words else "characters"
        tell(f"{right:,} of {total:,} {unit} ({right / total:.1%}) as {judge}\n")
    for note in reading.notes:
        tell(f"{printable(note)}\n")
    return 0
