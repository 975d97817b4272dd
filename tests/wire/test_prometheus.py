"""A real Prometheus scrapes the service and tells what it understood."""

import json
import shutil
import socket
import subprocess
import urllib.parse
import urllib.request

import pytest

from collector import Collector
from service import Service
from wire import ask, eventually

pytestmark = [pytest.mark.timeout(90),
              pytest.mark.skipif(not shutil.which("prometheus"), reason="needs prometheus")]
DURATION = "http_server_request_duration_seconds"


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Prometheus:
    """An instance that scrapes one address each second, with its data in `folder`."""

    def __init__(self, folder, address, features):
        self.port = free_port()
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s"},
            "scrape_configs": [{"job_name": "glassbox", "static_configs": [
                {"targets": [f"{address[0]}:{address[1]}"]}]}]}))
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml",
             f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
             f"--enable-feature={features}"],
            stdout=subprocess.DEVNULL, stderr=open(folder / "log", "wb"))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait(15)

    def api(self, path, **parameters):
        """`data` of an answer; None while it is not there."""
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def value(self, query):
        """The one value of an instant query, or None."""
        data = self.api("query", query=query)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None

    def wait(self, query, wanted):
        return eventually(lambda: (self.value(query) or 0) >= wanted, timeout=30, pause=0.2)


def assert_target_is_up(prometheus):
    target = prometheus.api("targets")["activeTargets"][0]
    assert (target["health"], target["lastError"]) == ("up", "")


def test_openmetrics_with_exemplars(tmp_path):
    with Collector() as collector, Service(env=collector.env()) as service, \
            Prometheus(tmp_path, service.public, "exemplar-storage") as prometheus:
        traces = {ask(service.public, "/demo/hello?delay=20").trace[0] for _ in range(3)}
        hello = '{http_route="/demo/hello",http_response_status_code="200",' \
                'http_request_method="GET"}'
        assert prometheus.wait(f"{DURATION}_count{hello}", 3)
        assert_target_is_up(prometheus)
        assert prometheus.value(f"sum({DURATION}_bucket{hello[:-1]},le='+Inf'}})") == 3
        assert prometheus.value("count(target_info)") == 1
        assert prometheus.value("glassbox_build_info") == 1

        def exemplars():
            data = prometheus.api("query_exemplars", query=f"{DURATION}_bucket{hello}",
                                  start=0, end=4e9) or []
            return {item["labels"]["trace_id"] for series in data for item in series["exemplars"]}
        assert eventually(lambda: exemplars() & traces, timeout=15, pause=0.2)
        assert exemplars() <= traces | {seen.span.trace_id.hex() for seen in collector.spans()}


def test_native_histograms_over_protobuf(tmp_path):
    features = "native-histograms,exemplar-storage"
    with Service() as service, Prometheus(tmp_path, service.public, features) as prometheus:
        for _ in range(5):
            ask(service.public, "/demo/hello?delay=20")
        selector = f'{DURATION}{{http_route="/demo/hello",http_response_status_code="200",' \
                   'http_request_method="GET"}'
        assert prometheus.wait(f"histogram_count({selector})", 5)
        assert_target_is_up(prometheus)
        median = prometheus.value(f"histogram_quantile(0.5, {selector})")
        assert 0.018 <= median <= 0.5
        assert prometheus.value(f"histogram_sum({selector})") >= 0.1
        accepted = prometheus.value("sum(glassbox_connections_accepted_total)")
        assert accepted >= 1, "the other types arrive by protobuf too"
