"""Questions about the till as it stands."""

import json

import msgspec
import pytest

from offline_queue.entry import State
from offline_queue.sync_report import SyncReport
from offline_queue.wire_accounts import Account
from terminal.api.shapes import CardAnswer, Status
from terminal.inbox import AccountHeard
from terminal.pos import Outcome, Refusal
from terminal.wording import kept, read
from tests.terminal.rig import CARD, OTHER_CARD, TillRig

LAST = "2026-03-01T10:00:00.000Z"


def test_the_status_has_the_shape_that_the_api_shows(till: TillRig) -> None:
    """Ledger, queue, readers and clock, as last heard."""
    till.sell("sale-1")
    till.timepiece.now_ms += 5000
    till.send(SyncReport(reachable=True, last_success=LAST, next_attempt=None, detail="fine", ledger_time=LAST))
    status = msgspec.convert(msgspec.to_builtins(till.question("status")), Status)
    assert (status.terminal, status.version) == ("S001-T01", "0.0")
    assert (status.ledger.reachable, status.ledger.last_success) == (True, LAST)
    assert (status.queue.queued, status.queue.oldest_age_s, status.queue.conflicts) == (1, 5.0, 0)
    assert status.clock["ledger_time"] == LAST


def test_sync_news_are_told_with_the_queue(till: TillRig) -> None:
    """One event says whether the ledger is there and what waits for it."""
    till.sell("sale-1")
    till.send(SyncReport(reachable=False, last_success=None, next_attempt=LAST, detail="no route"))
    (told,) = till.told("sync")
    assert (told["reachable"], told["next_attempt"], told["queue"]["queued"]) == (False, LAST, 1)


def test_an_entry_says_what_the_ledger_s_time_was(till: TillRig) -> None:
    """As last heard before it was written."""
    till.send(SyncReport(reachable=True, last_success=LAST, next_attempt=None, detail="", ledger_time=LAST))
    found = till.journal.find_id(till.sell("sale-1").id)
    assert found is not None
    assert found.entry.clock.ledger_time == LAST


def test_a_transaction_is_found_by_id_and_by_key(till: TillRig) -> None:
    """With its state and how it got there."""
    sale = till.sell("sale-1")
    outcome = till.outcome(sale.id)
    assert outcome == till.question("transaction_by_key", "sale-1")
    assert (outcome.state, outcome.history, outcome.idempotency_key) == (State.QUEUED, [State.QUEUED], "sale-1")
    assert outcome.card is not None
    assert outcome.card.number is None


@pytest.mark.parametrize("what", ["transaction_by_key", "recorded"])
def test_what_is_not_decided_yet_is_not_called_unknown(till: TillRig, what: str) -> None:
    """A POS that hung up while the ledger was asked would tell its customer that no points were taken, and they are."""
    reply = till.ask("r1", "redeem", points=5)
    assert till.question(what, "r1").code == "unanswered"
    till.grant(till.wish())
    till.heard(reply)
    assert not isinstance(till.question(what, "r1"), Refusal)


def test_a_read_is_known_by_its_name(till: TillRig) -> None:
    """Whichever dialect it was made in; what is too old is told from what makes no sense."""
    reply = till.wait_for_card()
    till.present(CARD)
    assert till.question("read", till.heard(reply).read_id).number == CARD
    assert till.question("read", "read-none").reason == "read_unknown"


@pytest.mark.parametrize("what", ["transaction", "transaction_by_key"])
def test_what_is_not_there_is_not_found(till: TillRig, what: str) -> None:
    """A refusal, not an empty answer."""
    assert till.question(what, "nothing").code == "not_found"


def test_the_queue_is_paged(till: TillRig) -> None:
    """The oldest first, from behind an id, by state."""
    sales = [till.sell(f"sale-{n}") for n in range(5)]
    assert ids(till, limit=2) == [sales[0].id, sales[1].id]
    assert ids(till, after=sales[1].id, limit=10) == [sale.id for sale in sales[2:]]
    assert ids(till, state="conflict") == []
    assert till.question("queue", '{"limit": "x"}').code == "invalid"
    assert till.question("queue", '{"after": "nobody"}').code == "invalid"


def ids(till: TillRig, **page: object) -> list[str]:
    entries: list[Outcome] = till.question("queue", json.dumps(page))
    return [entry.id for entry in entries]


def test_sync_is_asked_for_and_says_what_is_due(till: TillRig) -> None:
    """A pass at once."""
    till.sell("sale-1")
    assert till.question("sync") == {"due": 1}
    assert till.sync.passes == 1


def test_a_card_is_answered_when_the_ledger_has_been_heard(till: TillRig) -> None:
    """Everybody who asks for it meanwhile hears the same; others go on waiting."""
    first, second = till.question("card", CARD), till.question("card", CARD)
    other = till.question("card", OTHER_CARD)
    till.send(AccountHeard(CARD, Account("r", "g", till.balance(9), [])))
    told = read(kept(till.heard(first)), CardAnswer)
    assert told.card.number == CARD
    assert told.balance is not None
    assert (told.balance.points, told.known) == (9, True)
    assert till.heard(second) == till.heard(first)
    assert not other.done()
    till.send(AccountHeard(OTHER_CARD, None, known=False))
    nobody = till.heard(other)
    assert (nobody["known"], nobody["status"], nobody["reached"]) == (False, "unknown", True)
    again = till.question("card", CARD)
    till.send(AccountHeard(CARD, None))
    last = till.heard(again)
    assert (last["known"], last["status"], last["reached"]) == (True, "active", False)


def test_a_card_is_answered_although_the_ledger_is_silent(till: TillRig) -> None:
    """With what the till knows itself."""
    till.sell("sale-1", points=4)
    reply = till.question("card", CARD)
    till.send(AccountHeard(CARD, None))
    told = till.heard(reply)
    assert (told["known"], told["balance"].points, told["balance"].estimate) == (False, 4, True)
    assert (told["status"], told["reached"]) == ("unknown", False)


def test_a_question_about_a_payment_card_is_refused(till: TillRig) -> None:
    """The ledger never hears of it."""
    assert till.question("card", "4111111111111111").code == "card_refused"
    assert till.inquiries.accounts == []


def test_the_till_says_that_it_is_well(till: TillRig) -> None:
    """Whoever hears it knows that the thread goes on; other questions are refused."""
    assert till.question("health") is True
    assert till.question("weather").code == "invalid"
