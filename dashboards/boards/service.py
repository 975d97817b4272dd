"""Service: what users get, by route. Rate, errors, duration."""

from parts import colours, links, shared, thresholds, variables
from parts.goals import ROUTES, USER, tightest
from parts.layout import Board, Row
from parts.panels import figure, graph, heat
from parts.queries import (COUNT, DURATION, FAILED, JOB, PUBLIC, buckets, now, over_time, quantile, rate,
                           series, share, total)

CHOSEN = 'http_route=~"$route"'
NO_ROUTE = 'http_route=""'
BY_ROUTE = colours.apart(list(ROUTES))
ERRORS = share("http_route", rate(COUNT, CHOSEN, FAILED), rate(COUNT, CHOSEN))
SLOWEST = quantile(0.99, "http_route", DURATION, CHOSEN)
SLOW = tightest(lambda goal: goal.budget("latency"))

route = variables.choice(
    "route", "Route", f"label_values({COUNT}{{{JOB}}}, http_route)",
    "What users call; probes and scrapes have a row of their own.", everything=USER,
    regex="/^(" + USER.replace("/", "\\/") + ")$/")

firing = figure(
    "Alerts firing", "Alerts of severity page or ticket that fire now. Good: 0. Otherwise the "
    "incident dashboard says which, since when, and whether a drill is under way. `no rules`: "
    "nobody judges them.", "none",
    [shared.firing("page", "page"), shared.firing("ticket", "ticket")],
    single={"page": thresholds.rising(bad=1), "ticket": thresholds.rising(warn=1)},
    nothing="no rules", more=[links.board("glassbox-incident", "Incident")])

load = figure(
    "Load", "Requests a second that users make: the routes chosen above. No verdict: compare it "
    "with what is usual at this hour.", "reqps",
    [now(total("", rate(COUNT, CHOSEN)), "requests")], decimals=1)

errors_now = figure(
    "Errors, by route", "Share of requests that end with an error_type: a status from 500 on, a "
    "reset, a cut answer, a client that gave up. Red: above the route's symptom in alerts/slo.yaml. "
    "What to do: the runbook; is it injected? See the incident dashboard.", "percentunit",
    [now(ERRORS, "{{http_route}}")],
    single={path: thresholds.rising(bad=goal.symptom.error_ratio)
            for path, goal in ROUTES.items()},
    decimals=1, nothing="no requests", alert="GlassboxErrorRatioHigh")

slowest_now = figure(
    "p99, by route", "99 of 100 requests take no longer. Orange: above the route's symptom in "
    "alerts/slo.yaml. What to do: open a trace of the heatmap below.", "s",
    [now(SLOWEST, "{{http_route}}")],
    single={path: thresholds.rising(warn=goal.symptom.p99) for path, goal in ROUTES.items()},
    nothing="no requests", alert="GlassboxLatencyHigh")

rates = graph(
    "Requests", "Requests a second by route, from when the last byte was out. A fall to zero is "
    "as telling as a rise: look at what calls the service.", "reqps",
    [over_time(total("http_route", rate(COUNT, CHOSEN)), "{{http_route}}")], named=BY_ROUTE)

errors = graph(
    "Errors", "Share of a route's requests with an error_type. The lines are the lowest and the "
    "highest symptom of alerts/slo.yaml: below both all is well, above both one is off for "
    "certain. What to do: the runbook.", "percentunit",
    [over_time(ERRORS, "{{http_route}}")], steps=thresholds.of_errors(),
    named=BY_ROUTE, alert="GlassboxErrorRatioHigh")

latency = graph(
    "Duration", "Quantiles over all chosen routes, first byte in to last byte out. A point is a "
    "trace: click it. The lines are the tightest objective and the loosest symptom of "
    "alerts/slo.yaml. p99 alone up: a few are slow; all up: the service is.", "s",
    [over_time(quantile(q / 100, "", DURATION, CHOSEN), f"p{q}", exemplars=q == 95)
     for q in (50, 95, 99)],
    steps=thresholds.of_latency(),
    named=colours.QUANTILES, alert="GlassboxLatencyHigh")

