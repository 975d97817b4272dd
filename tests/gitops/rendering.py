#!/usr/bin/env python3
"""infra/gitops as a cluster would get it, link by link: `rendering.py FOLDER` writes all of it, a file for each.

Argo CD's chart and what bootstrap/install puts beside it; of the ApplicationSet and a release the Applications `platform`
and `service` (by .ci/tools/gitops: GITOPS_BIN); of these infra/gitops/apps; of each child the chart that it names, with the
values that it names. Nothing is looked up another way than Argo CD would. Exit status 2: a chart cannot be had, and
stderr says which; the others are written.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "infra/gitops"), str(ROOT / "charts/stack")]

from glassbox_gitops import argo  # noqa: E402  the path comes first
from glassbox_gitops.release import ENVIRONMENTS, Release, path_of  # noqa: E402
from glassbox_install.parts import Part, Refused, chart_of  # noqa: E402

APPS = ROOT / "infra/gitops/apps"
REPOSITORY = "https://git.example.org/team/glassbox.git"
RELEASE = Release("registry.example.org/glassbox", f"sha256:{'0123456789abcdef' * 4}", "v1.2.0", "0123456789" * 4,
                  "v1.2.0")
FACTS = {"cluster_name": "glassbox-ENVIRONMENT", "aws_region": "eu-central-1", "aws_vpc_id": "vpc-0123456789abcdef0",
         "aws_public_subnets": "10.0.48.0/24,10.0.49.0/24,10.0.50.0/24", "domain": "example.org",
         "certificate_arn": "arn:aws:acm:eu-central-1:111122223333:certificate/0123"}
# What differs between clusters: all of it, no domain, and not AWS at all.
CLUSTERS: dict[str, tuple[str, dict[str, str]]] = {
    "": ("aws", FACTS),
    "without-domain": ("aws", FACTS | {"domain": "", "certificate_arn": ""}),
    "elsewhere": ("none", dict.fromkeys(FACTS, "") | {"cluster_name": "lab"}),
}
SERVED = ("apiregistration.k8s.io/v1", "monitoring.coreos.com/v1", "policy/v1")


class Unavailable(Exception):
    """A chart that is not ours, and cannot be had here."""


def objects(text: str) -> list[dict[str, Any]]:
    """All of a stream."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return [each for each in yaml.load_all(text, loader) if each]


