"""How the gate reaches what it asks: by URL, or through a cluster's API server, which needs no way in of its own.

Whoever cannot be asked is an error with its name, and the gate makes a refusal of it: an answer that is not there is
never a good one.
"""

from __future__ import annotations

import json
import math
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

SECONDS = 20  # for an answer
MOST = 4 << 20  # of which no more than so much is read


class Silent(Exception):
    """No answer, or none that can be read: why."""


def by_url(url: str) -> bytes:
    """The body of a 200."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers={"User-Agent": "glassbox-gate"}),
                                    timeout=SECONDS) as answer:
            if answer.status != 200:
                raise Silent(f"{url} answers {answer.status}")
            return answer.read(MOST)
    except urllib.error.HTTPError as error:
        raise Silent(f"{url} answers {error.code}") from None
    except (OSError, ValueError) as error:
        raise Silent(f"{url} does not answer: {getattr(error, 'reason', error)}") from None


def by_cluster(context: str) -> Callable[[str], bytes]:
    """A function that asks the API server of a kubeconfig's context for a path."""
    def ask(path: str) -> bytes:
        try:
            done = subprocess.run(["kubectl", "--context", context, "get", "--raw", path,
                                   f"--request-timeout={SECONDS}s"],
                                  capture_output=True, timeout=SECONDS + 10, check=False, stdin=subprocess.DEVNULL)
        except FileNotFoundError:
            raise Silent("kubectl is not in PATH") from None
        except subprocess.TimeoutExpired:
            raise Silent(f"the cluster of context {context} does not answer") from None
        if done.returncode:
            raise Silent(f"the cluster of context {context}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout
    return ask


def proxied(namespace: str, service: str, port: str) -> str:
    """The API server's path to a Service."""
    return f"/api/v1/namespaces/{namespace}/services/{service}:{port}/proxy"


def as_json(body: bytes, whose: str) -> Any:
    """An answer that is JSON."""
    try:
        return json.loads(body)
    except ValueError:
        raise Silent(f"{whose} answers what is no JSON: {body[:80]!r}") from None


class Prometheus:
    """One Prometheus; `ask` takes what follows `base` to an answer."""

    def __init__(self, ask: Callable[[str], bytes], base: str) -> None:
        self.ask, self.base = ask, base.rstrip("/")

    def series(self, query: str, at: float | None = None) -> list[tuple[dict[str, str], float]]:
        """Labels and value of each series of an instant query, of now or of a moment of its own clock."""
        asked = {"query": query} if at is None else {"query": query, "time": f"{at:.3f}"}
        path = f"{self.base}/api/v1/query?{urllib.parse.urlencode(asked)}"
        answer = as_json(self.ask(path), "Prometheus")
        try:
            if answer["status"] != "success" or answer["data"]["resultType"] != "vector":
                raise Silent(f"Prometheus answers {answer.get('error') or answer}")
            return [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]
        except (KeyError, TypeError, ValueError):
            raise Silent(f"{self.base} does not answer as Prometheus does") from None

    def now(self) -> float:
        """Its clock, in seconds."""
        found = self.series("vector(time())")
        if len(found) != 1 or not math.isfinite(found[0][1]):
            raise Silent(f"{self.base} does not say what time it is")
        return found[0][1]
