"""Documents of a cluster in which all is well, as the API server gives them, less what the doctor does not look at.

The release is `shop` in `store`, watched from `watch`: no name is one that the doctor has as a default.
"""

import base64
import copy
import gzip
import json
from typing import Any, Optional

from glassbox_doctor.links.dashboards_loaded import DASHBOARDS
from glassbox_doctor.links.rules_loaded import SHIPPED
from glassbox_doctor.links.series import OTHERS, OWN, REQUESTS

World = dict[str, Any]
RELEASE, NAMESPACE, WATCH, NAME = "shop", "store", "watch", "shop-glassbox"
PODS = ("shop-glassbox-7d9f-aaaaa", "shop-glassbox-7d9f-bbbbb")
NOW = 1_800_000_000.0
ROUTES = ("/", "/demo/hello", "/demo/random-error", "/demo/work")
POOL = f"serviceMonitor/{NAMESPACE}/{NAME}/0"

OURS = {"app.kubernetes.io/name": "glassbox", "app.kubernetes.io/instance": RELEASE,
        "app.kubernetes.io/component": "server"}
MONITORED = {**OURS, "release": "kube-prometheus-stack"}


def thing(name: str, namespace: str, labels: Optional[dict[str, str]] = None, **rest: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": namespace, "uid": f"uid-{name}",
        "labels": dict(labels or {})}, **rest}


def is_true(kind: str) -> dict[str, str]:
    return {"type": kind, "status": "True"}


def pod(name: str, namespace: str, labels: dict[str, str], containers: tuple[str, ...]) -> dict[str, Any]:
    return thing(name, namespace, labels,
                 spec={"containers": [{"name": one} for one in containers]},
                 status={"phase": "Running", "conditions": [is_true("PodScheduled"), is_true("Ready")],
                         "containerStatuses": [{"name": one, "ready": True, "restartCount": 0, "image": "i:1",
                                                "state": {"running": {}}} for one in containers]})


def deployment(name: str, namespace: str, labels: dict[str, str], pods: dict[str, str], replicas: int,
               **template: Any) -> dict[str, Any]:
    return thing(name, namespace, labels, spec={"replicas": replicas, "selector": {"matchLabels": pods},
                                                "template": {"metadata": {"labels": pods}, "spec": template}},
                 status={"availableReplicas": replicas})


def service(name: str, namespace: str, labels: dict[str, str], selector: dict[str, str],
            **ports: int) -> dict[str, Any]:
    return thing(name, namespace, labels, spec={"clusterIP": "10.0.0.1", "selector": selector,
                                                "ports": [{"name": port.replace("_", "-"), "port": number}
                                                          for port, number in ports.items()]})


def endpoints(of: str, namespace: str, count: int) -> dict[str, Any]:
    return thing(f"{of}-x", namespace, {"kubernetes.io/service-name": of},
                 endpoints=[{"conditions": {"ready": True}}] * count)


