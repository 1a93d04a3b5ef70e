"""What a journal gives up, and what it never does: trimmed is covered, proven, posted and old."""

import io
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.books.receipts import Signer
from offline_queue.checkpoints import UNPROVEN
from offline_queue.entry import Entry, Lane, State
from offline_queue.export_check import check
from offline_queue.journal_reader import JournalReader
from offline_queue.receipts import Receipt
from offline_queue.store import Store
from offline_queue.stretches import Stretch
from offline_queue.trimming import STEP, Boot, Bounds, trimmable
from offline_queue.wire import Marks
from tests.offline_queue.sales import ORIGIN, open_store, put, reversal, sale, verdict

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
LATER, EARLIER = "2030-01-01T00:00:00.000Z", "2000-01-01T00:00:00.000Z"

counts = st.integers(0, 40)
states = st.lists(st.sampled_from(list(State)), max_size=40)


@given(head=counts, stable=counts, proven=counts, indexed=counts, trimmed=counts, told=states)
@settings(max_examples=300)
def test_only_what_is_covered_proven_indexed_and_done_goes(
    head: int, stable: int, proven: int, indexed: int, trimmed: int, told: list[State]
) -> None:
    """I6 and its like, whatever the marks: nothing beyond any of them, nothing undecided, never the last record."""
    stretches = [Stretch(seq, seq, state) for seq, state in enumerate(told[: max(0, head - 1)], start=2)]
    upto = trimmable(Bounds(head, stable, proven, indexed, trimmed), stretches)
    assert upto >= trimmed
    if upto > trimmed:
        assert upto <= min(stable, proven, indexed, head - 1)
        assert {s.state for s in stretches if s.first <= upto} <= {State.POSTED, State.RESOLVED}
    undone = [s.first for s in stretches if s.state not in (State.POSTED, State.RESOLVED)]
    may_go = range(min(stable, proven, indexed, head - 1, min(undone, default=head) - 1) + 1)
    assert all(seq <= upto for seq in may_go), "what may go does, or a disk fills in years"


class Shop:
    """A journal whose bulk stream the ledger knows as far as a test says."""

    def __init__(self, path: Path, store: Store, reader: JournalReader) -> None:
        self.path, self.store, self.reader = path, store, reader
        self.uid = store.stream(Lane.BULK)

    def sell(self, count: int) -> list[Entry]:
        sold = [sale() for _ in range(count)]
        for entry in sold:
            put(self.store, entry)
        return sold

    def covered(self, accepted: int, stable: int, *, signed: int | None = None, state: State = State.POSTED) -> None:
        """The ledger's marks, receipt and verdicts up to there."""
        self.store.mark({self.uid: Marks(accepted, stable)}, "g", self.receipt(signed or accepted))
        self.store.settle([verdict(self.uid, 1, accepted, state)], 1, "g")

    def receipt(self, seq: int) -> dict[str, Receipt]:
        head = self.reader.hash_at(self.uid, seq)
        custody = SIGNER.custody(ORIGIN.terminal, self.uid, seq, head, EARLIER)
        return {self.uid: Receipt(custody, ORIGIN.terminal, SIGNER.public_key, "g")}

    def seqs(self) -> list[int]:
        """The records of the bulk stream that are left."""
        query = "SELECT place & 0xFFFFFFFFFF FROM record JOIN stream ON no = place >> 40 WHERE uid = ? ORDER BY place"
        return [seq for (seq,) in self.ask(query, self.uid)]

    def ask(self, query: str, *values: Any) -> list[Any]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(query, values).fetchall()

    def trim(self, before: str = LATER, boot: Boot | None = None) -> int:
        """Step by step until nothing more goes."""
        total = 0
        while count := self.store.trim(before, boot):
            assert count <= STEP
            total += count
        return total


