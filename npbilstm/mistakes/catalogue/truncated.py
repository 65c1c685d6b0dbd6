"""What people get wrong in truncated backpropagation through time: what goes on to the next window, and what stops."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, BACKWARD = "truncated_forward", "truncated_backward"
FROM_EACH = "backward_from_each_step"
GRADS = "grads = params._make(total + here for total, here in zip(grads, grads_k))"

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
    *mistakes_in(
        FROM_EACH,
        "dh_k",
        "_, dh_prev, grads_k = step_backward(dh_k, caches[k])",
        "Every step back in time passes through the recurrent weights and through the activation.",
        "What is different between the gradient of one step and that of the step before it?",
        "from step to step it becomes another, by the weights and the slope of each.",
        {
            "each-step-carry-missing": (
                "_, dh_prev, grads_k = step_backward(dy[:, t], caches[k]._replace(h=caches[t].h))",
                "The last step's is used at all steps: it is not walked back.",
            ),
            "each-step-slope-on-the-way-missing": (
                "_, dh_prev, grads_k = "
                "step_backward(dh_k / (1 if k == t else sigmoid_derivative(caches[k].h)), caches[k])",
                "The slope is taken at the step whose loss it is, and at none of those before.",
            ),
            "each-step-slope-of-last-step": (
                "_, dh_prev, grads_k = step_backward(dh_k, caches[k]._replace(h=caches[t].h))",
                "The slope is taken at step t, not at the step that is walked through.",
            ),
        },
    ),
    *mistakes_in(
        FROM_EACH,
        "dh_k",
        "for k in range(t, max(t - reach, 0) - 1, -1):",
        "How far a loss goes back is counted in steps, from its own.",
        "Take a reach of 1. Through which steps does the last step's loss go?",
        "it holds for its own step, and for as many before it as reach says.",
        {
            "each-step-reach-one-short": (
                "for k in range(t, max(t - reach + 1, 0) - 1, -1):",
                "It ends one step too early: range(1, reach) has one number less than reach.",
            ),
            "each-step-reach-one-too-far": (
                "for k in range(t, max(t - reach - 1, 0) - 1, -1):",
                "It ends one step too late.",
            ),
            "each-step-not-truncated": ("for k in range(t, -1, -1):", "Every loss goes back to step 0."),
            "each-step-first-step-left-out": (
                "for k in range(t, max(t - reach, 0) - (t > reach), -1):",
                "Step 0 is left out where it is the last one on the way.",
            ),
        },
    ),
    *mistakes_in(
        FROM_EACH,
        "grads",
        GRADS,
        "One set of weights is used at every step.",
        "Look at how the gradient of each weight comes together, one weight after another.",
        "a sum over all steps, of the loss and of the way back, for each of the weights.",
        {
            "each-step-grads-overwritten": ("grads = grads_k", "All are overwritten at each step."),
            **{
                f"each-step-d{name}-overwritten": (
                    f"{GRADS}._replace({part}=grads_k.{part})",
                    f"d{part} is overwritten at each step.",
                )
                for name, part in (("wx", "Wx"), ("wh", "Wh"))
            },
        },
    ),
    *mistakes_in(
        FROM_EACH,
        "h_prev",
        "T, params = len(caches), caches[0].params",
        "Before the first step stands the initial state, and nothing else.",
        "Follow the walk back to step 0. Which state does it take for the one before it?",
        "at step 0 it is the initial one; what an index of t - 1 finds there is another matter.",
        {
            "each-step-old-state-wraps-round": (
                "caches = [caches[0]._replace(h_in=caches[-1].h), *caches[1:]]; "
                "T, params = len(caches), caches[0].params",
                "Step 0 is walked back with the last step's state: s[t - 1] at t = 0 is s[-1].",
            ),
        },
    ),
)
