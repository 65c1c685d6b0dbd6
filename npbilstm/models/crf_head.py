"""The head for classes that depend on their neighbours: a linear-chain conditional random field."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from npbilstm.models.classes_head import ClassesHead
from npbilstm.textbook.crf import CRFParams, crf_backward, crf_constrained, crf_forward, crf_viterbi


class CRFHead(ClassesHead):
    """One of `size` classes per step, and a score for each two that are neighbours, see textbook/crf.py.

    params: transitions (size, size), start and end (size,), 0 at first: then it is the head "classes".

    What is added up over the steps is in float64, whatever the scores are in: over a thousand steps logarithms grow to
    thousands, and their differences are what counts.
    """

    ignore_index = None  # the score of a row is of all its tags

    def __init__(
        self, size: int, per_step: bool, dtype: Any = np.float32, rng: np.random.Generator | None = None
    ) -> None:
        if not per_step:
            raise ValueError("head is 'crf', which needs scores at every step; SequenceTagger has them")
        super().__init__(size, per_step)
        self.params = {name: np.zeros(shape, dtype) for name, shape in self.param_shapes.items()}

    @property
    def param_shapes(self) -> Mapping[str, tuple[int, ...]]:
        """Those of textbook.CRFParams."""
        V = self.size
        return {"transitions": (V, V), "start": (V,), "end": (V,)}

    def loss_forward(
        self, scores: np.ndarray, targets: Any, lengths: np.ndarray | None = None
    ) -> tuple[np.floating, Any]:
        """Minus the log-probability of the targets, whole sequences, per valid step."""
        loss, cache = crf_forward(doubled(scores), targets, self._doubled_params(), lengths)
        return scores.dtype.type(loss), (cache, scores.dtype)

    def loss_backward(self, dloss: float, cache: Any) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """dscores, and the gradients of transitions, start and end."""
        of_forward, dtype = cache
        dscores, grads = crf_backward(dloss, of_forward)
        return dscores.astype(dtype), {name: g.astype(dtype) for name, g in grads._asdict().items()}

    def predict(
        self, scores: np.ndarray, lengths: np.ndarray | None = None, legal: CRFParams | None = None
    ) -> np.ndarray:
        """The best path, 0 in the padding (N, T). legal: of bool, as textbook.legal_transitions makes it: what may
        stand next to what; by default all may."""
        params = self._doubled_params()
        path, _ = crf_viterbi(doubled(scores), params if legal is None else crf_constrained(params, legal), lengths)
        return path

    def _doubled_params(self) -> CRFParams:
        """The params, in float64."""
        return CRFParams(**{name: doubled(p) for name, p in self.params.items()})


def doubled(numbers: np.ndarray) -> np.ndarray:
    """The numbers in float64, or complex128."""
    return numbers.astype(np.result_type(numbers, np.float64))
