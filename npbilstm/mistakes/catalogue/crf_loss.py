"""What goes wrong in a linear-chain CRF's loss: the score of the targets, the mean, and the gradients."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.crf import FROM_U_TO_V, WHERE_ROWS_END
from npbilstm.mistakes.catalogue.line import mistakes_in

SCORE = (
    *mistakes_in(
        "crf_score",
        "score",
        "between = params.transitions[y[:, :-1], y[:, 1:]]",
        FROM_U_TO_V,
        "Score a sequence of two steps by hand, with transitions that are not symmetric.",
        "the first index is the class before, the second the class after.",
        {
            "crf-score-transitions-transposed": (
                "between = params.transitions[y[:, 1:], y[:, :-1]]",
                "Here the score of v before u is added where u stands before v.",
            ),
        },
    ),
    *mistakes_in(
        "crf_score",
        "score",
        "score = np.where(valid, at_steps, 0).sum(axis=1) + np.where(valid[:, 1:], between, 0).sum(axis=1)",
        "A row of L steps has L scores and L - 1 transitions.",
        "How many transitions has a row of L steps? And of none?",
        "scores of valid steps, transitions between valid steps.",
        {
            "crf-score-transitions-of-the-padding": (
                "score = np.where(valid, at_steps, 0).sum(axis=1) + between.sum(axis=1)",
                "Transitions in the padding are added too.",
            ),
            "crf-score-one-transition-too-many": (
                "score = np.where(valid, at_steps, 0).sum(axis=1) + np.where(valid[:, :-1], between, 0).sum(axis=1)",
                "Here the transition from the last step into the padding is added too.",
            ),
            "crf-score-transitions-forgotten": (
                "score = np.where(valid, at_steps, 0).sum(axis=1)",
                "What stands next to what has a score.",
            ),
        },
    ),
    *mistakes_in(
        "crf_score",
        "score",
        "score = score + params.start[y[:, :1]].sum(axis=1) + params.end[at_last_step(y, lengths)]",
        WHERE_ROWS_END,
        "Which class of a short row is its last?",
        "the start's score for the first class, the end's for the last of the row's own steps.",
        {
            "crf-score-start-forgotten": (
                "score = score + params.end[at_last_step(y, lengths)]",
                "The first class has a score for being first.",
            ),
            "crf-score-end-forgotten": (
                "score = score + params.start[y[:, :1]].sum(axis=1)",
                "The last class has a score for being last.",
            ),
            "crf-score-end-of-the-last-column": (
                "score = score + params.start[y[:, :1]].sum(axis=1) + params.end[y[:, -1]]",
                "The last column of a short row is padding.",
            ),
        },
    ),
)

LOSS = (
    *mistakes_in(
        "crf_forward",
        "loss",
        "loss = (log_Z - score).sum() / M",
        "The loss is minus a log-probability: it is never below 0, and 0 where the targets are certain.",
        "Can the loss be below 0? Let one sequence be nearly certain.",
        "minus the log of exp score over Z.",
        {
            "crf-loss-sign": ("loss = (score - log_Z).sum() / M", "This is the log-probability, without the minus."),
            "crf-loss-without-z": ("loss = -score.sum() / M", "Without log_Z nothing keeps the scores from growing."),
            "crf-loss-without-score": ("loss = log_Z.sum() / M", "Without score the targets have no part in it."),
        },
    ),
    *mistakes_in(
        "crf_forward",
        "loss",
        "M = max(int(valid.sum()), 1)",
        "A mean over valid steps: padding has no part in the loss's scale.",
        "Pad the batch further, or put two batches together. What happens to the loss?",
        "it is divided by the number of valid steps.",
        {
            "crf-loss-mean-over-rows": ("M = max(len(scores), 1)", "Here it is the mean over rows."),
            "crf-loss-sum": ("M = 1", "Here it is the sum."),
            "crf-loss-mean-counts-padding": ("M = max(valid.size, 1)", "Here padded steps are counted too."),
        },
    ),
)

GRADIENTS = (
    *mistakes_in(
        "crf_backward",
        "dscores",
        "excess = marginals - onehot",
        "The gradient is what the CRF expects minus what the targets say.",
        "Add the gradient up over the classes of one step. What must come out, and why?",
        "expected minus observed, as under a softmax.",
        {
            "crf-gradient-targets-not-subtracted": ("excess = marginals * 1", "The targets have no part in it."),
            "crf-gradient-observed-minus-expected": ("excess = onehot - marginals", "The sign is that of the score."),
        },
    ),
    *mistakes_in(
        "crf_backward",
        "dtransitions",
        "dtransitions = (pairs[:, 1:] - both).sum(axis=(0, 1)) * (dloss / M)",
        "The gradient of a transition counts how often it is expected, and takes off how often it is there.",
        "How often is a transition expected, and how often does it stand in the targets?",
        "expected pairs minus observed pairs, summed over rows and steps.",
        {
            "crf-dtransitions-transposed": (
                "dtransitions = (pairs[:, 1:] - both).sum(axis=(0, 1)).T * (dloss / M)",
                "Rows are the class before, columns the class after.",
            ),
            "crf-dtransitions-targets-not-subtracted": (
                "dtransitions = pairs.sum(axis=(0, 1)) * (dloss / M)",
                "The pairs in the targets are not taken off.",
            ),
            "crf-dtransitions-as-if-independent": (
                "dtransitions = (marginals[:, :-1, :, None] * marginals[:, 1:, None] - both).sum(axis=(0, 1))"
                " * (dloss / M)",
                "Neighbours depend on one another: their probability is no product of marginals.",
            ),
            "crf-dtransitions-mean-missing": (
                "dtransitions = (pairs[:, 1:] - both).sum(axis=(0, 1)) * dloss",
                "The loss was divided by M.",
            ),
        },
    ),
    *mistakes_in(
        "crf_backward",
        "dstart",
        "dstart = excess[:, :1].sum(axis=(0, 1)) * (dloss / M)",
        "A score that stands at the first step alone learns from the first step alone.",
        "At which steps does the start's score count?",
        "the first step's share of each row, no other.",
        {
            "crf-dstart-of-all-steps": ("dstart = excess.sum(axis=(0, 1)) * (dloss / M)", "Here all steps are summed."),
            "crf-dstart-mean-missing": (
                "dstart = excess[:, :1].sum(axis=(0, 1)) * dloss",
                "The loss was divided by M.",
            ),
        },
    ),
    *mistakes_in(
        "crf_backward",
        "dend",
        "dend = at_last_step(excess, lengths).sum(axis=0) * (dloss / M)",
        WHERE_ROWS_END,
        "At which step of a short row does the end's score count?",
        "each row's own last step.",
        {
            "crf-dend-of-the-last-column": (
                "dend = excess[:, -1].sum(axis=0) * (dloss / M)",
                "The last column of a short row is padding.",
            ),
            "crf-dend-of-the-first-step": (
                "dend = excess[:, 0].sum(axis=0) * (dloss / M)",
                "That is the start's gradient.",
            ),
        },
    ),
    *mistakes_in(
        "crf_backward",
        "dscores",
        "dscores = excess * (dloss / M)",
        "What the loss was divided by divides the gradient too.",
        "By what was the loss divided?",
        "the same share for each valid step.",
        {"crf-dscores-mean-missing": ("dscores = excess * dloss", "The loss was divided by M.")},
    ),
    *mistakes_in(
        "crf_backward",
        "dscores",
        "dloss = scores.dtype.type(dloss)",
        "A backward pass is linear in what comes from above.",
        "Double what comes from above. What happens to the gradients?",
        "all gradients are multiplied by what came from above.",
        {
            "crf-upstream-ignored": ("dloss = scores.dtype.type(1)", "Here the loss is taken to be the last word."),
            "crf-gradients-mean-missing": ("dloss = scores.dtype.type(dloss * M)", "The loss was divided by M."),
        },
    ),
)

BUGS = (*SCORE, *LOSS, *GRADIENTS)
