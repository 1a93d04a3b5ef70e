"""Copies: their shape, their seal, and every keeper of them."""

import contextlib
import os
import stat
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from offline_queue.mirror_copy import MAX_COPY_BYTES, FolderKeeper, Keeper, MirrorUnreachable, decoded
from offline_queue.mirror_peer import PeerKeeper
from offline_queue.signing import seal_input
from terminal.config_mirror import MirrorConfig
from terminal.mirror.desk import MirrorDesk
from terminal.mirror.parts import MirrorServer
from tests.offline_queue.copies import KEY, STREAM, TERMINAL, copied, records

LINE = msgspec.json.encode(copied(records(2)))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "mirror"


@pytest.fixture(params=["folder", "peer"])
def keeper(request: pytest.FixtureRequest, folder: Path, tmp_path: Path) -> Iterator[Keeper]:
    """Each keeper there is; behind a peer lies a folder again."""
    if request.param == "folder":
        yield FolderKeeper(folder)
        return
    desk = MirrorDesk(FolderKeeper(folder), tmp_path / "journal.db", {TERMINAL: KEY.public_key().public_bytes_raw()})
    server = MirrorServer(MirrorConfig(listen="127.0.0.1:0"), desk)
    server.start()
    with contextlib.closing(PeerKeeper(f"http://{server.address}", TERMINAL, KEY)) as peer:
        yield peer
    server.stop()


def test_what_is_kept_is_held(keeper: Keeper, folder: Path) -> None:
    """Copy after copy, stream by stream; asked again after any break, also by whoever starts anew."""
    raw = records(5)
    first = copied(raw[:3])
    keeper.keep(first)
    keeper.keep(copied(raw[3:], 4, bytes.fromhex(first.head)))
    keeper.keep(copied(raw[:1], stream="6" * 32))
    anew = FolderKeeper(folder)
    anew.keep(msgspec.structs.replace(copied(records(1), stream="7" * 32), terminal="S001-T09"))
    assert keeper.held(TERMINAL) == anew.held(TERMINAL) == {STREAM: 5, "6" * 32: 1}


def test_the_same_copy_twice_is_kept_once(keeper: Keeper, folder: Path) -> None:
    """An answer that was lost makes the till send its copy again."""
    copy = copied(records(2))
    keeper.keep(copy)
    keeper.keep(copy)
    assert list(FolderKeeper(folder).copies(TERMINAL, STREAM)) == [copy]


def test_what_the_ledger_has_is_forgotten(keeper: Keeper) -> None:
    """And a late word of that takes away nothing that came after it."""
    raw = records(4)
    first = copied(raw[:2])
    keeper.keep(first)
    keeper.keep(copied(raw[2:], 3, bytes.fromhex(first.head)))
    keeper.forget(TERMINAL, STREAM, 2)
    assert keeper.held(TERMINAL) == {STREAM: 4}
    keeper.forget(TERMINAL, STREAM, 4)
    keeper.forget(TERMINAL, STREAM, 4)
    assert keeper.held(TERMINAL) == {}


def test_copies_are_their_owners_alone(keeper: Keeper, folder: Path) -> None:
    """They hold card numbers."""
    keeper.keep(copied(records(1)))
    (file,) = folder.glob("*/*")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_a_seal_covers_the_end_of_the_records() -> None:
    """Whoever delivers can neither change nor leave out one."""
    copy = copied(records(3))
    KEY.public_key().verify(b64decode(copy.seal), seal_input(TERMINAL, STREAM, 3, copy.head))


