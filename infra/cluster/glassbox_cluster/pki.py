"""Keys, certificates and kubeconfigs of one life of a node.

Two authorities: `ca` for all that speaks with the API server, and `front-proxy` for what the API server
itself shows to the aggregated APIs (metrics-server, prometheus-adapter): it passes the user's name on in
headers, which they may believe of nobody else. A name's certificate is a row of a table; who has a
kubeconfig is another.
"""

import base64
import subprocess
from pathlib import Path

from . import places

DAYS = "365"
NODES = "/O=system:nodes/CN=system:node:{name}"  # what the Node authoriser looks for
SERVICE = "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local"

# name, authority, subject, usage, other names. Subjects are those of RBAC's built-in bindings.
CERTIFICATES = (
    ("apiserver", "ca", "/CN=kube-apiserver", "serverAuth",
     f"{SERVICE},IP:{places.API_IP},IP:{places.NODE_IP},IP:127.0.0.1"),
    ("apiserver-kubelet", "ca", "/O=system:masters/CN=kube-apiserver-kubelet", "clientAuth", ""),
    ("apiserver-proxy", "front-proxy", "/CN=front-proxy-client", "clientAuth", ""),
    # From the same authority, so that metrics-server can check it and needs no insecure option.
    ("kubelet-serving", "ca", NODES, "serverAuth", "DNS:{name},IP:" + places.NODE_IP),
    ("kubelet", "ca", NODES, "clientAuth", ""),
    ("controllers", "ca", "/CN=system:kube-controller-manager", "clientAuth", ""),
    ("scheduler", "ca", "/CN=system:kube-scheduler", "clientAuth", ""),
    ("proxy", "ca", "/CN=system:kube-proxy", "clientAuth", ""),
    ("admin", "ca", "/O=system:masters/CN=admin", "clientAuth", ""),
)
KUBECONFIGS = ("kubelet", "controllers", "scheduler", "proxy", "admin")


def make(run: Path, name: str) -> None:
    """Writes run/pki and run/*.kubeconfig."""
    pki = run / "pki"
    pki.mkdir(mode=0o700)
    for authority in ("ca", "front-proxy"):
        _openssl(pki, "req", "-x509", *_new_key(authority), "-subj", f"/CN={authority}", "-days", DAYS,
                 "-out", f"{authority}.crt", "-addext", "basicConstraints=critical,CA:TRUE",
                 "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for row in CERTIFICATES:
        certificate, authority, subject, usage, others = (field.format(name=name) for field in row)
        _sign(pki, certificate, authority, subject, usage, others)
    _openssl(pki, "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "tokens.key")
    _openssl(pki, "ec", "-in", "tokens.key", "-pubout", "-out", "tokens.pub")
    for user in KUBECONFIGS:
        path = run / f"{user}.kubeconfig"
        path.touch(mode=0o600)
        path.write_text(_kubeconfig(pki, user, name))


def _sign(pki: Path, certificate: str, authority: str, subject: str, usage: str, others: str) -> None:
    extensions = f"keyUsage=critical,digitalSignature\nextendedKeyUsage={usage}\n"
    if others:
        extensions += f"subjectAltName={others}\n"
    (pki / "extensions").write_text(extensions)
    _openssl(pki, "req", *_new_key(certificate), "-subj", subject, "-out", "request")
    _openssl(pki, "x509", "-req", "-in", "request", "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key",
             "-CAcreateserial", "-days", DAYS, "-out", f"{certificate}.crt", "-extfile", "extensions")


def _new_key(name: str) -> tuple[str, ...]:
    return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", f"{name}.key")


def _openssl(pki: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=pki, check=True, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)


def _kubeconfig(pki: Path, user: str, name: str) -> str:
    ca, certificate, key = (base64.b64encode((pki / file).read_bytes()).decode()
                            for file in ("ca.crt", f"{user}.crt", f"{user}.key"))
    return f"""apiVersion: v1
kind: Config
clusters: [{{name: {name}, cluster: {{server: "{places.API}", certificate-authority-data: {ca}}}}}]
users: [{{name: {user}, user: {{client-certificate-data: {certificate}, client-key-data: {key}}}}}]
contexts: [{{name: {name}, context: {{cluster: {name}, user: {user}}}}}]
current-context: {name}
"""
