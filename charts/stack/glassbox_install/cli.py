"""The command line, and what is refused before anything is touched.

Exit status: 0 all is ready (or gone); 1 something was begun and did not succeed; 2 it was not begun; 75 it was
not begun, for a chart that is fetched cannot be had.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

from . import definitions, steps
from .parts import PARTS, PROFILES, Part, Refused, Unavailable, Wish, chart_of, layers
from .tools import Failed, Tools, meant

NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,51}[a-z0-9])?")  # helm's bound for a release is 53
EPILOGUE = f"""
parts, in order: {', '.join(part.name for part in PARTS)} (webhook: in the demo profile;
gateway: when asked for).
Charts come from $CHARTS_DIR (NAME-VERSION.tgz) or, without it, from their public repositories; the Gateway API's CRDs
from the file $GATEWAY_API_CRDS or, without it, from their public address; values from
charts/stack/values, then the profile's, then DIR/PART.yaml, then FILE.
"""


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(
        prog="install", formatter_class=argparse.RawDescriptionHelpFormatter, epilog=EPILOGUE,
        description="Installs glassbox and what watches and scales it into a cluster; done again, it upgrades.")
    add = parser.add_argument
    add("--profile", choices=PROFILES, default="demo", help="default: demo")
    add("--namespace", default="glassbox", metavar="NS", help="of the service (default: glassbox)")
    add("--release", default="glassbox", metavar="NAME", help="of the service (default: glassbox)")
    add("--monitoring-namespace", default="monitoring", metavar="NS", help="default: monitoring")
    add("--overlay", type=Path, metavar="DIR", help="DIR/PART.yaml: values that this cluster needs")
    add("--values", type=Path, action="append", default=[], metavar="FILE", help="more values for glassbox")
    add("--only", action="append", default=[], metavar="PART", help="this part; may be given again")
    add("--gateway", action="store_true", help="a Gateway as the door from outside, and the service's route to it")
    add("--tempo", default="", metavar="URL", help="send traces there (OTLP over HTTP), and link exemplars to them")
    add("--tempo-query", default="", metavar="URL", help="where Grafana asks Tempo (default: the same host, port 3200)")
    add("--uninstall", action="store_true", help="remove the parts, in reverse order")
    add("--dry-run", action="store_true", help="print the commands; asks no cluster")
    add("--context", default="", metavar="C", help="of the kubeconfig (default: the current one)")
    add("--timeout", type=int, default=300, metavar="SECONDS", help="for each part (default: 300)")
    return parser


def url(option: str, text: str) -> str:
    """An address such as http://tempo.monitoring.svc:4318, or nothing."""
    try:
        known = not text or (urlsplit(text).scheme in ("http", "https") and urlsplit(text).hostname)
    except ValueError:
        known = False
    if not known:
        raise Refused(f"{option}: not an address: {text} (such as http://tempo.monitoring.svc:4318)")
    return text


def chosen(given: argparse.Namespace) -> tuple[Part, ...]:
    """The parts, in the table's order."""
    known = {part.name for part in PARTS}
    for name in given.only:
        if name not in known:
            raise Refused(f"--only {name}: no such part; there are {', '.join(part.name for part in PARTS)}")
    parts = [part for part in PARTS if not given.only or part.name in given.only]
    if given.uninstall:
        return tuple(parts)
    for part in parts:
        if given.profile not in part.profiles and part.name in given.only:
            raise Refused(f"--only {part.name}: it is of the profile {', '.join(part.profiles)}")
    return tuple(part for part in parts if given.profile in part.profiles
                 and (not part.option or part.name in given.only or getattr(given, part.option)))


def wish(given: argparse.Namespace) -> Wish:
    """What was asked for, if it can be."""
    for option in ("namespace", "release", "monitoring_namespace"):
        if not NAME.fullmatch(text := getattr(given, option)):
            raise Refused(f"--{option.replace('_', '-')}: not a name that Kubernetes takes: {text!r} "
                          "(lower case letters, digits, hyphens; 53 at most)")
    if given.timeout < 1:
        raise Refused(f"--timeout: at least a second: {given.timeout}")
    for path in given.values:
        if not path.is_file():
            raise Refused(f"--values: no such file: {path}")
    if given.overlay:
        if not given.overlay.is_dir():
            raise Refused(f"--overlay: no such folder: {given.overlay}")
        known = {part.name for part in PARTS}
        for path in sorted(given.overlay.glob("*.y*ml")):
            if path.stem not in known or path.suffix != ".yaml":
                raise Refused(f"--overlay: {path} belongs to no part; there are {', '.join(sorted(known))}, each .yaml")
    if given.tempo_query and not given.tempo:
        raise Refused("--tempo-query: says where traces are asked for; --tempo, where they are sent, is missing")
    return Wish(given.profile, given.namespace, given.release, given.monitoring_namespace, given.overlay,
                tuple(given.values), chosen(given), url("--tempo", given.tempo), url("--tempo-query", given.tempo_query),
                given.gateway)


def run(given: argparse.Namespace) -> None:
    """All of it; raises Refused or Failed."""
    asked = wish(given)
    tools = Tools(given.context, given.dry_run)
    if not given.uninstall:
        for part in asked.parts:  # files first: they need no cluster
            chart_of(part)
            layers(part, asked)
            if part.definitions:
                definitions.source(part)
    if not given.dry_run:
        tools.check()
    if given.uninstall:
        take_down(tools, asked, given.timeout)
    else:
        put_up(tools, asked, given.timeout)


def put_up(tools: Tools, asked: Wish, seconds: int) -> None:
    """Each part in order, and what to do next."""
    begin = time.monotonic()
    if not tools.dry:
        steps.look(tools, asked)
    steps.ground(tools, asked)
    for part in asked.parts:
        each(tools, part, asked, lambda part=part: steps.install(tools, part, asked, seconds))
    if not tools.dry:
        service = f"--namespace {asked.namespace} --release {asked.release}"
        print(f"\nall is ready after {time.monotonic() - begin:.0f} s. Whether every link holds, down to the HPA's "
              f"metrics:\n   charts/stack/doctor {service} --monitoring-namespace {asked.monitoring}"
              + (f" --context {tools.context}" if tools.context else ""))


def take_down(tools: Tools, asked: Wish, seconds: int) -> None:
    """Each part in reverse order, and what remains."""
    for part in reversed(asked.parts):
        each(tools, part, asked, lambda part=part: steps.remove(tools, part, asked, seconds))
    if not tools.dry and (left := steps.remains(tools, asked)):
        print(f"\nleft, for they may hold what somebody still wants:\n{meant(left, tools.context)}")


def each(tools: Tools, part: Part, asked: Wish, step) -> None:
    """A step with its heading and its time."""
    if not tools.dry:
        print(f"== {part.name} ({asked.namespace_of(part)})", flush=True)
    begin = time.monotonic()
    word = step()
    if not tools.dry:
        print(f"   {word}, {time.monotonic() - begin:.0f} s", flush=True)


def main(arguments: list[str]) -> int:
    """The exit status."""
    given = options().parse_args(arguments)
    try:
        run(given)
    except Refused as error:
        print(f"install: refused: {meant(str(error), given.context)}", file=sys.stderr)
        return 2
    except Unavailable as error:
        print(f"install: cannot be had: {meant(str(error), given.context)}", file=sys.stderr)
        return 75
    except Failed as error:
        print(f"install: FAILED: {meant(str(error), given.context)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("install: interrupted; run it again to go on", file=sys.stderr)
        return 130
    return 0
