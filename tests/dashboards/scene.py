"""Everything a dashboard asks about, really running: the service under load with faults in force, a
collector, and each Prometheus there is, with the rules.

    first life: load that nothing goes wrong with ──> what a quiet service answers
    second life (a deploy): a plan of every kind of fault, load of every kind ──> what it answers then
"""

import contextlib
import threading
from pathlib import Path
from typing import Any, Callable, Iterator

import faults
import load
import objectives
from collector import Collector
from exporter import Exporter
from prometheus import Prometheus, free_port
from reading import ROOT
from service import Service
from wire import ask

# Mild, so that the load goes on; of every kind, so that nothing is zero for want of a cause.
PLAN = faults.plan(
    {"route": "/demo/hello", "error": {"ratio": 0.3, "status": 503},
     "latency": {"p50": "2ms", "p90": "10ms", "p99": "40ms"}},
    {"route": "/demo/work", "cpu": {"per_request": "1ms"}},
    {"route": "/", "reset": {"ratio": 0.05}, "truncate": {"ratio": 0.05}},
    {"not_ready": True, "memory": {"bytes": "8MiB"}, "background_cpu": {"cpus": 0.05}},
    name="dashboards")


HELLO = 'http_server_request_duration_seconds_count{http_route="/demo/hello"}'
OBJECTIVES = 2 * len(objectives.load().routes)  # availability and latency of each


class Load:
    """Requests of every kind, in small helpings, until told to stop. What faults cut short is not held
    against anybody: the wire tests do that."""

    def __init__(self, address: tuple) -> None:
        self.address, self.sent = address, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def _run(self) -> None:
        seed = 0
        while not self.ended.is_set():
            seed += 1
            self.sent += load.run_mixed(self.address, total=150, seed=seed, concurrency=3).sent
            self.ended.wait(0.3)

    def __enter__(self) -> "Load":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.thread.join(60)


def rules(profile: str) -> list[Path]:
    """The rules of a profile, as they are shipped."""
    found = sorted((ROOT / "alerts/prometheus" / profile).glob("*.yaml"))
    assert found, f"no rules of profile {profile}"
    return found


def installed(address: tuple) -> dict[str, Any]:
    """The service as a cluster's target, in the namespace that is fed: what is recorded of it has none, by the
    plain rules, and no other test's targets have one."""
    return {"static_configs": [{"targets": ["{}:{}".format(*address)], "labels": {"namespace": "glassbox"}}]}


@contextlib.contextmanager
def playing(folder: Path, binaries: dict[str, tuple[str, str]],
            quiet: Callable[[dict[str, Prometheus]], None]) -> Iterator[dict[str, Prometheus]]:
    """The scene; {name: Prometheus} for each of {name: (program, profile of rules)}. `quiet` is called
    in the first life."""
    plan, port = folder / "plan.json", free_port()
    arguments = ("--faults", plan, "--fault-token-file", faults.token_file(folder), "--page")
    more = {"listen": (f"127.0.0.1:{port}",)}
    with contextlib.ExitStack() as stack:
        collector = stack.enter_context(Collector())
        exporter = stack.enter_context(Exporter())
        environment = collector.env(OTEL_LOGS_EXPORTER="otlp")
        faults.write(plan, faults.plan(name="quiet"))
        first = Service(*arguments, env=environment, **more)
        observers = {}
        for name, (binary, profile) in binaries.items():
            own = folder / name
            own.mkdir()
            observers[name] = stack.enter_context(Prometheus(
                own, first.public, "exemplar-storage", binary,
                {"glassbox": installed(first.public), **exporter.jobs()}, rules(profile)))
        for name, one in observers.items():
            assert one.wait("sum(up)", 1 + len(exporter.jobs())), one.log.read_text()[-2000:]
        # Enough for the floor of traffic of three days, below which no burn is recorded.
        sent = load.warm_up(first.public, count=20_000)
        load.warm_up(first.public, "/", 1000)
        load.warm_up(first.public, "/demo/work", 1000)
        for _ in range(50):
            ask(first.public, "/demo/random-error")
        for one in observers.values():
            assert one.wait(f"sum({HELLO})", sent), one.log.read_text()[-2000:]
        quiet(observers)
        first.stop()
        stack.enter_context(Service(*arguments, env=environment, **more))
        faults.write(plan, PLAN)
        with Load(first.public) as running:
            for one in observers.values():
                assert one.wait("sum(glassbox_fault_in_force)", 8), one.log.read_text()[-2000:]
                assert one.wait(f"count(sum(rate({HELLO}[15s])) < 1000)", 1), "a burst that does not end"
                assert one.wait("count(slo:sli_error:ratio_rate5m)", OBJECTIVES), \
                    "an objective without a burn: too little traffic of its route"
            yield observers
        assert running.sent > 0, "a scene without load"