@pytest.fixture
def shop(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """The finder takes a run over after four records already."""
    monkeypatch.setattr("offline_queue.writer.RUN", 4)
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        yield Shop(path, store, reader)


def settled(shop: Shop) -> None:
    """Waits until the writer has done what nobody waits for."""
    shop.store.remember("tick", "1")


class TestTrimming:
    def test_old_covered_records_go_and_the_ends_stay(self, shop: Shop) -> None:
        """Genesis and the newest record stay; the journal verifies from the checkpoint on, and sales go on."""
        shop.sell(12)
        settled(shop)
        shop.covered(13, 10)
        assert shop.trim() == 9
        assert shop.seqs() == [1, 11, 12, 13]
        found = shop.reader.verify()
        assert (found.ok, found.receipts, found.first_bad) == (True, 1, None)
        shop.sell(2)
        assert shop.reader.verify().ok
        assert shop.trim() == 0

    def test_what_is_young_in_this_boot_stays_whatever_its_clock_said(self, shop: Shop) -> None:
        """A till that began its day in 1970 was told the time since: its sales of this morning can be taken back."""
        sold = shop.sell(12)
        settled(shop)
        shop.covered(13, 13)
        clock = sold[4].clock
        assert shop.trim(boot=Boot(clock.boot_id, clock.monotonic_ms)) == 4
        assert shop.reader.find_id(sold[4].id) is not None
        assert shop.trim(boot=Boot("another boot", 0)) == 7

    @pytest.mark.parametrize(
        ("stable", "signed", "state", "before"),
        [
            (0, 13, State.POSTED, LATER),
            (13, 1, State.POSTED, LATER),
            (13, 13, State.CONFLICT, LATER),
            (13, 13, State.PARKED, LATER),
            (13, 13, State.POSTED, EARLIER),
        ],
    )
    def test_nothing_else_goes(self, shop: Shop, stable: int, signed: int, state: State, before: str) -> None:
        """Without backup or receipt, while somebody has to look, or while it is young."""
        shop.sell(12)
        settled(shop)
        shop.covered(13, stable, signed=signed, state=state)
        assert shop.trim(before) == 0
        assert len(shop.seqs()) == 13

    def test_what_a_person_has_settled_goes_too(self, shop: Shop) -> None:
        """A dispute from years ago does not hold everything behind it for ever."""
        shop.sell(12)
        settled(shop)
        shop.covered(13, 10, state=State.RESOLVED)
        assert shop.trim() == 9

    def test_what_was_sold_at_the_border_stays(self, shop: Shop) -> None:
        """Older than `before` goes, and not as old."""
        sold = shop.sell(12)
        settled(shop)
        shop.covered(13, 13)
        assert shop.trim(sold[4].occurred_at) == 4
        assert shop.seqs()[1] == 6

    def test_without_a_receipt_nothing_goes(self, shop: Shop) -> None:
        """A ledger of version 1 signs nothing, so nothing could be proved later."""
        shop.sell(12)
        settled(shop)
        shop.store.mark({shop.uid: Marks(13, 13)}, "g")
        shop.store.settle([verdict(shop.uid, 1, 13, State.POSTED)], 1, "g")
        assert shop.trim() == 0

    def test_a_record_that_waits_holds_those_behind_it(self, shop: Shop) -> None:
        """They go when it is decided."""
        shop.sell(12)
        settled(shop)
        shop.covered(13, 13)
        shop.store.settle([verdict(shop.uid, 6, 6, State.PARKED, 2)], 2, "g")
        assert shop.trim() == 4
        shop.store.settle([verdict(shop.uid, 6, 6, State.POSTED, 3)], 3, "g")
        assert shop.trim() == 7
        assert shop.seqs() == [1, 13]

    def test_a_restart_goes_on_from_what_is_left(self, shop: Shop, path: Path) -> None:
        """The next stream names the kept end as its parent; hello tells of the trimmed stream as before."""
        shop.sell(12)
        settled(shop)
        shop.covered(13, 13)
        shop.trim()
        shop.store.close()
        with closing(open_store(path)) as store, closing(store.reader()) as reader:
            heads = {head.stream: head for head in reader.streams(all=True)}
            parent = heads[store.stream(Lane.BULK)].parent
            assert parent is not None
            assert (parent.stream, parent.seq) == (shop.uid, 14)
            assert parent.hash == heads[shop.uid].hash
            assert reader.verify().ok

    def test_records_that_are_gone_are_not_taken_for_others(self, shop: Shop) -> None:
        """A ledger that asks for them gets none, rather than later ones in their place."""
        shop.sell(12)
        settled(shop)
        shop.covered(13, 10)
        shop.trim()
        assert shop.reader.records(shop.uid, 5, 10, 10**6) == []
        assert len(shop.reader.records(shop.uid, 1, 10, 10**6)) == 1
        assert len(shop.reader.records(shop.uid, 11, 10, 10**6)) == 3

    def test_the_finder_forgets_runs_of_which_nothing_is_left(self, shop: Shop) -> None:
        """Words go with their records, so the file does not grow for ever; a forgotten key is new to this till."""
        first, *_ = shop.sell(40)
        settled(shop)
        before = shop.ask("SELECT count(*) FROM finder")[0][0]
        shop.covered(41, 41)
        shop.trim()
        for _ in range(4):
            shop.store.trim(LATER)
        assert shop.ask("SELECT count(*) FROM finder")[0][0] < before / 2
        assert shop.reader.find_key(first.key) is None
        assert not put(shop.store, first).replayed

    def test_the_finder_is_looked_through_round_by_round(self, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
        """Some runs in a step, all of them in the end, and again from the first: what goes later is forgotten later."""
        monkeypatch.setattr("offline_queue.trimming.RUNS_IN_A_STEP", 2)
        shop.sell(40)
        settled(shop)
        for covered in (21, 41):
            shop.covered(covered, covered)
            shop.trim()
            for _ in range(20):
                shop.store.trim(LATER)
            runs = shop.ask("SELECT DISTINCT word >> 33 FROM finder ORDER BY 1")
            assert runs == shop.ask("SELECT DISTINCT word >> 33 FROM finder JOIN record USING (place) ORDER BY 1")

    def test_keys_of_what_stays_are_known(self, shop: Shop) -> None:
        """A POS that repeats a younger sale gets its first answer."""
        *_, last = shop.sell(12)
        settled(shop)
        shop.covered(13, 10)
        shop.trim()
        assert put(shop.store, last).replayed
        assert not put(shop.store, reversal(last, 5)).replayed


class TestProof:
    def trimmed(self, shop: Shop) -> None:
        shop.sell(12)
        settled(shop)
        shop.covered(13, 10)
        shop.trim()

    @pytest.mark.parametrize(
        ("change", "why"),
        [
            ("UPDATE stream SET trimmed_hash = zeroblob(32) WHERE trimmed", "chain does not hold"),
            ("UPDATE stream SET receipt = NULL", "no receipt proves"),
            (
                "UPDATE stream SET receipt = replace(receipt, '\"seq\":13', '\"seq\":12') WHERE trimmed",
                "another record",
            ),
            ("UPDATE stream SET receipt = replace(receipt, 'S001-T01', 'S001-T02')", "not signed by the key"),
            ("UPDATE stream SET receipt = '{}' WHERE trimmed", "damaged"),
            ("DELETE FROM record WHERE place & 0xFFFFFFFFFF = 11", "missing"),
        ],
    )
    def test_whoever_changes_what_is_proved_is_found(self, shop: Shop, change: str, why: str) -> None:
        """Of the checkpoint, of the receipt, or of a record behind it."""
        self.trimmed(shop)
        assert shop.reader.verify().ok
        with closing(sqlite3.connect(shop.path)) as connection, connection:
            connection.execute(change)
        found = shop.reader.verify()
        assert not found.ok
        assert found.first_bad is not None
        assert why in found.first_bad[2]

    def test_a_receipt_for_the_last_that_is_gone_proves_it(self, shop: Shop) -> None:
        """In the export it stands directly behind the gap; the examination tells which record no receipt covers."""
        shop.sell(12)
        settled(shop)
        shop.covered(13, 13, signed=10)
        assert shop.trim() == 9
        out = io.BytesIO()
        shop.reader.export(out)
        assert check(out.getvalue().splitlines(keepends=True)).receipts == 1
        with closing(sqlite3.connect(shop.path)) as connection, connection:
            connection.execute("UPDATE stream SET receipt = NULL")
        assert shop.reader.verify().first_bad == (shop.uid, 10, UNPROVEN)

    def test_an_export_says_where_records_are_gone(self, shop: Shop) -> None:
        """A line with the checkpoint and the receipt that proves it stands in their place."""
        self.trimmed(shop)
        out = io.BytesIO()
        assert shop.reader.export(out) == 5
        lines = [msgspec.json.decode(line) for line in out.getvalue().splitlines()]
        gone = next(line for line in lines if line["line"] == "gone")
        receipt = next(line for line in lines if line["line"] == "receipt")
        assert (gone["stream"], gone["seq"], receipt["receipt"]["custody"]["seq"]) == (shop.uid, 10, 13)
        assert lines[lines.index(gone) + 1]["seq"] == 11
