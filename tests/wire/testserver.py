"""The test server, started for a test, and what it calls.

`Testserver` runs the binary on a free port; stopping it asserts exit 0 and a clean stderr, so a leak
that the sanitizers find fails the test. `Callbacks` is the other side of `POST /trace`: it keeps
every request as it came, and answers as a test says.
"""

import json
import os
import signal
import subprocess
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from service import PUBLIC, binary, environment, parse_address
from wire import Connection, request


def engine_binary():
    """$GLASSBOX_TESTSERVER, else beside the program."""
    return os.environ.get("GLASSBOX_TESTSERVER") or \
        str(Path(binary()).with_name("glassbox-testserver"))


class Testserver:
    __test__ = False  # pytest takes classes of this name for tests

    def __init__(self, env=(), host=PUBLIC):
        self.messages, self.noise = [], []
        self.told_to_end = False
        self.heard = threading.Condition()
        self.process = subprocess.Popen(
            [engine_binary(), "--listen", f"{host}:0"], env=environment(dict(env)),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.thread = threading.Thread(target=self._listen, daemon=True)
        self.thread.start()
        with self.heard:
            self.heard.wait_for(lambda: self.messages or self.process.poll() is not None, 20)
        assert self.messages and self.messages[0]["message"] == "listening", self.noise
        self.address = parse_address(self.messages[0]["address"])

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.process.kill()
            self.process.wait(10)

    def _listen(self):
        for raw in self.process.stderr:
            with self.heard:
                try:
                    self.messages.append(json.loads(raw))
                except ValueError:
                    self.noise.append(raw.decode("utf-8", "replace"))
                self.heard.notify_all()

    def url(self, path="/trace"):
        return f"http://{self.address[0]}:{self.address[1]}{path}"

    def connect(self, **more):
        return Connection(self.address, **more)

    def trace(self, plan, headers=(), **more):
        """`POST /trace` with this plan (JSON, or bytes as they are) on a connection of its own."""
        body = plan if isinstance(plan, bytes) else json.dumps(plan).encode()
        with self.connect(**more) as connection:
            connection.send(request("/trace", "POST", headers, body))
            return connection.response("POST")

    def tell_to_end(self):
        if not self.told_to_end:
            self.told_to_end = True
            self.process.send_signal(signal.SIGTERM)

    def stop(self, timeout=20.0):
        self.tell_to_end()
        code = self.process.wait(timeout)
        self.thread.join(timeout)
        assert code == 0, f"exit code {code}: {self.messages} {self.noise}"
        assert self.noise == []


@dataclass
class Call:
    """A request that came: its path, its headers as they were written, its body."""
    path: str
    headers: list
    body: bytes

    def values(self, name):
        return [value for key, value in self.headers if key.lower() == name]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        callbacks = self.server.callbacks
        body = self.rfile.read(int(self.headers["Content-Length"]))
        callbacks.calls.append(Call(self.path, list(self.headers.items()), body))
        callbacks.answer(self)

    def status(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, *_):
        pass  # who called has gone; what matters is asserted elsewhere


class Callbacks:
    """Listens on a free loopback port. `answer(handler)` may be replaced; it answers 200."""

    def __init__(self):
        self.calls = []
        self.stopping = threading.Event()
        self.answer = lambda handler: handler.status(200, b"null")
        self.server = Server((PUBLIC, 0), Handler)
        self.server.callbacks = self
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(10)

    @property
    def port(self):
        return self.server.server_address[1]

    def url(self, path="/", host=PUBLIC):
        return f"http://{host}:{self.port}{path}"

    def take(self):
        """The calls since the last take()."""
        calls, self.calls = self.calls, []
        return calls
