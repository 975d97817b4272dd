"""Process 1 of a node: `cluster inside RUN`, in mount, network and process namespaces of its own.

It makes the node's view of the machine, then its network, then keeps the programs running. It is the
parent of whatever loses its own, as every process 1 is, so it waits for all.
"""

import json
import os
import ssl
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import NoReturn

from . import programs
from .borrowed import FOLDERS, borrowed
from .places import API, INSIDE, NODE_IP, SERVICE_CIDR

# The kubelet writes these, which are the whole machine's, and ends when it cannot: it gets copies.
SYSCTLS = ("vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops",
           "kernel/keys/root_maxkeys", "kernel/keys/root_maxbytes")
PAUSE_S = 1.0  # before a program that ended is started again


def _run(*command: str) -> None:
    subprocess.run(command, check=True)


def _mount(*arguments: str) -> None:
    """Without the notes that mount itself would keep in the machine's /run."""
    _run("mount", "--no-mtab", *arguments)


def mounts(run: Path) -> None:
    """Nothing of it reaches the machine, since unshare made all mounts private; from here on they are
    shared within, for the kubelet hands them on to pods."""
    _mount("--make-rshared", "/")
    # Sockets and named namespaces of containerd, its shims and the CNI plugins.
    _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run")
    INSIDE.mkdir()
    _mount("--bind", str(run), str(INSIDE))
    for folder in FOLDERS:
        with borrowed(folder):
            _mount("-t", "tmpfs", "-o", "mode=755", "tmpfs", str(folder))
    for name in SYSCTLS:
        real = Path("/proc/sys", name)
        if real.exists():
            copy = Path("/run", "sysctl." + name.replace("/", "."))
            copy.write_text(real.read_text())
            _mount("--bind", str(copy), str(real))


def network() -> None:
    """A bridge without ports has the node's address; pods come by a pair of links each. The route for
    Services leads there too, only so that a packet to one is made at all: kube-proxy's rules then send
    it elsewhere. No route leads out."""
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", "node", "type", "bridge")
    _run("ip", "address", "add", f"{NODE_IP}/32", "dev", "node")
    _run("ip", "link", "set", "node", "up")
    _run("ip", "route", "add", SERVICE_CIDR, "dev", "node")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")


class Programs:
    """Started, logged, and started again when they end."""

    def __init__(self) -> None:
        self.running: dict[int, list[str]] = {}
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(INSIDE)}

    def start(self, command: list[str]) -> None:
        log = INSIDE / "log" / f"{command[0]}.log"
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644),
                   (os.POSIX_SPAWN_DUP2, 1, 2)]
        pid = os.posix_spawnp(command[0], command, self.environment, file_actions=actions, setsid=True)
        self.running[pid] = command

    def reap(self, block: bool) -> bool:
        """Waits for one that ended, and starts it again if it is ours; False when none has."""
        pid, status = os.waitpid(-1, 0 if block else os.WNOHANG)
        if pid == 0:
            return False
        if command := self.running.pop(pid, None):
            print(f"{command[0]} ended ({os.waitstatus_to_exitcode(status)}), starting it again", flush=True)
            time.sleep(PAUSE_S)
            self.start(command)
        return True

    def reap_all(self) -> None:
        while self.reap(block=False):
            pass


def api_ready(context: ssl.SSLContext) -> bool:
    try:
        with urllib.request.urlopen(f"{API}/readyz", timeout=1, context=context) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def main(run: str) -> NoReturn:
    node = json.loads(Path(run, "node.json").read_text())
    mounts(Path(run))
    network()
    os.environ["PATH"] = f"{INSIDE}/bin:{os.environ['PATH']}"
    all_programs = Programs()
    for command in programs.first():
        all_programs.start(command)
    context = ssl.create_default_context(cafile=f"{INSIDE}/pki/ca.crt")
    while not api_ready(context):
        all_programs.reap_all()
        time.sleep(0.2)
    for command in programs.second(node["name"]):
        all_programs.start(command)
    while True:
        all_programs.reap(block=True)
