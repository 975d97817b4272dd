"""Incident: what was done on purpose, beside what was seen.

Purple is the ground truth: what a fault plan has in force and what it did. Everything else is observed.
What is seen and not purple is an incident of its own.
"""

from parts import colours, links, shared, thresholds, variables
from parts.goals import ROUTES, SERVICE, USER_ROUTES
from parts.layout import Board, Row
from parts.panels import figure, graph, sheet, states
from parts.queries import (COUNT, DURATION, FAILED, NAMESPACE, cells, highest, now, over_time, quantile,
                           rate, series, share, some, total)

FORCE = series("glassbox_fault_in_force")
BY_FAULTS = total("", rate("glassbox_fault_errors_total"))
ALL = rate(COUNT, USER_ROUTES)
BAD = rate(COUNT, USER_ROUTES, FAILED)
SEEN = some("", BAD, ALL)
TRUTH = {".*\\(injected\\)": colours.TRUTH}
NOT_READY = 'fault=~"not_ready|slow_start"'
ALERT = "alertname, http_route"
END = f"max({series('glassbox_fault_plan_end_timestamp_seconds')})"


def alerts_that(state: str) -> str:
    """Alerts of the service, whatever job they are of."""
    return series("ALERTS", f'alertstate=~"{state}"', f'service="{SERVICE}"',
                  'severity=~"page|ticket|info"', target=NAMESPACE)


drill_now = figure(
    "Faults in force", "How many faults a plan has in force now, over routes and kinds. 0: what "
    "you see is real. More: a drill is under way; see the next panels for which.", "none",
    [now(f"sum({highest('fault, http_route', FORCE)})", "faults")],
    steps=[(1, colours.TRUTH)], more=[links.board("glassbox-service", "Service")],
    alert="GlassboxFaultInForce")

ends = figure(
    "The plan ends", "When the fault plan in force is over; nothing there: there is none. It ends "
    "by itself then.", "dateTimeFromNow", [now(f"{END} * 1000 > 0", "end")],
    nothing="no plan", alert="GlassboxFaultInForce")

firing = figure(
    "Pages, tickets", "Alerts that fire now. Red: somebody was woken up. `no rules`: nobody "
    "judges them.", "none",
    [shared.firing(severity, severity) for severity in ("page", "ticket")],
    single={"page": thresholds.rising(bad=1), "ticket": thresholds.rising(warn=1)},
    nothing="no rules", alert="GlassboxDeadMansSwitch")

errors_now = figure(
    "Errors, and those injected", "Errors a second of user routes, and how many of them a fault "
    "made. Good: the same, and both 0 outside of drills.", "reqps",
    [now(SEEN, "seen"), now(BY_FAULTS, "injected"), now(f"{SEEN} - {BY_FAULTS}", "of our own")],
    decimals=2, alert="GlassboxErrorRatioHigh")

plan_file = figure(
    "Plan's file", "Whether the fault plan's file was taken when it was last read. Refused: what "
    "is in force is the plan before it. The diagnostics on stderr say why.", "none",
    [now(f"min({series('glassbox_fault_plan_last_load_successful')})", "file")],
    steps=[(1, colours.GOOD)], base=colours.WARN, words={"0": "refused", "1": "fine"},
    alert="GlassboxFaultPlanRefused")

force = states(
    "Ground truth: faults in force", "Which fault was in force where, from when to when. Compare "
    "what follows below with its edges.",
    [over_time(f"{highest('fault, http_route', FORCE)} == 1", "{{fault}} {{http_route}}")],
    {"1": ("in force", colours.TRUTH)}, nothing="no fault was in force", alert="GlassboxFaultInForce")

alerts = states(
    "Observed: alerts", "What was pending or firing, from when to when. An alert should begin a "
    "known time after its fault: `alerts/drill` measures it.",
    [over_time(f"2 * {highest(ALERT, alerts_that('firing'))} or {highest(ALERT, alerts_that('pending'))}",
               "{{alertname}} {{http_route}}")],
    {"1": ("pending", colours.WARN), "2": ("firing", colours.BAD)}, nothing="no alert")

ratio = graph(
    "Errors: observed and injected", "Share of a route's requests that failed, and what a fault is "
    "to fail of them: errors, resets and cut answers. Observed above injected is our own.",
    "percentunit",
    [over_time(share("http_route", BAD, ALL),
               "{{http_route}}"),
     *(over_time(highest("http_route", series(f"glassbox_fault_{kind}_ratio")),
                 f"{{{{http_route}}}} {kind} (injected)") for kind in ("error", "reset", "truncate"))],
    named=colours.apart(list(ROUTES)), matched=TRUTH, alert="GlassboxErrorRatioHigh")

