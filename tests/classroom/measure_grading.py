"""Measure how long a class takes to be graded, and look whether its scores are as they should be.

python -m tests.classroom.measure_grading --count 200 --jobs 2
"""

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from npbilstm.classroom.exercises import ALL
from npbilstm.cli import main as npbilstm
from tests.classroom.made_class import make_class


def records_in(results):
    """The results in a folder, by the submissions' names."""
    lines = (results / "results.jsonl").read_text().splitlines()
    return {record["submission"]: record for record in map(json.loads, lines)}


def faults(made, records, exercises=ALL):
    """What is not as it should be: a sentence for each. One mistake costs points where it is, and nowhere else."""
    for name, (where, bug) in made.items():
        for part in records[name]["parts"]:
            lost = part["score"] < part["max_score"]
            if lost != (where is not None and part["exercise"] == where.name):
                yield f"{name}: {part['exercise']} has {part['score']:g} of {part['max_score']:g}; it has {bug}"
        if {part["exercise"] for part in records[name]["parts"]} != {exercise.name for exercise in exercises}:
            yield f"{name}: it was not graded in all exercises"


def processor_seconds():
    """Seconds of the processor's time of this process and of all that it has waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def main():
    parser = argparse.ArgumentParser(prog="python -m tests.classroom.measure_grading", description=__doc__)
    parser.add_argument("--count", type=int, default=200, help="submissions (%(default)s)")
    parser.add_argument("--jobs", type=int, default=2, help="at once (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = make_class(Path(folder, "submitted"), options.count)
        begin, before = time.perf_counter(), processor_seconds()
        asked = ["grade", f"{folder}/submitted", "--out", f"{folder}/results", "--seed", "5"]
        code = npbilstm([*asked, "--jobs", str(options.jobs)])
        seconds, processor = time.perf_counter() - begin, processor_seconds() - before
        records = records_in(Path(folder, "results"))
    found = list(faults(made, records))
    named = sum(
        bug is not None and any(bug.id in part["mistakes"] for part in records[name]["parts"])
        for name, (_, bug) in made.items()
    )
    print(*found, sep="\n", end="\n" * bool(found))
    print(
        f"{options.count} submissions of {len(ALL)} exercises, {options.jobs} at once: {seconds:.0f} s, "
        f"{processor:.0f} s of processor time; {named} of {options.count - 1} mistakes named as they were made; "
        f"{len(found)} scores are not as they should be"
    )
    return code or bool(found)


if __name__ == "__main__":
    raise SystemExit(main())
