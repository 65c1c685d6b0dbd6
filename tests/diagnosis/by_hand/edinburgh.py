"""Edinburgh's acc_deltas_bptt, with mistakes."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "edinburgh"
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": "a plain RNN has no gates",
    "carry dropped": ByHand(
        "each-step-carry-missing",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            for t in reversed(range(len(x))):
                delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
                self.deltaU += np.outer(delta_out, s[t])
                delta_in = np.dot(self.U.T, delta_out) * grad(s[t])
                for tau in range(0, min(steps, t) + 1):
                    self.deltaV += np.outer(delta_in, make_onehot(x[t - tau], self.vocab_size))
                    self.deltaW += np.outer(delta_in, s[t - tau - 1])
        """,
        owner="RNN",
        place="dh_prev dh_t dh_next",
    ),
    "cell carry dropped": "a plain RNN has no cell state",
    "share dropped": "each step's loss goes back by itself",
    "sigmoid's slope": ByHand(
        "sigmoid-slope-factor-missing",
        """
        def grad(s):
            return 1 - s
        """,
    ),
    "state's slope": ByHand(
        "rnn-da-derivative-missing",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            for t in reversed(range(len(x))):
                dout = make_onehot(d[t], self.out_vocab_size) - y[t]
                self.deltaU += np.outer(dout, s[t])
                delta = np.dot(self.U.T, dout)
                self.deltaV += np.outer(delta, make_onehot(x[t], self.vocab_size))
                self.deltaW += np.outer(delta, s[t - 1])
                for tau in range(1, steps + 1):
                    if t - tau < 0:
                        break
                    delta = np.dot(self.W.T, delta)
                    self.deltaV += np.outer(delta, make_onehot(x[t - tau], self.vocab_size))
                    self.deltaW += np.outer(delta, s[t - tau - 1])

        def acc_deltas(self, x, d, y, s):
            for t in reversed(range(len(x))):
                dout = make_onehot(d[t], self.out_vocab_size) - y[t]
                delta = np.dot(self.U.T, dout)
                self.deltaU += np.outer(dout, s[t])
                self.deltaV += np.outer(delta, make_onehot(x[t], self.vocab_size))
                self.deltaW += np.outer(delta, s[t - 1])
        """,
        owner="RNN",
    ),
    "candidate's slope": ByHand(
        "sigmoid-slope-is-tanh-slope",
        """
        def grad(s):
            return np.ones_like(s) - s * s
        """,
    ),
    "old state": "a plain RNN has no cell state",
    "forget gate": "a plain RNN has no gates",
    "new state in dWh": ByHand(
        "rnn-dwh-new-state",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            for t in range(len(x) - 1, -1, -1):
                delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
                self.deltaU += np.outer(delta_out, s[t])
                delta_in = self.U.T.dot(delta_out) * s[t] * (1 - s[t])
                k = t
                while True:
                    self.deltaV += np.outer(delta_in, make_onehot(x[k], self.vocab_size))
                    self.deltaW += np.outer(delta_in, s[k])
                    if k == 0 or k == t - steps:
                        break
                    k -= 1
                    delta_in = self.W.T.dot(delta_in) * s[k] * (1 - s[k])

        def acc_deltas(self, x, d, y, s):
            for t in range(len(x) - 1, -1, -1):
                delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
                delta_in = self.U.T.dot(delta_out) * s[t] * (1 - s[t])
                self.deltaU += np.outer(delta_out, s[t])
                self.deltaV += np.outer(delta_in, make_onehot(x[t], self.vocab_size))
                self.deltaW += np.outer(delta_in, s[t])
        """,
        owner="RNN",
    ),
    "not transposed": ByHand(
        "rnn-dh-prev-wh-not-transposed",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            for t in reversed(range(len(x))):
                delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
                delta_in = np.dot(self.U.T, delta_out) * grad(s[t])
                self.deltaU += np.outer(delta_out, s[t])
                self.deltaV += np.outer(delta_in, make_onehot(x[t], self.vocab_size))
                self.deltaW += np.outer(delta_in, s[t - 1])
                for i in range(1, min(t, steps) + 1):
                    delta_in = np.dot(self.W, delta_in) * grad(s[t - i])
                    self.deltaV += np.outer(delta_in, make_onehot(x[t - i], self.vocab_size))
                    self.deltaW += np.outer(delta_in, s[t - i - 1])
        """,
        owner="RNN",
    ),
    "bias over the batch": "there is no bias",
    "not accumulated": ByHand(
        "each-step-dwh-overwritten",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            for t in reversed(range(len(x))):
                delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
                self.deltaU += np.outer(delta_out, s[t])
                delta_in = np.dot(self.U.T, delta_out) * grad(s[t])
                self.deltaV += np.outer(delta_in, make_onehot(x[t], self.vocab_size))
                self.deltaW = np.outer(delta_in, s[t - 1])
                for tau in range(1, min(steps, t) + 1):
                    delta_in = np.dot(self.W.T, delta_in) * grad(s[t - tau])
                    self.deltaV += np.outer(delta_in, make_onehot(x[t - tau], self.vocab_size))
                    self.deltaW = np.outer(delta_in, s[t - tau - 1])
        """,
        owner="RNN",
        place="grads",
    ),
    "clipped": ByHand(
        "each-step-gradients-clipped-to-0.1 affine-gradients-clipped-to-0.1",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            for t in reversed(range(len(x))):
                delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
                self.deltaU += np.outer(delta_out, s[t])
                delta_in = (self.U.T @ delta_out) * grad(s[t])
                for k in range(t, max(t - steps, 0) - 1, -1):
                    if k < t:
                        delta_in = (self.W.T @ delta_in) * grad(s[k])
                    self.deltaV += np.outer(delta_in, make_onehot(x[k], self.vocab_size))
                    self.deltaW += np.outer(delta_in, s[k - 1])
            self.deltaU = np.clip(self.deltaU, -0.1, 0.1)
            self.deltaV = np.clip(self.deltaV, -0.1, 0.1)
            self.deltaW = np.clip(self.deltaW, -0.1, 0.1)
        """,
        owner="RNN",
        place="grads dWx dWh dWy",
    ),
    "truncated": ByHand(
        "each-step-reach-one-short",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            for t in reversed(range(len(x))):
                delta_out = make_onehot(d[t], self.out_vocab_size) - y[t]
                delta_in = np.dot(self.U.T, delta_out) * grad(s[t])
                self.deltaU += np.outer(delta_out, s[t])
                self.deltaV += np.outer(delta_in, make_onehot(x[t], self.vocab_size))
                self.deltaW += np.outer(delta_in, s[t - 1])
                for tau in range(1, steps):
                    if t - tau >= 0:
                        delta_in = np.dot(self.W.T, delta_in) * grad(s[t - tau])
                        self.deltaV += np.outer(delta_in, make_onehot(x[t - tau], self.vocab_size))
                        self.deltaW += np.outer(delta_in, s[t - tau - 1])
        """,
        owner="RNN",
        place="grads dh_next order",
    ),
    "index -1": ByHand(
        "each-step-old-state-wraps-round",
        """
        def predict(self, x):
            s = np.zeros((len(x), self.hidden_dims))
            y = np.zeros((len(x), self.out_vocab_size))
            for t in range(len(x)):
                net_in = np.dot(self.V, make_onehot(x[t], self.vocab_size)) + np.dot(self.W, s[t - 1])
                s[t] = sigmoid(net_in)
                y[t] = softmax(np.dot(self.U, s[t]))
            return y, s
        """,
        owner="RNN",
        place="grads dh_next order",
    ),
    "mask": "there is no padding",
    "mean of the loss": ByHand(
        "cross-entropy-gradient-mean-twice",
        """
        def acc_deltas_bptt(self, x, d, y, s, steps):
            n = len(x)
            for t in reversed(range(n)):
                delta_out = (make_onehot(d[t], self.out_vocab_size) - y[t]) / n
                self.deltaU += np.outer(delta_out, s[t])
                delta_in = np.matmul(self.U.T, delta_out) * grad(s[t])
                self.deltaV += np.outer(delta_in, make_onehot(x[t], self.vocab_size))
                self.deltaW += np.outer(delta_in, s[t - 1])
                for tau in range(1, min(t, steps) + 1):
                    delta_in = np.matmul(self.W.T, delta_in) * grad(s[t - tau])
                    self.deltaV += np.outer(delta_in, make_onehot(x[t - tau], self.vocab_size))
                    self.deltaW += np.outer(delta_in, s[t - tau - 1])

        def acc_deltas(self, x, d, y, s):
            n = len(x)
            for t in reversed(range(n)):
                delta_out = (make_onehot(d[t], self.out_vocab_size) - y[t]) / n
                delta_in = np.matmul(self.U.T, delta_out) * grad(s[t])
                self.deltaU += np.outer(delta_out, s[t])
                self.deltaV += np.outer(delta_in, make_onehot(x[t], self.vocab_size))
                self.deltaW += np.outer(delta_in, s[t - 1])
        """,
        owner="RNN",
    ),
    "embedding": "symbols are one-hot vectors",
    "reverse direction": "there is one direction",
}
