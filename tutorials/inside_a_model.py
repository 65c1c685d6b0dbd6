# %% [markdown]
r"""
# What the gates do: inside a trained model

When you are through you will be able to

- look at every gate and state of a trained LSTM, find the unit that does a job, and follow it through a text;
- read its equations at one step with their numbers filled in;
- build such a unit by hand, and let a check say if it works;
- measure how a gradient fades on its way back, and what the forget gate's bias has to do with it.

You need an LSTM's equations (*One cell, equation by equation*). Questions (**Q1**, ...) are answered further down
(**A1**, ...).
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
from npbilstm.inspector import plots
from npbilstm.textbook import LSTMParams, lstm_forward

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

# %% [markdown]
r"""
## 1. A job that needs memory

Texts of letters and brackets. The class of a character: is it *inside* brackets? Between two brackets there are some
letters that all look alike, so the model has to remember which bracket came last.
"""

# %%
SYMBOLS = "abcd()"
rng = np.random.default_rng(0)


def one_text():
    """Letters, with brackets around some of them: ids and classes, each (T,)."""
    text, inside, classes = "", False, []
    for _ in range(rng.integers(20, 31)):
        symbol = "abcd"[rng.integers(4)]
        if rng.random() < 0.2:
            symbol = ")" if inside else "("
            inside = not inside
        text += symbol
        classes.append(int(inside))
    return np.array([SYMBOLS.index(s) for s in text]), np.array(classes)


train, held_out = [one_text() for _ in range(300)], [one_text() for _ in range(50)]
ids, classes = held_out[0]
text = "".join(SYMBOLS[k] for k in ids)
print(text)
print("".join(map(str, classes)))

# %%
model = nb.SequenceTagger(
    num_symbols=6, num_classes=2, embedding_size=4, hidden_size=6, bidirectional=False, dtype=float, rng=0
)
trainer = nb.Trainer(model, nb.Adam(0.02), nb.Settings(epochs=6, batch_size=20))
history = trainer.train(train, held_out, show=False)
print(f"right on texts it has not seen: {history[-1]['valid_accuracy']:.1%}")
assert history[-1]["valid_accuracy"] > 0.99

# %% [markdown]
r"""
## 2. Every number of a run

`nb.trace` runs the model on a text and keeps all of it: gates, states and gradients, of every unit at every step.
Here are the cell states, a row for each unit:
"""

# %%
trace = nb.trace(model, ids, target=classes, tokens=text)
print(trace)
fig, ax = plt.subplots(figsize=(10, 3), layout="constrained")
plots.plot_map(trace, "c", ax=ax)

# %% [markdown]
r"""
**Q1.** Which unit knows best whether it is inside? Look for a row that changes at brackets and nowhere else.

In numbers: how well does each unit's $c$ go along with the class?
"""

# %%
c = trace["c"][0, 0, 0]  # layer 0, forward direction, row 0: (T, H)
agreement = np.array([abs(np.corrcoef(c[:, unit], classes)[0, 1]) for unit in range(c.shape[1])])
unit = int(agreement.argmax())
print("agreement of each unit:", agreement.round(2))
assert agreement[unit] > 0.8

# %%
fig, ax = plt.subplots(figsize=(10, 3.2), layout="constrained")
plots.plot_unit(trace, unit=unit, ax=ax)

# %% [markdown]
r"""
**A1.** That is the unit. Follow it. Its $c$ goes to one side at an opening bracket, to the other at a closing one,
and between them the letters leave it there. The candidate $g$ and the input gate $i$ say what a bracket does.
Measured over all held-out texts, this is how far $c$ moves at a bracket and at a letter:
"""

# %%
moves = {"bracket": [], "letter": []}
for some_ids, some_classes in held_out:
    cell = nb.trace(model, some_ids, target=some_classes)["c"][0, 0, 0, :, unit]
    for t in range(1, len(cell)):
        kind = "bracket" if SYMBOLS[some_ids[t]] in "()" else "letter"
        moves[kind].append(abs(cell[t] - cell[t - 1]))
at_bracket, at_letter = (float(np.mean(moves[kind])) for kind in moves)
print(f"c moves by {at_bracket:.2f} at a bracket, by {at_letter:.2f} at a letter")
assert at_bracket > 4 * at_letter

# %% [markdown]
r"""
Now one step with all of its numbers: the first opening bracket of the text. Read the lines for $i$, $f$, $g$ and $c$:
the old cell is mostly forgotten, and the candidate, near 1, is mostly written.
"""

# %%
step = text.index("(")
print(str(trace.explain(step=step, unit=unit)).split("backward:")[0])
i, f, g = (trace[name][0, 0, 0, step, unit] for name in "ifg")
assert f < 0.3 < 0.7 < min(i, abs(g))

# %% [markdown]
r"""
## 3. Your turn: a unit by hand

