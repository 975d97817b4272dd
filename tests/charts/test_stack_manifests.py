"""Our own manifests: metrics-server, the Collector, the webhook."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
import yaml
from rendering import objects, one
from stack_charts import OURS, PROFILES, PUBLIC, ROOT, VALUES, files, load, put, render, rendered

TEMPO = {"tempo": {"endpoint": "http://tempo.traces.svc:4318"}}


def pod(text: str) -> dict:
    """The pod of the only Deployment."""
    return one(text, "Deployment")["spec"]["template"]["spec"]


@pytest.mark.parametrize("overlay", [False, True])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", OURS)
def test_restricted(name: str, profile: str, overlay: bool) -> None:
    """What Pod Security `restricted` asks for, a root file system that cannot be written, bounds for memory,
    and never `latest`."""
    spec = pod(rendered(name, profile, overlay))
    assert spec["securityContext"]["runAsNonRoot"] is True and spec["securityContext"]["runAsUser"] > 0
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not {"hostNetwork", "hostPID", "hostIPC"} & set(spec)
    assert all(set(volume) & {"configMap", "secret", "emptyDir"} for volume in spec.get("volumes", []))
    for container in spec["containers"]:
        assert container["securityContext"] == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                                                "capabilities": {"drop": ["ALL"]}}
        assert container["resources"]["limits"]["memory"] and "cpu" not in container["resources"]["limits"]
        tag = container["image"].rpartition("/")[2].partition(":")[2]
        assert tag not in ("", "latest"), container["image"]


@pytest.mark.parametrize("name", ["webhook", "opentelemetry-collector"])
def test_no_token_of_the_api(name: str) -> None:
    """Neither asks the API server anything."""
    assert pod(rendered(name, "demo"))["automountServiceAccountToken"] is False


def test_services_lead_to_the_pods() -> None:
    """Their selectors are the pods' labels, their target ports the containers' names."""
    for name in OURS:
        text = rendered(name, "demo")
        service, template = one(text, "Service")["spec"], one(text, "Deployment")["spec"]["template"]
        assert service["selector"].items() <= template["metadata"]["labels"].items()
        ports = {port["name"] for each in template["spec"]["containers"] for port in each.get("ports", [])}
        assert {each["targetPort"] for each in service["ports"]} <= ports


def config(text: str) -> dict:
    """The Collector's configuration."""
    return yaml.safe_load(one(text, "ConfigMap")["data"]["config.yaml"])


def test_the_collector_writes_a_file_that_can_be_read() -> None:
    """OTLP in over both protocols; the file on a volume with room for all its generations, which a container
    with a shell reads."""
    text = rendered("opentelemetry-collector", "demo")
    said = config(text)
    assert set(said["receivers"]["otlp"]["protocols"]) == {"grpc", "http"}
    pipeline = said["service"]["pipelines"]["traces"]
    assert pipeline == {"receivers": ["otlp"], "processors": ["memory_limiter", "batch"], "exporters": ["file"]}
    assert set(said["exporters"]) == {"file"} and said["service"]["extensions"] == ["health_check"]
    spec = pod(text)
    (volume,) = [each["emptyDir"]["sizeLimit"] for each in spec["volumes"] if each["name"] == "traces"]
    rotation = said["exporters"]["file"]["rotation"]
    assert (rotation["max_backups"] + 1) * rotation["max_megabytes"] < int(volume.removesuffix("Mi"))
    folder = str(Path(said["exporters"]["file"]["path"]).parent)
    mounts = {each["name"]: [mount for mount in each["volumeMounts"] if mount["name"] == "traces"]
              for each in spec["containers"]}
    assert [mount["mountPath"] for each in mounts.values() for mount in each] == [folder, folder]
    assert mounts["reader"][0]["readOnly"] is True
    assert one(text, "Deployment")["spec"]["strategy"] == {"type": "Recreate"}


