"""CS231n, assignments 2 and 3; Georgia Tech's CS7643 and others use them again."""

from npbilstm.submission.form import Calls, Form

FORM = Form(
    name="cs231n",
    title="CS231n",
    layout="gates=ifog",
    words="prev_h prev_c dnext_h dnext_c",
    calls=(
        Calls(
            "rnn_step",
            "h, cache = rnn_step_forward(x, h_prev, Wx, Wh, b)",
            "dx, dh_prev, dWx, dWh, db = rnn_step_backward(dh, cache)",
        ),
        Calls(
            "rnn",
            "h, cache = rnn_forward(x, h0, Wx, Wh, b)",
            "dx, dh0, dWx, dWh, db = rnn_backward(dh, cache)",
        ),
        Calls(
            "lstm_step",
            "h, c, cache = lstm_step_forward(x, h_prev, c_prev, Wx, Wh, b)",
            "dx, dh_prev, dc_prev, dWx, dWh, db = lstm_step_backward(dh, dc, cache)",
        ),
        Calls(
            "lstm",
            "h, cache = lstm_forward(x, h0, Wx, Wh, b)",
            "dx, dh0, dWx, dWh, db = lstm_backward(dh, cache)",
        ),
        Calls(
            "embedding",
            "x, cache = word_embedding_forward(ids, table)",
            "dtable = word_embedding_backward(dx, cache)",
        ),
        Calls(
            "affine",
            "scores, cache = temporal_affine_forward(x, W, b)",
            "dx, dW, db = temporal_affine_backward(dscores, cache)",
        ),
        Calls(
            "softmax_cross_entropy",
            """
            mask = np.arange(T) < lengths[:, None]
            sum_over_rows, dlogits = temporal_softmax_loss(logits, targets, mask)
            count = int(mask.sum())
            loss, dlogits = sum_over_rows * N / count, dlogits * N / count  # the course divides by N
            """,
        ),
    ),
)
