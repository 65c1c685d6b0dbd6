"""The guide to the inspector shows what is printed."""

import contextlib
import io
import re
from pathlib import Path

GUIDE = (Path(__file__).parents[2] / "tutorials/guides/inside.md").read_text()


def test_every_example_prints_what_is_shown():
    code = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
    text = re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)
    assert len(code) == len(text) == 4
    names: dict = {}
    for block, shown in zip(code, text):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            exec(compile(block, "inside.md", "exec"), names)
        assert out.getvalue() == shown
