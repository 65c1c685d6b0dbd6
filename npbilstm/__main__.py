"""`python -m npbilstm` is `npbilstm`."""

import os
import sys

from npbilstm.cli import main

if sys.path[:1] == [os.getcwd()]:  # where `-m` looks first: a random.py in this folder would be taken for Python's
    del sys.path[0]
sys.exit(main())