def helm(release: str, values: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps({"chart": {"values": {}}, "config": values}).encode()
    kept = base64.b64encode(base64.b64encode(gzip.compress(text))).decode()
    return thing(f"sh.helm.release.v1.{release}.v1", NAMESPACE,
                 {"owner": "helm", "name": release, "status": "deployed", "version": "1"}, data={"release": kept})


VALUES = {"monitoring": {"enabled": True, "serviceMonitor": {"enabled": True}, "rules": {"enabled": True},
                         "dashboards": {"enabled": True, "label": "grafana_dashboard"},
                         "alertmanagerConfig": {"enabled": True}},
          "autoscaling": {"enabled": True, "requests": {"enabled": True, "metric": "http_requests_per_second"}},
          "otlp": {"endpoint": "http://opentelemetry-collector.watch.svc:4318"}}


def service_objects() -> dict[str, list[Any]]:
    container = {"name": "glassbox", "ports": [{"name": "http", "containerPort": 8080},
                                               {"name": "admin", "containerPort": 8081}],
                 "resources": {"requests": {"cpu": "100m"}},
                 "env": [{"name": "OTEL_TRACES_EXPORTER", "value": "otlp"},
                         {"name": "OTEL_EXPORTER_OTLP_ENDPOINT",
                          "value": "http://opentelemetry-collector.watch.svc:4318"},
                         {"name": "OTEL_TRACES_SAMPLER", "value": "parentbased_always_on"}]}
    admin = service(f"{NAME}-admin", NAMESPACE, {**OURS, "glassbox.dev/listener": "admin"}, OURS, admin=8081)
    rules = [{"record": "slo:x", "expr": "1", "labels": {"http_route": route}} for route in ROUTES]
    alert = {"alert": "GlassboxErrorRatioHigh", "expr": "1", "labels": {"namespace": NAMESPACE, "severity": "page"}}
    return {
        "namespaces": [{"metadata": {"name": name, "labels": {"kubernetes.io/metadata.name": name}}}
                       for name in (NAMESPACE, WATCH)],
        "deployments": [deployment(NAME, NAMESPACE, OURS, OURS, 2, containers=[container])],
        "pods": [pod(name, NAMESPACE, OURS, ("glassbox",)) for name in PODS],
        "services": [service(NAME, NAMESPACE, OURS, OURS, http=80), admin],
        "endpointslices": [endpoints(NAME, NAMESPACE, 2), endpoints(f"{NAME}-admin", NAMESPACE, 2)],
        "secrets": [helm(RELEASE, VALUES)],
        "servicemonitors": [thing(NAME, NAMESPACE, MONITORED, spec={
            "jobLabel": "app.kubernetes.io/name", "selector": {"matchLabels": {**OURS,
                "glassbox.dev/listener": "admin"}},
            "scrapeNativeHistograms": True, "endpoints": [{"port": "admin", "interval": "15s"}]})],
        "prometheusrules": [thing(NAME, NAMESPACE, MONITORED, spec={"groups": [
            {"name": "glassbox-slo", "rules": rules}, {"name": "glassbox-symptoms", "rules": [alert]}]})],
        "alertmanagerconfigs": [thing(NAME, NAMESPACE, MONITORED, spec={})],
        "configmaps": [thing(f"{NAME}-dashboard-{uid.removeprefix('glassbox-')}", NAMESPACE,
                             {**OURS, "grafana_dashboard": "1"}, data={f"{uid}.json": json.dumps(
                                 {"uid": uid, "panels": []})}) for uid in DASHBOARDS]
        + [thing(f"{NAME}-faults", NAMESPACE, OURS, data={"plan.json": '{"faults": []}'})],
        "horizontalpodautoscalers": [thing(NAME, NAMESPACE, OURS, spec={
            "scaleTargetRef": {"kind": "Deployment", "name": NAME}, "minReplicas": 2, "maxReplicas": 10, "metrics": [
                {"type": "Pods", "pods": {"metric": {"name": "http_requests_per_second"},
                                          "target": {"type": "AverageValue", "averageValue": "50"}}},
                {"type": "ContainerResource", "containerResource": {
                    "container": "glassbox", "name": "cpu", "target": {"type": "Utilization",
                                                                       "averageUtilization": 70}}}]},
            status={"currentReplicas": 2, "desiredReplicas": 2,
                    "conditions": [is_true("AbleToScale"), is_true("ScalingActive")],
                    "currentMetrics": [
                        {"type": "Pods", "pods": {"metric": {"name": "http_requests_per_second"},
                                                  "current": {"averageValue": "10250m"}}},
                        {"type": "ContainerResource", "containerResource": {
                            "container": "glassbox", "name": "cpu", "current": {"averageUtilization": 7,
                                                                                "averageValue": "7m"}}}]})],
        "events": [], "networkpolicies": [], "scaledobjects": [],
    }


ADAPTER = """
rules:
- seriesQuery: http_server_request_duration_seconds_count{namespace!="",pod!=""}
  resources: {overrides: {namespace: {resource: namespace}, pod: {resource: pod}}}
  name: {as: http_requests_per_second}
  metricsQuery: sum(rate(<<.Series>>{<<.LabelMatchers>>,http_route=~"/|/demo/hello|/demo/random-error|/demo/work"}[2m]))
    by (<<.GroupBy>>)
"""
URL = "http://kube-prometheus-stack-prometheus.watch.svc:9090/"


def api_service(name: str, behind: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"service": {"name": behind, "namespace": WATCH}},
            "status": {"conditions": [is_true("Available")]}}


