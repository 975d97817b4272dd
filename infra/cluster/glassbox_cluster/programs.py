"""The programs of a node and what each is told, in the order of their start.

Paths are those inside. What has a configuration file of its own has its choices there (config/).
A second group waits until the API server is ready: its programs would only end and be started again.
"""

from .places import INSIDE, NODE_IP, SERVICE_CIDR

PKI = f"{INSIDE}/pki"
ETCD = "http://127.0.0.1:2379"  # the namespace's own loopback
PEER = "http://127.0.0.1:2380"


def containerd() -> list[str]:
    return ["containerd", "--config", f"{INSIDE}/containerd.toml"]


def etcd() -> list[str]:
    return ["etcd", "--name=node", f"--data-dir={INSIDE}/etcd", "--log-level=warn",
            f"--listen-client-urls={ETCD}", f"--advertise-client-urls={ETCD}",
            f"--listen-peer-urls={PEER}", f"--initial-advertise-peer-urls={PEER}", f"--initial-cluster=node={PEER}",
            f"--listen-metrics-urls=http://{NODE_IP}:2381",  # where Prometheus can reach it
            "--unsafe-no-fsync"]  # a node's state need not survive the machine


def api_server() -> list[str]:
    return ["kube-apiserver", f"--advertise-address={NODE_IP}", f"--service-cluster-ip-range={SERVICE_CIDR}",
            f"--etcd-servers={ETCD}", "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction", "--allow-privileged",
            f"--client-ca-file={PKI}/ca.crt",
            f"--tls-cert-file={PKI}/apiserver.crt", f"--tls-private-key-file={PKI}/apiserver.key",
            f"--kubelet-certificate-authority={PKI}/ca.crt", "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-client-certificate={PKI}/apiserver-kubelet.crt",
            f"--kubelet-client-key={PKI}/apiserver-kubelet.key",
            # The aggregated APIs: who we are to them, and in which headers the user's name goes.
            f"--requestheader-client-ca-file={PKI}/front-proxy.crt",
            "--requestheader-allowed-names=front-proxy-client",
            "--requestheader-username-headers=X-Remote-User", "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={PKI}/apiserver-proxy.crt",
            f"--proxy-client-key-file={PKI}/apiserver-proxy.key",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={PKI}/tokens.pub", f"--service-account-signing-key-file={PKI}/tokens.key"]


def _client(program: str, user: str) -> list[str]:
    """The two that act on the API server alone. Their metrics are on the node's address; there is one
    of each, so none needs to be elected, which would take seconds."""
    config = f"{INSIDE}/{user}.kubeconfig"
    return [program, f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}", f"--bind-address={NODE_IP}", "--leader-elect=false"]


def controllers() -> list[str]:
    return _client("kube-controller-manager", "controllers") + [
        "--use-service-account-credentials", f"--root-ca-file={PKI}/ca.crt",
        f"--service-account-private-key-file={PKI}/tokens.key",
        f"--cluster-signing-cert-file={PKI}/ca.crt", f"--cluster-signing-key-file={PKI}/ca.key"]


def scheduler() -> list[str]:
    return _client("kube-scheduler", "scheduler")


def kubelet(name: str) -> list[str]:
    return ["kubelet", f"--config={INSIDE}/kubelet.yaml", f"--kubeconfig={INSIDE}/kubelet.kubeconfig",
            f"--root-dir={INSIDE}/kubelet", f"--hostname-override={name}", f"--node-ip={NODE_IP}",
            # metrics-server asks every ten seconds, and should find a new figure each time.
            "--housekeeping-interval=5s"]


def proxy() -> list[str]:
    return ["kube-proxy", f"--config={INSIDE}/kube-proxy.yaml"]


def first() -> list[list[str]]:
    return [containerd(), etcd(), api_server()]


def second(name: str) -> list[list[str]]:
    return [controllers(), scheduler(), kubelet(name), proxy()]


# Of the multi-call binary; kubectl is what people get when no other can be had.
OF_KUBE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubelet", "kube-proxy", "kubectl")
