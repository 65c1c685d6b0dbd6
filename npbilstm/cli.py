"""The command line, `npbilstm demo | train | tag | inspect | convert | check`: a function each; errors as sentences."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import npbilstm

USAGE_ERROR = 2
"""The exit code for input that cannot be used, argparse's own."""
FAULT = 4
"""The exit code for a fault of this program's."""
EXIT_CODES = (
    "Exit codes: 0 all is well, 1 a gradient is wrong, 2 the input cannot be used, 3 nothing is wrong but something "
    "was not judged, 4 a fault of npbilstm itself, 130 stopped by Ctrl-C."
)

TRAIN_DEFAULTS: dict[str, Any] = {
    "data": None,
    "valid": None,
    "test": None,
    "out": "model.npz",
    "overwrite": False,
    "resume": None,
    "epochs": 3,
    "batch_size": 32,
    "cell": "lstm",
    "embedding_size": 32,
    "hidden_size": 64,
    "layers": 1,
    "one_direction": False,
    "dropout": 0.0,
    "optimiser": "adam",
    "learning_rate": None,
    "schedule": "linear",
    "clip": 1.0,
    "patience": None,
    "seed": 0,
    "characters": 500_000,
    "window": 128,
    "save_every": 20.0,
    "quiet": False,
}

FILE_DEFAULTS: dict[str, Any] = {
    "hint": 1,
    "watch": False,
    "gates": None,
    "weights": None,
    "x": None,
    "b": None,
    "seconds": 10.0,
    "json": False,
}
"""The options of `npbilstm check` that go with a FILE."""


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    top = argparse.ArgumentParser(
        prog="npbilstm",
        description="Bidirectional LSTMs in plain NumPy: to read, run, check and learn from.",
        epilog=f"{EXIT_CODES} "
        "Computes on one thread unless OPENBLAS_NUM_THREADS says otherwise; the last bits depend on it.",
    )
    top.add_argument("--version", action="version", version=f"npbilstm {npbilstm.__version__}")
    commands = top.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add_demo(commands)
    add_train(commands)
    add_tag(commands)
    add_inspect(commands)
    add_convert(commands)
    add_check(commands)
    return top


