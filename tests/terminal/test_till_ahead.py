"""Rights held ahead of need: asked for in time, used offline, void after a restart until the ledger has spoken."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers.base import CardRead, EntryMode, Technology
from offline_queue.entry import Kind
from offline_queue.journal import AHEAD, Allowance, AllowanceState
from offline_queue.wire_accounts import Account, AllowanceAnswer, Balance
from terminal.config import Config
from terminal.config_offline import Offline, Redeem
from terminal.inbox import AccountHeard, AllowanceAnswered, CardPresented, Settled, Welcomed
from terminal.pos import Promise
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig, said
from tests.terminal.test_till_sales import FullDisk

NOW = "2026-03-01T10:00:00.000Z"


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    shop.config = Config(offline=Offline(Redeem.ALLOWANCES, ahead_points=50, ahead_total=80, ahead_cards=2))
    yield shop
    shop.close()


@pytest.fixture
def till(shop: Shop) -> TillRig:
    return shop.start()


def see(till: TillRig, number: str = CARD, points: int = 1000, reserved: int = 0) -> None:
    """The card is presented and the ledger tells its points."""
    till.timepiece.now_ms += 5000
    till.present(number)
    balance = Balance(number, points, reserved, NOW)
    till.send(AccountHeard(number, Account("r", "g", balance, [])))


def give(till: TillRig, points: int | None = None) -> Allowance:
    """The ledger grants what is asked for, or fewer points."""
    wish = till.wish()
    till.store.answer_allowance(wish.id, granted=True, points=points)
    till.send(AllowanceAnswered(wish.id, AllowanceAnswer("r", wish.id, granted=True, points=points)))
    return wish


def hold(till: TillRig, number: str = CARD, points: int | None = None) -> Allowance:
    see(till, number)
    return give(till, points)


def states(till: TillRig) -> dict[str, AllowanceState]:
    return {right.id: right.state for right in till.journal.allowances()}


def nothing_asked(till: TillRig) -> bool:
    till.catch_up()
    return till.inquiries.allowances.empty()


def test_a_card_that_was_seen_gets_a_right(till: TillRig) -> None:
    """On behalf of no sale; a second look asks for no second one."""
    wish = hold(till)
    assert (wish.key, wish.card, wish.points) == (AHEAD, CARD, 50)
    see(till)
    assert nothing_asked(till)


def test_offline_it_is_used_in_the_commit_of_the_redemption(till: TillRig) -> None:
    """Nobody is asked, the answer says by what right, and the right is gone."""
    wish = hold(till)
    answer = said(till.heard(till.ask("r1", "redeem", points=20)))
    assert answer.promise is Promise.HELD
    found = till.journal.find_id(answer.id)
    assert found is not None
    assert found.entry.allowance == wish.id
    assert states(till) == {wish.id: AllowanceState.CONSUMED}
    assert nothing_asked(till)


def test_a_repeat_uses_what_is_held_by_now(till: TillRig) -> None:
    """Its first attempt met silence; the right that it had asked for goes back when it comes."""
    first = till.ask("r1", "redeem", points=20)
    sought = till.wish()
    till.send(AllowanceAnswered(sought.id, None))
    assert till.heard(first).code == "offline_limit"
    held = hold(till)
    answer = said(till.heard(till.ask("r1", "redeem", points=20)))
    assert answer.promise is Promise.HELD
    till.grant(sought)
    till.settle()
    assert states(till) == {held.id: AllowanceState.CONSUMED, sought.id: AllowanceState.RELEASED}


def test_a_repeat_uses_what_was_granted_to_it(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full; what is held ahead of need stays for another sale."""
    disk = FullDisk(till, monkeypatch)
    reply = till.ask("r1", "redeem", points=20)
    sought = till.wish()
    till.grant(sought)
    assert till.heard(reply).code == "not_recorded"
    disk.full = False
    held = hold(till)
    assert said(till.heard(till.ask("r1", "redeem", points=20))).promise is Promise.ONLINE
    assert nothing_asked(till)
    assert states(till) == {held.id: AllowanceState.GRANTED, sought.id: AllowanceState.CONSUMED}


def test_watchers_hear_by_what_right(till: TillRig) -> None:
    """The page can tell the cashier."""
    hold(till)
    till.heard(till.ask("r1", "redeem", points=20))
    assert [told.get("promise") for told in till.told("transaction")] == ["held"]


def test_more_than_was_granted_needs_the_ledger(till: TillRig) -> None:
    """Fewer were granted than asked for; rights are not put together, and the cashier hears what would go."""
    hold(till, points=30)
    reply = till.ask("r1", "redeem", points=40)
    till.send(AllowanceAnswered(till.wish().id, None))
    why = till.heard(reply)
    assert why.code == "offline_limit"
    assert "Redeem at most 30 points" in why.detail.en


def test_the_ledger_s_no_leaves_what_is_held(till: TillRig) -> None:
    """All free points of the card are held here: the ledger has none left, and the cashier hears what would go."""
    hold(till)
    reply = till.ask("r1", "redeem", points=60)
    no = AllowanceAnswer("r", till.wish().id, False, "insufficient_points", Balance(CARD, 50, 50, NOW))
    till.send(AllowanceAnswered(no.id, no))
    why = till.heard(reply)
    assert (why.code, "Redeem at most 50 points" in why.detail.en) == ("insufficient_points", True)
    assert said(till.heard(till.ask("r2", "redeem", points=50))).promise is Promise.HELD


def test_it_is_renewed_when_the_ledger_has_decided(till: TillRig) -> None:
    """The decision brings the balance, and with it the next right."""
    hold(till)
    till.heard(till.ask("r1", "redeem", points=20))
    till.send(Settled([], [Balance(CARD, 35, 0, NOW)], 1))
    assert till.wish().points == 35


