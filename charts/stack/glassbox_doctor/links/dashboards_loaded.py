"""dashboards-loaded: each dashboard is a ConfigMap that Grafana's sidecar takes, and Grafana lists it."""

import json
from typing import Any, Optional

from ..cluster import Object, labels_of, name_of, namespace_of
from ..facts import Facts
from ..finding import Finding, broken, skipped, some, stack, upgrade, values
from ..kubectl import Failed, Forbidden
from . import workload

ID = "dashboards-loaded"
PROMISE = "that Grafana shows the dashboards"
FOLLOWS: tuple[str, ...] = ()

# By uid, as dashboards/json has them (a test holds them together).
DASHBOARDS = ("glassbox-autoscaling", "glassbox-incident", "glassbox-load-test", "glassbox-saturation",
              "glassbox-service", "glassbox-slo", "glassbox-telemetry")
# Asked in Grafana's own container, with the credentials that its Secret gives it: they do not leave it.
SEARCH = ('curl -sS --max-time 10 -u "${GF_SECURITY_ADMIN_USER:-admin}:$GF_SECURITY_ADMIN_PASSWORD" '
          '"http://127.0.0.1:${GF_SERVER_HTTP_PORT:-3000}/api/search?type=dash-db&limit=5000"')
ANNOTATION, LABEL = "grafana_folder", "grafana_dashboard"


def documents(facts: Facts) -> list[tuple[Object, str, dict[str, Any]]]:
    """Our ConfigMaps with a dashboard in them, its key, and what it says; nothing where it is no JSON. The fault plan
    and the incidents are JSON, too, and no dashboards."""
    found = []
    for one in facts.ours("configmaps") or []:
        for key, text in (one.get("data") or {}).items():
            try:
                document = json.loads(text) if key.endswith(".json") else None
            except json.JSONDecodeError:
                document = {} if key.startswith("glassbox-") else None
            if document is not None and (not document or "panels" in document):
                found.append((one, key, document))
    return found


def switched_off(facts: Facts) -> Optional[Finding]:
    if documents(facts) or not facts.is_off("monitoring.dashboards.enabled") or facts.is_off("monitoring.enabled"):
        return None
    return skipped(f"monitoring.dashboards.enabled is off: {PROMISE} stays unproved",
                   values("monitoring.dashboards.enabled", "true"))


def none_there(facts: Facts) -> Optional[Finding]:
    if documents(facts):
        return None
    if facts.is_off("monitoring.enabled") or not facts.values:
        return broken("there are no ConfigMaps with dashboards", values("monitoring.enabled", "true"))
    return broken("there are no ConfigMaps with dashboards, though the values want them: they were deleted",
                  upgrade(facts.release, facts.namespace))


def missing(facts: Facts) -> Optional[Finding]:
    bad = [name_of(one) for one, _, document in documents(facts) if not document]
    if bad:
        return broken(f"not JSON: {some(bad)}", upgrade(facts.release, facts.namespace))
    lost = sorted(set(DASHBOARDS) - {document.get("uid") for _, _, document in documents(facts)})
    if not lost:
        return None
    return broken(f"{len(lost)} of {len(DASHBOARDS)} dashboards have no ConfigMap: {some(lost)}",
                  upgrade(facts.release, facts.namespace))


def grafana(facts: Facts) -> Optional[Object]:
    return facts.stack_deployment("grafana")


def no_grafana(facts: Facts) -> Optional[Finding]:
    """Where it cannot be had, the ConfigMaps are all that can be looked at."""
    if grafana(facts) is not None:
        return None
    # Without a sidecar to ask, the label that Grafana's charts look for unless told otherwise.
    given = facts.value("monitoring.dashboards.label")
    label = given if isinstance(given, str) else LABEL
    wrong = [name_of(one) for one, _, _ in documents(facts) if label not in labels_of(one)]
    if wrong:
        return broken(f"{some(wrong)} lack the label {label}", f"kubectl -n {facts.namespace} label configmap "
                      f"{wrong[0]} {label}=1", values("monitoring.dashboards.label", LABEL))
    return skipped(f"{len(DASHBOARDS)} ConfigMaps are there and in order, and no Grafana in namespace "
                   f"{facts.monitoring}: {PROMISE} stays unproved", stack("grafana.enabled", "true"))


