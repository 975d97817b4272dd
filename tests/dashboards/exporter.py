"""What a cluster and a load test would have, from fed/*.prom: an exporter per file.

A file is an exposition, each series with a figure: a gauge's is its value; a counter's is what it grows by
in a second, from when the exporter was started, so that a rate of it is that figure. Replaced by
recordings as soon as there are any.
"""

import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent / "fed"

# job -> what its scrape configuration has besides. The kubelet's label is the target's; k6 is not scraped
# in truth, it writes: what a scrape adds is taken off again.
JOBS: dict[str, dict[str, Any]] = {
    "kube-state-metrics": {"file": "kube-state-metrics.prom"},
    "kubelet": {"file": "cadvisor.prom", "labels": {"metrics_path": "/metrics/cadvisor"}},
    "k6": {"file": "k6.prom", "metric_relabel_configs": [
        {"action": "labeldrop", "regex": "job|instance"}]}}


def grown(text: str, seconds: float) -> str:
    """The exposition after so many seconds."""
    kinds: dict[str, str] = {}
    lines = []
    for line in text.splitlines():
        if line.startswith("# TYPE "):
            _, _, name, kind = line.split()
            kinds[name] = kind
        elif line and not line.startswith("#"):
            series, _, figure = line.rpartition(" ")
            if kinds[series.partition("{")[0]] == "counter":
                line = f"{series} {float(figure) * seconds}"
        lines.append(line)
    return "\n".join(lines) + "\n"


class Exporter:
    """Serves each file at its name, on a free port of the loopback."""

    def __init__(self) -> None:
        started = time.time()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                path = FOLDER / self.path.lstrip("/")
                body = grown(path.read_text(encoding="utf-8"), time.time() - started).encode()
                self.send_response(200)
                self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def __enter__(self) -> "Exporter":
        return self

    def __exit__(self, *_: Any) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def jobs(self) -> dict[str, dict[str, Any]]:
        """Scrape configurations, by job."""
        address = "{}:{}".format(*self.server.server_address[:2])
        return {job: {"metrics_path": f"/{one['file']}",
                      "static_configs": [{"targets": [address], "labels": one.get("labels", {})}],
                      **{key: value for key, value in one.items() if key not in ("file", "labels")}}
                for job, one in JOBS.items()}
