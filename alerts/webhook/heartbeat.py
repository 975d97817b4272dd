"""The other end of the dead man's switch.

GlassboxDeadMansSwitch always fires, so Alertmanager repeats it to us each minute for as long as
Prometheus and Alertmanager both work. Silence is the alarm: when no beat came for `timeout`
seconds, or none ever since the start (a switch that was never wired looks just like that), a
notification of our own says so, and another when it is back.

A message that the switch has *resolved* is no beat: it means that Prometheus has stopped.
"""

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from .payload import Alert, Notification

RECEIVER = "heartbeat"
LOST = "GlassboxHeartbeatLost"


def _stamp(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Heartbeat:
    """Watches; `tell` is called with a Notification, in order, from whichever thread."""

    def __init__(self, timeout: float, tell: Callable[[Notification], object]):
        self.timeout = timeout
        self.last: float | None = None
        self._tell = tell
        self._due = time.monotonic() + timeout
        self._lost_at: float | None = None
        self._annotations: dict[str, str] = {}
        self._labels: dict[str, str] = {}
        self._changed = threading.Condition()

    def beat(self, notification: Notification) -> None:
        """A POST came; it counts if an alert in it fires."""
        alert = next((alert for alert in notification.alerts if alert.status == "firing"), None)
        if alert is None:
            return
        with self._changed:
            self.last = time.time()
            self._due = time.monotonic() + self.timeout
            self._labels, self._annotations = alert.labels, alert.annotations
            if self._lost_at is not None:
                self._tell(self._notification("resolved", ends=self.last))
                self._lost_at = None
            self._changed.notify_all()

    def state(self) -> dict[str, object]:
        """{"last": epoch or None, "alive": bool}."""
        with self._changed:
            alive = self.last is not None and time.monotonic() < self._due
            return {"last": self.last, "alive": alive}

    def watch(self) -> None:
        """Runs for ever, in a thread of its own."""
        while True:
            with self._changed:
                left = self._due - time.monotonic()
                if self._lost_at is not None:
                    self._changed.wait()
                elif left > 0:
                    self._changed.wait(left)
                else:
                    self._lost_at = time.time()
                    self._tell(self._notification("firing"))

    def _notification(self, status: str, ends: float | None = None) -> Notification:
        labels = {key: value for key, value in self._labels.items() if key != "severity"}
        labels |= {"alertname": LOST, "severity": "page"}
        return Notification(RECEIVER, status, {"alertname": LOST}, [Alert(
            status=status, labels=labels, annotations=self._annotated(status),
            startsAt=_stamp(self._lost_at), endsAt=_stamp(ends) if ends else "",
            fingerprint="heartbeat")])

    def _annotated(self, status: str) -> dict[str, str]:
        """Words of our own, links from the last beat."""
        links = {key: value for key, value in self._annotations.items() if key.endswith("_url")}
        if status == "resolved":
            return links | {"summary": "The heartbeat is back: alerting works again",
                            "description": "What fired meanwhile is told now, if it still does."}
        since = f"since {_stamp(self.last)}" if self.last else "since the start, not one"
        return links | {
            "summary": "No heartbeat: nobody would be paged now",
            "description": f"No heartbeat {since}; it should come each minute, and "
                           f"{self.timeout:g} s is the limit. Prometheus or Alertmanager is down, "
                           "or the way from one to the other, or from there to here."}
