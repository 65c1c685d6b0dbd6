"""The sparkline of one unit: the bars are the trace's numbers, in columns that stand under one another."""

import re
import unicodedata
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.inspector import sparkline as module
from npbilstm.inspector.sparkline import sparkline
from tests.planting import planted

BARS = " ▁▂▃▄▅▆▇"
CODE = re.compile(r"\x1b\[[0-9;]*m")
TOKENS = ["the", "cat", "\u0301", "日本", "👩‍👩‍👧", "", "a b\n", "\x1b[31mred", "\u202e", "x" * 90, "名", "\u200d"]
CLASSES = ["other", "operator", "a\nb"]


def columns(text):
    """How wide a terminal draws a text."""
    marks = sum(unicodedata.combining(c) > 0 for c in text)
    return len(text) - marks + sum(unicodedata.east_asian_width(c) in "WF" for c in text)


def tagged(tokens, cell="lstm", classes=CLASSES, **options):
    """The trace of a fresh model on these tokens, with true classes."""
    T = len(tokens)
    model = nb.SequenceTagger(30, 3, cell=cell, embedding_size=4, hidden_size=5, rng=1, **options)
    return nb.trace(model, np.arange(T)[None] % 30, tokens=[list(tokens)], target=[np.arange(T) % 3], classes=classes)


def parts(text):
    """{(direction, name): the content of its lines, blocks joined}, of a sparkline of characters."""
    found, direction, name = {}, "forward", ""
    margin = next(line.index("0") for line in text.split("\n") if line.startswith("  step"))
    for line in text.split("\n"):
        if not line.startswith("  "):
            direction = line.split(",")[0]
        else:
            label = line[:margin].strip()
            name = name[0] + "-" if label == "-" else label.replace(" ", "")
            found[direction, name] = found.get((direction, name), "") + line[margin:].ljust(40)
    return found


def bar(value):
    return BARS[round(float(np.clip(value, 0, 1)) * 7)]


def require_the_numbers_of(trace, text, unit, layer, row, T):
    found = parts(text)
    for s, direction in enumerate(trace.directions):
        for name in "ifogch":
            values = trace[name][layer, s, row, :T, unit]
            scale = np.abs(trace["c"][layer, :, row, :T, unit]).max() if name == "c" else 1
            signs = {name: 1} if name in "ifo" else {f"{name}+": 1, f"{name}-": -1}
            for label, sign in signs.items():
                assert found[direction, label][:T] == "".join(bar(sign * v / scale) for v in values), (direction, label)


@pytest.fixture(scope="module")
def stacked():
    """Two layers, two rows, the first padded, with gradients; T = 40."""
    model = nb.SequenceTagger(9, 3, hidden_size=5, embedding_size=4, num_layers=2, dtype=np.float64, rng=3)
    model.params["lstm.1.reverse.b"][:] += np.linspace(-3, 3, 20)
    x = np.random.default_rng(0).integers(0, 9, (2, 40))
    return nb.trace(model, x, [33, 40], target=x % 3, tokens=["abcdefgh" * 5] * 2)


@pytest.mark.parametrize(("layer", "row", "T"), [(0, 0, 33), (1, 0, 33), (1, 1, 40), (-1, -1, 40)])
def test_every_bar_is_the_traces_number_at_its_token(stacked, layer, row, T):
    require_the_numbers_of(stacked, sparkline(stacked, 2, layer, row, width=100), 2, layer, row, T)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("trace[d + name][layer, :, row", "trace[d + name][layer, ::-1, row"),
        ("trace[d + name][layer, :, row", "trace[d + name][0, :, row"),
        (": trace.lengths[row], unit]", ": trace.lengths[row], layer]"),
        ("-height, DOWN", "height, DOWN"),
        ('if gradients or name == "c" else', "if gradients else"),
        ("round(min(max(float(h), 0.0), 1.0) * 7)", "int(min(max(float(h), 0.0), 1.0) * 7)"),
        ("drawn[directions.index(direction)]", "drawn[0]"),
    ],
)
def test_a_planted_bug_shows(stacked, old, new):
    text = planted(module, old, new).sparkline(stacked, 2, 1, 0, width=100)
    with pytest.raises((AssertionError, KeyError)):
        require_the_numbers_of(stacked, text, 2, 1, 0, 33)


@given(st.lists(st.sampled_from([*"ab( \n\t", *TOKENS]), min_size=1, max_size=30), st.integers(1, 120), st.booleans())
@settings(max_examples=40, deadline=None)
def test_columns_stand_under_one_another_whatever_the_tokens_hold(tokens, width, colour):
    trace = tagged(tokens)
    lines = CODE.sub("", sparkline(trace, 1, width=width, colour=colour)).split("\n")
    steps = [n for n, line in enumerate(lines) if line.startswith("  step")]
    assert steps
    for n in steps:
        # a line of what is true stands between only where something is wrong
        true = lines[n - 1].startswith("  true")
        shown, output_gates = lines[n - 2 - true], lines[n - 9 - true]
        for number in re.finditer(r"\d+", lines[n]):
            t, column = int(number[0]), number.start()
            expected = module.cut_to_width(module.visible(tokens[t]), 20)
            assert from_column(shown, column).startswith(expected)
            full = bar(trace["o"][0, 0, 0, t, 1]) * columns(expected)
            assert output_gates[column:].startswith(full)
            assert len(output_gates) <= max(map(columns, lines[n - 2 - true : n]))


