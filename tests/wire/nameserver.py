"""A nameserver of our own, on UDP: it answers by a table, well or in every bad way, and remembers
what it was asked."""

import socket
import struct
import threading
import time
from typing import NamedTuple

A, AAAA = 1, 28
MODES = ("well", "nxdomain", "servfail", "refused", "silent", "garbage", "truncated", "slow")
CODES = {"servfail": 2, "nxdomain": 3, "refused": 5}


class Host(NamedTuple):
    """A name's addresses, and how it is answered for."""
    ipv6: tuple = ()
    ipv4: tuple = ()
    mode: str = "well"


def parse_name(packet: bytes) -> tuple:
    """(name in lower case, offset of what follows it) of the question."""
    labels, at = [], 12
    while packet[at]:
        labels.append(packet[at + 1:at + 1 + packet[at]].decode().lower())
        at += 1 + packet[at]
    return ".".join(labels), at + 1


class Nameserver:
    """`hosts` is {name: Host} and may change while it runs; other names do not exist."""

    def __init__(self, hosts: dict, address: str = "127.0.0.1", port: int = 53):
        self.hosts = hosts
        self.asked: list = []  # (type, name)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((address, port))
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def _serve(self):
        while True:
            try:
                packet, sender = self.socket.recvfrom(4096)
            except OSError:
                return
            answer = self._answer(packet)
            if answer:
                self.socket.sendto(answer, sender)

    def _answer(self, packet: bytes):
        name, at = parse_name(packet)
        kind = struct.unpack_from("!H", packet, at)[0]
        self.asked.append((kind, name))
        host = self.hosts.get(name, Host(mode="nxdomain"))
        if host.mode == "silent":
            return None
        if host.mode == "slow":
            time.sleep(0.7)
        records = b""
        family = socket.AF_INET if kind == A else socket.AF_INET6
        addresses = (host.ipv4 if kind == A else host.ipv6) if host.mode not in CODES else ()
        for address in addresses:
            data = socket.inet_pton(family, address)
            records += struct.pack("!HHHIH", 0xc00c, kind, 1, 5, len(data)) + data
        flags = 0x8180 | (0x0200 if host.mode == "truncated" else 0) | CODES.get(host.mode, 0)
        count = 7 if host.mode == "garbage" else len(addresses)
        return (packet[:2] + struct.pack("!HHHHH", flags, 1, count, 0, 0)
                + packet[12:at + 4] + records)
