"""What a type checker says of a user's script, with mypy --strict: nothing where it is right, and of a wrong call that
it is wrong, before anything runs."""

import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from npbilstm import engine
from npbilstm.layers import GRU, LSTM, RNN, options
from npbilstm.layers.recurrent import Recurrent
from npbilstm.models import SequenceClassifier, SequenceTagger
from npbilstm.models.options import ModelOptions

RIGHT = """
from typing import Literal

import numpy as np

import npbilstm as nb

Array = np.ndarray

x, lengths = np.ones((2, 5, 3), np.float32), np.array([5, 3])

# what forward returns is known from the call
lstm = nb.LSTM(3, 4, peepholes=True, dropout=0.1, dtype="float64", rng=0)
y, (h_n, c_n), cache = lstm.forward(x, lengths, training=True)
shape: tuple[int, ...] = y.shape + h_n.shape + c_n.shape
dx, grads, (dh_0, dc_0) = lstm.backward(y, cache, (h_n, c_n))
dtypes = dx.dtype, grads["0.forward.Wx"].dtype, dh_0.dtype, dc_0.dtype

gru = nb.GRU(3, 4, 2, bidirectional=True, merge="sum", reset_after=False)
y, h_n, cache = gru.forward(x, state=np.zeros((4, 2, 4), np.float32), training=True)
dx, grads, dh_0 = gru.backward(y, cache, h_n)
y, h_n, cache = nb.RNN(3, 4, nonlinearity="relu", reverse=True).forward(x.tolist())

both = nb.BiLSTM(3, 4, merge=None)
(forward, reverse), state, cache = both.forward(x, training=True)
shape = forward.shape + reverse.shape + state[0].shape
both.backward((forward, reverse), cache)
(forward, reverse), h_n, cache = nb.GRU(3, 4, bidirectional=True, merge=None).forward(x)


def outputs(merge: Literal["concat", "sum"] | None) -> Array:
    y, _, _ = nb.BiLSTM(3, 4, merge=merge).forward(x)
    return y[0] if isinstance(y, tuple) else y


def any_layer(layer: nb.Recurrent, one: nb.LSTM) -> tuple[Array, Array]:
    y, state, _ = layer.forward(x)
    _, (h_n, c_n), _ = one.with_params(one.params).forward(x)
    return y, h_n if isinstance(state, tuple) else state


any_layer(gru, lstm)

# models and their training
ids = [np.array([1, 2, 0]), np.array([2, 1])]
padded, lengths = nb.pad(ids)
model = nb.SequenceClassifier(3, 2, cell="gru", pooling="mean", hidden_size=4, rng=0)
logits, model_cache = model.forward(padded, lengths, training=True)
loss, loss_cache = nb.softmax_cross_entropy_forward(logits, np.array([0, 1]))
_, grads = model.backward(nb.softmax_cross_entropy_backward(1.0, loss_cache), model_cache)
grads, norm = nb.clip_by_global_norm(grads, 1.0)
nb.Adam(0.01).step(model.params, grads)
trainer = nb.Trainer(model, nb.SGD(0.1), nb.Settings(epochs=1, schedule="constant"))
history: list[dict[str, float]] = trainer.train([(ids[0], 1), (ids[1], 0)], show=False)
nb.save_model("model.npz", model, {"classes": ["a", "b"]})
loaded, about = nb.load_model("model.npz")
classes: list[int] = loaded.predict(padded, lengths).tolist()

# checks and looks inside
lstm64 = nb.LSTM(3, 4, dtype=np.float64)
w = np.ones(3)
report = nb.check_gradients(lambda params: (params["w"] ** 2).sum(), {"w": w}, {"w": 2 * w}, "complex")
assert report.ok, report.verdict
trace = nb.trace(nb.BiLSTM(3, 4), x, upstream=np.ones((2, 5, 8), np.float32))
text = str(trace.explain(direction="reverse", step=2, unit=1)) + trace.sparkline(0)
found: str = nb.diagnose({"sigmoid": lambda a: 1 / (1 + np.exp(-a))}).verdict
state_dict: dict[str, Array] = nb.to_pytorch(nb.LSTM(3, 4))
again = nb.from_pytorch(state_dict)
read = nb.read_weights("model.npz")[0] if again.bias else nb.from_onnx("model.onnx")
names: list[str] = list(read.params)
if isinstance(read, nb.SequenceTagger | nb.SequenceClassifier):
    read.forward(padded, lengths)


def a_sum(merge: nb.layers.Merge, init: nb.layers.Init = "torch") -> nb.GRU:
    return nb.GRU(3, 4, bidirectional=True, merge=merge, init=init)


data = nb.python_source(10_000)
symbols: list[str] = data.vocabulary.symbols
"""

