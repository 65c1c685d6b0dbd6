"""An ONNX file opened: what onnx's checker lets pass, and the arrays in it or beside it, each read when it is asked
for.

Beside the file may stand the bytes of its tensors (ONNX's external data), and, for the node tests that onnx ships, the
values of the graph's inputs: test_data_set_0/input_0.pb and so on.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.files import open_file
from npbilstm.interop.description import KEY
from npbilstm.interop.onnx_graph import require_onnx
from npbilstm.interop.parts import Arrays

BESIDE = "test_data_set_0"
"""The folder of an ONNX test's inputs."""

NUMBERS = ("value_float", "value_floats", "value_int", "value_ints")
"""What a Constant node may hold instead of a tensor."""


def load_content(path: str | Path) -> tuple[Any, str | None]:
    """What a file holds, but for what stands beside it; its description. Raises OSError, or ValueError for no graph."""
    onnx = require_onnx()
    with open_file(path) as file:
        raw = file.read()
    try:
        content = onnx.load_model_from_string(raw)
        onnx.checker.check_model(str(path))  # by its path, so that it finds what stands beside it
        props = {entry.key: entry.value for entry in content.metadata_props}
    except MemoryError:
        raise
    except Exception as error:  # protobuf and the checker raise many things for bytes not theirs
        why = "it is no ONNX file, is damaged or cut short, or onnx's checker refuses it"
        raise ValueError(f"{why} ({first_line(error)})") from error
    return content, props.get(KEY)


def first_line(error: Exception) -> str:
    """The first line of an error's text that says anything."""
    return next((line.strip() for line in str(error).split("\n") if line.strip()), type(error).__name__)


def array_of(stored: Any, folder: Path) -> np.ndarray:
    """The array that a tensor, or an attribute of a Constant node, holds. Raises ValueError where it holds none."""
    onnx = require_onnx()
    if isinstance(stored, onnx.AttributeProto):
        if stored.name in NUMBERS:
            return np.asarray(onnx.helper.get_attribute_value(stored), np.float32 if "float" in stored.name else None)
        if stored.name != "value":
            raise ValueError(f"it is a Constant's {stored.name}, which is not read here; it needs to be a plain tensor")
        stored = stored.t
    if isinstance(stored, onnx.SparseTensorProto):
        raise ValueError("it is a sparse tensor, which is not read here; it needs to be a plain one")
    kind = onnx.TensorProto.DataType.Name(stored.data_type)
    if kind not in ("FLOAT", "DOUBLE", "FLOAT16", "BFLOAT16", "BOOL") and not kind.startswith(("INT", "UINT")):
        raise ValueError(f"it is of {kind}, which is not read here; it needs float32 or float64")
    if kind in ("INT4", "UINT4", "INT2", "UINT2"):
        raise ValueError(f"it is of {kind}, as in a quantized model; it needs float32 or float64")
    try:
        if stored.data_location == onnx.TensorProto.EXTERNAL:
            stored = with_external_data(stored, folder)
        return np.asarray(onnx.numpy_helper.to_array(stored))
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"its bytes do not make {tuple(stored.dims)} numbers of {kind} ({first_line(error)})"
        ) from error


def with_external_data(tensor: Any, folder: Path) -> Any:
    """The tensor with its bytes in it, read from the file beside. Raises OSError, or ValueError for one elsewhere."""
    onnx = require_onnx()
    entries = {entry.key: entry.value for entry in tensor.external_data}
    place = folder / entries.get("location", "")
    if not place.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"it stands in {entries.get('location')}, outside of the file's folder")
    dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    size = math.prod(tensor.dims) * dtype.itemsize
    offset = int(entries.get("offset", 0))
    with open_file(place) as file:
        if not 0 <= offset <= place.stat().st_size - size:
            raise ValueError(f"{place} has no {size:,} bytes from {offset} on")
        file.seek(offset)
        raw = file.read(size)
    return onnx.helper.make_tensor(tensor.name, tensor.data_type, tensor.dims, raw, raw=True)


def inputs_beside(path: str | Path, content: Any) -> Arrays:
    """The values of the graph's inputs that stand beside the file, as onnx ships its node tests; those that are none
    are left out."""
    folder, found = Path(path).parent, {}
    if not (folder / BESIDE).is_dir():
        return {}
    for n, value in enumerate(content.graph.input):
        try:
            with open_file(folder / BESIDE / f"input_{n}.pb") as file:
                found[value.name] = array_of(require_onnx().load_tensor_from_string(file.read()), folder)
        except Exception:  # there is no such file, or it holds no tensor
            continue
    return found
