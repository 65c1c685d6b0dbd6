"""Pairs of strings, one to be made of the other: a file of them; dates.py, reverse.py and addition.py make theirs."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.commands.data import existing, fingerprint_of, read_again
from npbilstm.commands.tasks.run import Run, optimizer_of, require_memory, settings_of
from npbilstm.datasets.string_pairs import TASKS, PairData, generated, pairs_file, text_of
from npbilstm.inspector import attention_text
from npbilstm.models import Seq2Seq
from npbilstm.models.hollow import count_of_numbers, hollow_seq2seq
from npbilstm.training import Trainer, predict_sequences

STRING_PAIRS = "string pairs"
KINDS = (STRING_PAIRS,)
DEFAULTS = {"epochs": 20}
UNUSED = frozenset(
    {
        "spans",
        "vectors",
        "head",
        "columns",
        "valid",
        "test",
        "cell",
        "layers",
        "one_direction",
        "dropout",
        "characters",
        "window",
    }
)
EXAMPLES = 5
"""How many answers of the test part are shown."""


def start(options: Any) -> Run:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    settings, optimizer = settings_of(options), optimizer_of(options)
    description: dict[str, Any] = {"kind": STRING_PAIRS, "task": options.task, "seed": options.seed}
    if options.task in TASKS:
        if options.data is not None:
            raise ValueError(f"--task {options.task} makes its own data; leave {options.data} out, or say --task pairs")
        description |= {"pairs": options.pairs}
    else:
        if options.data is None:
            raise ValueError("--task pairs needs a file of two columns, source and target with a tab between")
        description |= {"path": existing({"data": options.data})["data"]}
    data = load(description)
    arguments = {
        "num_symbols": len(data.sources),
        "num_targets": len(data.targets),
        "attention": None if options.attention == "none" else options.attention,
        "embedding_size": options.embedding_size,
        "hidden_size": options.hidden_size,
    }
    require_memory(count_of_numbers(hollow_seq2seq(Seq2Seq, **arguments)))
    model = Seq2Seq(**arguments, rng=options.seed)
    return run_of(Trainer(model, optimizer, settings), data, {**description, "fingerprint": fingerprint(data)})


def load(description: dict[str, Any]) -> PairData:
    """The data that was described. Raises OSError or ValueError, as the readers do."""
    if "path" in description:
        return pairs_file(description["path"], description["seed"])
    return generated(description["task"], description["pairs"], description["seed"])


def resume(path: Path, said: dict[str, Any], trainer: Trainer[Any], options: Any) -> Run:
    """The run in a file. Raises ValueError where its data cannot be read, or is not what it was."""
    described, model = said["data"], trainer.model
    data = read_again(path, described, lambda: load(described), fingerprint, lambda data: data.name)
    sizes = {"num_symbols": len(data.sources), "num_targets": len(data.targets)}
    if not isinstance(model, Seq2Seq) or model.config != {**model.config, **sizes}:
        raise ValueError(f"{path} is damaged: its model is none for its data")
    return run_of(trainer, data, described)


def fingerprint(data: PairData) -> str:
    """Of the pairs, and where in each the answer begins."""
    parts = ((np.int64(len(ids)), ids, answer) for ids, answer in [*data.train, *data.valid])
    return fingerprint_of([data.sources, data.targets], chain.from_iterable(parts))


def run_of(trainer: Trainer[Any], data: PairData, description: dict[str, Any]) -> Run:
    """Its run."""
    sizes = f"{len(data.sources)} characters to read, {len(data.targets)} to write"
    return Run(
        trainer,
        data.train,
        data.valid,
        {"data": description, "sources": data.sources, "targets": data.targets},
        f"{data.name}: {len(data.train):,} pairs, {sizes}",
        lambda: report(trainer.model, data),
        'model, about = nb.load_model("{path}", kind=nb.Seq2Seq) in Python',
    )


def report(model: Seq2Seq, data: PairData) -> list[str]:
    """How many of the test part's answers are wholly right, some of them, and where the model looked for the first."""
    answers = predict_sequences(model, [ids for ids, _ in data.test])
    right = sum(np.array_equal(answer, target) for answer, (_, target) in zip(answers, data.test))
    lines = [f"wholly right in test: {right:,} of {len(answers):,}, {right / len(answers):.2%}", ""]
    for answer, (ids, target) in list(zip(answers, data.test))[:EXAMPLES]:
        wrong = "" if np.array_equal(answer, target) else f"   (it is {text_of(target, data.targets)})"
        lines.append(f"{text_of(ids, data.sources)} -> {text_of(answer, data.targets)}{wrong}")
    if model.attention is not None:
        ids, answer = data.test[0][0], answers[0]
        alpha = model.alignment(ids, answer)
        lines += ["", *attention_text(alpha, text_of(ids, data.sources), text_of(answer, data.targets)).split("\n")]
    return lines
