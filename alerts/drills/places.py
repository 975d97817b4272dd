"""Where everything is: from a local stack's stack.json, from flags, or from both."""

import argparse
import json
import os
import urllib.parse
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

from .web import Refused

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Endpoints:
    """What a drill talks to."""

    services: list[str] = field(default_factory=list)   # what users call
    operators: list[str] = field(default_factory=list)  # where the fault API is
    prometheus: str = ""
    alertmanager: str = ""
    webhook: str = ""
    token_file: Optional[Path] = None
    plan_file: Optional[Path] = None
    folder: Optional[Path] = None                        # of the local stack; None: somebody else's
    job: str = "glassbox"
    instances: list[str] = field(default_factory=list)   # as Prometheus calls them, if they are named
    namespace: Optional[str] = None                      # in a cluster: of targets and rules; None: of any

    @property
    def matchers(self) -> str:
        """What selects the series of all targets that may be drilled."""
        return f'job="{self.job}"' + (f',namespace="{self.namespace}"' if self.namespace else "")

    def token(self) -> str:
        """Of the fault API, as the file has it now."""
        if self.token_file is None:
            raise Refused("the fault API wants a token: --token-file FILE")
        try:
            return self.token_file.read_text().strip()
        except OSError as error:
            raise Refused(f"--token-file {self.token_file}: {error.strerror}") from None


def place(url: str) -> str:
    """host:port of a URL, as Prometheus calls an instance."""
    return urllib.parse.urlsplit(url).netloc


def alive(state: dict[str, Any]) -> bool:
    """Whether the stack that wrote its stack.json is still there."""
    try:
        os.kill(int(state["pid"]), 0)
        return True
    except ProcessLookupError:
        return False
    except PermissionError:
        return True


def find(arguments: argparse.Namespace) -> Endpoints:
    """Flags overrule stack.json; without the one or the other it says what is missing."""
    path = Path(arguments.stack)
    state: dict[str, Any] = {}
    if path.exists():
        try:
            state = json.loads(path.read_text())
            int(state["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            raise Refused(f"--stack {path}: that is no stack.json of a local stack") from None
        if not alive(state):
            raise Refused(f"the stack of {path} is gone: start it with `make demo`")
    foreign = any([arguments.prometheus, arguments.operators, arguments.service])
    flags = {"prometheus": arguments.prometheus, "alertmanager": arguments.alertmanager,
             "webhook": arguments.webhook}
    if foreign and not all(flags.values()):
        missing = ", ".join(f"--{name}" for name, value in flags.items() if not value)
        if not state:
            raise Refused(f"no local stack at {path}; give also {missing}")
    if not foreign and not state:
        raise Refused(f"no local stack at {path}: start one with `make demo`, or name another's places: "
                      "--service --prometheus --alertmanager --webhook --token-file")
    services = arguments.service or ([state["service"]] if state else [])
    operators = arguments.operators or (arguments.service or ([state["operators"]] if state else []))
    local = bool(state) and not foreign
    token = arguments.token_file or (state.get("token_file") if state else None)
    plan = arguments.plan_file or (state.get("plan_file") if local else None)
    return Endpoints(services, operators, flags["prometheus"] or state["prometheus"],
                  flags["alertmanager"] or state["alertmanager"], flags["webhook"] or state["webhook"],
                  Path(token) if token else None, Path(plan) if plan else None,
                  Path(state["folder"]) if local else None, arguments.job, arguments.instance or [],
                  arguments.namespace)
