"""What a model makes of the steps that it has read: where a decoder looks, by the textbook's equations."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import recording_seq2seq
from npbilstm.inspector.equations import Symbol, evaluate, parse
from tests.cases import assert_close
from tests.planting import planted

KINDS = ("additive", "dot")


def made(kind="additive", seed=0):
    model = nb.Seq2Seq(6, 4, attention=kind, hidden_size=3, embedding_size=4, dtype=np.float64, rng=0)
    rng = np.random.default_rng(seed)
    return model.with_params({name: 0.7 * rng.standard_normal(p.shape) for name, p in model.params.items()})


IDS, LENGTHS = (
    np.array([[1, 2, 3, 4, 5], [0, 5, 9, 9, 9]]),
    np.array([5, 2]),
)  # 9 is no symbol, and stands in the padding
ANSWERS = [[3, 0, 1], [2]]


def check_equations(found):
    """Every cell of the map satisfies its equations, on the numbers that it holds; and every name has its words."""
    equations = {equation.name: equation.sum for equation in map(parse, found.equations)}

    def check_cell(line, step):
        places = {"line": line, "step": step, "unit": slice(None)}

        def numbers(symbol):
            """One, or those of all units."""
            name = symbol.name
            if name in found.arrays:
                axes, array = found.arrays[name]
                return array[tuple(places[axis] for axis in axes)]
            return evaluate(equations[name], numbers, dot)

        def dot(node):
            return (numbers(node.vector) * numbers(Symbol(node.weight))).sum()

        assert_close(evaluate(equations[found.name], numbers, dot), found.values[line, step])

    for cell in np.ndindex(found.values.shape):
        check_cell(*cell)
    assert len(found.lines) == len(found.values)
    assert {*found.words} == {*found.arrays, *equations}


def check_attention(kind, module):
    model = made(kind)
    trace = module.seq2seq_run(model, IDS, LENGTHS, None, ANSWERS, ["a", "b", "c", "d"])
    for found, ids, length, answer in zip(trace.step_maps, IDS, LENGTHS, ANSWERS):
        assert_close(found.values, model.alignment(ids[:length], answer))
        assert found.lines == [*("abcd"[k] for k in answer), "end"]
        check_equations(found)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_of_a_seq2seq_holds_where_it_looks_and_the_equations_hold(kind):
    check_attention(kind, recording_seq2seq)


PLANTED = {
    "the query of the step before": ("cache.h[:T, n]", "np.roll(cache.h[:T, n], 1, axis=0)"),
    "another row's keys": ("cache.memory.keys[n, :steps]", "cache.memory.keys[0, :steps]"),
    "another row's weights": ("cache.alpha[:T, n, :steps]", "cache.alpha[:T, 0, :steps]"),
    "the softmax over the outputs": ("log_sum_exp(score, axis=1)", "log_sum_exp(score, axis=0)[:1].repeat(T)"),
    "the names one further": ("[names[k] for k in answer]", "[names[k - 1] for k in answer]"),
}


@pytest.mark.parametrize("bug", PLANTED)
def test_a_planted_bug_in_the_map_is_seen(bug):
    module = planted(recording_seq2seq, *PLANTED[bug])
    seen = []
    for kind in KINDS:
        try:
            check_attention(kind, module)
        except (AssertionError, IndexError, ValueError):
            seen.append(kind)
    assert seen


@pytest.mark.parametrize("kind", [*KINDS, None])
def test_the_encoder_is_traced_as_a_layer_with_the_gradients_of_the_models_loss(kind):
    model = made(kind)
    trace = nb.trace(model, IDS, LENGTHS, target=ANSWERS)
    batch = model.collate([(ids[:length], answer) for ids, length, answer in zip(IDS, LENGTHS, ANSWERS)])
    loss, cache = model.loss_forward(*batch, training=True)
    grads = model.loss_backward(1.0, cache)
    assert trace.loss == loss
    found = np.zeros_like(grads["embedding.W"])
    for ids, dx, length in zip(IDS, trace.dx, LENGTHS):
        np.add.at(found, ids[:length], dx[:length])
    assert_close(found, grads["embedding.W"])
    alone = nb.trace(model.encoder, trace.inputs[0], LENGTHS)
    assert_close(trace["h"], alone["h"])
    assert (trace.step_maps is None) == (kind is None)
    assert repr(trace).startswith("<Trace of Seq2Seq(")
    text = str(trace.explain(step=1))
    assert "x is the embedding of '2'" in text
    assert "dy is from the model's output" in text


def test_without_answers_its_own_are_looked_at_and_there_are_no_gradients():
    model = made()
    trace = nb.trace(model, IDS, LENGTHS)
    answers = model.predict(IDS, LENGTHS)
    assert [found.lines[:-1] for found in trace.step_maps] == [[str(k) for k in answer] for answer in answers]
    assert not trace.has_gradients
    assert trace.loss is None
    one = nb.trace(model, IDS[0], target=[3, 0, 1])
    assert_close(one.step_maps[0].values, nb.trace(model, IDS, LENGTHS, target=ANSWERS).step_maps[0].values)
    assert nb.trace(model, IDS[0], target=[]).step_maps[0].lines == ["end"]


def test_the_loss_of_an_answer_belongs_to_no_step():
    trace = nb.trace(made(), IDS, LENGTHS, target=ANSWERS)
    assert trace.flow().dh.shape == (1, 2, 5)
    with pytest.raises(ValueError, match="step is 1; this trace's loss is of a whole answer, so step needs to be None"):
        trace.flow(1)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"upstream": np.ones((2, 5, 6))}, "upstream goes with a layer or a model of one output a step"),
        ({"state": 0}, "state and dstate go with a layer"),
        ({"target": [[1]]}, "target has 1 row; x has 2"),
        ({"target": [[1], [4]]}, r"target\[1\] holds 4"),
        ({"target": [[1], [[1]]]}, r"target\[1\] has shape \(1, 1\); it needs one axis"),
        ({"target": [[1], [0.5]]}, r"target\[1\] has dtype float64"),
        ({"classes": ["a"]}, "classes has 1 name; the model has 4 classes"),
    ],
)
def test_what_cannot_be_traced_is_said_in_a_sentence(options, sentence):
    with pytest.raises((TypeError, ValueError), match=sentence):
        nb.trace(made(), IDS, LENGTHS, **options)
