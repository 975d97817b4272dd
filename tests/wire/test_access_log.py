"""The access log as a file and as a pipe: format, fields, rotation, and every way a destination can
fail without a request noticing."""

import fcntl
import json
import os
import re
import signal
import subprocess
import threading
import time

import pytest

import accesslog
from service import QUIET, Service, binary, environment
from wire import Connection, ask, eventually, request

F_SETPIPE_SZ = 1031


def send(service, count, target="/demo/hello", headers=()):
    """`count` pipelined requests on one connection; all must be answered."""
    with Connection(service.public, timeout=20) as connection:
        batch = request(target, headers=headers)
        while count > 0:
            turn = min(count, 100)
            connection.send(batch * turn)
            for _ in range(turn):
                assert connection.response().status in (200, 404)
            count -= turn


def dropped(service):
    return {dict(labels)["reason"]: value for labels, value
            in service.samples("glassbox_access_log_dropped_total").items() if value}


# ---- format -------------------------------------------------------------------------------------

def test_directives_and_default_fields():
    with Service(fields=None) as service:
        ask(service.public)
        assert service.log.wait_count(1) == 1
    names = [name for name, _ in service.log.directives]
    assert {"Version", "Software", "Start-Date", "Fields"} == set(names)
    assert names[0] == "Version"
    values = dict(service.log.directives)
    assert "glassbox" in values["Software"].lower()
    assert abs(time.mktime(time.strptime(values["Start-Date"][:19], "%Y-%m-%d %H:%M:%S"))
               - time.timezone - time.time()) < 60
    for field in ("date", "time", "cs-method", "cs-uri-stem", "sc-status", "time-taken",
                  "x-trace-id", "x-span-id"):
        assert field in service.log.fields
    assert service.log.fields[-2:] == ["x-error", "x-fault"]


def test_date_and_time_are_those_of_the_end():
    with Service() as service:
        ask(service.public, "/demo/hello?delay=1100")
        end = time.time()
        service.log.wait_count(1)
    entry, = service.log.entries
    stamp = time.strptime(f"{entry['date']} {entry['time'][:8]}", "%Y-%m-%d %H:%M:%S")
    assert abs(time.mktime(stamp) - time.timezone - end) < 1.05
    assert 1.1 <= float(entry["time-taken"]) < 1.6, "seconds, not milliseconds"


def test_own_field_list_with_headers():
    fields = "x-span-id cs(X-Request-Id) sc(Content-Type) sc-status cs(Referer) c-port"
    with Service(fields=fields) as service:
        with Connection(service.public) as connection:
            connection.ask(headers=[("x-request-id", 'say "hi"'), ("Referer", "")])
            connection.ask("/no/such", headers=[("Accept", "text/plain")])
            port = str(connection.port)
        assert service.log.wait_count(2) == 2
    first, second = service.log.entries
    assert service.log.fields == fields.split()
    assert first["cs(X-Request-Id)"] == 'say "hi"'
    assert first["cs(Referer)"] == "", "an empty string is not a missing one"
    assert second["cs(X-Request-Id)"] is None
    assert first["sc(Content-Type)"] == second["sc(Content-Type)"] == "text/plain; charset=utf-8"
    assert first["c-port"] == port


HOSTILE = ["\t", "\x0b", "\x7f", "\xff\xfe", '"', '""', "a b", "#Fields: x", "%0a", "\x1b[31m"]


@pytest.mark.parametrize("text", HOSTILE, ids=[ascii(text) for text in HOSTILE])
def test_nothing_a_client_says_breaks_a_line(service, text):
    """The reader asserts printable ASCII and the number of fields; here, that the line is there."""
    seen = len(service.log.entries)
    raw = (f"GET /a?q={text} HTTP/1.1\r\nHost: x\r\nUser-Agent: {text}\r\n\r\n"
           f"GET /{text} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").encode("latin-1")
    with Connection(service.public) as connection:
        connection.send(raw)
        connection.half_close()
        connection.response()
        assert eventually(lambda: len(service.log.entries) > seen)


def test_iis_dialect():
    with Service("--access-log-format", "iis", iis=True) as service:
        ask(service.public, "/demo/hello?delay=25", headers=[("User-Agent", "a b/1")])
        ask(service.public, "/no/such")
        assert service.log.wait_count(2) == 2
    entry = service.log.entries[0]
    assert service.log.fields == (
        "date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) "
        "cs(Referer) sc-status sc-substatus sc-win32-status time-taken").split()
    assert entry["cs(User-Agent)"] == "a+b/1"
    assert 25 <= int(entry["time-taken"]) < 5000, "milliseconds"


