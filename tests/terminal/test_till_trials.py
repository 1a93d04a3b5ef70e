"""A technician tests a reader at a till that sells: what that reader reads is nobody's sale."""

from concurrent.futures import Future
from typing import Any

import msgspec
import pytest

from drivers.base import CardRead, CardUnreadable, EntryMode, ReaderState, Technology
from terminal.counter.ladder import FORGET_MS
from terminal.inbox import CardFailed, CardPresented, ReaderChanged, ReaderStatus
from terminal.trial.desk import KEPT
from terminal.trial.forms import Form, check, rendered
from terminal.trial.holding import IDLE_MS, LEASE_MS
from terminal.trial.talk import (
    All,
    Begin,
    End,
    Look,
    SheetOf,
    TrialAsked,
    TrialDue,
    TrialRequest,
    TrialState,
    TrialView,
)
from terminal.trial.taps import TapResult
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig

SINCE = "2026-03-01T10:00:00Z"


def ready(name: str, pid: int | None = 7, state: ReaderState = ReaderState.READY) -> ReaderChanged:
    return ReaderChanged(ReaderStatus(name, "simulated", state, SINCE, "it is there", "plug it in", pid))


@pytest.fixture
def till(shop: Shop) -> TillRig:
    rig = shop.start()
    for name in ("counter", "kiosk"):
        rig.send(ready(name))
    return rig


def ask(till: TillRig, asked: Any) -> Any:
    reply: Future[Any] = Future()
    till.send(TrialAsked(asked, reply))
    return till.heard(reply)


def begin(till: TillRig, taps: int = 3, reader: str = "counter") -> TrialView:
    view: TrialView = ask(till, Begin(TrialRequest(reader, taps, "Anne")))
    assert isinstance(view, TrialView), view
    return view


def chip(data: str | None = CARD, **more: Any) -> CardRead:
    return CardRead(Technology.NTAG, EntryMode.CONTACTLESS, data, effort=1, duration_ms=80.0, **more)


def present(till: TillRig, read: CardRead, reader: str = "counter", after_ms: int = 2000) -> None:
    """After a pause: one presentation more, and read 3 ms ago."""
    till.timepiece.now_ms += after_ms
    till.send(CardPresented(reader, read, till.timepiece.boottime_ms() - 3))


def test_a_card_at_a_tested_reader_is_no_customers(till: TillRig) -> None:
    """The POS that waits goes on waiting, no watcher hears of a card, the ledger is not asked, no wear is noted."""
    trial = begin(till)
    waiting = till.wait_for_card()
    present(till, chip())
    till.send(CardFailed("counter", CardUnreadable("mute", "It does not answer."), None))
    present(till, chip(OTHER_CARD))
    assert not waiting.done()
    assert till.told("card_read") == till.told("card_unreadable") == []
    assert till.inquiries.accounts == []
    view = ask(till, Look(trial.id))
    assert [tap.result for tap in view.taps] == [TapResult.IDENTIFIED, TapResult.UNREADABLE, TapResult.IDENTIFIED]
    assert [tap.card for tap in view.taps] == ["•••• 0017", "", "•••• 0024"]
    assert [(tap.label, tap.read_ms, tap.till_ms) for tap in view.taps] == [
        ("A", 80, 3),
        ("", None, None),
        ("B", 80, 3),
    ]


def test_other_readers_serve_on(till: TillRig) -> None:
    """A trial holds its own reader alone, and is refused on it a second time; on another one it is not."""
    trial = begin(till)
    waiting = till.wait_for_card()
    present(till, chip(), "kiosk")
    assert waiting.result(0).card.number == CARD
    assert ask(till, Look(trial.id)).taps == ()
    assert ask(till, Begin(TrialRequest("counter"))).code == "busy"
    assert begin(till, reader="kiosk").reader == "kiosk"
    assert till.question("status")["tested"] == ["counter", "kiosk"]


def test_after_the_last_tap_the_reader_is_the_customers_again(till: TillRig) -> None:
    """But not with the card that lies there still: it was the technician's."""
    trial = begin(till, taps=1)
    present(till, chip())
    view = ask(till, Look(trial.id))
    assert (view.state, view.judgement.passed, view.ended_at != "") == (TrialState.COMPLETE, True, True)
    waiting = till.wait_for_card()
    present(till, chip(), after_ms=500)
    assert not waiting.done()
    present(till, chip(OTHER_CARD))
    assert waiting.result(0).card.number == OTHER_CARD
    assert till.question("status")["tested"] == []


def test_a_card_that_lies_there_is_one_tap(till: TillRig) -> None:
    """A camera that sees it thirty times a second counts it once; watchers are told once that it lies there still."""
    trial = begin(till)
    present(till, chip())
    told = len(till.told("trial"))
    for _ in range(30):
        present(till, chip(), after_ms=33)
    view = ask(till, Look(trial.id))
    assert (len(view.taps), view.repeats) == (1, 30)
    assert len(till.told("trial")) == told + 1
    present(till, chip())
    assert len(ask(till, Look(trial.id)).taps) == 2


