"""Deep Learning from Scratch 2 (Saito): layers with params and grads, and Time layers that take them through time."""

from npbilstm.submission.form import Calls, Form

FORM = Form(
    name="saito",
    title="Deep Learning from Scratch 2",
    layout="gates=fgio/zrn update=writes",
    words="dh_next dc_next stateful dhs xs",
    rounds=True,
    calls=(
        Calls(
            "rnn_step",
            "layer = RNN(Wx, Wh, b)\nh = layer.forward(x, h_prev)",
            "dx, dh_prev = layer.backward(dh)\ndWx, dWh, db = layer.grads",
        ),
        Calls(
            "lstm_step",
            "layer = LSTM(Wx, Wh, b)\nh, c = layer.forward(x, h_prev, c_prev)",
            "dx, dh_prev, dc_prev = layer.backward(dh, dc)\ndWx, dWh, db = layer.grads",
        ),
        Calls(
            "gru_reset_before_step",
            "layer = GRU(Wx, Wh, b)\nh = layer.forward(x, h_prev)",
            "dx, dh_prev = layer.backward(dh)\ndWx, dWh, db = layer.grads",
        ),
        Calls(
            "rnn",
            "layer = TimeRNN(Wx, Wh, b, True)\nlayer.set_state(h0)\nh = layer.forward(x)",
            "dx = layer.backward(dh)\ndh0 = layer.dh\ndWx, dWh, db = layer.grads",
        ),
        Calls(
            "lstm",
            "layer = TimeLSTM(Wx, Wh, b, True)\nlayer.set_state(h0, c0)\nh = layer.forward(x)",
            "dx = layer.backward(dh)\ndh0 = layer.dh\ndWx, dWh, db = layer.grads",
        ),
        Calls(
            "gru_reset_before",
            "layer = TimeGRU(Wx, Wh, b, True)\nlayer.set_state(h0)\nh = layer.forward(x)",
            "dx = layer.backward(dh)\ndh0 = layer.dh\ndWx, dWh, db = layer.grads",
        ),
        *(
            Calls(
                subject,  # without a state that is set
                f"layer = {name}(Wx, Wh, b)\nh = layer.forward(x)",
                "dx = layer.backward(dh)\ndWx, dWh, db = layer.grads",
            )
            for subject, name in (("rnn", "TimeRNN"), ("lstm", "TimeLSTM"), ("gru_reset_before", "TimeGRU"))
        ),
        Calls(
            "bilstm",
            "layer = TimeBiLSTM(Wx1, Wh1, b1, Wx2, Wh2, b2)\ny = layer.forward(x)",
            "dx = layer.backward(dy)\ndWx1, dWh1, db1, dWx2, dWh2, db2 = layer.grads",
            weights="Wx1=forward.Wx Wh1=forward.Wh b1=forward.b Wx2=reverse.Wx Wh2=reverse.Wh b2=reverse.b",
        ),
        Calls(
            "embedding",
            "layer = TimeEmbedding(table)\nx = layer.forward(ids)",
            "layer.backward(dx)\n(dtable,) = layer.grads",
        ),
        Calls(
            "affine",
            "layer = TimeAffine(W, b)\nscores = layer.forward(x)",
            "dx = layer.backward(dscores)\ndW, db = layer.grads",
        ),
        Calls(
            "softmax_cross_entropy",
            """
            labels = np.where(np.arange(T) < lengths[:, None], targets, -1)
            layer = TimeSoftmaxWithLoss()
            loss = layer.forward(logits, labels)
            """,
            "dlogits = layer.backward(dloss)",
            uses="ignore_label",
            once=True,
        ),
        Calls(
            "softmax_cross_entropy",
            "layer = TimeSoftmaxWithLoss()\nloss = layer.forward(logits, targets)",
            "dlogits = layer.backward(dloss)",
            once=True,
        ),
    ),
)
