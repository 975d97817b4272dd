"""From Alertmanager to whom it tells: what arrives when the other side is down, slow, lying, or does
not know the token; and what is told again, and that it is over.

The files of the local stack and the shipped one, with intervals of a second. That a peer fails is
taken from Alertmanager's own log and counters, so that "it arrived later" has a reason.
"""

from pathlib import Path

import pytest

from alertmanager import VERSIONS, Alertmanager, alert, eventually, local, loopback, timed
from peers import Peer
from prometheus import free_port
from webhook_process import TOKEN, Webhook

LABELS = {"alertname": "GlassboxTargetDown", "severity": "page", "team": "demo", "service": "glassbox",
          "job": "glassbox", "instance": "10.0.0.1:8080"}
FAILED = "alertmanager_notifications_failed_total"
TRIED = "alertmanager_notification_requests_total"


def hurried(document: dict, repeat: str = "1h") -> dict:
    """Intervals of a second."""
    timed(document["route"], group_wait="0s", group_interval="1s", repeat_interval=repeat)
    return document


@pytest.fixture
def token_file(tmp_path: Path) -> Path:
    """The webhook's token, for both sides."""
    path = tmp_path / "token"
    path.write_text(TOKEN)
    return path


def statuses(webhook: Webhook) -> list[str]:
    """What came for the page, in order."""
    return [each["status"] for each in webhook.notifications() if each["receiver"] == "page"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_wrong_token(tmp_path: Path, token_file: Path, version: str) -> None:
    """401: Alertmanager says so in its log and counts it; with the right token the page arrives at the
    group's next turn, without a restart, as the file is read for each request."""
    token_file.write_text("gu3ss3d")
    with Webhook(tmp_path) as webhook, Alertmanager(
            tmp_path, hurried(local(webhook.url, token_file)), version) as alertmanager:
        alertmanager.post(alert(LABELS))
        eventually(lambda: "unexpected status code 401" in alertmanager.said(), "the log says 401")
        assert alertmanager.metric(FAILED, 'integration="webhook"') > 0
        assert statuses(webhook) == [] and "gu3ss3d" not in alertmanager.said()
        token_file.write_text(TOKEN)
        eventually(lambda: statuses(webhook) == ["firing"], "the page")


@pytest.mark.parametrize("version", VERSIONS)
def test_secrets_that_are_not_there(tmp_path: Path, version: str) -> None:
    """Each integration that lacks its file says which in the log; those that have theirs work; when the
    files come, the rest does, too."""
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    with Peer() as slack, Peer(202) as pagerduty, Webhook(tmp_path) as webhook:
        (secrets / "webhook-token").write_text(TOKEN)
        document = hurried(loopback(secrets, webhook=webhook.url, pagerduty=pagerduty.url))
        with Alertmanager(tmp_path, document, version) as alertmanager:
            alertmanager.post(alert(LABELS))
            eventually(lambda: statuses(webhook) == ["firing"], "the page at the webhook")
            for name in ("slack-url", "pagerduty-routing-key"):
                eventually(lambda name=name: f"{secrets}/{name}: no such file" in alertmanager.said(), name)
            assert slack.heard == [] and pagerduty.heard == []
            (secrets / "slack-url").write_text(slack.url)
            (secrets / "pagerduty-routing-key").write_text("key")
            slack.wait(1), pagerduty.wait(1)
        assert statuses(webhook) == ["firing"]


@pytest.mark.parametrize("version", VERSIONS)
def test_failures_do_not_tell_secrets(tmp_path: Path, version: str) -> None:
    """Whoever reads the log of an Alertmanager that can reach nobody learns who, not the secret."""
    known = {"slack-url": "http://127.0.0.1:9/services/T0/B0/s1ack-s3cr3t", "smtp-password": "sm7p-p4ss",
             "pagerduty-routing-key": "R0UTINGKEY", "webhook-token": "w3bh00k-t0ken"}
    other = LABELS | {"severity": "ticket", "alertname": "Other", "instance": "10.0.0.2:8080"}
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name, text in known.items():
        (secrets / name).write_text(text)
    with Peer(400, b'{"status": "invalid event"}') as pagerduty, Peer(500) as webhook:
        document = hurried(loopback(secrets, webhook=webhook.url, pagerduty=pagerduty.url))
        with Alertmanager(tmp_path, document, version) as alertmanager:
            alertmanager.post(alert(LABELS), alert(other))
            for kind in ("slack", "pagerduty", "webhook", "email"):
                eventually(lambda kind=kind: alertmanager.metric(
                    TRIED.replace("requests", "requests_failed"), f'integration="{kind}"') > 0, kind)
            eventually(lambda: alertmanager.said().count("Notify for alerts failed") > 1, "the log says so")
            log = alertmanager.said()
    assert "s1ack-s3cr3t" not in log
    assert not [secret for secret in known.values() if secret in log]


@pytest.mark.parametrize("version", VERSIONS)
def test_no_token_file(tmp_path: Path, token_file: Path, version: str) -> None:
    """The same for the webhook's own."""
    token_file.unlink()
    with Webhook(tmp_path) as webhook, Alertmanager(
            tmp_path, hurried(local(webhook.url, token_file)), version) as alertmanager:
        alertmanager.post(alert(LABELS))
        eventually(lambda: f"{token_file}: no such file" in alertmanager.said(), "the log says which")
        token_file.write_text(TOKEN)
        eventually(lambda: statuses(webhook) == ["firing"], "the page")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_webhook_that_is_down(tmp_path: Path, token_file: Path, version: str) -> None:
    """The page waits for it, and is told once."""
    port = free_port()
    document = hurried(local(f"http://127.0.0.1:{port}", token_file))
    with Alertmanager(tmp_path, document, version) as alertmanager:
        alertmanager.post(alert(LABELS))
        eventually(lambda: alertmanager.metric(TRIED, 'integration="webhook"') > 2, "it has tried")
        with Webhook(tmp_path, listen=f"127.0.0.1:{port}") as webhook:
            eventually(lambda: statuses(webhook), "the page")
            alertmanager.post(alert(LABELS, ends=-1))
            eventually(lambda: "resolved" in statuses(webhook), "its end")
            assert statuses(webhook) == ["firing", "resolved"]


@pytest.mark.parametrize("answer", [500, 503, 429, 302])
def test_a_webhook_that_lies(tmp_path: Path, token_file: Path, answer: int) -> None:
    """Whatever it says while it is ill, the page arrives when it is well."""
    with Peer(answer) as peer, Alertmanager(
            tmp_path, hurried(local(peer.url, token_file))) as alertmanager:
        alertmanager.post(alert(LABELS))
        peer.wait(3, f"that got {answer}")
        peer.status = 200
        count = len(peer.heard)
        eventually(lambda: "Notify success" in alertmanager.said(), "it is told")
        assert len(peer.heard) > count - 1 and peer.heard[-1].json["alerts"][0]["labels"] == LABELS


def test_a_webhook_that_is_slow(tmp_path: Path, token_file: Path) -> None:
    """One that takes three seconds is told once; one that takes for ever is given up and told again."""
    with Peer(delay=3) as peer, Alertmanager(
            tmp_path, hurried(local(peer.url, token_file))) as alertmanager:
        alertmanager.post(alert(LABELS))
        eventually(lambda: "Notify success" in alertmanager.said(), "it is told")
        assert len(peer.heard) == 1
        peer.delay = 3600
        alertmanager.post(alert(LABELS | {"job": "another"}))
        peer.wait(2, "that is left hanging")
        eventually(lambda: "context deadline exceeded" in alertmanager.said(), "it is given up", 60)
        peer.delay = 0
        eventually(lambda: alertmanager.said().count("Notify success") == 2, "it is told")
        assert {each.json["alerts"][0]["labels"]["job"] for each in peer.heard} == {"glassbox", "another"}


@pytest.mark.parametrize("version", VERSIONS)
def test_told_again_and_over(tmp_path: Path, token_file: Path, version: str) -> None:
    """A page is repeated while it fires, its end is told once, and then there is silence: shown by
    another alert that comes after."""
    with Webhook(tmp_path) as webhook, Alertmanager(
            tmp_path, hurried(local(webhook.url, token_file), repeat="2s"), version) as alertmanager:
        alertmanager.post(alert(LABELS))
        eventually(lambda: len(statuses(webhook)) >= 3, "it is told three times")
        alertmanager.post(alert(LABELS, ends=-1))
        eventually(lambda: "resolved" in statuses(webhook), "its end")
        alertmanager.post(alert(LABELS | {"job": "another"}))
        eventually(lambda: statuses(webhook).count("firing") > statuses(webhook).index("resolved") + 2,
                   "another is told three times")
        came = [(each["status"], each["groupLabels"]["job"]) for each in webhook.notifications()]
    end = came.index(("resolved", "glassbox"))
    assert set(came[:end]) == {("firing", "glassbox")} and set(came[end + 1:]) == {("firing", "another")}


def test_the_dead_mans_switch_is_no_page(tmp_path: Path, token_file: Path) -> None:
    """It beats, again and again, and is in no notification; that it resolved is no beat."""
    switch = {"alertname": "GlassboxDeadMansSwitch", "severity": "none", "service": "glassbox"}
    with Webhook(tmp_path) as webhook, Alertmanager(
            tmp_path, hurried(local(webhook.url, token_file), repeat="1s")) as alertmanager:
        alertmanager.post(alert(switch))
        beats: set[float | None] = set()
        eventually(lambda: beats.add(webhook.ask("/heartbeat")[1]["last"]) or len(beats - {None}) >= 3,
                   "three beats")
        alertmanager.post(alert(switch, ends=-1), alert(LABELS))
        eventually(lambda: "firing" in statuses(webhook), "the page after it")
        assert {each["receiver"] for each in webhook.notifications()} == {"page"}
