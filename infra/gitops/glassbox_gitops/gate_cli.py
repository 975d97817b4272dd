"""The command line of gate."""

from __future__ import annotations

import argparse
import re
import sys
import time
import urllib.parse
from pathlib import Path
from typing import Any

from . import slo, smoke
from .finding import Finding, table
from .reach import Prometheus, by_cluster, by_url, proxied
from .release import ENVIRONMENTS, Refused, known, read

ROOT = Path(__file__).resolve().parents[3]
NAMESPACE, MONITORING = "glassbox", "monitoring"
PROMETHEUS = proxied(MONITORING, "kube-prometheus-stack-prometheus", "http-web")
UNITS = {"s": 1, "m": 60, "h": 3600}
EPILOGUE = """
Smoke test: only the release's revision runs, / and /demo/hello answer. Then each objective of alerts/slo.yaml over
the window, of the requests that instances of this release have answered. No answer, no number, too few requests: refused.
Exit status: 0 all held; 1 something did not, and which; 2 asked wrongly.
"""


def options() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="gate", description="Whether what an environment runs may go on.",
                                     epilog=EPILOGUE, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("environment", metavar="ENV", help=", ".join(ENVIRONMENTS))
    add("--url", required=True, help="of the service, as its users have it")
    add("--prometheus", default="", metavar="URL", help="the environment's Prometheus")
    add("--kube-context", default="", metavar="C", help="or its cluster: its Prometheus by its API server, and the version by that")
    add("--version-url", default="", metavar="URL", help="where /version answers (default: URL/version, or Prometheus with C)")
    add("--selector", default="", metavar="LABELS", help='default: slo.yaml\'s; with --kube-context its namespace, too')
    add("--window", default="10m", metavar="TIME", help="the last so much is judged (default: 10m)")
    add("--at-least", type=int, default=500, metavar="N", help="requests of each objective (default: 500)")
    add("--traffic", type=float, default=0, metavar="RATE",
        help="first send so many requests a second for the window, where users do not")
    add("--wait", type=float, default=300, metavar="SECONDS", help="for the release to be there (default: 300)")
    add("--objectives", type=Path, default=ROOT / "loadtest/slo.json", metavar="FILE",
        help="those of alerts/slo.yaml, as JSON (default: loadtest/slo.json)")
    add("--repository", type=Path, default=ROOT, metavar="DIR", help="whose release.yaml (default: this one)")
    return parser


def seconds(text: str) -> int:
    """A window as Prometheus writes it: 90s, 10m, 1h."""
    match = re.fullmatch(r"([1-9][0-9]{0,4})([smh])", text)
    if not match:
        raise Refused(f"--window {text!r}: must be a number and s, m or h, such as 10m")
    return int(match[1]) * UNITS[match[2]]


def url(option: str, text: str) -> str:
    """An http or https address."""
    try:
        parts = urllib.parse.urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good:
        raise Refused(f"{option} {text!r}: must be an address such as https://glassbox.example.org")
    return text.rstrip("/")


def objectives(path: Path) -> dict[str, Any]:
    """The file, if it can be read."""
    try:
        return slo.objectives(path)
    except (OSError, ValueError) as error:
        raise Refused(f"--objectives {path}: {error}") from None


def sources(given: argparse.Namespace, here: str) -> tuple[smoke.Source, Prometheus, str]:
    """Who is asked for the version, which Prometheus, and by which labels. /version is the operators', and in a cluster
    nobody comes to their port but who watches and who balances load, the API server neither: its Prometheus knows."""
    if bool(given.prometheus) == bool(given.kube_context):
        raise Refused("one of --prometheus URL and --kube-context C is needed, and not both")
    if given.kube_context:
        prometheus = Prometheus(by_cluster(given.kube_context), PROMETHEUS)
        here = f'{here}, namespace="{NAMESPACE}"'
    else:
        prometheus = Prometheus(by_url, url("--prometheus", given.prometheus))
    selector = given.selector or here
    if given.kube_context and not given.version_url:
        return smoke.by_prometheus(prometheus, selector), prometheus, selector
    asked = url("--version-url", given.version_url) if given.version_url else f"{given.url.rstrip('/')}/version"
    return smoke.by_version(asked), prometheus, selector


def look(given: argparse.Namespace) -> list[Finding]:
    """All that must hold; what cannot be asked because of an earlier thing is not."""
    release = read(given.repository, known(given.environment))
    url("--url", given.url)
    window = seconds(given.window)
    if given.at_least < 1:
        raise Refused(f"--at-least {given.at_least}: must be 1 or more: of no requests nothing is known")
    if not 0 <= given.traffic <= 1000:
        raise Refused(f"--traffic {given.traffic:g}: must be between 0 and 1000 requests a second")
    wanted = objectives(given.objectives)
    running, prometheus, selector = sources(given, wanted["selector"])
    print(f"{given.environment}: {release.named}, {release.digest[:19]}…, over {given.window}", flush=True)
    found, said = smoke.version(running, release, given.wait)
    findings = [found]
    if not found.held:
        return findings
    findings += smoke.answers(given.url)
    if given.traffic:
        with smoke.Traffic(given.url, list(wanted["routes"]), given.traffic):
            time.sleep(window)
    scope = slo.Scope(selector, said[:12], given.window, given.at_least)
    return [*findings, slo.running(prometheus, scope), *slo.check(prometheus, scope, wanted)]


def main(arguments: list[str]) -> int:
    """The exit status."""
    given = options().parse_args(arguments)
    try:
        findings = look(given)
    except Refused as error:
        print(f"gate: refused: {error}", file=sys.stderr)
        return 2
    print(table(findings))
    missed = [one for one in findings if not one.held]
    print(f"{given.environment}: " + (f"NOT HELD: {', '.join(one.name for one in missed)}" if missed else "held"))
    return 1 if missed else 0
