"""What a node is made of: the machine's programs, by name; ours, built once by .ci/tools.sh."""

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from .places import ROOT
from .refused import CANNOT, Refused

PROGRAMS = ("containerd", "ctr", "runc", "nft", "ip", "mount", "nsenter", "unshare", "setpriv", "openssl")
PLUGINS = tuple(Path("/usr/lib/cni", name) for name in ("ptp", "host-local", "loopback"))


def check() -> None:
    """Refuses when the machine lacks something, naming all that it lacks."""
    if os.geteuid() != 0:
        raise Refused("a node needs root: it makes namespaces, mounts and cgroups", CANNOT)
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    missing += [str(plugin) for plugin in PLUGINS if not plugin.exists()]
    if missing:
        raise Refused(f"not installed: {', '.join(missing)} (on Debian: .ci/deps.sh cluster)", CANNOT)


def _lines(*command: str) -> list[str]:
    """What one of .ci's scripts prints, whose own progress goes to the terminal."""
    done = subprocess.run([str(ROOT / ".ci" / command[0]), *command[1:]], stdout=subprocess.PIPE, check=False,
                          text=True, stdin=subprocess.DEVNULL)
    return done.stdout.splitlines()


def built(*names: str) -> list[str]:
    """Paths of programs of .ci/tools.sh, in order."""
    found = _lines("tools.sh", *names) if names else []
    if bad := [f"{name}: {line}" for name, line in zip(names, found) if not line.startswith("/")]:
        raise Refused("; ".join(bad), CANNOT if all("cannot be had: " in line for line in bad) else 1)
    if len(found) != len(names):
        raise Refused(f".ci/tools.sh {' '.join(names)} failed")
    return found


def clients() -> tuple[str, str]:
    """The folder that holds helm and kubectl, or none and why."""
    line = (_lines("kubectl.sh") or ["broken: .ci/kubectl.sh says nothing"])[-1]
    return (line, "") if line.startswith("/") else ("", line)


def output(command: Sequence[str]) -> str:
    """Of one of the machine's programs; empty when it fails or is not there."""
    try:
        return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=20).stdout
    except (OSError, subprocess.SubprocessError):
        return ""
