"""Which Keras layers a list of arrays fits, told by the arrays' shapes alone.

kernel (D, GH), recurrent_kernel (H, GH), bias       G blocks: 4 of an LSTM, 3 of a GRU, 1 of a SimpleRNN

bias  (GH,)      LSTM, SimpleRNN, GRU with reset_after=False
      (2, 3H)    GRU with reset_after=True
      (8H,)      CuDNNLSTM
      (6H,)      CuDNNGRU
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from npbilstm.layers.cells import CELLS

BLOCKS = {"lstm": 4, "gru": 3, "rnn": 1}

NAMES = {"lstm": "an LSTM", "gru": "a GRU", "rnn": "a SimpleRNN"}
"""As a sentence has them."""

Shape = tuple[int, ...]


class WeightsForm(NamedTuple):
    """How to read a list. reset_after: None but for a GRU with biases. cudnn: as the layers CuDNNLSTM and CuDNNGRU have
    them, one bias after the other and every block's matrices transposed."""

    cell: str
    bidirectional: bool
    bias: bool
    reset_after: bool | None = None
    cudnn: bool = False

    @property
    def arrays(self) -> int:
        """How many a layer of the stack has."""
        return (3 if self.bias else 2) * (2 if self.bidirectional else 1)

    def bias_shape(self, H: int) -> Shape:
        """Of one direction."""
        width = BLOCKS[self.cell] * H
        if self.cudnn:
            return (2 * width,)
        return (2, width) if self.reset_after else (width,)

    def features(self, H: int, merge: str | None) -> int:
        """How many numbers a layer of the stack puts out, which the next one reads."""
        return 2 * H if self.bidirectional and merge in ("concat", None) else H

    def shapes(self, D: int, H: int, num_layers: int, merge: str | None) -> list[Shape]:
        """Of all arrays of a stack."""
        found: list[Shape] = []
        for k in range(num_layers):
            width = BLOCKS[self.cell] * H
            one = [(D if k == 0 else self.features(H, merge), width), (H, width)]
            found += [*one, *([self.bias_shape(H)] if self.bias else [])] * (2 if self.bidirectional else 1)
        return found


def forms(cell: str | None, bidirectional: bool | None, bias: bool | None) -> list[WeightsForm]:
    """All that there are, of those asked for; None asks for any."""
    found = []
    for name, both, biased in product(CELLS, (False, True), (True, False)):
        if (cell or name, either(bidirectional, both), either(bias, biased)) != (name, both, biased):
            continue
        resets = (True, False) if name == "gru" and biased else (None,)
        found += [WeightsForm(name, both, biased, reset) for reset in resets]
        if biased and name != "rnn":
            found.append(WeightsForm(name, both, biased, True if name == "gru" else None, cudnn=True))
    return found


def either(given: bool | None, value: bool) -> bool:
    """What is given, else the value."""
    return value if given is None else given


