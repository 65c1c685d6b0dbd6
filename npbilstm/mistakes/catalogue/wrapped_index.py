"""The index that wraps round: t - 1 at t = 0 is -1, which in Python is no error but the last entry."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

CONCEPT = "Before the first step stands the initial state, and nothing else."
VAGUE = "Follow the walk back to step 0. Which state does it take for the one before it?"
DEMAND = "at step 0 they are the initial ones; what an index of t - 1 finds there is another matter."
SAID = "Step 0 is walked back with the last step's {0}: {1}[t - 1] at t = 0 is {1}[-1]. It needs the initial one."

BUGS = (
    *mistakes_in(
        "lstm_forward",
        "h_prev, c_prev",
        "LSTMCache(steps, valid, params)",
        CONCEPT,
        VAGUE,
        DEMAND,
        {
            "old-hidden-state-wraps-round": (
                "LSTMCache([steps[0]._replace(h_prev=h_t), *steps[1:]], valid, params)",
                SAID.format("hidden state", "h"),
            ),
            "old-cell-state-wraps-round": (
                "LSTMCache([steps[0]._replace(c_prev=c_t), *steps[1:]], valid, params)",
                SAID.format("cell state", "c"),
            ),
            "old-states-wrap-round": (
                "LSTMCache([steps[0]._replace(h_prev=h_t, c_prev=c_t), *steps[1:]], valid, params)",
                SAID.format("two states", "h"),
            ),
        },
    ),
    *mistakes_in(
        "lstm_forward",
        "h_prev",
        "h_new, c_new, cache = lstm_step_forward(x[:, t], h_t, c_t, params)",
        CONCEPT,
        "Give an initial hidden state that is not 0. Does the first step take notice?",
        "before step 0 it is h0, and after a padded step what it was before.",
        {
            "hidden-state-read-from-outputs": (
                "h_new, c_new, cache = lstm_step_forward(x[:, t], h[:, t - 1], c_t, params)",
                "It is read from the outputs: at t = 0 that is h[:, -1], which is 0 still; and 0 behind padding.",
            ),
        },
    ),
    *mistakes_in(
        "recurrent_forward",
        "h_prev",
        "RecurrentCache(steps, valid, tuple(state), params)",
        CONCEPT,
        VAGUE,
        DEMAND,
        {
            "recurrent-old-state-wraps-round": (
                "RecurrentCache([type(steps[0])(steps[0][0], state_t[0], *steps[0][2:]), *steps[1:]], valid, "
                "tuple(state), params)",
                SAID.format("state", "h"),
            ),
        },
    ),
    *mistakes_in(
        "recurrent_forward",
        "h_prev",
        "*state_new, cache = step_forward(x[:, t], *state_t, params, *masks)",
        CONCEPT,
        "Give an initial state that is not 0. Does the first step take notice?",
        "before step 0 it is that of state_0, and after a padded step what it was before.",
        {
            "recurrent-state-read-from-outputs": (
                "*state_new, cache = step_forward(x[:, t], y[:, t - 1], *state_t[1:], params, *masks)",
                "It is read from the outputs: at t = 0 that is y[:, -1], which is 0 still; and 0 behind padding.",
            ),
        },
    ),
)
