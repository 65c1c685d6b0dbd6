# %% [markdown]
r"""
# A syntax highlighter and a part-of-speech tagger: two directions, characters, CRF

When you are through you will be able to

- say of a label if what decides it stands before or after it, and choose one direction or two;
- train a syntax highlighter of characters, and a tagger of words that makes something of words it has never seen;
- read and write CoNLL-U, the form in which tagged sentences are kept;
- tell how much of what a CRF gains is only that it forbids.

You need to know what a bidirectional LSTM is (*Two directions, time-aligned*, sections 1 and 2). Reading takes some 20
minutes, the exercise some 10. Questions (**Q1**, ...) are answered further down (**A1**, ...). A notebook comes with
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
import tempfile
from pathlib import Path

import numpy as np

import npbilstm as nb
from npbilstm.datasets.words import TAGS, tags_of_words
from npbilstm.inspector.highlight import LIGHT
from npbilstm.textbook import CRFParams, crf_backward, crf_constrained, crf_forward, crf_viterbi, legal_transitions
from npbilstm.training import predict_sequences, span_f1

try:
    import matplotlib.pyplot as plt
except ImportError:
    raise SystemExit('The figures need matplotlib: pip install -e ".[tutorials]"') from None

BLUE, ORANGE, GREY = "#0072B2", "#E69F00", "0.55"

# %% [markdown]
r"""
## 1. A syntax highlighter

The data is on every machine that runs Python: the source of its own library, 100,000 characters of it, in windows of
128. Every character has a class, which Python's own tokenizer says: keyword, string, comment, and of names if they are
defined (`def name`), called (`name(`) or neither. Files that are tested on are not among those trained on.

**Q1.** A model reads from left to right and says a class at every character. Of which classes can it *not* know in
time, however good it is?
"""

# %%
python = nb.python_source(100_000, window=128)
symbols, classes = python.vocabulary, python.classes
print("classes:", ", ".join(classes))


def highlighter(bidirectional):
    """Trained on the source, with one direction or two."""
    model = nb.SequenceTagger(
        len(symbols), len(classes), embedding_size=16, hidden_size=32, bidirectional=bidirectional, rng=0
    )
    nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=4, batch_size=8)).train(python.train, show=False)
    return model


one_direction, two_directions = highlighter(False), highlighter(True)

# %%
true = np.concatenate([labels for _, labels in python.test])


def shares_right(model):
    """Of the unseen characters of each class the share that is said rightly, and of all of them."""
    said = np.concatenate(predict_sequences(model, [ids for ids, _ in python.test]))
    return [np.mean(said[true == k] == k) for k in range(len(classes))] + [np.mean(said == true)]


by_one, by_two = shares_right(one_direction), shares_right(two_directions)
names = [*classes, "all"]
shown = [k for k, name in enumerate(names) if name != "number"]  # there are too few

fig, ax = plt.subplots(figsize=(9, 3.4), layout="constrained")
ax.bar(np.arange(len(shown)) - 0.2, [by_one[k] for k in shown], 0.38, color=ORANGE, label="one direction")
ax.bar(np.arange(len(shown)) + 0.2, [by_two[k] for k in shown], 0.38, color=BLUE, label="two directions")
ax.set_xticks(range(len(shown)), [names[k].replace(" ", "\n") for k in shown])
ax.set(title="Characters of files that they have not seen", ylabel="share that is right")
ax.legend(frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
ax.spines[["top", "right"]].set_visible(False)

# %%
called = classes.index("called name")
assert by_one[called] < 0.5
assert by_two[called] > 0.65
assert by_two[called] > by_one[called] + 0.3
assert by_two[-1] > by_one[-1] + 0.05
assert by_two[classes.index("keyword")] > by_one[classes.index("keyword")]

# %% [markdown]
r"""
**A1.** Names that are called. What makes a name a call is the bracket *after* it, and at the name's own characters one
direction has not read it yet: it can only guess which names are often called, and mostly guesses wrong. Two directions
have it right at most characters. It is the same elsewhere, if less so: at the `d` of `def` it is not said yet that a
keyword begins.

What stands *before* a character says if it is in a string or a comment. One direction has that; a model that read only
from behind would not. Now a piece of code which we wrote ourselves: keywords are blue, names that are defined red,
called ones green, others black, strings dark yellow, comments brown, numbers purple. Mistakes are underlined:
"""

# %%
CODE = """def area(shape):
    # two cases
    if round(shape.r) > 0:
        return PI * square(shape.r)
    raise ValueError("no area")