def fitting(arrays: Sequence[np.ndarray], asked: Sequence[WeightsForm], merge: str | None) -> list[WeightsForm]:
    """Which of the forms these arrays have, shape by shape."""
    if len(arrays) < 2 or arrays[0].ndim != 2 or arrays[1].ndim != 2:
        return []
    D, H = len(arrays[0]), len(arrays[1])
    got = [array.shape for array in arrays]
    return [
        form
        for form in asked
        if len(got) % form.arrays == 0 and got == form.shapes(D, H, len(got) // form.arrays, merge)
    ]


def require_one(found: Sequence[WeightsForm], arrays: Sequence[np.ndarray]) -> WeightsForm:
    """The only form of those that fit. Raises ValueError, naming what needs to be given, where there are several."""
    if len({form.bidirectional for form in found}) == 2:
        layers = len(arrays) // found[0]._replace(bidirectional=False).arrays
        raise ValueError(
            f"weights holds {len(arrays)} arrays, which are those of {layers} stacked layers of one direction, and as "
            f"well those of {layers // 2 or 1} with both; bidirectional needs to be given, True or False"
        )
    if len(found) > 1:
        raise ValueError(
            f"weights holds {len(arrays)} arrays, which fit with a bias and without; bias needs to be given"
        )
    return found[0]


def require_not_keras_1(arrays: Sequence[np.ndarray], asked: Sequence[WeightsForm]) -> None:
    """Raise ValueError where stacked SimpleRNN layers, about which nobody asked, are as well gates of Keras 1."""
    cells = keras_1_cells([array.shape for array in arrays])
    if cells and {form.cell for form in asked} > {"rnn"}:
        raise ValueError(
            f"weights holds {len(arrays)} arrays, which are those of {len(arrays) // 3} stacked SimpleRNN layers, and "
            f"as well those of {' or '.join(NAMES[cell] for cell in cells)} of Keras 1, W, U, b for each gate; cell "
            f"needs to be given, {' or '.join(repr(cell) for cell in ('rnn', *cells))}"
        )


def require_not_added(arrays: Sequence[np.ndarray], found: Sequence[WeightsForm], asked: Sequence[WeightsForm]) -> None:
    """Raise ValueError where arrays are, beside what they are in `found`, two directions whose outputs are added."""
    added = [form for form in fitting(arrays, asked, "sum") if form not in found]
    if added:
        layers = len(arrays) // added[0].arrays
        one_way = f"{2 * layers} stacked layers of one direction, and as well those of " if found else ""
        given = "bidirectional needs to be given, True or False, and with True merge" if found else "merge is needed"
        raise ValueError(
            f"weights holds {len(arrays)} arrays, which are those of {one_way}{layers} of two directions that are "
            f'added, multiplied or averaged; {given}, "sum", "mul" or "ave"'
        )


def explained(arrays: Sequence[np.ndarray]) -> str:
    """What arrays that have no form are, where that is known, and what to do; "" where it is not."""
    shapes = [array.shape for array in arrays]
    if is_tensorflow_1(shapes):
        H = shapes[0][1] // 4
        D = shapes[0][0] - H
        return (
            f"weights holds a kernel {shapes[0]} and a bias {shapes[1]}, as the LSTMCell of TensorFlow 1 has them: W "
            "for x and h in one, blocks i, j, f, o, of which it adds forget_bias=1.0 to f at every step. Put them "
            "in Keras' order, i, f, j, o = (np.split(w, 4, axis=-1)[k] for k in (0, 2, 1, 3)) for both w, with 1.0 "
            f"added to the bias' f, and join them again: from_keras([W[:{D}], W[{D}:], b], 'lstm')"
        )
    for cell in keras_1_cells(shapes)[:1]:
        gates, order = {"lstm": ("i, c, f, o", "i, f, c, o"), "gru": ("z, r, h", "z, r, h, and reset_after=False")}[
            cell
        ]
        each = "" if len(shapes) == 3 * BLOCKS[cell] else " of each layer and direction"
        return (
            f"weights holds {len(shapes)} arrays, as Keras 1 has them: W, U, b for each of {gates}. Join each "
            f"kind{each}, from_keras([np.concatenate(W, axis=1), np.concatenate(U, axis=1), np.concatenate(b)], "
            f"{cell!r}), in the order {order}"
        )
    pieces = taken_apart(arrays)
    layers = [piece for piece, form in pieces if form is not None]
    if not layers or len(pieces) == 1 or len(arrays) <= 3:
        return ""
    told = ", ".join(
        f"{span(piece)} {shapes[piece.start]}" if form is None else f"{span(piece)} {described(arrays, piece, form)}"
        for piece, form in pieces
    )
    return (
        f"weights holds {len(arrays)} arrays that are no one stack of equal layers: {told}. Read what you need by "
        f"itself, e.g. from_keras({span(layers[0])})"
    )


def is_tensorflow_1(shapes: Sequence[Shape]) -> bool:
    """Whether these are one kernel (D + H, 4H) and one bias (4H,)."""
    if [len(shape) for shape in shapes] != [2, 1]:
        return False
    (rows, columns), (width,) = shapes[0], shapes[1]
    return columns == width and columns % 4 == 0 and rows > columns // 4


def keras_1_cells(shapes: Sequence[Shape]) -> list[str]:
    """Of which cells of Keras 1 these may be: W (D, H), U (H, H), b (H,) four times as in an LSTM, three times as in a
    GRU, or several such layers."""
    found = []
    for cell in ("lstm", "gru"):
        size = 3 * BLOCKS[cell]
        layers = [shapes[start : start + size] for start in range(0, len(shapes), size)]
        if layers and all(
            len(own) == size and len(own[0]) == 2 and list(own) == [own[0], (own[0][1],) * 2, own[0][1:]] * (size // 3)
            for own in layers
        ):
            found.append(cell)
    return found


def taken_apart(arrays: Sequence[np.ndarray]) -> list[tuple[slice, WeightsForm | None]]:
    """The list piece by piece: the longest runs that are a single recurrent layer, and what stands between."""
    pieces: list[tuple[slice, WeightsForm | None]] = []
    of_one_layer = forms(None, None, None)
    start = 0
    while start < len(arrays):
        runs = [
            (start + form.arrays, form)
            for form in of_one_layer
            if form in fitting(arrays[start : start + form.arrays], [form], "concat")
        ]
        stop, best = max(runs, key=lambda run: run[0], default=(start + 1, None))
        pieces.append((slice(start, stop), best))
        start = stop
    return pieces


def described(arrays: Sequence[np.ndarray], piece: slice, form: WeightsForm) -> str:
    """A layer in a few words."""
    kernel, recurrent_kernel = arrays[piece.start], arrays[piece.start + 1]
    both = "both directions of " if form.bidirectional else ""
    return f"{both}{NAMES[form.cell]} of {len(recurrent_kernel)} units that reads {len(kernel)}"


def span(piece: slice) -> str:
    """As it is written in Python."""
    if piece.stop == piece.start + 1:
        return f"weights[{piece.start}]"
    return f"weights[{piece.start}:{piece.stop}]"


def in_order(named: Mapping[Any, Any]) -> list[Any]:
    """The arrays of a dict in the order of get_weights(): kernel, recurrent_kernel, bias, the forward direction's
    before the backward one's.

    Its keys end in these three names, as in "lstm/lstm_cell/kernel:0". Raises ValueError for another.
    """
    layers: dict[str, dict[str, Any]] = {}
    for key, array in named.items():
        begin, _, kind = str(key).removesuffix(":0").rpartition("/")
        if kind not in ("kernel", "recurrent_kernel", "bias"):
            raise ValueError(
                f"weights has the name {key!r}; it needs names that end in kernel, recurrent_kernel or bias"
            )
        layers.setdefault(begin, {})[kind] = array
    places = {begin.replace("backward", "forward"): place for place, begin in reversed(list(enumerate(layers)))}
    ordered = sorted(layers, key=lambda begin: (places[begin.replace("backward", "forward")], "backward" in begin))
    kinds = ("kernel", "recurrent_kernel", "bias")
    return [layers[begin][kind] for begin in ordered for kind in kinds if kind in layers[begin]]
