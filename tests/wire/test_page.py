"""The page itself: who gets it and who the message, its policy, its size, on both layouts."""

import base64
import gzip
import hashlib
import json
import re

import pytest

from service import Service
from wire import ask

BROWSERS = {
    "chromium": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,"
                "image/apng,*/*;q=0.8,application/signed-exchange;v=b3;q=0.7",
    "firefox": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "html": "text/html",
    "text": "text/*",
    "parameters": "text/html;level=1",
    "both, html first": "application/json;q=0.5, text/html;q=0.9",
    "case": "TEXT/HTML",
}
OTHERS = {
    "none": None,
    "curl": "*/*",
    "json": "application/json",
    "problem": "application/problem+json",
    "both alike": "text/html, application/json",
    "json first": "application/json, text/html;q=0.9",
    "refused": "text/html;q=0",
    "plain": "text/plain",
    "any application": "application/*, text/html;q=0.5",
    "empty": "",
    "nonsense": "html;q=x;;;,,/",
}
HTML = "text/html; charset=utf-8"


def get(address, accept=None, method="GET", **more):
    headers = [] if accept is None else [("Accept", accept)]
    return ask(address, "/", method, headers=headers + more.pop("headers", []), **more)


def is_message(response):
    assert response.status == 200 and response.header("content-type") == "application/json"
    return list(json.loads(response.body)) == ["message", "timestamp"]


def is_page(response):
    assert response.status == 200 and response.header("content-type") == HTML
    return response.body.startswith(b"<!doctype html>")


@pytest.fixture(scope="module")
def options():
    return ("--page",)


@pytest.mark.parametrize("accept", BROWSERS.values(), ids=BROWSERS)
def test_browsers_get_the_page(service, accept):
    response = get(service.public, accept)
    assert is_page(response)
    assert response.header("vary") == "Accept, Accept-Encoding"


@pytest.mark.parametrize("accept", OTHERS.values(), ids=OTHERS)
def test_all_others_get_the_message(service, accept):
    response = get(service.public, accept)
    assert is_message(response)
    assert response.header("vary") == "Accept"


def test_accept_lines_are_one_list(service):
    lines = [("Accept", "application/json;q=0.5"), ("Accept", "text/html")]
    assert is_page(ask(service.public, "/", headers=lines))
    assert is_page(ask(service.public, "/", headers=lines[::-1]))
    assert is_message(ask(service.public, "/", headers=[("Accept", "text/html;q=0.4"), lines[0]]))


def test_it_is_one_route_in_all_signals(witnesses, service):
    for accept in (BROWSERS["firefox"], None):
        witness = witnesses.of(lambda: get(service.public, accept))
        assert witness.line["x-route"] == "/"
        assert witness.span.name == "GET /"


def test_headers(service):
    response = get(service.public, BROWSERS["firefox"])
    assert response.header("cache-control") == "no-store"
    assert response.header("x-content-type-options") == "nosniff"
    assert response.header("referrer-policy") == "no-referrer"
    assert response.header("content-encoding") is None


def policy(response):
    return dict(part.split(" ", 1) for part in
                response.header("content-security-policy").split("; "))


def test_policy_is_that_of_its_content(service):
    response = get(service.public, BROWSERS["firefox"])
    rules = policy(response)
    for name, directive in (("style", "style-src"), ("script", "script-src")):
        found = re.findall(f"<{name}>(.*?)</{name}>".encode(), response.body, re.DOTALL)
        assert len(found) == 1 and found[0]
        digest = base64.b64encode(hashlib.sha256(found[0]).digest()).decode()
        assert rules.pop(directive) == f"'sha256-{digest}'"
    assert rules == {"default-src": "'none'", "connect-src": "'self'", "img-src": "data:",
                     "base-uri": "'none'", "form-action": "'none'", "frame-ancestors": "'none'"}


def test_it_needs_nothing_else(service):
    """Nothing to load, nothing that the policy would forbid, and small."""
    body = get(service.public, BROWSERS["firefox"]).body
    assert len(body) < 100_000
    markup = re.sub(rb"<(style|script)>.*?</\1>", b"", body, flags=re.DOTALL)
    assert not re.search(rb"<[^>]*\s(style|on[a-z]+)\s*=", markup, re.IGNORECASE)
    for tag in re.findall(rb"<(?:img|script|link|iframe|source|use)\b[^>]*>", markup):
        for target in re.findall(rb'(?:src|href)="([^"]*)"', tag):
            assert target.startswith((b"data:", b"#")), tag
    assert b"@import" not in body and b"url(" not in body


@pytest.mark.parametrize("coding, packed", [
    ("gzip", True), ("gzip, deflate, br", True), ("*", True), ("br", False), ("gzip;q=0", False)])
def test_compressed(service, coding, packed):
    plain = get(service.public, BROWSERS["firefox"])
    response = get(service.public, BROWSERS["firefox"], headers=[("Accept-Encoding", coding)])
    assert (response.header("content-encoding") == "gzip") == packed
    body = gzip.decompress(response.body) if packed else response.body
    assert body == plain.body
    assert policy(response) == policy(plain)


def test_head(service):
    plain = get(service.public, BROWSERS["firefox"])
    response = get(service.public, BROWSERS["firefox"], "HEAD")
    assert response.body == b""
    changing = ("date", "traceresponse")
    assert [one for one in response.headers if one[0] not in changing] == \
        [one for one in plain.headers if one[0] not in changing]


def test_other_methods(service):
    response = get(service.public, BROWSERS["firefox"], "POST")
    assert response.status == 405 and response.header("allow") == "GET, HEAD, OPTIONS"
    assert get(service.public, BROWSERS["firefox"], "OPTIONS").status == 204
    assert ask(service.public, "/page/events", "POST").status == 405


# ---- layouts ------------------------------------------------------------------------------------

def test_operators_listener_has_it_alone():
    with Service("--page", admin=True) as service:
        response = get(service.public, BROWSERS["firefox"])
        assert is_message(response) and response.header("vary") is None
        assert ask(service.public, "/page/events").status == 404
        assert is_page(get(service.admin, BROWSERS["firefox"]))
        response = get(service.admin)
        assert is_message(response) and response.header("vary") == "Accept"
        assert get(service.admin, BROWSERS["firefox"], "HEAD").status == 200
        assert ask(service.admin, "/demo/hello").status == 404


@pytest.mark.parametrize("off", [(), ("--page=false",), ("--page=no",)])
def test_off(off):
    with Service(*off) as one, Service(*off, admin=True) as other:
        for address in (one.public, other.public):
            response = get(address, BROWSERS["firefox"])
            assert is_message(response) and response.header("vary") is None
        assert get(other.admin, BROWSERS["firefox"]).status == 404
        for address in (one.public, other.public, other.admin):
            assert ask(address, "/page/events").status == 404
        body = one.scrape().body.decode()
        assert 'http_route="/page/events"' not in body  # as if there were no such thing
        assert one.value("glassbox_page_viewers") == 0


def test_turned_on_by_a_variable():
    with Service(env={"OTEL_TRACES_EXPORTER": "none", "GLASSBOX_PAGE": "on"}) as service:
        assert is_page(get(service.public, BROWSERS["firefox"]))
