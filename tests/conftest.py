"""Settings for all tests: the same draws in every run, no time limits on a noisy machine, and few of many cases."""

import gc
import os
import signal
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, settings

reproducible = settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("few", reproducible, max_examples=12)
settings.register_profile("many", reproducible, max_examples=200)  # CI's: pytest --hypothesis-profile many
settings.load_profile("few")

WORKER = int(os.environ["PYTEST_XDIST_WORKER"].removeprefix("gw")) if "PYTEST_XDIST_WORKER" in os.environ else None
"""Which of several processes this is, counted from 0."""
if WORKER is not None:  # NumPy, not imported yet, reads it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # a shell's background job; the tests of Ctrl-C need it
    signal.signal(signal.SIGINT, signal.default_int_handler)


def spread(count, n):
    """The indices of n of so many cases, spread over all of them."""
    return sorted({k * count // n for k in range(n)} & set(range(count)))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Of a test with many cases, @pytest.mark.few(n) leaves n to every run, spread over all of them. The others are
    slow. Processes that went through the folders in different ways have the tests in one order all the same."""
    if WORKER is not None:
        items.sort(key=lambda item: item.path.parts)
    families = defaultdict(list)
    for item in items:
        if item.get_closest_marker("few") and not item.get_closest_marker("slow"):
            families[item.nodeid.partition("[")[0]].append(item)
    for family in families.values():
        (n,) = family[0].get_closest_marker("few").args
        kept = spread(len(family), n)
        for k, item in enumerate(family):
            if k not in kept:
                item.add_marker("slow")


@pytest.hookimpl(wrapper=True)
def pytest_generate_tests(metafunc):
    """No item is made of a case that is slow where only those that are not will run: there are thousands."""
    yield
    calls = getattr(metafunc, "_calls", None)  # pytest's own; without it the slow ones are made, and deselected
    if calls and metafunc.config.option.markexpr == "not slow" and not any("::" in arg for arg in metafunc.config.args):
        slow, few = map(metafunc.definition.get_closest_marker, ("slow", "few"))
        quick = [call for call in calls if not slow and not any(mark.name == "slow" for mark in call.marks)]
        if few:
            quick = [quick[k] for k in spread(len(quick), *few.args)]
        calls[:] = quick or calls[:1]  # with none it would be a test without cases


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector):
    """Of several processes every second one goes through the folders backwards. Who first imports a file lets Python
    compile it and pytest rewrite its asserts; they meet in the middle, and find the other's half done."""
    report = yield
    if WORKER is not None and WORKER % 2 and isinstance(collector, pytest.Directory):
        report.result.reverse()
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """What is collected stays to the end. So no collection of garbage need look through it, then or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.enable()
