"""What the page does not show to whoever looks: what would let them in, and what no signal holds."""

import pytest

from events import Viewer
from service import QUIET, Service
from wire import ask, eventually

SECRETS = [("Authorization", "Bearer the-token-of-the-fault-api"),
           ("Proxy-Authorization", "Basic the-proxys"), ("Cookie", "session=the-cookie")]


@pytest.mark.parametrize("form", ["w3c", "iis"])
def test_credentials_in_the_log_are_not_on_the_page(tmp_path, form):
    """Redacted by their field, in the page's copy alone: what merely reads alike stays."""
    path = tmp_path / "log"
    fields = "cs(Authorization) cs(proxy-authorization) cs(COOKIE) sc(Set-Cookie) cs(User-Agent)"
    with Service("--page", "--access-log-format", form, env=QUIET, log=path,
                 fields=fields) as service, Viewer(service.public) as viewer:
        headers = [*SECRETS, ("User-Agent", "session=the-cookie")]
        _, span_id, _ = ask(service.public, "/demo/hello", headers=headers).trace
        shown = viewer.shown(span_id)
        values = shown["log"].split(viewer.hello["log_separator"])
        assert [value.strip('"') for value in values] == ["REDACTED"] * 3 + ["-", "session=the-cookie"]
        assert eventually(lambda: "the-token-of-the-fault-api" in path.read_text())


QUERY = "/demo/hello?name=Jane"


@pytest.mark.parametrize("log, fields, told", [
    ("-", "time", False), ("-", "cs-uri-stem x-route", False), ("none", None, False),
    ("-", "cs-uri-query", True), ("-", "cs-uri", True)])
def test_a_query_that_no_signal_has_is_not_on_the_page(log, fields, told):
    """Spans are off: what is kept out of the log is kept out of the page."""
    with Service("--page", env=QUIET, log=log, fields=fields) as service:
        with Viewer(service.public) as viewer:
            _, span_id, _ = ask(service.public, QUERY).trace
            shown = viewer.shown(span_id)
    assert shown["path"] == (QUERY if told else "/demo/hello")
    assert ("Jane" in str(shown)) is told


def test_a_query_that_a_span_has_is(collector):
    """But not that of a span which is not sampled."""
    unsampled = [("traceparent", "00-0af7651916cd43dd8448eb211c80319f-b7ad6b7169203331-00")]
    with Service("--page", env=collector.env(), fields="time") as service:
        with Viewer(service.public) as viewer:
            for headers, path in (([], QUERY), (unsampled, "/demo/hello")):
                _, span_id, _ = ask(service.public, QUERY, headers=headers).trace
                assert viewer.shown(span_id)["path"] == path
