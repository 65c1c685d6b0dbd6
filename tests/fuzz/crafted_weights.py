"""Files of weights made to be difficult: they say more than they hold, unpack to much, or hold no numbers."""

from __future__ import annotations

import io
import json
import struct
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

import npbilstm as nb
from npbilstm.interop import to_pytorch
from tests.fuzz.bases import npz, words_data, words_model
from tests.fuzz.cases import Case

with tempfile.TemporaryDirectory() as folder:
    SAID = json.dumps(words_data(Path(folder))[1])
STATE = to_pytorch(nb.LSTM(3, 2, rng=0))
HUGE = 10**400


def model_file(change: Any = None, *, arrays: Any = None) -> bytes:
    """A model file whose description is changed by change(meta), and its arrays by arrays(arrays)."""
    model = words_model()
    meta: dict[str, Any] = {
        "format": "npbilstm checkpoint 1",
        "model": {"class": "SequenceTagger", "config": model.config},
        "about": json.loads(SAID),
        "optimiser": {"class": "Adam", "settings": {"learning_rate": 0.01}, "steps": 0},
        "settings": {"epochs": 1},
        "position": {},
        "generator": np.random.default_rng(0).bit_generator.state,
    }
    members = {f"params/{name}": p for name, p in model.params.items()}
    if change is not None:
        change(meta)
    if arrays is not None:
        arrays(members)
    return npz({**members, "meta": np.frombuffer(json.dumps(meta).encode(), np.uint8)})


def said(*keys: str, value: Any) -> bytes:
    """A model file whose description has another value at keys."""

    def change(meta: dict[str, Any]) -> None:
        for key in keys[:-1]:
            meta = meta.setdefault(key, {})
        meta[keys[-1]] = value

    return model_file(change)


ODD: list[Any] = [-1, 0, 1.5, True, None, "x", [], {}, HUGE]
SIZES = ["num_symbols", "num_classes", "embedding_size", "hidden_size", "num_layers"]


def descriptions() -> dict[str, bytes]:
    """Model files that say of themselves what cannot be."""
    found = {
        f"{name} is {str(value)[:9]!r}": said("model", "config", name, value=value)
        for name in SIZES
        for value in ODD[:6]
    }
    found |= {
        f"{name} is {size:g}": said("model", "config", name, value=size)
        for name in SIZES
        for size in (3000, 100_000, 3e8)
    }
    found |= {
        f"{name} is a whole {size:,}": said("model", "config", name, value=size)
        for name in SIZES
        for size in (3000, 10**5, 3 * 10**8, HUGE)
    }
    for name in ("cell", "dropout", "dtype", "bidirectional"):
        found |= {
            f"{name} is {str(value)[:9]!r}": said("model", "config", name, value=value)
            for value in (*ODD, "float16", "lstm,")
        }
    for keys in [
        ("model", "class"),
        ("model", "config"),
        ("format",),
        ("about",),
        ("about", "classes"),
        ("about", "symbols"),
        ("about", "data"),
    ]:
        found |= {f"{'.'.join(keys)} is {str(value)[:9]!r}": said(*keys, value=value) for value in ODD}
    for keys in [
        ("optimiser", "steps"),
        ("position", "epoch"),
        ("position", "batch"),
        ("settings", "batch_size"),
        ("settings", "epochs"),
    ]:
        found |= {f"{'.'.join(keys)} is {str(value)[:9]!r}": said(*keys, value=value) for value in ODD}
    for keys in [
        ("about", "data", "columns"),
        ("about", "data", "width"),
        ("about", "data", "train"),
        ("generator", "state"),
        ("position", "history"),
    ]:
        found |= {
            f"{'.'.join(keys)} is {str(value)[:9]!r}": said(*keys, value=value)
            for value in (7, ["x"], [[1], [2]], HUGE)
        }
    return found


