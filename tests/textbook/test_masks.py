"""A mask given where lengths belong: refused everywhere in a sentence that says how to make lengths of it, by code that
works as it stands."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.textbook import check_lengths, softmax_cross_entropy_forward, valid_steps

LENGTHS = np.array([4, 2, 0])
MASK = valid_steps(LENGTHS, 4)  # (3, 4)


def refusal(mask, N=3, T=4):
    with pytest.raises((TypeError, ValueError), match="it needs how many steps each row has") as caught:
        check_lengths(mask, N, T)
    return str(caught.value)


def done(code, **names):
    """What the code of a sentence makes of these names."""
    exec(code.replace(", x = ", "; x = "), {"np": np}, names)
    return names


@pytest.mark.parametrize("dtype", [bool, np.int64, np.uint8, np.float32])
def test_a_mask_says_how_to_make_lengths_of_it(dtype):
    said = refusal(MASK.astype(dtype))
    assert "lengths is a mask of shape (3, 4), (N, T)" in said
    code = re.search(r"lengths = \S+$", said).group()
    assert done(code, mask=MASK.astype(dtype))["lengths"].tolist() == [4, 2, 0]
    assert check_lengths(done(code, mask=MASK.astype(dtype))["lengths"], 3, 4).tolist() == [4, 2, 0]


def test_a_mask_of_time_first_or_with_an_axis_of_its_own_is_summed_over_time():
    for mask in (MASK.T, MASK[..., None]):
        said = refusal(mask)
        assert ("time first" in said) == (mask is not MASK[..., None] and mask.shape == (4, 3))
        assert done(re.search(r"lengths = .*$", said).group(), mask=mask)["lengths"].tolist() == [4, 2, 0]
    square = valid_steps(np.array([3, 2, 1]), 3)
    square[2] = [True, True, False]  # whichever way round padding comes last
    assert "mask.sum(axis=1)" in refusal(square, 3, 3)
    assert "mask.sum(axis=0)" in refusal(valid_steps(np.array([3, 0, 3]), 3).T, 3, 3)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ([0, 0, 1, 1], "row 1 has padding on its left (step 1 is padding, step 2 is not)"),
        ([1, 0, 1, 1], "row 1 has padding between its steps (step 1 is padding, step 2 is not)"),
        ([0, 1, 0, 1], "row 1 has padding on its left (step 0 is padding, step 1 is not)"),
    ],
)
def test_a_hole_or_padding_on_the_left_is_named_and_how_to_move_it(row, sentence):
    mask = MASK.copy()
    mask[1] = np.array(row, bool)
    x = np.arange(24.0).reshape(3, 4, 2)
    for each in (mask, mask.astype(int)):
        said = refusal(each)
        assert "lengths = mask.sum(axis=1)" in said
        assert sentence in said
        moved = done(re.search(r"order = .*\[:, None\], order\]", said).group(), mask=each, x=x)["x"]
        lengths = check_lengths(each.sum(axis=1), 3, 4)
        for n, length in enumerate(lengths):
            assert np.array_equal(moved[n, :length], x[n, mask[n]])
    said = refusal(mask.T)
    assert sentence in said
    moved = done(re.search(r"order = .*\[:, None\], order\]", said).group(), mask=mask.T, x=x)["x"]
    assert np.array_equal(moved[1, : mask[1].sum()], x[1, mask[1]])


@pytest.mark.parametrize("dtype", [bool, int])
def test_a_mask_that_marks_the_padding_is_told_from_one_that_marks_the_steps(dtype):
    said = refusal((~MASK).astype(dtype))
    assert f"if it is the padding that is marked with {dtype(1)}" in said
    code = re.search(r"lengths = \(.*$", said).group()
    assert done(code, mask=(~MASK).astype(dtype))["lengths"].tolist() == [4, 2, 0]
    hole = MASK.copy()
    hole[0, 1] = False
    assert "is marked with" not in refusal(hole)


@given(st.integers(1, 4), st.integers(1, 4), st.data())
def test_whatever_the_mask_its_sentence_can_be_followed(N, T, data):
    mask = np.array(data.draw(st.lists(st.lists(st.booleans(), min_size=T, max_size=T), min_size=N, max_size=N)))
    said = refusal(mask, N, T)
    first = "sum(axis=0)" in said
    assert not first or N == T
    rows = mask.T if first else mask
    padded_at_the_end = all((np.diff(row.astype(int)) <= 0).all() for row in rows)
    assert ("has padding" in said) == (not padded_at_the_end)


def test_every_home_of_lengths_says_it():
    layer, model = nb.BiLSTM(2, 3, rng=0), nb.SequenceTagger(5, 2, embedding_size=2, hidden_size=3, rng=0)
    x, ids = np.ones((3, 4, 2), np.float32), np.ones((3, 4), int)
    calls = [
        lambda: layer.forward(x, MASK),
        lambda: model.forward(ids, MASK),
        lambda: model.predict(ids, MASK),
        lambda: nb.trace(layer, x, MASK),
        lambda: nb.trace(model, ids, MASK),
        lambda: nb.flip(x, MASK),
        lambda: softmax_cross_entropy_forward(np.ones((3, 4, 2)), ids, MASK),
        lambda: list(nb.windows(4, 2, MASK)),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=re.escape("lengths = mask.sum(axis=1)")):
            call()


def test_what_is_no_mask_of_this_batch_is_refused_as_before():
    for lengths, sentence in [
        (
            np.array([True, False, True]),
            "lengths has dtype bool; it needs integers; of a mask (N, T) they are mask.sum(axis=1)",
        ),
        (np.ones((3, 1, 4), bool), "of a mask (N, T) they are mask.sum(axis=1)"),
        (np.ones((3, 5), int), "lengths has shape (3, 5); it needs (3,)"),
        (np.full((3, 4), 2), "lengths has shape (3, 4); it needs (3,)"),
    ]:
        with pytest.raises((TypeError, ValueError), match=re.escape(sentence)):
            check_lengths(lengths, 3, 4)
    assert check_lengths(np.array([1, 0, 1]), 3, 4).tolist() == [1, 0, 1]  # ones and zeros are lengths, too
