"""What the service has counted so far, from the /metrics of each of its processes."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from .refused import Refused
from .web import get

FINISHED = "http_server_request_duration_seconds_count"
BY_FAULTS = "glassbox_fault_errors_total"
INJECTED = "glassbox_faults_injected_total"
IN_FORCE = "glassbox_fault_in_force"
OURS = "glassbox_build_info"
STARTED = "process_start_time_seconds"


@dataclass(frozen=True)
class Reading:
    """Sums over all processes by http_route, and when each process began."""

    finished: Counter
    by_faults: Counter
    injected: Counter                 # (fault, route)
    in_force: frozenset[tuple[str, str]]
    started: tuple[float, ...]

    def since(self, before: "Reading") -> "Reading":
        """What came between. Counters of another process say nothing of it."""
        if self.started != before.started:
            raise Refused("a process of the service began anew in the meantime: its counters cannot be compared")
        return Reading(self.finished - before.finished, self.by_faults - before.by_faults,
                       self.injected - before.injected, self.in_force | before.in_force, self.started)


def summed(samples: Iterable[tuple[str, Mapping[str, str], float]]) -> Reading:
    """Of all samples of all processes."""
    finished, by_faults, injected = Counter[str](), Counter[str](), Counter[tuple[str, str]]()
    in_force: set[tuple[str, str]] = set()
    started: list[float] = []
    for name, labels, value in samples:
        route = labels.get("http_route", "")
        if name == FINISHED:
            finished[route] += int(value)
        elif name == BY_FAULTS:
            by_faults[route] += int(value)
        elif name == INJECTED:
            injected[labels["fault"], route] += int(value)
        elif name == IN_FORCE and value:
            in_force.add((labels["fault"], route))
        elif name == STARTED:
            started.append(value)
    return Reading(finished, by_faults, injected, frozenset(in_force), tuple(sorted(started)))


def read(urls: Iterable[str]) -> Reading:
    """Now."""
    return summed(sample for url in urls for sample in samples(url))


def samples(url: str) -> list[tuple[str, Mapping[str, str], float]]:
    """Of one exposition."""
    text = get("metrics", url, {"Accept": "text/plain"})
    try:
        found = [(one.name, one.labels, one.value)
                 for family in text_string_to_metric_families(text) for one in family.samples]
    except (ValueError, KeyError, IndexError):
        found = []
    if not any(name == OURS for name, _, _ in found):
        raise Refused(f"{url} is no /metrics of the service: it has no {OURS}")
    return found
