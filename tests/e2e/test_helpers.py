"""What the tests count with, counted: logs that break off, files that are rotated. No cluster is needed for that."""

import io
import json
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest

import collected
from cluster import Door
from collected import Spans
from follow import Logs
from images import values
from wire import eventually

# ---- the Collector's file -----------------------------------------------------------------------


class Shell:
    """kubectl, whose exec is a shell here."""

    def kubectl(self, *words: str) -> str:
        return subprocess.run(["sh", "-c", words[-1]], capture_output=True, text=True, check=True).stdout


def request(*ids: str, kind: int = 2) -> bytes:
    """A line as the exporter writes it."""
    spans = [{"traceId": one * 32, "spanId": one * 16, "name": "GET /", "kind": kind, "startTimeUnixNano": "1",
              "endTimeUnixNano": "2", "attributes": [
                  {"key": "http.response.status_code", "value": {"intValue": "200"}}]}
             for one in ids]
    about = [{"key": "k8s.pod.name", "value": {"stringValue": "pod-é"}}]
    document = {"resourceSpans": [{"resource": {"attributes": about}, "scopeSpans": [{"spans": spans}]}]}
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """traces.json, with what was there before the test."""
    made = tmp_path / "traces.json"
    made.write_bytes(request("0"))
    return made


def watched(file: Path) -> Spans:
    return Spans(Shell(), "monitoring", folder=str(file.parent))


def append(file: Path, data: bytes) -> None:
    with open(file, "ab") as end:
        end.write(data)


def found(spans: Spans) -> str:
    return "".join(sorted(span.trace_id[0] for span in spans.look().servers()))


def test_spans_from_now_on(file: Path):
    spans = watched(file)
    assert found(spans) == ""
    append(file, request("1", "2") + request("3", kind=1))
    assert found(spans) == "12" and spans.servers()[0].pod == "pod-é"
    assert spans.servers({"http.response.status_code": 200}) and not spans.servers({"http.response.status_code": 500})


def test_a_line_that_is_being_written_is_read_when_it_is_whole(file: Path):
    """Cut within a character of two bytes."""
    spans = watched(file)
    whole = request("1")
    cut = whole.index("é".encode()) + 1
    append(file, whole[:cut])
    assert found(spans) == ""
    append(file, whole[cut:] + request("2"))
    assert found(spans) == "12"


def test_a_file_that_is_rotated_is_read_to_its_end(file: Path):
    spans = watched(file)
    append(file, request("1"))
    assert found(spans) == "1"
    append(file, request("2"))
    file.rename(file.with_name("traces-2026-11-26T12-00-00.000.json"))
    file.write_bytes(request("3"))
    assert found(spans) == "123"


def test_a_retry_is_counted_once_and_apart(file: Path):
    spans = watched(file)
    append(file, request("1") + request("1", "2"))
    assert found(spans) == "12" and spans.again == 1


# ---- logs ---------------------------------------------------------------------------------------

class Kubelet:
    """A cluster with one pod, whose container has runs; a log is cut off after `cut` lines, once."""

    def __init__(self, cut: int = 0) -> None:
        self.runs: list[list[str]] = [[]]
        self.is_over = False          # the last run has ended
        self.is_there = True          # the pod is
        self.cut = cut
        self.opened = 0
        self.more = threading.Condition()

    def write(self, *lines: str) -> None:
        with self.more:
            self.runs[-1] += lines
            self.more.notify_all()

    def end(self, restart: bool) -> None:
        with self.more:
            if restart:
                self.runs.append([])
            self.is_over = not restart
            self.more.notify_all()

    def items(self, *_: Any) -> list[dict[str, Any]]:
        state = {"terminated": {}} if self.is_over else {"running": {}}
        return [{"metadata": {"name": "pod", "uid": "u"}, "status": {"containerStatuses": [
            {"name": "glassbox", "restartCount": len(self.runs) - 1, "state": state}]}}] if self.is_there else []

    def open(self, path: str, timeout: Any) -> Any:
        assert timeout is None
        self.opened += 1
        number = len(self.runs) - (2 if "previous=true" in path else 1)
        return _Stream(self._lines(number, "follow=true" in path))

    def _lines(self, number: int, follows: bool) -> Any:
        position = 0
        while True:
            with self.more:
                while follows and position >= len(self.runs[number]) and number == len(self.runs) - 1 \
                        and not self.is_over:
                    self.more.wait(0.05)
                if position >= len(self.runs[number]):
                    return
                text = self.runs[number][position]
            position += 1
            if self.cut and position > self.cut:
                self.cut = 0
                raise ConnectionResetError
            yield f"2026-11-26T12:00:00Z {text}\n".encode()


