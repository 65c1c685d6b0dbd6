"""What people get wrong in backpropagation through time: the carry, the order, the sums over time, the padding."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BACKWARD = "lstm_backward"
GRADS = "grads = LSTMParams(*(total + here for total, here in zip(grads, grads_t)))"
CARRY_TO_C = "np.where(v, dh_next, 0) * steps[t].o * tanh_derivative(steps[t].tanh_c)"

BUGS = (
    *mistakes_in(
        BACKWARD,
        "dh_t",
        "dh_t = np.where(v, dh[:, t] + dh_next, 0)",
        "A hidden state is seen twice: by the loss, as an output, and by the next step.",
        "Look at a step in the middle. On how many ways does its hidden state reach the loss?",
        "a sum over both ways, in every row where the step is valid, and 0 where it is padding.",
        {
            "dh-carry-missing": (
                "dh_t = np.where(v, dh[:, t] + np.where(valid[:, t + 1 :].any(axis=1)[:, None], 0, dh_next), 0)",
                "What comes from the next step is not added.",
            ),
            "dh-carry-and-final-missing": (
                "dh_t = np.where(v, dh[:, t], 0)",
                "What comes from the next step is not added, nor what comes to the final state.",
            ),
            "dh-output-missing": (
                "dh_t = np.where(v, dh_next, 0)",
                "What comes to the output at this step is not added.",
            ),
            "dh-output-of-last-step-alone": (
                "dh_t = np.where(v, dh[:, t] * (t == T - 1) + dh_next, 0)",
                "What comes to the outputs before the last one is not added.",
            ),
            "dh-not-masked": (
                "dh_t = dh[:, t] + dh_next",
                "A padded step is given a gradient as if it had been taken.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dc_t",
        "dc_t = np.where(v, dc_next, 0)",
        "A cell state is handed to the next step, and its gradient comes back the same way.",
        "Look at what a step is given as the gradient of the cell it put out.",
        "what the next step handed back, in every row where the step is valid, and 0 where it is padding.",
        {
            "dc-not-masked": ("dc_t = dc_next", "A padded step is given a gradient as if it had been taken."),
            "dc-carry-missing": (
                "dc_t = np.where(v & ~valid[:, t + 1 :].any(axis=1)[:, None], dc_next, 0)",
                "What comes from the next step is dropped; the final state's gradient alone is used.",
            ),
            "dc-gets-dh-carry": ("dc_t = np.where(v, dc_next + dh_next, 0)", "h's carry is added to c's, too."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh_t",
        "lstm_step_backward(dh_t, dc_t, steps[t])",
        "All that comes to a hidden state passes through each of the two factors of h = o * tanh(c).",
        "Look at the moment at which the next step's gradient is added to the output's.",
        "it must be whole before anything is computed from it.",
        {
            "do-before-carry": (
                f"lstm_step_backward(np.where(v, dh[:, t], 0), dc_t + {CARRY_TO_C}, steps[t])",
                "do is computed before the next step's gradient is added to dh.",
            ),
            "both-carries-missing": (
                "lstm_step_backward(np.where(v, dh[:, t], 0), 0 * dc_t, steps[t])",
                "Each step is given the gradient of its own output and nothing of what the next one handed back, "
                "neither h's nor c's.",
            ),
            "dc-before-carry": (
                f"lstm_step_backward(dh_t, dc_t - {CARRY_TO_C}, steps[t])",
                "dc is computed before the next step's gradient is added to dh.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "order",
        "lstm_step_backward(dh_t, dc_t, steps[t])",
        "The gradient walks through time against the state, over the same steps.",
        "Look at what each step of the walk back knows of its step of the forward pass.",
        "step t is walked back with what step t of the forward pass kept.",
        {
            "cache-of-last-step": (
                "lstm_step_backward(dh_t, dc_t, steps[-1])",
                "Every step uses the last one's cache.",
            ),
            "cache-one-step-off": (
                "lstm_step_backward(dh_t, dc_t, steps[t - 1])",
                "Every step uses the cache of the one before.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh_next, dc_next",
        "dx[:, t], dh_prev, dc_prev, grads_t =",
        "The two parts of the state have a gradient each.",
        "Look at which result of a step's walk back becomes which gradient.",
        "one is h's and comes first, the other is c's; on the way back they must not be exchanged.",
        {"carries-swapped": ("dx[:, t], dc_prev, dh_prev, grads_t =", "The two gradients of the state are swapped.")},
    ),
    *mistakes_in(
        BACKWARD,
        "dh_next",
        "dh_next = np.where(v, dh_prev, dh_next)",
        "A hidden state's gradient is handed from step to step; a padded step hands it on as it is.",
        "Look at what is handed from one step to the one before, and what happens to it over padding.",
        "where the step was valid what it gave for the state before it, and nothing else; else unchanged.",
        {
            "dh-next-zeroed": ("dh_next = np.where(v, 0, dh_next)", "0 is handed on."),
            "dh-next-accumulated": (
                "dh_next = np.where(v, dh_next + dh_prev, dh_next)",
                "It is added to what was handed on before, not put in its place.",
            ),
            "dh-next-clipped": (
                "dh_next = np.where(v, dh_prev.clip(-0.1, 0.1), dh_next)",
                "It is clipped, here to 0.1; clip the weights' gradients instead, behind the backward pass.",
            ),
            "dh-next-averaged-over-batch": (
                "dh_next = np.where(v, dh_prev / N, dh_next)",
                "It is divided by the number of rows at every step.",
            ),
            "dh-carry-dropped-over-padding": (
                "dh_next = np.where(v, dh_prev, 0)",
                "A padded step drops it, so a row that ends early loses its final state's gradient.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dc_next",
        "dc_next = np.where(v, dc_prev, dc_next)",
        "A cell state's gradient is handed from step to step; a padded step hands it on as it is.",
        "Look at what is handed from one step to the one before, and what happens to it over padding.",
        "where the step was valid what it gave for the state before it, and nothing else; else unchanged.",
        {
            "dc-next-zeroed": ("dc_next = np.where(v, 0, dc_next)", "0 is handed on."),
            "dc-next-accumulated": (
                "dc_next = np.where(v, dc_next + dc_prev, dc_next)",
                "It is added to what was handed on before, not put in its place.",
            ),
            "dc-next-clipped": (
                "dc_next = np.where(v, dc_prev.clip(-0.1, 0.1), dc_next)",
                "It is clipped, here to 0.1; clip the weights' gradients instead, behind the backward pass.",
            ),
            "dc-carry-dropped-over-padding": (
                "dc_next = np.where(v, dc_prev, 0)",
                "A padded step drops it, so a row that ends early loses its final state's gradient.",
            ),
            "carry-cut-after-three-steps": (
                "dc_next, dh_next = np.where(v, dc_prev, dc_next) * (t != T - 3), dh_next * (t != T - 3)",
                "Nothing is handed on beyond the last three steps, neither dh_next nor dc_next: backpropagation is "
                "truncated. dh_next = np.where(v, dh_prev, dh_next) is needed as well.",
            ),
            "carry-cut-after-two-steps": (
                "dc_next, dh_next = np.where(v, dc_prev, dc_next) * (t != T - 2), dh_next * (t != T - 2)",
                "Nothing is handed on beyond the last two steps, neither dh_next nor dc_next: backpropagation is "
                "truncated. dh_next = np.where(v, dh_prev, dh_next) is needed as well.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh_next, dc_next",
        "dh_next, dc_next = dh_T, dc_T",
        "The loss may see the final state too, so the walk back starts with what comes to it.",
        "Look at what the walk back starts with, before the last step.",
        "they start as the gradients of the final h and c, in this order: each once, for short rows too.",
        {
            "dh-final-ignored": ("dh_next, dc_next = 0 * dh_T, dc_T", "The final h's gradient is left out."),
            "dc-final-ignored": ("dh_next, dc_next = dh_T, 0 * dc_T", "The final c's gradient is left out."),
            "final-gradients-swapped": ("dh_next, dc_next = dc_T, dh_T", "The two gradients are swapped."),
            "dh-final-counted-twice": (
                "dh_next, dc_next = 2 * dh_T, dc_T",
                "The final h's gradient is counted twice: in the last output's and by itself.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "order",
        "for t in reversed(range(T)):",
        "The gradient walks through time against the state: from the last step to the first.",
        "Look at the order of the steps, and at the first and the last of them.",
        "step t needs what step t + 1 handed back; every step is walked, step 0 too.",
        {
            "loop-runs-forward": ("for t in range(T):", "The loop runs forward in time."),
            "loop-stops-before-step-0": ("for t in reversed(range(1, T)):", "Step 0 is left out."),
            "loop-starts-before-last-step": ("for t in reversed(range(T - 1)):", "The last step is left out."),
            "loop-truncated-after-one-step": (
                "for t in reversed(range(max(T - 1, 0), T)):",
                "The last step alone is walked back.",
            ),
            "loop-truncated-after-three-steps": (
                "for t in reversed(range(max(T - 3, 0), T)):",
                "The last three steps alone are walked back.",
            ),
            "loop-truncated-early": (
                "for t in reversed(range(max(T - 2, 0), T)):",
                "The last two steps alone are walked back.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dx",
        "dx[:, t], dh_prev, dc_prev, grads_t =",
        "Each step's input has a gradient of its own.",
        "Look at where each step's results go.",
        "at t it belongs to the input of step t, though the steps are walked from the last to the first.",
        {
            "dx-in-order-of-the-walk": (
                "dx[:, T - 1 - t], dh_prev, dc_prev, grads_t =",
                "dx is kept in the order in which the steps are walked, which is reversed in time.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "mask",
        "v = valid[:, t, None]",
        "A padded step was none, so nothing flows through it and the weights learn nothing from it.",
        "Compare a short row in a batch with the same row alone.",
        "at a padded step the gradients of the weights and of x are 0, and the state's pass unchanged.",
        {
            "padding-not-masked": (
                "v = np.ones((N, 1), bool)",
                "Padded steps are walked back as if they had been taken.",
            )
        },
    ),
    *mistakes_in(
        BACKWARD,
        "grads",
        GRADS,
        "The same weights are used at every step.",
        "Look at how the steps' gradients of the weights come together.",
        "a sum over all steps, for each of Wx, Wh and b.",
        {
            "grads-overwritten-over-time": (
                "grads = grads_t",
                "Each step overwrites the one that was walked before it.",
            ),
            "dwx-overwritten-over-time": (
                "grads = LSTMParams(grads_t.Wx, grads.Wh + grads_t.Wh, grads.b + grads_t.b)",
                "dWx is overwritten at each step.",
            ),
            "dwh-overwritten-over-time": (
                "grads = LSTMParams(grads.Wx + grads_t.Wx, grads_t.Wh, grads.b + grads_t.b)",
                "dWh is overwritten at each step.",
            ),
            "db-overwritten-over-time": (
                "grads = LSTMParams(grads.Wx + grads_t.Wx, grads.Wh + grads_t.Wh, grads_t.b)",
                "db is overwritten at each step.",
            ),
            "weights-overwritten-over-time": (
                "grads = LSTMParams(grads_t.Wx, grads_t.Wh, grads.b + grads_t.b)",
                "dWx and dWh are overwritten at each step.",
            ),
            "dwx-added-to-itself": (
                "grads = LSTMParams(grads.Wx + grads.Wx, grads.Wh + grads_t.Wh, grads.b + grads_t.b)",
                "dWx is added to itself, and so stays what it began as: 0.",
            ),
            "dwh-added-to-itself": (
                "grads = LSTMParams(grads.Wx + grads_t.Wx, grads.Wh + grads.Wh, grads.b + grads_t.b)",
                "dWh is added to itself, and so stays what it began as: 0.",
            ),
            "db-added-to-itself": (
                "grads = LSTMParams(grads.Wx + grads_t.Wx, grads.Wh + grads_t.Wh, grads.b + grads.b)",
                "db is added to itself, and so stays what it began as: 0.",
            ),
            "grads-mean-over-time": (
                "grads = LSTMParams(*(total + here / T for total, here in zip(grads, grads_t)))",
                "The steps' gradients are averaged, not summed.",
            ),
            "grads-clipped-at-each-step": (
                "grads = LSTMParams(*(total + here.clip(-0.1, 0.1) for total, here in zip(grads, grads_t)))",
                "Each step's gradients are clipped, here to 0.1; clip their sum instead, behind the backward pass.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh0, dc0",
        "return dx, dh_next, dc_next, grads",
        "The initial state is an input like others, and has a gradient.",
        "Look at what is given back for the initial state.",
        "what is left to hand on behind step 0: h's, then c's.",
        {
            "dh0-not-returned": ("return dx, 0 * dh_next, dc_next, grads", "dh0 is 0."),
            "dc0-not-returned": ("return dx, dh_next, 0 * dc_next, grads", "dc0 is 0."),
            "initial-gradients-swapped": ("return dx, dc_next, dh_next, grads", "dh0 and dc0 are swapped."),
            "dh0-one-step-early": ("return dx, dh_t, dc_next, grads", "dh0 is the gradient of the h after step 0."),
        },
    ),
)
