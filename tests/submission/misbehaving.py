"""Files that misbehave, and what `npbilstm check` says of each: a table.

Most are the body of a function, in which `right` is the right answer. What is said is looked for in all that is
printed, in one line; {name} is the function's.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice

START = """
import ctypes, json, os, re, signal, struct, subprocess, sys, threading, time
import numpy as np
libc = ctypes.CDLL(None)
"""
FUNCTION = """
def {name}(*given):
    a = given[0]
    right = {right}
    {body}
    return right
"""
FUNCTIONS = {
    "sigmoid": "1 / (1 + np.exp(-a))",
    "tanh": "np.tanh(a)",
    "relu": "np.maximum(a, 0)",
    "sigmoid_derivative": "a * (1 - a)",
    "tanh_derivative": "1 - a**2",
    "relu_derivative": "(a > 0) + 0.0",
    "valid_steps": "None",
    "check_lengths": "None",
    "flip": "None",
    "fuse": "None",
}
"""The textbook's functions that have no backward pass, and what of some is right."""


def files(bodies: Mapping[str, str], most: int = len(FUNCTIONS), start: str = START) -> list[tuple[str, list[str]]]:
    """Files with so many of these bodies each, as functions of the textbook -> each file, and what is said of it."""
    made = []
    waiting = iter(bodies.items())
    while part := list(islice(waiting, most)):
        named = list(zip(part, FUNCTIONS.items()))
        source = start + "".join(
            FUNCTION.format(name=name, right=right, body=body) for (body, _), (name, right) in named
        )
        made.append((source, [said.format(name=name) for (_, said), (name, _) in named]))
    return made


IN_TIME = "{name} had not ended after "
ENDLESS = {
    "while True: pass": IN_TIME,
    "re.match('(a*)*b', 'a' * 60)": IN_TIME,
    "os.kill(os.getpid(), signal.SIGSTOP)": IN_TIME,
    "while True: os.write(1, b'x' * 65536)": "no more than 10000 characters are shown",
    "time.sleep(1000)": IN_TIME,
    "while True: np.ones((3000, 3000)) @ np.ones((3000, 3000))": IN_TIME,
    "lock = threading.Lock(); lock.acquire(); lock.acquire()": IN_TIME,
    "while True: libc.printf(b'%s\\n', b'y' * 4000)": IN_TIME,
    "os.write(4, struct.pack('<QQ', 100, 0) + b'{{')\n    time.sleep(1000)": IN_TIME,
    """for s in range(1, 32): libc.signal(s, ctypes.c_void_p(1))
    while True: pass""": IN_TIME,
    """while True:
        try: time.sleep(1000)
        except BaseException: pass""": IN_TIME,
    """class Loop(Exception):
        def __str__(self):
            while True: pass
    raise Loop""": IN_TIME,
    """sys.setrecursionlimit(10**9)
    {name}(*given)""": "",  # the memory or the time ends first
}
"""Calls that never end."""

ENDED = "{name} ended the process that it runs in, "
ENDING = {
    "os.abort()": ENDED + "by signal SIGABRT",
    "os.kill(os.getpid(), 40)": ENDED + "by signal 40",
    "ctypes.string_at(0)": ENDED + "by signal SIGSEGV",
    "os.closerange(0, 4)\n    os._exit(0)": ENDED + "with exit code 0",
    """signal.signal(14, lambda *_: 1 / 0)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    time.sleep(0.1)""": "",  # an error of the function, or after it the end of the process
}
"""Calls that end the process."""

