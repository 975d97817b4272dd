"""Prometheus 3 takes each of the three formats, counts what the client counted, and finds the same
quantiles by classic and by native histograms, which are those that h2load measured.

One Prometheus scrapes the service three times over, a job a format. What a request took is told by
the delay that was asked for, by its span, which is the very figure that the histograms got, and by
h2load. An estimate must lie in the bucket that holds the spans' quantile: that is exact. h2load's
clock and the service's differ by what the machine does to either process between two lines of code:

    delay  <=  span  ~  h2load

so against h2load an estimate may be off by the width of a native bucket, 9 %, beside that of
its own. The delays are long enough that this is tens of milliseconds, and a quantile moves by that
only if many requests do.
"""

import bisect
import math
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Iterator

import pytest

from collector import Collector
from ledger import Ledger, Quantile
from prometheus import Prometheus
from scrape import OPENMETRICS, PROTOBUF, TEXT
from service import FIELDS, Service, parse_samples
from wire import ask, eventually

DURATION = "http_server_request_duration_seconds"
JOBS = {
    "text": {"scrape_protocols": ["PrometheusText0.0.4"]},
    "openmetrics": {"scrape_protocols": ["OpenMetricsText1.0.0"]},
    "protobuf": {"scrape_protocols": ["PrometheusProto"], "scrape_native_histograms": True,
                 "always_scrape_classic_histograms": True},
}
CONTENT_TYPES = {"text": TEXT, "openmetrics": OPENMETRICS, "protobuf": PROTOBUF}

CLIENTS = 60
# Of twenty requests; in the middle of native buckets.
DELAYS_MS = [200] * 15 + [400] * 4 + [800]
# (route, paths asked in turn, requests, status)
LOAD = [("/demo/hello", [f"/demo/hello?delay={delay}" for delay in DELAYS_MS], 1200, 200),
        ("/", ["/"], 600, 200), (None, ["/no/such"], 300, 404)]
# Never a whole number of requests, so that each is one request's time; amid each kind of delay.
QUANTILES = (0.4991, 0.8991, 0.9891)
NATIVE_WIDTH = 2 ** (2 ** -3)  # schema 3


# ---- the client's side --------------------------------------------------------------------------

def h2load(address: tuple, paths: list[str], count: int, folder: Path) -> list[tuple[int, float]]:
    """Asks that often, each client going through the paths in turn; (status, seconds) of each."""
    log, uris = folder / "h2load.log", folder / "uris"
    log.unlink(missing_ok=True)
    uris.write_text("".join(f"http://{address[0]}:{address[1]}{path}\n" for path in paths))
    done = subprocess.run(["h2load", "--h1", "-t1", f"-c{CLIENTS}", f"-n{count}", f"-i{uris}",
                           f"--log-file={log}"], capture_output=True, text=True, timeout=90)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in log.read_text().splitlines()]
    return [(int(status), int(microseconds) / 1e6) for _, status, microseconds in lines]


def quantile(values: list[float], q: float) -> float:
    """The value that both kinds of histogram look for: the first that q of all do not exceed."""
    return sorted(values)[math.ceil(q * len(values)) - 1]


@dataclass
class Observed:
    """What is left when the load is over, with everything still running."""

    service: Service
    prometheus: Prometheus
    answers: dict[str | None, list[tuple[int, float]]]   # route -> what h2load logged
    spans: list[float]                                   # seconds of each /demo/hello
    bounds: list[float]                                  # of the classic buckets


@pytest.fixture(scope="module")
def observed(prometheus_binary: str,
             tmp_path_factory: pytest.TempPathFactory) -> Iterator[Observed]:
    """The whole scene, once: service, collector, Prometheus, load; every scrape has seen its end."""
    folder = tmp_path_factory.mktemp("prometheus")
    with Collector() as collector, \
            Service("--workers", "2", fields=FIELDS + " cs(Accept)",
                    env=collector.env(OTEL_BSP_MAX_QUEUE_SIZE="10000")) as service, \
            Prometheus(folder, service.public, "exemplar-storage", prometheus_binary,
                       JOBS) as prometheus:
        answers = {route: h2load(service.public, paths, count, folder)
                   for route, paths, count, _ in LOAD}
        for job in JOBS:
            for route, _, count, _ in LOAD:
                assert prometheus.wait(f"sum({DURATION}_count{selector(job, route)})", count), \
                    (job, route, prometheus.log.read_text()[-2000:])
        hello = LOAD[0][2]
        assert eventually(lambda: len(durations(collector)) == hello, timeout=20, pause=0.1)
        samples = parse_samples(service.scrape().body.decode(), f"{DURATION}_bucket")
        bounds = sorted({float(dict(labels)["le"]) for labels in samples})
        yield Observed(service, prometheus, answers, durations(collector), bounds)


def durations(collector: Collector) -> list[float]:
    """Seconds of each SERVER span of /demo/hello."""
    return [(seen.span.end_time_unix_nano - seen.span.start_time_unix_nano) / 1e9
            for seen in collector.find(kind=2) if seen.span.name == "GET /demo/hello"]


def selector(job: str, route: str | None, name: str = "", more: str = "") -> str:
    """The series of one route as one job scraped them."""
    return f'{name}{{job="{job}",http_route="{route or ""}",http_request_method="GET"{more}}}'


# ---- what it took -------------------------------------------------------------------------------

