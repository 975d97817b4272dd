"""A notification as a text that a person can act on at 3 am.

    what, how bad, where, since when: an alert each; then what to do first, where to look, how to
    have quiet. What came from outside is shown on one line, without anything that a terminal would
    obey (escape sequences, newlines, marks that turn the writing round), and cut where it is long.
"""

import re
import time
from datetime import UTC, datetime
from urllib.parse import quote

from .payload import Alert, Notification

ALERTS_MAX = 10
TEXT_MAX = 600
RULE = "─" * 96
RESET = "\033[0m"
COLOURS = {"page": "\033[1;31m", "ticket": "\033[33m", "info": "\033[36m", "resolved": "\033[32m"}
LINK = re.compile(r"https?://[^\s<>|\"'`\\]{1,1000}")

# Labels that say what kind of alert it is, not where.
KIND = {"alertname", "severity", "team", "service",
        "sloth_id", "sloth_service", "sloth_slo", "sloth_severity"}


def plain(text: str, limit: int = TEXT_MAX) -> str:
    """Text from outside: one line, only what can be printed, cut at `limit` characters."""
    shown = "".join(c if c.isprintable() else " " if c in "\n\r\t" else ascii(c)[1:-1]
                    for c in text[:limit])
    return " ".join(shown.split()) + ("…" if len(text) > limit else "")


def duration(seconds: float) -> str:
    """252 -> `4 min 12 s`: the two largest units that are not 0."""
    seconds = max(0, int(seconds))
    parts = []
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        if seconds >= size or (unit == "s" and not parts):
            parts.append(f"{seconds // size} {unit}")
        seconds %= size
    return " ".join(parts[:2])


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo and moment.year > 1970 else None


def _since(alert: Alert, now: float) -> str:
    start, end = _moment(alert.startsAt), _moment(alert.endsAt)
    if start is None:
        return plain(alert.startsAt) or "not said"
    shown = f"{start:%H:%M:%S} UTC"
    if f"{start:%F}" != f"{datetime.fromtimestamp(now, UTC):%F}":
        shown = f"{start:%F} {shown}"
    if alert.status == "resolved" and end is not None:
        return f"{shown}, until {end:%H:%M:%S} UTC, for {duration((end - start).total_seconds())}"
    return f"{shown}, {duration(now - start.timestamp())} ago"


def _where(alert: Alert) -> str:
    labels = sorted((key, value) for key, value in alert.labels.items() if key not in KIND)
    return " ".join(f"{plain(key, 60)}={plain(value, 120)}" for key, value in labels[:12])


def silence_url(notification: Notification) -> str:
    """Where Alertmanager offers a silence for this group; empty where that cannot be said."""
    if not notification.externalURL.startswith(("http://", "https://")):
        return ""
    labels = dict(notification.groupLabels)
    if not labels.get("alertname"):
        return ""  # or a whole severity would be silenced
    severities = {alert.labels.get("severity") for alert in notification.alerts}
    if len(severities) == 1 and (severity := severities.pop()):
        labels["severity"] = severity
    return f"{notification.externalURL}/#/silences/new?filter={_filter(labels)}"


def others_url(notification: Notification) -> str:
    """Where Alertmanager shows what else fires for this service: who else is affected."""
    if not notification.externalURL.startswith(("http://", "https://")):
        return ""
    url = f"{notification.externalURL}/#/alerts?silenced=false&inhibited=true&active=true"
    services = {alert.labels.get("service", "") for alert in notification.alerts}
    if len(services) == 1 and (service := services.pop()):
        url += f"&filter={_filter({'service': service})}"
    return url


def _filter(labels: dict[str, str]) -> str:
    """Matchers for Alertmanager's page, ready for a URL."""
    escape = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})
    matchers = ", ".join(f'{key}="{value.translate(escape)[:500]}"'
                         for key, value in sorted(labels.items()) if value)
    return quote("{" + matchers + "}", "")


def _links(alerts: list[Alert], name: str) -> list[str]:
    """The different links of one kind, in order; only those that are such."""
    links = dict.fromkeys(alert.annotations.get(name, "") for alert in alerts)
    return [link for link in links if LINK.fullmatch(link) and link.isprintable()][:3]


def _alert_lines(alert: Alert, now: float) -> list[str]:
    name = alert.labels.get("alertname", "an alert without a name")
    lines = [f"  {plain(alert.annotations.get('summary') or name)}"
             + (" (over)" if alert.status == "resolved" else "")]
    if description := alert.annotations.get("description"):
        bad = "it was " if alert.status == "resolved" else "how bad"
        lines.append(f"    {bad}    {plain(description)}")
    if where := _where(alert):
        lines.append(f"    where      {where}")
    return lines + [f"    since      {_since(alert, now)}"]


def severity(notification: Notification) -> str:
    """The gravest of the group; what has no severity goes by its receiver."""
    present = {alert.labels.get("severity", "") for alert in notification.alerts}
    return next((known for known in ("page", "ticket", "info") if known in present),
                plain(notification.receiver, 40))


def render(notification: Notification, now: float | None = None, colours: bool = False) -> str:
    """The text of a notification, with a newline at its end."""
    now = time.time() if now is None else now
    kind = severity(notification)
    alerts = sorted(notification.alerts, key=lambda alert: alert.status == "resolved")
    firing = sum(alert.status == "firing" for alert in alerts)
    names = dict.fromkeys(alert.labels.get("alertname", "an alert without a name") for alert in alerts)
    count = f"{firing} firing" + (f", {len(alerts) - firing} over" if len(alerts) > firing else "")
    title = (f"{kind.upper()}  {plain(', '.join(names), 160)}  {notification.status.upper()}"
             f"  ({count})")
    if colours:
        key = "resolved" if notification.status == "resolved" else kind
        title = f"{COLOURS.get(key, '')}{title}{RESET}"
    stamp = datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S UTC")
    lines = [RULE, f"{stamp}  {title}"]
    for alert in alerts[:ALERTS_MAX]:
        lines += _alert_lines(alert, now)
    untold = max(0, len(alerts) - ALERTS_MAX) + notification.truncatedAlerts
    if untold > 0:
        lines.append(f"  and {untold} more of this group")
    books = _links(alerts, "runbook_url") or ["no runbook is named"]
    lines += [f"  first        {link}" for link in books]
    lines += [f"  look         {link}" for link in _links(alerts, "dashboard_url")[:1]]
    if link := others_url(notification):
        lines.append(f"  who else     {plain(link, 2000)}")
    if notification.status == "firing" and (link := silence_url(notification)):
        lines.append(f"  have quiet   {plain(link, 2000)}")
    return "\n".join(lines + [RULE, ""])
