"""k6, or what stands in its place, run to its end: signals, the bound, and an environment without what would lead it
astray."""

import os
import signal
import sys
from pathlib import Path

import pytest

from glassbox_load import cli, k6
from glassbox_load.k6 import Run
from glassbox_load.refused import Refused

HEARS = ("import signal, sys, time; signal.signal(signal.SIGINT, lambda *_: sys.exit(105)); print('up', flush=True); "
         "time.sleep(60)")
DEAF = HEARS.replace("lambda *_: sys.exit(105)", "signal.SIG_IGN")


def executed(program: str, bound: float, *signals: int) -> int:
    """Its status; each signal comes to us while it runs, once it listens."""
    left = list(signals)
    there, write = os.pipe()

    def meanwhile() -> None:
        if left and os.get_blocking(there) and os.read(there, 1):
            os.set_blocking(there, False)
        if left:
            os.kill(os.getpid(), left.pop(0))
    code = f"import os, sys; os.dup2({write}, 1)\n{program}"
    os.set_inheritable(write, True)
    made = k6.subprocess.Popen

    def popen(words: list[str], **more: object):
        return made(words, pass_fds=(write,), **more)
    k6.subprocess.Popen = popen
    try:
        return k6.execute([sys.executable, "-c", code], dict(os.environ), bound, meanwhile)
    finally:
        k6.subprocess.Popen = made
        os.close(there)
        os.close(write)


@pytest.mark.parametrize("number", k6.ENDING)
def test_the_first_signal_asks_it_to_end_as_it_does_by_itself(number: int):
    assert executed(HEARS, 60, number) == 105


def test_the_second_ends_it_at_once():
    assert executed(DEAF, 60, signal.SIGINT, signal.SIGTERM) == 128 + signal.SIGKILL


def test_it_does_not_outlast_its_bound(monkeypatch):
    monkeypatch.setattr(k6, "GRACE", 0.2)
    assert executed(DEAF, 0.2) == 128 + signal.SIGKILL


def test_what_was_there_before_is_there_after():
    before = [signal.getsignal(number) for number in k6.ENDING]
    assert executed("pass", 60) == 0
    assert [signal.getsignal(number) for number in k6.ENDING] == before


def test_proxies_and_k6_s_own_variables_are_kept_from_it(monkeypatch):
    for name in ("HTTP_PROXY", "https_proxy", "K6_DURATION", "K6_BIN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("RATE", "7")
    assert not {"HTTP_PROXY", "https_proxy", "K6_DURATION", "K6_BIN"} & set(k6.clean()) and k6.clean()["RATE"] == "7"
    assert not Path(k6.clean()["XDG_CONFIG_HOME"]).exists()


def test_a_program_that_is_not_k6(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("K6_BIN", str(tmp_path / "none"))
    with pytest.raises(Refused, match="none"):
        k6.binary()
    monkeypatch.setenv("K6_BIN", "false")
    with pytest.raises(Refused, match="k6 version"):
        k6.binary()


def test_a_folder_that_cannot_be(tmp_path: Path):
    (tmp_path / "file").write_text("")
    with pytest.raises(Refused, match="Not a directory"):
        Run("a", "0" * 16, tmp_path / "file/a").make_folder()


def test_plots_have_some_two_hundred_points():
    assert [k6.plotted(seconds)["K6_WEB_DASHBOARD_PERIOD"] for seconds in (5, 200, 3600)] == ["1s", "1s", "18s"]


@pytest.mark.parametrize("number", k6.ENDING)
def test_a_signal_before_anything_was_sent_ends_it_in_order(monkeypatch, capsys, number: int):
    before = {each: signal.getsignal(each) for each in k6.ENDING}
    monkeypatch.setattr(cli, "run", lambda arguments: os.kill(os.getpid(), number))
    try:
        assert cli.main(["smoke"]) == 128 + number
    finally:
        for each, action in before.items():
            signal.signal(each, action)
    assert f"run: ended by {signal.Signals(number).name}" in capsys.readouterr().err
