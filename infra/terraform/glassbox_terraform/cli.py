"""The command lines of up and down.

Exit status: 0 it is there (or gone, and nothing is left); 1 something was begun and did not succeed; 2 it was not begun.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Callable

from . import contents, left, state, tools
from .organisation import CLUSTERS, ENVIRONMENTS, Failed, Refused, Target
from .steps import ready, steps

ORDER = """
From nothing: fill in environments/common/organisation.auto.tfvars.json, then, with an administrator's credentials of each
account, `up all`, which is `up bootstrap` in each account, then `up shared`, `up dev`, `up staging`, `up prod`; done again
it changes what has changed. `down all` is the opposite order.
"""


def options(name: str, what: str) -> argparse.ArgumentParser:
    """What both take."""
    parser = argparse.ArgumentParser(prog=name, description=what, epilog=ORDER)
    parser.add_argument("environment", metavar="ENV", help=f"{', '.join(ENVIRONMENTS)}; or all")
    parser.add_argument("--plan", action="store_true", help="only say what would be done")
    parser.add_argument("--yes", action="store_true", help="do not ask")
    parser.add_argument("--profile", action="append", default=[], metavar="ACCOUNT=PROFILE",
                        help="with all: who makes what is in an account, a profile of the AWS CLI (default: those at hand)")
    parser.add_argument("--no-gitops", action="store_true", help="the cluster alone: nothing in it is installed or removed")
    if name == "down":
        parser.add_argument("--patience", type=seconds, default=left.PATIENCE, metavar="SECONDS",
                            help="how long to wait for what the cluster's controllers delete, and at the end for AWS to have "
                                 "heard of it (default: %(default)s)")
    return parser


def seconds(word: str) -> float:
    """A number of them."""
    if not re.fullmatch(r"[0-9]{1,5}", word):
        raise argparse.ArgumentTypeError(f"{word!r}: a whole number of seconds, 0 to 99999")
    return float(word)


def sure(given: argparse.Namespace, environment: str, question: str) -> None:
    """Asks, unless told not to."""
    if given.yes:
        return
    if not sys.stdin.isatty():
        raise Refused("nobody to ask: --yes, if it is meant")
    if input(f"{question} Type the environment's name: ").strip() != environment:
        raise Refused("not done")


def make(given: argparse.Namespace, environment: str, fresh: bool) -> None:
    """up."""
    wanted = ready(environment, fresh)
    first = wanted.environment == "bootstrap" and not state.there(wanted)
    if first:
        state.begin_local(wanted)
    moving = (wanted.folder / state.OVERRIDE).exists()  # also after a first time that was cut short
    state.enter(wanted)
    tools.terraform(wanted, "plan", "-input=false", "-out=plan.tfplan")
    if given.plan:
        return
    sure(given, environment, f"Make this of {wanted.environment} in account {wanted.account}?")
    tools.terraform(wanted, "apply", "-input=false", "plan.tfplan")
    (wanted.folder / "plan.tfplan").unlink(missing_ok=True)
    if moving and wanted.environment == "bootstrap":
        state.move_in(wanted)
    said = f"{wanted.environment} is up in account {wanted.account}, {wanted.region}"
    if wanted.cluster and not given.no_gitops:
        contents.install(wanted)
        said += f"\nwhat kubectl needs to ask it:\n   {contents.export(wanted)}"
    print(said)


def unmake(given: argparse.Namespace, environment: str, _: bool) -> None:
    """down."""
    wanted = ready(environment)
    moved = (wanted.folder / state.OVERRIDE).exists()
    if not moved and not state.there(wanted):
        raise Refused(f"{wanted.environment}: there is no state: no bucket {wanted.bucket}")
    state.enter(wanted)
    if given.plan:
        tools.terraform(wanted, "plan", "-destroy", "-input=false")
        return
    if wanted.environment == "bootstrap":
        others(wanted)
    images(wanted)
    sure(given, environment, f"DESTROY {wanted.environment} in account {wanted.account} and all that is in it?")
    if wanted.cluster and not given.no_gitops and contents.exists(wanted):
        contents.remove(wanted, given.patience)
    force = []
    if wanted.environment == "bootstrap":
        # The bucket must be told first that it may go with what is in it.
        force = ["-var=force_destroy=true"]
        tools.terraform(wanted, "apply", "-input=false", "-auto-approve", *force)
        if not moved:
            state.move_out(wanted)
    tools.terraform(wanted, "destroy", "-input=false", "-auto-approve", *force)
    if wanted.environment == "bootstrap":
        state.forget(wanted)
    left.report(wanted, given.patience)


def others(wanted: Target) -> None:
    """The bucket goes last: not while an environment's state still has something in it."""
    full = [name for name, resources in state.contents(wanted).items() if resources and name != wanted.environment]
    if full:
        raise Refused(f"bootstrap: still there: {', '.join(sorted(full))}: infra/terraform/down each of them first")


def images(wanted: Target) -> None:
    """A registry goes with what is in it only if that was said before: ECR would refuse it when all else is gone."""
    held = []
    for each in state.attributes(wanted, "aws_ecr_repository"):
        if not each["force_delete"] and (found := left.images(wanted, each["name"])):
            such = next((f", such as {image['imageTag']}" for image in found if "imageTag" in image), ", without a tag")
            held.append(f"{each['name']}: {len(found)}{such}")
    if held:
        raise Refused(f"{wanted.environment}: there are images: {'; '.join(held)}\nto take them along, first: "
                      f"TF_VAR_repository_force_delete=true infra/terraform/up {wanted.environment}")


def run(name: str, what: str, work: Callable[[argparse.Namespace, str, bool], None], last_first: bool,
        arguments: list[str]) -> int:
    """With every error a sentence, and of several environments which are done and which are not begun."""
    given = options(name, what).parse_args(arguments)
    done, todo = [], []
    try:
        todo = steps(given.environment, given.profile)[::-1 if last_first else 1]
        tools.need("terraform", "aws")
        if not (given.plan or given.no_gitops):
            for environment in (each.environment for each in todo if each.environment in CLUSTERS):
                contents.check(environment, *(["--uninstall"] if last_first else []))
        while todo:
            with todo[0].credentials():
                work(given, todo[0].environment, any(each.environment == "bootstrap" for each in done))
            done.append(todo.pop(0))
        return 0
    except Refused as error:
        status, why = 1 if done else 2, str(error)
    except (Failed, OSError) as error:
        status, why = 1, str(error)
    except KeyboardInterrupt:
        status, why = 1, "interrupted: what Terraform had made is in its state; begin again"
    print(f"{name}: {why}", file=sys.stderr)
    if done or todo[1:]:
        for word, those in (("done", done), ("not done", todo)):
            print(f"{name}: {word}: {', '.join(map(str, those)) or 'nothing'}", file=sys.stderr)
    return status


def up(arguments: list[str]) -> int:
    """infra/terraform/up."""
    return run("up", "Makes an environment, or changes it to what is written; then installs what runs in it.", make, False,
               arguments)


def down(arguments: list[str]) -> int:
    """infra/terraform/down."""
    return run("down", "Removes what runs in an environment, destroys it, and asks AWS what is left: nothing.", unmake, True,
               arguments)
