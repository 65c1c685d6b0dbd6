"""No false alarm: right files as others write them are right, all of them, and what is wrong in one is still found."""

import pytest

from tests.submission.variants.variants import FORMS, NAMES, judged, variant, variants


@pytest.mark.few(2)
@pytest.mark.parametrize(("form", "name"), NAMES)
def test_a_right_variant_is_right_and_all_of_it_is_judged(form, name):
    made = variant(form, name)
    assert made is None or not judged(made)


@pytest.mark.slow
@pytest.mark.parametrize(("form", "name"), NAMES[::7])
def test_a_right_variant_is_right_in_a_process_of_its_own(form, name):
    made = variant(form, name)
    assert made is None or not judged(made, in_process=True)


@pytest.mark.slow
def test_there_are_two_hundred_and_some_of_every_form():
    every = list(variants())
    assert len({each.source for each in every}) == len(every) >= 200
    assert {each.form for each in every} == set(FORMS)


def test_a_variant_that_is_wrong_is_not_called_right():
    made = variant("cs231n", "products by np.dot")
    wrong = made.source.replace("dc * prev_c", "dc * next_c")
    assert wrong != made.source
    assert "df-wrong-cell-state" in judged(made._replace(source=wrong))
