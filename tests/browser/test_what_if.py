"""What if, on the page: a changed run computed in JavaScript is the engine's; it can be asked for by whoever comes."""

import functools
import re

import numpy as np
import pytest

import npbilstm as nb
from npbilstm.inspector import trace
from npbilstm.inspector.flow import forgetting
from npbilstm.inspector.page import page_html
from tests.browser import pages
from tests.browser.reader import chosen, frames, press


@functools.cache
def subject(k):
    """Traces of many kinds, as pages can compute them again, of float64 and float32: two layers of 64 units among them,
    lengths that differ, and every cell there is."""
    many = [
        lambda: pages.tagger(),
        lambda: pages.layer_trace(peepholes=True, num_layers=2, merge="sum", state=True),
        lambda: pages.classifier(),
        lambda: pages.layer_trace(kind="LSTM", projection_size=3, reverse=True),
        lambda: pages.head("crf"),
        lambda: model(nb.SequenceClassifier, pooling="max"),
        lambda: model(nb.SequenceClassifier, pooling="mean", cell="rnn"),
        lambda: model(nb.SequenceTagger, cell="gru", bidirectional=False),
        lambda: model(nb.SequenceTagger, hidden_size=64, num_layers=2, embedding_size=8),
        lambda: pages.layer_trace(kind="GRU", bidirectional=True, reset_after=False, merge="mul", num_layers=2),
        lambda: pages.layer_trace(kind="LSTM", bidirectional=True, coupled=True, projection_size=2, num_layers=2),
        lambda: model(nb.SequenceTagger, hidden_size=64, num_layers=2, dtype=np.float32, scale=2, steps=60),
        lambda: model(nb.SequenceClassifier, cell="gru", num_layers=2, dtype=np.float32),
        lambda: model(nb.SequenceTagger, cell="rnn", num_layers=2, dtype=np.float32),
    ]
    return many[k % len(many)]()


def model(make, scale=None, steps=20, **options):
    made = make(7, 4, rng=0, **{"dtype": np.float64, "hidden_size": 5, "embedding_size": 3, **options})
    if scale is None and options.get("hidden_size") is None:
        pages.with_large_weights(made.recurrent)
    for p in made.recurrent.params.values():
        p *= scale or 1
    pages.with_large_weights(made.linear)
    return trace(made, np.arange(steps) % 7)


def ask(page, name, to, first, last):
    page.get_by_label("what is set").select_option(name)
    kind = {"0": "zero", "mean": "mean"}.get(str(to), "number")
    page.get_by_label("what it is set to").select_option(kind)
    if kind == "number":
        page.locator("#what-if-number").fill(repr(to))
    page.get_by_role("spinbutton", name="from step").fill(str(first))
    page.get_by_role("spinbutton", name="to step").fill(str(last))
    page.get_by_role("spinbutton", name="to step").press("Enter")
    frames(page)


def said(page):
    return page.locator("#what-if-words").inner_text()


NUMBERS = "([name, layer, direction]) => [...whatIf.numbers(name, layer, direction)]"


@pytest.mark.parametrize("k", range(28))
def test_a_changed_run_is_the_engines(opened, k):
    one, rng = subject(k), np.random.default_rng(k)
    row = k % len(one.lengths)
    T, L = int(one.lengths[row]), one.layer.num_layers
    page = opened(page_html(one, row))
    name = str(rng.choice([name for name in "ifgoczrnh" if name in one.names]))
    layer, side = int(rng.integers(L)), int(rng.integers(len(one.directions)))
    unit = int(rng.integers(one[name].shape[-1]))
    to = [0, "mean", float(rng.normal())][k % 3]
    first, last = sorted(rng.integers(0, T, 2).tolist())
    page.evaluate("(cell) => choose(cell)", {"layer": layer, "direction": side, "unit": unit})
    ask(page, name, to, first, last)
    changed = one.intervene(
        name, to, unit=unit, layer=layer, direction=one.directions[side], steps=range(first, last + 1), row=row
    )
    for shown in (name for name in "ifgoczrnh" if name in one.names):
        for at in np.ndindex(L, len(one.directions)):
            found = np.array(page.evaluate(NUMBERS, [shown, *map(int, at)])).reshape(T, -1)
            np.testing.assert_allclose(found, changed[shown][at][row, :T], rtol=0, atol=1e-6)
    scores = page.evaluate("() => whatIf.scores && whatIf.scores.map((row) => [...row])")
    if one.model is None or "crf" in repr(one.model):
        assert scores is None
    else:
        rtol = 0 if one.output.dtype == np.float64 else 1e-6  # kept in float32
        np.testing.assert_allclose(np.squeeze(scores), np.squeeze(changed.output[row]), rtol=rtol, atol=1e-6)


