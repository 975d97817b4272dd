"""A kubelet that asks too often, each time on a connection of its own.

A process of its own (`Prober`), for the crowd keeps the test's busy. A probe has failed when there is
no 200 within a second, as with a kubelet left to its defaults; and as there a single failure means
nothing and FAILURE_THRESHOLD of them in a row mean a restart. Run as a program it probes the URLs it
is given until its stdin ends, and prints what it saw as JSON.
"""

import json
import select
import socket
import subprocess
import sys
import time

TIMEOUT = 1.0          # seconds, kubelet's default
FAILURE_THRESHOLD = 3  # likewise
PAUSE = 0.1
PATHS = ("/livez", "/readyz")  # of the operators; the public port answers PUBLIC_PATH
PUBLIC_PATH = "/"


class Prober:
    """Probes the operators' listener, and the public one if given, while the block lasts; `seen`
    afterwards: {"address/path": {asked, failed, worst, slowest}}."""

    def __init__(self, operators, public=None):
        self.urls = ["%s:%d%s" % (*operators, path) for path in PATHS]
        if public:
            self.urls.append("%s:%d%s" % (*public, PUBLIC_PATH))
        self.seen = {}

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, __file__, *self.urls],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self.process.stdout.readline(), "no probe was made"
        return self

    def __exit__(self, *_):
        output, _ = self.process.communicate(timeout=30)
        self.seen = json.loads(output)

    def answered(self, path):
        """Probes of one path that were answered."""
        return sum(one["asked"] - one["failed"] for url, one in self.seen.items()
                   if url[url.index("/"):] == path)

    def check(self):
        """No pod would have been restarted, or taken out."""
        for name, one in self.seen.items():
            assert one["asked"] > 0, f"{name} was never asked"
            assert one["worst"] < FAILURE_THRESHOLD, f"{name}: {one}"


def probe(address, path):
    """Whether there was a 200 in time."""
    try:
        with socket.create_connection(address, TIMEOUT) as connection:
            connection.settimeout(TIMEOUT)
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: probe\r\nConnection: close\r\n\r\n"
                               .encode())
            answer = b""
            while data := connection.recv(4096):
                answer += data
            return answer.startswith(b"HTTP/1.1 200 ")
    except OSError:
        return False


def main(urls):
    seen = {url: {"asked": 0, "failed": 0, "in_a_row": 0, "worst": 0, "slowest": 0.0}
            for url in urls}
    started = False
    while not select.select([sys.stdin], [], [], PAUSE)[0]:
        for url, one in seen.items():
            address, slash, path = url.partition("/")
            host, _, port = address.rpartition(":")
            start = time.monotonic()
            well = probe((host, int(port)), slash + path)
            one["asked"] += 1
            one["failed"] += not well
            one["in_a_row"] = 0 if well else one["in_a_row"] + 1
            one["worst"] = max(one["worst"], one["in_a_row"])
            one["slowest"] = max(one["slowest"], round(time.monotonic() - start, 4))
        if not started:
            print("each was asked once", flush=True)
            started = True
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1:])
