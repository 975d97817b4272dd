"""Writes what the parts read, for a stack whose parts have names of their own: compose.yaml's.

    python infra/local/configure.py /stack [--profile fast]

The same files as the stack of processes has (files.py), with other addresses: those of containers
to each other, and for people's links those that are published on this machine's loopback.
"""

import argparse
import sys
from pathlib import Path

from glassbox_stack import files
from glassbox_stack.ports import DEFAULT

# The containers; all else listens where it does by default.
HOSTS = {"service": "glassbox", "operators": "glassbox", "collector": "jaeger", "traces": "jaeger"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--profile", choices=files.PROFILES, default="real")
    arguments = parser.parse_args()
    folder = arguments.folder.resolve()
    try:
        files.lock(folder)
    except files.NotOurs as error:
        parser.error(str(error))
    files.write_all(folder, arguments.profile,
                    {name: f"{HOSTS.get(name, name)}:{port}" for name, port in DEFAULT.items()},
                    {name: f"http://localhost:{port}" for name, port in DEFAULT.items()})
    # Each container has a user of its own, and the volume is theirs alone.
    for name in ("fault-token", "webhook-token"):
        (folder / name).chmod(0o644)
    return 0


if __name__ == "__main__":
    sys.exit(main())
