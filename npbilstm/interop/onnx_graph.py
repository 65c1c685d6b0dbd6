"""A graph of ONNX in the making, for export: nodes in the order they run, and the constants that they read."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any

import numpy as np

PRODUCER = "npbilstm"

OPSET, IR_VERSION = 18, 8
"""Of 2022: the first in which all that is used here has its present form."""

Values = tuple[list[Any], list[Any]]
"""A graph's inputs and its outputs, as value makes them."""


def require_onnx() -> ModuleType:
    """The package onnx. Raises ValueError where it is not installed."""
    try:
        import onnx
    except ImportError as error:
        raise ValueError("ONNX files need the package onnx: pip install 'npbilstm[onnx]'") from error
    module: ModuleType = onnx
    return module


class Graph:
    """Values go by name."""

    def __init__(self) -> None:
        self.onnx = require_onnx()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def constant(self, name: str, array: Any) -> str:
        """An array under a name -> the name."""
        self.constants.append(self.onnx.numpy_helper.from_array(np.asarray(array), name))
        return name

    def ints(self, *numbers: int) -> str:
        """Axes, sizes or shapes, as nodes take them -> their name."""
        return self.constant(f"ints.{len(self.constants)}", np.array(numbers, np.int64))

    def node(self, operator: str, inputs: list[str], output: str, *others: str, **attributes: Any) -> str:
        """One node with its outputs -> the name of the first."""
        self.nodes.append(self.onnx.helper.make_node(operator, inputs, [output, *others], **attributes))
        return output

    def value(self, name: str, dtype: Any, shape: list[Any]) -> Any:
        """What an input or output of the graph is; an axis given by a name is free."""
        kind = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
        return self.onnx.helper.make_tensor_value_info(name, kind, shape)

    def file(self, name: str, values: Values, said: Mapping[str, str]) -> bytes:
        """The graph, checked, as what a file of it holds. said: its metadata."""
        helper = self.onnx.helper
        content = helper.make_model(
            helper.make_graph(self.nodes, name, *values, self.constants),
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=IR_VERSION,
            producer_name=PRODUCER,
        )
        helper.set_model_props(content, dict(said))
        self.onnx.checker.check_model(content)
        whole: bytes = content.SerializeToString()
        return whole
