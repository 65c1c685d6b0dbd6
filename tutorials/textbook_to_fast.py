# %% [markdown]
r"""
# From textbook to fast

When you are through you will be able to

- make a loop over equations fast in NumPy alone, in seven steps, and say of each what it saves: calls, memory, or
  waiting;
- hold each step equal to the one before, in float64, so that fast never means wrong;
- count what a program does, and tell what is counted (the same everywhere) from what is timed (your machine's).

You need an LSTM's forward and backward pass (*One cell*, *Backpropagation through time*) and padding (*Mini-batches*,
section 2). Reading takes some 30 minutes, the exercises some 10. Questions (**Q1**, ...) are answered further down
(**A1**, ...). A notebook comes with its outputs: to answer before you see them, clear them (in Jupyter: *Edit, Clear
Outputs of All Cells*).
"""

# %%
import subprocess
import sys
from glob import glob
from importlib.util import find_spec

if find_spec("npbilstm") is None:  # in a hosted notebook: its folder or its sdist, beside this notebook, is installed
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "matplotlib", *glob("./npbilstm*")], check=True)

# %%
import os

for library in ("OPENBLAS", "MKL", "OMP", "VECLIB"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")  # products in one thread, so that times compare

# %%
from collections import Counter
from functools import partial
from itertools import pairwise
from time import process_time
from typing import NamedTuple

import numpy as np

import npbilstm as nb
from npbilstm.textbook import LSTMParams, lstm_backward, lstm_forward

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "0.55"

# %% [markdown]
r"""
## 1. One job, three measures

The job is a training step of one LSTM: forward through a padded batch, then backward. The loss is $\sum dy \odot y$,
so `dy` comes from above. We climb a ladder from a slow program to a fast one. Each of its eight *rungs* is a
whole program that does this job, and has to give what the textbook gives: `y`, `dx` and the gradients of the three
weights.
"""

# %%
N, T, D, H = 32, 60, 32, 64
rng = np.random.default_rng(0)
lengths = rng.integers(30, T + 1, N)
lengths[0] = T
real = np.arange(T) < lengths[:, None]  # (N, T)
x = np.where(real[:, :, None], rng.standard_normal((N, T, D)), 0)
dy = rng.standard_normal((N, T, H))
params = LSTMParams(*(0.2 * rng.standard_normal(shape) for shape in [(D, 4 * H), (H, 4 * H), 4 * H]))


def textbook(x, dy, lengths, params):
    """-> y (N, T, H), dx (N, T, D), gradients as params."""
    zero = np.zeros((len(x), len(params.Wh)), x.dtype)
    y, _, _, cache = lstm_forward(x, zero, zero, params, lengths)
    dx, _, _, grads = lstm_backward(dy, zero, zero, cache)
    return y, dx, grads


def flat(answer):
    """y, dx, dWx, dWh, db."""
    y, dx, grads = answer
    return [np.asarray(part) for part in (y, dx, *grads)]


wanted = flat(textbook(x, dy, lengths, params))
print(f"{lengths.sum()} of {N * T} steps are real, the others padding")

# %% [markdown]
r"""
Three things are measured of each rung:

- **is it right?** the largest difference from the textbook, in float64;
- **what does it do?** calls of NumPy that compute something, products of matrices among them, and how many operations
  these products have: an $(N, K)$ by a $(K, M)$ makes $NM$ numbers of $K$ multiplications and $K$ additions each;
- **how long does it take?** seconds of the processor, so that other programs do not count, in one thread and in
  float32, in which one trains.

Counts are the same on every machine, so they are asserted below. Seconds are your machine's own, and only shown.

NumPy lets an array say what is to happen when somebody computes with it. This one counts, and passes the work on. (You
can skip how: it has nothing to do with LSTMs.)
"""

# %%
count = Counter()


class Counted(np.ndarray):
    """An array that counts the calls it takes part in."""

    def __array_ufunc__(self, ufunc, method, *inputs, out=(), **others):
        if out:
            others["out"] = tuple(map(plain, out))
        result = getattr(ufunc, method)(*map(plain, inputs), **others)
        count["calls"] += 1
        if ufunc is np.matmul:
            count["products"] += 1
            count["operations"] += 2 * inputs[0].shape[-1] * result.size
        return out[0] if out else result.view(Counted) if isinstance(result, np.ndarray) else result

    def __array_function__(self, function, types, args, kwargs):
        if function is not np.where:  # what only makes arrays, or looks at them, is not counted
            return super().__array_function__(function, types, args, kwargs)
        count["calls"] += 1
        return np.where(*map(plain, args)).view(Counted)


def plain(a):
    """The same without counting."""
    return a.view(np.ndarray) if isinstance(a, Counted) else a


# %%
seconds, counts = {}, {}


def measure(name, rung):
    """Hold a rung equal to the textbook, count what it does, time it."""
    for mine, theirs in zip(flat(rung(x, dy, lengths, params)), wanted):
        assert np.abs(mine - theirs).max() < 1e-12 * np.abs(theirs).max()
    count.clear()
    rung(x.view(Counted), dy.view(Counted), lengths, LSTMParams(*(p.view(Counted) for p in params)))
    counts[name] = dict(count)
    single = (x.astype("f4"), dy.astype("f4"), lengths, LSTMParams(*(p.astype("f4") for p in params)))
    seconds[name] = best_time(lambda: rung(*single))
    calls, products, operations = (counts[name][what] for what in ("calls", "products", "operations"))
    print(f"{name}: equal to the textbook")
    print(f"    {calls} calls, {products} of them products, of {operations / 1e6:.0f} million operations")
    print(f"    {seconds[name]:.1e} s")


def best_time(work, at_least=0.1):
    """Seconds of a run, the best of three means: what disturbs a run only makes it longer."""
    work()  # the first warms up
    means = []
    for _ in range(3):
        runs, start = 0, process_time()
        while process_time() - start < at_least:
            work()
            runs += 1
        means.append((process_time() - start) / runs)
    return min(means)


# %% [markdown]
r"""
## 2. Rung 1: row by row, gate by gate

As a person writes it from the equations: every gate has matrices of its own, and so `four(params)` cuts them out. What
goes into the gates, and what comes back from them, are functions of their own, since they are the first to change.
`recurrent` is the rest of the LSTM: you know each line, the masks too.
"""


# %%
def four(params):
    """Of each gate i, f, g, o its Wx (D, H), Wh (H, H) and b (H,)."""
    return [[part[..., k * H : (k + 1) * H] for part in params] for k in range(4)]


def gates_apart(x, h, params):
    """-> the pre-activations of i, f, g, o, each (N, H)."""
    return [x @ Wx + h @ Wh + b for Wx, Wh, b in four(params)]


def gates_apart_back(da, x, h, params, grads):
    """da: those of i, f, g, o. -> dx, dh; what the weights get is added to grads."""
    dx = dh = 0
    for d, (Wx, Wh, _), (dWx, dWh, db) in zip(da, four(params), four(grads)):
        dx, dh = dx + d @ Wx.T, dh + d @ Wh.T
        dWx += x.T @ d
        dWh += h.T @ d
        db += d.sum(axis=0)
    return dx, dh


def sigmoid(a):
    """Four calls."""
    return 1 / (1 + np.exp(-a))


def recurrent(x, dy, lengths, params, gates, gates_back):
    """A training step with these two functions -> y, dx, grads."""
    T, real = x.shape[1], np.arange(x.shape[1]) < lengths[:, None]
    h = c = np.zeros_like(dy[:, 0])
    y, dx, grads, kept = np.zeros_like(dy), np.zeros_like(x), LSTMParams(*map(np.zeros_like, params)), []
    for t in range(T):
        a_i, a_f, a_g, a_o = gates(x[:, t], h, params)
        i, f, g, o = sigmoid(a_i), sigmoid(a_f), np.tanh(a_g), sigmoid(a_o)
        c_new = f * c + i * g
        tanh_c = np.tanh(c_new)
        kept.append((h, c, i, f, g, o, tanh_c))
        v = real[:, t, None]
        y[:, t] = np.where(v, o * tanh_c, 0)
        h, c = np.where(v, o * tanh_c, h), np.where(v, c_new, c)  # padding holds the state
    dh = dc = np.zeros_like(dy[:, 0])
    for t in reversed(range(T)):
        h, c, i, f, g, o, tanh_c = kept[t]  # h and c are those before the step
        v = real[:, t, None]
        dh_t, dc_t = np.where(v, dy[:, t] + dh, 0), np.where(v, dc, 0)
        dc_t = dc_t + dh_t * o * (1 - tanh_c * tanh_c)
        da = (dc_t * g * i * (1 - i), dc_t * c * f * (1 - f), dc_t * i * (1 - g * g), dh_t * tanh_c * o * (1 - o))
        dx[:, t], dh_prev = gates_back(da, x[:, t], h, params, grads)
        dh, dc = np.where(v, dh_prev, dh), np.where(v, dc_t * f, dc)
    return y, dx, grads


# %% [markdown]
r"""
The first rung gives it one row after the other, without their padding, and adds up what the weights get:
"""


# %%
def row_by_row(x, dy, lengths, params):
    """Rung 1."""
    y, dx, grads = np.zeros_like(dy), np.zeros_like(x), [0, 0, 0]
    for n, length in enumerate(lengths):
        row = (x[n : n + 1, :length], dy[n : n + 1, :length], lengths[n : n + 1], params)
        y[n, :length], dx[n, :length], of_row = recurrent(*row, gates_apart, gates_apart_back)
        grads = [total + part for total, part in zip(grads, of_row)]
    return y, dx, LSTMParams(*grads)


measure("1 row by row", row_by_row)

# %% [markdown]
r"""
**Q1.** How many products has one step of one row, forward and backward? And what is wasted when a product has a
single row?
"""

# %%
a_step = 4 * (2 + 2 + 2)  # for each gate: x Wx, h Wh; da Wx^T, da Wh^T; x^T da, h^T da
assert counts["1 row by row"]["products"] == a_step * lengths.sum()
operations = a_step // 2 * 2 * (D + H) * H * lengths.sum()  # half of the products have Wx (D, H), half Wh (H, H)
assert counts["1 row by row"]["operations"] == operations

# %% [markdown]
r"""
**A1.** 24: two for each gate forward, four backward. Every call of NumPy costs about a microsecond before it computes
anything, and most of what a row needs is computed in less than that. And each number of a matrix is fetched, used for
one row, and dropped.

## 3. Rung 2: a batch

The rows do not see one another. So the same code takes all of them at once; nothing else changes.
"""


# %%
def batch(x, dy, lengths, params):
    """Rung 2."""
    return recurrent(x, dy, lengths, params, gates_apart, gates_apart_back)


measure("2 a batch", batch)
assert counts["2 a batch"]["products"] == a_step * T
assert np.isclose(counts["2 a batch"]["operations"] / operations, N * T / lengths.sum())

# %% [markdown]
r"""
It does *more* arithmetic than rung 1, for it computes the padding too, and takes a small part of the time. There are
fewer calls, and each number of a matrix is used for $N$ rows once it has been fetched.

## 4. Rung 3: gates side by side

All four gates read the same $x$ and $h$, so their matrices may stand side by side, as `params` has them anyway:
$W_x$ is $(D, 4H)$. One product serves four gates.
"""


# %%
def side_by_side(x, h, params):
    """As gates_apart, with one product for all gates."""
    a = x @ params.Wx + h @ params.Wh + params.b  # (N, 4H)
    return [a[:, k * H : (k + 1) * H] for k in range(4)]


def side_by_side_back(da, x, h, params, grads):
    """As gates_apart_back, likewise."""
    da = np.concatenate(da, axis=1)  # (N, 4H)
    for total, part in zip(grads, (x.T @ da, h.T @ da, da.sum(axis=0))):
        total += part
    return da @ params.Wx.T, da @ params.Wh.T


def gates_together(x, dy, lengths, params):
    """Rung 3."""
    return recurrent(x, dy, lengths, params, side_by_side, side_by_side_back)


measure("3 gates side by side", gates_together)
assert counts["3 gates side by side"]["products"] == 6 * T
assert counts["3 gates side by side"]["operations"] == counts["2 a batch"]["operations"]

# %% [markdown]
r"""
The number of operations is exactly the same. This is the textbook's own form, and where most people stop.

## 5. Rung 4: one product, one tanh

$x W_x + h W_h + b$ is one product, too: of $[h\ 1\ x]$ and the three weights one above the other. Backward the same
matrix gives all at once: $dz = da\, W^T$ holds $dh$ and $dx$ side by side, and $dW = z^T da$ holds $dW_h$, $db$ and
$dW_x$ one above the other. The 1 is the bias's input.

And there are three sigmoids of four calls each. But a sigmoid is a tanh, scaled and shifted:
$\sigma(a) = \frac{1}{2} + \frac{1}{2} \tanh \frac{a}{2}$.

### Your turn: a single tanh

Let the gates stand in the order $o, i, f, g$, the three sigmoids first. **Change `W` once, before the pass, so that**
$\tanh(z W)$, **of all columns in one call, is what each gate needs**; to $o, i, f$ the $\frac{1}{2} + \frac{1}{2}
\ldots$ is applied afterwards. What stands here changes nothing yet.
"""


# %%
def check_halves(change):
    """Whether all gates come out right, in a sentence."""
    rng = np.random.default_rng(1)
    z, W = rng.standard_normal((5, 7)), rng.standard_normal((7, 12))
    got, a = np.tanh(z @ change(W.copy())), z @ W
    if got.shape != (5, 12):
        return f"not yet: tanh(z W) has the shape {got.shape}; it needs that of z times the given W, {a.shape}"
    wrong = [] if np.allclose(0.5 + 0.5 * got[:, :9], sigmoid(a[:, :9])) else ["o, i, f"]
    wrong += [] if np.allclose(got[:, 9:], np.tanh(a[:, 9:])) else ["g"]
    return f"not yet: {' and '.join(wrong)} are not what they should be" if wrong else "every gate is right"


def my_halves(W):
    """W (K, 4H), columns o, i, f, g -> the same, changed; H is W.shape[1] // 4."""
    return W


print(check_halves(my_halves))

# %% [markdown]
r"""
<details><summary>The answer</summary>

The pre-activations of $o, i, f$ have to be halved, and halving the columns of `W` does it, the bias's row too:
`W * np.repeat([0.5, 0.5, 0.5, 1], W.shape[1] // 4)`. Halving is exact in binary: no digit is lost.
</details>

### The pass with it

`Z` has a row $[h\ 1\ x]$ of every step: a step writes its $h$ straight into the row that the
next one multiplies, and nobody copies it. The third argument of `np.tanh(a, a, ...)`, `np.multiply(o, tanh_c, h)` is
where the result goes, so that steps make no new arrays. (`masks`, `keep` and `product` are for later rungs.)
"""


# %%
class Kept(NamedTuple):
    """What the backward pass has. Z (T+1, N, K) = [h 1 x]; gates (T, N, 4H), o, i, f, g; c[t] is c before step t."""

    x: np.ndarray
    real: np.ndarray
    gates: np.ndarray
    c: np.ndarray
    Z: np.ndarray | None
    tanh_c: np.ndarray | None


def one_matrix(params):
    """(K, 4H), K = H + 1 + D: Wh, b, Wx one above the other, columns o, i, f, g."""
    W = np.concatenate([params.Wh, params.b[None], params.Wx])
    return np.concatenate([W[:, 3 * H :], W[:, : 3 * H]], axis=1)


def parts(dW):
    """And back: the gradients by their names, columns i, f, g, o."""
    dW = np.concatenate([dW[:, H:], dW[:, :H]], axis=1)
    return LSTMParams(dW[H + 1 :], dW[:H], dW[H])


def halves(W):
    """The answer: one tanh serves all gates."""
    return W * np.repeat(np.array([0.5, 0.5, 0.5, 1], W.dtype), H)


def whole(W):
    """What makes a = z W, with W as it is."""
    return lambda z, a: np.matmul(z, W, a)


def forward(x, lengths, W, product=whole, masks=True, keep=True):
    """-> y (N, T, H), Kept."""
    (N, T, _), real = x.shape, np.arange(x.shape[1]) < lengths[:, None]
    shapes = [(N, T, H), (T, N, 4 * H), (T + 1, N, H), (T + 1 if keep else 2, N, len(W)), (T if keep else 1, N, H)]
    y, gates, c, Z, tanh_c = (np.empty_like(x, shape=shape) for shape in shapes)
    Z[0, :, :H], Z[:, :, H], c[0] = 0, 1, 0
    multiply_by_W = product(halves(W))
    for t in range(T):
        z, h, tanh_c_t = Z[t % len(Z)], Z[(t + 1) % len(Z), :, :H], tanh_c[t % len(tanh_c)]
        a, c_t = gates[t], c[t + 1]
        z[:, H + 1 :] = x[:, t]
        multiply_by_W(z, a)
        np.tanh(a, a)
        sigmoids = a[:, : 3 * H]
        np.multiply(sigmoids, 0.5, sigmoids)
        np.add(sigmoids, 0.5, sigmoids)
        o, i, f, g = (a[:, k * H : (k + 1) * H] for k in range(4))
        np.multiply(i, g, tanh_c_t)  # for now only a place
        np.multiply(f, c[t], c_t)
        np.add(c_t, tanh_c_t, c_t)
        np.tanh(c_t, tanh_c_t)
        np.multiply(o, tanh_c_t, h)
        y[:, t] = h
        if masks:
            v = real[:, t, None]
            h[...], c_t[...] = np.where(v, h, z[:, :H]), np.where(v, c_t, c[t])
    y[~real] = 0
    return y, Kept(x, real, gates, c, Z if keep else None, tanh_c if keep else None)


# %% [markdown]
r"""
Backward, the equations are those of rung 1; the products are two.
"""


# %%
def backward_by_steps(dy, kept, W):
    """-> dx, grads."""
    T, dW, dx = dy.shape[1], np.zeros_like(W), np.empty_like(kept.x)
    dh = dc = np.zeros_like(dy[:, 0])
    da = np.empty_like(kept.gates[0])
    for t in reversed(range(T)):
        o, i, f, g = (kept.gates[t, :, k * H : (k + 1) * H] for k in range(4))
        v, c, tanh_c = kept.real[:, t, None], kept.c[t], kept.tanh_c[t]
        dh_t, dc_t = np.where(v, dy[:, t] + dh, 0), np.where(v, dc, 0)
        dc_t = dc_t + dh_t * o * (1 - tanh_c * tanh_c)
        da[:, :H] = dh_t * tanh_c * o * (1 - o)
        da[:, H : 2 * H] = dc_t * g * i * (1 - i)
        da[:, 2 * H : 3 * H] = dc_t * c * f * (1 - f)
        da[:, 3 * H :] = dc_t * i * (1 - g * g)
        dW += kept.Z[t].T @ da
        dz = da @ W.T  # (N, K): dh, of the 1, dx
        dx[:, t] = dz[:, H + 1 :]
        dh, dc = np.where(v, dz[:, :H], dh), np.where(v, dc_t * f, dc)
    return dx, parts(dW)


def one_product(x, dy, lengths, params):
    """Rung 4."""
    W = one_matrix(params)
    y, kept = forward(x, lengths, W)
    return y, *backward_by_steps(dy, kept, W)


measure("4 one product, one tanh", one_product)
assert counts["4 one product, one tanh"]["products"] == 3 * T
saved = counts["3 gates side by side"]["calls"] - counts["4 one product, one tanh"]["calls"]
print(f"{saved / T:.0f} calls a step less")

# %% [markdown]
r"""
## 6. Rung 5: weights in tiles, or not

A library for products of matrices, *BLAS*, first copies ("packs") both of them into an order that suits the processor,
then multiplies. For one large product the copy is cheap. Here the same `W` is multiplied at every step, and packed at
every step. Some libraries leave the packing out where a product is small enough. So cut the columns of `W` into tiles:
each a matrix of its own, contiguous in memory, and one call multiplies by all of them.

**Q2.** Is it the same sum, in the same order? Look at one number of the result.
"""


# %%
def in_tiles(W, w=64):
    """W (K, M) as (M/w, K, w); each tile's result has its place among the columns of a."""
    tiles = W.reshape(len(W), -1, w).swapaxes(0, 1).copy()
    return lambda z, a: np.matmul(z, tiles, a.reshape(len(a), -1, w).swapaxes(0, 1))


z, W, a, b = (rng.standard_normal(shape).astype("f4") for shape in [(32, 257), (257, 512), (32, 512), (32, 512)])
widths, of_product = [512, 256, 128, 64, 32], []
whole(W)(z, a)
for w in widths:
    multiply_by_W = in_tiles(W, w)
    multiply_by_W(z, b)
    assert np.allclose(a, b, rtol=0, atol=1e-3)  # float32; each number is a sum of 257
    of_product.append(best_time(partial(multiply_by_W, z, b)))

fig, ax = plt.subplots(figsize=(7, 2.6), layout="constrained")
bars = ax.barh([str(w) for w in widths], [1e6 * s for s in of_product], color=[GREY, *[BLUE] * 4])
ax.bar_label(bars, fmt=" %.0f")
ax.invert_yaxis()
ax.set(title="A product (32, 257) (257, 512), on this machine", xlabel="microseconds", ylabel="columns of a tile")
ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
r"""
**A2.** It is the same sum of $K$ terms: cutting columns cuts no sum. (A library may add them in any order, so the
last digits may differ.)

Where the bars get shorter downwards, your library packs large products and not small ones. Where they do not, it packs
always or never, and the rung gains nothing: then leave `W` whole. That is not a failure but a measurement. The package
asks NumPy which library it has ([tiles.py](../npbilstm/engine/tiles.py)).

(The transposed $W_h$, through which $dh$ comes back, has $H = 64$ columns, which is one tile.)
"""


# %%
def tiled(x, dy, lengths, params):
    """Rung 5."""
    W = one_matrix(params)
    y, kept = forward(x, lengths, W, product=in_tiles)
    return y, *backward_by_steps(dy, kept, W)


measure("5 weights in tiles", tiled)
assert counts["5 weights in tiles"] == counts["4 one product, one tanh"]

# %% [markdown]
r"""
## 7. Rung 6: what need not wait leaves the loop

Backward, what has to wait for the step after it? Only $dh$ and $dc$. Every $da$ is one of these two times a factor that
is known after the forward pass:

$$da_o = F_o\, dh \qquad da_i = F_i\, dc \qquad da_f = F_f\, dc \qquad da_g = F_g\, dc \qquad dc \mathrel{+}= F_c\, dh$$

So the factors of many steps are made at once, before the loop. And nobody waits for $dW$ and $dx$: with the $da$ of
many steps one below the other, $dW = Z^T da$ and $dx = da\, W_x^T$ are one product each, after the loop.

**Q3.** Why of a *block* of some 16 steps, and not of the whole sequence?
"""

# %%
STEPS = 16


def factors(gates, c, tanh_c):
    """Of n steps: F (n, N, 4H) of o, i, f, g, and F_c (n, N, H)."""
    o, i, _, g = (gates[..., k * H : (k + 1) * H] for k in range(4))
    F = np.empty_like(gates)
    sigmoids = gates[..., : 3 * H]
    np.multiply(sigmoids, 1 - sigmoids, F[..., : 3 * H])  # s (1 - s), three gates in one call
    for k, other in enumerate((tanh_c, g, c)):
        F[..., k * H : (k + 1) * H] *= other
    np.multiply(i, 1 - g * g, F[..., 3 * H :])
    return F, o * (1 - tanh_c * tanh_c)


def kept_of_block(kept, block):
    """-> Z (n, N, K) and tanh_c (n, N, H) of these steps."""
    return kept.Z[block], kept.tanh_c[block]


def backward_by_blocks(dy, kept, W, masks=True, of_block=kept_of_block):
    """-> dx, grads."""
    (N, T, _), dW, dx = dy.shape, np.zeros_like(W), np.empty_like(kept.x)
    dh, dc = np.zeros_like(dy[:, 0]), np.zeros_like(dy[:, 0])
    dy = np.where(kept.real[:, :, None], dy, 0).swapaxes(0, 1)  # (T, N, H)
    WhT, WxT = W[:H].T.copy(), W[H + 1 :].T.copy()
    for start in reversed(range(0, T, STEPS)):
        block = slice(start, min(start + STEPS, T))
        gates, (Z, tanh_c) = kept.gates[block], of_block(kept, block)
        F, F_c = factors(gates, kept.c[block], tanh_c)
        da = np.empty_like(F)
        for t in reversed(range(len(da))):
            v = kept.real[:, start + t, None]
            dh_t, dc_t = dh + dy[start + t], dc
            if masks:
                dh_t, dc_t = np.where(v, dh_t, 0), np.where(v, dc_t, 0)
            dc_t = dc_t + F_c[t] * dh_t
            np.multiply(F[t, :, :H], dh_t, da[t, :, :H])
            i_f_g = (N, 3, H)
            np.multiply(F[t, :, H:].reshape(i_f_g), dc_t[:, None], da[t, :, H:].reshape(i_f_g))
            dh_prev, dc_prev = da[t] @ WhT, dc_t * gates[t, :, 2 * H : 3 * H]
            dh, dc = (np.where(v, dh_prev, dh), np.where(v, dc_prev, dc)) if masks else (dh_prev, dc_prev)
        rows = da.reshape(-1, 4 * H)  # the rows of all steps, one below the other
        dW += Z.reshape(len(rows), -1).T @ rows
        dx[:, block] = (rows @ WxT).reshape(-1, N, D).swapaxes(0, 1)
    return dx, parts(dW)


def in_blocks(x, dy, lengths, params):
    """Rung 6."""
    W = one_matrix(params)
    y, kept = forward(x, lengths, W, product=in_tiles)
    return y, *backward_by_blocks(dy, kept, W)


measure("6 in blocks", in_blocks)
num_blocks = -(-T // STEPS)
assert counts["6 in blocks"]["products"] == T + T + 2 * num_blocks
# the row of W that the bias has sends nothing back, so its part of dz is no longer computed
assert counts["5 weights in tiles"]["operations"] - counts["6 in blocks"]["operations"] == 2 * T * N * 4 * H

# %% [markdown]
r"""
**A3.** The numbers of a block are still in the processor's cache when they are used for the second time; those of a
long sequence would have gone to memory and have to be fetched. A block of the whole sequence also needs memory for all
of its $F$ and $da$.

## 8. Rung 7: no masks

The masks hold a state through the padding, with `np.where`: two of each step forward, four backward. Compute the padded
steps like all others instead, and set `y` to 0 there at the end.

**Q4.** Forward, why can what is computed in the padding do no harm? And backward, why is every $da$ in the padding 0
without a mask?
"""


# %%
def no_masks(x, dy, lengths, params):
    """Rung 7."""
    W = one_matrix(params)
    y, kept = forward(x, lengths, W, product=in_tiles, masks=False)
    return y, *backward_by_blocks(dy, kept, W, masks=False)


measure("7 no masks", no_masks)
assert counts["6 in blocks"]["calls"] - counts["7 no masks"]["calls"] == 6 * T

# %% [markdown]
r"""
**A4.** A row's padding comes after its real steps, and nothing real reads what comes later. Backward one begins in the
padding with $dh = dc = 0$, and $dy$ is 0 there (one `np.where` for the whole array); factors times 0 are 0, up to the
row's last real step.

That needs two things. The padding must hold finite numbers: $0 \cdot \mathrm{NaN}$ is NaN. And it must come *last* in
the order of reading; the reverse direction of a bidirectional layer therefore reads each row from its own end. Who
wants final states takes each row's from its last real step.

## 9. Rung 8: what is cheap is made again

Of a step, seven numbers of each unit have been kept: $o, i, f, g, c$, and $\tanh c$ and $h$ (in `Z`). The last two
can be made from the others, for a whole block in a few calls (*recomputation*). That costs arithmetic, and saves
writing them to memory and reading them again.

### Your turn: h, made again

From `gates` $(T, N, 4H)$, columns $o, i, f, g$, and `c` $(T+1, N, H)$, where `c[t]` is the cell *before* step `t`,
**make the hidden states before each step**, $(T, N, H)$; before step 0 it is 0. What stands here is what people write
first. Mend it.
"""


# %%
def check_h(h_before):
    """Whether it is the h that the forward pass had, in a sentence."""
    _, kept = forward(x, np.full(N, T), one_matrix(params), masks=False)
    got = np.asarray(h_before(kept.gates.copy(), kept.c.copy()))
    wanted = kept.Z[:T, :, :H]
    if got.shape != wanted.shape:
        return f"not yet: it has the shape {got.shape}; it needs (T, N, H) = {wanted.shape}"
    wrong = [t for t in range(T) if not np.allclose(got[t], wanted[t])]
    return f"not yet: h before step {wrong[0]} is wrong. Which step's o made it?" if wrong else "every h is right"


def my_h_before(gates, c):
    """h before each step, (T, N, H)."""
    o = gates[:, :, :H]
    return o * np.tanh(c[:-1])


print(check_h(my_h_before))

# %% [markdown]
r"""
<details><summary>The answer</summary>

$h_{t-1} = o_{t-1} \tanh c_{t-1}$: the $o$ of the step before, though the $c$ stands at `c[t]`.

```
h = np.zeros_like(c[:-1])
h[1:] = gates[:-1, :, :H] * np.tanh(c[1:-1])
return h
```
</details>

### The pass with it

The same for a block, whose first step needs the $o$ of the step before the block.
"""


# %%
def made_again(kept, block):
    """Z and tanh(c) of a block's steps from its gates, c and x."""
    tanh_c = np.tanh(kept.c[block.start : block.stop + 1])  # before the first step, and after every one
    Z = np.ones_like(tanh_c, shape=(len(tanh_c) - 1, *kept.x.shape[:1], H + 1 + D))
    Z[:, :, H + 1 :] = kept.x[:, block].swapaxes(0, 1)
    Z[0, :, :H] = 0
    first = 0 if block.start else 1  # before step 0, h is 0
    o_before = kept.gates[block.start - 1 + first : block.stop - 1, :, :H]
    np.multiply(o_before, tanh_c[first:-1], Z[first:, :, :H])
    return Z, tanh_c[1:]


def again(x, dy, lengths, params):
    """Rung 8."""
    W = one_matrix(params)
    y, kept = forward(x, lengths, W, product=in_tiles, masks=False, keep=False)
    return y, *backward_by_blocks(dy, kept, W, masks=False, of_block=made_again)


measure("8 tanh(c) is made again", again)
assert counts["8 tanh(c) is made again"]["calls"] - counts["7 no masks"]["calls"] == 2 * num_blocks

for keep in (True, False):
    _, kept = forward(x, lengths, one_matrix(params), masks=False, keep=keep)
    held = sum(part.nbytes for part in kept if part is not None and part is not x)
    print(f"{held / 1e6:.1f} MB for the backward pass, beside x, with {'seven' if keep else 'five'} numbers of a unit")
    assert held == real.nbytes + 8 * (
        4 * T * N * H + (T + 1) * N * H + keep * (T * N * H + (T + 1) * N * (H + 1 + D))
    )  # gates, c; tanh(c), Z

# %% [markdown]
r"""
## 10. The whole ladder

The engine of the package stands on the same rungs. Its layer's `forward` and `backward` are measured like the others,
in time; what it computes is compared, too.
"""


# %%
def layer_with(params):
    """The package's layer with these weights."""
    layer = nb.LSTM(D, H, dtype=params.b.dtype, rng=0)
    for name, value in params._asdict().items():
        layer.params[f"0.forward.{name}"][...] = value
    return layer


def engine(layer, x, dy, lengths):
    """A training step of the layer."""
    y, _, cache = layer.forward(x, lengths, training=True)
    dx, grads, _ = layer.backward(dy, cache)
    return y, dx, LSTMParams(*(grads[f"0.forward.{name}"] for name in LSTMParams._fields))


for mine, theirs in zip(flat(engine(layer_with(params), x, dy, lengths)), wanted):
    assert np.abs(mine - theirs).max() < 1e-12 * np.abs(theirs).max()
layer = layer_with(LSTMParams(*(p.astype("f4") for p in params)))
seconds["the engine"] = best_time(partial(engine, layer, x.astype("f4"), dy.astype("f4"), lengths))

fig, ax = plt.subplots(figsize=(9, 4), layout="constrained")
times = [1e3 * s for s in seconds.values()]
bars = ax.barh(list(seconds), times, color=[BLUE] * 8 + [ORANGE])
gains = [f" {times[0]:.3g} ms"] + [f" {b:.3g} ms ({a / b:.2f} times as fast)" for a, b in pairwise(times)]
ax.bar_label(bars, gains)
ax.invert_yaxis()
ax.set(xscale="log", xlim=(min(times) / 2, 5 * max(times)), xlabel="ms of a training step; its gain over the bar above")
ax.set_title(f"On this machine: T, N, D, H = {T}, {N}, {D}, {H}, float32")
ax.spines[["top", "right"]].set_visible(False)

# %%
fig, ax = plt.subplots(figsize=(9, 3), layout="constrained")
bars = ax.barh(list(counts), [n["calls"] / T for n in counts.values()], color=GREY)
ax.bar_label(bars, fmt=" %.0f")
ax.invert_yaxis()
ax.set(xscale="log", xlim=(10, 2e4), xlabel="calls of NumPy for each of the T steps, on any machine")
ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
r"""
The batch gains most by far; all that comes after is for those who need still more. A rung that shows little on your
machine may save memory, as the last one does, or be what another one stands on, as the blocks need the `Z` of rung 4.
Below 1 it is a loss. At small shapes the engine may be no faster than rung 8: its layer also checks what it is given,
and serves every case, not this one alone. All of it depends on the shapes, on the library, and on who else uses the
machine: measure again, with the shapes that *you* have.

What the engine does beyond:

- memory and views of it are made once, and used for the next pass again: no step makes an array (here
  `backward_by_blocks` still makes many);
- tiles in all products, and their rows cut as well where a tile alone is too large;
- with up to four rows, most of a product's time goes into reading `W`: then the part of $x$ is one product for a block;
- where a machine has two processors and the layer is large, a second thread adds up $dW$ and $dx$ of a block while the
  loop is at the next one;
- both directions of a bidirectional layer, lengths, initial and final states, GRUs and variants of the LSTM.

[From the textbook to the engine](guides/engine.md) goes through its code line by line, with its gains at three shapes;
[speed](guides/speed.md) compares it with PyTorch and others.
"""

# %% [markdown]
r"""
## Three questions

1. Rung 2 computes more than rung 1 and takes less time. Name two reasons.
2. A rung makes your training twice as fast, and `y` is right. What else do you compare before you keep it, and in
   which precision?
3. Which of the rungs would you leave out where only the forward pass is needed?

<details><summary>Answers</summary>

1. A call costs the same for one row as for many; a number of a matrix that has been fetched serves all rows.
2. `dx` and the gradients of all weights, in float64, with lengths that differ. In float32, differences of $10^{-6}$
   may be rounding or a mistake.
3. 6 and 8: without a backward pass there are no blocks of it, and nothing is kept to be made again.
</details>

## Where to go next

- Change `N, T, D, H` in section 1: a single row; $H = 256$. (`in_tiles` needs a multiple of 16 for $H$.) Guess first:
  which rung gains more, and which less?
- [ladder.py](../tests/benchmarks/ladder.py): the rungs once more, a little nearer to the engine.
- *The same model in PyTorch, Keras and here* (`three_frameworks.ipynb`).
"""

# %% [markdown]
r"""
The answers were computed, too:
"""


# %%
def h_before(gates, c):
    """The answer of section 9."""
    h = np.zeros_like(c[:-1])
    h[1:] = gates[:-1, :, :H] * np.tanh(c[1:-1])
    return h


assert check_halves(lambda W: W * np.repeat([0.5, 0.5, 0.5, 1], W.shape[1] // 4)) == "every gate is right"
assert check_halves(lambda W: W) == "not yet: o, i, f are not what they should be"
assert check_halves(lambda W: W / 2) == "not yet: g are not what they should be"
assert check_h(h_before) == "every h is right"
assert check_h(lambda gates, c: gates[:, :, :H] * np.tanh(c[:-1])).startswith("not yet: h before step 1 is wrong")
assert check_h(lambda gates, c: gates[:, :, :H] * np.tanh(c[1:])).startswith("not yet: h before step 0 is wrong")
