"""The static program needs nothing of the host: in a root where there is nothing but itself it exports,
by name and over TLS. Part of `make check`, which builds that program; GLASSBOX_STATIC_BIN is where.

The same path leads to the program from both roots, so that `Service` starts it as ever.
"""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from certificates import Authority
from collector import Collector, server_tls
from delivery import HASTY, PATIENT, QUICK, call, delivered, infos, lost, said
from namespace import in_namespace, show
from nameserver import Host, Nameserver
from service import Service, binary
from wire import eventually

pytestmark = pytest.mark.skipif("GLASSBOX_STATIC_BIN" not in os.environ,
                                reason="needs the static program: .ci/static.sh")

NAME = "collector.test"
USUAL_PLACE = "etc/ssl/certs/ca-certificates.crt"


class Root:
    """A root with the program, /dev/null, which every container has, and these files (path: text)."""

    def __init__(self, folder: Path, files: dict):
        self.folder = folder / "root"
        program = self.folder / binary().lstrip("/")
        program.parent.mkdir(parents=True)
        shutil.copy(binary(), program)
        for path, text in {"dev/null": "", **files}.items():
            (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / path).write_text(text)
        show(str(self.folder / "dev/null"), Path("/dev/null"))

    def serve(self, env: dict, *arguments) -> Service:
        return Service(*arguments, env=env, wrapper=("chroot", self.folder))


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    return Authority(tmp_path_factory.mktemp("tls"), "ca")


def listen(authority: Authority) -> Collector:
    server = authority.issue("server", f"DNS:{NAME},DNS:localhost")
    return Collector(tls=server_tls(server.certificate, server.key))


def env_of(collector: Collector, host: str = NAME, times=PATIENT, **more) -> dict:
    return {**times, "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://{host}:{collector.port}", **more}


def test_it_is_static():
    """No interpreter, no library; and the same check sees both in a program that is not."""
    def needs(program):
        shown = subprocess.run(["readelf", "--program-headers", "--dynamic", program], check=True,
                               capture_output=True, text=True).stdout
        return {word for word in ("INTERP", "NEEDED") if word in shown}
    assert needs("/bin/sh") == {"INTERP", "NEEDED"}
    assert needs(binary()) == set()


@in_namespace
def test_by_name_over_tls_in_an_empty_root(authority, tmp_path):
    """With resolv.conf, and the CAs wherever they were put."""
    ca = authority.certificate.read_text()
    with Nameserver({NAME: Host(ipv4=("127.0.0.1",))}) as nameserver:
        for number, (path, more) in enumerate([
                ("ca.pem", {"OTEL_EXPORTER_OTLP_CERTIFICATE": "/ca.pem"}),
                ("ca.pem", {"SSL_CERT_FILE": "/ca.pem"}), (USUAL_PLACE, {})]):
            folder = tmp_path / str(number)
            root = Root(folder, {"etc/resolv.conf": "nameserver 127.0.0.1\n", path: ca})
            with listen(authority) as collector, \
                    root.serve(env_of(collector, **more)) as service:
                call(service)
                delivered(service, collector, 1)
    assert {name for _, name in nameserver.asked} == {NAME}


@in_namespace
def test_without_any_file_at_all(authority, tmp_path):
    """The nameserver is then one on this machine, localhost needs none, and that there are no CAs is
    told."""
    root = Root(tmp_path, {})
    with Nameserver({NAME: Host(ipv4=("127.0.0.1",))}), Collector() as collector:
        for count, host in enumerate((NAME, "localhost"), start=1):
            env = {**PATIENT, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{host}:{collector.port}"}
            with root.serve(env) as service:
                call(service)
                assert eventually(lambda: collector.acknowledged >= count, timeout=15), (
                    infos(service))
                assert service.stop()["spans_failed"] == 0
    with listen(authority) as collector, \
            root.serve(env_of(collector, "localhost", QUICK), *HASTY) as service:
        assert said(service, "no CA certificates are to be found in", "nor any usual place")
        call(service)
        lost(service, 1, "connection", "unable to get local issuer certificate")
