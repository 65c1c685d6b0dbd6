"""What people get wrong where layers stand upon one another: whose state is whose, and what flows down."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, BACKWARD = "stacked_lstm_forward", "stacked_lstm_backward"

BUGS = (
    *mistakes_in(
        FORWARD,
        "h^l",
        "h, h_last, c_last, cache = lstm_forward(h, h0[layer], c0[layer], weights, lengths)",
        "Every layer has weights and initial states of its own.",
        "Look at what each layer is given besides what the one below puts out.",
        "it begins in states that no other layer begins in.",
        {
            "stacked-all-start-in-first-hidden-state": (
                "h, h_last, c_last, cache = lstm_forward(h, h0[0], c0[layer], weights, lengths)",
                "All layers begin in the lowest layer's h.",
            ),
            "stacked-all-start-in-first-cell-state": (
                "h, h_last, c_last, cache = lstm_forward(h, h0[layer], c0[0], weights, lengths)",
                "All layers begin in the lowest layer's c.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh^{l-1}",
        "dh, dh0[layer], dc0[layer], here = lstm_backward(dh, dh_T[layer], dc_T[layer], cache.layers[layer])",
        "The loss sees the highest layer's outputs, and the final states of all.",
        "Which gradients of final states does each layer get?",
        "each layer gets its own, not another's and not nothing.",
        {
            "stacked-top-final-hidden-gradient-for-all": (
                "dh, dh0[layer], dc0[layer], here = lstm_backward(dh, dh_T[-1], dc_T[layer], cache.layers[layer])",
                "Every layer gets the highest layer's dh_T.",
            ),
            "stacked-top-final-cell-gradient-for-all": (
                "dh, dh0[layer], dc0[layer], here = lstm_backward(dh, dh_T[layer], dc_T[-1], cache.layers[layer])",
                "Every layer gets the highest layer's dc_T.",
            ),
            "stacked-final-gradients-ignored": (
                "dh, dh0[layer], dc0[layer], here = lstm_backward(dh, 0 * dh_T[0], 0 * dc_T[0], cache.layers[layer])",
                "The gradients of the final states are lost.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh0",
        "return dh, dh0, dc0, tuple(grads)",
        "The first axis of the states is the layer, the lowest first, on the way out and on the way back.",
        "In which order are the layers gone through, and in which order do their gradients stand?",
        "it stands in the order in which h0 came.",
        {"stacked-state-gradients-in-reverse": ("return dh, dh0[::-1], dc0[::-1], tuple(grads)", "Highest first.")},
    ),
)
