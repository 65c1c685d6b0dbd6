"""Results: what was found out, as data. report_text puts it into words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from npbilstm.mistakes import Bug

Bugs = tuple[Bug, ...]
"""Mistakes that are made together; usually one."""


class StageResult(NamedTuple):
    """One stage: its name, the blocks of the gradients that are wrong, the outputs that are, the arrays that were
    changed in place, and what the code raised."""

    name: str
    wrong: tuple[str, ...]
    wrong_outputs: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    raised: str = ""

    @property
    def ok(self) -> bool:
        """True where nothing is wrong."""
        return not (self.wrong or self.wrong_outputs or self.changed or self.raised)


class OwnQuantity(NamedTuple):
    """A quantity that somebody's forward pass computes. yours: their name for it, "" where it is told from the outputs
    alone. meant: the textbook's. right: whether it is that, number by number. step: at which step, None where there are
    none. is_now: which of the textbook's quantities it is instead. formula, textbook: how it is computed, and how it
    should be; "" for what is not known."""

    yours: str
    meant: str
    right: bool
    step: int | None = None
    is_now: str = ""
    formula: str = ""
    textbook: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What was found out about one pair of passes.

    subject: the name of its spec. named: the catalogued mistakes that explain all of it exactly, usually one; each
    alternative is a bug or a pair, the likeliest first. by_outputs: whether they were compared by the outputs alone.
    known: mistakes in what this pair builds on, which show here too. built_on: functions that it is built on and that
    are wrong in an unknown way, where nothing else is wrong here. located: the equations, where no catalogued mistake
    fits: one of them, for certain. perhaps: equations whose mistakes look like it. quantities: of a wrong forward pass
    what it computes on its way. sentences: what the stages and the
    invariances say. findings: how the functions behaved besides. stopped: what the code raised, where it raised at
    every stage and could not be judged, or why it could not be called; with stages, of the backward pass alone. single:
    whether some of the numbers are float32's, which were judged to the digits that these have.
    """

    subject: str
    functions: tuple[str, ...]
    stages: tuple[StageResult, ...]
    named: tuple[Bugs, ...] = ()
    known: Bugs = ()
    built_on: tuple[str, ...] = ()
    located: tuple[str, ...] = ()
    perhaps: tuple[str, ...] = ()
    quantities: tuple[OwnQuantity, ...] = ()
    sentences: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    stopped: str = ""
    by_outputs: bool = False
    single: bool = False

    @property
    def verdict(self) -> str:
        """ "right" where every output and gradient is right and nothing else was found, "wrong" where something is not,
        "not judged" where nothing is wrong so far as the functions run."""
        if self.findings or not all(stage.ok for stage in self.stages):
            return "wrong"
        return "right" if self.stages and not self.stopped else "not judged"

    @property
    def nothing_new(self) -> bool:
        """Whether what was found in what this pair builds on is all that there is."""
        new = self.named or self.findings or any(stage.raised or stage.changed for stage in self.stages)
        return bool(self.known or self.built_on) and not new

    @property
    def ok(self) -> bool:
        """True where the verdict is "right"."""
        return self.verdict == "right"

    @property
    def not_judged(self) -> tuple[str, ...]:
        """The functions about which nothing is said, since they stop."""
        return () if not self.stopped else self.functions[-1:] if self.stages else self.functions

    @property
    def judged(self) -> tuple[str, ...]:
        """The functions about which the verdict is."""
        return self.functions[: len(self.functions) - len(self.not_judged)]
