"""Divided by everybody.

The sum over a sentence's words was divided by the number of words in the whole batch. The vectors were made length 1
afterwards, where a factor does not show; without that, a sentence's vector depended on who came with it.
"""

import numpy as np

SOURCE = "StarlightSearch/EmbedAnything #210, SeanLee97/AnglE #102"


def mean_over_steps_forward(y, lengths):
    valid = np.arange(y.shape[1]) < lengths[:, None]
    count = valid.sum()
    return np.where(valid[:, :, None], y, 0).sum(axis=1) / np.maximum(count, 1)


MENDED = {"count = valid.sum()": "count = valid.sum(axis=1, keepdims=True)"}
NAMED = "mean-pooling-divides-by-the-whole-batch"
