"""The page for whoever comes to it: with keys or fields or a finger, with strange tokens, strange numbers."""

import re

import numpy as np

from npbilstm.inspector import trace
from npbilstm.inspector.flow import flow_of_every_step
from npbilstm.inspector.influence import influence
from npbilstm.inspector.page import page_html
from tests.browser import pages
from tests.browser.reader import chosen, frames, pixels, point, press

CHARTS = "[...document.querySelectorAll('#charts figure')].map((one) => one.textContent)"


def pinned(page):
    return page.locator("#pinned").inner_text()


def test_keys_move_the_pinned_cell_and_the_panel_goes_with_it(opened):
    page = opened(page_html(pages.tagger()))
    point(page, "i", "reverse", 3, 2, 5, 6, click=True)
    assert pinned(page) == "pinned ✕"
    point(page, "f", "forward", 1, 1, 5, 6)
    assert pinned(page) == "pinned: reverse, step 3, unit 2 ✕"
    press(page, "ArrowLeft")
    assert chosen(page) == (0, "reverse", 2, 2)
    assert pinned(page) == "pinned ✕"


def test_clicking_a_pinned_cell_or_the_panels_button_frees_it(opened):
    page = opened(page_html(pages.tagger()))
    point(page, "i", "reverse", 3, 2, 5, 6, click=True)
    point(page, "i", "reverse", 3, 2, 5, 6, click=True)
    assert pinned(page) == ""
    point(page, "i", "reverse", 3, 2, 5, 6, click=True)
    page.locator("#pinned").click()
    frames(page)
    assert pinned(page) == ""


def test_the_quantity_pointed_at_goes_over_to_its_gradient_and_back(opened):
    page = opened(page_html(pages.tagger()))
    point(page, "c", "reverse", 2, 3, 5, 6)
    for name in ("dc", "c"):
        page.keyboard.press("g")
        frames(page)
        assert page.locator(".equation.current").get_attribute("data-name") == name


def test_gradients_bring_the_backward_pass_into_view(opened):
    page = opened(page_html(pages.tagger()))
    page.keyboard.press("g")
    frames(page)
    heading = page.locator("#equations h3").last
    assert "dc is the gradient of the loss with respect to c" in heading.inner_text()
    assert abs(heading.bounding_box()["y"] - page.locator("#equations").bounding_box()["y"]) < 30


def test_after_a_click_on_the_form_the_keys_are_the_pictures(opened):
    page = opened(page_html(pages.tagger()))
    page.get_by_label("gradients").click()
    page.keyboard.press("ArrowRight")
    frames(page)
    assert chosen(page) == (0, "forward", 3, 0)
    assert page.get_by_label("gradients").is_checked()


def test_capital_letters_and_brackets_written_with_alt_are_keys_too(opened):
    page = opened(page_html(pages.tagger()))
    page.keyboard.press("Shift+D")
    page.evaluate("""document.body.dispatchEvent(
        new KeyboardEvent("keydown", { key: "]", ctrlKey: true, altKey: true, bubbles: true }))""")
    frames(page)
    assert chosen(page) == (1, "reverse", 2, 0)
    page.keyboard.press("Alt+d")
    frames(page)
    assert chosen(page) == (1, "reverse", 2, 0)


def test_step_unit_and_direction_have_fields(opened):
    page = opened(page_html(pages.tagger()))
    page.get_by_label("reverse", exact=True).check()
    page.get_by_label("Step", exact=True).fill("4")
    page.get_by_label("Unit", exact=True).fill("99")
    page.keyboard.press("Home")  # of the field
    frames(page)
    assert chosen(page) == (0, "reverse", 4, 5)


def test_a_curve_of_one_steps_loss_is_a_share_of_its_size_there(opened):
    one = pages.tagger()
    fresh = trace(type(one.model)(**one.model.config, rng=5), one.ids, target=one.target)
    page = opened(page_html(one, beside=fresh))
    press(page, "Home", "ArrowRight", "ArrowRight")
    dh, _ = flow_of_every_step(one)
    chart = page.locator("#charts svg").first
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (40 + 0.1 * 234) / 280, box["y"] + 40)  # step 0 of 5
    shown = re.findall(r"(forward[a-z ]*) ([-+.e\d]+)", page.locator("#charts .told").first.inner_text())
    other, _ = flow_of_every_step(fresh)
    assert dict(shown) == {
        "forward": f"{dh[0, 0, 2, 0] / dh[0, 0, 2, 2]:.4g}",
        "forward of the other model": f"{other[0, 0, 2, 0] / other[0, 0, 2, 2]:.4g}",
    }
    assert "as a share of that at the chosen step" in page.evaluate(CHARTS)[0]


