"""Folders of the machine that nodes mount over: made where they are missing, gone with the last node."""

import os
import subprocess
from pathlib import Path

import pytest
from glassbox_cluster import borrowed

MOUNTS = 'mount --no-mtab -t tmpfs tmpfs "$0" && touch "$0/theirs" && echo mounted && read -r end; ls "$0"'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only one there is."""
    monkeypatch.setattr(borrowed, "FOLDERS", (tmp_path / "fixed",))
    return tmp_path / "fixed"


def test_gone_with_the_node(folder: Path) -> None:
    with borrowed.borrowed(folder):
        assert folder.is_dir()
    borrowed.give_back()
    assert not folder.exists()
    borrowed.give_back()


def test_not_ours(folder: Path) -> None:
    """A kubelet of the machine's own has its folder there before and after."""
    folder.mkdir()
    with borrowed.borrowed(folder):
        assert list(folder.iterdir()) == []
    borrowed.give_back()
    assert folder.is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount")
def test_another_node_stands_on_it(folder: Path) -> None:
    """Removing it would take that one's mount away; it goes with the last."""
    with borrowed.borrowed(folder):
        pass
    with subprocess.Popen(["unshare", "--mount", "sh", "-c", MOUNTS, str(folder)], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin and other.stdout
        assert other.stdout.readline() == "mounted\n"
        borrowed.give_back()
        assert [path.name for path in folder.iterdir()] == [borrowed.MARK]
        other.stdin.close()
        assert other.stdout.read() == "theirs\n"
    borrowed.give_back()
    assert not folder.exists()
