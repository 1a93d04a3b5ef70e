"""Keeping the books, whatever engine holds their tables.

One transaction per call: hold the stream, check, write records, keys, decisions and the mark, commit - and only then
answer. Work that the engine does again sees everything anew.
"""

import base64
import functools
import logging
from collections.abc import Sequence
from typing import Final

from ledger.books import recovery
from ledger.books.card_office import CardOffice
from ledger.books.claim_office import ClaimOffice
from ledger.books.promises import Promises
from ledger.books.receipts import Signer
from ledger.facts.case import Decision, Item
from ledger.facts.policy import Policy
from ledger.port.problems import refused
from ledger.rules.custody import Fork, Gap, HeadMismatch, Held, went_back
from ledger.rules.instants import Anchor
from ledger.rules.lineage import is_place
from ledger.rules.orders import orders
from ledger.rules.records import WAITS_FOR_UPGRADE, read
from ledger.tables import changes, circumstances
from ledger.tables.declared import Declared
from ledger.tables.engine import Engine, Tables
from ledger.tables.lineage import TablesLineage
from ledger.tables.pen import TablesPen
from ledger.tables.streams import TablesStreams, generation_in
from offline_queue.timepiece import Timepiece, rfc3339
from offline_queue.wire import (
    CHANGES_FROM,
    OLDEST_PROTOCOL,
    PROTOCOL,
    RECEIPTS_FROM,
    BatchAnswer,
    BatchHeader,
    Hello,
    Marks,
    Park,
    StreamHead,
    Welcome,
)
from offline_queue.wire_accounts import Account
from offline_queue.wire_feeds import Changes, Decisions

log = logging.getLogger("tilld.ledger")

NEXT_SYNC_AFTER_S: Final = 30.0
MAX_LOTS: Final = 100
"""Lots that a till is told of, those first that are used first; the balance counts them all."""
MAX_STREAM_NAME: Final = 64
PARKING: Final = Policy()


