"""Every code that PC/SC may answer, at every call: a state or a word on the card, and everything given back."""

import sys
import time
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivers import pcsc
from drivers.base import CardRead, CardUnreadable, Condition, Place, ReaderAbsent, ReaderState, Report
from drivers.pcsc_service import TROUBLES
from drivers.presence import Change, Trouble, change_of
from tests.drivers.fake_scard import FakeScard
from tests.virtual.cards import NtagCard

AT_THE_CARD = ("Connect", "BeginTransaction", "Transmit")
CODES = [code for code in TROUBLES if code] + [0x8010FFFF]


@pytest.fixture
def scard(monkeypatch: pytest.MonkeyPatch) -> FakeScard:
    fake = FakeScard()
    package = ModuleType("smartcard")
    package.scard = fake  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "smartcard", package)
    monkeypatch.setitem(sys.modules, "smartcard.scard", fake)
    monkeypatch.setattr(pcsc, "RETRY_S", (0.0,))
    monkeypatch.setattr("drivers.pcsc_tap.SETTLE_S", 0.0)
    return fake


def opened(*, reopened: bool = False) -> pcsc.Reader:
    reader = pcsc.Reader(Place("counter", "/nowhere", reopened), pcsc.Options())
    reader.open()
    return reader


def reports(reader: pcsc.Reader, calls: int = 5) -> list[Report]:
    return [report for _ in range(calls) if (report := reader.read(0.0)) is not None]


@pytest.mark.parametrize("code", CODES, ids=hex)
@pytest.mark.parametrize("call", AT_THE_CARD)
def test_a_code_at_the_card_is_told_and_the_next_card_is_read(scard: FakeScard, call: str, code: int) -> None:
    """The tap ends with a reason or the reader with a state; no handle and no context is left or used again."""
    reader = opened()
    assert reports(reader) == [Condition(ReaderState.READY, scard.reader)]
    scard.fails = {call: code}
    scard.lay(NtagCard.with_text("1"))
    told = [report for report in reports(reader) if not isinstance(report, Condition) or report.state != "ready"]
    assert not [report for report in told if isinstance(report, CardRead)]
    if TROUBLES.get(code, Trouble.OTHER) in {Trouble.SERVICE_GONE, Trouble.FORBIDDEN}:
        assert isinstance(told[0], Condition)
        assert told[0].remedy
    assert not scard.handles
    scard.fails = {}
    scard.lay(NtagCard.with_text("2"))
    read = [report for report in reports(reader) if isinstance(report, CardRead | CardUnreadable)]
    scard.lay(NtagCard.with_text("3"))
    read += [report for report in reports(reader) if isinstance(report, CardRead)]
    assert isinstance(read[-1], CardRead)
    assert read[-1].data == "3"
    reader.close()
    reader.close()
    assert not scard.contexts


@pytest.mark.parametrize("code", CODES, ids=hex)
@pytest.mark.parametrize("call", ["EstablishContext", "ListReaders", "GetStatusChange"])
def test_a_code_of_the_service_is_a_state_until_it_is_well_again(scard: FakeScard, call: str, code: int) -> None:
    """Told once, with a remedy, however often it is tried; then ready, without a restart."""
    reader = opened()
    reports(reader)
    scard.fails = {call: code}
    reader.close()
    told = reports(reader, 20)
    assert len(told) <= 1
    for condition in told:
        assert isinstance(condition, Condition)
        assert condition.remedy
    assert len(scard.contexts) <= 1
    scard.fails = {}
    assert reports(reader)[-1:] == ([Condition(ReaderState.READY, scard.reader)] if told else [])


def test_no_access_is_forbidden_with_the_polkit_remedy(scard: FakeScard) -> None:
    """0x8010006A is what pcscd 2.x says to a user whom polkit does not know."""
    scard.fails = {"EstablishContext": 0x8010006A}
    [condition] = reports(opened())
    assert isinstance(condition, Condition)
    assert condition.state is ReaderState.FORBIDDEN
    assert "polkit" in (condition.remedy or "")


def test_codes_are_understood_with_either_sign(scard: FakeScard) -> None:
    """Some builds of pyscard give them as negative numbers."""
    scard.fails = {"EstablishContext": 0x8010001D - (1 << 32)}
    [condition] = reports(opened())
    assert isinstance(condition, Condition)
    assert condition.state is ReaderState.ABSENT


def test_no_readers_is_no_failure(scard: FakeScard) -> None:
    """An empty list has a code of its own; around a plug it is empty for a moment."""
    scard.fails = {"ListReaders": 0x8010002E}
    reader = opened()
    [condition] = reports(reader)
    assert isinstance(condition, Condition)
    assert condition.state is ReaderState.ABSENT
    scard.fails = {}
    assert reports(reader) == [Condition(ReaderState.READY, scard.reader)]


def test_a_serial_number_that_changes_within_the_tap_is_two_cards(scard: FakeScard) -> None:
    """Also when no exchange fails: the first number is not believed."""

    class Quick(NtagCard):
        asked = 0

        def answer(self, apdu: bytes) -> bytes:
            self.asked += 1
            return super().answer(apdu) if self.asked < 4 else b"\x04\xff\xff\xff\xff\xff\xff\x90\x00"

    reader = opened()
    scard.lay(Quick.with_text("2990000000017"))
    told = [report for report in reports(reader) if not isinstance(report, Condition)]
    assert [report.reason for report in told if isinstance(report, CardUnreadable)] == ["card_swapped"]


def test_a_card_on_a_reopened_reader_must_be_lifted(scard: FakeScard) -> None:
    """It may be the card of the customer before."""
    scard.lay(NtagCard.with_text("1"))
    told = [report for report in reports(opened(reopened=True)) if isinstance(report, CardUnreadable | CardRead)]
    assert [report.reason for report in told if isinstance(report, CardUnreadable)] == ["card_was_there"]


def test_without_pyscard_the_reader_is_absent_and_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The smart-card extra is optional."""
    monkeypatch.setitem(sys.modules, "smartcard", None)
    with pytest.raises(ReaderAbsent) as told:
        opened()
    assert "tilld[pcsc]" in (told.value.condition.remedy or "")


def test_a_missing_service_is_not_asked_in_a_busy_loop(scard: FakeScard, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between attempts the thread sleeps; it wakes only for its heartbeat."""
    monkeypatch.setattr(pcsc, "RETRY_S", (60.0,))
    scard.fails = {"EstablishContext": 0x8010001D}
    reader = opened()
    assert len(reports(reader, 1)) == 1
    busy = time.process_time()
    assert reader.read(0.2) is None
    assert time.process_time() - busy < 0.1


@given(st.one_of(st.none(), st.integers(0, 0xFFFF_FFFF)), st.integers(0, 0xFFFF_FFFF))
def test_an_arrival_is_a_card_that_was_not_there_under_this_count(before: int | None, now: int) -> None:
    """Flags of other programs' use of the card change nothing."""
    change = change_of(before, now)
    if not now & 0x20:
        assert change is Change.NOTHING
    elif before is None:
        assert change is Change.LYING
    else:
        lay_there = bool(before & 0x20) and before >> 16 == now >> 16
        assert change is (Change.NOTHING if lay_there else Change.ARRIVED)
