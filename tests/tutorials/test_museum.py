"""The museum: each mistake is found, is the only one of its file, and stands in the guide as it is judged."""

import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from npbilstm.mistakes.exhibit import exhibits, read_exhibit, run
from tutorials.museum.__main__ import GUIDE, linked, main, table, written
from tutorials.museum.exhibit import find, find_unknown, judge

ALL = exhibits()
each_exhibit = pytest.mark.parametrize("exhibit", ALL, ids=lambda exhibit: exhibit.name)


@pytest.mark.few(2)
@each_exhibit
def test_the_checker_says_what_is_wrong(exhibit):
    assert find(exhibit).found


@pytest.mark.few(4)
@each_exhibit
def test_nothing_else_is_wrong(exhibit):
    report = judge(exhibit, exhibit.mended)
    assert report.ok, report


def test_there_are_at_least_twenty_five_and_each_tells_its_source():
    assert len(ALL) >= 25
    for exhibit in ALL:
        assert re.search(r"[\w.-]+/[\w.-]+ #\d+|[\w.-]+/[\w.-]+, notebook at [0-9a-f]{7}", exhibit.source)
        assert exhibit.title.endswith(".")
        assert len(exhibit.looked_like) > 60
        assert len(exhibit.code.splitlines()) <= 40


def test_the_guide_has_a_row_for_each():
    rows = re.findall(r"^\| \[(.+?)\]\((.+?)\) \| (.+?) \| (.+?) \| (.+?) \|", GUIDE.read_text(), re.MULTILINE)
    for (title, link, *told), exhibit in zip(rows, ALL, strict=True):
        assert (title, *told) == (exhibit.title, linked(exhibit.source), exhibit.looked_like, exhibit.concept)
        assert (GUIDE.parent / link).samefile(exhibit.path)


def test_an_issue_or_a_notebook_is_linked_by_its_repository():
    assert linked("a/b, notebook at 0123abc") == "[b](https://github.com/a/b/tree/0123abc), notebook at 0123abc"
    assert linked("a/b.c #12, #13") == "[b.c #12](https://github.com/a/b.c/issues/12), #13"


@pytest.mark.slow
def test_the_guide_says_what_the_command_writes():
    found = [(exhibit, find(exhibit)) for exhibit in ALL]
    page = GUIDE.read_text()
    assert page == written(page, found)
    assert f"Found {len(ALL)} of {len(ALL)} in the wild." in table(found)


def one(name):
    return next(exhibit for exhibit in ALL if exhibit.name == name)


def test_a_mistake_that_is_not_there_is_not_found():
    exhibit = one("dtu_index_wraps_round")
    assert find(replace(exhibit, code=exhibit.mended)).verdict == "missed"
    assert find(replace(exhibit, bug="recurrent-carry-missing")).verdict == "other"
    assert find(replace(exhibit, said="changes its x in place")).verdict == "unnamed"


def test_without_its_name_it_is_told_as_unknown():
    exhibit = one("zero_to_gpt_new_state")
    assert find_unknown(exhibit).verdict == "unnamed"
    assert "not in the catalogue, located at dWh" in find_unknown(exhibit).headline
    assert find(exhibit).verdict == "named"


@pytest.mark.slow
def test_the_guide_counts_what_is_told_of_each_as_unknown():
    found = [find_unknown(exhibit) for exhibit in ALL if exhibit.bug]
    assert "missed" not in {finding.verdict for finding in found}
    told = [re.search("not in the catalogue|in place|outputs are", finding.headline) for finding in found]
    kinds = Counter(match[0] if match else "named" for match in told)
    words = " ".join(GUIDE.read_text().split())
    assert f"none of the {len(found)} was called right. Of {kinds['not in the catalogue']} the equation was" in words
    assert kinds["in place"] == 1
    assert f"of {kinds['named']} the same numbers are given by another entry" in words
    assert f"Of {kinds['outputs are']}, all in a forward pass, the function was told and no more." in words


