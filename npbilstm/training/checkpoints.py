"""Checkpoints: one .npz file, without pickle, that holds a run at one moment. It is also the model's file.

    meta                 JSON: format, model's class and arguments, optimizer, settings, position, generator, `about`
    params/NAME          the weights as they are
    best/NAME            the weights of the best epoch so far, where there was a validation
    carried/PART         of a model of streams the state in which the last window ended, within an epoch
    optimiser/KIND/NAME  the optimizer's memory; it is spelled so in files, the old ones and the new

A checkpoint is written as files.py says: whenever the machine stops, the file is the old one or the new one, whole.
It is read as archives.py says, and what meta says of a model is compared with the arrays before one is made.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from operator import attrgetter
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, overload

import numpy as np

from npbilstm.archives import Archive, open_archive
from npbilstm.files import read_json, write_atomically
from npbilstm.layers.checks import require_size
from npbilstm.layers.layer import require_names_and_shapes, require_sound
from npbilstm.layers.options import unusual_options
from npbilstm.layers.recurrent import Recurrent
from npbilstm.models import (
    LanguageModel,
    Model,
    Seq2Seq,
    SequenceClassifier,
    SequenceModel,
    SequenceTagger,
    WordTagger,
)
from npbilstm.models.hollow import hollow_language_model, hollow_model, hollow_seq2seq, hollow_word_tagger
from npbilstm.training.late_updates import ROW_SLOTS
from npbilstm.training.optimizers import SGD, Adam
from npbilstm.training.trainer import Position, Settings, Trainer

AnyModel = TypeVar("AnyModel", bound=Model)

FORMAT = "npbilstm checkpoint 1"
OPTIMIZER = "optimiser"
"""What files call the optimizer."""

LATE = "late"
"""What files call, in the optimizer's memory, a table that has rows to be caught up with."""

CARRIED = "carried"
GROUPS = ("params", "best", CARRIED, OPTIMIZER)
HOLLOW: dict[type[Model], Callable[..., Any]] = {
    SequenceTagger: hollow_model,
    SequenceClassifier: hollow_model,
    Seq2Seq: hollow_seq2seq,
    LanguageModel: hollow_language_model,
    WordTagger: hollow_word_tagger,
}
"""Every model that files hold, and what makes it of its arguments before its arrays."""
RECURRENT: dict[type[Model], tuple[str, ...]] = {
    SequenceTagger: ("recurrent",),
    SequenceClassifier: ("recurrent",),
    Seq2Seq: ("encoder",),
    LanguageModel: ("recurrent",),
    WordTagger: ("speller", "tagger.recurrent"),
}
"""Where each has its recurrent layers."""
MODELS: dict[str, type[SequenceModel]] = {"SequenceTagger": SequenceTagger, "SequenceClassifier": SequenceClassifier}
"""Those that other libraries' files hold too."""
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


def save_model(path: str | Path, model: Model, about: Mapping[str, Any] | None = None) -> None:
    """Write a model alone. about: whatever JSON can hold that its user needs, e.g. vocabulary and classes.

    >>> nb.save_model("model.npz", nb.SequenceTagger(10, 2, rng=0), about={"classes": ["word", "space"]})
    >>> model, about = nb.load_model("model.npz")
    >>> about
    {'classes': ['word', 'space']}
    """
    save_arrays(path, {"model": model_meta(model), "about": dict(about or {})}, {"params": model.params})


def save_checkpoint(path: str | Path, trainer: Trainer[Any], about: Mapping[str, Any] | None = None) -> None:
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
        **({} if trainer.spans_of is None else {"spans_of": trainer.spans_of}),
    }
    settled, late = settled_params(trainer)
    arrays = {"params": settled, "best": trainer.best_params, OPTIMIZER: {**trainer.optimizer.state, **late}}
    if trainer.carried is not None:
        parts: tuple[str, ...] = trainer.model.recurrent.state_parts
        state = trainer.carried if len(parts) > 1 else (trainer.carried,)
        arrays[CARRIED] = dict(zip(parts, state))
    save_arrays(path, meta, arrays)


