"""The plan's file: read again however it is replaced, kept when it is spoilt, the same for every process of a
group, over every restart; an incident and the API over it."""

import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

import faults
from faults import ConfigMap, Operator, at, in_force, plan
from service import ROOT, Service
from wire import ask, eventually

ERROR = {"ratio": 1, "status": 503}
REFUSED = "the fault plan file is refused: the plan in force stays"


def refusing(route: str = "/demo/hello", **more: Any) -> dict[str, Any]:
    """A plan by which every request to a route is answered with 503."""
    return plan({"route": route, "error": ERROR}, **more)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "plan.json"


def started(path: Path, *more: Any, **options: Any) -> Service:
    """A service with that plan, and an API to ask what it makes of it."""
    return Service("--faults", path, "--fault-token-file", faults.token_file(path.parent), *more,
                   **options)


def becomes(service: Service, target: str, status: int) -> bool:
    """Whether the route comes to answer so: the file is looked at four times a second."""
    return eventually(lambda: ask(service.public, target).status == status)


def loads(service: Service) -> tuple[float, float, float]:
    """Times loaded, times refused, whether the last one was fine."""
    name = "glassbox_fault_plan_loads_total"
    return (service.value(name, result="ok"), service.value(name, result="refused"),
            service.value("glassbox_fault_plan_last_load_successful"))


# ---- replaced -----------------------------------------------------------------------------------

def test_a_file_that_is_renamed_into_place(path):
    faults.write(path, refusing())
    with started(path) as service:
        assert ask(service.public).status == 503
        faults.write(path, refusing("/"))
        assert becomes(service, "/", 503)
        assert ask(service.public).status == 200
        assert loads(service) == (2, 0, 1)
        assert Operator(service).status()["file"]["error"] is None


def test_a_file_that_is_written_in_place_piece_by_piece(path):
    """Half a plan is nobody's; the whole one is taken. (That what is caught half-written is not even
    refused is shown without a clock in tests/unit/faults/test_watch.c.)"""
    faults.write(path, refusing())
    text = json.dumps(refusing("/"))
    with started(path) as service:
        with path.open("w") as file:
            for piece in range(0, len(text), 40):
                file.write(text[piece:piece + 40])
                file.flush()
                time.sleep(0.06)
        assert becomes(service, "/", 503)
        assert ask(service.public).status == 200
        assert (loads(service)[0], loads(service)[2]) == (2, 1)


def test_a_mounted_config_map(tmp_path):
    folder = ConfigMap(tmp_path / "mounted", refusing())
    with Service("--faults", folder.path) as service:
        assert ask(service.public).status == 503
        folder.swap(refusing("/"))
        assert becomes(service, "/", 503)
        folder.swap(plan({"not_ready": True}))
        assert becomes(service, "/readyz", 503)
        assert ask(service.public, "/").status == ask(service.public).status == 200
        assert loads(service) == (3, 0, 1)


def test_the_same_content_again_is_no_new_plan(path):
    """Who is half through an outage must not start anew because somebody touched the file."""
    document = plan({"route": "/", "error": {"ratio": 0.5, "status": 503}}, seed=4)
    faults.write(path, document)
    with started(path) as service, faults.Client(service.public) as client:
        outcomes = list(client.outcomes("/", 10))
        faults.write(path, document)
        time.sleep(0.6)  # it is looked at twice meanwhile
        outcomes += client.outcomes("/", 10)
        assert loads(service) == (1, 0, 1)
    drawn = [faults.predict(4, "/", n, error=0.5).answer for n in range(20)]
    assert outcomes == [503 if answer else 200 for answer in drawn]


# ---- spoilt -------------------------------------------------------------------------------------

