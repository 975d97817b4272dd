"""The doctor's package is not installed: users run it from the charts' folder, as these tests do."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "charts/stack")]
