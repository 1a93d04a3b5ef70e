"""What a till keeps of the ledger's changes: pages and cursor together, a fresh set after a restore, its own events."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from offline_queue.entry import CardEvent, Happening
from offline_queue.journal import NotRecorded
from offline_queue.steps import TakeChanges
from offline_queue.wire_accounts import Balance
from offline_queue.wire_feeds import CardChange, Change, KeyChange
from terminal.cards.directory import Directory
from terminal.cards.forwarding import Listed, Stands, stands_for
from terminal.cards.hotlist import TABLES, Hotlist
from terminal.cards.shelf import Shelf

CARD, NEW, NEWER = "2990000000017", "2990000000024", "2990000000031"
AS_OF = "2026-03-01T10:00:00Z"


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Directory]:
    with closing(Directory.open(tmp_path / "directory.db", "start-1")) as directory:
        yield directory


@pytest.fixture
def hotlist(directory: Directory) -> Hotlist:
    return directory.hotlist


def card(n: int, number: str, status: str, successor: str | None = None) -> Change:
    return Change(n, card=CardChange(number, status, successor))


def page(after: int, *changes: Change, generation: str = "g1", more: bool = False) -> TakeChanges:
    return TakeChanges(after, changes, changes[-1].n if changes else after, generation, more)


def test_a_blocked_card_is_known_and_the_cursor_with_it(hotlist: Hotlist) -> None:
    """What the next entries say that the till knew."""
    assert hotlist.cursor is None
    hotlist.take(page(0, card(1, CARD, "blocked"), card(2, NEW, "blocked"), card(3, NEW, "active")))
    assert (hotlist.cursor, hotlist.taken("g1"), hotlist.taken("g2")) == (3, 3, 0)
    assert hotlist.stands(CARD) == Stands(CARD, "blocked")
    assert hotlist.stands(NEW) == Stands(NEW, "active")


def test_a_first_list_counts_from_its_first_page(hotlist: Hotlist) -> None:
    """What is known of a blocked card is used at once; later pages too, of this generation and of no other."""
    hotlist.take(page(0, card(1, CARD, "blocked"), more=True))
    assert (hotlist.stands(CARD).status, hotlist.cursor) == ("blocked", 1)
    hotlist.take(page(1, card(2, NEW, "blocked"), more=True))
    assert (hotlist.stands(NEW).status, hotlist.cursor) == ("blocked", 2)
    hotlist.take(page(0, card(1, NEWER, "blocked"), generation="g2", more=True))
    assert (hotlist.stands(NEWER).status, hotlist.cursor) == ("active", 2)


def test_the_word_beside_the_feed_ends_what_this_till_had_said(directory: Directory) -> None:
    """Once its own event is in the books; while that is under way it holds against an older word."""
    hotlist = directory.hotlist
    for entry, posted in (("e1", False), ("e2", True)):
        hotlist.did(entry, CARD, CardEvent(Happening.BLOCK))
        if posted:
            hotlist.decided(entry, posted=True)
        directory.hear([Balance(CARD, 0, 0, AS_OF)])
        assert hotlist.stands(CARD).status == ("active" if posted else "blocked")
    directory.hear([Balance(NEW, 0, 0, AS_OF)])
    assert not hotlist.has(NEW)


def test_a_page_that_does_not_follow_changes_nothing(hotlist: Hotlist) -> None:
    """Doubled, or after one that was lost."""
    first = page(0, card(1, CARD, "blocked"))
    hotlist.take(first)
    hotlist.take(page(1, card(2, CARD, "active")))
    hotlist.take(first)
    hotlist.take(page(7, card(8, CARD, "blocked")))
    assert hotlist.taken("g1") == 2
    assert hotlist.stands(CARD).status == "active"


def test_what_was_taken_is_there_after_a_restart(tmp_path: Path) -> None:
    """Cursor, cards and keys."""
    path, key = tmp_path / "directory.db", KeyChange("S001-T02", "A6EHv/POEL4dcN0Y50vAmWfk1jCbpQ1fHdyGZBJVMbg=")
    with closing(Directory.open(path, "start-1")) as directory:
        directory.hotlist.take(page(0, card(1, CARD, "blocked"), Change(2, key=key)))
    with closing(Directory.open(path, "start-2")) as directory:
        hotlist = directory.hotlist
        assert (hotlist.cursor, hotlist.stands(CARD).status) == (2, "blocked")
        ((known, revoked),) = hotlist.keys("S001-T02")
        assert (len(known), revoked) == (32, False)


def test_a_revoked_key_and_one_that_is_none(hotlist: Hotlist) -> None:
    """Neither proves anything."""
    hotlist.take(page(0, Change(1, key=KeyChange("T", "!!")), Change(2, key=KeyChange("T", "AAAA", revoked=True))))
    assert sorted(hotlist.keys("T")) == [(b"", False), (b"\0\0\0", True)]


def test_another_generation_is_read_to_its_end_before_it_is_used(hotlist: Hotlist) -> None:
    """The ledger was restored: meanwhile the old list holds, and what only that one knew is gone in the end."""
    hotlist.take(page(0, card(1, CARD, "blocked"), card(2, NEW, "blocked")))
    hotlist.take(page(0, card(1, NEWER, "blocked"), generation="g2", more=True))
    assert (hotlist.cursor, hotlist.stands(CARD).status, hotlist.stands(NEWER).status) == (2, "blocked", "active")
    hotlist.take(page(1, card(2, NEW, "blocked"), generation="g2"))
    assert (hotlist.cursor, hotlist.stands(CARD).status, hotlist.stands(NEWER).status) == (2, "active", "blocked")
    assert hotlist.taken("g1") == 0


def test_a_third_generation_in_the_middle_starts_anew(hotlist: Hotlist) -> None:
    """The half-read set is never used."""
    hotlist.take(page(0, card(1, CARD, "blocked")))
    hotlist.take(page(0, card(1, NEW, "blocked"), generation="g2", more=True))
    hotlist.take(page(0, card(1, NEWER, "blocked"), generation="g3"))
    assert [hotlist.stands(number).status for number in (CARD, NEW, NEWER)] == ["active", "active", "blocked"]


def test_what_this_till_did_holds_at_once_until_the_feed_tells(hotlist: Hotlist) -> None:
    """Older news on the same card does not undo it while the ledger has not decided."""
    hotlist.did("e1", CARD, CardEvent(Happening.BLOCK))
    hotlist.take(page(0, card(1, CARD, "active")))
    assert hotlist.stands(CARD).status == "blocked"
    hotlist.decided("e1", posted=True)
    assert hotlist.stands(CARD).status == "blocked"
    hotlist.take(page(1, card(2, CARD, "blocked"), card(3, CARD, "active")))
    assert hotlist.stands(CARD).status == "active"


def test_what_the_ledger_refused_holds_no_longer(hotlist: Hotlist) -> None:
    """A replacement that goes in a circle, say."""
    hotlist.did("e1", CARD, CardEvent(Happening.REPLACE, NEW))
    assert hotlist.stands(CARD) == Stands(NEW, "active", "replaced")
    hotlist.decided("e1", posted=False)
    assert hotlist.stands(CARD) == Stands(CARD, "active")


def test_a_word_beside_the_feed_counts_too(directory: Directory) -> None:
    """An account that was asked for tells what its card is now."""
    directory.hotlist.take(page(0, card(1, CARD, "blocked")))
    directory.hear([Balance(CARD, 5, 0, AS_OF, "active"), Balance(NEW, 5, 0, AS_OF, "replaced", successor=NEWER)])
    assert directory.hotlist.stands(CARD).status == "active"
    assert directory.hotlist.stands(NEW) == Stands(NEWER, "active", "replaced")


def test_a_directory_that_cannot_be_written_is_said_so_and_nothing_is_taken(tmp_path: Path) -> None:
    """Not even in memory. The courier asks again later; sales go on."""
    directory = Directory.open(tmp_path / "directory.db", "start-1")
    directory.hotlist.take(page(0, card(1, CARD, "blocked")))
    directory._connection.execute("PRAGMA query_only = ON")
    directory.hotlist.decided("nobody's", posted=True)
    directory._connection.execute("PRAGMA query_only = ON")
    with pytest.raises(NotRecorded):
        directory.hotlist.take(page(1, card(2, CARD, "active")))
    assert (directory.hotlist.cursor, directory.hotlist.taken("g1")) == (1, 1)
    directory.close()


numbers = st.sampled_from("abcde")
listings = st.dictionaries(numbers, st.builds(Listed, st.sampled_from(["active", "replaced"]), st.none() | numbers))


@given(numbers, listings)
@settings(max_examples=200)
def test_following_successors_ends(number: str, known: dict[str, Listed]) -> None:
    """Whatever is listed, circles included: at a card without a successor, or where the chain comes back to itself."""
    found = stands_for(number, known.get)
    met = [number]
    while met[-1] != found.number:
        met.append(str(known[met[-1]].successor))
        assert len(met) <= len(known) + 1
    last = known.get(found.number)
    assert last is None or last.successor is None or last.successor in met
    assert (found.was is None) is (found.number == number)


changes = st.lists(
    st.builds(card, st.just(0), numbers, st.sampled_from(["active", "blocked"])), min_size=1, max_size=12
)


@given(changes, st.lists(st.integers(1, 4), min_size=12, max_size=12), st.lists(st.integers(0, 11), max_size=12))
@settings(max_examples=50)
def test_pages_of_any_size_doubled_and_disordered_end_in_the_same_list(
    told: list[Change], sizes: list[int], again: list[int]
) -> None:
    """Only the page that follows counts, so the list is that of the last change of each card."""
    told = [Change(n, card=change.card) for n, change in enumerate(told, 1)]
    pages, start = [], 0
    for size in sizes:
        part = told[start : start + size]
        if part:
            pages.append(page(start, *part, more=start + size < len(told)))
        start += size
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for table in TABLES:
            connection.execute(table)
        hotlist = Hotlist(Shelf(connection))
        for index, one in enumerate(pages):
            for other in again:
                if other % len(pages) <= index:
                    hotlist.take(pages[other % len(pages)])
            hotlist.take(one)
        last = {change.card.number: change.card.status for change in told if change.card}
        assert {number: hotlist.stands(number).status for number in last} == last
        assert hotlist.cursor == len(told)
