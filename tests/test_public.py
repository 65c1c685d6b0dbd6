"""What is public explains itself: every exported name has an example that runs, and shows itself as what it is."""

import doctest
import inspect

import numpy as np
import pytest

import npbilstm as nb

NAMES = [name for name in nb.__all__ if not inspect.ismodule(getattr(nb, name))]


@pytest.mark.parametrize("name", NAMES)
def test_every_public_name_has_an_example_that_runs(name, tmp_path, monkeypatch):
    if name.endswith("_onnx"):
        pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    (test,) = doctest.DocTestFinder(recurse=False).find(getattr(nb, name), name, globs={"nb": nb, "np": np})
    assert test.examples, f"{name} has no example"
    said = []
    failed, _ = doctest.DocTestRunner(verbose=False).run(test, out=said.append)
    assert not failed, "".join(said)


def printed():
    """Of each kind of thing that a user gets and may print, one."""
    model = nb.SequenceTagger(3, 2, embedding_size=2, hidden_size=2, rng=0)
    ids = np.array([[1, 2, 0]])
    yield from (model, model.forward(ids)[1], model.embedding, model.linear, model.dropout)
    for layer in (nb.LSTM(3, 4, rng=0), nb.GRU(3, 4, rng=0), nb.RNN(3, 4, rng=0)):
        yield from (layer, layer.forward(np.ones((1, 2, 3), np.float32), training=True)[2])
    yield from (nb.Adam(0.01), nb.SGD(0.1), nb.Settings(), nb.Trainer(model))
    vocabulary = nb.Vocabulary("abc")
    row = nb.datasets.TaggedSequence(np.arange(3), np.zeros(3, int))
    yield from (vocabulary, row, nb.TaggedData("ours", vocabulary, ["a"], [row], [row], [row]))
    trace = nb.trace(model, ids, target=np.array([[0, 1, 0]]))
    yield from (trace, trace.explain(), trace.flow(step=1), nb.Blocks("ifgo"))
    yield nb.check_gradients(lambda p: (p["w"] ** 2).sum(), {"w": np.ones(2)}, {"w": np.ones(2)})
    yield nb.diagnose({"sigmoid": lambda a: 1 / (1 + np.exp(-a))})
    yield nb.mistakes.BUGS[0] if isinstance(nb.mistakes.BUGS, (list, tuple)) else next(iter(nb.mistakes.BUGS.values()))
    nb.save_model("model.npz", model)
    yield nb.training.read_checkpoint("model.npz")


def test_what_is_printed_says_what_it_is_and_not_where_in_memory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for thing in printed():
        shown = repr(thing)
        assert " at 0x" not in shown, shown
        assert type(thing).__name__.removesuffix("Cache") in shown or "cache of" in shown or "\n" in shown, shown
    assert repr(nb.Adam(0.01)) == "Adam(learning_rate=0.01)"
    assert repr(nb.SGD(0.1, momentum=0)) == "SGD(learning_rate=0.1, momentum=0.0)"
    assert repr(nb.Vocabulary("abc")) == "Vocabulary(4 symbols)"
