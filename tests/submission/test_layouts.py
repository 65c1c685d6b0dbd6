"""Layouts: every convention takes arrays there and back, and puts each block where it says."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npbilstm.submission.arguments import renamed_arguments
from npbilstm.submission.function_spec import shape_of
from npbilstm.submission.layouts import Layout, layout_of, read_header, to_reference, to_submitted
from npbilstm.submission.specs import SPECS

ARRAYS = sorted({item for s in SPECS.values() for item in [*s.inputs.items(), *s.outputs.items()]})
WEIGHTS = ("(D,4H)", "(4H,D)", "(4,D,H)", "(4,H,D)")
BIASES = ("(4H)", "(4H,1)", "(4,H)", "(4,H,1)")


@st.composite
def layouts(draw):
    order = draw(st.permutations("NTD"))
    keep = draw(st.sampled_from(["NTD", "TD", "ND", "D"]))
    settings = {
        "gates": "".join(draw(st.permutations("ifco"))) + "/" + "".join(draw(st.permutations("ruh"))),
        "weights": draw(st.sampled_from(WEIGHTS)),
        "x": ",".join(axis for axis in order if axis in keep),
    }
    if draw(st.booleans()):
        settings["b"] = draw(st.sampled_from(BIASES))
    return layout_of(settings)


@given(
    array=st.sampled_from(ARRAYS),
    layout=layouts(),
    sizes=st.fixed_dictionaries({axis: st.integers(1, 4) for axis in "NTDHRVSEAU"}),
)
def test_there_and_back_is_the_same(array, layout, sizes):
    name, axes = array
    if not layout.has_batch:
        sizes["N"] = 1
    shape = shape_of(axes, sizes)
    reference = np.random.default_rng(0).standard_normal(shape)
    submitted = to_submitted(name, reference, axes, layout)
    assert sorted(submitted.ravel()) == sorted(reference.ravel())
    back = to_reference(name, submitted, axes, layout, shape)
    assert back.shape == shape
    assert (back == reference).all()


@pytest.mark.parametrize(("name", "axes"), ARRAYS)
def test_the_textbooks_own_layout_changes_nothing(name, axes):
    reference = np.random.default_rng(0).standard_normal(
        shape_of(axes, {"N": 2, "T": 3, "D": 4, "H": 5, "R": 6, "V": 7, "S": 8, "E": 9, "A": 3, "U": 2})
    )
    submitted = to_submitted(name, reference, axes, Layout())
    assert submitted.shape == reference.shape
    assert (submitted == reference).all()
    assert not np.shares_memory(submitted, reference)


D, H = 2, 3
I, F, G, O = np.random.default_rng(1).standard_normal((4, D, H))  # noqa: E741
R, Z, N = np.random.default_rng(2).standard_normal((3, D, H))
WX, WX_GRU = np.hstack([I, F, G, O]), np.hstack([R, Z, N])


@pytest.mark.parametrize(
    ("weights", "lstm", "gru", "rnn"),
    [
        ("(D, 4H)", np.hstack([O, F, G, I]), np.hstack([Z, N, R]), R),
        ("(4H, D)", np.vstack([O.T, F.T, G.T, I.T]), np.vstack([Z.T, N.T, R.T]), R.T),
        ("(4, D, H)", np.array([O, F, G, I]), np.array([Z, N, R]), R),
        ("(4, H, D)", np.array([O.T, F.T, G.T, I.T]), np.array([Z.T, N.T, R.T]), R.T),
    ],
)
def test_weights_are_where_the_header_says(weights, lstm, gru, rnn):
    layout = layout_of({"gates": "ofgi/znr", "weights": weights})
    for submitted, reference, axes in [(lstm, WX, "D 4H"), (gru, WX_GRU, "D 3H"), (rnn, R, "D H")]:
        got = to_submitted("Wx", reference, axes, layout)
        assert got.shape == submitted.shape
        assert (got == submitted).all()


@pytest.mark.parametrize(
    ("b", "lstm", "gru", "rnn"),
    [
        ("(4H)", [6, 7, 2, 3, 4, 5, 0, 1], [2, 3, 4, 5, 0, 1], [0, 1]),
        ("(4H,1)", [[6], [7], [2], [3], [4], [5], [0], [1]], [[2], [3], [4], [5], [0], [1]], [[0], [1]]),
        ("(4,H)", [[6, 7], [2, 3], [4, 5], [0, 1]], [[2, 3], [4, 5], [0, 1]], [0, 1]),
        ("(4,H,1)", [[[6], [7]], [[2], [3]], [[4], [5]], [[0], [1]]], [[[2], [3]], [[4], [5]], [[0], [1]]], [[0], [1]]),
    ],
)
def test_biases_are_where_the_header_says(b, lstm, gru, rnn):
    layout = layout_of({"gates": "o,f,g,i/z,n,r", "b": b})
    assert to_submitted("b", np.arange(8), "4H", layout).tolist() == lstm
    assert to_submitted("reverse.b", np.arange(6), "3H", layout).tolist() == gru
    assert to_submitted("b_hn", np.arange(2), "H", layout).tolist() == rnn


def test_peepholes_follow_the_gates_without_the_candidate():
    assert to_submitted("p", np.arange(6), "3H", layout_of({"gates": "gofi"})).tolist() == [4, 5, 2, 3, 0, 1]


def test_a_matrix_a_gate_of_the_textbooks_differs_only_in_the_order_of_gates():
    layout = layout_of({"gates": "ofgi", "weights": "(4H,D)", "b": "(4H,1)"})
    gates = np.array([I, F, G, O])
    assert (to_submitted("Wx", gates, "4 H D", layout) == np.array([O, F, G, I])).all()
    assert to_submitted("b", np.arange(4)[:, None], "4 H", layout).tolist() == [[3], [1], [2], [0]]


@pytest.mark.parametrize(
    ("x", "sequence", "step", "states"),
    [
        ("(N,T,D)", (2, 3, 5), (2, 5), (2, 2, 7)),
        ("(T,N,D)", (3, 2, 5), (2, 5), (2, 2, 7)),
        ("(D,T,N)", (5, 3, 2), (5, 2), (2, 7, 2)),
        ("(T,D,N)", (3, 5, 2), (5, 2), (2, 7, 2)),
        ("(D,N)", (3, 5, 2), (5, 2), (2, 7, 2)),
        ("(N,D,T)", (2, 5, 3), (2, 5), (2, 2, 7)),
    ],
)
def test_data_follows_x(x, sequence, step, states):
    layout = layout_of({"x": x})
    entries = {"N": 2, "T": 3, "D": 5, "H": 7}
    reference = np.arange(30).reshape(2, 3, 5)
    submitted = to_submitted("x", reference, "N T D", layout)
    assert submitted.shape == sequence
    assert submitted[tuple({2: 1, 3: 2, 5: 3}[size] for size in sequence)] == reference[1, 2, 3]
    assert to_submitted("x", reference[:, 0], "N D", layout).shape == step
    assert to_submitted("h0", np.zeros(shape_of("2 N H", entries)), "2 N H", layout).shape == states
    assert to_submitted("lengths", np.arange(2), "N", layout).tolist() == [0, 1]


def test_without_a_batch_its_axis_is_not_there():
    layout = layout_of({"x": "(T,D)"})
    assert to_submitted("x", np.ones((1, 3, 2)), "N T D", layout).shape == (3, 2)
    assert to_submitted("h0", np.ones((2, 1, 4)), "2 N H", layout).shape == (2, 4)
    assert to_submitted("c_T", np.ones((1, 4)), "N H", layout).shape == (4,)
    with pytest.raises(ValueError, match=re.escape("x has 2 rows; x=(T,D) has no batch, so it needs one")):
        to_submitted("x", np.ones((2, 3, 2)), "N T D", layout)


def test_a_shape_that_does_not_belong_is_a_sentence():
    layout = layout_of({"weights": "(4,H,D)"})
    with pytest.raises(ValueError, match=re.escape("Wh has shape (3, 12); it needs (4, 3, 3)")):
        to_reference("Wh", np.ones((3, 12)), "H 4H", layout, (3, 12))


@pytest.mark.parametrize(
    ("settings", "layout"),
    [
        ({}, Layout()),
        ({"gates": "fico"}, Layout(gates="figo")),
        ({"gates": "(i,f,o,g)"}, Layout(gates="ifog")),
        ({"gates": "fi~o/urh"}, Layout(gates="figo", gru_gates="zrn")),
        ({"gates": "zrc"}, Layout(gru_gates="zrn")),
        ({"weights": "(3, H, D)"}, Layout(weights="4,H,D", b="4,H")),
        ({"weights": "(h,d)", "x": "D,N"}, Layout(weights="4H,D", x="DN", b="4H,1")),
        ({"weights": "(4,H,D)", "x": "(T,D,N)"}, Layout(weights="4,H,D", x="TDN", b="4,H,1")),
        ({"weights": "(4,H,D)", "x": "(T,D)"}, Layout(weights="4,H,D", x="TD", b="4,H")),
        ({"x": "(T,D,N)", "b": "(4H,)"}, Layout(x="TDN", b="4H")),
    ],
)
def test_settings_are_read_as_people_write_them(settings, layout):
    assert layout_of(settings) == layout


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            {"gates": "ifo"},
            "gates is ifo; it needs the order of i, f, g, o for an LSTM (g, the candidate, may be c, z, n ",
        ),
        ({"gates": "iffo"}, "gates is iffo; it needs the order of i, f, g, o"),
        ({"gates": "ifog/zrx"}, "gates is ifog/zrx; it needs the order of"),
        ({"weights": "(H,4D)"}, "weights is (H,4D); it needs one of (D,4H), (4H,D), (4,D,H), (4,H,D)"),
        ({"b": "(1,4H)"}, "b is (1,4H); it needs one of (4H), (4H,1), (4,H), (4,H,1)"),
        ({"x": "(N,T)"}, "x is (N,T); it needs N, T and D in some order, as in (T,N,D); N or T may be left out"),
        ({"x": "(N,N,D)"}, "x is (N,N,D); it needs N, T and D"),
        ({"x": "(N,T,H)"}, "x is (N,T,H); it needs N, T and D"),
    ],
)
def test_a_value_that_is_not_known_is_a_sentence_that_lists_what_there_is(settings, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        layout_of(settings)


def test_a_header_is_read_wherever_it_stands_and_over_several_lines():
    source = '"""A docstring."""\n# npbilstm: gates=ifog  x = (T, N, D)\nimport numpy\n#npbilstm: hidden=h_prev\n'
    assert read_header(source) == {"gates": "ifog", "x": "(T, N, D)", "hidden": "h_prev"}
    assert read_header("x = 1  # npbilstm: gates=ifog\n") == {}


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("# npbilstm: gates", "the header has 'gates'; it needs settings such as gates=ifog x=(T,N,D)"),
        ("# npbilstm:", "the header has ''; it needs settings"),
        ("# npbilstm: x=(T,N", "the header has"),
        ("# npbilstm: gates=ifog gates=ifgo", "the header has gates twice; it needs one"),
    ],
)
def test_a_header_that_is_none_is_a_sentence(line, sentence):
    with pytest.raises(ValueError, match=re.escape(sentence)):
        read_header(line)


def test_a_setting_that_is_neither_layout_nor_argument_is_a_sentence():
    assert renamed_arguments({"gates": "ifog", "hidden": "h_prev", "theta": "params"}) == {
        "hidden": "h_prev",
        "theta": "params",
    }
    with pytest.raises(
        ValueError,
        match=r"^the header has gate=ifog; it needs gates, weights, x, b, update, reset, or an arg.*",
    ):
        renamed_arguments({"gate": "ifog"})


HEADERISH = st.text(st.sampled_from("# npbilstm:=(),/TNDH41ifogrzxwegahts\n\r\t\x0c\x00é~_"), max_size=60)


@given(
    st.text() | HEADERISH | HEADERISH.map("# npbilstm: gates={}".format) | HEADERISH.map("# npbilstm: x=({})".format)
)
def test_any_text_has_a_header_or_a_sentence(source):
    try:
        settings = read_header(source)
        layout = layout_of(settings)
        renamed_arguments(settings)
    except ValueError as error:
        assert "it needs" in str(error)
    else:
        assert isinstance(layout, Layout)
