"""Sales and reversals: recorded before they are answered, once for each key."""

from concurrent.futures import Future

import msgspec
import pytest

from offline_queue.entry import Kind, Lane, State
from offline_queue.journal import NotRecorded
from offline_queue.wire_accounts import Account
from offline_queue.wire_feeds import Verdict
from terminal.inbox import AccountHeard, Answered, Recorded, Settled, Stop, TransactionAsked
from terminal.pos import Amount, CardNumber, Receipt, Refusal, TransactionRequest
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig, said


def test_a_sale_is_in_the_journal_when_the_pos_hears_of_it(till: TillRig) -> None:
    """Answer and record say the same; the answer hides the card's number."""
    answer = till.sell("sale-1", points=24)
    found = till.journal.find_key("sale-1")
    assert found is not None
    assert (found.entry.id, found.entry.kind, found.entry.points) == (answer.id, Kind.EARN, 24)
    assert found.entry.card is not None
    assert found.entry.card.number == CARD
    assert (answer.state, answer.points) == (State.QUEUED, 24)
    assert answer.card is not None
    assert (answer.card.masked, answer.card.number) == ("•••• 0017", None)
    assert till.till.idle


def test_a_sale_is_told_to_watchers_and_to_sync(till: TillRig) -> None:
    """After the commit, with the balance that counts it."""
    answer = till.sell("sale-1")
    (told,) = till.told("transaction")
    assert (told["id"], told["state"], told["balance"]["points"]) == (answer.id, "queued", 10)
    assert (told["points"], told["effect"]) == (10, 10)
    assert till.sync.nudges == 1


def test_a_stream_s_own_records_are_no_transactions(till: TillRig) -> None:
    """The ledger decides on a genesis record too; no POS is told of a transaction that it never made."""
    stream = till.store.stream(Lane.BULK)
    till.send(Settled([Verdict(1, stream, 1, 1, State.POSTED, "posted")], [], 1))
    assert till.told("transaction") == []


def test_a_repeated_sale_hears_the_first_answer(till: TillRig) -> None:
    """Byte for byte, marked as replayed, and nothing is recorded again."""
    first = till.heard(till.ask("sale-1", "earn", points=10))
    second = till.heard(till.ask("sale-1", "earn", points=10))
    assert (second.body, first.replayed, second.replayed) == (first.body, False, True)
    assert till.journal.totals().queued == 1


def test_a_repeat_needs_nothing_that_the_first_needed(till: TillRig) -> None:
    """The card is blocked by now, the ledger silent: the first answer stands, and no second right is asked for."""
    bodies = [till.heard(till.ask("sale-1", "earn", points=9)).body]
    redeemed = till.ask("r1", "redeem", points=5)
    till.grant(till.wish())
    bodies.append(till.heard(redeemed).body)
    blocked = msgspec.structs.replace(till.balance(100), status="blocked")
    till.send(AccountHeard(CARD, Account("r", "g1", blocked, [])))
    again = [till.heard(till.ask("sale-1", "earn", points=9)), till.heard(till.ask("r1", "redeem", points=5))]
    assert again == [Answered(body, replayed=True) for body in bodies]
    assert till.inquiries.allowances.empty()


def test_a_repeat_in_flight_waits_for_the_same_result(till: TillRig) -> None:
    """Two requests with one key before the first is answered are one sale."""
    first, second = till.ask("sale-1", "earn", points=10), till.ask("sale-1", "earn", points=10)
    assert till.heard(first).body == till.heard(second).body
    assert till.journal.totals().queued == 1


def test_a_restarted_till_knows_its_keys(shop: Shop) -> None:
    """The first answer is given again, from the journal."""
    first = shop.start().sell("sale-1")
    till = shop.restart()
    again = till.heard(till.ask("sale-1", "earn", points=10))
    assert again.replayed
    assert said(again) == first


@pytest.mark.parametrize("recorded_first", [True, False])
def test_a_key_of_another_sale_is_refused(till: TillRig, recorded_first: bool) -> None:
    """In flight as in the journal; the first sale stands."""
    first = till.ask("sale-1", "earn", points=10)
    if recorded_first:
        till.heard(first)
    second = till.ask("sale-1", "earn", points=11)
    assert till.heard(second).code == "idempotency_key_reused"
    assert said(till.heard(first)).points == 10


def test_a_sale_without_a_card_is_kept_by_its_receipt(till: TillRig) -> None:
    """The points can be claimed later; the store is the till's own unless the receipt names one."""
    answer = said(till.heard(till.ask("sale-1", "earn", None, points=3, receipt=Receipt("R-77"))))
    assert (answer.card, answer.balance) == (None, None)
    found = till.journal.find_id(answer.id)
    assert found is not None
    assert found.entry.receipt is not None
    assert (found.entry.receipt.number, found.entry.receipt.store) == ("R-77", "S001")


def test_a_sale_can_name_its_amount(till: TillRig) -> None:
    """24.90 EUR earn 24 points by the built-in rule."""
    answer = said(till.heard(till.ask("sale-1", "earn", amount=Amount(2490, "EUR"))))
    assert answer.points == 24


@pytest.mark.parametrize(
    ("number", "code", "reason"),
    [
        ("4111111111111111", "card_refused", "payment_card"),
        ("9" * 10_000, "card_refused", "too_long"),
        ("", "card_refused", "no_number"),
    ],
)
def test_what_is_no_card_is_refused(till: TillRig, number: str, code: str, reason: str) -> None:
    """And nothing is recorded, nor a digit of it repeated."""
    reply: Future[Answered] = Future()
    till.send(TransactionAsked(TransactionRequest("earn", CardNumber(number), points=1), "sale-1", reply))
    refusal = till.heard(reply)
    assert (refusal.code, refusal.reason) == (code, reason)
    assert not number or number not in refusal.detail.en
    assert till.journal.totals().queued == 0


