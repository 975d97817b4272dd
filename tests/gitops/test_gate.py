"""The gate refuses what it does not know, and says what that is: no answer, another's answer, too few."""

from __future__ import annotations

import re
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from hub import GATE, run
from world import World, eventually

FAULT = {"duration": "1h", "route": "/demo/hello", "error": {"ratio": 1, "status": 503}}


@pytest.fixture(name="dev", scope="module")
def a_release_in_dev(world: World) -> World:
    """It runs, and is asked by somebody."""
    world.change("int one;\n", "v1.0.0")
    return world


def test_what_is_well_is_held(dev: World) -> None:
    """Every row, by name."""
    done = dev.judged("dev")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("ok ")]
    assert rows == ["/version", "/", "/demo/hello", "instances",
                    *(f"{name}-{sli}" for name in ("root", "hello", "random-error", "work")
                      for sli in ("availability", "latency"))]


def test_without_requests_nothing_is_known(dev: World) -> None:
    """A service that nobody asks keeps no objective."""
    time.sleep(4)  # what was asked before is out of the window of three
    done = dev.gate("dev", "--traffic", "0")
    assert done.returncode == 1
    assert "root-availability: too few requests to know: 1, and 20 are needed" in done.stdout or \
        "root-availability: too few requests to know: 0, and 20 are needed" in done.stdout, done.stdout
    assert done.stdout.count("too few requests to know") == 8


def test_the_wrong_label_is_an_empty_answer(dev: World) -> None:
    """And an empty answer is none."""
    done = dev.gate("dev", "--selector", 'job="glasbox"', "--traffic", "0")
    assert done.returncode == 1
    assert 'NO: instances: Prometheus sees no instance of it by {job="glasbox"}' in done.stdout
    assert done.stdout.count("Prometheus has no such series, or no number: nothing is known") == 8


def test_a_prometheus_that_is_not_there_is_no_answer(dev: World) -> None:
    """Nobody listens."""
    done = dev.gate("dev", "--prometheus", "http://127.0.0.1:1", "--traffic", "0")
    assert done.returncode == 1
    for row in ("instances", "objectives"):
        assert re.search(f"NO: {row}: http://127.0.0.1:1/api/v1/query.* Connection refused", done.stdout), done.stdout


def test_what_is_no_prometheus_is_no_answer(dev: World) -> None:
    """The service itself, asked as if it were one."""
    done = dev.gate("dev", "--prometheus", dev["dev"].url, "--traffic", "0")
    assert done.returncode == 1
    assert "answers 404" in done.stdout


def test_labels_that_prometheus_cannot_read_are_its_error(dev: World) -> None:
    """What it says is passed on."""
    done = dev.gate("dev", "--selector", 'job=glassbox', "--traffic", "0")
    assert done.returncode == 1 and "answers 400" in done.stdout


def test_another_version_is_refused_before_anything_else(dev: World) -> None:
    """main says the new one, and the old one still answers: the deployer has done nothing yet."""
    dev.clone.pull()
    old = dev.version("dev")
    revision = dev.clone.write("src/service.c", "int two;\n", "v1.0.1: a change")
    dev.clone.push()
    assert dev.clone.set_dev(revision, dev.registry.build(revision), "v1.0.1", "--push").returncode == 0
    done = dev.gate("dev")
    assert done.returncode == 1
    assert f"NO: /version: what answers is another's: {old}, and not v1.0.1 ({revision[:12]})" in done.stdout
    assert "availability" not in done.stdout
    dev["dev"].sync()
    assert dev.version("dev") == revision[:12]


