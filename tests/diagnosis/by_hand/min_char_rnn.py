"""min-char-rnn's lossFun, with mistakes."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "min_char_rnn"
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": "a plain RNN has no gates",
    "carry dropped": ByHand(
        "recurrent-carry-missing recurrent-carry-and-final-missing",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ys, ps = {}, {}, {}, {}
            hs[-1] = np.copy(hprev)
            loss = 0
            for t in range(len(inputs)):
                xs[t] = np.zeros((vocab_size, 1))
                xs[t][inputs[t]] = 1
                hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
                ys[t] = np.dot(Why, hs[t]) + by
                ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
                loss += -np.log(ps[t][targets[t], 0])
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby = np.zeros_like(bh), np.zeros_like(by)
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dWhy += np.dot(dy, hs[t].T)
                dby += dy
                dh = np.dot(Why.T, dy)
                dhraw = (1 - hs[t] * hs[t]) * dh
                dbh += dhraw
                dWxh += np.dot(dhraw, xs[t].T)
                dWhh += np.dot(dhraw, hs[t - 1].T)
            for dparam in [dWxh, dWhh, dWhy, dbh, dby]:
                np.clip(dparam, -5, 5, out=dparam)
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]
        """,
        place="dh_next",
    ),
    "cell carry dropped": "a plain RNN has no cell state",
    "share dropped": ByHand(
        "recurrent-upstream-of-last-step-alone",
        """
        def lossFun(inputs, targets, hprev):
            n = len(inputs)
            x, h, p, loss = np.zeros((n, vocab_size, 1)), {-1: hprev}, [], 0
            for t in range(n):
                x[t, inputs[t]] = 1
                h[t] = np.tanh(Wxh @ x[t] + Whh @ h[t - 1] + bh)
                scores = np.exp(Why @ h[t] + by)
                p.append(scores / scores.sum())
                loss -= np.log(p[t][targets[t]][0])
            gWxh, gWhh, gWhy, gbh, gby = 0, 0, 0, 0, 0
            carried = None
            for t in reversed(range(n)):
                dy = p[t].copy()
                dy[targets[t]] -= 1
                gWhy = gWhy + dy @ h[t].T
                gby = gby + dy
                dh = Why.T @ dy if carried is None else carried
                raw = dh * (1 - h[t] ** 2)
                gbh, gWxh, gWhh = gbh + raw, gWxh + raw @ x[t].T, gWhh + raw @ h[t - 1].T
                carried = Whh.T @ raw
            return loss, gWxh, gWhh, gWhy, gbh, gby, h[n - 1]
        """,
        place="dh_t",
    ),
    "sigmoid's slope": "a plain RNN has no gates",
    "state's slope": ByHand(
        "rnn-da-derivative-missing",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ps = {}, {}, {}
            hs[-1] = np.copy(hprev)
            loss = 0
            # forward
            for t in range(len(inputs)):
                xs[t] = np.zeros((vocab_size, 1))
                xs[t][inputs[t]] = 1
                hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
                y = np.dot(Why, hs[t]) + by
                ps[t] = np.exp(y) / np.sum(np.exp(y))
                loss += -np.log(ps[t][targets[t], 0])
            # backward
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby = np.zeros_like(bh), np.zeros_like(by)
            dhnext = np.zeros_like(hs[0])
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dWhy += np.dot(dy, hs[t].T)
                dby += dy
                dhraw = np.dot(Why.T, dy) + dhnext
                dbh += dhraw
                dWxh += np.dot(dhraw, xs[t].T)
                dWhh += np.dot(dhraw, hs[t - 1].T)
                dhnext = np.dot(Whh.T, dhraw)
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]
        """,
    ),
    "candidate's slope": ByHand(
        "rnn-da-sigmoid-derivative tanh-slope-is-sigmoid-slope",
        """
        def lossFun(inputs, targets, hprev):
            H, P, X, loss, h = [hprev], [], [], 0.0, hprev
            for ix, target in zip(inputs, targets):
                x = np.zeros((vocab_size, 1))
                x[ix] = 1.0
                h = np.tanh(Wxh @ x + Whh @ h + bh)
                e = np.exp(Why @ h + by)
                X.append(x); H.append(h); P.append(e / e.sum())
                loss += -np.log(P[-1][target, 0])
            dWxh, dWhh, dWhy, dbh, dby = [np.zeros_like(w) for w in (Wxh, Whh, Why, bh, by)]
            dh_next = np.zeros_like(h)
            for t in range(len(inputs) - 1, -1, -1):
                dy = P[t].copy()
                dy[targets[t]] -= 1
                dWhy += dy @ H[t + 1].T
                dby += dy
                dh = Why.T @ dy + dh_next
                da = dh * H[t + 1] * (1 - H[t + 1])
                dWxh += da @ X[t].T
                dWhh += da @ H[t].T
                dbh += da
                dh_next = Whh.T @ da
            return loss, dWxh, dWhh, dWhy, dbh, dby, h
        """,
    ),
    "old state": "a plain RNN has no cell state",
    "forget gate": "a plain RNN has no gates",
    "new state in dWh": ByHand(
        "rnn-dwh-new-state",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
            for t in range(len(inputs)):
                xs[t] = np.eye(vocab_size)[:, [inputs[t]]]
                hs[t] = np.tanh(Wxh.dot(xs[t]) + Whh.dot(hs[t - 1]) + bh)
                unnorm = np.exp(Why.dot(hs[t]) + by)
                ps[t] = unnorm / unnorm.sum()
                loss -= np.log(ps[t][targets[t], 0])
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(hprev)
            for t in range(len(inputs))[::-1]:
                dy = ps[t] - np.eye(vocab_size)[:, [targets[t]]]
                dWhy += dy.dot(hs[t].T)
                dby += dy
                dhraw = (1 - hs[t]**2) * (Why.T.dot(dy) + dhnext)
                dbh += dhraw
                dWxh += dhraw.dot(xs[t].T)
                dWhh += dhraw.dot(hs[t].T)
                dhnext = Whh.T.dot(dhraw)
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]
        """,
    ),
    "not transposed": ByHand(
        "rnn-dh-prev-wh-not-transposed",
        """
        def lossFun(inputs, targets, hprev):
            T = len(inputs)
            xs, hs, ps, loss = {}, {}, {}, 0
            hs[-1] = hprev
            for t in range(T):
                xs[t] = np.zeros((vocab_size, 1))
                xs[t][inputs[t], 0] = 1
                hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t-1]) + bh)
                logits = np.dot(Why, hs[t]) + by
                logits -= logits.max()
                ps[t] = np.exp(logits) / np.exp(logits).sum()
                loss += -np.log(ps[t][targets[t], 0])
            dWxh = dWhh = dWhy = dbh = dby = 0
            dhnext = 0
            for t in reversed(range(T)):
                dy = ps[t].copy()
                dy[targets[t]] -= 1
                dWhy = dWhy + np.dot(dy, hs[t].T)
                dby = dby + dy
                dhraw = (np.dot(Why.T, dy) + dhnext) * (1 - hs[t] * hs[t])
                dbh = dbh + dhraw
                dWxh = dWxh + np.dot(dhraw, xs[t].T)
                dWhh = dWhh + np.dot(dhraw, hs[t-1].T)
                dhnext = np.dot(Whh, dhraw)
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[T-1]
        """,
    ),
    "bias over the batch": ByHand(
        "rnn-a-bias-missing",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
            for t in range(len(inputs)):
                xs[t] = np.zeros((vocab_size, 1))
                xs[t][inputs[t]] = 1
                hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1])
                y = Why @ hs[t] + by
                ps[t] = np.exp(y) / np.sum(np.exp(y))
                loss += -np.log(ps[t][targets[t], 0])
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(hs[0])
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dWhy += dy @ hs[t].T
                dby += dy
                draw = (1 - hs[t] * hs[t]) * (Why.T @ dy + dhnext)
                dbh += draw
                dWxh += draw @ xs[t].T
                dWhh += draw @ hs[t - 1].T
                dhnext = Whh.T @ draw
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]
        """,
    ),
    "not accumulated": ByHand(
        "recurrent-grads-overwritten-over-time recurrent-dwh-overwritten-over-time",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ys, ps = {}, {}, {}, {}
            hs[-1] = np.copy(hprev)
            loss = 0
            for t in range(len(inputs)):
                xs[t] = np.zeros((vocab_size, 1))
                xs[t][inputs[t]] = 1
                hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
                ys[t] = np.dot(Why, hs[t]) + by
                ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
                loss += -np.log(ps[t][targets[t], 0])
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby = np.zeros_like(bh), np.zeros_like(by)
            dhnext = np.zeros_like(hs[0])
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dWhy += np.dot(dy, hs[t].T)
                dby += dy
                dhraw = (1 - hs[t] ** 2) * (np.dot(Why.T, dy) + dhnext)
                dbh += dhraw
                dWxh += np.dot(dhraw, xs[t].T)
                dWhh = np.dot(dhraw, hs[t - 1].T)
                dhnext = np.dot(Whh.T, dhraw)
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]
        """,
        place="grads",
    ),
    "clipped": ByHand(
        "recurrent-gradients-clipped-to-1 affine-gradients-clipped-to-1",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
            for t, (i, j) in enumerate(zip(inputs, targets)):
                xs[t] = np.zeros((vocab_size, 1)); xs[t][i] = 1
                hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t-1] + bh)
                e = np.exp(Why @ hs[t] + by); ps[t] = e / e.sum()
                loss += -np.log(ps[t][j, 0])
            dWxh, dWhh, dWhy, dbh, dby = map(np.zeros_like, (Wxh, Whh, Why, bh, by))
            dhnext = np.zeros_like(hs[0])
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t]); dy[targets[t]] -= 1
                dWhy += dy @ hs[t].T; dby += dy
                dhraw = (1 - hs[t]*hs[t]) * (Why.T @ dy + dhnext)
                dbh += dhraw; dWxh += dhraw @ xs[t].T; dWhh += dhraw @ hs[t-1].T
                dhnext = Whh.T @ dhraw
            dWxh, dWhh, dWhy, dbh, dby = (np.clip(d, -1, 1) for d in (dWxh, dWhh, dWhy, dbh, dby))
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs)-1]
        """,
        place="dh_next dh_prev",
    ),
    "truncated": ByHand(
        "recurrent-loop-stops-before-step-0 cross-entropy-gradient-step-0-missing",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ps = {}, {}, {}
            hs[-1] = np.copy(hprev)
            loss = 0
            for t in range(len(inputs)):
                xs[t] = np.zeros((vocab_size, 1))
                xs[t][inputs[t]] = 1
                hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
                ys = np.dot(Why, hs[t]) + by
                ps[t] = np.exp(ys) / np.sum(np.exp(ys))
                loss += -np.log(ps[t][targets[t], 0])
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(hs[0])
            t = len(inputs) - 1
            while t > 0:
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dWhy += np.dot(dy, hs[t].T)
                dby += dy
                dhraw = (1 - hs[t] * hs[t]) * (np.dot(Why.T, dy) + dhnext)
                dbh += dhraw
                dWxh += np.dot(dhraw, xs[t].T)
                dWhh += np.dot(dhraw, hs[t - 1].T)
                dhnext = np.dot(Whh.T, dhraw)
                t -= 1
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]
        """,
    ),
    "index -1": ByHand(
        "recurrent-old-state-wraps-round",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ps, loss, h = [], [], [], 0, hprev
            for t in range(len(inputs)):
                x = np.zeros((vocab_size, 1))
                x[inputs[t]] = 1
                h = np.tanh(Wxh @ x + Whh @ h + bh)
                e = np.exp(Why @ h + by)
                xs.append(x)
                hs.append(h)
                ps.append(e / np.sum(e))
                loss += -np.log(ps[t][targets[t], 0])
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(h)
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dWhy += dy @ hs[t].T
                dby += dy
                dh = Why.T @ dy + dhnext
                dhraw = (1 - hs[t] * hs[t]) * dh
                dbh += dhraw
                dWxh += dhraw @ xs[t].T
                dWhh += dhraw @ hs[t - 1].T
                dhnext = Whh.T @ dhraw
            return loss, dWxh, dWhh, dWhy, dbh, dby, h
        """,
    ),
    "mask": "there is no padding",
    "mean of the loss": ByHand(
        "cross-entropy-gradient-mean-twice",
        """
        def lossFun(inputs, targets, hprev):
            xs, hs, ps, loss = {}, {-1: np.copy(hprev)}, {}, 0
            for t in range(len(inputs)):
                xs[t] = np.zeros((vocab_size, 1))
                xs[t][inputs[t]] = 1
                hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
                y = Why @ hs[t] + by
                ps[t] = np.exp(y) / np.sum(np.exp(y))
                loss += -np.log(ps[t][targets[t], 0])
            dWxh, dWhh, dWhy = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(Why)
            dbh, dby, dhnext = np.zeros_like(bh), np.zeros_like(by), np.zeros_like(hs[0])
            for t in reversed(range(len(inputs))):
                dy = np.copy(ps[t])
                dy[targets[t]] -= 1
                dy /= len(inputs)
                dWhy += dy @ hs[t].T
                dby += dy
                draw = (1 - hs[t] * hs[t]) * (Why.T @ dy + dhnext)
                dbh += draw
                dWxh += draw @ xs[t].T
                dWhh += draw @ hs[t - 1].T
                dhnext = Whh.T @ draw
            return loss, dWxh, dWhh, dWhy, dbh, dby, hs[len(inputs) - 1]
        """,
        place="dlogits grads",
    ),
    "embedding": "symbols are one-hot vectors",
    "reverse direction": "there is one direction",
}
