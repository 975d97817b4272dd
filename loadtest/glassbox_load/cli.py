"""The command: `loadtest/run NAME [SETTING=value …]`.

    0    all objectives held, and the service's signals agree with what was sent
    99   an objective was missed
    1    the signals differ from what was sent, or nothing can be said
    2    refused: nothing was sent
"""

import argparse
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path

from . import exam, k6, places, settings, target, testrun, truth
from .accesslog import ERROR, FAULT
from .autoscaling import demo
from .notes import Notes
from .places import Places
from .refused import Refused
from .tally import Tally
from .verdict import Verdict, by_route

HPA = "hpa"      # the workload that is more than k6's
STILL = 2.0      # seconds that are looked at before a run for others' traffic
PATIENCE = 20.0  # seconds, at most, for what is on its way when k6 has ended: batches of spans, lines


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    names = "\n".join(f"  {name:<12}{row['help']}" for name, row in settings.TABLE["workloads"].items())
    made = argparse.ArgumentParser(
        prog="loadtest/run", formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Runs a load test, and judges it: objectives, and the service's own signals.\n\n"
                    f"workloads\n{names}",
        epilog="loadtest/run NAME --help lists the settings of a workload: environment variables, or NAME=value here.\n"
               "exit status: 0 held; 99 an objective was missed; 1 the signals differ, or nothing can be said; "
               "2 refused",
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


def testid_of(chosen: settings.Settings) -> str:
    """As asked, or the workload and the time."""
    return chosen["TESTID"] or f"{chosen.workload}-{time.strftime('%Y%m%d-%H%M%S')}"


def check_alone(tally: Tally, routes: Sequence[str]) -> None:
    """Refuses where others call the same routes: metrics cannot tell who was counted."""
    busy = [f"{count} on {route}" for route, count in tally.came(routes, STILL).items()]
    if busy:
        raise Refused(f"others are calling: {', '.join(busy)} within {STILL:.0f} s; end that, or the counts "
                      "would prove nothing (the local stack's own load: make demo DEMO_ARGS=--no-load)")


def run(arguments: argparse.Namespace) -> int:
    """One test, from the checks to the verdict."""
    chosen = settings.read(arguments.workload, arguments.settings, os.environ)
    program = k6.binary()
    where = places.find(arguments, chosen["TARGET"] if "TARGET" in chosen.given else "")
    target.check(where.service, chosen["ALLOW_HOST"])
    if not (where.metrics or where.access_log or where.traces):
        raise Refused(f"nothing is known of {where.service} to hold k6's counts against: "
                      "--metrics, --access-log, --traces")
    by = settings.judged_by(chosen.workload)
    testid, run_id = testid_of(chosen), k6.run_id()
    tally = Tally(where, run_id, k6.agent_of(program, testid),
                  {route: truth.bounds(route, by).seconds for route in truth.SLO})
    try:
        plan = truth.known(where, tally.before)
        declared = truth.declared(plan, chosen["FAULTS"])
        if declared and not (where.metrics and where.access_log):
            raise Refused("FAULTS: what they did is in the service's metrics and log alone: --metrics, --access-log")
        if declared:
            tally.log.check_has(FAULT, ERROR)
        check_alone(tally, [settings.TABLE["actions"][action] for action in chosen["MIX"]])
        made = k6.Run(testid, run_id, Path(chosen["RESULTS"]).resolve() / testid)
        environment = k6.environment(made, chosen, where, program, plan, declared)
        script = k6.script_of(chosen.workload)
        bound = k6.longest(program, script, environment)
        made.make_folder()
        print(f"{chosen.workload}: {where.service}, {bound:.0f} s at most; {made.folder}", flush=True)
        noted = Notes(made.console, int(chosen["SLOWEST"]))

        def meanwhile() -> None:
            tally.read()
            noted.read(tally.recent)
        status = k6.execute(k6.command(program, made, script, where), environment | k6.plotted(bound), bound, meanwhile)
        with k6.patience() as is_over:  # what was sent is judged, whoever is in a hurry
            verdict = judge(chosen, where, made, tally, noted, plan, declared, status, is_over)
            verdict.write()
    finally:
        tally.close()
    print(f"\n{verdict.text()}\n  {made.folder}/report.html: k6's own report, with plots")
    return verdict.exit_status


def judge(chosen: settings.Settings, where: Places, made: k6.Run, tally: Tally, noted: Notes, plan: truth.Plan,
          declared: Sequence[str], status: int, is_over: Callable[[], bool]) -> Verdict:
    """What k6 and the service say of it, when nothing is on its way any more, or patience is over."""
    summary = made.summary()
    sent = Counter(by_route(summary, "asked", "count"))
    until = time.monotonic() + PATIENCE
    while True:
        tally.read()
        tally.read_metrics()
        seen = exam.examine(sent, chosen["SAMPLED"], tally)
        if seen.agrees or seen.others or time.monotonic() > until or is_over():
            break
        time.sleep(0.5)
    noted.read(tally.recent)
    noted.close()
    judged = truth.judge(declared, settings.judged_by(chosen.workload),
                         Counter(by_route(summary, "errors", "passes")), sent, tally.now.by_faults,
                         tally.written) if declared and tally.now else []
    return Verdict(made, chosen.workload, status, summary, seen, plan, tally.now, noted, judged, where.traces_page)


def show_testrun(arguments: argparse.Namespace) -> int:
    """Manifests, for kubectl apply."""
    if arguments.workload == HPA:
        raise Refused("hpa is reckoned from a cluster and runs there: loadtest/run hpa, without --testrun")
    chosen = settings.read(arguments.workload, arguments.settings, os.environ)
    if "TARGET" not in chosen.given:
        raise Refused("--testrun: TARGET=http://SERVICE.NAMESPACE.svc: a pod's own loopback has no service")
    target.check_in_cluster(chosen["TARGET"], chosen["ALLOW_HOST"])
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


class Ended(BaseException):
    """By a signal: what was begun is put away on the way out."""


def end(number: int, _: object) -> None:
    """The first ends it in order; what puts things away is not to be interrupted."""
    for each in k6.ENDING:
        signal.signal(each, signal.SIG_IGN)
    raise Ended(number)


def main(words: Sequence[str]) -> int:
    """The command."""
    made = parser()
    arguments = made.parse_intermixed_args(words)
    for number in k6.ENDING:
        signal.signal(number, end)
    try:
        if arguments.workload and arguments.workload not in settings.TABLE["workloads"]:
            raise Refused(settings.no_workload(arguments.workload))
        if arguments.help or not arguments.workload:
            print(f"settings of {arguments.workload}\n{settings.help_of(arguments.workload)}" if arguments.workload
                  else made.format_help())
            return 0 if arguments.help else 2
        return (show_testrun if arguments.testrun else hpa if arguments.workload == HPA else run)(arguments)
    except Refused as refusal:
        print(f"run: {refusal}", file=sys.stderr)
        return 2
    except Ended as ended:
        print(f"run: ended by {signal.Signals(ended.args[0]).name}", file=sys.stderr)
        return 128 + int(ended.args[0])
