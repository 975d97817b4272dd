"""What the chart left in the cluster besides pods: dashboards, the Helm test, policies."""

import json

import pytest
import yaml

from client import NAMESPACE, Client
from cluster import ROOT
from wire import eventually

FILES = sorted((ROOT / "dashboards/json").glob("*.json"))
UNPROVED = "this network enforces no NetworkPolicy; unproved: that who is not named cannot reach the operators' port"


def test_dashboards_are_there_as_they_are_written(cluster, service):
    """What Grafana's sidecar would find: by the label, into the folder, and the very JSON of dashboards/json."""
    found = cluster.items(service.namespace, "configmaps", "grafana_dashboard=1")
    documents = {}
    for one in found:
        assert one["metadata"]["annotations"]["grafana_folder"] == "Glassbox", one["metadata"]["name"]
        assert len(json.dumps(one)) < 1_000_000 and len(one["data"]) == 1, one["metadata"]["name"]
        documents |= {name.removeprefix("glassbox-"): json.loads(text) for name, text in one["data"].items()}
    assert len(found) == len(FILES) == 7
    assert documents == {path.name: json.loads(path.read_text()) for path in FILES}


def test_helm_test_passes(cluster, service):
    """The chart's own: service, series, custom metric, seen from a pod."""
    said = cluster.helm("--namespace", service.namespace, "test", service.release, "--logs", "--timeout", "180s",
                        timeout=200)
    assert "Phase:" in said and "Succeeded" in said and "Failed" not in said, said


def rendered(cluster, service, template: str, *settings: str) -> dict:
    """One template with the release's values."""
    values = cluster.helm("--namespace", service.namespace, "get", "values", service.release, "--output", "json")
    sets = [word for setting in settings for word in ("--set", setting)]
    text = cluster.helm("template", service.release, "charts/glassbox", "--namespace", service.namespace, "--values",
                        "-", "--show-only", f"templates/{template}", *sets, document=values)
    return next(one for one in yaml.safe_load_all(text) if one)


@pytest.fixture
def policy(cluster, service):
    """The chart's NetworkPolicy, applied, and gone again."""
    made = rendered(cluster, service, "networkpolicy.yaml", "networkPolicy.enabled=true")
    cluster.kubectl("--namespace", service.namespace, "apply", "-f", "-", document=made)
    yield made
    cluster.kubectl("--namespace", service.namespace, "delete", "networkpolicy", made["metadata"]["name"])


def test_everything_works_within_the_policy(cluster, service, prometheus, spans, caller, policy):
    """Users, scrapes, probes and spans pass, whether or not the network enforces it. Where it does, that is the proof
    that the policy names all it must."""
    answers = caller.call(f"http://{service.host}/demo/hello", 20, "policy")
    assert [answer.status for answer in answers] == [200] * 20
    pods = service.settle()
    scraped = f'count(up{{namespace="{service.namespace}",job="glassbox"}} == 1)'
    assert eventually(lambda: prometheus.value(scraped) == len(pods), 60, 1)
    ids = {answer.trace_id for answer in answers}
    assert eventually(lambda: ids <= {span.trace_id for span in spans.look().servers()}, 30, 0.5)


def test_who_is_not_named_does_not_reach_the_operators(cluster, service, caller: Client, policy):
    address = next(pod["status"]["podIP"] for pod in service.pods())
    said = caller.curl("--connect-timeout", "3", "--output", "/dev/null", "--write-out", "%{http_code}",
                       f"http://{address}:8081/livez", check=False)
    if said == "200":
        pytest.skip(UNPROVED)
    assert said == "000", f"{said} from {NAMESPACE}"


def test_api_server_takes_the_ingress(cluster, service):
    """No controller serves it here; that it is what the API asks for is shown."""
    made = rendered(cluster, service, "ingress.yaml", "ingress.enabled=true", "ingress.hosts[0]=glassbox.test")
    said = cluster.kubectl("--namespace", service.namespace, "apply", "--dry-run=server", "-f", "-", "-o", "json",
                           document=made)
    paths = [path["path"] for rule in json.loads(said)["spec"]["rules"] for path in rule["http"]["paths"]]
    assert sorted(paths) == ["/", "/demo/"]


def test_api_server_takes_the_route(cluster, service):
    """Where the Gateway API is installed; that requests come by it is test_gateway.py's."""
    groups = {group["name"] for group in cluster.get("/apis")["groups"]}
    if "gateway.networking.k8s.io" not in groups:
        pytest.skip("no Gateway API in this cluster; unproved: that its API server takes the HTTPRoute")
    made = rendered(cluster, service, "httproute.yaml", "httpRoute.enabled=true", "httpRoute.parentRefs[0].name=door")
    cluster.kubectl("--namespace", service.namespace, "apply", "--dry-run=server", "-f", "-", document=made)
