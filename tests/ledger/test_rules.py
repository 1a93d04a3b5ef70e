"""The order of precedence, rule by rule, on bare values."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.facts.cards import CardFacts, CardStatus
from ledger.facts.case import Case, Decision, First, Original, Shown, Word
from ledger.facts.codes import Code
from ledger.facts.policy import Limits, Policy, Stance
from ledger.facts.rights import Right, RightState
from ledger.points.programme import PointsRule, Programme
from ledger.points.standing import Standing
from ledger.rules.deciding import RULES, decide
from ledger.rules.own_entries import OFFICE
from ledger.rules.policies import CHOICES, stance
from ledger.rules.records import KEYED, WAITS_FOR_REVIEW, WAITS_FOR_UPGRADE, read
from ledger.rules.sentences import HONOURED, exceeded, expired, overdrawn
from offline_queue.entry import (
    Amount,
    Card,
    CardEvent,
    CardProof,
    Clock,
    Correction,
    Entry,
    Happening,
    Kind,
    Receipt,
    Resolution,
    State,
    encode,
)

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
KNOWING = entry(Kind.REDEEM, hotlist=7)
SHOWING = Card("2990000000017", proof=CardProof("0f", 7))
SHOWN_EARN, SHOWN_REDEEM = entry(Kind.EARN, card=SHOWING), entry(Kind.REDEEM, card=SHOWING)
DAILY = Policy(limits=Limits(per_card_and_day=20))
TOLD = Correction("Anne", "looked at both receipts", "e0", Resolution.HONOUR)
CORRECTION = entry(Kind.CORRECTION, 0, card=None, correction=TOLD)
NAMELESS = entry(Kind.CORRECTION, 0, card=None, correction=Correction("Anne", "points for a friend", points=50))
RICH, POOR = Standing(1, 100, 0), Standing(1, 100, 95)
STALE = Standing(1, 12, idle=7, expired=7)
"""Of twelve points seven have expired."""
OPEN = Right("a1", SENDER, "s", "2990000000017", 10, 1, RightState.OPEN)


def case(entry: Entry, sender: str = SENDER, **facts: object) -> Case:
    return Case(record=2, entry=entry, sender=sender, **facts)  # type: ignore[arg-type]


def blocked_card(since: int) -> CardFacts:
    return CardFacts("2990000000017", CardStatus.BLOCKED, since)


def changed(right: Right, **fields: object) -> Right:
    return msgspec.structs.replace(right, **fields)


REPLACED, MERGED = (CardFacts("2990000000024", status) for status in (CardStatus.REPLACED, CardStatus.MERGED))
PRICED = Policy(programme=Programme({"base@1": PointsRule("base@1", points=1, per=100)}))
PRICED_EARN = entry(Kind.EARN, rule="base@1", amount=Amount(1099, "EUR"))
GAVE = Original(1, Kind.EARN, 1, 10)
HAD = {"standing": RICH}
"""What the entry would be posted with."""

CLAIMED = entry(Kind.CLAIM)
CARDLESS = entry(Kind.EARN, card=None)
WAITING = First(1, CARDLESS, State.PARKED, Code.CARD_UNKNOWN)

ONE_OF_EACH = [
    (case(CLAIMED, standing=RICH), Code.POSTED, 10, None),
    (case(CLAIMED), Code.CARD_UNKNOWN, 0, None),
    (case(CLAIMED, standing=RICH, doubt="it is a forgery"), Code.CLAIM_UNPROVEN, 0, None),
    (case(entry(Kind.CARD_EVENT), objection="it goes in a circle"), Code.CARD_EVENT_REFUSED, 0, None),
    (case(entry(Kind.CARD_EVENT)), Code.POSTED, 0, None),
    (case(CLAIMED, standing=RICH, first=WAITING), Code.POSTED, 0, None),
    (case(CLAIMED, first=WAITING), Code.CARD_UNKNOWN, 0, None),
    (case(CLAIMED, standing=RICH, first=First(1, EARN, State.POSTED, Code.POSTED)), Code.DUPLICATE, 0, None),
    (case(CLAIMED, standing=RICH, first=First(1, EARN, State.PARKED, Code.CARD_UNKNOWN)), Code.DUPLICATE, 0, None),
    (case(CARDLESS, first=First(1, CLAIMED, State.POSTED, Code.POSTED)), Code.DUPLICATE, 0, None),
    (case(entry(Kind.CLAIM, 11), standing=RICH, first=WAITING), Code.KEY_MISMATCH, 0, None),
    (case(CLAIMED, standing=RICH, first=First(1, REDEEM, State.POSTED, Code.POSTED)), Code.KEY_MISMATCH, 0, None),
    (case(EARN, **HAD), Code.POSTED, 10, None),
    (case(REDEEM, **HAD), Code.POSTED, -10, None),
    (case(PROMISED, standing=POOR, right=OPEN), Code.POSTED, -10, RightState.CONSUMED),
    (case(RELEASE, right=OPEN), Code.POSTED, 0, RightState.RELEASED),
    (case(RELEASE), Code.POSTED, 0, RightState.RELEASED),
    (case(RELEASE, right=OPEN, believed=False), Code.POSTED, 0, RightState.LOCKED),
    (case(RELEASE, right=changed(OPEN, state=RightState.LOCKED)), Code.POSTED, 0, RightState.RELEASED),
    (case(RELEASE, right=changed(OPEN, state=RightState.RELEASED)), Code.POSTED, 0, None),
    (case(RELEASE, right=changed(OPEN, state=RightState.CONSUMED)), Code.ALLOWANCE_VOID, 0, None),
    (case(RELEASE, right=changed(OPEN, terminal="other")), Code.ALLOWANCE_VOID, 0, None),
    (case(REVERSE, standing=RICH, original=GAVE), Code.POSTED, -10, None),
    (case(REVERSE, standing=POOR, original=GAVE), Code.OVERDRAWN, -10, None),
    (case(REVERSE, standing=POOR, original=Original(1, Kind.REDEEM, 1, -10)), Code.POSTED, 10, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.EARN, 1, 10, 4)), Code.OVER_REVERSAL, -6, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.EARN, 1, 10, 10)), Code.REVERSED_TWICE, 0, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.REVERSE, 1, 10)), Code.OVER_REVERSAL, 0, None),
    (case(REVERSE, standing=RICH, original=Original(1, Kind.REDEEM, 1, -10, 4)), Code.OVER_REVERSAL, 6, None),
    (case(entry(Kind.REVERSE, 0), standing=RICH, original=Original(1, Kind.REDEEM, 1, -10, 4)), Code.POSTED, 6, None),
    (case(entry(Kind.REVERSE, 0), standing=RICH, original=Original(1, Kind.EARN, 1, 10, 4)), Code.POSTED, -6, None),
    (case(entry(Kind.REVERSE, 0), standing=RICH, original=Original(1, Kind.EARN, 1, 0)), Code.POSTED, 0, None),
    (
        case(entry(Kind.REVERSE, 0), standing=RICH, original=Original(1, Kind.EARN, 1, 1, 1)),
        Code.REVERSED_TWICE,
        0,
        None,
    ),
    (case(REVERSE), Code.ORIGINAL_UNKNOWN, 0, None),
    (case(REDEEM, standing=POOR), Code.OVERDRAWN, -10, None),
    (case(PROMISED, **HAD), Code.ALLOWANCE_VOID, -10, RightState.CONSUMED),
    (case(PROMISED, **HAD, right=changed(OPEN, account=2)), Code.ALLOWANCE_VOID, -10, None),
    (case(PROMISED, **HAD, right=changed(OPEN, points=9)), Code.ALLOWANCE_EXCEEDED, -10, RightState.CONSUMED),
    (case(PROMISED, **HAD, right=changed(OPEN, points=9, account=2)), Code.ALLOWANCE_VOID, -10, None),
    (case(REVERSE, standing=STALE, original=GAVE), Code.OVERDRAWN, -10, None),
    (case(CORRECTION, standing=Standing(1, 0), word=Word(True, 1, 0, -1)), Code.OVERDRAWN, -1, None),
    (case(CORRECTION, standing=Standing(1, -5), word=Word(True, 0, 0, 0)), Code.POSTED, 0, None),
    (case(NAMELESS), Code.RESOLUTION_REFUSED, 0, None),
    (case(msgspec.structs.replace(NAMELESS, terminal=OFFICE), OFFICE), Code.POSTED, 0, None),
    (case(CORRECTION, standing=RICH, word=Word(True, 0, 10, 10)), Code.POSTED, 10, None),
    (case(CORRECTION, standing=POOR, word=Word(True, 10, 0, -10)), Code.OVERDRAWN, -10, None),
    (case(CORRECTION, standing=RICH, word=Word(False, 0, 10, 10)), Code.RESOLUTION_REFUSED, 0, None),
    (case(CORRECTION, word=Word(True, 0, 10, 10, "2990000000017")), Code.CARD_UNKNOWN, 0, None),
    (case(CORRECTION, word=Word(True, 0, 0, 0, "2990000000017")), Code.POSTED, 0, None),
    (case(CORRECTION), Code.ORIGINAL_UNKNOWN, 0, None),
    (case(entry(Kind.CORRECTION, 0, card=None)), Code.RESOLUTION_REFUSED, 0, None),
    (case(EARN), Code.CARD_UNKNOWN, 0, None),
    (case(EARN, **HAD, enrolled=False), Code.TERMINAL_UNKNOWN, 0, None),
    (case(EARN, **HAD, revoked=True), Code.KEY_REVOKED, 0, None),
    (case(msgspec.structs.replace(EARN, terminal="other"), **HAD), Code.SIGNATURE_BAD, 0, None),
    (case(EARN, **HAD, branch=Code.FORK), Code.FORK, 10, None),
    (case(EARN, **HAD, branch=Code.RESTORED), Code.RESTORED, 10, None),
    (case(EARN, **HAD, first=First(1, EARN, State.POSTED, Code.POSTED)), Code.DUPLICATE, 0, None),
    (case(EARN, **HAD, first=First(1, REDEEM, State.POSTED, Code.POSTED)), Code.KEY_MISMATCH, 0, None),
    (case(EARN, **HAD, first=First(2, EARN, State.PARKED, Code.CARD_UNKNOWN)), Code.POSTED, 10, None),
    (case(EARN, **HAD, receipt=1), Code.RECEIPT_DUPLICATE, 0, None),
    (case(EARN, **HAD, receipt=2), Code.POSTED, 10, None),
    (case(SHOWN_EARN, **HAD, shown=Shown(7, "S001-T09", 1000), at=1000), Code.CARD_COPIED, 10, None),
    (case(SHOWN_REDEEM, **HAD, shown=Shown(8, "S001-T09", 1000), at=601_001), Code.CARD_COPIED, -10, None),
    (case(SHOWN_EARN, **HAD, shown=Shown(8, "S001-T09", 1000), at=601_000), Code.POSTED, 10, None),
    (case(SHOWN_EARN, **HAD, shown=Shown(6, "S001-T09", 1000), at=0), Code.POSTED, 10, None),
    (case(SHOWN_EARN, **HAD, shown=Shown(7, SHOWN_EARN.terminal, 1000), at=0), Code.POSTED, 10, None),
    (case(EARN, **HAD, card=REPLACED), Code.CARD_REPLACED, 10, None),
    (case(EARN, **HAD, card=MERGED), Code.ACCOUNT_MERGED, 10, None),
    (case(REDEEM, **HAD, card=blocked_card(7)), Code.CARD_BLOCKED_UNKNOWN, -10, None),
    (case(KNOWING, **HAD, card=blocked_card(8)), Code.CARD_BLOCKED_UNKNOWN, -10, None),
    (case(KNOWING, **HAD, card=blocked_card(7)), Code.CARD_BLOCKED_KNOWN, -10, None),
    (case(EARN, **HAD, card=blocked_card(7)), Code.CARD_BLOCKED_UNKNOWN, 0, None),
    (case(entry(Kind.EARN, hotlist=9), **HAD, card=blocked_card(7)), Code.CARD_BLOCKED_KNOWN, 0, None),
    (case(EARN, **HAD, clock_off_ms=600_001), Code.CLOCK_IMPLAUSIBLE, 10, None),
    (case(EARN, **HAD, clock_off_ms=-600_000), Code.POSTED, 10, None),
    (case(REDEEM, standing=STALE), Code.LOT_EXPIRED, 0, None),
    (case(entry(Kind.REDEEM, 5), standing=STALE), Code.POSTED, -5, None),
    (case(entry(Kind.REDEEM, 7), standing=Standing(1, 7, idle=7, expired=7)), Code.LOT_EXPIRED, 0, None),
    (case(PROMISED, standing=STALE, right=OPEN), Code.POSTED, -10, RightState.CONSUMED),
    (case(msgspec.structs.replace(PRICED_EARN, points=11), **HAD, policy=PRICED), Code.POINTS_DIFFER, 11, None),
    (case(PRICED_EARN, **HAD, policy=PRICED), Code.POSTED, 10, None),
    (case(entry(Kind.EARN, rule="new@2"), **HAD, policy=PRICED), Code.RULE_UNKNOWN, 10, None),
    (case(entry(Kind.EARN, rule="new@2"), **HAD), Code.POSTED, 10, None),
    (case(entry(Kind.EARN, rule="opening@1", terminal=OFFICE), OFFICE, **HAD, policy=PRICED), Code.POSTED, 10, None),
    (case(REDEEM, **HAD, policy=Policy(limits=Limits(per_transaction=9))), Code.LIMIT_BREACH, -10, None),
    (case(REDEEM, **HAD, policy=DAILY, redeemed=11), Code.LIMIT_BREACH, -10, None),
    (case(REDEEM, **HAD, policy=DAILY, redeemed=10), Code.POSTED, -10, None),
    (case(PROMISED, **HAD, right=OPEN, policy=Policy(limits=Limits(0, 0))), Code.POSTED, -10, RightState.CONSUMED),
]
DISPUTED = [(given_case, code) for given_case, code, _, _ in ONE_OF_EACH if code is not Code.POSTED]
CHOSEN = [
    (given_case, code, stance)
    for given_case, code in DISPUTED
    for stance in CHOICES[code].stances
    if code is not Code.DUPLICATE and given_case.entry.kind in KEYED
]


@pytest.mark.parametrize(("given_case", "code", "effect", "right"), ONE_OF_EACH)
def test_each_case_has_its_code_and_effect(given_case: Case, code: Code, effect: int, right: RightState | None) -> None:
    """What the books say decides; the effect on points and on the allowance follows."""
    decision = decide(given_case)
    assert (decision.code, decision.effect, decision.right) == (code, effect, right)
    assert decision.also == ()


def test_every_rule_has_been_met() -> None:
    """No rule stands in the table that no case here reaches."""
    met = {(code, given_case.entry.kind) for given_case, code in DISPUTED}
    assert all(met & {(rule.code, kind) for kind in rule.kinds} for rule in RULES)


@pytest.mark.parametrize(("given_case", "code", "stance"), CHOSEN)
def test_the_retailer_chooses_what_becomes_of_it(given_case: Case, code: Code, stance: Stance) -> None:
    """Honoured it counts, refused it does not, and under review it waits: for a person, or for what may settle it."""
    policy = msgspec.structs.replace(given_case.policy, stances={code: stance})
    decision = decide(msgspec.structs.replace(given_case, policy=policy))
    assert decision.code is code
    if given_case.card is not None and given_case.card.blocked and given_case.entry.kind is Kind.EARN:
        stance = Stance.REVIEW  # what was earned on a blocked card is held, whatever was chosen for redemptions
    if given_case.word is not None and code is Code.OVERDRAWN:
        stance = Stance.HONOUR  # a person has decided already
    if stance is Stance.HONOUR:
        assert decision.stands
        assert decision.waits is None
        return
    assert (decision.effect, decision.stands) == (0, False)
    assert decision.state is (State.CONFLICT if stance is Stance.REFUSE else State.PARKED)
    assert (decision.waits is not None) == (stance is Stance.REVIEW)


ENDING = {
    *(Code.TERMINAL_UNKNOWN, Code.KEY_REVOKED, Code.SIGNATURE_BAD, Code.CLAIM_UNPROVEN),
    *(Code.DUPLICATE, Code.KEY_MISMATCH, Code.RESOLUTION_REFUSED, Code.CARD_EVENT_REFUSED),
    *(Code.CARD_UNKNOWN, Code.ORIGINAL_UNKNOWN, Code.REVERSED_TWICE),
}
"""It is not this terminal's, not new, or nothing is known that more could be said of."""
NOTED = {
    *(Code.FORK, Code.RESTORED, Code.CARD_REPLACED, Code.ACCOUNT_MERGED),
    *(Code.CLOCK_IMPLAUSIBLE, Code.POINTS_DIFFER, Code.RULE_UNKNOWN),
}
"""`noted` in the table of docs/protocol.md: nobody need look at the entry."""


