"""A batch's gradient from its shards: the whole batch's, the same bits whoever computes them and whatever is killed."""

import multiprocessing
import os
import pickle
import signal
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.layers.row_gradient import RowGradient
from npbilstm.models.heads import HEADS
from npbilstm.pools import Processes
from npbilstm.training import gradients, workers
from npbilstm.training.gradients import gradient, sharded_gradient
from npbilstm.training.parcels import packed
from npbilstm.training.workers import Workers, memory_for
from tests.training.tasks import equal, make_model, task, weights

LENGTHS = (5, 1, 9, 4, 4, 7, 2)
OPTIONS: Any = {"hidden_size": 3, "embedding_size": 2, "dtype": np.float64, "rng": 0}


def ids(rng, T, V=4):
    return rng.integers(0, V, T)


def labels_with_holes(rng, T):
    return np.where(rng.random(T) < 0.4, -100, ids(rng, T, 3))


KINDS = {
    "tagger": (nb.SequenceTagger(4, 3, **OPTIONS), lambda rng, T: ids(rng, T, 3)),
    "tagger, holes and weights": (
        nb.SequenceTagger(4, 3, class_weights=[0.0, 1.0, 7.5], **OPTIONS),
        labels_with_holes,
    ),
    "classifier": (nb.SequenceClassifier(4, 3, class_weights=[1, 2, 3], **OPTIONS), lambda rng, T: rng.integers(3)),
    "classifier, some without a class": (nb.SequenceClassifier(4, 3, **OPTIONS), lambda _, T: -100 if T > 4 else 1),
    "values": (nb.SequenceTagger(4, num_values=2, **OPTIONS), lambda rng, T: rng.normal(size=(T, 2))),
    "value": (nb.SequenceClassifier(4, num_values=2, **OPTIONS), lambda rng, T: rng.normal(size=2)),
    "crf": (nb.SequenceTagger(4, 3, head="crf", **OPTIONS), lambda rng, T: ids(rng, T, 3)),
    "ctc": (nb.SequenceTagger(4, 3, head="ctc", **OPTIONS), lambda rng, T: 1 + ids(rng, T // 3, 2)),
    "seq2seq": (nb.Seq2Seq(4, 4, **OPTIONS), lambda rng, T: ids(rng, T + 2)),
    "language": (nb.LanguageModel(4, **OPTIONS), ids),
    "words": (nb.WordTagger(6, 4, 3, word_counts=[0] * 6, **OPTIONS), lambda rng, T: ids(rng, T, 3)),
}


def rows_for(kind):
    """A model of this kind, and sequences of these lengths for it. Words are of ids up to 5 and three characters."""
    (model, target), rng = KINDS[kind], np.random.default_rng(0)
    if kind == "words":
        return model, [(np.column_stack([ids(rng, T, 6), ids(rng, (T, 3))]), target(rng, T)) for T in LENGTHS]
    return model, [(ids(rng, T), target(rng, T)) for T in LENGTHS]


def dense(grads):
    """Gradients by row as whole tables."""
    return {name: g.dense() if isinstance(g, RowGradient) else g for name, g in grads.items()}


def test_every_head_is_among_these():
    assert {type(model.head) for model, _ in KINDS.values() if hasattr(model, "head")} == set(HEADS.values())


@pytest.mark.parametrize("kind", KINDS)
def test_the_sum_over_shards_is_the_whole_batchs_loss_and_gradient(kind):
    model, rows = rows_for(kind)
    loss, grads, _ = gradient(model, rows, 0)
    assert len({model.loss_weight(*row) for row in rows}) > 1 or kind in ("value", "ctc")
    for shards in (2, 3, 50):
        summed, shares, _ = sharded_gradient(model, rows, shards, np.random.default_rng(0))
        assert abs(summed - loss) <= 1e-12 * abs(loss)
        assert list(shares) == list(grads)
        for name, g in dense(grads).items():
            assert np.abs(dense(shares)[name] - g).max() <= 1e-12 * max(1, np.abs(g).max()), name


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_of_streams_each_shard_begins_and_ends_with_the_state_of_its_own_rows(cell):
    model = nb.LanguageModel(4, cell=cell, num_layers=2, **OPTIONS)
    rng = np.random.default_rng(0)
    parts = [rng.normal(size=shape) for shape in model.recurrent.state_shapes(len(LENGTHS))]
    state = tuple(parts) if len(parts) > 1 else parts[0]
    rows = [(ids(rng, T), ids(rng, T)) for T in LENGTHS]
    loss, grads, ended = gradient(model, rows, 0, state=state)
    for shards in (2, 3, 50):
        summed, shares, whole = sharded_gradient(model, rows, shards, np.random.default_rng(0), state=state)
        assert abs(summed - loss) <= 1e-12 * abs(loss)
        for name, g in grads.items():
            assert np.abs(shares[name] - g).max() <= 1e-12 * max(1, np.abs(g).max()), name
        assert np.abs(np.array(whole) - ended).max() <= 1e-12
        assert isinstance(whole, type(state))


def test_a_run_of_streams_in_shards_has_the_same_bits_stopped_within_a_stream_or_not_and_whoever_computes(tmp_path):
    rng = np.random.default_rng(0)
    texts = [KINDS["language"][0].shifted(ids(rng, T)) for T in (40, 22)]

    def trainer(executor=None):
        model = nb.LanguageModel(4, hidden_size=5, embedding_size=3, dropout=0.3, window=4, rng=0)
        return nb.Trainer(model, nb.Adam(0.02), nb.Settings(epochs=1, batch_size=5, shards=2), executor=executor)

    here, stopped = trainer(), trainer(partial(ThreadPoolExecutor, 2))
    history = here.train(texts, texts[:1], show=False)
    save = lambda: nb.save_checkpoint(tmp_path / "run.npz", stopped)  # noqa: E731
    stopped.train(texts, texts[:1], save=save, should_stop=lambda: stopped.position.batch == 3, show=False)
    resumed, _ = nb.load_trainer(tmp_path / "run.npz")
    assert resumed.carried[0].shape == (1, 5, 5)
    assert resumed.train(texts, texts[:1], show=False) == history
    assert equal(weights(resumed.model), weights(here.model))


def test_where_no_step_counts_loss_and_gradient_are_0():
    rng = np.random.default_rng(0)
    rows = [(ids(rng, T), np.full(T, -100)) for T in LENGTHS]
    loss, grads, _ = sharded_gradient(KINDS["tagger"][0], rows, 3, np.random.default_rng(0))
    assert loss == 0
    assert not any(g.any() for g in grads.values())


class LastFirst(Executor):
    """Does nothing until it has been handed so many tasks; then the last of them first."""

    def __init__(self, count):
        self.count, self.waiting, self.tasks = count, [], []

    def submit(self, function, *arguments):
        self.waiting.append((Future(), function, arguments))
        future = self.waiting[-1][0]
        if len(self.waiting) == self.count:
            for each, function, arguments in reversed(self.waiting):
                self.tasks.append(arguments)
                each.set_result(function(*arguments))
            self.waiting.clear()
        return future


class Breaks(Executor):
    """As one of processes, of which one is killed at the third task: that is lost, and it takes none after it."""

    made = 0

    def __init__(self, at=3):
        Breaks.made += 1
        self.left = at

    def submit(self, function, *arguments):
        self.left -= 1
        if self.left < 0:
            raise BrokenExecutor
        future = Future()
        if self.left:
            future.set_result(function(*arguments))
        else:
            future.set_exception(BrokenExecutor())
        return future


class SharesMemory(Processes):
    """As Processes, but without a process: who submits does it, and has the memory that workers see."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future


def trainer_with(executor=None, **settings):
    settings = nb.Settings(**{"epochs": 2, "batch_size": 8, "shards": 4, **settings})
    return nb.Trainer(make_model(dropout=0.3), nb.Adam(0.02), settings, executor=executor)


def trained_with(executor=None, **settings):
    """The weights and the history of a run of dropout."""
    trainer = trainer_with(executor, **settings)
    history = trainer.train(task(40), task(10, 1), show=False)
    return weights(trainer.model), history


def test_the_same_shards_give_the_same_bits_whoever_computes_them_in_whatever_order():
    here, history = trained_with()
    last_first = LastFirst(4)
    for executor in (last_first, partial(ThreadPoolExecutor, 3)):
        elsewhere, same = trained_with(executor)
        assert equal(elsewhere, here)
        assert same == history
    other, _ = trained_with(shards=3)
    assert not equal(other, here)
    for k in range(0, len(last_first.tasks), 4):  # of a step: the last shard was first
        step = last_first.tasks[k : k + 4]
        assert len({id(sent) for _, sent, *_ in step}) == 1  # the weights, packed once
        assert len({seed for _, _, (_, seed, *_), *_ in step}) == 4  # masks of their own


@pytest.mark.parametrize("share", [1, 0.3])
def test_arrays_in_memory_that_workers_share_are_the_same_arrays_be_there_room_for_all_or_for_some(monkeypatch, share):
    here, history = trained_with(epochs=1)
    executor = SharesMemory(4, int(share * memory_for(make_model(), 4)))
    monkeypatch.setattr(workers, "memory_here", lambda: executor.memory)
    sent = []
    monkeypatch.setattr(workers, "packed", lambda *given: sent.append(packed(*given)) or sent[-1])
    elsewhere, same = trained_with(executor, epochs=1)
    assert equal(elsewhere, here)
    assert same == history
    beside = [len(parcel.places) for parcel in sent]
    assert min(beside) >= len(here) if share == 1 else 0 < max(beside) < len(here)
    assert share < 1 or max(len(parcel.pickled) for parcel in sent) < 3000  # without a weight


@pytest.mark.parametrize("kind", ["words", "language"])
def test_what_only_some_models_have_comes_back_through_shared_memory_too(monkeypatch, kind):
    model, rows = rows_for(kind)
    there = SharesMemory(3, memory_for(model, 3))
    monkeypatch.setattr(workers, "memory_here", lambda: there.memory)
    loss, grads, state = sharded_gradient(model, rows, 3, np.random.default_rng(0))
    again, same, ended = sharded_gradient(model, rows, 3, np.random.default_rng(0), Workers(there))
    assert again == loss
    assert equal(dense(same), dense(grads))
    assert np.array_equal(ended, state)


def test_a_given_executor_goes_on_and_a_made_one_is_shut_down():
    made = []

    def make():
        made.append(ThreadPoolExecutor(2))
        return made[-1]

    trained_with(make)
    with pytest.raises(RuntimeError, match="shutdown"):
        made[0].submit(int)
    assert len(made) == 1
    with ThreadPoolExecutor(2) as given:
        trained_with(given)
        assert given.submit(int).result() == 0


def test_what_is_lost_with_a_worker_is_done_again_by_a_new_pool():
    here, history = trained_with(epochs=1)
    Breaks.made = 0
    elsewhere, same = trained_with(Breaks, epochs=1)
    assert equal(elsewhere, here)
    assert same == history
    assert Breaks.made == 10  # each does two shards of four, then breaks: two new ones a step


@pytest.mark.parametrize("given", [partial(Breaks, 1), Breaks(1)])
def test_what_is_lost_again_and_again_is_told_in_a_sentence_and_no_weight_has_changed(given):
    trainer = trainer_with(given)
    before = weights(trainer.model)
    with pytest.raises(ChildProcessError, match="of 4 shards 4 were lost 3 times, each time with the worker") as raised:
        trainer.train(task(40), show=False)
    assert ("executor=lambda: ..." in str(raised.value)) == isinstance(given, Executor)
    assert equal(weights(trainer.model), before)
    assert trainer.position.batch == 0


def test_a_run_of_shards_stopped_and_resumed_with_other_workers_ends_bit_identical(tmp_path):
    whole, history = trained_with()
    stopped = trainer_with(partial(ThreadPoolExecutor, 2))
    save = lambda: nb.save_checkpoint(tmp_path / "run.npz", stopped)  # noqa: E731
    stopped.train(task(40), task(10, 1), save=save, should_stop=lambda: stopped.position.batch == 3, show=False)
    resumed, _ = nb.load_trainer(tmp_path / "run.npz")
    assert resumed.settings.shards == 4
    assert resumed.position.batch == 3
    assert resumed.train(task(40), task(10, 1), show=False) == history
    assert equal(weights(resumed.model), whole)


@pytest.mark.parametrize(
    ("executor", "shards", "kind", "sentence"),
    [
        (ThreadPoolExecutor, 1, ValueError, "executor goes with shards, of which settings has 1"),
        (3, 2, TypeError, "executor is 3; it needs an executor of concurrent.futures, or a function that makes one"),
        (dict, 2, TypeError, r"executor is <class 'dict'>, which makes {}; it needs an executor"),
        (None, 0, ValueError, "shards is 0; it needs to be at least 1"),
    ],
)
def test_what_cannot_be_is_told_by_name(executor, shards, kind, sentence):
    with pytest.raises(kind, match=sentence):
        trained_with(executor, shards=shards)


def test_a_run_of_shards_that_diverges_says_so():
    trainer = nb.Trainer(make_model(), nb.SGD(1e30), nb.Settings(max_norm=None, shards=2, batch_size=8))
    with pytest.raises(FloatingPointError, match=r"epoch 1, batch 2; a smaller learning rate usually helps"):
        trainer.train(task(40), show=False)


def test_an_error_in_a_worker_is_the_callers(monkeypatch):
    def fails(*_):
        raise MemoryError("of a shard")

    monkeypatch.setattr(gradients, "gradient", fails)
    with pytest.raises(MemoryError, match="of a shard"):
        trained_with(partial(ThreadPoolExecutor, 2))


def test_every_model_is_the_same_after_it_was_sent():
    for kind in KINDS:
        model, rows = rows_for(kind)
        loss, grads, _ = gradient(model, rows, 0)
        again, same, _ = gradient(pickle.loads(pickle.dumps(model)), rows, 0)
        assert again == loss
        assert equal(dense(same), dense(grads))


needs_signals = pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills as POSIX does")


@needs_signals
@pytest.mark.slow
def test_a_process_that_is_killed_midway_costs_nothing():
    here, history = trained_with()
    trainer = trainer_with(partial(Processes, 2, memory_for(make_model(), 2)))
    killed = []

    def kill_one():
        if trainer.position.batch in (2, 4) and len(multiprocessing.active_children()) == 2:
            killed.append(multiprocessing.active_children()[0].pid)
            os.kill(killed[-1], signal.SIGKILL)
        return False

    assert trainer.train(task(40), task(10, 1), should_stop=kill_one, show=False) == history
    assert len(killed) >= 3
    assert equal(weights(trainer.model), here)
    assert multiprocessing.active_children() == []


@needs_signals
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # the cluster's own
def test_of_a_dask_clusters_workers_one_is_killed_and_the_bits_are_the_same():
    distributed = pytest.importorskip("distributed")
    here, history = trained_with()
    options = {"n_workers": 3, "threads_per_worker": 1, "processes": True, "dashboard_address": None}
    with (
        distributed.LocalCluster(**options, silence_logs=50) as made,
        distributed.Client(made.scheduler_address, set_as_default=False) as client,
    ):
        trainer = trainer_with(client.get_executor())
        numbers = list(client.run(os.getpid).values())
        killed = []

        def kill_one():
            if trainer.position.batch == 2 and not killed:
                killed.append(numbers[0])
                os.kill(numbers[0], signal.SIGKILL)
            return False

        assert trainer.train(task(40), task(10, 1), should_stop=kill_one, show=False) == history
    assert len(killed) == 1
    assert equal(weights(trainer.model), here)
