"""The table of parts, in the order of their installation.

A part's values are layered, later ones win: what holds everywhere, the profile's, what follows from the
command line, the overlay's (what one kind of cluster needs), the user's. To add a part: a row, and
values/NAME.yaml.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

STACK = Path(__file__).resolve().parents[1]
ROOT = STACK.parents[1]
PROFILES = ("demo", "production")
SECRET = "glassbox"  # what Alertmanager's receivers need, in the namespace of the monitoring
GATEWAY = {"name": "public", "namespace": "gateway"}  # what a route names, as manifests/gateway has it
COMMUNITY = "https://prometheus-community.github.io/helm-charts"


class Refused(Exception):
    """What was asked for cannot be begun: exit status 2."""


class Unavailable(Exception):
    """A chart that is fetched, and cannot be: exit status 75, so that whoever tests can tell it from a fault."""


@dataclass(frozen=True)
class Part:
    """A release: where it goes, what it is made of, what besides its workloads must be there."""

    name: str
    place: str  # whose namespace: monitoring, service, or the name of one
    version: str = ""  # of a public chart; without, the chart is ours
    repository: str = ""
    folder: str = ""  # of a chart of ours, from the root
    api: str = ""  # the APIService that it serves
    profiles: tuple[str, ...] = PROFILES
    option: str = ""  # installed only when this option is given, or the part is named
    definitions: str = ""  # the version of the Gateway API whose CRDs it needs

    @property
    def chart(self) -> str:
        """The name in Chart.yaml, by which a release of ours is known."""
        ours = self.folder.startswith("charts/stack/")
        return f"glassbox-{self.name}" if ours else self.name


PARTS = (
    Part("metrics-server", "kube-system", folder="charts/stack/manifests/metrics-server",
         api="v1beta1.metrics.k8s.io"),
    Part("webhook", "monitoring", folder="charts/stack/manifests/webhook", profiles=("demo",)),
    Part("kube-prometheus-stack", "monitoring", version="88.5.3", repository=COMMUNITY),
    Part("prometheus-adapter", "monitoring", version="5.3.0", repository=COMMUNITY,
         api="v1beta1.custom.metrics.k8s.io"),
    Part("opentelemetry-collector", "monitoring", folder="charts/stack/manifests/opentelemetry-collector"),
    Part("gateway", "gateway", folder="charts/stack/manifests/gateway", option="gateway", definitions="v1.4.0"),
    Part("glassbox", "service", folder="charts/glassbox"),
)


@dataclass(frozen=True)
class Wish:
    """What was asked for."""

    profile: str
    namespace: str
    release: str
    monitoring: str
    overlay: Path | None
    values: tuple[Path, ...]
    parts: tuple[Part, ...]
    tempo: str = ""
    tempo_query: str = ""
    gateway: bool = False  # whether the service's route is that Gateway's

    def namespace_of(self, part: Part) -> str:
        """Where a part goes."""
        return {"monitoring": self.monitoring, "service": self.namespace}.get(part.place, part.place)

    def release_of(self, part: Part) -> str:
        """What its release is called."""
        return self.release if part.place == "service" else part.name


def charts_folder() -> Path | None:
    """$CHARTS_DIR, where charts lie that need not be fetched."""
    given = os.environ.get("CHARTS_DIR")
    if not given:
        return None
    folder = Path(given)
    if not folder.is_dir():
        raise Refused(f"CHARTS_DIR: no such folder: {given}")
    return folder


def chart_of(part: Part) -> list[str]:
    """helm's arguments that name a part's chart."""
    if part.folder:
        folder = ROOT / part.folder
        if not (folder / "Chart.yaml").is_file():
            raise Refused(f"{part.name}: no chart in {folder}")
        return [str(folder)]
    folder = charts_folder()
    if folder is None:
        return [part.name, "--repo", part.repository, "--version", part.version]
    archive = folder / f"{part.name}-{part.version}.tgz"
    if not archive.is_file():
        there = ", ".join(sorted(path.name for path in folder.glob("*.tgz"))) or "no chart"
        raise Refused(f"{part.name}: no {archive.name} in CHARTS_DIR ({folder}); there is {there}. "
                      f"Unset CHARTS_DIR to fetch it, or: helm pull {part.name} --repo {part.repository} "
                      f"--version {part.version} -d {folder}")
    return [str(archive)]


def derived(part: Part, wish: Wish) -> dict:
    """The values that follow from the command line: where the parts find each other."""
    if part.name == "glassbox":
        here = wish.monitoring
        prometheus = f"http://kube-prometheus-stack-prometheus.{here}.svc:9090"
        return {
            # This Alertmanager has our routes for the whole cluster: an AlertmanagerConfig beside them would tell
            # the same people everything twice.
            "monitoring": {"alertmanagerConfig": {"enabled": False}},
            "otlp": {"endpoint": f"http://opentelemetry-collector.{here}.svc:4318"},
            "networkPolicy": {"monitoringFrom": [
                {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": here}}}]},
            "autoscaling": {"keda": {"prometheusAddress": prometheus}},
            "tests": {"prometheusUrl": prometheus},
            **({"httpRoute": {"enabled": True, "parentRefs": [GATEWAY]}} if wish.gateway else {})}
    if part.name == "gateway":
        return {"routes": {"namespaces": [wish.namespace]}}
    if not wish.tempo:
        return {}
    if part.name == "opentelemetry-collector":
        return {"tempo": {"endpoint": wish.tempo}}
    if part.name == "kube-prometheus-stack":
        # Tempo takes traces at one port and answers Grafana at another.
        query = wish.tempo_query or f"{urlsplit(wish.tempo).scheme}://{urlsplit(wish.tempo).hostname}:3200"
        return {"grafana": {
            "additionalDataSources": [
                {"name": "Tempo", "uid": "tempo", "type": "tempo", "access": "proxy", "url": query}],
            # An exemplar's trace_id becomes a link to the trace.
            "sidecar": {"datasources": {"exemplarTraceIdDestinations": {
                "datasourceUid": "tempo", "traceIdLabelName": "trace_id", "urlDisplayLabel": "the trace"}}}}}
    return {}


def layers(part: Part, wish: Wish) -> tuple[list[str], str]:
    """helm's arguments that name a part's values, and what it shall read from its stdin, or ""."""
    if part.name == "glassbox":
        files = [ROOT / part.folder / f"values-{wish.profile}.yaml"]
    else:
        of_profile = STACK / f"values/{part.name}.{wish.profile}.yaml"
        files = [STACK / f"values/{part.name}.yaml", *([of_profile] if of_profile.exists() else [])]
    if part.name == "kube-prometheus-stack":
        routes = {"demo": "values.demo.yaml", "production": "values.kubernetes.yaml"}[wish.profile]
        files.append(ROOT / "alerts/alertmanager" / routes)
    for path in files:
        if not path.is_file():
            raise Refused(f"{part.name}: no {path}")
    more = derived(part, wish)
    arguments = [str(path) for path in files] + (["-"] if more else [])
    if wish.overlay and (wish.overlay / f"{part.name}.yaml").is_file():
        arguments.append(str(wish.overlay / f"{part.name}.yaml"))
    if part.name == "glassbox":
        arguments += [str(path) for path in wish.values]
    return [each for path in arguments for each in ("--values", path)], json.dumps(more) if more else ""
