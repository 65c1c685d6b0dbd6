"""Layouts: arrays as a submission holds them, and as the textbook, the reference, does.

The conventions differ in a few things, and a comment at the top of a submitted file may say which it follows:

    # npbilstm: gates=fico weights=(4,H,D) x=(T,D,N) b=(4,H,1)

    gates       the order of an LSTM's blocks, of a GRU's, or both: ifog, zrn, ifog/zrn
    weights     (D,4H), (4H,D), or one matrix per gate: (4,D,H), (4,H,D). For Wh put H for D, for a GRU 3 for 4.
                H+D for D is one matrix W in place of Wx and Wh, which multiplies [h, x]; D+H is one for [x, h]
    x           the axes of a sequence in any order. Without N: one sequence, no batch. Without T: T comes first
    b           (4H), (4H,1), (4,H) or (4,H,1)
    update      what a GRU's z does with the old state, h = (1 - z) n + z h_prev: keeps; or writes, with z and 1 - z
                exchanged, as Chung et al. (2014) have it
    reset       where a GRU's r stands, after the product with Wh or before it

z writes where its weights are the negative of what they are where it keeps: sigmoid(-a) = 1 - sigmoid(a).

States, outputs and gradients follow x, with H in D's place; an axis of two directions stays first. What has one
matrix per gate in the textbook too, in one_sequence.py, differs only in the order of the gates.

Every further setting gives a submitted argument the name that it has in the textbook: hidden=h_prev.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from math import prod
from typing import NamedTuple

import numpy as np

SETTINGS = ("gates", "weights", "x", "b", "update", "reset")
LSTM_GATES, GRU_GATES = "ifgo", "rzn"
SPELLINGS = {"D,4H": "D,4H", "D,H": "D,4H", "4H,D": "4H,D", "H,D": "4H,D", "4,D,H": "4,D,H", "4,H,D": "4,H,D"}
SETTING = r"(\w+)\s*=\s*(\([^()]*\)|[^\s()=]+)"
JOINED = ("H+D", "D+H")
CHOICES = {"update": ("keeps", "writes"), "reset": ("after", "before")}
BIAS_SPELLINGS = {"4H": "4H", "H": "4H", "4H,1": "4H,1", "H,1": "4H,1", "4,H": "4,H", "4,H,1": "4,H,1"}


MATRICES = ("Wx", "Wh", "Wp", "W", "Wy", "Wq", "Wk")
BIASES = ("b", "b_hn", "p", "by", "gain_x", "gain_h", "gain_c", "bias_c", "gain", "bias")


class Layout(NamedTuple):
    """How submitted arrays are laid out. gates, gru_gates: the order of the blocks, in the textbook's letters.
    weights, b: as in a header, without brackets. x: the letters of its axes. joined: "H+D" or "D+H" where Wx and Wh
    are one matrix. update, reset: as in a header. As it stands, it is the textbook's."""

    gates: str = LSTM_GATES
    gru_gates: str = GRU_GATES
    weights: str = "D,4H"
    x: str = "NTD"
    b: str = "4H"
    joined: str = ""
    update: str = "keeps"
    reset: str = "after"

    @property
    def has_batch(self) -> bool:
        """Whether arrays have an axis N. Where they have none, N can only be 1."""
        return "N" in self.x


def read_header(source: str) -> dict[str, str]:
    """The settings in a file's comments `# npbilstm: name=value ...`, as they are written.

    A comment that fills a line counts wherever it stands: one that did not would be a trap. Raises ValueError where a
    comment is not made of settings, or two settings have one name.
    """
    settings: dict[str, str] = {}
    for line in re.findall(r"^#[ \t]*npbilstm:(.*)$", source, re.MULTILINE):
        rest = re.sub(SETTING, "", line).strip()
        if rest or not line.strip():
            raise ValueError(f"the header has {rest!r}; it needs settings such as gates=ifog x=(T,N,D)")
        for name, value in re.findall(SETTING, line):
            if name in settings:
                raise ValueError(f"the header has {name} twice; it needs one")
            settings[name] = value
    return settings


def settings_in(text: str) -> dict[str, str]:
    """The settings in a text such as gates=ifog x=(T,N,D)."""
    return dict(re.findall(SETTING, text))


