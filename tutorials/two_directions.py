# %% [markdown]
r"""
# Two directions, time-aligned

When you are through you will be able to

- build a bidirectional LSTM whose two halves speak about the same step, and see at a glance if they do not;
- reverse rows of unequal length, and say what padding may never do;
- take the right vector for a whole sequence;
- go backward through it, and check all gradients.

An LSTM that reads from left to right knows, at each step, the earlier steps and none of the later ones. Often that is
not enough. In a line of Python, what makes a name a call is the bracket *after* it. A bidirectional LSTM runs two LSTMs
over the same sequence, one from the first step to the last, one from the last to the first, and joins what they say
about each step. The idea fits into one line: *flip in, run, flip out*. The mistakes that one can make with it do not.

You need the first tutorial, *One cell, equation by equation*, or an idea of what an LSTM computes. Reading takes some
25 minutes, the exercise some 10. Each number is an `assert` in a cell nearby, and the questions (**Q1**, **Q2**, ...)
are answered further down (**A1**, **A2**, ...). A notebook comes with its outputs: to answer before you see them, clear
them (in Jupyter: *Edit, Clear Outputs of All Cells*).
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
    BiLSTMParams,
    LSTMParams,
    bilstm_backward,
    bilstm_forward,
    flip,
    lstm_backward,
    lstm_forward,
)

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

# %% [markdown]
r"""
## Notation

| letter | meaning |
|---|---|
| $N, T, D$ | sequences in a batch, time steps, numbers that come in at one step; $x$ is $(N, T, D)$ |
| $H$ | hidden units of *each* direction |
| $t$ | a time step, counted from 0, always in the order of the input |
| $h_{fwd}$, $h_{rev}$ | outputs of the forward and of the reverse direction, each $(N, T, H)$ |
| $y$ | both outputs side by side, $(N, T, 2H)$ |
| $h_T$, $c_T$ | each direction's state when it has read all of a row, $(2, N, H)$: forward, then reverse |
| `lengths` | $(N,)$: how many steps of each row are real; the rest is padding |

The second LSTM is the *reverse direction*. The word *backward* is kept for the way of the gradient: both directions
have a forward and a backward pass.

The two directions share nothing. Here are random weights for both. They are *distinct*, or swapping the two would go
unnoticed; and no bias is 0, for a reason that you will see in section 3.
"""

# %%
D, H = 3, 4
rng = np.random.default_rng(0)


def random_weights():
    """Weights of one direction, with the gates' blocks in the order i, f, g, o."""
    return LSTMParams(
        Wx=rng.standard_normal((D, 4 * H)), Wh=rng.standard_normal((H, 4 * H)), b=rng.standard_normal(4 * H)
    )


params = BiLSTMParams(forward=random_weights(), reverse=random_weights())


def run_lstm(x, weights):
    """The outputs (N, T, H) of one LSTM that starts from zero states."""
    zero = np.zeros((len(x), len(weights.Wh)))
    h, _, _, _ = lstm_forward(x, zero, zero, weights)
    return h


# %% [markdown]
r"""
## 1. Flip in, run, flip out

Take sequences of equal length first. The reverse direction needs no code of its own. Give an ordinary LSTM the
sequence with its steps reversed, and reverse what it puts out:
"""


# %%
def run_forward(x):
    """h_fwd (N, T, H)."""
    return run_lstm(x, params.forward)


def run_reverse(x):
    """h_rev (N, T, H), each output at the step that it was made for."""
    return run_lstm(x[:, ::-1], params.reverse)[:, ::-1]


def run_both(x):
    """y (N, T, 2H)."""
    return np.concatenate([run_forward(x), run_reverse(x)], axis=2)


N, T = 50, 8
x = rng.standard_normal((N, T, D))
print("x", x.shape, " h_fwd", run_forward(x).shape, " h_rev", run_reverse(x).shape, " y", run_both(x).shape)
assert run_both(x).shape == (N, T, 2 * H)

# %% [markdown]
r"""
Why the second flip? Follow step 7, the last one. The reverse direction reads it first, so its output comes out first.
Flipped, it stands at the end again, at step 7: next to what the forward direction says about step 7. The two halves of
`y[:, t]` speak about the same step. That is what *time-aligned* means.

**Q1.** Suppose somebody forgets the second flip. All shapes stay right and nothing crashes. What does the reverse half
of `y[:, t]` then know about? (A1 is in section 2.)
"""

