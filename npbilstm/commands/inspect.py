"""`npbilstm inspect`: inside a trained model on a text of one's own: the page, a unit as bars, a unit's equations."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from npbilstm.commands.data import About, read_about
from npbilstm.commands.inspect_morse import is_of_morse, show_alignment
from npbilstm.commands.inspect_pairs import is_of_pairs, show_attention
from npbilstm.commands.inspect_unit import OF_THE_PREDICTED, amounts, unit_texts
from npbilstm.commands.inspect_weights import show_weights
from npbilstm.commands.options import Subparsers, add_colour, add_command, add_max_bytes, wants_colour
from npbilstm.commands.terminal import require_free
from npbilstm.commands.text_inputs import TextInput, characters, plain_sentences, read_input, require_text, sentences
from npbilstm.files import naming, write_atomically
from npbilstm.inspector import Trace, printable, trace, transitions_text
from npbilstm.inspector.indices import position
from npbilstm.inspector.trace_data import likeliest
from npbilstm.interop.files import hold_weights
from npbilstm.models import Model, Seq2Seq, SequenceModel, WordTagger
from npbilstm.models.crf_head import CRFHead
from npbilstm.training import load_model
from npbilstm.training.progress import tell


class Excerpt(NamedTuple):
    """The sequence that is looked at, and a sentence on what of the text is left out, "" for nothing."""

    text_input: TextInput
    left_out: str


def part_of_characters(text_input: TextInput, line: int, steps: int) -> Excerpt:
    """So many characters from a line on. Raises ValueError where there is no such line."""
    starts = [0, *(t + 1 for t, c in enumerate(text_input.symbols[:-1]) if c == "\n")]
    require_line(line, len(starts), "lines")
    begin = starts[line - 1]
    end = min(begin + steps, len(text_input.symbols))
    after = len(text_input.symbols) - end
    return Excerpt(
        excerpt(text_input, begin, end), amounts((begin, "character", " before"), (after, "character", " after"))
    )


def part_of_words(found: list[TextInput], line: int, steps: int) -> Excerpt:
    """So many words of a sentence. Raises ValueError where there is no such sentence."""
    require_line(line, len(found), "sentences")
    chosen = found[line - 1]
    after = max(len(chosen.symbols) - steps, 0)
    left_out = amounts((len(found) - 1, "other sentence", ""), (after, "word", " of this one"))
    return Excerpt(excerpt(chosen, 0, steps), left_out)


def require_line(line: int, count: int, what: str) -> None:
    """Raise ValueError unless a line is there; the first is 1."""
    if not 1 <= line <= count:
        has = f"{count:,} {what}, 1 to {count}" if count > 1 else f"one {what[:-1]}"
        raise ValueError(f"--line is {line}; the text has {has}")


def excerpt(text_input: TextInput, begin: int, end: int) -> TextInput:
    """Some of its symbols, with what belongs to them."""
    part = slice(begin, end)
    symbols, ids, true = text_input
    return TextInput(symbols[part], ids[part], None if true is None else true[part])


def load_inspected(path: str, max_bytes: int | None) -> tuple[SequenceModel | WordTagger | Seq2Seq, dict[str, Any]]:
    """The model, and what is said about it. Raises ValueError where it is none that can be looked into."""
    model, said = load_model(path, max_bytes, kind=Model)
    if not isinstance(model, SequenceModel | WordTagger) and not (isinstance(model, Seq2Seq) and is_of_pairs(said)):
        raise ValueError(
            f"{path} holds a {type(model).__name__}; npbilstm inspect needs a tagger or a classifier"
            ", or what npbilstm train has made of pairs"
        )
    return model, said


def read_part(model: SequenceModel | WordTagger, about: About, options: Any) -> Excerpt:
    """The sequence that the options choose. Raises OSError or ValueError where there is none."""
    if options.file is None:
        text = require_text(options.text.replace("\r\n", "\n").replace("\r", "\n"), "--text")
    else:
        text = read_input(options.file, about)
    if about.words:
        # without a file, or with one class for all of a sentence, no column holds a class for each word
        plain = options.file is None or not model.predicts_per_step
        found = plain_sentences(about, text) if plain else sentences(about, text, options.file).inputs
        return part_of_words(found, options.line, options.steps)
    text_input = characters(about, text)
    if not model.predicts_per_step:
        text_input = text_input._replace(true=None)
    return part_of_characters(text_input, options.line, options.steps)


def trace_input(model: SequenceModel, text_input: TextInput, classes: list[str]) -> Trace:
    """What a model does to an input. The loss is that of the true classes, or of the predicted ones, so that there
    are gradients to look at where nobody knows what is true."""
    ids = text_input.ids[None]
    with np.errstate(all="ignore"):  # a model that diverged can be looked into as well, where predict refuses
        target = likeliest(model, model.forward(ids)[0]) if text_input.true is None else text_input.true[None]
    seen = trace(model, ids, tokens=[text_input.symbols], target=target, classes=classes)
    return replace(seen, target=None, loss=None) if text_input.true is None else seen  # what it says is not the truth


def page_beside_fresh(
    model: SequenceModel, seen: Trace, text_input: TextInput, classes: list[str], notes: Sequence[str] = ()
) -> bytes:
    """The page of a trace, a fresh model of the same shape beside it."""
    assert seen.predicted is not None
    fresh = type(model)(**model.config, rng=0)
    if text_input.true is None:
        notes = [*notes, OF_THE_PREDICTED]
        text_input = text_input._replace(true=seen.predicted[0])  # the same loss for both
    notes = [*notes, "dashed over time: a fresh model of the same shape, untrained"]
    return seen.to_html(beside=trace_input(fresh, text_input, classes), notes=notes).encode()


def notes_on_input(options: Any, left_out: str) -> list[str]:
    """What is read, and what of it is left out."""
    notes = []
    if options.file is not None:
        name = "standard input" if options.file == "-" else printable(Path(options.file).name)
        notes.append(f"from {name}{f', from line {options.line} on' if options.line > 1 else ''}")
    return [*notes, f"left out: {left_out}"] if left_out else notes


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "inspect",
        "look inside a trained model: gates, states and gradients, down to one unit's equations with their numbers",
        '  npbilstm inspect npbilstm-demo/model.npz --text "return name(x)" --out inside.html\n'
        "  npbilstm inspect npbilstm-demo/model.npz setup.py --line 10 --steps 60 --unit 3\n"
        '  npbilstm inspect words.npz --text "the cat runs" --unit 3 --step 1 --direction reverse\n'
        '  npbilstm inspect morse.npz --text "all good"        how a text is read that is sent by hand\n'
        '  npbilstm inspect dates.npz --text "12 May 1988"     where a decoder looks for its answer\n'
        "  npbilstm inspect net.pt --prefix encoder.lstm.      weights of PyTorch's, on drawn numbers\n"
        "  npbilstm inspect net.onnx series.csv --out net.html         weights, on numbers of yours\n\n"
        "Without --out, one unit's gates and states are printed as bars over the text. The model reads what is chosen\n"
        "from an initial state of 0, as if nothing stood before or after it.",
    )
    command.add_argument("model", help="a file of npbilstm train or npbilstm demo; or weights, as convert reads them")
    command.add_argument("file", nargs="?", help="text to read, - for standard input; of weights .npy, .npz, .csv, .ts")
    command.add_argument("--text", help="text to read, in place of a file")
    command.add_argument("--out", metavar="PAGE", help="write a page, to point at every unit and step")
    command.add_argument("--overwrite", action="store_true", help="let --out replace a file that exists")
    command.add_argument(
        "--line", type=int, default=1, metavar="N", help="begin at this line; of words or series, this one"
    )
    command.add_argument(
        "--steps", type=int, default=200, metavar="N", help="characters, words or steps at most (%(default)s)"
    )
    command.add_argument("--unit", type=int, metavar="U", help="print this unit (the one that varies most)")
    command.add_argument("--layer", type=int, default=0, metavar="K", help="of the stack, from 0 (%(default)s)")
    command.add_argument("--gradients", action="store_true", help="print the bars of the gradients instead")
    command.add_argument(
        "--step",
        type=int,
        metavar="T",
        help="print the unit's equations at this step as well, and the unit that matters most for its label",
    )
    command.add_argument(
        "--direction",
        choices=["forward", "reverse"],
        help="of the equations (forward; without --unit, where it varies most)",
    )
    command.add_argument("--prefix", metavar="PREFIX", help="of weights of several layers: of the names of the one")
    command.add_argument("--node", metavar="NODE", help="of an .onnx file of several: the name or number of the one")
    command.add_argument("--nonlinearity", choices=["tanh", "relu"], help="of the weights of an RNN (tanh)")
    add_max_bytes(command)
    add_colour(command)
    command.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Look inside, and show it. -> the exit code."""
    colour = wants_colour(options.color)
    if options.steps < 1:
        raise ValueError(f"--steps is {options.steps}; it needs to be at least 1")
    if options.direction is not None and options.step is None:
        raise ValueError("--direction goes with --step; the bars show both directions")
    if options.out is not None:
        require_free("--out", options.out, options.overwrite, [options.model, options.file])
    if hold_weights(options.model, options.max_bytes):
        return show_weights(options, colour)
    for name in ("prefix", "node", "nonlinearity"):
        if getattr(options, name) is not None:
            raise ValueError(f"--{name} is given, which is for weights; {options.model} is a model file")
    model, said = load_inspected(options.model, options.max_bytes)  # first: a lone FILE is no model, whatever it lacks
    if (options.file is None) == (options.text is None):
        raise ValueError("what to read is a FILE or --text TEXT; it needs one of them, not both")
    if isinstance(model, Seq2Seq):
        return show_attention(model, said, options, colour)
    if is_of_morse(said) and isinstance(model, SequenceModel):
        return show_alignment(model, options)
    about = read_about(options.model, said, model)
    with naming("--text" if options.file is None else options.file):
        text_input, left_out = read_part(model, about, options)
    if isinstance(model, WordTagger):  # what is inside is the tagger; how words are read stands before it
        text_input, model = text_input._replace(ids=model.read(text_input.ids[None])[0][0]), model.tagger
    if text_input.true is not None and (text_input.true < 0).any():  # a tag that is none of the model's classes
        text_input = text_input._replace(true=None)
    layer = position("--layer", options.layer, model.recurrent.num_layers, "the model", "layers")
    if options.unit is not None:
        position("--unit", options.unit, model.recurrent.hidden_size, "the model", "units")
    if options.step is not None:
        position("--step", options.step, len(text_input.symbols), "what is read", "steps")
    seen = trace_input(model, text_input, about.classes)
    # all is made before anything is shown or written: what cannot be made leaves nothing behind
    shown = unit_texts(options, seen, layer, colour)
    if isinstance(model.head, CRFHead) and options.out is None:
        shown.append(
            f"What goes right after what, by the CRF's scores:\n{transitions_text(model.head.params, about.classes)}"
        )
    if options.out is not None:
        page = page_beside_fresh(model, seen, text_input, about.classes, notes_on_input(options, left_out))
        write_atomically(options.out, lambda file: file.write(page))
        shown.append(f"Open in a browser: {Path(options.out).resolve().as_uri()}")
    if left_out:
        tell(printable(f"Left out: {left_out}; --line and --steps choose others.\n"))
    gradients_shown = options.out is not None or options.step is not None or options.gradients
    if text_input.true is None and gradients_shown:
        tell(f"{OF_THE_PREDICTED.capitalize()}.\n")
    print("\n\n".join(shown))
    return 0
