# %% [markdown]
r"""
# Encoder, decoder, attention: why the encoder reads both ways

When you are through you will be able to

- say what an encoder hands to a decoder, with attention and without;
- write one step of attention with its backward pass, and have a check judge it;
- read a heat map of where a decoder looked, and see in it in which directions its encoder reads;
- tell teacher forcing from answers that a model gives by itself, and greedy decoding from a beam.

You need an LSTM in two directions (*Two directions, time-aligned*) and what a gradient check does (*Checking
gradients*, sections 1 to 3). Reading takes some 20 minutes, the exercise some 10. Questions (**Q1**, ...) are answered
further down (**A1**, ...). A notebook comes with its outputs: to answer before you see them, clear them (in Jupyter:
*Edit, Clear Outputs of All Cells*).
"""

# %%
import subprocess
import sys
from glob import glob
from importlib.util import find_spec

if find_spec("npbilstm") is None:  # in a hosted notebook: its folder or its sdist, beside this notebook, is installed
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", "matplotlib", *glob("./npbilstm*")], check=True)

# %%
import re

import numpy as np

import npbilstm as nb
from npbilstm.datasets.string_pairs import generated, text_of
from npbilstm.inspector import attention_html, attention_text
from npbilstm.training import predict_sequences

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "0.55"

# %% [markdown]
r"""
## 1. A sequence in, another out

A tagger says one thing at each step of what it reads. Here the answer is a sequence with a length of its own: a date,
written in one of eleven ways, is to be written as ISO 8601 has it.
"""

# %%
dates = generated("dates", 3000, seed=0)
held_out = dates.test[:300]
for ids, target in held_out[:6]:
    print(f"{text_of(ids, dates.sources):28} -> {text_of(target, dates.targets)}")
assert len({tuple(ids) for ids, _ in dates.train} & {tuple(ids) for ids, _ in dates.test}) == 0

# %% [markdown]
r"""
Two LSTMs do this. The **encoder** reads the source, $S$ symbols. The **decoder** writes the answer, symbol by symbol:
at each step it reads the symbol before, and puts out scores for the next one. One more symbol, the *boundary*, stands
before every answer and ends it. What does the decoder get from the encoder?

- *Without attention* its last states alone: some numbers, always the same count, hold all that was read.
- *With attention* every output of the encoder, the *keys* $k_0 \dots k_{S-1}$, too. At each step the decoder looks at
  them, and reads what it saw at the next step.

## 2. One look

The decoder's state $q$, the *query*, has as many numbers as a key. How well does a key fit? The simplest score is the
dot product (Luong et al. 2015); a softmax makes weights of sum 1 of the scores; what is seen, the *context*, is the
mean of the keys with these weights:

$$ s_j = q \cdot k_j \qquad \alpha = \mathrm{softmax}(s) \qquad context = \sum_j \alpha_j k_j $$

*Additive* attention (Bahdanau et al. 2015) has a small network as its score, $s_j = v \cdot \tanh(q W_q + k_j W_k)$;
all else is the same. Here are one query and three keys:
"""


# %%
def look(query, keys):
    """query (H,), keys (S, H) -> context (H,), alpha (S,)."""
    scores = keys @ query
    e = np.exp(scores - scores.real.max())  # the same softmax, and no exp is too large
    alpha = e / e.sum()
    return alpha @ keys, alpha


query, keys = np.array([2.0, 0.0]), np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
context, alpha = look(query, keys)
print("scores ", keys @ query)
print("alpha  ", alpha.round(3))
print("context", context.round(3))
assert np.allclose(alpha, np.exp([2, 0, -2]) / np.exp([2, 0, -2]).sum())
assert alpha.round(3).tolist() == [0.867, 0.117, 0.016]

# %% [markdown]
r"""
Now backward, given $dcontext$. Line by line from the end:

$$ d\alpha_j = dcontext \cdot k_j \qquad ds_j = \alpha_j \Big( d\alpha_j - \sum_u \alpha_u \, d\alpha_u \Big) \qquad
dq = \sum_j ds_j \, k_j $$

The one in the middle is the softmax: what one weight gains the others lose, so the $ds_j$ have the sum 0.

**Q1.** $dk_j$ is a sum of two terms. Which?
"""


