"""What goes wrong in a step of an LSTM with peepholes and a projection."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

FORWARD, BACKWARD = "lstm_variant_step_forward", "lstm_variant_step_backward"
DC = "dc = dc + ds * o * tanh_derivative(tanh_c) + da_o * p_o"
DC_PREV = "dc_prev = dc * f + da_i * p_i + da_f * p_f"
"""The lines in which more than one thing goes wrong."""

BUGS = (
    Bug(
        "variant-output-peephole-old-cell",
        FORWARD,
        "o = sigmoid(a_o + p_o * c)",
        "o = sigmoid(a_o + p_o * c_prev)",
        "o",
        "With peepholes the gates see the cell, and not all of them at the same moment.",
        (
            "The gates are computed at different moments of the step. What is known when each of them is?",
            "The equation of o: this gate decides what of the cell is shown, and so looks at what would be shown.",
            "o = sigmoid(a_o + p_o * c): the new cell. i and f see the old one.",
        ),
    ),
    Bug(
        "variant-output-peephole-squashed-cell",
        FORWARD,
        "o = sigmoid(a_o + p_o * c)",
        "o = sigmoid(a_o + p_o * tanh(c))",
        "o",
        "With peepholes the gates see the cell itself.",
        (
            "What is it that a peephole lets a gate see?",
            "The equation of o: the peephole's weight multiplies the cell before anything squashes it.",
            "o = sigmoid(a_o + p_o * c): c, not tanh(c).",
        ),
    ),
    Bug(
        "variant-output-peephole-after-sigmoid",
        FORWARD,
        "o = sigmoid(a_o + p_o * c)",
        "o = sigmoid(a_o) + p_o * c",
        "o",
        "A gate lies between 0 and 1, whatever it looks at.",
        (
            "Which range does the output gate have, and which has it here?",
            "The equation of o: what the peephole brings is squashed with all the rest.",
            "o = sigmoid(a_o + p_o * c): the peephole's part goes inside the brackets.",
        ),
    ),
    Bug(
        "variant-peepholes-in-another-order",
        FORWARD,
        "p_i, p_f, p_o = peepholes(params, H)",
        "p_f, p_i, p_o = peepholes(params, H)",
        "i, f",
        "The peepholes' weights lie in one vector, and only a convention says which block is which gate's.",
        (
            "Every equation may be right and the numbers wrong all the same: where do the weights stand?",
            "i and f: each must be computed with its own block of p; check the order of the blocks.",
            "The blocks of p are in the order i, f, o.",
        ),
    ),
    Bug(
        "variant-projection-squashed",
        FORWARD,
        "h = h @ params.Wp",
        "h = tanh(h @ params.Wp)",
        "h",
        "A projection makes the state smaller by a linear map, so that the recurrent weights are fewer.",
        (
            "Look at the last thing that happens to the state.",
            "The equation of h: the projection is linear; what had to be squashed was squashed before.",
            "h = (o * tanh(c)) Wp, and nothing after it.",
        ),
    ),
    Bug(
        "variant-projection-without-output-gate",
        FORWARD,
        "h = h @ params.Wp",
        "h = tanh_c @ params.Wp",
        "h",
        "What is projected is what an LSTM without projection would have put out.",
        (
            "Look at the last thing that happens to the state, and at what it happens to.",
            "The equation of h: all three, the cell, its squashing and the output gate, come before the projection.",
            "h = (o * tanh(c)) Wp.",
        ),
    ),
    Bug(
        "variant-do-cell-not-squashed",
        BACKWARD,
        "do = ds * tanh_c",
        "do = ds * c",
        "do",
        "A factor's gradient is the other factor.",
        (
            "Look at the output gate. What exactly does it multiply in the forward pass?",
            "The equation of do: in o * (something) the gradient of o is that something, between -1 and 1 here.",
            "do = ds * tanh(c).",
        ),
    ),
    Bug(
        "variant-dc-carry-lost",
        BACKWARD,
        DC,
        "dc = ds * o * tanh_derivative(tanh_c) + da_o * p_o",
        "dc",
        "The cell is used by this step's output and by the next step, and its gradient is the sum of both.",
        (
            "Who uses the cell after this step? Is every one of them heard?",
            "The equation of dc: the gradient that was handed in is a part of it.",
            "dc = dc + ds * o * tanh'(c) + da_o * p_o: added to, not set.",
        ),
    ),
    Bug(
        "variant-dc-output-peephole-missing",
        BACKWARD,
        DC,
        "dc = dc + ds * o * tanh_derivative(tanh_c)",
        "dc",
        "A quantity's gradient is the sum over all places in which it is used; a peephole is a place.",
        (
            "Count the places in the forward pass where the new cell stands.",
            "The equation of dc: one of the gates looked at the new cell, and sends a gradient back to it.",
            "dc = dc + ds * o * tanh'(c) + da_o * p_o.",
        ),
    ),
    Bug(
        "variant-dc-output-peephole-before-sigmoid",
        BACKWARD,
        DC,
        "dc = dc + ds * o * tanh_derivative(tanh_c) + do * p_o",
        "dc",
        "A peephole leads into a gate's pre-activation, so its gradient comes out of there.",
        (
            "Where does a peephole end: at the gate, or at what the gate is computed from?",
            "The equation of dc: what comes by the peephole has passed the gate's sigmoid.",
            "dc = dc + ds * o * tanh'(c) + da_o * p_o: da_o, not do.",
        ),
    ),
    Bug(
        "variant-dc-prev-peepholes-missing",
        BACKWARD,
        DC_PREV,
        "dc_prev = dc * f",
        "dc_prev",
        "A quantity's gradient is the sum over all places in which it is used; a peephole is a place.",
        (
            "Count the places in the forward pass where the old cell stands.",
            "The equation of dc_prev: with peepholes the forget gate's product is no longer the only way back.",
            "dc_prev = dc * f + da_i * p_i + da_f * p_f.",
        ),
    ),
    Bug(
        "variant-dc-prev-input-peephole-missing",
        BACKWARD,
        DC_PREV,
        "dc_prev = dc * f + da_f * p_f",
        "dc_prev",
        "A quantity's gradient is the sum over all places in which it is used; a peephole is a place.",
        (
            "Count the places in the forward pass where the old cell stands.",
            "The equation of dc_prev: two gates looked at the old cell, and each sends a gradient back to it.",
            "dc_prev = dc * f + da_i * p_i + da_f * p_f: the input gate looked too.",
        ),
    ),
    Bug(
        "variant-dc-prev-forget-peephole-missing",
        BACKWARD,
        DC_PREV,
        "dc_prev = dc * f + da_i * p_i",
        "dc_prev",
        "A quantity's gradient is the sum over all places in which it is used; a peephole is a place.",
        (
            "Count the places in the forward pass where the old cell stands.",
            "The equation of dc_prev: two gates looked at the old cell, and each sends a gradient back to it.",
            "dc_prev = dc * f + da_i * p_i + da_f * p_f: the forget gate looked too.",
        ),
    ),
    Bug(
        "variant-dp-output-old-cell",
        BACKWARD,
        "else [da_i * c_prev, da_f * c_prev, da_o * c]",
        "else [da_i * c_prev, da_f * c_prev, da_o * c_prev]",
        "dp",
        "A weight's gradient is what came in times what comes back, and not all peepholes had the same come in.",
        (
            "What did each of the three peepholes multiply in the forward pass?",
            "The equation of dp: one of its blocks belongs to a gate that looked at another cell than the others.",
            "dp_o = sum over the rows of da_o * c: the new cell.",
        ),
    ),
    Bug(
        "variant-dp-new-cell-for-all",
        BACKWARD,
        "else [da_i * c_prev, da_f * c_prev, da_o * c]",
        "else [da_i * c, da_f * c, da_o * c]",
        "dp",
        "A weight's gradient is what came in times what comes back, and not all peepholes had the same come in.",
        (
            "What did each of the three peepholes multiply in the forward pass?",
            "The equation of dp: two of its blocks belong to gates that were computed before the new cell was.",
            "dp_i and dp_f = sums over the rows of da_i * c_prev and da_f * c_prev: the old cell.",
        ),
    ),
    Bug(
        "variant-dp-mean-over-rows",
        BACKWARD,
        "dp = np.concatenate(seen, axis=1).sum(axis=0)",
        "dp = np.concatenate(seen, axis=1).mean(axis=0)",
        "dp",
        "All rows of a batch share the weights, and the loss already says how rows are weighed.",
        (
            "Try a batch of a single row: does the mistake go away?",
            "The equation of dp: contributions of the rows add up; any mean over the batch is the loss's business.",
            "dp = sum over the rows n, not their mean.",
        ),
    ),
    Bug(
        "variant-dwp-without-output-gate",
        BACKWARD,
        "dWp = s.T @ dh",
        "dWp = tanh_c.T @ dh",
        "dWp",
        "A weight's gradient is what came in times what comes back.",
        (
            "What did the projection multiply in the forward pass?",
            "The equation of dWp: its left factor is what an LSTM without projection would have put out.",
            "dWp = s^T dh with s = o * tanh(c).",
        ),
    ),
)
