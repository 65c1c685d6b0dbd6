"""What goes wrong in the loop that walks any cell back through time: what comes in, how far it goes, what is summed."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, BACKWARD = "recurrent_forward", "recurrent_backward"
GRADS = "grads = params._make(None if total is None else total + here for total, here in zip(grads, grads_t))"

BUGS = (
    *mistakes_in(
        FORWARD,
        "y_t",
        "v = valid[:, t, None]",
        "A step is taken for every symbol that there is to read.",
        "Compare the last output with what the step gives by itself.",
        "it holds for all t, up to the last step.",
        {
            "recurrent-loop-stops-before-last-step": (
                "v = valid[:, t, None] & (t < T - 1)",
                "The last step is never taken: the loop ends one too early.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h_prev",
        "state_t = tuple(state)",
        "A sequence begins in the state that it is given.",
        "Give an initial state that is not 0. Does the first step take notice?",
        "before the first step it is state_0.",
        {
            "recurrent-initial-state-ignored": (
                "state_t = tuple(np.zeros_like(part) for part in state)",
                "The state begins as 0, whatever was given.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh_t",
        "dx[:, t], *dstate_prev, grads_t = step_backward(dy[:, t] + dh_next, *dothers, steps[t])",
        "A state is used twice: by the loss at its own step, and by the next step.",
        "Put the loss on the output of one step in the middle, and on nothing else. Is there a gradient?",
        "a sum at every step, of what comes from above and of what comes back in time.",
        {
            "recurrent-carry-and-final-missing": (
                "dx[:, t], *dstate_prev, grads_t = step_backward(dy[:, t], *dothers, steps[t])",
                "What comes back from the next step is not added, nor what comes to the final state.",
            ),
            "recurrent-upstream-missing": (
                "dx[:, t], *dstate_prev, grads_t = step_backward(dh_next, *dothers, steps[t])",
                "What comes from above is not added at any step.",
            ),
            "recurrent-upstream-of-last-step-alone": (
                "dx[:, t], *dstate_prev, grads_t = step_backward((t == T - 1) * dy[:, t] + dh_next, *dothers, "
                "steps[t])",
                "What comes from above to the steps before the last one is not added.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh_t",
        "for t in reversed(range(T)):",
        "Every step that had a part in the loss is on the way back.",
        "Which steps does the loop go through? Name the first one and the last.",
        "it holds for all t, from T-1 to 0.",
        {
            "recurrent-loop-stops-before-step-0": (
                "for t in reversed(range(1, T)):",
                "Step 0 is left out: range(T - 1, 0, -1) ends at 1.",
            ),
            "recurrent-loop-starts-before-last-step": (
                "for t in reversed(range(T - 1)):",
                "The last step is left out.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "grads",
        GRADS,
        "One set of weights is used at every step.",
        "Look at how the gradient of each weight comes together, one weight after another.",
        "a sum over all steps, for each of the weights.",
        {
            f"recurrent-{name}-overwritten-over-time": (
                GRADS + "._replace(" + ", ".join(f"{part}=grads_t.{part}" for part in parts) + ")",
                f"{said} overwritten at each step.",
            )
            for name, parts, said in (
                ("dwx", ("Wx",), "dWx is"),
                ("dwh", ("Wh",), "dWh is"),
                ("db", ("b",), "db is"),
                ("weights", ("Wx", "Wh"), "dWx and dWh are"),
            )
        },
    ),
    *mistakes_in(
        BACKWARD,
        "grads",
        GRADS,
        "One set of weights is used at every step.",
        "Is anything done to the steps' gradients of the weights but to add them up?",
        "a sum over all steps, and no mean.",
        {
            "recurrent-grads-mean-over-time": (
                GRADS.replace("total + here", "total + here / T"),
                "The steps' gradients are averaged, not summed.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh_next",
        "dstate_next = tuple(np.where(v, prev, held) for prev, held in zip(dstate_prev, dstate_next))",
        "A state's gradient is handed from step to step; a padded step hands it on as it is.",
        "Look at what is handed from one step to the one before.",
        "where the step was valid what it gave for the state before it, and nothing else; else unchanged.",
        {
            "recurrent-carry-accumulated": (
                "dstate_next = tuple(np.where(v, held + prev, held) for prev, held in zip(dstate_prev, dstate_next))",
                "It is added to what was handed on before, not put in its place.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dx",
        "dx[:, t], *dstate_prev, grads_t =",
        "Each step's input has a gradient of its own.",
        "Look at where each step's results go.",
        "at t it belongs to the input of step t, though the steps are walked from the last to the first.",
        {
            "recurrent-dx-in-order-of-the-walk": (
                "dx[:, T - 1 - t], *dstate_prev, grads_t =",
                "dx is kept in the order in which the steps are walked, which is reversed in time.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "order",
        "step_backward(dy[:, t] + dh_next, *dothers, steps[t])",
        "The gradient walks through time against the state, over the same steps.",
        "Look at what each step of the walk back knows of its step of the forward pass.",
        "step t is walked back with what step t of the forward pass kept.",
        {
            "recurrent-cache-one-step-off": (
                "step_backward(dy[:, t] + dh_next, *dothers, steps[t - 1])",
                "Every step uses the cache of the one before.",
            ),
            "recurrent-cache-of-last-step": (
                "step_backward(dy[:, t] + dh_next, *dothers, steps[-1])",
                "Every step uses the last one's cache.",
            ),
        },
    ),
)
