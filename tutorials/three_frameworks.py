# %% [markdown]
r"""
# The same model in PyTorch, Keras and here

When you are through you will be able to

- say where each framework keeps the numbers of an LSTM: which block is which gate, what is transposed, how many
  biases;
- carry weights across, and judge by outputs *and* gradients that nothing was mixed up;
- avoid two traps: the two biases, and the last column of a bidirectional output.

You need a BiLSTM's shapes (*Two directions, time-aligned*), and neither framework: what they computed stands in
`three_frameworks.npz`, beside this text. Where one of them is installed, it computes all of it again, and the
numbers are compared. Reading takes some 10 minutes, the exercise some 5. Questions (**Q1**, ...) are answered further
down (**A1**, ...). A notebook comes with its outputs: to answer before you see them, clear them (in Jupyter: *Edit,
Clear Outputs of All Cells*).
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
import sys
from pathlib import Path

import numpy as np

import npbilstm as nb

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

PLACES = [Path("three_frameworks.npz"), Path("tutorials/three_frameworks.npz")]
STORE = "--store" in sys.argv  # with both frameworks: python tutorials/three_frameworks.py --store
if not STORE and not any(path.exists() for path in PLACES):
    raise SystemExit(f"three_frameworks.npz is not in {Path.cwd().name}; put it there, or start where this text stands")
stored = {} if STORE else dict(np.load(next(path for path in PLACES if path.exists())))

# %% [markdown]
r"""
## 1. One computation

A bidirectional LSTM, $D = 2$, $H = 3$, over $N = 3$ rows of $T = 5$ steps, in float64. `dy` is the gradient from
above, the same for all three: the loss is $\sum dy \odot y$.
"""

# %%
N, T, D, H = 3, 5, 2, 3
rng = np.random.default_rng(0)
x, dy = rng.standard_normal((N, T, D)), rng.standard_normal((N, T, 2 * H))
layer = nb.BiLSTM(D, H, dtype=np.float64, rng=0)
for name in ("0.forward.b", "0.reverse.b"):
    layer.params[name][...] = rng.standard_normal(4 * H)  # 0 would hide mistakes
y, (h_n, c_n), cache = layer.forward(x, training=True)
dx, grads, _ = layer.backward(dy, cache)
for name, p in layer.params.items():
    print(f"{name:14} {p.shape}")

# %% [markdown]
r"""
## 2. Where they keep the numbers

`nb.to_pytorch` and `nb.to_keras` write the weights as the two keep them:
"""

# %%
state, weights = nb.to_pytorch(layer), nb.to_keras(layer)
for name, p in state.items():
    print(f"PyTorch  {name:24} {p.shape}")
for k, p in enumerate(weights):
    print(f"Keras    weights[{k}] {'':13} {p.shape}")

# %%
fig, axes = plt.subplots(1, 3, figsize=(11, 4.2), layout="constrained", width_ratios=[3, 1.1, 3])
ours, torchs, kerass = layer.params["0.forward.Wx"], state["weight_ih_l0"], weights[0]
for ax, array, title in zip(axes, [ours, torchs, kerass], ["here: Wx (D, 4H)", "PyTorch: (4H, D)", "Keras: (D, 4H)"]):
    ax.pcolormesh(array, cmap="PuOr_r", vmin=-1.2, vmax=1.2, edgecolors="white", linewidth=1)
    ax.invert_yaxis()
    ax.set(title=title, aspect="equal", xticks=[], yticks=[])
    for k, gate in enumerate("ifgo"):
        place = (-0.6, (k + 0.5) * H) if array.shape[0] > array.shape[1] else ((k + 0.5) * H, D + 0.4)
        ax.text(*place, gate, ha="center", va="center", weight="bold")
        border = ax.axhline if array.shape[0] > array.shape[1] else ax.axvline
        border(k * H, color="0.3", linewidth=1.5)
bar = fig.colorbar(axes[0].collections[0], ax=axes, label="weight", shrink=0.6)

# %% [markdown]
r"""
The same numbers three times. Here and in Keras a batch has its vectors in rows, $x W$; PyTorch writes $W x$ for each
of them, so its matrix is the transpose of ours. The order of the gates is $i, f, g, o$ in all three (Keras calls $g$
*c*).

