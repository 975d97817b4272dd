"""Three environments: in each a real service, watched by a real Prometheus, and a deployer that reads git.

The deployer stands for Argo CD: it makes run what release.yaml on main says, by its digest. What it takes from is the
registry here: a build of a commit is the service's program with that commit's name in it, and its digest the sum of the
file; so what runs where can be told, and two builds differ.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import re
import secrets
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from glassbox_gitops.release import ENVIRONMENTS, read
from glassbox_stack.ports import free
from hub import GATE, Clone, Hub, run
from prometheus import Prometheus
from service import environment as clean

TOKEN = "0123456789abcdef"
GIVE_UP = 60.0
ADDRESSES = 6


def eventually(holds: Callable[[], bool], what: str) -> None:
    """Waits for what must come, and says what has not."""
    end = time.monotonic() + GIVE_UP
    while not holds():
        assert time.monotonic() < end, f"not within {GIVE_UP:g} s: {what}"
        time.sleep(0.1)


def answer(url: str) -> dict:
    """JSON, or {} while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as body:
            return json.load(body)
    except OSError:
        return {}


class Registry:
    """Builds, by digest. `bug` is a fault plan that a build brings to one environment."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.folder, self.program = folder, program
        self.bugs: dict[str, tuple[str, list[dict]]] = {}
        folder.mkdir()
        self.stamp = self._stamp()

    def _stamp(self) -> bytes:
        """What the program says its revision is."""
        said = subprocess.run([self.program, "--version"], capture_output=True, check=True, timeout=30).stdout
        found = re.search(rb"\b[0-9a-f]{12}\b", said)
        assert found, f"{self.program} does not say a revision of 12 digits: {said!r}"
        return found[0]

    def build(self, revision: str, bug: tuple[str, list[dict]] | None = None) -> str:
        """A build of a commit; its digest."""
        data = self.program.read_bytes().replace(self.stamp, revision[:12].encode())
        digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
        path = self.folder / digest.removeprefix("sha256:")
        path.write_bytes(data)
        path.chmod(0o755)
        if bug:
            self.bugs[digest] = bug
        return digest

    def take(self, digest: str) -> Path:
        """The program of a digest, if it is that."""
        path = self.folder / digest.removeprefix("sha256:")
        assert f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}" == digest
        return path


class Environment:
    """Its deployer, its service, its Prometheus."""

    def __init__(self, name: str, folder: Path, hub: Hub, registry: Registry) -> None:
        folder.mkdir()
        self.name, self.folder, self.registry = name, folder, registry
        self.clone = hub.clone(f"deployer-{name}")
        self.process: subprocess.Popen[bytes] | None = None
        self.runs, self.address = "", ""
        (folder / "token").write_text(TOKEN)
        # All addresses that it will have, as of a new one Prometheus takes five seconds to hear; in a loopback network of
        # its own, so that nobody else takes one meanwhile.
        network, port = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}", free()["service"]
        addresses = [f"{network}.{number}:{port}" for number in range(1, 1 + ADDRESSES)]
        self.addresses = itertools.cycle(addresses)
        job = {"static_configs": [{"targets": addresses}], "scrape_interval": "500ms", "scrape_timeout": "500ms"}
        self.prometheus = Prometheus(folder, ("127.0.0.1", 0), "exemplar-storage", jobs={"glassbox": job})

    @property
    def url(self) -> str:
        """Of the service that runs now."""
        return f"http://{self.address}"

    def sync(self) -> None:
        """Makes run what main says."""
        self.clone.pull()
        release = read(self.clone.root, self.name)
        if self.runs != release.digest:
            self.start(release.digest)
        eventually(self.scraped, f"{self.name} is scraped, and what ran before is known to be gone")

    def scraped(self) -> bool:
        """Whether Prometheus sees what runs now, and only that: until its next scrape it has the process before as well."""
        return (self.prometheus.value(f'up{{instance="{self.address}"}}'), self.prometheus.value("sum(up)")) == (1, 1)

    def start(self, digest: str) -> None:
        """A new process at a new address, as a pod has one, in place of the old one."""
        self.stop()
        self.address = next(self.addresses)
        bug = self.registry.bugs.get(digest, ("", []))
        plan = self.folder / "plan.json"
        begin = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        plan.write_text(json.dumps({"begin": begin, "faults": bug[1] if bug[0] == self.name else []}))
        command = [self.registry.take(digest), "--listen", self.address, "--access-log", os.devnull,
                   "--drain-delay", "0", "--random-error-ratio", "0.02", "--faults", plan,
                   "--fault-token-file", self.folder / "token"]
        with open(self.folder / "service.log", "ab") as log:
            self.process = subprocess.Popen([str(word) for word in command], env=clean({"OTEL_TRACES_EXPORTER": "none"}),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.runs = digest
        eventually(self.answers, f"{self.name} answers")

    def answers(self) -> bool:
        """Whether the service does; that it has ended is said at once."""
        assert self.process and self.process.poll() is None, (self.folder / "service.log").read_text()[-2000:]
        return bool(answer(f"{self.url}/version"))

    def faults(self, plan: list[dict]) -> None:
        """What goes wrong from now on."""
        body = json.dumps({"faults": plan}).encode() if plan else None
        call = urllib.request.Request(f"{self.url}/faults", body, method="PUT" if plan else "DELETE",
                                      headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"})
        with urllib.request.urlopen(call, timeout=10) as said:
            assert said.status == 200

    def stop(self) -> None:
        """Ends the service, in order."""
        if self.process:
            self.process.terminate()
            self.process.wait(30)
            self.process = None

    def close(self) -> None:
        """Ends both."""
        self.stop()
        self.prometheus.__exit__()


class World:
    """All three, and a clone to work in."""

    def __init__(self, folder: Path, program: Path) -> None:
        self.hub = Hub(folder)
        self.clone: Clone = self.hub.clone("work")
        self.registry = Registry(folder / "registry", program)
        self.objectives = folder / "objectives.json"
        self.objectives.write_text(json.dumps(patient()))
        self.environments = {name: Environment(name, folder / name, self.hub, self.registry) for name in ENVIRONMENTS}

    def __getitem__(self, name: str) -> Environment:
        return self.environments[name]

    def change(self, text: str, version: str, bug: tuple[str, list[dict]] | None = None) -> str:
        """A commit, built and set for dev, and running there; its name."""
        self.clone.pull()
        revision = self.clone.write("src/service.c", text, f"{version}: a change")
        self.clone.push()
        done = self.clone.set_dev(revision, self.registry.build(revision, bug), version, "--push")
        assert done.returncode == 0, done.stderr
        self["dev"].sync()
        return revision

    def gate(self, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        """The gate of an environment, with requests of its own."""
        self.clone.pull()
        here = self[name]
        return run(sys.executable, GATE, name, "--url", here.url, "--prometheus", here.prometheus.url, "--window", "3s",
                   "--traffic", "120", "--at-least", "20", "--wait", "0", "--repository", self.clone.root,
                   "--objectives", self.objectives, *more)

    def judged(self, name: str, *more: str) -> subprocess.CompletedProcess[str]:
        """The gate again while all that it says is that it has not seen enough: a busy machine sends less."""
        for _ in range(5):
            done = self.gate(name, *more)
            reasons = [line for line in done.stdout.splitlines() if line.startswith("NO: ")]
            if not reasons or not all("too few requests" in line for line in reasons):
                break
        return done

    def go_on(self, origin: str, target: str) -> subprocess.CompletedProcess[str]:
        """What the workflow does: the gate of the one, and if that holds a copy to the other, which then runs it."""
        done = self.judged(origin)
        if done.returncode:
            return done
        said = self.clone.promote("copy", origin, target, "--push")
        if said.returncode == 0:
            self[target].sync()
        return said

    def version(self, name: str) -> str:
        """What runs there says."""
        return answer(f"{self[name].url}/version").get("revision", "")

    def close(self) -> None:
        """Ends all of it."""
        for each in self.environments.values():
            each.close()


def patient() -> dict:
    """The objectives, with latencies that a busy machine keeps: how fast it is, is not what is tested here."""
    known = json.loads((Path(__file__).resolve().parents[2] / "loadtest/slo.json").read_text())
    for route in known["routes"].values():
        route["latency"]["threshold"] = 7.5
    return known
