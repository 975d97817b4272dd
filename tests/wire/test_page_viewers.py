"""Who looks at the live page, how many may, and that nobody waits for them: not a request, not an exit."""

import json
import signal
import threading

import pytest

from events import Viewer, is_balanced
from service import QUIET, Service
from wire import Closed, Connection, ask, eventually, parse_head, request

VIEWERS = "glassbox_page_viewers"
LOST = "glassbox_page_updates_lost_total"
REFUSED = "glassbox_page_refused_total"
LAYOUTS = pytest.mark.parametrize("admin", [False, True], ids=["one listener", "operators' listener"])


@pytest.fixture(scope="module")
def options():
    return ("--page", "--workers", "2")


def gone(service):
    """Whether nobody looks any more."""
    return eventually(lambda: service.value(VIEWERS) == 0)


# ---- how many -----------------------------------------------------------------------------------

def test_ten_and_no_more():
    with Service("--page", "--workers", "2") as service:
        viewers = [Viewer(service.public) for _ in range(10)]
        assert service.value(VIEWERS) == 10
        response = ask(service.public, "/page/events")
        assert response.status == 503 and response.header("retry-after") == "5"
        assert "--page-viewers" in json.loads(response.body)["detail"]
        assert service.value(REFUSED, reason="limit") == 1
        for viewer in viewers:
            viewer.frame(lambda frame: frame["viewers"] == 10)
        viewers.pop().close()
        assert eventually(lambda: service.value(VIEWERS) == 9)
        viewers.append(Viewer(service.public))
        frames = [viewer.frame(lambda frame: frame["viewers"] == 10) for viewer in viewers]
        assert len(frames) == 10
        for viewer in viewers:
            viewer.close()
        assert gone(service)
        assert service.value(REFUSED, reason="limit") == 1
        assert service.value(LOST) == 0


@pytest.mark.parametrize("site, status", [
    ("cross-site", 403), ("same-origin", 200), ("same-site", 200), ("none", 200)])
def test_other_sites_take_no_place(service, site, status):
    """A page elsewhere that opens streams from its readers' browsers would hold all of them."""
    assert gone(service)
    with Connection(service.public) as connection:
        connection.send(request("/page/events", headers=[("Sec-Fetch-Site", site)]))
        assert parse_head(connection._head())[0] == status
        assert service.value(VIEWERS) == (1 if status == 200 else 0)


@pytest.mark.parametrize("number, starts", [("64", True), ("65", False)])
def test_most_that_may_be_allowed(number, starts):
    """As many as leave half of what may wait unsent to others."""
    if starts:
        with Service("--page", "--page-viewers", number) as service:
            assert ask(service.public).status == 200
    else:
        with pytest.raises(AssertionError):
            Service("--page", "--page-viewers", number)


def test_limit_is_an_option():
    with Service("--page", "--page-viewers", "1") as service, Viewer(service.public):
        assert ask(service.public, "/page/events").status == 503


def test_all_see_the_same_requests(service):
    """Whichever worker a viewer came to."""
    viewers = [Viewer(service.public) for _ in range(4)]
    _, span_id, _ = ask(service.public).trace
    shown = [viewer.shown(span_id) for viewer in viewers]
    assert all(one == shown[0] for one in shown)
    for viewer in viewers:
        viewer.close()


def test_head_is_no_viewer(service):
    assert gone(service)
    with Connection(service.public) as connection:
        connection.send(request("/page/events", "HEAD"))
        status, _, headers = parse_head(connection._head())
        assert status == 200
        assert ("content-type", "text/event-stream") in headers
        assert ("transfer-encoding", "chunked") in headers
        assert connection.ask().status == 200  # no body came
    assert service.value(VIEWERS) == 0


# ---- slow ones ----------------------------------------------------------------------------------

