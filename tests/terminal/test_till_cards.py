"""Cards at the counter: blocked and replaced ones, and what a person says of them, without a ledger in reach."""

from concurrent.futures import Future
from typing import Any

import msgspec
import pytest

from offline_queue.entry import CardEvent, Happening, Kind, State
from offline_queue.steps import TakeChanges
from offline_queue.wire_accounts import Account, Balance
from offline_queue.wire_feeds import CardChange, Change, Verdict
from terminal.inbox import AccountHeard, Answered, Asked, CardEventAsked, Settled
from terminal.pos import CardEventAnswer, Refusal
from tests.terminal.rig import CARD, Shop, TillRig

NEW, NEWER = "2990000000024", "2990000000031"


def heard_of(till: TillRig, *changes: CardChange) -> None:
    """The courier has brought the feed."""
    page = [Change(n, card=change) for n, change in enumerate(changes, 1)]
    till.directory.hotlist.take(TakeChanges(0, page, len(page), "g1", more=False))


def says(till: TillRig, happening: Happening, number: str = CARD, successor: str | None = None, **more: Any) -> Any:
    """What the POS hears of an event: its answer, or a Refusal."""
    reply: Future[Answered] = Future()
    till.send(CardEventAsked(number, CardEvent(happening, successor), reply, **more))
    heard = till.heard(reply)
    return heard if isinstance(heard, Refusal) else msgspec.json.decode(heard.body, type=CardEventAnswer)


def blocked(heard: object) -> bool:
    return isinstance(heard, Refusal) and (heard.code, heard.reason) == ("card_refused", "card_blocked")


class TestWhatTheLedgerTold:
    def test_a_blocked_card_is_refused_everywhere(self, till: TillRig) -> None:
        """Read, sold on, redeemed: and nothing is recorded."""
        heard_of(till, CardChange(CARD, "blocked"))
        waiting = till.wait_for_card()
        till.present(CARD)
        assert blocked(till.heard(waiting))
        (told,) = till.told("card_unreadable")
        assert (told["reason"], told["title"]) == ("card_blocked", "Blocked card")
        assert blocked(till.heard(till.ask("k1", "earn", points=5)))
        assert blocked(till.heard(till.ask("k2", "redeem", points=5)))
        assert till.question("queue", "{}") == []

    def test_a_read_from_before_the_block_is_refused_too(self, till: TillRig) -> None:
        """The card was blocked while the basket was being paid."""
        waiting = till.wait_for_card()
        till.present(CARD)
        number = till.heard(waiting).card.number
        heard_of(till, CardChange(CARD, "blocked"))
        assert blocked(till.heard(till.ask("k1", "earn", number, points=5)))

    def test_goods_bought_on_a_blocked_card_can_be_brought_back(self, till: TillRig) -> None:
        """A reversal is no use of the card."""
        sale = till.sell("k1")
        heard_of(till, CardChange(CARD, "blocked"))
        reversal = till.heard(till.ask("k2", "reverse", CARD, reverses=sale.id))
        assert not isinstance(reversal, Refusal)

    def test_the_card_that_stands_for_a_replaced_one_is_used_and_said(self, till: TillRig) -> None:
        """Through a chain; the sale names the last one, and the till's knowledge of changes."""
        heard_of(till, CardChange(CARD, "replaced", NEW), CardChange(NEW, "merged", NEWER))
        waiting = till.wait_for_card()
        till.present(CARD)
        shown = till.heard(waiting)
        assert shown.card.number == NEWER
        (hint,) = shown.hints
        assert "replaced" in hint.en
        assert CARD not in hint.en
        sale = till.sell("k1", number=CARD)
        found = till.journal.find_id(sale.id)
        assert found is not None
        assert found.entry.card is not None
        assert (found.entry.card.number, found.entry.hotlist) == (NEWER, 2)

    def test_a_sale_on_the_old_card_is_reversed_with_the_new_one(self, till: TillRig) -> None:
        """The customer has another card by now; a third one is still a mistake."""
        sale = till.sell("k1")
        heard_of(till, CardChange(CARD, "replaced", NEW))
        assert till.heard(till.ask("k2", "reverse", NEWER, reverses=sale.id)).code == "invalid"
        assert not isinstance(till.heard(till.ask("k3", "reverse", NEW, reverses=sale.id)), Refusal)


