"""What the rules ask of the books where others write at the same time: what an answer rests on is held till the end.

Rows are held in sorted order within a table, and tables in the order of source.Source, so that batches queue for each
other and do not block each other. Something that is not there yet is held by a row that says so: a card without an
account, an entry without a record.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ledger.facts.cards import Listing
from ledger.facts.case import First, Original
from ledger.facts.codes import Code
from ledger.postgres.tables import PostgresTables
from ledger.rules.records import KEYLESS, bounded
from ledger.sheet.source import Asked, Asking
from ledger.tables import circumstances
from ledger.tables.hashes import long_hash
from ledger.tables.source import CARDS, FIRSTS, NOBODY, TablesSource, firsts, listings
from offline_queue.entry import State

NOT_HERE: Final = 0
"""The record of an entry that has not come, for which a reversal waits."""
SAMPLE: Final = 8
"""Keys of a batch that are looked for before it is taken to be new."""

AWAITED: Final = "SELECT 1 FROM waiting WHERE reason >= 'entry:' AND reason < 'entry;' ORDER BY reason LIMIT 1"
"""Whether any record waits for an entry (see records.waits_for_entry)."""

HOLDERS: Final = f"""
    SELECT asks.record AS asking, f.record, NULLIF(f.bytes, own.bytes) AS bytes, f.state, f.code
    FROM unnest(?::bytea[], ?::bigint[]) AS asks (hash, record)
    JOIN record own ON own.no = asks.record JOIN ({FIRSTS}) AS f ON f.hash = asks.hash"""  # noqa: S608 - our own
"""FIRSTS for records that ask for keys: without the bytes where they are those of the asking record."""


class PostgresSource(TablesSource):
    """See source.Source."""

    keeps_names = True

    def __init__(self, tables: PostgresTables) -> None:
        super().__init__(tables)
        self._shared = tables
        self._known: set[str] = set()
        """Ids that have their place in `entry`, for another record that says the very same has its key."""
        self._places: set[str] = set()
        """Ids for which this batch has made a place."""
        self._new = False
        """Whether what was claimed last is taken to be new, and the ids with it."""

    def receipts(self, names: Mapping[str, int]) -> dict[str, int]:
        """Who comes second waits until the first has committed."""
        rows = circumstances.receipt_rows(names)
        if self._shared.insert_new("receipt", rows)() == len(rows):
            return {}
        return circumstances.receipts(self._tables, names)

    @staticmethod
    def key_hash(key: str) -> int | bytes:
        return long_hash(key)

    def claim(self, keys: Mapping[str, int], asking: Asking = NOBODY) -> Asked[dict[str, First]]:
        """Who comes second waits until the first has committed, and then finds its decision."""
        rows = sorted((long_hash(key), record) for key, record in keys.items())
        self._new = self._seem_new(rows)
        if self._new:
            self._tables.insert("claim", rows)
            return dict  # nobody has any of them
        new = self._shared.insert_new("claim", rows)

        def held() -> dict[str, First]:
            if new() == len(rows):
                return {}
            if not asking:
                return self._still(firsts(keys, self._tables.rows(FIRSTS, [hash_ for hash_, _ in rows])))
            return self._still(self._held(keys, list(map(long_hash, keys)), asking))

        return held

    def _still(self, found: dict[str, First]) -> dict[str, First]:
        """Who waits goes on waiting until this batch has said what waits with it; what others have decided since."""
        parked = {key: first.record for key, first in found.items() if first.state is State.PARKED}
        if not parked:
            return found
        query = "SELECT record FROM waiting WHERE record = ANY(?) ORDER BY record FOR UPDATE"
        waiting = {record for (record,) in self._tables.rows(query, sorted(parked.values()))}
        decided = [key for key, record in parked.items() if record not in waiting]
        if not decided:
            return found
        return found | firsts(decided, self._tables.rows(FIRSTS, list(map(long_hash, decided))))

    def _seem_new(self, rows: Sequence[tuple[bytes, int]]) -> bool:
        """Keys that come again come by the stretch: a few of them tell of all.

        What is taken to be new is written in two thirds of the time, and nobody waits for how much of it was. Where
        that was wrong the work fails, and is done again without taking anything for granted.
        """
        few = [hash_ for hash_, _ in rows[:: 1 + len(rows) // SAMPLE]]
        return not self._shared.again and not self._tables.rows("SELECT 1 FROM claim WHERE hash = ANY(?) LIMIT 1", few)

    def _held(self, keys: Mapping[str, int], hashes: Sequence[bytes], asking: Asking) -> dict[str, First]:
        """As FIRSTS tells; most who ask again ask with the same bytes, which then need not travel."""
        key_of = {record: key for key, record in keys.items()}
        columns = "asking, record, encode(bytes, 'hex'), state, code"
        rows = self._shared.many(columns, HOLDERS, hashes, list(keys.values()), hashes)()
        same = {key_of[asks]: tuple(row) for asks, *row in rows if row[1] is None}
        others = [(record, bytes.fromhex(raw), state, code) for _, record, raw, state, code in rows if raw is not None]
        equal = {
            key: First(record, asking[key][1], State(told), Code(code)) for key, (record, _, told, code) in same.items()
        }
        known = [f for key, f in equal.items() if f.record != keys[key] and f.entry.claim is None]
        self._known |= {f.entry.id for f in known if f.code not in KEYLESS}
        return firsts(keys, others) | equal

    def announce(self, entries: Mapping[str, int]) -> Asked[list[str]]:
        """Where all are new nobody waits: a record that waits for an entry has left a row in its place."""
        names = {bounded(entry): record for entry, record in entries.items() if entry not in self._known}
        if self._new and self._places.isdisjoint(names):
            self._tables.insert("entry", sorted(names.items()))
            return list  # nobody waits for any of them
        asked = self._shared.insert_new("entry", sorted(names.items())) if names else None

        def awaited() -> list[str]:
            new = asked() if asked else 0
            if new < len(names):
                self._take_places(names)
            return list(entries) if new < len(entries) and self._tables.rows(AWAITED) else []

        return awaited

    def _make_places(self, names: Iterable[str]) -> None:
        """For entries that may not have come."""
        self._shared.insert_new("entry", [(name, NOT_HERE) for name in sorted(names)])
        self._places |= set(names)

    def _take_places(self, names: Mapping[str, int]) -> None:
        """Of entries that have not come until now."""
        own = min(names.values()), max(names.values())
        query = """
            SELECT id, record FROM entry WHERE id = ANY(?) AND (record = ? OR record BETWEEN ? AND ?)
            ORDER BY id FOR UPDATE"""
        for name, record in self._tables.rows(query, list(names), NOT_HERE, *own):
            if record == NOT_HERE:
                self._tables.change("UPDATE entry SET record = ? WHERE id = ?", names[name], name)

    def take_back(self, entries: Mapping[str, int]) -> None:
        """Their places stay, empty: somebody may wait there, and the entry may come another way."""
        names = {bounded(entry): record for entry, record in entries.items()}
        query = "UPDATE entry SET record = ? WHERE id = ANY(?) AND record = ANY(?)"
        self._tables.change(query, NOT_HERE, list(names), list(names.values()))

    def expect(self, numbers: Sequence[str]) -> dict[str, Listing]:
        self._shared.insert_new("card", [(number, None, None, None, None) for number in sorted(numbers)])
        return listings(self._tables.rows(f"{CARDS} ORDER BY number FOR UPDATE", numbers))

    def homes(self, entries: Sequence[str]) -> dict[str, int]:
        if not entries:
            return {}
        names = {bounded(entry): entry for entry in entries}
        self._make_places(names)
        query = "SELECT record, id FROM entry WHERE id = ANY(?) ORDER BY id FOR UPDATE"
        entry_of = {record: names[name] for record, name in self._tables.rows(query, list(names)) if record}
        query = "SELECT record, account FROM posting WHERE record = ANY(?)"
        return {entry_of[record]: account for record, account in self._tables.rows(query, list(entry_of))}

    def named(self, names: Sequence[str]) -> dict[str, int]:
        """Who waits for something is held too: nobody decides it before this batch has."""
        name_of = {bounded(name): name for name in names}
        self._make_places(name_of)
        query = "SELECT id, record FROM entry WHERE id = ANY(?) ORDER BY id FOR UPDATE"
        found = {name_of[name]: record for name, record in self._tables.rows(query, list(name_of)) if record}
        query = "SELECT record FROM waiting WHERE record = ANY(?) ORDER BY record FOR UPDATE"
        self._tables.rows(query, list(found.values()))
        return found

    def originals(self, entries: Sequence[str]) -> dict[str, Original]:
        names = [bounded(entry) for entry in entries]
        rows = self._tables.rows("SELECT record FROM entry WHERE id = ANY(?) AND record <> ?", names, NOT_HERE)
        return self._originals("p.record = ANY(?)", [record for (record,) in rows])
