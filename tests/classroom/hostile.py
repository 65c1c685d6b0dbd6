"""Submissions that are out for points, for the machine, or for the grader: each is code put before and into `flip`.

What is out for the machine has all points where it comes through: `won` is the right answer.
"""

import re
from pathlib import Path

GUIDE = Path(__file__).parents[2] / "tutorials" / "guides" / "teaching.md"
ENDINGS = {
    "had not ended": "It runs out of time",
    "ended the process": "It ends its own process, and a new one goes on",
    "interfered": "What it answers is not believed",
    "closed the pipe": "What it answers is not believed",
    "it is no Python": "It is no Python, and is never run",
    "raised": "It is refused: an error in its own code",
    "returned": "It returns what is no array of numbers of that shape",
    "": "It runs, and its answer is wrong",
}
"""How an attack has ended, by the first of these words that its feedback has; as the teacher's guide says it."""


def ending(feedback):
    """How an attack has ended."""
    return next(told for words, told in ENDINGS.items() if words in feedback)


def endings_told():
    """How attacks end, as the teacher's guide says it -> the names of those that end so."""
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", GUIDE.read_text(encoding="utf-8"), re.MULTILINE)
    return {told: names.split("; ") for told, names in rows if told in ENDINGS.values()}


HEAD = """import ctypes, os, sys, time
import numpy as np

def won(x, lengths=None):
    right = x.copy()
    for n, length in enumerate([x.shape[1]] * len(x) if lengths is None else lengths):
        right[n, :length] = x[n, :length][::-1]
    return right
"""
AFTERWARDS = "\n\ndef flip(x, lengths=None):\n    {body}\n    return x\n"


def attack(before="", body="pass"):
    """A file whose code runs where it is imported, and where its function is called."""
    return HEAD + before + AFTERWARDS.format(body=body.replace("\n", "\n    "))


def attempt(code, before=""):
    """A file whose function is right, and has all points, once it has done what this code does."""
    return attack(before, f"{code}\nreturn won(x, lengths)")


def call(function, *arguments):
    """An attempt at a call past Python, of the C library's or, by its number on x86_64, of the system."""
    named, given = (function, arguments) if isinstance(function, str) else ("syscall", (function, *arguments))
    longs = ", ".join(f"ctypes.c_long({each})" if isinstance(each, int) else each for each in given)
    return attempt(f"assert ctypes.CDLL(None).{named}({longs}) >= 0")


FRAME = "struct.pack('<QQ', len(head), len(body)) + head + body"
FRAMES = "for k in range(3, 64):\n    try:\n        os.write(k, {})\n    except OSError:\n        pass"

