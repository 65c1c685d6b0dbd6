"""The exercises, each with what it teaches, as the table of tutorials/guides/exercises.md.

python -m tutorials.exercises              print the table
python -m tutorials.exercises --write      write it into the guide
"""

from __future__ import annotations

import sys
from pathlib import Path

from npbilstm.classroom.exercises import ALL

GUIDE = Path(__file__).parent / "guides" / "exercises.md"
BEGIN, END = "<!-- list -->\n", "<!-- end -->\n"


def table() -> str:
    """The guide's table: a line for each exercise, and their sum."""
    lines = ["| | exercise, and its name | what it teaches | minutes | points |", "|---|---|---|---|---|"]
    for number, each in enumerate(ALL, 1):
        lines.append(f"| {number} | {each.title}, `{each.name}` | {each.teaches} | {each.minutes} | {each.points} |")
    minutes, points = sum(each.minutes for each in ALL), sum(each.points for each in ALL)
    return "\n".join([*lines, "", f"All {len(ALL)}: about {round(minutes / 60)} hours, {points} points."]) + "\n"


def written(page: str) -> str:
    """The guide with this table in it."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{table()}\n{END}{rest.partition(END)[2]}"


def main(arguments: list[str] | None = None) -> int:
    """The command -> its exit code: 0, or 2 for an argument that there is not."""
    given = sys.argv[1:] if arguments is None else arguments
    if given not in ([], ["--write"]):
        print(f"python -m tutorials.exercises takes --write or nothing; it got {' '.join(given)}", file=sys.stderr)
        return 2
    if given:
        GUIDE.write_text(written(GUIDE.read_text(encoding="utf-8")), encoding="utf-8", newline="\n")
    else:
        print(table(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