class Bookkeeping(Promises, CardOffice, ClaimOffice):
    """See port.book.Book. May be used from any thread, and beside other processes on the same tables."""

    def __init__(
        self,
        engine: Engine,
        policy: Policy,
        timepiece: Timepiece,
        *,
        signer: Signer | None = None,
        newest: int = PROTOCOL,
    ) -> None:
        """Speaks protocols up to `newest`. Without a `signer` it gives no receipts."""
        super().__init__(engine, policy, timepiece)
        self._newest, self._signer = newest, signer if newest >= RECEIPTS_FROM else None
        self._drive_again()

    def hello(self, hello: Hello) -> Welcome:
        protocol, now = self._spoken(hello), self._timepiece.unix_ms()
        welcome = self._engine.write(lambda tables: self._greet(tables, hello, protocol, now))
        self.generation = welcome.generation
        return welcome

    def _spoken(self, hello: Hello) -> int:
        """The newest protocol that both speak. Raises Refused `protocol`."""
        protocol = min(hello.protocol_max, self._newest)
        if protocol < max(hello.protocol_min, OLDEST_PROTOCOL):
            ours = f"this ledger {OLDEST_PROTOCOL} to {self._newest}"
            spoken = f"the till speaks {hello.protocol_min} to {hello.protocol_max}, {ours}"
            raise refused("protocol", spoken, request=hello.request, generation=self.generation)
        return protocol

    def _greet(self, tables: Tables, hello: Hello, protocol: int, now: int) -> Welcome:
        generation, declared = self._current(tables), Declared(tables, hello)
        if self._forgetful(tables, hello, generation, declared):
            generation = self._renewed(tables, hello, generation)
        marks = {told.stream: self._marks(declared, hello, told) for told in hello.streams}
        lineage = self._lineage(tables)
        lineage.greet(hello.terminal, declared.unheard(hello.streams))
        if hello.clock is not None:
            clocks = Anchor(hello.clock.monotonic_ms, now)
            circumstances.anchor(tables, hello.terminal, hello.clock.boot_id, clocks)
        tables.change(
            "UPDATE terminal SET seen_at = ?, software = ? WHERE name = ?", now, hello.software, hello.terminal
        )
        return Welcome(
            hello.request,
            protocol,
            generation,
            marks,
            rfc3339(now),
            NEXT_SYNC_AFTER_S,
            ledger_key=self._signer.public_key if self._signer and protocol >= RECEIPTS_FROM else None,
            recovering=self._reported(tables, hello, generation, marks),
            rights=self._confirmed(tables, hello, generation),
            changes=changes.end(tables) if protocol >= CHANGES_FROM else 0,
            orders=orders(lineage.findings(hello.terminal), hello.time, now),
        )

    def take(self, terminal: str, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        if not len(records) == header.count > 0 or header.first < 1:
            raise refused("malformed", "a batch holds as many records as it says, from 1 on", request=header.request)
        head = as_hash(header.head, header.request)

        def keep(tables: Tables) -> BatchAnswer:
            streams = TablesStreams(tables)
            self._same_generation(tables, header)
            place = self._place(streams, terminal, header, header.first, head, records)
            accepted, items = streams.keep(terminal, header.stream, place, records)
            if items:
                mirrored = header.owner is not None
                items = self._lineage(tables).taken(terminal, header.stream, place, items, mirrored=mirrored)
                sheet = self._sheet(tables)
                sheet.judge(items)
                TablesPen(tables).write(sheet)
            return self._answer(streams, terminal, header, place, accepted)

        return self._engine.write(keep)

    def park(self, terminal: str, park: Park) -> BatchAnswer:
        record = _opaque(park)

        def keep(tables: Tables) -> tuple[BatchAnswer, list[Item]]:
            streams = TablesStreams(tables)
            self._same_generation(tables, park)
            place = self._place(streams, terminal, park, park.seq, None, [record])
            accepted, items = streams.keep(terminal, park.stream, place, [record])
            items = self._lineage(tables).taken(terminal, park.stream, place, items)
            sheet = self._sheet(tables)
            sheet.defer(items)
            TablesPen(tables).write(sheet)
            return self._answer(streams, terminal, park, place, accepted), items

        answer, items = self._engine.write(keep)
        self._drive(items)
        return answer

    def decisions(self, terminal: str, request: str, after: int, limit: int) -> Decisions:
        def look(tables: Tables) -> Decisions:
            verdicts, balances, more = self._feed(tables).page(terminal, after, limit)
            last = verdicts[-1].n if verdicts else after
            return Decisions(request, self._current(tables), verdicts, balances, last, more)

        return self._engine.read(look)

    def changes(self, request: str, after: int, limit: int) -> Changes:
        def look(tables: Tables) -> Changes:
            page, more = changes.page(tables, after, limit)
            last = page[-1].n if page else after
            return Changes(request, self._current(tables), page, last, more)

        return self._engine.read(look)

    def account(self, request: str, number: str) -> Account | None:
        def look(tables: Tables) -> Account | None:
            feed = self._feed(tables)
            account = feed.account(number)
            if account is None:
                return None
            balance, lots = feed.balance(account, number), feed.balances.usable_lots(account)
            return Account(request, self._current(tables), balance, lots[:MAX_LOTS])

        return self._engine.read(look)

    def _current(self, tables: Tables) -> str:
        """The generation, which another process on these books may have renewed."""
        return generation_in(tables) or self.generation

    def _same_generation(self, tables: Tables, sent: BatchHeader | Park) -> None:
        """Raises Refused `generation`."""
        self.generation = self._current(tables)
        if sent.generation != self.generation:
            raise refused("generation", request=sent.request, generation=self.generation)

    def _forgetful(self, tables: Tables, hello: Hello, generation: str, declared: Declared) -> bool:
        """Whether the till knows of a time that these books do not: they are a copy of an earlier day.

        It has heard of more records, or of a generation that these books never had. While they recover, they ask every
        till anyway.
        """
        if hello.generation == generation:
            return went_back(hello.streams, declared.mark)
        said = hello.generation
        return said is not None and len(said) <= MAX_STREAM_NAME and recovery.is_news(tables, said)

    def _renewed(self, tables: Tables, hello: Hello, known: str) -> str:
        """Another generation, so that every till declares and sends again what these books have forgotten."""
        held = tables.rows("SELECT value FROM fact WHERE name = 'generation' FOR UPDATE")[0][0]
        if held != known:
            return str(held)
        recovery.remember(tables, known)
        generation = self._timepiece.random(16).hex()
        tables.change("UPDATE fact SET value = ? WHERE name = 'generation'", generation)
        log.warning("%s was told of more than these books hold: they are a copy of an earlier day", hello.terminal)
        return generation

    def _drive_again(self) -> None:
        """Looks again at what an older version could not read."""
        waiting = self._engine.read(lambda tables: self._engine.source(tables).waiting([WAITS_FOR_UPGRADE]))
        self._drive(waiting.get(WAITS_FOR_UPGRADE, []))

    def _drive(self, items: Sequence[Item]) -> None:
        """Decides records in custody, each in a transaction of its own."""
        for item in items:
            if isinstance(read(item.raw), Decision):
                continue
            try:
                self._engine.write(functools.partial(self._drive_one, item))
            except Exception:  # whatever a record provokes, it is in custody and must not stop the others
                log.exception("record %d of stream %s stays parked", item.seq, item.stream)

    def _drive_one(self, item: Item, tables: Tables) -> None:
        sheet = self._sheet(tables)
        sheet.drive([item])
        TablesPen(tables).write(sheet)

    def _lineage(self, tables: Tables) -> TablesLineage:
        return TablesLineage(tables, self._timepiece.unix_ms())

    def _marks(self, declared: Declared, hello: Hello, told: StreamHead) -> Marks:
        head = as_hash(told.hash, hello.request)
        if not is_place(told.parent):
            raise refused("malformed", "a stream follows a record that no stream can have", request=hello.request)
        return declared.marks(told, head, stable_on_commit=self._policy.stable_on_commit)

    def _stable(self, streams: TablesStreams, terminal: str, stream: str, accepted: int) -> int:
        """What a till may give up: a backup covers it, or its commit was on a replica too."""
        return accepted if self._policy.stable_on_commit else streams.stable(terminal, stream)

    def _answer(
        self, streams: TablesStreams, terminal: str, sent: BatchHeader | Park, place: Held | Fork, accepted: int
    ) -> BatchAnswer:
        """What is held when this transaction has been committed, signed for."""
        stable = self._stable(streams, terminal, sent.stream, accepted)
        receipt = None
        if self._signer is not None:
            head = place.hashes[-1] if place.known < len(place.hashes) else place.branch.head
            now = rfc3339(self._timepiece.unix_ms())
            receipt = self._signer.custody(terminal, sent.stream, accepted, head, now)
        return BatchAnswer(sent.request, sent.stream, sent.generation, accepted, stable, receipt)

    def _place(
        self,
        streams: TablesStreams,
        terminal: str,
        sent: BatchHeader | Park,
        first: int,
        head: bytes | None,
        records: Sequence[bytes],
    ) -> Held | Fork:
        """Raises Refused `gap` or `malformed`."""
        if not 0 < len(sent.stream) <= MAX_STREAM_NAME:
            raise refused("malformed", f"a stream's name has 1 to {MAX_STREAM_NAME} characters", request=sent.request)
        place = streams.place(terminal, sent.stream, first, head, records)
        if isinstance(place, Gap):
            raise refused("gap", request=sent.request, generation=self.generation, expected=place.expected)
        if isinstance(place, HeadMismatch):
            raise refused("malformed", "the records do not lead to the declared head", request=sent.request)
        return place


def as_hash(text: str, request: str) -> bytes:
    """32 bytes from hex. Raises Refused `malformed`."""
    try:
        digest = bytes.fromhex(text)
    except ValueError:
        digest = b""
    if len(digest) != 32:
        raise refused("malformed", "a hash is 64 hexadecimal digits", request=request)
    return digest


def _opaque(park: Park) -> bytes:
    """The record's bytes. Raises Refused `malformed`."""
    try:
        record = base64.b64decode(park.record, validate=True)
    except ValueError as error:
        raise refused("malformed", f"record is not base64: {error}", request=park.request) from error
    if park.seq < 1 or not record:
        raise refused("malformed", "a parked record has a seq from 1 and at least one byte", request=park.request)
    return record
