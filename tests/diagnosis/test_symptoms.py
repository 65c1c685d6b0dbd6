"""What failing stages are read to mean, and how it is put into words."""

import pytest

from npbilstm.diagnosis.report_text import as_dict, at_fault, cause, stage_table, text_of
from npbilstm.diagnosis.results import Diagnosis, StageResult
from npbilstm.diagnosis.stages import BATCH_STAGES, CELL_STAGES, DIRECTION_STAGES, SEQUENCE_STAGES
from npbilstm.diagnosis.symptoms import joined_blocks, symptoms
from npbilstm.submission.specs import SPECS

EVERY = {stage.name for stage in SEQUENCE_STAGES}
EVERY_WAY = {stage.name for stage in DIRECTION_STAGES}
ONE_STEP = {"T=1, loss on h", "T=1, loss on c", "T=1, one row"}
GATES = tuple(f"{name}[{gate}]" for name in ("Wx", "b") for gate in "ifgo")
CELL = tuple(name for name in GATES if "o" not in name)


@pytest.mark.parametrize(
    ("name", "stages", "failing", "blocks", "sentence"),
    [
        ("lstm", SEQUENCE_STAGES, set(), ("h0",), ""),
        ("lstm", SEQUENCE_STAGES, {"an empty row"}, ("h0",), "Right unless a row is empty"),
        ("lstm", SEQUENCE_STAGES, {"a large gradient from above"}, ("Wh",), "then wrong in Wh: look for a clip;"),
        ("lstm", SEQUENCE_STAGES, {"ragged lengths"}, ("x",), "what happens to the carry over the padding."),
        ("bilstm", DIRECTION_STAGES, {"ragged lengths"}, ("x",), "whether rows are turned round by their own lengths."),
        ("mean_over_steps", BATCH_STAGES, {"ragged lengths"}, ("y",), "what is masked, and what is counted."),
        ("lstm", SEQUENCE_STAGES, {"equal lengths", "ragged lengths"}, ("b",), "Right for a single row, wrong for"),
        ("lstm", SEQUENCE_STAGES, EVERY, ("Wx[i]", "b[i]"), "the gradient of that gate and of its pre-activation."),
        ("lstm", SEQUENCE_STAGES, EVERY, ("Wx[i]", "b[f]"), "only at the gates i, f: look at the gradient of these"),
        ("lstm", SEQUENCE_STAGES, EVERY, ("Wx[i]", "Wx[f]"), "look at the gradient of Wx[i,f] alone."),
        ("lstm", SEQUENCE_STAGES, EVERY, ("Wx[i]", "Wx[f]", "b[g]"), "with one time step, in Wx[i,f], b[g]:"),
        ("lstm", SEQUENCE_STAGES, EVERY, ("Wx[i]", "b[f]", "c0"), "with one time step, in Wx[i], b[f], c0:"),
        ("lstm", SEQUENCE_STAGES, EVERY - {"T=1, loss on c"}, (*CELL, "c0"), "look at the way from h to c."),
        ("lstm", SEQUENCE_STAGES, EVERY - {"T=1, loss on h"}, (*CELL, "c0"), "look at where dc comes in."),
        ("lstm", SEQUENCE_STAGES, EVERY - {"T=1, loss on h"}, ("c0",), "with the loss on c wrong, in c0."),
        ("lstm", SEQUENCE_STAGES, EVERY - {"zero state"}, ("Wh[f]", "b[f]"), "From a zero state it is right"),
        ("lstm", SEQUENCE_STAGES, EVERY - ONE_STEP, ("x",), "only in x: look at which step each part of dx is put to."),
        ("lstm", SEQUENCE_STAGES, EVERY - ONE_STEP, ("Wh", "b"), "only in Wh, b: look at how the gradients of the"),
        ("lstm", SEQUENCE_STAGES, EVERY - ONE_STEP, ("Wh", "h0"), "look at dh_prev and dc_prev and at how they join"),
        ("recurrent", SEQUENCE_STAGES, EVERY - ONE_STEP, ("Wh", "h0"), "look at dh_prev and at how it joins"),
        ("lstm", SEQUENCE_STAGES, EVERY - ONE_STEP - {"T=2, loss on the last step"}, ("h0",), "first at 'T=3', in h0."),
        (
            "bilstm",
            DIRECTION_STAGES,
            EVERY_WAY - {"forward direction, T=3"},
            ("reverse.b",),
            "The forward direction is right, the reverse one is wrong",
        ),
        ("lstm_step", CELL_STAGES, {"loss on h and c"}, ("x",), "Right at loss on h, loss on c, one row, zero state,"),
        ("lstm_step", CELL_STAGES[2:], {stage.name for stage in CELL_STAGES[2:]}, ("x",), "it runs, first in x."),
    ],
)
def test_what_the_stages_say(name, stages, failing, blocks, sentence):
    results = [StageResult(stage.name, blocks if stage.name in failing else ()) for stage in stages]
    said = symptoms(results, SPECS[name])
    assert sentence in said
    assert bool(said) == bool(failing)
    assert ("From a zero state" in said) == ("From a zero state" in sentence)


