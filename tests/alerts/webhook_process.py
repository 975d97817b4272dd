"""The webhook of alerts/webhook as a process, and what may be asked of it."""

import json
import os
import re
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from alertmanager import ROOT, eventually

TOKEN = "w3bh00k-token-of-the-test"
LISTENING = re.compile(r"webhook: listening on (http://\S+)\n")


def payload(*alerts: dict, status: str = "firing", **more: Any) -> dict:
    """What Alertmanager posts."""
    return {"version": "4", "groupKey": "{}:{}", "status": status, "receiver": "page",
            "groupLabels": {"alertname": "A"}, "commonLabels": {}, "commonAnnotations": {},
            "externalURL": "http://alertmanager.example", "truncatedAlerts": 0,
            "alerts": list(alerts) or [one()]} | more


def one(name: str = "A", status: str = "firing", **labels: str) -> dict:
    """An alert of a payload."""
    return {"status": status, "labels": {"alertname": name, "severity": "page"} | labels,
            "annotations": {"summary": f"{name} happens"}, "startsAt": "2026-01-05T02:58:00.5Z",
            "endsAt": "0001-01-01T00:00:00Z", "generatorURL": "http://p.example",
            "fingerprint": "0123456789abcdef"}


class Webhook:
    """A process on loopback; what it prints is in `folder`, unless `stdout` says otherwise."""

    def __init__(self, folder: Path, *arguments: str, listen: str = "127.0.0.1:0",
                 stdout: Any = None, **popen: Any):
        self.folder, self.out, self.err = folder, folder / "webhook.out", folder / "webhook.err"
        self.token_file = folder / "webhook-token"
        if not self.token_file.exists():
            self.token_file.write_text(TOKEN + "\n")
        with open(self.out, "ab") as out, open(self.err, "wb") as err:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "webhook", "--listen", listen,
                 "--token-file", str(self.token_file), *arguments],
                env=os.environ | {"PYTHONPATH": str(ROOT / "alerts"), "PYTHONDONTWRITEBYTECODE": "1"},
                stdin=subprocess.DEVNULL, stdout=stdout or out, stderr=err, **popen)
        found = eventually(lambda: LISTENING.search(self.err.read_text()), "the webhook listens")
        self.url = found.group(1)
        self.port = int(self.url.rsplit(":", 1)[1])

    def __enter__(self) -> "Webhook":
        return self

    def __exit__(self, kind: Any, *_: Any) -> None:
        self.process.terminate()
        status = self.process.wait(10)
        assert kind is not None or status == 0, self.err.read_text()

    def ask(self, path: str, body: bytes | None = None, token: str | None = TOKEN,
            **headers: str) -> tuple[int, Any]:
        """Status and JSON (or text) of an answer."""
        if token and body is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(self.url + path, body, headers)
        try:
            with urllib.request.urlopen(request, timeout=40) as answer:
                return answer.status, decoded(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, decoded(error)

    def post(self, document: Any, path: str = "/alerts", **more: Any) -> tuple[int, Any]:
        """Posts JSON."""
        return self.ask(path, json.dumps(document).encode(), **more)

    def notifications(self, after: int = 0, wait: float = 0) -> list[dict]:
        """What came after a number, with all the answers that takes."""
        query = urllib.parse.urlencode({"after": after, "wait": wait})
        status, answer = self.ask(f"/notifications?{query}")
        assert status == 200, answer
        return answer["notifications"]

    def alive(self) -> bool:
        """Whether the heartbeat is."""
        return self.ask("/heartbeat")[1]["alive"]

    def printed(self) -> str:
        """Its stdout so far."""
        return self.out.read_text()


def decoded(answer: Any) -> Any:
    """The body by its type."""
    text = answer.read().decode()
    return json.loads(text) if answer.headers["Content-Type"] == "application/json" else text
