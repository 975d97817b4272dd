"""A small world for drills: Prometheus, Alertmanager and the webhook as one server on loopback, whose alert follows
the faults of a real service; and a clock that a test turns.

The service is the real program, so what is armed and restored is what it says. The alert of the one rule comes and
goes some seconds of the test's clock after the service's fault does.
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Optional
from urllib.parse import parse_qs, urlsplit

import pytest

import service
from drills import arming, guard, wave
from drills.places import Endpoints
from faults import TOKEN, Operator, token_file
from wire import ask, eventually

HEADERS = [("Authorization", f"Bearer {TOKEN}"), ("Content-Type", "application/json")]
ROUTES = "route: {receiver: ticket, group_wait: 1s, group_interval: 2s}"
LABELS = {"alertname": "GlassboxNotReady", "severity": "ticket", "instance": "here", "job": "glassbox"}
RULE = {"name": "GlassboxNotReady", "type": "alerting", "query": 'glassbox_ready{job="glassbox"} == 0',
        "duration": 2, "labels": {"severity": "ticket"}, "health": "ok"}


class Clock(guard.Clock):
    """Stands still until somebody waits; `at` does things at the n-th wait."""

    def __init__(self, check: Callable[[], None], at: Optional[dict[int, Callable[[], None]]] = None) -> None:
        super().__init__(check)
        self.moment = time.time()
        self.waits = 0
        self.at = at or {}

    def now(self) -> float:
        return self.moment

    def sleep(self, seconds: float) -> None:
        self.check()
        self.moment += seconds
        self.at.get(self.waits, lambda: None)()
        self.waits += 1
        self.check()


class Service(service.Service):
    """The real program with its fault API, a plan's file, and nothing else."""

    def __init__(self, folder: Path) -> None:
        if not Path(service.binary()).exists():
            pytest.skip(f"no {service.binary()}: make build, or GLASSBOX_BIN")
        self.token_file = token_file(folder)
        self.plan_file = folder / "plan.json"
        self.plan_file.write_text('{"begin": "2026-01-01T00:00:00Z", "faults": []}\n')
        super().__init__("--faults", self.plan_file, "--fault-token-file", self.token_file, "--workers", 1,
                         log="none", fields=None)
        self.url = f"http://{self.public[0]}:{self.public[1]}"

    def call(self, method: str = "GET", body: bytes = b"") -> dict[str, Any]:
        """Of the fault API: the status that it answers."""
        return Operator.answer(ask(self.public, "/faults", method, headers=HEADERS, body=body))

    def faults(self) -> dict[str, Any]:
        return self.call()

    def put(self, plan: dict[str, Any]) -> None:
        self.call("PUT", json.dumps(plan).encode())

    def is_struck(self) -> bool:
        return any(fault["state"] == "in_force" for fault in self.faults()["faults"])

    def settle(self, struck: bool = False) -> None:
        """Waits until it is, or is not: the file is looked at four times a second."""
        assert eventually(lambda: self.is_struck() == struck, timeout=10, pause=0.02), self.faults()

    def calm(self) -> None:
        """Takes the place of somebody's plan with one that is over at once."""
        self.put({"faults": [{"duration": "1ms", "memory": {"bytes": "1KiB"}}]})
        self.settle()


