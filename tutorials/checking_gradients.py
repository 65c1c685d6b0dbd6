# %% [markdown]
r"""
# Checking gradients

When you are through you will be able to

- choose the step of a numerical derivative, and say how exact it can be, in float64 and in float32;
- use the complex step, and see where it is blind;
- tell a right gradient from a wrong one by the order of convergence;
- check all of a gradient with a single number, forward mode against reverse mode;
- hunt a bug down in somebody's BiLSTM.

You need derivatives, NumPy, and a rough idea of what an LSTM is (*One cell, equation by equation*, sections 1 and
2); what section 5 needs of two directions, it says. Reading takes some 20 minutes, the exercise some 10.
Questions (**Q1**, ...) are answered further down (**A1**, ...). A notebook comes with its outputs: to answer before you
see them, clear them (in Jupyter: *Edit, Clear Outputs of All Cells*).
"""

# %%
import subprocess
import sys
from glob import glob
from importlib.util import find_spec

if find_spec("npbilstm") is None:  # in a hosted notebook: its folder or its sdist, beside this notebook, is installed
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "matplotlib", *glob("./npbilstm*")], check=True)

# %%
import numpy as np

import npbilstm as nb
from npbilstm.textbook import BiLSTMParams, LSTMParams, bilstm_forward, flip, lstm_backward, lstm_forward

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"

# %% [markdown]
r"""
## 1. The step: too long, too short

A derivative's definition has a limit in it. On a computer you take a small step $s$ instead, and there are two
simple ways:

$$\text{one-sided: } \frac{L(p + s) - L(p)}{s} \qquad\qquad \text{central: } \frac{L(p + s) - L(p - s)}{2 s}$$

Take a function whose derivative you know by another way, so that the error can be seen. Here is an LSTM over five
steps. $L$ is a random mixture of all its outputs, and `along(s)` moves *all* weights and inputs by $s$ along one
random direction $v$. So $L$ is a function of the one number $s$, and its derivative at 0 is the inner product of the
gradient with $v$.
"""

# %%
N, T, D, H = 3, 5, 2, 4
rng = np.random.default_rng(0)
shapes = {"x": (N, T, D), "h0": (N, H), "c0": (N, H), "Wx": (D, 4 * H), "Wh": (H, 4 * H), "b": (4 * H,)}
point = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
direction = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
dh = rng.standard_normal((N, T, H))  # the mixture, and so the gradient of L with respect to h


def loss(p):
    """The sum of dh * h over all outputs."""
    h, _, _, _ = lstm_forward(p["x"], p["h0"], p["c0"], LSTMParams(p["Wx"], p["Wh"], p["b"]))
    return (dh * h).sum()


def along(s):
    """The loss with everything moved by s along the direction; s may be complex."""
    return loss({name: array + s * direction[name] for name, array in point.items()})


def gradient(p):
    """All gradients, by backpropagation through time."""
    params, zero = LSTMParams(p["Wx"], p["Wh"], p["b"]), np.zeros((N, H))
    dx, dh0, dc0, grads = lstm_backward(dh, zero, zero, lstm_forward(p["x"], p["h0"], p["c0"], params)[3])
    return {"x": dx, "h0": dh0, "c0": dc0, **grads._asdict()}


def inner(one, other):
    """The sum of all products, over all arrays of two dicts."""
    return sum((one[name] * other[name]).sum() for name in one)


exact = inner(gradient(point), direction)
print(f"the derivative along v: {exact:.15f}")

# %% [markdown]
r"""
**Q1.** Before you look: which of $s = 10^{-2}, 10^{-5}, 10^{-10}, 10^{-15}$ will be best for the central difference?

Four curves will be drawn: the two differences, the central one once more in float32, and the *complex step*, which
goes in the *imaginary* direction (Lyness & Moler 1967; Squire & Trapp 1998):

$$L(\mathrm{i} s) = L(0) + \mathrm{i} s L'(0) - \tfrac12 s^2 L''(0) - \tfrac16 \mathrm{i} s^3 L'''(0) + \dots
\quad\Rightarrow\quad \frac{\mathrm{Im}\, L(\mathrm{i} s)}{s} = L'(0) - \tfrac16 s^2 L'''(0) + \dots$$
"""

