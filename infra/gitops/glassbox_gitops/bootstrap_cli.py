"""The command line of bootstrap/install, and what is refused before anything is touched."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

from glassbox_install.parts import Refused as NotBegun
from glassbox_install.parts import Unavailable
from glassbox_install.tools import Failed, Tools, meant

from . import argo, facts
from .release import ENVIRONMENTS, Refused, known

ROOT = Path(__file__).resolve().parents[3]
URL = r"(https://|ssh://|git@|file://)[^\s'\"]+"
EPILOGUE = """
After this, what the environment runs is what infra/gitops/environments/ENV/release.yaml on the branch says. A private
repository needs credentials besides: a Secret with the label argocd.argoproj.io/secret-type: repository.
Exit status: 0 done; 1 begun and not done; 2 refused, with the reason; 75 Argo CD's chart cannot be had.
"""


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="install", epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter,
                                     description="Installs Argo CD into an environment's cluster; done again, it upgrades.")
    add = parser.add_argument
    add("environment", metavar="ENV", help=", ".join(ENVIRONMENTS))
    add("--print", action="store_true", dest="dry", help="print the commands; asks no cluster")
    add("--check", action="store_true", help="only whether all is there that it needs before there is a cluster")
    add("--uninstall", action="store_true", help="remove what the environment runs, in reverse order, then Argo CD")
    add("--outputs", type=Path, metavar="FILE", help="what `terraform output -json` says (default: it is asked)")
    add("--terraform", type=Path, metavar="DIR", help="where it is asked (default: infra/terraform/environments/ENV)")
    add("--repository", default="", metavar="URL", help="of this repository, for Argo CD (default: that of origin)")
    add("--branch", default="main", help="where release.yaml is read (default: main)")
    add("--provider", choices=("aws", "none"), default="aws", help="none: nothing of AWS, and no outputs are needed")
    add("--context", default="", metavar="C", help="of the kubeconfig (default: the current one)")
    add("--timeout", type=int, default=600, metavar="SECONDS", help="for each step (default: 600)")
    return parser


def repository(given: str) -> str:
    """Where Argo CD finds the repository: what was given, else origin, by https."""
    if not given and shutil.which("git") is None:
        raise Refused("git is not in PATH, to say where `origin` is; --repository URL says it, too")
    text = given or subprocess.run(["git", "-C", str(ROOT), "remote", "get-url", "origin"], capture_output=True,
                                   text=True, check=False).stdout.strip()
    if not text:
        raise Refused("where Argo CD finds the repository is not known, for this clone has no remote `origin`: git remote add "
                      "origin URL, or --repository URL")
    if not given and (match := re.fullmatch(r"git@([^:]+):(.+)", text)):
        text = f"https://{match[1]}/{match[2]}"
    if not re.fullmatch(URL, text):
        raise Refused(f"--repository {text!r}: must be an address that a cluster can reach, https://… or git@…")
    return text


def sound(given: argparse.Namespace) -> str:
    """What can be said before there is a cluster; the repository's address."""
    if given.timeout < 1:
        raise Refused(f"--timeout {given.timeout}: must be a second at least")
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._/-]*", given.branch):
        raise Refused(f"--branch {given.branch!r}: must be a branch's name")
    argo.release(given.environment)  # the chart: a file need not wait for a cluster
    return repository(given.repository)


def asked(given: argparse.Namespace) -> argo.Bootstrap:
    """What was asked for, if it can be."""
    address = sound(given)
    if given.provider == "none":
        found = {annotation: "" for annotation, *_ in facts.TABLE} | {"cluster_name": given.environment}
    else:
        folder = given.terraform or ROOT / "infra/terraform/environments" / given.environment
        found = facts.annotations(facts.outputs(folder, given.outputs))
    return argo.Bootstrap(given.environment, address, given.branch, given.provider, found, given.timeout)


def run(given: argparse.Namespace) -> None:
    """All of it."""
    tools = Tools(given.context, given.dry)
    known(given.environment)
    if given.check:
        tools.check(cluster=False)
        if not given.uninstall:
            sound(given)
        return
    if given.uninstall:
        if not given.dry:
            tools.check()
        argo.take_down(tools, given.timeout)
        return
    wanted = asked(given)
    if not given.dry:
        tools.check()
    argo.put_up(tools, wanted)
    if not given.dry:
        print(f"Argo CD is there, and takes {wanted.environment} from {wanted.repository}, {wanted.branch}. As it comes:\n   "
              + meant("kubectl -n argocd get applications -w", given.context))


def main(arguments: list[str]) -> int:
    """The exit status."""
    given = options().parse_args(arguments)
    try:
        run(given)
    except (Refused, NotBegun) as error:
        print(f"install: refused: {meant(str(error), given.context)}", file=sys.stderr)
        return 2
    except Unavailable as error:
        print(f"install: cannot be had: {meant(str(error), given.context)}", file=sys.stderr)
        return 75
    except Failed as error:
        print(f"install: FAILED: {meant(str(error), given.context)}", file=sys.stderr)
        return 1
    return 0
