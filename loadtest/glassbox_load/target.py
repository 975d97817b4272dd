"""What may be loaded: this machine, and private addresses such as a cluster's. Anything else only if its host is named
a second time, in ALLOW_HOST: a load test of somebody else is an attack."""

import ipaddress
import socket
from urllib.parse import urlsplit

from .refused import Refused

SERVICES = (".svc", ".svc.cluster.local")
PRIVATE = tuple(map(ipaddress.ip_network, ("127.0.0.0/8", "::1/128", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",
                                           "fc00::/7")))


def is_private(address: str) -> bool:
    """Loopback, RFC 1918, RFC 4193; an IPv4 address in an IPv6 one is that."""
    found = ipaddress.ip_address(address.partition("%")[0])
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in PRIVATE)


def addresses(host: str, port: int) -> list[str]:
    """All that the name stands for."""
    try:
        return sorted({str(row[4][0]) for row in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except (OSError, UnicodeError) as error:
        raise Refused(f"TARGET: {host} has no address: {error}") from None


def place(url: str, allowed: str) -> tuple[str, int]:
    """Host and port."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or {"http": 80, "https": 443}[parts.scheme]
    except ValueError as error:
        raise Refused(f"TARGET={url}: {error}") from None
    if not host or parts.username is not None:
        raise Refused(f"TARGET={url}: not http://HOST[:PORT]")
    if allowed and allowed != host:
        raise Refused(f"ALLOW_HOST={allowed}: TARGET is another, {host}")
    return host, port


def check_in_cluster(url: str, allowed: str) -> None:
    """From a pod: a Service is the cluster's own, by its name."""
    if not place(url, allowed)[0].endswith(SERVICES):
        check(url, allowed)


def check(url: str, allowed: str) -> None:
    """Refuses what may not be loaded."""
    host, port = place(url, allowed)
    public = [one for one in addresses(host, port) if not is_private(one)]
    if public and not allowed:
        raise Refused(f"TARGET={url}: {', '.join(public)} is neither loopback nor private; if it is yours to load, say "
                      f"ALLOW_HOST={host}")
