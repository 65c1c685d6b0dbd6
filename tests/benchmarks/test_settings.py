"""What stands in a racer's environment: its settings, and nothing that somebody's shell has set."""

import itertools
import os

import pytest

from tests.benchmarks import process, settings
from tests.benchmarks.settings import AS_IT_COMES, SETTINGS, THREADS, environment

MEMORY = {
    "MALLOC_TRIM_THRESHOLD_": "2000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TOP_PAD_": "100000000",
}
BOUND = {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}
ONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}

HINDRANCES = [
    *("MALLOC_ARENA_MAX", "MALLOC_TRIM_THRESHOLD_", "GLIBC_TUNABLES", "LD_PRELOAD"),
    *("OMP_NUM_THREADS", "OMP_PROC_BIND", "OMP_WAIT_POLICY", "GOMP_CPU_AFFINITY", "KMP_BLOCKTIME", "MKL_NUM_THREADS"),
    *("OPENBLAS_NUM_THREADS", "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE", "NPY_DISABLE_CPU_FEATURES"),
    *("ONEDNN_MAX_CPU_ISA", "XLA_FLAGS", "JAX_PLATFORMS", "JAX_ENABLE_X64", "KERAS_BACKEND", "TORCH_LOGS"),
]


def set_by(engine_settings, threads):
    """What an environment has beyond what every process needs to run."""
    return {
        name: value
        for name, value in environment(threads, engine_settings).items()
        if name not in ("PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT")
    }


@pytest.mark.parametrize("engine", ["pytorch", "keras-torch"])
def test_pytorch_at_its_best_keeps_its_memory_and_binds_its_threads_where_it_has_several(engine):
    best = SETTINGS[engine][1]
    assert set_by(best, "default threads") == {**MEMORY, **BOUND}
    assert set_by(best, "one thread") == {**MEMORY, **ONE}


@pytest.mark.parametrize("engine", ["jax", "keras-jax"])
def test_xla_keeps_its_memory_in_one_arena_and_may_use_wide_vectors(engine):
    kept, wide = SETTINGS[engine][1:3]
    assert set_by(kept, "default threads") == {**MEMORY, "MALLOC_ARENA_MAX": "1"}
    assert set_by(wide, "default threads") == {
        **MEMORY,
        "MALLOC_ARENA_MAX": "1",
        "XLA_FLAGS": "--xla_cpu_prefer_vector_width=512",
    }


@pytest.mark.parametrize("engine", SETTINGS)
def test_the_first_settings_of_every_engine_are_none(engine):
    assert SETTINGS[engine][0] == AS_IT_COMES
    assert set_by(AS_IT_COMES, "default threads") == {}
    assert set_by(AS_IT_COMES, "one thread") == ONE


@pytest.mark.parametrize("engine", SETTINGS)
def test_the_settings_of_an_engine_have_names_of_their_own(engine):
    names = [one.name for one in SETTINGS[engine]]
    assert len(set(names)) == len(names)


def nothing_leaks(monkeypatch):
    """Whatever a shell has set, every environment is what its settings say."""
    everybody = [*itertools.chain(*SETTINGS.values())]
    with monkeypatch.context() as shell:
        for name in HINDRANCES:
            shell.delenv(name, raising=False)
        clean = [environment(threads, one) for threads in THREADS for one in everybody]
        for name in HINDRANCES:
            shell.setenv(name, "7")
        return clean == [environment(threads, one) for threads in THREADS for one in everybody]


def test_nothing_of_a_users_shell_reaches_a_racer(monkeypatch):
    assert nothing_leaks(monkeypatch)


@pytest.mark.parametrize("name", HINDRANCES)
def test_a_planted_leak_is_seen(monkeypatch, name):
    monkeypatch.setattr(settings, "INHERITED", [*settings.INHERITED, name])
    assert not nothing_leaks(monkeypatch)


def test_a_racer_has_what_a_process_needs(monkeypatch):
    monkeypatch.setenv("LD_LIBRARY_PATH", "/somewhere")
    one = environment("one thread")
    assert (one["PATH"], one["LD_LIBRARY_PATH"]) == (os.environ["PATH"], "/somewhere")


@pytest.mark.parametrize("threads", THREADS)
def test_a_worker_is_started_in_the_environment_of_its_settings(monkeypatch, threads):
    started = []

    class Popen:
        def __init__(self, command, env, **options):
            started.append(env)

        def kill(self):
            pass

        communicate = kill

    monkeypatch.setattr(process.subprocess, "Popen", Popen)
    with process.Process(threads, SETTINGS["pytorch"][1]):
        pass
    assert started == [environment(threads, SETTINGS["pytorch"][1])]
