"""Images made without a registry, and their names."""

import hashlib
import io
import json
import re
import signal
import subprocess
import tarfile
import time
from pathlib import Path

import pytest
import yaml
from glassbox_cluster import images, oci, places, recipes
from glassbox_cluster.places import ROOT
from glassbox_cluster.refused import Refused

ROWS = {row.name: row for row in images.ROWS}


@pytest.fixture
def image(tmp_path: Path) -> oci.Image:
    """Of two files, a link, a folder."""
    program, data = tmp_path / "program", tmp_path / "data"
    program.write_bytes(b"#!")
    program.chmod(0o750)
    data.write_bytes(b"data")
    return oci.Image("localhost/some/thing:v1", ("/bin/program", "--flag"), {"/bin/program": program, "/a/b/data": data},
                     user=4711, links={"/bin/other": "/bin/program"}, folders=("/var/mine",))


def archive(image: oci.Image) -> bytes:
    target = io.BytesIO()
    oci.write(image, target)
    return target.getvalue()


def opened(data: bytes) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(data))


def content(tar: tarfile.TarFile, name: str) -> bytes:
    found = tar.extractfile(name)
    assert found
    return found.read()


def test_layout(image: oci.Image) -> None:
    """Every blob is what its name says, and all that is referred to is there."""
    tar = opened(archive(image))
    for name in tar.getnames():
        if name.startswith("blobs/sha256/"):
            assert hashlib.sha256(content(tar, name)).hexdigest() == name.rpartition("/")[2]

    def blob(descriptor: dict[str, object]) -> bytes:
        data = content(tar, str(descriptor["digest"]).replace("sha256:", "blobs/sha256/"))
        assert len(data) == descriptor["size"]
        return data

    index = json.loads(content(tar, "index.json"))
    assert index["manifests"][0]["annotations"]["io.containerd.image.name"] == "localhost/some/thing:v1"
    manifest = json.loads(blob(index["manifests"][0]))
    config = json.loads(blob(manifest["config"]))
    assert config["config"]["User"] == "4711:4711"
    assert config["config"]["Entrypoint"] == ["/bin/program", "--flag"]
    assert config["rootfs"]["diff_ids"] == [manifest["layers"][0]["digest"]]
    layer = {entry.name: entry for entry in opened(blob(manifest["layers"][0]))}
    assert layer["bin/program"].mode == 0o755 and layer["a/b/data"].mode == 0o644
    assert layer["bin/other"].linkname == "/bin/program"
    assert layer["var/mine"].uid == 4711 and layer["var"].uid == 0
    assert layer["tmp"].mode == 0o1777


def test_the_same_files_give_the_same_bytes(image: oci.Image) -> None:
    once = archive(image)
    for path in image.files.values():
        path.touch()
    assert archive(image) == once


def test_folders_come_before_what_is_in_them(image: oci.Image) -> None:
    seen: set[str] = set()
    tar = opened(archive(image))
    layer = next(name for name in tar.getnames() if tar.getmember(name).size > 5000)
    for entry in opened(content(tar, layer)):
        parent = entry.name.rpartition("/")[0]
        assert not parent or parent in seen
        assert entry.name not in seen
        seen.add(entry.name)


# What the charts ask for by default, with `localhost` for the registry: a new version of a chart or of a
# program that is not one of both shows here.
@pytest.mark.parametrize("name, image", [
    ("pause", "localhost/pause:1"),
    ("prometheus", "localhost/prometheus/prometheus:v3.15.0"),
    ("alertmanager", "localhost/prometheus/alertmanager:v0.28.1"),
    ("operator", "localhost/prometheus-operator/prometheus-operator:v0.93.1"),
    ("config-reloader", "localhost/prometheus-operator/prometheus-config-reloader:v0.93.1"),
    ("kube-state-metrics", "localhost/kube-state-metrics/kube-state-metrics:v2.20.0"),
    ("adapter", "localhost/prometheus-adapter/prometheus-adapter:v0.12.0"),
    ("metrics-server", "localhost/metrics-server/metrics-server:v0.7.2"),
    ("collector", "localhost/otel/opentelemetry-collector-contrib:0.162.0"),
    ("traefik", "localhost/traefik:v3.6.15"),
    ("k6", "localhost/grafana/k6:2.2.0"),
    ("tools", "localhost/tools:1"),
    ("webhook", "localhost/webhook:1"),
])
def test_names(name: str, image: str) -> None:
    assert ROWS[name].image == image


