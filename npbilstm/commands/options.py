"""What the commands' parsers share."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TypeAlias

Subparsers: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


def add_command(commands: Subparsers, name: str, text: str, examples: str) -> argparse.ArgumentParser:
    """One command's parser, its examples at the end of its help."""
    command: argparse.ArgumentParser = commands.add_parser(
        name,
        help=text,
        description=text,
        epilog=f"examples:\n{examples}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    return command


def add_max_bytes(command: argparse.ArgumentParser) -> None:
    """The option --max-bytes, of the commands that read a model's file."""
    command.add_argument(
        "--max-bytes",
        type=int,
        metavar="N",
        help="what a compressed .npz may unpack to (ten times its size, or 1 MiB)",
    )


def add_colour(command: argparse.ArgumentParser) -> None:
    """The option --color, which wants_colour reads."""
    command.add_argument(
        "--color",
        choices=["auto", "always", "never"],
        default="auto",
        help="colours; auto: where the output is a terminal and NO_COLOR is not set",
    )


def wants_colour(choice: str) -> bool:
    """Whether to use colours, by the option, the terminal and the NO_COLOR convention (no-color.org)."""
    if choice == "auto":
        return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
    return choice == "always"
