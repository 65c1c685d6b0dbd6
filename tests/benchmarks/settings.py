"""How each engine is set up: as it comes, and in every way that may make it faster.

Peers are raced at their best. Which setting that is was not decided here: `race.qualify` times each of them against the
engine as it comes, and the fastest is raced. Ours is raced as it comes, as a user has it.
"""

from __future__ import annotations

import os
from typing import Any, NamedTuple

THREADS = ["one thread", "default threads"]
THREAD_VARIABLES = ["OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"]

INHERITED = ["PATH", "HOME", "LANG", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "SYSTEMROOT"]
"""All that a racer inherits: how to find programs, libraries and a place for files. What else somebody's shell sets
(another allocator, bound threads, flags of a compiler, BLAS held to the kernels of another processor) changes one
racer's time and not another's."""


class Settings(NamedTuple):
    """What is set for an engine: environment variables, those for several threads alone, options of its maker."""

    name: str
    variables: dict[str, str]
    for_threads: dict[str, str]
    options: dict[str, Any]


MEMORY_KEPT = {
    "MALLOC_TRIM_THRESHOLD_": "2000000000",
    "MALLOC_MMAP_THRESHOLD_": "1000000000",
    "MALLOC_TOP_PAD_": "100000000",
}
"""glibc keeps freed memory; else it gives much of it back to the system, and takes page faults to get it again."""

ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""All threads allocate from one heap. XLA's threads have each their own, of 64 MB at most, and those are not kept."""

THREADS_BOUND = {"OMP_PROC_BIND": "true", "OMP_PLACES": "cores"}
"""Each thread of OpenMP stays on a core of its own; unbound, two of them sometimes share one."""

WIDE_VECTORS = {"XLA_FLAGS": "--xla_cpu_prefer_vector_width=512"}
"""XLA prefers vectors of 256 bits, also where the processor has 512."""

AS_IT_COMES = Settings("as it comes", {}, {}, {})
KEPT = Settings("memory kept", MEMORY_KEPT, {}, {})
KEPT_BOUND = Settings("memory kept, threads bound", MEMORY_KEPT, THREADS_BOUND, {})
KEPT_ONE_ARENA = Settings("memory kept in one arena", MEMORY_KEPT | ONE_ARENA, {}, {})
KEPT_WIDE = Settings("memory kept in one arena, vectors of 512 bits", MEMORY_KEPT | ONE_ARENA | WIDE_VECTORS, {}, {})

SETTINGS = {
    "npbilstm": [AS_IT_COMES, KEPT],
    "pytorch": [
        AS_IT_COMES,
        KEPT_BOUND,
        KEPT_BOUND._replace(name="memory kept, threads bound, time first", options={"batch_first": False}),
    ],
    "jax": [
        AS_IT_COMES,
        KEPT_ONE_ARENA,
        KEPT_WIDE,
        KEPT_ONE_ARENA._replace(name="memory kept in one arena, xW before the scan", options={"before": True}),
    ],
    "keras-torch": [AS_IT_COMES, KEPT_BOUND],
    "keras-jax": [AS_IT_COMES, KEPT_ONE_ARENA, KEPT_WIDE],
}
"""The settings of each engine that has a choice, as it comes first."""


def environment(threads: str, settings: Settings = AS_IT_COMES) -> dict[str, str]:
    """All that stands in a racer's environment: what it needs to run, its settings, one thread or no word of them."""
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    one = dict.fromkeys(THREAD_VARIABLES, "1")
    return inherited | settings.variables | (one if threads == "one thread" else settings.for_threads)
