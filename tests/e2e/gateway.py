"""The door from outside, whatever it is: the Gateway that has accepted the service's HTTPRoute, or the Ingress' load
balancer. Neither is asked for by name: what the cluster says of itself is taken.

    client ──> address of the Gateway or the Ingress ──> a pod of the service
"""

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.error import HTTPError

from cluster import Cluster
from glassbox import Glassbox
from wire import eventually

GATEWAYS, INGRESSES = "apis/gateway.networking.k8s.io/v1", "apis/networking.k8s.io/v1"
UNPROVED = "unproved: that requests from outside reach the service, and nothing of the operators'"


@dataclass(frozen=True)
class Door:
    """Where requests from outside go in."""

    kind: str  # HTTPRoute or Ingress
    url: str
    route: dict[str, Any] = field(default_factory=dict)    # of the service
    gateway: dict[str, Any] = field(default_factory=dict)  # where it is one


def conditions(of: dict[str, Any]) -> dict[str, str]:
    """Type and status of those that are about the object as it is now."""
    return {one["type"]: one["status"] for one in of.get("conditions", ())}


def address(status: dict[str, Any], key: str) -> str:
    """The first of them: a host name or an IP address, or ""."""
    found = status.get(key) or [{}]
    return found[0].get("value") or found[0].get("hostname") or found[0].get("ip") or ""


def listener(gateway: dict[str, Any], parent: dict[str, Any]) -> dict[str, Any]:
    """That a route's parentRef names, else the first that speaks HTTP."""
    there = gateway["spec"]["listeners"]
    return next(one for one in there if one["name"] == parent.get("sectionName", one["name"])
                and one["protocol"] in ("HTTP", "HTTPS"))


def url(scheme: str, host: str, port: int) -> str:
    """Without a port that goes without saying."""
    usual = {"http": 80, "https": 443}[scheme]
    return f"{scheme}://{host}" + ("" if port == usual else f":{port}")


def of_route(cluster: Cluster, route: dict[str, Any]) -> Door | None:
    """The first Gateway with an address that has accepted it."""
    for parent in route.get("status", {}).get("parents", ()):
        if conditions(parent).get("Accepted") != "True":
            continue
        reference = parent["parentRef"]
        space = reference.get("namespace", route["metadata"]["namespace"])
        gateway = cluster.get(f"/{GATEWAYS}/namespaces/{space}/gateways/{reference['name']}")
        if host := address(gateway.get("status", {}), "addresses"):
            door = listener(gateway, reference)
            host = (route["spec"].get("hostnames") or [host])[0]  # its name leads to the address
            return Door("HTTPRoute", url(door["protocol"].lower(), host, door["port"]), route, gateway)
    return None


def of_ingress(ingress: dict[str, Any]) -> Door | None:
    """By its load balancer's address, where it has one."""
    host = address(ingress.get("status", {}).get("loadBalancer", {}), "ingress")
    if not host:
        return None
    named = next((rule["host"] for rule in ingress["spec"].get("rules", ()) if rule.get("host")), host)
    scheme = "https" if ingress["spec"].get("tls") else "http"
    return Door("Ingress", url(scheme, named, {"http": 80, "https": 443}[scheme]), ingress)


def items(cluster: Cluster, service: Glassbox, kind: str, group: str) -> list[dict[str, Any]]:
    """Of the release; none where the API has no such kind."""
    try:
        return cluster.items(service.namespace, kind, service.selector, group)
    except HTTPError as error:
        if error.code != 404:
            raise
        return []


def find(cluster: Cluster, service: Glassbox) -> Door | str:
    """The door, or why there is none."""
    routes = items(cluster, service, "httproutes", GATEWAYS)
    ingresses = items(cluster, service, "ingresses", INGRESSES)
    if not routes and not ingresses:
        return "neither an HTTPRoute nor an Ingress of the service is in this cluster"
    found: list[Door] = []

    def look() -> bool:
        for route in items(cluster, service, "httproutes", GATEWAYS):
            found.extend(filter(None, [of_route(cluster, route)]))
        for ingress in items(cluster, service, "ingresses", INGRESSES):
            found.extend(filter(None, [of_ingress(ingress)]))
        return bool(found)
    # A controller takes its time, and a cloud's load balancer minutes.
    if not eventually(look, 30 if cluster.is_node else 300, 1):
        return f"no controller gives an address to {json.dumps([one['metadata']['name'] for one in routes + ingresses])}"
    return found[0]
