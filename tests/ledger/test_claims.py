"""Claims in the books: a sale, its repetitions and its claims come to one effect, in whatever order they arrive."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import msgspec
import pytest
from click.testing import CliRunner
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.cli import ledger
from ledger.facts.codes import Code
from ledger.facts.policy import UnknownCards
from ledger.port.book import Book
from offline_queue.claim_codes import KEY_PREFIX, issue
from offline_queue.claimed_sale import sale_of
from offline_queue.entry import Claim, Entry, Happening, Kind, Receipt, Resolution, State, encode
from tests.ledger.cluster import Cluster
from tests.ledger.conftest import REGISTERING, Shelfful
from tests.ledger.fake_till import CARD, OTHER_CARD, START, FakeTill, points_of
from tests.ledger.test_histories import NewBook, in_a_file, on_a_server

UNKNOWN = "2990000000031"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = KEY.public_key().public_bytes_raw()
STRANGE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


def claim(
    till: FakeTill, sale: Entry, card: str | None = CARD, signer: Ed25519PrivateKey = KEY, **more: object
) -> Entry:
    """As a till records it when a customer shows the code of a sale."""
    code = issue(sale_of(sale), signer).text
    told = {"key": f"{KEY_PREFIX}{sale.key}", "claim": Claim(sale.terminal, sale.id, code), **more}
    return till.entry(Kind.CLAIM, sale.points, card, **told)


@pytest.fixture
def burnt(book: Book) -> FakeTill:
    """The till that sold, with a key that it can sign by."""
    return FakeTill(book, 9, PUBLIC)


@pytest.fixture
def other(book: Book) -> FakeTill:
    return FakeTill(book, 2)


def word(till: FakeTill, entry: Entry) -> tuple[State, str, int | None]:
    verdict = till.verdict(entry)
    return verdict.state, verdict.code, verdict.points


class TestOrders:
    def test_the_claim_of_a_till_that_burnt(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """The sale was never heard of: the claim credits it, with the time of the sale and not of the claim."""
        sale = burnt.earn(30, None, occurred_at=START)
        redeemed = claim(till, sale, occurred_at="2025-08-01T10:00:00.000Z")
        till.send(redeemed)
        assert word(till, redeemed) == (State.POSTED, "posted", None)
        account = book.account("r", CARD)
        assert account is not None
        assert [(lot.earned_at, lot.remaining) for lot in account.lots] == [(START, 30)]
        assert book.verify().problems == []

    def test_the_burnt_disk_comes_back(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """It sends the sale after all: told as a duplicate, and nothing is added."""
        sale = burnt.earn(30, None)
        till.send(claim(till, sale))
        burnt.send(sale)
        assert word(burnt, sale) == (State.POSTED, "duplicate", 0)
        assert points_of(book) == 30

    def test_a_sale_without_a_card_waits_for_its_claim(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """It is parked until somebody shows the code; then it is posted itself, on the claim's card."""
        sale = burnt.earn(30, None)
        burnt.send(sale)
        assert word(burnt, sale) == (State.PARKED, "card_unknown", 0)
        redeemed = claim(till, sale)
        till.send(redeemed)
        assert word(burnt, sale) == (State.POSTED, "posted", None)
        assert word(till, redeemed) == (State.POSTED, "posted", None)
        assert points_of(book) == 30
        assert book.verify().problems == []
        assert book.flagged() == []

    def test_both_in_one_batch(self, book: Book, burnt: FakeTill) -> None:
        """Nothing depends on the commit in between."""
        first, second = burnt.earn(30, None), burnt.earn(5, None)
        burnt.send(first, claim(burnt, first), claim(burnt, second, OTHER_CARD), second)
        assert (points_of(book), points_of(book, OTHER_CARD)) == (30, 5)
        assert book.verify().problems == []

    def test_a_sale_with_a_card_needs_no_claim(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """The sale counts, the claim is told as its duplicate."""
        sale = burnt.earn(30)
        burnt.send(sale)
        redeemed = claim(till, sale)
        till.send(redeemed)
        assert word(till, redeemed) == (State.POSTED, "duplicate", 0)
        assert points_of(book) == 30

    @pytest.mark.parametrize("sale_first", [True, False])
    def test_of_two_claims_the_first_counts(
        self, book: Book, till: FakeTill, other: FakeTill, burnt: FakeTill, sale_first: bool
    ) -> None:
        """A photograph of a receipt is worth nothing once the receipt was used."""
        sale = burnt.earn(30, None)
        if sale_first:
            burnt.send(sale)
        till.send(claim(till, sale))
        late = claim(other, sale, OTHER_CARD)
        other.send(late)
        assert word(other, late) == (State.POSTED, "duplicate", 0)
        assert (points_of(book), points_of(book, OTHER_CARD)) == (30, 0)

    @pytest.mark.parametrize("sale_first", [True, False])
    def test_a_claim_waits_for_its_card(self, book: Book, till: FakeTill, burnt: FakeTill, sale_first: bool) -> None:
        """Registered later, the card gets the points; the sale itself never counts beside it."""
        sale = burnt.earn(30, None)
        redeemed = claim(till, sale, UNKNOWN)
        if sale_first:
            burnt.send(sale)
        till.send(redeemed)
        assert word(till, redeemed)[:2] == (State.PARKED, "card_unknown")
        if not sale_first:
            burnt.send(sale)
            assert word(burnt, sale) == (State.PARKED, "duplicate", 0)
        book.register(UNKNOWN)
        assert word(till, redeemed)[0] is word(burnt, sale)[0] is State.POSTED
        assert points_of(book, UNKNOWN) == 30
        assert book.verify().problems == []

    def test_a_card_with_an_account_does_not_wait_for_one_without(
        self, book: Book, till: FakeTill, other: FakeTill, burnt: FakeTill
    ) -> None:
        """A mistyped card that nobody has must not keep a customer from the points that the books hold."""
        sale = burnt.earn(30, None)
        burnt.send(sale)
        lost = claim(till, sale, UNKNOWN)
        till.send(lost)
        other.send(claim(other, sale))
        book.register(UNKNOWN)
        assert word(till, lost) == (State.POSTED, "duplicate", 0)
        assert (points_of(book), points_of(book, UNKNOWN)) == (30, 0)

    def test_a_new_card_may_be_registered_by_the_claim_itself(self, shelf: Shelfful) -> None:
        """Where the programme opens accounts at sight."""
        book = shelf.open(REGISTERING)
        burnt, till = FakeTill(book, 9, PUBLIC), FakeTill(book)
        sale = burnt.earn(30, None)
        burnt.send(sale)
        till.send(claim(till, sale, UNKNOWN))
        assert points_of(book, UNKNOWN) == 30
        assert word(burnt, sale) == (State.POSTED, "posted", None)

    def test_a_sale_repeated_elsewhere_counts_once_too(
        self, book: Book, till: FakeTill, other: FakeTill, burnt: FakeTill
    ) -> None:
        """The POS sent its key through another till when the first did not answer."""
        sale = burnt.earn(30, None)
        again = other.earn(30, None, key=sale.key)
        other.send(again)
        till.send(claim(till, sale))
        burnt.send(sale)
        assert word(other, again) == (State.POSTED, "posted", None)
        assert word(burnt, sale) == (State.POSTED, "duplicate", 0)
        assert points_of(book) == 30

    def test_the_key_of_another_sale_is_no_duplicate(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """What was used for other points is for people to compare."""
        sale = burnt.earn(30, None)
        burnt.send(replace(sale, points=31))
        late = claim(till, sale)
        till.send(late)
        assert word(till, late) == (State.PARKED, "key_mismatch", 0)

    def test_many_claims_at_once(self, book: Book, burnt: FakeTill) -> None:
        """A code that was photographed and shown at every till of the shop in the same moment counts once."""
        sale, tills = burnt.earn(30, None), [FakeTill(book, number) for number in range(1, 7)]
        burnt.send(sale)
        late = [claim(till, sale, (CARD, OTHER_CARD)[till.number % 2]) for till in tills]
        with ThreadPoolExecutor(len(tills)) as pool:
            answers = [pool.submit(till.send, entry) for till, entry in zip(tills, late, strict=True)]
        assert {answer.result().accepted for answer in answers} == {1}
        assert points_of(book) + points_of(book, OTHER_CARD) == 30
        words = sorted(word(till, entry)[1] for till, entry in zip(tills, late, strict=True))
        assert words == ["duplicate"] * 5 + ["posted"]
        assert book.verify().problems == []


class TestReversals:
    @pytest.mark.parametrize(
        "order", ["sale claim reversal", "claim reversal", "reversal claim", "claim sale reversal"]
    )
    @pytest.mark.parametrize("named", ["sale", "claim"])
    def test_goods_that_come_back(self, book: Book, till: FakeTill, burnt: FakeTill, order: str, named: str) -> None:
        """Points that a claim brought go with the goods, whichever of the two the reversal names, whenever it comes."""
        sale = burnt.earn(30, None)
        redeemed = claim(till, sale)
        back = till.reverse({"sale": sale, "claim": redeemed}[named], 10)
        for what in order.split():
            {
                "sale": partial(burnt.send, sale),
                "claim": partial(till.send, redeemed),
                "reversal": partial(till.send, back),
            }[what]()
        assert word(till, back) == (State.POSTED, "posted", None)
        assert points_of(book) == 20
        assert book.verify().problems == []


class TestDoubts:
    def refused(self, book: Book, till: FakeTill, redeemed: Entry, words: str) -> None:
        """No effect, told why, and the sale itself is still free."""
        till.send(redeemed)
        verdict = till.verdict(redeemed)
        assert (verdict.state, verdict.code) == (State.CONFLICT, "claim_unproven")
        assert words in str(verdict.detail)
        assert points_of(book) == points_of(book, OTHER_CARD) == 0
        assert book.verify().problems == []

    def test_a_person_may_refuse_it_for_good(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """The word stands under the claim's own id, for it is no proof of the sale; the books add up."""
        redeemed = claim(till, burnt.earn(30, CARD), OTHER_CARD)
        till.send(redeemed)
        (flagged,) = book.flagged()
        book.resolve(flagged.name, Resolution.REFUSE, None, "office", "forged")
        assert book.verify().problems == []

    def test_signed_by_nobody_known(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """A code with another key's signature, or of a terminal that was never enrolled."""
        sale = burnt.earn(30, None)
        self.refused(book, till, claim(till, sale, signer=STRANGE_KEY), "not signed")
        self.refused(book, till, claim(till, replace(sale, terminal="S009-T09")), "never enrolled")
        burnt.send(sale)
        till.send(claim(till, sale))
        assert points_of(book) == 30

    def test_signed_with_a_revoked_key(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """A stolen till's codes are worth nothing."""
        assert book.revoke(burnt.terminal, "stolen")
        self.refused(book, till, claim(till, burnt.earn(30, None)), "revoked")

    def test_signed_with_the_key_of_the_disk_that_burnt(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """The new disk has another key; what the old one signed stays proven."""
        assert book.enrol(burnt.terminal, STRANGE_KEY.public_key().public_bytes_raw(), replace=True)
        till.send(claim(till, burnt.earn(30, None)))
        assert points_of(book) == 30

    def test_of_the_card_that_was_replaced(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """Its successor has its account, and so its points."""
        sale = burnt.earn(30)
        book.happen(CARD, Happening.REPLACE, "desk", "lost", UNKNOWN)
        till.send(claim(till, sale, UNKNOWN))
        assert points_of(book, UNKNOWN) == 30
        assert book.verify().problems == []

    def test_of_another_card(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """A found receipt gives its finder nothing where the sale had a card."""
        sale = burnt.earn(30)
        self.refused(book, till, claim(till, sale, OTHER_CARD), "another card than •••• 0024")
        till.send(claim(till, sale, key=f"{KEY_PREFIX}{sale.key}"))
        assert points_of(book) == 30

    @pytest.mark.parametrize(
        "change",
        [
            lambda told: replace(told, points=31),
            lambda told: replace(told, key="claim:another"),
            lambda told: replace(told, key=told.key.removeprefix(KEY_PREFIX)),
            lambda told: replace(told, claim=replace(told.claim, id=told.id)),
            lambda told: replace(told, claim=replace(told.claim, terminal="S001-T01")),
            lambda told: replace(told, claim=replace(told.claim, code="TILLD1:HELLO")),
            lambda told: replace(told, claim=replace(told.claim, code="")),
            lambda told: replace(told, claim=None),
            lambda told: replace(told, card=None),
        ],
    )
    def test_an_entry_that_says_otherwise_than_its_code(
        self, book: Book, till: FakeTill, burnt: FakeTill, change: Callable[[Entry], Entry]
    ) -> None:
        """Whatever a till writes into a claim, only what the code proves has an effect."""
        self.refused(book, till, change(claim(till, burnt.earn(30, None))), "")

    def test_a_claim_cannot_burn_the_key_of_a_sale(self, book: Book, till: FakeTill, burnt: FakeTill) -> None:
        """Guessed keys keep no customer from the points."""
        sale = burnt.earn(30)
        till.send(claim(till, sale, signer=STRANGE_KEY, key=sale.key))
        burnt.send(sale)
        assert word(burnt, sale) == (State.POSTED, "posted", None)


events = st.permutations(["sale", "again", "claim", "late claim", "forged", "reversal", "register"])


def play(new: NewBook, order: list[str], card: str | None, first: str, batches: int) -> None:
    """Everything arrives, in this order, cut into batches; then the books must say one thing."""
    with new(UnknownCards.PARK) as book:
        book.register(CARD)
        burnt, till, other = FakeTill(book, 9, PUBLIC), FakeTill(book, 1), FakeTill(book, 2)
        sale = burnt.earn(30, card, receipt=Receipt("4711", "S001", START))
        redeemed = claim(till, sale, first)
        told: dict[str, tuple[FakeTill, Entry]] = {
            "sale": (burnt, sale),
            "again": (other, other.earn(30, card, key=sale.key, receipt=sale.receipt)),
            "claim": (till, redeemed),
            "late claim": (other, claim(other, sale, card or CARD)),
            "forged": (other, claim(other, sale, OTHER_CARD, STRANGE_KEY)),
            "reversal": (till, till.reverse(redeemed, 10)),
        }
        for what in order:
            if what == "register":
                book.register(UNKNOWN)
            else:
                who, entry = told[what]
                who.stream.append(encode(entry))
                if len(who.stream.records) % batches == 0:
                    who.deliver(who.stream, 1, len(who.stream.records))
        for who in (burnt, till, other):
            who.deliver(who.stream, 1, len(who.stream.records))
        assert points_of(book) + points_of(book, UNKNOWN) == 20
        assert book.verify().problems == []
        for what, (who, entry) in told.items():
            assert who.verdict(entry).state is (State.CONFLICT if what == "forged" else State.POSTED)


@settings(max_examples=40)
@given(events, st.sampled_from([None, CARD, UNKNOWN]), st.sampled_from([CARD, UNKNOWN]), st.integers(1, 3))
def test_any_order_comes_to_one_effect(order: list[str], card: str | None, first: str, batches: int) -> None:
    """The sale, its repetition elsewhere, two claims, a forgery, a reversal and a registration."""
    play(in_a_file, order, card, card or first, batches)


@settings(max_examples=12)
@given(events, st.sampled_from([None, CARD, UNKNOWN]), st.sampled_from([CARD, UNKNOWN]), st.integers(1, 3))
def test_any_order_comes_to_one_effect_in_postgresql(
    postgres: Cluster, order: list[str], card: str | None, first: str, batches: int
) -> None:
    """The same where others write at the same time."""
    play(partial(on_a_server, postgres), order, card, card or first, batches)


def test_the_office_looks_into_a_code(
    book: Book, till: FakeTill, burnt: FakeTill, shelf: Shelfful, database: str
) -> None:
    """Before and after it was claimed, forged, and as typed from a receipt; exit codes for scripts."""
    sale = burnt.earn(30, None)
    code = issue(sale_of(sale), KEY)

    def look(text: str) -> tuple[int, dict[str, object]]:
        result = CliRunner().invoke(
            ledger, ["claim", "verify", text, "--json", "--database", database], standalone_mode=False
        )
        return result.return_value, msgspec.json.decode(result.output)

    end, told = look("\n".join(code.lines))
    assert (end, told["points"], told["proven"], told["credited"]) == (0, 30, True, None)
    till.send(claim(till, sale))
    assert look(code.text)[1]["credited"] == "•••• 0017"
    end, told = look(issue(sale_of(sale), STRANGE_KEY).text)
    assert (end, told["proven"]) == (1, False)
    said = CliRunner().invoke(ledger, ["claim", "verify", code.text, "--database", database]).output
    assert "30 points of a sale at S001-T09" in said
    refused = CliRunner().invoke(ledger, ["claim", "verify", "TILLD1:A", "--database", database])
    assert (refused.exit_code, "cannot be read" in refused.output) == (2, True)
    turned = CliRunner().invoke(ledger, ["claim", "redeem", code.text, CARD, "--database", database])
    assert (turned.exit_code, "NUMBER comes first" in turned.output) == (2, True)


def test_the_code_is_one_of_the_protocol() -> None:
    """Till and ledger mean the same by it."""
    assert Code.CLAIM_UNPROVEN == "claim_unproven"
