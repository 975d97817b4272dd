"""`loadtest/run hpa`, as a person starts it: what it foretells of the autoscaler comes, and no request fails."""

import json
import subprocess
from pathlib import Path

import pytest

from client import image
from cluster import ROOT, Cluster
from conftest import Prometheus, Stack
from glassbox import Glassbox

pytestmark = [pytest.mark.usefixtures("quiet"), pytest.mark.timeout(900)]


def test_what_is_foretold_comes(cluster: Cluster, service: Glassbox, stack: Stack, prometheus: Prometheus, results: Path,
                                tmp_path: Path) -> None:
    """By requests and CPU at once; with its table, its picture, and its series."""
    words = ["hpa", "BY=both", "PUSH=60s", "TESTID=foretold", f"RESULTS={tmp_path}", f"K6_IMAGE={image('k6', cluster.is_node)}",
             f"NAMESPACE={service.namespace}", f"RELEASE={service.release}", f"MONITORING={stack.monitoring}",
             f"PROMETHEUS_SERVICE={stack.prometheus}", f"HOUSEKEEPING={'5s' if cluster.is_node else '10s'}"]
    done = subprocess.run([*cluster.enter, ROOT / "loadtest/run", *words], capture_output=True, text=True, cwd=ROOT,
                          env=cluster.environment, timeout=800, check=False)
    (results / "foretold.txt").write_text(done.stdout + done.stderr)
    assert done.returncode == 0, done.stdout + done.stderr
    recording = json.loads((tmp_path / "foretold/recording.json").read_text())
    (results / "foretold.svg").write_text((tmp_path / "foretold/picture.svg").read_text())
    assert max(one["current"] for one in recording["samples"]) >= recording["hpa"]["minReplicas"] + 2
    summary = json.loads((tmp_path / "foretold/summary.json").read_text())["metrics"]
    assert summary["http_reqs"]["values"]["count"] > 5000 and summary["http_req_failed"]["values"]["passes"] == 0
    for name in ("k6_hpa_predicted_replicas", "k6_hpa_wanted_replicas", "k6_hpa_ready_replicas"):
        assert prometheus.value(f'max(max_over_time({name}{{testid="foretold"}}[10m]))') >= 4, name
    ratio = 'max(max_over_time(k6_hpa_metric_ratio{{testid="foretold", metric_name="{}"}}[10m]))'
    assert prometheus.value(ratio.format("http_requests_per_second")) > 1.1 and prometheus.value(ratio.format("cpu")) > 0.5