@pytest.mark.parametrize(("given_case", "code"), [(told, code) for told, code in DISPUTED if told.entry.kind in KEYED])
def test_nothing_is_said_behind_what_ends_the_looking(given_case: Case, code: Code) -> None:
    """A stranger's record, or one that came before, is not examined further; of any other all is told."""
    also_late = msgspec.structs.replace(given_case, clock_off_ms=10**9)
    expected = {code} if code in ENDING else {code, Code.CLOCK_IMPLAUSIBLE}
    assert set(decide(also_late).codes) == expected


@pytest.mark.parametrize(("given_case", "code"), [(told, code) for told, code in DISPUTED if decide(told).stands])
def test_what_is_only_noted_is_posted_and_the_rest_is_flagged(given_case: Case, code: Code) -> None:
    """As the table of the protocol says; a person's own word is not put before a person again."""
    noted = code in NOTED or given_case.word is not None
    assert decide(given_case).state is (State.POSTED if noted else State.CONFLICT)


@pytest.mark.parametrize("right", [None, OPEN])
@pytest.mark.parametrize("trouble", [{"enrolled": False}, {"revoked": True}, {"sender": "other"}])
def test_a_stranger_can_neither_use_nor_spoil_an_allowance(trouble: dict[str, object], right: Right | None) -> None:
    """Neither one that is open nor one that is yet to be asked for under that name."""
    told = msgspec.structs.replace(case(PROMISED, **HAD, right=right), **trouble)
    assert (decide(told).right, decide(told).effect) == (None, 0)


