#!/usr/bin/env python3
"""Writes the dashboards' JSON: `generate.py`; with `--check` says whether what is there is current.

    boards/*.py --(parts/, the Foundation SDK)--> json/*.json

Exit status: 0 written, or current; 1 stale, and which.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

from grafana_foundation_sdk.cog.encoder import JSONEncoder

FOLDER = Path(__file__).resolve().parent
sys.path.insert(0, str(FOLDER))

import boards  # noqa: E402: beside this file, wherever it is started


def documents() -> dict[Path, str]:
    """Path and text of each file."""
    result = {}
    for name in boards.NAMES:
        board = importlib.import_module(f"boards.{name}").board
        text = json.dumps(board.build().build(), cls=JSONEncoder, indent=2, sort_keys=True)
        path = FOLDER / "json" / f"{board.uid.removeprefix('glassbox-')}.json"
        result[path] = text + "\n"
    return result


def stale(wanted: dict[Path, str]) -> list[str]:
    """What is not as it would be written; and what nobody writes."""
    there = set((FOLDER / "json").glob("*.json"))
    differ = [path for path, text in wanted.items()
              if path not in there or path.read_text(encoding="utf-8") != text]
    return sorted(str(path.relative_to(FOLDER)) for path in [*differ, *(there - set(wanted))])


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, compare")
    arguments = parser.parse_args()
    wanted = documents()
    if arguments.check:
        old = stale(wanted)
        for name in old:
            print(f"dashboards/{name}: stale; `make dashboards` writes it", file=sys.stderr)
        return 1 if old else 0
    (FOLDER / "json").mkdir(exist_ok=True)
    for path, text in wanted.items():
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
