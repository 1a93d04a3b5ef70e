"""What counts as an answer of the ledger, and what is silence."""

import base64
import gzip
import re
import socket
from collections.abc import Callable, Sequence

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.entry import State
from offline_queue.ledger_answers import (
    JSON,
    PROBLEM,
    LedgerError,
    LedgerProtocolError,
    LedgerRefused,
    Received,
    TransientLedgerError,
    retry_after_s,
    understood,
)
from offline_queue.ledger_client import MAX_ANSWER_BYTES, HttpLedger, UnsafeLedgerUrl, batch_body, checked_url
from offline_queue.packing import packed
from offline_queue.signing import parse_authorization, signing_input
from offline_queue.wire import BatchAnswer, BatchHeader, Hello, Problem, Welcome
from offline_queue.wire_feeds import Decisions, Verdict
from tests.offline_queue.canned import canned, http

KEY = Ed25519PrivateKey.generate()
REQUEST = "ab" * 16
GOOD = msgspec.json.encode(Decisions(REQUEST, "g", [], [], 7, False))


def ask(url: str, answer_s: float = 5.0) -> Decisions:
    ledger = HttpLedger(url, "S001-T01", KEY, connect_s=2.0, answer_s=answer_s)
    try:
        return ledger.decisions(REQUEST, 7, 10)
    finally:
        ledger.close()


def problem(status: int, code: str = "gap", request: str | None = REQUEST) -> bytes:
    return msgspec.json.encode(Problem("no", status, code, request=request))


def deciding(**wrong: int) -> bytes:
    """A page with a verdict that no column of ours would hold, or that would reach into another stream."""
    verdict = msgspec.structs.replace(Verdict(8, "s", 1, 2, State.POSTED, "posted"), **wrong)
    return msgspec.json.encode(Decisions(REQUEST, "g", [verdict], [], 8, False))


def test_well_formed_answer_to_our_request_counts() -> None:
    """The one shape that moves anything."""
    with canned(lambda _: http("200 OK", JSON, GOOD)) as server:
        assert ask(server.url) == Decisions(REQUEST, "g", [], [], 7, False)


@pytest.mark.parametrize(
    "answer",
    [
        http("200 OK", "text/html", b"<html>Welcome to our WiFi</html>"),
        http("200 OK", JSON, b"<html>Welcome to our WiFi</html>"),
        http("200 OK", JSON, b""),
        http("200 OK", JSON, b'{"status":"ok"}'),
        http("200 OK", JSON, b"[]"),
        http("200 OK", "text/plain", GOOD),
        http("200 OK", JSON, GOOD.replace(REQUEST.encode(), b"cd" * 16)),
        http("200 OK", JSON, GOOD.replace(b":7,", b":%d," % 2**70)),
        *(http("200 OK", JSON, deciding(**wrong)) for wrong in ({"first": -5}, {"last": 2**41}, {"points": 2**60})),
        http("201 Created", JSON, GOOD),
        http("204 No Content", JSON, b""),
        http("302 Found", "text/html", b"", "Location: http://portal.example/"),
        http("404 Not Found", "text/html", b"nothing here"),
        http("404 Not Found", JSON, b'{"detail":"Not Found"}'),
        http("404 Not Found", PROBLEM, problem(404, request=None)),
        http("409 Conflict", PROBLEM, problem(409, request="cd" * 16)),
        http("409 Conflict", PROBLEM, problem(413)),
        http("409 Conflict", PROBLEM, b'{"title":"no"}'),
        http("200 OK", PROBLEM, problem(200)),
        http("200 OK", JSON, GOOD, "X: y").replace(b"Content-Length: ", b"Content-Length: 9"),
        b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\n" + GOOD,
    ],
)
def test_anything_else_is_no_answer(answer: bytes) -> None:
    """Portals, proxies, foreign services, cut and mixed-up answers are silence, never an answer."""
    with canned(lambda _: answer) as server, pytest.raises(LedgerProtocolError):
        ask(server.url)


@pytest.mark.parametrize(
    ("answer", "wait"),
    [
        (http("503 Service Unavailable", "text/html", b"sorry", "Retry-After: 17"), 17.0),
        (http("503 Service Unavailable", PROBLEM, problem(503, "not_recorded"), "Retry-After: 2"), 2.0),
        (http("500 Internal Server Error", "text/plain", b""), None),
        (http("429 Too Many Requests", "text/plain", b"", "Retry-After: 3"), 3.0),
        (b"", None),
        (b"\x15\x03\x01\x00\x02\x02\x46", None),
    ],
)
def test_trouble_that_passes(answer: bytes, wait: float | None) -> None:
    """5xx, 429 and broken connections are tried again, when the ledger says so."""
    with canned(lambda _: answer) as server, pytest.raises(TransientLedgerError) as trouble:
        ask(server.url)
    assert (trouble.value.retry_after_s, trouble.value.reached) == (wait, True)


