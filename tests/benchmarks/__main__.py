"""Race this engine against its peers, measure what else is promised, and write tables, JSON and a chart."""

from __future__ import annotations

import argparse
import datetime
import json
import sys
from pathlib import Path
from typing import Any

from npbilstm.files import write_atomically
from npbilstm.training.progress import on_terminal, tell
from tests.benchmarks.measures import MEASURES
from tests.benchmarks.race import Times, installed, race, rows_of, run_worker
from tests.benchmarks.report import chart, machine, tables

START, END = "<!-- measured -->\n", "<!-- end -->"
"""Between these the page holds the tables; the rest of it is prose, and stays."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two shapes, one turn: about a minute, only a rough idea")
    parser.add_argument("--turns", type=int, help="turns of the race; 3, or 1 with --quick")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks"),
        help="the folder for speed.json, speed.png, and tables in speed.md",
    )
    options = parser.parse_args()
    turns = (1 if options.quick else 3) if options.turns is None else options.turns
    if turns < 1:
        parser.error(f"argument --turns: {turns} is too few; it needs at least 1")
    page = options.out / "speed.md"
    try:  # before the race, not after
        options.out.mkdir(parents=True, exist_ok=True)
        whole = page.read_text() if page.exists() else START + END + "\n"
        write_atomically(page, lambda file: file.write(whole.encode()))
    except OSError as error:
        parser.error(f"argument --out: {options.out} cannot be written to: {error.strerror}")
    if START not in whole or END not in whole.split(START, 1)[1]:
        parser.error(f"argument --out: {page} is there, but without the marks {START.strip()} and {END} for the tables")

    found: Times = {}
    results: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "turns": turns,
        "machine": machine(),
        "race": [],
        "measures": {},
        "failed": {},
    }
    try:
        race(options.quick, turns, progress, found, results["failed"])
        for name in MEASURES:
            if name.startswith("torch") and not installed("pytorch"):
                continue
            progress(name)
            try:
                results["measures"][name] = run_worker({"measure": name, "quick": options.quick}, "one thread")
            except RuntimeError as error:
                results["failed"][name] = str(error)
    except KeyboardInterrupt:
        return stopped(results, found, options.out, "Stopped by Ctrl-C", 130)
    except RuntimeError as error:  # this engine itself
        return stopped(results, found, options.out, str(error), 1)

    results["race"] = rows_of(found)
    text = tables(results)
    print("\n" + text)
    save(results, options.out / "speed.json")
    before, rest = whole.split(START, 1)
    written = before + START + text + END + rest.split(END, 1)[1]
    write_atomically(page, lambda file: file.write(written.encode()))
    try:
        chart(results, options.out / "speed.png")
    except ModuleNotFoundError:
        print("No chart: matplotlib is not installed; pip install 'npbilstm[benchmarks]' brings it.")
    print(f"Written to {options.out}.")
    return 0


def progress(line: str) -> None:
    """Where we are, on standard error: one line on a terminal, a line each elsewhere."""
    tell(f"\r\x1b[K{line}" if on_terminal() else f"{line}\n")


def save(results: dict[str, Any], path: Path) -> None:
    write_atomically(path, lambda file: file.write(json.dumps(results, indent=1).encode()))


def stopped(results: dict[str, Any], found: Times, folder: Path, why: str, code: int) -> int:
    """Keep what has been measured, beside what an earlier run wrote."""
    results["race"] = rows_of(found)
    save(results, folder / "stopped.json")
    print(f"\n{why}; what was measured until then is in {folder / 'stopped.json'}", file=sys.stderr)
    return code


if __name__ == "__main__":
    sys.exit(main())
