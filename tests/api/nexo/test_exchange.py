"""Numbers of messages: the key that each gives its transaction, and what is remembered of it."""

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from terminal.api.nexo.exchange import LETTERS, NO_DAY, Exchange, day_of
from terminal.api.nexo.exchange_log import FILE, KEPT_MS, ExchangeLog
from terminal.api.nexo.messages import Header
from terminal.sales.transaction import check_key

ONE = Exchange("S001-T01", "TILL-04", "1")
NAMES = st.text(min_size=1, max_size=64)
TODAY = date(2026, 11, 22)


@settings(max_examples=50)
@given(NAMES, NAMES, NAMES, st.sampled_from("lbrsaADLURV"), st.text(max_size=30))
def test_a_key_is_one_that_the_till_takes(poi: str, sale: str, number: str, letter: str, stamp: str) -> None:
    """Whatever the names of the POS are made of."""
    day = day_of(stamp) if stamp.isascii() and stamp.isprintable() and len(stamp) >= 10 else NO_DAY
    check_key(Exchange(poi, sale, number).key(letter, day))


@settings(max_examples=50)
@given(st.tuples(NAMES, NAMES, NAMES), st.tuples(NAMES, NAMES, NAMES))
def test_keys_tell_exchanges_apart(one: tuple[str, str, str], other: tuple[str, str, str]) -> None:
    """Also where the names run into each other."""
    assert (Exchange(*one).key("l") == Exchange(*other).key("l")) == (one == other)


def test_a_message_to_a_device_has_numbers_of_its_own() -> None:
    """DeviceID 1 and ServiceID 1 are two exchanges."""
    told = ("Display", "Request", "TILL-04", "S001-T01")
    service, device = Header("Service", *told, service_id="1"), Header("Device", *told, device_id="1")
    assert Exchange.of(service) == ONE
    assert Exchange.of(device) != ONE
    assert len(Exchange.of(device).number) > 10


@pytest.mark.parametrize("days", [-3, -1, 0, 1])
def test_the_journal_can_be_asked_for_what_was_done_of_late(days: int) -> None:
    """Whatever the zone of the POS, and for longer than a number is its own."""
    day = date(2026, 11, 22 + days)
    for category, letters in LETTERS.items():
        for letter in letters:
            assert ONE.key(letter, str(day)) in set(ONE.keys(category, TODAY))
            assert ONE.key(letter) in set(ONE.keys(None, TODAY))
    assert list(ONE.keys("Payment", TODAY)) == []


@pytest.fixture
def log(tmp_path: Path) -> ExchangeLog:
    return ExchangeLog.open(tmp_path / FILE)


def test_a_number_is_one_requests_until_it_is_forgotten(log: ExchangeLog) -> None:
    """For 48 hours by this machine's clock, and no longer."""
    with closing(log):
        assert log.begin(ONE, "Loyalty", b"a", 0) is None
        known = log.begin(ONE, "Loyalty", b"b", KEPT_MS)
        assert known is not None
        assert known.digest == b"a"
        assert log.begin(ONE, "Loyalty", b"b", KEPT_MS + 1) is None


def test_a_clock_that_was_far_ahead_leaves_nothing_for_ever(log: ExchangeLog) -> None:
    """What was noted in 2099 is forgotten when the clock is right again."""
    with closing(log):
        log.begin(ONE, "Loyalty", b"a", 100 * KEPT_MS)
        assert log.begin(ONE, "Loyalty", b"b", 0) is None


def test_answers_survive_a_new_start(tmp_path: Path, log: ExchangeLog) -> None:
    """And the newest of a sale system is found without its number."""
    other = Exchange("S001-T01", "TILL-04", "2")
    with closing(log):
        log.begin(ONE, "Loyalty", b"a", 1)
        log.end(ONE, b"{}")
        log.begin(other, "Diagnosis", b"b", 2)
    with closing(ExchangeLog.open(tmp_path / FILE)) as again:
        found = again.find(ONE)
        assert found is not None
        assert found.answer == b"{}"
        newest = again.newest("S001-T01", "TILL-04", frozenset({"Loyalty"}))
        assert newest == found
        assert again.newest("S001-T01", "TILL-05", frozenset({"Loyalty"})) is None


@pytest.mark.parametrize("damage", ["bytes", "other"])
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: str) -> None:
    """Nothing in it is a fact that exists only here."""
    path = tmp_path / FILE
    if damage == "bytes":
        path.write_bytes(b"no database at all, but long enough to be read as one" * 100)
    else:
        with closing(sqlite3.connect(path)) as foreign:
            foreign.execute("CREATE TABLE exchange (wrong TEXT)")
    with closing(ExchangeLog.open(path)) as log:
        assert log.begin(ONE, "Loyalty", b"a", 1) is None


def test_what_cannot_be_opened_is_kept_in_memory(tmp_path: Path) -> None:
    """A disk that was full at the till's start keeps it from no sale."""
    with closing(ExchangeLog.open(tmp_path / "gone" / FILE)) as log:
        assert log.begin(ONE, "Loyalty", b"a", 1) is None
        log.end(ONE, b"{}")
        known = log.begin(ONE, "Loyalty", b"a", 2)
        assert known is not None
        assert known.answer == b"{}"


def test_a_file_that_is_damaged_later_costs_the_memory_and_no_sale(tmp_path: Path, log: ExchangeLog) -> None:
    """A till that could read it an hour ago sells on."""
    with closing(log):
        log.begin(ONE, "Loyalty", b"a", 1)
        log._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (tmp_path / FILE).write_bytes(b"\0" * 16384)
        log._connection.execute("PRAGMA shrink_memory")
        assert log.begin(Exchange("S001-T01", "TILL-04", "9"), "Loyalty", b"c", 2) is None
        log.end(ONE, b"{}")
        assert log.newest("S001-T01", "TILL-04", frozenset({"Loyalty"})) is None


def test_a_full_disk_costs_the_memory_and_no_sale(log: ExchangeLog) -> None:
    """The journal is asked instead."""
    with closing(log):
        log.begin(ONE, "Loyalty", b"a", 1)
        log._connection.execute("PRAGMA query_only = ON")
        assert log.begin(Exchange("S001-T01", "TILL-04", "9"), "Loyalty", b"c", 2) is None
        log.end(ONE, b"{}")
        found = log.find(ONE)
        assert found is not None
        assert found.answer is None
