import html
import re
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import npbilstm as nb
from npbilstm.inspector import cell_equations, rounding, substitution
from npbilstm.inspector import explain as explain_module
from npbilstm.inspector.descriptions import DESCRIPTIONS
from npbilstm.inspector.explain import explain
from npbilstm.layers.options import ACTIVATIONS, SIGMOIDS
from tests.layers.recurrent_cases import WAYS
from tests.planting import planted_below

NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[-+]\d+)?")
TERMS = re.compile(r" [-+] (?![^(]*\))")
MEANING = {
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: max(a, 0.0),
    "positive": lambda a: float(a > 0),
    "hard_sigmoid": lambda a: min(max(a / 5 + 0.5, 0.0), 1.0),
    "hard_sigmoid_sixth": lambda a: min(max(a / 6 + 0.5, 0.0), 1.0),
    "slope_fifth": lambda s: 0.2 * (0 < s < 1),
    "slope_sixth": lambda s: (0 < s < 1) / 6,
}


@st.composite
def layers(draw):
    size, hidden = draw(st.integers(1, 7)), draw(st.integers(1, 6))
    options = {**draw(st.sampled_from(WAYS)), "merge": draw(st.sampled_from(["concat", "sum"]))}
    options |= {"bias": draw(st.booleans()), "dtype": draw(st.sampled_from([np.float32, np.float64]))}
    kind = draw(st.sampled_from(["lstm", "gru", "rnn"]))
    if kind != "rnn" and draw(st.booleans()):
        options["activation"] = draw(st.sampled_from(ACTIVATIONS))
        options["recurrent_activation"] = draw(st.sampled_from(SIGMOIDS))
    if kind == "lstm":
        options |= {"peepholes": draw(st.booleans()), "coupled": draw(st.booleans())}
        options["projection_size"] = draw(st.none() | st.integers(1, hidden))
    elif kind == "gru":
        options["reset_after"] = draw(st.booleans())
    else:
        options["nonlinearity"] = draw(st.sampled_from(ACTIVATIONS))
    layer = {"lstm": nb.LSTM, "gru": nb.GRU, "rnn": nb.RNN}[kind](size, hidden, draw(st.integers(1, 2)), **options)
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    for p in layer.params.values():
        p[...] = rng.normal(size=p.shape) * 0.6
    return layer


