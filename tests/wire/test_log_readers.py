"""lnav and goaccess, as Debian ships them, read our log with no line rejected."""

import json
import shutil
import subprocess

import pytest

import accesslog
from service import Service, environment
from wire import Connection, ask, request

AGENTS = ["Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0",
          "curl/8.5.0", "say \"hi\" to\tall", "caf\xe9", "", None]


def traffic(service, rude):
    """Good and bad requests with all kinds of values, and at will some without a method that
    anybody knows, or without a status; how many."""
    targets = ["/", "/demo/hello", "/demo/hello?delay=1", "/no/such?a=b%20c",
               "/demo/random-error", "/version", "/demo/hello#x"]
    count = 0
    for agent in AGENTS:
        for target in targets:
            headers = [("User-Agent", agent)] if agent is not None else []
            ask(service.public, target, headers=headers + [("Referer", "http://a.example/x?y=z")])
            count += 1
    return count + (rudeness(service) if rude else 0)


def rudeness(service):
    count = 0
    for raw in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01 what\r\n\r\n",
                b"BREW / HTTP/1.1\r\n\r\n"):
        with Connection(service.public) as connection:
            connection.send(raw)
            connection.response()
            count += 1
    with Connection(service.public) as connection:  # gone before the response: no status
        connection.send(request("/demo/hello?delay=2000"))
        connection.reset()
    return count + 1


def written(path, *arguments, rude=True, **more):
    with Service("--max-delay", "3s", *arguments, log=path, fields=None, **more) as service:
        count = traffic(service, rude)
    return count


def goaccess(path, tmp_path, *format_options):
    """goaccess's general figures. It takes neither a method that it does not know nor a request
    without a status, in any format; of the rest it must reject nothing."""
    report = tmp_path / "report.json"
    subprocess.run(["goaccess", path, "--no-global-config", *format_options, "-o", report,
                    "--no-progress"], check=True, capture_output=True, timeout=60,
                   env={**environment(), "HOME": str(tmp_path), "TERM": "dumb"},
                   stdin=subprocess.DEVNULL)
    return json.loads(report.read_text())["general"]


@pytest.mark.skipif(not shutil.which("goaccess"), reason="needs goaccess")
def test_goaccess_reads_the_iis_dialect_by_its_preset(tmp_path):
    path = tmp_path / "access.log"
    count = written(path, "--access-log-format", "iis", rude=False, iis=True)
    general = goaccess(path, tmp_path, "--log-format=W3C")
    assert general["failed_requests"] == 0, general
    assert general["valid_requests"] == count


# Field by field, tab-separated, for the default list. `%t.%^`: the fraction of the second is left
# out. Headers keep their quotes: goaccess knows no value that is quoted only when it is there.
DEFAULT = {"date": "%d", "time": "%t.%^", "time-taken": "%T", "c-ip": "%h", "cs-method": "%m",
           "cs-uri-stem": "%U", "cs-uri-query": "%q", "cs-version": "%H", "cs-host": "%v",
           "sc-status": "%s", "sc-bytes": "%b", "cs(User-Agent)": "%u", "cs(Referer)": "%R"}


@pytest.mark.skipif(not shutil.which("goaccess"), reason="needs goaccess")
def test_goaccess_reads_the_default_fields(tmp_path):
    path = tmp_path / "access.log"
    count = written(path, rude=False)
    fields = accesslog.load(path).fields
    log_format = "\t".join(DEFAULT.get(field, "%^") for field in fields)
    general = goaccess(path, tmp_path, f"--log-format={log_format}", "--date-format=%Y-%m-%d",
                       "--time-format=%H:%M:%S")
    assert general["failed_requests"] == 0, general
    assert general["valid_requests"] == count


@pytest.mark.skipif(not shutil.which("lnav"), reason="needs lnav")
@pytest.mark.parametrize("iis", [False, True], ids=["w3c", "iis"])
def test_lnav_reads_every_line(tmp_path, iis):
    path = tmp_path / "access.log"
    count = written(path, *(("--access-log-format", "iis") if iis else ()), iis=iis)
    result = subprocess.run(
        ["lnav", "-n", "-c", ";SELECT count(*) AS n, count(distinct sc_status) AS statuses, "
         "sum(cs_uri_stem = '/demo/hello') AS hellos FROM w3c_log",
         "-c", ":write-json-to -", path],
        capture_output=True, timeout=60, stdin=subprocess.DEVNULL,
        env={**environment(), "HOME": str(tmp_path), "TERM": "dumb"})
    row = json.loads(result.stdout)[0]
    assert row["n"] == count, row
    assert row["statuses"] >= 4, row
    assert row["hellos"] == 2 * len(AGENTS) + 1, row
