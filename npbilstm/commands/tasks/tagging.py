"""Tagging: Python source by character, or words with a tag each."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from npbilstm.commands.data import PYTHON, TEXT, About, about_data, describe_data, load_again, load_data, read_about
from npbilstm.commands.tasks.run import Run, optimizer_of, recognised, recurrent_arguments, require_memory, settings_of
from npbilstm.datasets import TaggedData
from npbilstm.models import SequenceTagger
from npbilstm.models.hollow import count_of_numbers, hollow_model
from npbilstm.training import Trainer, count, predict_sequences

KINDS = (PYTHON, TEXT)
DEFAULTS: dict[str, Any] = {}
UNUSED = frozenset({"head", "attention", "pairs", "vectors"})


def start(options: Any) -> Run:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    settings, optimizer = settings_of(options), optimizer_of(options)
    description = describe_data(
        options.data,
        options.valid,
        options.test,
        options.characters,
        options.window,
        options.seed,
        options.columns,
    )
    data = load_data(description)
    arguments = {
        "num_symbols": len(data.vocabulary),
        "num_classes": len(data.classes),
        "embedding_size": options.embedding_size,
        **recurrent_arguments(options),
    }
    require_memory(count_of_numbers(hollow_model(SequenceTagger, **arguments)))
    model = SequenceTagger(**arguments, rng=options.seed)
    trainer = Trainer(model, optimizer, settings, spans_of=data.classes if options.spans else None)
    return run_of(trainer, data, about_data(data, description))


def resume(path: Path, said: dict[str, Any], trainer: Trainer[Any], options: Any) -> Run:
    """The run in a file. Raises ValueError where its data has changed."""
    about = read_about(path, said, trainer.model)
    return run_of(trainer, load_again(path, about), about)


def run_of(trainer: Trainer[Any], data: TaggedData, about: About, notes: Sequence[str] = ()) -> Run:
    """Its run. notes: sentences beside those of the data."""
    symbols = sum(len(ids) for ids, _ in data.train)
    return Run(
        trainer,
        data.train,
        data.valid,
        about.to_json(),
        f"{data.name}: {len(data.train):,} sequences of {symbols:,} symbols, {len(data.classes)} classes",
        lambda: report(trainer, data),
        "npbilstm tag {path} FILE",
        [*data.notes, *notes],
    )


def report(trainer: Trainer[Any], data: TaggedData) -> list[str]:
    """What of the test part was recognised, and where validation measured spans their F1 too."""
    lines = recognised(data.classes, count(trainer.model, data.test))
    if trainer.spans_of is not None:
        answers = predict_sequences(trainer.model, [ids for ids, _ in data.test])
        measured = trainer.metric.measure([labels for _, labels in data.test], answers)
        lines.append(f"F1 of the spans in test: {measured:.2%}")
    return lines
