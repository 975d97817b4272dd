"""The command `loadtest/run hpa`: foretold first, then caused, watched, compared.

    0    every step came when it was foretold, and no request failed
    1    a step was off, or something cannot be said
    99   a request failed, or k6 could not keep the rate
    2    refused: nothing was sent
"""

import json
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from glassbox_hpa.compare import Comparison, Limits, compare
from glassbox_hpa.model import Moment, predict, steps
from glassbox_hpa.spec import PODS, Spec

from .. import k6
from ..refused import Refused
from ..settings import Settings
from ..verdict import Threshold, thresholds
from . import found, loads
from .api import Api
from .found import Found
from .job import GRACE, Failed, Job, Log
from .loads import Demonstration
from .picture import picture
from .series import Series
from .watch import Look, Watch, look, ratios

REST = 600.0  # seconds, at most, until the autoscaler is at rest before the load
STILL = 45.0  # seconds, three looks of its, that no metric has fallen for by then,
STEP = 0.01   # of its target: less is noise,
IDLE = 0.1    # and the requests are not above this


def live() -> Callable[[str], None]:
    """One line that changes; where that cannot be, a line each ten seconds."""
    if sys.stdout.isatty():
        return lambda text: print(f"\r\033[K{text}", end="", flush=True)
    last = [0.0]

    def say(text: str) -> None:
        if time.monotonic() >= last[0] + 10:
            last[0] = time.monotonic()
            print(text, flush=True)
    return say


def wait_for_rest(see: Callable[[], Look], spec: Spec) -> None:
    """Until it has what it needs, reads every metric, and none is falling any more: what they rest at is a part of the
    prediction. A load that somebody else sends is not."""
    until, seen = time.monotonic() + REST, see()
    lowest, since = ratios(spec, seen.metrics), time.monotonic()
    while not is_at_rest(seen, spec.least) or time.monotonic() < since + STILL:
        if time.monotonic() > until:
            raise Refused(f"the autoscaler is not at rest after {REST:.0f} s: it has {seen.current} of {spec.least} replicas, "
                          f"{seen.ready} ready, and reads {seen.metrics}: charts/stack/doctor says why")
        time.sleep(1)
        try:
            seen = see()
        except Refused:  # the API server is busy
            continue
        now = ratios(spec, seen.metrics)
        falls = any(value < lowest.get(name, math.inf) - STEP for name, value in now.items())
        if falls or not is_at_rest(seen, spec.least):
            lowest, since = now, time.monotonic()
    known = ratios(spec, seen.metrics)
    busy = [f"{metric.name} is {known[metric.name]:.2f} of its target" for metric in spec.metrics
            if metric.kind == PODS and known[metric.name] > IDLE]
    if busy:
        raise Refused(f"somebody else is calling, which the prediction would not know of: {', '.join(busy)}")


def is_at_rest(seen: Look, least: int) -> bool:
    """Whether it has as few as may be, and knows of no reason to look blindly."""
    return seen.current == seen.wanted == seen.ready == least and None not in seen.metrics.values()


def introduction(there: Found, demonstration: Demonstration, predicted: list[Moment]) -> str:
    """What is going to be done, and what is foretold."""
    rows = [f"  {one.begin:4.0f} s to {one.begin + one.seconds:4.0f} s  "
            f"{one.rate:6.0f} requests/s of {one.cpu_ms:.0f} ms CPU  ({one.name})"
            for one in demonstration.loads]
    told = [f"  {step.t:4.0f} s  {step.before} -> {step.after}" for step in steps(predicted)] or ["  nothing"]
    world = there.world
    return "\n".join([
        f"autoscaler: {there.spec.least} to {there.spec.most} replicas; scraped each {world.scrape_seconds:.0f} s, "
        f"rates over {world.rate_window_seconds:.0f} s, CPU each {world.metrics_seconds:.0f} s; "
        f"a pod asks for {world.request_millicores} m and rests at {world.base_millicores:.0f} m",
        "load", *rows,
        f"foretold, within {world.sync_seconds / 2:.0f} s of a look that nobody knows the moment of", *told])


