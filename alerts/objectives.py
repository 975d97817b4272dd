"""slo.yaml, read strictly: what objectives there are, for all who need them.

The idea: the file is written by people, so everything that is wrong with it is said at once, by name,
with what is allowed. What is allowed comes from docs/contract.json, which the service itself writes:
the routes that users call, and the bounds of the buckets that a threshold may be.

    from objectives import load
    for route in load().routes:
        print(route.path, route.budget("availability"), route.latency.threshold)
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable

import yaml

HERE = Path(__file__).resolve().parent
SLO_FILE = HERE / "slo.yaml"
CONTRACT_FILE = HERE.parent / "docs" / "contract.json"
HISTOGRAM = "http_server_request_duration_seconds"
SLIS = ("availability", "latency")


class ObjectivesError(Exception):
    """What is wrong with the file, a line for each fault."""


@dataclass(frozen=True)
class Latency:
    """`objective` percent of the requests take at most `threshold` seconds."""
    objective: float
    threshold: float


@dataclass(frozen=True)
class Symptom:
    """What pages by itself: a share of failures (0 to 1), a 99th percentile in seconds."""
    error_ratio: float
    p99: float


@dataclass(frozen=True)
class Route:
    """One user route: `path` is its http_route, `name` what its objectives are called after."""
    path: str
    name: str
    availability: float
    latency: Latency
    symptom: Symptom

    def objective(self, sli: str) -> float:
        """Percent that must be good."""
        return self.availability if sli == "availability" else self.latency.objective

    def budget(self, sli: str) -> float:
        """The share that may be bad, 0 to 1; rounded, for 100 - 99.9 is not 0.1 in binary."""
        return round((100 - self.objective(sli)) / 100, 9)

    def slo(self, sli: str) -> str:
        """The name of the objective: `hello-availability`, the label sloth_slo."""
        return f"{self.name}-{sli}"


@dataclass(frozen=True)
class LowTraffic:
    """What stands in for a burn rate below the floor."""
    window: str
    events: int
    burn: float


@dataclass(frozen=True)
class Links:
    """Where runbooks and dashboards are, without a slash at the end."""
    runbooks: str
    dashboards: str


@dataclass(frozen=True)
class Objectives:
    """All of slo.yaml. `job` is the one that `selector` names."""
    service: str
    team: str
    selector: str
    links: Links
    period: str
    floor: float
    low_traffic: LowTraffic
    routes: tuple[Route, ...]

    @property
    def job(self) -> str:
        """The value of the label job."""
        return re.findall(r'\bjob="([^"]*)"', self.selector)[0]

    def route(self, path: str) -> Route:
        """The route with this http_route."""
        return next(route for route in self.routes if route.path == path)

    def as_json(self) -> dict[str, Any]:
        """What loadtest/slo.json holds: the same, and the budgets worked out, for load tests."""
        data = asdict(self)
        data["routes"] = {
            route.path: {**asdict(route), "budget": {sli: route.budget(sli) for sli in SLIS}}
            for route in self.routes}
        for value in data["routes"].values():
            del value["path"]
        return data


class _Reader:
    """Walks what YAML gave, and keeps a list of what is wrong."""

    def __init__(self, user_routes: list[str], bounds: list[float]) -> None:
        self.user_routes, self.bounds = user_routes, bounds
        self.faults: list[str] = []

    def fault(self, where: str, text: str) -> None:
        """One more thing that is wrong."""
        self.faults.append(f"{where}: {text}")

    def mapping(self, where: str, value: Any, fields: dict[str, Callable[[str, Any], Any]]
                ) -> dict[str, Any] | None:
        """A mapping of exactly these keys, each read by its function; None if that fails."""
        if not isinstance(value, dict):
            return self.fault(where, f"must be a mapping of {', '.join(fields)}")
        before = len(self.faults)
        for key in value:
            if key not in fields:
                self.fault(f"{where}.{key}", f"unknown; known are {', '.join(fields)}")
        result = {}
        for key, read in fields.items():
            if key in value:
                result[key] = read(f"{where}.{key}", value[key])
            else:
                self.fault(f"{where}.{key}", "missing")
        return result if len(self.faults) == before else None

    def number(self, low: float, high: float) -> Callable[[str, Any], float]:
        """A reader of numbers between the two, ends excluded."""
        def read(where: str, value: Any) -> float:
            if isinstance(value, bool) or not isinstance(value, (int, float)) or \
                    not low < value < high:
                self.fault(where, f"{value!r}: must be a number above {low:g} and below {high:g}")
                return 0
            return value
        return read

    def matching(self, pattern: str, what: str) -> Callable[[str, Any], str]:
        """A reader of texts that match as a whole."""
        def read(where: str, value: Any) -> str:
            if not isinstance(value, str) or not re.fullmatch(pattern, value):
                self.fault(where, f"{value!r}: must be {what}")
                return ""
            return value
        return read

    def bound(self, where: str, value: Any) -> float:
        """A bucket's bound, and no whole number: see slo.yaml."""
        allowed = [bound for bound in self.bounds if bound != int(bound)]
        if isinstance(value, bool) or value not in allowed:
            self.fault(where, f"{value!r}: must be the bound of a bucket, and no whole number: "
                              f"{', '.join(f'{bound:g}' for bound in allowed)}")
            return 0
        return value

    def events(self, where: str, value: Any) -> int:
        """A count."""
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            self.fault(where, f"{value!r}: must be a whole number above 0")
            return 0
        return value

    def latency(self, where: str, value: Any) -> Latency | None:
        """The keys of a latency objective."""
        data = self.mapping(where, value, {
            "objective": self.number(0, 100), "threshold": self.bound})
        return Latency(**data) if data else None

    def symptom(self, where: str, value: Any) -> Symptom | None:
        """The keys of a symptom."""
        data = self.mapping(where, value, {"error_ratio": self.number(0, 1), "p99": self.bound})
        return Symptom(**data) if data else None

    def route(self, path: str, value: Any) -> Route | None:
        """One route, and whether its parts make sense together."""
        where = f"routes.{path}"
        if path not in self.user_routes:
            self.fault(where, f"users call no such route; they call {', '.join(self.user_routes)}")
        data = self.mapping(where, value, {
            "name": self.matching("[a-z][a-z0-9]+(-[a-z0-9]+)*", "small letters, digits, hyphens"),
            "availability": self.number(0, 100), "latency": self.latency, "symptom": self.symptom})
        if data is None:
            return None
        route = Route(path=path, **data)
        if route.symptom.error_ratio <= route.budget("availability"):
            self.fault(f"{where}.symptom.error_ratio",
                       f"{route.symptom.error_ratio:g}: must be above what the objective allows, "
                       f"{route.budget('availability'):g}")
        if route.symptom.p99 <= route.latency.threshold:
            self.fault(f"{where}.symptom.p99", f"{route.symptom.p99:g}: must be above the "
                                               f"threshold, {route.latency.threshold:g}")
        return route

    def routes(self, where: str, value: Any) -> tuple[Route, ...]:
        """Every user route, once."""
        if not isinstance(value, dict):
            self.fault(where, "must be a mapping of user routes")
            return ()
        for path in self.user_routes:
            if path not in value:
                self.fault(f"{where}.{path}", "missing: users call it")
        routes = [route for path, item in value.items() if (route := self.route(path, item))]
        names = [route.name for route in routes]
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.fault(where, f"two routes are called {name}")
        return tuple(routes)

    def low_traffic(self, where: str, value: Any) -> LowTraffic | None:
        """The keys of the companion."""
        data = self.mapping(where, value, {
            "window": self.matching("[1-9][0-9]*[smhd]", "a duration such as 2h"),
            "events": self.events, "burn": self.number(0, 1000)})
        return LowTraffic(**data) if data else None

    def links(self, where: str, value: Any) -> Links | None:
        """The keys of the links."""
        link = self.matching("https?://[^ ]*[^ /]", "an http or https URL without a slash at the end")
        data = self.mapping(where, value, {"runbooks": link, "dashboards": link})
        return Links(**data) if data else None

    def objectives(self, value: Any) -> Objectives | None:
        """All of it."""
        word = self.matching("[a-z][a-z0-9-]+", "small letters, digits, hyphens; two at least")
        data = self.mapping("slo", value, {
            "service": word, "team": word,
            "selector": self.matching('(.*, ?)?job="[^"]+"(,.*)?', 'label matchers with job="…"'),
            "links": self.links,
            "period": self.matching("30d", "30d: what the windows in windows/ are of"),
            "floor": self.number(0, 1e6), "low_traffic": self.low_traffic, "routes": self.routes})
        return Objectives(**data) if data else None


class _Loader(yaml.SafeLoader):
    """YAML in which a key stands once: the last one would win in silence."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if key.value in seen:
                raise ObjectivesError(f"line {key.start_mark.line + 1}: {key.value} stands twice")
            seen.add(key.value)
        return super().construct_mapping(node, deep)


def load(path: Path = SLO_FILE, contract: Path = CONTRACT_FILE) -> Objectives:
    """Reads the file, or raises ObjectivesError with all that is wrong with it."""
    known = json.loads(contract.read_text())
    reader = _Reader(known["user_routes"], known["metrics"][HISTOGRAM]["bounds"])
    try:
        objectives = reader.objectives(yaml.load(path.read_text(), Loader=_Loader))
    except yaml.YAMLError as error:
        raise ObjectivesError(f"{path}: {error}") from error
    if reader.faults or objectives is None:
        raise ObjectivesError("\n".join(f"{path.name}: {fault}" for fault in reader.faults))
    return objectives
