"""`npbilstm demo`: check the gradients, train with two directions and with one, show what that changes."""

from __future__ import annotations

import argparse
import html
import re
import time
from pathlib import Path
from shlex import quote
from typing import NamedTuple

import numpy as np

from npbilstm.commands.checks import CHECKS
from npbilstm.commands.classic import TASKS, run_classic
from npbilstm.commands.data import about_data, describe_data
from npbilstm.commands.inspect import page_beside_fresh, trace_input
from npbilstm.commands.options import Subparsers, add_colour, add_command, wants_colour
from npbilstm.commands.terminal import show
from npbilstm.commands.text_inputs import TextInput
from npbilstm.datasets.python_source import (
    CALLED,
    CHARACTERS,
    CLASSES,
    DEFINITION,
    KEYWORD,
    SourceFile,
    cut_to_windows,
    library,
    source_files,
)
from npbilstm.datasets.tagged import TaggedData
from npbilstm.files import only_writer, require_name, write_atomically
from npbilstm.inspector import html_legend, html_page, html_text, terminal_legend, terminal_text
from npbilstm.models import SequenceModel, SequenceTagger
from npbilstm.training import (
    Adam,
    Settings,
    Trainer,
    accuracy,
    confusion,
    predict_long,
    read_checkpoint,
    recall,
    save_checkpoint,
)

FULL = {"characters": 1_000_000, "epochs": 3, "batch_size": 32}
QUICK = {"characters": 200_000, "epochs": 3, "batch_size": 16}
WINDOW = 128
TITLE = "npbilstm: what the second direction sees"


def heading(text: str, colour: bool) -> None:
    """A line between parts."""
    show(f"\n\x1b[1m{text}\x1b[0m" if colour else f"\n{text}")


def check_gradients_of_all() -> str:
    """Run every gradient check. -> one sentence. Raises RuntimeError with the report where one is wrong."""
    start = time.perf_counter()
    reports = {name: check() for name, check in CHECKS.items()}
    for name, report in reports.items():
        if not report.ok:
            raise RuntimeError(f"{name}: {report}")
    entries = sum(report.checked for report in reports.values())
    worst = max(report.worst for report in reports.values())
    return (
        f"{len(reports)} checks, {entries:,} entries, against the complex step in float64: "
        f"the largest relative difference is {worst:.0e} ({time.perf_counter() - start:.1f} s)."
    )


def train_tagger(data: TaggedData, bidirectional: bool, size: dict[str, int], show: bool) -> Trainer:
    """A tagger with 64 units per direction, trained."""
    model = SequenceTagger(len(data.vocabulary), len(data.classes), bidirectional=bidirectional, rng=0)
    trainer = Trainer(model, Adam(0.01), Settings(epochs=size["epochs"], batch_size=size["batch_size"]))
    trainer.train(data.train, data.valid, show=show)
    return trainer


def predict_files(model: SequenceModel, files: list[SourceFile]) -> list[np.ndarray]:
    """The classes of every character of whole files."""
    return predict_long(model, [CHARACTERS.encode(file.text) for file in files], WINDOW)


def comparison_table(files: list[SourceFile], two: list[np.ndarray], one: list[np.ndarray]) -> list[list[str]]:
    """The table: for each class its number of characters and the share that each tagger recognised; all at the end."""
    true = np.concatenate([file.labels for file in files])
    counts = [confusion(true, np.concatenate(predicted), len(CLASSES)) for predicted in (two, one)]
    rows = [["class", "characters", "two directions", "one direction"]]
    shares = zip(CLASSES, counts[0].sum(axis=1), *map(recall, counts))
    rows += [[name, f"{total:,}", *("-" if np.isnan(s) else f"{s:.1%}" for s in both)] for name, total, *both in shares]
    rows.append(["all", f"{len(true):,}", *(f"{accuracy(c):.1%}" for c in counts)])
    return rows


class Passage(NamedTuple):
    """A held-out file and where in its text the passage worth looking at begins and ends."""

    file: SourceFile
    begin: int
    end: int


