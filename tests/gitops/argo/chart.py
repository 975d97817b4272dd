"""Charts of others, as Argo CD and bootstrap/install look for them.

Those that children name are served as a repository of Helm's each. Argo CD's own cannot be had: in its place stands one of
the same name and version, which makes of the same values what the chart makes of them that is read here: the kinds, the
settings (ConfigMap argocd-cm: its makers' own, ours over them) and a Secret. What the chart's pods would run, runs beside
the node (programs.py).
"""

import shutil
from pathlib import Path
from typing import Any

import yaml

from cluster import Cluster
from glassbox_gitops.argo import ARGO

SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: argocd-cm, labels: {app.kubernetes.io/part-of: argocd}}
data:
  {{- range $key, $value := .Values.configs.cm }}
  {{ $key }}: {{ toString $value | quote }}
  {{- end }}
---
apiVersion: v1
kind: Secret
metadata: {name: argocd-secret, labels: {app.kubernetes.io/part-of: argocd}}
stringData: {server.secretkey: {{ randAlphaNum 32 }}}
"""


def repositories(cluster: Cluster, children: list[dict[str, Any]], source: Path, target: Path, folder_of: Any) -> None:
    """A folder with an index for each repository that children name; it has what `source` has of them."""
    for repository in {child["repository"] for child in children if "repository" in child}:
        folder = target / folder_of(repository)
        folder.mkdir(parents=True)
        for child in children:
            archive = source / f"{child.get('chart')}-{child.get('version')}.tgz"
            if child.get("repository") == repository and archive.exists():
                shutil.copy(archive, folder)
        cluster.helm("repo", "index", str(folder))


def argo_cd(cluster: Cluster, beside: Path, folder: Path) -> Path:
    """What stands for Argo CD's chart, in a folder that CHARTS_DIR may name."""
    made = folder / ARGO.name
    (made / "templates").mkdir(parents=True)
    (made / "Chart.yaml").write_text(yaml.safe_dump({"apiVersion": "v2", "name": ARGO.name, "version": ARGO.version}))
    settings = yaml.safe_load((beside / "config/argocd-cm.yaml").read_text())["data"]
    (made / "values.yaml").write_text(yaml.safe_dump({"configs": {"cm": settings}}))
    (made / "templates/settings.yaml").write_text(SETTINGS)
    shutil.copytree(beside / "crds", made / "crds", ignore=shutil.ignore_patterns("kustomization.yaml"))
    cluster.helm("package", str(made), "--destination", str(folder))
    return folder
