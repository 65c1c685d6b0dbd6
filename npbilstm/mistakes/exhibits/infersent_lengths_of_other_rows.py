"""Put back, all but one.

The sentences were sorted by length for the LSTM, and their outputs put back in order afterwards; the lengths were
not. Each mean was divided by another sentence's length.
"""

import numpy as np

SOURCE = "facebookresearch/InferSent #51, first of two"


def mean_over_steps_forward(y, lengths):
    valid = np.arange(y.shape[1]) < lengths[:, None]
    count = np.sort(lengths)[::-1, None]
    return np.where(valid[:, :, None], y, 0).sum(axis=1) / np.maximum(count, 1)


MENDED = {"np.sort(lengths)[::-1, None]": "lengths[:, None]"}
NAMED = "mean-pooling-lengths-of-other-rows"
