"""Which door is found, by what a cluster says of routes, Gateways and Ingresses."""

from typing import Any
from urllib.error import HTTPError

import gateway
import pytest
from gateway import Door, find


class Said:
    """A cluster of canned answers; a kind that it has none of is not known to its API."""

    is_node = True

    def __init__(self, **kinds: list[dict[str, Any]]) -> None:
        self.kinds = kinds

    def items(self, _namespace: str, kind: str, _selector: str, group: str) -> list[dict[str, Any]]:
        if kind not in self.kinds:
            raise HTTPError(group, 404, "not found", None, None)  # type: ignore[arg-type]
        return self.kinds[kind]

    def get(self, path: str) -> dict[str, Any]:
        space, name = path.split("/")[-3], path.split("/")[-1]
        return next(one for one in self.kinds["gateways"]
                    if (one["metadata"]["namespace"], one["metadata"]["name"]) == (space, name))


class Service:
    """As far as it is asked for."""

    namespace, selector = "glassbox", "app=glassbox"


def route(accepted: str = "True", hostnames: tuple[str, ...] = (), **parent: str) -> dict[str, Any]:
    """Of the service, with what a controller says of it."""
    reference = {"name": "public", "namespace": "gateway", **parent}
    return {"metadata": {"name": "glassbox", "namespace": "glassbox"}, "spec": {"hostnames": list(hostnames)},
            "status": {"parents": [{"parentRef": reference, "conditions": [{"type": "Accepted", "status": accepted}]}]}}


def a_gateway(address: str = "10.0.0.1", namespace: str = "gateway") -> dict[str, Any]:
    """With two listeners."""
    return {"metadata": {"name": "public", "namespace": namespace},
            "spec": {"listeners": [{"name": "web", "protocol": "HTTP", "port": 80},
                                   {"name": "safe", "protocol": "HTTPS", "port": 8443}]},
            "status": {"addresses": [{"value": address}] if address else []}}


def ingress(host: str = "", tls: bool = False, **given: str) -> dict[str, Any]:
    """Of the service; `given` is its load balancer's address."""
    return {"metadata": {"name": "glassbox"}, "spec": {"rules": [{"host": host}], **({"tls": [{}]} if tls else {})},
            "status": {"loadBalancer": {"ingress": [given] if given else []}}}


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """One look, for nothing changes here."""
    monkeypatch.setattr(gateway, "eventually", lambda look, *_: look())


@pytest.mark.parametrize("kinds, url", [
    ({"httproutes": [route()], "gateways": [a_gateway()]}, "http://10.0.0.1"),
    ({"httproutes": [route(sectionName="safe")], "gateways": [a_gateway()]}, "https://10.0.0.1:8443"),
    ({"httproutes": [route(hostnames=("a.example",))], "gateways": [a_gateway()]}, "http://a.example"),
    ({"ingresses": [ingress(hostname="lb.example")]}, "http://lb.example"),
    ({"ingresses": [ingress(ip="10.0.0.2")]}, "http://10.0.0.2"),
    ({"ingresses": [ingress("a.example", tls=True, hostname="lb.example")]}, "https://a.example"),
    # What has no address is passed over.
    ({"httproutes": [route()], "gateways": [a_gateway("")], "ingresses": [ingress(ip="10.0.0.2")]}, "http://10.0.0.2"),
    ({"httproutes": [route("False")], "gateways": [a_gateway()], "ingresses": [ingress(ip="10.0.0.2")]}, "http://10.0.0.2"),
], ids=["gateway", "its other listener", "by name", "ingress", "by address", "over TLS", "no address", "not accepted"])
def test_the_door(kinds: dict[str, Any], url: str) -> None:
    door = find(Said(**kinds), Service())  # type: ignore[arg-type]
    assert isinstance(door, Door) and door.url == url
    assert (door.kind == "HTTPRoute") == bool(door.gateway)


def test_a_gateway_of_the_route_s_own_namespace() -> None:
    """A reference without one means that."""
    mine = route()
    del mine["status"]["parents"][0]["parentRef"]["namespace"]
    door = find(Said(httproutes=[mine], gateways=[a_gateway(namespace="glassbox")]), Service())  # type: ignore[arg-type]
    assert isinstance(door, Door) and door.gateway["metadata"]["namespace"] == "glassbox"


def test_why_there_is_none() -> None:
    assert "neither an HTTPRoute nor an Ingress" in str(find(Said(), Service()))  # type: ignore[arg-type]
    assert "no controller gives an address" in str(find(Said(ingresses=[ingress()]), Service()))  # type: ignore[arg-type]
