"""From a POS's request to the entry that is recorded, and the words where there is none."""

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from offline_queue.entry import MAX_ENTRY_BYTES, MAX_POINTS, Card, Clock, Entry, Kind, encode
from terminal.pos import Amount, Receipt, Refusal, TransactionRequest
from terminal.sales.transaction import (
    Original,
    PointsRule,
    Stamp,
    check_key,
    draft_earn,
    draft_redemption,
    draft_release,
    draft_reversal,
    effect,
)

SEEN = st.characters(exclude_categories=("Cc", "Cf", "Cs", "Zl", "Zp"))
RULE = PointsRule()
CARD = Card("2990000000017")
STAMP = Stamp("01", "S001-T01", "2026-03-01", "2026-03-01T10:00:00.000Z", Clock("boot", 1, "2026-03-01T10:00:00.000Z"))
EARNED = draft_earn(TransactionRequest("earn", points=30), "k", RULE, CARD, STAMP)


def earn(**fields: object) -> Entry:
    return draft_earn(TransactionRequest("earn", **fields), "k", RULE, CARD, STAMP)  # type: ignore[arg-type]


def reverse(original: Original, card: Card | None = None, **fields: object) -> Entry:
    request = TransactionRequest("reverse", reverses="01", **fields)  # type: ignore[arg-type]
    return draft_reversal(request, "k2", RULE, card, original, STAMP)


@given(value=st.integers(0, 10**12), points=st.integers(1, 1000), per=st.integers(1, 10_000))
def test_an_amount_earns_for_full_units_only(value: int, points: int, per: int) -> None:
    """Rounded down, never more than the amount is worth by the rule."""
    earned = PointsRule(points=points, per=per).earned(Amount(value, "EUR"))
    assert earned * per <= value * points < (earned + 1) * per


@given(value=st.integers(0, 10**12), worth=st.integers(1, 10_000))
def test_points_that_pay_an_amount_cover_it(value: int, worth: int) -> None:
    """Rounded up, by less than one point."""
    needed = PointsRule(worth=worth).needed(Amount(value, "EUR"))
    assert 0 <= needed * worth - value < worth


def test_a_sale_says_by_which_rule_it_earned() -> None:
    """24.90 EUR are 24 points; the entry carries amount and rule."""
    entry = earn(amount=Amount(2490, "EUR"))
    assert (entry.points, entry.rule, entry.amount) == (24, "base@1", Amount(2490, "EUR"))


@pytest.mark.parametrize(
    ("fields", "word"),
    [
        ({}, "exactly one"),
        ({"points": 1, "amount": Amount(1, "EUR")}, "exactly one"),
        ({"amount": Amount(100, "USD")}, "EUR"),
        ({"amount": Amount(10**12, "EUR")}, str(MAX_POINTS)),
        ({"points": 1, "reverses": "01"}, "reverses"),
        ({"points": 1, "receipt": Receipt("")}, "receipt.number"),
        ({"points": 1, "receipt": Receipt("1", store="x" * 65)}, "receipt.store"),
        ({"points": 1, "receipt": Receipt("47\x1b[31m")}, "U+001B"),
        ({"points": 1, "receipt": Receipt("47", issued_at="tomorrow")}, "receipt.issued_at"),
        ({"points": 1, "operator": "Anne\u202e"}, "operator"),
    ],
)
def test_nonsense_is_refused_in_the_words_of_the_request(fields: dict[str, object], word: str) -> None:
    """The programmer of the POS reads which field is wrong."""
    with pytest.raises(Refusal) as refused:
        earn(**fields)
    assert refused.value.code == "invalid"
    assert word in refused.value.detail.en
    assert refused.value.detail.en.endswith(" No points moved.")


def test_the_most_that_fits_is_taken() -> None:
    """As many points as one entry may move, and texts of 64 characters."""
    most = earn(amount=Amount(MAX_POINTS * 100, "EUR"), receipt=Receipt("r" * 64))
    assert (most.points, most.receipt) == (MAX_POINTS, Receipt("r" * 64))


def test_a_redemption_needs_a_card_and_a_point() -> None:
    """Points cannot come out of nobody's account, nor be none."""
    for card, request in (
        (None, TransactionRequest("redeem", points=5)),
        (CARD, TransactionRequest("redeem", amount=Amount(0, "EUR"))),
    ):
        with pytest.raises(Refusal, match="redemption"):
            draft_redemption(request, "k", RULE, card, STAMP)


