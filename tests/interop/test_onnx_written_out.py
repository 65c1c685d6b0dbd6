"""Plain RNNs that are written out step by step, as PyTorch's exporter of today writes them, are read as layers."""

import numpy as np
import pytest

from npbilstm.interop import from_onnx
from tests.cases import assert_close
from tests.interop.drawing import sizes_of

onnx = pytest.importorskip("onnx", reason="onnx is not installed (extra onnx)")

from tests.interop.onnx_graphs import D, H, N, T, X, node, numbers, saved, value  # noqa: E402


def one_direction(name, x, width, reverse=False, h_0=""):
    """Nodes and weights of a direction that reads x (T, N, width) -> nodes, constants, its h step by step in time."""
    W, R, B, L = (f"{name}.{part}" for part in ("W", "R", "b", "L"))
    constants = {W: numbers(width, H, seed=1), R: numbers(H, H, seed=2) / 2, f"{B}_ih": numbers(H, seed=3)}
    constants |= {f"{B}_hh": numbers(H, seed=4), f"{name}.axis": np.array([0])}
    nodes = [node("MatMul", f"{x} {W}", f"{name}.xW"), node("Add", f"{name}.xW {B}_ih", L)]
    steps, before = [], h_0
    for t in range(T)[:: -1 if reverse else 1]:
        share, sums, h = f"{name}.share{t}", f"{name}.sum{t}", f"{name}.h{t}"
        constants |= {f"{name}.from{t}": np.array([t]), f"{name}.to{t}": np.array([t + 1])}
        nodes += [node("Slice", f"{L} {name}.from{t} {name}.to{t} {name}.axis", share)]
        recurrent = f"{B}_hh"
        if before:
            recurrent = f"{name}.of_h{t}"
            nodes += [node("MatMul", f"{before} {R}", f"{name}.hR{t}")]
            nodes += [node("Add", f"{name}.hR{t} {B}_hh", recurrent)]
        nodes += [node("Add", f"{recurrent} {share}", sums), node("Tanh", sums, h)]
        before = h
        steps.append(h)
    return nodes, constants, steps[:: -1 if reverse else 1]


def written_out(path, layers=1, both=False, h_0=False, all_steps=False):
    """A file of stacked layers -> its path. Its outputs: of the last layer each direction's last h, or all steps."""
    nodes, constants, x, width = [], {}, "X", D
    inputs = [X, *([value("h_0", 1, N, H)] if h_0 else [])]
    for k in range(layers):
        ends = []
        for reverse in [False, True][: 2 if both else 1]:
            name = f"{k}{'r' if reverse else 'f'}"
            more, own, h = one_direction(name, x, width, reverse, "h_0" if h_0 else "")
            nodes, constants = nodes + more, constants | own
            ends.append(h[0] if reverse else h[-1])
            if k < layers - 1 or all_steps:
                nodes += [node("Concat", " ".join(h), f"{name}.y", axis=0)]
        x, width = f"{k}.y", 2 * H if both else H
        if k < layers - 1 or all_steps:
            parts = [f"{k}{way}.y" for way in "fr"[: len(ends)]]
            nodes += [node("Concat", " ".join(parts), x, axis=2) if both else node("Identity", parts[0], x)]
    return saved(path, nodes, constants, inputs, [x] if all_steps else ends)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
def test_layers_of_which_the_last_h_alone_is_asked_for_are_all_read(tmp_path, layers, both):
    from onnx.reference import ReferenceEvaluator

    layer = from_onnx(written_out(tmp_path / "net.onnx", layers, both))
    assert (sizes_of(layer), len(layer.directions)) == ((D, H, layers), 1 + both)
    x = numbers(T, N, D)
    _, h_n, _ = layer.forward(x.swapaxes(0, 1))
    ends = ReferenceEvaluator(str(tmp_path / "net.onnx")).run(None, {"X": x})
    assert_close(h_n[-len(ends) :], np.concatenate(ends), 1e-5)


@pytest.mark.parametrize("all_steps", [False, True])
def test_a_state_that_comes_from_outside_is_no_hindrance(tmp_path, all_steps):
    with_state = from_onnx(written_out(tmp_path / "net.onnx", h_0=True, all_steps=all_steps))
    without = from_onnx(written_out(tmp_path / "net.onnx", all_steps=all_steps))
    for name, w in without.params.items():
        assert np.array_equal(with_state.params[name], w)
