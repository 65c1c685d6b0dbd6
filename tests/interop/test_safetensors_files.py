"""Files of safetensors whose header lies: a sentence, and no memory taken."""

import json
import re
import struct

import numpy as np
import pytest

from npbilstm.interop import open_weights
from npbilstm.interop.files import read_weights

pytest.importorskip("safetensors", reason="safetensors is not installed (extra safetensors)")

LSTM = {"weight_ih_l0": (16, 3), "weight_hh_l0": (16, 4), "bias_ih_l0": (16,), "bias_hh_l0": (16,)}


def write(path, shapes=LSTM, dtype="F32", bytes_each=4, length=None, **changes):
    """A file of zeros of these shapes; changes: of an entry of its header."""
    header, end = {}, 0
    for name, shape in shapes.items():
        begin, end = end, end + bytes_each * int(np.prod(shape))
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end], **changes.get(name, {})}
    header |= changes.get("header", {})
    text = changes.get("text", json.dumps(header).encode())
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + bytes(end))
    return path


def test_the_file_itself_is_read(tmp_path):
    assert repr(read_weights(write(tmp_path / "n.safetensors"))[0]) == "LSTM(3, 4, 1)"
    half = read_weights(write(tmp_path / "n.safetensors", dtype="BF16", bytes_each=2))[0]
    assert half.params["0.forward.Wx"].dtype == np.float32


@pytest.mark.parametrize(
    ("lie", "sentence"),
    [
        ({"weight_hh_l0": {"data_offsets": [0, 256]}}, "cannot be read: it is no .safetensors file, is damaged or cut"),
        ({"weight_hh_l0": {"shape": [10**9, 10**9]}}, "cannot be read"),
        ({"weight_hh_l0": {"shape": [2**40, 2**40]}}, "cannot be read"),
        ({"weight_hh_l0": {"dtype": "F7"}}, "cannot be read"),
        ({"length": 2**63}, "cannot be read"),
        ({"length": 10**8 + 1}, "cannot be read"),
        ({"text": b"{" * 10_000}, "cannot be read"),
        ({"text": b"[" * 10_000}, "cannot be read"),
        ({"header": {"__metadata__": {"npbilstm": "[" * 100_000}}}, "its description cannot be read (it is nested too"),
        ({"header": {"__metadata__": {"npbilstm": "9" * 100_000}}}, "its description cannot be read"),
    ],
)
def test_a_header_that_lies_is_a_sentence(tmp_path, lie, sentence):
    path = write(tmp_path / "n.safetensors", **lie)
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        read_weights(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_shape_of_no_numbers_makes_no_layer_of_gigabytes(tmp_path):
    path = write(tmp_path / "n.safetensors", {**LSTM, "weight_ih_l0": (0, 10**8)})
    with pytest.raises(
        ValueError, match=r"n.safetensors: LSTM\(100000000, 4, 1\) has [\d,]+ numbers; what is given ho"
    ):
        read_weights(path)


def test_numbers_that_no_array_holds_are_refused_where_they_are_read_and_not_beside(tmp_path):
    shapes = {**{f"lstm.{name}": shape for name, shape in LSTM.items()}, "fc.weight": (2,)}
    eight = {"dtype": "F8_E4M3", "shape": [8]}
    path = write(tmp_path / "n.safetensors", shapes, **{"fc.weight": eight})
    assert repr(read_weights(path, prefix="lstm.")[0]) == "LSTM(3, 4, 1)"
    assert open_weights(path)[1] == {"left_out": ["fc"]}
    with pytest.raises(ValueError, match=r"state\['fc.weight'\] has dtype F8_E4M3; it needs float32"):
        read_weights(path, "tagger")
