"""For pytest: where a test fails that holds a report which is not ok, the report is shown whole.

pytest cuts what it shows of `assert report.ok`. This is loaded in every run, so it imports nothing.
"""

from __future__ import annotations

import sys
from typing import Any


def pytest_runtest_makereport(item: Any, call: Any) -> None:
    """Add the failed reports of the frames of the failing test to what pytest says of it."""
    home = sys.modules.get("npbilstm.gradcheck.report")
    if home is None or call.excinfo is None:
        return
    shown = set()
    for entry in call.excinfo.traceback:
        # a value that has no name of its own, as in `assert check(...).ok`, stands there under one of pytest's
        for value in entry.frame.f_locals.values():
            if isinstance(value, home.GradientReport) and not value.ok and id(value) not in shown:
                shown.add(id(value))
                item.add_report_section(call.when, "gradient report", str(value))
