"""When a rule applies, and to how much: questions to one case, without I/O."""

from ledger.facts.cards import CardStatus
from ledger.facts.case import Case
from ledger.facts.codes import Code
from ledger.rules import rights
from ledger.rules.claims import AWARDS, lends, same_sale
from ledger.rules.own_entries import OFFICE
from ledger.rules.records import waits_for_card, waits_for_claim, waits_for_entry, waits_for_unblocking
from offline_queue.entry import Entry, Kind


def substance(entry: Entry) -> tuple[object, ...]:
    """What makes two entries the same sale, whichever till minted them and whenever."""
    number = entry.card.number if entry.card else None
    told = (entry.points, entry.amount, entry.receipt, entry.reverses, entry.event, entry.correction)
    return (entry.kind, number, *told)


def same(first: Entry, entry: Entry) -> bool:
    """Whether two entries under one key tell of one sale."""
    if Kind.CLAIM in (first.kind, entry.kind):
        return same_sale(first, entry)
    return substance(first) == substance(entry)


# --- how much ---


def asked(case: Case) -> int:
    """The effect on the account that the entry asks for; a reversal of 0 points means all that is left."""
    entry, original = case.entry, case.original
    if entry.kind in AWARDS:
        return 0 if lends(case) else entry.points
    if entry.kind is Kind.REDEEM:
        return -entry.points
    if entry.kind is Kind.REVERSE and original is not None:
        points = entry.points or original.left
        return points if original.kind is Kind.REDEEM else -points
    return case.word.effect if case.word is not None else 0


def promised(case: Case) -> int:
    """The effect that the entry has where nothing withholds it: a reversal takes no more than its original carries."""
    points = asked(case)
    if case.entry.kind is not Kind.REVERSE:
        return points
    left = case.original.left if case.original is not None else 0
    return max(points, -left) if points < 0 else min(points, left)


# --- whose it is, and whether it came before ---


def not_enrolled(case: Case) -> bool:
    return not case.enrolled


def revoked(case: Case) -> bool:
    return case.revoked


def of_another(case: Case) -> bool:
    return case.entry.terminal != case.sender


def unproven(case: Case) -> bool:
    return case.doubt is not None


def forked(case: Case) -> bool:
    return case.branch is Code.FORK


def restored(case: Case) -> bool:
    return case.branch is Code.RESTORED


def key_taken(case: Case) -> bool:
    return case.first is not None and case.first.record != case.record and not lends(case)


def repeated(case: Case) -> bool:
    return case.first is not None and key_taken(case) and same(case.first.entry, case.entry)


def receipt_taken(case: Case) -> bool:
    return case.receipt is not None and case.receipt != case.record


# --- its card, its original, its time ---


def objected(case: Case) -> bool:
    return case.objection is not None


def no_account(case: Case) -> bool:
    return case.standing is None


def replaced(case: Case) -> bool:
    return case.card is not None and case.card.status is CardStatus.REPLACED


def merged(case: Case) -> bool:
    return case.card is not None and case.card.status is CardStatus.MERGED


def blocked(case: Case) -> bool:
    """The card is blocked, and the till had not taken that over."""
    return case.card is not None and case.card.blocked is not None and not blocked_knowingly(case)


def blocked_knowingly(case: Case) -> bool:
    since = case.card.blocked if case.card is not None else None
    return since is not None and case.entry.hotlist is not None and case.entry.hotlist >= since


def no_original(case: Case) -> bool:
    return case.original is None


def reversed_twice(case: Case) -> bool:
    return case.original is not None and case.original.left == 0 and case.original.reversed > 0


def over_reversal(case: Case) -> bool:
    original = case.original
    return original is not None and (original.is_final or abs(asked(case)) > original.left)


def clock_off(case: Case) -> bool:
    return abs(case.clock_off_ms) > case.policy.clock_tolerance_ms


# --- its points ---


def expired(case: Case) -> int:
    """Points of a redemption that had expired when it was made; those still alive are used first.

    What was promised to somebody while it was alive is not among them.
    """
    if rights.holds(case) or case.standing is None:
        return 0
    available = case.standing.available
    missing, gone = case.entry.points - max(available, 0), case.standing.expired + min(available, 0)
    return max(0, min(missing, gone))


def lot_expired(case: Case) -> bool:
    return expired(case) > 0


def points_differ(case: Case) -> bool:
    expected = case.policy.programme.expected(case.entry)
    return expected is not None and expected != case.entry.points


def rule_unknown(case: Case) -> bool:
    """What the office gives of its own needs no rule of the programme."""
    return case.sender != OFFICE and not case.policy.programme.knows(case.entry)


def beyond_limits(case: Case) -> bool:
    """More without an allowance than the retailer lets tills give on their own."""
    if case.entry.allowance is not None:
        return False
    points, limits = case.entry.points, case.policy.limits
    at_once, a_day = limits.per_transaction, limits.per_card_and_day
    return (at_once is not None and points > at_once) or (a_day is not None and case.redeemed + points > a_day)


# --- a person's word ---


def may_not_resolve(case: Case) -> bool:
    """A till has no word without an entry that it is on; the office's own corrections may have none."""
    told = case.entry.correction
    if told is None or told.of is None:
        return case.sender != OFFICE
    return case.word is not None and not case.word.entitled


def not_here_yet(case: Case) -> bool:
    told = case.entry.correction
    return case.word is None and told is not None and told.of is not None


def no_account_to_correct(case: Case) -> bool:
    return case.word is not None and case.word.effect != 0 and case.standing is None


def word_overdraws(case: Case) -> bool:
    return case.word is not None and case.standing is not None and -case.word.effect > max(0, case.standing.available)


# --- its right ---


def exceeded(case: Case) -> bool:
    return rights.holds(case) and case.right is not None and case.entry.points > case.right.points


def void(case: Case) -> bool:
    return case.entry.allowance is not None and not rights.holds(case)


def overdrawn(case: Case) -> bool:
    """More than may be used, and more than what had just expired would have paid."""
    effect = promised(case) + (expired(case) if case.entry.kind is Kind.REDEEM else 0)
    return not rights.holds(case) and effect < 0 and case.standing is not None and -effect > case.standing.available


# --- and then ---


def its_original(case: Case) -> str | None:
    return waits_for_entry(case.entry.reverses) if case.entry.reverses else None


def its_card(case: Case) -> str | None:
    """Or any card. A redemption on an unknown one waits for a person: there was nothing that it could have used."""
    if case.entry.kind not in AWARDS:
        return None
    return waits_for_card(case.card.number) if case.card else waits_for_claim(case.entry.key)


def its_named(case: Case) -> str | None:
    told = case.entry.correction
    return waits_for_entry(told.of) if told and told.of else None


def its_missing_card(case: Case) -> str | None:
    return waits_for_card(case.word.card) if case.word and case.word.card else None


def its_unblocking(case: Case) -> str | None:
    return waits_for_unblocking(case.card.number) if case.card else None