def test_what_ends_the_looking_says_what_is_waited_for() -> None:
    """A retailer who looks at every copied till: its sale on an unknown card still waits for that card first."""
    wary = Policy(stances={Code.FORK: Stance.REVIEW})
    stray = CardFacts("2990000000017", CardStatus.INACTIVE)
    assert decide(case(EARN, card=stray, branch=Code.FORK, policy=wary)).waits == "card:2990000000017"
    assert decide(case(EARN, **HAD, branch=Code.FORK, policy=wary)).waits == WAITS_FOR_REVIEW


@pytest.mark.parametrize(
    ("given_case", "waits"),
    [
        (case(entry(Kind.EARN, hotlist=9), **HAD, card=blocked_card(7)), "block:2990000000017"),
        (case(EARN, card=CardFacts("2990000000017", CardStatus.INACTIVE)), "card:2990000000017"),
        (case(REDEEM), WAITS_FOR_REVIEW),
        (case(REVERSE), "entry:e0"),
        (case(EARN, **HAD, receipt=1), WAITS_FOR_REVIEW),
        (case(EARN, **HAD, card=blocked_card(7)), "block:2990000000017"),
        (case(EARN, first=First(1, REDEEM, State.POSTED, Code.POSTED)), WAITS_FOR_REVIEW),
        (case(EARN, first=First(1, EARN, State.PARKED, Code.CARD_UNKNOWN)), "record:1"),
    ],
)
def test_what_waits_says_for_what(given_case: Case, waits: str) -> None:
    """Nothing is parked that nobody and nothing could ever settle."""
    assert decide(given_case).waits == waits


