"""A small part of the fuzzer: python -m tests.fuzz tries them all, which CI does."""

import pytest

from tests.fuzz.cases import Case
from tests.fuzz.crafted import crafted_cases
from tests.fuzz.run import Worker, fault, mutated_cases, try_all

pytestmark = pytest.mark.skipif("sys.platform != 'linux'", reason="limits of memory and time as Linux has them")


def test_there_are_200_files_made_to_be_difficult_each_under_a_name_of_its_own():
    names = [case.name for case in crafted_cases()]
    assert len(names) == len(set(names)) >= 200


def test_some_of_the_files_give_no_traceback_and_touch_nothing():
    small = [case for case in crafted_cases() if case.make is None and len(case.content) < 100_000]
    cases = [case._replace(commands=case.tried[:1]) for case in small[::15]] + mutated_cases(0, 30)
    failures = try_all([case for case in cases if case.kind != "check"], workers=1)  # which takes a process each
    assert not failures, "\n\n".join(map(str, failures))


def test_the_same_seed_gives_the_same_files():
    assert mutated_cases(3, 20) == mutated_cases(3, 20) != mutated_cases(4, 20)


ANSWER = {"code": 2, "told": "npbilstm: a.txt is wrong\n", "changed": []}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({}, ""),
        ({"code": 0, "told": "3 of 4 words\n", "changed": ["new.npz"]}, ""),
        ({"code": 4}, "exit code 4"),
        ({"code": None, "told": "Traceback (most recent call last):\n"}, "a traceback"),
        ({"told": "npbilstm: it is wrong\n"}, "a refusal that does not name a.txt"),
        ({"told": ""}, "0 sentences for a refusal"),
        ({"changed": ["a.txt"]}, "it refused, and touched a.txt"),
        ({"code": 0, "told": "", "changed": ["b.txt"]}, "it touched b.txt"),
        ({"code": 0}, "a sentence, and exit code 0"),
        ({"code": 0, "told": "x.py:3: SyntaxWarning: odd\n"}, "a warning of Python's"),
    ],
)
def test_what_no_command_may_do_is_found(change, why):
    assert fault({**ANSWER, **change}, "tag", "a.txt", "new.npz") == why


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.close()


def test_a_command_that_ends_the_process_is_found(worker, monkeypatch):
    monkeypatch.setattr("sys.executable", "/bin/false")
    assert worker.answer(["--version"]) == "it ends the process (1)"


@pytest.mark.slow
def test_a_command_that_takes_too_long_is_found_and_the_next_one_runs(worker, monkeypatch):
    monkeypatch.setattr("tests.fuzz.run.SECONDS", 0)
    assert worker.answer(["demo", "--quiet"]) == "it takes more than 0 s"
    monkeypatch.setattr("tests.fuzz.run.SECONDS", 10)
    assert worker.answer(["--version"])["code"] == 0


def test_a_case_writes_its_file(tmp_path):
    Case("a", "text", b"hello").write(tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_bytes() == b"hello"
