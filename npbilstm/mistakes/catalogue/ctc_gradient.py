"""What goes wrong in the gradient of connectionist temporal classification."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BACKWARD, BETA, GAMMA = "ctc_backward", "ctc_log_beta", "ctc_gamma"

BUGS = (
    *mistakes_in(
        BETA,
        "beta",
        "log_beta[-1:, -2:] = 0",
        "Beta begins, at the last step, where an alignment may end.",
        "What is left to be read after the last step, and at which places may a row end?",
        "at the row's last step it is 1 at the last two places, and 0 at all others.",
        {
            "ctc-beta-starts-in-blank-alone": ("log_beta[-1:, -1:] = 0", "Here a row must end with a blank."),
            "ctc-beta-starts-anywhere": ("log_beta[-1:] = 0", "Here a row may end at any place."),
            "ctc-beta-starts-with-its-step": (
                "log_beta[-1:, -2:] = log_y[-1:, extended[-2:]]",
                "Here the last step is in beta too, and so it counts twice.",
            ),
        },
    ),
    *mistakes_in(
        BETA,
        "beta",
        "skip = extended[2:] != extended[:-2]",
        "The ends of alignments follow the same rules as their beginnings.",
        "Alpha's rule for a step over a blank, read backward: the same pairs of places.",
        "a step leads over a blank where the labels on both sides differ.",
        {
            "ctc-beta-skip-missing": ("skip = False", "Here there is a blank between all labels."),
            "ctc-beta-skip-between-equal-labels": (
                "skip = extended[2:] != 0",
                "Here two equal labels need no blank between them.",
            ),
            "ctc-beta-skip-over-labels": ("skip = True", "Here blanks skip to blanks, and so labels are left out."),
        },
    ),
    *mistakes_in(
        BETA,
        "onward",
        "onward = log_y[t + 1, extended] + log_beta[t + 1]",
        "After the step t comes the step t + 1, with what is seen there.",
        "Which step's y stands beside beta of the step t + 1?",
        "it holds y and beta of one and the same step.",
        {
            "ctc-beta-emission-of-its-own-step": (
                "onward = log_y[t, extended] + log_beta[t + 1]",
                "Here y is that of the step t, which alpha has already.",
            ),
            "ctc-beta-emission-missing": ("onward = log_beta[t + 1]", "Here what the network sees does not count."),
        },
    ),
    *mistakes_in(
        BETA,
        "beta",
        "log_beta[t] = log_sum_exp(to_places, axis=0)",
        "All ways on from a place are added, and the step itself is in alpha.",
        "Alpha and beta are multiplied. Which of them has y of the step t in it?",
        "it is the log of the sum of the three ways on, and no more.",
        {
            "ctc-beta-counts-its-step-again": (
                "log_beta[t] = log_sum_exp(to_places, axis=0) + log_y[t, extended]",
                "Here y of the step t is in both, and has to be divided out once.",
            ),
            "ctc-beta-best-way-on": ("log_beta[t] = to_places.max(axis=0)", "Here it is the likeliest way alone."),
        },
    ),
    *mistakes_in(
        GAMMA,
        "gamma",
        "return np.exp(ctc_log_alpha(log_y, labels) + ctc_log_beta(log_y, labels) - log_p)",
        "Of the alignments that read as the labels, gamma is the share of those that are at a place.",
        "Add up gamma over the places of one step. What should come out?",
        "at each step it adds up to 1.",
        {
            "ctc-gamma-not-divided-by-p": (
                "return np.exp(ctc_log_alpha(log_y, labels) + ctc_log_beta(log_y, labels))",
                "Here it is not divided by the probability of the labels.",
            ),
            "ctc-gamma-multiplied-by-p": (
                "return np.exp(ctc_log_alpha(log_y, labels) + ctc_log_beta(log_y, labels) + log_p)",
                "Here it is multiplied by the probability of the labels.",
            ),
            "ctc-gamma-of-alpha-alone": (
                "alpha = np.exp(ctc_log_alpha(log_y, labels)); return alpha / alpha.sum(axis=1, keepdims=True)",
                "Here it knows nothing of the steps that follow.",
            ),
            "ctc-gamma-of-beta-alone": (
                "beta = np.exp(log_y[:, ctc_extended(labels)] + ctc_log_beta(log_y, labels)); "
                "return beta / beta.sum(axis=1, keepdims=True)",
                "Here it knows nothing of the steps before.",
            ),
            "ctc-gamma-of-the-likeliest-place": (
                "gamma = ctc_log_alpha(log_y, labels) + ctc_log_beta(log_y, labels); "
                "return 1.0 * (gamma == gamma.max(axis=1, keepdims=True))",
                "Here each step is wholly at its likeliest place.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "share",
        "share[:, k] += gamma[:, s]",
        "A class that stands at several places has the share of all of them; the blank always does.",
        "A row holds one label twice. What share has it?",
        "it adds up gamma over all places of the class.",
        {
            "ctc-share-overwritten": (
                "share[:, k] = gamma[:, s]",
                "Here the last place overwrites those before: share[:, extended] += gamma does the same.",
            ),
            "ctc-share-of-blank-missing": (
                "share[:, k] += gamma[:, s] * (k > 0)",
                "Here the blank has no share.",
            ),
            "ctc-share-averaged": (
                "share[:, k] += gamma[:, s] / (ctc_extended(labels[n]) == k).sum()",
                "Here it is the mean over the places.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dlogits",
        "dlogits[n, : lengths[n]] = (np.exp(row) - share) * (dloss / N)",
        "The gradient says how far what the network sees is from what the labels say.",
        "Add up the gradient over the classes of one step, and think of its sign, its scale and of the softmax.",
        "y less its share, times what the loss is multiplied by, at the row's valid steps.",
        {
            "ctc-gradient-of-log-y": (
                "dlogits[n, : lengths[n]] = -share * (dloss / N)",
                "Here it is the gradient of log y: the softmax is missing.",
            ),
            "ctc-gradient-of-y": (
                "dlogits[n, : lengths[n]] = -share / np.exp(row) * (dloss / N)",
                "Here it is the gradient of y: the softmax and the logarithm are missing.",
            ),
            "ctc-gradient-sign": (
                "dlogits[n, : lengths[n]] = (share - np.exp(row)) * (dloss / N)",
                "Here it has the wrong sign.",
            ),
            "ctc-gradient-mean-missing": (
                "dlogits[n, : lengths[n]] = (np.exp(row) - share) * dloss",
                "Here it is that of a sum over the rows.",
            ),
            "ctc-gradient-mean-over-steps": (
                "dlogits[n, : lengths[n]] = (np.exp(row) - share) * (dloss / lengths.sum())",
                "Here it is divided by the steps.",
            ),
            "ctc-gradient-mean-over-labels": (
                "dlogits[n, : lengths[n]] = (np.exp(row) - share) * (dloss / N / max(len(labels[n]), 1))",
                "Here each row's is divided by how many labels it has.",
            ),
            "ctc-gradient-upstream-ignored": (
                "dlogits[n, : lengths[n]] = (np.exp(row) - share) / N",
                "Here what the loss is multiplied by is left out.",
            ),
            "ctc-gradient-padding-not-masked": (
                "dlogits[n] = np.exp(log_y[n]) * (dloss / N); dlogits[n, : lengths[n]] -= share * (dloss / N)",
                "Here the padding gets y.",
            ),
            "ctc-gradient-p-not-canceled": (
                "dlogits[n, : lengths[n]] = (np.exp(row) - share) * (dloss / N) * np.exp(log_p[n])",
                "Here it is the gradient of minus p, not of minus log p.",
            ),
            "ctc-gradient-softmax-slope-again": (
                "dlogits[n, : lengths[n]] = (np.exp(row) - share) * np.exp(row) * (1 - np.exp(row)) * (dloss / N)",
                "Here the softmax's slope is counted twice.",
            ),
            "ctc-gradient-first-step-missing": (
                "dlogits[n, 1 : lengths[n]] = (np.exp(row) - share)[1:] * (dloss / N)",
                "Here the first step gets none.",
            ),
            "ctc-gradient-last-step-missing": (
                "last = max(lengths[n] - 1, 0); dlogits[n, :last] = (np.exp(row) - share)[:last] * (dloss / N)",
                "Here the last step gets none.",
            ),
        },
    ),
)
