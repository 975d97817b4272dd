"""What a person does with the page, from the first look to a fault that is over, against the real
program. A picture of each step is kept in build/browser."""

import re
from typing import Callable

from axe import findings
from chromium import DESKTOP, PHONE, Browser
from conftest import TOKEN
from panel import Panel
from service import Service
from traffic import Traffic
from wire import ask

Picture = Callable[[str], None]


def test_watch(browser: Browser, service: Service, page: Panel, picture: Picture) -> None:
    """The figures run, and they are the service's own."""
    assert page.verdict() == ("good", "Healthy, and idle")
    picture("1-idle")
    with Traffic(service.public):
        browser.wait(lambda: page.rate() > 5)
        first = page.counts()
        browser.wait(lambda: all(count > first[route] for route, count in page.counts().items()))
        browser.wait(lambda: len(page.lines()) >= 50)
        drawn = browser.run("return document.getElementById('heat').toDataURL()")
        browser.wait(lambda: browser.run("return document.getElementById('heat').toDataURL()") != drawn)
        picture("2-running")
    browser.wait(lambda: page.rate() == 0, timeout=30)
    assert page.verdict() == ("good", "Healthy, and idle")

    def counted() -> dict[str, int]:
        """What /metrics has of each route of users."""
        series = service.samples("http_server_request_duration_seconds_count")
        return {route: int(sum(value for labels, value in series.items() if ("http_route", route) in labels))
                for route in page.counts()}
    browser.wait(lambda: page.counts() == counted())
    assert sum(counted().values()) > 50


def test_one_trace_id(browser: Browser, service: Service, page: Panel, picture: Picture) -> None:
    """A request that is opened has one trace id in all its panels, and it is the one of the response,
    the log, the span that was exported, and the exemplar in /metrics."""
    with Traffic(service.public):
        browser.wait(lambda: page.rate() > 1)
    target = "/demo/hello?delay=321"
    trace, span_id, _ = ask(service.public, target).trace
    shown = page.open_request(trace)
    picture("open")
    assert shown["title"] == f"GET {target} → 200"
    assert shown["trace"] == trace
    for place in ("#detail-span .facts", "#detail-exemplar", "#detail-log .facts", "#detail-line"):
        assert browser.texts(f"{place} mark") == [trace], place

    # The log: its line, and the same by its fields.
    entry = service.log.wait(lambda one: one["x-trace-id"] == trace)
    fields = page.table("#detail-log .facts")
    assert list(fields) == service.log.fields
    assert {name: None if value == "-" else value.strip('"') for name, value in fields.items()} == entry
    assert shown["line"].split("\t") == list(fields.values())

    # The span: what was exported, with its child.
    exported = {m["name"]: m for m in service.messages if m.get("trace_id") == trace}
    service.wait_message(lambda m: m.get("trace_id") == trace and m.get("name") == "delay")
    exported = {m["name"]: m for m in service.messages if m.get("trace_id") == trace}
    assert set(exported) == {"GET /demo/hello", "delay"}
    assert browser.texts("#detail-span .span code") == ["GET /demo/hello", "delay"]
    tables = browser.texts("#detail-span caption")
    assert tables == ["the span", "its attributes", "its events"]
    rows = page.table("#detail-span .facts:nth-of-type(2)")
    assert rows == {name: str(value) for name, value in exported["GET /demo/hello"]["attributes"].items()}
    assert page.table("#detail-span .facts:nth-of-type(1)")["span_id"] == span_id
    events = [event["name"] for event in exported["GET /demo/hello"]["events"]]
    assert [name for _, name in page.rows("#detail-span .facts:nth-of-type(3)")] == events
    browser.run("document.querySelectorAll('#detail-span .span')[1].click()")
    child = page.table("#detail-span .facts:nth-of-type(1)")
    assert (child["span_id"], child["parent_id"]) == (exported["delay"]["span_id"], span_id)
    picture("child")

    # The bucket and its exemplar, as they stand in /metrics.
    body = service.scrape(accept="application/openmetrics-text; version=1.0.0").body.decode()
    series = browser.text("#detail-metric pre").partition(" ")[0]
    assert 'le="0.5"' in series
    [sample] = [line for line in body.splitlines() if line.startswith(series + " ")]
    assert sample.endswith(" " + shown["exemplar"])
    assert trace in shown["exemplar"]
    assert browser.run("return document.querySelectorAll('#detail-metric rect.is-own').length") == 1

    browser.find("#detail-close").click()
    assert not browser.find("#detail").is_displayed()


