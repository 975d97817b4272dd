"""The one program the doctor runs. What it refuses is told apart by what can be done about it.

Documents come by `get --raw`, which asks for a path and nothing else: other ways ask first which APIs there are, and
that takes long, or fails, just when an aggregated API is what is broken.
"""

import json
import re
import subprocess
from typing import Any, Optional

SECONDS = 30


class Refused(Exception):
    """Nothing can be said: no kubectl, no cluster, no such context, not let in. Ends the doctor."""


class Unreachable(Refused):
    """There may be a cluster, and it does not answer now: who waits may ask again."""


class Failed(Exception):
    """The server answered, and it was no document: what is behind it does not work."""


class Absent(Failed):
    """404: no such kind, object, or path behind a proxy."""


class Forbidden(Exception):
    """403: the user may not; the text says which verb on which resource."""


DENIED = re.compile(r'cannot (?P<verb>\S+) resource "(?P<resource>[^"]+)" in API group "(?P<group>[^"]*)"'
                    r'(?: in the namespace "(?P<namespace>[^"]+)")?')


AWAY = re.compile(r"Unable to connect|The connection to the server|handshake timeout|i/o timeout|unexpected EOF")
NOISE = re.compile(r"Warning: |[EWIF]\d{4} ")  # of the client itself, before what matters


def denied(message: str) -> str:
    """Which verb on which resource is missing, as a role would say it."""
    found = DENIED.search(message)
    if found is None:
        return message
    group = f".{found['group']}" if found["group"] else ""
    where = f"in namespace {found['namespace']}" if found["namespace"] else "in the whole cluster"
    return f"{found['verb']} {found['resource']}{group} {where}"


def grant(message: str) -> str:
    """A command that gives what was missing."""
    found = DENIED.search(message)
    if found is None:
        return "ask who runs the cluster for the right to do this"
    kind = f"role glassbox-doctor -n {found['namespace']}" if found["namespace"] else "clusterrole glassbox-doctor"
    group = f".{found['group']}" if found["group"] else ""
    resource, _, part = found["resource"].partition("/")
    name = f"{resource}{group}{'/' + part if part else ''}"
    return f"kubectl create {kind} --verb={found['verb']} --resource={name}, and a binding of it to you"


def failure(stderr: str) -> Exception:
    """What kubectl's words mean."""
    lines = [line for line in stderr.strip().splitlines() if not NOISE.match(line)]
    text = " ".join(lines) or stderr.strip()
    server = re.search(r"Error from server(?: \((\w+)\))?: (.*)", text)
    if server is None and AWAY.search(text):
        return Unreachable(text)
    if server is None:
        return Refused(text.removeprefix("error: ") or "kubectl failed and did not say why")
    reason, message = server[1] or "", server[2]
    if reason == "Forbidden":
        return Forbidden(message)
    if reason == "NotFound":
        return Absent(message)
    return Failed(message)


class Kubectl:
    """Runs kubectl in a context."""

    def __init__(self, context: str = "", program: str = "kubectl") -> None:
        self.command = [program] + ([f"--context={context}"] if context else [])

    def run(self, *arguments: str, stdin: Optional[str] = None) -> str:
        try:
            done = subprocess.run([*self.command, *arguments], input=stdin, capture_output=True, text=True,
                                  timeout=SECONDS, check=False)
        except FileNotFoundError:
            raise Refused("kubectl is not on the PATH") from None
        except subprocess.TimeoutExpired:
            raise Failed(f"no answer within {SECONDS} s") from None
        if done.returncode != 0:
            raise failure(done.stderr)
        return done.stdout

    def raw(self, path: str) -> str:
        return self.run("get", "--raw", path)

    def logs(self, namespace: str, pod: str, container: str, *options: str) -> str:
        return self.run("logs", f"--namespace={namespace}", pod, f"--container={container}", *options)

    def execute(self, namespace: str, pod: str, container: str, *command: str) -> str:
        """In a container; that its command ends otherwise than well is no refusal to be served."""
        try:
            return self.run("exec", f"--namespace={namespace}", pod, f"--container={container}", "--", *command)
        except Refused as refusal:
            raise Failed(str(refusal)) from None

    def read_yaml(self, text: str) -> dict[str, Any]:
        """A mapping in YAML as a document: kubectl can read what Python alone cannot.

        It wants an object, so the mapping is given the head of one, and a label it did not ask for; no server is asked.
        """
        head = "apiVersion: doctor/v1\nkind: Document\nmetadata: {name: document}\n"
        try:
            document = json.loads(self.run("label", "--local", "--filename=-", "--output=json", "read=yes",
                                           stdin=head + text))
        except Refused as refusal:
            raise Failed(f"not YAML: {refusal}") from None
        for name in ("apiVersion", "kind", "metadata"):
            document.pop(name, None)
        return document