def test_the_table_is_in_the_order_of_the_codes() -> None:
    """The enumeration is the precedence: the same order in the table, in the docs and at the till."""
    order = list(Code)
    places = [order.index(rule.code) for rule in RULES]
    assert places == sorted(places)


FULL = entry(
    Kind.CORRECTION,
    card=Card("2990000000017"),
    amount=Amount(500, "EUR"),
    receipt=Receipt("R7", "S001"),
    reverses="e0",
    event=CardEvent(Happening.BLOCK),
    correction=TOLD,
)
"""No entry has all of these; each kind has some."""


@pytest.mark.parametrize(
    "other",
    [
        {"kind": Kind.REVERSE},
        {"card": Card("2990000000024")},
        {"card": None},
        {"points": 11},
        {"amount": Amount(501, "EUR")},
        {"receipt": Receipt("R8", "S001")},
        {"reverses": "e9"},
        {"event": CardEvent(Happening.UNBLOCK)},
        {"correction": Correction("Anne", "looked at both receipts", "e0", Resolution.REFUSE)},
    ],
    ids=lambda other: next(iter(other)),
)
def test_another_sale_under_a_used_key_is_put_before_a_person(other: dict[str, object]) -> None:
    """Whatever of it differs: one of the two would be lost if it were taken for a repetition."""
    first = First(1, msgspec.structs.replace(FULL, **other), State.POSTED, Code.POSTED)
    assert decide(case(FULL, **HAD, first=first)).codes == (Code.KEY_MISMATCH,)


