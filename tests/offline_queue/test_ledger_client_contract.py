"""The contract of the Ledger port, on the books themselves and over a real socket."""

import base64
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.http.app import create_app
from ledger.http.gate import Enrolment
from ledger.http.server import LedgerServer, bound
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import GENESIS_HASH, Card, Clock, Entry, Genesis, Kind, Lane, State, chain, encode, uuid7
from offline_queue.ledger_answers import LedgerRefused
from offline_queue.ledger_client import HttpLedger, Ledger
from offline_queue.terminal_key import public_key
from offline_queue.wire import BatchHeader, Hello, Park, StreamHead
from offline_queue.wire_accounts import AllowanceRequest, PhoneLookup
from tests.simulation.book_ledger import BookLedger

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
CARD = "2990000000017"
STREAM = "5" * 32


@pytest.fixture
def book(tmp_path: Path) -> Iterator[SqliteBook]:
    book = SqliteBook(tmp_path / "books.db")
    book.register(CARD, 100)
    yield book
    book.close()


@pytest.fixture(params=["book", "http"])
def ledger(request: pytest.FixtureRequest, book: SqliteBook) -> Iterator[Ledger]:
    if request.param == "book":
        yield BookLedger(book, "S001-T01")
        return
    ready = threading.Event()
    server = LedgerServer(create_app(book, enrolment=Enrolment.OPEN), bound("127.0.0.1", 0), lambda _: ready.set())
    thread = threading.Thread(target=server.serve_until_stopped)
    thread.start()
    assert ready.wait(60)
    http = HttpLedger(server.url, "S001-T01", KEY)
    yield http
    http.close()
    server.stop()
    thread.join(60)


def number(n: int) -> str:
    return f"{n:032x}"


def hello(request: int = 1, *streams: StreamHead) -> Hello:
    now = "2026-01-01T00:00:00.000Z"
    return Hello(number(request), "S001-T01", public_key(KEY), 1, 2, "tilld/test", [*streams], now)


def entry(kind: Kind, key: str, points: int = 0, **more: object) -> bytes:
    now = "2026-01-01T00:00:00.000Z"
    fields = {"card": Card(CARD)} if kind is Kind.EARN else {}
    made = Entry(
        uuid7(0, key.encode().ljust(10)), key, kind, "S001-T01", "2026-01-01", now, Clock("b", 1, now), points=points,
        **{**fields, **more},  # type: ignore[arg-type]
    )  # fmt: skip
    return encode(made)


RECORDS = [
    entry(Kind.GENESIS, "genesis", genesis=Genesis(STREAM, Lane.BULK, "machine", "tilld/test", 1)),
    entry(Kind.EARN, "sale-1", 10),
    entry(Kind.EARN, "sale-2", 5),
]


def header(generation: str, records: list[bytes], first: int = 1, request: int = 2) -> BatchHeader:
    head = GENESIS_HASH
    for record in RECORDS[: first - 1] + records:
        head = chain(head, record)
    return BatchHeader(number(request), STREAM, first, len(records), head.hex(), generation)


def test_batch_is_taken_decided_and_booked(ledger: Ledger) -> None:
    """Hello, a batch, its decisions and the account's balance: the whole way of a sale."""
    welcome = ledger.hello(hello())
    assert (welcome.request, welcome.protocol) == (number(1), 2)
    answer = ledger.send(header(welcome.generation, RECORDS), RECORDS)
    assert (answer.request, answer.stream, answer.accepted) == (number(2), STREAM, 3)
    page = ledger.decisions(number(3), 0, 100)
    assert {verdict.state for verdict in page.verdicts} == {State.POSTED}
    assert (page.request, page.verdicts[-1].last, page.more) == (number(3), 3, False)
    assert [balance.points for balance in page.balances] == [115]
    account = ledger.account(number(4), CARD)
    assert account is not None
    assert (account.request, account.balance.points) == (number(4), 115)


def test_same_batch_twice_counts_once(ledger: Ledger) -> None:
    """A till that did not hear the answer sends again and hears the same mark."""
    generation = ledger.hello(hello()).generation
    first = ledger.send(header(generation, RECORDS), RECORDS)
    second = ledger.send(header(generation, RECORDS, request=9), RECORDS)
    assert (first.accepted, second.accepted) == (3, 3)
    account = ledger.account(number(4), CARD)
    assert account is not None
    assert account.balance.points == 115


