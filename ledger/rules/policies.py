"""What a retailer may choose for each way to disagree, and what holds where nothing was chosen."""

from typing import Final

import msgspec

from ledger.facts.codes import Code
from ledger.facts.policy import Policy, Stance

HONOUR, REFUSE, REVIEW = Stance.HONOUR, Stance.REFUSE, Stance.REVIEW


class Choice(msgspec.Struct, frozen=True):
    """The stances that make sense for a code; the first is the default."""

    stances: tuple[Stance, ...]

    @property
    def default(self) -> Stance:
        return self.stances[0]


CHOICES: Final = {
    code: Choice(stances)
    for code, stances in {
        # What cannot be read, or cannot be of whom it says, never counts by itself.
        Code.UNDECODABLE: (REVIEW,),
        Code.VERSION_UNKNOWN: (REVIEW,),
        Code.TERMINAL_UNKNOWN: (REFUSE, REVIEW),
        Code.KEY_REVOKED: (REFUSE, REVIEW),
        Code.SIGNATURE_BAD: (REFUSE,),
        Code.CLAIM_UNPROVEN: (REFUSE, REVIEW),
        # Sales of a copied or restored till were made: refusing them all would punish its customers.
        Code.FORK: (HONOUR, REVIEW),
        Code.RESTORED: (HONOUR, REVIEW),
        # One key has one effect, whatever anybody would like.
        Code.DUPLICATE: (REFUSE,),
        Code.KEY_MISMATCH: (REVIEW, REFUSE),
        Code.RESOLUTION_REFUSED: (REFUSE,),
        Code.CARD_EVENT_REFUSED: (REFUSE,),
        Code.RECEIPT_DUPLICATE: (REVIEW, HONOUR, REFUSE),
        # One of the two is the customer, and nobody here knows which.
        Code.CARD_COPIED: (HONOUR, REVIEW, REFUSE),
        # Waits for the card or the original; `unknown_cards` may open the account at once.
        Code.CARD_UNKNOWN: (REVIEW, REFUSE),
        Code.CARD_REPLACED: (HONOUR, REVIEW),
        Code.ACCOUNT_MERGED: (HONOUR, REVIEW),
        # Of redemptions; what was earned on a blocked card is held until it is unblocked.
        Code.CARD_BLOCKED_KNOWN: (HONOUR, REVIEW, REFUSE),
        Code.CARD_BLOCKED_UNKNOWN: (HONOUR, REVIEW, REFUSE),
        Code.ORIGINAL_UNKNOWN: (REVIEW,),
        # Reversals never take back more than there was.
        Code.REVERSED_TWICE: (REFUSE, REVIEW),
        Code.OVER_REVERSAL: (HONOUR, REVIEW, REFUSE),
        Code.CLOCK_IMPLAUSIBLE: (HONOUR, REVIEW),
        Code.LOT_EXPIRED: (REVIEW, HONOUR, REFUSE),
        Code.POINTS_DIFFER: (HONOUR, REVIEW),
        Code.RULE_UNKNOWN: (HONOUR, REVIEW),
        Code.LIMIT_BREACH: (HONOUR, REVIEW, REFUSE),
        Code.ALLOWANCE_EXCEEDED: (HONOUR, REVIEW, REFUSE),
        Code.ALLOWANCE_VOID: (HONOUR, REVIEW, REFUSE),
        Code.OVERDRAWN: (HONOUR, REVIEW, REFUSE),
    }.items()
}


def stance(policy: Policy, code: Code) -> Stance:
    """The retailer's, else the default."""
    return policy.stances.get(code, CHOICES[code].default)
