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
from tests.benchmarks.pages import END, START, filled, has_marks, paragraph
from tests.benchmarks.process import run_worker
from tests.benchmarks.race import installed, qualify, race_laps, rows_of, run_laps, with_floor
from tests.benchmarks.report import chart, machine, tables
from tests.benchmarks.settings import Settings
from tests.benchmarks.shapes import CELLS
from tests.benchmarks.targets import verdict_table

STOPPED = "stopped.json"
"""What a run has measured so far, written after every shape; --resume goes on from it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few shapes, one turn: a minute, only a rough idea")
    parser.add_argument("--only", choices=[cell.lower() for cell in CELLS], help="one cell; the default is both")
    parser.add_argument("--turns", type=int, help="turns of the race; 3, or 1 with --quick")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks"),
        help="the folder for speed.json, speed.png, and tables in speed.md",
    )
    parser.add_argument("--readme", type=Path, help="a file that gets the paragraph with the means between its marks")
    parser.add_argument("--resume", action="store_true", help=f"go on with the run whose measures are in {STOPPED}")
    parser.add_argument("--no-race", action="store_true", help="write the pages again from the speed.json in --out")
    options = parser.parse_args()
    turns = (1 if options.quick else 3) if options.turns is None else options.turns
    if turns < 1:
        parser.error(f"argument --turns: {turns} is too few; it needs at least 1")
    if options.readme and (options.quick or options.only):
        parser.error("argument --readme: its paragraph needs a whole race, without --quick and without --only")
    page = options.out / "speed.md"
    for argument, path in [("--out", page), ("--readme", options.readme)]:  # before the race, not after
        if why := path and not_fillable(path, make=path is page):
            parser.error(f"argument {argument}: {why}")
    asked = {"quick": options.quick, "only": options.only, "turns": turns}
    results = {**asked, **new_results()}
    if options.no_race or options.resume:
        argument, file = ("--no-race", "speed.json") if options.no_race else ("--resume", STOPPED)
        try:
            results = json.loads((options.out / file).read_text())
        except (OSError, ValueError) as error:
            parser.error(f"argument {argument}: {options.out / file} cannot be read: {error}")
    if not options.no_race:
        if asked != {name: results.get(name) for name in asked}:
            parser.error(f"argument --resume: {options.out / STOPPED} is of a run with other options")
        code = measure(results, options.out)
        if code:
            return code
        save(results, options.out / "speed.json")
        (options.out / STOPPED).unlink(missing_ok=True)
    return write_pages(results, page, options.readme)


def not_fillable(page: Path, make: bool) -> str:
    """Why a page cannot take what will be measured, and "" if it can; `make` it where there is none."""
    try:
        if make and not page.exists():
            page.parent.mkdir(parents=True, exist_ok=True)
            write(page, START + END + "\n")
        text = page.read_text()
        write(page, text)
    except OSError as error:
        return f"{page} cannot be written to: {error.strerror}"
    return "" if has_marks(text) else f"{page} is there, but without the marks {START.strip()} and {END}"


def new_results() -> dict[str, Any]:
    return {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "best": {},
        "race": [],
        "found": [],
        "qualifying": [],
        "measures": {},
        "failed": {},
    }


def measure(results: dict[str, Any], folder: Path) -> int:
    """Fill the results with what they lack; 0, or an exit code where it stopped early."""
    quick, failed = results["quick"], results["failed"]
    cells = [results["only"].upper()] if results["only"] else CELLS
    found = {tuple(key): [tuple(pair) for pair in times] for key, times in results["found"]}

    best = {key: Settings(**settings) for key, settings in results["best"].items()}

    def keep() -> None:
        results["found"] = list(found.items())
        results["best"] = {key: settings._asdict() for key, settings in best.items()}
        save(results, folder / STOPPED)

    code, why = 0, ""
    try:
        qualify(cells, quick, progress, best, results["qualifying"], failed, keep)
        laps = list(race_laps(best, cells, quick, results["turns"]))
        run_laps(laps, 0.1 if quick else 0.15, progress, found, failed, keep)
        for name in MEASURES:
            if name in results["measures"] or (name.startswith("torch") and not installed("pytorch")):
                continue
            progress(name)
            try:
                results["measures"][name] = run_worker({"measure": name, "quick": quick}, "one thread")
            except RuntimeError as error:
                failed[name] = str(error)
            keep()
    except KeyboardInterrupt:
        code, why = 130, "Stopped by Ctrl-C"
    except RuntimeError as error:  # this engine itself
        code, why = 1, str(error)
    if code:  # beside what an earlier run wrote
        keep()
        print(f"\n{why}; what was measured until then is in {folder / STOPPED}: --resume goes on", file=sys.stderr)
        return code
    results["race"] = rows_of(with_floor(found))
    del results["found"]
    return 0


def write_pages(results: dict[str, Any], page: Path, readme: Path | None) -> int:
    """Tables and chart beside speed.json, the README's paragraph; 1 where the results have not all that it needs."""
    text = tables(results)
    print("\n" + text)
    print(verdict_table(results) + "\n")
    write(page, filled(page.read_text(), text))
    try:
        chart(results, page.with_name("speed.png"))
    except ModuleNotFoundError:
        print("No chart: matplotlib is not installed; pip install 'npbilstm[plots]' brings it.")
    print(f"Written to {page.parent}.")
    if readme:
        try:
            write(readme, filled(readme.read_text(), paragraph(results)))
        except RuntimeError as error:
            print(f"{readme} stays as it was: {error}.", file=sys.stderr)
            return 1
        print(f"Written to {readme}.")
    return 0


def write(page: Path, text: str) -> None:
    write_atomically(page, lambda file: file.write(text.encode()))


def progress(line: str) -> None:
    """Where we are, on standard error: one line on a terminal, a line each elsewhere."""
    tell(f"\r\x1b[K{line}" if on_terminal() else f"{line}\n")


def save(results: dict[str, Any], path: Path) -> None:
    write(path, json.dumps(results, indent=1))


if __name__ == "__main__":
    sys.exit(main())
