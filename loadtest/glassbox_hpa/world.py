"""What is around the autoscaler: how often who looks at what, how long a pod takes, what it costs to be there.

Nothing of it is the autoscaler's own, and all of it is known before a run: from the values of the stack
(charts/stack), of the chart, and from a look at the pods at rest.
"""

from dataclasses import dataclass
from typing import Optional

from .calculator import Pod
from .controller import SYNC_SECONDS
from .signals import Measured, Scraped

LONG_AGO = 3600.0  # seconds that the pods at the beginning have been there


@dataclass(frozen=True)
class World:
    """Seconds, thousandths of a CPU. The phases are when the controller looks, and metrics-server asks, for the first
    time after the beginning; None where nobody has watched them."""

    scrape_seconds: float
    rate_window_seconds: float
    metrics_seconds: float                # metrics-server's resolution
    housekeeping_seconds: float = 10.0    # the kubelet's
    discovery_seconds: float = 5.0        # until Prometheus knows of a pod that is there: it tells itself each 5 s
    running_seconds: float = 1.0          # from a pod's creation until its container runs,
    ready_seconds: float = 3.0            # until it is ready,
    serving_seconds: float = 4.0          # until requests come to it
    base_millicores: float = 10.0         # of a pod that does nothing
    request_millicores: int = 100         # what a pod asks for
    cores: Optional[float] = None         # what all pods together can get; None: as much as they like
    sync_seconds: float = SYNC_SECONDS
    phase: Optional[float] = None
    metrics_phase: Optional[float] = None
    requests_metric: str = "http_requests_per_second"

    def __post_init__(self) -> None:
        for name in ("scrape_seconds", "rate_window_seconds", "metrics_seconds", "housekeeping_seconds",
                     "sync_seconds", "request_millicores"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name}: {getattr(self, name)}; allowed: 1 or above")
        if self.rate_window_seconds < 2 * self.scrape_seconds:
            raise ValueError(f"rate_window_seconds: {self.rate_window_seconds}; allowed: two scrapes or above, "
                             f"{2 * self.scrape_seconds}")
        if not 0 <= self.running_seconds <= self.ready_seconds <= self.serving_seconds:
            raise ValueError("running_seconds, ready_seconds, serving_seconds: allowed: each 0 or above, none "
                             "before the one before it")
        for name in ("base_millicores", "discovery_seconds", "cores", "phase", "metrics_phase"):
            if (getattr(self, name) or 0) < 0:
                raise ValueError(f"{name}: {getattr(self, name)}; allowed: 0 or above")


# As charts/stack/values and the chart's profile of the same name set it up.
DEMO = World(scrape_seconds=5, rate_window_seconds=20, metrics_seconds=10)
PRODUCTION = World(scrape_seconds=15, rate_window_seconds=120, metrics_seconds=15)


class Simulated:
    """One pod, from its creation: what it has done, and what others know of it."""

    def __init__(self, name: str, created: float, world: World, served: float = 0.0) -> None:
        self.name, self.created, self.world = name, created, world
        self.requests, self.cpu_ms = served, 0.0
        self.started = created + world.running_seconds
        self.scraped = Scraped(world.rate_window_seconds)
        self.measured = Measured(self.started, world.metrics_seconds)

    def is_running(self, now: float) -> bool:
        return now >= self.started

    def is_ready(self, now: float) -> bool:
        return now >= self.created + self.world.ready_seconds

    def is_serving(self, now: float) -> bool:
        return now >= self.created + self.world.serving_seconds

    def shown(self, now: float) -> Pod:
        """As the API server shows it."""
        changed = self.created + (self.world.ready_seconds if self.is_ready(now) else 0.0)
        return Pod(self.name, "Running" if self.is_running(now) else "Pending", self.is_ready(now), self.created,
                   changed)