@pytest.mark.parametrize(
    "other",
    [
        {"id": "e2"},
        {"occurred_at": "2025-06-16T09:00:00Z", "business_day": "2025-06-16"},
        {"clock": Clock("another boot", 9, "2025-06-16T09:00:00Z")},
        {"operator": "Bo"},
        {"card": Card("2990000000017", proof=CardProof("0f", 7))},
    ],
    ids=lambda other: next(iter(other)),
)
def test_the_same_sale_told_in_other_words_is_one(other: dict[str, object]) -> None:
    """A cash register that asks again after a restart of the till: another id and time, the same key and sale."""
    first = First(1, msgspec.structs.replace(FULL, **other), State.POSTED, Code.POSTED)
    assert decide(case(FULL, **HAD, first=first)).codes == (Code.DUPLICATE,)


def test_a_stronger_reason_is_named_before_a_weaker_one() -> None:
    """A record of a stranger with a used key on an unknown card is a stranger's first of all."""
    first = First(1, REDEEM, State.POSTED, Code.POSTED)
    assert decide(case(EARN, enrolled=False, first=first)).code is Code.TERMINAL_UNKNOWN
    assert decide(case(EARN, first=first)).code is Code.KEY_MISMATCH
    assert decide(case(EARN)).code is Code.CARD_UNKNOWN


