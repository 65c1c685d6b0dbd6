"""Submissions that are out for points, for the machine, or for the grader: each is code put before and into `flip`."""

HEAD = "import ctypes, os, sys, time\nimport numpy as np\n"
AFTERWARDS = "\n\ndef flip(x, lengths=None):\n    {body}\n    return x\n"


def attack(before="", body="pass"):
    """A file whose code runs where it is imported, and where its function is called."""
    return HEAD + before + AFTERWARDS.format(body=body.replace("\n", "\n    "))


def system_call(number, *arguments):
    """A system call made past Python."""
    given = ", ".join([f"ctypes.c_long({number})", *arguments])
    return f"print(ctypes.CDLL(None).syscall({given}))"


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
        "import __main__\n__main__.as_arrays = lambda np, values, shapes: {n: np.zeros(s) for n, s in shapes.items()}\n"
    ),
    "answers for the runner": attack(
        "import __main__\n__main__.Submission.answer = lambda *a: ({'functions': ['flip'], 'changed': []}, {})\n"
    ),
    "answers with another number": attack(
        "import __main__\nsend = __main__.Pipe.send\n"
        "__main__.Pipe.send = lambda s, f, a: send(s, {**f, 'number': 'x'}, a)\n"
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
    "forks": attack(
        body="for _ in range(50):\n    if os.fork() == 0: time.sleep(20); os._exit(0)\n" + "open(MARK, 'w')"
    ),
    "leaves a process behind": attack(body="import subprocess\nsubprocess.Popen(['sleep', '20'])\nopen(MARK, 'w')"),
    "starts a thread": attack(
        body="import threading\nthreading.Thread(target=time.sleep, args=(9,)).start()\nopen(MARK, 'w')"
    ),
    "forks past Python": attack(body="if ctypes.CDLL(None).fork() == 0: time.sleep(20)"),
    "runs a program": attack(body="os.execv('/bin/sh', ['sh', '-c', 'touch ' + MARK])"),
    "stops who judges": attack(body="import signal\nos.kill(PARENT, signal.SIGSTOP)"),
    "signals who judges past Python": attack(body="ctypes.CDLL(None).kill(PARENT, 19)"),
    "signals everybody of its group": attack(body="os.killpg(os.getpgid(0), 0)"),
    "opens a socket": attack(body="import socket\nsocket.socket()\nopen(MARK, 'w')"),
    "writes a file": attack(body="open(MARK, 'w').write('x')"),
    "writes to /tmp": attack(body="open('/tmp/npbilstm-was-here', 'w')\nopen(MARK, 'w')"),
    "writes to /dev/shm": attack(body="open('/dev/shm/npbilstm-was-here', 'w')"),
    "makes a link": attack(body="os.symlink('/etc/passwd', MARK)"),
    "deletes the submissions": attack(body="os.remove(CANARY)"),
    "empties a file": attack(body="os.truncate(CANARY, 0)"),
    "changes rights": attack(body="os.chmod(CANARY, 0)"),
    "reads who judges: its environment": attack(body="raise ValueError(open(f'/proc/{PARENT}/environ').read())"),
    "reads who judges: its memory": attack(body="open(f'/proc/{PARENT}/mem', 'rb').read(1)"),
    "traces who judges": attack(body="assert ctypes.CDLL(None).ptrace(16, PARENT, 0, 0) == 0"),
    "lifts its limits": attack(
        "import resource\n", "resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))\nopen(MARK, 'w').write('x')"
    ),
    "leaves its namespaces": attack(body="ctypes.CDLL(None).unshare(0x10000000)\nopen(MARK, 'w')"),
    "mounts": attack(body="ctypes.CDLL(None).mount(b'none', b'/proc', b'tmpfs', 0, 0)\nopen(MARK, 'w')"),
    "asks for io_uring": attack(body=system_call(425, "8", "ctypes.create_string_buffer(120)") + "\nopen(MARK, 'w')"),
    # words
    "steers the terminal": attack("raise ValueError('\\x1b[2J\\x1b]0;owned\\x07' + 'x' * 10**6)\n"),
    "raises what cannot be shown": attack("class E(Exception):\n    def __str__(self): os._exit(3)\n", "raise E()"),
    "carries inputs out in an exception": attack(body="raise ValueError('INPUTS ' + repr(x.tolist()))"),
    "carries inputs out in a type's name": attack(body="raise type('INPUTS' + x.tobytes().hex(), (Exception,), {})"),
    "carries inputs out in a known message": attack(
        body="raise IndexError('INPUTS out of bounds ' + repr(x.tolist()))"
    ),
    "is no Python": "def flip(x:\n",
    "is nested too deeply": HEAD + "flip = " + "(" * 5000 + ")" * 5000,
    "is full of null characters": "def flip(x, lengths=None):\n    return x\n\0\0",
}
