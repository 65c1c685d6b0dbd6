"""The public names, each with the module that it is imported from when it is first used: see lazy.py."""

from npbilstm.gradcheck.blocks import Blocks as Blocks
from npbilstm.gradcheck.check import check_gradients as check_gradients
from npbilstm.gradcheck.pair import check_pair as check_pair
from npbilstm.gradcheck.report import GradientReport as GradientReport
from npbilstm.gradcheck.results import Convergence as Convergence
from npbilstm.gradcheck.results import DirectionRow as DirectionRow
from npbilstm.gradcheck.results import NotJudged as NotJudged
from npbilstm.gradcheck.results import ParameterRow as ParameterRow
from npbilstm.gradcheck.results import Sparkline as Sparkline