class TestWhatIsSaidHere:
    def test_a_block_is_durable_and_holds_at_once(self, till: TillRig) -> None:
        """Offline too; and it is sent like a sale."""
        said = says(till, Happening.BLOCK, operator="anna")
        assert (said.kind, said.state, said.status) == (Kind.CARD_EVENT, State.QUEUED, "blocked")
        assert said.card.masked == "•••• 0017"
        found = till.journal.find_id(said.id)
        assert found is not None
        assert found.entry.event == CardEvent(Happening.BLOCK)
        assert found.entry.operator == "anna"
        assert till.sync.nudges == 1
        assert blocked(till.heard(till.ask("k1", "earn", points=5)))
        assert says(till, Happening.BLOCK).status == "blocked"

    def test_a_block_outlives_a_restart_and_a_lost_directory(self, shop: Shop) -> None:
        """The journal has it until the ledger has decided."""
        says(shop.start(), Happening.BLOCK)
        shop.close()
        for file in shop.folder.glob("directory.db*"):
            file.unlink()
        till = shop.start()
        assert blocked(till.heard(till.ask("k1", "earn", points=5)))

    def test_an_unblocked_card_is_used_again(self, till: TillRig) -> None:
        """Though the feed still lists it as blocked."""
        heard_of(till, CardChange(CARD, "blocked"))
        says(till, Happening.UNBLOCK)
        assert till.sell("k1").points == 10

    def test_a_replacement_holds_at_once(self, till: TillRig) -> None:
        """The next sale on the old card is one on the new."""
        assert says(till, Happening.REPLACE, successor=NEW).successor.masked == "•••• 0024"
        sale = till.sell("k1")
        found = till.journal.find_id(sale.id)
        assert found is not None
        assert found.entry.card is not None
        assert found.entry.card.number == NEW

    @pytest.mark.parametrize("successor", [CARD, NEW])
    def test_a_circle_is_refused_before_it_is_recorded(self, till: TillRig, successor: str) -> None:
        """As far as this till knows."""
        says(till, Happening.REPLACE, number=NEW, successor=CARD)
        assert says(till, Happening.REPLACE, successor=successor).code == "invalid"

    def test_a_blocked_card_neither_stands_for_another_nor_is_activated(self, till: TillRig) -> None:
        """It is unblocked first, by somebody who may."""
        heard_of(till, CardChange(NEW, "blocked"))
        assert blocked(says(till, Happening.REPLACE, successor=NEW))
        assert blocked(says(till, Happening.ACTIVATE, number=NEW))

    def test_a_key_of_the_callers_own_counts_once(self, till: TillRig) -> None:
        """The same event again is the first answer; another one under it is a mistake."""
        first = says(till, Happening.BLOCK, key="k1")
        assert says(till, Happening.BLOCK, key="k1") == first
        assert says(till, Happening.UNBLOCK, key="k1").code == "idempotency_key_reused"

    @pytest.mark.parametrize("key", ["k" * 65, "clé"])
    def test_a_bad_key_records_nothing(self, till: TillRig, key: str) -> None:
        """1 to 64 printable ASCII characters, as for a sale."""
        assert says(till, Happening.BLOCK, key=key).code == "invalid"
        assert till.sell("k1").points == 10

    def test_what_cannot_be_read_or_is_no_card_is_not_recorded(self, till: TillRig) -> None:
        """A hidden character in a name could turn a line of the books round; a payment card is none of ours."""
        reply: Future[Answered] = Future()
        till.send(CardEventAsked(CARD, CardEvent(Happening.BLOCK, reason="lost\u202e"), reply))
        refusals = [till.heard(reply), says(till, Happening.BLOCK, operator="an\x1bna")]
        assert [refusal.code for refusal in refusals] == ["invalid", "invalid"]
        payment = says(till, Happening.BLOCK, number="4111111111111111")
        assert (payment.code, payment.reason) == ("card_refused", "payment_card")
        assert till.question("queue", "{}") == []

    @pytest.mark.parametrize(("state", "holds"), [(State.PARKED, True), (State.POSTED, True), (State.CONFLICT, False)])
    def test_it_holds_until_the_ledger_has_refused_it(self, till: TillRig, state: State, holds: bool) -> None:
        """A card that the ledger does not know yet is blocked here all the same; a sale's verdict changes no card."""
        sale, said = till.sell("k0"), says(till, Happening.BLOCK)
        for entry_id, word in ((sale.id, State.CONFLICT), (said.id, state)):
            found = till.journal.find_id(entry_id)
            assert found is not None
            verdict = Verdict(1, found.stream, found.seq, found.seq, word, "card_unknown")
            till.store.settle([verdict], 1, "g1")
            till.send(Settled([verdict], [], 1))
        if state is State.POSTED:
            heard_of(till, CardChange(CARD, "blocked"))
        assert blocked(till.heard(till.ask("k1", "earn", points=5))) == holds

    def test_what_the_ledger_refuses_holds_no_longer(self, till: TillRig) -> None:
        """And shows as a conflict."""
        said = says(till, Happening.BLOCK)
        found = till.journal.find_id(said.id)
        assert found is not None
        verdict = Verdict(1, found.stream, found.seq, found.seq, State.CONFLICT, "card_event_refused")
        till.store.settle([verdict], 1, "g1")
        till.send(Settled([verdict], [], 1))
        assert till.sell("k1").points == 10
        assert till.told("conflict")[0]["code"] == "card_event_refused"

    def test_an_event_moves_no_points(self, till: TillRig) -> None:
        """The balance is as certain as before."""
        till.send(AccountHeard(CARD, Account("r", "g", till.balance(40), [])))
        says(till, Happening.ACTIVATE)
        view = till.sell("k1").balance
        assert view is not None
        assert view.points == 50


def test_a_card_that_only_the_feed_has_told_of_is_known(till: TillRig) -> None:
    """The ledger keeps silent; what nobody has told of is unknown, not active."""
    heard_of(till, CardChange(CARD, "blocked"))
    statuses = []
    for number in (CARD, NEW):
        asked: Future[Any] = Future()
        till.send(Asked("card", number, asked))
        till.send(AccountHeard(number, None))
        statuses.append(till.heard(asked)["status"])
    assert statuses == ["blocked", "unknown"]


def test_a_card_is_shown_with_what_it_is_and_whether_the_ledger_answered(till: TillRig) -> None:
    """The truth of now, or the last that is known."""
    heard_of(till, CardChange(CARD, "replaced", NEW))
    asked: Future[Any] = Future()
    till.send(Asked("card", CARD, asked))
    till.send(AccountHeard(CARD, None))
    told = till.heard(asked)
    assert (told["status"], told["successor"].number, told["reached"]) == ("replaced", NEW, False)
    again: Future[Any] = Future()
    till.send(Asked("card", CARD, again))
    truth = Balance(CARD, 3, 0, "2026-03-01T10:00:00Z", "blocked")
    till.send(AccountHeard(CARD, Account("r", "g", truth, [])))
    told = till.heard(again)
    assert (told["status"], told["successor"], told["reached"]) == ("blocked", None, True)