# %% [markdown]
r"""
## 2. What each direction knows

You can ask a network what it knows. Nudge the input at one step $s$, and see at which steps $t$ the output moves. Do
this for each $s$, and you have a picture of $T \times T$ squares. (Each square is a mean over the sequences of the
batch and over the units.)
"""


# %%
def influence(run, x):
    """How far the output at step t (row) moves when the input at step s (column) is nudged: (T, T)."""
    T = x.shape[1]
    moved = np.zeros((T, T))
    for s in range(T):
        nudged = x.copy()
        nudged[:, s] += 0.5
        moved[:, s] = np.abs(run(nudged) - run(x)).mean(axis=(0, 2))
    return moved


# %%
past, future, both = influence(run_forward, x), influence(run_reverse, x), influence(run_both, x)
assert np.array_equal(past > 0, np.tri(T, dtype=bool))  # t >= s: lower triangle
assert np.array_equal(future > 0, np.tri(T, dtype=bool).T)  # t <= s: upper triangle
assert (both > 0).all()

# %%
plt.rcParams.update({"figure.dpi": 90, "font.size": 11})


def draw_influence(ax, moved, title):
    """One picture; cells that do not move at all are left white."""
    shade = np.where(moved > 0, np.log10(np.maximum(moved, 1e-300)), np.nan)
    image = ax.pcolormesh(shade, cmap="cividis_r", vmin=-2.2, vmax=-0.9, edgecolors="white", linewidth=1)
    ax.set(title=title, aspect="equal", xlabel="nudged input step $s$", ylabel="output step $t$")
    ax.set(xticks=np.arange(len(moved)) + 0.5, yticks=np.arange(len(moved)) + 0.5)
    ax.set_xticklabels(range(len(moved)))
    ax.set_yticklabels(range(len(moved)))
    ax.invert_yaxis()
    return image


fig, axes = plt.subplots(1, 3, figsize=(11, 3.9), layout="constrained")
draw_influence(axes[0], past, "forward knows the past")
draw_influence(axes[1], future, "reverse knows the future")
image = draw_influence(axes[2], both, "together they know all")
bar = fig.colorbar(image, ax=axes, ticks=[-2, -1.5, -1], shrink=0.75, label="output moves by")
bar.set_ticklabels(["0.01", "0.03", "0.1"])
bar.outline.set_visible(False)

# %% [markdown]
r"""
Read a row: it shows which inputs the output at step $t$ depends on. A white cell is exactly 0.

- Forward: row $t$ is filled up to column $t$. It has read the steps 0 to $t$, the *lower triangle*.
- Reverse: row $t$ is filled from column $t$ on. It has read the steps $t$ to $T - 1$, the *upper triangle*.
- Both have read step $t$ itself. Side by side they leave no gap.

The colours fade away from the diagonal: what was read long ago has less effect. These are random weights; training
decides what is kept for long.
"""

# %%
for moved, side in [(past, -1), (future, 1)]:
    fading = [np.diag(moved, side * k).mean() for k in range(T)]  # at distance 0, 1, ... from the diagonal
    print("moves by, at distance 0, 1, ...:", np.round(fading, 3))
    assert fading == sorted(fading, reverse=True)

# %% [markdown]
r"""
**A1.** Without the second flip the reverse half of `y[:, t]` is the output that belongs to step $T - 1 - t$. At step 0
it stands for the last step, and at the last step for the first. The picture shows it at once:
"""


# %%
def run_misaligned(x):
    """The reverse direction with its second flip forgotten."""
    return run_lstm(x[:, ::-1], params.reverse)


misaligned = influence(run_misaligned, x)
fig, axes = plt.subplots(1, 2, figsize=(7.6, 3.9), layout="constrained")
draw_influence(axes[0], future, "flipped out: aligned")
image = draw_influence(axes[1], misaligned, "flip forgotten: upside down")
bar = fig.colorbar(image, ax=axes, ticks=[-2, -1.5, -1], shrink=0.75, label="output moves by")
bar.set_ticklabels(["0.01", "0.03", "0.1"])
assert np.allclose(misaligned, future[::-1], rtol=1e-12, atol=0)

# %% [markdown]
r"""
The same rows in the wrong order. All shapes are right and nothing crashes, so look at such a picture when you have
written a bidirectional LSTM of your own.
"""