def test_fault(browser: Browser, service: Service, page: Panel, picture: Picture) -> None:
    """A wrong token is refused in the API's words; with the right one a fault is started, counted down,
    seen in what it does, and gone."""
    page.unfold_arms()
    browser.find("#arm-start").click()
    assert page.refused().startswith("Type the token first")
    page.unfold_arms("not-the-token-at-all")
    browser.find("#arm-start").click()
    browser.wait(lambda: page.refused().startswith("401 "))
    picture("1-wrong-token")
    assert page.faults() == []

    page.unfold_arms(TOKEN)
    page.start_fault("error", "10s", "/demo/*", ratio="2", status="503")
    browser.wait(lambda: "ratio" in page.refused())
    assert page.refused().startswith("422 ") and page.faults() == []

    with Traffic(service.public):
        page.start_fault("error", "10s", "/demo/*", ratio="0.75", status="503")
        browser.wait(lambda: page.told().startswith("Started: error"))
        assert page.refused() == ""
        browser.wait(lambda: page.left_of("error") is not None)
        begun = page.left_of("error")
        assert 0 < begun <= 10
        browser.wait(lambda: page.verdict() == ("bad", "Failing"))
        browser.wait(lambda: (page.left_of("error") or 0) < begun - 2)
        assert "a fault is in force" in browser.text("#verdict-detail")
        browser.run("scrollTo(0, 0)")
        picture("2-in-force")
        browser.wait(lambda: any("error" in line and "503" in line for line in page.lines()))
        shown = page.open_request("error")
        assert "struck by a fault: error" in shown["facts"]
        assert page.table("#detail-span .facts:nth-of-type(2)")["glassbox.fault.kinds"] == "error"
        picture("3-struck")
        browser.find("#detail-close").click()
        browser.wait(lambda: page.faults() == [], timeout=30)
        browser.wait(lambda: page.verdict()[1] != "Failing", timeout=30)
    picture("4-gone")
    injected = service.value("glassbox_faults_injected_total", fault="error", http_route="/demo/hello")
    assert injected > 0


def test_stop(browser: Browser, service: Service, page: Panel) -> None:
    """What was started is stopped; a kind of the process needs no route."""
    page.unfold_arms(TOKEN)
    page.start_fault("not_ready", "15m")
    browser.wait(lambda: page.verdict() == ("bad", "Not ready"))
    assert ask(service.operators, "/readyz").status == 503
    assert page.faults()[0][:2] == ("not_ready", "the process")
    browser.find("#arm-stop").click()
    browser.wait(lambda: page.told() == "Stopped.")
    browser.wait(lambda: page.faults() == [] and page.verdict()[1] != "Not ready")


def test_every_kind(browser: Browser, service: Service, page: Panel) -> None:
    """The defaults of each kind's form are such that the API takes them."""
    page.unfold_arms(TOKEN)
    kinds = browser.run("return [...document.getElementById('arm-kind').options].map((one) => one.value)")
    assert len(kinds) == 9
    for kind in kinds:
        page.start_fault(kind, "15m")
        browser.wait(lambda: page.told().startswith(f"Started: {kind}, in force until"))
        browser.wait(lambda: [fault for fault, _, _ in page.faults()] == [kind])
        assert re.search(r"\d", browser.text("#faults .what")), kind
    browser.find("#arm-stop").click()
    browser.wait(lambda: page.faults() == [])


def test_incident(browser: Browser, service: Service, page: Panel, picture: Picture) -> None:
    """An incident is played, with what comes next, and stopped."""
    page.unfold_arms(TOKEN)
    page.choose("#arm-incident", "outage")
    browser.find("#arm-play").click()
    browser.wait(lambda: page.told().startswith("Playing outage, in force until"))
    browser.wait(lambda: browser.text("#faults-source") == "incident outage")
    lefts = [left for _, _, left in page.faults()]
    assert any(left.endswith(" left") for left in lefts), lefts
    assert any(left.startswith("in ") for left in lefts), lefts
    picture("playing")
    browser.find("#arm-stop").click()
    browser.wait(lambda: page.told() == "Stopped.")
    browser.wait(lambda: browser.text("#faults-source") == "none armed")


def test_burst(browser: Browser, service: Service, page: Panel, picture: Picture) -> None:
    """A burst is sent by the page, whole, and shows on it."""
    page.choose("#burst-what", "1")
    browser.find("#burst-send").click()
    browser.wait(lambda: browser.text("#burst-told") == "500 of 500 sent", timeout=60)
    browser.wait(lambda: page.counts()["/demo/hello"] == 500)
    picture("sent")
    assert "too fast" not in browser.text("#requests-told")
    assert browser.find("#burst-send").is_enabled()


def test_axe(browser: Browser, service: Service, page: Panel, picture: Picture) -> None:
    """No serious finding of axe-core: light, dark, on a phone, with a request and the controls open."""
    with Traffic(service.public):
        browser.wait(lambda: len(page.lines()) >= 20)
    page.unfold_arms(TOKEN)
    page.start_fault("error", "15m", "/demo/*")
    browser.wait(lambda: page.faults() != [])
    for size in (DESKTOP, PHONE):
        for dark in (False, True):
            browser.look(size, dark)
            for is_open in (False, True):
                if is_open:
                    page.open_request("/demo/hello?delay=40")
                bad, passes = findings(browser)
                name = f"{size[0]}-{'dark' if dark else 'light'}-{'open' if is_open else 'closed'}"
                picture(name)
                assert bad == [], f"{name}:\n" + "\n".join(bad)
                assert passes > 25
            browser.find("#detail-close").click()
    browser.look()