def test_the_collector_sends_to_tempo() -> None:
    """Then there is no file, and nobody to read it."""
    text = render("opentelemetry-collector", [VALUES / "opentelemetry-collector.yaml", TEMPO])
    said = config(text)
    assert said["exporters"] == {"otlp_http": {"endpoint": TEMPO["tempo"]["endpoint"]}}
    assert said["service"]["pipelines"]["traces"]["exporters"] == ["otlp_http"]
    assert [each["name"] for each in pod(text)["containers"]] == ["collector"]
    assert "/traces" not in text


@pytest.mark.parametrize("more", [{}, TEMPO], ids=["file", "tempo"])
def test_the_collector_accepts_it(more: dict, tmp_path: Path) -> None:
    """A real one, built of the parts that it names."""
    program = os.environ.get("OTELCOL_BIN")
    if not program:
        pytest.skip("no OTELCOL_BIN: whether the Collector takes its configuration stays unproved")
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(config(render("opentelemetry-collector", [
        VALUES / "opentelemetry-collector.yaml", more]))))
    done = subprocess.run([program, "validate", f"--config={path}"], capture_output=True, text=True, timeout=60,
                          env=os.environ | {"POD_IP": "127.0.0.1"}, check=False)
    assert done.returncode == 0, done.stderr


def mebibytes(text: str) -> int:
    """`256Mi`, `192MiB` -> 256, 192."""
    return int(text.removesuffix("B").removesuffix("Mi"))


