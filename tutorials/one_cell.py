# %% [markdown]
r"""
# One cell, equation by equation

An LSTM (*long short-term memory*) reads a sequence step by step and carries two vectors from step to step. Given what
comes in at one step and these two vectors, it returns the two new ones. It is made for sequences in which something
from long ago still matters.

When you are through you will be able to

- compute a step of an LSTM with paper and pencil, and say what each gate is for;
- build a cell that remembers, by choosing its numbers;
- go through one step backward, line by line, and let a gradient check judge your work;
- plant a bug, see it caught, and say where a check goes blind.

You need to know matrix products and the chain rule, and nothing about LSTMs. Reading takes some 35 minutes, the
exercises some 10; a good place for a break is after section 4.

Each number in the text stands in a cell nearby as an `assert`, so it has been computed, not copied. Questions are
marked **Q1**, **Q2**, ... and answered further down under **A1**, **A2**, ... A notebook comes with its outputs: to
answer before you see them, clear them (in Jupyter: *Edit, Clear Outputs of All Cells*).
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
from npbilstm.textbook import (
    GateParams,
    LSTMParams,
    fuse,
    lstm_forward,
    lstm_step_backward,
    lstm_step_forward,
    sequence_lstm_forward,
    sigmoid,
    sigmoid_derivative,
    tanh,
    tanh_derivative,
)

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

# %% [markdown]
r"""
## Notation

One letter for each size, and one for each quantity. They mean the same thing in this text, in the code, and in the
whole package.

| letter | shape, for one sequence | meaning |
|---|---|---|
| $T$ | | time steps in a sequence; $t$ counts them from 0; a state that a run starts from is called $h_0$, $c_0$ |
| $D$ | | numbers that come in at one step |
| $H$ | | numbers that the cell keeps, its *hidden units* |
| $N$ | | sequences in a batch; from section 5 on |
| $W^x, W^h$ | $(H, D)$, $(H, H)$ | *weights*: matrices, one of each for every gate |
| $b$ | $(H,)$ | *bias*: numbers that are added, for every gate |
| $x$ | $(D,)$ | what comes in at one step |
| $h$ | $(H,)$ | the *hidden state*: what the cell shows to the outside |
| $c$ | $(H,)$ | the *cell state*: what the cell keeps to itself |
| $i, f, g, o$ | $(H,)$ each | input gate, forget gate, candidate, output gate, always in this order |
| $a_i, a_f, a_g, a_o$ | $(H,)$ each | their *pre-activations*: the numbers before sigmoid or tanh |

$h_{prev}$ and $c_{prev}$ are the two states before the step; $h$ and $c$ are those after it. The sign $\odot$
multiplies two vectors entry by entry; in NumPy it is `*`.

The *loss* $L$ is one number that says how wrong the results are. *Training* changes the weights and biases, a little at
a time, so that it becomes smaller; for that it needs the gradient. In the code a `d` in front of a name is a gradient:
`dh` is $\partial L / \partial h$, and has the shape of $h$.

A helper prints arrays with their names and shapes:
"""

# %%
np.set_printoptions(precision=4, suppress=True)


def show(**arrays):
    """Print the name, the shape and the numbers of each array."""
    for name, array in arrays.items():
        print(f"{name:8} {np.shape(array)!s:8} {array}")


# %% [markdown]
r"""
## 1. What a gate does

A gate is a number between 0 and 1 that multiplies another number. At 0 nothing passes, at 1 everything does.
"""

# %%
message = np.array([4.0, 4.0, 4.0])
gate = np.array([0.0, 0.25, 1.0])
show(message=message, gate=gate, passed=gate * message)
assert np.array_equal(gate * message, [0, 1, 4])

# %% [markdown]
r"""
An LSTM computes its gates from what it reads, and a weighted sum can be any number. The *sigmoid*
$\sigma(a) = 1 / (1 + e^{-a})$ takes any number to one between 0 and 1. The function *tanh* takes it to one between $-1$
and 1; an LSTM uses it for contents, which may be negative.
"""

# %%
a = np.array([-8.0, -2.0, 0.0, 2.0, 8.0])
show(a=a, sigmoid=sigmoid(a), tanh=tanh(a))
assert np.allclose(sigmoid(a), 1 / (1 + np.exp(-a)))
assert sigmoid(0.0) == 0.5
assert tanh(0.0) == 0

# %% [markdown]
r"""
Going backward you will need their slopes. Both can be written with the function's *output*, which you have already:

$$\sigma' = s\,(1 - s) \quad\text{with } s = \sigma(a), \qquad\qquad \tanh' = 1 - y^2 \quad\text{with } y = \tanh(a).$$

