"""Fixtures of the crowds: how many they are, and the program they come to.

HOSTILE_CROWD (10,000) and HOSTILE_ROUNDS (4) may be set: fewer for a machine that allows no more
descriptors, or for the binary with sanitizers, which is slow and whose memory tells nothing.
"""

import os
import shutil

import pytest

from service import binary


def pytest_sessionstart(session):
    if not shutil.which(binary()):
        pytest.exit(f"no program at {binary()}: build it, or set GLASSBOX_BIN", returncode=2)


@pytest.fixture(scope="session")
def size():
    return int(os.environ.get("HOSTILE_CROWD", "10000"))


@pytest.fixture(scope="session")
def rounds():
    return int(os.environ.get("HOSTILE_ROUNDS", "4"))
