"""Gradient checks: numerical derivatives and verdicts, for anybody's functions.

The public names stand in __init__.pyi. Modules are imported when one of their names is first used: pytest loads
pytest_plugin in every run, at no cost.
"""

from npbilstm.lazy import lazy

__getattr__, __dir__ = lazy(__name__, __file__)
