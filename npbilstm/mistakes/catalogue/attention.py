"""What goes wrong in attention: in either kind, in its softmax, and in the dot product."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

DOT, DOT_BACK = "dot_attention_forward", "dot_attention_backward"
ADDITIVE = "additive_attention_forward"

SCORES = {
    DOT: ("dot-attention", "(keys * query[:, None]).sum(axis=2)"),
    ADDITIVE: (
        "additive-attention",
        "tanh((query @ params.Wq)[:, None] + keys @ params.Wk) @ params.v",
    ),
}
"""Both kinds: what their mistakes' names begin with, and how the scores of all steps are computed, padded ones too."""

OF_BOTH = tuple(
    bug
    for function, (kind, scores) in SCORES.items()
    for bug in (
        *mistakes_in(
            function,
            "alpha",
            "source, valid = valid_keys(query, keys, lengths)",
            "What stands in the padding never matters, and nobody looks at it.",
            "Give one row a shorter source than the others. Do its weights take notice?",
            "a padded step must have a weight of exactly 0, and the valid ones the sum 1.",
            {
                f"{kind}-lengths-ignored": (
                    "source, valid = valid_keys(query, keys, None)",
                    "The softmax is over all steps, padded ones too: the lengths are not used.",
                )
            },
        ),
        *mistakes_in(
            function,
            "alpha",
            "alpha = softmax_over_steps(scores, valid)",
            "Weights are positive, and those of a row's valid steps have the sum 1.",
            "Add up the weights of each row. What should the sums be, and what are they?",
            "the softmax is over the valid steps of one row, and over nothing else.",
            {
                f"{kind}-weights-not-renormalised": (
                    f"alpha = softmax_over_steps({scores}, np.ones_like(valid)) * valid",
                    "The padding is masked behind the softmax, when it has taken its share: the rest is less than 1.",
                ),
                f"{kind}-padding-scores-zero": (
                    "source, alpha = keys, softmax_over_steps(np.where(valid, scores, 0), np.ones_like(valid))",
                    "The padding's scores are set to 0, of which exp is 1; minus infinity is what gives 0.",
                ),
                f"{kind}-softmax-over-rows": (
                    "alpha = softmax_over_steps(scores.T, valid.T).T",
                    "The softmax is over the rows of the batch, not over the steps.",
                ),
                f"{kind}-softmax-missing": (
                    "alpha = np.where(valid, scores, 0)",
                    "The scores themselves are the weights: the softmax is missing.",
                ),
                f"{kind}-softmax-twice": (
                    "alpha = softmax_over_steps(softmax_over_steps(scores, valid), valid)",
                    "The softmax is taken twice, which makes all weights nearly equal.",
                ),
                f"{kind}-best-step-alone": (
                    "alpha = 1.0 * (scores == np.where(valid, scores, -np.inf).max(axis=1, keepdims=True))",
                    "The best step alone is looked at: that is a maximum, not its soft form.",
                ),
            },
        ),
        *mistakes_in(
            function,
            "context",
            "context = (alpha[:, :, None] * source).sum(axis=1)",
            "A weighted mean has its weights to divide by, and they have the sum 1 already.",
            "Let all keys of a row be equal. What should the context be?",
            "the weighted keys are added up, and divided by nothing.",
            {
                f"{kind}-context-divided-by-steps": (
                    "context = (alpha[:, :, None] * source).mean(axis=1)",
                    "A mean of what is weighted already: the context is S times too small.",
                ),
                f"{kind}-context-without-weights": (
                    "context = source.sum(axis=1) / np.maximum(valid.sum(axis=1, keepdims=True), 1)",
                    "All steps count alike: the weights are not used.",
                ),
            },
        ),
        *mistakes_in(
            function.replace("forward", "backward"),
            "dalpha",
            "dalpha = np.where(valid, dalpha + (source * dcontext[:, None]).sum(axis=2), 0)",
            "What is seen twice has two shares of its gradient.",
            "Who sees the weights? If one of them grows a little, what changes?",
            "both shares are needed: that of the loss that sees the weights, and that by way of the context.",
            {
                f"{kind}-dalpha-from-above-ignored": (
                    "dalpha = np.where(valid, (source * dcontext[:, None]).sum(axis=2), 0)",
                    "The gradient of the weights that came from above is left out.",
                ),
                f"{kind}-dalpha-from-context-ignored": (
                    "dalpha = np.where(valid, dalpha, 0)",
                    "The share by way of the context is left out: nothing teaches where to look.",
                ),
            },
        ),
    )
)

