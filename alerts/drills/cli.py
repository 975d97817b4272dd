"""The command: arguments, one drill or all of them, and the exit status.

    0    everything came when it was due      2      refused: nothing was armed
    1    late, not at all, or not restored    128+N  ended by signal N, after restoring
"""

import argparse
import json
import os
from pathlib import Path
from typing import Optional, Sequence

from . import listing, places, stack
from .arming import Api, File, Way
from .configmap import ConfigMap
from .guard import Clock, Guard, Interrupted, alone, to_stderr
from .table import Drill, by_name, waves
from .timeline import Timeline, summary
from .wave import Site, Wave
from .web import Refused, Unreachable

SETTLE = 600.0  # seconds, at most, that a wave waits for what the one before it left


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog="alerts/drill", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Fires an alert by a fault, and watches it reach a person and resolve: docs/drills.md.",
        epilog="exit status: 0 all came when due; 1 late or not at all; 2 refused; 128+N after signal N, restored")
    what = made.add_argument_group("what")
    what.add_argument("name", nargs="?", help="an alert, with or without `Glassbox` before it")
    what.add_argument("--all", action="store_true", help="each alert that a fault can cause")
    what.add_argument("--list", action="store_true", help="the alerts, their faults, how long each takes, or why not")
    what.add_argument("--severity", choices=["page", "ticket", "info"], help="of an alert that has two")
    what.add_argument("--route", help="another route than the table's")
    what.add_argument("--fast", action="store_true",
                      help="with shortened windows: swaps a local stack's rules, and puts them back")
    what.add_argument("--by", choices=["api", "file", "configmap"], help="how the fault is armed; by default the API")
    what.add_argument("--force", action="store_true", help="take the place of a fault that is in force")
    what.add_argument("--json", type=Path, metavar="FILE", help="write the timelines there, too")
    where = made.add_argument_group("where; by default the local stack")
    where.add_argument("--stack", default=str(places.ROOT / "build/demo/stack.json"), metavar="FILE")
    where.add_argument("--service", action="append", metavar="URL", help="a process; may be given several times")
    where.add_argument("--operators", action="append", metavar="URL", help="its operators' listener, if it has one")
    where.add_argument("--prometheus", metavar="URL")
    where.add_argument("--alertmanager", metavar="URL")
    where.add_argument("--webhook", metavar="URL", help="where alerts/webhook hears of it")
    where.add_argument("--token-file", metavar="FILE", help="the fault API's")
    where.add_argument("--plan-file", metavar="FILE", help="the service's --faults, for --by file")
    where.add_argument("--job", default="glassbox", help="in Prometheus")
    where.add_argument("--instance", action="append", help="as Prometheus calls a target that is drilled")
    cluster = made.add_argument_group("in a cluster: --by configmap drills all that have the job and the namespace")
    cluster.add_argument("--config-map", metavar="NAME")
    cluster.add_argument("--namespace", help="of the ConfigMap, the targets, and the rules")
    cluster.add_argument("--context")
    cluster.add_argument("--key", default="plan.json")
    return made


def way_of(arguments: argparse.Namespace, where: places.Endpoints, drill: Drill) -> Way:
    """How the fault comes to the processes. A file that is no plan can only come as a file."""
    by = arguments.by or ("file" if drill.broken else "api")
    if by == "api":
        if drill.broken:
            raise Refused(f"{drill} is about the plan's file: --by file, or --by configmap")
        return Api(where)
    if by == "file":
        if where.plan_file is None:
            raise Refused("by the plan's file: --plan-file FILE, which is the service's --faults")
        return File(where.plan_file, Api(where) if where.operators and where.token_file else None)
    if not arguments.config_map:
        raise Refused("by the ConfigMap: --config-map NAME [--namespace N] [--key plan.json]")
    return ConfigMap(arguments.config_map, arguments.namespace, arguments.key, arguments.context)