def stack_objects() -> dict[str, list[Any]]:
    def labels(name: str) -> dict[str, str]:
        return {"app.kubernetes.io/name": name}

    def operated(name: str) -> dict[str, str]:
        return {**labels(name), "app.kubernetes.io/instance": f"kps-{name}",
            "operator.prometheus.io/name": f"kps-{name}"}

    grafana = [{"name": "grafana-sc-dashboard", "env": [{"name": "LABEL", "value": "grafana_dashboard"},
                                                        {"name": "LABEL_VALUE", "value": "1"},
                                                        {"name": "NAMESPACE", "value": "ALL"},
                                                        {"name": "FOLDER_ANNOTATION", "value": "grafana_folder"}]},
               {"name": "grafana"}]
    adapter = [{"name": "prometheus-adapter", "args": [f"--prometheus-url={URL}", "--metrics-relist-interval=30s",
                                                       "--config=/etc/adapter/config.yaml"]}]
    return {
        "prometheuses": [thing("kps-prometheus", WATCH, spec={
            "serviceMonitorSelector": {}, "serviceMonitorNamespaceSelector": {}, "ruleSelector": {},
            "ruleNamespaceSelector": {}, "serviceAccountName": "prometheus", "version": "v3.15.0"})],
        "alertmanagers": [thing("kps-alertmanager", WATCH, spec={
            "alertmanagerConfigSelector": {}, "alertmanagerConfigNamespaceSelector": {}})],
        "deployments": [
            deployment("kps-operator", WATCH, labels("kube-prometheus-stack-prometheus-operator"),
                labels("operator"), 1,
                       containers=[{"name": "operator"}]),
            deployment("prometheus-adapter", WATCH, labels("prometheus-adapter"), labels("prometheus-adapter"), 1,
                       containers=adapter, volumes=[{"name": "config", "configMap": {"name": "prometheus-adapter"}}]),
            deployment("opentelemetry-collector", WATCH, labels("opentelemetry-collector"),
                       labels("opentelemetry-collector"), 1, containers=[{"name": "collector"}, {"name": "reader"}]),
            deployment("kps-grafana", WATCH, labels("grafana"), labels("grafana"), 1, containers=grafana)],
        "pods": [pod("prometheus-kps-prometheus-0", WATCH, operated("prometheus"), ("prometheus",)),
                 pod("alertmanager-kps-alertmanager-0", WATCH, operated("alertmanager"), ("alertmanager",)),
                 pod("adapter-0", WATCH, labels("prometheus-adapter"), ("prometheus-adapter",)),
                 pod("metrics-server-0", WATCH, labels("metrics-server"), ("metrics-server",)),
                 pod("collector-0", WATCH, labels("opentelemetry-collector"), ("collector", "reader")),
                 pod("grafana-0", WATCH, labels("grafana"), ("grafana-sc-dashboard", "grafana"))],
        "services": [service("kube-prometheus-stack-prometheus", WATCH, {}, operated("prometheus"), http_web=9090),
                     service("kps-alertmanager", WATCH, {}, operated("alertmanager"), http_web=9093),
                     service("prometheus-adapter", WATCH, {}, labels("prometheus-adapter"), https=443),
                     service("metrics-server", WATCH, {}, labels("metrics-server"), https=443),
                     service("opentelemetry-collector", WATCH, labels("opentelemetry-collector"),
                             labels("opentelemetry-collector"), otlp_grpc=4317, otlp_http=4318)],
        "endpointslices": [endpoints("opentelemetry-collector", WATCH, 1)],
        "configmaps": [thing("prometheus-adapter", WATCH, data={"config.yaml": ADAPTER})],
        "apiservices": [api_service("v1beta1.custom.metrics.k8s.io", "prometheus-adapter"),
                        api_service("v1beta1.metrics.k8s.io", "metrics-server")],
    }


def target(name: str) -> dict[str, Any]:
    return {"scrapePool": POOL, "health": "up", "lastError": "", "scrapeUrl": f"http://10.0.0.9:8081/metrics#{name}",
            "labels": {"job": "glassbox", "namespace": NAMESPACE, "pod": name}}