def from_column(text, column):
    """What stands in a line from a display column on."""
    return next(
        text[k:] for k in range(len(text)) if columns(text[:k]) == column and not unicodedata.combining(text[k])
    )


@given(st.text(max_size=30).filter(bool))
@settings(max_examples=60, deadline=None)
def test_what_is_visible_has_a_width_and_steers_nothing(token):
    shown = module.visible(token)
    assert module.display_width(shown) > 0
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp", "Zs") for c in shown)


def test_a_words_bars_are_as_wide_as_its_column_and_a_space_lies_between():
    words = ["the", "日本", "a", "runs"] * 3
    layer = nb.LSTM(2, 3, rng=0)
    trace = nb.trace(layer, np.random.default_rng(0).standard_normal((12, 2), np.float32), tokens=words)
    shown = sparkline(trace, 1, width=60).split("\n")
    gates = next(line for line in shown if line.startswith("  o"))
    expected = " ".join(bar(value) * columns(word) for value, word in zip(trace["o"][0, 0, 0, :, 1], words))
    assert gates[7:] == expected
    assert f"{' ' * 7}{' '.join(words)}" in shown
    # the numbers of all steps would run into each other
    assert re.findall(r"\d+", next(line for line in shown if line.startswith("  step"))) == ["0", "10"]


def test_a_bar_is_full_at_the_largest_size_where_that_is_above_1():
    layer = nb.RNN(1, 1, nonlinearity="relu", rng=0)
    for name, value in {"Wx": 1, "Wh": 0, "b": 0}.items():
        layer.params[f"0.forward.{name}"][...] = value
    text = sparkline(nb.trace(layer, np.array([[1], [2], [4]], np.float32), tokens="abc"), 0, width=80)
    assert "A full bar ▇ is 4 for h;" in text
    assert parts(text)["forward", "h+"].rstrip() == bar(0.25) + bar(0.5) + bar(1)


def test_no_line_is_wider_than_the_terminal():
    code = "def f(x):\n    return g(x) + 日本語 # and on\n" * 4
    for width, text in [(40, code), (80, code), (40, code.split()), (80, code.split())]:
        for gradients in (False, True):
            shown = sparkline(tagged(text), 0, width=width, gradients=gradients)
            assert max(columns(line) for line in shown.split("\n")) <= width


def test_no_step_is_lost_where_lines_are_broken():
    text = "abcdefghij" * 9 + "k"
    shown = sparkline(tagged(text), 0, width=40)
    assert "".join(re.findall(r"^ {7}([a-k]+)$", shown, re.MULTILINE)) == text
    assert re.findall(r"\d+", " ".join(line for line in shown.split("\n") if "  step" in line)) == [
        str(t) for t in range(0, 91, 10)
    ]


def test_forward_stands_above_the_tokens_and_reverse_below():
    text = sparkline(tagged("abc"), 0, width=80)
    assert text.index("forward, reads →") < text.index("abc") < text.index("reverse, ← reads")
    assert "reverse" not in sparkline(tagged("abc", bidirectional=False), 0, width=80)


@pytest.mark.parametrize(("cell", "names"), [("lstm", "ifogch"), ("gru", "rznh"), ("rnn", "h")])
def test_every_cell_shows_its_own_quantities(cell, names):
    text = sparkline(tagged("abc", cell), 0, width=80)
    found = re.findall(r"^  (\w)(?: \+|  ) ", text.split("says")[0], re.MULTILINE)
    assert found == list(names)
    gradients = sparkline(tagged("abc", cell), 0, width=80, gradients=True)
    assert set(re.findall(r"^  d(\w) \+", gradients, re.MULTILINE)) == set(names)


def test_without_colour_there_is_no_code_and_with_it_the_text_is_the_same():
    trace = tagged("def f(x)")
    plain, coloured = (sparkline(trace, 0, width=80, colour=colour) for colour in (False, True))
    assert "\x1b" not in plain
    assert re.sub(r" +$", "", CODE.sub("", coloured), flags=re.MULTILINE) == plain
    assert "\x1b[4;" in coloured  # a mistake


def test_the_underline_of_a_mistake_ends_with_its_word():
    text = sparkline(tagged(["of", "a", "and"] * 3), 0, width=200, colour=True)
    underlined = re.findall(r"\x1b\[4;[^m]*m([^\x1b]*)", text)
    assert underlined
    assert not any(" " in part for part in underlined)


