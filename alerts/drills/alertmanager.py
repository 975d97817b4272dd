"""What a drill asks of Alertmanager: how long it waits before it tells, and what keeps it from telling."""

import re
import urllib.parse
from dataclasses import dataclass
from typing import Any, Optional

import yaml

from .rules import seconds
from .web import Refused, call

MATCHER = re.compile(r'\s*([A-Za-z_][A-Za-z0-9_]*)\s*(=~|!~|!=|=)\s*"?((?:[^"\\]|\\.)*)"?\s*$')


@dataclass(frozen=True)
class Route:
    """Where an alert goes, and when."""

    receiver: str
    group_by: tuple[str, ...] = ()
    group_wait: float = 30.0
    group_interval: float = 300.0


def meets(labels: dict[str, str], name: str, operator: str, value: str) -> bool:
    """Whether labels meet one matcher; a label that is not there is an empty one."""
    have = labels.get(name, "")
    if operator in ("=", "!="):
        return (have == value) == (operator == "=")
    return (re.fullmatch(value, have) is not None) == (operator == "=~")


def matchers(node: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Of a route or an inhibition rule, in the new and the two old ways to write them."""
    found = [(name, "=", str(value)) for name, value in (node.get("match") or {}).items()]
    found += [(name, "=~", str(value)) for name, value in (node.get("match_re") or {}).items()]
    for text in node.get("matchers") or []:
        for part in re.split(r',(?=(?:[^"]*"[^"]*")*[^"]*$)', str(text).strip().strip("{}")):
            match = MATCHER.match(part)
            if match is None:
                raise Refused(f"Alertmanager's matcher {text!r} is not understood")
            found.append((match[1], match[2], match[3].replace('\\"', '"')))
    return found


def routes(node: dict[str, Any], labels: dict[str, str], above: Optional[Route] = None) -> list[Route]:
    """The routes that take an alert with these labels, as Alertmanager walks its tree."""
    above = above or Route("")
    if not all(meets(labels, *matcher) for matcher in matchers(node)):
        return []
    here = Route(node.get("receiver") or above.receiver,
                 tuple(node["group_by"]) if node.get("group_by") is not None else above.group_by,
                 seconds(node.get("group_wait"), above.group_wait),
                 seconds(node.get("group_interval"), above.group_interval))
    taken: list[Route] = []
    for child in node.get("routes") or []:
        found = routes(child, labels, here)
        taken += found
        if found and not child.get("continue"):
            break
    return taken or [here]


class Alertmanager:
    """One Alertmanager, by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def get(self, path: str, **parameters: Any) -> Any:
        query = "?" + urllib.parse.urlencode(parameters, doseq=True) if parameters else ""
        return call("Alertmanager", f"{self.url}/api/v2/{path}{query}")

    def route(self, labels: dict[str, str]) -> Route:
        """The first route that takes an alert with these labels."""
        status = self.get("status")
        try:
            tree = yaml.safe_load(status["config"]["original"])["route"]
        except (KeyError, TypeError, yaml.YAMLError):
            raise Refused(f"{self.url} does not tell its configuration") from None
        return routes(tree, labels)[0]

    def silences(self, labels: dict[str, str]) -> list[dict[str, Any]]:
        """Active silences that would keep an alert with these labels from being told."""
        found = []
        for silence in self.get("silences"):
            operators = {(True, False): "=", (False, False): "!=", (True, True): "=~", (False, True): "!~"}
            if silence["status"]["state"] == "active" and all(
                    meets(labels, m["name"], operators[m.get("isEqual", True), m["isRegex"]], m["value"])
                    for m in silence["matchers"]):
                found.append(silence)
        return found

    def alert(self, labels: dict[str, str]) -> Optional[dict[str, Any]]:
        """The alert with these labels, with its `status`, or None."""
        wanted = [f'{name}="{value}"' for name, value in labels.items()]
        found = self.get("alerts", filter=wanted)
        return found[0] if found else None

    def is_grouped(self, route: Route, labels: dict[str, str]) -> bool:
        """Whether the group that it comes into is there already: then it is told at the group's next interval."""
        if "..." in route.group_by:
            return False
        for group in self.get("alerts/groups", receiver=f"^(?:{re.escape(route.receiver)})$"):
            if (all(group["labels"].get(name, "") == labels.get(name, "") for name in route.group_by)
                    and any(not labels.items() <= alert["labels"].items() for alert in group["alerts"])):
                return True
        return False