def choose_passage(files: list[SourceFile], lines: int = 16) -> tuple[int, Passage]:
    """The passage of so many lines with the most characters of called names, among those that also define something.

    -> its file's place in the list, and the passage.
    """
    most, chosen = -1, (0, Passage(files[0], 0, len(files[0].text)))
    for n, file in enumerate(files):
        starts = [0, *np.cumsum([len(line) + 1 for line in file.text.split("\n")]).tolist()]
        for k in range(0, len(starts) - lines, lines // 4):
            begin, end = starts[k], min(starts[k + lines], len(file.text))
            part = file.labels[begin:end]
            called = int((part == CALLED).sum())
            if called > most and (part == DEFINITION).any():
                most, chosen = called, (n, Passage(file, begin, end))
    return chosen


def choose_line(passage: Passage) -> slice:
    """The line of the file, without its indentation, that is best looked into. What counts, the first the most: it has
    30 to 70 characters, it calls something and has a keyword, it stands in the passage, it has
    characters of many classes, it comes early."""
    text, labels = passage.file.text, passage.file.labels

    def worth(line: slice) -> tuple[int, ...]:
        kinds = set(labels[line].tolist())
        told = {CALLED, KEYWORD} <= kinds
        return 30 <= line.stop - line.start <= 70, told, passage.begin <= line.start < passage.end, len(kinds)

    found = re.finditer(r"[^ \t\n][^\n]*", text)
    return max((slice(*match.span()) for match in found), key=worth)


def print_table(rows: list[list[str]]) -> None:
    """Columns, the first to the left and the others to the right."""
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    for row in rows:
        show("  ".join(cell.rjust(w) if k else cell.ljust(w) for k, (cell, w) in enumerate(zip(row, widths))))


def side_by_side(passage: Passage, two: np.ndarray, one: np.ndarray) -> str:
    """The passage as two directions and as one direction see it, mistakes marked."""
    part = slice(passage.begin, passage.end)
    text, true = list(passage.file.text[part]), passage.file.labels[part]
    panels = []
    for title, predicted in [("Two directions", two[part]), ("One direction", one[part])]:
        wrong = predicted != true
        share = f"<b>{title}</b>: {1 - wrong.mean():.1%} of the characters right, {wrong.sum():,} wrong"
        panels.append(f"<section><p>{share}</p><pre>{html_text(text, predicted, wrong)}</pre></section>")
    return f'<div class="side">{"".join(panels)}</div>'


def page(checked: str, rows: list[list[str]], passage: Passage, two: np.ndarray, one: np.ndarray) -> str:
    """The HTML page: the table, the passage, and its whole file, each as both taggers see it."""
    tags = ["th"] + ["td"] * (len(rows) - 1)
    cells = ("".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) for tag, row in zip(tags, rows))
    table = f"<table>{''.join(f'<tr>{row}</tr>' for row in cells)}</table>"
    name = html.escape(passage.file.path.name)
    whole = passage._replace(begin=0, end=len(passage.file.text))
    return html_page(
        TITLE,
        f"""<h1>What the second direction sees</h1>
<p>A bidirectional LSTM in plain NumPy has learned, from Python's own standard library, what each character of a program
is. Below are its results on files that it has never seen, beside those of an LSTM that reads forward only. What makes
a name a call is the bracket <em>after</em> it: reading forward, one can only guess.</p>
{table}
<p class="quiet">Before the training: {html.escape(checked)}</p>
<h2>A passage of {name}, held out</h2>
{html_legend(CLASSES)}
{side_by_side(passage, two, one)}
<details><summary>The whole file</summary>
{side_by_side(whole, two, one)}
</details>
<h2>Inside the model</h2>
<p><a href="inside.html">Every gate and state at a held-out line, and each unit's equations with their
numbers</a></p>""",
    )


MADE_BY = "npbilstm demo"
"""What the demonstration's model says of itself."""


def require_own_folder(out: Path) -> None:
    """Raise where out holds files that the demonstration would replace and has not made."""
    theirs = out / "page.html"
    ours = theirs.is_file() and TITLE in theirs.read_text(encoding="utf-8", errors="replace")
    for name in ("page.html", "inside.html", "model.npz"):
        if (out / name).exists() and not ours and not made_here(out / "model.npz"):
            raise ValueError(f"{out / name} exists and is not the demonstration's; choose another folder with --out")
        if (out / name).exists() and not (out / name).is_file():
            raise ValueError(f"{out / name} is a folder or a device; the demonstration needs to write a file there")


