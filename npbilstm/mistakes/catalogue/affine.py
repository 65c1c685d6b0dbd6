"""What people get wrong in the affine map from hidden states to scores: how steps and rows come together."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BUGS = (
    *mistakes_in(
        "affine_forward",
        "scores",
        "scores = x @ W + b",
        "An affine map is a linear one, and moved.",
        "Count the weights that are handed over, and those that are used.",
        "of an x of 0 they should not be 0.",
        {"affine-bias-missing": ("scores = x @ W", "The bias is not added.")},
    ),
    *mistakes_in(
        "affine_backward",
        "dW",
        "dW = x.reshape(-1, D).T @ dscores.reshape(-1, V)",
        "The same weights are used at every step of every row.",
        "Repeat every row of the batch, and keep dscores as it is. By how much should the gradient grow?",
        "a sum over all steps of all rows, of an outer product of what came in and what comes back.",
        {
            "affine-dw-mean-over-rows": (
                "dW = x.reshape(-1, D).T @ dscores.reshape(-1, V) / len(x)",
                "It is divided by the number of rows.",
            ),
            "affine-dw-last-step-only": ("dW = x[:, -1].T @ dscores[:, -1]", "The last step alone is counted."),
            "affine-dw-first-step-only": (
                "dW = x[:, 0].T @ dscores[:, 0]",
                "The first step alone is counted: in a loop from the last to the first, = leaves it where += adds.",
            ),
        },
    ),
    *mistakes_in(
        "affine_backward",
        "db",
        "db = dscores.reshape(-1, V).sum(axis=0)",
        "The bias is added at every step of every row.",
        "How often is one number of the bias used in the forward pass?",
        "as many numbers as the bias has, each a sum over steps and rows.",
        {
            "affine-db-mean-over-steps-and-rows": ("db = dscores.reshape(-1, V).mean(axis=0)", "It is a mean."),
            "affine-db-mean-over-rows": ("db = dscores.reshape(-1, V).sum(axis=0) / len(x)", "It is a mean over rows."),
            "affine-db-last-step-only": ("db = dscores[:, -1].sum(axis=0)", "The last step alone is counted."),
            "affine-db-first-step-only": (
                "db = dscores[:, 0].sum(axis=0)",
                "The first step alone is counted: in a loop from the last to the first, = leaves it where += adds.",
            ),
            "affine-db-added-to-itself": (
                "db = 0 * dscores.reshape(-1, V).sum(axis=0)",
                "It is 0: db += db adds it to itself, which it does not get beyond.",
            ),
        },
    ),
    *mistakes_in(
        "affine_backward",
        "dW, db",
        "return dx, dW, db",
        "How rows and steps are weighed is for the loss to say; what is behind it adds up.",
        "Compare the gradients of a batch with those of its rows, each alone, added up.",
        "sums over all steps of all rows, with nothing done to them behind the sum.",
        {
            "affine-gradients-divided-by-rows": (
                "return dx, dW / len(x), db / len(x)",
                "Both are divided by the number of rows. Where the loss is a mean, it did that.",
            ),
            "affine-gradients-divided-by-rows-and-steps": (
                "return dx, dW * V / dscores.size, db * V / dscores.size",
                "Both are divided by the number of rows and steps. Where the loss is a mean, it did that.",
            ),
        },
    ),
)
