"""The outcome of a gradient check as its user holds it: a verdict, and text, a table, JSON or a plot at wish."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, dataclass
from typing import Any

from npbilstm.gradcheck.report_html import html_report
from npbilstm.gradcheck.report_plot import plot_convergence
from npbilstm.gradcheck.report_text import text_report, verdict_on
from npbilstm.gradcheck.results import GradientResults, Sparkline


@dataclass(frozen=True, repr=False)
class GradientReport(GradientResults):
    """The outcome of a check. `ok` is the verdict; str() gives the text, notebooks show a table.

    Its fields are those of GradientResults.

    >>> report = nb.check_gradients(lambda params: (params["w"] ** 2).sum(), {"w": np.ones(3)}, {"w": np.ones(3)})
    >>> isinstance(report, nb.GradientReport), report.ok
    (True, False)
    >>> report.rows[0].name, report.rows[0].flags
    ('w', ('constant ratio 0.5 (1/2)',))
    """

    @property
    def strips(self) -> tuple[Sparkline, ...]:
        """The sparklines, under the name that they had until version 0.6."""
        return self.sparklines

    @property
    def verdict(self) -> str:
        """One sentence, of 230 characters at most."""
        return verdict_on(self)

    def __str__(self) -> str:
        return text_report(self)

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return html_report(self)

    def to_json(self) -> str:
        """The report as JSON: ok, verdict, checked, worst, and every field of this class under its own name.

        Rows, direction, convergence and sparklines are objects with the fields of their classes; not_judged has objects
        with name and reason. JSON has no word for numbers that are not finite: they are the strings "nan", "inf" and
        "-inf".
        """
        summary = {"ok": self.ok, "verdict": self.verdict, "checked": self.checked, "worst": self.worst}
        left_out = {"not_judged": [each._asdict() for each in self.not_judged]}
        return json.dumps(plain({**summary, **asdict(self), **left_out}), allow_nan=False)

    def plot_convergence(self, ax: Any = None) -> Any:
        """Draw the error of the differences against the step. -> ax, matplotlib's. Needs the extra `plots`."""
        return plot_convergence(self.convergence, ax)


def plain(value: Any) -> Any:
    """Lists, dicts and numbers that JSON has words for."""
    if isinstance(value, dict):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value
