"""What became of the spans, told by everybody who knows: the collector, the exporter's metrics, the
diagnostics and the exit line. That they agree is what is asserted."""

from collector import Collector
from service import Service, losses
from wire import ask, eventually

EXPORTED = "otel_sdk_exporter_span_exported_total"
OPERATIONS = "otel_sdk_exporter_operation_duration_seconds_count"

# Short waits, so that a batch's fate is known soon; and an end that does not wait for it.
HASTY = ("--flush-timeout", "300ms")
QUICK = {"OTEL_BSP_SCHEDULE_DELAY": "20", "OTEL_BSP_EXPORT_TIMEOUT": "400"}
PATIENT = {**QUICK, "OTEL_BSP_EXPORT_TIMEOUT": "20000"}


def by_error(service: Service, name: str, **wanted: str) -> dict:
    """{error_type or None: number} of a counter's samples that are not 0 and have these labels."""
    result: dict = {}
    for labels, value in service.samples(name).items():
        labels = dict(labels)
        if value and wanted.items() <= labels.items():
            kind = labels.get("error_type") or None
            result[kind] = result.get(kind, 0) + value
    return result


def warnings(service: Service) -> list:
    """Texts of what was said at level warn and above."""
    return [m["message"] for m in service.messages if m["level"] in ("warn", "error")]


def infos(service: Service) -> list:
    return [m["message"] for m in service.messages if m["component"] == "otlp"]


def said(service: Service, *words: str, timeout: float = 10.0):
    """The first diagnostic of the exporter in which all these words are, once there is one."""
    return service.wait_message(
        lambda m: m["component"] == "otlp" and all(word in m["message"] for word in words), timeout)


def call(service: Service, count: int = 1) -> None:
    for _ in range(count):
        assert ask(service.public).status == 200


def greetings(collectors) -> int:
    """How many spans of call() have reached them, sent again or not; a scrape leaves spans too, and
    none is lost sight of below."""
    return len({seen.span.span_id for c in collectors for seen in c.spans()
                if seen.span.name == "GET /demo/hello"})


def delivered(service: Service, collectors, count: int, quiet: bool = True) -> None:
    """Ends the service: `count` spans of call(), and all others, went to these collectors."""
    collectors = [collectors] if isinstance(collectors, Collector) else collectors
    assert eventually(lambda: greetings(collectors) >= count, timeout=20), (
        [c.acknowledged for c in collectors], infos(service))
    assert eventually(lambda: by_error(service, EXPORTED).get(None, 0) >= count)
    assert set(by_error(service, EXPORTED)) == set(by_error(service, OPERATIONS)) == {None}
    line = service.stop()
    assert greetings(collectors) == count
    assert line["spans_failed"] == 0, line
    assert line["spans_acknowledged"] == sum(c.acknowledged for c in collectors), line
    if quiet:
        assert warnings(service) == []


def lost(service: Service, count: int, error: str, *words: str) -> str:
    """Ends the service: all spans were lost, those of call() for that reason, and why is told in these
    words. What the scrapes below add may be cut short by the end. Returns the message."""
    assert eventually(lambda: by_error(service, EXPORTED).get(error, 0) >= count, timeout=20), (
        by_error(service, EXPORTED), infos(service))
    assert set(by_error(service, EXPORTED)) == set(by_error(service, OPERATIONS)) == {error}
    message = said(service, "spans for", "are being lost", *words)
    assert message and message["level"] == "warn", infos(service)
    line = service.stop()
    failed = losses(line, "spans_failed")
    assert line["spans_acknowledged"] == 0 and failed[error] >= count, line
    assert set(failed) <= {error, "shutdown"}, line
    return message["message"]
