"""`make demo`'s script, what a person is told, and the signals as they are heard."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from command import ROOT, Command
from glassbox_stack.interruption import Interrupted, Interruption


@pytest.fixture
def without_build(tmp_path) -> dict[str, str]:
    """An environment in which a build is noticed, and fails."""
    for name in ("cmake", "ninja"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/built\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    return {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}


@pytest.mark.parametrize("variables, arguments, status, answer", [
    ({"RATE": "abc"}, [], 2, "`abc` is not a number from 1 to 1000"),
    ({"PROFILE": "slow"}, [], 2, "invalid choice: 'slow'"),
    ({"INCIDENT": "outrage"}, [], 2, "no incident `outrage`: outage, saturation, slow-burn"),
    ({}, ["--port", "one"], 2, "`one` is not NAME=PORT"),
    ({}, ["--help"], 0, "usage: stack.py")])
def test_what_is_not_understood_is_told_before_anything_is_built(tmp_path, without_build, variables, arguments, status,
                                                                 answer):
    run = subprocess.run([ROOT / ".ci/demo.sh", *arguments], env={**without_build, **variables}, text=True,
                         capture_output=True, check=False)
    assert run.returncode == status and answer in run.stdout + run.stderr
    assert not (tmp_path / "built").exists()


def test_what_is_understood_is_built(tmp_path, without_build):
    run = subprocess.run([ROOT / ".ci/demo.sh", "--rate", "5"], env={**without_build, "INCIDENT": "outage"},
                         capture_output=True, check=False)
    assert run.returncode == 1 and (tmp_path / "built").exists() and b"== building the service" in run.stderr


def test_terminal_that_cannot_draw_a_page_gets_what_it_can(folder, tmp_path):
    plan = tmp_path / "short.json"
    plan.write_text(json.dumps({"name": "short", "description": "quarter ─ hour", "timeline": [{"at": "1h"}]}))
    with Command(folder, "--no-load", "--no-collector", "--incident", str(plan),
                 env={"PYTHONIOENCODING": "ascii"}) as command:
        assert command.hears("=== short: quarter ? hour"), command.said
        assert command.ends(signal.SIGINT) == 1  # it was not played to its end
        assert "Traceback" not in command.said and "Everything is down." in command.said


def test_incident_that_the_service_refuses_is_told_with_its_words(folder, tmp_path):
    plan = tmp_path / "short.json"
    plan.write_text(json.dumps({"name": "short", "timeline": [{"at": "0s", "faults": [{"flood": {}}]}]}))
    with Command(folder, "--no-load", "--no-collector", "--incident", str(plan), "--calm", "0") as command:
        assert command.ends() == 1
        assert "FAILED: the service refuses it: " in command.said and "flood" in command.said
        command.left_nothing()


def test_nothing_that_python_compiles_is_left_in_the_tree(folder):
    with Command(folder, "--no-collector", env={"PYTHONDONTWRITEBYTECODE": ""}) as command:
        pids = command.comes_up()["pids"]
        for name in ("webhook", "load"):
            environment = Path(f"/proc/{pids[name]}/environ").read_bytes().split(b"\0")
            assert b"PYTHONDONTWRITEBYTECODE=1" in environment, name
        assert command.ends(signal.SIGINT) == 0


@pytest.fixture
def interruption():
    """In force; and what was before is put back."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    with Interruption() as made:
        yield made
    for number, handler in before.items():
        signal.signal(number, handler)


def test_first_signal_is_heard_in_a_pause_and_the_second_at_once(interruption):
    impatient = []
    interruption.at_once = lambda: impatient.append(True)
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(Interrupted, match="SIGTERM"):
        interruption.pause(60)
    assert not impatient
    os.kill(os.getpid(), signal.SIGINT)
    assert impatient == [True]
    with pytest.raises(Interrupted, match="SIGINT"):
        interruption.pause(60)


def test_a_signal_that_is_ignored_by_our_parent_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    others = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        with Interruption():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)
        for number, handler in others.items():
            signal.signal(number, handler)
