"""The rules without I/O: a record, and what the books say about it, become a decision.

`RULES` is the order of precedence, as data: the first rule that applies decides. Entries are facts, not requests:
what the shop has already handed over is applied and flagged, never refused.
"""

import hashlib
from collections.abc import Callable
from typing import Final

import msgspec

from ledger import rights, sentences
from ledger.claims import AWARDS, lends, same_sale
from ledger.facts import Case, Code, Decision, First, RightState
from ledger.sentences import clipped
from offline_queue.entry import VERSION, Entry, Kind, State, Undecodable, decode

EVERY: Final = frozenset(Kind)
KEYED: Final = frozenset({Kind.EARN, Kind.REDEEM, Kind.REVERSE, Kind.CLAIM, Kind.CARD_EVENT})
"""Kinds whose effect happens once per idempotency key; the others are idempotent by stream or allowance."""
ON_CARD: Final = frozenset({Kind.EARN, Kind.REDEEM, Kind.CLAIM})
REDEEM: Final = frozenset({Kind.REDEEM})
REVERSE: Final = frozenset({Kind.REVERSE})
RELEASE: Final = frozenset({Kind.RELEASE})
CARD_EVENT: Final = frozenset({Kind.CARD_EVENT})
CLAIM: Final = frozenset({Kind.CLAIM})

MAX_NUMBER: Final = 64
"""Characters of the longest card number that may open an account; a longer one is no card's."""

NO_CLAIM: Final = frozenset(
    {Code.TERMINAL_UNKNOWN, Code.SIGNATURE_BAD, Code.CLAIM_UNPROVEN, Code.DUPLICATE, Code.KEY_MISMATCH}
)
"""Decisions that leave the idempotency key to others: a stranger cannot burn a key."""
APPLIED: Final = frozenset(
    {Code.POSTED, Code.OVERDRAWN, Code.ALLOWANCE_EXCEEDED, Code.ALLOWANCE_VOID, Code.OVER_REVERSAL}
)
"""Decisions on points that make a posting, flagged or not."""
OVERDRAWING: Final = frozenset({Code.OVERDRAWN, Code.ALLOWANCE_EXCEEDED, Code.ALLOWANCE_VOID, Code.OVER_REVERSAL})
"""Flagged decisions that may leave less in an account than was promised from it."""

NUL: Final = b"\\u0000"
"""As JSON has it. No till writes one, and texts in PostgreSQL cannot hold it."""
WAITS_FOR_UPGRADE: Final = "upgrade"


UNREAD: Final = Decision(
    State.PARKED,
    Code.UNDECODABLE,
    waits=WAITS_FOR_UPGRADE,
    detail="taken into custody as opaque bytes, not yet looked into",
)


def bounded(name: str) -> str:
    """A name from outside as the books index it: a very long one by its hash."""
    if len(name) <= MAX_NUMBER:
        return name
    return f"#{hashlib.blake2b(name.encode(), digest_size=16).hexdigest()}"


def waits_for_card(number: str) -> str:
    return f"card:{bounded(number)}"


def waits_for_entry(entry: str) -> str:
    return f"entry:{bounded(entry)}"


def waits_for_claim(key: str) -> str:
    """A sale without a card waits for whoever has its code."""
    return f"claim:{bounded(key)}"


def waits_for_record(record: int) -> str:
    return f"record:{record}"


def plausible(number: str) -> bool:
    """Whether an account may be opened under this card number."""
    return 0 < len(number) <= MAX_NUMBER and number.isprintable()


def read(record: bytes) -> Entry | Decision:
    """The entry, or the decision to park what this version cannot read until a later one can."""
    if NUL in record:
        return Decision(State.PARKED, Code.UNDECODABLE, waits=WAITS_FOR_UPGRADE, detail="a text holds a NUL character")
    try:
        return decode(record)
    except Undecodable as error:
        code = Code.VERSION_UNKNOWN if _of_later_version(record) else Code.UNDECODABLE
        return Decision(State.PARKED, code, waits=WAITS_FOR_UPGRADE, detail=clipped(str(error)))


def decide(case: Case) -> Decision:
    """The first rule of the order of precedence that applies."""
    rule = next(rule for rule in _RULES_OF[case.entry.kind] if rule.applies(case))
    if rule.code is Code.DUPLICATE and case.first is not None:
        return _as_first(case, case.first)
    effect = rule.effect(case)
    return Decision(
        state=rule.state,
        code=rule.code,
        effect=effect,
        asked=_asked(case),
        waits=rule.waits(case),
        right=rule.right(case),
        detail=clipped(rule.detail(case, effect)) if rule.detail else None,
    )


def substance(entry: Entry) -> tuple[object, ...]:
    """What makes two entries the same sale, whichever till minted them and whenever."""
    number = entry.card.number if entry.card else None
    return (entry.kind, number, entry.points, entry.amount, entry.receipt, entry.reverses, entry.event)


class _Version(msgspec.Struct):
    v: int = VERSION


_version = msgspec.json.Decoder(_Version)


def _of_later_version(record: bytes) -> bool:
    try:
        return _version.decode(record).v != VERSION
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


# --- how much ---


def _nothing(_: Case) -> int:
    return 0


def _asked(case: Case) -> int:
    """The effect on the account that the entry asks for; a reversal of 0 points means all that is left."""
    entry, original = case.entry, case.original
    if entry.kind in AWARDS:
        return 0 if lends(case) else entry.points
    if entry.kind is Kind.REDEEM:
        return -entry.points
    if entry.kind is Kind.REVERSE and original is not None:
        points = entry.points or original.left
        return points if original.points < 0 else -points
    return 0