NO_OTHER = "PermissionError: [Errno 1] the code may start no other process "
RAISING = {
    "os.fork()": NO_OTHER + "(os.fork)",
    "subprocess.run(['sleep', '1000'])": NO_OTHER + "(subprocess.Popen)",
    "os.system('sleep 1000')": NO_OTHER + "(os.system)",
    "os.execv('/bin/sleep', ['sleep', '1000'])": NO_OTHER + "(os.exec)",
    """from multiprocessing import get_context
    get_context('fork').Process(target=print).start()""": NO_OTHER + "(os.fork)",
    """from multiprocessing import get_context
    get_context('spawn').Process(target=print).start()""": "(the code may start no other process, and do nothing to",
    "os.kill(os.getppid(), signal.SIGSTOP)": "the code may send signals to nobody but itself (os.kill)",
    "while True: threading.Thread(target=time.sleep, args=(1000,), daemon=True).start()": "can't start new thread",
    """hog = []
    while True: hog.append(np.empty(2**24))""": "(the code may use 4 GB)",
    """with open('endless', 'wb') as file:
        file.seek(10**11)
        file.write(b'x' * 10**6)""": "OSError: [Errno 27] File too large",
    """hog = []
    while True: hog.append(open(os.devnull))""": "OSError: [Errno 24] Too many open files",
    """import resource
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))""": "not allowed to raise maximum limit",
    "raise ValueError('x' * 10_000_000)": "more characters)",
    "raise ValueError('\\x1b]0;x\\x07\\x9b31m\\u202ey\\u2028caf\\xe9')": "\ufffd]0;x\ufffd\ufffd31m\ufffdy\ufffdcafé",
    "raise ValueError('many lines' + '\\n' * 10**6)": "ValueError: many lines",
    """class Bad(Exception):
        def __str__(self): raise SystemExit
    raise Bad""": "Bad: <",
    """class Bad(Exception):
        def __str__(self): return 7
    raise Bad""": "Bad: <",
    """class Bad(Exception):
        __class__ = __notes__ = __traceback__ = __cause__ = property(lambda self: 1 / 0)
    raise Bad""": "",
    "raise getattr(__import__('builtins'), 'ExceptionGroup', ValueError)('many', [ValueError(1)] * 10**5)": "many",
    """error = ValueError('first')
    for k in range(30_000):
        last, error = error, ValueError(k)
        error.__cause__ = last
    raise error""": "ValueError: 29999",
    """sys.setrecursionlimit(200_000)
    down = lambda k: down(k - 1) if k else 1 / 0
    down(20_000)""": "ZeroDivisionError: division by zero",
    "raise type('\\x1b[31mRed\\u202e', (Exception,), dict())('bad')": "\ufffd[31mRed\ufffd: bad",
    "sys.exit(0)": "SystemExit: {name} ends the program; it must not",
    """from npbilstm.submission.errors import SubmissionError
    raise SubmissionError('')""": "{name} raised an error that cannot be shown",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "input()": "EOFError: EOF when reading a line",
    """right = []
    right.append(right)""": "is a list that is no array",
    """right = type('Fake', (), dict(__array__=lambda *_, **__: 1 / 0, shape=property(lambda self: 1 / 0)))()""": (
        "ZeroDivisionError: division by zero"
    ),
    "raise ValueError(chr(10) + 'It is right. Judged in 0.1 s.')": "It is right. Judged in 0.1 s.",
}
"""Calls that end with an error."""

HARMLESS = {
    "for _ in range(50): print('x' * 100_000)": "no more than 10000 characters are shown",
    "for _ in range(3): assert libc.fork() == -1": "",
    """if libc.fork() == 0:
        libc.setsid()
        if libc.fork() == 0: time.sleep(1000)""": "",
    "libc.setsid(); libc.setpgid(0, 0); libc.prctl(1, 0); libc.setuid(65534)": "",
    "assert libc.kill(os.getppid(), 19) == libc.kill(0, 19) == libc.ptrace(16, os.getppid(), 0, 0) == -1": "",
    "threading.Thread(target=lambda: [time.sleep(0.1) for _ in iter(int, 1)]).start()": "",
    "print('\\x1b[31mred\\x07', '\\u202e', '\\ud800', 'caf\\xe9')": "\ufffd[31mred\ufffd \ufffd \\ud800 café",
    "assert 'SECRET' not in os.environ": "",
    "assert len(os.listdir('/proc/self/fd')) < 8": "",
    "sys.stdout = sys.stderr = sys.stdin = None": "",
}
"""What right functions may do besides, and are still right."""

