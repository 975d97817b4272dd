"""Every kind of input and its answer: RFC 9112's rules as a table.

A row is bytes in, status out, how it is called in all three signals, and whether the connection
lives on. Each row runs twice: at once and a byte at a time, for a parser must not care.
"""

from dataclasses import dataclass

import pytest

from wire import Closed, Connection, request

LIMITS = ("--max-request-line", "1024", "--max-head", "4096", "--max-header-count", "32",
          "--max-body", "2048", "--random-error-ratio", "0")
H = "Host: glassbox.test\r\n"
GET = "GET /demo/hello HTTP/1.1\r\n" + H
POST = "POST /demo/hello HTTP/1.1\r\n" + H
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"


@dataclass
class Row:
    name: str
    raw: object            # str (latin-1) or bytes
    status: int
    error: object = None   # error.type, or several that would be true; None: none
    method: str = "GET"    # http.request.method
    route: object = None
    closes: bool = True

    @property
    def bytes(self):
        return self.raw if isinstance(self.raw, bytes) else self.raw.encode("latin-1")

    @property
    def errors(self):
        return self.error if isinstance(self.error, tuple) else (self.error,)


def refused(name, raw, status, error, method="GET"):
    return Row(name, raw, status, error, method)


def served(name, raw, status=200, method="GET", route="/demo/hello", closes=False):
    return Row(name, raw, status, None, method, route, closes)


SYNTAX = "bad_request"
FRAMING = ("bad_framing", "bad_request")

