"""What goes wrong behind the gates of a step of the GRU, reset after the product: from da and du to the inputs, the old
state and the weights."""

from __future__ import annotations

from npbilstm.mistakes.planting import Bug

BACKWARD = "gru_step_backward"
DH_PREV = "dh_prev = dh * z + mask * (du @ params.Wh.T)"
"""The line in which more than one thing goes wrong."""

BUGS = (
    *(
        Bug(
            f"gru-gate-gradients-swapped{where}",
            BACKWARD,
            "da_z = dz * sigmoid_derivative(z)",
            new,
            "da",
            "A gradient is laid out as what it is the gradient of: block for block.",
            (
                "At one step alone, the weights' gradients hold all the right numbers. Are they in the right place?",
                "The equations of da and du: their blocks must be in the order in which the forward pass split them.",
                "da = [da_r, da_z, da_n] and du = [da_r, da_z, dq]: reset gate first, then update gate.",
            ),
        )
        for where, new in (
            ("", "da_z, da_r = da_r, dz * sigmoid_derivative(z)"),
            ("-where-z-writes", "da_z, da_r = -da_r, -dz * sigmoid_derivative(z)"),
        )
    ),
    Bug(
        "gru-du-candidate-not-reset",
        BACKWARD,
        "du = np.concatenate([da_r, da_z, dq], axis=1)",
        "du = np.concatenate([da_r, da_z, da_n], axis=1)",
        "du",
        "The input and the state reach the candidate by different ways: the reset gate stands in one of them only.",
        (
            "In an LSTM one gradient serves x and h_prev alike. Why not here?",
            "The equation of du, what the state's product gets: its last block has to come through the reset gate.",
            "du = [da_r, da_z, dq] with dq = da_n * r.",
        ),
    ),
    Bug(
        "gru-da-candidate-reset",
        BACKWARD,
        "da = np.concatenate([da_r, da_z, da_n], axis=1)",
        "da = np.concatenate([da_r, da_z, dq], axis=1)",
        "da",
        "The input and the state reach the candidate by different ways: the reset gate stands in one of them only.",
        (
            "In an LSTM one gradient serves x and h_prev alike. Why not here?",
            "The equation of da, what the input's product gets: no gate stands between x and the candidate's tanh.",
            "da = [da_r, da_z, da_n]: the reset gate holds back the state, not x.",
        ),
    ),
    Bug(
        "gru-dh-prev-kept-share-missing",
        BACKWARD,
        DH_PREV,
        "dh_prev = mask * (du @ params.Wh.T)",
        "dh_prev",
        "The old state is used in more than one place, and its gradient is the sum over all of them.",
        (
            "Count the places in the forward pass where the old state stands.",
            "The equation of dh_prev: besides the products with Wh, part of h_prev passes into h as it is.",
            "dh_prev = dh * z + du Wh^T: the share z that was kept comes back without any matrix.",
        ),
    ),
    Bug(
        "gru-dh-prev-written-share",
        BACKWARD,
        DH_PREV,
        "dh_prev = dh * (1 - z) + mask * (du @ params.Wh.T)",
        "dh_prev",
        "The old state gets the gradient in the proportion in which it was kept.",
        (
            "What share of the old state passes into the new one?",
            "The equation of dh_prev: the factor of dh must be the weight that h_prev has in the equation of h.",
            "dh_prev = dh * z + du Wh^T: z is the old state's weight, 1 - z the candidate's.",
        ),
    ),
    Bug(
        "gru-dh-prev-kept-share-whole",
        BACKWARD,
        DH_PREV,
        "dh_prev = dh + mask * (du @ params.Wh.T)",
        "dh_prev",
        "The old state gets the gradient in the proportion in which it was kept.",
        (
            "What share of the old state passes into the new one?",
            "The equation of dh_prev: what comes straight from dh must vanish where the update gate keeps nothing.",
            "dh_prev = dh * z + du Wh^T.",
        ),
    ),
    Bug(
        "gru-dh-prev-product-missing",
        BACKWARD,
        DH_PREV,
        "dh_prev = dh * z",
        "dh_prev",
        "The old state is used in more than one place, and its gradient is the sum over all of them.",
        (
            "Count the places in the forward pass where the old state stands.",
            "The equation of dh_prev: the gates and the candidate saw h_prev as well, through Wh.",
            "dh_prev = dh * z + du Wh^T.",
        ),
    ),
    Bug(
        "gru-dh-prev-reset-gate-missing",
        BACKWARD,
        DH_PREV,
        "dh_prev = dh * z + mask * (np.concatenate([0 * da_r, da_z, dq], axis=1) @ params.Wh.T)",
        "dh_prev",
        "The old state is used in more than one place, and its gradient is the sum over all of them.",
        (
            "Count the places in the forward pass where the old state stands; gates count.",
            "The equation of dh_prev: three products saw h_prev, one per block, and each sends a gradient back.",
            "dh_prev = dh * z + du Wh^T with all three blocks of du, that of r too.",
        ),
    ),
    *(
        Bug(
            f"gru-dh-prev-{name}-missing",
            BACKWARD,
            DH_PREV,
            f"dh_prev = dh * z + mask * (np.concatenate([{blocks}], axis=1) @ params.Wh.T)",
            "dh_prev",
            "The old state is used in more than one place, and its gradient is the sum over all of them.",
            (
                "Count the places in the forward pass where the old state stands; the candidate counts.",
                "The equation of dh_prev: three products saw h_prev, and each sends a gradient back.",
                f"dh_prev = dh * z + du Wh^T with all three blocks of du, that of {gate} too.",
            ),
        )
        for name, gate, blocks in (
            ("update-gate", "z", "da_r, 0 * da_z, dq"),
            ("candidate", "n", "da_r, da_z, 0 * dq"),
        )
    ),
    Bug(
        "gru-dh-prev-wh-not-transposed",
        BACKWARD,
        DH_PREV,
        "dh_prev = dh * z + mask * (du @ np.vstack(np.split(params.Wh, 3, axis=1)))",
        "dh_prev",
        "The way back through a product is the product with the transpose; a square matrix does not complain.",
        (
            "A shape that fits proves nothing where a matrix is square.",
            "The equation of dh_prev: each block of Wh is (H, H), and unit k of h_prev must collect along row k.",
            "dh_prev = dh * z + du Wh^T: each gate's block transposed.",
        ),
    ),
    Bug(
        "gru-dwh-new-state",
        BACKWARD,
        "dWh = (mask * h_prev).T @ du",
        "dWh = (mask * ((1 - z) * n + z * h_prev)).T @ du",
        "dWh",
        "A weight's gradient is what came in times what comes back: at the time the product was made.",
        (
            "Which state did the recurrent weights multiply in this step?",
            "The equation of dWh: its left factor must be what Wh was multiplied with in the forward pass.",
            "dWh = h_prev^T du: the state before the step, not the one after it.",
        ),
    ),
    Bug(
        "gru-dwx-mean-over-rows",
        BACKWARD,
        "dWx = x.T @ da",
        "dWx = x.T @ da / len(x)",
        "dWx",
        "All rows of a batch share the weights, and the loss already says how rows are weighed.",
        (
            "Try a batch of a single row: does the mistake go away?",
            "The equation of dWx: contributions of the rows add up; any mean over the batch is the loss's business.",
            "dWx = x^T da, not divided by N.",
        ),
    ),
    Bug(
        "gru-db-first-row",
        BACKWARD,
        "db = da.sum(axis=0)",
        "db = da[0]",
        "db",
        "The bias was added to every row of the batch.",
        (
            "Try a batch of a single row: does the mistake go away?",
            "The equation of db: every row used the bias, so every row has a part in its gradient.",
            "db = sum over the rows n of da.",
        ),
    ),
    Bug(
        "gru-db-hn-not-reset",
        BACKWARD,
        "db_hn = dq.sum(axis=0)",
        "db_hn = da_n.sum(axis=0)",
        "db_hn",
        "The candidate's two biases differ in the one thing that stands between them.",
        (
            "The candidate has two biases. If their gradients were equal, why have two?",
            "The equation of db_hn: this bias must learn nothing where the reset gate is closed.",
            "db_hn = sum over the rows of dq, with dq = da_n * r.",
        ),
    ),
)
