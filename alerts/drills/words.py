"""How figures are said to a person."""

import time

from . import due
from .due import Leaf, Pace, Tree


def span(seconds: float) -> str:
    """3.2 s, 45 s, 4 min 10 s, 2 h 5 min, 1.3 d."""
    if seconds == due.NEVER:
        return "never"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 99.5:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds) // 60} min {int(seconds) % 60} s"
    if seconds < 86400:
        return f"{int(seconds) // 3600} h {int(seconds) % 3600 // 60} min"
    return f"{seconds / 86400:.1f} d"


def short(seconds: float) -> str:
    """A window as a rule writes it: 30s, 5m, 6h, 3d."""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{int(seconds // size)}{unit}"
    return f"{seconds:g}s"


def clock(moment: float) -> str:
    """A time of this day, in the zone of who reads it."""
    return time.strftime("%H:%M:%S", time.localtime(moment)) + f".{int(moment * 10) % 10}"


def figure(value: float, ratio: bool) -> str:
    return f"{100 * value:.3g} %" if ratio else f"{value:.3g}"


def leaf(part: Leaf) -> str:
    """One comparison, as a line of the reckoning."""
    ratio = part.window > 0 and 0 <= part.threshold < 1 and (part.level is None or part.level <= 1)
    name = f"the last {short(part.window)}" if part.window else part.text
    if part.holds:
        return f"{part.text}: holds already"
    if part.level is None:
        return f"{part.text}: no doing of this fault"
    if not part.window:
        return f"{name}: true " + (f"after {span(part.ramp)}" if part.ramp else "at once")
    what = "slower than the threshold" if part.quantile else "bad" if ratio else "counted"
    young = f" (only {span(part.age)} of it are there)" if part.age < part.window else ""
    passes = "less than" if part.below else "more than"
    return (f"{name}{young}: {figure(part.base, ratio)} {what} now, {passes} {figure(part.threshold, ratio)} after "
            f"{span(part.onset())} of {figure(part.level, ratio)}")


def falling(tree: Tree, lasted: float) -> list[str]:
    """When each comparison that the fault brought to hold is over."""
    lines = []
    for part in due.leaves(tree):
        if part.level is not None and not part.holds and (part.onset() < lasted or part.counts):
            window = f"the last {short(part.window)}" if part.window else part.text
            ratio = part.window > 0 and 0 <= part.threshold < 1 and part.level <= 1
            if not part.window:
                lines.append(f"{part.text}: true no more" + (f" after {span(part.ramp)}" if part.ramp else ""))
                continue
            lines.append(f"{window}: no more than {figure(part.threshold, ratio)} after {span(part.fall(lasted))}")
    return lines


def reckoning(tree: Tree, pace: Pace, deciding: list[Leaf]) -> list[str]:
    """The lines from which anyone can reckon when the alert is due."""
    deep = list(due.leaves(tree))
    samples = max((part.samples for part in deep), default=1)
    hops = max((part.hop_seconds for part in deep), default=0.0)
    lines = [leaf(part) for part in deciding if not part.holds] or ["at once"]
    steps = [f"{samples} scrape{'s' if samples > 1 else ''} of {span(pace.scrape)}"]
    if hops:
        steps.append(f"recording rules {span(hops)}")
    steps.append(f"evaluation {span(pace.evaluation)}")
    if pace.hold:
        steps.append(f"for {span(pace.held())}")
    steps.append(f"group_wait {span(pace.group_wait)}, delivery {span(pace.delivery)}")
    return [*lines, "and then " + ", ".join(steps)]
