"""What a person sees of the stack, from the first line to the last.

While it comes up: a line a part. Then what to open, and from then on what happens: pages as the
webhook prints them, and a part that died, with its last words; the rest goes on. At the end
everything is taken down, and the exit status tells: 0 if it was asked to end and all went well
(an incident: and every page resolved), 1 if not, 2 if it could not even begin.
"""

import argparse
import os
import shlex
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from . import files, ports, swap
from .incident import CALM, Incident, NoIncident
from .interruption import Interrupted, Interruption
from .ports import DEFAULT, Taken
from .stack import Failed, Stack

FOLDER = files.ROOT / "build/demo"
TICK = 0.25
MOST_ACCESS_LOG = 64 << 20  # bytes, then it is rotated; one old one is kept


class Voice:
    """Lines on stdout. When nobody can hear them any more, `deaf` is true, and that is all: a closed
    terminal must not keep us from cleaning up."""

    deaf = False

    def __init__(self) -> None:
        sys.stdout.reconfigure(errors="replace")  # a page has lines that not every terminal can draw

    def __call__(self, text: str, end: str = "\n") -> None:
        try:
            print(text, end=end, flush=True)
        except OSError:
            self.deaf = True
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def what_to_open(stack: Stack) -> str:
    """The addresses, and what to try first."""
    here, folder = shlex.quote(os.path.relpath(files.HERE)), shlex.quote(os.path.relpath(stack.folder))
    elsewhere = stack.folder != FOLDER  # then whoever looks for a stack has to be told
    drill = f"alerts/drill ErrorBudgetBurn{f' --stack {folder}/stack.json' if elsewhere else ''}"
    profile = f"python3 {here}/stack.py profile%s{f' --folder {folder}' if elsewhere else ''}"
    grafana = f"{stack.grafana}/dashboards" if stack.grafana else \
        "not installed (no grafana-server): they are in dashboards/json; a page's link to one leads nowhere"
    lines = [("", "Open"), ("the service, live", f"{stack.operators}/"),
             ("a request", f"curl -i {stack.service}/demo/hello"),
             # Debian's Prometheus has the classic pages, its Alertmanager has none.
             ("alerts, queries", f"{stack.prometheus}/classic/alerts"),
             ("notifications", f"amtool alert query --alertmanager.url={stack.alertmanager}"),
             ("dashboards", grafana)]
    if stack.traces:
        newest = f"curl -si '{stack.service}/demo/hello?delay=50' | python3 {here}/traces.py -"
        lines += [("traces", f"{stack.traces}/trace/ID, with the ID of a response's traceresponse"),
                  ("", f"{newest} --file {folder}/traces.json")]
    else:
        lines += [("traces", f"NONE: {stack.no_collector}")]
    lines += [("", "Try"), ("a drill", drill), ("", "alerts/drill --list"),
              ("a fault", f"curl -X PUT {stack.operators}/faults -H \"Authorization: Bearer $(cat "
                          f"{folder}/{stack.token_file.name})\" \\"),
              ("", """--json '{"faults": [{"duration": "5m", "route": "/demo/hello", "error": """
                   """{"ratio": 0.3, "status": 503}}]}'"""),
              *((f"{name} windows", profile % f" {name}") for name in ("fast", "real")),
              ("logs", f"{folder}/log")]
    return "\n".join(f"\n  {text}" if text in ("Open", "Try") else f"    {name:<19}{text}"
                     for name, text in lines)


class Watch:
    """Looks after the parts of a stack that is up."""

    def __init__(self, stack: Stack, say: Voice):
        self.stack, self.say = stack, say
        self.dead: set[str] = set()
        self._pages = open(stack.folder / "log/webhook.log", encoding="utf-8", errors="replace")
        self._pages.seek(0, os.SEEK_END)  # what it said when it started is of no interest
        self._begun = ""  # a line that is not whole yet

    def __enter__(self) -> "Watch":
        return self

    def __exit__(self, *_) -> None:
        self._pages.close()

    def look(self) -> None:
        """Once a TICK."""
        self._print_pages()
        for name, words in self.stack.deaths():
            if name not in self.dead:
                self.dead.add(name)
                self.say(f"\n{time.strftime('%H:%M:%S')}  DIED: {words}\n    The rest goes on.\n")
        self._rotate()

    def _print_pages(self) -> None:
        *lines, self._begun = (self._begun + self._pages.read()).split("\n")
        for line in lines:
            self.say(line)

    def _rotate(self) -> None:
        log = self.stack.folder / "log/access.log"
        if log.exists() and log.stat().st_size > MOST_ACCESS_LOG:
            log.replace(log.with_suffix(".old"))
            self.stack.reopen_access_log()


