"""Telemetry health: do the three signals add up, and if something was lost, where and why.

The equation of each signal, term by term, all terms of one scrape:

    finished = observations
             = lines written + waiting + dropped
             = SERVER spans
             = log records acknowledged + waiting + in flight + dropped + failed, where they are sent
    spans    = acknowledged + waiting + in flight + unsampled + dropped + failed
"""

from parts import colours, thresholds, variables
from parts.goals import limit, percent
from parts.layout import Board, Row
from parts.panels import figure, graph, sheet
from parts.queries import COUNT, FAILED, cells, now, over_time, quantile, rate, series, share, total

OF = "job, instance"
LOST = thresholds.rising(warn=0.001)
KEPT = 'error_type=""'
DROPPED = "otel_sdk_processor_span_processed_total"
EXPORTED = "otel_sdk_exporter_span_exported_total"
RECORDS = "otel_sdk_processor_log_processed_total"
SENT = "otel_sdk_exporter_log_exported_total"
EXPORTS = "otel_sdk_exporter_operation_duration_seconds"
LOG = ("glassbox_access_log_written_total", "glassbox_access_log_waiting",
       "glassbox_access_log_dropped_total")
SPANS = {"acknowledged": series(EXPORTED, KEPT),
         "waiting": series("otel_sdk_processor_span_queue_size"),
         "in flight": series("otel_sdk_exporter_span_inflight"),
         "unsampled": series("glassbox_spans_unsampled_total"),
         "dropped": series(DROPPED, FAILED),
         "failed": series(EXPORTED, FAILED)}
SENDS = {"acknowledged": series(SENT, KEPT),
         "waiting": series("otel_sdk_processor_log_queue_size"),
         "in flight": series("otel_sdk_exporter_log_inflight"),
         "dropped": series(RECORDS, FAILED),
         "failed": series(SENT, FAILED)}

FINISHED = total(OF, series("glassbox_requests_finished_total"))
OBSERVED = total(OF, series(COUNT))
SERVER = total(OF, series("glassbox_spans_ended_total", 'kind="server"'))
ENDED = total(OF, series("glassbox_spans_ended_total"))
# An access log that is switched off has no queue, and no line is missed.
LOGGED = f"and on (job, instance) {series('glassbox_access_log_queue_capacity_bytes')} > 0"
LINES = " + ".join(total(OF, series(name)) for name in LOG)
ACCOUNTED = " + ".join(total(OF, term) for term in SPANS.values())
EMITTED = f"{FINISHED} and on ({OF}) {series('otel_sdk_log_created_total')}"
KNOWN = " + ".join(total(OF, term) for term in SENDS.values())
# A signal that is off has no queue, or no series.
NO_LOG = f"{series('glassbox_access_log_queue_capacity_bytes')} == 0"
NO_RECORDS = (f"{series('glassbox_log_export_requests_total')} unless on ({OF}) "
              f"{series('otel_sdk_log_created_total')}")


def filled(size: str, capacity: str) -> str:
    """How full the workers' part of a queue is: as the alert has it, a queue's room is shared out to the
    threads, and the main thread's part stays all but empty."""
    workers = total(OF, series("glassbox_workers"))
    return f"{total(OF, series(size))} / ({total(OF, series(capacity))} * {workers} / ({workers} + 1))"


def terms(title: str, description: str, named: dict[str, str], nothing: str = ""):
    """A line of the equation as a table: a row a process, a column a term, the difference last."""
    columns = {"instance": "Instance"}
    columns |= {f"Value #{chr(65 + place)}": name for place, name in enumerate(named)}
    return sheet(title, description, "none", [cells(text) for text in named.values()], columns,
                 hidden=("job",), judged={"Difference": ("none", [], "")}, nothing=nothing,
                 alert="GlassboxSignalsDoNotAddUp")


def verdict(title: str, description: str, left: str, right: str, where: str = "", off: str = ""):
    """Whether two sides of the equation are the same, as the alert judges it: a scrape reads its
    terms one after another, so under load they may be apart by a hundredth of a second's requests.
    `off` has a series while the signal is switched off: that it has none is no sign of it, for what
    is not scraped has none, too."""
    moment = f"0.01 * {total(OF, rate('glassbox_requests_finished_total'))}"
    judged = f"max(abs({left} - ({right})) > bool {moment} {where}".strip() + ")"
    return figure(title, description + " Good: adds up. Off by some, and it stays: a bug of ours, "
                  "report it with the term that is off.", "none",
                  [now(f"{judged} or 2 + 0 * count({off})" if off else judged, "off")],
                  steps=[(1, colours.BAD), (2, colours.LIMIT)],
                  words={"0": "adds up", "1": "off by some", "2": "switched off"},
                  alert="GlassboxSignalsDoNotAddUp")