def settled_params(trainer: Trainer[Any]) -> tuple[Mapping[str, np.ndarray], dict[str, np.ndarray]]:
    """The params as they are when all is caught up with (training/late_updates.py); and, under "late/NAME", the tables
    as they stand, from which the run goes on."""
    tables, params = trainer.model.tables, trainer.model.params
    if not tables or not trainer.optimizer.steps:
        return params, {}
    settled, optimizer = {**params, **{name: params[name].copy() for name in tables}}, copy.deepcopy(trainer.optimizer)
    optimizer.settle(settled)
    return settled, {f"{LATE}/{name}": params[name] for name in tables}


def model_meta(model: Model) -> dict[str, Any]:
    """What makes a model of this shape again. Raises TypeError for what is no model, ValueError for one whose recurrent
    layer was exchanged for one that no model is made with, and as require_sound."""
    if type(model) not in HOLLOW:
        raise TypeError(f"model is {model!r}; it needs a model. npbilstm.write_weights writes layers")
    require_sound(model)
    for name in RECURRENT[type(model)]:
        layer: Recurrent = attrgetter(name)(model)
        for option, value in unusual_options(layer).items():
            if option != "bidirectional":
                raise ValueError(
                    f"model.{name} has {option}={value!r}, which a model's file has no place for; npbilstm."
                    "write_weights writes the layer alone"
                )
    return {"class": type(model).__name__, "config": model.config}


def save_arrays(path: str | Path, meta: dict[str, Any], groups: Mapping[str, Mapping[str, np.ndarray]]) -> None:
    """One .npz: the meta as JSON in an array of bytes, and "group/name" for every array, in the order of the names."""
    try:
        text = json.dumps({"format": FORMAT, **meta}, sort_keys=True)
    except (TypeError, ValueError) as error:  # all but about is ours
        raise TypeError(f"about cannot be written as JSON: {error}") from error
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
    checkpoint: Checkpoint,
    name: str,
    shapes: Mapping[str, tuple[int, ...]],
    dtype: np.dtype,
    others: Mapping[str, np.dtype] | None = None,
) -> dict[str, np.ndarray]:
    """One group's arrays, in the order of shapes; ValueError where names, shapes or the dtype are not those, or a
    number is not finite. others: the dtypes of those that have another."""
    stored = group(checkpoint, name)
    require_names_and_shapes(f"{checkpoint.path}'s {name}", stored, shapes)
    for key in shapes:
        needed = (others or {}).get(key, dtype)
        if stored[key].dtype != needed:
            raise ValueError(f"{checkpoint.path}'s {name}[{key!r}] has dtype {stored[key].dtype}; it needs {needed}")
        if not np.isfinite(stored[key]).all():
            raise ValueError(f"{checkpoint.path}'s {name}[{key!r}] holds NaN or infinity; it needs finite numbers")
    return {key: np.ascontiguousarray(stored[key]) for key in shapes}


def build_model(checkpoint: Checkpoint, name: str) -> Any:
    """The model of the file's class and arguments, with one group's arrays as its params; ValueError where they make
    none."""
    try:
        described = checkpoint.meta["model"]
        make = {make.__name__: make for make in HOLLOW}[described["class"]]
        model: Any = HOLLOW[make](make, **described["config"])
        layers: list[Recurrent] = [attrgetter(name)(model) for name in RECURRENT[make]]
        if (most := max(layer.num_layers for layer in layers)) > len(checkpoint.arrays):
            raise ValueError(f"num_layers is {most}; it has {len(checkpoint.arrays)} arrays")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its description makes no model ({error})") from error
    model.params = require_like(checkpoint, name, model.param_shapes, model.linear.params["b"].dtype)
    return model


