"""The Deep Learning Specialization's functions, with mistakes."""

from tests.diagnosis.by_hand.mistakes import ByHand

ANSWER = "coursera"
MISTAKES: dict[str, ByHand | str] = {
    "gates exchanged": ByHand(
        "da-i-f-blocks-swapped",
        """
        def lstm_cell_backward(da_next, dc_next, cache):
            (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters) = cache
            n_x, m = xt.shape
            n_a, m = a_next.shape
            dot = da_next * np.tanh(c_next) * ot * (1 - ot)
            dc = dc_next + ot * (1 - np.square(np.tanh(c_next))) * da_next
            dcct = dc * it * (1 - np.square(cct))
            dft = dc * cct * it * (1 - it)
            dit = dc * c_prev * ft * (1 - ft)
            concat = np.vstack((a_prev, xt))
            dWf, dWi = np.dot(dft, concat.T), np.dot(dit, concat.T)
            dWc, dWo = np.dot(dcct, concat.T), np.dot(dot, concat.T)
            dbf = np.sum(dft, axis=1, keepdims=True)
            dbi = np.sum(dit, axis=1, keepdims=True)
            dbc = np.sum(dcct, axis=1, keepdims=True)
            dbo = np.sum(dot, axis=1, keepdims=True)
            back = np.dot(parameters['Wf'].T, dft) + np.dot(parameters['Wi'].T, dit)
            back += np.dot(parameters['Wc'].T, dcct) + np.dot(parameters['Wo'].T, dot)
            return {"dxt": back[n_a:], "da_prev": back[:n_a], "dc_prev": dc * ft, "dWf": dWf, "dbf": dbf,
                    "dWi": dWi, "dbi": dbi, "dWc": dWc, "dbc": dbc, "dWo": dWo, "dbo": dbo}
        """,
    ),
    "carry dropped": ByHand(
        "dh-carry-missing",
        """
        def lstm_backward(da, caches):
            (caches, x) = caches
            (a1, c1, a0, c0, f1, i1, cc1, o1, x1, parameters) = caches[0]
            n_a, m, T_x = da.shape
            n_x, m = x1.shape
            dx = np.zeros((n_x, m, T_x))
            da_prevt = np.zeros((n_a, m))
            dc_prevt = np.zeros((n_a, m))
            dWf, dWi, dWc, dWo = (np.zeros((n_a, n_a + n_x)) for _ in range(4))
            dbf, dbi, dbc, dbo = (np.zeros((n_a, 1)) for _ in range(4))
            for t in reversed(range(T_x)):
                gradients = lstm_cell_backward(da[:, :, t], dc_prevt, caches[t])
                da_prevt, dc_prevt = gradients["da_prev"], gradients["dc_prev"]
                dx[:, :, t] = gradients["dxt"]
                dWf += gradients["dWf"]; dWi += gradients["dWi"]; dWc += gradients["dWc"]; dWo += gradients["dWo"]
                dbf += gradients["dbf"]; dbi += gradients["dbi"]; dbc += gradients["dbc"]; dbo += gradients["dbo"]
            return {"dx": dx, "da0": da_prevt, "dWf": dWf, "dbf": dbf, "dWi": dWi, "dbi": dbi,
                    "dWc": dWc, "dbc": dbc, "dWo": dWo, "dbo": dbo}
        """,
    ),
    "cell carry dropped": ByHand(
        "dc-carry-missing",
        """
        def lstm_backward(da, caches):
            steps, x = caches
            n_a, m, T_x = da.shape
            dx = np.zeros_like(x)
            da_prevt, dc_prevt = np.zeros((n_a, m)), np.zeros((n_a, m))
            total = {}
            for t in range(T_x - 1, -1, -1):
                step = lstm_cell_backward(da[:, :, t] + da_prevt, dc_prevt, steps[t])
                # dc_prevt stays what it is
                da_prevt = step["da_prev"]
                dx[:, :, t] = step["dxt"]
                for name in ("dWf", "dWi", "dWc", "dWo", "dbf", "dbi", "dbc", "dbo"):
                    total[name] = total.get(name, 0) + step[name]
            total["dx"] = dx
            total["da0"] = da_prevt
            return total
        """,
    ),
    "share dropped": ByHand(
        "dc-carry-lost",
        """
        def lstm_cell_backward(da_next, dc_next, cache):
            a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters = cache
            n_a = a_next.shape[0]
            dot = da_next * np.tanh(c_next) * ot * (1 - ot)
            dc = da_next * ot * (1 - np.tanh(c_next) ** 2)
            dcct = dc * it * (1 - cct ** 2)
            dit = dc * cct * it * (1 - it)
            dft = dc * c_prev * ft * (1 - ft)
            z = np.concatenate((a_prev, xt))
            W = parameters
            dz = W["Wf"].T.dot(dft) + W["Wi"].T.dot(dit) + W["Wc"].T.dot(dcct) + W["Wo"].T.dot(dot)
            return {"dxt": dz[n_a:, :], "da_prev": dz[:n_a, :], "dc_prev": dc * ft,
                    "dWf": dft.dot(z.T), "dWi": dit.dot(z.T), "dWc": dcct.dot(z.T), "dWo": dot.dot(z.T),
                    "dbf": dft.sum(1, keepdims=True), "dbi": dit.sum(1, keepdims=True),
                    "dbc": dcct.sum(1, keepdims=True), "dbo": dot.sum(1, keepdims=True)}
        """,
    ),
    "sigmoid's slope": ByHand(
        "da-f-slope-missing",
        """
        def lstm_cell_backward(da_next, dc_next, cache):
            a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters = cache
            n_a, m = a_next.shape
            dc_total = dc_next + da_next * ot * (1 - np.tanh(c_next) ** 2)
            dgates = {
                "o": da_next * np.tanh(c_next) * ot * (1 - ot),
                "c": dc_total * it * (1 - cct ** 2),
                "i": dc_total * cct * it * (1 - it),
                "f": dc_total * c_prev,
            }
            stacked = np.concatenate((a_prev, xt), axis=0)
            gradients = {"dc_prev": dc_total * ft}
            da_prev, dxt = np.zeros_like(a_prev), np.zeros_like(xt)
            for gate, d in dgates.items():
                W = parameters["W" + gate]
                da_prev += np.dot(W[:, :n_a].T, d)
                dxt += np.dot(W[:, n_a:].T, d)
                gradients["dW" + gate] = np.dot(d, stacked.T)
                gradients["db" + gate] = np.sum(d, axis=1, keepdims=True)
            gradients.update(da_prev=da_prev, dxt=dxt)
            return gradients
        """,
    ),
    "state's slope": ByHand(
        "rnn-da-derivative-missing",
        """
        def rnn_cell_backward(da_next, cache):
            (a_next, a_prev, xt, parameters) = cache
            Wax, Waa = parameters["Wax"], parameters["Waa"]
            dtanh = da_next
            dxt = np.dot(Wax.T, dtanh)
            dWax = np.dot(dtanh, xt.T)
            da_prev = np.dot(Waa.T, dtanh)
            dWaa = np.dot(dtanh, a_prev.T)
            dba = np.sum(dtanh, axis=1, keepdims=True)
            return {"dxt": dxt, "da_prev": da_prev, "dWax": dWax, "dWaa": dWaa, "dba": dba}
        """,
    ),
    "candidate's slope": ByHand(
        "da-g-slope-missing",
        """
        def lstm_cell_backward(da_next, dc_next, cache):
            a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, p = cache
            k = len(a_prev)
            tc = np.tanh(c_next)
            common = dc_next + ot * (1 - tc * tc) * da_next
            do = da_next * tc * ot * (1 - ot)
            dg = common * it
            di = common * cct * it * (1 - it)
            df = common * c_prev * ft * (1 - ft)
            da_prev = p["Wf"][:, :k].T @ df + p["Wi"][:, :k].T @ di + p["Wc"][:, :k].T @ dg + p["Wo"][:, :k].T @ do
            dxt = p["Wf"][:, k:].T @ df + p["Wi"][:, k:].T @ di + p["Wc"][:, k:].T @ dg + p["Wo"][:, k:].T @ do
            G = {"dxt": dxt, "da_prev": da_prev, "dc_prev": common * ft}
            for n, d in (("f", df), ("i", di), ("c", dg), ("o", do)):
                G["dW" + n] = np.hstack((d @ a_prev.T, d @ xt.T))
                G["db" + n] = d.sum(axis=1, keepdims=True)
            return G
        """,
    ),
    "old state": ByHand(
        "df-wrong-cell-state",
        """
        def lstm_cell_backward(da_next, dc_next, cache):
            (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters) = cache
            n_a, m = a_next.shape
            dot = da_next * np.tanh(c_next) * ot * (1 - ot)
            dcct = (dc_next * it + ot * (1 - np.square(np.tanh(c_next))) * it * da_next) * (1 - np.square(cct))
            dit = (dc_next * cct + ot * (1 - np.square(np.tanh(c_next))) * cct * da_next) * it * (1 - it)
            dft = (dc_next * c_next + ot * (1 - np.square(np.tanh(c_next))) * c_next * da_next) * ft * (1 - ft)
            dc_prev = dc_next * ft + ot * (1 - np.square(np.tanh(c_next))) * ft * da_next
            concat = np.concatenate((a_prev, xt), axis=0)
            g = {"dc_prev": dc_prev}
            back = 0
            for name, d in zip(("f", "i", "c", "o"), (dft, dit, dcct, dot)):
                g["dW" + name] = np.dot(d, concat.T)
                g["db" + name] = np.sum(d, axis=1, keepdims=True)
                back = back + np.dot(parameters["W" + name].T, d)
            g["da_prev"], g["dxt"] = back[:n_a, :], back[n_a:, :]
            return g
        """,
    ),
    "forget gate": ByHand(
        "dc-prev-factor-missing",
        """
        def lstm_cell_backward(da_next, dc_next, cache):
            (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters) = cache
            n_a = a_next.shape[0]
            dtc = ot * (1 - np.tanh(c_next) ** 2) * da_next
            dc_prev = dc_next + dtc
            ds = [(dc_next + dtc) * c_prev * ft * (1 - ft), (dc_next + dtc) * cct * it * (1 - it),
                  (dc_next + dtc) * it * (1 - cct ** 2), da_next * np.tanh(c_next) * ot * (1 - ot)]
            concat = np.concatenate((a_prev, xt), axis=0)
            back = np.vstack([parameters[k] for k in ("Wf", "Wi", "Wc", "Wo")]).T @ np.vstack(ds)
            gradients = {"dxt": back[n_a:], "da_prev": back[:n_a], "dc_prev": dc_prev}
            gradients.update({"dW" + k: d @ concat.T for k, d in zip("fico", ds)})
            gradients.update({"db" + k: np.sum(d, axis=1, keepdims=True) for k, d in zip("fico", ds)})
            return gradients
        """,
    ),
    "new state in dWh": ByHand(
        "rnn-dwh-new-state",
        """
        def rnn_cell_backward(da_next, cache):
            (a_next, a_prev, xt, parameters) = cache
            dz = (1 - np.power(a_next, 2)) * da_next
            gradients = {}
            gradients["dxt"] = parameters["Wax"].T.dot(dz)
            gradients["dWax"] = dz.dot(xt.T)
            gradients["da_prev"] = parameters["Waa"].T.dot(dz)
            gradients["dWaa"] = dz.dot(a_next.T)
            gradients["dba"] = dz.sum(axis=1).reshape(-1, 1)
            return gradients
        """,
    ),
    "not transposed": ByHand(
        "rnn-dh-prev-wh-not-transposed",
        """
        def rnn_cell_backward(da_next, cache):
            a_next, a_prev, xt, parameters = cache
            Waa = parameters["Waa"]
            dtanh = np.multiply(da_next, 1 - np.multiply(a_next, a_next))
            da_prev = np.matmul(Waa, dtanh)
            return {
                "dxt": np.matmul(parameters["Wax"].T, dtanh), "da_prev": da_prev,
                "dWax": np.matmul(dtanh, xt.T), "dWaa": np.matmul(dtanh, a_prev.T),
                "dba": np.sum(dtanh, 1, keepdims=True),
            }
        """,
    ),
    "bias over the batch": ByHand(
        "rnn-db-mean-over-rows",
        """
        def rnn_cell_backward(da_next, cache):
            (a_next, a_prev, xt, parameters) = cache
            m = xt.shape[1]
            dtanh = (1 - a_next ** 2) * da_next
            dba = 1 / m * np.sum(dtanh, axis=1, keepdims=True)
            return {"dxt": np.dot(parameters["Wax"].T, dtanh), "da_prev": np.dot(parameters["Waa"].T, dtanh),
                    "dWax": np.dot(dtanh, xt.T), "dWaa": np.dot(dtanh, a_prev.T), "dba": dba}
        """,
    ),
    "not accumulated": ByHand(
        "weights-overwritten-over-time",
        """
        def lstm_backward(da, caches):
            (caches, x) = caches
            n_a, m, T_x = da.shape
            n_x = x.shape[0]
            p = caches[0][9]
            dx, da_prevt, dc_prevt = np.zeros(x.shape), np.zeros((n_a, m)), np.zeros((n_a, m))
            dWf, dWi, dWc, dWo = [np.zeros(p[w].shape) for w in ("Wf", "Wi", "Wc", "Wo")]
            dbf, dbi, dbc, dbo = [np.zeros(p[w].shape) for w in ("bf", "bi", "bc", "bo")]
            for t in reversed(range(T_x)):
                grads = lstm_cell_backward(da[:, :, t] + da_prevt, dc_prevt, caches[t])
                da_prevt, dc_prevt, dx[:, :, t] = grads["da_prev"], grads["dc_prev"], grads["dxt"]
                dWf, dWi, dWc, dWo = grads["dWf"], grads["dWi"], grads["dWc"], grads["dWo"]
                dbf = dbf + grads["dbf"]
                dbi = dbi + grads["dbi"]
                dbc = dbc + grads["dbc"]
                dbo = dbo + grads["dbo"]
            return {"dx": dx, "da0": da_prevt, "dWf": dWf, "dbf": dbf, "dWi": dWi, "dbi": dbi,
                    "dWc": dWc, "dbc": dbc, "dWo": dWo, "dbo": dbo}
        """,
        place="grads",
    ),
    "clipped": ByHand(
        "recurrent-gradients-clipped-to-5",
        """
        def rnn_backward(da, caches):
            (caches, x) = caches
            n_a, m, T_x = da.shape
            dx, da_prevt = np.zeros((x.shape[0], m, T_x)), np.zeros((n_a, m))
            dWax, dWaa, dba = np.zeros((n_a, x.shape[0])), np.zeros((n_a, n_a)), np.zeros((n_a, 1))
            for t in reversed(range(T_x)):
                gradients = rnn_cell_backward(da[:, :, t] + da_prevt, caches[t])
                dx[:, :, t] = gradients["dxt"]
                da_prevt = gradients["da_prev"]
                dWax += gradients["dWax"]
                dWaa += gradients["dWaa"]
                dba += gradients["dba"]
            dWax, dWaa, dba = [np.minimum(np.maximum(g, -5), 5) for g in (dWax, dWaa, dba)]
            return {"dx": dx, "da0": da_prevt, "dWax": dWax, "dWaa": dWaa, "dba": dba}
        """,
        place="grads",
    ),
    "truncated": ByHand(
        "loop-truncated-after-one-step",
        """
        def lstm_backward(da, caches):
            (caches, x) = caches
            n_a, m, T_x = da.shape
            dx = np.zeros(x.shape)
            da_prevt, dc_prevt = np.zeros((n_a, m)), np.zeros((n_a, m))
            names = ["dWf", "dWi", "dWc", "dWo", "dbf", "dbi", "dbc", "dbo"]
            sums = {name: np.zeros_like(caches[0][-1][name[1:]]) for name in names}
            for t in reversed(range(T_x - 1, T_x)):
                g = lstm_cell_backward(da[:, :, t] + da_prevt, dc_prevt, caches[t])
                dx[:, :, t], da_prevt, dc_prevt = g["dxt"], g["da_prev"], g["dc_prev"]
                for name in names:
                    sums[name] += g[name]
            return {"dx": dx, "da0": da_prevt, **sums}
        """,
    ),
    "index -1": ByHand(
        "recurrent-initial-state-ignored recurrent-state-read-from-outputs recurrent-old-state-wraps-round",
        """
        def rnn_forward(x, a0, parameters):
            caches = []
            n_x, m, T_x = x.shape
            n_y, n_a = parameters["Wya"].shape
            a = np.zeros((n_a, m, T_x))
            y_pred = np.zeros((n_y, m, T_x))
            for t in range(T_x):
                a[:, :, t], y_pred[:, :, t], cache = rnn_cell_forward(x[:, :, t], a[:, :, t - 1], parameters)
                caches.append(cache)
            return a, y_pred, (caches, x)
        """,
        place="h_prev",
    ),
    "mask": "the course has no padding",
    "mean of the loss": "the course hands out the loss",
    "embedding": "the course hands out the embedding",
    "reverse direction": "the course asks for one direction",
}
