# %% [markdown]
r"""
# What the gates do: inside a trained model

When you are through you will be able to

- look at every gate and state of a trained LSTM, find the unit that does a job, and follow it through a text;
- read its equations at one step with their numbers filled in;
- set a gate or a state to a number of your choice, and see what the model says then;
- build such a unit by hand, and let a check say if it works;
- measure how a gradient fades on its way back, and what the forget gate's bias has to do with it;
- tell which way a gradient comes from afar, and see who learns a task that needs it.

You need an LSTM's equations (*One cell, equation by equation*, sections 1 to 4), padding (*Mini-batches, padding and a
training loop*, section 2) and, for section 6, a training loop (section 5 there). Reading takes some 25 minutes, the
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
from functools import partial

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
## 3. What if it were off?

A correlation says what goes *together with* the class. It does not say that the model's answer *depends* on that unit.
To find out, switch the unit off (*ablate* it): set its $h$ to 0 at every step, and compute all that follows from it
again. `trace.intervene` does this. The same for each of the six units, over all held-out texts:
"""

# %%
lengths = np.array([len(some_ids) for some_ids, _ in held_out])
padded_ids, padded_classes = (np.zeros((len(held_out), lengths.max()), int) for _ in range(2))
for n, (some_ids, some_classes) in enumerate(held_out):
    padded_ids[n, : lengths[n]], padded_classes[n, : lengths[n]] = some_ids, some_classes
real = np.arange(lengths.max()) < lengths[:, None]
of_all = nb.trace(model, padded_ids, lengths=lengths, target=padded_classes)


def right(changed):
    """The share of real steps at which the label is right."""
    return (changed.output.argmax(axis=-1) == padded_classes)[real].mean()


without = np.array([right(of_all.intervene("h", 0, unit=one)) for one in range(6)])
print("right without unit 0, 1, ...:", without.round(2))
needed = int(without.argmin())
assert needed != unit
assert without[needed] < 0.8 < 0.9 < without[unit]

# %% [markdown]
r"""
**Q2.** The unit that follows the brackets best can be missed: without it, more than 90 % are still right. Another one
is needed much more. How can that be?

Here is a hint, an experiment with gates on our text alone. What if the opening bracket were not heard by a unit's cell?
Then its $i$ is 0 at that step, and its $f$ is 1. A changed run can be changed again, so the two calls stand one after
the other:
"""


# %%
def labels(of):
    """The predicted classes of row 0, as text."""
    return "".join(map(str, of.output[0].argmax(axis=-1)))


def deaf(units):
    """The run in which the cells of these units do not hear the first bracket."""
    return trace.intervene("i", 0, unit=units, steps=step).intervene("f", 1, unit=units, steps=step)


print(text)
print(labels(trace), "as it is")
for one in range(6):
    print(labels(deaf(one)), f"unit {one} alone is deaf")
print(labels(deaf(range(6))), "all six are deaf")
assert all(labels(deaf(one)) == labels(trace) for one in range(6))
closing = text.index(")")
assert labels(deaf(range(6)))[:closing] == closing * "0"
assert labels(deaf(range(6)))[closing:] == labels(trace)[closing:]

# %% [markdown]
r"""
**A2.** The six share the job. Where one cell is deaf, the others still say "inside", and no label changes. Where all
are deaf, every label up to the closing bracket changes, and none after it: that bracket writes the cells anew. In such
a team the unit that follows best need not be the one with most weight. What a unit adds to the difference of the two
scores is its $h$ times its weight in the affine map. How far does that move up and down?
"""

# %%
to_scores = model.params["linear.W"]  # (H, 2)
moved = abs(to_scores[:, 1] - to_scores[:, 0]) * of_all["h"][0, 0][real].std(axis=0)
print("each unit moves the difference of the scores by", moved.round(2))
assert moved.argmax() == needed

# %% [markdown]
r"""
Two warnings. Zero is a number as well, and perhaps one that the unit never has: put its own mean there (`"mean"` in
place of 0), and the needed unit is missed less. And ablations do not add up: units that stand in for each other show
only when both are off.
"""

# %%
with_mean = right(of_all.intervene("h", "mean", unit=needed))
print(f"right with unit {needed} at 0: {without[needed]:.2f}, at its mean: {with_mean:.2f}")
both = right(of_all.intervene("h", 0, unit=[1, needed]))
print(f"right without unit 1: {without[1]:.2f}, without units 1 and {needed}: {both:.2f}")
assert with_mean > without[needed] + 0.1
assert both < without[needed] - 0.1
assert without[1] > 0.95