@st.composite
def cells(draw):
    """A trace, and where to look."""
    layer = draw(layers())
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    dtype = next(iter(layer.params.values())).dtype
    T = draw(st.integers(1, 4))
    lengths = [T, draw(st.integers(1, T))]
    x = rng.normal(size=(2, T, layer.input_size))
    kind = draw(st.sampled_from(["numbers", "one-hot", "zeros"]))
    if kind != "numbers":
        x = np.eye(layer.input_size)[x.argmax(axis=-1)] * (kind == "one-hot")
    state = [rng.normal(size=shape).astype(dtype) for shape in layer.state_shapes(2)]
    size = draw(st.sampled_from([1.0, 1.0, 1e-12, 0.0]))
    dstate = [(rng.normal(size=part.shape) * size).astype(dtype) for part in state]
    dy = (rng.normal(size=(2, T, layer.features(layer.num_layers - 1))) * size).astype(dtype)
    pairs = {"state": state, "dstate": dstate} if len(state) > 1 else {"state": state[0], "dstate": dstate[0]}
    trace = nb.trace(layer, x.astype(dtype), lengths, dy, **pairs)
    row = draw(st.integers(0, 1))
    place = {
        "layer": draw(st.integers(0, layer.num_layers - 1)),
        "direction": draw(st.sampled_from(layer.directions)),
        "step": draw(st.sampled_from([0, lengths[row] - 1, lengths[row] // 2])),
        "unit": draw(st.integers(0, layer.hidden_size - 1)),
        "row": row,
    }
    return trace, place


def number_at(trace, place, name, step, unit):
    """A quantity's number, found without anything of the inspector but the trace's arrays."""
    s = trace.directions.index(place["direction"])
    if name == "x":
        return float(trace.inputs[place["layer"]][place["row"], step, unit])
    return float(trace[name][place["layer"], s, place["row"], step, unit])


def weight_at(trace, place, symbol, *index):
    """A weight's number: unit u of block k of H columns is column k H + u."""
    layer, prefix = trace.layer, f"{place['layer']}.{place['direction']}."
    if prefix + symbol in layer.params:
        return float(layer.params[prefix + symbol][index])
    name, letter = symbol.split("_")
    *first, unit = index
    return float(layer.params[prefix + name][(*first, layer.gates.index(letter) * layer.hidden_size + unit)])


def dot_terms(trace, place, text):
    """Each term of "x @ Wx_i" or "next.da_i @ Wh_i.T" by its name in the explanation."""
    vector, weight = text.split(" @ ")
    step, unit = place["step"], place["unit"]
    if vector.startswith("next."):
        step += -1 if place["direction"] == "reverse" else 1
    name = vector.removeprefix("next.")
    array = trace.inputs[place["layer"]] if name == "x" else trace[name]
    found = {}
    for k in range(array.shape[-1]):
        index = (unit, k) if weight.endswith(".T") else (k, unit)
        term = number_at(trace, place, name, step, k) * weight_at(trace, place, weight.removesuffix(".T"), *index)
        R = trace.layer.output_size
        joined = name == "x" and place["layer"] > 0 and len(trace.directions) == 2 and trace.layer.merge == "concat"
        found[f"{trace.directions[k // R]}[{k % R}]" if joined else f"{vector}[{k}]"] = term
    return found


def last_digit(line):
    """The size of the last digit in a line: that of the finest of its numbers, "0" apart."""
    return min((Decimal(1).scaleb(Decimal(n).as_tuple().exponent) for n in NUMBER.findall(line) if n != "0"), default=0)


def come_to(line):
    """What a line of shown numbers comes to, and how far off it may be since they are rounded."""
    texts = NUMBER.findall(line.replace("^2", ""))
    numbers = [float(text) for text in texts]
    half = [0 if text == "1" else float(last_digit(text)) / 2 for text in texts]  # the 1 of 1 - i is exact
    count = iter(range(len(numbers)))
    code = NUMBER.sub(lambda _: f"v[{next(count)}]", line.replace("^2", "^")).replace("^", "**2")
    value = eval(code, MEANING, {"v": numbers})
    slack = 0.0
    for k, h in enumerate(half):
        moved = [eval(code, MEANING, {"v": [*numbers[:k], numbers[k] + d, *numbers[k + 1 :]]}) for d in (h, -h)]
        slack += max(abs(m - value) for m in moved)
    return value, 1.1 * slack


def parts_of(line):
    """A sum's parts, with their signs."""
    return [Decimal(part.replace(" ", "")) for part in re.split(r" (?=[-+] )", line)]


def require_true(trace, place, explanation):
    """Everything shown, recomputed."""
    assert explanation.forward
    assert explanation.backward
    s, n, t = trace.directions.index(place["direction"]), place["row"], place["step"]
    if explanation.before is not None:
        now, before = (trace[name][place["layer"], s, n] for name in ("h_prev", "h"))
        assert (now[t] == before[explanation.before]).all()
        assert trace.order[s, n, explanation.before] == trace.order[s, n, t] - 1
    else:
        assert trace.order[s, n, t] == 0
    for equation in explanation.forward + explanation.backward:
        require_equation_true(trace, place, equation)


def require_equation_true(trace, place, equation):
    """One equation."""
    *working, result = equation.lines
    value = number_at(trace, place, equation.name, place["step"], place["unit"])
    assert equation.value == value
    terms = {dot.text: dot_terms(trace, place, dot.text) for dot in equation.dots}
    # float32 keeps seven digits of the largest term
    lost = 1e-5 * max([abs(term) for dot in terms.values() for term in dot.values()], default=0)
    if working and working[0].startswith("the gradient of the final state"):
        order = trace.order[trace.directions.index(place["direction"]), place["row"]]
        assert order[place["step"]] == order.max()
        assert abs(float(result) - value) <= 0.501 * float(last_digit(result))
        return
    texts = TERMS.split(equation.text.split(" = ")[1])
    summed = len(texts) > 1
    quantum = last_digit(f"{working[-1]} {result}" if summed else result)
    assert abs(float(result) - value) <= 0.501 * float(quantum) + lost, f"{equation.name} is {value}, shown {result}"
    if summed:
        assert sum(parts_of(working[-1])) == Decimal(result), f"{equation.name} does not add up"
    for line in working:
        got, slack = come_to(line)
        assert abs(got - value) <= slack + float(quantum) + lost, f"{equation.name}: {line} comes to {got}, not {value}"
    shown = dict(zip(texts, parts_of(working[-1]) if summed else [Decimal(result)]))
    assert [text for text in texts if "@" in text] == list(terms)
    for dot in equation.dots:
        require_dot_true(terms[dot.text], dot, shown[dot.text], quantum)


def require_dot_true(terms, dot, total, quantum):
    """A dot product's terms: each its own number, together what is shown of the product."""
    assert sum(Decimal(text) for _, text in dot.terms) == (total if dot.terms else 0)
    rest = {name: term for name, term in terms.items() if term != 0}
    assert len(dot.terms) == (len(rest) if len(rest) <= 4 else 4)
    for name, text in dot.terms:
        if name.endswith("others"):
            assert name == f"{len(rest)} others"
            assert len(rest) > 1
            exact = sum(rest.values())
        else:
            assert abs(rest[name]) == max(map(abs, rest.values()))
            exact = rest.pop(name)
        assert abs(float(text) - exact) <= 2 * float(quantum), f"{dot.text}: {name} is {exact}, shown {text}"


@settings(max_examples=25)
@given(cells())
def test_every_number_shown_is_so_and_sums_add_up(cell):
    trace, place = cell
    require_true(trace, place, explain(trace, **place))


def six_units():
    """A trace of two directions, and a place in the midst of it."""
    rng = np.random.default_rng(1)
    layer = nb.BiLSTM(7, 6, rng=1, dtype=np.float64)
    trace = nb.trace(layer, rng.normal(size=(1, 5, 7)), upstream=rng.normal(size=(1, 5, 12)), tokens="a(b)c")
    return trace, {"layer": 0, "direction": "reverse", "step": 2, "unit": 3, "row": 0}


@pytest.mark.parametrize(
    ("module", "old", "new"),
    [
        (substitution, "    if others:\n", "    if False:\n"),
        (substitution, "[:LARGEST]\n", "[-LARGEST:]\n"),
        (rounding, "    return counts\n", "    return [whole_quanta(part, power) for part in parts]\n"),
        (rounding, "counts[k] += each + (place < more)", "counts[k] += each"),
        (substitution, "else self.step - self.stride", "else self.step - 1"),
        (substitution, "self.step + self.stride if symbol.next", "self.step - self.stride if symbol.next"),
        (substitution, "weight[self.unit] if dot.transposed else weight[:, self.unit]", "weight[:, self.unit]"),
        (substitution, "self.vector(symbol)[self.unit]", "self.vector(symbol)[self.unit - 1]"),
        (substitution, "sign, term = -sign, term[1:]", "term = term[1:]"),
        (cell_equations, "[gates.index(letter)]", "[gates[::-1].index(letter)]"),
    ],
)
def test_a_planted_bug_is_seen(module, old, new):
    trace, place = six_units()
    require_true(trace, place, explain(trace, **place))
    *_, wrong = planted_below([substitution, explain_module], module, old, new)
    with pytest.raises((AssertionError, ValueError)):
        require_true(trace, place, wrong.explain(trace, **place))


@pytest.mark.parametrize(
    ("old", "new"), [("next.dc * next.f", "next.dc * f"), ("df = dc * c_prev", "df = dc * c"), ("(1 - g^2)", "(1 - g)")]
)
def test_an_equation_that_is_not_so_is_seen(old, new):
    trace, place = six_units()
    texts = tuple(text.replace(old, new) for text in trace.equations.backward)
    wrong = replace(trace, equations=trace.equations._replace(backward=texts))
    with pytest.raises(AssertionError):
        require_true(wrong, place, explain(wrong, **place))


def tagger_trace(**options):
    model = nb.SequenceTagger(9, 3, embedding_size=8, hidden_size=6, num_layers=2, rng=0)
    ids = np.array([[1, 2, 3, 4], [5, 6, 0, 0]])
    return nb.trace(model, ids, [4, 2], target=ids % 3, **options)


def test_the_heading_says_where_it_is_and_what_was_read_before():
    trace = tagger_trace(tokens=["f(x)", "ok"], classes=["name", "call", "space"])
    first, second = str(explain(trace, 0, "reverse", 1, 3)).splitlines()[:2]
    assert first == "row 0, layer 0, reverse direction, step 1 '(', unit 3: read 3rd of 4, after step 2 'x'"
    assert re.fullmatch("predicted (name|call|space), true space", second)


def test_of_a_single_row_the_heading_has_no_number():
    assert explain(six_units()[0]).heading.startswith("layer 0, forward direction, step 0 'a', unit 0: read 1st of 5")


def test_turns_are_counted_in_words():
    counts = (1, 2, 3, 4, 11, 12, 13, 21, 22, 23, 111)
    assert list(map(explain_module.ordinal, counts)) == (
        ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "22nd", "23rd", "111th"]
    )


def test_the_text_says_which_steps_the_numbers_are_from():
    text = str(explain(tagger_trace(tokens=["f(x)", "ok"]), 0, "reverse", 1, 3))
    assert "\nforward: x is the embedding of '('; h_prev and c_prev are from step 2 'x'\n" in text
    assert "\nbackward: dy is from layer 1, which reads h; next is step 0 'f'\n" in text


def test_the_first_step_starts_from_the_initial_state_and_the_last_ends_in_the_final_state():
    text = str(explain(tagger_trace(), 1, "reverse", 0, 3, row=1))
    assert "the gradient of the final state, since no step is read next" in text
    assert "h_prev and c_prev are the initial state" in str(explain(tagger_trace(), 1, "reverse", 1, 3, row=1))


def test_a_classifier_has_one_label_for_the_sequence():
    model = nb.SequenceClassifier(9, 2, embedding_size=3, hidden_size=2, rng=0)
    trace = nb.trace(model, [1, 2, 3], target=[1])
    assert re.search("^the sequence: predicted [01], true 1$", str(explain(trace)), re.MULTILINE)


def test_terms_of_an_upper_layer_are_named_after_the_directions_below():
    names = [name for name, _ in explain(tagger_trace(), layer=1).forward[0].dots[0].terms]
    assert all(re.fullmatch(r"(forward|reverse)\[[0-5]\]|9 others", name) for name in names)
    assert explain(tagger_trace(), layer=1).starts.startswith("x is what layer 0 put out; ")


def test_no_line_is_wider_than_100_columns():
    assert max(map(len, str(explain(tagger_trace(tokens=["f(x)", "ok"]), 1, "reverse", 1, 3)).splitlines())) <= 100


def test_as_html_both_passes_stand_under_their_titles_with_the_terms_of_each_product():
    explanation = explain(tagger_trace(tokens=["f(x)", "ok"]), 1, "reverse", 1, 3)
    shown = explanation._repr_html_()
    for title in (f"forward: {explanation.starts}", f"backward: {explanation.continues}"):
        assert f"<b>{html.escape(title)}</b>" in shown
    dots = [dot for equation in (*explanation.forward, *explanation.backward) for dot in equation.dots]
    assert len(dots) == 12
    for dot in dots:
        terms = ", ".join(f"{name} {text}".replace(" ", "&nbsp;") for name, text in dot.terms)
        assert f">{dot.text}: {terms}</div>" in shown


def one_sum(x, summed=None):
    """What is shown of a = x @ Wx + h_prev @ Wh, Wx all ones and h_prev 0, where a trace holds `summed` for a."""
    layer = nb.RNN(len(x), 1, bias=False, dtype=np.float64, rng=0)
    layer.params["0.forward.Wx"][...] = 1
    trace = nb.trace(layer, np.array([x]))
    if summed is not None:
        trace = replace(trace, arrays={**trace.arrays, "a": np.full((1, 1, 1, 1, 1), summed)})
    return explain(trace).forward[0]


@pytest.mark.parametrize(("held", "shown"), [(1.0006, "1.001"), (0.9, "1.000"), (1.0004, "1.000")])
def test_a_sum_comes_to_the_traces_number_unless_float32_lost_it(held, shown):
    equation = one_sum([1.0004], held)
    assert (equation.lines[-1], equation.value) == (shown, held)
    assert equation.dots[0].terms == (("x[0]", shown),)


def test_a_fourth_term_is_named_and_with_a_fifth_both_are_summed():
    four, five = ([name for name, _ in one_sum(x).dots[0].terms] for x in ([5.0, 4, 3, 2, 0], [5.0, 4, 3, 2, 1]))
    assert four == ["x[0]", "x[1]", "x[2]", "x[3]"]
    assert five == ["x[0]", "x[1]", "x[2]", "2 others"]


def test_the_gradient_of_the_final_state_is_shown():
    layer = nb.LSTM(2, 1, dtype=np.float64, rng=0)
    dstate = (np.full((1, 1, 1), 0.25), np.full((1, 1, 1), -1.5))
    shown = {e.name: e.lines[-1] for e in explain(nb.trace(layer, np.ones((1, 3, 2)), dstate=dstate), step=2).backward}
    assert (shown["dh_next"], shown["dc_next"]) == ("0.2500", "-1.500")


def test_without_gradients_the_backward_pass_is_said_to_be_unknown():
    layer = nb.GRU(2, 3, rng=0)
    explanation = explain(nb.trace(layer, np.ones((4, 2), np.float32)))
    assert explanation.backward == ()
    assert "not known without an upstream gradient or a target" in str(explanation)


def test_with_a_projection_what_belongs_to_no_unit_is_left_out_beyond_its_size():
    layer = nb.LSTM(2, 3, projection_size=1, rng=0)
    trace = nb.trace(layer, np.ones((4, 2), np.float32), upstream=np.ones((4, 1), np.float32))
    names = [[e.name for e in (*found.forward, *found.backward)] for found in (explain(trace), explain(trace, unit=2))]
    assert [name for name in names[0] if name not in names[1]] == ["h", "dh_next", "dh"]
    assert [explain(trace, unit=k).starts.rpartition("all units together, ")[2] for k in (0, 1)] == [
        "those of number 0 are shown",
        "there is no number 1",
    ]


def test_infinity_is_shown_as_such():
    layer = nb.RNN(2, 2, nonlinearity="relu", rng=0)
    layer.params["0.forward.Wh"][...], layer.params["0.forward.b"][...] = 1e30, 9
    with np.errstate(all="ignore"):
        trace = nb.trace(layer, np.ones((5, 2), np.float32))
    assert "inf" in str(explain(trace, step=4))


def test_negative_indexes_count_from_the_end_of_the_row():
    trace = tagger_trace()
    found = explain(trace, layer=-1, step=-1, unit=-1, row=-1)
    assert (found.layer, found.step, found.unit, found.row) == (1, 1, 5, 1)
    found = explain(trace, layer=-2, step=-4, unit=-6, row=-2)
    assert (found.layer, found.step, found.unit, found.row) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("place", "sentence"),
    [
        ({"step": 12}, "step is 12; row 0 has 4 steps, 0 to 3"),
        ({"step": 2, "row": 1}, "step is 2; row 1 has 2 steps, 0 to 1"),
        ({"unit": 6}, "unit is 6; the layer has 6 units, 0 to 5"),
        ({"layer": -3}, "layer is -3; the trace has 2 layers, 0 to 1"),
        ({"row": 2}, "row is 2; the trace has 2 rows, 0 to 1"),
        ({"direction": "backward"}, "direction is 'backward'; it needs 'forward' or 'reverse'"),
        ({"step": 1.5}, "step is 1.5; it needs an integer"),
    ],
)
def test_a_place_that_is_not_there_is_refused(place, sentence):
    with pytest.raises((ValueError, TypeError), match=re.escape(sentence)):
        explain(tagger_trace(), **place)


def test_a_row_without_steps_is_refused():
    trace = nb.trace(nb.RNN(2, 1, rng=0), np.ones((2, 3, 2), np.float32), [3, 0])
    with pytest.raises(ValueError, match="row is 1; this row has no steps"):
        explain(trace, row=1)


def test_hostile_tokens_and_classes_stay_text():
    hostile = "</pre><script>alert(1)</script>\x1b[31m\u202e"
    trace = tagger_trace(tokens=[[hostile] * 4, "ok"], classes=[hostile] * 3)
    explanation = explain(trace, step=1)
    assert "<script" not in explanation._repr_html_()
    assert "alert(1)" in explanation._repr_html_()
    assert not {"\x1b", "\u202e"} & set(str(explanation) + explanation._repr_html_())


@pytest.mark.parametrize("layer", [nb.LSTM, nb.GRU, nb.RNN])
def test_every_quantity_has_words_that_fit_beside_it(layer):
    names = nb.trace(layer(2, 3), np.ones((1, 2), np.float32), upstream=np.ones((1, 3), np.float32)).names
    assert all(0 < len(DESCRIPTIONS[name]) <= 50 for name in names)


@pytest.mark.parametrize(
    ("letter", "gate"), [("i", "input"), ("f", "forget"), ("o", "output"), ("r", "reset"), ("z", "update")]
)
def test_every_gate_goes_by_its_own_name(letter, gate):
    assert all(f"{gate} gate" in DESCRIPTIONS[name] for name in (letter, f"a_{letter}", f"d{letter}", f"da_{letter}"))
