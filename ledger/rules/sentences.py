"""Why a record stands as it does, in words for people; never with a card's whole number in them."""

from collections.abc import Iterable, Sequence
from typing import Final

from ledger.facts.case import Case, First
from ledger.facts.codes import Code
from ledger.rules.arithmetic import points
from ledger.rules.instants import length
from ledger.rules.own_entries import OFFICE
from offline_queue.entry import Entry, masked

MAX_CHARACTERS: Final = 300
"""Keys and names come from outside and may be long; a page of decisions must not become so."""
HONOURED: Final = {
    Code.RECEIPT_DUPLICATE: "it counts all the same",
    Code.CARD_COPIED: "it counts all the same",
    Code.OVER_REVERSAL: "what it carried is undone",
    Code.LIMIT_BREACH: "it is applied",
    Code.ALLOWANCE_EXCEEDED: "it is applied",
    Code.ALLOWANCE_VOID: "it is applied",
    Code.OVERDRAWN: "it is applied, and the next earned points repay the difference",
}
"""What comes of it where the retailer honours it."""
BRANCHED: Final = {
    Code.FORK: "two machines continue one journal; each sale counts once",
    Code.RESTORED: "the till continues an older state of its journal; each sale counts once",
}
"""Of records in one of two futures of the same past."""


def joined(codes: Sequence[Code], words: Iterable[str]) -> str:
    """All reasons; where there are several their codes come first, so that a long sentence cuts none of them off."""
    return clipped((f"{', '.join(codes)}: " if len(codes) > 1 else "") + "; ".join(words))


def clipped(text: str) -> str:
    """The beginning of a text, with a mark where it was cut."""
    return text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1] + "…"


def withheld(code: Code, *, refused: bool) -> str:
    """What comes of it where the retailer does not."""
    if refused:
        return f"the policy for {code} refuses it, so it has no effect unless a person honours it"
    return f"the policy for {code} lets a person decide; until then it has no effect"


def not_enrolled(case: Case) -> str:
    return (
        f"names terminal {case.entry.terminal}, which is not enrolled; {case.sender} signed for it, nothing is credited"
    )


def revoked(case: Case) -> str:
    return f"the key of {case.sender} was revoked before this came; it is kept without effect"


def of_another(case: Case) -> str:
    return f"says it is of terminal {case.entry.terminal}, but {case.sender} signed for it; nothing is credited"


def unproven(case: Case) -> str:
    return f"the claim code proves nothing: {case.doubt}; nothing is credited"


def forked(_: Case) -> str:
    return BRANCHED[Code.FORK]


def restored(_: Case) -> str:
    return BRANCHED[Code.RESTORED]


def duplicate(case: Case) -> str:
    return already(case.entry, case.first)


def already(entry: Entry, first: First | None) -> str:
    """Many records that come again at once are told so in the same words: then they share a verdict."""
    if first is None:
        return f"the key {entry.key!r} is already in the books"
    if first.entry.id == entry.id:
        return f"this very entry is already in the books: {first.code}"
    return f"the key {entry.key!r} is already in the books as entry {first.entry.id}: {first.code}"


def key_mismatch(case: Case) -> str:
    first = f" (entry {case.first.entry.id})" if case.first else ""
    return f"the key {case.entry.key!r} was used before for another sale{first}, which stands; look at both receipts"


def receipt_duplicate(case: Case) -> str:
    number = case.entry.receipt.number if case.entry.receipt else ""
    return f"the receipt {number!r} earned points before under another key"


def card_unknown(case: Case) -> str:
    if case.entry.card is None:
        return "made without a card; its points are credited when the code on its receipt comes to a till"
    card = f"card {masked(case.entry.card.number)}"
    return f"{card}: no account; what was earned is credited when the card is registered"


def replaced(case: Case) -> str:
    return f"the card was replaced by {masked(case.card.number if case.card else '')}, which has the points"


def merged(case: Case) -> str:
    return f"the account was merged into that of {masked(case.card.number if case.card else '')}, which has the points"


def objection(case: Case) -> str:
    return f"{case.objection}; no card and no points were changed"


def blocked_earn(_: Case) -> str:
    return "the card is blocked; what was earned is credited when it is unblocked"


def blocked_knowingly(_: Case) -> str:
    return "redeemed on a blocked card, and the till knew; the shop answers for it"


def blocked(_: Case) -> str:
    return "redeemed on a card that had just been blocked; the programme answers for it"


def original_unknown(case: Case) -> str:
    return f"waits for entry {case.entry.reverses}, which it reverses"


def not_here_yet(case: Case) -> str:
    return f"waits for entry {_named(case)}, which it corrects"


def may_not_resolve(case: Case) -> str:
    if _named(case) is None:
        return "names no entry that it corrects; nothing is changed"
    if case.sender == OFFICE:
        return (
            f"entry {_named(case)} is the ledger's own, for points that expired or accounts that were joined; a word on"
            " the sale itself changes its points; nothing is changed"
        )
    return f"{case.sender} may not settle entry {_named(case)}; nothing is changed, head office decides"


def no_account_to_correct(case: Case) -> str:
    card = f"card {masked(case.word.card)}" if case.word and case.word.card else "an entry without a card"
    return f"{card}: no account to post the correction on; it takes effect when the card is registered"


def word_overdraws(case: Case) -> str:
    free = max(case.standing.available, 0) if case.standing else 0
    return f"{points(-case.word.effect if case.word else 0)} taken back where only {free} could be"


def _named(case: Case) -> str | None:
    return case.entry.correction.of if case.entry.correction else None


def reversed_twice(case: Case) -> str:
    return f"entry {case.entry.reverses} was reversed before; there is nothing more to undo"


def over_reversal(case: Case) -> str:
    left = case.original.left if case.original else 0
    return f"{points(case.entry.points)} to be reversed where the original carries {left}"


def copied(case: Case) -> str:
    where = f"at {case.shown.terminal}" if case.shown else "before"
    return f"what this card showed was shown {where} already, or a later count of it: one of them was a copy"


def clock_off(case: Case) -> str:
    return f"the till's clock is {length(abs(case.clock_off_ms))} {'fast' if case.clock_off_ms > 0 else 'slow'}"


def expired(case: Case) -> str:
    gone = min(case.standing.expired, case.entry.points) if case.standing else 0
    return f"redeemed {points(case.entry.points)} where {gone} of those needed had expired"


def points_differ(case: Case) -> str:
    expected = case.policy.programme.expected(case.entry)
    return f"the till counted {points(case.entry.points)}, the ledger's rule {case.entry.rule} counts {expected}"


def rule_unknown(case: Case) -> str:
    return f"the ledger has no rule {case.entry.rule}"


def beyond_limits(case: Case) -> str:
    limits = case.policy.limits
    most = [
        f"{limit} {per}"
        for limit, per in ((limits.per_transaction, "at once"), (limits.per_card_and_day, "a day"))
        if limit is not None
    ]
    before = f" after {case.redeemed} that day" if case.redeemed else ""
    return f"{points(case.entry.points)} redeemed without an allowance{before}, where {' and '.join(most)} are allowed"


def exceeded(case: Case) -> str:
    return f"{points(case.entry.points)} redeemed on an allowance of {case.right.points if case.right else 0}"


def void(case: Case) -> str:
    return f"the allowance {case.entry.allowance} is not an open one of this terminal and card"


def overdrawn(case: Case) -> str:
    free = max(case.standing.available, 0) if case.standing else 0
    left = case.original.left if case.original else case.entry.points
    return f"{points(min(case.entry.points or left, left))} taken where only {free} could be"
