"""What goes wrong in a step of an LSTM with layer normalisation; what any LSTM's step has is in lstm_step.py."""

from __future__ import annotations

from npbilstm.mistakes.catalogue.line import mistakes_in

FORWARD, BACKWARD = "layer_norm_lstm_step_forward", "layer_norm_lstm_step_backward"
SHARES = "What comes from x and what comes from h are normalised each by itself, before they meet."
KEPT = "The cell that is kept is not normalised: only what is shown of it is."
LN_X = "a_x, norm_x = layer_norm_forward(z_x, params.gain_x, 0.0, epsilon)"
LN_H = "a_h, norm_h = layer_norm_forward(z_h, params.gain_h, 0.0, epsilon)"
LN_C = "m, norm_c = layer_norm_forward(c, params.gain_c, params.bias_c, epsilon)"
PER_GATE = (
    "np.hstack([layer_norm_forward(part, gain, 0.0, epsilon)[0] for part, gain in zip(np.split({}, 4, axis=1), "
    "np.split(params.gain_{}, 4))])"
)

BUGS = (
    *mistakes_in(
        FORWARD,
        "a",
        "a = a_x + a_h + params.b",
        SHARES,
        "How many normalisations are there before the gates, of what, and over how many numbers?",
        "two normalised products and one bias, side by side for all gates.",
        {
            "layer-norm-lstm-one-of-the-sum": (
                "a = layer_norm_forward(z_x + z_h, params.gain_x + params.gain_h, params.b, epsilon)[0]",
                "The sum of the two products is normalised, with both gains added.",
            ),
            "layer-norm-lstm-sum-by-one-gain": (
                "a = layer_norm_forward(z_x + z_h, params.gain_x, params.b, epsilon)[0]",
                "The sum of the two products is normalised, with the gain of x.",
            ),
            "layer-norm-lstm-sum-with-bias": (
                "a = layer_norm_forward(z_x + z_h + params.b, params.gain_x, 0.0, epsilon)[0]",
                "The sum of the two products is normalised, and the bias with it.",
            ),
            "layer-norm-lstm-statistics-per-gate": (
                f"a = {PER_GATE.format('z_x', 'x')} + {PER_GATE.format('z_h', 'h')} + params.b",
                "Each gate has statistics of its own; in the paper those of a product run over all 4H numbers.",
            ),
            "layer-norm-lstm-sum-per-gate": (
                f"a = {PER_GATE.format('z_x + z_h', 'x')} + params.b",
                "The sum of the products is normalised, each gate by itself, as in TensorFlow's cell.",
            ),
            "layer-norm-lstm-x-not-normalised": (
                "a = z_x + a_h + params.b",
                "What comes from x is taken as it is.",
            ),
            "layer-norm-lstm-h-not-normalised": (
                "a = a_x + z_h + params.b",
                "What comes from h is taken as it is.",
            ),
            "layer-norm-lstm-bias-forgotten": ("a = a_x + a_h", "The bias is left out."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "a",
        LN_X,
        SHARES,
        "Which gain belongs to which product?",
        "the product with Wx is normalised, and scaled by the gain of x.",
        {
            "layer-norm-lstm-gain-of-h-for-x": (
                "a_x, norm_x = layer_norm_forward(z_x, params.gain_h, 0.0, epsilon)",
                "The gain of h stands at x.",
            ),
            "layer-norm-lstm-x-itself-normalised": (
                "a_x, norm_x = layer_norm_forward(layer_norm_forward(x, np.ones(x.shape[1]), 0.0, epsilon)[0] "
                "@ params.Wx, params.gain_x, 0.0, epsilon)",
                "x is normalised before its product, too.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "a",
        LN_H,
        SHARES,
        "Which gain belongs to which product?",
        "the product with Wh is normalised, and scaled by the gain of h.",
        {
            "layer-norm-lstm-gain-of-x-for-h": (
                "a_h, norm_h = layer_norm_forward(z_h, params.gain_x, 0.0, epsilon)",
                "The gain of x stands at h: one gain for both.",
            ),
            "layer-norm-lstm-bias-of-the-gates-twice": (
                "a_h, norm_h = layer_norm_forward(z_h, params.gain_h, params.b, epsilon)",
                "The gates' bias is added here, and once more to the sum.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "m",
        LN_C,
        KEPT,
        "What becomes of the cell between its equation and the hidden state?",
        "the new cell normalised, with a gain and a bias of its own.",
        {
            "layer-norm-lstm-cell-squashed-first": (
                "m, norm_c = layer_norm_forward(tanh(c), params.gain_c, params.bias_c, epsilon)",
                "The cell is squashed before it is normalised, and after it again.",
            ),
            "layer-norm-lstm-old-cell-shown": (
                "m, norm_c = layer_norm_forward(c_prev, params.gain_c, params.bias_c, epsilon)",
                "The old cell is normalised and shown.",
            ),
            "layer-norm-lstm-cell-bias-missing": (
                "m, norm_c = layer_norm_forward(c, params.gain_c, 0.0, epsilon)",
                "The cell's bias is left out.",
            ),
        },
    ),
    *mistakes_in(
        FORWARD,
        "h",
        "tanh_m = tanh(m)",
        KEPT,
        "What is it that the output gate multiplies?",
        "the squashed one is what the normalisation of the cell has put out.",
        {
            "layer-norm-lstm-cell-not-normalised": (
                "tanh_m = tanh(c)",
                "The cell is shown without its normalisation.",
            ),
            "layer-norm-lstm-tanh-missing": ("tanh_m = m", "The normalised cell is not squashed."),
        },
    ),
    *mistakes_in(
        FORWARD,
        "c",
        "return h, c, LayerNormLSTMStepCache",
        KEPT,
        "What does the next step get as its old cell?",
        "what the gates have made of it, without normalisation.",
        {
            "layer-norm-lstm-normalised-cell-kept": (
                "return h, m, LayerNormLSTMStepCache",
                "The normalised cell is handed on, as in TensorFlow's LayerNormBasicLSTMCell.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "do",
        "do = dh * tanh_m",
        "A factor's gradient is the other factor.",
        "What exactly does the output gate multiply?",
        "what comes from above, times what the gate was multiplied with.",
        {
            "layer-norm-lstm-do-of-normalised-cell": (
                "do = dh * np.arctanh(tanh_m)",
                "Times the normalised cell, not its tanh.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dm",
        "dm = dh * o * tanh_derivative(tanh_m)",
        "What was squashed has the squashing's slope on its way back.",
        "Go back from h to the normalised cell: two things stand between.",
        "what comes from above, through the output gate and through the tanh.",
        {
            "layer-norm-lstm-dm-slope-missing": ("dm = dh * o", "The slope of the tanh is missing."),
            "layer-norm-lstm-dm-gate-missing": (
                "dm = dh * tanh_derivative(tanh_m)",
                "The output gate is missing.",
            ),
            "layer-norm-lstm-dm-tanh-taken-twice": (
                "dm = dh * o * tanh_derivative(tanh(tanh_m))",
                "The tanh is taken of the tanh once more.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dc",
        "dc = dc + dc_shown",
        "The cell is used twice: as it is by the next step, and normalised by this step's output.",
        "Who uses the cell after this step, and through what does each get it?",
        "what comes from the next step, and what comes back through the cell's normalisation.",
        {
            "layer-norm-lstm-dc-carry-lost": ("dc = dc_shown", "What comes from the next step is lost."),
            "layer-norm-lstm-dc-shown-lost": ("dc = dc + 0 * dc_shown", "What comes from h is lost."),
            "layer-norm-lstm-dc-not-through-the-norm": (
                "dc = dc + dm",
                "What comes from h has not passed the normalisation of the cell.",
            ),
            "layer-norm-lstm-dc-norm-as-constant": (
                "dc = dc + dm * params.gain_c / norm_c.s",
                "The cell's mean and deviation are treated as constants.",
            ),
            "layer-norm-lstm-dc-carry-through-the-norm": (
                "dc = layer_norm_backward(dc + dm, norm_c)[0]",
                "What comes from the next step goes through the normalisation too; it got the cell as it is.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "df",
        "df = dc * c_prev",
        "A factor's gradient is the other factor.",
        "What does the forget gate multiply?",
        "times what the gate multiplied: a cell that was there before this step.",
        {
            "layer-norm-lstm-df-normalised-cell": (
                "df = dc * norm_c.n",
                "The normalised new cell stands where the old one belongs.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "db",
        "db = da.sum(axis=0)",
        "The bias is added after the normalisations, once in every row.",
        "On which side of the normalisations does the bias stand?",
        "a sum over the rows, of the gradient of the gates' pre-activations.",
        {
            "layer-norm-lstm-db-through-the-norm": (
                "db = layer_norm_backward(da, norm_x)[0].sum(axis=0)",
                "It has passed the normalisation, which the bias has not.",
            ),
            "layer-norm-lstm-db-mean-over-batch": ("db = da.mean(axis=0)", "A mean over the rows, not a sum."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dz_x, dgain_x",
        "dz_x, dgain_x, _ = layer_norm_backward(da, norm_x)",
        "Each product comes back through its own normalisation.",
        "What stands between x's product with its weights and the pre-activations?",
        "back through the normalisation that this product had, with its own statistics.",
        {
            "layer-norm-lstm-dz-x-not-through-the-norm": (
                "dz_x, dgain_x = da, layer_norm_backward(da, norm_x)[1]",
                "It has not passed the normalisation.",
            ),
            "layer-norm-lstm-dz-x-through-norm-of-h": (
                "dz_x, dgain_x, _ = layer_norm_backward(da, norm_h)",
                "It has passed the normalisation of h's product.",
            ),
            "layer-norm-lstm-dz-x-statistics-as-constants": (
                "dz_x, dgain_x = da * params.gain_x / norm_x.s, layer_norm_backward(da, norm_x)[1]",
                "Its mean and deviation are treated as constants.",
            ),
            "layer-norm-lstm-dgain-x-lacks-n": (
                "dz_x, dgain_x = layer_norm_backward(da, norm_x)[0], da.sum(axis=0)",
                "The gain's gradient is that of a bias: what it multiplied is missing.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dz_h, dgain_h",
        "dz_h, dgain_h, _ = layer_norm_backward(da, norm_h)",
        "Each product comes back through its own normalisation.",
        "What stands between the old state's product with its weights and the pre-activations?",
        "back through the normalisation that this product had, with its own statistics.",
        {
            "layer-norm-lstm-dz-h-not-through-the-norm": (
                "dz_h, dgain_h = da, layer_norm_backward(da, norm_h)[1]",
                "It has not passed the normalisation.",
            ),
            "layer-norm-lstm-dz-h-through-norm-of-x": (
                "dz_h, dgain_h, _ = layer_norm_backward(da, norm_x)",
                "It has passed the normalisation of x's product.",
            ),
            "layer-norm-lstm-dz-h-statistics-as-constants": (
                "dz_h, dgain_h = da * params.gain_h / norm_h.s, layer_norm_backward(da, norm_h)[1]",
                "Its mean and deviation are treated as constants.",
            ),
            "layer-norm-lstm-dgain-h-of-x": (
                "dz_h, dgain_h = layer_norm_backward(da, norm_h)[0], dgain_x",
                "The gain of h gets the gradient of the gain of x.",
            ),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dx",
        "dx = dz_x @ params.Wx.T",
        "What is multiplied by weights on its way out comes back through the same weights.",
        "Which gradient belongs on the other side of Wx?",
        "the gradient of the product with Wx, back through it.",
        {"layer-norm-lstm-dx-of-da": ("dx = da @ params.Wx.T", "da stands where dz_x belongs.")},
    ),
    *mistakes_in(
        BACKWARD,
        "dh_prev",
        "dh_prev = mask * (dz_h @ params.Wh.T)",
        "What is multiplied by weights on its way out comes back through the same weights.",
        "Which gradient belongs on the other side of Wh, and is Wh's shape a help?",
        "the gradient of the product with Wh, back through it, and through the mask.",
        {
            "layer-norm-lstm-dh-prev-of-da": ("dh_prev = mask * (da @ params.Wh.T)", "da stands where dz_h belongs."),
            "layer-norm-lstm-dh-prev-of-dz-x": (
                "dh_prev = mask * (dz_x @ params.Wh.T)",
                "dz_x stands where dz_h belongs.",
            ),
            "layer-norm-lstm-dh-prev-mask-missing": ("dh_prev = dz_h @ params.Wh.T", "The mask is missing."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dWx",
        "dWx = x.T @ dz_x",
        "A weight's gradient is what came in times what comes back, over all rows of the batch.",
        "What comes back to Wx: before the normalisation, or behind it?",
        "the sum over the rows, of an outer product of the input and its product's gradient.",
        {
            "layer-norm-lstm-dwx-of-da": ("dWx = x.T @ da", "da stands where dz_x belongs."),
            "layer-norm-lstm-dwx-mean-over-batch": ("dWx = x.T @ dz_x / len(x)", "A mean over the rows, not a sum."),
        },
    ),
    *mistakes_in(
        BACKWARD,
        "dWh",
        "dWh = h_in.T @ dz_h",
        "A weight's gradient is what came in times what comes back, over all rows of the batch.",
        "What comes back to Wh: before the normalisation, or behind it?",
        "the sum over the rows, of an outer product of what was multiplied and the product's gradient.",
        {
            "layer-norm-lstm-dwh-of-da": ("dWh = h_in.T @ da", "da stands where dz_h belongs."),
            "layer-norm-lstm-dwh-new-state": ("dWh = (o * tanh_m).T @ dz_h", "The new h stands where the old belongs."),
        },
    ),
)
