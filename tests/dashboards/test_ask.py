"""`ask.py` takes rates over as long as the Prometheus that it asks needs."""

from typing import Any

import pytest

from ask import rate_interval


class Told:
    """A Prometheus that has targets of these intervals."""

    def __init__(self, *intervals: str) -> None:
        self.intervals = intervals

    def api(self, path: str, **parameters: str) -> Any:
        assert (path, parameters) == ("targets", {"state": "active"})
        return {"activeTargets": [{"scrapeInterval": one} for one in self.intervals]} if self.intervals else None


@pytest.mark.parametrize("intervals, rates", [
    (("1s",), "15s"), (("5s", "15s", "30s"), "120s"), (("1m30s", "15s"), "360s"), (("500ms", "4s"), "16s"),
    ((), "15s")])
def test_rates_hold_four_scrapes(intervals: tuple[str, ...], rates: str):
    assert rate_interval(Told(*intervals)) == rates
