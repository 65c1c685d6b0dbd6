"""Files of torch.save: a zip archive of a pickle, NAME/data.pkl, and the bytes of each storage, NAME/data/KEY.

The pickle is read by torch_pickle.py, which runs nothing of it; PyTorch is not needed.
"""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.archives import damage_named
from npbilstm.files import naming, open_file
from npbilstm.interop.parts import Unread
from npbilstm.interop.pytorch_names import recurrent_prefixes
from npbilstm.interop.torch_pickle import read_pickle

LARGEST_PICKLE = 2**24
"""Bytes: names and shapes take far less."""

OLD = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."
"""How files of PyTorch before 1.6 begin."""

STATE = "torch.save(net.state_dict(), path) writes what can be read"


def read_torch(path: str | Path) -> dict[str, Any]:
    """The state_dict in a file, or in the checkpoint that it is: arrays by name, and what is no array as an Unread.

    Raises OSError where there is no file; ValueError, naming it, where it holds no such thing or is damaged.
    """
    with open_file(path) as file, naming(path):
        begin = file.read(len(OLD))
        if begin == OLD:
            raise ValueError(
                f"{path} is of a PyTorch before 1.6; a newer one writes it anew: "
                "torch.save(torch.load(path, weights_only=True), path)"
            )
        if begin[:4] != b"PK\x03\x04":
            raise ValueError(f"{path} is no file of torch.save, which writes a zip archive")
        with damage_named(path):
            members = members_of(zipfile.ZipFile(file), os.fstat(file.fileno()).st_size)
            pickles = [name for name in members if name.rpartition("/")[2] == "data.pkl" and name.count("/") == 1]
        if len(pickles) != 1:
            raise ValueError(f"{path} is no file of torch.save: it holds no data.pkl, or several")
        top = pickles[0].removesuffix("data.pkl")
        if f"{top}constants.pkl" in members:
            raise ValueError(f"{path} holds a compiled module of TorchScript; {STATE}")
        with damage_named(path):
            found = object_in(members, top)
    return state_in(path, found)


class Member:
    """A file in the archive."""

    def __init__(self, archive: zipfile.ZipFile, said: zipfile.ZipInfo) -> None:
        self.archive, self.said, self.size = archive, said, said.file_size

    def read(self) -> bytes:
        """Its bytes, as many as its size. Raises ValueError where it is not stored as torch.save stores."""
        if self.said.compress_type != zipfile.ZIP_STORED or self.said.flag_bits & 1:
            raise ValueError(f"{self.said.filename!r} is packed or encrypted, as torch.save writes none")
        return self.archive.read(self.said)


def members_of(archive: zipfile.ZipFile, size: int) -> dict[str, Member]:
    """By their names. Raises ValueError where one stands there twice, or they are said to be larger than the file."""
    found: dict[str, Member] = {}
    for said in archive.infolist():
        if said.filename in found:
            raise ValueError(f"it holds {said.filename!r} twice")
        found[said.filename] = Member(archive, said)
    if sum(member.size for member in found.values() if member.said.compress_type == zipfile.ZIP_STORED) > size:
        raise ValueError(f"its parts are said to be larger than it is, {size:,} bytes")
    return found


def object_in(members: dict[str, Member], top: str) -> Any:
    """What was saved, each storage read once."""
    order = members[f"{top}byteorder"].read() if f"{top}byteorder" in members else b"little"
    byte_order = ">" if order == b"big" else "<"
    loaded: dict[tuple[str, str], np.ndarray] = {}

    def load(key: str, numbers: str, count: int) -> np.ndarray:
        if (key, numbers) not in loaded:
            dtype = np.dtype(byte_order + ("u2" if numbers == "bf16" else numbers))
            content = members[f"{top}data/{key}"].read()
            if len(content) != dtype.itemsize * count:
                raise ValueError(f"storage {key!r} is said to have {count:,} numbers; it has {len(content):,} bytes")
            array = np.frombuffer(content, dtype)
            if numbers == "bf16":  # the upper half of a float32
                array = (array.astype(np.uint32) << 16).view(np.float32)
            loaded[key, numbers] = array
        return loaded[key, numbers]

    pickle = members[f"{top}data.pkl"]
    if pickle.size > LARGEST_PICKLE:
        raise ValueError(f"its data.pkl has {pickle.size:,} bytes, more than names and shapes take")
    return read_pickle(pickle.read(), load)


def state_in(path: str | Path, found: Any) -> dict[str, Any]:
    """The state_dict that was saved, or stands in the checkpoint that was. Raises ValueError, naming path."""
    if isinstance(found, Unread):
        raise ValueError(f"{path} holds an object, {found.name}, of which nothing is run; {STATE}")
    if isinstance(found, np.ndarray):
        raise ValueError(f"{path} holds a tensor alone; {STATE}")
    if not isinstance(found, dict):
        raise ValueError(f"{path} holds a {type(found).__name__}; {STATE}")
    inside = {name: value for name, value in found.items() if isinstance(value, dict) and has_recurrent(value)}
    if len(inside) > 1:
        names = ", ".join(map(repr, inside))
        raise ValueError(
            f"{path} is a checkpoint with {len(inside)} state_dicts, {names}; in Python nb.trace or "
            "nb.interop.open_weights take one, torch.load(path)[name]"
        )
    state = found if has_recurrent(found) or not inside else next(iter(inside.values()))
    return {name: w for name, w in state.items() if isinstance(name, str) and isinstance(w, (np.ndarray, Unread))}


def has_recurrent(state: dict[Any, Any]) -> bool:
    """Whether some of its names are those of a recurrent layer."""
    return bool(recurrent_prefixes(name for name in state if isinstance(name, str)))
