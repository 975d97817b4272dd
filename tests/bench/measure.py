"""The measurements, one function each. Each returns figures; `budgets.py` judges them.

All that compares contenders runs them in turn, round after round, so that what drifts on the
machine hits all alike; figures of a round are compared with those of the same round.
"""

import contextlib
import http.client
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import procfs
from contenders import (
    ADMIN_PORT, CONTENDERS, EXTRAS, PATH, PORT, SETTINGS, Server, ServerError, Setup, answer_bytes,
    metrics_of_glassbox, serve, sink, tls_front, total, uses_tls,
)  # fmt: skip
from load import Latency, h2load, parse_wrk, wrk, wrk_command
from reconcile import Done, settle

URL = f"http://127.0.0.1:{PORT}{PATH}"
CONNECTIONS = 64
MANY_CONNECTIONS = 10_000
IDLE_CONNECTIONS = 5_000
SCRAPES = 200


@dataclass(frozen=True)
class Plan:
    """How long and how often."""

    rounds: int
    seconds: int  # of load, a contender and round
    latency_rounds: int
    many_rounds: int
    many_seconds: int
    starts: int


@dataclass(frozen=True)
class Cpu:
    """One contender's turn under full load."""

    micros: float  # CPU microseconds a request
    per_second: float
    busy: float  # cores used while loaded
    done: Done  # what became of its spans and log lines


@dataclass
class Figures:
    """All that was measured; what could not be is a line in `failures`."""

    cpu: dict[str, list[Cpu]] = field(default_factory=dict)
    latency: dict[str, list[Latency]] = field(default_factory=dict)
    latency_scraped: list[Latency] = field(default_factory=list)
    half_rate: float = 0.0
    many: dict[str, list[tuple[float, float]]] = field(default_factory=dict)  # us at few, at many
    scrape_loaded_ms: list[float] = field(default_factory=list)
    scrape_few_ms: list[float] = field(default_factory=list)  # after few requests, idle
    scrape_many_ms: list[float] = field(default_factory=list)  # after many requests, idle
    scrape_requests: tuple[int, int] = (0, 0)
    scrape_bytes: int = 0
    idle_bytes: int = 0
    connection_bytes: dict[str, float] = field(default_factory=dict)
    start_ms: list[float] = field(default_factory=list)
    image: tuple[float, str] | None = None  # bytes, where read
    answer: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)


def say(text: str) -> None:
    """Progress, for who waits."""
    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def running(setup: Setup, name: str) -> Iterator[Server]:
    """The contender, with a fresh sink before it where it exports."""
    with contextlib.ExitStack() as stack:
        if name in SETTINGS:
            stack.enter_context(sink(setup))
        if uses_tls(name):
            stack.enter_context(tls_front(setup))
        yield stack.enter_context(serve(setup, name))


def attempt(figures: Figures, what: str, step: Callable[[], None]) -> None:
    """Runs a step; its failure is told and the bench goes on."""
    try:
        step()
    except (RuntimeError, OSError, http.client.HTTPException, subprocess.SubprocessError) as error:
        figures.failures.append(f"{what}: {error}")
        say(f"FAILED {what}: {error}")


def with_glassbox(setup: Setup, names: list[str]) -> list[str]:
    """Those of the names that can run: without a glassbox only its peers."""
    return [name for name in names if setup.glassbox.exists() or name not in SETTINGS]


# ---- CPU a request, throughput -------------------------------------------------------------------


def cpu_turn(setup: Setup, figures: Figures, name: str, seconds: int) -> None:
    """One contender under full load, warmed for a second."""
    with running(setup, name) as server:
        figures.answer[name] = answer_bytes()
        wrk(URL, CONNECTIONS, 1, setup.load_cpus)
        settle(name)
        before = procfs.cpu_seconds(server.pids())
        made = wrk(URL, CONNECTIONS, seconds, setup.load_cpus)
        loaded = procfs.cpu_seconds(server.pids())
        done = settle(name)  # what was put off is paid for
        used = procfs.cpu_seconds(server.pids()) - before
        busy = (loaded - before) / made.seconds
        figures.cpu.setdefault(name, []).append(
            Cpu(used / made.requests * 1e6, made.per_second, busy, done)
        )


