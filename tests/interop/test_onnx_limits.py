"""Small ONNX files that ask for much: memory, time, other files. Each is read, or refused in a sentence, for little."""

import os
import re
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from npbilstm.interop import from_onnx

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra onnx)")

from onnx import TensorProto, helper, numpy_helper  # noqa: E402

from tests.interop.onnx_graphs import D, H, N, X, branch, lstm, node, saved, value, weights  # noqa: E402

ONE = weights()
TWO = {f"{name}2": w for name, w in weights(D=H, seed=7).items()}
BOTH = {**ONE, **TWO, "axis": np.array([1])}
BIG = {"big": np.array([10**5, 10**5, 100]), "one": np.zeros((1, 1, 1), np.float32)}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "file.onnx"


def outcome(path):
    """What from_onnx makes of a file: the layer as a text, or the sentence; and how many MB it took at most."""
    tracemalloc.start()
    try:
        said = repr(from_onnx(path))
    except ValueError as error:
        said = str(error)
        assert str(path) in said
        assert "\n" not in said
    finally:
        peak = tracemalloc.get_traced_memory()[1] / 2**20
        tracemalloc.stop()
    return said, peak


def chain(operator, source, target, count, read="{0}", **attributes):
    """One operator after the other; read: what each reads, {0} the one before."""
    names = [source, *(f"{target}.{n}" for n in range(count - 1)), target]
    return [node(operator, read.format(a), b, **attributes) for a, b in pairwise(names)]


def loop(source, target):
    """A loop of 2**62 rounds."""
    body = helper.make_graph(
        [node("Identity", "go", "go_on"), node("Identity", "v", "w")],
        "body",
        [value("k", kind=TensorProto.INT64), value("go", kind=TensorProto.BOOL), value("v", "any")],
        [value("go_on", "any", kind=TensorProto.BOOL), value("w", "any")],
    )
    return helper.make_node("Loop", ["times", "", source], [target], body=body)


def between(*nodes):
    """Nodes between two layers: from S to X2."""
    return [lstm(out="Y1"), node("Squeeze", "Y1 axis", "S"), *nodes, lstm("X2", "W2", "R2", "B2")]


def with_state(*nodes):
    return [*nodes, lstm("X", "W", "R", "B", "", "h")]


