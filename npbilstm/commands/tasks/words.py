"""Words in text without spaces: what a CRF adds to a tagger, or, with --head classes, what it is without one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.commands.data import fingerprint
from npbilstm.commands.tasks.run import Run, optimizer_of, recurrent_arguments, require_memory, settings_of
from npbilstm.datasets import TaggedData, unspaced_words
from npbilstm.datasets.words import TAGS
from npbilstm.models import SequenceTagger
from npbilstm.models.crf_head import CRFHead
from npbilstm.models.hollow import count_of_numbers, hollow_model
from npbilstm.textbook import CRFParams, crf_constrained, crf_viterbi, legal_transitions
from npbilstm.training import Trainer
from npbilstm.training.spans import span_f1

WORDS = "words without spaces"
KINDS = (WORDS,)
DEFAULTS = {"hidden_size": 32, "epochs": 5, "head": "crf"}
UNUSED = frozenset(
    {"spans", "vectors", "attention", "pairs", "data", "valid", "test", "columns", "characters", "window"}
)


def start(options: Any) -> Run:
    """A new run from the command line's options. Raises ValueError for those that cannot be."""
    settings, optimizer = settings_of(options), optimizer_of(options)
    data = unspaced_words()
    arguments = {
        "num_symbols": len(data.vocabulary),
        "num_classes": len(data.classes),
        "embedding_size": options.embedding_size,
        "head": options.head,
        **recurrent_arguments(options),
    }
    require_memory(count_of_numbers(hollow_model(SequenceTagger, **arguments)))
    trainer = Trainer(SequenceTagger(**arguments, rng=options.seed), optimizer, settings)
    return run_of(trainer, data, {"data": {"kind": WORDS, "fingerprint": fingerprint(data)}, "classes": data.classes})


def resume(path: Path, said: dict[str, Any], trainer: Trainer[Any], options: Any) -> Run:
    """The run in a file. Raises ValueError where the data is not what it was."""
    data = unspaced_words()
    if fingerprint(data) != said["data"].get("fingerprint"):
        raise ValueError(f"{path} was begun on another Python's docstrings; the run cannot be resumed on this one's")
    sizes = {"num_symbols": len(data.vocabulary), "num_classes": len(data.classes)}
    if trainer.model.config != {**trainer.model.config, **sizes}:
        raise ValueError(f"{path} is damaged: its model is none for its data")
    return run_of(trainer, data, said)


def run_of(trainer: Trainer[Any], data: TaggedData, about: dict[str, Any]) -> Run:
    """Its run."""
    symbols = sum(len(ids) for ids, _ in data.train)
    return Run(
        trainer,
        data.train,
        data.valid,
        about,
        f"{data.name}: {len(data.train):,} sentences of {symbols:,} letters, tags {', '.join(data.classes)}",
        lambda: report(trainer.model, data),
        'model, about = nb.load_model("{path}") in Python; --head classes trains without a CRF',
    )


def report(model: SequenceTagger, data: TaggedData) -> list[str]:
    """The F1 of words and the share of sentences that are wholly right, in the test part, way by way to choose tags."""
    ids, _, lengths = model.collate(data.test)
    scores, _ = model.forward(ids, lengths)
    lines = [f"{'tags in test':44}{'F1 of words':>12}{'sentences right':>17}"]
    for name, paths in ways(model, scores, lengths).items():
        f1, right = measured([labels for _, labels in data.test], paths)
        lines.append(f"{name:44}{f1:12.1%}{right:17.1%}")
    return lines


def ways(model: SequenceTagger, scores: np.ndarray, lengths: np.ndarray) -> dict[str, np.ndarray]:
    """The ways to choose tags by a model's scores, and the tags (N, T) of each."""
    legal = legal_transitions(TAGS, "BMES")
    if isinstance(model.head, CRFHead):
        return {
            "best path by the trained transitions": model.head.predict(scores, lengths),
            "best legal path by the trained transitions": model.head.predict(scores, lengths, legal),
        }
    free = CRFParams(*(np.zeros(allowed.shape, scores.dtype) for allowed in legal))
    return {
        "likeliest tag at each step": model.head.predict(scores, lengths),
        "best legal path, no transitions trained": crf_viterbi(scores, crf_constrained(free, legal), lengths)[0],
    }


def measured(true: Sequence[np.ndarray], paths: np.ndarray) -> tuple[float, float]:
    """The F1 of words, and the share of sentences that are wholly right."""
    found = [path[: len(labels)] for path, labels in zip(paths, true)]
    right = [np.array_equal(path, labels) for path, labels in zip(found, true)]
    named = [[[TAGS[tag] for tag in tags] for tags in rows] for rows in (true, found)]
    return span_f1(*named), float(np.mean(right))
