"""What three readers that are not ours add up from the log: what the clients saw, to the byte.

lnav (its w3c_log), goaccess (field by field) and lars, a Python reader of the draft as IIS writes it.
Compared are requests by status, bytes in and out, and the time taken against the spans'. goaccess
knows no request without a status or a path, so everybody gets an answer here, and all have a path;
test_log_readers.py has those that do not.
"""

import json
import shutil
import subprocess
import warnings
from collections import Counter
from dataclasses import dataclass, field

import pytest
from lars.iis import IISSource

import accesslog
from collector import Collector, attributes
from service import Service, environment
from test_log_readers import DEFAULT
from wire import Connection, request

BODY = b"x" * 3000
AGENT = 'say "hi" to\tall'
IIS_FIELDS = ("date time s-ip cs-method cs-uri-stem cs-uri-query s-port c-ip cs(User-Agent) "
              "sc-status cs-bytes sc-bytes time-taken")
# Methods that all three readers know, answers of many statuses and sizes.
EXCHANGES = [
    ("GET", request("/")), ("GET", request("/demo/hello?x=a%20b")), ("HEAD", request("/", "HEAD")),
    ("GET", request("/demo/hello?delay=2")), ("POST", request("/demo/hello", "POST", body=BODY)),
    ("GET", request("/no/such")), ("GET", request("/demo/random-error")),
    ("OPTIONS", request("/demo/hello", "OPTIONS")), ("GET", request("/metrics")),
    ("GET", request("/version")), ("DELETE", request("/demo/hello", "DELETE")),
    ("GET", request("/demo/hello", headers=[("User-Agent", AGENT)])),
    ("GET", request("/demo/hello", headers=[("Transfer-Encoding", "x")])),
    ("GET", request(headers=[("X", "a" * 20_000)])), ("GET", request("/demo/hello", version="1.0")),
]
ROUNDS = 8


@dataclass
class Seen:
    """What the clients saw, and the collector."""
    statuses: Counter = field(default_factory=Counter)
    sent: int = 0       # bytes
    received: int = 0
    seconds: float = 0  # of all SERVER spans


def exchanges(path, *options, **more):
    """Every exchange, in rounds; what was seen of it."""
    seen = Seen()
    with Collector() as collector:
        with Service("--random-error-ratio", "0.5", "--random-error-seed", "7", *options, log=path,
                     env=collector.env(), **more) as service:
            for _ in range(ROUNDS):
                for method, raw in EXCHANGES:
                    with Connection(service.public) as connection:
                        response = connection.exchange(raw, method)
                    seen.statuses[response.status] += 1
                    seen.sent += len(raw)
                    seen.received += len(response.raw)
            service.stop()
        for one in collector.find(kind=2):
            assert attributes(one.span)["http.response.status_code"] in seen.statuses
            seen.seconds += (one.span.end_time_unix_nano - one.span.start_time_unix_nano) / 1e9
        assert len(collector.find(kind=2)) == ROUNDS * len(EXCHANGES)
    assert {200, 204, 400, 404, 405, 431, 500} <= set(seen.statuses)
    return seen


@pytest.mark.skipif(not shutil.which("lnav"), reason="needs lnav")
def test_lnav_adds_up_what_clients_saw(tmp_path):
    path = tmp_path / "access.log"
    seen = exchanges(path, fields=None)
    result = subprocess.run(
        ["lnav", "-n", "-c", ";SELECT sc_status, count(*) AS n, sum(cs_bytes) AS sent, sum(sc_bytes)"
         " AS received, sum(time_taken) AS taken FROM w3c_log GROUP BY sc_status",
         "-c", ":write-json-to -", path],
        capture_output=True, timeout=60, stdin=subprocess.DEVNULL, check=True,
        env={**environment(), "HOME": str(tmp_path), "TERM": "dumb"})
    rows = json.loads(result.stdout)
    assert {int(row["sc_status"]): row["n"] for row in rows} == seen.statuses
    assert sum(row["received"] for row in rows) == seen.received
    # Of a request that is refused early not every byte is read.
    assert seen.sent * 0.5 < sum(row["sent"] for row in rows) <= seen.sent
    assert sum(row["taken"] for row in rows) == pytest.approx(seen.seconds, abs=1e-6 * len(rows)
                                                              + 1e-6 * sum(seen.statuses.values()))


@pytest.mark.skipif(not shutil.which("goaccess"), reason="needs goaccess")
def test_goaccess_adds_up_what_clients_saw(tmp_path):
    path, report = tmp_path / "access.log", tmp_path / "report.json"
    seen = exchanges(path, fields=None)
    log_format = "\t".join(DEFAULT.get(name, "%^") for name in accesslog.load(path).fields)
    subprocess.run(["goaccess", path, "--no-global-config", f"--log-format={log_format}",
                    "--date-format=%Y-%m-%d", "--time-format=%H:%M:%S", "-o", report,
                    "--no-progress"], check=True, capture_output=True, timeout=60,
                   stdin=subprocess.DEVNULL,
                   env={**environment(), "HOME": str(tmp_path), "TERM": "dumb"})
    told = json.loads(report.read_text())
    assert told["general"]["failed_requests"] == 0
    assert told["general"]["valid_requests"] == sum(seen.statuses.values())
    assert told["general"]["bandwidth"] == seen.received
    statuses = Counter({int(item["data"][:3]): item["hits"]["count"]
                        for group in told["status_codes"]["data"] for item in group["items"]})
    assert statuses == seen.statuses


def test_lars_adds_up_what_clients_saw(tmp_path):
    path = tmp_path / "access.log"
    seen = exchanges(path, "--access-log-format", "iis", "--access-log-fields", IIS_FIELDS, iis=True)
    with warnings.catch_warnings(), open(path, encoding="ascii") as file, IISSource(file) as source:
        warnings.simplefilter("error")  # a line that it rejects is a warning of its own
        rows = list(source)
    assert Counter(row.sc_status for row in rows) == seen.statuses
    assert sum(row.sc_bytes for row in rows) == seen.received
    assert seen.sent * 0.5 < sum(row.cs_bytes for row in rows) <= seen.sent
    # In whole milliseconds, cut off.
    taken = sum(row.time_taken for row in rows) / 1000
    assert seen.seconds - 0.001 * len(rows) <= taken <= seen.seconds
    assert {row.cs_method for row in rows} == {"GET", "HEAD", "POST", "OPTIONS", "DELETE"}
    assert sum(row.cs_User_Agent == AGENT for row in rows) == ROUNDS
