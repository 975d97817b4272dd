"""What the stack keeps in its folder, and who may use the folder.

    glassbox-stack.lock
                    held by the running stack; its presence marks the folder as ours
    stack.json      addresses, files and processes of the running stack, for the drill and others
    prometheus.yml, rules/, alertmanager.yml, templates/
                    copies of the shipped files in which addresses and links are those of this stack
    faults.json     the service's fault plan; fault-token and webhook-token: who may ask
    traces.json     the Collector's; load.json: the load's counts
    log/            what each part says, and the access log
    data/           Prometheus' and Alertmanager's

Nothing is written elsewhere.
"""

import fcntl
import json
import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from .ports import DEFAULT

HERE = Path(__file__).resolve().parents[1]
ROOT = HERE.parents[1]
ALERTS = ROOT / "alerts"

PROFILES = ("real", "fast")
# In both every receiver is the webhook, with its token in a file beside them.
ALERTMANAGER = {"real": "alertmanager.local.yaml", "fast": "alertmanager.local.fast.yaml"}
# No name that others use: whoever has a file of it has their folder emptied. (`lock` is Prometheus's, too.)
LOCK = "glassbox-stack.lock"
NO_PLAN = '{"begin": "1970-01-01T00:00:00Z", "faults": []}\n'

Addresses = Mapping[str, str]  # host:port, by the names of ports.DEFAULT


class NotOurs(Exception):
    """The folder cannot be used, and why."""


def lock(folder: Path) -> int:
    """Makes the folder, and it ours, until the descriptor is closed. One that holds other things than
    a stack's is left alone."""
    try:
        return _lock(folder)
    except OSError as error:
        raise NotOurs(f"{folder} cannot be used: {error.strerror}: give another one with --folder") from error


def _lock(folder: Path) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()) and not (folder / LOCK).exists():
        raise NotOurs(f"{folder} holds other things than a stack's: give an empty one with --folder")
    descriptor = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 32).decode().strip()
        os.close(descriptor)
        raise NotOurs(f"a stack runs in {folder} already (pid {owner}): end it, or give another "
                      "folder with --folder and other ports with --free-ports") from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def empty(folder: Path) -> None:
    """What a stack before left, all but the lock."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != LOCK:
            entry.unlink()
    for name in ("log", "data", "rules"):
        (folder / name).mkdir()


def replace(path: Path, text: str, mode: int = 0o644) -> None:
    """At once: a reader sees the old file or the new one."""
    new = path.with_name(path.name + ".new")
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(new, path)


def localize(text: str, addresses: Addresses, links: Mapping[str, str]) -> str:
    """Default addresses on loopback become this stack's, and links lead to it. In one pass, so that
    what was put in is not replaced again."""
    mapping = {f"{host}:{port}": addresses[name] for name, port in DEFAULT.items()
               for host in ("127.0.0.1", "localhost")}
    mapping.update(links)
    pattern = "|".join(re.escape(key) for key in sorted(mapping, key=len, reverse=True))
    return re.sub(f"(?:{pattern})(?![0-9])", lambda match: mapping[match.group()], text)


def links_to(urls: Mapping[str, str]) -> dict[str, str]:
    """The links of the objectives, and where they lead in this stack."""
    links = json.loads((ROOT / "loadtest/slo.json").read_text(encoding="utf-8"))["links"]
    return {links["runbooks"]: f"{urls['webhook']}/runbooks", links["dashboards"]: urls["grafana"]}


def write_tokens(folder: Path) -> None:
    """For the fault API and the webhook; readable by their owner alone."""
    for name in ("fault-token", "webhook-token"):
        replace(folder / name, secrets.token_urlsafe(24) + "\n", 0o600)


def write_profile(folder: Path, profile: str, addresses: Addresses, urls: Mapping[str, str]) -> None:
    """Rules and Alertmanager's file of a profile, in place of what was there."""
    links = links_to(urls)
    source = ALERTS / "prometheus" / profile
    names = {path.name for path in source.glob("*.yaml")}
    for name in sorted(names):
        replace(folder / "rules" / name, localize((source / name).read_text(), addresses, links))
    for path in (folder / "rules").glob("*.yaml"):
        if path.name not in names:
            path.unlink()
    text = (ALERTS / "alertmanager" / ALERTMANAGER[profile]).read_text(encoding="utf-8")
    replace(folder / "alertmanager.yml", localize(text, addresses, {}))


def write_all(folder: Path, profile: str, addresses: Addresses, urls: Mapping[str, str]) -> None:
    """Everything that the parts read when they start."""
    empty(folder)
    write_tokens(folder)
    (folder / "faults.json").write_text(NO_PLAN)
    replace(folder / "prometheus.yml", localize((HERE / "prometheus.yml").read_text(), addresses, {}))
    shutil.copytree(ALERTS / "alertmanager" / "templates", folder / "templates")
    write_profile(folder, profile, addresses, urls)


def is_held(folder: Path) -> bool:
    """Whether a stack has the lock: one that was killed has left its files, but not that."""
    try:
        with open(folder / LOCK, encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def read_state(folder: Path) -> dict:
    """stack.json of a running stack."""
    state = folder / "stack.json"
    if not is_held(folder) or not state.exists():
        raise NotOurs(f"no stack runs in {folder}: `make demo` starts one")
    return json.loads(state.read_text(encoding="utf-8"))


def write_state(folder: Path, state: dict) -> None:
    """stack.json; there while the stack is up."""
    replace(folder / "stack.json", json.dumps(state, indent=2) + "\n")
