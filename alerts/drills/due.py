"""When a rule has to fire, and when it has to be over: arithmetic alone, no clock and no network.

A comparison of a rule reads something over a window W. Before the fault it read `base`, while the fault is in
force what comes in reads `level`, and the mean over the window goes from one to the other as the window fills:

    level |        ____ in force ____
          |       |                  |                mean over W
    T     |- - - -|- -/- - - - - - - |- - - -\\- - -    passes T here  /
    base  |_______|  /               |        \\____    and comes back  \\
                  0  onset           restored  fall

A series that is younger than W makes the window as short as itself, so that it fills sooner. A quantile is such a
mean as well: of the share of observations above the threshold, which has to pass 1 - q. What has no window reads
the level at once.
"""

import math
from dataclasses import dataclass, replace
from typing import Iterable, Optional, Union

NEVER = math.inf


@dataclass(frozen=True)
class Leaf:
    """One comparison of a rule, with what it reads now and what the fault makes of it."""

    text: str                 # how it is called in a line that a person reads
    window: float = 0.0       # seconds; 0: reads the present
    threshold: float = 0.0
    base: float = 0.0         # what it reads without the fault
    level: Optional[float] = None  # what it reads of the fault alone; None: the fault does not touch it
    age: float = NEVER        # seconds of data that the window has when the fault begins
    holds: bool = False       # true already, and not by the fault
    below: bool = False       # it fires when it reads less, not more
    hops: int = 0             # recording rules between the series and the comparison
    hop_seconds: float = 0.0  # how long these may take, one evaluation each
    samples: int = 1          # scrapes that it takes to see a change: a rate needs two
    ramp: float = 0.0         # seconds until the level is there: connections pile up
    counts: bool = False      # it reads whole requests in the window, few and far between
    source: str = ""          # the expression, to ask what it reads later
    needs: float = 0.0        # what that is compared with
    quantile: bool = False    # it reads the share above the threshold; `threshold` is 1 - q

    def upward(self) -> "Leaf":
        """The same with all signs turned if it fires when it reads less."""
        if not self.below or self.level is None:
            return self
        return replace(self, below=False, threshold=-self.threshold, base=-self.base, level=-self.level)

    def onset(self) -> float:
        """Seconds from the fault to the moment when this comparison holds; NEVER if it does not."""
        if self.holds:
            return 0.0
        if self.level is None:
            return NEVER
        leaf = self.upward()
        if not leaf.level > leaf.threshold:
            return NEVER
        if leaf.window == 0 or leaf.base > leaf.threshold:
            return leaf.ramp
        # As long as the window is not full it grows: (base age + level t) / (age + t) = threshold.
        young = leaf.age * (leaf.threshold - leaf.base) / (leaf.level - leaf.threshold)
        if leaf.age + young <= leaf.window:
            return leaf.ramp + young
        # Then it slides: the fault takes the place of what was there before.
        return leaf.ramp + leaf.window * (leaf.threshold - leaf.base) / (leaf.level - leaf.base)

    def reads(self, after: float, lasted: float) -> float:
        """What it reads so many seconds after a fault that lasted so long was taken away."""
        assert self.level is not None
        length = min(self.window, self.age + lasted + after)
        if length <= 0:
            return self.base
        share = max(0.0, min(lasted, length - after)) / length  # of the window that the fault still has
        return self.base + (self.level - self.base) * share

    def fall(self, lasted: float) -> float:
        """Seconds from the end of a fault that lasted so long to when this holds no more."""
        if self.holds or self.level is None:
            return NEVER
        leaf = self.upward()
        if leaf.base > leaf.threshold:
            return NEVER
        if leaf.counts:
            return leaf.window  # which of the few it was that came last nobody knows
        # What the fault held up when it was taken away is still to come: as long as it took to build up.
        if leaf.window == 0 or leaf.reads(0, lasted) <= leaf.threshold:
            return leaf.ramp
        low, high = 0.0, leaf.window
        while high - low > 0.05:
            middle = (low + high) / 2
            low, high = (low, middle) if leaf.reads(middle, lasted) <= leaf.threshold else (middle, high)
        return leaf.ramp + high


@dataclass(frozen=True)
class Both:
    """`and`: all of them must hold."""

    parts: tuple["Tree", ...]

    def onset(self) -> float:
        return max(part.onset() for part in self.parts)

    def fall(self, lasted: float) -> float:
        return min(part.fall(lasted) for part in self.parts)


@dataclass(frozen=True)
class Either:
    """`or`: one that holds is enough."""

    parts: tuple["Tree", ...]

    def onset(self) -> float:
        return min(part.onset() for part in self.parts)

    def fall(self, lasted: float) -> float:
        """Those that the fault never brought to hold are over already."""
        came = [part for part in self.parts if part.onset() < lasted]
        return max((part.fall(lasted) for part in came), default=0.0)


Tree = Union[Leaf, Both, Either]


def leaves(tree: Tree) -> Iterable[Leaf]:
    """All comparisons, from left to right."""
    if isinstance(tree, Leaf):
        yield tree
    else:
        for part in tree.parts:
            yield from leaves(part)


def deciding(tree: Tree) -> list[Leaf]:
    """The comparisons that make the onset: of alternatives the one that is there first."""
    if isinstance(tree, Leaf):
        return [tree]
    if isinstance(tree, Both):
        return [leaf for part in tree.parts for leaf in deciding(part)]
    return deciding(min(tree.parts, key=lambda part: part.onset()))


@dataclass(frozen=True)
class Pace:
    """How fast the machinery between a series and a person goes, in seconds."""

    scrape: float
    evaluation: float         # of the alert's group
    hold: float = 0.0         # the rule's `for`
    keep: float = 0.0         # the rule's `keep_firing_for`
    group_wait: float = 30.0
    group_interval: float = 300.0
    delivery: float = 2.0     # Prometheus to Alertmanager to webhook, and our own looking

    def held(self) -> float:
        """`for`, which is judged at evaluations only."""
        return math.ceil(self.hold / self.evaluation) * self.evaluation if self.hold else 0.0


@dataclass(frozen=True)
class Due:
    """Seconds after the fault was seen in Prometheus, each the latest at which nothing is amiss."""

    onset: float
    pending: float
    firing: float
    notified: float


def lag(tree: Tree, pace: Pace) -> float:
    """Scrapes and evaluations between a change in the service and its being judged."""
    deep = list(leaves(tree))
    samples = max((leaf.samples for leaf in deep), default=1)
    hops = max((leaf.hop_seconds for leaf in deep), default=0.0)
    return samples * pace.scrape + hops + pace.evaluation


def due(tree: Tree, pace: Pace) -> Due:
    onset = tree.onset()
    pending = onset + lag(tree, pace)
    firing = pending + pace.held()
    return Due(onset, pending, firing, firing + pace.group_wait + pace.delivery)


def over(tree: Tree, pace: Pace, lasted: float) -> tuple[float, float]:
    """(gone from Prometheus, resolve notified), in seconds after a fault that lasted so long was taken away."""
    gone = tree.fall(lasted) + lag(tree, pace) + pace.keep
    return gone, gone + pace.group_interval + pace.delivery


def grace(seconds: float) -> float:
    """What a busy machine may add to a delay before it is called late."""
    return 10.0 + 0.1 * seconds
