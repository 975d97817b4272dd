"""What a real Collector wrote equals what the service says was acknowledged, id by id, whatever
happens between the two.

An event is a row of `EVENTS`, and gives a row of the table for each signal. Where answers are lost
(a Collector that is paused or killed) no sender can know what became of its last request: there
every acknowledged record is written, and what is written beyond that, or twice, is at most what was
in flight. Everywhere else nothing is beyond and nothing twice.
"""

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable

import pytest

from ledger import Ledger, Row
from otelcol import SIGNALS, Otelcol, Signal
from run import (BATCH, Run, acknowledged, dropped, environment, known_ids, look_ids, unanswered,
                 written_ids)
from service import Service

KILLS = 4
TRY_MS = 1000   # how long the impatient wait for an answer


# ---- what happens -------------------------------------------------------------------------------

def steady(run: Run) -> None:
    with run.load():
        run.more(1500)
    run.end()


def throttled(run: Run) -> None:
    with run.load():
        run.more(300)
        run.otelcol.throttle(True)
        assert run.otelcol.answer() == (429, "1")
        run.wait_retries(2)
        run.otelcol.throttle(False)
        run.more(300)
    run.end()


def stopped(run: Run) -> None:
    with run.load():
        run.more(300)
        run.otelcol.stop()
        run.more(300)
        run.otelcol.start()
        run.more(300)
    run.end()


def paused(run: Run) -> None:
    with run.load():
        run.more(300)
        run.otelcol.pause()
        run.wait_retries(2)
        run.otelcol.resume()
        run.more(300)
    run.end()


def paused_to_the_end(run: Run) -> None:
    """Everything that is asked during the pause is given up: by its own timeout, or because the
    service ends first. What the kernel had taken meanwhile, the Collector finds when it is back."""
    with run.load("before"):
        run.more(300)
    run.settle()
    run.otelcol.pause()
    since = time.monotonic()
    with run.load("during"):
        run.more(300)
    run.line = run.service.stop()
    run.paused_seconds = time.monotonic() - since
    run.otelcol.resume()
    run.otelcol.quiesce()


def killed(run: Run) -> None:
    """In turn at any moment, and between a write and its answer."""
    with run.load():
        for number in range(KILLS):
            run.more(200)
            if number % 2:
                run.otelcol.kill_before_it_answers()
            else:
                run.otelcol.kill()
            run.more(200)
            run.otelcol.start()
        run.more(200)
    run.end()


@dataclass(frozen=True)
class Event:
    """`acknowledged` names the part of the load that must be, all if it is empty; `lost` how many
    requests of a signal may have been in flight when their answer was lost: if there can be one,
    the event makes sure that there is."""

    name: str
    happen: Callable[[Run], None]
    env: dict[str, str] = field(default_factory=dict)
    only: str | None = None
    acknowledged: str = ""
    lost: Callable[[Run, Signal], int] = lambda run, signal: 0


IMPATIENT = {"OTEL_EXPORTER_OTLP_TIMEOUT": str(TRY_MS)}
RESIGNED = IMPATIENT | {"OTEL_BSP_EXPORT_TIMEOUT": "3000", "OTEL_BLRP_EXPORT_TIMEOUT": "3000"}

EVENTS = (
    Event("steady", steady),
    Event("steady, gzip", steady, only="gzip"),
    Event("throttled", throttled),
    Event("stopped, started", stopped),
    Event("paused, sent again", paused, IMPATIENT,
          lost=lambda run, signal: unanswered(signal, run.last_look)),
    # A try lasts until its time is over, since nobody answers it: so many fit into the pause.
    Event("paused, given up", paused_to_the_end, RESIGNED, acknowledged="before",
          lost=lambda run, signal: int(run.paused_seconds * 1000 / TRY_MS) + 1),
    Event("killed, started", killed, lost=lambda run, signal: KILLS),
)


# ---- what became of it --------------------------------------------------------------------------

def row(event: Event, transport: str, run: Run, signal: Signal) -> Row:
    """Holds the three sides against each other, by id, and makes the table's row of them."""
    entries = run.service.log.entries
    known, fine = known_ids(signal, entries), known_ids(signal, entries, event.acknowledged)
    looks = look_ids(signal, entries)
    written = written_ids(signal, run.otelcol.written(signal))
    count = run.line[signal.terms + "acknowledged"]
    # A look is a record, too, for one signal: all but the last were settled when that was made.
    assert acknowledged(signal, run.last_look) == len(fine) + max(len(looks) - 1, 0)
    assert max(len(looks) - 1, 0) <= count - len(fine) <= len(looks & set(written))
    assert fine <= set(written), "acknowledged, not written"
    assert set(written) <= known | looks, "written, never sent"
    assert len(known | looks) == run.line[signal.sent] - run.line.get(signal.terms + "unsampled", 0)
    return Row(event.name, signal.name, transport, sent=len(known | looks), acknowledged=count,
               dropped=dropped(signal, run.line), written=written.total(),
               beyond=len(written) - count, twice=written.total() - len(written),
               bound=event.lost(run, signal) * BATCH)


@pytest.mark.parametrize("transport", ["plain", "mutual TLS"])
@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.name)
def test_event(event: Event, transport: str, otelcol_binary: str, ledger: Ledger, tmp_path: Path,
               request: pytest.FixtureRequest) -> None:
    certificates = request.getfixturevalue("certificates") if transport != "plain" else None
    with Otelcol(otelcol_binary, tmp_path, certificates, event.only) as otelcol:
        with Service("--workers", "2", "--flush-timeout", "5s",
                     env=environment(**otelcol.env(**event.env))) as service:
            run = Run(service, otelcol)
            event.happen(run)
        otelcol.stop()
    assert run.line["finished"] == run.tally.whole + run.looks == len(service.log.entries)
    for signal in SIGNALS:
        found = row(event, transport, run, signal)
        ledger.add(found)
        assert bool(found.beyond + found.twice) == bool(found.bound), "no answer was lost"
