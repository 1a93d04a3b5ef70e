"""Bytes that mean one thing to a proxy and another to a server, and paths that lead elsewhere: none gets anywhere."""

import http.client
from contextlib import closing, suppress

import pytest

from tests.attacks.conftest import RealApi

SALE = b'{"kind":"earn","points":5,"card":{"number":"2990000000017"}}'


def sale(api: RealApi, *more: bytes, target: bytes = b"/v1/transactions", host: bool = True) -> bytes:
    """The head of a sale that would count, but for what is `more` in it."""
    lines = [
        b"POST %s HTTP/1.1" % target,
        *([b"Host: %s" % api.address.encode()] if host else []),
        b"Authorization: Bearer %s" % api.token.encode(),
        b"Content-Type: application/json",
        b"Idempotency-Key: smuggled",
        *more,
    ]
    return b"\r\n".join(lines) + b"\r\n\r\n"


CHUNKED = b"%x\r\n%s\r\n0\r\n\r\n" % (len(SALE), SALE)
LENGTH = b"Content-Length: %d" % len(SALE)
SMUGGLED: dict[str, tuple[tuple[bytes, ...], bytes]] = {
    "two lengths: chunks and a number": ((b"Transfer-Encoding: chunked", LENGTH), CHUNKED),
    "a number and chunks": ((b"Content-Length: 0", b"Transfer-Encoding: chunked"), CHUNKED),
    "two numbers": ((LENGTH, b"Content-Length: 0"), SALE),
    "a list of numbers": ((b"Content-Length: 5, 6",), SALE),
    "a signed number": ((b"Content-Length: +%d" % len(SALE),), SALE),
    "a negative number": ((b"Content-Length: -1",), SALE),
    "chunks by another name": ((b"Transfer-Encoding: xchunked",), CHUNKED),
    "chunks twice": ((b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"), CHUNKED),
    "chunks and more": ((b"Transfer-Encoding: chunked, identity",), CHUNKED),
    "a space before the colon": ((b"Transfer-Encoding : chunked",), CHUNKED),
    "a chunk with a false length": ((b"Transfer-Encoding: chunked",), b"5\r\n" + SALE + b"\r\n0\r\n\r\n"),
    "a chunk with no length": ((b"Transfer-Encoding: chunked",), b"zz\r\n" + SALE + b"\r\n0\r\n\r\n"),
    "a second host": ((b"Host: evil.example", LENGTH), SALE),
    "a name with a zero": ((b"X-\x00: y", LENGTH), SALE),
    "a value with a carriage return": ((b"X: y\rHost: evil.example", LENGTH), SALE),
    "a second key": ((b"Idempotency-Key: other", LENGTH), SALE),
    "a second token": ((b"Authorization: Bearer other", LENGTH), SALE),
}


OTHER_FORMS = [
    *(b"http://evil.example/v1/transactions", b"http://127.0.0.1/v1/transactions", b"//evil.example/v1/transactions"),
    *(b"*", b"evil.example:443", b"\\v1\\transactions", b"/v1//transactions", b"/v1/./transactions"),
    *(b"/x/../v1/transactions", b"/v1/transactions;x", b"/v1/transactions%00", b"/V1/transactions"),
    *(b"/v1%2ftransactions", b"/v1/transactions/"),
]
ELSEWHERE = [
    *("/web/../pos.token", "/web/..%2f..%2fpos.token", "/web/%2e%2e/%2e%2e/etc/passwd", "/web//etc/passwd"),
    *("/web/page.js%00.css", "/web/__init__.py", "/web/", "/../../etc/passwd", "/web/....//pos.token"),
]


@pytest.mark.parametrize("trick", SMUGGLED)
def test_a_request_that_can_be_read_in_two_ways_is_refused(api: RealApi, trick: str) -> None:
    """RFC 9112 sections 5 and 6: refused whole, the connection ends, and nothing behind it is taken for a request."""
    recorded = api.journal
    more, body = SMUGGLED[trick]
    hidden = b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = api.raw(sale(api, *more) + body + hidden)
    assert answer.split()[1] in {b"400", b"501"}, answer
    assert answer.count(b"HTTP/1.1 ") == 1
    assert b"connection: close" in answer.lower()
    assert api.journal == recorded


@pytest.mark.parametrize("target", OTHER_FORMS)
def test_a_target_in_another_form_sells_nothing(api: RealApi, target: bytes) -> None:
    """One path leads to one route: no absolute form, no second spelling that a filter before us would not know."""
    recorded = api.journal
    answer = api.raw(sale(api, LENGTH, b"Connection: close", target=target) + SALE)
    assert answer.split()[1] in {b"400", b"404"}, answer
    assert api.journal == recorded


def test_no_host_no_answer(api: RealApi) -> None:
    """Neither without one, nor with HTTP/1.0, which needs none."""
    assert api.raw(sale(api, LENGTH, host=False) + SALE).split()[1] == b"400"
    assert api.raw(b"GET /healthz HTTP/1.0\r\nConnection: close\r\n\r\n").split()[1] == b"403"


@pytest.mark.parametrize("path", ELSEWHERE)
def test_no_path_leads_to_another_file(api: RealApi, path: str) -> None:
    """Only the parts of the page are served, by name."""
    answer = api.ask("GET", path, token=None)
    assert answer.status == 404
    assert api.token.encode() not in answer.body
    assert b"root:" not in answer.body


@pytest.mark.parametrize(
    "text", ["x%0d%0aSet-Cookie:%20owned=1", "%0d%0a%0d%0a<script>alert(1)</script>", "%00", "%e2%80%ae"]
)
def test_what_is_sent_never_becomes_a_header_or_a_page(api: RealApi, text: str) -> None:
    """Line feeds in paths and queries stay data: JSON, with `nosniff`."""
    for path in (
        f"/v1/cards/{text}",
        f"/v1/transactions/{text}",
        f"/v1/transactions?idempotency_key={text}",
        f"/{text}",
    ):
        answer = api.ask("GET", path)
        assert answer.status in {200, 404, 422}
        assert answer.headers["content-type"] in {"application/json", "application/problem+json"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "many", [b"X: y\r\n" * 20_000, b"X: " + b"y" * 100_000 + b"\r\n", b"Cookie: " + b"a=b;" * 40_000]
)
def test_a_head_too_large_is_not_collected(api: RealApi, many: bytes) -> None:
    """64 kB are enough for anybody's headers."""
    head = b"GET /healthz HTTP/1.1\r\nHost: %s\r\n" % api.address.encode()
    # The till ends the connection before it has read everything: the kernel may then reset it.
    with suppress(ConnectionError):
        assert api.raw(head + many).split()[1] == b"400"
    assert api.ask("GET", "/healthz").status == 200


def test_a_body_too_large_is_refused_by_its_length_or_as_it_comes(api: RealApi) -> None:
    """A megabyte is nobody's honest sale."""
    recorded = api.journal
    announced = api.raw(sale(api, b"Content-Length: 99999999999"))
    assert announced.split()[1] == b"413"
    piece = b"10000\r\n" + b" " * 65536 + b"\r\n"
    assert api.raw(sale(api, b"Transfer-Encoding: chunked") + piece * 40 + b"0\r\n\r\n").split()[1] == b"413"
    deep = api.ask("POST", "/v1/transactions", b"[" * 100_000, Idempotency_Key="deep")
    assert (deep.status, deep.json["code"]) == (400, "malformed")
    assert api.journal == recorded


def test_a_websocket_is_not_opened(api: RealApi) -> None:
    """There are none here: the request to upgrade is answered as the question that it is."""
    handshake = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    with closing(http.client.HTTPConnection("127.0.0.1", api.port, timeout=60)) as connection:
        connection.request("GET", "/v1/events", headers={**handshake, "Sec-WebSocket-Key": "x" * 22 + "=="})
        assert connection.getresponse().status == 401
