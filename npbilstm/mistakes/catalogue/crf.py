"""What goes wrong in a linear-chain CRF's algorithms: the forward and the backward one, marginals, and Viterbi's."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FROM_U_TO_V = "A transition goes from a class to the next one, and the sum is over what it comes from."
WHERE_ROWS_END = "A row ends at its own last step, however far the batch is padded."
ALL_THAT_COUNTS = "What is summed over all sequences is the same score that one sequence has."
LEAVE_IT_OUT = "Each score stands once in what a sequence is worth: count them for a sequence of two steps."

ALPHA = (
    *mistakes_in(
        "crf_log_alpha",
        "log_alpha",
        "reached = params.start if t == 0 else log_sum_exp(before + params.transitions, axis=1)",
        FROM_U_TO_V,
        "What reaches a step? Work out two steps of two classes by hand, with transitions that are not symmetric.",
        "at the first step the start, then the log-sum over the class before.",
        {
            "crf-alpha-start-forgotten": (
                "reached = 0 * params.start if t == 0 else log_sum_exp(before + params.transitions, axis=1)",
                "The first class has a score for being first.",
            ),
            "crf-alpha-transitions-transposed": (
                "reached = params.start if t == 0 else log_sum_exp(before + params.transitions.T, axis=1)",
                "Here the score of v before u is added where u stands before v.",
            ),
            "crf-alpha-sum-over-the-next-class": (
                "reached = params.start if t == 0 else log_sum_exp(before + params.transitions, axis=2)",
                "Here the sum is over the class at t; it needs to be over the class at t - 1.",
            ),
            "crf-alpha-maximum-for-sum": (
                "reached = params.start if t == 0 else (before.real + params.transitions).max(axis=1)",
                "The maximum over the class before is Viterbi's; here all ways count.",
            ),
            "crf-alpha-mean-for-sum": (
                "reached = params.start if t == 0 else log_sum_exp(before + params.transitions, axis=1)"
                " - np.log(len(params.start))",
                "The ways are added up, not averaged.",
            ),
            "crf-alpha-transitions-forgotten": (
                "reached = params.start if t == 0 else log_sum_exp(before + 0 * params.transitions, axis=1)",
                "Without transitions each step is alone, as under a softmax.",
            ),
        },
    ),
    *mistakes_in(
        "crf_log_alpha",
        "log_alpha",
        "log_alpha[:, t] = np.where(valid[:, t, None], reached + scores[:, t], 0)",
        ALL_THAT_COUNTS,
        LEAVE_IT_OUT,
        "the score of the class at step t is added, once.",
        {
            "crf-alpha-scores-of-the-step-before": (
                "log_alpha[:, t] = np.where(valid[:, t, None], reached + scores[:, t - 1], 0)",
                "The class at step t has the score of step t.",
            ),
            "crf-alpha-scores-twice": (
                "log_alpha[:, t] = np.where(valid[:, t, None], reached + 2 * scores[:, t], 0)",
                "Here the score is added inside the sum and once more outside.",
            ),
        },
    ),
    *mistakes_in(
        "crf_log_alpha",
        "log_Z",
        "log_Z = log_sum_exp(at_last_step(log_alpha, lengths) + params.end, axis=1)",
        WHERE_ROWS_END,
        "Where does a row end, and what is the sum over? Pad one row further: log_Z may not change.",
        "the log-sum over the class at the row's last step, with the score of being last.",
        {
            "crf-log-z-end-forgotten": (
                "log_Z = log_sum_exp(at_last_step(log_alpha, lengths), axis=1)",
                "The last class has a score for being last.",
            ),
            "crf-log-z-from-the-last-column": (
                "log_Z = log_sum_exp(log_alpha[:, -1] + params.end, axis=1)",
                "The last column of a short row is padding.",
            ),
            "crf-log-z-maximum-for-sum": (
                "log_Z = (at_last_step(log_alpha, lengths).real + params.end).max(axis=1)",
                "Z is over all sequences, whatever they end in.",
            ),
            "crf-log-z-start-for-end": (
                "log_Z = log_sum_exp(at_last_step(log_alpha, lengths) + params.start, axis=1)",
                "The start was counted at the start.",
            ),
        },
    ),
    *mistakes_in(
        "crf_log_alpha",
        "log_Z",
        "return log_alpha, np.where(lengths > 0, log_Z, 0)",
        "Of no steps there is one sequence, the empty one, and nothing in it has a score.",
        "What is the sum over all sequences of a row of length 0?",
        "a row of no steps has one sequence, with score 0.",
        {"crf-log-z-of-an-empty-row": ("return log_alpha, log_Z", "An empty row has no last class.")},
    ),
)

BETA = (
    *mistakes_in(
        "crf_log_beta",
        "log_beta",
        "after = (scores + log_beta)[:, min(t + 1, T - 1), None, :]",
        ALL_THAT_COUNTS,
        LEAVE_IT_OUT,
        "what comes after step t begins with the score of step t + 1.",
        {
            "crf-beta-scores-forgotten": (
                "after = log_beta[:, min(t + 1, T - 1), None, :]",
                "Without scores what comes after has only its transitions.",
            ),
            "crf-beta-scores-of-the-same-step": (
                "after = scores[:, t, None, :] + log_beta[:, min(t + 1, T - 1), None, :]",
                "The score of step t is log_alpha's; beta begins behind it.",
            ),
        },
    ),
    *mistakes_in(
        "crf_log_beta",
        "log_beta",
        "onward = log_sum_exp(params.transitions + after, axis=2)",
        "On the way back the sum is over what a transition goes to.",
        "Which class is summed over on the way back? Try transitions that are not symmetric.",
        "the log-sum over the class that comes next.",
        {
            "crf-beta-transitions-transposed": (
                "onward = log_sum_exp(params.transitions.T + after, axis=2)",
                "Here the score of v before u is added where u stands before v.",
            ),
            "crf-beta-sum-over-the-class-before": (
                "onward = log_sum_exp(params.transitions + after, axis=1)",
                "Here the sum is over the class at t; it needs to be over the class at t + 1.",
            ),
            "crf-beta-maximum-for-sum": (
                "onward = (params.transitions + after.real).max(axis=2)",
                "All ways onward count, not the best alone.",
            ),
        },
    ),
    *mistakes_in(
        "crf_log_beta",
        "log_beta",
        "onward = np.where(lengths[:, None] == t + 1, params.end, onward)",
        WHERE_ROWS_END,
        "Where does the way back begin in a short row, and with what?",
        "at a row's own last step it is the score of being last.",
        {
            "crf-beta-end-forgotten": (
                "onward = np.where(lengths[:, None] == t + 1, 0, onward)",
                "The last class has a score for being last.",
            ),
            "crf-beta-from-the-last-column": (
                "onward = np.where(t + 1 == T, params.end, onward)",
                "The last column of a short row is padding.",
            ),
        },
    ),
)

MARGINALS = (
    *mistakes_in(
        "crf_marginals",
        "marginals",
        "log_marginals = log_alpha + log_beta - log_Z[:, None, None]",
        "A sequence through a class is a beginning that ends in it and what comes after, and each score is in one.",
        "Do the probabilities at one step add up to 1?",
        "beginnings times what comes after, divided by all of them.",
        {
            "crf-marginals-scores-twice": (
                "log_marginals = log_alpha + scores + log_beta - log_Z[:, None, None]",
                "The score of step t is in log_alpha already.",
            ),
            "crf-marginals-not-normalized": (
                "log_marginals = log_alpha + log_beta",
                "Probabilities are divided by Z.",
            ),
            "crf-marginals-of-the-past-alone": (
                "log_marginals = log_alpha - log_sum_exp(log_alpha, axis=2)[:, :, None]",
                "What comes after says something about the class too.",
            ),
        },
    ),
    *mistakes_in(
        "crf_marginals",
        "pairs",
        "log_pairs = log_alpha[:, :-1, :, None] + params.transitions + after - log_Z[:, None, None, None]",
        "A beginning that ends in one class, the transition, and what comes after from the other class on.",
        "Add the pairs up over the second class. Is that the first one's probability?",
        "all of a sequence's scores are in it, the transition's too.",
        {
            "crf-pairs-transition-forgotten": (
                "log_pairs = log_alpha[:, :-1, :, None] + after - log_Z[:, None, None, None]",
                "The score of the transition itself is in neither part.",
            ),
            "crf-pairs-transition-transposed": (
                "log_pairs = log_alpha[:, :-1, :, None] + params.transitions.T + after - log_Z[:, None, None, None]",
                "The transition goes from the class at t - 1 to the class at t.",
            ),
            "crf-pairs-alpha-of-the-same-step": (
                "log_pairs = log_alpha[:, 1:, :, None] + params.transitions + after - log_Z[:, None, None, None]",
                "The beginning ends a step before what comes after begins.",
            ),
        },
    ),
    *mistakes_in(
        "crf_marginals",
        "pairs",
        "after = (scores + log_beta)[:, 1:, None, :]",
        ALL_THAT_COUNTS,
        "Add the pairs up over the first class. Is that the second one's probability?",
        "what comes after step t - 1 begins with the score of step t.",
        {
            "crf-pairs-next-score-forgotten": (
                "after = log_beta[:, 1:, None, :]",
                "The score of step t is in neither part.",
            ),
        },
    ),
    *mistakes_in(
        "crf_marginals",
        "pairs",
        "pairs[:, 1:] = np.exp(np.where(valid[:, 1:, None, None], log_pairs, -np.inf))",
        WHERE_ROWS_END,
        "How many pairs of neighbours has a row of L steps?",
        "a pair is there where both of its steps are.",
        {
            "crf-pairs-into-the-padding": (
                "pairs[:, 1:] = np.exp(np.where(valid[:, :-1, None, None], log_pairs, -np.inf))",
                "Here the last step is paired with padding.",
            ),
        },
    ),
)

VITERBI = (
    *mistakes_in(
        "crf_viterbi",
        "best",
        "reached = params.start if t == 0 else ways.max(axis=1)",
        "Viterbi's algorithm is the forward algorithm with the maximum for the log-sum.",
        "What reaches a step? Work out two steps of two classes by hand.",
        "at the first step the start, then the maximum over the class before.",
        {
            "viterbi-start-forgotten": (
                "reached = 0 * params.start if t == 0 else ways.max(axis=1)",
                "The first class has a score for being first.",
            ),
            "viterbi-sum-for-maximum": (
                "reached = params.start if t == 0 else log_sum_exp(ways, axis=1)",
                "The log-sum over the class before is the forward algorithm's; the best sequence has one way.",
            ),
            "viterbi-maximum-over-the-next-class": (
                "reached = params.start if t == 0 else ways.max(axis=2)",
                "Here the maximum is over the class at t; it needs to be over the class at t - 1.",
            ),
        },
    ),
    *mistakes_in(
        "crf_viterbi",
        "best",
        "ways = before + params.transitions",
        FROM_U_TO_V,
        "Try transitions that are not symmetric.",
        "from the class before to the class after.",
        {
            "viterbi-transitions-transposed": (
                "ways = before + params.transitions.T",
                "Here the score of v before u is added where u stands before v.",
            ),
            "viterbi-transitions-forgotten": (
                "ways = before + 0 * params.transitions",
                "Without transitions each step is alone, as under a softmax.",
            ),
        },
    ),
    *mistakes_in(
        "crf_viterbi",
        "came_from",
        "came_from[:, t] = ways.argmax(axis=1)",
        "What is remembered at a step is where its maximum came from.",
        "Follow the pointers back by hand. Do the scores along the path add up to the best score?",
        "for each class at t the class at t - 1 that its maximum came from.",
        {
            "viterbi-pointers-of-the-next-class": (
                "came_from[:, t] = ways.argmax(axis=2)",
                "Here each class points to where it goes to.",
            ),
        },
    ),
    *mistakes_in(
        "crf_viterbi",
        "path",
        "ended = at_last_step(best, lengths) + params.end",
        WHERE_ROWS_END,
        "Where does a short row's path end, and which class is best there?",
        "the best at the row's own last step, with the score of being last.",
        {
            "viterbi-end-forgotten": ("ended = at_last_step(best, lengths)", "The last class has a score for it."),
            "viterbi-from-the-last-column": ("ended = best[:, -1] + params.end", "The last column may be padding."),
        },
    ),
    *mistakes_in(
        "crf_viterbi",
        "path",
        "y = np.where(t == lengths - 1, ended.argmax(axis=1), came_from[np.arange(N), t + 1, y])",
        "The path is read backwards, each step by the pointer of the step behind it.",
        "Which pointer says what stands at step t, and where does a short row's path begin to be read?",
        "the last class first, then from pointer to pointer.",
        {
            "viterbi-each-step-alone": (
                "y = np.where(t == lengths - 1, ended.argmax(axis=1), best[:, t].argmax(axis=1))",
                "The best beginning at t need not lead to the best whole.",
            ),
            "viterbi-pointer-of-the-same-step": (
                "y = np.where(t == lengths - 1, ended.argmax(axis=1), came_from[np.arange(N), t, y])",
                "The pointer to step t is kept at step t + 1.",
            ),
            "viterbi-read-from-the-last-column": (
                "y = np.where(t == T - 1, ended.argmax(axis=1), came_from[np.arange(N), t + 1, y])",
                "In the padding there are no pointers.",
            ),
        },
    ),
)

BUGS = (*ALPHA, *BETA, *MARGINALS, *VITERBI)