def test_a_card_that_a_sale_names_was_here(till: TillRig) -> None:
    """The POS has read it itself; its next balance brings a right, as if the till had read it."""
    till.sell("s1", 10)
    till.send(Settled([], [Balance(CARD, 500, 0, NOW)], 1))
    assert (till.wish().card, nothing_asked(till)) == (CARD, True)


def test_a_card_never_seen_here_gets_none(till: TillRig) -> None:
    """The feed speaks of cards that sold elsewhere too."""
    till.send(Settled([], [Balance(OTHER_CARD, 500, 0, NOW)], 1))
    assert nothing_asked(till)


def test_short_of_room_the_card_not_seen_for_longest_gives_back(till: TillRig) -> None:
    """By a record; and the new card gets its right."""
    first = hold(till)
    second = hold(till, OTHER_CARD)
    till.settle()
    assert states(till) == {first.id: AllowanceState.RELEASED, second.id: AllowanceState.GRANTED}


def test_the_card_that_came_last_keeps_its_right(till: TillRig) -> None:
    """Also where the other one came twice before it."""
    for number in (CARD, CARD, OTHER_CARD):
        see(till, number, points=30)
        till.catch_up()
    first, second = till.wish(), till.wish()
    till.grant(first)
    till.grant(second)
    see(till, "2990000000031", points=30)
    till.settle()
    assert states(till)[first.id] is AllowanceState.RELEASED
    assert states(till)[second.id] is AllowanceState.GRANTED


def test_one_right_is_for_one_of_two_redemptions(till: TillRig) -> None:
    """They come at once; while the first is on its way to the disk, the second asks the ledger."""
    hold(till)
    first, second = till.ask("r1", "redeem", points=20), till.ask("r2", "redeem", points=20)
    till.grant(till.wish())
    assert [said(till.heard(reply)).promise for reply in (first, second)] == [Promise.HELD, Promise.ONLINE]


def test_a_right_on_its_way_back_is_not_promised(till: TillRig) -> None:
    """It makes room for another card while a sale comes for the first one, which asks the ledger."""
    hold(till)
    till.till.handle(CardPresented("counter", CardRead(Technology.QR, EntryMode.SCANNED, OTHER_CARD)))
    till.till.handle(AccountHeard(OTHER_CARD, Account("r", "g", Balance(OTHER_CARD, 1000, 0, NOW), [])))
    reply = till.ask("r1", "redeem", points=20)
    wishes = {wish.key: wish for wish in (till.wish(), till.wish())}
    till.grant(wishes["r1"])
    assert said(till.heard(reply)).promise is Promise.ONLINE


def test_a_wish_that_is_not_durable_is_forgotten(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not uttered, and the next look asks anew."""
    disk = FullDisk(till, monkeypatch)
    with monkeypatch.context() as full:
        full.setattr(till.store, "submit_allowance", disk.submit)
        see(till)
    disk.full = False
    till.drain()
    assert states(till) == {}
    assert nothing_asked(till)
    see(till)
    assert till.wish().points == 50


def test_a_refusal_leaves_nothing(till: TillRig) -> None:
    """The card may be asked for again at its next sight."""
    see(till)
    wish = till.wish()
    till.grant(wish, granted=False, code="insufficient_points")
    see(till)
    assert till.wish().id != wish.id


def test_after_a_restart_it_is_void_until_confirmed(shop: Shop) -> None:
    """Offline nothing is promised on it; once the ledger has confirmed it, it is used."""
    wish = hold(shop.start())
    till = shop.restart()
    reply = till.ask("r1", "redeem", points=20)
    till.send(AllowanceAnswered(till.wish().id, None))
    assert till.heard(reply).code == "offline_limit"
    till.send(Welcomed(NOW, {wish.id: True}))
    answer = said(till.heard(till.ask("r2", "redeem", points=20)))
    assert answer.promise is Promise.HELD
    assert states(till)[wish.id] is AllowanceState.CONSUMED


def test_a_right_that_does_not_hold_is_given_up(shop: Shop) -> None:
    """By a record, once, however often the ledger says so."""
    wish = hold(shop.start())
    till = shop.restart()
    till.send(Welcomed(NOW, {wish.id: False}))
    till.send(Welcomed(NOW, {wish.id: False}))
    till.settle()
    released = till.journal.find_key(f"release:{wish.id}")
    assert released is not None
    assert released.entry.kind is Kind.RELEASE
    assert states(till) == {wish.id: AllowanceState.RELEASED}


def test_a_right_being_used_is_left_to_its_redemption(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger's word comes while the entry is on its way to the disk."""
    wish = hold(till)
    reply = till.ask("r1", "redeem", points=20)
    till.till.handle(Welcomed(NOW, {wish.id: False}))
    assert said(till.heard(reply)).points == 20
    assert states(till) == {wish.id: AllowanceState.CONSUMED}


def test_what_was_asked_before_a_restart_is_not_used_unconfirmed(shop: Shop) -> None:
    """A copy of this disk may be told of the same grant."""
    till = shop.start()
    see(till)
    wish = till.wish()
    till = shop.restart()
    till.grant(wish)
    reply = till.ask("r1", "redeem", points=20)
    till.send(AllowanceAnswered(till.wish().id, None))
    assert till.heard(reply).code == "offline_limit"
    assert states(till)[wish.id] is AllowanceState.GRANTED


def test_a_shop_that_holds_none_gives_all_back(shop: Shop) -> None:
    """The config was changed over the restart."""
    wish = hold(shop.start())
    shop.config = Config()
    till = shop.restart()
    till.settle()
    assert states(till) == {wish.id: AllowanceState.RELEASED}