def add_command(commands: argparse._SubParsersAction, name: str, text: str, examples: str) -> argparse.ArgumentParser:
    """One command's parser, its examples at the end of its help."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def add_colour(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="colours; auto: where the output is a terminal and NO_COLOR is not set",
    )


def add_demo(commands: argparse._SubParsersAction) -> None:
    command = add_command(
        commands,
        "demo",
        "check the gradients, train on Python's own source, and show what the second direction is worth",
        "  npbilstm demo\n  npbilstm demo --quick --out first-look",
    )
    command.add_argument("--quick", action="store_true", help="less data: a few seconds, a little less accurate")
    command.add_argument("--out", default="npbilstm-demo", help="folder for the page and the model (%(default)s)")
    command.add_argument("--quiet", action="store_true", help="no progress bars")
    add_colour(command)


def add_train(commands: argparse._SubParsersAction) -> None:
    command = add_command(
        commands,
        "train",
        "train a tagger; Ctrl-C saves it, --resume goes on",
        "  npbilstm train --out python.npz                      Python's standard library, by character\n"
        "  npbilstm train my_project --out mine.npz             the .py files of a folder\n"
        "  npbilstm train tagged.txt --valid dev.txt --epochs 6 --embedding-size 64\n"
        "                                                       words and tags, two columns or CoNLL-U\n"
        "  npbilstm train --resume mine.npz                     go on where it stopped\n"
        "  npbilstm train --resume mine.npz --epochs 10         and for longer",
    )
    # what is not given stays out of the namespace, so that --resume can tell it from what is given
    command.argument_default = argparse.SUPPRESS
    command.add_argument("data", nargs="?", help="a folder of .py files or a tagged-text file (the standard library)")

    def add(option: str, help: str, **kind: Any) -> None:
        default = TRAIN_DEFAULTS[option[2:].replace("-", "_")]
        shown = f" ({default})" if default not in (None, False) else ""
        command.add_argument(option, help=help + shown, **kind)

    add("--valid", "tagged text to validate on (a tenth of the data)", metavar="FILE")
    add("--test", "tagged text to test on (a tenth of the data)", metavar="FILE")
    add("--out", "the model's file, also its checkpoint", metavar="MODEL")
    add("--overwrite", "let --out replace a file that exists", action="store_true")
    add("--resume", "go on with this run; all its settings hold but --epochs", metavar="MODEL")
    add("--epochs", "times through the data", type=int, metavar="N")
    add("--batch-size", "sequences a batch", type=int, metavar="N")
    add("--cell", "what the layers are made of", choices=["lstm", "gru", "rnn"])
    add("--embedding-size", "numbers a symbol", type=int, metavar="N")
    add("--hidden-size", "units a direction", type=int, metavar="N")
    add("--layers", "stacked layers", type=int, metavar="N")
    add("--one-direction", "read forward only", action="store_true")
    add("--dropout", "before, between and after the layers", type=float, metavar="P")
    add("--optimiser", "how gradients change weights", choices=["adam", "sgd"])
    add("--learning-rate", "(0.01 for adam, 0.5 for sgd)", type=float, metavar="RATE")
    add("--schedule", "the learning rate's way down", choices=["linear", "constant"])
    add("--clip", "largest norm of the gradient, 0 for any", type=float, metavar="NORM")
    add("--patience", "stop after so many epochs without a better validation accuracy (never)", type=int, metavar="N")
    add("--seed", "same seed, same bytes", type=int, metavar="N")
    add("--characters", "of Python source to take", type=int, metavar="N")
    add("--window", "characters a sequence of Python source", type=int, metavar="N")
    add("--save-every", "between checkpoints", type=float, metavar="SECONDS")
    add("--quiet", "no progress bars, no table", action="store_true")


def add_tag(commands: argparse._SubParsersAction) -> None:
    command = add_command(
        commands,
        "tag",
        "run a trained tagger on a file, in colour or in columns",
        "  npbilstm tag npbilstm-demo/model.npz setup.py\n"
        "  npbilstm tag words.npz sentences.txt --columns > tagged.txt\n"
        "  cat code.py | npbilstm tag model.npz - --html page.html",
    )
    command.add_argument("model", help="a file of npbilstm train or npbilstm demo")
    command.add_argument("file", help="text to tag, - for standard input; mistakes are marked where the truth is known")
    command.add_argument("--columns", action="store_true", help="symbol, tab, class: a line each")
    command.add_argument("--html", metavar="PAGE", help="write a page as well")
    command.add_argument("--overwrite", action="store_true", help="let --html replace a file that exists")
    add_colour(command)


def add_inspect(commands: argparse._SubParsersAction) -> None:
    command = add_command(
        commands,
        "inspect",
        "look inside a trained model: gates, states and gradients, down to one unit's equations with their numbers",
        '  npbilstm inspect npbilstm-demo/model.npz --text "return name(x)" --out inside.html\n'
        "  npbilstm inspect npbilstm-demo/model.npz setup.py --line 10 --steps 60 --unit 3\n"
        '  npbilstm inspect words.npz --text "the cat runs" --unit 3 --step 1 --direction reverse\n\n'
        "Without --out, one unit's gates and states are printed as bars over the text. The model reads what is chosen\n"
        "from an initial state of 0, as if nothing stood before or after it.",
    )
    command.add_argument("model", help="a file of npbilstm train or npbilstm demo")
    command.add_argument("file", nargs="?", help="text to read, - for standard input")
    command.add_argument("--text", help="text to read, in place of a file")
    command.add_argument("--out", metavar="PAGE", help="write a page, to point at every unit and step")
    command.add_argument("--overwrite", action="store_true", help="let --out replace a file that exists")
    command.add_argument("--line", type=int, default=1, metavar="N", help="begin at this line; of words, this sentence")
    command.add_argument(
        "--steps", type=int, default=200, metavar="N", help="characters or words at most (%(default)s)"
    )
    command.add_argument("--unit", type=int, metavar="U", help="print this unit (the one that varies most)")
    command.add_argument("--layer", type=int, default=0, metavar="K", help="of the stack, from 0 (%(default)s)")
    command.add_argument("--gradients", action="store_true", help="print the bars of the gradients instead")
    command.add_argument("--step", type=int, metavar="T", help="print the unit's equations at this step as well")
    command.add_argument(
        "--direction",
        choices=["forward", "reverse"],
        help="of the equations (forward; without --unit, where it varies most)",
    )
    add_colour(command)


def add_convert(commands: argparse._SubParsersAction) -> None:
    command = add_command(
        commands,
        "convert",
        "carry weights between npbilstm's model files, PyTorch's names and ONNX",
        "  npbilstm convert model.npz model.onnx                a trained model, for other runtimes\n"
        "  npbilstm convert model.npz model.safetensors         for PyTorch's load_state_dict\n"
        "  npbilstm convert net.safetensors net.npz --model tagger     a state_dict of yours\n\n"
        "formats, by the ends of the files' names:\n"
        "  .npz          a model file; also read: arrays under PyTorch's names or under ours\n"
        "  .safetensors  arrays under the names of PyTorch's state_dict (extra safetensors)\n"
        "  .onnx         a graph (extra onnx); of another program's, the recurrent layers alone are read\n"
        "A file holds a recurrent layer alone, or a model: an embedding, a recurrent layer and a linear layer.\n"
        'From PyTorch: safetensors.torch.save_file(net.state_dict(), "net.safetensors")',
    )
    command.add_argument("source", metavar="SOURCE", help="the file to read")
    command.add_argument("destination", metavar="DESTINATION", help="the file to write")
    command.add_argument(
        "--model", choices=["tagger", "classifier"], help="what SOURCE holds, where it is a model and does not say"
    )
    command.add_argument(
        "--pooling",
        choices=["final", "mean", "max"],
        help="of a classifier, where SOURCE does not say (final)",
    )
    command.add_argument("--nonlinearity", choices=["tanh", "relu"], help="of an RNN, where SOURCE does not say (tanh)")
    command.add_argument("--overwrite", action="store_true", help="let DESTINATION replace a file that exists")


def add_check(commands: argparse._SubParsersAction) -> None:
    command = add_command(
        commands,
        "check",
        "say what is wrong with passes that you wrote; without FILE, check every gradient of the package",
        "  npbilstm check my_lstm.py                     which functions are wrong, and why\n"
        "  npbilstm check my_lstm.py --hint 3            the right line as well\n"
        "  npbilstm check my_lstm.py --watch             again whenever the file is saved\n"
        "  npbilstm check cs231n.py --gates ifog         gates in another order\n"
        "  npbilstm check --method central               the package itself, by central differences\n\n"
        "FILE defines any of the textbook's functions, lstm_step_forward and lstm_step_backward say. Its layout may\n"
        "be told in its first lines:\n"
        "  # npbilstm: gates=fico weights=(4,H,D) x=(T,D,N)\n"
        "What looks like a pass and is not judged, a class or a function of another name say, is named first.\n\n"
        "exit codes:\n"
        "  0    right: all that looks like a forward or backward pass was judged, and is right\n"
        "  1    wrong: something that was judged is wrong, whatever was not judged besides\n"
        "  2    the file cannot be run, or nothing in it looks like a pass\n"
        "  3    not judged: nothing is wrong, but something that looks like a pass was not judged\n"
        "  4    a fault of npbilstm itself, and not of the file\n"
        "  130  stopped by Ctrl-C",
    )
    command.add_argument("file", nargs="?", help="Python source with your own functions")
    command.add_argument("--hint", type=int, choices=[1, 2, 3], help="1 is vague, 3 exact (%(default)s)")
    command.add_argument("--watch", action="store_true", help="run again whenever the file is saved, until Ctrl-C")
    command.add_argument("--gates", help="the order of the blocks in your weights, e.g. ifog or ifog/zrn (ifgo/rzn)")
    command.add_argument("--weights", metavar="SHAPE", help="of your Wx: (D,4H), (4H,D), (4,D,H) or (4,H,D)")
    command.add_argument("--x", metavar="SHAPE", help="of your x: N, T and D in any order, e.g. (T,N,D)")
    command.add_argument("--b", metavar="SHAPE", help="of your b: (4H), (4H,1), (4,H) or (4,H,1)")
    command.add_argument("--seconds", type=float, help="for one call (%(default)s); for all, 60 or 6 times that")
    command.add_argument("--json", action="store_true", help="write what was found as JSON instead")
    command.add_argument(
        "--method", choices=["complex", "richardson", "central"], help="for the package itself (complex)"
    )
    command.set_defaults(**FILE_DEFAULTS)


def demo(options: argparse.Namespace) -> int:
    from npbilstm.commands.demo import run_demo

    return run_demo(options, wants_colour(options.color))


def train(options: argparse.Namespace) -> int:
    from npbilstm.commands.train import run_train

    given = set(vars(options))
    fixed = given - {"command", "resume", "epochs", "save_every", "quiet"}
    if "resume" in given and fixed:
        names = ", ".join("DATA" if name == "data" else "--" + name.replace("_", "-") for name in sorted(fixed))
        raise ValueError(
            f"{names} cannot be changed on the way; --resume goes on with the settings in {options.resume}"
        )
    return run_train(argparse.Namespace(**{**TRAIN_DEFAULTS, **vars(options)}), epochs_given="epochs" in given)


def tag(options: argparse.Namespace) -> int:
    from npbilstm.commands.tag import run_tag

    return run_tag(options, wants_colour(options.color))


def inspect(options: argparse.Namespace) -> int:
    from npbilstm.commands.inspect import run_inspect

    return run_inspect(options, wants_colour(options.color))


def convert(options: argparse.Namespace) -> int:
    from npbilstm.commands.convert import run_convert

    return run_convert(options)


def check(options: argparse.Namespace) -> int:
    if options.file is not None:
        from npbilstm.commands.check_file import run_check_file

        return run_check_file(options)
    for name, default in FILE_DEFAULTS.items():
        if getattr(options, name) != default:
            raise ValueError(f"--{name} is for a FILE of yours; without one the package's own gradients are checked")
    from npbilstm.commands.check import run_check

    return 0 if run_check(options.method or "complex") else 1


COMMANDS = {"demo": demo, "train": train, "tag": tag, "inspect": inspect, "convert": convert, "check": check}


def wants_colour(choice: str) -> bool:
    """Whether to use colours, by the option, the terminal and the NO_COLOR convention (no-color.org)."""
    if choice == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return choice == "always"


def sentence(error: Exception) -> str:
    """What to tell the user, free of control characters that a file's name or content may hold."""
    from npbilstm.commands.terminal import printable

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
    for name, mode in [("stdin", "r"), ("stdout", "w"), ("stderr", "w")]:
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def use_one_thread() -> None:
    """Let BLAS run on one thread, unless the user has said how many.

    The matrices of a step are small: a second thread gains little, and where another program runs on the same cores it
    costs a multiple. Takes effect only before NumPy is imported, which is why the commands are imported where they run.
    """
    variables = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    if not any(name in os.environ for name in variables):
        os.environ.update(dict.fromkeys(variables, "1"))


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command and its options. argparse takes no FILE that may be missing after MODEL and an option; we do."""
    top = parser()
    options, rest = top.parse_known_args(arguments)
    if options.command == "inspect" and options.file is None and rest and not rest[0].startswith("--"):
        options.file = rest.pop(0)
    if rest:
        top.error(f"unrecognized arguments: {' '.join(rest)}")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command -> its exit code."""
    prepare_streams()
    code = USAGE_ERROR
    failure: Exception | None = None
    try:
        try:
            options = parsed(arguments)
        except OSError:  # standard error cannot be written, which the argparse of Python 3.10 minds
            raise SystemExit(USAGE_ERROR) from None
        use_one_thread()
        code = COMMANDS[options.command](options)
    except SystemExit as done:  # argparse has printed the help, or what is wrong
        code = int(done.code or 0)
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        code = 0
    except KeyboardInterrupt:
        write_error("\nInterrupted.")
        code = 130
    except (OSError, ValueError, FloatingPointError, MemoryError, RecursionError) as error:
        failure = error
    except Exception as error:
        from npbilstm.commands.terminal import fault_of, printable

        write_error(f"npbilstm: {printable(fault_of(error.__cause__ or error))}")
        code = FAULT
    lost = drop_unwritten(sys.stdout)
    if lost is not None and not isinstance(lost, BrokenPipeError):
        failure = OSError(lost.errno, lost.strerror, "standard output")
    if failure is not None:
        write_error(f"npbilstm: {sentence(failure)}")
        code = USAGE_ERROR
    drop_unwritten(sys.stderr)
    return code


def write_error(text: str) -> None:
    """A line on standard error, if it can be written: the exit code tells what happened all the same."""
    with suppress(OSError):
        print(text, file=sys.stderr)


def drop_unwritten(stream: Any) -> OSError | None:
    """Write out what a standard stream holds -> None, or why it could not be.

    What a full disk or a reader that has gone away did not take is then dropped: Python would try once more at its
    end, fail, and let that be the exit code (120).
    """
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