def test_the_collector_refuses_before_it_is_killed() -> None:
    """Go collects, then the limiter refuses, then the kernel kills: in this order."""
    values = load(VALUES / "opentelemetry-collector.yaml")
    limit = mebibytes(values["resources"]["limits"]["memory"])
    hard = limit * values["memoryLimiter"]["percentage"] / 100
    assert mebibytes(values["goMemLimit"]) < hard < limit
    assert values["memoryLimiter"]["spikePercentage"] < values["memoryLimiter"]["percentage"]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_collector_is_scraped(profile: str) -> None:
    """As job opentelemetry-collector, at the port where its own metrics are."""
    text = rendered("opentelemetry-collector", profile)
    monitor, service = one(text, "ServiceMonitor")["spec"], one(text, "Service")
    assert monitor["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert service["metadata"]["labels"][monitor["jobLabel"]] == "opentelemetry-collector"
    ports = {each["name"]: each["port"] for each in service["spec"]["ports"]}
    reader = config(text)["service"]["telemetry"]["metrics"]["readers"][0]["pull"]["exporter"]["prometheus"]
    assert ports[monitor["endpoints"][0]["port"]] == reader["port"] == 8888


def test_where_glassbox_finds_the_collector() -> None:
    """At the Service's name and the port of OTLP over HTTP."""
    from glassbox_install.parts import PARTS, Wish, derived
    wish = Wish("demo", "glassbox", "glassbox", "watch", None, (), ())
    service = one(render("opentelemetry-collector", [], "watch"), "Service")
    ports = {each["name"]: each["port"] for each in service["spec"]["ports"]}
    found = derived(PARTS[-1], wish)["otlp"]["endpoint"]
    assert found == f"http://{service['metadata']['name']}.watch.svc:{ports['otlp-http']}"


def test_the_webhook_is_the_repository_s() -> None:
    """Its program as it is in alerts/webhook, all of it; at the address that Alertmanager is told, with the
    token that both are given."""
    text = rendered("webhook", "demo")
    program = ROOT / "alerts/webhook"
    assert one(text, "ConfigMap")["data"] == {path.name: path.read_text() for path in program.glob("*.py")}
    receivers = load(ROOT / "alerts/alertmanager/values.demo.yaml")["alertmanager"]["config"]["receivers"]
    service = one(text, "Service")
    address = f"http://{service['metadata']['name']}:{service['spec']['ports'][0]['port']}/"
    assert [each["webhook_configs"][0]["url"].startswith(address) for each in receivers] == [True] * 4
    (token,) = [each["secret"] for each in pod(text)["volumes"] if "secret" in each]
    file = receivers[0]["webhook_configs"][0]["http_config"]["authorization"]["credentials_file"]
    assert file == f"/etc/alertmanager/secrets/{token['secretName']}/{token['items'][0]['key']}"


@pytest.mark.parametrize("profile", PROFILES)
def test_metrics_server_may_start(profile: str) -> None:
    """It ends at once unless its resolution is above the kubelet's timeout, and at least 10 s."""
    arguments = pod(rendered("metrics-server", profile))["containers"][0]["args"]
    said = dict(each.removeprefix("--").split("=") for each in arguments if "=" in each)
    assert int(said["metric-resolution"][:-1]) >= 10
    assert int(said["metric-resolution"][:-1]) > int(said["kubelet-request-timeout"][:-1])


def test_metrics_server_checks_certificates_but_in_a_demonstration() -> None:
    """kind's kubelets sign their own; the node here has proper ones."""
    insecure = [(profile, overlay) for profile in PROFILES for overlay in (False, True)
                if "--kubelet-insecure-tls" in rendered("metrics-server", profile, overlay)]
    assert insecure == [("demo", False)]


@pytest.mark.parametrize("overlay", [False, True])
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", [*OURS, *PUBLIC])
def test_the_api_takes_it(name: str, profile: str, overlay: bool) -> None:
    """Every object against its schema, strictly. Two kinds have none in SCHEMAS_DIR: Endpoints, which a chart makes only
    for a control plane outside of pods, and GatewayClass. They are counted."""
    program, schemas = os.environ.get("KUBECONFORM_BIN"), os.environ.get("SCHEMAS_DIR")
    if not program or not schemas:
        pytest.skip("no KUBECONFORM_BIN or SCHEMAS_DIR: whether the API takes what is rendered stays unproved")
    done = subprocess.run(
        [program, "-strict", "-summary", "-skip", "Endpoints,GatewayClass",
         "-schema-location", f"{schemas}/core/{{{{ .ResourceKind }}}}{{{{ .KindSuffix }}}}.json",
         "-schema-location", f"{schemas}/crd/{{{{ .Group }}}}/{{{{ .ResourceKind }}}}_{{{{ .ResourceAPIVersion }}}}.json"],
        input=rendered(name, profile, overlay), capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    kinds = [each["kind"] for each in objects(rendered(name, profile, overlay))]
    without = kinds.count("Endpoints") + kinds.count("GatewayClass")
    assert without == {"kube-prometheus-stack": 4 if overlay else 0, "gateway": 1}.get(name, 0)
    assert f"Valid: {len(kinds) - without}, Invalid: 0, Errors: 0, Skipped: {without}" in done.stdout


def test_install_layers_what_is_tested_here() -> None:
    """The same files in the same order."""
    from glassbox_install.parts import PARTS, Wish, layers
    from stack_charts import OVERLAY
    for part in PARTS[:-1]:
        for profile in PROFILES:
            wish = Wish(profile, "glassbox", "glassbox", "monitoring", OVERLAY, (), ())
            arguments, stdin = layers(part, wish)
            assert [each for each in arguments[1::2] if each != "-"] == [
                str(path) for path in files(part.name, profile, True)]
            assert bool(stdin) == (part.name == "gateway")  # which is told of whose routes


def test_put_and_without() -> None:
    """The tests' own tools."""
    from stack_charts import leaves, without
    document = {"a": {"b": 1, "c": {}}, "d": [1]}
    assert list(leaves(document)) == [(("a", "b"), 1), (("a", "c"), {}), (("d",), [1])]
    assert without(document, ("a", "b")) == {"a": {"c": {}}, "d": [1]}
    assert put(document, ("a", "x"), 2)["a"] == {"b": 1, "c": {}, "x": 2}
