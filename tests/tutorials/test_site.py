"""The site: equations typeset, docstrings read as they are meant, every page in it, no link that leads nowhere."""

import ast
import json
import re
import shutil
from pathlib import Path

import pytest

from tutorials.site import pages
from tutorials.site.__main__ import main
from tutorials.site.links import broken

ROOT = Path(__file__).parents[2]
SPHINX = ("sphinx", "myst_nb", "furo", "sphinx_copybutton")


def sphinx_runs(test):
    """A test in which Sphinx runs, whose extensions are not as careful with what is deprecated as we are."""
    return pytest.mark.slow(pytest.mark.filterwarnings("ignore")(test))


def mathematics():
    pytest.importorskip("docutils")
    pytest.importorskip("sphinx")
    from tutorials.site import mathematics

    return mathematics


@pytest.mark.parametrize(
    ("line", "latex"),
    [
        ("a = x Wx + h_prev Wh + b", r"a & = x\;W_{x} + h_{\mathrm{prev}}\;W_{h} + b"),
        ("c = f * c_prev + i * g", r"c & = f \odot  c_{\mathrm{prev}} + i \odot  g"),
        ("dc     += dh * o", r"\mathrm{d}c & {+}{=} \mathrm{d}h \odot  o"),
        ("dWx     = x^T da      over rows", r"\mathrm{d}W_{x} & = x^{\top}\;\mathrm{d}a & \quad & \text{over rows}"),
        ("p[n, t] = exp(a[n, t])", r"p_{n, t} & = \mathrm{exp}(a_{n, t})"),
        ("db = sum_n da_k", r"\mathrm{d}b & = \sum_{n}\;\mathrm{d}a_{k}"),
        ("db = sum over valid (n, t) of  da", r"\mathrm{d}b & = \sum_{\text{ valid }\;(n, t)}\;\mathrm{d}a"),
        ("s = u[y_t-1, y_t]", r"s & = u_{y_{t-1}, y_{t}}"),
        ("y = hard_sigmoid(a) + da_i", r"y & = \mathrm{hard\_sigmoid}(a) + \mathrm{d}a_{i}"),
        ("h^{l-1} = x", r"h^{l-1} & = x"),
        ("dx = both[:, :D]", r"\mathrm{d}x & = \mathrm{both}[:, :D]"),
        ("y = log_Z - log_alpha[t]   of a_b {c}", r"y & = \log Z - \log \alpha_{t} & \quad & \text{of a_b c}"),
    ],
)
def test_an_equation_of_a_docstring_is_typeset(line, latex):
    assert mathematics().row(line) == latex


@pytest.mark.parametrize("line", ["x (N, D)     what comes in", "y, cache = f('a\\b')", "────► y = x", ">>> y = f(x)"])
def test_what_is_no_equation_stays_as_it_is(line):
    assert mathematics().row(line) is None


def test_every_equation_of_the_textbook_can_be_drawn():
    site, count = mathematics(), 0
    for path in (ROOT / "npbilstm/textbook").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Module)):
                for line in (ast.get_docstring(node) or "").splitlines():
                    row = site.row(line.strip()) if line.startswith("    ") else None
                    if row:
                        count += 1
                        site.tex2mathml(f"\\begin{{aligned}}{row}\\end{{aligned}}", as_block=True)
    assert count > 250


def test_every_equation_of_the_tutorials_and_guides_can_be_drawn():
    site, count = mathematics(), 0
    texts = [path.read_text("utf-8") for path in ROOT.glob("tutorials/**/*.md")]
    for path in ROOT.glob("tutorials/*.ipynb"):
        cells = json.loads(path.read_text("utf-8"))["cells"]
        texts += ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]
    for text in texts:
        text = re.sub(r"(```).*?\1|`[^`]+`|^    .*?$", "", text, flags=re.DOTALL | re.MULTILINE)
        for block, line in re.findall(r"\$\$(.+?)\$\$|\$([^$\n]+)\$", text, re.DOTALL):
            count += 1
            site.drawn(block or line, bool(block))
    assert count > 200


