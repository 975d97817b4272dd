"""A soak: mixed load for minutes or hours, everything that happens in a life, and a verdict.

    PYTHON=~/.cache/glassbox/venv-…/bin/python
    GLASSBOX_BIN=build/release/glassbox $PYTHON tests/soak/soak.py --minutes 30 --out build/soak

While good, bad, slow and hostile requests come (traffic.py), the collector throttles, hangs, cuts and
is killed (sink.py), the log is rotated by rename and SIGHUP, and /metrics is read in every format.
Memory, descriptors, threads, queues and losses are sampled all along. Afterwards:

    samples.csv   a row a sample
    soak.svg      the same as a picture
    verdict.txt   what was judged, and how; the exit status is 0 when all of it is good

Flat is what verdict.py says is flat. The books: the exit line balances; the lines in the rotated files
are the lines it says were written; what the collector acknowledged is what the exporters say, but for
what a kill may have cut off; and of the well-behaved requests not one failed.
"""

import argparse
import csv
import itertools
import json
import signal
import subprocess
import sys
import time
from datetime import datetime, timezone
from pathlib import Path

from sampling import COLUMNS, sample, unaccounted  # noqa: F401 (sets the path of the next)
from sink import Sink

import scrape
from accesslog import Log
from load import warm_up
from memory import at_rest, has_sanitizer
from report import write_picture, write_verdict
from service import Service
from verdict import Finding, at_most, equal, judge_all
from wire import eventually

HERE = Path(__file__).resolve().parent
# What the collector does, and for how many parts of a cycle.
CYCLE = (("ok", 8), ("dead", 3), ("ok", 6), ("throttled", 2), ("ok", 4), ("hang", 2), ("ok", 4),
         ("partial", 2), ("cut", 1), ("unavailable", 2), ("ok", 4), ("slow", 2))
# Up to what an exporter has in flight when its collector is killed: a batch.
BATCH = 512
LEFT_AT_REST = 12 << 20  # bytes more than before the load; see tests/hostile/siege.py


