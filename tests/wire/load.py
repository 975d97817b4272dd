"""Load that keeps books: tens of thousands of requests of every kind, each accounted for.

A `Tally` says what was sent and what came back, so that a test can hold the service's own figures
against it. Sessions run concurrently on one asyncio loop; what a session does is drawn from a
seeded generator, so that a run can be repeated.
"""

import asyncio
import contextlib
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field

from wire import Connection, request

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.I)
CLOSE = re.compile(rb"\r\nconnection: *close\r\n", re.I)
PATIENCE = 20.0  # seconds after which an answer counts as failed

# (method, raw bytes): what a pipeline is made of. All keep the connection open.
GOOD = [(method, request(target, method)) for method, target in (
    ("GET", "/demo/hello"), ("GET", "/demo/hello"), ("GET", "/"), ("HEAD", "/demo/hello"),
    ("GET", "/demo/random-error"), ("GET", "/demo/hello?delay=3"), ("GET", "/demo/hello?delay=x"),
    ("GET", "/demo/work?cpu_ms=1"), ("GET", "/no/such"), ("POST", "/demo/hello"), ("HEAD", "/"),
    ("OPTIONS", "/demo/hello"), ("GET", "/livez"), ("GET", "/readyz"), ("GET", "/version"),
    ("GET", "/demo/hello?x=%22"))]
GOOD.append(("GET", request("/demo/hello", body=b"a body nobody reads")))
GOOD.append(("POST", b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
             b"3\r\nabc\r\n0\r\n\r\n"))
SCRAPES = [("GET", request("/metrics")), ("HEAD", request("/metrics", "HEAD"))]

# Each is the last of its connection.
MALFORMED = [b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\r\n\r\n",
             b"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET / HTTP/2.0\r\nHost: x\r\n\r\n",
             b"GET /#f HTTP/1.1\r\nHost: x\r\n\r\n",
             b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n",
             b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n",
             b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
             b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 17000 + b"\r\n\r\n"]

# Given up by the client: each is one request that never gets an answer.
ABANDONED = [b"G", b"GET / HTTP/1.1\r\nHost: x\r\nX: ", request("/demo/hello?delay=400"),
             b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc"]


@dataclass
class Tally:
    sent: int = 0                                     # requests with at least one byte on the way
    answered: Counter = field(default_factory=Counter)  # status -> whole responses
    abandoned: int = 0                                # by us
    crossed: int = 0   # sent on a kept connection while the other side closed it: no byte came
    refused: int = 0   # connects
    failed: list = field(default_factory=list)        # everything else: there must be none
    slowest: float = 0.0                              # seconds from a pipeline's send to its end

    @property
    def whole(self):
        return sum(self.answered.values())


class Reader:
    """Reads whole responses off a stream."""

    def __init__(self, stream):
        self.stream = stream

    async def response(self, method):
        """(status, whether it closes); IncompleteReadError when it ends early."""
        head = await self.stream.readuntil(b"\r\n\r\n")
        status = int(head[9:12])
        length = LENGTH.search(head)
        if length and method != "HEAD" and status not in (204, 304):
            await self.stream.readexactly(int(length.group(1)))
        return status, bool(CLOSE.search(head))


async def connect(address):
    """A stream pair whose buffer takes a whole scrape."""
    return await asyncio.open_connection(*address, limit=1 << 22)


async def converse(address, tally, requests):
    """Sends all requests at once and reads their answers in order."""
    reader, writer = await connect(address)
    try:
        start = time.monotonic()
        tally.sent += len(requests)
        writer.write(b"".join(raw for _, raw in requests))
        responses = Reader(reader)
        for method, raw in requests:
            try:
                status, _ = await asyncio.wait_for(responses.response(method), PATIENCE)
            except (asyncio.IncompleteReadError, asyncio.TimeoutError, OSError) as error:
                tally.failed.append((raw[:60], repr(error)))
                return
            tally.answered[status] += 1
        tally.slowest = max(tally.slowest, time.monotonic() - start)
    finally:
        writer.close()


async def abandon(address, tally, raw, reset):
    """Sends a request, or a part of one, and goes."""
    _, writer = await connect(address)
    tally.sent += 1
    tally.abandoned += 1
    writer.write(raw)
    await writer.drain()
    await asyncio.sleep(0.02)
    if reset:
        writer.transport.abort()
    else:
        writer.close()


async def silence(address):
    """Connects and goes: a connection, not a request."""
    _, writer = await connect(address)
    writer.close()


async def session(address, tally, dice):
    """One connection of some kind."""
    kind = dice.random()
    if kind < 0.86:
        mix = GOOD + SCRAPES if dice.random() < 0.1 else GOOD
        requests = [dice.choice(mix) for _ in range(dice.randint(1, 60))]
        if dice.random() < 0.1:
            requests.append(("GET", dice.choice(MALFORMED)))
        await converse(address, tally, requests)
    elif kind < 0.92:
        await converse(address, tally, [("GET", dice.choice(MALFORMED))])
    elif kind < 0.98:
        await abandon(address, tally, dice.choice(ABANDONED), dice.random() < 0.5)
    else:
        await silence(address)


async def mixed(address, total, seed, concurrency, tally):
    dice = random.Random(seed)

    async def run():
        while tally.sent < total:
            try:
                await session(address, tally, dice)
            except OSError:
                tally.refused += 1
                return
    await asyncio.gather(*(run() for _ in range(concurrency)))


def run_mixed(address, total=20_000, seed=1, concurrency=16):
    """At least `total` requests of every kind; blocks until they are through, or until all of the
    `concurrency` clients were refused. Returns the tally."""
    tally = Tally()
    asyncio.run(mixed(address, total, seed, concurrency, tally))
    return tally


# ---- before what is measured ---------------------------------------------------------------------

def warm_up(address, target="/demo/hello", count=10_000, connections=2):
    """Fills what is touched once and stays: connections that are open at the same time have a worker
    each, and that many requests write its rings, of lines and spans, all round. How many were
    answered."""
    raw, whole = request(target) * 500, 0
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(Connection(address, timeout=30)) for _ in range(connections)]
        for _ in range(count // 500):
            for connection in held:
                connection.send(raw)
                for _ in range(500):
                    assert connection.response().status == 200
                    whole += 1
    return whole


# ---- across the end -----------------------------------------------------------------------------

async def keep_asking(address, tally, targets, stop):
    """Requests one after another on kept connections, until the other side takes no more. Tells
    apart: answered whole; crossed the close of an idle connection; connect refused; failed."""
    while not stop.is_set():
        try:
            reader, writer = await connect(address)
        except OSError:
            tally.refused += 1
            return
        await ask_on(Reader(reader), writer, tally, targets, stop)
        writer.close()


async def ask_on(responses, writer, tally, targets, stop):
    first = True
    for method, raw in targets:
        if stop.is_set():
            return
        tally.sent += 1
        writer.write(raw)
        try:
            status, closes = await asyncio.wait_for(responses.response(method), PATIENCE)
        except asyncio.IncompleteReadError as error:
            note_end(tally, first, error.partial, raw)
            return
        except (OSError, asyncio.TimeoutError) as error:
            note_end(tally, first, b"" if isinstance(error, OSError) else b"timeout", raw)
            return
        tally.answered[status] += 1
        first = False
        if closes:
            return


def note_end(tally, first, partial, raw):
    """An end without an answer is a crossing when not a byte came, on a connection that had been
    served before; everything else failed."""
    if partial or first:
        tally.failed.append((raw[:60], partial[:60], "first" if first else "later"))
    else:
        tally.crossed += 1
