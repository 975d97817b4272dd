"""compose.yaml without a Docker: what can be known of it by reading it and by trying its parts.

Its keys are those of the Compose specification, its versions are pinned, what it mounts is there, it
publishes on loopback only; and what it has the programs told is what they take, tried with the
programs that are here.
"""

import os
import re
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
import yaml

from command import ROOT, eventually, get
from glassbox_stack import ports, tools
from glassbox_stack.parts import GRAFANA, PARTS, Setup
from glassbox_stack.ports import DEFAULT

FILE = ROOT / "infra/local/compose.yaml"
COMPOSE = yaml.safe_load(FILE.read_text())
SERVICES = COMPOSE["services"]

# Of the Compose specification, as far as it is of use here. A key that is not among them is a typing
# error, or belongs here after a look at the specification.
TOP = {"name", "services", "volumes", "networks", "configs", "secrets", "include"}
SERVICE = {"image", "build", "command", "entrypoint", "environment", "env_file", "ports", "expose",
           "volumes", "depends_on", "logging", "init", "read_only", "working_dir", "user", "restart",
           "healthcheck", "networks", "tmpfs", "stop_grace_period", "profiles", "labels", "ulimits"}
BUILD = {"context", "dockerfile", "dockerfile_inline", "args", "target", "labels", "platforms"}
CONDITIONS = {"service_started", "service_healthy", "service_completed_successfully"}
PINNED = re.compile(r"[a-z0-9./-]+:v?\d+\.\d+\.\d+([.-][a-z0-9.-]+)?\Z")
PUBLISHED = re.compile(r"127\.0\.0\.1:(\d+):(\d+)\Z")
VARIABLE = re.compile(r"\$\{?(GLASSBOX_\w+)")


