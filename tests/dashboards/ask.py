#!/usr/bin/env python3
"""Asks a Prometheus that runs somewhere what the dashboards would ask it, and says what would be empty:

    python tests/dashboards/ask.py [--rate-interval 2m] http://127.0.0.1:9090 [DASHBOARD...]

Rates are taken as Grafana takes them whose data source has the right scrape interval: over four of the longest that
a target has, so that none is empty for want of a second scrape. Empty is not always wrong: no cluster, no load test,
no drill. Exit status 0; 1 if nothing was answered, 2 if it cannot be asked.
"""

import argparse
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
sys.path[:0] = [str(FOLDER), str(FOLDER.parent / "wire")]

from answers import ask, missing  # noqa: E402: beside this file, wherever it is started
from prometheus import Api  # noqa: E402
from reading import BUILT_IN, every_board, expressions  # noqa: E402

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def rate_interval(prometheus: Api) -> str:
    """What $__rate_interval stands for: four scrapes of the target that is scraped least; 15 s at least."""
    longest = 15 / 4
    for target in (prometheus.api("targets", state="active") or {"activeTargets": []})["activeTargets"]:
        parts = re.findall(r"(\d+)(ms|[smh])", target.get("scrapeInterval", ""))
        longest = max(longest, sum(int(number) * UNITS[unit] for number, unit in parts))
    return f"{4 * longest:.0f}s"


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url", help="of the Prometheus")
    parser.add_argument("dashboard", nargs="*", help="all of them, if none is named")
    parser.add_argument("--rate-interval", metavar="DURATION", help="over which rates are taken")
    arguments = parser.parse_args()
    prometheus = Api(arguments.url)
    if prometheus.api("status/buildinfo") is None:
        print(f"no Prometheus answers at {arguments.url}", file=sys.stderr)
        return 2
    BUILT_IN["__rate_interval"] = arguments.rate_interval or rate_interval(prometheus)
    print(f"rates over {BUILT_IN['__rate_interval']}", file=sys.stderr)
    answered = 0
    for board in every_board():
        if arguments.dashboard and board.name not in arguments.dashboard:
            continue
        asked = list(expressions(board))
        empty = [one for one in asked if missing(one, ask(prometheus, one))]
        answered += len(asked) - len(empty)
        print(f"{board.name}: {len(asked) - len(empty)} of {len(asked)} answered")
        for one in empty:
            print(f"    empty: {one.where}: {one.text}")
    return 0 if answered else 1


if __name__ == "__main__":
    sys.exit(main())
