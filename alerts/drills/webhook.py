"""What Alertmanager has told the webhook (alerts/webhook), which is the end of an alert's way to a person."""

from typing import Any, Optional

from .web import Refused, call


class Webhook:
    """Reads the notifications in order, each once."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self.last = 0
        self.kept: list[dict[str, Any]] = []

    def begin(self) -> None:
        """Passes over what is there. An answer is bounded, so it may take several."""
        while True:
            before = self.last
            self.ask()
            self.kept.clear()
            if self.last == before:
                return

    def ask(self) -> None:
        answer = call("the webhook", f"{self.url}/notifications?after={self.last}")
        if not isinstance(answer, dict) or "notifications" not in answer:
            raise Refused(f"{self.url} does not answer as alerts/webhook does")
        self.last = answer["last"]
        self.kept += answer["notifications"]

    def told(self, labels: dict[str, str], status: str, since: float) -> Optional[tuple[float, str]]:
        """(when, by which receiver) an alert with these labels was first told with that status since then."""
        for notification in self.kept:
            for alert in notification["alerts"]:
                if (notification["received"] >= since and alert["status"] == status
                        and labels.items() <= alert["labels"].items()):
                    return notification["received"], notification["receiver"]
        return None
