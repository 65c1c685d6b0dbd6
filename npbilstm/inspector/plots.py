"""The inspector's pictures for slides and reports: each is drawn on an axes of matplotlib's and returned with it.

ax: where to draw; None for pyplot's own. All raise ValueError where matplotlib is missing, for a layer, direction,
row, step or unit that there is not, and where the trace lacks what is to be drawn. The colours are told apart by
colour-blind eyes too: gates from 0 to 1 in one run of colours, all else in two around 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.inspector.descriptions import QUANTITIES, gates_of
from npbilstm.inspector.flow import flow, require_alike
from npbilstm.inspector.indices import direction_of, layer_of, row_of, step_of, unit_of
from npbilstm.inspector.influence import influence
from npbilstm.inspector.sparkline import visible
from npbilstm.inspector.trace_data import TraceData

BLUE, ORANGE, GREY = "#0072b2", "#d55e00", "#5f6368"

LONGEST = 12
"""Characters of a token."""

MOST_LABELS = 64
"""Along an axis; of more tokens every second is named, or every third ..."""


def plot_map(
    trace: TraceData, name: str = "i", layer: int = 0, direction: str | None = None, row: int = 0, ax: Any = None
) -> Any:
    """One array of the trace, e.g. the input gate: units downwards, steps across."""
    ax = axes_or_own(ax)
    row, T = row_of(trace, row)
    s = direction_of(trace, direction)
    direction = trace.directions[s]
    require_array_name(trace, name)
    layer = layer_of(trace, layer)
    values = trace[name][layer, s, row, :T].T  # (H, T)
    image = ax.imshow(values, aspect="auto", interpolation="nearest", **colours(trace, name, values))
    ax.figure.colorbar(image, ax=ax, pad=0.02)
    ax.set_ylabel("unit")
    name_steps(ax, trace, row, direction)
    ax.set_title(f"{name} of layer {layer}, {direction} direction")
    return ax


def plot_unit(
    trace: TraceData, unit: int, layer: int = 0, direction: str | None = None, row: int = 0, ax: Any = None
) -> Any:
    """One unit's gates and states over the steps, a strip each: of an LSTM i, f, g, o, c, h. In a strip that is not a
    gate's the darkest colours are its own largest size, which stands beside it."""
    ax = axes_or_own(ax)
    row, T = row_of(trace, row)
    s = direction_of(trace, direction)
    direction = trace.directions[s]
    layer = layer_of(trace, layer)
    unit = unit_of(trace, unit)
    names = [name for name in QUANTITIES if name in trace.names]
    strips = [trace[name][layer, s, row, :T] for name in names]
    # with a projection h has fewer units
    drawn = [(name, strip[:, unit]) for name, strip in zip(names, strips) if unit < strip.shape[-1]]
    for k, (name, values) in enumerate(drawn):
        extent = (-0.5, T - 0.5, k + 0.45, k - 0.45)
        ax.imshow(values[None], aspect="auto", interpolation="nearest", extent=extent, **colours(trace, name, values))
        scale = "0 to 1" if name in gates_of(trace.layer) else f"\u00b1{largest(values):.2g}"
        ax.text(1.01, k, scale, transform=ax.get_yaxis_transform(), va="center", color=GREY, fontsize="small")
    ax.set_xlim(-0.5, T - 0.5)
    ax.set_ylim(len(drawn) - 0.5, -0.5)
    ax.set_yticks(range(len(drawn)), [name for name, _ in drawn])
    name_steps(ax, trace, row, direction)
    ax.set_title(f"unit {unit} of layer {layer}, {direction} direction")
    return ax