def test_a_reversal_goes_where_its_original_went() -> None:
    """Card, rule and, unless given, all the points that are left."""
    entry = reverse(Original(EARNED, reversed=10))
    assert (entry.card, entry.points, entry.reverses, entry.rule) == (CARD, 20, "01", "base@1")
    assert reverse(Original(EARNED), points=7).points == 7
    assert reverse(Original(EARNED), Card(CARD.number, entry_mode="keyed")).card == CARD


def test_an_amount_of_a_redemption_is_reversed_by_the_redemption_s_rule() -> None:
    """A point pays a cent: 0.05 EUR of a redemption are 5 points."""
    redeemed = draft_redemption(TransactionRequest("redeem", points=9), "k", RULE, CARD, STAMP)
    assert reverse(Original(redeemed), amount=Amount(5, "EUR")).points == 5


@pytest.mark.parametrize(
    ("original", "card", "fields"),
    [
        (Original(EARNED, reversed=30), None, {}),
        (Original(EARNED, reversed=10), None, {"points": 21}),
        (Original(EARNED), Card("2990000000024"), {}),
        (Original(msgspec.structs.replace(EARNED, card=None)), CARD, {}),
        (Original(draft_release("a", "2990", 5, STAMP)), None, {}),
    ],
)
def test_a_reversal_beyond_its_original_is_refused(
    original: Original, card: Card | None, fields: dict[str, int]
) -> None:
    """Too many points, another card, or a record that is no sale."""
    with pytest.raises(Refusal) as refused:
        reverse(original, card, **fields)
    assert refused.value.code == "invalid"


@pytest.mark.parametrize("part", [{"amount": Amount(50, "EUR")}, {"amount": Amount(0, "EUR")}, {"points": 0}])
def test_a_part_that_comes_to_no_point_takes_nothing_back(part: dict[str, object]) -> None:
    """An article for half a euro is returned: a reversal of 0 points would take all of them at the ledger."""
    with pytest.raises(Refusal) as refused:
        reverse(Original(EARNED), **part)
    assert (refused.value.code, refused.value.reason) == ("invalid", "nothing_to_reverse")


def test_a_sale_that_earned_nothing_can_be_taken_back() -> None:
    """There is nothing else that the ledger could take."""
    nothing = draft_earn(TransactionRequest("earn", points=0), "k", RULE, CARD, STAMP)
    assert reverse(Original(nothing)).points == 0
    assert reverse(Original(nothing), points=0).points == 0


@example("claim:k-1")
@given(key=st.text(max_size=80))
def test_a_key_is_short_and_printable(key: str) -> None:
    """1 to 64 printable ASCII characters; everything else is refused, and what would stand in the way of a claim."""
    printable = 1 <= len(key) <= 64 and all(" " <= character <= "~" for character in key)
    good = printable and not key.startswith("claim:")
    try:
        check_key(key)
    except Refusal:
        assert not good
    else:
        assert good


@given(points=st.integers(1, MAX_POINTS), taken=st.integers(0, MAX_POINTS))
def test_an_entry_and_its_reversal_cancel_out(points: int, taken: int) -> None:
    """What a redemption takes its reversal gives, and the other way round for a sale."""
    taken = min(points, taken)
    assert effect(Kind.EARN, taken) + effect(Kind.REVERSE, taken, Kind.EARN) == 0
    assert effect(Kind.REDEEM, taken) + effect(Kind.REVERSE, taken, Kind.REDEEM) == 0
    assert effect(Kind.RELEASE, points) == effect(Kind.GENESIS, points) == 0


@given(
    receipt=st.text(SEEN, min_size=1, max_size=64),
    operator=st.text(SEEN, min_size=1, max_size=64),
    key=st.text("ab", min_size=1),
)
def test_whatever_is_drafted_fits_into_a_record(receipt: str, operator: str, key: str) -> None:
    """Characters that JSON escapes included."""
    entry = earn(points=1, receipt=Receipt(receipt), operator=operator)
    assert len(encode(entry)) <= MAX_ENTRY_BYTES
