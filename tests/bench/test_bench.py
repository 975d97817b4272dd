"""The bench's own judgement: what it reads from its tools, and what it makes of it.

    python3 -m unittest discover -s tests/bench

With BENCH_SINK set to the sink's binary, that is tested too.
"""

import gzip
import http.client
import os
import tempfile
import unittest
from pathlib import Path

import budgets
import contenders
import reconcile
import report
from load import LoadError, parse_h2load, parse_wrk
from measure import Cpu, Figures

WRK = """Running 2s test @ http://127.0.0.1:1/
  1 threads and 64 connections
  245 requests in 500.00ms, 52.34MB read
Requests/sec:    490.00
"""


class Generators(unittest.TestCase):
    """What wrk and h2load print."""

    def test_wrk_counts_and_seconds(self) -> None:
        found = parse_wrk(WRK)
        self.assertEqual((found.requests, found.seconds, found.per_second), (245, 0.5, 490.0))

    def test_wrk_with_trouble_is_a_failure(self) -> None:
        for line in (
            "  Non-2xx or 3xx responses: 3\n",
            "  Socket errors: connect 0, read 7, write 0, timeout 0\n",
        ):
            with self.subTest(line), self.assertRaisesRegex(LoadError, line.strip()):
                parse_wrk(WRK + line)
        with self.assertRaisesRegex(LoadError, "no request"):
            parse_wrk("0 requests in 2.00s, 0.00B read")

    def test_h2load_percentiles(self) -> None:
        log = "".join(f"{1000000 + 10000 * n}\t200\t{n}\n" for n in range(1, 101))
        found = parse_h2load(log)
        self.assertEqual((found.requests, found.p50, found.p99), (100, 51, 100))
        self.assertAlmostEqual(found.per_second, 100 / 0.99)

    def test_h2load_with_another_status_is_a_failure(self) -> None:
        for log in ("", "1\t200\t5\n2\t503\t5\n", "1\t0\t5\n"):
            with self.subTest(log), self.assertRaises(LoadError):
                parse_h2load(log)


def figures(everything: float, share: float) -> Figures:
    """Two rounds: the floor at 10 and 20, glassbox at so many times the floor."""
    made = Figures()
    for floor in (10.0, 20.0):
        made.cpu.setdefault("floor", []).append(Cpu(floor, 1e5, 1.0, reconcile.Done()))
        done = reconcile.Done(exported=share, logged=1.0)
        made.cpu.setdefault("everything", []).append(Cpu(floor * everything, 9e4, 1.0, done))
    return made


class Budgets(unittest.TestCase):
    """Met, missed, failed, not measured."""

    def verdict(self, made: Figures) -> tuple[str, str]:
        row = next(r for r in budgets.rows(made) if r.what == "CPU a request, everything")
        return row.ratio, row.verdict

    def test_ratio_is_of_the_same_round(self) -> None:
        self.assertEqual(self.verdict(figures(1.3, 1.0)), ("1.30", "met"))

    def test_missed_says_by_how_much(self) -> None:
        self.assertEqual(self.verdict(figures(1.62, 1.0)), ("1.62", "MISSED by 20.0 %"))

    def test_lost_spans_fail_the_row(self) -> None:
        _, verdict = self.verdict(figures(1.0, 0.97))
        self.assertEqual(verdict, "FAILED: only 97.0% of spans or log lines arrived")

    def test_what_costs_extra_is_told_against_everything(self) -> None:
        made = figures(1.5, 1.0)
        for round_ in made.cpu["everything"]:
            made.cpu.setdefault("everything, gzip", []).append(
                Cpu(round_.micros * 1.2, 9e4, 1.0, reconcile.Done(1.0, 1.0)))
        row = next(r for r in budgets.rows(made) if r.what == "CPU a request, everything, gzip")
        self.assertEqual((row.ratio, row.verdict), ("1.80", "1.20 × everything"))

    def test_nothing_measured_is_said(self) -> None:
        for row in budgets.rows(Figures()):
            if row.budget:
                with self.subTest(row.what):
                    self.assertEqual((row.ratio, row.verdict), ("", "not measured"))


