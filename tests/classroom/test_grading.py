"""A class is graded: each submission as it is, the same each time, whatever else lies beside it."""

import csv
import io
import json
import os
import re
import sys
import types
import zipfile

import pytest

from npbilstm.classroom import batch
from npbilstm.classroom.assignment import python_file
from npbilstm.classroom.collected import collect, read
from npbilstm.classroom.exercises import ALL, EXERCISES
from npbilstm.classroom.formats import file_name
from npbilstm.classroom.grading import grade_sources
from npbilstm.classroom.stand_in import stand_in
from npbilstm.cli import main
from npbilstm.mistakes import BUGS
from npbilstm.submission.permitted_calls import permitting_filter
from npbilstm.submission.sandbox import Layers
from tests.classroom.written import written

needs_linux = pytest.mark.skipif(not hasattr(os, "O_PATH"), reason="the sandbox is Linux's")
FLIP, PADDING, LSTM = EXERCISES["flip"], EXERCISES["padding"], EXERCISES["lstm_over_time"]
FORGOTTEN = BUGS["initial-state-ignored"]


@pytest.mark.parametrize("exercise", ALL, ids=lambda each: each.name)
def test_what_stands_in_runs_alone_and_holds_nothing_that_is_asked(exercise, monkeypatch):
    module = types.ModuleType("stands_in")
    monkeypatch.setitem(sys.modules, "stands_in", module)
    exec(compile(stand_in(exercise).source, "stands_in", "exec", dont_inherit=True), vars(module))
    defined = {name for name, value in vars(module).items() if isinstance(value, types.FunctionType)}
    assert stand_in(exercise).functions == {name for name in defined if vars(module)[name].__module__ == "stands_in"}
    assert not defined & set(exercise.functions)


def test_the_filter_is_made_for_both_kinds_of_processor_and_fits():
    for machine in ("x86_64", "aarch64"):
        assert 0 < len(permitting_filter(machine)) <= 8 * 4096
    assert permitting_filter("riscv64") == b""


