"""Whether an environment keeps its objectives, those of alerts/slo.yaml: asked of its Prometheus, of this release alone.

Counted are the requests of the instances that say they are this release (glassbox_build_info): what the pods before
them did says nothing of it. Of each objective there must be enough of them, or nothing is known: no series, no number,
too few requests, are refusals.

All of it is of one moment, however slow the answers: what leaves the window between one question and the next is not what
failed.

increase() begins at a series' first sample. A status that was never seen before comes with its first sample, all at
once, and would not count, just when it matters: `counted` adds what a series had when it came.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .finding import Finding
from .reach import Prometheus, Silent

HISTOGRAM = "http_server_request_duration_seconds"
BUILD = "glassbox_build_info"
SLIS = ("availability", "latency")


@dataclass(frozen=True)
class Scope:
    """Whose requests, over what time. `selector` are label matchers, `revision` how a commit's name begins."""

    selector: str
    revision: str
    window: str
    at_least: int

    def counted(self, series: str) -> str:
        """PromQL: by how much these counters have grown, of instances of this release."""
        ours = f'{BUILD}{{{self.selector}, revision=~"{self.revision}.*"}}'
        grown = f"sum(increase({series}[{self.window}]) and on (job, instance) {ours})"
        came = (f"sum((min_over_time({series}[{self.window}]) unless {series} offset {self.window}) "
                f"and on (job, instance) {ours})")
        return f"{grown} + ({came} or vector(0))"


def objectives(path: Path) -> dict[str, Any]:
    """loadtest/slo.json: what alerts/generate.py makes of alerts/slo.yaml."""
    return json.loads(path.read_text())


def query(scope: Scope, path: str, route: dict[str, Any], sli: str) -> str:
    """PromQL: the requests that count, and those of them that are good, as two series, so of the same samples."""
    every = f'{scope.selector}, http_route="{path}"'
    good = f'{every}, error_type=""'
    counted, held = {
        "availability": (f"{HISTOGRAM}_count{{{every}}}", f"{HISTOGRAM}_count{{{good}}}"),
        "latency": (f"{HISTOGRAM}_count{{{good}}}",
                    f'{HISTOGRAM}_bucket{{{good}, le="{route["latency"]["threshold"]:g}"}}'),
    }[sli]
    named = (f'label_replace({scope.counted(series)}, "requests", "{name}", "", "")'
             for name, series in (("counted", counted), ("good", held)))
    return " or ".join(named)


def judge(name: str, budget: float, events: int, at_least: int, total: float | None, good: float | None) -> Finding:
    """One objective. So few bad requests that nobody would be told of them (alerts/slo.yaml's low_traffic) are none."""
    wanted = f"at most {100 * budget:g} % bad, of {at_least} at least"
    if total is None or good is None or not math.isfinite(total) or not math.isfinite(good):
        return Finding(name, wanted, "no answer", "Prometheus has no such series, or no number: nothing is known")
    bad = max(0.0, total - good)
    share = bad / total if total > 0 else 0.0
    found = f"{100 * share:.2f} %: {bad:.0f} of {total:.0f}"
    if total < at_least:
        return Finding(name, wanted, found, f"too few requests to know: {total:.0f}, and {at_least} are needed; "
                                            "a longer --window, or --traffic, has more")
    if round(bad) >= events and share > budget:
        return Finding(name, wanted, found, f"{100 * share:.2f} % of the requests were bad, and {100 * budget:g} % may be")
    return Finding(name, wanted, found)


def revisions(prometheus: Prometheus, selector: str) -> dict[str, int]:
    """How many instances Prometheus sees, by the revision that they say they are."""
    found = prometheus.series(f"count by (revision) ({BUILD}{{{selector}}})")
    return {labels.get("revision", ""): int(count) for labels, count in found}


def unseen(selector: str) -> str:
    """Why there is nobody."""
    return f"Prometheus sees no instance of it by {{{selector}}}: it is not scraped, or not there"


def running(prometheus: Prometheus, scope: Scope) -> Finding:
    """That every instance which Prometheus sees is this release."""
    name, wanted = "instances", f"all of {scope.revision}"
    try:
        counts = revisions(prometheus, scope.selector)
    except Silent as error:
        return Finding(name, wanted, "no answer", str(error))
    text = ", ".join(f"{count} of {revision[:12] or '?'}" for revision, count in sorted(counts.items())) or "none"
    ours = [revision for revision in counts if revision.startswith(scope.revision)]
    if not ours:
        return Finding(name, wanted, text, unseen(scope.selector))
    if len(counts) > len(ours):
        return Finding(name, wanted, text, "some are of another release: it is still being rolled out, or stuck")
    return Finding(name, wanted, text)


def check(prometheus: Prometheus, scope: Scope, known: dict[str, Any]) -> list[Finding]:
    """A row for each objective."""
    events, findings = known["low_traffic"]["events"], []
    try:
        at = prometheus.now()
    except Silent as error:
        return [Finding("objectives", "an answer", "none", str(error))]
    for path, route in known["routes"].items():
        for sli in SLIS:
            name = f"{route['name']}-{sli}"
            try:
                found = {labels.get("requests"): value for labels, value in prometheus.series(query(scope, path, route, sli), at)}
            except Silent as error:
                findings.append(Finding(name, "an answer", "none", str(error)))
                continue
            findings.append(judge(name, route["budget"][sli], events, scope.at_least, found.get("counted"), found.get("good")))
    return findings
