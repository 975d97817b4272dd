"""Telemetry over TLS: who may talk to whom, and what is said when not."""

import fcntl
import json
import os
import socket
import ssl
import struct
import subprocess
import termios
import threading
from pathlib import Path

import pytest

from certificates import Authority, Identity, openssl, self_signed
from collector import Collector, server_tls
from delivery import HASTY, PATIENT, QUICK, call, delivered, infos, lost, said
from service import Service, binary, environment
from wire import eventually


class Certificates:
    """Everybody who appears in these tests."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.ca = Authority(folder, "ca")
        self.stranger = Authority(folder, "stranger-ca")
        both = "DNS:localhost,IP:127.0.0.1,IP:::1"
        self.server = self.ca.issue("server", both)
        self.other = self.ca.issue("other", "DNS:other.example")
        self.expired = self.ca.issue("expired", both, -48, -24)
        self.early = self.ca.issue("early", both, 24, 48)
        self.renewed = self.ca.issue("renewed", both)
        self.foreign = self.stranger.issue("foreign", both)
        self.alone = self_signed(folder, "alone", both)
        self.client = self.ca.issue("client", "DNS:client")
        self.client2 = self.ca.issue("client2", "DNS:client")
        self.intruder = self.stranger.issue("intruder", "DNS:client")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    return Certificates(tmp_path_factory.mktemp("tls"))


def serve(identity: Identity, client_ca=None, **more) -> Collector:
    return Collector(tls=server_tls(identity.certificate, identity.key, client_ca), **more)


def env_of(collector, certificates, host="localhost", client=None, times=QUICK, **more) -> dict:
    """The environment of who exports there, trusts our CA and shows `client`'s certificate."""
    env = {**times, "OTEL_EXPORTER_OTLP_ENDPOINT": f"https://{host}:{collector.port}",
           "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.ca.certificate)}
    if client:
        env["OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"] = str(client.certificate)
        env["OTEL_EXPORTER_OTLP_CLIENT_KEY"] = str(client.key)
    return {**env, **more}


# ---- delivered ----------------------------------------------------------------------------------

@pytest.mark.parametrize("host, address, name", [
    ("localhost", "127.0.0.1", "localhost"), ("localhost.", "127.0.0.1", "localhost"),
    ("127.0.0.1", "127.0.0.1", None), ("[::1]", "::1", None), ("localhost", "::1", "localhost")])
def test_by_name_and_by_address(certificates, host, address, name):
    """One handshake carries all batches; SNI is the name, and nothing where there is none."""
    try:
        collector = serve(certificates.server, host=address)
    except OSError:
        pytest.skip("no IPv6 here")
    with collector, Service(env=env_of(collector, certificates, host)) as service:
        for i in range(4):
            call(service, 2)
            assert eventually(lambda: collector.acknowledged == 2 * i + 2, timeout=10)
        delivered(service, collector, 8)
    assert [tuple(h) for h in collector.handshakes] == [(name, "TLSv1.3", "http/1.1", None)]
    assert collector.connections == 1 and len(collector.requests) >= 4


def test_both_show_who_they_are_with_gzip(certificates):
    with serve(certificates.server, certificates.ca.certificate) as collector:
        env = env_of(collector, certificates, client=certificates.client,
                     OTEL_EXPORTER_OTLP_TRACES_COMPRESSION="gzip")
        with Service(env=env) as service:
            call(service, 3)
            delivered(service, collector, 3)
    assert [h.client for h in collector.handshakes] == ["client"]
    assert {r.headers["Content-Encoding"] for r in collector.requests} == {"gzip"}


def test_a_signals_own_files_win(certificates):
    """Spans and log records have connections of their own, each with its signal's certificate."""
    with serve(certificates.server, certificates.ca.certificate) as collector:
        env = env_of(collector, certificates, client=certificates.client, **{
            "OTEL_LOGS_EXPORTER": "otlp", "OTEL_BLRP_SCHEDULE_DELAY": "20",
            "OTEL_EXPORTER_OTLP_LOGS_CLIENT_CERTIFICATE": str(certificates.client2.certificate),
            "OTEL_EXPORTER_OTLP_LOGS_CLIENT_KEY": str(certificates.client2.key),
            "OTEL_EXPORTER_OTLP_CERTIFICATE": str(certificates.stranger.certificate),
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE": str(certificates.ca.certificate),
            "OTEL_EXPORTER_OTLP_LOGS_CERTIFICATE": str(certificates.ca.certificate)})
        with Service(env=env) as service:
            call(service)
            assert eventually(lambda: collector.logs_acknowledged == 1)
            delivered(service, collector, 1)
    assert sorted(h.client for h in collector.handshakes) == ["client", "client2"]


def test_the_systems_authorities(certificates):
    with serve(certificates.server) as collector:
        env = env_of(collector, certificates, SSL_CERT_FILE=str(certificates.ca.certificate))
        del env["OTEL_EXPORTER_OTLP_CERTIFICATE"]
        with Service(env=env) as service:
            call(service)
            delivered(service, collector, 1)


def test_an_answer_that_breaks_off_is_asked_for_again(certificates):
    with serve(certificates.server, first=["cut"]) as collector:
        with Service(env=env_of(collector, certificates, times=PATIENT)) as service:
            call(service)
            delivered(service, collector, 1)
    assert len(collector.handshakes) == 2


# ---- refused ------------------------------------------------------------------------------------

STRANGERS = {
    "wrong name": ("other", "hostname mismatch", "not for localhost but for DNS:other.example"),
    "expired": ("expired", "certificate has expired", "CN=expired was valid until"),
    "not yet valid": ("early", "certificate is not yet valid", "CN=early is valid from"),
    "self-signed": ("alone", "self-signed certificate", "CN=alone, who issued it, is not in"),
    "unknown CA": ("foreign", "unable to get local issuer certificate", "CN=stranger-ca, who"),
}


@pytest.mark.parametrize("case", STRANGERS)
def test_a_stranger_gets_nothing(certificates, case):
    who, *words = STRANGERS[case]
    with serve(getattr(certificates, who)) as collector:
        with Service(*HASTY, env=env_of(collector, certificates)) as service:
            call(service, 2)
            # at once, not only when the batch is given up
            assert said(service, "no connection to", "certificate refused", *words), infos(service)
            message = lost(service, 2, "connection", "certificate refused", *words)
            assert f"https://localhost:{collector.port}/v1/traces" in message
            early = [m for m in infos(service) if m.startswith("no connection to")]
            assert len(early) == 1, "once, however often it was tried"
        assert collector.requests == [] and collector.refused
    assert "alert" in collector.refused[0]


def test_an_address_must_be_in_the_certificate_too(certificates):
    with serve(certificates.other) as collector:
        with Service(*HASTY, env=env_of(collector, certificates, "127.0.0.1")) as service:
            call(service)
            lost(service, 1, "connection", "IP address mismatch", "not for 127.0.0.1")
        assert collector.requests == []


@pytest.mark.parametrize("client, words", [
    (None, ("certificate required", "it wants a client certificate")),
    ("intruder", ("unknown ca", "it does not know the CA of our client certificate")),
], ids=["none", "stranger's"])
def test_our_certificate_is_refused(certificates, client, words):
    with serve(certificates.server, certificates.ca.certificate) as collector:
        env = env_of(collector, certificates, client=getattr(certificates, client or "", None))
        with Service(*HASTY, env=env) as service:
            call(service)
            lost(service, 1, "connection", *words)
        assert collector.requests == []


def old_tls(identity: Identity) -> ssl.SSLContext:
    context = server_tls(identity.certificate, identity.key)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    return context


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused(certificates):
    with Collector(tls=old_tls(certificates.server)) as collector:
        with Service(*HASTY, env=env_of(collector, certificates)) as service:
            call(service)
            lost(service, 1, "connection", "protocol version", "it offers no TLS 1.2 or newer")


class Rude:
    """Takes connections, and instead of a handshake does what `answer` says."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.kept: list = []
        self.answer = answer
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        for connection in self.kept:
            connection.close()

    def _serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.kept.append(connection)
            self.answer(connection)


def speak_plain(connection):
    connection.recv(4096)
    connection.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


def hang_up(connection):
    connection.recv(4096)
    connection.close()


def reset(connection):
    connection.recv(4096)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


@pytest.mark.parametrize("answer, words", [
    (speak_plain, ("wrong version number", "what answers there does not speak TLS")),
    (hang_up, ("unexpected eof while reading", "it hung up")),
    (reset, ("Connection reset by peer",)),
    (lambda _: None, ("the TLS handshake did not end in time",)),
], ids=["plain HTTP", "hangs up", "resets", "stalls"])
def test_no_handshake(certificates, answer, words):
    with Rude(answer) as peer:
        env = env_of(peer, certificates, OTEL_EXPORTER_OTLP_TIMEOUT="200")
        with Service(*HASTY, env=env) as service:
            call(service, 2)
            lost(service, 2, "connection", f"127.0.0.1: {'TLS: ' if len(words) > 1 else ''}", *words)


def test_no_authorities_anywhere(certificates):
    with serve(certificates.server) as collector:
        env = env_of(collector, certificates, SSL_CERT_FILE="/nonexistent", SSL_CERT_DIR="/nowhere")
        del env["OTEL_EXPORTER_OTLP_CERTIFICATE"]
        with Service(*HASTY, env=env) as service:
            assert said(service, "no CA certificates are to be found in /nonexistent, /nowhere",
                        "every collector is refused", "OTEL_EXPORTER_OTLP_CERTIFICATE"), infos(service)
            call(service)
            lost(service, 1, "connection", "unable to get local issuer certificate",
                 "there are no CA certificates")


# ---- unusable at start --------------------------------------------------------------------------

CA = "OTEL_EXPORTER_OTLP_CERTIFICATE"
CERTIFICATE = "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"
KEY = "OTEL_EXPORTER_OTLP_CLIENT_KEY"
OWN_KEY = "OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY"

# Variables as files of the folder, and the error they lead to.
UNUSABLE = {
    "no CA file": ({CA: "nothing"}, "{CA}: {nothing}: No such file"),
    "CA file of junk": ({CA: "junk"}, "{CA}: {junk}: it holds no CA certificates"),
    "no certificate": ({CERTIFICATE: "nothing", KEY: "key"},
                       "{CERTIFICATE}: {nothing}: No such file"),
    "a directory": ({CERTIFICATE: "certificate", KEY: "."}, "{KEY}: {.}: Is a directory"),
    "key of another": ({CERTIFICATE: "certificate", KEY: "key", OWN_KEY: "other"},
                       "{OWN_KEY}: {other}: it does not belong to the certificate in {certificate}"),
    "encrypted key": ({CERTIFICATE: "certificate", KEY: "encrypted"},
                      "{KEY}: {encrypted}: it is encrypted"),
    "key alone": ({KEY: "key"}, "{KEY} needs {CERTIFICATE}, which is not set"),
    "certificate alone": ({CERTIFICATE: "certificate"}, "{CERTIFICATE} needs {KEY}"),
}


@pytest.fixture(scope="module")
def files(certificates):
    """{name: path} of what the rows above name."""
    folder = certificates.folder
    encrypted = folder / "encrypted.key"
    openssl(folder, "pkcs8", "-topk8", "-in", certificates.client.key, "-passout", "pass:secret",
            "-out", encrypted)
    (folder / "junk").write_text("-----BEGIN CERTIFICATE-----\nMIIB\n")
    return {"nothing": folder / "nothing", "junk": folder / "junk", ".": folder,
            "certificate": certificates.client.certificate, "key": certificates.client.key,
            "other": certificates.server.key, "encrypted": encrypted}


def take_terminal(terminal: int) -> None:
    os.setsid()
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


@pytest.mark.parametrize("case", UNUSABLE)
def test_unusable_files_are_told_at_start(files, case):
    """By the variable's name; and nobody is asked for a passphrase, though there is a terminal."""
    variables, words = UNUSABLE[case]
    for name, text in {**files, "CA": CA, "CERTIFICATE": CERTIFICATE, "KEY": KEY,
                       "OWN_KEY": OWN_KEY}.items():
        words = words.replace("{" + name + "}", str(text))
    env = environment({"OTEL_EXPORTER_OTLP_ENDPOINT": "https://localhost:1",
                       **{name: str(files[file]) for name, file in variables.items()}})
    ours, terminal = os.openpty()
    done = subprocess.run([binary(), "--listen", "127.0.0.1:0", "--access-log", "none"], env=env,
                          stdin=terminal, capture_output=True, timeout=20, check=False,
                          preexec_fn=lambda: take_terminal(terminal))
    os.set_blocking(ours, False)
    with pytest.raises(BlockingIOError):
        os.read(ours, 100)  # nothing was asked
    os.close(ours)
    os.close(terminal)
    messages = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.returncode == 1
    assert any(m["level"] == "error" and words in m["message"] for m in messages), messages
    assert any(m["level"] == "error" and m["component"] == "signals" for m in messages), messages
