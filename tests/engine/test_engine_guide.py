"""What tutorials/guides/engine.md quotes stands in the files that it names."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "tutorials/guides/engine.md").read_text()
PACKAGE = ROOT / "npbilstm"


def quotations(text):
    """(file, lines) of each block of code, which begins with the file's name."""
    for name, code in re.findall(r"```python\n# (\S+)\n(.*?)```", text, re.DOTALL):
        yield PACKAGE / name, code


def rows(text):
    """(textbook's code, engine's code, files named) of each row of the table."""
    for line in text.splitlines():
        if line.startswith("| `"):
            left, right = line.strip("|").split(" | ")
            files = [PACKAGE / "engine" / name for name in re.findall(r"\bin (\w+\.py)", right)]
            yield re.findall("`([^`]+)`", left), re.findall("`([^`]+)`", right), files


def not_found(text):
    """What the guide quotes and its file has not."""
    for file, code in quotations(text):
        if code not in file.read_text():
            yield code
    textbook = (PACKAGE / "textbook/lstm.py").read_text()
    for left, right, files in rows(text):
        yield from (code for code in left if code not in textbook)
        yield from (code for code in right if not any(code in file.read_text() for file in files))


def test_every_quotation_stands_in_its_file():
    assert len(list(quotations(GUIDE))) == GUIDE.count("```python") > 8
    assert len(list(rows(GUIDE))) > 10
    assert list(not_found(GUIDE)) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("multiply(f[t], dc, dc)  #", "multiply(f[t], dh, dc)  #"),
        ("`multiply(f[t], dc, dc)`", "`multiply(f[t], dh, dc)`"),
        ("`dc_prev = dc * f`", "`dc_prev = dh * f`"),
    ],
)
def test_a_wrong_quotation_is_found(old, new):
    assert GUIDE.count(old) == 1
    assert list(not_found(GUIDE.replace(old, new)))
