"""What looks like a pass, forward or backward: by its name, and by what it does.

Two signs make a pass. A name such as lstm_backward is two by itself, one such as my_cell is one; a body has one for
each thing that passes do and other functions seldom: a matrix product, a squashing, a gradient computed. So my_cell
with a matrix product looks like a pass, and so does f with a matrix product and a tanh.

Nobody can tell for sure. One too many is named rather than one too few: who reads "not judged: my_plot" knows better,
who reads "It is right" does not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

ENOUGH = 2
"""How many signs make a pass."""
LONGEST = 100
"""How many characters of a name are looked at."""

DIRECTION = re.compile(
    r"forward\w*|backward\w*|feedforward|fwd|bwd|\w*(backprop|bptt|fprop|bprop)\w*|propagat\w*|unroll\w*"
)
"""Words in a name, two signs of a pass: which way it goes."""
CELL = re.compile(r"\w*(lstm|rnn)\w*|(bi)?gru\w*|ctc\w*|bidirectional\w*|recurrent\w*|seq2seq|crf|viterbi")
"""Words in a name, two signs: what goes through time."""
THING = re.compile(
    r"\w*(sigmoid|tanh|relu|elu|softmax|softplus|logistic|gelu|swish)|deriv\w*|prime|grads?|gradients?|"
    r"\w*entropy|\w*mse|nll|bce|affine|dropout|embed|embedding|attention|batchnorm|layernorm|\w*pool|\w*pooling"
)
"""Words in a name, two signs: what else passes are of."""
PERHAPS = re.compile(
    r"cell|gates?|layer|network|net|model|step|timestep|temporal|dense|linear|conv\w*|encode\w*|decode\w*|act|activ\w*|logits|"
    r"loss\w*|cost|ce|criterion|objective|likelihood|slope|jacobian|deltas?|back|prop|hidden|state|predict|call|compute|"
    r"calc\w*|run|d|output"
)
"""Words in a name, one sign: each may be of a pass, or not."""
ELSE = re.compile(
    r"check\w*|gradcheck|numerical\w*|numeric|approx\w*|finite|fd|compare|verify|assert\w*|show|print\w*|display|load\w*|"
    r"save|read\w*|write|parse|download|init\w*|make|create|build|main|demo|example|train\w*|optimi[sz]er?|sgd|adam\w*|"
    r"rmsprop|adagrad|adadelta|nesterov|momentum|clip\w*|zero|reset|norms?|average|scale|apply|accuracy|evaluate|"
    r"perplexity|timeit|benchmark\w*|profile|repr|str"
)
"""Words in the name of what does something else, whatever else the name says; what it does may tell otherwise."""
ABOUT = re.compile(
    r"params?|parameters?|weights|batch(es)?|minibatch(es)?|random|num|diffs?|differences?|shapes?|sizes?|config|names?|"
    r"count\w*|metrics?|schedule\w*|decay|update\w*"
)
"""The same, unless the name says which way a pass goes: rnn_params is none, forward_batch is one."""
TEST = re.compile(r"tests?|plot\w*|draw\w*|figures?")
"""Words in the name of what is no pass whatever it does: a test may work out by hand what it expects."""
DATA = re.compile(r"data|dataset\w*|toy|dummy|synthetic")
"""The same, unless the name says which way a pass goes."""
CALLED = {"__call__", "call", "step", "run", "apply", "output", "compute", "calculate", "activate", "transform"}
"""Methods whose class tells what they do."""

GRADIENT = re.compile(
    r"d_?[A-Z]\w*|d[a-z]{1,2}\d?|d[a-z]{1,2}_\w+|d_\w+|d(next|prev|out|logit|score|value|input|weight|bias|hidden|cell|"
    r"state|raw|emb|gamma|beta|loss)\w*|(\w*_)?(grad|gradient|delta|nabla|deriv|derivative)s?(_\w*)?"
)
NO_GRADIENT = {"dim", "dot", "den", "div", "dev", "det", "dir", "dt"}
SIGNS = {"product": 2, "squashing": 2, "slope": 2, "passes": 2}
SIGNS |= {"exponential": 1, "weighted sum": 1, "gradient": 1, "logarithm": 1, "squares": 1, "given": 0}
"""What a body does, and how many signs of a pass that is.

product         a matrix product
squashing       tanh, sigmoid, softmax, maximum(0, .), 1 / (1 + exp(.))
slope           1 - y**2, or y * (1 - y)
passes          calls a pass and hands it what it gave, in a loop, or calls it on what is turned round
exponential     exp beside a division
weighted sum    a * b + c, or s += a * b
gradient        what is called like a gradient, dWx or grad_h, comes from a multiplication
logarithm       the logarithm in a loss
squares         the squares in a loss
given           calls a function that it is given
"""
CERTAIN = {"product", "squashing", "exponential", "slope", "gradient"}
"""What counts where the name says that it does something else, one sign each: an optimizer has weighted sums, and a
training loop calls passes."""


def words_in(name: str) -> list[str]:
    """The words of a name, in small letters: lossFun, BiLSTMCell and acc_deltas have two and more."""
    parted = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", name[:LONGEST])
    return [word for word in re.split(r"[\W_]+", re.sub(r"([A-Z])([A-Z][a-z])", r"\1_\2", parted).lower()) if word]


def has(kind: re.Pattern[str], words: Iterable[str]) -> bool:
    """Whether a word of this kind is among them."""
    return any(map(kind.fullmatch, words))


def signs_of_name(name: str) -> int:
    """How many signs of a pass a name has, whatever speaks against it."""
    words = words_in(name)
    whole = [*words, "".join(words)]
    if has(DIRECTION, whole) or has(CELL, whole) or has(THING, whole):
        return 2
    return len({word for word in words if PERHAPS.fullmatch(word) or is_gradient_name(word)})


def is_innocent(words: list[str], given: bool = False) -> bool:
    """Whether a name's words say that it does something else. given: whether it calls a function that it is given."""
    return has(ELSE, words) or ((given or has(ABOUT, words)) and not has(DIRECTION, words))


def looks_like_pass(name: str, signs: Iterable[str], of_class: str = "") -> bool:
    """Whether a function of this name, with these signs in its body, looks like a pass. of_class: the class that it is
    a method of: SGD's step is none."""
    of_its_class = bool(of_class) and name in CALLED
    signs, words = set(signs), [*words_in("" if of_its_class else name), *words_in(of_class)]
    if has(TEST, words) or (has(DATA, words) and not has(DIRECTION, words)):
        return False
    if is_innocent(words, "given" in signs):
        return len(signs & CERTAIN) >= ENOUGH
    said = signs_of_name(f"{of_class}_{name}" if of_its_class else name)
    return said + sum(SIGNS[sign] for sign in signs) >= ENOUGH


def is_gradient_name(name: str) -> bool:
    """Whether a variable is called as gradients are."""
    return len(name) <= LONGEST and bool(GRADIENT.fullmatch(name)) and name not in NO_GRADIENT


def is_pass_name(name: str) -> bool:
    """Whether what is called by this name goes through a cell or through time, as far as the name tells."""
    words = words_in(name)
    return (has(DIRECTION, words) or has(CELL, words)) and not is_innocent(words)
