"""JSON over HTTP, and what is said when it does not come.

All that a drill asks is a loopback or cluster address that somebody named, so no proxy is ever taken.
"""

import json
import urllib.error
import urllib.request
from typing import Any, Optional

TIMEOUT = 5.0  # a signal waits for an answer at most so long
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Refused(Exception):
    """The drill is not begun, or ends, for a reason that a person can do something about."""


class Unreachable(Refused):
    """Nobody answers at an address."""


class Answer(Refused):
    """An answer with a status from 400 on."""

    def __init__(self, what: str, url: str, status: int, detail: str) -> None:
        super().__init__(f"{what} at {url} answered {status}{': ' + detail if detail else ''}")
        self.status = status
        self.detail = detail


def detail_of(body: bytes) -> str:
    """What a problem document, Prometheus or a plain text says."""
    try:
        data = json.loads(body)
        if isinstance(data, dict):
            return str(data.get("detail") or data.get("error") or data.get("title") or "")
        return str(data)
    except ValueError:
        return body.decode(errors="replace").strip()[:200]


def call(what: str, url: str, method: str = "GET", document: Any = None, token: Optional[str] = None) -> Any:
    """One request; `what` is who is asked, for people. An empty answer is None."""
    headers = {"Accept": "application/json"}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    body = None
    if document is not None:
        body = json.dumps(document).encode()
        headers["Content-Type"] = "application/json"
    try:
        request = urllib.request.Request(url, data=body, method=method, headers=headers)
        with _OPENER.open(request, timeout=TIMEOUT) as response:
            text = response.read()
    except urllib.error.HTTPError as error:
        raise Answer(what, url, error.code, detail_of(error.read())) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error
        raise Unreachable(f"{what} cannot be reached at {url}: {reason}") from None
    if not text:
        return None
    try:
        return json.loads(text)
    except ValueError:
        raise Refused(f"{what} at {url} answered what is no JSON: {text[:80]!r}") from None
