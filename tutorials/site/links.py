"""Does every link of a site lead to a page that is there, to a place on it that is there? Without a network."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

REFERS = {("a", "href"), ("img", "src"), ("script", "src"), ("link", "href"), ("source", "src")}
FETCHED = {"img", "script", "link", "source"}
"""What a browser loads by itself, which is to be on the site."""


class Page(HTMLParser):
    """A page's places, and what it refers to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.places: set[str] = set()
        self.refers: list[tuple[str, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        for name, value in attributes:
            if name == "id" and value:
                self.places.add(value)
            if (tag, name) in REFERS and value:
                self.refers.append((tag, value))


def broken(site: Path) -> list[str]:
    """A sentence for each link that leads nowhere, and for all that a page would fetch from elsewhere."""

    @cache
    def page(path: Path) -> Page:
        return Page(path.read_text(encoding="utf-8"))

    found = []
    for path in sorted(site.rglob("*.html")):
        here = path.relative_to(site)
        for tag, link in page(path).refers:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                if tag in FETCHED and parts.scheme != "data":
                    found.append(f"{here} fetches {link}, and it should fetch nothing")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            place = unquote(parts.fragment)
            if not target.is_file():
                found.append(f"{here} links to {link}, which is not there")
            elif place and target.suffix == ".html" and place not in page(target).places:
                found.append(f"{here} links to {link}: the page is there, the place on it is not")
    return found
