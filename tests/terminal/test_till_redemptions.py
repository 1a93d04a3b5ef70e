"""Redemptions: never without a right, never two rights for one, and no right forgotten."""

import pytest

from offline_queue.entry import Kind
from offline_queue.journal import AllowanceState
from offline_queue.sync_report import SyncReport
from offline_queue.wire_accounts import AllowanceAnswer
from terminal.inbox import AllowanceAnswered, Stop
from terminal.promises.rights import IDLE_MS
from tests.terminal.rig import CARD, Shop, TillRig, said
from tests.terminal.test_till_sales import FullDisk

REACHABLE = SyncReport(reachable=True, last_success=None, next_attempt=None, detail="")


def states(till: TillRig) -> list[AllowanceState]:
    return [allowance.state for allowance in till.journal.allowances()]


def test_a_redemption_consumes_the_right_to_it(till: TillRig) -> None:
    """The wish is durable before it is uttered; the entry names the right."""
    reply = till.ask("r1", "redeem", points=5)
    wish = till.wish()
    assert (wish.key, wish.card, wish.points, wish.state) == ("r1", CARD, 5, AllowanceState.ASKED)
    assert states(till) == [AllowanceState.ASKED]
    assert not reply.done()
    till.grant(wish)
    answer = said(till.heard(reply))
    found = till.journal.find_id(answer.id)
    assert found is not None
    assert (found.entry.kind, found.entry.allowance) == (Kind.REDEEM, wish.id)
    assert states(till) == [AllowanceState.CONSUMED]


@pytest.mark.parametrize(
    ("code", "expected"), [("insufficient_points", "insufficient_points"), ("card_unknown", "card_refused")]
)
def test_the_ledger_s_no_is_the_till_s(till: TillRig, code: str, expected: str) -> None:
    """Nothing is recorded and the key is free."""
    reply = till.ask("r1", "redeem", points=5)
    till.grant(till.wish(), granted=False, code=code)
    assert till.heard(reply).code == expected
    assert till.journal.find_key("r1") is None
    assert till.till.idle


def test_silence_is_no_promise(till: TillRig) -> None:
    """The POS is told; the right stays asked."""
    reply = till.ask("r1", "redeem", points=5)
    till.send(AllowanceAnswered(till.wish().id, None))
    assert till.heard(reply).code == "offline_limit"
    assert states(till) == [AllowanceState.ASKED]


def test_a_grant_that_comes_too_late_is_given_back(till: TillRig) -> None:
    """By a record of the till's own, which alone may free the points."""
    reply = till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till.send(AllowanceAnswered(wish.id, None))
    till.heard(reply)
    till.grant(wish)
    till.settle()
    released = till.journal.find_key(f"release:{wish.id}")
    assert released is not None
    assert (released.entry.kind, released.entry.allowance) == (Kind.RELEASE, wish.id)
    assert states(till) == [AllowanceState.RELEASED]


def test_a_repeat_after_silence_asks_for_the_same_right(till: TillRig) -> None:
    """The ledger reserves once, however often the POS tries."""
    first = till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till.send(AllowanceAnswered(wish.id, None))
    till.heard(first)
    second = till.ask("r1", "redeem", points=5)
    again = till.wish()
    assert again.id == wish.id
    till.grant(again)
    assert said(till.heard(second)).points == 5
    assert states(till) == [AllowanceState.CONSUMED]


def test_a_repeat_with_other_points_needs_another_right(till: TillRig) -> None:
    """And the first one is given back when it is granted."""
    first = till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till.send(AllowanceAnswered(wish.id, None))
    till.heard(first)
    second = till.ask("r1", "redeem", points=6)
    other = till.wish()
    assert other.id != wish.id
    till.grant(wish)
    till.grant(other)
    assert said(till.heard(second)).points == 6
    till.settle()
    assert states(till) == [AllowanceState.RELEASED, AllowanceState.CONSUMED]


def test_a_word_that_comes_twice_counts_once(till: TillRig) -> None:
    """Neither a second redemption nor a release of a right in use."""
    reply = till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till.grant(wish)
    till.grant(wish)
    till.heard(reply)
    till.grant(wish)
    till.settle()
    assert states(till) == [AllowanceState.CONSUMED]
    assert till.journal.totals().queued == 1


