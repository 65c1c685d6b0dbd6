"""The trial run: code that tries to get out of the sandbox, before anybody else's does."""

from __future__ import annotations

import os
import tempfile
from typing import Any

import numpy as np

from npbilstm import textbook
from npbilstm.submission.contained import ContainedSubmission
from npbilstm.submission.sandbox import Layers, find_bubblewrap

OPENINGS = (
    "the textbook's answers can be read",
    "files can be written",
    "processes can be started",
    "sockets can be opened",
    "signals reach the process that judges",
    "the environment of other processes can be read",
)
PROBE = """
import os, socket
import numpy as np

def probe():
    answers, folder = PLACES
    def fork():
        if os.fork() == 0:
            os._exit(0)
    def write():
        with open(os.path.join(folder, "written"), "w") as file:
            file.write("x")
    tries = [
        lambda: open(answers).read(), write, fork, socket.socket,
        lambda: os.kill(os.getppid() or PARENT, 0), lambda: open(f"/proc/{PARENT}/environ", "rb").read(),
    ]
    found = np.zeros(len(tries))
    for k, attempt in enumerate(tries):
        try:
            attempt()
            found[k] = 1
        except Exception:
            pass
    return found
"""


def openings(layers: Layers) -> tuple[str, ...] | None:
    """What is open in a sandbox of these layers, by trying; None where it does not start."""
    with tempfile.TemporaryDirectory() as folder:
        places = str(textbook.__file__).replace("__init__", "lstm"), folder
        source = f"{PROBE}\nPLACES = {places!r}\nPARENT = {os.getpid()}\n"
        try:
            with ContainedSubmission(layers._replace(contained=False)) as submission:
                submission.open("trial.py", source, "", set(), {"probe"})
                request: dict[str, Any] = {"do": "call", "function": "probe", "arguments": [], "returns": "found"}
                request |= {
                    "shapes": {"found": [len(OPENINGS)]},
                    "keeps_cache": None,
                    "takes_cache": None,
                    "free": [],
                    "asks": [],
                }
                _, answer = submission.ask("the trial run", request, {}, {"found": (len(OPENINGS),)})
        except (OSError, ValueError, KeyError):
            return None
        return tuple(said for said, found in zip(OPENINGS, np.asarray(answer["found"])) if found)


def best_sandbox() -> tuple[Layers, tuple[str, ...]]:
    """The best sandbox that works here, and what is open in it: bubblewrap and self-containment, or this alone.

    Raises OSError where nothing starts.
    """
    tried = []
    program = find_bubblewrap()
    for layers in [*([Layers(program)] if program else []), Layers()]:
        found = openings(layers)
        if found == ():
            return layers, found
        if found is not None:
            tried.append((layers._replace(contained=False), found))
    if not tried:
        raise OSError("no process for submissions starts here: is this Linux?")
    return min(tried, key=lambda each: len(each[1]))
