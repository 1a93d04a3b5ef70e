"""What the till says of a card's points: certain, pending, and honest about which."""

from concurrent.futures import Future

import msgspec
import pytest

from offline_queue.conflicts import sentence
from offline_queue.entry import CardEvent, Happening, State
from offline_queue.wire_accounts import Account
from offline_queue.wire_feeds import Verdict
from terminal.inbox import AccountHeard, Answered, CardEventAsked, Settled
from terminal.pos import BalanceView
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig, said


def shown(till: TillRig, number: str = CARD) -> BalanceView | None:
    """The balance that the next read shows."""
    till.timepiece.now_ms += 60_000
    till.present(number)
    view = till.told("card_read")[-1]["balance"]
    return BalanceView(**view) if view else None


def verdict(till: TillRig, entry_id: str, state: State = State.POSTED, n: int = 1) -> Verdict:
    found = till.journal.find_id(entry_id)
    assert found is not None
    return Verdict(n, found.stream, found.seq, found.seq, state, state.value)


def settled(till: TillRig, *verdicts: Verdict, points: int | None = None) -> None:
    """A page of the feed, durable first, as Sync does it."""
    till.store.settle(verdicts, verdicts[-1].n, "g1")
    balances = [] if points is None else [till.balance(points)]
    till.send(Settled(verdicts, balances, verdicts[-1].n))


def test_an_unknown_card_has_no_balance(till: TillRig) -> None:
    """Not zero: unknown; what is sold on it here is all that is known then."""
    assert shown(till) is None
    assert till.sell("sale-1", points=20).balance == BalanceView(20, None, 20, estimate=True)


def test_the_ledger_s_word_is_certain(till: TillRig) -> None:
    """Heard since this start, nothing pending: no estimate."""
    balance = till.balance(120)
    till.send(AccountHeard(CARD, Account("r", "g1", balance, [])))
    assert shown(till) == BalanceView(120, balance.as_of, 0, estimate=False)
    assert till.told("balance")[-1]["balance"]["points"] == 120


def test_sales_since_are_pending_and_make_an_estimate(till: TillRig) -> None:
    """What the customer sees includes the sale just made."""
    till.directory.hear([till.balance(100)])
    answer = till.sell("sale-1", points=20)
    assert answer.balance is not None
    assert (answer.balance.points, answer.balance.pending, answer.balance.estimate) == (120, 20, True)
    till.redeem("r1", points=50)
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending, view.estimate) == (70, -30, True)
    assert shown(till, OTHER_CARD) is None


def test_an_event_of_the_card_leaves_its_points_certain(till: TillRig) -> None:
    """It is on its way to the ledger and moves none."""
    till.send(AccountHeard(CARD, Account("r", "g1", till.balance(100), [])))
    reply: Future[Answered] = Future()
    till.send(CardEventAsked(CARD, CardEvent(Happening.ACTIVATE), reply))
    till.heard(reply)
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending, view.estimate) == (100, 0, False)


def test_a_block_is_heard_whatever_is_pending(till: TillRig) -> None:
    """The points of the answer may count the sale already, what the card is counts at once."""
    till.sell("sale-1", points=20)
    told = msgspec.structs.replace(till.balance(120), status="blocked")
    till.send(AccountHeard(CARD, Account("r", "g1", told, [])))
    refused = till.heard(till.ask("sale-2", "earn", points=1))
    assert (refused.code, refused.reason) == ("card_refused", "card_blocked")


def test_a_decision_moves_points_from_pending_to_certain(till: TillRig) -> None:
    """Once, however often the ledger says it."""
    sale = till.sell("sale-1", points=20)
    for _ in range(2):
        settled(till, verdict(till, sale.id), points=120)
        view = shown(till)
        assert view is not None
        assert (view.points, view.pending, view.estimate) == (120, 0, False)


def test_parked_points_are_not_counted_until_they_are_posted(till: TillRig) -> None:
    """The later decision brings its balance with it and is not subtracted again."""
    sale, other = till.sell("sale-1", points=20), till.sell("sale-2", points=7)
    settled(till, verdict(till, sale.id, State.PARKED, 1), points=100)
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending) == (107, 7)
    settled(till, verdict(till, sale.id, State.POSTED, 2), points=120)
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending) == (127, 7)
    assert other.points == 7


def test_a_range_of_records_is_decided_by_one_verdict(till: TillRig) -> None:
    """Those of other streams and those not yet made are left alone."""
    sales = [till.sell(f"sale-{n}", points=1) for n in range(5)]
    first, last = (till.journal.find_id(sales[n].id) for n in (1, 3))
    assert first is not None
    assert last is not None
    settled(till, Verdict(1, first.stream, first.seq, last.seq, State.POSTED, "posted"), points=3)
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending) == (5, 2)
    posted = [told["id"] for told in till.told("transaction") if told["state"] == "posted"]
    assert posted == [sale.id for sale in sales[1:4]]


