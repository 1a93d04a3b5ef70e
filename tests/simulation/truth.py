"""What POS systems were told: the yardstick of every check."""

from dataclasses import dataclass

from offline_queue.claim_codes import KEY_PREFIX
from offline_queue.entry import Kind


@dataclass(frozen=True)
class Told:
    """A yes to a POS: the entry's id and what was asked for. `claim` is the code on the customer's receipt.

    `promise` of a redemption tells by what right; `terminal` is where it was made.
    """

    id: str
    key: str
    kind: Kind
    points: int
    card: str | None
    terminal: str
    reverses: str | None = None
    claim: str | None = None
    promise: str | None = None

    @property
    def sale(self) -> str:
        """The key of the effect: a sale and all its claims are one."""
        return effect_key(self.key)


def effect_key(key: str) -> str:
    return key.removeprefix(KEY_PREFIX)
