"""`npbilstm convert`: weights from one format to another."""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from npbilstm.commands.options import Subparsers, add_command, add_max_bytes
from npbilstm.commands.terminal import require_free, require_place, say
from npbilstm.interop.files import READERS, WRITERS, by_suffix, paths_written, read_weights, write_weights
from npbilstm.models import Model, SequenceTagger
from npbilstm.printable import printable


def add_arguments(commands: Subparsers) -> None:
    """The command's own options."""
    command = add_command(
        commands,
        "convert",
        "carry weights between npbilstm's model files, PyTorch's names and ONNX",
        "  npbilstm convert model.npz model.onnx                a trained model, for other runtimes\n"
        "  npbilstm convert dates.npz dates.onnx                a Seq2Seq: dates.encoder.onnx, dates.decoder.onnx\n"
        "  npbilstm convert model.npz model.safetensors         for PyTorch's load_state_dict\n"
        "  npbilstm convert net.pt net.npz --model tagger       a state_dict of yours\n"
        "  npbilstm convert net.safetensors lstm.npz --prefix lstm.    one recurrent layer of it\n"
        "  npbilstm convert net.onnx lstm.npz --node 0          one of the recurrent layers of a graph\n\n"
        "formats, by the ends of the files' names:\n"
        "  .npz          a model file; also read: arrays under PyTorch's names or under ours\n"
        "  .safetensors  arrays under the names of PyTorch's state_dict (extra safetensors)\n"
        "  .pt           also read (.pth, .bin, .ckpt): a state_dict as torch.save writes it, of which nothing is run\n"
        "  .onnx         a graph (extra onnx); of another program's, the recurrent layers alone are read\n"
        "A file holds a recurrent layer alone, or a model: an embedding, a recurrent layer and a linear layer, or a\n"
        "Seq2Seq.\n"
        'From PyTorch: torch.save(net.state_dict(), "net.pt")',
    )
    command.add_argument("source", metavar="SOURCE", help="the file to read")
    command.add_argument("destination", metavar="DESTINATION", help="the file to write")
    command.add_argument(
        "--model", choices=["tagger", "classifier"], help="what SOURCE holds, where it is a model and does not say"
    )
    command.add_argument(
        "--prefix", metavar="PREFIX", help="of the names of the recurrent layer that is to be read alone, e.g. lstm."
    )
    command.add_argument(
        "--node", metavar="NODE", help="of an .onnx SOURCE with several layers: the name or number of the node to read"
    )
    command.add_argument(
        "--pooling",
        choices=["final", "mean", "max"],
        help="of a classifier, where SOURCE does not say (final)",
    )
    command.add_argument("--nonlinearity", choices=["tanh", "relu"], help="of an RNN, where SOURCE does not say (tanh)")
    command.add_argument("--overwrite", action="store_true", help="let DESTINATION replace a file that exists")
    add_max_bytes(command)
    command.set_defaults(run=run)


@contextmanager
def told_warnings() -> Iterator[None]:
    """What is warned of within, as sentences on standard error."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    for warning in caught:
        with suppress(OSError):
            print(f"npbilstm: {printable(str(warning.message))}", file=sys.stderr)


def run(options: argparse.Namespace) -> int:
    """Read, write, say what. -> the exit code."""
    by_suffix(READERS, options.source)
    by_suffix(WRITERS, options.destination)
    require_place("DESTINATION", options.destination)
    given = {"nonlinearity": options.nonlinearity, "pooling": options.pooling}
    given = {name: value for name, value in given.items() if value is not None}
    chosen = {"prefix": options.prefix, "node": options.node, "max_bytes": options.max_bytes}
    layer, about = read_weights(options.source, options.model, **chosen, **given)
    destinations = list(map(str, paths_written(options.destination, layer)))
    for path in destinations:
        require_free("DESTINATION", path, options.overwrite, [options.source])
    with told_warnings():
        write_weights(options.destination, layer, about)
    say(f"{options.source}: {layer!r}, {layer.num_parameters:,} parameters")
    left_out = about.get("left_out")
    if isinstance(left_out, list) and left_out:
        say(f"Left out: {', '.join(map(str, left_out[:12]))}{', ...' if len(left_out) > 12 else ''}.")
    say(f"Wrote {' and '.join(destinations)}.")
    if options.destination.lower().endswith(".npz") and not isinstance(layer, Model):
        say("A layer alone; npbilstm.read_weights reads it.")
    if isinstance(layer, SequenceTagger) and not about:
        say("Its symbols and classes have no names, which npbilstm tag needs; nb.load_model reads it.")
    return 0