def _undone(case: Case) -> int:
    """As much of a reversal as the original still carries."""
    asked = _asked(case)
    left = case.original.left if case.original is not None else 0
    return max(asked, -left) if asked < 0 else min(asked, left)


# --- when ---


def _always(_: Case) -> bool:
    return True


def _not_enrolled(case: Case) -> bool:
    return not case.enrolled


def _of_another(case: Case) -> bool:
    return case.entry.terminal != case.sender


def _key_taken(case: Case) -> bool:
    return case.first is not None and case.first.record != case.record and not lends(case)


def _unproven(case: Case) -> bool:
    return case.doubt is not None


def _same_sale(case: Case) -> bool:
    if case.first is None or not _key_taken(case):
        return False
    if Kind.CLAIM in (case.first.entry.kind, case.entry.kind):
        return same_sale(case.first.entry, case.entry)
    return substance(case.first.entry) == substance(case.entry)


def _objected(case: Case) -> bool:
    return case.objection is not None


def _no_account(case: Case) -> bool:
    return case.standing is None


def _no_original(case: Case) -> bool:
    return case.original is None


def _reversed_twice(case: Case) -> bool:
    return case.original is not None and case.original.left == 0 and case.original.reversed > 0


def _over_reversal(case: Case) -> bool:
    original = case.original
    return original is not None and (original.kind is Kind.REVERSE or abs(_asked(case)) > original.left)


def _exceeded(case: Case) -> bool:
    return rights.holds(case) and case.right is not None and case.entry.points > case.right.points


def _void(case: Case) -> bool:
    return case.entry.allowance is not None and not rights.holds(case)


def _overdrawn(case: Case) -> bool:
    effect = _asked(case)
    return not rights.holds(case) and effect < 0 and case.standing is not None and -effect > case.standing.available


# --- and then ---


def _never(_: Case) -> None:
    return None


def _its_original(case: Case) -> str | None:
    return waits_for_entry(case.entry.reverses) if case.entry.reverses else None


def _its_card(case: Case) -> str | None:
    """Or any card. A redemption on an unknown one waits for a person: there was nothing that it could have used."""
    if case.entry.kind not in AWARDS:
        return None
    return waits_for_card(case.card.number) if case.card else waits_for_claim(case.entry.key)


def _as_first(case: Case, first: First) -> Decision:
    """The first decision again; while that is not final, this one waits with it."""
    return Decision(
        state=first.state,
        code=Code.DUPLICATE,
        asked=_asked(case),
        waits=waits_for_record(first.record) if first.state is State.PARKED else None,
        right=rights.used(case),
        detail=clipped(sentences.duplicate(case, first)),
    )


class Rule(msgspec.Struct, frozen=True):
    """A way to disagree. The functions take the case; `detail` also the effect, for people."""

    code: Code
    kinds: frozenset[Kind]
    applies: Callable[[Case], bool]
    state: State
    effect: Callable[[Case], int] = _nothing
    waits: Callable[[Case], str | None] = _never
    right: Callable[[Case], RightState | None] = _never
    detail: Callable[[Case, int], str] | None = None


RULES: Final = (
    Rule(Code.TERMINAL_UNKNOWN, EVERY, _not_enrolled, State.CONFLICT, detail=sentences.not_enrolled),
    Rule(Code.SIGNATURE_BAD, EVERY, _of_another, State.CONFLICT, detail=sentences.of_another),
    Rule(Code.CLAIM_UNPROVEN, CLAIM, _unproven, State.CONFLICT, detail=sentences.unproven),
    Rule(Code.DUPLICATE, KEYED, _same_sale, State.POSTED),
    Rule(Code.KEY_MISMATCH, KEYED, _key_taken, State.PARKED, right=rights.unused, detail=sentences.key_mismatch),
    Rule(Code.CARD_EVENT_REFUSED, CARD_EVENT, _objected, State.CONFLICT, detail=lambda case, _: case.objection or ""),
    Rule(Code.CARD_UNKNOWN, ON_CARD, _no_account, State.PARKED, waits=_its_card, detail=sentences.card_unknown),
    Rule(
        Code.ORIGINAL_UNKNOWN,
        REVERSE,
        _no_original,
        State.PARKED,
        waits=_its_original,
        detail=sentences.original_unknown,
    ),
    Rule(Code.REVERSED_TWICE, REVERSE, _reversed_twice, State.CONFLICT, detail=sentences.reversed_twice),
    Rule(Code.OVER_REVERSAL, REVERSE, _over_reversal, State.CONFLICT, _undone, detail=sentences.over_reversal),
    Rule(
        Code.ALLOWANCE_EXCEEDED, REDEEM, _exceeded, State.CONFLICT, _asked, right=rights.used, detail=sentences.exceeded
    ),
    Rule(Code.ALLOWANCE_VOID, REDEEM, _void, State.CONFLICT, _asked, right=rights.used, detail=sentences.void),
    Rule(Code.ALLOWANCE_VOID, RELEASE, rights.foreign, State.CONFLICT, detail=sentences.void),
    Rule(Code.OVERDRAWN, REDEEM | REVERSE, _overdrawn, State.CONFLICT, _asked, detail=sentences.overdrawn),
    Rule(Code.POSTED, RELEASE, _always, State.POSTED, right=rights.given_back),
    Rule(Code.POSTED, EVERY - RELEASE, _always, State.POSTED, _asked, right=rights.used),
)
_RULES_OF: Final = {kind: tuple(rule for rule in RULES if kind in rule.kinds) for kind in Kind}
