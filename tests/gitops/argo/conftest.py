"""Argo CD beside a node that is up (CLUSTER_NAME), and environment dev of a repository of its own: `.ci/argocd.sh`.

ARGOCD_BIN is the program, IMAGE an archive of the service's image, CHARTS_DIR the charts of others. The order of the tests
is a story: each begins where the one before has left the cluster, which a run in parts or in another order cannot.
"""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

import chart
from applications import Applications
from cluster import Cluster
from lab import Lab
from origin import Origin, chart_folder
from programs import NAMESPACE, Programs

LOGS = Path(__file__).resolve().parents[3] / "build/argocd"
FAILED: list[str] = []


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """After one that failed, what comes next would only tell the same again."""
    if report.failed:
        FAILED.append(report.nodeid)


def pytest_runtest_setup() -> None:
    """See there."""
    if FAILED:
        pytest.fail(f"not begun: it goes on from {FAILED[0]}, which failed")


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """The node."""
    with Cluster() as up:
        yield up


@pytest.fixture(scope="session")
def lab(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """dev's first release is promoted, and bootstrap/install has run; Argo CD's programs come up, as its pods would, when
    there is what they need."""
    folder = tmp_path_factory.mktemp("argo")
    beside = Path(os.environ["ARGOCD_BIN"]).parent
    LOGS.mkdir(parents=True, exist_ok=True)
    origin = Origin(folder)
    charts = folder / "charts"
    chart.repositories(cluster, origin.children, Path(os.environ["CHARTS_DIR"]), charts, chart_folder)
    own = chart.argo_cd(cluster, beside, folder / "own")
    made = Lab(cluster, origin, Applications(cluster), folder, Path(os.environ["IMAGE"]), own)
    made.promote_first()
    with made.timed("bootstrap/install, of all but Argo CD's pods"):
        made.install("--provider", "none", "--repository", origin.url)
    settings = cluster.get(f"/api/v1/namespaces/{NAMESPACE}/configmaps/argocd-cm")["data"]
    try:
        with Programs(beside / "argocd", folder, charts, LOGS, settings) as made.programs, made.applications:
            yield made
    finally:
        made.report(LOGS)
