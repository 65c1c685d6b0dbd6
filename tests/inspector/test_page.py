"""The page's document and data; what it looks like in a browser is tested in tests/browser."""

import base64
import html
import json
import re
import warnings

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import trace
from npbilstm.inspector.page import document, iframe_html, over_time, page_html, payload
from npbilstm.inspector.page.encoding import PRECISIONS, encode, encoded_size
from npbilstm.inspector.page.what_if import why_not

HOSTILE = "</script><script>alert(1)</script>"


def small(steps=3, **options):
    """Two rows, the second a step shorter."""
    layer = nb.BiLSTM(2, 4, dtype=np.float64, rng=0, **options)
    rng = np.random.default_rng(1)
    dy = rng.normal(size=(2, steps, layer.features(layer.num_layers - 1)))
    x = rng.normal(size=(2, steps, 2))
    return trace(layer, x, np.array([steps, steps - 1]), dy, [[HOSTILE] * steps, [HOSTILE] * (steps - 1)])


def data_of(page):
    return json.loads(re.search(r'<script type="application/json" id="trace">(.*?)</script>', page, re.DOTALL).group(1))


def decode(array):
    """The inverse of encode."""
    kind = next(kind for kind in ("float64", "float32", "int16") if kind in array)
    values = np.frombuffer(base64.b64decode(array[kind]), f"<{kind[0]}{int(re.sub(r'[a-z]', '', kind)) // 8}")
    values = values.reshape(array["shape"]).astype(float)
    if kind == "int16":
        values = (
            values / 32767 * np.frombuffer(base64.b64decode(array["scale"]), "<f4").reshape(*array["shape"][:-1], 1)
        )
    return values


@pytest.mark.parametrize("precision", PRECISIONS)
def test_arrays_come_back_as_exactly_as_their_precision_allows(precision):
    array = np.random.default_rng(0).normal(size=(3, 4, 5)) * np.logspace(-12, 3, 3)[:, None, None]
    array[0, 0] = 0
    largest = np.abs(array).max(axis=-1, keepdims=True)
    lost = {"own": 0, "float32": 1e-7 * largest, "int16": largest / 65000}[precision]
    assert (np.abs(decode(encode(array, precision)) - array) <= lost).all()


@pytest.mark.parametrize("shape", [(3, 4, 5), (7,), (2, 0)])
@pytest.mark.parametrize("precision", PRECISIONS)
def test_the_estimated_size_is_never_too_small(precision, shape):
    array = np.ones(shape)
    size = len(json.dumps(encode(array, precision)))
    assert size <= encoded_size(array, precision) <= size + 100


def test_what_is_not_finite_is_never_rounded():
    array = np.array([[1.0, np.nan], [np.inf, 1e300]])
    assert np.array_equal(decode(encode(array, "int16")), [[1, np.nan], [np.inf, np.inf]], equal_nan=True)


def test_the_page_holds_the_numbers_of_one_row_without_its_padding():
    one = small()
    data = data_of(page_html(one, row=1))
    assert data["steps"] == 2
    for name in ("i", "f", "g", "o", "c", "dy", "dh_next", "dc_next"):
        assert np.array_equal(decode(data["arrays"][name]), one[name][:, :, 1, :2])
    for name, p in one.layer.params.items():
        assert np.array_equal(decode(data["weights"][name]), p)
    assert np.array_equal(decode(data["inputs"]["0"]), one.inputs[0][1, :2])


def test_the_state_before_the_first_step_is_that_of_each_directions_first_step():
    layer = nb.BiLSTM(2, 4, dtype=np.float64, rng=0)
    rng = np.random.default_rng(1)
    state = tuple(rng.normal(size=(2, 2, 4)) for _ in range(2))
    one = trace(layer, rng.normal(size=(2, 3, 2)), np.array([3, 2]), state=state)
    data = data_of(page_html(one, row=1))
    for name, part in zip(("h_0", "c_0"), state):
        assert np.array_equal(decode(data["arrays"][name])[0], part[:, 1])


def test_hostile_tokens_cannot_end_the_data():
    page = page_html(small())
    assert page.count("</script>") == 2
    assert "alert(1)" in page
    assert data_of(page)["tokens"] == [HOSTILE] * 3