def test_examples_equations_tables_and_text_of_a_docstring_are_told_apart():
    mathematics()
    from tutorials.site.docstrings import rewritten

    lines = ["Of `x` a*b.", "", "    a = b", "", "    c = d", "", "    x (N,)   what", "", ">>> f()", "    1"]
    assert rewritten(lines[:6]) == [
        "Of ``x`` a\\*b.",
        "",
        *[".. math::", "", "    \\begin{aligned}", "    a & = b \\\\", "    c & = d", "    \\end{aligned}"],
        "",
    ]
    assert rewritten(lines[6:7]) == [".. code-block:: text", "", "    x (N,)   what", ""]
    assert rewritten(lines[8:]) == [">>> f()", "    1", ""]


def test_options_of_a_docstring_are_items_and_columns_stay_as_they_are():
    mathematics()
    from tutorials.site.docstrings import rewritten

    options = ["size: H,", "    or R. **A bold** x^T, a *word*, a * b and h_{t-1}.", "rng: a seed."]
    assert rewritten(options) == [
        "- ``size``: H,",
        "  or R. **A bold** x\\ :sup:`T`\\ , a *word*, a \\* b and h\\ :sub:`t-1`\\ .",
        "- ``rng``: a seed.",
        "",
    ]
    columns = ["js/       the script", "          and more"]
    assert rewritten(columns) == [".. code-block:: text", "", *(f"    {line}" for line in columns), ""]
    assert rewritten(["With y:", "    y = f(x)", "and so on."]) == [
        *["With y:", ""],
        *[".. math::", "", "    \\begin{aligned}", "    y & = f(x)", "    \\end{aligned}", ""],
        *["and so on.", ""],
    ]


def test_a_remark_beside_an_equation_is_broken_where_the_page_ends_and_a_sum_goes_on_below():
    told = mathematics().equations(["dW = x^T da" + " " * 5 + "word " * 20, "y = a", "+ b"]).splitlines()
    assert told[1].startswith(r"\mathrm{d}W & = x^{\top}\;\mathrm{d}a & \quad & \text{word")
    assert told[2].startswith(r" & & \quad & \text{word")
    long = mathematics().equations(["h = one_function(of, some, words)", f"{'n' * 30} = q   who reads it, and asks"])
    assert len(long.splitlines()) > 4, "a column is as wide as the widest of its lines"
    assert told[-3:] == [r"y & = a \\", r" & \quad + b", r"\end{aligned}"]


def test_of_several_equations_in_a_line_each_has_its_own():
    told = mathematics().equations(["p = P(y)    = exp(a)", "F_n   = 1    F_q = 2      the last"]).splitlines()
    assert told[1:-1] == [r"p & = P(y) \\", r" & = \mathrm{exp}(a) \\", r"F_{n} & = 1 \\", told[4]]
    assert told[4] == r"F_{q} & = 2 & \quad & \text{the last}"


def test_a_figure_is_told_by_what_its_code_writes_into_it():
    mathematics()
    from tutorials.site.figures import told

    code = 'print("not this")\nax.set(title="The $c$", xlabel=f"not {this}", loc="upper left")\nax.plot(x, label="h")'
    assert told(code, "2. Cells") == "Figure in “2. Cells”: The c; h"
    assert told("plot_map(trace, 'c')", "2. Cells") == "Figure in “2. Cells”"


def test_every_tutorial_and_guide_is_in_the_list_of_pages():
    listed = {name for names in pages.GUIDES.values() for name in names}
    assert listed == {path.stem for path in ROOT.glob("tutorials/guides/*.md")}
    assert set(pages.TUTORIALS) == {path.stem for path in ROOT.glob("tutorials/*.ipynb")}