FILES = {
    "weights of no rows and 10**8 columns": (
        [helper.make_node("LSTM", ["X", "W", "R"], ["Y"])],
        {"W": np.zeros((0, 10**8), np.float32), "R": ONE["R"]},
        "the W of LSTM 0 has shape (0, 100000000); it needs three axes",
    ),
    "weights of 4 * 10**8 rows and no columns": (
        [helper.make_node("LSTM", ["X", "W", "R"], ["Y"])],
        {"W": np.zeros((1, 4 * 10**8, 0), np.float32), "R": np.zeros((1, 4 * 10**8, 0), np.float32)},
        "the W of LSTM 0 has shape (1, 400000000, 0); it needs ",
    ),
    "weights that are all one number": (
        [node("ConstantOfShape", "shape", "W"), lstm()],
        {"shape": np.array([1, 4 * H, 10**9]), "R": ONE["R"], "B": ONE["B"]},
        "it makes more than 33,554,432 numbers, which is as many as are made here",
    ),
    "a loop between two layers": (
        between(loop("S", "X2")),
        {**BOTH, "times": np.int64(2**62)},
        "LSTM 1 reads what its Loop makes",
    ),
    "a loop that makes weights": (
        [loop("W0", "W"), lstm()],
        {"W0": ONE["W"], "R": ONE["R"], "B": ONE["B"], "times": np.int64(2**62)},
        "the W of LSTM 0 is computed (it is made by Loop, which is not run here)",
    ),
    "a number that is repeated between two layers": (
        between(node("Expand", "one big", "g"), node("Concat", "S g", "X2", axis=2)),
        {**BOTH, **BIG},
        "cannot be run on 5 steps of 2 rows: Concat: it makes more than 33,554,432 numbers",
    ),
    "a shape of 10**12 between two layers": (
        between(node("ConstantOfShape", "big", "g"), node("Add", "S g", "X2")),
        {**BOTH, **BIG},
        "cannot be run on 5 steps of 2 rows: Add",
    ),
    "numbers side by side between two layers": (
        between(node("Tile", "S times", "X2")),
        {**BOTH, "times": np.array([10**6, 10**6, 1])},
        "Tile: it makes more than 33,554,432 numbers",
    ),
    "lengths of 10**12 rows": (
        [node("ConstantOfShape", "big", "L"), lstm("X", "W", "R", "B", "L")],
        {**ONE, **BIG},
        "the sequence_lens of LSTM 0 are in the file",
    ),
    "40 that double a state": (
        with_state(*chain("Concat", "h0", "h", 40, "{0} {0}", axis=1)),
        {**ONE, "h0": np.zeros((1, 1, H), np.float32)},
        "LSTM(3, 4, 1)",
    ),
    "40 that add a state to itself": (
        with_state(*chain("Add", "h0", "h", 40, "{0} {0}")),
        {**ONE, "h0": np.zeros((1, N, H), np.float32)},
        "the initial_h of LSTM 0 is part of the graph",
    ),
    "40 that add between two layers": (
        between(*chain("Add", "S", "X2", 40, "{0} {0}")),
        BOTH,
        "stands Squeeze, Add, which makes other numbers",
    ),
    "40 that double between two layers": (
        between(*chain("Concat", "S", "X2", 40, "{0} {0}", axis=0)),
        BOTH,
        "Concat: it makes more than 33,554,432 numbers",
    ),
    "40 that double the weights": (
        [*chain("Concat", "W0", "W", 40, "{0} {0}", axis=2), lstm()],
        {"W0": ONE["W"], "R": ONE["R"], "B": ONE["B"]},
        "Concat: it makes more than 33,554,432",
    ),
    "5,000 on the way to the layer": ([*chain("Neg", "X", "X2", 5000), lstm("X2")], ONE, "LSTM(3, 4, 1)"),
    "5,000 between two layers": (between(*chain("Transpose", "S", "X2", 5000, perm=[1, 0, 2])), BOTH, "LSTM(3, 4, 2)"),
    "5,000 that move a state": (
        with_state(*chain("Identity", "h0", "h", 5000)),
        {**ONE, "h0": np.zeros((1, N, H), np.float32)},
        "LSTM(3, 4, 1)",
    ),
    "1,001 layers": (
        [lstm(out=f"Y{n or ''}") for n in range(1001)],
        ONE,
        "it holds 1,001 recurrent nodes; no more than 1,000 are read",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_small_file_takes_little(path, name):
    nodes, constants, expected = FILES[name]
    said, megabytes = outcome(saved(path, nodes, constants))
    assert expected in said
    assert megabytes < 600


def test_x_may_be_said_to_be_huge(path):
    saved(path, [lstm()], ONE, [value("X", 10**9, 10**9, D)])
    assert outcome(path)[0] == "LSTM(3, 4, 1)"
    saved(path, between(node("Identity", "S", "X2")), BOTH, [value("X", 10**6, 10**6, D)])
    said, megabytes = outcome(path)
    assert "cannot be run on 1000000 steps of 1000000 rows: its output has too many numbers" in said
    assert megabytes < 100


def test_what_many_nodes_read_in_common_is_looked_at_in_bounds(path, monkeypatch):
    monkeypatch.setattr("npbilstm.interop.onnx_values.MOST_STEPS", 10_000)
    many = [
        n
        for k in range(20)
        for n in (node("Identity", "h", f"h.{k}.own"), lstm("X", "W", "R", "B", "", f"h.{k}.own", out=f"Y{k or ''}"))
    ]
    saved(path, [*chain("Identity", "s", "h", 1000), *many], ONE, [X, value("s", 1, N, H)])
    assert "it takes more than 10,000 steps, which is as many as are taken here" in outcome(path)[0]


def test_graphs_in_graphs_are_looked_through(path):
    inner = branch([lstm(out="y0")], "y0")
    for n in range(20):
        other = branch([node("Neg", "X", f"n{n}")], f"n{n}")
        inner = branch([node("If", "yes", f"y{n + 1}", then_branch=inner, else_branch=other)], f"y{n + 1}")
    last = node("If", "yes", "Y", then_branch=inner, else_branch=branch([node("Neg", "X", "m")], "m"))
    assert outcome(saved(path, [last], {**ONE, "yes": np.array(True)}))[0] == "LSTM(3, 4, 1)"


def changed(path, change):
    """A file of one LSTM whose W is changed."""
    content = onnx.load(saved(path, [lstm()], ONE))
    change(content, next(tensor for tensor in content.graph.initializer if tensor.name == "W"))
    path.write_bytes(content.SerializeToString())
    return path


def of_kind(kind, size):
    def change(content, W):
        W.data_type, W.raw_data = kind, b"\0" * int(size * 4 * H * D)

    return change


def of_strings(content, W):
    W.ClearField("raw_data")
    W.data_type = TensorProto.STRING
    W.string_data.extend([b"a"] * (4 * H * D))


def sparse(content, W):
    one = helper.make_sparse_tensor(
        numpy_helper.from_array(np.ones(1, np.float32), "W"),
        numpy_helper.from_array(np.zeros(1, np.int64), "i"),
        W.dims,
    )
    content.graph.initializer.remove(W)
    content.graph.sparse_initializer.append(one)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            of_kind(TensorProto.INT4, 0.5),
            "the W of LSTM 0, 'W': it is of INT4, as in a quantized model; it needs float32 or",
        ),
        (of_kind(TensorProto.FLOAT8E4M3FN, 1), "the W of LSTM 0, 'W': it is of FLOAT8E4M3FN, which is not read here"),
        (of_kind(TensorProto.INT8, 1), "the weights of LSTM 0['W'] has dtype int8; it needs float32 or float64"),
        (of_strings, "the W of LSTM 0, 'W': it is of STRING, which is not read here; it needs float32 or float64"),
        (sparse, "the W of LSTM 0, 'W': it is a sparse tensor, which is not read here; it needs to be a plain one"),
        (of_kind(TensorProto.FLOAT, 1), "onnx's checker refuses it"),
        (of_kind(999, 1), "the W of LSTM 0, 'W': Enum DataType has no name defined for value 999"),
    ],
)
def test_weights_of_other_kinds_are_a_sentence(path, change, sentence):
    assert sentence in outcome(changed(path, change))[0]


