# %% [markdown]
r"""
# Mini-batches, padding and a training loop

When you are through you will be able to

- put series of unequal length into one array, and say why what stands in the padding never matters;
- take a mean over what is real, and see what a mean over everything does;
- write a training loop by hand, in fifteen lines, and check its gradient before you trust it;
- say whether the model has learned anything: against a *baseline*, a rule that needs no training, on series that it has
  not seen.

You need an idea of an LSTM's forward and backward pass (*One cell*, *Backpropagation through time*). Reading takes some
15 minutes, the exercise some 10. Questions (**Q1**, ...) are answered further down (**A1**, ...). A notebook comes with
its outputs: to answer before you see them, clear them (in Jupyter: *Edit, Clear Outputs of All Cells*).
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

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "0.55"

# %% [markdown]
r"""
## 1. Series of unequal length

Each series is an oscillation with a frequency, a phase and a size of its own, measured with noise, for 15 to 40
steps. The task: **say the next value**, at every step. Somebody who has seen one value can say little. After some
steps the frequency can be known, and with it what comes next. So there is something to be remembered.
"""

# %%
rng = np.random.default_rng(0)
NOISE = 0.05


def one_series():
    """(T_n, 1): an oscillation with noise."""
    T = rng.integers(15, 41)
    frequency, phase, size = rng.uniform(0.3, 1.2), rng.uniform(0, 2 * np.pi), rng.uniform(0.5, 1.0)
    clean = size * np.sin(frequency * np.arange(T) + phase)
    return (clean + NOISE * rng.standard_normal(T))[:, None]


train, held_out = [one_series() for _ in range(300)], [one_series() for _ in range(60)]
print("the first three:", [series.shape for series in train[:3]])

# %%
fig, ax = plt.subplots(figsize=(9, 3), layout="constrained")
for series, colour in zip(train[:3], [BLUE, ORANGE, GREY]):
    ax.plot(series[:, 0], "o-", markersize=3, color=colour)
ax.set(title="Three series: frequency, phase, size and length are their own", xlabel="time step $t$", ylabel="value")
ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
r"""
## 2. One array for a batch

One step of training looks at a few series at once, a *mini-batch*: its gradient is a mean over all of them, and one
product of matrices serves them all. An array needs rows of one length, though. So the shorter ones are padded at their
end, and `lengths` says what is real:
"""

# %%
x, lengths = nb.pad([series[:-1] for series in train[:20]])  # what is read: all but the last value
targets, _ = nb.pad([series[1:] for series in train[:20]])  # what is to be said: all but the first
N, T, D = x.shape
print("x", x.shape, " targets", targets.shape, " lengths", lengths)
real = np.arange(T) < lengths[:, None]  # (N, T)
print(f"{1 - real.mean():.0%} of the array is padding")
assert x.shape == targets.shape == (20, lengths.max(), 1)
assert (x[~real] == 0).all()

# %% [markdown]
r"""
The model: an LSTM over the values, and an affine map from its hidden state to one number. Both have `forward` and
`backward`; their weights are arrays in flat dicts, `params`. The LSTM returns its outputs, its final states
`(h_n, c_n)`, and a cache for the way back.
"""

# %%
H = 24


def new_model():
    """The two layers, with fresh weights."""
    return nb.LSTM(1, H, dtype=float, rng=0), nb.Linear(H, 1, dtype=float, rng=1)


def forward(lstm, linear, x, lengths):
    """x (N, T, 1) -> predictions (N, T, 1), caches."""
    h, _, lstm_cache = lstm.forward(x, lengths, training=True)  # nobody needs the final states here
    predictions, linear_cache = linear.forward(h)
    return predictions, (lstm_cache, linear_cache)


lstm, linear = new_model()
predictions, _ = forward(lstm, linear, x, lengths)
print(
    "predictions",
    predictions.shape,
    " weights",
    {name: p.shape for name, p in {**lstm.params, **linear.params}.items()},
)

# %% [markdown]
r"""
Does the padding matter? It never does, because the LSTM knows `lengths`. At a padded step it puts out 0 and *holds* its
state: $h$ and $c$ stay what they were, so `h_n` and `c_n` are the states after each row's last real step. And what has
no effect has no gradient: `dx` is 0 there. The proof: fill the padding with NaN, which spreads to everything that
touches it, and compare.
"""

# %%
rubbish = np.where(real[:, :, None], x, np.nan)
again, _ = forward(lstm, linear, rubbish, lengths)
assert np.array_equal(again[real], predictions[real])
h, (h_n, _), cache = lstm.forward(rubbish, lengths, training=True)
dx, _, _ = lstm.backward(np.ones_like(h), cache)
assert (h[~real] == 0).all()
assert (dx[~real] == 0).all()
assert np.array_equal(h_n[0], h[np.arange(N), lengths - 1])
alone, _ = forward(lstm, linear, x[3:4, : lengths[3]], None)
assert np.allclose(alone[0], predictions[3, : lengths[3]], rtol=0, atol=1e-12)
print("the padding is never read: at padded steps h is 0 and dx is 0, and row 3 says the same as when it is alone")

# %% [markdown]
r"""
## 3. A mean over what is real

