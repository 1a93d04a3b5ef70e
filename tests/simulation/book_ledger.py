"""The ledger's books as the till's port, without a network in between."""

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from ledger.gate import public_key
from ledger.port import Book, NotRecorded, Refused
from offline_queue.ledger_answers import LedgerRefused, TransientLedgerError
from offline_queue.wire import (
    Account,
    AllowanceAnswer,
    AllowanceRequest,
    BatchAnswer,
    BatchHeader,
    Changes,
    Decisions,
    Hello,
    Park,
    Problem,
    ProblemCode,
    Welcome,
)

T = TypeVar("T")


class BookLedger:
    """Implements Ledger for one terminal, which is enrolled at its first hello."""

    def __init__(self, book: Book, terminal: str) -> None:
        self.book, self._terminal = book, terminal

    def hello(self, hello: Hello) -> Welcome:
        if self.book.public_key(self._terminal) is None:
            self.book.enrol(self._terminal, public_key(hello.public_key))
        return _answered(lambda: self.book.hello(_travelled(hello)))

    def send(self, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        self._enrolled(header.request)
        return _answered(lambda: self.book.take(self._terminal, _travelled(header), records))

    def park(self, park: Park) -> BatchAnswer:
        self._enrolled(park.request)
        return _answered(lambda: self.book.park(self._terminal, _travelled(park)))

    def allowance(self, request: AllowanceRequest) -> AllowanceAnswer:
        self._enrolled(request.request)
        return _answered(lambda: self.book.allowance(self._terminal, _travelled(request)))

    def decisions(self, request: str, after: int, limit: int) -> Decisions:
        self._enrolled(request)
        return _answered(lambda: self.book.decisions(self._terminal, request, after, limit))

    def changes(self, request: str, after: int, limit: int) -> Changes:
        self._enrolled(request)
        return _answered(lambda: self.book.changes(request, after, limit))

    def account(self, request: str, number: str) -> Account | None:
        self._enrolled(request)
        return _answered(lambda: self.book.account(request, number))

    def _enrolled(self, request: str) -> None:
        if self.book.public_key(self._terminal) is None:
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
