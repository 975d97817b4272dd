"""The real program, started for a test and stopped with its books checked.

`Service` runs the binary with ephemeral ports, reads its two streams as they come (stdout: the
access log, stderr: one JSON object a line) and knows how to ask it for its counters. Stopping it
asserts what must hold after every test whatsoever: exit code 0 and a reconciliation that balances.
"""

import json
import os
import re
import signal
import subprocess
import threading
from pathlib import Path

from accesslog import Log
from wire import ask, eventually

ROOT = Path(__file__).resolve().parents[2]

# The operators' side gets a loopback address of its own, so that the two are told apart.
PUBLIC = "127.0.0.1"
OPERATORS = "127.0.0.2"

# Everything a test may want to look at; the default list has a test of its own.
FIELDS = ("date time time-taken c-ip s-port cs-method cs-uri-stem cs-uri-query cs-version cs-host "
          "sc-status sc-bytes cs-bytes x-route x-error x-fault x-trace-id x-span-id "
          "cs(User-Agent)")

ACTIVE = "http_server_active_requests"
QUIET = {"OTEL_TRACES_EXPORTER": "none"}

SAMPLE = re.compile(r'([a-z_]+)(?:\{(.*)\})? (\S+)')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')


def binary():
    """Path of the program: $GLASSBOX_BIN, else where the Makefile leaves the release build."""
    return os.environ.get("GLASSBOX_BIN") or str(ROOT / "build/release/glassbox")


def environment(*more):
    """A small environment of its own: nothing of the caller's OTEL_* or GLASSBOX_*."""
    result = {"PATH": os.environ["PATH"], "LC_ALL": "C"}
    for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS",
                 "GCOV_ERROR_FILE"):
        if name in os.environ:
            result[name] = os.environ[name]
    for part in more:
        result.update(part)
    return result


def parse_address(text):
    host, _, port = text.rpartition(":")
    return host.strip("[]"), int(port)


def parse_samples(text, name):
    """{frozenset of (label, value): number} of one sample name of a text exposition; exemplars and
    timestamps are not read: scrape.py has whole parsers."""
    result = {}
    for line in text.splitlines():
        match = SAMPLE.match(line) if line.startswith(name) else None
        if match and match.group(1) == name:
            result[frozenset(LABEL.findall(match.group(2) or ""))] = float(match.group(3))
    return result


