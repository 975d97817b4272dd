"""source/*.yaml and slo.yaml, made into rules: README.md there says what a row may hold.

The idea: a row holds what a person decides, once. What all alerts have in common (labels, links, a rule
for each route) is added here, so that no alert can lack it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from namespaces import CHOSEN
from objectives import HISTOGRAM, SLIS, Objectives, Route
from profiles import Profile, seconds

SOURCE = Path(__file__).resolve().parent / "source"
BURN = "burn.yaml"
AFTER_SECONDS = 300  # a dashboard opens with this much of the future, for what comes next
SEVERITIES = ("page", "ticket", "info", "none")
REQUIRED = {"alert", "severity", "expr", "summary", "description"}
KEYS = REQUIRED | {"for", "each", "labels", "lookback", "dashboard", "shipped_by", "fast"}
BURN_KEYS = REQUIRED - {"expr"} | {"sli", "lookback"}


class SourceError(Exception):
    """What is wrong with a row."""


def quoted(text: str) -> str:
    """A text for a regular expression in a PromQL string."""
    return re.sub(r"([.+*?()\[\]{}|^$\\])", r"\\\\\1", text)


def selected(objectives: Objectives, route: Route, sli: str) -> tuple[str, str]:
    """The selectors of good and bad requests of an objective: all that count, and those that are bad, or,
    of latency, those that are quick enough (what is bad is the difference)."""
    common = f'{objectives.selector}, http_route="{route.path}"'
    if sli == "availability":
        return f"{HISTOGRAM}_count{{{common}}}", f'{HISTOGRAM}_count{{{common}, error_type!=""}}'
    common += ', error_type=""'
    return (f"{HISTOGRAM}_count{{{common}}}",
            f'{HISTOGRAM}_bucket{{{common}, le="{route.latency.threshold:g}"}}')


def total(objectives: Objectives, route: Route, sli: str, function: str, window: str) -> str:
    """PromQL: `function` (rate or increase) of all the requests that count."""
    return f"sum({function}({selected(objectives, route, sli)[0]}[{window}]))"


def bad(objectives: Objectives, route: Route, sli: str, function: str, window: str) -> str:
    """PromQL: of those that were bad. Without any it is 0 for latency, and nothing for availability."""
    other = f"sum({function}({selected(objectives, route, sli)[1]}[{window}]))"
    if sli == "availability":
        return other
    return f"({total(objectives, route, sli, function, window)} - {other})"


def percent(share: float) -> str:
    """A share as people write it: 0.1 %."""
    return f"{round(share * 100, 9):g} %"


def values(objectives: Objectives, route: Route | None, sli: str | None) -> dict[str, str]:
    """What stands in a row in << >>."""
    low = objectives.low_traffic
    known = {"selector": objectives.selector, "service": objectives.service, "job": objectives.job,
             "user_routes": "|".join(quoted(item.path) for item in objectives.routes),
             "floor": f"{objectives.floor:g}", "window": low.window, "events": str(low.events),
             "burn": f"{low.burn:g}"}
    if route:
        known |= {"route": route.path, "error_ratio": f"{route.symptom.error_ratio:g}",
                  "error_share": percent(route.symptom.error_ratio),
                  "p99": f"{route.symptom.p99:g}", "threshold": f"{route.latency.threshold:g}"}
    if route and sli:
        budget = route.budget(sli)
        known |= {"sli": sli, "slo": route.slo(sli), "objective": f"{route.objective(sli):g}",
                  "budget": percent(budget), "limit": f"{round(low.burn * budget, 9):g}"}
    return known


class Row:
    """A row for one route and one objective, in one profile."""

    def __init__(self, row: dict[str, Any], objectives: Objectives, profile: Profile,
                 route: Route | None = None, sli: str | None = None) -> None:
        self.row, self.objectives, self.profile = row, objectives, profile
        self.route, self.sli = route, sli
        self.known = values(objectives, route, sli)

    def fill(self, text: str) -> str:
        """The text with what is in << >> worked out, the inner ones first."""
        while match := re.search(r"<<([^<>]*)>>", text):
            text = text[:match.start()] + self.word(*match[1].split()) + text[match.end():]
        return text

    def word(self, name: str, *arguments: str) -> str:
        """One of them."""
        if name == "for" and not arguments:
            return self.profile.pending(self.row["for"])
        if name == "range" and len(arguments) == 1:
            return self.profile.window(arguments[0], self.row.get("fast"))
        if name in ("bad", "total") and len(arguments) == 2 and self.route and self.sli:
            function = bad if name == "bad" else total
            return function(self.objectives, self.route, self.sli, *arguments)
        if name not in self.known or arguments:
            raise SourceError(f"{self.row.get('alert') or self.row['record']}: "
                              f"<<{' '.join((name, *arguments))}>>: there is no such thing; "
                              f"there is {', '.join(self.known)}")
        return self.known[name]

    def expression(self) -> str:
        """Its PromQL, with the profile's windows."""
        return self.profile.expression(self.fill(self.row["expr"]), self.row.get("fast")).strip()

    def annotations(self, board: str) -> dict[str, str]:
        """Its texts and links."""
        name, links = self.row["alert"], self.objectives.links
        back = seconds(self.profile.lookback(self.row.get("lookback", "1h")))
        return {
            "summary": self.fill(self.row["summary"]),
            "description": self.fill(self.row["description"]).strip(),
            "runbook_url": f"{links.runbooks}/{name}.md",
            "dashboard_url":
                f"{links.dashboards}/d/{self.objectives.service}-{board}"
                f"?from={milliseconds(-back)}&to={milliseconds(AFTER_SECONDS)}"
                f'&var-job={{{{ or $labels.job "{self.objectives.job}" }}}}'
                "{{ with $labels.instance }}&var-instance={{ . }}{{ end }}" + CHOSEN}

    def alert(self, board: str) -> dict[str, Any]:
        """The alerting rule."""
        labels = {"http_route": self.route.path} if self.route else {}
        labels |= {key: self.fill(value) for key, value in self.row.get("labels", {}).items()}
        rule = {"alert": self.row["alert"], "expr": self.expression()}
        if "for" in self.row:
            rule["for"] = self.profile.pending(self.row["for"])
        rule["labels"] = {"severity": self.row["severity"], "team": self.objectives.team,
                          "service": self.objectives.service, **labels}
        rule["annotations"] = self.annotations(self.row.get("dashboard", board))
        return self.profile.labels(rule)

    def record(self) -> dict[str, Any]:
        """The recording rule."""
        return self.profile.labels({"record": self.row["record"], "expr": self.expression()})


