"""What `trace` may be given, what it makes of it, and the sentence where it cannot use it."""

import numpy as np
import pytest

import npbilstm as nb
from tests.layers.recurrent_cases import make_inputs, make_layer

layer = make_layer(bidirectional=True)
pair = make_layer(bidirectional=True, merge=None)
tagger = nb.SequenceTagger(9, 4, hidden_size=2, rng=0)
classifier = nb.SequenceClassifier(9, 4, hidden_size=2, rng=0)


def names(tokens, steps, lengths=None, rows=1):
    return nb.trace(layer, np.zeros((rows, steps, 3)), lengths, tokens=tokens).tokens


@pytest.mark.parametrize(
    ("tokens", "steps", "found"),
    [
        ("hello", 5, list("hello")),
        (["hello"], 5, list("hello")),
        (["hello"], 1, ["hello"]),
        ([list("hello")], 5, list("hello")),
        ([1, 2, 3], 3, ["1", "2", "3"]),
        (np.arange(3), 3, ["0", "1", "2"]),
        (["a", None], 2, ["a", "None"]),
        (["the", "cat"], 2, ["the", "cat"]),
    ],
)
def test_a_batch_of_one_takes_its_tokens_as_they_are(tokens, steps, found):
    assert names(tokens, steps) == [found]


