"""A real Prometheus that evaluates rules of the test and sends alerts to an Alertmanager."""

import json
import shutil
import subprocess
import urllib.request
from pathlib import Path

from alertmanager import eventually
from prometheus import free_port
from promtool import rules


def shipped_rule(alertname: str, profile: str = "real") -> dict:
    """A rule as alerts/prometheus has it."""
    rule = next((rule for rule in rules(profile) if rule.get("alert") == alertname), None)
    assert rule, f"no rule {alertname}"
    return rule


class Prometheus:
    """Scrapes nothing; `interval` is that of the evaluation, `resend` how often a firing alert is sent
    again."""

    def __init__(self, folder: Path, rules: list[dict], alertmanager: str, interval: str = "1s",
                 resend: str = "1s"):
        self.folder, self.resend, self.port = folder, resend, free_port()
        (folder / "rules.yml").write_text(json.dumps({"groups": [{"name": "test", "rules": rules}]}))
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"evaluation_interval": interval},
            "rule_files": [str(folder / "rules.yml")],
            "alerting": {"alertmanagers": [{"static_configs": [
                {"targets": [alertmanager.removeprefix("http://")]}]}]}}))
        self.start()

    def start(self) -> None:
        """Starts it, or starts it again with what it remembers."""
        with open(self.folder / "prometheus.log", "ab") as log:
            self.process = subprocess.Popen(
                [shutil.which("prometheus") or "prometheus",
                 f"--config.file={self.folder}/prometheus.yml",
                 f"--storage.tsdb.path={self.folder}/prometheus-data",
                 f"--web.listen-address=127.0.0.1:{self.port}",
                 f"--rules.alert.resend-delay={self.resend}"], stdout=log, stderr=log)
        eventually(self.ready, "Prometheus is ready")

    def ready(self) -> bool:
        """Whether it answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/-/ready", timeout=5):
                return True
        except OSError:
            return False

    def kill(self) -> None:
        """Ends it in the middle of whatever it does."""
        self.process.kill()
        self.process.wait(15)

    def __enter__(self) -> "Prometheus":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            self.process.wait(15)