def show(stack: Stack, incident: Incident | None, interruption: Interruption, say: Voice) -> bool:
    """Until it is interrupted, nobody listens, or the incident is over; whether all went well."""
    with Watch(stack, say) as watch:
        try:
            while not say.deaf:
                watch.look()
                if incident is not None and incident.look(stack, say):
                    break
                interruption.pause(TICK)
        except Interrupted as signal:
            say(f"\n{signal}: taking everything down")
        return not watch.dead and (incident is None or incident.well)


def up(arguments: argparse.Namespace) -> int:
    """`make demo`."""
    say = Voice()
    incident = Incident(arguments.incident, arguments.profile, arguments.calm) if arguments.incident else None
    with Interruption() as interruption:
        table = {**(ports.free() if arguments.free_ports else {}), **arguments.port}
        stack = Stack(arguments.folder, arguments.profile, arguments.rate, not arguments.no_collector,
                      not arguments.no_load, table, say, interruption.pause)
        interruption.at_once = stack.kill
        try:
            with stack:
                say(what_to_open(stack))
                say("\n  Ctrl-C takes everything down. Pages appear below.\n" if incident is None else
                    "\n  The incident and its pages appear below; then everything is taken down.\n")
                well = show(stack, incident, interruption, say)
        except Interrupted as signal:
            say(f"\n{signal}: everything is taken down")
            return 1
        except (Failed, NoIncident) as error:
            say(f"\nFAILED: {error}\n\nEverything is taken down; the logs are in {stack.folder}/log.")
            return 1
        say("Everything is down.")
        return 0 if well else 1


def port(text: str) -> tuple[str, int]:
    """NAME=PORT of --port."""
    name, _, number = text.partition("=")
    if name not in DEFAULT or not number.isdecimal() or not 0 < int(number) < 65536:
        raise argparse.ArgumentTypeError(f"`{text}` is not NAME=PORT with a NAME of {', '.join(DEFAULT)}")
    return name, int(number)


def between(least: int, most: int) -> Callable[[str], float]:
    """A number that makes sense; no number and nan do not."""
    def parse_number(text: str) -> float:
        with suppress(ValueError):
            if least <= (value := float(text)) <= most:
                return value
        raise argparse.ArgumentTypeError(f"`{text}` is not a number from {least} to {most}")
    return parse_number


def parse() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="stack.py", description="The local stack, until Ctrl-C.")
    parser.add_argument("--folder", type=Path, default=FOLDER,
                        help="for everything it writes (build/demo)")
    parser.add_argument("--profile", choices=files.PROFILES, default="real",
                        help="real windows, or short ones for a demonstration")
    parser.add_argument("--incident", metavar="NAME|FILE", help="play one, print its closing table, end")
    parser.add_argument("--calm", type=between(0, 3600), default=CALM, metavar="SECONDS", help="before it (30)")
    # What the service of a laptop can stand.
    parser.add_argument("--rate", type=between(1, 1000), default=40.0, help="requests a second (40)")
    parser.add_argument("--no-load", action="store_true")
    parser.add_argument("--no-collector", action="store_true", help="no traces")
    parser.add_argument("--free-ports", action="store_true", help="any ports that are free")
    parser.add_argument("--port", type=port, action="append", metavar="NAME=PORT", default=[],
                        help="another port; names: " + ", ".join(f"{k} ({v})" for k, v in DEFAULT.items()))
    parser.add_argument("--check", action="store_true", help="end here: whether all this is understood")
    actions = parser.add_subparsers(dest="action", metavar="")
    swapping = actions.add_parser("profile", help="fast|real: swap the windows of the stack that runs")
    swapping.add_argument("to", choices=files.PROFILES)
    swapping.add_argument("--folder", type=Path, default=argparse.SUPPRESS)
    arguments = parser.parse_args()
    arguments.port = dict(arguments.port)
    return arguments


def main() -> int:
    arguments = parse()
    try:
        if arguments.check:
            if arguments.incident:
                Incident(arguments.incident, arguments.profile)
            return 0
        if arguments.action == "profile":
            before = swap.swap(arguments.folder.resolve(), arguments.to)
            print(f"profile {arguments.to} (it was {before})")
            return 0
        return up(arguments)
    except (files.NotOurs, Taken, NoIncident) as error:
        print(error, file=sys.stderr)
        return 2
    except swap.Refused as error:
        print(error, file=sys.stderr)
        return 1
