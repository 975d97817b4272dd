"""Load test: what k6 did and saw, beside what the service says of the same time.

k6's names are those of its Prometheus remote write with trend statistics p(50), p(95), p(99) and max.
They carry the test's id and no job: k6 is not scraped.
"""

from parts import colours, links, thresholds, variables
from parts.goals import USER_ROUTES, limit
from parts.layout import Board, Row
from parts.panels import figure, graph
from parts.queries import (COUNT, DURATION, FAILED, PUBLIC, now, over_time, quantile, rate, series, share,
                           some, total)

TEST = 'testid=~"$testid"'
UNEXPECTED = 'expected_response="false"'


def k6(name: str, *matchers: str) -> str:
    """A series of k6's."""
    return series(f"k6_{name}", *matchers, target=TEST)


def k6_rate(name: str, *matchers: str) -> str:
    """How much a counter of k6's grows in a second."""
    return rate(f"k6_{name}_total", *matchers, target=TEST)


FINISHED = rate(COUNT, USER_ROUTES)
FAILED_OF_K6 = share("", k6_rate("http_reqs", UNEXPECTED), k6_rate("http_reqs"))
FAILED_OF_SERVICE = share("", rate(COUNT, USER_ROUTES, FAILED), FINISHED)
DROPPED = some("", k6_rate("dropped_iterations"), k6_rate("iterations"))

testid = variables.choice("testid", "Test", "label_values(k6_vus, testid)",
                          "The test run, by its testid.")

asked = figure(
    "Requests", "A second, as k6 made them, and as the service finished them. Good: the same; the "
    "service's include what others call.", "reqps",
    [now(total("", k6_rate("http_reqs")), "k6"), now(total("", FINISHED), "service")],
    decimals=0)

failed = figure(
    "Failed", "Share of requests that failed: what k6 saw, what the service counted. k6's alone "
    "above zero: lost between them. Orange and red: the lowest and the highest symptom of a route in "
    "alerts/slo.yaml.", "percentunit",
    [now(FAILED_OF_K6, "k6"), now(FAILED_OF_SERVICE, "service")],
    steps=thresholds.of_errors(), decimals=2, nothing="no requests")

slow = figure(
    "p95", "95 of 100 requests take no longer: with k6 since its start, and with the network.", "s",
    [now(f"max({k6('http_req_duration_p95')})", "k6"),
     now(quantile(0.95, "", DURATION, USER_ROUTES), "service")],
    steps=thresholds.of_latency())

dropped = figure(
    "Dropped iterations", "Iterations a second that k6 could not start: it had no free user. Good: "
    "0; else the load is less than the test says. What to do: more maxVUs, or a smaller rate.",
    "cps", [now(DROPPED, "dropped")],
    steps=thresholds.rising(warn=0.001))

checks = figure(
    "Checks that held", "Share of the script's checks that held, since the test began; the worst of "
    "them. Good: all.", "percentunit",
    [now(f"min({k6('checks_rate')})", "held")],
    steps=[(0.99, colours.WARN), (1, colours.GOOD)], base=colours.BAD, decimals=1)

rates = graph(
    "Requests: made and finished", "k6's by scenario, and all that the service finished. The gap is "
    "what was lost, or is still on its way.", "reqps",
    [over_time(total("scenario", k6_rate("http_reqs")), "k6 {{scenario}}"),
     over_time(total("", FINISHED), "service")],
    named={"service": colours.OBSERVED})

durations = graph(
    "Duration, k6", "As k6 saw it, request sent to last byte, over the whole test so far, and the worst "
    "of its series: it does not come down again. The lines are the tightest objective and the "
    "loosest symptom of alerts/slo.yaml.", "s",
    [over_time(f"max({k6(f'http_req_duration_{stat}')})", stat)
     for stat in ("p50", "p95", "p99", "max")],
    steps=thresholds.of_latency(), named=colours.QUANTILES)

served = graph(
    "Duration, service", "The same time as the service has it: first byte in to last byte out. Far "
    "below k6's: the time is spent before the service reads.", "s",
    [over_time(quantile(q / 100, "", DURATION, USER_ROUTES), f"p{q}", exemplars=q == 95)
     for q in (50, 95, 99)],
    steps=thresholds.of_latency(), named=colours.QUANTILES)

users = graph(
    "Virtual users", "In use, and how many there may be. In use that rises at a constant rate: "
    "answers take longer and longer.", "none",
    [over_time(f"sum({k6('vus')})", "in use"), over_time(f"sum({k6('vus_max')})", "there")],
    bounds=("there",))

iterations = graph(
    "Iterations", "A second: done, and dropped. A dropped one is load that was not made.", "cps",
    [over_time(total("scenario", k6_rate("iterations")), "{{scenario}}"),
     over_time(DROPPED, "dropped")],
    named={"dropped": colours.WARN})

parts_of_it = graph(
    "Where k6's time goes", "p95 of each step, since the test began: waiting for a connection, "
    "connecting, sending, waiting for the first byte, receiving. Waiting is the service's; "
    "the rest is not.", "s",
    [over_time(f"max({k6(f'http_req_{step}_p95')})", step)
     for step in ("blocked", "connecting", "sending", "waiting", "receiving")])

errors = graph(
    "Failed: k6 and service", "Share of requests that failed: with k6 those whose answer it did not "
    "expect. Where they differ, look at resets, cut answers and timeouts.", "percentunit",
    [over_time(FAILED_OF_K6, "k6"), over_time(FAILED_OF_SERVICE, "service")],
    steps=thresholds.of_errors(), alert="GlassboxErrorRatioHigh")

statuses = graph(
    "Answers that k6 got, by status", "A second; 0 is none at all: refused, reset, timed out.",
    "reqps", [over_time(total("status", k6_rate("http_reqs")), "{{status}}")],
    matched=colours.STATUSES | {"0": colours.BAD}, stacked=True)

saturation = graph(
    "What the service runs out of", "Busiest worker, connections used, and queues of spans: the "
    "first at 1 is the limit that the test found.", "percentunit",
    [over_time(f"max({rate('glassbox_worker_busy_seconds_total')})", "busiest worker"),
     over_time(f"max({series('glassbox_connections', PUBLIC)} / "
               f"on (job, instance) {series('glassbox_connections_limit')})", "connections"),
     over_time(f"max({series('otel_sdk_processor_span_queue_size')} / on (job, instance) "
               f"{series('otel_sdk_processor_span_queue_capacity')})", "queue of spans")],
    steps=thresholds.rising(warn=limit("GlassboxConnectionsNearLimit")), most=1,
    more=[links.board("glassbox-saturation", "Saturation")])

traffic = graph(
    "Bytes", "Received and sent by k6, a second. Received that falls while requests do not: answers "
    "are cut short, or errors.", "Bps",
    [over_time(total("", k6_rate("data_received")), "received"),
     over_time(total("", k6_rate("data_sent")), "sent")])

board = Board(
    "load-test", "Glassbox / Load test",
    "Did it hold? k6's figures beside the service's own, over the same time.",
    [*variables.usual(), testid],
    [Row(4, (5, asked), (5, failed), (5, slow), (5, dropped), (4, checks)),
     Row(9, (8, rates), (8, durations), (8, served)),
     Row(8, (8, users), (8, iterations), (8, parts_of_it)),
     Row(8, (6, errors), (6, statuses), (6, saturation), (6, traffic))],
    since="now-30m", refresh="5s")
