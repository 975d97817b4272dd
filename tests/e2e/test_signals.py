"""One request in a cluster is one line, one span and one observation, and the three find each other."""

from collections import Counter

from wire import eventually

SENT = 300
SERIES = "http_server_request_duration_seconds"
HELLO = "/demo/hello"


def counted(prometheus, service) -> dict[str, float]:
    """Requests of the route, by pod, as Prometheus has them."""
    data = prometheus.api("query", query=f'sum by (pod) ({SERIES}_count{{namespace="{service.namespace}",'
                                         f'http_route="{HELLO}"}})')
    return {one["metric"]["pod"]: float(one["value"][1]) for one in data["result"]}


def test_requests_sent_are_lines_spans_and_observations(service, prometheus, logs, spans, caller, quiet, frozen):
    """Across all replicas, by count at both ends and one by one by their ids."""
    caller.call(f"http://{service.host}{HELLO}", 20, "first")  # so that each pod has the series
    before: dict[str, float] = {}

    def still() -> bool:
        """Two looks, a scrape apart, that say the same."""
        seen, before_ = counted(prometheus, service), dict(before)
        before.clear()
        before.update(seen)
        return seen == before_ and sum(seen.values()) >= 20
    assert eventually(still, 60, 6)
    answers = caller.call(f"http://{service.host}{HELLO}", SENT, "counted/1")
    ids = Counter(answer.trace_id for answer in answers)
    assert [answer.status for answer in answers] == [200] * SENT and len(ids) == SENT and "" not in ids
    lines = logs.wait_entries(SENT, {"x-route": HELLO, "cs(User-Agent)": "counted/1"})
    assert Counter(entry["x-trace-id"] for entry in lines) == ids and logs.troubles() == []
    assert eventually(lambda: ids.keys() <= {span.trace_id for span in spans.look().servers()}, 30, 0.5)
    traced = [span for span in spans.servers() if span.trace_id in ids]
    assert Counter(span.trace_id for span in traced) == ids
    by_pod = Counter(entry["pod"] for entry in lines)
    assert by_pod == Counter(span.pod for span in traced) and len(by_pod) > 1, by_pod
    grown: dict[str, float] = {}

    def arrived() -> bool:
        grown.clear()
        grown.update({pod: value - before.get(pod, 0) for pod, value in counted(prometheus, service).items()})
        return sum(grown.values()) >= SENT
    assert eventually(arrived, 60, 1), grown
    assert {pod: count for pod, count in grown.items() if count} == by_pod


def test_span_says_which_pod_it_is_from(cluster, service, spans, caller):
    """The resource has all by which a trace is found from a pod, and a pod from a trace."""
    answer, = caller.call(f"http://{service.host}{HELLO}", 1, "resource")
    assert eventually(lambda: any(span.trace_id == answer.trace_id for span in spans.look().servers()), 30, 0.5)
    resource = next(span.resource for span in spans.servers() if span.trace_id == answer.trace_id)
    pod = next(one for one in service.pods() if one["metadata"]["name"] == resource["k8s.pod.name"])
    assert resource == resource | {
        "service.name": "glassbox", "service.namespace": service.namespace,
        "service.instance.id": pod["metadata"]["uid"],
        "k8s.namespace.name": service.namespace, "k8s.pod.uid": pod["metadata"]["uid"],
        "k8s.node.name": pod["spec"]["nodeName"], "k8s.deployment.name": service.name,
        "k8s.container.name": service.container}


def test_native_histograms_are_scraped(prometheus, service, traffic):
    """And the classic ones beside them, which rules and dashboards read: both count the same."""
    where = f'{{namespace="{service.namespace}",http_route="{HELLO}"}}'
    assert eventually(lambda: prometheus.value(f"sum(rate({SERIES}_count{where}[30s])) > 0"), 60, 1)

    def result() -> list[dict]:
        return (prometheus.api("query", query=f"sum(rate({SERIES}{where}[30s]))") or {"result": []})["result"]
    assert eventually(lambda: result() and "histogram" in result()[0], 60, 1), result()
    assert len(result()[0]["histogram"][1]["buckets"]) > 0
    assert prometheus.value(f"sum(histogram_count({SERIES}{where})) - sum({SERIES}_count{where})") == 0
    quantile = prometheus.value(f"histogram_quantile(0.99, sum(rate({SERIES}{where}[30s])))")
    assert quantile and 0 < quantile < 30


def test_exemplar_leads_to_its_span_and_its_line(prometheus, service, logs, spans, traffic):
    """The three signals of one request, from a bucket of the operator's Prometheus on."""
    query = f'{SERIES}_bucket{{namespace="{service.namespace}"}}'
    found: set[str] = set()

    def met() -> set[str]:
        """Trace ids that are in all three places; the traffic goes on, so new ones come."""
        written = {span.trace_id for span in spans.look().servers()}
        found.update(prometheus.exemplars(query) & written & {entry["x-trace-id"] for entry in logs.entries()})
        return found
    assert eventually(met, 60, 1), f"{len(prometheus.exemplars(query))} exemplars, {len(spans.servers())} spans"
    one = sorted(found)[0]
    span = next(span for span in spans.servers() if span.trace_id == one)
    entry = next(entry for entry in logs.entries() if entry["x-trace-id"] == one)
    assert (entry["x-span-id"], entry["pod"], entry["x-route"], entry["sc-status"]) == (
        span.span_id, span.pod, span.attributes.get("http.route"), str(span.attributes["http.response.status_code"]))