ROWS = [
    # Host, 3.2
    refused("no Host", "GET / HTTP/1.1\r\n\r\n", 400, "bad_host"),
    refused("no Host, body announced", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n", 400,
            "bad_host", "POST"),
    refused("two Hosts", "GET / HTTP/1.1\r\n" + H + H + "\r\n", 400, "bad_host"),
    refused("two different Hosts", "GET / HTTP/1.1\r\n" + H + "Host: b\r\n\r\n", 400, "bad_host"),
    refused("Host with a path", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "bad_host"),
    refused("Host with a space", "GET / HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "bad_host"),
    refused("Host with userinfo", "GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", 400, "bad_host"),
    refused("Host with a bad port", "GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n", 400, "bad_host"),
    refused("Host with an open bracket", "GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", 400, "bad_host"),
    refused("Host list", "GET / HTTP/1.1\r\nHost: a, b\r\n\r\n", 400, "bad_host"),
    served("Host with IPv6 and port", "GET /demo/hello HTTP/1.1\r\nHost: [::1]:80\r\n\r\n"),
    served("no Host in HTTP/1.0", "GET /demo/hello HTTP/1.0\r\n\r\n", closes=True),
    # header syntax, 5
    refused("obs-fold, space", GET + "X: a\r\n b\r\n\r\n", 400, SYNTAX),
    refused("obs-fold, tab", GET + "X: a\r\n\tb\r\n\r\n", 400, SYNTAX),
    refused("empty header name", GET + ": x\r\n\r\n", 400, SYNTAX),
    refused("space before colon", GET + "X : a\r\n\r\n", 400, SYNTAX),
    refused("Content-Length with space before colon", GET + "Content-Length : 4\r\n\r\n", 400,
            SYNTAX),
    refused("header without colon", GET + "X\r\n\r\n", 400, SYNTAX),
    refused("header name that is no token", GET + "X(y): a\r\n\r\n", 400, SYNTAX),
    refused("NUL in a value", GET + "X: a\x00b\r\n\r\n", 400, SYNTAX),
    refused("control in a value", GET + "X: a\x01b\r\n\r\n", 400, SYNTAX),
    refused("bare CR in a value", GET + "X: a\rb\r\n\r\n", 400, SYNTAX),
    refused("bare LF line ends", "GET /demo/hello HTTP/1.1\nHost: a\n\n", 400, SYNTAX),
    refused("bare LF after a header", GET + "X: a\nY: b\r\n\r\n", 400, SYNTAX),
    refused("space before the first header", "GET / HTTP/1.1\r\n Host: a\r\n\r\n", 400, SYNTAX),
    served("obs-text in a value", GET + "X: \xe9\xff\r\n\r\n"),
    served("empty value", GET + "X:\r\n\r\n"),
    # transfer coding and length, 6
    refused("gzip, chunked", POST + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501,
            "unknown_coding", "POST"),
    refused("gzip, then chunked in a second header",
            POST + "Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501,
            "unknown_coding", "POST"),
    refused("gzip alone", POST + "Transfer-Encoding: gzip\r\n\r\n", 400, FRAMING, "POST"),
    refused("xchunked", POST + "Transfer-Encoding: xchunked\r\n\r\n", 400, FRAMING, "POST"),
    refused("chunked, gzip", POST + "Transfer-Encoding: chunked, gzip\r\n\r\n", 400, FRAMING,
            "POST"),
    refused("chunked twice", POST + "Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n", 400,
            FRAMING, "POST"),
    refused("chunked twice, two headers",
            POST + "Transfer-Encoding: chunked\r\n" * 1 + "Transfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\n", 400, FRAMING, "POST"),
    refused("chunked in HTTP/1.0",
            "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400, FRAMING, "POST"),
    refused("both lengths", POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n"
            "0\r\n\r\n", 400, FRAMING, "POST"),
    refused("both lengths, other order", POST + "Transfer-Encoding: chunked\r\nContent-Length: 5"
            "\r\n\r\n0\r\n\r\n", 400, FRAMING, "POST"),
    refused("two lengths", POST + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400, FRAMING,
            "POST"),
    refused("length list", POST + "Content-Length: 1, 2\r\n\r\na", 400, FRAMING, "POST"),
    refused("length +4", POST + "Content-Length: +4\r\n\r\nabcd", 400, FRAMING, "POST"),
    refused("length -1", POST + "Content-Length: -1\r\n\r\n", 400, FRAMING, "POST"),
    refused("length 0x4", POST + "Content-Length: 0x4\r\n\r\nabcd", 400, FRAMING, "POST"),
    refused("length empty", POST + "Content-Length:\r\n\r\n", 400, FRAMING, "POST"),
    refused("length overflows", POST + "Content-Length: 18446744073709551617\r\n\r\n", 400, FRAMING,
            "POST"),
    # chunks, 7.1
    refused("chunk size 0x1", CHUNKED + "0x1\r\na\r\n0\r\n\r\n", 400, FRAMING, "POST"),
    refused("chunk size +1", CHUNKED + "+1\r\na\r\n0\r\n\r\n", 400, FRAMING, "POST"),
    refused("chunk size empty", CHUNKED + "\r\na\r\n0\r\n\r\n", 400, FRAMING, "POST"),
    refused("chunk size overflows", CHUNKED + "10000000000000001\r\na\r\n", 400, FRAMING, "POST"),
    refused("chunk without its CRLF", CHUNKED + "1\r\nabc\r\n0\r\n\r\n", 400, FRAMING, "POST"),
    refused("chunk size with bare LF", CHUNKED + "1\na\r\n0\r\n\r\n", 400, FRAMING, "POST"),
    served("chunked body", CHUNKED + "5;note=x\r\nhello\r\nA\r\n0123456789\r\n0\r\n\r\n", 405,
           "POST"),
    served("trailers", CHUNKED + "1\r\na\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n", 405, "POST"),
    # versions, 2.3
    refused("HTTP/2.0", "GET / HTTP/2.0\r\n" + H + "\r\n", 505, "bad_version"),
    refused("HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505, "bad_version", "_OTHER"),
    refused("HTTP/1.2", "GET / HTTP/1.2\r\n" + H + "\r\n", 505, "bad_version"),
    refused("HTTP/0.8", "GET / HTTP/0.8\r\n" + H + "\r\n", 505, "bad_version"),
    refused("HTTP/3.0", "GET / HTTP/3.0\r\n" + H + "\r\n", 505, "bad_version"),
    refused("HTTP/1.10", "GET / HTTP/1.10\r\n" + H + "\r\n", 505, "bad_version"),
    refused("HTTP/4294967297.1", "GET / HTTP/4294967297.1\r\n" + H + "\r\n", 505, "bad_version"),
    refused("http/1.1", "GET / http/1.1\r\n" + H + "\r\n", 400, SYNTAX),
    refused("RTSP/1.0", "GET / RTSP/1.0\r\n" + H + "\r\n", 400, SYNTAX),
    refused("ICE/1.0", "SOURCE / ICE/1.0\r\n" + H + "\r\n", 400, SYNTAX, "_OTHER"),
    refused("HTTP/0.9", "GET /\r\n\r\n", 400, SYNTAX),
    refused("no version, no target", "GET\r\n\r\n", 400, SYNTAX, ("GET", "_OTHER")),
    # upgrade and CONNECT
    served("Upgrade to h2c", GET + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
           "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n\r\n"),
    served("Upgrade to websocket", GET + "Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"),
    served("Upgrade with a body", POST + "Connection: Upgrade\r\nUpgrade: h2c\r\n"
           "Content-Length: 3\r\n\r\nabc", 405, "POST"),
    refused("CONNECT", "CONNECT db.example:5432 HTTP/1.1\r\nHost: db.example:5432\r\n\r\n", 405,
            "method_refused", "CONNECT"),
    # targets, 3.2
    refused("fragment", "GET /demo/hello#top HTTP/1.1\r\n" + H + "\r\n", 400, "bad_target"),
    refused("asterisk with GET", "GET * HTTP/1.1\r\n" + H + "\r\n", 400, "bad_target"),
    refused("authority-form with GET", "GET a.example:80 HTTP/1.1\r\n" + H + "\r\n", 400,
            ("bad_target", "bad_request")),
    refused("target without slash", "GET demo/hello HTTP/1.1\r\n" + H + "\r\n", 400,
            ("bad_target", "bad_request")),
    refused("space in the target", "GET /demo hello HTTP/1.1\r\n" + H + "\r\n", 400, SYNTAX),
    refused("control in the target", "GET /a\x01b HTTP/1.1\r\n" + H + "\r\n", 400,
            ("bad_target", "bad_request")),
    refused("obs-text in the target", "GET /caf\xe9 HTTP/1.1\r\n" + H + "\r\n", 400,
            ("bad_target", "bad_request")),
    served("absolute-form", "GET http://other.example/demo/hello HTTP/1.1\r\n" + H + "\r\n"),
    served("absolute-form without path", "GET http://other.example HTTP/1.1\r\n" + H + "\r\n",
           route="/"),
    served("asterisk with OPTIONS", "OPTIONS * HTTP/1.1\r\n" + H + "\r\n", (200, 204), "OPTIONS",
           None),
    # before the request line, 2.2
    served("one CRLF first", "\r\n" + GET + "\r\n"),
    served("many CRLF first", "\r\n" * 20 + GET + "\r\n"),
    # methods
    served("known, not taken", POST + "\r\n", 405, "POST"),
    refused("unknown token", "BREW /pot HTTP/1.1\r\n" + H + "\r\n", 501, "unknown_method",
            "_OTHER"),
    refused("unknown, a known one's prefix", "GE / HTTP/1.1\r\n" + H + "\r\n", 501,
            "unknown_method", "_OTHER"),
    refused("unknown, longer than a known one", "GETS / HTTP/1.1\r\n" + H + "\r\n", 501,
            "unknown_method", "_OTHER"),
    refused("lower case", "get / HTTP/1.1\r\n" + H + "\r\n", 501, "unknown_method", "_OTHER"),
    refused("WebDAV", "PROPFIND / HTTP/1.1\r\n" + H + "\r\n", 501, "unknown_method", "_OTHER"),
    refused("no token", "G@T / HTTP/1.1\r\n" + H + "\r\n", 400, SYNTAX, "_OTHER"),
    refused("TLS to a plain port", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x7f" * 32,
            400, SYNTAX, "_OTHER"),
    # limits
    refused("request line", "GET /" + "a" * 1100 + " HTTP/1.1\r\n" + H + "\r\n", 414,
            "target_too_long"),
    refused("one header", GET + "X: " + "a" * 4200 + "\r\n\r\n", 431, "head_too_large"),
    refused("one header's name", GET + "X" * 4200 + ": a\r\n\r\n", 431, "head_too_large"),
    refused("all headers", GET + ("X: " + "a" * 200 + "\r\n") * 25 + "\r\n", 431, "head_too_large"),
    refused("header count", GET + "X: a\r\n" * 40 + "\r\n", 431, "head_too_large"),
    refused("body, declared", POST + "Content-Length: 3000\r\n\r\n", 413, "body_too_large", "POST"),
    refused("body, streamed", CHUNKED + "400\r\n" + "a" * 1024 + "\r\n800\r\n" + "b" * 2048
            + "\r\n0\r\n\r\n", 413, "body_too_large", "POST"),
    refused("chunk extensions", CHUNKED + "1;" + "x" * 5000 + "\r\na\r\n0\r\n\r\n", 400, FRAMING,
            "POST"),
    refused("trailers too large", CHUNKED + "1\r\na\r\n0\r\nX: " + "x" * 5000 + "\r\n\r\n", 431,
            "head_too_large", "POST"),
    served("request line just fits", "GET /demo/hello?" + "a" * 950 + " HTTP/1.1\r\n" + H + "\r\n"),
    served("body just fits", POST + "Content-Length: 2048\r\n\r\n" + "a" * 2048, 405, "POST"),
    # expectations
    refused("another expectation", POST + "Expect: tea\r\nContent-Length: 1\r\n\r\n", 417,
            "expectation_failed", "POST"),
    served("expectation in HTTP/1.0", "GET /demo/hello HTTP/1.0\r\nExpect: tea\r\n\r\n",
           closes=True),
    # bodies nobody reads, connections
    served("body on GET", GET + "Content-Length: 5\r\n\r\nhello"),
    served("chunked body on GET", GET + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"),
    served("HEAD", "HEAD /demo/hello HTTP/1.1\r\n" + H + "\r\n", method="HEAD"),
    served("Connection: close", GET + "Connection: close\r\n\r\n", closes=True),
    served("keep-alive in HTTP/1.0", "GET /demo/hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
]


@pytest.fixture(scope="module")
def options():
    return LIMITS


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_row(service, witnesses, row, slowly):
    method = "HEAD" if row.method == "HEAD" else "GET"
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.exchange(row.bytes, method, slowly))
        check(row, witness)
        if row.closes:
            assert witness.response.closes
            assert connection.at_end(), "said it would close, and did not"
        else:
            assert not witness.response.closes
            assert connection.ask().body == b"hello, world!\n", "out of step"


def check(row, witness):
    response, line = witness.response, witness.line
    wanted = row.status if isinstance(row.status, tuple) else (row.status,)
    assert response.status in wanted, response.body
    assert witness.error in row.errors
    methods = row.method if isinstance(row.method, tuple) else (row.method,)
    assert witness.labels["http_request_method"] in methods
    assert witness.labels.get("http_route") == row.route
    if row.status == 405:
        assert response.header("allow") is not None, "RFC 9110 15.5.6: a 405 has Allow"
    if row.status == 501 and row.error == "unknown_method":
        token = row.raw.split(" ")[0]
        assert witness.attributes["http.request.method_original"] == token
        assert line["cs-method"] in (token, "_OTHER")
    else:
        assert witness.error == "bad_version" or row.method == "_OTHER" or \
            "http.request.method_original" not in witness.attributes
    if row.error and method_is_not_head(row):
        assert response.body, "a refusal says why"


def method_is_not_head(row):
    return row.method != "HEAD"


def test_absolute_form_wins_over_host(service, witnesses):
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.ask(
            "http://other.example:81/demo/hello?q=1", host="loser.example"))
    assert witness.attributes["server.address"] == "other.example"
    assert witness.attributes["server.port"] == 81
    assert witness.attributes["url.path"] == witness.line["cs-uri-stem"] == "/demo/hello"
    assert witness.attributes["url.query"] == "q=1"


def test_without_host_nothing_waits_for_the_body(service, witnesses):
    """400 comes before a byte of the body was sent."""
    with Connection(service.public) as connection:
        raw = b"POST / HTTP/1.1\r\nContent-Length: 1000\r\n\r\n"
        assert witnesses.of(lambda: connection.exchange(raw)).response.status == 400
        assert connection.at_end()


def test_expect_continue_before_the_body(service, witnesses):
    """100 and then the answer, or the answer at once: never silence, never two answers."""
    with Connection(service.public) as connection:
        def send():
            connection.send((GET + "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n").encode())
            return connection.response(interim=lambda: connection.send(b"hello"))
        response = witnesses.of(send).response
        assert response.status == 200
        assert response.interim in ([], [100])
        if response.interim:
            assert connection.ask().status == 200
        else:
            assert response.closes and connection.at_end()


def test_expect_continue_with_the_body_too_large(service, witnesses):
    with Connection(service.public) as connection:
        raw = (POST + "Expect: 100-continue\r\nContent-Length: 9999\r\n\r\n").encode()
        witness = witnesses.of(lambda: connection.exchange(raw))
        assert (witness.response.status, witness.response.interim) == (413, [])
        assert connection.at_end()


def test_expect_continue_is_ignored_from_http_1_0(service):
    with Connection(service.public) as connection:
        connection.send(b"GET /demo/hello HTTP/1.0\r\nExpect: 100-continue\r\n"
                        b"Content-Length: 2\r\n\r\nab")
        response = connection.response()
        assert (response.status, response.interim) == (200, [])


def test_nothing_is_served_after_connection_close(service):
    with Connection(service.public) as connection:
        connection.send(request(headers=[("Connection", "close")]) + request("/version"))
        assert connection.response().closes
        assert connection.at_end()


def test_nothing_is_served_after_a_refusal(service):
    with Connection(service.public) as connection:
        connection.send(b"GET / HTTP/1.1\r\n\r\n" + request("/version"))
        assert connection.response().status == 400
        assert connection.at_end()


def test_trailers_never_become_headers(service, witnesses):
    raw = (GET + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n"
           "User-Agent: trailer\r\ntraceparent: 00-" + "a" * 32 + "-" + "b" * 16 + "-01\r\n\r\n")
    with Connection(service.public) as connection:
        witness = witnesses.of(lambda: connection.exchange(raw.encode()))
    assert witness.line["cs(User-Agent)"] is None
    assert witness.line["x-trace-id"] != "a" * 32


def test_crlf_without_end_is_bounded(service):
    """Leading CRLFs count toward the head's limit; they alone are no request."""
    with Connection(service.public) as connection:
        connection.send(b"\r\n" * 100_000)
        try:
            assert connection.response().closes
        except Closed:
            pass


def test_refusal_is_read_although_the_client_still_sends(service):
    """The half-close and the drain: a client amid its body gets the answer, no reset."""
    with Connection(service.public) as connection:
        connection.send((POST + "Content-Length: 900000\r\n\r\n").encode() + b"a" * 200_000)
        assert connection.response().status == 413
        connection.send(b"a" * 100_000)


def test_pipeline_mixed_in_order(service):
    """What is good before what is bad is answered; the bad one ends it."""
    targets = ["/demo/hello", "/no/such", "/version", "/demo/hello?delay=20", "/"]
    with Connection(service.public) as connection:
        connection.send(b"".join(request(t) for t in targets) + b"BAD\r\n\r\n" + request())
        statuses = [connection.response().status for _ in range(len(targets) + 1)]
        assert statuses == [200, 404, 200, 200, 200, 400]
        assert connection.at_end()