# %%
point32 = {name: array.astype(np.float32) for name, array in point.items()}
direction32 = {name: array.astype(np.float32) for name, array in direction.items()}


def along32(s):
    """As along, computed in float32."""
    moved = {name: array + np.float32(s) * direction32[name] for name, array in point32.items()}
    h, _, _, _ = lstm_forward(moved["x"], moved["h0"], moved["c0"], LSTMParams(moved["Wx"], moved["Wh"], moved["b"]))
    return (dh.astype(np.float32) * h).sum()


steps = 10.0 ** -np.arange(1, 16.5, 0.5)
errors = {
    "one-sided": np.array([abs((along(s) - along(0.0)) / s - exact) for s in steps]),
    "central": np.array([abs((along(s) - along(-s)) / (2 * s) - exact) for s in steps]),
    "central, float32": np.array([abs(float(along32(s) - along32(-s)) / (2 * s) - exact) for s in steps]),
    "complex step": np.array([abs(along(1j * s).imag / s - exact) for s in steps]),
}
for name, error in errors.items():
    print(f"{name:17} at best {error.min():.0e}, at s = {steps[error.argmin()]:.0e}")
assert 1e-9 < errors["one-sided"].min() < 1e-6
assert errors["central"].min() < 1e-8
assert errors["central, float32"].min() > 1e-6
assert errors["complex step"][-8:].max() < 1e-13

# %%
fig, ax = plt.subplots(figsize=(8.6, 4.4), layout="constrained")
for (name, error), colour, marker in zip(errors.items(), [ORANGE, BLUE, RED, GREEN], "osvd"):
    ax.loglog(steps, np.maximum(error, 1e-17), marker=marker, markersize=4, color=colour, label=name)
ax.set(title="Each difference is best in the middle; the complex step does not rise again", xlabel="step $s$")
ax.set(ylabel="error of the derivative", ylim=(3e-18, 1e3))
ax.invert_xaxis()
ax.legend(frameon=False, loc="upper left", ncols=2)
ax.grid(color="0.92")
ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
r"""
Read each curve from the left, with the step becoming shorter.

- It falls: the *truncation error*, what the limit would have removed. One-sided with $s$, central with $s^2$.
- It rises: *rounding*. Two numbers that agree in most of their digits are subtracted, and what is lost is divided by
  $s$. The shorter the step, the worse.
- The complex step falls with $s^2$ too (there it lies over the central one: the same $\tfrac16 s^2 L'''$), and then
  stays: nothing is subtracted.
- In float32 the error ends at 2.4, the derivative itself: $p + s$ and $p - s$ are the same number, and their difference
  is 0.

**A1.** $10^{-5}$. The sum of $s^2$ and $\epsilon / s$, with $\epsilon \approx 2 \cdot 10^{-16}$ in float64, is smallest
where its derivative $2 s - \epsilon / s^2$ is 0, near $s = \epsilon^{1/3} \approx 6 \cdot 10^{-6}$, and is about
$\epsilon^{2/3} \approx 4 \cdot 10^{-11}$ there, which is what was printed. In float32, $\epsilon$ is $10^{-7}$, and no
step gives more than a few digits. A backward pass with a small mistake hides in that. So: **check in float64, whatever
you train in.**
"""

# %%
fall = slice(2, 6)  # from 10^-2 to 10^-3.5
for name, order in [("one-sided", 1), ("central", 2)]:
    slope = np.polyfit(np.log10(steps[fall]), np.log10(errors[name][fall]), 1)[0]
    print(f"{name}: error ~ s^{slope:.2f}")
    assert abs(slope - order) < 0.2
assert 1e-7 < steps[errors["central"].argmin()] < 1e-4
assert np.isclose(errors["central, float32"][-1], abs(exact))

