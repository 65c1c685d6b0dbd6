"""`npbilstm sample`: text as a language model writes it."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from npbilstm.commands.options import Subparsers, add_command, add_max_bytes
from npbilstm.datasets import Vocabulary
from npbilstm.inspector import printable
from npbilstm.models import LanguageModel
from npbilstm.training import load_model
from npbilstm.training.progress import tell

UNKNOWN = 0
"""The symbol of all characters that are not in the vocabulary."""


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "sample",
        "let a language model write",
        "  npbilstm sample library.npz --prompt 'def read(' --length 300\n"
        "  npbilstm sample library.npz --temperature 0.5 --top-k 10 --seed 3",
    )
    command.add_argument("model", help="a file of npbilstm train --task language")
    command.add_argument("--prompt", default="", metavar="TEXT", help="what the text begins with (nothing)")
    command.add_argument("--length", type=int, default=500, metavar="N", help="characters to write (500)")
    command.add_argument(
        "--temperature",
        type=float,
        default=0.7,
        metavar="T",
        help="below 1 what is likely is written more often than it is likely; 0: the likeliest always (0.7)",
    )
    command.add_argument("--top-k", type=int, metavar="K", help="draw among the K likeliest alone (all)")
    command.add_argument("--seed", type=int, default=0, metavar="N", help="same seed, same text (0)")
    add_max_bytes(command)
    command.set_defaults(run=run)


def load_language(path: str, max_bytes: int | None = None) -> tuple[LanguageModel, Vocabulary]:
    """A language model and its characters. Raises ValueError where the file holds anything else."""
    model, about = load_model(path, max_bytes, kind=LanguageModel)
    return model, vocabulary_of(path, about.get("symbols"), model)


def vocabulary_of(path: str, symbols: Any, model: LanguageModel) -> Vocabulary:
    """The characters that a file says. Raises ValueError where they are none, or none of this model."""
    if symbols is None:
        raise ValueError(f"{path} says nothing of its characters; npbilstm train --task language writes them")
    characters = isinstance(symbols, list) and all(isinstance(each, str) and len(each) == 1 for each in symbols)
    if not characters or not symbols or len(set(symbols)) != len(symbols) or len(symbols) + 1 != model.boundary:
        raise ValueError(f"{path} is damaged: its characters are none for its model")
    return Vocabulary(symbols)


def run(options: argparse.Namespace) -> int:
    """Write the prompt and what follows, character by character. -> the exit code."""
    if options.seed < 0:
        raise ValueError(f"--seed is {options.seed}; it needs to be at least 0")
    model, vocabulary = load_language(options.model, options.max_bytes)
    prompt = vocabulary.encode(options.prompt)
    unknown = sorted({c for c in options.prompt if c not in vocabulary.number})
    if unknown:
        tell(f"The model does not know {printable(' '.join(map(ascii, unknown)))} of the prompt\n")
    drawn = model.sample(
        options.length,
        prompt=prompt,
        temperature=options.temperature,
        top_k=options.top_k,
        without=[UNKNOWN],
        rng=options.seed,
    )
    write(options.prompt)
    last = options.prompt[-1:]
    for symbol in drawn:
        last = vocabulary.symbols[symbol]
        write(last)
    if last != "\n":
        write("\n")
    return 0


def write(text: str) -> None:
    """To standard output; on a terminal at once, and nothing in it steers that."""
    terminal = sys.stdout.isatty()
    print(printable(text) if terminal else text, end="", flush=terminal)
