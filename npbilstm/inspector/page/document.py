"""The document: markup, style, script and data in one text, which fetches nothing and runs anywhere."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from npbilstm.inspector.highlight import DARK, LIGHT
from npbilstm.inspector.indices import row_of
from npbilstm.inspector.page.over_time import pictures_over_time
from npbilstm.inspector.page.payload import payload
from npbilstm.inspector.page.what_if import matters, settings_in_words
from npbilstm.inspector.trace_data import TraceData

SCRIPTS = (
    "numbers",
    "equations",
    "arithmetic",
    "colours",
    "pictures",
    "curves",
    "order",
    "stepmap",
    "transitions",
    "panel",
    "form",
    "rerun",
    "whatif",
    "inspect",
)
"""The files of js/, in the order in which they build on each other."""

HEIGHT = "820px"
"""Of the frame in a notebook."""


def page_html(trace: TraceData, row: int = 0, beside: TraceData | None = None, notes: Sequence[str] = ()) -> str:
    """The page of one row of a trace, as one document.

    beside: a trace of the same input by another model, a fresh one for instance, whose gradients over time are drawn
    dashed beside the trace's own. notes: what else a reader should know, each without its full stop.

    Raises ValueError where the row is not there or has no step, or is too large for a page under 5 MB.
    """
    row, _ = row_of(trace, row)
    style = asset("inspect.css").replace("/* classes */", class_colours())
    script = "\n".join(asset(f"js/{name}.js") for name in SCRIPTS)
    markup = asset("inspect.html")
    pictures, missing = pictures_over_time(trace, row, beside)
    mattering = matters(trace, row)
    data = payload(trace, row, pictures, room=len(markup) + len(style) + len(script) + len(json.dumps(mattering)))
    data["matters"] = mattering
    data["notes"] = [*notes, *settings_in_words(trace, row), *data["notes"], *missing]
    title = html.escape(data["title"])
    parts = {"title": title, "style": style, "script": script, "trace": json_in_html(data)}
    # all at once: what is put in is never looked through for marks again
    return re.sub(r"\{\{(\w+)\}\}", lambda mark: parts[mark.group(1)], markup)


def iframe_html(document: str) -> str:
    """The document in a frame of its own, for a notebook: its script can reach nothing outside."""
    source = html.escape(document, quote=True)
    return (
        f'<iframe sandbox="allow-scripts" srcdoc="{source}" title="Inside the model, step by step" '
        f'style="width:100%;height:{HEIGHT};border:0"></iframe>'
    )


def json_in_html(data: Any) -> str:
    """JSON that cannot end the element it stands in: ASCII, and without < > &."""
    text = json.dumps(data, separators=(",", ":"), allow_nan=False)
    return text.replace("<", r"\u003c").replace(">", r"\u003e").replace("&", r"\u0026")


def class_colours() -> str:
    """The colours of the classes on a light and on a dark ground, as in the page of highlighted text."""
    light = "".join(f".k{k}{{color:{colour}}}" for k, colour in enumerate(LIGHT))
    dark = "".join(f".k{k}{{color:{colour}}}" for k, colour in enumerate(DARK))
    return f"{light}\n@media (prefers-color-scheme: dark) {{ {dark} }}"


def asset(name: str) -> str:
    """The text of a file beside this one."""
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
