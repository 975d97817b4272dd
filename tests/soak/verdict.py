"""Whether a soak was flat: pure functions over its samples.

Flatness is the slope of the second half by Theil and Sen, the median of the slopes between all pairs
of samples: a burst that is over, or one odd sample, does not move it. A slope is too much when it is
both more than so much an hour, and, over the half that was looked at, more than what short runs can
tell from noise. Beside it stands what no sample may exceed.
"""

from dataclasses import dataclass
from statistics import median

HOUR = 3600.0
PAIRS_MAX = 400  # samples; more are thinned out: all pairs of them are looked at


@dataclass
class Bound:
    name: str         # of the column
    unit: str
    per_hour: float   # a slope up to this is flat
    noise: float      # growth over the second half that is not told from noise
    most: float       # no sample may exceed it


MIB = 1 << 20
BOUNDS = [
    Bound("rss", "MiB", 0.5 * MIB, 1.0 * MIB, 128 * MIB),
    Bound("pss", "MiB", 0.5 * MIB, 1.0 * MIB, 128 * MIB),
    Bound("dirty", "MiB", 0.5 * MIB, 1.0 * MIB, 128 * MIB),
    Bound("descriptors", "", 1.0, 4.0, 1000),
]
OF_MEMORY = {"rss", "pss", "dirty"}


@dataclass
class Finding:
    what: str
    good: bool
    said: str


def thinned(points):
    return points[::max(1, -(-len(points) // PAIRS_MAX))]


def slope(points):
    """Of [(time, value)], per unit of time; 0 for fewer than two."""
    points = thinned(points)
    slopes = [(later - earlier) / (at - before)
              for i, (before, earlier) in enumerate(points)
              for at, later in points[i + 1:] if at > before]
    return median(slopes) if slopes else 0.0


def second_half(samples, column):
    """[(seconds, value)] of the second half of the time."""
    middle = (samples[0]["seconds"] + samples[-1]["seconds"]) / 2
    return [(sample["seconds"], sample[column]) for sample in samples
            if sample["seconds"] >= middle]


def scaled(value, unit):
    return f"{value / MIB:.2f} MiB" if unit == "MiB" else f"{value:.2f}"


def judge(samples, bound):
    """The finding for one column."""
    points = second_half(samples, bound.name)
    hourly = slope(points) * HOUR
    growth = hourly * (points[-1][0] - points[0][0]) / HOUR
    highest = max(sample[bound.name] for sample in samples)
    flat = hourly <= bound.per_hour or growth <= bound.noise
    said = (f"{scaled(hourly, bound.unit)} an hour (at most {scaled(bound.per_hour, bound.unit)}), "
            f"{scaled(growth, bound.unit)} over the second half "
            f"(told from noise beyond {scaled(bound.noise, bound.unit)}), "
            f"highest {scaled(highest, bound.unit)} (at most {scaled(bound.most, bound.unit)})")
    return Finding(bound.name, flat and highest <= bound.most, said)


def judge_all(samples, with_memory=True):
    threads = [sample["threads"] for sample in samples]
    return [judge(samples, bound) for bound in BOUNDS
            if with_memory or bound.name not in OF_MEMORY] \
        + [equal("threads, fewest and most", min(threads), max(threads))]


def equal(what, one, other, note=""):
    return Finding(what, one == other, f"{one:,} = {other:,}{note}" if one == other
                   else f"{one:,} and {other:,} differ{note}")


def at_most(what, value, most, note=""):
    return Finding(what, 0 <= value <= most, f"{value:,} of at most {most:,}{note}")
