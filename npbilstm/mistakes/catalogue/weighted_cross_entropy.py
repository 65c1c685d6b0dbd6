"""What goes wrong in the cross-entropy with weights of classes and steps that do not count."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, BACKWARD = "weighted_cross_entropy_forward", "weighted_cross_entropy_backward"

BUGS = (
    *mistakes_in(
        FORWARD,
        "w",
        "w = np.where(mask, class_weights[classes], 0)",
        "Each step has the weight of the class that it should be, and none where it does not count.",
        "Take a batch of two steps, of different classes, one of which does not count. What is the weight of each?",
        "the weight of the target class where mask is True, and 0 elsewhere.",
        {
            "weighted-mask-ignored": ("w = class_weights[classes]", "Here steps that do not count have a weight too."),
            "weighted-mask-inverted": (
                "w = np.where(mask, 0, class_weights[classes])",
                "Here the steps count that should not.",
            ),
            "weighted-class-weights-ignored": (
                "w = np.where(mask, class_weights[classes] * 0 + 1, 0)",
                "Here all classes weigh the same.",
            ),
            "weighted-by-predicted-class": (
                "w = np.where(mask, class_weights[logits.real.argmax(axis=-1)], 0)",
                "Here the weight is that of the class that is likeliest, and not of the true one.",
            ),
            "weighted-by-inverse": (
                "w = np.where(mask, 1 / class_weights[classes], 0)",
                "Here a large weight counts little.",
            ),
            "weighted-index-off-by-one": (
                "w = np.where(mask, class_weights[classes - 1], 0)",
                "Here it is the weight of the class before.",
            ),
            "weighted-squared": (
                "w = np.where(mask, class_weights[classes] ** 2, 0)",
                "Here the weights are multiplied in twice.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "W",
        "W = w.sum() if w.any() else w.dtype.type(1)",
        "A weighted mean is divided by the sum of the weights that were in it.",
        "Double all weights. Does the loss change?",
        "the sum of w over all rows and steps.",
        {
            "weighted-divided-by-steps": (
                "W = max(mask.sum(), 1)",
                "Here it is the number of steps that count, whatever they weigh.",
            ),
            "weighted-divided-by-all-steps": (
                "W = targets.size",
                "Here it is the number of all steps, with those that do not count.",
            ),
            "weighted-divided-by-rows": ("W = len(targets)", "Here it is the number of rows."),
            "weighted-sum-for-mean": ("W = 1.0", "Here it is a sum, and no mean."),
            "weighted-divided-by-class-weights": (
                "W = class_weights.sum()",
                "Here it is the sum over the classes, each once, however often it occurs.",
            ),
            "weighted-divided-by-all-weights": (
                "W = class_weights[classes].sum()",
                "Here steps that do not count have a part in the sum.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "loss",
        "loss = -(w * log_p_target).sum() / W",
        "Every step's term is multiplied by its weight.",
        "Which steps are in the sum, and with which factor each?",
        "minus the sum of w times the logarithm of p of the target, over W.",
        {
            "weighted-sign-flipped": ("loss = (w * log_p_target).sum() / W", "Here the loss grows when p does."),
            "weighted-weights-missing-in-the-sum": (
                "loss = -np.where(mask, log_p_target, 0).sum() / W",
                "Here the terms have no weights, and are divided by the sum of the weights.",
            ),
            "weighted-weights-inside-the-logarithm": (
                "loss = -np.log(np.where(w > 0, w * np.exp(log_p_target), 1)).sum() / W",
                "Here the probability is multiplied by the weight, in place of its logarithm.",
            ),
            "weighted-p-for-log-p": (
                "loss = -(w * np.exp(log_p_target)).sum() / W",
                "Here it is the probability, without the logarithm.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dlogits",
        "return w[..., None] * (p - onehot) * (dloss / W)",
        "What multiplies a term of the loss multiplies its gradient.",
        "Derive the loss of one step by its logits. What of the weight is left?",
        "dloss over W, times the step's weight, times p less the one-hot vector of the target.",
        {
            "weighted-backward-without-weights": (
                "return np.where(w[..., None] > 0, p - onehot, 0) * (dloss / W)",
                "Here the steps that count have all the same weight on the way back.",
            ),
            "weighted-backward-weights-twice": (
                "return w[..., None] ** 2 * (p - onehot) * (dloss / W)",
                "Here the weight is multiplied in twice.",
            ),
            "weighted-backward-not-averaged": (
                "return w[..., None] * (p - onehot) * dloss",
                "Here the division by W is missing.",
            ),
            "weighted-backward-mean-of-steps": (
                "return w[..., None] * (p - onehot) * (dloss / max((w > 0).sum(), 1))",
                "Here it is divided by the number of steps that count.",
            ),
            "weighted-backward-through-holes": (
                "return np.where(w[..., None] > 0, w[..., None], 1) * (p - onehot) * (dloss / W)",
                "Here steps that do not count have a gradient.",
            ),
            "weighted-backward-dloss-ignored": (
                "return w[..., None] * (p - onehot) / W",
                "Here the upstream gradient has no part.",
            ),
            "weighted-backward-sign-flipped": (
                "return w[..., None] * (onehot - p) * (dloss / W)",
                "Here the sign is wrong.",
            ),
            "weighted-backward-onehot-weighted-alone": (
                "return np.where(w[..., None] > 0, p - w[..., None] * onehot, 0) * (dloss / W)",
                "Here the weight multiplies the one-hot vector, and not p.",
            ),
        },
    ),
)
