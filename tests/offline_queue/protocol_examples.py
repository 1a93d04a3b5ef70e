"""One conversation between a till and the reference ledger, held for real: the examples of docs/protocol.md.

`python -m tests.offline_queue.protocol_examples` prints them as the page must show them.
"""

import base64
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from ledger.books.receipts import Signer
from ledger.facts.policy import Policy
from ledger.points.programme import Lifetime, PointsRule, Programme
from ledger.sqlite.book import SqliteBook
from offline_queue.entry import GENESIS_HASH, Card, Clock, Entry, Genesis, Happening, Kind, Lane, Receipt, chain, encode
from offline_queue.ledger_answers import LedgerRefused
from offline_queue.ledger_client import batch_body
from offline_queue.signing import authorization, signing_input
from offline_queue.terminal_key import public_key, sign
from offline_queue.wire import BatchHeader, Hello, Park, StreamHead
from offline_queue.wire_accounts import AllowanceRequest, PhoneLookup
from tests.simulation.book_ledger import BookLedger

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
"""For the examples only: its seed is 00 01 02 … 1f."""
LEDGER_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
"""For the examples only: its seed is 20 21 22 … 3f."""
TERMINAL: Final = "S001-T01"
CARD: Final = "2990000000017"
STREAM: Final = "7d0c3c6e5f1b4a0f9c2e8a61b7d4f350"
GENERATION: Final = "00112233445566778899aabbccddeeff"
NOW: Final = "2026-03-02T09:15:00.000Z"
PROGRAMME: Final = Programme(
    {
        "one-per-euro@1": PointsRule(
            "one-per-euro@1", points=1, per=100, activation_days=14, expires=Lifetime(end_of_year_after=1)
        )
    },
    ZoneInfo("Europe/Paris"),
)


class Stopped:
    """A clock that stands, and chance that is none."""

    boot_id = "9b1f0c52-6f0e-4d6e-8f55-0a4c4f5f7a11"

    def unix_ms(self) -> int:
        return 1_772_442_900_000

    def boottime_ms(self) -> int:
        return 123_456

    def random(self, count: int) -> bytes:
        return bytes.fromhex(GENERATION)[:count].ljust(count, b"\0")


def request(n: int) -> str:
    return f"{n:032x}"


def records() -> list[bytes]:
    """A stream's first two records: its genesis and a sale."""
    clock = Clock(Stopped.boot_id, 123_456, NOW)
    genesis = Entry(
        id="019cade5-2da0-7a10-8f3e-6b1f00000001",
        key=f"genesis:{STREAM}",
        kind=Kind.GENESIS,
        terminal=TERMINAL,
        business_day="2026-03-02",
        occurred_at=NOW,
        clock=clock,
        genesis=Genesis(STREAM, Lane.BULK, "3f1d7c0a9b2e4f6d", "tilld/0.1.0", 2),
    )
    sale = Entry(
        id="019cade5-2da0-7a10-8f3e-6b1f00000002",
        key="S001-T01-2026-03-02-0042",
        kind=Kind.EARN,
        terminal=TERMINAL,
        business_day="2026-03-02",
        occurred_at=NOW,
        clock=clock,
        points=24,
        card=Card(CARD, "qr", "scanned"),
        receipt=Receipt("0042", "S001", NOW),
        rule="one-per-euro@1",
    )
    return [encode(genesis), encode(sale)]


def header(first: int = 1) -> BatchHeader:
    head = GENESIS_HASH
    for record in records():
        head = chain(head, record)
    return BatchHeader(request(2), STREAM, first, len(records()) - first + 1, head.hex(), GENERATION)


def blocks() -> Iterator[tuple[str, str]]:
    """Name and text of every example, in the page's order."""
    with tempfile.TemporaryDirectory() as folder:
        policy = Policy(programme=PROGRAMME)
        book = SqliteBook(Path(folder) / "books.db", policy=policy, timepiece=Stopped(), signer=Signer(LEDGER_KEY))
        try:
            book.register(CARD, 100)
            book.happen("2990000000024", Happening.REPLACE, "anna", "lost", "2990000000031")
            book.link_phone(CARD, "+33 6 12 34 56 78", "anna")
            yield from _talk(BookLedger(book, TERMINAL))
        finally:
            book.close()


def _talk(ledger: BookLedger) -> Iterator[tuple[str, str]]:
    lines, told = records(), header()
    head = StreamHead(STREAM, Lane.BULK, 2, told.head, 0)
    clock = Clock(Stopped.boot_id, 123_456, NOW)
    hello = Hello(request(1), TERMINAL, public_key(KEY), 1, 2, "tilld/0.1.0", [head], NOW, clock=clock)
    yield "hello", shown(hello)
    yield "welcome", shown(ledger.hello(hello))
    yield "gap", _refusal(lambda: ledger.send(header(first=2), lines[1:]))
    yield "batch", batch_body(told, lines).decode().rstrip()
    path = f"/v1/streams/{STREAM}/records"
    signature = sign(KEY, signing_input("POST", path, batch_body(told, lines)))
    yield "authorization", f"POST {path}\nAuthorization: {authorization(TERMINAL, signature)}"
    yield "custody", shown(ledger.send(told, lines))
    parked = Park(request(3), STREAM, 2, base64.b64encode(lines[1]).decode(), GENERATION)
    yield "park", shown(parked)
    yield "parked", shown(ledger.park(parked))
    yield "decisions", shown(ledger.decisions(request(4), 0, 100))
    wish = AllowanceRequest(request(5), "019cade5-2da0-7a10-8f3e-6b1f00000003", CARD, 50, STREAM)
    yield "allowance", shown(wish)
    yield "granted", shown(ledger.allowance(wish))
    more = AllowanceRequest(request(6), "019cade5-2da0-7a10-8f3e-6b1f00000004", CARD, 500, STREAM)
    yield "refused", shown(ledger.allowance(more))
    yield "changes", shown(ledger.changes(request(8), 0, 100))
    account = ledger.account(request(7), CARD)
    yield "account", shown(account)
    lookup = PhoneLookup(request(9), "+33612345678")
    yield "phone-lookup", shown(lookup)
    yield "phone-found", shown(ledger.phone(lookup))


def _refusal(call: Callable[[], object]) -> str:
    try:
        call()
    except LedgerRefused as refusal:
        return shown(refusal.problem)
    raise AssertionError("the ledger was to refuse this")


def shown(message: object) -> str:
    return msgspec.json.format(msgspec.json.encode(message), indent=2).decode()


if __name__ == "__main__":
    for name, text in blocks():
        print(f"--- {name}\n{text}")