def test_a_remark_never_hides_an_overdraft() -> None:
    """A replaced card is nothing to look at; that it has too few points is, and both are named."""
    decision = decide(case(REDEEM, standing=POOR, card=REPLACED, clock_off_ms=10**9))
    assert decision.codes == (Code.CARD_REPLACED, Code.CLOCK_IMPLAUSIBLE, Code.OVERDRAWN)
    assert (decision.state, decision.effect) == (State.CONFLICT, -10)
    assert decision.detail is not None
    assert decision.detail.startswith("card_replaced, clock_implausible, overdrawn: ")


def test_what_ends_the_looking_leaves_the_right_alone() -> None:
    """Who signs for another's redemption does not use its allowance up; the holder's own repetition does."""
    stolen = msgspec.structs.replace(PROMISED, terminal="other")
    assert decide(case(stolen, **HAD, right=OPEN)).right is None
    again = decide(case(PROMISED, **HAD, right=OPEN, first=First(1, PROMISED, State.POSTED, Code.POSTED)))
    assert again.right is RightState.CONSUMED


def test_a_refused_redemption_ends_its_allowance() -> None:
    """The till gave the goods for it: the right is over, and its points are free because none were taken."""
    policy = Policy(stances={Code.ALLOWANCE_EXCEEDED: Stance.REFUSE})
    decision = decide(case(PROMISED, **HAD, right=changed(OPEN, points=9), policy=policy))
    assert (decision.state, decision.effect, decision.right) == (State.CONFLICT, 0, RightState.RELEASED)


@pytest.mark.parametrize(("given_case", "code", "stance"), CHOSEN)
def test_what_became_of_it_is_said_behind_the_reason(given_case: Case, code: Code, stance: Stance) -> None:
    """Whose choice it was and what would change it; where nothing was chosen, the reason alone."""
    policy = msgspec.structs.replace(given_case.policy, stances={code: stance})
    decision = decide(msgspec.structs.replace(given_case, policy=policy))
    (rule,) = [rule for rule in RULES if rule.code is code and given_case.entry.kind in rule.kinds]
    reason, detail = rule.says(given_case), decision.detail or ""
    assert detail.startswith(reason)
    outcome = detail.removeprefix(reason)
    if code in ENDING or rule.held:
        assert outcome == ""
    elif decision.stands:
        assert outcome == (f"; {HONOURED[code]}" if code in HONOURED else "")
    elif stance is Stance.REFUSE:
        assert outcome == f"; the policy for {code} refuses it, so it has no effect unless a person honours it"
    else:
        assert outcome == f"; the policy for {code} lets a person decide; until then it has no effect"


