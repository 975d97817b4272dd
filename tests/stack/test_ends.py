"""Whichever way a stack ends, nothing of it is left but the files in its folder."""

import errno
import json
import os
import pty
import signal
import socket
import subprocess

import pytest

from command import Command, alive, eventually, get, naming
from glassbox_stack import files
from glassbox_stack.files import LOCK
from stack import Failed, NotOurs, Stack, swap


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name)
def test_signal_takes_everything_down(folder, number):
    with Command(folder) as command:
        state = command.comes_up()
        assert command.ends(number) == 0, command.said
        assert f"{number.name}: taking everything down" in command.said
        assert not (folder / "stack.json").exists()
        command.left_nothing(state)
    assert {entry.name for entry in folder.parent.iterdir()} == {folder.name}


def test_sigkill_leaves_no_process(folder):
    with Command(folder) as command:
        state = command.comes_up()
        assert set(naming(folder)) >= {*state["pids"].values(), state["pid"]}
        assert command.ends(signal.SIGKILL) == -signal.SIGKILL
        command.left_nothing(state)


def test_after_a_sigkill_the_folder_can_be_used_again(folder):
    with Command(folder, "--no-load", "--no-collector") as command:
        command.comes_up()
        command.ends(signal.SIGKILL)
        command.left_nothing()
    assert (folder / "stack.json").exists()
    with pytest.raises(NotOurs, match="no stack runs in"):
        swap(folder, "fast")
    with Command(folder, "--no-load", "--no-collector") as command:
        state = command.comes_up()
        assert command.ends(signal.SIGINT) == 0
        command.left_nothing(state)


@pytest.mark.parametrize("words", ["service", "webhook", "prometheus"])
def test_signal_while_it_comes_up(folder, words):
    with Command(folder) as command:
        assert command.hears(words)
        assert command.ends(signal.SIGINT) == 1, command.said
        assert "everything is taken down" in command.said
        command.left_nothing()


def test_closed_terminal(folder):
    ours, theirs = pty.openpty()
    with Command(folder, stdout=theirs, start_new_session=True,
                 preexec_fn=lambda: os.close(os.open(os.ttyname(theirs), os.O_RDWR))) as command:
        os.close(theirs)
        assert eventually((folder / "stack.json").exists, 120)
        state = json.loads((folder / "stack.json").read_text())
        os.close(ours)
        assert command.ends() == 0
        command.left_nothing(state)


def test_nobody_reads_any_more(folder):
    reading, writing = os.pipe()
    with Command(folder, stdout=writing) as command:
        os.close(writing)
        assert eventually((folder / "stack.json").exists, 120)
        state = json.loads((folder / "stack.json").read_text())
        os.close(reading)
        os.kill(state["pids"]["webhook"], signal.SIGKILL)  # something that it wants to say
        assert command.ends() == 1
        command.left_nothing(state)


def test_second_signal_waits_for_nobody(folder):
    with Command(folder) as command:
        state = command.comes_up()
        os.kill(state["pids"]["prometheus"], signal.SIGSTOP)
        command.process.send_signal(signal.SIGINT)
        command.process.send_signal(signal.SIGTERM)
        command.ends()
        command.left_nothing(state)


def test_part_that_stands_still_is_taken_down(folder):
    with Command(folder) as command:
        state = command.comes_up()
        for name in ("service", "load"):
            os.kill(state["pids"][name], signal.SIGSTOP)
        assert command.ends(signal.SIGINT) == 0
        command.left_nothing(state)


# ---- before and while ---------------------------------------------------------------------------

def test_taken_port_is_named_before_anything_starts(folder):
    folder.mkdir()
    (folder / LOCK).touch()
    (folder / "from-the-last-time").touch()
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", 0))
        owner.listen()
        port = owner.getsockname()[1]
        with Command(folder, "--port", f"alertmanager={port}") as command:
            assert command.ends() == 2
            assert f"port {port}, for alertmanager, is taken by " in command.said
            assert f"(pid {os.getpid()})" in command.said and "--port alertmanager=PORT" in command.said
            assert "starting" not in command.said
            command.left_nothing()
    assert (folder / "from-the-last-time").exists()


def test_two_on_one_port_are_named_before_anything_starts(folder):
    with Command(folder, "--port", "service=9100", "--port", "webhook=9100") as command:
        assert command.ends() == 2
        assert "port 9100 is given to service and webhook" in command.said and "starting" not in command.said


