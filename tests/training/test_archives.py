"""Small files that claim to be large: refused by what their directory and headers say, before memory is taken."""

import io
import json
import os
import re
import struct
import zipfile

import numpy as np
import pytest

import npbilstm as nb
from npbilstm import archives
from npbilstm.archives import open_archive
from npbilstm.interop.files import read_weights
from npbilstm.training import read_checkpoint


def archive(path, members, compression=zipfile.ZIP_STORED):
    """A zip archive of these members, bytes or arrays."""
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, content in members:
            file.writestr(f"{name}.npy", content if isinstance(content, bytes) else npy(content))
    return path


def npy(array, **header):
    """An array as NumPy stores it, its header perhaps a lie."""
    content = io.BytesIO()
    np.save(content, np.asarray(array))
    raw = content.getvalue()
    for name, value in header.items():
        raw = re.sub(rf"('{name}': )(\([^)]*\)|'[^']*'|\w+)".encode(), rb"\1" + repr(value).encode(), raw, count=1)
    length = raw.index(b"\n") + 1 - 10
    return raw[:8] + struct.pack("<H", length) + raw[10:]


def read_all(path, **options):
    with open_archive(path, **options) as content:
        return {name: content.read(name) for name in content.names}


def test_arrays_of_any_kind_come_back_as_they_were(tmp_path):
    arrays = {
        "a": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "empty": np.zeros((0, 5)),
        "number": np.array(3),
        "text": np.array(["a", "bc"]),
        "big": np.arange(3, dtype=">f4"),
    }
    np.savez(tmp_path / "plain.npz", **arrays)
    np.savez_compressed(tmp_path / "packed.npz", **arrays)
    for name in ("plain.npz", "packed.npz"):
        found = read_all(tmp_path / name)
        assert list(found) == list(arrays)
        for key, array in arrays.items():
            assert (found[key].dtype, found[key].shape) == (array.dtype, array.shape)
            assert np.array_equal(found[key], array)


