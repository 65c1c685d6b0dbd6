# %% [markdown]
r"""
# Backpropagation through time, by hand

When you are through you will be able to

- write the backward pass of an LSTM over a whole sequence: one step, and a loop around it;
- say what each of the two *carries* that go from step to step is for, and what goes wrong without it;
- let two judges that do not know each other say whether your gradients are right.

You need the first tutorial, *One cell, equation by equation*, or its equations: how $i, f, g, o$, $c$ and $h$ are
computed. You need the chain rule. Reading takes some 15 minutes, the exercise some 10. Questions (**Q1**, ...) are
answered further down (**A1**, ...). A notebook comes with its outputs: to answer before you see them, clear them (in
Jupyter: *Edit, Clear Outputs of All Cells*).
"""

# %%
import subprocess
import sys
from glob import glob
from importlib.util import find_spec

if find_spec("npbilstm") is None:  # in a hosted notebook: its folder or its sdist, beside this notebook, is installed
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "matplotlib", *glob("./npbilstm*")], check=True)

# %%
from functools import partial

import numpy as np

import npbilstm as nb
from npbilstm.textbook import LSTMParams, lstm_backward, sigmoid, sigmoid_derivative, tanh, tanh_derivative
from npbilstm.textbook import lstm_forward as textbook_forward

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

# %% [markdown]
r"""
## Notation

$N$ sequences of $T$ steps, $D$ numbers in, $H$ units. `x` is $(N, T, D)$; at one step `x`, `h`, `c` are $(N, D)$,
$(N, H)$, $(N, H)$, and `y` $(N, T, H)$ is `h` of all steps. The gates' blocks stand side by side in the order
$i, f, g, o$: `Wx` $(D, 4H)$, `Wh` $(H, 4H)$, `b` $(4H,)$. The loss $L$ is one number; `d` and a name is
$\partial L / \partial$ that name, and has its shape. `h0` and `c0` are the states before step 0, `h_T` and `c_T` those
after the last step, $T - 1$: names, not entries 0 and $T$ of a list.

`npbilstm.textbook` holds the package's plain functions, which are written to be read. They are called *the textbook*
from here on.
"""

# %%
N, T, D, H = 3, 5, 2, 4
rng = np.random.default_rng(0)
params = LSTMParams(
    Wx=rng.standard_normal((D, 4 * H)), Wh=rng.standard_normal((H, 4 * H)) / 2, b=rng.standard_normal(4 * H)
)
x = rng.standard_normal((N, T, D))
h0, c0 = rng.standard_normal((2, N, H))

# %% [markdown]
r"""
## 1. One step, forward and back

Backward you walk the forward equations from the last to the first. Each line answers one question: *in which equations
does this quantity stand, and with which factor?*

| forward | backward | why |
|---|---|---|
| `h = o * tanh(c)` | `do = dh * tanh(c)` | $\partial h / \partial o = \tanh(c)$ |
| | `dc = dc + dh * o * tanh'(c)` | $c$ stands here, and the next step reads it: two shares, added |
| `c = f * c_prev + i * g` | `di = dc * g`, `dg = dc * i` | each factor gets the other one |
| | `df = dc * c_prev`, `dc_prev = dc * f` | |
| `i = sigmoid(a_i)`, ... | `da_i = di * sigmoid'(a_i)`, ... | the slope, computed from the output: $i (1 - i)$ |
| `a = x Wx + h_prev Wh + b` | `dx = da Wx^T`, `dh_prev = da Wh^T` | |
| | `dWx = x^T da`, `dWh = h_prev^T da`, `db = sum da` | every row uses the same weights: a sum over rows |

In code, line by line the same; `sigmoid_derivative(i)` is $i (1 - i)$. A step keeps in its *cache* what its way back
needs:
"""


# %%
def lstm_step_forward(x, h_prev, c_prev, params):
    """x (N, D), h_prev (N, H), c_prev (N, H) -> h, c, cache."""
    Wx, Wh, b = params
    a_i, a_f, a_g, a_o = np.split(x @ Wx + h_prev @ Wh + b, 4, axis=1)
    i, f, g, o = sigmoid(a_i), sigmoid(a_f), tanh(a_g), sigmoid(a_o)
    c = f * c_prev + i * g
    h = o * tanh(c)
    return h, c, (x, h_prev, c_prev, i, f, g, o, tanh(c), params)


