"""What goes wrong in the forward equations of a step of the GRU, reset after the product."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

FORWARD = "gru_step_forward"
CANDIDATE = "n = tanh(a_n + r * q)"
"""The line in which more than one thing goes wrong."""

BUGS = (
    Bug(
        "gru-kept-and-written-swapped",
        FORWARD,
        "h = (1 - z) * n + z * h_prev",
        "h = z * n + (1 - z) * h_prev",
        "h",
        "The new state is a weighted mean of the old one and the candidate; papers disagree which of them gets z.",
        (
            "Look at the very last equation. What should the state do when the update gate is fully open, at 1?",
            "The equation of h: here z is the share of the old state that is kept, as in PyTorch and Keras.",
            "h = (1 - z) * n + z * h_prev: with z = 1 nothing changes. Chung et al. 2014 print it the other way round.",
        ),
    ),
    *(
        Bug(
            f"gru-gates-in-another-order{where}",
            FORWARD,
            "z = sigmoid(a_z + u_z)",
            new,
            "r, z",
            "A fused weight matrix holds one block per gate, and only a convention says which block is which gate's.",
            (
                "Every equation may be right and the numbers wrong all the same: where do the gates' weights stand?",
                "r and z: each must be computed from its own block of Wx, Wh and b; check the order of the blocks.",
                "The blocks are in the order r, z, n, as in PyTorch: r first, then z. Keras has z first.",
            ),
        )
        for where, new in (
            ("", "z, r = r, sigmoid(a_z + u_z)"),
            ("-where-z-writes", "z, r = 1 - r, 1 - sigmoid(a_z + u_z)"),
        )
    ),
    Bug(
        "gru-second-bias-not-reset",
        FORWARD,
        CANDIDATE,
        "n = tanh(a_n + r * u_n + params.b_hn)",
        "n",
        "The candidate has two biases, for the reset gate stands between them and they cannot be one.",
        (
            "The candidate is the one place with a second bias. Think about why it needs one.",
            "The equation of n: one of its biases is reset together with the state's product, the other never.",
            "n = tanh(a_n + r * q) with q = u_n + b_hn: r multiplies b_hn as well.",
        ),
    ),
    Bug(
        "gru-input-reset-too",
        FORWARD,
        CANDIDATE,
        "n = tanh(r * (a_n + q))",
        "n",
        "The reset gate decides how much of the past the candidate sees, and of nothing else.",
        (
            "Imagine a reset gate that is closed. What should the candidate still be able to see?",
            "The equation of n: with r = 0 it must be a function of the input alone, and not a constant.",
            "n = tanh(a_n + r * q): r multiplies what comes from the state, never a_n, which comes from x.",
        ),
    ),
    Bug(
        "gru-candidate-not-reset",
        FORWARD,
        CANDIDATE,
        "n = tanh(a_n + q)",
        "n",
        "The reset gate decides how much of the past the candidate sees.",
        (
            "Follow the reset gate from where it is computed to where it does its work.",
            "The equation of n: it must depend on r; without it the reset gate's weights do nothing.",
            "n = tanh(a_n + r * q): the state's part is multiplied by r.",
        ),
    ),
    Bug(
        "gru-reset-before-the-product",
        FORWARD,
        CANDIDATE,
        "n = tanh(a_n + (r * m * h_prev) @ np.split(params.Wh, 3, axis=1)[2] + params.b_hn)",
        "n",
        "There are two GRUs: the reset gate stands before the product with the state's weights, or after it.",
        (
            "This is a right equation of another GRU. Which of the two forms is asked for here?",
            "The equation of n: does r multiply the state, or the product of the state and Wh_n?",
            "n = tanh(a_n + r * q) with q = u_n + b_hn: first the product, then the reset, as in PyTorch.",
        ),
    ),
    Bug(
        "gru-second-bias-missing",
        FORWARD,
        "q = u_n + params.b_hn",
        "q = u_n + 0 * params.b_hn",
        "q",
        "What the reset gate multiplies is an affine function of the state.",
        (
            "Count the parameters that are handed over, and those that the equations use.",
            "The equation of q, what r multiplies: besides the product it has a bias of its own.",
            "q = u_n + b_hn: the bias b_hn is added before r multiplies.",
        ),
    ),
)
