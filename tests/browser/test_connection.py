"""The page and the life of the service: its end, another one in its place, too many viewers, the
operators' listener, and the document itself."""

import base64
import hashlib
import re
from typing import Callable

from chromium import Browser
from conftest import check_silence
from panel import Panel
from service import Service, parse_samples
from traffic import Traffic
from wire import ask

Picture = Callable[[str], None]
LIMIT = 99_000
HTML = [("Accept", "text/html,application/xhtml+xml,*/*;q=0.8")]


def test_document(service: Service) -> None:
    """One document of less than 99 kB, whose policy names the two elements in it by what they hold."""
    response = ask(service.operators, "/", headers=HTML)
    assert response.status == 200
    assert response.header("content-type").startswith("text/html")
    assert len(response.body) < LIMIT
    text = response.body.decode()
    assert text.startswith("<!doctype html>")
    policy = response.header("content-security-policy")
    for tag in ("script", "style"):
        [content] = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{digest}'" in policy
    assert not re.search(r'<[^>]+\s(style|on[a-z]+)=', text.partition("<script>")[0])
    assert re.findall(r'(?:src|href)="(?!/|#|data:)', text) == []


def test_end_of_the_service(browser: Browser, serve: Callable[..., Service], picture: Picture) -> None:
    """SIGTERM with the page open: the exit waits for no viewer, the page says what happened, and finds
    the next process by itself."""
    service = serve("--drain-timeout", "5m")
    browser.forget()
    panel = Panel(browser, service.operators).open()
    with Traffic(service.public):
        browser.wait(lambda: panel.rate() > 1)
    service.signal()
    assert service.wait(60) == 0
    service.stop()
    browser.wait(lambda: panel.link().startswith("Not connected: the service "))
    browser.wait(lambda: panel.verdict() == ("idle", "Not connected"))
    picture("gone")

    host, port = service.operators
    again = serve(listen=(f"{host}:{port}",))
    browser.wait(lambda: panel.link().startswith("Live"))
    browser.wait(lambda: "started anew since this page was opened: 1" in browser.text("#footnote"))
    assert panel.lines() == []
    with Traffic(again.public):
        browser.wait(lambda: panel.rate() > 1 and panel.lines())
    check_silence(panel)


def test_too_many_viewers(browser: Browser, serve: Callable[..., Service], picture: Picture) -> None:
    """The page over the limit says so in the service's words, and gets in when a place is free."""
    service = serve("--page-viewers", "1")
    browser.forget()
    panel = Panel(browser, service.operators).open()
    first = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    try:
        browser.driver.get(panel.origin + "/")
        browser.wait(lambda: panel.link().startswith("Not connected: 503: "))
        assert "--page-viewers" in panel.link()
        picture("refused")
        second = browser.driver.current_window_handle
        browser.driver.switch_to.window(first)
        browser.driver.get("about:blank")
        browser.driver.switch_to.window(second)
        browser.wait(lambda: panel.link() == "Live")
    finally:
        browser.driver.close()
        browser.driver.switch_to.window(first)
    body = service.settle()
    assert sum(parse_samples(body, "glassbox_page_refused_total").values()) >= 1


def test_operators_listener(browser: Browser, serve: Callable[..., Service]) -> None:
    """With an operators' listener the page is there alone, and has no burst to offer: the routes of
    users are elsewhere. It shows what they do all the same."""
    service = serve(admin=True)
    browser.forget()
    assert ask(service.public, "/", headers=HTML).header("content-type") == "application/json"
    panel = Panel(browser, service.operators).open()
    assert not browser.find("#burst").is_displayed()
    with Traffic(service.public):
        browser.wait(lambda: panel.counts()["/demo/hello"] > 10)
        browser.wait(lambda: any("GET /demo/hello" in line for line in panel.lines()))
    check_silence(panel)


def test_without_the_token_option(browser: Browser, serve: Callable[..., Service]) -> None:
    """Without the fault API the page says how to have it, and offers no control."""
    service = Service("--page")
    try:
        browser.forget()
        panel = Panel(browser, service.operators).open()
        assert not browser.find("#arm").is_displayed()
        assert "--fault-token-file" in browser.text("#arm-off")
        assert panel.equation()["spans"][0] == "off"
        check_silence(panel)
    finally:
        browser.driver.get("about:blank")
        service.stop()


def test_calls_of_a_watched_service_balance(browser: Browser, service: Service, page: Panel) -> None:
    """While it is watched under load the equation is green in every picture, never red."""
    with Traffic(service.public):
        browser.wait(lambda: page.counts()["/demo/hello"] > 300, timeout=60)
        verdicts = {page.equation()[line][0] for line in ("metrics", "log", "spans") for _ in range(20)}
    assert verdicts == {"adds up"}
