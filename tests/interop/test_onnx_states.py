"""Initial states of a recurrent node of ONNX: they come from outside, or are 0, and have the node's sizes."""

import re

import numpy as np
import pytest

from npbilstm.interop import from_onnx
from tests.interop.drawing import assert_same

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra onnx)")

from tests.interop.onnx_graphs import H, N, X, lstm, node, saved, value, weights  # noqa: E402

ONE = weights()
GIVEN = lstm("X", "W", "R", "B", "", "h", "c")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "file.onnx"


def refused(path, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        from_onnx(path)


def test_a_state_that_is_picked_out_of_an_input_comes_from_outside(path):
    nodes = [node("Gather", "state zero", "h", axis=0), node("Gather", "state one", "c", axis=0)]
    nodes.append(lstm("X", "W", "R", "B", "", "h", "c"))
    saved(path, nodes, {**ONE, "zero": np.int64(0), "one": np.int64(1)}, [X, value("state", 2, 1, N, H)])
    assert_same(from_onnx(path), from_onnx(saved(path, [lstm()], ONE)))


def test_a_state_of_another_size_is_refused(path):
    constants = {**weights(H=2), "h": np.zeros((1, N, 2), np.float32), "c": np.zeros((1, N, 4), np.float32)}
    saved(path, [lstm("X", "W", "R", "B", "", "h", "c", hidden_size=2)], constants)
    refused(path, "the initial_c of LSTM 0 has 4 numbers per row; the node has 2 units, and needs as many")


def test_a_state_of_other_directions_is_refused(path):
    saved(path, [GIVEN], ONE, [X, value("h", 2, N, H), value("c", 1, N, H)])
    refused(path, "the initial_h of LSTM 0 is of 2 directions; the node has 1, and needs as many")


@pytest.mark.parametrize("sizes", [("a", "b", "c"), (None, None, None), (1, "b", "c")])
def test_a_state_whose_sizes_the_file_leaves_free_is_read(path, sizes):
    saved(path, [GIVEN], ONE, [X, value("h", *sizes), value("c", *sizes)])
    assert_same(from_onnx(path), from_onnx(saved(path, [lstm()], ONE)))