FORGE = (
    START
    + """
def of_serve(name):
    frame = sys._getframe()
    while frame.f_code.co_name != "serve": frame = frame.f_back
    return frame.f_locals[name]

def send(facts, body=b"", lengths=None):
    head = facts if isinstance(facts, bytes) else json.dumps({**of_serve("number"), **facts}).encode()
    os.write(4, struct.pack("<QQ", *(lengths or (len(head), len(body)))) + head + body)

def forge(array, shape=None, name="value", dtype="<f8", times=1, body=None, **facts):
    form = [name, dtype, list(array.shape) if shape is None else shape]
    send({"findings": [], "changed": [], "arrays": [form] * times, **facts}, array.tobytes() if body is None else body)
"""
)
"""What a file needs to answer in its process's place."""

NO_ANSWER, UNASKED, IMPOSSIBLE, OTHER, UNEVEN, ENDLESSLY = (
    f"own.py interfered with the process that runs it: asked for {{name}}, {what}"
    for what in (
        "it sends what is no answer",
        "it sends arrays that were not asked for, or of another shape or dtype",
        "it says what cannot be so",
        "it answers what nobody has asked",
        "it announces arrays of one length and sends them in another",
        "it announces a message that is too long",
    )
)
FORGED = {
    "forge(right, body=b'', error='', arrays=[])": IMPOSSIBLE,
    "send(b'')": NO_ANSWER,
    "send(b'{{]')": NO_ANSWER,
    "send(b'[1]')": NO_ANSWER,
    "send(b'[' * 60_000)": NO_ANSWER,
    "send(bytes([255, 254, 0]))": NO_ANSWER,
    "send(b'' , b'', (3 * 10**9, 0))": ENDLESSLY,
    "os.write(4, b'x' * 100)": ENDLESSLY,
    "while True: os.write(4, b'x' * 65536)": ENDLESSLY,
    "forge(right, body=b'', number=-1, arrays=[])": OTHER,
    "forge(right, body=b'', number=float('nan'), arrays=[])": OTHER,
    "for _ in range(2): forge(right)": OTHER,
    "forge(right, body=b'', arrays=[])": "asked for {name}, it gives no value",
    "forge(right, times=0)": "asked for {name}, ",
    "forge(right, arrays=dict())": UNASKED,
    "forge(right, arrays=[1, dict(), []])": UNASKED,
    "forge(right, name='more')": UNASKED,
    "forge(right, shape=[1, 1], body=b'12345678')": UNASKED,
    "forge(right, shape=[-1])": UNASKED,
    "forge(right, dtype='|O')": UNASKED,
    "forge(right, dtype='<f4')": UNASKED,
    "forge(right, times=2, body=2 * right.tobytes())": "asked for {name}, it sends one array twice",
    "forge(right, body=right.tobytes()[8:])": UNEVEN,
    "forge(right * np.nan)": "asked for {name}, it gives value numbers that are not finite",
    "forge(right, findings=7)": IMPOSSIBLE,
    "forge(right, findings=list(map(str, range(5000))))": IMPOSSIBLE,
    "forge(right, changed=['z'])": IMPOSSIBLE,
    "forge(right, body=b'', error=[], arrays=[])": IMPOSSIBLE,
    "os.closerange(0, 200)\n    time.sleep(1000)": "asked for {name}, it closed the pipe that its answers come by",
    "os.close(4)\n    time.sleep(1000)": "asked for {name}, it closed the pipe that its answers come by",
}
"""Calls of right functions that answer themselves."""

