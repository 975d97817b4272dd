"""What k6 left is read as it was, each failure for what it means, and what is not whole is refused."""

import pytest
from requests_log import Row, read

ROWS = [Row("/demo/hello", close=True), Row("/demo/hello", method="POST", status=405)]
RUN = "00112233aabbccdd"


def line(number: int, row: int = 0, status: int = 200, code: int = 0, error: str = "", begin: int = 1000,
         end: int = 1010) -> str:
    """As openload.js writes it."""
    return f'r {number} {row} {begin} {end} {status} {code} "{error}"'


def summary(iterations: int, dropped: int = 0) -> str:
    """The last one."""
    return f'summary {{"iterations": {iterations}, "requests": {iterations}, "dropped": {dropped}}}'


@pytest.mark.parametrize("row, status, code, error, outcome", [
    (0, 200, 0, "", "answered"),
    (1, 405, 1405, "", "answered"),                                    # k6 has a code for each status of 400 and more
    (0, 503, 1503, "", "wrong"),
    (1, 200, 0, "", "wrong"),
    (0, 0, 1212, "dial: connection refused", "refused"),
    (0, 0, 1211, "dial: i/o timeout", "refused"),
    (0, 0, 1101, "lookup: no such host", "refused"),
    (0, 0, 1220, "read: connection reset by peer", "cut"),
    (0, 0, 1000, "unexpected EOF", "cut"),
    (0, 0, 1050, "request timeout", "cut"),
    (0, 200, 1220, "read: connection reset by peer", "cut"),           # the head had come, the body did not
])
def test_outcomes(row: int, status: int, code: int, error: str, outcome: str) -> None:
    sent = read(RUN, ROWS, [line(0, row, status, code, error), summary(1)]).check()
    assert [one.outcome for one in sent.requests] == [outcome]


def test_a_request_lies_between_its_times() -> None:
    """A cut at 1010.7 ms, which k6 writes as 1010, is not before a kill at 1010.3."""
    one, = read(RUN, ROWS, [line(0, 0, 0, 1220, "read: connection reset by peer", 1006, 1010), summary(1)]).requests
    assert one.begin <= 1.006 and one.end >= 1.0107


def test_lines_of_k6_itself_are_passed_over() -> None:
    sent = read(RUN, ROWS, ["Request Failed", "Insufficient VUs, reached 10 active VUs", line(0), summary(1)])
    assert len(sent.check().requests) == 1
    assert sent.trace_id(17) == RUN + "0000000000000011"


@pytest.mark.parametrize("lines, why", [
    ([line(0)], "did not come to its end"),
    ([line(0), summary(1, dropped=3)], "3 requests were not sent"),
    ([line(0), line(2), summary(2)], "without a line"),
    ([line(0), line(0), summary(2)], "without a line, or with two"),
    ([line(0), summary(2)], "iterations"),
], ids=["no end", "dropped", "a gap", "twice", "fewer"])
def test_what_is_not_whole_is_refused(lines: list[str], why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        read(RUN, ROWS, lines).check()
