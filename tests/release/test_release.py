"""A tag is released only if nothing disagrees with it, and the chart goes out with the image's digest in it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import release
import yaml
from conftest import Tree
from workflows import ROOT

IMAGE = "registry.example.org/team/glassbox@sha256:" + "ab" * 32
CHANGELOG = """# Changelog

## [Unreleased]

### Added
- Not yet.

## [0.1.0] - 2026-11-27

### Added
- The service.

## [0.0.9] - 2026-10-01
- Before.
"""


@pytest.fixture(name="tagged")
def a_tagged_tree(tree: Tree) -> Tree:
    """Version 0.1.0 with a changelog, tagged."""
    assert (ROOT / "telemetry/VERSION").read_text(encoding="utf-8").strip() == "0.1.0", "raise the versions of these tests, too"
    tree.write("CHANGELOG.md", CHANGELOG)
    tree.commit("release 0.1.0")
    tree.out("git", "tag", "v0.1.0")
    return tree


def test_a_tag_that_all_agree_with(tagged: Tree) -> None:
    assert tagged.out(".ci/release.sh", "check", "v0.1.0") == "0.1.0"


def test_notes_are_the_versions_own(tagged: Tree) -> None:
    assert tagged.out(".ci/release.sh", "notes", "v0.1.0") == "### Added\n- The service."
    assert tagged.out(".ci/release.sh", "notes", "v0.0.9") == "- Before."


DISAGREEMENTS = {
    "version": ("telemetry/VERSION", "0.1.0", "0.2.0", ["telemetry/VERSION is 0.2.0", "v0.1.0"]),
    "chart": ("charts/glassbox/Chart.yaml", "\nversion: 0.1.0", "\nversion: 0.3.0", ["Chart.yaml version is 0.3.0"]),
    "app": ("charts/glassbox/Chart.yaml", "\nappVersion: 0.1.0", "\nappVersion: 0.4.0", ["Chart.yaml appVersion is 0.4.0"]),
    "unreleased": ("CHANGELOG.md", "## [0.1.0] - 2026-11-27\n", "", ["no section [0.1.0]", "Unreleased, 0.0.9"]),
    "dateless": ("CHANGELOG.md", "## [0.1.0] - 2026-11-27", "## [0.1.0]", ["[0.1.0] has no date", "YYYY-MM-DD"]),
    "empty": ("CHANGELOG.md", "### Added\n- The service.\n", "", ["[0.1.0] says nothing"]),
}


@pytest.mark.parametrize("case", DISAGREEMENTS)
def test_a_tag_that_something_disagrees_with(tagged: Tree, case: str) -> None:
    path, old, new, said = DISAGREEMENTS[case]
    tagged.replace(path, old, new)
    error = tagged.refused(".ci/release.sh", "check", "v0.1.0")
    assert all(word in error for word in said)


@pytest.mark.parametrize("tag", ["0.1.0", "v0.1", "v01.1.0", "v0.1.0+x", "v0.1.0 ", "vX", "", "main", "v0.1.0;id"])
def test_what_is_no_tag_of_a_release(tagged: Tree, tag: str) -> None:
    assert f"'{tag}' is no release's tag" in tagged.refused(".ci/release.sh", "check", tag)


def test_a_tag_that_is_not_there_or_is_elsewhere(tagged: Tree) -> None:
    tagged.out("git", "tag", "--delete", "v0.1.0")
    assert "there is no tag v0.1.0" in tagged.refused(".ci/release.sh", "check", "v0.1.0")
    tagged.out("git", "tag", "v0.1.0", "HEAD~1")
    assert "what is checked out is" in tagged.refused(".ci/release.sh", "check", "v0.1.0")


def test_a_release_is_of_main(tagged: Tree) -> None:
    tagged.out("git", "remote", "add", "origin", "/nowhere")
    assert "origin's main is not here" in tagged.refused(".ci/release.sh", "check", "v0.1.0")
    tagged.out("git", "update-ref", "refs/remotes/origin/main", "HEAD~1")
    assert "v0.1.0 is not on main" in tagged.refused(".ci/release.sh", "check", "v0.1.0")
    tagged.out("git", "update-ref", "refs/remotes/origin/main", "HEAD")
    tagged.out(".ci/release.sh", "check", "v0.1.0")


def test_the_projects_own_versions_agree() -> None:
    """What the tree has now could be tagged, but for the changelog, whose section comes with the release."""
    version = (ROOT / "telemetry/VERSION").read_text(encoding="utf-8").strip()
    with pytest.raises(release.Refused) as caught:
        release.check("v9.9.9", ROOT)
    assert str(caught.value).count(f" is {version}") == 3


BAD_COMMANDS = {
    (): "no such command: ''; there are check, passed, notes, chart, github",
    ("publish", "v0.1.0"): "no such command: 'publish'",
    ("check",): "usage: .ci/release.sh check TAG",
    ("chart", "v0.1.0"): "usage: .ci/release.sh chart TAG NAME@sha256",
    ("chart", "v0.1.0", IMAGE): "CHART_REPOSITORY is not set",
    ("github", "v0.1.0"): "has no chart",
}


@pytest.mark.parametrize("arguments", BAD_COMMANDS, ids=" ".join)
def test_a_command_that_is_none(tagged: Tree, arguments: tuple[str, ...]) -> None:
    assert BAD_COMMANDS[arguments] in tagged.refused(".ci/release.sh", *arguments)


@pytest.mark.parametrize("name", ["charts", "oci://example.org/charts", "example.org/Charts", "example.org/charts:1", "example.org/"])
def test_a_chart_repository_that_is_none(tagged: Tree, name: str) -> None:
    assert f"CHART_REPOSITORY is '{name}'" in tagged.refused(".ci/release.sh", "chart", "v0.1.0", IMAGE, CHART_REPOSITORY=name)


@pytest.mark.parametrize("image", ["example.org/x:1", "x@sha256:" + "ab" * 32, IMAGE[:-1], IMAGE + "0", IMAGE.upper(), ""])
def test_an_image_without_its_digest_is_in_no_chart(image: str) -> None:
    with pytest.raises(release.Refused, match="is no image by digest"):
        release.with_image("image:\n", image)


def test_values_are_changed_in_one_place() -> None:
    before = (ROOT / "charts/glassbox/values.yaml").read_text(encoding="utf-8")
    after = release.with_image(before, IMAGE)
    changed = [new for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
    assert changed == ['  repository: "registry.example.org/team/glassbox"', f'  digest: "{IMAGE.split("@")[1]}"']
    with pytest.raises(release.Refused, match=r"image\.digest 0 times"):
        release.with_image(before.replace("\n  digest:", "\n  digests:"), IMAGE)


@pytest.fixture(name="helm", scope="session")
def a_helm() -> str:
    """The helm that the project uses, or why there is none."""
    got = subprocess.run([ROOT / ".ci/kubectl.sh"], capture_output=True, text=True, check=False)
    if got.returncode:
        pytest.skip(f"helm {got.stdout.strip()}")
    return f"{got.stdout.strip()}/helm"


def test_the_chart_comes_back_with_the_digest(tagged: Tree, registry: str, helm: str, tmp_path: Path) -> None:
    where = {"CHART_REPOSITORY": f"{registry}/charts"}
    chart = tagged.out(".ci/release.sh", "chart", "v0.1.0", IMAGE, **where)
    name, _, digest = chart.partition("@")
    assert name == f"{registry}/charts/glassbox"
    raw = subprocess.run(
        ["skopeo", "inspect", "--tls-verify=false", "--raw", f"docker://{name}:0.1.0"], capture_output=True, check=True
    ).stdout
    assert digest == "sha256:" + hashlib.sha256(raw).hexdigest() == (tagged.root / "build/release/chart.digest").read_text().strip()
    assert json.loads(raw)["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json"

    subprocess.run([helm, "pull", f"oci://{chart}", "--plain-http", "--destination", tmp_path], check=True, capture_output=True)
    [archive] = tmp_path.glob("glassbox*.tgz")
    shown = subprocess.run([helm, "template", "glassbox", archive], check=True, capture_output=True, text=True).stdout
    [deployment] = [item for item in yaml.safe_load_all(shown) if item and item["kind"] == "Deployment"]
    assert [container["image"] for container in deployment["spec"]["template"]["spec"]["containers"]] == [IMAGE]

    # With the profile that needs what the chart's links lead to: rules and dashboards.
    shown = subprocess.run(
        [helm, "template", "glassbox", archive, "--values", tagged.root / "charts/glassbox/values-production.yaml"],
        check=True, capture_output=True, text=True,
    ).stdout
    assert "kind: PrometheusRule" in shown and "grafana_dashboard" in shown

    # Cut short after that, and run again: what is there is taken. With another image it is another chart.
    for left in (tagged.root / "build/release").iterdir():
        shutil.rmtree(left) if left.is_dir() else left.unlink()
    assert tagged.out(".ci/release.sh", "chart", "v0.1.0", IMAGE, **where) == chart
    taken = tagged.root / "build/release/glassbox-0.1.0.tgz"
    assert taken.read_bytes() == archive.read_bytes()
    other = IMAGE.replace("ab", "cd")
    assert "has 0.1.0 already, another than this" in tagged.refused(".ci/release.sh", "chart", "v0.1.0", other, **where)


# In place of gh: tells what it was asked; there is a release if GH_THERE is set, and GH_SAYS is what a check says.
GH = """#!/usr/bin/env bash
echo "$*" >>"$GH_LOG"
case "$1 $2" in
"release view") [ -n "${GH_THERE:-}" ] ;;
api\\ *) printf '%s' "${GH_SAYS:-}" ;;
esac
"""


@pytest.mark.parametrize(("says", "passes"), [("success", True), ("failure\nsuccess", True), ("failure", False), ("in_progress", False), ("", False)])
def test_a_release_has_passed(tagged: Tree, tmp_path: Path, says: str, passes: bool) -> None:
    """For the commit that is tagged, and no other."""
    tagged.write("bin/gh", GH, 0o755)
    given = {"PATH": f"{tagged.root}/bin:{os.environ['PATH']}", "GH_LOG": str(tmp_path / "log"), "GH_SAYS": says}
    if passes:
        tagged.out(".ci/release.sh", "passed", "v0.1.0", **given)
    else:
        assert f"'required' is '{says or 'not there'}' for v0.1.0" in tagged.refused(".ci/release.sh", "passed", "v0.1.0", **given)
    commit = tagged.out("git", "rev-parse", "v0.1.0")
    assert f"/commits/{commit}/check-runs?check_name=required" in (tmp_path / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize("there", [False, True])
def test_a_release_that_was_cut_short_is_completed(tagged: Tree, tmp_path: Path, there: bool) -> None:
    for path in ("build/release/glassbox-0.1.0.tgz", "build/release/chart", "build/publish/image", "build/publish/sbom-amd64.spdx.json"):
        tagged.write(path, "x\n")
    tagged.write("bin/gh", GH, 0o755)
    given = {"PATH": f"{tagged.root}/bin:{os.environ['PATH']}", "GH_LOG": str(tmp_path / "log"), "GH_THERE": "yes" if there else ""}
    tagged.out(".ci/release.sh", "github", "v0.1.0", **given)
    told = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    assert [" ".join(line.split()[:2]) for line in told] == ["release view", *(["release upload", "release edit"] if there else ["release create"])]
    assert all(name in told[1] for name in ("glassbox-0.1.0.tgz", "sbom-amd64.spdx.json", "SHA256SUMS"))
    if there:
        assert "--clobber" in told[1] and "--draft=false" in told[2]
