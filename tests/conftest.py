"""Settings for all tests: the same draws in every run, no time limits on a noisy machine, and few of many cases."""

import gc
import os
import signal
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, settings

reproducible = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("few", reproducible, max_examples=25)
settings.register_profile("many", reproducible, max_examples=200)  # CI's: pytest --hypothesis-profile many
settings.load_profile("few")

if "PYTEST_XDIST_WORKER" in os.environ:  # one of several processes; NumPy, not imported yet, reads it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; the tests of Ctrl-C need it
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test with many cases, @pytest.mark.few(n) leaves n to every run, spread over all of them. The others are
    slow."""
    families = defaultdict(list)
    for item in items:
        if item.get_closest_marker("few") and not item.get_closest_marker("slow"):
            families[item.nodeid.partition("[")[0]].append(item)
    for family in families.values():
        (n,) = family[0].get_closest_marker("few").args
        kept = {k * len(family) // n for k in range(n)}
        for k, item in enumerate(family):
            if k not in kept:
                item.add_marker("slow")


def pytest_collection_finish():
    """What was collected stays to the end. So a full collection of garbage need not look through it at each call."""
    gc.collect()
    gc.freeze()
