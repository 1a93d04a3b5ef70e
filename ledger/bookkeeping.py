"""Keeping the books, whatever engine holds their tables.

One transaction per call: hold the stream, check, write records, keys, decisions and the mark, commit - and only then
answer. Work that the engine does again sees everything anew.
"""

import base64
import functools
import logging
from collections.abc import Sequence
from typing import Final

from ledger import tables_audit, tables_office
from ledger.book import MAX_NUMBER, WAITS_FOR_UPGRADE, plausible, read
from ledger.custody import Fork, Gap, HeadMismatch, Held, marks_for, went_back
from ledger.facts import Decision, Policy, Right, RightState
from ledger.port import Flagged, Registration, Statement, Terminal, Verification
from ledger.problems import refused
from ledger.rights import MAX_ALLOWANCE_NAME, same_request
from ledger.sheet import Sheet
from ledger.source import Item
from ledger.tables import Engine, Tables
from ledger.tables_feed import TablesFeed
from ledger.tables_pen import TablesPen
from ledger.tables_streams import TablesStreams
from offline_queue.entry import MAX_POINTS, Card, Clock, Entry, Kind, encode, uuid7
from offline_queue.timepiece import Timepiece, rfc3339
from offline_queue.wire import (
    PROTOCOL,
    Account,
    AllowanceAnswer,
    AllowanceRequest,
    BatchAnswer,
    BatchHeader,
    Decisions,
    Hello,
    Marks,
    Park,
    StreamHead,
    Welcome,
)

log = logging.getLogger("tilld.ledger")

OFFICE: Final = "ledger"
"""The terminal under whose name the office's own entries stand; its key is empty, so nobody can sign for it."""
NEXT_SYNC_AFTER_S: Final = 30.0
MAX_LOTS: Final = 100
"""Lots that a till is told of, those first that are used first; the balance counts them all."""
MAX_STREAM_NAME: Final = 64
PARKING: Final = Policy()