"""
ids, code_labels = symbols.encode(CODE), nb.datasets.label_characters(CODE)


def draw_code(ax, title, labels):
    """The code, a character at a time, in its classes' colours."""
    row = column = 0
    for symbol, label, is_true in zip(CODE, labels, labels == code_labels):
        if symbol == "\n":
            row, column = row + 1, 0
            continue
        ax.text(column + 0.5, row, symbol, family="monospace", fontsize=9, ha="center", color=LIGHT[label])
        if not is_true and symbol != " ":
            ax.plot([column, column + 1], [row + 0.15] * 2, color="#d00000", linewidth=1.6)
        column += 1
    ax.set(title=title, xlim=(0, 40), ylim=(5, -0.8))
    ax.axis("off")


fig, axes = plt.subplots(3, 1, figsize=(5.5, 5.6), layout="constrained")
said_by_one, said_by_two = (model.predict(ids[None])[0] for model in (one_direction, two_directions))
draw_code(axes[0], "One direction", said_by_one)
draw_code(axes[1], "Two directions", said_by_two)
draw_code(axes[2], "True", code_labels)

# %%
calls = code_labels == called
wrong_by_one, wrong_by_two = (np.sum((said != code_labels)[calls]) for said in (said_by_one, said_by_two))
print("characters of the three called names:", calls.sum())
assert calls.sum() == 21
assert wrong_by_one > wrong_by_two

# %% [markdown]
r"""
`npbilstm demo` does this with more text and time, and `npbilstm tag` colours files of yours.

## 2. Words, and words that nobody has seen

A part-of-speech tagger says of each word if it is a noun, a verb ... It is trained on sentences which somebody has
tagged. Here is a small language, so that all is known of it. Any stem, such as `zump`, can be anything: `zumps` and
`zumped` are verbs, `zumply` is an adverb, a `zumper` is a noun, `zumpish` an adjective. A bare `zump` is a noun, or an
adjective if a noun comes after it: *every zump dell*.

The sentences that are tested on have fifty stems that do not occur in training.
"""

# %%
BEGINS = ["bl", "d", "fr", "gl", "m", "pr", "st", "tr", "v", "z"]
ENDS = ["ack", "ap", "eck", "ell", "ib", "imp", "ock", "onk", "ump", "ust"]
rng = np.random.default_rng(0)
stems = [str(stem) for stem in rng.permutation([begin + end for begin in BEGINS for end in ENDS])]


def pick(*choices):
    """One of them."""
    return str(choices[rng.integers(len(choices))])


def noun_phrase(stems):
    """(word, tag) pairs."""
    if rng.random() < 0.2:
        return [(pick("she", "he", "it"), "PRON")]
    adjective = [(pick(*stems) + pick("", "ish"), "ADJ")] if rng.random() < 0.5 else []
    return [(pick("the", "a", "every"), "DET"), *adjective, (pick(*stems) + pick("", "er"), "NOUN")]


def sentence(stems):
    """(word, tag) pairs: somebody does something to somebody."""
    adverb = [(pick(*stems) + "ly", "ADV")] if rng.random() < 0.4 else []
    verb = (pick(*stems) + pick("s", "ed"), "VERB")
    return [*noun_phrase(stems), *adverb, verb, *noun_phrase(stems), (".", "PUNCT")]


train_sentences, test_sentences = [sentence(stems[:50]) for _ in range(200)], [sentence(stems) for _ in range(100)]

# %% [markdown]
r"""
Tagged sentences are kept as **CoNLL-U** (Universal Dependencies): a word a line with ten columns between tabs, of
which the second is the word and the fourth its part of speech, `_` where there is nothing to say; an empty line after
a sentence; lines with `#` are comments. Collections of tagged sentences (*treebanks*) of more than a hundred languages
have this form, so what follows works for them.
"""


# %%
def conllu(sentences):
    """The text of a CoNLL-U file."""
    lines = []
    for number, words in enumerate(sentences, 1):
        lines += [f"# sent_id = {number}", f"# text = {' '.join(word for word, _ in words)}"]
        lines += ["\t".join([str(k), word, "_", tag, *"______"]) for k, (word, tag) in enumerate(words, 1)]
        lines += [""]
    return "\n".join([*lines, ""])


print(conllu(train_sentences[:1]))
with tempfile.TemporaryDirectory() as folder:
    train_file, test_file = Path(folder, "train.conllu"), Path(folder, "test.conllu")
    train_file.write_text(conllu(train_sentences), encoding="utf-8")
    test_file.write_text(conllu(test_sentences), encoding="utf-8")
    assert nb.datasets.read_sentences(test_file) == test_sentences
    by_id = nb.tagged_text(train_file, test_file, test_file)
    spelled = nb.tagged_text(train_file, test_file, test_file, spelled=True)
