#!/usr/bin/env python3
"""Measures glassbox against a floor and nginx, and says which budgets are met.

    tests/bench/bench.py --build build/release --output docs/performance.md

Exit 0 when everything was measured, met or not; 1 when something could not be measured or glassbox
misbehaved; 2 for wrong usage. README.md tells how each figure is had.
"""

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

import budgets
import measure
import report
from contenders import Setup
from image import image_size
from measure import Figures, Plan, attempt, say

FULL = Plan(rounds=5, seconds=3, latency_rounds=3, many_rounds=3, many_seconds=5, starts=20)
QUICK = Plan(rounds=2, seconds=1, latency_rounds=1, many_rounds=1, many_seconds=3, starts=20)
NEEDED = ["wrk", "h2load", "nginx", "taskset", "openssl"]


def first_of(*candidates: Path) -> Path:
    """The first that exists, else the first."""
    return next((path for path in candidates if path.exists()), candidates[0])


def arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--build", type=Path, default=Path("build/release"),
                        help="build directory with glassbox and the bench's programs")
    parser.add_argument("--tools", type=Path, help="directory of bench_floor and its like, "
                        "if not tests/bench in the build directory")
    parser.add_argument("--glassbox", type=Path, help="the binary, if not in the build directory")
    parser.add_argument("--output", type=Path, help="also put the table into this page")
    parser.add_argument("--quick", action="store_true", help="a look, in a minute and a half")
    parser.add_argument("--only", default="", help="comma-separated steps: cpu,latency,many,scrape,"
                        "memory,start,image (latency needs cpu)")
    parser.add_argument("--pin", choices=["none", "split"], default="none",
                        help="split: server on core 0, load generator and sink on core 1")
    parser.add_argument("--workers", type=int, default=1, help="of every server")
    return parser.parse_args()  # fmt: skip


def measure_all(setup: Setup, plan: Plan, build: Path, only: set[str]) -> Figures:
    """Every step that was asked for; one that fails does not stop the others."""
    figures = Figures()
    steps = [
        ("cpu", "CPU a request", lambda: measure.cpu(setup, figures, plan)),
        ("latency", "latency", lambda: measure.latency(setup, figures, plan)),
        ("many", "many connections", lambda: measure.many(setup, figures, plan)),
        ("scrape", "scrape", lambda: measure.scrape(setup, figures, plan)),
        ("memory", "memory when idle", lambda: measure.idle_memory(setup, figures)),
        *(
            ("memory", f"memory a connection of {name}",
             lambda name=name: measure.connection_memory(setup, figures, name))
            for name in ("floor", "everything")
        ),
        ("start", "start", lambda: measure.start(setup, figures, plan)),
    ]  # fmt: skip
    for name, what, step in steps:
        if not only or name in only:
            attempt(figures, what, step)
    figures.image = image_size(build)
    return figures


def main() -> int:
    """Measures, prints, writes."""
    asked = arguments()
    tools = asked.tools or asked.build / "tests/bench"
    glassbox = asked.glassbox or first_of(asked.build / "glassbox", asked.build / "src/glassbox")
    missing = [name for name in NEEDED if not shutil.which(name)]
    missing += [str(tools / name) for name in ("bench_floor", "bench_sink", "bench_start")
                if not (tools / name).exists()]  # fmt: skip
    if missing:
        print(f"bench: missing: {', '.join(missing)}", file=sys.stderr)
        return 2
    plan = QUICK if asked.quick else FULL
    busy = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(prefix="glassbox-bench-") as scratch:
        setup = Setup(
            glassbox=glassbox.resolve(),
            floor=(tools / "bench_floor").resolve(),
            sink=(tools / "bench_sink").resolve(),
            start=(tools / "bench_start").resolve(),
            scratch=Path(scratch),
            workers=asked.workers,
            server_cpus="0" if asked.pin == "split" else None,
            load_cpus="1" if asked.pin == "split" else None,
        )
        figures = measure_all(setup, plan, asked.build, {s for s in asked.only.split(",") if s})
    if not glassbox.exists():
        figures.failures.insert(0, f"glassbox: there is no {glassbox}")
    table = budgets.rows(figures)
    notes = report.surroundings(glassbox, busy)
    how = report.method(figures, plan, asked.pin == "split", asked.workers)
    print(report.as_text(table))
    print("\n" + "\n".join(f"{name}: {value}" for name, value in notes.items()))
    print(f"method: {how}")
    for failure in figures.failures:
        print(f"not measured: {failure}")
    if asked.output:
        report.write_page(asked.output, report.as_markdown(table, notes, how, figures.failures))
        say(f"written: {asked.output}")
    return 1 if figures.failures else 0


if __name__ == "__main__":
    sys.exit(main())
