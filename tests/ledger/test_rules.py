"""The order of precedence, rule by rule, on bare values."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.book import RULES, decide, read
from ledger.facts import Case, Code, Decision, First, Original, Right, RightState, Standing
from offline_queue.entry import Card, Clock, Entry, Kind, State, encode

SENDER = "S001-T01"
CLOCK = Clock("boot", 1, "2025-06-15T12:00:00Z")


def entry(kind: Kind, points: int = 10, **fields: object) -> Entry:
    told: dict[str, object] = {"id": "e1", "key": "k1", "terminal": SENDER, "card": Card("2990000000017"), **fields}
    return Entry(
        kind=kind, points=points, business_day="2025-06-15", occurred_at="2025-06-15T12:00:00Z", clock=CLOCK, **told
    )  # type: ignore[arg-type]


EARN, REDEEM = entry(Kind.EARN), entry(Kind.REDEEM)
REVERSE = entry(Kind.REVERSE, card=None, reverses="e0")
RELEASE = entry(Kind.RELEASE, 0, card=None, allowance="a1")
PROMISED = entry(Kind.REDEEM, allowance="a1")
RICH, POOR = Standing(1, 100, 0), Standing(1, 100, 95)
OPEN = Right("a1", SENDER, "s", "2990000000017", 10, 1, RightState.OPEN)


def case(entry: Entry, **facts: object) -> Case:
    return Case(record=2, entry=entry, sender=SENDER, **facts)  # type: ignore[arg-type]


def changed(right: Right, **fields: object) -> Right:
    return msgspec.structs.replace(right, **fields)


CLAIMED = entry(Kind.CLAIM)
CARDLESS = entry(Kind.EARN, card=None)
WAITING = First(1, CARDLESS, State.PARKED, Code.CARD_UNKNOWN)

ONE_OF_EACH = [
    (case(CLAIMED, standing=RICH), Code.POSTED, 10, None),
    (case(CLAIMED), Code.CARD_UNKNOWN, 0, None),
    (case(CLAIMED, standing=RICH, doubt="it is a forgery"), Code.CLAIM_UNPROVEN, 0, None),
    (case(CLAIMED, standing=RICH, first=WAITING), Code.POSTED, 0, None),
    (case(CLAIMED, first=WAITING), Code.CARD_UNKNOWN, 0, None),
    (case(CLAIMED, standing=RICH, first=First(1, EARN, State.POSTED, Code.POSTED)), Code.DUPLICATE, 0, None),
    (case(CLAIMED, standing=RICH, first=First(1, EARN, State.PARKED, Code.CARD_UNKNOWN)), Code.DUPLICATE, 0, None),
    (case(CARDLESS, first=First(1, CLAIMED, State.POSTED, Code.POSTED)), Code.DUPLICATE, 0, None),
    (case(entry(Kind.CLAIM, 11), standing=RICH, first=WAITING), Code.KEY_MISMATCH, 0, None),
    (case(CLAIMED, standing=RICH, first=First(1, REDEEM, State.POSTED, Code.POSTED)), Code.KEY_MISMATCH, 0, None),
    (case(EARN, standing=RICH), Code.POSTED, 10, None),
    (case(REDEEM, standing=RICH), Code.POSTED, -10, None),
    (case(PROMISED, standing=POOR, right=OPEN), Code.POSTED, -10, RightState.CONSUMED),
    (case(RELEASE, right=OPEN), Code.POSTED, 0, RightState.RELEASED),
    (case(RELEASE), Code.POSTED, 0, RightState.RELEASED),
    (case(RELEASE, right=changed(OPEN, state=RightState.RELEASED)), Code.POSTED, 0, None),
    (case(RELEASE, right=changed(OPEN, state=RightState.CONSUMED)), Code.ALLOWANCE_VOID, 0, None),
    (case(RELEASE, right=changed(OPEN, terminal="other")), Code.ALLOWANCE_VOID, 0, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.EARN, 1, 10)), Code.POSTED, -10, None),
    (case(REVERSE, standing=POOR, original=Original(1, Kind.EARN, 1, 10)), Code.OVERDRAWN, -10, None),
    (case(REVERSE, standing=POOR, original=Original(1, Kind.REDEEM, 1, -10)), Code.POSTED, 10, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.EARN, 1, 10, 4)), Code.OVER_REVERSAL, -6, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.EARN, 1, 10, 10)), Code.REVERSED_TWICE, 0, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.REVERSE, 1, 10)), Code.OVER_REVERSAL, 0, None),
    (case(REVERSE), Code.ORIGINAL_UNKNOWN, 0, None),
    (case(REDEEM, standing=POOR), Code.OVERDRAWN, -10, None),
    (case(PROMISED, standing=RICH), Code.ALLOWANCE_VOID, -10, RightState.CONSUMED),
    (case(PROMISED, standing=RICH, right=changed(OPEN, account=2)), Code.ALLOWANCE_VOID, -10, None),
    (case(PROMISED, standing=RICH, right=changed(OPEN, points=9)), Code.ALLOWANCE_EXCEEDED, -10, RightState.CONSUMED),
    (case(EARN), Code.CARD_UNKNOWN, 0, None),
    (case(EARN, standing=RICH, enrolled=False), Code.TERMINAL_UNKNOWN, 0, None),
    (case(msgspec.structs.replace(EARN, terminal="other"), standing=RICH), Code.SIGNATURE_BAD, 0, None),
    (case(EARN, standing=RICH, first=First(1, EARN, State.POSTED, Code.POSTED)), Code.DUPLICATE, 0, None),
    (case(EARN, standing=RICH, first=First(1, REDEEM, State.POSTED, Code.POSTED)), Code.KEY_MISMATCH, 0, None),
    (case(EARN, standing=RICH, first=First(2, EARN, State.PARKED, Code.CARD_UNKNOWN)), Code.POSTED, 10, None),
]


@pytest.mark.parametrize(("given_case", "code", "effect", "right"), ONE_OF_EACH)
def test_each_case_has_its_code_and_effect(given_case: Case, code: Code, effect: int, right: RightState | None) -> None:
    """What the books say decides; the effect on points and on the allowance follows."""
    decision = decide(given_case)
    assert (decision.code, decision.effect, decision.right) == (code, effect, right)


def test_every_rule_has_been_met() -> None:
    """No rule stands in the table that no case here reaches."""
    assert {rule.code for rule in RULES} == {code for _, code, _, _ in ONE_OF_EACH}


def test_the_table_is_in_the_order_of_the_codes() -> None:
    """The enumeration is the precedence: the same order in the table, in the docs and at the till."""
    order = list(Code)
    places = [order.index(rule.code) for rule in RULES]
    assert places == sorted(places)


def test_a_stronger_reason_is_named_before_a_weaker_one() -> None:
    """A record of a stranger with a used key on an unknown card is a stranger's first of all."""
    first = First(1, REDEEM, State.POSTED, Code.POSTED)
    assert decide(case(EARN, enrolled=False, first=first)).code is Code.TERMINAL_UNKNOWN
    assert decide(case(EARN, first=first)).code is Code.KEY_MISMATCH
    assert decide(case(EARN)).code is Code.CARD_UNKNOWN


def test_whatever_is_not_simply_posted_says_why() -> None:
    """A person gets a sentence, and no card number in it."""
    for given_case, code, _, _ in ONE_OF_EACH:
        detail = decide(given_case).detail
        assert (detail is None) == (code is Code.POSTED)
        assert "2990000000017" not in (detail or "")


@given(st.binary(max_size=200))
def test_no_bytes_can_break_the_reader(raw: bytes) -> None:
    """Garbage is a decision, never an exception."""
    found = read(raw)
    assert isinstance(found, Entry) or found.state is State.PARKED


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"v":2,"kind":"teleport"}', Code.VERSION_UNKNOWN),
        (b'{"v":1,"kind":"teleport"}', Code.UNDECODABLE),
        (encode(EARN).replace(b'"points":10', b'"points":-10'), Code.UNDECODABLE),
        (encode(entry(Kind.EARN, key="k" * 9000)), Code.UNDECODABLE),
        (b"[" * 100_000, Code.UNDECODABLE),
    ],
)
def test_what_cannot_be_read_is_told_apart(raw: bytes, code: Code) -> None:
    """A later version can be read after an update; the rest is garbage."""
    found = read(raw)
    assert isinstance(found, Decision)
    assert found.code is code
