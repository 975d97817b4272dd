"""Fixtures of the tests under the shim. They share the helpers of the wire tests."""

import os
import random
import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "wire"))

from certificates import Authority  # noqa: E402
from collector import Collector, server_tls  # noqa: E402
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


@pytest.fixture(params=["http", "https"])
def collector(request, tmp_path):
    """One that takes everything, in the clear and over TLS; `trusted` is what an exporter needs."""
    tls, trusted = None, {}
    if request.param == "https":
        authority = Authority(tmp_path, "authority")
        identity = authority.issue("collector", "DNS:localhost,IP:127.0.0.1")
        tls = server_tls(identity.certificate, identity.key)
        trusted = {"OTEL_EXPORTER_OTLP_CERTIFICATE": str(authority.certificate)}
    with Collector(tls=tls) as collector:
        collector.trusted = trusted
        yield collector
