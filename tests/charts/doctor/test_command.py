"""The command itself, with a kubectl on the PATH that answers from a file: exit statuses, what it says when it cannot
look, the table, the JSON, the waiting."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from examine import drop, look, one
from fake import FakeKubectl, Recorder
from glassbox_doctor import cli
from glassbox_doctor.finding import Finding
from glassbox_doctor.links import LINKS
from world import World, otlp, whole

HERE = Path(__file__).resolve().parent
DOCTOR = HERE.parents[2] / "charts/stack/doctor"
NAMES = ("--release", "shop", "--namespace", "store", "--monitoring-namespace", "watch")
PODS = r"^/api/v1/namespaces/store/pods"


def fresh(world: World) -> World:
    """With a span of just now: a program looks at the real clock."""
    world["files"]["collector-0/reader"] = otlp("shop-glassbox-7d9f-aaaaa", time.time()) + "\n"
    return world


@dataclass(frozen=True)
class Done:
    """How a run ended, and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def program(tmp_path: Path) -> Any:
    """program(world, *arguments): the command as it is; kubectl on its PATH gives what the world's would have given."""
    def run(world: World, *arguments: str, path: str = f"{HERE / 'bin'}:{os.environ['PATH']}") -> Done:
        look(world, Recorder(world, tmp_path))
        done = subprocess.run([sys.executable, str(DOCTOR), *NAMES, *arguments], capture_output=True, text=True,
                              env={"PATH": path, "FAKE_ANSWERS": str(tmp_path)}, timeout=300, check=False)
        return Done(done.returncode, done.stdout, done.stderr)
    return run


@pytest.fixture
def doctor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """doctor(world, *arguments): the same in this process, which is much quicker."""
    def run(world: World, *arguments: str) -> Done:
        monkeypatch.setattr(cli, "Kubectl", lambda context: FakeKubectl(world))
        status = cli.main([*NAMES, *arguments])
        return Done(status, *capsys.readouterr())
    return run


def test_all_is_well(program: Any) -> None:
    done = program(fresh(whole()), "--context", "here")
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [line.split()[:2] for line in done.stdout.splitlines()[:-1] if not line.startswith(" ")]
    assert rows == [[link.ID, "ok"] for link in LINKS]
    assert done.stdout.endswith("11 ok, 0 broken, 0 skipped\n") and not done.stderr
    assert "\033" not in done.stdout


def test_a_break(doctor: Any, tmp_path: Path) -> None:
    world = whole()
    drop(world, "servicemonitors")
    file = tmp_path / "doctor.json"
    done = doctor(world, "--json", str(file))
    assert done.returncode == 1
    assert "-> helm upgrade shop charts/glassbox -n store --reset-then-reuse-values" in done.stdout
    assert "begin with scraped" in done.stdout
    found = json.loads(file.read_text(encoding="utf-8"))
    assert [set(one) for one in found] == [{"id", "state", "found", "fix"}] * len(LINKS)
    assert [one["id"] for one in found if one["state"] == "broken"] == ["scraped"]


def test_json_alone(doctor: Any) -> None:
    done = doctor(whole(), "--json", "-")
    assert {one["state"] for one in json.loads(done.stdout)} == {"ok"}


def test_a_file_that_cannot_be_written(doctor: Any, tmp_path: Path) -> None:
    """Not 1, which says that a link is broken; what was found is said all the same."""
    done = doctor(whole(), "--json", str(tmp_path / "nowhere/doctor.json"))
    assert done.returncode == 2 and "11 ok" in done.stdout
    assert done.stderr.startswith("doctor: --json: ") and "nowhere/doctor.json" in done.stderr


def test_kubectl_missing(program: Any, tmp_path: Path) -> None:
    done = program(whole(), path=str(tmp_path))
    assert (done.returncode, done.stderr) == (2, "doctor: kubectl is not on the PATH\n")


def test_wrong_context(program: Any) -> None:
    done = program(whole(), "--context", "elsewhere")
    assert (done.returncode, done.stderr) == (2, 'doctor: context "elsewhere" does not exist\n')


UNREACHABLE = [
    ("The connection to the server 10.0.0.1:6443 was refused - did you specify the right host or port?",
     "The connection to the server 10.0.0.1:6443 was refused"),
    ("E1126 15:52:00.1 memcache.go:265] couldn't get\n"
     "Unable to connect to the server: dial tcp: lookup k8s: no such host",
     "Unable to connect to the server: dial tcp: lookup k8s: no such host"),
    ("error: You must be logged in to the server (Unauthorized)", "You must be logged in to the server (Unauthorized)"),
    ("Error from server (ServiceUnavailable): the server is currently unable to handle the request",
     "the cluster does not answer: the server is currently unable to handle the request"),
]


@pytest.mark.parametrize("stderr, said", UNREACHABLE)
def test_unreachable(doctor: Any, stderr: str, said: str) -> None:
    world = whole()
    world["refusals"]["^/version$"] = stderr
    done = doctor(world)
    assert done.returncode == 2 and done.stderr.startswith(f"doctor: {said}"), done


