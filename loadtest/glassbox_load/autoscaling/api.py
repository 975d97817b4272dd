"""The API server, by kubectl: with the context and the rights that a person's has."""

import json
import re
import select
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any

from ..refused import Refused

TIMEOUT = 10.0
PATIENCE = 60  # seconds for a kubectl
SERVING = re.compile(r"Starting to serve on (127\.0\.0\.1:\d+)")
_OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Missing(Refused):
    """There is no such object."""


class Api:
    """From `with` to its end: `kubectl proxy`, so that asking each second costs little."""

    def __enter__(self) -> "Api":
        self.said = tempfile.TemporaryFile("w+")  # what it complains of: a pipe that nobody reads would stop it
        try:
            self.proxy = subprocess.Popen(["kubectl", "proxy", "--port=0"], stdin=subprocess.DEVNULL, text=True,
                                          stdout=subprocess.PIPE, stderr=self.said, start_new_session=True)
        except OSError as error:
            raise Refused(f"kubectl: {error.strerror}; on a node of infra/cluster: "
                          "infra/cluster/cluster enter loadtest/run hpa") from None
        try:
            ready, _, _ = select.select([self.proxy.stdout], [], [], TIMEOUT)
            match = SERVING.match(self.proxy.stdout.readline()) if ready else None
            if not match:
                self.said.seek(0)
                raise Refused(f"no cluster: {self.said.read().strip() or 'kubectl proxy says nothing'}")
            self.url = f"http://{match.group(1)}"
        except BaseException:
            self.proxy.kill()
            self.proxy.wait()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.terminate()
        try:
            self.proxy.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            self.proxy.kill()

    def call(self, path: str, body: bytes | None = None, headers: Mapping[str, str] = {}) -> bytes:
        """An answer's body."""
        request = urllib.request.Request(self.url + path, data=body, headers=dict(headers))
        try:
            with _OPENER.open(request, timeout=TIMEOUT) as answer:
                return answer.read()
        except urllib.error.HTTPError as error:
            kind = Missing if error.code == 404 else Refused
            raise kind(f"{path}: {error.code} {error.read()[:300].decode(errors='replace')}") from None
        except (OSError, ValueError, HTTPException) as error:
            raise Refused(f"{path}: {error}") from None

    def get(self, path: str) -> Any:
        """An object."""
        return json.loads(self.call(path))

    def kubectl(self, *words: str, document: Any = None) -> str:
        """What it printed."""
        try:
            done = subprocess.run(["kubectl", *words], input=None if document is None else json.dumps(document),
                                  capture_output=True, text=True, timeout=PATIENCE, check=False)
        except subprocess.TimeoutExpired:
            raise Refused(f"kubectl {' '.join(words)}: no answer within {PATIENCE} s") from None
        if done.returncode != 0:
            raise Refused(f"kubectl {' '.join(words)}: {done.stderr.strip()[-400:]}")
        return done.stdout
