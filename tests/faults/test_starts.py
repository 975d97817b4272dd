"""Each thing that a start asks the system for refused in turn, to the release program itself: it
ends with status 1 and says which part could not be had, or it starts, serves, and its books balance.

A start asks for some hundred pieces of memory; how many is counted in a start that is refused
nothing.
"""

import pytest

from control import Control
from life import check, live

KINDS = ("memory", "descriptors", "threads")
CHUNKS = 8  # so that they run side by side

ROWS = {
    "no signals but metrics": (("--access-log", "none"), {"OTEL_TRACES_EXPORTER": "none"}),
    "all signals": (("--admin-listen", "127.0.0.1:0", "--flush-timeout", "50ms"),
                    {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
                     "OTEL_EXPORTER_OTLP_HEADERS": "a=b", "OTEL_SERVICE_NAME": "x",
                     "OTEL_LOGS_EXPORTER": "otlp",
                     "OTEL_RESOURCE_ATTRIBUTES": "a=b,c=d",
                     "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip"}),
    "console": (("--access-log-format", "iis", "--flush-timeout", "50ms"),
                {"OTEL_TRACES_EXPORTER": "console"}),
}


def count_calls(row, kind):
    """How many a start makes, up to its first request."""
    arguments, env = ROWS[row]
    with Control() as control:
        life = live(control, *arguments, env=env, requests=0)
        check_console(life, env)
        check(life)
        return getattr(control.orders, kind).calls


def check_console(life, env):
    """Spans on the terminal are JSON too, but no messages."""
    if env.get("OTEL_TRACES_EXPORTER") == "console":
        life.messages = [m for m in life.messages if "component" in m]


def refuse(row, kind, at, lasting):
    arguments, env = ROWS[row]
    with Control() as control:
        getattr(control.orders, kind).order(at=at, lasting=lasting)
        life = live(control, *arguments, env=env, requests=0 if lasting else 1)
        check_console(life, env)
        try:
            check(life, kind if getattr(control.orders, kind).refused > 0 else None)
        except AssertionError as error:
            where = getattr(control.orders, kind).where
            raise AssertionError(f"call {at} of {kind} (at {where:#x}): {error}") from error


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ROWS)
def test_one_call_is_refused(row, kind, chunk):
    for at in range(1 + chunk, count_calls(row, kind) + 1, CHUNKS):
        refuse(row, kind, at, lasting=False)


@pytest.mark.parametrize("chunk", range(CHUNKS))
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("row", ROWS)
def test_nothing_more_is_given_from_some_call_on(row, kind, chunk):
    for at in range(1 + chunk, count_calls(row, kind) + 1, CHUNKS):
        refuse(row, kind, at, lasting=True)
