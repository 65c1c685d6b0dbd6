"""What the options of models may be, as type checkers know it. What they mean stands in the models' docstrings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, TypedDict

import numpy as np

from npbilstm.layers.options import CellName, Init

if TYPE_CHECKING:
    from numpy.typing import DTypeLike

HeadName = Literal["classes", "values", "crf", "ctc"]
Pooling = Literal["final", "mean", "max"]
Attention = Literal["additive", "dot"]


class ModelOptions(TypedDict, total=False):
    """What every model takes by name."""

    cell: CellName
    input_size: int | None
    num_values: int | None
    embedding_size: int | None
    hidden_size: int
    num_layers: int
    bidirectional: bool
    dropout: float
    head: HeadName | None
    class_weights: Sequence[float] | None
    init: Init
    dtype: DTypeLike
    rng: int | np.random.Generator | None