def series() -> list[dict[str, str]]:
    found = []
    for name in PODS:
        whose = {"job": "glassbox", "namespace": NAMESPACE, "pod": name}
        found += [{"__name__": one, **whose} for one in OWN]
        found += [{"__name__": f"{REQUESTS}_count", "http_route": route, **whose} for route in ("/readyz",
            "/demo/hello")]
        found.append({"__name__": REQUESTS, **whose})
    return found + [{"__name__": one, "namespace": NAMESPACE} for one in OTHERS]


def groups(objects: dict[str, list[Any]]) -> list[dict[str, Any]]:
    """The rules as Prometheus has them, and those that kube-prometheus-stack ships."""
    found = []
    for one in objects["prometheusrules"]:
        for group in one["spec"]["groups"]:
            found.append({"name": group["name"], "file": f"/etc/rules/{NAMESPACE}-{NAME}-uid-{NAME}.yaml", "rules": [
                {"name": rule.get("alert") or rule.get("record"), "health": "ok", "lastError": ""}
                for rule in group["rules"]]})
    shipped = [{"name": name, "health": "ok", "lastError": ""} for name in SHIPPED.values()]
    return found + [{"name": "general", "file": "/etc/rules/watch-kps-general-1.yaml", "rules": shipped}]


def otlp(name: str, end: float, namespace: str = NAMESPACE) -> str:
    attributes = [{"key": key, "value": {"stringValue": value}} for key, value in (
        ("service.name", "glassbox"), ("k8s.namespace.name", namespace), ("k8s.pod.name", name))]
    return json.dumps({"resourceSpans": [{"resource": {"attributes": attributes}, "scopeSpans": [
        {"spans": [{"name": "GET /readyz", "endTimeUnixNano": str(int(end * 1e9))}]}]}]})


def exposition(acknowledged: int = 90, retries: int = 0, **failed: int) -> str:
    lines = ["# TYPE otel_sdk_exporter_span_exported_total counter",
             f'otel_sdk_exporter_span_exported_total{{server_address="c"}} {acknowledged}',
             f"glassbox_span_export_retries_total {retries}"]
    lines += [f'otel_sdk_exporter_span_exported_total{{server_address="c",error_type="{name}"}} {count}'
              for name, count in failed.items()]
    return "\n".join(lines) + "\n"


def values_of(metric: str) -> dict[str, Any]:
    return {"items": [{"describedObject": {"name": name}, "metricName": metric, "value": "10250m"} for name in PODS]}


def whole() -> World:
    """A new one for each test, which breaks it."""
    ours, stack = service_objects(), stack_objects()
    objects = {kind: ours.get(kind, []) + stack.get(kind, []) for kind in {**ours, **stack}}
    usage = [{"metadata": {"name": name}, "containers": [{"name": "glassbox",
        "usage": {"cpu": "7m"}}]} for name in PODS]
    return copy.deepcopy({
        "context": "here",
        "objects": objects,
        "refusals": {},
        "raw": {r"^/version$": {"gitVersion": "v1.34.4"},
                r"^/apis/custom.metrics.k8s.io/v1beta1$": {"resources": [{"name": "pods/http_requests_per_second"}]},
                r"^/apis/custom.metrics.k8s.io/v1beta1/namespaces/store/pods/": values_of("http_requests_per_second"),
                r"^/apis/metrics.k8s.io/v1beta1/namespaces/store/pods": {"items": usage}},
        "prometheus": {"targets": [target(name) for name in PODS], "dropped": [], "series": series(),
                       "groups": groups(objects), "alertmanagers": [{"url": "http://10.0.0.2:9093"}],
                       "config": f"scrape_configs:\n- job_name: {POOL}\n  honor_timestamps: true\n"},
        "receivers": ["null", f"{NAMESPACE}/{NAME}/page", f"{NAMESPACE}/{NAME}/ticket"],
        "expositions": {**{name: exposition() for name in PODS},
                        "collector-0": "otelcol_receiver_accepted_spans 180\notelcol_receiver_refused_spans 0\n"
                                       "otelcol_exporter_sent_spans 180\n"},
        "logs": {},
        "files": {"collector-0/reader": otlp(PODS[0], NOW - 2) + "\n",
                  "grafana-0/grafana": json.dumps([{"uid": uid} for uid in DASHBOARDS])},
    })
