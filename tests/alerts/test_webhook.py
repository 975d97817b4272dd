"""The webhook's wire contract, as alerts/webhook/README.md has it; its limits are in
test_webhook_limits.py."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertmanager import ROOT, eventually
from webhook_process import TOKEN, Webhook, one, payload


@pytest.fixture
def webhook(tmp_path: Path) -> Iterator[Webhook]:
    """A process of the test's own."""
    with Webhook(tmp_path) as process:
        yield process


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Webhook]:
    """A process with runbooks that many tests ask; none of them may tell it anything."""
    folder = tmp_path_factory.mktemp("webhook")
    (folder / "runbooks").mkdir()
    (folder / "runbooks/GlassboxAbsent.md").write_text("# GlassboxAbsent\n")
    (folder / "secret.md").write_text("not a runbook")
    with Webhook(folder, "--runbooks", str(folder / "runbooks")) as process:
        yield process


def test_a_notification(webhook: Webhook) -> None:
    """What was posted is what is read, numbered and dated, and printed once."""
    sent = payload(one(http_route="/"), one(status="resolved"), receiver="ticket",
                   groupLabels={"alertname": "A", "job": "glassbox"}, truncatedAlerts=3)
    before = time.time()
    assert webhook.post(sent) == (200, {"seq": 1})
    [came] = webhook.notifications()
    assert before <= came.pop("received") <= time.time()
    assert came == {"seq": 1} | {key: sent[key] for key in (
        "receiver", "status", "groupLabels", "alerts", "externalURL", "truncatedAlerts")}
    eventually(lambda: "and 3 more" in webhook.printed(), "it is printed")
    assert webhook.printed().count("A happens") == 2


def test_numbers_go_on(webhook: Webhook) -> None:
    """`after` is exclusive, `last` is where to go on, and an `after` of an earlier process gets all."""
    for number in range(1, 4):
        assert webhook.post(payload(one(f"N{number}"))) == (200, {"seq": number})
    assert [each["seq"] for each in webhook.notifications(after=1)] == [2, 3]
    assert webhook.ask("/notifications?after=3")[1] == {"last": 3, "notifications": []}
    assert webhook.ask("/notifications")[1]["last"] == 3
    assert [each["seq"] for each in webhook.notifications(after=99)] == [1, 2, 3]


def test_a_long_poll_ends_with_what_it_waits_for(webhook: Webhook) -> None:
    """Whoever waits gets it as it comes; whoever waits for nothing gets an empty answer."""
    answers: list[list[dict]] = []
    readers = [threading.Thread(target=lambda: answers.append(webhook.notifications(0, 25)))
               for _ in range(3)]
    for reader in readers:
        reader.start()
    webhook.post(payload(one("Late")))
    for reader in readers:
        reader.join(20)
    assert [[each["alerts"][0]["labels"]["alertname"] for each in came] for came in answers] == [
        ["Late"]] * 3
    assert webhook.ask("/notifications?after=1&wait=0.2")[1] == {"last": 1, "notifications": []}


REFUSED = {
    "no token": (401, payload(), {"token": None}, "token"),
    "another token": (401, payload(), {"token": "guessed"}, "token"),
    "a longer token": (401, payload(), {"token": TOKEN + "x"}, "token"),
    "no JSON": (400, "{", {}, "no JSON"),
    "JSON without end": (400, "[" * 100_000, {}, "no JSON"),
    "no UTF-8": (400, b"\xff\xfe{", {}, "no JSON"),
    "an array": (400, [], {}, "no JSON object"),
    "another version": (400, payload(version="3"), {}, "version is '3'"),
    "no version": (400, {}, {}, "version is None"),
    "no alerts": (400, payload(alerts=[]), {}, "alerts"),
    "alerts of another type": (400, payload(alerts={"0": 1}), {}, "alerts"),
    "an alert that is none": (400, payload(alerts=[1]), {}, "alerts[0] is no object"),
    "another status": (400, payload(status="maybe"), {}, "status is 'maybe'"),
    "no receiver": (400, payload(receiver=None), {}, "receiver is None"),
    "a label that is a number": (400, payload(one() | {"labels": {"a": 1}}), {}, "labels['a']"),
    "a time that is a number": (400, payload(one() | {"startsAt": 1}), {}, "alerts[0].startsAt is 1"),
    "a count below 0": (400, payload(truncatedAlerts=-1), {}, "truncatedAlerts"),
    "nowhere": (404, payload(), {"path": "/nowhere"}, "nothing"),
    "a place for reading": (405, payload(), {"path": "/notifications"}, "POST"),
}