@pytest.mark.parametrize(
    ("tokens", "lengths", "sentence"),
    [
        (["abc", "ab"], [2, 2], "tokens has 3 names for row 0; the row has 2 steps$"),
        (["a", "abc"], [1, 1], "tokens has 3 names for row 1; the row has 1 step, 2 with its padding$"),
        (5, [2, 2], "tokens is a int; it needs a string or a list of names$"),
        ([1, 2], [2, 2], "row 0 of tokens is a int; it needs a string or a list of names$"),
    ],
)
def test_tokens_that_do_not_fit_are_a_sentence(tokens, lengths, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        names(tokens, 2, lengths, rows=2)


def test_numbers_that_are_not_real_and_floating_are_refused_by_name():
    needs = "a trace needs real floating numbers, e.g. float32"
    with pytest.raises(TypeError, match=f"x has dtype int64; {needs}"):
        nb.trace(layer, np.zeros((2, 3, 3), np.int64))
    with pytest.raises(TypeError, match=f"x has dtype complex128; {needs}"):
        nb.trace(layer, np.zeros((2, 3, 3), complex))
    with pytest.raises(TypeError, match=f"upstream has dtype complex128; {needs}"):
        nb.trace(tagger, [1, 2], upstream=np.zeros((2, 4), complex))
    for dtype in (complex, int):
        other = layer.with_params(layer.params)
        other.params = {name: p.astype(dtype) for name, p in layer.params.items()}
        with pytest.raises(TypeError, match=rf"params\['0.forward.Wx'\] has dtype {np.dtype(dtype)}; {needs}"):
            nb.trace(other, np.zeros((2, 3, 3)))


@pytest.mark.parametrize(
    ("model", "x", "options", "sentence"),
    [
        (
            layer,
            np.zeros((3, 3)),
            {"upstream": np.zeros((1, 3, 8))},
            r"upstream has shape \(1, 3, 8\); it needs \(3, 8\)",
        ),
        (
            pair,
            np.zeros((2, 3, 3)),
            {"upstream": np.zeros((2, 3, 8))},
            "upstream is a ndarray; with merge=None it needs a pair",
        ),
        (
            pair,
            np.zeros((3, 3)),
            {"upstream": np.zeros((2, 3, 5))},
            "upstream is a ndarray; with merge=None it needs a pair",
        ),
        (
            pair,
            np.zeros((3, 3)),
            {"upstream": list(np.zeros((2, 3, 5)))},
            r"upstream has shape \(3, 5\); it needs \(3, 4\)",
        ),
        (tagger, [1, 2], {"upstream": np.zeros(2)}, r"upstream has shape \(2,\); it needs \(2, 4\)"),
        (tagger, [[1, 2]], {"upstream": np.zeros((2, 4))}, r"upstream has shape \(2, 4\); it needs \(1, 2, 4\)"),
        (
            tagger,
            [[1, 2], [3]],
            {},
            "x has rows of unequal lengths; nb.pad makes of them one array, padded, and lengths",
        ),
        (tagger, [1, 2], {"target": [[1, 2]]}, r"target has shape \(1, 2\); it needs \(2,\)"),
        (tagger, [1, 2], {"target": [1.0, 2.0]}, "target has dtype float64; it needs integers"),
        (classifier, [[1, 2], [3, 4]], {"target": 1}, r"target has shape \(\); it needs \(2,\)"),
        (classifier, [1, 2], {"target": [1, 2]}, r"target has shape \(2,\); it needs \(\)"),
    ],
)
def test_an_array_of_another_shape_is_named_with_the_shape_that_is_needed(model, x, options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        nb.trace(model, x, **options)


def test_a_lone_sequences_class_may_be_a_number_or_a_list_of_one():
    assert nb.trace(classifier, [1, 2], target=3).target.tolist() == [3]
    assert nb.trace(classifier, [1, 2], target=[3]).target.tolist() == [3]


def test_a_lone_sequence_is_traced_as_a_batch_of_one():
    x, _, _, dy, _ = make_inputs(layer, (5,))
    alone, batch = nb.trace(layer, x[0], upstream=dy[0]), nb.trace(layer, x, upstream=dy)
    assert alone.output.shape == alone.upstream.shape == dy.shape
    assert alone.dx.shape == x.shape
    np.testing.assert_array_equal(alone.dx, batch.dx)
    parts = np.split(dy[0], 2, axis=-1)
    assert [part.shape for part in nb.trace(pair, x[0], upstream=parts).output] == [(1, 5, 4)] * 2
    upstream = np.random.default_rng(0).standard_normal((3, 4)).astype(np.float32)
    alone, batch = (
        nb.trace(tagger, [1, 2, 3], upstream=upstream),
        nb.trace(tagger, [[1, 2, 3]], upstream=upstream[None]),
    )
    assert alone.logits.shape == (1, 3, 4)
    np.testing.assert_array_equal(alone["dc"], batch["dc"])


def test_what_is_changed_after_a_trace_changes_nothing_in_it():
    ids, target = np.array([[1, 2, 3], [4, 5, 6]]), np.array([[0, 1, 2], [3, 2, 1]])
    model = nb.SequenceTagger(9, 4, hidden_size=2, num_layers=2, rng=0)
    x, lengths, _, dy, _ = make_inputs(layer, (3, 5))
    own = layer.with_params({name: p.copy() for name, p in layer.params.items()})
    traces = [nb.trace(model, ids, target=target), nb.trace(own, x, lengths, dy)]

    def seen():
        found = [
            part for trace in traces for part in (trace.ids, trace.target, trace.upstream, trace.lengths, trace["da_i"])
        ]
        found += [trace.influence(row=1) for trace in traces] + [traces[1].flow(1).dh]
        return [np.copy(part) for part in found if part is not None] + [str(trace.explain(unit=1)) for trace in traces]

    before = seen()
    for array in (ids, target, x, lengths, dy, *model.params.values(), *own.params.values()):
        array[...] = 0
    for now, then in zip(seen(), before):
        np.testing.assert_array_equal(now, then)


answering = pytest.mark.parametrize(
    "model", [nb.Seq2Seq(9, 4, hidden_size=2, rng=0), nb.SequenceTagger(9, 4, head="ctc", hidden_size=2, rng=0)]
)


@answering
@pytest.mark.parametrize(
    ("x", "target", "sentence"),
    [
        ([[1, 2]], [3], "target[0] is 3; it needs a list of integers, those of row 0"),
        ([1, 2], 3, "target is 3; it needs a list with the integers of each row"),
        ([1, 2], {3: 2}, "target[0] is {3: 2}; it needs a list of integers"),
        ([1, 2], [[3, [2]]], "target[0] has rows of unequal lengths"),
    ],
)
def test_answers_that_are_no_rows_are_named(model, x, target, sentence):
    with pytest.raises((TypeError, ValueError)) as caught:
        nb.trace(model, x, target=target)
    assert sentence in str(caught.value)


@answering
def test_answers_that_are_changed_after_a_trace_are_not_those_of_its_changed_run(model):
    target = [np.array([1, 2]), np.array([3])]
    trace = nb.trace(model, [[1, 2, 3], [4, 5, 6]], target=target)
    before = trace.intervene("h", 1, unit=0)
    target[0][...] = 3
    after = trace.intervene("h", 1, unit=0)
    assert [[answer.tolist() for answer in one.answers] for one in (trace, after)] == [[[1, 2], [3]]] * 2
    assert after.loss == before.loss


def test_everything_is_held_in_the_runs_own_precision():
    x, lengths, state, dy, _ = make_inputs(layer)
    single = nb.BiLSTM(3, 4, 2, rng=0)
    trace = nb.trace(single, x.astype(np.float32), lengths, dy.astype(np.float32))
    assert {array.dtype for array in (*trace.inputs, *trace.arrays.values(), trace.dx)} == {np.dtype(np.float32)}
    trace = nb.trace(layer, x.astype(np.float32), lengths, dy, state=state)
    assert {array.dtype for array in (*trace.inputs, *trace.arrays.values())} == {np.dtype(np.float64)}