def test_the_labels_that_change_are_told_and_outlined(opened):
    one = pages.tagger()
    page = opened(page_html(one))
    unit = max(range(6), key=lambda u: (labels(one, u) != labels(one)).sum())
    page.evaluate("(unit) => choose({ layer: 1, unit })", unit)
    ask(page, "h", 0, 0, 4)
    different = np.flatnonzero(labels(one, unit) != labels(one))
    assert len(different)
    assert f"{len(different)} of 5 labels change" in said(page)
    for step in different:
        words = f"{pages.CLASSES[labels(one)[step]]} → {pages.CLASSES[labels(one, unit)[step]]}"
        assert f"step {step} “{pages.WORDS[step]}” {words}" in said(page)
    outlined = page.evaluate(
        "[...document.querySelectorAll('#what-if-strips .tokens')[1].children].map((t) => t.matches('.changed'))"
    )
    assert np.flatnonzero(outlined).tolist() == different.tolist()


def test_the_first_label_that_changes_comes_into_view(opened):
    one = model(nb.SequenceTagger, steps=120, bidirectional=False)
    page = opened(page_html(one))
    unit = next(u for u in range(5) if (one.intervene("h", -3, unit=u, steps=[100]).predicted != one.predicted).any())
    page.evaluate("(unit) => choose({ unit })", unit)
    ask(page, "h", -3.0, 100, 100)
    page.wait_for_function(
        """() => {
          const box = (part) => document.querySelector(part).getBoundingClientRect();
          const [token, frame] = [box("#what-if .changed"), box("#what-if .scroller")];
          return frame.left < token.left && token.right < frame.right;
        }"""
    )


def labels(one, unit=None):
    """Of the run, or of that in which a unit of layer 1 is off."""
    return (one if unit is None else one.intervene("h", unit=unit, layer=1)).predicted[0]


def test_a_classifiers_label_is_told_with_how_likely_it_was(opened):
    one = pages.classifier()
    page = opened(page_html(one))
    ask(page, "h", -1.5, 5, 5)
    changed = one.intervene("h", -1.5, unit=0, steps=5)
    k = int(one.predicted[0])
    before, after = (np.exp(t.output[0]) / np.exp(t.output[0]).sum() for t in (one, changed))
    assert f"goes from {before[k]:#.4g} to {after[k]:#.4g}" in said(page)


def test_the_run_as_it_was_is_drawn_dashed_beside_the_changed_one(opened):
    page = opened(page_html(pages.tagger()))
    ask(page, "f", 0, 1, 3)
    assert page.locator("#what-if-charts figcaption b").all_text_contents() == ["f", "c", "h", "probability"]
    for figure in page.locator("#what-if-charts figure").all():
        curves = [path.get_attribute("d") for path in figure.locator("path").all()]
        assert len(set(curves)) == 2
        assert figure.locator("path.dashed").count() == 1
        assert figure.locator("path.dashed").evaluate("(path) => getComputedStyle(path).stroke") != "none"
        assert "largest change" in figure.locator("svg").get_attribute("aria-label")


