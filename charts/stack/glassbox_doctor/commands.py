"""The commands among the lines to change, as they are to be typed here: in the cluster that was looked at, with the
names that were given, whatever the shell's current context and the programs' defaults are.

A link writes the shortest that would do with all of these as they are by default; this module adds the rest, in one
place, so that no line that is copied changes another cluster or installs beside what is there.
"""

import re
from argparse import Namespace
from dataclasses import replace

from .facts import Facts
from .finding import Finding

DEFAULTS = {"namespace": "glassbox", "release": "glassbox", "monitoring-namespace": "monitoring", "context": ""}
# What may stand before a command: `or `, `then `, `wait: `, `first mend X; where that is well: wait: `.
COMMAND = re.compile(r"^((?:first mend .*: )?(?:or |then )?(?:wait: )?)(kubectl|helm|charts/stack/install|doctor) ")


def names(given: Namespace, line: str) -> str:
    """Options of ours that differ from the defaults and that the line does not have itself."""
    told = {name: getattr(given, name.replace("-", "_")) for name in DEFAULTS}
    return "".join(f"--{name} {told[name]} " for name, default in DEFAULTS.items()
                   if told[name] != default and f"--{name} " not in line)


def typed(line: str, given: Namespace, profile: str = "") -> str:
    """A line to change; one that is no command stays as it is."""
    found = COMMAND.match(line)
    if found is None:
        return line
    before, program = found.groups()
    rest = line[found.end():]
    if program in ("kubectl", "helm"):
        flag = "--context" if program == "kubectl" else "--kube-context"
        return f"{before}{program} {f'{flag} {given.context} ' if given.context else ''}{rest}"
    if program == "doctor":
        return f"{before}charts/stack/doctor {names(given, line)}{rest}"
    return f"{before}{program} {f'--profile {profile} ' if profile else ''}{names(given, line)}{rest}"


def complete(findings: dict[str, Finding], facts: Facts, given: Namespace) -> dict[str, Finding]:
    """The findings, each with its commands whole."""
    # The demonstration's window is too short for another's scrapes.
    profile = "production" if facts.value("monitoring.rules.profile") == "real" else ""
    return {name: replace(one, fix="\n".join(typed(line, given, profile) for line in one.fix.splitlines()))
            for name, one in findings.items()}
