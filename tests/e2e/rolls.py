"""A roll under constant load, counted at both ends, and the table of them."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from cluster import Cluster
from collected import Spans
from follow import Container, Logs
from glassbox import Glassbox
from killing import Victim
from ledger import Ledger, Moment, told_by_the_dead
from openload import Load
from requests_log import Row, Sending
from service import check_reconciliation, parse_samples
from wire import eventually

PATH = "/demo/hello"  # nobody else's while this load goes on
DURATION = "http_server_request_duration_seconds_count"
# In turns: requests that take time, and such that do not; each on a connection of its own, and on one that is kept; and
# a POST, which no client repeats by itself (it is answered with 405, which keeps the connection).
MIXED = [Row(f"{PATH}?delay=100", close=True), Row(f"{PATH}?delay=100"), Row(PATH, close=True), Row(PATH),
         Row(PATH, method="POST", status=405)]
# For a death: what is cut is seen to be, and a third of a second's requests and more is in flight on each pod.
LONG = [Row(f"{PATH}?delay=1000", close=True), Row(PATH, close=True)]
RATE = 60
# What is done, when it is over, and how many pods end in it.
Event = tuple[Callable[[], object], Callable[[], bool], int]
HEAD = ("event", "requests sent", "failed", "refused", "lines", "spans", "lost lines", "lost spans", "note")


@dataclass
class Outcome:
    """What a roll is judged by."""

    name: str
    ledger: Ledger
    covered: bool  # whether the load outlasted it
    gone: list[Container] = field(default_factory=list)  # of the pods that ended in it
    counted: int = 0  # requests by the metrics of the pods that lived through it
    moment: Moment | None = None

    def check_last_words(self) -> None:
        """Who was told to end has said that all its requests are in all three signals, and they are."""
        for run in self.gone:
            line = told_by_the_dead(run.text)
            assert line, f"{run.name} ended without its line: {run.text[-3:]}"
            check_reconciliation(line)
            assert line["spans_acknowledged"] == line["spans_ended"], line
            assert line["finished"] == line["log_written"] == len(run.access.entries), f"{run.name}: {line}"


class Table:
    """Of all rolls, written anew with each."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.rows: list[tuple[str, ...]] = []

    def add(self, outcome: Outcome, note: str = "") -> None:
        """A row."""
        ledger = outcome.ledger
        sent = ledger.sent
        failed = len(sent.outcomes("cut")) + len(sent.outcomes("wrong"))
        self.rows.append((outcome.name, *(f"{count:,}" for count in (
            len(sent.requests), failed, len(sent.outcomes("refused")), ledger.line_count(), ledger.span_count(),
            len(ledger.without_line()), len(ledger.without_span()))), note))
        lines = [f"Measured {time.strftime('%Y-%m-%d')} on {platform.system()} {platform.machine()}, "
                 f"{RATE} requests a second.", "",
                 f"| {' | '.join(HEAD)} |", f"|---{'|---:' * (len(HEAD) - 2)}|---|",
                 *(f"| {' | '.join(row)} |" for row in self.rows), ""]
        self.file.write_text("\n".join(lines))


class Rolls:
    """Where they happen; the load goes to `url`."""

    def __init__(self, cluster: Cluster, service: Glassbox, logs: Logs, spans: Spans, namespace: str) -> None:
        self.cluster, self.service, self.logs, self.spans = cluster, service, logs, spans
        self.namespace = namespace
        self.url = f"http://{service.host}"

    def counted(self) -> int:
        """Requests to PATH by the metrics of all pods that are ready."""
        texts = (self.cluster.text(f"{self.service.operators(pod)}/metrics") for pod in self.service.names())
        return sum(int(value) for text in texts for labels, value in parse_samples(text, DURATION).items()
                   if ("http_route", PATH) in labels)

    def under_load(self, name: str, act: Callable[[], object], is_over: Callable[[], bool], seconds: int,
                   rows: list[Row] = MIXED, victim: Victim | None = None) -> Outcome:
        """`act` while the load goes on, then until `is_over` and all pods are settled. `victim` is who dies of it
        without a word."""
        before = {pod["metadata"]["name"] for pod in self.service.pods()}
        counted = self.counted()
        with Load(self.cluster, self.namespace, self.url, rows, RATE, seconds) as load:
            load.wait_begun()
            done = act()
            assert eventually(is_over, seconds + 60, 0.2), f"{name} does not come to its end"
            self.service.settle()
            ended = time.time()
            sent = load.finish()
        covered = max(one.begin for one in sent.requests) > ended
        after = {pod["metadata"]["name"] for pod in self.service.pods()}
        # A pod's last run: one before it may have died without a word in another test.
        gone = [max(self.logs.wait_ended(pod), key=lambda run: run.restart) for pod in sorted(before - after)]
        return Outcome(name, self.account(sent, load.agent, victim), covered, gone, self.counted() - counted,
                       done if isinstance(done, Moment) else None)

    def account(self, sent: Sending, agent: str, victim: Victim | None = None) -> Ledger:
        """Of a load that is over, when all is here that must come: of the dead's only what it sent while it lived, which
        is here before what others send later."""
        ledger = Ledger(sent)

        def lines() -> bool:
            ledger.lines.clear()
            ledger.add_lines(self.logs.entries(), agent)
            return not ledger.without_line()

        def spans() -> bool:
            ledger.spans.clear()
            ledger.add_spans([one.trace_id for one in self.spans.look().servers({"user_agent.original": agent})])
            return not [one for one in ledger.without_span()
                        if victim is None or not ledger.was_of(one, victim.pod, victim.restart)]
        eventually(lines, 20 if victim is None else 5, 0.5)
        eventually(spans, 30, 1.0)
        return ledger


def is_gone(service: Glassbox, names: list[str]) -> Callable[[], bool]:
    """Whether none of these pods is there any more."""
    return lambda: not {pod["metadata"]["name"] for pod in service.pods()} & set(names)


def in_order(rolls: Rolls, table: Table, name: str, event: Callable[[], Event], seconds: int) -> Outcome:
    """An event in which all that end are told to: nothing is lost, and they say so themselves. Where the machine is so
    slow that the load ends first, once more with a load that lasts longer; what was sent so far is judged as well."""
    for longer in (1, 4):
        act, is_over, ended = event()
        outcome = rolls.under_load(name, act, is_over, longer * seconds)
        if outcome.covered:
            table.add(outcome)
        outcome.ledger.check_nothing_lost()
        assert len(outcome.gone) == ended
        outcome.check_last_words()
        if outcome.covered:
            return outcome
    raise AssertionError(f"{name}: {longer * seconds} s of load were over before it was")
