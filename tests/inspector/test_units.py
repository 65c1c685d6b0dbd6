"""Units are sorted by what they follow; the one that matters most for a label is found by ablation, and said."""

from dataclasses import replace

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import tracing, units
from tests.planting import planted


def tagger(target=True, **options):
    options = {"hidden_size": 4, **options}
    model = nb.SequenceTagger(6, 3, embedding_size=3, num_layers=2, dtype=np.float64, rng=0, **options)
    model.linear.params["W"][...] *= 5
    ids = np.array([[1, 2, 3, 4, 5], [4, 5, 2, 0, 0]])
    return nb.trace(
        model,
        ids,
        [5, 3],
        target=ids % 3,
        classes=["A", "B", "C"],
        tokens=[["f", "(", "[x", "]", ")"], ["{", "a", "}"]],
    )


def test_units_are_sorted_by_their_correlation_with_the_position():
    trace = tagger()
    found = trace.units_by("position", layer=1)
    assert sorted(one[:2] for one in found) == [(way, u) for way in ("forward", "reverse") for u in range(4)]
    sizes = [abs(one.correlation) for one in found]
    assert sizes == sorted(sizes, reverse=True)
    for direction, unit, correlation in found:
        h = trace["h"][1, trace.directions.index(direction), :, :, unit]
        both = np.concatenate([h[0], h[1, :3]])
        assert correlation == pytest.approx(np.corrcoef([0, 1, 2, 3, 4, 0, 1, 2], both)[0, 1], abs=1e-12)


def test_open_brackets_are_counted_after_each_token():
    assert units.open_brackets(["f", "(", "[x", "]", "))", "{a}"]) == [0, 1, 2, 1, 0, 0]


@pytest.mark.parametrize("what", ["B", 1])
def test_a_unit_made_to_follow_a_class_or_brackets_comes_first(what):
    trace = tagger()
    for followed, given in ((trace.target == 1, what), ([[0, 1, 2, 1, 0], [1, 1, 0, 0, 0]], "brackets")):
        h = trace["h"].copy()
        h[0, 1, :, :, 2] = 0.5 - np.array(followed, float) / 3
        first = replace(trace, arrays={**trace.arrays, "h": h}).units_by(given)[0]
        assert first[:2] == ("reverse", 2)
        assert first.correlation == pytest.approx(-1)


def check_matters_most():
    """By intervening on each unit."""
    trace = tagger(target=False, hidden_size=2)
    for step, row, label in ((2, 0, None), (1, 1, "C")):
        found = trace.matters_most(step, row, label)
        k = int(trace.predicted[row, step]) if label is None else "ABC".index(label)

        def share(one, step=step, row=row, k=k):
            sizes = np.exp(one.output[row, step])
            return sizes[k] / sizes.sum()

        shares = {
            (layer, way, u): share(trace.intervene("h", unit=u, layer=layer, direction=way, row=row))
            for layer in range(2)
            for way in trace.directions
            for u in range(2)
        }
        assert found[:3] == min(shares, key=shares.get)
        assert found.before == pytest.approx(share(trace))
        assert found.after == pytest.approx(min(shares.values()))
        assert f"matters most for {'ABC'[k]} at step {step} {trace.tokens[row][step]!r}" in str(found)


def test_the_sentence_says_what_is_predicted_without_it():
    one = units.MatteringUnit(0, "reverse", 3, "A", " at step 1 'x'", 0.9, 0.25, "A", "B")
    assert str(one) == (
        "Unit 3 of layer 0, reverse direction, matters most for A at step 1 'x': without it the probability of A falls "
        "from 0.9000 to 0.2500, and B is predicted in place of A."
    )
    assert str(one._replace(label="C", instead="A")).endswith("and A is still predicted.")


def test_of_each_label_it_is_the_same_and_none_where_a_score_is_not_finite():
    trace = tagger(target=False, hidden_size=2)
    each = units.matters_most_everywhere(trace, 1)
    assert each == [trace.matters_most(step, 1) for step in range(3)]
    broken = replace(trace, output=np.full_like(trace.output, np.nan))
    assert units.matters_most_everywhere(broken, 0) == []


def test_the_unit_that_matters_most_is_that_whose_ablation_takes_most():
    check_matters_most()


def test_another_unit_is_found_out(monkeypatch):
    wrong = planted(units, "least = min(runs", "least = max(runs")
    monkeypatch.setattr(tracing, "matters_most", wrong.matters_most)
    with pytest.raises(AssertionError):
        check_matters_most()


def test_of_a_classifier_the_label_is_the_sequences():
    model = nb.SequenceClassifier(6, 2, hidden_size=3, cell="gru", dtype=np.float64, rng=0)
    found = nb.trace(model, [1, 2, 3], classes=["no", "yes"]).matters_most(label="yes")
    assert str(found).startswith(f"Unit {found.unit} of layer 0, {found.direction} direction, matters most for yes: ")


def test_where_no_unit_matters_it_is_said():
    model = nb.SequenceClassifier(6, 2, hidden_size=3, dtype=np.float64, rng=0)
    model.linear.params["W"][...] = 0
    assert str(nb.trace(model, [1, 2, 3]).matters_most()).startswith("No unit alone matters for 0")


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda t: t.units_by("D"), "what is 'D'; the classes are 'A', 'B', 'C'"),
        (lambda t: t.units_by(3), "what is 3; the model has 3 classes, 0 to 2"),
        (lambda t: replace(t, target=None).units_by(np.array(["A", "B"])), "it needs an integer"),
        (lambda t: t.matters_most(True), "step is True; it needs an integer"),
        (lambda t: t.units_by("position", layer=2), "layer is 2; the trace has 2 layers, 0 to 1"),
        (lambda t: replace(t, output=t.output * np.nan).matters_most(1), "row 0 has scores that are NaN or infinite"),
        (lambda t: t.matters_most(), "step is None; it needs the number of a step"),
        (lambda t: t.matters_most(5), "step is 5; row 0 has 5 steps, 0 to 4"),
        (lambda t: t.matters_most(0, label="D"), "label is 'D'; the classes are 'A', 'B', 'C'"),
        (lambda t: replace(t, tokens=[["a"] * 5, ["b"] * 3]).units_by("brackets"), "which is the same at all steps"),
        (lambda t: nb.trace(nb.LSTM(1, 2), np.ones((3, 1), np.float32)).units_by("A"), "it needs 'position' or"),
        (lambda t: nb.trace(nb.LSTM(1, 2), np.ones((3, 1), np.float32)).matters_most(), "the trace has no scores of"),
        (lambda t: tagger(head="crf").matters_most(0), "a model with the head 'classes'"),
    ],
)
def test_what_cannot_be_asked_is_said(ask, words):
    with pytest.raises((TypeError, ValueError)) as caught:
        ask(tagger())
    assert words in str(caught.value)