latency = graph(
    "Duration: observed and injected", "p50 and p99 by route, and what a fault adds to them. The "
    "difference is ours.", "s",
    [*(over_time(quantile(q, "http_route", DURATION, USER_ROUTES), f"{{{{http_route}}}} p{q * 100:g}")
       for q in (0.5, 0.99)),
     over_time(highest("http_route, percentile", series(
         "glassbox_fault_latency_seconds", 'percentile=~"p50|p99"')),
         "{{http_route}} {{percentile}} (injected)")], matched=TRUTH, alert="GlassboxLatencyHigh")

own = graph(
    "Errors that nobody injected", "Errors a second, less those that a fault made, by route. Good: "
    "0, also in the middle of a drill; /demo/random-error fails by design.", "reqps",
    [over_time(f"{some('http_route', BAD, ALL)} - "
               f"{total('http_route', rate('glassbox_fault_errors_total'))}", "{{http_route}}")],
    named=colours.apart(list(ROUTES)), signed=True, alert="GlassboxErrorRatioHigh")

struck = graph(
    "Requests that a fault struck", "A second, by kind and route: what really took effect, not "
    "what was planned.", "reqps",
    [over_time(total("fault, http_route", rate("glassbox_faults_injected_total")),
               "{{fault}} {{http_route}}")], stacked=True)

held = graph(
    "Time that faults held requests up", "Seconds of waiting a second, by route: how many requests "
    "wait at a time. It fills connections.", "none",
    [over_time(total("http_route", rate("glassbox_fault_delay_seconds_total")), "{{http_route}}"),
     over_time(total("", series("http_server_active_requests")), "in flight (observed)")],
    named=colours.apart(list(ROUTES)), alert="GlassboxConnectionsNearLimit")

cpu = graph(
    "CPU: observed and injected", "CPUs used, and what faults burn: in the background, and for each "
    "request times the rate. The rest is ours.", "none",
    [over_time(total("", rate("process_cpu_seconds_total")), "used"),
     over_time(total("", series("glassbox_fault_background_cpus")), "background (injected)"),
     over_time(f"sum({highest('http_route', series('glassbox_fault_cpu_seconds'))} * on (http_route) "
               f"{total('http_route', ALL)})", "per request (injected)")],
    matched=TRUTH, alert="GlassboxWorkersBusy")

memory = graph(
    "Memory: observed and injected", "Resident, and what a fault really holds.", "bytes",
    [over_time(total("", series("process_resident_memory_bytes")), "resident"),
     over_time(total("", series("glassbox_fault_memory_bytes")), "held (injected)")],
    matched=TRUTH, alert="GlassboxMemoryNearLimit")

readiness = graph(
    "Ready: observed and injected", "Processes that are ready, and those that a fault keeps from "
    "it.", "none",
    [over_time(f"sum({series('glassbox_ready')})", "ready"),
     over_time(f"sum({highest('job, instance', series('glassbox_fault_in_force', NOT_READY))})",
               "kept from it (injected)")], matched=TRUTH, alert="GlassboxNotReady")

files = graph(
    "Plan's file: loads", "How often it was read since the start, because it had changed, and "
    "whether it was taken.", "none",
    [over_time(total("result", series("glassbox_fault_plan_loads_total")), "{{result}}")],
    named={"refused": colours.WARN}, alert="GlassboxFaultPlanRefused")

list_of_alerts = sheet(
    "Alerts now", "Pending or firing, with the route or process. What to do: the runbook of the "
    "same name.", "none", [cells(f"max by (alertname, alertstate, severity, namespace, http_route, "
                                 f"instance) ({alerts_that('firing|pending')})")],
    {"alertname": "Alert", "alertstate": "State", "severity": "Severity", "namespace": "Namespace",
     "http_route": "Route", "instance": "Instance"}, hidden=("Value",))

board = Board(
    "incident", "Glassbox / Incident",
    "Is it real, or a drill? What faults did, beside what was observed and who was told.",
    variables.usual(),
    [Row(4, (4, drill_now), (4, ends), (4, firing), (4, shared.processes()), (5, errors_now),
         (3, plan_file)),
     Row(8, (12, force), (12, alerts)),
     Row(9, (12, ratio), (12, latency)),
     Row(8, (8, own), (8, struck), (8, held)),
     Row(8, (8, cpu), (8, memory), (8, readiness)),
     Row(7, (16, list_of_alerts), (8, files))])
