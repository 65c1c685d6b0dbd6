"""The map of what a model makes of the steps: where a decoder looks, each weight with its equations."""

import numpy as np
import pytest

from npbilstm.inspector.page import page_html
from tests.browser import pages
from tests.browser.reader import check_adds_up, check_recomputes, chosen, equations, exact, frames, point_at, press

LINES, STEPS = 4, 5


def point(page, line, step, click=False, lines=LINES):
    """Bring the pointer to a cell of the map, and wait for the panel."""
    point_at(page, "#step-map canvas.cells", step, line, STEPS, lines, click)


def line_of(page):
    """The chosen line, "" where the panel shows a unit."""
    return page.locator("#panel").get_attribute("data-line")


def check_cell(page, found, line, step):
    """The panel shows the equations of a cell, they hold, and what comes out is the map's number."""
    shown = equations(page)
    assert [equation.formula for equation in shown.values()] == list(found.equations)
    for equation in shown.values():
        check_adds_up(equation)
        check_recomputes(equation)
    alpha = found.values[line, step]
    assert abs(float(exact(shown[found.name].output)) - alpha) <= 1e-3 * alpha
    assert page.locator(".equation.current").get_attribute("data-name") == found.name


@pytest.mark.parametrize("kind", ["additive", "dot"])
def test_pointing_at_a_weight_shows_its_equations_and_chooses_the_encoders_step(opened, kind):
    one = pages.attention(kind)
    found = one.step_maps[0]
    page = opened(page_html(one))
    for line, step in [(0, 0), (1, 4), (3, 2)]:
        point(page, line, step)
        assert (line_of(page), chosen(page)[2]) == (str(line), step)
        check_cell(page, found, line, step)
    name = [*["a", "bc", "d"], "end"][3]
    assert name == found.lines[3]
    assert page.locator("#where").inner_text() == f"output 3 “{name}”, step 2 “{pages.WORDS[2]}”"
    assert page.locator("#map-told").inner_text().startswith(f"output 3 “{name}”, step 2 “man”: alpha is 0.")
    box = page.locator("#strips .column").first.bounding_box()
    token = page.locator("#strips .token").nth(2).bounding_box()
    assert abs(box["x"] - token["x"]) < 2


@pytest.mark.parametrize(("head", "lines", "down"), [("crf", 3, "tag"), ("ctc", 5, "place")])
def test_the_marginals_of_a_crf_and_the_alignment_of_a_ctc_are_such_maps(opened, head, lines, down):
    one = pages.head(head)
    found = one.step_maps[0]
    page = opened(page_html(one))
    for line, step in [(1, 1), (lines - 2, 3)]:
        point(page, line, step, lines=lines)
        assert (line_of(page), chosen(page)[2]) == (str(line), step)
        check_cell(page, found, line, step)
    assert (
        page.locator("#where").inner_text().startswith(f"{down} {lines - 2} “{found.lines[lines - 2]}”, step 3 “saw”")
    )
    page.locator("#map-words summary").click()
    words = page.locator("#map-words li").all_inner_texts()
    assert len(words) == STEPS
    assert words[3].startswith(f"step 3 “saw”: {down} {int(found.values[:, 3].argmax())} “")
    assert ("NaN" in page.locator("#notes").inner_text()) is False


def test_the_score_is_that_of_the_textbook(opened):
    one = pages.attention()
    page = opened(page_html(one))
    point(page, 2, 1)
    axes = {name: array for name, (_, array) in one.step_maps[0].arrays.items()}
    terms = np.tanh(axes["q"][2] + axes["k"][1]) * axes["v"]
    assert float(exact(equations(page)["score"].output)) == pytest.approx(terms.sum(), abs=1e-3)
    largest = int(np.abs(terms).argmax())
    assert f"unit {largest}, whose term below is the largest" in page.locator("#equations").inner_text()
    z = float(exact(equations(page)["z"].output))
    assert z == pytest.approx(np.tanh(axes["q"][2] + axes["k"][1])[largest], abs=1e-3)


def test_the_map_is_coloured_by_value_as_the_gates_are(opened):
    one = pages.attention()
    page = opened(page_html(one))
    found = page.evaluate("""() => {
        const canvas = document.querySelector("#step-map canvas.cells");
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        return [canvas.height, canvas.width, [...copy.getImageData(0, 0, canvas.width, canvas.height).data]];
    }""")
    colours = np.array(found[2]).reshape(found[0], found[1], 4)[..., :3]
    alpha = one.step_maps[0].values
    assert colours.shape[:2] == alpha.shape
    ramp = np.array([[0x00, 0x20, 0x4D], [0x31, 0x44, 0x6B], [0x66, 0x69, 0x70], [0x95, 0x8F, 0x78]])
    ramp = np.concatenate([ramp, [[0xCB, 0xBA, 0x69], [0xFF, 0xEA, 0x46]]])
    expected = np.stack([np.interp(alpha, np.linspace(0, 1, 6), ramp[:, c]) for c in range(3)], axis=-1)
    assert np.abs(colours - expected).max() < 2
    assert page.locator("#map-caption .legend").inner_text().split() == ["0", "1"]