@pytest.mark.parametrize("kind", [TensorProto.FLOAT16, TensorProto.BFLOAT16])
def test_half_precision_is_read_to_the_bit(path, kind):
    half = helper.tensor_dtype_to_np_dtype(kind)
    halves = {name: w.astype(half) for name, w in ONE.items()}
    got = from_onnx(saved(path, [lstm()], halves))
    expected = from_onnx(saved(path, [lstm()], {name: w.astype(np.float32) for name, w in halves.items()}))
    assert all(np.array_equal(got.params[name], w) for name, w in expected.params.items())


def beside(location, **entries):
    def change(content, W):
        W.ClearField("raw_data")
        W.data_location = TensorProto.EXTERNAL
        for key, entry in {"location": location, **entries}.items():
            one = W.external_data.add()
            one.key, one.value = key, str(entry)

    return change


def test_weights_beside_the_file_are_read(tmp_path):
    path = tmp_path / "file.onnx"
    (tmp_path / "weights.bin").write_bytes(b"12345678" + ONE["W"].tobytes())
    expected = from_onnx(saved(path, [lstm()], ONE)).params["0.forward.Wx"]
    got = from_onnx(changed(path, beside("weights.bin", offset=8, length=ONE["W"].nbytes)))
    assert np.array_equal(got.params["0.forward.Wx"], expected)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (beside("absent.bin"), "absent.bin"),
        (beside("../outside.bin"), "outside"),
        (beside("/etc/passwd"), "absolute path"),
        (beside("/dev/zero"), "absolute path"),
        (beside("link.bin"), "symbolic link"),
        (beside("pipe.bin"), "not regular file"),
        (beside("short.bin"), "short.bin has no 192 bytes from 0 on"),
        (beside("short.bin", offset=-1), "short.bin has no 192 bytes from -1 on"),
        (beside("short.bin", offset=10**18), "short.bin has no 192 bytes from 1000000000000000000 on"),
        (beside("short.bin", offset="x"), "invalid literal for int"),
    ],
)
def test_weights_that_are_not_beside_the_file_are_a_sentence(tmp_path, change, sentence):
    (tmp_path / "in").mkdir()
    (tmp_path / "outside.bin").write_bytes(ONE["W"].tobytes())
    (tmp_path / "in" / "short.bin").write_bytes(b"12345")
    os.symlink(tmp_path / "outside.bin", tmp_path / "in" / "link.bin")
    os.mkfifo(tmp_path / "in" / "pipe.bin")
    assert sentence in outcome(changed(tmp_path / "in" / "file.onnx", change))[0]


def test_a_pipe_and_a_device_are_no_files(tmp_path):
    os.mkfifo(tmp_path / "pipe.onnx")
    os.symlink("/dev/zero", tmp_path / "zero.onnx")
    for name in ("pipe.onnx", "zero.onnx"):
        with pytest.raises(ValueError, match=re.escape(f"{tmp_path / name} is a pipe or a device")):
            from_onnx(tmp_path / name)
