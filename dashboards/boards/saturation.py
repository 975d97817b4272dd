"""Saturation and runtime: what runs out first, and the process that uses it."""

from parts import colours, links, thresholds, variables
from parts.goals import limit, percent
from parts.layout import Board, Row
from parts.panels import figure, graph, sheet
from parts.queries import PUBLIC, cells, highest, now, over_time, quantile, rate, series, total

LAG = "glassbox_event_loop_lag_seconds"
USED = (f"{series('glassbox_connections', PUBLIC)} / on (job, instance) "
        f"{series('glassbox_connections_limit')}")
DESCRIPTORS = f"{series('process_open_fds')} / {series('process_max_fds')}"
BUSY = rate("glassbox_worker_busy_seconds_total")

lag_now = figure(
    "Event loop lag", "How late a loop's timer runs, p99 of the worst thread. Good: below 10 ms. "
    f"Above {limit('GlassboxEventLoopLag') * 1000:g} ms something holds a loop up: CPU that is "
    "not there, or a handler that computes.",
    "s", [now(f"max({quantile(0.99, 'job, instance, worker', LAG)})", "p99")],
    steps=thresholds.rising(warn=limit("GlassboxEventLoopLag")), alert="GlassboxEventLoopLag")

busy_now = figure(
    "Busiest worker", "Share of a CPU that the busiest worker uses. At 1 it is full, and requests "
    "wait. What to do: more workers where there are CPUs, else more replicas.", "percentunit",
    [now(f"max({BUSY})", "busy")],
    steps=thresholds.rising(warn=limit("GlassboxWorkersBusy")), decimals=0, alert="GlassboxWorkersBusy")

connections_now = figure(
    "Connections used", "Public connections, of the limit. Above "
    f"{percent('GlassboxConnectionsNearLimit')} soon some are refused with 503. What to do: "
    "who holds them? Raise the limit, or add replicas.", "percentunit",
    [now(f"max({USED})", "used")],
    steps=thresholds.rising(limit("GlassboxConnectionsNearLimit"), 1), decimals=0,
    alert="GlassboxConnectionsNearLimit")

refused_now = figure(
    "Refused", "Connections a second that were turned away. Good: 0. Each is a user who got 503.",
    "cps", [now(total("", rate("glassbox_connections_refused_total")), "refused")],
    steps=thresholds.rising(bad=0.001), alert="GlassboxConnectionsRefused")

descriptors_now = figure(
    "Descriptors used", "Open descriptors, of what the process may open. Above "
    f"{percent('GlassboxDescriptorsNearLimit')}: look for a leak, or raise the limit.",
    "percentunit", [now(f"max({DESCRIPTORS})", "used")],
    steps=thresholds.rising(warn=limit("GlassboxDescriptorsNearLimit")), decimals=0,
    alert="GlassboxDescriptorsNearLimit")

memory_now = figure(
    "Resident memory", "Of the largest process. No verdict: its limit is the container's; the "
    "autoscaling dashboard has it. Growth without load is a leak.", "bytes",
    [now(f"max({series('process_resident_memory_bytes')})", "resident")],
    alert="GlassboxMemoryNearLimit")

lag = graph(
    "Event loop lag, by thread", "p99 of how late a timer of each loop runs; `main` serves the "
    "operators' listener. One thread late: one heavy request; all: the machine is short of CPU.",
    "s", [over_time(quantile(0.99, "instance, worker", LAG), "{{instance}} {{worker}}")],
    steps=thresholds.rising(warn=limit("GlassboxEventLoopLag")), alert="GlassboxEventLoopLag")

busy = graph(
    "Busy, by thread", "Share of a CPU that each thread uses. New connections go to the worker "
    "with the fewest, so they should be alike.", "percentunit",
    [over_time(BUSY, "{{instance}} {{worker}}")],
    steps=thresholds.rising(warn=limit("GlassboxWorkersBusy")), most=1,
    alert="GlassboxWorkersBusy")

