"""Where a service and its three signals are: a local stack says it in stack.json, flags say it of any other."""

import argparse
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from .refused import Refused

ROOT = Path(__file__).resolve().parents[2]
STACK = ROOT / "build/demo/stack.json"


@dataclass(frozen=True)
class Places:
    """What there is of these; what is not known is not examined, and that is said."""

    service: str                                        # URL that is called
    metrics: list[str] = field(default_factory=list)    # URLs of /metrics, one a process
    access_log: Path | None = None
    traces: Path | None = None                          # the Collector's file, OTLP/JSON
    traces_page: str = ""                               # URL; a trace's id behind /trace/
    prometheus: str = ""
    token_file: Path | None = None                      # of the fault API
    faults: str = ""                                    # URL of it


def is_alive(pid: int) -> bool:
    """Whether there is such a process."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def of_stack(path: Path) -> Places | None:
    """Of the local stack that runs."""
    try:
        state = json.loads(path.read_text(encoding="utf-8"))
        folder = Path(state["folder"])
        traces = folder / "traces.json" if state["traces"] else None
        found = Places(state["service"], [f"{state['operators']}/metrics"], folder / "log/access.log", traces,
                       state["traces"] or "", state["prometheus"], Path(state["token_file"]),
                       f"{state['operators']}/faults")
        return found if is_alive(int(state["pid"])) else None
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Refused(f"--stack {path}: that is no stack.json of a local stack: {error!r}") from None


def find(arguments: argparse.Namespace, target: str) -> Places:
    """The stack's, if it is what is called; flags say what it does not."""
    stack = of_stack(arguments.stack)
    if stack and (not target or urlsplit(target).netloc == urlsplit(stack.service).netloc):
        found = stack
    elif target:
        found = Places(target)
    else:
        raise Refused(f"no local stack runs ({arguments.stack}): start one with `make demo DEMO_ARGS=--no-load`, "
                      "let `make load` do it, or give TARGET=http://HOST:PORT")
    given = {"metrics": arguments.metrics, "access_log": arguments.access_log, "traces": arguments.traces,
             "prometheus": arguments.prometheus}
    return Places(**{**vars(found), **{name: value for name, value in given.items() if value}})