The loss is the mean squared error over all numbers that are not padding: the sum of their squared errors, divided by
their count $M$. Here each step has one number, so $M = \sum_n \ell_n$; with $K$ numbers a step it is $K \sum_n \ell_n$.

**Q1.** Suppose it is divided by $N \cdot T$ instead, padding included. The errors in the padding are set to 0, so
the sum is right. What goes wrong?
"""

# %%
loss, cache = nb.mean_squared_error_forward(predictions, targets, lengths)
error = np.where(real[:, :, None], predictions - targets, 0)
print(f"over what is no padding {loss:.4f}, over everything {np.mean(error**2):.4f}")
assert np.isclose(loss, (error**2).sum() / lengths.sum())
assert np.isclose(np.mean(error**2), loss * real.mean())

# %% [markdown]
r"""
**A1.** The loss and all gradients are too small, by the share of the batch that is real. This share differs from
batch to batch: how large a step you take depends on which lengths happen to meet. Nothing crashes.

### Your turn

Here are the loss and its gradient as many people write them at first, and **one line is wrong. Mend it, and run the
cell again until it says that it is right.** The names are those of the package's plain functions,
`npbilstm.textbook`, so `nb.diagnose` can compare: it runs yours on small cases and knows many mistakes. For a stronger
hint put `hint=2` into its call, or `hint=3`.
"""


# %%
def mean_squared_error_forward(predictions, targets, lengths=None):
    """predictions (N, T, ...), targets alike, lengths (N,) or None -> loss, cache."""
    N, T = predictions.shape[:2]
    valid = np.ones((N, T), bool) if lengths is None else np.arange(T) < np.asarray(lengths)[:, None]
    valid = valid.reshape(N, T, *[1] * (predictions.ndim - 2)) & np.ones(predictions.shape, bool)  # of each number
    error = np.where(valid, predictions - targets, 0)
    M = error.size
    return (error**2).sum() / M, (error, M)


def mean_squared_error_backward(dloss, cache):
    """dloss: the gradient of the loss itself, 1 where nothing comes after it -> dpredictions, as the predictions."""
    error, M = cache
    return dloss * 2 * error / M


mine = {
    "mean_squared_error_forward": mean_squared_error_forward,
    "mean_squared_error_backward": mean_squared_error_backward,
}
print(nb.diagnose(mine))

# %% [markdown]
r"""
<details><summary>The answer</summary>

`M = valid.sum()`: how many numbers are real. (`max(..., 1)`, for a batch of which nothing is.) The backward pass is
right as it stands: it uses the same `M`. A gradient check sees nothing here, since the gradient is that of the wrong
loss.
</details>

## 4. The gradient, checked before it is used

