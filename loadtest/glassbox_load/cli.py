"""The command: `loadtest/run NAME [SETTING=value …]`.

    0    all objectives held, and the service's signals agree with what was sent
    99   an objective was missed
    1    the signals differ from what was sent, or nothing can be said
    2    refused: nothing was sent
"""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from . import exam, k6, metrics, notes, places, settings, spans, target, testrun, truth
from .accesslog import AccessLog, Line
from .autoscaling import demo
from .exam import Exam
from .places import Places
from .refused import Refused
from .verdict import Verdict, by_route

HPA = "hpa"      # the workload that is more than k6's
STILL = 2.0      # seconds that are looked at before a run for others' traffic
PATIENCE = 20.0  # seconds, at most, for what is on its way when k6 has ended: batches of spans, lines


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    names = "\n".join(f"  {name:<12}{row['help']}" for name, row in settings.TABLE["workloads"].items())
    made = argparse.ArgumentParser(
        prog="loadtest/run", formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Runs a load test, and judges it: objectives, and the service's own signals.\n\nworkloads\n{names}",
        epilog="loadtest/run NAME --help lists the settings of a workload: environment variables, or NAME=value here.\n"
               "exit status: 0 held; 99 an objective was missed; 1 the signals differ, or nothing can be said; 2 refused",
        add_help=False)
    made.add_argument("-h", "--help", action="store_true")
    made.add_argument("workload", nargs="?")
    made.add_argument("settings", nargs="*", metavar="SETTING=value")
    made.add_argument("--testrun", action="store_true", help="run nothing; print manifests for k6-operator")
    made.add_argument("--parallelism", type=int, default=1, metavar="PODS", help="of a TestRun")
    where = made.add_argument_group("where; by default the local stack that runs")
    where.add_argument("--stack", type=Path, default=places.STACK, metavar="FILE", help="its stack.json")
    where.add_argument("--metrics", action="append", metavar="URL", help="/metrics of a process of TARGET; each once")
    where.add_argument("--access-log", type=Path, metavar="FILE", help="of TARGET")
    where.add_argument("--traces", type=Path, metavar="FILE", help="OTLP/JSON that a Collector writes for TARGET")
    where.add_argument("--prometheus", metavar="URL", help="takes k6's series by remote write")
    return made


class Observer:
    """The service's three signals, from the moment this is made."""

    def __init__(self, where: Places, run: k6.Run, agent: str, share: float) -> None:
        self.where, self.run, self.agent, self.share = where, run, agent, share
        self.before = metrics.read(where.metrics) if where.metrics else None
        try:
            self.log = AccessLog(where.access_log) if where.access_log else None
        except OSError as error:
            raise Refused(f"the access log {where.access_log}: {error.strerror}") from None
        self.lines: list[Line] = []
        self.reading: metrics.Reading | None = None

    def check_still(self, routes: Sequence[str]) -> None:
        """Refuses where others call the same routes: metrics cannot tell who was counted."""
        if self.before is None:
            return
        time.sleep(STILL)
        came = metrics.read(self.where.metrics).since(self.before).finished
        busy = [f"{came[route]} on {route}" for route in routes if came[route]]
        if busy:
            raise Refused(f"others are calling: {', '.join(busy)} within {STILL:.0f} s; end that, or the counts would prove nothing "
                          "(the local stack's own load: make demo DEMO_ARGS=--no-load)")

    def look(self, sent: Counter) -> Exam:
        """As things are now."""
        finished = None
        if self.before is not None:
            self.reading = metrics.read(self.where.metrics).since(self.before)
            finished = self.reading.finished
        if self.log is not None:
            self.lines.extend(self.log.lines())
        traced = spans.by_trace(self.where.traces, self.run.id) if self.where.traces else None
        return exam.examine(sent, self.share, finished, self.lines if self.log else None, traced, self.agent)

    def settle(self, sent: Counter) -> Exam:
        """When nothing is on its way any more, or patience is over."""
        until = time.monotonic() + PATIENCE
        while not (seen := self.look(sent)).agrees and time.monotonic() < until and not seen.others:
            time.sleep(0.5)
        return seen


