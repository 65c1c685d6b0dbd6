"""The results as JSON, as tables, and as a chart."""

from __future__ import annotations

import importlib.metadata
import itertools
import os
import platform
from pathlib import Path
from typing import Any

from npbilstm.files import write_atomically
from tests.benchmarks.race import MODES, SHAPES, THREADS, geometric_mean

TITLES = {
    "pytorch": "PyTorch",
    "jax": "JAX, jit",
    "jax-before": "JAX, jit, xW before the scan",
    "keras-torch": "Keras on PyTorch",
    "keras-jax": "Keras on JAX, jit",
    "products": "the products alone",
    "loop": "the plain loop",
}
PACKAGES = ["numpy", "torch", "jax", "keras"]


def machine() -> dict[str, Any]:
    """The machine and the versions, as far as they can be told."""
    import numpy as np

    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    simd = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    found = {}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "threads": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "SIMD": simd[-1] if simd else "",
        "Python": platform.python_version(),
        "system": platform.system(),
        **found,
    }


def tables(results: dict[str, Any]) -> str:
    """All results in Markdown."""
    about = results["machine"]
    packages = ", ".join(f"{name} {about[name]}" for name in PACKAGES if name in about)
    parts = [
        f"Measured on {results['date']}: {about['processor']}, {about['threads']} threads, {about['SIMD']}, "
        f"Python {about['Python']}, {packages}; {results['turns']} turns."
    ]
    cells = {shape.name: shape.cell for shape in SHAPES}
    for cell, threads, mode in itertools.product(dict.fromkeys(cells.values()), THREADS, MODES):
        rows = [
            row
            for row in results["race"]
            if (cells[row["shape"]], row["threads"], row["mode"]) == (cell, threads, mode)
        ]
        parts.append(race_table(rows, cell, threads, mode))
    parts.append(measures_tables(results["measures"]))
    parts += [f"Not measured: {name}. {why}" for name, why in results.get("failed", {}).items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def race_table(rows: list[dict[str, Any]], cell: str, threads: str, mode: str) -> str:
    """One line a shape: this engine's milliseconds, then for each other its milliseconds and the ratio."""
    names = [name for name in TITLES if any(row["contestant"] == name for row in rows)]
    if not names:
        return ""
    cells = {(row["shape"], row["contestant"]): row for row in rows}
    lines = []
    for shape in [shape.name for shape in SHAPES]:
        found = [cells[shape, name] for name in names if (shape, name) in cells]
        if found:
            ours = sorted(row["npbilstm ms"] for row in found)[len(found) // 2]
            theirs = [
                f"{cells[shape, name]['ms']:.3g} ({cells[shape, name]['ratio']:.2f})" if (shape, name) in cells else ""
                for name in names
            ]
            lines.append([shape, f"{ours:.3g}", *theirs])
    ratios = [[row["ratio"] for row in rows if row["contestant"] == name] for name in names]
    lines.append(["geometric mean of the ratios", "", *(f"**{geometric_mean(some):.2f}**" for some in ratios)])
    lines.append(["largest ratio", "", *(f"{max(some):.2f}" for some in ratios)])
    return table(
        f"**{cell}, {mode}, {threads}**: milliseconds, and in brackets the ratio of this engine's time to it",
        ["T, N, D, H", "npbilstm", *(TITLES[name] for name in names)],
        lines,
    )


def table(title: str, header: list[str], rows: list[list[str]]) -> str:
    """A title and a table whose first column names what the others count."""

    def line(cells: list[str]) -> str:
        return "|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|"

    rule = "|---|" + "---:|" * (len(header) - 1)
    return "\n".join([title, "", line(header), rule, *map(line, rows)])


def measures_tables(measures: dict[str, Any]) -> str:
    parts = []
    if "growth" in measures:
        whats = list(next(iter(measures["growth"].values())))
        parts.append(
            table(
                "**Growth**: the exponent k in size^k, one thread, around (200, 32, 64, 64), for N and H at T = 50",
                ["", *whats],
                [[letter, *(f"{row[what]:.2f}" for what in whats)] for letter, row in measures["growth"].items()],
            )
        )
    if "ragged" in measures:
        parts.append(
            table(
                "**Ragged rows** against equal ones of the same padded shape, training, one thread",
                ["T, N, D, H", "time ratio"],
                [[shape, f"{ratio:.2f}"] for shape, ratio in measures["ragged"].items()],
            )
        )
    if "stored states" in measures:
        parts.append(
            table(
                "**States at intervals** (`store_every`), a training step of (2000, 16, 32, 64), one thread",
                ["store_every", "milliseconds", "megabytes"],
                [
                    [str(row["store_every"] or "all"), f"{1e3 * row['seconds']:.0f}", f"{row['megabytes']:.1f}"]
                    for row in measures["stored states"]
                ],
            )
        )
    if "imports" in measures:
        rows = [[name, f"{1e3 * seconds:.0f}"] for name, seconds in measures["imports"].items()]
        parts.append(table("**Imports**", ["", "milliseconds"], rows))
    checks = [("by complex step", "gradient check"), ("`torch.autograd.gradcheck`, slow mode", "torch gradient check")]
    if any(key in measures for _, key in checks):
        parts.append(
            table(
                "**A whole gradient check** of the two-layer model at T=5, N=3, one thread",
                ["", "entries", "seconds"],
                [
                    [title, f"{measures[key]['entries']:,}", f"{measures[key]['seconds']:.1f}"]
                    for title, key in checks
                    if key in measures
                ],
            )
        )
    return "\n\n".join(parts)


def chart(results: dict[str, Any], path: Path) -> None:
    """A dot for each shape: this engine's time over each peer's, on a logarithmic axis; a bar at the geometric mean."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    raced = [row for row in results["race"] if row["threads"] == "default threads"]
    cells = {shape.name: shape.cell for shape in SHAPES}
    found = {(cells[row["shape"]], row["contestant"]) for row in raced}
    peers = ("pytorch", "jax", "jax-before", "keras-torch", "keras-jax")
    rows = [
        (cell, peer, mode)
        for cell in dict.fromkeys(cells.values())
        for peer in peers
        for mode in MODES
        if (cell, peer) in found
    ]
    figure, axes = plt.subplots(figsize=(8, 0.42 * len(rows) + 1.5), layout="constrained")
    colours = {"training": "#0072B2", "inference": "#D55E00"}
    for y, wanted in enumerate(reversed(rows)):
        mode = wanted[2]
        ratios = [row["ratio"] for row in raced if (cells[row["shape"]], row["contestant"], row["mode"]) == wanted]
        axes.plot(ratios, [y] * len(ratios), "o", color=colours[mode], alpha=0.55, markersize=6)
        axes.plot([geometric_mean(ratios)], [y], "|", color=colours[mode], markersize=22, markeredgewidth=3)
    axes.axvline(1, color="0.4", linewidth=1)
    axes.set_xscale("log")
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.minorticks_off()
    axes.set_yticks(range(len(rows)), [f"{cell}, {TITLES[peer]}, {mode}" for cell, peer, mode in reversed(rows)])
    axes.set_xlabel(
        "time of npbilstm / time of the other; left of 1, npbilstm is faster\na dot a shape, a bar the mean"
    )
    about = results["machine"]
    axes.set_title(
        f"{about['processor']}, {about['threads']} threads, default settings, {results['date']}", fontsize=9, loc="left"
    )
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    write_atomically(path, lambda file: figure.savefig(file, dpi=130, format="png"))
    plt.close(figure)
