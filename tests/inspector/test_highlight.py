import html
import re
import unicodedata
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from npbilstm.inspector import html_legend, html_page, html_text, printable, terminal_legend, terminal_text


class Text(HTMLParser):
    """The text of a page, and its tags."""

    def __init__(self, page):
        super().__init__()
        self.text, self.tags = "", []
        self.feed(page)
        self.close()

    def handle_data(self, data):
        self.text += data

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


@st.composite
def tagged(draw):
    text = st.text(alphabet=st.characters(exclude_categories=["Cs"]), min_size=1, max_size=3)
    symbols = draw(st.lists(text, max_size=20))
    labels = draw(st.lists(st.integers(0, 20), min_size=len(symbols), max_size=len(symbols)))
    return symbols, labels, [label % 3 == 0 for label in labels]


def shown(symbols):
    """The text, with what would steer a display replaced."""
    marks = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if (unicodedata.category(c) == "Cc" and c not in "\n\t") or c in marks else c
        for c in "".join(symbols)
    )


@given(tagged())
def test_a_page_shows_exactly_the_text_whatever_it_holds(case):
    page = Text(f"<pre>{html_text(*case)}</pre>")
    assert page.text == shown(case[0])
    assert {tag for tag, _ in page.tags} <= {"pre", "span", "u"}


@given(tagged())
def test_a_terminal_shows_exactly_the_text_and_no_code_of_its_own(case):
    coloured = terminal_text(*case)
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(case[0])
    assert terminal_text(*case, colour=False) == shown(case[0])
    for line in coloured.split("\n"):
        assert line.count("\x1b[") % 2 == 0  # every colour ends on its line


def test_a_hostile_token_stays_text():
    hostile = "</span></pre><script>alert(1)</script>"
    page = html_page(hostile, f"<pre>{html_text([hostile], [0])}</pre>{html_legend([hostile])}")
    assert "<script" not in page
    assert page.count(html.escape(hostile)) == 3
    assert "\x1b[31m" not in terminal_text(["\x1b[31mred"], [0])
    assert "\x1b" not in printable("\x1b]0;title\x07")
    assert printable("a\u00a0b\u3000c\u200dd") == "a\u00a0b\u3000c\u200dd"
    assert "\x1b[31m" not in terminal_legend(["\x1b[31mred"]) + terminal_legend(["\x1b[31mred"], colour=False)


def test_mistakes_are_underlined():
    assert html_text(["a", "b"], [1, 1], [False, True]) == '<span class="k1">a</span><u><span class="k1">b</span></u>'
    assert "\x1b[4;" in terminal_text(["a"], [1], [True])
    assert "\x1b[4;" not in terminal_text(["a"], [1], [False])


def test_a_page_fetches_nothing_and_knows_dark_and_light():
    page = html_page("title", "<p>body</p>")
    assert "default-src 'none'" in page
    assert not re.search(r"(src|href)\s*=|url\(|@import", page)
    assert "prefers-color-scheme: dark" in page


def test_the_legend_names_every_class():
    classes = ["one", "two", "three"]
    assert all(name in terminal_legend(classes) and name in html_legend(classes) for name in classes)
    assert terminal_legend(classes, colour=False) == "one  two  three"