def testid_of(chosen: settings.Settings) -> str:
    """As asked, or the workload and the time."""
    return chosen["TESTID"] or f"{chosen.workload}-{time.strftime('%Y%m%d-%H%M%S')}"


def run(arguments: argparse.Namespace) -> int:
    """One test, from the checks to the verdict."""
    chosen = settings.read(arguments.workload, arguments.settings, os.environ)
    program = k6.binary()
    where = places.find(arguments, chosen["TARGET"] if "TARGET" in chosen.given else "")
    target.check(where.service, chosen["ALLOW_HOST"])
    routes = [settings.TABLE["actions"][action] for action in chosen["MIX"]]
    made = k6.new_run(testid_of(chosen), Path(chosen["RESULTS"]))
    agent = f"k6/{k6.version(program)} testid/{made.testid}"
    observer = Observer(where, made, agent, chosen["SAMPLED"])
    plan = truth.known(where, observer.before)
    declared = truth.declared(plan, chosen["FAULTS"])
    if declared and (observer.before is None or observer.log is None):
        raise Refused("FAULTS: what they did is in the service's metrics and log alone: --metrics, --access-log")
    observer.check_still(routes)
    environment = k6.environment(made, chosen, where, program, declared)
    script = k6.script_of(chosen.workload)
    bound = k6.longest(k6.inspect(program, script, environment))
    environment |= k6.plotted(bound)
    print(f"{chosen.workload}: {where.service}, {bound:.0f} s at most; {made.folder}", flush=True)
    status = k6.execute(k6.command(program, made, script, where), environment, bound)
    verdict = judge(chosen, where, observer, plan, declared, status)
    verdict.write()
    print(f"\n{verdict.text()}\n  {made.folder}/report.html: k6's own report, with plots")
    return verdict.exit_status


def judge(chosen: settings.Settings, where: Places, observer: Observer, plan: truth.Plan, declared: Sequence[str],
          status: int) -> Verdict:
    """What k6 and the service say of it."""
    summary = observer.run.summary()
    sent = Counter(by_route(summary, "http_reqs", "count"))
    seen = observer.settle(sent)
    judged = truth.judge(declared, Counter(by_route(summary, "errors", "passes")), sent, observer.reading,
                         [line for line in observer.lines if line.agent == observer.agent]) if declared else []
    return Verdict(observer.run, chosen.workload, status, summary, seen, plan, observer.reading, judged,
                   notes.read(observer.run.console), {line.trace: line for line in observer.lines}, where.traces_page,
                   int(chosen["SLOWEST"]))


def show_testrun(arguments: argparse.Namespace) -> int:
    """Manifests, for kubectl apply."""
    chosen = settings.read(arguments.workload, arguments.settings, os.environ)
    if arguments.parallelism < 1:
        raise Refused(f"--parallelism {arguments.parallelism}: 1 or more")
    program = k6.binary()
    print(testrun.text(testrun.manifests(chosen, program, k6.script_of(chosen.workload), testid_of(chosen),
                                         arguments.parallelism, arguments.prometheus or "")), end="")
    return 0


def hpa(arguments: argparse.Namespace) -> int:
    """In a cluster."""
    chosen = settings.read(HPA, arguments.settings, os.environ)
    return demo.run(chosen, testid_of(chosen))


def main(words: Sequence[str]) -> int:
    """The command."""
    made = parser()
    arguments = made.parse_intermixed_args(words)
    try:
        if arguments.help or not arguments.workload:
            print(f"settings of {arguments.workload}\n{settings.help_of(arguments.workload)}"
                  if arguments.workload in settings.TABLE["workloads"] else made.format_help())
            return 0 if arguments.help else 2
        return (show_testrun if arguments.testrun else hpa if arguments.workload == HPA else run)(arguments)
    except Refused as refusal:
        print(f"run: {refusal}", file=sys.stderr)
        return 2