@pytest.mark.parametrize(
    "card", [CardNumber(), CardNumber(CARD, "a-read"), CardNumber(read_id="a", entry_mode="keyed")]
)
def test_a_card_is_named_in_one_way(till: TillRig, card: CardNumber) -> None:
    """By its number, with how it was read, or by a read of the till: never by both or neither."""
    refused = till.heard(till.sent("k-1", TransactionRequest("earn", card, points=1)))
    assert (refused.code, till.journal.find_key("k-1")) == ("invalid", None)


@pytest.mark.parametrize("key", ["", "k" * 65, "clé", "a\nb"])
def test_a_bad_key_is_refused(till: TillRig, key: str) -> None:
    """In words for the programmer of the POS."""
    assert till.heard(till.ask(key, "earn", points=1)).code == "invalid"


def test_a_reversal_takes_back_what_is_left(till: TillRig) -> None:
    """In parts, up to the original, on the original's card."""
    sale = till.sell("sale-1", points=30)
    part = said(till.heard(till.ask("back-1", "reverse", None, reverses=sale.id, points=10)))
    rest = said(till.heard(till.ask("back-2", "reverse", None, reverses=sale.id)))
    assert (part.points, rest.points) == (10, 20)
    assert rest.balance is not None
    assert rest.balance.points == 0
    refusal = till.heard(till.ask("back-3", "reverse", None, reverses=sale.id))
    assert refusal.code == "invalid"
    assert till.outcome(rest.id).reverses == sale.id
    assert [(told["points"], told["effect"]) for told in till.told("transaction")] == [(30, 30), (10, -10), (20, -20)]


def test_two_reversals_in_flight_cannot_take_back_more_than_the_original(till: TillRig) -> None:
    """The journal decides where the till could not yet know."""
    sale = till.sell("sale-1", points=30)
    replies = [till.ask(f"back-{n}", "reverse", None, reverses=sale.id, points=20) for n in range(2)]
    heard = [till.heard(reply) for reply in replies]
    assert [isinstance(one, Answered) for one in heard] == [True, False]
    assert heard[1].code == "invalid"
    assert till.journal.reversed_points(sale.id) == 20


def test_a_reversal_needs_its_original(till: TillRig) -> None:
    """Unknown is not found; none at all makes no sense."""
    assert till.heard(till.ask("b1", "reverse", None, reverses="no-such-id")).code == "not_found"
    assert till.heard(till.ask("b2", "reverse", None)).code == "invalid"


def test_a_sale_without_a_card_is_reversed_without_one(till: TillRig) -> None:
    """Its points are nobody's yet: they are not taken from a card that is named now."""
    sale = till.sell("sale-1", number=None)
    assert till.heard(till.ask("b1", "reverse", CARD, reverses=sale.id)).code == "invalid"
    assert said(till.heard(till.ask("b2", "reverse", None, reverses=sale.id))).card is None


def test_a_reversal_on_another_card_is_refused(till: TillRig) -> None:
    """Points go back where they came from."""
    sale = till.sell("sale-1")
    assert till.heard(till.ask("b1", "reverse", OTHER_CARD, reverses=sale.id)).code == "invalid"


class FullDisk:
    """A journal whose commits fail as long as `full`."""

    def __init__(self, till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = True
        self._submit = till.store.submit
        monkeypatch.setattr(till.store, "submit", self.submit)

    def submit(self, *arguments: object) -> "Future[object]":
        if not self.full:
            return self._submit(*arguments)  # type: ignore[arg-type, return-value]
        failed: Future[object] = Future()
        failed.set_exception(NotRecorded("no space left on device"))
        return failed


def test_a_failed_commit_is_a_refused_sale(till: TillRig, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said so at once; the same key is recorded as soon as there is room."""
    disk = FullDisk(till, monkeypatch)
    refusal = till.heard(till.ask("sale-1", "earn", points=10))
    assert refusal.code == "not_recorded"
    assert refusal.detail.en.lower().count("recorded") == 1
    assert "no space left on device" in refusal.detail.en
    assert till.till.idle
    assert till.told("transaction") == []
    assert till.question("card", CARD) is not None
    disk.full = False
    assert till.sell("sale-1").points == 10


def test_whoever_waits_for_a_failed_commit_hears_the_same(till: TillRig) -> None:
    """A second request with the key is not left waiting."""
    reply = till.ask("sale-1", "redeem", points=5)
    second = till.ask("sale-1", "redeem", points=5)
    till.send(Stop())
    assert till.heard(reply).code == till.heard(second).code == "offline_limit"


def test_a_reply_that_nobody_takes_is_no_error(till: TillRig) -> None:
    """A caller that has cancelled its future does not stop the till."""
    reply = till.ask("sale-1", "earn", points=1)
    reply.cancel()
    assert till.heard(till.ask("sale-1", "earn", points=1)).replayed


def test_a_record_that_was_there_already_moves_no_points(till: TillRig) -> None:
    """The journal's own replay is not counted a second time."""
    sale = till.sell("sale-1")
    found = till.journal.find_id(sale.id)
    assert found is not None
    till.send(Recorded(found.entry, replayed=True, stream=found.stream, seq=found.seq))
    assert len(till.told("transaction")) == 1


def test_a_refusal_has_a_reason_for_programs() -> None:
    """Beside the words for people."""
    assert Refusal("card_refused", "words", "payment_card").reason == "payment_card"