@pytest.mark.parametrize("text, reason", [
    ("{", "line 1, column 1: not JSON: string or '}' expected near end of file"),
    ("", "not JSON: the document is empty"),
    ('{"begin": "2026-11-26T08:00:00Z", "faults": [], "fault": 1}',
     "the document: unknown key `fault`; allowed: name, description, begin, seed, faults, timeline"),
    ('{"faults": [{"duration": "1h", "not_ready": true}]}',
     'begin: missing: a plan in a file says when it begins, such as "2026-11-26T08:00:00Z"'),
    (" " * 70000, "it is too large: a plan has at most 65536 bytes"),
    (None, "it cannot be read: No such file or directory"),
])
def test_what_is_no_plan_keeps_the_one_in_force(path, text, reason):
    """Told once, in diagnostics, metrics and API; forgotten when the plan is back, which counts on."""
    document = plan({"route": "/demo/hello", "error": {"ratio": 0.5, "status": 503}}, seed=9)
    faults.write(path, document)
    with started(path) as service, faults.Client(service.public) as client:
        outcomes = list(client.outcomes("/demo/hello", 8))
        if text is None:
            path.unlink()
        else:
            faults.write(path, text)
        told = service.wait_message(lambda message: message["message"] == REFUSED)
        assert (told["reason"], told["path"], told["level"]) == (reason, str(path), "warn")
        assert loads(service) == (1, 1, 0)
        status = Operator(service).status()
        assert (status["source"], status["file"]["error"]) == ("file", reason)
        assert in_force(service)["error", "/demo/hello"] == 1
        outcomes += client.outcomes("/demo/hello", 8)
        faults.write(path, document)
        assert eventually(lambda: loads(service) == (2, 1, 1))
        assert Operator(service).status()["file"]["error"] is None
        outcomes += client.outcomes("/demo/hello", 8)
        assert sum(message["message"] == REFUSED for message in service.messages) == 1
    drawn = [faults.predict(9, "/demo/hello", n, error=0.5).answer for n in range(24)]
    assert outcomes == [503 if answer else 200 for answer in drawn]


# ---- a group ------------------------------------------------------------------------------------

def remaining(service: Service) -> tuple[str, str, int]:
    """Whose plan, its end, and what is left of its one fault."""
    status = Operator(service).status()
    fault, = status["faults"]
    assert fault["state"] == "in_force"
    assert ask(service.public).status == 503
    return status["source"], status["plan"]["end"], fault["remaining_ms"]


def test_every_process_of_a_group_is_replaced(path):
    """One by one, then all: each new one finds the plan in force, with the same end."""
    faults.write(path, refusing(begin=-600))
    with ExitStack() as stack:
        group = [stack.enter_context(started(path)) for _ in range(3)]
        source, end, left = remaining(group[0])
        assert source == "file" and 0 < left <= 3_000_000
        for i in range(3):
            group[i].stop()
            group[i] = stack.enter_context(started(path))
            for service in group:
                assert remaining(service)[:2] == ("file", end)
            now = remaining(group[i])[2]
            assert 0 < now < left, "the time that is left goes on"
            left = now
        for service in group:
            service.stop()
        group = [stack.enter_context(started(path)) for _ in range(3)]
        for service in group:
            assert remaining(service)[:2] == ("file", end)
        assert remaining(group[0])[2] < left


def test_a_plan_that_was_over_before_the_start_does_nothing(path):
    faults.write(path, refusing(begin=-7200))
    with started(path) as service:
        assert ask(service.public).status == 200
        status = Operator(service).status()
        assert [fault["state"] for fault in status["faults"]] == ["over"]
        assert service.value("glassbox_fault_plan_end_timestamp_seconds") == 0
        assert set(in_force(service).values()) == {0}


def test_a_fault_begins_and_ends_by_itself(path):
    """By the wall clock: an absolute end, an offset from the begin. What is in force is told each time
    that it changes."""
    faults.write(path, {"begin": at(0), "faults": [
        {"route": "/", "end": at(2.4), "error": ERROR},
        {"route": "/demo/hello", "start": "800ms", "duration": "800ms", "latency": {
            "p50": "1ms", "p90": "1ms", "p99": "1ms"}}]})
    with started(path) as service:
        over = "no fault is in force any more"
        assert service.wait_message(lambda message: message["message"] == over)
        told = [message["kinds"] for message in service.messages
                if message["message"] in (over, "faults are in force")]
        assert told == ["error", "error,latency", "error", ""]
        assert ask(service.public, "/").status == 200
        assert [fault["state"] for fault in Operator(service).status()["faults"]] == ["over"] * 2


# ---- what is laid over it -----------------------------------------------------------------------

