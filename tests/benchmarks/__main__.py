"""Race this engine against its peers, measure what else is promised, and write tables, JSON and a chart."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import sys
from pathlib import Path
from typing import Any

from npbilstm.training.checkpoints import write_atomically
from tests.benchmarks.measures import MEASURES
from tests.benchmarks.race import installed, race, run_worker
from tests.benchmarks.report import chart, machine, tables

MARKED = re.compile(r"(?<=<!-- measured -->\n).*(?=<!-- end -->)", re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two shapes, one turn: about a minute, only a rough idea")
    parser.add_argument("--turns", type=int, help="turns of the race; 3, or 1 with --quick")
    parser.add_argument(
        "--out",
        type=Path,
        default=Path("benchmarks"),
        help="the folder for speed.json, speed.png and the tables in speed.md",
    )
    options = parser.parse_args()
    turns = options.turns or (1 if options.quick else 3)
    if turns < 1:
        parser.error(f"argument --turns: {turns} is too few; it needs at least 1")

    def progress(line: str) -> None:
        print(
            f"\r\x1b[K{line}" if sys.stderr.isatty() else line,
            end="" if sys.stderr.isatty() else "\n",
            file=sys.stderr,
            flush=True,
        )

    results: dict[str, Any] = {
        "date": datetime.date.today().isoformat(),
        "turns": turns,
        "machine": machine(),
        "race": race(options.quick, turns, progress),
        "measures": {},
    }
    for name in MEASURES:
        if name.startswith("torch") and not installed("pytorch"):
            continue
        progress(name)
        results["measures"][name] = run_worker({"measure": name, "quick": options.quick}, "one thread")
    progress("\n" if sys.stderr.isatty() else "")

    text = tables(results)
    print(text)
    options.out.mkdir(parents=True, exist_ok=True)
    write_atomically(options.out / "speed.json", lambda file: file.write(json.dumps(results, indent=1).encode()))
    page = options.out / "speed.md"
    whole = page.read_text() if page.exists() else "<!-- measured -->\n<!-- end -->\n"
    written = MARKED.sub(lambda _: text, whole)
    write_atomically(page, lambda file: file.write(written.encode()))
    try:
        chart(results, options.out / "speed.png")
    except ModuleNotFoundError:
        print("No chart: matplotlib is not installed; pip install 'npbilstm[benchmarks]' brings it.")
    print(f"Written to {options.out}: speed.json, speed.md, speed.png")
    return 0


if __name__ == "__main__":
    sys.exit(main())
