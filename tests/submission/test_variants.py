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


MISTAKES = [
    ("cs231n", "products by np.dot", "dc * prev_c", "dc * next_c", "df-wrong-cell-state"),
    ("cs231n", "gates figo", "dc * f, x.T", "dc, x.T", "dc-prev-factor-missing"),
    ("cs231n", "written anew: cs231n_inline", "dh0 = dh0 + dh[:, t]", "dh0 = dh[:, t]", "recurrent-carry-missing"),
    ("cs231n", "buffers of float32", "dWh += wh", "dWh = wh", "dwh-overwritten-over-time"),
    (
        "coursera",
        "written anew: coursera_spelled_out",
        "dc_prevt = gradients",
        "dc_unused = gradients",
        "dc-carry-missing",
    ),
    ("cmu11785", "written anew: cmu11785_activations", "dh_prev_t = delta * self.z +", "dh_prev_t = ", ""),
    ("saito", "written anew: saito_plain", "df *= f * (1 - f)", "df *= f", ""),
    ("holberton", "written anew: holberton_lists", "    hb.reverse()\n", "", ""),
    ("min_char_rnn", "written anew: min_char_rnn_by_index", "np.outer(dhraw, hs[t - 1])", "np.outer(dhraw, hs[t])", ""),
    ("edinburgh", "written anew: edinburgh_while", "tau > steps or t - tau < 0", "tau > steps or t - tau < 1", ""),
    ("layers", "an LSTM, 5", "dc * g * i * (1 - i)", "dc * g * i", ""),
    ("layers", "a GRU, 3", "dz = dh * (n - h)", "dz = dh * n", ""),
    ("layers", "written anew: layers_gates_apart", "dc = dc * f\n", "dc = dc * 1\n", ""),
]


@pytest.mark.few(2)
@pytest.mark.parametrize(("form", "name", "old", "new", "bug"), MISTAKES)
def test_a_variant_that_is_wrong_is_not_called_right(form, name, old, new, bug):
    made = variant(form, name)
    assert old in made.source
    said = judged(made._replace(source=made.source.replace(old, new)))
    assert "WRONG" in said
    assert bug in said, said
