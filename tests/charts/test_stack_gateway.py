"""The Gateway of charts/stack, when it is asked for: its CRDs, who may go through it, and what it is told."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml
from fake_world import World
from rendering import objects, one
from stack_charts import PART, PROFILES, ROOT, VALUES, files, load, render, rendered

from glassbox_install import definitions
from glassbox_install.parts import GATEWAY, Wish, derived

PART_OF_IT = PART["gateway"]
CRDS = [f"{kind}.{definitions.GROUP}" for kind in definitions.WANTED]


def crds(version: str, names: list[str]) -> dict:
    """kubectl's answer where a cluster has them."""
    return {"items": [{"metadata": {"name": name, "annotations": {definitions.VERSION: version}},
                       "spec": {"group": definitions.GROUP}} for name in names]}


@pytest.fixture(name="manifest")
def a_file_of_crds(tmp_path: Path) -> str:
    """Nobody looks into it here."""
    path = tmp_path / "crds.yaml"
    path.touch()
    return str(path)


def container(profile: str = "demo", overlay: bool = False) -> dict:
    """Traefik's."""
    return one(rendered("gateway", profile, overlay), "Deployment")["spec"]["template"]["spec"]["containers"][0]


# ---- how it is installed ---------------------------------------------------------------------------------

def test_only_when_asked_for(world: World, charts: str, manifest: str) -> None:
    """By the option or by its name; then before the service, whose route names it, and after the CRDs of both."""
    assert world.install(CHARTS_DIR=charts).returncode == 0
    assert not world.lines("gateway")
    done = world.install("--gateway", "--namespace", "shops", CHARTS_DIR=charts, GATEWAY_API_CRDS=manifest)
    assert done.returncode == 0, done.stderr
    lines = [line for line, _ in world.asked()]
    order = [next(i for i, line in enumerate(lines) if each in line) for each in (
        f"kubectl apply --server-side -f {manifest}", "kubectl wait --for=condition=Established",
        "helm upgrade --install gateway", "helm upgrade --install glassbox")]
    told = {line.split()[3]: json.loads(stdin) for line, stdin in world.asked()
            if line.startswith("helm upgrade --install g") and "-n shops" in line or "--install gateway" in line}
    assert told["gateway"] == {"routes": {"namespaces": ["shops"]}}
    assert told["glassbox"]["httpRoute"] == {"enabled": True, "parentRefs": [GATEWAY]}
    assert order[0] < order[1] < order[2] and len(CRDS) == len([name for name in CRDS if name in lines[order[1]]])
    made = [json.loads(stdin)["metadata"] for line, stdin in world.asked() if '"Namespace"' in stdin]
    assert {"gateway", "shops"} <= {each["name"] for each in made if each["labels"]}


def test_by_itself_it_makes_the_place_of_its_rights(world: World, manifest: str) -> None:
    """What it may read of the service is a Role in the service's namespace, which need not be there yet."""
    assert world.install("--only", "gateway", GATEWAY_API_CRDS=manifest).returncode == 0
    made = [json.loads(stdin)["metadata"]["name"] for line, stdin in world.asked() if '"Namespace"' in stdin]
    assert made == ["gateway", "glassbox"]


def test_without_it_the_service_has_no_route() -> None:
    wish = Wish("demo", "glassbox", "glassbox", "monitoring", None, (), ())
    assert "httpRoute" not in derived(PART["glassbox"], wish)


@pytest.mark.parametrize(("version", "words"), [("v1.4.0", ""), ("v1.2.1", "v1.2.1, and left alone; this was tried with v1.4.0")])
def test_the_crds_of_others_are_left_alone(world: World, manifest: str, version: str, words: str) -> None:
    """A cloud's, say; another version is told."""
    world.say("kubectl get crds", crds(version, CRDS))
    done = world.install("--only", "gateway", GATEWAY_API_CRDS=manifest)
    assert done.returncode == 0 and not world.lines("kubectl apply"), done.stderr
    assert words in done.stdout and ("note:" in done.stdout) == bool(words)


def test_some_of_the_crds_are_not_enough(world: World, manifest: str) -> None:
    world.say("kubectl get crds", crds("v1.4.0", CRDS[:2]))
    assert world.install("--only", "gateway", GATEWAY_API_CRDS=manifest).returncode == 0
    assert len(world.lines("kubectl apply")) == 1


