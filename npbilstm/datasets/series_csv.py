"""Series in a .csv file: a line a step, the columns named by the first line.

    series,class,temperature,pressure
    monday,rain,12.5,1003
    monday,rain,12.1,1001
    tuesday,sun,17.0,1020

`series` names the series; its lines stand together, in the order of time. One column is the target, named by its kind:
`class` or `value`, the same on every line of a series, or `class_per_step` or `value_per_step`. Several values are
columns `value.NAME`, or `value_per_step.NAME`. Every other column is a feature.
"""

from __future__ import annotations

import csv
from io import StringIO
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from npbilstm.datasets.series_file import KINDS, SeriesFile, number_in, require_one_kind
from npbilstm.datasets.text import WHITE, read_text


def read_csv(path: str | Path) -> SeriesFile:
    """Raises OSError where the file cannot be read; ValueError, naming it, the line and the column, where it is in
    another form or a value is missing."""
    name = str(path)
    lines = numbered_lines(read_text(path), name)
    if not lines:
        raise ValueError(f"{name}: the file is empty; its first line needs to name the columns")
    header = [column.strip(WHITE) for column in lines[0][1]]
    twice = next((column for column in header if header.count(column) > 1), None)
    if twice is not None:
        raise ValueError(f"{name} has two columns named {twice!r}; each needs a name of its own")
    if "series" not in header:
        raise ValueError(f"{name} has no column `series`, which names the series that a line belongs to")
    kinds = {column: column.partition(".")[0] if column.partition(".")[0] in KINDS[2:] else column for column in header}
    kind = require_one_kind([*kinds.values()], name, "column")
    targets = [k for k, column in enumerate(header) if kinds[column] == kind]
    features = [k for k, column in enumerate(header) if column != "series" and k not in targets]
    if not features:
        raise ValueError(f"{name} has no column of a feature beside series and {kind}")
    for line, fields in lines[1:]:
        if len(fields) != len(header):
            raise ValueError(f"{name}, line {line}: {len(fields)} fields; the first line names {len(header)} columns")
    place = header.index("series")
    ended: dict[str, int] = {}
    found = SeriesFile(name, kind, [], [], [header[k] for k in features])
    for which, group in groupby(lines[1:], key=lambda each: each[1][place].strip(WHITE)):
        own = list(group)
        if not which:
            raise ValueError(f"{name}, line {own[0][0]}, column 'series' is empty; it needs the name of a series")
        if which in ended:
            raise ValueError(
                f"{name}, line {own[0][0]}: series {which!r} had its last step in line {ended[which]}; its lines need "
                "to stand together"
            )
        ended[which] = own[-1][0]
        found.rows.append(numbers(name, header, own, features))
        found.targets.append(target_of(name, header, own, targets, kind))
    if not found.rows:
        raise ValueError(f"{name} holds no series; below the names of the columns it needs a line for each step")
    return found


def numbered_lines(text: str, name: str) -> list[tuple[int, list[str]]]:
    """The lines that are not empty, each with its number and its fields."""
    reader = csv.reader(StringIO(text), strict=True)
    found = []
    try:
        for fields in reader:
            if any(field.strip(WHITE) for field in fields):
                found.append((reader.line_num, fields))
    except csv.Error as error:
        raise ValueError(f"{name}, line {reader.line_num}: {error}") from error
    return found


def numbers(name: str, header: list[str], lines: list[tuple[int, list[str]]], columns: list[int]) -> np.ndarray:
    """These columns of these lines, as numbers (T, columns)."""
    return np.array(
        [
            [number_in(fields[k], f"{name}, line {line}, column {header[k]!r}") for k in columns]
            for line, fields in lines
        ]
    )


def target_of(name: str, header: list[str], lines: list[tuple[int, list[str]]], columns: list[int], kind: str) -> Any:
    """A series' target, of its kind."""
    if kind.startswith("value"):
        values: Any = numbers(name, header, lines, columns)
    else:
        values = [fields[columns[0]].strip(WHITE) for _, fields in lines]
        for (line, _), value in zip(lines, values):
            if not value:
                raise ValueError(f"{name}, line {line}, column {kind!r}: the value is missing; it needs a class")
    if kind.endswith("_per_step"):
        return values
    for (line, _), value in zip(lines, values):
        if np.any(value != values[0]):
            raise ValueError(
                f"{name}, line {line}, column {header[columns[0]]!r} is not what it is in line {lines[0][0]}; a series "
                f"has one {kind}. For one per step name the column {kind}_per_step"
            )
    return values[0]
