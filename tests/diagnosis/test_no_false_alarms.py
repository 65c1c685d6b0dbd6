"""Right code is called right, whatever its layout, at any size and with any numbers; code that is not, is not."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm.diagnosis.diagnosis import diagnose_pair, diagnose_pairs
from npbilstm.diagnosis.report_text import text_of
from npbilstm.submission.specs import SPECS
from tests.diagnosis.columns_bugs import source_with
from tests.diagnosis.measure import CORRECT, DRAWN, LARGEST, whole_sizes
from tests.submission.submitted_files import FILES, pair_from

SIZES = st.fixed_dictionaries({letter: st.integers(1, LARGEST) for letter in DRAWN}).map(whole_sizes)
SEEDS = st.integers(0, 2**32 - 1)


@cache
def right_pair(name, spec):
    return pair_from(FILES[name][0], spec)


@pytest.mark.slow
@settings(max_examples=200)
@given(st.sampled_from(CORRECT), st.data(), SIZES, SEEDS)
def test_right_code_in_three_layouts_is_called_right(name, data, sizes, seed):
    spec = data.draw(st.sampled_from(FILES[name][1]))
    diagnosis = diagnose_pair(SPECS[spec], right_pair(name, spec), seed, sizes)
    assert diagnosis.ok, text_of(diagnosis)


@pytest.mark.slow
@pytest.mark.parametrize("name", CORRECT)
@pytest.mark.parametrize("ones", [*DRAWN, "".join(DRAWN)])
def test_right_code_is_called_right_where_a_size_is_one(name, ones):
    sizes = whole_sizes({letter: 1 if letter in ones else 4 for letter in DRAWN})
    pairs = {spec: right_pair(name, spec) for spec in FILES[name][1]}
    for diagnosis in diagnose_pairs(pairs, 5, sizes):
        assert diagnosis.ok, text_of(diagnosis)


@pytest.mark.parametrize("name", ["weighted_cross_entropy", "softmax_cross_entropy", "crf", "ctc"])
def test_one_row_is_enough_to_judge_a_loss(name):
    sizes = whole_sizes(dict.fromkeys(DRAWN, 4) | {"N": 1})
    diagnosis = diagnose_pair(SPECS[name], right_pair("textbook", name), 5, sizes)
    assert diagnosis.ok, text_of(diagnosis)


SLIP = ("lstm_backward", "zu = dm * i * (1 - u**2)", "zu = dm * i * (1 - u**2) * (1 + 1e-7)")


@pytest.mark.slow
@settings(max_examples=20)
@given(st.sampled_from(["lstm", "bilstm"]), SIZES, SEEDS)
def test_a_slip_of_a_ten_millionth_is_seen_at_any_size(spec, sizes, seed):
    assert not diagnose_pair(SPECS[spec], pair_from(source_with(SLIP), spec), seed, sizes).ok
