"""Real-valued series with something to predict: read, split, standardised.

Formats, each told of in its file: .csv (series_csv.py), .npz (series_npz.py), .ts of the UCR archive (series_ts.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.datasets.series_csv import read_csv
from npbilstm.datasets.series_file import SeriesFile
from npbilstm.datasets.series_npz import read_npz
from npbilstm.datasets.series_ts import read_ts
from npbilstm.files import naming

READERS: dict[str, Callable[[str | Path], SeriesFile]] = {".csv": read_csv, ".npz": read_npz, ".ts": read_ts}
"""By the suffix of a file's name."""


class Standardization(NamedTuple):
    """Each feature less its mean and over its standard deviation, both those of the training part's steps; a feature
    that never changes, but for rounding, is left at 0. How large its numbers are does not matter.

    >>> standardization = nb.datasets.Standardization.of([np.array([[1.0, 5.0], [3.0, 5.0]])])
    >>> standardization.apply(np.array([[4.0, 5.0]])).tolist()
    [[2.0, 0.0]]
    """

    mean: np.ndarray
    scale: np.ndarray

    @classmethod
    def of(cls, rows: Sequence[np.ndarray]) -> Standardization:
        """Of all steps of rows (T_n, D), or of vectors (D,). Raises ValueError where there is not one."""
        steps = np.concatenate([np.atleast_2d(row) for row in rows]) if rows else np.zeros((0, 1))
        if not len(steps):
            raise ValueError("rows holds no steps; there is nothing to standardise by")
        _, size = np.frexp(np.abs(steps).max(axis=0))  # by a power of 2, so that no square overflows or is lost
        steps_in_1 = np.ldexp(steps, -size)
        mean, scale = steps_in_1.mean(axis=0), steps_in_1.std(axis=0)
        constant = scale <= 1e-12
        return cls(np.where(constant, steps[0], np.ldexp(mean, size)), np.where(constant, 1.0, np.ldexp(scale, size)))

    def apply(self, row: np.ndarray) -> np.ndarray:
        """(T, D) or (D,) -> the same, standardised, in float64."""
        return np.asarray((row - self.mean) / self.scale)

    def undo(self, row: np.ndarray) -> np.ndarray:
        """apply's inverse."""
        return np.asarray(row * self.scale + self.mean)


class Series(NamedTuple):
    """x (T, D), standardised, float32; target: a class's number, T of them, or standardised values (K,) or (T, K)."""

    x: np.ndarray
    target: Any


@dataclass(frozen=True, repr=False)
class SeriesData:
    """A data set of series with its three parts.

    kind: of the targets, see series_file.py. classes: their names, None of values. features: their names. inputs,
    values: how x and, where there are no classes, the targets were standardised.

    >>> np.savez("rooms.npz", x=np.zeros((10, 4, 2)), **{"class": ["warm", "cold"] * 5})
    >>> data = nb.series("rooms.npz")
    >>> data.kind, data.per_step, data.classes, data.features
    ('class', False, ['cold', 'warm'], ['feature 0', 'feature 1'])
    """

    name: str
    kind: str
    classes: list[str] | None
    features: list[str]
    inputs: Standardization
    values: Standardization | None
    train: list[Series]
    valid: list[Series]
    test: list[Series]

    @property
    def per_step(self) -> bool:
        """Whether there is a target at each step."""
        return self.kind.endswith("_per_step")

    def __repr__(self) -> str:
        counts = " + ".join(f"{len(part):,}" for part in (self.train, self.valid, self.test))
        of = f"{len(self.classes)} classes" if self.classes is not None else "values"
        return f"<SeriesData {self.name!r}: {counts} series of {len(self.features)} features, {of}>"


def read_series(path: str | Path, max_bytes: int | None = None) -> SeriesFile:
    """A file of series, by its suffix. Raises OSError or ValueError as the readers do, and for another suffix."""
    suffix = Path(path).suffix.lower()
    if suffix not in READERS:
        raise ValueError(f"{path} is no file of series; its name needs to end in {', '.join(READERS)}")
    with naming(path):
        return read_npz(path, max_bytes) if suffix == ".npz" else READERS[suffix](path)