class _Stream(io.RawIOBase):
    """What a response is: iterated, and closed at the end of a `with`."""

    def __init__(self, lines: Any) -> None:
        self.lines = lines

    def __iter__(self) -> Any:
        return self.lines


def lines(logs: Logs) -> dict[str, list[str]]:
    return {one.name: one.text for one in logs.containers.values()}


def test_lines_come_as_they_are_written_and_the_end_is_known():
    kubelet = Kubelet()
    kubelet.write("a")
    with Logs(kubelet, "n", "s", "glassbox") as logs:
        assert eventually(lambda: lines(logs) == {"pod#0": ["a"]}, 10)
        kubelet.write("b", "c")
        kubelet.end(restart=False)
        kubelet.is_there = False
        assert [one.text for one in logs.wait_ended("pod", 10)] == [["a", "b", "c"]] and logs.troubles() == []


def test_a_log_that_breaks_off_is_read_on():
    kubelet = Kubelet(cut=2)
    kubelet.write("a", "b", "c")
    with Logs(kubelet, "n", "s", "glassbox") as logs:
        assert eventually(lambda: lines(logs) == {"pod#0": ["a", "b", "c"]}, 10)
        assert kubelet.opened == 2
        assert eventually(lambda: logs.troubles() == [], 10)


def test_a_container_that_starts_again_has_a_log_of_its_own():
    kubelet = Kubelet()
    kubelet.write("a")
    with Logs(kubelet, "n", "s", "glassbox") as logs:
        assert eventually(lambda: lines(logs) == {"pod#0": ["a"]}, 10)
        kubelet.write("b")
        kubelet.end(restart=True)
        kubelet.write("c")
        assert eventually(lambda: lines(logs) == {"pod#0": ["a", "b"], "pod#1": ["c"]}, 10), lines(logs)


def test_a_run_that_nobody_saw_is_read_as_the_previous_one():
    kubelet = Kubelet()
    kubelet.write("a")
    kubelet.end(restart=True)
    kubelet.write("b")
    with Logs(kubelet, "n", "s", "glassbox") as logs:
        assert eventually(lambda: lines(logs) == {"pod#0": ["a"], "pod#1": ["b"]}, 10), lines(logs)


# ---- the rest -----------------------------------------------------------------------------------

def test_the_door_carries_both_ways_to_the_end(tmp_path: Path):
    import socket
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "api"))
        server.listen()

        def echo() -> None:
            peer, _ = server.accept()
            with peer:
                while data := peer.recv(1000):
                    peer.sendall(data)
        threading.Thread(target=echo, daemon=True).start()
        door = Door(tmp_path / "api")
        with socket.create_connection(("127.0.0.1", door.port), timeout=10) as client:
            client.sendall(b"x" * 200_000)
            client.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: client.recv(65536), b""))
        door.close()
    assert received == b"x" * 200_000


@pytest.mark.parametrize("reference, image", [
    ("registry:5000/a/b", {"repository": "registry:5000/a/b", "tag": "", "digest": ""}),
    ("registry:5000/a/b:1.2", {"repository": "registry:5000/a/b", "tag": "1.2", "digest": ""}),
    ("a/b:1@sha256:0f", {"repository": "a/b", "tag": "1", "digest": "sha256:0f"}),
    ("a/b@sha256:0f", {"repository": "a/b", "tag": "", "digest": "sha256:0f"})])
def test_images_for_somebodys_cluster(reference: str, image: dict[str, str]):
    assert values({"E2E_IMAGE": reference, "E2E_TOOLS_IMAGE": "t:1"}) == {"image": image, "tests": {"image": "t:1"}}
    assert values({}) == {}
