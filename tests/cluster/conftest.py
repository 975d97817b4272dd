"""The node's own package is what these tests are about."""

import signal
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "infra/cluster"))

# In a script's background Ctrl-C is ignored, and in all that is started from there; the tests want to see it obeyed.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)
