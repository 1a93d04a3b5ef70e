"""Streams, their parents and their chains, and what a stranger can prove of them."""

import hashlib
import io
import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from sqlite3 import Connection, connect
from typing import Any

import pytest

from offline_queue.entry import Kind, Lane, decode
from offline_queue.journal_reader import JournalReader
from offline_queue.store import Store
from tests.offline_queue.sales import ORIGIN, open_store, put, sale


def test_every_start_opens_streams_of_its_own(path: Path) -> None:
    """Genesis names who opened the stream and the record it follows, lane by lane."""
    with closing(open_store(path)) as store:
        put(store, sale())
        first = {lane: store.stream(lane) for lane in Lane}
    with closing(open_store(path)) as store, closing(store.reader()) as reader:
        heads = {head.stream: head for head in reader.streams()}
        for lane in Lane:
            assert store.stream(lane) != first[lane]
            genesis = decode(reader.records(store.stream(lane), 1, 1, 1)[0]).genesis
            assert genesis is not None
            assert (genesis.stream, genesis.lane) == (store.stream(lane), lane)
            assert (genesis.machine_id, genesis.software) == (ORIGIN.machine_id, ORIGIN.software)
            parent = heads[store.stream(lane)].parent
            old = heads[first[lane]]
            assert parent == genesis.parent
            assert parent is not None
            assert (parent.stream, parent.seq, parent.hash) == (old.stream, old.seq, old.hash)
            assert old.sealed
        assert [head.lane for head in reader.streams()] == [Lane.URGENT, Lane.BULK] * 2


def test_a_crash_leaves_the_stream_unsealed_and_it_is_still_the_parent(path: Path, tmp_path: Path) -> None:
    """Nothing is appended to the stream of an earlier start."""
    copy = tmp_path / "copy"
    copy.mkdir()
    with closing(open_store(path)) as store:
        last = put(store, sale())
        for file in path.parent.glob("journal.db*"):
            (copy / file.name).write_bytes(file.read_bytes())
    with closing(open_store(copy / path.name)) as store, closing(store.reader()) as reader:
        (left,) = [head for head in reader.streams() if head.stream == last.stream]
        assert (left.seq, left.sealed) == (last.seq, False)
        (new,) = [head for head in reader.streams() if head.stream == store.stream(Lane.BULK)]
        assert new.parent is not None
        assert (new.parent.stream, new.parent.seq) == (last.stream, last.seq)


def test_batches_are_bounded_by_number_and_bytes(store: Store, reader: JournalReader) -> None:
    """At least one record travels, however large; a stream that is not here is an error."""
    for _ in range(5):
        put(store, sale())
    bulk = store.stream(Lane.BULK)
    everything = reader.records(bulk, 1, 100, 10**6)
    assert len(everything) == 6
    assert reader.records(bulk, 3, 2, 10**6) == everything[2:4]
    assert reader.records(bulk, 2, 9, len(everything[1]) + len(everything[2])) == everything[1:3]
    assert reader.records(bulk, 2, 9, 1) == everything[1:2]
    assert reader.records(bulk, 7, 9, 10**6) == []
    with pytest.raises(LookupError):
        reader.records("nobody's", 1, 9, 9)
    with pytest.raises(LookupError):
        reader.hash_at(bulk, 7)


def test_a_stranger_can_verify_the_export(store: Store, reader: JournalReader) -> None:
    """With JSON and SHA-256 alone."""
    for _ in range(5):
        put(store, sale(operator="Ålice ✓"))
    out = io.BytesIO()
    assert reader.export(out) == 7
    hashes = {store.stream(lane): bytes(32) for lane in Lane}
    for line in out.getvalue().splitlines():
        said = json.loads(line)
        if said["line"] != "record":
            continue
        hashes[said["stream"]] = hashlib.sha256(hashes[said["stream"]] + said["record"].encode()).digest()
        assert hashes[said["stream"]].hex() == said["hash"]
    assert {head.stream: head.hash for head in reader.streams()} == {uid: h.hex() for uid, h in hashes.items()}


def test_a_slow_reader_of_the_export_does_not_hold_the_log(store: Store, reader: JournalReader, path: Path) -> None:
    """Somebody looks at the export page by page for hours: the log is taken over meanwhile, and starts anew."""
    for _ in range(1100):
        put(store, sale())
    log = Path(f"{path}-wal")

    class Pipe(io.BytesIO):
        def write(self, line: Any) -> int:
            if self.tell() == 0:
                for _ in range(4000):
                    put(store, sale())
            return super().write(line)

    before = log.stat().st_size
    assert reader.export(Pipe()) == 5102
    assert log.stat().st_size <= 2 * before


def test_what_verify_says_of_a_whole_journal(store: Store, reader: JournalReader) -> None:
    """Every record is counted, the journal's own included."""
    put(store, sale())
    put(store, sale(kind=Kind.RELEASE))
    assert reader.verify().records == 4
    assert reader.verify().ok


CHANGES: dict[str, tuple[Callable[[Connection], object], int, str]] = {
    "a changed record": (
        lambda db: db.execute(
            "UPDATE record SET record = CAST(replace(CAST(record AS TEXT), '24', '25') AS BLOB) WHERE place & 255 = 3"
        ),
        3,
        "chain does not hold",
    ),
    "a changed hash": (lambda db: db.execute("UPDATE record SET hash = digest WHERE place & 255 = 4"), 4, "chain"),
    "a missing record": (lambda db: db.execute("DELETE FROM record WHERE place & 255 = 4"), 4, "missing"),
    "a missing end": (lambda db: db.execute("DELETE FROM record WHERE place & 255 = 7"), 7, "missing"),
    "a missing beginning": (lambda db: db.execute("DELETE FROM record WHERE place >> 40 = 2"), 1, "missing"),
}


@pytest.mark.parametrize("kind", CHANGES)
def test_verify_names_the_first_bad_record(path: Path, kind: str) -> None:
    """Whatever is changed behind the journal's back is found, with stream and number."""
    with closing(open_store(path)) as store:
        bulk = store.stream(Lane.BULK)
        for _ in range(5):
            put(store, sale())
    change, seq, why = CHANGES[kind]
    with closing(connect(path, isolation_level=None)) as connection:
        change(connection)
    with closing(JournalReader.open(path)) as reader:
        verification = reader.verify()
    assert not verification.ok
    assert verification.first_bad is not None
    assert verification.first_bad[:2] == (bulk, seq)
    assert why in verification.first_bad[2]