def lstm_step_backward(dh, dc, cache):
    """dh (N, H): all of h's gradient; dc (N, H): c's, but for the share through this step's h
    -> dx, dh_prev, dc_prev, grads."""
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    do = dh * tanh_c
    dc = dc + dh * o * tanh_derivative(tanh_c)
    di, dg = dc * g, dc * i
    df, dc_prev = dc * c_prev, dc * f
    da = np.concatenate(
        [
            di * sigmoid_derivative(i),
            df * sigmoid_derivative(f),
            dg * tanh_derivative(g),
            do * sigmoid_derivative(o),
        ],
        axis=1,
    )
    dx, dh_prev = da @ params.Wx.T, da @ params.Wh.T
    return dx, dh_prev, dc_prev, LSTMParams(x.T @ da, h_prev.T @ da, da.sum(axis=0))


# %% [markdown]
r"""
The first judge is the complex step (Squire & Trapp 1998), which takes derivatives without subtracting and so without
rounding them away. `nb.check_pair` draws random gradients `dh` and `dc`, hands them to the backward pass and judges all
that comes back. Its report has a line for each array, then one for all of them, moved together along one random
direction (*One cell*, section 8, reads such a report):
"""

# %%
point = {"x": x[:, 0].copy(), "h_prev": h0, "c_prev": c0, "params": params}
report = nb.check_pair(lstm_step_forward, lstm_step_backward, point)
print(report)
assert report.ok

# %% [markdown]
r"""
## 2. Who reads what

Now several steps. Draw an arrow from each quantity to all that reads it. Of the states there are few:

    h[t]  is read by   the loss (it is an output),   the gates of step t+1
    c[t]  is read by   h[t],                         the cell c[t+1]

What is read in two places gets two shares of gradient, and they are added:

$$
\begin{aligned}
dh_t &= dy_t + dh_{prev} \text{ of step } t+1 \\
dc_t &= dc_{prev} \text{ of step } t+1 + dh_t \odot o_t \odot \tanh'(c_t)
\end{aligned}
$$

$dy_t$ is what the loss itself says of the output $h_t$. The second line's last term needs no care:
`lstm_step_backward` adds it. So a step needs two things from the step after it: its `dh_prev` and its `dc_prev`. These
are the two **carries**. Nothing else goes back in time.

**Q1.** The last step has no step after it. What are its carries?
"""

# %% [markdown]
r"""
## 3. The loop

Forward the loop runs from $0$ to $T - 1$, backward from $T - 1$ to $0$. The weights are the same at every step, so
they are read $T$ times, and their gradient is the sum of $T$ shares. (Werbos 1990; for the LSTM exactly: Graves &
Schmidhuber 2005.)
"""


# %%
def forward(x, h0, c0, params):
    """x (N, T, D) -> y (N, T, H), the last h and c, caches."""
    h, c, hs, caches = h0, c0, [], []
    for t in range(x.shape[1]):
        h, c, cache = lstm_step_forward(x[:, t], h, c, params)
        hs.append(h)
        caches.append(cache)
    return np.stack(hs, axis=1), h, c, caches


def backward(dy, dh_T, dc_T, caches, carry_h=1.0, carry_c=1.0):
    """dy (N, T, H), dh_T and dc_T (N, H) -> dx, dh0, dc0, grads. The carries can be cut: see section 4."""
    grads = LSTMParams(*(np.zeros_like(p) for p in caches[0][-1]))
    dxs = []
    dh_next, dc_next = dh_T, dc_T
    for t in reversed(range(len(caches))):
        dx, dh_prev, dc_prev, here = lstm_step_backward(dy[:, t] + dh_next, dc_next, caches[t])
        dh_next, dc_next = carry_h * dh_prev, carry_c * dc_prev
        grads = LSTMParams(*(total + share for total, share in zip(grads, here)))
        dxs.append(dx)
    return np.stack(dxs[::-1], axis=1), dh_next, dc_next, grads


# %% [markdown]
r"""
**A1.** They are what the loss says of the final state itself: `dh_T` and `dc_T`. If the loss does not read it, as is
most often so, both are 0.

The second judge is the textbook's own BPTT. It must give the same numbers; and the complex step must agree as well.
"""

# %%
y, h_T, c_T, caches = forward(x, h0, c0, params)
dy = rng.standard_normal(y.shape)
dh_T, dc_T = rng.standard_normal((2, N, H))
dx, dh0, dc0, grads = backward(dy, dh_T, dc_T, caches)

expected = lstm_backward(dy, dh_T, dc_T, textbook_forward(x, h0, c0, params)[3])
for mine, theirs in zip([dx, dh0, dc0, *grads], [*expected[:3], *expected[3]]):
    assert np.allclose(mine, theirs, rtol=0, atol=1e-13)

inputs = {"x": x, "h0": h0, "c0": c0, "params": params}
report = nb.check_pair(forward, backward, inputs)
print(report.verdict)
assert report.ok

# %% [markdown]
r"""
## 4. What each carry is for

Cut them, one at a time, and see what the check says.

**Q2.** Before you look at the output: with `carry_c=0`, is any array's gradient still right? And with $T = 1$?
"""

