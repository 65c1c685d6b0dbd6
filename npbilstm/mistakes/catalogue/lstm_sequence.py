"""What people get wrong in the loop over time: the state, the padding, the outputs."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD = "lstm_forward"

BUGS = (
    *mistakes_in(
        FORWARD,
        "h0, c0",
        "h_t, c_t = h0, c0",
        "The sequence begins in a state that the caller gives.",
        "Look at what the first step is given as the state before it.",
        "before step 0 the hidden state is h0 and the cell state is c0: two arrays, both used.",
        {
            "initial-state-ignored": ("h_t, c_t = 0 * h0, 0 * c0", "The state starts at 0, whatever was given."),
            "initial-c-is-h0": ("h_t, c_t = h0, h0", "Both states start as one and the same array."),
            "initial-states-swapped": ("h_t, c_t = c0, h0", "The two states are swapped."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h_t, c_t",
        "h_new, c_new, cache = lstm_step_forward(x[:, t], h_t, c_t, params)",
        "Each step starts in the state in which the one before ended.",
        "Look at what a step is given as the state before it.",
        "both parts of the state come from the step before.",
        {
            "state-reset-every-step": (
                "h_new, c_new, cache = lstm_step_forward(x[:, t], h0, c0, params)",
                "Every step starts in the initial state.",
            ),
            "hidden-state-reset-every-step": (
                "h_new, c_new, cache = lstm_step_forward(x[:, t], h0, c_t, params)",
                "Every step starts with the initial h.",
            ),
            "cell-state-reset-every-step": (
                "h_new, c_new, cache = lstm_step_forward(x[:, t], h_t, c0, params)",
                "Every step starts with the initial c.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "order",
        "for t in range(T):",
        "The state walks through time from the first step to the last.",
        "Look at the order of the steps.",
        "step t needs the state that step t - 1 left.",
        {"steps-read-from-the-end": ("for t in reversed(range(T)):", "The steps are read from the last to the first.")},
    ),
    *mistakes_in(
        FORWARD,
        "h_t",
        "h_t = np.where(v, h_new, h_t)",
        "A padded step is no step: the state of that row stays as it is.",
        "Look at what happens to a row's state after its last valid step.",
        "it changes where the step is valid, and is held where it is padding.",
        {
            "padding-updates-state": (
                "h_t, c_t = h_new, c_new",
                "h and c go on changing in the padding; c_t = np.where(v, c_new, c_t) is needed as well.",
            ),
            "padding-updates-hidden-state": ("h_t = h_new", "h goes on changing in the padding."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "c_t",
        "c_t = np.where(v, c_new, c_t)",
        "A padded step is no step: the state of that row stays as it is.",
        "Look at what happens to a row's state after its last valid step.",
        "it changes where the step is valid, and is held where it is padding.",
        {
            "padding-updates-cell-state": ("c_t = c_new", "c goes on changing in the padding."),
            "padding-clears-cell-state": ("c_t = np.where(v, c_new, 0)", "c becomes 0 in the padding."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "mask",
        "valid = valid_steps(check_lengths(lengths, N, T), T)",
        "Rows have lengths of their own; the rest of a row is padding.",
        "Compare a short row in a batch with the same row alone.",
        "what stands in the padding never matters, neither for the outputs nor for the final state.",
        {
            "lengths-ignored": (
                "valid = np.ones((N, T), bool)",
                "Every row is read to the end of the batch, padding too.",
            )
        },
    ),
    *mistakes_in(
        FORWARD,
        "h",
        "h[:, t] = np.where(v, h_new, 0)",
        "The outputs are the hidden states after each valid step.",
        "Look at what is put into the outputs, step by step, and in the padding.",
        "at t it is the hidden state after step t, and exactly 0 in the padding.",
        {
            "padding-output-held": ("h[:, t] = h_t", "In the padding the held state is put out."),
            "padding-output-computed": ("h[:, t] = h_new", "In the padding what the step computed is put out."),
            "output-one-step-late": ("h[:, t] = np.where(v, cache.h_prev, 0)", "The state before the step is put out."),
            "output-is-cell-state": ("h[:, t] = np.where(v, c_new, 0)", "The cell is put out, not the hidden state."),
            "output-overwritten-at-every-step": (
                "h[:, :] = np.where(v, h_new, 0)[:, None]",
                "Every column is written at every step, so all hold the last.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h_T, c_T",
        "return h, h_t, c_t,",
        "The final state is that after each row's last valid step.",
        "Look at what is given back as the final state, for a short row too.",
        "in this order; each row's own, whether the batch goes on or not.",
        {
            "h-final-is-last-column": (
                "return h, h[:, -1], c_t,",
                "h_T is the last column, 0 for a row that is shorter, not each row's own last state.",
            ),
            "h-final-indexed-by-batch-size": (
                'return h, np.take(h, N - 1, axis=1, mode="clip"), c_t,',
                "h_T is taken at step N - 1, the number of rows, where that of steps belongs.",
            ),
            "final-states-swapped": ("return h, c_t, h_t,", "h_T and c_T are swapped."),
            "final-state-is-initial": ("return h, h0, c0,", "The initial state is given back."),
        },
    ),
)
