"""Answers at the till, from a ledger or whoever stands in between: none makes an entry look delivered, none crashes."""

import itertools
import json
import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import event, given
from hypothesis import strategies as st

from ledger.books.receipts import Signer
from ledger.sqlite.book import SqliteBook
from offline_queue.courier import Courier
from offline_queue.ledger_answers import JSON, PROBLEM, LedgerError, LedgerRefused, Received, plain, understood
from offline_queue.requests import Identity
from offline_queue.steps import Rest
from offline_queue.wire import BatchAnswer, BatchHeader, Hello, Park, Welcome
from offline_queue.wire_accounts import Account, AllowanceAnswer
from offline_queue.wire_feeds import Changes, Decisions
from terminal.cards.directory import Directory
from tests.fuzz.hostile import VALUES, bounded, hostile, seldom, thoroughly
from tests.offline_queue.journals import CARD, TIMEPIECE, opened, sell
from tests.offline_queue.test_ledger_client_docs import EXAMPLES
from tests.simulation.book_ledger import BookLedger

T = TypeVar("T", bound=msgspec.Struct)

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
SHAPES: dict[str, type[Any]] = {
    "welcome": Welcome,
    "custody": BatchAnswer,
    "granted": AllowanceAnswer,
    "changes": Changes,
    "decisions": Decisions,
    "account": Account,
}
PAGES = {name: EXAMPLES[name].encode() for name in (*SHAPES, "gap")}
REQUEST = "00000000000000000000000000000001"


@pytest.mark.parametrize("name", [*SHAPES])
@thoroughly
@given(data=st.data())
def test_an_answer_is_one_or_silence(name: str, data: st.DataObject) -> None:
    """Only a LedgerError comes of what is none; a refusal is one only with our own request's id or before it was
    read."""
    body = data.draw(hostile([PAGES[name], PAGES["gap"]]))
    status = data.draw(st.sampled_from([200, 204, 301, 400, 401, 409, 413, 426, 500, 503]))
    kind = data.draw(st.sampled_from([JSON, PROBLEM, "text/html", ""]))
    wait = data.draw(st.none() | st.text(max_size=6) | st.just("9" * 400))
    with bounded(), suppress(LedgerError):
        answer = understood(Received(status, kind, body, wait), REQUEST, SHAPES[name])
        assert (status, kind, answer.request) == (200, JSON, REQUEST)


@thoroughly
@given(body=st.binary(max_size=400), coding=st.sampled_from(["gzip", "GZIP ", "", "br"]), limit=st.integers(0, 999))
def test_an_answers_packing(body: bytes, coding: str, limit: int) -> None:
    """What cannot be unpacked is silence."""
    with bounded(), suppress(LedgerError):
        plain(body, coding, limit)


class Middleman:
    """The real books, and somebody who bends some of their answers on the way."""

    def __init__(self, book: SqliteBook, bends: Iterator[Callable[[bytes], bytes]]) -> None:
        self._ledger, self._bends = BookLedger(book, "S001-T01"), bends

    def hello(self, hello: Hello) -> Welcome:
        return self._bent(hello.request, lambda: self._ledger.hello(hello), Welcome)

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        return self._bent(header.request, lambda: self._ledger.send(header, records), BatchAnswer)

    def park(self, park: Park) -> BatchAnswer:
        return self._bent(park.request, lambda: self._ledger.park(park), BatchAnswer)

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        return self._bent(request, lambda: self._ledger.decisions(request, after, limit), Decisions)

    def changes(self, request: str, after: int, limit: int) -> Changes:
        return self._bent(request, lambda: self._ledger.changes(request, after, limit), Changes)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    def _bent(self, request: str, say: Callable[[], T], shape: type[T]) -> T:
        try:
            status, kind, body = 200, JSON, msgspec.json.encode(say())
        except LedgerRefused as refused:
            status, kind, body = refused.problem.status, PROBLEM, msgspec.json.encode(refused.problem)
        bend = next(self._bends, None)
        body = bend(body) if bend else body
        answer: T = understood(Received(status, kind, body), request, shape)  # type: ignore[type-var]
        event("an answer that was bent still counts" if bend else "an honest answer")
        return answer


@seldom
@given(data=st.data())
def test_a_courier_outlives_any_answers(data: st.DataObject) -> None:
    """Whatever comes, the journal stays whole, what the ledger has signed for alone counts as delivered, and when the
    line is honest again everything arrives once."""
    crooks = st.integers(0, 2**32).map(crook)
    bends = data.draw(st.lists(st.none() | crooks, max_size=8))
    with TemporaryDirectory() as folder, bounded():
        live(Path(folder), [bend or (lambda body: body) for bend in bends])


def crook(seed: int) -> Callable[[bytes], bytes]:
    """Bends an answer that is not known yet, always in the same way."""

    def bend(body: bytes) -> bytes:
        chance = random.Random(seed)
        told = msgspec.json.decode(body)
        for _ in range(chance.randint(1, 3)):
            holder, key = chance.choice([*places(told)])
            alike = [value for value in VALUES if type(value) is type(holder[key])]
            holder[key] = chance.choice(alike or [None])
        return json.dumps(told).encode()

    return bend


def places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every value of a document but the request's id, as who holds it and under which key."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        if key != "request":
            yield value, key
            yield from places(each)


def live(folder: Path, bends: list[Callable[[bytes], bytes]]) -> None:
    """A till with a few sales, a ledger behind the middleman, and peace in the end."""
    book = SqliteBook(folder / "books.db", signer=SIGNER)
    with closing(book), closing(opened(folder)) as store, closing(store.reader()) as journal:
        directory = Directory.open(folder / "directory.db", "start")
        book.register(CARD)
        middleman = Middleman(book, iter(bends))
        identity = Identity("S001-T01", SIGNER.public_key, "tilld/test", SIGNER.public_key)
        courier = Courier(store, journal, middleman, TIMEPIECE, identity, lambda *_: None, directory.hotlist)
        sold = [sell(store, f"sale-{n}") for n in range(3)]
        for _ in itertools.repeat(None, 60):
            courier.hasten()
            while not isinstance(courier.step(), Rest):
                pass
            assert journal.verify().ok, journal.verify().first_bad
            if not journal.totals().queued and not journal.totals().accepted_undecided:
                break
        assert [found.entry.id for found in journal.list(None, 10)] == [entry.id for entry in sold]
        statement = book.statement(CARD)
        assert statement is not None
        assert statement.points == 15
        assert journal.totals().queued == 0
        directory.close()
