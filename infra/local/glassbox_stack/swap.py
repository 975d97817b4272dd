"""Swaps the profile of a stack that runs: its rules' windows and Alertmanager's timings.

    python infra/local/stack.py profile fast|real

Alerts of the old rules are gone with them; Alertmanager resolves those that it had.
"""

import urllib.error
import urllib.request
from pathlib import Path

from . import files


class Refused(Exception):
    """By whom, and why; everything is as it was."""


def swap(folder: Path, profile: str) -> str:
    """Returns what it was before. Raises files.NotOurs when no stack runs there."""
    state = files.read_state(folder)
    try:
        _apply(state, profile)
        _reload(state)
    except Refused:
        _apply(state, state["profile"])
        _reload(state)
        raise
    files.write_state(folder, {**state, "profile": profile})
    return state["profile"]


def _apply(state: dict, profile: str) -> None:
    hosts = state["addresses"]
    try:
        files.write_profile(Path(state["folder"]), profile, hosts,
                            {name: f"http://{address}" for name, address in hosts.items()})
    except OSError as error:
        raise Refused(f"{state['folder']} cannot be written: {error.strerror}") from error


def _reload(state: dict) -> None:
    """Each answers when it has the new file, or with what it does not like about it."""
    for name in ("prometheus", "alertmanager"):
        request = urllib.request.Request(f"{state[name]}/-/reload", method="POST")
        try:
            urllib.request.urlopen(request, timeout=30).close()
        except urllib.error.HTTPError as error:
            raise Refused(f"{name} refuses: {error.read().decode().strip()}") from error
        except OSError as error:
            raise Refused(f"{name} at {state[name]} does not answer: {error}") from error


