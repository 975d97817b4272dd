"""Ten thousand clients that are slow, silent, rude or gone, again and again.

Each test is one attack in several rounds; siege.py has what must hold throughout and afterwards. What
a single such client meets is in tests/wire: test_slow.py, test_stages.py.
"""

import time
from collections import Counter

import pytest

import accesslog
from crowd import Crowd
from memory import has_sanitizer, mib
from siege import Siege
from wire import Connection, ask, eventually, request

GONE = "client_disconnected"
HALF_HEAD = b"GET /demo/hello HTTP/1.1\r\nHost: x\r\nX: "
HALF_BODY = b"POST /demo/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc"
HALF_CHUNK = b"POST /demo/hello HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
LATER = request("/demo/hello?delay=60000")
HELLO = ("GET", "/demo/hello", "200", None)


def connections(siege):
    return siege.service.value("glassbox_connections", listener="public")


# ---- many that wait -----------------------------------------------------------------------------

def test_idle(tmp_path, size, rounds):
    """Ten thousand that say nothing cost little, and a request among them is answered."""
    with Siege(tmp_path, size) as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_) as crowd:
                assert eventually(lambda: connections(siege) >= size, timeout=20, pause=0.1)
                assert ask(siege.public).status == 200
                siege.note_memory()
                assert crowd.ended() == 0 and crowd.refused == 0
        siege.check({HELLO: rounds})
        unused = siege.service.value("glassbox_connections_unused_total")
        assert unused >= size * rounds
        if not has_sanitizer(siege.service.pid):
            each = (siege.highest - siege.before.rss) / size
            assert each < 1536, f"{each:.0f} bytes for an idle connection: the budget is 1.5 KiB"


def test_idle_after_a_request(tmp_path, size, rounds):
    with Siege(tmp_path, size) as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_) as crowd:
                crowd.say(request())
                assert crowd.listen(60, lambda: sum(c.got > 0 for c in crowd.clients) == size)
                assert crowd.answers() == Counter({200: size})
        siege.check({HELLO: size * rounds})


# What each fourth of a crowd has said when it goes, and how that is called.
STAGES = (
    (HALF_HEAD, ("GET", None, None, GONE)),
    (HALF_BODY, ("POST", "/demo/hello", None, GONE)),
    (HALF_CHUNK, ("POST", "/demo/hello", None, GONE)),
    (LATER, ("GET", "/demo/hello", None, GONE)),
)


@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_gone(tmp_path, size, rounds, how):
    """All wait, in the head, in the body, or for the handler; then all go at once."""
    size = size // 4 * 4
    with Siege(tmp_path, size, "--head-timeout", "120s", "--body-timeout", "120s") as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_) as crowd:
                for number, client in enumerate(crowd.clients):
                    client.socket.send(STAGES[number % 4][0])
                assert eventually(lambda: are_taken(siege), timeout=30, pause=0.1)
                siege.note_memory()
                crowd.leave(reset=how == "RST")
        wanted = Counter()
        for _, outcome in STAGES:
            wanted[outcome] += size // 4 * rounds
        siege.check(wanted)


def are_taken(siege):
    """Whether the service has read all that came: see wire.Connection.is_taken()."""
    port = f":{siege.public[1]:04X}"
    with open("/proc/net/tcp", encoding="ascii") as table:
        rows = (line.split(None, 5) for line in table)
        return all(row[4].endswith(":00000000") for row in rows if row[1].endswith(port))


# ---- many that drip -----------------------------------------------------------------------------

# What each third of a crowd says, and what it then drips; how that is called.
DRIPS = (
    (HALF_HEAD, b"yyy", ("GET", None, "408", "head_timeout")),
    (HALF_BODY, b"zzz", ("POST", None, "408", "body_timeout")),
    (HALF_CHUNK + b"cde\r\n", b"1\r\nz\r\n", ("POST", None, "408", "body_timeout")),
)


