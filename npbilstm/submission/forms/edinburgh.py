"""Edinburgh, NLU+: an RNN with the logistic function; it adds up the negative gradient, truncated after some steps."""

from npbilstm.submission.form import Calls, Form

PREDICT = """
rnn = RNN(V, H, V)
rnn.U, rnn.V, rnn.W = U, Vx, W
y, s = rnn.predict(ids)
loss = -np.log(y[np.arange(T), targets]).sum()
"""
WEIGHTS = "U=Wy Vx=Wx W=Wh"

FORM = Form(
    name="edinburgh",
    title="Edinburgh's NLU+",
    layout="weights=(H,D) x=(T,D)",
    words="vocab_size hidden_dims out_vocab_size steps",
    calls=(
        Calls(
            "truncated_rnn",
            PREDICT,
            """
            rnn.acc_deltas_bptt(ids, targets, y, s, steps)
            dU, dVx, dW = -rnn.deltaU * dloss, -rnn.deltaV * dloss, -rnn.deltaW * dloss
            """,
            weights=WEIGHTS,
            adds=".*",
        ),
    ),
)
