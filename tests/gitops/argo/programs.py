"""Argo CD as plain processes beside a node's own: in its network, on its loopback, so that nothing is opened on this machine.

    applicationset-controller ─┐
                               ├─> repo-server ──> git (a folder), helm ──> charts of others (HTTP)
    application-controller ────┘        │
              │                         └─ both remember in redis
              └─> API server

In a cluster of its own it is the same program in pods; what it does is not told by where it runs. Its API server, page,
notifications and single sign-on are left out: none of them makes a cluster what git says.
"""

import subprocess
from pathlib import Path

from cluster import NODE, ROOT, environment
from wire import eventually

NAMESPACE = "argocd"
CHARTS = 8879  # where charts of others are served, by the name of a repository
REDIS = 6379
REPOSITORIES = 8081
PATIENCE = 60
ENDS_IN = 10  # seconds


def listening(port: int) -> list[str]:
    """A program of the node's, that ends with 0 when the port of its loopback answers."""
    return [str(NODE), "enter", "bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{port}"]


class Programs:
    """All of them, from `with` to its end; their logs are in `logs`."""

    def __init__(self, argocd: Path, folder: Path, charts: Path, logs: Path, settings: dict[str, str]) -> None:
        self.argocd, self.folder, self.charts, self.logs, self.settings = argocd, folder, charts, logs, settings
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def table(self) -> dict[str, tuple[list[str], int]]:
        """Name, command, and the port that says that it is there. Everything listens on the node's loopback alone."""
        redis, repositories = f"127.0.0.1:{REDIS}", f"127.0.0.1:{REPOSITORIES}"
        argocd = [str(self.argocd)]
        return {
            "redis": (["redis-server", "--bind", "127.0.0.1", "--port", str(REDIS), "--save", "", "--appendonly", "no",
                       "--dir", str(self.folder)], REDIS),
            "charts": (["/usr/bin/python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(self.charts),
                        str(CHARTS)], CHARTS),
            "repo-server": ([*argocd, "repo-server", "--address", "127.0.0.1", "--port", str(REPOSITORIES), "--redis", redis,
                             "--metrics-address", "127.0.0.1", "--disable-tls"], REPOSITORIES),
            "applicationset-controller": ([*argocd, "applicationset-controller", "--namespace", NAMESPACE,
                                           "--argocd-repo-server", repositories, "--repo-server-plaintext",
                                           "--metrics-addr", "127.0.0.1:8085", "--probe-addr", "127.0.0.1:8086",
                                           "--webhook-addr", "127.0.0.1:7000"], 8086),
            "application-controller": ([*argocd, "application-controller", "--namespace", NAMESPACE, "--redis", redis,
                                        "--repo-server", repositories, "--repo-server-plaintext"], 8082),
        }

    def own(self) -> list[str]:
        """What they are told by their environment: that all they keep is below the folder, that the cluster they call their
        own is the kubeconfig's, that nobody signs commits, and what pods are told of argocd-cm. Only inside: by HOME the node
        is found."""
        told = {"HOME": self.folder, "TMPDIR": self.folder, "XDG_CONFIG_HOME": self.folder / "config", "GIT_CONFIG_NOSYSTEM": 1,
                "ARGOCD_FAKE_IN_CLUSTER": "true", "ARGOCD_GPG_ENABLED": "false", "ARGOCD_TLS_DATA_PATH": self.folder / "tls",
                "ARGOCD_SSH_DATA_PATH": self.folder / "ssh", "ARGOCD_PLUGINSOCKFILEPATH": self.folder / "plugins",
                "ARGOCD_RECONCILIATION_TIMEOUT": self.settings["timeout.reconciliation"],
                "ARGOCD_RECONCILIATION_JITTER": self.settings["timeout.reconciliation.jitter"]}
        return ["env", *(f"{name}={value}" for name, value in told.items())]

    def __enter__(self) -> "Programs":
        for name in ("tls", "ssh", "plugins", "config"):
            (self.folder / name).mkdir(exist_ok=True)
        try:
            for name in self.table():
                self.start(name)
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self, name: str) -> None:
        """Returns when it answers."""
        command, port = self.table()[name]
        with open(self.logs / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen([str(NODE), "enter", *self.own(), *command], cwd=self.folder, env=environment(),
                                                  stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
        assert eventually(lambda: self.answers(name, port), PATIENCE, 0.2), f"{name} does not answer: {self.last(name)}"

    def stop(self, name: str) -> None:
        """Returns when it has ended."""
        program = self.running.pop(name)
        program.terminate()
        try:
            program.wait(ENDS_IN)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()

    def answers(self, name: str, port: int) -> bool:
        """Whether it listens; a program that has ended never will."""
        assert self.running[name].poll() is None, f"{name} has ended: {self.last(name)}"
        return subprocess.run(listening(port), capture_output=True, check=False).returncode == 0

    def last(self, name: str) -> str:
        """The end of what it wrote."""
        return (self.logs / f"{name}.log").read_text(errors="replace")[-2000:]

    def __exit__(self, *_: object) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)