@pytest.mark.parametrize("name, values, path", [
    ("prometheus", "infra/cluster/values/kube-prometheus-stack.yaml", "prometheus.prometheusSpec.image.tag"),
    ("alertmanager", "infra/cluster/values/kube-prometheus-stack.yaml", "alertmanager.alertmanagerSpec.image.tag"),
    ("metrics-server", "charts/stack/values/metrics-server.yaml", "image.tag"),
    ("collector", "charts/stack/values/opentelemetry-collector.yaml", "image.tag"),
    ("traefik", "charts/stack/values/gateway.yaml", "image.tag"),
    ("tools", "infra/cluster/values/opentelemetry-collector.yaml", "reader.image.tag"),
    ("webhook", "infra/cluster/values/webhook.yaml", "image.tag"),
])
def test_charts_are_told_the_tags_that_are_made(name: str, values: str, path: str) -> None:
    found = yaml.safe_load((ROOT / values).read_text())
    for key in path.split("."):
        found = found[key]
    assert ROWS[name].image.endswith(f":{found}")


def test_charts_are_told_the_address_of_the_control_plane() -> None:
    values = yaml.safe_load((ROOT / "infra/cluster/values/kube-prometheus-stack.yaml").read_text())
    assert [values[part]["endpoints"] for part in ("kubeControllerManager", "kubeScheduler", "kubeEtcd", "kubeProxy")
            ] == [[places.NODE_IP]] * 4


def test_ours_has_our_version() -> None:
    assert ROWS["glassbox"].image == "localhost/glassbox:" + (ROOT / "telemetry/VERSION").read_text().strip()


def test_every_program_is_a_tool() -> None:
    rows = {line.split()[0] for line in (ROOT / ".ci/tools.sh").read_text().splitlines() if " .ci/tools/" in line}
    assert {need for row in images.ROWS for need in row.needs} <= rows


def test_unknown_names_are_refused() -> None:
    with pytest.raises(Refused, match="no image nothing, no-one; there are: pause coredns") as refused:
        images.chosen(["nothing", "pause", "no-one"])
    assert refused.value.status == 2


def test_the_service_is_built_anew_when_what_it_is_made_of_changes() -> None:
    """All that the Dockerfile copies is looked at, and nothing else is."""
    copied = {line.split()[1].rstrip("/") for line in (ROOT / "Dockerfile").read_text().splitlines()
              if line.startswith("COPY ") and "--from" not in line}
    allowed = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    looked_at = {str(path.relative_to(ROOT)) for path in recipes._sources()}  # pylint: disable=protected-access
    assert "src/main.c" in looked_at and "telemetry/VERSION" in looked_at
    for path in allowed:
        # The builder's packages are compared by their names: .ci/deps.sh has those of others, too.
        if not path.startswith(".ci/"):
            assert any(found == path or found.startswith(f"{path}/") for found in looked_at), path
    assert {found.partition("/")[0] for found in looked_at} <= copied | {"Dockerfile", "CMakeLists.txt", "CMakePresets.json"}


def test_pause_for_two_nodes_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One is compiled while another is about to be put in its place."""
    monkeypatch.setenv("GLASSBOX_CACHE", str(tmp_path))
    compiled = recipes._output  # pylint: disable=protected-access
    other: list[oci.Image] = []

    def output(*command: str) -> str:
        said = compiled(*command)
        monkeypatch.setattr(recipes, "_output", compiled)
        other.append(recipes.pause("other", []))
        return said

    monkeypatch.setattr(recipes, "_output", output)
    files = recipes.pause("one", []).files
    assert [image.files for image in other] == [files]
    assert list(tmp_path.iterdir()) == [files["/pause"]], "and no draft is left"


def test_pause_ends_when_asked_to() -> None:
    """By a handler: as process 1 of a pod it would not hear a signal that it has none for."""
    row = ROWS["pause"]
    made = row.make(row.image, [])
    assert isinstance(made, oci.Image)
    with subprocess.Popen([made.files["/pause"]]) as child:
        caught = 1 << (signal.SIGTERM - 1)
        deadline = time.monotonic() + 20
        while not int(re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{child.pid}/status").read_text())[1], 16) & caught:
            assert child.poll() is None and time.monotonic() < deadline
        child.terminate()
        assert child.wait(10) == 0
