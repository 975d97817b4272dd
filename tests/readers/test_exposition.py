"""The expositions, read by Prometheus's own Go code, the official Python client and promtool, and the
three formats held against each other, value by value.

expfmt and client_model read text and protobuf; OpenMetrics is the Python client's, whose parser is
strict. A scrape changes what it measures, so what moves from one scrape to the next is told apart by
scraping in each format twice: what stood still in between must be the same in all formats.
"""

import shutil
import subprocess

import pytest

import scrape
from collector import Collector
from load import run_mixed
from service import Service

FORMATS = {"text": None, "openmetrics": scrape.ACCEPT_OPENMETRICS,
           "protobuf": scrape.ACCEPT_PROTOBUF}
PARSERS = {"text": scrape.parse_text, "openmetrics": scrape.parse_openmetrics,
           "protobuf": scrape.parse_protobuf}
DURATION = "http_server_request_duration_seconds"


@pytest.fixture(scope="module")
def expositions():
    """{format: (content type, body)} twice, of a service that has served everything there is."""
    with Collector() as collector:
        env = collector.env(OTEL_LOGS_EXPORTER="otlp")
        with Service("--workers", "2", env=env, admin=True) as service:
            run_mixed(service.public, 4000)
            service.settle()
            taken = []
            for _ in range(2):
                responses = {name: service.scrape(accept) for name, accept in FORMATS.items()}
                taken.append({name: (response.header("content-type"), response.body)
                              for name, response in responses.items()})
            yield taken


def key(name, labels):
    """As scrape.Exposition has it."""
    if "le" in labels:
        labels = {**labels, "le": repr(float(labels["le"]))}
    return name, frozenset(labels.items())


def by_go(read, content_type, body):
    """{(name, labels): value} and {family: type} of what expfmt reads."""
    told = read(body, "metrics", content_type)
    samples = {}
    for sample in told["samples"]:
        at = key(sample["name"], sample["labels"])
        assert at not in samples, f"twice: {at}"
        samples[at] = float(sample["value"])
    return samples, told["families"]


def same(one, other):
    """NaN is not equal to itself."""
    return one == other or (one != one and other != other)


@pytest.mark.parametrize("name", ["text", "protobuf"])
def test_go_and_python_read_the_same(read, expositions, name):
    content_type, body = expositions[0][name]
    go, families = by_go(read, content_type, body)
    python = PARSERS[name](body)
    assert set(go) == set(python.samples)
    assert [at for at, value in go.items() if not same(value, python.samples[at])] == []
    assert families[DURATION] == "HISTOGRAM" and len(families) > 30


def test_formats_say_the_same_of_what_stands_still(read, expositions):
    """All samples, of all families, in all three formats."""
    first, second = ({name: PARSERS[name](taken[name][1]).samples for name in FORMATS}
                     for taken in expositions)
    assert set(first["text"]) == set(first["protobuf"])
    # OpenMetrics has _created or not, and the same samples otherwise.
    assert set(first["text"]) <= set(first["openmetrics"])
    still = [at for at in first["text"]
             if all(same(first[name][at], second[name][at]) for name in FORMATS)]
    moving = set(first["text"]) - set(still)
    assert len(still) > len(moving) * 2 and any(at[0] == DURATION + "_sum" for at in still)
    differ = [(at, {name: first[name][at] for name in FORMATS}) for at in still
              if not all(same(first[name][at], first["text"][at]) for name in FORMATS)]
    assert differ == []
    # What moved is what a scrape or the clock moves, and nothing that users did.
    users = [at for at in moving if at[0].startswith("http_server_")
             and ("http_route", "/metrics") not in at[1]]
    assert users == []


def test_promtool_has_nothing_to_say(expositions):
    promtool = shutil.which("promtool")
    if not promtool:
        pytest.skip("needs promtool")
    for taken in expositions:
        result = subprocess.run([promtool, "check", "metrics"], input=taken["text"][1],
                                capture_output=True, timeout=60)
        assert (result.returncode, result.stdout, result.stderr) == (0, b"", b"")


def test_buckets_and_sums_are_of_one_piece(read, expositions):
    """Read by Go: cumulative, ending with the count, in text and protobuf alike."""
    for name in ("text", "protobuf"):
        samples, families = by_go(read, *expositions[0][name])
        for family, kind in families.items():
            if kind != "HISTOGRAM":
                continue
            series = {}
            for (sample, labels), value in samples.items():
                if sample == family + "_bucket":
                    le = float(dict(labels)["le"])
                    rest = frozenset(pair for pair in labels if pair[0] != "le")
                    series.setdefault(rest, []).append((le, value))
            assert series, family
            for labels, buckets in series.items():
                counts = [count for _, count in sorted(buckets)]
                assert counts == sorted(counts)
                assert counts[-1] == samples[family + "_count", labels]