def test_a_busy_ledger_has_not_looked_at_the_request() -> None:
    """So no record can be at fault, however often the till is turned away."""
    busy = http("503 Service Unavailable", PROBLEM, problem(503, "busy", None), "Retry-After: 40")
    with canned(lambda _: busy) as server, pytest.raises(TransientLedgerError) as trouble:
        ask(server.url)
    assert (trouble.value.retry_after_s, trouble.value.reached) == (40.0, False)


@pytest.mark.parametrize("body", [packed(b" " * (MAX_ANSWER_BYTES + 1)), packed(GOOD)[:-4], GOOD, b""])
def test_packed_answers_that_are_none(body: bytes) -> None:
    """A bomb, a cut one, and what only claims to be packed: silence, like all that is not ours."""
    answer = http("200 OK", JSON, body, "Content-Encoding: gzip")
    with canned(lambda _: answer) as server, pytest.raises(LedgerProtocolError):
        ask(server.url)


def test_a_packed_answer_is_an_answer() -> None:
    """As a proxy or the ledger may send it."""
    with canned(lambda _: http("200 OK", JSON, packed(GOOD), "Content-Encoding: gzip")) as server:
        assert ask(server.url).next == 7


def sent_batch(encodings: list[str], records: Sequence[bytes]) -> bytes:
    """The request for a batch after a welcome that names these encodings."""
    greeted = msgspec.json.encode(Welcome(REQUEST, 1, "g", {}, "2026-01-01T00:00:00.000Z", 30, encodings=encodings))
    taken = msgspec.json.encode(BatchAnswer(REQUEST, "s", "g", len(records), 0))
    with canned(lambda r: http("200 OK", JSON, greeted if b"/v1/hello" in r else taken, "Connection: close")) as server:
        ledger = HttpLedger(server.url, "S001-T01", KEY)
        ledger.hello(Hello(REQUEST, "S001-T01", "", 1, 1, "test", [], "2026-01-01T00:00:00.000Z"))
        ledger.send(BatchHeader(REQUEST, "s", 1, len(records), "00", "g"), records)
        ledger.close()
        return server.requests[-1]


def test_a_batch_is_packed_where_the_ledger_takes_it_and_it_pays() -> None:
    """The bytes that travel are the ones that are signed; small batches, and older ledgers, get them plain."""
    records = [b'{"id":"%032d"}' % number for number in range(100)]
    head, _, body = sent_batch(["gzip"], records).partition(b"\r\n\r\n")
    assert b"Content-Encoding: gzip" in head
    assert gzip.decompress(body).split(b"\n")[1:-1] == records
    signature = re.search(rb"Authorization: (.*)\r\n", head + b"\r\n")
    assert signature
    named = parse_authorization(signature[1].decode())
    assert named
    KEY.public_key().verify(base64.b64decode(named[1]), signing_input("POST", "/v1/streams/s/records", body))
    for encodings, few in ((["gzip"], records[:2]), ([], records), (["br"], records)):
        assert sent_batch(encodings, few).partition(b"\r\n\r\n")[2].split(b"\n")[1:-1] == few


def test_ledger_that_hangs_is_given_up() -> None:
    """A request is bounded in time even when the connection stays open."""
    with canned(lambda _: None) as server, pytest.raises(TransientLedgerError, match="did not answer in time"):
        ask(server.url, answer_s=0.2)


def test_endless_answer_is_cut_off() -> None:
    """An answer larger than any of ours is not read to its end."""
    endless = http("200 OK", JSON, b" " * (MAX_ANSWER_BYTES + 100_000))
    with canned(lambda _: endless) as server, pytest.raises(LedgerProtocolError, match="more than"):
        ask(server.url)


def test_no_connection_blames_nobody() -> None:
    """Nothing listens: no request was taken, so no record can be at fault."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with pytest.raises(TransientLedgerError, match="no connection") as trouble:
        ask(f"http://127.0.0.1:{port}")
    assert not trouble.value.reached


def test_refusal_carries_its_problem() -> None:
    """The ledger's own no, with its code."""
    with canned(lambda _: http("409 Conflict", PROBLEM, problem(409))) as server, pytest.raises(LedgerRefused) as no:
        ask(server.url)
    assert no.value.problem == Problem("no", 409, "gap", request=REQUEST)


@pytest.mark.parametrize("status", [401, 413, 426])
def test_refusal_before_the_body_was_read_needs_no_request_id(status: int) -> None:
    """A ledger may turn a stranger, a giant or an old version away before it knows the request's id."""
    body = problem(status, "signature_bad", request=None)
    with pytest.raises(LedgerRefused):
        understood(Received(status, PROBLEM, body), REQUEST, Decisions)