FORBIDDEN = [
    (PODS, 'pods is forbidden: User "eve" cannot list resource "pods" in API group "" in the namespace "store"',
     "you may not list pods in namespace store: that the service takes requests stays unproved",
     "kubectl create role glassbox-doctor -n store --verb=list --resource=pods, and a binding of it to you"),
    ("/services/kube-prometheus-stack-prometheus:", 'services "x:http-web" is forbidden: User "eve" cannot get '
     'resource "services/proxy" in API group "" in the namespace "watch"',
     "you may not get services/proxy in namespace watch",
     "kubectl create role glassbox-doctor -n watch --verb=get --resource=services/proxy, and a binding of it to you"),
    ("/servicemonitors", 'servicemonitors.monitoring.coreos.com is forbidden: User "eve" cannot list resource '
     '"servicemonitors" in API group "monitoring.coreos.com" in the namespace "store"',
     "you may not list servicemonitors.monitoring.coreos.com in namespace store",
     "kubectl create role glassbox-doctor -n store --verb=list --resource=servicemonitors.monitoring.coreos.com, "
     "and a binding of it to you"),
    ("/apiservices/", 'apiservices.apiregistration.k8s.io "x" is forbidden: User "eve" cannot get resource '
     '"apiservices" in API group "apiregistration.k8s.io" at the cluster scope',
     "you may not get apiservices.apiregistration.k8s.io in the whole cluster",
     "kubectl create clusterrole glassbox-doctor --verb=get --resource=apiservices.apiregistration.k8s.io, "
     "and a binding of it to you"),
]


@pytest.mark.parametrize("path, message, said, fix", FORBIDDEN)
def test_forbidden(doctor: Any, path: str, message: str, said: str, fix: str) -> None:
    """What may not be looked at is skipped by name; with nothing broken that is refused, not well."""
    world = whole()
    world["refusals"][path] = f"Error from server (Forbidden): {message}"
    done = doctor(world, "--json", "-")
    skipped = [one for one in json.loads(done.stdout) if one["state"] == "skipped"]
    assert done.returncode == 2 and skipped, done
    assert skipped[0]["found"].startswith(said) and skipped[0]["fix"] == fix


OPTIONAL = ["/secrets", "/events", "/pods/[^/]+/proxy/", r"^/api/v1/namespaces/(store|watch)$", "/scaledobjects",
            "^/apis/apps/v1/deployments$"]


@pytest.mark.parametrize("path", OPTIONAL)
def test_what_is_merely_of_use_may_be_forbidden(path: str) -> None:
    world = whole()
    world["refusals"][path] = ('Error from server (Forbidden): x is forbidden: User "eve" cannot list resource "x" in '
                               'API group "" in the namespace "store"')
    assert {finding.state for finding in look(world).values()} == {"ok"}


def test_it_waits_until_all_is_well(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The world is mended while it pauses: then it ends, long before its time, and forgets what it had seen."""
    world = whole()
    world["prometheus"]["targets"][0]["health"] = "unknown"
    monkeypatch.setattr(cli.time, "sleep", lambda seconds: world["prometheus"]["targets"][0].update(health="up"))
    done = doctor(world, "--wait", "100")
    assert done.returncode == 0 and "11 ok" in done.stdout
    assert done.stderr.endswith("s left for scraped\n") and done.stderr.count("\n") == 1


def test_it_waits_for_a_cluster_that_is_away(doctor: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = whole()
    world["refusals"]["^/version$"] = UNREACHABLE[0][0]
    monkeypatch.setattr(cli.time, "sleep", lambda seconds: world["refusals"].clear())
    done = doctor(world, "--wait", "100")
    assert done.returncode == 0 and "s left for the cluster: The connection to the server" in done.stderr


def test_its_time_is_up(doctor: Any) -> None:
    world = whole()
    drop(world, "servicemonitors")
    done = doctor(world, "--wait", "2")
    assert done.returncode == 1 and "s left for scraped\n" in done.stderr


def test_colours_on_a_terminal_alone() -> None:
    findings = {"scraped": Finding("broken", "nobody " * 30, "first line\nsecond line")}
    plain, coloured = cli.table(findings, 80, False), cli.table(findings, 80, True)
    assert "\033[31mbroken" in coloured and "\033" not in plain
    assert all(len(line) <= 80 for line in plain.splitlines())
    assert plain.splitlines()[-2:] == [" " * 18 + "-> first line", " " * 18 + "-> second line"]


def test_every_link_is_whole() -> None:
    """What rounds.py takes for granted of a module in links/."""
    ids = [link.ID for link in LINKS]
    for index, link in enumerate(LINKS):
        assert link.PROMISE.startswith("that ") and link.CAUSES and callable(link.green)
        assert set(link.FOLLOWS) <= set(ids[:index]) and set(link.BROUGHT) <= set(link.CAUSES), link.ID
        assert bool(link.FOLLOWS) == bool(link.BROUGHT), link.ID


def test_an_unknown_release_breaks_and_says_so() -> None:
    world = whole()
    for kind, things in world["objects"].items():
        if kind not in ("namespaces",):
            things[:] = [thing for thing in things if thing["metadata"].get("namespace") != "store"]
    findings = look(world)
    assert findings["pods-ready"].state == "broken"
    assert one(world, "namespaces")["metadata"]["name"] == "store"
    assert all(finding.fix for finding in findings.values() if finding.state == "broken")
