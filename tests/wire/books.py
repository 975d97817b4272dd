"""The three signals as multisets: what finished, by what each of them says of it.

`agreed(service, collector)` waits until all three say the same and returns it: a Counter of
(method, route, status, error). However many requests there were, and however they ended, each is in
it once. Scrapes that were answered are left out: to look is to make one.
"""

from collections import Counter

from collector import attributes
from service import parse_samples
from wire import eventually

DURATION = "http_server_request_duration_seconds_count"
SCRAPE = "/metrics"
SERVER = 2


def of_metrics(service):
    result = Counter()
    for labels, value in parse_samples(service.settle(), DURATION).items():
        labels = dict(labels)
        result[labels["http_request_method"], labels.get("http_route"),
               labels.get("http_response_status_code"), labels.get("error_type")] += int(value)
    return without_scrapes(result)


def of_log(service):
    """A method that nobody knows is logged as it came, and is `_OTHER` elsewhere."""
    known = {"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"}
    return without_scrapes(Counter(
        (entry["cs-method"] if entry["cs-method"] in known else "_OTHER", entry["x-route"],
         entry["sc-status"], entry["x-error"]) for entry in list(service.log.entries)))


def of_spans(collector):
    result, seen = Counter(), set()
    for one in collector.find(kind=SERVER):
        if one.span.span_id in seen:  # a retry
            continue
        seen.add(one.span.span_id)
        facts = attributes(one.span)
        status = facts.get("http.response.status_code")
        result[facts["http.request.method"], facts.get("http.route"),
               str(status) if status else None, facts.get("error.type")] += 1
    return without_scrapes(result)


def without_scrapes(counter):
    return Counter({key: value for key, value in counter.items()
                    if value and (key[1] != SCRAPE or key[3])})


def agreed(service, collector=None, timeout=10.0):
    """What all three say; without a collector the spans are not asked."""
    state = {}

    def same():
        state["metrics"] = of_metrics(service)
        state["log"] = of_log(service)
        state["spans"] = of_spans(collector) if collector else state["metrics"]
        return state["metrics"] == state["log"] == state["spans"]
    assert eventually(same, timeout, pause=0.05), {
        name: dict(counter - state["metrics"]) for name, counter in state.items()}
    return state["metrics"]


def by_error(books):
    """{error: count}; None for requests that ended by a handler's answer."""
    result = Counter()
    for (_, _, _, error), count in books.items():
        result[error] += count
    return result