class Service:
    """`arguments` come after the defaults, `env` goes on top of a clean environment. `stdout` and
    `wrapper` (a command in front, such as prlimit) are for the tests that need them."""

    def __init__(self, *arguments, env=QUIET, listen=(f"{PUBLIC}:0",), admin=False, log="-",
                 fields=FIELDS, stdout=subprocess.PIPE, wrapper=(), iis=False, **popen):
        self.command = [*wrapper, binary()]
        for address in listen:
            self.command += ["--listen", address]
        if admin:
            self.command += ["--admin-listen", f"{OPERATORS}:0"]
        self.command += ["--access-log", str(log), "--drain-delay", "0"]
        if fields and not iis:
            self.command += ["--access-log-fields", fields]
        self.command += [str(argument) for argument in arguments]
        self.log = Log(iis)
        self.messages = []
        self.told_to_end = False
        self.noise = []  # lines of stderr that are not JSON: there must be none
        self.heard = threading.Condition()
        self.reading = threading.Event()  # cleared: stderr has a reader that takes nothing
        self.reading.set()
        self.process = subprocess.Popen(
            self.command, env=environment(env), stdin=subprocess.DEVNULL, stdout=stdout,
            stderr=subprocess.PIPE, **popen)
        self.threads = [threading.Thread(target=self._listen, daemon=True)]
        if stdout == subprocess.PIPE:
            self.threads.append(threading.Thread(target=self.log.read, daemon=True,
                                                 args=(self.process.stdout,)))
        for thread in self.threads:
            thread.start()
        wanted = len(listen) + bool(admin)
        with self.heard:
            self.heard.wait_for(lambda: len(self._listening()) >= wanted or self._dead(), 20)
        addresses = self._listening()
        assert len(addresses) == wanted, f"{self.command}: {self.messages} {self.noise}"
        self.addresses = [a for a in addresses if a[0] != OPERATORS or not admin]
        self.public = self.addresses[0]
        self.admin = next((a for a in addresses if a[0] == OPERATORS), None) if admin else None
        self.operators = self.admin or self.public

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def _dead(self):
        return self.process.poll() is not None

    def _listen(self):
        for raw in self.process.stderr:
            self.reading.wait()
            with self.heard:
                try:
                    self.messages.append(json.loads(raw))
                except ValueError:
                    self.noise.append(raw.decode("utf-8", "replace"))
                self.heard.notify_all()
        with self.heard:
            self.heard.notify_all()

    def _listening(self):
        return [parse_address(m["address"]) for m in list(self.messages)
                if m.get("message") == "listening"]

    # ---- what it says ---------------------------------------------------------------------------

    @property
    def pid(self):
        return self.process.pid

    def wait_message(self, wanted, timeout=5.0):
        """The first diagnostic for which `wanted(message)` holds, or None."""
        with self.heard:
            self.heard.wait_for(lambda: any(wanted(m) for m in self.messages), timeout)
            return next((m for m in self.messages if wanted(m)), None)

    @property
    def reconciliation(self):
        """The line of the exit; None before."""
        lines = [m for m in self.messages if m.get("component") == "reconciliation"]
        assert len(lines) <= 1
        return lines[0] if lines else None

    def scrape(self, accept=None, **more):
        headers = [("Accept", accept)] if accept else []
        response = ask(self.operators, "/metrics", headers=headers, **more)
        assert response.status == 200
        return response

    def samples(self, name):
        """One sample name of a fresh scrape: {frozenset of labels: value}."""
        return parse_samples(self.scrape().body.decode(), name)

    def value(self, name, **labels):
        """One sample of a fresh scrape, or None."""
        return self.samples(name).get(frozenset(labels.items()))

    def total(self, name):
        return sum(self.samples(name).values())

    def settle(self):
        """Waits until nothing but our own scrape is in flight: a request ends, and is counted, a
        moment after its last byte was read. Returns that scrape's body."""
        def quiet():
            body = self.scrape().body.decode()
            return body if sum(parse_samples(body, ACTIVE).values()) == 1 else None
        body = eventually(quiet)
        assert body, "requests that do not end"
        return body

    def cpu_seconds(self):
        """User and system time of the process so far, from the kernel."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_ready(self):
        assert eventually(lambda: ask(self.operators, "/readyz").status == 200)
        return self

    # ---- its end --------------------------------------------------------------------------------

    def signal(self, number=signal.SIGTERM):
        self.told_to_end |= number in (signal.SIGTERM, signal.SIGINT)
        self.process.send_signal(number)

    def wait(self, timeout=30.0):
        """Waits for the exit and the streams' ends; the exit code."""
        code = self.process.wait(timeout)
        for thread in self.threads:
            thread.join(timeout)
        return code

    def stop(self, timeout=30.0):
        """SIGTERM, then: exit 0, clean streams, and books that balance. Returns their line."""
        if self.process.poll() is None and not self.told_to_end:
            self.signal()
        code = self.wait(timeout)
        assert code == 0, f"exit code {code}: {self.messages[-3:]} {self.noise}"
        assert self.noise == []
        if self.log.error:
            raise self.log.error
        line = self.reconciliation
        assert line is not None, f"no reconciliation: {self.messages[-3:]}"
        check_reconciliation(line)
        return line

    def kill(self):
        """Without ceremony: the test has failed already, or wants it so."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)


LOSSES = {"log_dropped": {"queue_full", "write_error", "shutdown"},
          "spans_dropped": {"queue_full", "shutdown"},
          "spans_failed": {"rejected", "timeout", "connection", "status", "bad_response",
                           "too_large", "shutdown"}}


def losses(line, what):
    """{reason: count} of one kind of loss in the exit line; a reason that did not occur has no
    term."""
    prefix = what + "_"
    return {name[len(prefix):]: value for name, value in line.items() if name.startswith(prefix)}


def check_reconciliation(line):
    """The equation of the exit line, term by term: that it says `balanced` is not enough."""
    assert line["balanced"] is True, line
    assert line["finished"] == line["metrics_count"], line
    for what, reasons in LOSSES.items():
        assert sum(losses(line, what).values()) == line.get(what, 0), line
        assert set(losses(line, what)) <= reasons, line
    if line.get("log") != "off":
        assert line["finished"] == line["log_appended"], line
        assert line["finished"] == (line["log_written"] + line["log_waiting"]
                                    + line["log_dropped"]), line
    if line.get("spans") != "off":
        assert line["spans_server"] == line["finished"], line
        assert line["spans_ended"] == line["finished"] + line["spans_internal"], line
        assert line["spans_ended"] == sum(
            line["spans_" + term] for term in ("acknowledged", "waiting", "inflight", "unsampled",
                                               "dropped", "failed")), line