print(by_id)
print(spelled)

# %% [markdown]
r"""
`by_id` has a number for each word; number 0 is for all that are not known. (Words that occur once in training become
0, too, so that the model meets it.) In `spelled` a word is its number and those of its characters. `nb.WordTagger`
reads these with a BiLSTM of their own, from both ends of the word, and puts what it found beside the word's embedding
(Plank et al. 2016). While it trains it takes rare words for unknown ones now and then.

**Q2.** Three taggers: one by the words' numbers alone; one with characters, too; and the same, reading the *sentence*
forward alone. Which words will each get wrong?
"""


# %%
def trained(model, data):
    """Six epochs."""
    nb.Trainer(model, nb.Adam(0.01), nb.Settings(epochs=6, batch_size=8)).train(data.train, show=False)
    return model


counts = np.bincount(np.concatenate([words[:, 0] for words, _ in spelled.train]), minlength=len(spelled.vocabulary))
sizes = len(spelled.vocabulary), len(spelled.characters), len(spelled.classes)
shared = {"embedding_size": 16, "hidden_size": 16, "dtype": float, "rng": 0}
reader = {"character_embedding_size": 8, "character_hidden_size": 8, "word_counts": counts.tolist()}
taggers = {
    "words": (trained(nb.SequenceTagger(len(by_id.vocabulary), sizes[2], **shared), by_id), by_id),
    "words and characters": (trained(nb.WordTagger(*sizes, **reader, **shared), spelled), spelled),
    "the same, forward alone": (
        trained(nb.WordTagger(*sizes, **reader, **shared, bidirectional=False), spelled),
        spelled,
    ),
}

unknown = np.concatenate([words[:, 0] for words, _ in spelled.test]) == 0
bare = np.array([word in stems for words in test_sentences for word, _ in words])
true_tags = np.concatenate([tags for _, tags in by_id.test])
right = {
    name: np.concatenate(predict_sequences(model, [words for words, _ in data.test])) == true_tags
    for name, (model, data) in taggers.items()
}
print(f"{unknown.mean():.0%} of the words are unknown")
print(f"{'right':24} {'known':>7} {'unknown':>8} {'bare stems':>11}")
for name, each in right.items():
    print(f"{name:24} {each[~unknown].mean():7.0%} {each[unknown].mean():8.0%} {each[bare].mean():11.0%}")
assert 0.2 < unknown.mean() < 0.35

# %%
words_alone, both, forward = right.values()
assert both.mean() > 0.98
assert words_alone[unknown].mean() < 0.9 < words_alone[~unknown].mean()
assert forward[bare].mean() < 0.85 < 0.97 < both[bare].mean()
assert forward[~bare].mean() > 0.97

# %% [markdown]
r"""
**A2.** By numbers alone an unknown word is known by its neighbours only: many are right, since after `the` there is no
verb. With characters, its ending is read. But the ending of a bare stem says nothing: there the *next* word decides,
and who reads forward alone has to guess. All its other words are right. So each thing that is needed is in one part:
the ending in the characters, what comes after in the second direction.

Real languages are not so tidy. Of Danish, with 4,900 sentences to train on, such a model has some 96 % right
([the guide](guides/tagged.md) says how to train on your own file).

## 3. Tags that depend on each other

Text without spaces, as Chinese and Japanese are written: where are its words? Each letter gets a tag. *Begin*,
*Middle* and *End* of a word, or a *Single* letter:
"""

# %%
print("thecaseisatrap")
print("".join(TAGS[tag] for tag in tags_of_words(["the", "case", "is", "a", "trap"])))
assert "".join(TAGS[tag] for tag in tags_of_words(["the", "case", "is", "a", "trap"])) == "BMEBMMEBESBMME"

# %% [markdown]
r"""
### Your turn: what may follow what

A middle after an end is nonsense whatever the letters are. **Write into the table, for each pair, if the tag of the
column may stand right after the tag of the row**, 1 or 0, and run the cell until it says that it is right. Here
everything may.
"""


# %%
def check_table(table):
    """Which pair is first wrong, in a sentence."""
    legal = legal_transitions(TAGS, "BMES").transitions
    if np.shape(table) != (4, 4):
        return f"the table is {np.shape(table)}; it needs (4, 4)"
    for row in range(4):
        for column in range(4):
            if bool(table[row][column]) != legal[row, column]:
                return f"not yet: look at {TAGS[column]} after {TAGS[row]} again"
    return "all sixteen are right"