def layout_of(settings: Mapping[str, str]) -> Layout:
    """The layout that settings describe. Raises ValueError, a sentence that lists what there is, for any other value.

    Without a setting for b, it follows the others: one row per gate where weights have one matrix per gate, and columns
    where a batch of x holds columns.
    """
    layout = Layout()
    for part in filter(None, settings.get("gates", "").split("/")):
        letters = re.sub(r"[\s,()]", "", part)
        if len(letters) == 4:
            layout = layout._replace(gates=gate_order(settings["gates"], letters, LSTM_GATES, {"g": "gczn~"}))
        else:
            layout = layout._replace(
                gru_gates=gate_order(settings["gates"], letters, GRU_GATES, {"z": "zu", "n": "nhc"})
            )
    if "weights" in settings:
        weights = re.sub(r"\s", "", settings["weights"])
        joined = next((both for both in JOINED if both in weights.upper()), "")
        alone = weights.upper().replace(joined, "D") if joined else weights
        layout = layout._replace(weights=spelled("weights", alone, SPELLINGS), joined=joined)
    for name, values in CHOICES.items():
        if name in settings:
            if settings[name] not in values:
                raise ValueError(f"{name} is {settings[name]}; it needs {' or '.join(values)}")
            layout = layout._replace(**{name: settings[name]})
    if "x" in settings:
        x = "".join(axes_in(settings["x"]))
        if "D" not in x or len(set(x)) < len(x) or set(x) - set("NTD"):
            raise ValueError(
                f"x is {settings['x']}; it needs N, T and D in some order, as in (T,N,D); N or T may be left out"
            )
        layout = layout._replace(x=x)
    if "b" in settings:
        return layout._replace(b=spelled("b", settings["b"], BIAS_SPELLINGS))
    return layout._replace(b=usual_bias(layout))


def settings_of(layout: Layout) -> dict[str, str]:
    """The settings that describe a layout."""
    weights = layout.weights.replace("D", layout.joined) if layout.joined else layout.weights
    return {
        "gates": f"{layout.gates}/{layout.gru_gates}",
        "weights": f"({weights})",
        "x": f"({','.join(layout.x)})",
        "b": f"({layout.b})",
        "update": layout.update,
        "reset": layout.reset,
    }


def usual_bias(layout: Layout) -> str:
    """How a bias is laid out where nothing is said of it: it follows the others."""
    row = "4,H" if layout.weights.startswith("4,") else "4H"
    columns = layout.has_batch and layout.x.index("D") < layout.x.index("N")
    return row + ",1" if columns else row


def gate_order(value: str, letters: str, gates: str, spellings: Mapping[str, str]) -> str:
    """The order of the gates in the textbook's letters."""
    order = "".join(next((gate for gate in gates if letter in spellings.get(gate, gate)), "") for letter in letters)
    if sorted(order) != sorted(gates):
        raise ValueError(
            f"gates is {value}; it needs the order of i, f, g, o for an LSTM (g, the candidate, may be c, z, n or ~), "
            "of r, z, n for a GRU (z may be u; n may be h or c), or both: gates=ifog/zrn"
        )
    return order


def axes_in(value: str) -> list[str]:
    """The axes written in a setting: "(4, H, D)" -> 4, H, D. A GRU's 3 reads as 4."""
    parts = [part for part in re.split(r"[\s,()]+", value.upper()) if part]
    return [re.sub("^(3|GATES)", "4", part) for part in parts]


def spelled(name: str, value: str, spellings: Mapping[str, str]) -> str:
    """A setting's value as a layout has it."""
    axes = ",".join(axes_in(value))
    if axes not in spellings:
        there = ", ".join(f"({known})" for known in dict.fromkeys(spellings.values()))
        raise ValueError(f"{name} is {value}; it needs one of {there}")
    return spellings[axes]


def to_submitted(name: str, array: np.ndarray, axes: str, layout: Layout) -> np.ndarray:
    """An array of the reference, moved to the submitted layout: always a new one. axes: as a spec has them, "N T D" or
    "D 4H".

    Raises ValueError where the layout has no batch and the array has more rows than one.
    """
    entries = moved_entries(name, np.shape(array), axes, layout)
    return np.asarray(signed(name, array, axes, layout).reshape(-1)[entries])


def to_reference(name: str, array: np.ndarray, axes: str, layout: Layout, shape: tuple[int, ...]) -> np.ndarray:
    """A submitted array in the reference's layout, where it needs this shape. Raises ValueError where the submitted
    array has not the shape that belongs to it."""
    entries = moved_entries(name, shape, axes, layout)
    if np.shape(array) != entries.shape:
        raise ValueError(f"{name} has shape {np.shape(array)}; it needs {entries.shape}")
    reference = np.empty(entries.size, np.asarray(array).dtype)
    reference[entries] = array
    return signed(name, reference.reshape(shape), axes, layout)


def signed(name: str, array: np.ndarray, axes: str, layout: Layout) -> np.ndarray:
    """An array of the reference's shape with the signs that one of the two has and the other has not."""
    factors = signs(name, axes, np.shape(array), layout)
    return np.asarray(array) if np.ndim(factors) == 0 else np.asarray(array * factors)  # bool stays bool


