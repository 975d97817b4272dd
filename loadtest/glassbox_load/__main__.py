"""`python -m glassbox_load`: loadtest/run."""

import sys

from .cli import main

sys.exit(main(sys.argv[1:]))
