"""Which sales get a claim code, and the code: made in the sale's own call, so that the first answer has it."""

from typing import TYPE_CHECKING

from msgspec.structs import replace

from offline_queue.claim_codes import issue
from offline_queue.claimed_sale import sale_of
from offline_queue.entry import Entry, Kind
from terminal.config_claims import Claims, Sales

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


class ClaimIssue:
    """Signs with the terminal's key; without one it issues none."""

    def __init__(self, claims: Claims, key: "Ed25519PrivateKey | None") -> None:
        self._claims = claims
        self._key = key if claims.enabled else None
        self._signing = key

    @property
    def public_key(self) -> bytes | None:
        return None if self._key is None else self._key.public_key().public_bytes_raw()

    def has_code(self, entry: Entry) -> bool:
        """Nothing was earned: nothing to claim."""
        chosen = self._claims.sales is Sales.ALL or entry.card is None
        return self._key is not None and chosen and entry.kind is Kind.EARN and entry.points > 0

    def proof(self, entry: Entry) -> bytes | None:
        """For a note on the card, whichever sales have codes; without receipt and store, for all may read it."""
        if self._signing is None or entry.kind is not Kind.EARN or not entry.points:
            return None
        return issue(replace(sale_of(entry), receipt=None, store=None), self._signing).raw

    def code(self, entry: Entry) -> str | None:
        """For a scanner; None for what gets none."""
        return issue(sale_of(entry), self._key).text if self._key is not None and self.has_code(entry) else None