def test_m_goes_to_the_map_where_arrows_walk_through_outputs_and_back(opened):
    one = pages.attention()
    page = opened(page_html(one))
    press(page, "Home", "m", "ArrowDown", "ArrowDown", "ArrowRight")
    assert (line_of(page), chosen(page)) == ("2", (0, "forward", 1, 0))
    check_cell(page, one.step_maps[0], 2, 1)
    press(page, "PageDown")
    assert line_of(page) == "3"
    press(page, "g")
    assert line_of(page) == "3"
    press(page, "g", "m", "ArrowDown")
    assert (line_of(page), chosen(page)) == ("", (0, "forward", 1, 1))
    press(page, "m", "d")
    assert (line_of(page), chosen(page)[1]) == ("", "reverse")


def test_the_output_has_a_field(opened):
    page = opened(page_html(pages.attention()))
    page.get_by_label("output", exact=True).fill("2")
    frames(page)
    assert line_of(page) == "2"
    page.get_by_label("Unit", exact=True).fill("1")
    frames(page)
    assert (line_of(page), chosen(page)[3]) == ("", 1)


def test_a_pinned_weight_is_gone_back_to(opened):
    page = opened(page_html(pages.attention()))
    point(page, 1, 3, click=True)
    assert page.locator("#pinned").inner_text() == "pinned ✕"
    page.locator('canvas.cells[data-name="f"]').first.hover()
    frames(page)
    assert line_of(page) == ""
    assert page.locator("#pinned").inner_text() == "pinned: output 1, step 3 ✕"
    page.mouse.move(5, 5)
    frames(page)
    assert (line_of(page), chosen(page)[2]) == ("1", 3)
    point(page, 1, 3, click=True)
    assert page.locator("#pinned").inner_text() == ""


def test_who_does_not_see_the_map_reads_and_hears_it(opened):
    one = pages.attention()
    page = opened(page_html(one))
    page.locator("#map-words summary").click()
    items = page.locator("#map-words li").all_inner_texts()
    assert len(items) == LINES
    for k, (item, alpha) in enumerate(zip(items, one.step_maps[0].values)):
        order = [s for s in np.argsort(-alpha, kind="stable") if alpha[s] >= 0.05][:4]
        assert item.startswith(f"output {k} “{one.step_maps[0].lines[k]}”: ")
        assert [part.split("step ")[1].split(" ")[0] for part in item.split(": ")[1].split(", ")] == [
            str(s) for s in order
        ]
    press(page, "m", "ArrowDown")
    page.locator("#spoken", has_text="alpha is").wait_for(state="attached")
    assert page.locator("#spoken").text_content().startswith("output 1 “a”, step 2 “man”, alpha is 0.")
    canvas = page.locator("#step-map canvas.cells")
    assert (canvas.get_attribute("role"), canvas.get_attribute("aria-label")) == (
        "img",
        "alpha: output down, steps across",
    )


def test_map_and_strips_scroll_along_with_what_is_chosen(opened):
    page = opened(page_html(pages.long_attention()))

    def in_view(grid):
        token, frame = (
            page.locator(f"{grid} .token.chosen").bounding_box(),
            page.locator(grid).locator("..").bounding_box(),
        )
        return frame["x"] <= token["x"] and token["x"] + token["width"] <= frame["x"] + frame["width"]

    for key in ("End", "Home"):
        press(page, "m", key)
        assert in_view("#strips")
        assert in_view("#map-strips")
    track = page.locator("#map-strips .track").first
    page.evaluate("document.querySelector('#step-map .scroller').scrollLeft = 1e6")
    box, frame = track.bounding_box(), page.locator("#step-map .scroller").bounding_box()
    page.mouse.move(frame["x"] + frame["width"] - 12, box["y"] + 5)
    frames(page)
    assert chosen(page)[2] == 59
    assert in_view("#strips")


def test_a_model_without_a_map_has_nothing_of_it(opened):
    page = opened(page_html(pages.tagger()))
    for part in ("#step-map", "#map-words", "#lines", "[data-needs=map]"):
        assert not page.locator(part).is_visible()
    press(page, "m")
    assert chosen(page) == (0, "forward", 2, 0)


@pytest.mark.parametrize("width", [360, 1360])
def test_the_map_keeps_within_the_page(opened, width):
    page = opened(page_html(pages.attention()), width=width)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert page.locator("#step-map .scroller").bounding_box()["width"] <= width