def test_where_the_crds_come_from(world: World) -> None:
    """A file that is not there is refused before anybody is asked; without one it is the public address, by version."""
    done = world.install("--gateway", "--only", "gateway", GATEWAY_API_CRDS="/nowhere")
    assert done.returncode == 2 and "GATEWAY_API_CRDS: no such file: /nowhere" in done.stderr and world.asked() == []
    done = world.install("--only", "gateway", "--dry-run", programs=())
    assert re.search(r"kubectl apply --server-side -f https://\S+/v1\.4\.0/standard-install\.yaml", done.stdout)


def test_what_uninstall_leaves(world: World) -> None:
    """The CRDs, named: with them would go the routes of everybody."""
    world.say("kubectl get crds", crds("v1.4.0", CRDS))
    done = world.install("--uninstall", "--only", "gateway")
    assert done.returncode == 0 and f"kubectl delete crd {' '.join(CRDS)}" in done.stdout
    assert "CRDs of the Gateway API" not in world.install("--uninstall", "--only", "webhook").stdout


def test_one_version_everywhere() -> None:
    """Of the CRDs: what Traefik is compiled with; of Traefik: the tool's, the values', the chart's."""
    pins = (ROOT / ".ci/tools/traefik/go.mod").read_text()
    assert f"sigs.k8s.io/gateway-api {PART_OF_IT.definitions} " in pins
    tag = load(VALUES / "gateway.yaml")["image"]["tag"]
    assert f"github.com/traefik/traefik/v3 {tag} " in pins
    assert load(ROOT / PART_OF_IT.folder / "Chart.yaml")["appVersion"] == tag.removeprefix("v")
    assert f"Version={tag.removeprefix('v')}\n" in (ROOT / ".ci/tools/traefik/ldflags").read_text()


# ---- what is rendered ------------------------------------------------------------------------------------

def test_what_a_route_names() -> None:
    """The Gateway by name and namespace; its class is the one that this Traefik is told to serve."""
    text = rendered("gateway", "demo")
    gateway, kind = one(text, "Gateway"), one(text, "GatewayClass")
    assert (gateway["metadata"]["name"], PART_OF_IT.place) == (GATEWAY["name"], GATEWAY["namespace"])
    assert gateway["spec"]["gatewayClassName"] == kind["metadata"]["name"]
    key, _, value = argument("providers.kubernetesgateway.labelselector").partition("=")
    assert kind["metadata"]["labels"][key] == value


def argument(name: str, namespace: str = "gateway", *more: dict) -> str:
    """What it is told by this name, or ""."""
    text = render("gateway", [VALUES / "gateway.yaml", *more], namespace)
    told = one(text, "Deployment")["spec"]["template"]["spec"]["containers"][0]["args"]
    return next((each.partition("=")[2] for each in told if each.startswith(f"--{name}=")), "")


