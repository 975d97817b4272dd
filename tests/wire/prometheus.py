"""A real Prometheus that scrapes the service and is asked over its API what it understood."""

import json
import socket
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path

from wire import eventually


def free_port() -> int:
    """A port nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Api:
    """A Prometheus that runs somewhere, asked over its API."""

    def __init__(self, url: str):
        self.url = url.rstrip("/")

    def api(self, path: str, **parameters):
        """`data` of an answer; None while it is not there."""
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                return json.load(answer)["data"]
        except OSError:
            return None

    def value(self, query: str) -> float | None:
        """The one value of an instant query, or None. Which of several it were would be chance."""
        data = self.api("query", query=query)
        results = data["result"] if data else []
        assert len(results) <= 1, f"{len(results)} values: {query}"
        return float(results[0]["value"][1]) if results else None

    def wait(self, query: str, wanted: float) -> bool:
        """Whether a query comes to that value, or above."""
        return bool(eventually(lambda: (self.value(query) or 0) >= wanted, timeout=30, pause=0.2))

    def exemplars(self, query: str) -> set[str]:
        """Trace ids of the exemplars of these series."""
        data = self.api("query_exemplars", query=query, start=0, end=4e9) or []
        return {item["labels"]["trace_id"] for series in data for item in series["exemplars"]}


class Prometheus(Api):
    """An instance that scrapes one address each second, once for each job; a job is a name and what
    its scrape configuration has besides, or instead. `rules` are files of rules, evaluated each second;
    `more` is what the configuration has besides, `flags` what the command has. Data and log are in `folder`."""

    def __init__(self, folder: Path, address: tuple, features: str, binary: str = "prometheus",
                 jobs: dict[str, dict] | None = None, rules: Sequence[Path] = (),
                 more: dict | None = None, flags: Sequence[str] = ()):
        self.port = free_port()
        super().__init__(f"http://127.0.0.1:{self.port}")
        self.log = folder / "prometheus.log"
        target = [{"targets": [f"{address[0]}:{address[1]}"]}]
        (folder / "prometheus.yml").write_text(json.dumps({
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "rule_files": [str(path) for path in rules],
            "scrape_configs": [{"job_name": name, "static_configs": target, **job}
                               for name, job in (jobs or {"glassbox": {}}).items()],
            **(more or {})}))
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                [binary, f"--config.file={folder}/prometheus.yml",
                 f"--storage.tsdb.path={folder}/data",
                 f"--web.listen-address=127.0.0.1:{self.port}", f"--enable-feature={features}",
                 *flags],
                stdout=subprocess.DEVNULL, stderr=log)

    def __enter__(self) -> "Prometheus":
        return self

    def __exit__(self, *_) -> None:
        self.process.terminate()
        self.process.wait(15)