my_table = [
    # B  M  E  S
    [1, 1, 1, 1],  # after B
    [1, 1, 1, 1],  # after M
    [1, 1, 1, 1],  # after E
    [1, 1, 1, 1],  # after S
]
print(check_table(my_table))

# %% [markdown]
r"""
<details><summary>The answer</summary>

After B and M a word is open: M or E. After E and S it is closed: B or S. And a text begins with B or S, and ends with
E or S.
</details>

## 4. A CRF, and the line in the middle

Now a model that knows little, so that tags have to help each other: it sees a window of five letters around each, and
is *linear*, a score for each tag from each of the five. The data: random words of a list of 122, written together.
"""

# %%
FREQUENT = (
    "the of and to a in is it he was for on are as with his they at be this have from or one had by but not what all "
    "were we when your can said there use an each which she do how their if will up other about out many then them "
    "these so some her would make like him into time has look two more write go see no way could people my than first "
    "been call who its now find long down day did get come made may part over new sound take only little work know "
    "place year live me back give most very after thing our just name good sentence man think say great where help"
)
LEXICON = FREQUENT.split()
chances = np.arange(1, len(LEXICON) + 1) ** -0.7  # the first are the most frequent
chances /= chances.sum()
rng = np.random.default_rng(0)
texts = [[str(word) for word in rng.choice(LEXICON, rng.integers(4, 10), p=chances)] for _ in range(500)]


def windows(texts):
    """The five letters around each, one-hot (N, T, 5 * 27), the tags (N, T), the lengths (N,)."""
    ids, lengths = nb.pad([np.array([ord(letter) - ord("a") + 1 for letter in "".join(words)]) for words in texts])
    around, T = np.pad(ids, ((0, 0), (2, 2))), ids.shape[1]
    x = np.concatenate([np.eye(27)[around[:, k : k + T]] for k in range(5)], axis=2)
    return x, nb.pad([tags_of_words(words) for words in texts])[0], lengths


x, tags, lengths = windows(texts[:300])
test_x, test_tags, test_lengths = windows(texts[300:])
print("x", x.shape)

# %% [markdown]
r"""
It is trained twice. Once each tag is judged by itself: a softmax at every letter. Once the tags of a text are judged
together, by a **linear-chain CRF** (Lafferty et al. 2001): to the scores of the letters come scores of neighbours, a
table of *transitions*, which are learned:

$$ score(y) = start_{y_0} + \sum_t scores_{t, y_t} + \sum_t transitions_{y_{t-1}, y_t} + end_{y_{last}} $$

$$ P(y) = \frac{e^{score(y)}}{\sum_{y'} e^{score(y')}} $$

The sum is over all $4^T$ sequences; the forward algorithm needs $T$ steps for it, and Viterbi's as many for the best
one. With transitions that are all 0 a CRF *is* the softmax, so one loop serves both:
"""


# %%
def train(transitions_learn):
    """-> the linear map, and the CRF's parameters."""
    linear = nb.Linear(x.shape[2], 4, dtype=float, rng=0)
    crf = CRFParams(np.zeros((4, 4)), np.zeros(4), np.zeros(4))
    weights = {**linear.params, **(crf._asdict() if transitions_learn else {})}
    adam = nb.Adam(0.1)
    for _ in range(60):
        scores, cache = linear.forward(x)
        _, crf_cache = crf_forward(scores, tags, crf, lengths)
        dscores, dcrf = crf_backward(1.0, crf_cache)
        _, grads = linear.backward(dscores, cache)
        adam.step(weights, {**grads, **(dcrf._asdict() if transitions_learn else {})})  # changes the arrays in place
    return linear, crf


(by_itself, zero), (together, crf) = train(False), train(True)
assert not zero.transitions.any()
scores_by_itself, scores_together = by_itself.forward(test_x)[0], together.forward(test_x)[0]

# %% [markdown]
r"""
Words are counted, not letters. One is found if it begins and ends where it should. **F1** is the harmonic mean of two
shares: of the words that are said, how many are right; of the true words, how many are found.

**Q3.** The CRF's words will be better. How much of that is only because it *forbids* what the table forbids? What
would you have to compare it with?
"""

# %%
legal = legal_transitions(TAGS, "BMES")
paths = {
    "the likeliest tag at each letter": scores_by_itself.argmax(axis=2),
    "the best legal path, nothing trained": crf_viterbi(scores_by_itself, crf_constrained(zero, legal), test_lengths)[
        0
    ],
    "the CRF": crf_viterbi(scores_together, crf, test_lengths)[0],
}


def named(rows):
    """The tags' letters, without the padding."""
    return [[TAGS[tag] for tag in row[:length]] for row, length in zip(rows, test_lengths)]


