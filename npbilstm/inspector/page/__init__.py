"""The interactive page of a trace: one document that fetches nothing.

document.py   the document: markup, style, script and data in one text
payload.py    the data: what is stored, rounded or left out
encoding.py   arrays as text
what_if.py    what the page needs to compute a changed run
over_time.py  the pictures that take backward passes of their own
inspect.html, inspect.css
js/           the script: numbers, equations, arithmetic, colours, pictures, curves, panel, changed runs, and what
              joins them
"""

from npbilstm.inspector.page.document import iframe_html, page_html

__all__ = ["iframe_html", "page_html"]