SMALL = np.arange(3, dtype=np.float32)


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (
            [("a", npy(SMALL, shape=(10**15,)))],
            "'a' is said to be float32 of shape (1000000000000000,); it has 12 bytes",
        ),
        ([("a", npy(SMALL, shape=(2,)))], "'a' is said to be float32 of shape (2,); it has 12 bytes"),
        ([("a", npy(np.zeros(0), shape=(0, 10**30)))], "is damaged or cut short"),
        ([("a", npy(SMALL, shape=(-3,)))], "'a' is said to be float32 of shape (-3,)"),
        ([("a", npy(SMALL, descr="<f8"))], "'a' is said to be float64 of shape (3,); it has 12 bytes"),
        ([("a", npy(np.array([{}])))], "Object arrays cannot be loaded, which 'a' is"),
        ([("a", b"hello, this is no array")], "magic string is not correct"),
        ([("a", npy(SMALL)[:6] + b"\x07\x00" + npy(SMALL)[8:])], "'a' is of version (7, 0) of NumPy's format"),
        ([("a", SMALL), ("a", SMALL)], "it holds 'a' twice"),
        ([("a", b"\x93NUMPY\x01\x00\xff\xff" + b"(" * 65535)], "is damaged or cut short"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_header_that_is_not_true_is_a_sentence(tmp_path, members, sentence):
    path = archive(tmp_path / "m.npz", members)
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        read_all(path)
    assert str(caught.value).startswith(f"{path} is damaged or cut short: ")
    assert "\n" not in str(caught.value)


def patched(path, offset, content, entry=b"PK\x01\x02"):
    """The archive with bytes of the first entry of its directory changed."""
    raw = bytearray(path.read_bytes())
    at = raw.index(entry) + offset
    raw[at : at + len(content)] = content
    path.write_bytes(raw)
    return path


def test_members_that_share_their_bytes_are_found_by_their_sum(tmp_path):
    names = [f"a{n:03}" for n in range(200)]
    path = archive(tmp_path / "m.npz", [(name, npy(SMALL)) for name in names[:1]])
    raw = path.read_bytes()
    begin, end = raw.index(b"PK\x01\x02"), raw.index(b"PK\x05\x06")
    entries = b"".join(raw[begin:end].replace(b"a000", name.encode()) for name in names)
    tail = bytearray(raw[end:])
    struct.pack_into("<HHI", tail, 8, len(names), len(names), len(entries))
    path.write_bytes(raw[:begin] + entries + tail)
    with pytest.raises(ValueError, match="its arrays are said to have 28,000 bytes; it has 11"):
        read_all(path)


def test_what_numpy_does_not_write_is_not_unpacked(tmp_path):
    path = archive(tmp_path / "m.npz", [("a", SMALL)])
    with pytest.raises(ValueError, match="'a' is encrypted"):
        read_all(patched(path, 8, b"\x01\x00"))
    for compression in (zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA):
        path = archive(tmp_path / "m.npz", [("a", SMALL)], compression)
        with pytest.raises(ValueError, match="'a' is packed in a way that np.savez_compressed does not use"):
            read_all(path)


def test_what_packed_members_unpack_to_has_a_limit_that_can_be_lifted(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LEAST", 1000)
    path = tmp_path / "m.npz"
    np.savez_compressed(path, zeros=np.zeros(100_000))
    size = path.stat().st_size
    with pytest.raises(ValueError, match=f"{path} has {size:,} bytes and unpacks to 800,128; ") as caught:
        read_all(path)
    assert "max_bytes=800128 (on the command line: --max-bytes 800128)" in str(caught.value)
    assert f"it may unpack to {10 * size:,}" in str(caught.value)
    assert read_all(path, max_bytes=800_128)["zeros"].shape == (100_000,)
    with pytest.raises(ValueError, match="unpacks to 800,128"):
        read_all(path, max_bytes=800_127)
    np.savez(path, zeros=np.zeros(100_000))  # as large as it says, whatever the limit
    assert read_all(path, max_bytes=0)["zeros"].shape == (100_000,)
    np.savez_compressed(path, noise=np.random.default_rng(0).standard_normal(1000))
    assert read_all(path)["noise"].shape == (1000,)


def test_the_limit_of_a_small_file_is_1_mib():
    assert archives.LEAST == 2**20


def test_every_reader_takes_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "LEAST", 0)
    model = nb.SequenceTagger(5, 3, embedding_size=2, hidden_size=40, rng=0)
    model.params = {name: np.zeros_like(p) for name, p in model.params.items()}
    trainer = nb.Trainer(model)
    nb.save_checkpoint(tmp_path / "plain.npz", trainer)
    with np.load(tmp_path / "plain.npz") as plain:
        np.savez_compressed(tmp_path / "packed.npz", **plain)
    readers = [nb.load_model, nb.load_trainer, read_checkpoint, read_weights]
    for read in readers:
        with pytest.raises(ValueError, match="on the command line: --max-bytes"):
            read(tmp_path / "packed.npz")
        read(tmp_path / "packed.npz", max_bytes=10**6)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes of POSIX")
def test_a_pipe_or_a_device_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.npz")
    for read in (read_checkpoint, nb.load_model, nb.load_trainer, read_weights):
        with pytest.raises(ValueError, match="pipe.npz is a pipe or a device; it needs to be a file"):
            read(tmp_path / "pipe.npz")
    with pytest.raises(ValueError, match="/dev/zero is a pipe or a device; it needs to be a file"):
        nb.load_model("/dev/zero")
    with pytest.raises(IsADirectoryError, match="Is a directory"):
        nb.load_model(tmp_path)
    for name in ("a\0b.npz", "a\ud800.npz"):
        with pytest.raises(ValueError, match="which cannot be the name of a file"):
            nb.load_model(name)


def test_too_little_memory_is_said_with_the_files_name(tmp_path, monkeypatch):
    def too_much(*given):
        raise MemoryError("Unable to allocate 9 GiB")

    path = archive(tmp_path / "m.npz", [("weight_ih_l0", np.zeros((16, 3), np.float32))])
    monkeypatch.setattr(archives, "bytearray", too_much, raising=False)
    with pytest.raises(MemoryError, match=re.escape(f"{path} (Unable to allocate 9 GiB)")):
        read_weights(path)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (b"[" * 100_000, "its description cannot be read (it is nested too deeply)"),
        (b'{"a": ' * 100_000, "its description cannot be read (it is nested too deeply)"),
        (b"9" * 100_000, "its description cannot be read"),
        (json.dumps({"format": "npbilstm checkpoint 1", "model": 7}).encode(), "its description makes no model"),
    ],
)
def test_a_description_that_python_cannot_read_is_a_sentence(tmp_path, text, sentence):
    path = archive(tmp_path / "m.npz", [("meta", np.frombuffer(text, np.uint8))])
    with pytest.raises(ValueError, match=re.escape(f"{path} is damaged: {sentence}")):
        nb.load_model(path)
    state = {"npbilstm": np.frombuffer(text, np.uint8), "weight_ih_l0": np.zeros((16, 3), np.float32)}
    path = archive(tmp_path / "w.npz", list(state.items()))
    with pytest.raises(ValueError, match=re.escape(f"{path}: its description")):
        read_weights(path)
