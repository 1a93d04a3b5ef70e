"""Claim codes at the till: each sale's own, and those that customers bring back."""

from concurrent.futures import Future
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from offline_queue.claim_codes import Code, read
from offline_queue.entry import Card, Kind, State
from offline_queue.steps import TakeChanges
from offline_queue.wire_feeds import CardChange, Change
from terminal.claims.shapes import ClaimAnswer, ClaimView, Proof
from terminal.claims.words import _WORDS, words
from terminal.config_claims import Claims, Sales
from terminal.inbox import Answered, ClaimAsked
from terminal.pos import Amount, CardNumber, Receipt, Refusal
from terminal.wording import read as read_kept
from tests.offline_queue.claimed import PUBLIC, code_of, sold
from tests.terminal.rig import CARD, OTHER_CARD, Shop, TillRig, said

STRANGE_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture
def till(shop: Shop) -> TillRig:
    return shop.start()


def code_of_sale(till: TillRig, key: str = "K", number: str | None = None, points: int = 30) -> Code:
    """The code that the POS hears with its sale."""
    claim = till.sell(key, points, number).claim
    assert claim is not None
    return read(claim)


def redeem(till: TillRig, code: str, number: str = CARD) -> "Answered | Refusal":
    reply: Future[Answered] = Future()
    till.send(ClaimAsked(code, CardNumber(number), reply))
    heard = till.heard(reply)
    assert isinstance(heard, Answered | Refusal)
    return heard


def redeemed(till: TillRig, code: str, number: str = CARD) -> ClaimAnswer:
    heard = redeem(till, code, number)
    assert isinstance(heard, Answered), heard
    return read_kept(heard.body, ClaimAnswer)


def refusal(till: TillRig, code: str, number: str = CARD) -> tuple[str, str | None]:
    heard = redeem(till, code, number)
    assert isinstance(heard, Refusal), heard
    assert "•••" in heard.detail.en or "points" in heard.detail.en.lower()
    assert CARD not in heard.detail.en
    return heard.code, heard.reason


def view(till: TillRig, code: str) -> ClaimView:
    found = till.question("claim", code)
    assert isinstance(found, ClaimView), found
    return found


class TestIssue:
    def test_each_sale_has_its_code(self, till: TillRig) -> None:
        """Signed by the till, with what the entry says; and the card is told only to whoever has it."""
        answer = till.sell("K", 30)
        code = read(answer.claim or "")
        assert code.proven([PUBLIC])
        sale = code.sale
        assert (sale.terminal, sale.key, sale.id, sale.points) == ("S001-T01", "K", answer.id, 30)
        assert (sale.on(CARD), sale.on(OTHER_CARD)) == (True, False)
        assert sale.occurred_at == till.outcome(answer.id).occurred_at

    def test_the_time_needs_no_room(self, till: TillRig) -> None:
        """It is that of the entry's id, to the millisecond."""
        assert len(code_of_sale(till).raw) == len(code_of(sold(key="K", points=30, receipt=None)).raw)

    def test_a_repeated_sale_hears_the_same_code(self, till: TillRig) -> None:
        """It belongs to the first answer."""
        first = till.heard(till.ask("K", "earn", None, points=30))
        again = till.heard(till.ask("K", "earn", None, points=30))
        assert again.replayed
        assert again.body == first.body

    def test_it_can_be_asked_for_later(self, shop: Shop, till: TillRig) -> None:
        """When the printer was out of paper; also after a restart."""
        answer = till.sell("K", 30, None)
        assert till.outcome(answer.id).claim == answer.claim
        assert shop.restart().outcome(answer.id).claim == answer.claim

    def test_the_receipt_is_on_it(self, till: TillRig) -> None:
        """So that office and customer can compare."""
        code = read(said(till.heard(till.ask("K", "earn", points=5, receipt=Receipt("4711")))).claim or "")
        assert (code.sale.receipt, code.sale.store) == ("4711", "S001")

    def test_what_earned_nothing_has_none(self, till: TillRig) -> None:
        """No points, a redemption, a reversal."""
        sale = till.sell("K", 30)
        assert said(till.heard(till.ask("V", "reverse", None, reverses=sale.id))).claim is None
        assert till.redeem("R").claim is None
        assert said(till.heard(till.ask("0", "earn", amount=Amount(1, "EUR")))).claim is None

    @pytest.mark.parametrize(
        ("claims", "codes"),
        [
            (Claims(), [True, True]),
            (Claims(sales=Sales.CARDLESS), [False, True]),
            (Claims(enabled=False), [False, False]),
        ],
    )
    def test_the_shop_chooses(self, shop: Shop, claims: Claims, codes: list[bool]) -> None:
        """Codes for all, for those without a card, for none."""
        shop.config = msgspec.structs.replace(shop.config, claims=claims)
        till = shop.start()
        assert [till.sell(f"K{number}", 5, number).claim is not None for number in (CARD, None)] == codes


