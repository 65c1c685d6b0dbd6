"""What people get wrong with two directions: the flips, the halves, and whose state is whose."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD = "bilstm_forward"
BACKWARD = "bilstm_backward"

BUGS = (
    *mistakes_in(
        FORWARD,
        "h_rev",
        "lstm_forward(flip(x, lengths), h0[1], c0[1], params.reverse, lengths)",
        "The reverse direction reads the same sequence from its end, with weights and a state of its own.",
        "Look at what the reverse direction is given: input, state, weights, lengths.",
        "it is made of the row's valid steps, the last one first, from the second initial state and weights.",
        {
            "reverse-input-not-flipped": (
                "lstm_forward(x, h0[1], c0[1], params.reverse, lengths)",
                "The reverse direction reads forward.",
            ),
            "reverse-input-flip-ignores-lengths": (
                "lstm_forward(flip(x), h0[1], c0[1], params.reverse, lengths)",
                "The whole row is reversed, so that a short row's padding is read first.",
            ),
            "reverse-uses-forward-weights": (
                "lstm_forward(flip(x, lengths), h0[1], c0[1], params.forward, lengths)",
                "It is given the forward direction's weights.",
            ),
            "reverse-starts-in-forward-initial-state": (
                "lstm_forward(flip(x, lengths), h0[0], c0[0], params.reverse, lengths)",
                "It starts in the forward direction's initial state.",
            ),
            "reverse-starts-in-forward-final-state": (
                "lstm_forward(flip(x, lengths), h_T_fwd, c_T_fwd, params.reverse, lengths)",
                "It starts where the forward direction ended: the state leaks.",
            ),
            "reverse-not-given-lengths": (
                "lstm_forward(flip(x, lengths), h0[1], c0[1], params.reverse)",
                "It is not told the lengths, and reads the padding.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h_fwd",
        "lstm_forward(x, h0[0], c0[0], params.forward, lengths)",
        "The forward direction reads the sequence from its beginning, with weights and a state of its own.",
        "Look at what the forward direction is given: input, state, weights, lengths.",
        "it is made of the row's valid steps, from the first initial state and weights.",
        {
            "forward-not-given-lengths": (
                "lstm_forward(x, h0[0], c0[0], params.forward)",
                "It is not told the lengths, and reads the padding.",
            ),
            "forward-starts-in-reverse-initial-state": (
                "lstm_forward(x, h0[1], c0[1], params.forward, lengths)",
                "It starts in the reverse direction's initial state.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "y",
        "y = np.concatenate([h_fwd, flip(h_rev, lengths)], axis=2)",
        "At each time step the two directions' outputs for that same step are joined.",
        "Look at y at t = 0. Which step of the input is each half made for?",
        "it joins the forward half, then the reverse half, both in the input's order of time.",
        {
            "reverse-output-not-flipped": (
                "y = np.concatenate([h_fwd, h_rev], axis=2)",
                "The reverse half is not put back in the input's order.",
            ),
            "reverse-output-flip-ignores-lengths": (
                "y = np.concatenate([h_fwd, flip(h_rev)], axis=2)",
                "The whole row is reversed, so that a short row's reverse half lands in the padding.",
            ),
            "output-halves-swapped": (
                "y = np.concatenate([flip(h_rev, lengths), h_fwd], axis=2)",
                "The halves are swapped.",
            ),
            "wrong-half-flipped": (
                "y = np.concatenate([flip(h_fwd, lengths), h_rev], axis=2)",
                "The forward half is flipped, not the reverse one.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h_T",
        "h_T = np.stack([h_T_fwd, h_T_rev])",
        "Each direction's final state is that in which it has read everything.",
        "Think about which step the reverse direction reads last.",
        "it holds the forward direction's state after its last step, then the reverse one's after its own.",
        {
            "h-final-reverse-from-last-column": (
                "h_T = np.stack([h_T_fwd, y[:, -1, H:]])",
                "The reverse half of y[:, -1] is taken: the state after one step, or padding.",
            ),
            "h-final-reverse-from-last-valid-step": (
                "h_T = np.stack([h_T_fwd, h_rev[:, 0]])",
                "The reverse half of the row's last valid step is taken: the state after one step.",
            ),
            "h-final-both-from-last-column": (
                "h_T = np.stack([y[:, -1, :H], y[:, -1, H:]])",
                "y[:, -1] is taken for both: the reverse one's state after one step, or padding.",
            ),
            "h-final-directions-swapped": ("h_T = np.stack([h_T_rev, h_T_fwd])", "The directions are swapped."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "c_T",
        "c_T = np.stack([c_T_fwd, c_T_rev])",
        "Each direction's final state is that in which it has read everything.",
        "Look at the final cells, direction by direction.",
        "it holds the forward direction's cell, then the reverse one's.",
        {"c-final-directions-swapped": ("c_T = np.stack([c_T_rev, c_T_fwd])", "The directions are swapped.")},
    ),
    *mistakes_in(
        BACKWARD,
        "dh_fwd, dh_rev",
        "dh_fwd, dh_rev = np.split(dy, 2, axis=2)",
        "y was joined of two halves, so its gradient is cut into two.",
        "Look at which half of the gradient goes to which direction.",
        "the halves in the order in which the forward pass joined them.",
        {"dy-halves-swapped": ("dh_rev, dh_fwd = np.split(dy, 2, axis=2)", "The halves are swapped.")},
    ),
    *mistakes_in(
        BACKWARD,
        "dx_fwd",
        "lstm_backward(dh_fwd, dh_T[0], dc_T[0], cache.forward)",
        "Each direction is walked back by itself, with what comes to its outputs and to its own final state.",
        "Look at what the forward direction's walk back is given.",
        "it is made of the forward half and of the first direction's final gradients.",
        {
            "forward-gets-reverse-final-gradients": (
                "lstm_backward(dh_fwd, dh_T[1], dc_T[1], cache.forward)",
                "It is given the reverse direction's final gradients.",
            ),
            "forward-final-gradients-ignored": (
                "lstm_backward(dh_fwd, 0 * dh_T[0], 0 * dc_T[0], cache.forward)",
                "The final state's gradients are left out.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dx_rev",
        "lstm_backward(flip(dh_rev, lengths), dh_T[1], dc_T[1], cache.reverse)",
        "Each direction is walked back by itself, in its own order of time.",
        "Look at what the reverse direction's walk back is given. In which order of time did its steps run?",
        "what was flipped on the way out is flipped on the way back, each row within its length; the final "
        "gradients and the cache are the second direction's.",
        {
            "dh-rev-not-flipped": (
                "lstm_backward(dh_rev, dh_T[1], dc_T[1], cache.reverse)",
                "The reverse half's gradient is not flipped.",
            ),
            "dh-rev-flip-ignores-lengths": (
                "lstm_backward(flip(dh_rev), dh_T[1], dc_T[1], cache.reverse)",
                "The whole row is reversed: a short row's gradient lands in the padding.",
            ),
            "reverse-gets-forward-half": (
                "lstm_backward(flip(dh_fwd, lengths), dh_T[1], dc_T[1], cache.reverse)",
                "It is given the forward half's gradient.",
            ),
            "reverse-gets-forward-final-gradients": (
                "lstm_backward(flip(dh_rev, lengths), dh_T[0], dc_T[0], cache.reverse)",
                "It is given the forward direction's final gradients.",
            ),
            "reverse-final-gradients-ignored": (
                "lstm_backward(flip(dh_rev, lengths), 0 * dh_T[1], 0 * dc_T[1], cache.reverse)",
                "The final state's gradients are left out.",
            ),
            "reverse-gets-forward-cache": (
                "lstm_backward(flip(dh_rev, lengths), dh_T[1], dc_T[1], cache.forward)",
                "It is given the forward direction's cache.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dx",
        "dx = dx_fwd + flip(dx_rev, lengths)",
        "Both directions read the same input.",
        "Look at how the two directions' gradients of the input come together.",
        "a sum over both directions, each in the input's order of time, each row within its length.",
        {
            "dx-rev-not-flipped-back": (
                "dx = dx_fwd + dx_rev",
                "The reverse direction's part is not put back in the input's order.",
            ),
            "dx-rev-flip-ignores-lengths": (
                "dx = dx_fwd + flip(dx_rev)",
                "The whole row is reversed: a short row's part lands in the padding.",
            ),
            "dx-from-forward-only": ("dx = dx_fwd", "The reverse direction's part is missing."),
            "dx-from-reverse-only": ("dx = flip(dx_rev, lengths)", "The forward direction's part is missing."),
            "dx-averaged-over-directions": (
                "dx = (dx_fwd + flip(dx_rev, lengths)) / 2",
                "The two parts are averaged, not summed.",
            ),
            "dx-wrong-half-flipped": (
                "dx = flip(dx_fwd, lengths) + dx_rev",
                "The forward direction's part is flipped, not the reverse one's.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh0",
        "dh0 = np.stack([dh0_fwd, dh0_rev])",
        "Each direction has an initial state of its own.",
        "Look at the initial hidden states' gradients, direction by direction.",
        "it holds the forward direction's gradient, then the reverse one's.",
        {"dh0-directions-swapped": ("dh0 = np.stack([dh0_rev, dh0_fwd])", "The directions are swapped.")},
    ),
    *mistakes_in(
        BACKWARD,
        "dc0",
        "dc0 = np.stack([dc0_fwd, dc0_rev])",
        "Each direction has an initial state of its own.",
        "Look at the initial cells' gradients, direction by direction.",
        "it holds the forward direction's gradient, then the reverse one's.",
        {"dc0-directions-swapped": ("dc0 = np.stack([dc0_rev, dc0_fwd])", "The directions are swapped.")},
    ),
    *mistakes_in(
        BACKWARD,
        "grads",
        "BiLSTMParams(grads_fwd, grads_rev)",
        "The two directions share no weights.",
        "Look at whose gradients go to whose weights.",
        "each direction's own gradients, in the order of the params.",
        {
            "direction-grads-swapped": ("BiLSTMParams(grads_rev, grads_fwd)", "The directions are swapped."),
            "reverse-grads-dropped": (
                "BiLSTMParams(grads_fwd, LSTMParams(*(0 * grad for grad in grads_rev)))",
                "The reverse direction's weights are given 0.",
            ),
            "direction-grads-summed": (
                "BiLSTMParams(*[LSTMParams(*(p + q for p, q in zip(grads_fwd, grads_rev)))] * 2)",
                "Both directions are given the sum, as if they shared their weights.",
            ),
        },
    ),
)
