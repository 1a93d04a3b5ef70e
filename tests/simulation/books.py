"""The ledger's tables as a stranger reads them: past the product's own sums, from the records themselves."""

from collections import defaultdict
from dataclasses import dataclass, field

from offline_queue.entry import Entry, Kind, Undecodable, decode
from tests.simulation.office import Office
from tests.simulation.truth import effect_key

SEQ_BITS = 40
_DECISIONS = "SELECT record, count, state, code, detail FROM decision ORDER BY n"
KEYED = frozenset({Kind.EARN, Kind.REDEEM, Kind.REVERSE, Kind.CLAIM})


@dataclass(frozen=True)
class Branch:
    """A stream as held: the hashes of its own records by seq, from `base` + 1 to `mark`."""

    terminal: str
    uid: str
    base: int
    mark: int
    head: bytes
    grown_from: int | None


@dataclass
class Books:
    """By record number: the `entries`, the last `verdicts` (state, code) on them and all
    `reasons` for those, and the points `posted` for them."""

    entries: dict[int, Entry] = field(default_factory=dict)
    verdicts: dict[int, tuple[str, str]] = field(default_factory=dict)
    reasons: dict[int, list[str]] = field(default_factory=dict)
    posted: dict[int, int] = field(default_factory=dict)
    spoken_of: set[int] = field(default_factory=set)
    records_of: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    effects_of: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    branches: dict[int, Branch] = field(default_factory=dict)
    raw: dict[int, tuple[bytes, bytes]] = field(default_factory=dict)

    def detail(self, record: int) -> str:
        """For people: the verdicts on all entries of the same effect."""
        key = effect_key(self.entries[record].key)
        same = [no for no, entry in self.entries.items() if effect_key(entry.key) == key]
        return str([(no, self.entries[no].kind, self.verdicts.get(no), self.posted.get(no)) for no in same])


def read(office: Office) -> Books:
    books = Books()
    for no, *columns in office.rows("SELECT no, terminal, uid, base, mark, head, grown_from FROM stream"):
        books.branches[no] = Branch(*columns)
    for no, raw, digest in office.rows("SELECT no, bytes, hash FROM record ORDER BY no"):
        books.raw[no] = raw, digest
        try:
            entry = books.entries[no] = decode(raw)
        except Undecodable:
            continue
        books.records_of[entry.id].append(no)
    for record, points in office.rows("SELECT record, points FROM posting"):
        books.posted[record] = points
    books.spoken_of = {corrects for (corrects,) in office.rows("SELECT corrects FROM correction")}
    for record, points in books.posted.items():
        entry = books.entries[record]
        if points and entry.kind in KEYED:
            books.effects_of[effect_key(entry.key)].append(record)
    for first, count, state, code, detail in office.rows(_DECISIONS):
        for record in range(first, first + count):
            books.verdicts[record] = state, code
            # Several reasons are named first in the detail, as `code, code: words`.
            books.reasons[record] = (detail or "").partition(":")[0].split(", ")
    return books
