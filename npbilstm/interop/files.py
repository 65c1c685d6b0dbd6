"""Files of weights, told apart by the ends of their names:

    .npz            a model file of ours; or arrays under PyTorch's names or under ours
    .safetensors    arrays under PyTorch's names
    .pt .pth .bin .ckpt     a state_dict as torch.save writes it, or a checkpoint of one; nothing of it is run
    .onnx           a graph

What is read becomes a layer or a model of ours, and that is what is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal

import numpy as np

from npbilstm.archives import open_archive
from npbilstm.files import naming, open_file, write_atomically
from npbilstm.interop.description import KEY, combined, describe, read_description
from npbilstm.interop.onnx_export import export_onnx, onnx_paths
from npbilstm.interop.onnx_import import LEFT_OUT, read_onnx
from npbilstm.interop.parts import (
    MODEL_NAMES,
    Arrays,
    Unread,
    cell_of,
    require_recurrent,
    require_storable,
)
from npbilstm.interop.pytorch import to_pytorch
from npbilstm.interop.states import made, one_layer, weights_of
from npbilstm.interop.torch_file import read_torch
from npbilstm.layers import Layer, Recurrent
from npbilstm.layers.layer import join
from npbilstm.models import Model
from npbilstm.training.checkpoints import checkpoint_in, model_in, save_model

About = dict[str, Any]

TORCH = ". From PyTorch: safetensors.torch.save_file(net.state_dict(), 'net.safetensors')"
CHECKPOINT = (
    TORCH + "; of a checkpoint: state = torch.load(path, map_location='cpu'), in which the state_dict may stand under "
    "'state_dict' or 'model_state_dict'"
)
KERAS = ". From Keras: npbilstm.from_keras(layer.get_weights(), ...) in Python"
INDEX = ". It says which .safetensors files hold which weights: read the one that holds the recurrent layer"
INSTEAD = {
    **dict.fromkeys([".tar", ".pkl", ".pickle"], CHECKPOINT),
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
    alone: bool = False,
    **options: Any,
) -> tuple[Recurrent | Model, About]:
    """The layer or model in a file, and what was said `about` it; about["left_out"] names what is not read.

    model: "tagger" or "classifier", for a file that holds a whole model and does not say which.
    prefix: of the names of the recurrent layer that is to be read alone, e.g. "lstm."; see from_pytorch.
    node: of an .onnx file, the name or number of the recurrent node where that layer begins; see from_onnx.
    max_bytes: what a compressed .npz may unpack to; None: ten times its size, or 1 MiB.
    alone: of a file of more than a recurrent layer that does not say what model it is, that layer; it needs to be one.
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
    if alone and read is not read_onnx_file:  # of a graph the recurrent layers are read in any case
        options["alone"] = True
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
    """Write a recurrent layer or a model in the format of the path's suffix: whole, or not at all. Of a Seq2Seq .onnx
    are two files, see export_onnx.

    Raises OSError, or ValueError for what the format has not or where an extra is not installed.

    >>> nb.write_weights("layer.npz", nb.GRU(3, 4))
    >>> nb.read_weights("layer.npz")[0]
    GRU(3, 4, 1)
    """
    by_suffix(WRITERS, path)(path, layer, dict(about or {}))


def paths_written(path: str | Path, layer: Layer) -> list[Path]:
    """The files that write_weights makes of the layer when it is given this path."""
    return onnx_paths(layer, path) if Path(path).suffix.lower() == ".onnx" else [Path(path)]


def hold_weights(path: str | Path, max_bytes: int | None = None) -> bool:
    """Whether a file is one of weights, by its suffix; where that is .npz, as model files have it, by its arrays."""
    suffix = Path(path).suffix.lower()
    if suffix != ".npz":
        return suffix in READERS or suffix in INSTEAD
    with open_archive(path, max_bytes) as archive:
        return "meta" not in archive.names


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
) -> tuple[Recurrent | Model, About]:
    """A model file of ours, or arrays under names."""
    with open_archive(path, max_bytes) as archive:
        if "meta" in archive.names:
            if kind is not None or options.keys() - {"alone"}:
                raise ValueError(
                    f"{path} is a model file, which says itself what it holds; leave the other options out"
                )
            checkpoint = checkpoint_in(archive)
            return model_in(checkpoint, Model), checkpoint.about
        arrays = {name: archive.read(name) for name in archive.names}
    text = arrays.pop(KEY).tobytes() if KEY in arrays else None
    return named_layer(path, arrays, text, kind, options)


def read_safetensors(path: str | Path, kind: str | None, options: dict[str, Any]) -> tuple[Recurrent | Model, About]:
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
    others = {name: Unread(name, dtype) for name, dtype in dtypes.items() if name not in arrays}
    arrays = {name: arrays.get(name, others.get(name)) for name in dtypes}
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


def read_torch_file(path: str | Path, kind: str | None, options: dict[str, Any]) -> tuple[Recurrent | Model, About]:
    """A state_dict of PyTorch."""
    return named_layer(path, read_torch(path), None, kind, options)


def read_onnx_file(path: str | Path, kind: str | None, options: dict[str, Any]) -> tuple[Recurrent | Model, About]:
    """A graph."""
    layer, said = read_onnx(path, **options)
    if kind is not None and type(layer).__name__ != kind:
        raise ValueError(f"{path} holds a {type(layer).__name__}; it cannot be read as a {kind}")
    return layer, said.about


def named_layer(
    path: str | Path, arrays: Arrays, text: str | bytes | None, kind: str | None, options: dict[str, Any]
) -> tuple[Recurrent | Model, About]:
    """The layer or model that named arrays make, PyTorch's names or ours. Raises ValueError, naming path."""
    prefix, alone = options.pop("prefix", None), options.pop("alone", False)
    arrays = weights_of(arrays)
    try:
        said = read_description(text)
        if prefix is not None or (alone and said.kind is None):
            layer, found = one_layer(arrays, prefix, options)
            return layer, {**said.about, **{name: value for name, value in found.items() if alone or name == LEFT_OUT}}
        if kind is not None and said.kind not in (None, kind):
            raise ValueError(f"it holds a {said.kind}; it cannot be read as a {kind}")
        whole = made(arrays, kind or said.kind, combined(said.options, options))
        if said.kind is not None and type(whole).__name__ != said.kind.removeprefix("Bi"):
            raise ValueError(f"its weights are those of {whole!r}; it says that it holds a {said.kind}")
        return whole, said.about
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path}: {error}") from error


def write_npz(path: str | Path, layer: Layer, about: About) -> None:
    """A model file; or a recurrent layer's params under the name of its cell."""
    if isinstance(layer, Model):
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


READERS = {
    ".npz": read_npz,
    ".safetensors": read_safetensors,
    ".onnx": read_onnx_file,
    **dict.fromkeys([".pt", ".pth", ".bin", ".ckpt"], read_torch_file),
}
WRITERS = {
    ".npz": write_npz,
    ".safetensors": write_safetensors,
    ".onnx": lambda path, layer, about: export_onnx(layer, path, about),
}