verdicts = [
    verdict("Observations", "Requests finished = observations of the histogram.", FINISHED, OBSERVED),
    verdict("Log lines", "Requests finished = lines written + waiting + dropped.", FINISHED, LINES,
            LOGGED, NO_LOG),
    verdict("SERVER spans", "Requests finished = SERVER spans ended.", FINISHED, SERVER),
    verdict("Spans", "Spans ended = those whose fate is known or open.", ENDED, ACCOUNTED),
    verdict("Log records", "Requests finished = log records whose fate is known or open.", FINISHED,
            KNOWN, off=NO_RECORDS)]

lost_now = figure(
    "Lost now", "Spans, lines and log records by OTLP lost in a second: counted, and so part of the "
    "equation. Good: 0. What to do: the reasons below, then the runbook.", "cps",
    [now(f"{total('', rate(DROPPED, FAILED))} + {total('', rate(EXPORTED, FAILED))}", "spans"),
     now(total("", rate(LOG[2])), "lines"),
     now(f"{total('', rate(RECORDS, FAILED))} + {total('', rate(SENT, FAILED))}", "records")],
    steps=LOST, alert="GlassboxSpansDropped")

stalled_now = figure(
    "Log stalled", "Whether the access log's destination takes nothing. Lines wait in their queues, "
    "then they are dropped. What to do: who reads the pipe? Is the disk full?", "none",
    [now(f"max({series('glassbox_access_log_stalled')})", "stalled")],
    steps=thresholds.rising(warn=1), words={"0": "no", "1": "yes"}, alert="GlassboxLogStalled")

observations = terms(
    "Observations = finished", "One observation a finished request; all terms of one scrape. Under load "
    "a few may be between two terms: what counts is whether it stays.",
    {"Finished": FINISHED, "Observed": OBSERVED, "Difference": f"{FINISHED} - {OBSERVED}"})

lines = terms(
    "Lines = written + waiting + dropped", "One line a finished request. Waiting is normal, for a "
    "moment; dropped is lost, and why stands below.",
    {"Finished": FINISHED,
     **{name: total(OF, series(metric)) for name, metric in zip(
         ("Written", "Waiting", "Dropped"), LOG)},
     "Difference": f"{FINISHED} - ({LINES}) {LOGGED}"})

spans = terms(
    "Spans = acknowledged + waiting + in flight + unsampled + dropped + failed",
    "All spans ended: a SERVER span a finished request, and their children. Acknowledged is what "
    "the collector said it has.",
    {"Ended": ENDED, **{name.capitalize(): total(OF, term) for name, term in SPANS.items()},
     "Difference": f"{ENDED} - ({ACCOUNTED})"})

log_records = terms(
    "Log records = acknowledged + waiting + in flight + dropped + failed",
    "One record a finished request, where they are sent by OTLP. Acknowledged is what the collector said "
    "it has.",
    {"Finished": EMITTED, **{name.capitalize(): total(OF, term) for name, term in SENDS.items()},
     "Difference": f"{FINISHED} - ({KNOWN})"}, nothing="switched off")

queues = graph(
    "Queues, share in use", "Of spans, of log records for OTLP, and of access-log lines. Above "
    f"{percent('GlassboxQueueNearlyFull')} losses are near: the collector or the log's "
    "reader is slower than the load.", "percentunit",
    [over_time(filled("otel_sdk_processor_span_queue_size",
                      "otel_sdk_processor_span_queue_capacity"), "{{instance}} spans"),
     over_time(filled("otel_sdk_processor_log_queue_size",
                      "otel_sdk_processor_log_queue_capacity"), "{{instance}} log records"),
     over_time(filled("glassbox_access_log_queue_bytes",
                      "glassbox_access_log_queue_capacity_bytes"), "{{instance}} lines")],
    steps=thresholds.rising(warn=limit("GlassboxQueueNearlyFull")), most=1,
    alert="GlassboxQueueNearlyFull")

lost_spans = graph(
    "Spans lost, by reason", "A second. `queue_full`: the exporter is slower than the load; "
    "`rejected`: the collector does not want them; else it cannot be reached, or answers with that "
    "status.", "cps",
    [over_time(total("error_type", rate(DROPPED, FAILED)), "dropped: {{error_type}}"),
     over_time(total("error_type", rate(EXPORTED, FAILED)), "failed: {{error_type}}")],
    stacked=True, alert="GlassboxSpansDropped")

