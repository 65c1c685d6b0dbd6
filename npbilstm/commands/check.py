"""`npbilstm check`: every gradient of the package, a line each, and a verdict."""

from __future__ import annotations

import time

from npbilstm.commands.checks import CHECKS
from npbilstm.gradcheck import GradientReport


def run_check(method: str = "complex") -> bool:
    """Run every check, print a row for each as it is done, and a verdict. -> whether all agree."""
    width = max(map(len, CHECKS))
    start = time.perf_counter()
    print(f"{'':5}  {'gradient of':{width}}  {'entries':>7}  largest relative difference", flush=True)
    wrong: list[GradientReport] = []
    entries = 0
    for name, check in CHECKS.items():
        report = check(method=method)
        entries += report.checked
        print(f"{'ok' if report.ok else 'WRONG':5}  {name:{width}}  {report.checked:7}  {report.worst:.1e}", flush=True)
        if not report.ok:
            wrong.append(report)
    for report in wrong:
        print(f"\n{report}")
    seconds = time.perf_counter() - start
    verdict = f"{len(wrong)} of {len(CHECKS)} checks say WRONG" if wrong else f"all {len(CHECKS)} checks agree"
    print(f"\n{entries} entries against {report.method} in {seconds:.1f} s: {verdict}.")
    return not wrong