@pytest.mark.parametrize("first", [b"", request()], ids=["from the start", "after a request"])
def test_slowloris(tmp_path, size, rounds, first):
    """All drip; each is told that its time is over, and that is the end of it."""
    size = size // 3 * 3
    with Siege(tmp_path, size, "--head-timeout", "3s", "--body-timeout", "3s",
               "--linger-timeout", "1s") as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_) as crowd:
                if first:
                    crowd.say(first)
                    assert crowd.listen(60, lambda: sum(c.got > 0 for c in crowd.clients) == size)
                for number, client in enumerate(crowd.clients):
                    client.socket.send(DRIPS[number % 3][0])
                siege.note_memory()
                drip(crowd)
                assert crowd.ended() == size, "a drip keeps it open"
                told = crowd.answers()
            # Who was dripping as it was closed may have had a reset instead of the answer.
            assert told[408] > size / 2 and set(told) <= {200, 408}
        wanted = Counter({HELLO: size * rounds} if first else {})
        for _, _, outcome in DRIPS:
            wanted[outcome] += size // 3 * rounds
        siege.check(wanted)


def drip(crowd, seconds=60, pause=0.3):
    """A byte of its own to each that is still there, again and again."""
    deadline = time.monotonic() + seconds
    at = 0
    while crowd.listening and time.monotonic() < deadline:
        for number, client in enumerate(crowd.clients):
            if not client.ended:
                piece = DRIPS[number % 3][1]
                crowd.tell(client, piece[at % len(piece)::len(piece)])
        at += 1
        crowd.listen(pause)


# ---- many that read little ----------------------------------------------------------------------

def is_over(siege):
    """Who does not read does not see the end, so the service says when nobody is left. One that is there
    may be a probe, or the last of the crowd: so it is looked at again until there is none."""
    return connections(siege) == 0


def test_slow_readers_of_a_large_answer(tmp_path, size, rounds):
    """A byte a second of /metrics through a window of a kilobyte: what waits for them is bounded, for
    all together, and not one is forgotten."""
    size //= 5
    with Siege(tmp_path, size, "--write-timeout", "3s") as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_, receive_buffer=1024) as crowd:
                crowd.say(request("/metrics"))
                for _ in range(60):
                    siege.note_memory()
                    crowd.sip()
                    if is_over(siege):
                        break
                    time.sleep(1)
                assert eventually(lambda: is_over(siege)), "read at this pace it would take days"
        metrics = siege.books()
        assert set(metrics) <= {("GET", "/metrics", "200", error)
                                for error in ("write_timeout", "write_overloaded", GONE)}
        assert sum(metrics.values()) == size * rounds
        siege.prober.check()
        siege.check_rest()
        if not has_sanitizer(siege.service.pid):
            # Two workers' and the main thread's share of what may wait, and an exchange each.
            most = 3 * (32 << 20) + size * 32768
            assert siege.highest - siege.before.rss < most, mib(siege.highest)


def test_pipelines_that_nobody_reads(tmp_path, size, rounds):
    """Thousands of requests each, and not an answer is taken. What was not looked at is no request;
    of each client one is given up, all before it went out whole."""
    size //= 50
    with Siege(tmp_path, size, "--write-timeout", "2s") as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_, receive_buffer=1024) as crowd:
                for _ in range(5):
                    crowd.say(request() * 2000)
                siege.note_memory()
                assert eventually(lambda: is_over(siege), timeout=60, pause=0.2)
        metrics = siege.books()
        assert metrics["GET", "/demo/hello", "200", "write_timeout"] \
            + metrics["GET", "/demo/hello", None, "write_timeout"] == size * rounds
        assert metrics[HELLO] > size * rounds
        siege.prober.check()
        siege.check_rest()


