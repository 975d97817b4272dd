"""What publish refuses, and what it leaves in a real registry: tags that do not move, an index of two architectures."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from conftest import Tree

DIGEST = "sha256:" + "ab" * 32
GOOD = "registry.example.org/team/glassbox"

# In place of the real build, which takes minutes: an image of the machine that `uname` says, with dpkg's entries as the
# real one has them, and the time in it, so that no two builds are the same.
IMAGE_SH = """#!/usr/bin/env bash
set -euo pipefail
[ "$1" = --archive ]
case $(uname -m) in x86_64) arch=amd64 ;; *) arch=arm64 ;; esac
echo built >>build/builds
root=$(mktemp -d) entries=var/lib/dpkg/status.d
mkdir -p "$root/$entries" "$root/etc"
printf 'ID=debian\\nVERSION_ID="12"\\nNAME="Debian"\\n' >"$root/etc/os-release"
date +%s.%N >"$root/when"
for package in $PACKAGES; do
    printf 'Package: %s\\nStatus: install ok installed\\nVersion: 1.0-1\\nArchitecture: %s\\nMaintainer: t <t@example.org>\\n' \
        "$package" "$arch" >"$root/$entries/$package"
done
container=$(buildah from --arch "$arch" scratch)
buildah copy --quiet "$container" "$root" / >/dev/null
buildah config --arch "$arch" --os linux "$container"
image=$(buildah commit --quiet --rm "$container")
buildah push --quiet "$image" "oci-archive:$2:$3"
buildah rmi "$image" >/dev/null
"""
UNAME = """#!/bin/sh
echo "${MACHINE:-x86_64}"
"""
LINKED = "libssl-dev libc6-dev"


@pytest.fixture(name="world")
def a_world(tree: Tree, registry: str, tmp_path: Path) -> Tree:
    """A tree whose images are quickly built, and a repository of its own in the registry."""
    tried = subprocess.run(["buildah", "from", "scratch"], capture_output=True, text=True, check=False)
    if tried.returncode:
        pytest.skip(f"buildah cannot work here: {tried.stderr.splitlines()[-1]}")
    subprocess.run(["buildah", "rm", tried.stdout.strip()], capture_output=True, check=True)
    tree.write(".ci/image.sh", IMAGE_SH, 0o755)
    tree.commit("quick images")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "uname").write_text(UNAME, encoding="utf-8")
    (programs / "uname").chmod(0o755)
    tree.environment |= {
        "IMAGE_REPOSITORY": f"{registry}/team/{tmp_path.name.replace('_', '-')}",
        "PACKAGES": LINKED,
        "PATH": f"{programs}:{os.environ['PATH']}",
    }
    return tree


def stored(name: str) -> tuple[str, dict[str, Any]]:
    """The digest of what a registry has under a name, and the manifest."""
    raw = subprocess.run(["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{name}"], capture_output=True, check=True)
    return "sha256:" + hashlib.sha256(raw.stdout).hexdigest(), json.loads(raw.stdout)


def test_one_name_for_two_architectures(world: Tree) -> None:
    repository, commit = world.environment["IMAGE_REPOSITORY"], world.out("git", "rev-parse", "HEAD")
    assert ".ci/publish.sh image" in world.refused(".ci/publish.sh", "index", "amd64", "arm64")
    one = world.out(".ci/publish.sh", "image")
    other = world.out(".ci/publish.sh", "image", MACHINE="aarch64")
    index = world.out(".ci/publish.sh", "index", "amd64", "arm64")
    digest, manifest = stored(f"{repository}:git-{commit}")
    assert index == f"{repository}@{digest}"
    assert {(entry["platform"]["architecture"], f"{repository}@{entry['digest']}") for entry in manifest["manifests"]} == {
        ("amd64", one),
        ("arm64", other),
    }
    assert one != other and stored(one)[0] == one.split("@")[1]
    published = {file.name: file.read_text(encoding="utf-8").strip() for file in (world.root / "build/publish").iterdir()}
    assert published == {"amd64.digest": one.split("@")[1], "arm64.digest": other.split("@")[1], "digest": digest, "image": index,
                         "amd64.built": "true", "arm64.built": "true", "built": "true"}

    # A second run takes what is there, and builds nothing.
    assert world.out(".ci/publish.sh", "image") == one
    assert world.out(".ci/publish.sh", "index", "arm64", "amd64") == index
    said = {name: (world.root / f"build/publish/{name}").read_text(encoding="utf-8").strip() for name in ("amd64.built", "built")}
    assert said == {"amd64.built": "false", "built": "false"}
    assert (world.root / "build/builds").read_text(encoding="utf-8").count("built") == 2
    assert "of amd64 arm64, and tags are not moved" in world.refused(".ci/publish.sh", "index", "amd64")

    # A release is a further name for the same.
    assert world.out(".ci/publish.sh", "tag", "v0.1.0") == f"{repository}:v0.1.0@{digest}"
    assert stored(f"{repository}:v0.1.0")[0] == digest
    world.out(".ci/publish.sh", "tag", "v0.1.0")
    assert world.commit("the next") != commit
    world.out(".ci/publish.sh", "image")
    assert world.out(".ci/publish.sh", "index", "amd64") != index
    assert f"v0.1.0 is {digest} already, and tags are not moved" in world.refused(".ci/publish.sh", "tag", "v0.1.0")
    assert stored(f"{repository}:v0.1.0")[0] == digest


def signed(world: Tree, image: str) -> None:
    """Something lies where a signature would."""
    repository, _, digest = image.partition("@sha256:")
    world.out("skopeo", "copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false", f"docker://{image}",
              f"docker://{repository}:sha256-{digest}.sig")


def test_the_newest_that_is_built_and_signed(world: Tree) -> None:
    """Whichever commit asks: a later one may be ready before an earlier, or not be ready yet."""
    first = world.out("git", "rev-parse", "HEAD")
    got = world.run(".ci/publish.sh", "newest", first)
    assert got.returncode == 1 and f"no signed image of a commit from {first} to {first}" in got.stderr
    images = {}
    for number in range(4):
        commit = world.commit(f"push {number}")
        if number != 2:
            world.out(".ci/publish.sh", "image")
            images[commit] = world.out(".ci/publish.sh", "index", "amd64")
    one, other, unsigned = images
    signed(world, images[one])
    signed(world, images[other])
    assert world.out(".ci/publish.sh", "newest", first) == f"commit={other}\nimage={images[other]}"
    assert world.run(".ci/publish.sh", "newest", unsigned).returncode == 1
    signed(world, images[unsigned])
    for since in (first, one, unsigned):
        assert world.out(".ci/publish.sh", "newest", since) == f"commit={unsigned}\nimage={images[unsigned]}"
    world.out("git", "checkout", "--quiet", one)
    assert "is not among those that lead to" in world.refused(".ci/publish.sh", "newest", other)


def test_what_goes_to_prod_has_a_name_of_its_own(world: Tree, registry_log: Path) -> None:
    """And so has its signature: by that the registry keeps both. Whoever gives it needs no right to push anything new."""
    repository, commit = world.environment["IMAGE_REPOSITORY"], world.out("git", "rev-parse", "HEAD")
    world.out(".ci/publish.sh", "image")
    one = world.out(".ci/publish.sh", "index", "amd64")
    signed(world, one)
    world.commit("the next")
    world.out(".ci/publish.sh", "image")
    other = world.out(".ci/publish.sh", "index", "amd64")
    assert f"{other} is not commit {commit}'s image, {one}" in world.refused(".ci/publish.sh", "promoted", commit, other)
    assert "which is not there" in world.refused(".ci/publish.sh", "promoted", "ab" * 20, one)

    begin = len(registry_log.read_text(encoding="utf-8"))
    name = f"{repository}:prod-{commit[:12]}"
    assert world.out(".ci/publish.sh", "promoted", commit, one) == f"{name}@{one.split('@')[1]}"
    assert f"{repository}@{stored(name)[0]}" == one
    assert stored(f"{name}.sig") == stored(f"{repository}:{one.split('@')[1].replace(':', '-')}.sig")
    world.out(".ci/publish.sh", "promoted", commit, one)
    asked = set(re.findall(r"http.request.method=(\w+) http.request.remoteaddr=\S+ http.request.uri=\"?/v2/\S+?/(manifests|blobs)/",
                           registry_log.read_text(encoding="utf-8")[begin:]))
    # As ECR calls them: BatchGetImage, GetDownloadUrlForLayer, BatchCheckLayerAvailability; and PutImage.
    assert ("PUT", "manifests") in asked and asked <= {("GET", "manifests"), ("GET", "blobs"), ("HEAD", "manifests"), ("HEAD", "blobs"),
                                                        ("PUT", "manifests")}

    # What nobody has signed has a name as well.
    assert world.out(".ci/publish.sh", "tag", "v0.1.0").endswith(other.split("@")[1])
    assert "manifest unknown" in world.run("skopeo", "inspect", "--tls-verify=false", f"docker://{repository}:v0.1.0.sig").stderr


def test_what_comes_back_is_what_was_pushed(world: Tree, tmp_path: Path) -> None:
    """Pulled by digest, by another program, layers and all."""
    image = world.out(".ci/publish.sh", "image")
    subprocess.run(["skopeo", "copy", "--quiet", "--src-tls-verify=false", f"docker://{image}", f"dir:{tmp_path}/pulled"], check=True)
    manifest = (tmp_path / "pulled/manifest.json").read_bytes()
    assert image.endswith(hashlib.sha256(manifest).hexdigest())
    for layer in json.loads(manifest)["layers"]:
        content = (tmp_path / "pulled" / layer["digest"].removeprefix("sha256:")).read_bytes()
        assert layer["digest"] == "sha256:" + hashlib.sha256(content).hexdigest()


def test_the_list_of_what_is_in_it(world: Tree) -> None:
    world.out(".ci/publish.sh", "image")
    world.out(".ci/publish.sh", "sbom", "amd64")
    listed = json.loads((world.root / "build/publish/sbom-amd64.spdx.json").read_text(encoding="utf-8"))
    assert listed["spdxVersion"].startswith("SPDX-2")
    found = {package["name"]: package["versionInfo"] for package in listed["packages"] if "versionInfo" in package}
    assert found.items() >= {"libssl-dev": "1.0-1", "libc6-dev": "1.0-1"}.items()
    assert any("pkg:deb/debian/libssl-dev" in json.dumps(package) for package in listed["packages"])


def test_a_list_that_misses_what_is_linked_in_is_none(world: Tree) -> None:
    world.out(".ci/publish.sh", "image", PACKAGES="libc6-dev")
    got = world.run(".ci/publish.sh", "sbom", "amd64")
    assert got.returncode == 1 and "names neither OpenSSL nor libc" in got.stderr


def test_what_is_not_committed_is_not_published(world: Tree) -> None:
    world.write("stray", "")
    assert "the work tree is not what commit" in world.refused(".ci/publish.sh", "image")


def test_a_registry_that_does_not_answer_is_not_an_empty_one(world: Tree) -> None:
    got = world.run(".ci/publish.sh", "image", IMAGE_REPOSITORY="127.0.0.1:1/team/glassbox")
    assert got.returncode not in (0, 2) and "connection refused" in got.stderr
    assert not (world.root / "build/builds").exists()


BAD_NAMES = ["glassbox", "team/glassbox", "https://example.org/x", "example.org/x:1", f"example.org/x@{DIGEST}", "example.org/X", "-/x"]


@pytest.mark.parametrize("name", BAD_NAMES)
def test_a_repository_that_is_none(tree: Tree, name: str) -> None:
    assert f"IMAGE_REPOSITORY is '{name}'" in tree.refused(".ci/publish.sh", "image", IMAGE_REPOSITORY=name)


REFUSED = {
    (): "no such command: ''; there are login, image, index, sbom, sign, verify, tag, promoted, newest",
    ("push",): "no such command: 'push'",
    ("index",): "which architectures? amd64, arm64",
    ("index", "amd64", "riscv64"): "no such architecture: riscv64",
    ("sbom", "x86_64"): "no such architecture: x86_64",
    ("tag",): "which tag?",
    ("tag", "-v1"): "'-v1' is no tag",
    ("tag", "a:b"): "'a:b' is no tag",
    ("tag", "latest"): "'latest' says nothing",
    ("promoted", "ab" * 20): "which commit, and which image?",
    ("promoted", "abc", f"{GOOD}@{DIGEST}"): "40 hexadecimal digits",
    ("promoted", "ab" * 20, f"{GOOD}:v1"): f"'{GOOD}:v1' is not NAME@sha256",
    ("newest",): "since which commit?",
    ("newest", "nothing"): "there is no commit nothing here",
    ("sign",): "what? NAME@sha256",
    ("sign", f"{GOOD}:v1"): f"'{GOOD}:v1' is not NAME@sha256",
    ("verify", f"{GOOD}@sha256:abc"): "with 64 hexadecimal digits",
}


@pytest.mark.parametrize("arguments", REFUSED, ids=" ".join)
def test_a_command_that_is_refused(tree: Tree, arguments: tuple[str, ...]) -> None:
    assert REFUSED[arguments] in tree.refused(".ci/publish.sh", *arguments, IMAGE_REPOSITORY=GOOD)


def test_no_repository_at_all(tree: Tree) -> None:
    assert "IMAGE_REPOSITORY is not set" in tree.refused(".ci/publish.sh", "image")


def test_a_machine_without_images(tree: Tree, tmp_path: Path) -> None:
    tree.write("bin/uname", UNAME, 0o755)
    path = f"{tree.root}/bin:/usr/bin:/bin"
    said = tree.refused(".ci/publish.sh", "image", IMAGE_REPOSITORY=GOOD, MACHINE="riscv64", PATH=path)
    assert "no image for a machine of type riscv64" in said


def test_a_user_without_a_password(tree: Tree) -> None:
    said = tree.refused(".ci/publish.sh", "login", IMAGE_REPOSITORY=GOOD, REGISTRY_USER="someone", REGISTRY_PASSWORD="")
    assert "REGISTRY_USER is set and REGISTRY_PASSWORD is not" in said


def test_ecr_is_logged_in_to_by_the_identity_at_hand(tree: Tree) -> None:
    """aws and skopeo are stand-ins, which tell what they were given."""
    tree.write("bin/aws", '#!/bin/sh\necho "aws $*" >&2\necho secret\n', 0o755)
    tree.write("bin/skopeo", '#!/bin/sh\necho "skopeo $* with $(cat)" >&2\n', 0o755)
    host = "123456789012.dkr.ecr.eu-central-1.amazonaws.com"
    got = tree.run(".ci/publish.sh", "login", IMAGE_REPOSITORY=f"{host}/glassbox", PATH=f"{tree.root}/bin:/usr/bin:/bin")
    assert got.returncode == 0
    assert "aws ecr get-login-password --region eu-central-1" in got.stderr
    assert f"skopeo login --username AWS --password-stdin {host} with secret" in got.stderr


@pytest.mark.parametrize(("codes", "status"), [("0", 0), ("10 0", 0), ("12 13", 1), ("1", 3), ("10 1", 3), ("11", 3)])
def test_not_signed_is_told_from_could_not_ask(tree: Tree, tmp_path: Path, codes: str, status: int) -> None:
    """A cosign that ends as it may, a time for each signer: a registry that does not answer has not said that there is none."""
    log = tmp_path / "log"
    tree.write("bin/cosign", f'#!/bin/bash\necho "$*" >>{log}\ncodes=({codes})\nexit "${{codes[$(wc -l <{log}) - 1]}}"\n', 0o755)
    given = {"IMAGE_REPOSITORY": GOOD, "SIGNERS": "https://one https://two", "PATH": f"{tree.root}/bin:{os.environ['PATH']}"}
    assert tree.run(".ci/publish.sh", "verify", f"{GOOD}@{DIGEST}", **given).returncode == status
    asked = log.read_text(encoding="utf-8").splitlines()
    assert [line.split("--certificate-identity ")[1].split()[0] for line in asked] == ["https://one", "https://two"][: len(codes.split())]


def test_signed_and_verified_with_a_key(world: Tree, cosign: str, tmp_path: Path) -> None:
    """Keyless needs GitHub; what is signed, where the signature goes and that another key is refused, do not."""
    path = {"PATH": f"{Path(cosign).parent}:{world.environment['PATH']}", "COSIGN_PASSWORD": "for a test"}
    for name in ("ours", "theirs"):
        world.out(cosign, "generate-key-pair", "--output-key-prefix", str(tmp_path / name), **path)
    world.out(".ci/publish.sh", "image")
    image = world.out(".ci/publish.sh", "index", "amd64")
    ours, theirs = ({**path, "COSIGN_KEY": str(tmp_path / f"{name}")} for name in ("ours.pub", "theirs.pub"))
    assert world.run(".ci/publish.sh", "verify", image, **ours).returncode == 1
    assert world.run(".ci/publish.sh", "newest", "HEAD").returncode == 1
    world.out(".ci/publish.sh", "sign", image, **path, COSIGN_KEY=str(tmp_path / "ours.key"))
    assert f"image={image}" in world.out(".ci/publish.sh", "newest", "HEAD")
    world.out(".ci/publish.sh", "verify", image, **ours)
    assert world.run(".ci/publish.sh", "verify", image, **theirs).returncode == 1
    assert "nobody vouches for this" in world.refused(".ci/publish.sh", "sign", image, **path, ACTIONS_ID_TOKEN_REQUEST_URL="")
    assert "SIGNERS is not set" in world.refused(".ci/publish.sh", "verify", image, **path)


@pytest.fixture(name="cosign")
def a_cosign() -> str:
    """A cosign that is there; workflows.sh says where."""
    program = os.environ.get("COSIGN_BIN") or shutil.which("cosign")
    if not program:
        pytest.skip("cosign is not there; `.ci/tools.sh cosign` builds it, in some minutes")
    return program