@pytest.mark.parametrize(
    ("gates", "expected"),
    [("ifgo", "Wx[i,f], b[f], h0"), ("if", "Wx, b[f], h0"), ("fi", "Wx, b[f], h0"), ("fig", "Wx[f,i], b[f], h0")],
)
def test_gates_are_joined_in_their_order_and_left_out_where_all_are_there(gates, expected):
    assert joined_blocks(["Wx[i]", "b[f]", "Wx[f]", "h0"], gates) == expected


RIGHT, GRADIENTS, OUTPUTS = StageResult("a", ()), StageResult("b", ("Wx[i]",)), StageResult("c", (), ("h",))
STOPPED = StageResult("d", (), raised="trace\nlast line")


def test_the_function_at_fault_is_the_one_whose_numbers_are_wrong():
    def fault(*stages, findings=()):
        return at_fault(Diagnosis("lstm", ("f", "b"), stages, findings=findings))

    assert fault(RIGHT, GRADIENTS) == ("b",)
    assert fault(RIGHT, OUTPUTS) == ("f",)
    assert fault(GRADIENTS, OUTPUTS) == fault(GRADIENTS, STOPPED) == ("f", "b")
    assert fault(GRADIENTS, findings=("f changes x",)) == ("f", "b")
    assert at_fault(Diagnosis("lstm", ("f",), (OUTPUTS,))) == ("f",)


def test_without_a_name_the_cause_is_where_the_numbers_are_wrong():
    assert cause(Diagnosis("lstm", (), (GRADIENTS, OUTPUTS))).startswith("the outputs are not")
    assert cause(Diagnosis("lstm", (), (RIGHT, GRADIENTS))).startswith("the gradients are wrong")
    assert cause(Diagnosis("lstm", (), (StageResult("a", (), changed=("x", "dh")),))).endswith(
        "changes its x, dh in place"
    )
    assert cause(Diagnosis("lstm", (), (RIGHT,), findings=("Rounded: a few digits.",))) == "Rounded"
    assert cause(Diagnosis("lstm", (), (RIGHT, STOPPED))) == "it stops at some stages"


def test_the_table_says_what_is_wrong_at_each_stage():
    wrong = StageResult("longer", tuple(GATES[:5]), ("h", "c"), ("x",), "trace\nlast line")
    assert stage_table(Diagnosis("lstm", (), (wrong, RIGHT))) == [
        "WRONG  longer  stopped: last line; outputs h, c; gradients of Wx, b[i]",
        "ok     a",
    ]


def test_findings_are_said_and_written():
    diagnosis = Diagnosis("lstm", ("f", "b"), (RIGHT,), sentences=("One.",), findings=("Two.",), stopped="a\nb")
    lines = text_of(diagnosis).splitlines()
    assert lines[:3] == ["not judged  b: b.", "  a", "WRONG  f: Two."]
    assert all(f"  {part}" in lines for part in ("One.", "Two."))
    written = as_dict(diagnosis)
    assert (written["sentences"], written["findings"], written["stopped"]) == (["One."], ["Two."], "a\nb")
    assert not written["ok"]
    assert as_dict(Diagnosis("lstm", (), (RIGHT,)))["cause"] == ""
