"""`npbilstm grade`: a class's submissions, run in a sandbox, as points and feedback."""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from npbilstm.classroom.batch import Settings, grade_all, require_settings, sandbox_here, unjudged
from npbilstm.classroom.class_page import write_pages
from npbilstm.classroom.cluster import on_cluster
from npbilstm.classroom.collected import left_out
from npbilstm.classroom.course_form import exercises_in_form
from npbilstm.classroom.executors import here
from npbilstm.classroom.exercises import exercises_named
from npbilstm.classroom.graded import FORMATS, write_results
from npbilstm.commands.options import Subparsers, add_command
from npbilstm.commands.terminal import say
from npbilstm.files import only_writer
from npbilstm.printable import cut, one_line
from npbilstm.processes import require_processes
from npbilstm.submission.contained_form import OFFERED
from npbilstm.submission.conventions import conventions_of
from npbilstm.submission.sandbox import Layers

QUOTED = 100
"""How many characters of a name are shown."""


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "grade",
        "grade a class: submissions in a sandbox, as points and feedback",
        "  npbilstm grade submitted --out results                  a folder, a zip or files for each\n"
        "  npbilstm grade submitted --out results --format csv --only flip padding\n"
        "  npbilstm grade submitted --out results --hint-by-attempt 1,1,2,3\n\n"
        "An interrupted run goes on where it was. exit codes: 0 all are graded, 3 some are not",
    )
    command.add_argument("submissions", metavar="SUBMISSIONS", help="the folder that they are in")
    command.add_argument("--out", metavar="RESULTS", required=True, help="a folder, made where it is not there")
    command.add_argument("--format", choices=FORMATS, default="jsonl", help="of the results (%(default)s)")
    command.add_argument("--jobs", type=int, metavar="N", default=os.cpu_count() or 1, help="at once (%(default)s)")
    command.add_argument("--cluster", metavar="ADDRESS", help="have a Dask scheduler's workers grade (extra cluster)")
    command.add_argument("--seed", type=int, metavar="S", help="of the inputs (drawn, and kept in RESULTS)")
    command.add_argument("--form", choices=["textbook", *OFFERED], default="textbook", help="that was handed out")
    command.add_argument("--variant", type=int, metavar="SEED", help="the one that was handed out, whatever files say")
    command.add_argument("--only", nargs="+", metavar="NAME", help="these exercises and no others")
    command.add_argument(
        "--hint-by-attempt", metavar="1,1,2,3", default="1", help="how much is told at each attempt (%(default)s)"
    )
    command.add_argument("--seconds", type=float, default=5.0, help="of processor time, for one call (%(default)s)")
    command.add_argument(
        "--unsafe-no-sandbox", action="store_true", help="grade also where what holds submissions has an opening"
    )
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Grade, and write the results. -> the exit code."""
    if not options.cluster:
        require_processes("grade, which runs what others have written in a sandbox,")
    if options.jobs < 1:
        raise ValueError(f"--jobs is {options.jobs}; it needs 1 or more")
    if not 0 < options.seconds < 10**6:
        raise ValueError(f"--seconds is {options.seconds:g}; it needs a positive number")
    if options.seed is not None and options.seed < 0:
        raise ValueError(f"--seed is {options.seed}; it needs 0 or more")
    conventions_of(options.variant)  # which says so where there is none
    if options.form != "textbook" and options.variant is not None:
        raise ValueError("--variant goes with the textbook's form; a course's has conventions of its own")
    hints = hints_in(options.hint_by_attempt)
    names = tuple(exercise.name for exercise in exercises_in_form(exercises_named(options.only), options.form))
    if not names:
        raise ValueError(f"none of {', '.join(options.only)} is in the form {options.form}")
    results = Path(options.out)
    if results.exists() and not results.is_dir():
        raise ValueError(f"--out is {results}, which is no folder")
    if not Path(options.submissions).is_dir():
        raise ValueError(f"{options.submissions} is no folder; it needs the folder that the submissions are in")
    how = on_cluster(options.cluster) if options.cluster else here(options.jobs)
    layers = None if options.cluster else sandbox_or_refuse(options.unsafe_no_sandbox)
    seed = require_settings(results, options.seed, names, options.variant, options.form)
    settings = Settings(
        results, names, layers, seed, hints, options.seconds, options.unsafe_no_sandbox, options.variant, options.form
    )
    other = left_out(options.submissions, results)
    if other:
        say(f"No submission, and not graded: {cut(', '.join(one_line(name, QUOTED) for name in other), 10 * QUOTED)}")
    records, lost = {}, []
    with only_writer(results / "grading"):
        for name, record in grade_all(options.submissions, settings, how):
            shown = one_line(name, QUOTED)  # a name may have lines, as if they were another's
            if record is None:
                lost.append(name)
                say(f"{shown}: not graded, the process that graded it was ended; run the same once more")
                continue
            records[name] = record
            say(f"{shown}: {record['score']:g} of {record['max_score']:g} points")
            for sentence in [*record["unread"], *unjudged(record)]:
                say(f"  {one_line(sentence, 10 * QUOTED)}")
        ordered = [records[name] for name in sorted(records)]
        if not ordered:
            return 3
        place, page = write_results(results, ordered, options.format), write_pages(results, ordered)
    say(f"{len(records)} submission{'s'[: len(records) != 1]} graded, seed {seed}: {place}")
    say(f"For who teaches: {page}; a page to hand back to each student: {results / 'students'}")
    return 3 if lost or any(map(unjudged, ordered)) else 0


def sandbox_or_refuse(unsafe: bool) -> Layers:
    """The sandbox; where it has an opening, only on demand. Raises ValueError."""
    layers, found = sandbox_here(unsafe)
    if found:
        say(f"Unsafe: {'; '.join(found)}.")
    else:
        say(f"Sandbox: {'bubblewrap and ' * bool(layers.bubblewrap)}self-containment; a trial run found no opening.")
    return layers


def hints_in(text: str) -> tuple[int, ...]:
    """The levels of --hint-by-attempt. Raises ValueError."""
    levels = text.split(",")
    if not all(level.strip() in ("1", "2", "3") for level in levels):
        raise ValueError(f"--hint-by-attempt is {text!r}; it needs levels from 1 to 3 with commas between: 1,1,2,3")
    return tuple(map(int, levels))
