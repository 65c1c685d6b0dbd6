"""`npbilstm train`: a model from data to file, in a run that can be interrupted and resumed. What is trained is a task,
see tasks/."""

from __future__ import annotations

import argparse
import dataclasses
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from shlex import quote
from threading import current_thread, main_thread
from types import FrameType, ModuleType
from typing import Any

from npbilstm.commands.options import Subparsers, add_command, add_max_bytes
from npbilstm.commands.tasks import TASKS, language, series, tagging
from npbilstm.commands.tasks.run import Run
from npbilstm.commands.terminal import require_free, require_place, say
from npbilstm.files import only_writer, open_file, remove_leftovers
from npbilstm.inspector import printable
from npbilstm.layers.checks import require_size
from npbilstm.pools import Processes
from npbilstm.processes import require_processes
from npbilstm.training import load_trainer, save_checkpoint
from npbilstm.training.progress import tell
from npbilstm.training.workers import memory_for

DEFAULTS: dict[str, Any] = {
    "data": [],
    "task": None,
    "valid": None,
    "test": None,
    "columns": None,
    "characters_of_words": False,
    "vectors": None,
    "spans": False,
    "out": "model.npz",
    "overwrite": False,
    "resume": None,
    "epochs": 3,
    "batch_size": 32,
    "head": None,
    "cell": "lstm",
    "embedding_size": 32,
    "hidden_size": 64,
    "layers": 1,
    "one_direction": False,
    "dropout": 0.0,
    "optimizer": "adam",
    "learning_rate": None,
    "schedule": "linear",
    "clip": 1.0,
    "patience": None,
    "seed": 0,
    "characters": 500_000,
    "window": 128,
    "attention": "additive",
    "pairs": 10_000,
    "workers": 1,
    "save_every": 20.0,
    "quiet": False,
    "max_bytes": None,
}
"""Of every option. What is not given stays out of the parsed ones, so that --resume can tell it from what is."""


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "train",
        "train a model; Ctrl-C, and what else stops it, saves it, --resume goes on",
        "  npbilstm train --out python.npz                      Python's standard library, by character\n"
        "  npbilstm train my_project --out mine.npz             the .py files of a folder\n"
        "  npbilstm train tagged.txt --valid dev.txt --epochs 6 --embedding-size 64\n"
        "                                                       words and tags, two columns or CoNLL-U\n"
        "  npbilstm train conll2003.txt --columns 1,4           word and tag of more columns\n"
        "  npbilstm train danish.conllu --characters-of-words   words read by their characters too\n"
        "  npbilstm train series.csv --test more.csv            real numbers: .csv, .npz, or .ts of the UCR archive\n"
        "  npbilstm train --task morse --out morse.npz          Morse sent by hand, by CTC\n"
        "  npbilstm train --task dates                          dates to ISO; also reverse, addition\n"
        "  npbilstm train pairs.tsv --task pairs                a string from another, two columns\n"
        "  npbilstm train --task language a.txt b.txt           what comes next, character by character\n"
        "  npbilstm train --resume mine.npz                     go on where it stopped\n"
        "  npbilstm train --resume mine.npz --epochs 10         and for longer",
    )
    command.argument_default = argparse.SUPPRESS
    kinds = "a folder of .py files, a tagged-text file, a file of series, or text files (the standard library)"
    command.add_argument("data", nargs="*", metavar="DATA", help=kinds)

    def add(option: str, help: str, **kind: Any) -> None:
        default = DEFAULTS[option[2:].replace("-", "_")]
        shown = f" ({default})" if default not in (None, False) else ""
        command.add_argument(option, help=help + shown, **kind)

    add("--task", "what is trained (what the data is)", choices=list(TASKS))
    add("--valid", "data to validate on (a tenth of the data)", metavar="FILE")
    add("--test", "data to test on (a tenth of the data)", metavar="FILE")
    add("--columns", "of tagged text, from 1 or by CoNLL-U's names (1,2, or FORM,UPOS)", metavar="WORD,TAG")
    add("--characters-of-words", "read words by their characters too (--task word-tagging)", action="store_true")
    add("--vectors", "of words read so: a text file to begin with, as of word2vec or GloVe", metavar="FILE")
    add("--spans", "of tags in BIO, BIOES or BMES: validate by the F1 of spans", action="store_true")
    add("--out", "the model's file, also its checkpoint", metavar="MODEL")
    add("--overwrite", "let --out replace a file that exists", action="store_true")
    add("--resume", "go on with this run; all its settings hold but --epochs", metavar="MODEL")
    add("--epochs", "times through the data, of series 60, of a language 1 to 10 by its size", type=int, metavar="N")
    add("--batch-size", "sequences per batch, of series 16", type=int, metavar="N")
    add("--head", "of words: with a CRF or without (of the task words crf)", choices=["crf", "classes"])
    add("--cell", "what the layers are made of", choices=["lstm", "gru", "rnn"])
    add("--embedding-size", "numbers per symbol", type=int, metavar="N")
    add("--hidden-size", "units per direction, of a language 128", type=int, metavar="N")
    add("--layers", "stacked layers", type=int, metavar="N")
    add("--one-direction", "read forward only", action="store_true")
    add("--dropout", "before, between and after the layers, of series 0.3", type=float, metavar="P")
    add("--optimizer", "how gradients change weights", choices=["adam", "sgd"])
    command.add_argument("--optimiser", dest="optimizer", choices=["adam", "sgd"], help=argparse.SUPPRESS)
    add("--learning-rate", "(0.01 for adam, of series 0.005; 0.5 for sgd)", type=float, metavar="RATE")
    add("--schedule", "the learning rate's way down", choices=["linear", "constant"])
    add("--clip", "largest norm of the gradient, 0 for any", type=float, metavar="NORM")
    add("--patience", "stop after so many epochs without a better validation (never)", type=int, metavar="N")
    add("--seed", "same seed, same bytes", type=int, metavar="N")
    add("--characters", "of Python source to take, for a language 10 million", type=int, metavar="N")
    add(
        "--window",
        "characters per sequence of Python source; of a language from cut to cut, 64",
        type=int,
        metavar="N",
    )
    add("--attention", "of pairs of strings: what the decoder looks with", choices=["additive", "dot", "none"])
    add("--pairs", "that a task makes to train on, of addition 40,000", type=int, metavar="N")
    add("--workers", "processes that share the work on each batch", type=int, metavar="N")
    add("--save-every", "between checkpoints", type=float, metavar="SECONDS")
    add("--quiet", "no progress bars, no table", action="store_true")
    add_max_bytes(command)
    command.set_defaults(run=run)