def test_the_api_changes_one_process_only(path):
    faults.write(path, refusing())
    with started(path) as sick, started(path) as other:
        put = Operator(sick).put(plan({"route": "/", "error": ERROR}, begin=None, name="sick"))
        assert (put["source"], put["plan"]["name"]) == ("api", "sick")
        assert (ask(sick.public, "/").status, ask(sick.public).status) == (503, 200)
        assert (ask(other.public, "/").status, ask(other.public).status) == (200, 503)
        assert Operator(sick).clear()["source"] == "file"
        assert (ask(sick.public, "/").status, ask(sick.public).status) == (200, 503)
        assert Operator(sick).clear()["source"] == "file"  # nothing to take off is fine


def test_an_override_ends_and_the_files_plan_is_in_force_again(path):
    faults.write(path, refusing())
    with started(path) as service:
        operator = Operator(service)
        operator.put(plan({"route": "/", "error": ERROR, "duration": "1500ms"}, begin=None))
        assert (ask(service.public, "/").status, ask(service.public).status) == (503, 200)
        faults.write(path, refusing("/demo/work"))  # read, and in force when its turn comes
        assert becomes(service, "/demo/work", 503)
        assert (ask(service.public, "/").status, ask(service.public).status) == (200, 200)
        assert operator.status()["source"] == "file"


def test_incidents_of_the_program(tmp_path):
    with Service("--fault-token-file", faults.token_file(tmp_path)) as service:
        operator = Operator(service)
        for name in ("slow-burn", "outage", "saturation"):
            played = operator.play(name)
            assert (played["source"], played["plan"]["name"]) == ("incident", name)
            assert any(fault["state"] == "in_force" for fault in played["faults"])
            assert service.value("glassbox_fault_plan_end_timestamp_seconds") > time.time()
        assert operator.clear()["source"] == "none"
        assert set(in_force(service).values()) == {0}


def test_an_incident_from_the_start(path):
    """It is over the file's plan; taken off, the file's is in force."""
    faults.write(path, refusing())
    shipped = ROOT / "src/faults/incidents/outage.json"
    with started(path, "--incident", shipped) as service:
        status = Operator(service).status()
        assert (status["source"], status["plan"]["name"]) == ("incident", "outage")
        assert Operator(service).clear()["source"] == "file"
        assert ask(service.public).status == 503


def test_an_incident_that_is_over_is_no_reason_not_to_start(path):
    """It has a begin of its own: a process that is replaced must not play it once more."""
    faults.write(path, {"name": "past", "begin": at(-7200), "timeline": [
        {"at": "0s", "note": "it was", "faults": [{"duration": "1h", "not_ready": True}]}]})
    with Service("--incident", path, "--fault-token-file", faults.token_file(path.parent)
                 ) as service:
        assert ask(service.operators, "/readyz").status == 200
        assert Operator(service).status()["source"] == "none"
        said = [line["message"] for line in service.messages if line.get("component") == "faults"]
        assert said == ["the incident is over: nothing of it is in force"]


# ---- the token ----------------------------------------------------------------------------------

def test_the_token_is_replaced(tmp_path):
    token = faults.token_file(tmp_path)
    with Service("--fault-token-file", token) as service:
        before, after = Operator(service), Operator(service, "another-token-0123456789")
        assert (before.call("GET").status, after.call("GET").status) == (200, 401)
        faults.token_file(tmp_path, "another-token-0123456789")
        assert (before.call("GET").status, after.call("GET").status) == (401, 200)
        for spoil, reason in ((lambda: token.write_text("short"), "a token has 16 to 4096 bytes"),
                              (token.unlink, "it cannot be read: No such file or directory")):
            spoil()
            response = after.call("DELETE")
            assert response.status == 503
            assert json.loads(response.body)["detail"] == \
                f"the token in --fault-token-file cannot be used: {reason}"
            assert any(line.get("component") == "fault-api" and line.get("reason") == reason
                       for line in service.messages), "apart from the plan's news"
        faults.token_file(tmp_path)
        assert before.status()["source"] == "none"


def test_the_answer_to_head_is_that_to_get(tmp_path):
    with Service("--fault-token-file", faults.token_file(tmp_path)) as service:
        plain, head = Operator(service).call("GET"), Operator(service).call("HEAD")
        assert (head.status, head.body) == (200, b"")
        assert head.header("content-length") == str(len(plain.body))
        assert json.loads(plain.body) == {"source": "none", "plan": None, "faults": [], "file": None}
