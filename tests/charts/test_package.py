"""What `helm package` makes of the chart: links are real files in it, and it renders the same."""

from __future__ import annotations

import subprocess
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts/glassbox"


def helm(*arguments: str) -> str:
    """Its output; a failure is told with what it said."""
    done = subprocess.run(["helm", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The chart's archive."""
    folder = tmp_path_factory.mktemp("package")
    helm("package", str(CHART), "--destination", str(folder))
    archives = list(folder.glob("*.tgz"))
    assert len(archives) == 1
    return archives[0]


def linked(folder: Path, within: str = "", is_linked: bool = False) -> dict[str, bytes]:
    """What is reached in a folder through a link, by its path there."""
    found = {}
    for path in sorted(folder.iterdir()):
        name = f"{within}{path.name}"
        through = is_linked or path.is_symlink()
        if path.is_dir():
            found |= linked(path, f"{name}/", through)
        elif through:
            found[name] = path.read_bytes()
    return found


def test_links_are_real_files_in_the_package(package: Path) -> None:
    expected = linked(CHART)
    assert expected, "the chart has no links: its dashboards and rules would be copies"
    with tarfile.open(package) as archive:
        members = {member.name: member for member in archive.getmembers()}
        assert [name for name, member in members.items() if not member.isfile()] == []
        packed = {name.split("/", 1)[1]: archive.extractfile(member).read() for name, member in members.items()}
    # All of them: nothing that is reached through a link is left out by .helmignore.
    assert {name for name, content in expected.items() if packed.get(name) != content} == set()


@pytest.mark.parametrize("profile", ["", "demo", "production"])
def test_the_package_renders_what_the_folder_does(package: Path, profile: str) -> None:
    values = ["--values", str(CHART / f"values-{profile}.yaml")] if profile else []
    of_package = helm("template", "a", str(package), *values)
    assert of_package == helm("template", "a", str(CHART), *values)
    assert "kind: Deployment" in of_package