# %% [markdown]
r"""
## 3. Unequal lengths

Real sequences differ in length. To put them into one array they are padded at the end, and `lengths` says where each
one stops. Take three "sequences" of letters, with dots as padding:
"""

# %%
letters = np.array([list("abcdef"), list("ghij.."), list("kl....")])  # (N, T) = (3, 6)
lengths = np.array([6, 4, 2])


def words(rows):
    """Each row of letters as one word."""
    return ["".join(row) for row in rows]


print("as they are      ", words(letters))
print("plain [:, ::-1]  ", words(letters[:, ::-1]))
print("flip with lengths", words(flip(letters, lengths)))
assert words(letters[:, ::-1]) == ["fedcba", "..jihg", "....lk"]
assert words(flip(letters, lengths)) == ["fedcba", "jihg..", "lk...."]

# %% [markdown]
r"""
The plain reversal brings the padding to the front. An LSTM would read the dots first and arrive at the first real
letter with a state that comes from nothing. `flip` reverses the real steps of each row and leaves the padding where it
is. At the real steps, $t < \ell_n$ with $\ell_n$ the length of row $n$, it is

$$\mathrm{flip}(x)[n, t] = x[n,\; \ell_n - 1 - t].$$

Flipping twice changes nothing, so the same function serves for the way in and the way out.
"""

# %%
assert np.array_equal(flip(flip(letters, lengths), lengths), letters)

# %% [markdown]
r"""
### Your turn: flip

**Write `flip` yourself**, for arrays `x` $(N, T, ...)$ of numbers. What is here is the plain reversal; mend it until
the cell says that it is right. (`nb.diagnose` runs it on small cases and compares; `hint=2` in its call says more.)
"""


# %%
def my_flip(x, lengths=None):
    """The first lengths[n] steps of each row n reversed, the rest where it is; without lengths all T steps."""
    lengths = np.full(x.shape[0], x.shape[1]) if lengths is None else lengths
    flipped = x.copy()
    for n in range(x.shape[0]):
        flipped[n] = x[n, ::-1]
    return flipped


print(nb.diagnose({"flip": my_flip}))

# %% [markdown]
r"""
<details><summary>The answer</summary>

`flipped[n, : lengths[n]] = x[n, : lengths[n]][::-1]`: a row's real steps are `x[n, : lengths[n]]`, and the rest stays
as it was copied.
</details>

### Does it matter?

**Q2.** The padding is usually filled with zeros. Does it do any harm to read some zeros first?

Measure it. The judge is each row alone, cut to its length: then there is no padding at all.
"""

# %%
N, T = 3, 6
x = rng.standard_normal((N, T, D))
padding = np.arange(T) >= lengths[:, None]  # (N, T), True in the padding
x[padding] = 0.0


def plain_error(weights):
    """For each row: how far the plain reversal is from that row run alone."""
    plain = run_lstm(x[:, ::-1], weights)[:, ::-1]
    errors = []
    for n, length in enumerate(lengths):
        alone = run_lstm(x[n : n + 1, :length][:, ::-1], weights)[:, ::-1]
        errors.append(np.abs(plain[n, :length] - alone[0]).max())
    return np.array(errors)


for n, error in enumerate(plain_error(params.reverse)):
    print(f"row {n}, {T - lengths[n]} padded steps: wrong by {error:.2f}")
assert plain_error(params.reverse)[0] < 1e-12
assert (plain_error(params.reverse)[1:] > 0.05).all()

# %% [markdown]
r"""
**A2.** Yes. The row without padding is right, the others are not, although the padding is all zeros. The biases are the
cause: at the first step, with $x = 0$ and $h = 0$, the pre-activations are just $b$, and some of the candidate
$\tanh(b_g)$ is written.

Now take biases as before training, 0 everywhere but 1 for the forget gate, and look again:
"""

# %%
fresh = params.reverse._replace(b=np.repeat([0.0, 1.0, 0.0, 0.0], H))
print(f"largest error with fresh biases: {plain_error(fresh).max():.0e}")
assert plain_error(fresh).max() < 1e-12

# %% [markdown]
r"""
The mistake cannot be seen. With $b_g = 0$ and zero states the candidate is $\tanh(0) = 0$, nothing is written, and the
state waits at 0. A test with fresh biases and zero padding passes, and then training changes the biases. So test with
biases that are not 0, and with rubbish in the padding.
"""

