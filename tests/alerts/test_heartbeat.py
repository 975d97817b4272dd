"""The dead man's switch, whole: a real Prometheus with the shipped rule, a real Alertmanager with the
shipped routes, the webhook; and what is heard when one of them dies.

Intervals are seconds where they are minutes in earnest; the sum that README.md states is the same:

    Alertmanager dies   the webhook's timeout after the last beat
    Prometheus dies     the same; Alertmanager beats on for at most four times the resend delay
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from alertmanager import VERSIONS, Alertmanager, eventually, local, shipped, timed
from prometheus import free_port
from scraper import Prometheus, shipped_rule
from webhook_process import TOKEN, Webhook, one, payload

TIMEOUT = 5.0
RESEND = 1.0
SLACK = 15.0  # of a busy machine


@dataclass
class Chain:
    """What a beat comes through."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    webhook: Webhook

    def told(self) -> list[str]:
        """What the webhook said of the heartbeat, in order."""
        return [each["status"] for each in self.notices()]

    def notices(self) -> list[dict]:
        """The webhook's own notifications."""
        return [each for each in self.webhook.notifications() if each["receiver"] == "heartbeat"]

    def last(self) -> float | None:
        """When the last beat came."""
        return self.webhook.ask("/heartbeat")[1]["last"]

    def beats(self, count: int) -> None:
        """Waits for so many more."""
        seen = {self.last()}
        eventually(lambda: seen.add(self.last()) or len(seen) > count, f"{count} beats")


@pytest.fixture(params=VERSIONS)
def chain(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Chain]:
    """All three, and a beat each second or two. The webhook comes last, as the other two need longer
    to find each other than its timeout is."""
    port = free_port()
    (tmp_path / "webhook-token").write_text(TOKEN)
    document = local(f"http://127.0.0.1:{port}", tmp_path / "webhook-token",
                     "alertmanager.local.fast.yaml")
    timed(document["route"], group_interval="1s", repeat_interval="1s")
    with (Alertmanager(tmp_path, document, request.param) as alertmanager,
          Prometheus(tmp_path, [shipped_rule("GlassboxDeadMansSwitch")], alertmanager.url,
                     resend=f"{RESEND:g}s") as prometheus):
        eventually(lambda: alertmanager.get("alerts"), "Alertmanager has the switch")
        with Webhook(tmp_path, "--heartbeat-timeout", f"{TIMEOUT}s",
                     listen=f"127.0.0.1:{port}") as webhook:
            made = Chain(prometheus, alertmanager, webhook)
            made.beats(1)
            yield made


def test_prometheus_dies(chain: Chain) -> None:
    """Alertmanager works, and what it says is silence."""
    chain.beats(3)
    assert chain.told() == [] and chain.webhook.alive()
    chain.prometheus.kill()
    killed = time.time()
    eventually(lambda: chain.told() == ["firing"], "the webhook says that it has stopped", 60)
    [lost] = chain.notices()
    assert not chain.webhook.alive()
    assert lost["received"] - chain.last() >= TIMEOUT
    assert chain.last() - killed < 4 * RESEND + SLACK
    chain.prometheus.start()
    eventually(lambda: chain.told() == ["firing", "resolved"], "and that it is back")
    assert chain.webhook.alive()


def test_alertmanager_dies(chain: Chain) -> None:
    """Nobody else could tell."""
    chain.beats(2)
    chain.alertmanager.kill()
    eventually(lambda: chain.told() == ["firing"], "the webhook says that it has stopped", 60)
    [lost] = chain.notices()
    assert TIMEOUT <= lost["received"] - chain.last() < TIMEOUT + SLACK
    [alert] = lost["alerts"]
    assert alert["labels"]["alertname"] == "GlassboxHeartbeatLost"
    assert alert["labels"]["severity"] == "page"
    assert alert["annotations"]["runbook_url"].endswith("/GlassboxDeadMansSwitch.md")
    assert "nobody would be paged" in alert["annotations"]["summary"]
    eventually(lambda: "No heartbeat: nobody would be paged" in chain.webhook.printed(), "it is printed")
    chain.alertmanager.start()
    eventually(lambda: chain.told() == ["firing", "resolved"], "and that it is back")
    eventually(lambda: "The heartbeat is back" in chain.webhook.printed(), "that is printed, too")


def test_a_switch_that_was_never_wired(tmp_path: Path) -> None:
    """Silence from the start is an alarm, too; that the switch has resolved is none of its beats."""
    with Webhook(tmp_path, "--heartbeat-timeout", "0.5s") as webhook:
        over = payload(one("GlassboxDeadMansSwitch", "resolved"), status="resolved")
        assert webhook.post(over, "/heartbeat") == (200, {"last": None, "alive": False})
        [lost] = webhook.notifications(wait=20)
        assert (lost["receiver"], lost["status"]) == ("heartbeat", "firing")
        assert "since the start" in lost["alerts"][0]["annotations"]["description"]


def test_it_beats_each_minute_in_earnest() -> None:
    """The real timings: a look at the group must find the repetition due at the second look, whatever
    the jitter, and a beat must come often enough for a timeout of three minutes to forgive one."""
    route = next(each for each in shipped()["route"]["routes"] if each["receiver"] == "heartbeat")

    def seconds(name: str) -> int:
        assert route[name].endswith("s")
        return int(route[name][:-1])

    assert route["group_by"] == ["..."]
    look, repeat = seconds("group_interval"), seconds("repeat_interval")
    assert look < repeat <= 2 * look - 5
    assert 2 * (2 * look) < 180
