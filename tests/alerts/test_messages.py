"""What a person reads: full texts, as Slack, PagerDuty, a mailbox and the webhook's reader get them.

A real Alertmanager with the shipped receivers sends to peers on loopback. The texts are in messages/,
one file for each peer and case; what came is left in build/check/messages/ for comparison, and
after a change on purpose copied from there.
"""

import difflib
import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

from alertmanager import ROOT, VERSIONS, Alertmanager, alert, eventually, loopback
from peers import Mailbox, Peer, part
from webhook.page import render
from webhook.payload import parse

EXPECTED = Path(__file__).parent / "messages"
CAME = ROOT / "build/check/messages"
BOOKS = "https://github.com/glassbox-dev/glassbox/blob/main/alerts/runbooks"
BOARD = "http://localhost:3000/d/glassbox-service?from=1767578400000&to=1767582300000&var-job=glassbox"
SECRETS = {"slack-url": "", "pagerduty-routing-key": "R0UTINGKEY-OF-THE-TEST",
           "smtp-password": "sm7p-p4ssw0rd-of-the-test", "webhook-token": "w3bh00k-token-of-the-test"}
KINDS = ("slack.json", "mail.txt", "mail.html", "pagerduty.json", "webhook.txt")
START = "2026-01-05T02:58:00Z"
END = "2026-01-05T03:09:30Z"


def high(route: str, value: str, job: str = "glassbox") -> dict:
    """An alert as the rules make it; cases differ in the job, so as not to share a group."""
    return alert(
        {"alertname": "GlassboxErrorRatioHigh", "severity": "page", "team": "demo",
         "service": "glassbox", "job": job, "http_route": route},
        {"summary": f"{value} of the requests to {route} fail",
         "description": f"{value} of the requests to {route} have failed for 2m; 5 % are allowed.",
         "runbook_url": f"{BOOKS}/GlassboxErrorRatioHigh.md", "dashboard_url": BOARD}, starts=START)


# What a client, a pod's name or a badly written rule may bring along.
EVIL = ("<script>alert(1)</script> <!channel> <http://evil.example|click> & \"quoted\" 'so' `code` *bold*"
        " ~gone~ \\ {{ .ExternalURL }} \r\nBcc: evil@example.com\r\n\r\nbody \u202egnp.exe \u2028 \x1b[31m")
HOSTILE = alert(
    {"alertname": "GlassboxErrorRatioHigh", "severity": "page", "team": "demo", "service": "glassbox",
     "job": "glass\"box\\ & <b>\n+%", "http_route": EVIL, "long": "x" * 5000},
    {"summary": EVIL, "description": "y" * 5000, "runbook_url": "javascript:alert(1)",
     "dashboard_url": "https://grafana.example/d/x?a=<b>|\"'&c=>d"}, starts=START)
BARE = alert({"alertname": "Foreign"}, starts=START)
NAMELESS = alert({"severity": "page", "pod": "a"}, starts=START)
MANY = [high(f"/demo/{number:02}", f"{number} %", "many") for number in range(12)]

# name -> (the alerts, how many of them end, what is in each message about them and in no other).
CASES = {
    "one": ([high("/demo/hello", "31.2 %", "single")], 1, "single"),
    "several": ([high("/", "12 %", "several"), high("/demo/hello", "31.2 %", "several"),
                 high("/demo/work", "100 %", "several")], 2, "several"),
    "many": (MANY, 0, "many"),
    "hostile": ([HOSTILE], 1, "xxxxx"),
    "bare": ([BARE], 1, "Foreign"),
    "nameless": ([NAMELESS], 1, "pod=a"),
}


