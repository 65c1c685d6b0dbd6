"""The table of workers has a line a size; no time is judged."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.benchmarks import workers


def test_the_table_has_a_line_for_each_size(monkeypatch, capsys):
    monkeypatch.setattr(workers, "SIZES", {"tiny": (2, 3, 2), "small": (3, 3, 2)})
    monkeypatch.setattr(workers, "Processes", lambda count, memory: ThreadPoolExecutor(count))
    monkeypatch.setattr(workers, "TURNS", 1)
    monkeypatch.setattr(workers, "BEGINNING", 0)
    assert workers.main(["--workers", "3", "--sizes", "tiny", "small"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" | ")[0] for line in lines] == ["| model", "|---|---|---|---|---|---|", "| tiny", "| small"]
    assert all(line.endswith(" x |") for line in lines[2:])


def test_one_worker_is_none_too_many(capsys):
    with pytest.raises(SystemExit):
        workers.main(["--workers", "1"])
    assert "it needs at least 2" in capsys.readouterr().err