# %%
for cut in [{"carry_h": 0.0}, {"carry_c": 0.0}]:
    report = nb.check_pair(forward, partial(backward, **cut), inputs)
    print(cut, "-> wrong in", *(row.name for row in report.rows if not row.ok))
    assert not any(row.ok for row in report.rows)
    assert np.array_equal(backward(dy, dh_T, dc_T, caches, **cut)[0][:, -1], dx[:, -1])  # at the last step

# %% [markdown]
r"""
**A2.** No whole array's. Of `dx` the last step's rows are right: its carries are `dh_T` and `dc_T`, which are not cut.
With $T = 1$ all that a carry does is to make `dh0` and `dc0`: a missing carry shows there and nowhere else. And the
sum over steps has one term then, so a missing sum does not show at all. Test BPTT with three steps or more: with two,
a mistake in the carry of a carry shows in `dh0` and `dc0` alone, and in no weight's gradient.

Now the reason why there are two. Take a longer sequence, a loss at its last step alone, and look how much of the
gradient arrives at each earlier step: whole, without one carry, without the other. The forget gates are held open a bit
($b_f = 2$, so that $f$ is near $\sigma(2) = 0.88$).
"""

# %%
T_long = 40
open_gates = params._replace(Wx=params.Wx / 4, Wh=params.Wh / 4, b=np.repeat([0.0, 2.0, 0.0, 0.0], H))
x_long = rng.standard_normal((N, T_long, D))
_, _, _, caches_long = forward(x_long, np.zeros((N, H)), np.zeros((N, H)), open_gates)
last_only = np.zeros((N, T_long, H))
last_only[:, -1] = rng.standard_normal((N, H))
zero = np.zeros((N, H))


def arriving(**cut):
    """The size of dx at each step, (T,), for the loss at the last step alone."""
    return np.linalg.norm(backward(last_only, zero, zero, caches_long, **cut)[0], axis=(0, 2))


sizes = {"both": arriving(), "c alone": arriving(carry_h=0.0), "h alone": arriving(carry_c=0.0)}
back = T_long - 1 - np.arange(T_long)  # how far back a step is
for name, size in sizes.items():
    ten, twenty = (size[back == k][0] / size[-1] for k in (10, 20))
    print(f"{name:8} of what the last step gets: {ten:.1e} ten steps back, {twenty:.1e} twenty steps back")
print(f"0.88^20 = {sigmoid(2.0) ** 20:.1e}")
left = {name: size / size[-1] for name, size in sizes.items()}
assert np.isclose(left["c alone"][back == 20], sigmoid(2.0) ** 20, rtol=0.1)
assert left["h alone"][back == 10] < 1e-11

# %%
fig, ax = plt.subplots(figsize=(8.6, 3.8), layout="constrained")
for (name, size), colour, style in zip(sizes.items(), ["#0072B2", "#009E73", "#D55E00"], ["-", "--", "-"]):
    ax.semilogy(back, size, style, color=colour, linewidth=2.2, label=f"carried: {name}")
ax.set(title="The cell carries the gradient back; the hidden state alone does not", xlabel="steps back from the loss")
ax.set(ylabel="size of $dx$", ylim=(1e-14, 10))
ax.invert_xaxis()
ax.legend(frameon=False, loc="lower right")
ax.spines[["top", "right"]].set_visible(False)
ax.grid(axis="y", color="0.9")

# %% [markdown]
r"""
Without the cell's carry (the orange line) next to nothing arrives beyond ten steps: at each step the gradient goes
through slopes and a matrix. The cell's carry is multiplied by $f$ alone, and what it brings is near $0.88^{20}$. This
is what Hochreiter & Schmidhuber (1997) built the cell for, with $f = 1$; Gers et al. (2000) let the network choose $f$.

Is the hidden state's carry needed at all, then? Leave it out, and see how much of `dx` changes:
"""

# %%
whole, cut = (backward(last_only, zero, zero, caches_long, carry_h=carry)[0] for carry in (1.0, 0.0))
change = np.linalg.norm(whole - cut, axis=(0, 2)) / sizes["both"]
for k in (1, 5, 20):
    print(f"{k:2} steps back, without carry_h: dx changes by {change[back == k][0]:.0%} of its size")
assert np.allclose([change[back == k][0] for k in (1, 5, 20)], [0.11, 0.26, 0.59], atol=0.01)

# %% [markdown]
r"""
By a quarter five steps back, by more than a half at twenty. Alone it brings nothing that far, but the gates of every
later step read $h$, and so it steers what the cell carries. Both carries are needed.
"""

