"""What `npbilstm inspect` prints of one unit: its bars, with a step its equations, and the unit that matters most."""

from __future__ import annotations

from typing import Any

from npbilstm.inspector import Trace, printable
from npbilstm.inspector.indices import most_varying
from npbilstm.inspector.units import matters_most_everywhere

OF_THE_PREDICTED = "nobody says what is true here, so the gradients are those of the predicted classes"


def unit_texts(options: Any, seen: Trace, layer: int, colour: bool) -> list[str]:
    """What is printed: the bars of a unit, with a step its equations; beside a page only what is asked for."""
    if options.out is not None and options.unit is None and options.step is None and not options.gradients:
        return []
    unit, direction, found = options.unit, options.direction, []
    if unit is None:
        most, unit = most_varying(seen, layer)
        direction = options.direction or seen.directions[most]
        found.append(f"Unit {unit} varies most over these steps; --unit chooses another.")
    found.append(seen.sparkline(unit, layer, colour=colour, gradients=options.gradients))
    if options.step is not None:
        explained = seen.explain(layer, direction, options.step, unit)
        found.append(printable(str(explained)))
    return found + matters_texts(seen, options.step)


def matters_texts(seen: Trace, step: int | None) -> list[str]:
    """Which unit matters most for the label of that step, of a classifier for its one label."""
    if seen.output_is_by_step and step is None:
        return []
    each = matters_most_everywhere(seen, 0)
    return [printable(str(each[step if step is not None and seen.output_is_by_step else 0]))] if each else []


def amounts(*things: tuple[int, str, str]) -> str:
    """Things as a text, each its number, its name and the words after it; those there are none of are passed over.
    A name that ends in s is its own plural."""
    return " and ".join(
        f"{n:,} {name}{'s' * (n != 1 and not name.endswith('s'))}{words}" for n, name, words in things if n
    )
