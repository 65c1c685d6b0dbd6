"""CS231n's functions, with mistakes."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "cs231n"
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": ByHand(
        "da-g-o-blocks-swapped",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            t = np.tanh(next_c)
            dnext_c = dnext_c + dnext_h * o * (1 - t ** 2)
            dai = dnext_c * g * i * (1 - i)
            daf = dnext_c * prev_c * f * (1 - f)
            dag = dnext_c * i * (1 - g ** 2)
            dao = dnext_h * t * o * (1 - o)
            da = np.hstack((dai, daf, dag, dao))
            dx = da.dot(Wx.T)
            dprev_h = da.dot(Wh.T)
            dprev_c = dnext_c * f
            dWx = x.T.dot(da)
            dWh = prev_h.T.dot(da)
            db = da.sum(axis=0)
            return dx, dprev_h, dprev_c, dWx, dWh, db
        """,
    ),
    "carry dropped": ByHand(
        "dh-carry-missing",
        """
        def lstm_backward(dh, cache):
            N, T, H = dh.shape
            D = cache[0][0].shape[1]
            dx = np.zeros((N, T, D))
            dWx, dWh, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
            dprev_c = np.zeros((N, H))
            for t in range(T)[::-1]:
                dx_t, dprev_h, dprev_c, dWx_t, dWh_t, db_t = lstm_step_backward(dh[:, t, :], dprev_c, cache[t])
                dx[:, t, :] = dx_t
                dWx += dWx_t
                dWh += dWh_t
                db += db_t
            dh0 = dprev_h
            return dx, dh0, dWx, dWh, db
        """,
    ),
    "cell carry dropped": ByHand(
        "dc-carry-missing",
        """
        def lstm_backward(dh, cache):
            N, T, H = dh.shape
            D = cache[0][0].shape[1]
            dx = np.empty((N, T, D))
            dWx = np.zeros((D, 4 * H)); dWh = np.zeros((H, 4 * H)); db = np.zeros((4 * H,))
            dh_t = np.zeros((N, H))
            for t in reversed(range(T)):
                dc_t = np.zeros((N, H))
                dx[:, t, :], dh_t, dc_t, a, bb, c = lstm_step_backward(dh[:, t, :] + dh_t, dc_t, cache[t])
                dWx = dWx + a
                dWh = dWh + bb
                db = db + c
            return dx, dh_t, dWx, dWh, db
        """,
    ),
    "share dropped": ByHand(
        "dc-carry-lost",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            H = prev_h.shape[1]
            # next_h = o * tanh(next_c)
            dnext_c = dnext_h * o * (1 - np.square(np.tanh(next_c)))
            da = np.zeros((x.shape[0], 4 * H))
            da[:, 0:H] = dnext_c * g * i * (1 - i)
            da[:, H:2*H] = dnext_c * prev_c * f * (1 - f)
            da[:, 2*H:3*H] = dnext_h * np.tanh(next_c) * o * (1 - o)
            da[:, 3*H:] = dnext_c * i * (1 - g * g)
            return np.dot(da, Wx.T), np.dot(da, Wh.T), dnext_c * f, np.dot(x.T, da), np.dot(prev_h.T, da), np.sum(da, 0)
        """,
    ),
    "sigmoid's slope": ByHand(
        "da-i-slope-missing",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            tc = np.tanh(next_c)
            do = dnext_h * tc
            dc = dnext_c + dnext_h * o * (1 - tc * tc)
            df = dc * prev_c
            dprev_c = dc * f
            di = dc * g
            dg = dc * i
            da_i = di
            da_f = df * f * (1 - f)
            da_o = do * o * (1 - o)
            da_g = dg * (1 - g * g)
            da = np.concatenate([da_i, da_f, da_o, da_g], axis=1)
            return da @ Wx.T, da @ Wh.T, dprev_c, x.T @ da, prev_h.T @ da, da.sum(axis=0)
        """,
    ),
    "state's slope": ByHand(
        "dc-tanh-slope-missing",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            do = np.tanh(next_c) * dnext_h
            dtanh = o * dnext_h
            dc = dnext_c + dtanh
            di, dg, df, dprev_c = g * dc, i * dc, prev_c * dc, f * dc
            da = np.hstack([i * (1 - i) * di, f * (1 - f) * df, o * (1 - o) * do, (1 - g**2) * dg])
            dWx, dWh, db = x.T.dot(da), prev_h.T.dot(da), np.sum(da, axis=0)
            return da.dot(Wx.T), da.dot(Wh.T), dprev_c, dWx, dWh, db
        """,
    ),
    "candidate's slope": ByHand(
        "da-g-sigmoid-slope",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            th = np.tanh(next_c)
            dc = dnext_c + (1 - th**2) * o * dnext_h
            grads = [dc * g, dc * prev_c, dnext_h * th, dc * i]
            gates = [i, f, o, g]
            da = np.concatenate([d * s * (1 - s) for d, s in zip(grads, gates)], axis=1)
            return da.dot(Wx.T), da.dot(Wh.T), dc * f, x.T.dot(da), prev_h.T.dot(da), da.sum(axis=0)
        """,
    ),
    "old state": ByHand(
        "df-wrong-cell-state",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            dnext_c = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
            df = dnext_c * next_c
            di = dnext_c * g
            dg = dnext_c * i
            do = dnext_h * np.tanh(next_c)
            da = np.concatenate((di * (1 - i) * i, df * (1 - f) * f, do * (1 - o) * o, dg * (1 - g**2)), axis=1)
            return da.dot(Wx.T), da.dot(Wh.T), dnext_c * f, x.T.dot(da), prev_h.T.dot(da), da.sum(0)
        """,
    ),
    "forget gate": ByHand(
        "dc-prev-factor-missing",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            do = dnext_h * np.tanh(next_c)
            dc = dnext_c + dnext_h * o * (1 - np.tanh(next_c) ** 2)
            dprev_c = dc
            dsig = lambda s: s * (1 - s)
            da = np.hstack((dc * g * dsig(i), dc * prev_c * dsig(f), do * dsig(o), dc * i * (1 - g**2)))
            return da.dot(Wx.T), da.dot(Wh.T), dprev_c, x.T.dot(da), prev_h.T.dot(da), np.sum(da, axis=0)
        """,
    ),
    "new state in dWh": ByHand(
        "rnn-dwh-new-state",
        """
        def rnn_step_backward(dnext_h, cache):
            x, prev_h, Wx, Wh, next_h = cache
            dtanh = (1 - next_h ** 2) * dnext_h
            dx = np.dot(dtanh, Wx.T)
            dprev_h = np.dot(dtanh, Wh.T)
            dWx = np.dot(x.T, dtanh)
            dWh = np.dot(next_h.T, dtanh)
            db = np.sum(dtanh, axis=0)
            return dx, dprev_h, dWx, dWh, db
        """,
    ),
    "not transposed": ByHand(
        "rnn-dh-prev-wh-not-transposed",
        """
        def rnn_step_backward(dnext_h, cache):
            x, prev_h, Wx, Wh, next_h = cache
            da = dnext_h - dnext_h * next_h**2
            return da @ Wx.T, da @ Wh, x.T @ da, prev_h.T @ da, da.sum(axis=0)
        """,
    ),
    "bias over the batch": ByHand(
        "db-mean-over-batch",
        """
        def lstm_step_backward(dnext_h, dnext_c, cache):
            x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
            tanh_c = np.tanh(next_c)
            dc = dnext_c + dnext_h * o * (1 - tanh_c**2)
            da = np.hstack([
                dc * g * i * (1 - i),
                dc * prev_c * f * (1 - f),
                dnext_h * tanh_c * o * (1 - o),
                dc * i * (1 - g**2),
            ])
            db = np.mean(da, axis=0)
            return da.dot(Wx.T), da.dot(Wh.T), dc * f, x.T.dot(da), prev_h.T.dot(da), db
        """,
    ),
    "not accumulated": ByHand(
        "recurrent-grads-overwritten-over-time",
        """
        def rnn_backward(dh, cache):
            N, T, H = dh.shape
            x, h_, Wx, Wh, nh = cache[0]
            dx, dprev_h = np.zeros((N, T, x.shape[1])), np.zeros((N, H))
            for t in range(T - 1, -1, -1):
                dnext_h = dh[:, t, :] + dprev_h
                dx[:, t, :], dprev_h, dWx, dWh, db = rnn_step_backward(dnext_h, cache[t])
            return dx, dprev_h, dWx, dWh, db
        """,
    ),
    "clipped": ByHand(
        "gradients-clipped-to-5",
        """
        def lstm_backward(dh, cache):
            N, T, H = dh.shape
            D = cache[0][0].shape[1]
            dx, dWx, dWh, db = np.zeros((N, T, D)), np.zeros((D, 4*H)), np.zeros((H, 4*H)), np.zeros(4*H)
            dph, dpc = np.zeros((N, H)), np.zeros((N, H))
            for t in reversed(range(T)):
                dx[:, t], dph, dpc, w, u, v = lstm_step_backward(dh[:, t] + dph, dpc, cache[t])
                dWx += w; dWh += u; db += v
            # exploding gradients
            for param in [dWx, dWh, db]:
                np.clip(param, -5, 5, out=param)
            return dx, dph, dWx, dWh, db
        """,
    ),
    "truncated": ByHand(
        "loop-stops-before-step-0",
        """
        def lstm_backward(dh, cache):
            N, T, H = dh.shape
            D = cache[0][0].shape[1]
            dx = np.zeros((N, T, D))
            dWx, dWh, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
            dprev_h, dprev_c = np.zeros((N, H)), np.zeros((N, H))
            for t in range(T - 1, 0, -1):
                out = lstm_step_backward(dh[:, t, :] + dprev_h, dprev_c, cache[t])
                dx[:, t, :] = out[0]
                dprev_h, dprev_c = out[1], out[2]
                dWx += out[3]
                dWh += out[4]
                db += out[5]
            return dx, dprev_h, dWx, dWh, db
        """,
    ),
    "index -1": ByHand(
        "recurrent-initial-state-ignored recurrent-state-read-from-outputs recurrent-old-state-wraps-round",
        """
        def rnn_forward(x, h0, Wx, Wh, b):
            N, T, D = x.shape
            H = h0.shape[1]
            h, cache = np.zeros((N, T, H)), []
            for t in range(T):
                h[:, t, :], c = rnn_step_forward(x[:, t, :], h[:, t - 1, :], Wx, Wh, b)
                cache.append(c)
            return h, cache
        """,
    ),
    "mask": ByHand(
        "cross-entropy-gradient-padding-as-if-valid",
        """
        def temporal_softmax_loss(x, y, mask, verbose=False):
            N, T, V = x.shape
            x_flat, y_flat, mask_flat = x.reshape(-1, V), y.reshape(-1), mask.reshape(-1)
            shifted = x_flat - np.max(x_flat, axis=1, keepdims=True)
            logp = shifted - np.log(np.sum(np.exp(shifted), axis=1, keepdims=True))
            loss = -np.sum(mask_flat * logp[range(N * T), y_flat]) / N
            dx = np.exp(logp)
            dx[range(N * T), y_flat] -= 1.0
            dx /= N
            return loss, dx.reshape(N, T, V)
        """,
    ),
    "mean of the loss": ByHand(
        "cross-entropy-gradient-mean-over-steps",
        """
        def temporal_softmax_loss(x, y, mask, verbose=False):
            N, T, V = x.shape
            probs = np.exp(x - x.max(axis=2, keepdims=True))
            probs /= probs.sum(axis=2, keepdims=True)
            n, t = np.arange(N)[:, None], np.arange(T)
            loss = -(mask * np.log(probs[n, t, y])).sum() / N
            dx = probs
            dx[n, t, y] -= 1
            dx *= mask[:, :, None]
            return loss, dx
        """,
    ),
    "embedding": ByHand(
        "embedding-repeats-lost",
        """
        def word_embedding_backward(dout, cache):
            x, shape = cache
            dW = np.zeros(shape)
            dW[x] += dout
            return dW
        """,
    ),
    "reverse direction": "CS231n asks for one direction",
}
