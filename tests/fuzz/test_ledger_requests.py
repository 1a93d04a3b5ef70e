"""Requests at the ledger, signed by a till that has gone mad: refused by name, or taken into custody; never a crash."""

import asyncio
import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import event, given
from hypothesis import strategies as st

from ledger.facts.policy import Policy, UnknownCards
from ledger.http.app import create_app
from ledger.port.book import Book
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import Kind, Resolution, encode
from offline_queue.packing import NotPacked, TooLong, unpacked
from offline_queue.signing import authorization, signing_input
from offline_queue.terminal_key import public_key
from offline_queue.wire import BATCH_TYPE, MAX_BATCH_BYTES, Hello, Park
from offline_queue.wire_accounts import AllowanceRequest
from tests.fuzz.hostile import bent, bounded, crooked, hostile, thoroughly
from tests.ledger.fake_till import CARD, START, FakeStream, FakeTill, FakeTimepiece

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
EXPECTED = {200, 400, 401, 404, 409, 413, 415, 426}
TABLES = ("record", "posting", "decision", "allowance", "stream", "lot", "move", "waiting", "card", "account")


class Ledger:
    """Books behind the real application, without a socket."""

    def __init__(self, folder: Path) -> None:
        self.book: Book = SqliteBook(
            folder / "ledger.db", policy=Policy(UnknownCards.REGISTER), timepiece=FakeTimepiece()
        )
        assert self.book.generation == GENERATION
        self.book.register(CARD, 100)
        self.till = FakeTill(self.book, key=KEY.public_key().public_bytes_raw())
        self.app = create_app(self.book)

    def ask(
        self, method: str, path: str, body: bytes = b"", kind: str = "application/json", encoding: str = ""
    ) -> tuple[int, Any]:
        """Signed as it should be; the status, and the answer, which is always JSON."""
        signature = b64encode(KEY.sign(signing_input(method, path, body))).decode()
        headers = {"host": "localhost", "content-type": kind, "content-encoding": encoding}
        headers["authorization"] = authorization(self.till.terminal, signature)
        status, answer = asyncio.run(self._asked(method, path, headers, body))
        return status, json.loads(answer)

    async def _asked(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        name, _, query = path.partition("?")
        scope = {
            "type": "http",
            "method": method,
            "path": name,
            "raw_path": name.encode(),
            "http_version": "1.1",
            "query_string": query.encode(),
            "root_path": "",
            "scheme": "http",
            "client": ("127.0.0.1", 1),
            "headers": [(key.encode(), value.encode()) for key, value in headers.items() if value],
        }
        sent: list[Any] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await self.app(scope, receive, send)
        return sent[0]["status"], b"".join(message.get("body", b"") for message in sent)

    def counts(self) -> list[int]:
        """How much of everything there is."""
        count = "SELECT count(*) FROM {}"
        return self.book._engine.read(lambda tables: [tables.rows(count.format(name))[0][0] for name in TABLES])  # type: ignore[attr-defined,no-any-return]

    def settles(self, method: str, path: str, body: bytes = b"", **how: str) -> None:
        """An answer by the book; a refusal has changed nothing."""
        before = self.counts()
        with bounded():
            status, answer = self.ask(method, path, body, **how)
        event(f"{status} {answer.get('code')}")
        assert status in EXPECTED, (status, answer)
        if status != 200:
            assert answer["status"] == status
            assert self.counts() == before


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """One for all examples of this module, as a real one would live; its books must add up in the end."""
    found = Ledger(tmp_path_factory.mktemp("ledger"))
    yield found
    assert found.book.verify().problems == []
    found.book.close()


def examples() -> dict[str, list[bytes]]:
    """What an honest till sends."""
    hello = Hello("r-1", "S001-T01", public_key(KEY), 1, 2, "tilld/test", [], START, generation="g", allowances=["a"])
    park = Park("r-2", "5" * 32, 1, b64encode(b"junk").decode(), GENERATION)
    wish = AllowanceRequest("r-3", "right-1", CARD, 5, "5" * 32)
    heads = json.loads(msgspec.json.encode(hello))
    heads["streams"] = [{"stream": "5" * 32, "lane": "bulk", "seq": 3, "hash": "0" * 64, "accepted": 1}]
    heads["clock"] = {"boot_id": "b", "monotonic_ms": 1, "wall": START}
    return {
        "/v1/hello": [msgspec.json.encode(hello), json.dumps(heads).encode()],
        "/v1/park": [msgspec.json.encode(park)],
        "/v1/allowances": [msgspec.json.encode(wish)],
    }


GENERATION = (1).to_bytes(16, "big").hex()
"""The first that a FakeTimepiece gives."""
EXAMPLES = examples()
NAMES = [*EXAMPLES]


@pytest.mark.parametrize("path", NAMES)
@thoroughly
@given(data=st.data())
def test_requests(ledger: Ledger, path: str, data: st.DataObject) -> None:
    """Hello, park and the wish for an allowance."""
    ledger.settles("POST", path, data.draw(hostile(EXAMPLES[path])))


@thoroughly
@given(query=st.text(max_size=60) | st.sampled_from(["after=-1", "after=9" * 9, "limit=0", "after=1&after=x", "a=%00"]))
def test_queries(ledger: Ledger, query: str) -> None:
    """The cursor and the limit of a feed are text from outside too; an unsigned one is refused."""
    told = query.encode("ascii", "ignore").decode().replace("#", "").replace(" ", "+")
    for path in ("/v1/decisions", "/v1/changes", "/v1/accounts/x"):
        ledger.settles("GET", f"{path}?{told}")


class Nowhere:
    """Books for a till that only makes examples."""

    generation = "g"

    def enrol(self, *_: object) -> bool:
        return True


def honest() -> list[bytes]:
    """Entries of every kind that a till writes, always the same."""
    till = FakeTill(cast("Book", Nowhere()))
    sold = till.earn(10)
    entries = [sold, till.redeem(3, allowance="right"), till.reverse(sold, 2), till.release("right")]
    words = [till.correct(sold.id, Resolution.REFUSE), *(till.entry(kind) for kind in Kind)]
    return [encode(entry) for entry in (*entries, *words)]


RECORDS = honest()


@thoroughly
@given(data=st.data())
def test_records(ledger: Ledger, data: st.DataObject) -> None:
    """Whatever a record holds, it is in custody with its chain, and the ones behind it are decided."""
    till = ledger.till
    records = data.draw(st.lists(crooked(RECORDS) | bent(RECORDS) | st.binary(min_size=1, max_size=200), max_size=5))
    stream = till.new_stream()
    for record in [*(record.replace(b"\n", b" ") for record in records), encode(till.earn(1))]:
        stream.append(record)
    header, sent = stream.batch(1, len(stream.records), ledger.book.generation)
    with bounded():
        status, answer = ledger.ask(
            "POST",
            f"/v1/streams/{stream.uid}/records",
            b"\n".join((msgspec.json.encode(header), *sent, b"")),
            BATCH_TYPE,
        )
    if all(sent):
        assert (status, answer.get("accepted")) == (200, len(sent)), answer
        last = [one for one in till.feed() if one.stream == stream.uid][-1]
        assert last.last == len(sent)
    else:
        assert status in EXPECTED


def batch() -> FakeStream:
    """Always the same: what is drawn must not depend on what was drawn before."""
    stream = FakeStream("b" * 32)
    for record in RECORDS[:3]:
        stream.append(record)
    return stream


HEADER, SENT = batch().batch(1, 3, GENERATION)
LINE = msgspec.json.encode(HEADER)
BODY = b"\n".join((LINE, *SENT, b""))
PACKED = gzip.compress(BODY, mtime=0)


@thoroughly
@given(
    sent=st.one_of(
        crooked([LINE]).map(lambda line: (b"\n".join((line, *SENT, b"")), "")),
        bent([BODY]).map(lambda text: (text, "")),
        bent([PACKED]).map(lambda text: (text, "gzip")),
        st.sampled_from(["gzip", "br", "gzip, gzip", "GZIP", "identity", "\t"]).map(lambda name: (PACKED, name)),
    )
)
def test_batches(ledger: Ledger, sent: tuple[bytes, str]) -> None:
    """A header that lies, lines that are cut, gzip that is none."""
    body, encoding = sent
    ledger.settles("POST", f"/v1/streams/{HEADER.stream}/records", body, kind=BATCH_TYPE, encoding=encoding)


@thoroughly
@given(body=bent([gzip.compress(b"x" * 3000, mtime=0), gzip.compress(b"", mtime=0)]), limit=st.integers(0, 4000))
def test_packed_bytes(body: bytes, limit: int) -> None:
    """At most what is allowed is unfolded."""
    with bounded(), suppress(NotPacked, TooLong):
        assert len(unpacked(body, limit)) <= limit


def test_a_bomb_is_not_unfolded(ledger: Ledger) -> None:
    """A gigabyte of zeros in a megabyte costs no more than a batch."""
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(1024)) + packer.flush()
    with bounded():
        status, answer = ledger.ask("POST", "/v1/streams/5/records", bomb, BATCH_TYPE, "gzip")
    assert (status, answer["code"]) == (413, "too_large")
    assert len(bomb) < MAX_BATCH_BYTES