The package does so: `sigmoid_derivative(s)` and `tanh_derivative(y)` take the output, not $a$.
"""

# %%
BLUE, ORANGE, GREEN, RED = "#0072B2", "#E69F00", "#009E73", "#D55E00"  # told apart by colour-blind readers too
plt.rcParams.update({"figure.dpi": 90, "font.size": 11, "axes.spines.top": False, "axes.spines.right": False})

a = np.linspace(-8, 8, 161)
s, y = sigmoid(a), tanh(a)
fig, axes = plt.subplots(1, 2, figsize=(10, 3.4), layout="constrained")
for ax, out, slope, title in [
    (axes[0], s, sigmoid_derivative(s), "sigmoid: from 0 to 1, its slope at most 1/4"),
    (axes[1], y, tanh_derivative(y), "tanh: from $-1$ to 1, its slope at most 1"),
]:
    ax.plot(a, out, color=BLUE, linewidth=2.5, label="output")
    ax.plot(a, slope, color=RED, linewidth=2, linestyle="--", label="slope")
    ax.set(title=title, xlabel="pre-activation $a$", ylim=(-1.1, 1.1))
    ax.axhline(0, color="0.8", linewidth=1, zorder=0)
    ax.legend(loc="lower right", frameon=False)

# %% [markdown]
r"""
Look at the dashed lines. Where an output comes near its smallest or largest value, its slope goes to 0. The steepest
point is $a = 0$.
"""

# %%
assert np.isclose(sigmoid_derivative(s).max(), 1 / 4)
assert np.isclose(tanh_derivative(y).max(), 1)
assert a[sigmoid_derivative(s).argmax()] == a[tanh_derivative(y).argmax()] == 0

# %% [markdown]
r"""
**Q1.** A gate has $a = 8$: it is almost fully open. Suppose that $\partial L / \partial s$ is 1 for its output $s$: the
loss would fall if the gate were more closed. What is $\partial L / \partial a$? (A1 is in section 6.)
"""

# %% [markdown]
r"""
## 2. One step, with its numbers

A step takes $x$, $h_{prev}$ and $c_{prev}$ and returns $h$ and $c$:

$$
\begin{aligned}
i &= \sigma(W^x_i\, x + W^h_i\, h_{prev} + b_i) & & \text{how much of the candidate to write} \\
f &= \sigma(W^x_f\, x + W^h_f\, h_{prev} + b_f) & & \text{how much of the old cell state to keep} \\
g &= \tanh(W^x_g\, x + W^h_g\, h_{prev} + b_g)  & & \text{the candidate: what could be written} \\
o &= \sigma(W^x_o\, x + W^h_o\, h_{prev} + b_o) & & \text{how much of the cell state to show} \\
c &= f \odot c_{prev} + i \odot g \\
h &= o \odot \tanh(c)
\end{aligned}
$$

Four times the same pattern with four sets of weights, then two lines that combine them. Each of the $H$ units has its
own $i, f, g, o$: the gates are vectors.

Take $D = 3$ and $H = 2$. The weights are made up. `GateParams` holds one matrix for each gate, numbered 0 to 3 in the
order $i, f, g, o$: $W^x_i$ is `Wx[0]`, $W^h_f$ is `Wh[1]`, and $b_o$ is `b[3]`.
"""

# %%
D, H = 3, 2
params = GateParams(
    Wx=np.array(  # (4, H, D)
        [
            [[1.0, 0.5, 0.0], [-1.0, 0.0, 0.5]],  # i
            [[0.5, 0.0, -0.5], [0.0, -1.0, 0.5]],  # f
            [[1.0, -1.0, 0.5], [0.5, 1.0, 0.0]],  # g
            [[0.0, 1.0, -1.0], [-0.5, 0.5, 1.0]],  # o
        ]
    ),
    Wh=np.array(  # (4, H, H)
        [
            [[0.5, -0.5], [0.0, 1.0]],
            [[1.0, 0.0], [-0.5, 0.5]],
            [[0.5, 1.0], [-1.0, 0.5]],
            [[-0.5, 0.5], [1.0, 0.0]],
        ]
    ),
    b=np.array([[0.0, 0.0], [1.0, 1.0], [0.0, 0.0], [0.5, -0.5]]),  # (4, H)
)
assert params.Wx.shape == (4, H, D)
assert params.Wh.shape == (4, H, H)

# %% [markdown]
r"""
An input and a state to start from. Then the four pre-activations:
"""

# %%
x = np.array([1.0, 0.5, -1.0])  # (D,)
h_prev = np.array([0.2, -0.4])  # (H,)
c_prev = np.array([1.0, -0.5])  # (H,)

Wx, Wh, b = params
a_i = np.dot(Wx[0], x) + np.dot(Wh[0], h_prev) + b[0]
a_f = np.dot(Wx[1], x) + np.dot(Wh[1], h_prev) + b[1]
a_g = np.dot(Wx[2], x) + np.dot(Wh[2], h_prev) + b[2]
a_o = np.dot(Wx[3], x) + np.dot(Wh[3], h_prev) + b[3]
show(a_i=a_i, a_f=a_f, a_g=a_g, a_o=a_o)

# %% [markdown]
r"""
Check one of them with pencil and paper. For unit 0 the input gate has
$(1 \cdot 1 + 0.5 \cdot 0.5 + 0 \cdot (-1)) + (0.5 \cdot 0.2 - 0.5 \cdot (-0.4)) + 0 = 1.25 + 0.3 = 1.55$.