def climbing_zip(path):
    """A zip with an entry that climbs out, a link, a bomb, and one right file."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("../../ex08_flip.py", "climbs")
        link = zipfile.ZipInfo("ex01_activations.py")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
        archive.writestr("ex03_rnn_step.py", b"0" * 20_000_000)
        archive.writestr("hw/ex12_gru.py", "right = 1\n")


def test_a_zip_is_read_where_it_lies_and_what_climbs_out_is_said(tmp_path):
    climbing_zip(tmp_path / "carol.zip")
    (tmp_path / "dora.zip").write_bytes(b"PK no zip")
    found = collect(tmp_path)
    carol, dora = (read(name, found[name]) for name in ("carol", "dora"))
    assert {exercise.name for exercise in carol.sources} == {"gru"}
    said = " ".join(carol.unread)
    assert all(words in said for words in ("lie outside of its zip", "is a link", "has more than 5 MB"))
    assert dora.unread == ("dora.zip cannot be read as a zip: BadZipFile",)
    assert sorted(each.name for each in tmp_path.iterdir()) == ["carol.zip", "dora.zip"]


def test_folders_and_files_are_found_and_links_are_not_followed(tmp_path):
    secret = tmp_path / "secret.py"
    secret.write_text("secret")
    class_ = tmp_path / "submitted"
    (class_ / "ann" / "ps1").mkdir(parents=True)
    (class_ / "ann" / "ps1" / "ex08_flip.py").write_text("x = 1")
    (class_ / "ann" / "ex12_gru.py").symlink_to(secret)
    os.mkfifo(class_ / "ann" / "ex03_rnn_step.py")
    (class_ / "bob_ex08_flip.py").write_text("y = 2")
    (class_ / "eve").symlink_to(tmp_path)
    found = collect(class_)
    assert set(found) == {"ann", "bob"}
    ann = read("ann", found["ann"])
    assert ann.sources == {FLIP: ("ex08_flip.py", "x = 1")}
    assert ann.unread == ("ex03_rnn_step.py is no file", "ex12_gru.py is a link, or cannot be read")
    assert read("bob", found["bob"]).sources == {FLIP: ("bob_ex08_flip.py", "y = 2")}


def hand_in(folder, name, bug=None, exercises=(FLIP,)):
    """A submission in a folder of its own."""
    (folder / name).mkdir(parents=True)
    for exercise in exercises:
        (folder / name / file_name(exercise, "py")).write_text(written(exercise, bug))


def results_of(folder):
    """The lines of the results."""
    return {line["submission"]: line for line in map(json.loads, (folder / "results.jsonl").read_text().splitlines())}


@needs_linux
@pytest.mark.slow
def test_a_mistake_costs_once_and_the_right_rest_nothing(tmp_path, capsys):
    hand_in(tmp_path / "in", "ann", exercises=ALL)
    hand_in(tmp_path / "in", "bob", FORGOTTEN, (LSTM, PADDING))
    (tmp_path / "in" / "stubs").mkdir()
    for exercise in ALL:
        (tmp_path / "in" / "stubs" / file_name(exercise, "py")).write_text(python_file(exercise))
    out = tmp_path / "out"
    assert main(["grade", str(tmp_path / "in"), "--out", str(out), "--seed", "4", "--jobs", "1"]) == 0
    ann, bob, stubs = (results_of(out)[name] for name in ("ann", "bob", "stubs"))
    assert ann["score"] == ann["max_score"] == sum(exercise.points for exercise in ALL)
    parts = {part["exercise"]: part for part in bob["parts"]}
    assert (parts["lstm_over_time"]["state"], parts["lstm_over_time"]["mistakes"]) == ("wrong", [FORGOTTEN.id])
    assert (parts["padding"]["state"], parts["padding"]["score"]) == ("counted before", PADDING.points)
    assert {part["state"] for part in stubs["parts"]} == {"not yet written"}
    assert stubs["score"] == 0


@needs_linux
@pytest.mark.slow
def test_the_same_seed_gives_the_same_results_with_any_number_of_jobs(tmp_path, capsys):
    hand_in(tmp_path / "in", "ann")
    hand_in(tmp_path / "in", "bob", FLIP.mistakes[0])
    texts = []
    for jobs in ("1", "2"):
        out = tmp_path / f"out{jobs}"
        assert main(["grade", str(tmp_path / "in"), "--out", str(out), "--seed", "4", "--jobs", jobs]) == 0
        texts.append((out / "results.jsonl").read_bytes())
    assert texts[0] == texts[1]


@needs_linux
@pytest.mark.slow
@pytest.mark.skipif(sys.version_info < (3, 11), reason="3.10 takes no hash seed where it imports nothing from here")
def test_what_hangs_on_the_order_of_a_set_has_one_score_in_every_run():
    source = written(FLIP).replace(
        "def flip(", "letters = ''.join({*'abcdefghij'})\nraise ValueError(letters)\ndef flip("
    )
    said = {grade_sources({FLIP: ("flip.py", source)}, [FLIP], Layers(), 4)[0].result.stopped for _ in range(3)}
    assert len(said) == 1


@needs_linux
@pytest.mark.slow
def test_an_interrupted_run_goes_on_and_a_changed_submission_is_another_attempt(tmp_path, capsys, monkeypatch):
    hand_in(tmp_path / "in", "ann")
    hand_in(tmp_path / "in", "bob", FLIP.mistakes[0])
    asked = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--only", "flip", "--jobs", "1"]
    asked += ["--hint-by-attempt", "1,2"]
    assert main(asked) == 0
    first = results_of(tmp_path / "out")
    (tmp_path / "out" / "submissions" / "bob.json").unlink()  # as if it was ended before
    graded = []
    monkeypatch.setattr(batch, "grade_sources", lambda *a, **k: graded.append(1) or grade_sources(*a, **k))
    assert main(asked) == 0
    assert len(graded) == 1
    assert results_of(tmp_path / "out") == first
    with (tmp_path / "in" / "bob" / file_name(FLIP, "py")).open("a") as file:
        file.write("\n# again\n")
    assert main(asked) == 0
    record = json.loads((tmp_path / "out" / "submissions" / "bob.json").read_bytes())
    assert (record["attempt"], record["hint"]) == (2, 2)
    assert "hint 2" in record["parts"][0]["feedback"]
    assert "hint 2" not in first["bob"]["parts"][0]["feedback"]


@needs_linux
@pytest.mark.slow
def test_every_format_tells_the_same_points(tmp_path, capsys):
    hand_in(tmp_path / "in", "=ann", exercises=(FLIP, LSTM))
    asked = ["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out"), "--only", "flip", "gru", "--jobs", "1"]
    for form in ("csv", "gradescope", "prairielearn"):
        assert main([*asked, "--format", form]) == 0
    (row,) = csv.DictReader(io.StringIO((tmp_path / "out" / "results.csv").read_text()))
    assert row == {"submission": "'=ann", "score": "5.0", "max_score": "21.0", "flip": "5.0", "gru": "0.0"}
    (scope,) = (json.loads(each.read_bytes()) for each in (tmp_path / "out" / "gradescope").iterdir())
    assert (scope["score"], [test["status"] for test in scope["tests"]]) == (5, ["passed", "failed"])
    (prairie,) = (json.loads(each.read_bytes()) for each in (tmp_path / "out" / "prairielearn").iterdir())
    assert prairie["score"] == 5 / 21
    assert [test["points"] for test in prairie["tests"]] == [5, 0]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--jobs", "0"], "--jobs is 0"),
        (["--hint-by-attempt", "1,5"], "it needs levels from 1 to 3"),
        (["--only", "nothing"], "there is no exercise 'nothing'"),
        (["--seed", "-1"], "--seed is -1"),
    ],
)
def test_an_option_that_cannot_be_is_told(options, said, tmp_path, capsys):
    assert main(["grade", str(tmp_path), "--out", str(tmp_path / "out"), *options]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_without_a_sandbox_nothing_is_graded_unless_it_is_asked_for(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(batch, "best_sandbox", lambda: (Layers(contained=False), ("sockets can be opened",)))
    batch.sandbox_here.cache_clear()
    hand_in(tmp_path / "in", "ann")
    assert main(["grade", str(tmp_path / "in"), "--out", str(tmp_path / "out")]) == 2
    assert re.search("the sandbox does not hold on .*: sockets can be opened.", capsys.readouterr().err)
    assert not (tmp_path / "out").exists()
    assert batch.sandbox_here(True)[0] == Layers(contained=False)
    batch.sandbox_here.cache_clear()
