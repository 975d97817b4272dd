"""The engine behind an echo: what the public suites for HTTP/1.1 look at, and the table of
`test_http_table.py` has not, since the service has no path that takes a body.

A row is bytes in, statuses out, and what comes back; each runs at once and a byte at a time. After
a row that keeps the connection the next request on it must be understood; after one that does not,
the connection must end.
"""

import json
import socket
import subprocess
from dataclasses import dataclass

import pytest

from testserver import Testserver, engine_binary
from wire import Closed, request

H = "Host: glassbox.test\r\n"
POST = "POST / HTTP/1.1\r\n" + H
GET = "GET / HTTP/1.1\r\n" + H
CHUNKED = POST + "Transfer-Encoding: chunked\r\n\r\n"
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "TRACE", "PATCH")
EVERY_BYTE = bytes(range(256)) * 5


@dataclass
class Row:
    name: str
    raw: object             # str (latin-1) or bytes
    status: object          # or several that are right
    body: object = None     # of a 200; None: not looked at
    keeps: bool = False     # the connection
    method: str = "GET"

    @property
    def bytes(self):
        return self.raw if isinstance(self.raw, bytes) else self.raw.encode("latin-1")


def echoed(name, raw, body=b"", method="GET", keeps=True):
    return Row(name, raw, 200, body, keeps, method)


def refused(name, raw, *status):
    return Row(name, raw, status or (400,))


def sized(method, body):
    head = f"{method} / HTTP/1.1\r\n{H}Content-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def chunks(method, *parts, end=b"0\r\n\r\n"):
    head = f"{method} / HTTP/1.1\r\n{H}Transfer-Encoding: chunked\r\n\r\n".encode()
    return head + b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + end


