"""Whether the release is there and answers, as a user would see it; and requests, where there are no users."""

from __future__ import annotations

import http.client
import json
import threading
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass

from .finding import Finding
from .reach import Prometheus, Silent, as_json, by_url
from .release import Release
from .slo import revisions, unseen

SHORTEST = 7  # hexadecimal digits by which a build may say its commit
PAUSE = 1.0
SENDERS = 8


@dataclass(frozen=True)
class Source:
    """Who says which revision runs: `ask` gives all that it says."""

    name: str
    ask: Callable[[], list[str]]


def by_version(url: str) -> Source:
    """The service itself, one of its instances."""
    def ask() -> list[str]:
        try:
            return [str(as_json(by_url(url), "/version").get("revision"))]
        except AttributeError:
            raise Silent(f"{url} answers JSON that is no object") from None
    return Source("/version", ask)


def by_prometheus(prometheus: Prometheus, selector: str) -> Source:
    """What all instances say that it scrapes: of those behind a network policy nobody else can ask."""
    def ask() -> list[str]:
        found = sorted(revisions(prometheus, selector))
        if not found:
            raise Silent(unseen(selector))
        return found
    return Source("revision", ask)


def version(source: Source, release: Release, seconds: float) -> tuple[Finding, str]:
    """That only the release's revision runs, within so many seconds: a roll takes its time. And how it calls itself."""
    end = time.monotonic() + seconds
    while True:
        finding, said = _version(source, release)
        if finding.held or time.monotonic() >= end:
            return finding, said
        time.sleep(PAUSE)


def _version(source: Source, release: Release) -> tuple[Finding, str]:
    name, wanted = source.name, f"revision {release.revision[:12]}"
    try:
        said = source.ask()
    except Silent as error:
        return Finding(name, wanted, "no answer", str(error)), ""
    others = [each for each in said if len(each) < SHORTEST or not release.revision.startswith(each)]
    if others:
        return Finding(name, wanted, f"revision {', '.join(said)}",
                       f"what answers is another's: {', '.join(others)}, and not {release.named}"), ""
    return Finding(name, wanted, f"revision {said[0][:12]}"), said[0]


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
