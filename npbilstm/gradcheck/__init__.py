"""Gradient checks: numerical derivatives and verdicts, for anybody's functions."""

from npbilstm.gradcheck.check import check_gradients
from npbilstm.gradcheck.report import DirectionRow, GradientReport, ParameterRow

__all__ = ["DirectionRow", "GradientReport", "ParameterRow", "check_gradients"]