def made_here(path: Path) -> bool:
    """Whether this is a model of the demonstration, as one that was stopped leaves it, without its page."""
    try:
        return read_checkpoint(path).about.get("made by") == MADE_BY
    except (OSError, ValueError):
        return False


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "demo",
        "check the gradients, train on Python's own source, and show what the second direction is worth",
        "  npbilstm demo\n  npbilstm demo --quick --out first-look\n"
        "  npbilstm demo --classic                       the classic tasks, by RNN, LSTM and GRU: some minutes\n"
        "  npbilstm demo --classic adding --plot fading.png",
    )
    command.add_argument("--quick", action="store_true", help="less data: a few seconds, a little less accurate")
    command.add_argument("--out", default="npbilstm-demo", help="folder for the page and the model (%(default)s)")
    command.add_argument("--quiet", action="store_true", help="no progress bars")
    command.add_argument("--classic", nargs="*", metavar="TASK", help=f"instead: all of {', '.join(TASKS)}, or one")
    command.add_argument("--sequences", type=int, metavar="N", help="with --classic: give up after so many")
    command.add_argument("--plot", metavar="FILE", help="with --classic: how the gradient fades, .png, .svg or .pdf")
    add_colour(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """The demonstration. -> the exit code."""
    if options.classic is not None:
        run_classic(options.classic, options.sequences, options.plot, bars=not options.quiet)
        return 0
    for name in ("sequences", "plot"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} goes with --classic")
    if not options.out:
        raise ValueError("--out is empty; it needs the name of a folder")
    require_name("--out", options.out)
    out = Path(options.out)
    require_own_folder(out)
    out.mkdir(parents=True, exist_ok=True)
    with only_writer(out / "model.npz"):  # which also finds out, before all the work, that nothing can be written here
        demonstrate(out, QUICK if options.quick else FULL, wants_colour(options.color), bars=not options.quiet)
    return 0


def demonstrate(out: Path, size: dict[str, int], colour: bool, bars: bool) -> None:
    """All of it, in order; the model is saved as soon as it is trained."""
    start = time.perf_counter()
    show("npbilstm: a bidirectional LSTM in plain NumPy, checked, trained and looked at.")

    heading("1. Are the gradients right?", colour)
    checked = check_gradients_of_all()
    show(checked)

    heading("2. The data: the standard library of this Python, a class for every character", colour)
    files = source_files(size["characters"])
    data = cut_to_windows(files, WINDOW)
    taken = {part: (sum(len(file.text) for file in members), len(members)) for part, members in files.items()}
    for note in library()[2]:
        show(note)
    show(", ".join(f"{part}: {total:,} characters of {number} files" for part, (total, number) in taken.items()))
    show(terminal_legend(CLASSES, colour))

    heading("3. Training two directions, 64 units each", colour)
    trainer = train_tagger(data, True, size, bars)
    description = describe_data(None, None, None, size["characters"], WINDOW, seed=0)
    said = {**about_data(data, description).to_json(), "made by": MADE_BY}
    save_checkpoint(out / "model.npz", trainer, said)
    heading("4. Training one direction, which reads forward only", colour)
    rival = train_tagger(data, False, size, bars)

    heading("5. What the second direction is worth: characters recognised, in files never seen", colour)
    two, one = (predict_files(model, files["test"]) for model in (trainer.model, rival.model))
    rows = comparison_table(files["test"], two, one)
    print_table(rows)
    show("\nWhat makes a name a call is the bracket after it: reading forward, one can only guess.")

    n, passage = choose_passage(files["test"])
    heading(f"6. A passage of {passage.file.path.name}, held out, as each sees it (mistakes underlined)", colour)
    part = slice(passage.begin, passage.end)
    for title, predicted in [("Two directions", two[n][part]), ("One direction", one[n][part])]:
        wrong = predicted != passage.file.labels[part]
        show(f"\n{title}: {wrong.sum()} of {wrong.size:,} characters wrong")
        show(terminal_text(list(passage.file.text[part]), predicted, wrong, colour).rstrip("\n"))

    line = choose_line(passage)
    text_input = TextInput(
        list(passage.file.text[line]), CHARACTERS.encode(passage.file.text[line]), passage.file.labels[line]
    )
    inside = page_beside_fresh(trainer.model, trace_input(trainer.model, text_input, CLASSES), text_input, CLASSES)
    whole = page(checked, rows, passage, two[n], one[n]).encode()
    write_atomically(out / "page.html", lambda target: target.write(whole))
    write_atomically(out / "inside.html", lambda target: target.write(inside))
    heading(f"Done in {time.perf_counter() - start:.0f} s", colour)
    model = quote(str(out / "model.npz"))
    show("Open in a browser:")
    show(f"  the whole file, beside what one direction makes of it: {(out / 'page.html').resolve().as_uri()}")
    show(f"  inside the model, at one line of it: {(out / 'inside.html').resolve().as_uri()}")
    show(f'Inside it, at a text of yours: npbilstm inspect {model} --text "return name(x)" --out inside.html')
    show(f"The model, on a file of yours: npbilstm tag {model} FILE.py")
