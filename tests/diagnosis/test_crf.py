"""A CRF that somebody wrote is judged, whatever its arguments are called and whatever it does without."""

import inspect

import pytest

import npbilstm as nb
from npbilstm.diagnosis.diagnosis import diagnose_pair
from npbilstm.diagnosis.matching import candidates
from npbilstm.mistakes.catalogue import crf, crf_loss
from npbilstm.mistakes.planting import plant
from npbilstm.submission.specs import SPECS
from tests.submission import crf_by_hand

SOURCE = inspect.getsource(crf_by_hand)
WITHOUT_ENDS = SOURCE
for old, new in [
    (", start, end, lengths", ", lengths"),
    (", start, end", ""),
    ("start + emissions", "emissions"),
    (" + end[y[-1]]", ""),
    (" + end", ""),
    ("start[y[0]] + ", ""),
    ("beta[-1] = end", "beta[-1] = 0"),
    ("d, dt, ds, de = np.zeros(shape), np.zeros_like(transitions), np.zeros_like(start), np.zeros_like(end)",
     "d, dt = np.zeros(shape), np.zeros_like(transitions)"),
    ("        ds += p[0]\n        de += p[-1]\n", ""),
    (", ds * k, de * k", ""),
]:  # fmt: skip
    assert old in WITHOUT_ENDS
    WITHOUT_ENDS = WITHOUT_ENDS.replace(old, new)


def judged(source, *changes):
    for old, new in changes:
        assert source.count(old) == 1
        source = source.replace(old, new)
    names = {"__name__": "own"}
    exec(source, names)
    return nb.diagnose({name: names[name] for name in ("crf_forward", "crf_backward", "crf_viterbi")})


@pytest.mark.parametrize("source", [SOURCE, WITHOUT_ENDS], ids=["as usual", "without scores of the ends"])
def test_a_right_one_is_right(source):
    report = judged(source)
    assert report.verdict == "right", report


def test_its_mistakes_are_named():
    report = judged(
        SOURCE,
        ("ways.argmax(0)", "ways.argmax(1)"),
        ("dt += np.exp(alpha[t][:, None] + transitions", "dt += np.exp(alpha[t][:, None]"),
    )
    assert "viterbi-pointers-of-the-next-class" in str(report)
    assert "crf-pairs-transition-forgotten" in str(report)


@pytest.mark.few(6)
@pytest.mark.parametrize("bug", [*crf.BUGS, *crf_loss.BUGS], ids=lambda bug: bug.id)
def test_every_mistake_of_the_crf_is_named_and_nothing_else(bug):
    spec = next(spec for spec in SPECS.values() if bug in candidates(spec))
    found = diagnose_pair(spec, spec.in_textbook_form(plant([bug])))
    assert [tuple(each.id for each in bugs) for bugs in found.named] == [(bug.id,)]
