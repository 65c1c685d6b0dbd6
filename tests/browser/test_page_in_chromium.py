"""The inspector's page in Chromium, the network cut off: it shows the trace's numbers, and they add up."""

import re

import numpy as np
import pytest

from npbilstm.inspector import trace
from npbilstm.inspector.flow import flow_of_every_step, forgetting
from npbilstm.inspector.indices import most_varying
from npbilstm.inspector.influence import influence
from npbilstm.inspector.page import iframe_html, page_html, payload
from tests.browser import pages
from tests.browser.reader import check_panel, chosen, equations, frames, pixels, point, press


@pytest.mark.parametrize(("layer", "direction", "step", "unit"), [(0, "forward", 3, 4), (0, "reverse", 1, 2)])
def test_pointing_at_a_cell_shows_the_numbers_that_the_trace_holds(opened, layer, direction, step, unit):
    one = pages.tagger()
    page = opened(page_html(one))
    for name in ("c", "i", "f", "g", "o", "h"):
        point(page, name, direction, step, unit, 5, 6)
        assert chosen(page) == (layer, direction, step, unit)
        assert set(check_panel(page, one)) >= {"a_i", "i", "c", "h", "dh", "dc", "da_o"}
        assert page.locator(".equation.current").get_attribute("data-name") == name


