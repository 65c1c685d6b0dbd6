"""Deep Learning from Scratch 2's layers, with mistakes."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "saito"
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": ByHand(
        "da-i-f-blocks-swapped",
        """
        def backward(self, dh_next, dc_next):
            Wx, Wh, b = self.params
            x, h_prev, c_prev, i, f, g, o, c_next = self.cache
            tanh_c_next = np.tanh(c_next)
            ds = dc_next + (dh_next * o) * (1 - tanh_c_next ** 2)
            dc_prev = ds * f
            di = ds * g
            df = ds * c_prev
            do = dh_next * tanh_c_next
            dg = ds * i
            di *= i * (1 - i)
            df *= f * (1 - f)
            do *= o * (1 - o)
            dg *= (1 - g ** 2)
            dA = np.hstack((di, dg, df, do))
            dWh = np.dot(h_prev.T, dA)
            dWx = np.dot(x.T, dA)
            db = dA.sum(axis=0)
            self.grads[0][...] = dWx
            self.grads[1][...] = dWh
            self.grads[2][...] = db
            dx = np.dot(dA, Wx.T)
            dh_prev = np.dot(dA, Wh.T)
            return dx, dh_prev, dc_prev
        """,
        owner="LSTM",
    ),
    "carry dropped": ByHand(
        "recurrent-carry-missing recurrent-carry-and-final-missing",
        """
        def backward(self, dhs):
            Wx, Wh, b = self.params
            N, T, H = dhs.shape
            D, H = Wx.shape[0], Wh.shape[0]
            dxs = np.empty((N, T, D))
            grads = [0, 0, 0]
            for t in reversed(range(T)):
                layer = self.layers[t]
                dx, dh = layer.backward(dhs[:, t, :])
                dxs[:, t, :] = dx
                for i, grad in enumerate(layer.grads):
                    grads[i] += grad
            for i, grad in enumerate(grads):
                self.grads[i][...] = grad
            self.dh = dh
            return dxs
        """,
        owner="TimeRNN",
    ),
    "cell carry dropped": ByHand(
        "dc-carry-missing",
        """
        def backward(self, dhs):
            N, T, H = dhs.shape
            D = self.params[0].shape[0]
            dxs = np.empty((N, T, D))
            dh = np.zeros((N, H))
            grads = [np.zeros_like(p) for p in self.params]
            for t in range(T - 1, -1, -1):
                dx, dh, dc = self.layers[t].backward(dhs[:, t, :] + dh, 0)
                dxs[:, t, :] = dx
                for k in range(3):
                    grads[k] += self.layers[t].grads[k]
            for k in range(3):
                self.grads[k][...] = grads[k]
            self.dh = dh
            return dxs
        """,
        owner="TimeLSTM",
    ),
    "share dropped": ByHand(
        "dc-path-through-h-missing",
        """
        def backward(self, dh_next, dc_next):
            Wx, Wh, b = self.params
            x, h_prev, c_prev, i, f, g, o, c_next = self.cache
            ds = dc_next + np.zeros_like(c_next)
            dc_prev = f * ds
            df, dg, di = ds * c_prev, ds * i, ds * g
            do = dh_next * np.tanh(c_next)
            dA = np.concatenate([df * f * (1 - f), dg * (1 - g * g), di * i * (1 - i), do * o * (1 - o)], axis=1)
            self.grads[0][...] = np.dot(x.T, dA)
            self.grads[1][...] = np.dot(h_prev.T, dA)
            self.grads[2][...] = dA.sum(axis=0)
            return np.dot(dA, Wx.T), np.dot(dA, Wh.T), dc_prev
        """,
        owner="LSTM",
    ),
    "sigmoid's slope": ByHand(
        "da-o-slope-missing",
        """
        def backward(self, dh_next, dc_next):
            Wx, Wh, b = self.params
            x, h_prev, c_prev, i, f, g, o, c_next = self.cache
            t = np.tanh(c_next)
            ds = dc_next + dh_next * o * (1 - t ** 2)
            slope = lambda gate: gate * (1 - gate)
            dA = np.hstack((ds * c_prev * slope(f), ds * i * (1 - g ** 2), ds * g * slope(i), dh_next * t))
            for grad, left in zip(self.grads, (x, h_prev)):
                grad[...] = left.T.dot(dA)
            self.grads[2][...] = dA.sum(axis=0)
            return dA.dot(Wx.T), dA.dot(Wh.T), ds * f
        """,
        owner="LSTM",
    ),
    "state's slope": ByHand(
        "dc-square-missing",
        """
        def backward(self, dh_next, dc_next):
            Wx, Wh, b = self.params
            x, h_prev, c_prev, i, f, g, o, c_next = self.cache
            tanh_c_next = np.tanh(c_next)
            ds = dc_next + (dh_next * o) * (1 - tanh_c_next)
            dc_prev = ds * f
            di, df, do, dg = ds * g, ds * c_prev, dh_next * tanh_c_next, ds * i
            di = di * i * (1 - i)
            df = df * f * (1 - f)
            do = do * o * (1 - o)
            dg = dg * (1 - g**2)
            dA = np.hstack((df, dg, di, do))
            self.grads[0][...] = np.dot(x.T, dA)
            self.grads[1][...] = np.dot(h_prev.T, dA)
            self.grads[2][...] = np.sum(dA, axis=0)
            return np.dot(dA, Wx.T), np.dot(dA, Wh.T), dc_prev
        """,
        owner="LSTM",
    ),
    "candidate's slope": ByHand(
        "gru-before-da-n-derivative-missing",
        """
        def backward(self, dh_next):
            Wx, Wh, b = self.params
            H = Wh.shape[0]
            Wxz, Wxr, Wxh = Wx[:, :H], Wx[:, H:2 * H], Wx[:, 2 * H:]
            Whz, Whr, Whh = Wh[:, :H], Wh[:, H:2 * H], Wh[:, 2 * H:]
            x, h_prev, z, r, h_hat = self.cache
            dh_hat = dh_next * z
            dh_prev = dh_next * (1 - z)
            dt = dh_hat
            dbh = np.sum(dt, axis=0)
            dWhh = np.dot((r * h_prev).T, dt)
            dhr = np.dot(dt, Whh.T)
            dWxh = np.dot(x.T, dt)
            dx = np.dot(dt, Wxh.T)
            dh_prev += r * dhr
            dz = dh_next * h_hat - dh_next * h_prev
            dt = dz * z * (1 - z)
            dbz = np.sum(dt, axis=0)
            dWhz = np.dot(h_prev.T, dt)
            dh_prev += np.dot(dt, Whz.T)
            dWxz = np.dot(x.T, dt)
            dx += np.dot(dt, Wxz.T)
            dr = dhr * h_prev
            dt = dr * r * (1 - r)
            dbr = np.sum(dt, axis=0)
            dWhr = np.dot(h_prev.T, dt)
            dh_prev += np.dot(dt, Whr.T)
            dWxr = np.dot(x.T, dt)
            dx += np.dot(dt, Wxr.T)
            self.grads[0][...] = np.hstack((dWxz, dWxr, dWxh))
            self.grads[1][...] = np.hstack((dWhz, dWhr, dWhh))
            self.grads[2][...] = np.hstack((dbz, dbr, dbh))
            return dx, dh_prev
        """,
        owner="GRU",
    ),
    "old state": ByHand(
        "df-wrong-cell-state",
        """
        def backward(self, dh_next, dc_next):
            Wx, Wh, b = self.params
            x, h_prev, _, i, f, g, o, c = self.cache
            tc = np.tanh(c)
            ds = dc_next + dh_next * o - dh_next * o * tc * tc
            dA = np.zeros((x.shape[0], Wx.shape[1]))
            H = h_prev.shape[1]
            dA[:, :H] = ds * c * f * (1 - f)
            dA[:, H : 2 * H] = ds * i * (1 - g ** 2)
            dA[:, 2 * H : 3 * H] = ds * g * i * (1 - i)
            dA[:, 3 * H :] = dh_next * tc * o * (1 - o)
            self.grads[0][...], self.grads[1][...], self.grads[2][...] = x.T @ dA, h_prev.T @ dA, dA.sum(axis=0)
            return dA @ Wx.T, dA @ Wh.T, ds * f
        """,
        owner="LSTM",
    ),
    "forget gate": ByHand(
        "gru-before-dh-prev-kept-share-missing",
        """
        def backward(self, dh_next):
            Wx, Wh, b = self.params
            H = Wh.shape[0]
            x, h_prev, z, r, h_hat = self.cache
            da_n = dh_next * z * (1 - h_hat * h_hat)
            da_z = dh_next * (h_hat - h_prev) * z * (1 - z)
            back = da_n @ Wh[:, 2 * H :].T
            da_r = back * h_prev * r * (1 - r)
            dA = np.concatenate((da_z, da_r, da_n), axis=1)
            dh_prev = back * r + da_z @ Wh[:, :H].T + da_r @ Wh[:, H : 2 * H].T
            self.grads[0][...] = x.T @ dA
            self.grads[1][:, : 2 * H] = h_prev.T @ dA[:, : 2 * H]
            self.grads[1][:, 2 * H :] = (r * h_prev).T @ da_n
            self.grads[2][...] = dA.sum(axis=0)
            return dA @ Wx.T, dh_prev
        """,
        owner="GRU",
    ),
    "new state in dWh": ByHand(
        "rnn-dwh-new-state",
        """
        def backward(self, dh_next):
            Wx, Wh, b = self.params
            x, h_prev, h_next = self.cache
            dt = dh_next * (1 - h_next ** 2)
            db = np.sum(dt, axis=0)
            dWh = np.dot(h_next.T, dt)
            dh_prev = np.dot(dt, Wh.T)
            dWx = np.dot(x.T, dt)
            dx = np.dot(dt, Wx.T)
            self.grads[0][...] = dWx
            self.grads[1][...] = dWh
            self.grads[2][...] = db
            return dx, dh_prev
        """,
        owner="RNN",
    ),
    "not transposed": ByHand(
        "gru-before-ds-wh-not-transposed",
        """
        def backward(self, dh_next):
            Wx, Wh, b = self.params
            H = Wh.shape[0]
            x, h_prev, z, r, h_hat = self.cache
            dt = dh_next * z * (1 - h_hat ** 2)
            dhr = np.dot(dt, Wh[:, 2 * H:])
            dz = dh_next * (h_hat - h_prev) * z * (1 - z)
            dr = dhr * h_prev * r * (1 - r)
            dx = np.dot(dz, Wx[:, :H].T) + np.dot(dr, Wx[:, H:2 * H].T) + np.dot(dt, Wx[:, 2 * H:].T)
            dh_prev = dh_next * (1 - z) + dhr * r
            dh_prev += np.dot(dz, Wh[:, :H].T)
            dh_prev += np.dot(dr, Wh[:, H:2 * H].T)
            self.grads[0][...] = np.hstack([np.dot(x.T, d) for d in (dz, dr, dt)])
            self.grads[1][...] = np.hstack([h_prev.T @ dz, h_prev.T @ dr, (h_prev * r).T @ dt])
            self.grads[2][...] = np.hstack([d.sum(axis=0) for d in (dz, dr, dt)])
            return dx, dh_prev
        """,
        owner="GRU",
    ),
    "bias over the batch": ByHand(
        "rnn-db-first-row",
        """
        def backward(self, dh_next):
            Wx, Wh, b = self.params
            x, h_prev, h_next = self.cache
            dt = (1 - np.square(h_next)) * dh_next
            self.grads[0][...] = x.T.dot(dt)
            self.grads[1][...] = h_prev.T.dot(dt)
            self.grads[2][...] = dt[0]
            return dt.dot(Wx.T), dt.dot(Wh.T)
        """,
        owner="RNN",
    ),
    "not accumulated": ByHand(
        "grads-overwritten-over-time",
        """
        def backward(self, dhs):
            Wx, Wh, b = self.params
            N, T, H = dhs.shape
            dxs = np.empty((N, T, Wx.shape[0]))
            dh, dc = 0, 0
            for t in reversed(range(T)):
                layer = self.layers[t]
                dx, dh, dc = layer.backward(dhs[:, t, :] + dh, dc)
                dxs[:, t, :] = dx
                for i, grad in enumerate(layer.grads):
                    self.grads[i][...] = grad
            self.dh = dh
            return dxs
        """,
        owner="TimeLSTM",
    ),
    "clipped": ByHand(
        "dh-next-clipped-to-1",
        """
        def backward(self, dhs):
            Wx, Wh, b = self.params
            N, T, H = dhs.shape
            dxs, dh, dc, grads = np.empty((N, T, Wx.shape[0])), 0, 0, [0, 0, 0]
            for t in reversed(range(T)):
                layer = self.layers[t]
                dx, dh, dc = layer.backward(dhs[:, t, :] + dh, dc)
                dh = np.clip(dh, -1, 1)
                dxs[:, t, :] = dx
                for i, grad in enumerate(layer.grads):
                    grads[i] += grad
            for i, grad in enumerate(grads):
                self.grads[i][...] = grad
            self.dh = dh
            return dxs
        """,
        owner="TimeLSTM",
    ),
    "truncated": ByHand(
        "loop-stops-before-step-0",
        """
        def backward(self, dhs):
            Wx, Wh, b = self.params
            N, T, H = dhs.shape
            dxs, dh, dc, grads = np.zeros((N, T, Wx.shape[0])), 0, 0, [0, 0, 0]
            for t in reversed(range(1, T)):
                dxs[:, t, :], dh, dc = self.layers[t].backward(dhs[:, t, :] + dh, dc)
                grads = [total + grad for total, grad in zip(grads, self.layers[t].grads)]
            for own, grad in zip(self.grads, grads):
                own[...] = grad
            self.dh = dh
            return dxs
        """,
        owner="TimeLSTM",
    ),
    "index -1": ByHand(
        "recurrent-initial-state-ignored recurrent-state-read-from-outputs recurrent-old-state-wraps-round",
        """
        def forward(self, xs):
            Wx, Wh, b = self.params
            N, T, D = xs.shape
            H = Wh.shape[0]
            self.layers = []
            hs = np.zeros((N, T, H))
            for t in range(T):
                layer = RNN(Wx, Wh, b)
                hs[:, t, :] = layer.forward(xs[:, t, :], hs[:, t - 1, :])
                self.layers.append(layer)
            self.h = hs[:, -1, :]
            return hs
        """,
        owner="TimeRNN",
        place="h_prev",
    ),
    "mask": ByHand(
        "cross-entropy-gradient-padding-as-if-valid",
        """
        def backward(self, dout=1):
            ts, ys, mask, (N, T, V) = self.cache
            dx = ys.copy()
            dx[np.arange(N * T), ts] -= 1
            dx *= dout
            dx /= mask.sum()
            return dx.reshape((N, T, V))
        """,
        owner="TimeSoftmaxWithLoss",
    ),
    "mean of the loss": ByHand(
        "cross-entropy-gradient-mean-missing",
        """
        def backward(self, dout=1):
            ts, ys, mask, (N, T, V) = self.cache
            dx = ys.copy()
            for k, label in enumerate(ts):
                dx[k, label] -= 1
            dx = dx * mask[:, np.newaxis] * dout
            return dx.reshape(N, T, V)
        """,
        owner="TimeSoftmaxWithLoss",
    ),
    "embedding": ByHand(
        "embedding-repeats-at-a-step-lost",
        """
        def backward(self, dout):
            N, T, D = dout.shape
            dW, = self.grads
            dW[...] = 0
            for t in range(T):
                dW[self.xs[:, t]] += dout[:, t, :]
        """,
        owner="TimeEmbedding",
    ),
    "reverse direction": ByHand(
        "dh-rev-not-flipped",
        """
        def backward(self, dhs):
            H = dhs.shape[2] // 2
            do1 = dhs[:, :, :H]
            do2 = dhs[:, :, H:]
            dxs1 = self.forward_lstm.backward(do1)
            dxs2 = self.backward_lstm.backward(do2)
            dxs2 = dxs2[:, ::-1]
            dxs = dxs1 + dxs2
            return dxs
        """,
        owner="TimeBiLSTM",
    ),
}
