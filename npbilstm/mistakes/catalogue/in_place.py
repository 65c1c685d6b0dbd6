"""Arrays changed in place: right at the first call, and wrong for whoever looks at the array afterwards.

No gradient check of one call sees these in a backward pass. The arrays that went in differ from what they were, and a
second call on the same cache differs from the first.
"""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

CONCEPT = "An array that is handed over is shared: who writes into it changes it for everyone who holds it."
VAGUE = "Call the function twice with the same arrays. Is the second answer the first?"

BUGS = (
    *mistakes_in(
        "lstm_step_backward",
        "dc",
        "dc = dc + dh * o * tanh_derivative(tanh_c)",
        CONCEPT,
        VAGUE,
        "it is handed in by the caller; what is added to it must make a new array.",
        {"dc-changed-in-place": ("dc += dh * o * tanh_derivative(tanh_c)", "+= writes into the caller's dc.")},
    ),
    *mistakes_in(
        "lstm_backward",
        "mask",
        "dh = np.where(valid[:, :, None], dh, 0)",
        CONCEPT,
        VAGUE,
        "dh is handed in by the caller; masking it, or adding to it, must make a new array.",
        {"dh-changed-in-place": ("dh *= valid[:, :, None]", "*= and += write into the caller's dh.")},
    ),
    *mistakes_in(
        "lstm_backward",
        "dh_next",
        "dh_next = np.where(v, dh_prev, dh_next)",
        CONCEPT,
        VAGUE,
        "it starts as the caller's dh_T; each step must give it a new array.",
        {
            "dh-final-changed-in-place": (
                "dh_next[...] = np.where(v, dh_prev, dh_next)",
                "The caller's dh_T is written into.",
            )
        },
    ),
    *mistakes_in(
        "lstm_backward",
        "dc_next",
        "dc_next = np.where(v, dc_prev, dc_next)",
        CONCEPT,
        VAGUE,
        "it starts as the caller's dc_T; each step must give it a new array.",
        {
            "dc-final-changed-in-place": (
                "dc_next[...] = np.where(v, dc_prev, dc_next)",
                "The caller's dc_T is written into.",
            )
        },
    ),
    *mistakes_in(
        "lstm_forward",
        "h_t",
        "h_t = np.where(v, h_new, h_t)",
        CONCEPT,
        VAGUE,
        "it starts as the caller's h0, and each step's cache holds the h it started with; each step must give it a new "
        "array.",
        {
            "h0-changed-in-place": (
                "h_t[...] = np.where(v, h_new, h_t)",
                "All steps write into one array, the caller's h0: the state leaks into the next batch, and the caches "
                "all hold the last h.",
            ),
        },
    ),
    *mistakes_in(
        "lstm_forward",
        "c_t",
        "c_t = np.where(v, c_new, c_t)",
        CONCEPT,
        VAGUE,
        "it starts as the caller's c0, and each step's cache holds the c it started with; each step must give it a new "
        "array.",
        {
            "c0-changed-in-place": (
                "c_t[...] = np.where(v, c_new, c_t)",
                "All steps write into one array, the caller's c0: the state leaks into the next batch, and the caches "
                "all hold the last c.",
            ),
        },
    ),
)
