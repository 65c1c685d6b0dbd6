"""Submitted functions are called in the way that they ask for, and what they give is the textbook's."""

import re
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npbilstm.diagnosis.stages import stages_of
from npbilstm.submission import layouts, pairs, returns
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.layouts import Layout
from npbilstm.submission.specs import SPECS
from tests.planting import planted_below
from tests.submission.submitted_files import (
    COLUMNS,
    CS231N,
    FILES,
    ONE_SEQUENCE,
    TRANSPOSED,
    assert_agrees,
    drawn,
    functions_of,
    pair_from,
)

SOURCES = {(form, name): source for form, (source, names) in FILES.items() for name in names}


@cache
def submitted_pair_of(form, name):
    """Read once, and only where it is asked for."""
    return pair_from(SOURCES[form, name], name)


@pytest.mark.few(6)
@pytest.mark.parametrize(("form", "name"), SOURCES)
@settings(max_examples=6)
@given(
    sizes=st.fixed_dictionaries({axis: st.integers(1, 4) for axis in "NTDHRVSEA"}),
    seed=st.integers(0, 2**32 - 1),
    data=st.data(),
)
def test_a_right_file_in_any_form_gives_what_the_textbook_gives(form, name, sizes, seed, data):
    submitted = submitted_pair_of(form, name)
    if form == "one sequence":
        sizes["N"] = 1
    sizes["U"] = (sizes["T"] + 1) // 2  # labels that even if they repeat fit into the steps
    sizes["V"] += 3  # two classes at least beside the first and the last
    stage = data.draw(st.integers(0, len(stages_of(SPECS[name])) - 1))
    assert_agrees(name, submitted, seed, sizes, stage)
    assert submitted.findings == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("blocks[blocks_order(count, layout)]", "blocks"),
        ("[blocks_order(count, layout, peepholes)]", ""),
        ("[reference.index(gate) for gate in submitted]", "[submitted.index(gate) for gate in reference]"),
        ('if form.endswith("D"):', "if False:"),
        ("reference.transpose(places)", "reference.transpose(np.argsort(places))"),
        ('-1 if axis == "2"', '9 if axis == "2"'),
    ],
)
def test_a_wrong_conversion_shows(old, new):
    _, planted = planted_below([returns, pairs], layouts, old, new)

    def check():
        for source, name in [(COLUMNS, "lstm"), (COLUMNS, "bilstm"), (TRANSPOSED, "gru_step")]:
            assert_agrees(name, pair_from(source, name, planted.submitted_pair))

    with pytest.raises((AssertionError, ValueError)):
        check()


def test_what_a_function_does_not_take_is_absent_and_has_no_gradient():
    submitted = pair_from(CS231N, "lstm")
    assert submitted.absent == {"c0", "lengths"}
    _, inputs, upstream = drawn("lstm", submitted)
    outputs, run = submitted.forward(inputs)
    assert list(outputs) == ["h"]
    assert set(submitted.backward(upstream, run)) == {"x", "h0", "Wx", "Wh", "b"}


def test_a_backward_pass_alone_gets_the_textbooks_cache():
    source = "from npbilstm import textbook\nlstm_step_backward = lambda *given: textbook.lstm_step_backward(*given)"
    assert_agrees("lstm_step", pair_from(source, "lstm_step"))


def test_a_forward_pass_alone_has_no_backward_pass_and_needs_no_cache():
    forward = "from npbilstm import textbook\ndef {0}(*arguments): return textbook.{0}(*arguments){1}"
    for name in ("lstm_step", "lstm", "gru_step", "mean_squared_error"):
        for cut in ("", "[:-1]"):
            submitted = pair_from(forward.format(f"{name}_forward", cut), name)
            assert submitted.backward is None
            assert_agrees(name, submitted)


def test_a_subject_of_which_nothing_is_there_has_no_pair():
    assert pair_from(CS231N, "bilstm") is None


WRAPPED = """
from npbilstm import textbook
from npbilstm.textbook import BiLSTMParams, GRUParams, LSTMParams
"""