@pytest.fixture(scope="module")
def configured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the container `configure` writes, written."""
    folder = tmp_path_factory.mktemp("configured")
    command = [word.replace("/stack", str(folder)) for word in SERVICES["configure"]["command"]]
    command = [sys.executable if word == "python" else word for word in command]
    subprocess.run([plain(word) for word in command], cwd=ROOT, check=True)
    return folder


def plain(text: str) -> str:
    """With the defaults in place of the variables."""
    return re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)


def mounts() -> list[tuple[str, str, str]]:
    """(service, source, target) of all volumes."""
    return [(name, *volume.split(":")[:2]) for name, service in SERVICES.items()
            for volume in service.get("volumes", ())]


def flags(command: list[str]) -> dict[str, str]:
    """--flag=value, or --flag."""
    return dict(word.removeprefix("--").partition("=")[::2] for word in command if word.startswith("--"))


def local(name: str) -> list[str]:
    """What stack.py starts of this name."""
    setup = Setup(Path("/stack"), "real", 40, True, "otelcol", "grafana-server", dict(DEFAULT))
    return next(part for part in PARTS if part.name == name).command(setup)


def test_keys_are_of_the_specification():
    assert {key for key in COMPOSE if not key.startswith("x-")} <= TOP
    for name, service in SERVICES.items():
        assert set(service) <= SERVICE, name
        assert set(service.get("build", {})) <= BUILD, name
        assert "image" in service or "build" in service, name
        dependencies = service.get("depends_on", [])
        assert set(dependencies) <= set(SERVICES), name
        if isinstance(dependencies, dict):
            assert {value["condition"] for value in dependencies.values()} <= CONDITIONS, name


def test_each_part_of_the_stack_is_there():
    containers = {"service": "glassbox", "collector": "jaeger", "traces": "jaeger"}
    assert {containers.get(part.name, part.name) for part in PARTS} | {"configure"} == set(SERVICES)


def test_images_are_pinned():
    pulled = [service["image"] for service in SERVICES.values() if "build" not in service]
    built = re.findall(r"^FROM (\S+)", "\n".join(
        service["build"].get("dockerfile_inline", "") for service in SERVICES.values() if "build" in service), re.M)
    assert len(pulled) == 4 and built
    for image in (*pulled, *built):
        assert PINNED.match(image), image


def test_only_loopback_is_published_and_where_people_expect_it():
    published = [port for service in SERVICES.values() for port in service.get("ports", ())]
    matches = [PUBLISHED.match(port) for port in published]
    assert all(matches), published
    assert all(match[1] == match[2] for match in matches)
    assert {int(match[1]) for match in matches} == set(DEFAULT.values()) - {DEFAULT["collector"]}


def test_what_is_mounted_is_there():
    named = set(COMPOSE["volumes"])
    for name, source, _ in mounts():
        assert source in named or (FILE.parent / source).exists(), f"{name}: {source}"
    for name, service in SERVICES.items():
        build = service.get("build")
        if build:
            assert (FILE.parent / build["context"]).is_dir(), name
            if "dockerfile" in build:
                assert (FILE.parent / build["context"] / build["dockerfile"]).exists()
    copied = re.search(r"^\s*COPY (\S+)", SERVICES["load"]["build"]["dockerfile_inline"], re.M)[1]
    assert (FILE.parent / SERVICES["load"]["build"]["context"] / copied).exists()


def test_only_configure_writes_into_the_shared_volume():
    writers = {name for name, service in SERVICES.items() for volume in service.get("volumes", ())
               if not volume.endswith(":ro")}
    assert writers == {"configure"}


def test_files_that_are_named_are_written(configured):
    named = {word for service in SERVICES.values() for text in service.get("command", ())
             for word in re.findall(r"/stack/([\w.-]+)", text)}
    assert named == {"faults.json", "fault-token", "webhook-token", "alertmanager.yml", "prometheus.yml"}
    for name in named:
        assert (configured / name).stat().st_mode & 0o044 == 0o044, f"{name}: other users must read it"


def test_configure_leaves_a_folder_of_others_alone(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    run = subprocess.run([sys.executable, ROOT / "infra/local/configure.py", tmp_path],
                         capture_output=True, text=True, check=False)
    assert run.returncode == 2 and "holds other things than a stack's" in run.stderr
    assert [entry.name for entry in tmp_path.iterdir()] == ["thesis.txt"]


def test_addresses_are_the_containers(configured):
    targets = [target for job in yaml.safe_load((configured / "prometheus.yml").read_text())["scrape_configs"]
               for group in job["static_configs"] for target in group["targets"]]
    assert targets == ["glassbox:8081", "prometheus:9090", "alertmanager:9093"]
    receivers = yaml.safe_load((configured / "alertmanager.yml").read_text())["receivers"]
    urls = {hook["url"] for receiver in receivers for hook in receiver["webhook_configs"]}
    assert urls == {"http://webhook:9099/alerts", "http://webhook:9099/heartbeat"}
    rules = "".join(path.read_text() for path in (configured / "rules").glob("*.yaml"))
    assert "runbook_url: http://localhost:9099/runbooks/" in rules
    assert "127.0.0.1" not in rules


def test_prometheus_and_alertmanager_take_their_files(configured):
    for command in (["promtool", "check", "config", configured / "prometheus.yml"],
                    ["amtool", "check-config", configured / "alertmanager.yml"]):
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("name", ["prometheus", "alertmanager"])
def test_flags_are_those_of_the_local_stack(name):
    ours, theirs = flags(local(name)), flags(SERVICES[name]["command"])
    theirs.setdefault("web.listen-address", "")  # a container's own
    assert set(ours) == set(theirs)
    where = {"web.listen-address", "web.external-url", "storage.tsdb.path", "storage.path"}
    assert {key: ours[key] for key in ours if key not in where} == \
        {key: theirs[key] for key in theirs if key not in where}


@pytest.mark.parametrize("name, ready", [("prometheus", "/-/ready"), ("alertmanager", "/-/ready")])
def test_their_newer_versions_take_arguments_and_files(configured, tmp_path, name, ready):
    """The local stack runs Debian's; the images are newer. So are those that .ci/tools.sh builds."""
    binary = os.environ.get(f"{name.upper()}_BIN", "")
    assert not binary.startswith("broken"), binary
    if not binary.startswith("/"):
        pytest.skip(f"needs {name.upper()}_BIN, a {name} of the image's major version: {binary or 'not given'}")
    port = ports.free()[name]
    command = [word.replace("/stack", str(configured)) for word in SERVICES[name]["command"]]
    command = [re.sub(r"^(--storage[a-z.]*path)=.*", rf"\1={tmp_path}/data", word) for word in command]
    with open(tmp_path / "log", "wb") as log, subprocess.Popen(
            [binary, *command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log) as process:
        try:
            def is_ready() -> bool:
                try:
                    with urllib.request.urlopen(f"http://127.0.0.1:{port}{ready}", timeout=2) as response:
                        return response.status == 200
                except OSError:
                    return False
            assert eventually(lambda: is_ready() or process.poll() is not None, 60)
            assert is_ready(), (tmp_path / "log").read_text()
            if name == "prometheus":
                groups = get(f"http://127.0.0.1:{port}/api/v1/rules")["data"]["groups"]
                assert {Path(group["file"]).name for group in groups} == \
                    {path.name for path in (configured / "rules").glob("*.yaml")}
        finally:
            process.kill()


def test_service_takes_its_arguments(configured):
    command = [word.replace("/stack", str(configured)).replace("=:", "=127.0.0.1:")
               for word in SERVICES["glassbox"]["command"]]
    run = subprocess.run([tools.service(), *command, "--print-config"], capture_output=True, text=True,
                         check=False, env={key: str(value) for key, value in
                                           SERVICES["glassbox"]["environment"].items()})
    assert run.returncode == 0, run.stderr
    ours, theirs = local("service"), SERVICES["glassbox"]["command"]
    for name in ("max-connections", "random-error-seed"):
        assert ours[ours.index(f"--{name}") + 1] == flags(theirs)[name]


@pytest.mark.parametrize("name", ["webhook", "load"])
def test_python_parts_take_their_arguments(name):
    """--help at the end is heard only if the values before it are understood, and says all names."""
    command = [sys.executable if word == "python" else plain(word) for word in SERVICES[name]["command"]]
    words = [word for word in command[3:] if word.startswith("--")]
    known = subprocess.run([*command, "--help"], cwd=ROOT, text=True, capture_output=True, check=True,
                           env={"PYTHONPATH": str(ROOT / "alerts"), "PYTHONDONTWRITEBYTECODE": "1"}).stdout
    assert words and all(word in known for word in words)


def test_grafana_is_set_up_as_in_the_local_stack():
    theirs = {key: str(value) for key, value in SERVICES["grafana"]["environment"].items()}
    assert {key: theirs.get(key) for key in GRAFANA} == GRAFANA
    provisioned = [path for path in (FILE.parent / "grafana").rglob("*.yaml")]
    assert len(provisioned) == 3
    wanted = {name for path in provisioned for name in VARIABLE.findall(path.read_text())}
    assert wanted == {name for name in theirs if name.startswith("GLASSBOX_")}


def test_docker_agrees():
    """Where there is a Docker with Compose, its own reading of the file."""
    docker = shutil.which("docker")
    if not docker or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("no docker compose here")
    run = subprocess.run([docker, "compose", "-f", FILE, "config", "--quiet"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
