"""What the ledger refuses says so with the request that it answers, and where it matters with its generation."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from ledger.port.book import Book
from ledger.port.refusals import Refused
from offline_queue.entry import MAX_POINTS, Lane, Parent, encode
from offline_queue.wire import Hello, Park, StreamHead
from offline_queue.wire_accounts import AllowanceRequest, PhoneLookup
from tests.ledger.fake_till import CARD, START, FakeTill

Call = Callable[[Book, FakeTill], Any]
HASH = "0" * 64


def hello(*streams: StreamHead, lowest: int = 1) -> Call:
    return lambda book, till: book.hello(Hello("r-1", till.terminal, "", lowest, 9, "fake 1", list(streams), START))


def batch(**change: Any) -> Call:
    def send(book: Book, till: FakeTill) -> Any:
        till.stream.append(encode(till.earn(1)))
        header, records = till.stream.batch(1, 1, book.generation)
        return book.take(till.terminal, replace(header, request="r-1", **change), records)

    return send


def park(record: str = "Pw==", **change: Any) -> Call:
    def send(book: Book, till: FakeTill) -> Any:
        sent = Park("r-1", till.stream.uid, 1, record, book.generation)
        return book.park(till.terminal, replace(sent, **change))

    return send


def ask(points: int = 1, name: str = "a1", *, stream: str = "") -> Call:
    def send(book: Book, till: FakeTill) -> Any:
        till.hello()
        return book.allowance(till.terminal, AllowanceRequest("r-1", name, CARD, points, stream or till.stream.uid))

    return send


def ask_otherwise(book: Book, till: FakeTill) -> Any:
    till.send(till.earn(9))
    till.ask("a1", 2)
    return ask(3)(book, till)


def look_up(phone: str) -> Call:
    return lambda book, till: book.phone(PhoneLookup("r-1", phone))


MALFORMED: dict[str, Call] = {
    "a hash that is none": hello(StreamHead("s", Lane.BULK, 1, "xx", 0)),
    "a hash that is too short": hello(StreamHead("s", Lane.BULK, 1, HASH[2:], 0)),
    "a parent without a place": hello(StreamHead("s", Lane.BULK, 1, HASH, 0, parent=Parent("p", -1, HASH))),
    "more records than there are": batch(count=2),
    "no records": batch(count=0),
    "a record before the first": batch(first=0),
    "records that lead elsewhere": batch(head=HASH),
    "a stream without a name": batch(stream=""),
    "a stream with a long name": batch(stream="s" * 65),
    "a record that is not base64": park("*"),
    "base64 with something between": park("Pw\n=="),
    "a parked record without a byte": park(""),
    "a parked record without a place": park(seq=0),
    "a promise of nothing": ask(0),
    "a promise of too much": ask(MAX_POINTS + 1),
    "a promise without a name": ask(name=""),
    "a promise with a long name": ask(name="a" * 65),
    "a phone number that is none": look_up("0612345678"),
}
OF_THESE_BOOKS: dict[str, tuple[Call, str]] = {
    "no protocol that both speak": (hello(lowest=9), "protocol"),
    "a gap": (batch(first=3), "gap"),
    "a batch for other books": (batch(generation="another"), "generation"),
    "a parked record for other books": (park(generation="another"), "generation"),
    "a promise in a stream that no hello has told of": (ask(stream="elsewhere"), "generation"),
    "a promise that was another": (ask_otherwise, "key_mismatch"),
}


@pytest.mark.parametrize("what", MALFORMED)
def test_what_makes_no_sense_is_refused_by_the_name_of_its_request(book: Book, till: FakeTill, what: str) -> None:
    """Nothing of it is kept, and who asked can tell which of its questions was wrong."""
    with pytest.raises(Refused) as refusal:
        MALFORMED[what](book, till)
    problem = refusal.value.problem
    assert (problem.code, problem.request) == ("malformed", "r-1")
    assert (book.verify().records, book.allowances()) == (0, [])


@pytest.mark.parametrize("what", OF_THESE_BOOKS)
def test_what_other_books_might_take_is_refused_in_the_name_of_these(book: Book, till: FakeTill, what: str) -> None:
    """The till learns whether it speaks with the books that it knows."""
    call, code = OF_THESE_BOOKS[what]
    with pytest.raises(Refused) as refusal:
        call(book, till)
    problem = refusal.value.problem
    assert (problem.code, problem.request, problem.generation) == (code, "r-1", book.generation)


@pytest.mark.parametrize("call", [batch(stream="s" * 64), park(stream="s" * 64), ask(1, "a" * 64), batch(stream="s")])
def test_the_longest_and_the_shortest_names_are_good(book: Book, till: FakeTill, call: Call) -> None:
    """Each limit is the last that is let through."""
    till.send(till.earn(5))
    call(book, till)
    assert book.verify().ok