# %% [markdown]
r"""
## 2. Where the complex step is blind

The loss must be *analytic*: written with $+, \cdot, \exp, \tanh$ and the like. `abs`, `max`, `.real`, a conjugate
throw the imaginary part away, and with it the derivative; so does writing into an array of `np.zeros`, which is real.

**Q2.** $L(p) = |p|^2$ is smooth. What does its complex step give at $p = 3$, if written as `abs(p) ** 2`? And as
`p * p`?
"""

# %%
s = 1e-20
p = 3 + 1j * s
answers = {"abs(p) ** 2": float(np.imag(np.abs(p) ** 2) / s), "p * p": np.imag(p * p) / s}
print(answers)
assert answers == {"abs(p) ** 2": 0.0, "p * p": 6.0}

# %% [markdown]
r"""
**A2.** 0 and 6. The first is wrong and looks like any other number. A checker has to notice by itself.
`nb.check_gradients` compares with differences, says what it noticed, and takes another way: *Richardson's
extrapolation*, which combines central differences of two steps so that their $s^2$ terms cancel.
"""

# %%
report = nb.check_gradients(
    lambda q: (np.abs(q["p"]) ** 2).sum(), {"p": np.array([3.0, -2.0])}, {"p": np.array([6.0, -4.0])}
)
print(report)
assert report.ok

# %% [markdown]
r"""
## 3. The order of convergence

How do you know that a difference of $10^{-6}$ between two numbers is a mistake, and not the numerical method's own
error? Look at the whole row of steps, as in section 1. If your gradient is right, the error of the central
difference along a direction $v$ falls as $s^2$, all the way down to rounding. If it is wrong, the error stops falling
at *how wrong it is along $v$*, however small that is.

Take the right gradient, and one in which a single number out of 166 is wrong by a ten-thousandth:
"""

# %%
right = gradient(point)
wrong = {**right, "Wh": right["Wh"].copy()}
wrong["Wh"][2, 5] += 1e-4
print("numbers in all:", sum(array.size for array in right.values()))
reports = {name: nb.check_gradients(loss, point, grads) for name, grads in [("right", right), ("wrong", wrong)]}
assert reports["right"].ok
assert not reports["wrong"].ok

# %%
fig, axes = plt.subplots(1, 2, figsize=(11, 4), sharey=True, layout="constrained")
for ax, (name, report) in zip(axes, reports.items()):
    report.plot_convergence(ax)
    ax.set(title=f"a {name} gradient", ylim=(1e-13, 1e2), xlabel="step $s$")
    ax.invert_xaxis()  # long steps left, as above
    ax.legend(fontsize="small", frameon=False)

# %% [markdown]
r"""
Read from the left again. The right one follows the line of slope 2 down. The wrong one leaves it and lies flat: at
$1.6 \cdot 10^{-5}$, since the $10^{-4}$ was planted in one of 166 numbers, and the report's own random $v$ has 0.16
there. (Dashed: the same differences against the true derivative; they go on falling.) No tolerance had to be chosen
to tell the two apart.

The report has it in its last two lines: all numbers moved together along $v$, and the row of steps. The lines above
compare each number by itself, and name the one that is wrong:
"""

# %%
print(reports["wrong"])
assert [row.name for row in reports["wrong"].rows if not row.ok] == ["Wh"]
along_v = reports["wrong"].convergence
assert np.isclose(abs(along_v.got - along_v.expected), 1.6e-5, rtol=0.05)

# %% [markdown]
r"""
## 4. One number for everything: forward mode against reverse mode

A function takes $p$ (many numbers) to $y$ (many numbers), with the matrix $J$ of all $\partial y / \partial p$.
Nobody writes $J$ down. There are two things that one can have of it:

- *forward mode*, the Jacobian-vector product or **JVP**: $J v$, how $y$ moves when $p$ moves along $v$. One complex
  step gives it: $\mathrm{Im}\, y(p + \mathrm{i} s v) / s$;
- *reverse mode*, the vector-Jacobian product or **VJP**: $J^{\top} u$, the gradient of $\sum u \odot y$. It is what a
  backward pass computes.

Multiply the first by $u$ and the second by $v$, and both are the same number:

$$\langle u,\; J v \rangle = \langle J^{\top} u,\; v \rangle .$$

With random $u$ and $v$ a single forward pass and a single backward pass check all of the gradients at once.
"""