`nb.from_pytorch` and `nb.from_keras` go the other way, from a state dict or a list of weights to a layer. There and
back nothing may change:
"""

# %%
for back in (nb.from_pytorch(state), nb.from_keras(weights)):
    assert all(np.array_equal(back.params[name], p) for name, p in layer.params.items())
print("there and back: the same numbers")

# %% [markdown]
r"""

**Q1.** PyTorch has two biases, `bias_ih` and `bias_hh`, where there is one here. What follows for their gradients?
"""

# %%
assert np.array_equal(torchs.T, ours)
assert np.array_equal(kerass, ours)
assert np.array_equal(state["bias_ih_l0"] + state["bias_hh_l0"], layer.params["0.forward.b"])

# %% [markdown]
r"""
## 3. What PyTorch computes

The code that computed it, once, with PyTorch. Its own gradients come from automatic differentiation, its *autograd*,
which knows nothing of this package.
"""


# %%
def with_pytorch():
    """y, dx and the gradients of all weights, by PyTorch's names."""
    import torch

    lstm = torch.nn.LSTM(D, H, batch_first=True, bidirectional=True).double()
    lstm.load_state_dict({name: torch.tensor(p) for name, p in state.items()})
    its_x = torch.tensor(x, requires_grad=True)
    its_y, _ = lstm(its_x)
    its_y.backward(torch.tensor(dy))
    its_grads = {f"torch.d{name}": p.grad.numpy() for name, p in lstm.named_parameters()}
    return {"torch.y": its_y.detach().numpy(), "torch.dx": its_x.grad.numpy(), **its_grads}


if find_spec("torch"):
    fresh = with_pytorch()
    stored.update(fresh if STORE else {})
    assert all(np.allclose(fresh[name], stored[name], rtol=0, atol=1e-12) for name in fresh)

# %%
assert np.allclose(stored["torch.y"], y, rtol=0, atol=1e-12)
assert np.allclose(stored["torch.dx"], dx, rtol=0, atol=1e-12)
assert np.allclose(stored["torch.dweight_hh_l0_reverse"].T, grads["0.reverse.Wh"], rtol=0, atol=1e-12)
print("outputs, dx and the gradients of the weights: the same to 1e-12")

# %% [markdown]
r"""
**A1.** Both are added to the same pre-activation, so each gets the whole gradient, not a half. An optimizer that
steps both of them moves their sum twice as far: the same learning rate, the factor before the gradient in a step, is
not the same training.
"""

# %%
names, rate = ("bias_ih_l0", "bias_hh_l0"), 0.1
for name in names:
    assert np.allclose(stored[f"torch.d{name}"], grads["0.forward.b"], rtol=0, atol=1e-12)
theirs = sum(rate * stored[f"torch.d{name}"] for name in names)  # how far one step moves the sum
print("a step with two biases, by that with one:", np.round(theirs / (rate * grads["0.forward.b"]), 12)[:3], "...")

# %% [markdown]
r"""
## 4. What Keras computes

Its outputs alone: Keras has its gradients from the framework that it runs on, here PyTorch, and section 3 compared
those.
"""


# %%
def with_keras():
    """y, with Keras on PyTorch, in float64."""
    os.environ.setdefault("KERAS_BACKEND", "torch")
    import keras

    one_direction = keras.layers.LSTM(H, return_sequences=True, dtype="float64")
    bidirectional = keras.layers.Bidirectional(one_direction, dtype="float64")
    bidirectional.build((N, T, D))
    bidirectional.set_weights(weights)
    return {"keras.y": keras.ops.convert_to_numpy(bidirectional(x))}


if find_spec("keras") and find_spec("torch"):
    fresh = with_keras()
    stored.update(fresh if STORE else {})
    assert all(np.allclose(fresh[name], stored[name], rtol=0, atol=1e-12) for name in fresh)

# %%
print(f"Keras and here differ by less than 1e-12: {np.abs(stored['keras.y'] - y).max() < 1e-12}")
assert np.allclose(stored["keras.y"], y, rtol=0, atol=1e-12)

