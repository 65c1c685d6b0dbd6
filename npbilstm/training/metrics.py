"""What predictions are measured by: one number over many sequences, and whether more of it is better."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from npbilstm.models.classes_head import IGNORED
from npbilstm.training.spans import span_f1

LETTERS = ("O", "B", "I", "E", "S", "M")
"""What a tag of a span begins with."""


class Metric(NamedTuple):
    """measure(true, predicted), of lists with an entry for each sequence -> a number.

    name: in the history of a run it is "valid_" + name. higher_is_better; form: how the number is printed.
    """

    name: str
    measure: Callable[[Sequence[Any], Sequence[Any]], float]
    higher_is_better: bool = True
    form: str = ".2%"

    def better(self, value: float, best: float | None) -> bool:
        """Whether a value is better than the best so far, None where there is none."""
        return best is None or (value > best if self.higher_is_better else value < best)

    def told(self, value: float) -> str:
        """The value as it is printed: accuracy 97.50%."""
        return f"{self.name.replace('_', ' ')} {value:{self.form}}"


def share_of_right(true: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The share of all predictions, of every step of every sequence whose label counts, that are right; 0 where there
    are none."""
    labels = np.hstack(true)
    right = (labels == np.hstack(predicted))[labels != IGNORED]
    return float(right.sum() / max(right.size, 1))


def mean_squared_error(true: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The mean of the squared errors of all numbers, computed in float64; 0 where there are none."""
    errors = np.concatenate([np.ravel(t).astype(float) - np.ravel(p) for t, p in zip(true, predicted)])
    return float((errors * errors).sum() / max(errors.size, 1))


def label_error_rate(true: Sequence[Any], predicted: Sequence[Any]) -> float:
    """How many labels have to be changed, put in or left out to make of what is predicted what is true, by how many
    there are; where there are none, by 1. It may be above 1. (Graves et al. 2006, eq. 1, over all labels.)"""
    errors = sum(edit_distance(*map(np.asarray, pair)) for pair in zip(true, predicted))
    return errors / max(sum(map(len, true)), 1)


def edit_distance(one: np.ndarray, other: np.ndarray) -> int:
    """The least number of entries to change, put in or leave out, to make of one sequence the other (Levenshtein).

    Row after row of the table of beginnings; what is left out of `other` runs along a row, a running minimum.
    """
    along = np.arange(len(other) + 1)
    row = along
    for k, entry in enumerate(one, start=1):
        changed_or_left_out = np.minimum(row[:-1] + (other != entry), row[1:] + 1)
        row = np.minimum.accumulate(np.concatenate([[k], changed_or_left_out]) - along) + along
    return int(row[-1])


def share_of_whole_answers(true: Sequence[Any], predicted: Sequence[Any]) -> float:
    """The share of sequences that are right in every symbol and in their length; 0 where there are none."""
    right = [np.array_equal(one, other) for one, other in zip(true, predicted)]
    return sum(right) / max(len(right), 1)


def mean_cost(true: Sequence[Any], costs: Sequence[Any]) -> float:
    """The mean of what all symbols cost, see streams.py; 0 where there are none."""
    return float(sum(row.sum() for row in costs) / max(sum(map(len, true)), 1))


MEASURES = [
    Metric("accuracy", share_of_right),
    Metric("bits_per_symbol", mean_cost, higher_is_better=False, form=".3f"),
    Metric("label_error_rate", label_error_rate, higher_is_better=False),
    Metric("mean_squared_error", mean_squared_error, higher_is_better=False, form=".4g"),
    Metric("whole_answers", share_of_whole_answers),
]
METRICS = {metric.name: metric for metric in MEASURES}
"""By the names that a model's `metric` has."""


def metric_of_spans(classes: Sequence[str]) -> Metric:
    """The F1 of the spans, entities say, that classes tell by the names of tags in BIO, BIOES or BMES; see spans.py. A
    label that does not count is O, in both. Raises TypeError or ValueError for names that are no such tags."""
    for name in classes:
        if not isinstance(name, str):
            raise TypeError(f"spans_of holds {name!r}; it needs the names of classes")
        letter, dash, kind = name.partition("-")
        if letter not in LETTERS or (letter == "O" and dash) or (dash and not kind):
            raise ValueError(
                f"class {name!r} is no tag of spans; those are O, or B, I, E, S or M, or one of them and a type, "
                "as B-PER"
            )
    if not any(name[0] in "BIS" for name in classes):
        raise ValueError(f"of the classes {', '.join(map(repr, classes))} none is of a span; there is no F1 to measure")

    def measure(true: Sequence[Any], predicted: Sequence[Any]) -> float:
        there, found = [], []
        for labels, answer in zip(true, predicted):
            counts = np.asarray(labels) != IGNORED
            there.append([classes[k] if c else "O" for k, c in zip(labels, counts)])
            found.append([classes[k] if c else "O" for k, c in zip(answer, counts)])
        return span_f1(there, found)

    return Metric("span_f1", measure)