# %% [markdown]
r"""
### The rules for padding

`bilstm_forward` does both directions with `lengths`. Its rules:

1. Outputs at padded steps are exactly 0.
2. At a padded step the state is held, so $h_T$ and $c_T$ are the states after each row's last *real* step.
3. What stands in the padding never matters.

Rule 3 is easy to test in the hardest way: put NaN there. A NaN that is touched even once, even if multiplied by 0,
spreads to everything after it.
"""

# %%
zero = np.zeros((2, N, H))
y, h_T, c_T, cache = bilstm_forward(x, zero, zero, params, lengths)

rubbish = x.copy()
rubbish[padding] = np.nan
y_rubbish, h_T_rubbish, c_T_rubbish, _ = bilstm_forward(rubbish, zero, zero, params, lengths)

assert (y[padding] == 0).all()
assert np.array_equal(y, y_rubbish)
assert np.array_equal(h_T, h_T_rubbish)
assert np.array_equal(c_T, c_T_rubbish)
print("y", y.shape, " padded steps:", padding.sum(), " NaN in y:", np.isnan(y_rubbish).sum())

# %% [markdown]
r"""
And the padded batch gives for each row what the row gives alone:
"""

# %%
for n, length in enumerate(lengths):
    alone = run_both(x[n : n + 1, :length])
    assert np.allclose(y[n, :length], alone[0], rtol=0, atol=1e-12)

# %% [markdown]
r"""
## 4. The trap at the end: `y[:, -1]`

To give a whole sequence one label you need one vector for all of it. With a one-directional LSTM people take the output
at the last step, `y[:, -1]`.

**Q3.** What is wrong with `y[:, -1]` of a bidirectional LSTM? Look at the last row of the three pictures in section 2
before you go on. And what is it in a row with padding?

Nudge each input step again, and see what two candidates make of it: the reverse half of `y[:, -1]`, and the reverse
direction's final state `h_T[1]`.
"""


# %%
def last_output(x):
    """The reverse half of y[:, -1], as (N, 1, H)."""
    zero = np.zeros((2, len(x), H))
    return bilstm_forward(x, zero, zero, params)[0][:, -1:, H:]


def final_state(x):
    """The reverse direction's h_T, as (N, 1, H)."""
    zero = np.zeros((2, len(x), H))
    _, h_T, _, _ = bilstm_forward(x, zero, zero, params)
    return h_T[1][:, None]


full = x[:1]  # row 0, which has no padding
seen_by_last = influence(last_output, full)[0]  # (T,): there is one output only, so all rows are alike
seen_by_final = influence(final_state, full)[0]
assert np.array_equal(seen_by_last > 0, [False, False, False, False, False, True])
assert (seen_by_final > 0).all()

# %%
fig, axes = plt.subplots(1, 2, figsize=(9, 3.2), sharey=True, layout="constrained")
for ax, seen, title in [
    (axes[0], seen_by_last, "reverse half of y[:, -1]:\nhas read one step"),
    (axes[1], seen_by_final, "reverse direction's h_T[1]:\nhas read them all"),
]:
    ax.bar(range(T), seen, color="#0072B2")
    ax.set(title=title, xlabel="nudged input step $s$", xticks=range(T))
    ax.set(ylabel="moves by" if ax is axes[0] else "")
    ax.spines[["top", "right"]].set_visible(False)
    ax.grid(axis="y", color="0.9")
    ax.set_axisbelow(True)

# %% [markdown]
r"""
**A3.** The reverse direction *begins* at the last step. In `y[:, -1]` it has read one step only; half of your vector
knows almost nothing of the sequence. And in a padded row the last step is padding, so all of `y[:, -1]` is 0: neither
half knows anything.

Use the final states. Each is the state of a direction that has read everything, padding excluded:

- `h_T[0]`, forward: the output at the last *real* step, `y[n, lengths[n] - 1, :H]`;
- `h_T[1]`, reverse: the output at step 0, `y[n, 0, H:]`.
"""

# %%
assert (y[1:, -1] == 0).all()  # rows 1 and 2 are padded
for n in range(N):
    assert np.array_equal(h_T[0, n], y[n, lengths[n] - 1, :H])
    assert np.array_equal(h_T[1, n], y[n, 0, H:])
summary = np.concatenate([h_T[0], h_T[1]], axis=1)  # (N, 2H): this is the one to use
print("summary", summary.shape)