def test_unknown_card_is_an_answer() -> None:
    """404 with our id and the right code: the ledger has no such card."""
    body = problem(404, "account_unknown")
    with canned(lambda _: http("404 Not Found", PROBLEM, body)) as server:
        ledger = HttpLedger(server.url, "S001-T01", KEY)
        assert ledger.account(REQUEST, "299 /?#é") is None
        ledger.close()
    assert server.requests[0].startswith(b"GET /v1/accounts/299%20%2F%3F%23%C3%A9?request=" + REQUEST.encode())


def test_every_request_is_signed_and_a_batch_is_json_lines() -> None:
    """The ledger can verify who sent which bytes to which address; records travel exactly as they are stored."""
    records = [b'{"v":1,"points":5}', '{"name":"Zoé"}'.encode()]
    header = BatchHeader(REQUEST, "f" * 32, 3, 2, "00" * 32, "g")
    answer = msgspec.json.encode(BatchAnswer(REQUEST, "f" * 32, "g", 4, 0))
    with canned(lambda _: http("200 OK", JSON, answer)) as server:
        ledger = HttpLedger(server.url + "/base/", "S001-T01", KEY)
        assert ledger.send(header, records).accepted == 4
        ledger.close()
    head, _, body = server.requests[0].partition(b"\r\n\r\n")
    assert body.split(b"\n") == [msgspec.json.encode(header), *records, b""]
    assert body == batch_body(header, records)
    assert b"Content-Type: application/x-ndjson" in head
    authorization = re.search(rb"Authorization: (.*)\r\n", head)
    assert authorization
    parsed = parse_authorization(authorization[1].decode())
    assert parsed
    terminal, signature = parsed
    path = f"/base/v1/streams/{'f' * 32}/records"
    assert head.startswith(f"POST {path} HTTP/1.1".encode())
    assert terminal == "S001-T01"
    KEY.public_key().verify(base64.b64decode(signature), signing_input("POST", path, body))


@pytest.mark.parametrize(
    "url",
    [
        "http://ledger.example.com",
        "http://10.0.0.1:8790",
        "http://localhost.example.com",
        "ftp://127.0.0.1",
        "ledger.example.com",
        "https://",
        "https://user@ledger.example.com",
        "https://ledger.example.com/?x=1",
        "https://ledger.example.com:port",
        "https://[::1",
    ],
)
def test_points_do_not_travel_in_the_clear(url: str) -> None:
    """Plain HTTP is for this machine alone; an odd URL is refused at the start, with what to write instead."""
    with pytest.raises(UnsafeLedgerUrl, match="https://"):
        checked_url(url)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8790/", "http://[::1]:1", "http://localhost", "https://l.example/x"])
def test_loopback_and_https_are_fine(url: str) -> None:
    """The reference ledger on this machine needs no certificate."""
    assert checked_url(url) == url.rstrip("/")


def test_plain_http_can_be_allowed_on_purpose() -> None:
    """A shop with its own encrypted line may say so in the config."""
    assert checked_url("http://10.0.0.1:8790", allow_plain_http=True)


@pytest.mark.parametrize(
    ("header", "seconds"), [(None, None), ("", None), ("5", 5.0), ("-1", None), ("Wed, 21 Oct 2026 07:28:00 GMT", None)]
)
def test_retry_after_counts_seconds_only(header: str | None, seconds: float | None) -> None:
    """A date would need a right wall clock on both sides; it is passed over."""
    assert retry_after_s(header) == seconds


received = st.builds(
    Received,
    st.sampled_from([200, 201, 302, 400, 401, 404, 409, 413, 426, 429, 500, 503]),
    st.sampled_from([JSON, PROBLEM, "text/html", ""]),
    st.one_of(
        st.binary(max_size=200),
        st.sampled_from([GOOD, GOOD[:-5], problem(409), problem(409, request=None), b"[" * 2000]),
    ),
    st.one_of(st.none(), st.text(max_size=12)),
)


@given(received)
def test_whatever_comes_is_an_answer_or_a_ledger_error(came: Received) -> None:
    """No bytes from the network raise anything else, and only our own well-formed answer is returned."""
    try:
        answer = understood(came, REQUEST, Decisions)
    except LedgerError:
        return
    assert (answer.request, came.status, came.content_type) == (REQUEST, 200, JSON)


def test_drip_of_bytes_does_not_hold_the_till(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that trickles forever is given up at the same deadline as one that never comes."""
    clock = iter(range(0, 1000, 3))
    monkeypatch.setattr("offline_queue.ledger_client.time.monotonic", lambda: float(next(clock)))
    drip: Callable[[bytes], bytes] = lambda _: http("200 OK", JSON, b" " * 500_000)  # noqa: E731
    with canned(drip) as server, pytest.raises(TransientLedgerError, match="in time"):
        ask(server.url)
