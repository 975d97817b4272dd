"""The commands among the lines to change reach the cluster that was looked at, and what is there by other names."""

from typing import Any

import pytest

from examine import drop
from glassbox_doctor.cli import options
from glassbox_doctor.commands import typed
from test_command import doctor  # noqa: F401  the fixture
from world import VALUES, helm, whole

GIVEN = options(["--release", "shop", "--namespace", "store", "--monitoring-namespace", "watch", "--context", "there"])
TYPED = [
    ("kubectl -n watch scale deployment/x --replicas=1", "kubectl --context there -n watch scale deployment/x --replicas=1"),
    ("then kubectl -n watch logs x", "then kubectl --context there -n watch logs x"),
    ("helm upgrade shop charts/glassbox", "helm --kube-context there upgrade shop charts/glassbox"),
    ("or charts/stack/install --only metrics-server", "or charts/stack/install --profile production --namespace store "
     "--release shop --monitoring-namespace watch --context there --only metrics-server"),
    ("wait: doctor --wait 60  (discovery)", "wait: charts/stack/doctor --namespace store --release shop "
     "--monitoring-namespace watch --context there --wait 60  (discovery)"),
    ("first mend metrics-api; where that is well: wait: doctor --wait 60", "first mend metrics-api; where that is well: "
     "wait: charts/stack/doctor --namespace store --release shop --monitoring-namespace watch --context there --wait 60"),
    ("doctor --release shop --namespace here",
     "charts/stack/doctor --monitoring-namespace watch --context there --release shop --namespace here"),
    ("values of glassbox: extraArgs: kubectl ", "values of glassbox: extraArgs: kubectl "),
]


@pytest.mark.parametrize("line, whole_line", TYPED)
def test_typed(line: str, whole_line: str) -> None:
    assert typed(line, GIVEN, "production") == whole_line


def test_defaults_are_not_said() -> None:
    for line in ("kubectl get pods", "helm list", "charts/stack/install --only webhook"):
        assert typed(line, options([])) == line


def test_the_command_says_them(doctor: Any) -> None:  # noqa: F811
    """Copied as it stands, each would have changed the current context's cluster, and namespace monitoring."""
    world = whole()
    world["objects"]["secrets"] = [helm("shop", {**VALUES, "monitoring": {**VALUES["monitoring"],
                                                                         "rules": {"profile": "real"}}})]
    drop(world, "apiservices", "v1beta1.metrics.k8s.io")
    drop(world, "servicemonitors")
    said = doctor(world, "--context", "here").stdout
    assert ("-> charts/stack/install --profile production --namespace store --release shop --monitoring-namespace watch "
            "--context here --only metrics-server") in said
    upgrade = "helm --kube-context here upgrade shop charts/glassbox -n store --reset-then-reuse-values"
    assert f"-> {upgrade}" in said
