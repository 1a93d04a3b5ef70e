"""An export proves itself: whatever is changed, left out or put in afterwards is named by its line."""

import io
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.books.receipts import Signer
from offline_queue.entry import Lane, State
from offline_queue.export_check import Broken, Checked, check
from offline_queue.export_lines import MAX_LINE_BYTES
from offline_queue.journal_reader import JournalReader
from offline_queue.receipts import Receipt
from offline_queue.store import Store
from offline_queue.terminal_key import public_key
from offline_queue.wire import Marks
from tests.offline_queue.sales import ORIGIN, open_store, put, sale, verdict

LEDGER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
TILL = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
LATER = "2030-01-01T00:00:00.000Z"


def trade(store: Store, reader: JournalReader, count: int, *, covered: int) -> None:
    """So many sales, of which the ledger has signed for and covered the first."""
    for _ in range(count):
        put(store, sale())
    uid = store.stream(Lane.BULK)
    custody = LEDGER.custody(ORIGIN.terminal, uid, covered, reader.hash_at(uid, covered), LATER)
    receipt = Receipt(custody, ORIGIN.terminal, LEDGER.public_key, "g")
    store.mark({uid: Marks(covered, covered)}, "g", {uid: receipt})
    store.settle([verdict(uid, 1, covered, State.POSTED)], 1, "g")


def exported(reader: JournalReader, key: Ed25519PrivateKey | None = TILL) -> list[bytes]:
    out = io.BytesIO()
    reader.export(out, key)
    return out.getvalue().splitlines(keepends=True)


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Of a till that was started twice."""
    path = tmp_path_factory.mktemp("till") / "journal.db"
    for _ in range(2):
        store = open_store(path)
        reader = store.reader()
        trade(store, reader, 6, covered=5)
        found = exported(reader)
        reader.close()
        store.close()
    return found


def refused(lines: list[bytes]) -> Broken:
    with pytest.raises(Broken) as broken:
        check(lines)
    return broken.value


class TestWhole:
    def test_what_holds_is_told_with_the_keys(self, lines: list[bytes]) -> None:
        """Chains, receipts and seals; who signed, so that a person can compare."""
        told = Checked(18, 4, 2, 4, ORIGIN.terminal, public_key(TILL), [LEDGER.public_key])
        assert check(lines) == told

    def test_without_the_terminals_key_nothing_is_sealed(self, store: Store, reader: JournalReader) -> None:
        """The chains hold all the same."""
        trade(store, reader, 3, covered=2)
        found = check(exported(reader, None))
        assert (found.records, found.seals, found.public_key) == (5, 0, None)

    def test_given_up_records_are_proved_by_the_next_receipt(self, store: Store, reader: JournalReader) -> None:
        """And by nothing else: without it they might have been any."""
        trade(store, reader, 40, covered=41)
        # The finder takes entries over run by run; only those may go.
        store._writer._finder.index()
        while store.trim(LATER):
            pass
        lines = exported(reader)
        assert any(json.loads(line)["line"] == "gone" for line in lines)
        assert check(lines).receipts == 1
        unproven = [line for line in lines if json.loads(line)["line"] != "receipt"]
        assert "no receipt proves" in refused(unproven).why


class TestForged:
    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
    @given(place=st.integers(0, 10**9), bit=st.integers(0, 7))
    def test_any_changed_bit_is_found(self, lines: list[bytes], place: int, bit: int) -> None:
        """In any line: a record, a hash, a seal, the sum at the end."""
        changed = bytearray(b"".join(lines))
        changed[place % len(changed)] ^= 1 << bit
        assert refused(bytes(changed).splitlines(keepends=True)).line >= 1

    def test_any_line_left_out_doubled_or_moved_is_found(self, lines: list[bytes]) -> None:
        """Each of them is needed, once, where it is."""
        for n, line in enumerate(lines):
            assert refused([*lines[:n], *lines[n + 1 :]])
            assert refused([*lines[: n + 1], line, *lines[n + 1 :]])
            if n + 1 < len(lines):
                assert refused([*lines[:n], lines[n + 1], line, *lines[n + 2 :]])

    @pytest.mark.parametrize(
        ("line", "member", "value", "why"),
        [
            ("record", "seq", 99, "breaks at"),
            ("record", "hash", "00", "breaks at"),
            ("receipt", "stream", "another", "another chain"),
            ("end", "hash", "xyz", "no hexadecimal"),
            ("end", "seal", "AAAA", "not signed by the terminal"),
            ("begin", "export", 2, "format 2"),
            ("begin", "terminal", "S009-T09", "not signed by the terminal"),
            ("total", "records", 1, "1 records were exported"),
            ("total", "sha256", "", "a line was changed"),
        ],
    )
    def test_what_is_wrong_is_said(self, lines: list[bytes], line: str, member: str, value: Any, why: str) -> None:
        """In words, with the number of the line."""
        number, told = next((n, json.loads(each)) for n, each in enumerate(lines) if json.loads(each)["line"] == line)
        forged = json.dumps({**told, member: value}).encode() + b"\n"
        assert why in str(refused([*lines[:number], forged, *lines[number + 1 :]]))

    def test_a_line_without_end_is_not_read_to_its_end(self, lines: list[bytes]) -> None:
        """Nobody needs more memory than a line may have."""
        assert "longer" in refused([lines[0], b"[" * (MAX_LINE_BYTES + 1)]).why


def test_a_mark_that_the_disk_has_changed_is_named(path: Path) -> None:
    """Too high, records would never be sent; too low contradicts what the ledger has signed for."""
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        trade(store, reader, 6, covered=5)
    for change, why in (("accepted = 7", "mark was changed"), ("accepted = 3, stable = 3, guard = NULL", "signed for")):
        with closing(sqlite3.connect(path)) as journal, journal:
            journal.execute(f"UPDATE stream SET {change} WHERE receipt IS NOT NULL")
        with closing(JournalReader.open(path)) as reader:
            found = reader.verify()
        assert found.first_bad is not None
        assert why in found.first_bad[2]


def test_a_mark_beyond_the_receipt_is_fine(path: Path) -> None:
    """A hello may tell of more than the last receipt did: an answer was lost."""
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        trade(store, reader, 6, covered=5)
        store.mark({store.stream(Lane.BULK): Marks(7, 5)}, "g")
        assert reader.verify().ok
