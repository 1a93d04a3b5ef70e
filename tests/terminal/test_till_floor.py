"""Floor limits at a till: counted from the journal, free again when the ledger has decided."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from offline_queue.entry import Lane, State
from offline_queue.journal import AllowanceState
from offline_queue.timepiece import rfc3339
from offline_queue.wire_accounts import AllowanceAnswer, Balance
from offline_queue.wire_feeds import Verdict
from terminal.config import Config
from terminal.config_offline import Offline, Redeem
from terminal.inbox import AllowanceAnswered, Settled, Welcomed
from terminal.pos import Promise, Refusal
from tests.terminal.rig import CARD, OTHER_CARD, HandTimepiece, Shop, TillRig, said
from tests.terminal.test_till_sales import FullDisk

HOUR_MS = 3_600_000
CARDS = (CARD, OTHER_CARD, "2990000000031")
DRAW_BYTES = 6
"""What a till draws for its online checks; ids take more."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    shop = Shop(tmp_path)
    limits = {"floor_per_transaction": 40, "floor_per_card": 60, "floor_total": 100, "floor_online_check": 0}
    shop.config = Config(offline=Offline(Redeem.FLOOR, **limits))  # type: ignore[arg-type]
    yield shop
    shop.close()


@pytest.fixture
def till(shop: Shop) -> TillRig:
    return shop.start()


def know(till: TillRig, points: int = 500) -> None:
    till.directory.hear([till.balance(points)])


def redeem(till: TillRig, key: str, points: int = 40) -> Any:
    """The ledger keeps silent."""
    reply = till.ask(key, "redeem", points=points)
    till.send(AllowanceAnswered(till.wish().id, None))
    return till.heard(reply)


def together(till: TillRig, *asked: tuple[str, int]) -> list[Any]:
    """Redemptions that are decided while those before them are on their way to the disk; the ledger keeps silent."""
    replies = [till.ask(f"t{n}", "redeem", number, points=points) for n, (number, points) in enumerate(asked)]
    for wish in [till.wish() for _ in replies]:
        till.till.handle(AllowanceAnswered(wish.id, None))
    return [till.heard(reply) for reply in replies]


def why(heard: Any) -> str | None:
    assert isinstance(heard, Refusal)
    return heard.reason


def test_within_the_limits_it_is_promised_without_a_right(till: TillRig) -> None:
    """And the answer says so; the right that was asked for goes back when it comes."""
    know(till)
    answer = said(redeem(till, "r1"))
    assert answer.promise is Promise.FLOOR
    found = till.journal.find_id(answer.id)
    assert found is not None
    assert found.entry.allowance is None
    (wish,) = till.journal.allowances()
    till.grant(wish)
    till.settle()
    assert [right.state for right in till.journal.allowances()] == [AllowanceState.RELEASED]


def test_the_ledger_s_no_is_no_silence(till: TillRig) -> None:
    """Floor limits are for when it cannot be asked."""
    know(till)
    reply = till.ask("r1", "redeem", points=10)
    till.grant(till.wish(), granted=False, code="insufficient_points")
    assert till.heard(reply).code == "insufficient_points"


def test_a_card_has_its_limit_over_several_sales(till: TillRig) -> None:
    """The second one is told what is left."""
    know(till)
    redeem(till, "r1")
    again = redeem(till, "r2")
    assert why(again) == "per_card"
    assert "Redeem at most 20 points" in again.detail.en
    assert said(redeem(till, "r3", 20)).points == 20


def test_two_at_once_are_not_more_than_one_after_the_other(till: TillRig) -> None:
    """What is on its way to the disk counts."""
    know(till)
    first, second = together(till, (CARD, 40), (CARD, 40))
    assert said(first).points == 40
    assert why(second) == "per_card"


def test_two_at_once_are_held_against_one_balance(till: TillRig) -> None:
    """The second one is told what the first leaves."""
    know(till, 50)
    first, second = together(till, (CARD, 30), (CARD, 30))
    assert said(first).points == 30
    assert why(second) == "balance"
    assert "has 20 points" in second.detail.en


def test_cards_at_once_share_what_the_till_may_lose(till: TillRig) -> None:
    """Each has its own limit and balance, none takes from another's; the till's is one for all."""
    till.directory.hear([till.balance(40, card) for card in CARDS])
    *promised, last = together(till, *((card, 40) for card in CARDS))
    assert [said(each).points for each in promised] == [40, 40]
    assert why(last) == "total"
    assert "Redeem at most 20 points" in last.detail.en


def test_cards_at_once_share_how_often_the_till_may_promise(shop: Shop) -> None:
    """By number, however few the points."""
    shop.config = Config(offline=Offline(Redeem.FLOOR, floor_count=2, floor_online_check=0))
    till = shop.start()
    till.directory.hear([till.balance(40, card) for card in CARDS])
    *promised, last = together(till, *((card, 1) for card in CARDS))
    assert [said(each).points for each in promised] == [1, 1]
    assert why(last) == "count"


def test_a_restart_forgets_no_risk(shop: Shop) -> None:
    """The sums are those of the journal."""
    till = shop.start()
    know(till)
    redeem(till, "r1")
    assert why(redeem(shop.restart(), "r2")) == "per_card"


def test_what_the_ledger_has_decided_is_free_again(till: TillRig) -> None:
    """It is in the balance by then."""
    know(till)
    answer = said(redeem(till, "r1"))
    found = till.journal.find_id(answer.id)
    assert found is not None
    stream = till.store.stream(Lane.URGENT)
    till.send(Settled([Verdict(1, stream, found.seq, found.seq, State.POSTED, "posted")], [till.balance(460)], 1))
    assert said(redeem(till, "r2")).points == 40


