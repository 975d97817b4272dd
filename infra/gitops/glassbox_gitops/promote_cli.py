"""The command line of promote."""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from . import promotion
from .clone import Clone, Failed
from .release import ENVIRONMENTS, Refused, Release, image, known

ROOT = Path(__file__).resolve().parents[3]
EPILOGUE = """
Each change is one commit of one file, environments/ENV/release.yaml, upon what everybody has: pushed to main
(--push), as a branch for a pull request (--branch NAME), or left here.
Exit status: 0 done, or nothing to do; 1 begun and not done; 2 refused, with the reason.
"""


def sha256(text: str) -> str:
    """A sum as sha256sum prints it."""
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise argparse.ArgumentTypeError(f"{text!r}: must be 64 hexadecimal digits, as sha256sum prints them")
    return text


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="promote", epilog=EPILOGUE, description="What each environment is to run.",
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--repository", type=Path, default=ROOT, metavar="DIR", help="a clone (default: this one)")
    common.add_argument("--remote", default="origin", help="default: origin")
    common.add_argument("--main", default="main", metavar="BRANCH", help="what everybody has (default: main)")
    change = argparse.ArgumentParser(add_help=False)
    where = change.add_mutually_exclusive_group()
    where.add_argument("--push", action="store_true", help="to main; if somebody was first, upon that")
    where.add_argument("--branch", default="", metavar="NAME", help="push it as a new branch, for a pull request")
    names = ", ".join(ENVIRONMENTS)

    one = commands.add_parser("set", parents=[common, change], help="dev takes what was just built")
    one.add_argument("environment", metavar="ENV", help=ENVIRONMENTS[0])
    one.add_argument("--image", required=True, metavar="REPOSITORY@sha256:…")
    one.add_argument("--revision", required=True, metavar="SHA", help="the commit that it was built of")
    one.add_argument("--version", required=True, metavar="V", help="for people: 1.2.0")
    one = commands.add_parser("copy", parents=[common, change], help="a release goes on: dev staging, or staging prod")
    one.add_argument("origin", metavar="FROM")
    one.add_argument("target", metavar="TO")
    one.add_argument("--judged", type=sha256, default=None, metavar="SHA256",
                     help="only if this is the sha256 of FROM's release.yaml: what a gate has judged, and nothing newer")
    one.add_argument("--again", action="store_true", help="also what was taken back from TO last")
    one = commands.add_parser("rollback", parents=[common, change], help="a revert of what brought the last release")
    one.add_argument("environment", metavar="ENV", help=names)
    one.add_argument("--of", default=None, metavar="SHA", help="only if ENV has what it has at that commit, and nothing newer")
    one = commands.add_parser("status", parents=[common], help="which release each environment is to run, how long")
    one.add_argument("--json", action="store_true", help="for programs")
    return parser


def changes(given: argparse.Namespace, clone: Clone) -> str:
    """Makes the change that was asked for; what there is to say about it."""
    if given.command == "set":
        repository, tag, digest = image(given.image)
        release = Release(repository, digest, tag or given.version.replace("+", "-"), given.revision, given.version)
        promotion.first(given.environment)
    elif given.command == "copy":
        promotion.follows(given.origin, given.target)
    else:
        known(given.environment)

    def change() -> None:
        nonlocal said
        if given.command == "set":
            said = promotion.arrive(clone, given.environment, release)
        elif given.command == "copy":
            said = promotion.copy(clone, given.origin, given.target, given.judged, given.again)
        else:
            said = promotion.take_back(clone, given.environment, given.of)
    said = ""
    clone.check()
    clone.publish(change, given.branch, bool(given.push or given.branch))
    return said


def ago(seconds: int) -> str:
    """3 d 4 h."""
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number)[:12].strip() or "less than a minute"


def table(rows: list[dict[str, Any]]) -> str:
    """For people."""
    lines = []
    for row in rows:
        if row["version"] is None:
            lines.append(f"{row['environment']:8} nothing yet")
            continue
        behind = "" if not row["behind"] else f", {row['behind']} commits behind the one before it"
        lines.append(f"{row['environment']:8} {row['version']} ({row['revision'][:12]}) for {ago(row['seconds'])}{behind}")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """The exit status."""
    given = options().parse_args(arguments)
    try:
        clone = Clone(given.repository, given.remote, given.main)
        if given.command == "status":
            rows = promotion.status(clone)
            print(json.dumps(rows, indent=2) if given.json else table(rows))
        else:
            print(changes(given, clone))
    except promotion.Nothing as word:
        print(word)
    except Refused as error:
        print(f"promote: refused: {error}", file=sys.stderr)
        return 2
    except Failed as error:
        print(f"promote: FAILED: {error}", file=sys.stderr)
        return 1
    return 0
