"""An incident on a stack with short windows: its steps, its page, its table, and the end by itself."""

import json

import pytest

from command import Command
from glassbox_stack.incident import SHIPPED, Incident, NoIncident, read, seconds

# Its page is due after some 20 s: so long that a slow machine has it before the end.
SHORT = {
    "name": "short", "description": "Three quarters of a minute.",
    "timeline": [
        {"at": "0s", "note": "Nearly all fails.", "faults": [
            {"route": "/demo/hello", "duration": "45s", "error": {"ratio": 0.9, "status": 503}}]},
        {"at": "45s", "note": "Over.", "faults": []},
    ],
}


def test_whole_arc(folder, tmp_path):
    plan = tmp_path / "short.json"
    plan.write_text(json.dumps(SHORT))
    with Command(folder, "--profile", "fast", "--no-collector", "--incident", str(plan), "--calm", "6") as command:
        assert command.hears("then everything is taken down")
        assert command.hears("=== minute 0 of 0.75: Nearly all fails.", 120)
        assert command.hears("GlassboxErrorBudgetBurn  FIRING", 120), command.said[-3000:]
        assert command.hears("=== minute 0.75 of 0.75: Over.", 120)
        assert command.hears("these fire on: Glassbox", 120), command.said[-3000:]
        assert command.hears("all resolved", 120), command.said[-3000:]
        assert command.ends() == 0
        command.left_nothing()
    table = command.said[command.said.index("receiver  alert"):].splitlines()
    pages = [line.split() for line in table if line.startswith("page ")]
    assert ["page", "GlassboxErrorBudgetBurn"] in [cells[:2] for cells in pages]
    for *_, fired, resolved in pages:
        assert 0 < float(fired) < float(resolved)
    assert f"{len(pages)} pages, all resolved; " in command.said


class FakeStack:
    """A webhook's answers, in order."""

    def __init__(self, monkeypatch, *notifications: dict):
        self.webhook = "http://webhook"
        self.answer = json.dumps({"last": 1, "notifications": list(notifications)})
        monkeypatch.setattr("glassbox_stack.incident.urllib.request.urlopen", lambda *_, **__: self)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def read(self) -> str:
        return self.answer


def note(receiver: str, status: str, received: float, name: str = "A", **labels: str) -> dict:
    """One alert's notification."""
    return {"receiver": receiver, "received": received, "alerts": [
        {"status": status, "fingerprint": name, "labels": {"alertname": name, **labels}}]}


@pytest.fixture
def incident(tmp_path, monkeypatch) -> Incident:
    """One that began at the epoch, and ended long ago."""
    path = tmp_path / "short.json"
    path.write_text(json.dumps(SHORT))
    made = Incident(str(path), "fast")
    made.began, made.steps = 0.0, []
    return made


def closing(incident: Incident, stack: FakeStack) -> list[str]:
    """What is said at the end, in lines."""
    said: list[str] = []
    assert incident.look(stack, said.append)
    return "".join(said).strip().splitlines()


def test_page_that_does_not_resolve_is_told(incident, monkeypatch):
    stack = FakeStack(monkeypatch, note("page", "firing", 60, http_route="/"), note("ticket", "firing", 90, "B"))
    lines = closing(incident, stack)
    assert lines[1].split() == ["page", "A", "http_route=/", "1.0", "still", "firing"]
    assert lines[-1] == "1 pages, 1 of them still firing after 5 minutes; 1 tickets."
    assert not incident.well


def test_page_that_comes_back_is_counted_once_and_resolves(incident, monkeypatch):
    stack = FakeStack(monkeypatch, note("page", "firing", 60), note("page", "resolved", 90),
                      note("page", "firing", 120), note("page", "resolved", 180),
                      note("info", "firing", 1, "C"), note("heartbeat", "firing", 1, "D"))
    lines = closing(incident, stack)
    assert lines[1].split() == ["page", "A", "1.0", "3.0"] and lines[-1] == "1 pages, all resolved; 0 tickets."
    assert incident.well


@pytest.mark.parametrize("text, value", [("0", 0), ("90s", 90), ("1.5m", 90), ("250ms", 0.25), ("1h", 3600)])
def test_durations(text, value):
    assert seconds(text) == value


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"timeline": []}', '{"timeline": [{"note": "a"}]}',
                                     '{"timeline": [{"at": "soon"}]}', '{"faults": []}'])
def test_what_is_no_incident_is_refused(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_text(content)
    with pytest.raises(NoIncident, match="is no incident"):
        Incident(str(path), "real")


@pytest.mark.parametrize("name", sorted(path.stem for path in SHIPPED.glob("*.json")))
def test_shipped_ones_are_read_by_name(name):
    document, steps, shipped = read(name)
    assert shipped and document["name"] == name and steps[-1][0] >= 25 * 60