class Metrics(unittest.TestCase):
    """What it reads of glassbox."""

    TEXT = (
        "# TYPE otel_sdk_exporter_span_exported_total counter\n"
        "otel_sdk_exporter_span_exported_total 90\n"
        'otel_sdk_exporter_span_exported_total{error_type="rejected"} 10\n'
        'glassbox_spans_ended_total{kind="SERVER"} 70\n'
        'glassbox_spans_ended_total{kind="INTERNAL"} 30\n'
    )

    def test_acknowledged_are_those_without_an_error(self) -> None:
        metrics = contenders.samples(self.TEXT)
        self.assertEqual(reconcile.exported_total(metrics, "span"), 90)
        self.assertEqual(reconcile.exported_total(metrics, "log"), 0)
        self.assertEqual(contenders.total(metrics, "glassbox_spans_ended_total"), 100)
        self.assertEqual(
            contenders.total(metrics, "glassbox_spans_ended_total", 'kind="SERVER"'), 70
        )


class Page(unittest.TestCase):
    """Where the table goes."""

    def test_only_what_is_between_the_marks_changes(self) -> None:
        with tempfile.TemporaryDirectory() as directory:
            path = Path(directory) / "performance.md"
            report.write_page(path, "one\n")
            path.write_text(path.read_text() + "Where the time goes: here.\n")
            report.write_page(path, "two\n")
            text = path.read_text()
        self.assertTrue(text.startswith("# Performance\n"))
        self.assertIn(f"{report.BEGIN}\ntwo\n{report.END}\n", text)
        self.assertNotIn("one", text)
        self.assertTrue(text.endswith("Where the time goes: here.\n"))


def nested(field: int, *contents: bytes) -> bytes:
    """Length-delimited fields of one number."""
    out = b""
    for content in contents:
        size = len(content)
        length = b""
        while size > 0x7F:
            length += bytes([size & 0x7F | 0x80])
            size >>= 7
        out += bytes([field << 3 | 2]) + length + bytes([size]) + content
    return out


@unittest.skipUnless("BENCH_SINK" in os.environ, "BENCH_SINK names no binary")
class Sink(unittest.TestCase):
    """The sink counts what it is sent."""

    SPAN = nested(5, b"GET /demo/hello") + b"\x30\x02" + b"\x39" + bytes(8)

    def setUp(self) -> None:
        scratch = self.enterContext(tempfile.TemporaryDirectory())
        nowhere = Path("/nonexistent")
        self.enterContext(
            contenders.sink(
                contenders.Setup(nowhere, nowhere, Path(os.environ["BENCH_SINK"]), nowhere,
                                 Path(scratch), 1, None, None)
            )
        )  # fmt: skip

    def post(self, *bodies: bytes, path: str = "/v1/traces",
             headers: dict[str, str] | None = None) -> list[int]:
        connection = http.client.HTTPConnection("127.0.0.1", contenders.SINK_PORT, timeout=5)
        statuses = []
        for body in bodies:
            connection.request("POST", path, body, headers or {})
            response = connection.getresponse()
            statuses.append(response.status)
            self.assertEqual(response.read(), b"")
        connection.close()
        return statuses

    def test_spans_of_all_resources_and_scopes_on_one_connection(self) -> None:
        scope = nested(2, self.SPAN, self.SPAN) + nested(3, b"https://schema")
        resource = nested(1, nested(1, b"attribute")) + nested(2, scope, scope)
        large = nested(1, nested(2, nested(2, *[self.SPAN * 2] * 200)))
        self.assertEqual(self.post(nested(1, resource, resource), large), [200, 200])
        stats = contenders.sink_stats()
        self.assertEqual((stats["posts"], stats["spans"], stats["bad"]), (2, 8 + 200, 0))

    def test_what_cannot_be_counted_is_bad(self) -> None:
        self.assertEqual(self.post(b"\x0a\x7f"), [400])
        self.assertEqual(self.post(b"", headers={"Content-Encoding": "br"}), [415])
        self.assertEqual(self.post(b"\x1f\x8b", headers={"Content-Encoding": "gzip"}), [400])
        stats = contenders.sink_stats()
        self.assertEqual((stats["spans"], stats["bad"]), (0, 3))

    def test_compressed_posts_of_any_size(self) -> None:
        for spans in (1, 200):
            packed = gzip.compress(nested(1, nested(2, nested(2, *[self.SPAN * 60] * spans))))
            self.assertEqual(self.post(packed, headers={"Content-Encoding": "gzip"}), [200])
        self.assertEqual(contenders.sink_stats()["spans"], 201)

    def test_log_records_are_counted_apart(self) -> None:
        body = nested(1, nested(2, nested(2, self.SPAN, self.SPAN)))
        self.assertEqual(self.post(body, path="/v1/logs"), [200])
        stats = contenders.sink_stats()
        self.assertEqual((stats["logs"], stats["spans"]), (2, 0))


if __name__ == "__main__":
    unittest.main()