heatmap = heat(
    "Duration, every request", "How many requests took how long. Two bands are two kinds of "
    "request; a band that lifts is a slow one. A point is a trace: click it.",
    buckets(total("le", rate(f"{DURATION}_bucket", CHOSEN))))

statuses = graph(
    "Answers, by status", "Requests a second by status; `none`: nothing was sent, because the "
    "client had gone or the connection was reset. Green should be nearly all.", "reqps",
    [over_time(f'label_replace({total("http_response_status_code", rate(COUNT, CHOSEN))}, '
               '"http_response_status_code", "none", "http_response_status_code", "")',
               "{{http_response_status_code}}")],
    matched=colours.STATUSES, stacked=True)

kinds = graph(
    "Errors, by kind", "Requests a second by error_type. A number is a status; fault_reset and "
    "fault_truncated are drills; client_disconnected is a caller that did not wait.", "reqps",
    [over_time(total("error_type", rate(COUNT, CHOSEN, FAILED)), "{{error_type}}")], stacked=True)

slow = graph(
    "p99 of each route", "99 of 100 requests of a route take no longer. Which one is slow?", "s",
    [over_time(SLOWEST, "{{http_route}}")], named=BY_ROUTE,
    alert="GlassboxLatencyHigh")

beyond = graph(
    "Slower than the objective", "Share of a route's good answers that took longer than its "
    "objective allows: what the latency objective counts. The line is the smallest budget: below "
    f"{SLOW * 100:g} % every objective is kept.", "percentunit",
    [over_time(f'1 - {total("", rate(f"{DURATION}_bucket", mine, bound))}'
               f' / {total("", rate(COUNT, mine))}', path)
     for path, goal in ROUTES.items()
     for mine, bound in [(f'error_type="", http_route="{path}"',
                          f'le="{goal.latency.threshold:g}"')]],
    steps=thresholds.rising(warn=SLOW),
    named=BY_ROUTE, alert="GlassboxLatencyBudgetBurn")

in_flight = graph(
    "In flight", "Requests whose head is read and whose last byte is not out, and connections "
    "that are open. In flight that rises while the rate does not: the service holds them up. "
    "One is the scrape that counts them.",
    "none",
    [over_time(f"sum({series('http_server_active_requests')})", "requests"),
     over_time(f"sum({series('glassbox_connections', PUBLIC)})", "connections")],
    more=[links.board("glassbox-saturation", "Saturation")])

others = graph(
    "Probes, scrapes, operators", "Requests a second that no user made, by route. They are part of "
    "no objective. Good: as steady as the probes' and scrapes' intervals.", "reqps",
    [over_time(total("http_route", rate(COUNT, f'http_route!~"{USER}"', 'http_route!=""')),
               "{{http_route}}")])

unrouted = graph(
    "Refused before a route", "Requests a second that no route was found for: not found, malformed, "
    "too large, timed out in their head. A little is the internet; much is an attack, or a client "
    "that was built wrong.", "reqps",
    [over_time(f'label_replace({total("error_type", rate(COUNT, NO_ROUTE))}'
               ', "error_type", "not found, or the like", "error_type", "")', "{{error_type}}")],
    stacked=True)

board = Board(
    "service", "Glassbox / Service",
    "Is it well for users? Rate, errors and duration by route, with traces behind the points.",
    [*variables.usual(), route],
    [Row(4, (4, shared.processes()), (3, firing), (3, load), (7, errors_now), (7, slowest_now)),
     Row(9, (8, rates), (8, errors), (8, latency)),
     Row(9, (12, heatmap), (6, statuses), (6, kinds)),
     Row(8, (8, slow), (8, beyond), (8, in_flight)),
     Row(7, (12, others), (12, unrouted), title="What users did not do")])
