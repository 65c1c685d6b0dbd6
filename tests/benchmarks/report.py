"""The results as JSON, as tables, and as a chart."""

from __future__ import annotations

import importlib.metadata
import itertools
import os
import platform
from pathlib import Path
from typing import Any

from npbilstm.files import write_atomically
from tests.benchmarks.race import FLOOR, geometric_mean, key_of
from tests.benchmarks.settings import AS_IT_COMES, THREADS
from tests.benchmarks.shapes import BY_NAME, CELLS, MODES, SHAPES

TITLES = {
    "pytorch": "PyTorch at its best",
    "pytorch-as-it-comes": "PyTorch as it comes",
    "jax": "JAX, jit",
    "keras-torch": "Keras on PyTorch",
    "keras-jax": "Keras on JAX, jit",
    "floor": "the floor",
    "loop": "the plain loop",
}
PEERS = list(TITLES)[:5]
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
        "C library": " ".join(platform.libc_ver()).strip(),
        **found,
    }


def tables(results: dict[str, Any]) -> str:
    """All results in Markdown."""
    about = results["machine"]
    packages = ", ".join(f"{name} {about[name]}" for name in PACKAGES if name in about)
    parts = [
        f"Measured on {results['date']}: {about['processor']}, {about['threads']} threads, {about['SIMD']}, "
        f"{about['C library']}, Python {about['Python']}, {packages}; turns: {results['turns']}."
    ]
    parts += [summary_table(results), settings_table(results["qualifying"], results["best"])]
    for cell, threads, mode in itertools.product(CELLS, THREADS, MODES):
        parts.append(race_table(rows_in(results, cell, threads, mode), cell, threads, mode))
    parts.append(measures_tables(results["measures"]))
    parts += [f"Not measured: {name}. {why}" for name, why in results.get("failed", {}).items()]
    return "\n\n".join(part for part in parts if part) + "\n"


def rows_in(results: dict[str, Any], cell: str, threads: str, mode: str) -> list[dict[str, Any]]:
    """The rows of the race that one of its tables shows."""
    return [
        row
        for row in results["race"]
        if (BY_NAME[row["shape"]].cell, row["threads"], row["mode"]) == (cell, threads, mode)
    ]


def ratios(results: dict[str, Any], contestant: str, cell: str, threads: str, mode: str) -> list[float]:
    """This engine's time over the contestant's, for each shape."""
    return [row["ratio"] for row in rows_in(results, cell, threads, mode) if row["contestant"] == contestant]


def summary_table(results: dict[str, Any]) -> str:
    """One line per peer and cell: mean ratio and range, of training and inference, on one thread and several."""
    columns = list(itertools.product(THREADS, MODES))
    lines = []
    for cell, other in itertools.product(CELLS, [*PEERS, "floor"]):
        found = [ratios(results, other, cell, threads, mode) for threads, mode in columns]
        if any(found):
            cells = [
                f"**{geometric_mean(some):.2f}** ({min(some):.2f}–{max(some):.2f})" if some else "" for some in found
            ]
            lines.append([f"{cell}, {TITLES[other]}", *cells])
    return table(
        "**Summary**: this engine's time over the peer's, or over its floor, the products and the tanh passes alone. "
        "Above 1, this engine is slower. Geometric mean over the shapes; in brackets the least and the largest. Peers "
        "are at their best where nothing else is said",
        ["", *(f"{mode}, {threads}" for threads, mode in columns)],
        lines,
    )


def settings_table(rows: list[dict[str, Any]], best: dict[str, dict[str, Any]]) -> str:
    """What each setting gains an engine, and which one is raced."""
    lines = []
    for engine, cell in dict.fromkeys((row["engine"], BY_NAME[row["shape"]].cell) for row in rows):
        its = [row for row in rows if (row["engine"], BY_NAME[row["shape"]].cell) == (engine, cell)]
        title = TITLES.get(engine, engine).replace(" at its best", "") + ("" if cell == "LSTM" else f", {cell}")
        raced = best[key_of(engine, cell)]["name"] if key_of(engine, cell) in best else AS_IT_COMES.name
        lines.append([f"{title}: {AS_IT_COMES.name}", "1", "1", "raced" if raced == AS_IT_COMES.name else ""])
        for name in dict.fromkeys(row["contestant"] for row in its):
            shares = [
                geometric_mean([1 / row["ratio"] for row in its if (row["contestant"], row["mode"]) == (name, mode)])
                for mode in MODES
            ]
            lines.append([f"{title}: {name}", *(f"{share:.2f}" for share in shares), "raced" if raced == name else ""])
    return table(
        "**Settings**: an engine's time as a share of its time as it comes, LSTM where nothing else is said, default "
        "threads, geometric means",
        ["", *MODES, ""],
        lines,
    )