def test_the_page_fetches_nothing_and_evaluates_no_text():
    page = page_html(small())
    assert "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'" in page
    assert not re.search(r"\b(src|href)\s*=|url\(|@import|https?://(?!www\.w3\.org/2000/svg)", page)
    assert not re.search(r"\beval\(|new Function|innerHTML|document\.write", page)


def test_no_equation_is_written_in_the_script():
    script = "".join(document.asset(f"js/{name}.js") for name in document.SCRIPTS)
    assert not re.search(r"c_prev \*|\* c_prev|o \* tanh|Wx_i\b.*@", re.sub(r"//.*|/\*.*?\*/", "", script))


def test_a_frame_holds_the_whole_document_and_its_script_reaches_nothing_outside():
    page = page_html(small())
    frame = iframe_html(page)
    assert frame.startswith('<iframe sandbox="allow-scripts" srcdoc="')
    source = re.search(r'srcdoc="([^"]*)"', frame).group(1)
    assert html.unescape(source) == page
    assert "<noscript>" in page


@pytest.mark.parametrize(
    ("fits", "gone"),
    [
        (1, []),
        (2, []),
        (3, ["beside"]),
        (4, ["beside", "flow"]),
        (5, ["beside", "flow", "influence"]),
        (6, ["beside", "flow", "influence", "weights"]),
    ],
)
def test_a_page_that_would_be_too_large_goes_without_and_says_so(monkeypatch, fits, gone):
    one = small(num_layers=2)
    sizes = iter([10**9] * fits + [0])
    monkeypatch.setattr(payload, "characters_of", lambda parts, precision: next(sizes))
    data = data_of(page_html(one, beside=one))
    said = [payload.LEFT_OUT[name] for name in gone]
    assert data["notes"] == (["numbers are rounded to 16 bits, about four digits"] if fits >= 2 else []) + said
    assert {name for name in ("beside", "flow", "influence") if name not in data} == set(gone) - {"weights"}
    products = [text.split(" = ")[0] for text in one.equations.forward if "@" in text]
    assert all((name in data["arrays"]) == ("weights" in gone) for name in products)


def test_a_row_that_never_fits_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setattr(payload, "LARGEST_DOCUMENT", 1000)
    with pytest.raises(ValueError, match="row 0 has 3 steps of 4 units in 1 layers.*; take fewer steps"):
        page_html(small())


def test_pictures_that_take_too_long_are_left_out_and_it_is_said(monkeypatch):
    monkeypatch.setattr(over_time, "LARGEST_COST", 0)
    data = data_of(page_html(small()))
    assert data["flow"]["dh"]["shape"] == [1, 2, 1, 3]
    assert "influence" not in data
    assert [note.split(" ")[1:3] for note in data["notes"]] == [["gradients", "over"], ["influence", "of"]]


@pytest.mark.parametrize("row", [2, -3])
def test_a_row_that_is_not_there_is_refused(row):
    with pytest.raises(ValueError, match=f"row is {row}; the trace has 2 rows, 0 to 1"):
        page_html(small(), row=row)


def test_a_row_without_steps_is_refused():
    layer = nb.LSTM(2, 3, rng=0)
    one = trace(layer, np.zeros((2, 3, 2), np.float32), np.array([3, 0]))
    with pytest.raises(ValueError, match="row is 1; this row has no steps"):
        page_html(one, row=1)


def test_a_trace_beside_must_be_of_the_same_steps():
    with pytest.raises(
        ValueError,
        match="beside has layers 1, directions forward and reverse, steps in this row 4, states h and c; it needs",
    ):
        page_html(small(), beside=small(steps=4))


def test_a_model_that_diverged_has_a_page_and_no_unit_that_matters():
    model = nb.SequenceTagger(6, 3, hidden_size=2, rng=0)
    model.linear.params["W"][...] = np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert '"matters":[]' in page_html(trace(model, [1, 2, 3], target=[0, 1, 2]))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_only_what_is_kept_as_it_is_is_computed_again_on_the_page(dtype):
    one = trace(nb.LSTM(2, 3, dtype=dtype, rng=0), np.ones((1, 3, 2), dtype))
    assert why_not(one, 0, "own", True) == ""
    assert bool(why_not(one, 0, "float32", True)) == (dtype is np.float64)
    assert "rounded" in why_not(one, 0, "int16", True)