def test_keys_walk_through_steps_units_directions_and_layers(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    press(page, "Home")
    assert chosen(page) == (0, "forward", 0, 0)
    press(page, "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowDown", "ArrowDown", "ArrowUp")
    assert chosen(page) == (0, "forward", 1, 1)
    press(page, "PageDown", "End", "d")
    assert chosen(page) == (0, "reverse", 4, 5)
    press(page, "PageUp", "]")
    assert chosen(page) == (1, "reverse", 4, 0)
    press(page, "[", "ArrowUp", "ArrowRight")
    assert chosen(page) == (0, "reverse", 4, 0)


def test_a_page_opens_at_the_unit_that_varies_most(opened):
    one = pages.tagger()
    page = opened(page_html(one), start=True)
    direction, unit = most_varying(one)
    assert chosen(page) == (0, one.directions[direction], 2, unit)


def test_letter_keys_work_before_anything_was_clicked(opened):
    page = opened(page_html(pages.tagger()))
    page.keyboard.press("d")
    frames(page)
    assert chosen(page)[1] == "reverse"


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("direction", ["forward", "reverse"])
def test_every_equation_of_every_step_holds_in_the_numbers_shown(opened, layer, direction):
    one = pages.tagger()
    page = opened(page_html(one))
    press(page, "Home", *["]"] * layer, *["d"] * (direction == "reverse"))
    for step in range(5):
        assert chosen(page) == (layer, direction, step, step)
        names = check_panel(page, one)
        written = [text.split(" = ")[0] for text in one.equations.forward + one.equations.backward]
        assert names == written
        press(page, "ArrowRight", "ArrowDown")


def test_the_switch_shows_gradients_and_back(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    page.get_by_label("gradients").check()
    for name in ("di", "df", "dg", "do", "dc", "dh"):
        point(page, name, "reverse", 2, 5, 5, 6)
        assert chosen(page) == (0, "reverse", 2, 5)
        assert name in check_panel(page, one)
        assert page.locator(".equation.current").get_attribute("data-name") == name
    page.get_by_label("values").check()
    assert page.locator("canvas.cells[data-name=i]").count() == 2
    press(page, "g")
    assert page.locator("canvas.cells[data-name=i]").count() == 0


def test_clicking_pins_leaving_goes_back_and_escape_frees(opened):
    page = opened(page_html(pages.tagger()))
    point(page, "i", "reverse", 3, 2, 5, 6, click=True)
    point(page, "f", "forward", 1, 1, 5, 6)
    assert chosen(page) == (0, "forward", 1, 1)
    page.mouse.move(5, 5)
    frames(page)
    assert chosen(page) == (0, "reverse", 3, 2)
    assert page.locator("#pinned").inner_text() != ""
    page.keyboard.press("Escape")
    point(page, "f", "forward", 1, 1, 5, 6)
    page.mouse.move(5, 5)
    frames(page)
    assert chosen(page) == (0, "forward", 1, 1)
    assert page.locator("#pinned").inner_text() == ""


def test_enter_pins_and_a_pinned_cell_moves_with_the_keys(opened):
    page = opened(page_html(pages.tagger()))
    press(page, "Home", "Enter", "ArrowRight")
    point(page, "f", "forward", 4, 3, 5, 6)
    page.mouse.move(5, 5)
    frames(page)
    assert chosen(page) == (0, "forward", 1, 0)


def test_keys_are_left_to_the_fields_that_need_them(opened):
    page = opened(page_html(pages.tagger()))
    before = chosen(page)
    page.focus("#layer")
    page.keyboard.press("End")
    page.focus("#equations")
    page.keyboard.press("ArrowDown")
    frames(page)
    assert chosen(page)[1:] == before[1:]


def test_pointing_at_a_strip_chooses_the_step_and_direction_and_keeps_the_unit(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    press(page, "ArrowDown")
    strip = page.locator('canvas.strip[data-name="o"][data-direction="reverse"]')
    box = strip.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.3, box["y"] + box["height"] / 2)
    frames(page)
    assert chosen(page) == (0, "reverse", 1, 1)
    assert page.locator(".equation.current").get_attribute("data-name") == "o"


def test_pointing_at_a_token_chooses_the_step(opened):
    page = opened(page_html(pages.tagger()))
    page.locator(".token").nth(3).hover()
    frames(page)
    assert chosen(page) == (0, "forward", 3, 0)


def test_each_strip_is_the_chosen_units_row_of_its_map(opened):
    page = opened(page_html(pages.tagger()))
    press(page, "ArrowDown", "ArrowDown", "ArrowDown")
    for direction in ("forward", "reverse"):
        for name in ("i", "f", "g", "o", "h"):
            whole = pixels(page, name, direction)
            assert np.array_equal(pixels(page, name, direction, kind="strip")[0], whole[3])
            assert len(np.unique(whole.reshape(-1, 4), axis=0)) > 5


def test_where_the_state_came_from_is_marked_in_each_direction(opened):
    page = opened(page_html(pages.tagger()))
    press(page, "Home", "ArrowRight")
    token, mark = (page.locator(part).bounding_box() for part in (".token >> nth=1", ".from:visible >> nth=0"))
    assert abs(mark["x"] + mark["width"] / 2 - token["x"]) < 3  # from the left
    press(page, "d")
    mark = page.locator(".from:visible").first.bounding_box()
    assert abs(mark["x"] + mark["width"] / 2 - token["x"] - token["width"]) < 3  # from the right
    press(page, "End")
    assert page.locator(".from:visible").count() == 0


def test_the_first_and_the_last_step_read_say_where_their_numbers_are_from(opened):
    page = opened(page_html(pages.layer_trace(state=True)))
    press(page, "Home")
    text = page.locator("#equations").inner_text()
    assert "initial state" in text
    assert "next: step 1" in text
    assert page.locator("#turn").inner_text().startswith("read 1st of 4")
    press(page, "d")
    assert "from step 1" in page.locator("#equations").inner_text()
    assert page.locator("#turn").inner_text().startswith("read 4th of 4")
    for name in ("dh_next", "dc_next"):
        assert equations(page)[name].note.startswith("gradient of the final state")


@pytest.mark.parametrize("kind", ["BiLSTM", "GRU"])
def test_a_state_and_its_gradient_that_were_given_are_shown(opened, kind):
    one = pages.classifier() if kind == "GRU" else pages.layer_trace(state=True, num_layers=2)
    page = opened(page_html(one, row=len(one.lengths) - 1), height=2000)
    for key in ("Home", "End", "d", "Home"):
        press(page, key)
        check_panel(page, one, row=len(one.lengths) - 1)


VARIANTS = [
    {"kind": "GRU"},
    {"kind": "GRU", "reset_after": False, "bidirectional": True, "num_layers": 2},
    {"kind": "RNN", "bidirectional": True},
    {"kind": "RNN", "nonlinearity": "relu"},
    {"kind": "LSTM"},
    {"kind": "LSTM", "reverse": True, "num_layers": 2},
    {"kind": "LSTM", "activation": "relu", "recurrent_activation": "hard_sigmoid"},
    {"kind": "GRU", "activation": "sigmoid", "recurrent_activation": "hard_sigmoid_sixth"},
    {"kind": "LSTM", "activation": "hard_sigmoid", "recurrent_activation": "tanh"},
    {"kind": "LSTM", "peepholes": True, "coupled": True},
    {"kind": "BiLSTM", "peepholes": True, "projection_size": 3, "bias": False, "num_layers": 2},
    {"kind": "BiLSTM", "merge": "sum", "num_layers": 2},
    {"kind": "BiLSTM", "steps": 1},
    {"kind": "BiLSTM", "upstream": False},
]


@pytest.mark.parametrize("options", VARIANTS, ids=lambda options: "-".join(map(str, options.values())))
def test_every_cell_shows_its_own_equations(opened, options):
    one = pages.layer_trace(**options)
    page = opened(page_html(one, row=1), height=1600)
    press(page, "Home", "]")
    for keys in (["ArrowDown"], ["ArrowRight"], ["d"], ["End", "ArrowDown"], ["ArrowDown", "ArrowDown"]):
        press(page, *keys)
        names = check_panel(page, one, row=1)
        texts = one.equations.forward + (one.equations.backward if one.has_gradients else ())
        unit = chosen(page)[3]
        assert names == [n for n in (text.split(" = ")[0] for text in texts) if unit < one[n].shape[-1]]


def test_a_page_without_gradients_has_no_switch_for_them(opened):
    page = opened(page_html(pages.layer_trace(upstream=False)))
    assert not page.locator("#quantities").is_visible()
    press(page, "g")
    assert page.locator("canvas.cells[data-name=i]").count() == 2


def test_a_classifier_shows_its_label_once_and_looks_back_from_the_end(opened):
    page = opened(page_html(pages.classifier()))
    assert "true y" in page.locator("#facts").inner_text()
    assert page.locator("#influence").is_hidden()
    assert page.locator(".bars span").count() == 6


def test_rounded_numbers_are_still_right_to_what_rounding_leaves(opened, monkeypatch):
    one = pages.tagger()
    monkeypatch.setattr(payload, "PRECISIONS", ("int16",))
    document = page_html(one)
    assert '"float' not in document
    page = opened(document)
    assert "rounded to 16 bits" in page.locator("#notes").inner_text()
    for key in ("Home", "End", "d", "Home"):
        press(page, key)
        check_panel(page, one, digits=3)


def test_without_weights_products_are_shown_as_totals(opened, monkeypatch):
    one = pages.layer_trace(num_layers=2)
    monkeypatch.setattr(payload, "LEFT_OUT", {"weights": payload.LEFT_OUT["weights"]})
    monkeypatch.setattr(payload, "encoded_size", lambda array, precision: 10**7 * (array.shape == (3, 20)))
    page = opened(page_html(one, row=1))
    assert "weights are left out" in page.locator("#notes").inner_text()
    for key in ("Home", "]", "End", "d"):
        press(page, key)
        check_panel(page, one, row=1, digits=3)
    assert equations(page)["a_f"].lines == []


HOSTILE = ["</script><script>alert(1)</script>", "<img src=x onerror=alert(2)>", "a\u202eb\x00", " \n\t", "&lt;\u2028"]


def test_hostile_tokens_and_classes_stay_text(opened):
    base = pages.tagger()
    one = trace(base.model, base.ids, tokens=HOSTILE, target=base.target, classes=HOSTILE)
    page = opened(page_html(one))
    shown = page.locator(".token").all_text_contents()
    assert shown == [HOSTILE[0], HOSTILE[1].replace(" ", "␣"), "a\ufffdb\ufffd", "␣⏎⇥", "&lt;U+2028"]
    assert HOSTILE[0] in page.locator("h1").inner_text()
    press(page, "Home")
    assert HOSTILE[0] in page.locator("#where").inner_text()
    assert page.locator("img").count() == 0
    assert page.locator("script").count() == 2


def test_mistakes_are_marked_and_told(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    wrong = one.predicted[0] != one.target[0]
    assert wrong.sum() > 0
    for step, mistake in enumerate(wrong):
        token = page.locator(".token").nth(step)
        assert ("wrong" in token.get_attribute("class")) == mistake
        predicted, true = (pages.CLASSES[labels[0, step]] for labels in (one.predicted, one.target))
        assert f"predicted {predicted}, true {true}" in token.get_attribute("title")
        token.hover()
        frames(page)
        assert f"predicted {predicted}, true {true}" in page.locator("#turn").inner_text()


def test_a_phone_shows_one_column_and_nothing_scrolls_sideways(opened):
    page = opened(page_html(pages.tagger()), width=390, height=844, has_touch=True)
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
    boxes = [page.locator("canvas.cells").nth(k).bounding_box() for k in (0, 1)]
    assert boxes[0]["x"] == boxes[1]["x"]
    page.locator(".token").nth(1).tap()
    frames(page)
    assert chosen(page) == (0, "forward", 1, 0)
    assert page.locator("#pinned").inner_text() != ""
    page.locator("#fold").click()
    assert not page.locator("#equations").is_visible()
    page.locator("#fold").click()
    assert page.locator("#equations").is_visible()


def test_dark_and_light_have_grounds_of_their_own_and_zero_is_the_grounds_colour(opened):
    grounds = []
    layer = pages.nb.BiLSTM(3, 5, rng=0)
    for scheme in ("light", "dark"):
        one = trace(layer, np.zeros((3, 3), np.float32), upstream=np.zeros((3, 10), np.float32))
        page = opened(page_html(one), color_scheme=scheme)
        ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
        red, green, blue, _ = pixels(page, "c", "reverse")[2, 1]
        assert ground == f"rgb({red}, {green}, {blue})"
        grounds.append(ground)
    assert grounds[0] != grounds[1]


READ_ALL_THE_TIME = """() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => { darkMode.matches; port2.postMessage(0); };
  port2.postMessage(0);
}"""


def test_maps_are_drawn_anew_when_the_ground_changes(opened):
    page = opened(page_html(pages.tagger()), color_scheme="light")
    before = pixels(page, "c", "reverse")
    page.evaluate(READ_ALL_THE_TIME)  # as a page that is just being drawn
    page.emulate_media(color_scheme="dark")
    for _ in range(500):  # the page hears of it some frames later
        frames(page)
        if not np.array_equal(before, pixels(page, "c", "reverse")):
            return
    raise AssertionError("the maps have the colours they had")


def test_another_model_is_drawn_dashed_beside(opened):
    one = pages.tagger()
    fresh = trace(type(one.model)(**one.model.config, rng=5), one.ids, target=one.target)
    page = opened(page_html(one, beside=fresh))
    assert page.locator(".curve.dashed").count() == 4
    assert page.locator("#beside").is_visible()


def test_pointing_at_the_influence_map_chooses_the_output(opened):
    page = opened(page_html(pages.tagger()))
    frame = page.locator("#influence-map .frame")
    frame.scroll_into_view_if_needed()
    box = frame.bounding_box()
    page.mouse.move(box["x"] + 3, box["y"] + box["height"] * 0.7)
    frames(page)
    assert chosen(page)[2] == 3


def test_a_large_trace_is_a_small_page_and_opens(opened):
    document = page_html(pages.large())
    assert len(document.encode()) < 5_000_000
    page = opened(document)
    point(page, "c", "reverse", 150, 100, 200, 128)
    check_panel(page, pages.large(), digits=3)


def test_maps_are_coloured_by_value_in_input_time_order(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    for side, direction in enumerate(one.directions):
        values = one["f"][0, side, 0].T  # (units, steps)
        lightness = pixels(page, "f", direction)[:, :, :3].sum(axis=-1)
        order = np.argsort(values, axis=None)
        assert (np.diff(lightness.ravel()[order]) >= -2).all()
        cells, colours = one["c"][0, side, 0].T, pixels(page, "c", direction)
        clear = np.abs(cells) > 0.05 * np.abs(one["c"][0]).max()
        assert ((colours[..., 0] > colours[..., 2]) == (cells > 0))[clear].all()  # orange above 0, blue below


def test_bars_over_the_tokens_are_the_influence_of_each_input(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    press(page, "Home", "ArrowRight")
    bars = page.evaluate(
        "[...document.querySelectorAll('.bars span')].map((bar) => bar.style.getPropertyValue('--part'))"
    )
    expected = influence(one)[1]
    assert np.allclose(np.array(bars, float), expected / expected.max())


def test_curves_over_time_are_those_of_the_chosen_steps_loss(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    press(page, "Home", "ArrowRight", "ArrowRight", "]")
    dh, dc = flow_of_every_step(one)
    kept = [forgetting(one, 2)[1, side].mean(axis=-1) for side in (0, 1)]
    drawn = page.evaluate("[...document.querySelectorAll('.curve')].map((curve) => curve.getAttribute('d'))")
    assert len(drawn) == 6
    for path, values in zip(drawn, [dh[1, 0, 2], dh[1, 1, 2], dc[1, 0, 2], dc[1, 1, 2], *kept]):
        heights = [float(y) for y in re.findall(r"[ML][\d.]+ ([\d.]+)", path)]
        logs = np.log10(values[values > 0])
        assert len(heights) == len(logs)
        assert np.corrcoef(heights, logs)[0, 1] < -0.9999 if len(logs) > 1 else True


def test_in_a_frame_of_a_notebook_the_page_works_too(opened):
    page = opened(
        "<!doctype html><script>document.documentElement.dataset.ready = 1</script>"
        + iframe_html(page_html(pages.tagger()))
    )
    frame = page.frames[1]
    opened.wait_until_ready(frame)
    frame.locator(".token").nth(3).hover()
    frames(frame)
    assert frame.locator("#panel").get_attribute("data-step") == "3"


def test_the_strips_scroll_to_what_is_chosen_elsewhere(opened):
    page = opened(page_html(pages.layer_trace(steps=80)))
    for step in (78, 2):
        point(page, "c", "forward", step, 1, 80, 5)
        token, scroller = (page.locator(part).bounding_box() for part in (f".token >> nth={step}", "#scroller"))
        assert scroller["x"] <= token["x"] <= scroller["x"] + scroller["width"]
    assert page.evaluate("document.scrollingElement.scrollWidth <= innerWidth")
