"""Checkpoints: one .npz file, without pickle, that holds a run at one moment. It is also the model's file.

    meta                 JSON: format, model's class and arguments, optimiser, settings, position, generator, `about`
    params/NAME          the weights as they are
    best/NAME            the weights of the best epoch so far, where there was a validation
    optimiser/KIND/NAME  the optimiser's memory

A checkpoint is written as files.py says: whenever the machine stops, the file is the old one or the new one, whole.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.files import write_atomically
from npbilstm.layers.checks import require_size
from npbilstm.layers.layer import require_same_names
from npbilstm.layers.models import SequenceClassifier, SequenceModel, SequenceTagger
from npbilstm.training.optimisers import SGD, Adam
from npbilstm.training.trainer import Position, Settings, Trainer

FORMAT = "npbilstm checkpoint 1"
GROUPS = ("params", "best", "optimiser")
MODELS: dict[str, type[SequenceModel]] = {"SequenceTagger": SequenceTagger, "SequenceClassifier": SequenceClassifier}
OPTIMISERS = {"SGD": SGD, "Adam": Adam}


class Checkpoint(NamedTuple):
    """A file's content: its meta, and its arrays under their names in the file."""

    path: Path
    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]

    @property
    def about(self) -> dict[str, Any]:
        """What its writer said about the model; an empty dict where that is nothing of use."""
        said = self.meta.get("about")
        return said if isinstance(said, dict) else {}


def save_model(path: str | Path, model: SequenceModel, about: Mapping[str, Any] | None = None) -> None:
    """Write a model alone. about: whatever JSON can hold that its user needs, e.g. vocabulary and classes."""
    save_arrays(path, {"model": model_meta(model), "about": dict(about or {})}, {"params": model.params})


def save_checkpoint(path: str | Path, trainer: Trainer, about: Mapping[str, Any] | None = None) -> None:
    """Write all that a run is: load_trainer makes of it a Trainer that goes on to bit-identical weights."""
    meta = {
        "model": model_meta(trainer.model),
        "optimiser": {
            "class": type(trainer.optimiser).__name__,
            "settings": trainer.optimiser.settings,
            "steps": trainer.optimiser.steps,
        },
        "settings": asdict(trainer.settings),
        "position": asdict(trainer.position),
        "generator": trainer.rng.bit_generator.state,
        "about": dict(about or {}),
    }
    arrays = {"params": trainer.model.params, "best": trainer.best_params, "optimiser": trainer.optimiser.state}
    save_arrays(path, meta, arrays)


def model_meta(model: SequenceModel) -> dict[str, Any]:
    """What makes a model of this shape again. Raises TypeError for what is no model, and as model.require_params."""
    if not isinstance(model, SequenceModel):
        raise TypeError(f"model is {model!r}; it needs a model. npbilstm.write_weights writes layers")
    model.require_params()
    return {"class": type(model).__name__, "config": model.config}


