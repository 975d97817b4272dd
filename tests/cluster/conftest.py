"""The node's own package is what these tests are about."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "infra/cluster"))
