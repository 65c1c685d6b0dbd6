import numpy as np


def softmax(x):
    e = np.exp(x - np.max(x))
    return e / e.sum(axis=0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def rnn_cell_forward(xt, a_prev, parameters):
    Wax, Waa, Wya = parameters["Wax"], parameters["Waa"], parameters["Wya"]
    ba, by = parameters["ba"], parameters["by"]
    a_next = np.tanh(np.dot(Waa, a_prev) + np.dot(Wax, xt) + ba)
    yt_pred = softmax(np.dot(Wya, a_next) + by)
    return a_next, yt_pred, (a_next, a_prev, xt, parameters)


def rnn_forward(x, a0, parameters):
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wya"].shape
    a, y_pred, a_next = np.zeros((n_a, m, T_x)), np.zeros((n_y, m, T_x)), a0
    for t in range(T_x):
        a_next, yt_pred, cache = rnn_cell_forward(x[:, :, t], a_next, parameters)
        a[:, :, t], y_pred[:, :, t] = a_next, yt_pred
        caches.append(cache)
    return a, y_pred, (caches, x)


def rnn_cell_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    dtanh = (1 - a_next**2) * da_next
    return {
        "dxt": parameters["Wax"].T @ dtanh,
        "da_prev": parameters["Waa"].T @ dtanh,
        "dWax": dtanh @ xt.T,
        "dWaa": dtanh @ a_prev.T,
        "dba": dtanh.sum(axis=1, keepdims=True),
    }


def rnn_backward(da, caches):
    caches, x = caches
    _, a0, _, parameters = caches[0]
    sums = {"d" + name: np.zeros_like(parameters[name]) for name in ("Wax", "Waa", "ba")}
    dx, carry = np.zeros(x.shape), np.zeros_like(a0)
    for t in reversed(range(x.shape[2])):
        gradients = rnn_cell_backward(da[:, :, t] + carry, caches[t])
        dx[:, :, t], carry = gradients["dxt"], gradients["da_prev"]
        for name in sums:
            sums[name] += gradients[name]
    return {"dx": dx, "da0": carry, **sums}


def lstm_cell_forward(xt, a_prev, c_prev, parameters):
    concat = np.concatenate((a_prev, xt), axis=0)
    ft = sigmoid(parameters["Wf"] @ concat + parameters["bf"])
    it = sigmoid(parameters["Wi"] @ concat + parameters["bi"])
    cct = np.tanh(parameters["Wc"] @ concat + parameters["bc"])
    c_next = ft * c_prev + it * cct
    ot = sigmoid(parameters["Wo"] @ concat + parameters["bo"])
    a_next = ot * np.tanh(c_next)
    yt_pred = softmax(parameters["Wy"] @ a_next + parameters["by"])
    return a_next, c_next, yt_pred, (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters)


def lstm_forward(x, a0, parameters):
    caches = []
    n_x, m, T_x = x.shape
    n_y, n_a = parameters["Wy"].shape
    a, c, y = np.zeros((n_a, m, T_x)), np.zeros((n_a, m, T_x)), np.zeros((n_y, m, T_x))
    a_next, c_next = a0, np.zeros((n_a, m))
    for t in range(T_x):
        a_next, c_next, yt, cache = lstm_cell_forward(x[:, :, t], a_next, c_next, parameters)
        a[:, :, t], c[:, :, t], y[:, :, t] = a_next, c_next, yt
        caches.append(cache)
    return a, y, c, (caches, x)


def lstm_cell_backward(da_next, dc_next, cache):
    a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters = cache
    tanh_c = np.tanh(c_next)
    dc = dc_next + da_next * ot * (1 - tanh_c**2)
    slopes = {
        "f": dc * c_prev * ft * (1 - ft),
        "i": dc * cct * it * (1 - it),
        "c": dc * it * (1 - cct**2),
        "o": da_next * tanh_c * ot * (1 - ot),
    }
    concat = np.concatenate((a_prev, xt), axis=0)
    dconcat = sum(parameters["W" + k].T @ d for k, d in slopes.items())
    gradients = {"dxt": dconcat[len(a_prev) :], "da_prev": dconcat[: len(a_prev)], "dc_prev": dc * ft}
    for k, d in slopes.items():
        gradients["dW" + k] = d @ concat.T
        gradients["db" + k] = d.sum(axis=1, keepdims=True)
    return gradients


def lstm_backward(da, caches):
    caches, x = caches
    parameters = caches[0][-1]
    sums = {"d" + w + k: np.zeros_like(parameters[w + k]) for w in "Wb" for k in "fico"}
    dx, carry, carry_c = np.zeros(x.shape), np.zeros_like(da[:, :, 0]), np.zeros_like(da[:, :, 0])
    for t in reversed(range(x.shape[2])):
        gradients = lstm_cell_backward(da[:, :, t] + carry, carry_c, caches[t])
        dx[:, :, t], carry, carry_c = gradients["dxt"], gradients["da_prev"], gradients["dc_prev"]
        for name in sums:
            sums[name] += gradients[name]
    return {"dx": dx, "da0": carry, **sums}
