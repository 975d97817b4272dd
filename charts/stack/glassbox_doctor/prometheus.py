"""What a link asks of Prometheus, by the API server's proxy, and Alertmanager, which the same operator runs."""

import urllib.parse
from functools import cached_property
from typing import TYPE_CHECKING, Any, Optional

from .cluster import Cluster, Object, name_of, namespace_of, proxy
from .kubectl import Failed

if TYPE_CHECKING:
    from .facts import Facts

PORTS = ("http-web", "web", "http")


def port_of(service: Object, names: tuple[str, ...], number: int) -> str:
    """Of a Service, the port by one of its usual names, by its number, or the first, as a proxy's path takes it."""
    ports = service["spec"]["ports"]
    for name in names:
        if any(port.get("name") == name for port in ports):
            return name
    for port in ports:
        if number in (port["port"], port.get("targetPort")):
            return str(port["port"])
    return str(ports[0]["port"])


class Operated:
    """A server that the operator runs for a custom resource; its Service is found by its pods."""

    label = ""      # the pods' app.kubernetes.io/name
    port = 0

    def __init__(self, cluster: Cluster, thing: Optional[Object], facts: "Facts") -> None:
        self.cluster = cluster
        self.thing = thing
        self.facts = facts

    @cached_property
    def pods(self) -> list[Object]:
        if self.thing is None:
            return []
        labels = {"app.kubernetes.io/name": self.label, "app.kubernetes.io/instance": name_of(self.thing)}
        return self.facts.pods_of({"matchLabels": labels}, namespace_of(self.thing))

    @cached_property
    def service(self) -> Optional[Object]:
        found = self.facts.services_of(self.pods[0]) if self.pods else []
        return found[0] if found else None

    def get(self, path: str, **parameters: str) -> Any:
        """A document of its API."""
        if self.service is None:
            raise Failed("it has no Service" if self.pods else "nothing runs")
        spec = self.thing["spec"] if self.thing else {}
        scheme = "https:" if ((spec.get("web") or {}).get("tlsConfig")) else ""
        query = "?" + urllib.parse.urlencode(parameters) if parameters else ""
        return self.cluster.json(proxy("services", namespace_of(self.service), scheme + name_of(self.service),
                                       port_of(self.service, PORTS, self.port),
                                       (spec.get("routePrefix") or "/").strip("/") + "/" + path + query))


class Prometheus(Operated):
    """The one that is to scrape us."""

    label = "prometheus"
    port = 9090

    def data(self, path: str, **parameters: str) -> Any:
        answer = self.get(f"api/v1/{path}", **parameters)
        if answer.get("status") != "success":
            raise Failed(f"Prometheus refuses: {answer.get('error')}")
        return answer["data"]

    def query(self, expression: str) -> list[Object]:
        """Series of an instant query, each with `metric` and `value`."""
        return self.data("query", query=expression)["result"]

    def targets(self, pool: str) -> tuple[list[Object], list[Object]]:
        """Of a scrape pool: those that are scraped, and those that relabelling has dropped."""
        data = self.data("targets", state="any", scrapePool=pool)
        dropped = [one for one in data.get("droppedTargets") or []
                   if (one.get("scrapePool") or one.get("discoveredLabels", {}).get("job")) == pool]
        return [one for one in data["activeTargets"] if one["scrapePool"] == pool], dropped

    def config(self) -> str:
        return self.data("status/config")["yaml"]

    def rules(self) -> list[Object]:
        """Groups, each with `name`, `file`, `rules`."""
        return self.data("rules")["groups"]

    def alertmanagers(self) -> list[Object]:
        return self.data("alertmanagers")["activeAlertmanagers"]


class Alertmanager(Operated):
    """The one that is to tell people."""

    label = "alertmanager"
    port = 9093

    def receivers(self) -> list[str]:
        return [one["name"] for one in self.get("api/v2/receivers")]
