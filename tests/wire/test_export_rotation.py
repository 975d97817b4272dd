"""Files of TLS that are replaced under the running service, in place and as a mounted secret is: the
next batch goes with the new ones, and what is of no use changes nothing but is told."""

import os
import shutil
from pathlib import Path

import pytest

from certificates import Authority, Identity
from collector import Collector, server_tls
from delivery import HASTY, PATIENT, QUICK, call, delivered, infos, lost, said, warnings
from service import Service
from wire import eventually


class Certificates:
    """Two authorities, a server and clients."""

    def __init__(self, folder: Path):
        self.ca = Authority(folder, "ca")
        self.other_ca = Authority(folder, "other-ca")
        self.server = self.ca.issue("server")
        self.renewed = self.other_ca.issue("renewed")
        self.one = self.ca.issue("one", "DNS:client")
        self.two = self.ca.issue("two", "DNS:client")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


class Secret:
    """A folder as the kubelet mounts a secret: names are links into `..data`, which is a link to a
    folder of this version, and that link is what is replaced."""

    def __init__(self, folder: Path, **files: Path):
        self.folder = folder
        self.version = 0
        folder.mkdir()
        self.mount(**files)
        for name in files:
            os.symlink(f"..data/{name}", folder / name)

    def mount(self, **files: Path) -> None:
        self.version += 1
        version = self.folder / f"..v{self.version}"
        version.mkdir()
        for name, source in files.items():
            shutil.copy(source, version / name)
        os.symlink(version.name, self.folder / "..new")
        os.rename(self.folder / "..new", self.folder / "..data")


def env_of(collector: Collector, folder: Path, times=PATIENT, client: bool = True) -> dict:
    env = {**times, "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://localhost:{collector.port}",
           "OTEL_EXPORTER_OTLP_CERTIFICATE": str(folder / "ca")}
    if client:
        env["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] = str(folder / "certificate")
        env["OTEL_EXPORTER_OTLP_CLIENT_KEY"] = str(folder / "key")
    return env


def files_of(certificates: Certificates, client: Identity) -> dict:
    return {"ca": certificates.ca.certificate, "certificate": client.certificate, "key": client.key}


def reach(service: Service, collector: Collector, count: int) -> None:
    """One more request, the count-th, whose span arrives."""
    call(service)
    assert eventually(lambda: collector.acknowledged == count, timeout=15), infos(service)


def test_a_mounted_secret(certificates, tmp_path):
    secret = Secret(tmp_path / "secret", **files_of(certificates, certificates.one))
    tls = server_tls(certificates.server.certificate, certificates.server.key,
                     certificates.ca.certificate)
    with Collector(tls=tls) as collector:
        with Service(env=env_of(collector, secret.folder)) as service:
            reach(service, collector, 1)
            secret.mount(**files_of(certificates, certificates.two))
            reach(service, collector, 2)
            reach(service, collector, 3)
            assert said(service, "the files were replaced; connections from now on use them")
            # the key of another certificate: what was read before stays, and so does the connection
            secret.mount(ca=certificates.ca.certificate, key=certificates.one.key,
                         certificate=certificates.two.certificate)
            reach(service, collector, 4)
            reach(service, collector, 5)
            assert said(service, "OTEL_EXPORTER_OTLP_CLIENT_KEY:", "it does not belong to the "
                        "certificate", "what was read before stays in force"), infos(service)
            secret.mount(**files_of(certificates, certificates.one))
            reach(service, collector, 6)
            assert said(service, "were replaced and are good again"), infos(service)
            assert len(warnings(service)) == 2
            delivered(service, collector, 6, quiet=False)
    assert [h.client for h in collector.handshakes] == ["one", "two", "one"]


def test_a_file_that_is_half_written(certificates, tmp_path):
    whole = certificates.ca.certificate.read_bytes()
    (tmp_path / "ca").write_bytes(whole)
    tls = server_tls(certificates.server.certificate, certificates.server.key)
    with Collector(tls=tls) as collector:
        with Service(env=env_of(collector, tmp_path, client=False)) as service:
            reach(service, collector, 1)
            for count, part in enumerate((whole[:300], b"", whole[:500]), start=2):
                (tmp_path / "ca").write_bytes(part)
                reach(service, collector, count)
            assert said(service, "OTEL_EXPORTER_OTLP_CERTIFICATE:", "it holds no CA certificates",
                        "what was read before stays in force"), infos(service)
            assert len(warnings(service)) == 1, "once, not for each"
            (tmp_path / "ca").write_bytes(whole)
            reach(service, collector, 5)
            assert said(service, "good again")
            delivered(service, collector, 5, quiet=False)
    assert len(collector.handshakes) == 2


def test_the_collectors_certificate(certificates, tmp_path):
    """By another authority, which was made known before, as it must be."""
    (tmp_path / "ca").write_bytes(certificates.ca.certificate.read_bytes())
    tls = server_tls(certificates.server.certificate, certificates.server.key)
    with Collector(tls=tls) as collector:
        with Service(env=env_of(collector, tmp_path, client=False)) as service:
            reach(service, collector, 1)
            with (tmp_path / "ca").open("ab") as file:
                file.write(certificates.other_ca.certificate.read_bytes())
            tls.load_cert_chain(certificates.renewed.certificate, certificates.renewed.key)
            reach(service, collector, 2)
            reach(service, collector, 3)
            delivered(service, collector, 3)
    assert len(collector.handshakes) == 2


def test_trust_that_is_taken_back(certificates, tmp_path):
    (tmp_path / "ca").write_bytes(certificates.ca.certificate.read_bytes())
    tls = server_tls(certificates.server.certificate, certificates.server.key)
    with Collector(tls=tls) as collector:
        with Service(*HASTY, env=env_of(collector, tmp_path, QUICK, client=False)) as service:
            (tmp_path / "ca").write_bytes(certificates.other_ca.certificate.read_bytes())
            call(service)
            lost(service, 1, "connection", "unable to get local issuer certificate",
                 "CN=ca, who issued it, is not in", str(tmp_path / "ca"))
        assert collector.requests == []