@pytest.mark.parametrize("wait_ms", [LEASE_MS, IDLE_MS])
def test_a_technician_who_goes_away_frees_the_reader(till: TillRig, wait_ms: int) -> None:
    """At the alarm, and even before it: the first customer's card is served."""
    trial = begin(till)
    till.timepiece.now_ms += LEASE_MS - 1
    till.send(TrialDue())
    assert ask(till, Look(trial.id)).state is TrialState.RUNNING
    waiting = till.wait_for_card()
    present(till, chip(), after_ms=wait_ms)
    assert waiting.result(0).card.number == CARD
    view = ask(till, Look(trial.id))
    assert (view.state, view.taps, view.judgement.passed) == (TrialState.ABANDONED, (), False)


def test_who_looks_keeps_the_reader_but_not_without_cards(till: TillRig) -> None:
    """A page that is left open holds it for a few minutes and no longer; each tap gives as much again."""
    trial = begin(till)
    in_an_idle_time = 2 * IDLE_MS // LEASE_MS
    for look in range(1, 2 * in_an_idle_time - 1):
        till.timepiece.now_ms += LEASE_MS // 2
        assert ask(till, Look(trial.id)).state is TrialState.RUNNING
        if look == in_an_idle_time - 1:
            present(till, chip(), after_ms=0)
    till.timepiece.now_ms += LEASE_MS // 2
    assert ask(till, Look(trial.id)).state is TrialState.ABANDONED


def test_the_alarm_ends_what_nobody_watches(till: TillRig) -> None:
    """Watchers hear that the reader is free; a peek by the till's own wait does not renew anything."""
    trial = begin(till)
    till.timepiece.now_ms += LEASE_MS
    assert ask(till, Look(trial.id, watching=False)).state is TrialState.ABANDONED
    assert [told["state"] for told in till.told("trial")] == ["running", "abandoned"]


def test_breakdowns_during_the_test_are_counted(till: TillRig) -> None:
    """A process that died and came back: the taps were read, and the reader does not pass."""
    trial = begin(till, taps=1)
    till.send(ready("counter", None, ReaderState.RECONNECTING))
    till.send(ready("counter", 8))
    present(till, chip())
    view = ask(till, Look(trial.id))
    assert (view.restarts, view.judgement.passed) == (1, False)


def test_a_reader_that_is_not_there_can_be_tested_and_fails(till: TillRig) -> None:
    """The technician sees it come; at the end its state and remedy stand on the sheet."""
    till.send(ready("counter", None, ReaderState.ABSENT))
    trial = begin(till)
    view = ask(till, End(trial.id))
    assert (view.state, view.judgement.passed) == (TrialState.STOPPED, False)
    assert "plug it in" in view.judgement.remarks[0].say
    assert ask(till, End(trial.id)) == view


def test_the_ladder_does_not_name_a_reader_that_is_tested(till: TillRig) -> None:
    """A cashier is not sent to a reader that will not answer."""
    till.send(ready("simulated"))
    mute = CardFailed("kiosk", CardUnreadable("mute", "It does not answer."))
    till.send(mute)
    till.timepiece.now_ms += FORGET_MS + 1
    begin(till, reader="simulated")
    till.send(mute)
    assert [told["step"] for told in till.told("card_unreadable")] == ["tap_again", "key_number"]


def test_the_sheet_is_signed_when_the_test_is_over(till: TillRig) -> None:
    """By the terminal's key, with store, version and who did it; not before."""
    trial = begin(till, taps=1)
    assert ask(till, SheetOf(trial.id)).code == "busy"
    present(till, chip())
    sheet = ask(till, SheetOf(trial.id))
    assert check(rendered(sheet, Form.HTML)).genuine
    assert (sheet.sheet.terminal, sheet.sheet.version, sheet.sheet.trial.operator) == ("S001-T01", "0.0", "Anne")
    assert ask(till, SheetOf("never")).code == "not_found"


def test_a_reader_must_be_named_where_there_are_several(till: TillRig) -> None:
    """And must be there."""
    assert ask(till, Begin(TrialRequest())).code == "invalid"
    assert ask(till, Begin(TrialRequest("cellar"))).code == "not_found"
    assert ask(till, Look("never")).code == "not_found"


def test_so_many_tests_are_remembered(till: TillRig) -> None:
    """The newest first, the running ones before them."""
    ids = [ask(till, End(begin(till).id)).id for _ in range(KEPT + 1)]
    running = begin(till)
    listed = [trial.id for trial in ask(till, All()).trials]
    assert listed == [running.id, *reversed(ids[1:])]


def test_what_watchers_are_told_holds_no_card(till: TillRig) -> None:
    """Every page may watch: the reader, the state, how many taps."""
    begin(till)
    present(till, chip())
    assert [(told["reader"], told["taps"], told["wanted"]) for told in till.told("trial")] == [
        ("counter", 0, 3),
        ("counter", 1, 3),
    ]
    assert "0017" not in str(till.told("trial"))


def test_a_view_is_what_the_document_says(till: TillRig) -> None:
    """Encoded and decoded it is the same, taps and remarks included."""
    trial = begin(till, taps=1)
    present(till, chip(None, uid="04a1b2c3d4e5f6"))
    view = ask(till, Look(trial.id))
    assert msgspec.json.decode(msgspec.json.encode(view), type=TrialView) == view