def test_a_link_to_a_module_or_a_room_leads_to_its_page_and_one_to_a_program_to_its_lines(tmp_path):
    pages.gather(tmp_path / "source")
    readme = (tmp_path / "source/index.md").read_text("utf-8")
    assert "](api/npbilstm.textbook.lstm.md)" in readme
    assert "](api/npbilstm.textbook.md)" in readme
    museum = (tmp_path / "source/tutorials/guides/museum.md").read_text("utf-8")
    name = next((ROOT / "npbilstm/mistakes/exhibits").glob("*.py")).name
    assert f"](../../npbilstm/mistakes/exhibits/{name}.md)" in museum
    assert (tmp_path / f"source/npbilstm/mistakes/exhibits/{name}.md").is_file()


def test_links_that_lead_nowhere_and_what_is_fetched_from_elsewhere_are_found(tmp_path):
    one = '<a href="b.html#here"></a><a id="there" href="#there"></a><a href="https://x.org">'
    other = '<p id="here"><img src="https://x.org/a.png"><a href="c.html"></a><a href="a.html#no">'
    (tmp_path / "a.html").write_text(one)
    (tmp_path / "b.html").write_text(other)
    assert broken(tmp_path) == [
        "b.html fetches https://x.org/a.png, and it should fetch nothing",
        "b.html links to c.html, which is not there",
        "b.html links to a.html#no: the page is there, the place on it is not",
    ]


def test_a_folder_that_is_no_site_is_not_written_over(tmp_path, capsys):
    mathematics()
    pytest.importorskip("furo")
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["--out", str(tmp_path)]) == 2
    assert "is there and no site" in capsys.readouterr().err
    assert (tmp_path / "mine.txt").read_text() == "mine"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site, built into a folder where an older one was."""
    for name in SPHINX:
        pytest.importorskip(name)
    out = tmp_path_factory.mktemp("site") / "site"
    out.mkdir()
    (out / "searchindex.js").write_text("")
    (out / "old.html").write_text("")
    assert main(["--out", str(out)]) == 0
    return out


@sphinx_runs
def test_the_site_is_built_whole_and_an_older_one_replaced(site):
    assert not (site / "old.html").exists()
    assert broken(site) == []
    page = (site / "api/npbilstm.textbook.lstm.html").read_text("utf-8")
    assert '<math xmlns="http://www.w3.org/1998/Math/MathML" display="block">' in page
    assert list(site.parent.iterdir()) == [site]


@sphinx_runs
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1360, 390])
def test_pages_fit_a_screen_say_nothing_and_fetch_nothing(site, scheme, width):
    sync = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("chromium is not installed")
    seen = []
    with sync.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme).new_page()
        page.set_default_timeout(60_000)
        page.on("console", lambda message: seen.append(message.text))
        page.on("pageerror", lambda error: seen.append(str(error)))
        page.on("request", lambda request: request.url.startswith(("file:", "data:")) or seen.append(request.url))
        for name in ("index", "api/npbilstm.textbook.lstm", "tutorials/one_cell", "tutorials/guides/museum"):
            page.goto((site / f"{name}.html").as_uri())
            assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        page.goto((site / "search.html").as_uri() + "?q=peepholes")
        page.locator("#search-results li a", has_text="lstm_variants").first.wait_for()
        browser.close()
    assert seen == []


@sphinx_runs
def test_a_page_with_a_link_to_nowhere_ends_the_build_and_keeps_the_site_that_was(tmp_path, monkeypatch, capfd):
    for name in SPHINX:
        pytest.importorskip(name)

    def gather(source):
        shutil.copytree(ROOT / "tutorials/guides", source / "guides", ignore=lambda *_: [])
        (source / "index.md").write_text("# Start\n\n[nowhere](guides/no_such_page.md)\n")

    monkeypatch.setattr("tutorials.site.__main__.gather", gather)
    out = tmp_path / "site"
    assert main(["--out", str(out)]) == 1
    assert "no_such_page" in capfd.readouterr().err
    assert not out.exists()