class World:
    """What a drill asks, answered by what the service has in force at the moment."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.services = {"here": service}    # as Prometheus calls them
        self.clock: Optional[Clock] = None
        self.began: Optional[float] = None   # by the test's clock: when the fault was first seen
        self.ended: Optional[float] = None
        self.rules: list[dict[str, Any]] = [dict(RULE)]
        self.silences: list[dict[str, Any]] = []
        self.status: dict[str, list[str]] = {"inhibitedBy": [], "silencedBy": []}
        self.labels: dict[str, str] = {}     # of each target besides
        self.is_up = True
        self.silent = False   # Alertmanager tells nobody
        self.left = False     # Alertmanager has the alert from before
        self.blind = False    # Prometheus never sees the fault
        self.stubborn = False  # the alert stays
        self.notifications: list[dict[str, Any]] = []
        world = self

        class Handler(BaseHTTPRequestHandler):
            """One request."""

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                found = world.answer(parts.path, parse_qs(parts.query))
                body = json.dumps(found).encode()
                self.send_response(404 if found is None else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    # ---- the course of things -------------------------------------------------------------------

    def age(self) -> Optional[float]:
        """Seconds that the fault has been in force; None if it is not."""
        assert self.clock is not None
        if self.blind or not self.service.is_struck():
            if self.began is not None and self.ended is None:
                self.ended = self.clock.now()
            return None
        if self.began is None:
            self.began = self.clock.now()
        return self.clock.now() - self.began

    def over_for(self) -> Optional[float]:
        assert self.clock is not None
        self.age()
        return None if self.ended is None else self.clock.now() - self.ended

    def alerts(self) -> list[dict[str, Any]]:
        """Pending after 1 s, firing after 3 s, gone 2 s after the fault."""
        age, over = self.age(), self.over_for()
        if self.stubborn and self.began is not None:
            age, over = 100.0, None
        if (age is None or age < 1) and (over is None or over >= 2 or self.began is None):
            return []
        firing = over is not None or (age or 0) >= 3
        since = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime((self.began or 0) + 1))
        return [{"labels": LABELS, "state": "firing" if firing else "pending", "activeAt": since}]

    def tell(self) -> dict[str, Any]:
        """Told after 4 s, and 3 s after the end."""
        assert self.clock is not None
        age, over = self.age(), self.over_for()
        if age is not None and age >= 4 and not self.notifications and not self.silent:
            self.add("firing")
        if over is not None and over >= 3 and len(self.notifications) == 1:
            self.add("resolved")
        return {"last": len(self.notifications), "notifications": self.notifications}

    def add(self, status: str) -> None:
        assert self.clock is not None
        self.notifications.append({
            "seq": len(self.notifications) + 1, "received": self.clock.now(), "receiver": "ticket", "status": status,
            "groupLabels": {}, "alerts": [{"status": status, "labels": LABELS}]})

    def answer(self, path: str, query: dict[str, list[str]]) -> Any:
        """The JSON of an address; None where there is nothing."""
        data: dict[str, Callable[[], Any]] = {
            "/api/v1/rules": lambda: {"groups": [{"name": "g", "interval": 1, "rules": self.rules}]},
            "/api/v1/alerts": lambda: {"alerts": self.alerts()},
            "/api/v1/targets": lambda: {"activeTargets": [{
                "labels": {"job": "glassbox", "instance": name, **self.labels}, "health": "up" if self.is_up else "down",
                "scrapeInterval": "1s"} for name in self.services]},
            "/api/v1/query": lambda: {"resultType": "vector", "result": self.query(query["query"][0])},
        }
        others: dict[str, Callable[[], Any]] = {
            "/api/v2/status": lambda: {"config": {"original": ROUTES}},
            "/api/v2/silences": lambda: self.silences,
            "/api/v2/alerts": lambda: [{
                "labels": LABELS, "status": self.status, "fingerprint": "f", "startsAt": "2026-11-26T12:00:00.000Z",
                "endsAt": "2026-11-26T12:04:00.000Z"}] if self.left or self.alerts() else [],
            "/api/v2/alerts/groups": lambda: [],
            "/notifications": lambda: {**self.tell(), "notifications": [
                told for told in self.tell()["notifications"] if told["seq"] > int(query["after"][0])]},
        }
        if path in data:
            return {"status": "success", "data": data[path]()}
        return others[path]() if path in others else None

    def query(self, text: str) -> list[dict[str, Any]]:
        """The ground truth; and that it is ready, as long as it is."""
        if "glassbox_fault_in_force" in text:
            return [] if self.age() is None else [
                {"metric": {"instance": name}, "value": [0, "1"]} for name, service in self.services.items()
                if service.is_struck()]
        if text.startswith("up{"):
            return [{"metric": {"instance": name}, "value": [0, "1"]} for name in self.services]
        if text.startswith("glassbox_ready"):
            return [{"metric": {"instance": "here"}, "value": [0, "1" if self.age() is None else "0"]}]
        return []


class ReadFile(arming.File):
    """The plan's file, and the service has read it: it looks four times a second of the real clock."""

    service: Service

    def arm(self, plan: Any) -> None:
        super().arm(plan)
        self.service.settle(True)

    def restore(self) -> None:
        super().restore()
        self.service.settle(False)


def places(world: World) -> Endpoints:
    return Endpoints([world.service.url], [world.service.url], world.url, world.url, world.url,
                  world.service.token_file, world.service.plan_file)


def field(world: World, keeper: guard.Guard, at: Optional[dict[int, Callable[[], None]]] = None,
          by: str = "api") -> wave.Site:
    """Where a test's drill takes place: lines go to field.said."""
    world.clock = Clock(keeper.check, at)
    where, said = places(world), list[str]()
    file = ReadFile(world.service.plan_file)
    file.service = world.service
    way = {"api": lambda _: arming.Api(where), "file": lambda _: file}[by]
    made = wave.Site(where, way, keeper, world.clock, said.append)
    made.said = said  # type: ignore[attr-defined]
    return made
