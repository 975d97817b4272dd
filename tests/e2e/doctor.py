"""charts/stack/doctor, as a person runs it; and the links, in its order."""

import json
import time
from dataclasses import dataclass
from pathlib import Path

from cluster import Cluster
from glassbox import Glassbox

LINKS = ["pods-ready", "scraped", "series", "rules-loaded", "alert-namespace", "adapter-rule", "custom-metrics-api",
         "metrics-api", "hpa-reads", "collector-span", "dashboards-loaded"]
UNREACHABLE, TRIES = 2, 5


@dataclass(frozen=True)
class Diagnosis:
    """One run."""

    status: int
    text: str
    links: dict[str, dict[str, str]]  # id -> state, found, fix

    def are(self, state: str) -> set[str]:
        """The links in that state."""
        return {name for name, link in self.links.items() if link["state"] == state}


class Doctor:
    """Asks for one release; what it said for people is kept."""

    def __init__(self, cluster: Cluster, service: Glassbox, monitoring: str, folder: Path, record: Path) -> None:
        self.cluster, self.file, self.record = cluster, folder / "doctor.json", record
        self.words = ["charts/stack/doctor", "--namespace", service.namespace, "--release", service.release,
                      "--monitoring-namespace", monitoring, "--json", str(self.file)]
        self.record.write_text("")

    def look(self, wait: int = 0) -> Diagnosis:
        """A run; with `wait` it looks again until all is well or that many seconds are over. An API server that does
        not answer it at all is asked again: that is the machine's doing."""
        for _ in range(TRIES):
            self.file.unlink(missing_ok=True)
            done = self.cluster.run(*self.words, *(["--wait", str(wait)] if wait else []), check=False,
                                    timeout=wait + 120)
            if done.returncode != UNREACHABLE:
                break
            time.sleep(5)
        assert done.returncode in (0, 1) and self.file.exists(), done.stdout + done.stderr
        links = {link["id"]: link for link in json.loads(self.file.read_text())}
        return Diagnosis(done.returncode, done.stdout, links)

    def keep(self, title: str, diagnosis: Diagnosis) -> None:
        """Into the record."""
        with open(self.record, "a", encoding="utf-8") as record:
            record.write(f"== {title}\n\n{diagnosis.text.strip()}\n\n")