def test_an_address_that_nobody_answers_is_refused(dev: World) -> None:
    """Of the service."""
    done = dev.gate("dev", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1 and "/version: http://127.0.0.1:1/version does not answer" in done.stdout


def test_users_are_asked_for_too(dev: World) -> None:
    """/version answers elsewhere, and what users call does not."""
    done = dev.gate("dev", "--url", "http://127.0.0.1:1", "--version-url", f"{dev['dev'].url}/version", "--traffic", "0")
    assert done.returncode == 1
    assert [line for line in done.stdout.splitlines() if line.startswith("NO: /:")]
    assert [line for line in done.stdout.splitlines() if line.startswith("NO: /demo/hello:")]


def test_failures_of_a_status_never_seen_count_from_the_first_on(dev: World) -> None:
    """All of them between two scrapes: their series comes with all of them in it, and increase() of it is 0."""
    here = dev["dev"]
    assert dev.judged("dev").returncode == 0  # enough others, and all well
    here.faults([FAULT])
    try:
        for _ in range(20):
            with pytest.raises(urllib.error.HTTPError):
                urllib.request.urlopen(f"{here.url}/demo/hello", timeout=10)
    finally:
        here.faults([])
    failed = 'sum(http_server_request_duration_seconds_count{http_route="/demo/hello",error_type="503"})'
    eventually(lambda: (here.prometheus.value(failed) or 0) >= 20, "the failures are scraped")
    done = dev.gate("dev", "--window", "60s", "--traffic", "0")
    assert done.returncode == 1, done.stdout
    assert "NO: hello-availability: " in done.stdout and "requests were bad" in done.stdout
    assert "NO: root-availability" not in done.stdout


REFUSED = [
    (["qa"], "no such environment: 'qa'; there are dev, staging, prod"),
    (["prod"], "prod has no release yet: there is no infra/gitops/environments/prod/release.yaml"),
    (["dev", "--window", "10"], "--window '10': must be a number and s, m or h, such as 10m"),
    (["dev", "--window", "0s"], "--window '0s': must be"),
    (["dev", "--at-least", "0"], "--at-least 0: must be 1 or more"),
    (["dev", "--traffic", "-1"], "--traffic -1: must be between 0 and 1000"),
    (["dev", "--url", "localhost:8080"], "--url 'localhost:8080': must be an address such as https://"),
    (["dev", "--prometheus", "nowhere"], "--prometheus 'nowhere': must be an address"),
    (["dev", "--kube-context", "c"], "one of --prometheus URL and --kube-context C is needed, and not both"),
    (["dev", "--objectives", "/nonexistent"], "--objectives /nonexistent: "),
]


@pytest.mark.parametrize("arguments, word", REFUSED, ids=[" ".join(row[0]) for row in REFUSED])
def test_bad_input_is_refused_by_name(dev: World, arguments: list[str], word: str) -> None:
    """Exit status 2, and nothing is asked."""
    done = run(sys.executable, GATE, "--url", "http://127.0.0.1:1", "--prometheus", "http://127.0.0.1:1", "--repository",
               dev.clone.root, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert word in done.stderr


def by_cluster(dev: World, folder: Path, *more: str, slow: float = 0) -> str:
    """The gate by a cluster's API server, which comes to Prometheus and to nothing else: a network policy keeps it from
    the operators' port. `slow`: seconds for each answer."""
    here = dev["dev"]
    fake = folder / "kubectl"
    fake.write_text(f"""#!/bin/sh
# kubectl --context C get --raw PATH …
[ "$1 $2 $3 $4" = "--context lab get --raw" ] || exit 9
case $5 in
/api/v1/namespaces/monitoring/services/kube-prometheus-stack-prometheus:http-web/proxy/*)
    sleep {slow} && exec curl -sf "{here.prometheus.url}${{5##*/proxy}}" ;;
esac
echo "no way to $5" >&2
exit 1
""")
    fake.chmod(0o755)
    return run("env", f"PATH={folder}:/usr/bin:/bin", sys.executable, GATE, "dev", "--url", here.url, "--kube-context",
               "lab", "--window", "3s", "--wait", "0", "--repository", dev.clone.root, *more).stdout


def test_a_cluster_is_asked_by_its_api_server(dev: World, tmp_path: Path) -> None:
    """For what Prometheus says, the version too; an empty answer is none."""
    # This Prometheus is of no cluster: its series have no namespace.
    said = by_cluster(dev, tmp_path)
    assert 'NO: revision: Prometheus sees no instance of it by {job="glassbox", namespace="glassbox"}' in said, said
    assert "availability" not in said
    said = by_cluster(dev, tmp_path, "--selector", 'job="glassbox"')
    assert "ok  revision" in said and "ok  instances" in said, said
    assert "no way to" not in said


def test_a_slow_answer_makes_no_request_bad(dev: World, tmp_path: Path) -> None:
    """All of an objective is of one moment: what leaves the window from one question to the next is not what failed."""
    said = by_cluster(dev, tmp_path, "--selector", 'job="glassbox"', "--traffic", "120", "--at-least", "1", slow=0.6)
    assert re.search("ok  root-availability .* 0 of [1-9]", said), said
    assert "were bad" not in said, said


def test_a_cluster_that_runs_another_release_is_refused(dev: World, tmp_path: Path) -> None:
    """Prometheus says which, and nothing else is asked."""
    dev.clone.pull()
    old = dev.version("dev")
    revision = dev.clone.write("src/service.c", "int three;\n", "v1.0.2: a change")
    dev.clone.push()
    assert dev.clone.set_dev(revision, dev.registry.build(revision), "v1.0.2", "--push").returncode == 0
    dev.clone.pull()
    said = by_cluster(dev, tmp_path, "--selector", 'job="glassbox"')
    assert f"NO: revision: what answers is another's: {old}, and not v1.0.2 ({revision[:12]})" in said, said
    assert "availability" not in said
    dev["dev"].sync()
    said = by_cluster(dev, tmp_path, "--selector", 'job="glassbox"')
    assert "ok  revision" in said, said
