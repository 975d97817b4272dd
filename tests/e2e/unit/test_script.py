"""`.ci/e2e.sh`, whichever way it ends: what it brought up is taken down, once, and nothing goes on. The cluster and the
installation are programs of the test that say what they were told, and wait where they are asked to."""

import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from cluster import ROOT
from wire import eventually

# Notes each call in `calls`. The word in `waits` waits to be ended, as a node does that comes up; `fails` has statuses.
PROGRAM = """#!/usr/bin/env bash
here=%s
[ "$1" != values ] || { echo infra/cluster/values; exit; }
echo "$(basename "$0") $*" >>"$here/calls"
word=$(basename "$0")-$1
if [ "$word" = cluster-enter ]; then
    shift
    exec "$@"
fi
[ "$word" != cluster-status ] || { [ -e "$here/up" ] && exit 0 || exit 1; }
[ "$word" != "$(cat "$here/waits" 2>/dev/null)" ] || { touch "$here/waiting"; exec sleep 600.25; }
exit "$(sed -n "s/^$word //p" "$here/fails" 2>/dev/null | grep . || echo 0)"
"""


class Script:
    """A copy of what it needs, with programs in the places of node and installation."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        shutil.copytree(ROOT / ".ci", folder / ".ci", ignore=shutil.ignore_patterns("tools", "npm"))
        (folder / "alerts").mkdir()
        shutil.copy(ROOT / "alerts/requirements.txt", folder / "alerts")
        for name in ("infra/cluster/cluster", "charts/stack/install", ".ci/kubectl.sh", ".ci/deps.sh"):
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(PROGRAM % folder)
            path.chmod(0o755)
        (folder / ".ci/kubectl.sh").write_text("#!/bin/sh\necho /usr/bin\n")
        (folder / ".ci/charts.sh").write_text('#!/bin/sh\necho "${CHARTS_DIR:-$0}"\n')
        (folder / ".ci/crds.sh").write_text('#!/bin/sh\necho "${GATEWAY_API_CRDS:-$0}"; [ -z "$GATEWAY_API_CRDS" ]\n')
        (folder / "tests/e2e").mkdir(parents=True)
        (folder / "tests/e2e/test_it.py").write_text("def test_it():\n    pass\n")

    def start(self, **variables: str) -> subprocess.Popen[str]:
        """As a terminal starts it: with a session of its own, and its signals not ignored."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("E2E_")}
        return subprocess.Popen([self.folder / ".ci/e2e.sh"], env={**kept, **variables}, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def wait(self, word: str) -> None:
        """Where it is to wait."""
        (self.folder / "waits").write_text(word)

    @property
    def calls(self) -> list[str]:
        """Of the programs, without the questions."""
        text = (self.folder / "calls").read_text() if (self.folder / "calls").exists() else ""
        return [line for line in text.splitlines() if not re.search(" (status|enter)|^deps", line)]

    def is_alone(self) -> bool:
        """Whether nothing of it runs any more."""
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if str(self.folder) in os.readlink(process / "cwd"):
                    return False
            except OSError:
                continue
        return True


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def closing(said: str) -> list[str]:
    return re.findall(r"^\d+ passed, \d+ failed, \d+ skipped$", said, re.M)


INSTALL = "install --profile demo --gateway --overlay infra/cluster/values"


def test_up_installed_tested_down(script: Script):
    running = script.start()
    said, _ = running.communicate(timeout=120)
    assert (running.returncode, closing(said)) == (0, ["4 passed, 0 failed, 0 skipped"]), said
    assert script.calls == ["cluster build --all", "cluster up --all", INSTALL, "cluster down"]
    assert re.findall(r"^ +\d+ s  (.+)$", said, re.M) == [
        "what is needed is built", "cluster", "install", "tests", "down"]


def test_a_cluster_that_was_up_stays(script: Script):
    (script.folder / "up").touch()
    running = script.start()
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 0 and script.calls == [INSTALL], said


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
@pytest.mark.parametrize("word", ["cluster-up", "install---profile"])
def test_ended_by_a_signal(script: Script, number: signal.Signals, status: int, word: str):
    script.wait(word)
    running = script.start()
    assert eventually((script.folder / "waiting").exists, 60, 0.05)
    running.send_signal(number)
    said, _ = running.communicate(timeout=60)
    assert running.returncode == status, said
    assert script.calls.count("cluster down") == 1 and script.calls[-1] == "cluster down"
    assert eventually(script.is_alone, 10, 0.1)


@pytest.mark.parametrize("fails, calls, line", [
    ("cluster-build 75", ["cluster build --all"], "0 passed, 0 failed, 1 skipped"),
    ("cluster-build 1", ["cluster build --all"], "0 passed, 1 failed, 0 skipped"),
    ("cluster-up 1", ["cluster build --all", "cluster up --all", "cluster down"], "0 passed, 1 failed, 0 skipped"),
    ("install---profile 1", ["cluster build --all", "cluster up --all", INSTALL, "cluster down"],
     "1 passed, 1 failed, 0 skipped"),
    ("install---profile 75", ["cluster build --all", "cluster up --all", INSTALL, "cluster down"],
     "1 passed, 0 failed, 1 skipped")])
def test_what_fails_and_what_cannot_be_had(script: Script, fails: str, calls: list[str], line: str):
    """75 is for what cannot be had here: skipped, and the promise said."""
    (script.folder / "fails").write_text(fails + "\n")
    running = script.start()
    said, _ = running.communicate(timeout=120)
    assert (closing(said), script.calls) == ([line], calls), said
    assert running.returncode == ("0 failed" not in line)
    assert ("unproved" in said) == line.endswith("1 skipped")


def test_without_the_gateway_s_crds(script: Script):
    """No node can fetch them by itself: nothing is begun."""
    running = script.start(GATEWAY_API_CRDS="cannot be had: no route to host")
    said, _ = running.communicate(timeout=120)
    assert (running.returncode, closing(said), script.calls) == (0, ["0 passed, 0 failed, 1 skipped"], []), said
    assert "the Gateway API's CRDs: cannot be had: no route to host; unproved" in said


def test_a_test_that_fails_fails_it_all(script: Script):
    (script.folder / "tests/e2e/test_it.py").write_text("def test_it():\n    assert False\n")
    running = script.start()
    said, _ = running.communicate(timeout=120)
    assert running.returncode == 1 and script.calls[-1] == "cluster down", said


def test_the_tests_get_time_to_restore(script: Script):
    """SIGTERM reaches pytest, whose fixtures restore before the cluster goes."""
    (script.folder / "tests/e2e/conftest.py").write_text("""
import pathlib, signal, time, pytest
def pytest_configure(config):
    def end(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, end)
@pytest.fixture
def changed():
    pathlib.Path("waiting").touch()
    yield
    time.sleep(1)
    with open("calls", "a") as calls:
        calls.write("restored\\n")
""")
    (script.folder / "tests/e2e/test_it.py").write_text("import time\ndef test_it(changed):\n    time.sleep(300.5)\n")
    running = script.start()
    assert eventually((script.folder / "waiting").exists, 60, 0.05)
    time.sleep(0.3)  # it is in the test by now, or else in the fixture, which restores as well
    running.terminate()
    said, _ = running.communicate(timeout=60)
    assert running.returncode == 143 and script.calls[-2:] == ["restored", "cluster down"], said
