"""`python -m npbilstm` is `npbilstm`."""

import sys

from npbilstm.cli import main

sys.exit(main())