class Stage:
    """Alertmanager and all it can send to."""

    def __init__(self, folder: Path, version: str):
        self.slack, self.pagerduty, self.webhook = Peer(), Peer(202), Peer()
        self.mailbox = Mailbox()
        secrets = folder / "secrets"
        secrets.mkdir()
        self.secrets = SECRETS | {"slack-url": f"{self.slack.url}/services/T0/B0/s1ack-s3cr3t"}
        for name, text in self.secrets.items():
            # 0.25 would send a newline in the password's file as part of the password.
            (secrets / name).write_text(text + ("" if name == "smtp-password" else "\n"))
        document = loopback(secrets, webhook=self.webhook.url, smtp=self.mailbox.port,
                            pagerduty=self.pagerduty.url)
        # Each message to each peer, whatever its severity, so that one case shows them all.
        merged = {"name": "page"}
        for receiver in document["receivers"]:
            if receiver["name"] in ("page", "ticket"):
                merged = receiver | merged
        document["receivers"] = [merged | {"name": each["name"]} if each["name"] in ("page", "ticket")
                                 else each for each in document["receivers"]]
        self.alertmanager = Alertmanager(folder, document, version)
        self.mailbox.controller.start()

    def close(self) -> None:
        """Ends all of it."""
        self.alertmanager.stop()
        self.mailbox.controller.stop()
        for peer in (self.slack, self.pagerduty, self.webhook):
            peer.__exit__()

    def messages(self, alerts: list[dict], mark: str, wanted: dict[str, str] | None = None
                 ) -> dict[str, str]:
        """Posts, and returns what each peer got, as a text: of those with `mark` in them the wanted one,
        or else the last. An alert that began long ago is told at once, so Alertmanager may tell a group
        in two parts, the second of which is whole."""
        peers = (self.slack, self.pagerduty, self.webhook)
        before = [len(peer.heard) for peer in peers] + [len(self.mailbox.mails)]
        self.alertmanager.post(*alerts)
        came: dict[str, list[str]] = {}

        def whole() -> bool:
            came.update({kind: [text for text in texts if mark in text]
                         for kind, texts in self.texts(*before).items()})
            return all(wanted[kind] in texts if wanted else texts for kind, texts in came.items())

        try:
            eventually(whole, f"a message about {mark} to each peer", 20)
        except AssertionError:
            assert all(came.values()), {kind: len(texts) for kind, texts in came.items()}
        return {kind: wanted[kind] if wanted and wanted[kind] in texts else texts[-1]
                for kind, texts in came.items()}

    def texts(self, slack: int, pagerduty: int, webhook: int, mail: int) -> dict[str, list[str]]:
        """What came after so many of each; each with its secret, which is not in the text."""
        for each in self.slack.heard:
            assert each.path == "/services/T0/B0/s1ack-s3cr3t"
        for each in self.pagerduty.heard:
            assert each.json["routing_key"] == SECRETS["pagerduty-routing-key"]
        for each in self.webhook.heard:
            assert each.headers["Authorization"] == f"Bearer {SECRETS['webhook-token']}"
        assert set(self.mailbox.logins) <= {(b"alertmanager@example.com",
                                             SECRETS["smtp-password"].encode())}
        mails = self.mailbox.mails[mail:]
        return {"slack.json": [written(each.json) for each in self.slack.heard[slack:]],
                "mail.txt": [as_text(each) for each in mails],
                "mail.html": [part(each, "html") for each in mails],
                "pagerduty.json": [written(each.json | {"routing_key": "(secret)",
                                                        "dedup_key": "(of the group)"})
                                   for each in self.pagerduty.heard[pagerduty:]],
                "webhook.txt": [render(parse(each.body), now=1767582600.0)
                                for each in self.webhook.heard[webhook:]]}


