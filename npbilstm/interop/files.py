"""Files of weights, told apart by the ends of their names:

    .npz            a model file of ours; or arrays under PyTorch's names or under ours
    .safetensors    arrays under PyTorch's names
    .onnx           a graph

What is read becomes a layer or a model of ours, and that is what is written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from npbilstm.files import naming, open_file, write_atomically
from npbilstm.interop.description import KEY, combined, describe, read_description
from npbilstm.interop.named import from_params, model_from_params
from npbilstm.interop.onnx_export import export_onnx
from npbilstm.interop.onnx_import import read_onnx
from npbilstm.interop.parts import (
    MODEL_NAMES,
    Arrays,
    cell_of,
    is_weight,
    require_recurrent,
    require_storable,
    wrong_dtype,
)
from npbilstm.interop.pytorch import alone, from_pytorch, model_from_pytorch, to_pytorch
from npbilstm.interop.pytorch_names import in_words, recurrent_prefixes, require_weights_themselves
from npbilstm.layers import Layer, Recurrent
from npbilstm.layers.layer import join, part_of
from npbilstm.layers.models import CELLS, SequenceModel
from npbilstm.layers.options import NUMBERS
from npbilstm.training.archives import open_archive
from npbilstm.training.checkpoints import MODELS, checkpoint_in, model_in, save_model

About = dict[str, Any]

TORCH = ". From PyTorch: safetensors.torch.save_file(net.state_dict(), 'net.safetensors')"
CHECKPOINT = (
    TORCH + "; of a checkpoint: state = torch.load(path, map_location='cpu'), in which the state_dict may stand under "
    "'state_dict' or 'model_state_dict'"
)
KERAS = ". From Keras: npbilstm.from_keras(layer.get_weights(), ...) in Python"
INDEX = ". It says which .safetensors files hold which weights: read the one that holds the recurrent layer"
INSTEAD = {
    **dict.fromkeys([".pt", ".pth", ".bin", ".ckpt", ".tar", ".pkl", ".pickle"], CHECKPOINT),
    **dict.fromkeys([".keras", ".h5", ".hdf5"], KERAS),
    ".json": INDEX,
}
"""What to do about files that are not read."""


def read_weights(
    path: str | Path,
    model: Literal["tagger", "classifier"] | None = None,
    *,
    prefix: str | None = None,
    node: int | str | None = None,
    max_bytes: int | None = None,
    **options: Any,
) -> tuple[Recurrent | SequenceModel, About]:
    """The layer or model in a file, and what was said `about` it; about["left_out"] names what is not read.

    model: "tagger" or "classifier", for a file that holds a whole model and does not say which.
    prefix: of the names of the recurrent layer that is to be read alone, e.g. "lstm."; see from_pytorch.
    node: of an .onnx file, the name or number of the recurrent node where that layer begins; see from_onnx.
    max_bytes: what a compressed .npz may unpack to; None: ten times its size, or 1 MiB.
    options: what the file does not tell, as the layer or model takes it, e.g. nonlinearity, pooling.

    float16 and bfloat16 are read as float32, to the bit; integers that are no weights, such as a counter, are left out.

    Raises OSError where there is no such file; ValueError, naming path, where it is damaged, cut short or of another
    kind, where its weights do not make a layer, or are not finite, or where an extra is not installed.

    >>> nb.write_weights("layer.npz", nb.BiLSTM(3, 4, rng=0), about={"made": "for an example"})
    >>> layer, about = nb.read_weights("layer.npz")
    >>> layer, about["made"]
    (LSTM(3, 4, 1, bidirectional=True), 'for an example')
    """
    if model is not None and model not in MODEL_NAMES:
        raise ValueError(f'model is {model!r}; it needs "tagger" or "classifier"')
    read = by_suffix(READERS, path)
    if read is read_npz:
        read = partial(read, max_bytes=max_bytes)
    options |= chosen_part(path, model, prefix, node)
    with naming(path):
        layer, about = read(path, None if model is None else MODEL_NAMES[model].__name__, options)
        for name, p in layer.params.items():
            if not np.isfinite(p).all():
                raise ValueError(f"{path}: params[{name!r}] holds NaN or infinity; it needs finite numbers")
    return layer, about


def chosen_part(path: str | Path, model: str | None, prefix: str | None, node: int | str | None) -> dict[str, Any]:
    """The prefix or the node, under its name, if one is given. Raises ValueError, naming path, where it cannot be."""
    graph = Path(path).suffix.lower() == ".onnx"
    given = {name: value for name, value in {"prefix": prefix, "node": node}.items() if value is not None}
    for name, value in given.items():
        if graph != (name == "node"):
            needed = "a graph, whose layers node chooses" if graph else "no graph; prefix chooses among its layers"
            raise ValueError(f"{path}: {name} is {value!r}; the file holds {needed}")
        if model is not None:
            raise ValueError(
                f"{path}: {name} is {value!r}, which chooses a recurrent layer alone, and that makes no {model}"
            )
    return given


def write_weights(path: str | Path, layer: Layer, about: Mapping[str, Any] | None = None) -> None:
    """Write a recurrent layer or a model in the format of the path's suffix: whole, or not at all.

    Raises OSError, or ValueError for what the format has not or where an extra is not installed.

    >>> nb.write_weights("layer.npz", nb.GRU(3, 4))
    >>> nb.read_weights("layer.npz")[0]
    GRU(3, 4, 1)
    """
    by_suffix(WRITERS, path)(path, layer, dict(about or {}))


def by_suffix(table: Mapping[str, Callable[..., Any]], path: str | Path) -> Callable[..., Any]:
    """The table's entry for a path. Raises ValueError for a suffix that is not in it."""
    suffix = Path(path).suffix.lower()
    if suffix not in table:
        got = f"ends in {suffix!r}" if suffix else "has no suffix"
        raise ValueError(
            f"{str(path) or repr(path)} {got}; it needs to end in {' or '.join(table)}{INSTEAD.get(suffix, '')}"
        )
    return table[suffix]