def test_gap_names_what_is_expected(ledger: Ledger) -> None:
    """Records before these are missing: the till rewinds to the one named."""
    generation = ledger.hello(hello()).generation
    with pytest.raises(LedgerRefused) as no:
        ledger.send(header(generation, RECORDS[2:], first=3), RECORDS[2:])
    problem = no.value.problem
    assert (problem.status, problem.code, problem.expected, problem.request) == (409, "gap", 1, number(2))


def test_other_generation_is_turned_away(ledger: Ledger) -> None:
    """A till that does not know of the restore says hello first."""
    generation = ledger.hello(hello()).generation
    with pytest.raises(LedgerRefused) as no:
        ledger.send(header("0" * 32, RECORDS), RECORDS)
    assert (no.value.problem.code, no.value.problem.generation) == ("generation", generation)


def test_parked_record_is_in_custody_and_those_behind_it_go_on(ledger: Ledger) -> None:
    """What no batch can carry moves the mark as opaque bytes."""
    generation = ledger.hello(hello()).generation
    opaque = base64.b64encode(RECORDS[0]).decode()
    parked = ledger.park(Park(number(5), STREAM, 1, opaque, generation))
    assert (parked.request, parked.accepted) == (number(5), 1)
    assert ledger.send(header(generation, RECORDS[1:], first=2), RECORDS[1:]).accepted == 3


def test_allowance_is_granted_once_however_often_it_is_asked(ledger: Ledger) -> None:
    """The same id gives the first answer again and reserves nothing more; too many points are refused."""
    ledger.hello(hello(1, StreamHead(STREAM, Lane.URGENT, 1, "00" * 32, 0)))
    first = ledger.allowance(AllowanceRequest(number(6), "right-1", CARD, 60, STREAM))
    again = ledger.allowance(AllowanceRequest(number(7), "right-1", CARD, 60, STREAM))
    assert (first.granted, again.granted, again.request) == (True, True, number(7))
    refused = ledger.allowance(AllowanceRequest(number(8), "right-2", CARD, 60, STREAM))
    assert (refused.granted, refused.code) == (False, "insufficient_points")
    assert refused.balance is not None
    assert refused.balance.reserved == 60


def test_unknown_card_has_no_account(ledger: Ledger) -> None:
    """No card, however odd its number, is mistaken for silence."""
    ledger.hello(hello())
    assert ledger.account(number(4), "299/../ ?&é") is None


def test_changes_come_in_pages_and_the_welcome_tells_their_end(ledger: Ledger, book: SqliteBook) -> None:
    """Here the keys of terminals, as they were enrolled."""
    book.enrol("S001-T02", bytes(range(32)))
    welcome = ledger.hello(hello())
    assert welcome.changes == 2
    first = ledger.changes(number(2), 0, 1)
    assert (first.next, first.more, first.request) == (1, True, number(2))
    rest = ledger.changes(number(3), first.next, 10)
    assert (rest.next, rest.more, rest.generation) == (2, False, welcome.generation)
    told = [change.key for change in (*first.changes, *rest.changes) if change.key]
    assert {(key.terminal, key.revoked) for key in told} == {("S001-T01", False), ("S001-T02", False)}
    assert ledger.changes(number(4), 2, 10).changes == []


def test_stranger_is_refused(ledger: Ledger) -> None:
    """Who never said hello is told to be enrolled."""
    with pytest.raises(LedgerRefused) as no:
        ledger.decisions(number(3), 0, 10)
    assert (no.value.problem.status, no.value.problem.code) == (401, "terminal_unknown")


def test_phone_number_finds_the_cards_that_are_linked_to_it(ledger: Ledger, book: SqliteBook) -> None:
    """Those and no others; a number that nobody has linked finds none, and that is an answer."""
    ledger.hello(hello())
    book.link_phone(CARD, "+33 6 12 34 56 78", "lea")
    assert ledger.phone(PhoneLookup(number(2), "+33612345678")).cards == [CARD]
    assert ledger.phone(PhoneLookup(number(3), "+33612345679")).cards == []


def test_phone_number_that_is_none_is_refused(ledger: Ledger) -> None:
    """Nothing is searched for what can be nobody's number."""
    ledger.hello(hello())
    with pytest.raises(LedgerRefused) as refusal:
        ledger.phone(PhoneLookup(number(2), "0612345678"))
    assert refusal.value.problem.code == "malformed"
