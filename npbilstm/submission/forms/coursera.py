"""The Deep Learning Specialization, course 5, week 1: building a recurrent network step by step.

Each function takes the output layer's weights beside its own, and gives its predictions, which some leave out.
"""

from npbilstm.submission.form import Calls, Form

PARAMETERS = """
Wy, by = np.cos(np.arange(3 * H)).reshape(3, H), np.array([[0.1], [-0.2], [0.3]])
parameters = {**weights, "Wya": Wy, "Wy": Wy, "by": by}
"""
OF_STEP = "y = [softmax(Wy @ h + by)][: len(y)]"
OVER_TIME = "y = [softmax(np.tensordot(Wy, h, 1) + by[..., None])][: len(y)]"
RNN = "Wax=Wx Waa=Wh ba=b"
LSTM = "Wf=W[f] bf=b[f] Wi=W[i] bi=b[i] Wc=W[g] bc=b[g] Wo=W[o] bo=b[o]"

FORM = Form(
    name="coursera",
    title="the Deep Learning Specialization",
    layout="weights=(H,H+D) x=(D,N,T)",
    words="xt a_prev a0 parameters da_next dc_next caches",
    calls=(
        Calls(
            "rnn_step",
            PARAMETERS + "h, *y, cache = rnn_cell_forward(x, h_prev, parameters)",
            """
            grads = rnn_cell_backward(dh, cache)
            dx, dh_prev = grads["dxt"], grads["da_prev"]
            """,
            weights=RNN,
            also=OF_STEP,
        ),
        Calls(
            "rnn",
            PARAMETERS + "h, *y, cache = rnn_forward(x, h0, parameters)",
            """
            grads = rnn_backward(dh, cache)
            dx, dh0 = grads["dx"], grads["da0"]
            """,
            weights=RNN,
            also=OVER_TIME,
        ),
        Calls(
            "lstm_step",
            PARAMETERS + "h, c, *y, cache = lstm_cell_forward(x, h_prev, c_prev, parameters)",
            """
            grads = lstm_cell_backward(dh, dc, cache)
            dx, dh_prev, dc_prev = grads["dxt"], grads["da_prev"], grads["dc_prev"]
            """,
            weights=LSTM,
            also=OF_STEP,
        ),
        Calls(
            "lstm",
            PARAMETERS + "h, y, c, cache = lstm_forward(x, h0, parameters)\nc_T, y = c[:, :, -1], [y]",
            """
            grads = lstm_backward(dh, cache)
            dx, dh0 = grads["dx"], grads["da0"]
            """,
            weights=LSTM,
            also=OVER_TIME,
        ),
        Calls(
            "lstm",
            PARAMETERS + "h, c, cache = lstm_forward(x, h0, parameters)\nc_T = c[:, :, -1]",
            """
            grads = lstm_backward(dh, cache)
            dx, dh0 = grads["dx"], grads["da0"]
            """,
            weights=LSTM,
        ),
        Calls(
            "lstm",
            PARAMETERS + "h, cache = lstm_forward(x, h0, parameters)",
            """
            grads = lstm_backward(dh, cache)
            dx, dh0 = grads["dx"], grads["da0"]
            """,
            weights=LSTM,
        ),
    ),
)
