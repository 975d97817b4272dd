"""The lines of a test, as the service writes them; also when the log is rotated while it goes on."""

from pathlib import Path

import pytest

from glassbox_load.accesslog import AccessLog, Line
from glassbox_load.refused import Refused

HEAD = ("#Version: 1.0\n#Fields: date time time-taken c-ip cs-method cs-uri-stem sc-status cs(User-Agent) x-trace-id "
        "x-error x-fault\n")


def entry(number: int, agent: str = '"k6/2.2.0 testid/a"', fault: str = "-") -> str:
    """A line."""
    return f"2026-11-26\t20:00:00\t0.25\t127.0.0.1\tGET\t/demo/hello\t200\t{agent}\t{number:032x}\t-\t{fault}\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A log with a line of before."""
    made = tmp_path / "access.log"
    made.write_text(HEAD + entry(0))
    return made


def added(path: Path, text: str) -> None:
    """What the service writes next."""
    with path.open("a") as log:
        log.write(text)


def traces(lines: list[Line]) -> list[int]:
    return [int(line.trace, 16) for line in lines]


def test_only_what_comes_after_it_was_opened(path: Path):
    log = AccessLog(path)
    assert list(log.lines()) == []
    added(path, entry(1, fault='"error,latency"'))
    (line,) = log.lines()
    assert (line.route, line.status, line.seconds, line.agent, line.fault, line.error) == (
        "/demo/hello", 200, 0.25, "k6/2.2.0 testid/a", "error,latency", "")
    assert line.text == entry(1, fault='"error,latency"').rstrip("\n")


def test_a_line_that_is_being_written_is_read_when_it_is_whole(path: Path):
    log = AccessLog(path)
    added(path, entry(1) + entry(2)[:40])
    assert traces(list(log.lines())) == [1]
    added(path, entry(2)[40:])
    assert traces(list(log.lines())) == [2]


def test_a_line_that_had_begun_before_is_not_ours(path: Path):
    added(path, entry(1)[:30])
    log = AccessLog(path)
    added(path, entry(1)[30:] + entry(2))
    assert traces(list(log.lines())) == [2]


def test_what_is_no_line_is_told(path: Path):
    log = AccessLog(path)
    added(path, "2026-11-26\t20:00:00\tsoon\t127.0.0.1\tGET\t/\t200\t-\t-\n")
    with pytest.raises(Refused, match="has a line that is none: '2026-11-26"):
        list(log.lines())


def test_quotes_inside_an_agent(path: Path):
    log = AccessLog(path)
    added(path, entry(1, agent='"a ""b"" c"'))
    assert [line.agent for line in log.lines()] == ['a "b" c']


def test_nothing_is_lost_or_read_twice_when_it_is_rotated(path: Path):
    log = AccessLog(path)
    added(path, entry(1))
    assert traces(list(log.lines())) == [1]
    path.rename(path.with_suffix(".1"))
    added(path.with_suffix(".1"), entry(2))  # the service has not reopened it yet
    assert traces(list(log.lines())) == [2]
    added(path.with_suffix(".1"), entry(3))
    path.write_text(HEAD + entry(4))
    assert traces(list(log.lines())) == [3, 4]
    added(path, entry(5))
    assert traces(list(log.lines())) == [5]


def test_fields_may_change(path: Path):
    log = AccessLog(path)
    added(path, "#Fields: x-trace-id cs(User-Agent) cs-uri-stem sc-status time-taken\n"
                f"{9:032x}\t-\t/\t500\t1.5\n")
    (line,) = log.lines()
    assert (line.trace, line.agent, line.route, line.status, line.seconds, line.fault) == (
        f"{9:032x}", "", "/", 500, 1.5, "")


def test_a_log_without_what_is_needed_is_refused(tmp_path: Path):
    path = tmp_path / "access.log"
    path.write_text("#Fields: date time cs-uri-stem\n")
    log = AccessLog(path)
    added(path, "2026-11-26\t20:00:00\t/\n")
    with pytest.raises(Refused, match=r"lacks cs\(User-Agent\), x-trace-id, sc-status, time-taken"):
        list(log.lines())