Now the sigmoids and the tanh:
"""

# %%
assert np.isclose(a_i[0], 1.55)
i = sigmoid(a_i)
f = sigmoid(a_f)
g = tanh(a_g)
o = sigmoid(a_o)
show(i=i, f=f, g=g, o=o)

# %% [markdown]
r"""
Read the columns. Unit 0 keeps 90 % of its old cell state ($f$) and writes 82 % of its candidate ($i$). Unit 1 keeps
only 43 % and writes 13 %.

Next the cell state, keep plus write:
"""

# %%
assert np.allclose(f, [0.90, 0.43], atol=0.005)
assert np.allclose(i, [0.82, 0.13], atol=0.005)
kept = f * c_prev
written = i * g
c = kept + written
show(c_prev=c_prev, kept=kept, written=written, c=c)

# %% [markdown]
r"""
And what is shown of it. The tanh brings $c$ back between $-1$ and 1 (a sum may have left that range), then the output
gate decides:
"""

# %%
h = o * tanh(c)
show(tanh_c=tanh(c), o=o, h=h)

# %% [markdown]
r"""
That was the whole step. `npbilstm.textbook` holds the package's plain functions, which are written to be read; its loop
over one sequence, `sequence_lstm_forward`, does exactly this at each step. With a sequence of one step it must return
your numbers:
"""

# %%
hs, c_last, _ = sequence_lstm_forward([x], h_prev, c_prev, params)
assert np.array_equal(hs[0], h)
assert np.array_equal(c_last, c)
show(h=hs[0], c=c_last)

# %% [markdown]
r"""
## 3. What the cell state is for

Look again at how the two states go from one step to the next.

- $h_{prev}$ goes through a matrix, is mixed with $x$, and then goes through a sigmoid or a tanh.
- $c_{prev}$ is multiplied by $f$. That is all: $c = f \odot c_{prev} + i \odot g$.

Training changes the weights by following gradients. If something at step 0 matters for the loss at step 100, then its
gradient has to come back over all the steps between. There are two ways back.

A gradient that returns through $h$ is multiplied at each step by slopes and by a matrix (section 6 shows the line).
Over 100 steps these are 100 matrices, one after the other. With a single unit a matrix is one number, and you can see
the problem: $0.9^{100}$ is about $0.00003$, and $1.1^{100}$ is about $14\,000$. The gradient vanishes or explodes.

A gradient that returns through $c$ is multiplied by

$$\frac{\partial c}{\partial c_{prev}} = f \quad\text{(entry by entry: no matrix, no slope of a tanh)}.$$

It cannot explode on this way, because $f$ is never above 1. And it need not vanish: where $f$ is near 1, it passes
almost whole. The other gates do not stand in this factor; they decide what is written and what is shown. The cell
chooses $f$ itself, at every step, for every unit. This is what $c$ is for.

(This is the *direct* way. $c$ also acts on later gates through $h$; those ways do have matrices.)
"""

# %%
assert np.isclose(0.9**100, 0.00003, rtol=0.15)
assert np.isclose(1.1**100, 14_000, rtol=0.02)

# %% [markdown]
r"""
Measure it. Take one unit with all weights and biases 0 except the forget gate's bias, start it with $c_0 = 1$, and let
it run for 100 steps. Nothing is ever written ($g = 0$), so $c_t$ is what is left of the 1, of the message.

`sequence_lstm_forward` returns $h$ of all steps, the last $c$, and a *cache* for each step: the numbers that its way
back will need, here $x, h_{prev}, c_{prev}, i, f, g, o, c$.
"""


# %%
def what_is_left(bias, T=100):
    """The cell state at each of T steps, from c0 = 1, with the forget gate held at sigmoid(bias)."""
    b = np.array([[0.0], [bias], [0.0], [0.0]])  # (4, H) with H = 1: only the forget gate's is set
    params = GateParams(np.zeros((4, 1, 1)), np.zeros((4, 1, 1)), b)
    nothing = [np.zeros(1)] * T
    _, _, caches = sequence_lstm_forward(nothing, np.zeros(1), np.ones(1), params)
    return np.array([c[0] for _x, _h_prev, _c_prev, _i, _f, _g, _o, c in caches])


for bias in [0.0, 1.0, 3.0, 5.0]:
    left = what_is_left(bias)
    print(f"a_f = {bias}   f = {sigmoid(bias):.4f}   left after 100 steps: {left[-1]:.3g}")
    assert np.isclose(left[-1], sigmoid(bias) ** 100)

# %%
fig, ax = plt.subplots(figsize=(8, 3.8), layout="constrained")
for bias, colour in [(0.0, RED), (1.0, ORANGE), (3.0, GREEN), (5.0, BLUE)]:
    left = what_is_left(bias)
    ax.semilogy(np.arange(1, 101), left, color=colour, linewidth=2.5)
    end = np.flatnonzero(left > 1e-7)[-1]
    ax.text(end + 2.5, left[end], f"$f$ = {sigmoid(bias):.3f}", color=colour)
ax.set(title="The forget gate decides how long a message lives", xlabel="steps", ylabel="left of $c_0 = 1$")
ax.set(ylim=(1e-7, 3), xlim=(0, 115))
ax.grid(axis="y", color="0.9")

# %% [markdown]
r"""
The vertical axis is logarithmic. With $f = 0.5$ a thousandth of the message is left after ten steps; with $f$ near 1 it
lives on and on. The same curves tell how much of a gradient comes back along the direct way: it is the product
$f \odot f \odot \dots \odot f$, too.

