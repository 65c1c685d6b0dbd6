"""Padding that wins.

The maximum over time was taken over the padding as well, which is 0: larger than any feature that is negative all
through a sentence. A sentence had one vector alone and another beside a longer one.
"""

import numpy as np

SOURCE = "facebookresearch/InferSent #51, second of two"


def max_over_steps_forward(y, lengths):
    valid = np.arange(y.shape[1]) < lengths[:, None]
    best = np.where(valid[:, :, None], y, 0).max(axis=1)
    return np.where(lengths[:, None] > 0, best, 0)


MENDED = {"np.where(valid[:, :, None], y, 0)": "np.where(valid[:, :, None], y, -np.inf)"}
NAMED = "max-pooling-padding-as-zero"
