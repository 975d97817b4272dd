"""Plays an incident on a stack that is up, and tells what came of it.

Its steps are printed as they come, beside the pages that the webhook prints; at the end stands a
table: which alerts notified whom, when, and when they resolved. Minutes are the incident's, from
its first fault on. Before it some calm is shown, so that there is a before.
"""

import json
import time
import urllib.error
import urllib.request
from datetime import datetime
from pathlib import Path

from .files import ROOT

SHIPPED = ROOT / "src/faults/incidents"
CALM = 30.0                              # seconds before it begins, unless told otherwise
RESOLVE_WITHIN = {"real": 40 * 60.0, "fast": 5 * 60.0}  # seconds after its end, for the pages
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}
IMPLIED = ("heartbeat", "info")          # receivers of what is no alert of the incident


class NoIncident(Exception):
    """Which there are."""


def seconds(text: str) -> float:
    """`90s`, `1.5m`, `0`: durations as the plan has them."""
    unit = text.lstrip("0123456789.")
    return float(text[:len(text) - len(unit)]) * UNITS[unit or "s"]


def read(name: str) -> tuple[dict, list[tuple[float, str]], bool]:
    """The document, its steps as (seconds, note), and whether the service knows it by name."""
    shipped = SHIPPED / f"{name}.json"
    path = shipped if shipped.exists() else Path(name)
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        steps = [(seconds(step["at"]), step.get("note", "")) for step in document["timeline"]]
        if not steps:
            raise ValueError("its timeline is empty")
        return document, steps, path is shipped
    except FileNotFoundError:
        names = ", ".join(sorted(known.stem for known in SHIPPED.glob("*.json")))
        raise NoIncident(f"no incident `{name}`: {names}, or the path of a file") from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoIncident(f"{path} is no incident: {error!r}") from error


class Row:
    """One alert of the table."""

    def __init__(self, alert: dict, receiver: str, minute: float):
        self.labels = alert["labels"]
        self.receiver = receiver
        self.fired = minute
        self.resolved: float | None = None

    @property
    def is_page(self) -> bool:
        return self.receiver == "page"

    def cells(self) -> tuple[str, ...]:
        """As text."""
        what = ", ".join(f"{name}={self.labels[name]}" for name in
                         ("http_route", "instance", "signal", "sli") if name in self.labels)
        resolved = "still firing" if self.resolved is None else f"{self.resolved:.1f}"
        return self.receiver, self.labels["alertname"], what, f"{self.fired:.1f}", resolved


class Incident:
    """`look` is called again and again."""

    def __init__(self, name: str, profile: str, calm: float = CALM):
        self.document, self.steps, self.is_shipped = read(name)
        self.calm = calm
        self.patience = RESOLVE_WITHIN[profile]
        self.end = self.steps[-1][0]
        self.began: float | None = None
        self.due: float | None = None
        self.seen = 0  # the last notification
        self.rows: dict[str, Row] = {}
        self.well = False
        self.waits = False  # for pages to resolve

    @property
    def minute(self) -> float:
        return (time.time() - self.began) / 60

    def look(self, stack, say) -> bool:
        """Does what is due; whether it is over, and its table printed."""
        if self.began is None:
            return self._wait(stack, say)
        while self.steps and self.steps[0][0] <= 60 * self.minute:
            at, note = self.steps.pop(0)
            say(f"\n=== minute {at / 60:.3g} of {self.end / 60:.3g}: {note}\n")
        self._collect(stack)
        over = 60 * self.minute - self.end
        if self.steps or over < 5:
            return False
        firing = self._pages_firing()
        if firing and over < self.patience:
            self._wait_for(firing, say)
            return False
        self._close(say)
        return True

    def _wait_for(self, firing: list[Row], say) -> None:
        """Said once: with real windows this takes half an hour."""
        if not self.waits:
            names = ", ".join(sorted({row.labels["alertname"] for row in firing}))
            say(f"\n=== over; until their windows have forgotten it these fire on: {names}. They are waited for, "
                f"{self.patience / 60:.3g} minutes at most.\n")
        self.waits = True

    def _wait(self, stack, say) -> bool:
        now = time.monotonic()
        if self.due is None:
            self.due = now + self.calm
            say(f"=== {self.document['name']}: {self.document.get('description', '')}\n"
                f"=== begins in {self.calm:.0f} s and takes {self.end / 60:.3g} minutes\n")
        elif now >= self.due:
            self.began = self._arm(stack)
        return False

    def _arm(self, stack) -> float:
        """When it begins, as the service says."""
        token = stack.token_file.read_text().strip()
        if self.is_shipped:
            method, path, body = "POST", f"/incidents/{self.document['name']}", None
        else:
            method, path, body = "PUT", "/faults", json.dumps(self.document).encode()
        request = urllib.request.Request(stack.operators + path, body, method=method, headers={
            "Authorization": f"Bearer {token}", **({"Content-Type": "application/json"} if body else {})})
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                begin = json.load(response)["plan"]["begin"]
        except urllib.error.HTTPError as error:
            raise NoIncident(f"the service refuses it: {error.read().decode()}") from error
        except OSError as error:
            raise NoIncident(f"the service does not answer: {error}") from error
        return datetime.fromisoformat(begin.replace("Z", "+00:00")).timestamp()

    def _collect(self, stack) -> None:
        try:
            with urllib.request.urlopen(f"{stack.webhook}/notifications?after={self.seen}", timeout=5) as response:
                news = json.load(response)
        except (OSError, ValueError):
            return  # the webhook may have died: said elsewhere
        self.seen = news["last"]
        for notification in news["notifications"]:
            receiver = notification["receiver"]
            minute = (notification["received"] - self.began) / 60
            for alert in notification["alerts"] if receiver not in IMPLIED else ():
                row = self.rows.get(alert["fingerprint"])
                if alert["status"] == "resolved":
                    if row is not None:
                        row.resolved = minute
                elif row is None:
                    self.rows[alert["fingerprint"]] = Row(alert, receiver, minute)
                else:
                    row.resolved = None  # again

    def _pages_firing(self) -> list[Row]:
        return [row for row in self.rows.values() if row.is_page and row.resolved is None]

    def _close(self, say) -> None:
        rows = [("receiver", "alert", "what", "notified at minute", "resolved at minute"),
                *(row.cells() for row in sorted(self.rows.values(), key=lambda row: (not row.is_page, row.fired)))]
        widths = [max(map(len, column)) for column in zip(*rows)]
        say("\n" + "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                             for row in rows))
        pages = sum(row.is_page for row in self.rows.values())
        firing = self._pages_firing()
        self.well = not firing
        say(f"\n{pages} pages, " + (f"{len(firing)} of them still firing after {self.patience / 60:g} minutes"
                                    if firing else "all resolved") + f"; {len(rows) - 1 - pages} tickets.\n")