# %%
def look_backward(dcontext, query, keys):
    """dcontext (H,) -> dquery (H,), dkeys (S, H)."""
    _, alpha = look(query, keys)
    dalpha = keys @ dcontext
    dscores = alpha * (dalpha - alpha @ dalpha)
    dquery = dscores @ keys
    dkeys = alpha[:, None] * dcontext + dscores[:, None] * query
    return dquery, dkeys


rng = np.random.default_rng(0)
params = {"query": rng.standard_normal(4), "keys": rng.standard_normal((6, 4))}
upstream = rng.standard_normal(4)


def loss_of(p):
    """A loss that sees each number of the context."""
    return look(p["query"], p["keys"])[0] @ upstream


dquery, dkeys = look_backward(upstream, **params)
report = nb.check_gradients(loss_of, params, {"query": dquery, "keys": dkeys})
print(report.verdict)
assert report.ok
assert "complex step" in report.verdict

# %% [markdown]
r"""
**A1.** A key is seen twice: in the mean, $\alpha_j \, dcontext$, and in its own score, $ds_j \, q$. The check moves
each number along the imaginary axis (the *complex step*), and finds the gradient right to the last digits. What it
says if the second term is forgotten:
"""

# %%
forgotten = look(**params)[1][:, None] * upstream
wrong = nb.check_gradients(loss_of, params, {"query": dquery, "keys": forgotten})
print(wrong.verdict)
assert not wrong.ok

# %% [markdown]
r"""
### Your turn: rows of unequal length

A batch has padding, and nobody should look there. Here is the look for a batch as many people write it at first:
forward has **one wrong line. Mend it, and run the cell again until it says that it is right.** The backward pass is
right as it stands. `nb.diagnose` runs both on small cases and compares with the package's own functions; the case that
is wrong is your hint.
"""


# %%
def dot_attention_forward(query, keys, lengths=None):
    """query (N, H), keys (N, S, H), lengths (N,) or None for all S -> context (N, H), alpha (N, S), cache."""
    N, S, _ = keys.shape
    valid = np.ones((N, S), bool) if lengths is None else np.arange(S) < np.asarray(lengths)[:, None]
    source = np.where(valid[:, :, None], keys, 0)  # whatever stood there
    scores = (source * query[:, None]).sum(axis=2)
    e = np.exp(scores - scores.real.max(axis=1, keepdims=True))
    total = e.sum(axis=1, keepdims=True)
    alpha = np.where(valid, e / np.where(total == 0, 1, total), 0)
    return (alpha[:, :, None] * source).sum(axis=1), alpha, (query, source, alpha, valid)


def dot_attention_backward(dcontext, dalpha, cache):
    """dcontext (N, H), dalpha (N, S): the loss may see the weights themselves -> dquery (N, H), dkeys (N, S, H)."""
    query, source, alpha, valid = cache
    dalpha = np.where(valid, dalpha + (source * dcontext[:, None]).sum(axis=2), 0)
    dscores = alpha * (dalpha - (alpha * dalpha).sum(axis=1, keepdims=True))
    dquery = (dscores[:, :, None] * source).sum(axis=1)
    return dquery, alpha[:, :, None] * dcontext[:, None] + dscores[:, :, None] * query[:, None]


mine = {"dot_attention_forward": dot_attention_forward, "dot_attention_backward": dot_attention_backward}
print(nb.diagnose(mine))

# %% [markdown]
r"""
<details><summary>The answer</summary>

`total = (e * valid).sum(axis=1, keepdims=True)`. In the padding every key is 0 and so is its score, but $e^0 = 1$: the
padding took its share of the sum before its weights were set to 0. The weights that are left do not have the sum 1,
and how much is missing depends on how long the *other* rows of the batch are. Nothing crashes, and the model may even
learn.
</details>

## 3. An encoder that reads both ways, and one that does not

`nb.Seq2Seq` is this model; its encoder is bidirectional. To compare, here is the same with an encoder of one
direction, with twice the units, so that keys and states have the same sizes. (It has even more weights: each of its
units reads twice as many others.) The decoders are the same.
"""


