"""What goes wrong in connectionist temporal classification: the alignments that are summed."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, EXTENDED, ALPHA = "ctc_forward", "ctc_extended", "ctc_log_alpha"

SUMMED = (
    *mistakes_in(
        EXTENDED,
        "l'",
        "extended[1::2] = labels",
        "Between any two labels, before them and behind them the network may see none.",
        "Write down the extended labels of a row by hand. What stands first, what between, what last?",
        "a blank at every second place, the first and the last among them.",
        {
            "ctc-blanks-missing": ("extended = labels", "Here no step may be blank: every step reads as a label."),
            "ctc-first-blank-missing": (
                "extended[1::2] = labels; extended = extended[1:]",
                "Here a row cannot begin with a blank.",
            ),
            "ctc-last-blank-missing": (
                "extended[1::2] = labels; extended = extended[: max(len(labels) * 2, 1)]",
                "Here a row cannot end with a blank.",
            ),
            "ctc-outer-blanks-missing": (
                "extended[1::2] = labels; extended = extended[1:-1] if len(labels) else extended",
                "Here blanks stand between the labels alone.",
            ),
            "ctc-labels-reversed": ("extended[1::2] = labels[::-1]", "Here the labels stand in the wrong order."),
        },
    ),
    *mistakes_in(
        ALPHA,
        "alpha",
        "log_alpha[:1, :2] = log_y[:1, extended[:2]]",
        "Alpha begins where an alignment may begin.",
        "With one step and one label, which alignment is there?",
        "at step 0 it is that of the first two places, and 0 at all others.",
        {
            "ctc-alpha-starts-in-blank-alone": (
                "log_alpha[:1, :1] = log_y[:1, extended[:1]]",
                "Here a row must begin with a blank.",
            ),
            "ctc-alpha-starts-in-label-alone": (
                "first = min(1, len(extended) - 1); log_alpha[:1, first] = log_y[:1, extended[first]]",
                "Here a row cannot begin with a blank.",
            ),
            "ctc-alpha-starts-anywhere": (
                "log_alpha[:1] = log_y[:1, extended]",
                "Here a row may leave out the labels before any place.",
            ),
            "ctc-alpha-starts-at-one": (
                "log_alpha[:1, :2] = 0",
                "Here what the network sees at step 0 does not count.",
            ),
        },
    ),
    *mistakes_in(
        ALPHA,
        "alpha",
        "skip = extended[2:] != extended[:-2]",
        "Two equal labels need a blank between them, and two different ones do not.",
        "Read the alignments a b and a a: which labels are that?",
        "over a blank leads a step to a label that differs from the one before the blank, and no other.",
        {
            "ctc-skip-missing": ("skip = False", "Here there is a blank between all labels."),
            "ctc-skip-between-equal-labels": (
                "skip = extended[2:] != 0",
                "Here two equal labels need no blank between them.",
            ),
            "ctc-skip-over-labels": ("skip = True", "Here blanks skip to blanks, and so labels are left out."),
            "ctc-skip-over-different-labels": (
                "skip = (extended[2:] != extended[:-2]) | (extended[2:] == 0)",
                "Here blanks skip to blanks, and so labels are left out.",
            ),
        },
    ),
    *mistakes_in(
        ALPHA,
        "alpha",
        "from_places[0] = log_alpha[t - 1]",
        "An alignment may stay at its place.",
        "From which places can a place be reached in one step?",
        "from itself, from the one before, and over a blank.",
        {"ctc-alpha-never-stays": ("from_places[0] = -np.inf", "Here every step must move on.")},
    ),
    *mistakes_in(
        ALPHA,
        "alpha",
        "from_places[1, 1:] = log_alpha[t - 1, :-1]",
        "An alignment may go on to the next place.",
        "From which places can a place be reached in one step?",
        "from itself, from the one before, and over a blank.",
        {
            "ctc-alpha-next-place-missing": ("from_places[1, 1:] = -np.inf", "Here no step leads to the next place."),
            "ctc-alpha-wraps-round": (
                "from_places[1] = np.roll(log_alpha[t - 1], 1)",
                "Here the index -1 leads from the last place to the first.",
            ),
        },
    ),
    *mistakes_in(
        ALPHA,
        "alpha",
        "log_alpha[t] = log_y[t, extended] + log_sum_exp(from_places, axis=0)",
        "The probabilities of all ways to a place are added, and multiplied by that of what is seen there.",
        "Is it a sum, of what, and times what?",
        "log y of the step at its place is added to the log of a sum.",
        {
            "ctc-best-alignment-for-the-sum": (
                "log_alpha[t] = log_y[t, extended] + from_places.real.max(axis=0)",
                "Here it is the likeliest way alone: Viterbi's algorithm.",
            ),
            "ctc-alpha-mean-for-sum": (
                "log_alpha[t] = log_y[t, extended] + log_sum_exp(from_places, axis=0) - np.log(3)",
                "Here it is a mean of three.",
            ),
            "ctc-alpha-emission-missing": (
                "log_alpha[t] = log_sum_exp(from_places, axis=0)",
                "Here what the network sees does not count.",
            ),
            "ctc-alpha-emission-of-step-before": (
                "log_alpha[t] = log_y[t - 1, extended] + log_sum_exp(from_places, axis=0)",
                "Here y is that of the step before.",
            ),
            "ctc-alpha-emission-of-blank": (
                "log_alpha[t] = log_y[t, 0] + log_sum_exp(from_places, axis=0)",
                "Here y is the blank's, whatever the place.",
            ),
        },
    ),
)

LOSS = (
    *mistakes_in(
        FORWARD,
        "log_p",
        "log_p[n] = log_sum_exp(log_alpha[-1, -2:], axis=0)",
        "The probability of the labels is that of all alignments which are through with them.",
        "With one step and one label, where does the alignment end?",
        "it is the sum of alpha's last two places at the row's last step.",
        {
            "ctc-ends-in-blank-alone": ("log_p[n] = log_alpha[-1, -1]", "Here a row must end with a blank."),
            "ctc-ends-in-label-alone": (
                "log_p[n] = log_alpha[-1, max(len(log_alpha[0]) - 2, 0)]",
                "Here a row cannot end with a blank.",
            ),
            "ctc-ends-anywhere": (
                "log_p[n] = log_sum_exp(log_alpha[-1], axis=0)",
                "Here alignments count that are not through with the labels.",
            ),
            "ctc-logarithms-added-at-the-end": (
                "log_p[n] = log_alpha[-1, -2:].sum()",
                "Here two probabilities are multiplied, not added.",
            ),
            "ctc-larger-of-two-ends": (
                "log_p[n] = max(log_alpha[-1, -2:], key=lambda a: a.real)",
                "Here it is the larger of the two.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "y",
        "log_y = z - log_sum_exp(z, axis=2)[..., None]",
        "At each step the classes, the blank among them, share a probability of 1.",
        "Which of the y should add up to 1?",
        "it is the softmax of the logits, over the classes.",
        {
            "ctc-softmax-missing": ("log_y = z", "Here the logits are taken for logarithms of probabilities."),
            "ctc-softmax-over-time": (
                "log_y = z - log_sum_exp(z, axis=1)[:, None]",
                "Here the steps share a probability, not the classes.",
            ),
            "ctc-softmax-without-blank": (
                "log_y = z - log_sum_exp(z[..., 1:], axis=2)[..., None]",
                "Here the blank has no share in it.",
            ),
            "ctc-blank-is-the-last-class": (
                "log_y = np.roll(z - log_sum_exp(z, axis=2)[..., None], 1, axis=2)",
                "Here the last class is the blank, and class 0 is the label 1: as in TensorFlow's first CTC.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "loss",
        "loss = -log_p.sum() / max(N, 1)",
        "The loss is the mean over the rows of minus a log-probability.",
        "What is summed here, with which sign, and by the number of what is it divided?",
        "a sum over the rows, with a minus, by their number.",
        {
            "ctc-loss-sign": ("loss = log_p.sum() / max(N, 1)", "Here it is smallest where the model is wrong."),
            "ctc-sum-for-mean": ("loss = -log_p.sum()", "Here it is a sum over the rows."),
            "ctc-mean-over-steps": (
                "loss = -log_p.sum() / max(lengths.sum(), 1)",
                "Here it is divided by all steps: the labels are one event, whatever they take.",
            ),
            "ctc-mean-over-labels": (
                "loss = -(log_p / [max(len(row), 1) for row in labels]).sum() / max(N, 1)",
                "Here each row's is divided by how many labels it has: what PyTorch means by mean.",
            ),
            "ctc-probability-for-its-logarithm": (
                "loss = -np.exp(log_p).sum() / max(N, 1)",
                "Here it is the probability itself.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "log_p",
        "log_alpha = ctc_log_alpha(log_y[n, : lengths[n]], labels[n])",
        "A row ends at its length.",
        "Which step is the row's last?",
        "alpha is that of the row's valid steps.",
        {
            "ctc-steps-padding-read": (
                "log_alpha = ctc_log_alpha(log_y[n], labels[n])",
                "Here the row goes on through the padding.",
            ),
            "ctc-last-step-not-read": (
                "log_alpha = ctc_log_alpha(log_y[n, : max(lengths[n] - 1, 1)], labels[n])",
                "Here the row's last step is not read.",
            ),
        },
    ),
)

BUGS = (*SUMMED, *LOSS)
