"""What Alertmanager sends to, on loopback: an HTTP peer that writes down each request and answers as
it is told, and an SMTP server that does the same with mail."""

import email
import email.policy
import json
import threading
import time
from dataclasses import dataclass
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from alertmanager import eventually
from prometheus import free_port


@dataclass
class Heard:
    """A request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> dict:
        """The body, which must be JSON."""
        return json.loads(self.body)


class Peer:
    """Slack, PagerDuty or a webhook. `status`, `body` and `delay` (seconds) may be changed."""

    def __init__(self, status: int = 200, body: bytes = b"ok", delay: float = 0):
        self.status, self.body, self.delay = status, body, delay
        self.heard: list[Heard] = []
        peer = self

        class Handler(BaseHTTPRequestHandler):
            """Writes down, then answers."""

            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                peer.heard.append(Heard(self.path, dict(self.headers), body))
                status, answer = peer.status, peer.body
                time.sleep(peer.delay)
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_) -> None:
                """The test tells."""

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass  # it hung up, which some tests want

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def __enter__(self) -> "Peer":
        return self

    def __exit__(self, *_) -> None:
        self.server.shutdown()
        self.server.server_close()

    def wait(self, count: int, what: str = "", within: float = 30) -> list[Heard]:
        """The requests, when there are so many."""
        eventually(lambda: len(self.heard) >= count, f"{count} requests {what}", within)
        return self.heard


class Mailbox:
    """An SMTP server that wants a user and a password, and keeps both with the mail."""

    def __init__(self):
        self.mails: list[EmailMessage] = []
        self.logins: list[tuple[bytes, bytes]] = []
        self.port = free_port()
        self.controller = Controller(
            self, hostname="127.0.0.1", port=self.port, auth_required=True, auth_require_tls=False,
            authenticator=self._authenticate, auth_exclude_mechanism=["LOGIN"])

    def _authenticate(self, _server, _session, _envelope, _mechanism, data) -> AuthResult:
        self.logins.append((data.login, data.password))
        return AuthResult(success=True)

    async def handle_DATA(self, _server, _session, envelope) -> str:
        """Takes a mail."""
        self.mails.append(email.message_from_bytes(envelope.content, policy=email.policy.default))
        return "250 OK"

    def __enter__(self) -> "Mailbox":
        self.controller.start()
        return self

    def __exit__(self, *_) -> None:
        self.controller.stop()

    def wait(self, count: int) -> list[EmailMessage]:
        """The mails, when there are so many."""
        eventually(lambda: len(self.mails) >= count, f"{count} mails")
        return self.mails


def part(mail: EmailMessage, kind: str) -> str:
    """The text of a mail's part, plain or html, with \\n for the end of a line."""
    found = [each for each in mail.walk() if each.get_content_type() == f"text/{kind}"]
    assert len(found) == 1, [each.get_content_type() for each in mail.walk()]
    return found[0].get_content().replace("\r\n", "\n")