def cpu(setup: Setup, figures: Figures, plan: Plan) -> None:
    """CPU a request and throughput of all contenders, and of what costs extra."""
    for number in range(plan.rounds):
        say(f"CPU a request, round {number + 1} of {plan.rounds}")
        for name in with_glassbox(setup, [*CONTENDERS, *EXTRAS]):
            attempt(figures, f"CPU of {name}", lambda: cpu_turn(setup, figures, name, plan.seconds))


# ---- latency -------------------------------------------------------------------------------------


@contextlib.contextmanager
def scraped_each_second() -> Iterator[None]:
    """Someone who scrapes metrics once a second; in a process of its own, as Prometheus is."""
    script = (
        "import http.client,time\n"
        f"c=http.client.HTTPConnection('127.0.0.1',{ADMIN_PORT},timeout=5)\n"
        "for _ in range(60):\n"
        " c.request('GET','/metrics'); c.getresponse().read(); time.sleep(1)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as scraper:
        try:
            yield
        finally:
            scraper.kill()


def latency_turn(setup: Setup, figures: Figures, name: str, seconds: int) -> None:
    """One contender at half the floor's throughput; with everything on also while scraped."""

    def ask() -> Latency:
        log = setup.scratch / "h2load.log"
        found = h2load(URL, figures.half_rate, CONNECTIONS, seconds, setup.load_cpus, log)
        if found.per_second < 0.95 * figures.half_rate:
            raise ServerError(
                f"{found.per_second:.0f} requests a second instead of {figures.half_rate:.0f}"
            )
        return found

    with running(setup, name):
        figures.latency.setdefault(name, []).append(ask())
        if name == "everything":
            with scraped_each_second():
                figures.latency_scraped.append(ask())


def latency(setup: Setup, figures: Figures, plan: Plan) -> None:
    """Latencies of all contenders at the same rate."""
    if not figures.cpu.get("floor"):
        raise ServerError("the floor's throughput is not known")
    speeds = sorted(turn.per_second for turn in figures.cpu["floor"])
    figures.half_rate = speeds[len(speeds) // 2] / 2
    for number in range(plan.latency_rounds):
        say(f"latency, round {number + 1} of {plan.latency_rounds}")
        for name in with_glassbox(setup, CONTENDERS):
            attempt(
                figures,
                f"latency of {name}",
                lambda: latency_turn(setup, figures, name, plan.seconds),
            )


# ---- many connections ----------------------------------------------------------------------------


def many_turn(setup: Setup, figures: Figures, name: str, plan: Plan) -> None:
    """The same server with few connections, then with many, all of them busy."""
    micros = []
    with running(setup, name) as server:
        wrk(URL, CONNECTIONS, 1, setup.load_cpus)
        for connections, seconds in (
            (CONNECTIONS, plan.seconds),
            (MANY_CONNECTIONS, plan.many_seconds),
        ):
            before = procfs.cpu_seconds(server.pids())
            done = wrk(URL, connections, seconds, setup.load_cpus)
            settle(name)
            micros.append((procfs.cpu_seconds(server.pids()) - before) / done.requests * 1e6)
    figures.many.setdefault(name, []).append((micros[0], micros[1]))


def many(setup: Setup, figures: Figures, plan: Plan) -> None:
    """CPU a request at 10,000 connections against 64, of the floor and of glassbox."""
    for number in range(plan.many_rounds):
        say(f"{MANY_CONNECTIONS} connections, round {number + 1} of {plan.many_rounds}")
        for name in with_glassbox(setup, ["floor", "everything"]):
            attempt(
                figures,
                f"{MANY_CONNECTIONS} connections to {name}",
                lambda: many_turn(setup, figures, name, plan),
            )


# ---- scrape --------------------------------------------------------------------------------------


def scrape_ms(server: Server, figures: Figures, times: int, pause: float) -> list[float]:
    """CPU of the main thread a scrape, in milliseconds, as means of four equal shares."""
    connection = http.client.HTTPConnection("127.0.0.1", ADMIN_PORT, timeout=5)
    shares = []
    for _ in range(4):
        before = procfs.thread_cpu_ns(server.pid, server.pid)
        for _ in range(times // 4):
            connection.request("GET", "/metrics")
            response = connection.getresponse()
            figures.scrape_bytes = len(response.read())
            if response.status != 200 or response.headers.get("Content-Encoding"):
                raise ServerError(f"scrape answered {response.status}, or compressed")
            time.sleep(pause)
        shares.append((procfs.thread_cpu_ns(server.pid, server.pid) - before) / (times // 4) / 1e6)
    connection.close()
    return shares


def scrape(setup: Setup, figures: Figures, plan: Plan) -> None:
    """CPU of a scrape: after few requests, under load, after many requests."""
    say("scrapes")
    with running(setup, "everything") as server:
        wrk(URL, CONNECTIONS, 1, setup.load_cpus)
        settle("everything")
        finished = total(metrics_of_glassbox(), "glassbox_requests_finished_total")
        figures.scrape_few_ms = scrape_ms(server, figures, SCRAPES, 0.001)
        # Connections are accepted on the same thread: all are there before the first scrape.
        seconds = plan.seconds + 3
        load = subprocess.Popen(
            wrk_command(URL, CONNECTIONS, seconds, setup.load_cpus),
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            time.sleep(0.5)
            figures.scrape_loaded_ms = scrape_ms(
                server, figures, SCRAPES, (seconds - 2) / SCRAPES / 2
            )
            if load.poll() is not None:
                raise ServerError("the load ended before the scrapes did")
        finally:
            output, _ = load.communicate(timeout=seconds + 15)
        parse_wrk(output)
        settle("everything")
        more = total(metrics_of_glassbox(), "glassbox_requests_finished_total")
        figures.scrape_many_ms = scrape_ms(server, figures, SCRAPES, 0.001)
        figures.scrape_requests = (int(finished), int(more))


# ---- memory --------------------------------------------------------------------------------------


def idle_memory(setup: Setup, figures: Figures) -> None:
    """Resident memory of a glassbox with default options, a second after its first answer."""
    argv = [str(setup.glassbox), "--listen", f"127.0.0.1:{PORT}"]
    with Server("idle", argv, (PORT, PATH), None, setup.scratch) as server:
        time.sleep(1)
        figures.idle_bytes = procfs.rss_bytes(server.pid)


def connection_memory(setup: Setup, figures: Figures, name: str) -> None:
    """Resident bytes for each of 5,000 keep-alive connections that rest after one request.

    First a second of load fills the queues and pools that requests need whoever makes them.
    """
    request = f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    with running(setup, name) as server, contextlib.ExitStack() as open_ones:
        wrk(URL, CONNECTIONS, 2, setup.load_cpus)
        settle(name)
        before = procfs.rss_bytes(server.pid)
        for _ in range(IDLE_CONNECTIONS):
            connection = open_ones.enter_context(
                socket.create_connection(("127.0.0.1", PORT), timeout=5)
            )
            connection.sendall(request)
            if not connection.recv(4096).startswith(b"HTTP/1.1 200"):
                raise ServerError(f"{name}: an idle connection was not answered 200")
        time.sleep(0.5)
        figures.connection_bytes[name] = (
            procfs.rss_bytes(server.pid) - before
        ) / IDLE_CONNECTIONS


# ---- start ---------------------------------------------------------------------------------------


def start(setup: Setup, figures: Figures, plan: Plan) -> None:
    """From fork to the first 200, default options."""
    command = [
        str(setup.start), "--rounds", str(plan.starts), "--port", str(PORT), "--path", PATH, "--",
        str(setup.glassbox), "--listen", f"127.0.0.1:{PORT}",
    ]  # fmt: skip
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=150, check=False
    )
    if done.returncode != 0:
        raise ServerError(done.stderr.strip())
    figures.start_ms = [float(line) for line in done.stdout.split()]