HOSTILE = {
    # the reference, and what judges
    "imports the reference": attack(
        body="from npbilstm.textbook import flip as right\nreturn right(x, lengths)",
    ),
    "imports the reference's file": attack(
        body="from npbilstm.textbook.bidirectional import flip as right\nreturn right(x, lengths)"
    ),
    "finds the reference among the modules": attack(
        body="return sys.modules['npbilstm'].textbook.flip(x, lengths)",
    ),
    "reads the reference from site-packages": attack(
        body="text = open(ANSWERS).read()\nnames = {}\nexec(text, names)\nreturn names['flip'](x, lengths)",
    ),
    "puts the reference's folder on its path": attack(
        body="sys.path.insert(0, HOME)\n[sys.modules.pop(n) for n in list(sys.modules) if n.startswith('npbilstm')]\n"
        "from npbilstm.textbook import flip as right\nreturn right(x, lengths)",
    ),
    "looks for the answer in the callers' frames": attack(
        body="frame = sys._getframe()\nwhile frame:\n    for value in frame.f_locals.values():\n"
        "        if isinstance(value, dict) and 'expected' in value:\n            return value['expected']\n"
        "    frame = frame.f_back",
    ),
    "looks for the answer in memory": attack(
        body="import gc\nfor value in gc.get_objects():\n    if type(value) is dict and 'flipped' in value:\n"
        "        return value['flipped']",
    ),
    "patches NumPy's comparisons": attack(
        "np.allclose = np.array_equal = lambda *a, **k: True\nnp.isfinite = lambda *a: np.True_\n"
        "np.abs = np.max = lambda *a, **k: 0.0\n"
    ),
    "returns a friendly array": attack(
        "class Friendly(np.ndarray):\n    __eq__ = lambda s, o: True\n    __sub__ = lambda s, o: np.zeros(1)\n"
        "    __array__ = lambda s, *a, **k: s\n",
        "return x.view(Friendly)",
    ),
    "returns an object equal to everything": attack(
        "class Friend:\n    __eq__ = lambda s, o: True\n    __array__ = lambda s, *a, **k: np.zeros(1)\n",
        "return Friend()",
    ),
    "returns objects in an array": attack(body="return np.full(x.shape, None, dtype=object)"),
    "returns complex numbers": attack(body="return x.astype(complex)"),
    "returns numbers that are not": attack(body="return np.full(x.shape, np.nan)"),
    "patches the runner": attack(
        "import __main__\n__main__.as_arrays = lambda values, shapes: {n: np.zeros(s) for n, s in shapes.items()}\n"
    ),
    "answers for the runner": attack(
        "import __main__\n__main__.PlannedCalls.answer = lambda *a: ({'functions': ['flip'], 'changed': []}, {})\n"
    ),
    "answers with another number": attack(
        "import __main__\nframed = __main__.framed\n__main__.framed = lambda f, a: framed({**f, 'number': 'x'}, a)\n"
    ),
    "answers before it is asked": attack("import json, struct\nhead, body = b'{}', b''\n" + FRAMES.format(FRAME)),
    "answers with a list": attack("import struct\nhead, body = b'[1]', b''\n" + FRAMES.format(FRAME)),
    "announces three gigabytes": attack("import struct\n" + FRAMES.format("struct.pack('<QQ', 2, 3 << 30)")),
    "floods the pipe": attack(
        body="data = bytes(1 << 16)\nwhile True:\n    " + FRAMES.format("data").replace("\n", "\n    ")
    ),
    "closes the pipe": attack(body="os.closerange(0, 64)\ntime.sleep(100)"),
    # time and memory
    "loops": attack(body="while True: pass"),
    "loops where it is imported": attack("while True: pass\n"),
    "sleeps": attack(body="time.sleep(1000)"),
    "ignores signals and loops": attack(
        "import signal\nfor k in range(1, 60):\n    try: signal.signal(k, signal.SIG_IGN)\n    except Exception: pass\n",  # noqa: E501
        "while True: pass",
    ),
    "catches whatever ends it": attack(
        body="while True:\n    try:\n        while True: pass\n    except BaseException: pass"
    ),
    "takes all memory": attack(body="kept = []\nwhile True: kept.append(np.ones(10**7))"),
    "takes all memory in one": attack(body="return np.ones(10**11)"),
    "recurses": attack("sys.setrecursionlimit(10**8)\ndef f(): return f()\n", "f()"),
    "prints without end": attack(body="while True: print('x' * 10**6)"),
    "exits": attack(body="os._exit(0)"),
    "exits by an exception": attack(body="raise SystemExit(0)"),
    "crashes": attack(body="ctypes.string_at(0)"),
    "aborts": attack(body="os.abort()"),
    # the machine
    "forks": attempt("for _ in range(50):\n    if os.fork() == 0: time.sleep(20); os._exit(0)"),
    "leaves a process behind": attempt("import subprocess\nsubprocess.Popen(['sleep', '20'])"),
    "starts a thread": attempt("import threading\nthreading.Thread(target=time.sleep, args=(9,)).start()"),
    "forks past Python": attempt("if ctypes.CDLL(None).fork() == 0: time.sleep(20); os._exit(0)\nos.wait()"),
    "runs a program": attack(body="os.execv('/bin/sh', ['sh', '-c', 'touch ' + MARK])"),
    "stops who judges": attempt("import signal\nos.kill(PARENT, signal.SIGSTOP)"),
    "signals who judges past Python": call("kill", "PARENT", 19),
    "signals everybody of its group": attempt("os.killpg(os.getpgid(0), 0)"),
    "opens a socket": attempt("import socket\nsocket.socket()"),
    "opens a socket to the machine's other guests": attempt("import socket\nsocket.socket(40, socket.SOCK_STREAM)"),
    "writes a file": attempt("open(MARK, 'w').write('x')"),
    "writes to /tmp": attempt("open('/tmp/npbilstm-was-here', 'w')"),
    "writes to /dev/shm": attempt("open('/dev/shm/npbilstm-was-here', 'w')"),
    "writes to memory that has a name": call("memfd_create", "b'x'", 0),
    "makes a link": attempt("os.symlink('/etc/passwd', MARK)"),
    "deletes the submissions": attempt("os.remove(CANARY)"),
    "empties a file": attempt("os.truncate(CANARY, 0)"),
    "changes rights": attempt("os.chmod(CANARY, 0)"),
    "reads the submissions": attempt("open(CANARY).read()"),
    "reads who judges: its environment": attempt("open(f'/proc/{PARENT}/environ', 'rb').read()"),
    "reads who judges: its memory": attempt("open(f'/proc/{PARENT}/mem', 'rb')"),
    "reads who judges: its memory, past files": call(
        310, "PARENT", "ctypes.create_string_buffer(16)", 1, "ctypes.create_string_buffer(16)", 1, 0
    ),
    "traces who judges": call("ptrace", 16, "PARENT", 0, 0),
    "ends what it is a copy of": attempt("os.kill(os.getppid(), 9)"),
    "ends what it is a copy of, past Python": call("kill", "os.getppid()", 9),
    "reads what it is a copy of": attempt("open(f'/proc/{os.getppid()}/mem', 'rb')"),
    "asks for a copy in its own name": attempt(
        "assert any(map(sends, range(99)))",
        "import socket\ndef sends(k):\n    try: return socket.socket(fileno=k).send(b'copy')\n"
        "    except OSError: return 0\n",
    ),
    "lifts its limits": attempt("import resource\nresource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))"),
    "asks for io_uring": call(425, 8, "ctypes.create_string_buffer(120)"),
    # namespaces
    "makes a namespace of users": call("unshare", 0x10000000),
    "makes a namespace of mounts": call("unshare", 0x00020000),
    "makes namespaces of users and of mounts": call("unshare", 0x10020000),
    "joins who judges in its namespace": call("setns", "os.open(f'/proc/{PARENT}/ns/mnt', os.O_RDONLY)", 0),
    "mounts": call("mount", "b'none'", "b'/proc'", "b'tmpfs'", 0, 0),
    "mounts the machine's files once more": call("mount", "b'/'", "b'/proc'", "b''", 0x1000, 0),
    "makes what is mounted writable": call("mount", "b'none'", "b'/'", "b''", 0x1020, 0),
    "unmounts what covers a folder": call("umount2", "b'/proc'", 2),
    "opens a tree of mounts": call(428, -100, "b'/'", 1),
    "opens a file system": call(430, "b'tmpfs'", 0),
    "changes its root": attempt("os.chroot('/proc')"),
    "exchanges its root": call(155, "b'/'", "b'/'"),
    # words
    "steers the terminal": attack("raise ValueError('\\x1b[2J\\x1b]0;owned\\x07' + 'x' * 10**6)\n"),
    "raises what cannot be shown": attack("class E(Exception):\n    def __str__(self): os._exit(3)\n", "raise E()"),
    "carries inputs out in an exception": attack(body="raise ValueError('INPUTS ' + repr(x.tolist()))"),
    "carries inputs out in a type's name": attack(body="raise type('INPUTS' + x.tobytes().hex(), (Exception,), {})"),
    "carries inputs out in a known message": attack(
        body="raise IndexError('INPUTS out of bounds ' + repr(x.tolist()))"
    ),
    "carries inputs out in a name": attack(
        body="import __main__\ncarried = ''.join(chr(97 + each % 16) for each in x.tobytes()[:30])\n"
        "raise __main__.Misfit('INPUTS' + carried, None)",
    ),
    "is no Python": "def flip(x:\n",
    "is nested too deeply": HEAD + "flip = " + "(" * 5000 + ")" * 5000,
    "is full of null characters": "def flip(x, lengths=None):\n    return x\n\0\0",
}