One unit can do the whole job. The input is one-hot: $x$ has six numbers, one for each symbol of `abcd()`. Choose the 24
weights `Wx` $(6, 4)$, columns in the order $i, f, g, o$, and the four biases, so that $h > 0.5$ inside and $|h| < 0.1$
outside; `Wh` is 0. The check says where it is not so. What is here does nothing yet. (Hint: a table as in section 4 of
*One cell*: when should each gate be open?)
"""


# %%
def check_unit(Wx, b):
    """Where a unit with these weights is wrong on held-out texts; None where it is right everywhere."""
    params, zero = LSTMParams(np.array(Wx, float), np.zeros((1, 4)), np.array(b, float)), np.zeros((1, 1))
    for some_ids, some_classes in held_out:
        h = lstm_forward(np.eye(6)[some_ids][None], zero, zero, params)[0][0, :, 0]
        wrong = np.where(some_classes == 1, h <= 0.5, abs(h) >= 0.1)
        if wrong.any():
            t = int(wrong.argmax())
            seen = "".join(SYMBOLS[k] for k in some_ids[: t + 1])
            return f"after {seen!r} it is {'inside' if some_classes[t] else 'outside'}, but h = {h[t]:.2f}"
    return None


print(check_unit(np.zeros((6, 4)), np.zeros(4)))
assert check_unit(np.zeros((6, 4)), np.zeros(4)) is not None

# %% [markdown]
r"""
<details><summary>One answer</summary>

| gate | wish | weights |
|---|---|---|
| $i$ | open at brackets only | bias $-10$; $+20$ for each bracket |
| $f$ | open at letters only | bias $10$; $-20$ for each bracket |
| $g$ | 1 at an opening bracket, 0 at a closing one | bias 0; $+10$ for `(` |
| $o$ | always open | bias 10 |
</details>
"""

# %%
answer = np.zeros((6, 4))
answer[4:] = [[20, -20, 10, 0], [20, -20, 0, 0]]
assert check_unit(answer, [-10, 10, 0, 10]) is None
print("right everywhere")

# %% [markdown]
r"""
## 4. How a gradient fades, and the forget gate's bias

Before training nobody has told the gates what to keep. What they let through at the beginning decides whether the
gradient of a late loss arrives at an early step at all. Take two fresh models that differ in one thing: the biases
of the forget gates, 1 in the first (as usual), 0 in the second. The loss is that of the last step alone.

**Q2.** $\sigma(1) \approx 0.73$ and $\sigma(0) = 0.5$. What do you expect to be left of $dc$ after 20 steps?
"""


# %%
def fresh(bias):
    """A new model whose forget gates have this bias."""
    one = nb.SequenceTagger(
        num_symbols=6, num_classes=2, embedding_size=4, hidden_size=6, bidirectional=False, dtype=float, rng=3
    )
    b = one.recurrent.params["0.forward.b"]
    b[6:12] = bias  # the second of four blocks
    return one


last = len(ids) - 1
with_bias, without = (nb.trace(fresh(bias), ids, target=classes, tokens=text) for bias in (1.0, 0.0))
for name, one in [("bias 1", with_bias), ("bias 0", without), ("trained", trace)]:
    dc = one.flow(step=last).dc[0, 0]
    print(f"{name:8} left of dc after 20 steps: {dc[last - 20] / dc[last]:.0e}")
left = [one.flow(step=last).dc[0, 0, last - 20] / one.flow(step=last).dc[0, 0, last] for one in (with_bias, without)]
assert left[0] > 100 * left[1]

# %%
fig, ax = plt.subplots(figsize=(10, 4), layout="constrained")
plots.plot_flow(with_bias, step=last, beside=without, ax=ax)

# %% [markdown]
r"""
**A2.** About $0.73^{20} \approx 2 \cdot 10^{-3}$ and $0.5^{20} \approx 10^{-6}$, if the cell's direct way were all.
The picture has whole lines for bias 1, dashed ones for bias 0, read from right to left. This is why one begins with
the bias at 1 (Gers et al. 2000; Greff et al. 2017 compare the LSTM's parts). A plain RNN has no such way at all, and
its gradients vanish or explode (Pascanu et al. 2013).
"""

# %%
print(f"0.73^20 = {0.731**20:.0e}, 0.5^20 = {0.5**20:.0e}")
assert 1e-3 < 0.731**20 < 3e-3
assert 0.5**20 < 1e-6

# %% [markdown]
r"""
## Three questions

1. A unit's $f$ is near 1 and its $i$ near 0 over thirty steps. What happens to its $c$, and to a gradient that comes
   back along it?
2. In the picture of a unit, $h$ is 0 at steps where $c$ is large. Which gate did that, and is the memory lost?
3. Two models differ in the forget gate's bias alone. At which point of training does that matter most, and why?

<details><summary>Answers</summary>

1. It stays what it is, and the gradient passes nearly whole: both are multiplied by $f$.
2. The output gate. Nothing is lost: $c$ is kept, and shown when $o$ opens.
3. At the beginning: a gradient that does not arrive cannot teach a gate to stay open.
</details>

## Where to go next

- `trace.save_html("inside.html")` writes a page to explore every unit with the mouse; `npbilstm inspect` does it for
  a model file. [The guide](guides/inside.md) has what was measured on the model of the demonstration.
- [What truncated backpropagation leaves out](guides/truncation.md).
"""
