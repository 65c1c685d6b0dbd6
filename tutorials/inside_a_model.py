# %% [markdown]
r"""
# What the gates do: inside a trained model

When you are through you will be able to

- look at every gate and state of a trained LSTM, find the unit that does a job, and follow it through a text;
- read its equations at one step with their numbers filled in;
- build such a unit by hand, and let a check say if it works;
- measure how a gradient fades on its way back, and what the forget gate's bias has to do with it.

You need an LSTM's equations (*One cell, equation by equation*, sections 2 to 4). Reading takes some 15 minutes, the
exercise some 10. Questions (**Q1**, ...) are answered further down (**A1**, ...). A notebook comes with its outputs: to
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

The model has three parts. Each symbol stands for four numbers of its own, its *embedding*, which are learned like
weights; an LSTM with six units reads them; and an affine map makes two scores of its $h$ at each step, one per class.
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
**Q1.** Which unit knows best whether it is inside? Look for the row whose colour follows the brackets best. (Letters
move it, too, and before the first bracket it need not be right.)

In numbers: the correlation of each unit's $c$ with the class, without its sign.
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
for image in ax.images:
    if image.get_cmap().name == "cividis":  # a gate's
        image.set_cmap("cividis_r")  # dark is open, as in *One cell*
bar = fig.colorbar(ax.images[0], ax=ax, label="gates: dark is open", pad=0.08)

# %% [markdown]
r"""
**A1.** That is the unit. Follow it. (Gates have the colours of the bar; $g$, $c$ and $h$ are orange above 0 and violet
below.) At an opening bracket $f$ closes, $i$ opens and $g$ is near 1: the old $c$ is replaced, by something above 0.
At a closing one $c$ goes below 0. Letters move it as well, but seldom so far that its sign changes. Measured over all
held-out texts: how far $c$ moves at a bracket and at a letter, and how often its sign says rightly what is inside:
"""

# %%
moves, signs = {"bracket": [], "letter": []}, []
for some_ids, some_classes in held_out:
    cell = nb.trace(model, some_ids, target=some_classes)["c"][0, 0, 0, :, unit]
    signs += list((cell > 0) == (some_classes == 1))
    for t in range(1, len(cell)):
        kind = "bracket" if SYMBOLS[some_ids[t]] in "()" else "letter"
        moves[kind].append(abs(cell[t] - cell[t - 1]))
at_bracket, at_letter = (float(np.mean(moves[kind])) for kind in moves)
print(f"c moves by {at_bracket:.2f} at a bracket, by {at_letter:.2f} at a letter")
print(f"its sign is right at {np.mean(signs):.0%} of all steps")
assert at_bracket > 4 * at_letter
assert np.mean(signs) > 0.85

# %% [markdown]
r"""
Where $o$ is nearly shut, $h$ is pale though $c$ is not: what is not shown is not lost, for $c$ goes on without $o$.

Now one step with all of its numbers: the first opening bracket of the text. Read the lines for $i$, $f$, $g$ and $c$:
the old cell is mostly forgotten, and the candidate, near 1, is mostly written.
"""

# %%
step = text.index("(")
print(str(trace.explain(step=step, unit=unit)).split("backward:")[0])
i, f, g = (trace[name][0, 0, 0, step, unit] for name in "ifg")
assert f < 0.3 < 0.7 < min(i, abs(g))
o, shown = (trace[name][0, 0, 0, :, unit] for name in "oh")
assert (abs(shown) <= o).all()

# %% [markdown]
r"""
## 3. Your turn: a unit by hand

