"""The class's page tells what the results say, and each student's what is for that student; no words break either."""

import re
from html.parser import HTMLParser

import pytest

from npbilstm.classroom.class_page import page_of, write_pages
from npbilstm.classroom.exercises import ALL
from npbilstm.classroom.student_page import student_page
from npbilstm.cli import main
from npbilstm.mistakes import BUGS
from tests.classroom.class_records import BREAKING, MISTAKES, NAMES, records
from tests.classroom.test_grading import FLIP, hand_in, needs_linux


class Page(HTMLParser):
    """The tags of a page, the rows of its tables as texts, and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.links, self.inside = set(), [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.links += [value for key, value in attrs if key in ("href", "src")]
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data

    def row(self, first):
        """The cells of the row whose first begins so."""
        (found,) = [row for row in self.rows if row[0].startswith(first)]
        return found


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    folder = tmp_path_factory.mktemp("results")
    write_pages(folder, records())
    return folder


def test_each_exercise_stands_as_the_results_say(results):
    page = Page((results / "class.html").read_text())
    assert page.row(ALL[6].name)[2] == "2 right, 3 wrong"
    assert page.row(ALL[7].name)[2] == "2 right, 3 counted before"
    assert page.row("flip")[2:] == ["4 right, 1 wrong", "4 of 5"]
    assert page.row("gru")[2] == "4 right, 1 not yet written"


def test_a_concept_is_counted_once_in_each_submission(results):
    page = Page((results / "class.html").read_text())
    assert page.row(BUGS[MISTAKES[0]].concept)[1:] == ["2", f"{MISTAKES[0]} 2"]
    assert page.row(BUGS[MISTAKES[2]].concept)[1:] == ["1", f"{MISTAKES[2]} 1"]
    assert page.row("Wrong by no known mistake")[1:] == ["1", "flip 1"]


def test_the_distribution_has_every_submission(results):
    rows = Page((results / "class.html").read_text()).rows
    bins = [row for row in rows if re.fullmatch(r"\d+ to (below )?\d+", row[0])]
    assert sum(int(row[1]) for row in bins) == len(NAMES)
    most = sum(exercise.points for exercise in ALL)
    assert bins[-1][0].endswith(f" {most}")
    assert [row[1] for row in bins[-2:]] == ["0", "4"]


def test_who_is_alike_is_named_with_the_functions_and_nobody_else(results):
    page = Page((results / "class.html").read_text())
    assert page.row("ann and bob")[2].startswith("lstm_step_forward 100%: lstm_step_forward")
    assert sum(" and " in row[0] and len(row) == 3 and "%" in row[2] for row in page.rows) == 1
    assert "no verdict" in (results / "class.html").read_text()


def test_no_name_and_no_words_break_a_page_and_nothing_is_fetched(results):
    pages = [results / "class.html", *(results / "students").iterdir()]
    assert len(pages) == 1 + len(NAMES)
    for path in pages:
        text = path.read_text()
        page = Page(text)
        assert not page.tags & {"script", "img", "iframe", "link", "object"}
        assert "\x1b" not in text
        assert "\u202e" not in text
        assert not re.search(r"https?:|url\(|@import", text)
        assert all(re.fullmatch(r"students/[\w.%-]+\.html", link) for link in page.links)


def test_every_student_has_a_page_that_the_class_page_leads_to(results):
    links = Page((results / "class.html").read_text()).links
    for record in records():
        place = page_of(results, record["submission"])
        assert f"students/{place.name}" in links
        assert place.read_text() == student_page(record)


def test_a_students_page_has_the_points_and_the_words_and_nobody_elses():
    made = {record["submission"]: record for record in records()}
    page = student_page(made[BREAKING])
    assert "onerror=alert(&#x27;feedback&#x27;)" in page
    assert "ex01_&lt;i&gt;x&lt;/i&gt;.py is a link" in page
    assert ", attempt 3." in page
    assert MISTAKES[2] not in page  # what feedback does not tell
    assert "ann" not in re.sub(r"<style>.*?</style>", "", page, flags=re.DOTALL).replace("cannot", "")


@needs_linux
@pytest.mark.slow
def test_the_command_writes_the_pages_and_no_solution_is_on_a_students(tmp_path, capsys):
    bug = FLIP.mistakes[0]
    hand_in(tmp_path / "in", "ann")
    hand_in(tmp_path / "in", "bob", bug)
    out = tmp_path / "out"
    asked = [
        "grade",
        str(tmp_path / "in"),
        "--out",
        str(out),
        "--only",
        "flip",
        "--hint-by-attempt",
        "3",
        "--jobs",
        "1",
    ]
    assert main(asked) == 0
    assert str(out / "class.html") in capsys.readouterr().out
    page = (out / "students" / "bob.html").read_text()
    assert bug.id in page
    assert bug.old not in page
    assert "Right is" not in page
    assert "0 of 5" in page
    assert "5 of 5" in (out / "students" / "ann.html").read_text()