def test_a_word_that_comes_again_leaves_the_right_to_its_repeat(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full, so the sale will be sent again; meanwhile the ledger's answer to an earlier asking arrives."""
    disk = FullDisk(till, monkeypatch)
    reply = till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till.grant(wish)
    assert till.heard(reply).code == "not_recorded"
    disk.full = False
    till.send(AllowanceAnswered(wish.id, AllowanceAnswer("r", wish.id, granted=True)))
    till.settle()
    assert states(till) == [AllowanceState.GRANTED]
    assert said(till.heard(till.ask("r1", "redeem", points=5))).points == 5
    assert till.inquiries.allowances.empty()


def test_silence_that_is_heard_twice_changes_nothing(till: TillRig) -> None:
    """The right stays asked for, and the repeat asks for the same."""
    till.ask("r1", "redeem", points=5)
    wish = till.wish()
    for _ in range(2):
        till.send(AllowanceAnswered(wish.id, None))
    till.settle()
    assert states(till) == [AllowanceState.ASKED]
    till.ask("r1", "redeem", points=5)
    assert till.wish().id == wish.id


def test_a_restart_gives_back_what_was_granted_and_not_used(shop: Shop) -> None:
    """The crash came between the grant and the record."""
    till = shop.start()
    till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till.store.answer_allowance(wish.id, granted=True)
    till = shop.restart()
    till.settle()
    assert states(till) == [AllowanceState.RELEASED]
    shop.restart().settle()
    assert len(shop.open[0].journal.list(None, 10)) == 1


def test_a_restart_gives_back_what_is_granted_afterwards(shop: Shop) -> None:
    """The crash came before the ledger's answer."""
    till = shop.start()
    till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till = shop.restart()
    till.grant(wish)
    till.settle()
    assert states(till) == [AllowanceState.RELEASED]


def test_a_right_waits_for_the_repeat_when_the_disk_is_full(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The POS is told not_recorded; its repeat uses the right that is there."""
    disk = FullDisk(till, monkeypatch)
    reply = till.ask("r1", "redeem", points=5)
    till.grant(till.wish())
    assert till.heard(reply).code == "not_recorded"
    disk.full = False
    assert said(till.heard(till.ask("r1", "redeem", points=5))).points == 5
    assert states(till) == [AllowanceState.CONSUMED]


def test_a_right_that_nobody_comes_back_for_is_given_back(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute, when the ledger is next heard of."""
    disk = FullDisk(till, monkeypatch)
    reply = till.ask("r1", "redeem", points=5)
    till.grant(till.wish())
    till.heard(reply)
    disk.full = False
    till.timepiece.now_ms += IDLE_MS - 1
    till.send(REACHABLE)
    till.settle()
    assert states(till) == [AllowanceState.GRANTED]
    till.timepiece.now_ms += 1
    till.send(REACHABLE)
    till.settle()
    assert states(till) == [AllowanceState.RELEASED]


def test_a_wish_that_cannot_be_kept_is_not_uttered(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """A right that the till would forget must not be granted."""
    disk = FullDisk(till, monkeypatch)
    with monkeypatch.context() as full:
        full.setattr(till.store, "submit_allowance", disk.submit)
        assert till.heard(till.ask("r1", "redeem", points=5)).code == "not_recorded"
    assert till.inquiries.allowances.empty()
    assert till.till.idle
    disk.full = False
    till.ask("r1", "redeem", points=5)
    wish = till.wish()
    assert [kept.id for kept in till.journal.allowances()] == [wish.id]


def test_a_wish_that_could_not_be_kept_does_not_hold_up_the_stop(
    till: TillRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sale has heard its refusal and is not refused again."""
    disk = FullDisk(till, monkeypatch)
    monkeypatch.setattr(till.store, "submit_allowance", disk.submit)
    till.heard(till.ask("r1", "redeem", points=5))
    till.send(Stop())
    assert till.till.stopping


def test_a_redemption_is_reversed_by_giving_back(till: TillRig) -> None:
    """The balance is as before."""
    till.directory.hear([till.balance(100)])
    redeemed = till.redeem("r1", points=40)
    assert redeemed.balance is not None
    assert redeemed.balance.points == 60
    back = said(till.heard(till.ask("b1", "reverse", None, reverses=redeemed.id)))
    assert back.balance is not None
    assert back.balance.points == 100
    assert [(told["points"], told["effect"]) for told in till.told("transaction")] == [(40, -40), (40, 40)]


def test_a_stop_answers_whoever_waits_for_the_ledger(till: TillRig) -> None:
    """Nobody is left waiting; the till is idle."""
    reply = till.ask("r1", "redeem", points=5)
    till.wish()
    till.send(Stop())
    assert till.heard(reply).code == "offline_limit"
    assert till.till.stopping
    assert till.till.idle


def test_a_grant_after_the_stop_records_no_sale(till: TillRig) -> None:
    """The POS was told no; the points are given back."""
    reply = till.ask("r1", "redeem", points=5)
    wish = till.wish()
    till.send(Stop())
    till.heard(reply)
    till.grant(wish)
    till.settle()
    assert till.journal.find_key("r1") is None
    assert states(till) == [AllowanceState.RELEASED]
