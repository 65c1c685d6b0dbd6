"""What the pages of a class have in common: one file each, for any screen, light or dark, and for paper; no scripts and
nothing from elsewhere."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from npbilstm.printable import in_lines, one_line

NAME = 80
"""How many characters of a name are shown."""
STYLE = """
:root { color-scheme: light dark; --ground: #fdfdfb; --ink: #1f1f1f; --quiet: #5f6368; --line: #dcdcd6;
  --panel: #f5f5f0; --link: #0b5a94; --right: #2f7d5b; --before: #8fc3a8; --begun: #d9b43c; --wrong: #c8503c;
  --none: #cfcfc8; --unjudged: #7a5fb0; --bar: #4a86b0 }
@media (prefers-color-scheme: dark) {
  :root { --ground: #16181c; --ink: #e6e6e6; --quiet: #a0a4aa; --line: #34383f; --panel: #1d2025; --link: #8cc7f2;
    --right: #3f9d74; --before: #2c5f4a; --begun: #b8942a; --wrong: #d2644f; --none: #3c4047;
    --unjudged: #9a84c9; --bar: #4a86b0 }
}
* { box-sizing: border-box }
body { background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; margin: 0 auto;
  max-width: 62rem; padding: 1.2rem 1.25rem 3rem }
h1 { font-size: 1.5rem; line-height: 1.25; margin: 0; overflow-wrap: anywhere; unicode-bidi: isolate }
h2 { font-size: 1.15rem; margin: 2.2rem 0 .4rem; break-after: avoid }
h3 { font-size: 1rem; margin: 1.5rem 0 .3rem; break-after: avoid; display: flex; flex-wrap: wrap; gap: .1rem .8rem }
h3 small { color: var(--quiet); font-weight: 400; font-size: .9rem }
p { margin: .3rem 0; max-width: 46rem } .quiet { color: var(--quiet); font-size: .9rem }
a { color: var(--link) } ul { margin: .3rem 0; padding-left: 1.2rem } li { margin: .25rem 0 }
bdi { overflow-wrap: anywhere }
.scrolls { overflow-x: auto }
table { border-collapse: collapse; width: 100%; margin: .5rem 0; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .3rem .7rem .3rem 0; border-bottom: 1px solid var(--line); vertical-align: top }
th { font-weight: 600; font-size: .85rem; color: var(--quiet); vertical-align: bottom } tr { break-inside: avoid }
td.number, th.number { text-align: right; white-space: nowrap; width: 1% } td.wide { min-width: 5rem; width: 40% }
code, pre { font: .85rem/1.45 ui-monospace, Menlo, Consolas, monospace }
pre { background: var(--panel); border: 1px solid var(--line); border-radius: 6px; padding: .6rem .8rem;
  margin: .3rem 0; white-space: pre-wrap; overflow-wrap: anywhere }
.bar { display: flex; height: .9rem; margin: .3rem 0; border-radius: 3px; overflow: hidden; background: var(--panel);
  forced-color-adjust: none; print-color-adjust: exact; -webkit-print-color-adjust: exact }
.bar i { display: block; border-right: 1px solid var(--ground) } .bar i:last-child { border: 0 }
.key { display: flex; flex-wrap: wrap; gap: .1rem 1.1rem; font-size: .9rem; color: var(--quiet) }
.key i { display: inline-block; width: .8rem; height: .8rem; border-radius: 2px; margin-right: .4em;
  vertical-align: -.05em; forced-color-adjust: none; print-color-adjust: exact; -webkit-print-color-adjust: exact }
@media (max-width: 34rem) { body { padding: .9rem .9rem 2rem; font-size: 15px } th, td { padding-right: .5rem }
  td.wide { width: 20%; min-width: 3.5rem } }
@media print {
  :root { color-scheme: light; --ground: #fff; --ink: #000; --quiet: #444; --line: #bbb; --panel: #f4f4f0; --link: #000;
    --right: #2f7d5b; --before: #8fc3a8; --begun: #d9b43c; --wrong: #c8503c; --none: #cfcfc8; --unjudged: #7a5fb0 }
  body { font-size: 10.5pt; padding: 0; max-width: none } .scrolls { overflow: visible }
}
"""


def text(words: object) -> str:
    """Words for a page, whatever is in them."""
    return html.escape(in_lines(str(words)))


def name(words: str) -> str:
    """Somebody's name for a page: on one line, and in its own direction of reading."""
    return f"<bdi>{html.escape(one_line(words, NAME))}</bdi>"


def document(title: str, parts: Iterable[str]) -> str:
    """A page. title: words. parts: of its body, in HTML."""
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(one_line(title, 2 * NAME))}</title>\n<style>{STYLE}</style>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = (), wide: int = -1) -> str:
    """A table. rows: cells in HTML. numbers: the columns that are numbers; wide: the one that has a bar."""

    def row(cells: Sequence[str], tag: str) -> str:
        kinds = ["number" if k in numbers else "wide" if k == wide else "" for k in range(len(cells))]
        marked = (f' class="{kind}"' if kind else "" for kind in kinds)
        return "<tr>" + "".join(f"<{tag}{kind}>{cell}</{tag}>" for kind, cell in zip(marked, cells)) + "</tr>"

    body = "\n".join(row(cells, "td") for cells in rows)
    return f'<div class="scrolls"><table><thead>{row(heads, "th")}</thead>\n<tbody>\n{body}\n</tbody></table></div>'


def bar(parts: Iterable[tuple[str, float]]) -> str:
    """A bar of parts: colours of the style, and shares of the whole."""
    shown = "".join(
        f'<i style="width:{100 * share:.4g}%;background:var(--{c})"></i>' for c, share in parts if share > 0
    )
    return f'<div class="bar" aria-hidden="true">{shown}</div>'


def key(meanings: Iterable[tuple[str, str]]) -> str:
    """What the colours of bars stand for."""
    shown = "".join(f'<span><i style="background:var(--{colour})"></i>{text(said)}</span>' for colour, said in meanings)
    return f'<div class="key">{shown}</div>'