class Bookkeeping:
    """See port.Book. May be used from any thread, and beside other processes on the same tables."""

    def __init__(self, engine: Engine, policy: Policy, timepiece: Timepiece) -> None:
        self._engine, self._policy, self._timepiece = engine, policy, timepiece
        self.clerks = engine.clerks
        self.generation = engine.read(_generation) or engine.write(self._named)
        self._drive_again()

    def hello(self, hello: Hello) -> Welcome:
        if not hello.protocol_min <= PROTOCOL <= hello.protocol_max:
            spoken = f"the till speaks {hello.protocol_min} to {hello.protocol_max}, this ledger {PROTOCOL}"
            raise refused("protocol", spoken, request=hello.request, generation=self.generation)
        now = self._timepiece.unix_ms()

        def greet(tables: Tables) -> Welcome:
            streams = TablesStreams(tables)
            tables.change(
                "UPDATE terminal SET seen_at = ?, software = ? WHERE name = ?", now, hello.software, hello.terminal
            )
            generation = self._current(tables)
            if hello.generation == generation and went_back(hello.streams, streams.mark):
                generation = self._renewed(tables, hello)
            marks = {told.stream: _marks(streams, hello, told) for told in hello.streams}
            return Welcome(hello.request, PROTOCOL, generation, marks, rfc3339(now), NEXT_SYNC_AFTER_S)

        welcome = self._engine.write(greet)
        self.generation = welcome.generation
        return welcome

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
                sheet = self._sheet(tables)
                sheet.judge(items)
                TablesPen(tables).write(sheet)
            stable = streams.stable(terminal, header.stream)
            return BatchAnswer(header.request, header.stream, header.generation, accepted, stable)

        return self._engine.write(keep)

    def park(self, terminal: str, park: Park) -> BatchAnswer:
        record = _opaque(park)

        def keep(tables: Tables) -> tuple[BatchAnswer, list[Item]]:
            streams = TablesStreams(tables)
            self._same_generation(tables, park)
            place = self._place(streams, terminal, park, park.seq, None, [record])
            accepted, items = streams.keep(terminal, park.stream, place, [record])
            sheet = self._sheet(tables)
            sheet.defer(items)
            TablesPen(tables).write(sheet)
            stable = streams.stable(terminal, park.stream)
            return BatchAnswer(park.request, park.stream, park.generation, accepted, stable), items

        answer, items = self._engine.write(keep)
        self._drive(items)
        return answer

    def allowance(self, terminal: str, request: AllowanceRequest) -> AllowanceAnswer:
        if not 0 < request.points <= MAX_POINTS or not 0 < len(request.id) <= MAX_ALLOWANCE_NAME:
            told = f"points must be 1 to {MAX_POINTS}, an id has 1 to {MAX_ALLOWANCE_NAME} characters"
            raise refused("malformed", told, request=request.request)
        asked = Right(request.id, terminal, request.stream, request.card, request.points, None, RightState.REFUSED)

        def promise(tables: Tables) -> AllowanceAnswer:
            forked = len(TablesStreams(tables).branches(terminal, request.stream, hold=True)) > 1
            sheet = self._sheet(tables)
            right = sheet.rights.get(request.id) or sheet.reserve(asked, forked=forked)
            if not same_request(right, asked):
                raise refused("key_mismatch", request=request.request, generation=self.generation)
            TablesPen(tables).write(sheet)
            balance = None if right.account is None else self._feed(tables).balance(right.account, request.card)
            return AllowanceAnswer(request.request, request.id, right.code is None, right.code, balance)

        return self._engine.write(promise)

    def decisions(self, terminal: str, request: str, after: int, limit: int) -> Decisions:
        def look(tables: Tables) -> Decisions:
            verdicts, balances, more = self._feed(tables).page(terminal, after, limit)
            last = verdicts[-1].n if verdicts else after
            return Decisions(request, self._current(tables), verdicts, balances, last, more)

        return self._engine.read(look)

    def account(self, request: str, number: str) -> Account | None:
        def look(tables: Tables) -> Account | None:
            feed = self._feed(tables)
            account = feed.account(number)
            if account is None:
                return None
            lots = [lot for lot in feed.lots(account) if lot.remaining > 0]
            return Account(request, self._current(tables), feed.balance(account, number), lots[:MAX_LOTS])

        return self._engine.read(look)

    def public_key(self, terminal: str) -> bytes | None:
        return self._engine.read(lambda tables: _key(tables, terminal))

    def terminal_keys(self, terminal: str) -> list[bytes]:
        return self._engine.read(lambda tables: tables_office.terminal_keys(tables, [terminal]).get(terminal, []))

    def enrol(self, terminal: str, public_key: bytes, *, replace: bool = False) -> bool:
        def let_in(tables: Tables) -> bool:
            known = _key(tables, terminal, hold=True)
            if known is None:
                tables.change(
                    "INSERT INTO terminal (name, public_key, enrolled_at) VALUES (?, ?, ?)",
                    *(terminal, public_key, self._timepiece.unix_ms()),
                )
            elif known != public_key:
                if not replace or terminal == OFFICE:
                    return False
                tables.change("UPDATE terminal SET public_key = ? WHERE name = ?", public_key, terminal)
            key = (terminal, public_key, self._timepiece.unix_ms(), None)
            tables.insert("terminal_key", [key], "ON CONFLICT (terminal, public_key) DO NOTHING")
            return True

        return self._engine.write(let_in)

    def register(self, number: str, points: int = 0) -> Registration:
        if not plausible(number) or not 0 <= points <= MAX_POINTS:
            raise refused("malformed", f"1 to {MAX_NUMBER} printable characters and 0 to {MAX_POINTS} points")

        def open_account(tables: Tables) -> Registration:
            sheet = self._sheet(tables)
            opened = sheet.register(number)
            given = self._give(number, points, sheet, TablesStreams(tables)) if points else None
            TablesPen(tables).write(sheet)
            if given is None:
                return Registration(number, opened, 0, None, None)
            return Registration(number, opened, given.effect, given.code, given.detail)

        return self._engine.write(open_account)

    def statement(self, number: str) -> Statement | None:
        return self._engine.read(lambda tables: tables_office.statement(tables, number, self._feed(tables)))

    def terminals(self) -> list[Terminal]:
        return self._engine.read(tables_office.terminals)

    def flagged(self) -> list[Flagged]:
        return self._engine.read(tables_office.flagged)

    def verify(self) -> Verification:
        return self._engine.read(tables_audit.verify)

    def close(self) -> None:
        self._engine.close()

    def _named(self, tables: Tables) -> str:
        """New books get their generation, and the office its terminal, from whoever comes first."""
        generation = self._timepiece.random(16).hex()
        tables.insert("fact", [("generation", generation)], "ON CONFLICT (name) DO NOTHING")
        tables.change(
            "INSERT INTO terminal (name, public_key, enrolled_at) VALUES (?, ?, ?) ON CONFLICT (name) DO NOTHING",
            *(OFFICE, b"", self._timepiece.unix_ms()),
        )
        return _generation(tables) or generation

    def _current(self, tables: Tables) -> str:
        """The generation, which another process on these books may have renewed."""
        return _generation(tables) or self.generation

    def _same_generation(self, tables: Tables, sent: BatchHeader | Park) -> None:
        """Raises Refused `generation`."""
        self.generation = self._current(tables)
        if sent.generation != self.generation:
            raise refused("generation", request=sent.request, generation=self.generation)

    def _renewed(self, tables: Tables, hello: Hello) -> str:
        """Another generation, so that every till declares and sends again what these books have forgotten."""
        held = tables.rows("SELECT value FROM fact WHERE name = 'generation' FOR UPDATE")[0][0]
        if held != hello.generation:
            return str(held)
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

    def _sheet(self, tables: Tables) -> Sheet:
        return Sheet(self._engine.source(tables), self._policy, self._timepiece.unix_ms())

    def _feed(self, tables: Tables) -> TablesFeed:
        return TablesFeed(tables, self._timepiece.unix_ms())

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

    def _give(self, number: str, points: int, sheet: Sheet, streams: TablesStreams) -> Decision:
        """The office's own entry: opening points, once per card because its key names the card."""
        now = self._timepiece.unix_ms()
        entry = Entry(
            id=uuid7(now, self._timepiece.random(10)),
            key=f"opening:{number}",
            kind=Kind.EARN,
            terminal=OFFICE,
            business_day=rfc3339(now)[:10],
            occurred_at=rfc3339(now),
            clock=Clock(self._timepiece.boot_id, self._timepiece.boottime_ms(), rfc3339(now)),
            points=points,
            card=Card(number),
            rule="opening@1",
        )
        uid, record = f"office-{self.generation}", encode(entry)
        _, items = streams.keep(OFFICE, uid, streams.end(OFFICE, uid, record), [record])
        sheet.judge(items)
        return next(ruling.decision for ruling in reversed(sheet.rulings) if ruling.item == items[0])


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


def _generation(tables: Tables) -> str | None:
    rows = tables.rows("SELECT value FROM fact WHERE name = 'generation'")
    return rows[0][0] if rows else None


def _key(tables: Tables, terminal: str, *, hold: bool = False) -> bytes | None:
    query = "SELECT public_key FROM terminal WHERE name = ?"
    rows = tables.rows(f"{query} FOR UPDATE" if hold else query, terminal)
    return bytes(rows[0][0]) if rows else None


def _marks(streams: TablesStreams, hello: Hello, told: StreamHead) -> Marks:
    head = as_hash(told.hash, hello.request)
    branches = streams.branches(hello.terminal, told.stream)
    accepted = marks_for(branches, told.seq, head, told.accepted, streams.hashes)
    return Marks(accepted, streams.stable(hello.terminal, told.stream))
