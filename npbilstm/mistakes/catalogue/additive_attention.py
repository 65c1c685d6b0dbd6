"""What goes wrong in additive attention's own equations; what both kinds share is in attention.py."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

ADDITIVE, ADDITIVE_BACK = "additive_attention_forward", "additive_attention_backward"

BUGS = (
    *mistakes_in(
        ADDITIVE,
        "z",
        "z = tanh((query @ params.Wq)[:, None] + source @ params.Wk)",
        "A sum is squashed before it is weighed: without that the query would raise all scores alike.",
        "What do the weights do when the query changes, and nothing else?",
        "the query's part and the key's are added, and the tanh is of the sum.",
        {
            "additive-attention-tanh-missing": (
                "z = (query @ params.Wq)[:, None] + source @ params.Wk",
                "The tanh is missing: then the query's part is the same at all steps, and the softmax drops it.",
            ),
            "additive-attention-query-forgotten": (
                "z = tanh(0 * (query @ params.Wq)[:, None] + source @ params.Wk)",
                "The query has no part in the scores: every step of the decoder looks at the same place.",
            ),
            "additive-attention-product-for-sum": (
                "z = tanh((query @ params.Wq)[:, None] * (source @ params.Wk))",
                "The two parts are multiplied; they are added.",
            ),
            "additive-attention-sigmoid-for-tanh": (
                "z = sigmoid((query @ params.Wq)[:, None] + source @ params.Wk)",
                "A sigmoid stands where the tanh belongs.",
            ),
        },
    ),
    *mistakes_in(
        ADDITIVE_BACK,
        "dz",
        "dz = dscores[:, :, None] * params.v",
        "On the way back each number passes what it passed on its way out.",
        "How does z get into the score? What does that make of the score's gradient?",
        "the score's gradient comes back through v.",
        {
            "additive-attention-dz-lacks-v": (
                "dz = dscores[:, :, None] * np.ones_like(params.v)",
                "The factor v is missing.",
            )
        },
    ),
    *mistakes_in(
        ADDITIVE_BACK,
        "da",
        "da = dz * tanh_derivative(z)",
        "What was squashed has the squashing's slope on its way back.",
        "Between dz and the two products there is one more step of the forward pass. Which?",
        "the slope of the tanh, of which z is the value.",
        {
            "additive-attention-tanh-slope-missing": ("da = dz", "The slope 1 - z^2 is missing."),
            "additive-attention-tanh-taken-twice": (
                "da = dz * tanh_derivative(tanh(z))",
                "z is the tanh already; here it is taken of it once more.",
            ),
            "additive-attention-tanh-slope-square-missing": ("da = dz * (1 - z)", "The slope is 1 - z^2, not 1 - z."),
        },
    ),
    *mistakes_in(
        ADDITIVE_BACK,
        "dquery, dWq",
        "da_sum = da.sum(axis=1)",
        "Who is compared with every key hears from every one of them.",
        "The query was used at every step of the source. How many gradients does it get, and what becomes of them?",
        "what all steps say of the query is added up.",
        {
            "additive-attention-query-gradient-is-a-mean": (
                "da_sum = da.mean(axis=1)",
                "A mean over the steps, where the query is used at each: the gradient is a sum.",
            ),
            "additive-attention-query-gradient-of-last-step": (
                "da_sum = da[:, -1]",
                "The last step's alone: in a loop over the steps it was set, not added.",
            ),
        },
    ),
    *mistakes_in(
        ADDITIVE_BACK,
        "dkeys",
        "dkeys = alpha[:, :, None] * dcontext[:, None] + da @ params.Wk.T",
        "What is seen twice has two shares of its gradient.",
        "Where does a key go? Follow it forward, to all that is made of it.",
        "a key is in the mean, and in its own score: both shares are needed.",
        {
            "additive-attention-dkeys-lacks-score": (
                "dkeys = alpha[:, :, None] * dcontext[:, None] + 0 * source",
                "The share by way of the score is left out.",
            ),
            "additive-attention-dkeys-lacks-context": (
                "dkeys = da @ params.Wk.T",
                "The share by way of the context is left out.",
            ),
        },
    ),
    *mistakes_in(
        ADDITIVE_BACK,
        "dWk",
        "dWk = source.reshape(-1, E).T @ da.reshape(-1, A)",
        "Weights that are used at every step of every row hear from all of them.",
        "How many keys went through Wk?",
        "all steps of all rows are summed, and divided by nothing.",
        {
            "additive-attention-dwk-overwritten-over-steps": (
                "dWk = source[:, -1].T @ da[:, -1]",
                "The last step's alone: in a loop over the steps it was set, not added.",
            ),
            "additive-attention-dwk-mean-over-rows": (
                "dWk = source.reshape(-1, E).T @ da.reshape(-1, A) / len(query)",
                "A mean over the rows; the loss's own mean is in what comes from above.",
            ),
            "additive-attention-dwk-by-weights": (
                "dWk = (alpha[:, :, None] * source).reshape(-1, E).T @ da.reshape(-1, A)",
                "The weighted keys stand where the keys belong: what went through Wk were the keys themselves.",
            ),
        },
    ),
    *mistakes_in(
        ADDITIVE_BACK,
        "dv",
        "dv = (dscores[:, :, None] * z).sum(axis=(0, 1))",
        "Weights that are used at every step of every row hear from all of them.",
        "What was v multiplied by, and how often?",
        "each step's dscores times what v weighed there, summed.",
        {
            "additive-attention-dv-by-weights": (
                "dv = (alpha[:, :, None] * z).sum(axis=(0, 1))",
                "The weights stand where their scores' gradients belong.",
            ),
            "additive-attention-dv-is-a-mean": (
                "dv = (dscores[:, :, None] * z).mean(axis=(0, 1))",
                "A mean over rows and steps; the loss's own mean is in what comes from above.",
            ),
        },
    ),
)
