"""Fixtures: the reader in Go and what sends it awkward telemetry, by the paths of .ci/readers.sh."""

import json
import os
import subprocess

import pytest


def tool(name):
    path = os.environ.get(name)
    if not path:
        pytest.skip(f"needs {name}: see README.md")
    return path


@pytest.fixture(scope="session")
def read():
    """read(bytes, what, how) -> what .ci/tools/reader makes of them; what it cannot read fails."""
    binary = tool("READER_BIN")

    def run(raw, *how):
        result = subprocess.run([binary, *how], input=raw, capture_output=True, timeout=60)
        assert result.returncode == 0, result.stderr.decode()
        return json.loads(result.stdout)
    return run


@pytest.fixture(scope="session")
def awkward():
    """The program of awkward.c."""
    return tool("AWKWARD_BIN")