def written(document: dict) -> str:
    """JSON for people."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def as_text(mail) -> str:
    """The headers that a person sees, and the plain text."""
    return (f"From: {mail['From']}\nTo: {mail['To']}\nSubject: {mail['Subject']}\n\n"
            f"{part(mail, 'plain')}")


@pytest.fixture(scope="module", params=VERSIONS)
def stage(request, tmp_path_factory) -> Iterator[Stage]:
    """A stage for each version."""
    made = Stage(tmp_path_factory.mktemp(f"messages-{request.param}"), request.param)
    yield made
    made.close()


def ended(each: dict) -> dict:
    """The same alert, over."""
    return each | {"endsAt": END}


def compare(stage: Stage, name: str, alerts: list[dict], mark: str) -> str:
    """Posts, leaves what came in build/check/messages, and says where it is not as expected."""
    CAME.mkdir(parents=True, exist_ok=True)
    wanted = {kind: path.read_text() if (path := EXPECTED / f"{name}.{kind}").exists() else ""
              for kind in KINDS}
    complaints = []
    for kind, text in stage.messages(alerts, mark, wanted).items():
        path = CAME / f"{name}.{kind}"
        path.write_text(text)
        if text != wanted[kind]:
            complaints += difflib.unified_diff(wanted[kind].splitlines(), text.splitlines(),
                                               f"messages/{path.name}", str(path), lineterm="")
    return "\n".join(complaints)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
@pytest.mark.parametrize("case", CASES)
def test_full_texts(stage: Stage, case: str) -> None:
    """What fires, and what then is over, to each peer, byte for byte."""
    alerts, over, mark = CASES[case]
    assert compare(stage, f"{case}-firing", alerts, mark) == ""
    if over:
        later = [ended(each) for each in alerts[:over]] + alerts[over:]
        assert compare(stage, f"{case}-resolved", later, mark) == ""


class Page(HTMLParser):
    """The tags, and where links lead."""

    def __init__(self, text: str):
        super().__init__()
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_nothing_is_injected(stage: Stage) -> None:
    """By rules, not by a text that somebody has looked at: values stay values."""
    labels = HOSTILE["labels"] | {"job": HOSTILE["labels"]["job"] + "again"}
    came = stage.messages([HOSTILE | {"labels": labels}], "%again")

    page = Page(came["mail.html"])
    assert page.tags == {"html", "head", "meta", "title", "body", "h2", "h3", "table", "tr", "th", "td",
                         "ul", "li", "a"}
    assert page.links and all(link.startswith("http://alertmanager.example/#/") for link in page.links)

    mail = stage.mailbox.mails[-1]
    assert "Bcc" not in mail and [str(to) for to in mail.get_all("To")] == ["demo-team@example.com"]

    slack = json.loads(came["slack.json"])["attachments"][0]
    for text in (slack["text"], slack["title"], slack["fallback"]):
        inside = re.findall("<([^>]*)>", text)
        assert re.sub("<[^<>]*>", "", text).count("<") == 0 and not re.search("[`~]|&(?!amp|lt|gt)", text)
        assert all(link.startswith("http://alertmanager.example/#/") for link in inside), inside
    assert re.findall(r"<[^<>|]*\|([^<>|]*)>", slack["text"]) == ["what else fires", "silence"]

    event = json.loads(came["pagerduty.json"])
    assert len(event["payload"]["summary"]) <= 1024 and "\n" not in event["payload"]["summary"]
    assert all(link["href"].startswith("http://alertmanager.example/#/") for link in event["links"])

    for text in came.values():
        assert all(c.isprintable() or c == "\n" for c in text)
        assert max(map(len, text.splitlines())) < 6000


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
def test_a_silence_link_is_for_its_group_alone(stage: Stage) -> None:
    """Its matchers, as the browser has them, are those of the group; without a name there is none."""
    job = 'a"b\\c\n+ %é&='
    each = high("/of-the-link", "1 %")
    came = stage.messages([each | {"labels": each["labels"] | {"job": job}}], "/of-the-link")
    wanted = ('{alertname="GlassboxErrorRatioHigh", job="a\\"b\\\\c\\n+ %é&=", severity="page"}')
    for name, text in came.items():
        text = text.replace("&amp;", "&")
        links = re.findall(r"http://alertmanager\.example/#/silences/new\?filter=([^\s\"|]+)", text)
        assert links and {unquote(link) for link in links} == {wanted}, name
    came = stage.messages([NAMELESS | {"labels": {"severity": "page", "pod": "b"}}], "pod=b")
    assert not any("silences/new" in text for text in came.values())


def test_secrets_are_told_to_nobody(stage: Stage) -> None:
    """Not in the API's configuration, not in the log, not in what was sent to others."""
    secrets = [*stage.secrets.values(), "s1ack-s3cr3t"]
    configuration = stage.alertmanager.get("status")["config"]["original"]
    assert "credentials_file" in configuration
    for text in (configuration, stage.alertmanager.said(),
                 *[path.read_text() for path in CAME.glob("*")]):
        assert not [secret for secret in secrets if secret in text]
