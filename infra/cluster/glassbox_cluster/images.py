"""The images that this machine makes for its nodes: a row each.

Most are one static program of .ci/tools.sh by itself, under the name that its chart asks for with
`localhost` for the registry, so that one value (`global.imageRegistry`) points a whole chart here. The tag is
the version that a go.mod pins. What is more than a program has a recipe (recipes.py). Nothing but our own
service's is kept as an archive: each is written straight into the runtime that wants it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from . import recipes, tools
from .oci import Image
from .places import ROOT
from .refused import Refused

Maker = Callable[[str, list[Path]], Image | Path]


@dataclass(frozen=True)
class Row:
    """What it is called here and everywhere, the rows of tools.sh that it needs, and how it is made of
    those: an image, or the path of an archive that holds it. `of_node`: every node has it."""
    name: str
    repository: str
    tag: Callable[[], str]
    needs: tuple[str, ...]
    make: Maker
    of_node: bool = False

    @property
    def image(self) -> str:
        return f"localhost/{self.repository}:{self.tag()}"


def pinned(folder: str, module: str, prefix: str = "v") -> Callable[[], str]:
    """The version that .ci/tools/FOLDER/go.mod requires of a module."""
    def tag() -> str:
        text = (ROOT / ".ci/tools" / folder / "go.mod").read_text()
        found = re.search(rf"^(?:require)?\s*{re.escape(module)} v(\S+)", text, re.MULTILINE)
        if not found:
            raise Refused(f".ci/tools/{folder}/go.mod does not name {module}")
        return prefix + found[1]
    return tag


def prometheus_tag() -> str:
    """The module v0.315.0 is the release 3.15.0."""
    _, minor, patch = pinned("prometheus", "github.com/prometheus/prometheus", "")().split(".")
    return f"v{int(minor) // 100}.{int(minor) % 100}.{patch}"


def always(text: str) -> Callable[[], str]:
    return lambda: text


OPERATOR = pinned("operator", "github.com/prometheus-operator/prometheus-operator")
RELOADER = "prometheus-config-reloader"

ROWS = (
    Row("pause", "pause", always("1"), (), recipes.pause, of_node=True),
    Row("coredns", "coredns", pinned("coredns", "github.com/coredns/coredns", ""), ("coredns",),
        recipes.program("/coredns"), of_node=True),
    Row("glassbox", "glassbox", recipes.glassbox_version, (), recipes.glassbox),
    Row("tools", "tools", always("1"), (), recipes.tools),
    Row("metrics-server", "metrics-server/metrics-server", pinned("metrics-server", "sigs.k8s.io/metrics-server"),
        ("metrics-server",), recipes.program("/metrics-server")),
    Row("operator", "prometheus-operator/prometheus-operator", OPERATOR, ("operator",), recipes.program("/bin/operator")),
    Row("config-reloader", f"prometheus-operator/{RELOADER}", OPERATOR, (RELOADER,), recipes.program(f"/bin/{RELOADER}")),
    Row("prometheus", "prometheus/prometheus", prometheus_tag, ("prometheus",),
        recipes.program("/bin/prometheus", folders=("/prometheus",))),
    Row("alertmanager", "prometheus/alertmanager", pinned("alertmanager", "github.com/prometheus/alertmanager"),
        ("alertmanager",), recipes.program("/bin/alertmanager", folders=("/alertmanager",))),
    Row("kube-state-metrics", "kube-state-metrics/kube-state-metrics",
        pinned("kube-state-metrics", "k8s.io/kube-state-metrics/v2"), ("kube-state-metrics",),
        recipes.program("/kube-state-metrics")),
    Row("adapter", "prometheus-adapter/prometheus-adapter", pinned("adapter", "sigs.k8s.io/prometheus-adapter"),
        ("adapter",), recipes.program("/adapter")),
    Row("collector", "otel/opentelemetry-collector-contrib",
        pinned("otelcol", "go.opentelemetry.io/collector/receiver/otlpreceiver", ""), ("otelcol",),
        recipes.program("/otelcol-contrib", user=10001, folders=("/traces",))),
    Row("traefik", "traefik", pinned("traefik", "github.com/traefik/traefik/v3"), ("traefik",),
        recipes.program("/usr/local/bin/traefik", user=65532)),
    Row("k6", "grafana/k6", pinned("k6", "go.k6.io/k6/v2", ""), ("k6",), recipes.k6),
    Row("webhook", "webhook", always("1"), (), recipes.webhook),
)
NAMES = tuple(row.name for row in ROWS)


def chosen(names: Sequence[str]) -> list[Row]:
    """Rows by name."""
    if unknown := [name for name in names if name not in NAMES]:
        raise Refused(f"no image {', '.join(unknown)}; there are: {' '.join(NAMES)}", 2)
    return [row for row in ROWS if row.name in names]


def of_node() -> list[str]:
    return [row.name for row in ROWS if row.of_node]


def besides_node(names: Sequence[str]) -> list[str]:
    """Those that not every node has anyway."""
    return [name for name in names if name not in of_node()]


def made(names: Sequence[str]) -> list[tuple[str, Image | Path]]:
    """Builds what they need, all at once, and makes them: each with its whole name."""
    rows = chosen(names)
    needs = list(dict.fromkeys(need for row in rows for need in row.needs))
    built = dict(zip(needs, map(Path, tools.built(*needs))))
    return [(row.image, row.make(row.image, [built[need] for need in row.needs])) for row in rows]