def test_unknown_field_is_refused_at_the_start():
    result = subprocess.run([binary(), "--listen", "127.0.0.1:0", "--access-log-fields",
                             "date time no-such-field"], capture_output=True, timeout=20,
                            env=environment(QUIET))
    assert result.returncode == 2
    assert b"no-such-field" in result.stderr and result.stdout == b""


def test_none_is_off():
    with Service(log="none") as service:
        ask(service.public)
    assert service.reconciliation["log"] == "off"
    assert service.log.bytes == 0


# ---- files --------------------------------------------------------------------------------------

def test_line_is_in_its_file_within_a_second(tmp_path):
    path = tmp_path / "access.log"
    with Service(log=path) as service:
        for _ in range(3):
            response = ask(service.public)
            assert eventually(lambda: response.trace[1] in path.read_text(), timeout=1.2)


def test_restart_appends_to_the_same_fields(tmp_path):
    path = tmp_path / "access.log"
    for _ in range(2):
        with Service(log=path) as service:
            ask(service.public)
    assert len(accesslog.load(path).entries) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["access.log"]


def test_file_with_other_fields_is_set_aside(tmp_path):
    path = tmp_path / "access.log"
    with Service(log=path, fields="date time sc-status") as service:
        ask(service.public)
    old = path.read_bytes()
    with Service(log=path) as service:
        ask(service.public)
    aside, = [p for p in tmp_path.iterdir() if p != path]
    assert aside.name.startswith("access.log.")
    assert aside.read_bytes() == old
    log = accesslog.load(path)
    assert len(log.entries) == 1 and "x-trace-id" in log.fields


def test_broken_last_line_is_not_continued(tmp_path):
    """A crash of the machine may have cut a line; the next one starts on its own."""
    path = tmp_path / "access.log"
    with Service(log=path) as service:
        ask(service.public)
    whole = path.read_bytes()
    path.write_bytes(whole + b"2026-01-01\t12:00:00\thalf a li")
    with Service(log=path) as service:
        ask(service.public)
    data = path.read_bytes()
    if data.startswith(whole + b"2026-01-01\t12:00:00\thalf a li"):
        data = data.replace(b"2026-01-01\t12:00:00\thalf a li\n", b"")
    (tmp_path / "repaired.log").write_bytes(data)
    assert len(accesslog.load(tmp_path / "repaired.log").entries) == 2


def test_rotation_under_load_loses_nothing(tmp_path):
    path = tmp_path / "access.log"
    with Service("--workers", "2", "--access-log-queue", "16MiB", log=path) as service:
        stop = threading.Event()
        sent = [0, 0]

        def load(number):
            with Connection(service.public) as connection:
                while not stop.is_set():
                    connection.send(request() * 20)
                    for _ in range(20):
                        connection.response()
                    sent[number] += 20
        threads = [threading.Thread(target=load, args=(n,)) for n in (0, 1)]
        for thread in threads:
            thread.start()
        for turn in range(4):
            time.sleep(0.15)
            path.rename(tmp_path / f"access.log.{turn}")
            service.signal(signal.SIGHUP)
            assert eventually(path.exists)
        stop.set()
        for thread in threads:
            thread.join()
        assert service.value("glassbox_access_log_reopened_total") == 4
        scrapes = 1
        service.stop()
    spans = []
    for file in tmp_path.iterdir():
        log = accesslog.load(file)  # each has its own directives, or this fails
        spans += [entry["x-span-id"] for entry in log.entries]
    assert len(spans) == len(set(spans)) == sum(sent) + scrapes
    assert service.reconciliation["log_dropped"] == 0


def test_directory_that_is_gone_at_rotation(tmp_path):
    """The old file goes on; the failure is told."""
    folder = tmp_path / "logs"
    folder.mkdir()
    with Service(log=folder / "access.log") as service:
        ask(service.public)
        folder.rename(tmp_path / "moved")
        service.signal(signal.SIGHUP)
        assert service.wait_message(lambda m: m["level"] in ("warn", "error"))
        ask(service.public)
        service.stop()
    assert len(accesslog.load(tmp_path / "moved" / "access.log").entries) == 2


@pytest.mark.parametrize("name, reason", [
    ("no/such/folder.log", "No such file"), ("folder", "Is a directory"),
    ("file/access.log", "Not a directory"), ("x" * 300, "name too long")],
    ids=["no folder", "a folder", "below a file", "a name too long"])
def test_file_that_cannot_be_opened(tmp_path, name, reason):
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    check_refused_start(tmp_path / name, reason)