STOPS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
"""Ctrl-C; what a machine that shuts down sends, or a queue of jobs whose time is up; a terminal that is closed."""


class StopFlag:
    """Set by the first of the STOPS. A second Ctrl-C interrupts for good; of the others a second says the same once
    more, as that of `timeout` does, which sends two.

    number: the signal's that set it, before that of Ctrl-C.
    """

    def __init__(self) -> None:
        self.set = False
        self.number: int = signal.SIGINT

    def __call__(self) -> bool:
        return self.set

    def handle(self, number: int, frame: FrameType | None) -> None:
        """The signal handler: let the batch at hand finish, so that what is saved is whole."""
        if not self.set:
            self.set, self.number = True, number
            signal.signal(signal.SIGINT, signal.default_int_handler)
            tell("\nStopping after this batch ...\n")


@contextmanager
def stop_on_signal() -> Iterator[StopFlag]:
    """Within it, Ctrl-C sets the flag instead of interrupting, and what else would end the run, unless it is ignored,
    as by `nohup`. Outside the main thread, which alone is told of signals, nothing is changed."""
    flag = StopFlag()
    before: dict[int, Any] = {}
    if current_thread() is main_thread():
        heard = [each for each in STOPS if each == signal.SIGINT or signal.getsignal(each) == signal.SIG_DFL]
        before = {each: signal.signal(each, flag.handle) for each in heard}
    try:
        yield flag
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def task_of(options: Any) -> ModuleType:
    """What a new run trains: --task, or what the data is. Raises ValueError where options say two things."""
    if options.characters_of_words:
        if options.task not in (None, "tagging", "word-tagging"):
            raise ValueError(f"--characters-of-words is for words with tags; leave it or --task {options.task} out")
        return TASKS["word-tagging"]
    if options.task is not None:
        return TASKS[options.task]
    return TASKS["series" if series.reads(options.data) else "tagging"]


def start(task: ModuleType, options: Any) -> Run:
    """A new run from the command line's options. Raises ValueError or OSError for those that cannot be."""
    inputs = [*options.files, options.valid, options.test, options.vectors]
    require_free("--out", options.out, options.overwrite, inputs, f"go on with --resume {quote(options.out)}, ")
    if not options.save_every >= 0:
        raise ValueError(f"--save-every is {options.save_every}; it needs to be at least 0 seconds")
    started: Run = task.start(options)
    return started


