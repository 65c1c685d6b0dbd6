"""The build: its configuration is setup.cfg's, and this makes the page that a package index shows."""

import re
from pathlib import Path

from setuptools import setup


def index_page(readme: str) -> str:
    """README.md for a page beside which no file stands: without pictures, and with a file's path instead of a link."""
    page = re.sub(r"!\[[^]]*\]\([^)]*\)\n*", "", readme)
    page = re.sub(r"\[([^]]+)\]\(([^):]+)\)", r"\1 (`\2`)", page)
    title, what, rest = page.split("\n\n", 2)
    return f"{title}\n\n{what}\n\nThe files named on this page are in the source distribution.\n\n{rest}"


setup(long_description=index_page(Path("README.md").read_text(encoding="utf-8")))