lost_lines = graph(
    "Lines lost, by reason", "A second, of the access log. `queue_full`: its reader or its disk is "
    "slower than the load; `write_error`: look at the diagnostics on stderr.", "cps",
    [over_time(total("reason", rate(LOG[2])), "{{reason}}")], stacked=True,
    alert="GlassboxLogLinesDropped")

records = graph(
    "Log records by OTLP", "A second: emitted, acknowledged, dropped before the exporter and failed "
    "in it. There only with OTEL_LOGS_EXPORTER=otlp.", "cps",
    [over_time(total("", rate("otel_sdk_log_created_total")), "emitted"),
     over_time(total("", rate(SENT, KEPT)), "acknowledged"),
     over_time(total("", rate(RECORDS, FAILED)), "dropped"),
     over_time(total("", rate(SENT, FAILED)), "failed")],
    named={"dropped": colours.WARN, "failed": colours.BAD})

exporter = graph(
    "Exporter: operations that failed", "Share of exports that ended with an error, by exporter. "
    f"Above {percent('GlassboxExporterFailing')} the collector is as good as gone. What to do: "
    "the runbook.", "percentunit",
    [over_time(share("otel_component_name", rate(f"{EXPORTS}_count", FAILED), rate(f"{EXPORTS}_count")),
               "{{otel_component_name}}")],
    steps=thresholds.rising(warn=limit("GlassboxExporterFailing")), most=1,
    alert="GlassboxExporterFailing")

exporting = graph(
    "Exporter: time for a batch", "p95, retries included, by exporter. What it rises to is the "
    "collector's answer time.", "s",
    [over_time(quantile(0.95, "otel_component_name", EXPORTS), "{{otel_component_name}}")])

requests = graph(
    "Exporter: requests and retries", "Export requests a second, and those made again. Retries "
    "that stay mean that the collector throttles or is away.", "reqps",
    [over_time(total("", rate("glassbox_span_export_requests_total")), "spans"),
     over_time(total("", rate("glassbox_span_export_retries_total")), "spans, again"),
     over_time(total("", rate("glassbox_log_export_requests_total")), "records"),
     over_time(total("", rate("glassbox_log_export_retries_total")), "records, again")],
    matched={".*again": colours.WARN}, alert="GlassboxExporterFailing")

sampling = graph(
    "Spans started, by decision", "A second. DROP is what the sampler left out: it is counted, and "
    "not exported.", "cps",
    [over_time(total("otel_span_sampling_result, otel_span_parent_origin",
                     rate("otel_sdk_span_started_total")),
               "{{otel_span_sampling_result}}, parent {{otel_span_parent_origin}}")], stacked=True)

limits = graph(
    "Limits met", "A second: label sets that went to an overflow series, diagnostics left out, "
    "viewers of the live page that were refused, updates that one was too slow for. Good: nothing.", "cps",
    [over_time(total("", rate("glassbox_metric_overflow_total")), "metric overflow"),
     over_time(total("", rate("glassbox_diagnostics_dropped_total")), "diagnostics"),
     over_time(total("", rate("glassbox_page_updates_lost_total")), "page updates"),
     over_time(total("", rate("glassbox_page_refused_total")), "page viewers"),
     over_time(total("", rate("glassbox_page_records_skipped_total")), "page records")],
    alert="GlassboxMetricOverflow")

scrapes = graph(
    "Scrape targets", "Whether each could be scraped (on the right: 1 or 0), and how many samples it "
    "had. What is not scraped is not known: then nothing else here means anything.", "none",
    [over_time(series("up"), "{{instance}} up"),
     over_time(series("scrape_samples_scraped"), "{{instance}} samples")],
    switches=(".* up",), alert="GlassboxTargetDown")

board = Board(
    "telemetry", "Glassbox / Telemetry health",
    "Can the signals be trusted? The equation term by term, queues, losses by reason, the exporter.",
    variables.usual(),
    [Row(4, *((3, one) for one in verdicts), (6, lost_now), (3, stalled_now)),
     Row(6, (8, observations), (16, lines)),
     Row(6, (14, spans), (10, log_records)),
     Row(9, (8, queues), (8, lost_spans), (8, lost_lines)),
     Row(8, (8, exporter), (8, exporting), (8, requests)),
     Row(8, (6, records), (6, sampling), (6, limits), (6, scrapes))])
