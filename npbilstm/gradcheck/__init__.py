"""Gradient checks: numerical derivatives and verdicts, for anybody's functions.

Modules are imported when one of their names is first used: pytest loads pytest_plugin in every run, at no cost.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from npbilstm.gradcheck.blocks import Blocks
    from npbilstm.gradcheck.check import check_gradients
    from npbilstm.gradcheck.pair import check_pair
    from npbilstm.gradcheck.report import GradientReport
    from npbilstm.gradcheck.results import Convergence, DirectionRow, NotJudged, ParameterRow, Sparkline

_HOMES = {
    "blocks": ["Blocks"],
    "check": ["check_gradients"],
    "pair": ["check_pair"],
    "report": ["GradientReport"],
    "results": ["Convergence", "DirectionRow", "NotJudged", "ParameterRow", "Sparkline"],
}

__all__ = [
    "Blocks",
    "Convergence",
    "DirectionRow",
    "GradientReport",
    "NotJudged",
    "ParameterRow",
    "Sparkline",
    "check_gradients",
    "check_pair",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"npbilstm.gradcheck.{module}"), name)
    raise AttributeError(f"npbilstm.gradcheck has no {name!r}")
