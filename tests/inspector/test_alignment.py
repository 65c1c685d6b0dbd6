"""The picture of an alignment: posteriors over time, with what they read as below."""

import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import Alignment, alignment
from npbilstm.textbook import ctc_greedy

SYMBOLS = ["blank", "a", "b", "<"]


def drawn(T=12, seed=0):
    p = np.random.default_rng(seed).dirichlet(np.full(4, 0.3), T)
    return Alignment(p, SYMBOLS, np.linspace(0, 1, T), "key")


def test_the_text_reads_as_the_best_path_does():
    seen = drawn()
    labels, counts = ctc_greedy(np.log(seen.posteriors[None]))
    last = seen.text().split("\n")[-1]
    assert last.startswith("reads ")
    assert last.removeprefix("reads").replace(" ", "") == "".join(SYMBOLS[k] for k in labels[0, : counts[0]])
    assert [t for t, _ in seen.starts] == [k - 6 for k in range(6, len(last)) if last[k] != " "]


def test_a_long_row_is_shown_in_pieces_that_hold_all_of_it():
    seen = drawn(T=50)
    pieces = seen.text(width=26).split("\n\n")
    assert len(pieces) == 3
    assert max(len(line) for piece in pieces for line in piece.split("\n")) <= 26
    one = seen.text(width=500).split("\n")[-1][6:]
    assert "".join(piece.split("\n")[-1][6:].ljust(20) for piece in pieces).rstrip() == one


def test_the_page_holds_every_number_and_fetches_nothing():
    seen = drawn()
    page = seen.to_html("a < b")
    for t in range(12):
        for k in seen.shown:
            assert f"step {t}: {SYMBOLS[k].replace('<', '&lt;')} {seen.posteriors[t, k]:.3f}" in page
    assert "a &lt; b" in page
    assert not re.search(r"(src|href)=|https?:", page)


def test_a_model_of_another_head_and_names_of_another_number_are_refused():
    with pytest.raises(ValueError, match="an alignment needs one with head='ctc'"):
        alignment(nb.SequenceTagger(input_size=2, num_classes=3), np.ones((4, 2)), SYMBOLS)
    with pytest.raises(ValueError, match="symbols has 4 names; the model has 3 classes, the blank first"):
        alignment(nb.SequenceTagger(input_size=2, num_classes=3, head="ctc"), np.ones((4, 2)), SYMBOLS)


def test_of_no_steps_there_is_nothing_to_see():
    seen = alignment(nb.SequenceTagger(input_size=2, num_classes=4, head="ctc"), np.ones((0, 2)), SYMBOLS)
    assert seen.text().split("\n")[-1] == "reads"
    assert seen.to_html()


@pytest.mark.parametrize("weight", [np.nan, np.inf])
def test_of_a_model_that_diverged_it_is_said(weight):
    model = nb.SequenceTagger(input_size=2, num_classes=4, head="ctc", hidden_size=3, rng=0)
    model.params["linear.W"][...] = weight
    with pytest.raises(FloatingPointError, match="the model's outputs are not finite"):
        alignment(model, np.ones((4, 2)), SYMBOLS)
    pairs = nb.Seq2Seq(5, 4, hidden_size=3, rng=0)
    pairs.params["target_embedding.W"][...] = weight
    with pytest.raises(FloatingPointError, match="the model's outputs are not finite"):
        pairs.alignment([1, 2], [1])
