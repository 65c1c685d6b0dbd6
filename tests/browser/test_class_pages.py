"""The pages of a class in Chromium: on a phone and on a desk, light and dark, nothing is cut off, run or fetched."""

import pytest

from npbilstm.classroom.class_page import page_of, write_pages
from tests.classroom.class_records import BREAKING, records


@pytest.mark.parametrize("colours", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_the_pages_fit_and_do_nothing(browser, tmp_path, width, colours):
    write_pages(tmp_path, records())
    seen = []
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=colours)
    page = context.new_page()
    page.on("console", lambda message: seen.append(message.text))
    page.on("dialog", lambda dialog: (seen.append(dialog.message), dialog.dismiss()))
    page.on("request", lambda request: request.url.startswith("file:") or seen.append(request.url))
    for path in (tmp_path / "class.html", page_of(tmp_path, BREAKING)):
        page.goto(path.as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        style = "getComputedStyle(document.body)"
        ground, ink = (page.evaluate(f"{style}.{each}") for each in ("backgroundColor", "color"))
        darker = sum(map(int, ground[4:-1].split(","))) < sum(map(int, ink[4:-1].split(",")))
        assert darker == (colours == "dark")
    page.goto((tmp_path / "class.html").as_uri())
    page.get_by_role("link", name="<script>").click()
    page.locator("body", has_text="Not graded").wait_for()
    context.close()
    assert seen == []
