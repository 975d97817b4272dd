"""The table, for a terminal and as Markdown."""

import datetime
import re
import subprocess
from pathlib import Path

import procfs
from budgets import Row
from measure import Figures, Plan

BEGIN, END = "<!-- bench: begin -->", "<!-- bench: end -->"
PAGE = """# Performance

Between the marks below is what `make bench` wrote; how each figure is had tells
[tests/bench](../tests/bench/README.md).

"""
QUIET = 0.3  # of runnable processes; above it others had a part in the figures
HEADINGS = Row("what", "measured: median (least – most)", "budget", "ratio", "")


def cells(row: Row) -> list[str]:
    """A row's texts in the columns' order."""
    return [row.what, row.measured, row.budget, row.ratio, row.verdict]


def version_of(argv: list[str], pattern: str) -> str:
    """The first match in what a program says of itself; `unknown` without it."""
    try:
        done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    except OSError:
        return "unknown"
    found = re.search(pattern, done.stdout + done.stderr)
    return found[1] if found else "unknown"


def surroundings(glassbox: Path, busy: float) -> dict[str, str]:
    """What the figures depend on; `busy` is the load average before the bench began."""
    number = r"(\d+\.\d+(?:\.\d+)?)"
    programs = {
        "glassbox": ([str(glassbox), "--version"], r"glassbox (\S+)"),
        "libevent": (["pkg-config", "--modversion", "libevent"], r"(\S+)"),
        "nginx": (["nginx", "-v"], f"nginx/{number}"),
        "wrk": (["wrk", "-v"], r"wrk \D*(\d\S*)"),
        "h2load": (["h2load", "--version"], f"nghttp2/{number}"),
    }
    versions = [f"{name} {version_of(*call)}" for name, call in programs.items()]
    return {
        "date": datetime.date.today().isoformat(),
        **procfs.machine(),
        "load average before": f"{busy:.2f}" + (", not a quiet machine" if busy > QUIET else ""),
        "programs": ", ".join(versions),
    }


def method(figures: Figures, plan: Plan, pinned: bool, workers: int) -> str:
    """How the figures came about, in a sentence or two."""
    where = "server on core 0, load and sink on core 1" if pinned else "no pinning"
    answers = ", ".join(f"{name} {size}" for name, size in figures.answer.items())
    return (
        f"{plan.rounds} rounds, interleaved, {plan.seconds} s of wrk with 64 connections each; "
        f"latency at {figures.half_rate:,.0f} requests a second (h2load, half of the floor's "
        f"throughput), {plan.latency_rounds} rounds; {workers} worker(s); {where}. "
        f"Bytes of an answer: {answers or 'not asked'}."
    )


def as_text(rows: list[Row]) -> str:
    """Columns, as wide as they must be."""
    table = [cells(HEADINGS), *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(5)]
    lines = ["  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
             for line in table]  # fmt: skip
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def as_markdown(rows: list[Row], notes: dict[str, str], how: str, failures: list[str]) -> str:
    """The part of a page that a run writes."""
    lines = [f"- {name}: {value}" for name, value in notes.items()]
    lines += [f"- method: {how}", ""]
    lines += [f"| {' | '.join(cells(HEADINGS))} |", "|---|---|---|---|---|"]
    lines += [f"| {' | '.join(cells(row))} |" for row in rows]
    if failures:
        lines += ["", "Not measured:", "", *(f"- {failure}" for failure in failures)]
    return "\n".join(lines) + "\n"


def write_page(path: Path, markdown: str) -> None:
    """Puts the part between its marks and leaves what people wrote around it; or a new page."""
    text = path.read_text() if path.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        before, after = PAGE, ""
    path.write_text(f"{before}{BEGIN}\n{markdown}{END}{after or chr(10)}")
