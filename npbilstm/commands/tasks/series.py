"""Series of real numbers with a class or values each, or at each step: .csv, .npz and .ts files."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.commands.data import existing, fingerprint_of, read_again
from npbilstm.commands.tasks.run import (
    Run,
    optimizer_of,
    recognised,
    recurrent_arguments,
    require_memory,
    settings_of,
)
from npbilstm.datasets import SeriesData, series
from npbilstm.datasets.series import READERS
from npbilstm.models import SequenceClassifier, SequenceModel, SequenceTagger
from npbilstm.models.hollow import count_of_numbers, hollow_model
from npbilstm.training import Trainer, count, predict_sequences

SERIES = "series"
KINDS = (SERIES,)
DEFAULTS = {"epochs": 60, "batch_size": 16, "dropout": 0.3}
UNUSED = frozenset(
    {"spans", "vectors", "head", "attention", "pairs", "columns", "embedding_size", "characters", "window"}
)


def reads(path: str | None) -> bool:
    """Whether a path is, by its suffix, a file of series."""
    return path is not None and Path(path).suffix.lower() in READERS and not Path(path).is_dir()


def start(options: Any) -> Run:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    settings, optimizer = settings_of(options), optimizer_of(options, adam_rate=0.005)
    paths = existing({"train": options.data, "valid": options.valid, "test": options.test})
    data = series(**paths, seed=options.seed, max_bytes=options.max_bytes)  # type: ignore[arg-type]
    kind: type[SequenceModel] = SequenceTagger if data.per_step else SequenceClassifier
    arguments = {"input_size": len(data.features), **answers(data), **recurrent_arguments(options)}
    require_memory(count_of_numbers(hollow_model(kind, **arguments)))
    trainer = Trainer(kind(**arguments, rng=options.seed), optimizer, settings)
    description = {"kind": SERIES, **paths, "seed": options.seed, "fingerprint": fingerprint(data)}
    return run_of(trainer, data, about_data(data, description))


def resume(path: Path, said: dict[str, Any], trainer: Trainer[Any], options: Any) -> Run:
    """The run in a file. Raises ValueError where its data cannot be read, or is not what it was."""
    described = {name: value for name, value in said["data"].items() if name not in ("kind", "fingerprint")}
    data = read_again(
        path,
        said["data"],
        lambda: series(**described, max_bytes=options.max_bytes),
        fingerprint,
        lambda _: described.get("train"),
    )
    model = trainer.model
    kind = SequenceTagger if data.per_step else SequenceClassifier
    if type(model) is not kind or model.config != {**model.config, "input_size": len(data.features), **answers(data)}:
        raise ValueError(f"{path} is damaged: its model is none for its data")
    return run_of(trainer, data, about_data(data, said["data"]))


def answers(data: SeriesData) -> dict[str, int]:
    """What a model of this data answers, as its arguments say it."""
    if data.values is None:
        return {"num_classes": len(data.classes or [])}
    return {"num_values": len(data.values.mean)}


def fingerprint(data: SeriesData) -> str:
    """Of the series and what they are called."""
    return fingerprint_of([data.kind, *data.features, "", *(data.classes or [])], chain(*data.train, *data.valid))


def about_data(data: SeriesData, description: dict[str, Any]) -> dict[str, Any]:
    """What a model's file says of its data: enough to use the model without the data, and to find the data again."""
    scaled = {"inputs": data.inputs, "values": data.values}
    return {
        "data": description,
        "target": data.kind,
        "classes": data.classes,
        "features": data.features,
        **{name: each and {"mean": each.mean.tolist(), "scale": each.scale.tolist()} for name, each in scaled.items()},
    }


def run_of(trainer: Trainer[Any], data: SeriesData, about: dict[str, Any]) -> Run:
    """Its run."""
    steps = sum(len(x) for x, _ in data.train)
    what = f"{len(data.classes)} classes" if data.classes is not None else "values to predict"
    return Run(
        trainer,
        data.train,
        data.valid,
        about,
        f"{data.name}: {len(data.train):,} series of {steps:,} steps, {len(data.features)} features, {what}",
        lambda: report(trainer.model, data),
        'model, about = nb.load_model("{path}") in Python, see series.md',
    )


def report(model: SequenceModel, data: SeriesData) -> list[str]:
    """How good the model is on the test part: of classes the share recognised; of values the error in their own units,
    beside that of always saying the training part's mean."""
    if data.classes is not None:
        return recognised(data.classes, count(model, data.test))
    assert data.values is not None
    scale = data.values.scale
    predicted = predict_sequences(model, [x for x, _ in data.test])
    errors = [p - target for p, (_, target) in zip(predicted, data.test)]
    found, baseline = (root_mean_square(e) * scale for e in (errors, [target for _, target in data.test]))
    lines = [f"{'root mean square error in test':32}{'of the model':>14}{'of the mean':>14}"]
    names = [f"value {k}" for k in range(len(scale))]
    told = [["-" if np.isnan(error) else f"{error:.4g}" for error in each] for each in (found, baseline)]
    return lines + [f"{name:32}{ours:>14}{theirs:>14}" for name, ours, theirs in zip(names, *told)]


def root_mean_square(rows: Sequence[np.ndarray]) -> np.ndarray:
    """Of each value over all series and steps (K,); NaN where there is not one step."""
    every = np.concatenate([np.atleast_2d(row) for row in rows]).astype(float)
    return np.asarray(np.sqrt((every * every).sum(axis=0) / (len(every) or np.nan)))
