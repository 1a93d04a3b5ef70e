"""An account as one moment sees it."""

import msgspec


class Standing(msgspec.Struct, frozen=True, gc=False):
    """An account: `balance` in the books, `reserved` of it promised to tills by open allowances.

    From `usable_from` until `usable_until` (ms since 1970, None: for ever) none of its points waits for its
    activation or is expired. An account that was `merged_into` another one is empty, and whoever means it means that
    one. The others tell of the moment that is being judged: `idle` points may not be used then, `expired` among them;
    `revivable` ones might have been, and were written off since.
    """

    account: int
    balance: int = 0
    reserved: int = 0
    usable_from: int = 0
    usable_until: int | None = None
    merged_into: int | None = None
    idle: int = 0
    expired: int = 0
    revivable: int = 0

    @property
    def available(self) -> int:
        """What may still be promised; negative when the account is overdrawn."""
        return self.balance + self.revivable - self.idle - self.reserved