One unit can do the whole job. The input is one-hot: $x$ has six numbers, one for each symbol of `abcd()`. Choose the 24
weights `Wx` $(6, 4)$, columns in the order $i, f, g, o$, and the four biases `b`, so that $h > 0.5$ inside and
$|h| < 0.1$ outside; `Wh` is 0. The check says where it is not so. What is here does nothing yet. (Hint: a table as in
section 4 of *One cell*: when should each gate be open?)
"""


# %%
def check_unit(Wx, b):
    """Where a unit with these weights is first wrong on held-out texts, in a sentence."""
    if np.shape(Wx) != (6, 4) or np.shape(b) != (4,):
        return f"Wx is {np.shape(Wx)} and b is {np.shape(b)}; they need (6, 4) and (4,)"
    params, zero = LSTMParams(np.array(Wx, float), np.zeros((1, 4)), np.array(b, float)), np.zeros((1, 1))
    for some_ids, some_classes in held_out:
        h = lstm_forward(np.eye(6)[some_ids][None], zero, zero, params)[0][0, :, 0]
        wrong = np.where(some_classes == 1, h <= 0.5, abs(h) >= 0.1)
        if wrong.any():
            t = int(wrong.argmax())
            seen = "".join(SYMBOLS[k] for k in some_ids[: t + 1])
            return f"not yet: after {seen!r} it is {'inside' if some_classes[t] else 'outside'}, but h = {h[t]:.2f}"
    return "right everywhere"


my_Wx = np.zeros((6, 4))  # a row for each of a, b, c, d, (, ); a column for each of i, f, g, o
my_b = np.zeros(4)
print(check_unit(my_Wx, my_b))

# %% [markdown]
r"""
<details><summary>One answer</summary>

| gate | wish | weights |
|---|---|---|
| $i$ | open at brackets only | bias $-10$; $+20$ for each bracket |
| $f$ | open at letters only | bias $10$; $-20$ for each bracket |
| $g$ | 1 at an opening bracket, 0 at a closing one | bias 0; $+10$ for `(` |
| $o$ | always open | bias 10 |

It is not the only one: $f$ always open, and $g = -3$ at a closing bracket, is right on these texts, too.
</details>

## 4. How a gradient fades, and the forget gate's bias

Before training nobody has told the gates what to keep. What they let through at the beginning decides whether the
gradient of a late loss arrives at an early step at all: a gradient that goes back along $c$ is multiplied by $f$ at
each step, as what is kept is on its way forward. Take two fresh models that differ in one thing: the biases of the
forget gates, 1 in the first (as usual), 0 in the second. The loss is that of the last step alone.

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
    dc = one.flow(step=last).dc[0, 0]  # (T,): the size of dL/dc at each step
    print(f"{name:8} left of dc after 20 steps: {dc[last - 20] / dc[last]:.0e}")
left = [one.flow(step=last).dc[0, 0, last - 20] / one.flow(step=last).dc[0, 0, last] for one in (with_bias, without)]
assert left[0] > 100 * left[1]
trained = trace.flow(step=last).dc[0, 0]
assert trained[last - 20] / trained[last] > 10 * left[0]
assert 0.02 < trained[last - 20] / trained[last] < 0.08

# %%
fig, ax = plt.subplots(figsize=(10, 4), layout="constrained")
plots.plot_flow(with_bias, step=last, beside=without, ax=ax)

# %% [markdown]
r"""
**A2.** About $0.73^{20} \approx 2 \cdot 10^{-3}$ and $0.5^{20} \approx 10^{-6}$, if the cell's direct way were all.
Read the picture from right to left: whole lines are for bias 1, dashed ones (*beside*) for bias 0. The thick lines are
$dh$, those with dots $dc$; the pale ones are the product of the forget gates alone, the cell's direct way, and $dc$
falls as they do. This is why one begins with the bias at 1 (Gers et al. 2000; Greff et al. 2017 compare the LSTM's
parts). A plain RNN, $h = \tanh(x W_x + h_{prev} W_h + b)$, has no such way at all, and its gradients vanish or explode
(Pascanu et al. 2013).

The third number printed is that of the model of section 2: some 4 % are left. Training has found what to keep, but to
begin, it needs a gradient that arrives.
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
2. Suppose a unit's $h$ is 0 at steps where its $c$ is large. Which gate did that, and is the memory lost?
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

# %% [markdown]
r"""
The answers were computed, too:
"""

# %%
answer = np.zeros((6, 4))
answer[4:] = [[20, -20, 10, 0], [20, -20, 0, 0]]
assert check_unit(answer, [-10, 10, 0, 10]) == "right everywhere"
other = np.zeros((6, 4))
other[4:] = [[20, 0, 10, 0], [20, 0, -3, 0]]
assert check_unit(other, [-10, 10, 0, 10]) == "right everywhere"
assert check_unit(np.zeros((6, 4)), np.zeros(4)).startswith("not yet: after ")
