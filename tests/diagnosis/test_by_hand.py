"""Mistakes written by hand in eight forms are found: as the guide's table says, which measure_by_hand.py writes."""

from collections import Counter

import pytest

from npbilstm.cli import main
from tests.diagnosis.by_hand.mistakes import KINDS, ByHand
from tests.diagnosis.measure_by_hand import (
    ANSWERS,
    BEGIN,
    END,
    FORMS,
    GUIDE,
    NAMED,
    RIGHTLY,
    bug_called,
    mistakes_in,
    outcome,
    source_of,
    table,
    trials,
)

TRIALS = trials()
QUICK = [("coursera", "old state"), ("min_char_rnn", "clipped")]


@pytest.fixture(scope="module")
def verdicts():
    return {(trial.form, trial.kind): outcome(trial).verdict for trial in TRIALS}


def test_every_form_has_every_mistake_or_a_reason_and_what_it_is_called_is_catalogued():
    for form in FORMS:
        assert list(mistakes_in(form)) == list(KINDS)
        assert all(mistakes_in(form).values())
    for trial in TRIALS:
        assert all(bug_called(id) for id in trial.mistake.named.split())


def test_every_mistake_is_in_a_function_of_its_forms_right_answer():
    for trial in TRIALS:
        answer = source_of(trial._replace(mistake=ByHand("", "", answer=trial.mistake.answer)))
        assert source_of(trial) != answer


@pytest.mark.few(1)
@pytest.mark.parametrize(("form", "kind"), QUICK)
def test_a_mistake_written_by_hand_is_named(form, kind):
    (trial,) = [trial for trial in TRIALS if (trial.form, trial.kind) == (form, kind)]
    assert outcome(trial).verdict == NAMED


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
def test_of_every_form_nine_in_ten_are_named_and_the_others_said_rightly(verdicts, form):
    counts = Counter(verdict for (own, _), verdict in verdicts.items() if own == form)
    assert set(counts) <= set(RIGHTLY), counts
    assert counts[NAMED] >= 0.9 * counts.total()


@pytest.mark.slow
def test_the_guides_table_is_what_is_measured(verdicts):
    assert GUIDE.read_text().partition(BEGIN)[2].partition(END)[0].strip() == table(verdicts).strip()


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in ANSWERS.glob("[a-z]*.py")))
def test_a_right_answer_is_all_right_at_the_command_line(name, capsys):
    assert main(["check", str(ANSWERS / f"{name}.py")]) == 0, capsys.readouterr().out