# %% [markdown]
r"""
**Q2.** Somebody carries the weights over and swaps the two directions. All shapes fit. Which comparison tells, that
of the loss, $\sum dy \odot y$, or that of $y$?
"""

# %%
swapped = nb.BiLSTM(D, H, dtype=np.float64, rng=0)
for name, p in layer.params.items():
    other = name.replace("forward", "?").replace("reverse", "forward").replace("?", "reverse")
    swapped.params[other][...] = p
y_swapped = swapped.forward(x)[0]
print(f"loss: {(dy * y).sum():.2f}, with the directions swapped {(dy * y_swapped).sum():.2f}")
print(f"largest difference in y: {np.abs(y_swapped - y).max():.2f}")
assert np.abs(y_swapped - y).max() > 0.1

# %% [markdown]
r"""
**A2.** $y$, number by number, tells for certain. A loss is one number, and that of the swapped model is a number like
any other: who has nothing to compare it with sees nothing. Compare outputs and gradients with weights that are all
different, and biases that are not 0.
"""

# %% [markdown]
r"""
## 5. Your turn: the last column

In all three, people take `y[:, -1]` where one vector has to stand for a whole sequence. **Write `summary`, $(N, 2H)$:
each direction's state when it has read everything, forward first.** The check compares with `h_n`. What is here is what
people write: mend it until the cell says that it is right.
"""


# %%
def summary(y):
    """y (N, T, 2H) -> (N, 2H)."""
    return y[:, -1]


def check_summary(summary):
    """Whether both halves are right, in a sentence."""
    wanted, got = np.concatenate(list(h_n), axis=1), np.asarray(summary(y))
    if got.shape != wanted.shape:
        return f"not yet: the summary has the shape {got.shape}; it needs (N, 2H) = {wanted.shape}"
    if np.allclose(got, np.roll(wanted, H, axis=1)):
        return "not yet: the halves are swapped; forward comes first"
    halves = {"forward": slice(0, H), "reverse": slice(H, 2 * H)}
    wrong = [name for name, half in halves.items() if not np.allclose(got[:, half], wanted[:, half])]
    return f"not yet: the {' and the '.join(wrong)} half is not the final state" if wrong else "right"


print(check_summary(summary))

# %% [markdown]
r"""
<details><summary>The answer</summary>

`np.concatenate([y[:, -1, :H], y[:, 0, H:]], axis=1)`: the reverse direction has read everything when it is at step
0. With rows of unequal length, take `h_n` in all three frameworks.
</details>
"""

# %% [markdown]
r"""
## Three questions

1. Which of the three keep `Wx` as $(4H, D)$, and in which order are the gates' blocks?
2. Why does each of PyTorch's two biases have the whole gradient?
3. You have carried weights over. What do you compare, and with which weights?

<details><summary>Answers</summary>

1. PyTorch; $i, f, g, o$ in all three.
2. Both are added to the same pre-activations: $\partial a / \partial b_{ih} = \partial a / \partial b_{hh} = 1$.
3. Outputs and gradients of all weights and of $x$, entry by entry, in float64, with distinct weights and biases that
   are not 0.
</details>

## Where to go next

- [The same thing in PyTorch, Keras and here](guides/peers.md): options side by side, files, ONNX, and where they
  differ.
- The next tutorial, *A syntax highlighter and a part-of-speech tagger* (`taggers.ipynb`), has models for text.
"""

# %% [markdown]
r"""
The answers were computed, too:
"""

# %%
assert check_summary(lambda y: np.concatenate([y[:, -1, :H], y[:, 0, H:]], axis=1)) == "right"
assert check_summary(lambda y: y[:, -1]) == "not yet: the reverse half is not the final state"
assert check_summary(lambda y: np.concatenate([y[:, 0, H:], y[:, -1, :H]], axis=1)).endswith("forward comes first")
assert check_summary(lambda y: y[:, -1, :H]).endswith("it needs (N, 2H) = (3, 6)")

# %%
if STORE:
    np.savez_compressed(PLACES[1] if Path("tutorials").exists() else PLACES[0], **stored)