def save_arrays(path: str | Path, meta: dict[str, Any], groups: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """One .npz: the meta as JSON in an array of bytes, and "group/name" for every array."""
    text = json.dumps({"format": FORMAT, **meta}, sort_keys=True)
    arrays = {f"{group}/{name}": array for group, members in groups.items() for name, array in members.items()}
    arrays["meta"] = np.frombuffer(text.encode(), np.uint8)
    write_atomically(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def read_checkpoint(path: str | Path) -> Checkpoint:
    """A checkpoint's content.

    Raises FileNotFoundError where there is no such file, ValueError with a sentence where it is not a checkpoint, or is
    damaged or cut short.
    """
    path = Path(path)
    with open(path, "rb") as file:
        if file.read(4) != b"PK\x03\x04":
            raise ValueError(f"{path} is not a model file: it is not a .npz archive")
        file.seek(0)
        try:
            with np.load(file, allow_pickle=False) as archive:
                names = archive.files
                known = [name for name in names if name == "meta" or name.split("/")[0] in GROUPS]
                arrays = {name: archive[name] for name in known}
        except Exception as error:  # zipfile, its decompressors and NumPy raise many things for bytes not theirs
            raise ValueError(f"{path} is damaged or cut short: {error}") from error
    if "meta" not in arrays or len(known) != len(names):
        raise ValueError(f"{path} is not a model file: it is a .npz archive of something else")
    try:
        meta = json.loads(arrays.pop("meta").tobytes().decode())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: its description cannot be read ({error})") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError(f"{path} is not a model file of this version: it needs the format {FORMAT!r}")
    return Checkpoint(path, meta, arrays)


def group(checkpoint: Checkpoint, name: str) -> dict[str, np.ndarray]:
    """The arrays of one group, e.g. "params", under their own names."""
    prefix = name + "/"
    return {key[len(prefix) :]: array for key, array in checkpoint.arrays.items() if key.startswith(prefix)}


def require_like(checkpoint: Checkpoint, name: str, needed: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """One group's arrays; ValueError where names, shapes or dtypes are not those needed, or a number is not finite."""
    stored = group(checkpoint, name)
    require_same_names(f"{checkpoint.path}'s {name}", stored, needed)
    for key, p in needed.items():
        if stored[key].dtype != p.dtype:
            raise ValueError(f"{checkpoint.path}'s {name}[{key!r}] has dtype {stored[key].dtype}; it needs {p.dtype}")
        if not np.isfinite(stored[key]).all():
            raise ValueError(f"{checkpoint.path}'s {name}[{key!r}] holds NaN or infinity; it needs finite numbers")
    return {key: stored[key] for key in needed}


def fill(checkpoint: Checkpoint, name: str, params: Mapping[str, np.ndarray]) -> None:
    """Copy one group's arrays into params, in place. Raises as require_like does."""
    for key, array in require_like(checkpoint, name, params).items():
        params[key][...] = array


def build_model(checkpoint: Checkpoint) -> SequenceModel:
    """A fresh model of the file's class and arguments; ValueError where they make none."""
    try:
        described = checkpoint.meta["model"]
        return MODELS[described["class"]](**described["config"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its description makes no model ({error})") from error


def build_position(stored: dict[str, Any]) -> Position:
    """A run's position, checked; TypeError or ValueError where it is none."""
    position = Position(**stored)
    for name in ("epoch", "batch", "waited"):
        require_size(name, getattr(position, name), least=0)
    if not isinstance(position.history, list) or not np.isfinite([position.loss_sum, position.best]).all():
        raise TypeError("history needs to be a list, loss_sum and best need to be numbers")
    if position.epoch_start is not None:
        np.random.default_rng().bit_generator.state = position.epoch_start
    elif position.batch:
        raise ValueError("a run within an epoch needs epoch_start")
    return position


def load_model(path: str | Path) -> tuple[SequenceModel, dict[str, Any]]:
    """The model in a file, with the weights of its best epoch if it has any; and what was said `about` it.

    Raises as read_checkpoint does.
    """
    checkpoint = read_checkpoint(path)
    model = build_model(checkpoint)
    fill(checkpoint, "best" if group(checkpoint, "best") else "params", model.params)
    return model, checkpoint.about


def load_trainer(path: str | Path) -> tuple[Trainer, dict[str, Any]]:
    """The run in a file, where it was when the file was written; and what was said `about` it.

    Raises as read_checkpoint does, and ValueError for a file that holds a model alone.
    """
    checkpoint = read_checkpoint(path)
    meta = checkpoint.meta
    if "optimiser" not in meta:
        raise ValueError(f"{checkpoint.path} holds a model alone, not a training run; there is nothing to resume")
    model = build_model(checkpoint)
    fill(checkpoint, "params", model.params)
    try:
        optimiser = OPTIMISERS[meta["optimiser"]["class"]](**meta["optimiser"]["settings"])
        optimiser.steps = require_size("steps", meta["optimiser"]["steps"], least=0)
        trainer = Trainer(model, optimiser, Settings(**meta["settings"]))
        trainer.position = build_position(meta["position"])
        trainer.rng.bit_generator.state = meta["generator"]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its run cannot be taken up ({error})") from error
    if optimiser.steps:
        slots = {f"{slot}/{name}": p for slot in optimiser.slots for name, p in model.params.items()}
        optimiser.state = require_like(checkpoint, "optimiser", slots)
    if group(checkpoint, "best"):
        trainer.best_params = require_like(checkpoint, "best", model.params)
    return trainer, checkpoint.about