# %% [markdown]
r"""
## 5. Your turn

The function below takes and returns what the textbook's `lstm_step_backward` does, so `nb.diagnose` can judge it: it
runs it on several small cases, and compares the numbers with those of many known mistakes, its *catalogue*. Somebody
forgot something in one line. **Read it, find the line, mend it, and run the cell again until it says that it is
right.** Its line that begins with WRONG names the mistake: cover that, if you want to find it alone. For a stronger
hint put `hint=2` into the call of `nb.diagnose`, or `hint=3`.
"""


# %%
def step_back_with_a_fault(dh, dc, cache):
    """A step backward. Which line is it?"""
    x, h_prev, c_prev, i, f, g, o, tanh_c, params = cache
    do = dh * tanh_c
    dc = dc + dh * o * tanh_derivative(tanh_c)
    di, df, dg = dc * g, dc * c_prev, dc * i
    gates = [
        di * sigmoid_derivative(i),
        df * sigmoid_derivative(f),
        dg * tanh_derivative(g),
        do * sigmoid_derivative(o),
    ]
    da = np.concatenate(gates, axis=1)
    dx, dh_prev = da @ params.Wx.T, da @ params.Wh.T
    return dx, dh_prev, dc, LSTMParams(x.T @ da, h_prev.T @ da, da.sum(axis=0))


print(nb.diagnose({"lstm_step_forward": lstm_step_forward, "lstm_step_backward": step_back_with_a_fault}))

# %% [markdown]
r"""
<details><summary>The answer</summary>

The cell's carry: what goes back is `dc * f`, not `dc`. Only the gradient of `c_prev` is wrong, at every stage. In a
sequence that makes all weights' gradients wrong, from the second step on. Mended, it is `lstm_step_backward` of
section 1.
</details>
"""

# %% [markdown]
r"""
## Three questions

1. Which two gradients go from step $t + 1$ back to step $t$, and by what is each multiplied on its way?
2. Somebody writes `grads = here` in place of the sum in the loop. Which gradients are wrong, which are right?
3. A check with $T = 1$ looks at the weights' gradients and at `dx`, not at `dh0` and `dc0`. Which two mistakes in going
   back through time does it let pass?

<details><summary>Answers</summary>

1. `dh_prev`, which has gone through the slopes of the gates and $W_h^T$; and `dc_prev`, which is `dc * f`.
2. `Wx`, `Wh` and `b` hold the share of step 0 alone and are wrong. `x`, `h0` and `c0` are right: they do not add up
   over steps.
3. A carry that is missing, and a sum over steps that is missing: with one step nothing is carried, and the sum has one
   term. If it looked at `dh0` and `dc0`, it would see the first.
</details>

## Where to go next

- [The derivation](guides/derivation.md) has every chain-rule step on a line of its own, with padding and both
  directions, and proves itself by a command.
- The next tutorial, *Mini-batches, padding and a training loop*, puts these gradients to use.
- `npbilstm exercise list`: the same, as exercises to be written from an empty page.
"""

# %% [markdown]
r"""
The answers were computed, too:
"""

# %%
later = backward(dy[:, 1:], dh_T, dc_T, caches[1:])  # its dh0 and dc0 are the carries into step 0
share = lstm_step_backward(dy[:, 0] + later[1], later[2], caches[0])[3]
assert not np.allclose(share.Wx, grads.Wx)  # the share of step 0 is not the sum
one = forward(x[:, :1], h0, c0, params)[3]
for cut, tells in [({"carry_h": 0.0}, 1), ({"carry_c": 0.0}, 2)]:
    without, whole = (backward(dy[:, :1], dh_T, dc_T, one, **options) for options in (cut, {}))
    assert all(np.array_equal(a, b) for a, b in zip(without[3], whole[3]))  # no weight's gradient tells
    assert np.array_equal(without[0], whole[0])  # nor does dx
    assert not np.allclose(without[tells], whole[tells])  # dh0 tells, or dc0
only = lstm_step_backward(dy[:, 0] + dh_T, dc_T, one[0])[3]
assert all(np.array_equal(a, b) for a, b in zip(only, whole[3]))  # with one step the sum is its one term


def fault_of_section_5(dh, dc, cache):
    """A step backward whose dc_prev lacks its f."""
    dx, dh_prev, dc_prev, grads = lstm_step_backward(dh, dc, cache)
    return dx, dh_prev, dc_prev / cache[4], grads


for step_backward, verdict in [(fault_of_section_5, "wrong"), (lstm_step_backward, "right")]:
    diagnosis = nb.diagnose({"lstm_step_forward": lstm_step_forward, "lstm_step_backward": step_backward})
    assert diagnosis.verdict == verdict
    assert verdict == "right" or "gradients of c_prev\n" in str(diagnosis)
