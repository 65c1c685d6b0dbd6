"""Holberton's cells, with mistakes; forward alone."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "holberton_cells"
BOTH = "holberton"
"""The right answer in both directions."""
NO_BACKWARD = "no gradients are asked for"
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": ByHand(
        "gate-order-figo",
        """
        def forward(self, h_prev, c_prev, x_t):
            concat = np.concatenate((h_prev, x_t), axis=1)
            f = sigmoid(np.matmul(concat, self.Wf) + self.bf)
            u = sigmoid(np.matmul(concat, self.Wu) + self.bu)
            c_tilde = np.tanh(np.matmul(concat, self.Wc) + self.bc)
            c_next = u * c_prev + f * c_tilde
            o = sigmoid(np.matmul(concat, self.Wo) + self.bo)
            h_next = o * np.tanh(c_next)
            y = softmax(np.matmul(h_next, self.Wy) + self.by)
            return h_next, c_next, y
        """,
        owner="LSTMCell",
    ),
    "carry dropped": ByHand(
        "recurrent-state-not-carried",
        """
        def rnn(rnn_cell, X, h_0):
            t, m, i = X.shape
            m, h = h_0.shape
            H = np.zeros((t + 1, m, h))
            Y = []
            H[0] = h_0
            for step in range(t):
                h_next, y = rnn_cell.forward(h_0, X[step])
                H[step + 1] = h_next
                Y.append(y)
            return H, np.array(Y)
        """,
        place="h_t state_t h_prev",
    ),
    "cell carry dropped": ByHand(
        "cell-without-old-cell",
        """
        def forward(self, h_prev, c_prev, x_t):
            inputs = np.hstack((h_prev, x_t))
            forget = sigmoid(inputs @ self.Wf + self.bf)
            update = sigmoid(inputs @ self.Wu + self.bu)
            output = sigmoid(inputs @ self.Wo + self.bo)
            candidate = np.tanh(inputs @ self.Wc + self.bc)
            c_next = update * candidate
            h_next = output * np.tanh(c_next)
            return h_next, c_next, softmax(h_next @ self.Wy + self.by)
        """,
        owner="LSTMCell",
    ),
    "share dropped": NO_BACKWARD,
    "sigmoid's slope": NO_BACKWARD,
    "state's slope": ByHand(
        "output-without-tanh",
        """
        def forward(self, h_prev, c_prev, x_t):
            cat = np.concatenate([h_prev, x_t], axis=-1)
            ft = 1 / (1 + np.exp(-(cat @ self.Wf + self.bf)))
            ut = 1 / (1 + np.exp(-(cat @ self.Wu + self.bu)))
            ot = 1 / (1 + np.exp(-(cat @ self.Wo + self.bo)))
            c_next = ft * c_prev + ut * np.tanh(cat @ self.Wc + self.bc)
            h_next = ot * c_next
            y = softmax(h_next @ self.Wy + self.by)
            return h_next, c_next, y
        """,
        owner="LSTMCell",
    ),
    "candidate's slope": ByHand(
        "candidate-sigmoid",
        """
        def forward(self, h_prev, c_prev, x_t):
            z = np.hstack((h_prev, x_t))
            f, u, c_bar, o = [sigmoid(z @ W + b) for W, b in zip(
                (self.Wf, self.Wu, self.Wc, self.Wo), (self.bf, self.bu, self.bc, self.bo))]
            c_next = f * c_prev + u * c_bar
            h_next = o * np.tanh(c_next)
            return h_next, c_next, softmax(np.matmul(h_next, self.Wy) + self.by)
        """,
        owner="LSTMCell",
    ),
    "old state": ByHand(
        "gru-before-candidate-not-reset",
        """
        def forward(self, h_prev, x_t):
            concat = np.concatenate((h_prev, x_t), axis=1)
            z = sigmoid(np.matmul(concat, self.Wz) + self.bz)
            r = sigmoid(np.matmul(concat, self.Wr) + self.br)
            h_tilde = np.tanh(np.matmul(concat, self.Wh) + self.bh)
            h_next = (1 - z) * h_prev + z * h_tilde
            y = softmax(np.matmul(h_next, self.Wy) + self.by)
            return h_next, y
        """,
        owner="GRUCell",
    ),
    "forget gate": ByHand(
        "cell-without-forget-gate",
        """
        def forward(self, h_prev, c_prev, x_t):
            both = np.concatenate((h_prev, x_t), axis=1)
            gate = lambda W, b: sigmoid(both.dot(W) + b)
            u, o = gate(self.Wu, self.bu), gate(self.Wo, self.bo)
            c_next = c_prev + u * np.tanh(both.dot(self.Wc) + self.bc)
            h_next = o * np.tanh(c_next)
            return h_next, c_next, softmax(h_next.dot(self.Wy) + self.by)
        """,
        owner="LSTMCell",
    ),
    "new state in dWh": NO_BACKWARD,
    "not transposed": "no square matrix stands by itself",
    "bias over the batch": ByHand(
        "bias-missing",
        """
        def forward(self, h_prev, c_prev, x_t):
            both = np.hstack((h_prev, x_t))
            f = sigmoid(both @ self.Wf)
            u = sigmoid(both @ self.Wu)
            o = sigmoid(both @ self.Wo)
            cct = np.tanh(both @ self.Wc)
            c_next = f * c_prev + u * cct
            h_next = o * np.tanh(c_next)
            y = softmax(h_next @ self.Wy + self.by)
            return h_next, c_next, y
        """,
        owner="LSTMCell",
        place="a",
    ),
    "not accumulated": NO_BACKWARD,
    "clipped": NO_BACKWARD,
    "truncated": ByHand(
        "recurrent-loop-stops-before-last-step",
        """
        def rnn(rnn_cell, X, h_0):
            t, m, i = X.shape
            H, Y = np.zeros((t + 1, m, h_0.shape[1])), np.zeros((t, m, rnn_cell.by.shape[1]))
            H[0] = h_0
            for k in range(t - 1):
                H[k + 1], Y[k] = rnn_cell.forward(H[k], X[k])
            return H, Y
        """,
        place="y h_t state_t",
    ),
    "index -1": ByHand(
        "recurrent-initial-state-ignored recurrent-state-read-from-outputs",
        """
        def rnn(rnn_cell, X, h_0):
            t, m, i = X.shape
            h = h_0.shape[1]
            o = rnn_cell.by.shape[1]
            H = np.zeros((t + 1, m, h))
            Y = np.zeros((t, m, o))
            H[0] = h_0
            states = np.zeros((t, m, h))
            for step in range(t):
                states[step], Y[step] = rnn_cell.forward(states[step - 1], X[step])
            H[1:] = states
            return H, Y
        """,
        place="h_prev",
    ),
    "mask": "there is no padding",
    "mean of the loss": "there is no loss",
    "embedding": "there is no embedding",
    "reverse direction": ByHand(
        "both-directions-reverse-output-not-put-back",
        """
        def bi_rnn(bi_cell, X, h_0, h_t):
            t, m, i = X.shape
            h_f, h_b = h_0, h_t
            Hf, Hb = [], []
            for x in X:
                h_f = bi_cell.forward(h_f, x)
                Hf.append(h_f)
            for x in reversed(X):
                h_b = bi_cell.backward(h_b, x)
                Hb.append(h_b)
            H = np.concatenate((np.array(Hf), np.array(Hb)), axis=-1)
            Y = bi_cell.output(H)
            return H, Y
        """,
        answer=BOTH,
    ),
}
