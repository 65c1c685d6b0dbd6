"""Settings for all tests: the same draws in every run, and no time limits on a noisy machine."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("reproducible", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("reproducible")

if "PYTEST_XDIST_WORKER" in os.environ:  # one of several processes; NumPy, not imported yet, reads it
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