class TestRedeem:
    def test_a_sale_without_a_card_goes_to_the_card_that_is_shown(self, till: TillRig) -> None:
        """Recorded under a key of its own that names the sale; the points count when the ledger has said so."""
        code = code_of_sale(till)
        answer = redeemed(till, code.text)
        assert (answer.kind, answer.state, answer.points, answer.proof) == (Kind.CLAIM, State.QUEUED, 30, Proof.PROVEN)
        assert (answer.sale, answer.balance) == (code.sale.id, None)
        found = till.journal.find_key("claim:K")
        assert found is not None
        entry = found.entry
        assert entry.card is not None
        assert entry.claim is not None
        assert (entry.card.number, entry.points) == (CARD, 30)
        assert (entry.claim.terminal, entry.claim.id, entry.claim.code) == ("S001-T01", code.sale.id, code.text)

    def test_typed_is_as_good_as_scanned(self, till: TillRig) -> None:
        """Line by line, in small letters."""
        code = code_of_sale(till)
        assert redeemed(till, "\n".join(code.lines).lower()).sale == code.sale.id

    def test_the_same_again_hears_the_first_answer(self, shop: Shop, till: TillRig) -> None:
        """Whichever form, before and after a restart."""
        code = code_of_sale(till)
        first = redeem(till, code.text)
        till = shop.restart()
        again = redeem(till, "\n".join(code.lines))
        assert isinstance(first, Answered)
        assert isinstance(again, Answered)
        assert (again.body, again.replayed) == (first.body, True)

    def test_two_at_once_are_one(self, till: TillRig) -> None:
        """A nervous finger on the button."""
        code = code_of_sale(till)
        replies: list[Future[Answered]] = [Future(), Future()]
        for reply in replies:
            till.till.handle(ClaimAsked(code.text, CardNumber(CARD), reply))
        first, second = (till.heard(reply) for reply in replies)
        assert first.body == second.body

    def test_another_card_comes_too_late(self, till: TillRig) -> None:
        """It hears who has the points, masked."""
        code = code_of_sale(till)
        redeemed(till, code.text)
        heard = redeem(till, code.text, OTHER_CARD)
        assert isinstance(heard, Refusal)
        assert (heard.code, "•••• 0017" in heard.detail.en) == ("claimed", True)

    def test_a_sale_that_had_its_card_is_credited_already(self, till: TillRig) -> None:
        """The customer is told, and nothing is recorded."""
        code = code_of_sale(till, number=CARD)
        assert refusal(till, code.text) == ("claimed", None)
        assert till.journal.find_key("claim:K") is None

    def test_a_code_of_another_till_is_for_the_ledger_to_prove(self, till: TillRig) -> None:
        """Its key is not held here: recorded all the same, and the cashier says that the points come later."""
        code = code_of(sold(key="K", terminal="S002-T07"), STRANGE_KEY)
        answer = redeemed(till, code.text)
        assert (answer.proof, "S002-T07" in answer.detail.en) == (Proof.UNKNOWN_TILL, True)

    def test_a_forged_code_of_this_till_is_refused(self, till: TillRig) -> None:
        """Whoever signed it had not this till's key."""
        code = code_of(sold(), STRANGE_KEY)
        assert refusal(till, code.text) == ("claim_unproven", "signature")

    def test_the_finder_of_a_receipt_gets_nothing(self, till: TillRig) -> None:
        """The sale was made with a card; another one may not claim it."""
        lost = code_of(sold(key="burnt", card=Card(CARD)))
        assert refusal(till, lost.text, OTHER_CARD) == ("claim_unproven", "other_card")
        assert redeemed(till, lost.text).points == 249

    def test_the_card_was_replaced_since(self, till: TillRig) -> None:
        """The old card is lost, so the customer shows the one that stands for it, or another that does not."""
        changes = (
            Change(1, card=CardChange(CARD, "replaced", "2990000000024")),
            Change(2, card=CardChange("2990000000024", "merged", "2990000000031")),
        )
        till.directory.hotlist.take(TakeChanges(0, changes, 2, "g1", more=False))
        lost = code_of(sold(key="burnt", card=Card(CARD)))
        assert refusal(till, lost.text, "2990000000048") == ("claim_unproven", "other_card")
        assert redeemed(till, lost.text, "2990000000031").points == 249

    @pytest.mark.parametrize(
        ("text", "reason", "what"),
        [
            ("TILLD1:NONSENSE", "damaged", "Scan it again"),
            ("TILLD9:AB", "newer", "update the till"),
            ("https://example.org", "foreign", "Scan the receipt's code"),
            (" ", "foreign", "Scan the receipt's code"),
        ],
    )
    def test_what_is_no_code_is_said_so(self, till: TillRig, text: str, reason: str, what: str) -> None:
        """With what helps, in the cashier's words; nothing is recorded."""
        heard = redeem(till, text)
        assert isinstance(heard, Refusal)
        assert (heard.code, heard.reason) == ("claim_unreadable", reason)
        assert what in heard.detail.en
        assert "base45" not in heard.detail.en

    def test_a_code_typed_in_part_is_not_called_wrong(self, till: TillRig) -> None:
        """Each line fits; the rest of them is missing."""
        heard = redeem(till, "\n".join(code_of_sale(till).lines[:4]))
        assert isinstance(heard, Refusal)
        assert (heard.reason, "lines are missing" in heard.detail.en) == ("cut_short", True)

    def test_a_slip_names_its_line(self, till: TillRig) -> None:
        """So that one line is typed again and not twelve."""
        lines = code_of_sale(till).lines
        lines[4] = lines[4][:-1] + ("A" if lines[4][-1] != "A" else "B")
        heard = redeem(till, "\n".join(lines))
        assert isinstance(heard, Refusal)
        assert (heard.reason, "Line 5" in heard.detail.en) == ("mistyped", True)

    def test_a_card_that_is_none_of_ours_is_refused(self, till: TillRig) -> None:
        """As with a sale."""
        assert refusal(till, code_of_sale(till).text, "4111111111111111")[0] == "card_refused"

    def test_no_sale_takes_the_key_of_a_claim(self, till: TillRig) -> None:
        """A POS that calls its own sales so is refused, and the claim finds its way."""
        refused = till.heard(till.ask("claim:K", "earn", None, points=5))
        assert isinstance(refused, Refusal)
        assert (refused.code, "claim:" in refused.detail.en) == ("invalid", True)
        assert redeemed(till, code_of_sale(till).text).points == 30

    def test_a_claim_can_be_reversed(self, till: TillRig) -> None:
        """The goods come back to this till, for the other one is gone."""
        answer = redeemed(till, code_of_sale(till).text)
        back = said(till.heard(till.ask("V", "reverse", None, reverses=answer.id, points=10)))
        assert (back.points, back.card and back.card.masked) == (10, "•••• 0017")

    def test_a_sale_that_was_taken_back_has_nothing_to_claim(self, shop: Shop, till: TillRig) -> None:
        """With or without a card, and after a restart: nobody is told of points that will not come."""
        sales = [till.sell("K", 30, None), till.sell("L", 30, CARD)]
        for sale in sales:
            till.heard(till.ask(f"V{sale.id}", "reverse", None, reverses=sale.id))
        till = shop.restart()
        for sale in sales:
            assert view(till, sale.claim or "").detail.en.startswith("This sale was wholly taken back")
        assert refusal(till, sales[0].claim or "") == ("claimed", "reversed")
        assert till.journal.find_key("claim:K") is None

    def test_of_a_sale_that_was_taken_back_in_part_the_rest_is_told(self, till: TillRig) -> None:
        """The claim says what its code says; the ledger takes the part off, and the cashier hears of the rest."""
        sale = till.sell("K", 30, None)
        till.heard(till.ask("V", "reverse", None, reverses=sale.id, points=12))
        assert view(till, sale.claim or "").detail.en.startswith("This code is genuine: 18 points")
        answer = redeemed(till, sale.claim or "")
        assert (answer.points, answer.detail.en.startswith("On the way to •••• 0017: 18 points.")) == (30, True)


