"""Commands that a page or a help text shows can be typed one after the other."""

import re
from collections import Counter

import pytest

from npbilstm.cli import main
from tutorials.build import FOLDER

PAGES = [FOLDER.parent / "README.md", *sorted((FOLDER / "guides").glob("*.md"))]
COMMAND = re.compile(r"npbilstm (?:inspect|train) [^\n&]*")
"""One that refuses a file that is there already."""


def written_twice(text: str) -> list[str]:
    """The files that more than one of these commands would write."""
    shown = [command for command in COMMAND.findall(text) if not re.search("--(?:overwrite|resume)", command)]
    files = [name for command in shown for name in re.findall(r"--out (\S+)", command)]
    return [name for name, times in Counter(files).items() if times > 1]


@pytest.mark.parametrize("page", PAGES, ids=[page.stem for page in PAGES])
def test_no_two_commands_of_a_page_write_the_same_file(page):
    assert not written_twice(page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("command", ["inspect", "train"])
def test_no_two_examples_of_a_command_s_help_write_the_same_file(command, capsys):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert "--out" in shown
    assert not written_twice(shown)