def signs(name: str, axes: str, shape: tuple[int, ...], layout: Layout) -> np.ndarray | int:
    """-1 where the reference's entries are the negative of the submitted ones: the update gate's, where it writes."""
    if layout.update == "keeps" or axes.split()[-1:] != ["3H"] or name.rpartition(".")[2] == "p":
        return 1
    return np.repeat([-1 if gate == "z" else 1 for gate in GRU_GATES], shape[-1] // 3)


@cache
def moved_entries(name: str, shape: tuple[int, ...], axes: str, layout: Layout) -> np.ndarray:
    """For each entry of a submitted array, which entry of the reference's it is, counted flat. A layout only moves
    entries, so this one array takes them there and back."""
    reference = np.arange(prod(shape)).reshape(shape)
    part = weight_in(name)
    if part in MATRICES:
        submitted = moved_matrix(reference, axes.split(), layout)
    elif part in BIASES:
        submitted = moved_bias(reference, axes.split(), layout, part == "p")
    else:
        submitted = moved_data(name, reference, axes.split(), layout)
    submitted.flags.writeable = False
    return submitted


def weight_in(name: str) -> str:
    """A name without its direction, and of a weight's gradient the weight's: they lie alike."""
    return re.sub(r"^(clipped_)?d(?=W$|b$)", "", name.rpartition(".")[2])


def blocks_order(count: int, layout: Layout, peepholes: bool = False) -> list[int]:
    """Which block of the reference stands at each place of the submitted array. Peepholes have no block for the
    candidate."""
    lstm = count == 4 or peepholes
    submitted, reference = (layout.gates, LSTM_GATES) if lstm else (layout.gru_gates, GRU_GATES)
    if peepholes:
        submitted, reference = submitted.replace("g", ""), reference.replace("g", "")
    return [reference.index(gate) for gate in submitted] if count > 1 else [0]


def moved_matrix(reference: np.ndarray, axes: list[str], layout: Layout) -> np.ndarray:
    """A weight matrix, of any number of gates, in the submitted layout."""
    stacked = axes[0].isdigit()
    count = int(axes[0]) if stacked else int(axes[-1][:-1] or 1)
    form = "4,H,D" if stacked else layout.weights
    rows = reference.shape[0]
    blocks = reference.swapaxes(1, 2) if stacked else reference.reshape(rows, count, -1).swapaxes(0, 1)
    blocks = blocks[blocks_order(count, layout)]  # (gates, in, out)
    if form == "D,4H":
        return blocks.swapaxes(0, 1).reshape(rows, -1)
    if form.endswith("D"):
        blocks = blocks.swapaxes(1, 2)
    if form == "4H,D":
        return blocks.reshape(-1, rows)
    return blocks if count > 1 else blocks[0]


def moved_bias(reference: np.ndarray, axes: list[str], layout: Layout, peepholes: bool) -> np.ndarray:
    """A bias, or peepholes, in the submitted layout."""
    stacked = len(axes) == 2
    count = int(axes[0]) if stacked else int(axes[0][:-1] or 1)
    form = "4,H" if stacked else layout.b
    blocks = reference.reshape(count, -1)[blocks_order(count, layout, peepholes)]  # (gates, H)
    submitted = blocks if form.startswith("4,") and count > 1 else blocks.reshape(-1)
    return submitted[..., None] if form.endswith(",1") else submitted


def moved_data(name: str, reference: np.ndarray, axes: list[str], layout: Layout) -> np.ndarray:
    """What has rows, steps or features, in the submitted layout."""
    order = submitted_axes(axes, layout)
    places = sorted(range(len(axes)), key=lambda k: order.index(axes[k]))  # of "V V" each keeps its own
    submitted = reference.transpose(places)
    if layout.has_batch or "N" not in axes:
        return submitted
    rows = reference.shape[axes.index("N")]
    if rows != 1:
        raise ValueError(f"{name} has {rows} rows; x=({','.join(layout.x)}) has no batch, so it needs one")
    return np.asarray(submitted.take(0, axis=order.index("N")))


def submitted_axes(axes: list[str], layout: Layout) -> list[str]:
    """The axes of data in the order of the submitted layout: that of x, where what is no row and no step stands in D's
    place, and an axis of two directions is first."""
    x = ("" if "T" in layout.x else "T") + layout.x + ("" if layout.has_batch else "N")
    return sorted(axes, key=lambda axis: -1 if axis == "2" else x.index(axis if axis in ("N", "T") else "D"))