@pytest.mark.parametrize(
    ("name", "source"),
    [
        (  # names unlike any, by their places
            "lstm",
            "def lstm_forward(alpha, beta, gamma, delta, *, verbose=False):\n"
            "    return textbook.lstm_forward(alpha, beta, gamma, delta)\n"
            "def lstm_backward(one, two, three, four): return textbook.lstm_backward(one, two, three, four)",
        ),
        (  # states as a pair, in and out, and by keyword
            "lstm",
            "def lstm_forward(inputs, *, weights, initial_state, seq_lens=None):\n"
            "    h, *state, cache = textbook.lstm_forward(inputs, *initial_state, weights, seq_lens)\n"
            "    return h, tuple(state), cache\n"
            "def lstm_backward(dh, dstate, cache):\n"
            "    dx, dh0, dc0, grads = textbook.lstm_backward(dh, *dstate, cache)\n"
            "    return dict(inputs=dx, weights=dict(grads._asdict()), initial_state=(dh0, dc0))",
        ),
        (  # a pair out, but one by one back in; the cache first
            "lstm_step",
            "def lstm_step_forward(x, c_prev, h_prev, params, verbose=False, hidden=None):\n"
            "    h, c, cache = textbook.lstm_step_forward(x, h_prev, c_prev, params)\n"
            "    return (h, c), cache\n"
            "def lstm_step_backward(my_cache, dh, dc):\n"
            "    dx, dh, dc, (dWx, dWh, db) = textbook.lstm_step_backward(dh, dc, my_cache)\n"
            "    return dx, dc, dh, dWx, dWh, db",
        ),
        (  # both directions' weights one by one
            "bilstm",
            "def bilstm_forward(x, h0, c0, W_f, U_f, b_f, W_b, U_b, b_b, lengths):\n"
            "    params = BiLSTMParams(LSTMParams(W_f, U_f, b_f), LSTMParams(W_b, U_b, b_b))\n"
            "    return textbook.bilstm_forward(x, h0, c0, params, lengths)\n"
            "def bilstm_backward(*arguments):\n"
            "    *dinputs, (forward, reverse) = textbook.bilstm_backward(*arguments)\n"
            "    return *dinputs, *forward, *reverse",
        ),
        (  # a group for each direction, and states as pairs
            "bilstm",
            "def bilstm_forward(x, h0, c0, fwd_params, bwd_params, lengths):\n"
            "    y, h, c, cache = textbook.bilstm_forward(x, h0, c0, BiLSTMParams(fwd_params, bwd_params), lengths)\n"
            "    return y, (h[0], h[1]), (c[0], c[1]), cache\n"
            "def bilstm_backward(dy, dh, dc, cache):\n"
            "    assert isinstance(dh, tuple)\n"
            "    dx, dh0, dc0, grads = textbook.bilstm_backward(dy, np.stack(dh), np.stack(dc), cache)\n"
            "    return {'dx': dx, 'dh0': list(dh0), 'dc0': dc0, 'dfwd': {'dW': grads[0].Wx, 'dU': grads[0].Wh, "
            "'db': grads[0].b}, 'dbwd': grads[1]}",
        ),
        (  # a loop over a step of their own, given to it
            "recurrent",
            "def gru_step_forward(x, h, Wx, Wh, b, b_hn):\n"
            "    return textbook.gru_step_forward(x, h, GRUParams(Wx, Wh, b, b_hn))\n"
            "def gru_step_backward(dh, cache): return textbook.gru_step_backward(dh, cache)\n"
            "def recurrent_forward(cell, x, state, params, lengths=None):\n"
            "    return textbook.recurrent_forward(lambda x, h, p: cell(x, h, *p), x, state, params, lengths)\n"
            "def recurrent_backward(cell, dy, dstate, cache):\n"
            "    dx, (dh0,), grads = textbook.recurrent_backward(cell, dy, dstate, cache)\n"
            "    return dx, dh0, grads",
        ),
        (  # arguments one by one, their gradients in a tuple of another order that has names
            "lstm_step",
            "from collections import namedtuple\nGrads = namedtuple('Grads', 'b Wh Wx')\n"
            "def lstm_step_forward(x, h, c, Wx, Wh, b): "
            "return textbook.lstm_step_forward(x, h, c, LSTMParams(Wx, Wh, b))\n"
            "def lstm_step_backward(dh, dc, cache):\n"
            "    *dinputs, (dWx, dWh, db) = textbook.lstm_step_backward(dh, dc, cache)\n"
            "    return *dinputs, Grads(db, dWh, dWx)",
        ),
        (  # lists of steps, where time is not the first axis
            "lstm",
            "def lstm_forward(x, h0, c0, params, lengths):\n"
            "    h, *rest = textbook.lstm_forward(x, h0, c0, params, lengths)\n"
            "    return list(h.swapaxes(0, 1)), *rest\n"
            "def lstm_backward(dhs, dh_T, dc_T, cache):\n"
            "    dx, *rest = textbook.lstm_backward(np.stack(dhs, axis=1), dh_T, dc_T, cache)\n"
            "    return list(dx.swapaxes(0, 1)), *rest",
        ),
        (  # sizes are whole numbers
            "valid_steps",
            "def valid_steps(lengths, T):\n"
            "    assert type(T) is int\n"
            "    return [[t < length for t in range(T)] for length in lengths]",
        ),
        (  # the loss under names of their own
            "softmax_cross_entropy",
            "def softmax_cross_entropy_forward(scores, y, lens): "
            "return textbook.softmax_cross_entropy_forward(scores, y, lens)\n"
            "def softmax_cross_entropy_backward(dout, cache):\n"
            "    assert isinstance(dout, float)\n"
            "    return (textbook.softmax_cross_entropy_backward(dout, cache),)",
        ),
    ],
)
def test_other_peoples_arguments_and_answers_are_understood(name, source):
    submitted = pair_from("import numpy as np\n" + WRAPPED + source, name)
    for stage in range(len(stages_of(SPECS[name]))):
        assert_agrees(name, submitted, stage=stage)
    assert submitted.findings == []