def settle(field: Site, drills: list[Drill]) -> None:
    """Waits until nothing of a wave is left of what was before it, in Prometheus or Alertmanager."""
    until, said = field.clock.now() + SETTLE, list[str]()
    while True:
        try:
            labels = [alert["labels"] for source in (field.prometheus.alerts(), field.alertmanager.get("alerts"))
                      for alert in source]
        except Unreachable:
            labels = []
        left = [str(drill) for drill in drills for have in labels if have["alertname"] == drill.alert
                and drill.match().items() <= have.items()]
        if left != said:
            field.say("  waits for what is left of before: " + (", ".join(left) or "nothing more"))
            said = left
        if not left or field.clock.now() > until:
            return
        field.clock.sleep(1.0)


def every(field: Site) -> tuple[list[Timeline], list[tuple[str, str]]]:
    """All waves; one that is refused does not keep the others from being drilled."""
    timelines: list[Timeline] = []
    refusals: list[tuple[str, str]] = []
    for number, drills in enumerate(waves(), 1):
        field.say(f"\n== wave {number}, {drills[0].wave}: " + ", ".join(map(str, drills)))
        settle(field, drills)
        try:
            timelines += Wave(field, drills).run()
        except Refused as refusal:
            field.say(f"  refused: {refusal}")
            refusals += [(str(drill), str(refusal).splitlines()[0]) for drill in drills]
    return timelines, refusals


def run(arguments: argparse.Namespace, guard: Guard) -> int:
    """Within the guard."""
    say = guard.print
    drill = None if arguments.all else by_name(arguments.name, arguments.severity, arguments.route)
    where = places.find(arguments)
    if arguments.json and not (arguments.json.parent.is_dir() and not arguments.json.is_dir()):
        raise Refused(f"--json {arguments.json}: no such folder, or a folder itself")
    by_file = where.plan_file if arguments.by == "file" or drill is None or drill.broken else None
    alone(*filter(None, [where.folder, by_file and Path(os.path.realpath(by_file)).parent]))
    field = Site(where, lambda drill: way_of(arguments, where, drill), guard, Clock(guard.check), say,
                  arguments.force, "fast" if arguments.fast else "real")
    if arguments.fast and where.folder is not None:
        field.prometheus.get("rules")
        stack.fast(where.folder, field.prometheus, guard, field.clock, say)
    began = field.clock.now()
    refusals: list[tuple[str, str]] = []
    if drill is None:
        timelines, refusals = every(field)
    else:
        timelines = Wave(field, [drill]).run()
    for line in summary(timelines, refusals, field.clock.now() - began, tables=len(timelines) <= 1):
        say(line)
    if arguments.json:
        arguments.json.write_text(json.dumps({
            "began": began, "profile": field.profile, "drills": [line.as_json() for line in timelines],
            "refused": [{"drill": name, "why": why} for name, why in refusals]}, indent=2) + "\n")
    return 1 if refusals or any(timeline.problems() for timeline in timelines) else 0


def main(words: Optional[Sequence[str]] = None) -> int:
    made = parser()
    arguments = made.parse_args(words)
    status, guard = 2, Guard()
    if arguments.list:
        for line in listing.table():
            guard.print(line)
        return 0
    if bool(arguments.name) == arguments.all:
        made.error("an alert's name, or --all, or --list")
    if arguments.all and (arguments.route or arguments.severity):
        made.error("--all takes neither --route nor --severity")
    try:
        with guard:
            status = run(arguments, guard)
    except Refused as refusal:
        to_stderr(f"drill: {refusal}")
    except Interrupted as interrupt:
        to_stderr(f"drill: ended by {interrupt}; "
                  + ("NOT all was restored" if guard.failed else "restored what was changed"))
        status = 128 + interrupt.number
    except OSError as error:
        to_stderr(f"drill: {error}")
    return 1 if guard.failed and status in (0, 2) else status
