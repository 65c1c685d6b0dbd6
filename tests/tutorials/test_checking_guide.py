"""The guide to checking shows what the tools print."""

import contextlib
import io
import re
from pathlib import Path

import pytest

from npbilstm.cli import main

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "tutorials/guides/checking.md").read_text()
PYTHON = re.findall(r"```python\n(.*?)```", GUIDE, re.DOTALL)
TEXT = re.findall(r"```text\n(.*?)```", GUIDE, re.DOTALL)


def printed(call):
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        call()
    return re.sub(r" Judged in .*", "", out.getvalue())


def test_the_pair_of_passes_prints_what_is_shown():
    code = compile(PYTHON[0], "checking.md", "exec")
    assert printed(lambda: exec(code, {})) == TEXT[0]


@pytest.mark.parametrize(
    ("hint", "shown", "changes"),
    [
        ("2", 1, {}),
        (
            "1",
            2,
            {
                "dc = dc + dh * o\n": "dc = dc + dh * o * tanh_derivative(tanh(c))\n",
                "dc * c_prev,": "dc * c_prev * 0.9,",
            },
        ),
    ],
)
def test_the_file_is_judged_as_shown(tmp_path, monkeypatch, hint, shown, changes):
    source = PYTHON[1]
    for old, new in changes.items():
        assert source.count(old) == 1
        source = source.replace(old, new)
    (tmp_path / "my_lstm.py").write_text(source)
    monkeypatch.chdir(tmp_path)
    command, _, text = TEXT[shown].partition("\n")
    assert command == "$ npbilstm check my_lstm.py" + (f" --hint {hint}" if hint != "1" else "")
    assert printed(lambda: main(["check", "my_lstm.py", "--hint", hint])) == text


def test_a_wrong_forward_pass_is_judged_as_shown(tmp_path, monkeypatch):
    right = PYTHON[1].replace("dc = dc + dh * o\n", "dc = dc + dh * o * tanh_derivative(tanh(c))\n")
    (tmp_path / "my_lstm.py").write_text(right.replace("sigmoid(i), sigmoid(f)", "sigmoid(i), sigmoid(i)"))
    monkeypatch.chdir(tmp_path)
    command, _, text = TEXT[3].partition("\n")
    assert command == "$ npbilstm check my_lstm.py --hint 3"
    assert printed(lambda: main(["check", "my_lstm.py", "--hint", "3"])) == text


def test_what_was_not_judged_is_told_as_shown(tmp_path, monkeypatch):
    right = PYTHON[1].replace("dc = dc + dh * o\n", "dc = dc + dh * o * tanh_derivative(tanh(c))\n")
    (tmp_path / "my_lstm.py").write_text(f"{right}\n\n{PYTHON[2]}")
    monkeypatch.chdir(tmp_path)
    command, _, text = TEXT[4].partition("\n")
    assert command == "$ npbilstm check my_lstm.py"
    codes = []
    assert printed(lambda: codes.append(main(["check", "my_lstm.py"]))) == text
    assert codes == [3]


def test_the_readmes_example_is_what_is_printed(tmp_path, monkeypatch):
    (tmp_path / "my_lstm.py").write_text(PYTHON[1])
    monkeypatch.chdir(tmp_path)
    shown = re.search(
        r"```\n\$ npbilstm check my_lstm.py\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL
    ).group(1)
    before, after = shown.split("  ...\n")
    text = printed(lambda: main(["check", "my_lstm.py"]))
    assert text.startswith(before)
    assert after in text