def require_safetensors() -> Any:
    """The package safetensors. Raises ValueError where it is not installed."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ValueError(
            ".safetensors files need the package safetensors: pip install 'npbilstm[safetensors]'"
        ) from error
    return safetensors


def read_npz(
    path: str | Path, kind: str | None, options: dict[str, Any], max_bytes: int | None = None
) -> tuple[Recurrent | SequenceModel, About]:
    """A model file of ours, or arrays under names."""
    with open_archive(path, max_bytes) as archive:
        if "meta" in archive.names:
            if kind is not None or options:
                raise ValueError(
                    f"{path} is a model file, which says itself what it holds; leave the other options out"
                )
            checkpoint = checkpoint_in(archive)
            return model_in(checkpoint), checkpoint.about
        arrays = {name: archive.read(name) for name in archive.names}
    text = arrays.pop(KEY).tobytes() if KEY in arrays else None
    return named_layer(path, arrays, text, kind, options)


def read_safetensors(
    path: str | Path, kind: str | None, options: dict[str, Any]
) -> tuple[Recurrent | SequenceModel, About]:
    """Arrays under PyTorch's names."""
    safetensors = require_safetensors()
    with open_file(path) as whole:
        try:
            with safetensors.safe_open(path, framework="numpy") as file:
                dtypes = {name: file.get_slice(name).get_dtype() for name in file.keys()}  # noqa: SIM118
                arrays = {name: file.get_tensor(name) for name, dtype in dtypes.items() if dtype in SAFETENSORS}
                text = (file.metadata() or {}).get(KEY)
            if "BF16" in dtypes.values():
                arrays |= bfloat16_of(safetensors.deserialize(whole.read()))
        except MemoryError:
            raise
        except Exception as error:  # of its own kind, for bytes not its own
            why = "it is no .safetensors file, is damaged or cut short"
            raise ValueError(f"{path} cannot be read: {why} ({error})") from error
    for name, dtype in dtypes.items():
        if name not in arrays:
            raise ValueError(f"{path}: {wrong_dtype(repr(name), dtype)}")
    return named_layer(path, arrays, text, kind, options)


SAFETENSORS = ("F64", "F32", "F16", "I64", "I32", "I16", "I8", "U64", "U32", "U16", "U8", "BOOL")
"""The numbers of such files that NumPy has too."""


def bfloat16_of(tensors: list[tuple[str, dict[str, Any]]]) -> Arrays:
    """Those of a file's tensors that are bfloat16, as float32, of which bfloat16 is the upper half."""
    arrays = {}
    for name, tensor in tensors:
        if tensor["dtype"] == "BF16":
            upper = np.frombuffer(tensor["data"], "<u2").astype(np.uint32)
            arrays[name] = (upper << 16).view(np.float32).reshape(tensor["shape"])
    return arrays


def read_onnx_file(
    path: str | Path, kind: str | None, options: dict[str, Any]
) -> tuple[Recurrent | SequenceModel, About]:
    """A graph."""
    layer, said = read_onnx(path, **options)
    if kind is not None and type(layer).__name__ != kind:
        raise ValueError(f"{path} holds a {type(layer).__name__}; it cannot be read as a {kind}")
    return layer, said.about


