"""Steady load: requests to all routes that users call, at a rate that does not depend on the answers.

    python infra/local/load.py --url http://127.0.0.1:8080 --rate 40 --report build/demo/load.json

Open loop: a request is due each 1/rate seconds, whatever became of those before. What a client can
see of a sick service (errors, resets, answers cut off, refusals, latency of a minute) is counted and
survived. At most BACKLOG seconds' worth of requests are in flight; one that is due beyond that is
not sent, and counted too.
"""

import argparse
import asyncio
import json
import os
import resource
import signal
import sys
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

# The mix: path and weight. Whoever adds a route that users call adds a row, here or below.
MIX = (
    ("/demo/hello", 6),
    ("/demo/random-error", 2),
    ("/demo/work?cpu_ms=2", 2),
)
# Called once in so many seconds, whatever the rate: below the floor under which a burn rate says
# little (alerts/slo.yaml), so that there is a route for the alerts on low traffic.
RARE = (("/", 20.0),)

BACKLOG = 5.0    # seconds' worth of requests that may be in flight
PATIENCE = 65.0  # seconds for an answer: more than the longest latency a fault can have
IDLE = 1.0       # seconds that a connection is kept unused: of those that a latency fault made many are idle
                 # as soon as it is over, and while it lasts they would take the places of those that wait
LIFETIME = 10.0  # seconds, then new connections are made: after a backlog, few are needed again
REPORT_EVERY = 1.0
SAY_EVERY = 30.0

# What a client sees when there is no whole answer; the first that fits.
FAILURES = (
    (aiohttp.ClientPayloadError, "truncated"),
    (aiohttp.ServerTimeoutError, "timeout"),
    (asyncio.TimeoutError, "timeout"),
    (aiohttp.ClientConnectorError, "no connection"),
    (aiohttp.ClientOSError, "reset"),
    (aiohttp.ServerDisconnectedError, "closed"),
    (aiohttp.ClientError, "other"),
    (OSError, "other"),
)


@dataclass
class Counts:
    """What became of the requests so far, by route."""

    started: float = field(default_factory=time.time)
    sent: int = 0
    in_flight: int = 0
    outcomes: dict[str, Counter] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, path: str, outcome: str) -> None:
        """`outcome`: a status, or a word of FAILURES."""
        self.outcomes[path.partition("?")[0]][outcome] += 1

    def totals(self) -> Counter:
        """Over all routes."""
        return sum(self.outcomes.values(), Counter())

    def as_json(self, rate: float) -> dict:
        """For the report."""
        return {"rate": rate, "started": self.started, "updated": time.time(), "sent": self.sent,
                "in_flight": self.in_flight, "totals": self.totals(), "routes": self.outcomes}


def mixed(rows: tuple[tuple[str, int], ...]):
    """The paths for ever, each as often as its weight, and as evenly as can be (smooth weighted
    round robin): a minute looks like the next."""
    whole = sum(weight for _, weight in rows)
    credit = dict.fromkeys((path for path, _ in rows), 0)
    while True:
        for path, weight in rows:
            credit[path] += weight
        path = max(credit, key=credit.__getitem__)
        credit[path] -= whole
        yield path


class Clients:
    """Connections that are made anew now and then. aiohttp takes those in turn, so that a pool which
    a latency fault has filled would otherwise stay full for ever."""

    def __init__(self, url: str):
        self.url = url
        self._made = 0.0
        self._current: aiohttp.ClientSession | None = None
        self._users: Counter = Counter()

    def take(self) -> aiohttp.ClientSession:
        """To be given back."""
        now = time.monotonic()
        if self._current is None or now - self._made > LIFETIME:
            old, self._made = self._current, now
            self._current = aiohttp.ClientSession(
                self.url, connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE),
                timeout=aiohttp.ClientTimeout(total=PATIENCE),
                headers={"User-Agent": "glassbox-steady-load"})
            self._users[self._current] = 1  # ours
            if old is not None:
                self.give_back(old)
        self._users[self._current] += 1
        return self._current

    def give_back(self, client: aiohttp.ClientSession) -> None:
        """The last one closes the connections."""
        self._users[client] -= 1
        if not self._users[client]:
            del self._users[client]
            asyncio.ensure_future(client.close())

    async def close(self) -> None:
        """All of them."""
        for client in list(self._users):
            await client.close()


class Load:
    """The loop, until `stop`."""

    def __init__(self, url: str, rate: float, report: Path | None):
        self.rate = rate
        self.report = report
        self.counts = Counts()
        self.clients = Clients(url)
        self.stop = asyncio.Event()
        self.tasks: set[asyncio.Task] = set()
        self.most = max(10, round(rate * BACKLOG))

    async def _ask(self, path: str) -> None:
        client = self.clients.take()
        try:
            async with client.get(path) as response:
                await response.read()
                outcome = str(response.status)
        except (aiohttp.ClientError, asyncio.TimeoutError, OSError) as error:
            outcome = next(word for kind, word in FAILURES if isinstance(error, kind))
        finally:
            self.counts.in_flight -= 1
            self.clients.give_back(client)
        self.counts.add(path, outcome)

    def _send(self, path: str) -> None:
        if self.counts.in_flight >= self.most:
            self.counts.add(path, "not sent")
            return
        self.counts.in_flight += 1
        self.counts.sent += 1
        task = asyncio.create_task(self._ask(path))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def _wait(self, seconds: float) -> bool:
        """False when it is time to end."""
        try:
            await asyncio.wait_for(self.stop.wait(), max(seconds, 0))
        except asyncio.TimeoutError:
            return True
        return False

    async def _repeat(self, every: float, what) -> None:
        """At an even pace. After a standstill of more than a second what was missed is let go: a
        burst is no steady load."""
        due = time.monotonic()
        while await self._wait(due - time.monotonic()):
            what()
            due = max(due + every, time.monotonic() - 1)

    def _write(self) -> None:
        """A full disk ends neither this nor the load: `updated` tells how old the report is."""
        with suppress(OSError):
            self._replace_report()

    def _replace_report(self) -> None:
        if self.report is not None:
            new = self.report.with_suffix(".new")
            new.write_text(json.dumps(self.counts.as_json(self.rate), indent=2) + "\n")
            os.replace(new, self.report)

    def _say(self) -> None:
        totals = ", ".join(f"{count} {outcome}" for outcome, count in self.counts.totals().most_common())
        with suppress(OSError):  # a full disk
            print(time.strftime("%H:%M:%S"), f"{self.counts.sent} sent,", totals or "none answered yet",
                  flush=True)

    async def run(self) -> None:
        """Until SIGTERM or SIGINT; what is in flight then is let go."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)
        paths = mixed(MIX)
        await asyncio.gather(
            self._repeat(1 / self.rate, lambda: self._send(next(paths))),
            *(self._repeat(every, lambda path=path: self._send(path)) for path, every in RARE),
            self._repeat(REPORT_EVERY, self._write), self._repeat(SAY_EVERY, self._say))
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.clients.close()
        self._write()
        self._say()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--rate", type=float, default=40, help="requests a second")
    parser.add_argument("--report", type=Path, help="a file for the counts, written each second")
    arguments = parser.parse_args()
    if not 0.1 <= arguments.rate <= 2000:
        parser.error(f"--rate: {arguments.rate:g} is not between 0.1 and 2000")

    # A connection a request in flight: more than the usual soft limit allows, at a high rate.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    async def run() -> None:
        await Load(arguments.url, arguments.rate, arguments.report).run()
    asyncio.run(run())
    return 0


if __name__ == "__main__":
    sys.exit(main())
