"""The museum: what the checker says of the exhibits, which npbilstm/mistakes/exhibits has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

import numpy as np

import npbilstm as nb
from npbilstm.diagnosis import matching
from npbilstm.diagnosis.report_text import headline
from npbilstm.mistakes import BUGS
from npbilstm.mistakes.exhibit import Exhibit, run


@dataclass(frozen=True)
class Finding:
    """What the checker says of an exhibit. verdict: "named" where it names this mistake and no other, "said" where it
    says what is wrong and that is no equation, "other" where it names another, "unnamed" where it says that something
    is wrong and no more, "missed". headline: its first line on it."""

    verdict: str
    headline: str

    @property
    def found(self) -> bool:
        """Whether that is what is wrong."""
        return self.verdict in ("named", "said")


def judge(exhibit: Exhibit, code: str = "") -> Any:
    """The report on an exhibit, or on other code in its place: nb.diagnose's, or of a pair nb.check_pair's."""
    facts = run(code or exhibit.code, exhibit.name)
    if not exhibit.pair:
        settings: dict[str, Any] = dict(exhibit.settings)
        return nb.diagnose(facts, **settings)
    rng = np.random.default_rng(0)
    given = run(exhibit.path.read_text(encoding="utf-8"), exhibit.name)["INPUTS"]
    inputs = {n: 0.5 * rng.standard_normal(each) if isinstance(each, tuple) else each for n, each in given.items()}
    return nb.check_pair(facts["forward"], facts["backward"], inputs)


def find_unknown(exhibit: Exhibit) -> Finding:
    """What the checker says of a catalogued mistake when the catalogue does not have it."""
    with patch.object(matching, "BUGS", {name: bug for name, bug in BUGS.items() if name != exhibit.bug}):
        return find(exhibit)


def find(exhibit: Exhibit) -> Finding:
    """What the checker says of an exhibit as it is."""
    report = judge(exhibit)
    if exhibit.pair:
        line = str(report).partition(" (")[0]
        return Finding("missed" if report.ok else "said" if line == exhibit.said else "unnamed", line)
    wrong = [diagnosis for diagnosis in report.diagnoses if diagnosis.verdict == "wrong"]
    if not wrong:
        return Finding("missed", str(report).splitlines()[-1])
    line = headline(wrong[0]).removeprefix("WRONG").strip()
    named = {" and ".join(bug.id for bug in bugs) for bugs in wrong[0].named}
    if exhibit.said:
        said = " ".join([line, *wrong[0].findings])
        return Finding("said" if exhibit.said in said else "unnamed", line)
    if named == {exhibit.bug}:
        return Finding("named", line)
    return Finding("other" if named else "unnamed", line)