ECHOES = [
    *(echoed(f"{method} without a body", f"{method} / HTTP/1.1\r\n{H}\r\n", method=method)
      for method in METHODS),
    *(echoed(f"{method} with a body", sized(method, b"hello"), b"hello", method)
      for method in METHODS),
    *(echoed(f"{method} with chunks", chunks(method, b"he", b"llo"), b"hello", method)
      for method in METHODS),
    echoed("every byte, by length", sized("POST", EVERY_BYTE), EVERY_BYTE),
    echoed("every byte, in chunks", chunks("POST", EVERY_BYTE[:7], EVERY_BYTE[7:]), EVERY_BYTE),
    echoed("chunks of one byte", chunks("POST", *(bytes([c]) for c in EVERY_BYTE[:64])),
           EVERY_BYTE[:64]),
    echoed("a body that looks like a request", sized("POST", GET.encode() + b"\r\n"),
           GET.encode() + b"\r\n"),
    echoed("a length of nothing", POST + "Content-Length: 0\r\n\r\n"),
    echoed("chunks of nothing", CHUNKED + "0\r\n\r\n"),
    echoed("a size in upper case", CHUNKED + "A\r\n0123456789\r\n0\r\n\r\n", b"0123456789"),
    echoed("a size with zeros in front", CHUNKED + "00005\r\nhello\r\n000\r\n\r\n", b"hello"),
    echoed("an extension", CHUNKED + "5;a=b\r\nhello\r\n0;c\r\n\r\n", b"hello"),
    echoed("a quoted extension", CHUNKED + '5;a="b;c"\r\nhello\r\n0\r\n\r\n', b"hello"),
    echoed("trailers", CHUNKED + "5\r\nhello\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", b"hello"),
    echoed("trailers that would mean something in a head", CHUNKED + "5\r\nhello\r\n0\r\n"
           "Content-Length: 99\r\nHost: other\r\nAuthorization: x\r\nContent-Type: a/b\r\nConnection: close\r\n"
           "Expect: tea\r\n\r\n", b"hello"),
    echoed("Chunked", POST + "Transfer-Encoding: Chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", b"hello"),
    echoed("TRANSFER-ENCODING", POST + "TRANSFER-ENCODING: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", b"a"),
    echoed("a tab before chunked", POST + "Transfer-Encoding:\tchunked\r\n\r\n0\r\n\r\n"),
    echoed("an empty element before chunked", POST + "Transfer-Encoding: ,chunked\r\n\r\n0\r\n\r\n"),
    echoed("a blank after a length", POST + "Content-Length: 5 \r\n\r\nhello", b"hello"),
    echoed("two blanks before a length", POST + "Content-Length:  5\r\n\r\nhello", b"hello"),
    echoed("a length with zeros in front", POST + "Content-Length: 0005\r\n\r\nhello", b"hello"),
    echoed("a length of two zeros", POST + "Content-Length: 00\r\n\r\n"),
    echoed("Content_Length is another header", POST + "Content_Length: 5\r\n\r\n"),
    echoed("Transfer_Encoding is another header", POST + "Transfer_Encoding: chunked\r\n\r\n"),
    echoed("an empty value", GET + "X-Empty:\r\nY-Empty: \r\n\r\n"),
    echoed("odd ways to write headers", "GET / HTTP/1.1\r\nhoSt:\tglassbox.test\r\nempty:\r\n\r\n"),
    echoed("an empty line in front", "\r\n" + sized("POST", b"hello").decode(), b"hello"),
    echoed("absolute-form", "POST http://other.test/ HTTP/1.1\r\n" + H
           + "Content-Length: 2\r\n\r\nhi", b"hi"),
    echoed("100-continue without a body", GET + "Expect: 100-continue\r\n\r\n"),
    echoed("Upgrade without Connection", GET + "Upgrade: websocket\r\n\r\n"),
    echoed("Upgrade with POST", POST + "Connection: Upgrade\r\nUpgrade: websocket\r\n"
           "Content-Length: 2\r\n\r\nhi", b"hi"),
    echoed("Upgrade to nothing known", GET + "Connection: Upgrade\r\nUpgrade: teapot/1\r\n\r\n"),
    echoed("overlapping ranges", GET + "Range: bytes=0-,0-,0-,0-\r\n\r\n"),
    echoed("Connection: close", POST + "Connection: close\r\nContent-Length: 2\r\n\r\nhi", b"hi",
           keeps=False),
    *(echoed(f"Connection: {value}", GET + f"Connection: {value}\r\n\r\n", keeps=False)
      for value in ("CLOSE", "keep-alive, close", ",close", "close\r\nConnection: keep-alive")),
    echoed("Connection: x-close", GET + "Connection: x-close\r\n\r\n"),
    echoed("HTTP/1.0", "POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nhi", b"hi", keeps=False),
    echoed("HTTP/1.0 kept alive", "POST / HTTP/1.0\r\nConnection: keep-alive\r\n"
           "Content-Length: 2\r\n\r\nhi", b"hi"),
    Row("OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + H + "\r\n", 204, keeps=True, method="OPTIONS"),
    Row("OPTIONS * with a body", "OPTIONS * HTTP/1.1\r\n" + H + "Content-Length: 2\r\n\r\nhi", 204,
        keeps=True, method="OPTIONS"),
    Row("a backslash is one", "GET /a\\b HTTP/1.1\r\n" + H + "\r\n", 404, keeps=True),
    Row("%00 in a target", "GET /%00 HTTP/1.1\r\n" + H + "\r\n", 404, keeps=True),
    Row("%0d%0a in a target", "GET /%0d%0aX:%20y HTTP/1.1\r\n" + H + "\r\n", 404, keeps=True),
    Row("overlong UTF-8, escaped", "GET /%c0%af HTTP/1.1\r\n" + H + "\r\n", 404, keeps=True),
]

REFUSALS = [
    refused("Host: ###", "GET / HTTP/1.1\r\nHost: ###\r\n\r\n"),
    refused("two Hosts apart", "GET / HTTP/1.1\r\n" + H + "X: y\r\n" + H + "\r\n"),
    refused("a tab in a name", GET + "X\tY: z\r\n\r\n"),
    refused("brackets in a name", GET + "X[]: z\r\n\r\n"),
    refused("a name beyond ASCII", GET + "X-\xe9: z\r\n\r\n"),
    refused("a bell in a value", GET + "X: a\x07\r\n\r\n"),
    refused("DEL in a value", GET + "X: a\x7f\r\n\r\n"),
    refused("a CR between two lines", GET + "\rX: y\r\n\r\n"),
    refused("CR line ends", "GET / HTTP/1.1\rHost: a\r\r"),
    refused("NUL in a target", "GET /\x00 HTTP/1.1\r\n" + H + "\r\n"),
    refused("overlong UTF-8", "GET /\xc0\xaf HTTP/1.1\r\n" + H + "\r\n"),
    refused("two blanks in the request line", "GET  / HTTP/1.1\r\n" + H + "\r\n"),
    refused("a tab in the request line", "GET\t/ HTTP/1.1\r\n" + H + "\r\n"),
    refused("a blank behind the version", "GET / HTTP/1.1 \r\n" + H + "\r\n"),
    refused("words in front", "Extra lineGET / HTTP/1.1\r\n" + H + "\r\n"),
    refused("no target", "GET HTTP/1.1\r\n" + H + "\r\n"),
    refused("no version", "GET / \r\n\r\n"),
    refused("a line of blanks", "   \r\n\r\n"),
    refused("half a version", "GET / HTTP/1\r\n" + H + "\r\n", 400, 505),
    refused("a version with zeros", "GET / HTTP/01.01\r\n" + H + "\r\n", 400, 505),
    refused("a version with a blank", "GET / HTTP/ 1.1\r\n" + H + "\r\n"),
    refused("HTTP/9.9", "GET / HTTP/9.9\r\n" + H + "\r\n", 505),
    refused("a long method", "A" * 200 + " / HTTP/1.1\r\n" + H + "\r\n", 400, 501),
    refused("CONNECT", "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n", 405),
    refused("CONNECT to a path", "CONNECT / HTTP/1.1\r\n" + H + "\r\n", 400, 405),
    refused("an unknown method with a body", "BREW / HTTP/1.1\r\n" + H
            + "Content-Length: 5\r\n\r\nhello", 501),
    *(refused(f"length {value!r}", POST + f"Content-Length:{value}\r\n\r\nhello")
      for value in (" abc", " -0", " 1_0", " 0o5", " 1 0", " 5;", " 5, 5", " 5,6", " ٥"
                    .encode().decode("latin-1"), " -123456789123456789123456789",
                    " 99999999999999999999999")),
    refused("a length and no body of 10 TB", POST + "Content-Length: 10000000000000\r\n\r\n", 413),
    *(refused(f"coding {value!r}", POST + f"Transfer-Encoding:{value}\r\nContent-Length: 5\r\n\r\n"
              "0\r\n\r\n", 400, 501)
      for value in (" identity", " xchunked", " \x0bchunked", " chunked\x0c", " chu\x00nked", "",
                    " chunked;a=b", " \"chunked\"", " chunked\r\n chunked", " ,")),
    refused("coding before a colon with a blank", POST + "Transfer-Encoding : chunked\r\n\r\n"
            "0\r\n\r\n"),
    refused("chunked, with a parameter", POST + "Transfer-Encoding: chunked;a=b\r\n\r\n0\r\n\r\n",
            400, 501),
    refused("an empty element after chunked", POST + "Transfer-Encoding: chunked,\r\n\r\n"),
    refused("unknown, then chunked", POST + "Transfer-Encoding: br, chunked\r\n\r\n0\r\n\r\n", 501),
    *(refused(f"chunk {raw!r}", CHUNKED + raw + "\r\n0\r\n\r\n")
      for raw in ("5;\r\nhello", "1_0\r\nhello", " 5\r\nhello", "-1\r\nhello", "5 5\r\nhello",
                  "0x5\r\nhello", "5;a\x00b\r\nhello", "5;a\rb\r\nhello", "5\rhello",
                  "5;a\nhello", "5\r\nhello!!", "5\r\nhell", "5\nhello", "g\r\nhello",
                  "fffffffffffffffff\r\n")),
    refused("a chunk that ends with LF", CHUNKED + "5\r\nhello\n0\r\n\r\n"),
    refused("a trailer that is none", CHUNKED + "0\r\nno colon here\r\n\r\n"),
    refused("a coding in a trailer", CHUNKED + "0\r\nTransfer-Encoding: chunked\r\n\r\n"),
    refused("a folded trailer", CHUNKED + "0\r\nX: a\r\n b\r\n\r\n"),
    refused("trailers that end with LF", CHUNKED + "0\r\nX: a\n\n"),
]

# Each is the beginning of a request: the server waits for the rest.
BEGINNINGS = [
    "G", "GET ", "GET /hello", "GET /hello ", "GET /hello HTTP", "GET /hello HTTP/1.1",
    "GET /hello HTTP/1.1\r", "GET /hello HTTP/1.1\r\n", "GET /hello HTTP/1.1\r\nHos",
    "GET /hello HTTP/1.1\r\nHost:", "GET /hello HTTP/1.1\r\nHost: localhost",
    "GET /hello HTTP/1.1\r\nHost: localhost\r", "GET /hello HTTP/1.1\r\nHost: localhost\r\n",
    "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r", POST + "Content-Length: 5\r\n\r\nhell",
    CHUNKED + "5", CHUNKED + "5\r\nhello", CHUNKED + "5\r\nhello\r\n0\r\n",
]


@pytest.fixture(scope="module")
def testserver():
    with Testserver() as testserver:
        yield testserver


@pytest.mark.parametrize("slowly", [False, True], ids=["at once", "byte by byte"])
@pytest.mark.parametrize("row", ECHOES + REFUSALS, ids=lambda row: row.name)
def test_row(testserver, row, slowly):
    with testserver.connect() as connection:
        response = connection.exchange(row.bytes, row.method, slowly)
        wanted = row.status if isinstance(row.status, tuple) else (row.status,)
        assert response.status in wanted, response.body
        if row.body is not None and row.method == "HEAD":
            assert response.header("content-length") == str(len(row.body))
        elif row.body is not None:
            assert response.body == row.body
        if response.status in (204, 405):
            assert "GET" in response.header("allow")
        assert response.closes == (not row.keeps)
        if row.keeps:
            assert connection.ask("/", "POST", body=b"next").body == b"next", "out of step"
        else:
            assert connection.at_end(), "said it would close, and did not"


@pytest.mark.parametrize("beginning", BEGINNINGS)
def test_a_beginning_is_waited_for(testserver, beginning):
    """No answer comes while it is incomplete; when the client gives up, none but a 4xx does."""
    with testserver.connect() as connection:
        connection.send(beginning.encode("latin-1"))
        connection.socket.settimeout(0.05)
        with pytest.raises(TimeoutError):
            connection.socket.recv(1)
        connection.socket.settimeout(10)
        connection.half_close()
        try:
            assert 400 <= connection.response().status < 500
        except Closed as closed:
            assert closed.partial == b""


def test_the_type_comes_back(testserver):
    with testserver.connect() as connection:
        typed = connection.ask("/", "PUT", headers=[("Content-Type", "text/x; q=\"a b\"")], body=b"x")
        assert typed.header("content-type") == "text/x; q=\"a b\""
        assert connection.ask("/", "PUT", body=b"x").header("content-type") == \
            "application/octet-stream"


@pytest.mark.parametrize("framing", [["Content-Length: 5", b"hello"],
                                     ["Transfer-Encoding: chunked", b"5\r\nhello\r\n0\r\n\r\n"]])
def test_expect_100_continue(testserver, framing):
    """The head alone brings the 100, and not before it is complete."""
    header, body = framing
    with testserver.connect() as connection:
        connection.send(f"{POST}Expect: 100-continue\r\n{header}\r\n\r\n".encode())
        response = connection.response("POST", interim=lambda: connection.send(body))
        assert (response.status, response.interim, response.body) == (200, [100], b"hello")
        assert connection.ask("/", "POST", body=b"next").body == b"next"


def test_no_continue_for_a_body_that_is_refused(testserver):
    with testserver.connect() as connection:
        connection.send(f"{POST}Expect: 100-continue\r\nContent-Length: 9999999\r\n\r\n".encode())
        response = connection.response("POST")
        assert (response.status, response.interim) == (413, [])


def test_pipelined_bodies_come_back_in_order(testserver):
    bodies = [str(i).encode() * (i % 50) for i in range(300)]
    raw = b"".join(chunks("POST", body) if i % 3 == 0 and body else
                   sized(("POST", "PUT", "GET", "DELETE")[i % 4], body)
                   for i, body in enumerate(bodies))
    with testserver.connect() as connection:
        connection.send(raw)
        assert [connection.response().body for _ in bodies] == bodies


def test_a_pipeline_of_every_method(testserver):
    with testserver.connect() as connection:
        connection.send(b"".join(sized(method, method.encode()) for method in METHODS))
        for method in METHODS:
            response = connection.response(method)
            assert response.body == (b"" if method == "HEAD" else method.encode())
            assert response.header("content-length") == str(len(method))


def test_nothing_is_read_after_a_last_request(testserver):
    """Neither after Connection: close, nor after what was refused: no request is smuggled."""
    smuggled = request("/trace", "POST", body=b"[]")
    for first in (POST + "Connection: close\r\nContent-Length: 2\r\n\r\nhi",
                  POST + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                  POST + "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
                  "BREW / HTTP/1.1\r\n" + H + "\r\n"):
        with testserver.connect() as connection:
            response = connection.exchange(first.encode() + smuggled)
            assert response.closes
            assert connection.at_end()


@pytest.mark.parametrize("raw", [POST + "Content-Length: 10\r\n\r\nhello",
                                 CHUNKED + "5\r\nhello\r\n", CHUNKED + "5\r\nhello\r\n0\r\n"])
def test_half_a_body_is_no_request(testserver, raw):
    with testserver.connect() as connection:
        connection.send(raw.encode())
        connection.half_close()
        with pytest.raises(Closed) as closed:
            response = connection.response()
            assert response.status >= 400
            connection.response()
        assert b" 200 " not in closed.value.partial


@pytest.mark.parametrize("size, status", [(1 << 20, 200), ((1 << 20) + 1, 413)])
@pytest.mark.parametrize("chunked", [False, True], ids=["length", "chunks"])
def test_a_body_is_bounded(testserver, size, status, chunked):
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    raw = chunks("POST", body[:1000], body[1000:]) if chunked else sized("POST", body)
    with testserver.connect() as connection:
        response = connection.exchange(raw)
        assert response.status == status
        assert status != 200 or response.body == body


def test_only_post_traces(testserver):
    with testserver.connect() as connection:
        for method in METHODS:
            if method != "POST":
                response = connection.ask("/trace", method, body=b"[]")
                assert (response.status, response.header("allow")) == (405, "POST, OPTIONS")
        assert json.loads(connection.ask("/trace", "POST", body=b"[]").body) == {"calls": 0}


@pytest.mark.parametrize("arguments", [[], ["--listen"], ["--port", "80"], ["--listen", "nowhere"],
                                       ["--listen", "127.0.0.1:1", "--workers"]])
def test_a_wrong_command_line_is_told(arguments):
    ended = subprocess.run([engine_binary(), *arguments], capture_output=True, timeout=20,
                           check=False)
    assert ended.returncode == 2
    assert b"listen" in ended.stderr and ended.stdout == b""


def test_an_address_that_is_taken_is_told(testserver):
    taken = f"{testserver.address[0]}:{testserver.address[1]}"
    ended = subprocess.run([engine_binary(), "--listen", taken], capture_output=True,
                           timeout=20, check=False)
    assert ended.returncode == 1
    assert b"Address already in use" in ended.stderr


def test_ipv6():
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("no IPv6 here")
    with Testserver(host="[::1]") as testserver, testserver.connect() as connection:
        assert connection.ask("/", "POST", body=b"six").body == b"six"