class Results:
    """What is left of it, and its verdict."""

    def __init__(self, run: k6.Run, there: Found, demonstration: Demonstration, predicted: list[Moment]) -> None:
        self.run, self.there, self.demonstration, self.predicted = run, there, demonstration, predicted
        self.comparison: Comparison | None = None
        self.broken: list[Threshold] = []

    def judge(self, looks: list[Look], log: Log, limits: Limits) -> None:
        """Steps and requests."""
        self.looks, self.log = looks, log
        self.comparison = compare(self.predicted, looks, limits)
        self.broken = [one for one in thresholds(log.summary or {}) if not one.holds]

    @property
    def exit_status(self) -> int:
        if self.broken:
            return k6.BROKEN
        return 0 if self.comparison and self.comparison.passed and self.log.summary else 1

    def counted(self, metric: str, value: str) -> int:
        """Of k6's summary."""
        metrics = (self.log.summary or {"metrics": {}})["metrics"]
        return int((metrics.get(metric) or {"values": {}})["values"].get(value, 0))

    def text(self) -> str:
        """For people."""
        lines = [self.comparison.markdown() if self.comparison else "",
                 f"{self.counted('http_reqs', 'count')} requests, {self.counted('http_req_failed', 'passes')} failed, "
                 f"{self.counted('dropped_iterations', 'count')} could not be sent"]
        lines += [f"MISSED: {one}" for one in self.broken]
        lines += [f"OFF: {fault}" for fault in (self.comparison.faults if self.comparison else ())]
        if not self.log.summary:
            lines.append("k6 has left no summary: nothing can be said of its requests")
        if self.exit_status == 0:
            lines.append("HELD: each step came when it was foretold, and no request failed")
        return "\n".join(lines) + "\n"

    def recording(self) -> dict[str, Any]:
        """The autoscaler's life; the format is that of tests/e2e/autoscaler.py, and what was foretold."""
        return {"what": f"loadtest/run hpa, test {self.run.testid}", "recorded": time.strftime("%Y-%m-%d"),
                "hpa": self.there.raw, "loads": [one.as_json() for one in self.demonstration.loads],
                "world": asdict(self.there.world), "predicted": [asdict(one) for one in self.predicted],
                "samples": [asdict(one) for one in self.looks]}

    def write(self) -> None:
        """Beside each other."""
        (self.run.folder / "verdict.txt").write_text(self.text(), encoding="utf-8")
        (self.run.folder / "recording.json").write_text(json.dumps(self.recording(), indent=1) + "\n", encoding="utf-8")
        drawn = picture(self.there.spec, self.predicted, self.looks, self.run.testid)
        (self.run.folder / "picture.svg").write_text(drawn, encoding="utf-8")
        if self.log.summary:
            summary = json.dumps(self.log.summary, indent=1) + "\n"
            (self.run.folder / "summary.json").write_text(summary, encoding="utf-8")


def watched(api: Api, chosen: Settings, program: str, results: Results, see: Callable[[], Look]) -> tuple[Watch, Log]:
    """The load, from its beginning to its end."""
    demonstration, run = results.demonstration, results.run
    log = Log(None, None)
    series = Series(api, chosen["MONITORING"], chosen["PROMETHEUS_SERVICE"],
                    {"testid": run.testid, "namespace": chosen["NAMESPACE"]})
    with Job(api, chosen, program, run.testid, demonstration) as job, \
            Watch(see, results.there.spec, series, results.predicted, live(), lambda: log.begun) as watch:
        until = time.monotonic() + demonstration.seconds + GRACE
        while log.summary is None and time.monotonic() < until:
            time.sleep(1)
            try:
                log = job.log(log)
            except Failed as failed:
                if log.begun is None:
                    raise
                print(f"\n{failed}", file=sys.stderr)  # what was seen so far is judged
                break
            except Refused:  # the API server is busy
                continue
    print()
    for trouble in sorted(watch.troubles):
        print(f"series: {trouble}", file=sys.stderr)
    return watch, log


def run(chosen: Settings, testid: str) -> int:
    """All of it."""
    program = k6.binary()
    with Api() as api:
        there = found.look(api, chosen["NAMESPACE"], chosen["RELEASE"], chosen["MONITORING"], chosen["HOUSEKEEPING"])
        target = there.raw["scaleTargetRef"]["name"]

        def see() -> Look:
            return look(api, there.spec, chosen["NAMESPACE"], chosen["RELEASE"], target)
        print(f"waiting until it is at rest, with {there.spec.least}", flush=True)
        wait_for_rest(see, there.spec)
        there = found.look(api, chosen["NAMESPACE"], chosen["RELEASE"], chosen["MONITORING"], chosen["HOUSEKEEPING"])
        demonstration = loads.reckon(there.spec, chosen, there.request_millicores)
        predicted = predict(there.spec, demonstration.profile(), there.world, there.spec.least)
        made = k6.Run(testid, k6.run_id(), Path(chosen["RESULTS"]).resolve() / testid)
        made.make_folder()
        results = Results(made, there, demonstration, predicted)
        print(introduction(there, demonstration, predicted), flush=True)
        watch, log = watched(api, chosen, program, results, see)
    if log.begun is None:
        made.remove_folder()
        raise Refused("k6 has sent nothing")
    results.judge(watch.on_the_load_s_clock(log.begun), log,
                  Limits(seconds=chosen["LIMIT"], out_seconds=chosen["LIMIT_OUT"]))
    results.write()
    print(f"{results.text()}  {results.run.folder}")
    return results.exit_status
