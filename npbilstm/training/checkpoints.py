"""Checkpoints: one .npz file, without pickle, that holds a run at one moment. It is also the model's file.

    meta                 JSON: format, model's class and arguments, optimizer, settings, position, generator, `about`
    params/NAME          the weights as they are
    best/NAME            the weights of the best epoch so far, where there was a validation
    optimiser/KIND/NAME  the optimizer's memory; it is spelled so in files, the old ones and the new

A checkpoint is written as files.py says: whenever the machine stops, the file is the old one or the new one, whole.
It is read as archives.py says, and what meta says of a model is compared with the arrays before one is made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.files import read_json, write_atomically
from npbilstm.layers.checks import require_size
from npbilstm.layers.hollow import hollow_model
from npbilstm.layers.layer import require_names_and_shapes, require_sound
from npbilstm.layers.models import SequenceClassifier, SequenceModel, SequenceTagger
from npbilstm.layers.options import unusual_options
from npbilstm.training.archives import Archive, open_archive
from npbilstm.training.optimizers import SGD, Adam
from npbilstm.training.trainer import Position, Settings, Trainer

FORMAT = "npbilstm checkpoint 1"
OPTIMIZER = "optimiser"
"""What files call the optimizer."""

GROUPS = ("params", "best", OPTIMIZER)
MODELS: dict[str, type[SequenceModel]] = {"SequenceTagger": SequenceTagger, "SequenceClassifier": SequenceClassifier}
OPTIMIZERS = {"SGD": SGD, "Adam": Adam}


class Checkpoint(NamedTuple):
    """A file's content: its meta, and its arrays under their names in the file."""

    path: Path
    meta: dict[str, Any]
    arrays: dict[str, np.ndarray]

    def __repr__(self) -> str:
        return f"<Checkpoint {str(self.path)!r}, {len(self.arrays)} arrays>"

    @property
    def about(self) -> dict[str, Any]:
        """What its writer said about the model; an empty dict where that is nothing of use."""
        said = self.meta.get("about")
        return said if isinstance(said, dict) else {}


def save_model(path: str | Path, model: SequenceModel, about: Mapping[str, Any] | None = None) -> None:
    """Write a model alone. about: whatever JSON can hold that its user needs, e.g. vocabulary and classes.

    >>> nb.save_model("model.npz", nb.SequenceTagger(10, 2, rng=0), about={"classes": ["word", "space"]})
    >>> model, about = nb.load_model("model.npz")
    >>> about
    {'classes': ['word', 'space']}
    """
    save_arrays(path, {"model": model_meta(model), "about": dict(about or {})}, {"params": model.params})


def save_checkpoint(path: str | Path, trainer: Trainer, about: Mapping[str, Any] | None = None) -> None:
    """Write all that a run is: load_trainer makes of it a Trainer that goes on to bit-identical weights.

    >>> trainer = nb.Trainer(nb.SequenceTagger(3, 2, hidden_size=4, rng=0), settings=nb.Settings(epochs=2))
    >>> save = lambda: nb.save_checkpoint("run.npz", trainer)
    >>> history = trainer.train([(np.array([1, 2]), np.array([0, 1]))], save=save, show=False)
    >>> nb.load_trainer("run.npz")[0].finished
    True
    """
    meta = {
        "model": model_meta(trainer.model),
        OPTIMIZER: {
            "class": type(trainer.optimizer).__name__,
            "settings": trainer.optimizer.settings,
            "steps": trainer.optimizer.steps,
        },
        "settings": asdict(trainer.settings),
        "position": asdict(trainer.position),
        "generator": trainer.rng.bit_generator.state,
        "about": dict(about or {}),
    }
    arrays = {"params": trainer.model.params, "best": trainer.best_params, OPTIMIZER: trainer.optimizer.state}
    save_arrays(path, meta, arrays)


def model_meta(model: SequenceModel) -> dict[str, Any]:
    """What makes a model of this shape again. Raises TypeError for what is no model, ValueError for one whose recurrent
    layer was exchanged for one that no model is made with, and as require_sound."""
    if not isinstance(model, SequenceModel):
        raise TypeError(f"model is {model!r}; it needs a model. npbilstm.write_weights writes layers")
    require_sound(model)
    for option, value in unusual_options(model.recurrent).items():
        if option != "bidirectional":
            raise ValueError(
                f"model.recurrent has {option}={value!r}, which a model's file has no place for; npbilstm."
                "write_weights writes the layer alone"
            )
    return {"class": type(model).__name__, "config": model.config}


