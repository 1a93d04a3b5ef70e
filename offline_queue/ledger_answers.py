"""What counts as an answer of the ledger: only a well-formed one that repeats our request id.

Pure. A captive portal's HTML, a proxy's 404, an empty 200 or a cut body are silence; so nothing in between till
and ledger can make an entry look delivered.
"""

from typing import Final, TypeVar

import msgspec

from offline_queue.packing import GZIP, NotPacked, TooLong, unpacked
from offline_queue.wire import BatchAnswer, Problem, ProblemCode, Welcome
from offline_queue.wire_accounts import Account, AllowanceAnswer, PhoneFound
from offline_queue.wire_feeds import Changes, Decisions

JSON: Final = "application/json"
PROBLEM: Final = "application/problem+json"
_NOT_NOW: Final = frozenset({408, 425, 429})
_UNREAD: Final = frozenset({401, 403, 413, 426})
"""A ledger may refuse these before it has read our request id; believing them costs a wait, never a point."""

A = TypeVar("A", Welcome, BatchAnswer, AllowanceAnswer, Changes, Decisions, Account, PhoneFound)


class LedgerError(Exception):
    """No answer that counts; the text is for people."""


class TransientLedgerError(LedgerError):
    """The ledger cannot be reached or cannot answer now. `reached`: somebody took the request and looked into it."""

    def __init__(self, detail: str, *, retry_after_s: float | None = None, reached: bool = True) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        self.reached = reached


class LedgerProtocolError(LedgerError):
    """Something answered, but not a ledger that speaks with us."""


class LedgerRefused(LedgerError):
    """The ledger understood and took nothing."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail or problem.title)
        self.problem = problem


class Received(msgspec.Struct, frozen=True):
    """An HTTP answer as it came, body complete."""

    status: int
    content_type: str
    body: bytes
    retry_after: str | None = None


def plain(body: bytes, encoding: str, limit: int) -> bytes:
    """An answer's body without its content coding. Raises LedgerProtocolError."""
    if encoding.strip().lower() != GZIP:
        return body
    try:
        return unpacked(body, limit)
    except (NotPacked, TooLong) as error:
        raise LedgerProtocolError(f"the answer cannot be unpacked: {error}") from error


def understood(received: Received, request: str, shape: type[A]) -> A:
    """The answer of `shape` to `request`. Raises LedgerError for whatever else has come."""
    if received.content_type == PROBLEM:
        raise _refusal(received, request)
    if received.status >= 500 or received.status in _NOT_NOW:
        raise _not_now(received)
    if received.status != 200 or received.content_type != JSON:
        kind = received.content_type or "no content type"
        raise LedgerProtocolError(f"something that is no ledger answered: HTTP {received.status}, {kind}")
    try:
        answer = msgspec.json.decode(received.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise LedgerProtocolError(f"the ledger's answer makes no sense: {error}") from error
    if answer.request != request:
        raise LedgerProtocolError("the ledger answered another request than ours")
    return answer


def _refusal(received: Received, request: str) -> LedgerError:
    try:
        problem = msgspec.json.decode(received.body, type=Problem)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return LedgerProtocolError(f"the ledger's problem document makes no sense: {error}")
    if received.status >= 500 or received.status in _NOT_NOW:
        return _not_now(received, problem.detail or problem.title, looked=problem.code != ProblemCode.BUSY)
    ours = problem.request == request or (problem.request is None and received.status in _UNREAD)
    if not ours or problem.status != received.status or received.status < 400:
        return LedgerProtocolError(f"a problem document that is not about our request: HTTP {received.status}")
    return LedgerRefused(problem)


def _not_now(received: Received, detail: str | None = None, *, looked: bool = True) -> TransientLedgerError:
    """`looked` is False when a busy ledger has turned the request away at the door."""
    said = f": {detail}" if detail else ""
    wait = retry_after_s(received.retry_after)
    return TransientLedgerError(
        f"the ledger cannot answer now (HTTP {received.status}{said})", retry_after_s=wait, reached=looked
    )


def retry_after_s(header: str | None) -> float | None:
    """Seconds of a Retry-After header. Its other form, a date, needs a right wall clock: we do not trust ours."""
    return float(header.strip()) if header and header.strip().isascii() and header.strip().isdigit() else None