def helm(*arguments: str, stdin: str = "") -> str:
    """What it prints; whoever cannot be rendered is an error."""
    done = subprocess.run(["helm", *arguments], input=stdin, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise RuntimeError(f"helm {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def bootstrap(environment: str, cluster: str = "") -> argo.Bootstrap:
    """What bootstrap/install would be asked for."""
    provider, found = CLUSTERS[cluster]
    named = found | {"cluster_name": found["cluster_name"].replace("ENVIRONMENT", environment)}
    return argo.Bootstrap(environment, REPOSITORY, "main", provider, named, 600)


def applications(secrets: list[dict], releases: dict[str, str], text: str = "") -> subprocess.CompletedProcess[str]:
    """The generator's answer: cluster Secrets times release files, {environment: text}."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for environment, content in releases.items():
            path = root / path_of(environment)
            path.parent.mkdir(parents=True)
            path.write_text(content)
        (root / "secrets.json").write_text(json.dumps(secrets))
        return subprocess.run([os.environ["GITOPS_BIN"], "applications", folder, str(root / "secrets.json")],
                              input=text or (argo.BOOTSTRAP / "applicationset.yaml").read_text(),
                              capture_output=True, text=True, timeout=60, check=False)


@functools.cache
def parts(environment: str, cluster: str = "") -> dict[str, dict[str, Any]]:
    """The Applications of an environment's cluster by name, where every environment has a release."""
    done = applications([argo.cluster_secret(bootstrap(environment, cluster))],
                        dict.fromkeys(ENVIRONMENTS, RELEASE.text()))
    if done.returncode:
        raise RuntimeError(done.stderr)
    return {made["metadata"]["name"]: {"apiVersion": "argoproj.io/v1alpha1", "kind": "Application", **made,
                                       "metadata": {"namespace": argo.NAMESPACE, **made["metadata"]}}
            for made in json.loads(done.stdout)}


@functools.cache
def apps(part: str, environment: str, cluster: str = "") -> str:
    """infra/gitops/apps with the values of that Application, from its path."""
    source = parts(environment, cluster)[part]["spec"]["source"]
    return helm("template", source["helm"]["releaseName"], str(ROOT / source["path"]), "--namespace", argo.NAMESPACE,
                "-f", "-", stdin=json.dumps(source["helm"]["valuesObject"]))


def made(environment: str, cluster: str = "") -> list[dict[str, Any]]:
    """What both of them make."""
    return [each for part in argo.PARTS for each in objects(apps(part, environment, cluster))]


def children(environment: str, cluster: str = "") -> list[dict[str, Any]]:
    """Their Applications."""
    return [each for each in made(environment, cluster) if each["kind"] == "Application"]


def value_files(child: dict[str, Any]) -> list[Path]:
    """Where the files are that a child's values are read from."""
    return [ROOT / name.removeprefix("$values/") for name in child["spec"]["sources"][0]["helm"]["valueFiles"]]


def manifests(child: dict[str, Any]) -> str:
    """What a child's chart renders to, as Argo CD would have it."""
    source, name = child["spec"]["sources"][0], child["metadata"]["name"]
    if "path" in source:
        chart = [str(ROOT / source["path"])]
    else:
        chart = public(Part(source["chart"], "", version=source["targetRevision"], repository=source["repoURL"]))
    if not source["helm"].get("skipCrds"):
        chart.append("--include-crds")
    return template(source["helm"]["releaseName"], chart, child["spec"]["destination"]["namespace"], value_files(child),
                    source["helm"].get("valuesObject"), name)


def public(part: Part) -> list[str]:
    """helm's arguments for a chart of others."""
    try:
        return chart_of(part)
    except Refused as error:
        raise Unavailable(str(error).partition(";")[0]) from None


def template(release: str, chart: list[str], namespace: str, files: list[Path], more: dict | None, name: str) -> str:
    """helm template; what must be fetched and is not is Unavailable."""
    words = [word for path in files for word in ("-f", str(path))] + (["-f", "-"] if more else [])
    served = [word for version in SERVED for word in ("--api-versions", version)]
    try:
        return helm("template", release, *chart, "--namespace", namespace, *words, *served,
                    stdin=json.dumps(more) if more else "")
    except RuntimeError as error:
        if "--repo" in chart:
            raise Unavailable(f"{name}: {str(error).splitlines()[-1]}") from None
        raise


def argo_cd(environment: str) -> str:
    """Argo CD's own chart."""
    return template("argocd", public(argo.ARGO), argo.NAMESPACE, argo.values(environment), None, "argo-cd")


def all_of(environment: str, cluster: str) -> dict[str, Any]:
    """{file: what makes it} of an environment."""
    asked = bootstrap(environment, cluster)
    return {"cluster": lambda: json.dumps(argo.cluster_secret(asked)),
            "project": lambda: argo.project(asked),
            **{part: functools.partial(json.dumps, item) for part, item in parts(environment, cluster).items()},
            **{f"apps-{part}": functools.partial(apps, part, environment, cluster) for part in argo.PARTS},
            "argo-cd": lambda: argo_cd(environment),
            **{each["metadata"]["name"]: functools.partial(manifests, each) for each in children(environment, cluster)}}


def main(folder: Path) -> int:
    """Writes what can be had."""
    lacking: dict[str, str] = {}
    for environment in ENVIRONMENTS:
        for cluster in CLUSTERS:
            target = folder / "-".join(filter(None, (environment, cluster)))
            target.mkdir(parents=True, exist_ok=True)
            for name, make in all_of(environment, cluster).items():
                if name in lacking or cluster and name in ("argo-cd", "kube-prometheus-stack", "kube-prometheus-stack-crds",
                                                  "prometheus-adapter"):
                    continue  # no fact of the cluster is in these: once is enough
                try:
                    (target / f"{name}.yaml").write_text(make())
                except Unavailable as error:
                    lacking[name] = str(error)
    (folder / "applicationset.yaml").write_text((argo.BOOTSTRAP / "applicationset.yaml").read_text())
    for word in lacking.values():
        print(word, file=sys.stderr)
    return 2 if lacking else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
