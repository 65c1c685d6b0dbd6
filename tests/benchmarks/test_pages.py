"""The README and the speed page say what speed.json says, and nobody types such a number by hand."""

import itertools
import json
import re
from pathlib import Path

import pytest

from tests.benchmarks import pages
from tests.benchmarks.report import tables
from tests.benchmarks.settings import SETTINGS, THREADS
from tests.benchmarks.shapes import SHAPES

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "tutorials" / "guides" / "speed.md"
README = ROOT / "README.md"
RUN = json.loads(GUIDE.with_name("speed.json").read_text())
MEASURED = {GUIDE: tables(RUN), README: pages.paragraph(RUN)}


def says_what_was_measured(path, text):
    return pages.filled(text, MEASURED[path]) == text


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.name)
def test_a_page_says_what_speed_json_says(path):
    assert says_what_was_measured(path, path.read_text())


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.name)
def test_a_number_changed_by_hand_is_seen(path):
    text = path.read_text()
    ratios = [found for found in re.finditer(r"\d\.\d\d\b", text) if found.group() in MEASURED[path]]
    inside = next(found for found in ratios if found.start() > text.index(pages.START))
    assert not says_what_was_measured(path, text[: inside.start()] + "0.07" + text[inside.end() :])


def prose(path):
    """A page, or of the README the section on speed, without what was measured."""
    text = pages.filled(path.read_text(), "")
    return text if path == GUIDE else text.split("## How fast", 1)[1].split("\n## ", 1)[0]


def typed_by_hand(text):
    """Numbers that look like ratios of a run."""
    return re.findall(r"\d\.\d\d+|\d\.\d\s+(?:of|times)\b", text)


@pytest.mark.parametrize("path", MEASURED, ids=lambda path: path.name)
def test_no_ratio_is_typed_by_hand(path):
    assert typed_by_hand(prose(path)) == []


@pytest.mark.parametrize("planted", ["takes 0.89 of the time", "1.3 times as long", "1.2\ntimes its time"])
def test_a_ratio_typed_by_hand_is_seen(planted):
    assert typed_by_hand(f"{prose(README)} It {planted}.")


def test_the_numbers_are_of_a_whole_run():
    assert RUN["turns"] >= 3
    assert RUN["failed"] == {}
    assert {row["engine"] for row in RUN["qualifying"]} == set(SETTINGS)
    raced = {(row["threads"], row["shape"]) for row in RUN["race"] if row["contestant"] == "pytorch"}
    assert raced == {(threads, shape.name) for threads in THREADS for shape in SHAPES}


def test_speed_json_says_with_which_settings_a_peer_was_raced():
    for raced, best in RUN["best"].items():  # "pytorch", and "pytorch, GRU"
        assert best in [settings._asdict() for settings in SETTINGS[raced.partition(",")[0]]]


def test_the_page_has_every_setting():
    text = GUIDE.read_text()
    for settings in itertools.chain(*SETTINGS.values()):
        for name, value in {**settings.variables, **settings.for_threads}.items():
            assert f"{name}={value}" in text