# %%
class ReadsForward(nb.Seq2Seq):
    """As Seq2Seq; the encoder is an LSTM that reads forward alone."""

    def __init__(self, *sizes, embedding_size, hidden_size, dtype, rng, **more):
        super().__init__(*sizes, embedding_size=embedding_size, hidden_size=hidden_size, dtype=dtype, rng=rng, **more)
        self.encoder = nb.LSTM(embedding_size, 2 * hidden_size, dtype=dtype, rng=rng)

    def loss_backward(self, dloss, cache):
        """The gradients by name; one state comes back where Seq2Seq has two."""
        dkeys, (dh_n, dc_n), grads = self.backward_to_encoder(dloss, cache)
        dstate = tuple(np.concatenate([*d], axis=1)[None] for d in (dh_n, dc_n))  # (2, N, H) -> (1, N, 2H)
        dx, encoder, _ = self.encoder.backward(dkeys, cache.encoder.recurrent, dstate)
        _, embedding = self.embedding.backward(dx, cache.encoder.embedding)
        parts = {"embedding": embedding, "encoder": encoder, **grads}
        return {f"{part}.{name}": g for part, of_part in parts.items() for name, g in of_part.items()}


def new_model(kind, data_sizes, attention="dot"):
    """A small model in float64."""
    return kind(*data_sizes, attention=attention, embedding_size=16, hidden_size=16, dtype=float, rng=0)


sizes = len(dates.sources), len(dates.targets)
small = new_model(ReadsForward, sizes)
batch = small.collate(dates.train[:4])
_, cache = small.loss_forward(*batch, training=True)
report = nb.check_gradients(
    lambda params: small.with_params(params).loss_forward(*batch)[0],
    dict(small.params),
    small.loss_backward(1.0, cache),
    entries=2,
)
print(report.verdict)
assert report.ok

# %% [markdown]
r"""
Who writes a backward pass checks it. Now three models learn from 3,000 dates, for five epochs: both ways, forward
alone, and both ways without attention.

**Q2.** The decoder begins with the encoder's last states. They have seen the whole date, whichever way it was read. So
what can a model lack whose encoder reads forward alone?
"""


# %%
def train(model, pairs, held_out=()):
    """Five epochs -> after each the share of held-out answers that are right from beginning to end."""
    history = nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=5, batch_size=20)).train(pairs, held_out, show=False)
    return [epoch["valid_whole_answers"] for epoch in history if held_out]


both_ways, forward_alone = new_model(nb.Seq2Seq, sizes), new_model(ReadsForward, sizes)
curves = {
    "both ways": train(both_ways, dates.train, held_out),
    "forward alone": train(forward_alone, dates.train, held_out),
    "both ways, no attention": train(new_model(nb.Seq2Seq, sizes, attention=None), dates.train, held_out),
}
STYLES = [{"color": BLUE, "marker": "o"}, {"color": ORANGE, "marker": "s"}, {"color": GREY, "marker": "^"}]

fig, ax = plt.subplots(figsize=(7.5, 3.4), layout="constrained")
for (name, curve), style in zip(curves.items(), STYLES):
    ax.plot(range(1, 6), curve, linewidth=2, label=name, **style)
ax.set(title="Dates that it has not seen, wholly right", xlabel="epoch", ylabel="share", ylim=(0, 1.05))
ax.set_xticks(range(1, 6))
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
ax.spines[["top", "right"]].set_visible(False)

# %%
both, forward, none = (curve[-1] for curve in curves.values())
for name, curve in curves.items():
    print(f"{name:24} {curve[-1]:.0%}")
assert both > 0.93
assert 0.8 < forward < both
assert none < 0.5

# %% [markdown]
r"""
**A2.** Its *keys* lack what comes after them. The key of a symbol is what the encoder put out there, and an encoder
that reads forward had then read no further: it cannot know of a `1` if a second digit follows. That is a handicap, not
a wall, since the decoder can look one step later, and its first state knows which format this is. So the model learns,
more slowly: after five epochs it is behind, while both ways are above 93 %. (With more units, more dates and more
epochs both end near 100 %.) Attention matters far more: without it fewer than half of the answers are right.

## 4. Where it looks

`model.alignment` gives $\alpha$ at each step of an answer: a row per symbol that is written, a column per symbol of
the source. The last row is that of the boundary, which ends the answer.

**Q3.** In which order does it look at day, month and year? What does the row of the first `-` have to look at? And
where must the model look that reads forward alone, when it writes the `2` of the 27th?
"""

