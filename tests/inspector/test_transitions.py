"""What a CRF has learned of neighbours: its table as text, and what the page is given of it."""

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import transitions
from npbilstm.inspector.page.payload import MOST_TAGS, transitions_shown
from tests.inspector.test_head_maps import NAMES, made
from tests.planting import planted

IDS = np.array([[1, 2, 3]])


def check_text(module):
    """Each line has the scores of its tag, from the highest, and the names that they are of."""
    params = made("crf").head.params
    lines = module.transitions_text(params, NAMES).splitlines()
    expected = {"start": dict(zip(NAMES, params["start"]))}
    for name, row, end in zip(NAMES, params["transitions"], params["end"]):
        expected[name] = {**dict(zip(NAMES, row)), "end": end}
    assert len(lines) == len(expected)
    for line, (before, scores) in zip(lines, expected.items()):
        head, words = line.split(":")
        assert head == f"after {before}"
        order = sorted(scores, key=scores.get, reverse=True)
        assert words.strip() == ", ".join(f"{name} {scores[name]:.2f}" for name in order)


def test_the_text_has_each_score_under_the_names_of_its_pair():
    check_text(transitions)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('params["transitions"], params["end"]', 'params["transitions"].T, params["end"]'),
        ('np.append(params["start"], np.nan)', 'np.append(params["end"], np.nan)'),
        ("[: None if lines else -1]", ""),
        ("-np.nan_to_num(one[0]", "np.nan_to_num(one[0]"),
    ],
)
def test_a_planted_bug_in_the_table_is_seen(old, new):
    with pytest.raises(AssertionError):
        check_text(planted(transitions, old, new))


def test_of_many_tags_the_highest_and_the_lowest_are_written():
    params = {"transitions": np.arange(81.0).reshape(9, 9), "start": np.arange(9.0), "end": np.zeros(9)}
    first, second, *_ = nb.inspector.transitions_text(params, "abcdefghi").splitlines()
    assert first == "after start: i 8.00, h 7.00, g 6.00, f 5.00, …, b 1.00, a 0.00"
    assert second == "after a:     i 8.00, h 7.00, g 6.00, f 5.00, …, a 0.00, end 0.00"


def test_tags_that_are_too_few_are_refused_in_a_sentence():
    with pytest.raises(ValueError, match=r"transitions is \(3, 3\); that needs as many tags, and there are 2"):
        nb.inspector.transitions_text(made("crf").head.params, ["x", "y"])


def test_the_page_is_given_what_is_not_finite_in_words_and_none_of_other_heads():
    model = made("crf")
    model.head.params["end"][1] = -np.inf
    shown = transitions_shown(nb.trace(model, IDS, classes=NAMES))
    assert shown["tags"] == NAMES
    assert shown["transitions"][0][-1] is None
    assert shown["transitions"][2][-1] == "-inf"
    assert shown["transitions"][3][0] == pytest.approx(model.head.params["transitions"][2, 0], abs=1e-4)
    assert transitions_shown(nb.trace(made("classes"), IDS)) == {"transitions": None}


def test_a_table_that_nobody_reads_is_left_out():
    many = nb.SequenceTagger(4, MOST_TAGS + 1, head="crf", hidden_size=2, embedding_size=2, rng=0)
    assert transitions_shown(nb.trace(many, IDS)) == {"transitions": None}