def test_a_torn_line_costs_its_own_copy_only(folder: Path) -> None:
    """The power of the mirror may fail too: the till sends again what was not kept."""
    raw = records(3)
    first = copied(raw[:2])
    FolderKeeper(folder).keep(first)
    (file,) = folder.glob("*/*")
    whole = file.read_bytes()
    file.write_bytes(whole + whole[: len(whole) // 2])
    again = FolderKeeper(folder)
    assert again.held(TERMINAL) == {STREAM: 2}
    second = copied(raw[2:], 3, bytes.fromhex(first.head))
    again.keep(second)
    assert list(FolderKeeper(folder).copies(TERMINAL, STREAM)) == [first, second]


@pytest.mark.parametrize("name", ["..", ".hidden", "a/b", "", "x" * 65, "a\0b"])
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    """A peer's words become the names of files."""
    keeper = FolderKeeper(folder)
    with pytest.raises(ValueError, match="no name"):
        list(keeper.copies(name, STREAM))
    with pytest.raises(ValueError, match="no name"):
        list(keeper.copies(TERMINAL, name))


def test_foreign_files_are_passed_over(folder: Path) -> None:
    """A folder of the back office may hold anything."""
    keeper = FolderKeeper(folder)
    keeper.keep(copied(records(1)))
    (folder / TERMINAL / "notes.jsonl").write_text("call the plumber")
    (folder / "..odd").mkdir()
    assert [(terminal, stream) for terminal, stream, _ in keeper.streams()] == [(TERMINAL, STREAM)]


def test_what_was_forgotten_may_be_kept_again(keeper: Keeper) -> None:
    """Books that were put back ask for it once more, and so it is worth a copy once more."""
    copy = copied(records(2))
    keeper.keep(copy)
    keeper.forget(TERMINAL, STREAM, 2)
    keeper.keep(copy)
    assert keeper.held(TERMINAL) == {STREAM: 2}


def test_a_line_of_another_stream_or_till_is_no_copy_of_this_one(folder: Path) -> None:
    """Somebody has put two files together: what is not of this stream is passed over."""
    keeper, copy = FolderKeeper(folder), copied(records(2))
    keeper.keep(copy)
    (file,) = folder.glob("*/*")
    others = [copied(records(3), stream="6" * 32), msgspec.structs.replace(copied(records(4)), terminal="S001-T09")]
    file.write_bytes(file.read_bytes() + b"".join(msgspec.json.encode(other) + b"\n" for other in others))
    assert list(FolderKeeper(folder).copies(TERMINAL, STREAM)) == [copy]
    assert FolderKeeper(folder).held(TERMINAL) == {STREAM: 2}


def test_streams_come_in_the_order_of_their_last_copies(folder: Path) -> None:
    """Whoever was silent longest is brought first."""
    keeper = FolderKeeper(folder)
    for stream, at in (("5", 30), ("6", 10), ("7", 20)):
        keeper.keep(copied(records(1), stream=stream * 32))
        os.utime(folder / TERMINAL / f"{stream * 32}.jsonl", (at, at))
    assert keeper.streams() == [(TERMINAL, "6" * 32, 10), (TERMINAL, "7" * 32, 20), (TERMINAL, "5" * 32, 30)]


@pytest.mark.parametrize(
    "change", [{"terminal": ".."}, {"stream": "../x"}, {"stream": "X"}, {"records": []}, {"first": -1}]
)
def test_a_line_with_a_name_that_none_can_have_is_no_copy(change: dict[str, object]) -> None:
    """Its names would become those of files."""
    assert decoded(LINE) is not None
    assert decoded(msgspec.json.encode(msgspec.structs.replace(copied(records(1)), **change))) is None


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    """A mount that is gone must not look like a mirror that has everything."""
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    with pytest.raises(MirrorUnreachable, match="file"):
        FolderKeeper(blocked / "mirror").keep(copied(records(1)))
    with pytest.raises(MirrorUnreachable, match="file"):
        list(FolderKeeper(blocked).copies(TERMINAL, STREAM))


def test_a_peer_that_is_not_there_is_said() -> None:
    """Nothing listens: the till goes on without."""
    with (
        contextlib.closing(PeerKeeper("http://127.0.0.1:9", TERMINAL, KEY)) as peer,
        pytest.raises(MirrorUnreachable, match=r"127\.0\.0\.1:9"),
    ):
        peer.keep(copied(records(1)))


@given(st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_any_bytes_are_a_copy_or_nothing(line: bytes) -> None:
    """Whatever lies in the folder, reading it never fails."""
    assert decoded(line) is None


@given(st.data())
def test_a_changed_copy_is_read_as_nothing_or_as_another(data: st.DataObject) -> None:
    """One byte changed anywhere: it is no copy, or one whose seal the ledger checks."""
    line = bytearray(LINE)
    place = data.draw(st.integers(0, len(line) - 1))
    line[place] = data.draw(st.integers(0, 255))
    copy = decoded(bytes(line))
    assert copy is None or copy.last >= copy.first


def test_a_line_without_end_is_nothing() -> None:
    """Memory is bounded by what a copy can be."""
    assert decoded(b"x" * (MAX_COPY_BYTES + 1)) is None