def race_table(rows: list[dict[str, Any]], cell: str, threads: str, mode: str) -> str:
    """One line per shape: this engine's milliseconds, then for each other its milliseconds and the ratio."""
    names = [name for name in TITLES if any(row["contestant"] == name for row in rows)]
    if not names:
        return ""
    cells = {(row["shape"], row["contestant"]): row for row in rows}

    def entry(shape: str, name: str) -> str:
        if (shape, name) not in cells:
            return ""
        parts = FLOOR if name == "floor" else [name]
        times = " + ".join(f"{cells[shape, part]['ms']:.3g}" for part in parts)
        return f"{times} ({cells[shape, name]['ratio']:.2f})"

    lines = []
    for shape in [shape.name for shape in SHAPES]:
        found = [cells[shape, name] for name in names if (shape, name) in cells]
        if found:
            ours = sorted(row["npbilstm ms"] for row in found)[len(found) // 2]
            lines.append([shape, f"{ours:.3g}", *(entry(shape, name) for name in names)])
    ratios = [[row["ratio"] for row in rows if row["contestant"] == name] for name in names]
    lines.append(["geometric mean of the ratios", "", *(f"**{geometric_mean(some):.2f}**" for some in ratios)])
    lines.append(["largest ratio", "", *(f"{max(some):.2f}" for some in ratios)])
    of_floor = "; of the floor, those of the products and of the tanh passes" if "floor" in names else ""
    return table(
        f"**{cell}, {mode}, {threads}**: milliseconds{of_floor}; in brackets the ratio of this engine's time to them",
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
                "**Gradient checkpointing** (`store_every`), a training step of (2000, 16, 32, 64), one thread",
                ["store_every", "milliseconds", "megabytes"],
                [
                    [str(row["store_every"] or "all"), f"{1e3 * row['seconds']:.0f}", f"{row['megabytes']:.1f}"]
                    for row in measures["stored states"]
                ],
            )
        )
    if "memory" in measures:
        found = measures["memory"]
        parts.append(
            table(
                "**Memory** at (100, 32, 64, 64)",
                ["", ""],
                [
                    [
                        "floats a unit, direction and step that training takes beyond y and dx",
                        f"{found['training, floats']:.1f}",
                    ],
                    [
                        "what an inference takes beyond y, of twice as many steps over that of as many",
                        f"{found['inference, growth']:.2f}",
                    ],
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

    rows = [
        (cell, peer, threads)
        for cell, peer, threads in itertools.product(CELLS, [*PEERS, "floor"], reversed(THREADS))
        if all(ratios(results, peer, cell, threads, mode) for mode in MODES)
    ]
    figure, both = plt.subplots(
        1, 2, figsize=(10, 0.42 * len(rows) + 1.7), layout="constrained", sharex=True, sharey=True
    )
    for mode, colour, axes in zip(MODES, ["#0072B2", "#D55E00"], both):
        for y, (cell, peer, threads) in enumerate(rows):
            found = ratios(results, peer, cell, threads, mode)
            axes.plot(found, [y] * len(found), "o", color=colour, alpha=0.5, markersize=6)
            axes.plot([geometric_mean(found)], [y], "|", color=colour, markersize=20, markeredgewidth=3)
        axes.axvline(1, color="0.4", linewidth=1)
        axes.set_title(mode, fontsize=10, loc="left", color=colour)
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    both[0].set_xscale("log")
    ticks = [0.05, 0.1, 0.2, 0.5, 1, 2, 5]
    both[0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    both[0].minorticks_off()
    both[0].set_yticks(range(len(rows)), [f"{cell}, {TITLES[peer]}, {threads}" for cell, peer, threads in rows])
    both[0].invert_yaxis()
    figure.supxlabel(
        "time of npbilstm / time of the other; left of 1, npbilstm is faster\none dot per shape, a bar the mean",
        fontsize=10,
    )
    about = results["machine"]
    figure.suptitle(f"{about['processor']}, {about['threads']} threads, {results['date']}", fontsize=9)
    write_atomically(path, lambda file: figure.savefig(file, dpi=130, format="png"))
    plt.close(figure)
