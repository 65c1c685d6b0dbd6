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
            "affine-db-added-to-itself": (
                "db = 0 * dscores.reshape(-1, V).sum(axis=0)",
                "It is 0: db += db adds it to itself, which it does not get beyond.",
            ),
        },
    ),
)
