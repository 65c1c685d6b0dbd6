"""Files as torch.save writes them, made without PyTorch: a pickle, instruction by instruction, in a zip."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Mapping
from typing import Any

import numpy as np

STORAGES = {"f4": "FloatStorage", "f8": "DoubleStorage", "f2": "HalfStorage", "i8": "LongStorage", "i1": "CharStorage"}


def text(value: str) -> bytes:
    """BINUNICODE."""
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def whole(n: int) -> bytes:
    """BININT."""
    return b"J" + struct.pack("<i", n)


def numbers(ns: tuple[int, ...]) -> bytes:
    """A tuple of them."""
    return b"(" + b"".join(map(whole, ns)) + b"t"


def tensor(w: np.ndarray, key: str, storage: str = "", **other: Any) -> bytes:
    """A tensor that stands alone in its storage, in the order of its array. other: shape, strides, offset, count."""
    kind = storage or STORAGES[w.dtype.str[1:]]
    strides = tuple(step // w.itemsize for step in w.strides)
    said = {"offset": 0, "shape": w.shape, "strides": strides, "count": w.size, **other}
    named = f"ctorch\n{kind}\n".encode()
    where = b"(" + text("storage") + named + text(key) + text("cpu") + whole(said["count"]) + b"tQ"
    shape = whole(said["offset"]) + numbers(said["shape"]) + numbers(said["strides"])
    hooks = b"ccollections\nOrderedDict\n)R"
    return b"ctorch._utils\n_rebuild_tensor_v2\n(" + where + shape + b"\x89" + hooks + b"tR"


def table(items: Mapping[str, bytes]) -> bytes:
    """A dict of what other instructions make."""
    return b"}(" + b"".join(text(name) + value for name, value in items.items()) + b"u"


def state(arrays: Mapping[str, np.ndarray], begin: int = 0) -> bytes:
    """A state_dict: an OrderedDict, with the _metadata that PyTorch sets."""
    items = {name: tensor(w, str(begin + k)) for k, (name, w) in enumerate(arrays.items())}
    filled = b"ccollections\nOrderedDict\n)Rq\x00" + table(items)[1:]
    return filled + table({"_metadata": b"}"}) + b"b"


def torch_file(program: bytes, arrays: Mapping[str, np.ndarray], **others: bytes) -> bytes:
    """The archive of a pickle and the storages of arrays, in their order. others: its other files."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("net/data.pkl", b"\x80\x02" + program + b".")
        for name, content in {"byteorder": b"little", "version": b"3\n", **others}.items():
            packed.writestr(f"net/{name}", content)
        for k, w in enumerate(arrays.values()):
            packed.writestr(f"net/data/{k}", w.tobytes(order="A"))
    return file.getvalue()


def saved(arrays: Mapping[str, np.ndarray]) -> bytes:
    """torch.save(state_dict, path)."""
    return torch_file(state(arrays), arrays)
