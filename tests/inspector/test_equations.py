"""The equations' grammar: what is written is what is computed."""

import pytest

import npbilstm as nb
from npbilstm.inspector.cell_equations import equations_of, weight_block
from npbilstm.inspector.equations import Dot, Symbol, evaluate, parse
from tests.layers.recurrent_cases import make_layer


def number(text, **values):
    """What the right side of y = ... comes to; a dot product is a pair."""
    return evaluate(parse(f"y = {text}").sum, lambda symbol: values[symbol.name], lambda dot: values[dot.weight])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c - a", 6.0),
        ("(1 - c) * b", -4.0),
        ("b * (1 - tanh(z)^2)", 2.0),
        ("c^2 + b^2", 13.0),
        ("sigmoid(z) * b", 1.0),
        ("relu(z - b) + positive(a)", 1.0),
        ("0.5 * c", 1.5),
        ("a @ b + c", 5.0),
    ],
)
def test_precedence_is_that_of_arithmetic(text, expected):
    assert number(text, a=1.0, b=2.0, c=3.0, z=0.0) == expected


def test_symbols_say_whose_number_they_are():
    (_, dot), (_, product) = parse("dh_next = next.da_i @ Wh_i.T + dy").sum.terms
    assert dot == Dot(Symbol("da_i", next=True), "Wh_i", transposed=True)
    assert product.factors == (Symbol("dy"),)


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "a = ",
        "a = b +",
        "a = * b",
        "a = sine(b)",
        "a = (b",
        "a = b c",
        "a = b / c",
        "a = b)",
        "= b",
        "a = tanh(b",
        "a = b @",
        "a = b @ )",
        "a = (b + c) @ d",
        "a = -b",
        "a = b**3",
        "a = True",
        "a = b; c = d",
        "a = b = c",
        "a += b",
        "a = b @ c @ d",
        "a = b + # c",
        "a = 2 @ b",
        "a = b.T",
        "+ = a",
        "next.a = b",
    ],
)
def test_what_is_not_in_the_grammar_is_refused(text):
    with pytest.raises(ValueError, match="equation"):
        parse(text)


@pytest.mark.parametrize("symbol", ["Wx_f", "b_o", "p_f", "Wp"])
def test_a_weights_symbol_is_its_block(symbol):
    layer = make_layer(bidirectional=True, peepholes=True, projection_size=2)
    name, _, letter = symbol.partition("_")
    whole = layer.params[f"0.reverse.{name}"]
    gates = {"p": "ifo"}.get(name, "ifgo")
    at = gates.index(letter) * 4 if letter else 0
    expected = whole[..., at : at + 4] if letter else whole
    assert (weight_block(layer, 0, "reverse", symbol) == expected).all()


def test_without_a_bias_no_equation_names_one():
    for layer in (nb.LSTM(3, 4, bias=False), nb.GRU(3, 4, bias=False), nb.RNN(3, 4, bias=False)):
        assert not any(" b" in text for text in equations_of(layer).forward)


def test_only_recurrent_layers_have_equations():
    with pytest.raises(TypeError, match="it needs an LSTM, GRU or RNN"):
        equations_of(nb.Linear(3, 4))
