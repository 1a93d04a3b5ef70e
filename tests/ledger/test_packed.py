"""Packed batches over real sockets, honest and hostile; answers packed for those who ask."""

import zlib
from collections.abc import Callable, Iterator

import msgspec
import pytest

from ledger.http.gate import Enrolment
from ledger.port.book import Book
from offline_queue.entry import encode
from offline_queue.ledger_client import HttpLedger, batch_body
from offline_queue.packing import packed
from offline_queue.wire import BATCH_TYPE, MAX_BATCH_BYTES, BatchAnswer, BatchHeader, Welcome
from offline_queue.wire_feeds import Decisions
from tests.ledger.client import Client, Reply
from tests.ledger.fake_till import FakeStream, FakeTill, points_of

STREAM = "f" * 32
SALES = 100


@pytest.fixture
def database(tmp_path: object) -> str:
    """Packing is over before any engine sees a record."""
    return f"sqlite:///{tmp_path}/ledger.db"


@pytest.fixture
def client(book: Book, served: Callable[..., str]) -> Iterator[Client]:
    client = Client(served(book, enrolment=Enrolment.OPEN))
    assert msgspec.json.decode(client.hello().body, type=Welcome).encodings == ["gzip"]
    yield client
    client.close()


@pytest.fixture
def batch(book: Book, client: Client) -> tuple[BatchHeader, list[bytes]]:
    """Of many earns on one card, a point each."""
    till = FakeTill(book, 1, client.key.public_key().public_bytes_raw())
    stream = FakeStream(STREAM)
    for _ in range(SALES):
        stream.append(encode(till.earn(1)))
    return stream.batch(1, SALES, book.generation)


def deliver(client: Client, body: bytes, encoding: str = "gzip") -> Reply:
    return client.request("POST", f"/v1/streams/{STREAM}/records", body, BATCH_TYPE, Content_Encoding=encoding)


def test_a_packed_batch_counts_like_any_other(
    book: Book, client: Client, batch: tuple[BatchHeader, list[bytes]]
) -> None:
    """Sent twice, packed and plain, it still counts once: the records' own bytes are what is hashed."""
    body = batch_body(*batch)
    assert len(packed(body)) < len(body) / 4
    for reply in (deliver(client, packed(body)), deliver(client, body, "identity"), deliver(client, packed(body))):
        assert msgspec.json.decode(reply.body, type=BatchAnswer).accepted == SALES
    assert points_of(book) == SALES


def test_the_signature_covers_what_is_sent(book: Book, client: Client, batch: tuple[BatchHeader, list[bytes]]) -> None:
    """Nothing is unpacked for whom we do not know; and a signature of the unpacked bytes is none."""
    thief = Client(client.url, client.terminal)
    assert deliver(thief, packed(batch_body(*batch))).code == "signature_bad"
    assert deliver(thief, b"\x1f\x8b rubbish").code == "signature_bad"
    thief.close()
    assert points_of(book) == 0


def test_a_bomb_is_refused_without_unfolding_it(book: Book, client: Client) -> None:
    """From an enrolled till gone wild: 413, as for any batch that is too large."""
    reply = deliver(client, packed(bytes(MAX_BATCH_BYTES + 1)))
    assert (reply.status, reply.code) == (413, "too_large")


def test_what_is_no_whole_gzip_stream_takes_nothing(
    book: Book, client: Client, batch: tuple[BatchHeader, list[bytes]]
) -> None:
    """Cut, doubled, of another format, or not packed at all: malformed, and not one record is taken."""
    body = batch_body(*batch)
    whole = packed(body)
    for hostile in (whole[:-1], whole[:-9], whole[:5], whole + b"\0", whole + whole, zlib.compress(body), body):
        assert deliver(client, hostile).code == "malformed"
    assert points_of(book) == 0


def test_packed_twice_is_not_unpacked_twice(book: Book, client: Client, batch: tuple[BatchHeader, list[bytes]]) -> None:
    """Neither by its header nor by its content."""
    twice = packed(packed(batch_body(*batch)))
    for encoding in ("gzip, gzip", "deflate", "br", "x", "gzip;q=1"):
        assert deliver(client, twice, encoding).code == "media_type"
    assert deliver(client, twice).code == "malformed"
    assert points_of(book) == 0


def test_a_long_answer_is_packed_for_who_asks(
    book: Book, client: Client, batch: tuple[BatchHeader, list[bytes]]
) -> None:
    """And a short one never is; the till's own client unpacks it."""
    stream = FakeStream(STREAM)
    for number in range(SALES):
        stream.append(b"poison %d" % number)
    client.batch(*stream.batch(1, SALES, book.generation))
    path = f"/v1/decisions?after=0&limit={SALES}&request=r-1"
    plain = client.request("GET", path)
    assert "Content-Encoding" not in plain.headers
    assert "Content-Encoding" not in client.request("GET", "/healthz", Accept_Encoding="gzip").headers
    ledger = HttpLedger(client.url, client.terminal, client.key)
    try:
        page = ledger.decisions("r-1", 0, SALES)
    finally:
        ledger.close()
    assert page == msgspec.json.decode(plain.body, type=Decisions)
    assert len(page.verdicts) == SALES
    packed_reply = client.request("GET", path, Accept_Encoding="gzip")
    assert packed_reply.headers["Content-Encoding"] == "gzip"