Backward through the model in the opposite order: loss, affine map, LSTM. Both layers' weights go into one dict, so
that the check sees all of them, and so does the *optimizer*, the rule by which section 5 changes weights.
"""


# %%
def backward(lstm, linear, dpredictions, caches):
    """The gradients of all weights, by name."""
    dh, linear_grads = linear.backward(dpredictions, caches[1])
    _, lstm_grads, _ = lstm.backward(dh, caches[0])
    return {**lstm_grads, **linear_grads}


def loss_of(params):
    """The loss for these weights, which may be complex."""
    one = lstm.with_params({name: params[name] for name in lstm.params})
    two = linear.with_params({name: params[name] for name in linear.params})
    return nb.mean_squared_error_forward(forward(one, two, x, lengths)[0], targets, lengths)[0]


predictions, caches = forward(lstm, linear, x, lengths)
_, cache = nb.mean_squared_error_forward(predictions, targets, lengths)
grads = backward(lstm, linear, nb.mean_squared_error_backward(1.0, cache), caches)
report = nb.check_gradients(loss_of, {**lstm.params, **linear.params}, grads, entries=20)
print(report.verdict)
assert report.ok

# %% [markdown]
r"""
It compares single numbers, 20 of each array, and then all weights moved together along one random direction.

What does this check *not* see? That the loss is the wrong one: the gradient of a wrong loss can be computed without any
mistake. A loss that is not the one you mean (section 3), inputs and targets that are off by a step, a step of training
that is far too large: all pass.

## 5. The loop

Fifteen lines, and each does one thing. An *epoch* goes over all series once, in a new order, so that
the mini-batches are other ones each time. `clip_by_global_norm` shortens a gradient that is longer than 1, so that a
rare huge one does not throw the weights far away (Pascanu et al. 2013). An optimizer moves each weight a little against
its gradient. This one is Adam (Kingma & Ba 2015): it chooses the size of each weight's step from the gradients it has
seen. The *learning rate*, 0.01, is a factor of every step. Sixty epochs take some seconds.
"""

# %%
lstm, linear = new_model()
weights, adam, curve = {**lstm.params, **linear.params}, nb.Adam(0.01), []
for _ in range(60):
    order, losses = rng.permutation(len(train)), []
    for start in range(0, len(order), 20):
        batch = [train[n] for n in order[start : start + 20]]
        x, lengths = nb.pad([series[:-1] for series in batch])
        targets, _ = nb.pad([series[1:] for series in batch])
        predictions, caches = forward(lstm, linear, x, lengths)
        loss, cache = nb.mean_squared_error_forward(predictions, targets, lengths)
        grads = backward(lstm, linear, nb.mean_squared_error_backward(1.0, cache), caches)
        grads, norm = nb.clip_by_global_norm(grads, 1.0)
        adam.step(weights, grads)  # changes the layers' own arrays
        losses.append(loss)
    curve.append(np.mean(losses))
print("loss of the epochs 1, 5, 60:", np.round([curve[0], curve[4], curve[59]], 4))
assert weights["W"] is linear.params["W"]
assert curve[-1] < curve[0] / 5

# %% [markdown]
r"""
## 6. Has it learned anything?

A loss by itself says nothing. Compare, on the series that were held out:

- *the same again*: the next value is the present one;
- *straight on*: the present one plus the last change;
- no model at all can be better than the noise, whose variance is $0.05^2 = 0.0025$.

