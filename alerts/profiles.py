"""The two profiles of the rules, and what turns a rule of `real` into one of `fast`.

The idea: a rule is written once, with its real windows. For a demonstration the same rule looks at a
window of WINDOWS[real], waits a tenth as long, and says so by a label; thresholds and factors stay. Names
of recording rules stay, too, so that dashboards hold in both.
"""

from __future__ import annotations

import re
from typing import Any

PROFILES = ("real", "fast")
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}

# Half a minute is the least that a rate over scrapes of five seconds bears; the minute of the load that
# an autoscaler follows, and the two of GlassboxConnectionsRefused, whose `for` is as long, are shorter.
# The burn rates' windows are in windows/fast.yaml.
WINDOWS = {"1m": "20s", "2m": "20s", "5m": "30s", "15m": "1m", "2h": "2m"}
FOR_FACTOR, FOR_LEAST = 10, 10
LOOKBACK = "30m"


def seconds(duration: str) -> float:
    """Of a duration such as 90s, 1h or 1m30s."""
    parts = re.findall(r"([0-9]+)(ms|s|m|h|d)", duration)
    if "".join(number + unit for number, unit in parts) != duration or not parts:
        raise ValueError(f"{duration!r} is no duration")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


def shortened(window: str, override: str | None) -> str:
    """A window of the profile `fast`: the row's own, else the table's."""
    if override:
        return override
    if window not in WINDOWS:
        raise ValueError(f"no window of the profile fast for {window}: add it to profiles.WINDOWS")
    return WINDOWS[window]


class Profile:
    """One of them: the durations of a row as they are in it."""

    def __init__(self, name: str) -> None:
        self.name, self.is_fast = name, name == "fast"

    def window(self, window: str, override: str | None = None) -> str:
        """The length of a range or an offset."""
        return shortened(window, override) if self.is_fast else window

    def pending(self, duration: str) -> str:
        """A `for`."""
        if not self.is_fast:
            return duration
        return f"{max(int(seconds(duration) / FOR_FACTOR), FOR_LEAST)}s"

    def lookback(self, duration: str) -> str:
        """How far back a dashboard opens."""
        return min(duration, LOOKBACK, key=seconds) if self.is_fast else duration

    def expression(self, text: str, override: str | None = None) -> str:
        """An expression with its ranges and offsets."""
        return re.sub(r"(\[|\boffset )([0-9a-z]+)(?=\]|\b)",
                      lambda match: match[1] + self.window(match[2], override), text)

    def labels(self, rule: dict[str, Any]) -> dict[str, Any]:
        """The rule, which says that it is no real one."""
        if self.is_fast:
            rule["labels"] = {**rule.get("labels", {}), "profile": "fast"}
        return rule