def test_pipelines_are_answered_in_order(tmp_path, rounds):
    """Twenty clients with two thousand requests each: not one lost, none overtaken."""
    clients, each = 20, 2000
    with Siege(tmp_path, clients) as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_) as crowd:
                for number, client in enumerate(crowd.clients):
                    client.socket.setblocking(True)
                    client.socket.settimeout(60)
                pipelines = [b"".join(request(f"/demo/hello?c={round_}.{number}&n={n}")
                                      for n in range(each)) for number in range(clients)]
                sent = [0] * clients
                while any(at < len(raw) for at, raw in zip(sent, pipelines)):
                    for number, client in enumerate(crowd.clients):
                        client.socket.setblocking(False)
                        try:
                            sent[number] += client.socket.send(
                                pipelines[number][sent[number]:][:65536])
                        except BlockingIOError:
                            pass
                    crowd.listen(0.01, each=1 << 20)
                whole = len(ask(siege.public).raw) * each
                assert crowd.listen(60, lambda: all(c.got >= whole for c in crowd.clients))
                assert all(c.got == whole for c in crowd.clients)
        siege.check({HELLO: (clients * each + 1) * rounds})
        lines, next_of = 0, Counter()
        for entry in accesslog.load(siege.log).entries:
            if entry["cs-uri-query"] and entry["cs-uri-query"].startswith("c="):
                client, _, number = entry["cs-uri-query"].partition("&n=")
                assert int(number) >= next_of[client], "overtaken, or twice"
                next_of[client] = int(number) + 1
                lines += 1
        assert clients * each * rounds - siege.dropped <= lines <= clients * each * rounds


# ---- many that come and go ----------------------------------------------------------------------

@pytest.mark.parametrize("how", ["FIN", "RST"])
def test_storm_of_connections(tmp_path, size, rounds, how):
    """Come and go without a word, as fast as one can, in tens of tens."""
    with Siege(tmp_path, size) as siege:
        for round_ in siege.rounds(rounds):
            for part in range(20):
                with Crowd(siege.public, size // 20, source=f"127.1.{round_ + 1}.{part + 1}") as crowd:
                    crowd.leave(reset=how == "RST")
        siege.check({})


def test_half_closed_at_every_stage(tmp_path, size, rounds):
    """A quarter each half-closes in the head, in the body, behind a whole request, and unasked."""
    size = size // 4 * 4
    with Siege(tmp_path, size) as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_) as crowd:
                for number, client in enumerate(crowd.clients):
                    client.socket.send((HALF_HEAD, HALF_BODY, request() * 3, b"")[number % 4])
                crowd.half_close()
                assert crowd.listen(60), "half-closed, and not ended"
                assert crowd.answers() == Counter({200: size // 4 * 3})
        quarter = size // 4 * rounds
        siege.check({HELLO: 3 * quarter, ("GET", None, None, GONE): quarter,
                     ("POST", "/demo/hello", None, GONE): quarter})


def test_beyond_the_limit(tmp_path, size, rounds):
    """Three times as many as there is room for: the others are told 503 or closed, each is counted;
    the operators' probes do not notice, and when the crowd has left the public port serves."""
    size //= 3
    with Siege(tmp_path, 3 * size, "--max-connections", size, probe_public=False) as siege:
        for round_ in siege.rounds(rounds):
            with siege.crowd(round_, 3 * size) as crowd:
                crowd.say(request())
                assert crowd.listen(60, lambda: crowd.ended() + crowd.answers()[200] >= 3 * size)
                answers = crowd.answers()
                assert answers[200] == size, answers
                assert crowd.ended() == 2 * size
                assert set(answers) <= {200, 503}
                with Connection(siege.public) as late:
                    assert late.response().status == 503
            assert eventually(lambda: served(siege.public), timeout=20)
        refused = siege.service.value("glassbox_connections_refused_total", listener="public",
                                      reason="limit")
        assert refused >= (2 * size + 1) * rounds
        siege.check({HELLO: (size + 1) * rounds})


def served(address):
    """Whether a request is answered; who is refused is told so, and is no request."""
    with Connection(address) as connection:
        return connection.ask().status == 200