# %% [markdown]
r"""
`nb.SequenceClassifier` does this for you. If you need a label for each step instead, as `nb.SequenceTagger` gives, all
of `y` is what you want.
"""

# %% [markdown]
r"""
## 5. Backward

You are given `dy` $(N, T, 2H)$, and `dh_T` and `dc_T` $(2, N, H)$: the gradients with respect to all that came out. Go
through the forward pass from its end to its start.

| forward | backward |
|---|---|
| join the halves | *split* `dy` into halves |
| flip the reverse outputs | *flip* the reverse half |
| run each LSTM | *BPTT* through each LSTM |
| flip the reverse inputs | *flip* the reverse `dx` |
| both read the same $x$ | *add* the two `dx` |

Two of these deserve a reason. Flip is its own backward: it only moves numbers, so a gradient has to move back the same
way, and flip undoes flip. And the two `dx` are added because $x$ is used twice; a quantity that is used in two places
gets the sum of both gradients.

Nothing is zero at the point where you check: the initial states are random now, and so is the padding.
"""

# %%
x[padding] = rng.standard_normal((padding.sum(), D))
h0, c0 = rng.standard_normal((2, 2, N, H))
y, h_T, c_T, cache = bilstm_forward(x, h0, c0, params, lengths)

dy = rng.standard_normal((N, T, 2 * H))
dh_T = rng.standard_normal((2, N, H))
dc_T = rng.standard_normal((2, N, H))

# %%
dh_fwd, dh_rev = np.split(dy, 2, axis=2)  # split: each (N, T, H)
dh_rev = flip(dh_rev, lengths)  # flip
dx_fwd, dh0_fwd, dc0_fwd, grads_fwd = lstm_backward(dh_fwd, dh_T[0], dc_T[0], cache.forward)  # BPTT
dx_rev, dh0_rev, dc0_rev, grads_rev = lstm_backward(dh_rev, dh_T[1], dc_T[1], cache.reverse)
dx = dx_fwd + flip(dx_rev, lengths)  # flip and add
print("dx", dx.shape, " dWx", grads_fwd.Wx.shape, "and", grads_rev.Wx.shape)

# %% [markdown]
r"""
These are the lines of `bilstm_backward`. Padded steps have had no effect, so their gradient must be exactly 0, whatever
`dy` holds there.
"""

# %%
dx_expected, dh0, dc0, grads = bilstm_backward(dy, dh_T, dc_T, cache)
assert np.array_equal(dx, dx_expected)
assert np.array_equal(grads.reverse.Wx, grads_rev.Wx)
assert (dx[padding] == 0).all()

# %% [markdown]
r"""
Now the check, with the complex step. The loss $\sum dy \odot y + \sum dh_T \odot h_T + \sum dc_T \odot c_T$ has exactly
these gradients with respect to $y$, $h_T$ and $c_T$. Any names will do; these tell the directions apart.
"""


# %%
def join(x, h0, c0, forward, reverse):
    """One dict from all inputs and both directions' weights, or from their gradients."""
    both = {"forward": forward, "reverse": reverse}
    arrays = {f"{name}.{key}": w for name, weights in both.items() for key, w in weights._asdict().items()}
    return {"x": x, "h0": h0, "c0": c0, **arrays}


def loss(p):
    """The loss, for a dict as join makes it."""
    trial = BiLSTMParams(*(LSTMParams(*(p[f"{name}.{key}"] for key in ("Wx", "Wh", "b"))) for name in params._fields))
    y, h_T, c_T, _ = bilstm_forward(p["x"], p["h0"], p["c0"], trial, lengths)
    return (dy * y).sum() + (dh_T * h_T).sum() + (dc_T * c_T).sum()


# %%
point = join(x, h0, c0, *params)
report = nb.check_gradients(loss, point, join(dx, dh0, dc0, *grads))
print(report.verdict)
assert report.ok

# %% [markdown]
r"""
**Q4.** Plant a bug: leave out the flip of `dx_rev`. Which gradients does the check call wrong? Decide before you look
at the output below.
"""

# %%
buggy = join(dx_fwd + dx_rev, dh0, dc0, *grads)  # flip(dx_rev, lengths) forgotten
report = nb.check_gradients(loss, point, buggy)
for row in report.rows:
    print(f"{'ok' if row.ok else 'WRONG':6} {row.name}")
assert [row.name for row in report.rows if not row.ok] == ["x"]

