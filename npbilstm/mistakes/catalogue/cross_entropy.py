"""What goes wrong in the softmax cross-entropy over valid steps."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

FORWARD, BACKWARD = "softmax_cross_entropy_forward", "softmax_cross_entropy_backward"
COUNTED = "valid, M = counted(targets.shape, lengths)"
DLOGITS = "return np.where(valid[..., None], (p - onehot) * (dloss / M), 0)"
"""The lines in which more than one thing goes wrong."""

BUGS = (
    Bug(
        "cross-entropy-mean-counts-padding",
        FORWARD,
        COUNTED,
        "valid, M = counted(targets.shape, lengths)[0], targets.size",
        "loss",
        "The loss is a mean, and the padding has no part in its scale.",
        (
            "Pad the same batch further. Does its loss change?",
            "The equation of loss, the factor before the sum: it must not depend on how far the rows are padded.",
            "loss = -1/M times the sum, with M the number of valid steps, not N * T.",
        ),
    ),
    Bug(
        "cross-entropy-padding-in-the-sum",
        FORWARD,
        COUNTED,
        "valid, M = np.ones(targets.shape, bool), counted(targets.shape, lengths)[1]",
        "loss",
        "The padding takes no part in the loss, whatever stands there.",
        (
            "Write other numbers into the padding. Does the loss change?",
            "The equation of loss: the sum must leave out the padded steps.",
            "loss = -1/M times the sum over the valid (n, t) of log p[n, t, targets[n, t]].",
        ),
    ),
    Bug(
        "cross-entropy-lengths-ignored",
        FORWARD,
        COUNTED,
        "valid, M = counted(targets.shape, None)",
        "loss",
        "The padding takes no part in the loss, neither in its sum nor in its scale.",
        (
            "Give one row fewer steps than the others. Does the loss take notice?",
            "The equation of loss: both its sum and the factor before it must depend on the lengths.",
            "loss = -1/M times the sum over the M valid (n, t).",
        ),
    ),
    Bug(
        "cross-entropy-sum-for-mean",
        FORWARD,
        COUNTED,
        "valid, M = counted(targets.shape, lengths)[0], 1",
        "loss",
        "A mean does not grow with the number of steps.",
        (
            "Repeat every row of the batch. Should the loss double?",
            "The equation of loss, the factor before the sum: it makes a mean of it.",
            "loss = -1/M times the sum, with M the number of valid steps.",
        ),
    ),
    Bug(
        "cross-entropy-mean-over-rows",
        FORWARD,
        COUNTED,
        "valid, M = counted(targets.shape, lengths)[0], len(targets)",
        "loss",
        "A mean is over all the things that were summed, and these are steps.",
        (
            "What is summed here, and by the number of what is it divided?",
            "The equation of loss, the factor before the sum: longer rows must not make a larger loss.",
            "loss = -1/M times the sum, with M the number of valid steps, not of rows.",
        ),
    ),
    Bug(
        "cross-entropy-softmax-over-time",
        FORWARD,
        "log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))",
        "log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))",
        "p",
        "At each step the classes share a probability of 1 among them.",
        (
            "Which of the probabilities should add up to 1?",
            "The equation of p: the sum below the fraction runs over the classes, at one step of one row.",
            "p[n, t, v] = exp(logits[n, t, v]) / sum over u of exp(logits[n, t, u]): the last axis.",
        ),
    ),
    Bug(
        "cross-entropy-loss-sign",
        FORWARD,
        "loss = -np.where(valid, log_p_target, 0).sum() / M",
        "loss = np.where(valid, log_p_target, 0).sum() / M",
        "loss",
        "A loss is small where the model is right.",
        (
            "Is the loss smaller where the model is right, or where it is wrong?",
            "The equation of loss: logarithms of probabilities are negative, and a cross-entropy never is.",
            "loss = -1/M times the sum: mind the minus.",
        ),
    ),
    Bug(
        "cross-entropy-onehot-missing",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], p * (dloss / M), 0)",
        "dlogits",
        "The gradient says how far the probabilities are from the truth.",
        (
            "Where does the target class enter the gradient?",
            "The equation of dlogits: at one step its entries must add up to 0.",
            "dlogits = dloss / M (p - onehot(targets)).",
        ),
    ),
    Bug(
        "cross-entropy-only-the-target-class",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * onehot * (dloss / M), 0)",
        "dlogits",
        "All classes share one denominator, so all of them have a part in the target's probability.",
        (
            "If the logit of a class that is not the target grows, does the loss change?",
            "The equation of dlogits: it must not be 0 at the other classes.",
            "dlogits = dloss / M (p - onehot(targets)): at the other classes p remains.",
        ),
    ),
    Bug(
        "cross-entropy-gradient-of-p",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], -(onehot / p) * (dloss / M), 0)",
        "dlogits",
        "The gradient is asked for the logits; between them and the loss stands the softmax.",
        (
            "Of what is this the gradient: of the probabilities, or of what they are made of?",
            "The equation of dlogits: it leads through the logarithm and through the softmax.",
            "dlogits = dloss / M (p - onehot(targets)): -1/p is the logarithm's part only.",
        ),
    ),
    Bug(
        "cross-entropy-softmax-derivative-twice",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * p * (1 - p) * (dloss / M), 0)",
        "dlogits",
        "The logarithm and the softmax undo each other: their derivatives have one simple product.",
        (
            "Is a slope counted that has been counted already?",
            "The equation of dlogits: a step that is surely wrong must still get a large gradient.",
            "dlogits = dloss / M (p - onehot(targets)): the softmax's derivative is in it already.",
        ),
    ),
    Bug(
        "cross-entropy-gradient-sign",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (onehot - p) * (dloss / M), 0)",
        "dlogits",
        "A gradient points where the loss grows.",
        (
            "Should the target's logit get a positive or a negative gradient?",
            "The equation of dlogits: at the target class it must be negative, for there more is better.",
            "dlogits = dloss / M (p - onehot(targets)).",
        ),
    ),
    Bug(
        "cross-entropy-gradient-mean-missing",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * dloss, 0)",
        "dlogits",
        "What scales the loss scales its gradient.",
        (
            "Everything is off by one and the same factor. Which number is it?",
            "The equation of dlogits: the loss is a mean, and so one step must have a small part in it.",
            "dlogits = dloss / M (p - onehot(targets)).",
        ),
    ),
    Bug(
        "cross-entropy-gradient-mean-twice",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * (dloss / M**2), 0)",
        "dlogits",
        "What scales the loss scales its gradient, once.",
        (
            "Everything is off by one and the same factor. Which number is it?",
            "The equation of dlogits: how often does the loss divide by the number of steps?",
            "dlogits = dloss / M (p - onehot(targets)): one division by M.",
        ),
    ),
    Bug(
        "cross-entropy-gradient-mean-counts-padding",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * (dloss / valid.size), 0)",
        "dlogits",
        "What scales the loss scales its gradient, and the padding has no part in it.",
        (
            "Equal lengths are right, and ragged ones are off by one and the same factor. Which number is it?",
            "The equation of dlogits: its scale must be the same however far the rows are padded.",
            "dlogits = dloss / M (p - onehot(targets)): M valid steps, not N * T.",
        ),
    ),
    Bug(
        "cross-entropy-gradient-mean-over-rows",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * (dloss / len(p)), 0)",
        "dlogits",
        "What scales the loss scales its gradient.",
        (
            "A batch of one step is right; otherwise all is off by one factor. Which number is it?",
            "The equation of dlogits: by the number of what does the loss divide?",
            "dlogits = dloss / M (p - onehot(targets)): M valid steps, not N rows.",
        ),
    ),
    Bug(
        "cross-entropy-gradient-padding-not-masked",
        BACKWARD,
        DLOGITS,
        "return (p - onehot) * (dloss / M)",
        "dlogits",
        "What had no part in the loss gets no gradient.",
        (
            "Only ragged batches fail. Who gets a gradient, and who took part in the loss?",
            "The equation of dlogits: at padded steps it must be exactly 0.",
            "dlogits = dloss / M (p - onehot(targets)) at valid steps, 0 in the padding.",
        ),
    ),
    Bug(
        "cross-entropy-gradient-upstream-ignored",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * (1 / M), 0)",
        "dlogits",
        "A loss may be one term of a larger one, and then its own gradient is not 1.",
        (
            "What if this loss is multiplied by 3 before it is minimised?",
            "The equation of dlogits: it must be proportional to the gradient that is handed in.",
            "dlogits = dloss / M (p - onehot(targets)).",
        ),
    ),
)
