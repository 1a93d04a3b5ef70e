"""What the ledger says of the records, and what the till then says of its entries."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from offline_queue.entry import Entry, Kind, Lane, State
from offline_queue.journal import Totals
from offline_queue.journal_reader import JournalReader
from offline_queue.receipts import Receipt
from offline_queue.store import Store
from offline_queue.wire import Custody, Marks
from tests.offline_queue.sales import open_store, put, sale, verdict


@pytest.fixture
def bulk(store: Store) -> str:
    return store.stream(Lane.BULK)


@pytest.fixture
def entries(store: Store) -> list[Entry]:
    """Ten earns: seq 2 to 11 of the bulk stream."""
    sold = [sale() for _ in range(10)]
    for entry in sold:
        put(store, entry)
    return sold


def states(reader: JournalReader, entries: list[Entry]) -> str:
    """One letter for each entry: Queued, Accepted, pOsted, Parked, Conflict, Resolved."""
    letters = {"queued": "q", "accepted": "a", "posted": "o", "parked": "p", "conflict": "c", "resolved": "r"}
    found = [reader.find_id(entry.id) for entry in entries]
    return "".join(letters[one.state] for one in found if one is not None)


def test_custody_follows_the_mark(store: Store, reader: JournalReader, bulk: str, entries: list[Entry]) -> None:
    """What the ledger holds is accepted, what is behind its mark waits."""
    store.mark({bulk: Marks(5, 3), "no stream of ours": Marks(9, 9)}, "g1")
    assert states(reader, entries) == "aaaaqqqqqq"
    assert reader.totals() == Totals(6, 4, 0, entries[4].occurred_at, 12)


def test_a_late_answer_moves_no_mark(store: Store, reader: JournalReader, bulk: str, entries: list[Entry]) -> None:
    """In one generation custody only grows."""
    store.mark({bulk: Marks(9, 9)}, "g1")
    store.mark({bulk: Marks(4, 2)}, "g1")
    assert states(reader, entries) == "aaaaaaaaqq"


def test_a_restored_ledger_gets_everything_again(
    store: Store, reader: JournalReader, bulk: str, entries: list[Entry]
) -> None:
    """A new generation may hold less: what it forgot is queued again, verdicts included, and the feed starts anew."""
    store.mark({bulk: Marks(11, 4)}, "g1")
    store.settle([verdict(bulk, 2, 11, State.POSTED)], 7, "g1")
    assert reader.cursor() == 7
    store.mark({bulk: Marks(6, 2)}, "g2")
    assert states(reader, entries) == "oooooqqqqq"
    assert reader.cursor() == 0
    store.settle([], 3, "g2")
    store.mark({bulk: Marks(7, 2)}, "g2")
    assert reader.cursor() == 3


def test_books_older_than_the_backup_they_spoke_of(
    store: Store, reader: JournalReader, bulk: str, entries: list[Entry]
) -> None:
    """What they lack again is covered by nothing: it is sent again, kept, and the journal is sound."""
    store.mark({bulk: Marks(11, 9)}, "g1")
    store.mark({bulk: Marks(3, 2)}, "g2")
    assert states(reader, entries) == "aaqqqqqqqq"
    assert reader.verify().ok, reader.verify().first_bad


def test_verdicts_are_laid_over_each_other(
    store: Store, reader: JournalReader, bulk: str, entries: list[Entry]
) -> None:
    """A later word on a record replaces the earlier one and leaves its neighbours."""
    store.mark({bulk: Marks(11, 11)}, "g1")
    store.settle([verdict(bulk, 1, 8, State.POSTED)], 1, "g1")
    assert states(reader, entries) == "oooooooaaa"
    store.settle([verdict(bulk, 4, 4, State.PARKED, 2, "card_unknown")], 2, "g1")
    store.settle([verdict(bulk, 6, 7, State.CONFLICT, 3, "overdrawn")], 3, "g1")
    assert states(reader, entries) == "oopoccoaaa"
    assert reader.totals().conflicts == 2
    store.settle([verdict(bulk, 4, 4, State.POSTED, 4), verdict(bulk, 6, 7, State.RESOLVED, 5)], 5, "g1")
    assert states(reader, entries) == "oooorroaaa"
    assert reader.totals() == Totals(0, 3, 0, None, 12)


def test_a_verdict_reaches_no_further_than_what_is_written(
    store: Store, reader: JournalReader, bulk: str, entries: list[Entry]
) -> None:
    """A till restored from a copy finds in the feed what it had sold since: that decides nothing of what it sells now,
    and a range that ends before it begins nothing at all."""
    store.settle([verdict(bulk, 2, 500, State.POSTED), verdict(bulk, 9, 4, State.CONFLICT)], 2, "g1")
    new = sale()
    put(store, new)
    assert states(reader, [*entries, new]) == "o" * 10 + "q"
    assert (reader.totals().queued, reader.totals().conflicts) == (1, 0)


def test_a_verdict_that_came_before_its_custody_stays(
    store: Store, reader: JournalReader, bulk: str, entries: list[Entry]
) -> None:
    """The answer to a batch was lost and its decisions were heard: marks that follow take nothing of them back."""
    store.mark({bulk: Marks(3, 3)}, "g1")
    store.settle([verdict(bulk, 2, 9, State.POSTED)], 1, "g1")
    for accepted in (3, 5):
        store.mark({bulk: Marks(accepted, 3)}, "g1")
        assert states(reader, entries) == "ooooooooqq"


def test_verdicts_on_streams_of_others_are_passed_over(
    store: Store, reader: JournalReader, path: Path, entries: list[Entry]
) -> None:
    """Nothing is written of them, whatever they are called; the page is read all the same."""
    store.settle([verdict("no stream of ours", first, 5, State.POSTED) for first in (1, 2)], 7, "g1")
    assert reader.cursor() == 7
    assert states(reader, entries) == "q" * 10
    with closing(sqlite3.connect(path)) as journal:
        assert journal.execute("SELECT count(*) FROM verdict").fetchone() == (0,)


@pytest.mark.parametrize(
    ("seq", "generation", "kept"),
    [(4, "g1", 4), (5, "g1", 5), (3, "g1", 4), (2, "g2", 2)],
    ids=["the same again", "newer", "late", "of restored books"],
)
def test_the_newest_receipt_of_a_generation_is_kept(
    store: Store, reader: JournalReader, bulk: str, entries: list[Entry], seq: int, generation: str, kept: int
) -> None:
    """It proves what earlier ones did; of restored books only their own proves anything."""

    def signed(seq: int, generation: str) -> Receipt:
        return Receipt(Custody(seq, "00", "2026-01-01T00:00:00Z", "sig"), "S001-T01", "KEY", generation)

    store.mark({bulk: Marks(4, 0)}, "g1", {bulk: signed(4, "g1")})
    store.mark({bulk: Marks(seq, 0)}, generation, {bulk: signed(seq, generation)})
    held = reader.receipt(bulk)
    assert held == signed(kept, generation)


def test_the_reason_is_kept(store: Store, reader: JournalReader, bulk: str, entries: list[Entry]) -> None:
    """A verdict can be read back with the entry it is about."""
    said = verdict(bulk, 3, 3, State.PARKED, 8, "card_unknown")
    store.settle([said], 8, "g1")
    found = reader.find_key(entries[1].key)
    assert found is not None
    assert found.verdict == said


def test_sales_that_are_all_posted_take_one_row(store: Store, bulk: str, entries: list[Entry], path: Path) -> None:
    """Neighbours that say the same become one range, in whatever order they come."""
    for seq in (5, 2, 4, 11, 3, 6, 10, 7, 9, 8):
        store.settle([verdict(bulk, seq, seq, State.POSTED, seq)], seq, "g1")
    with closing(JournalReader.open(path)) as reader:
        rows = reader._connection.execute("SELECT first & 255, last & 255 FROM verdict").fetchall()
    assert rows == [(2, 11)]


def test_entries_are_listed_by_state(store: Store, reader: JournalReader, bulk: str, entries: list[Entry]) -> None:
    """Page by page behind an id, in the order they were recorded."""
    store.mark({bulk: Marks(8, 8)}, "g1")
    store.settle([verdict(bulk, 2, 4, State.POSTED), verdict(bulk, 3, 3, State.PARKED, 2)], 2, "g1")
    pages = [reader.list(None, 4), reader.list(entries[3].id, 4), reader.list(entries[7].id, 4)]
    assert [found.entry for page in pages for found in page] == entries
    assert [found.seq for found in reader.list(None, 9, [State.POSTED])] == [2, 4]
    assert [found.seq for found in reader.list(None, 9, {State.PARKED, State.QUEUED})] == [3, 9, 10, 11]
    assert [found.seq for found in reader.list(entries[8].id, 9, {State.QUEUED})] == [11]
    assert [found.seq for found in reader.undecided()] == [5, 6, 7, 8, 9, 10, 11]


def test_what_people_must_look_at_is_listed(
    store: Store, reader: JournalReader, bulk: str, entries: list[Entry]
) -> None:
    """In the order they were recorded, page by page; what waits for its card is nobody's work yet."""
    said = [(2, State.CONFLICT, "overdrawn"), (5, State.PARKED, "card_unknown"), (7, State.PARKED, "key_mismatch")]
    said += [(8, State.RESOLVED, "overdrawn"), (9, State.CONFLICT, "lot_expired"), (10, State.POSTED, "posted")]
    store.mark({bulk: Marks(11, 11)}, "g1")
    store.settle([verdict(bulk, seq, seq, state, seq, code) for seq, state, code in said], 11, "g1")
    assert [found.seq for found in reader.disputed(None, 9)] == [2, 7, 9]
    assert [found.seq for found in reader.disputed(None, 2)] == [2, 7]
    assert [found.seq for found in reader.disputed(entries[0].id, 9)] == [7, 9]
    assert [found.seq for found in reader.disputed(entries[4].id, 1)] == [7]
    assert [found.seq for found in reader.disputed("no entry", 9)] == [2, 7, 9]
    assert reader.totals().conflicts == 3