f1 = {name: span_f1(named(test_tags), named(path)) for name, path in paths.items()}
print(f"{'':36} F1 of words")
for name, value in f1.items():
    print(f"{name:36} {value:11.0%}")


def is_legal(path):
    """Whether a text's tags are."""
    return legal.start[path[0]] and legal.transitions[path[:-1], path[1:]].all() and legal.end[path[-1]]


illegal = [np.mean([not is_legal(row[:length]) for row, length in zip(path, test_lengths)]) for path in paths.values()]
print("texts whose tags make no words:", ", ".join(f"{share:.0%}" for share in illegal))
argmax, middle, best = f1.values()
assert 0.35 < (middle - argmax) / (best - argmax) < 0.75
assert 0.65 < argmax < middle < best < 0.87
assert illegal[0] > 0.3
assert illegal[1] == 0
assert illegal[2] < 0.05

# %%
n = next(
    n
    for n, length in enumerate(test_lengths)
    if not is_legal(paths["the likeliest tag at each letter"][n, :length])
    and not np.array_equal(paths["the best legal path, nothing trained"][n], test_tags[n])
    and np.array_equal(paths["the CRF"][n], test_tags[n])
)
print(f"{''.join(texts[300 + n])}   {' '.join(texts[300 + n])}")
for name, path in paths.items():
    print(f"{''.join(named(path)[n])}   {name}")

# %% [markdown]
r"""
**A3.** The line in the middle says it: the softmax's own scores, and of all legal paths the best by them. Nothing is
trained for that, and about half of the gain is there already. Only what is above it was *learned* by the CRF. Who
compares a CRF with the likeliest tags alone takes for learning what eight zeros in a table do.

What it learned:
"""

# %%
fig, ax = plt.subplots(figsize=(4.6, 3.4), layout="constrained")
image = ax.imshow(crf.transitions, cmap="PuOr_r", vmin=-3, vmax=3)
for row in range(4):
    for column in range(4):
        mark = "" if legal.transitions[row, column] else "x"
        ax.text(
            column, row, mark, ha="center", va="center", color="white" if crf.transitions[row, column] < -2 else "k"
        )
ax.set_xticks(range(4), TAGS)
ax.set_yticks(range(4), TAGS)
ax.set(title="Transitions (x: not legal)", xlabel="the next tag", ylabel="after this tag")
bar = fig.colorbar(image, ax=ax, label="score")

# %%
learned, forbidden = crf.transitions[legal.transitions], crf.transitions[~legal.transitions]
assert forbidden.max() < 0
assert learned.min() == crf.transitions[3, 3] < 0  # S after S
assert learned.mean() > forbidden.mean() + 2

# %% [markdown]
r"""
Nobody told it the table: every forbidden pair has a score below 0. (So has one that is legal, S after S, since it is
rare: in these texts it is *a a* and nothing else.) A BiLSTM in the place of the window knows most of this by itself,
and then a CRF adds little or nothing: see what `npbilstm train --task words` says with `--head crf` and
`--head classes`.

## Three questions

1. A quote opens a string, and the next quote closes it. Which direction knows, at a letter between them, that it is in
   a string? And if the line is cut before the second quote?
2. In *the zumper zumps*, `zumper` was never seen. Which part of `nb.WordTagger` makes a noun of it?
3. A CRF has an F1 of 81, the likeliest tags alone 71. What do you ask before you believe that transitions were worth
   learning?

<details><summary>Answers</summary>

1. The forward one, in both cases. The reverse one sees a quote after the letter, and cannot know if it opens or closes.
2. The BiLSTM over its characters: its last state has read `-er`. The neighbour `the` agrees.
3. What the best legal path has without any training.
</details>

## Where to go next

- The next tutorial, *Encoder, decoder, attention* (`encoder_decoder.ipynb`): another sequence comes out, of another
  length.
- Guess, then try: a window of three letters, or seven. Does the CRF gain more or less?
- A CoNLL-U file of your own language, from universaldependencies.org: `npbilstm train FILE --characters-of-words`.
- [crf.py](../npbilstm/textbook/crf.py) has the forward algorithm, marginals and Viterbi, with their equations, and
  [tag_schemes.py](../npbilstm/textbook/tag_schemes.py) the tables.
"""

# %% [markdown]
r"""
The answers were computed, too:
"""

# %%
assert check_table([[0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1]]) == "all sixteen are right"
assert legal.start.tolist() == [True, False, False, True]
assert legal.end.tolist() == [False, False, True, True]
assert len(LEXICON) == len(set(LEXICON)) == 122