class Soak:
    def __init__(self, arguments, folder):
        self.seconds = arguments.minutes * 60
        self.folder = folder
        self.sink = Sink(folder)
        self.log_path = folder / "access.log"
        self.log_path.unlink(missing_ok=True)
        self.service = Service(
            "--workers", "2", "--head-timeout", "4s", "--body-timeout", "4s",
            "--write-timeout", "4s", "--idle-timeout", "20s", "--flush-timeout", "10s",
            admin=True, log=self.log_path, env={
                "OTEL_EXPORTER_OTLP_ENDPOINT": self.sink.endpoint, "OTEL_LOGS_EXPORTER": "otlp",
                "OTEL_EXPORTER_OTLP_TIMEOUT": "2000", "OTEL_BSP_EXPORT_TIMEOUT": "4000",
                "OTEL_BLRP_EXPORT_TIMEOUT": "4000", "OTEL_BSP_SCHEDULE_DELAY": "500",
                "OTEL_BLRP_SCHEDULE_DELAY": "500"})
        self.samples, self.periods, self.rotations = [], [], []
        self.formats = itertools.cycle([None, scrape.ACCEPT_OPENMETRICS, scrape.ACCEPT_PROTOBUF,
                                        scrape.ACCEPT_PROMETHEUS_NATIVE])
        self.lines = self.scrapes = 0
        self.interval = min(max(self.seconds / 600, 0.5), 10)
        self.rotate_every = min(max(self.seconds / 12, 5), 300)
        self.part = min(max(self.seconds / 120, 1.0), 15)  # of the collector's cycle
        self.traffic = self.traffic_command(arguments)

    def traffic_command(self, arguments):
        return [sys.executable, str(HERE / "traffic.py"), "%s:%d" % self.service.public,
                "--rate", str(arguments.rate), "--burst-every", str(arguments.burst_every)]

    # ---- while it lasts -------------------------------------------------------------------------

    def run(self):
        """The load, from its first request until its last."""
        warm_up(self.service.public)
        warm_up(self.service.admin, "/livez", connections=1)  # and the main thread's rings
        eventually(lambda: self.sink["spans"] > 0 and self.sink["logs"] > 0)
        self.rest_before = at_rest(self.service.pid)
        traffic = subprocess.Popen(self.traffic, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.started = time.monotonic()
        cycle = itertools.cycle(CYCLE)
        due = {"sample": 0.0, "rotate": self.rotate_every, "sink": 0.0, "scrape": 1.0}
        while (now := time.monotonic() - self.started) < self.seconds:
            assert self.service.process.poll() is None, self.service.messages[-3:]
            assert traffic.poll() is None, "the load has ended"
            if now >= due["sample"]:
                self.samples.append(sample(self.service, now))
                due["sample"] += self.interval
            if now >= due["rotate"]:
                self.rotate(now)
                due["rotate"] += self.rotate_every
            if now >= due["sink"]:
                mode, parts = next(cycle)
                self.turn_sink(mode, now)
                due["sink"] = now + parts * self.part
            if now >= due["scrape"]:
                self.read_metrics()
                due["scrape"] += 3 * self.interval
            time.sleep(max(0.0, min(due.values()) - (time.monotonic() - self.started)))
        self.turn_sink("ok", self.seconds)
        self.tally = json.loads(traffic.communicate(timeout=120)[0])

    def turn_sink(self, mode, now):
        if self.periods:
            self.periods[-1]["end"] = now
        self.periods.append({"mode": mode, "start": now, "end": self.seconds})
        if mode == "dead":
            self.sink.kill()
            return
        if self.sink.process.poll() is not None:
            self.sink.start()
        self.sink.set_mode(mode)

    def read_metrics(self):
        """One exposition, whole, by a parser that was not written for us."""
        accept = next(self.formats)
        response = self.service.scrape(accept)
        parse = {None: scrape.parse_text, scrape.ACCEPT_OPENMETRICS: scrape.parse_openmetrics}
        families = parse.get(accept, scrape.parse_protobuf)(response.body).families
        assert "http_server_request_duration_seconds" in families
        self.scrapes += 1

    def rotate(self, now):
        """Renames the log, has it reopened, counts what is in the old one, and throws it away."""
        old = self.log_path.with_suffix(f".{len(self.rotations)}")
        opened = self.service.value("glassbox_access_log_reopened_total")
        self.log_path.rename(old)
        self.service.signal(signal.SIGHUP)
        assert eventually(lambda: self.service.value("glassbox_access_log_reopened_total") > opened,
                          timeout=30), "not reopened"
        self.rotations.append(now)
        self.count(old)

    def count(self, path):
        """Adds the lines of a finished file; the first thousands are read as strictly as the format
        is defined."""
        strict = Log()
        with open(path, "rb") as file:
            for number, raw in enumerate(file):
                if number < 5000:
                    strict.feed(raw)
                self.lines += not raw.startswith(b"#")
        path.unlink()

    # ---- afterwards -----------------------------------------------------------------------------

    def finish(self):
        """Rest, then the end in order. The findings."""
        quiet = eventually(self.is_quiet, timeout=60, pause=0.5)
        self.rest_after = at_rest(self.service.pid)
        sanitized = has_sanitizer(self.service.pid)
        findings = judge_all(self.samples, with_memory=not sanitized)
        if sanitized:
            findings.append(Finding("memory", True, "not judged: the binary has AddressSanitizer"))
        else:
            left = self.rest_after.rss - self.rest_before.rss
            findings.append(at_most("resident more than before", max(left, 0), LEFT_AT_REST))
        findings += [
            Finding("quiet", bool(quiet), "nothing waits and nothing is open" if quiet
                    else f"still busy: {self.samples[-1]}"),
            equal("descriptors at rest", self.rest_after.descriptors, self.rest_before.descriptors),
            equal("threads at rest", self.rest_after.threads, self.rest_before.threads)]
        line = self.service.stop(timeout=60)
        self.sink.stop()
        self.count(self.log_path)
        return findings + self.books(line), line

    def is_quiet(self):
        """Whether the live equation holds to the last term, with nothing in a queue."""
        row = sample(self.service, time.monotonic() - self.started)
        waiting = ("log_waiting", "span_queue", "span_inflight", "record_queue", "record_inflight")
        return (row["connections"] == 0 and row["active"] == 1
                and not any(row[name] for name in waiting)
                and not any(unaccounted(row).values()))

    def books(self, line):
        cut = self.sink.kills * BATCH
        tally = self.tally
        return [
            Finding("exit line", line["balanced"], line["message"]),
            equal("log lines in the files", self.lines, line["log_written"]),
            at_most("spans acknowledged by the collector, not known of",
                    self.sink["spans"] - line["spans_acknowledged"], cut,
                    f" (it was killed {self.sink.kills} times)"),
            at_most("log records, likewise",
                    self.sink["logs"] - line["otlp_logs_acknowledged"], cut),
            equal("requests that the collector could not read", self.sink["faults"], 0),
            equal("well-behaved requests that failed", tally["failures"], 0,
                  f": {tally['failed']}" if tally["failures"] else ""),
            equal("answered and given up", tally["answered"] + tally["abandoned"], tally["sent"]),
            Finding("finished", line["finished"] >= tally["answered"],
                    f"{line['finished']:,} requests, {tally['answered']:,} of them answered to the "
                    f"well-behaved, {tally['rude_clients']:,} rude clients"),
        ]


def write_samples(path, samples):
    with open(path, "w", newline="", encoding="ascii") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=3)
    parser.add_argument("--rate", type=float, default=500, help="well-behaved requests a second")
    parser.add_argument("--burst-every", type=float, default=20, help="seconds between bursts of wrk")
    parser.add_argument("--out", type=Path, default=Path("build/soak"))
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended by SIGTERM"))
    arguments.out.mkdir(parents=True, exist_ok=True)
    soak = Soak(arguments, arguments.out)
    try:
        soak.run()
        findings, line = soak.finish()
    finally:
        soak.service.kill()
        if soak.sink.process.poll() is None:
            soak.sink.process.kill()
        write_samples(arguments.out / "samples.csv", soak.samples)
    when = datetime.now(timezone.utc).strftime("%Y-%m-%d")
    write_picture(arguments.out / "soak.svg", soak, line, when)
    good = write_verdict(arguments.out / "verdict.txt", soak, findings, line, when)
    print((arguments.out / "verdict.txt").read_text())
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