def save_arrays(path: str | Path, meta: dict[str, Any], groups: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """One .npz: the meta as JSON in an array of bytes, and "group/name" for every array, in the order of the names."""
    text = json.dumps({"format": FORMAT, **meta}, sort_keys=True)
    arrays = {f"{group}/{name}": array for group, members in groups.items() for name, array in members.items()}
    arrays["meta"] = np.frombuffer(text.encode(), np.uint8)
    arrays = dict(sorted(arrays.items()))  # a run that was resumed made the optimizer's memory in another order
    write_atomically(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def read_checkpoint(path: str | Path, max_bytes: int | None = None) -> Checkpoint:
    """A checkpoint's content. max_bytes: what a compressed file may unpack to; None: ten times its size, or 1 MiB.

    Raises OSError where there is no such file, ValueError with a sentence where it is not a checkpoint, is damaged, cut
    short or compressed beyond max_bytes.
    """
    with open_archive(path, max_bytes, "is not a model file: it is not a .npz archive") as archive:
        return checkpoint_in(archive)


def checkpoint_in(archive: Archive) -> Checkpoint:
    """The content of an archive that is open. Raises ValueError where it is none of a checkpoint."""
    path, names = archive.path, archive.names
    if "meta" not in names or not all(name == "meta" or name.split("/")[0] in GROUPS for name in names):
        raise ValueError(f"{path} is not a model file: it is a .npz archive of something else")
    text = archive.read("meta").tobytes()
    try:
        meta = read_json(text.decode())
    except ValueError as error:
        raise ValueError(f"{path} is damaged: its description cannot be read ({error})") from error
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise ValueError(f"{path} is not a model file of this version: it needs the format {FORMAT!r}")
    return Checkpoint(path, meta, {name: archive.read(name) for name in names if name != "meta"})


def group(checkpoint: Checkpoint, name: str) -> dict[str, np.ndarray]:
    """The arrays of one group, e.g. "params", under their own names."""
    prefix = name + "/"
    return {key[len(prefix) :]: array for key, array in checkpoint.arrays.items() if key.startswith(prefix)}


def require_like(
    checkpoint: Checkpoint, name: str, shapes: Mapping[str, tuple[int, ...]], dtype: np.dtype
) -> dict[str, np.ndarray]:
    """One group's arrays, in the order of shapes; ValueError where names, shapes or the dtype are not those, or a
    number is not finite."""
    stored = group(checkpoint, name)
    require_names_and_shapes(f"{checkpoint.path}'s {name}", stored, shapes)
    for key in shapes:
        if stored[key].dtype != dtype:
            raise ValueError(f"{checkpoint.path}'s {name}[{key!r}] has dtype {stored[key].dtype}; it needs {dtype}")
        if not np.isfinite(stored[key]).all():
            raise ValueError(f"{checkpoint.path}'s {name}[{key!r}] holds NaN or infinity; it needs finite numbers")
    return {key: np.ascontiguousarray(stored[key]) for key in shapes}


def build_model(checkpoint: Checkpoint, name: str) -> SequenceModel:
    """The model of the file's class and arguments, with one group's arrays as its params; ValueError where they make
    none."""
    try:
        described = checkpoint.meta["model"]
        model = hollow_model(MODELS[described["class"]], **described["config"])
        if model.recurrent.num_layers > len(checkpoint.arrays):
            raise ValueError(f"num_layers is {model.recurrent.num_layers}; it has {len(checkpoint.arrays)} arrays")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its description makes no model ({error})") from error
    model.params = require_like(checkpoint, name, model.param_shapes, model.linear.params["b"].dtype)
    return model


def build_position(stored: dict[str, Any]) -> Position:
    """A run's position, checked; TypeError or ValueError where it is none."""
    position = Position(**stored)
    for name in ("epoch", "batch", "waited"):
        require_size(name, getattr(position, name), least=0)
    if not isinstance(position.history, list) or not np.isfinite([position.loss_sum, position.best]).all():
        raise TypeError("history needs to be a list, loss_sum and best need to be numbers")
    if not all(isinstance(record, dict) and np.isfinite([*record.values()]).all() for record in position.history):
        raise TypeError("each epoch of history needs to be a table of numbers")
    if position.epoch_start is not None:
        np.random.default_rng().bit_generator.state = position.epoch_start
    elif position.batch:
        raise ValueError("a run within an epoch needs epoch_start")
    return position


def load_model(path: str | Path, max_bytes: int | None = None) -> tuple[SequenceModel, dict[str, Any]]:
    """The model in a file, with the weights of its best epoch if it has any; and what was said `about` it.

    max_bytes, and what is raised, as read_checkpoint has them.

    >>> saved = nb.SequenceTagger(10, 2, rng=0)
    >>> nb.save_model("model.npz", saved)
    >>> model, about = nb.load_model("model.npz")
    >>> all(np.array_equal(model.params[name], p) for name, p in saved.params.items())
    True
    """
    checkpoint = read_checkpoint(path, max_bytes)
    return model_in(checkpoint), checkpoint.about


def model_in(checkpoint: Checkpoint) -> SequenceModel:
    """The model of a file's content. Raises ValueError where it makes none."""
    return build_model(checkpoint, "best" if group(checkpoint, "best") else "params")


def load_trainer(path: str | Path, max_bytes: int | None = None) -> tuple[Trainer, dict[str, Any]]:
    """The run in a file, where it was when the file was written; and what was said `about` it.

    max_bytes, and what is raised, as read_checkpoint has them; and ValueError for a file that holds a model alone.

    >>> nb.save_checkpoint("run.npz", nb.Trainer(nb.SequenceTagger(3, 2, hidden_size=4, rng=0)))
    >>> trainer, about = nb.load_trainer("run.npz")
    >>> trainer.position.epoch, trainer.finished
    (0, False)
    """
    checkpoint = read_checkpoint(path, max_bytes)
    meta = checkpoint.meta
    if OPTIMIZER not in meta:
        raise ValueError(f"{checkpoint.path} holds a model alone, not a training run; there is nothing to resume")
    model = build_model(checkpoint, "params")
    try:
        optimizer = OPTIMIZERS[meta[OPTIMIZER]["class"]](**meta[OPTIMIZER]["settings"])
        optimizer.steps = require_size("steps", meta[OPTIMIZER]["steps"], least=0)
        trainer = Trainer(model, optimizer, Settings(**meta["settings"]))
        trainer.position = build_position(meta["position"])
        trainer.rng.bit_generator.state = meta["generator"]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its run cannot be taken up ({error})") from error
    shapes, dtype = model.param_shapes, model.linear.params["b"].dtype
    if optimizer.steps:
        slots = {f"{slot}/{name}": shape for slot in optimizer._slots for name, shape in shapes.items()}
        optimizer.state = require_like(checkpoint, OPTIMIZER, slots, dtype)
    if group(checkpoint, "best"):
        trainer.best_params = require_like(checkpoint, "best", shapes, dtype)
    return trainer, checkpoint.about
