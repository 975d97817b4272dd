"""k6, run once: its environment, its outputs, its end.

It is ended when we are, after what is left of a test was written: the first signal asks it to, as k6 does by itself, the
second ends it at once. It has as long as its scenarios say, and a grace.
"""

import json
import os
import re
import secrets
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .places import Places
from .refused import Refused
from .settings import HERE, Settings, seconds

POINTS = 200   # of a plot
GRACE = 60.0  # seconds for what k6 does after its scenarios
BROKEN = 99   # its exit status when a threshold was broken
TRENDS = "p(50),p(95),p(99),max"  # Prometheus 2 takes no native histograms by remote write
REMOTE_WRITE = "experimental-prometheus-rw"


@dataclass(frozen=True)
class Run:
    """What makes this run its own."""

    testid: str
    id: str        # 16 hexadecimal digits, with which all of its trace ids begin
    folder: Path

    @property
    def console(self) -> Path:
        return self.folder / "console.log"

    def summary(self) -> dict[str, Any]:
        """What k6 measured; nothing if it did not come so far."""
        file = self.folder / "summary.json"
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def run_id() -> str:
    """A new one: with it all trace ids of a test begin."""
    return secrets.token_hex(8)


def new_run(testid: str, folder: Path) -> Run:
    """Its folder is made; one that was there already is somebody's."""
    made = folder / testid
    try:
        made.mkdir(parents=True)
    except FileExistsError:
        raise Refused(f"{made} is there already: another TESTID, or RESULTS") from None
    except OSError as error:
        raise Refused(f"{made}: {error.strerror}") from None
    return Run(testid, run_id(), made.resolve())


def binary() -> str:
    """As loadtest/run found it."""
    found = os.environ.get("K6_BIN", "k6")
    try:
        subprocess.run([found, "version"], check=True, stdout=subprocess.DEVNULL, timeout=60)
    except (OSError, subprocess.SubprocessError) as error:
        raise Refused(f"K6_BIN={found}: {error}") from None
    return found


def version(program: str) -> str:
    """2.2.0, say."""
    said = subprocess.run([program, "version"], check=True, capture_output=True, text=True, timeout=60).stdout
    match = re.match(r"k6\S* v?(\S+)", said)
    return match.group(1) if match else "0"


def environment(run: Run, settings: Settings, places: Places, program: str, declared: Sequence[str]) -> dict[str, str]:
    """All that the scripts are told, and k6's own outputs."""
    made = {
        **os.environ, **settings.text, "TARGET": places.service, "RUN": run.id, "TESTID": run.testid,
        "RESULTS": str(run.folder), "K6_VERSION": version(program), "DECLARED": json.dumps(list(declared)),
        "K6_WEB_DASHBOARD": "true", "K6_WEB_DASHBOARD_PORT": "-1",  # the report alone
        "K6_WEB_DASHBOARD_EXPORT": str(run.folder / "report.html")}
    if places.prometheus:
        made |= remote_write(places.prometheus)
    return made


def plotted(seconds: float) -> dict[str, str]:
    """So often that the plots of k6's report have some two hundred points; by itself it leaves out what is short."""
    return {"K6_WEB_DASHBOARD_PERIOD": f"{max(1, round(seconds / POINTS))}s"}


def remote_write(prometheus: str) -> dict[str, str]:
    """Where k6's series go, and which statistics of trends."""
    return {"K6_PROMETHEUS_RW_SERVER_URL": f"{prometheus}/api/v1/write", "K6_PROMETHEUS_RW_TREND_STATS": TRENDS,
            "K6_PROMETHEUS_RW_STALE_MARKERS": "true"}


def command(program: str, run: Run, script: Path, places: Places) -> list[str]:
    """k6's arguments."""
    words = [program, "run", "--no-usage-report", "--log-format=raw", f"--console-output={run.console}",
             f"--log-output=file={run.folder / 'k6.log'}"]
    if places.prometheus:
        words.append(f"--out={REMOTE_WRITE}")
    return [*words, str(script)]


def inspect(program: str, script: Path, env: Mapping[str, str]) -> dict[str, Any]:
    """What k6 makes of the script; and how long it may take."""
    done = subprocess.run([program, "inspect", "--include-system-env-vars", "--execution-requirements", str(script)], env=dict(env), text=True,
                          capture_output=True, timeout=60, check=False)
    if done.returncode != 0:
        raise Refused(f"k6 does not take {script.name}: {(done.stderr or done.stdout).strip()[-400:]}")
    return json.loads(done.stdout)


def longest(inspected: Mapping[str, Any]) -> float:
    """Seconds that k6 reckons its scenarios take at most."""
    return seconds(inspected["totalDuration"])


def execute(words: Sequence[str], env: Mapping[str, str], bound: float) -> int:
    """k6's exit status. SIGINT and SIGTERM are passed on; it stands in a session of its own so that a terminal's Ctrl-C
    reaches it through us alone, once."""
    process = subprocess.Popen(words, env=dict(env), start_new_session=True, stdin=subprocess.DEVNULL)
    asked = 0

    def pass_on(number: int, _: object) -> None:
        nonlocal asked
        asked += 1
        process.send_signal(number if asked == 1 else signal.SIGKILL)

    before = {number: signal.signal(number, pass_on) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        return process.wait(bound + GRACE)
    except subprocess.TimeoutExpired:
        raise Refused(f"k6 has not ended {GRACE:.0f} s after its {bound:.0f} s") from None
    finally:
        for number, action in before.items():
            signal.signal(number, action)
        if process.poll() is None:
            process.kill()
            process.wait(10)


def script_of(workload: str) -> Path:
    """The workload's module."""
    return HERE / "k6/workloads" / f"{workload}.js"
