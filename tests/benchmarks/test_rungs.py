"""Each rung of the ladder is the textbook's LSTM; the guide tells of these rungs and of no others."""

import re

import numpy as np
import pytest

from tests.benchmarks import ladder, pages, rungs
from tests.benchmarks.ladder import RUNGS
from tests.benchmarks.shapes import Shape
from tests.cases import assert_close

GUIDE = rungs.GUIDE.read_text(encoding="utf-8")


def ragged_case():
    """Three blocks of steps, the last one shorter; a row of length 0 and one that ends where a block does."""
    x, dy, lengths, params = rungs.case(Shape(T=7, N=3, D=2, H=4), np.float64)
    lengths[:] = [7, 0, 3]
    return x, dy, lengths, params


def assert_is_the_textbooks(rung):
    arguments = ragged_case()
    y, dx, grads = rung(*arguments)
    expected_y, expected_dx, expected_grads = ladder.batch(*arguments)
    for got, expected in [(y, expected_y), (dx, expected_dx), *zip(grads, expected_grads)]:
        assert_close(got, expected)


@pytest.mark.parametrize("name", RUNGS)
def test_a_rung_is_the_textbooks_lstm(monkeypatch, name):
    monkeypatch.setattr(ladder, "BLOCK_ROWS", 9)
    assert_is_the_textbooks(RUNGS[name])


@pytest.mark.parametrize("part", [0, 1, 2])
def test_a_rung_that_is_not_is_seen(part):
    def wrong(*arguments):
        y, dx, grads = ladder.blocks(*arguments)
        return y, dx, grads._replace(**{grads._fields[part]: np.roll(grads[part], 1, axis=-1)})

    with pytest.raises(AssertionError):
        assert_is_the_textbooks(wrong)


def test_padding_never_matters_to_a_rung(monkeypatch):
    monkeypatch.setattr(ladder, "BLOCK_ROWS", 9)
    x, dy, lengths, params = ragged_case()
    padded = np.arange(7) >= lengths[:, None]
    x[padded], dy[padded] = np.nan, np.nan
    for rung in RUNGS.values():
        y, dx, grads = rung(x, dy, lengths, params)
        assert np.isfinite(y).all()
        assert np.isfinite(dx).all()
        assert all(np.isfinite(gradient).all() for gradient in grads)


def test_the_guide_has_a_section_for_each_rung():
    assert re.findall(r"^## Rung \d+: (.*)$", GUIDE, re.MULTILINE) == list(rungs.RUNG_NUMBERS)


def test_the_table_in_the_guide_has_a_line_for_each_rung():
    shown = GUIDE.split(pages.START)[1].split(pages.END)[0]
    made = rungs.rungs_table({shape.name: dict.fromkeys(RUNGS, 1.0) for shape in rungs.SHAPES})
    number = re.compile(r"(?<=\| )[\d.e+]+( \([\d.]+\))?(?= \|)")
    assert number.sub("#", shown).strip() == number.sub("#", made).strip()


def test_the_command_takes_what_it_knows(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["rungs", "--no"])
    assert rungs.main() == 2
    assert "takes --write or nothing; it got --no" in capsys.readouterr().err
