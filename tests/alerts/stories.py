"""What happened to a route, minute by minute: as numbers for the tests' arithmetic, and as series for
promtool."""

from dataclasses import dataclass, field
from functools import cache
from itertools import accumulate
from typing import Any

from objectives import Objectives, load

# Every counter is this much ahead when Prometheus first sees it: `rate` does not look beyond 0, so one
# that begins there is a case of its own (test_burn.py).
AHEAD = 100_000
NEXT_BOUND = {0.5: 0.75, 0.75: 1.0}
COUNT, BUCKET = (f"http_server_request_duration_seconds_{kind}" for kind in ("count", "bucket"))


@cache
def objectives() -> Objectives:
    """slo.yaml, read once."""
    return load()


@dataclass(frozen=True)
class Story:
    """Pieces of (minutes, requests a minute, share of them that is bad); a sample at each minute."""
    pieces: list[tuple[int, float, float]]
    _sums: tuple[list[float], list[float]] = field(init=False)

    def __post_init__(self) -> None:
        each = [(rate, rate * share) for minutes, rate, share in self.pieces for _ in range(minutes)]
        sums = tuple(list(accumulate((item[kind] for item in each), initial=0.0)) for kind in (0, 1))
        object.__setattr__(self, "_sums", sums)

    @property
    def minutes(self) -> int:
        """How long it is."""
        return len(self._sums[0]) - 1

    def _seen(self, minute: int, window: int, left_open: bool, kind: int) -> tuple[float, int]:
        """What the samples in a window show: by how much the counter rose, in how many minutes."""
        begin = max(0, minute - window + (1 if left_open else 0))
        sums = self._sums[kind]
        return sums[minute] - sums[begin], minute - begin

    def increase(self, minute: int, window: int, left_open: bool, of_bad: bool = False) -> float:
        """As `increase` has it: to the window's beginning, if that is near, else half a minute on."""
        rise, spanned = self._seen(minute, window, left_open, int(of_bad))
        if spanned == 0:
            return 0.0
        missing = window - spanned
        return rise * (spanned + (missing if missing <= 1.1 else 0.5)) / spanned

    def rate(self, minute: int, window: int, left_open: bool) -> float:
        """Requests a second."""
        return self.increase(minute, window, left_open) / (window * 60)

    def share(self, minute: int, window: int, left_open: bool) -> float:
        """Bad ones of all: what is missing in the window is missing in both."""
        total = self._seen(minute, window, left_open, 0)[0]
        return self._seen(minute, window, left_open, 1)[0] / total if total else 0.0


def notation(rises: list[tuple[int, float]]) -> str:
    """promtool's: so many minutes with so much more in each. Added up as promtool does, to the last bit: a
    piece that began a billionth lower than the one before ended would be a counter that was reset."""
    value, parts = float(AHEAD), []
    for index, (minutes, rise) in enumerate(item for item in rises if item[0]):
        value += rise if index else 0
        count = minutes - 1 if index else minutes
        parts.append(f"{value!r}+{rise!r}x{count}")
        for _ in range(count):
            value += rise
    return " ".join(parts)


def series(metric: str, story: Story, good: float, bad: float, **labels: str) -> dict[str, str]:
    """A counter that takes these parts of the good and of the bad requests."""
    labels = {"job": "glassbox", "instance": "a:1", "http_request_method": "GET"} | labels
    told = ", ".join(f'{name}="{value}"' for name, value in labels.items())
    rises = [(minutes, rate * ((1 - share) * good + share * bad)) for minutes, rate, share in story.pieces]
    return {"series": f"{metric}{{{told}}}", "values": notation(rises)}


def failing(path: str, story: Story) -> list[dict[str, str]]:
    """A bad request is one with an error_type: some have a status, some had no answer. HEAD and OPTIONS
    count, on all instances; another route, another job and the page's streams do not."""
    return [
        series(COUNT, story, 0.5, 0, http_route=path, http_response_status_code="200"),
        series(COUNT, story, 0.3, 0, http_route=path, http_response_status_code="200", instance="b:1",
               http_request_method="HEAD"),
        series(COUNT, story, 0.2, 0, http_route=path, http_response_status_code="204", instance="b:1",
               http_request_method="OPTIONS"),
        series(COUNT, story, 0, 0.6, http_route=path, http_response_status_code="500", error_type="500"),
        series(COUNT, story, 0, 0.4, http_route=path, error_type="client_disconnected", instance="b:1"),
        series(COUNT, story, 1, 1, http_route="/page/events", error_type="client_disconnected"),
        series(COUNT, story, 1, 1, http_route=path, error_type="500", job="other")]


def slow(path: str, story: Story, threshold: float, bound: float | None = None,
         failed: bool = False) -> list[dict[str, str]]:
    """A bad request is one that took longer than the threshold (and no longer than `bound`). `failed`: there
    are also such that failed, slowly, and do not count for the objective of latency."""
    result = []
    for instance, part in (("a:1", 0.7), ("b:1", 0.3)):
        same = {"http_route": path, "instance": instance, "http_response_status_code": "200"}
        result += [series(BUCKET, story, part, 0, **same, le=f"{threshold:g}"),
                   series(BUCKET, story, part, part, **same, le="+Inf"),
                   series(COUNT, story, part, part, **same)]
        if bound:
            result.append(series(BUCKET, story, part, part, **same, le=f"{bound:g}"))
    if failed:
        result += [series(COUNT, story, 0.1, 0.1, http_route=path, error_type="500"),
                   series(BUCKET, story, 0, 0, http_route=path, error_type="500", le=f"{threshold:g}")]
    return result


def series_of(key: str, story: Story) -> list[dict[str, Any]]:
    """The series of a story about the alert that the key names."""
    words = dict(word.split("=") for word in key.split()[1:])
    route = objectives().route(words["http_route"])
    if key.startswith("GlassboxLatencyHigh"):
        return slow(route.path, story, route.symptom.p99, NEXT_BOUND[route.symptom.p99])
    if key.startswith("GlassboxLatency") or words.get("sli") == "latency":
        return slow(route.path, story, route.latency.threshold, failed="Burn severity" in key)
    return failing(route.path, story)
