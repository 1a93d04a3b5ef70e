"""Allowances without I/O: what may be promised, and whether a repeated request is the one that was answered."""

from typing import Final

import msgspec

from ledger.facts import Code, Right, RightState, Standing

MAX_ALLOWANCE_NAME: Final = 64
"""Characters of an allowance's id; tills make UUIDs."""


def grant(right: Right, standing: Standing | None, *, forked: bool) -> Right:
    """Whether points may be promised: `right` as asked for comes back open, or refused with a code."""
    if forked:
        code = Code.FORK
    elif standing is None:
        code = Code.CARD_UNKNOWN
    elif standing.available < right.points:
        code = Code.INSUFFICIENT_POINTS
    else:
        return msgspec.structs.replace(right, account=standing.account, state=RightState.OPEN)
    account = standing.account if standing else None
    return msgspec.structs.replace(right, account=account, state=RightState.REFUSED, code=code)


def same_request(held: Right, asked: Right) -> bool:
    """Whether a repeated request for a right is the one that was answered; one used up unseen is its holder's alone."""
    if held.code == Code.ALLOWANCE_VOID:
        return held.terminal == asked.terminal
    return (held.terminal, held.card, held.points, held.stream) == (
        asked.terminal,
        asked.card,
        asked.points,
        asked.stream,
    )