# %% [markdown]
r"""
## 4. Your turn: a unit by hand

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

## 5. How a gradient fades, and the forget gate's bias

Before training nobody has told the gates what to keep. What they let through at the beginning decides whether the
gradient of a late loss arrives at an early step at all: a gradient that goes back along $c$ is multiplied by $f$ at
each step, as what is kept is on its way forward. Take two fresh models that differ in one thing: the biases of the
forget gates, 1 in the first (as usual), 0 in the second. The loss is that of the last step alone.

**Q3.** $\sigma(1) \approx 0.73$ and $\sigma(0) = 0.5$. What do you expect to be left of $dc$ after 20 steps?
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
fig, ax = plt.subplots(figsize=(9, 3.4), layout="constrained")
plots.plot_flow(with_bias, step=last, beside=without, ax=ax)

# %% [markdown]
r"""
**A3.** About $0.73^{20} \approx 2 \cdot 10^{-3}$ and $0.5^{20} \approx 10^{-6}$, if the cell's direct way were all.
Read the picture from right to left: whole lines are for bias 1, dashed ones (*beside*) for bias 0. The thick lines are
$dh$, those with dots $dc$; the pale ones are the product of the forget gates alone, the cell's direct way, and $dc$
falls as they do, for these 20 steps. This is why one begins with the bias at 1 (Gers et al. 2000; Greff et al. 2017
compare the LSTM's parts). A plain RNN, $h = \tanh(x W_x + h_{prev} W_h + b)$, has no such way at all, and its gradients
vanish or explode (Pascanu et al. 2013).

The third number printed is that of the model of section 2: some 4 % are left. Training has found what to keep, but to
begin, it needs a gradient that arrives.
"""

# %%
print(f"0.73^20 = {0.731**20:.0e}, 0.5^20 = {0.5**20:.0e}")
assert 1e-3 < 0.731**20 < 3e-3
assert 0.5**20 < 1e-6

# %% [markdown]
r"""
## 6. The tasks by which LSTMs were first judged

How long can a model remember? Hochreiter & Schmidhuber (1997) made up tasks that ask this and nothing else. They are
drawn anew for every mini-batch, so that nothing can be learned by heart:

- **adding**: of some hundred numbers two are marked. What is their sum?
- **temporal order**: among letters `a` to `d` stand two that count, each `X` or `Y`. Which came first, which second?
- **embedded Reber**: strings of a small grammar between `BT` ... `TE` or `BP` ... `PE`. Which symbols may come next?
  The last but one is decided by the second.
"""

# %%
rng = np.random.default_rng(0)
numbers = nb.datasets.adding(rng, N=1, T=100)
marked = numbers.x[0, :, 1] == 1
print(f"adding: {numbers.x[0, marked, 0].round(2)} at the steps {np.flatnonzero(marked)} of {numbers.lengths[0]}")
order = nb.datasets.temporal_order(rng, N=1, T=100)
print("temporal order:", "".join("EBabcdXY"[k] for k in order.x[0].argmax(axis=1)))
print("    classes are XX, XY, YX, YY; this one is", ["XX", "XY", "YX", "YY"][order.targets[0]])
reber = nb.datasets.embedded_reber(rng, N=1000)
print("embedded Reber:", "".join("BTPSXVE"[k] for k in reber.x[0, : reber.lengths[0]].argmax(axis=1)) + "E")
print(f"    half of its strings have no more than {np.median(reber.lengths) + 1:.0f} symbols")
assert np.median(reber.lengths) + 1 <= 11

# %% [markdown]
r"""
Take temporal order. The answer is asked for at the end, after 100 to 110 steps. The first symbol that counts stands at
one of the steps 10 to 20, so its gradient has to come back some 90 steps. What is left of it there, before training?
Four layers of 32 units: a plain RNN, and LSTMs with three kinds of biases,

- 0 and 1, as above;
- *chrono* (Tallec & Ollivier 2018): each unit draws its own, $b_f = \log u$ with $u$ between 1 and $T_{max} - 1$, and
  its input gate gets $-b_f$. As $\sigma(\log u) = 1 - 1 / (1 + u)$, such a unit forgets a share of $1 / (1 + u)$ at
  each step, and remembers for some $1 + u$ steps. So there are units for short spans and for long ones.

**Q4.** $0.5^{90} \approx 10^{-27}$ and $0.73^{90} \approx 5 \cdot 10^{-13}$. Is that what will be left for bias 0 and
bias 1?
"""

# %%
LAYERS = {
    "RNN": partial(nb.RNN, 8, 32),
    "LSTM, bias 0": partial(nb.LSTM, 8, 32, init_forget=0),
    "LSTM, bias 1": partial(nb.LSTM, 8, 32, init_forget=1),
    "LSTM, chrono": partial(nb.LSTM, 8, 32, init_forget="chrono", T_max=110),
}
batch = nb.datasets.temporal_order(np.random.default_rng(0), N=50, T=100)
rows, ends = np.arange(50), batch.lengths - 1


def fading(layer):
    """What is left at x of a gradient that comes to the last h, by steps back: mean norms of 50 rows, the last is 1."""
    y, _, cache = layer.forward(batch.x, batch.lengths, training=True)
    dy = np.zeros_like(y)
    dy[rows, ends] = np.random.default_rng(0).standard_normal((50, 32))
    dx, _, _ = layer.backward(dy, cache)
    sizes = [np.linalg.norm(dx[rows, ends - back], axis=1).mean() for back in range(100)]
    return np.array(sizes) / sizes[0]


fades = {name: [fading(make(rng=seed, dtype=float)) for seed in range(4)] for name, make in LAYERS.items()}
left = {name: [sizes[90] for sizes in of_seeds] for name, of_seeds in fades.items()}
for name, shares in left.items():
    print(f"{name:12} left after 90 steps, four seeds: {min(shares):.0e} to {max(shares):.0e}")
assert max(left["LSTM, bias 0"]) < 1e-9 < 1e-7 < min(left["RNN"])
assert max(left["RNN"]) < 6e-5 < min(left["LSTM, bias 1"])
assert max(left["LSTM, bias 1"]) < 1.5e-2 < min(left["LSTM, chrono"])

# %%
COLOURS = dict(zip(LAYERS, ["0.55", "#56B4E9", "#0072B2", "#E69F00"]))
fig, ax = plt.subplots(figsize=(7.5, 3), dpi=80, layout="constrained")
ax.axvspan(80, 100, color="0.93")
ax.text(90, 2, "the first symbol\nthat counts", ha="center", va="bottom", color="0.3")
for name, (sizes, *_) in fades.items():
    ax.semilogy(sizes, color=COLOURS[name], linewidth=2, label=name)
ax.set(xlabel="steps back from the end", ylabel="gradient of $x$, as a share", ylim=(1e-14, 1e3), xlim=(0, 100))
ax.legend(frameon=False, loc="lower left")
ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
r"""
**A4.** No: far more is left, and a plain RNN keeps more than an LSTM with bias 0. $0.73^{90}$ counts the direct way
only, along $c$. There is a second way from $c_t$ back to $c_{t-1}$: around, through the gates of step $t$ and
$h_{t-1}$, and it leads through $W_h$. Which way did the gradient come? Set $W_h$ to 0, and only the direct way is open:
"""


# %%
def direct(layer):
    """The same layer with the way through h shut."""
    layer.params["0.forward.Wh"][...] = 0
    return layer


for name in ("LSTM, bias 1", "LSTM, chrono"):
    alone = [fading(direct(LAYERS[name](rng=seed, dtype=float)))[90] for seed in range(4)]
    print(f"{name}: left along c alone {min(alone):.0e} to {max(alone):.0e}")
    share = np.divide(alone, left[name])
    assert max(share) < 1e-5 if name == "LSTM, bias 1" else min(share) > 0.5

# %% [markdown]
r"""
With bias 1 nearly everything came around; with chrono most of it came along $c$. Why is the way around so good? Its
largest part goes $c_{t-1} \to h_{t-1} \to g_t \to c_t$. In a new layer $i$ and $o$ are near $\frac{1}{2}$, and that
part of $W_h$ that $g$ has is *orthogonal*: it turns a vector and keeps its length. So a step may multiply not by 0.73
but by up to $0.73 + \frac{1}{2} \cdot \frac{1}{2} = 0.98$. More exactly, by the largest eigenvalue of the two ways
together, which says by what a step multiplies in the long run:
"""


# %%
def factor(layer):
    """The largest |eigenvalue| of a step from c to the next c, along c and by way of g, with the gates' means."""
    run, Wh = nb.trace(layer, batch.x, lengths=batch.lengths), layer.params["0.forward.Wh"]
    real = np.arange(batch.x.shape[1]) <= ends[:, None]
    if isinstance(layer, nb.RNN):  # from h to the next h
        return abs(np.linalg.eigvals(Wh * (1 - run["h"][0, 0][real] ** 2).mean(axis=0))).max()
    f, i, g, o, c = (run[name][0, 0][real] for name in "figoc")  # each (steps, H)
    to_h, to_c = (o * (1 - np.tanh(c) ** 2)).mean(axis=0), (i * (1 - g * g)).mean(axis=0)
    Wh_g = Wh[:, 64:96]  # the third of four blocks
    return abs(np.linalg.eigvals(np.diag(f.mean(axis=0)) + to_h[:, None] * Wh_g * to_c)).max()


for name in ("RNN", "LSTM, bias 0", "LSTM, bias 1"):
    a_step = np.array([factor(LAYERS[name](rng=seed, dtype=float)) for seed in range(4)])
    print(f"{name:12} a factor of {min(a_step):.2f} to {max(a_step):.2f} a step; over 90 steps {max(a_step) ** 90:.0e}")
    assert (a_step**90 / left[name] > 0.1).all()
    assert (a_step**90 / left[name] < 30).all()

# %% [markdown]
r"""
So much is left, as measured. (A plain RNN's $W_h$ begins orthogonal, too; its factor is that times the slope of the
tanh.)

Now three of the layers are trained, with 250 mini-batches of 50: a plain RNN, and two LSTMs, each from two beginnings,
the seeds 0 and 3. The loop is that of *Mini-batches*, with a loss at the last step alone.

**Q5.** What share will each have right in the end? (Whoever guesses has 25 %.)
"""


# %%
def train_on_order(make, seed):
    """The share right of each of 250 mini-batches, before the model learns from it."""
    rng = np.random.default_rng(seed)
    layer, linear = make(rng=rng), nb.Linear(32, 4, rng=rng)
    weights, adam, shares = {**layer.params, **linear.params}, nb.Adam(0.004), []
    for _ in range(250):
        batch = nb.datasets.temporal_order(rng, N=50, T=100)
        y, _, cache = layer.forward(batch.x, batch.lengths, training=True)
        scores, linear_cache = linear.forward(y[rows, batch.lengths - 1])
        _, loss_cache = nb.softmax_cross_entropy_forward(scores, batch.targets)
        dh, linear_grads = linear.backward(nb.softmax_cross_entropy_backward(1.0, loss_cache), linear_cache)
        dy = np.zeros_like(y)
        dy[rows, batch.lengths - 1] = dh
        _, layer_grads, _ = layer.backward(dy, cache)
        adam.step(weights, nb.clip_by_global_norm({**layer_grads, **linear_grads}, 1.0)[0])
        shares.append(np.mean(scores.argmax(axis=1) == batch.targets))
    return np.array(shares)


runs = [("RNN", 0), ("LSTM, bias 1", 0), ("LSTM, bias 1", 3), ("LSTM, chrono", 0), ("LSTM, chrono", 3)]
trained = {(name, seed): train_on_order(LAYERS[name], seed) for name, seed in runs}
at_end = {run: shares[-50:].mean() for run, shares in trained.items()}
for (name, seed), share in at_end.items():
    print(f"{name:12} from seed {seed} {'guesses, still' if share < 0.35 else 'guesses no longer'}")
assert max(at_end["RNN", 0], at_end["LSTM, bias 1", 0]) < 0.35 < at_end["LSTM, bias 1", 3]
assert min(at_end["LSTM, chrono", seed] for seed in (0, 3)) > 0.9
assert left["LSTM, bias 1"][3] < left["LSTM, bias 1"][0] / 3

# %%
fig, ax = plt.subplots(figsize=(7.5, 2.4), dpi=80, layout="constrained")
for (name, seed), shares in trained.items():
    style = {"color": COLOURS[name], "linestyle": "--" if seed else "-", "label": f"{name}, seed {seed}"}
    ax.plot(np.arange(10, 251, 10), shares.reshape(-1, 10).mean(axis=1), **style)
ax.axhline(0.25, color="0.3", linestyle=":")
ax.set(xlabel="mini-batches", ylabel="share right", ylim=(0, 1.05), xlim=(0, 250))
ax.legend(frameon=False, loc="upper left", fontsize="small")
ax.spines[["top", "right"]].set_visible(False)

# %% [markdown]
r"""
**A5.** With chrono it is learned from both seeds. The RNN, to which a few millionths of the gradient arrive, guesses.
With bias 1 it depends on the beginning: from seed 0 the LSTM guesses still, from seed 3 it does not, though even *less*
of the gradient is left there before training. So what is left tells much, but not who will learn; and a single run
tells little. Train from several seeds before you say that a layer can or cannot.

Not every task that looks like memory needs much of it. Half of the strings of embedded Reber have no more than 11
symbols, and a plain RNN learns them. So before you praise a model for its memory, ask from how far the gradient has to
come, and let a plain RNN try. `npbilstm demo --classic` trains these layers and a GRU on all three tasks, and on
parity.
"""

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

- `print(trace.matters_most(step=5))` names the unit without which the label there is least likely.
- `trace.save_html("inside.html")` writes a page to explore every unit with the mouse, and to switch units off in it;
  `npbilstm inspect` does it for a model file. [The guide](guides/inside.md) has what was measured on the model of the
  demonstration.
- Temporal order at half the length: put `T=50` for `T=100` in section 6. Guess first: who learns it then?
- [What truncated backpropagation leaves out](guides/truncation.md).
- The next tutorial, *From textbook to fast* (`textbook_to_fast.ipynb`), makes such training fast.
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
