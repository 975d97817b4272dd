"""Images into a running node: streamed into its containerd, some side by side."""

import re
import shutil
import subprocess
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import enter, oci
from .files import Node
from .oci import Image
from .places import Place
from .refused import Refused

AT_ONCE = 2  # the time goes into digests and into unpacking


def load(place: Place, node: Node, images: Sequence[tuple[str, Image | Path]]) -> list[str]:
    """Each with what a message calls it; returns the names by which pods find them."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [name for names in pool.map(lambda named: _import(place, node, *named), images) for name in names]


def _import(place: Place, node: Node, name: str, image: Image | Path) -> list[str]:
    command = enter.command(node, ["ctr", "--namespace", "k8s.io", "images", "import", "-"], "/")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=enter.environment(node, place)) as importer:
        assert importer.stdin and importer.stdout
        try:
            with importer.stdin as target:
                if isinstance(image, Image):
                    oci.write(image, target)
                else:
                    with open(image, "rb") as source:
                        shutil.copyfileobj(source, target)
        except BrokenPipeError:
            pass  # it has ended, and says why
        said = importer.stdout.read().decode(errors="replace").strip()
    found = re.findall(r"^unpacking (\S+) ", said, re.MULTILINE)
    if importer.returncode != 0:
        raise Refused(f"{name}: cannot be imported: {said.rpartition(chr(10))[2]}")
    if not found:
        raise Refused(f"{name}: there is no image with a name in it")
    return found
