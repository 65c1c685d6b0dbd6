"""The museum of real mistakes: what somebody did in public, rebuilt small, and what the checker says of it.

python -m tutorials.museum                     judge all of them
python -m tutorials.museum NAME                one: its story, its code, and the whole report
python -m tutorials.museum --write             all of them into the table of tutorials/guides/museum.md
python -m tutorials.museum --unknown           what would be said if the catalogue had not each
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from npbilstm.mistakes.exhibit import Exhibit, exhibits
from tutorials.museum.exhibit import Finding, find, find_unknown, judge

GUIDE = Path(__file__).parents[1] / "guides" / "museum.md"
BEGIN, END = "<!-- exhibits -->\n", "<!-- end -->\n"
ISSUE = re.compile(r"([\w.-]+)/([\w.-]+) #(\d+)")
NOTEBOOK = re.compile(r"([\w.-]+)/([\w.-]+), notebook at ([0-9a-f]{7})")
SAYS = {"named": "names it", "said": "says it", "other": "names another", "unnamed": "says that it is wrong, not why"}


def table(found: list[tuple[Exhibit, Finding]]) -> str:
    """The guide's table."""
    lines = ["| the mistake | where | what it looked like | what it is about | the checker |", "|---|---|---|---|---|"]
    for exhibit, finding in found:
        link = f"[{exhibit.title}](../../npbilstm/mistakes/exhibits/{exhibit.path.name})"
        says = f"{SAYS.get(finding.verdict, 'does not see it')}: {finding.headline}"
        lines.append(f"| {link} | {linked(exhibit.source)} | {exhibit.looked_like} | {exhibit.concept} | {says} |")
    return "\n".join(lines) + f"\n\n{count(found)}\n"


def linked(source: str) -> str:
    """Where an exhibit comes from, its issues and its notebook as links."""
    source = NOTEBOOK.sub(r"[\2](https://github.com/\1/\2/tree/\3), notebook at \3", source)
    return ISSUE.sub(r"[\2 #\3](https://github.com/\1/\2/issues/\3)", source)


def count(found: list[tuple[Exhibit, Finding]]) -> str:
    """How many were found."""
    return f"Found {sum(finding.found for _, finding in found)} of {len(found)} in the wild."


def written(page: str, found: list[tuple[Exhibit, Finding]]) -> str:
    """The guide with this table in it."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    return f"{before}{begin}\n{table(found)}\n{end}{after}"


def show(exhibit: Exhibit) -> None:
    """One exhibit: story, code, report."""
    print(f"{exhibit.title} ({exhibit.source})\n\n{exhibit.looked_like}\n")
    print(exhibit.code.strip(), end="\n\n")
    print(judge(exhibit))


def main(arguments: list[str] | None = None) -> int:
    """The command -> its exit code: 0 where all are found, 1 where one is not, 2 for a name that there is not."""
    parser = argparse.ArgumentParser(prog="python -m tutorials.museum", description="Real mistakes, and the checker.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="show one of them")
    parser.add_argument("--write", action="store_true", help="write the table of the guide")
    parser.add_argument("--unknown", action="store_true", help="judge each as if the catalogue did not have it")
    options = parser.parse_args(arguments)
    all_of_them = {exhibit.name: exhibit for exhibit in exhibits()}
    if options.name is not None:
        if options.name not in all_of_them:
            parser.error(f"there is no exhibit {options.name!r}; there are {', '.join(all_of_them)}")
        show(all_of_them[options.name])
        return 0
    width = max(map(len, all_of_them))
    if options.unknown:
        for exhibit in all_of_them.values():
            if exhibit.bug:
                print(f"{exhibit.name:{width}}  {find_unknown(exhibit).headline}", flush=True)
        return 0
    found = []
    for exhibit in all_of_them.values():
        finding = find(exhibit)
        found.append((exhibit, finding))
        print(f"{'found' if finding.found else 'NOT  '}  {exhibit.name:{width}}  {finding.headline}", flush=True)
    print(f"\n{count(found)}")
    if options.write:
        page = Path(GUIDE)
        page.write_text(written(page.read_text(encoding="utf-8"), found), encoding="utf-8", newline="\n")
    return 0 if all(finding.found for _, finding in found) else 1


if __name__ == "__main__":
    sys.exit(main())
