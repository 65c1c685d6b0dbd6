"""Series in the .ts files of the UCR and UEA archive (timeseriesclassification.com).

    @univariate false
    @classLabel true up down
    @data
    1.0,2.0,3.0:0.5,0.4,0.1:up          a series a line: its dimensions, each over time, parted by ":", and its class

With `@targetLabel true` in place of @classLabel the last is a real number.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.datasets.series_file import SeriesFile, number_in
from npbilstm.datasets.text import WHITE, blank_separated, read_text


def read_ts(path: str | Path) -> SeriesFile:
    """Raises OSError where the file cannot be read; ValueError, naming it, the line and the place in it, where it is in
    another form, or a value is missing."""
    name = str(path)
    said, lines = header_and_lines(read_text(path), name)
    if said.get("timestamps", ["false"])[0].lower() == "true":
        raise ValueError(f"{name} gives a time with each value (@timeStamps true); series of even steps are read")
    label, value = (said.get(tag, ["false"]) for tag in ("classlabel", "targetlabel"))
    if (label[0].lower() == "true") == (value[0].lower() == "true"):
        raise ValueError(f"{name} needs either `@classLabel true`, with the classes, or `@targetLabel true`")
    classes = label[1:] if label[0].lower() == "true" else None
    if classes == []:
        raise ValueError(f"{name} has `@classLabel true` without the classes, which need to follow it")
    rows, targets = [], []
    D = None
    for line, text in lines:
        *dimensions, target = text.split(":")
        if not dimensions:
            raise ValueError(f"{name}, line {line} has no `:`, behind which the target stands")
        D = len(dimensions) if D is None else D
        if len(dimensions) != D:
            raise ValueError(f"{name}, line {line} has {len(dimensions)} dimensions; the series above have {D}")
        rows.append(series_in(dimensions, f"{name}, line {line}"))
        targets.append(target_in(target.strip(WHITE), classes, f"{name}, line {line}"))
    if D is None:
        raise ValueError(f"{name} holds no series below @data")
    told = said.get("dimensions", said.get("dimension"))
    if told and told[0] != str(D):
        raise ValueError(f"{name} says @dimensions {told[0]}, and its series have {D}")
    kind = "value" if classes is None else "class"
    return SeriesFile(name, kind, rows, targets, [f"dimension {d}" for d in range(D)], classes)


def header_and_lines(text: str, name: str) -> tuple[dict[str, list[str]], list[tuple[int, str]]]:
    """What stands behind each @tag, the tags in small letters; and the lines below @data with their numbers."""
    said: dict[str, list[str]] = {}
    lines: list[tuple[int, str]] = []
    for number, line in enumerate((each.strip(WHITE) for each in text.split("\n")), start=1):
        if not line or line.startswith(("#", "%")):
            continue
        if "data" in said:
            lines.append((number, line))
        elif line.startswith("@"):
            tag, *rest = blank_separated(line[1:]) or [""]
            said[tag.lower() if tag else ""] = rest or ["true"]
        else:
            raise ValueError(f"{name}, line {number}: {line[:30]!r} stands above @data and begins with no @")
    if "data" not in said:
        raise ValueError(f"{name} has no line @data, below which the series stand")
    return said, lines


def series_in(dimensions: list[str], place: str) -> np.ndarray:
    """x (T, D) of the texts of its dimensions."""
    if any("(" in each for each in dimensions):
        raise ValueError(f"{place} holds pairs of a time and a value; series of even steps are read")
    found = []
    for d, dimension in enumerate(dimensions):
        values = dimension.split(",")
        found.append([number_in(v, f"{place}, dimension {d}, step {t}") for t, v in enumerate(values)])
        if len(found[d]) != len(found[0]):
            raise ValueError(
                f"{place}: dimension {d} has {len(found[d])} steps, dimension 0 has {len(found[0])}; they need as many"
            )
    return np.array(found).T


def target_in(text: str, classes: list[str] | None, place: str) -> Any:
    """A class, or a value (1,)."""
    if classes is None:
        return np.array([number_in(text, f"{place}, the target")])
    if text not in classes:
        what = f"{text!r} is none of the classes of @classLabel" if text else "the class is missing"
        raise ValueError(f"{place}: {what}; it needs one of {', '.join(classes[:20])}")
    return text
