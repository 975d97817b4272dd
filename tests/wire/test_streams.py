"""The three standard streams: what the first look at a running service shows, and that nothing
done to a stream (closed, stuck, full, its reader gone) costs a request, an end or the books."""

import json
import os
import subprocess
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import pytest

import scrape
from accesslog import Log
from service import (
    QUIET, Service, binary, check_reconciliation, environment, losses, parse_samples)
from wire import Connection, ask, eventually

CONSOLE = {"OTEL_TRACES_EXPORTER": "console"}
FLUSH = ("--flush-timeout", "500ms")
LONG = [("User-Agent", "u" * 5000)]  # a span that no pipe takes in one piece


def load(address, count=400):
    """Requests whose spans are of two sizes, on one connection; all must be answered, at once."""
    with Connection(address) as connection:
        start = time.monotonic()
        for number in range(count):
            response = connection.ask(headers=LONG if number % 2 else ())
            assert (response.status, response.body) == (200, b"hello, world!\n")
        assert time.monotonic() - start < 10, "requests wait for a stream"


def lost_spans(address):
    """(How many spans a full queue has cost,), or None unless the scrape, which is no snapshot
    while spans move, knows where each that ended is."""
    body = ask(address, "/metrics").body.decode()

    def total(name):
        return sum(parse_samples(body, name).values())
    lost = sum(value for labels, value
               in parse_samples(body, "otel_sdk_processor_span_processed_total").items()
               if "error_type" in dict(labels))
    known = (total("glassbox_spans_unsampled_total") + total("otel_sdk_processor_span_queue_size")
             + total("otel_sdk_exporter_span_inflight")
             + total("otel_sdk_exporter_span_exported_total") + lost)
    return (lost,) if total("glassbox_spans_ended_total") == known else None


def check_spans(address):
    """Each span that ended is somewhere; returns how many a full queue has cost."""
    lost = eventually(lambda: lost_spans(address))
    assert lost, "spans that are nowhere"
    return lost[0]


# ---- the first look -----------------------------------------------------------------------------

def test_one_request_on_all_three():
    """As `make run` starts it: the log line on stdout, the exemplar of /metrics and the span on
    stderr carry the trace id that the caller was told."""
    with Service(env=CONSOLE, fields=None) as service:
        response = ask(service.public, "/demo/hello?delay=20")
        trace_id, span_id, flags = response.trace
        assert flags & 1, "sampled: every trace is shown"

        line = service.log.wait(lambda entry: entry["x-trace-id"] == trace_id)
        assert (line["x-span-id"], line["cs-uri-stem"], line["sc-status"]) == (
            span_id, "/demo/hello", "200")

        span = service.wait_message(lambda m: m.get("span_id") == span_id)
        assert (span["trace_id"], span["name"], span["kind"]) == (
            trace_id, "GET /demo/hello", "SERVER")
        child = service.wait_message(lambda m: m.get("parent_span_id") == span_id)
        assert (child["trace_id"], child["kind"]) == (trace_id, "INTERNAL")
        assert abs(span["duration_ms"] / 1000 - float(line["time-taken"])) < 0.0011

        service.settle()
        exposition = scrape.parse_openmetrics(
            service.scrape(scrape.ACCEPT_OPENMETRICS).body)
        exemplar, = [e for e in exposition.exemplars if e[2]["trace_id"] == trace_id]
        _, labels, ids, value = exemplar
        assert ids["span_id"] == span_id and ("http_route", "/demo/hello") in labels
        assert abs(value - float(line["time-taken"])) < 0.0011
        line = service.stop()
    assert line["spans_acknowledged"] == line["spans_ended"] == line["finished"] + 1


# ---- stderr with a reader -----------------------------------------------------------------------

