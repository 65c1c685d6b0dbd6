"""What people get wrong in the forward equations of one LSTM step.

A gradient check sees none of these, where the backward pass fits the wrong forward pass: it takes the textbook's
numbers beside the submitted ones.
"""

from __future__ import annotations

from itertools import permutations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD = "lstm_step_forward"

BUGS = (
    *mistakes_in(
        FORWARD,
        "a",
        "a = x @ params.Wx + h_prev @ params.Wh + params.b",
        "What a gate sees: the input and the old hidden state, each through its weights, and a bias.",
        "Look at what goes into the gates, before any of them is squashed.",
        "three terms, each once: of the input, of the old hidden state, and the bias; each gate has its own.",
        {
            "bias-missing": ("a = x @ params.Wx + h_prev @ params.Wh", "The bias is not added."),
            "bias-added-twice": (
                "a = x @ params.Wx + h_prev @ params.Wh + 2 * params.b",
                "The bias is added twice, once with each product.",
            ),
            "bias-of-i-copied-to-f": (
                "a = x @ params.Wx + h_prev @ params.Wh + np.reshape(params.b, (4, -1))[[0, 0, 2, 3]].ravel()",
                "The forget gate has the input gate's bias.",
            ),
            "bias-of-f-copied-to-o": (
                "a = x @ params.Wx + h_prev @ params.Wh + np.reshape(params.b, (4, -1))[[0, 1, 2, 1]].ravel()",
                "The output gate has the forget gate's bias.",
            ),
            "bias-of-o-copied-to-i-and-f": (
                "a = x @ params.Wx + h_prev @ params.Wh + np.reshape(params.b, (4, -1))[[3, 3, 2, 3]].ravel()",
                "The input gate and the forget gate have the output gate's bias.",
            ),
            "bias-of-i-copied-to-all": (
                "a = x @ params.Wx + h_prev @ params.Wh + np.reshape(params.b, (4, -1))[[0, 0, 0, 0]].ravel()",
                "All four have the input gate's bias.",
            ),
            **{
                f"bias-of-{'ifgo'[one]}-copied-to-{'ifgo'[other]}": (
                    "a = x @ params.Wx + h_prev @ params.Wh + "
                    f"np.reshape(params.b, (4, -1))[{[one if k == other else k for k in range(4)]}].ravel()",
                    f"One gate has the bias of another: {'ifgo'[other]} that of {'ifgo'[one]}.",
                )
                for one, other in permutations(range(4), 2)
                if (one, other) not in ((0, 1), (1, 3))
            },
            "old-hidden-state-unread": ("a = x @ params.Wx + params.b", "The gates do not see the old hidden state."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "a",
        "a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)",
        "The four gates' pre-activations stand side by side in one array; which block is whose is an agreement.",
        "Look at which block of the weights each gate takes.",
        "it is cut into four blocks of H columns, in the order in which the weights hold the gates: see the docstring.",
        {
            "gate-order-ifog": (
                "a_i, a_f, a_o, a_g = np.split(a, 4, axis=1)",
                "The blocks are read as i, f, o, g, as in CS231n.",
            ),
            "gate-order-figo": (
                "a_f, a_i, a_g, a_o = np.split(a, 4, axis=1)",
                "The blocks are read as f, i, g, o.",
            ),
            "gate-order-igfo": (
                "a_i, a_g, a_f, a_o = np.split(a, 4, axis=1)",
                "The blocks are read as i, g, f, o, as in TensorFlow 1.",
            ),
            "gate-order-iofg": (
                "a_i, a_o, a_f, a_g = np.split(a, 4, axis=1)",
                "The blocks are read as i, o, f, g, as in ONNX.",
            ),
            "one-block-for-all-gates": (
                "a_i, a_f, a_g, a_o = [np.split(a, 4, axis=1)[0]] * 4",
                "All four take the input gate's block: one set of weights does all the work.",
            ),
            "gates-interleaved": (
                "a_i, a_f, a_g, a_o = np.moveaxis(a.reshape(len(a), -1, 4), 2, 0)",
                "The gates are read unit by unit, four columns each, where each gate has a block of its own.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "f",
        "f = sigmoid(a_f)",
        "The forget gate says how much of the old cell to keep: 1 keeps all.",
        "Look at how the forget gate is made from its pre-activation.",
        "it lies between 0 and 1 and depends on nothing but the block a_f, which has its bias in it already.",
        {
            "forget-bias-added": (
                "f = sigmoid(a_f + 1)",
                "1 is added to the forget gate, on top of the bias, as TensorFlow 1 did.",
            ),
            "forget-gate-inverted": ("f = 1 - sigmoid(a_f)", "The gate says what to forget, not what to keep."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "g",
        "g = tanh(a_g)",
        "The candidate is what might be written into the cell; it is no gate and may be negative.",
        "Think about which of the four must be able to be negative.",
        "it lies between -1 and 1.",
        {
            "candidate-sigmoid": (
                "g = sigmoid(a_g)",
                "The candidate is squashed as the gates are, to between 0 and 1.",
            ),
            "candidate-not-squashed": ("g = a_g", "The candidate is not squashed."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "o",
        "o = sigmoid(a_o)",
        "The output gate says how much of the cell to show.",
        "Think about which range each of the four has.",
        "it is a gate and lies between 0 and 1.",
        {"output-gate-tanh": ("o = tanh(a_o)", "The output gate is squashed as the candidate is.")},
    ),
    *mistakes_in(
        FORWARD,
        "c",
        "c = f * c_prev + i * g",
        "The new cell: some of the old one kept, some of the candidate written.",
        "Look at the cell's update: what is kept, what is written, and which gate decides on each.",
        "two terms, and each is the product of a gate and what that gate lets through.",
        {
            "cell-without-input-gate": ("c = f * c_prev + g", "The candidate is written whole: i is missing."),
            "cell-without-forget-gate": (
                "c = c_prev + i * g",
                "The old cell is kept whole: f is missing, as it was before Gers, Schmidhuber & Cummins 2000.",
            ),
            "cell-adds-gate-to-candidate": (
                "c = f * c_prev + i + g",
                "The gate is added to the candidate, where it should scale it.",
            ),
            "cell-without-old-cell": ("c = i * g", "The old cell is dropped."),
            "cell-keeps-old-hidden-state": ("c = f * h_prev + i * g", "The old h stands where the old c belongs."),
            "cell-gates-coupled": ("c = f * c_prev + (1 - f) * g", "1 - f stands for i: another cell, a coupled one."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h",
        "tanh_c = tanh(c)",
        "The hidden state shows the cell, squashed, through the output gate.",
        "Look at which cell the hidden state shows.",
        "it shows the cell as it is after this step, squashed to between -1 and 1.",
        {
            "output-shows-old-cell": ("tanh_c = tanh(c_prev)", "h is made of the old cell."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h",
        "h = o * tanh_c",
        "The hidden state shows the cell, squashed, through the output gate.",
        "Look at how the cell becomes what the step puts out.",
        "the product of a gate and of the squashed new cell; nothing is squashed after that product.",
        {
            "output-without-gate": ("h = tanh_c", "The output gate is missing."),
            "output-without-tanh": ("h = o * c", "The cell is not squashed."),
            "output-squashed-after-gate": ("h = tanh(o * c)", "The product is squashed, not the cell."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h",
        "return h, c, LSTMStepCache",
        "A step puts out two states of one shape, which nothing but their order tells apart.",
        "Look at what the step puts out, and in which order the loop over time takes it.",
        "it comes first of what is put out, before the cell.",
        {"states-returned-swapped": ("return c, h, LSTMStepCache", "h and c change places.")},
    ),
)