def test_the_header_says_what_neither_name_nor_place_does():
    source = changed(
        ("forward(x, h_prev, c_prev, params):", "forward(foo, x, bar, params):\n    c_prev, h_prev = foo, bar")
    )
    with pytest.raises(SubmissionError, match="argument 'foo' is not known"):
        pair_from(source, "lstm_step")
    source = changed(("return dx, dh_prev, dc_prev, grads", "return dc_prev, dx, dh_prev, grads"), source=source)
    assert_agrees("lstm_step", pair_from("# npbilstm: foo=c0 bar=h_prev" + source, "lstm_step"))


def test_params_are_asked_by_name_like_a_dict():
    asked = []

    def lstm_step_forward(x, h, c, params):
        asked.append((params["Wx"] is params.Wx is params["W_x"] is params[0], dict(params.items()).keys()))
        assert set(params.keys()) == {"Wx", "Wh", "b"}
        assert params.values()[2] is params.b
        params["V"]

    submitted = pairs.submitted_pair(SPECS["lstm_step"], {"lstm_step_forward": lstm_step_forward}, Layout())
    with pytest.raises(KeyError, match="V; there is Wx, Wh, b"):
        drawn("lstm_step", submitted)
    assert asked == [(True, {"Wx", "Wh", "b"})]


STEP = """
from npbilstm import textbook
def lstm_step_forward(x, h_prev, c_prev, params):
    return textbook.lstm_step_forward(x, h_prev, c_prev, params)
def lstm_step_backward(dh, dc, cache):
    dx, dh_prev, dc_prev, grads = textbook.lstm_step_backward(dh, dc, cache)
    return dx, dh_prev, dc_prev, grads
"""


def changed(*changes, source=STEP):
    for old, new in changes:
        assert source.count(old) == 1, old
        source = source.replace(old, new)
    return source


