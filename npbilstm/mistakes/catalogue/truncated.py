"""What people get wrong in truncated backpropagation through time: what goes on to the next window, and what stops."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, BACKWARD = "truncated_forward", "truncated_backward"

BUGS = (
    *mistakes_in(
        FORWARD,
        "state",
        "y, state, cache = recurrent_forward(step_forward, x[:, start : start + window], state, params)",
        "A window begins where the one before ended: the sequence is cut for the gradient alone.",
        "What does the second window begin with? Compare the outputs with those of one window.",
        "it goes from window to window.",
        {
            "truncated-state-not-carried": (
                "y, _, cache = recurrent_forward(step_forward, x[:, start : start + window], state, params)",
                "Every window begins in the initial state.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dstate",
        "dstate = tuple(np.zeros_like(part) for part in dstate_0)",
        "The state goes on, its gradient does not: that is what is truncated.",
        "How far back does the loss at the last step reach?",
        "nothing of it passes from a window to the one before.",
        {
            "truncated-not-cut": ("dstate = dstate_0", "The gradient goes on: nothing is truncated."),
            "truncated-final-gradient-in-every-window": (
                "dstate = dstate_T",
                "The final state's gradient comes in at the end of every window.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "grads",
        "grads = grads_w if grads is None else grads._make(total + here for total, here in zip(grads, grads_w))",
        "The params are used in every window.",
        "Which windows take part in the gradient of a weight?",
        "a sum over the windows.",
        {"truncated-grads-of-first-window-only": ("grads = grads_w", "Each window overwrites those after it.")},
    ),
)