def test_a_conflict_is_told_by_its_code(till: TillRig) -> None:
    """Beside the transaction's new state."""
    sale = till.sell("sale-1")
    settled(till, msgspec.structs.replace(verdict(till, sale.id, State.CONFLICT), code="overdrawn"))
    (told,) = till.told("conflict")
    assert (told["id"], told["code"], told["state"]) == (sale.id, "overdrawn", "conflict")
    assert told["sentence"] == sentence("overdrawn").en
    assert till.outcome(sale.id).state is State.CONFLICT


def test_a_restart_rebuilds_what_is_pending(shop: Shop) -> None:
    """From the journal; certain balances of an earlier start are an estimate until heard again."""
    till = shop.start()
    till.directory.hear([till.balance(100)])
    sale = till.sell("sale-1", points=20)
    till.redeem("r1", points=5)
    back = till.heard(till.ask("b1", "reverse", None, reverses=sale.id, points=8))
    assert back.body
    till = shop.restart()
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending, view.estimate) == (107, 7, True)
    settled(till, verdict(till, sale.id), points=120)
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending) == (107, -13)


def test_a_balance_of_an_earlier_start_is_an_estimate(shop: Shop) -> None:
    """Even where nothing is pending."""
    till = shop.start()
    till.send(AccountHeard(CARD, Account("r", "g1", till.balance(100), [])))
    view = shown(shop.restart())
    assert view is not None
    assert (view.points, view.pending, view.estimate) == (100, 0, True)


def test_an_answer_that_was_overtaken_is_ignored(till: TillRig) -> None:
    """Older words do not replace newer ones."""
    old = till.balance(50)
    till.timepiece.now_ms += 1000
    till.directory.hear([till.balance(80)])
    till.send(AccountHeard(CARD, Account("r", "g1", old, [])))
    view = shown(till)
    assert view is not None
    assert view.points == 80


def test_a_balance_that_may_count_pending_points_is_not_added_to_them(till: TillRig) -> None:
    """The ledger has posted the sale, its decision is under way: no point is shown twice."""
    till.directory.hear([till.balance(100)])
    sale = till.sell("sale-1", points=20)
    till.timepiece.now_ms += 1000
    till.send(AccountHeard(CARD, Account("r", "g1", till.balance(120), [])))
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending) == (120, 20)
    settled(till, verdict(till, sale.id), points=120)
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending) == (120, 0)


def test_a_long_page_is_told_by_its_sum(till: TillRig) -> None:
    """A backlog of decisions does not flood whoever watches."""
    sales = [till.sell(f"sale-{n}", points=1) for n in range(101)]
    first, last = (till.journal.find_id(sales[n].id) for n in (0, 100))
    assert first is not None
    assert last is not None
    settled(till, Verdict(1, first.stream, first.seq, last.seq, State.POSTED, "posted"), points=101)
    assert [told for told in till.told("transaction") if told["state"] == "posted"] == []
    view = shown(till)
    assert view is not None
    assert (view.points, view.pending) == (101, 0)


def test_a_word_that_covers_others_too_is_news_for_what_waited(shop: Shop) -> None:
    """The ledger posts what it had parked together with its neighbour, also after a restart of the till."""
    till = shop.start()
    first, second = till.sell("sale-1"), till.sell("sale-2")
    settled(till, verdict(till, first.id, State.PARKED))
    till.close()
    till = shop.start()
    held = [till.journal.find_id(one.id) for one in (first, second)]
    assert held[0] is not None
    assert held[1] is not None
    settled(till, Verdict(2, held[0].stream, held[0].seq, held[1].seq, State.POSTED, "posted"), points=20)
    posted = [told["id"] for told in till.told("transaction") if told["state"] == "posted"]
    assert sorted(posted) == sorted([first.id, second.id])


def test_a_reversal_is_decided_as_it_was_counted(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its original is too old to be kept by then; the others beside it stay what they are."""
    redeemed = till.redeem("r1", points=50)
    back = said(till.heard(till.ask("v1", "reverse", None, reverses=redeemed.id)))
    till.sell("s1", points=10)
    word = verdict(till, back.id)
    with monkeypatch.context() as patched:
        patched.setattr(till.journal, "find_id", lambda _: None)
        settled(till, word)
    view = shown(till)
    assert view is not None
    assert view.pending == 10 - 50
