"""The command line: a table of commands."""

import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType, ModuleType
from typing import NoReturn

from .places import HERE, Place, place
from .refused import Refused

USAGE = """\
A Kubernetes node of our own, on a Debian without Docker; where Docker runs, kind.

    cluster up [--images NAME,…|--all]   start it; returns when the node and DNS are ready
    cluster status                       what runs, and what it takes (exit status 1: nothing)
    cluster enter COMMAND…               run a command inside, where the API server can be reached:
                                         cluster enter kubectl get pods -A
    cluster load NAME…|ARCHIVE…|--all    import images: ours by name, or archives (OCI, Docker)
    cluster build [NAME…|--all]          build what they are made of, for later
    cluster values                       the folder of values that charts need there:
                                         charts/stack/install --overlay "$(cluster values)"
    cluster down                         end it, and leave nothing

CLUSTER_NAME names it (default: glassbox); several may run at once. infra/cluster/README.md tells the rest.
"""


def _names(words: Sequence[str]) -> list[str]:
    """--all, --images a,b, or names."""
    from . import images  # pylint: disable=import-outside-toplevel # `enter` is called often, and needs little
    if list(words) == ["--all"]:
        return list(images.NAMES)
    if len(words) == 2 and words[0] == "--images":
        words = words[1].split(",")
    images.chosen(words)
    return list(words)


def _kind(here: Place) -> ModuleType | None:
    """The module, if this cluster is kind's; it has the functions that ours have."""
    if not here.kind.exists():
        return None
    from . import kind  # pylint: disable=import-outside-toplevel
    return kind


def _interrupted(number: int, _: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt(signal.Signals(number).name)


def _up(words: Sequence[str]) -> int:
    from . import kind, up  # pylint: disable=import-outside-toplevel
    names = _names(words)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupted)
    (kind.up if kind.wanted() else up.up)(place(), names)
    return 0


def _down(words: Sequence[str]) -> int:
    from . import down  # pylint: disable=import-outside-toplevel
    _no_more(words)
    here = place()
    if kind := _kind(here):
        kind.down(here)
    elif not down.down(here):
        print(f"no node {here.name!r}: nothing to do", file=sys.stderr)
    return 0


def _status(words: Sequence[str]) -> int:
    from . import status  # pylint: disable=import-outside-toplevel
    _no_more(words)
    here = place()
    print((_kind(here) or status).describe(here))
    return 0


def _load(words: Sequence[str]) -> int:
    from . import enter, images, load  # pylint: disable=import-outside-toplevel
    if not words:
        raise Refused(f"load: which images? --all, archives, or of {' '.join(images.NAMES)}", 2)
    here = place()
    kind = _kind(here)
    node = None if kind else enter.running(here)
    names = images.NAMES if list(words) == ["--all"] else [word for word in words if word in images.NAMES]
    archives = [] if list(words) == ["--all"] else [Path(word) for word in words if word not in images.NAMES]
    if missing := [str(path) for path in archives if not path.is_file()]:
        raise Refused(f"no file, and no image of ours: {', '.join(missing)}; ours: {' '.join(images.NAMES)}", 2)
    made = images.made(names) + [(str(path), path) for path in archives]
    for name in kind.load(here, made) if kind else load.load(here, node, made):
        print(name)
    return 0


def _build(words: Sequence[str]) -> int:
    from . import images, kind, tools  # pylint: disable=import-outside-toplevel
    names = _names(words) if words else images.of_node()
    if kind.wanted():
        names = images.besides_node(names)
    tools.built("kind" if kind.wanted() else "kube")
    tools.clients()
    for name, _ in images.made(names):
        print(name)
    return 0


def _values(words: Sequence[str]) -> int:
    _no_more(words)
    print(HERE / ("values-kind" if _kind(place()) else "values"))
    return 0


def _enter(words: Sequence[str]) -> int:
    from . import enter  # pylint: disable=import-outside-toplevel
    if not words:
        raise Refused("enter: which command? For example: cluster enter kubectl get pods -A", 2)
    here = place()
    return (_kind(here) or enter).execute(here, words)


def _no_more(words: Sequence[str]) -> None:
    if words:
        raise Refused(f"what is {words[0]!r}? See --help", 2)


def _keep(words: Sequence[str]) -> int:
    from . import keeper  # pylint: disable=import-outside-toplevel
    return keeper.main(place(), int(words[-1]))


def _inside(words: Sequence[str]) -> int:
    from . import inside  # pylint: disable=import-outside-toplevel
    return inside.main(words[0])


COMMANDS: dict[str, Callable[[Sequence[str]], int]] = {
    "up": _up, "down": _down, "status": _status, "enter": _enter, "load": _load, "build": _build,
    "values": _values,
    # Not for people: the two processes of a node.
    "keep": _keep, "inside": _inside,
}


def main() -> int:
    """The exit status: 0 all well, 1 it went wrong, 2 it was asked wrongly, 130 interrupted."""
    words = sys.argv[1:]
    if words in (["--help"], ["-h"], ["help"]):
        print(USAGE, end="")
        return 0
    try:
        if not words or words[0] not in COMMANDS:
            raise Refused(f"no command {words[0]!r}\n\n{USAGE}" if words else USAGE, 2)
        return COMMANDS[words[0]](words[1:])
    except Refused as refused:
        print(f"cluster: {refused}", file=sys.stderr)
        return refused.status
    except KeyboardInterrupt:
        return 130