# %%
source = "Friday, November 27, 2026"
ids = np.array([dates.sources.index(symbol) for symbol in source])
maps = {}
for name, model in {"both ways": both_ways, "forward alone": forward_alone}.items():
    answer = model.predict(ids[None])[0]
    maps[name] = model.alignment(ids, answer)
    print(f"{name:14} {source} -> {text_of(answer, dates.targets)}")
    assert text_of(answer, dates.targets) == "2026-11-27"
    assert np.allclose(maps[name].sum(axis=1), 1)


def heat_map(ax, alpha, source, written):
    """Where the decoder looked: dark is much."""
    image = ax.imshow(alpha, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    ax.set(xlabel="it looks at", ylabel="it writes")
    ax.set_xticks(range(len(source)), source.replace(" ", "␣"))
    ax.set_yticks(range(len(written) + 1), [*written, "end"])
    return image


fig, axes = plt.subplots(2, 1, figsize=(7.5, 7.5), layout="constrained")
for ax, (name, alpha) in zip(axes, maps.items()):
    ax.set_title(name)
    image = heat_map(ax, alpha, source, "2026-11-27")
bar = fig.colorbar(image, ax=axes, label=r"weight $\alpha$", shrink=0.5)

# %% [markdown]
r"""
**A3.** Year, month, day, as they are written; in the source they stand in another order, and the format says in which.
The first `-` needs nothing from the source: its place is known by counting, and its row is pale. The decoder has to
look somewhere, as the weights have the sum 1. They say what *could* be read, not what was used.

Now the last rows. Both ways, the `2` is written with a look at the `2`. Forward alone, the decoder looks at the `7`
instead. At the `2` the encoder had not yet read if a second digit follows, and a 2nd would have to be written `02`. One
step later it knows, so that is where the answer is. Over all held-out dates in which the day stands as two digits:
"""

# %%
darkest = maps["both ways"].max(axis=1)
print(f"both ways: the darkest of the row of the last 7 is {darkest[9]:.2f}, of the first - {darkest[4]:.2f}")
assert darkest[9] > 0.8 > 0.6 > darkest[4]


def looks_at_the_day(model):
    """Writing the day's first digit: the mean weight on that digit in the source, and on all that comes after it."""
    weights = []
    for ids, target in held_out:
        source, day = text_of(ids, dates.sources), text_of(target, dates.targets)[8:]
        places = [found.start() for found in re.finditer(rf"(?<!\d){day}(?!\d)", source)]
        if len(places) == 1:
            row, k = model.alignment(ids, target)[8], places[0]
            weights.append([row[k], row[k + 1 :].sum()])
    return np.mean(weights, axis=0)


by_both, by_forward = looks_at_the_day(both_ways), looks_at_the_day(forward_alone)
print("                on the digit   after it")
print(f"both ways       {by_both[0]:12.0%} {by_both[1]:10.0%}")
print(f"forward alone   {by_forward[0]:12.0%} {by_forward[1]:10.0%}")
assert by_both[0] > 0.65 > 0.5 > by_forward[0]
assert by_forward[1] > 0.45 > 0.25 > by_both[1]

# %% [markdown]
r"""
So a map shows in which directions its encoder reads: **a model looks where what it needs is known**, and forward alone
that is after the symbol itself.

The same map comes without matplotlib: `nb.inspector.attention_text` for a terminal, `nb.inspector.attention_html` as a
page that fetches nothing. `nb.trace(model, ...)` has all of the arrays, and its page each weight with its equations.

## 5. Where it is hard: from behind

Up to twelve digits are to be written from behind. Nothing is to be understood, only remembered; and the decoder's
$t$th look has to go to the $t$th digit *from the end*.

**Q4.** Three models again. Which of them gets worse with the length, and why?
"""


# %%
def some_digits():
    """1 to 12 digits, and the same from behind."""
    digits = rng.integers(0, 10, rng.integers(1, 13))
    return digits, digits[::-1]


rng = np.random.default_rng(0)
digits, digits_held_out = [some_digits() for _ in range(3000)], [some_digits() for _ in range(300)]
models = {
    "both ways": new_model(nb.Seq2Seq, (10, 10)),
    "forward alone": new_model(ReadsForward, (10, 10)),
    "both ways, no attention": new_model(nb.Seq2Seq, (10, 10), attention=None),
}
for model in models.values():
    train(model, digits)


def wholly_right(model, pairs):
    """The share of answers that are right from beginning to end."""
    answers = predict_sequences(model, [ids for ids, _ in pairs])
    return float(np.mean([np.array_equal(answer, target) for answer, (_, target) in zip(answers, pairs)]))


BINS = [(1, 4), (5, 8), (9, 12)]
parts = [[pair for pair in digits_held_out if low <= len(pair[0]) <= high] for low, high in BINS]
by_length = {name: [wholly_right(model, part) for part in parts] for name, model in models.items()}

fig, (left, right) = plt.subplots(1, 2, figsize=(11, 3.8), layout="constrained", width_ratios=[1.3, 1])
for (name, shares), style in zip(by_length.items(), STYLES):
    left.plot(range(3), shares, linewidth=2, label=name, **style)
left.set(title="Digits from behind, wholly right", xlabel="how many digits", ylabel="share", ylim=(-0.03, 1.05))
left.set_xticks(range(3), [f"{low} to {high}" for low, high in BINS])
left.legend(frameon=False, loc="lower left")
left.spines[["top", "right"]].set_visible(False)
some = np.arange(10)
image = heat_map(right, models["both ways"].alignment(some, some[::-1]), "0123456789", "9876543210")
right.set_title("Both ways: it looks from behind")
bar = fig.colorbar(image, ax=right, label=r"weight $\alpha$")

# %%
for name, shares in by_length.items():
    print(f"{name:24}", "".join(f"{share:6.0%}" for share in shares))
both, forward, none = by_length.values()
assert min(both[0], forward[0], none[0]) > 0.9
assert both[2] > 0.65
assert both[2] > forward[2] + 0.05
assert none[2] < 0.05

# %% [markdown]
r"""
**A4.** All three, unequally. Without attention all digits have to go through a few numbers: up to four of them it is
right, of nine and more hardly ever. With attention the digits are where they were; what is hard is to find the right
one. A key made forward tells how far its digit is from the *beginning*; one made in reverse, how far from the *end*,
and that is what the decoder asks for. Forward alone it would have to subtract. It learns that, too, but later.

That is why the encoder reads both ways (Bahdanau et al. 2015, section 3.2): what a symbol means, and which one it is,
is said by what stands on either side of it.

## 6. Told, and on its own

In training the decoder reads at each step what it *should* have written before (*teacher forcing*): so all steps are
known beforehand, and a mistake at one does not spoil the rest. When it is used nobody tells it. It reads its own last
symbol, right or wrong. Here is the first, from the model's parts, for the model without attention:
"""


# %%
def told(model, ids, targets, lengths, target_lengths):
    """The likeliest symbol at each step, where the decoder reads the truth (N, T+1)."""
    N, T = targets.shape
    memory, state, _ = model.encode(ids, lengths)
    read = np.concatenate([np.full((N, 1), model.boundary), targets], axis=1)
    x, _ = model.target_embedding.forward(read)
    y, _, _ = model.decoder.forward(x, state, memory, np.arange(T + 1) <= target_lengths[:, None])
    return model.linear.forward(y)[0].argmax(axis=2)


remembers = models["both ways, no attention"]
batch = remembers.collate(digits_held_out)
when_told, on_its_own = told(remembers, *batch), remembers.predict(batch[0], batch[2])
symbols, whole = [], []
for n, (_, target) in enumerate(digits_held_out):
    target = np.append(target, remembers.boundary)  # the end is a symbol, too
    own = np.append(on_its_own[n], remembers.boundary)[: len(target)]
    own = np.pad(own, (0, len(target) - len(own)), constant_values=-1)  # it ended too early
    right = [when_told[n, : len(target)] == target, own == target]
    symbols.append(np.mean(right, axis=1))
    whole.append([each.all() for each in right])
fewer = np.mean(symbols, axis=0)
print(f"symbols right: told {fewer[0]:.0%}, on its own {fewer[1]:.0%}")
assert 0.03 < fewer[0] - fewer[1] < 0.3

# %% [markdown]
r"""
**Q5.** Of *symbols* more are right when it is told. And of whole answers?
"""

# %%
whole = np.array(whole)
print(f"whole answers right: told {whole[:, 0].mean():.0%}, on its own {whole[:, 1].mean():.0%}")
assert np.array_equal(whole[:, 0], whole[:, 1])

# %% [markdown]
r"""
**A5.** Exactly as many. Until its first mistake it reads the truth in either case, so an answer without a mistake is
the same one. It is *after* a mistake that the two differ: there it reads what it never read in training.

## 7. Greedy, and a beam

The likeliest symbol at each step (*greedy*) need not give the likeliest answer. Say $p(a) = 0.6$ and $p(b) = 0.4$;
after $a$ two symbols have 0.5 each, after $b$ one has 1. Greedy takes $a$ and ends at 0.3; the best is 0.4. A **beam**
of width $w$ keeps the $w$ likeliest beginnings at each step.

**Q6.** A beam finds likelier answers. Are they right more often?
"""

# %%
one = remembers.beam(batch[0], batch[2], width=1, length_penalty=0)  # greedy, with its log-probabilities
five = remembers.beam(batch[0], batch[2], width=5, length_penalty=0)
gains = np.array([wide[0].score - narrow[0].score for wide, narrow in zip(five, one)])
shares = [
    np.mean([np.array_equal(row[0].symbols, target) for row, (_, target) in zip(rows, digits_held_out)])
    for rows in (one, five)
]
among = np.mean([any(np.array_equal(a.symbols, t) for a in row) for row, (_, t) in zip(five, digits_held_out)])
print(f"likelier than greedy's: {(gains > 1e-9).mean():.0%}, less likely: {(gains < -1e-9).mean():.0%}")
print(f"right: greedy's {shares[0]:.0%}, the likeliest of the beam {shares[1]:.0%}, one of its five {among:.0%}")
assert (gains > -1e-9).mean() > 0.98
assert (gains > 1e-9).mean() > 0.1
assert abs(shares[1] - shares[0]) < 0.05
assert among > shares[1] + 0.05

# %% [markdown]
r"""
**A6.** Hardly. More than one answer in ten is likelier than greedy's, and yet the share that is right is nearly the
same: what the model believes is the limit, not the search. The right answer is among the *five* more often, which
helps where something else can choose. The probability of an answer falls with each symbol, so of answers of unequal
length the shorter ones win; `length_penalty` divides by a power of the length.

## Three questions

1. All three keys of section 2 are equal. What are $\alpha$, the context, and $dq$?
2. An encoder reads forward alone, and the decoder looks at the key of the first symbol. What of the source can be in
   it?
3. Training says that 99 % of the symbols are right, and of whole answers, ten symbols each, only 91 % are. Is
   something broken?

<details><summary>Answers</summary>

1. $\frac13$ each; that key; 0, since whatever it looks at, it sees the same.
2. The first symbol alone. What the decoder knows of the rest comes by its state.
3. No: $0.99^{10} \approx 0.90$, if mistakes fall independently.
</details>

## Where to go next

- Take `attention="additive"`, or a learning rate of 0.004. Guess first. How many epochs does it need then?
- `npbilstm train --task dates` trains a larger one, on 10,000 dates, and shows its map.
- [attention.py](../npbilstm/textbook/attention.py) and [decoder.py](../npbilstm/textbook/decoder.py), and
  `npbilstm exercise start`, which has attention among its exercises. [The inspector's guide](guides/inside.md).
"""

# %% [markdown]
r"""
The answers were computed, too:
"""

# %%
equal = {"query": query, "keys": np.ones((3, 2))}
context, alpha = look(**equal)
assert np.allclose(alpha, 1 / 3)
assert np.allclose(context, 1)
assert np.allclose(look_backward(np.array([1.0, 2.0]), **equal)[0], 0)
assert round(0.99**10, 2) == 0.90
assert 0.6 * 0.5 < 0.4 * 1
ids, target = held_out[0]
shown = both_ways.alignment(ids, target), text_of(ids, dates.sources), text_of(target, dates.targets)
assert attention_text(*shown).count("\n") == 11
assert attention_html(*shown).startswith("<!doctype html>")
