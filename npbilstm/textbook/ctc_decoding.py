"""What a network trained by CTC has read: the best path, and the beam search over prefixes. Notation as in ctc.py.

The best path takes each step's likeliest class, and reads the alignment that this makes. It is fast and mostly right,
but the likeliest alignment need not read as the likeliest labels: those may be likely by many alignments, none of
which is the best. The prefix beam search (Graves 2012, section 7.5; Hannun et al. 2014) adds up all alignments of a
prefix as it goes, and keeps the likeliest prefixes at each step.
"""

from __future__ import annotations

import numpy as np

from npbilstm.textbook.log_space import log_sum_exp
from npbilstm.textbook.sequences import as_array, check_lengths, valid_steps


def ctc_greedy(logits: np.ndarray, lengths: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """The best path: what each row's likeliest alignment reads as.

        path[t] = argmax_k logits[t, k]
        labels  = the path[t] that are no blank and differ from path[t-1]

    logits (N, T, V), lengths (N,) or None for all T -> labels (N, T), 0 behind each row's end; label_lengths (N,).
    (Graves et al. 2006, eq. 4.)

    >>> labels, label_lengths = nb.ctc_greedy(np.eye(3)[[[1, 1, 0, 1, 2, 0]]])
    >>> labels.tolist(), label_lengths.tolist()
    ([[1, 1, 2, 0, 0, 0]], [3])
    """
    N, T, _ = three_axes(logits)
    path = np.asarray(logits).real.argmax(axis=2) if T else np.zeros((N, 0), int)
    before = np.concatenate([np.zeros((N, 1), int), path[:, :-1]], axis=1)[:, :T]  # a row begins as behind a blank
    read = valid_steps(check_lengths(lengths, N, T), T) & (path != 0) & (path != before)
    return padded_labels([row[kept] for row, kept in zip(path, read)], T)


def ctc_beam(
    logits: np.ndarray, lengths: np.ndarray | None = None, width: int = 8
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Prefix beam search: the likeliest labels, by the sum over their alignments.

    Of each prefix two sums are kept, over the alignments that end in a blank and in the prefix's last label: a label
    that follows itself makes a new one only behind a blank. At each step a prefix

        stays, by a blank             blank' += (blank + label) y[t, 0]
        stays, by its last label      label' += label y[t, last]
        grows by a label k            label' of the longer += (blank + label) y[t, k]; if k = last, blank y[t, k]

    and the `width` prefixes with the largest blank' + label' go on. Wide enough to keep all of them it is exact.

    logits (N, T, V), lengths (N,) or None for all T, width at least 1 -> labels (N, T), 0 behind each row's end;
    label_lengths (N,); log_p (N,), what was added up for these labels: at most their log-probability.

    >>> logits = np.log([[[0.6, 0.4], [0.6, 0.4]]])  # the best path is two blanks, 0.36; the label has 0.64
    >>> [found[1].tolist() for found in (nb.ctc_greedy(logits), nb.ctc_beam(logits))]
    [[0], [1]]
    """
    N, T, V = three_axes(logits)
    if np.asarray(width).dtype.kind not in "iu" or np.ndim(width) > 0 or width < 1:
        raise ValueError(f"width is {width!r}; it needs to be a whole number, at least 1")
    width = int(width)
    lengths = check_lengths(lengths, N, T)
    found, log_p = [], np.zeros(N, np.asarray(logits).real.dtype)
    for n in range(N):
        z = np.asarray(logits)[n, : lengths[n]].real
        log_y = z - log_sum_exp(z, axis=1)[:, None]  # (T, V)
        beam: dict[tuple[int, ...], tuple[float, float]] = {(): (0.0, -np.inf)}  # of the empty prefix: blank 1, label 0
        for log_y_t in log_y:
            following: dict[tuple[int, ...], tuple[float, float]] = {}
            for prefix, (blank, label) in beam.items():
                both = np.logaddexp(blank, label)
                last = prefix[-1] if prefix else 0
                add_to_prefix(following, prefix, both + log_y_t[0], -np.inf)
                if prefix:
                    add_to_prefix(following, prefix, -np.inf, label + log_y_t[last])
                for k in range(1, V):
                    before = blank if k == last else both
                    add_to_prefix(following, (*prefix, k), -np.inf, before + log_y_t[k])
            likeliest = sorted(following, key=lambda prefix: -np.logaddexp(*following[prefix]))
            beam = {prefix: following[prefix] for prefix in likeliest[:width]}
        best = next(iter(beam))
        found.append(np.array(best, int))
        log_p[n] = np.logaddexp(*beam[best])
    return (*padded_labels(found, T), log_p)


def add_to_prefix(
    beam: dict[tuple[int, ...], tuple[float, float]], prefix: tuple[int, ...], blank: float, label: float
) -> None:
    """Add to a prefix's two sums."""
    old_blank, old_label = beam.get(prefix, (-np.inf, -np.inf))
    beam[prefix] = np.logaddexp(old_blank, blank), np.logaddexp(old_label, label)


def three_axes(logits: np.ndarray) -> tuple[int, int, int]:
    """The sizes N, T, V. Raises ValueError for other than three axes, and for no classes."""
    logits = as_array("logits", logits)
    if logits.ndim != 3 or logits.shape[2] == 0:
        raise ValueError(f"logits has shape {logits.shape}; it needs axes (N, T, V), with a class at least, the blank")
    N, T, V = logits.shape
    return N, T, V


def padded_labels(rows: list[np.ndarray], T: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of labels in one array (N, T), 0 behind each row's end, and how many each has (N,)."""
    labels, counts = np.zeros((len(rows), T), int), np.array([len(row) for row in rows], int)
    for n, row in enumerate(rows):
        labels[n, : counts[n]] = row
    return labels, counts
