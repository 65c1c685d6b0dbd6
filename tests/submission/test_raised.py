"""What is told of an error: the submission's lines and the message, however large or hostile it is."""

import linecache
import sys

import pytest

from npbilstm.submission import raised
from npbilstm.submission.errors import SubmissionError
from npbilstm.submission.raised import describe_error

PATH = "own.py"


def told(source, **names):
    """What is told of the error that a source raises. names: what it knows besides."""
    linecache.cache[PATH] = len(source), None, source.splitlines(keepends=True), PATH
    try:
        exec(compile(source, PATH, "exec"), {"SubmissionError": SubmissionError, **names})
    except BaseException as error:
        return describe_error(error, PATH, "sigmoid")
    raise AssertionError("it raises nothing")


def test_the_message_stands_last_and_no_line_of_ours_before_it():
    text = told("def f():\n    return undefined\nf()")
    assert text.startswith('  File "own.py", line 3, in <module>\n')
    assert text.endswith("\nNameError: name 'undefined' is not defined")
    assert "test_raised" not in text


@pytest.mark.few(4)
@pytest.mark.parametrize("message", ["'x' * 50_000_000", "'x\\n' * 10**6", "'\\n' + 'x' * 10**6 + '\\n' + 'y' * 10**6"])
@pytest.mark.parametrize("kind", ["ValueError", "SubmissionError", "SyntaxError", "SystemExit"])
def test_no_message_is_longer_than_can_be_read(kind, message):
    text = told(f"raise {kind}({message})")
    assert len(text) < 2000
    assert max(map(len, text.splitlines())) <= len(PATH) + raised.WIDTH + len(" ...") + len(
        " ... (50,000,000 more characters)"
    )


def test_no_traceback_is_longer_than_can_be_read():
    lines = "\n".join(f"def f{k}(): f{k + 1}() # {'x' * 150}" for k in range(40))
    text = told(f"{lines}\ndef f40(): 1 / 0\nf0()")
    assert "x" * 150 in text
    assert len(text) < raised.TRACE + 300
    assert "in f40\n" in text
    assert "in f35\n" in text
    assert "in f20\n" not in text
    long_name = "raise_ = lambda: 1 / 0\nraise_.__code__ = raise_.__code__.replace(co_name='x' * 10**6)\nraise_()"
    text = told(long_name)
    assert len(text) < 2000
    assert "line 3, in <module>\n" in text


def test_only_the_last_calls_are_looked_through(monkeypatch):
    monkeypatch.setattr(raised, "DEPTH", 3)
    text = told("def f(k):\n    1 / 0 if k > 9 else g(k)\ndef g(k):\n    f(k + 1)\nf(0)")
    assert text.count("File") == 3
    assert text.endswith("ZeroDivisionError: division by zero")


def test_causes_are_not_looked_at():
    asked = []
    source = "class Cause(Exception):\n    def __str__(self): asked.append(self); return ''\n"
    source += "try: raise Cause\nexcept Cause as cause: raise ValueError('last') from cause"
    assert told(source, asked=asked).endswith("ValueError: last")
    assert asked == []


@pytest.mark.skipif(sys.version_info < (3, 11), reason="there are no groups yet")
def test_the_members_of_a_group_are_not_looked_at():
    asked = []
    source = "class Member(Exception):\n    def __str__(self): asked.append(self); return ''\n"
    source += "raise ExceptionGroup('many', [Member()] * 1000)"
    assert told(source, asked=asked).endswith("ExceptionGroup: many (1000 sub-exceptions)")
    assert asked == []


def test_a_long_line_does_not_hide_what_is_wrong_with_it():
    assert told("x = " + "(" * 5000) == 'File "own.py", line 1\nSyntaxError: too many nested parentheses'
    assert "x = 1 +" in told("x = 1 +")


@pytest.mark.parametrize(
    "body",
    [
        "def __str__(self): raise SystemExit",
        "def __str__(self): return 7",
        "__class__ = property(lambda self: 1 / 0)",
        "__cause__ = property(lambda self: 1 / 0, lambda self, value: 1 / 0)",
        "__notes__ = property(lambda self: 1 / 0)",
        "text = filename = property(lambda self: 1 / 0)",
    ],
)
@pytest.mark.parametrize("base", ["Exception", "SyntaxError", "SubmissionError", "MemoryError"])
def test_an_error_that_does_something_when_it_is_looked_at_is_told_all_the_same(base, body):
    text = told(f"class Bad({base}):\n    {body}\nraise Bad")
    assert 0 < len(text) < 500
    assert isinstance(text, str)


@pytest.mark.parametrize("message", ["", " ", " \\n"])
def test_an_error_is_never_told_as_nothing(message):
    assert told(f"raise SubmissionError('{message}')") == "sigmoid raised an error that cannot be shown"


def test_what_the_code_may_not_do_is_said():
    assert told("raise MemoryError").endswith("MemoryError (the code may use 4 GB)")
    assert told("raise PermissionError(1, 'Operation not permitted')").endswith(
        "Operation not permitted (the code may start no other process, and do nothing to one)"
    )
    assert told("raise PermissionError(13, 'Permission denied')").endswith("Permission denied")
    assert told("raise SystemExit(3)").endswith("SystemExit: sigmoid ends the program; it must not")
