"""The same commands where Docker runs: kind makes the nodes (kind.yaml), and Docker isolates them.

A command is entered by nothing more than an environment: kind publishes the API server on loopback.
"""

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from . import images, lock, oci, tools
from .enter import with_clients
from .oci import Image
from .places import HERE, Place
from .progress import Progress
from .refused import CANNOT, Refused


def wanted() -> bool:
    """CLUSTER_DRIVER says `node` or `kind`; else it is kind where a Docker engine answers."""
    driver = os.environ.get("CLUSTER_DRIVER", "")
    if driver not in ("", "node", "kind"):
        raise Refused(f"CLUSTER_DRIVER={driver!r}: it may be node or kind", 2)
    return driver == "kind" or (not driver and bool(tools.output(["docker", "info", "--format", "{{.ServerVersion}}"])))


def _config(place: Place) -> str:
    return str(place.state / "kind.kubeconfig")


def _kind(place: Place, *words: str) -> None:
    program = place.kind.read_text().splitlines()[0]
    done = subprocess.run([program, *words, "--name", place.name], check=False, stdin=subprocess.DEVNULL, stdout=2)
    if done.returncode != 0:
        raise Refused(f"kind {' '.join(words)} failed")


@contextlib.contextmanager
def _changing(place: Place) -> Iterator[None]:
    """By nobody else meanwhile."""
    try:
        handle = lock.take(place)
    except lock.Busy:
        raise Refused(f"the cluster {place.name!r} is being started or stopped by somebody else") from None
    try:
        yield
    finally:
        os.close(handle)


def _not_there(place: Place) -> None:
    if place.kind.exists():
        raise Refused(f"the cluster {place.name!r} is there already: `infra/cluster/cluster status`")


def up(place: Place, names: Sequence[str]) -> None:
    """Nodes that are ready, with these images, or nothing."""
    progress = Progress()
    _not_there(place)
    progress.say("kind and images (the first time: some minutes)")
    program, = tools.built("kind")
    clients, why = tools.clients()
    if why:
        raise Refused(why, CANNOT)
    more = images.made(images.besides_node(names))
    with _changing(place):
        _not_there(place)  # still: what came before may have taken minutes
        try:
            place.kind.write_text(f"{program}\n{clients}\n")
            _kind(place, "create", "cluster", "--config", str(HERE / "kind.yaml"), "--kubeconfig", _config(place),
                  "--wait", "180s")
            load(place, more)
        except BaseException:
            progress.say("not started: removing what there is of it")
            with contextlib.suppress(Refused):  # no engine: there is nothing to remove
                _delete(place)
            lock.remove_folder(place)
            raise
    progress.say(f"the cluster {place.name} is ready: infra/cluster/cluster enter kubectl get pods -A")


def load(place: Place, made: Sequence[tuple[str, Image | Path]]) -> list[str]:
    """Into every node; returns their names."""
    for name, image in made:
        with tempfile.TemporaryDirectory() as folder:
            archive = image
            if isinstance(image, Image):
                archive = Path(folder, "image.tar")
                with open(archive, "wb") as target:
                    oci.write(image, target)
            _kind(place, "load", "image-archive", str(archive))
    return [name for name, _ in made]


def environment(place: Place) -> dict[str, str]:
    clients = place.kind.read_text().splitlines()[1]
    return with_clients(place.state, _config(place), [clients])


def execute(place: Place, words: Sequence[str]) -> NoReturn:
    """Becomes the command; does not return."""
    os.execvpe(words[0], list(words), environment(place))


def describe(place: Place) -> str:
    done = subprocess.run(["kubectl", "get", "nodes,pods", "--all-namespaces", "--output=wide"], check=False,
                          capture_output=True, text=True, env=environment(place))
    return f"kind's cluster {place.name}\n\n{done.stdout or done.stderr}"


def down(place: Place) -> None:
    _delete(place)
    lock.remove_folder(place)


def _delete(place: Place) -> None:
    _kind(place, "delete", "cluster", "--kubeconfig", _config(place))
