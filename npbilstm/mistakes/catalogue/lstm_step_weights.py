"""What people get wrong behind the gates of one LSTM step: from da to the inputs, the old state and the weights."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

BACKWARD = "lstm_step_backward"
GATES = {"i": "input gate", "f": "forget gate", "g": "candidate", "o": "output gate"}

BUGS = (
    *mistakes_in(
        BACKWARD,
        "da",
        "da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)",
        "The four gates' gradients stand side by side, each in the block that its pre-activation came from.",
        "Look at which block of the weights each gate's gradient goes to.",
        "the blocks stand in the order in which the forward pass cut them.",
        {
            "da-f-g-blocks-swapped": (
                "da = np.concatenate([da_i, da_g, da_f, da_o], axis=1)",
                "The forget gate's and the candidate's blocks are swapped.",
            ),
            "da-g-o-blocks-swapped": (
                "da = np.concatenate([da_i, da_f, da_o, da_g], axis=1)",
                "The candidate's and the output gate's blocks are swapped.",
            ),
            "da-i-f-blocks-swapped": (
                "da = np.concatenate([da_f, da_i, da_g, da_o], axis=1)",
                "The input gate's and the forget gate's blocks are swapped.",
            ),
            "da-i-o-blocks-swapped": (
                "da = np.concatenate([da_o, da_f, da_g, da_i], axis=1)",
                "The input gate's and the output gate's blocks are swapped.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "da",
        "da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)",
        "A gradient says which way the loss goes when what it belongs to grows.",
        "Look at one number of db, and at what the loss does when that bias grows a little.",
        "where the loss grows with a gate's pre-activation, it is positive, as that gate's own gradient is.",
        {
            "da-sign": ("da = -np.concatenate([da_i, da_f, da_g, da_o], axis=1)", "The sign is wrong."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dx",
        "dx = da @ params.Wx.T",
        "Each input feature feeds every gate, so its gradient is a sum over all of them.",
        "Look at the input: which gates does it feed, and by what is it multiplied?",
        "a sum over all four gates, each with its own weights, with the sign that da has.",
        {
            "dx-skips-the-slopes": (
                "dx = np.concatenate([di, df, dg, do], axis=1) @ params.Wx.T",
                "The gates' gradients are taken before the slopes of their squashings.",
            ),
            "dx-sign": ("dx = -da @ params.Wx.T", "The sign is wrong."),
            **{
                f"dx-lacks-{gate}": (
                    f"dx = da @ params.Wx.T - da_{gate} @ np.split(params.Wx, 4, axis=1)[{k}].T",
                    f"The {name} is left out of the sum.",
                )
                for k, (gate, name) in enumerate(GATES.items())
            },
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dh_prev",
        "dh_prev = da @ params.Wh.T",
        "The old hidden state feeds every gate, so its gradient is a sum over all of them.",
        "Look at the old hidden state: which gates does it feed, and by what is it multiplied?",
        "a sum over all four gates and nothing else, with the sign that da has; what was multiplied by a matrix in "
        "the forward pass is multiplied by its transpose on the way back.",
        {
            "dh-prev-wh-not-transposed": (
                "dh_prev = sum(d @ W for d, W in zip(np.split(da, 4, axis=1), np.split(params.Wh, 4, axis=1)))",
                "Each gate's part of Wh is not transposed; it is H x H, so the shapes do not tell.",
            ),
            "dh-prev-skips-the-slopes": (
                "dh_prev = np.concatenate([di, df, dg, do], axis=1) @ params.Wh.T",
                "The gates' gradients are taken before the slopes of their squashings.",
            ),
            "dh-prev-adds-dh": (
                "dh_prev = dh + da @ params.Wh.T",
                "dh is added, as if the hidden state were handed on as the cell is.",
            ),
            "dh-prev-sign": ("dh_prev = -da @ params.Wh.T", "The sign is wrong."),
            **{
                f"dh-prev-lacks-{gate}": (
                    f"dh_prev = da @ params.Wh.T - da_{gate} @ np.split(params.Wh, 4, axis=1)[{k}].T",
                    f"The {name} is left out of the sum.",
                )
                for k, (gate, name) in enumerate(GATES.items())
            },
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dWx",
        "dWx = x.T @ da",
        "A weight's gradient is what came in times what comes back, over all rows of the batch.",
        "Look at how the rows of the batch come together in the input's weights.",
        "the sum, over the rows, of an outer product of input and da.",
        {
            "dwx-mean-over-batch": ("dWx = x.T @ da / len(x)", "The rows' gradients are averaged, not summed."),
            "dwx-first-row-only": ("dWx = x[:1].T @ da[:1]", "The first row alone is counted."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dWh",
        "dWh = h_prev.T @ da",
        "A weight's gradient is what came in times what comes back, over all rows of the batch.",
        "Look at the recurrent weights: what were they multiplied with, of which step, in which rows?",
        "the sum, over the rows, of an outer product of what went into the gates from the step before, and da.",
        {
            "dwh-wrong-hidden-state": (
                "dWh = (o * tanh_c).T @ da",
                "This step's h stands where the old one belongs.",
            ),
            "dwh-cell-for-hidden-state": ("dWh = c_prev.T @ da", "The old c stands where the old h belongs."),
            "dwh-blocks-transposed": (
                "dWh = np.concatenate([d.T @ h_prev for d in np.split(da, 4, axis=1)], axis=1)",
                "Each gate's part is transposed; it is H x H, so the shapes do not tell.",
            ),
            "dwh-mean-over-batch": ("dWh = h_prev.T @ da / len(x)", "The rows' gradients are averaged, not summed."),
            "dwh-first-row-only": ("dWh = h_prev[:1].T @ da[:1]", "The first row alone is counted."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "db",
        "db = da.sum(axis=0)",
        "Each unit's bias in each gate is added once in every row of the batch.",
        "Look at the bias: how often is one of its entries used in the forward pass?",
        "as many numbers as the bias has, each a sum over the rows and over nothing else.",
        {
            "db-mean-over-batch": ("db = da.mean(axis=0)", "The rows' gradients are averaged, not summed."),
            "db-first-row-only": ("db = da[0]", "The first row alone is counted."),
            "db-summed-over-everything": ("db = np.full_like(params.b, da.sum())", "The units are summed, too."),
            "db-summed-over-units": (
                "db = np.repeat([d.sum() for d in np.split(da, 4, axis=1)], h_prev.shape[1])",
                "Each gate's units are summed, too.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "db",
        "db = da.sum(axis=0)",
        "Each gate has a bias of its own, which is added to that gate's pre-activation only.",
        "Look at the bias, gate by gate: whose gradient does each block of it get?",
        "its blocks are those of da, each summed over the rows: every gate's gradient is there, and once.",
        {
            "db-f-gets-gradient-of-i": (
                "db = np.concatenate([da_i, da_i, da_g, da_o], axis=1).sum(axis=0)",
                "The forget gate's bias has the input gate's gradient.",
            ),
            "db-i-and-o-get-gradient-of-f": (
                "db = np.concatenate([da_f, da_f, da_g, da_f], axis=1).sum(axis=0)",
                "The input gate's and the output gate's biases have the forget gate's gradient.",
            ),
            "db-o-gets-gradient-of-f": (
                "db = np.concatenate([da_i, da_f, da_g, da_f], axis=1).sum(axis=0)",
                "The output gate's bias has the forget gate's gradient.",
            ),
            "db-g-gets-gradient-of-i": (
                "db = np.concatenate([da_i, da_f, da_i, da_o], axis=1).sum(axis=0)",
                "The candidate's bias has the input gate's gradient.",
            ),
        },
    ),
)
