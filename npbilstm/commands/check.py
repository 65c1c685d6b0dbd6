"""`npbilstm check`: a file of one's own, or every gradient of the package, a line each, and a verdict."""

from __future__ import annotations

import argparse
import time

from npbilstm.commands.check_file import DEFAULTS, check_file, check_files
from npbilstm.commands.checks import CHECKS
from npbilstm.commands.options import Subparsers, add_command
from npbilstm.gradcheck import GradientReport


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "check",
        "say what is wrong with passes that you wrote; without FILE, check every gradient of the package",
        "  npbilstm check my_lstm.py                     which functions are wrong, and why\n"
        "  npbilstm check homework.ipynb                 what a notebook's cells define\n"
        "  npbilstm check my_lstm.py --hint 3            the right line as well\n"
        "  npbilstm check my_lstm.py --watch             again whenever the file is saved\n"
        "  npbilstm check my_lstm.py --gates ifgo        in this order of the gates and no other\n"
        "  npbilstm check --method central               the package itself, by central differences\n\n"
        "FILE defines any of the textbook's functions, lstm_step_forward and lstm_step_backward say, or what a\n"
        "course or book asks for, as it has it. The form is recognised, and the layout found out from the numbers,\n"
        "unless it is told in the first lines:\n"
        "  # npbilstm: gates=fico weights=(4,H,D) x=(T,D,N)\n"
        "What looks like a pass and is not judged, a class or a function of another name say, is named first.\n\n"
        "exit codes:\n"
        "  0    right: all that looks like a forward or backward pass was judged, and is right\n"
        "  1    wrong: something that was judged is wrong, whatever was not judged besides\n"
        "  2    the file cannot be run, or nothing in it looks like a pass\n"
        "  3    not judged: nothing is wrong, but something that looks like a pass was not judged\n"
        "  4    a fault of npbilstm itself, and not of the file\n"
        "  130  stopped by Ctrl-C\n"
        "Of several files: 1 where any is wrong, else 2, 3, 0.",
    )
    command.add_argument("files", metavar="FILE", nargs="*", help="Python source or a notebook with your own functions")
    command.add_argument("--hint", type=int, choices=[1, 2, 3], help="1 is vague, 3 exact (%(default)s)")
    command.add_argument("--watch", action="store_true", help="run again at each save, until Ctrl-C (extra watch)")
    command.add_argument("--gates", help="the order of the blocks in your weights, e.g. ifog or ifog/zrn (ifgo/rzn)")
    command.add_argument("--weights", metavar="SHAPE", help="of your Wx: (D,4H), (4H,D), (4,D,H) or (4,H,D)")
    command.add_argument("--x", metavar="SHAPE", help="of your x: N, T and D in any order, e.g. (T,N,D)")
    command.add_argument("--b", metavar="SHAPE", help="of your b: (4H), (4H,1), (4,H) or (4,H,1)")
    command.add_argument("--form", metavar="NAME", help="cs231n, coursera, ...: the form it is in, or your own form.py")
    command.add_argument("--strict", action="store_true", help="another layout than the told or usual one is a mistake")
    command.add_argument("--seconds", type=float, help="for one call (%(default)s); for all, 60 or 6 times that")
    command.add_argument("--json", action="store_true", help="write what was found as JSON instead")
    command.add_argument(
        "--method", choices=["complex", "richardson", "central"], help="for the package itself (complex)"
    )
    command.set_defaults(run=run, **DEFAULTS)


def run(options: argparse.Namespace) -> int:
    """Check the file, or the package where there is none. -> the exit code."""
    if len(options.files) > 1:
        return check_files(options)
    if options.files:
        options.file, options.indent = options.files[0], 2
        return check_file(options)
    for name, default in DEFAULTS.items():
        if getattr(options, name) != default:
            raise ValueError(f"--{name} is for a FILE of yours; without one the package's own gradients are checked")
    return 0 if check_package(options.method or "complex") else 1


def check_package(method: str = "complex") -> bool:
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
