"""The profile of a local stack: swapped to the fast one for a drill, and put back.

`infra/local/stack.py profile` does it; here it is waited for, until Prometheus has evaluated the new rules once.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Callable

from .guard import Clock, Guard
from .places import ROOT
from .prometheus import Prometheus, stamp
from .web import Refused

WITHIN = 60.0  # seconds for Prometheus to have evaluated what it was given


def profile_of(folder: Path) -> str:
    return str(json.loads((folder / "stack.json").read_text())["profile"])


def swap(folder: Path, profile: str) -> None:
    """Rules and Alertmanager's file of a running stack."""
    done = subprocess.run([sys.executable, str(ROOT / "infra/local/stack.py"), "profile", profile,
                           "--folder", str(folder)], cwd=ROOT, capture_output=True, text=True, timeout=120,
                          start_new_session=True)
    if done.returncode != 0:
        lines = (done.stderr or done.stdout).strip().splitlines()
        raise Refused(f"the stack does not take the profile {profile}: {lines[-1] if lines else 'it said nothing'}")


def evaluated(prometheus: Prometheus, profile: str, since: float) -> bool:
    """Whether all rules are of the profile, and were evaluated after that moment."""
    groups = prometheus.get("rules")["groups"]
    ours = [rule for group in groups for rule in group["rules"]
            if rule["type"] == "alerting" and rule["name"].startswith("Glassbox")]
    fast = [rule for rule in ours if (rule.get("labels") or {}).get("profile") == "fast"]
    return (bool(ours) and len(fast) == (len(ours) if profile == "fast" else 0)
            and all(stamp(group["lastEvaluation"]) > since for group in groups))


def fast(folder: Path, prometheus: Prometheus, guard: Guard, clock: Clock, say: Callable[[str], None]) -> None:
    """To the fast profile, if it is not that already; the guard puts back what was found."""
    found = profile_of(folder)
    if found == "fast":
        say("the stack has the fast profile already: shortened windows, for demonstration")
        return

    def back() -> None:
        say(f"the stack gets its {found} profile back")
        swap(folder, found)

    guard.later(f"the stack's {found} profile", back)
    say("the stack gets the FAST profile: the same rules with shortened windows, for demonstration")
    began = clock.now()
    swap(folder, "fast")
    while not evaluated(prometheus, "fast", began):
        if clock.now() > began + WITHIN:
            raise Refused(f"Prometheus has not evaluated the fast rules within {WITHIN:.0f} s")
        clock.sleep(0.5)
