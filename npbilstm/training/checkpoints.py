"""Checkpoints: one .npz file, without pickle, that holds a run at one moment. It is also the model's file.

    meta                 JSON: format, model's class and arguments, optimiser, settings, position, generator, `about`
    params/NAME          the weights as they are
    best/NAME            the weights of the best epoch so far, where there was a validation
    optimiser/KIND/NAME  the optimiser's memory

A checkpoint is written to a temporary name beside its own and renamed: whenever the machine stops, the file is the old
one or the new one, whole.
"""

from __future__ import annotations

import glob
import json
import os
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.layers.layer import require_same_names
from npbilstm.layers.models import SequenceClassifier, SequenceModel, SequenceTagger
from npbilstm.training.optimisers import SGD, Adam
from npbilstm.training.trainer import Position, Settings, Trainer

FORMAT = "npbilstm checkpoint 1"
MODELS: dict[str, type[SequenceModel]] = {"SequenceTagger": SequenceTagger, "SequenceClassifier": SequenceClassifier}
OPTIMISERS = {"SGD": SGD, "Adam": Adam}


class Checkpoint(NamedTuple):
    """A file's content: its meta, and its arrays under their names in the file."""

    path: Path
    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]


def write_atomically(path: str | Path, write: Any) -> None:
    """write(file) to a temporary file beside path, then rename it to path. On failure path is untouched."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's 0600 is not what a user expects of a file
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def remove_leftovers(path: str | Path) -> None:
    """Delete the temporary files that killed writers of path left beside it."""
    path = Path(path)
    for temporary in path.absolute().parent.glob(f".{glob.escape(path.name)}.*.tmp"):
        temporary.unlink(missing_ok=True)


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
    """What makes a model of this shape again."""
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
    try:
        with open(path, "rb") as file:
            if file.read(4) != b"PK\x03\x04":
                raise ValueError(f"{path} is not a model file: it is not a .npz archive")
            file.seek(0)
            with np.load(file, allow_pickle=False) as archive:
                if "meta" not in archive.files:
                    raise ValueError(f"{path} is not a model file: it is a .npz archive of something else")
                arrays = {name: archive[name] for name in archive.files}
        meta = json.loads(arrays.pop("meta").tobytes().decode())
    except (zipfile.BadZipFile, zlib.error, EOFError, KeyError, NotImplementedError, RuntimeError) as error:
        raise ValueError(f"{path} is damaged or cut short: {error}") from error
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is damaged: its description cannot be read ({error})") from error
    except ValueError as error:
        if str(path) in str(error):
            raise
        raise ValueError(f"{path} is damaged: {error}") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError(f"{path} is not a model file of this version: it needs the format {FORMAT!r}")
    return Checkpoint(path, meta, arrays)


def group(checkpoint: Checkpoint, name: str) -> dict[str, np.ndarray]:
    """The arrays of one group, e.g. "params", under their own names."""
    prefix = name + "/"
    return {key[len(prefix) :]: array for key, array in checkpoint.arrays.items() if key.startswith(prefix)}


def fill(checkpoint: Checkpoint, name: str, params: Mapping[str, np.ndarray]) -> None:
    """Copy one group's arrays into params, in place; ValueError where names, shapes or dtypes differ."""
    stored = group(checkpoint, name)
    require_same_names(f"{checkpoint.path}'s {name}", stored, params)
    for key, p in params.items():
        if stored[key].dtype != p.dtype:
            raise ValueError(f"{checkpoint.path}'s {name}[{key!r}] has dtype {stored[key].dtype}; it needs {p.dtype}")
        p[...] = stored[key]


def build_model(checkpoint: Checkpoint) -> SequenceModel:
    """A fresh model of the file's class and arguments; ValueError where they make none."""
    try:
        described = checkpoint.meta["model"]
        return MODELS[described["class"]](**described["config"])
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its description makes no model ({error})") from error


def load_model(path: str | Path | Checkpoint) -> tuple[SequenceModel, dict[str, Any]]:
    """The model in a file, with the weights of its best epoch if it has any; and what was said `about` it.

    Raises as read_checkpoint does.
    """
    checkpoint = path if isinstance(path, Checkpoint) else read_checkpoint(path)
    model = build_model(checkpoint)
    fill(checkpoint, "best" if group(checkpoint, "best") else "params", model.params)
    return model, checkpoint.meta.get("about", {})


def load_trainer(path: str | Path | Checkpoint) -> tuple[Trainer, dict[str, Any]]:
    """The run in a file, where it was when the file was written; and what was said `about` it.

    Raises as read_checkpoint does, and ValueError for a file that holds a model alone.
    """
    checkpoint = path if isinstance(path, Checkpoint) else read_checkpoint(path)
    meta = checkpoint.meta
    if "optimiser" not in meta:
        raise ValueError(f"{checkpoint.path} holds a model alone, not a training run; there is nothing to resume")
    model = build_model(checkpoint)
    fill(checkpoint, "params", model.params)
    try:
        optimiser = OPTIMISERS[meta["optimiser"]["class"]](**meta["optimiser"]["settings"])
        optimiser.steps = meta["optimiser"]["steps"]
        trainer = Trainer(model, optimiser, Settings(**meta["settings"]))
        trainer.position = Position(**meta["position"])
        trainer.rng.bit_generator.state = meta["generator"]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its run cannot be taken up ({error})") from error
    optimiser.state = group(checkpoint, "optimiser")
    if optimiser.state:
        slots = {f"{slot}/{name}": p for slot in optimiser.slots for name, p in model.params.items()}
        require_same_names(f"{checkpoint.path}'s optimiser", optimiser.state, slots)
    trainer.best_params = group(checkpoint, "best")
    if trainer.best_params:
        require_same_names(f"{checkpoint.path}'s best", trainer.best_params, model.params)
    return trainer, meta.get("about", {})