def pester(address, count):
    """Requests that fill frames: long headers, long paths. All must be answered."""
    raw = request("/no/" + "x" * 1500, headers=[("User-Agent", "u" * 900), ("Referer", "r" * 900)])
    with Connection(address) as connection:
        for _ in range(count // 50):
            connection.send(raw * 50)
            for _ in range(50):
                assert connection.response().status == 404


def test_slow_viewer_misses_and_is_told():
    """One that does not read costs nobody anything: requests are answered, another viewer sees every
    frame, and what it missed is counted and told to it."""
    with Service("--page", "--workers", "1", env=QUIET) as service:
        with Viewer(service.public, receive_buffer=4096) as slow, Viewer(service.public) as quick:
            lost = 0
            for _ in range(60):
                pester(service.public, 200)
                quick.frame()
                lost = service.value(LOST)
                if lost:
                    break
            assert lost > 0
            event = quick.frame(lambda frame: any(
                one["signal"] == "page" and one["count"] >= lost for one in frame["losses"]))
            assert is_balanced(event["equation"])
            seen = []
            while not seen or seen[-1].name != "lost":
                seen.append(slow.next())
            assert all(one.name == "frame" for one in seen[:-1])
            missed = seen[-1].data["frames"]
            before, after = seen[-2].data, slow.frame()
            assert missed > 0 and after["now_ms"] - before["now_ms"] > missed * 200
            assert missed <= service.value(LOST)


# ---- those that leave ---------------------------------------------------------------------------

def leave_unread(address):
    Connection(address).send(request("/page/events"))


def leave_after_the_head(address):
    connection = Connection(address)
    connection.send(request("/page/events"))
    connection._head()
    connection.close()


def leave_after_frames(address):
    with Viewer(address) as viewer:
        viewer.frame()
        viewer.frame()


def half_close(address):
    viewer = Viewer(address)
    viewer.frame()
    viewer.connection.half_close()
    viewer.connection.socket.settimeout(5)
    while viewer.connection.socket.recv(65536):
        pass
    viewer.close()


def reset(address):
    viewer = Viewer(address)
    viewer.frame()
    viewer.connection.reset()


def leave_full(address):
    """With as much unread as it takes."""
    viewer = Viewer(address, receive_buffer=2048)
    pester(address, 200)
    viewer.close()


def ends(service):
    """(status, error) of the streams that the log has."""
    return [(entry["sc-status"], entry["x-error"]) for entry in service.log.entries
            if entry["x-route"] == "/page/events"]


def pipeline(address):
    """Another request behind the stream waits for ever, and goes with it."""
    connection = Connection(address)
    connection.send(request("/page/events") + request("/demo/hello"))
    connection._head()
    connection.close()


@pytest.mark.parametrize("leave", [leave_unread, leave_after_the_head, leave_after_frames, half_close,
                                   reset, leave_full, pipeline])
def test_viewers_that_leave(service, leave):
    before = len(ends(service))
    for _ in range(3):
        leave(service.public)
    assert gone(service)
    assert eventually(lambda: len(ends(service)) >= before + 3)
    # Whoever was sent a byte has left as one may; the others never had an answer.
    assert set(ends(service)[before:]) <= {("200", None), (None, "client_disconnected")}
    with Viewer(service.public) as viewer:
        assert viewer.frame()["viewers"] == 1


def test_nobody_looks_no_frames(service):
    """What ends while nobody looks is no record, shown or skipped."""
    assert gone(service)
    before = service.value("glassbox_page_records_skipped_total")
    for _ in range(100):
        ask(service.public)
    assert service.value("glassbox_page_records_skipped_total") == before
    with Viewer(service.public) as viewer:
        assert all(one["route"] != "/demo/hello" for one in viewer.frame()["requests"])


# ---- the end ------------------------------------------------------------------------------------

@LAYOUTS
def test_open_pages_do_not_delay_the_exit(admin):
    """One that reads, one that never does, one that does not close: all are over with the first word of
    the end, though the drain would wait for a minute."""
    with Service("--page", "--drain-timeout", "60s", "--write-timeout", "60s", "--linger-timeout",
                 "60s", admin=admin) as service:
        reader = Viewer(service.operators)
        deaf = Viewer(service.operators, receive_buffer=2048)
        pester(service.public, 400)
        reader.frame(lambda frame: frame["viewers"] == 2)
        service.signal()
        events = reader.rest()
        assert events[-1].name == "bye" and reader.ended
        assert service.wait(20) == 0  # with both connections open on this side
        line = service.stop()
        reader.close()
        deaf.close()
    assert line["balanced"] is True
    ends = [entry["x-error"] for entry in service.log.entries if entry["x-route"] == "/page/events"]
    assert sorted(ends, key=str) in ([None, None], [None, "shutdown"])


@LAYOUTS
def test_drain_delay_serves_on_without_pages(admin):
    """From SIGTERM on, while all else is still served."""
    service = Service("--page", "--drain-delay", "60s", admin=admin)
    try:
        with Viewer(service.operators) as viewer:
            viewer.frame()
            service.signal()
            assert viewer.rest()[-1].name == "bye"
        assert ask(service.public).status == 200
        assert ask(service.operators, "/readyz").status == 503
        response = ask(service.operators, "/page/events")
        assert response.status == 503 and response.header("retry-after") == "5"
        assert service.value(REFUSED, reason="draining") == 1
        assert service.value(VIEWERS) == 0
        service.signal()
        assert service.wait() == 128 + signal.SIGTERM
    finally:
        service.kill()


def test_viewers_come_and_go_while_it_works(service):
    """Under load, from several sides at once: what is left is nothing."""
    stop, faults = threading.Event(), []

    def look():
        while not stop.is_set():
            try:
                with Viewer(service.public) as viewer:
                    viewer.frame()
            except (AssertionError, Closed, OSError) as error:
                faults.append(error)
                return
    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    pester(service.public, 1000)
    stop.set()
    for thread in threads:
        thread.join()
    assert faults == []
    assert gone(service)
