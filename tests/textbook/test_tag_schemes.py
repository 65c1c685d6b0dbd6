from itertools import pairwise, product

import numpy as np
import pytest

from npbilstm.textbook import legal_transitions


def tags_of(spans, T, scheme):
    """The tags of T steps with these spans (begin, end, type), end not in it."""
    tags = ["O"] * T
    for begin, end, kind in spans:
        letters = ["B"] + ["M" if scheme == "BMES" else "I"] * (end - begin - 1)
        if scheme != "BIO":
            letters[-1] = "E" if end - begin > 1 else "S"
        tags[begin:end] = [f"{letter}-{kind}" for letter in letters]
    return tags


def spans_of_all(T, gaps, begin=0):
    """Every way to lay spans of two types into T steps."""
    if begin >= T:
        yield []
        return
    if gaps:
        yield from spans_of_all(T, gaps, begin + 1)
    for end, kind in product(range(begin + 1, T + 1), "xy"):
        for rest in spans_of_all(T, gaps, end):
            yield [(begin, end, kind), *rest]


@pytest.mark.parametrize("scheme", ["BIO", "BIOES", "BMES"])
def test_what_is_legal_is_what_spans_can_be_written_as(scheme):
    letters = [letter for letter in scheme if letter != "O"]
    tags = [*(f"{letter}-{kind}" for letter in letters for kind in "xy"), *(["O"] if "O" in scheme else [])]
    legal, T = legal_transitions(tags, scheme), 3
    written = {tuple(tags_of(spans, T, scheme)) for spans in spans_of_all(T, "O" in scheme)}
    said = {
        tuple(tags[v] for v in y)
        for y in product(range(len(tags)), repeat=T)
        if legal.start[y[0]] and legal.end[y[-1]] and all(legal.transitions[u, v] for u, v in pairwise(y))
    }
    assert said == written


def test_spans_without_types_are_one_type():
    assert np.array_equal(legal_transitions("BIO", "BIO").transitions, [[1, 1, 1], [1, 1, 1], [1, 0, 1]])


@pytest.mark.parametrize(
    ("tags", "scheme", "said"),
    [
        (["O"], "IOB", "scheme is 'IOB'; it needs one of 'BIO', 'BIOES', 'BMES'"),
        (["O"], "BMES", "'O' is no tag of BMES; it needs one of B, M, E, S; each may have a type, B-PER"),
        (["B-"], "BIO", "'B-' is no tag of BIO; it needs one of B, I, O; all but O may have a type, B-PER"),
        (["O-x"], "BIO", "'O-x' is no tag of BIO"),
        ([""], "BIO", "'' is no tag of BIO"),
    ],
)
def test_a_tag_that_is_none_is_named(tags, scheme, said):
    with pytest.raises(ValueError, match=said):
        legal_transitions(tags, scheme)
