"""openload.js and the ledger against a real program on the loopback: nothing lost, and what is when it is killed.

K6_BIN is k6, GLASSBOX_BIN the program; without them there is nothing to try it on.
"""

import json
import os
import signal
import subprocess
import threading
import time
from pathlib import Path

import accesslog
import pytest
import service
from collected import SERVER
from collector import Collector, attributes
from ledger import Ledger, Moment
from openload import SCRIPT
from requests_log import Row, Sending, read
from rolls import LONG, MIXED
from service import Service, binary
from wire import ask

K6 = os.environ.get("K6_BIN", "")
RUN, AGENT = "00112233aabbccdd", "k6/2.2.0 testid/loopback"
DEAD = ("only", 0)

pytestmark = pytest.mark.skipif(not (K6 and Path(binary()).exists()),
                                reason="no K6_BIN, no program; unproved: that the load counts right")


class Load:
    """k6 beside us, as the Job runs it."""

    def __init__(self, url: str, rows: list[Row], rate: int, seconds: int) -> None:

        settings = {"RUN": RUN, "TARGET": url, "RATE": rate, "SECONDS": seconds, "VUS": rate * 3, "USER_AGENT": AGENT,
                    "ROWS": json.dumps([row.as_json() for row in rows])}
        self.rows = rows
        self.process = subprocess.Popen(
            [K6, "run", "--quiet", "--no-color", "--no-usage-report", "--log-format=raw", "--address=", SCRIPT],
            env={**service.environment(), **{name: str(value) for name, value in settings.items()}},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def finish(self) -> Sending:
        """Its log, read."""
        said = self.process.communicate(timeout=60)[0]
        assert self.process.returncode == 0, said[-2000:]
        return read(RUN, self.rows, said.splitlines()).check()


def spans_of(collector: Collector) -> list[str]:
    """Trace ids of the load's, each span once."""
    found = {(one.span.trace_id.hex(), one.span.span_id) for one in collector.find(kind=SERVER)
             if attributes(one.span).get("user_agent.original") == AGENT}
    return [trace for trace, _ in found]


def test_script_is_understood() -> None:
    said = subprocess.run([K6, "inspect", "-e", "ROWS=[]", "-e", "RATE=7", "-e", "SECONDS=3", "-e", "VUS=9", SCRIPT],
                          capture_output=True, text=True, check=False)
    assert said.returncode == 0 and '"constant-arrival-rate"' in said.stdout, said


def test_nothing_is_lost() -> None:
    with Collector() as collector:
        with Service("--workers", "2", env=collector.env()) as one:
            sent = Load(f"http://{one.public[0]}:{one.public[1]}", MIXED, 50, 2).finish()
            one.stop()
        ledger = Ledger(sent).add_lines(one.log.entries, AGENT).add_spans(spans_of(collector))
    assert 100 <= len(sent.requests) <= 101, "50 a second, two seconds long"
    ledger.check_nothing_lost()


def test_a_death_takes_what_it_had_in_hand(tmp_path: Path) -> None:
    """Also the ledger's counter-proof: that spans are lost at all, and are found to be."""
    with Collector() as collector:
        one = Service("--workers", "2", env=collector.env(OTEL_BSP_SCHEDULE_DELAY="5000"), log=tmp_path / "log")
        moment: list[Moment] = []

        def kill() -> None:
            after = time.time()
            one.signal(signal.SIGKILL)
            one.process.wait(10)
            moment.append(Moment(after, time.time()))
        load = Load(f"http://{one.public[0]}:{one.public[1]}", LONG, 40, 4)
        assert ask(one.public).status == 200
        killer = threading.Timer(3, kill)
        killer.start()
        sent = load.finish()
        killer.join()
        entries = [{**entry, "pod": "only", "restart": 0} for entry in accesslog.load(tmp_path / "log").entries]
        ledger = Ledger(sent).add_lines(entries, AGENT).add_spans(spans_of(collector))
    assert sent.outcomes("cut") and sent.outcomes("refused") and ledger.without_span()
    ledger.check_death(moment[0], *DEAD)
    assert len(ledger.on_the_dead(moment[0])) >= len(sent.outcomes("cut")) > 10
