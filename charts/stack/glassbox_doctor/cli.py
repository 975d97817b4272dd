"""The command line: rounds until all is well or the time is up, a table for people, JSON for programs."""

import argparse
import json
import os
import shutil
import sys
import textwrap
import time
from pathlib import Path
from typing import Optional, TextIO

from .cluster import Cluster
from .commands import DEFAULTS, complete, typed
from .facts import Facts
from .finding import BROKEN, OK, SKIPPED, Finding, upgrade
from .kubectl import Failed, Forbidden, Kubectl, Refused, Unreachable
from .rounds import examine, is_forbidden

GREEN, BREAK, REFUSED = 0, 1, 2
PAUSE = 3.0  # seconds between two rounds
WIDTH = 120
COLOURS = {OK: "32", BROKEN: "31", SKIPPED: "33"}


def options(arguments: Optional[list[str]]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="doctor", description="Says, link by link, why a metric of glassbox is not where it should be, and for "
        "each break the line to change. It looks by kubectl and changes nothing.",
        epilog="exit status: 0 all links are well, 1 one is broken, 2 refused or unreachable")
    parser.add_argument("--namespace", default=DEFAULTS["namespace"], help="of the release (%(default)s)")
    parser.add_argument("--release", default=DEFAULTS["release"], help="Helm's name of it (%(default)s)")
    parser.add_argument("--monitoring-namespace", default=DEFAULTS["monitoring-namespace"], metavar="NAMESPACE",
                        help="where Prometheus, the collector and Grafana are (%(default)s)")
    parser.add_argument("--context", default=DEFAULTS["context"], help="of the kubeconfig; else its current one")
    parser.add_argument("--json", metavar="FILE", help="write [{id, state, found, fix}], too; - is stdout, alone")
    parser.add_argument("--wait", type=float, default=0.0, metavar="SECONDS",
                        help="look again until all is well, at most so long: a new metric needs up to 90")
    return parser.parse_args(arguments)


def table(findings: dict[str, Finding], width: int, coloured: bool) -> str:
    """A row a link; what was found and what to change are wrapped beneath one another."""
    first = max(map(len, findings)) + 2
    second = max(len(SKIPPED), len(BROKEN)) + 2
    indent = " " * (first + second)
    lines = []
    for name, finding in findings.items():
        state = f"{finding.state:<{second}}"
        if coloured:
            state = f"\033[{COLOURS[finding.state]}m{state}\033[0m"
        found = textwrap.wrap(finding.found, max(40, width - first - second), break_on_hyphens=False,
                              break_long_words=False) or [""]
        lines.append(f"{name:<{first}}{state}{found[0]}")
        lines += [indent + line for line in found[1:]]
        # A line to change is to be copied: it is not wrapped.
        lines += [f"{indent}-> {line}" for line in finding.fix.splitlines()]
    return "\n".join(lines)


def closing(findings: dict[str, Finding], given: argparse.Namespace) -> str:
    states = [finding.state for finding in findings.values()]
    said = ", ".join(f"{states.count(state)} {state}" for state in (OK, BROKEN, SKIPPED))
    first = next((name for name, finding in findings.items() if finding.state == BROKEN), None)
    if first is None:
        return said
    hint = ""
    if any("values of glassbox: " in finding.fix for finding in findings.values() if finding.state == BROKEN):
        hint = ("\nA line of glassbox's values is put in force by\n    "
                + typed(f"{upgrade(given.release, given.namespace)} --set KEY=VALUE", given))
    return f"{said}; begin with {first}{hint}"


def document(findings: dict[str, Finding]) -> str:
    return json.dumps([{"id": name, "state": one.state, "found": one.found, "fix": one.fix}
                       for name, one in findings.items()], indent=2) + "\n"


def status(findings: dict[str, Finding]) -> int:
    if any(one.state == BROKEN for one in findings.values()):
        return BREAK
    return REFUSED if any(is_forbidden(one) for one in findings.values()) else GREEN


def reach(cluster: Cluster) -> None:
    """That there is a cluster, and that it lets us in, before eleven links say that it does not."""
    try:
        cluster.text("/version")
    except Forbidden:
        pass  # it has answered
    except Failed as error:
        raise Unreachable(f"the cluster does not answer: {error}") from None


def once(cluster: Cluster, given: argparse.Namespace) -> dict[str, Finding]:
    cluster.forget()
    reach(cluster)
    facts = Facts(cluster, given.release, given.namespace, given.monitoring_namespace)
    return complete(examine(facts), facts, given)


def rounds(cluster: Cluster, given: argparse.Namespace, progress: TextIO) -> dict[str, Finding]:
    """Until nothing is broken, or the time is up; a cluster that does not answer is asked again till then."""
    end = time.monotonic() + given.wait
    while True:
        try:
            findings = once(cluster, given)
            waits_for = ", ".join(name for name, one in findings.items() if one.state == BROKEN)
            if not waits_for or time.monotonic() >= end:
                return findings
        except Unreachable as error:
            if time.monotonic() >= end:
                raise
            waits_for = f"the cluster: {error}"
        left = max(0.0, end - time.monotonic())
        print(f"doctor: {left:.0f} s left for {waits_for}", file=progress, flush=True)
        time.sleep(min(PAUSE, left))


def main(arguments: Optional[list[str]] = None) -> int:
    given = options(arguments)
    try:
        findings = rounds(Cluster(Kubectl(given.context)), given, sys.stderr)
    except Refused as refusal:
        print(f"doctor: {refusal}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130
    if given.json == "-":
        print(document(findings), end="")
        return status(findings)
    terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if terminal else WIDTH
    print(table(findings, width, terminal and "NO_COLOR" not in os.environ))
    print(closing(findings, given))
    if given.json:
        try:
            Path(given.json).write_text(document(findings), encoding="utf-8")
        except OSError as error:
            print(f"doctor: --json: {error}", file=sys.stderr)
            return REFUSED
    return status(findings)