def granted(till: TillRig, key: str, points: int, left: int | None) -> Any:
    """The ledger grants at once; `left` of the card's points are then reserved by nobody, None: it does not tell."""
    reply = till.ask(key, "redeem", points=points)
    wish = till.wish()
    after = Balance(CARD, points + (left or 0), points, rfc3339(till.timepiece.now_ms)) if left is not None else None
    till.store.answer_allowance(wish.id, granted=True)
    till.send(AllowanceAnswered(wish.id, AllowanceAnswer("r", wish.id, granted=True, balance=after)))
    return till.heard(reply)


@pytest.mark.parametrize("left", [0, 39, None])
def test_the_line_is_back_before_the_ledger_knows_of_the_promise(till: TillRig, left: int | None) -> None:
    """It grants points that were handed over already: they are not promised again, and the right goes back."""
    know(till, 100)
    assert said(redeem(till, "r1")).promise is Promise.FLOOR
    refused = granted(till, "r2", 100 - (left or 0), left)
    assert (refused.code, refused.reason) == ("offline_limit", "unconfirmed")
    assert "from •••• 0017: 40 points" in refused.detail.en
    till.settle()
    assert [right.state for right in till.journal.allowances()][-1] is AllowanceState.RELEASED


def test_a_right_that_leaves_room_for_the_promise_is_used(till: TillRig) -> None:
    """There are points for both, on this card; and what was promised of another one is no matter."""
    know(till, 100)
    redeem(till, "r1")
    assert said(granted(till, "r2", 60, 40)).promise is Promise.ONLINE
    till.directory.hear([till.balance(40, OTHER_CARD)])
    assert said(together(till, (OTHER_CARD, 40))[0]).promise is Promise.FLOOR


def test_once_the_ledger_has_decided_its_word_is_enough(till: TillRig) -> None:
    """What it grants then is beside the promise."""
    know(till, 100)
    found = till.journal.find_id(said(redeem(till, "r1")).id)
    assert found is not None
    stream = till.store.stream(Lane.URGENT)
    till.send(Settled([Verdict(1, stream, found.seq, found.seq, State.POSTED, "posted")], [till.balance(60)], 1))
    assert said(granted(till, "r2", 60, 0)).promise is Promise.ONLINE


def test_points_that_a_right_holds_here_are_not_promised_beside_it(
    till: TillRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was granted, the disk was full, and the sale will come again for it."""
    know(till, 50)
    disk = FullDisk(till, monkeypatch)
    assert granted(till, "r1", 30, 20).code == "not_recorded"
    disk.full = False
    refused = redeem(till, "r2")
    assert (why(refused), "Redeem at most 20 points" in refused.detail.en) == ("balance", True)
    assert said(till.heard(till.ask("r1", "redeem", points=30))).promise is Promise.ONLINE


def test_points_earned_here_since_are_for_the_ledger_to_promise(till: TillRig) -> None:
    """A programme may let them rest for weeks; and a redemption would reach the ledger before them."""
    know(till, 10)
    sale = till.sell("s1", 100)
    refused = redeem(till, "r1", 11)
    assert (why(refused), "has 10 points" in refused.detail.en) == ("balance", True)
    till.heard(till.ask("v1", "reverse", None, reverses=sale.id))
    assert said(redeem(till, "r2", 10)).points == 10


def test_an_old_balance_promises_nothing(till: TillRig) -> None:
    """Its age is told by the ledger's clock, whatever the till's own says."""
    know(till)
    till.send(Welcomed(till.balance(0).as_of, {}))
    till.timepiece.now_ms += 72 * HOUR_MS
    assert said(redeem(till, "r1")).points == 40
    till.timepiece.now_ms += 1
    assert why(redeem(till, "r2", 1)) == "balance_age"


def test_an_unknown_card_is_promised_nothing(till: TillRig) -> None:
    """This till has never heard of its points."""
    assert why(redeem(till, "r1")) == "balance_unknown"


def test_points_that_only_this_till_knows_of_are_promised_to_nobody(till: TillRig) -> None:
    """The card has earned here; whether it has spent elsewhere only the ledger can tell."""
    till.sell("s1", 100)
    assert why(redeem(till, "r1")) == "balance_unknown"


class Dice(HandTimepiece):
    """`falls` is what chance says from now on, in [0, 1)."""

    falls = 0.0

    def random(self, count: int) -> bytes:
        if count == DRAW_BYTES:
            return int(self.falls * 2 ** (8 * count)).to_bytes(count, "big")
        return super().random(count)


def test_a_card_drawn_for_a_check_stays_drawn_until_the_ledger_is_heard(shop: Shop) -> None:
    """Trying again does not help; when the ledger was there, chance decides anew, and for each card alone."""
    shop.timepiece = dice = Dice()
    shop.config = Config(offline=Offline(Redeem.FLOOR, floor_online_check=20))
    till = shop.start()
    till.directory.hear([till.balance(500, card) for card in CARDS])
    assert why(redeem(till, "r1")) == "online_check"
    dice.falls = 0.9
    assert why(redeem(till, "r2")) == "online_check"
    assert said(together(till, (OTHER_CARD, 40))[0]).points == 40
    till.send(Welcomed(till.balance(0).as_of, {}))
    assert said(redeem(till, "r3")).points == 40
