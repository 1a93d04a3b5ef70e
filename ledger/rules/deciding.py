"""The rules without I/O: a record, and what the books say about it, become a decision.

`RULES` is the order of precedence, as data. Entries are facts, not requests: what the shop has already handed over is
applied and flagged, unless the retailer has chosen otherwise (ledger/rules/policies.py). Every rule that applies is
told, the strongest first, so that a remark never hides an overdraft.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from ledger.facts.case import Case, Decision, First
from ledger.facts.codes import Code
from ledger.facts.policy import Stance
from ledger.facts.rights import RightState
from ledger.rules import grounds, rights, sentences
from ledger.rules.claims import AWARDS
from ledger.rules.policies import stance
from ledger.rules.proofs import SHOWING, copied
from ledger.rules.records import KEYED, ON_CARD, WAITS_FOR_REVIEW, waits_for_record
from offline_queue.entry import Kind, State

EVERY: Final = frozenset(Kind)
EARN: Final = frozenset({Kind.EARN})
CLAIM: Final = frozenset({Kind.CLAIM})
REDEEM: Final = frozenset({Kind.REDEEM})
REVERSE: Final = frozenset({Kind.REVERSE})
RELEASE: Final = frozenset({Kind.RELEASE})
CARD_EVENT: Final = frozenset({Kind.CARD_EVENT})
CORRECTION: Final = frozenset({Kind.CORRECTION})


def _a_person(_: Case) -> None:
    return None


def _untouched(_: Case) -> None:
    return None


class Rule(msgspec.Struct, frozen=True):
    """A way to disagree: it `applies` to entries of its `kinds`, and `says` so to people.

    `ends`: nothing behind it in the table is asked, for the entry is not this terminal's, not new, or not whole. The
    others are asked all; `noted` ones leave the entry posted, and those that are `settled` do so whatever the retailer
    has chosen, for a person has decided already. `waits` names what may settle it without a person, and
    `held` is true where the retailer has no choice but to wait for that. `right` is what becomes of the entry's
    allowance where the looking ends here.
    """

    code: Code
    kinds: frozenset[Kind]
    applies: Callable[[Case], bool]
    says: Callable[[Case], str]
    ends: bool = False
    noted: bool = False
    held: bool = False
    settled: bool = False
    waits: Callable[[Case], str | None] = _a_person
    right: Callable[[Case], RightState | None] = _untouched


RULES: Final = (
    Rule(Code.TERMINAL_UNKNOWN, EVERY, grounds.not_enrolled, sentences.not_enrolled, ends=True),
    Rule(Code.KEY_REVOKED, EVERY, grounds.revoked, sentences.revoked, ends=True),
    Rule(Code.SIGNATURE_BAD, EVERY, grounds.of_another, sentences.of_another, ends=True),
    Rule(Code.CLAIM_UNPROVEN, CLAIM, grounds.unproven, sentences.unproven, ends=True),
    Rule(Code.FORK, KEYED, grounds.forked, sentences.forked, noted=True),
    Rule(Code.RESTORED, KEYED, grounds.restored, sentences.restored, noted=True),
    Rule(Code.DUPLICATE, KEYED, grounds.repeated, sentences.duplicate, ends=True),
    Rule(Code.KEY_MISMATCH, KEYED, grounds.key_taken, sentences.key_mismatch, ends=True, right=rights.unused),
    Rule(Code.RESOLUTION_REFUSED, CORRECTION, grounds.may_not_resolve, sentences.may_not_resolve, ends=True),
    Rule(Code.CARD_EVENT_REFUSED, CARD_EVENT, grounds.objected, sentences.objection, ends=True),
    Rule(Code.RECEIPT_DUPLICATE, EARN, grounds.receipt_taken, sentences.receipt_duplicate),
    Rule(Code.CARD_COPIED, SHOWING, copied, sentences.copied),
    Rule(
        Code.CARD_UNKNOWN,
        CORRECTION,
        grounds.no_account_to_correct,
        sentences.no_account_to_correct,
        ends=True,
        waits=grounds.its_missing_card,
    ),
    Rule(Code.CARD_UNKNOWN, ON_CARD, grounds.no_account, sentences.card_unknown, ends=True, waits=grounds.its_card),
    Rule(Code.CARD_REPLACED, ON_CARD, grounds.replaced, sentences.replaced, noted=True),
    Rule(Code.ACCOUNT_MERGED, ON_CARD, grounds.merged, sentences.merged, noted=True),
    Rule(
        Code.CARD_BLOCKED_KNOWN,
        AWARDS,
        grounds.blocked_knowingly,
        sentences.blocked_earn,
        held=True,
        waits=grounds.its_unblocking,
    ),
    Rule(Code.CARD_BLOCKED_KNOWN, REDEEM, grounds.blocked_knowingly, sentences.blocked_knowingly),
    Rule(
        Code.CARD_BLOCKED_UNKNOWN,
        AWARDS,
        grounds.blocked,
        sentences.blocked_earn,
        held=True,
        waits=grounds.its_unblocking,
    ),
    Rule(Code.CARD_BLOCKED_UNKNOWN, REDEEM, grounds.blocked, sentences.blocked),
    Rule(
        Code.ORIGINAL_UNKNOWN,
        REVERSE,
        grounds.no_original,
        sentences.original_unknown,
        ends=True,
        waits=grounds.its_original,
    ),
    Rule(
        Code.ORIGINAL_UNKNOWN,
        CORRECTION,
        grounds.not_here_yet,
        sentences.not_here_yet,
        ends=True,
        waits=grounds.its_named,
    ),
    Rule(Code.REVERSED_TWICE, REVERSE, grounds.reversed_twice, sentences.reversed_twice, ends=True),
    Rule(Code.OVER_REVERSAL, REVERSE, grounds.over_reversal, sentences.over_reversal),
    Rule(Code.CLOCK_IMPLAUSIBLE, KEYED, grounds.clock_off, sentences.clock_off, noted=True),
    Rule(Code.LOT_EXPIRED, REDEEM, grounds.lot_expired, sentences.expired),
    Rule(Code.POINTS_DIFFER, ON_CARD, grounds.points_differ, sentences.points_differ, noted=True),
    Rule(Code.RULE_UNKNOWN, ON_CARD, grounds.rule_unknown, sentences.rule_unknown, noted=True),
    Rule(Code.LIMIT_BREACH, REDEEM, grounds.beyond_limits, sentences.beyond_limits),
    Rule(Code.ALLOWANCE_EXCEEDED, REDEEM, grounds.exceeded, sentences.exceeded),
    Rule(Code.ALLOWANCE_VOID, REDEEM, grounds.void, sentences.void),
    Rule(Code.ALLOWANCE_VOID, RELEASE, rights.foreign, sentences.void),
    Rule(Code.OVERDRAWN, CORRECTION, grounds.word_overdraws, sentences.word_overdraws, noted=True, settled=True),
    Rule(Code.OVERDRAWN, REDEEM | REVERSE, grounds.overdrawn, sentences.overdrawn),
)
_REPEATED: Final = next(rule for rule in RULES if rule.code is Code.DUPLICATE)
_RULES_OF: Final = {kind: tuple(rule for rule in RULES if kind in rule.kinds) for kind in Kind}


def decide(case: Case) -> Decision:
    """All rules that apply, and what they come to together."""
    met = tuple(_met(case))
    if not met:
        return _plain(case)
    last = met[-1]
    if last.code is Code.DUPLICATE and case.first is not None:
        return _as_first(case, case.first, met)
    if last.ends:
        return _withheld(case, met, last)
    withholding = next((rule for rule in met if _stance(case, rule) is not Stance.HONOUR), None)
    return _withheld(case, met, withholding) if withholding is not None else _honoured(case, met)


def _plain(case: Case) -> Decision:
    release = case.entry.kind is Kind.RELEASE
    right = rights.given_back(case) if release else rights.used(case)
    effect, asked = grounds.promised(case), grounds.asked(case)
    return Decision(State.POSTED, Code.POSTED, effect, asked, right=right, stands=True)


def _met(case: Case) -> Iterator[Rule]:
    """The rules that apply, as far as it makes sense to ask."""
    for rule in _RULES_OF[case.entry.kind]:
        if rule.applies(case):
            yield rule
            if rule.ends:
                return


def _stance(case: Case, rule: Rule) -> Stance:
    if rule.settled:
        return Stance.HONOUR
    return Stance.REVIEW if rule.held else stance(case.policy, rule.code)


def _honoured(case: Case, met: Sequence[Rule]) -> Decision:
    """As the till promised. The state is the worst that one of the rules asks for."""
    state = State.POSTED if all(rule.noted for rule in met) else State.CONFLICT
    return _told(
        case,
        met,
        Decision(state, met[0].code, grounds.promised(case), grounds.asked(case), right=rights.used(case), stands=True),
        sentences.HONOURED.get(met[-1].code),
    )


def _withheld(case: Case, met: Sequence[Rule], by: Rule) -> Decision:
    """No effect, for good or until what it waits for has come. The till has used its right up all the same."""
    refused = _stance(case, by) is Stance.REFUSE
    return _told(
        case,
        met,
        Decision(
            State.CONFLICT if refused else State.PARKED,
            met[0].code,
            asked=grounds.asked(case),
            waits=None if refused else by.waits(case) or WAITS_FOR_REVIEW,
            right=by.right(case) if by.ends else rights.unused(case),
        ),
        None if by.ends or by.held else sentences.withheld(by.code, refused=refused),
    )


def _as_first(case: Case, first: First, met: Sequence[Rule]) -> Decision:
    """The first decision again; while that is not final, this one waits with it."""
    waits = waits_for_record(first.record) if first.state is State.PARKED else None
    told = Decision(first.state, met[0].code, asked=grounds.asked(case), waits=waits, right=rights.used(case))
    return _told(case, met, told, None)


def as_its_sale(claim: Case) -> Decision:
    """Of a claim whose sale has its card now, and waits for something else."""
    return decide(claim) if claim.first is None else _as_first(claim, claim.first, (_REPEATED,))


def _told(case: Case, met: Sequence[Rule], decision: Decision, outcome: str | None) -> Decision:
    """The same with all reasons named."""
    also = tuple(dict.fromkeys(rule.code for rule in met[1:]))
    words = [*(rule.says(case) for rule in met), *([outcome] if outcome else [])]
    return msgspec.structs.replace(decision, also=also, detail=sentences.joined((decision.code, *also), words))