def test_the_command_judges_them_as_unknown(capsys, monkeypatch):
    monkeypatch.setattr("tutorials.museum.__main__.exhibits", lambda: [one("zero_to_gpt_new_state")])
    assert main(["--unknown"]) == 0
    assert "not in the catalogue, located at dWh" in capsys.readouterr().out


def test_what_is_to_be_mended_must_stand_in_the_code(tmp_path):
    source = one("dtu_index_wraps_round").path.read_text()
    (tmp_path / "other.py").write_text(source.replace("old = hs[t - 1]\n", "old = hs[t - 1] + 0\n"))
    assert read_exhibit(tmp_path / "other.py").code
    (tmp_path / "other.py").write_text(source.replace("old = hs[t - 1]\n", "old = h0\n"))
    with pytest.raises(ValueError, match="other.py: 'old = hs.t - 1.' stands 0 times in its code; it needs to once"):
        read_exhibit(tmp_path / "other.py")


def test_the_command_shows_one(capsys):
    assert main(["coursera_neither_carry"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Neither carry moves. (Coursera, ")
    assert "def lstm_backward" in out
    assert "WRONG  lstm_backward: both-carries-missing" in out


def test_the_command_knows_what_there_is(capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["nowhere"])
    assert "there is no exhibit 'nowhere'; there are allennlp_last_column, " in capsys.readouterr().err


def as_in_the_course(lstm_forward, lstm_backward):
    """The gradients that the course's notebook prints, from its draws: dx, da0, dW by gate, db of the forget gate.

    There x is (features, rows, steps), and one matrix for each gate multiplies [a, x]. Of 7 steps 4 are walked back.
    """
    draw = np.random.RandomState(1).randn  # the notebook's generator, np.random.seed(1)
    x, a0 = draw(3, 10, 7), draw(5, 10)
    weights = {gate: (draw(5, 8), draw(5, 1)) for gate in "fioc"}
    da = draw(5, 10, 4)
    order = [weights[gate] for gate in "ifco"]  # the textbook's
    Wx, Wh, b = (
        np.concatenate([part(W, b) for W, b in order], axis=1)
        for part in (lambda W, b: W[:, 5:].T, lambda W, b: W[:, :5].T, lambda W, b: b.T)
    )
    _, caches = lstm_forward(x.transpose(1, 2, 0)[:, :4], a0.T, Wx, Wh, b[0])
    dx, dh0, dWx, dWh, db = lstm_backward(da.transpose(1, 2, 0), caches)
    dW = {
        gate: np.concatenate([dWh[:, block], dWx[:, block]]).T
        for gate, block in zip("ifco", np.split(np.arange(20), 4))
    }
    return dx.transpose(2, 0, 1), dh0.T, dW, np.split(db, 4)[1]


def test_the_courses_numbers_come_out_when_neither_carry_is_used():
    exhibit = one("coursera_neither_carry")
    own = run(exhibit.code, "own")
    dx, da0, dW, dbf = as_in_the_course(own["lstm_forward"], own["lstm_backward"])
    assert np.round(dx[1, 2], 8).tolist() == [-0.00173313, 0.08287442, -0.30545663, -0.43281115]
    assert f"{da0[2, 3]:.12f}" == "-0.095911501954"
    printed = [dW["f"][3, 1], dW["i"][1, 2], dW["c"][3, 1], dW["o"][1, 2]]
    assert [f"{number:.12g}" for number in printed] == [
        *("-0.0698198561274", "0.102371820249", "-0.0624983794927", "0.0484389131444")
    ]
    assert f"{dbf[4]:.7f}" == "-0.0565788"


def test_a_later_edition_prints_the_numbers_that_come_out_when_both_carries_are_used():
    own = run(one("coursera_neither_carry").mended, "own")
    dx, da0, dW, _ = as_in_the_course(own["lstm_forward"], own["lstm_backward"])
    assert np.round(dx[1, 2], 8).tolist() == [0.00218254, 0.28205375, -0.48292508, -0.43281115]
    assert f"{da0[2, 3]:.12f}" == "0.312770310257"
    assert f"{dW['f'][3, 1]:.12g}" == "-0.0809802310938"
