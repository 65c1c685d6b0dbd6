"""pad: ids, floats or features of unequal lengths become one array, and what does not is named."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb

INTEGERS = [np.int8, np.uint8, np.int16, np.int32, np.uint32, np.int64, np.uint64, ">i4"]
FLOATS = [np.float16, np.float32, np.float64, np.longdouble]


@st.composite
def row_lists(draw):
    """Rows (T_n,) or (T_n, D) of one kind of numbers, each of a dtype of its own."""
    D = draw(st.sampled_from([(), (1,), (3,)]))
    dtypes = draw(st.sampled_from([INTEGERS, FLOATS]))
    lengths = draw(st.lists(st.integers(0, 4), min_size=1, max_size=5))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    return [(100 * rng.random((T, *D))).astype(draw(st.sampled_from(dtypes))) for T in lengths]


@given(row_lists())
def test_rows_stand_at_the_front_and_zeros_behind_them(rows):
    padded, lengths = nb.pad(rows)
    assert lengths.tolist() == [len(row) for row in rows]
    assert lengths.dtype == np.int64
    for row, length, whole in zip(rows, lengths, padded):
        assert np.array_equal(whole[:length], row)
        assert not whole[length:].any()


@given(row_lists())
def test_the_array_is_as_long_as_its_longest_row_and_no_longer(rows):
    padded, lengths = nb.pad(rows)
    T = max(map(len, rows))
    tail = next((row.shape[1:] for row in rows if row.shape != (0,)), ())
    assert padded.shape == (len(rows), T, *tail)
    assert len(lengths) == len(rows)


@given(row_lists())
def test_integers_become_int64_and_floats_the_widest_of_their_own(rows):
    padded, _ = nb.pad(rows)
    told = [row.dtype for row in rows if row.shape != (0,)]
    if not told or told[0].kind != "f":
        assert padded.dtype == np.int64
    else:
        assert padded.dtype == np.result_type(*told)


@given(row_lists())
def test_lists_and_tuples_are_rows_too(rows):
    padded, lengths = nb.pad(rows)
    for form in (np.ndarray.tolist, lambda row: tuple(row.tolist())):
        again, lengths_again = nb.pad([form(row.astype(float) if row.dtype.kind == "f" else row) for row in rows])
        if rows[0].ndim == 1:
            assert np.array_equal(again, padded)
        assert np.array_equal(lengths_again, lengths)
    assert np.array_equal(nb.pad(iter(rows))[0], padded)


@given(row_lists())
def test_the_rows_are_copied_and_left_alone(rows):
    before = [row.copy() for row in rows]
    padded, _ = nb.pad(rows)
    padded += 1
    assert all(np.array_equal(row, copy) for row, copy in zip(rows, before))


def test_rows_of_features_go_through_a_layer_as_each_does_alone():
    layer = nb.BiLSTM(3, 4, rng=0)
    rows = [np.random.default_rng(n).standard_normal((T, 3)).astype(np.float32) for n, T in enumerate((4, 0, 2))]
    x, lengths = nb.pad(rows)
    assert x.dtype == np.float32
    y, _, _ = layer.forward(x, lengths)
    for n, row in enumerate(rows):
        np.testing.assert_allclose(y[n, : len(row)], layer.forward(row)[0], atol=1e-6)


@pytest.mark.parametrize("empty", [[], (), np.zeros(0), np.zeros(0, int), np.array([], object)])
@pytest.mark.parametrize("other", [np.array([1, 2]), np.array([0.5]), np.ones((2, 3))])
def test_a_row_of_no_steps_goes_with_any(empty, other):
    for rows in ([empty, other], [other, empty]):
        padded, lengths = nb.pad(rows)
        assert sorted(lengths) == [0, len(other)]
        assert padded.shape == (2, *other.shape)
        assert padded.dtype == other.dtype


def test_rows_without_any_step_are_integers():
    for rows, shape in [([], (0, 0)), ([[], []], (2, 0)), ([np.zeros(0)], (1, 0))]:
        padded, lengths = nb.pad(rows)
        assert padded.shape == shape
        assert padded.dtype == np.int64
        assert lengths.tolist() == [0] * len(rows)
    padded, _ = nb.pad([np.zeros((0, 3), np.float32)])
    assert padded.shape == (1, 0, 3)
    assert padded.dtype == np.float32


@pytest.mark.parametrize("number", [127, 128, 200, 2**31, 2**53 + 1, 2**63 - 1, -1, -(2**63)])
def test_an_integer_stays_what_it_is(number):
    padded, _ = nb.pad([[number, 3], [1]])
    assert padded.tolist() == [[number, 3], [1, 0]]


class Tensor:
    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("call detach() first")


@pytest.mark.parametrize(
    ("rows", "error", "sentence"),
    [
        ([np.ones((2, 3)), np.ones((2, 4))], ValueError, "rows[1] has shape (2, 4); it needs (T_n, 3), as rows[0] has"),
        ([np.ones((2, 3)), np.ones(2)], ValueError, "rows[1] has shape (2,); it needs (T_n, 3), as rows[0] has"),
        ([np.ones(2), np.ones((2, 3))], ValueError, "rows[1] has shape (2, 3); it needs (T_n,), as rows[0] has"),
        ([[], [1], np.ones((0, 3), int)], ValueError, "rows[2] has shape (0, 3); it needs (T_n,), as rows[1] has"),
        ([np.ones((2, 3, 1))], ValueError, "rows[0] has shape (2, 3, 1); it needs (T_n,) or (T_n, D)"),
        ([1, 2, 3], ValueError, "rows[0] has shape (); it needs (T_n,) or (T_n, D)"),
        ([[[1, 2], [3]]], ValueError, "rows[0] is made of rows of unequal lengths; it needs (T_n,) or (T_n, D)"),
        ([[0.5], [1]], TypeError, "rows[1] has dtype int64; it needs floating numbers, as rows[0] has"),
        ([[1], [0.5]], TypeError, "rows[1] has dtype float64; it needs integers, as rows[0] has"),
        ([[], [1], [0.5]], TypeError, "rows[2] has dtype float64; it needs integers, as rows[1] has"),
        ([[True]], TypeError, "rows[0] has dtype bool; it needs integers or floating numbers"),
        ([[1j]], TypeError, "rows[0] has dtype complex128; it needs integers or floating numbers"),
        (["ab", "c"], TypeError, "rows[0] has dtype <U2; it needs integers or floating numbers"),
        ([["a", "b"]], TypeError, "rows[0] has dtype <U1; it needs integers or floating numbers"),
        ([[1], None], TypeError, "rows[1] has dtype object; it needs integers or floating numbers"),
        ([[2**70]], TypeError, "rows[0] has dtype object; it needs integers or floating numbers"),
        ([np.array([1, 2**63], np.uint64)], ValueError, f"rows[0] holds {2**63}; it needs integers up to {2**63 - 1}"),
        ([np.ma.array([1, 2])], TypeError, "rows[0] is a masked array, whose mask would be lost"),
        (np.ma.array([[1, 2], [3, 4]]), TypeError, "rows[0] is a masked array, whose mask would be lost"),
        ([[1], Tensor()], TypeError, "rows[1] cannot be read as an array: call detach() first"),
        (None, TypeError, "rows is a NoneType; it needs a list of rows"),
        (3, TypeError, "rows is a int; it needs a list of rows"),
        (np.array(3), TypeError, "rows is a ndarray; it needs a list of rows"),
    ],
)
def test_what_makes_no_batch_is_named(rows, error, sentence):
    with pytest.raises(error, match=re.escape(sentence)):
        nb.pad(rows)


def test_one_array_of_equal_rows_is_padded_already():
    rows = np.arange(12.0).reshape(2, 2, 3)
    padded, lengths = nb.pad(rows)
    assert np.array_equal(padded, rows)
    assert lengths.tolist() == [2, 2]


@pytest.mark.parametrize(
    "ids",
    [[200, 3], [127, 128], [-1, -129], [255, 256], [40_000, -40_000], [2**40, -(2**40)], [2**63 - 1, -(2**63)]],
)
@pytest.mark.parametrize("make", [list, np.array])
def test_ids_of_any_size_come_back_as_they_are(ids, make):
    padded, lengths = nb.pad([make(ids), make([5])])
    assert padded.tolist() == [ids, [5, 0]]
    assert lengths.tolist() == [2, 1]


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32])
def test_the_ends_of_every_type_come_back_as_they_are(dtype):
    ends = np.array([np.iinfo(dtype).min, np.iinfo(dtype).max], dtype)
    assert nb.pad([ends])[0].tolist() == [ends.tolist()]


def test_rows_of_several_types_keep_their_values_side_by_side():
    rows = [np.array([200], np.uint8), np.array([-100, 7], np.int8), [2**40]]
    assert nb.pad(rows)[0].tolist() == [[200, 0], [-100, 7], [2**40, 0]]
