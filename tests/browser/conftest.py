"""Pages opened in Chromium, without a network: whatever is asked of it fails the test."""

import importlib.util
import shutil

import pytest

from tests.browser.reader import frames

# The page draws when a test lets it, with `frames`: who reads too early fails always, not on a busy machine alone.
HOLD_FRAMES = """
{
  const frame = requestAnimationFrame.bind(window);
  const held = [];
  window.requestAnimationFrame = (draw) => held.push(draw);
  window.letFramesGo = () =>
    new Promise((done) => frame((now) => (held.splice(0).forEach((draw) => draw(now)), frame(done))));
}
"""


@pytest.fixture(scope="session")
def browser():
    if importlib.util.find_spec("playwright") is None:
        pytest.skip("playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        browser.close()


class Visits:
    """Pages opened one after the other; `seen` is what they said, asked or fetched, which should be nothing."""

    def __init__(self, browser, folder):
        self.browser, self.folder = browser, folder
        self.seen, self.contexts = [], []

    def __call__(self, document, width=1360, height=1000, start=False, **options):
        """The page of a document, when it is ready; at the forward direction's unit 0 unless `start` keeps its own."""
        path = self.folder / f"page{len(self.contexts)}.html"
        path.write_text(document, encoding="utf-8")
        context = self.browser.new_context(viewport={"width": width, "height": height}, **options)
        self.contexts.append(context)
        context.set_offline(True)
        page = context.new_page()
        page.add_init_script(HOLD_FRAMES)
        page.set_default_timeout(60_000)
        page.on("console", lambda message: self.seen.append(f"console: {message.text}"))
        page.on("pageerror", lambda error: self.seen.append(f"error: {error}"))
        page.on("dialog", lambda dialog: (self.seen.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.on("request", lambda request: request.url == path.as_uri() or self.seen.append(request.url))
        page.goto(path.as_uri())
        self.wait_until_ready(page)
        if not start:
            page.evaluate("typeof choose === 'function' && choose({ direction: 0, unit: 0 })")
            frames(page)
        return page

    def wait_until_ready(self, page):
        """Until the page, or a frame of it, has said that it is drawn, or said what is wrong."""
        for _ in range(1000):
            page.wait_for_function("window.letFramesGo", polling=20)  # a frame has it a little later than its page
            frames(page)
            ready = page.evaluate("document.documentElement.dataset.ready")
            if ready == "1" or self.seen:
                break
        assert ready == "1", self.seen

    def close(self):
        for context in self.contexts:
            context.close()


@pytest.fixture
def visits(browser, tmp_path):
    """Pages that may fail."""
    made = Visits(browser, tmp_path)
    yield made
    made.close()


@pytest.fixture
def opened(visits):
    """opened(document, **context) -> the page when it is ready. No error, no message, no dialog, no request."""
    yield visits
    assert visits.seen == []
