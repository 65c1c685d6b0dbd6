"""seqeval, which is conlleval in Python, as the judge of spans and of their F1: for tags legal or not."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm.models.classes_head import IGNORED
from npbilstm.training.metrics import metric_of_spans
from npbilstm.training.spans import span_f1, spans

metrics = pytest.importorskip("seqeval.metrics", reason="seqeval is not installed (group oracles)")
get_entities = pytest.importorskip("seqeval.metrics.sequence_labeling").get_entities

TAGS = st.sampled_from(["O", *(f"{letter}-{kind}" for letter in "BIES" for kind in ("PER", "LOC"))])
ROWS = st.lists(st.lists(st.tuples(TAGS, TAGS), min_size=1, max_size=8), min_size=1, max_size=4)


@settings(max_examples=100)
@given(ROWS)
def test_spans_and_f1_are_seqeval_s(rows):
    true, predicted = ([[pair[k] for pair in row] for row in rows] for k in (0, 1))
    for tags in (*true, *predicted):
        assert [(kind, begin, end - 1) for begin, end, kind in spans(tags)] == get_entities(tags)
    with warnings.catch_warnings():  # where there are no spans at all
        warnings.simplefilter("ignore")
        assert span_f1(true, predicted) == pytest.approx(metrics.f1_score(true, predicted), abs=1e-12)


NAMES = ["O", *(f"{letter}-{kind}" for kind in ("PER", "LOC") for letter in "BIES")]
LABELS = st.integers(0, len(NAMES) - 1)


@settings(max_examples=50)
@given(st.lists(st.lists(st.tuples(LABELS, LABELS, st.booleans()), min_size=1, max_size=8), min_size=1, max_size=4))
def test_what_validation_measures_is_seqeval_s_with_o_where_a_label_does_not_count(rows):
    true = [np.array([IGNORED if hole else label for label, _, hole in row]) for row in rows]
    found = [np.array([label for _, label, _ in row]) for row in rows]
    named = [[["O" if triple[2] else NAMES[triple[k]] for triple in row] for row in rows] for k in (0, 1)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        judged = metrics.f1_score(*named)
    assert metric_of_spans(NAMES).measure(true, found) == pytest.approx(judged, abs=1e-12)
