"""A real Prometheus scrapes the service and tells what it understood."""

import shutil

import pytest

from collector import Collector
from prometheus import Prometheus
from service import Service
from wire import ask, eventually

pytestmark = [pytest.mark.timeout(90),
              pytest.mark.skipif(not shutil.which("prometheus"), reason="needs prometheus")]
DURATION = "http_server_request_duration_seconds"


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
            return prometheus.exemplars(f"{DURATION}_bucket{hello}")
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
