"""What a CRF has learned of neighbours, as a table on the page."""

import numpy as np
import pytest

from npbilstm.inspector.page import page_html
from tests.browser import pages
from tests.browser.reader import press

TAGS = ["-", "NP", "VP"]


def test_the_table_has_the_scores_of_each_pair_under_their_names(opened):
    one = pages.head("crf")
    page = opened(page_html(one))
    rows = [row.locator("th, td").all_inner_texts() for row in page.locator("#transitions tr").all()]
    assert rows[0] == ["", *TAGS, "end"]
    assert [row[0] for row in rows[1:]] == ["start", *TAGS]
    params = one.model.head.params
    expected = np.concatenate([params["start"][None], params["transitions"]])
    assert [row[1:4] for row in rows[1:]] == [[f"{v:.2f}" for v in row] for row in expected]
    assert [row[4] for row in rows[1:]] == ["", *(f"{v:.2f}" for v in params["end"])]


def test_a_score_below_0_is_blue_and_one_above_orange_the_more_the_larger(opened):
    one = pages.head("crf")
    page = opened(page_html(one))
    colours = page.locator("#transitions td:not(:empty)").evaluate_all(
        "cells => cells.map((cell) => [Number(cell.textContent), getComputedStyle(cell).backgroundColor])"
    )
    largest = max(abs(score) for score, _ in colours)
    for score, colour in colours:
        *blue_or_orange, part = colour.removeprefix("rgba(").removesuffix(")").split(", ")
        assert blue_or_orange == (["47", "116", "181"] if score < 0 else ["208", "106", "28"])
        assert float(part) == pytest.approx(0.6 * abs(score) / largest, abs=0.01)


def test_the_pair_at_the_chosen_step_is_outlined_and_told(opened):
    one = pages.head("crf")
    page = opened(page_html(one))
    press(page, "Home")
    read = [0, *(1 + one.predicted[0])]
    for step in range(5):
        outlined = page.locator("#transitions .chosen")
        assert outlined.evaluate("cell => [cell.parentNode.rowIndex - 1, cell.cellIndex]") == [
            read[step],
            read[step + 1],
        ]
        before = TAGS[read[step] - 1] if step else "the beginning"
        told = page.locator("#transitions-told").inner_text()
        assert told.startswith(f"step {step} “{pages.WORDS[step]}”: {TAGS[read[step + 1] - 1]} right after {before}, ")
        assert told.endswith(f"score {outlined.inner_text()}")
        press(page, "ArrowRight")


@pytest.mark.parametrize("width", [360, 1360])
def test_the_table_keeps_within_the_page(opened, width):
    page = opened(page_html(pages.head("crf")), width=width)
    assert page.locator("#transitions").is_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_model_without_a_crf_has_no_table(opened):
    page = opened(page_html(pages.head("ctc")))
    assert not page.locator("#transitions").is_visible()