def test_the_oldest_that_waits_is_told_whichever_lane_it_is_in(store: Store, reader: JournalReader) -> None:
    """A redemption that waits since noon is older than the earns of the afternoon, and the other way round."""
    early, late = "2026-09-21T12:00:00.000Z", "2026-09-21T15:00:00.000Z"
    put(store, sale(occurred_at=late))
    put(store, sale(kind=Kind.REDEEM, occurred_at=early))
    assert reader.totals().oldest_unaccepted_at is not None
    store.mark({store.stream(lane): Marks(1, 1) for lane in Lane}, "g1")
    assert reader.totals().oldest_unaccepted_at == early
    store.mark({store.stream(Lane.URGENT): Marks(2, 1)}, "g1")
    assert reader.totals().oldest_unaccepted_at == late


def settled(path: Path, *streams: str) -> list[int]:
    """What the journal has noted of these."""
    with closing(sqlite3.connect(path)) as journal:
        return [journal.execute("SELECT settled FROM stream WHERE uid = ?", (uid,)).fetchone()[0] for uid in streams]


def test_a_stream_that_is_done_is_not_told_of_any_more(path: Path) -> None:
    """Streams that are wholly accepted and closed leave `streams`, and stay in the totals and lists."""
    with closing(open_store(path)) as store:
        put(store, entry := sale())
        old = [store.stream(lane) for lane in Lane]
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        assert [head.stream for head in reader.streams() if head.sealed] == old
        marks = {head.stream: Marks(head.seq, head.seq) for head in reader.streams(all=True)}
        store.mark(marks, "g1")
        store.settle([verdict(old[1], 2, 2, State.POSTED)], 1, "g1")
        assert [head.stream for head in reader.streams()] == [store.stream(lane) for lane in Lane]
        assert len(reader.streams(all=True)) == 4
        assert reader.totals() == Totals(0, 0, 0, None, 7)
        assert [found.entry for found in reader.list(None, 9)] == [entry]
        assert settled(path, *old) == [1, 1]
        for state in (State.POSTED, State.RESOLVED):
            store.settle([verdict(old[1], 2, 2, state, 2)], 2, "g1")
            assert [found.entry for found in reader.list(None, 9, {state})] == [entry]
            assert settled(path, *old) == [1, 1], "all its entries are done: no pass has to look at it"
        store.settle([verdict(old[1], 2, 2, State.CONFLICT, 3)], 3, "g1")
        assert settled(path, *old) == [1, 0]
        store.settle([verdict(old[1], 2, 2, State.POSTED, 4)], 4, "g1")
        store.mark(dict.fromkeys(marks, Marks(1, 1)), "g2")
        assert reader.totals() == Totals(1, 0, 0, entry.occurred_at, 7)
        assert settled(path, *old) == [0, 0]


def test_facts_survive_restarts(path: Path) -> None:
    """The last word counts; what was never said is None."""
    with closing(open_store(path)) as store:
        store.remember("backoff", "1")
        store.remember("backoff", "2")
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        assert (reader.recall("backoff"), reader.recall("other"), reader.cursor()) == ("2", None, 0)
