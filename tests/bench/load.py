"""The load generators: wrk for as much as the server gives, h2load for a fixed rate."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

GRACE_SECONDS = 15  # beyond its duration a generator is killed


class LoadError(RuntimeError):
    """A generator failed, or the server answered something else than 200."""


@dataclass(frozen=True)
class Throughput:
    """What wrk counted."""

    requests: int
    seconds: float

    @property
    def per_second(self) -> float:
        """Requests completed a second."""
        return self.requests / self.seconds


@dataclass(frozen=True)
class Latency:
    """What h2load logged, in microseconds."""

    requests: int
    per_second: float
    p50: float
    p99: float


def pinned(argv: list[str], cpus: str | None) -> list[str]:
    """The command, on those CPUs only."""
    return ["taskset", "-c", cpus, *argv] if cpus else argv


def run(argv: list[str], seconds: float) -> str:
    """Runs a generator to its end and returns what it printed."""
    done = subprocess.run(
        argv, capture_output=True, text=True, timeout=seconds + GRACE_SECONDS, check=False
    )
    if done.returncode != 0:
        raise LoadError(f"{' '.join(argv)}: exit {done.returncode}: {done.stderr.strip()[-300:]}")
    return done.stdout


def wrk_command(url: str, connections: int, seconds: float, cpus: str | None) -> list[str]:
    """One thread: it stands against one core of the server."""
    return pinned(["wrk", "-t1", f"-c{connections}", f"-d{seconds:.0f}s", url], cpus)


def wrk(url: str, connections: int, seconds: float, cpus: str | None) -> Throughput:
    """Keeps `connections` requests outstanding for whole `seconds`."""
    return parse_wrk(run(wrk_command(url, connections, seconds, cpus), seconds))


def parse_wrk(output: str) -> Throughput:
    """Requests and duration; an error or another status than 2xx or 3xx is a failure."""
    found = re.search(r"(\d+) requests in ([\d.]+)(ms|s|m)", output)
    if not found or int(found[1]) == 0:
        raise LoadError(f"wrk made no request: {output.strip()[-300:]}")
    for trouble in ("Non-2xx", "Socket errors"):
        line = re.search(rf"{trouble}.*", output)
        if line:
            raise LoadError(f"wrk: {line[0]}")
    scale = {"ms": 0.001, "s": 1.0, "m": 60.0}[found[3]]
    return Throughput(int(found[1]), float(found[2]) * scale)


def h2load(
    url: str, rate: float, connections: int, seconds: float, cpus: str | None, log: Path
) -> Latency:
    """Asks `rate` times a second, spread over `connections`; latencies come from its log."""
    log.unlink(missing_ok=True)
    run(
        pinned(
            ["h2load", "--h1", "-t1", f"-c{connections}", f"--rps={rate / connections:.3f}",
             f"-D{seconds:.0f}", "--warm-up-time=1", f"--log-file={log}", url],
            cpus,
        ),
        seconds + 1,
    )
    return parse_h2load(log.read_text())


def parse_h2load(text: str) -> Latency:
    """Lines of: start (us since the epoch), status, microseconds to the end of the response."""
    columns = text.split()
    statuses = columns[1::3]
    if not columns or any(status != "200" for status in statuses):
        bad = sum(status != "200" for status in statuses)
        raise LoadError(f"h2load: {bad} of {len(statuses)} requests were not answered 200")
    starts = [int(start) for start in columns[0::3]]
    times = sorted(int(time) for time in columns[2::3])
    span = (max(starts) - min(starts)) / 1e6
    return Latency(
        requests=len(times),
        per_second=len(times) / span if span > 0 else 0.0,
        p50=times[len(times) // 2],
        p99=times[min(len(times) - 1, len(times) * 99 // 100)],
    )
