"""A real Alertmanager with a configuration of the test's own, and the tools of both versions.

`shipped()` is alerts/alertmanager/alertmanager.yaml as it is; `loopback()` turns a copy of it to
peers on this machine, with the secrets in a folder of the test. Nothing else is changed but what a
test says, so routes, inhibition, receivers and templates are those that are shipped.
"""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

import wire
from prometheus import free_port

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "alerts/alertmanager"
SECRETS = "/etc/alertmanager/secrets/glassbox"
EXTERNAL = "http://alertmanager.example"
VERSIONS = {"debian": ("prometheus-alertmanager", "amtool"), "built": ("", "")}


def tool(version: str, which: int) -> str:
    """Alertmanager (0) or amtool (1): Debian's, or the built one that ALERTMANAGER_BIN and
    AMTOOL_BIN name; skips the test without."""
    name = VERSIONS[version][which] or os.environ.get(("ALERTMANAGER_BIN", "AMTOOL_BIN")[which], "")
    path = shutil.which(name) if name else None
    if not path:
        pytest.skip(f"needs {('Alertmanager', 'amtool')[which]}, {version}: see README.md")
    return path


def eventually(found: Callable[[], Any], what: str, within: float = 30) -> Any:
    """What `found` returns as soon as it is true; fails when it never is."""
    value = wire.eventually(found, within, 0.05)
    assert value, f"not within {within} s: {what}"
    return value


def shipped(name: str = "alertmanager.yaml") -> dict:
    """A file of alerts/alertmanager."""
    return yaml.safe_load((FOLDER / name).read_text())


def timed(route: dict, **timings: str) -> None:
    """Gives a route and all below it these timings."""
    route |= timings
    for below in route.get("routes", []):
        timed(below, **timings)


def loopback(secrets: Path, *, webhook: str = "http://127.0.0.1:9", smtp: int = 9,
             pagerduty: str = "http://127.0.0.1:9") -> dict:
    """The shipped file, its peers at these addresses. The address of Slack is in the secret."""
    text = (FOLDER / "alertmanager.yaml").read_text()
    assert SECRETS in text and "https://pages.example.com" in text
    document = yaml.safe_load(text.replace(SECRETS, str(secrets))
                              .replace("https://pages.example.com", webhook))
    document["global"] |= {"smtp_smarthost": f"127.0.0.1:{smtp}", "smtp_require_tls": False,
                           "pagerduty_url": pagerduty}
    timed(document["route"], group_wait="1s", group_interval="1s", repeat_interval="1h")
    return document


def local(webhook: str, token_file: Path, name: str = "alertmanager.local.yaml") -> dict:
    """A file of the local stack, with the webhook and its token where they are."""
    text = (FOLDER / name).read_text()
    assert "http://127.0.0.1:9099" in text and "credentials_file: webhook-token" in text
    return yaml.safe_load(text.replace("http://127.0.0.1:9099", webhook)
                          .replace("credentials_file: webhook-token", f"credentials_file: {token_file}"))


def alert(labels: dict[str, str], annotations: dict[str, str] | None = None,
          starts: str | None = None, ends: float = 300) -> dict:
    """An alert as Prometheus posts it; `ends` in seconds from now, past when it is resolved."""
    now = datetime.now(UTC)
    return {"labels": labels, "annotations": annotations or {}, "generatorURL": "http://p.example/g",
            "startsAt": starts or (now - timedelta(minutes=5)).isoformat(),
            "endsAt": (now + timedelta(seconds=ends)).isoformat()}


class Alertmanager:
    """A process on loopback without a cluster; log and data are in `folder`."""

    def __init__(self, folder: Path, document: dict, version: str = "debian", port: int = 0):
        self.folder, self.version = folder, version
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "alertmanager.log"
        if not (folder / "templates").exists():
            (folder / "templates").symlink_to(FOLDER / "templates")
        (folder / "alertmanager.yml").write_text(json.dumps(document))
        self.start()

    def start(self) -> None:
        """Starts it, or starts it again on the same port, with what it remembers."""
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [tool(self.version, 0), f"--config.file={self.folder}/alertmanager.yml",
                 f"--storage.path={self.folder}/data", f"--web.listen-address=127.0.0.1:{self.port}",
                 f"--web.external-url={EXTERNAL}", "--web.route-prefix=/",
                 "--cluster.listen-address=", "--log.level=debug"],
                stdout=log, stderr=log)
        eventually(lambda: self.ready() or self.process.poll() is not None, "Alertmanager is ready")
        assert self.process.poll() is None, self.said()

    def __enter__(self) -> "Alertmanager":
        return self

    def __exit__(self, *_) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends it in order."""
        self.process.terminate()
        self.process.wait(15)

    def kill(self) -> None:
        """Ends it in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(15)

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False

    def post(self, *alerts: dict) -> None:
        """Does as Prometheus does."""
        request = urllib.request.Request(
            f"{self.url}/api/v2/alerts", json.dumps(alerts).encode(),
            {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.status == 200

    def get(self, path: str) -> Any:
        """An answer of its API."""
        with urllib.request.urlopen(f"{self.url}/api/v2/{path}", timeout=10) as answer:
            return json.load(answer)

    def metric(self, name: str, *parts: str) -> float:
        """The sum of the samples of a metric whose line has these parts."""
        with urllib.request.urlopen(f"{self.url}/metrics", timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith(name) and all(part in line for part in parts))

    def said(self) -> str:
        """Its log so far."""
        return self.log.read_text(errors="replace")