GRADIENTS = "return dx, dh_prev, dc_prev, grads"


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        (
            changed(("forward(x, h_prev, c_prev, params):", "forward(x, foo, c_prev, params, bar):")),
            "lstm_step_forward's argument 'foo' is not known; say what it is in the header, for example "
            "# npbilstm: foo=h_prev",
        ),
        (
            changed(("forward(x, h_prev, c_prev, params):", "forward(x, h_prev, a0, params):")),
            "lstm_step_forward's arguments 'h_prev' and 'a0' both seem to be h_prev; say what each is in the header, "
            "for example # npbilstm: a0=c_prev",
        ),
        (
            changed(("forward(x, h_prev, c_prev, params):", "forward(x, h_prev, params):")),
            "lstm_step_forward(x, h_prev, params) does not take c_prev; it needs to",
        ),
        (
            changed(("return textbook.lstm_step_forward(x, h_prev, c_prev, params)", "return x")),
            "lstm_step_forward returned one ndarray; it needs to return h, c and a cache",
        ),
        (
            changed(("return textbook.lstm_step_forward(x, h_prev, c_prev, params)", "pass")),
            "lstm_step_forward is not written yet, or lacks its return: it gives None",
        ),
        (
            changed(("return textbook.lstm_step_forward(x, h_prev, c_prev, params)", "return x, 0, 'cache'")),
            "lstm_step_forward's h has shape (3, 3); it needs (3, 4)",
        ),
        (
            changed(("backward(dh, dc, cache):", "backward(dh, cache):")),
            "lstm_step_backward(dh, cache) does not take what it needs: dh, dc and the cache",
        ),
        (
            changed((GRADIENTS, "return dx, dh_prev, *grads")),
            "lstm_step_backward returned 5 arrays; it needs 6: dx, dh_prev, dc_prev, dWx, dWh, db",
        ),
        (
            changed((GRADIENTS, "pass")),
            "lstm_step_backward is not written yet, or lacks its return: it gives None",
        ),
        (changed((GRADIENTS, "return dict(dx=dx)")), "lstm_step_backward returned no dh_prev, dc_prev, dWx, dWh, db"),
        (
            changed((GRADIENTS, "return dict(dx=dx, dV=dx)")),
            "lstm_step_backward returned 'dV', which is not known; it needs dx, dh_prev, dc_prev, dparams, dWx, dWh, "
            "db",
        ),
        (
            changed((GRADIENTS, "return dx, dh_prev, dc_prev, grads.Wx")),
            "lstm_step_backward returned one ndarray for dparams; it needs dWx, dWh, db",
        ),
        (
            changed((GRADIENTS, "return dx, None, dc_prev, grads")),
            "lstm_step_backward's dh_prev is None; it needs to be an array",
        ),
        (
            changed((GRADIENTS, "return dx, 'zero', dc_prev, grads")),
            "lstm_step_backward's dh_prev has dtype <U4; it needs real numbers",
        ),
        (
            changed((GRADIENTS, "return dx, dh_prev * 1j, dc_prev, grads")),
            "lstm_step_backward's dh_prev has dtype complex128; it needs real numbers",
        ),
        (
            changed((GRADIENTS, "return dx, [1, [2]], dc_prev, grads")),
            "lstm_step_backward's dh_prev is a list that is no array; it needs to be one",
        ),
        (
            changed((GRADIENTS, "return dx, dh_prev, dc_prev, grads._replace(b=dx)")),
            "lstm_step_backward's db has shape (3, 3); it needs (16,)",
        ),
        (
            changed((GRADIENTS, "dx[1, 2] = float('nan')\n    return dx, dh_prev, dc_prev, grads")),
            "lstm_step_backward's dx has numbers that are not finite, nan at [1, 2] first",
        ),
        (
            "# npbilstm: weights=(4H,D)"
            + changed()[: STEP.index("def")]
            + STEP[STEP.index("def lstm_step_backward") :],
            "lstm_step_backward has no lstm_step_forward beside it, and the textbook's makes no cache in your layout; "
            "it needs your own lstm_step_forward, or the textbook's layout",
        ),
    ],
)
def test_what_cannot_be_judged_is_a_sentence(source, sentence):
    with pytest.raises(SubmissionError, match=f"^{re.escape(sentence)}$"):
        assert_agrees("lstm_step", pair_from(source, "lstm_step"), stage=0)


def test_a_loop_in_another_layout_needs_a_step_of_its_own():
    source = "# npbilstm: weights=(4H,D)\ndef recurrent_forward(step, x, h0, params): pass"
    with pytest.raises(
        SubmissionError, match="takes a step through time; in your layout it needs your own gru_step_forward"
    ):
        pair_from(source, "recurrent")


def test_two_outputs_of_a_sequence_are_neither_all_nor_h():
    source = "def lstm_forward(x, h0, c0, params): return x, x, 'cache'\ndef lstm_backward(dh, cache): pass"
    with pytest.raises(
        SubmissionError, match="returned 3 things; it needs to return h, h_T, c_T and a cache, or h and a cache"
    ):
        drawn("lstm", pair_from(source, "lstm"))


def test_every_call_is_given_fresh_copies_and_what_it_returns_is_copied():
    kept = []

    def sigmoid(a):
        kept.append(a)
        a[:] = 1 / (1 + np.exp(-a))
        return a

    submitted = pairs.submitted_pair(SPECS["sigmoid"], {"sigmoid": sigmoid}, Layout())
    _, inputs, _ = drawn("sigmoid", submitted)
    before = inputs["a"].copy()
    outputs, _ = submitted.forward(inputs)
    kept[-1][:] = 7
    assert (inputs["a"] == before).all()
    assert (outputs["value"] != 7).all()


def test_one_sequence_takes_one_row_and_no_more():
    with pytest.raises(ValueError, match=re.escape("x has 3 rows; x=(T,D) has no batch, so it needs one")):
        drawn("lstm", pair_from(ONE_SEQUENCE, "lstm"))


def test_functions_of_a_source_are_its_own():
    passes = {"lstm_forward", "lstm_backward"}
    assert set(functions_of(ONE_SEQUENCE)) == passes | {f"one_{name}" for name in passes}  # and GateParams is not
