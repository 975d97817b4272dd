"""A collector by its name: several addresses, IPv6 first; DNS that fails, is slow, changes; what a
cluster's resolv.conf and a hosts file say. Each test has a network of its own, with a nameserver of
ours on port 53, since the service asks those of /etc/resolv.conf itself."""

import contextlib
import socket
from pathlib import Path

from certificates import Authority
from collector import Collector, server_tls
from delivery import HASTY, PATIENT, QUICK, call, delivered, infos, lost, warnings
from namespace import in_namespace, show
from nameserver import A, AAAA, Host, Nameserver
from service import Service
from wire import eventually

NAME = "collector.test"
PORT = 4318
CLUSTER = """search shop.svc.cluster.local svc.cluster.local cluster.local
nameserver 127.0.0.1
options ndots:5
"""


class Files:
    """What /etc has for those who look names up: ours, to be written over at any time."""

    def __init__(self, folder: Path, resolv_conf: str = "nameserver 127.0.0.1\nsearch .\n",
                 hosts: str = "127.0.0.1 localhost\n"):
        self.resolv_conf = folder / "resolv.conf"
        self.hosts = folder / "hosts"
        nsswitch = folder / "nsswitch.conf"
        self.resolv_conf.write_text(resolv_conf)
        self.hosts.write_text(hosts)
        nsswitch.write_text("hosts: files\n")  # by way of the C library no nameserver is asked
        show("/etc/resolv.conf", self.resolv_conf)
        show("/etc/hosts", self.hosts)
        with contextlib.suppress(OSError):  # there may be none
            show("/etc/nsswitch.conf", nsswitch)


def env_of(host: str = NAME, times=PATIENT, scheme: str = "http", **more) -> dict:
    return {**times, "OTEL_EXPORTER_OTLP_ENDPOINT": f"{scheme}://{host}:{PORT}", **more}


def listen(host: str, **more) -> Collector:
    return Collector(host=host, port=PORT, **more)


def reach(service: Service, collector: Collector, count: int) -> None:
    """One more request, whose span arrives there as its count-th."""
    call(service)
    assert eventually(lambda: collector.acknowledged == count, timeout=15), infos(service)


