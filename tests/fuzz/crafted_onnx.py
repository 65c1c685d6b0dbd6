"""ONNX graphs made to be difficult: what is large, deep or endless where it is run, and weights that are not there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.fuzz.cases import Case


def cases() -> list[Case]:
    """All of them; none where onnx is not installed."""
    try:
        import onnx
    except ImportError:
        return []
    graphs = Graphs(onnx)
    return [Case(f"onnx: {name}", "onnx", make()) for name, make in graphs.all().items()] + [
        Case("onnx: nothing", "onnx", b""),
        Case("onnx: text", "onnx", b"hello"),
        Case("onnx: fields of 2^62 bytes", "onnx", b"\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x3f"),
        Case("onnx: messages nested 100,000 deep", "onnx", b"\x3a\xff\xff\x7f" * 100_000),
    ]


class Graphs:
    """Graphs around one LSTM of 3 inputs and 4 units."""

    def __init__(self, onnx: Any) -> None:
        self.onnx, self.helper = onnx, onnx.helper
        rng = np.random.default_rng(0)
        self.weights = {
            "W": rng.standard_normal((1, 16, 3)).astype(np.float32),
            "R": rng.standard_normal((1, 16, 4)).astype(np.float32),
            "B": rng.standard_normal((1, 32)).astype(np.float32),
        }

    def node(self, kind: str, inputs: list[str], outputs: list[str], **attributes: Any) -> Any:
        return self.helper.make_node(kind, inputs, outputs, **attributes)

    def lstm(self, x: str = "X", out: str = "Y", w: str = "W", more: tuple[str, ...] = (), **attributes: Any) -> Any:
        return self.node("LSTM", [x, w, "R", "B", *more], [out], hidden_size=4, **attributes)

    def value(self, name: str, *shape: int | str, dtype: int = 1) -> Any:
        return self.helper.make_tensor_value_info(name, dtype, list(shape))

    def model(
        self, nodes: list[Any], weights: dict[str, Any] | None = None, shape: tuple[int | str, ...] = (5, 2, 3)
    ) -> bytes:
        arrays = [
            array if not isinstance(array, np.ndarray) else self.onnx.numpy_helper.from_array(array, name)
            for name, array in {**self.weights, **(weights or {})}.items()
        ]
        graph = self.helper.make_graph(
            nodes, "g", [self.value("X", *shape)], [self.value("Y", "a", "b", "c", "d")], arrays
        )
        opset = [self.helper.make_opsetid("", 17)]
        return self.helper.make_model(graph, opset_imports=opset, ir_version=8).SerializeToString()

    def hollow(self, name: str, dims: list[int]) -> Any:
        """A tensor that says a shape and holds nothing."""
        return self.onnx.TensorProto(name=name, data_type=1, dims=dims)

    def outside(self, location: str) -> Any:
        """A tensor whose numbers stand in another file."""
        held = self.hollow("W", [1, 16, 3])
        held.data_location = self.onnx.TensorProto.EXTERNAL
        held.external_data.add(key="location", value=location)
        return held

    def loop(self, times: int) -> bytes:
        """Something that runs so many times between two layers."""
        body = self.helper.make_graph(
            [self.node("Identity", ["go"], ["on"]), self.node("Identity", ["v"], ["w"])],
            "body",
            [self.value("n", dtype=7), self.value("go", dtype=9), self.value("v", "a", "b", "c")],
            [self.value("on", dtype=9), self.value("w", "a", "b", "c")],
        )
        nodes = [
            self.node("Squeeze", ["Y0", "one"], ["S"]),
            self.node("Loop", ["times", "yes", "S"], ["S2"], body=body),
            self.lstm("S2", w="W2"),
        ]
        weights = {
            "times": np.array(times),
            "yes": np.array(True),
            "one": np.array([1]),
            "W2": np.zeros((1, 16, 4), np.float32),
        }
        return self.model([self.lstm(out="Y0"), *nodes], weights)

    def doubling(self, times: int) -> bytes:
        """A tensor put beside itself, so many times over, between two layers."""
        nodes = [self.lstm(out="Y0"), self.node("Squeeze", ["Y0", "one"], ["S0"])]
        nodes += [self.node("Concat", [f"S{k}", f"S{k}"], [f"S{k + 1}"], axis=2) for k in range(times)]
        weights = {"one": np.array([1]), "W2": np.zeros((1, 16, 4), np.float32)}
        return self.model([*nodes, self.lstm(f"S{times}", w="W2")], weights)

    def constants(self, size: int) -> bytes:
        """A large constant made by a small graph, added between two layers."""
        nodes = [
            self.lstm(out="Y0"),
            self.node("Squeeze", ["Y0", "one"], ["S"]),
            self.node("ConstantOfShape", ["size"], ["C"]),
            self.node("ReduceSum", ["C"], ["c"], keepdims=0),
            self.node("Add", ["S", "c"], ["S2"]),
            self.lstm("S2", w="W2"),
        ]
        weights = {"one": np.array([1]), "size": np.array([size]), "W2": np.zeros((1, 16, 4), np.float32)}
        return self.model(nodes, weights)

    def nested(self, depth: int) -> bytes:
        """An LSTM in an If in an If ..."""
        inner = self.helper.make_graph([self.lstm(out="Y")], "g", [], [self.value("Y", "a", "b", "c", "d")])
        for _ in range(depth):
            node = self.node("If", ["yes"], ["Y"], then_branch=inner, else_branch=inner)
            inner = self.helper.make_graph([node], "g", [], [self.value("Y", "a", "b", "c", "d")])
        return self.model(
            [self.node("If", ["yes"], ["Y"], then_branch=inner, else_branch=inner)], {"yes": np.array(True)}
        )

    def computed(self, count: int) -> bytes:
        """Weights that a chain of so many operators makes of others."""
        nodes = [self.node("Identity", ["W" if k == 0 else f"W{k}"], [f"W{k + 1}"]) for k in range(count)]
        return self.model([*nodes, self.lstm(w=f"W{count}")])

    def all(self) -> dict[str, Callable[[], bytes]]:
        """A graph of each kind, by what it is."""
        zeros = np.zeros((1, 16, 3), np.float32)
        odd: dict[str, Callable[[], bytes]] = {
            "as it should be": lambda: self.model([self.lstm()]),
            "a loop of 2^62 times": lambda: self.loop(2**62),
            "a loop of 3 times": lambda: self.loop(3),
            "40 tensors beside themselves": lambda: self.doubling(40),
            "a constant of 10^9 numbers": lambda: self.constants(10**9),
            "a constant of 2^62 numbers": lambda: self.constants(2**62),
            "10 layers of If": lambda: self.nested(10),
            "weights of a chain of 5,000": lambda: self.computed(5000),
            "no weights": lambda: self.model([self.lstm(w="absent")]),
            "a shape of (0, 10^8)": lambda: self.model([self.lstm()], {"W": self.hollow("W", [0, 10**8])}),
            "a shape of (1, 16, 10^9)": lambda: self.model([self.lstm()], {"W": self.hollow("W", [1, 16, 10**9])}),
            "a shape of (1, -16, 3)": lambda: self.model([self.lstm()], {"W": self.hollow("W", [1, -16, 3])}),
            "weights in another file": lambda: self.model([self.lstm()], {"W": self.outside("absent.bin")}),
            "weights in a file above": lambda: self.model([self.lstm()], {"W": self.outside("../../../etc/hostname")}),
            "weights in /dev/zero": lambda: self.model([self.lstm()], {"W": self.outside("/dev/zero")}),
            "weights of 64 bits": lambda: self.model([self.lstm()], {"W": zeros.astype(np.float64)}),
            "weights of 16 bits": lambda: self.model([self.lstm()], {"W": zeros.astype(np.float16)}),
            "weights of whole numbers": lambda: self.model([self.lstm()], {"W": zeros.astype(np.int64)}),
            "weights of text": lambda: self.model([self.lstm()], {"W": np.full((1, 16, 3), "a", object)}),
            "NaN": lambda: self.model([self.lstm()], {"W": np.full_like(zeros, np.nan)}),
            "x of 10^9 steps": lambda: self.model([self.lstm()], shape=(10**9, 10**9, 3)),
            "x of -1 steps": lambda: self.model([self.lstm()], shape=(-1, -1, 3)),
            "x of names": lambda: self.model([self.lstm()], shape=("t", "n", "d")),
            "a clip": lambda: self.model([self.lstm(clip=0.1)]),
            "coupled gates": lambda: self.model([self.lstm(input_forget=1)]),
            "activations of nobody's": lambda: self.model([self.lstm(activations=["Sigmoid", "Sine", "Tanh"])]),
            "too few activations": lambda: self.model([self.lstm(activations=["Sigmoid"])]),
            "a direction of nobody's": lambda: self.model([self.lstm(direction="sideways")]),
            "a layout of nobody's": lambda: self.model([self.lstm(layout=7)]),
            "two LSTMs in a circle": lambda: self.model([self.lstm("Y", "Z"), self.lstm("Z", "Y")]),
            "no LSTM": lambda: self.model([self.node("Identity", ["X"], ["Y"])]),
            "5,000 LSTMs": lambda: self.model([self.lstm(out=f"Y{k}") for k in range(5000)] + [self.lstm()]),
            "an operator of nobody's": lambda: self.model([self.lstm(out="Z"), self.node("Magic", ["Z"], ["Y"])]),
            "a name of control characters": lambda: self.model([self.lstm("X", "\x1b[31mY"), self.lstm()]),
            "a hidden size that is not the weights'": lambda: self.model(
                [self.node("LSTM", ["X", "W", "R", "B"], ["Y"], hidden_size=10**9)]
            ),
            "no hidden size": lambda: self.model([self.node("LSTM", ["X", "W", "R", "B"], ["Y"])]),
        }
        return odd
