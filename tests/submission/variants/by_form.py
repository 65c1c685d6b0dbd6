"""What people of one form do otherwise: edits of its right answer, and answers of their own."""

from __future__ import annotations

from collections.abc import Callable

OWN: dict[str, dict[str, Callable[[], str]]] = {
    name: {} for name in ("cs231n", "coursera", "cmu11785", "saito", "holberton", "min_char_rnn", "edinburgh", "layers")
}
