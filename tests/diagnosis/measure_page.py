"""The page that tells what measure.py counted."""

from __future__ import annotations

from typing import Any

COLUMNS, PLANTS = "../../tests/submission", "../../tests/diagnosis"
KNOWN = ("one, in `lstm` or `bilstm`", "one, in `lstm_step`", "the same one in `lstm_step` and `lstm`")
OTHER_FORM = "one, in a form that the catalogue has not"
UNKNOWN_BACKWARD, UNKNOWN_FORWARD = (
    f"one that the catalogue has not, in a {way} pass" for way in ("backward", "forward")
)
TWO = "two at once, drawn at random"
"""What was planted."""

SHOWN = {
    "files": "files",
    "named": "named",
    "named among others": "among others",
    "one of two named": "one of two",
    "located": "located",
    "one of two located": "one of two",
    "perhaps there": "perhaps",
    "perhaps elsewhere": "perhaps elsewhere",
    "located elsewhere": "elsewhere",
    "wrong, no equation": "no equation",
    "misnamed": "misnamed",
    "missed": "missed",
}


def page(results: dict[str, Any]) -> str:
    """The page, in Markdown."""
    mistakes, correct = results["mistakes"], results["correct"]
    named, singles = (sum(mistakes[kind][what] for kind in KNOWN) for what in ("named", "files"))
    every = sum(counts["files"] for counts in mistakes.values())
    misnamed = sum(counts["misnamed"] for counts in mistakes.values())
    draws, alarms = (sum(row[what] for row in correct.values()) for what in ("draws", "false alarms"))
    unknown, pairs = mistakes[UNKNOWN_BACKWARD], mistakes[TWO]
    table = [[kind, *(str(counts[column]) for column in SHOWN)] for kind, counts in mistakes.items()]
    columns = ("subjects", "draws", "false alarms")
    right = [[WRITTEN[name], *(str(row[column]) for column in columns)] for name, row in correct.items()]
    forms = results["places"]
    header = list(dict.fromkeys(column for row in forms.values() for column in row))
    places = header, [[form, *(str(row[column]) for column in header)] for form, row in forms.items()]
    times = [[what, f"{seconds:.1f}"] for what, seconds in results["seconds"].items()]
    return f"""# Whether to trust the diagnosis

`npbilstm check FILE.py` says which mistake is in somebody's own code. A wrong answer, said with confidence, would be
worse than none. So this was counted, on {results["date"]}, with mistakes that were planted:

- of {singles} files with one mistake, one of the {results["catalogue"]} in the catalogue, {named} had it named
  exactly and alone, {percent(named, singles)};
- of all {every} files that were wrong, {misnamed} had another mistake named than was there;
- of {unknown["files"]} files with a mistake in a backward pass that the catalogue has *not*, {unknown["located"]} had
  its equation among the places that were offered, of which there were {unknown["places"][0]:g} in the median and
  {unknown["places"][1]} at most;
- of {pairs["files"]} files with two mistakes at once, {pairs["named"]} had both named;
- of {draws} draws of shapes and numbers for files that are right, {alarms} gave a false alarm.

This page and [diagnosis.json](diagnosis.json), which has what was said of every file whose mistake was not named, are
written by a command; no number on the page is by hand. It takes some twenty minutes of the processor's time
(`--quick`: seconds, of a few files):

    python -m tests.diagnosis.measure --out tutorials/guides

## What was judged

[columns.py]({COLUMNS}/columns.py), a bidirectional LSTM as unlike the textbook as it can be: one matrix per
gate, columns for rows, time first, the gates in another order, the equations of the step written out again in the loop
over time. It is judged as the command judges a file: first the step, then the sequence, then both directions.

In it mistakes were planted, which [columns_bugs.py]({PLANTS}/columns_bugs.py) and
[columns_step_bugs.py]({PLANTS}/columns_step_bugs.py) list. They are not blind: their author had seen part of the
catalogue, and a test sees to it that each plant is, in numbers, the catalogued mistake of its name. So the first rows
tell that a known mistake is recognised in code that is written in another way; they do not tell how many of the
mistakes that people make are known. What an unknown one meets, the rows of mistakes that the catalogue has not tell:
for those, each mistake was taken out of the catalogue while its own file was judged.

## Mistakes

{markdown(["planted", *SHOWN.values()], table)}

- **named**: this mistake, or these two, and nothing else fits. **among others**: it stands beside another explanation
  that gives the same numbers. **one of two**: one is named; the other shows when that is mended.
- **located**: the equation is among the places offered. Some are one place in every gradient: da_f is df times what is
  known; a slope of sigmoid stands in do, di and df, and then all three must be offered. Where the slope of tanh is what
  the catalogue lacks, the same slip in both of its uses is its right name. A step that is written inside its loop is
  called "the step inside", and what the loop and the step have of one thing is one line. **perhaps**: the equation is
  among places of which it was said that it may be there; **perhaps elsewhere**: it is not among those. **elsewhere**:
  places were called certain, and the equation is not among them.
- **no equation**: said to be wrong, and whether it is the forward or the backward pass; the place is left open.
- **misnamed**: something else is named, in any of the three. **missed**: called right.

## Places in forms that lack something

The textbook's LSTM without an initial cell state, without the gradients of the final states, without a function for the
step: what such a form cannot show may not be held against a place. Some of the mistakes are the catalogue's, the others
it has not.

{markdown(["planted into", *places[0]], places[1])}

## Right files

{markdown(["written", *columns], right)}

A draw is of a seed and of sizes for rows, steps, features, units and classes, each from 1 to 6.

## Seconds

Of the processor's time, for `npbilstm check FILE.py` with all three in it, from its start to its end, the median of
several runs:

{markdown(["in the file", "seconds"], times)}

## What it cannot do

- **A mistake with a constant of its own** (a 1.1 that nobody else would write) or in a form that the catalogue has not
  is never named. It is located, and a location is where to look first, not a verdict.
- **A forward pass that is wrong in an unknown way** has its equation told where what it computes on its way can be seen
  by name, or where a small change of one gives its outputs; in both directions at once neither is tried.
- **Two mistakes in one line** cannot be told from one that nobody knows, and three mistakes are not tried.
- **Two mistakes can hide each other**: what the one spoils, the other may overwrite. Mend what is named and run again.
- **What is built on something wrong is judged with it.** The first subject that is wrong tells the most; what stands
  above it may be wrong for no other reason even where no name is given there.
"""


WRITTEN = {
    "textbook": "the textbook's own functions, all of them",
    "cs231n": "as in CS231n: gates i, f, o, g, no initial cell state, no lengths",
    "columns": "columns.py",
}


def percent(part: int, whole: int) -> str:
    """A share in percent, rounded down: 100 only where it is all."""
    return f"{1000 * part // whole / 10:g} %"


def markdown(header: list[str], rows: list[list[str]]) -> str:
    """A table whose first column names what the others count."""
    rule = "|---|" + "---:|" * (len(header) - 1)
    return "\n".join(["| " + " | ".join(header) + " |", rule, *("| " + " | ".join(row) + " |" for row in rows)])