def test_pointing_at_the_influence_map_tells_its_number(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    frame = page.locator("#influence-map .frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] * 0.7)
    told = page.locator("#influence-map .told").inner_text()
    assert told == f"output 3 of input 1: {influence(one)[3, 1]:#.4g}"


def test_what_is_not_finite_has_a_colour_of_its_own_and_the_legend_says_so(opened):
    layer = pages.nb.LSTM(3, 5, dtype=np.float64, rng=0)
    layer.params["0.forward.Wx"][0, 1] = np.nan  # of unit 1's input gate
    page = opened(page_html(trace(layer, pages.numbers(1, 4, 3))))
    colours = pixels(page, "i", "forward")
    strange = (colours == [0xD1, 0x00, 0xC4, 0xFF]).all(axis=-1)
    assert strange[1].all()
    assert not strange[:, 0][[0, 2, 3, 4]].any()
    assert "not finite" in page.locator("#maps figcaption").first.inner_text()


def test_a_units_strip_of_c_has_the_units_own_scale(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    press(page, "ArrowDown")
    for side, direction in enumerate(one.directions):
        values = one["c"][0, side, 0, :, 1]
        colours = pixels(page, "c", direction, kind="strip")[0]
        end = [127, 50, 0] if values[np.abs(values).argmax()] > 0 else [8, 48, 107]
        assert colours[np.abs(values).argmax(), :3].tolist() == end
        written = page.locator(".labels small").nth(6 * side + 4).inner_text()
        assert written == f"±{float(f'{np.abs(values).max():.2g}'):g}"


def test_tokens_that_cannot_be_seen_are_named_and_long_ones_cut(opened):
    base = pages.tagger()
    tokens = ["", "a\u200bb", "x" * 10_000, "\U0001f469\u200d\U0001f467", "\u00a0"]
    shown = ["∅", "aU+200Bb", "x" * 39 + "…", tokens[3], "U+00A0"]
    page = opened(page_html(trace(base.model, base.ids, tokens=tokens, target=base.target)))
    assert page.locator(".token").all_text_contents() == shown
    press(page, "Home")
    for step, text in enumerate(shown):
        assert f"step {step} “{text}”" in page.locator("#where").inner_text()
        press(page, "ArrowRight")


def test_steps_without_tokens_have_their_number_alone(opened):
    page = opened(page_html(pages.layer_trace()))
    assert page.locator("#where").inner_text() == "forward direction, step 1, unit 0"
    assert "row 0 (of 0 to 1)" in page.locator("#facts").inner_text()


def test_help_names_only_the_keys_that_do_something(opened):
    page = opened(page_html(pages.layer_trace(kind="LSTM", upstream=False)))
    assert re.findall(r"step|unit|direction|gradients|layer|pin|free", page.locator(".keys").inner_text()) == [
        *("step", "unit", "pin", "free"),
    ]


def test_what_is_chosen_is_spoken_with_its_value_and_label(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    point(page, "f", "forward", 1, 2, 5, 6)
    label = pages.CLASSES[one.predicted[0, 1]]
    page.locator("#spoken", has_text="f is").wait_for(state="attached")
    spoken = page.locator("#spoken").text_content()
    assert spoken.startswith(f"layer 0, forward direction, step 1 “old”, unit 2, f is {one['f'][0, 0, 0, 1, 2]:#.4g}")
    assert f"predicted {label}" in spoken


def test_a_low_window_starts_with_the_sheet_folded(opened):
    page = opened(page_html(pages.tagger()), width=800, height=390)
    assert not page.locator("#equations").is_visible()


def test_the_two_directions_of_a_quantity_stand_side_by_side(opened):
    page = opened(page_html(pages.tagger()))
    for width in (2200, 900):
        page.set_viewport_size({"width": width, "height": 900})
        boxes = [canvas.bounding_box() for canvas in page.locator("#maps canvas.cells").all()]
        assert all(one["y"] == other["y"] for one, other in zip(boxes[::2], boxes[1::2]))
