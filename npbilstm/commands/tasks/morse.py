"""Morse sent by hand, read with CTC: datasets/morse.py says how it is made."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.commands.data import fingerprint_of
from npbilstm.commands.tasks.run import Run, optimizer_of, recurrent_arguments, settings_of
from npbilstm.datasets import MorseData, morse, sent, text_of
from npbilstm.datasets.morse import CHARACTERS, WORD
from npbilstm.inspector import Alignment, alignment
from npbilstm.models import SequenceModel, SequenceTagger
from npbilstm.textbook import ctc_beam
from npbilstm.training import Trainer, predict_sequences
from npbilstm.training.metrics import label_error_rate

MORSE = "morse"
KINDS = (MORSE,)
DEFAULTS = {"epochs": 10, "hidden_size": 48}
UNUSED = frozenset(
    {
        "spans",
        "vectors",
        "attention",
        "pairs",
        "head",
        "data",
        "valid",
        "test",
        "columns",
        "embedding_size",
        "characters",
        "window",
    }
)
SYMBOLS = ["blank", *CHARACTERS.replace(" ", "␣")]
SEARCHED, WIDTH = 50, 4
"""How many sequences of the test part the beam search reads, and how wide it is: it takes a while."""


def start(options: Any) -> Run:
    """A new run. Raises ValueError for options that cannot be."""
    settings, optimizer = settings_of(options), optimizer_of(options)
    arguments: dict[str, Any] = {"input_size": 2, "num_classes": len(SYMBOLS), **recurrent_arguments(options)}
    model = SequenceTagger(**arguments, head="ctc", rng=options.seed)
    data = morse(seed=options.seed)
    return run_of(
        Trainer(model, optimizer, settings),
        data,
        {"kind": MORSE, "seed": options.seed, "fingerprint": fingerprint(data)},
    )


def resume(path: Path, said: dict[str, Any], trainer: Trainer[Any], options: Any) -> Run:
    """The run in a file. Raises ValueError where it is none of Morse, or another Python sends other words."""
    seed = said["data"].get("seed")
    whole = isinstance(seed, int) and not isinstance(seed, bool) and seed >= 0
    if not whole or not reads_morse(trainer.model):
        raise ValueError(f"{path} is damaged: what it says of its data makes no sense")
    data = morse(seed=seed)
    if fingerprint(data) != said["data"].get("fingerprint"):
        raise ValueError(f"the words of this Python are not those that {path} was begun with; it cannot be resumed")
    return run_of(trainer, data, said["data"])


def reads_morse(model: SequenceModel) -> bool:
    """Whether a model is one of this task."""
    needed = {"input_size": 2, "num_classes": len(SYMBOLS), "head": "ctc"}
    return isinstance(model, SequenceTagger) and model.config == {**model.config, **needed}


def fingerprint(data: MorseData) -> str:
    """Of all texts, as they were sent."""
    return fingerprint_of([], chain(*data.train, *data.valid))


def run_of(trainer: Trainer[Any], data: MorseData, described: dict[str, Any]) -> Run:
    """Its run."""
    runs = sum(len(x) for x, _ in data.train)
    return Run(
        trainer,
        data.train,
        data.valid,
        {"data": described},
        f"Morse sent by hand: {len(data.train):,} texts of {runs:,} runs, {data.words['train']:,} words to train on, "
        f"{data.words['test']} others to test on",
        lambda: report(trainer.model, data),
        'npbilstm inspect {path} --text "all good" --out alignment.html',
    )


def report(model: SequenceModel, data: MorseData) -> list[str]:
    """Character errors on words that were never seen, and how the first text is read."""
    true = [labels for _, labels in data.test]
    read = predict_sequences(model, [x for x, _ in data.test])
    x, _, lengths = model.collate(data.test[:SEARCHED])
    found, counts, _ = ctc_beam(model.forward(x, lengths)[0], lengths, WIDTH)
    searched = [row[:count] for row, count in zip(found, counts)]
    some = f"of the first {len(searched)}"
    shares = {
        "best path": label_error_rate(true, read),
        f"best path, {some}": label_error_rate(true[:SEARCHED], read[:SEARCHED]),
        f"beam of {WIDTH}, {some}": label_error_rate(true[:SEARCHED], searched),
    }
    lines = ["character errors in test, words never seen"]
    lines += [f"{name:28}{share:8.1%}" for name, share in shares.items()]
    first, labels = data.test[0]
    return [*lines, "", f"sent  {text_of(labels)}", *aligned(model, first).text().split("\n")]


def aligned(model: SequenceModel, x: np.ndarray) -> Alignment:
    """How a text that was sent is read; above it the key, the longer it is down the taller."""
    heights = x[:, 0] * np.clip((x[:, 1] + 1) / np.log(WORD), 0.15, 1)
    return alignment(model, x, SYMBOLS, heights, "key")


def by_hand(text: str, seed: int = 0) -> np.ndarray:
    """A text as somebody sends it: x (T, 2). Raises ValueError for characters that have no code here."""
    return sent(text, np.random.default_rng(seed))[0]
