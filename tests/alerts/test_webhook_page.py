"""The printed page: what test_messages.py does not come by, being what nobody's Alertmanager sends on
a quiet night."""

import os
import pty
from pathlib import Path

import pytest

from alertmanager import eventually
from webhook.page import duration, plain, render
from webhook.payload import Alert, Notification
from webhook_process import Webhook, payload

NOW = 1767582600.0  # 2026-01-05 03:10:00 UTC


@pytest.mark.parametrize("seconds, text", [
    (-5, "0 s"), (0.4, "0 s"), (59.9, "59 s"), (60, "1 min"), (252, "4 min 12 s"), (3605, "1 h 5 s"),
    (86399, "23 h 59 min"), (90000, "1 d 1 h"), (10 ** 9, "11574 d 1 h")])
def test_duration(seconds: float, text: str) -> None:
    """The two largest units that are not 0."""
    assert duration(seconds) == text


@pytest.mark.parametrize("text, shown", [
    ("a\n\nb\t c", "a b c"), ("\x1b[2J", "\\x1b[2J"), ("\u202eabc", "\\u202eabc"), ("\ud800", "\\ud800"),
    ("\x9b31m", "\\x9b31m"), ("naïve 漢 ✓", "naïve 漢 ✓"), ("x" * 700, "x" * 600 + "…"), ("", "")])
def test_plain(text: str, shown: str) -> None:
    """One line, nothing that a terminal obeys, and an end."""
    assert plain(text) == shown


@pytest.mark.parametrize("starts, ends, status, since", [
    ("2026-01-05T02:58:00.123456789Z", "", "firing", "02:58:00 UTC, 11 min 59 s ago"),
    ("2026-01-05T03:58:00+01:00", "", "firing", "02:58:00 UTC, 12 min ago"),
    ("2026-01-03T02:00:00Z", "", "firing", "2026-01-03 02:00:00 UTC, 2 d 1 h ago"),
    ("2026-01-05T02:58:00Z", "2026-01-05T03:08:30Z", "resolved",
     "02:58:00 UTC, until 03:08:30 UTC, for 10 min 30 s"),
    ("2026-01-05T02:58:00Z", "0001-01-01T00:00:00Z", "resolved", "02:58:00 UTC, 12 min ago"),
    ("yesterday\x1b", "", "firing", "yesterday\\x1b"), ("", "", "firing", "not said"),
    ("0001-01-01T00:00:00Z", "", "firing", "0001-01-01T00:00:00Z")])
def test_since(starts: str, ends: str, status: str, since: str) -> None:
    """Times as Alertmanager writes them, and as it would not."""
    one = Alert(status, {"alertname": "A"}, {}, startsAt=starts, endsAt=ends)
    lines = render(Notification("page", status, {}, [one]), NOW).splitlines()
    assert f"    since      {since}" in lines


@pytest.mark.parametrize("severities, receiver, word", [
    (["ticket", "page"], "x", "PAGE"), (["info", "ticket"], "x", "TICKET"), (["info"], "x", "INFO"),
    (["none"], "heartbeat", "HEARTBEAT"), ([""], "on\x1bcall", "ON\\X1BCALL")])
def test_the_gravest_is_named(severities: list[str], receiver: str, word: str) -> None:
    """In the first line, where it is seen."""
    alerts = [Alert("firing", {"alertname": "A", "severity": each}, {}) for each in severities]
    assert f"UTC  {word}  A  FIRING" in render(Notification(receiver, "firing", {}, alerts), NOW)


@pytest.mark.parametrize("environment, colours", [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, environment: dict,
                               colours: bool) -> None:
    """And nowhere else, and not where they are not wanted."""
    monkeypatch.delenv("NO_COLOR", raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    master, terminal = pty.openpty()
    with Webhook(tmp_path, stdout=terminal) as webhook:
        os.close(terminal)
        webhook.post(payload())
        came = b""
        while "─\r\n".encode() not in came or came.count(b"\r\n") < 8:
            came += os.read(master, 1 << 16)
    os.close(master)
    assert (b"\x1b[1;31mPAGE  A  FIRING  (1 firing)\x1b[0m" in came) == colours
    assert (b"\x1b" in came) == colours


def test_no_colours_in_a_file(tmp_path: Path) -> None:
    """What is piped or kept stays text."""
    with Webhook(tmp_path) as webhook:
        webhook.post(payload())
        eventually(lambda: "FIRING" in webhook.printed(), "it is printed")
        assert "\x1b" not in webhook.printed()
