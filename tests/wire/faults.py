"""Fault plans for tests: written, replaced, sent to the API; and what they must do, computed here by the
formula of docs/faults.md and not by the service's code.
"""

import json
import os
import time
from collections import namedtuple
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Iterator

from service import Service
from wire import Closed, Connection, Response, ask

TOKEN = "a-token.of~letters_and+digits/019=="
ROUTES = ("/", "/demo/hello", "/demo/random-error", "/demo/work")  # that users call
KINDS = ("error", "latency", "cpu", "reset", "truncate")           # of routes, in the order of signals
PROCESS_KINDS = ("not_ready", "slow_start", "memory", "background_cpu")
MASK = (1 << 64) - 1


# ---- plans --------------------------------------------------------------------------------------

def at(offset: float) -> str:
    """RFC 3339 of a moment so many seconds from now."""
    moment = datetime.fromtimestamp(time.time() + offset, timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


def plan(*entries: dict[str, Any], begin: float | None = -1, **more: Any) -> dict[str, Any]:
    """A plan of these entries, which last an hour unless they say otherwise; begun a second ago."""
    faults = [entry if "end" in entry else {"duration": "1h", **entry} for entry in entries]
    head = {} if begin is None else {"begin": at(begin)}
    return {**head, **more, "faults": faults}


def write(path: Path, document: Any) -> None:
    """Replaces a file in one step, as a careful writer does."""
    text = document if isinstance(document, str) else json.dumps(document)
    fresh = path.with_name(path.name + ".new")
    fresh.write_text(text)
    fresh.rename(path)


def token_file(folder: Path, token: str = TOKEN) -> Path:
    path = folder / "token"
    path.write_text(token + "\n")
    return path


class Operator:
    """Whoever has the token, at the operators' listener of one process."""

    def __init__(self, service: Service, token: str | None = TOKEN) -> None:
        self.service = service
        self.headers = [] if token is None else [("Authorization", f"Bearer {token}")]

    def call(self, method: str, target: str = "/faults", document: Any = None,
             headers: list[tuple[str, str]] | None = None) -> Response:
        """One call; its line is in the log when it returns, so that what follows is what follows."""
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        kind = [("Content-Type", "application/json")] if document is not None else []
        response = ask(self.service.operators, target, method,
                       headers=self.headers + (kind if headers is None else headers),
                       body=b"" if document is None else body)
        _, span_id, _ = response.trace
        assert self.service.log.wait(lambda entry: entry["x-span-id"] == span_id)
        return response

    def status(self) -> dict[str, Any]:
        return self.answer(self.call("GET"))

    def put(self, document: Any) -> dict[str, Any]:
        return self.answer(self.call("PUT", document=document))

    def clear(self) -> dict[str, Any]:
        return self.answer(self.call("DELETE"))

    def play(self, name: str) -> dict[str, Any]:
        return self.answer(self.call("POST", f"/incidents/{name}"))

    @staticmethod
    def answer(response: Response) -> dict[str, Any]:
        assert response.status == 200, response.body
        assert response.header("content-type") == "application/json"
        assert response.header("cache-control") == "no-store"
        return json.loads(response.body)


def in_force(service: Service) -> dict[tuple[str, str | None], float]:
    """{(kind, route or None): 0 or 1} as /metrics has it; the whole table, always."""
    result = {}
    for labels, value in service.samples("glassbox_fault_in_force").items():
        facts = dict(labels)
        result[facts["fault"], facts.get("http_route")] = value
    assert set(result) == ({(kind, route) for kind in KINDS for route in ROUTES}
                           | {(kind, None) for kind in PROCESS_KINDS})
    return result


def injected(service: Service, route: str) -> dict[str, int]:
    """{kind: how often it took effect} of a route."""
    return {kind: int(service.value("glassbox_faults_injected_total", fault=kind, http_route=route))
            for kind in KINDS}


# ---- the formula --------------------------------------------------------------------------------

def mix(z: int) -> int:
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9 & MASK
    z = (z ^ z >> 27) * 0x94d049bb133111eb & MASK
    return z ^ z >> 31


def fnv1a(text: str) -> int:
    result = 0xcbf29ce484222325
    for byte in text.encode():
        result = (result ^ byte) * 0x100000001b3 & MASK
    return result


def numerator(seed: int, kind: str, route: str, n: int) -> int:
    """u times 2^53."""
    stream = mix(seed) ^ fnv1a(f"{kind} {route}")
    return mix(stream + (n + 1) * 0x9e3779b97f4a7c15 & MASK) >> 11


def quantile(percentiles: tuple[int, int, int], number: int) -> int:
    """Nanoseconds at u = number / 2^53: piecewise linear, cut to whole ones."""
    knots = [(0, 0), *zip((50, 90, 99), percentiles)]
    for (low, from_ns), (high, to_ns) in zip(knots, knots[1:]):
        if number * 100 < high << 53:
            return from_ns + (to_ns - from_ns) * (number * 100 - (low << 53)) // ((high - low) << 53)
    return percentiles[2]


Outcome = namedtuple("Outcome", "answer delay_ns")  # answer: reset, error, truncate or None


def predict(seed: int, route: str, n: int, reset: float = 0, error: float = 0, truncate: float = 0,
            latency_ns: tuple[int, int, int] | None = None) -> Outcome:
    """What request n of a route comes to."""
    ratios = {"reset": reset, "error": error, "truncate": truncate}
    answer = next((kind for kind, ratio in ratios.items()
                   if numerator(seed, kind, route, n) / (1 << 53) < ratio), None)
    delay = 0 if latency_ns is None else quantile(latency_ns, numerator(seed, "latency", route, n))
    return Outcome(answer, delay)


# ---- a client that is struck --------------------------------------------------------------------

class Client:
    """Asks again and again, on a kept connection where it can; `outcome` is a status, "reset" or
    "truncate"."""

    def __init__(self, address: tuple[str, int]) -> None:
        self.address = address
        self.connection: Connection | None = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self.drop()

    def drop(self) -> None:
        if self.connection:
            self.connection.close()
        self.connection = None

    def outcome(self, target: str, method: str = "GET") -> int | str:
        if self.connection is None:
            self.connection = Connection(self.address, timeout=20)
        try:
            response = self.connection.ask(target, method)
        except Closed as closed:
            self.drop()
            assert closed.reset != bool(closed.partial), closed
            return "truncate" if closed.partial else "reset"
        if response.closes:
            self.drop()
        return response.status

    def outcomes(self, target: str, count: int) -> Iterator[int | str]:
        return (self.outcome(target) for _ in range(count))


# ---- a mounted ConfigMap ------------------------------------------------------------------------

class ConfigMap:
    """A folder as the kubelet keeps it: plan.json leads through ..data to a folder that is replaced as
    a whole, by one rename of a link."""

    def __init__(self, folder: Path, document: Any) -> None:
        self.folder = folder
        self.version = 0
        self.path = folder / "plan.json"
        folder.mkdir()
        self.swap(document)
        self.path.symlink_to("..data/plan.json")

    def swap(self, document: Any) -> None:
        self.version += 1
        data = self.folder / f"..{self.version}"
        data.mkdir()
        (data / "plan.json").write_text(
            document if isinstance(document, str) else json.dumps(document))
        link = self.folder / "..data_tmp"
        link.symlink_to(data.name)
        os.rename(link, self.folder / "..data")
