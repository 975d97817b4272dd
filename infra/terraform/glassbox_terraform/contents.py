"""What runs in a cluster, brought up and taken down by infra/gitops/bootstrap/install: before Terraform destroys the
cluster, what its controllers made outside of it must be gone, or a VPC stays behind that nothing can delete."""

from __future__ import annotations

import os
import shlex
import subprocess
import time
from pathlib import Path

from . import left, tools
from .organisation import HERE, Failed, Refused, Target

INSTALL = HERE.parent / "gitops/bootstrap/install"
PAUSE = 10


def path_of(target: Target) -> Path:
    """The cluster's kubeconfig, a file of its own: the user's is left alone."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glassbox/kubeconfig" / target.cluster


def export(target: Target) -> str:
    """What a shell is told, for kubectl to find the cluster."""
    return f"export KUBECONFIG={shlex.quote(str(path_of(target)))}"


def kubeconfig(target: Target) -> dict[str, str]:
    """The kubeconfig, made."""
    path = path_of(target)
    path.parent.mkdir(parents=True, exist_ok=True)
    tools.aws("eks", "update-kubeconfig", "--name", target.cluster, "--alias", target.cluster, "--kubeconfig", str(path),
              "--role-arn", target.role, role=target.role, region=target.region)
    return {"KUBECONFIG": str(path)}


def exists(target: Target) -> bool:
    """Whether there is a cluster."""
    try:
        tools.aws("eks", "describe-cluster", "--name", target.cluster, role=target.role, region=target.region)
    except Failed as error:
        if "ResourceNotFoundException" in str(error):
            return False
        raise
    return True


def check(environment: str, *more: str) -> None:
    """What infra/gitops/bootstrap/install would refuse is refused before there is a cluster."""
    done = subprocess.run([INSTALL, environment, "--check", *more], capture_output=True, text=True, check=False)
    if done.returncode:
        raise Refused(f"{environment}: {done.stderr.strip()}")


def install(target: Target, *more: str) -> None:
    """infra/gitops/bootstrap/install for this cluster."""
    line = [str(INSTALL), target.environment, "--context", target.cluster, *more]
    if subprocess.run(line, check=False, env=dict(os.environ, **kubeconfig(target))).returncode:
        raise Failed(f"{' '.join(line)} failed, see above; what kubectl needs to ask that cluster:\n   {export(target)}")


def remove(target: Target, patience: float) -> None:
    """All that runs there, then waits until the load balancers, volumes and records are gone, too."""
    install(target, "--uninstall")
    deadline = time.monotonic() + patience
    while rest := left.made_by_controllers(target):
        if time.monotonic() > deadline:
            raise Failed(f"after {patience:g} s the cluster's controllers have left:\n  " + "\n  ".join(rest) +
                         "\nnothing was destroyed yet: delete the Ingress, Service or volume claim that holds it, or the "
                         "record itself, and begin again")
        print(f"waiting for {len(rest)}: {rest[0]}")
        time.sleep(PAUSE)
