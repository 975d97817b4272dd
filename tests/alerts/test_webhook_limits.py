"""What the webhook does with too much, too slow, too many, and a stdout that nobody reads.

Deadlines and counts are those of alerts/webhook/server.py; tests that would wait for them shorten
them, in a server of their own process.
"""

import contextlib
import errno
import json
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertmanager import eventually
from webhook import printer, server, store
from webhook.payload import parse
from webhook_process import TOKEN, Webhook, one, payload


@pytest.fixture
def listening(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, int]]:
    """The address of a server in a hurry, with room for four connections."""
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.5)
    monkeypatch.setattr(server, "IDLE_SECONDS", 0.5)
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 4)
    (tmp_path / "token").write_text(TOKEN)
    silent = printer.Printer(os.open(os.devnull, os.O_WRONLY))
    made = server.Server(("127.0.0.1", 0), server.Receiver(tmp_path / "token", 60, None, silent, silent))
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made.server_address[:2]
    made.shutdown()
    made.server_close()


def head(length: int | str, more: str = "") -> bytes:
    """The head of a POST."""
    return (f"POST /alerts HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {TOKEN}\r\n"
            f"Content-Length: {length}\r\n{more}\r\n").encode()


def rest(connection: socket.socket) -> bytes:
    """All that comes until the end."""
    with contextlib.suppress(ConnectionResetError):
        return b"".join(iter(lambda: connection.recv(65536), b""))
    return b""


@pytest.mark.parametrize("beginning", [
    b"", b"POST /al", b"POST /alerts HTTP/1.1\r\nHost: x\r\n", head(100), head(100) + b"{"])
def test_who_says_nothing_more_is_let_go(listening: tuple[str, int], beginning: bytes) -> None:
    """Wherever in a request it stops."""
    with socket.create_connection(listening, 20) as connection:
        connection.sendall(beginning)
        assert b"200" not in rest(connection)


def test_a_drop_at_a_time_gets_no_more_time(listening: tuple[str, int]) -> None:
    """The deadline is that of the request, not of the silence between two bytes."""
    with socket.create_connection(listening, 20) as connection:
        connection.sendall(head(100_000))
        connection.settimeout(0.1)
        for _ in range(200):
            try:
                connection.sendall(b" ")
                if connection.recv(100) == b"":
                    return
            except TimeoutError:
                continue
            except OSError:
                return
        raise AssertionError("it was still let write after 200 bytes at a tenth of a second each")


def test_one_connection_too_many(listening: tuple[str, int]) -> None:
    """It is told so at once; when others have gone there is room again."""
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            stack.enter_context(socket.create_connection(listening, 20))
        with socket.create_connection(listening, 20) as fifth:
            assert rest(fifth).startswith(b"HTTP/1.1 503 ")
    eventually(lambda: well(listening), "there is room again")


def test_who_does_not_read_its_answers(listening: tuple[str, int]) -> None:
    """Answers that nobody takes have a deadline, too; its place is free again."""
    with contextlib.ExitStack() as stack:
        for _ in range(4):
            connection = stack.enter_context(socket.create_connection(listening, 20))
            connection.settimeout(0.2)
            with contextlib.suppress(OSError):
                for _ in range(2000):
                    connection.sendall(b"GET /no-such-place HTTP/1.1\r\n\r\n" * 100)
        eventually(lambda: well(listening), "there is room again")


def well(address: tuple[str, int]) -> bool:
    """Whether one more is answered."""
    with socket.create_connection(address, 20) as connection:
        connection.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
        return b" 200 " in rest(connection)


