"""Which drills are meant: by the name that somebody typed, or all of them in their waves."""

import difflib
from dataclasses import replace
from typing import Optional

from .table import DRILLS, OTHERS, ROUTES, Drill
from .web import Refused

PREFIX = "Glassbox"


def full_name(typed: str) -> str:
    """An alert's name, however its prefix and capitals were typed."""
    names = sorted({drill.alert for drill in DRILLS} | set(OTHERS))
    plain = {name.removeprefix(PREFIX).lower(): name for name in names}
    found = plain.get(typed.lower().removeprefix(PREFIX.lower()))
    if found is None:
        near = difflib.get_close_matches(typed.lower().removeprefix(PREFIX.lower()), plain, 1, 0.6)
        meant = f"; did you mean {plain[near[0]]}?" if near else ""
        raise Refused(f"no alert `{typed}`{meant}\n  with a drill: "
                      + ", ".join(dict.fromkeys(drill.alert for drill in DRILLS))
                      + "\n  without, --list says why: " + ", ".join(OTHERS))
    return found


def by_name(typed: str, severity: Optional[str] = None, route: Optional[str] = None) -> Drill:
    """The row for a name; of two severities the page, unless told otherwise."""
    name = full_name(typed)
    if name in OTHERS:
        raise Refused(f"no fault can cause {name}: {OTHERS[name]}")
    rows = [drill for drill in DRILLS if drill.alert == name]
    if severity:
        rows = [drill for drill in rows if drill.severity == severity]
        if not rows:
            have = " and ".join(drill.severity for drill in DRILLS if drill.alert == name)
            raise Refused(f"{name} is no {severity}: there is {have}")
    drill = rows[0]
    if route:
        if drill.route is None:
            raise Refused(f"{name} is not of a route: leave --route out")
        if route not in ROUTES:
            raise Refused(f"`{route}` is no route that users call: {', '.join(ROUTES)}")
        drill = replace(drill, route=route)
    return drill


def waves() -> list[list[Drill]]:
    """All of them, those of a wave together, in the order of the table."""
    names = dict.fromkeys(drill.wave for drill in DRILLS)
    return [[drill for drill in DRILLS if drill.wave == name] for name in names]
