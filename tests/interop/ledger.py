"""The tables of a run.

A `Row` is what became of one signal in one event. Its figures come from three sides that know
nothing of each other: the access log (which ids there were), the service (what was acknowledged,
what was given up and why), the Collector's files (what was written). `Row.check` says what must
hold between them. A `Quantile` is one quantile as five witnesses have it.
"""

import datetime
import os
import platform
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Row:
    """`written` counts records in the files, repeats included; `beyond` are ids there that were
    never acknowledged, `twice` are repeats; `bound` is what was in flight when answers were lost."""

    event: str
    signal: str
    transport: str
    sent: int
    acknowledged: int
    dropped: dict[str, int]
    written: int
    beyond: int
    twice: int
    bound: int

    HEAD = ("event", "signal", "transport", "dropped, why", "sent", "acknowledged", "dropped",
            "written", "lost answers: beyond", "lost answers: twice", "in flight, at most")
    TEXTS = 4

    def check(self) -> None:
        """Every row adds up, from left to right."""
        assert self.sent == self.acknowledged + sum(self.dropped.values()), self
        assert self.written == self.acknowledged + self.beyond + self.twice, self
        assert self.beyond + self.twice <= self.bound, self

    def cells(self) -> list[str]:
        """As text, in the order of HEAD."""
        why = ", ".join(f"{count:,} {reason}" for reason, count in sorted(self.dropped.items()))
        figures = (self.sent, self.acknowledged, sum(self.dropped.values()), self.written,
                   self.beyond, self.twice, self.bound)
        return [self.event, self.signal, self.transport, why or "-",
                *(f"{number:,}" for number in figures)]


@dataclass
class Quantile:
    """One quantile of a route's duration, in seconds."""

    q: float
    delay: float
    span: float
    client: float
    classic: float
    native: float

    HEAD = ("quantile", "asked for", "by the spans", "by h2load", "by classic histogram",
            "by native histogram")
    TEXTS = 1

    def cells(self) -> list[str]:
        """As text, in the order of HEAD."""
        seconds = (self.delay, self.span, self.client, self.classic, self.native)
        return [f"{self.q}", *(f"{second * 1e3:.1f} ms" for second in seconds)]


def markdown(rows: list[Row] | list[Quantile]) -> str:
    """Rows of one kind as a table: its first TEXTS columns to the left, figures to the right."""
    head, texts = type(rows[0]).HEAD, type(rows[0]).TEXTS
    table = [list(head), *(row.cells() for row in rows)]
    widths = [max(len(line[column]) for line in table) for column in range(len(head))]

    def line(cells: list[str]) -> str:
        return "| " + " | ".join(cell.ljust(width) if column < texts else cell.rjust(width)
                                 for column, (cell, width) in enumerate(zip(cells, widths))) + " |"
    rule = ["-" * width if column < texts else "-" * (width - 1) + ":"
            for column, width in enumerate(widths)]
    return "\n".join([line(table[0]), line(rule), *map(line, table[1:])]) + "\n"


@dataclass
class Ledger:
    """The rows of one run."""

    rows: list[Row] = field(default_factory=list)
    quantiles: list[Quantile] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Keeps a row that adds up; one that does not is an AssertionError that shows it."""
        row.check()
        self.rows.append(row)

    def tables(self) -> dict[str, str]:
        """The tables that have rows, by the name of their file."""
        return {name: markdown(rows) for name, rows in (("delivery", self.rows),
                                                        ("quantiles", self.quantiles)) if rows}

    def write(self, folder: Path) -> None:
        """Each table with its date and machine, for docs/ to quote."""
        folder.mkdir(parents=True, exist_ok=True)
        today = datetime.datetime.now(datetime.timezone.utc).date()
        for name, table in self.tables().items():
            (folder / f"{name}.md").write_text(
                f"Measured {today} on {os.cpu_count()} CPUs, {platform.system()} on "
                f"{platform.machine()}.\n\n{table}")
