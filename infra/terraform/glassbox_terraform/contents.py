"""What runs in a cluster, brought up and taken down by infra/gitops/bootstrap/install: before Terraform destroys the
cluster, what its controllers made outside of it must be gone, or a VPC stays behind that nothing can delete."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

from . import left, tools
from .organisation import HERE, Failed, Target

INSTALL = HERE.parent / "gitops/bootstrap/install"
PAUSE = 10


def kubeconfig(target: Target) -> dict[str, str]:
    """The cluster's, in a file of its own: the user's is left alone."""
    path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "glassbox/kubeconfig" / target.cluster
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


def install(target: Target, *more: str) -> None:
    """infra/gitops/bootstrap/install for this cluster."""
    tools.need("kubectl", "aws")
    line = [str(INSTALL), target.environment, "--context", target.cluster, *more]
    if subprocess.run(line, check=False, env=dict(os.environ, **kubeconfig(target))).returncode:
        raise Failed(f"{' '.join(line)} failed, see above")


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