def test_w_goes_to_the_fields_whose_keys_are_their_own_and_escape_takes_it_back(opened):
    page = opened(page_html(pages.tagger()))
    press(page, "w")
    assert page.evaluate("document.activeElement.id") == "what-if-name"
    before = chosen(page)
    page.keyboard.press("ArrowUp")
    page.get_by_role("spinbutton", name="from step").focus()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    frames(page)
    assert chosen(page) == before
    assert "at steps 1 to 4" in said(page)
    assert page.locator("#what-if-words").get_attribute("role") == "status"
    page.keyboard.press("Escape")
    assert said(page) == ""
    assert not page.locator("#what-if-shown").is_visible()


@pytest.mark.parametrize(
    ("first", "last", "to", "words"),
    [
        (3, 1, 0, "The steps need to be two of 0 to 4"),
        ("", 4, 0, "The steps need to be two of 0 to 4"),
        (0, 5, 0, "The steps need to be two of 0 to 4"),
        (0, 4, "", "needs to be a number"),
    ],
)
def test_fields_that_say_nothing_get_a_sentence(opened, first, last, to, words):
    page = opened(page_html(pages.tagger()))
    ask(page, "h", 1.0 if to == "" else to, 0, 4)
    if to == "":
        page.locator("#what-if-number").fill("")
    page.get_by_role("spinbutton", name="from step").fill(str(first))
    page.get_by_role("spinbutton", name="to step").fill(str(last))
    page.get_by_role("spinbutton", name="to step").press("Enter")
    assert words in said(page)


@pytest.mark.parametrize("make", [nb.SequenceTagger, nb.SequenceClassifier])
def test_a_model_that_diverged_can_be_asked_too(opened, make):
    made = make(5, 3, hidden_size=3, rng=0)
    made.linear.params["W"][0, 1] = np.nan
    made.recurrent.params["0.reverse.b"][4] = np.inf
    page = opened(page_html(trace(made, np.arange(4))))
    ask(page, "h", 0.5, 1, 2)
    assert "h of unit 0" in said(page)
    assert page.locator("#what-if-charts figure").count() >= 2
    assert not page.locator("#matters").is_visible()


def changed_run():
    one = pages.tagger()
    return one.intervene("f", 0.25, unit=2, layer=1, steps=[1, 3]).intervene("h", -0.5, unit=1, steps=2)


def test_a_changed_run_has_a_page_of_its_own_that_says_what_is_set(opened):
    one = changed_run()
    page = opened(page_html(one))
    note = "Note: a changed run, in which trace.intervene has set numbers: 2 of f, 1 of h."
    assert page.locator("#notes").inner_text() == note
    for name, layer, step, unit in (("f", 1, 3, 2), ("h", 0, 2, 1)):
        page.evaluate("(cell) => { setLayer(cell.layer); choose(cell); }", {"layer": layer, "step": step, "unit": unit})
        frames(page)
        block = page.locator(f"#equations [data-name={name}]").inner_text()
        assert "set, whatever the equation says" in block
        back = page.locator(f"#equations [data-name=d{name}]").inner_text()
        assert "nothing passes back through what is set" in back
    names = [name for name in one.names if name in ("f", "c", "h", "df", "dc", "dh")]
    for name in names:
        for at in np.ndindex(2, 2):
            shown = page.evaluate("([name, ...at]) => [...field(name, ...at)]", [name, *map(int, at)])
            np.testing.assert_allclose(np.reshape(shown, (5, -1)), one[name][at][0], rtol=0, atol=1e-12)


@pytest.mark.parametrize(("kind", "state"), [("LSTM", "c"), ("GRU", "h")])
def test_in_a_state_that_is_set_nothing_is_left_of_what_was_there_before(opened, kind, state):
    made = getattr(nb, kind)(3, 4, bidirectional=True, dtype=np.float64, rng=0)
    one = trace(made, np.random.default_rng(0).standard_normal((1, 6, 3)))
    one = one.intervene(state, 0.5, unit=1, steps=2).intervene(state, -1, unit=[0, 3], direction="reverse", steps=3)
    page = opened(page_html(one))
    for side in (0, 1):
        drawn = page.evaluate(f"keptProduct({{ layer: 0, direction: {side}, step: 3, unit: 0 }})")
        expected = forgetting(one, 3)[0, side].mean(axis=-1)  # 0 at the steps after, of which the page draws nothing
        np.testing.assert_allclose(np.nan_to_num(np.array(drawn, float)), expected, rtol=0, atol=1e-12)


