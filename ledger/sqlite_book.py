"""The books on an embedded SQLite file.

One transaction per call: lock, check, write records, keys, decisions and the mark, commit - and only then answer.
"""

import base64
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from ledger import sqlite_audit, sqlite_office
from ledger.book import MAX_NUMBER, WAITS_FOR_UPGRADE, plausible, read
from ledger.custody import Fork, Gap, HeadMismatch, Held, marks_for, went_back
from ledger.facts import Decision, Policy, Right, RightState
from ledger.port import Flagged, Registration, Statement, Terminal, Verification
from ledger.problems import refused
from ledger.rights import same_request
from ledger.sheet import Sheet
from ledger.source import Item
from ledger.sqlite_feed import SqliteFeed
from ledger.sqlite_file import SqliteFile
from ledger.sqlite_pen import SqlitePen
from ledger.sqlite_source import SqliteSource
from ledger.sqlite_streams import SqliteStreams
from offline_queue.entry import MAX_POINTS, Card, Clock, Entry, Kind, encode, uuid7
from offline_queue.timepiece import SystemTimepiece, Timepiece, rfc3339
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


class SqliteBook:
    """See port.Book. May be used from any thread, and beside other processes on the same file."""

    def __init__(self, path: Path, *, policy: Policy = PARKING, timepiece: Timepiece | None = None) -> None:
        """Makes the books where there are none. Raises BooksUnusable."""
        self._policy, self._timepiece = policy, timepiece or SystemTimepiece()
        self._file = SqliteFile(path)
        self._connection = self._file.connection
        self._source, self._pen = SqliteSource(self._connection), SqlitePen(self._connection)
        self._streams = SqliteStreams(self._connection)
        self.generation = self._named()
        self._drive_again()

    def hello(self, hello: Hello) -> Welcome:
        if not hello.protocol_min <= PROTOCOL <= hello.protocol_max:
            spoken = f"the till speaks {hello.protocol_min} to {hello.protocol_max}, this ledger {PROTOCOL}"
            raise refused("protocol", spoken, request=hello.request, generation=self.generation)
        now, generation = self._timepiece.unix_ms(), self.generation
        with self._file.writing():
            self._connection.execute(
                "UPDATE terminal SET seen_at = ?, software = ? WHERE name = ?", (now, hello.software, hello.terminal)
            )
            if hello.generation == generation and went_back(hello.streams, self._streams.mark):
                generation = self._renewed(hello.terminal)
            marks = {told.stream: self._marks(hello, told) for told in hello.streams}
        self.generation = generation
        return Welcome(hello.request, PROTOCOL, generation, marks, rfc3339(now), NEXT_SYNC_AFTER_S)

    def take(self, terminal: str, header: BatchHeader, records: Sequence[bytes]) -> BatchAnswer:
        if not len(records) == header.count > 0 or header.first < 1:
            raise refused("malformed", "a batch holds as many records as it says, from 1 on", request=header.request)
        head = as_hash(header.head, header.request)
        with self._file.writing():
            place = self._place(terminal, header, header.first, head, records)
            accepted, items = self._streams.keep(terminal, header.stream, place, records)
            sheet = self._sheet()
            sheet.judge(items)
            self._pen.write(sheet)
            stable = self._streams.stable(terminal, header.stream)
        return BatchAnswer(header.request, header.stream, self.generation, accepted, stable)

    def park(self, terminal: str, park: Park) -> BatchAnswer:
        record = _opaque(park)
        with self._file.writing():
            place = self._place(terminal, park, park.seq, None, [record])
            accepted, items = self._streams.keep(terminal, park.stream, place, [record])
            sheet = self._sheet()
            sheet.defer(items)
            self._pen.write(sheet)
            stable = self._streams.stable(terminal, park.stream)
        self._drive(items)
        return BatchAnswer(park.request, park.stream, self.generation, accepted, stable)

    def allowance(self, terminal: str, request: AllowanceRequest) -> AllowanceAnswer:
        if not 0 < request.points <= MAX_POINTS:
            raise refused("malformed", f"points must be 1 to {MAX_POINTS}", request=request.request)
        asked = Right(request.id, terminal, request.stream, request.card, request.points, None, RightState.REFUSED)
        with self._file.writing():
            sheet = self._sheet()
            right = sheet.rights.get(request.id) or sheet.reserve(asked, forked=self._forked(terminal, request.stream))
            if not same_request(right, asked):
                raise refused("key_mismatch", request=request.request, generation=self.generation)
            self._pen.write(sheet)
            balance = None if right.account is None else self._feed().balance(right.account, request.card)
        return AllowanceAnswer(request.request, request.id, right.code is None, right.code, balance)

    def decisions(self, terminal: str, request: str, after: int, limit: int) -> Decisions:
        with self._file.reading():
            verdicts, balances, more = self._feed().page(terminal, after, limit)
        last = verdicts[-1].n if verdicts else after
        return Decisions(request, self.generation, verdicts, balances, last, more)

    def account(self, request: str, number: str) -> Account | None:
        with self._file.reading():
            feed = self._feed()
            account = feed.account(number)
            if account is None:
                return None
            lots = [lot for lot in feed.lots(account) if lot.remaining > 0]
            return Account(request, self.generation, feed.balance(account, number), lots[:MAX_LOTS])

    def public_key(self, terminal: str) -> bytes | None:
        with self._file.reading():
            return self._key(terminal)

    def enrol(self, terminal: str, public_key: bytes, *, replace: bool = False) -> bool:
        with self._file.writing():
            known = self._key(terminal)
            if known is not None and known != public_key and (not replace or terminal == OFFICE):
                return False
            self._connection.execute(
                "INSERT INTO terminal (name, public_key, enrolled_at) VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET public_key = excluded.public_key",
                (terminal, public_key, self._timepiece.unix_ms()),
            )
        return True

    def register(self, number: str, points: int = 0) -> Registration:
        if not plausible(number) or not 0 <= points <= MAX_POINTS:
            raise refused("malformed", f"1 to {MAX_NUMBER} printable characters and 0 to {MAX_POINTS} points")
        with self._file.writing():
            sheet = self._sheet()
            opened = sheet.cards.get(number) is None
            sheet.register(number)
            given = self._give(number, points, sheet) if points else None
            self._pen.write(sheet)
        if given is None:
            return Registration(number, opened, 0, None, None)
        return Registration(number, opened, given.effect, given.code, given.detail)

    def statement(self, number: str) -> Statement | None:
        with self._file.reading():
            return sqlite_office.statement(self._connection, number, self._feed())

    def terminals(self) -> list[Terminal]:
        with self._file.reading():
            return sqlite_office.terminals(self._connection)

    def flagged(self) -> list[Flagged]:
        with self._file.reading():
            return sqlite_office.flagged(self._connection)

    def verify(self) -> Verification:
        with self._file.reading():
            return sqlite_audit.verify(self._connection)

    def close(self) -> None:
        self._file.close()

    def _named(self) -> str:
        """The generation of these books; new ones get theirs, and the office its terminal."""
        with self._file.writing():
            row = self._connection.execute("SELECT value FROM fact WHERE name = 'generation'").fetchone()
            if row is not None:
                return str(row[0])
            generation = self._timepiece.random(16).hex()
            self._connection.execute("INSERT INTO fact VALUES ('generation', ?)", (generation,))
            self._connection.execute(
                "INSERT INTO terminal (name, public_key, enrolled_at) VALUES (?, x'', ?)",
                (OFFICE, self._timepiece.unix_ms()),
            )
            return generation

    def _renewed(self, terminal: str) -> str:
        """Another generation, so that every till declares and sends again what these books have forgotten."""
        generation = self._timepiece.random(16).hex()
        self._connection.execute("UPDATE fact SET value = ? WHERE name = 'generation'", (generation,))
        log.warning("%s was told of more than these books hold: they are a copy of an earlier day", terminal)
        return generation

    def _drive_again(self) -> None:
        """Looks again at what an older version could not read."""
        with self._file.reading():
            unread = self._source.waiting([WAITS_FOR_UPGRADE]).get(WAITS_FOR_UPGRADE, [])
        self._drive(unread)

    def _drive(self, items: Sequence[Item]) -> None:
        """Decides records in custody, each in a transaction of its own."""
        for item in items:
            if isinstance(read(item.raw), Decision):
                continue
            try:
                with self._file.writing():
                    sheet = self._sheet()
                    sheet.drive([item])
                    self._pen.write(sheet)
            except Exception:  # whatever a record provokes, it is in custody and must not stop the others
                log.exception("record %d of stream %s stays parked", item.seq, item.stream)

    def _sheet(self) -> Sheet:
        return Sheet(SqliteSource(self._connection), self._policy, self._timepiece.unix_ms())

    def _feed(self) -> SqliteFeed:
        return SqliteFeed(self._connection, self._timepiece.unix_ms())

    def _key(self, terminal: str) -> bytes | None:
        row = self._connection.execute("SELECT public_key FROM terminal WHERE name = ?", (terminal,)).fetchone()
        return None if row is None else bytes(row[0])

    def _forked(self, terminal: str, uid: str) -> bool:
        return len(self._streams.branches(terminal, uid)) > 1

    def _marks(self, hello: Hello, told: StreamHead) -> Marks:
        branches = self._streams.branches(hello.terminal, told.stream)
        head = as_hash(told.hash, hello.request)
        accepted = marks_for(branches, told.seq, head, told.accepted, self._streams.hashes)
        return Marks(accepted, self._streams.stable(hello.terminal, told.stream))

    def _place(
        self, terminal: str, sent: BatchHeader | Park, first: int, head: bytes | None, records: Sequence[bytes]
    ) -> Held | Fork:
        """Raises Refused `generation`, `gap` or `malformed`."""
        if not 0 < len(sent.stream) <= MAX_STREAM_NAME:
            raise refused("malformed", f"a stream's name has 1 to {MAX_STREAM_NAME} characters", request=sent.request)
        if sent.generation != self.generation:
            raise refused("generation", request=sent.request, generation=self.generation)
        place = self._streams.place(terminal, sent.stream, first, head, records)
        if isinstance(place, Gap):
            raise refused("gap", request=sent.request, generation=self.generation, expected=place.expected)
        if isinstance(place, HeadMismatch):
            raise refused("malformed", "the records do not lead to the declared head", request=sent.request)
        return place

    def _give(self, number: str, points: int, sheet: Sheet) -> Decision:
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
        _, items = self._streams.keep(OFFICE, uid, self._streams.end(OFFICE, uid, record), [record])
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
