"""Records of one batch bear on one another as if each had come in a batch of its own."""

import io
import json
from collections.abc import Callable

import pytest

from ledger.facts.policy import Policy, UnknownCards
from ledger.port.book import Book
from ledger.rules.cards import is_merger
from offline_queue.entry import Card, Entry, Happening, State, decode
from tests.ledger.conftest import Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, FakeTill, points_of
from tests.ledger.holder import Holder
from tests.ledger.test_card_lifecycle import happens
from tests.ledger.test_corrections_contract import by_day, sound

Deliver = Callable[..., None]


@pytest.fixture(params=["in one batch", "one by one"])
def deliver(request: pytest.FixtureRequest) -> Deliver:
    def send(till: FakeTill, *entries: Entry) -> None:
        for batch in [entries] if request.param == "in one batch" else [[entry] for entry in entries]:
            till.send(*batch)

    return send


def test_reversals_in_parts_give_each_lot_back_once(book: Book, till: FakeTill, deliver: Deliver) -> None:
    """The second one knows what the first has given back: no sale has more points left than it gave."""
    days = [f"2025-06-0{day}T10:00:00.000Z" for day in (1, 2, 3)]
    used = till.redeem(25)
    deliver(
        till, *(till.earn(10, occurred_at=day) for day in days), used, till.reverse(used, 8), till.reverse(used, 12)
    )
    assert by_day(book) == {"2025-06-01": 5, "2025-06-02": 10, "2025-06-03": 10}
    deliver(till, till.reverse(used), till.redeem(1))
    assert by_day(book) == {"2025-06-01": 9, "2025-06-02": 10, "2025-06-03": 10}
    sound(book)


def test_a_promise_is_kept_on_the_account_that_took_its_own_in(shelf: Shelfful, deliver: Deliver) -> None:
    """The merger may come with the redemption: the points were promised, and moved with the promise."""
    book = shelf.open(Policy(UnknownCards.REGISTER, events_from_tills=frozenset(Happening)))
    till = FakeTill(book)
    till.send(till.earn(50), till.earn(5, OTHER_CARD))
    assert till.ask("a1", 50).granted
    used = till.redeem(50, allowance="a1")
    deliver(till, happens(till, Happening.MERGE, CARD, OTHER_CARD), used)
    assert (till.verdict(used).state, till.verdict(used).code) == (State.POSTED, "account_merged")
    assert points_of(book, OTHER_CARD) == 5
    assert book.allowances() == []
    sound(book)


@pytest.mark.parametrize("apart", [True, False])
def test_what_a_crash_may_give_back_has_one_sum(shelf: Shelfful, till: FakeTill, apart: bool) -> None:
    """Two promises over the same end without a seal: the cap is for both together, however they come."""
    book = till.book = shelf.open(Policy(unsealed_cap=50))
    till.send(till.earn(100), stream=till.new_stream())
    holder = Holder(book, till)
    holder.sync()
    for name in ("a1", "a2", "a3"):
        assert holder.ask(name, 20).granted
    holder.restart(sealed=False)
    holder.hello()
    for name in ("a1", "a2", "a3"):
        holder.release(name)
        if apart:
            holder.deliver()
    holder.deliver()
    assert [(held.id, held.state) for held in book.allowances()] == [("a3", "locked")]
    sound(book)


def test_a_name_that_no_request_may_have_reserves_nothing(book: Book, till: FakeTill, deliver: Deliver) -> None:
    """A redemption by an overlong allowance is flagged like any without one; the longest name there may be is kept."""
    till.send(till.earn(50))
    for length in (64, 65):
        used = till.redeem(10, allowance="n" * length)
        deliver(till, used)
        assert till.verdict(used).code == "allowance_void"
        if length == 64:
            answer = till.ask("n" * length, 10)
            assert (answer.granted, answer.code) == (False, "allowance_void")
    assert points_of(book) == 30
    sound(book)


def test_a_revoked_till_hears_that_first(book: Book, till: FakeTill) -> None:
    """That the card is blocked besides is not its business any more."""
    till.send(till.earn(50))
    till.hello(till.stream)
    book.happen(CARD, Happening.BLOCK, "Anne", "lost")
    assert till.ask("a1", 10).code == "card_blocked_known"
    book.revoke(till.terminal, "stolen")
    assert till.ask("a2", 10).code == "key_revoked"


def test_a_merger_says_by_whom_and_between_which_cards(book: Book, till: FakeTill) -> None:
    """On the statement, with the numbers masked; the pair of entries that explains it names who merged them."""
    till.send(till.earn(50), till.earn(5, OTHER_CARD))
    book.happen(CARD, Happening.MERGE, "Anne", "two cards of one customer", OTHER_CARD)
    statement = book.statement(OTHER_CARD)
    assert statement is not None
    (moved,) = [line for line in statement.entries if line.kind == "correction" and line.points > 0]
    assert (moved.points, moved.terminal) == (50, "ledger")
    assert moved.reason is not None
    assert moved.reason.startswith("merge of ")
    assert all(said in moved.reason for said in (CARD[-4:], OTHER_CARD[-4:]))
    assert CARD not in moved.reason
    out = io.BytesIO()
    book.export(out)
    records = [told["record"] for line in out.getvalue().splitlines() if "record" in (told := json.loads(line))]
    pair = [entry for raw in records if is_merger(entry := decode(raw.encode()))]
    assert [entry.card for entry in pair] == [Card(CARD), Card(CARD)]
    assert [entry.correction and (entry.correction.author, entry.correction.points) for entry in pair] == [
        ("Anne", -50),
        ("Anne", 50),
    ]