# %% [markdown]
r"""
**A4.** Only `x`. The weights of both directions got their gradients before the last flip. If $x$ is
plain data, you would never notice, for nobody needs its gradient. But LSTMs are often stacked: a second one, the next
*layer*, reads the outputs of a first one as its $x$. Then the first would be trained with gradients at the wrong steps.
That is why a check has to cover the inputs too.
"""

# %% [markdown]
r"""
## 6. The same as a layer

`nb.BiLSTM` is this computation with the weights inside, in a faster form. Its weights are in one flat dict, under
names of the form *layer.direction.weight*. Make one, hand its weights to the textbook's functions, and compare all
numbers, forward and backward.
"""

# %%
layer = nb.BiLSTM(input_size=D, hidden_size=H, dtype=np.float64, rng=0)
for name, array in layer.params.items():
    print(f"{name:14} {array.shape}")
same = BiLSTMParams(
    *(LSTMParams(*(layer.params[f"0.{name}.{key}"] for key in ("Wx", "Wh", "b"))) for name in ("forward", "reverse"))
)

# %%
y_layer, (h_n, c_n), layer_cache = layer.forward(x, lengths, (h0, c0), training=True)  # keeps the cache
y, h_T, c_T, cache = bilstm_forward(x, h0, c0, same, lengths)
for here, there in [(y, y_layer), (h_T, h_n), (c_T, c_n)]:
    assert np.allclose(here, there, rtol=0, atol=1e-12)

dx_layer, grads_layer, (dh_0, dc_0) = layer.backward(dy, layer_cache, (dh_T, dc_T))
dx, dh0, dc0, grads = bilstm_backward(dy, dh_T, dc_T, cache)
for here, there in [(dx, dx_layer), (dh0, dh_0), (dc0, dc_0)]:
    assert np.allclose(here, there, rtol=0, atol=1e-12)
for direction in ("forward", "reverse"):
    for key, d in getattr(grads, direction)._asdict().items():
        assert np.allclose(d, grads_layer[f"0.{direction}.{key}"], rtol=0, atol=1e-12)
print("y", y_layer.shape, " h_n", h_n.shape, " the same to 1e-12, forward and backward")

# %% [markdown]
r"""
`h_n` is what was called `h_T` here, and PyTorch's name for it. Of several layers it holds one after the other, forward
before reverse, so the last two entries belong to the last layer.
"""

# %% [markdown]
r"""
## 7. A task that needs the future

A last experiment, as small as can be. The symbols are 0 and 1, drawn at random. At each step the question is: *is the
next symbol a 1?* (At the last step the answer is no.)

**Q5.** How often can a one-directional LSTM be right? And a bidirectional one?
"""

# %%
rng = np.random.default_rng(1)


def examples(count):
    """Pairs of symbols (T,) and answers (T,), with T from 10 to 20."""
    pairs = []
    for _ in range(count):
        symbols = rng.integers(0, 2, rng.integers(10, 21))
        pairs.append((symbols, np.append(symbols[1:], 0)))
    return pairs


train, valid = examples(300), examples(100)
print("symbols", train[0][0])
print("answers", train[0][1])
always_no = np.mean(np.concatenate([answers for _, answers in valid]) == 0)
print(f"always saying no is right in {always_no:.0%} of all steps")

# %% [markdown]
r"""
Two models, alike except that one has no reverse direction. Each is a `nb.SequenceTagger`: four numbers stand for each
symbol (its *embedding*), an LSTM with eight hidden units per direction reads them, and an affine map of its output
makes two numbers at each step, *scores*, one for no and one for yes; the larger one is the answer. Both are trained in
the same way, eight times over all sequences (eight *epochs*), by `nb.Trainer`, which pads the batches and passes the
lengths on, and the optimizer Adam (*Mini-batches, padding and a training loop* is about both). What is measured is how
often they are right on sequences that are *held out*, not trained on. It takes some seconds.
"""

# %%
accuracy = {}
for name, bidirectional in [("two directions", True), ("one direction", False)]:
    model = nb.SequenceTagger(
        num_symbols=2, num_classes=2, embedding_size=4, hidden_size=8, bidirectional=bidirectional, dtype=float, rng=0
    )
    trainer = nb.Trainer(model, nb.Adam(0.02), nb.Settings(epochs=8, batch_size=20))
    history = trainer.train(train, valid, show=False)
    accuracy[name] = [epoch["valid_accuracy"] for epoch in history]
    print(f"{name}: {accuracy[name][-1]:.0%}")
