"""k6, run once: its environment, its outputs, its end.

It is ended when we are, after what is left of a test was written: the first signal asks it to, as k6 does by itself,
the second ends it at once. It has as long as its scenarios say, and a grace.
"""

import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from .places import Places
from .refused import Refused
from .settings import HERE, Settings, seconds
from .truth import Plan

POINTS = 200   # of a plot
GRACE = 60.0   # seconds for what k6 does after its scenarios
PATIENCE = 60  # seconds for a short question
EVERY = 0.5    # seconds between two looks at what goes on
BROKEN = 99    # its exit status when a threshold was broken
ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
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

    def make_folder(self) -> None:
        """One that is there already is somebody's."""
        try:
            self.folder.mkdir(parents=True)
        except FileExistsError:
            raise Refused(f"{self.folder} is there already: another TESTID, or RESULTS") from None
        except OSError as error:
            raise Refused(f"{self.folder}: {error.strerror}") from None

    def remove_folder(self) -> None:
        """Where nothing came of it."""
        with suppress(OSError):
            self.folder.rmdir()

    def summary(self) -> dict[str, Any]:
        """What k6 measured; nothing if it did not come so far."""
        try:
            return json.loads((self.folder / "summary.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):  # it was ended before it was whole
            return {}


def run_id() -> str:
    """A new one: with it all trace ids of a test begin."""
    return secrets.token_hex(8)


def ran(program: str, *words: str, env: Mapping[str, str] | None = None) -> str:
    """What k6 says to a short question."""
    try:
        done = subprocess.run([program, *words], env=None if env is None else dict(env), capture_output=True, text=True,
                              timeout=PATIENCE, check=False)
    except (OSError, subprocess.SubprocessError) as error:
        raise Refused(f"k6 ({program}): {error}") from None
    if done.returncode != 0:
        raise Refused(f"k6 {words[0]}: {(done.stderr or done.stdout).strip()[-400:]}")
    return done.stdout


def binary() -> str:
    """As loadtest/run found it."""
    found = os.environ.get("K6_BIN", "k6")
    version(found)
    return found


@cache
def version(program: str) -> str:
    """2.2.0, say."""
    match = re.match(r"k6\S* v?(\S+)", ran(program, "version"))
    return match.group(1) if match else "0"


def agent_of(program: str, testid: str) -> str:
    """User-Agent: as k6/lib/trace.js makes it."""
    return f"k6/{version(program)} testid/{testid}"


def clean() -> dict[str, str]:
    """Our environment without what would have k6 do something else than it is told: proxies, and options of its own, in
    variables or in the file that it keeps for the user."""
    kept = {name: value for name, value in os.environ.items()
            if not name.upper().endswith("_PROXY") and not name.startswith("K6_")}
    return {**kept, "XDG_CONFIG_HOME": str(HERE / "none")}


def environment(run: Run, settings: Settings, places: Places, program: str, plan: Plan,
                declared: Sequence[str]) -> dict[str, str]:
    """All that the scripts are told, and k6's own outputs."""
    made = {
        **clean(), **settings.text, "TARGET": places.service, "RUN": run.id, "TESTID": run.testid,
        "RESULTS": str(run.folder), "K6_VERSION": version(program), "DECLARED": json.dumps(list(declared)),
        # On a kept connection Go sends a GET again that was reset, and nobody could say how often.
        "FRESH": "yes" if declared and plan.resets else "",
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
    if not sys.stdout.isatty():
        words.append("--quiet")  # its progress is for people who look
    return [*words, str(script)]


def longest(program: str, script: Path, env: Mapping[str, str]) -> float:
    """Seconds that k6 reckons the script takes at most; a script that it does not take is refused."""
    inspected = ran(program, "inspect", "--include-system-env-vars", "--execution-requirements", str(script), env=env)
    return seconds(json.loads(inspected)["totalDuration"])


@contextmanager
def noted() -> Iterator[list[int]]:
    """Signals that would end us, as they come; they end nothing meanwhile."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in ENDING}
    try:
        yield came
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextmanager
def patience() -> Iterator[Callable[[], bool]]:
    """Whether somebody is in a hurry."""
    with noted() as came:
        yield lambda: bool(came)


def execute(words: Sequence[str], env: Mapping[str, str], bound: float, meanwhile: Callable[[], None]) -> int:
    """k6's exit status; 128+N if it had to be ended by signal N. It stands in a session of its own so that a terminal's
    Ctrl-C reaches it through us alone: the first signal is passed on, the second ends it at once."""
    until, passed = time.monotonic() + bound + GRACE, 0
    with noted() as asked, subprocess.Popen(words, env=dict(env), start_new_session=True,
                                            stdin=subprocess.DEVNULL) as process:
        try:
            while process.poll() is None:
                if len(asked) > 1 or time.monotonic() > until:
                    process.kill()
                elif len(asked) > passed:
                    passed = len(asked)
                    process.send_signal(signal.SIGINT)
                meanwhile()
                wait_a_little(process)
        finally:
            process.kill()
    return process.returncode if process.returncode >= 0 else 128 - process.returncode


def wait_a_little(process: subprocess.Popen) -> None:
    """Until it ends, or EVERY seconds."""
    try:
        process.wait(EVERY)
    except subprocess.TimeoutExpired:
        pass


def script_of(workload: str) -> Path:
    """The workload's module."""
    return HERE / "k6/workloads" / f"{workload}.js"
