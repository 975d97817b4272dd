"""One drill while it goes on: looks at Prometheus, Alertmanager and the webhook, and marks what it sees first.

    armed -> seen -> pending -> firing -> notified -> restored -> over, gone -> resolve notified

`Observer` asks each of them once a round, for all the drills of a wave; a `Watch` has one drill's labels and timeline.
"""

from dataclasses import dataclass, field
from typing import Any, Callable, Optional

from . import due, words
from .alertmanager import Alertmanager, Route
from .facts import Reckoned
from .prometheus import Prometheus, chosen, stamp
from .timeline import SAID, Timeline
from .web import Refused
from .webhook import Webhook

BLIND = 30.0  # seconds without an answer: a restart takes less


@dataclass
class Observer:
    """What is seen in one round."""

    prometheus: Prometheus
    alertmanager: Alertmanager
    webhook: Webhook
    alerts: list[dict[str, Any]] = field(default_factory=list)
    blind: Optional[float] = None  # since when

    def look(self, now: float) -> bool:
        """False if one of them did not answer, which a busy machine may do now and then, but not for long."""
        try:
            self.alerts = self.prometheus.alerts()
            self.webhook.ask()
        except Refused:
            self.blind = now if self.blind is None else self.blind
            if now - self.blind > BLIND:
                raise
            return False
        self.blind = None
        return True

    def alert(self, labels: dict[str, str]) -> Optional[dict[str, Any]]:
        """The pending or firing alert with these labels; a firing one before a pending one."""
        found = [alert for alert in self.alerts if labels.items() <= alert["labels"].items()]
        return max(found, key=lambda alert: alert["state"] == "firing", default=None)


