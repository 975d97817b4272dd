"""The whole of it, second by second: load -> pods -> metrics -> the controller -> pods.

Within a second: the pods serve; Prometheus and the kubelet look where they are due; metrics-server asks; the controller
looks; pods are made, or go. A pod that goes is the youngest, and takes no request from then on.

What cannot be known is when within its 15 s the controller looks, and when within its resolution metrics-server asks.
So it is all done for several such phases, evenly spread, and of each second the middle one of what came out is
foretold, with the least and the most beside it: half of what may happen is earlier, half later. Where a World gives
both phases, as someone has watched them, there is one outcome.
"""

import math
from dataclasses import dataclass, replace
from statistics import median, median_low
from typing import Optional, Sequence

from .controller import State, Values, reconcile
from .profile import Blind, Profile, Stage
from .signals import is_due, share
from .spec import PODS, Spec
from .world import DEMO, LONG_AGO, PRODUCTION, Simulated, World

__all__ = ["Blind", "DEMO", "Moment", "PRODUCTION", "Profile", "Stage", "Step", "World", "predict", "simulate",
           "steps"]

PHASES, METRICS_PHASES = 5, 3  # that are tried, of the controller and of metrics-server; odd: there is a middle


@dataclass(frozen=True)
class Moment:
    """One second, as the autoscaler's status shows it: `wanted` is what it has set, `current` what it found when it
    looked last (so it follows a look later), and the metrics are averages of a pod: requests a second, per cent."""

    t: float
    metrics: dict[str, Optional[float]]
    wanted: int
    current: int
    ready: int
    reason: str
    low: int   # of `current`, whatever the phases
    high: int


@dataclass(frozen=True)
class Step:
    """A change of replicas."""

    t: float
    before: int
    after: int


def checked(spec: Spec, profile: Profile, world: World, begin_replicas: int) -> None:
    """Refuses what does not fit together."""
    if begin_replicas < 1:
        raise ValueError(f"begin_replicas: {begin_replicas}; allowed: 1 or above")
    for metric in spec.metrics:
        if metric.kind == PODS and metric.name != world.requests_metric:
            raise ValueError(f"metric {metric.name!r} cannot be foretold; allowed: {world.requests_metric}")
    names = [metric.name for metric in spec.metrics]
    for one in profile.blind:
        if one.metric not in names:
            raise ValueError(f"blind for {one.metric!r}, which it does not scale on; allowed: {', '.join(names)}")


class Simulation:
    """The pods and the controller."""

    def __init__(self, spec: Spec, profile: Profile, world: World, begin_replicas: int) -> None:
        checked(spec, profile, world, begin_replicas)
        self.spec, self.profile, self.world = spec, profile, world
        self.made = 0
        self.pods: list[Simulated] = []
        # They have served before, so their counters are no longer near zero.
        self.make(begin_replicas, -LONG_AGO - world.housekeeping_seconds / 2, served=1e6)
        self.state = State()
        self.wanted = self.current = begin_replicas
        self.metrics: dict[str, Optional[float]] = dict.fromkeys((metric.name for metric in spec.metrics), None)
        self.reason = ""

    def make(self, count: int, now: float, served: float = 0.0) -> None:
        """So many pods, which may have served already."""
        for _ in range(count):
            self.made += 1
            self.pods.append(Simulated(f"pod-{self.made}", now, self.world, served))

    def serve(self, now: float) -> None:
        """The second that ends now."""
        rate, cpu_ms = self.profile.at(now - 0.5)
        serving = [pod for pod in self.pods if pod.is_serving(now - 1)]
        running = [pod for pod in self.pods if pod.is_running(now - 1)]
        one = share(rate, cpu_ms, self.world.base_millicores, len(serving), len(running), self.world.cores)
        for pod in running:
            pod.requests += one.requests if pod in serving else 0.0
            pod.cpu_ms += one.cpu_ms if pod in serving else self.world.base_millicores

    def observe(self, now: float) -> None:
        """Prometheus, the kubelet, and then metrics-server. What a phase of the first two is makes little difference:
        it is the middle."""
        world = self.world
        for pod in self.pods:
            known = pod.created + world.ready_seconds + world.discovery_seconds / 2
            if now >= known and is_due(now, world.scrape_seconds, known + world.scrape_seconds / 2):
                pod.scraped.scrape(now, pod.requests)
            if pod.is_running(now) and is_due(now, world.housekeeping_seconds, pod.started):
                pod.measured.look(now, pod.cpu_ms)
        if is_due(now, world.metrics_seconds, (world.metrics_phase or 0.0) - LONG_AGO):
            for pod in self.pods:
                if pod.is_running(now):
                    pod.measured.ask()

    def values(self, now: float) -> list[Values]:
        """What the controller reads, a metric at a time."""
        read: list[Values] = []
        for metric in self.spec.metrics:
            found = {pod.name: pod.scraped.read(now) if metric.kind == PODS else pod.measured.read()
                     for pod in self.pods}
            figures = {name: one for name, one in found.items() if one is not None}
            read.append(None if self.profile.is_blind(metric.name, now) else figures or None)
        return read

    def sync(self, now: float) -> None:
        """The controller looks, and the pods follow."""
        self.current = len(self.pods)
        made = reconcile(self.spec, self.state, now, self.current, [pod.shown(now) for pod in self.pods],
                         self.values(now), {pod.name: self.world.request_millicores for pod in self.pods})
        self.state, self.wanted, self.reason = made.state, made.desired, made.reason
        self.metrics = {metric.name: None if usage is None else usage / (1000 if metric.kind == PODS else 1)
                        for metric, usage in zip(self.spec.metrics, made.usages)}
        self.make(made.desired - self.current, now)
        del self.pods[made.desired:]

    def moment(self, now: float) -> Moment:
        return Moment(now, self.metrics, self.wanted, self.current, sum(pod.is_ready(now) for pod in self.pods),
                      self.reason, self.current, self.current)


