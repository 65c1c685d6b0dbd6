"""What is believed of an answer: all that a right one says, and nothing that it could not."""

import numpy as np
import pytest

from npbilstm import textbook
from npbilstm.submission import replies
from npbilstm.submission.course_specs import PASSES
from npbilstm.submission.layouts import Layout
from npbilstm.submission.specs import SPECS


def test_every_name_of_the_textbook_may_be_a_files():
    facts = {"functions": [*PASSES], "uses": textbook.__all__, "others": ["näme_forward"]}
    assert replies.functions_in(facts) == set(PASSES)
    assert replies.uses_in(facts) == set(textbook.__all__)
    assert replies.unread_passes(facts) == ("näme_forward",)
    for layout in (
        Layout(),
        Layout("figo", "zrn", "4,H,D", "DN", "4,H,1"),
        Layout(x="TDN", joined="D+H", update="writes", reset="before"),
    ):
        assert replies.layout_in({"layout": list(layout)}) == layout


LSTM, BATCH, NO_BATCH = SPECS["lstm"], Layout(), Layout(x="TD")


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (replies.functions_in, {"functions": "sigmoid"}),
        (replies.functions_in, {"functions": ["sigmoid", "system"]}),
        (replies.functions_in, {"functions": [["sigmoid"]]}),
        (replies.functions_in, {}),
        (replies.unread_passes, {"others": ["a b"]}),
        (replies.unread_passes, {"others": ["x_forward\nIt is right."]}),
        (replies.layout_in, {"layout": None}),
        (replies.layout_in, {"layout": [*Layout()][:4]}),
        (replies.layout_in, {"layout": [*Layout(), "more"]}),
        (replies.layout_in, {"layout": [["ifgo"], *Layout()[1:]]}),
        (replies.layout_in, {"layout": ["ifgo", "rzn", "D,4H", "NTDX", "4H"]}),
        (replies.layout_in, {"layout": ["ifog/rzn gates", "rzn", "D,4H", "NTD", "4H"]}),
        (replies.layout_in, {"layout": ["fico", "rzn", "D,4H", "NTD", "4H"]}),
        (replies.layout_in, {"layout": ["ifgo", "rzn", "(D,4H)", "NTD", "4H"]}),
        (replies.pair_in, {"pair": None}),
        (replies.pair_in, {"pair": []}),
        (replies.uses_in, {"uses": ["system"]}),
        (lambda facts: replies.absent_in(facts, LSTM, BATCH), {"absent": ["x"]}),
        (lambda facts: replies.absent_in(facts, LSTM, BATCH), {"absent": ["Wx"]}),
        (lambda facts: replies.absent_in(facts, LSTM, BATCH), {"absent": ["h0", "rows"]}),
        (lambda facts: replies.absent_in(facts, LSTM, NO_BATCH), {"absent": ["h0"]}),
        (replies.findings_in, {"findings": [str(k) for k in range(21)]}),
        (replies.findings_in, {"findings": [1]}),
        (lambda facts: replies.changed_arrays(facts, LSTM), {"changed": ["dx"]}),
        (replies.error_in, {"error": None}),
        (replies.error_in, {"error": ""}),
        (replies.error_in, {"error": " \n"}),
        (replies.place_in, {"where": 3}),
        (lambda facts: replies.values_in(facts, {}), {"values": ["f"]}),
        (lambda facts: replies.values_in(facts, {"0": np.ones(1)}), {"values": ["f is right"]}),
        (lambda facts: replies.values_in(facts, {"0": np.ones(1)}), {"values": ["f" * 31]}),
        (lambda facts: replies.values_in(facts, {"1": np.ones(1)}), {"values": ["f"]}),
    ],
)
def test_what_cannot_be_so_is_not_believed(read, value):
    with pytest.raises(ValueError, match="^it says what cannot be so$"):
        read(value)


def test_what_can_be_so_is():
    assert replies.absent_in({"absent": ["lengths", "c0"]}, LSTM, BATCH) == {"c0", "lengths"}
    assert replies.absent_in({"absent": ["rows"]}, LSTM, NO_BATCH) == {"rows"}
    assert replies.changed_arrays({"changed": ["x", "dh_T", "x"]}, LSTM) == ["x", "dh_T"]
    assert replies.findings_in({"findings": [str(k) for k in range(20)]}) == [str(k) for k in range(20)]
    assert replies.pair_in({"pair": {"uses": []}}) == {"uses": []}


def test_texts_are_bounded_and_printable_on_one_line():
    hostile = "\x1b[31m\u202e\n" + "x" * 100_000
    for text in (replies.place_in({"where": hostile}), *replies.findings_in({"findings": [hostile]})):
        assert text.startswith("\ufffd[31m\ufffd xxx")
        assert len(text) < 600
    assert replies.error_in({"error": hostile}).startswith("\ufffd[31m\ufffd\nxxx")
    assert len(replies.error_in({"error": hostile})) < 3100


def test_arrays_must_be_all_there_in_order_and_finite():
    h, h_T = np.zeros((1, 2, 3)), np.zeros((1, 3))
    shapes = {"h": (1, 2, 3), "h_T": (1, 3)}
    assert list(replies.complete_arrays({"h_T": h_T, "h": h}, shapes)) == ["h", "h_T"]
    assert list(replies.complete_arrays({"h": h}, shapes, first_will_do=True)) == ["h"]
    for arrays, first_will_do in (({"h": h}, False), ({"h_T": h_T}, True), ({}, True)):
        with pytest.raises(ValueError, match="^it gives no h"):
            replies.complete_arrays(arrays, shapes, first_will_do)
    for wrong in (np.nan, np.inf):
        with pytest.raises(ValueError, match="^it gives h_T numbers that are not finite$"):
            replies.complete_arrays({"h": h, "h_T": h_T + wrong}, shapes)


def test_a_pass_over_time_may_give_its_steps_alone_and_no_other():
    alone = {name for name, spec in SPECS.items() if replies.may_end_early(spec)}
    assert alone == {
        *("lstm", "bilstm", "sequence_lstm", "sequence_bilstm", "recurrent", "bidirectional_recurrent"),
        *("stacked_lstm", "truncated", "decoder"),
        *("valid_steps", "flip", "embedding", "affine", "dropout_over_time"),  # whose first output is all
        *("ctc_greedy", "ctc_beam", "crf_log_alpha", "crf_log_beta", "crf_marginals", "crf_viterbi"),
    }


@pytest.mark.parametrize(
    "subjects",
    [
        None,
        [["rnn_step", 0, True]],
        [["rnn_step", 1, True, ""]],
        [["rnn_step", -1, True, ""]],
        [["rnn_step", 0, 1, ""]],
        [["rnn_step", True, True, ""]],
        [["rnn_step", 0, True, "a b"]],
        [["nothing", 0, True, ""]],
        [[["rnn_step"], 0, True, ""]],
    ],
)
def test_a_form_has_the_subjects_that_it_has_and_no_others(subjects):
    form, ways = replies.form_in({"form": "cs231n", "subjects": [["rnn_step", 0, False, ""]]}, "")
    assert (form.name, ways["rnn_step"][0].functions) == ("cs231n", ("rnn_step_forward",))
    with pytest.raises(ValueError, match="it says what cannot be so"):
        replies.form_in({"form": "cs231n", "subjects": subjects}, "")


def test_a_form_that_was_not_asked_for_is_one_of_the_known():
    with pytest.raises(ValueError, match="it says what cannot be so"):
        replies.form_in({"form": "/etc/passwd.py", "subjects": []}, "")
