"""What the retailer has chosen."""

from enum import StrEnum

import msgspec

from ledger.facts.codes import Code
from ledger.points.programme import Programme
from offline_queue.entry import Happening


class UnknownCards(StrEnum):
    """What becomes of points on a card that the books have never seen."""

    PARK = "park"
    REGISTER = "register"


class Stance(StrEnum):
    """What the retailer wants in a case of disagreement; the entry is in custody in any case.

    `honour`: it takes effect as the till promised, and is flagged. `refuse`: no effect, unless a person resolves it
    otherwise. `review`: no effect until a person has looked at it, or what it waits for has come.
    """

    HONOUR = "honour"
    REFUSE = "refuse"
    REVIEW = "review"


class Limits(msgspec.Struct, frozen=True):
    """Points that may be redeemed without an allowance; None: as many as the till says."""

    per_transaction: int | None = None
    per_card_and_day: int | None = None


class Policy(msgspec.Struct, frozen=True):
    """What the retailer has chosen (ledger/config.py): `stances` where they differ from ledger/rules/policies.py.

    `clock_tolerance_ms`: so much may a till's clock be off before it is noted. `breaches`: after so many redemptions
    beyond their allowance a terminal's key is revoked; 0: never. `unsealed_cap`: points of rights that a till may take
    along over the end of a stream without a seal. `events_from_tills`: what tills may say has happened to a card.
    `till_resolutions`: whether a till may settle what it recorded, or head office alone. `stable_on_commit`: what is
    committed is on a replica too, so tills need not wait for a backup.
    """

    unknown_cards: UnknownCards = UnknownCards.PARK
    stances: dict[Code, Stance] = {}
    limits: Limits = Limits()
    clock_tolerance_ms: int = 600_000
    breaches: int = 3
    unsealed_cap: int = 0
    programme: Programme = Programme()
    events_from_tills: frozenset[Happening] = frozenset(Happening) - {Happening.MERGE}
    till_resolutions: Stance = Stance.HONOUR
    stable_on_commit: bool = False