# %%
def outputs(p):
    """h (N, T, H)."""
    return lstm_forward(p["x"], p["h0"], p["c0"], LSTMParams(p["Wx"], p["Wh"], p["b"]))[0]


Jv = outputs({name: array + 1e-20j * direction[name] for name, array in point.items()}).imag / 1e-20  # forward mode
JTu = gradient(point)  # reverse mode, with u = dh
left, right_side = (dh * Jv).sum(), inner(JTu, direction)
print(f"<u, J v> = {left:.15f}\n<J^T u, v> = {right_side:.15f}")
assert abs(left - right_side) < 1e-12

# %% [markdown]
r"""
**Q3.** The wrong gradient of section 3 has one wrong number. Will the inner product see it? Will it say which one?
"""

# %%
off = inner(wrong, direction) - left
print(f"off by {off:.2e}, which is 1e-4 times v there: {1e-4 * direction['Wh'][2, 5]:.2e}")
assert np.isclose(off, 1e-4 * direction["Wh"][2, 5], rtol=1e-6)

# %% [markdown]
r"""
**A3.** It sees it, and cannot say where: it is one number. Use it often, since it is cheap, and the check of every
entry when it fails. With $v = 1$ everywhere in place of a random $v$ it would be worse: errors that add up to 0 (two
gates swapped, say) would go unseen.
"""

# %%
swapped = {**right, "b": np.concatenate([right["b"][H : 2 * H], right["b"][:H], right["b"][2 * H :]])}  # f, i, g, o
ones = {name: np.ones_like(array) for name, array in point.items()}
blind, seen = (abs(inner(swapped, v) - inner(right, v)) for v in (ones, direction))
print(f"two gates swapped: v of ones is off by {blind:.0e}, a random v by {seen:.2f}")
assert blind < 1e-12 < 0.01 < seen

# %% [markdown]
r"""
## 5. A bug hunt

A BiLSTM runs two LSTMs over a batch, a second one over each row *reversed*, and joins their outputs. Rows may have
unequal lengths (*ragged* ones), with padding after their end. `flip(x, lengths)` reverses each row's real steps and
leaves its padding where it is; it serves on the way in and on the way out, and it is its own backward pass. (More in
*Two directions*, sections 1 and 3.)

Here is such a backward pass, as somebody might write it. Every shape is right, and there is a mistake in it. **Find it
with the tools of this tutorial before you open an answer, and mend it in its cell.**

`nb.check_pair` takes both passes and the inputs of the first. It draws random gradients of the outputs, hands them to
the backward pass, and checks each number that comes back:
"""


# %%
def their_backward(dy, dh_T, dc_T, cache):
    """Gradients of bilstm_forward, given dy (N, T, 2H), dh_T and dc_T (2, N, H)."""
    lengths = cache.lengths
    dh_fwd, dh_rev = np.split(dy, 2, axis=2)
    dx_fwd, dh0_fwd, dc0_fwd, grads_fwd = lstm_backward(dh_fwd, dh_T[0], dc_T[0], cache.forward)
    dx_rev, dh0_rev, dc0_rev, grads_rev = lstm_backward(flip(dh_rev, lengths), dh_T[1], dc_T[1], cache.reverse)
    dx = dx_fwd + flip(dx_rev)
    return dx, np.stack([dh0_fwd, dh0_rev]), np.stack([dc0_fwd, dc0_rev]), BiLSTMParams(grads_fwd, grads_rev)


def random_params():
    """Weights of one direction."""
    return LSTMParams(*(rng.standard_normal(shapes[name]) for name in ("Wx", "Wh", "b")))


inputs = {
    "x": rng.standard_normal((N, T, D)),
    "h0": rng.standard_normal((2, N, H)),
    "c0": rng.standard_normal((2, N, H)),
    "params": BiLSTMParams(random_params(), random_params()),
    "lengths": None,
}
print(nb.check_pair(bilstm_forward, their_backward, inputs).verdict)