def series(
    train: str | Path,
    valid: str | Path | None = None,
    test: str | Path | None = None,
    *,
    seed: int = 0,
    max_bytes: int | None = None,
) -> SeriesData:
    """Series from files, standardised by the training part.

    train, valid, test: paths. Where valid or test is None, a tenth of the training series, drawn with seed, stands in.
    max_bytes: what a compressed .npz may unpack to.

    Raises OSError or ValueError as read_series does; ValueError where the files do not go together, another part has a
    class that the first file lacks or numbers too large beside its, or there are too few series to split.

    >>> np.savez("hills.npz", x=np.arange(60.0).reshape(20, 3, 1), value=np.ones((20, 1)))
    >>> data = nb.series("hills.npz")
    >>> data
    <SeriesData 'hills': 16 + 2 + 2 series of 1 features, values>
    >>> data.train[0].x.shape, data.train[0].target.shape
    ((3, 1), (1,))
    """
    whole = read_series(train, max_bytes)
    held_out: dict[str, SeriesFile] = {}
    order = np.random.default_rng(seed).permutation(len(whole.rows))
    tenth = max(len(order) // 10, 1)
    for part, path in [("valid", valid), ("test", test)]:
        if path is None:
            held_out[part] = chosen(whole, order[:tenth])
            order = order[tenth:]
        else:
            held_out[part] = read_series(path, max_bytes)
            require_alike(held_out[part], whole)
    if not len(order):
        raise ValueError(f"{train}: {len(whole.rows)} series are too few to hold some out; at least 3 are needed")
    kept = chosen(whole, np.sort(order))
    classes = None if whole.kind.startswith("value") else classes_of(whole)
    if not sum(map(len, kept.rows)):
        raise ValueError(f"{train}: the series to train on have no steps")
    inputs = Standardization.of(kept.rows)
    values = None if classes is not None else Standardization.of(kept.targets)
    parts = [prepared(part, classes, inputs, values) for part in (kept, held_out["valid"], held_out["test"])]
    return SeriesData(Path(train).stem, whole.kind, classes, whole.features, inputs, values, *parts)


def chosen(file: SeriesFile, which: np.ndarray) -> SeriesFile:
    """Some of a file's series."""
    return file._replace(rows=[file.rows[n] for n in which], targets=[file.targets[n] for n in which])


def require_alike(file: SeriesFile, first: SeriesFile) -> None:
    """Raise ValueError where a file has another kind of targets, or other features, than the first."""
    if file.kind != first.kind:
        raise ValueError(f"{file.path} has {file.kind}, and {first.path} has {first.kind}; they need the same target")
    if file.features != first.features:
        raise ValueError(
            f"{file.path} has {len(file.features)} features, {', '.join(file.features[:5])}; {first.path} has "
            f"{len(first.features)}, {', '.join(first.features[:5])}; they need the same, in the same order"
        )
    if file.kind.startswith("value") and np.shape(file.targets[0])[-1:] != np.shape(first.targets[0])[-1:]:
        raise ValueError(f"{file.path} has another number of values than {first.path}; they need as many")


def names_in(target: Any) -> list[str]:
    """The classes in a target: one, or one per step."""
    return [target] if isinstance(target, str) else target


def classes_of(file: SeriesFile) -> list[str]:
    """The file's classes in its own order; where it lists none, sorted, as numbers if all are whole numbers."""
    if file.classes is not None:
        return file.classes
    found = {name for target in file.targets for name in names_in(target)}
    whole = all(re.fullmatch(r"-?\d{1,18}", name) for name in found)
    return sorted(found, key=lambda name: (int(name) if whole else 0, name))


def prepared(
    file: SeriesFile, classes: list[str] | None, inputs: Standardization, values: Standardization | None
) -> list[Series]:
    """A part's series as they are trained on. Raises ValueError for a class that training lacks, and as in_single."""
    found = []
    number = {name: k for k, name in enumerate(classes or [])}
    for x, target in zip(file.rows, file.targets):
        if values is not None:
            made: Any = in_single(file.path, [f"value {k}" for k in range(len(values.mean))], target, values)
        else:
            for name in names_in(target):
                if name not in number:
                    raise ValueError(f"{file.path} has class {name!r}, which the training series lack")
            made = number[target] if isinstance(target, str) else np.array([number[name] for name in target], np.int64)
        found.append(Series(in_single(file.path, file.features, x, inputs), made))
    return found


def in_single(path: str, names: Sequence[str], row: np.ndarray, by: Standardization) -> np.ndarray:
    """A row (T, D) or (D,) standardised, in float32. Raises ValueError for a number that has no room in it, as beside
    the training part's it is too large."""
    with np.errstate(over="ignore"):
        single = by.apply(row).astype(np.float32)
    for place in np.argwhere(~np.isfinite(single))[:1]:
        k = place[-1]
        raise ValueError(
            f"{path}: {names[k]} is {row[tuple(place)]:g}, too far from the training series' mean {by.mean[k]:g} by "
            f"their standard deviation {by.scale[k]:g}; the difference in such units needs to be below 3.4e38"
        )
    return single
