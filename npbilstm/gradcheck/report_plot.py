"""The convergence plot: the error of central differences against their step, both logarithmic."""

from __future__ import annotations

from typing import Any

import numpy as np

from npbilstm.gradcheck.results import Convergence


def plot_convergence(convergence: Convergence, ax: Any = None) -> Any:
    """|difference - gradient| at each step, and a line of slope 2. -> ax, a new one where none is given.

    A right gradient's errors follow the line until round-off turns them up again; a wrong one's level off. Raises
    ImportError where matplotlib is missing.
    """
    if ax is None:
        try:
            from matplotlib import pyplot
        except ImportError as error:
            raise ImportError("plot_convergence needs matplotlib: pip install 'npbilstm[plots]'") from error
        ax = pyplot.subplots()[1]
    steps, differences = np.array(convergence.steps), np.array(convergence.differences)
    errors = np.abs(differences - convergence.got)
    ax.loglog(steps, np.where(errors > 0, errors, np.nan), "o-", label="|difference - gradient got|")
    if not np.isclose(convergence.expected, convergence.got, rtol=1e-6):
        distance = np.abs(differences - convergence.expected)
        ax.loglog(steps, np.where(distance > 0, distance, np.nan), ".--", label="|difference - gradient expected|")
    falling = np.abs(differences - convergence.expected)
    anchor = int(np.argmax(steps)) if steps.size else 0
    if steps.size and np.isfinite(falling[anchor]) and falling[anchor] > 0:
        ax.loglog(steps, falling[anchor] * (steps / steps[anchor]) ** 2, ":", color="grey", label="slope 2")
        bottom = max(min(falling[falling > 0]) / 10, 1e-18)
        ax.set_ylim(bottom=bottom)
    ax.set_xlabel("step s")
    ax.set_ylabel("error of the central difference")
    ax.set_title("Along a random direction")
    ax.legend()
    return ax