def test_whatever_is_not_simply_posted_says_why() -> None:
    """A person gets a sentence, and no card number in it."""
    for given_case, code, _, _ in ONE_OF_EACH:
        detail = decide(given_case).detail
        assert (detail is None) == (code is Code.POSTED)
        assert "2990000000017" not in (detail or "")
        assert "2990000000024" not in (detail or "")


stances = st.fixed_dictionaries(
    {}, optional={code: st.sampled_from(choice.stances) for code, choice in CHOICES.items()}
)
standings = st.none() | st.builds(
    Standing, st.just(1), st.integers(-20, 20), st.integers(0, 20), idle=st.integers(0, 9), expired=st.integers(0, 9)
)
firsts = st.none() | st.builds(
    First, st.sampled_from([1, 2]), st.sampled_from([EARN, REDEEM]), st.just(State.POSTED), st.just(Code.POSTED)
)
cases = st.builds(
    Case,
    record=st.just(2),
    entry=st.sampled_from([EARN, PRICED_EARN, REDEEM, REVERSE, PROMISED, KNOWING, RELEASE]),
    sender=st.sampled_from([SENDER, SENDER, SENDER, "other"]),
    enrolled=st.sampled_from([True, True, False]),
    revoked=st.sampled_from([False, False, True]),
    first=firsts,
    standing=standings,
    original=st.none() | st.builds(Original, st.just(1), st.just(Kind.EARN), st.just(1), st.just(9), st.integers(0, 9)),
    right=st.none() | st.builds(changed, st.just(OPEN), points=st.integers(0, 12), state=st.sampled_from(RightState)),
    branch=st.sampled_from([None, Code.FORK, Code.RESTORED]),
    receipt=st.sampled_from([None, 1, 2]),
    card=st.sampled_from([None, REPLACED, MERGED, blocked_card(7)]),
    clock_off_ms=st.sampled_from([0, 10**9]),
    redeemed=st.integers(0, 20),
    policy=st.builds(
        Policy,
        stances=stances,
        limits=st.sampled_from([Limits(), Limits(5, 15)]),
        programme=st.sampled_from([Programme(), PRICED.programme]),
    ),
)


@settings(max_examples=400)
@given(cases)
def test_the_code_told_is_always_the_strongest_that_applies(found: Case) -> None:
    """No policy and no other reason hides it; all that apply are named, and the effect is all or nothing."""
    applying = [rule for rule in RULES if found.entry.kind in rule.kinds and rule.applies(found)]
    decision = decide(found)
    if not applying:
        assert decision.code is Code.POSTED
        return
    assert decision.code is applying[0].code
    ended = next((index for index, rule in enumerate(applying) if rule.ends), len(applying))
    asked = applying[: ended + 1]
    assert decision.codes == tuple(dict.fromkeys(rule.code for rule in asked))
    assert decision.stands or decision.effect == 0
    if ended == len(applying):
        strict = [rule for rule in asked if rule.held or stance(found.policy, rule.code) is not Stance.HONOUR]
        assert decision.stands == (not strict)
        assert decision.stands or decision.state is not State.POSTED
        loud = decision.stands and not all(rule.noted for rule in asked)
        assert not loud or decision.state is State.CONFLICT
    assert decision.state is not State.PARKED or decision.waits is not None


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
        (b'{"more":' + b"[" * 100_000, Code.UNDECODABLE),
        (b'{"v":2,"more":"\\u0000"}', Code.UNDECODABLE),
        (b'{"v":2}\xff', Code.UNDECODABLE),
    ],
)
def test_what_cannot_be_read_is_told_apart(raw: bytes, code: Code) -> None:
    """A later version can be read after an update; the rest is garbage."""
    found = read(raw)
    assert isinstance(found, Decision)
    assert (found.code, found.state, found.waits) == (code, State.PARKED, WAITS_FOR_UPGRADE)
    assert found.detail


def test_one_point_is_said_as_one() -> None:
    """In what the ledger tells a shop of an entry."""
    one = entry(Kind.REDEEM, 1)
    assert overdrawn(case(one, standing=POOR)) == "1 point taken where only 5 could be"
    assert expired(case(one, standing=STALE)).startswith("redeemed 1 point where")
    assert exceeded(case(one, right=OPEN)) == "1 point redeemed on an allowance of 10"