def array_file(header: bytes, data: bytes = b"") -> bytes:
    """A .npy array with a header of one's own."""
    header += b" " * (-(len(header) + 11) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def header(shape: str, dtype: str = "'<f4'") -> bytes:
    """What a .npy array says of itself."""
    return f"{{'descr': {dtype}, 'fortran_order': False, 'shape': {shape}, }}".encode()


def archive(*members: tuple[str, bytes], compress: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive of these members."""
    file = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(file, "w", compress) as packed:
        warnings.simplefilter("ignore")  # of two of one name
        for name, data in members:
            packed.writestr(zipfile.ZipInfo(name), data, compress)
    return file.getvalue()


def with_first(name: str, data: bytes) -> bytes:
    """Good weights with one member replaced."""
    members = []
    for each, array in STATE.items():
        file = io.BytesIO()
        np.save(file, array)
        members.append((f"{each}.npy", file.getvalue()))
    return archive((name, data), *(member for member in members if member[0] != name))


def archives() -> dict[str, bytes]:
    """.npz archives that hold less than they say, more than they seem to, or something else."""
    first = "weight_ih_l0.npy"
    small = npz(STATE)
    headers = {
        "a shape of 10^12": header("(1000000, 1000000)"),
        "a shape of (0, 10^8)": header("(0, 100000000)"),
        "a shape of 40 axes": header("(" + "1, " * 40 + ")"),
        "a shape of 100 axes": header("(" + "1, " * 100 + ")"),
        "a negative shape": header("(-8, 3)"),
        "a shape of 10^30": header(f"({10**30},)"),
        "a shape that is no tuple": header("8"),
        "objects": header("(8, 3)", "'|O'"),
        "a dtype of code": header("(8, 3)", "'__import__(\"os\")'"),
        "a dtype of fields": header("(8,)", "[('a', '<f4'), ('b', '<f8')]"),
        "text": header("(8, 3)", "'<U4'"),
        "dates": header("(8, 3)", "'<M8[s]'"),
        "half": header("(8, 3)", "'<f2'"),
        "long doubles": header("(8, 3)", "'<f16'"),
        "complex": header("(8, 3)", "'<c8'"),
        "the other order of bytes": header("(8, 3)", "'>f4'"),
        "a header nested 2,000 deep": b"(" * 2000 + b")" * 2000,
        "a header that is no dict": b"[1, 2]",
        "no header": b"",
    }
    found = {
        f"an array that says {name}": with_first(first, array_file(each, bytes(96))) for name, each in headers.items()
    }
    twice = ("weight_ih_l0.npy", array_file(header("(8, 3)"), bytes(96)))
    return found | {
        "a member shorter than it says": archive(("a.npy", array_file(header("(300000000,)"), bytes(1)))),
        "a member twice": archive(twice, twice),
        "a member of another folder": with_first("../../weight_ih_l0.npy", array_file(header("(8, 3)"), bytes(96))),
        "a member without a name": with_first("", b""),
        "a member that is no array": with_first(first, b"hello"),
        "10,000 members": archive(*[(f"{k}.npy", array_file(header("(1,)"), bytes(4))) for k in range(10_000)]),
        "no member": archive(),
        "cut in half": small[: len(small) // 2],
        "cut before its end": small[:-10],
        "something before it": b"PK\x03\x04" + small,
        "wrong sums": small.replace(b"\x93NUMPY", b"\x93NUMPZ"),
        "PK alone": b"PK\x03\x04",
        "a method that nobody has": small.replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x00\x61\x00"
        ),
        "an encrypted member": small.replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x01\x00"
        ),
        "NaN": npz({**STATE, "weight_ih_l0": np.full((8, 3), np.nan, np.float32)}),
        "infinity": npz({**STATE, "bias_ih_l0": np.full(8, np.inf, np.float32)}),
        "a name left out": npz({name: w for name, w in STATE.items() if name != "weight_hh_l0"}),
        "integers": npz({name: w.astype(np.int64) for name, w in STATE.items()}),
        "transposed": npz({name: w.T for name, w in STATE.items()}),
        "layers 0 and 7": npz({**STATE, **{name.replace("l0", "l7"): w for name, w in STATE.items()}}),
        "a counter beside": npz({**STATE, "bn.num_batches_tracked": np.array(3)}),
        "a description nested deep": npz({**STATE, "npbilstm": np.frombuffer(b"[" * 100_000, np.uint8)}),
        "a description of objects": npz({**STATE, "npbilstm": np.zeros((2, 2))}),
    }


def model_archives() -> dict[str, bytes]:
    """Model files that are no good archives, or whose arrays are not those of their model."""
    good = model_file()
    meta = b'{"format": "npbilstm checkpoint 1", "model": '
    return {
        "as it should be": good,
        "cut": good[:-100],
        "a description nested deep": npz({"meta": np.frombuffer(b"[" * 200_000, np.uint8)}),
        "a description nested deep inside": npz({"meta": np.frombuffer(meta + b'{"a":' * 100_000, np.uint8)}),
        "a description with a number of 5,000 digits": npz(
            {"meta": np.frombuffer(meta + b"9" * 5000 + b"}", np.uint8)}
        ),
        "a description that is no text": npz({"meta": np.zeros((3, 3))}),
        "no description": npz({"params/a": np.zeros(3)}),
        "a name of nobody's": model_file(arrays=lambda arrays: arrays.update({"weights/a": np.zeros(3)})),
        "a weight left out": model_file(arrays=lambda arrays: arrays.pop("params/linear.b")),
        "weights of another shape": model_file(
            arrays=lambda arrays: arrays.update({"params/linear.b": np.zeros(9, np.float32)})
        ),
        "weights of another dtype": model_file(arrays=lambda arrays: arrays.update({"params/linear.b": np.zeros(3)})),
        "NaN": model_file(arrays=lambda arrays: arrays.update({"params/linear.b": np.full(3, np.nan, np.float32)})),
    }


def safetensors(head: bytes | dict[str, Any], data: bytes = b"", size: int | None = None) -> bytes:
    """A .safetensors file of a header and data."""
    said = head if isinstance(head, bytes) else json.dumps(head).encode()
    return struct.pack("<Q", len(said) if size is None else size) + said + data


def tensor(shape: list[int], end: int, dtype: str = "F32", start: int = 0) -> dict[str, Any]:
    """What a header says of one array."""
    return {"dtype": dtype, "shape": shape, "data_offsets": [start, end]}


def safetensors_files() -> dict[str, bytes]:
    """Headers that say what is not there."""
    name = "weight_ih_l0"
    return {
        "nothing": b"",
        "a length alone": struct.pack("<Q", 8),
        "a length of 2^63": safetensors(b"{}", size=2**63),
        "a length of 2^64 - 1": safetensors(b"{}", size=2**64 - 1),
        "a header nested deep": safetensors(b'{"a":' * 100_000),
        "a header that is a list": safetensors(b"[]"),
        "no array": safetensors({}),
        "a shape of (0, 10^8)": safetensors({name: tensor([0, 10**8], 0)}),
        "a shape of (10^8, 0)": safetensors(
            {name: tensor([10**8, 0], 0), "weight_hh_l0": tensor([10**8, 25 * 10**6], 0)}
        ),
        "a shape of 10^18": safetensors({name: tensor([10**9, 10**9], 4)}, bytes(4)),
        "a shape that overflows": safetensors({name: tensor([2**62, 4, 4], 0)}),
        "offsets beyond the end": safetensors({name: tensor([8, 3], 96)}, bytes(4)),
        "offsets turned round": safetensors({name: tensor([8, 3], 0, start=96)}, bytes(96)),
        "numbers of 16 bits": safetensors({name: tensor([8, 3], 48, "F16")}, bytes(48)),
        "numbers of brain floats": safetensors({name: tensor([8, 3], 48, "BF16")}, bytes(48)),
        "numbers of 8 bits": safetensors({name: tensor([8, 3], 24, "F8_E4M3")}, bytes(24)),
        "numbers of nobody's": safetensors({name: tensor([8, 3], 96, "Q4")}, bytes(96)),
        "truth values": safetensors({name: tensor([8, 3], 24, "BOOL")}, bytes(24)),
        "metadata of numbers": safetensors({"__metadata__": {"npbilstm": 3}}),
        "metadata that is nonsense": safetensors(
            {"__metadata__": {"npbilstm": "{"}, name: tensor([8, 3], 96)}, bytes(96)
        ),
        "10,000 arrays": safetensors({f"a{k}": tensor([0], 0) for k in range(10_000)}),
        "one array twice": safetensors(
            b'{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}'
        ),
        "a .npz archive": npz(STATE),
    }


def packed_writer(name: str, head: bytes, piece: bytes, times: int) -> Callable[[Path], None]:
    """An archive of one member, a piece of it so many times over, that is small and unpacks to much."""

    def make(path: Path) -> None:
        with (
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed,
            packed.open(name, "w") as file,
        ):
            file.write(array_file(head))
            for _ in range(times):
                file.write(piece)

    return make


def many_layers(path: Path) -> None:
    """The weights of 5,000 small layers, each of which is soon read."""
    state = {}
    for k in range(5000):
        for name, w in STATE.items():
            state[name.replace("l0", f"l{k}")] = (
                np.zeros((len(w), 2), w.dtype) if k and "ih" in name and w.ndim > 1 else w
            )
    np.savez(path, **state)  # type: ignore[arg-type]


BOMBS = {
    "weights: 5,000 layers": many_layers,
    "model: a description of 90 MB of blanks": packed_writer(
        "meta.npy", header(f"({90 * 2**20},)", "'|u1'"), b" " * 2**20, 90
    ),
    "model: a description of 90 MB of lists": packed_writer(
        "meta.npy", header(f"({90 * 2**20},)", "'|u1'"), b"[[],[]," + b"[], " * 2**18, 90
    ),
    "model: an array of 1.5 GB": packed_writer("params/linear.b.npy", header(f"({384 * 2**20},)"), bytes(2**20), 1536),
    "weights: an array of 1.5 GB": packed_writer("weight_ih_l0.npy", header(f"({384 * 2**20},)"), bytes(2**20), 1536),
    "weights: a description of 90 MB": packed_writer(
        "npbilstm.npy", header(f"({90 * 2**20},)", "'|u1'"), b" " * 2**20, 90
    ),
}
"""Small files that unpack to large ones, or make much work."""


def cases() -> list[Case]:
    """All of them, by kind."""
    found = [Case(f"model: {name}", "model", content) for name, content in (descriptions() | model_archives()).items()]
    found += [Case(f"weights: {name}", "weights", content) for name, content in archives().items()]
    found += [Case(f"safetensors: {name}", "safetensors", content) for name, content in safetensors_files().items()]
    found += [Case(name, name.split(":")[0], make=make) for name, make in BOMBS.items()]
    return found