### Your turn: half of the message

**Q2.** How large must $f$ be for half of the message to be left after 100 steps? And which $a_f$ gives that $f$? Put
your answer in the place of the 1:
"""

# %%
my_a_f = 1.0
left = what_is_left(my_a_f)[-1]
print(f"left: {left:.2g}", "- right" if abs(left - 0.5) < 0.01 else "- not yet: half is to be left")

# %% [markdown]
r"""
### Where to begin

With biases of 0 and small weights $f$ is near 0.5, and the cell forgets within a few steps, before it could learn what
is worth keeping. So one often starts with the forget gate's bias at 1. `nb.LSTM`, which holds its weights itself, does.
Its biases stand in one row, in the order $i, f, g, o$, under a name that says *layer.direction.weight*:
"""

# %%
assert np.isclose(what_is_left(0.0)[9], 0.001, rtol=0.03)  # f = 0.5, ten steps
layer = nb.LSTM(input_size=3, hidden_size=2, rng=0)
show(b=layer.params["0.forward.b"])
assert np.array_equal(layer.params["0.forward.b"], [0, 0, 1, 1, 0, 0, 0, 0])

# %% [markdown]
r"""
**A2.** $f^{100} = 1/2$ gives $f = 0.5^{1/100}$. Solve $f = 1 / (1 + e^{-a})$ for $a$: $e^{-a} = \frac{1}{f} - 1$, so
$a_f = \ln \frac{f}{1 - f}$.
"""

# %%
f_half = 0.5 ** (1 / 100)
a_half = np.log(f_half / (1 - f_half))
print(f"f = {f_half:.4f}, a_f = {a_half:.2f}, left: {what_is_left(a_half)[-1]:.4f}")
assert np.isclose(what_is_left(a_half)[-1], 0.5)

# %% [markdown]
r"""
## 4. A sequence: a cell that remembers

Now you build a memory with one unit, by choosing its weights. Three numbers come in at each step ($D = 3$): a *value*,
a *write* mark and a *read* mark. The cell should keep the value that came with the last write mark, and show it at a
read mark only.

| gate | wish | pre-activation |
|---|---|---|
| $i$ | open at a write mark only | $20 \cdot write - 10$ |
| $f$ | closed at a write mark only | $10 - 20 \cdot write$ |
| $g$ | the value | $value$ |
| $o$ | open at a read mark only | $20 \cdot read - 10$ |

At $\pm 10$ a sigmoid is almost 0 or 1. The unit does not need $h_{prev}$, so `Wh` is 0.
"""

# %%
Wx = np.array([[[0.0, 20.0, 0.0]], [[0.0, -20.0, 0.0]], [[1.0, 0.0, 0.0]], [[0.0, 0.0, 20.0]]])  # (4, 1, 3)
memory = GateParams(Wx, np.zeros((4, 1, 1)), np.array([[-10.0], [10.0], [0.0], [-10.0]]))

T = 24
values = np.random.default_rng(3).uniform(-1, 1, T).round(1)
values[3], values[14] = 0.8, -0.6
write, read = np.zeros(T), np.zeros(T)
write[[3, 14]] = 1
read[[10, 20, 22]] = 1
xs = list(np.stack([values, write, read], axis=1))  # T vectors (3,)

hs, _, caches = sequence_lstm_forward(xs, np.zeros(1), np.zeros(1), memory)
h = np.array(hs)[:, 0]  # (T,)
_x, _h_prev, _c_prev, i, f, _g, o, c = (np.array(arrays) for arrays in zip(*caches))
i, f, o, c = (array[:, 0] for array in (i, f, o, c))  # each (T,)

# %%
fig, (top, middle, bottom) = plt.subplots(
    3, 1, figsize=(10, 6.6), sharex=True, layout="constrained", height_ratios=[1, 0.8, 1.2]
)
t = np.arange(T)
top.bar(t, values, width=0.5, color=np.where(write == 1, ORANGE, "0.75"))
for mark, colour, name in [(write, ORANGE, "write"), (read, BLUE, "read")]:
    for step in t[mark == 1]:
        top.text(step, 1.1, name, ha="center", color=colour, weight="bold")
top.set(title="What comes in: a value at each step, and two marks", ylim=(-1.1, 1.4), ylabel="value")

middle.pcolormesh(t, range(3), [i, f, o], cmap="Greys", vmin=-0.1, vmax=1.2, edgecolors="white", linewidth=2)
middle.invert_yaxis()
middle.set(title="The gates: dark is open (1), light is closed (0)", yticks=range(3))
middle.set_yticklabels(["$i$ (write)", "$f$ (keep)", "$o$ (show)"])

bottom.step(t, c, where="mid", color=GREEN, linewidth=2.5, label="cell state $c$")
bottom.bar(t, h, width=0.5, color=BLUE, label="hidden state $h$")
bottom.set(title="$c$ holds what was marked; $h$ shows it when asked", xlabel="time step $t$", ylim=(-1.1, 1.1))
bottom.legend(loc="upper right", ncols=2, frameon=False)
bottom.set_xticks(t[::2])
bottom.grid(axis="y", color="0.9")
bottom.set_axisbelow(True)

# %% [markdown]
r"""
Follow the green line. It jumps at the two write marks and stays level in between, whatever values pass by. The blue
bars appear at the three read marks only.