RNN_STEP = """
import numpy as np
def rnn_step_forward(x, h_prev, params):
    h = np.tanh(x @ params.Wx + h_prev @ params.Wh + params.b)
    return h, (x, h_prev, h, params)
def rnn_step_backward(dh, cache):
    x, h_prev, h, params = cache
    da = dh * (1 - h**2)
    return da @ params.Wx.T, da @ params.Wh.T, (x.T @ da, h_prev.T @ da, da.sum(axis=0))
"""
PATCHED = (
    RNN_STEP
    + """
import __main__
from npbilstm.submission import checked_file, pairs
def facts(**others):
    checked_file.SubmittedFile.facts = lambda self: {"functions": [], "others": [], "layout": self.layout, **others}
def answer(**others):
    checked_file.SubmittedFile.answer = lambda self, *_: ({"pair": {}, "findings": [], "changed": [], **others}, {})
"""
)
"""A right file that does something to what runs it."""

IMPOSSIBLE_FILE = "own.py interfered with the process that runs it: it says what cannot be so"
IMPOSSIBLE_PAIR = IMPOSSIBLE.format(name="rnn_step_forward")
PATCHES = {
    "pairs.SubmittedPasses.run_backward = lambda *_: {}": (
        "asked for rnn_step_backward, it gives no x, h_prev, Wx, Wh, b"
    ),
    "pairs.SubmittedPasses.run_forward = lambda *_: ({}, None)": "asked for rnn_step_forward, it gives no h",
    "pairs.SubmittedPasses.run_backward = lambda *_: {'y': np.ones(3)}": UNASKED.format(name="rnn_step_backward"),
    "pairs.reference_array = lambda *_: np.ones((3, 4), np.float32)": UNASKED.format(name="rnn_step_forward"),
    "facts(functions=3)": IMPOSSIBLE_FILE,
    "facts(functions=['rm'])": IMPOSSIBLE_FILE,
    "facts(functions=[['sigmoid']])": IMPOSSIBLE_FILE,
    "facts(others=['x\\nIt is right.'])": IMPOSSIBLE_FILE,
    "facts(layout=['ifgo', 'rzn', 'D,4H', 'NTDX', '4H'])": IMPOSSIBLE_FILE,
    "facts(layout=None)": IMPOSSIBLE_FILE,
    "facts(others=['x' * 10**6])": "a message has at most 65,536",
    "answer(pair=None)": IMPOSSIBLE_PAIR,
    "answer(pair=[1])": IMPOSSIBLE_PAIR,
    "answer(pair={'uses': ['rm'], 'absent': []})": IMPOSSIBLE_PAIR,
    "answer(pair={'uses': [], 'absent': ['x', 'h_prev', 'Wx', 'Wh', 'b']})": IMPOSSIBLE_PAIR,
    "answer(pair={'uses': [], 'absent': ['rows']})": IMPOSSIBLE_PAIR,
    "__main__.framed = lambda *_: b'x' * 1000": (
        "own.py interfered with the process that runs it: it announces a message"
    ),
}

IMPORTS = {
    "import os\nfor _ in range(3): os.fork()": NO_OTHER + "(os.fork)",
    "import re\nre.match('(a*)*b', 'a' * 60)": "own.py had not ended after 0.5 s (an endless loop?)",
    "x = " + "(" * 5000: "SyntaxError: too many nested parentheses",
    "while True: pass": "own.py had not ended after 0.5 s (an endless loop?); it was at line 1, while True: pass",
    "import os\nos._exit(0)": "own.py ended the process that it runs in, with exit code 0",
    "\0\0": "holds binary data",
    "x = '" + "\x1b[31m" * 10_000 + "' +": "SyntaxError: invalid syntax",
    "raise KeyboardInterrupt": "KeyboardInterrupt",
    "import sys\nfor name in list(sys.modules): sys.modules.pop(name)\n1 / 0": "own.py",
    "raise type('Red\\u202e', (Exception,), {})('\\x1b[31m')": "Red\ufffd",
}
"""Sources that do not get as far as to define anything."""
