"""Two ways to give a plan to processes, and to take it away: the fault API, and the plan's file.

Both know whose fault is in force before them, arm under a name of their own, and take away only what has that name:
what somebody else armed meanwhile stays. A third, in a cluster, is configmap.py.
"""

import json
import os
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional, Protocol

from .places import Endpoints
from .prometheus import stamp
from .rules import seconds
from .web import Answer, Refused, call

TRIES = 5


class Way(Protocol):
    """How a plan comes to the processes."""

    name: str
    delay: float  # seconds until the last of them has it, at most
    begins: bool  # by itself: the plan needs no begin
    reaches_all: bool  # of the job's targets, also those that come while the fault is in force

    def occupied(self) -> Optional[str]:
        """Whose fault is in force, in a phrase; None if nobody's."""

    def arm(self, plan: Any) -> None:
        """A plan as it is sent: with a name; or, as a text, whatever is to be refused."""

    def restore(self) -> None:
        """Takes away what `arm` gave. Does no harm where nothing was given, or twice."""


def rfc3339(moment: float) -> str:
    """As a fault plan takes it."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + f".{int(moment * 1000) % 1000:03d}Z"


def as_text(plan: Any) -> str:
    """A plan as a file holds it; what is a text already stays."""
    return plan if isinstance(plan, str) else json.dumps(plan, indent=2) + "\n"


def no_faults() -> str:
    """A plan's file that goes missing changes nothing: where there was none, this takes the fault away."""
    return json.dumps({"begin": rfc3339(time.time()), "faults": []}) + "\n"


def whose(status: dict[str, Any]) -> Optional[str]:
    """Of what GET /faults answers: who has a fault that is not over, and which."""
    going = [fault for fault in status["faults"] if fault["state"] != "over"]
    if not going:
        return None
    plan = status.get("plan") or {}
    what = ", ".join(f"{fault['fault']}{' on ' + fault['route'] if fault.get('route') else ''}" for fault in going)
    by = {"api": "by the API", "file": "by the plan's file", "incident": "as an incident"}.get(status["source"], "")
    return f"plan `{plan.get('name') or 'without a name'}` ({by}, until {plan.get('end') or 'its end'}): {what}"


@dataclass
class Api:
    """PUT /faults on each process that is named."""

    places: Endpoints
    armed: dict[str, str] = field(default_factory=dict)  # operators' URL -> name of the plan
    name: str = "by the API"
    delay: float = 0.0
    begins: bool = True
    reaches_all: bool = False

    def call(self, url: str, method: str = "GET", document: Any = None) -> Any:
        try:
            return call("the fault API", f"{url.rstrip('/')}/faults", method, document, self.places.token())
        except Answer as answer:
            if answer.status == 401:
                raise Refused(f"{url} does not take the token in {self.places.token_file}") from None
            if answer.status == 404:
                raise Refused(f"{url} has no fault API: it is on where --fault-token-file is given, "
                              "on the operators' listener where there is one (--operators URL)") from None
            raise

    def occupied(self) -> Optional[str]:
        if not self.places.operators:
            raise Refused("no process is named: --operators URL, or --service URL where that has the fault API")
        for url in self.places.operators:
            found = whose(self.call(url))
            if found:
                return f"{url} has {found}"
        return None

    def arm(self, plan: Any) -> None:
        for url in self.places.operators:
            self.armed[url] = plan["name"]  # before: who is cut short in the call may have armed
            self.call(url, "PUT", plan)

    def restore(self) -> None:
        left = []
        for url, name in list(self.armed.items()):
            try:
                self.again(url, name)
                del self.armed[url]
            except Refused as refusal:
                left.append(str(refusal))
        if left:
            raise Refused("; ".join(left))

    def again(self, url: str, name: str) -> None:
        """A few times, as the fault may be what keeps the answer away."""
        for attempt in range(1, TRIES + 1):
            try:
                if (self.call(url).get("plan") or {}).get("name") == name:
                    self.call(url, "DELETE")
                return
            except Refused:
                if attempt == TRIES:
                    raise
                time.sleep(0.5)


@dataclass
class File:
    """The file of --faults, replaced in one step. What it held is put back to the byte, and kept beside it meanwhile.
    `over` is what can lie over the file's plan and would keep it from coming in force: the fault API's."""

    path: Path
    over: Optional["Api"] = None
    before: Optional[bytes] = None
    written: Optional[bytes] = None
    name: str = "by the plan's file"
    delay: float = 1.0  # it is looked at four times a second
    begins: bool = False
    reaches_all: bool = False

    def __post_init__(self) -> None:
        self.path = Path(os.path.realpath(self.path))  # a link stays a link

    @property
    def saved(self) -> Path:
        return self.path.with_name(self.path.name + ".before-drill")

    def occupied(self) -> Optional[str]:
        self.recover()
        if not self.path.parent.is_dir():
            raise Refused(f"--plan-file {self.path}: no such folder")
        text = self.read()
        try:
            found = None if text is None else unfinished(json.loads(text), str(self.path))
        except ValueError:
            return f"{self.path} holds what is no plan: make it well first"
        return found or (self.over.occupied() if self.over else None)

    def read(self) -> Optional[bytes]:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Refused(f"--plan-file {self.path}: {error.strerror}") from None

    def recover(self) -> None:
        """A drill that was killed left what was there before it. That none is going on, a lock tells: guard.alone."""
        if self.saved.exists():
            self.replace(self.saved.read_bytes())
            self.saved.unlink()

    def replace(self, content: bytes) -> None:
        """In one step; who may read it, and whose it is, stays as it was."""
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            fresh.write_bytes(content)
            if self.path.exists():
                shutil.copymode(self.path, fresh)
                os.chown(fresh, self.path.stat().st_uid, self.path.stat().st_gid)
            os.replace(fresh, self.path)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise Refused(f"{self.path} cannot be replaced: {error.strerror}") from None

    def arm(self, plan: Any) -> None:
        self.before = self.read()
        if self.before is not None:
            self.saved.write_bytes(self.before)
        self.written = as_text(plan).encode()
        self.replace(self.written)

    def restore(self) -> None:
        if self.written is None:
            return
        if self.read() == self.written:  # else somebody wrote it since, and means it
            self.replace(self.before if self.before is not None else no_faults().encode())
        self.saved.unlink(missing_ok=True)
        self.written = None


def unfinished(plan: Any, where: str) -> Optional[str]:
    """Whether a plan of a file has faults that its own times do not show to be over."""
    faults = [*plan.get("faults", []), *plan.get("timeline", [])] if isinstance(plan, dict) else []
    if not faults:
        return None
    last = ends(plan)
    if last is not None and last < time.time():
        return None
    until = "its end" if last is None else rfc3339(last)
    return f"{where} has plan `{plan.get('name') or 'without a name'}`, until {until}"


def ends(plan: dict[str, Any]) -> Optional[float]:
    """When the last fault of a plan without a timeline is over; None if that cannot be told here."""
    try:
        begin = stamp(plan["begin"])
        return max(stamp(fault["end"]) if "end" in fault else
                   begin + seconds(fault.get("start", 0)) + seconds(fault["duration"]) for fault in plan["faults"])
    except (KeyError, TypeError, ValueError):
        return None
