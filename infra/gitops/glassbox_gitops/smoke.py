"""Whether the release is there and answers, as a user would see it; and requests, where there are no users."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.parse
from collections.abc import Callable

from .finding import Finding
from .reach import Silent, as_json, by_url
from .release import Release

SHORTEST = 7  # hexadecimal digits by which a build may say its commit
PAUSE = 1.0
SENDERS = 8


def version(ask: Callable[[], bytes], release: Release, seconds: float) -> tuple[Finding, str]:
    """That /version says the release's revision, within so many seconds: a roll takes its time. And what it says."""
    end = time.monotonic() + seconds
    while True:
        finding, said = _version(ask, release)
        if finding.held or time.monotonic() >= end:
            return finding, said
        time.sleep(PAUSE)


def _version(ask: Callable[[], bytes], release: Release) -> tuple[Finding, str]:
    wanted = f"revision {release.revision[:12]}"
    try:
        said = as_json(ask(), "/version").get("revision")
    except (Silent, AttributeError) as error:
        return Finding("/version", wanted, "no answer", str(error)), ""
    if not isinstance(said, str) or len(said) < SHORTEST or not release.revision.startswith(said):
        return Finding("/version", wanted, f"revision {said}", f"what answers is another's: {said}, and not "
                                                               f"{release.named}"), ""
    return Finding("/version", wanted, f"revision {said[:12]}"), said


def _is_json(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


# What is asked, what must come, whether it has.
PAGES = (
    ("/", "200, JSON", _is_json),
    ("/demo/hello", "200, a greeting", lambda body: body.startswith(b"hello")),
)


def answers(url: str) -> list[Finding]:
    """What users call."""
    findings = []
    for path, wanted, good in PAGES:
        try:
            body = by_url(url.rstrip("/") + path)
        except Silent as error:
            findings.append(Finding(path, wanted, "no answer", str(error)))
            continue
        why = "" if good(body) else f"answers something else: {body[:60]!r}"
        findings.append(Finding(path, wanted, "200" if not why else "something else", why))
    return findings


class Traffic:
    """Requests at a steady rate to each path in turn, until `stop`. What comes back is for Prometheus to say."""

    def __init__(self, url: str, paths: list[str], rate: float) -> None:
        self.address = urllib.parse.urlsplit(url)
        self.paths, self.every = paths, SENDERS / rate
        self.stopped = threading.Event()
        self.threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(SENDERS)]

    def __enter__(self) -> "Traffic":
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stopped.set()
        for thread in self.threads:
            thread.join(30)

    def _connection(self) -> http.client.HTTPConnection:
        kind = http.client.HTTPSConnection if self.address.scheme == "https" else http.client.HTTPConnection
        return kind(self.address.hostname or "", self.address.port, timeout=20)

    def _send(self, number: int) -> None:
        connection, count = self._connection(), number
        due = time.monotonic() + number * self.every / SENDERS
        while not self.stopped.wait(max(0.0, due - time.monotonic())):
            due = max(due + self.every, time.monotonic() - 1)
            try:
                connection.request("GET", self.paths[count % len(self.paths)], headers={"User-Agent": "glassbox-gate"})
                connection.getresponse().read()
            except (OSError, http.client.HTTPException):
                connection.close()
            count += 1
        connection.close()
