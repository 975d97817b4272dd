"""What is switched off is no loss: without an access log, traces and log records no verdict turns red."""

import json
from pathlib import Path

import load
from prometheus import Prometheus
from reading import FOLDER, expressions, read
from service import Service

BOARD = read(FOLDER / "json/telemetry.json")
VERDICTS = [panel["title"] for panel in BOARD.panels if "adds up" in json.dumps(panel)
            and panel["type"] == "stat"]


def test_what_is_switched_off_is_no_loss(tmp_path: Path):
    assert VERDICTS == ["Observations", "Log lines", "SERVER spans", "Spans", "Log records"]
    with Service(log="none", fields=None) as service, \
            Prometheus(tmp_path, service.public, "exemplar-storage") as prometheus:
        assert prometheus.wait("up", 1)
        sent = load.warm_up(service.public, count=1000)
        assert prometheus.wait("glassbox_requests_finished_total", sent)
        assert prometheus.wait("count(rate(glassbox_requests_finished_total[15s]))", 1)
        said = {one.where: prometheus.value(one.filled) for one in expressions(BOARD)
                if one.where in VERDICTS}
    assert said == {"Observations": 0, "Log lines": 2, "SERVER spans": 0, "Spans": 0,
                    "Log records": 2}