@pytest.mark.parametrize("path", ["/alerts", "/heartbeat"])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(idle: Webhook, path: str, name: str) -> None:
    """With a status that Alertmanager understands and a reason that a person does; nothing is kept."""
    status, body, more, reason = REFUSED[name]
    body = body if isinstance(body, bytes) else body.encode() if isinstance(body, str) else json.dumps(
        body).encode()
    came, answer = idle.ask(more.get("path", path), body, more.get("token", TOKEN))
    assert came == status and reason in answer["error"], answer
    assert idle.notifications() == [] and idle.ask("/heartbeat")[1]["last"] is None
    assert idle.ask("/healthz")[1]["status"] == "ok"


@pytest.mark.parametrize("path, status", [
    ("/notifications?after=x", 400), ("/notifications?after=-1", 400),
    ("/notifications?wait=nan", 400), ("/notifications?wait=-1", 400), ("/alerts", 405),
    ("/runbooks/GlassboxAbsent.md", 200), ("/runbooks/Nothing.md", 404), ("/runbooks/", 404),
    ("/runbooks/../secret.md", 404), ("/runbooks/%2e%2e/secret.md", 404),
    ("/runbooks/..%2Fsecret.md", 404), ("/secret.md", 404), ("/", 200), ("/healthz", 200)])
def test_what_is_read(idle: Webhook, path: str, status: int) -> None:
    """Runbooks from their folder alone; bad numbers by name."""
    came, answer = idle.ask(path)
    assert came == status, answer
    assert "not a runbook" not in str(answer)
    if path == "/runbooks/GlassboxAbsent.md":
        assert answer == "# GlassboxAbsent\n"


def test_a_new_token_is_taken_up_and_a_lost_one_is_told(webhook: Webhook) -> None:
    """503, which Alertmanager tries again, while the file cannot be read: 401 would lose the page."""
    webhook.token_file.write_text("new\n")
    assert webhook.post(payload())[0] == 401
    assert webhook.post(payload(), token="new")[0] == 200
    webhook.token_file.unlink()
    assert webhook.post(payload(), token="new")[0] == 503
    webhook.token_file.write_text("\n")
    assert webhook.post(payload(), token="")[0] == 503


def test_a_connection_goes_on_after_an_error(webhook: Webhook) -> None:
    """A refused body is read to its end, so that the next request on the connection is understood."""
    body = json.dumps(payload()).encode()

    def request(token: str) -> bytes:
        return (f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
                f"Content-Length: {len(body)}\r\n\r\n").encode() + body

    with socket.create_connection(("127.0.0.1", webhook.port), 10) as connection:
        connection.sendall(request("wrong") + request(TOKEN))
        connection.shutdown(socket.SHUT_WR)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert answer.count(b"HTTP/1.1 401 ") == 1 and answer.count(b"HTTP/1.1 200 ") == 1
    assert answer.endswith(b'{"seq": 1}\n')


@pytest.mark.parametrize("arguments, word", [
    (["--listen", "127.0.0.1"], "address"), (["--listen", "127.0.0.1:99999"], "address"),
    (["--heartbeat-timeout", "0s"], "time"), (["--heartbeat-timeout", "soon"], "time"),
    (["--runbooks", "/nowhere"], "folder"), (["--token-file", "/nowhere"], "cannot start")])
def test_options_are_told_by_name(tmp_path: Path, arguments: list[str], word: str) -> None:
    """A wrong one ends it at once."""
    (tmp_path / "token").write_text("t")
    given = ["--listen", "127.0.0.1:0", "--token-file", str(tmp_path / "token"), *arguments]
    done = subprocess.run([sys.executable, "-m", "webhook", *given], cwd=ROOT / "alerts", timeout=30,
                          capture_output=True, text=True, check=False)
    assert done.returncode in (1, 2) and word in done.stderr and "Traceback" not in done.stderr


def test_it_ends_at_once_though_someone_waits(webhook: Webhook) -> None:
    """A long poll does not hold up SIGTERM."""
    poll = threading.Thread(target=lambda: subprocess.run(
        ["curl", "-s", f"{webhook.url}/notifications?wait=30"], check=False, capture_output=True))
    poll.start()
    eventually(lambda: len(os.listdir(f"/proc/{webhook.process.pid}/task")) >= 6, "it waits")
    webhook.process.terminate()
    assert webhook.process.wait(10) == 0
    poll.join(10)
    assert not poll.is_alive()