def test_ports_that_nobody_asked_for_may_be_taken(folder):
    """Grafana is not there, and a Collector is not wanted: their ports do not matter."""
    from glassbox_stack import ports
    table = ports.free()
    with socket.socket() as owner:
        owner.bind(("127.0.0.1", table["collector"]))
        owner.listen()
        arguments = [word for name, port in table.items() for word in ("--port", f"{name}={port}")]
        with Command(folder, "--no-collector", *arguments, free=False) as command:
            state = command.comes_up()
            assert state["prometheus"] == f"http://127.0.0.1:{table['prometheus']}"
            assert command.ends(signal.SIGINT) == 0


def test_second_stack_in_the_folder_is_refused(folder):
    with Command(folder, "--no-load") as first:
        state = first.comes_up()
        with Command(folder) as second:
            assert second.ends() == 2
            assert f"a stack runs in {folder} already (pid {state['pid']})" in second.said
        assert all(map(alive, state["pids"].values()))
        assert json.loads((folder / "stack.json").read_text()) == state
        assert first.ends(signal.SIGINT) == 0


@pytest.mark.parametrize("name", ["thesis.txt", "lock"])
def test_folder_of_others_is_left_alone(folder, name):
    """Also one with a `lock`, as Prometheus' own and browsers' have it."""
    folder.mkdir()
    (folder / name).write_text("years of work")
    with Command(folder) as command:
        assert command.ends() == 2
        assert "holds other things than a stack's" in command.said
    assert [entry.name for entry in folder.iterdir()] == [name]


@pytest.mark.parametrize("place, why", [
    ("file", "File exists"), ("file/sub", "Not a directory"), ("/proc/none", "No such file or directory")])
def test_folder_that_cannot_be_is_refused_in_words(tmp_path, place, why):
    (tmp_path / "file").touch()
    with Command(tmp_path / place) as command:
        assert command.ends() == 2
        assert command.said == f"{tmp_path / place} cannot be used: {why}: give another one with --folder\n"


def test_folder_that_cannot_be_written_is_told_and_nothing_stays(folder, monkeypatch):
    """As when the disk is full."""
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(files, "write_state", full)
    with pytest.raises(Failed, match="cannot be written: No space left on device"):
        with Stack(folder, load=False, collector=False):
            pass
    assert eventually(lambda: not naming(folder))


def test_part_that_dies_at_start_takes_all_down(folder, tmp_path):
    broken = tmp_path / "otelcol"
    broken.write_text("#!/bin/sh\necho 'the reason is this' >&2\nexit 7\n")
    broken.chmod(0o755)
    with Command(folder, env={"OTELCOL_BIN": str(broken)}) as command:
        assert command.ends() == 1
        assert "FAILED: collector exited with status 7; its last words:\n      the reason is this" in command.said
        command.left_nothing()


def test_program_that_is_not_there(folder):
    with Command(folder, env={"GLASSBOX_BIN": "/nonexistent/glassbox"}) as command:
        assert command.ends() == 1
        assert "FAILED: service cannot be started: there is no program /nonexistent/glassbox" in command.said
        assert "starting" not in command.said
        command.left_nothing()


def test_part_that_dies_is_told_and_the_rest_goes_on(folder):
    with Command(folder) as command:
        state = command.comes_up()
        os.kill(state["pids"]["alertmanager"], signal.SIGKILL)
        assert command.hears("DIED: alertmanager ended by SIGKILL; its last words:")
        assert command.hears("The rest goes on.")
        assert get(f"{state['prometheus']}/api/v1/query?query=up")["status"] == "success"
        assert command.ends(signal.SIGINT) == 1
        assert command.said.count("DIED") == 1
        command.left_nothing(state)


def test_without_a_collector_it_goes_on_and_says_so(folder):
    with Command(folder, env={"OTELCOL_BIN": "cannot be had: no Go of at least 1.26.0"}) as command:
        state = command.comes_up()
        assert "NO COLLECTOR, SO NO TRACES: the Collector cannot be had: no Go" in command.said
        assert state["traces"] is None and "collector" not in state["pids"]
        with subprocess.Popen(["curl", "-si", f"{state['service']}/demo/hello"], stdout=subprocess.PIPE) as curl:
            assert b"200 OK" in curl.stdout.read()
        assert command.ends(signal.SIGINT) == 0


def test_words_that_are_none_are_refused(folder):
    for arguments, answer in ((("--port", "promethius=1"), "is not NAME=PORT with a NAME of service,"),
                              (("--rate", "0"), "is not a number from 1 to 1000"),
                              (("--calm", "nan"), "is not a number from 0 to 3600"),
                              (("--calm", "-1"), "is not a number from 0 to 3600"),
                              (("--profile", "slow"), "invalid choice"),
                              (("--incident", "outrage"), "no incident `outrage`: outage, saturation, slow-burn")):
        with Command(folder, *arguments) as command:
            assert command.ends() == 2
            assert answer in command.said
        assert not folder.exists()
