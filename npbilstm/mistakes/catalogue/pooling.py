"""What goes wrong where a sequence's steps are pooled into one vector."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

MAX_DY = "return np.where(cache.chosen, dpooled[:, None], 0)"
"""The line in which more than one thing goes wrong."""

BUGS = (
    Bug(
        "mean-pooling-divides-by-all-steps",
        "mean_over_steps_forward",
        "M = np.maximum(valid.sum(axis=1), 1).astype(y.real.dtype)",
        "M = np.full(valid.sum(axis=1).shape, float(y.shape[1]))",
        "M",
        "A row's mean is over its own steps, however far the batch is padded.",
        (
            "Pad the same row further. Does its mean change?",
            "The equation of M: it must not depend on T, the length of the longest row.",
            "M[n] = the number of valid steps of row n, not T.",
        ),
    ),
    Bug(
        "mean-pooling-divides-by-the-whole-batch",
        "mean_over_steps_forward",
        "M = np.maximum(valid.sum(axis=1), 1).astype(y.real.dtype)",
        "M = np.full(valid.sum(axis=1).shape, float(max(valid[:, :, :1].sum(), 1)))",
        "M",
        "A row's mean is over its own steps, whoever else is in the batch.",
        (
            "Pool a row alone, and then in a batch. Does its mean change?",
            "The equation of M: each row has a number of its own.",
            "M[n] = the number of valid steps of row n, not of all rows together.",
        ),
    ),
    Bug(
        "mean-pooling-lengths-of-other-rows",
        "mean_over_steps_forward",
        "M = np.maximum(valid.sum(axis=1), 1).astype(y.real.dtype)",
        "M = np.maximum(-np.sort(-valid.sum(axis=1), axis=0), 1).astype(y.real.dtype)",
        "M",
        "What is sorted for a while must be put back, all of it.",
        (
            "Put the rows of a batch in another order. Do their means change place, and nothing else?",
            "The equation of M: each row is divided by a number of its own.",
            "M[n] = the number of valid steps of row n: here the lengths stand sorted, the longest first.",
        ),
    ),
    Bug(
        "mean-pooling-padding-in-the-sum",
        "mean_over_steps_forward",
        "pooled = np.where(valid, y, 0).sum(axis=1) / M",
        "pooled = y.sum(axis=1) / M",
        "pooled",
        "What stands in the padding never matters.",
        (
            "Write other numbers into the padding. Does the mean change?",
            "The equation of pooled: the sum must leave the padding out, even where it is not 0.",
            "pooled[n] = 1/M[n] times the sum over valid t of y[n, t].",
        ),
    ),
    Bug(
        "mean-pooling-lengths-ignored",
        "mean_over_steps_forward",
        "valid = valid_entries(y, lengths)",
        "valid = valid_entries(y, None)",
        "pooled",
        "A row's mean is over its own steps, and what stands in the padding never matters.",
        (
            "Give one row fewer steps than the others. Does its mean take notice?",
            "The equations of M and pooled: both must depend on the lengths.",
            "pooled[n] = the sum over the lengths[n] valid steps, divided by lengths[n].",
        ),
    ),
    Bug(
        "mean-pooling-sum-for-mean",
        "mean_over_steps_forward",
        "M = np.maximum(valid.sum(axis=1), 1).astype(y.real.dtype)",
        "M = np.ones(valid.sum(axis=1).shape)",
        "M",
        "A mean of equal vectors is that vector, however many they are.",
        (
            "Pool a sequence whose steps are all equal. What should come out?",
            "The equation of M: the mean of a long row must be no larger than that of a short one.",
            "M[n] = the number of valid steps of row n.",
        ),
    ),
    Bug(
        "mean-pooling-gradient-not-shared",
        "mean_over_steps_backward",
        "share = dpooled / M",
        "share = dpooled",
        "dy",
        "A step's share of the mean is its share of the gradient.",
        (
            "If one step's output grows by 1, by how much does the mean grow?",
            "The equation of dy: the shares of a row's steps must add up to dpooled.",
            "dy[n, t] = dpooled[n] / M[n].",
        ),
    ),
    Bug(
        "mean-pooling-gradient-shared-by-all-steps",
        "mean_over_steps_backward",
        "share = dpooled / M",
        "share = dpooled / valid.shape[1]",
        "dy",
        "A step's share of the mean is its share of the gradient.",
        (
            "By how many steps is a short row's gradient shared?",
            "The equation of dy: the shares of a row's steps must add up to dpooled, in short rows too.",
            "dy[n, t] = dpooled[n] / M[n]: the number of valid steps, not T.",
        ),
    ),
    Bug(
        "mean-pooling-padding-gets-a-share",
        "mean_over_steps_backward",
        "return np.where(valid, share[:, None], 0)",
        "return np.repeat(share[:, None], valid.shape[1], axis=1)",
        "dy",
        "What had no part in the output gets no part of the gradient.",
        (
            "Who gets the gradient, and who took part in the mean?",
            "The equation of dy: at padded steps it must be 0.",
            "dy[n, t] = dpooled[n] / M[n] at valid steps, 0 in the padding.",
        ),
    ),
    Bug(
        "max-pooling-lengths-ignored",
        "max_over_steps_forward",
        "valid = valid_entries(y, lengths)",
        "valid = valid_entries(y, None)",
        "best",
        "What stands in the padding never matters.",
        (
            "Write a very large number into the padding. Does the maximum change?",
            "The equation of best: a padded step must never win, whatever stands there.",
            "best[n, k] = the first valid t at which y[n, t, k] is largest: minus infinity stands in for the padding.",
        ),
    ),
    Bug(
        "max-pooling-padding-as-zero",
        "max_over_steps_forward",
        "scores = np.where(valid, y.real, -np.inf)",
        "scores = np.where(valid, y.real, 0)",
        "best",
        "A number that stands in for the padding must not be able to win.",
        (
            "Pool a short row whose outputs are all negative. What comes out?",
            "The equation of best: a padded step must never win, not even against negative numbers.",
            "best[n, k] = the first valid t at which y[n, t, k] is largest: for the padding put minus infinity, not 0.",
        ),
    ),
    Bug(
        "max-pooling-largest-magnitude",
        "max_over_steps_forward",
        "scores = np.where(valid, y.real, -np.inf)",
        "scores = np.where(valid, abs(y.real), -np.inf)",
        "best",
        "The largest number is the one furthest to the right, not the one furthest from 0.",
        (
            "Pool numbers of both signs by hand, and compare.",
            "The equation of best: -3 is smaller than 1.",
            "best[n, k] = the first valid t at which y[n, t, k] is largest, its sign included.",
        ),
    ),
    Bug(
        "max-pooling-gradient-to-every-step",
        "max_over_steps_backward",
        MAX_DY,
        "return np.repeat(dpooled[:, None], cache.chosen.shape[1], axis=1)",
        "dy",
        "What had no part in the output gets no part of the gradient.",
        (
            "If a step that did not win grows a little, does the maximum change?",
            "The equation of dy: along time it must be 0 at all steps but one.",
            "dy[n, t, k] = dpooled[n, k] where t = best[n, k], 0 elsewhere.",
        ),
    ),
    Bug(
        "max-pooling-gradient-shared-out",
        "max_over_steps_backward",
        MAX_DY,
        "return np.repeat(dpooled[:, None] / cache.chosen.shape[1], cache.chosen.shape[1], axis=1)",
        "dy",
        "A maximum is not a mean: what had no part in the output gets no part of the gradient.",
        (
            "If a step that did not win grows a little, does the maximum change?",
            "The equation of dy: the winner takes all of the gradient, and nothing is left to share.",
            "dy[n, t, k] = dpooled[n, k] where t = best[n, k], 0 elsewhere.",
        ),
    ),
    Bug(
        "max-pooling-gradient-to-the-last-step",
        "max_over_steps_backward",
        MAX_DY,
        "return np.where(np.arange(cache.chosen.shape[1])[:, None] == cache.chosen.shape[1] - 1, dpooled[:, None], 0)",
        "dy",
        "What was chosen gets the gradient; who is chosen differs from row to row and from feature to feature.",
        (
            "Which step's output was it that came out as the maximum?",
            "The equation of dy: the step that gets the gradient is the one whose output was the largest.",
            "dy[n, t, k] = dpooled[n, k] where t = best[n, k], 0 elsewhere.",
        ),
    ),
)
