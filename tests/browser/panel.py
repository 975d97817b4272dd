"""The page as its reader sees it: what stands where, and how it is used."""

import re

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from chromium import Browser

TRACE_ID = re.compile(r"[0-9a-f]{32}")


def number(text: str) -> float:
    """A figure as the page writes it: 1,234 or 12.5; what is no figure is 0."""
    match = re.match(r"[\d,.]+", text.strip())
    return float(match.group().replace(",", "")) if match else 0.0


class Panel:
    def __init__(self, browser: Browser, address: tuple[str, int]):
        self.browser = browser
        self.origin = f"http://{address[0]}:{address[1]}"

    def open(self) -> "Panel":
        self.browser.driver.get(self.origin + "/")
        self.browser.wait(lambda: self.link().startswith("Live"))
        self.browser.wait(lambda: self.browser.text("#equation"))
        return self

    # ---- what it says ---------------------------------------------------------------------------

    def link(self) -> str:
        return self.browser.text("#link")

    def verdict(self) -> tuple[str, str]:
        """(tone, title)"""
        return tuple(self.browser.run(
            "return [document.getElementById('verdict').dataset.tone,"
            " document.getElementById('verdict-title').textContent]"))

    def rate(self) -> float:
        return number(self.browser.text("#stat-rate"))

    def counts(self) -> dict[str, int]:
        """Requests in all, of each route."""
        rows = self.browser.run(
            "return [...document.querySelectorAll('#routes tr')].map((row) =>"
            " [row.querySelector('th').textContent, row.lastElementChild.textContent])")
        return {route: int(number(count)) for route, count in rows}

    def equation(self) -> dict[str, tuple[str, dict[str, int]]]:
        """{line: (verdict, {term: value})}"""
        rows = self.browser.run(
            "return [...document.querySelectorAll('#equation .balance')].map((row) => [row.dataset.line,"
            " row.querySelector('.chip').textContent,"
            " [...row.querySelectorAll('.term')].map((term) => [term.querySelector('small').textContent,"
            "  term.querySelector('b').textContent])])")
        return {line: (verdict, {name: int(number(value)) for name, value in terms})
                for line, verdict, terms in rows}

    def lines(self) -> list[str]:
        return self.browser.texts("#lines li")

    def faults(self) -> list[tuple[str, str, str]]:
        """(kind, route, what is left) of each that is in force or next."""
        return [tuple(row) for row in self.browser.run(
            "return [...document.querySelectorAll('#faults li[data-fault]')].map((row) => [row.dataset.fault,"
            " row.querySelector('code').textContent, row.querySelector('b').textContent])")]

    def left_of(self, kind: str) -> int | None:
        """Seconds that a fault in force has left; None when it is not."""
        for fault, _, left in self.faults():
            if fault == kind and left.endswith(" left"):
                parts = [int(part) for part in left.removesuffix(" left").split(":")]
                return sum(part * 60 ** i for i, part in enumerate(reversed(parts)))
        return None

    # ---- what it is used for ----------------------------------------------------------------------

    def open_request(self, words: str) -> dict[str, str]:
        """Opens the newest request whose line holds the words, as soon as there is one, and returns what
        its panels say."""
        def click() -> bool:
            return self.browser.run(
                "const line = [...document.querySelectorAll('#lines li')]"
                ".find((one) => one.textContent.includes(arguments[0]));"
                " line?.click(); return Boolean(line)", words)
        self.browser.wait(click)
        self.browser.wait(lambda: self.browser.find("#detail").is_displayed())
        return self.detail()

    def detail(self) -> dict[str, str]:
        return {name: self.browser.text(f"#detail-{name}")
                for name in ("title", "trace", "facts", "span", "metric", "log", "exemplar", "line")}

    def rows(self, selector: str) -> list[tuple[str, str]]:
        """The first and the last cell of each row of a table."""
        return [tuple(row) for row in self.browser.run(
            "return [...document.querySelectorAll(arguments[0])].map((row) =>"
            " [row.firstElementChild.textContent, row.lastElementChild.textContent])", selector + " tbody tr")]

    def table(self, selector: str) -> dict[str, str]:
        """A table of names and values."""
        return dict(self.rows(selector))

    def unfold_arms(self, token: str | None = None) -> None:
        """Shows the controls of faults, and types the token where one is given."""
        self.browser.wait(lambda: self.browser.find("#arm").is_displayed())
        self.browser.run("document.getElementById('arm').open = true")
        if token is not None:
            self.browser.find("#arm-token").send_keys(Keys.CONTROL, "a")
            self.browser.find("#arm-token").send_keys(token)

    def start_fault(self, kind: str, duration: str, route: str | None = None, **values: str) -> None:
        self.choose("#arm-kind", kind)
        if route is not None:
            self.choose("#arm-route", route)
        for name, value in values.items():
            field = self.browser.find(f"#arm-value-{name}")
            field.clear()
            field.send_keys(value)
        self.choose("#arm-duration", duration)
        self.browser.find("#arm-start").click()

    def choose(self, selector: str, value: str) -> None:
        Select(self.browser.find(selector)).select_by_value(value)

    def told(self) -> str:
        return self.browser.text("#arm-told")

    def refused(self) -> str:
        return self.browser.text("#arm-refused")