# %% [markdown]
r"""
It says that all is right! **Q4.** What does this check not look at? Change one of the inputs in the cell above, so that
the bug shows.

<details><summary>A4</summary>

It has rows of equal length. With `"lengths": np.array([5, 3, 2])` the check calls `x` wrong, and `x` alone. What comes
between the gradients of the weights, which are right, and `dx`? One line is left to look at.
</details>

`nb.diagnose` brings such cases along by itself, ragged lengths and more, and compares with known mistakes. Run it again
when you have mended the line (`hint=2` in its call says more). Its line that begins with WRONG names the mistake: cover
that, if you want to find it alone:
"""

# %%
print(nb.diagnose({"bilstm_forward": bilstm_forward, "bilstm_backward": their_backward}))

# %% [markdown]
r"""
<details><summary>The answer</summary>

`flip(dx_rev)` has lost its `lengths`. It reverses the padding too, so that the gradients of shorter rows end up at
the wrong steps. It needs to be `flip(dx_rev, lengths)`.
</details>

More of these, as many as you like, in five levels, with tools and hints, in a terminal:

    npbilstm hunt new --level 1
    npbilstm hunt check hunt-1-...

## Three questions

1. Your check in float32 passes with a tolerance of $10^{-2}$. What do you know?
2. The error of the central difference stays at $3 \cdot 10^{-4}$ for all steps from $10^{-2}$ to $10^{-7}$. What
   does that mean?
3. The inner-product test passes with one $v$ of ones. Name a mistake that it may have missed.

<details><summary>Answers</summary>

1. Little: that nothing is off by more than a hundredth or so. A missing slope near 1 would pass. Go to float64.
2. The gradient is wrong along this direction, by just that. A right one's error would have fallen as $s^2$ and then
   risen.
3. Any whose errors add up to 0: two gates, two units or two directions swapped.
</details>

## Where to go next

- [The three tools and what each can tell](guides/checking.md), for code of your own.
- [Forward mode beside reverse mode](guides/duality.md), measured, and a gradient without a way back.
- [The museum](guides/museum.md): mistakes that people made in public, and what the checker says of them.
- *Backpropagation through time, by hand* (`through_time.ipynb`), if you have not written one yet. The next tutorial,
  *What the gates do* (`inside_a_model.ipynb`), looks inside a trained model.
"""

# %% [markdown]
r"""
The answers were computed, too:
"""


# %%
def bilstm_backward_with(last_flip):
    """The backward pass of section 5 with this function for its last flip."""

    def backward(dy, dh_T, dc_T, cache):
        dh_fwd, dh_rev = np.split(dy, 2, axis=2)
        dx_fwd, *states_fwd, grads_fwd = lstm_backward(dh_fwd, dh_T[0], dc_T[0], cache.forward)
        dx_rev, *states_rev, grads_rev = lstm_backward(flip(dh_rev, cache.lengths), dh_T[1], dc_T[1], cache.reverse)
        dx = dx_fwd + last_flip(dx_rev, cache.lengths)
        return dx, *(np.stack(both) for both in zip(states_fwd, states_rev)), BiLSTMParams(grads_fwd, grads_rev)

    return backward


hunted, mended = bilstm_backward_with(lambda dx, lengths: flip(dx)), bilstm_backward_with(flip)
ragged = {**inputs, "lengths": np.array([5, 3, 2])}
assert nb.check_pair(bilstm_forward, hunted, {**inputs, "lengths": None}).ok
assert [row.name for row in nb.check_pair(bilstm_forward, hunted, ragged).rows if not row.ok] == ["x"]
assert nb.check_pair(bilstm_forward, mended, ragged).ok
assert nb.diagnose({"bilstm_forward": bilstm_forward, "bilstm_backward": hunted}).verdict == "wrong"
assert nb.diagnose({"bilstm_forward": bilstm_forward, "bilstm_backward": mended}).ok