@pytest.mark.parametrize("request_, status", [
    (head(3 << 20), b" 413 "), (head("9" * 13), b" 411 "), (head("-1"), b" 411 "), (head("1e3"), b" 411 "),
    (b"POST /alerts HTTP/1.1\r\nHost: x\r\n\r\n", b" 411 "),
    (b"POST /alerts HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", b" 411 "),
    (b"GET / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", b" 400 "),
    (b"GET /" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", b" 414 "),
    (b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 200 + b"\r\n", b" 431 "),
    (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", b" 400 "), (b"BREW / HTTP/1.1\r\n\r\n", b" 501 ")])
def test_what_is_no_request_of_ours(listening: tuple[str, int], request_: bytes, status: bytes) -> None:
    """An error, and the end of the connection: what follows could not be told apart."""
    with socket.create_connection(listening, 20) as connection:
        with contextlib.suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(request_)
        answer = rest(connection)
    assert status in answer and answer.count(b"HTTP/1.") == 1


def test_the_oldest_are_forgotten() -> None:
    """By count and by bytes; an answer has a limit, and says where to go on."""
    kept = store.Store(count_max=3, bytes_max=1 << 30)
    for number in range(5):
        assert kept.add(parse(json.dumps(payload(one(f"N{number}"))).encode())) == number + 1
    assert [each["seq"] for each in json.loads(kept.after(0))["notifications"]] == [3, 4, 5]
    assert kept.forgotten == 2

    big = json.dumps(payload(one(text="x" * 600_000))).encode()
    kept = store.Store(bytes_max=2_000_000)
    for _ in range(10):
        kept.add(parse(big))
    assert kept.forgotten == 7
    first = json.loads(kept.after(0))
    assert (first["last"], len(first["notifications"])) == (8, 1)
    assert [json.loads(kept.after(seq))["last"] for seq in (8, 9, 10)] == [9, 10, 10]


def test_too_many_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than there is room for is told; those who wait are not disturbed."""
    monkeypatch.setattr(store, "WAITERS_MAX", 1)
    kept, came = store.Store(), []
    waiter = threading.Thread(target=lambda: came.append(json.loads(kept.after(0, 60))["last"]))
    waiter.start()
    eventually(lambda: kept._waiters == 1, "one waits")
    with pytest.raises(store.Busy):
        kept.after(0, 60)
    kept.add(parse(json.dumps(payload()).encode()))
    waiter.join(20)
    assert came == [1]


def peak(process: subprocess.Popen) -> int:
    """The most memory it has had, in MiB."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


def test_memory_is_bounded(tmp_path: Path) -> None:
    """A hundred notifications of a MiB each, all valid: the store's 16 MiB, and what one takes to read."""
    big = payload(*[one(f"N{number}", text="x" * 100_000) for number in range(10)])
    with Webhook(tmp_path) as webhook:
        for number in range(100):
            assert webhook.post(big) == (200, {"seq": number + 1})
        health = webhook.ask("/healthz")[1]
        assert health["forgotten"] >= 80
        assert peak(webhook.process) < 128


def test_many_at_once(tmp_path: Path) -> None:
    """Each is numbered once, though they come together."""
    with Webhook(tmp_path) as webhook:
        numbers: list[int] = []
        posters = [threading.Thread(target=lambda: numbers.append(webhook.post(payload())[1]["seq"]))
                   for _ in range(40)]
        for poster in posters:
            poster.start()
        for poster in posters:
            poster.join(30)
        assert sorted(numbers) == list(range(1, 41))
        assert [each["seq"] for each in webhook.notifications()] == list(range(1, 41))


def test_a_reader_of_stdout_that_is_gone(tmp_path: Path) -> None:
    """SIGPIPE does not end it; what was not printed is counted, and is still to be had."""
    reading, writing = os.pipe()
    with Webhook(tmp_path, stdout=writing) as webhook:
        os.close(writing)
        webhook.post(payload())
        assert os.read(reading, 100_000).count("─".encode()) > 0
        os.close(reading)
        for _ in range(3):
            assert webhook.post(payload())[0] == 200
        eventually(lambda: webhook.ask("/healthz")[1]["unprinted"] == 3, "three were not printed")
        assert len(webhook.notifications()) == 4


def test_a_reader_of_stdout_that_sleeps(tmp_path: Path) -> None:
    """Nobody is held up; when it reads again it is told how many it has missed."""
    reading, writing = os.pipe()
    big = payload(*[one(f"N{number}") | {"annotations": {"summary": "x" * 600, "description": "y" * 600}}
                    for number in range(10)])
    with Webhook(tmp_path, stdout=writing) as webhook:
        os.close(writing)
        for _ in range(280):
            assert webhook.post(big)[0] == 200
        missed = webhook.ask("/healthz")[1]["unprinted"]
        assert 0 < missed < 100
        came = b""
        while b"were not printed" not in came:
            came += os.read(reading, 1 << 16)
        assert f"({missed} were not printed: nobody read them, or there was no space)".encode() in came
        drain = threading.Thread(target=lambda: [None for _ in iter(lambda: os.read(reading, 1 << 16), b"")])
        drain.start()
    drain.join(20)
    os.close(reading)


def test_a_disk_that_was_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """What could not be written is counted and told when there is space again; that is not the end of printing."""
    real, is_full = os.write, threading.Event()
    reading, writing = os.pipe()

    def write(descriptor: int, data: bytes) -> int:
        if descriptor == writing and is_full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return real(descriptor, data)
    monkeypatch.setattr(printer.os, "write", write)
    made = printer.Printer(writing)
    is_full.set()
    for text in ("first\n", "second\n"):
        made.put(text)
    eventually(lambda: made.unprinted == 2, "two were counted")
    is_full.clear()
    made.put("third\n")
    wanted = b"(2 were not printed: nobody read them, or there was no space)\nthird\n"
    with open(reading, "rb") as stdout:
        assert stdout.read(len(wanted)) == wanted
    os.close(writing)


@pytest.mark.parametrize("closed", ["0<&- 1>&-", "0<&-", "1>&-"])
def test_streams_that_are_closed(tmp_path: Path, closed: str) -> None:
    """No socket comes by the number of stdout, and no page goes to a client."""
    (tmp_path / "webhook-token").write_text(TOKEN)
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{os.path.realpath("/usr/bin/python3")}" "$@" {closed}\n')
    wrapper.chmod(0o755)
    error = tmp_path / "err"
    with open(error, "wb") as err:
        process = subprocess.Popen(
            [wrapper, "-m", "webhook", "--listen", "127.0.0.1:0", "--token-file",
             tmp_path / "webhook-token"], cwd=Path(server.__file__).parents[1], stderr=err)
    port = int(eventually(lambda: error.read_text().strip(), "it listens").rsplit(":", 1)[1])
    body = json.dumps(payload()).encode()
    with socket.create_connection(("127.0.0.1", port), 20) as connection:
        connection.sendall((head(len(body)) + body) * 3)
        connection.shutdown(socket.SHUT_WR)
        answer = rest(connection)
    assert answer.count(b" 200 OK") == 3 and "─".encode() not in answer
    process.terminate()
    assert process.wait(10) == 0
