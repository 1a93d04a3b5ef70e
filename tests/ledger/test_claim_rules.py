"""What a claim says of its sale, on bare values: it is judged as that sale, in every respect that counts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.rules.claims import as_sale, doubt, sale_key
from ledger.rules.grounds import substance
from offline_queue.claim_codes import KEY_PREFIX, Code
from offline_queue.claimed_sale import RECEIPT_BYTES, STORE_BYTES
from offline_queue.entry import Card, Claim, Clock, Entry, Kind, Receipt, uuid7
from offline_queue.timepiece import rfc3339
from tests.offline_queue.claimed import CARD, OTHER_PUBLIC, PUBLIC, code_of, on_card, sold

OTHER_CARD = "2990000000024"


def claim_of(sale: Entry, code: Code | None = None, card: str | None = CARD, **other: object) -> Entry:
    """As the till of another shop records it, months later, from what the code alone tells."""
    told = {
        "id": uuid7(1_760_000_000_000, b"9876543210"),
        "key": f"{KEY_PREFIX}{sale.key}",
        "kind": Kind.CLAIM,
        "terminal": "S002-T07",
        "business_day": "2025-10-09",
        "occurred_at": "2025-10-09T08:53:20.000Z",
        "clock": Clock("elsewhere", 5, "2025-10-09T08:53:20.000Z"),
        "points": sale.points,
        "card": Card(card) if card else None,
        "claim": Claim(sale.terminal, sale.id, (code or code_of(sale)).text),
        **other,
    }
    return Entry(**told)  # type: ignore[arg-type]


short = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=STORE_BYTES)


@given(
    at=st.integers(0, 7_000_000_000_000),
    points=st.integers(1, 10**6),
    rule=st.none() | st.sampled_from(["base@1", "gift@2"]),
    receipt=st.none() | st.builds(Receipt, short, short),
)
def test_a_claim_is_its_sale(at: int, points: int, rule: str | None, receipt: Receipt | None) -> None:
    """Its time and rule date the points, its receipt and key are taken once; nothing is of the till that read it."""
    sale = sold(occurred_at=rfc3339(at), points=points, rule=rule, receipt=receipt)
    judged = as_sale(claim_of(sale))
    assert (judged.id, judged.key, sale_key(claim_of(sale))) == (sale.id, sale.key, sale.key)
    assert (judged.occurred_at, judged.rule, judged.receipt) == (sale.occurred_at, rule, receipt)
    assert substance(replace(judged, kind=Kind.EARN, card=None)) == substance(sale)


def test_a_receipt_too_long_for_the_code_is_none() -> None:
    """Of the store alone nothing can be said."""
    assert as_sale(claim_of(sold(receipt=Receipt("r" * (RECEIPT_BYTES + 1), "S001")))).receipt is None


@pytest.mark.parametrize("entry", [sold(), on_card(), claim_of(sold(), kind=Kind.EARN), claim_of(sold(), claim=None)])
def test_what_is_no_claim_stays_as_it_is(entry: Entry) -> None:
    """Also an entry that only carries a code, and a claim that carries none."""
    assert as_sale(entry) == entry
    assert sale_key(entry) == entry.key


def test_what_cannot_be_read_keeps_its_own_key() -> None:
    """It can burn nobody else's."""
    broken = claim_of(sold(), claim=Claim("S001-T01", sold().id, "TILLD1:NONSENSE"))
    assert sale_key(broken) == broken.key


SALE = on_card()


@pytest.mark.parametrize(
    ("claim", "why"),
    [
        (claim_of(SALE), None),
        (claim_of(SALE, claim=None), "holds no code"),
        (claim_of(SALE, card=None), "or no card"),
        (claim_of(SALE, claim=Claim(SALE.terminal, SALE.id, "no code")), "cannot be read"),
        (claim_of(SALE, points=SALE.points + 1), "says otherwise"),
        (claim_of(SALE, key="claim:another"), "says otherwise"),
        (claim_of(SALE, key=SALE.key), "says otherwise"),
        (claim_of(SALE, claim=Claim("S001-T02", SALE.id, code_of(SALE).text)), "says otherwise"),
        (claim_of(SALE, claim=Claim(SALE.terminal, "another", code_of(SALE).text)), "says otherwise"),
        (claim_of(SALE, card=OTHER_CARD), "another card than •••• 0024"),
    ],
)
def test_why_a_claim_proves_nothing(claim: Entry, why: str | None) -> None:
    """Whatever of it was changed on the way, in words for the office."""
    found = doubt(claim, [PUBLIC], lambda _: [])
    assert (found is None) if why is None else (found is not None and why in found)
    assert CARD not in (found or "")
    assert OTHER_CARD not in (found or "")


def test_the_card_that_replaced_the_sales_own_may_claim_it() -> None:
    """Its account has both; a sale without a card is anybody's who holds the code."""
    assert doubt(claim_of(SALE, card=OTHER_CARD), [PUBLIC], lambda _: [OTHER_CARD, CARD]) is None
    assert doubt(claim_of(SALE, card=OTHER_CARD), [PUBLIC], lambda _: [OTHER_CARD]) is not None
    assert doubt(claim_of(sold(), card=OTHER_CARD), [PUBLIC], lambda _: []) is None


def test_any_key_that_the_till_ever_had_proves_it() -> None:
    """Its disk was renewed since; a key of nobody proves nothing, and what is no key either."""
    assert doubt(claim_of(SALE), [OTHER_PUBLIC, PUBLIC], lambda _: []) is None
    assert "never enrolled" in (doubt(claim_of(SALE), [], lambda _: []) or "")
    assert "not signed by terminal S001-T01" in (doubt(claim_of(SALE), [OTHER_PUBLIC, b"no key"], lambda _: []) or "")
