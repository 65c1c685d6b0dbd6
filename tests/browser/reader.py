"""What a person sees and does on the page: chooses cells with the pointer, reads equations, adds the numbers up."""

import math
import re
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from npbilstm.inspector.equations import Dot, parse
from npbilstm.inspector.explain import dot_pieces, explain

NUMBER = r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?"

EQUATIONS = """
() => [...document.querySelectorAll("#equations .equation")].map((block) => ({
  name: block.dataset.name,
  formula: block.querySelector(".formula").textContent,
  lines: [...block.querySelectorAll(".put-in")].map((line) => line.textContent.replace("= ", "")),
  terms: [...block.querySelectorAll(".terms")].map((line) => line.textContent.replaceAll("\\u00a0", " ")),
  note: block.querySelector(".note")?.textContent ?? "",
  output: block.querySelector(".result").textContent,
}))
"""


class Shown(NamedTuple):
    """An equation as the panel shows it."""

    name: str
    formula: str
    lines: list[str]
    terms: list[str]
    note: str
    output: str


def equations(page):
    """All equations in the panel by name."""
    return {one["name"]: Shown(**one) for one in page.evaluate(EQUATIONS)}


def chosen(page):
    """(layer, direction, step, unit) in the panel."""
    panel = page.locator("#panel")
    layer, direction, step, unit = (
        panel.get_attribute(f"data-{name}") for name in ("layer", "direction", "step", "unit")
    )
    return int(layer), direction, int(step), int(unit)


def point(page, name, direction, step, unit, steps, units, click=False):
    """Bring the pointer to a cell of a unit's map, and wait for the panel."""
    point_at(page, f'canvas.cells[data-name="{name}"][data-direction="{direction}"]', step, unit, steps, units, click)


def point_at(page, canvas, column, row, columns, rows, click=False):
    """Bring the pointer to a cell of any map, and wait for the panel."""
    canvas = page.locator(canvas)
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, y = box["x"] + (column + 0.5) / columns * box["width"], box["y"] + (row + 0.5) / rows * box["height"]
    page.mouse.move(x, y)
    if click:
        page.mouse.click(x, y)
    frames(page)


def press(page, *keys):
    """Press keys on the pictures."""
    page.focus("#pictures")
    for key in keys:
        page.keyboard.press(key)
    frames(page)


def frames(page):
    """Let the page draw what has changed; it draws at no other time. `page` may be a frame of it."""
    page.evaluate("letFramesGo()")


def exact(text):
    """A shown number, exactly."""
    return Fraction(text)


def quantum(text):
    """The place value of a shown number's last digit: 0.0001 of "0.4120", 1e-8 of "4.120e-5"."""
    mantissa, _, power = text.partition("e")
    return Fraction(10) ** (int(power or 0) - len(mantissa.partition(".")[2]))


def check_is(shown, value, digits):
    """A number of a page of rounded numbers is the value, to so many digits."""
    assert abs(float(exact(shown)) - value) <= 0.51 * float(quantum(shown)) % 1 + 10.0**-digits * (1 + abs(value))


def check_adds_up(equation):
    """The parts of a sum are what comes out, exactly; so are the terms of every product within it."""
    total = exact(equation.output)
    parts = [total]
    if equation.lines and re.fullmatch(rf"{NUMBER}(?: [-+] {NUMBER})+", equation.lines[-1]):
        parts = [exact(part) for part in re.sub(r" ([-+]) ", r" \1", equation.lines[-1]).split(" ")]
    assert sum(parts) == total, equation
    terms = dict(text.split(": ") for text in equation.terms)
    for part, (_, node) in zip(parts, parse(equation.formula).sum.terms):
        if isinstance(node, Dot) and terms:
            vector = ("next." if node.vector.next else "") + node.vector.name
            shown = terms.pop(f"{vector} @ {node.weight}{'.T' if node.transposed else ''}").split(", ")
            assert sum(exact(term.split(" ")[-1]) for term in shown) == part, equation
    assert terms == {}


def sigmoid(a):
    return 1 / (1 + math.exp(-a))


NAMES = {
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "exp": math.exp,
    "relu": lambda a: max(a, 0),
    "positive": lambda a: float(a > 0),
    "hard_sigmoid": lambda a: min(max(a / 5 + 0.5, 0), 1),
    "hard_sigmoid_sixth": lambda a: min(max(a / 6 + 0.5, 0), 1),
    "slope_fifth": lambda s: 1 / 5 if 0 < s < 1 else 0.0,
    "slope_sixth": lambda s: 1 / 6 if 0 < s < 1 else 0.0,
}


def check_recomputes(equation, slack=0.0):
    """Whoever computes with the shown numbers gets the shown result, but for the rounding of what was put in."""
    for line in equation.lines:
        numbers = list(re.finditer(r"\d+\.\d+(?:e[-+]\d+)?", line))

        def compute(text):
            return float(eval(text.replace("^", "**"), {"__builtins__": {}}, NAMES))

        value = compute(line)
        allowed = slack + 0.5 * float(quantum(equation.output))
        for match in numbers:
            half = 0.5 * float(quantum(match.group()))
            moved = f"({float(match.group()) + half!r})"
            allowed += abs(compute(line[: match.start()] + moved + line[match.end() :]) - value)
        assert abs(value - float(exact(equation.output))) <= 1.1 * allowed + 1e-12, equation


def check_panel(page, trace, row=0, digits=None):
    """Every equation in the panel shows the trace's numbers, as `explain` has them, and they hold. -> their names.

    On a page of rounded numbers: the result is the trace's to so many digits.
    """
    layer, direction, step, unit = chosen(page)
    found = equations(page)
    explained = explain(trace, layer, direction, step, unit, row)
    assert list(found) == [equation.name for equation in explained.forward + explained.backward]
    for substituted in explained.forward + explained.backward:
        equation = found[substituted.name]
        if digits is not None:
            check_is(equation.output, substituted.value, digits)
        elif equation.note:
            assert equation.output == substituted.lines[-1]
        else:
            assert (*equation.lines, equation.output) == substituted.lines
            pieces = {dot.text: ", ".join(dot_pieces(dot)) for dot in substituted.dots}
            assert dict(text.split(": ") for text in equation.terms) == pieces
        check_adds_up(equation)
        check_recomputes(equation, 0.0 if digits is None else 0.2 * 10.0**-digits)
    return list(found)


def pixels(page, name, direction, kind="cells"):
    """The colours of a map, (units, steps, 4); of a strip (1, steps, 4)."""
    found = page.evaluate(
        """([name, direction, kind]) => {
        const canvas = document.querySelector(`canvas.${kind}[data-name="${name}"][data-direction="${direction}"]`);
        const { width, height } = canvas;
        // from a copy: to read the page's own canvas twice has Chromium warn that it was not made for that
        const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
        copy.drawImage(canvas, 0, 0);
        return [height, width, [...copy.getImageData(0, 0, width, height).data]];
        }""",
        [name, direction, kind],
    )
    return np.array(found[2]).reshape(found[0], found[1], 4)