cpu = graph(
    "CPU of the process", "CPUs used, and those that a fault burns in the background. The rest is "
    "ours. Flat below the workers while loops are late: the container is throttled, see autoscaling.", "none",
    [over_time(rate("process_cpu_seconds_total"), "{{instance}} used"),
     over_time(series("glassbox_fault_background_cpus"), "{{instance}} by a fault"),
     over_time(series("glassbox_workers"), "{{instance}} workers")],
    matched={".*by a fault": colours.TRUTH}, bounds=(".*workers",), alert="GlassboxCpuThrottled",
    more=[links.board("glassbox-autoscaling", "Autoscaling")])

connections = graph(
    "Connections", "Open now, and the limit of public ones. The operators' listener is apart, so "
    "that probes and scrapes get in however full it is.", "none",
    [over_time(total("instance, listener", series("glassbox_connections")),
               "{{instance}} {{listener}}"),
     over_time(series("glassbox_connections_limit"), "{{instance}} limit")],
    bounds=(".*limit",), alert="GlassboxConnectionsNearLimit")

turnover = graph(
    "Connections, what became of them", "A second: accepted, closed idle, closed without a "
    "request. Many unused are port scans or health checks by TCP.", "cps",
    [over_time(total("", rate("glassbox_connections_accepted_total")), "accepted"),
     over_time(total("reason", rate("glassbox_connections_closed_idle_total")),
               "closed idle: {{reason}}"),
     over_time(total("", rate("glassbox_connections_unused_total")), "unused"),
     over_time(total("", rate("glassbox_connections_lost_total")), "lost for lack of memory")],
    named={"lost for lack of memory": colours.BAD})

refused = graph(
    "Connections refused, accepts failed", "A second, by reason. Good: nothing. `limit` is the "
    "setting, `descriptors` and `memory` are the system's.", "cps",
    [over_time(total("listener, reason", rate("glassbox_connections_refused_total")),
               "{{listener}}: {{reason}}"),
     over_time(total("reason", rate("glassbox_accept_errors_total")), "accept: {{reason}}")],
    alert="GlassboxConnectionsRefused")

memory = graph(
    "Memory", "Resident, and what a fault holds of it. Flat under steady load is good.", "bytes",
    [over_time(series("process_resident_memory_bytes"), "{{instance}} resident"),
     over_time(series("glassbox_fault_memory_bytes"), "{{instance}} by a fault")],
    matched={".*by a fault": colours.TRUTH}, alert="GlassboxMemoryNearLimit")

descriptors = graph(
    "Descriptors", "Open, and how many may be. They follow the connections; what stays when those "
    "go is a leak.", "none",
    [over_time(series("process_open_fds"), "{{instance}} open"),
     over_time(series("process_max_fds"), "{{instance}} limit")],
    bounds=(".*limit",), alert="GlassboxDescriptorsNearLimit")

threads = graph(
    "Threads and viewers", "Threads of the process, and streams of the live page that are open. "
    "Threads are flat; a fault adds its own.", "none",
    [over_time(series("process_threads"), "{{instance}} threads"),
     over_time(series("glassbox_page_viewers"), "{{instance}} viewers")])

scrape = graph(
    "Scrapes", "How long Prometheus took to scrape. Good: far below its interval, whatever the "
    "load.", "s", [over_time(series("scrape_duration_seconds"), "{{instance}}")],
    alert="GlassboxTargetDown")

processes = sheet(
    "Processes", "What runs where, since when. Different versions at one time are a deploy; a start "
    "that nobody ordered is a crash.", "dateTimeFromNow",
    [cells(f"{highest('job, instance', series('process_start_time_seconds'))} * 1000 * on (job, "
           f"instance) group_left (version, revision, compiler) {series('glassbox_build_info')}")],
    {"instance": "Instance", "version": "Version", "revision": "Revision", "compiler": "Compiler",
     "Value": "Started"}, hidden=("job",), alert="GlassboxRestarting")

board = Board(
    "saturation", "Glassbox / Saturation and runtime",
    "What runs out first? Loops, workers, connections, descriptors, memory, and the process.",
    variables.usual(),
    [Row(4, (4, lag_now), (4, busy_now), (4, connections_now), (4, refused_now),
         (4, descriptors_now), (4, memory_now)),
     Row(9, (8, lag), (8, busy), (8, cpu)),
     Row(9, (8, connections), (8, turnover), (8, refused)),
     Row(8, (8, memory), (8, descriptors), (8, threads)),
     Row(7, (16, processes), (8, scrape))])
