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
        "valid, M = (counted(targets.shape, lengths)[0], 1)",
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
        "cross-entropy-softmax-taken-twice",
        FORWARD,
        "z = np.where(valid[..., None], logits, 0)",
        "z = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)",
        "p",
        "Between the logits and the loss stands one softmax.",
        (
            "How small can the loss get, however sure and right the model is?",
            "The equation of p: large logits give probabilities near 0 and 1.",
            "p = the softmax of the logits, once: here it is taken of what a softmax has put out.",
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
        "cross-entropy-gradient-mean-over-steps",
        BACKWARD,
        DLOGITS,
        "return np.where(valid[..., None], (p - onehot) * (dloss * len(p) / M), 0)",
        "dlogits",
        "What scales the loss scales its gradient.",
        (
            "A batch of one row is right; otherwise all is off by one factor. Which number is it?",
            "The equation of dlogits: by the number of what does the loss divide?",
            "dlogits = dloss / M (p - onehot(targets)): what the loss divides by, rows too.",
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
        "cross-entropy-gradient-padding-as-if-valid",
        FORWARD,
        "return loss, CrossEntropyCache(np.exp(log_p), classes, valid, M)",
        "p = np.exp(logits - logits.real.max(axis=-1, keepdims=True)); "
        "return loss, CrossEntropyCache(p / p.sum(axis=-1, keepdims=True), targets, np.ones_like(valid), M)",
        "dlogits",
        "What had no part in the loss gets no gradient.",
        (
            "Only ragged batches fail. Multiply what the loss is made of, and multiply its gradient by the same.",
            "The equation of dlogits: whatever stands in the padding, it must be exactly 0 there.",
            "dlogits = mask * dloss / M (p - onehot(targets)): the loss is masked, and its gradient is not.",
        ),
    ),
    *(
        Bug(
            f"cross-entropy-gradient-{name}",
            BACKWARD,
            DLOGITS,
            f"d = {DLOGITS.removeprefix('return ')}; d[:, {steps}] = 0; return d",
            "dlogits",
            "Every step has a part in the loss.",
            (
                "Look at one step after another. Which of them get a gradient?",
                "The equation of dlogits: it holds for all valid steps, the first and the last as well.",
                f"dlogits = dloss / M (p - onehot(targets)) at every valid step: {said}.",
            ),
        )
        for name, steps, said in (
            ("step-0-missing", "0", "step 0 is left out"),
            ("last-step-missing", "-1", "the last step is left out"),
            ("last-step-alone", ":-1", "all but the last step are left out"),
        )
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
