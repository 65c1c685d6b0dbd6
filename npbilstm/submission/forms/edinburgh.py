"""Edinburgh, NLU+: an RNN with the logistic function; it adds up the negative gradient, truncated after some steps."""

from npbilstm.submission.form import Calls, Form

RNN = """
rnn = Layer(V, H, V)
rnn.U, rnn.V, rnn.W = U, Vx, W
"""
PREDICT = (
    RNN
    + """
y, s = rnn.predict(ids)
loss = -np.log(y[np.arange(T), targets]).sum()
"""
)
BY_HAND = """
s, y = np.zeros((T + 1, H)), np.zeros((T, V))
for t in range(T):
    s[t] = 1 / (1 + np.exp(-(Vx[:, ids[t]] + W @ s[t - 1])))
    y[t] = np.exp(U @ s[t]) / np.exp(U @ s[t]).sum()
loss = -np.log(y[np.arange(T), targets]).sum()
"""
DELTAS = "dU, dVx, dW = -rnn.deltaU * dloss, -rnn.deltaV * dloss, -rnn.deltaW * dloss"
GLOBALS = """
file.U, file.V, file.W = U, Vx, W
file.deltaU, file.deltaV, file.deltaW = np.zeros_like(U), np.zeros_like(Vx), np.zeros_like(W)
acc_deltas_bptt(ids, targets, y, s, steps)
dU, dVx, dW = -file.deltaU * dloss, -file.deltaV * dloss, -file.deltaW * dloss
"""
WEIGHTS = "U=Wy Vx=Wx W=Wh"
TRUNCATED = "rnn.acc_deltas_bptt(ids, targets, y, s, steps)\n"
ONE_STEP = "rnn.acc_deltas(ids, targets, y, s)\n"

FORM = Form(
    name="edinburgh",
    title="Edinburgh's NLU+",
    layout="weights=(H,D) x=(T,D)",
    words="vocab_size hidden_dims out_vocab_size steps",
    calls=(
        *(
            Calls(subject, forward, backward + DELTAS, WEIGHTS, adds=".*", named=".*", uses="deltaU")
            for subject, backward in (("truncated_rnn", TRUNCATED), ("one_step_rnn", ONE_STEP))
            for forward in (PREDICT, BY_HAND + RNN)
        ),
        Calls("truncated_rnn", BY_HAND, GLOBALS, WEIGHTS),
    ),
)