@contextlib.contextmanager
def swallowing(host: str):
    """An address that answers no SYN: its listener's queue is full."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind((host, PORT))
        listener.listen(0)
        for _ in range(4):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex((host, PORT))
        yield


# ---- several addresses --------------------------------------------------------------------------

@in_namespace
def test_ipv6_first(tmp_path):
    Files(tmp_path)
    hosts = {NAME: Host(ipv4=("127.0.0.1",), ipv6=("::1",))}
    with Nameserver(hosts) as nameserver, listen("::1") as six, listen("127.0.0.1") as four:
        with Service(env=env_of()) as service:
            reach(service, six, 1)
            reach(service, six, 2)
            delivered(service, six, 2)
        assert four.connections == 0
    assert sorted(nameserver.asked) == [(A, NAME), (AAAA, NAME)], "once a connection"


@in_namespace
def test_dead_addresses_are_passed_over(tmp_path):
    """Nobody at the first, no way to the second, and the third swallows packets."""
    Files(tmp_path)
    hosts = {NAME: Host(ipv6=("::1", "2001:db8::1"), ipv4=("127.0.0.2", "127.0.0.1"))}
    with Nameserver(hosts), swallowing("127.0.0.2"), listen("127.0.0.1") as collector:
        with Service(env=env_of(OTEL_EXPORTER_OTLP_TIMEOUT="1000")) as service:
            reach(service, collector, 1)
            delivered(service, collector, 1)
        with Service(*HASTY, env=env_of(times={**QUICK, "OTEL_BSP_EXPORT_TIMEOUT": "2500"},
                                         OTEL_EXPORTER_OTLP_TIMEOUT="1000")) as service:
            collector.stop()
            call(service)
            lost(service, 1, "connection", "::1: connection refused",
                 "2001:db8::1: Network is unreachable", "127.0.0.2: no connection in time",
                 "127.0.0.1: connection refused")


@in_namespace
def test_one_that_hangs_is_tried_last(tmp_path):
    """It takes the connection and the spans, and never answers: the next try goes elsewhere."""
    Files(tmp_path)
    with Nameserver({NAME: Host(ipv6=("::1",), ipv4=("127.0.0.1",))}), \
            listen("::1", mode="hang") as six, listen("127.0.0.1") as four:
        with Service(env=env_of(OTEL_EXPORTER_OTLP_TIMEOUT="300")) as service:
            reach(service, four, 1)
            reach(service, four, 2)
            delivered(service, four, 2)
        assert six.connections == 1 and six.acknowledged == 0


@in_namespace
def test_by_name_over_tls(tmp_path):
    Files(tmp_path)
    ca = Authority(tmp_path, "ca")
    server = ca.issue("server", f"DNS:{NAME}")
    tls = server_tls(server.certificate, server.key)
    with Nameserver({NAME: Host(ipv4=("127.0.0.1",))}), listen("127.0.0.1", tls=tls) as collector:
        env = env_of(scheme="https", OTEL_EXPORTER_OTLP_CERTIFICATE=str(ca.certificate))
        with Service(env=env) as service:
            reach(service, collector, 1)
            delivered(service, collector, 1)
    assert [h.name for h in collector.handshakes] == [NAME]


# ---- DNS that fails -----------------------------------------------------------------------------

FAILURES = {
    "unknown": ("nxdomain", "the name does not exist"),
    "empty": ("well", "the name has no address"),
    "failing": ("servfail", "the nameserver failed to find out (SERVFAIL)"),
    "refused": ("refused", "the nameserver refuses to answer"),
    "garbage": ("garbage", "the nameserver's answer is malformed"),
    "truncated": ("truncated", "the nameserver's answer does not fit into 512 bytes"),
    "silent": ("silent", "the name was not resolved in time"),
}


@in_namespace
def test_every_failure_is_told_apart(tmp_path):
    """All of them at once, since each is mostly waiting."""
    Files(tmp_path)
    hosts = {f"{name}.test": Host(mode=mode) for name, (mode, _) in FAILURES.items()}
    with Nameserver(hosts) as nameserver, contextlib.ExitStack() as stack:
        services = {name: stack.enter_context(Service(*HASTY, env=env_of(
            f"{name}.test", QUICK, OTEL_EXPORTER_OTLP_TIMEOUT="250"))) for name in FAILURES}
        for service in services.values():
            call(service)
        for name, service in services.items():
            message = lost(service, 1, "connection", FAILURES[name][1])
            assert message.endswith(f"{name}.test: {FAILURES[name][1]}") or name == "truncated"
    assert {name for _, name in nameserver.asked} == set(hosts), "and nothing else is asked for"


@in_namespace
def test_dns_that_comes_late(tmp_path):
    """Slow, then silent, then there: nothing is lost meanwhile."""
    Files(tmp_path)
    hosts = {NAME: Host(ipv4=("127.0.0.1",), mode="slow"),
             "late.test": Host(ipv4=("127.0.0.1",), mode="servfail")}
    with Nameserver(hosts), listen("127.0.0.1") as collector:
        with Service(env=env_of()) as service, Service(env=env_of("late.test")) as late:
            call(late)
            reach(service, collector, 1)
            service.stop()
            hosts["late.test"] = Host(ipv4=("127.0.0.1",))
            assert eventually(lambda: late.value("glassbox_span_export_retries_total"))
            before = collector.acknowledged
            assert eventually(lambda: collector.acknowledged > before, timeout=15), infos(late)
            assert late.stop()["spans_failed"] == 0
            assert warnings(late) == []


@in_namespace
def test_the_second_nameserver(tmp_path):
    """The first one is not there; a lookup takes its time, and goes well."""
    Files(tmp_path, "nameserver 127.0.0.9\nnameserver 127.0.0.1\noptions timeout:1\n")
    with Nameserver({NAME: Host(ipv4=("127.0.0.1",))}), listen("127.0.0.1") as collector:
        with Service(env=env_of()) as service:
            reach(service, collector, 1)
            delivered(service, collector, 1)


# ---- DNS that changes ---------------------------------------------------------------------------

@in_namespace
def test_a_name_that_moves(tmp_path):
    """The connection that stands goes on; when it ends, the name is asked for again."""
    Files(tmp_path)
    hosts = {NAME: Host(ipv4=("127.0.0.1",))}
    with Nameserver(hosts), listen("127.0.0.1") as old, listen("127.0.0.2") as new:
        with Service(env=env_of()) as service:
            old.hangs_up_after = 2
            reach(service, old, 1)
            hosts[NAME] = Host(ipv4=("127.0.0.2",))
            reach(service, old, 2)
            reach(service, new, 1)
            delivered(service, [old, new], 3)


@in_namespace
def test_files_that_change(tmp_path):
    """Another nameserver, then a line in hosts: both count for the next connection."""
    files = Files(tmp_path)
    with Nameserver({NAME: Host(ipv4=("127.0.0.1",))}), \
            Nameserver({NAME: Host(ipv4=("127.0.0.2",))}, "127.0.0.53"), \
            listen("127.0.0.1") as first, listen("127.0.0.2") as second, \
            listen("127.0.0.3") as third:
        with Service(env=env_of()) as service:
            first.hangs_up_after = second.hangs_up_after = 1
            reach(service, first, 1)
            files.resolv_conf.write_text("nameserver 127.0.0.53\n")
            reach(service, second, 1)
            files.hosts.write_text(f"127.0.0.3 {NAME}\n")
            reach(service, third, 1)
            delivered(service, [first, second, third], 3)


# ---- without DNS, and a cluster's ---------------------------------------------------------------

@in_namespace
def test_localhost_and_hosts_need_no_nameserver(tmp_path):
    Files(tmp_path, hosts=f"::1 {NAME}\n")  # which does not even know localhost
    with Nameserver({}) as nameserver, listen("::1") as six:
        for host in ("localhost", "otel.localhost", NAME):
            before = six.acknowledged
            with Service(env=env_of(host)) as service:
                reach(service, six, before + 1)
                assert service.stop()["spans_failed"] == 0
    assert nameserver.asked == []


@in_namespace
def test_the_search_list_of_a_cluster(tmp_path):
    """A short name is completed; a full one is found although it has few dots; one that ends in a dot
    is asked for as it is. No IPv6 here is no reason to look for it at another host of that name."""
    Files(tmp_path, CLUSTER)
    hosts = {"otel.shop.svc.cluster.local": Host(ipv4=("127.0.0.1",)),
             "otel.cluster.local": Host(ipv6=("::1",)),
             "collector.example.com": Host(ipv4=("127.0.0.1",))}
    with Nameserver(hosts) as nameserver, listen("127.0.0.1") as collector, \
            listen("::1") as stranger:
        for host, questions in (("otel", 1), ("otel.shop", 2), ("collector.example.com", 4),
                                ("collector.example.com.", 1)):
            before = collector.acknowledged
            nameserver.asked.clear()
            with Service(env=env_of(host)) as service:
                reach(service, collector, before + 1)
                assert service.stop()["spans_failed"] == 0
            # One family's answer is enough to go on: the other's question may still be under way.
            eventually(lambda: len(nameserver.asked) >= 2 * questions)
            names = [name for kind, name in nameserver.asked if kind == A]
            assert len(names) == questions, nameserver.asked
            assert len(nameserver.asked) == 2 * questions, "both families, each name once"
            assert infos(service) == []
        assert stranger.connections == 0
