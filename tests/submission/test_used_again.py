"""An object of a submitted class is used again: what a forward pass keeps of the batch before is found."""

import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.submission.used_again import Maker
from tests.submission.test_forms import ANSWERS, namespace

ANSWER = ANSWERS["saito"].read_text()
SAITO = "import numpy as np\n\n\n" + "\n\n".join(
    re.findall(rf"{begin}.*?\n\n(?=\S)", ANSWER, re.DOTALL)[0]
    for begin in ("def sigmoid", "class LSTM", "class TimeLSTM")
)
WITHOUT_SET_STATE = re.sub(r"    def set_state.*?\n\n", "", SAITO, flags=re.DOTALL)
RNN = """
import numpy as np

class RNN:
    def __init__(self, n_inputs, n_neurons):
        self.Wx, self.Wh, self.b = np.ones((n_inputs, n_neurons)), np.eye(n_neurons), np.zeros(n_neurons)
        self.tape, self.h = [], 0

    def forward(self, inputs):
        self.tape, h = [], np.zeros((len(inputs), len(self.b)))
        for x in inputs.swapaxes(0, 1):
            self.tape.append((x, h))
            h = np.tanh(x @ self.Wx + h @ self.Wh + self.b)
            self.tape[-1] += (h,)
        self.h = h
        return np.stack([h for *_, h in self.tape], axis=1)

    def backward(self, dvalues):
        self.dWx, self.dWh, self.db, dh, dx = 0, 0, 0, 0, np.zeros((*dvalues.shape[:2], len(self.Wx)))
        for t in reversed(range(dvalues.shape[1])):
            x, h_prev, h = self.tape[t]
            da = (dvalues[:, t] + dh) * (1 - h**2)
            self.dWx, self.dWh, self.db = self.dWx + x.T @ da, self.dWh + h_prev.T @ da, self.db + da.sum(axis=0)
            dx[:, t], dh = da @ self.Wx.T, da @ self.Wh.T
        return dx
"""
START = "self.tape, h = [], np.zeros((len(inputs), len(self.b)))"
CARRIES_ON = RNN.replace(START, "self.tape, h = [], self.h + np.zeros((len(inputs), len(self.b)))")


@pytest.mark.parametrize("source", [SAITO, RNN])
def test_what_keeps_nothing_of_the_batch_before_is_right(source):
    assert nb.diagnose(namespace(source)).verdict == "right"


@pytest.mark.parametrize(
    ("source", "old", "new", "sentence"),
    [
        (
            RNN,
            START,
            "h = np.zeros((len(inputs), len(self.b)))",
            "RNN stops when one object of it is given a second batch (RNN.forward's h has shape (3, 2, 4); it needs "
            "(3, 1, 4))",
        ),
        (
            SAITO,
            "        self.layers = []\n        hs",
            "        self.layers = self.layers or []\n        hs",
            "TimeLSTM gives another dx, dh0, dWx, dWh, db when one object of it is given a second batch: something is "
            "kept of the first",
        ),
        (
            WITHOUT_SET_STATE,
            "not self.stateful or ",
            "",
            "TimeLSTM gives another h, dx, dWx, dWh, db when one object of it is given a second batch: something is "
            "kept of the first",
        ),
        (
            RNN,
            "self.h = h\n",
            "self.Wx, self.h = self.Wx if np.ndim(self.h) == 0 else None, h\n",
            "RNN stops when one object of it is given a second batch (object of type 'NoneType' has no len())",
        ),
    ],
)
def test_what_is_kept_of_the_batch_before_is_a_mistake(source, old, new, sentence):
    assert old in source
    report = nb.diagnose(namespace(source.replace(old, new)))
    assert report.verdict == "wrong"
    assert sentence in " ".join(str(report).split()), report


def test_a_state_that_is_carried_on_is_a_mistake_where_nothing_puts_it_back():
    assert nb.diagnose(namespace(CARRIES_ON)).verdict == "wrong"
    with_a_reset = CARRIES_ON + "\n    def reset(self):\n        self.h = 0\n"
    assert nb.diagnose(namespace(with_a_reset)).verdict == "right"


def test_objects_that_are_given_the_batch_when_they_are_made_are_made_anew():
    maker = Maker(lambda weights, x: [weights, x])
    first = maker(np.ones(2), np.ones(3))
    maker.rewind()
    assert maker(np.ones(2), np.ones(3)) is first
    maker.rewind()
    assert maker(np.ones(2), np.zeros(3)) is not first
