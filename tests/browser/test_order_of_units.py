"""Units in the maps are sorted by what they follow, as trace.units_by sorts them."""

import numpy as np

from npbilstm.inspector.page import page_html
from tests.browser import pages
from tests.browser.reader import chosen, frames, pixels, point, press


def sort_by(page, words):
    page.get_by_label("Order of the units").select_option(words)
    frames(page)


def in_order(one, what, direction, layer=0):
    return [found.unit for found in one.units_by(what, layer) if found.direction == direction]


def test_the_maps_are_sorted_as_python_sorts_units(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    before = {direction: pixels(page, "f", direction) for direction in one.directions}
    for words, what in (("position", "position"), ("class NOUN", "NOUN"), ("open brackets", "brackets")):
        sort_by(page, words)
        for direction in one.directions:
            order = in_order(one, what, direction)
            np.testing.assert_array_equal(pixels(page, "f", direction), before[direction][order])
            assert f"{direction} unit {order[0]} (" in page.locator("#about-maps").inner_text()
    sort_by(page, "by number")
    np.testing.assert_array_equal(pixels(page, "f", "forward"), before["forward"])
    assert "Sorted" not in page.locator("#about-maps").inner_text()


def test_pointer_keys_and_numbers_go_by_the_order_that_is_shown(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    sort_by(page, "position")
    order = in_order(one, "position", "reverse")
    point(page, "c", "reverse", 3, 2, 5, 6, click=True)
    assert chosen(page) == (0, "reverse", 3, order[2])
    press(page, "ArrowDown")
    assert chosen(page) == (0, "reverse", 3, order[3])
    axis = page.locator("#maps figure").nth(1).locator(".unit-axis span").all_text_contents()
    assert axis[0] == str(order[0])


def test_what_is_the_same_at_all_steps_is_no_order(opened):
    page = opened(page_html(pages.layer_trace()))
    assert page.locator("#order option").all_text_contents() == ["by number", "position"]