def test_only_routes_of_named_namespaces() -> None:
    """The listener takes no others, and Traefik has no right to see them: no Secret of the cluster, but theirs."""
    text = render("gateway", [VALUES / "gateway.yaml", {"routes": {"namespaces": ["a", "b"]}}], "gateway")
    listener, = one(text, "Gateway")["spec"]["listeners"]
    accepted, = listener["allowedRoutes"]["namespaces"]["selector"]["matchExpressions"]
    assert (accepted["key"], accepted["operator"], accepted["values"]) == (
        "kubernetes.io/metadata.name", "In", ["a", "b"])
    assert argument("providers.kubernetesgateway.namespaces", "gateway", {"routes": {"namespaces": ["a", "b"]}}) == "gateway,a,b"
    roles = {each["metadata"]["namespace"]: each for each in objects(text, "Role")}
    assert set(roles) == {each["metadata"]["namespace"] for each in objects(text, "RoleBinding")} == {"gateway", "a", "b"}
    everywhere = one(text, "ClusterRole")["rules"]
    assert {resource for rule in everywhere for resource in rule["resources"]} == {
        "namespaces", "gatewayclasses", "gatewayclasses/status"}
    verbs = {verb for role in (*roles.values(), {"rules": everywhere}) for rule in role["rules"] for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch", "update"}
    writes = {resource for role in (*roles.values(), {"rules": everywhere}) for rule in role["rules"]
              for resource in rule["resources"] if "update" in rule["verbs"]}
    assert all(each.endswith("/status") for each in writes)


def test_the_listener_s_port_is_traefik_s_and_the_service_s() -> None:
    """Traefik finds its entry point by the number; whoever takes address and port from the Gateway gets in."""
    text = rendered("gateway", "demo")
    listener, = one(text, "Gateway")["spec"]["listeners"]
    assert argument("entrypoints.web.address") == f":{listener['port']}"
    assert [each["port"] for each in one(text, "Service")["spec"]["ports"]] == [listener["port"]]
    spec = one(text, "Deployment")["spec"]["template"]["spec"]
    allowed = {each["name"]: each["value"] for each in spec["securityContext"]["sysctls"]}
    assert int(allowed["net.ipv4.ip_unprivileged_port_start"]) <= listener["port"]


def test_where_its_address_comes_from() -> None:
    """From the load balancer; where nobody gives one it is the Service's name."""
    about = "providers.kubernetesgateway.statusaddress"
    assert (argument(f"{about}.service.name"), argument(f"{about}.hostname")) == ("gateway", "")
    port = {"service": {"type": "NodePort", "nodePort": 30080}}
    assert argument(f"{about}.service.name", "gateway", port) == ""
    assert argument(f"{about}.hostname", "gateway", port) == "gateway.gateway.svc"


@pytest.mark.parametrize("profile", PROFILES)
def test_nothing_of_its_own_is_reached(profile: str) -> None:
    """No API, no dashboard, no word to its makers; the Service has the users' port alone."""
    told = container(profile)["args"]
    assert not [each for each in told if re.match(r"--(api|providers\.(?!kubernetesgateway))", each)]
    assert {"--global.checknewversion=false", "--global.sendanonymoususage=false"} <= set(told)
    assert [each["name"] for each in one(rendered("gateway", profile), "Service")["spec"]["ports"]] == ["web"]


def test_whose_word_about_the_client_is_believed() -> None:
    """Nobody's, but of the proxies that are named."""
    name = "entrypoints.web.forwardedheaders.trustedips"
    assert argument(name) == ""
    assert argument(name, "gateway", {"trustedProxies": ["10.0.0.0/8", "192.0.2.0/24"]}) == "10.0.0.0/8,192.0.2.0/24"


@pytest.mark.parametrize("profile", PROFILES)
def test_it_ends_in_order(profile: str) -> None:
    """Before the kubelet kills it both waits are over; in production a load balancer has its 45 s."""
    spec = one(rendered("gateway", profile), "Deployment")["spec"]["template"]["spec"]
    values = [load(path) for path in files("gateway", profile)]
    drain = {key: int(value[:-1]) for each in values for key, value in each.get("drain", {}).items()}
    assert drain["accept"] + drain["finish"] < spec["terminationGracePeriodSeconds"]
    service = load(ROOT / f"charts/glassbox/values-{profile}.yaml").get("drain", {}).get("delay", "5s")
    assert drain["accept"] >= int(service[:-1])


def test_production_has_two() -> None:
    """With a budget, apart over zones and nodes; a demonstration has one."""
    for profile, count in (("demo", 1), ("production", 2)):
        text = rendered("gateway", profile)
        deployment = one(text, "Deployment")["spec"]
        assert deployment["replicas"] == count and len(objects(text, "PodDisruptionBudget")) == count - 1
        assert deployment["strategy"]["rollingUpdate"] == {"maxUnavailable": 0, "maxSurge": 1}
        assert {each["topologyKey"] for each in deployment["template"]["spec"]["topologySpreadConstraints"]} == {
            "topology.kubernetes.io/zone", "kubernetes.io/hostname"}


def test_the_ports_that_lead_to_it_from_a_laptop() -> None:
    """kind's mapped port, the node's, and the Service's are one number."""
    kind = yaml.safe_load((ROOT / "infra/cluster/kind.yaml").read_text())
    mapped, = [each for node in kind["nodes"] for each in node.get("extraPortMappings", [])]
    assert mapped["listenAddress"] == "127.0.0.1"
    for folder in ("values", "values-kind"):
        service = load(ROOT / f"infra/cluster/{folder}/gateway.yaml")["service"]
        assert (service["type"], service["nodePort"]) == ("NodePort", mapped["containerPort"])
