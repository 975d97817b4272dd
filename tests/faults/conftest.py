"""Fixtures of the tests under the shim. They share the helpers of the wire tests."""

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "wire"))

from control import Control, shim  # noqa: E402
from service import binary  # noqa: E402

SEED = int(os.environ.get("FAULTS_SEED") or random.SystemRandom().randrange(1, 1_000_000))
os.environ["FAULTS_SEED"] = str(SEED)  # the workers of a parallel run draw from the same one


def pytest_report_header():
    return f"FAULTS_SEED={SEED}"


def pytest_sessionstart(session):
    for path in (binary(), shim()):
        if not shutil.which(path) and not os.path.exists(path):
            pytest.exit(f"nothing at {path}: .ci/faults.sh builds it", returncode=2)


@pytest.fixture
def control():
    with Control() as control:
        control.orders.seed = SEED
        yield control


@pytest.fixture
def dice(request):
    """Random numbers of the run's seed, other ones for each test."""
    return random.Random(f"{SEED} {request.node.name}")
