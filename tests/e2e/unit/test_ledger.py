"""The books of a roll: what is lost is found, by name, and so is what comes twice or from nowhere."""

import pytest
from ledger import Ledger, Moment, told_by_the_dead
from requests_log import Row, Sending, Sent

RUN, AGENT = "00112233aabbccdd", "k6/2.2.0 testid/x"
ROW = Row("/demo/hello")
KILL = Moment(100.0, 100.01)
DEAD = ("b", 0)


def request(number: int, begin: float, end: float, status: int = 200, code: int = 0) -> Sent:
    """One; without a status it has failed."""
    return Sent(number, ROW, begin, end, status, code, "" if status else "some error")


def ledger(requests: list[Sent], without_line: tuple[int, ...] = (), without_span: tuple[int, ...] = (),
           pods: dict[int, str] | None = None) -> Ledger:
    """Each answered request has its line and its span, but for those named; a, unless `pods` has another."""
    sent = Sending(RUN, requests)
    made = Ledger(sent)
    answered = [one.number for one in requests if one.status]
    made.add_lines([{"cs(User-Agent)": AGENT, "x-trace-id": sent.trace_id(n), "sc-status": "200",
                     "pod": (pods or {}).get(n, "a"), "restart": 0}
                    for n in answered if n not in without_line], AGENT)
    return made.add_spans([sent.trace_id(n) for n in answered if n not in without_span])


FINE = [request(0, 1.0, 1.1), request(1, 1.0, 1.2)]


def test_nothing_lost() -> None:
    ledger(FINE).check_nothing_lost()


def test_lines_of_others_do_not_count() -> None:
    books = ledger(FINE)
    books.add_lines([{"cs(User-Agent)": "curl/8", "x-trace-id": "f" * 32, "sc-status": "200"}], AGENT)
    books.check_nothing_lost()


@pytest.mark.parametrize("books, why", [
    (ledger([*FINE, request(2, 1.0, 1.1, 0, 1220)]), "1 of 3 failed"),
    (ledger([*FINE, request(2, 1.0, 1.1, 0, 1212)]), "1 of 3 failed"),
    (ledger([*FINE, request(2, 1.0, 1.1, 503)]), "1 of 3 failed"),
    (ledger(FINE, without_line=(1,)), "1 without a line"),
    (ledger(FINE, without_span=(0,)), "1 without a span"),
    (ledger(FINE).add_spans([f"{RUN}{0:016x}"]), "twice"),
    (ledger(FINE).add_spans([f"{RUN}{7:016x}"]), "of nobody"),
], ids=["cut", "refused", "wrong", "no line", "no span", "twice", "of nobody"])
def test_each_loss_is_found(books: Ledger, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        books.check_nothing_lost()


def test_a_line_that_tells_another_status_is_found() -> None:
    books = ledger(FINE)
    books.lines[books.sent.trace_id(0)][0]["sc-status"] = "500"
    with pytest.raises(AssertionError, match="the line says 500"):
        books.check_nothing_lost()


# ---- a death: 0 was answered by the dead before, 1 was in flight on it, 2 on another --------------

def death(*more: Sent, without_line: tuple[int, ...] = (), without_span: tuple[int, ...] = (),
          pods: dict[int, str] | None = None) -> Ledger:
    """As it should be, and more."""
    return ledger([request(0, 90.0, 91.0), request(1, 99.5, 100.005, 0, 1220), request(2, 99.5, 100.5), *more],
                  without_line, without_span, {0: "b", **(pods or {})})


def test_death() -> None:
    books = death(request(3, 98.0, 99.99), without_line=(3,), without_span=(3,))
    books.check_death(KILL, *DEAD)
    assert [one.number for one in books.on_the_dead(KILL)] == [1]
    assert books.oldest(books.without_span(), KILL) == pytest.approx(0.02)


def test_who_dials_a_dead_one_is_refused() -> None:
    death(request(3, 100.2, 100.2, 0, 1212)).check_death(KILL, *DEAD)


@pytest.mark.parametrize("books, why", [
    (death(request(3, 97.0, 98.0, 0, 1220)), "was not in flight"),
    (death(request(3, 100.5, 100.6, 0, 1220)), "was not in flight"),
    (death(request(3, 99.0, 99.1, 0, 1212)), "refused before the kill"),
    (death(request(3, 99.0, 105.0), without_line=(3,)), "answered by nobody"),
    (death(without_span=(2,)), "not the dead one's"),
    (death(without_span=(0,)), "older than a flush interval"),
    (death(request(3, 97.0, 98.0), without_line=(3,)), "older than a flush interval"),
    (death(request(3, 99.0, 100.3, 503)), "wrong"),
], ids=["cut before", "cut after", "refused before", "no answer of anybody's", "another's span", "an old span",
        "an old line", "wrong"])
def test_more_than_a_death_explains(books: Ledger, why: str) -> None:
    with pytest.raises(AssertionError, match=why):
        books.check_death(KILL, *DEAD)


def test_last_words() -> None:
    line = '{"time": "…", "component": "reconciliation", "finished": 3}'
    assert told_by_the_dead(["#Version: 1.0", line, "2026-11-26\t…"])["finished"] == 3
    assert told_by_the_dead(['{"message": "no \\"reconciliation\\" yet"}']) is None