**Q2.** Which of the first two will be better?
"""

# %%
x, lengths = nb.pad([series[:-1] for series in held_out])
targets, _ = nb.pad([series[1:] for series in held_out])
predictions, _ = forward(lstm, linear, x, lengths)
before = np.concatenate([x[:, :1], x[:, :-1]], axis=1)
answers = {"the same again": x, "straight on": 2 * x - before, "the LSTM": predictions}
errors = {name: float(nb.mean_squared_error_forward(said, targets, lengths)[0]) for name, said in answers.items()}
for name, value in errors.items():
    print(f"{name:15} {value:.4f}")
assert errors["the LSTM"] < errors["straight on"] / 4 < errors["the same again"] / 4
assert errors["the LSTM"] > NOISE**2
assert np.allclose([errors["straight on"], errors["the same again"]], [0.139, 0.168], atol=0.001)

# %%
fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.6), layout="constrained", width_ratios=[1, 1.4])
left.semilogy(range(1, 61), curve, color=BLUE, linewidth=2.2)
left.axhline(NOISE**2, color="0.3", linestyle=":")
left.text(60, NOISE**2 * 1.06, "noise", ha="right", va="bottom", color="0.3")
left.set(title="The loss comes down; below the noise it cannot", xlabel="epoch", ylabel="mean squared error")
longest = int(lengths.argmax())
t = np.arange(1, lengths[longest] + 1)
right.plot(t, targets[longest, : len(t), 0], "o-", color="0.6", markersize=4, label="measured")
right.plot(t, predictions[longest, : len(t), 0], "s-", color=BLUE, markersize=3, label="said one step before")
right.set(title="A series that it has not seen", xlabel="time step $t$", ylabel="value")
right.legend(frameon=False, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.18))
for ax in (left, right):
    ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
r"""
**A2.** *Straight on*: 0.139 against 0.168. An oscillation is nearly straight over a step. The LSTM is many times better
than both, and yet above the noise. Look at the picture's first steps: there it cannot know yet, and is off. By step:
"""

# %%
squared = np.where((np.arange(x.shape[1]) < lengths[:, None])[:, :, None], (predictions - targets) ** 2, 0)[:, :, 0]
by_step = squared[:, :14].mean(axis=0)  # so many real steps has every row
print("mean squared error at steps 0, 1, ...:", by_step.round(3)[:8])
print(
    f"that of step 7 is {by_step[7] / NOISE**2:.1f} times the noise, that of step 0 {by_step[0] / NOISE**2:.0f} times"
)
assert by_step[0] > 60 * NOISE**2
assert by_step[7:].max() < 4 * NOISE**2

# %% [markdown]
r"""
At step 0 it can only guess; from step 7 on it is within four times the noise. So it finds out the frequency
of each series *while it reads*, and keeps it in its state: the weights are the same for all series.
"""

# %% [markdown]
r"""
## Three questions

1. Row 7 of a batch has length 12 and the array has 40 steps. What is the LSTM's output at step 20 of this row, what
   is the gradient of `x` there, and which state is `h_n`?
2. Why must the loss be divided by the count of numbers that are not padding, and not by that of all?
3. The gradient check passed, and training does not come down. Name two faults that a gradient check cannot see.

<details><summary>Answers</summary>

1. Exactly 0; exactly 0; the state after step 11, which is held through the padding.
2. Or the size of the gradient depends on how much padding a batch happens to have.
3. A loss that is not the one that you mean (section 3), inputs and targets that are off by a step, a learning rate
   far too large or small. The gradient of a wrong loss can be computed without any mistake.
</details>
"""

# %% [markdown]
r"""
## Where to go next

- Leave out the clipping; take a learning rate of 0.3. Guess first. `nb.GRU` and `nb.RNN` are other cells that can stand
  in the LSTM's place: with two gates, and with none.
- `nb.Trainer` is this loop with a progress bar, checkpoints and metrics; `npbilstm train` is it for your own files.
- *Checking gradients* (`checking_gradients.ipynb`): what the check of section 4 does.
"""

# %% [markdown]
r"""
The answers were computed, too:
"""

# %%
y, (h_n, _), cache = lstm.forward(np.ones((1, 40, 1)), [12], training=True)
dx, _, _ = lstm.backward(np.ones_like(y), cache)
assert (y[0, 12:] == 0).all()
assert (dx[0, 12:] == 0).all()
assert np.array_equal(h_n[0, 0], y[0, 11])


def over(count):
    """The loss of section 3 and its gradient, divided by count(error, how many numbers are real)."""

    def loss_forward(predictions, targets, lengths=None):
        error = predictions - targets
        if lengths is not None:
            error = np.where(nb.textbook.valid_steps(lengths, error.shape[1])[:, :, None], error, 0)
        M = count(error, error.size if lengths is None else np.sum(lengths) * error.shape[2])
        return (error**2).sum() / M, (error, M)

    return {
        "mean_squared_error_forward": loss_forward,
        "mean_squared_error_backward": lambda dloss, cache: dloss * 2 * cache[0] / cache[1],
    }


assert nb.diagnose(over(lambda error, valid: error.size)).verdict == "wrong"
assert nb.diagnose(over(lambda error, valid: max(valid, 1))).ok