def plot_flow(
    trace: TraceData,
    step: int | None = None,
    layer: int = 0,
    row: int = 0,
    beside: TraceData | None = None,
    ax: Any = None,
) -> Any:
    """The size of the gradient at each step, see `flow`, and the mean over the units of what the forget gates let
    through, to the same step. beside: a trace of the same input by another model, dashed."""
    ax = axes_or_own(ax)
    row, _ = row_of(trace, row)
    step = None if step is None else step_of(trace, step, row)
    layer = layer_of(trace, layer)
    if beside is not None:
        require_alike(trace, beside, row)
    for one, style in ((trace, "-"), (beside, "--")):
        if one is None:
            continue
        found = flow(one, step, row)
        forget = None if found.forget is None else found.forget.mean(axis=-1)
        for s, (direction, colour) in enumerate(zip(one.directions, (BLUE, ORANGE))):
            curves: list[tuple[str, np.ndarray | None, dict[str, Any]]] = [
                ("|dL/dh|", found.dh, {"linewidth": 1.8}),
                ("|dL/dc|", found.dc, {"linewidth": 1.0, "marker": ".", "markersize": 4}),
                ("forget gates' product", forget, {"linewidth": 1.0, "alpha": 0.45}),
            ]
            for label, sizes, look in curves:
                if sizes is not None:
                    seen = np.where(sizes[layer, s] > 0, sizes[layer, s], np.nan)  # a logarithm of 0 there is not
                    ax.plot(seen, style, color=colour, label=f"{label}, {direction}" if one is trace else None, **look)
    if beside is not None:
        ax.plot([], [], "--", color=GREY, label="dashed: beside")
    ax.set_yscale("log")
    if step is not None:
        ax.axvline(step, color=GREY, linewidth=0.8, linestyle=":")
    ax.set_ylabel("size of the gradient, and product")
    name_steps(ax, trace, row, None)
    of = "" if step is None else f" at step {step} '{token_label(trace.tokens[row][step])}' alone"
    ax.set_title(f"Gradient of the loss{of}, layer {layer}")
    ax.legend(fontsize="x-small")
    return ax


def plot_influence(trace: TraceData, step: int | None = None, row: int = 0, ax: Any = None) -> Any:
    """How much each step's input moves the output: of every output a map; of one step's, or of a classifier's only
    one, bars. See `influence`."""
    ax = axes_or_own(ax)
    row, T = row_of(trace, row)
    found = influence(trace, step, row)
    if found.ndim == 2 and len(found) > 1:
        image = ax.imshow(found, aspect="auto", interpolation="nearest", cmap="cividis", vmin=0)
        ax.figure.colorbar(image, ax=ax, pad=0.02, label="|d output / d input|")
        ax.set_ylabel("output of step")
        ax.set_yticks(*thinned(trace.tokens[row], MOST_LABELS // 2), fontsize="small")
        ax.set_title("What each output depends on")
    else:
        bars = ax.bar(range(T), found.reshape(T), color=BLUE)
        of = "the output"
        if trace.output_is_by_step:
            step = 0 if step is None else step_of(trace, step, row)
            bars[step].set_color(ORANGE)
            of = f"the output at step {step} '{token_label(trace.tokens[row][step])}'"
        ax.set_ylabel("|d output / d input|")
        ax.set_title(f"What {of} depends on")
    name_steps(ax, trace, row, None)
    ax.set_xlabel("input at step")
    return ax


def axes_or_own(ax: Any) -> Any:
    """ax, or pyplot's own."""
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ValueError("plots need the package matplotlib: pip install 'npbilstm[plots]'") from error
    return pyplot.gca() if ax is None else ax


def colours(trace: TraceData, name: str, values: np.ndarray) -> dict[str, Any]:
    """imshow's options: a gate from 0 to 1; all else around 0."""
    if name in gates_of(trace.layer):
        return {"cmap": "cividis", "vmin": 0, "vmax": 1}
    return {"cmap": "PuOr_r", "vmin": -largest(values), "vmax": largest(values)}


def largest(values: np.ndarray) -> float:
    """The largest size among finite numbers, 1 where all are 0."""
    return float(np.abs(values[np.isfinite(values)]).max(initial=0)) or 1.0


def name_steps(ax: Any, trace: TraceData, row: int, direction: str | None) -> None:
    """The tokens along the axis of time, and which way they are read."""
    upright = all(len(token_label(token)) < 3 for token in trace.tokens[row])
    ticks, names = thinned(trace.tokens[row], MOST_LABELS if upright else MOST_LABELS // 2)
    ax.set_xticks(ticks, names, rotation=0 if upright else 60, ha="center" if upright else "right", fontsize="small")
    ways = {"forward": "read left to right \u2192", "reverse": "\u2190 read right to left", None: "step"}
    ax.set_xlabel(ways[direction])


def thinned(tokens: list[str], most: int) -> tuple[list[int], list[str]]:
    """Where labels stand, and what they say: not so many that they run into each other."""
    every = -(-len(tokens) // most)
    ticks = list(range(0, len(tokens), every))
    return ticks, [token_label(tokens[t]) for t in ticks]


def token_label(token: str) -> str:
    """A token as a label: in one line, blanks visible, not too long, and nothing in it that matplotlib reads as
    mathematics."""
    seen = visible(token)
    if len(seen) > LONGEST:
        seen = seen[: LONGEST - 1] + "\u2026"
    return seen.replace("$", r"\$")


def require_array_name(trace: TraceData, name: str) -> None:
    """Raise ValueError for an array that the trace has not."""
    if name not in trace.names:
        raise ValueError(f"name is {name!r}; the trace has {', '.join(trace.names)}")
