"""Layer classes of one's own, with mistakes."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "layers"
ONE_SEQUENCE, OF_GATES, GRU, LAST_STATE = (
    "layers_one_sequence",
    "layers_of_gates",
    "layers_gru",
    "layers_last_state",
)
EMBEDDING = "layers_embedding"
"""Right answers besides."""
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": ByHand(
        "da-i-o-blocks-swapped",
        """
        def backward(self, dout):
            N, T, H = dout.shape
            self.grads = {k: np.zeros(v.shape) for k, v in self.params.items()}
            dX = np.zeros((N, T, self.params["Wf"].shape[1] - H))
            dh_next, dc_next = np.zeros((H, N)), np.zeros((H, N))
            for t in reversed(range(T)):
                z, f, i, g, o, c_prev, c = self.cache[t]
                dh = dout[:, t, :].T + dh_next
                dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
                df = dc * c_prev * f * (1 - f)
                do = dc * g * i * (1 - i)
                dg = dc * i * (1 - g ** 2)
                di = dh * np.tanh(c) * o * (1 - o)
                for name, d in (("f", df), ("i", di), ("c", dg), ("o", do)):
                    self.grads["W" + name] += d @ z.T
                    self.grads["b" + name] += d.sum(axis=1, keepdims=True)
                p = self.params
                dz = p["Wf"].T @ df + p["Wi"].T @ di + p["Wc"].T @ dg + p["Wo"].T @ do
                dh_next, dX[:, t, :] = dz[:H], dz[H:].T
                dc_next = f * dc
            return dX
        """,
        owner="LSTM",
        answer=OF_GATES,
    ),
    "carry dropped": ByHand(
        "dh-carry-missing",
        """
        def backward(self, dvalues):
            self.dW, self.db = np.zeros(self.W.shape), np.zeros(self.b.shape)
            N, T, H = dvalues.shape
            D = self.W.shape[0] - H
            self.dinputs = np.zeros((N, T, D))
            dc_next = np.zeros((N, H))
            for t in range(T - 1, -1, -1):
                z, c_prev, c, f, i, o, g = self.steps[t]
                dh = dvalues[:, t]
                dc = dh * o * (1 - np.tanh(c) ** 2) + dc_next
                dzf, dzi = dc * c_prev * f * (1 - f), dc * g * i * (1 - i)
                dzo, dzg = dh * np.tanh(c) * o * (1 - o), dc * i * (1 - g ** 2)
                dgates = np.hstack([dzf, dzi, dzo, dzg])
                self.dW += z.T.dot(dgates)
                self.db += dgates.sum(axis=0)
                dxh = dgates.dot(self.W.T)
                self.dinputs[:, t] = dxh[:, :D]
                dc_next = dc * f
            return self.dinputs
        """,
        owner="MyLSTM",
    ),
    "cell carry dropped": ByHand(
        "dc-carry-missing",
        """
        def backward(self, dout):
            N, T, H = dout.shape
            p = self.params
            g_ = {k: 0 for k in p}
            dX = []
            dh = np.zeros((H, N))
            for t in range(T - 1, -1, -1):
                z, f, i, c_bar, o, cp, c = self.cache[t]
                dh = dh + dout[:, t].T
                th = np.tanh(c)
                dc = dh * o * (1 - th * th)
                parts = (("f", dc * cp * f * (1 - f)), ("i", dc * c_bar * i * (1 - i)),
                         ("c", dc * i * (1 - c_bar * c_bar)), ("o", dh * th * o * (1 - o)))
                dz = np.zeros_like(z)
                for k, v in parts:
                    g_["W" + k] = g_["W" + k] + v @ z.T
                    g_["b" + k] = g_["b" + k] + v.sum(1)[:, None]
                    dz += p["W" + k].T @ v
                dh = dz[:H]
                dX.insert(0, dz[H:].T)
            self.grads = g_
            return np.stack(dX, axis=1)
        """,
        owner="LSTM",
        answer=OF_GATES,
        place="dc_next dc_t",
    ),
    "share dropped": ByHand(
        "dc-carry-lost",
        """
        def backward(self, dh, dc):
            x, h_prev, c_prev, i, f, g, o, c = self.k
            tanh_c = np.tanh(c)
            dc = dh * o * (1 - tanh_c ** 2)
            d_i = dc * g * i * (1 - i)
            d_f = dc * c_prev * f * (1 - f)
            d_g = dc * i * (1 - g ** 2)
            d_o = dh * tanh_c * o * (1 - o)
            da = np.concatenate((d_i, d_f, d_g, d_o), axis=1)
            self.dWx, self.dWh, self.db = np.dot(da.T, x), np.dot(da.T, h_prev), np.sum(da, axis=0)
            return np.dot(da, self.Wx), np.dot(da, self.Wh), dc * f
        """,
        owner="LSTMCell",
        answer=LAST_STATE,
    ),
    "sigmoid's slope": ByHand(
        "gru-before-da-r-derivative-missing",
        """
        def backward(self, dh):
            x, h_prev, z, r, n = self.cache
            dz = dh * (n - h_prev)
            dn = dh * z
            dan = dn * (1 - n ** 2)
            drh = np.dot(dan, self.U_h.T)
            dar = drh * h_prev
            daz = dz * z * (1 - z)
            self.dW_h, self.dU_h, self.db_h = x.T @ dan, (r * h_prev).T @ dan, dan.sum(0)
            self.dW_r, self.dU_r, self.db_r = x.T @ dar, h_prev.T @ dar, dar.sum(0)
            self.dW_z, self.dU_z, self.db_z = x.T @ daz, h_prev.T @ daz, daz.sum(0)
            dx = dan @ self.W_h.T + dar @ self.W_r.T + daz @ self.W_z.T
            dh_prev = dh * (1 - z) + drh * r + dar @ self.U_r.T + daz @ self.U_z.T
            return dx, dh_prev
        """,
        owner="GRUCell",
    ),
    "state's slope": ByHand(
        "rnn-da-derivative-missing",
        """
        def backward(self, dvalues):
            N, T, H = dvalues.shape
            self.dinputs = np.zeros(self.inputs.shape)
            self.dweights_x = np.zeros(self.weights_x.shape)
            self.dweights_h = np.zeros(self.weights_h.shape)
            self.dbiases = np.zeros((1, H))
            dh_next = np.zeros((N, H))
            for t in range(T - 1, -1, -1):
                dtanh = dvalues[:, t, :] + dh_next
                self.dweights_x += np.dot(self.inputs[:, t, :].T, dtanh)
                self.dweights_h += np.dot(self.states[:, t, :].T, dtanh)
                self.dbiases += np.sum(dtanh, axis=0, keepdims=True)
                self.dinputs[:, t, :] = np.dot(dtanh, self.weights_x.T)
                dh_next = np.dot(dtanh, self.weights_h.T)
        """,
        owner="Layer_RNN",
    ),
    "candidate's slope": ByHand(
        "da-g-sigmoid-slope",
        """
        def backward(self, dvalues):
            self.dW = np.zeros_like(self.W)
            self.db = np.zeros_like(self.b)
            dh_next, dc_next = 0, 0
            dxs = []
            for (z, c_prev, c, f, i, o, g), dout in zip(self.steps[::-1], np.moveaxis(dvalues, 1, 0)[::-1]):
                dh = dout + dh_next
                tc = np.tanh(c)
                dc = dc_next + dh * o * (1 - tc ** 2)
                d = [dc * c_prev, dc * g, dh * tc, dc * i]
                for k, gate in enumerate([f, i, o, g]):
                    d[k] = d[k] * gate * (1 - gate)
                da = np.concatenate(d, axis=1)
                self.dW += np.dot(z.T, da)
                self.db += np.sum(da, axis=0)
                dz = np.dot(da, self.W.T)
                dxs.append(dz[:, :-self.H])
                dh_next = dz[:, -self.H:]
                dc_next = dc * f
            dxs.reverse()
            return np.stack(dxs, axis=1)
        """,
        owner="MyLSTM",
    ),
    "old state": ByHand(
        "df-wrong-cell-state",
        """
        def backward(self, dh, dc):
            x, hp, cp, i, f, g, o, c = self.k
            s = lambda a: a * (1 - a)
            dct = dc + dh * o / np.cosh(c) ** 2
            dz = np.hstack([dct * g * s(i), dct * c * s(f), dct * i * (1 - g**2), dh * np.tanh(c) * s(o)])
            self.dWx = dz.T.dot(x)
            self.dWh = dz.T.dot(hp)
            self.db = dz.sum(axis=0)
            return dz.dot(self.Wx), dz.dot(self.Wh), dct * f
        """,
        owner="LSTMCell",
        answer=LAST_STATE,
    ),
    "forget gate": ByHand(
        "dc-prev-factor-missing",
        """
        def backward(self, dvalues):
            self.dW, self.db = 0, 0
            dh, dc, dinputs = 0, 0, np.zeros((len(dvalues), len(self.steps), len(self.W) - self.H))
            for t in reversed(range(len(self.steps))):
                z, c_prev, c, f, i, o, g = self.steps[t]
                dh = dh + dvalues[:, t]
                dc = dc + dh * o * (1 - np.tanh(c) ** 2)
                df, di, do, dg = dc * c_prev, dc * g, dh * np.tanh(c), dc * i
                da = np.concatenate([df * f * (1 - f), di * i * (1 - i), do * o * (1 - o), dg * (1 - g ** 2)], axis=1)
                self.dW = self.dW + z.T @ da
                self.db = self.db + da.sum(axis=0)
                dz = da @ self.W.T
                dinputs[:, t], dh = dz[:, :-self.H], dz[:, -self.H:]
            return dinputs
        """,
        owner="MyLSTM",
    ),
    "new state in dWh": ByHand(
        "rnn-dwh-new-state",
        """
        def backward(self, dvalues):
            self.dweights_x, self.dweights_h = np.zeros_like(self.weights_x), np.zeros_like(self.weights_h)
            self.dbiases, self.dinputs = np.zeros_like(self.biases), np.zeros_like(self.inputs)
            h = self.output
            d_next = np.zeros_like(h[:, 0])
            for t in range(h.shape[1])[::-1]:
                d = (dvalues[:, t] + d_next) * (1 - h[:, t] * h[:, t])
                self.dweights_x += self.inputs[:, t].T @ d
                self.dweights_h += h[:, t].T @ d
                self.dbiases += d.sum(axis=0, keepdims=True)
                self.dinputs[:, t] = d @ self.weights_x.T
                d_next = d @ self.weights_h.T
        """,
        owner="Layer_RNN",
    ),
    "not transposed": ByHand(
        "rnn-dh-prev-wh-not-transposed",
        """
        def backward(self, dh):
            T = len(self.x)
            self.dU, self.dW, self.db = np.zeros_like(self.U), np.zeros_like(self.W), np.zeros_like(self.b)
            dx, back = np.zeros(self.x.shape), np.zeros_like(self.b)
            for t in range(T - 1, -1, -1):
                g = (1 - self.h[t] ** 2) * (dh[t] + back)
                self.db += g
                self.dU += g[:, None] * self.x[t]
                self.dW += g[:, None] * self.h[t - 1]
                dx[t] = self.U.T.dot(g)
                back = self.W.dot(g)
            return dx
        """,
        owner="RNN",
        answer=ONE_SEQUENCE,
    ),
    "bias over the batch": ByHand(
        "affine-db-mean-over-steps-and-rows",
        """
        def backward(self, dvalues):
            self.dweights = np.dot(self.inputs.T, dvalues)
            self.dbiases = np.mean(dvalues, axis=0, keepdims=True)
            self.dinputs = np.dot(dvalues, self.weights.T)
        """,
        owner="Layer_Dense",
    ),
    "not accumulated": ByHand(
        "weights-overwritten-over-time",
        """
        def backward(self, dvalues):
            self.db = np.zeros_like(self.b)
            dh_next, dc_next = np.zeros_like(dvalues[:, 0]), np.zeros_like(dvalues[:, 0])
            dx = np.zeros((dvalues.shape[0], dvalues.shape[1], self.W.shape[0] - self.H))
            for t in range(dvalues.shape[1])[::-1]:
                z, c_prev, c, f, i, o, g = self.steps[t]
                dh = dvalues[:, t] + dh_next
                dc = dc_next + dh * o * (1 - np.tanh(c) ** 2)
                da = np.zeros((len(z), 4 * self.H))
                da[:, : self.H] = dc * c_prev * f * (1 - f)
                da[:, self.H : 2 * self.H] = dc * g * i * (1 - i)
                da[:, 2 * self.H : 3 * self.H] = dh * np.tanh(c) * o * (1 - o)
                da[:, 3 * self.H :] = dc * i * (1 - g**2)
                self.dW = z.T @ da
                self.db += da.sum(axis=0)
                dz = da @ self.W.T
                dx[:, t] = dz[:, : -self.H]
                dh_next, dc_next = dz[:, -self.H :], dc * f
            return dx
        """,
        owner="MyLSTM",
        place="grads",
    ),
    "clipped": ByHand(
        "recurrent-gradients-clipped-to-1",
        """
        def backward(self, dvalues):
            self.dweights_x, self.dweights_h = np.zeros_like(self.weights_x), np.zeros_like(self.weights_h)
            self.dbiases, self.dinputs = np.zeros_like(self.biases), np.zeros_like(self.inputs)
            dnext = 0
            for t in reversed(range(self.inputs.shape[1])):
                dt = (1 - self.states[:, t + 1] ** 2) * (dnext + dvalues[:, t])
                self.dweights_x += self.inputs[:, t].T.dot(dt)
                self.dweights_h += self.states[:, t].T.dot(dt)
                self.dbiases += np.sum(dt, axis=0)
                self.dinputs[:, t] = dt.dot(self.weights_x.T)
                dnext = dt.dot(self.weights_h.T)
            self.dweights_x = np.clip(self.dweights_x, -1, 1)
            self.dweights_h = np.clip(self.dweights_h, -1, 1)
            self.dbiases = np.clip(self.dbiases, -1, 1)
        """,
        owner="Layer_RNN",
        place="grads",
    ),
    "truncated": ByHand(
        "recurrent-loop-stops-before-step-0",
        """
        def backward(self, dvalues):
            for name in ["Wz", "Wr", "Wh", "Uz", "Ur", "Uh", "bz", "br", "bh"]:
                setattr(self, "d" + name, np.zeros_like(getattr(self, name)))
            self.dinputs = np.zeros(self.x.shape)
            dh_next = np.zeros_like(dvalues[:, 0])
            for t in range(self.x.shape[1] - 1, 0, -1):
                x, h, z, r, n = self.c[t]
                dh = dvalues[:, t] + dh_next
                daz = dh * (h - n) * z * (1 - z)
                dan = dh * (1 - z) * (1 - n**2)
                back = dan @ self.Uh.T
                dar = back * h * r * (1 - r)
                self.dWz += x.T @ daz; self.dUz += h.T @ daz; self.dbz += daz.sum(axis=0)
                self.dWr += x.T @ dar; self.dUr += h.T @ dar; self.dbr += dar.sum(axis=0)
                self.dWh += x.T @ dan; self.dUh += (r * h).T @ dan; self.dbh += dan.sum(axis=0)
                self.dinputs[:, t] = daz @ self.Wz.T + dar @ self.Wr.T + dan @ self.Wh.T
                dh_next = dh * z + back * r + daz @ self.Uz.T + dar @ self.Ur.T
        """,
        owner="GRU",
        answer=GRU,
        place="order dh_next dh_t",
    ),
    "index -1": ByHand(
        "recurrent-old-state-wraps-round",
        """
        def backward(self, dvalues):
            self.dweights_x, self.dweights_h = np.zeros_like(self.weights_x), np.zeros_like(self.weights_h)
            self.dbiases, self.dinputs = np.zeros_like(self.biases), np.zeros_like(self.inputs)
            carry = np.zeros_like(dvalues[:, 0])
            for t in reversed(range(dvalues.shape[1])):
                dz = (dvalues[:, t] + carry) * (1 - self.output[:, t] ** 2)
                self.dweights_x += np.dot(self.inputs[:, t].T, dz)
                self.dweights_h += np.dot(self.output[:, t - 1].T, dz)
                self.dbiases += dz.sum(axis=0, keepdims=True)
                self.dinputs[:, t] = np.dot(dz, self.weights_x.T)
                carry = np.dot(dz, self.weights_h.T)
        """,
        owner="Layer_RNN",
        place="h_prev",
    ),
    "mask": "there is no padding",
    "mean of the loss": ByHand(
        "cross-entropy-gradient-mean-missing",
        """
        def backward(self, dvalues, y_true):
            samples = len(dvalues)
            self.dinputs = dvalues.copy()
            self.dinputs[range(samples), y_true] -= 1
        """,
        owner="Activation_Softmax_Loss_CategoricalCrossentropy",
    ),
    "embedding": ByHand(
        "embedding-repeats-lost",
        """
        def backward(self, dvalues):
            self.dweights = np.zeros(self.weights.shape)
            self.dweights[self.inputs.ravel()] += dvalues.reshape(-1, dvalues.shape[-1])
        """,
        owner="Embedding",
        answer=EMBEDDING,
    ),
    "reverse direction": "a class of one's own has one direction",
}
