"""What goes wrong in a step of the GRU, reset before the product."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

FORWARD, BACKWARD = "gru_reset_before_step_forward", "gru_reset_before_step_backward"
DH_IN = "dh_in = da_r @ Wh_r.T + da_z @ Wh_z.T + ds * r"
"""The line in which more than one thing goes wrong."""

BUGS = (
    Bug(
        "gru-before-kept-and-written-swapped",
        FORWARD,
        "h = (1 - z) * n + z * h_prev",
        "h = z * n + (1 - z) * h_prev",
        "h",
        "The new state is a weighted mean of the old one and the candidate; papers disagree which of them gets z.",
        (
            "Look at the very last equation. What should the state do when the update gate is fully open, at 1?",
            "The equation of h: here z is the share of the old state that is kept, as Cho et al. print it.",
            "h = (1 - z) * n + z * h_prev: with z = 1 nothing changes.",
        ),
    ),
    *(
        Bug(
            f"gru-before-gates-in-another-order{where}",
            FORWARD,
            "z = sigmoid(a_z + h_in @ Wh_z)",
            new,
            "r, z",
            "A fused weight matrix holds one block per gate, and only a convention says which block is which gate's.",
            (
                "Every equation may be right and the numbers wrong all the same: where do the gates' weights stand?",
                "r and z: each must be computed from its own block of Wx, Wh and b; check the order of the blocks.",
                "The blocks are in the order r, z, n: r first, then z. Keras has z first.",
            ),
        )
        for where, new in (
            ("", "z, r = r, sigmoid(a_z + h_in @ Wh_z)"),
            ("-where-z-writes", "z, r = 1 - r, 1 - sigmoid(a_z + h_in @ Wh_z)"),
        )
    ),
    Bug(
        "gru-before-reset-after-the-product",
        FORWARD,
        "n = tanh(a_n + (r * h_in) @ Wh_n)",
        "n = tanh(a_n + r * (h_in @ Wh_n))",
        "n",
        "There are two GRUs: the reset gate stands before the product with the state's weights, or after it.",
        (
            "This is a right equation of another GRU. Which of the two forms is asked for here?",
            "The equation of n: does r multiply the state, or the product of the state and Wh_n?",
            "n = tanh(a_n + (r * h_prev) Wh_n): first the reset, then the product, as Cho et al. print it.",
        ),
    ),
    Bug(
        "gru-before-candidate-not-reset",
        FORWARD,
        "n = tanh(a_n + (r * h_in) @ Wh_n)",
        "n = tanh(a_n + h_in @ Wh_n)",
        "n",
        "The reset gate decides how much of the past the candidate sees.",
        (
            "Follow the reset gate from where it is computed to where it does its work.",
            "The equation of n: it must depend on r; without it the reset gate's weights do nothing.",
            "n = tanh(a_n + (r * h_prev) Wh_n).",
        ),
    ),
    Bug(
        "gru-before-dz-sign",
        BACKWARD,
        "dz = dh * (h_prev - n)",
        "dz = dh * (n - h_prev)",
        "dz",
        "The update gate moves the new state along the line from the candidate to the old state.",
        (
            "Look at the update gate. When it opens a little, which way does the new state move?",
            "The equation of dz: differentiate h by z, both of its terms, and mind their signs.",
            "dz = dh * (h_prev - n): opening z adds h_prev and takes n away.",
        ),
    ),
    Bug(
        "gru-before-dz-candidate-forgotten",
        BACKWARD,
        "dz = dh * (h_prev - n)",
        "dz = dh * h_prev",
        "dz",
        "The update gate stands twice in the equation of the new state.",
        (
            "Look at the update gate. In how many places does it act on the new state?",
            "The equation of dz: h has z in two terms, and each of them gives one to the derivative.",
            "dz = dh * (h_prev - n): the term (1 - z) * n gives -n.",
        ),
    ),
    Bug(
        "gru-before-dz-state-forgotten",
        BACKWARD,
        "dz = dh * (h_prev - n)",
        "dz = -dh * n",
        "dz",
        "The update gate stands twice in the equation of the new state.",
        (
            "Look at the update gate. In how many places does it act on the new state?",
            "The equation of dz: h has z in two terms, and each of them gives one to the derivative.",
            "dz = dh * (h_prev - n): the term z * h_prev gives h_prev.",
        ),
    ),
    Bug(
        "gru-before-dn-kept-share",
        BACKWARD,
        "dn = dh * (1 - z)",
        "dn = dh * z",
        "dn",
        "The candidate gets the gradient in the proportion in which it was written into the new state.",
        (
            "What share of the candidate is written into the new state?",
            "The equation of dn: its factor must be the weight that n has in the equation of h.",
            "dn = dh * (1 - z): z is the old state's weight, 1 - z the candidate's.",
        ),
    ),
    Bug(
        "gru-before-da-n-derivative-missing",
        BACKWARD,
        "da_n = dn * tanh_derivative(n)",
        "da_n = dn",
        "da_n",
        "Between the candidate and its pre-activation stands a squashing function, which the chain rule does not skip.",
        (
            "Walk back through the candidate, function by function. Is one of them left out?",
            "The equation of da_n: it leads through the candidate's tanh, so a slope between 0 and 1 must multiply.",
            "da_n = dn * (1 - n^2): the derivative of tanh, in terms of its output n.",
        ),
    ),
    Bug(
        "gru-before-ds-wh-not-transposed",
        BACKWARD,
        "ds = da_n @ Wh_n.T",
        "ds = da_n @ Wh_n",
        "ds",
        "The way back through a product is the product with the transpose; a square matrix does not complain.",
        (
            "A shape that fits proves nothing where a matrix is square.",
            "The equation of ds: Wh_n is (H, H), and unit k of what it multiplied must collect along row k.",
            "ds = da_n Wh_n^T.",
        ),
    ),
    Bug(
        "gru-before-dr-uses-the-candidate",
        BACKWARD,
        "dr = ds * h_in",
        "dr = ds * n",
        "dr",
        "A factor's gradient is the other factor.",
        (
            "Look at the reset gate. What exactly does it multiply in the forward pass?",
            "The equation of dr: in r * (something) the gradient of r is that something, which is not the candidate.",
            "dr = ds * h_prev: the reset gate multiplies the old state.",
        ),
    ),
    Bug(
        "gru-before-dr-as-in-reset-after",
        BACKWARD,
        "dr = ds * h_in",
        "dr = da_n * (h_in @ Wh_n)",
        "dr",
        "A factor's gradient is the other factor, and comes by the way on which the factor acted.",
        (
            "This is a right equation of another GRU. Which of the two forms is asked for here?",
            "The equation of dr: the reset stands before the product, so the gradient must come through Wh_n first.",
            "dr = ds * h_prev with ds = da_n Wh_n^T.",
        ),
    ),
    Bug(
        "gru-before-da-r-derivative-missing",
        BACKWARD,
        "da_r = dr * sigmoid_derivative(r)",
        "da_r = dr",
        "da_r",
        "Between a gate and its pre-activation stands a squashing function, which the chain rule does not skip.",
        (
            "One of the gates lacks a step on its way back to the weights.",
            "The equation of da_r: it leads through the gate's sigmoid, whose slope is never above 1/4.",
            "da_r = dr * r * (1 - r).",
        ),
    ),
    Bug(
        "gru-before-da-z-derivative-missing",
        BACKWARD,
        "da_z = dz * sigmoid_derivative(z)",
        "da_z = dz",
        "da_z",
        "Between a gate and its pre-activation stands a squashing function, which the chain rule does not skip.",
        (
            "One of the gates lacks a step on its way back to the weights.",
            "The equation of da_z: it leads through the gate's sigmoid, whose slope is never above 1/4.",
            "da_z = dz * z * (1 - z).",
        ),
    ),
    *(
        Bug(
            f"gru-before-gate-gradients-swapped{where}",
            BACKWARD,
            "da_z = dz * sigmoid_derivative(z)",
            new,
            "da",
            "A gradient is laid out as what it is the gradient of: block for block.",
            (
                "At one step alone, the weights' gradients hold all the right numbers. Are they in the right place?",
                "The equations of da and dWh: their blocks must be in the order in which the forward pass split them.",
                "da = [da_r, da_z, da_n]: reset gate first, then update gate.",
            ),
        )
        for where, new in (
            ("", "da_z, da_r = da_r, dz * sigmoid_derivative(z)"),
            ("-where-z-writes", "da_z, da_r = -da_r, -dz * sigmoid_derivative(z)"),
        )
    ),
    Bug(
        "gru-before-dh-in-reset-missing",
        BACKWARD,
        DH_IN,
        "dh_in = da_r @ Wh_r.T + da_z @ Wh_z.T + ds",
        "dh_in",
        "What the reset gate held back in the forward pass, it holds back in the backward pass.",
        (
            "Follow the gradient from the candidate towards the old state. What did the forward pass multiply there?",
            "The equation of dh_in: what comes by the candidate must vanish where the reset gate is closed.",
            "dh_in = da_r Wh_r^T + da_z Wh_z^T + ds * r.",
        ),
    ),
    Bug(
        "gru-before-dh-in-candidate-missing",
        BACKWARD,
        DH_IN,
        "dh_in = da_r @ Wh_r.T + da_z @ Wh_z.T",
        "dh_in",
        "The old state is used in more than one place, and its gradient is the sum over all of them.",
        (
            "Count the places in the forward pass where the old state stands.",
            "The equation of dh_in: three products saw the state, those of r, of z and of n.",
            "dh_in = da_r Wh_r^T + da_z Wh_z^T + ds * r: the candidate saw r * h_prev.",
        ),
    ),
    Bug(
        "gru-before-dh-in-reset-gate-missing",
        BACKWARD,
        DH_IN,
        "dh_in = da_z @ Wh_z.T + ds * r",
        "dh_in",
        "The old state is used in more than one place, and its gradient is the sum over all of them.",
        (
            "Count the places in the forward pass where the old state stands; gates count.",
            "The equation of dh_in: the state acts on the candidate twice, as what is reset and in saying how much.",
            "dh_in = da_r Wh_r^T + da_z Wh_z^T + ds * r: r was computed from h_prev.",
        ),
    ),
    Bug(
        "gru-before-dh-in-update-gate-missing",
        BACKWARD,
        DH_IN,
        "dh_in = da_r @ Wh_r.T + ds * r",
        "dh_in",
        "The old state is used in more than one place, and its gradient is the sum over all of them.",
        (
            "Count the places in the forward pass where the old state stands; gates count.",
            "The equation of dh_in: three products saw the state, those of r, of z and of n.",
            "dh_in = da_r Wh_r^T + da_z Wh_z^T + ds * r: z was computed from h_prev.",
        ),
    ),
    Bug(
        "gru-before-dh-prev-kept-share-missing",
        BACKWARD,
        "dh_prev = dh * z + mask * dh_in",
        "dh_prev = mask * dh_in",
        "dh_prev",
        "The old state is used in more than one place, and its gradient is the sum over all of them.",
        (
            "Count the places in the forward pass where the old state stands.",
            "The equation of dh_prev: besides the products with Wh, part of h_prev passes into h as it is.",
            "dh_prev = dh * z + dh_in: the share z that was kept comes back without any matrix.",
        ),
    ),
    Bug(
        "gru-before-dh-prev-written-share",
        BACKWARD,
        "dh_prev = dh * z + mask * dh_in",
        "dh_prev = dh * (1 - z) + mask * dh_in",
        "dh_prev",
        "The old state gets the gradient in the proportion in which it was kept.",
        (
            "What share of the old state passes into the new one?",
            "The equation of dh_prev: the factor of dh must be the weight that h_prev has in the equation of h.",
            "dh_prev = dh * z + dh_in: z is the old state's weight, 1 - z the candidate's.",
        ),
    ),
    Bug(
        "gru-before-dwh-not-reset",
        BACKWARD,
        "dWh = np.concatenate([h_in.T @ da_r, h_in.T @ da_z, s.T @ da_n], axis=1)",
        "dWh = np.concatenate([h_in.T @ da_r, h_in.T @ da_z, h_in.T @ da_n], axis=1)",
        "dWh",
        "A weight's gradient is what came in times what comes back, and not all blocks had the same come in.",
        (
            "What did each block of the recurrent weights multiply in the forward pass?",
            "The equation of dWh: the candidate's block saw another state than the two gates' blocks.",
            "dWh_n = (r * h_prev)^T da_n: what Wh_n multiplied was reset already.",
        ),
    ),
    Bug(
        "gru-before-dwh-as-in-reset-after",
        BACKWARD,
        "dWh = np.concatenate([h_in.T @ da_r, h_in.T @ da_z, s.T @ da_n], axis=1)",
        "dWh = np.concatenate([h_in.T @ da_r, h_in.T @ da_z, h_in.T @ (r * da_n)], axis=1)",
        "dWh",
        "A weight's gradient is what came in times what comes back: a gate before the product belongs to the first.",
        (
            "This is a right equation of another GRU. Which of the two forms is asked for here?",
            "The equation of dWh: on which side of the product with Wh_n does the reset gate stand?",
            "dWh_n = (r * h_prev)^T da_n: r multiplies the state, not da_n.",
        ),
    ),
    Bug(
        "gru-before-db-mean-over-rows",
        BACKWARD,
        "db = da.sum(axis=0)",
        "db = da.mean(axis=0)",
        "db",
        "All rows of a batch share the bias, and the loss already says how rows are weighed.",
        (
            "Try a batch of a single row: does the mistake go away?",
            "The equation of db: contributions of the rows add up; any mean over the batch is the loss's business.",
            "db = sum over the rows n of da, not their mean.",
        ),
    ),
)
