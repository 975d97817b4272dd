"""One GET. What is asked are addresses that somebody named: no proxy is ever taken."""

import urllib.request
from collections.abc import Mapping
from http.client import HTTPException

from .refused import Refused

TIMEOUT = 10.0
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(what: str, url: str, headers: Mapping[str, str]) -> str:
    """The answer's body; `what` is asked for, for people."""
    try:
        with _OPENER.open(urllib.request.Request(url, headers=dict(headers)), timeout=TIMEOUT) as answer:
            return answer.read().decode()
    except (OSError, ValueError, HTTPException) as error:
        raise Refused(f"no {what} at {url}: {error}") from None
