"""A cluster in which all is well: every link says so, and what it saw."""

import pytest

from examine import look
from glassbox_doctor.links import LINKS
from world import whole

SEEN = {
    "pods-ready": "2 of 2 pods of Deployment shop-glassbox are ready",
    "scraped": "2 of 2 targets up, job glassbox, every 15s",
    "series": "requests on /demo/hello, native histograms on",
    "rules-loaded": "5 rules in 2 groups evaluate without an error; 5 alerts are left to kube-prometheus-stack",
    "alert-namespace": "1 alerts have namespace=store; receivers by AlertmanagerConfig: page, ticket",
    "adapter-rule": "http_requests_per_second over 2m of 4 routes, "
                    "from http://kube-prometheus-stack-prometheus.watch.svc:9090/",
    "custom-metrics-api": "http_requests_per_second of 2 pods: 10.2, 10.2",
    "metrics-api": "CPU of container glassbox in 2 pods: 7m, 7m",
    "hpa-reads": "http_requests_per_second 10.2 of 50, cpu of container glassbox 7 % of 70 %; 2 pods, 2 wanted "
                 "(2 to 10)",
    "collector-span": "a span of shop-glassbox-7d9f-aaaaa, 2 s ago; the collector accepted 180, refused 0",
    "dashboards-loaded": "Grafana lists all 7",
}


@pytest.mark.parametrize("link", SEEN)
def test_link_is_well(link: str) -> None:
    finding = look(whole())[link]
    assert (finding.state, finding.fix) == ("ok", ""), finding
    assert SEEN[link] in finding.found


def test_links_are_in_the_order_of_record() -> None:
    assert [link.ID for link in LINKS] == list(SEEN)
