"""Try many broken files of every kind that a command reads: changed good ones, and some made to be difficult."""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

from tests.fuzz.bases import installed
from tests.fuzz.cases import PACKAGES, SUFFIXES, Case
from tests.fuzz.crafted import crafted_cases
from tests.fuzz.run import MEGABYTES, SECONDS, mutated_cases, try_all


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--seed", type=int, default=0, help="another seed, other files (%(default)s)")
    parser.add_argument("--mutated", type=int, default=2000, help="how many changed files (%(default)s)")
    parser.add_argument("--only", metavar="TEXT", help="the files with this in their names alone")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="write the files there, and do not try them")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="processes at once (%(default)s)")
    options = parser.parse_args()
    start = time.monotonic()
    cases = [*crafted_cases(), *mutated_cases(options.seed, options.mutated)]
    if options.only:
        cases = [case for case in cases if options.only in case.name]
    if options.keep:
        keep(cases, options.keep)
        return 0
    for kind in PACKAGES:
        if not installed(kind):
            print(f"left out: {kind}, since {PACKAGES[kind]} is not installed")
    failures = try_all(cases, options.workers)
    for failure in failures:
        print(f"\n{failure}\n  again: python -m tests.fuzz --seed {options.seed} --only {failure.case.name!r}")
    crafted = sum(case in crafted_cases() for case in cases)
    print(
        f"\n{crafted} crafted and {len(cases) - crafted} changed files, each within {MEGABYTES} MB and {SECONDS:g} s: "
        f"{len(failures)} failures, in {time.monotonic() - start:.0f} s"
    )
    return 1 if failures else 0


def keep(cases: list[Case], folder: Path) -> None:
    """Write the files of cases, to look at."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases:
        case.write(folder / (case.name.replace("/", "-").replace(" ", "-")[:100] + SUFFIXES[case.kind]))


if __name__ == "__main__":
    sys.exit(main())
