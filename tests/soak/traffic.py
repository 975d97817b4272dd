"""The load of a soak: good, bad, slow and hostile requests at a steady pace, until stdin ends.

A process of its own; prints its books as JSON at the end. The well-behaved part is `load.py`'s mixed
sessions, of which not one request may fail; the ill-behaved part are small crowds that drip, read a
byte a second, half-close or reset, again and again. Bursts of wrk, where it is installed, come on top.
"""

import argparse
import asyncio
import json
import random
import select
import shutil
import subprocess
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "wire"))

from crowd import Crowd  # noqa: E402
from load import Tally, session  # noqa: E402
from wire import request  # noqa: E402

SESSION_REQUESTS = 27  # the mean of load.session's
WORKERS = 8
CROWD = 40
RUDE = (b"GET /demo/hello HTTP/1.1\r\nHost: x\r\nX: ",
        b"POST /demo/hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc",
        request("/metrics"), request() * 200, request("/demo/hello?delay=20000"), b"\r\n", b"")


async def steady(address, rate, tally, dice, over):
    """Sessions at `rate` requests a second, as far as the answers come in time."""
    async def worker():
        while not over.is_set():
            started = time.monotonic()
            try:
                await session(address, tally, dice)
            except OSError:
                tally.refused += 1
            rest = WORKERS * SESSION_REQUESTS / rate - (time.monotonic() - started)
            await asyncio.sleep(max(0.0, rest * dice.uniform(0.5, 1.5)))
    await asyncio.gather(*(worker() for _ in range(WORKERS)))


def rude(address, dice, over, counts):
    """Crowds one after the other, each client of a kind of its own."""
    round_ = 0
    while not over.is_set():
        round_ += 1
        with Crowd(address, CROWD, source=f"127.0.{1 + round_ % 200}.9",
                   receive_buffer=4096) as crowd:
            counts["clients"] += len(crowd)
            for number, client in enumerate(crowd.clients):
                crowd.tell(client, RUDE[number % len(RUDE)])
            until = time.monotonic() + dice.uniform(2, 8)
            while time.monotonic() < until and not over.is_set():
                for number, client in enumerate(crowd.clients):
                    if not client.ended and number % len(RUDE) < 2:
                        crowd.tell(client, b"z")
                crowd.sip()
                over.wait(0.5)
            if dice.random() < 0.3:
                crowd.half_close()
                over.wait(0.5)
            crowd.leave(reset=dice.random() < 0.5)


def bursts(address, every, over, counts):
    """A second of as much as there can be, now and then."""
    while shutil.which("wrk") and not over.wait(every):
        subprocess.run(["wrk", "-t1", "-c32", "-d1s", "http://%s:%d/demo/hello" % address],
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        counts["bursts"] += 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("address")
    parser.add_argument("--rate", type=float, required=True)
    parser.add_argument("--burst-every", type=float, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    host, _, port = arguments.address.rpartition(":")
    address = host, int(port)
    over, counts, tally = threading.Event(), {"clients": 0, "bursts": 0}, Tally()
    threads = [threading.Thread(target=rude, args=(address, random.Random(arguments.seed), over,
                                                   counts)),
               threading.Thread(target=bursts, args=(address, arguments.burst_every, over, counts)),
               threading.Thread(target=lambda: asyncio.run(steady(
                   address, arguments.rate, tally, random.Random(arguments.seed + 1), over)))]
    for thread in threads:
        thread.start()
    select.select([sys.stdin], [], [])
    over.set()
    for thread in threads:
        thread.join()
    print(json.dumps({"sent": tally.sent, "answered": tally.whole, "abandoned": tally.abandoned,
                      "refused": tally.refused, "failed": [str(one) for one in tally.failed[:20]],
                      "failures": len(tally.failed), "slowest": round(tally.slowest, 3),
                      "statuses": {str(status): count
                                   for status, count in sorted(tally.answered.items())},
                      "rude_clients": counts["clients"], "bursts": counts["bursts"]}))


if __name__ == "__main__":
    main()