def test_of_float32_too_a_changed_run_has_a_page(opened):
    made = nb.SequenceTagger(7, 4, hidden_size=5, rng=0)
    one = trace(made, np.arange(6), target=np.arange(6) % 4).intervene("h", 0.25, unit=2, steps=[1, 3])
    page = opened(page_html(one))
    assert f"loss {one.loss:#.4g}" in page.locator("#facts").inner_text()
    shown = page.evaluate("[...field('dh', 0, 0)]")
    np.testing.assert_allclose(np.reshape(shown, (6, -1)), one["dh"][0, 0, 0], rtol=0, atol=1e-7)


def test_a_changed_run_can_be_changed_again_on_its_page(opened):
    one = changed_run()
    page = opened(page_html(one))
    page.evaluate("choose({ unit: 4 })")
    ask(page, "i", 0, 0, 4)
    again = one.intervene("i", unit=4, direction="reverse" if chosen(page)[1] == "reverse" else "forward")
    for name in ("f", "c", "h"):
        for at in np.ndindex(2, 2):
            found = np.reshape(page.evaluate(NUMBERS, [name, *map(int, at)]), (5, -1))
            np.testing.assert_allclose(found, again[name][at][0], rtol=0, atol=1e-6)


@pytest.mark.parametrize("make", [pages.tagger, pages.classifier])
def test_a_sentence_names_the_unit_that_matters_most_and_it_can_be_tried(opened, make):
    one = make()
    page = opened(page_html(one))
    for step in (1, 3):
        page.evaluate("(step) => choose({ step })", step)
        frames(page)
        most = one.matters_most(step if one.output_is_by_step else None)
        assert page.locator("#matters-words").inner_text() == str(most)
    page.get_by_role("button", name="try it").focus()
    page.keyboard.press("Enter")
    frames(page)
    assert chosen(page) == (most.layer, most.direction, 3, most.unit)
    likely = page.evaluate("(row) => probabilities(whatIf.scores[row])", 3 if one.output_is_by_step else 0)
    assert likely[one.class_names.index(most.label)] == pytest.approx(most.after, abs=1e-6)


def test_where_there_are_no_labels_no_unit_matters(opened):
    page = opened(page_html(pages.layer_trace()))
    assert not page.locator("#matters").is_visible()


def test_a_larger_model_says_to_use_python(opened):
    page = opened(page_html(trace(nb.LSTM(2, 65, rng=0), np.ones((1, 3, 2), np.float32))))
    cannot = page.locator("#what-if-cannot").inner_text()
    assert cannot.startswith("This page does not compute it: 1 x 65 units are more than the 2 x 64")
    assert 'trace.intervene("i", 0' in cannot
    assert not page.get_by_role("spinbutton", name="from step").is_visible()
    assert "what if" not in page.locator(".keys").inner_text()


def test_of_a_seq2seq_it_says_why_not(opened):
    page = opened(page_html(pages.attention()))
    cannot = page.locator("#what-if-cannot").inner_text()
    assert cannot.startswith("This page does not compute it: of an encoder and a decoder")
    assert 'trace.intervene("i", 0' in cannot


def test_of_a_crf_the_curves_are_shown_and_that_labels_are_not_is_said(opened):
    page = opened(page_html(pages.head("crf")))
    ask(page, "h", 0, 1, 3)
    assert "What labels follow from it, trace.intervene tells in Python." in said(page)
    assert page.locator("#what-if-charts figcaption b").all_text_contents() == ["h", "c"]
    assert not page.locator("#what-if-strips").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_narrow_window_and_its_words_can_be_read(opened, scheme):
    page = opened(page_html(pages.tagger()), 360, 740, color_scheme=scheme)
    ask(page, "f", 0, 1, 3)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    ink = page.evaluate("getComputedStyle(document.querySelector('#what-if-words')).color")
    assert re.findall(r"\d+", ink) == (["31"] * 3 if scheme == "light" else ["230"] * 3)