def test_classes_are_named_and_mistakes_counted():
    trace = tagged("abcdef")
    text = sparkline(trace, 0, width=80)
    predicted, true = trace.predicted[0], trace.target[0]
    assert re.search(r"says (.*)", text)[1] == "".join("opa"[k] for k in predicted)
    assert (
        re.search(r"true (.*)", text)[1]
        == "".join(" " if p == t else "opa"[t] for p, t in zip(predicted, true)).rstrip()
    )
    assert f"{(predicted != true).sum()} of 6 wrong." in text
    assert "o other  p operator  a a⏎b" in text


def test_the_classes_are_those_of_the_row(stacked):
    own = stacked.predicted[1], stacked.target[1]
    assert not np.array_equal(own[0], stacked.predicted[0, :40])
    assert not np.array_equal(own[1], stacked.target[0])
    text = sparkline(stacked, 2, row=1, width=100)
    found = parts(text)
    assert found["forward", "says"][:40] == "".join(map(str, own[0]))
    assert found["forward", "true"][:40] == "".join(" " if p == t else str(t) for p, t in zip(*own))
    assert f"{(own[0] != own[1]).sum()} of 40 wrong." in text


def test_long_names_of_classes_are_cut():
    trace = tagged(["a", "of"], classes=["x" * 90, "y" * 90, "z" * 90])
    text = sparkline(trace, 0, width=200)
    assert {len(name) for name in re.findall("[xyz]+…", text)} == {20}
    assert not re.search("[xyz]{20}", text)


def test_a_class_of_the_whole_sequence_stands_in_the_first_line():
    model = nb.SequenceClassifier(9, 2, embedding_size=3, hidden_size=4, rng=0)
    trace = nb.trace(model, np.arange(8).reshape(2, 4), target=[1, 0], classes=["bad", "good"])
    trace = replace(trace, output=np.array([[1, 0], [0, 1]]))
    for row, (predicted, true) in enumerate([("bad", "good"), ("good", "bad")]):
        first = sparkline(trace, 3, row=row, width=80).split("\n")[0]
        assert first == f"LSTM, layer 0, unit 3; the sequence: predicted {predicted}, true {true}"


def test_a_unit_beyond_the_projection_has_gates_and_no_h():
    trace = nb.trace(nb.BiLSTM(2, 3, projection_size=2, rng=0), np.ones((4, 2), np.float32))
    assert "  h +" in sparkline(trace, 1, width=80)
    assert "  h +" not in sparkline(trace, 2, width=80)


def test_gradients_are_drawn_by_the_root_of_their_size():
    trace = tagged("abcd")
    values = trace["dc"][0, 0, 0, :, 2]
    largest = np.abs(trace["dc"][0, :, 0, :, 2]).max()
    found = parts(sparkline(trace, 2, width=80, gradients=True))
    assert found["forward", "dc+"][:4] == "".join(bar(np.sqrt(max(v, 0) / largest)) for v in values)


def test_what_is_no_number_is_marked_and_zeros_are_no_bars():
    layer = nb.LSTM(2, 3, rng=0)
    layer.params["0.forward.Wx"][:] = 0
    layer.params["0.forward.b"][:] = 0
    x = np.zeros((4, 2), np.float32)
    assert parts(sparkline(nb.trace(layer, x, tokens="abcd"), 0, width=80))["forward", "c+"].strip() == ""
    x[2] = np.nan
    assert parts(sparkline(nb.trace(layer, x, tokens="abcd"), 0, width=80))["forward", "i"].rstrip() == "▄▄??"


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"unit": 5}, "unit is 5; the layer has 5 units, 0 to 4"),
        ({"unit": -6}, "unit is -6; the layer has 5 units, 0 to 4"),
        ({"unit": 0, "layer": 2}, "layer is 2; the trace has 2 layers, 0 to 1"),
        ({"unit": 0, "row": 2}, "row is 2; the trace has 2 rows, 0 to 1"),
        ({"unit": 0, "width": 0}, "width is 0; it needs to be at least 1"),
    ],
)
def test_what_is_out_of_range_is_told_in_a_sentence(stacked, arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        sparkline(stacked, **{"layer": 1, **arguments})


def test_gradients_that_are_not_there_are_missed_in_a_sentence():
    trace = nb.trace(nb.LSTM(2, 3, rng=0), np.zeros((4, 2), np.float32))
    with pytest.raises(ValueError, match="gradients is True; the trace has none"):
        sparkline(trace, 0, gradients=True)


def test_a_row_without_a_step_is_refused_in_a_sentence():
    trace = nb.trace(nb.LSTM(2, 3, rng=0), np.zeros((2, 4, 2), np.float32), [4, 0])
    with pytest.raises(ValueError, match="row is 1; this row has no steps"):
        sparkline(trace, 0, row=1)