WRONG = """
nb.LSTM(3, 4, dropot=0.1)
nb.LSTM(3, 4, merge="cat")
nb.LSTM(3, 4, reset_after=False)
nb.LSTM("3", 4)
nb.LSTM(3)
nb.BiLSTM(3, 4, bidirectional=False)
nb.BiLSTM(3, 4, init="glorot")
nb.GRU(3, 4, peepholes=True)
nb.GRU(3, 4, activation="swish")
nb.RNN(3, 4, nonlinearity="reLU")
nb.RNN(3, 4, dtype=0.5)
nb.Linear(3, 4, bias=False)
nb.SequenceTagger(3, 2, cell="transformer")
nb.SequenceTagger(3, 2, pooling="mean")
nb.SequenceClassifier(3, 2, pooling="last")
nb.SequenceClassifier(3, 2, hiden_size=4)
nb.Settings(schedule="cosine")
nb.Adam(momentum=0.9)
nb.check_gradients(len, {}, {}, method="forward")
nb.trace(nb.LSTM(3, 4), x).explain(direction="backward")
nb.LSTM(3, 4).forward(x)[1].shape
nb.GRU(3, 4).forward(x)[1].append(x)
nb.BiLSTM(3, 4, merge=None).forward(x)[0].shape
nb.LSTM(3, 4).backward(x)
nb.LSTM(3, 4).check_options()
nb.read_weights("model.npz", "parser")
nb.from_keras([], "transformer")
nb.Transformer(3, 4)
nb.layers.Transformer
"""


def complaints(script, folder):
    """The numbers of the lines, from 1 on, of which mypy --strict complains; and all that it says."""
    (folder / "script.py").write_text(script)
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file=", "--follow-imports=silent", "script.py"]
    environment = {**os.environ, "MYPYPATH": str(Path(__file__).parents[1])}
    said = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert not said.stderr, said.stderr
    return {int(line) for line in re.findall(r"^script\.py:(\d+): error:", said.stdout, re.MULTILINE)}, said.stdout


@pytest.mark.slow
def test_a_type_checker_finds_nothing_wrong_with_a_users_script_and_everything_with_a_wrong_one(tmp_path):
    pytest.importorskip("mypy")
    _, said = complaints(RIGHT, tmp_path)
    assert said.startswith("Success"), said
    first = "import numpy as np, npbilstm as nb; x = np.ones((2, 5, 3))"
    found, said = complaints(first + WRONG, tmp_path)
    missed = [line for number, line in enumerate(WRONG.splitlines(), 1) if number > 1 and number not in found]
    assert not missed, said


@pytest.mark.slow
def test_the_right_script_runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exec(compile(RIGHT, "script.py", "exec"), {})


DECIDE_WHAT_COMES_BACK = {"bidirectional", "merge"}
"""Options that stand in the overloads."""


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (LSTM, options.LSTMOptions),
        (GRU, options.GRUOptions),
        (RNN, options.RNNOptions),
        (SequenceTagger, ModelOptions),
        (SequenceClassifier, ModelOptions),
    ],
)
def test_type_checkers_know_exactly_the_options_that_there_are(kind, known):
    taken = {}
    for base in kind.__mro__:
        if "__init__" in vars(base):
            parameters = inspect.signature(base.__init__).parameters.values()
            taken |= {p.name: p.annotation for p in parameters if p.kind is p.KEYWORD_ONLY}
    left_out = DECIDE_WHAT_COMES_BACK if issubclass(kind, Recurrent) else {"pooling"}
    told = {
        name: kind if isinstance(kind, str) else kind.__forward_arg__ for name, kind in known.__annotations__.items()
    }
    assert told == {name: kind for name, kind in taken.items() if name not in left_out}


def test_the_activations_are_those_of_the_engine():
    assert set(options.ACTIVATIONS) == set(engine.ACTIVATIONS)