def simulate(spec: Spec, profile: Profile, world: World, begin_replicas: int) -> list[Moment]:
    """One outcome, by the phases of the world (0 where it has none)."""
    simulation = Simulation(spec, profile, world, begin_replicas)
    known = math.ceil(2 * max(world.rate_window_seconds, world.metrics_seconds, world.housekeeping_seconds))
    moments = []
    for now in range(-known, math.ceil(profile.seconds) + 1):
        simulation.serve(now)
        simulation.observe(now)
        if now >= 0:
            if is_due(now, world.sync_seconds, world.phase or 0.0):
                simulation.sync(now)
            moments.append(simulation.moment(now))
    return moments


def middle(outcomes: Sequence[Moment]) -> Moment:
    """Of one second, what half of the outcomes are below."""
    wanted, current, ready = (median_low(getattr(one, name) for one in outcomes)
                              for name in ("wanted", "current", "ready"))
    metrics: dict[str, Optional[float]] = {}
    for name in outcomes[0].metrics:
        values = [value for value in (one.metrics[name] for one in outcomes) if value is not None]
        metrics[name] = median(values) if 2 * len(values) > len(outcomes) else None
    near = min(outcomes, key=lambda one: (abs(one.wanted - wanted), abs(one.current - current)))
    return Moment(near.t, metrics, wanted, current, ready, near.reason,
                  min(one.current for one in outcomes), max(one.current for one in outcomes))


def predict(spec: Spec, profile: Profile, world: World, begin_replicas: int) -> list[Moment]:
    """One moment a second, from the profile's beginning to its end. A stage of no load at the end shows how it goes in
    again. At the beginning it is at rest, with what everyone knows of a time without load."""
    syncs = [world.phase] if world.phase is not None else [
        world.sync_seconds * (at + 0.5) / PHASES for at in range(PHASES)]
    asks = [world.metrics_phase] if world.metrics_phase is not None else [
        world.metrics_seconds * (at + 0.5) / METRICS_PHASES for at in range(METRICS_PHASES)]
    outcomes = [simulate(spec, profile, replace(world, phase=sync, metrics_phase=ask), begin_replicas)
                for sync in syncs for ask in asks]
    return [middle(moments) for moments in zip(*outcomes)]


def steps(moments: Sequence[Moment]) -> list[Step]:
    """Where `current` changes."""
    return [Step(now.t, before.current, now.current) for before, now in zip(moments, moments[1:])
            if before.current != now.current]
