"""What the fault API, the options and the token's file refuse: each bad input with its exact words, and
nothing that is in force changed by any."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any, Iterator

import pytest

import faults
from faults import Operator, plan
from service import Service, binary, environment
from wire import Connection, ask, request

HOUR = '"duration": "1h"'
GOOD = f'{{"route": "/", {HOUR}, "reset": {{"ratio": 0.5}}}}'
USERS = "names no route that users call: /, /demo/hello, /demo/random-error, /demo/work, or the start of " \
        "some with a * behind it"
KINDS = "error, latency, cpu, reset, truncate, not_ready, slow_start, memory, background_cpu"
INCIDENTS = "outage, saturation, slow-burn"
DURATION = "is not a duration with a unit, such as 500ms, 2s or 1m"
NO_FAULT = "the plan holds no fault: DELETE takes off what is there"
ALLOWED = "GET, HEAD, PUT, DELETE, OPTIONS"


def entry(text: str) -> str:
    """A plan of one entry: what is between its braces."""
    return f'{{"faults": [{{{text}}}]}}'


# (document, status, detail)
PLANS: list[tuple[str | bytes, int, str]] = [
    # not JSON
    (" ", 400, "line 1, column 1: not JSON: unexpected token near end of file"),
    ("{", 400, "line 1, column 1: not JSON: string or '}' expected near end of file"),
    ('{"faults": []} x', 400, "line 1, column 16: not JSON: end of file expected near 'x'"),
    (b"\xff{}", 400, "line 1, column 0: not JSON: unable to decode byte 0xff"),
    (" " * 65536, 400, "line 1, column 65536: not JSON: unexpected token near end of file"),
    # not a plan
    ("[]", 422, "the document: a list is not an object"),
    ("{}", 422, "the document: neither faults nor timeline: one of them is needed"),
    ('{"faults": [], "faults": []}', 422, "line 1, column 23: duplicate object key near '\"faults\"'"),
    ('{"faults": [], "timeline": []}', 422,
     "the document: both faults and timeline: one of them is allowed"),
    (f'{{"faults": [{GOOD}], "seeds": 1}}', 422,
     "the document: unknown key `seeds`; allowed: name, description, begin, seed, faults, timeline"),
    (f'{{"faults": [{GOOD}], "seed": -1}}', 422,
     "seed: -1 is not a whole number from 0 to 9007199254740992"),
    (f'{{"faults": [{GOOD}], "begin": "tomorrow"}}', 422,
     'begin: `tomorrow` is not a time with its zone, such as "2026-11-26T08:00:00Z"'),
    (f'{{"faults": [{GOOD}], "name": ""}}', 422, "name: `` is not a name: 1 to 63 of A-Z a-z 0-9 . _ -"),
    (f'{{"faults": [{GOOD}], "begin": "2020-01-01T00:00:00Z"}}', 422,
     "the plan is over: its last fault has ended"),
    (f'{{"faults": [{GOOD}], "begin": "{faults.at(169 * 3600)}"}}', 422, "begin: more than 168h ahead"),
    ('{"faults": []}', 422, NO_FAULT),
    (f'{{"faults": [], "begin": "{faults.at(3600)}"}}', 422, NO_FAULT),
    ('{"name": "a", "timeline": [{"at": "0s", "faults": []}]}', 422, NO_FAULT),
    (f'{{"faults": [{",".join([GOOD] * 65)}]}}', 422,
     "faults[64]: more than 64 faults, each kind of an entry counted"),
    (f'{{"timeline": [{{"at": "0s", "faults": [{GOOD}]}}]}}', 422,
     "name: missing: a timeline is an incident, which has one"),
    ('{"faults": [7]}', 422, "faults[0]: 7 is not an object"),
    # entries
    (entry(HOUR), 422, f"faults[0]: no fault; one or more of: {KINDS}"),
    (entry('"not_ready": true'), 422, "faults[0]: neither duration nor end: a fault must end"),
    (entry(f'{HOUR}, "end": "2100-01-01T00:00:00Z", "not_ready": true'), 422,
     "faults[0]: both duration and end: one of them is allowed"),
    (entry(f'{HOUR}, "route": "/", "not_ready": true'), 422,
     "faults[0].not_ready: takes no route: it is of the process as a whole"),
    (entry(f'{HOUR}, "reset": {{"ratio": 1}}'), 422,
     "faults[0].reset: needs a route: it is drawn for each request"),
    (entry(f'{HOUR}, "route": "/metrics", "reset": {{"ratio": 1}}'), 422,
     f"faults[0].route: `/metrics` {USERS}"),
    (entry(f'{HOUR}, "route": "/faults", "reset": {{"ratio": 1}}'), 422,
     f"faults[0].route: `/faults` {USERS}"),
    (entry(f'{HOUR}, "route": "/livez*", "reset": {{"ratio": 1}}'), 422,
     f"faults[0].route: `/livez*` {USERS}"),
    (entry(f'{HOUR}, "route": "/", "error": {{"ratio": 1.5, "status": 500}}'), 422,
     "faults[0].error.ratio: 1.5 is not a ratio: 0 to 1"),
    (entry(f'{HOUR}, "route": "/", "error": {{"ratio": 1, "status": 200}}'), 422,
     "faults[0].error.status: 200 is not a whole number from 400 to 599"),
    (entry(f'{HOUR}, "route": "/", "error": {{"ratio": 1, "body": "x"}}'), 422,
     "faults[0].error: unknown key `body`; allowed: ratio, status"),
    (entry(f'{HOUR}, "route": "/", "latency": {{"p50": "2s", "p90": "1s", "p99": "3s"}}'), 422,
     "faults[0].latency: p50, p90, p99 must not fall"),
    (entry(f'{HOUR}, "route": "/", "latency": {{"p50": "1s", "p90": "1s", "p99": "61s"}}'), 422,
     "faults[0].latency.p99: `61s` is out of range: 0s to 60s"),
    (entry('"duration": "8d", "route": "/", "reset": {"ratio": 1}'), 422,
     f"faults[0].duration: `8d` {DURATION}"),
    (entry('"duration": "169h", "route": "/", "reset": {"ratio": 1}'), 422,
     "faults[0].duration: `169h` is out of range: 1ms to 168h"),
    (entry(f'{HOUR}, "start": "-1s", "route": "/", "reset": {{"ratio": 1}}'), 422,
     f"faults[0].start: `-1s` {DURATION}"),
    (entry(f'{HOUR}, "memory": {{"bytes": "1"}}'), 422,
     "faults[0].memory.bytes: `1` is out of range: 1KiB to 1024GiB"),
    (entry(f'{HOUR}, "background_cpu": {{"cpus": 65}}'), 422,
     "faults[0].background_cpu.cpus: 65 is not a number of CPUs: above 0, up to 64"),
    (entry(f'{HOUR}, "slow_start": {{}}'), 422, "faults[0].slow_start.ready_after: missing"),
]

TOKEN_NEEDED = ("this needs the token of --fault-token-file: `Authorization: Bearer TOKEN`, once")
TOKEN_WRONG = "the token is not the one of --fault-token-file"
BEARER, INVALID = "Bearer", 'Bearer error="invalid_token"'

# (headers, challenge, detail)
STRANGERS: list[tuple[list[tuple[str, str]], str, str]] = [
    ([], BEARER, TOKEN_NEEDED),
    ([("Authorization", "")], BEARER, TOKEN_NEEDED),
    ([("Authorization", "Bearer")], BEARER, TOKEN_NEEDED),
    ([("Authorization", faults.TOKEN)], BEARER, TOKEN_NEEDED),
    ([("Authorization", f"Basic {faults.TOKEN}")], BEARER, TOKEN_NEEDED),
    ([("Authorization", f"Bearer {faults.TOKEN}")] * 2, BEARER, TOKEN_NEEDED),
    ([("X-Authorization", f"Bearer {faults.TOKEN}")], BEARER, TOKEN_NEEDED),
    ([("Authorization", f"Bearer {faults.TOKEN}x")], INVALID, TOKEN_WRONG),
    ([("Authorization", f"Bearer {faults.TOKEN[:-1]}")], INVALID, TOKEN_WRONG),
    ([("Authorization", f"Bearer {faults.TOKEN.upper()}")], INVALID, TOKEN_WRONG),
    ([("Authorization", f"Bearer {faults.TOKEN} {faults.TOKEN}")], INVALID, TOKEN_WRONG),
    ([("Authorization", "Bearer \xe9")], INVALID, TOKEN_WRONG),
]

# (method, target, status, detail)
CALLS = [
    ("POST", "/faults", 405, f"allowed here: {ALLOWED}"),
    ("PATCH", "/faults", 405, f"allowed here: {ALLOWED}"),
    ("GET", "/incidents/outage", 405, "allowed here: POST, OPTIONS"),
    ("PUT", "/incidents/outage", 405, "allowed here: POST, OPTIONS"),
    ("GET", "/faults/", 404, "there is nothing at this path"),
    ("POST", "/incidents/", 404, "there is nothing at this path"),
    ("POST", "/incidents/a/b", 404, "there is nothing at this path"),
    ("POST", "/incidents/Outage", 404, f"there is no incident `Outage`: {INCIDENTS}"),
    ("POST", "/incidents/%22", 404, f"there is no incident `%22`: {INCIDENTS}"),
    ("POST", f"/incidents/{'x' * 100}", 404, f"there is no incident `{'x' * 64}`: {INCIDENTS}"),
]

TYPES = ["text/plain", "application/jsonx", "application/x-www-form-urlencoded", ""]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """One with a file's plan, and an operator's over it."""
    folder = tmp_path_factory.mktemp("refused")
    faults.write(folder / "plan.json", plan({"not_ready": True}, name="below"))
    with Service("--faults", folder / "plan.json", "--fault-token-file",
                 faults.token_file(folder)) as service:
        Operator(service).put(plan({"route": "/", "error": {"ratio": 1, "status": 418}},
                                   begin=None, name="above"))
        yield service


@pytest.fixture
def unchanged(service: Service) -> Iterator[None]:
    """What is in force is the same after the test, to the letter, but for the time that is left."""
    def state() -> tuple[Any, ...]:
        status = Operator(service).status()
        for fault in status["faults"]:
            del fault["remaining_ms"]
        loads = service.samples("glassbox_fault_plan_loads_total")
        return status, faults.in_force(service), loads, ask(service.public, "/").status
    before = state()
    assert before[0]["plan"]["name"] == "above"
    yield
    assert state() == before


def detail(response: Any) -> str:
    assert response.header("content-type") == "application/problem+json"
    problem = json.loads(response.body)
    assert problem["status"] == response.status
    return problem["detail"]


def test_there_are_enough_cases():
    assert len(PLANS) + len(STRANGERS) + len(CALLS) + len(TYPES) + len(STARTS) >= 40


@pytest.mark.parametrize("document, status, reason", PLANS,
                         ids=[f"{status}-{i}" for i, (_, status, _) in enumerate(PLANS)])
def test_plan(service, unchanged, document, status, reason):
    raw = document if isinstance(document, bytes) else document.encode()
    response = Operator(service).call("PUT", document=raw)
    assert (response.status, detail(response)) == (status, reason)


def test_no_plan_at_all(service, unchanged):
    response = Operator(service).call("PUT")
    assert (response.status, detail(response)) == (400, "not JSON: the document is empty")


@pytest.mark.parametrize("kind", TYPES)
def test_content_type(service, unchanged, kind):
    response = Operator(service).call("PUT", document=plan({"not_ready": True}),
                                      headers=[("Content-Type", kind)])
    assert (response.status, detail(response)) == (415, "a plan is application/json")


@pytest.mark.parametrize("coding", ["gzip", "identity", "br"])
def test_content_encoding(service, unchanged, coding):
    response = Operator(service).call("PUT", document=plan({"not_ready": True}),
                                      headers=[("Content-Type", "application/json"),
                                               ("Content-Encoding", coding)])
    assert (response.status, detail(response)) == (
        415, "Content-Encoding: a plan is taken without any")


@pytest.mark.parametrize("document", [{}, {"begin": "2026-11-26T08:00:00Z"}])
def test_an_incident_takes_no_content(service, unchanged, document):
    response = Operator(service).call("POST", "/incidents/outage", document=document)
    assert (response.status, detail(response)) == (
        400, "an incident is played as it is: no content is taken")


@pytest.mark.parametrize("chunked", [False, True])
def test_too_large(service, unchanged, chunked):
    """Refused by the engine at the first byte too many, or at once where the length is declared."""
    head = [("Authorization", f"Bearer {faults.TOKEN}"),
            ("Transfer-Encoding", "chunked") if chunked else ("Content-Length", "65537")]
    with Connection(service.operators) as connection:
        connection.send(request("/faults", "PUT", headers=head))
        if chunked:
            connection.send(b"%x\r\n" % 65537 + b" " * 65537 + b"\r\n0\r\n\r\n")
        response = connection.response()
    assert (response.status, detail(response)) == (413, "the request body is over the limit")
    assert response.header("cache-control") == "no-store"


def test_a_body_that_is_no_body(service, unchanged):
    """Refused after its head, as a document all the same; as text to who asks for that."""
    head = [("Authorization", f"Bearer {faults.TOKEN}"), ("Transfer-Encoding", "chunked")]
    for more, kind in (([], "application/problem+json"),
                       ([("Accept", "text/plain")], "text/plain; charset=utf-8")):
        with Connection(service.operators) as connection:
            connection.send(request("/faults", "PUT", headers=head + more) + b"nonsense\r\n")
            response = connection.response()
        assert (response.status, response.header("content-type")) == (400, kind)


@pytest.mark.parametrize("headers, challenge, reason", STRANGERS)
@pytest.mark.parametrize("method, target", [("GET", "/faults"), ("PUT", "/faults"),
                                            ("DELETE", "/faults"), ("POST", "/incidents/outage")])
def test_stranger(service, unchanged, method, target, headers, challenge, reason):
    body = b"{}" if method == "PUT" else b""
    response = ask(service.operators, target, method, headers=headers, body=body)
    assert (response.status, detail(response)) == (401, reason)
    assert response.header("www-authenticate") == challenge
    assert response.header("cache-control") == "no-store"


@pytest.mark.parametrize("method, target, status, reason", CALLS)
def test_call(service, unchanged, method, target, status, reason):
    response = Operator(service).call(method, target)
    assert (response.status, detail(response)) == (status, reason)


def test_the_api_is_off_without_a_token_file():
    off = "the fault API is off: --fault-token-file turns it on"
    with Service() as service:
        for method, target in (("GET", "/faults"), ("PUT", "/faults"), ("DELETE", "/faults"),
                               ("POST", "/incidents/outage")):
            response = ask(service.operators, target, method)
            assert (response.status, detail(response)) == (404, off)
        assert ask(service.operators, "/faults", "HEAD").status == 404


def test_the_operators_listener_has_it_alone(tmp_path):
    with Service("--fault-token-file", faults.token_file(tmp_path), admin=True) as service:
        headers = [("Authorization", f"Bearer {faults.TOKEN}")]
        assert ask(service.public, "/faults", headers=headers).status == 404
        assert ask(service.public, "/incidents/outage", "POST", headers=headers).status == 404
        assert Operator(service).status()["source"] == "none"


# ---- at start -----------------------------------------------------------------------------------

NO_FILE = "it cannot be read: No such file or directory"
NO_TIMELINE = "it has no timeline, as an incident must: a plan of faults is for --faults"
TOKEN_SIZE = "a token has 16 to 4096 bytes"
TOKEN_CHARACTERS = "it holds more than one token of letters, digits and -._~+/, with = at its end"

# (option, what is in the file; None: there is none, reason)
STARTS = [
    ("faults", None, NO_FILE),
    ("faults", "", "not JSON: the document is empty"),
    ("faults", entry(f'{HOUR}, "not_ready": true'), "begin: missing: a plan in a file says when it begins, "
                                                    'such as "2026-11-26T08:00:00Z"'),
    ("faults", '{"begin": "2026-11-26T08:00:00Z", "faults": 1}', "faults: 1 is not a list of faults"),
    ("faults", " " * 65537, "it is too large: a plan has at most 65536 bytes"),
    ("incident", None, NO_FILE),
    ("incident", "{", "line 1, column 1: not JSON: string or '}' expected near end of file"),
    ("incident", entry(f'{HOUR}, "not_ready": true'), NO_TIMELINE),
    ("incident", f'{{"name": "a", "faults": [{GOOD}]}}', NO_TIMELINE),
    ("incident", '{"name": "a", "timeline": [{"at": "0s", "faults": []}]}', NO_FAULT),
    ("incident", " " * 65537, "it is too large: a plan has at most 65536 bytes"),
    ("fault-token-file", None, NO_FILE),
    ("fault-token-file", "", TOKEN_SIZE),
    ("fault-token-file", "0123456789abcde\n", TOKEN_SIZE),
    ("fault-token-file", "a" * 4097, TOKEN_SIZE),
    ("fault-token-file", f"{faults.TOKEN}\n{faults.TOKEN}\n", TOKEN_CHARACTERS),
    ("fault-token-file", "sixteen and more ", TOKEN_CHARACTERS),
]


def start(arguments: list[str], env: dict[str, str]) -> list[str]:
    """Messages of a start that fails with status 2, before anything is served."""
    result = subprocess.run([binary(), "--listen", "127.0.0.1:0", *arguments], capture_output=True,
                            env=environment(env), timeout=20, check=False)
    lines = [json.loads(line) for line in result.stderr.splitlines()]
    assert (result.returncode, result.stdout) == (2, b""), lines
    assert all(line["level"] == "error" and line["component"] == "options" for line in lines), lines
    return [line["message"] for line in lines]


@pytest.mark.parametrize("option, text, reason", STARTS,
                         ids=[f"{option}-{i}" for i, (option, _, _) in enumerate(STARTS)])
@pytest.mark.parametrize("by", ["flag", "variable"])
def test_start(tmp_path, option, text, reason, by):
    path = tmp_path / "file"
    if text is not None:
        path.write_text(text)
    name = f"GLASSBOX_{option.upper().replace('-', '_')}" if by == "variable" else f"--{option}"
    arguments, env = ([], {name: str(path)}) if by == "variable" else ([name, str(path)], {})
    assert start(arguments, env) == [f"{name} `{path}`: {reason}"]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path):
    messages = start([f"--{option}={tmp_path}" for option in ("faults", "incident",
                                                               "fault-token-file")], {})
    assert messages == [f"--{option} `{tmp_path}`: it cannot be read: it is not a regular file"
                        for option in ("faults", "incident", "fault-token-file")]


def test_a_fifo_is_not_waited_for(tmp_path: Path):
    os.mkfifo(tmp_path / "fifo")
    assert start(["--faults", str(tmp_path / "fifo")], {}) == [
        f"--faults `{tmp_path}/fifo`: it cannot be read: it is not a regular file"]
