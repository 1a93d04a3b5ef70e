"""The ledger's books as the till's port, without a network in between."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from ledger.http.gate import Enrolment, Gate, public_key
from ledger.port.book import Book
from ledger.port.refusals import NotRecorded, Refused
from offline_queue.ledger_answers import LedgerRefused, TransientLedgerError
from offline_queue.wire import BatchAnswer, BatchHeader, Hello, Park, Problem, ProblemCode, Welcome
from offline_queue.wire_accounts import Account, AllowanceAnswer, AllowanceRequest, PhoneFound, PhoneLookup
from offline_queue.wire_feeds import Changes, Decisions

T = TypeVar("T")


class BookLedger:
    """Implements Ledger for one terminal, which is enrolled at its first hello.

    `did` makes the calls that change the books, by name; without it they are the book's own.
    """

    def __init__(self, book: Book, terminal: str, did: Callable[..., Any] | None = None) -> None:
        self._book, self._terminal = book, terminal
        self._did = did or (lambda name, *arguments: getattr(book, name)(*arguments))

    def hello(self, hello: Hello) -> Welcome:
        known, shown = self._book.public_key(self._terminal), public_key(hello.public_key)
        if known is None:
            self._did("enrol", self._terminal, shown)
        elif known != shown:
            raise LedgerRefused(Problem("another key", 401, ProblemCode.SIGNATURE_BAD, request=hello.request))
        welcome: Welcome = _answered(lambda: self._did("hello", _travelled(hello)))
        return welcome

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        self._enrolled(header.request)
        sent = _travelled(header)
        owner = _answered(lambda: Gate(self._book, Enrolment.OPEN).owner(self._terminal, sent))
        answer: BatchAnswer = _answered(lambda: self._did("take", owner, sent, records))
        return answer

    def park(self, park: Park) -> BatchAnswer:
        self._enrolled(park.request)
        answer: BatchAnswer = _answered(lambda: self._did("park", self._terminal, _travelled(park)))
        return answer

    def allowance(self, request: AllowanceRequest) -> AllowanceAnswer:
        self._enrolled(request.request)
        asked = _travelled(request)
        answer: AllowanceAnswer = _answered(lambda: self._did("allowance", self._terminal, asked))
        return answer

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        self._enrolled(request)
        return _answered(lambda: self._book.decisions(self._terminal, request, after, limit))

    def changes(self, request: str, after: int, limit: int) -> Changes:
        self._enrolled(request)
        return _answered(lambda: self._book.changes(request, after, limit))

    def account(self, request: str, number: str) -> Account | None:
        self._enrolled(request)
        return _answered(lambda: self._book.account(request, number))

    def phone(self, lookup: PhoneLookup) -> PhoneFound:
        self._enrolled(lookup.request)
        return _answered(lambda: self._book.phone(_travelled(lookup)))

    def _enrolled(self, request: str) -> None:
        if self._book.public_key(self._terminal) is None:
            raise LedgerRefused(Problem("not enrolled", 401, ProblemCode.TERMINAL_UNKNOWN, request=request))


def _travelled(message: T) -> T:
    """As it arrives: what the wire's JSON does not carry is lost."""
    return msgspec.json.decode(msgspec.json.encode(message), type=type(message))


def _answered(call: Callable[[], T]) -> T:
    try:
        return call()
    except Refused as refusal:
        raise LedgerRefused(refusal.problem) from refusal
    except NotRecorded as error:
        raise TransientLedgerError(str(error)) from error