def milliseconds(offset: float) -> str:
    """A template that works out when that is, seconds from the evaluation, as Grafana's URLs want it."""
    return (f'{{{{ with query "1000 * (time() {"+" if offset > 0 else "-"} {abs(offset):g})" }}}}'
            '{{ . | first | value | printf "%.0f" }}{{ end }}')


def check_row(where: str, row: dict[str, Any], required: set[str], keys: set[str]) -> None:
    """Refuses a row that lacks something, or has what nothing reads."""
    name = row.get("alert", "?")
    if missing := required - row.keys():
        raise SourceError(f"{where}: {name}: lacks {', '.join(sorted(missing))}")
    if unknown := row.keys() - keys:
        raise SourceError(f"{where}: {name}: unknown {', '.join(sorted(unknown))}; "
                          f"known are {', '.join(sorted(keys))}")
    if row["severity"] not in SEVERITIES:
        raise SourceError(f"{where}: {name}: severity {row['severity']!r}: one of "
                          f"{', '.join(SEVERITIES)}")


def instances(row: dict[str, Any], objectives: Objectives, profile: Profile) -> Iterator[Row]:
    """The row, or one for each route or objective."""
    each = row.get("each")
    if each not in (None, "route", "objective"):
        raise SourceError(f"{row['alert']}: each {each!r}: route or objective")
    for route in objectives.routes if each else (None,):
        for sli in SLIS if each == "objective" else (None,):
            yield Row(row, objectives, profile, route, sli)


def read(name: str) -> dict[str, Any]:
    """A file of source/."""
    return yaml.safe_load((SOURCE / name).read_text())


def alert_groups(objectives: Objectives, profile: Profile, shipped: bool | None = None
                 ) -> list[dict[str, Any]]:
    """The groups of alerting rules; `shipped`: only those that another shipped, or only the others."""
    groups = []
    for path in sorted(SOURCE.glob("*.yaml")):
        file = read(path.name)
        if path.name == BURN or "alerts" not in file:
            continue
        rules = []
        for row in file["alerts"]:
            check_row(path.name, row, REQUIRED, KEYS)
            if shipped is None or shipped == ("shipped_by" in row):
                rules += [item.alert(file["dashboard"])
                          for item in instances(row, objectives, profile)]
        if rules:
            groups.append({"name": file["group"], "rules": rules})
    return groups


def record_groups(objectives: Objectives, profile: Profile) -> list[dict[str, Any]]:
    """The groups of recording rules."""
    file = read("recording.yaml")
    return [{"name": file["group"],
             "rules": [Row(row, objectives, profile).record() for row in file["records"]]}]


def burn_rows(objectives: Objectives, profile: Profile, route: Route, sli: str
              ) -> dict[str, dict[str, Any]]:
    """By severity, what sloth is told of an objective's two alerts: name and annotations."""
    file = read(BURN)
    result = {}
    for row in file["alerts"]:
        check_row(BURN, row, BURN_KEYS - {"lookback"}, BURN_KEYS)
        if row["sli"] == sli:
            result[row["severity"]] = {
                "name": row["alert"],
                "annotations": Row(row, objectives, profile, route, sli).annotations(
                    file["dashboard"])}
    return result
