"""The derivation page holds, line by line; a wrong line is named, and it alone."""

import re

import pytest

from tutorials.derivation import PAGE, line_of, main, sections_of
from tutorials.derivation import judge as judge_page

TEXT = PAGE.read_text(encoding="utf-8")

PLANTED = {
    "the slope of tanh is missing": ("dc_next + dtanh_c * (1 - tanh_c^2)`", "dc_next + dtanh_c`", "2.*dc = "),
    "the carry of the cell is missing": ("`dc[t] = dc_prev[t+1] + dtanh", "`dc[t] = dtanh", "3.*dc.t. = "),
    "the carry of the hidden state is missing": ("dy[:, t] + dh_prev[t+1]`", "dy[:, t]`", "3.*dh.t. = "),
    "a gate takes the other factor": ("`di = dc * g`", "`di = dc * i`", "2.*di = "),
    "the slope of sigmoid is of tanh's form": ("do * o * (1 - o)`", "do * (1 - o^2)`", "2.*da_o = "),
    "a transpose is missing": ("`dh_prev = da @ Wh.T`", "`dh_prev = da @ Wh`", "2.*dh_prev = "),
    "a sign": ("`dx = dx_fwd + dx_rev`", "`dx = dx_fwd - dx_rev`", "5.*dx = "),
    "the flip on the way back is missing": ("flip(dx_flipped, lengths)`", "dx_flipped`", "5.*dx_rev = "),
    "the padding lets a gradient through": ("where(v[t], dc[t], 0)`", "dc[t]`", "4.*dc_new"),
    "the code is of another line": ("| `df = dc * c_prev` |", "| `dg = dc * i` |", "2.*df = .*gives other numbers"),
    "the code is not there": ("`dg = dc * i` |\n", "`dg = i * dc` |\n", "2.*dg = .*stands in none"),
    "a forward line": ("`h = o * tanh_c` |", "`h = o * c` |", "2.*h = .*gives other numbers"),
    "a gradient is used before it is there": ("`di = dc * g`", "`di = da_i / (i * (1 - i))`", "da_i has no line above"),
    "a name is left out": (
        next(line for line in TEXT.splitlines(True) if "| `dUx" in line or ", dUx" in line),
        "",
        "dUx",
    ),
}


def test_every_line_of_the_page_holds(capsys):
    assert main([]) == 0
    assert re.fullmatch(r"derivation.md: 1\d\d lines, 0 wrong\n", capsys.readouterr().out)


def test_each_planted_mistake_is_named():
    for name, (old, new, said) in PLANTED.items():
        assert TEXT.count(old) >= 1, name
        _, faults = judge_page(TEXT.replace(old, new, 1))
        assert any(re.search(said, fault) for fault in faults), (name, faults)


@pytest.mark.slow
def test_any_backward_line_made_wrong_is_named_and_it_alone():
    for section in sections_of(TEXT):
        for line in section.backward:
            row = next(row for row in TEXT.splitlines() if line.text in row and section.title in TEXT.split(row)[0])
            equation = re.match(r"\| `(.+?) = (.+?)`", row)
            whole = (
                f"[2 * part for part in ({equation[2]})]"
                if "," in equation[1].split("[")[0]
                else f"2 * ({equation[2]})"
            )
            wrong = row.replace(f" = {equation[2]}`", f" = {whole}`", 1)
            before, after = TEXT.split(f"## {section.title}")
            _, faults = judge_page(f"{before}## {section.title}{after.replace(row, wrong, 1)}")
            assert len(faults) == 1, faults
            assert faults[0].startswith(f"{section.title}: `{equation[1]} = ")


def test_a_page_that_cannot_be_read_gets_a_sentence(tmp_path, capsys):
    assert main([str(tmp_path / "none.md")]) == 2
    (tmp_path / "bad.md").write_text(TEXT.replace("Code: `lstm_step_forward`", "`lstm_step_forward`"))
    assert main([str(tmp_path / "bad.md")]) == 2
    assert "section '2. One step of an LSTM' needs a line Given: and a line Code:" in capsys.readouterr().err
    with pytest.raises(ValueError, match="needs the form `NAME = SUM`"):
        line_of("| dh is dy | | |")
