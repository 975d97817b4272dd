"""The spans that reached the Collector: its file, read through the container beside it.

The file grows and is rotated, so it is told by its inode, and read on from where the last look ended. Spans of the same
id twice are a retry of the exporter, which OTLP allows: they are counted once, and apart.
"""

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cluster import Cluster
from wire import eventually

SERVER = 2


@dataclass(frozen=True)
class Span:
    """What a test wants of one."""

    trace_id: str
    span_id: str
    parent: str
    name: str
    kind: int
    start_ns: int
    end_ns: int
    attributes: dict[str, Any] = field(hash=False)
    resource: dict[str, Any] = field(hash=False)

    @property
    def pod(self) -> str:
        """That it comes from."""
        return self.resource.get("k8s.pod.name", "")


def plain(attributes: list[dict[str, Any]]) -> dict[str, Any]:
    """OTLP/JSON's attributes as a dict."""
    made = {}
    for one in attributes:
        (kind, value), = one["value"].items()
        made[one["key"]] = int(value) if kind == "intValue" else value
    return made


def spans_of(line: str) -> Iterator[Span]:
    """Of one line of the file, which is one request."""
    for resource in json.loads(line).get("resourceSpans", ()):
        about = plain(resource.get("resource", {}).get("attributes", []))
        for scope in resource.get("scopeSpans", ()):
            for span in scope.get("spans", ()):
                yield Span(span["traceId"], span["spanId"], span.get("parentSpanId", ""), span["name"],
                           span.get("kind", 0), int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]),
                           plain(span.get("attributes", [])), about)


class Spans:
    """All that have come since it was made."""

    def __init__(self, cluster: Cluster, namespace: str, where: str = "deploy/opentelemetry-collector",
                 container: str = "reader", folder: str = "/traces") -> None:
        self.cluster, self.namespace, self.where, self.container = cluster, namespace, where, container
        self.folder = folder
        self.read: dict[str, int] = {}     # inode -> bytes that were read
        self.rest: dict[str, bytes] = {}   # inode -> the beginning of a line
        self.spans: dict[tuple[str, str], Span] = {}
        self.again = 0                     # spans that came twice
        for inode, size in self._files():
            self.read[inode] = size

    def _shell(self, script: str) -> str:
        return self.cluster.kubectl("--namespace", self.namespace, "exec", self.where, "--container", self.container,
                                    "--", "sh", "-c", script)

    def _files(self) -> list[tuple[str, int]]:
        """(inode, bytes) of each: the one that is written to, and what was rotated away."""
        said = self._shell(f"find {self.folder} -name 'traces*.json' -exec stat -c '%i %s' {{}} \\;")
        return [(inode, int(size)) for inode, size in map(str.split, said.splitlines())]

    def look(self) -> "Spans":
        """Reads what is new. Base64, because what is cut within a character would not pass as text."""
        for inode, size in self._files():
            offset = self.read.get(inode, 0)
            if size <= offset:
                continue
            # By the inode: it may be rotated between the two commands.
            script = (f"find {self.folder} -inum {inode} -exec tail -c +{offset + 1} {{}} \\; | head -c {size - offset}"
                      " | base64")
            data = self.rest.get(inode, b"") + base64.b64decode(self._shell(script))
            whole, _, self.rest[inode] = data.rpartition(b"\n")
            self.read[inode] = size
            for line in whole.splitlines():
                for span in spans_of(line.decode()):
                    self.again += (span.trace_id, span.span_id) in self.spans
                    self.spans[span.trace_id, span.span_id] = span
        return self

    def servers(self, wanted: Mapping[str, Any] | None = None) -> list[Span]:
        """Those of requests, with these attributes."""
        return [span for span in self.spans.values() if span.kind == SERVER
                and (wanted or {}).items() <= span.attributes.items()]

    def wait_servers(self, count: int, wanted: Mapping[str, Any] | None = None, timeout: float = 30) -> list[Span]:
        """At least that many, or what there was when time was up."""
        eventually(lambda: len(self.look().servers(wanted)) >= count, timeout, 0.5)
        return self.servers(wanted)