assert accuracy["two directions"][-1] > 0.99
assert max(accuracy["one direction"]) < always_no + 0.05

# %%
fig, ax = plt.subplots(figsize=(8, 3.6), layout="constrained")
epochs = range(1, 9)
for name, colour in [("two directions", "#0072B2"), ("one direction", "#D55E00")]:
    ax.plot(epochs, accuracy[name], marker="o", linewidth=2.5, color=colour)
    ax.text(8.2, accuracy[name][-1] + 0.01, name, color=colour, va="bottom" if name == "one direction" else "center")
ax.axhline(always_no, color="0.3", linestyle=":", linewidth=1.5, zorder=0)
ax.text(8.2, always_no - 0.01, "always saying no", color="0.3", va="top")
ax.set(title="Only the reverse direction has seen the next symbol", xlabel="epoch", ylabel="right answers, held out")
ax.set(ylim=(0.4, 1.03), xlim=(0.8, 10.2), xticks=epochs)
ax.spines[["top", "right"]].set_visible(False)
ax.grid(axis="y", color="0.9")

# %% [markdown]
r"""
**A5.** The symbols are independent, so the past says nothing about the next one. One direction cannot beat always
saying no, except by luck, however long it is trained and however large it is (55 % against 54 % is luck, on 100
sequences). The reverse direction has read the next symbol one step before; it only needs to remember it. With both,
every answer can be right.

## Three questions

1. In which order does the reverse direction read a row of length 4 in an array of 7 steps, and where does its final
   state stand in `y`?
2. Why is the backward pass of `flip` another `flip`, and why are the two `dx` added?
3. Which mistake cannot be seen with biases of 0 and a padding of 0?

<details><summary>Answers</summary>

1. Steps 3, 2, 1, 0. The final state is the output at step 0, `y[n, 0, H:]`.
2. It only moves numbers, so gradients move back the same way, and it is its own inverse. Both directions read the same
   $x$: what is used twice gets the sum of both gradients.
3. Reading the padding: with a candidate of 0 nothing is written, and the state waits at 0.
</details>

## Where to go next

- The next tutorial, *Backpropagation through time, by hand* (`through_time.ipynb`), writes out the BPTT of section 5;
  *Mini-batches, padding and a training loop* (`training_loop.ipynb`) begins where this one ends.
- Change the task to *was the symbol before a 1?* Does either model fail now? (The last cell has done it.) Then ask
  about the symbol three steps ahead, with more epochs: what has to be remembered, and by which gate?
- Plant other bugs in section 5: flip without `lengths`, leave out the flip of `dh_rev`, hand out the gradients of the
  forward direction's weights for both. Guess the report first.
- Read `npbilstm/textbook/sequences.py` and `npbilstm/textbook/bidirectional.py`. You have met every idea in them.
- Run `npbilstm demo` in a terminal. It trains a bidirectional tagger on Python source code, and a one-directional one
  beside it, and shows where the second direction makes the difference.
"""

# %% [markdown]
r"""
The answers were computed, too. *Was the symbol before a 1?* asks of the past alone, and both models know it:
"""


# %%
def answer_to_flip(x, lengths=None):
    """flip, as the answer of section 3 has it."""
    flipped = x.copy()
    for n, length in enumerate(np.full(x.shape[0], x.shape[1]) if lengths is None else lengths):
        flipped[n, :length] = x[n, :length][::-1]
    return flipped


assert nb.diagnose({"flip": answer_to_flip}).ok
assert nb.diagnose({"flip": lambda x, lengths=None: x[:, ::-1]}).verdict == "wrong"
assert abs(accuracy["one direction"][-1] - always_no) < 0.05

before = [[(symbols, np.append(0, symbols[:-1])) for symbols, _ in pairs] for pairs in (train, valid)]
for bidirectional in (True, False):
    model = nb.SequenceTagger(
        num_symbols=2, num_classes=2, embedding_size=4, hidden_size=8, bidirectional=bidirectional, dtype=float, rng=0
    )
    history = nb.Trainer(model, nb.Adam(0.02), nb.Settings(epochs=8, batch_size=20)).train(*before, show=False)
    print(f"{'two directions' if bidirectional else 'one direction'}: {history[-1]['valid_accuracy']:.0%}")
    assert history[-1]["valid_accuracy"] > 0.99
