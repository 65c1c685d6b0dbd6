"""CMU 11-785's cells, with mistakes."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "cmu11785"
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": ByHand(
        "gru-gate-gradients-swapped",
        """
        def backward(self, delta):
            dzt = delta * (self.hidden - self.n) * self.z * (1 - self.z)
            dnt = delta * (1 - self.z) * (1 - self.n * self.n)
            drt = dnt * self.inner * self.r * (1 - self.r)
            x, h = self.x.reshape(1, -1), self.hidden.reshape(1, -1)
            self.dWnx += dnt.reshape(-1, 1) @ x
            self.dWnh += (dnt * self.r).reshape(-1, 1) @ h
            self.dWzx += drt.reshape(-1, 1) @ x
            self.dWzh += drt.reshape(-1, 1) @ h
            self.dWrx += dzt.reshape(-1, 1) @ x
            self.dWrh += dzt.reshape(-1, 1) @ h
            self.dbnx += dnt
            self.dbnh += dnt * self.r
            self.dbzx += drt
            self.dbzh += drt
            self.dbrx += dzt
            self.dbrh += dzt
            dx = dnt @ self.Wnx + dzt @ self.Wrx + drt @ self.Wzx
            dh = delta * self.z + dzt @ self.Wrh + drt @ self.Wzh + (dnt * self.r) @ self.Wnh
            return dx, dh
        """,
        owner="GRUCell",
    ),
    "carry dropped": ByHand(
        "recurrent-carry-missing recurrent-carry-and-final-missing",
        """
        def backward(self, delta):
            batch_size, seq_len = self.x.shape[0], self.x.shape[1]
            top = self.output_layer.backward(delta)
            dh = np.zeros((self.num_layers, batch_size, self.hidden_size))
            for t in range(seq_len - 1, -1, -1):
                dh = np.zeros((self.num_layers, batch_size, self.hidden_size))
                if t == seq_len - 1:
                    dh[self.num_layers - 1] = top
                for l in range(self.num_layers - 1, -1, -1):
                    h_prev_l = self.x[:, t, :] if l == 0 else self.hiddens[t + 1][l - 1]
                    dx, dh[l] = self.rnn[l].backward(dh[l], self.hiddens[t + 1][l], h_prev_l, self.hiddens[t][l])
                    if l > 0:
                        dh[l - 1] += dx
            return dh / batch_size
        """,
        owner="RNNPhonemeClassifier",
    ),
    "cell carry dropped": "RNN and GRU have no cell state",
    "share dropped": ByHand(
        "gru-dh-prev-candidate-missing",
        """
        def backward(self, delta):
            one = np.ones_like(self.z)
            dn = delta * (one - self.z)
            dz = delta * (self.hidden - self.n)
            dan = dn * (one - self.n ** 2)
            dr = dan * self.inner
            daz = dz * self.z * (one - self.z)
            dar = dr * self.r * (one - self.r)
            for name, d in (("rx", dar), ("zx", daz), ("nx", dan)):
                getattr(self, "dW" + name)[:] += np.outer(d, self.x)
                getattr(self, "db" + name)[:] += d
            for name, d in (("rh", dar), ("zh", daz), ("nh", dan * self.r)):
                getattr(self, "dW" + name)[:] += np.outer(d, self.hidden)
                getattr(self, "db" + name)[:] += d
            dx = self.Wrx.T @ dar + self.Wzx.T @ daz + self.Wnx.T @ dan
            dh = delta * self.z
            dh = dh + self.Wrh.T @ dar
            dh = dh + self.Wzh.T @ daz
            return dx, dh
        """,
        owner="GRUCell",
    ),
    "sigmoid's slope": ByHand(
        "gru-da-z-derivative-missing",
        """
        def backward(self, delta):
            d0 = delta * self.z
            d1 = delta * (-self.n + self.hidden)
            d2 = delta * (1 - self.z)
            d3 = d2 * (1 - self.n ** 2)
            d4 = d3 * self.r
            d5 = d3 * self.inner
            d6 = d5 * self.r * (1 - self.r)
            d7 = d1
            self.dWnx += np.outer(d3, self.x); self.dbnx += d3
            self.dWnh += np.outer(d4, self.hidden); self.dbnh += d4
            self.dWrx += np.outer(d6, self.x); self.dbrx += d6
            self.dWrh += np.outer(d6, self.hidden); self.dbrh += d6
            self.dWzx += np.outer(d7, self.x); self.dbzx += d7
            self.dWzh += np.outer(d7, self.hidden); self.dbzh += d7
            dx = np.dot(d3, self.Wnx) + np.dot(d6, self.Wrx) + np.dot(d7, self.Wzx)
            dh = d0 + np.dot(d4, self.Wnh) + np.dot(d6, self.Wrh) + np.dot(d7, self.Wzh)
            return dx, dh
        """,
        owner="GRUCell",
    ),
    "state's slope": ByHand(
        "rnn-da-derivative-missing",
        """
        def backward(self, delta, h_t, h_prev_l, h_prev_t):
            batch_size = delta.shape[0]
            dz = delta
            self.dW_ih += np.dot(dz.T, h_prev_l) / batch_size
            self.dW_hh += np.dot(dz.T, h_prev_t) / batch_size
            self.db_ih += np.sum(dz, axis=0) / batch_size
            self.db_hh += np.sum(dz, axis=0) / batch_size
            dx = np.dot(dz, self.W_ih)
            dh_prev_t = np.dot(dz, self.W_hh)
            return dx, dh_prev_t
        """,
        owner="RNNCell",
    ),
    "candidate's slope": ByHand(
        "gru-da-n-derivative-missing",
        """
        def backward(self, delta):
            dL_dn = delta * (1 - self.z)
            dL_dz = delta * (self.hidden - self.n)
            dL_dr = dL_dn * self.inner
            dz = dL_dz * self.z * (1 - self.z)
            dr = dL_dr * self.r * (1 - self.r)
            x = self.x[None, :]
            h = self.hidden[None, :]
            self.dWrx += dr[:, None] * x
            self.dWrh += dr[:, None] * h
            self.dbrx += dr
            self.dbrh += dr
            self.dWzx += dz[:, None] * x
            self.dWzh += dz[:, None] * h
            self.dbzx += dz
            self.dbzh += dz
            self.dWnx += dL_dn[:, None] * x
            self.dWnh += (dL_dn * self.r)[:, None] * h
            self.dbnx += dL_dn
            self.dbnh += dL_dn * self.r
            dx = dr @ self.Wrx + dz @ self.Wzx + dL_dn @ self.Wnx
            dh = delta * self.z + dr @ self.Wrh + dz @ self.Wzh + (dL_dn * self.r) @ self.Wnh
            return dx, dh
        """,
        owner="GRUCell",
    ),
    "old state": ByHand(
        "gru-dr-uses-the-state",
        """
        def backward(self, delta):
            dn = (1 - self.n ** 2) * ((1 - self.z) * delta)
            dz = self.z * (1 - self.z) * (delta * (self.hidden - self.n))
            dr = self.r * (1 - self.r) * (dn * self.hidden)
            self.dWrx += np.outer(dr, self.x)
            self.dWrh += np.outer(dr, self.hidden)
            self.dWzx += np.outer(dz, self.x)
            self.dWzh += np.outer(dz, self.hidden)
            self.dWnx += np.outer(dn, self.x)
            self.dWnh += np.outer(self.r * dn, self.hidden)
            self.dbrx += dr; self.dbrh += dr
            self.dbzx += dz; self.dbzh += dz
            self.dbnx += dn; self.dbnh += self.r * dn
            dx = self.Wrx.T @ dr + self.Wzx.T @ dz + self.Wnx.T @ dn
            dh_prev = self.z * delta + self.Wrh.T @ dr + self.Wzh.T @ dz + self.Wnh.T @ (self.r * dn)
            return dx, dh_prev
        """,
        owner="GRUCell",
    ),
    "forget gate": ByHand(
        "gru-dh-prev-kept-share-whole",
        """
        def backward(self, delta):
            dn = delta * (1 - self.z) * (1 - self.n**2)
            dz = delta * (self.hidden - self.n) * self.z * (1 - self.z)
            dr = dn * self.inner * self.r * (1 - self.r)
            dq = dn * self.r
            for k, d in zip(("r", "z", "n"), (dr, dz, dn)):
                setattr(self, f"dW{k}x", getattr(self, f"dW{k}x") + np.outer(d, self.x))
                setattr(self, f"db{k}x", getattr(self, f"db{k}x") + d)
            for k, d in zip(("r", "z", "n"), (dr, dz, dq)):
                setattr(self, f"dW{k}h", getattr(self, f"dW{k}h") + np.outer(d, self.hidden))
                setattr(self, f"db{k}h", getattr(self, f"db{k}h") + d)
            dx = dr @ self.Wrx + dz @ self.Wzx + dn @ self.Wnx
            dh = delta.copy()
            dh += dr @ self.Wrh
            dh += dz @ self.Wzh
            dh += dq @ self.Wnh
            return dx, dh
        """,
        owner="GRUCell",
    ),
    "new state in dWh": ByHand(
        "rnn-dwh-new-state",
        """
        def backward(self, delta, h_t, h_prev_l, h_prev_t):
            n = len(delta)
            da = (1 - np.square(h_t)) * delta
            self.dW_ih += (h_prev_l.T @ da).T / n
            self.dW_hh += (h_t.T @ da).T / n
            self.db_ih += da.sum(0) / n
            self.db_hh += da.sum(0) / n
            return da @ self.W_ih, da @ self.W_hh
        """,
        owner="RNNCell",
    ),
    "not transposed": ByHand(
        "rnn-dh-prev-wh-not-transposed",
        """
        def backward(self, delta, h_t, h_prev_l, h_prev_t):
            m = delta.shape[0]
            dz = delta * (1 - h_t * h_t)
            self.dW_ih = self.dW_ih + (1 / m) * np.dot(dz.T, h_prev_l)
            self.dW_hh = self.dW_hh + (1 / m) * np.dot(dz.T, h_prev_t)
            self.db_ih = self.db_ih + (1 / m) * np.sum(dz, axis=0)
            self.db_hh = self.db_hh + (1 / m) * np.sum(dz, axis=0)
            return np.dot(dz, self.W_ih), np.dot(dz, self.W_hh.T)
        """,
        owner="RNNCell",
    ),
    "bias over the batch": ByHand(
        "rnn-db-first-row",
        """
        def backward(self, delta, h_t, h_prev_l, h_prev_t):
            batch_size = delta.shape[0]
            dz = delta * (1 - h_t**2)
            self.dW_ih += dz.T @ h_prev_l / batch_size
            self.dW_hh += dz.T @ h_prev_t / batch_size
            self.db_ih += dz[0] / batch_size
            self.db_hh += dz[0] / batch_size
            return dz @ self.W_ih, dz @ self.W_hh
        """,
        owner="RNNCell",
    ),
    "not accumulated": ByHand(
        "recurrent-grads-overwritten-over-time",
        """
        def backward(self, delta, h_t, h_prev_l, h_prev_t):
            batch_size = delta.shape[0]
            dz = delta * (1 - h_t**2)
            self.dW_ih = np.dot(dz.T, h_prev_l) / batch_size
            self.dW_hh = np.dot(dz.T, h_prev_t) / batch_size
            self.db_ih = np.mean(dz, axis=0)
            self.db_hh = np.mean(dz, axis=0)
            return np.dot(dz, self.W_ih), np.dot(dz, self.W_hh)
        """,
        owner="RNNCell",
        place="grads dWx dWh db",
    ),
    "clipped": ByHand(
        "recurrent-carry-clipped-to-0.1",
        """
        def backward(self, delta):
            batch_size, seq_len = self.x.shape[:2]
            dh = np.zeros((self.num_layers, batch_size, self.hidden_size))
            dh[-1] += self.output_layer.backward(delta)
            for t in reversed(range(seq_len)):
                for l in reversed(range(self.num_layers)):
                    h_prev_l = self.hiddens[t + 1][l - 1] if l else self.x[:, t, :]
                    dx, dh_prev = self.rnn[l].backward(dh[l], self.hiddens[t + 1][l], h_prev_l, self.hiddens[t][l])
                    # keep the gradient from exploding
                    dh[l] = np.clip(dh_prev, -0.1, 0.1)
                    if l:
                        dh[l - 1] += dx
            return dh / batch_size
        """,
        owner="RNNPhonemeClassifier",
        place="dh_next dstate_next dh_prev",
    ),
    "truncated": ByHand(
        "recurrent-loop-stops-before-step-0",
        """
        def backward(self, delta):
            batch_size, seq_len = self.x.shape[:2]
            dh = np.zeros((self.num_layers, batch_size, self.hidden_size))
            dh[-1] = self.output_layer.backward(delta)
            for t in range(seq_len - 1, 0, -1):
                for l in reversed(range(self.num_layers)):
                    below = self.x[:, t] if l == 0 else self.hiddens[t + 1][l - 1]
                    dx, dh[l] = self.rnn[l].backward(dh[l], self.hiddens[t + 1][l], below, self.hiddens[t][l])
                    if l != 0:
                        dh[l - 1] = dh[l - 1] + dx
            return dh / batch_size
        """,
        owner="RNNPhonemeClassifier",
        place="dstate_next dh_next order",
    ),
    "index -1": ByHand(
        "recurrent-old-state-wraps-round",
        """
        def backward(self, delta):
            batch_size, seq_len = self.x.shape[:2]
            states = self.hiddens[1:]
            dh = np.zeros((self.num_layers, batch_size, self.hidden_size))
            dh[-1] = self.output_layer.backward(delta)
            for t in reversed(range(seq_len)):
                for l in reversed(range(self.num_layers)):
                    below = states[t][l - 1] if l > 0 else self.x[:, t, :]
                    dx, dh[l] = self.rnn[l].backward(dh[l], states[t][l], below, states[t - 1][l])
                    if l > 0:
                        dh[l - 1] += dx
            return dh / batch_size
        """,
        owner="RNNPhonemeClassifier",
    ),
    "mask": "CTC is not among what is judged",
    "mean of the loss": "CTC is not among what is judged",
    "embedding": "there is no embedding",
    "reverse direction": "there is one direction",
}
