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
        separator = " " if form == "iis" else "\t"
        assert shown["log"].split(separator) == ["REDACTED", "REDACTED", "REDACTED", "-",
                                                 "session=the-cookie"]
        assert eventually(lambda: "the-token-of-the-fault-api" in path.read_text())