SOFTMAX = (
    *mistakes_in(
        "softmax_over_steps",
        "alpha",
        "return e / np.where(some, e.sum(axis=1, keepdims=True), 1)",
        "Weights are positive, and those of a row's valid steps have the sum 1.",
        "Add up the weights of each row. What should the sums be, and what are they?",
        "exp of the scores is divided by what all valid steps of the row have of it.",
        {
            "attention-weights-not-normalised": (
                "return np.where(valid, np.exp(scores), 0)",
                "exp of the scores is not divided by its sum.",
            ),
            "attention-weights-divided-by-the-largest": (
                "return e",
                "exp of the scores is divided by its largest, not by its sum: the largest weight is 1.",
            ),
        },
    ),
    *mistakes_in(
        "softmax_over_steps_backward",
        "dscores",
        "return alpha * (dalpha - mean)",
        "A softmax shares out a sum of 1: what one weight gains, the others lose.",
        "Raise all scores of a row by the same amount. Do its weights change? What must the gradient's sum be?",
        "the gradients of a row's scores have the sum 0.",
        {
            "attention-softmax-slope-of-a-sigmoid": (
                "return alpha * (1 - alpha) * dalpha",
                "Each weight is treated as if it were alone, a sigmoid: alpha (1 - alpha) is the diagonal of what is "
                "needed.",
            ),
            "attention-softmax-mean-missing": (
                "return alpha * dalpha",
                "What the other weights lose is missing.",
            ),
            "attention-softmax-slope-missing": (
                "return np.where(alpha != 0, dalpha, 0)",
                "The gradient passes the softmax as if it were not there.",
            ),
            "attention-softmax-factor-missing": (
                "return np.where(alpha != 0, dalpha - mean, 0)",
                "The factor alpha is missing.",
            ),
            "attention-softmax-gradient-sign": (
                "return alpha * (mean - dalpha)",
                "The sign is wrong: a weight with a larger gradient gets a smaller score's.",
            ),
        },
    ),
    *mistakes_in(
        "softmax_over_steps_backward",
        "dscores",
        "mean = (alpha * dalpha).sum(axis=1, keepdims=True)",
        "A softmax shares out a sum of 1: what one weight gains, the others lose.",
        "What is the mean of the weights' gradients taken with, and over what?",
        "the gradients of a row's scores have the sum 0, each row by itself.",
        {
            "attention-softmax-mean-over-the-batch": (
                "mean = (alpha * dalpha).sum()",
                "The sum is over all rows of the batch; a row's softmax knows its own steps alone.",
            ),
            "attention-softmax-mean-unweighted": (
                "mean = dalpha.mean(axis=1, keepdims=True)",
                "The mean is a plain one; it is the weights' own, sum_u alpha[u] dalpha[u].",
            ),
        },
    ),
)

OF_DOT = (
    *mistakes_in(
        DOT,
        "scores",
        "scores = (source * query[:, None]).sum(axis=2)",
        "A product of two vectors is a number that grows with how alike they are.",
        "Compute the scores of one row by hand. Which factor is there that should not be, or the other way round?",
        "each score is the plain product of the query with one key.",
        {
            "dot-attention-scaled": (
                "scores = (source * query[:, None]).sum(axis=2) / np.sqrt(query.shape[1])",
                "The scores are divided by sqrt(H), as Vaswani et al. 2017 do; Luong et al. 2015 do not.",
            ),
            "dot-attention-cosine": (
                "scores = (source * query[:, None]).sum(axis=2) / np.sqrt((query**2).sum(axis=1))[:, None]",
                "The query is divided by its length, which belongs to another kind of attention.",
            ),
            "dot-attention-query-of-the-first-row": (
                "scores = (source * query[0]).sum(axis=2)",
                "All rows are asked by the first row's query.",
            ),
        },
    ),
    *mistakes_in(
        DOT_BACK,
        "dquery",
        "dquery = (dscores[:, :, None] * source).sum(axis=1)",
        "Who is compared with every key hears from every one of them.",
        "If the query moves a little, which scores change, and by how much each?",
        "every step's dscores has its part, times that step's key.",
        {
            "dot-attention-dquery-by-weights": (
                "dquery = (alpha[:, :, None] * source).sum(axis=1)",
                "The weights stand where their scores' gradients belong: this is the context once more.",
            ),
            "dot-attention-dquery-is-a-mean": (
                "dquery = (dscores[:, :, None] * source).mean(axis=1)",
                "A mean over the steps, where the query is used at each: the gradient is a sum.",
            ),
        },
    ),
    *mistakes_in(
        DOT_BACK,
        "dkeys",
        "dkeys = alpha[:, :, None] * dcontext[:, None] + dscores[:, :, None] * query[:, None]",
        "What is seen twice has two shares of its gradient.",
        "Where does a key go? Follow it forward, to all that is made of it.",
        "a key is in the mean, and in its own score: both shares are needed.",
        {
            "dot-attention-dkeys-lacks-score": (
                "dkeys = alpha[:, :, None] * dcontext[:, None] + 0 * source",
                "The share by way of the score is left out.",
            ),
            "dot-attention-dkeys-lacks-context": (
                "dkeys = dscores[:, :, None] * query[:, None]",
                "The share by way of the context is left out.",
            ),
            "dot-attention-dkeys-weights-missing": (
                "dkeys = valid[:, :, None] * dcontext[:, None] + dscores[:, :, None] * query[:, None]",
                "Every step gets the whole gradient of the context, not its weight's share.",
            ),
        },
    ),
)

BUGS = (*OF_BOTH, *SOFTMAX, *OF_DOT)
