"""A recording of a real autoscaler, as tests/e2e keeps them: what it was told, what was sent, what it did.

What was sent is there as requests by the second, and as loads without their beginnings: a load begins where, for the
first time, more than half of it comes on top of those before. A load lasts as long as it says.
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Optional, Sequence
from urllib.parse import parse_qs, urlsplit

from .profile import Blind, Profile, together
from .spec import PODS, Spec, part, spec_of
from .world import DEMO

CHEAP_MS = 0.35  # CPU of a request that has nothing to do, its connection, span and line included: as recorded
# Where they are made (infra/cluster, with the demo profile): its kubelet looks each 5 s. A pod at rest uses 11 m.
WORLD = replace(DEMO, housekeeping_seconds=5, base_millicores=11)


@dataclass(frozen=True)
class Sample:
    """One look at the autoscaler's status."""

    t: float
    metrics: dict[str, Optional[float]]
    current: int
    desired: int
    ready: int
    sent: int
    active: str


@dataclass(frozen=True)
class Recording:
    """All of it."""

    what: str
    spec: Spec
    profile: Profile
    samples: tuple[Sample, ...]


def cost_of(row: dict[str, Any]) -> float:
    """CPU milliseconds of one request."""
    asked = parse_qs(urlsplit(row["path"]).query).get("cpu_ms")
    return CHEAP_MS + (float(asked[0]) if asked else 0.0)


def loads_of(loads: Sequence[dict[str, Any]], samples: Sequence[Sample]) -> list[tuple[float, float, float, float]]:
    """(begin, end, rate, cpu_ms) of each."""
    found: list[tuple[float, float, float, float]] = []
    before = 0.0
    for load in loads:
        begin = next((one.t for one in samples if one.sent > before + load["rate"] / 2), None)
        if begin is None:
            raise ValueError(f"load of {load['rate']} a second: never sent")
        costs = [cost_of(row) for row in load["rows"]]
        found.append((begin, begin + load["seconds"], load["rate"], sum(costs) / len(costs)))
        before += load["rate"]
    return found


def blind_of(spec: Spec, samples: Sequence[Sample]) -> tuple[Blind, ...]:
    """When a metric was gone: without a figure in one stretch, and the autoscaler has said that it cannot read it. It
    says so only once it would go in, so the stretch begins before. CPU for a moment unread is not meant: that comes
    of pods that are new."""
    found = []
    for metric in (one for one in spec.metrics if one.kind == PODS):
        stretch: list[Sample] = []
        for one in (*samples, None):
            if one is not None and one.metrics.get(metric.name) is None:
                stretch.append(one)
                continue
            if any(missing.active == metric.failed for missing in stretch):
                found.append(Blind(metric.name, stretch[0].t, one.t if one else stretch[-1].t + 1))
            stretch = []
    return tuple(found)


def read(file: Path) -> Recording:
    """From a file."""
    try:
        found = json.loads(file.read_text())
        samples = tuple(Sample(**one) for one in part("recording", found, "samples"))
        if not samples:
            raise ValueError("recording: no samples")
        spec = spec_of(part("recording", found, "hpa"))
        loads = loads_of(part("recording", found, "load"), samples)
        stages = together(loads, samples[-1].t)
        return Recording(found.get("what", file.stem), spec, Profile(stages, blind_of(spec, samples)), samples)
    except (OSError, TypeError, KeyError, ValueError) as error:
        raise ValueError(f"{file}: {error}") from None