def named_layer(
    path: str | Path, arrays: Arrays, text: str | bytes | None, kind: str | None, options: dict[str, Any]
) -> tuple[Recurrent | SequenceModel, About]:
    """The layer or model that named arrays make, PyTorch's names or ours. Raises ValueError, naming path."""
    prefix = options.pop("prefix", None)
    arrays = {name: w for name, w in arrays.items() if is_weight(name, w)}
    try:
        said = read_description(text)
        if prefix is not None:
            left_out = {"left_out": left} if (left := parts_outside(arrays, prefix)) else {}
            return under_prefix(arrays, prefix, options), {**said.about, **left_out}
        if kind is not None and said.kind not in (None, kind):
            raise ValueError(f"it holds a {said.kind}; it cannot be read as a {kind}")
        layer = made(arrays, kind or said.kind, combined(said.options, options))
        if said.kind is not None and type(layer).__name__ != said.kind.removeprefix("Bi"):
            raise ValueError(f"its weights are those of {layer!r}; it says that it holds a {said.kind}")
        return layer, said.about
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def under_prefix(arrays: Arrays, prefix: str, options: dict[str, Any]) -> Recurrent | SequenceModel:
    """The recurrent layer under a prefix, by PyTorch's names or ours."""
    own = part_of(arrays, prefix.removesuffix(".")) if prefix else arrays
    if any(re.fullmatch(r"0\.\w+\.Wx", name) for name in own):
        cell = prefix.removesuffix(".").rpartition(".")[2]
        return from_params(own, cell if cell in CELLS else None, **options)
    return from_pytorch(arrays, prefix, **options)


def parts_outside(arrays: Arrays, prefix: str) -> list[str]:
    """The parts that stand beside those with this prefix, by the beginnings of their names."""
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in arrays if not name.startswith(prefix)))


def made(arrays: Arrays, kind: str | None, options: dict[str, Any]) -> Recurrent | SequenceModel:
    """The layer, or the model of this kind, that arrays under PyTorch's names or ours make."""
    require_weights_themselves(arrays)
    theirs = recurrent_prefixes(arrays)
    if len(theirs) > 1 and kind is None:
        those = in_words(map(repr, theirs))
        raise ValueError(f"it holds {len(theirs)} recurrent layers, under the prefixes {those}. {alone(theirs[0])}")
    begins = [f"0.{direction}.Wx" for direction in NUMBERS]
    ours = [cell for cell in CELLS if any(f"{cell}.{begin}" in arrays for begin in begins)]
    if not theirs and not ours and not any(begin in arrays for begin in begins):
        raise ValueError(
            "it holds no recurrent layer under a known name: weight_ih_l0 and so on, as in a state_dict of PyTorch, "
            "or lstm.0.forward.Wx and so on, as in params"
        )
    prefix = theirs[0] if theirs else f"{ours[0]}." if ours else ""
    whole = not all(name.startswith(prefix) for name in arrays)
    make = MODELS.get(kind or "")
    if whole and make is None:
        raise ValueError(
            "it holds a whole model and does not say which; "
            'model needs to be "tagger" or "classifier" (on the command line: --model)'
            + (f". {alone(prefix)}" if theirs else "")
        )
    if not whole and make is not None:
        raise ValueError(f"it holds a recurrent layer alone, which makes no {kind}")
    if theirs:
        return model_from_pytorch(arrays, make, **options) if make else from_pytorch(arrays, prefix, **options)
    if make:
        return model_from_params(arrays, make, ours[0], **options)
    return from_params(part_of(arrays, ours[0]) if ours else arrays, ours[0] if ours else None, **options)


def write_npz(path: str | Path, layer: Layer, about: About) -> None:
    """A model file; or a recurrent layer's params under the name of its cell."""
    if isinstance(layer, SequenceModel):
        save_model(path, layer, about)
        return
    require_storable(layer)
    layer = require_recurrent(layer, "or a model")
    arrays = join({cell_of(layer): layer.params})
    arrays[KEY] = np.frombuffer(describe(layer, about).encode(), np.uint8)
    write_atomically(path, lambda file: np.savez(file, **arrays))  # type: ignore[arg-type]


def write_safetensors(path: str | Path, layer: Layer, about: About) -> None:
    """Arrays under PyTorch's names."""
    content = require_safetensors().numpy.save(to_pytorch(layer), {KEY: describe(layer, about)})
    write_atomically(path, lambda file: file.write(content))


READERS = {".npz": read_npz, ".safetensors": read_safetensors, ".onnx": read_onnx_file}
WRITERS = {
    ".npz": write_npz,
    ".safetensors": write_safetensors,
    ".onnx": lambda path, layer, about: export_onnx(layer, path, about),
}
