"""What is drawn for CTC: labels that fit into their rows, and logits whose best path has runs and blanks."""

from __future__ import annotations

import numpy as np

from npbilstm.submission.function_spec import Arrays
from npbilstm.textbook.ctc import ctc_steps_needed


def draw_targets(inputs: Arrays, V: int, rng: np.random.Generator) -> None:
    """Put targets (N, U) and target_lengths (N,) for inputs with lengths into them.

    No two neighbours are equal, but in the first of several rows the first two; from the second row on the third label
    is the first again. Of ragged rows the longest has a label less, and with an empty row none at all. In the padding
    stands the last label.
    """
    lengths, (N, U) = inputs["lengths"], inputs["targets"].shape
    targets = np.empty((N, U), int)
    for n in range(N):
        for u in range(U):
            before = targets[n, u - 1] if u else 0
            targets[n, u] = rng.choice([label for label in range(1, V - 1) if label != before])
        if N > 1 and n == 0 and U > 1:
            targets[0, 1] = targets[0, 0]
        elif U > 2:
            targets[n, 2] = targets[n, 0]
    counts = np.full(N, U)
    if (lengths != lengths[0]).any():
        counts[np.argmax(lengths)] = 0 if (lengths == 0).any() else U - 1
    for n in range(N):
        while ctc_steps_needed(targets[n, : counts[n]]) > lengths[n]:
            counts[n] -= 1
    inputs["targets"] = np.where(np.arange(U) < counts[:, None], targets, V - 1)
    inputs["target_lengths"] = counts


def with_runs(logits: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Logits (N, T, V) whose likeliest class is most often one of three, the blank among them: in the first of several
    rows the label 1 and the blank, in turn."""
    path = rng.integers(0, 3, logits.shape[:2])
    if len(path) > 1:
        path[0] = np.arange(path.shape[1]) % 2 == 0
    onehot: np.ndarray = np.arange(logits.shape[2]) == path[..., None]
    return np.asarray(logits + 2.0 * onehot)
