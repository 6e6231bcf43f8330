"""`python -m bnviz`."""

import sys

from bnviz.cli.main import main

sys.exit(main())
