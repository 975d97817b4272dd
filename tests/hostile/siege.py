"""One attack, again and again, and what must be true while it lasts and afterwards.

    with Siege(tmp_path, size, *options) as siege:
        for _ in siege.rounds(4):
            … the attack, which leaves nobody behind …
        siege.check({(method, route, status, error): count of all rounds})

Throughout: probes on the operators' listener and on the public port are answered. After each round:
no connection, no request, and no more descriptors than before the first. At the end: memory at rest is
within MEMORY_LEFT of what it was before, and does not grow from round to round; the metrics and the
log say the same of every request; the exit line balances.
"""

from collections import Counter

import accesslog
from books import DURATION, of_metrics, without_scrapes
from collector import Collector
from crowd import Crowd, room_for
from load import warm_up
from memory import at_rest, has_sanitizer, mib, taken
from probes import PATHS, PUBLIC_PATH, Prober
from service import Service, parse_samples
from wire import ask, eventually

# What stays of a crowd of 10,000: libevent's record of each descriptor number (40 bytes and the
# arrays they stand in), and what the pools of the threads keep: 32 exchanges each, with buffers of up
# to 16 KiB for body and answer.
MEMORY_LEFT = 8 << 20
# What is lost grows in every round; what is touched for the first time (a buffer of an exchange that
# the pool keeps) does not. 54 bytes lost for each client would be found.
MEMORY_GROWTH = 512 << 10


class Siege:
    def __init__(self, folder, size, *options, probe_public=True, env=None):
        room_for(size)
        self.size = size
        self.log = folder / "access.log"
        self.collector = Collector()
        self.service = Service(
            "--workers", "2", "--max-connections", size + 300, "--access-log-queue", "4MiB",
            "--idle-timeout", "120s", *options, admin=True, log=self.log,
            env=self.collector.env(**(env or {})))
        self.public = self.service.public
        self.prober = Prober(self.service.admin, self.public if probe_public else None)
        self.before = None
        self.dropped = 0  # lines, all along
        self.after = []   # at rest, after each round
        self.highest = 0  # resident, in the middle of a round

    def __enter__(self):
        self._warm_up()
        self.before = self._rest()
        self.prober.__enter__()
        return self

    def __exit__(self, kind, *_):
        if self.prober.process.poll() is None:
            self.prober.__exit__()
        if kind is None:
            self.line = self.service.stop()
            assert self.line["spans_acknowledged"] == self.collector.acknowledged
            assert self.collector.faults == []
        else:
            self.service.kill()
        self.collector.stop()

    def _warm_up(self):
        """What is touched once and stays: rings, queues, the exporter's connection, every route's
        series, the buffers of a scrape."""
        warm_up(self.public)
        warm_up(self.service.admin, "/livez", connections=1)
        for target in ("/metrics", PUBLIC_PATH):
            assert ask(self.public, target).status == 200
        for path in (*PATHS, "/metrics"):
            assert ask(self.service.admin, path).status == 200
        self.warm = of_metrics(self.service)

    def crowd(self, round_, size=None, **more):
        """A crowd for one round, from an address of its own."""
        return Crowd(self.public, size or self.size, source=f"127.0.{round_ + 1}.1", **more)

    def rounds(self, count):
        for round_ in range(count):
            yield round_
            self.note_memory()
            assert eventually(self._is_alone, timeout=30, pause=0.2), "connections that do not end"
            self.after.append(self._rest())

    def _rest(self):
        pid = self.service.pid
        return at_rest(pid, patience=4 if has_sanitizer(pid) else 30)

    def note_memory(self):
        self.highest = max(self.highest, taken(self.service.pid).rss)

    def _is_alone(self):
        """No public connection, and no request but the scrape: probes pause between two looks."""
        body = self.service.scrape().body.decode()
        public = parse_samples(body, "glassbox_connections")[frozenset([("listener", "public")])]
        return public == 0 and sum(parse_samples(body, "http_server_active_requests").values()) == 1

    def books(self):
        """What finished since the warm-up, by the metrics; probes apart. The log has the same, but for
        lines that were dropped, and those are counted."""
        self.prober.__exit__()
        metrics = of_metrics(self.service)
        dropped = eventually(self._is_written, timeout=20)
        assert dropped, "lines that are neither written nor dropped"
        log = without_scrapes(Counter(
            (entry["cs-method"], entry["x-route"], entry["sc-status"], entry["x-error"])
            for entry in accesslog.load(self.log).entries))
        assert log - metrics == Counter(), "lines of requests that there were not"
        self.dropped, = dropped
        assert sum((metrics - log).values()) <= self.dropped
        metrics.subtract(self.warm)
        for path in (*PATHS, PUBLIC_PATH):
            assert metrics.pop(("GET", path, "200", None), 0) >= self.prober.answered(path)
        return +metrics

    def _is_written(self):
        """(lines dropped,), once all others are written."""
        body = self.service.scrape().body.decode()
        finished, written, dropped = (sum(parse_samples(body, name).values()) for name in (
            DURATION, "glassbox_access_log_written_total", "glassbox_access_log_dropped_total"))
        return (dropped,) if finished == written + dropped else None

    def check(self, wanted):
        """`wanted`: {(method, route, status, error): count}, of all rounds together."""
        metrics = self.books()
        assert metrics == Counter(wanted), metrics
        self.prober.check()
        self.check_rest()

    def check_rest(self):
        for what in ("descriptors", "threads"):
            counts = [getattr(one, what) for one in [self.before, *self.after]]
            assert max(counts[1:]) <= counts[0], f"{what}: {counts}"
        story = [mib(one.rss) for one in [self.before, *self.after]]
        print("resident before and after each round:", ", ".join(story),
              "highest:", mib(self.highest), "probes:", self.prober.seen)
        if has_sanitizer(self.service.pid):
            return
        assert max(one.rss for one in self.after) - self.before.rss <= MEMORY_LEFT, story
        growth = [after.rss - before.rss for before, after in zip(self.after[1:], self.after[2:])]
        assert growth, "two rounds show no growth"
        assert min(growth) <= MEMORY_GROWTH, story
