"""What Alertmanager sends (payload version 4), checked.

Whoever has the token may still send nonsense: everything that is used later has its type checked
here, once, and the complaint names the field. Nothing is repaired.
"""

import json
from dataclasses import dataclass, field

VERSION = "4"
STATUSES = ("firing", "resolved")
TEXTS = ("startsAt", "endsAt", "fingerprint", "generatorURL")


class Bad(ValueError):
    """The payload is none; the text says what is wrong with it."""


@dataclass
class Alert:
    """One alert of a notification; times are Alertmanager's own RFC 3339 texts."""

    status: str
    labels: dict[str, str]
    annotations: dict[str, str]
    startsAt: str = ""
    endsAt: str = ""
    fingerprint: str = ""
    generatorURL: str = ""


@dataclass
class Notification:
    """What one POST says: a group of alerts for one receiver."""

    receiver: str
    status: str
    groupLabels: dict[str, str]
    alerts: list[Alert] = field(default_factory=list)
    externalURL: str = ""
    truncatedAlerts: int = 0


def parse(body: bytes) -> Notification:
    """A notification from a request's body. Raises Bad."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Bad(f"the body is no JSON: {error}") from None
    _expect(isinstance(document, dict), "the body is no JSON object")
    _expect(document.get("version") == VERSION,
            f"version is {_shown(document.get('version'))}: only \"{VERSION}\" is understood")
    alerts = document.get("alerts")
    _expect(isinstance(alerts, list) and alerts, "alerts is no array, or an empty one")
    truncated = document.get("truncatedAlerts", 0)
    _expect(isinstance(truncated, int) and truncated >= 0, "truncatedAlerts is no count")
    return Notification(
        receiver=_text(document, "receiver", ""),
        status=_status(document, ""),
        groupLabels=_pairs(document, "groupLabels", ""),
        alerts=[_alert(alert, f"alerts[{i}]") for i, alert in enumerate(alerts)],
        externalURL=_text(document, "externalURL", "", ""),
        truncatedAlerts=truncated)


def _alert(document: object, where: str) -> Alert:
    _expect(isinstance(document, dict), f"{where} is no object")
    where += "."
    return Alert(status=_status(document, where), labels=_pairs(document, "labels", where),
                 annotations=_pairs(document, "annotations", where),
                 **{name: _text(document, name, where, "") for name in TEXTS})


def _status(document: dict, where: str) -> str:
    status = document.get("status")
    _expect(status in STATUSES, f"{where}status is {_shown(status)}, not one of {STATUSES}")
    return status


def _text(document: dict, name: str, where: str, default: str | None = None) -> str:
    value = document.get(name, default)
    _expect(isinstance(value, str), f"{where}{name} is {_shown(value)}, not a string")
    return value


def _pairs(document: dict, name: str, where: str) -> dict[str, str]:
    pairs = document.get(name)
    _expect(isinstance(pairs, dict), f"{where}{name} is {_shown(pairs)}, not an object")
    for key, value in pairs.items():
        _expect(isinstance(value, str), f"{where}{name}[{_shown(key)}] is no string")
    return pairs


def _shown(value: object) -> str:
    """A value in a complaint: short, and safe in any text."""
    return ascii(value)[:80]


def _expect(holds: object, complaint: str) -> None:
    if not holds:
        raise Bad(complaint)