def build_position(stored: dict[str, Any]) -> Position:
    """A run's position, checked; TypeError or ValueError where it is none."""
    position = Position(**stored)
    for name in ("epoch", "batch", "waited"):
        require_size(name, getattr(position, name), least=0)
    if not isinstance(position.history, list) or not np.isfinite([position.loss_sum, position.best or 0.0]).all():
        raise TypeError("history needs to be a list, loss_sum and best need to be numbers")
    if not all(isinstance(record, dict) and np.isfinite([*record.values()]).all() for record in position.history):
        raise TypeError("each epoch of history needs to be a table of numbers")
    if position.epoch_start is not None:
        np.random.default_rng().bit_generator.state = position.epoch_start
    elif position.batch:
        raise ValueError("a run within an epoch needs epoch_start")
    return position


def build_carried(checkpoint: Checkpoint, layer: Recurrent, batch_size: int) -> Any:
    """The state that a run within an epoch goes on with. Raises ValueError where it is none of this layer."""
    stored = group(checkpoint, CARRIED)
    rows = min(next((part.shape[1] for part in stored.values() if part.ndim == 3), 0), batch_size)
    shapes = dict(zip(layer.state_parts, layer.state_shapes(rows)))
    parts = require_like(checkpoint, CARRIED, shapes, next(iter(layer.params.values())).dtype)
    return tuple(parts.values()) if len(parts) > 1 else parts["h"]


@overload
def load_model(path: str | Path, max_bytes: int | None = None) -> tuple[SequenceModel, dict[str, Any]]: ...
@overload
def load_model(
    path: str | Path, max_bytes: int | None = None, *, kind: type[AnyModel]
) -> tuple[AnyModel, dict[str, Any]]: ...
def load_model(
    path: str | Path, max_bytes: int | None = None, *, kind: type[Any] = SequenceModel
) -> tuple[Any, dict[str, Any]]:
    """The model in a file, with the weights of its best epoch if it has any; and what was said `about` it.

    kind: what it needs to be: a tagger or a classifier, unless another class is named, nb.Seq2Seq.
    max_bytes, and what is raised, as read_checkpoint has them; and ValueError for a model of another kind.

    >>> saved = nb.SequenceTagger(10, 2, rng=0)
    >>> nb.save_model("model.npz", saved)
    >>> model, about = nb.load_model("model.npz")
    >>> all(np.array_equal(model.params[name], p) for name, p in saved.params.items())
    True
    """
    checkpoint = read_checkpoint(path, max_bytes)
    return model_in(checkpoint, kind), checkpoint.about


def model_in(checkpoint: Checkpoint, kind: type[AnyModel]) -> AnyModel:
    """The model of a file's content. Raises ValueError where it makes none, or one of another kind."""
    model = build_model(checkpoint, "best" if group(checkpoint, "best") else "params")
    if not isinstance(model, kind):
        needed = "a tagger or a classifier" if kind is SequenceModel else f"a {kind.__name__}"
        raise ValueError(f"{checkpoint.path} holds a {type(model).__name__}; this needs {needed}")
    return model


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
        trainer = Trainer(model, optimizer, Settings(**meta["settings"]), spans_of=meta.get("spans_of"))
        trainer.position = build_position(meta["position"])
        trainer.rng.bit_generator.state = meta["generator"]
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(f"{checkpoint.path} is damaged: its run cannot be taken up ({error})") from error
    shapes, dtype = model.param_shapes, model.linear.params["b"].dtype
    if optimizer.steps:
        slots = {f"{slot}/{name}": shape for slot in optimizer._slots for name, shape in shapes.items()}
        rows = {f"{slot}/{name}": shapes[name][:1] for slot in ROW_SLOTS for name in model.tables}
        tables = {f"{LATE}/{name}": shapes[name] for name in model.tables}
        float64 = np.dtype(np.float64)
        memory = require_like(checkpoint, OPTIMIZER, slots | rows | tables, dtype, dict.fromkeys(rows, float64))
        optimizer.state = {key: memory[key] for key in slots | rows}
        for name in model.tables:
            model.params[name][...] = memory[f"{LATE}/{name}"]
    if group(checkpoint, "best"):
        trainer.best_params = require_like(checkpoint, "best", shapes, dtype)
    if trainer.position.batch and model.window is not None:
        trainer.carried = build_carried(checkpoint, model.recurrent, trainer.settings.batch_size)
    return trainer, checkpoint.about
