"""Allowances without I/O: what may be promised, who may end a right, and when a request repeats another."""

from typing import Final

from msgspec.structs import replace

from ledger.facts.case import Case
from ledger.facts.codes import Code
from ledger.facts.rights import Right, RightState
from ledger.points.standing import Standing
from ledger.rules.own_entries import OFFICE

MAX_ALLOWANCE_NAME: Final = 64
"""Characters of an allowance's id; tills make UUIDs."""


def grant(asked: Right, standing: Standing | None, *, least: int | None, why_not: Code | None) -> Right:
    """Whether points may be promised: `asked` comes back open, or refused with a code.

    `why_not` speaks against any promise to this till now; where `least` is given, fewer points than asked for will do.
    """
    free = max(0, standing.available) if standing else 0
    points = asked.points if least is None else min(asked.points, max(free, least, 1))
    if why_not is not None:
        code = why_not
    elif standing is None:
        code = Code.CARD_UNKNOWN
    elif free < points:
        code = Code.INSUFFICIENT_POINTS
    else:
        fewer = asked.points if points != asked.points else None
        return replace(asked, points=points, asked=fewer, account=standing.account, state=RightState.OPEN)
    account = standing.account if standing else None
    return replace(asked, account=account, state=RightState.REFUSED, code=code)


def holds(case: Case) -> bool:
    """The right is not ended, of this terminal, and on the account that the redemption names."""
    right = case.right
    if right is None or not right.holds_back or right.terminal != case.sender:
        return False
    return case.standing is not None and right.account == case.standing.account


def foreign(case: Case) -> bool:
    """Gives back what is another till's, or what has been used. A right may be given back twice, and unheard of."""
    right = case.right
    if right is None:
        return False
    return right.state is RightState.CONSUMED or case.sender not in (right.terminal, OFFICE)


def used(case: Case) -> RightState | None:
    """What becomes of a redemption's right. One that is not known is noted: its late request reserves nothing."""
    return RightState.CONSUMED if case.entry.allowance and (case.right is None or holds(case)) else None


def unused(case: Case) -> RightState | None:
    """A redemption without effect has used its right up at the till, and nothing was taken for it."""
    return RightState.RELEASED if used(case) else None


def given_back(case: Case) -> RightState | None:
    """A release frees the points, unless a copy of the till may still use them."""
    if case.right is not None and not case.right.holds_back:
        return None
    return RightState.RELEASED if case.believed else RightState.LOCKED


def same_request(held: Right, asked: Right) -> bool:
    """Whether a repeated request for a right is the one that was answered; one used up unseen is its holder's alone."""
    if held.code == Code.ALLOWANCE_VOID:
        return held.terminal == asked.terminal
    return (held.terminal, held.card, held.asked or held.points, held.stream) == (
        asked.terminal,
        asked.card,
        asked.points,
        asked.stream,
    )