The height is not 0.8 but $\tanh(0.8)$, since the candidate is a tanh; and $h$ has one more tanh on top. In numbers:
"""

# %%
print(f"tanh(0.8) = {tanh(0.8):.4f}, c after the write = {c[3]:.4f}, ten steps later = {c[13]:.4f}")
assert np.allclose(c[3:14], tanh(0.8), atol=1e-3)
assert np.allclose(c[14:], tanh(-0.6), atol=1e-3)
assert np.allclose(h[10], tanh(tanh(0.8)), atol=1e-3)
assert np.abs(h[read == 0]).max() < 1e-4

# %% [markdown]
r"""
### Your turn: a cell that adds

**Q3.** At a write mark the forget gate closes and the input gate opens, so the new value *replaces* the old one. Which
single change of a number makes the cell *add* the marked values instead? (A3 is at the end of section 5.)
"""

# %%
mine = GateParams(memory.Wx.copy(), memory.Wh.copy(), memory.b.copy())
# your line: mine.Wx[gate, 0, input] = ... or mine.b[gate, 0] = ..., with gate 0 to 3 for i, f, g, o
my_end = sequence_lstm_forward(xs, np.zeros(1), np.zeros(1), mine)[1][0]
both = tanh(0.8) + tanh(-0.6)
print(f"c ends at {my_end:.3f}, both values are {both:.3f}", "- right" if abs(my_end - both) < 2e-3 else "- not yet")

# %% [markdown]
r"""
These weights were chosen by hand. Training has to find its own by following gradients, which is why the rest of this
tutorial is about them. First, though, the cell needs to be faster.
"""

# %% [markdown]
r"""
## 5. From one sequence to a batch

So far each step made eight small matrix-vector products, for one sequence. Two changes turn this into two larger
products for $N$ sequences at once.

**Rows instead of columns.** A batch of $N$ inputs is an array $(N, D)$ with one sequence in each row. A vector in a row
meets its matrix from the left: $x\, W^{\top}$ in place of $W x$, with $W^{\top}$ for the transpose. So every matrix is
transposed.

**Four matrices side by side.** All four gates read the same $x$. Put their transposed matrices next to each other, and
a single product computes all four pre-activations:

$$W_x = \big[\; (W^x_i)^{\top} \;\big|\; (W^x_f)^{\top} \;\big|\; (W^x_g)^{\top} \;\big|\; (W^x_o)^{\top} \;\big]
\qquad (D, 4H)$$

| quantity | one sequence | batch |
|---|---|---|
| `x` at one step | $(D,)$ | $(N, D)$ |
| `h`, `c` | $(H,)$ | $(N, H)$ |
| `Wx` | $(4, H, D)$ | $(D, 4H)$ |
| `Wh` | $(4, H, H)$ | $(H, 4H)$ |
| `b` | $(4, H)$ | $(4H,)$ |
| pre-activations `a` | four times $(H,)$ | $(N, 4H)$ |
| all inputs | a list of $T$ vectors | $(N, T, D)$ |

`fuse` carries weights over, from `GateParams` to `LSTMParams`. These are the weights of section 2:
"""

# %%
weights = fuse(params)
print("Wx", weights.Wx.shape, " Wh", weights.Wh.shape, " b", weights.b.shape)
for k in range(4):
    block = slice(k * H, (k + 1) * H)  # the columns of gate k
    assert np.array_equal(weights.Wx[:, block], params.Wx[k].T)
    assert np.array_equal(weights.Wh[:, block], params.Wh[k].T)
    assert np.array_equal(weights.b[block], params.b[k])

# %% [markdown]
r"""
One step of a batch, then. Four sequences, with random numbers for inputs and states. The equations are those of
section 2, with one line in place of four for the pre-activations.
"""

# %%
N, T = 4, 6
rng = np.random.default_rng(0)
x = rng.standard_normal((N, T, D))
h0 = rng.standard_normal((N, H))
c0 = rng.standard_normal((N, H))

a = x[:, 0] @ weights.Wx + h0 @ weights.Wh + weights.b  # (N, 4H)
a_i, a_f, a_g, a_o = np.split(a, 4, axis=1)  # each (N, H)
c = sigmoid(a_f) * c0 + sigmoid(a_i) * tanh(a_g)  # (N, H)
h = sigmoid(a_o) * tanh(c)  # (N, H)
print("a", a.shape, " a_i", a_i.shape, " c", c.shape, " h", h.shape)

# %% [markdown]
r"""
Is it the same function? Run `lstm_forward`, the batch version, over all steps, and `sequence_lstm_forward` over each
row alone. Compare every number. ($h_T$ and $c_T$, `h_T` and `c_T` in code, are the states after the last step.)
"""

# %%
h_all, h_T, c_T, _ = lstm_forward(x, h0, c0, weights)
print("h_all", h_all.shape, " h_T", h_T.shape, " c_T", c_T.shape)

difference = 0.0
for n in range(N):
    hs, c_last, _ = sequence_lstm_forward(list(x[n]), h0[n], c0[n], params)
    difference = max(difference, np.abs(np.array(hs) - h_all[n]).max(), np.abs(c_last - c_T[n]).max())
print(f"largest difference: {difference:.0e}")
assert difference < 1e-14
assert np.allclose(h, h_all[:, 0])  # and so is the step by hand

# %% [markdown]
r"""
At most rounding differs. From here on you can think in the simple form and compute in the fast one.