class TestView:
    def test_what_a_code_says(self, till: TillRig) -> None:
        """Points, time and till; proven here; who has the points once somebody has them."""
        code = code_of_sale(till)
        found = view(till, code.text)
        assert (found.points, found.terminal, found.on_card, found.proof) == (30, "S001-T01", False, Proof.PROVEN)
        assert (found.claimed, found.code, found.idempotency_key) == (None, code.text, "K")
        redeemed(till, code.text)
        claimed = view(till, code.text).claimed
        assert claimed is not None
        assert (claimed.masked, claimed.number) == ("•••• 0017", None)

    def test_what_cannot_be_proven_here(self, till: TillRig) -> None:
        """Of a till that is not known, and one that is no till's."""
        assert view(till, code_of(sold(terminal="S002-T07")).text).proof is Proof.UNKNOWN_TILL
        assert view(till, code_of(sold(), STRANGE_KEY).text).proof is Proof.UNPROVEN


def test_every_sentence_is_there_in_both_languages() -> None:
    """For the cashier, with what it is of."""
    of = {"line": 3, "why": "?", "points": 30, "terminal": "S001-T01", "card": "•••• 0017"}
    for what in _WORDS:
        said = words(what, **of)
        assert said.fr != said.en
        assert "{" not in said.fr + said.en


def test_the_journal_is_asked_by_nobody_else(tmp_path: Path) -> None:
    """A till whose state is gone has no memory of the sale: the code alone credits it."""
    burnt, heir = Shop(tmp_path / "burnt"), Shop(tmp_path / "heir")
    for shop in (burnt, heir):
        shop.folder.mkdir()
    try:
        code = code_of_sale(burnt.start())
        assert redeemed(heir.start(), code.text).points == 30
    finally:
        burnt.close()
        heir.close()


def test_a_blocked_card_gets_no_points_of_a_claim(till: TillRig) -> None:
    """The code stays good for another card."""
    code = code_of_sale(till)
    till.directory.hotlist.take(TakeChanges(0, [Change(1, card=CardChange(CARD, "blocked"))], 1, "g1", more=False))
    assert refusal(till, code.text) == ("card_refused", "card_blocked")
    assert redeemed(till, code.text, OTHER_CARD).points == 30
