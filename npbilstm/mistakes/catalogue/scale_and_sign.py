"""What people do to all gradients at once at the end of a backward pass: divide them, turn their sign."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in
from npbilstm.mistakes.planting import Bug

SCALE = "How rows are weighed is for the loss to say; what is behind it adds up."
SIGN = "A gradient says which way the loss goes when what it belongs to grows; descent subtracts it."


def of_all(function: str, equation: str, line: str, changed: str, name: str, rows: str) -> tuple[Bug, ...]:
    """The mistakes in the line that gives all gradients back.

    changed: the line, with "+" for the sign of each gradient that is no weight's and "each" for those of the weights.
    name: what the ids begin with. rows: the number of rows, as the function's code can say it.
    """

    def wrong(sign: str, each: str) -> str:
        return changed.replace("+", sign).replace("(each", f"({each}")

    return (
        *mistakes_in(
            function,
            equation,
            line,
            SCALE,
            "Compare the gradients of a batch with those of its rows, each alone, added up.",
            "of the weights they are sums over all rows, with nothing done to them behind the sum.",
            {
                f"{name}-divided-by-rows": (
                    wrong("", f"each / {rows}"),
                    "The weights' gradients are divided by the number of rows. Where the loss is a mean, it did that.",
                ),
                f"{name}-times-rows": (
                    wrong("", f"each * {rows}"),
                    "The weights' gradients are as many times too large as there are rows. Where a course wants means "
                    "over the rows, the division is missing.",
                ),
            },
        ),
        *mistakes_in(
            function,
            equation,
            line,
            SIGN,
            "Look at one number of each gradient, and at what the loss does when what it belongs to grows a little.",
            "where the loss grows they are positive; which way to go is for whoever updates the weights.",
            {
                f"{name}-negated": (wrong("-", "-each"), "All signs are wrong: these are directions of descent."),
                f"{name}-of-weights-negated": (
                    wrong("", "-each"),
                    "The signs of the weights' gradients are wrong: these are directions of descent.",
                ),
            },
        ),
    )


def of_step(function: str, made: str, weights: str, state: str, name: str) -> tuple[Bug, ...]:
    """Of a cell's step, which gives dx, the old state's gradients, and the weights' as a NamedTuple."""
    line = f"return {state}, {made}({weights})"
    signed = ", ".join(f"+{each}" for each in state.split(", "))
    return of_all(
        function, f"{state}, grads", line, f"return {signed}, {made}(*(each for each in ({weights})))", name, "len(x)"
    )


STATE = "dx, dh_prev"
WEIGHTS = "dWx, dWh, db"

BUGS = (
    *of_step("lstm_step_backward", "LSTMParams", WEIGHTS, f"{STATE}, dc_prev", "step-gradients"),
    *of_step("step_backward", "RNNParams", WEIGHTS, STATE, "rnn-gradients"),
    *of_step("gru_step_backward", "GRUParams", f"{WEIGHTS}, db_hn", STATE, "gru-gradients"),
    *of_step("gru_reset_before_step_backward", "GRUResetBeforeParams", WEIGHTS, STATE, "gru-before-gradients"),
    *of_all(
        "lstm_backward",
        "dx, dh0, dc0, grads",
        "return dx, dh_next, dc_next, grads",
        "return +dx, +dh_next, +dc_next, LSTMParams(*(each for each in grads))",
        "gradients",
        "N",
    ),
    *of_all(
        "recurrent_backward",
        "dx, dstate_0, grads",
        "return dx, dstate_next, grads",
        "return +dx, tuple(+part for part in dstate_next), params._make((each for each in grads))",
        "recurrent-gradients",
        "N",
    ),
    *mistakes_in(
        "lstm_backward",
        "grads",
        "return dx, dh_next, dc_next, grads",
        SCALE,
        "Compare the gradients of a batch with those of its rows, each alone, added up.",
        "of the weights they are sums over all rows and steps, with nothing done to them behind the sum.",
        {
            "gradients-divided-by-rows-and-steps": (
                "return dx, dh_next, dc_next, LSTMParams(*(each / (N * T) for each in grads))",
                "The weights' gradients are divided by the number of rows and steps.",
            ),
        },
    ),
)
