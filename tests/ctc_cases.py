"""Random cases of CTC: logits and labels that fit into their rows, with repeats and empty rows among them."""

import numpy as np
from hypothesis import strategies as st

from npbilstm.textbook.ctc import ctc_steps_needed


def make_ctc_case(seed, N=3, T=5, V=4, U=3, scale=2.0):
    """logits (N, T, V), targets (N, U), lengths, target_lengths: each row's labels fit into its steps."""
    rng = np.random.default_rng(seed)
    logits = scale * rng.standard_normal((N, T, V))
    targets = rng.integers(1, V, (N, U)) if V > 1 else np.zeros((N, U), int)
    lengths, target_lengths = rng.integers(0, T + 1, N), rng.integers(0, U + 1, N) * (V > 1)
    for n in range(N):
        while ctc_steps_needed(targets[n, : target_lengths[n]]) > lengths[n]:
            target_lengths[n] -= 1
    return logits, targets, lengths, target_lengths


@st.composite
def ctc_cases(draw, most_steps=5, most_classes=4):
    """Any small shape; no rows, steps or labels at all included."""
    seed = draw(st.integers(0, 999))
    N, T = draw(st.integers(0, 4)), draw(st.integers(0, most_steps))
    V, U = draw(st.integers(1, most_classes)), draw(st.integers(0, 4))
    return make_ctc_case(seed, N, T, V, U)


def with_junk_in_padding(case):
    """The same case with NaN in the logits' padding and no label in the targets'."""
    logits, targets, lengths, target_lengths = case
    junk, wild = logits.copy(), targets.copy()
    junk[np.arange(logits.shape[1]) >= lengths[:, None]] = np.nan
    wild[np.arange(targets.shape[1]) >= target_lengths[:, None]] = -7
    return junk, wild, lengths, target_lengths
