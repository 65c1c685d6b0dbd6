"""The command line, npbilstm COMMAND, each a module in commands: errors as sentences."""

from __future__ import annotations

import os
import sys

import npbilstm

# All else is imported where it is used: until main says what Ctrl-C does, it ends an import with a traceback.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence
    from typing import Any

USAGE_ERROR = 2
"""The exit code for input that cannot be used, argparse's own."""
FAULT = 4
"""The exit code for a fault of this program's."""
INTERRUPTED = 130
"""The exit code for Ctrl-C, as shells have it."""
EXIT_CODES = (
    "Exit codes: 0 all is well, 1 a gradient is wrong, 2 the input cannot be used, 3 nothing is wrong but something "
    "was not judged, 4 a fault of npbilstm itself, 130 stopped by Ctrl-C."
)


COMMANDS = ("demo", "train", "tag", "sample", "inspect", "convert", "check", "exercise", "hunt", "grade")


SEVERAL = {"train": "data", "check": "files"}
"""Which commands take any number of files, and as which argument."""


def parser(names: Sequence[str] = COMMANDS) -> argparse.ArgumentParser:
    """The commands of these names, each a module of its own, and their options."""
    import argparse
    from importlib import import_module

    top = argparse.ArgumentParser(
        prog="npbilstm",
        description="Bidirectional LSTMs in plain NumPy: to read, run, check and learn from.",
        epilog=f"{EXIT_CODES} "
        "Computes on one thread unless OPENBLAS_NUM_THREADS says otherwise; the last bits depend on it.",
    )
    top.add_argument("--version", action="version", version=f"npbilstm {npbilstm.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name in names:
        import_module(f"npbilstm.commands.{name}").add_arguments(commands)
    return top


def sentence(error: Exception) -> str:
    """What to tell the user, free of control characters that a file's name or content may hold."""
    from npbilstm.printable import printable

    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = f"{error.filename}: {error.strerror}" if error.filename is not None else error.strerror
    elif isinstance(error, MemoryError):
        text = f"there is not enough memory for this: {error}"
    elif isinstance(error, RecursionError):
        text = f"something is nested too deeply: {error}"
    return printable(text)


def prepare_streams() -> None:
    """Stand in for standard streams that were closed, and let no character that they cannot encode stop a command."""
    import io

    for name, mode in [("stdin", "r"), ("stdout", "w"), ("stderr", "w")]:
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    if isinstance(getattr(sys.stdout, "buffer", None), io.RawIOBase):  # of PYTHONUNBUFFERED or python -u
        # what could not be written would be known where it is written alone, and not at the end
        sys.stdout = open(sys.stdout.fileno(), "w", encoding=sys.stdout.encoding, closefd=False)  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def use_one_thread() -> None:
    """Let BLAS run on one thread, unless the user has said how many.

    The matrices of a step are small: a second thread gains little, and where another program runs on the same cores it
    costs a multiple. Takes effect only before NumPy is imported, which is why the commands are imported after it.
    """
    variables = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    if not any(name in os.environ for name in variables):
        os.environ.update(dict.fromkeys(variables, "1"))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command and its options. argparse takes no FILE that may be missing after MODEL and an option, and no
    files on both sides of one; we do."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    named = [name for name in given[:1] if name in COMMANDS]  # what another command needs takes time to import
    top = parser(named or COMMANDS)
    options, rest = top.parse_known_args(arguments)
    if options.command in ("inspect", "tag") and options.file is None and rest and not rest[0].startswith("--"):
        options.file = rest.pop(0)
    if options.command in SEVERAL and rest and not any(each.startswith("-") for each in rest):
        name = SEVERAL[options.command]
        setattr(options, name, [*vars(options).get(name, []), *rest])
        rest = []
    if rest:
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    for option, _, value in (each.partition("=") for each in given):
        if option.startswith("--") and value == "--":  # of which argparse makes an empty list, up to some Python 3.13
            top.error(f"argument {option}: expected a value, and not --")
    return options


def end_at_once(number: int, frame: Any) -> None:
    """The signal handler for Ctrl-C where nothing can be lost: an exception might be swallowed by what is imported."""
    try:
        os.write(2, b"\nInterrupted.\n")
    finally:
        os._exit(INTERRUPTED)


def let_ctrl_c_end_at_once() -> Callable[[], Any]:
    """From here on Ctrl-C is end_at_once, unless it is handled already, or ignored (`nohup`) -> what ends that."""
    import signal

    usual = signal.default_int_handler
    try:
        if signal.getsignal(signal.SIGINT) is usual:
            signal.signal(signal.SIGINT, end_at_once)
            return lambda: signal.signal(signal.SIGINT, usual)
    except ValueError:  # not in the main thread, which alone is told of Ctrl-C
        pass
    return lambda: None


def ignore_ctrl_c() -> None:
    """At Python's end, where all is done: it would kill Python then, and the exit code would not be the command's."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command -> its exit code. arguments: None for those of a program of its own, which Ctrl-C may end."""
    import atexit

    code = USAGE_ERROR
    failure: Exception | None = None
    program = arguments is None
    as_usual = let_ctrl_c_end_at_once() if program else lambda: None
    if program:
        atexit.unregister(ignore_ctrl_c)
        atexit.register(ignore_ctrl_c)
    try:
        try:
            prepare_streams()
            use_one_thread()
            options = parsed(arguments)
        except OSError:  # standard error cannot be written, which the argparse of Python 3.10 minds
            raise SystemExit(USAGE_ERROR) from None
        as_usual()
        try:
            code = options.run(options)
        finally:
            as_usual = let_ctrl_c_end_at_once() if program else lambda: None
    except SystemExit as done:  # argparse has printed the help, or what is wrong
        code = int(done.code or 0)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        code = 0
    except KeyboardInterrupt:
        write_error("\nInterrupted.")
        code = INTERRUPTED
    except (OSError, ValueError, FloatingPointError, MemoryError, RecursionError) as error:
        failure = error
    except Exception as error:
        from npbilstm.commands.terminal import fault_of
        from npbilstm.printable import printable

        write_error(f"npbilstm: {printable(fault_of(error.__cause__ or error))}")
        code = FAULT
    lost = drop_unwritten(sys.stdout)
    if lost is not None and not isinstance(lost, BrokenPipeError):
        failure = OSError(lost.errno, lost.strerror, "standard output")
    if failure is not None:
        write_error(f"npbilstm: {sentence(failure)}")
        code = USAGE_ERROR
    drop_unwritten(sys.stderr)
    as_usual()
    return code


def write_error(text: str) -> None:
    """A line on standard error, if it can be written: the exit code tells what happened all the same."""
    from contextlib import suppress

    with suppress(OSError):
        print(text, file=sys.stderr)


def drop_unwritten(stream: Any) -> OSError | None:
    """Write out what a standard stream holds -> None, or why it could not be.

    What a full disk or a reader that has gone away did not take is then dropped: Python would try once more at its
    end, fail, and let that be the exit code (120).
    """
    from contextlib import suppress

    try:
        stream.flush()
    except OSError as error:
        with suppress(OSError):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        return error
    except ValueError:  # closed
        pass
    return None


if __name__ == "__main__":
    sys.exit(main())