def resume(options: Any, epochs: int | None) -> Run:
    """The run in options.resume, perhaps for more epochs. Raises ValueError where its data has changed."""
    path = Path(options.resume)
    trainer, said = load_trainer(path, options.max_bytes)
    described = said.get("data")
    kind = described.get("kind") if isinstance(described, dict) else None
    task = next((task for task in TASKS.values() if kind in task.KINDS), tagging)  # which says what is missing
    resumed: Run = task.resume(path, said, trainer, options)
    if epochs is not None:
        if epochs < trainer.position.epoch:
            raise ValueError(f"--epochs is {epochs}; {path} has {trainer.position.epoch} epochs behind it already")
        trainer.settings = dataclasses.replace(trainer.settings, epochs=epochs)
    if options.workers > 1 == trainer.settings.shards:
        raise ValueError(f"--workers is {options.workers}; the run in {path} was begun without it, for one process")
    return resumed


def run(options: argparse.Namespace) -> int:
    """Start or resume a run, train to its end or until it is stopped, print what came of it. -> the exit code."""
    given = set(vars(options))
    fixed = given - {"command", "run", "resume", "epochs", "workers", "save_every", "quiet", "max_bytes"}
    if "resume" in given and fixed:
        names = ", ".join("DATA" if name == "data" else "--" + name.replace("_", "-") for name in sorted(fixed))
        raise ValueError(
            f"{names} cannot be changed on the way; --resume goes on with the settings in {options.resume}"
        )
    epochs = options.epochs if "epochs" in given else None
    options.files = options.data if "data" in given else []
    options.data = next(iter(options.files), None)
    task = task_of(argparse.Namespace(**{**DEFAULTS, **vars(options)}))
    if len(options.files) > 1 and task is not language:
        raise ValueError(f"DATA is given {len(options.files)} times; --task language alone reads several files")
    unused = ", ".join(
        "DATA" if name == "data" else "--" + name.replace("_", "-") for name in sorted(given & task.UNUSED)
    )
    if unused:
        name = next(name for name, each in TASKS.items() if each is task)
        raise ValueError(f"the task {name!r} has no use for {unused}; leave it out")
    options = argparse.Namespace(**{**DEFAULTS, **task.DEFAULTS, **vars(options)})
    require_size("--workers", options.workers)
    if options.workers > 1:
        require_processes(f"--workers {options.workers}")
    if options.resume is None:
        require_place("--out", options.out)
    else:
        open_file(options.resume).close()  # there is a file to go on with
    path = Path(options.out if options.resume is None else options.resume)
    with only_writer(path):
        remove_leftovers(path)
        return train(path, start(task, options) if options.resume is None else resume(options, epochs), options)


def train(path: Path, run: Run, options: argparse.Namespace) -> int:
    """Go on with a run, to its end or to a signal that stops it -> the exit code: of a signal, as shells have it, 128
    more than its number."""
    trainer = run.trainer
    shards = min(trainer.settings.shards, trainer.settings.batch_size)
    count = min(options.workers, shards)
    trainer.executor = partial(Processes, count, memory_for(trainer.model, shards)) if count > 1 else None
    for note in run.notes:
        tell(f"{printable(note)}\n")
    show = not options.quiet
    if show:
        say(run.headline)
        say(f"{trainer.model!r}: {trainer.model.num_parameters:,} parameters")
        if options.resume is not None:
            position, epochs = trainer.position, trainer.settings.epochs
            if trainer.finished:
                why = "all its epochs are done" if position.epoch >= epochs else "its patience came to its end"
                say(f"Nothing is left to train: {why} ({position.epoch} of {epochs} epochs).")
            else:
                say(f"Going on from epoch {position.epoch + 1} of {epochs}, batch {position.batch}.")
    with stop_on_signal() as stopped:
        trainer.train(
            run.train,
            run.valid,
            save=lambda: save_checkpoint(path, trainer, run.about),
            save_every=options.save_every,
            should_stop=stopped,
            show=show,
        )
    if not trainer.finished:
        again = f"npbilstm train --resume {quote(str(path))}" + (f" --workers {count}" if count > 1 else "")
        tell(f"Stopped; all is saved in {path}. Go on with: {again}\n")
        return 128 + stopped.number
    if show:
        say("")
        for line in run.report():
            say(line)
        say(f"\nSaved {path}. Try it: {run.hint.format(path=quote(str(path)))}")
    return 0
