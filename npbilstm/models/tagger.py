"""The tagger: one label per step."""

from __future__ import annotations

import numpy as np

from npbilstm.models.sequence_model import ModelCache, SequenceModel


class SequenceTagger(SequenceModel):
    """One label per step: Embedding -> recurrent layers -> Linear at every step.

    ids (N, T), or x (N, T, input_size) -> logits (N, T, num_classes), or values (N, T, num_values); 0 in the padding.

    >>> model = nb.SequenceTagger(num_symbols=10, num_classes=3, hidden_size=8, rng=0)
    >>> ids, lengths = nb.pad([[1, 2, 3], [4, 5]])
    >>> logits, cache = model.forward(ids, lengths, training=True)
    >>> logits.shape, model.predict(ids, lengths).shape
    ((2, 3, 3), (2, 3))
    >>> _, grads = model.backward(logits, cache)
    >>> set(grads) == set(model.params)
    True
    >>> model = nb.SequenceTagger(input_size=4, num_values=2, rng=0)
    >>> model.predict(np.ones((1, 5, 4))).shape
    (1, 5, 2)
    """

    label_per_step = True

    def _pool_forward(self, y: np.ndarray, h_n: np.ndarray, valid: np.ndarray) -> tuple[np.ndarray, None]:
        """Every step's output."""
        return y, None

    def _pool_backward(self, dz: np.ndarray, cache: ModelCache) -> tuple[np.ndarray, None]:
        """All of it flows to y."""
        return dz, None
