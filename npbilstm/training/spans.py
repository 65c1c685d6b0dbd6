"""Spans: what tags say, and how many of the spans that are there are found: the F1 of entities, of words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Span = tuple[int, int, str]
"""Begin, end (not in it), type; "" for none."""


def spans(tags: Sequence[str]) -> list[Span]:
    """The spans of tags in BIO, BIOES or BMES, as conlleval has them (Tjong Kim Sang & Buchholz 2000), legal or not.

    A span ends, and another may begin, between two tags where the first is O, E or S, where the second is O, B or S, or
    where their types differ: so an I that goes on with nothing begins a span.

    >>> from npbilstm.training.spans import spans
    >>> spans(["O", "B-PER", "I-PER", "I-LOC", "O", "S"])
    [(1, 3, 'PER'), (3, 4, 'LOC'), (5, 6, '')]
    """
    found: list[Span] = []
    before, kind_before = "O", ""
    for t, tag in enumerate(tags):
        letter, _, kind = tag.partition("-")
        if letter != "O":
            if before in "OES" or letter in "BS" or kind != kind_before:
                found.append((t, t + 1, kind))
            else:
                found[-1] = (found[-1][0], t + 1, kind)
        before, kind_before = letter, kind
    return found


def span_f1(true: Iterable[Sequence[str]], predicted: Iterable[Sequence[str]]) -> float:
    """The F1 of all spans of all sequences together; 0 where none is right. Raises ValueError for other lengths.

        F1 = 2 right / (there + found)      right: begin, end and type are those of one that is there

    >>> from npbilstm.training.spans import span_f1
    >>> span_f1([["B", "I", "O"], ["B"]], [["B", "O", "O"], ["B"]])
    0.5
    """
    right = count = 0
    for n, (one, other) in enumerate(zip(true, predicted, strict=True)):
        if len(one) != len(other):
            raise ValueError(f"predicted[{n}] has {len(other)} tags; it needs {len(one)}, as true[{n}] has")
        there, found = spans(one), spans(other)
        right += len(set(there) & set(found))
        count += len(there) + len(found)
    return 2 * right / max(count, 1)