@pytest.mark.parametrize("job", JOBS)
def test_target_is_up_and_answered_in_its_format(observed: Observed, job: str) -> None:
    assert observed.prometheus.value(f'min_over_time(up{{job="{job}"}}[1m])') == 1
    accepts = {entry["cs(Accept)"] for entry in observed.service.log.entries
               if (entry["cs(User-Agent)"] or "").startswith("Prometheus/")}
    assert len(accepts) == len(JOBS), accepts
    types = Counter(ask(observed.service.public, "/metrics", headers=[("Accept", accept)])
                    .header("content-type") for accept in accepts)
    assert types[CONTENT_TYPES[job]] == 1, types


@pytest.mark.parametrize("job", JOBS)
@pytest.mark.parametrize("route, count, status", [(row[0], row[2], row[3]) for row in LOAD])
def test_counts_are_the_clients(observed: Observed, job: str, route: str | None, count: int,
                                status: int) -> None:
    assert Counter(code for code, _ in observed.answers[route]) == {status: count}
    for name, more in (("_count", ""), ("_count", f',http_response_status_code="{status}"'),
                       ("_bucket", ',le="+Inf"')):
        series = selector(job, route, DURATION + name, more)
        assert observed.prometheus.value(f"sum({series})") == count


def test_native_histogram_beside_the_classic(observed: Observed) -> None:
    """Both from one scrape; from the text formats only the classic one."""
    for route, _, count, _ in LOAD:
        native = selector("protobuf", route, DURATION)
        assert observed.prometheus.value(f"sum(histogram_count({native}))") == count
        classic = observed.prometheus.value(f"sum({selector('protobuf', route, DURATION + '_sum')})")
        assert observed.prometheus.value(f"sum(histogram_sum({native}))") == classic
    for job in ("text", "openmetrics"):
        assert observed.prometheus.value(f"count({selector(job, '/', DURATION)})") is None


def test_exemplars(observed: Observed) -> None:
    """OpenMetrics and protobuf carry them, classic and native series alike; text cannot."""
    traces = {entry["x-trace-id"] for entry in observed.service.log.entries}
    for job in ("openmetrics", "protobuf"):
        found = observed.prometheus.exemplars(selector(job, "/demo/hello", f"{DURATION}_bucket"))
        assert found and found <= traces, job
    native = observed.prometheus.exemplars(selector("protobuf", "/demo/hello", DURATION))
    assert native and native <= traces
    assert not observed.prometheus.exemplars('{job="text"}')


def test_nothing_to_complain_of(observed: Observed) -> None:
    """A sample that is out of order, twice or malformed is a warning, not a failed scrape."""
    lines = observed.prometheus.log.read_text().splitlines()
    assert [line for line in lines if "level=WARN" in line or "level=ERROR" in line] == []
    assert any("level=INFO" in line for line in lines), "no log in the form that is looked for"


def test_promtool_accepts_the_exposition(observed: Observed, promtool_binary: str) -> None:
    body = observed.service.scrape().body
    done = subprocess.run([promtool_binary, "check", "metrics"], input=body,
                          capture_output=True, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


# ---- quantiles ----------------------------------------------------------------------------------

def classic_bucket(value: float, bounds: list[float]) -> tuple[float, float]:
    """Lower and upper bound of the bucket that a value falls into."""
    upper = bisect.bisect_left(bounds, value)
    return (bounds[upper - 1] if upper else 0.0), bounds[upper]


def native_bucket(value: float) -> tuple[float, float]:
    """The same, of schema 3."""
    index = math.ceil(math.log(value, NATIVE_WIDTH))
    return NATIVE_WIDTH ** (index - 1), NATIVE_WIDTH ** index


def within(value: float, low: float, high: float) -> bool:
    """Whether low <= value <= high but for the last digits of floating point."""
    return low * (1 - 1e-9) <= value <= high * (1 + 1e-9)


@pytest.mark.parametrize("q", QUANTILES)
def test_quantiles(observed: Observed, ledger: Ledger, q: float) -> None:
    delay = quantile([ms / 1e3 for ms in DELAYS_MS], q)
    truth = quantile(observed.spans, q)
    client = quantile([seconds for _, seconds in observed.answers["/demo/hello"]], q)
    assert delay <= truth <= client * NATIVE_WIDTH, (delay, truth, client)

    def ask_for(job: str, name: str) -> float:
        series = selector(job, "/demo/hello", name, ',http_response_status_code="200"')
        return observed.prometheus.value(f"histogram_quantile({q}, {series})")
    classic = {job: ask_for(job, f"{DURATION}_bucket") for job in JOBS}
    native = ask_for("protobuf", DURATION)
    ledger.quantiles.append(Quantile(q, delay, truth, client, classic["text"], native))
    assert len(set(classic.values())) == 1, "the formats differ"

    low, high = classic_bucket(truth, observed.bounds)
    assert within(classic["text"], low, high), "not in the bucket of the true quantile"
    assert within(native, *native_bucket(truth)), "not in the bucket of the true quantile"
    assert within(native, low / NATIVE_WIDTH, high * NATIVE_WIDTH), "classic and native differ"
    for estimate, bucket in ((classic["text"], lambda v: classic_bucket(v, observed.bounds)),
                             (native, native_bucket)):
        assert within(estimate, bucket(delay)[0], bucket(client * NATIVE_WIDTH)[1]), \
            "not what h2load measured"
