"""What is found about how submitted functions behave, not about their numbers: sentences, and the arrays that they
changed in place, each once."""

from __future__ import annotations

from npbilstm.gradcheck.pair_faults import RECOMPUTED


class Behaviour:
    """What calls have shown so far. findings: the sentences. changed: the names of the arrays, x or dh say."""

    def __init__(self) -> None:
        self.findings: list[str] = []
        self.changed: list[str] = []

    def find(self, sentence: str) -> None:
        """Add a finding."""
        if sentence not in self.findings:
            self.findings.append(sentence)

    def find_changed(self, function: str, name: str, known: str | None = None) -> None:
        """Note that a function changes an array in place. known: the array's name in the textbook, where its own is
        another."""
        self.find(f"{function} changes its {name} in place; it must leave it as it was")
        known = name if known is None else known
        if known not in self.changed:
            self.changed.append(known)

    def find_recomputed(self, backward: str, forward: str, calls: int) -> None:
        """Note a backward pass that calls the forward pass so often that it must take differences of it."""
        if calls > RECOMPUTED:
            self.find(
                f"{backward} calls {forward} {calls} times in one pass; differences of the forward pass are no "
                "backward pass"
            )
