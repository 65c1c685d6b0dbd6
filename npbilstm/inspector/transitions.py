"""What a CRF has learned of neighbours: a score for each tag right after each other, for the first and for the last."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from npbilstm.models import SequenceModel
from npbilstm.models.crf_head import CRFHead
from npbilstm.printable import printable

START, END = "start", "end"
"""What stands before the first tag, and after the last."""
HIGHEST, LOWEST = 4, 2
"""So many of a line are written where there are more."""


def transitions_text(params: Mapping[str, np.ndarray], tags: Sequence[str]) -> str:
    """A line per tag, and one for the beginning: what goes right after it, from the highest score to the lowest.

    params: transitions (V, V), start (V,), end (V,), as model.head.params has them. tags: V names. Of more than six the
    four highest and the two lowest are written. Raises ValueError where these do not go together.

    >>> params = {"transitions": np.array([[0.5, 2], [1, -3]]), "start": np.array([1, -2]), "end": np.zeros(2)}
    >>> print(nb.inspector.transitions_text(params, ["B", "I"]))
    after start: B 1.00, I -2.00
    after B:     I 2.00, B 0.50, end 0.00
    after I:     B 1.00, end 0.00, I -3.00
    """
    names = [printable(tag) for tag in tags]
    if np.shape(params["transitions"]) != (len(names), len(names)):
        needed = f"{np.shape(params['transitions'])}; that needs as many tags, and there are {len(names)}"
        raise ValueError(f"transitions is {needed}")
    lines: list[tuple[str, str]] = []
    for before, scores in zip([START, *names], table(params)):
        named = [(score, name) for score, name in zip(scores, [*names, END])][: None if lines else -1]
        named.sort(key=lambda one: -np.nan_to_num(one[0], nan=-np.inf))  # in their order where they are equal
        words = [f"{name} {score:.2f}" for score, name in named]
        if len(words) > HIGHEST + LOWEST:
            words = [*words[:HIGHEST], "…", *words[-LOWEST:]]
        lines.append((f"after {before}:", ", ".join(words)))
    width = max(len(head) for head, _ in lines)
    return "\n".join(f"{head:{width}} {words}" for head, words in lines)


def table(params: Mapping[str, np.ndarray]) -> np.ndarray:
    """(V+1, V+1): a row per thing that stands before, the beginning and the tags; a column per thing that comes right
    after, the tags and the end. NaN for the end after the beginning."""
    first = np.append(params["start"], np.nan)
    rest = np.concatenate([params["transitions"], params["end"][:, None]], axis=1)
    return np.concatenate([first[None], rest])


def transitions_of(model: SequenceModel | None) -> np.ndarray | None:
    """The table of a model with a CRF, None of any other."""
    return table(model.head.params) if model is not None and isinstance(model.head, CRFHead) else None