@dataclass
class Watch:
    """One drill's alert on its way to a person and back."""

    reckoned: Reckoned
    labels: dict[str, str]
    route: Route
    pace: due.Pace
    timeline: Timeline
    say: Callable[[str], None]
    keeps: int = 0        # rounds in a row in which something kept it from being told
    given_up: bool = False

    def event(self, name: str, moment: float, note: str = "") -> None:
        """Marks and says it, if it is news."""
        if not self.timeline.mark(name, moment, note):
            return
        event = self.timeline.events[name]
        delay = self.timeline.delay(name)
        parts = [] if delay is None else [f"{words.span(delay)} after {event.since}"]
        if event.due is not None:
            parts.append(f"due within {words.span(event.due)}")
        verdict = event.verdict(self.timeline.at(event.since) if event.since else None)
        late = f"  {verdict}" if verdict.startswith("LATE") else ""
        self.say(f"  {words.clock(moment)}  {self.timeline.name}: {SAID[name]}"
                 + (f" ({', '.join(parts)})" if parts else "") + (f", {note}" if note else "") + late)

    # ---- until it is told -----------------------------------------------------------------------

    def expect_firing(self) -> None:
        when = due.due(self.reckoned.tree, self.pace)
        self.timeline.expect("pending", when.pending)
        self.timeline.expect("firing", when.firing)
        self.timeline.expect("notified", when.notified)

    def rise(self, eyes: Observer, now: float) -> None:
        """One round while the fault is in force."""
        alert = eyes.alert(self.labels)
        if alert is not None:
            self.event("pending", stamp(alert["activeAt"]))
        told = eyes.webhook.told(self.labels, "firing", self.timeline.at("armed") or 0)
        if told:
            self.event("firing", min(told[0], now))  # if both came between two looks
            self.event("notified", told[0], f"by the receiver {told[1]}")
            return
        if alert is not None and alert["state"] == "firing" and self.timeline.at("firing") is None:
            self.fires(eyes, alert, now)
        if self.timeline.at("firing") is not None:
            self.kept(eyes)

    def fires(self, eyes: Observer, alert: dict[str, Any], now: float) -> None:
        """A group that is there already is told at its next interval, not after group_wait."""
        self.event("firing", now)
        try:
            grouped = eyes.alertmanager.is_grouped(self.route, alert["labels"])
        except Refused:
            return
        if grouped and self.route.group_interval > self.route.group_wait:
            longer = self.route.group_interval - self.route.group_wait
            self.timeline.expect("notified", (self.timeline.events["notified"].due or 0) + longer)
            self.say(f"            its group is there already: told at its next group_interval, within "
                     f"{words.span(self.route.group_interval)}")

    def kept(self, eyes: Observer) -> None:
        """Whether a silence or an inhibition keeps it from being told; twice in a row is no passing state."""
        try:
            alert = eyes.alertmanager.alert(self.labels)
        except Refused:
            return
        status = (alert or {}).get("status", {})
        why = ("silenced by " + ", ".join(status["silencedBy"]) if status.get("silencedBy") else
               "inhibited by " + ", ".join(self.name_of(eyes, print_) for print_ in status["inhibitedBy"])
               if status.get("inhibitedBy") else "")
        self.keeps = self.keeps + 1 if why else 0
        if self.keeps == 2:
            self.give_up(f"it fires, but Alertmanager tells nobody: {why}", "notified", "resolved")

    @staticmethod
    def name_of(eyes: Observer, fingerprint: str) -> str:
        """An alert by its fingerprint, as a person calls it."""
        for alert in eyes.alertmanager.get("alerts"):
            if alert["fingerprint"] == fingerprint:
                labels = alert["labels"]
                return " ".join(filter(None, [labels.get("alertname"), labels.get("severity"),
                                              labels.get("http_route")]))
        return fingerprint

    def give_up(self, why: str, *waived: str) -> None:
        self.say(f"            {self.timeline.name}: {why}")
        self.timeline.wrong.append(why)
        self.timeline.waive(*waived)
        self.given_up = True

    def untold(self, eyes: Observer) -> str:
        """Why it was not told, as far as Alertmanager says."""
        try:
            has = eyes.alertmanager.alert(self.labels)
        except Refused as refusal:
            return f"; {refusal}"
        return (f"; Alertmanager has it, for {self.route.receiver}, since {words.clock(stamp(has['startsAt']))}"
                if has else "; Alertmanager has not got it")

    def readings(self, eyes: Observer) -> str:
        """What the rule reads now, beside what it needs: why it did not come."""
        found = []
        for leaf in due.deciding(self.reckoned.tree):
            if leaf.source and not leaf.holds:
                try:
                    values = chosen(eyes.prometheus.query(leaf.source), self.labels)
                except Refused:
                    continue
                reads = f"{max(values):.4g}" if values else "nothing"
                found.append(f"{leaf.text} reads {reads}, needs {leaf.needs:.4g}")
        found += filter(None, [self.reckoned.drill.caveat])
        return "; " + "; ".join(found) if found else ""

    def has_risen(self, eyes: Observer, now: float) -> bool:
        """Whether there is nothing more to wait for before the fault is taken away."""
        if self.given_up or self.timeline.at("notified") is not None:
            return True
        for name in ("pending", "firing", "notified"):
            if self.timeline.at(name) is None and now > self.timeline.deadline(name):
                why = {"pending": self.readings, "notified": self.untold}.get(name, lambda _: "")(eyes)
                self.timeline.events[name].note = why.removeprefix("; ")
                self.say(f"            {self.timeline.name}: LATE: not {SAID[name]} by "
                         f"{words.clock(self.timeline.deadline(name))}{why}")
                later = {"pending": ("firing", "notified"), "firing": ("notified",)}.get(name, ())
                self.timeline.waive(*later, *(("gone",) if name != "notified" else ()), "resolved")
                self.given_up = True
                return True
        return False

    # ---- until it is over -----------------------------------------------------------------------

    def expect_over(self) -> None:
        start = self.timeline.at("armed") or 0
        lasted = (self.timeline.at("restored") or 0) - start
        gone, resolved = due.over(self.reckoned.tree, self.pace, lasted)
        self.timeline.expect("gone", gone)
        self.timeline.expect("resolved", resolved)
        self.say(f"            {self.timeline.name}: the fault lasted {words.span(lasted)}; due: gone within "
                 f"{words.span(gone)}, resolve told within {words.span(resolved)} (group_interval "
                 f"{words.span(self.pace.group_interval)}):")
        for line in words.falling(self.reckoned.tree, lasted):
            self.say(f"              {line}")

    def sink(self, eyes: Observer, now: float) -> None:
        """One round after the fault was taken away."""
        told = eyes.webhook.told(self.labels, "resolved", self.timeline.at("restored") or 0)
        if eyes.alert(self.labels) is None:
            self.event("gone", min(told[0], now) if told else now)  # both may come between two looks
        if told:
            self.event("resolved", told[0], f"by the receiver {told[1]}")

    def has_sunk(self, _: Observer, now: float) -> bool:
        """Whether there is nothing more to wait for at all."""
        for name in ("over", "gone", "resolved"):
            event = self.timeline.events[name]
            if event.at is None and not event.waived and now <= self.timeline.deadline(name):
                return False
        return True
