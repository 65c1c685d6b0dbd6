"""Every gradient of the package against numerical derivatives: what `npbilstm check` runs."""

from collections.abc import Callable

from npbilstm.commands.checks import layers, textbook_attention, textbook_cells, textbook_ctc, textbook_lstm
from npbilstm.gradcheck import GradientReport

CHECKS: dict[str, Callable[..., GradientReport]] = {
    **textbook_lstm.CHECKS,
    **textbook_cells.CHECKS,
    **textbook_ctc.CHECKS,
    **textbook_attention.CHECKS,
    **layers.CHECKS,
}
"""Every gradient of the package: a name, and a function of check_gradients' options that answers a report."""

__all__ = ["CHECKS"]
