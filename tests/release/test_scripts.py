"""The scripts beside: what is linked into the image, and the Debian that CI's steps run in."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from conftest import Tree
from workflows import ROOT

LINKED = ROOT / ".ci/linked.sh"


def linked(folder: Path, ninja: str, linker_map: str, *files: str) -> subprocess.CompletedProcess[str]:
    """A run on a build of these two files."""
    if not Path("/usr/bin/dpkg-query").exists():
        pytest.skip("not a Debian")
    (folder / "build.ninja").write_text(ninja, encoding="utf-8")
    (folder / "map").write_text(linker_map, encoding="utf-8")
    return subprocess.run(
        ["sh", LINKED, folder, folder / "map", folder / "out", *files], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.fixture(name="libc")
def a_static_libc() -> str:
    """The archive of libc6-dev."""
    for path in Path("/usr/lib").glob("*-linux-gnu/libc.a"):
        return str(path)
    pytest.skip("libc6-dev is not there")


def test_packages_are_those_that_were_linked(tmp_path: Path, libc: str) -> None:
    unused = libc.replace("libc.a", "libm.a")
    text = f"Archive member included to satisfy reference by file (symbol)\n\n{libc}(printf.o)\n    main.o (printf)\nLOAD {unused}\n"
    got = linked(tmp_path, "build main.o: CC /source/main.c\n", text, "/etc/ssl/certs/ca-certificates.crt")
    assert got.returncode == 0, got.stderr
    assert got.stdout.split() == ["ca-certificates", "libc6-dev"]
    entry = (tmp_path / "out/var/lib/dpkg/status.d/libc6-dev").read_text(encoding="utf-8")
    assert "Source: glibc" in entry and "\nVersion: " in entry
    assert "ID=debian" in (tmp_path / "out/etc/os-release").read_text(encoding="utf-8")


def test_what_no_package_owns_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "own.a").touch()
    got = linked(tmp_path, "", f"{tmp_path}/own.a(a.o)\n")
    assert got.returncode != 0 and f"no package owns {tmp_path}/own.a" in got.stderr


def test_what_is_not_there_is_an_error(tmp_path: Path) -> None:
    got = linked(tmp_path, "", "/nowhere/lib.a(a.o)\n")
    assert got.returncode != 0 and "/nowhere/lib.a" in got.stderr


def test_a_map_that_says_nothing_is_an_error(tmp_path: Path) -> None:
    got = linked(tmp_path, "", "")
    assert got.returncode != 0 and "nothing was linked" in got.stderr


# In place of docker: says each argument on a line.
ENGINE = '#!/bin/sh\nprintf "%s\\n" "$@"\n'


def test_debian_is_the_one_of_versions_env(tree: Tree, tmp_path: Path) -> None:
    tree.write("bin/docker", ENGINE, 0o755)
    path = f"{tree.root}/bin:{os.environ['PATH']}"
    told = tree.out(".ci/debian.sh", "make", "check", PATH=path, ENGINE="", CHECK="lint docs", GLASSBOX_CACHE=str(tmp_path / "cache")).splitlines()
    image = tree.out("sh", "-c", ". .ci/versions.env && echo $DEBIAN_IMAGE")
    assert told[told.index(image) + 1] == "bash" and told[-2:] == ["make", "check"]
    assert "CHECK" in told and f"{tree.root}:{tree.root}" in told
    assert "FUZZ_SECONDS" not in told


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        ([], {}, "usage: .ci/debian.sh COMMAND"),
        (["true"], {"ENGINE": "lxc"}, "ENGINE is 'lxc'; it is docker or podman"),
        (["true"], {"ENGINE": "docker", "PATH": "/usr/bin:/bin"}, "'docker' is not to be found"),
    ],
)
def test_debian_that_cannot_be(tree: Tree, arguments: list[str], environment: dict[str, str], said: str) -> None:
    if environment.get("ENGINE") == "docker" and Path("/usr/bin/docker").exists():
        pytest.skip("docker is there")
    assert said in tree.refused(".ci/debian.sh", *arguments, **environment)