def test_console_with_a_reader_that_rests():
    """Nobody reads for a while: spans are lost and counted, not a request waits. Then somebody
    does: whole lines, and at the end the books."""
    with Service(*FLUSH, env={**CONSOLE, "OTEL_BSP_MAX_QUEUE_SIZE": "256",
                              "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "64"}) as service:
        service.reading.clear()
        load(service.public)
        lost = check_spans(service.public)
        assert lost > 0
        service.reading.set()
        assert eventually(
            lambda: service.total("otel_sdk_processor_span_queue_size") <= 2)
        response = ask(service.public)
        assert service.wait_message(lambda m: m.get("span_id") == response.trace[1])
        line = service.stop()
    assert losses(line, "spans_dropped")["queue_full"] >= lost
    spans = [m for m in service.messages if "span_id" in m]
    assert len(spans) == line["spans_acknowledged"]
    assert len({span["span_id"] for span in spans}) == len(spans)


# ---- streams that nobody hears ------------------------------------------------------------------

def listening(pid):
    """The address that a process listens on, from the kernel: for when it cannot say so."""
    try:
        links = {os.readlink(fd) for fd in Path(f"/proc/{pid}/fd").iterdir()}
    except OSError:
        return None
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, state, *rest = line.split()
        if state == "0A" and f"socket:[{rest[5]}]" in links:
            return "127.0.0.1", int(local.rpartition(":")[2], 16)
    return None


@contextmanager
def unheard(redirections="", stderr=subprocess.DEVNULL, env=QUIET, flush="500ms"):
    """The service with streams as a shell's `redirections` and `stderr` say: (process, address,
    its access log)."""
    process = subprocess.Popen(
        ["sh", "-c", f'exec "$@" {redirections}', "sh", binary(), "--listen", "127.0.0.1:0",
         "--access-log-queue", "16MiB", "--flush-timeout", flush], env=environment(env),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)
    lines = Log()
    reader = threading.Thread(target=lines.read, args=(process.stdout,))
    reader.start()
    try:
        address = eventually(lambda: listening(process.pid), timeout=20)
        assert address, f"exit code {process.poll()}"
        yield process, address, lines
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(10)
        reader.join(10)
        process.stdout.close()
    assert lines.error is None, lines.error


def end(process):
    """SIGTERM; the exit code, and it comes in a bounded time, whatever the streams do."""
    start = time.monotonic()
    process.terminate()
    code = process.wait(20)
    assert time.monotonic() - start < 4, "half a second was for the flush"
    return code


@contextmanager
def bad_stderr(kind):
    """(a file for stderr, redirections of the shell)."""
    if kind == "closed":
        yield subprocess.DEVNULL, "2>&-"
    elif kind == "full":
        with open("/dev/full", "wb") as full:
            yield full, ""
    else:
        reader, writer = os.pipe()
        if kind == "reader gone":
            os.close(reader)
        else:
            fill(writer)
        try:
            yield writer, ""
        finally:
            os.close(writer)
            if kind == "stuck":
                os.close(reader)


def fill(writer):
    """Writes to a pipe until nothing more goes in."""
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)


@pytest.mark.parametrize("env", [QUIET, CONSOLE], ids=["none", "console"])
@pytest.mark.parametrize("kind", ["closed", "full", "reader gone", "stuck"])
def test_stderr_that_takes_nothing(kind, env):
    """No request fails, no line of the access log is lost or disturbed, the spans add up, and the
    end is clean."""
    with bad_stderr(kind) as (stderr, redirections):
        with unheard(redirections, stderr, env) as (process, address, lines):
            load(address)
            if env is CONSOLE:
                check_spans(address)
            assert end(process) == 0
        assert sum(entry["x-route"] == "/demo/hello" for entry in lines.entries) == 400


def test_slow_reader_gets_the_exit_line():
    """The flush fills the pipe to the brim, and the most important line comes right after it."""
    reader, writer = os.pipe()
    heard = []

    def drip():
        while data := os.read(reader, 4096):
            heard.append(data)
            time.sleep(0.005)
        os.close(reader)
    with unheard(stderr=writer, env=CONSOLE, flush="5s") as (process, address, _):
        os.close(writer)
        load(address)
        thread = threading.Thread(target=drip)
        thread.start()
        process.terminate()
        assert process.wait(20) == 0
        thread.join()
    messages = [json.loads(raw) for raw in b"".join(heard).splitlines()]
    assert sum("span_id" in m for m in messages) > 100
    line, = [m for m in messages if m.get("component") == "reconciliation"]
    check_reconciliation(line)


@pytest.mark.parametrize("log", ["-", "none"])
@pytest.mark.parametrize("redirections", [">&-", ">&- <&-"], ids=["stdout", "stdin and stdout"])
def test_stdout_closed_at_the_start(redirections, log):
    """The log has nowhere to go: that is counted, and nothing else suffers. What other streams say
    stays as it is."""
    with Service(*FLUSH, log=log, stdout=subprocess.DEVNULL,
                 wrapper=("sh", "-c", f'exec "$@" {redirections}', "sh")) as service:
        load(service.public, 50)
        start = time.monotonic()
        line = service.stop()
        assert time.monotonic() - start < 4
    assert line["finished"] == 50


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)], ids=str)
def test_closed_stream_is_nothing_else(closed):
    """Descriptors 0 to 2 never become an event loop, a socket or a pipe of the service's own: what
    is meant for a stream would be written into that."""
    with unheard(" ".join(f"{number}>&-" for number in closed)) as (process, address, _):
        load(address, 5)
        for number in closed:
            path = Path(f"/proc/{process.pid}/fd/{number}")
            assert not path.is_symlink() or os.readlink(path) == "/dev/null", os.readlink(path)
        assert end(process) == 0
