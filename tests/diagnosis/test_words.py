"""What is said of any mistake: short, in words that are not this package's, each thing once."""

import re
from pathlib import Path

import pytest

import npbilstm
from npbilstm.diagnosis.diagnosis import diagnose_pairs
from npbilstm.diagnosis.report_text import IN_PYTHON, WIDTH, headline, text_of
from npbilstm.mistakes import BUGS
from npbilstm.mistakes.exhibit import exhibits
from npbilstm.mistakes.planting import plant, textbook_functions
from npbilstm.submission.call_graph import reached
from npbilstm.submission.course_specs import ALL_SPECS
from tutorials.museum.exhibit import judge

PACKAGE = Path(npbilstm.__file__).parent
CLASSES = {
    name
    for path in PACKAGE.rglob("*.py")
    for name in re.findall(r"^ *class (\w+)", path.read_text(), re.MULTILINE)
    if re.search("[a-z][A-Z]|[A-Z][A-Z][a-z]", name)
} - set(npbilstm.__all__)
"""The names of classes that are no words."""


def faults(text, functions):
    """What is wrong with what is said of some functions."""
    first, *others = text.splitlines()
    found = [f"a class of ours, {name}" for name in CLASSES if re.search(rf"\b{name}\b", text)]
    if len(first) >= WIDTH:
        found.append("a long headline")
    if first.endswith("...") and max(map(len, functions)) < 40:
        found.append("a headline that is cut short")
    if any(len(re.findall(rf"(?<![\w-]){re.escape(name)}(?![\w.-])", first)) > 1 for name in functions):
        found.append("a function twice in the headline")
    if "--hint" in text:
        found.append("the command's hint in Python")
    said = [line for line in [first, *others] if "in place" in line or "-in-place" in line]
    if first in said and any("changes its" in line for line in said[1:]):
        found.append("a change in place told twice")
    return found


def specs_with(bug):
    """The subjects that show a mistake: those of its function, or else those that call it."""
    every = ALL_SPECS.values()
    own = [spec for spec in every if bug.function in (spec.forward, spec.backward)]
    functions = textbook_functions()
    return (
        own[:2]
        or [
            spec
            for spec in every
            if any(bug.function in reached(name, functions) for name in (spec.forward, spec.backward) if name)
        ][:2]
    )


@pytest.mark.few(10)
@pytest.mark.parametrize("bug", BUGS.values(), ids=lambda bug: bug.id)
def test_what_is_said_of_a_catalogued_mistake_is_short_and_plain_and_not_of_what_is_right(bug):
    planted = plant([bug])
    pairs = {spec.name: spec.in_textbook_form(planted) for spec in specs_with(bug)}
    found = list(diagnose_pairs(pairs))
    right = {name for one in found if one.ok for name in one.functions}
    for one in found:
        assert not faults(text_of(one, 3, IN_PYTHON), one.functions), text_of(one, 3, IN_PYTHON)
        assert len(headline(one)) < WIDTH
        assert not {each.function for bugs in one.named for each in bugs} & right
        assert not {place.rpartition(" in ")[2] for place in (*one.located, *one.perhaps)} & right


@pytest.mark.slow
@pytest.mark.parametrize("exhibit", [each for each in exhibits() if not each.pair], ids=lambda exhibit: exhibit.name)
def test_what_is_said_of_a_mistake_of_the_museum_is_short_and_plain(exhibit):
    for one in judge(exhibit).diagnoses:
        assert not faults(text_of(one, 3, IN_PYTHON), one.functions), text_of(one, 3, IN_PYTHON)


def test_a_fault_of_words_is_seen():
    long = "WRONG  f, f: " + 90 * "x" + "\n  f changes its dx in place; ask the FunctionSpec (--hint 2)"
    assert len(faults(long, ("f",))) == 4
    assert faults("WRONG  f: right, but it changes its x in place\n  f changes its x in place.", ("f",))