**A3.** To add instead of to replace, leave the forget gate open at all times: set its weight on the write mark to 0,
`mine.Wx[1, 0, 1] = 0`. (Or raise its bias to 30: then it is open whatever the mark says.)
"""

# %%
shut_never = GateParams(memory.Wx, memory.Wh, np.array([[-10.0], [30.0], [0.0], [-10.0]]))
assert np.isclose(sequence_lstm_forward(xs, np.zeros(1), np.zeros(1), shut_never)[1][0], both, atol=2e-3)
adding = GateParams(memory.Wx.copy(), memory.Wh, memory.b)
adding.Wx[1, 0, 1] = 0
_, c_last, _ = sequence_lstm_forward(xs, np.zeros(1), np.zeros(1), adding)
print(f"c at the end = {c_last[0]:.4f}, tanh(0.8) + tanh(-0.6) = {tanh(0.8) + tanh(-0.6):.4f}")
assert np.isclose(c_last[0], tanh(0.8) + tanh(-0.6), atol=2e-3)

# %% [markdown]
r"""
## 6. One step backward, line by line

Backward means: you know how the loss changes with the step's outputs, and you want to know how it changes with the
step's inputs and weights.

What you are given is `dh` and `dc`, both $(N, H)$. They come from what is after the step: from the loss, and from the
next step, which reads $h$ and $c$. One exception from the notation: the `dc` that is given is not all of
$\partial L / \partial c$, only the share that comes from there directly, with this step's $h$ held fixed; $c$ acts
through $h$ as well, and that share is added below. Here you make both up; they are what this loss gives:

$$L = \sum dh \odot h + \sum dc \odot c .$$

Run the step forward and take all intermediate values from its cache. That of a batch's step holds
$x, h_{prev}, c_{prev}, i, f, g, o, \tanh(c)$ and the weights.
"""

# %%
dh = rng.standard_normal((N, H))
dc = rng.standard_normal((N, H))
h_prev, c_prev = rng.standard_normal((2, N, H))
h, c, cache = lstm_step_forward(x[:, 0], h_prev, c_prev, weights)
_x, _h_prev, _c_prev, i, f, g, o, tanh_c, _weights = cache  # each gate (N, H)

# %% [markdown]
r"""
Now walk the equations from the last to the first. The last was $h = o \odot \tanh(c)$. Two things stand in it, $o$ and
$c$:

$$do = dh \odot \tanh(c), \qquad\qquad dc_{total} = dc + dh \odot o \odot \tanh'(c).$$

Why a sum? Because $c$ is read twice: by $h$ in this step, and by the next step, from where `dc` came. A
quantity that is used in two places gets the sum of both gradients, and only the sum, `dc_total`, is
$\partial L / \partial c$.
"""

# %%
do = dh * tanh_c
dc_total = dc + dh * o * tanh_derivative(tanh_c)

# %% [markdown]
r"""
The equation before it was $c = f \odot c_{prev} + i \odot g$. Each of the four factors gets `dc_total` times its
partner:
"""

# %%
di = dc_total * g
df = dc_total * c_prev
dg = dc_total * i
dc_prev = dc_total * f  # the direct way back of section 3

# %% [markdown]
r"""
Through sigmoid and tanh, to the pre-activations. Each is multiplied by its own slope, taken from its output.
"""

# %%
da_i = di * sigmoid_derivative(i)
da_f = df * sigmoid_derivative(f)
da_g = dg * tanh_derivative(g)
da_o = do * sigmoid_derivative(o)
da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)  # (N, 4H), in the order of the columns of Wx

# %% [markdown]
r"""
**A1.** The answer to Q1: $\partial L / \partial a = \partial L / \partial s \cdot \sigma' = s (1 - s)$. At $a = 8$
that is 0.0003, against 0.25 at $a = 0$. The weights of a gate that is fully open or shut get hardly any gradient, and
so training hardly moves them: it could not easily change the memory cell of section 4, at $\pm 10$.
"""

# %%
print(f"slope at a = 8: {sigmoid_derivative(sigmoid(8.0)):.6f}, at a = 0: {sigmoid_derivative(sigmoid(0.0)):.6f}")
assert round(sigmoid_derivative(sigmoid(8.0)), 4) == 0.0003

# %% [markdown]
r"""
The first equation was $a = x\, W_x + h_{prev}\, W_h + b$. Write a product $a = x\, W$ in its entries,
$a_{nk} = \sum_d x_{nd} W_{dk}$, and use the chain rule for each:

$$
\begin{aligned}
dx_{nd} &= \textstyle\sum_k da_{nk} W_{dk}, & & \text{which is } dx = da\, W^{\top}, \\
dW_{dk} &= \textstyle\sum_n x_{nd}\, da_{nk}, & & \text{which is } dW = x^{\top} da.
\end{aligned}
$$

The shapes remind you of it: `dx` must be $(N, D)$, and a product of `da` $(N, 4H)$ and `Wx` $(D, 4H)$ has that shape in
one way only. The weights are the same in all $N$ rows, so their gradients are sums over the rows. In $x^{\top} da$ the
product does the sum; for `b` you write it.
"""

# %%
dx = da @ weights.Wx.T  # (N, 4H) (4H, D) -> (N, D)
dh_prev = da @ weights.Wh.T  # (N, 4H) (4H, H) -> (N, H)
dWx = x[:, 0].T @ da  # (D, N) (N, 4H) -> (D, 4H)
dWh = h_prev.T @ da  # (H, N) (N, 4H) -> (H, 4H)
db = da.sum(axis=0)  # (4H,)
print("dx", dx.shape, " dh_prev", dh_prev.shape, " dWx", dWx.shape, " dWh", dWh.shape, " db", db.shape)

# %% [markdown]
r"""
Done. These are the lines of `lstm_step_backward`, so it must agree:
"""

# %%
*theirs, their_grads = lstm_step_backward(dh, dc, cache)
for yours, expected in zip([dx, dh_prev, dc_prev, dWx, dWh, db], [*theirs, *their_grads]):
    assert yours.shape == expected.shape
    assert np.allclose(yours, expected, rtol=0, atol=1e-14)

# %% [markdown]
r"""
A whole sequence backward is this step in a loop, from $t = T - 1$ down to 0. The `dh_prev` and `dc_prev` of one step
are the `dh` and `dc` of the step before it (plus what the loss says about that step's $h$), and the gradients of the
weights are summed over the steps. This is *backpropagation through time*, BPTT. It is `lstm_backward` in
`npbilstm/textbook/lstm.py`.
"""

# %% [markdown]
r"""
## 7. Is it right? A gradient check

Agreement with another program proves little, if both can make the same mistake. The definition of a derivative is
the better judge: change one number a bit and look at what the loss does.

The usual way is the *central difference*

$$L'(p) \approx \frac{L(p + s) - L(p - s)}{2 s}.$$

A large step $s$ is inexact. (From here on $s$ is a step, no longer a sigmoid's output.) But with a small step you
subtract two nearly equal numbers, and few right digits are left. There is a way without subtraction. Take a step in
the *imaginary* direction; the upright $\mathrm{i}$ is the imaginary unit, not the gate:

$$L(p + \mathrm{i} s) = L(p) + \mathrm{i} s\, L'(p) - \tfrac{1}{2} s^2 L''(p) - \dots
\qquad\Rightarrow\qquad L'(p) \approx \frac{\mathrm{Im}\, L(p + \mathrm{i} s)}{s}.$$

This is the *complex step*. With $s = 10^{-20}$ what was left out is far below rounding. It only needs a loss that can
be computed with complex numbers, and NumPy does that. Try the ways on one entry of `Wx`:
"""


# %%
def loss(p):
    """The loss of section 6, for a dict of everything that it depends on."""
    h, c, _ = lstm_step_forward(p["x"], p["h_prev"], p["c_prev"], LSTMParams(p["Wx"], p["Wh"], p["b"]))
    return (dh * h).sum() + (dc * c).sum()


point = {"x": x[:, 0], "h_prev": h_prev, "c_prev": c_prev, **weights._asdict()}
point = {name: array.copy() for name, array in point.items()}  # arrays of their own, no views into larger ones


def loss_at(step):
    """The loss with Wx[0, 0] moved by the step, which may be complex."""
    moved = point["Wx"].astype(np.result_type(step, float))
    moved[0, 0] += step
    return loss({**point, "Wx": moved})


for s in [1e-2, 1e-5, 1e-12]:
    central = (loss_at(s) - loss_at(-s)) / (2 * s)
    print(f"central difference, s = {s:.0e}: differs from dWx[0, 0] by {abs(central - dWx[0, 0]):.0e}")
complex_step = loss_at(1e-20j).imag / 1e-20
print(f"complex step,       s = 1e-20: differs from dWx[0, 0] by {abs(complex_step - dWx[0, 0]):.0e}")
assert abs(complex_step - dWx[0, 0]) < 1e-14 < abs(central - dWx[0, 0])

# %% [markdown]
r"""
Central differences are at their best somewhere in the middle. The complex step is right to the last digits, so it can
be strict.

`nb.check_gradients` does this for every entry of every array. Give it the loss, the point, and your gradients under
the same names:
"""

# %%
grads = {"x": dx, "h_prev": dh_prev, "c_prev": dc_prev, "Wx": dWx, "Wh": dWh, "b": db}
report = nb.check_gradients(loss, point, grads, method="complex")
print(report.verdict)
assert report.ok

# %% [markdown]
r"""
Your lines of section 6 are right.
"""

# %% [markdown]
r"""
## 8. Plant a bug

A check that cannot fail is no check. So make a mistake on purpose and see whether it is found. Here are your lines once
more as a function, with a switch. The bug is a common one: the slope $\tanh'(c)$ is forgotten.
"""


# %%
def step_backward(dh, dc, cache, forget_slope=False):
    """The lines of section 6; with forget_slope, without tanh'(c)."""
    x, h_prev, c_prev, i, f, g, o, tanh_c, weights = cache
    slope = 1 if forget_slope else tanh_derivative(tanh_c)  # the bug
    dc = dc + dh * o * slope
    da_i = dc * g * sigmoid_derivative(i)
    da_f = dc * c_prev * sigmoid_derivative(f)
    da_g = dc * i * tanh_derivative(g)
    da_o = dh * tanh_c * sigmoid_derivative(o)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)
    dx, dh_prev, dc_prev = da @ weights.Wx.T, da @ weights.Wh.T, dc * f
    return {"x": dx, "h_prev": dh_prev, "c_prev": dc_prev, "Wx": x.T @ da, "Wh": h_prev.T @ da, "b": da.sum(axis=0)}


# %% [markdown]
r"""
**Q4.** With this bug some entries of `db` are still right. Which ones, and why?

Without the bug, then with it:
"""

# %%
assert nb.check_gradients(loss, point, step_backward(dh, dc, cache)).ok

wrong = step_backward(dh, dc, cache, forget_slope=True)
report = nb.check_gradients(loss, point, wrong)
print(report)
assert not report.ok

# %% [markdown]
r"""
How to read the report. Its first sentence is the verdict. Then there is a line for each array: how many of its entries
were checked, the largest difference, that difference divided by the largest number of the array's gradient, the entry
that is furthest off, the value it should have, and the value it got. The line *whole gradient* checks all of them at
once: everything is moved together along one random direction, and the loss has to change as the gradient says. The
last sentence tells what central differences say along that direction with ever shorter steps: of a right gradient the
difference becomes tiny, of a wrong one it stays.

Here the check says *WRONG* for every array. Nothing crashed and every shape is right: without a check you would have
nothing to notice it by.

**A4.** The bug sits in `dc`. The gates $i$, $f$ and $g$ get their gradients through `dc`, the output gate gets its own
from `dh` directly. So the last block of `db`, the output gate's, is right. Such a pattern tells you where to search.
"""

# %%
off = np.abs(wrong["b"] - db).reshape(4, H).max(axis=1)  # one number for each gate
show(off_i_f_g_o=off)
assert (off[:3] > 1e-3).all()
assert off[3] == 0

# %% [markdown]
r"""
## 9. Where a check goes blind

Why random numbers of about 1, and not small tidy ones? Make everything a hundred times smaller and check the buggy
gradient again, by central differences, with one part in a thousand allowed.
"""

# %%
small = {name: array / 100 for name, array in point.items()}
*_, small_cache = lstm_step_forward(
    small["x"], small["h_prev"], small["c_prev"], LSTMParams(small["Wx"], small["Wh"], small["b"])
)
wrong = step_backward(dh, dc, small_cache, forget_slope=True)
lenient = nb.check_gradients(loss, small, wrong, method="central", tolerance=1e-3)
print(lenient.verdict)
strict = nb.check_gradients(loss, small, wrong, method="complex")
print(strict.verdict)
assert lenient.ok
assert not strict.ok

# %% [markdown]
r"""
The lenient check lets the bug pass. Where $c$ is near 0, $\tanh'(c) = 1 - \tanh(c)^2$ is almost exactly 1, and
forgetting it changes next to nothing. The strict check still rejects it. Two rules follow: check at a point where
nothing is small, zero or equal, and be as strict as the method allows.

## Three questions

1. Which of the four gates decides how much of a gradient comes back along the cell state, and why not the others?
2. Why is `dc` a sum of two shares in a step's backward pass?
3. Why does a gate at $a = 8$ learn slowly?

<details><summary>Answers</summary>

1. The forget gate: $\partial c / \partial c_{prev} = f$. The others decide what is written and shown, not what is kept.
2. The cell is read twice: by $h$ in this step, and by the next step.
3. Its slope is 0.0003 there, and every gradient that reaches the gate is multiplied by it.
</details>

## Where to go next

- Plant your own bugs in `step_backward`: swap `g` and `i` in the lines of `da_i` and `da_g`, leave out `c_prev`, write
  `f` for `o` in the line of `dc`. The report's names will be much the same for all three; guess what the blocks of `b`
  say, as in A4.
- Read `npbilstm/textbook/lstm.py`. You know every line of `lstm_step_forward` and `lstm_step_backward` by now; the two
  functions after them are the loop over time, forward and backward.
- Run `npbilstm check` in a terminal. It checks every gradient of the package in the way of section 7.
- The next tutorial, *Two directions, time-aligned* (`two_directions.ipynb`), adds a second LSTM that reads the
  sequence in reverse, and sequences of unequal length.
"""
