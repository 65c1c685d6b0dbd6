"""Tags of spans: how a sequence of tags, one at each step, says which steps belong together.

A tag is a letter that says where in its span the step is, and the span's type behind a hyphen, "B-PER", or no type at
all, "B":

    BIO      B begins, I goes on                                O is outside
    BIOES    B begins, I goes on, E ends, S is a span of one    O is outside     (BILOU and BMEWO under other letters)
    BMES     B begins, M goes on, E ends, S is a span of one    every step is in a span: words of a text without spaces

Not every tag may stand after every other: I goes on with what was begun. Of these rules a CRF makes transitions that
are forbidden (crf_constrained), which is half of what it gains.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from npbilstm.textbook.crf import CRFParams

SCHEMES = ("BIO", "BIOES", "BMES")
OPEN, GOES_ON = "BIM", "IME"
"""The letters after which a span may go on, and those with which it does."""


def legal_transitions(tags: Sequence[str], scheme: str) -> CRFParams:
    """Which tags may stand at the start, at the end, and right after which.

    What goes on with a span, I, M or E, has to stand right after an open one, B, I or M, of its own type. Where the
    scheme marks ends, nothing else may stand there, nor may the sequence end there.

    tags: V tags, e.g. ["O", "B-PER", "I-PER"]. scheme: "BIO", "BIOES" or "BMES".

    -> CRFParams of bool: transitions (V, V), start (V,), end (V,), True where legal. Raises ValueError for a scheme or
    a tag that is none.

    >>> legal = nb.textbook.legal_transitions(["B", "M", "E", "S"], "BMES")
    >>> legal.transitions.astype(int).tolist(), legal.start.astype(int).tolist(), legal.end.astype(int).tolist()
    ([[0, 1, 1, 0], [0, 1, 1, 0], [1, 0, 0, 1], [1, 0, 0, 1]], [1, 0, 0, 1], [0, 0, 1, 1])
    """
    if scheme not in SCHEMES:
        raise ValueError(f"scheme is {scheme!r}; it needs one of {', '.join(map(repr, SCHEMES))}")
    parts = [parts_of(tag, scheme) for tag in tags]
    marks_ends = scheme != "BIO"

    def may_follow(before: tuple[str, str], after: tuple[str, str]) -> bool:
        goes_on, is_open = after[0] in GOES_ON, before[0] in OPEN
        if goes_on:
            return is_open and before[1] == after[1]
        return not (is_open and marks_ends)

    V, outside = len(parts), ("O", "")
    transitions = np.array([may_follow(before, after) for before in parts for after in parts], bool).reshape(V, V)
    start = np.array([may_follow(outside, tag) for tag in parts], bool)
    end = np.array([may_follow(tag, outside) for tag in parts], bool)
    return CRFParams(transitions, start, end)


def parts_of(tag: str, scheme: str) -> tuple[str, str]:
    """A tag's letter and its span's type, "" for none: "B-PER" is "B", "PER".

    Raises ValueError where the scheme has no such tag.
    """
    letter, hyphen, kind = tag.partition("-")
    if len(letter) != 1 or letter not in scheme or (letter == "O" and hyphen) or (hyphen and not kind):
        typed = "; all but O may have a type, B-PER" if "O" in scheme else "; each may have a type, B-PER"
        raise ValueError(f"{tag!r} is no tag of {scheme}; it needs one of {', '.join(scheme)}{typed}")
    return letter, kind
