"""Gradients clipped inside the backward pass: behind a constant bound they are no derivatives any more.

Whatever the bound is: `clipped_to` has the mistakes of any, and the diagnosis asks for those of a bound that it sees.
"""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in
from npbilstm.mistakes.planting import Bug

CONCEPT = "Clipping belongs to the update of the weights: behind it a gradient is no derivative any more."
VAGUE = "Multiply the upstream gradient by 1000. Do all gradients follow?"
LINEAR = "linear in what comes from above, however large that is."
OFTEN = (1, 5, 10)
"""Bounds that are often seen."""

LSTM, ANY = "lstm_backward", "recurrent_backward"
FROM_EACH = "backward_from_each_step"
SUM = "total + here for total, here in zip(grads, grads_t)"


def of_sums(bound: float) -> tuple[Bug, ...]:
    """The weights' gradients clipped behind the loop."""
    b = f"{bound:.9g}"
    said = f"The weights' gradients are clipped, here to {b}."
    return tuple(
        bug
        for function, equation, line, changed, name in (
            (
                LSTM,
                "grads",
                "return dx, dh_next, dc_next, grads",
                f"return dx, dh_next, dc_next, LSTMParams(*(each.clip(-{b}, {b}) for each in grads))",
                f"gradients-clipped-to-{b}",
            ),
            (
                ANY,
                "grads",
                "return dx, dstate_next, grads",
                f"return dx, dstate_next, params._make(each.clip(-{b}, {b}) for each in grads)",
                f"recurrent-gradients-clipped-to-{b}",
            ),
            (
                "affine_backward",
                "dW, db",
                "return dx, dW, db",
                f"return dx, dW.clip(-{b}, {b}), db.clip(-{b}, {b})",
                f"affine-gradients-clipped-to-{b}",
            ),
            (
                FROM_EACH,
                "grads",
                "return grads",
                f"return params._make(each.clip(-{b}, {b}) for each in grads)",
                f"each-step-gradients-clipped-to-{b}",
            ),
        )
        for bug in mistakes_in(function, equation, line, CONCEPT, VAGUE, LINEAR, {name: (changed, said)})
    )


def on_the_way(bound: float) -> tuple[Bug, ...]:
    """What is handed from step to step clipped, or each step's gradients of the weights."""
    b = f"{bound:.9g}"
    return tuple(
        bug
        for function, equation, line, changed, name, what in (
            (
                "step_backward",
                "da",
                "da = dh * derivative(h)",
                f"da = (dh * derivative(h)).clip(-{b}, {b})",
                "rnn-da-clipped",
                "The pre-activation's gradient",
            ),
            (
                "lstm_step_backward",
                "da",
                "da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)",
                f"da = np.concatenate([da_i, da_f, da_g, da_o], axis=1).clip(-{b}, {b})",
                "da-clipped",
                "The pre-activations' gradient",
            ),
            *(
                (
                    function,
                    "dWx, dWh, db",
                    f"{made}(dWx, dWh, db)",
                    f"{made}(*(each.clip(-{b}, {b}) for each in (dWx, dWh, db)))",
                    f"{name}-gradients-clipped",
                    "The weights' gradients",
                )
                for function, made, name in (
                    ("step_backward", "RNNParams", "rnn-step"),
                    ("lstm_step_backward", "LSTMParams", "step"),
                    ("gru_reset_before_step_backward", "GRUResetBeforeParams", "gru-before-step"),
                )
            ),
            (
                LSTM,
                "dh_next",
                "dh_next = np.where(v, dh_prev, dh_next)",
                f"dh_next = np.where(v, dh_prev.clip(-{b}, {b}), dh_next)",
                "dh-next-clipped",
                "What goes on to the step before",
            ),
            (
                LSTM,
                "grads",
                f"grads = LSTMParams(*({SUM}))",
                f"grads = LSTMParams(*(total + here.clip(-{b}, {b}) for total, here in zip(grads, grads_t)))",
                "grads-clipped-at-each-step",
                "Each step's gradients of the weights",
            ),
            (
                ANY,
                "dh_next",
                "dstate_next = tuple(np.where(v, prev, held) for prev, held in zip(dstate_prev, dstate_next))",
                f"dstate_next = tuple(np.where(v, prev.clip(-{b}, {b}), held) for prev, held in "
                "zip(dstate_prev, dstate_next))",
                "recurrent-carry-clipped",
                "What goes on to the step before",
            ),
        )
        for bug in mistakes_in(
            function,
            equation,
            line,
            CONCEPT,
            VAGUE,
            LINEAR,
            {f"{name}-to-{b}": (changed, f"{what} is clipped, here to {b}.")},
        )
    )


def clipped_to(bound: float) -> tuple[Bug, ...]:
    """The mistakes that clip something to this bound."""
    return (*of_sums(bound), *on_the_way(bound))


BUGS = tuple(bug for bound in OFTEN for bug in of_sums(bound) if bug.function in (LSTM, ANY))
