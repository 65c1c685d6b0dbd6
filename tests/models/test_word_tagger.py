"""A tagger that reads words by their characters too: its gradients are right, its padding never matters."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.models import word_reader, word_tagger
from npbilstm.models.hollow import count_of_numbers, hollow_word_tagger
from npbilstm.models.word_reader import spelled_words
from tests.cases import assert_all_close, assert_close
from tests.planting import planted, planted_below

SIZES = {"embedding_size": 3, "character_embedding_size": 2, "character_hidden_size": 2, "hidden_size": 3}
WORDS, CHARACTERS, CLASSES = 6, 5, 3


def rows(seed=0):
    """Sentences with their labels: words that come again, one without characters, a sentence without words."""
    rng = np.random.default_rng(seed)
    lexicon = [rng.integers(0, CHARACTERS, n) for n in (3, 1, 4, 0, 2, 2)]
    found = []
    for T, C in [(4, 4), (0, 2), (6, 5), (1, 4)]:
        words = np.full((T, 1 + C), -1)
        for t, k in enumerate(rng.integers(0, WORDS, T)):
            words[t, : 1 + len(lexicon[k])] = [k, *lexicon[k]]
        found.append((words, rng.integers(0, CLASSES, T)))
    return found


def made(make=nb.WordTagger, **options):
    return make(WORDS, CHARACTERS, CLASSES, **{**SIZES, "dtype": np.float64, "rng": 1, **options})


def small(**options):
    model = made(**options)
    return model, model.collate(rows())


@pytest.mark.slow
@pytest.mark.parametrize("head", ["classes", "crf"])
def test_every_gradient_agrees_with_the_complex_step(head):
    model, batch = small(head=head)
    _, cache = model.loss_forward(*batch, training=True)
    report = nb.check_gradients(
        lambda p: 1.5 * model.with_params(p).loss_forward(*batch, training=True)[0],
        dict(model.params),
        model.loss_backward(1.5, cache),
        method="complex",
    )
    assert report.ok, report


@pytest.mark.parametrize("options", [{"head": "crf"}, {"dropout": 0.4, "word_counts": [0, 1, 1, 1, 2, 3]}])
def test_the_gradient_along_a_direction_is_that_of_the_complex_step_with_every_dropout_too(options):
    model, batch = small(**options)
    _, cache = model.loss_forward(*batch, training=True, rng=5)
    grads = model.loss_backward(1.0, cache)
    rng = np.random.default_rng(3)
    along = {name: rng.standard_normal(p.shape) for name, p in model.params.items()}
    moved = {name: p + 1e-30j * along[name] for name, p in model.params.items()}
    slope = model.with_params(moved).loss_forward(*batch, training=True, rng=5)[0].imag / 1e-30
    assert_close(sum((grads[name] * v).sum() for name, v in along.items()), slope)


def test_what_stands_in_the_padding_of_sentences_and_of_words_never_matters():
    model, (words, targets, lengths) = small()
    loss, cache = model.loss_forward(words, targets, lengths, training=True)
    grads = model.loss_backward(1.0, cache)
    other = words.astype(np.int64)
    behind = np.cumsum(other < 0, axis=2) > 1  # not the first -1, which ends the word
    other[behind] = 10**9
    other[np.arange(words.shape[1]) >= lengths[:, None]] = -(10**9)
    same, cache = model.loss_forward(other, targets, lengths, training=True)
    assert same == loss
    assert_all_close(model.loss_backward(1.0, cache), grads, 0)
    _, cache = model.forward(words, lengths, training=True)
    dlogits = np.random.default_rng(0).standard_normal((*words.shape[:2], CLASSES))
    grads = model.backward(dlogits, cache)[1]
    dlogits[np.arange(words.shape[1]) >= lengths[:, None]] = np.nan
    assert_all_close(model.backward(dlogits, cache)[1], grads, 0)


def test_nan_in_the_table_where_nobody_reads_stays_there():
    model, (words, _, lengths) = small()
    right = model.predict(words, lengths)
    read = model.rows_read(rows())["words.W"]
    model.words.params["W"][np.setdiff1d(np.arange(WORDS), read)] = np.nan
    assert np.array_equal(model.predict(words, lengths), right)


def test_a_word_is_read_by_its_embedding_and_by_the_last_states_over_its_characters():
    model, (words, _, lengths) = small()
    x, _, valid = model.read(words, lengths)
    assert valid.sum() == lengths.sum()
    for n, t in np.argwhere(valid):
        word = words[n, t][words[n, t] >= 0]
        letters = model.characters.params["W"][word[1:]][None]
        _, (h_n, _), _ = model.speller.forward(letters)
        assert_close(x[n, t], np.concatenate([model.words.params["W"][word[0]], h_n[0, 0], h_n[1, 0]]))
    assert not x[~valid].any()


def test_each_sentence_of_a_batch_is_scored_as_alone():
    model, (words, _, lengths) = small()
    together, _ = model.forward(words, lengths)
    for n, (row, _) in enumerate(rows()):
        alone, _ = model.forward(row[None])
        assert_close(together[n, : lengths[n]], alone[0])
        assert not together[n, lengths[n] :].any()


def test_words_that_are_alike_are_spelled_once():
    words = np.array([[4, 1, 2, -1], [0, 3, -1, 9], [4, 1, 2, -1], [5, 1, 2, -7], [2, -1, 0, 0], [1, 3, -1, -1]])
    spelled = spelled_words(words)
    assert spelled.characters.tolist() == [[1, 2], [3, 0], [0, 0]]
    assert spelled.lengths.tolist() == [2, 1, 0]
    assert spelled.which.tolist() == [0, 1, 0, 0, 2, 1]
    assert spelled.ids.tolist() == [4, 0, 4, 5, 2, 1]


def test_while_training_a_rare_word_is_read_as_the_unknown_one_and_a_frequent_one_is_not():
    model = made(word_counts=[0, 1, 3, 1000, 10**9, 1])
    words = np.tile(np.array([[[1, 0], [2, 0], [3, 0], [4, 0]]]), (2_000, 1, 1)).astype(np.int32)
    _, cache = model.forward(words, training=True, rng=0)
    unknown = (cache.reader.spelled.ids.reshape(2_000, 4) == 0).mean(axis=0)
    assert_close(unknown, [0.25 / 1.25, 0.25 / 3.25, 0.25 / 1000.25, 0], 0.03)
    assert unknown[3] == 0
    _, cache = model.forward(words, rng=0)
    assert (cache.reader.spelled.ids != 0).all()


def test_by_row_the_gradient_has_the_rows_that_were_read_and_is_the_same():
    model, batch = small()
    _, cache = model.loss_forward(*batch, training=True)
    by_row = model.loss_backward_by_row(1.0, cache)
    read = model.rows_read(rows())
    assert set(read) == set(model.tables) == {"words.W"}
    assert set(by_row["words.W"].rows) == {*batch[0][..., 0][np.arange(6) < batch[2][:, None]].tolist()}
    assert set(read["words.W"]) == {0, *by_row["words.W"].rows}
    dense = model.loss_backward(1.0, cache)
    assert_all_close(by_row["words.W"].dense(), dense["words.W"], 0)
    assert set(dense) == set(by_row) == set(model.params)


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (word_reader, "dspelling[:, :H], dspelling[:, H:]", "dspelling[:, H:], dspelling[:, :H]"),
        (word_reader, "words.backward_by_row(dx[:, :D]", "words.backward_by_row(2 * dx[:, :D]"),
        (word_reader, "spelling[spelled.which]", "spelling[np.sort(spelled.which)]"),
        (word_reader, "letters, spelled.lengths", "letters, None"),
        (word_tagger, "dx[cache.valid]", "dx[:, ::-1][cache.valid]"),
    ],
)
def test_a_slip_is_seen(module, old, new):
    if module is word_reader:
        (changed,) = planted_below([word_tagger], word_reader, old, new)
    else:
        changed = planted(word_tagger, old, new)
    batch = made().collate(rows())

    def loss_and_grads(make):
        model = made(make)
        loss, cache = model.loss_forward(*batch, training=True)
        return loss, model.loss_backward(1.0, cache)

    with pytest.raises(AssertionError):
        assert_all_close(loss_and_grads(changed.WordTagger), loss_and_grads(nb.WordTagger))


def test_a_hollow_model_has_the_shapes_of_the_real_one():
    for options in ({}, {"head": "crf", "word_counts": [0, 2, 2, 2, 2, 2], "num_layers": 2, "cell": "gru"}):
        model = made(**options)
        hollow = hollow_word_tagger(nb.WordTagger, **model.config)
        assert hollow.param_shapes == model.param_shapes
        assert hollow.config == model.config
        assert nb.WordTagger(**model.config).param_shapes == model.param_shapes
        assert count_of_numbers(hollow) == model.num_parameters


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: w.astype(float), "words has dtype float64; it needs integers"),
        (lambda w: w[0], r"words has shape \(6, 6\); it needs axes \(N, T, 1 \+ characters\)"),
        (lambda w: np.where(w == -1, -1, w + WORDS), "words's ids holds"),
        (lambda w: np.concatenate([0 * w[..., :1], w[..., 1:] + 9], axis=2), "words's characters holds"),
    ],
)
def test_what_are_no_words_is_named(change, message):
    model, (words, _, lengths) = small()
    with pytest.raises((TypeError, ValueError), match=message):
        model.forward(change(words), lengths)


def test_what_cannot_be_trained_on_is_named():
    with pytest.raises(ValueError, match=r"train\[0\]'s words has shape \(1, 2, 3\); it needs axes \(T, 1"):
        nb.Trainer(made()).train([(np.ones((1, 2, 3), int), [1])])
    with pytest.raises(ValueError, match=r"train\[0\] has class 3; the model has classes 0 to 2"):
        nb.Trainer(made()).train([(np.ones((1, 3), int), [3])])
    with pytest.raises(ValueError, match=r"word_counts has shape \(1,\); it needs \(6,\)"):
        made(word_counts=[1])
    with pytest.raises(ValueError, match="word_counts holds -1; it needs counts of at least 0"):
        made(word_counts=[1, 1, 1, 1, 1, -1])
    with pytest.raises(TypeError, match="word_counts has dtype float64; it needs integers"):
        made(word_counts=[1.0] * 6)
    with pytest.raises(ValueError, match="head is 'ctc'; it needs one of None, 'classes', 'crf'"):
        made(head="ctc")


def test_words_may_be_lists():
    words = [[1, 2, 3], [2, 4, -1]]
    histories = []
    for rows in (words, np.array(words)):
        trainer = nb.Trainer(made(word_counts=[1] * 6), settings=nb.Settings(epochs=1))
        histories.append(trainer.train([(rows, [0, 1])], [(rows, [0, 1])], show=False))
    assert histories[0] == histories[1]