@pytest.mark.root
def test_file_that_may_not_be_opened(tmp_path):
    path = tmp_path / "access.log"
    path.touch(0o600)
    try:
        check_refused_start(path, "Permission denied", user=65534, group=65534, extra_groups=[])
    except PermissionError:
        pytest.skip("the program is out of reach for other users")
    assert path.read_bytes() == b""


def check_refused_start(path, reason, **more):
    """Exit 1 before anything listens, and an error that names the file and says why."""
    result = subprocess.run([binary(), "--listen", "127.0.0.1:0", "--access-log", str(path)],
                            capture_output=True, timeout=20, env=environment(QUIET), **more)
    assert (result.returncode, result.stdout) == (1, b"")
    messages = [json.loads(line) for line in result.stderr.splitlines()]
    assert "listening" not in {m["message"] for m in messages}
    assert any(m["level"] == "error" and str(path) in m["message"] and reason in m["message"]
               for m in messages), messages


# ---- destinations that fail ---------------------------------------------------------------------

def pipe(size=4096):
    """A small pipe: (read end, write end)."""
    reader, writer = os.pipe()
    fcntl.fcntl(writer, F_SETPIPE_SZ, size)
    return reader, writer


def test_stuck_pipe_slows_no_request():
    reader, writer = pipe()
    with Service("--access-log-queue", "16KiB", "--workers", "1", stdout=writer) as service:
        os.close(writer)
        start = time.monotonic()
        send(service, 2000)
        assert time.monotonic() - start < 10
        assert eventually(lambda: dropped(service))
        assert set(dropped(service)) == {"queue_full"}
        assert eventually(lambda: service.value("glassbox_access_log_stalled") == 1)
        lost = dropped(service)["queue_full"]
        thread = threading.Thread(target=service.log.read, args=(os.fdopen(reader, "rb"),))
        thread.start()
        assert eventually(lambda: service.log.remarks), "resumed, and said nothing"
        assert eventually(lambda: service.value("glassbox_access_log_stalled") == 0)
        send(service, 10)
        service.stop()
        thread.join(10)
    remark = " ".join(service.log.remarks)
    assert sum(int(n) for n in re.findall(r"\b\d+\b", remark)) >= lost, remark
    line = service.reconciliation
    assert line["log_written"] == len(service.log.entries)
    assert line["log_dropped"] >= lost


def test_stuck_pipe_does_not_hold_up_the_end():
    reader, writer = pipe()
    with Service("--flush-timeout", "300ms", stdout=writer) as service:
        os.close(writer)
        send(service, 500)
        start = time.monotonic()
        line = service.stop()
        assert time.monotonic() - start < 5
        assert line["log_dropped"] + line["log_waiting"] > 0
    os.close(reader)


def test_closed_reader():
    reader, writer = pipe()
    with Service(stdout=writer) as service:
        os.close(writer)
        os.close(reader)
        send(service, 300)
        assert eventually(lambda: dropped(service).get("write_error"))
        assert service.wait_message(lambda m: m["level"] in ("warn", "error"))
        assert len([m for m in service.messages if m["level"] in ("warn", "error")]) < 10
        line = service.stop()
    assert line["log_written"] == 0 and line["log_dropped"] > 0


def test_device_that_is_always_full():
    with Service("--flush-timeout", "300ms", log="/dev/full") as service:
        send(service, 300)
        assert eventually(lambda: service.value("glassbox_access_log_stalled") == 1)
        line = service.stop()
    assert line["log_written"] == 0


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", disk],
                          capture_output=True)
    if made.returncode != 0:
        pytest.skip("cannot mount a tmpfs")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


@pytest.mark.root
def test_full_disk_and_room_again(small_disk, tmp_path):
    path = small_disk / "access.log"
    filler = small_disk / "filler"
    with Service("--access-log-queue", "64KiB", "--workers", "1", log=path) as service:
        filler.write_bytes(b"x" * 32768)
        send(service, 2000)
        assert eventually(lambda: service.value("glassbox_access_log_stalled") == 1)
        assert eventually(lambda: dropped(service))
        filler.unlink()
        assert eventually(lambda: "#Remark" in path.read_text(), timeout=10)
        (tmp_path / "copy.log").write_bytes(path.read_bytes())
        path.rename(small_disk / "rotated")
        (small_disk / "rotated").unlink()
        service.signal(signal.SIGHUP)
        assert eventually(path.exists)
        send(service, 20)
        line = service.stop()
    accesslog.load(path)
    raw = (tmp_path / "copy.log").read_bytes()
    whole = raw[:raw.rindex(b"\n") + 1]
    (tmp_path / "whole.log").write_bytes(whole)
    log = accesslog.load(tmp_path / "whole.log")  # not one broken line
    assert log.remarks and log.entries
    assert line["log_dropped"] > 0