def sidecar(facts: Facts) -> Optional[Object]:
    spec = grafana(facts)["spec"]["template"]["spec"]
    for one in spec["containers"] + (spec.get("initContainers") or []):
        if one["name"].endswith("sc-dashboard"):
            return one
    return None


def setting(container: Object, name: str, default: str = "") -> str:
    return next((str(one.get("value", "")) for one in container.get("env") or [] if one["name"] == name), default)


def no_sidecar(facts: Facts) -> Optional[Finding]:
    if sidecar(facts) is not None:
        return None
    return broken(f"Grafana {name_of(grafana(facts))} has no sidecar for dashboards",
                  stack("grafana.sidecar.dashboards.enabled", "true"))


def wrong_label(facts: Facts) -> Optional[Finding]:
    label, value = setting(sidecar(facts), "LABEL"), setting(sidecar(facts), "LABEL_VALUE")
    wrong = [one for one, _, _ in documents(facts)
             if label not in labels_of(one) or (value and labels_of(one)[label] != value)]
    if not wrong:
        return None
    has = {name: text for name, text in labels_of(wrong[0]).items() if "dashboard" in name} or "no such label"
    lines = [values("monitoring.dashboards.label", label)] + (
        [values("monitoring.dashboards.labelValue", f'"{value}"')] if value else [])
    return broken(f"the sidecar looks for {label}{'=' + value if value else ''}; ConfigMap {name_of(wrong[0])}"
                  f"{f' and {len(wrong) - 1} more have' if len(wrong) > 1 else ' has'} {has}", *lines,
                  "or " + stack("grafana.sidecar.dashboards.label", LABEL))


def wrong_namespace(facts: Facts) -> Optional[Finding]:
    looks = setting(sidecar(facts), "NAMESPACE") or namespace_of(grafana(facts))
    if looks == "ALL" or facts.namespace in looks.split(","):
        return None
    return broken(f"the sidecar looks into namespace {looks} alone", stack("grafana.sidecar.dashboards.searchNamespace",
                                                                          "ALL"))


def no_folder(facts: Facts) -> Optional[Finding]:
    """Without it they are loaded all the same, into the folder for everything."""
    reads = setting(sidecar(facts), "FOLDER_ANNOTATION")
    has = [one for one, _, _ in documents(facts) if reads in (one["metadata"].get("annotations") or {})]
    if has or not any(ANNOTATION in (one["metadata"].get("annotations") or {}) for one, _, _ in documents(facts)):
        return None
    return broken(f"the ConfigMaps name their folder by annotation {ANNOTATION}; the sidecar reads {reads or 'none'}",
                  stack("grafana.sidecar.dashboards.folderAnnotation", ANNOTATION),
                  stack("grafana.sidecar.dashboards.provider.foldersFromFilesStructure", "true"))


def not_running(facts: Facts) -> Optional[Finding]:
    return workload.unavailable(facts, grafana(facts))


def listed(facts: Facts) -> set[str]:
    """The uids that Grafana has."""
    deployment = grafana(facts)
    where = namespace_of(deployment)
    pods = facts.pods_of(deployment["spec"]["selector"], where)
    if not pods:
        raise Failed("Grafana has no pod")
    answer = facts.cluster.kubectl.execute(where, name_of(pods[0]), "grafana", "sh", "-c", SEARCH)
    try:
        return {one["uid"] for one in json.loads(answer)}
    except (json.JSONDecodeError, TypeError, KeyError):
        raise Failed(answer.strip()[:200]) from None


def not_listed(facts: Facts) -> Optional[Finding]:
    try:
        have = listed(facts)
    except (Failed, Forbidden) as error:
        return skipped(f"labels and namespaces are right, and Grafana cannot be asked: {error}: {PROMISE} stays "
                       "unproved")
    lost = [uid for uid in DASHBOARDS if uid not in have]
    if not lost:
        return None
    deployment = grafana(facts)
    return broken(f"Grafana does not list {len(lost)} of {len(DASHBOARDS)}: {some(lost)}", "wait: doctor --wait 90",
                  f"then kubectl -n {namespace_of(deployment)} logs deployment/{name_of(deployment)} "
                  f"--container={sidecar(facts)['name']} --tail=20")


CAUSES = (switched_off, none_there, missing, no_grafana, no_sidecar, wrong_label, wrong_namespace, no_folder,
          not_running, not_listed)
BROUGHT: tuple[()] = ()


def green(facts: Facts) -> str:
    return f"Grafana lists all {len(DASHBOARDS)}"
